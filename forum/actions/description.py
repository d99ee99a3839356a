"""What a debate is about: its divergences, its author's own answer, and what its opening asks."""

from collections.abc import Sequence
from dataclasses import replace

from django.db import transaction

from core.columns import longest
from core.opened_texts import check_base
from forum import tree
from forum.models import AuditEntry, Board, Divergence, Question, Thread
from forum.models.debate import spot_columns
from forum.permissions import Refused, may, require
from forum.text import places
from forum.text.questions import MAX_LENGTH

from . import keyword_index, notices, post_notices, screening
from .audit import record
from .cards import recount, spot_on_card, write_card
from .composing import Unacceptable
from .divergences import DivergenceInput, kept_spot

MAX_DIVERGENCES = 5  # of one thread: more is a chronicle, and belongs into the text
MAX_QUESTIONS = 10
MAX_OWN_ANSWER = longest(Thread, "own_answer")
# Bare questions rarely get good replies: whoever asks one of these says first what they expect.
OWN_ANSWER_KINDS = (Thread.Kind.WI, Thread.Kind.AHC, Thread.Kind.PC)


def place(thread_id: int) -> int:
    """Look up the places of a debate's divergences that stand on no map, and return how many are
    on it now. No words change, so nobody is told."""
    with transaction.atomic():
        (thread,) = tree.lock(thread_id)
        placed = 0
        for row in Divergence.objects.filter(thread=thread, latitude=None):
            if spot := places.meant(row.place):
                Divergence.objects.filter(pk=row.pk).update(**spot_columns(spot))
                placed += 1
        if placed:
            write_card(thread)
            tree.save_thread(thread, "card")
            tree.raise_divergences(thread)
    return placed


def check(divergences: Sequence[DivergenceInput], questions: Sequence[str]) -> None:
    """Raise Unacceptable if there are more of them than a card can show, or a question that is
    too long, of several lines, empty, or asked twice."""
    if len(divergences) > MAX_DIVERGENCES:
        raise Unacceptable(f"A debate has at most {MAX_DIVERGENCES} divergences.")
    if len(questions) > MAX_QUESTIONS:
        raise Unacceptable(f"At most {MAX_QUESTIONS} questions stand beside a debate.")
    # No more is asked of it: it stands in a text that was taken already, to the letter.
    if any(len(text) > MAX_LENGTH or len(text.splitlines()) > 1 for text in questions):
        raise Unacceptable(f"A question holds at most {MAX_LENGTH} characters, on one line.")
    if not all(text.strip() for text in questions) or len(set(questions)) < len(questions):
        raise Unacceptable("A question is empty, or stands twice.")


def check_own_answer(text: str) -> str:
    """An own answer as it is kept. Raises Unacceptable with what to do."""
    text = "\n".join(line.rstrip() for line in text.strip().splitlines())
    if len(text) > MAX_OWN_ANSWER:
        raise Unacceptable(f"Your own answer holds at most {MAX_OWN_ANSWER:,} characters.")
    if not all(line.isprintable() for line in text.split("\n")):
        raise Unacceptable("Your own answer holds characters that cannot be shown.")
    return text


def needs_own_answer(board: Board, kind: str) -> bool:
    """Whether a debate of this kind is opened with an own answer in this board."""
    if board.own_answer_needed == Board.Demand.KIND:
        return kind in OWN_ANSWER_KINDS
    return board.own_answer_needed == Board.Demand.ALWAYS


def missing(
    *,
    user,
    board: Board,
    kind: str,
    divergences: Sequence,
    questions: Sequence,
    policy: str,
    answer: str,
) -> dict[str, str]:
    """What the board asks of a new debate and is not given: a sentence for each field. Its
    moderators are asked for nothing."""
    if may(user, "moderate", board):
        return {}
    found = {}
    if board.divergence_needed and not divergences:
        found["change"] = "In this board a debate says where it leaves history."
    if needs_own_answer(board, kind) and not answer:
        found["own_answer"] = "Write at least one consequence you expect, and why."
    if board.policy_needed and not policy:
        found["policy"] = "Choose whether your premise may be challenged."
    if board.questions_needed and not questions:
        found["questions"] = "In this board a debate asks something: tick a question."
    return found


def describe(
    *,
    user,
    thread: Thread,
    divergences: Sequence[DivergenceInput],
    questions: Sequence[str],
    policy: str | None = None,
    own_answer: str | None = None,
    base: str | None = None,
    reason: str = "",
) -> Thread:
    """Say anew where a debate leaves history and what it asks; the member who opened it does, or
    a moderator, whose dates are marked as an editor's. A date that stays keeps its mark. What is
    None stays as it is; an own answer is changed by who gave it alone. `base` is what the form said
    of `stored_texts`.

    Returns the thread. Raises permissions.Refused, Unacceptable or ChangedMeanwhile; then nothing
    was changed.
    """
    check(divergences, questions)
    if policy is not None and policy not in Thread.Policy.values:
        raise Unacceptable("Choose whether the premise may be challenged.")
    if own_answer is not None:
        own_answer = check_own_answer(own_answer)
    with transaction.atomic():
        (thread,) = tree.lock(thread.pk)
        require(user, "describe", thread)
        before = described(thread)
        policy = before["policy"] if policy is None else policy
        if own_answer is None or thread.author_id != user.pk:
            own_answer = before["own_answer"]
        if (
            before["own_answer"]
            and not own_answer
            and needs_own_answer(thread.board, thread.kind)
            and not may(user, "moderate", thread)
        ):
            raise Unacceptable("A debate of this kind keeps its own answer: write at least one.")
        marks = {one["edtf"]: one["by_editor"] for one in before["divergences"]}
        by_editor = thread.author_id != user.pk
        divergences = [
            replace(one, by_editor=marks.get(one.date.edtf, by_editor)) for one in divergences
        ]
        after = description(divergences, questions, policy=policy, own_answer=own_answer)
        if after == before:
            return thread
        check_base(base, stored_texts(thread))
        screening.check_words(
            user, thread, stored_texts(thread), [own_answer, *words(divergences), *questions]
        )
        thread.policy, thread.own_answer = policy, own_answer
        rows = {
            "divergences": list(thread.divergences.order_by("order").values_list("pk", flat=True)),
            "questions": list(thread.questions.values_list("pk", "text", "order", "stands")),
        }
        write(thread, divergences, questions)
        tree.save_thread(thread, "card", "policy", "own_answer")
        tree.raise_divergences(thread)
        entry = record(
            user, "describe", thread=thread, reason=reason, before=before, after=after, rows=rows
        )
        notices.notify(thread.author, entry=entry)
        if after["divergences"] != before["divergences"]:
            post_notices.notify_of_divergences(thread)
    return thread


def put_back(entry: AuditEntry, thread: Thread) -> None:
    """Take a description of a locked thread back: its rows are those that were there before.
    Raises permissions.Refused where the debate was described anew since, or its author's own
    answer would change."""
    before, rows = entry.detail["before"], entry.detail.get("rows")
    if rows is None or described(thread) != entry.detail["after"]:
        raise Refused("The debate was described anew since.")
    if before["own_answer"] != thread.own_answer:
        raise Refused("An own answer is changed by the member who gave it alone.")
    Divergence.objects.filter(thread=thread).delete()
    Divergence.objects.bulk_create(
        Divergence(
            pk=pk,
            thread=thread,
            order=order,
            first_day=one["first"],
            last_day=one["last"],
            **spot_columns(kept_spot(one)),
            **{name: one[name] for name in ("change", "actor", "place", "edtf", "by_editor")},
        )
        for order, (pk, one) in enumerate(
            zip(rows["divergences"], before["divergences"], strict=True), 1
        )
    )
    known = {pk: (text, order, stands) for pk, text, order, stands in rows["questions"]}
    asked = Question.objects.filter(thread=thread)
    asked.update(stands=False)
    asked.filter(answers=None).exclude(pk__in=known).delete()
    for pk, (text, order, stands) in known.items():
        Question.objects.update_or_create(
            pk=pk, defaults={"thread": thread, "text": text, "order": order, "stands": stands}
        )
    thread.policy = before["policy"]
    keyword_index.index(thread)
    recount(thread, list(known))
    write_card(thread)
    tree.save_thread(thread, "card", "policy")


def words(divergences: Sequence[DivergenceInput]) -> list[str]:
    """All that is read of divergences, besides their dates."""
    return [text for one in divergences for text in (one.change, one.place, one.actor)]


def stored_texts(thread: Thread) -> list[str]:
    """All that the form shows of how a debate is described; what its `base` is the sum of."""
    shown = described(thread)
    forks = shown["divergences"]
    words = [one[name] for one in forks for name in ("change", "place", "actor")]
    dates = [one["edtf"] for one in forks]
    spots = [str(kept_spot(one) or "") for one in forks]
    return [*words, shown["own_answer"], *shown["questions"], *dates, *spots, shown["policy"]]


def described(thread: Thread) -> dict:
    """What a debate says of itself, as `description` puts it."""
    return {
        "divergences": thread.card.get("divergences", []),
        "questions": [one["text"] for one in thread.card.get("questions", ())],
        "policy": thread.policy,
        "own_answer": thread.own_answer,
    }


def description(
    divergences: Sequence[DivergenceInput],
    questions: Sequence[str],
    *,
    policy: str = Thread.Policy.OPEN,
    own_answer: str = "",
) -> dict:
    """What is about to be written, in the shape of `described`: to compare, and for the log."""
    return {
        "divergences": [_card_entry(divergence) for divergence in divergences],
        "questions": list(questions),
        "policy": policy,
        "own_answer": own_answer,
    }


def write(thread: Thread, divergences: Sequence[DivergenceInput], questions: Sequence[str]) -> None:
    """Write the rows of a locked (or new) thread and lay its card out; the caller saves `card`."""
    Divergence.objects.filter(thread=thread).delete()
    Divergence.objects.bulk_create(
        Divergence(
            thread=thread,
            order=order,
            change=divergence.change,
            actor=divergence.actor,
            place=divergence.place,
            edtf=divergence.date.edtf,
            first_day=divergence.date.first,
            last_day=divergence.date.last,
            by_editor=divergence.by_editor,
            **spot_columns(divergence.spot),
        )
        for order, divergence in enumerate(divergences, 1)
    )
    _ask(thread, questions)
    keyword_index.index(thread)
    write_card(thread)


def _card_entry(divergence: DivergenceInput) -> dict:
    return {
        "change": divergence.change,
        "actor": divergence.actor,
        "place": divergence.place,
        "edtf": divergence.date.edtf,
        "first": divergence.date.first,
        "last": divergence.date.last,
        "by_editor": divergence.by_editor,
        **spot_on_card(divergence.spot),
    }


def _ask(thread: Thread, questions: Sequence[str]) -> None:
    """Let exactly these questions stand. A row stays with its words, since answers are tied to it;
    one that nobody answered goes with them."""
    known = {row.text: row for row in Question.objects.filter(thread=thread)}
    dropped = [row.pk for text, row in known.items() if text not in questions]
    Question.objects.filter(pk__in=dropped).update(stands=False)
    Question.objects.filter(pk__in=dropped, answers=None).delete()
    # None of them stands while they change places: two that stand never share one.
    kept = [row for text, row in known.items() if text in questions]
    Question.objects.filter(pk__in=[row.pk for row in kept]).update(stands=False)
    for order, text in enumerate(questions, 1):
        row = known.get(text) or Question(thread=thread, text=text)
        row.order, row.stands = order, True
        row.save(update_fields=["order", "stands"] if row.pk else None)
