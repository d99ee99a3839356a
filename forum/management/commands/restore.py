"""Make an empty database what a backup holds."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from core import progress
from core.counting import counted
from forum.checking import Fault, check, processes
from forum.management.options import add_jobs
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
        add_jobs(parser, "check it")

    @progress.shown()
    def handle(self, *args, backup: Path, jobs=1, **options):
        try:
            origin = archive.describe(backup)
            tables = archive.restore(backup)
        except archive.Unusable as error:
            raise CommandError(f"{error} No row was restored.") from error
        rows = sum(one["rows"] for one in tables.values())
        progress.clear()
        self.stdout.write(origin)
        of = f"{counted(rows, 'row,rows')} of {counted(len(tables), 'table,tables')}"
        self.stdout.write(f"Restored and compared: {of}.")
        for _ in index.write_all():
            pass  # what is searched is not in the backup
        progress.clear()
        closing.keep_names()
        if left := len(closing.closed_since()):
            self.stdout.write(
                f"Accounts that were closed after this backup was made: {left}. They are open "
                "again until you run manage.py close_account --again."
            )
        faults = _faults(jobs)
        progress.clear()
        for fault in faults:
            self.stdout.write(str(fault))
        if faults:
            of = counted(
                len(faults),
                "thing does not follow from what it is,things do not follow from what they are",
            )
            raise CommandError(
                f"All rows are there, but {of} derived from: manage.py check_forum --fix.",
                returncode=2,
            )
        self.stdout.write("Everything derived is sound.")


def _faults(jobs: int) -> list[Fault]:
    """What the check finds. Raises CommandError where one of its processes came to its end first:
    the rows are there all the same."""
    try:
        return list(check(quick=True, jobs=jobs))
    except processes.Ended as error:
        progress.clear()
        raise CommandError(
            "All rows are there, but they were not checked to the end. Check them again with: "
            f"manage.py check_forum --quick. Why it ended: {str(error).strip()}.",
            returncode=2,
        ) from None
