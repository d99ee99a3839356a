"""What a debate is about: its divergences and the questions of its opening."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import transaction

from .. import tree
from ..history_dates import HistoryDate, NotADate, read
from ..models import Divergence, Question, Thread
from ..permissions import require
from ..questions import MAX_LENGTH
from .audit import record
from .composing import Unacceptable

MAX_DIVERGENCES = 5  # of one thread: more is a chronicle, and belongs into the text
MAX_QUESTIONS = 10


@dataclass(frozen=True, slots=True)
class Fork:
    """A divergence as somebody gives it, its date read."""

    change: str
    date: HistoryDate
    actor: str = ""
    place: str = ""
    by_editor: bool = False


def fork(*, change: str, when: str, actor: str = "", place: str = "") -> Fork:
    """Read one divergence out of what was typed. Raises Unacceptable with what to do."""
    change, actor, place = (" ".join(text.split()) for text in (change, actor, place))
    if not change:
        raise Unacceptable("Say what changes.")
    for text, field in ((change, "change"), (actor, "actor"), (place, "place")):
        longest = Divergence._meta.get_field(field).max_length
        name = Divergence._meta.get_field(field).verbose_name.capitalize()
        if len(text) > longest:
            raise Unacceptable(f"“{name}” holds at most {longest} characters.")
        if not text.isprintable():
            raise Unacceptable(f"“{name}” holds characters that cannot be shown.")
    try:
        return Fork(change, read(when), actor, place)
    except NotADate as error:
        raise Unacceptable(str(error)) from error


def check(forks: Sequence[Fork], questions: Sequence[str]) -> None:
    """Raise Unacceptable if there are more of them than a card can show, or a question that is
    too long, of several lines, empty, or asked twice."""
    if len(forks) > MAX_DIVERGENCES:
        raise Unacceptable(f"A debate has at most {MAX_DIVERGENCES} divergences.")
    if len(questions) > MAX_QUESTIONS:
        raise Unacceptable(f"At most {MAX_QUESTIONS} questions stand beside a debate.")
    # No more is asked of it: it stands in a text that was taken already, to the letter.
    if any(len(text) > MAX_LENGTH or len(text.splitlines()) > 1 for text in questions):
        raise Unacceptable(f"A question holds at most {MAX_LENGTH} characters, on one line.")
    if not all(text.strip() for text in questions) or len(set(questions)) < len(questions):
        raise Unacceptable("A question is empty, or stands twice.")


def describe(
    *, user, thread: Thread, forks: Sequence[Fork], questions: Sequence[str], reason: str = ""
) -> Thread:
    """Say anew where a debate leaves history and what it asks; the member who opened it does, or
    a moderator, whose dates are marked as an editor's. A date that stays keeps its mark.

    Returns the thread. Raises permissions.Refused or Unacceptable; then nothing was changed.
    """
    check(forks, questions)
    with transaction.atomic():
        (thread,) = tree.lock(thread.pk)
        require(user, "describe", thread)
        before = thread.card
        marks = {one["edtf"]: one["by_editor"] for one in before.get("divergences", ())}
        by_editor = thread.author_id != user.pk
        forks = [replace(one, by_editor=marks.get(one.date.edtf, by_editor)) for one in forks]
        if card(forks, questions) != before:
            write(thread, forks, questions)
            thread.version += 1
            thread.save(update_fields=["card", "version"])
            record(user, "describe", thread=thread, reason=reason, before=before, after=thread.card)
    return thread


def write(thread: Thread, forks: Sequence[Fork], questions: Sequence[str]) -> None:
    """Write the rows of a locked (or new) thread and lay its card out; the caller saves `card`."""
    Divergence.objects.filter(thread=thread).delete()
    Question.objects.filter(thread=thread).delete()
    Divergence.objects.bulk_create(
        Divergence(
            thread=thread,
            order=order,
            change=fork.change,
            actor=fork.actor,
            place=fork.place,
            edtf=fork.date.edtf,
            first_day=fork.date.first,
            last_day=fork.date.last,
            by_editor=fork.by_editor,
        )
        for order, fork in enumerate(forks, 1)
    )
    Question.objects.bulk_create(
        Question(thread=thread, order=order, text=text) for order, text in enumerate(questions, 1)
    )
    thread.card = card(forks, questions)


def card(forks: Sequence[Fork], questions: Sequence[str]) -> dict:
    """What lists and the thread's page show, kept on the thread's row so that they ask nothing
    more. Divergence and Question rows are the truth."""
    if not forks and not questions:
        return {}
    return {
        "divergences": [
            {
                "change": fork.change,
                "actor": fork.actor,
                "place": fork.place,
                "edtf": fork.date.edtf,
                "first": fork.date.first,
                "last": fork.date.last,
                "by_editor": fork.by_editor,
            }
            for fork in forks
        ],
        "questions": list(questions),
    }
