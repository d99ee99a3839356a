"""Which of the posts that were found the reader may read, by the one rule."""

from collections.abc import Sequence

from django.db.models import QuerySet

from forum.models.visibility import ForReader, posts_standing_for, threads_visible_to

from . import quoted
from .asking import Asked
from .probes import Hit


def readable(asked: Asked, hits: Sequence[Hit]) -> dict[int, tuple]:
    """Those of some posts that the reader may read, with what they are counted by. The one rule is
    asked of the debates and of the posts themselves: of both in one statement PostgreSQL looks
    through all debates."""
    boards = dict(_debates_of(asked.user, list({hit.thread for hit in hits})))
    ids = [hit.pk for hit in hits if hit.thread in boards]
    if asked.rule:
        rows = list(_standing(asked.user, ids).filter(asked.rule)) if ids else []
    else:
        rows = _standing_of(asked.user, ids)
    rows = [row for row in rows if row[1] in boards]
    if asked.statuses:
        shown = quoted.statuses([row[0] for row in rows], asked.user)
        wanted = set(asked.statuses)
        rows = [row for row in rows if wanted <= shown.get(row[0], set())]
    return {pk: (thread, boards[thread], basis, lane) for pk, thread, basis, lane in rows}


def _standing(user, ids: list[int]) -> QuerySet:
    rows = posts_standing_for(user).filter(pk__in=ids)
    return rows.values_list("pk", "thread_id", "parent_basis", "lane")


_standing_of = ForReader("posts_found", _standing, "numbers", alike=True)
_debates_of = ForReader(
    "debates_of_posts_found",
    lambda user, ids: (
        threads_visible_to(user).filter(pk__in=ids).order_by().values_list("pk", "board_id")
    ),
    "numbers",
    alike=True,
)
