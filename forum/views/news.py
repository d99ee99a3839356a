"""What was written while a page of a debate is read, and how many notices wait: the page asks for
it itself as long as somebody looks at it (static/js/live.js). Most of the answers are those of
middleware.UnchangedNews.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from ..models import Post, State
from ..permissions import require
from .fetch import member_of, thread_or_404

MOST = 99  # new posts that are counted


def since(request: HttpRequest, thread_id: int, number: int) -> HttpResponse:
    """How many posts that the member did not write and may read came to a debate after the one with
    this number, and the count of their notices, each as it stands on the page."""
    thread = thread_or_404(request.user, thread_id)
    require(request.user, "use account")
    user = member_of(request)
    number = min(number, thread.numbered)  # an address can hold any; and posts may go elsewhere
    found = Post.objects.filter(thread=thread, number__gt=number, state=State.VISIBLE)
    found = found.exclude(author__in=[user.pk, *user.ignoring])
    count = len(found.values_list("pk")[: MOST + 1])
    return render(request, "threads/_news.html", {"thread": thread, "count": count, "most": MOST})
