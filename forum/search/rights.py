"""Which of the posts that were found the reader may read, by the one rule."""

from collections.abc import Sequence

from django.db.models import QuerySet

from forum.models.visibility import (
    ForReader,
    openings_visible_to,
    posts_visible_within,
    threads_visible_to,
)

from . import quoted
from .asking import Asked
from .probes import Hit


def readable(asked: Asked, hits: Sequence[Hit]) -> dict[int, tuple]:
    """Those of some posts that the reader may read, with what they are counted by. The one rule is
    asked of the debates and of the posts themselves: of both in one statement PostgreSQL looks
    through all debates."""
    if not hits:
        return {}
    boards = dict(_debates(asked, list({hit.thread for hit in hits})))
    rows = _visible_to_reader(asked.user, [hit.pk for hit in hits if hit.thread in boards])
    rows = [row for row in rows if row[1] in boards]
    if asked.statuses:
        shown = quoted.statuses([row[0] for row in rows], asked.user)
        wanted = set(asked.statuses)
        rows = [row for row in rows if wanted <= shown.get(row[0], set())]
    return {pk: (thread, boards[thread], basis, lane) for pk, thread, basis, lane in rows}


def _debates(asked: Asked, ids: list[int]) -> list[tuple[int, int]]:
    """Those of some debates that the reader may read, and of which it is true what is asked of
    their openings, with their boards."""
    if not asked.of_openings:
        return _debates_of(asked.user, ids)
    if asked.named is not None:
        ids = [pk for pk in ids if pk in asked.named]
    if not asked.opening_rule:
        return _openings_of(asked.user, ids)
    rows = openings_visible_to(asked.user).filter(asked.opening_rule, pk__among=ids).order_by()
    return list(rows.values_list("pk", "board_id"))


def _visible(user, ids: list[int]) -> QuerySet:
    rows = posts_visible_within(user).filter(pk__in=ids)
    return rows.values_list("pk", "thread_id", "parent_basis", "lane")


_visible_to_reader = ForReader("posts_found", _visible, "numbers", alike=True)
_debates_of = ForReader(
    "debates_of_posts_found",
    lambda user, ids: (
        threads_visible_to(user).filter(pk__in=ids).order_by().values_list("pk", "board_id")
    ),
    "numbers",
    alike=True,
)
_openings_of = ForReader(
    "openings_of_posts_found",
    lambda user, ids: (
        openings_visible_to(user).filter(pk__in=ids).order_by().values_list("pk", "board_id")
    ),
    "numbers",
    alike=True,
)
