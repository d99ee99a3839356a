"""Write all of the forum into one file, and try at once whether it can be restored."""

import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

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
        parser.add_argument(
            "--from-standby",
            metavar="HOST[:PORT]",
            help="read from this server, though it may be a standby and lack the last acts",
        )

    def handle(self, *args, destination: Path, no_check=False, from_standby=None, **options):
        if destination.is_dir():
            destination /= f"jonbar-{datetime.now(UTC):%Y%m%d-%H%M%S}.backup"
        if destination.exists():
            raise CommandError(f"{destination} is there already. Backups are not overwritten.")
        try:
            tables = archive.write(destination, standby=from_standby)
        except (OSError, archive.Unusable) as error:
            raise CommandError(f"Nothing was backed up: {error}") from error
        count = sum(one["rows"] for one in tables.values())
        size = destination.stat().st_size / 1e6
        self.stdout.write(f"{count:,} rows of {len(tables)} tables, {size:.1f} MB: {destination}")
        self.stdout.write(archive.describe(destination))
        if not no_check:
            self._try(destination)

    def _try(self, path: Path) -> None:
        """Restore it into a scratch database in a process of its own."""
        with tempfile.TemporaryDirectory(prefix="jonbar-backup-") as folder:
            done = subprocess.run(
                [sys.executable, settings.BASE_DIR / "manage.py", "restore", path],
                env=os.environ
                | {
                    "DATABASE_URL": f"sqlite:///{folder}/scratch.sqlite3",
                    "DATABASE_REPLICAS": "",
                    "JONBAR_DATA": folder,  # where the pictures go
                },
                capture_output=True,
                text=True,
                check=False,
            )
        self.stdout.write(done.stdout)
        if done.returncode:
            raise CommandError(f"The backup was written, but trying it failed:\n{done.stderr}")
