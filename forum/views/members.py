"""Members' public profiles."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from accounts.models import EDITION, User
from forum import rendering
from forum.rendering import fragments

from ..actions import members as acts
from ..models import State
from ..models.visibility import ForReader, posts_visible_to
from ..permissions import require

PER_PAGE = 20
NEWEST = 2**62  # above the id of any post


_posts_of = ForReader(
    "posts_of_member",
    lambda user, author, before: (
        posts_visible_to(user)
        .filter(author=author, state=State.VISIBLE, pk__lt=before)
        .order_by("-pk")
        .annotate(edition=EDITION)
        .values_list("pk", "thread__version", "edition")[: PER_PAGE + 1]
    ),
    *("number", "number"),
)


def member(request: HttpRequest, username) -> HttpResponse:
    """Who somebody is and what they wrote, newest first, as far as the reader may see it."""
    found = User.objects.named(username).filter(is_active=True).first()
    if found is None:
        return _renamed(username)
    before = request.GET.get("before", "")
    if before and (not before.isdecimal() or len(before) > 18):
        raise Http404
    rows = _posts_of(request.user, found.pk, int(before) if before else NEWEST)
    more = len(rows) > PER_PAGE
    return render(
        request,
        "members/member.html",
        {
            "profile": found,
            "past_names": list(found.past_names.order_by("-pk")),
            "posts": fragments.post_lines(rows[:PER_PAGE], user=request.user),
            "older": rows[PER_PAGE - 1][0] if more else None,
            "later": bool(before),
            **_ignoring(request.user, found),
        },
    )


def _renamed(username: str):
    """To the member who had this name before."""
    found = User.objects.once_named(username).filter(is_active=True).order_by("pk").first()
    if found is None:
        raise Http404
    response = redirect("member", found.username)
    response.headers["Cache-Control"] = "no-cache"
    return response


def _ignoring(user, found: User) -> dict:
    """Whom the reader ignores: this member, or, on one's own page, all of them by name."""
    names: list[str] = []
    if found.pk == user.pk:
        members = User.objects.filter(pk__in=user.ignoring).order_by("username")
        names = list(members.values_list("username", flat=True))
    return {"ignored": found.pk in rendering.ignored_by(user), "ignored_names": names}


@require_POST
def ignore(request: HttpRequest, username) -> HttpResponse:
    """Fold away what a member wrote, or show it again."""
    require(request.user, "use account")
    other = get_object_or_404(User.objects.named(username))
    acts.ignore(user=request.user, other=other, ignored="stop" not in request.POST)
    return redirect("member", request.user.username if "stop" in request.POST else other.username)
