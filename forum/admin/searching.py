"""The desk's lists are searched as everybody searches (forum.search), as far as a moderator may
read: by the posts, the debates and the members that their rows are about. No list of what grows is
read through for a piece of a word."""

from collections.abc import Sequence

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import PastName, User
from forum.search import finding
from forum.search.asking import Asked, understand
from forum.search.grammar import parse

MOST_MEMBERS = 200
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
    is told above the list, which is empty then, unless members are called so."""
    query = parse(typed, today=timezone.localdate())
    by_words = any(not path.startswith("members:") for path in paths)
    if by_words:
        for sentence in (*query.errors, *query.notes):
            messages.warning(request, sentence)
    if not typed.strip() or (by_words and query.empty and not query.errors):
        return rows
    asked = None if query.errors or query.empty else understand(query, request.user)
    found = {"members": _members(typed)}
    if asked and by_words:
        found |= {"posts": finding.newest_ids(asked), "debates": _debates(asked)}
    rule = Q(pk__in=())
    for path in paths:
        kind, _, lookup = path.partition(":")
        rule |= Q(**{f"{lookup}__in": found.get(kind, ())})
    return rows.filter(rule)


def _debates(asked: Asked) -> list[int]:
    if asked.nothing:
        return []
    return list(finding.debates_of(asked).order_by().values_list("pk", flat=True))


def _members(typed: str) -> list[int]:
    called = User.objects.shaped_like(typed).values_list("pk", flat=True)[:MOST_MEMBERS]
    were = PastName.objects.shaped_like(typed).values_list("user", flat=True)[:MOST_MEMBERS]
    return [*called, *were]
