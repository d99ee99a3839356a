"""The words by which a debate is found again while somebody opens another one like it."""

from django.db import models

from .threads import Thread


class ThreadWord(models.Model):
    """One normalised word (see forum.search.similarity) of a debate's title or divergences, and
    where it stands. Derived: threads and divergences are the truth."""

    class Role(models.TextChoices):
        TITLE = "t", "in the title"
        CHANGE = "c", "in what changes"
        PLACE = "p", "in a place"
        ACTOR = "a", "in who acts"

    thread = models.ForeignKey(
        Thread, on_delete=models.CASCADE, related_name="words", db_index=False
    )
    word = models.CharField(max_length=40)
    role = models.CharField(max_length=1, choices=Role.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["thread", "word", "role"], name="thread_word_unique")
        ]
        indexes = [models.Index(fields=["word", "thread"], name="thread_word")]

    def __str__(self) -> str:
        return self.word
