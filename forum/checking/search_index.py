"""The words by which the posts of a thread are found."""

from collections.abc import Iterator

from django.db import transaction

from core.counting import counted

from ..models import NOWHERE, Post, Thread
from ..search import index
from .faults import Fault

BATCH = 200


def check_words(thread_id: int, *, fix: bool, quick: bool) -> Iterator[Fault]:
    """Each post with a text is found by the words of that and by its tags. A `quick` check asks
    only whether its row is there, of its current text, and of the debate in which it stands."""
    if not Thread.objects.filter(pk=thread_id).exclude(state__in=NOWHERE).exists():
        return
    if index.waits(thread_id):
        return  # a worker writes them anew
    last = 0
    while ids := list(
        Post.objects.filter(thread=thread_id, pk__gt=last)
        .order_by("pk")
        .values_list("pk", flat=True)[:BATCH]
    ):
        last = ids[-1]
        wrong = index.missing(ids)
        if not quick:
            with transaction.atomic():
                wrong = index.differing(index.rows_of(ids))
        if wrong:
            if fix:
                with transaction.atomic():
                    index.write_posts(wrong)
            sentence = counted(
                len(wrong),
                "post is not found by the words that it has,"
                "posts are not found by the words that they have",
            )
            yield Fault(thread_id, "search", sentence, healed=fix)
