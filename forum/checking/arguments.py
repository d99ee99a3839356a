"""What a thread's row and its card repeat: divergences, questions and answers, lanes, branches."""

from collections.abc import Generator, Iterator

from django.db.models import Count, Q

from core.counting import counted
from forum import tree
from forum.actions import arguments, cards, keyword_index
from forum.search import index
from forum.text import history_dates

from ..models import (
    Answer,
    ChangeOfMind,
    Post,
    Question,
    State,
    Thread,
    Threadmark,
    ThreadWord,
)
from .faults import Fault
from .labels import CHUNK


def check_argument(thread: Thread, *, fix: bool) -> Iterator[Fault]:
    """The card of a locked thread and everything that is counted of its arguments."""
    if (yield from _check_dates(thread, fix=fix)):
        return
    card = thread.card  # before a recount lays it out anew
    yield from _check_answers(thread, fix=fix)
    was = {
        "card": card,
        "lane_counts": {lane: n for lane, n in thread.lane_counts.items() if n},
        "branch_locks": thread.branch_locks,
    }
    arguments.count_lanes(thread)
    locked = Post.objects.filter(thread=thread, branch_locked=True).count()
    cards.write_card(thread)
    right = {
        "card": thread.card,
        "lane_counts": thread.lane_counts,
        "branch_locks": locked,
    }
    for name, value in right.items():
        if was[name] != value:
            sentence = f"{name} is not what its rows say"
            yield Fault(thread.pk, name, sentence, healed=fix)
            if fix:
                setattr(thread, name, value)
                tree.save_thread(thread, name)
    yield from _check_minds(thread, fix=fix)
    yield from _check_words(thread, fix=fix)
    yield from _check_variant(thread, fix=fix)
    strays = Threadmark.objects.filter(post__thread=thread).exclude(thread=thread)
    if strays.exists():
        yield Fault(thread.pk, "threadmarks", "its threadmarks name another thread", healed=fix)
        if fix:
            strays.update(thread=thread)


def _check_dates(thread: Thread, *, fix: bool) -> Generator[Fault, None, bool]:
    """The days that divergences mean. Returns whether one of them means none."""
    for row in thread.divergences.order_by("order"):
        try:
            date = history_dates.parse(row.edtf)
        except history_dates.NotADate:
            sentence = f"the divergence “{row.change}” has no date: {row.edtf!r}"
            yield Fault(thread.pk, "divergences", sentence, healable=False)
            return True
        if (row.first_day, row.last_day) != (date.first, date.last):
            sentence = f"{row.edtf} means the days {date.first} to {date.last}, not as stored"
            yield Fault(thread.pk, "divergences", sentence, healed=fix)
            row.first_day, row.last_day = date.first, date.last
            if fix:
                row.save(update_fields=["first_day", "last_day"])
    return False


def _check_answers(thread: Thread, *, fix: bool) -> Iterator[Fault]:
    """How many standing posts answer each question."""
    visible = Q(answers__post__state=State.VISIBLE, answers__post__thread=thread)
    disputing = visible & Q(answers__verdict=Answer.Verdict.DISPUTES)
    wrong = [
        question.pk
        for question in Question.objects.filter(thread=thread).annotate(
            visible=Count("answers", filter=visible), against=Count("answers", filter=disputing)
        )
        if (question.answer_count, question.disputed_count) != (question.visible, question.against)
    ]
    if wrong:
        sentence = counted(
            len(wrong),
            "question miscounts its answers,questions miscount their answers",
        )
        yield Fault(thread.pk, "answers", sentence, healed=fix)
        if fix:
            cards.recount(thread, wrong)


def _check_minds(thread: Thread, *, fix: bool) -> Iterator[Fault]:
    """How many members each post moved."""
    moved = dict(
        ChangeOfMind.objects.filter(post__thread=thread)
        .values_list("post")
        .annotate(minds=Count("pk"))
    )
    counting = Post.objects.filter(thread=thread).exclude(minds_changed=0)
    stored = dict(counting.values_list("pk", "minds_changed").iterator(chunk_size=CHUNK))
    if stored != moved:
        wrong = {pk for pk, _ in stored.items() ^ moved.items()}
        sentence = (
            f"{counted(len(wrong), 'post counts,posts count')} other changes of mind than there are"
        )
        yield Fault(thread.pk, "changes of mind", sentence, healed=fix)
        if fix:
            for pk in wrong:
                Post.objects.filter(pk=pk).update(minds_changed=moved.get(pk, 0))
            tree.raise_version(thread.pk)


def _check_words(thread: Thread, *, fix: bool) -> Iterator[Fault]:
    """The words by which the debate is found when somebody opens one like it."""
    stored = set(ThreadWord.objects.filter(thread=thread).values_list("word", "role"))
    if wrong := stored ^ keyword_index.wanted(thread):
        those = counted(len(wrong), "word is not one,words are not those")
        sentence = f"{those} of its title and its divergences"
        yield Fault(thread.pk, "words", sentence, healed=fix)
        if fix:
            keyword_index.index(thread)
    elif index.differing([index.made_of_debate(thread)]):
        yield Fault(thread.pk, "search", "it is not found by the words that it has", healed=fix)
        if fix:
            keyword_index.index(thread)


def _check_variant(thread: Thread, *, fix: bool) -> Iterator[Fault]:
    """The debate that it is a variant of is one, and another."""
    target = thread.variant_of
    while target is not None and target.state == State.MERGED:
        target = target.merged_into
    if target == thread:
        target = None
    if target != thread.variant_of:
        sentence = "it is a variant of a debate that went into another one"
        yield Fault(thread.pk, "variant", sentence, healed=fix)
        if fix:
            Thread.objects.filter(pk=thread.pk).update(variant_of=target)
