"""Pages of the site itself: its rules, how to reach it, privacy, imprint."""

from django.db import models


class Page(models.Model):
    """One such page, in Markdown; there for readers as soon as it holds text, but for the reasons,
    which moderators choose from, and the question on joining, which stands in that form. What it
    said before stands in the audit log."""

    class Kind(models.TextChoices):
        RULES = "rules", "Rules"
        CONTACT = "contact", "Contact"
        PRIVACY = "privacy", "Privacy"
        IMPRINT = "imprint", "Imprint"
        REASONS = "reasons", "Reasons that moderators give"
        JOINING = "joining", "What who wants to join is asked"

    # What has a place at the foot of each page; the rules have a page in any case.
    AT_THE_FOOT = (Kind.CONTACT, Kind.PRIVACY, Kind.IMPRINT)

    WITHIN_OTHERS = (Kind.REASONS, Kind.JOINING)  # without an address

    kind = models.CharField(max_length=8, choices=Kind.choices, unique=True)
    source = models.TextField("text", blank=True, max_length=60_000)
    html = models.TextField(editable=False, default="")
    renderer = models.PositiveSmallIntegerField(default=0, editable=False)
    edited_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return self.get_kind_display()

    @classmethod
    def reasons(cls) -> list[str]:
        """The reasons that the site offers to moderators, one on each line of their page; marks of
        a list are left out."""
        page = cls.objects.filter(kind=cls.Kind.REASONS).only("source").first()
        lines = page.source.splitlines() if page else []
        return [words for line in lines if (words := line.strip().lstrip("-*").strip()[:300])]

    def get_absolute_url(self) -> str:
        return f"/{self.kind}/"
