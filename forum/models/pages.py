"""Pages of the site itself: its rules, how to reach it, privacy, imprint."""

from django.db import models


class Page(models.Model):
    """One such page, in Markdown; there for readers as soon as it holds text. What it said before
    stands in the audit log."""

    class Kind(models.TextChoices):
        RULES = "rules", "Rules"
        CONTACT = "contact", "Contact"
        PRIVACY = "privacy", "Privacy"
        IMPRINT = "imprint", "Imprint"

    kind = models.CharField(max_length=8, choices=Kind.choices, unique=True)
    source = models.TextField("text", blank=True, max_length=60_000)
    html = models.TextField(editable=False, default="")
    renderer = models.PositiveSmallIntegerField(default=0, editable=False)
    edited_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return self.get_kind_display()

    def get_absolute_url(self) -> str:
        return f"/{self.kind}/"
