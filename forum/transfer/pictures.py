"""Pictures of thread fixtures: what a fixture tells of them, checked, and bringing them in."""

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from forum.actions.brought_pictures import Brought, brought
from forum.actions.composing import Unacceptable
from forum.actions.maps import PLAIN, Mark, columns_of
from forum.models import Picture
from forum.models.pictures import MAX_ALT, MAX_CREDIT, MAX_SOURCE

from . import Rejected
from .beside import NAME, Reader
from .fields import MARK, Check
from .fixture import ThreadFixture

_KEY = re.compile(r"[a-z0-9]{12}")


def read_picture(check: Check, fixture: ThreadFixture, shown: Collection[str]) -> None:
    """Take a picture into the fixture; one that no text shows (an editor took it out) is none of
    it. Raises Rejected."""
    if (thread := check.natural_key("thread")) != fixture.key:
        raise check.fail(f"belongs to another thread, {thread!a}, than {fixture.key!a}.")
    picture = picture_of(check)
    if picture.key in {one.key for one in fixture.pictures}:
        raise check.fail(f"the picture {picture.key!a} stands twice in this thread.")
    if picture.key in shown:
        fixture.pictures.append(picture)


def picture_of(check: Check) -> Brought:
    """A picture as its object tells of it. Raises Rejected."""
    key, file = check.text("key"), check.text("file")
    if not _KEY.fullmatch(key):
        raise check.fail("the key of a picture has 12 small letters and digits.")
    if not NAME.fullmatch(file):
        raise check.fail("file must be the SHA-256 of its bytes and .png, .jpeg, .webp or .gif.")
    return Brought(
        key=key,
        file=file,
        alt=check.text("alt", MAX_ALT),
        credit=check.text("credit", MAX_CREDIT),
        source=check.text("source", MAX_SOURCE),
        details=_mark_of(check),
    )


def mark_fields(picture: Picture) -> dict:
    """The fields that say that a picture is a map, a flag or a cover: none where it is no more
    than a picture, and none that are empty."""
    if picture.shows == Picture.Shows.PICTURE:
        return {}
    return {name: value for name in MARK if (value := getattr(picture, name))}


def _mark_of(check: Check) -> Mark:
    """What is said of the picture, within the limits of what is typed. Raises Rejected."""
    told = {name: value for name in MARK if (value := check.text(name))}
    details = Mark(**{"shows": PLAIN.shows} | told)
    try:
        columns = columns_of(details)
    except Unacceptable as problem:
        raise check.fail(problem.sentence) from None
    for name in told:
        # A form drops it, since it does not show the field; here somebody meant something.
        if not columns[name] and told[name].strip():
            who = "a map, a flag or a cover" if name == "title" else "a map"
            raise check.fail(f"only {who} has a {name}.")
    return details


@contextmanager
def bringing(
    pictures: Iterable[Brought], read: Reader, name: str, *, at_once: bool = False
) -> Iterator[None]:
    """Bring in the pictures of the fixture `name`, for what is loaded within; nothing of them is
    kept where anything is refused. `at_once`: somebody waits. Raises Rejected."""
    try:
        with brought(pictures, read, at_once=at_once):
            yield
    except Unacceptable as problem:
        raise Rejected(f"{name}: {problem.sentence}") from None
