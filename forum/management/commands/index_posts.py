"""Write the words by which posts and debates are found, as far as they are missing or old."""

from django.core.management.base import BaseCommand

from core import progress
from core.counting import counted
from forum.search import index


class Command(BaseCommand):
    help = (
        "Write the words by which posts and debates are found, where they are missing, of an older "
        "text or made by an older version. Run it after an upgrade; it may run while people write."
    )

    def add_arguments(self, parser):
        parser.add_argument("--all", action="store_true", help="write every row anew")

    @progress.shown()
    def handle(self, *args, verbosity=1, **options):
        looked = written = 0
        for counts in index.write_all(everything=options["all"]):
            looked, written = counts
        progress.clear()
        if verbosity:
            were = counted(looked, "post was,posts were")
            self.stdout.write(f"{written:,} of {were} written to the index.")
