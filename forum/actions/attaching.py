"""What a thread fixture says about the posts that it brings: answers, changed minds, marks."""

from collections import Counter
from collections.abc import Mapping

from django.db.models import F

from ..importing.fixture import ThreadFixture
from ..models import Answer, ChangeOfMind, Post, Question, Thread, Threadmark
from .arguments import count_anew


def attach(fixture: ThreadFixture, thread: Thread, ids: Mapping[int, int]) -> None:
    """Write it for the posts whose places in the fixture `ids` leads to their ids, in a locked
    thread, and count anew; the caller saves `card` and `lane_counts`. Whoever said it elsewhere is
    no member here."""
    asked = {row.text: row for row in Question.objects.filter(thread=thread, stands=True)}
    Answer.objects.bulk_create(
        Answer(
            question=asked[answer.question],
            post_id=ids[answer.post],
            passage=answer.passage,
            verdict=answer.verdict,
        )
        for answer in fixture.answers
        if answer.post in ids and answer.question in asked
    )
    minds = [mind for mind in fixture.minds if mind.post in ids]
    ChangeOfMind.objects.bulk_create(
        ChangeOfMind(post_id=ids[mind.post], was=mind.was, now=mind.now, reason=mind.reason)
        for mind in minds
    )
    for place, more in Counter(mind.post for mind in minds).items():
        Post.objects.filter(pk=ids[place]).update(minds_changed=F("minds_changed") + more)
    Threadmark.objects.bulk_create(
        Threadmark(thread=thread, post_id=ids[place], category=category, label=label)
        for place, category, label in fixture.marks
        if place in ids
    )
    count_anew(thread)


def link_variants(fixture: ThreadFixture, thread: Thread) -> None:
    """Tie a thread that was just loaded to the one that it is a variant of, and to its variants,
    as far as they are here; the caller holds the lock and saves `variant_of` and `variant_key`."""
    if fixture.variant_of:
        thread.variant_of = Thread.objects.filter(key=fixture.variant_of).first()
        # The other may be loaded later: until then its key is all that is known of it.
        thread.variant_key = "" if thread.variant_of else fixture.variant_of
    waiting = Thread.objects.filter(variant_key=thread.key)
    waiting.update(variant_of=thread, variant_key="", version=F("version") + 1)
