"""manage.py loaddata: thread fixtures go to the importer, with their pictures if they have some
beside them, everything else to Django's loader."""

import gc
import io
import os
import sys
import zlib
from contextlib import ExitStack, contextmanager
from lzma import LZMAError
from pathlib import Path
from zipfile import BadZipFile

from django.conf import settings
from django.core import serializers
from django.core.management.base import CommandError
from django.core.management.commands import loaddata
from django.core.management.utils import parse_apps_and_model_labels
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor

from accounts.models import raise_site_version
from core import progress
from core.counting import counted
from core.database_answers import database_errors, did_not_answer
from forum.transfer import Rejected, beside, loading, parsing
from forum.transfer import others as foreign
from forum.transfer.fixture import ThreadFixture
from forum.transfer.pictures import bringing
from forum.transfer.spool import IN_MEMORY, Data, Spool, copied, size_of

from ... import tree
from ...models import Board, Thread

MEND = "Nothing was loaded; mend the file and load it again."
NO_TABLES = (
    "The database does not have all tables of this version. Nothing was loaded; run "
    "“manage.py migrate”, then load the file again."
)
UNPACK = "A file that is neither packed nor piped in may be of any size: unpack it, and load that."
# What compressed files that are broken raise.
UNREADABLE = (OSError, EOFError, ValueError, zlib.error, LZMAError, BadZipFile)


class Command(loaddata.Command):
    help = (
        f"{loaddata.Command.help} Thread fixtures are checked and loaded as debates: the same "
        "version twice changes nothing, a newer one adds what is missing. Pictures come from the "
        "folder “pictures” beside a fixture; a folder or a zip with both is a label too."
    )

    requires_system_checks = []  # of addresses and settings; here they would be half the memory

    @progress.shown()
    def handle(self, *fixture_labels, **options):
        """Load the files. Raises CommandError with a sentence for what is wrong with one, and for a
        database whose tables were not made yet."""
        self.using = options["database"]
        try:
            with ExitStack() as self._files:
                self._load(*fixture_labels, **options)
        except database_errors(CommandError) as error:
            if _is_of_database(error) and self._lacks_tables():
                raise CommandError(NO_TABLES) from error
            raise

    def _lacks_tables(self) -> bool:
        executor = MigrationExecutor(connections[self.using])
        return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))

    def _load(self, *fixture_labels, **options):
        """Django's own fixtures first, since threads need their boards; before either is loaded,
        every thread fixture is read and checked."""
        self.app_label = options["app_label"]
        self.verbosity = options["verbosity"]
        self.format = options["format"]
        self.serialization_formats = serializers.get_public_serializer_formats()
        models, apps = parse_apps_and_model_labels(options["exclude"])
        threads: list[tuple[str, Data, beside.Reader]] = []
        others: dict[str, Data] = {}
        for label in fixture_labels:
            if packed := self._with_pictures(label):
                threads.append(packed)
                continue
            for file, _, _ in self.find_fixtures(label):
                data = self._json(file)
                if parsing.is_thread_fixture(data):
                    threads.append((file, data, beside.in_folder(Path(file).parent)))
                else:
                    others[file] = data
        if Thread in models or Thread._meta.app_config in apps:
            threads = []
        if threads and self.using != DEFAULT_DB_ALIAS:
            raise CommandError("Thread fixtures are loaded into the default database only.")
        spool = Spool()
        try:
            read = [
                (thread, data, files)
                for file, data, files in threads
                for thread in _read(data, _shown(file), spool)
            ]
            for file, data in others.items():
                if 0 < size_of(data) <= settings.FIXTURE_MAX_BYTES:  # what is larger is Django's
                    try:
                        foreign.check(data, _shown(file))
                    except Rejected as error:
                        raise Rejected(f"{error} {MEND}") from None
            self._others = others
            # What was read is large and stays. Looking through it for garbage would take seconds,
            # some of them while others wait for a lock.
            gc.freeze()
            if others:
                super().handle(*others, **options)
            for thread, data, _ in read:
                with _lines(data, thread.name):
                    loading.check(thread)
            with ExitStack() as pictures:
                for thread, _, files in read:
                    if loading.adds(thread):
                        brought = bringing(thread.pictures, files, thread.name)
                        pictures.enter_context(brought)
                while read:  # each is let go once it is loaded
                    thread, data, _ = read.pop(0)
                    with _lines(data, thread.name):
                        self._say(thread, loading.load(thread))
        except Rejected as error:
            raise CommandError(str(error)) from None
        finally:
            gc.unfreeze()

    def loaddata(self, fixture_labels):
        """Django's loader writes boards as they stand in the file. Labels and counters are not
        the file's to set: those that were here stay, new boards go last."""
        columns = ("tree_id", "lft", "rght", "level", "thread_count", "divergences_version")
        before = list(Board.objects.using(self.using).values("pk", *columns))
        self._at = None
        with self._explained():
            super().loaddata(fixture_labels)
            if Board in self.models and self.using == DEFAULT_DB_ALIAS:
                for row in before:
                    Board.objects.filter(pk=row.pop("pk")).update(**row)
                tree.relabel_boards()
        raise_site_version()  # boards and members show on many pages

    def load_label(self, fixture_label):
        """Load one file; every label handed to Django's loader is one."""
        self._at = (fixture_label, 1)
        with self._explained():
            super().load_label(fixture_label)
        self._at = None

    def save_obj(self, obj):
        """Save one object, and remember how far the file was read."""
        saved = super().save_obj(obj)
        if self._at:
            file, number = self._at
            self._at = (file, number + 1)
        return saved

    @contextmanager
    def _explained(self):
        """Turn what a broken file makes Django raise into one sentence with file and line. What
        the database has to say of itself (busy, full) stays what it is."""
        try:
            yield
        except CommandError:
            raise
        except Exception as error:
            if did_not_answer(error):
                raise
            why = foreign.reason(error)
            if self._at is None:
                names = ", ".join(map(_shown, self._others))
                raise CommandError(f"{names}: {why}. {MEND}") from error
            file, number = self._at
            name, data = _shown(file), self._others.get(file, b"")
            # Of models left out Django tells nobody, so that no object can be counted.
            told = size_of(data) and not self.ignore
            at = parsing.where(data, name, number) if told else name
            raise CommandError(f"{at}: {why}. {MEND}") from error

    def _json(self, file: str) -> Data:
        """A JSON file, or a copy of one that is compressed, of which no more than the limit and one
        byte is ever read; nothing of a file in another format, which is Django's."""
        limit = settings.FIXTURE_MAX_BYTES
        _, form, compression = self.parse_name(os.path.basename(file))
        if form != "json":
            return b""
        formats: dict = self.compression_formats
        if file == loaddata.READ_STDIN:
            return self._limited(self._standard_input(), file)
        opened, mode = formats[compression]
        try:
            with opened(file, mode) as stream:
                if compression is not None:
                    return self._limited(copied(stream, limit), file)
                if os.fstat(stream.fileno()).st_size <= IN_MEMORY:
                    return io.BytesIO(stream.read())
            return self._files.enter_context(open(file, "rb"))
        except UNREADABLE as error:
            raise CommandError(f"{_shown(file)}: it cannot be read ({error}).") from None

    def _limited(self, data: Data, file: str) -> Data:
        """What was made of a file whose size nobody knew: no more of it than the limit."""
        if not isinstance(data, bytes):
            self._files.enter_context(data)
        if size_of(data) > settings.FIXTURE_MAX_BYTES and parsing.is_thread_fixture(data):
            raise CommandError(f"{parsing.too_large(_shown(file))} {UNPACK}")
        return data

    def _with_pictures(self, label: str) -> tuple[str, Data, beside.Reader] | None:
        """The fixture of a folder, or of a zip of ours, with the reader of what is beside it; None
        for what Django finds by itself."""
        path, limit = Path(label), settings.FIXTURE_MAX_BYTES
        try:
            if path.is_dir() and (found := list(path.glob("*.json"))):
                if len(found) > 1:
                    raise Rejected(f"{label}: a folder holds one fixture (.json) and its pictures.")
                return str(found[0]), self._json(str(found[0])), beside.in_folder(path)
            # "debate.json.zip" is a compressed fixture of Django's.
            form = Path(path.stem).suffix.removeprefix(".")
            compressed = form in self.serialization_formats
            if path.suffix.lower() == ".zip" and path.is_file() and not compressed:
                packed = beside.Packed(path, _shown(label))
                return label, self._limited(packed.fixture_file(limit), label), packed.read
        except Rejected as error:
            raise CommandError(f"{error} {MEND}") from None
        return None

    def _standard_input(self) -> bytes:
        """What stands in the standard input, which Django's loader can read again."""
        text = sys.stdin.read()
        formats: dict = self.compression_formats
        formats["stdin"] = (lambda *_: io.StringIO(text), None)
        return text.encode(errors="surrogatepass")

    def _say(self, thread: ThreadFixture, loaded: loading.Loaded) -> None:
        progress.clear()
        if self.verbosity:
            where = loaded.thread.get_absolute_url()
            posts = counted(loaded.added, "post,posts")
            self.stdout.write(f"{thread.key}: {posts} loaded into {where}")
            for note in loaded.notes:
                self.stdout.write(f"  {note}")


def _is_of_database(error: BaseException | None) -> bool:
    """Whether the database said so, or something that came of what it said."""
    while error is not None and not isinstance(error, database_errors()):
        error = error.__cause__
    return error is not None


def _read(data: Data, name: str, spool: Spool) -> list[ThreadFixture]:
    with _lines(data, name):
        try:
            return parsing.read_all(data, name, spool)
        except Rejected as error:
            raise Rejected(f"{error} {MEND}") from None


@contextmanager
def _lines(data: Data, name: str):
    """Let what is wrong with an object of the file `name` be said with its line."""
    try:
        yield
    except Rejected as error:
        raise parsing.with_line(error, data, name) from None


def _shown(file: str) -> str:
    """A file's name for messages: from here, if it lies below."""
    near = os.path.relpath(file)
    return file if near.startswith(os.pardir) else near
