"""manage.py export_thread ID...: debates as a thread fixture, or one as Markdown, with or without
their pictures."""

from collections.abc import Iterator
from pathlib import Path

from django.contrib.auth.models import AnonymousUser
from django.core.management.base import BaseCommand, CommandError

from core import progress
from core.files import whole_file
from forum.transfer import exporting, packing

from ...models import State, Thread


class Command(BaseCommand):
    help = (
        "Writes debates, by id or key, as one thread fixture that loaddata reads. Posts that are "
        "hidden, removed or waiting are not in it. Into a FILE.zip their pictures go too."
    )

    def add_arguments(self, parser):
        parser.add_argument("threads", nargs="+", metavar="ID")
        parser.add_argument("--markdown", action="store_true", help="as Markdown; one debate")
        parser.add_argument("--output", type=Path, metavar="FILE", help="instead of stdout")

    @progress.shown()
    def handle(self, *, threads, markdown, output, **options):
        found = [self._thread(name) for name in threads]
        if markdown and len(found) > 1:
            raise CommandError("Markdown holds one debate.")
        packed = output is not None and output.suffix.lower() == ".zip"
        try:
            if markdown:
                pieces = self._markdown(found[0], packed=packed)
            elif packed:
                pieces = packing.fixture(found, user=AnonymousUser())
            else:
                pieces = _encoded(exporting.several(found, user=AnonymousUser()))
        except exporting.NotWhole as error:
            raise CommandError(str(error)) from None
        if not packed and any(map(exporting.pictures_of, found)):
            self.stderr.write("The pictures are not in it: they go into an --output FILE.zip.")
        if output is None:
            for piece in pieces:
                self.stdout.write(piece.decode(), ending="")
            return
        try:
            with whole_file(output) as file:
                file.writelines(pieces)
        except exporting.NotWhole as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{output}: {error.strerror}.") from None

    def _markdown(self, thread: Thread, *, packed: bool) -> Iterator[bytes]:
        address = thread.get_absolute_url()
        if packed:
            return packing.markdown(thread, address=address)
        return _encoded(exporting.markdown(thread, address=address))

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


def _encoded(pieces: Iterator[str]) -> Iterator[bytes]:
    return (piece.encode() for piece in pieces)
