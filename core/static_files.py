"""Style sheets, scripts and pictures as they are served: under names made of what they hold, and
without what is said in sheets and scripts to who reads their source."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage

# Comments by the folder of what is ours: no text in a sheet holds their signs, and in scripts only
# those that have a line of their own go.
COMMENTS = {
    "css": re.compile(r"[ \t]*/\*.*?\*/\n?", re.DOTALL),
    "js": re.compile(r"^[ \t]*//.*\n", re.MULTILINE),
}


def served(text: str, kind: str) -> str:
    """A style sheet ("css") or a script ("js") of ours without its comments."""
    return COMMENTS[kind].sub("", text)


class Served(Storage):
    """Where the source of style sheets or scripts lies, as far as these are served."""

    def __init__(self, source: Storage, kind: str) -> None:
        self.source, self.kind = source, kind

    def open(self, name: str, mode: str = "rb") -> File:
        """The file as it is served."""
        with self.source.open(name) as file:
            return ContentFile(served(file.read().decode(), self.kind).encode(), name)


class HashedFiles(CompressedManifestStaticFilesStorage):
    """Also what one script imports from another is asked for under its hashed name."""

    support_js_module_import_aggregation = True

    def post_process(
        self, paths: Mapping[str, tuple[Storage, str]], *args: Any, **options: Any
    ) -> Iterator[tuple]:
        """Hash and compress the files that were gathered."""
        ours = {
            name: (Served(storage, kind), path)
            for name, (storage, path) in paths.items()
            for kind in COMMENTS
            if name.startswith(f"{kind}/") and name.endswith(f".{kind}")
        }
        return super().post_process({**paths, **ours}, *args, **options)
