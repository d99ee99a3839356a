"""Decoding a picture in a process of its own, which may take so much memory and time and no more.

A decoder is the part of this site that reads what strangers made, byte for byte. Whatever such a
file does to it, it does to a process that holds nothing, and the worker that asked lives on.
"""

import fcntl
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from core.problems import Problem

from . import pyramid

CHILD = Path(__file__).with_name("child.py")
CPU_SECONDS = 40  # the largest that are taken need 15
WALL_SECONDS = 100  # less than the lease of a job
# What is decoded while its sender waits: longer would hold a thread that answers others.
AT_ONCE_BYTES = 2 * 1024 * 1024
AT_ONCE_PIXELS = 4_000_000
KILLED = "This picture could not be decoded in the memory and time that are given to one."


class Undecodable(Problem):
    """The picture is refused; the sentence says why."""


class Later(Exception):
    """The picture is not decoded while somebody waits: it is large, or another one is at hand."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture as it is kept: the bytes of the whole, and of a smaller one for pages, if any.
    `peak` is the memory that decoding it took, in bytes."""

    kind: str  # png, jpeg, webp or gif
    width: int
    height: int
    whole: bytes
    preview: bytes
    peak: int


def decode(data: bytes, *, at_once: bool, as_it_is: bool = False) -> Decoded:
    """Decode a picture and give what is kept of it. `at_once`: somebody waits for it. `as_it_is`:
    a file as this forum keeps them, without anything but its picture, is kept to the byte, so that
    what travels from forum to forum stays what it is.

    Raises Undecodable, and Later for what should not be waited for.
    """
    if at_once and len(data) > AT_ONCE_BYTES:
        raise Later
    limits = _limits(at_once=at_once, as_it_is=as_it_is)
    with _turn(at_once=at_once), tempfile.TemporaryDirectory(prefix="jonbar-picture-") as name:
        folder = Path(name)
        (folder / "sent").write_bytes(data)
        answer = _answer_of_child(folder, limits)
        if "refused" in answer:
            raise Undecodable(answer["refused"])
        if "later" in answer:
            raise Later
        return Decoded(
            kind=answer["kind"],
            width=answer["width"],
            height=answer["height"],
            whole=(folder / "whole").read_bytes(),
            preview=(folder / "preview").read_bytes() if answer["preview"] else b"",
            peak=answer["peak"],
        )


def plain_copy(data: bytes) -> tuple[str, bytes]:
    """A copy of a picture that is kept here, not larger than a page shows it, as PNG or JPEG: its
    kind and its bytes. Raises Undecodable, and Later for what is too large to be waited for."""
    with tempfile.TemporaryDirectory(prefix="jonbar-picture-") as name:
        folder = Path(name)
        (folder / "sent").write_bytes(data)
        answer = _answer_of_child(folder, _limits(at_once=True, plain_copy=True))
        if "refused" in answer:
            raise Undecodable(answer["refused"])
        if "later" in answer:
            raise Later
        return answer["kind"], (folder / "whole").read_bytes()


def emblem(data: bytes) -> bytes:
    """A picture that somebody sent as a small PNG, 96 pixels a side. Raises Undecodable, and Later
    for what is too large to be waited for."""
    with tempfile.TemporaryDirectory(prefix="jonbar-picture-") as name:
        folder = Path(name)
        (folder / "sent").write_bytes(data)
        answer = _answer_of_child(folder, _limits(at_once=True) | {"emblem": True})
        if "refused" in answer:
            raise Undecodable(answer["refused"])
        if "later" in answer:
            raise Later
        return (folder / "whole").read_bytes()


Tile = tuple[tuple[int, int, int], bytes]  # its level, how far right and down, and its bytes


@contextmanager
def cut(data: bytes, width: int, height: int) -> Iterator[Iterator[Tile]]:
    """The tiles of a picture that was decoded before (see `pyramid`), read one by one. Raises
    Undecodable."""
    with _turn(at_once=False), tempfile.TemporaryDirectory(prefix="jonbar-tiles-") as name:
        folder = Path(name)
        (folder / "sent").write_bytes(data)
        wanted = {"tile": pyramid.TILE, "top": pyramid.top(width, height)}
        answer = _answer_of_child(folder, _limits(at_once=False) | wanted)
        if "refused" in answer:
            raise Undecodable(answer["refused"])
        yield (
            ((int(path.parent.name), int(x), int(y)), path.read_bytes())
            for path in sorted(folder.glob("*/*.webp"))
            for x, _, y in [path.stem.partition("_")]
        )


def _limits(*, at_once: bool, as_it_is: bool = False, plain_copy: bool = False) -> dict:
    return {
        "memory": settings.PICTURE_MEMORY_MB * 1024 * 1024,
        "seconds": CPU_SECONDS,
        "megapixels": settings.PICTURE_MEGAPIXELS,
        "frames": settings.PICTURE_FRAMES,
        "at_once": AT_ONCE_PIXELS if at_once else 0,
        "as_it_is": as_it_is,
        "plain_copy": plain_copy,
        "emblem": False,
    }


def _answer_of_child(folder: Path, limits: dict) -> dict:
    try:
        done = subprocess.run(
            [sys.executable, "-I", CHILD, folder, json.dumps(limits)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},  # nothing of ours is worth reading there
            timeout=WALL_SECONDS,
            check=False,
        )
        return json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):  # it was ended before it could say anything
        return {"refused": KILLED}


@contextmanager
def _turn(*, at_once: bool) -> Iterator[None]:
    """One picture at a time on this machine. Raises Later where somebody would have to wait."""
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    with (settings.DATA_DIR / "decoding.lock").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (fcntl.LOCK_NB if at_once else 0))
        except BlockingIOError:
            raise Later from None
        yield
