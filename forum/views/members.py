"""Members' public profiles."""

from django.http import Http404
from django.shortcuts import get_object_or_404, render

from accounts.models import User

from ..models import State
from ..models.visibility import posts_visible_to

PER_PAGE = 20


def member(request, username):
    """Who somebody is and what they wrote, newest first, as far as the reader may see it."""
    found = get_object_or_404(User, username__iexact=username, is_active=True)
    posts = (
        posts_visible_to(request.user)
        .filter(author=found, state=State.VISIBLE)
        .select_related("thread__board", "body__revision")
        .order_by("-pk")
    )
    before = request.GET.get("before", "")
    if before:
        if not before.isdecimal() or len(before) > 18:
            raise Http404
        posts = posts.filter(pk__lt=int(before))
    rows = list(posts[: PER_PAGE + 1])
    more = len(rows) > PER_PAGE
    return render(
        request,
        "members/member.html",
        {
            "profile": found,
            "posts": rows[:PER_PAGE],
            "older": rows[PER_PAGE - 1].pk if more else None,
            "later": bool(before),
        },
    )
