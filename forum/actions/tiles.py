"""Tiles of large maps: cut by the worker, kept beside the file, gone with it.

They are made of the file alone, so no backup holds them: what lacks its tiles is cut anew when
pictures are swept.
"""

from django.db import transaction

from core.tasks import OUTSIDE, task
from forum.operations import pictures as files

from ..models import Picture


def ask_for(picture: Picture) -> None:
    """Let a large map be cut into tiles after the commit, and drop those of what is none any more;
    the row is locked, and saved by whoever calls."""
    wanted = picture.state == Picture.State.READY and picture.shows == Picture.Shows.MAP
    if not (wanted and picture.is_large):
        if picture.tiles:
            picture.tiles = Picture.Tiles.NONE
            transaction.on_commit(lambda: drop_unneeded(picture.sha256), robust=True)
    elif picture.tiles != Picture.Tiles.READY:
        picture.tiles = Picture.Tiles.WAITING
        cut.enqueue(picture.pk)


@task(queue_name=OUTSIDE)
def cut(picture_id: int) -> None:
    """Cut a map that waits for it; done a second time, nothing happens. A map that cannot be cut
    within the limits is looked at as any other picture. Outside of a transaction: a row that waits
    keeps its tiles from being swept meanwhile."""
    waiting = Picture.objects.filter(pk=picture_id, tiles=Picture.Tiles.WAITING)
    picture = waiting.first()
    if picture is None:
        return
    found = Picture.Tiles.READY
    try:
        with files.opened(files.name_of(picture.sha256, picture.kind)) as file:
            data = file.read()
        with files.cut(data, picture.width, picture.height) as pieces:
            for (level, x, y), piece in pieces:
                files.add(piece, files.tile_name(picture.sha256, level, x, y))
    except (FileNotFoundError, files.Undecodable):
        found = Picture.Tiles.NONE
    waiting.update(tiles=found)
    drop_unneeded(picture.sha256)  # it may have been erased, or be no map any more


def drop_unneeded(sha256: str) -> None:
    """Drop the tiles of a file, unless a map that holds these bytes still needs them."""
    if not sha256:
        return
    with files.in_turn():
        if not _needing(sha256).exists():
            files.drop_tiles(sha256)


def sweep() -> None:
    """Drop the tiles that no map needs, and let be cut what lacks its own: a restored forum has
    none."""
    here = set(files.tiled())
    for sha256 in sorted(here):
        drop_unneeded(sha256)
    for picture in Picture.objects.filter(tiles=Picture.Tiles.READY).order_by("pk").iterator():
        if picture.sha256 not in here:
            with transaction.atomic():
                again = Picture.objects.filter(pk=picture.pk, tiles=Picture.Tiles.READY)
                if again.update(tiles=Picture.Tiles.WAITING):
                    cut.enqueue(picture.pk)


def _needing(sha256: str):
    there = Picture.objects.exclude(state=Picture.State.ERASED)
    return there.filter(sha256=sha256).exclude(tiles=Picture.Tiles.NONE)
