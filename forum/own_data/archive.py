"""Writing the archive: a zip of one JSON file for each kind of row, and each post as Markdown."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from accounts.models import User
from core import progress
from forum.operations import pictures

from ..models import Picture, Poll, Post, PostRevision
from .parts import NOT_GIVEN, PARTS

_README = """All that {site} keeps of {name}, as of {moment}.

data/   One file for each kind of row, as JSON (UTF-8). Times are UTC; a column that ends in _id
        names a row of another kind.
posts/  Each post as Markdown, with all its revisions, in a folder for each debate.
pictures/  Each picture that was sent, as it is kept.

Left out is what would open the account to whoever finds this file (password, keys, codes, tokens)
and:
{left_out}
"""


def write(member: User, file: IO[bytes]) -> None:
    """Write all that is the member's own into `file`, as a zip. Rows are read and packed one after
    another, so that an archive of a hundred thousand posts needs no more memory than one of ten."""
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        left_out = "\n".join(f"- {key}: {reason}" for key, reason in NOT_GIVEN.items())
        archive.writestr(
            "README.txt",
            _README.format(
                site=settings.SITE_NAME,
                name=member.username,
                moment=f"{timezone.now():%Y-%m-%d %H:%M} UTC",
                left_out=left_out,
            ),
        )
        for part in PARTS:
            with archive.open(f"data/{part.name.replace(' ', '-')}.json", "w") as out:
                _write_rows(out, part.name, part.rows(member))
        posts = Post.objects.filter(author=member.pk).count() if progress.is_shown() else None
        for name, text in progress.track(_posts(member), "posts written", posts):
            archive.writestr(name, text)
        _write_pictures(archive, member)


def _write_rows(out: IO[bytes], what: str, rows: Iterator[dict]) -> None:
    out.write(b"[")
    for number, row in enumerate(progress.track(rows, f"rows of {what} written")):
        out.write(b",\n" if number else b"\n")
        out.write(json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False).encode())
    out.write(b"\n]\n")


def _write_pictures(archive: ZipFile, member: User) -> None:
    if member.emblem:
        with (
            suppress(FileNotFoundError),
            pictures.opened(pictures.name_of(member.emblem, "png")) as file,
        ):
            archive.writestr("pictures/emblem.png", file.read())
    sent = Picture.objects.filter(member=member.pk, state=Picture.State.READY).order_by("pk")
    for picture in progress.track(sent.iterator(chunk_size=200), "pictures written"):
        # One whose file is lost has its row.
        with (
            suppress(FileNotFoundError),
            pictures.opened(pictures.name_of(picture.sha256, picture.kind)) as file,
        ):
            archive.writestr(f"pictures/{picture.key}.{picture.kind}", file.read())


def _posts(member: User) -> Iterator[tuple[str, str]]:
    """Name and text of the file of each post."""
    # Not through the manager: what is hidden, withdrawn or waits is the author's all the same.
    posts = Post.objects.filter(author=member.pk).select_related("thread").order_by("pk")
    for post in posts.iterator(chunk_size=200):
        place = f"{post.number}" if post.number is not None else f"id-{post.pk}"
        yield f"posts/{post.thread_id}-{post.thread.slug}/{place}.md", _markdown(post)


def _markdown(post: Post) -> str:
    revisions = PostRevision.objects.filter(post=post).order_by("number")
    lines = [
        f"# {post.thread.title}",
        f"Post {post.number or '(without a number yet)'}, {post.get_state_display().lower()}, "
        f"{settings.SITE_URL}/posts/{post.pk}/",
    ]
    for revision in revisions.only("number", "source", "reason", "created_at").iterator(50):
        why = f": {revision.reason}" if revision.reason else ""
        lines += [
            f"## Revision {revision.number}, {revision.created_at:%Y-%m-%d %H:%M} UTC{why}",
            _fenced(revision.source),
        ]
    if poll := Poll.objects.filter(post=post).first():
        lines += ["## Its poll", poll.question, "\n".join(f"- {text}" for text in poll.choices)]
    return "\n\n".join(lines) + "\n"


def _fenced(source: str) -> str:
    """The text as it was typed, between fences that are longer than any within it."""
    longest = max(map(len, re.findall("~+", source)), default=0)
    fence = "~" * max(3, longest + 1)
    return f"{fence}\n{source}\n{fence}"
