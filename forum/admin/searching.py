"""The desk's lists are searched as everybody searches (forum.search), as far as a moderator may
read: by the posts, the debates and the members that their rows are about. No list of what grows is
read through for a piece of a word."""

from collections.abc import Sequence
from itertools import groupby

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import PastName, User
from forum.search import finding
from forum.search.asking import Asked, understand
from forum.search.grammar import parse

MOST_MEMBERS = 200
MOST_DEBATES = finding.DESK  # the newest of those that are found, as of posts
MANY = (
    f"More is found than a list looks through, which is the newest {finding.DESK}, whatever filter "
    "is set. Say more of what you look for, such as board:slug or since:30d."
)
OF_POSTS = (
    'Words, "phrases", -not, by:member, board:slug, since:30d and whatever /help/search/ names.'
)
OF_MEMBERS = "The beginning of a member's name, or of one that they had before."


def help_text(rows: Sequence[str]) -> str:
    """What the field says of itself, for paths to rows of these kinds: see `narrowed`."""
    kinds = {path.partition(":")[0] for path in rows}
    return " ".join(
        ([OF_POSTS] if kinds & {"posts", "debates"} else [])
        + ([OF_MEMBERS] if "members" in kinds else [])
    )


def narrowed(request, rows: QuerySet, typed: str, paths: Sequence[str]) -> QuerySet:
    """Those of `rows` that are about what is found. `paths` say where that stands in a row, and of
    which kind it is: "posts:source_post", "debates:thread", "members:user". What is not understood
    is told above the list, which is empty then, as where only marks were typed, unless members are
    called so."""
    query = parse(typed, today=timezone.localdate())
    by_words = any(not path.startswith("members:") for path in paths)
    if by_words:
        for sentence in (*query.errors, *query.notes):
            messages.warning(request, sentence)
    if not typed.strip():
        return rows
    asked = None if query.errors or query.empty else understand(query, request.user)
    found = {"members": lambda: (_members(typed), False)}
    if asked and by_words:
        found |= {"posts": lambda: finding.newest_ids(asked), "debates": lambda: _debates(asked)}
    rule = Q(pk__in=())
    for kind, of_kind in groupby(sorted(paths), lambda path: path.partition(":")[0]):
        ids, many = found[kind]() if kind in found else ((), False)
        if many:
            messages.warning(request, MANY)
        for path in of_kind:
            rule |= Q(**{f"{path.partition(':')[2]}__in": ids})
    return rows.filter(rule)


def _debates(asked: Asked) -> tuple[list[int], bool]:
    if asked.nothing:
        return [], False
    found = finding.debates_of(asked).order_by("-pk")
    ids = list(found.values_list("pk", flat=True)[: MOST_DEBATES + 1])
    return ids[:MOST_DEBATES], len(ids) > MOST_DEBATES


def _members(typed: str) -> list[int]:
    called = User.objects.shaped_like(typed).values_list("pk", flat=True)[:MOST_MEMBERS]
    were = PastName.objects.shaped_like(typed).values_list("user", flat=True)[:MOST_MEMBERS]
    return [*called, *were]
