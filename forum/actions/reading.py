"""What a member has read: ranges of post numbers, written only when something new was read."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from ..models import Post, ReadMark, Thread


def parse(ranges: str) -> list[tuple[int, int]]:
    """ "1-40,45-60" as [(1, 40), (45, 60)]: inclusive, ascending, never touching."""
    return [
        (int(first), int(last))
        for first, _, last in (part.partition("-") for part in ranges.split(",") if part)
    ]


def merge(ranges: list[tuple[int, int]], first: int, last: int) -> list[tuple[int, int]]:
    """The ranges with first..last (inclusive) added."""
    kept = [r for r in ranges if r[1] < first - 1 or r[0] > last + 1]
    touched = [r for r in ranges if r not in kept]
    joined = (min([first, *(r[0] for r in touched)]), max([last, *(r[1] for r in touched)]))
    return sorted([*kept, joined])


def contains(ranges: list[tuple[int, int]], first: int, last: int) -> bool:
    """Whether every number of first..last was read."""
    return first > last or any(a <= first and last <= b for a, b in ranges)


def read_ranges(user, thread: Thread) -> list[tuple[int, int]]:
    """The numbers that `user` has read in `thread`: the mark, or all that had arrived by the
    time since when the member counts what is new."""
    mark = ReadMark.objects.filter(user=user, thread=thread).first()
    if mark is not None:
        return parse(mark.ranges)
    since = user.read_until or user.date_joined
    if thread.last_post_at <= since:
        return [(1, thread.numbered)] if thread.numbered else []
    known = (
        Post.objects.filter(thread=thread, loaded_at__lte=since, number__isnull=False)
        .order_by("-loaded_at")
        .values_list("number", flat=True)
        .first()
    )
    return [(1, known)] if known else []


def mark_read(*, user, thread: Thread, numbers: Iterable[tuple[int, int]]) -> None:
    """Remember that `user` has seen the posts of `thread` in these ranges of numbers (inclusive).

    Two tabs or devices may call this at once: the row is locked and the ranges united.
    """
    with transaction.atomic():
        known = read_ranges(user, thread)
        mark, _ = ReadMark.objects.get_or_create(user=user, thread=thread, defaults=_columns(known))
        mark = ReadMark.objects.select_for_update().get(pk=mark.pk)
        merged = parse(mark.ranges)
        for first, last in numbers:
            merged = merge(merged, first, last)
        if merged != parse(mark.ranges):
            for name, value in _columns(merged).items():
                setattr(mark, name, value)
            mark.save(update_fields=["ranges", "count"])


def mark_all_read(*, user) -> None:
    """Count everything that has arrived by now as read."""
    with transaction.atomic():
        user.read_until = timezone.now()
        user.save(update_fields=["read_until"])
        ReadMark.objects.filter(user=user).delete()


def _columns(ranges: list[tuple[int, int]]) -> dict:
    return {
        "ranges": ",".join(f"{first}-{last}" for first, last in ranges),
        "count": sum(last - first + 1 for first, last in ranges),
    }
