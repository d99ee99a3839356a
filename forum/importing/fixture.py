"""Thread fixtures: Django JSON fixtures whose first object is a thread with its format version.

    {"model": "forum.thread", "fields": {key, format, version, board, title, kind, source}}
    {"model": "forum.post",   "fields": {key, thread, parent, parent_basis, reason, byline,
                                         written_at, format, text}}          in order of arrival
    {"model": "forum.quote",  "fields": {post, ordinal, paragraphs, source_post, nested, reason}}

Relations are natural keys (`["after-1900"]`, `["trotsky-spain-4"]`). Numbers follow from the
order. A quote names a place, not words: of a plain text the paragraphs, of Markdown the n-th quote
block; the words stand in the text, and how they compare with the source is judged here, never
claimed by the file. Fixtures come from anywhere, so all of it is checked, before anything is
locked or written.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from .. import markup, quoting
from ..models import Post, PostRevision, Quote, Thread
from . import Rejected
from .text import PlainThread, find_repetitions

FORMAT = 1
THREAD, POST, QUOTE = "forum.thread", "forum.post", "forum.quote"

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_LABELS = ("lft", "rght", "level", "tree_id")
_LARGEST = 2**31 - 1
_REASON = PostRevision._meta.get_field("reason").max_length
# Enough of a file to know a thread fixture by when it cannot be read as a whole.
_HEAD = 4_096
_FIRST_IS_THREAD = re.compile(r'\s*\[\s*\{[^{}]*"model"\s*:\s*"forum\.thread"', re.IGNORECASE)


@dataclass(slots=True)
class Quoted:
    """One quote of a post: the place of its source in `ThreadFixture.posts`, None if unknown."""

    block: markup.QuoteBlock
    source: int | None
    match: quoting.Match
    nested: tuple[int, ...] = ()
    reason: str = ""


@dataclass(slots=True)
class Contribution:
    """One post, rendered and judged; `parent` is a place in `ThreadFixture.posts`."""

    object: int
    key: str
    parent: int | None
    basis: str
    byline: str
    written_at: datetime | None
    format: str
    text: str
    quoted: tuple[tuple[int, int], ...] = ()
    rendered: markup.Rendered | None = None
    quotes: list[Quoted] = field(default_factory=list)


@dataclass(slots=True)
class ThreadFixture:
    """A whole thread, checked: what remains to be asked is whether it fits this forum."""

    name: str
    key: str
    version: int
    board: str
    title: str
    kind: str
    source: str
    posts: list[Contribution]

    def reject(self, sentence: str, post: Contribution | None = None) -> Rejected:
        """The error to raise for this file, or for one of its posts."""
        return Rejected(
            f"{_place(self.name, post.object, POST) if post else self.name}: {sentence}"
        )


# --- Writing --------------------------------------------------------------------------------


def build(
    thread: PlainThread, *, key: str, board: str, kind: str, version: int, source: str
) -> list[dict]:
    """The objects of a fixture for a plain-text thread.

    What a post quotes first is what it answers; of a post that quotes nothing nobody knows that,
    and nothing is guessed. Nobody is named and nothing dated.
    """
    repetitions = find_repetitions(thread.texts)
    keys = [f"{key}-{number}" for number in range(1, len(thread.texts) + 1)]
    objects = [
        _object(
            THREAD,
            key=key,
            format=FORMAT,
            version=version,
            board=[board],
            title=thread.title,
            kind=kind,
            source=source,
        )
    ]
    quotes = []
    for number, text in enumerate(thread.texts, 1):
        found = repetitions[number - 1]
        if number == 1:
            basis, reason = Post.Basis.OPENING, "the first post of the text"
        elif found:
            basis, reason = Post.Basis.QUOTE, found[0].reason
        else:
            basis, reason = Post.Basis.UNKNOWN, "it quotes nothing and does not say what it answers"
        # Answers to the opening have no parent: see forum.tree.
        hangs = found and found[0].source > 1
        objects.append(
            _object(
                POST,
                key=keys[number - 1],
                thread=[key],
                parent=[keys[found[0].source - 1]] if hangs else None,
                parent_basis=str(basis),
                reason=reason,
                byline=f"Voice {number}",
                written_at=None,
                format="plain",
                text=text,
            )
        )
        quotes += (
            _object(
                QUOTE,
                post=[keys[number - 1]],
                ordinal=ordinal,
                paragraphs=[repetition.first, repetition.last],
                source_post=[keys[repetition.source - 1]],
                reason=repetition.reason,
            )
            for ordinal, repetition in enumerate(found, 1)
        )
    return objects + quotes


def dump(objects: Sequence[Mapping]) -> bytes:
    """The bytes of a fixture: the same objects always give the same."""
    return (json.dumps(objects, ensure_ascii=False, indent=2) + "\n").encode()


def _object(model: str, **fields: Any) -> dict:
    return {"model": model, "fields": fields}


# --- Telling thread fixtures from others ----------------------------------------------------


def is_thread_fixture(data: bytes) -> bool:
    """Whether a file, or the beginning of one that is too large to be read in, is for us.

    It is when one of its objects is a thread with a format version, wherever that stands, so that
    no thread fixture reaches Django's loader, which would write rows as they are. What cannot be
    parsed is ours if it begins like one: then we say where it is broken.
    """
    try:
        objects = json.loads(data)
    except (ValueError, RecursionError):
        head = data[:_HEAD].decode(errors="replace")
        return bool(_FIRST_IS_THREAD.match(head)) and '"format"' in head
    return isinstance(objects, list) and any(map(_is_versioned_thread, objects))


def _is_versioned_thread(thing: Any) -> bool:
    if not isinstance(thing, dict) or not isinstance(thing.get("fields"), dict):
        return False
    return str(thing.get("model")).lower() == THREAD and "format" in thing["fields"]


# --- Reading --------------------------------------------------------------------------------


def read(data: bytes, name: str) -> ThreadFixture:
    """Read, check, render and judge the bytes of the file `name`; knows no database.

    Raises Rejected with the file and the number of the object (or the line, where it is no JSON).
    """
    if len(data) > settings.FIXTURE_MAX_BYTES:
        raise too_large(name)
    objects = _parse(data, name)
    fixture = _thread(_fields(objects[0], 1, name, THREAD), name)
    places: dict[str, int] = {}
    quotes: dict[int, list[tuple[int, dict]]] = {}
    later = _parents_that_come_later(objects)
    for number, thing in enumerate(objects[1:], 2):
        model = thing.get("model") if isinstance(thing, dict) else None
        if model == POST:
            if quotes:
                raise Rejected(f"{_place(name, number, POST)}: posts come before quotes.")
            post = _post(_fields(thing, number, name, POST), number, fixture, places, later)
            places[post.key] = len(fixture.posts)
            fixture.posts.append(post)
        elif model == QUOTE:
            fields = _fields(thing, number, name, QUOTE)
            check = _Check(fields, name, number, QUOTE)
            at = check.place("post", places)
            quotes.setdefault(at, []).append((number, fields))
        else:
            _fields(thing, number, name, POST, QUOTE)
    if not fixture.posts:
        raise fixture.reject("a thread without posts.")
    for at, post in enumerate(fixture.posts):
        _render(post, at, quotes.get(at, ()), fixture, places)
    return fixture


def too_large(name: str) -> Rejected:
    """The error for a file over the limit, which is asked of its size before it is read."""
    limit = settings.FIXTURE_MAX_BYTES
    return Rejected(f"{name}: larger than the {limit:,} bytes that FIXTURE_MAX_BYTES allows.")


def _place(name: str, number: int, model: str) -> str:
    return f"{name}, object {number} ({model})"


def _parse(data: bytes, name: str) -> list:
    """The objects of a JSON file."""
    try:
        objects = json.loads(data, object_pairs_hook=_unique, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise Rejected(f"{name}, line {error.lineno}: not JSON ({error.msg}).") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Rejected(f"{name}, line {line}: this is not UTF-8.") from None
    except RecursionError:
        raise Rejected(f"{name}: lists in lists without end.") from None
    except ValueError as error:
        raise Rejected(f"{name}: {error}") from None
    if not isinstance(objects, list) or not objects:
        raise Rejected(f"{name}: a thread fixture is a list of objects.")
    return objects


def _unique(pairs: list[tuple[str, Any]]) -> dict:
    """An object in which no name stands twice: readers differ on which of the two counts."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name!a} stands twice in one object.")
        found[name] = value
    return found


def _no_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not a number.")


_FIELDS = {
    THREAD: ({"key", "format", "version", "board", "title", "kind"}, {"source"}),
    POST: (
        {"key", "thread", "parent", "parent_basis", "format", "text"},
        {"reason", "byline", "written_at"},
    ),
    QUOTE: ({"post", "ordinal", "source_post"}, {"paragraphs", "nested", "reason"}),
}


def _fields(thing: Any, number: int, name: str, *models: str) -> dict:
    """The fields of an object that is one of `models`, with neither too few nor too many."""
    place = f"{name}, object {number}"
    if not isinstance(thing, dict) or not isinstance(thing.get("model"), str):
        raise Rejected(f"{place}: not an object with model and fields.")
    model = thing["model"]
    if model not in models:
        if number == 1:
            raise Rejected(f"{place}: the first object must be the thread, not {model!a}.")
        if model.partition(".")[0].lower() in ("accounts", "auth", "account"):
            raise Rejected(f"{place}: a thread brings no members and no rights ({model!a}).")
        if model == THREAD:
            raise Rejected(f"{place}: a second thread; each has a file of its own.")
        raise Rejected(f"{place}: unknown model {model!a}; a thread holds posts and quotes.")
    if "pk" in thing:
        raise Rejected(f"{place} ({model}): a primary key; this forum gives its own.")
    if extra := sorted(thing.keys() - {"model", "fields"}):
        raise Rejected(f"{place} ({model}): {extra[0]!a} is neither model nor fields.")
    fields = thing.get("fields")
    if not isinstance(fields, dict):
        raise Rejected(f"{place} ({model}): no fields.")
    required, optional = _FIELDS[model]
    for key in fields:
        if key in _LABELS:
            raise Rejected(
                f"{place} ({model}): {key} is a tree column; the tree follows from the parents."
            )
        if key in ("id", "pk"):
            raise Rejected(f"{place} ({model}): a primary key; this forum gives its own.")
        if key not in required and key not in optional:
            raise Rejected(f"{place} ({model}): unknown field {key!a}.")
    if missing := sorted(required - fields.keys()):
        raise Rejected(f"{place} ({model}): {missing[0]} is missing.")
    return fields


class _Check:
    """Reads the fields of one object with their types; every error names the object."""

    def __init__(self, fields: dict, name: str, number: int, model: str) -> None:
        self.fields = fields
        self.where = _place(name, number, model)

    def fail(self, sentence: str) -> Rejected:
        return Rejected(f"{self.where}: {sentence}")

    def text(self, name: str, longest: int | None = None) -> str:
        """A text that a database can store; of one line if it has a longest length."""
        value = self.fields.get(name, "")
        if not isinstance(value, str):
            raise self.fail(f"{name} must be a text.")
        if "\0" in value:
            raise self.fail(f"{name} holds a NUL character, which cannot be stored.")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise self.fail(f"{name} holds half a character, which cannot be stored.") from None
        if longest is not None:
            if len(value) > longest:
                raise self.fail(f"{name} has {len(value):,} characters; {longest} are allowed.")
            if not value.isprintable():
                raise self.fail(f"{name} holds characters that cannot be shown.")
        return value

    def choice(self, name: str, allowed: Sequence[str]) -> str:
        value = self.fields[name]
        if not isinstance(value, str) or value not in allowed:
            raise self.fail(f"{name} must be one of {', '.join(allowed)}.")
        return value

    def count(self, name: str) -> int:
        value = self.fields[name]
        if type(value) is not int or not 1 <= value <= _LARGEST:
            raise self.fail(f"{name} must be a whole number from 1.")
        return value

    def key(self, name: str) -> str:
        value = self.fields[name]
        if not isinstance(value, str) or not _KEY.fullmatch(value):
            raise self.fail(f"{name} must be 1 to 100 letters, digits, dots, - or _.")
        return value

    def natural_key(self, name: str) -> str | None:
        """What `["key"]` names; None for null."""
        value = self.fields[name]
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != 1 or not isinstance(value[0], str):
            raise self.fail(f'{name} must be a natural key such as ["some-key"].')
        return value[0]

    def place(self, name: str, places: Mapping[str, int]) -> int:
        """Where the post named stands among those read so far."""
        key = self.natural_key(name)
        if key is None or key not in places:
            raise self.fail(f"{name} names no post of this file: {key!a}.")
        return places[key]


def _thread(fields: dict, name: str) -> ThreadFixture:
    check = _Check(fields, name, 1, THREAD)
    if type(fields["format"]) is not int or fields["format"] != FORMAT:
        raise check.fail(f"format {fields['format']!a} is unknown; this forum reads {FORMAT}.")
    title = check.text("title", Thread._meta.get_field("title").max_length)
    if not title.strip():
        raise check.fail("a debate needs a title.")
    board = check.natural_key("board")
    if board is None:
        raise check.fail("a debate needs a board.")
    return ThreadFixture(
        name=name,
        key=check.key("key"),
        version=check.count("version"),
        board=board,
        title=title,
        kind=check.choice("kind", Thread.Kind.values),
        source=check.text("source", Thread._meta.get_field("source").max_length),
        posts=[],
    )


def _post(
    fields: dict,
    number: int,
    fixture: ThreadFixture,
    places: Mapping[str, int],
    later: Mapping[str, str],
) -> Contribution:
    """Check one post but for its text."""
    check = _Check(fields, fixture.name, number, POST)
    key = check.key("key")
    if key in places:
        raise check.fail(f"the key {key!a} stands twice in this file.")
    if (thread := check.natural_key("thread")) != fixture.key:
        raise check.fail(f"belongs to another thread, {thread!a}, than {fixture.key!a}.")
    basis = check.choice("parent_basis", Post.Basis.values)
    if (basis == Post.Basis.OPENING) != (not places):
        raise check.fail(
            "the first post must be the opening." if not places else "a second opening."
        )
    parent = check.natural_key("parent")
    if parent is not None:
        if parent not in places:
            raise check.fail(_why_no_parent(key, parent, later))
        if not places[parent]:
            raise check.fail("its parent is the opening; answers to the opening have none.")
        if basis not in (Post.Basis.REPLY, Post.Basis.QUOTE, Post.Basis.EDITOR):
            raise check.fail(f"has a parent, so its basis cannot be {basis!a}.")
    check.text("reason", _REASON)
    return Contribution(
        object=number,
        key=key,
        parent=None if parent is None else places[parent],
        basis=basis,
        byline=check.text("byline", Post._meta.get_field("byline").max_length),
        written_at=_moment(check),
        format=check.choice("format", PostRevision.Format.values),
        text=check.text("text"),
    )


def _parents_that_come_later(objects: Sequence) -> dict[str, str]:
    """Of the whole file, post key -> parent key, as far as they can be read: for messages only."""
    found = {}
    for thing in objects:
        fields = thing.get("fields") if isinstance(thing, dict) else None
        if isinstance(fields, dict) and thing.get("model") == POST:
            parent = fields.get("parent")
            if isinstance(fields.get("key"), str):
                named = isinstance(parent, list) and parent and isinstance(parent[0], str)
                found[fields["key"]] = parent[0] if named else ""
    return found


def _why_no_parent(key: str, parent: str, parents: Mapping[str, str]) -> str:
    """Why a parent is not among the posts before: missing, on a cycle, or too late."""
    if parent not in parents:
        return f"its parent {parent!a} is not in this file."
    above, seen = parent, set()
    while above and above not in seen:
        if above == key:
            return f"answers itself by way of {parent!a}: a cycle."
        seen.add(above)
        above = parents.get(above, "")
    return f"its parent {parent!a} comes after it; posts stand in order of arrival."


def _moment(check: _Check) -> datetime | None:
    """When a post was written, in UTC, or None if that is not known."""
    value = check.fields.get("written_at")
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise check.fail(
            "written_at must be null or a time with its zone, such as 1998-05-04T12:30:00+00:00."
        ) from None


def _render(
    post: Contribution,
    at: int,
    quotes: Sequence[tuple[int, dict]],
    fixture: ThreadFixture,
    places: Mapping[str, int],
) -> None:
    """Render a post and judge its quotes against the posts before it."""
    named: dict[int, tuple[_Check, int | None, tuple[int, ...]]] = {}
    ranges: list[tuple[int, int]] = []
    for number, fields in quotes:
        check = _Check(fields, fixture.name, number, QUOTE)
        ordinal = check.count("ordinal")
        if ordinal in named:
            raise check.fail(f"a second quote {ordinal} of the same post.")
        if post.format == PostRevision.Format.PLAIN:
            if ordinal != len(named) + 1:
                raise check.fail("the quotes of a post must be counted from 1, in order.")
            ranges.append(_range(check, ranges[-1][1] if ranges else 0))
        elif "paragraphs" in fields:
            raise check.fail("paragraphs belong to plain texts; Markdown marks its quotes itself.")
        check.text("reason", Quote._meta.get_field("reason").max_length)
        source = None if fields["source_post"] is None else check.place("source_post", places)
        nested = fields.get("nested", [])
        if not isinstance(nested, list) or len(nested) > markup.MAX_QUOTES:
            raise check.fail("nested must be a list of natural keys.")
        nested = tuple(
            _Check({"nested": one}, fixture.name, number, QUOTE).place("nested", places)
            for one in nested
        )
        if max(-1 if source is None else source, *nested, -1) >= at:
            raise check.fail("quotes a post that comes after it; nobody can.")
        named[ordinal] = check, source, nested
    post.quoted = tuple(ranges)
    try:
        post.rendered = markup.render(post.text, format=post.format, quoted=post.quoted)
    except markup.MarkupError as error:
        raise fixture.reject(str(error), post) from None
    if not post.rendered.passages:
        raise fixture.reject("a post without words.", post)
    for block in post.rendered.quotes:
        check, source, nested = named.pop(block.ordinal, (None, None, ()))
        post.quotes.append(
            Quoted(
                block=block,
                source=source,
                match=_judge(block, source, fixture, check),
                nested=nested,
                reason=check.fields.get("reason", "") if check else "",
            )
        )
    for check, _, _ in named.values():
        raise check.fail(f"the post has only {len(post.rendered.quotes)} quotes.")
    if post.basis == Post.Basis.QUOTE:
        answered = 0 if post.parent is None else post.parent
        if answered not in [quote.source for quote in post.quotes]:
            raise fixture.reject("is said to quote the post it answers, and does not.", post)


def _judge(
    block: markup.QuoteBlock, source: int | None, fixture: ThreadFixture, check: _Check | None
) -> quoting.Match:
    """How the words compare with the source that the file names. A source that does not hold even
    similar words is a false claim, and refused; altered words are a fact, and stored as such."""
    if source is None:
        return quoting.UNVERIFIABLE
    words = quoting.Source(source, fixture.posts[source].rendered.plain)
    match = quoting.find(block.words, [words], named=1)
    if match.verdict == Quote.Verdict.UNVERIFIABLE:
        raise check.fail(
            f"these words do not stand in {fixture.posts[source].key!a}, nor any like them."
        )
    return match


def _range(check: _Check, after: int) -> tuple[int, int]:
    """Which paragraphs a quote takes; quotes follow one another."""
    value = check.fields.get("paragraphs")
    if (
        not isinstance(value, list)
        or len(value) != 2
        or any(type(one) is not int for one in value)
        or not after < value[0] <= value[1] <= _LARGEST
    ):
        raise check.fail("paragraphs must be [first, last], from 1, after the quote before.")
    return value[0], value[1]
