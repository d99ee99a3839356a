"""manage.py export_thread ID...: debates as a thread fixture, or one as Markdown."""

from pathlib import Path

from django.contrib.auth.models import AnonymousUser
from django.core.management.base import BaseCommand, CommandError

from core.files import whole_file
from forum.transfer import exporting

from ...models import State, Thread


class Command(BaseCommand):
    help = (
        "Writes debates, by id or key, as one thread fixture that loaddata reads. Posts that are "
        "hidden, removed or waiting are not in it."
    )

    def add_arguments(self, parser):
        parser.add_argument("threads", nargs="+", metavar="ID")
        parser.add_argument("--markdown", action="store_true", help="as Markdown; one debate")
        parser.add_argument("--output", type=Path, metavar="FILE", help="instead of stdout")

    def handle(self, *, threads, markdown, output, **options):
        found = [self._thread(name) for name in threads]
        if markdown and len(found) > 1:
            raise CommandError("Markdown holds one debate.")
        try:
            if markdown:
                pieces = exporting.markdown(found[0], address=found[0].get_absolute_url())
            else:
                pieces = exporting.several(found, user=AnonymousUser())
        except exporting.NotWhole as error:
            raise CommandError(str(error)) from None
        if output is None:
            for piece in pieces:
                self.stdout.write(piece, ending="")
            return
        try:
            with whole_file(output) as file:
                file.writelines(piece.encode() for piece in pieces)
        except exporting.NotWhole as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{output}: {error.strerror}.") from None

    def _thread(self, name: str) -> Thread:
        rows = Thread.objects.select_related("board", "author", "variant_of__board")
        if name.isdecimal() and len(name) < 19:
            rows = rows.filter(pk=int(name))
        else:
            rows = rows.filter(key=name)
        thread = rows.exclude(state__in=(State.LOADING, State.MERGED)).first()
        if thread is None:
            raise CommandError(f"There is no debate {name!r}.")
        return thread
