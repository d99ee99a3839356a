"""Sweep out what nobody asks for any more; to be run once a day."""

from django.core.management.base import BaseCommand

from forum.actions import sweeping
from forum.own_data import asking


class Command(BaseCommand):
    help = (
        "Delete sessions that ended, tokens of forms and outcomes of mails of long ago, drafts "
        "that were left (DRAFTS_KEPT_DAYS) and members' archives of their data after a week, "
        "and set counts of notices right. It may run while people write."
    )

    def handle(self, *args, **options):
        swept = {**sweeping.sweep(), "archives of own data": asking.sweep()}
        self.stdout.write(", ".join(f"{what}: {count:,}" for what, count in swept.items()))
