"""Keeping the words by which a debate is found, and found again by whoever opens one like it."""

from forum.models import Divergence, Thread, ThreadWord
from forum.search.index import made_of_debate, write
from forum.search.similarity import words_by_role


def wanted(thread: Thread) -> set[tuple[str, str]]:
    """The words that a thread should be found by, each with its role."""
    divergences = Divergence.objects.filter(thread=thread)
    by_role = words_by_role(thread.title, divergences)
    return {(word, role) for role, words in by_role.items() for word in words}


def index(thread: Thread) -> None:
    """Write the words of a thread anew; whoever changes its title, its divergences or what it asks
    calls this."""
    write([made_of_debate(thread)])
    right = wanted(thread)
    rows = ThreadWord.objects.filter(thread=thread)
    here = {(row.word, row.role): row.pk for row in rows}
    rows.filter(pk__in=[pk for key, pk in here.items() if key not in right]).delete()
    ThreadWord.objects.bulk_create(
        ThreadWord(thread=thread, word=word, role=role)
        for word, role in sorted(right - here.keys())
    )
