"""The desk's lists of posts and debates are searched as everybody searches (forum.search), as far
as a moderator may read."""

from collections.abc import Callable

from django.contrib import messages
from django.db.models import Q
from django.utils import timezone

from forum.search import finding
from forum.search.asking import Asked, understand
from forum.search.grammar import parse

SEARCHED_AS = (
    'Words, "phrases", -not, by:member, board:slug, since:30d and whatever /help/search/ names.'
)


def posts_found(asked: Asked) -> Q:
    """The posts that are asked for, of many the newest."""
    return Q(pk__in=finding.newest_ids(asked))


def debates_found(asked: Asked) -> Q:
    """The debates that are asked for."""
    if asked.nothing:
        return Q(pk__in=[])
    return Q(pk__in=list(finding.debates_of(asked).order_by().values_list("pk", flat=True)))


def search_as_elsewhere(request, rows, typed: str, found: Callable[[Asked], Q]):
    """The rows of a list that `found` leaves, and that none of them comes twice, as Django's admin
    wants it told. What is not understood is told above the list, which is empty then."""
    query = parse(typed, today=timezone.localdate())
    for sentence in (*query.errors, *query.notes):
        messages.warning(request, sentence)
    if query.errors:
        return rows.none(), False
    return (rows if query.empty else rows.filter(found(understand(query, request.user)))), False
