"""Feeds for one member: what they watch, what they are told, boards that not everybody sees.

A feed reader has no session: the address says whose feed it is. It stands in no log (ours name
addresses by their kind, docs/operating.md asks the proxy for the same), in no cache, and can be
taken back.
"""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_cache_control

from accounts.models import User

from ..actions import feeds as acts
from ..models import Board, State, Watch
from ..models.visibility import boards_visible_to, posts_visible_to, threads_visible_to
from ..permissions import require
from ..rendering.notices import notice_page
from .feeds import Feed, base_of, opening_posts, write_feed
from .fetch import board_or_404, member_of

MOST_WATCHED = 500  # debates, the last ones watched


def own_feeds(request: HttpRequest) -> HttpResponse:
    """The page with the member's addresses; sent, it makes new ones or takes them back."""
    require(request.user, "use account")
    user = member_of(request)
    if request.method == "POST":
        if request.POST.get("do") == "end":
            acts.take_back(user=user)
            messages.success(request, "Taken back. The old addresses lead nowhere.")
        else:
            acts.make(user=user)
            messages.success(request, "Made. Addresses from before lead nowhere.")
        return redirect("own-feeds")
    found = []
    if user.feed_number is not None:
        found = [
            ("What you watch", acts.address(user, "own-watching-feed")),
            ("Notices", acts.address(user, "own-notices-feed")),
        ]
        private = boards_visible_to(user).exclude(audience=Board.Audience.PUBLIC).in_order()
        found += [
            (board.name, acts.address(user, "own-board-feed", board.slug)) for board in private
        ]
    response = render(request, "members/own_feeds.html", {"feeds": found, "base": base_of(request)})
    response.headers["Cache-Control"] = "no-store"
    return response


def watching(request: HttpRequest, feed_token: str) -> HttpResponse:
    """The newest posts of the debates that the member watches for everything in them."""
    reader = _reader_or_404(feed_token)
    watched = Watch.objects.filter(
        member=reader, thread__isnull=False, level=Watch.Level.EVERYTHING
    ).order_by("-pk")
    threads = list(watched.values_list("thread", flat=True)[:MOST_WATCHED])
    posts = posts_visible_to(reader).filter(
        thread__in=threads, state=State.VISIBLE, number__isnull=False
    )
    posts = posts.exclude(author__in=reader.ignoring).order_by("-loaded_at", "-pk")
    title = f"What {reader.username} watches"
    return _own(
        write_feed(request, title, reverse("watching"), posts, titled=True, user=reader, guid=title)
    )


def board(request: HttpRequest, feed_token: str, slug: str) -> HttpResponse:
    """The debates opened last in one board, as the member sees them."""
    reader = _reader_or_404(feed_token)
    board = board_or_404(reader, slug)
    posts = opening_posts(threads_visible_to(reader).filter(board=board), reader)
    address = board.get_absolute_url()
    return _own(
        write_feed(request, board.name, address, posts, titled=True, user=reader, guid=address)
    )


def notices(request: HttpRequest, feed_token: str) -> HttpResponse:
    """What the member is told, as their page of notices says it; reading it here marks nothing."""
    reader = _reader_or_404(feed_token)
    base, address = base_of(request), reverse("notices")
    title = f"Notices of {reader.username}"
    feed = Feed(
        title=title,
        link=base + address,
        description=None,
        language="en",
        feed_url=base + request.path,
        feed_guid=f"{base}{address}#{reader.pk}",
    )
    for line in notice_page(reader, None).lines:
        feed.add_item(
            title=line.title or "A moderator acted",
            link=base + (line.href or address),
            unique_id=f"{base}{address}#{line.pk}",
            description=line.because,
            author_name=title,
            updateddate=line.at,
            pubdate=line.at,
        )
    answer = HttpResponse(content_type=feed.content_type)
    feed.write(answer, "utf-8")
    return _own(answer)


def _reader_or_404(feed_token: str) -> User:
    user = acts.reader_of(feed_token)
    if user is None:
        raise Http404
    return user


def _own(answer: HttpResponse) -> HttpResponse:
    patch_cache_control(answer, private=True, no_store=True)
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer
