"""Sweep out what is kept no longer; to be run once a day."""

from django.core.management.base import BaseCommand

from core import progress
from forum.moderation import transparency
from forum.own_data import retention


class Command(BaseCommand):
    help = (
        "Delete all that is kept no longer, as the page /privacy/ says, set counts of notices "
        "right, and count what /transparency/ tells. It may run while people write."
    )

    @progress.shown()
    def handle(self, *args, **options):
        swept = retention.sweep()
        swept["quarters counted"] = transparency.count_quarters()
        progress.clear()
        self.stdout.write(", ".join(f"{what}: {count:,}" for what, count in swept.items()))
