"""Move the forum from the SQLite that it began with to PostgreSQL."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from core import progress
from forum.management.elsewhere import restore_elsewhere
from forum.operations import archive


class Command(BaseCommand):
    help = (
        "Copy everything into the empty database of another DATABASE_URL, such as "
        "postgres://user:password@host/name, and compare every row. Nobody can write meanwhile; "
        "afterwards set DATABASE_URL and restart."
    )

    def add_arguments(self, parser):
        parser.add_argument("url", help="DATABASE_URL of the new, empty database")

    @progress.shown()
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
            written, wrong = restore_elsewhere(path, {"DATABASE_URL": url, "DATABASE_REPLICAS": ""})
        self.stdout.write(written)
        if wrong is not None:
            raise CommandError(f"The forum was not moved; it is as it was here.\n{wrong}")
        self.stdout.write("Set DATABASE_URL to the new database and restart the forum now.")
