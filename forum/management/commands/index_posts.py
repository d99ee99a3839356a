"""Write the words by which posts and debates are found, as far as they are missing or old."""

from django.core.management.base import BaseCommand

from forum.search import index


class Command(BaseCommand):
    help = (
        "Write the words by which posts and debates are found, where they are missing, of an older "
        "text or made by an older version. Run it after an upgrade; it may run while people write."
    )

    def add_arguments(self, parser):
        parser.add_argument("--all", action="store_true", help="write every row anew")

    def handle(self, *args, verbosity=1, **options):
        done = (0, 0)
        for done in index.write_all(everything=options["all"]):
            if verbosity and done[0] % 50_000 == 0:
                self.stdout.write(f"{done[0]:,} posts …")
        if verbosity:
            looked, written = done
            self.stdout.write(f"{written:,} of {looked:,} posts were written to the index.")
