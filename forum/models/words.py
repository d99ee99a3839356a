"""The words of posts and debates, ready to be searched. Derived: see forum.search.index."""

from django.db import models

from .posts import Post, PostRevision
from .threads import Thread

LAST_PLACE = 16_383  # a tsvector numbers words up to here


class WordsField(models.TextField):
    """Words and tags, parted by blanks, as forum.search.index makes them. PostgreSQL keeps them as
    a tsvector, in which a word has its place and a tag has none; SQLite as they are, with a table
    of FTS5 beside that triggers keep (migration 0033). It is written and compared, never read."""

    def db_type(self, connection) -> str:
        return "tsvector" if connection.vendor == "postgresql" else "text"

    def get_db_prep_value(self, value, connection, prepared=False):
        if value is None or connection.vendor != "postgresql":
            return value
        written: dict[str, str] = {}
        place = 0
        for word in value.split():
            if word[0] == "=" and len(word) > 1:
                written[word] = f"'{word}'"
                continue
            if place < LAST_PLACE:
                place += 1
            if word in written:
                written[word] += f",{place}"
            elif word != "=":
                written[word] = f"'{word}':{place}"
        return " ".join(written.values())


class PostWords(models.Model):
    """By what a post is found: the own words of its current text, and tags that say where it
    stands, whose it is and what kind. Tags only narrow a search: rights are asked of the post."""

    post = models.OneToOneField(
        Post, on_delete=models.CASCADE, primary_key=True, related_name="found_by"
    )
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="+", db_index=False)
    # Not held to by the database: who deletes a text would have it look through all rows.
    revision = models.ForeignKey(
        PostRevision,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    at = models.DateTimeField(help_text="When it was written, as far as that is known.")
    made = models.PositiveSmallIntegerField(help_text="The version of forum.search.words.")
    words = WordsField()

    class Meta:
        verbose_name_plural = "words of posts"
        indexes = [
            models.Index(fields=["-at", "-post"], name="words_newest"),
            models.Index(fields=["thread", "-at", "-post"], name="words_of_thread"),
        ]

    def __str__(self) -> str:
        return f"words of post {self.post_id}"


class DebateWords(models.Model):
    """By what a debate is found: its title, its divergences, and what it asks. A word that stands
    in the title is there a second time as "t=word"; d, w and p say likewise that it stands in a
    divergence, in whom that is about, or in its place."""

    thread = models.OneToOneField(
        Thread, on_delete=models.CASCADE, primary_key=True, related_name="found_by"
    )
    made = models.PositiveSmallIntegerField(help_text="The version of forum.search.words.")
    words = WordsField()

    class Meta:
        verbose_name_plural = "words of debates"

    def __str__(self) -> str:
        return f"words of debate {self.thread_id}"
