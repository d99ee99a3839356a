"""Members' public profiles: who they are, and what they wrote, as far as the reader may see it."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from django.db.models import Exists, IntegerField, OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.models import SITE_VERSION, PastName, User, skeleton
from core.compiled_queries import CompiledQuery
from forum import rendering
from forum.operations import caching
from forum.rendering import fragments

from ..actions import members as acts
from ..models import Post, State, Thread
from ..models.listing import listed_rows
from ..models.visibility import (
    ForReader,
    boards_visible_to,
    posts_visible_to,
)
from ..permissions import require
from .debate_lists import across_boards, all_of, asked_for, listed, narrowed, page_of

PER_PAGE = 20
NEWEST = 2**62  # above the id of any post


# What the page of a member says of them.
SHOWN = "pk username emblem about date_joined is_superuser is_moderator".split()
AGES = {"30": "the last 30 days", "365": "the last year"}
COUNTED = 1_000  # posts up to here are counted


def _posts_by(user, author: int) -> QuerySet[Post]:
    return posts_visible_to(user).filter(author=author, state=State.VISIBLE)


class _Counted(Subquery):
    """How many rows a queryset has, asked along with others."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


def _rows(posts: QuerySet[Post], before: int):
    """A page of posts, newest first: their ids, the numbers that their lines are kept under, and
    how many there are on all pages, as far as they are counted."""
    count = _Counted(posts.order_by().values("pk")[: COUNTED + 1])
    rows = posts.filter(pk__lt=before).order_by("-pk")
    rows = rows.annotate(site_version=SITE_VERSION, count=count)
    return rows.values_list("pk", "thread__version", "site_version", "count")[: PER_PAGE + 1]


_posts_of = ForReader(
    "posts_of_member",
    lambda user, author, before: _rows(_posts_by(user, author), before),
    *("number", "number"),
)
_boards = ForReader(
    "boards_to_choose", lambda user: boards_visible_to(user).in_order().values_list("slug", "name")
)
_shaped_like = CompiledQuery(
    "profile",
    lambda shape: User.objects.filter(skeleton=shape, is_active=True).annotate(
        renamed=Exists(PastName.objects.filter(user=OuterRef("pk")))
    ),
    "text",
)


def _named(name: str) -> User | None:
    """The active member whose name this is, in whatever case; they know `renamed`, whether they had
    another one."""
    rows = _shaped_like(skeleton(name))
    return next((row for row in rows if row.username.casefold() == name.casefold()), None)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What of a member's posts is asked for: in the board of this address, in debates of a kind,
    of the last so many days, before a post."""

    board: str
    kind: str
    age: str
    before: int

    @property
    def query(self) -> str:
        chosen = {"board": self.board, "kind": self.kind, "age": self.age}
        return urlencode({name: value for name, value in chosen.items() if value})


def member(request: HttpRequest, username) -> HttpResponse:
    """Who somebody is and what they wrote, newest first, filtered as asked, as far as the reader
    may see it."""
    found = _named(username)
    if found is None:
        return _renamed(username)
    user, asked = request.user, _asked(request)
    if asked.query:
        rows = list(_rows(_narrowed(_posts_by(user, found.pk), asked), asked.before))
    else:
        rows = _posts_of(user, found.pk, asked.before)
    more = len(rows) > PER_PAGE
    renamed = getattr(found, "renamed")  # noqa: B009  # of _shaped_like
    if rows:
        count = rows[0][-1]
    else:  # behind the last of them, or there are none
        behind = asked.before != NEWEST
        count = _count(_narrowed(_posts_by(user, found.pk), asked)) if behind else 0
    past_names = list(found.past_names.order_by("-pk")) if renamed else []
    boards = _boards(user)

    def draw() -> HttpResponse:
        page = {
            "profile": found,
            "past_names": past_names,
            "posts": fragments.post_lines(rows[:PER_PAGE], user=user),
            "count": count,
            "counted": COUNTED,
            "asked": asked,
            "boards": boards,
            "kinds": Thread.Kind.choices,
            "ages": AGES,
            "older": rows[PER_PAGE - 1][0] if more else None,
            "later": asked.before != NEWEST,
        }
        return render(request, "members/member.html", {**page, **_ignoring(user, found)})

    if not rows:
        return draw()
    shown = (
        tuple(rows),
        tuple(boards),
        *(getattr(found, column) for column in SHOWN),
        *((past.username, past.until) for past in past_names),
    )
    return caching.unchanged(request, rows[0][2], shown, draw)


def debates(request: HttpRequest, username) -> HttpResponse:
    """The debates that somebody began, filtered and ordered as all debates are, as far as the
    reader may see them."""
    found = User.objects.named(username).filter(is_active=True).first()
    if found is None:
        return _renamed(username, "member-debates")
    user, asked = request.user, asked_for(request)
    threads, across = across_boards(request)
    rows = narrowed(listed_rows(threads.filter(author=found.pk), user, asked.moment), user, asked)
    page, end = page_of(rows, user, asked)
    shown = listed(
        user,
        asked,
        page,
        end=end,
        address=reverse("member-debates", args=[found.username]),
        start=reverse("start"),
        may_start=found.pk == user.pk,
        across=across,
        nothing="No debate begun yet that you can see.",
    )
    return render(
        request,
        "members/debates.html",
        {
            "profile": found,
            "list": shown,
            "count": _count(all_of(rows, user, asked)),
            "counted": COUNTED,
        },
    )


def _asked(request: HttpRequest) -> _Asked:
    """What the address asks for; raises Http404 for a kind, age or place that there is not."""
    kind, age = request.GET.get("kind", ""), request.GET.get("age", "")
    before = request.GET.get("before", "")
    if (kind and kind not in Thread.Kind.values) or (age and age not in AGES):
        raise Http404
    if before and (not before.isdecimal() or len(before) > 18):
        raise Http404
    board = request.GET.get("board", "")[:80]
    return _Asked(board, kind, age, int(before) if before else NEWEST)


def _narrowed(posts: QuerySet[Post], asked: _Asked) -> QuerySet[Post]:
    if asked.board:
        posts = posts.filter(thread__board__slug=asked.board)
    if asked.kind:
        posts = posts.filter(thread__kind=asked.kind)
    if asked.age:
        posts = posts.filter(loaded_at__gte=timezone.now() - timedelta(days=int(asked.age)))
    return posts


def _count(rows: QuerySet) -> int:
    """How many there are, or one more than are counted."""
    return rows.order_by().values("pk")[: COUNTED + 1].count()


def _renamed(username: str, page: str = "member"):
    """To this page of the member who had this name before."""
    found = User.objects.once_named(username).filter(is_active=True).order_by("pk").first()
    if found is None:
        raise Http404
    response = redirect(page, found.username)
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
