"""The words of the trade, and what they mean."""

from django.db import models


class TermQuerySet(models.QuerySet["Term"]):
    def get_by_natural_key(self, name: str) -> "Term":
        return self.get(name=name)


class Term(models.Model):
    """One term of the glossary. `aliases` are other ways to write it, one on each line."""

    name = models.CharField("term", max_length=60, unique=True)
    aliases = models.TextField(
        max_length=600, blank=True, help_text="Other ways to write it, one on each line."
    )
    meaning = models.CharField(max_length=300, help_text="One or two plain sentences.")

    objects = TermQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def natural_key(self) -> tuple[str]:
        return (self.name,)

    @property
    def spellings(self) -> list[str]:
        """The term and its aliases, as they may stand in a text."""
        return [self.name, *self.others]

    @property
    def others(self) -> list[str]:
        """The aliases, as they may stand in a text."""
        return [line.strip() for line in self.aliases.splitlines() if line.strip()]
