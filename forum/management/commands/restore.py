"""Make an empty database what a backup holds."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from forum.checking import check
from forum.moderation import closing
from forum.operations import archive
from forum.search import index


class Command(BaseCommand):
    help = (
        "Make the empty database of DATABASE_URL (SQLite or PostgreSQL, whichever the backup is "
        "of) what the backup holds, compare every row, bring it up to date and check it. A backup "
        "that is not to the bit as it was written is refused, and the database stays empty."
    )

    def add_arguments(self, parser):
        parser.add_argument("backup", type=Path)

    def handle(self, *args, backup: Path, **options):
        try:
            origin = archive.describe(backup)
            tables = archive.restore(backup)
        except archive.Unusable as error:
            raise CommandError(f"{error} No row was restored.") from error
        count = sum(one["rows"] for one in tables.values())
        self.stdout.write(origin)
        self.stdout.write(f"Restored and compared: {count:,} rows of {len(tables)} tables.")
        for _ in index.write_all():
            pass  # what is searched is not in the backup
        if left := len(closing.closed_since()):
            self.stdout.write(
                f"Accounts that were closed after this backup was made: {left}. They are open "
                "again until you run manage.py close_account --again."
            )
        faults = list(check(quick=True))
        for fault in faults:
            self.stdout.write(str(fault))
        if faults:
            raise CommandError(
                f"All rows are there, but {len(faults)} things do not follow from what they are "
                "derived from: manage.py check_forum --fix.",
                returncode=2,
            )
        self.stdout.write("Everything derived is sound.")
