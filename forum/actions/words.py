"""Keeping the words by which a debate is found again (see forum.similarity)."""

from ..models import Divergence, Thread, ThreadWord
from ..similarity import words_by_role


def index(thread: Thread) -> None:
    """Write the words of a thread anew; whoever changes its title or divergences calls this."""
    forks = Divergence.objects.filter(thread=thread)
    wanted = {
        (word, role) for role, words in words_by_role(thread.title, forks).items() for word in words
    }
    rows = ThreadWord.objects.filter(thread=thread)
    here = {(row.word, row.role): row.pk for row in rows}
    rows.filter(pk__in=[pk for key, pk in here.items() if key not in wanted]).delete()
    ThreadWord.objects.bulk_create(
        ThreadWord(thread=thread, word=word, role=role)
        for word, role in sorted(wanted - here.keys())
    )
