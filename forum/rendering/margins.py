"""What stands in the margin of a post, beside the passage that it belongs to: who quotes it, which
question it answers, what its words of the trade mean. One note for each passage.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from forum.models import Post

from .backlinks import Backlinks
from .glossary import Meaning

# The first passage that is no quote. A verdict stands in the margin of a quote.
_FIRST_OWN = re.compile(r"<!--p([0-9]+)-->(?!<!--q)")


@dataclass(frozen=True, slots=True)
class AnswerGiven:
    """A question of the debate that a post answers: its number on the card and its words."""

    number: int
    text: str
    disputes: bool


def answers_given(posts: Iterable[Post]) -> Mapping[int, Mapping[int, list[AnswerGiven]]]:
    """For each of the posts the questions that it answers, by passage (0: the whole post), as far
    as the cards of their debates name the answer and everybody may read them; asks the database
    nothing. The posts have their threads at hand."""
    found: dict[int, dict[int, list[AnswerGiven]]] = defaultdict(lambda: defaultdict(list))
    seen: set[int] = set()
    for post in posts:
        thread = post.thread
        if thread.pk not in seen:
            seen.add(thread.pk)
            _of_card(thread.shown_card.get("questions", ()), found)
    return found


def _of_card(questions: Iterable[dict], found: dict[int, dict[int, list[AnswerGiven]]]) -> None:
    for number, question in enumerate(questions, 1):
        for by in question["by"]:
            given = AnswerGiven(number, question["text"], by["disputes"])
            found[by["post"]][by["passage"]].append(given)


def notes(
    draw: Callable[..., str],
    post: Post,
    html: str,
    *,
    quoted: Mapping[int, Backlinks],
    answers: Mapping[int, list[AnswerGiven]],
    meanings: Mapping[int, list[Meaning]],
) -> dict[int, str]:
    """The notes of one post by passage, drawn by the macro `draw`; `html` is its stored text. What
    answers with all of it is noted beside the first passage that is no quote."""
    if not (quoted or answers or meanings):
        return {}
    by_passage = dict(answers)
    if 0 in by_passage:
        first = _FIRST_OWN.search(html)
        at = int(first[1]) if first else 1
        by_passage[at] = by_passage.pop(0) + by_passage.get(at, [])
    return {
        passage: draw(
            post=post,
            passage=passage,
            quoted=quoted.get(passage),
            answers=by_passage.get(passage, ()),
            meanings=meanings.get(passage, ()),
        )
        for passage in quoted.keys() | by_passage.keys() | meanings.keys()
    }
