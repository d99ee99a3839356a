"""manage.py thread_fixture SOURCE.txt: a thread fixture out of a plain text."""

from argparse import ArgumentTypeError
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.text import slugify

from core.counting import counted
from core.files import whole_file
from forum.transfer import Rejected, fixture, notes, parsing, text

from ...models import Thread


class Command(BaseCommand):
    help = (
        "Reads a plain-text thread (title, empty line, posts parted by lines of one no-break "
        "space), finds its quotes and writes a thread fixture. The same text and options always "
        "give the same bytes."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("source", type=Path, metavar="SOURCE.txt")
        parser.add_argument("--board", default="after-1900", metavar="SLUG")
        parser.add_argument("--kind", default=Thread.Kind.WI, choices=Thread.Kind.values)
        parser.add_argument("--key", help="names the thread across sites; of the file's name")
        parser.add_argument("--fixture-version", type=_version, default=1, metavar="N")
        parser.add_argument(
            "--notes",
            type=Path,
            metavar="FILE",
            help="an editor's notes; SOURCE.editor.json if it is there",
        )
        parser.add_argument("--output", type=Path, metavar="FILE", help="instead of stdout")

    def handle(self, *, source: Path, **options):
        name = source.name
        try:
            if source.stat().st_size > settings.FIXTURE_MAX_BYTES:
                raise parsing.too_large(name)
            thread = text.read(source.read_bytes(), name)
            beside = options["notes"] or source.with_suffix(".editor.json")
            given = options["notes"] or beside.exists()
            objects = fixture.build(
                thread,
                key=options["key"] or slugify(source.stem),
                board=options["board"],
                kind=str(options["kind"]),
                version=options["fixture_version"],
                source=f"A plain text, {name}",
                notes=notes.read(beside.read_bytes(), beside.name, thread.texts[0])
                if given
                else None,
            )
            data = fixture.dump(objects)
            # What the loader would refuse is not written.
            read = parsing.read(data, name)
        except OSError as error:
            raise CommandError(f"{error.filename or source}: {error.strerror}.") from None
        except Rejected as error:
            raise CommandError(str(error)) from None
        quotes = sum(len(post.quotes) for post in read.posts)
        found = f"{name}: {counted(quotes, 'quote,quotes')} found."
        for note in (*thread.notes, found):
            self.stderr.write(note, self.style.NOTICE)
        if options["output"]:
            try:
                with whole_file(options["output"]) as file:
                    file.write(data)
            except OSError as error:
                raise CommandError(f"{options['output']}: {error.strerror}.") from None
        else:
            self.stdout.write(data.decode(), ending="")


def _version(value: str) -> int:
    if not value.isdecimal() or int(value) < 1:
        raise ArgumentTypeError("a whole number from 1")
    return int(value)
