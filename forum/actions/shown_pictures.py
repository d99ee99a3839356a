"""Which pictures a text may show, and that pages show them as they are now."""

from collections.abc import Collection, Iterable

from django.db.models import Q

from ..models import Board, Picture, PictureUse, PostRevision, State
from ..models.visibility import AUDIENCES, NAMED, uses_visible_to
from . import elsewhere

GONE = (Picture.State.REFUSED, Picture.State.ERASED)


def shown_pictures(
    keys: Collection[str], *, user, board: Board, earlier: PostRevision | None = None
) -> tuple[list[Picture], str]:
    """The pictures with these keys, for a text of `user` in `board`: those that they sent, and
    those that a standing post shows which they may read and which has no fewer readers than
    `board`; and whatever the `earlier` text showed. Then the first key that none of this holds of,
    be there such a picture or not; "" if there is none."""
    if not keys:
        return [], ""
    rows = {row.key: row for row in Picture.objects.filter(key__in=keys)}
    known = set(PictureUse.objects.filter(revision=earlier).values_list("picture_id", flat=True))
    found: list[Picture] = []
    for key in keys:
        row = rows.get(key)
        if row is None or not (row.pk in known or _may_show(user, row, board)):
            return found, key
        found.append(row)
    return found, ""


def _may_show(user, picture: Picture, board: Board) -> bool:
    if picture.state in GONE:
        return False
    if picture.member_id == user.pk:
        return True
    # As `wider` says of two boards: of two with named readers nobody knows whom they will name.
    as_many = AUDIENCES[: AUDIENCES.index(board.audience) + 1]
    others = [one for one in as_many if not (one in NAMED and board.audience in NAMED)]
    rule = Q(post__thread__board=board.pk) | Q(post__thread__board__audience__in=others)
    uses = uses_visible_to(user).filter(rule, picture=picture, post__state=State.VISIBLE)
    return uses.exists()


def show_anew(pictures: Iterable[Picture]) -> None:
    """Let no page that is kept go on showing these as they were."""
    uses = PictureUse.objects.filter(picture__in=list(pictures))
    elsewhere.touch(uses.values_list("post__thread_id", flat=True).distinct())
