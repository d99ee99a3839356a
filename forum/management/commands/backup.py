"""Write all of the forum into one file, and try at once whether it can be restored."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from core import progress
from core.counting import counted
from forum.management.elsewhere import restore_elsewhere
from forum.management.options import add_jobs
from forum.operations import archive


class Command(BaseCommand):
    help = (
        "Write everything that is in the database, and all pictures, into one file, while people "
        "go on writing, and restore it into a scratch database to see that it is whole. The file "
        "holds addresses, passwords' hashes and sessions: it is readable by its owner only."
    )

    def add_arguments(self, parser):
        parser.add_argument("destination", type=Path, help="a file, or a folder for a dated one")
        parser.add_argument("--no-check", action="store_true", help="do not try to restore it")
        add_jobs(parser, "check what was restored")
        parser.add_argument(
            "--from-standby",
            metavar="HOST[:PORT]",
            help="read from this server, though it may be a standby and lack the last acts",
        )

    @progress.shown()
    def handle(
        self, *args, destination: Path, no_check=False, jobs=1, from_standby=None, **options
    ):
        if destination.is_dir():
            destination /= f"jonbar-{datetime.now(UTC):%Y%m%d-%H%M%S}.backup"
        if destination.exists():
            raise CommandError(f"{destination} is there already. Backups are not overwritten.")
        try:
            tables = archive.write(destination, standby=from_standby)
        except (OSError, archive.Unusable) as error:
            raise CommandError(f"Nothing was backed up: {error}") from error
        progress.clear()
        rows = sum(one["rows"] for one in tables.values())
        size = destination.stat().st_size / 1e6
        of = f"{counted(rows, 'row,rows')} of {counted(len(tables), 'table,tables')}"
        self.stdout.write(f"{of}, {size:.1f} MB: {destination}")
        self.stdout.write(archive.describe(destination))
        if not no_check:
            self._try(destination, jobs)

    def _try(self, path: Path, jobs: int) -> None:
        """Restore it into a scratch database in a process of its own."""
        with tempfile.TemporaryDirectory(prefix="jonbar-backup-") as folder:
            written, wrong = restore_elsewhere(
                path,
                {
                    "DATABASE_URL": f"sqlite:///{folder}/scratch.sqlite3",
                    "DATABASE_REPLICAS": "",
                    "JONBAR_DATA": folder,  # where the pictures go
                    "PICTURES_BUCKET": "",
                },
                jobs=jobs,
            )
        self.stdout.write(written)
        if wrong is not None:
            raise CommandError(f"The backup was written, but trying it failed:\n{wrong}")
