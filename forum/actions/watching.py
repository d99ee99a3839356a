"""What a member watches: begun, changed and stopped by the member alone."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts.models import User
from forum.text.history_dates import EARLIEST, LATEST, NotADate, read, spoken

from ..models import Board, Post, Thread, Watch
from ..models.watches import LEVELS, MAX_PLACE
from ..permissions import Refused, require
from .composing import Unacceptable

MAX_STRETCHES = 50  # of one member: each new debate is compared with all of them

_SEE = {Board: "see board", Thread: "see thread", Post: "see post", User: "use account"}
_FIELD = {Board: "board", Thread: "thread", Post: "post", User: "author"}


def kind_of(target: Board | Thread | Post | User) -> str:
    """As what a thing is watched: "board", "thread", "post" (its branch) or "author"."""
    return _FIELD[type(target)]


def found(user: User, target: Board | Thread | Post | User) -> Watch | None:
    """How `user` watches a thing, None if they do not."""
    return Watch.objects.filter(member=user, **{kind_of(target): target}).first()


def watch(*, user: User, target: Board | Thread | Post | User, level: str) -> Watch:
    """Watch a board, a debate, a branch (by its uppermost post) or a member from now on, or on
    another level than before. An opening is watched as its debate, of which all is its branch.

    Raises permissions.Refused (NotThere) for what `user` may not see, and for oneself; Unacceptable
    for a level that the thing does not have.
    """
    if isinstance(target, Post) and target.is_opening:
        target = target.thread
    require(user, "use account")
    require(user, _SEE[type(target)], user if isinstance(target, User) else target)
    if target == user:
        raise Refused("You know what you write yourself.")
    kind = kind_of(target)
    if level not in LEVELS[kind]:
        raise Unacceptable("Choose how much of it you want to be told.")
    chosen = {"level": level, "automatic": False}
    of: dict[str, Any] = {"member": user, kind: target}
    made, _ = Watch.objects.update_or_create(**of, defaults=chosen)
    return made


def watch_history(*, user: User, start: str, end: str, place: str) -> Watch:
    """Watch a stretch of history: be told of each debate that leaves it between two dates as they
    were typed (one of them may be missing) in a place that holds the words of `place`, if any.

    Raises permissions.Refused, Unacceptable with what to do.
    """
    require(user, "use account")
    first = _date(start, "from") if start.strip() else None
    last = _date(end, "to") if end.strip() else None
    place = " ".join(place.split())
    if first is None and last is None and not place:
        raise Unacceptable("Say which years, or where.")
    if len(place) > MAX_PLACE or not place.isprintable():
        raise Unacceptable(f"The place is one line of at most {MAX_PLACE} characters.")
    days = first.first if first else EARLIEST, last.last if last else LATEST
    if first and last and first.first > last.last:
        raise Unacceptable("The stretch ends before it begins. Exchange the two dates.")
    with transaction.atomic():
        # The account's lock, so that two forms at once do not both come below the limit.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        mine = Watch.objects.filter(member=user, first_day__isnull=False)
        made = mine.filter(first_day=days[0], last_day=days[1], place=place).first()
        if made is None:
            if mine.count() >= MAX_STRETCHES:
                raise Unacceptable(f"You watch {MAX_STRETCHES} stretches of history already.")
            made = Watch.objects.create(
                member=user,
                first_day=days[0],
                last_day=days[1],
                years=_years(first, last),
                place=place,
            )
    return made


def _date(typed: str, where: str):
    try:
        return read(typed)
    except NotADate as error:
        raise Unacceptable(f"In “{where}”: {error}") from error


def _years(first, last) -> str:
    if first and last:
        one, other = spoken(first.edtf), spoken(last.edtf)
        return (one if one == other else f"{one} to {other}")[:60]
    if first:
        return f"from {spoken(first.edtf)} on"[:60]
    return f"until {spoken(last.edtf)}"[:60] if last else "all of history"


def set_levels(*, user: User, levels: Mapping[int, str]) -> int:
    """Give watches of `user`, by id, these levels; returns how many changed. What is not theirs, or
    not a level of it, is left alone."""
    require(user, "use account")
    changed = 0
    with transaction.atomic():
        rows = Watch.objects.select_for_update(no_key=True).filter(member=user, pk__in=levels)
        for row in rows.order_by("pk"):
            level = levels[row.pk]
            if level != row.level and level in LEVELS[row.kind]:
                row.level, row.automatic = level, False
                row.save(update_fields=["level", "automatic"])
                changed += 1
    return changed


def stop(*, user: User, watch_id: int) -> None:
    """Watch something no more; nothing happens where it is not watched, or by somebody else."""
    require(user, "use account")
    Watch.objects.filter(member=user, pk=watch_id).delete()
