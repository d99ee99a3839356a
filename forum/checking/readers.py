"""What members have read."""

from collections.abc import Iterator

from django.db import transaction

from accounts.models import User
from core.counting import counted
from forum.actions import read_state

from ..models import NOWHERE, ReadMark, Thread
from .faults import Fault

CHUNK = 500


def check_marks(thread_id: int, *, fix: bool) -> Iterator[Fault]:
    """The read marks of one thread: ranges in order, none beyond the last number, counted right."""
    thread = Thread.objects.filter(pk=thread_id).exclude(state__in=NOWHERE).first()
    if thread is None:
        return
    wrong = []
    for mark in ReadMark.objects.filter(thread=thread).iterator(chunk_size=CHUNK):
        if _right(mark, thread.numbered) != {"ranges": mark.ranges, "count": mark.count}:
            wrong.append((mark.user_id, mark.pk))
    if not wrong:
        return
    if fix:
        for user_id, pk in wrong:
            with transaction.atomic():
                # The lock that actions.reading takes.
                User.objects.select_for_update(no_key=True).get(pk=user_id)
                mark = ReadMark.objects.get(pk=pk)
                numbered = Thread.objects.values_list("numbered", flat=True).get(pk=thread_id)
                ReadMark.objects.filter(pk=pk).update(**_right(mark, numbered))
    sentence = f"the read marks of {counted(len(wrong), 'member,members')} do not add up"
    yield Fault(thread_id, "read marks", sentence, healed=fix)


def _right(mark: ReadMark, numbered: int) -> dict:
    """The columns of a mark that says the same, in order."""
    merged: list[tuple[int, int]] = []
    try:
        for first, last in read_state.parse(mark.ranges):
            if 1 <= first <= min(last, numbered):
                merged = read_state.merge(merged, first, min(last, numbered))
    except ValueError:
        merged = []  # unreadable: the member reads again
    return read_state.columns(merged)
