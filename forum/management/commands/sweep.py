"""Sweep out what is kept no longer; to be run once a day."""

from django.core.management.base import BaseCommand

from forum.own_data import retention


class Command(BaseCommand):
    help = (
        "Delete all that is kept no longer, as the page /privacy/ says, and set counts of notices "
        "right. It may run while people write."
    )

    def handle(self, *args, **options):
        swept = retention.sweep()
        self.stdout.write(", ".join(f"{what}: {count:,}" for what, count in swept.items()))
