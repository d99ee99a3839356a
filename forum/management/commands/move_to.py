"""Move the forum from the SQLite that it began with to PostgreSQL."""

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from forum.operations import archive


class Command(BaseCommand):
    help = (
        "Copy everything into the empty database of another DATABASE_URL, such as "
        "postgres://user:password@host/name, and compare every row. Nobody can write meanwhile; "
        "afterwards set DATABASE_URL and restart."
    )

    def add_arguments(self, parser):
        parser.add_argument("url", help="DATABASE_URL of the new, empty database")

    def handle(self, *args, url, **options):
        with tempfile.TemporaryDirectory(prefix="jonbar-move-") as folder, ExitStack() as stack:
            path = Path(folder) / "forum.backup"
            if connection.vendor == "sqlite":
                # The write lock: what would be acknowledged from here on would be left behind.
                stack.enter_context(transaction.atomic())
            try:
                archive.write(path)
            except (OSError, archive.Unusable) as error:
                raise CommandError(f"The forum was not moved: {error}") from error
            done = subprocess.run(
                [sys.executable, settings.BASE_DIR / "manage.py", "restore", path],
                env=os.environ | {"DATABASE_URL": url, "DATABASE_REPLICAS": ""},
                capture_output=True,
                text=True,
                check=False,
            )
        self.stdout.write(done.stdout)
        if done.returncode:
            raise CommandError(f"The forum was not moved; it is as it was here.\n{done.stderr}")
        self.stdout.write("Set DATABASE_URL to the new database and restart the forum now.")
