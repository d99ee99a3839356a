"""What a picture is, a map of a moment, a flag, a cover: said by who sent it and by moderators."""

import re
from dataclasses import dataclass, fields

from django.db import transaction

from core.counting import counted
from forum.text.history_dates import NotADate, read

from ..models import Picture, Post
from ..models.pictures import MAX_LEGEND, MAX_MOMENT, MAX_TAG, MAX_TITLE
from ..models.visibility import moderates, posts_visible_to
from ..permissions import Refused, may, require
from . import tiles
from .audit import record
from .composing import Unacceptable
from .shown_pictures import show_anew

# Of which history a moment is: said of a map, and no part of its date.
_OF_WHICH = re.compile(
    r",? *[(\[]?(?:(?:in|of) (?:this|our|the real|the other) (?:timeline|history|world)"
    r"|\b[ao]tl)[)\]]?\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Mark:
    """What is said of a picture. A map has a moment, as people write dates ("1 May 1937, in this
    timeline"), and may have a legend, a projection and a template that it was drawn upon; a flag
    and a cover have a title alone."""

    shows: str
    title: str = ""
    moment: str = ""
    legend: str = ""
    projection: str = ""
    template: str = ""


PLAIN = Mark(Picture.Shows.PICTURE)


def mark(*, user, picture: Picture, details: Mark) -> Picture:
    """Say what a picture shows; a large map is then cut into tiles by the worker. What is said of
    another member's picture stands in the log.

    Raises permissions.Refused, and Unacceptable at the field that cannot be read.
    """
    require(user, "write")
    columns = columns_of(details)
    with transaction.atomic():
        picture = Picture.objects.select_for_update(no_key=True).get(pk=picture.pk)
        post = _ground(user, picture)
        if all(getattr(picture, name) == value for name, value in columns.items()):
            return picture
        before = picture.shows
        for name, value in columns.items():
            setattr(picture, name, value)
        tiles.ask_for(picture)
        picture.save(update_fields=[*columns, "tiles"])
        show_anew([picture])
        if picture.member_id != user.pk:
            key = picture.key
            record(user, "mark picture", post=post, key=key, before=before, after=picture.shows)
    return picture


def unmark(picture: Picture) -> None:
    """Let a picture be nothing but a picture; it is not saved."""
    for name, value in columns_of(PLAIN).items():
        setattr(picture, name, value)
    picture.tiles = Picture.Tiles.NONE


def may_mark(user, picture: Picture) -> bool:
    """Whether `user`, who sees the picture, may say that it is a map, a flag or a cover."""
    try:
        _ground(user, picture)
    except Refused:
        return False
    return user.is_authenticated


def _ground(user, picture: Picture) -> Post | None:
    """The post by which `user` may mark a picture: of those that show it one of a board that they
    moderate, or one of their own which they may edit, if they sent it; None where its sender needs
    none, since no post of theirs shows it. Raises Refused."""
    if picture.state not in (Picture.State.WAITING, Picture.State.READY):
        raise Refused("This picture is not here.")
    shown = posts_visible_to(user).filter(pk__in=picture.uses.values("post"))
    posts = list(shown.select_related("thread__board", "parent__thread").order_by("pk")[:50])
    mine = picture.member_id == user.pk
    for post in posts:
        if moderates(user, post.thread.board_id) or (mine and may(user, "edit", post)):
            return post
    if mine and not picture.uses.filter(post__author=user).exists():
        return None
    raise Refused(
        "Only the member who sent a picture says what it is, while they may edit a post that shows "
        "it, and moderators do."
    )


def columns_of(details: Mark) -> dict:
    """What is kept of it, in the columns of Picture. Raises Unacceptable at the field that cannot
    be read."""
    if details.shows not in Picture.Shows.values:
        raise _wrong("shows", "Choose what the picture is.")
    is_map = details.shows == Picture.Shows.MAP
    titled = details.shows != Picture.Shows.PICTURE
    found: dict = {field.name: "" for field in fields(Mark)} | {"shows": details.shows}
    if titled:
        found["title"] = _line("title", details.title, MAX_TITLE)
    found |= {"edtf": "", "first_day": None, "last_day": None}
    if is_map:
        found["moment"] = _line("moment", details.moment, MAX_MOMENT)
        try:
            date = read(_OF_WHICH.sub("", found["moment"]))
        except NotADate as error:
            raise _wrong("moment", str(error)) from None
        found |= {"edtf": date.edtf, "first_day": date.first, "last_day": date.last}
        lines = [_line("legend", line, MAX_LEGEND) for line in details.legend.splitlines()]
        found["legend"] = _within("legend", "\n".join(lines).strip("\n"), MAX_LEGEND)
        for name in ("projection", "template"):
            found[name] = _line(name, getattr(details, name), MAX_TAG)
    return found


def _line(name: str, text: str, most: int) -> str:
    line = _within(name, " ".join(text.split()), most)
    if not line.isprintable():
        raise _wrong(name, f"The {name} holds characters that cannot be shown.")
    return line


def _within(name: str, text: str, most: int) -> str:
    if len(text) > most:
        raise _wrong(name, f"The {name} has at most {counted(most, 'character,characters')}.")
    return text


def _wrong(field: str, sentence: str) -> Unacceptable:
    return Unacceptable(sentence, field=field)
