"""manage.py loaddata: thread fixtures go to the importer, everything else to Django's loader."""

import gc
import io
import os
import sys

from django.conf import settings
from django.core import serializers
from django.core.management.base import CommandError
from django.core.management.commands import loaddata
from django.core.management.utils import parse_apps_and_model_labels
from django.db import DEFAULT_DB_ALIAS

from accounts.models import new_edition

from ... import tree
from ...actions import loading
from ...importing import Rejected, reading
from ...importing.fixture import ThreadFixture
from ...models import Board, Thread


class Command(loaddata.Command):
    help = (
        f"{loaddata.Command.help} Thread fixtures are checked and loaded as debates: the same "
        "version twice changes nothing, a newer one adds what is missing."
    )

    def handle(self, *fixture_labels, **options):
        """Django's own fixtures first, since threads need their boards; before either is loaded,
        every thread fixture is read and checked."""
        self.using = options["database"]
        self.app_label = options["app_label"]
        self.verbosity = options["verbosity"]
        self.format = options["format"]
        self.serialization_formats = serializers.get_public_serializer_formats()
        models, apps = parse_apps_and_model_labels(options["exclude"])
        threads, others = [], []
        for label in fixture_labels:
            files = [file for file, _, _ in self.find_fixtures(label)]
            ours = {file: data for file in files if (data := self._thread_fixture(file))}
            threads += ours.items()
            if not ours:
                others.append(label)
            else:
                others += (file for file in files if file not in ours)
        if Thread in models or Thread._meta.app_config in apps:
            threads = []
        if threads and self.using != DEFAULT_DB_ALIAS:
            raise CommandError("Thread fixtures are loaded into the default database only.")
        try:
            read = [
                thread for file, data in threads for thread in reading.read_all(data, _shown(file))
            ]
            # What was read is large and stays. Looking through it for garbage would take seconds,
            # some of them while others wait for a lock.
            gc.freeze()
            if others:
                super().handle(*others, **options)
            for thread in read:
                loading.check(thread)
            for thread in read:
                self._say(thread, loading.load(thread))
        except Rejected as error:
            raise CommandError(str(error)) from None
        finally:
            gc.unfreeze()

    def loaddata(self, fixture_labels):
        """Django's loader writes boards as they stand in the file. Labels and counters are not
        the file's to set: those that were here stay, new boards go last."""
        columns = ("tree_id", "lft", "rght", "level", "thread_count")
        before = list(Board.objects.using(self.using).values("pk", *columns))
        super().loaddata(fixture_labels)
        if Board in self.models and self.using == DEFAULT_DB_ALIAS:
            for row in before:
                Board.objects.filter(pk=row.pop("pk")).update(**row)
            tree.relabel_boards()
        new_edition()  # boards and members show on many pages

    def _thread_fixture(self, file: str) -> bytes:
        """The bytes of a thread fixture, or none if the file is for Django.

        No more than the limit and one byte is ever read of a file, compressed ones included.
        """
        limit = settings.FIXTURE_MAX_BYTES
        _, form, compression = self.parse_name(os.path.basename(file))
        if form != "json":
            return b""
        if file == loaddata.READ_STDIN:
            data = self._standard_input()
        else:
            opened, mode = self.compression_formats[compression]
            with opened(file, mode) as stream:
                data = stream.read(limit + 1)
        if not reading.is_thread_fixture(data):
            return b""
        if len(data) > limit:
            raise CommandError(str(reading.too_large(_shown(file))))
        return data

    def _standard_input(self) -> bytes:
        """What stands in the standard input, which Django's loader can read again."""
        text = sys.stdin.read()
        self.compression_formats["stdin"] = (lambda *_: io.StringIO(text), None)
        return text.encode(errors="surrogatepass")

    def _say(self, thread: ThreadFixture, loaded: loading.Loaded) -> None:
        if self.verbosity:
            where = loaded.thread.get_absolute_url()
            self.stdout.write(f"{thread.key}: {loaded.added:,} posts loaded into {where}")
            for note in loaded.notes:
                self.stdout.write(f"  {note}")


def _shown(file: str) -> str:
    """A file's name for messages: from here, if it lies below."""
    near = os.path.relpath(file)
    return file if near.startswith(os.pardir) else near
