"""The card of a debate: its divergences and questions as pages show them, kept in its own row."""

from collections.abc import Sequence

from django.db.models import Count, F, Q

from forum.models import Answer, Divergence, Question, State, Thread
from forum.text import places

LINKED = 8  # answers to a question that its card leads to; of more it says the number


def write_card(thread: Thread) -> None:
    """Lay the card of a locked thread out from its rows; the caller saves `card`."""
    card = {
        "divergences": [
            {
                "change": row.change,
                "actor": row.actor,
                "place": row.place,
                "edtf": row.edtf,
                "first": row.first_day,
                "last": row.last_day,
                "by_editor": row.by_editor,
                **spot_on_card(row.spot),
            }
            for row in Divergence.objects.filter(thread=thread).order_by("order")
        ],
        "questions": _asked(thread),
    }
    thread.card = card if any(card.values()) else {}


def spot_on_card(spot: places.Spot | None) -> dict:
    """How a card says where a divergence lies: nothing where it stands on no map."""
    return {"spot": [spot.latitude, spot.longitude, spot.radius]} if spot else {}


def recount(thread: Thread, question_ids: Sequence[int]) -> None:
    """Count the answers of these questions of a locked thread anew and lay its card out; the
    caller saves `card`. To be called wherever a post with answers comes, goes or changes state."""
    visible = Q(answers__post__state=State.VISIBLE, answers__post__thread=thread)
    for question in Question.objects.filter(thread=thread, pk__in=question_ids).annotate(
        visible=Count("answers", filter=visible),
        against=Count("answers", filter=visible & Q(answers__verdict=Answer.Verdict.DISPUTES)),
    ):
        question.answer_count, question.disputed_count = question.visible, question.against
        question.save(update_fields=["answer_count", "disputed_count"])
    if thread.card or question_ids:
        thread.card = {**thread.card, "questions": _asked(thread)}


def _asked(thread: Thread) -> list[dict]:
    """The questions of a card, each with its counts and the first of its answers."""
    return [
        {
            "id": question.pk,
            "text": question.text,
            "answers": question.answer_count,
            "disputed": question.disputed_count,
            "by": _first_answers(thread, question) if question.answer_count else [],
        }
        for question in Question.objects.filter(thread=thread, stands=True).order_by("order")
    ]


def _first_answers(thread: Thread, question: Question) -> list[dict]:
    rows = Answer.objects.filter(
        question=question, post__state=State.VISIBLE, post__thread=thread
    ).annotate(number=F("post__number"))
    return [
        {
            "post": row.post_id,
            "number": row.number,
            "passage": row.passage,
            "disputes": row.verdict == Answer.Verdict.DISPUTES,
        }
        for row in rows.order_by("number")[:LINKED]
    ]
