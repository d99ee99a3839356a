"""Reads thread fixtures, which come from anywhere: everything is checked, rendered and judged here,
before anything is locked or written. Knows no database."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice, takewhile
from math import isfinite
from typing import Any

from django.conf import settings

from core import progress
from core.columns import longest
from core.counting import counted
from forum.actions.composing import Unacceptable
from forum.actions.description import check as check_card
from forum.actions.description import check_own_answer
from forum.actions.divergences import DivergenceInput
from forum.models import Divergence, Lane, Post, PostRevision, Quote, Stance, Thread
from forum.text import markup, places, quoting
from forum.text.history_dates import NotADate, parse

from . import Rejected
from .fields import (
    ANSWER,
    CHANGE,
    DIVERGENCE,
    PARTS,
    PICTURE,
    POLL,
    POST,
    QUESTION,
    QUOTE,
    SPOT,
    THREAD,
    THREADMARK,
    Check,
    fields_of,
    object_name,
)
from .fixture import FORMAT, ThreadFixture
from .pictures import read_picture
from .post_facts import read_post_fact
from .posts import Contribution, ImportedQuote, Posts
from .spool import Data, Spool, beginning, size_of, whole
from .streaming import NotStreamed, line_of, objects_of

_REASON = longest(PostRevision, "reason")
_BYLINE = longest(Post, "byline")
# Django makes the list of such words anew each time.
_BASES, _FORMATS = Post.Basis.values, PostRevision.Format.values
_LANES, _STANCES = Lane.values, Stance.values
# Enough of a file to know a thread fixture by when it cannot be read as a whole.
_HEAD = 4_096
_START = re.compile(r"[\s,\[]*")
_OBJECT = re.compile(r", object (\d+)")
_FIRST_IS_THREAD = re.compile(r'\s*\[\s*\{[^{}]*"model"\s*:\s*"forum\.thread"', re.IGNORECASE)


def is_thread_fixture(data: Data) -> bool:
    """Whether a file, or the beginning of one that is too large to be read in, is for us.

    It is when one of its objects is a thread with a format version, wherever that stands, so that
    no thread fixture reaches Django's loader, which would write rows as they are. What cannot be
    parsed is ours if it begins like one: then we say where it is broken.
    """
    try:
        return any(map(_is_versioned_thread, objects_of(data, json.JSONDecoder())))
    except NotStreamed:
        pass
    try:
        objects = json.loads(whole(data)) if _may_be_whole(data) else None
    except (ValueError, RecursionError):
        objects = None
    if objects is None:
        head = beginning(data, _HEAD).decode(errors="replace")
        return bool(_FIRST_IS_THREAD.match(head)) and '"format"' in head
    return isinstance(objects, list) and any(map(_is_versioned_thread, objects))


def _is_versioned_thread(thing: Any) -> bool:
    if not isinstance(thing, dict) or not isinstance(thing.get("fields"), dict):
        return False
    return str(thing.get("model")).lower() == THREAD and "format" in thing["fields"]


def read(data: Data, name: str) -> ThreadFixture:
    """Read the one thread of the file `name`, as `read_all` does."""
    fixture, *others = read_all(data, name)
    for other in others:
        raise other.reject("a second thread; here a file holds one.")
    return fixture


def read_all(data: Data, name: str, spool: Spool | None = None) -> list[ThreadFixture]:
    """Read, check, render and judge the threads of the file `name`, each with all that follows it
    up to the next; knows no database. Their posts wait in `spool`, which may be one for many files.

    Raises Rejected with the file and the number of the object (or the line, where it is no JSON).
    A file that is open may be of any size; what has to be read as a whole, since it is broken or
    not in UTF-8, may not.
    """
    if isinstance(data, bytes) and not _may_be_whole(data):
        raise too_large(name)
    spool = spool or Spool()
    try:
        if fixtures := _read_threads(partial(objects_of, data, _STRICT), name, spool):
            return fixtures
    except NotStreamed as error:
        if not _may_be_whole(data):
            raise _too_large_and_broken(name, error.line) from None
    return _read_threads(partial(iter, parse_json(whole(data), name)), name, spool)


def _read_threads(
    each: Callable[[], Iterator[Any]], name: str, spool: Spool
) -> list[ThreadFixture]:
    """The threads among the objects that `each` gives whenever it is called."""
    objects = progress.track(enumerate(each(), 1), "objects read")
    fixtures: list[ThreadFixture] = []
    threads: set[str] = set()
    keys: dict[str, str] = {}
    first = next(objects, None)
    while first is not None:
        fixture, first = _read_thread(first, objects, name, each, spool)
        for other in fixtures[-1:]:
            keys |= dict.fromkeys(other.posts.keys, other.key)
        if fixture.key in threads:
            raise fixture.reject(f"the thread {fixture.key!a} stands twice in this file.")
        threads.add(fixture.key)
        for index, key in enumerate(fixture.posts.keys if keys else ()):
            if key in keys:
                post = fixture.posts[index]
                raise fixture.reject(f"{keys[key]!a} has a post {key!a} too.", post)
        fixtures.append(fixture)
    return fixtures


def _is_thread(thing: Any) -> bool:
    return isinstance(thing, dict) and thing.get("model") == THREAD


def _read_thread(
    head: tuple[int, Any],
    objects: Iterator[tuple[int, Any]],
    name: str,
    each: Callable[[], Iterator[Any]],
    spool: Spool,
) -> tuple[ThreadFixture, tuple[int, Any] | None]:
    """One thread with its posts and the rest, and the head of the next: number and object, as for
    all `objects`."""
    first, thing = head
    fixture = _thread(fields_of(thing, first, name, THREAD), first, name)
    fixture.posts = Posts(spool)
    later = partial(_parents_that_come_later, each, first)
    indexes: dict[str, int] = {}
    quotes = _Quotes()
    facts: list[Check] = []
    following = None
    for number, thing in objects:
        model = thing.get("model") if isinstance(thing, dict) else None
        if model == THREAD:
            following = number, thing
            break
        if model == POST:
            if quotes:
                raise Rejected(f"{object_name(name, number, POST)}: posts come before quotes.")
            post = _post(fields_of(thing, number, name, POST), number, fixture, indexes, later)
            indexes[post.key] = len(fixture.posts)
            fixture.posts.append(post)
        elif model == QUOTE:
            fields = fields_of(thing, number, name, QUOTE)
            quotes.add(Check(fields, name, number, QUOTE).post("post", indexes), number, fields)
        elif model == DIVERGENCE:
            fixture.divergences.append(
                _divergence(fields_of(thing, number, name, model), number, fixture)
            )
        elif model == QUESTION:
            check = Check(fields_of(thing, number, name, model), name, number, model)
            _of_this_thread(check, fixture)
            fixture.questions.append(check.text("text"))
        elif model in (ANSWER, CHANGE, THREADMARK, POLL, PICTURE):
            facts.append(Check(fields_of(thing, number, name, model), name, number, model))
        else:
            fields_of(thing, number, name, *PARTS)
    if not fixture.posts:
        raise fixture.reject("a thread without posts.")
    try:
        check_card(fixture.divergences, fixture.questions)
    except Unacceptable as error:
        raise fixture.reject(str(error)) from None
    shown: set[str] = set()
    posts = progress.track(fixture.posts, "posts read", len(fixture.posts))
    for at, post in enumerate(posts):
        _render(post, at, quotes.of(at), fixture, indexes)
        shown.update(post.rendered.pictures)
    for check in facts:
        if check.model == PICTURE:
            read_picture(check, fixture, shown)
        else:
            read_post_fact(check, fixture, indexes)
    return fixture, following


class _Quotes:
    """The quotes of a thread, in a file until the post in which each stands is rendered."""

    def __init__(self) -> None:
        self._spool = Spool()
        self._last: dict[int, int] = {}  # of each post: it leads to the one before

    def __bool__(self) -> bool:
        return bool(self._last)

    def add(self, post: int, number: int, fields: dict) -> None:
        """Keep the fields of the n-th object of the file, a quote in the post at this place."""
        self._last[post] = self._spool.put((number, fields, self._last.get(post)))

    def of(self, post: int) -> list[tuple[int, dict]]:
        """Number and fields of each quote in a post, as they stand in the file."""
        found = []
        at = self._last.get(post)
        while at is not None:
            number, fields, at = self._spool.get(at)
            found.append((number, fields))
        return found[::-1]


def _may_be_whole(data: Data) -> bool:
    return size_of(data) <= settings.FIXTURE_MAX_BYTES


def too_large(name: str) -> Rejected:
    """The error for a file over the limit, which is asked of its size before it is read."""
    return Rejected(f"{name}: larger than the {_limit()} that FIXTURE_MAX_BYTES allows.")


def _too_large_and_broken(name: str, line: int) -> Rejected:
    return Rejected(
        f"{name}, line {line}: here or further on it is no JSON in UTF-8. Of a file larger than "
        f"{_limit()} (FIXTURE_MAX_BYTES) no more can be said."
    )


def _limit() -> str:
    return counted(settings.FIXTURE_MAX_BYTES, "byte,bytes")


def parse_json(data: bytes, name: str, *, empty: bool = False) -> list:
    """The objects of the JSON file `name`: a list that holds something, unless it may be `empty`,
    with numbers that every reader of JSON takes. Raises Rejected with the line, or what is wrong
    where it has none."""
    try:
        objects = json.loads(data, **_HOOKS)
    except json.JSONDecodeError as error:
        raise Rejected(f"{name}, line {error.lineno}: not JSON ({error.msg}).") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Rejected(f"{name}, line {line}: this is not UTF-8.") from None
    except RecursionError:
        at = where(data, name, _odd_object(data))
        raise Rejected(f"{at}: lists in lists without end.") from None
    except ValueError as error:
        raise Rejected(f"{where(data, name, _odd_object(data))}: {error}") from None
    if not isinstance(objects, list) or not (objects or empty):
        what = f"a {'' if empty else 'thread '}fixture is a list of objects"
        raise Rejected(f"{where(data, name, 1)}: {what}.")
    return objects


def where(data: Data, name: str, number: int) -> str:
    """How messages name the n-th object of a JSON file: by the line in which it begins."""
    line = line_of(data, number)
    return f"{name}, object {number}" if line is None else f"{name}, line {line}"


def _odd_object(data: bytes) -> int:
    """Which object of a file holds what `parse_json` refuses."""
    text, at, number = data.decode("utf-8-sig", "replace"), 0, 1
    with suppress(ValueError, RecursionError):
        while True:
            _, at = _STRICT.raw_decode(text, _begin(text, at))
            number += 1
    return number


def _begin(text: str, at: int) -> int:
    """Where the next object begins, at the earliest at `at`."""
    found = _START.match(text, at)
    return found.end() if found else at


def with_line(error: Rejected, data: Data, name: str) -> Rejected:
    """The same of an error that names an object of the file `name` by its number alone: with the
    line in which that begins."""
    found = _OBJECT.match(str(error), len(name)) if str(error).startswith(name) else None
    if found is None:
        return error
    at = where(data, name, int(found[1]))
    return Rejected(f"{at}{str(error)[len(name) :]}") if ", line " in at else error


def _unique(pairs: list[tuple[str, Any]]) -> dict:
    """An object in which no name stands twice: readers differ on which of the two counts."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for at, name in enumerate(names) if name in names[:at])
        raise ValueError(f"{twice!a} stands twice in one object.")
    return found


def _no_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not a number.")


def _finite(text: str) -> float:
    """A number with a point; one that is beyond all bounds would be read as Infinity."""
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text[:20]} is larger than any number.")
    return number


def _short(text: str) -> int:
    """A whole number. Nothing here counts in thousands of digits, and Python reads no more."""
    if len(text) > 20:
        raise ValueError(f"{text[:20]}… is too long a number.")
    return int(text)


_HOOKS: dict[str, Any] = {
    "object_pairs_hook": _unique,
    "parse_constant": _no_constant,
    "parse_float": _finite,
    "parse_int": _short,
}
_STRICT = json.JSONDecoder(**_HOOKS)


def _thread(fields: dict, number: int, name: str) -> ThreadFixture:
    check = Check(fields, name, number, THREAD)
    if type(fields["format"]) is not int or fields["format"] != FORMAT:
        raise check.fail(f"format {fields['format']!a} is unknown; this forum reads {FORMAT}.")
    title = check.text("title", longest(Thread, "title"))
    if not title.strip():
        raise check.fail("a debate needs a title.")
    board = check.natural_key("board")
    if board is None:
        raise check.fail("a debate needs a board.")
    return ThreadFixture(
        name=name,
        object=number,
        key=check.key("key"),
        version=check.count("version"),
        board=board,
        title=title,
        kind=check.choice("kind", Thread.Kind.values),
        source=check.text("source", longest(Thread, "source")),
        policy=check.choice("policy", Thread.Policy.values, Thread.Policy.OPEN),
        own_answer=_own_answer(check),
        variant_of=_variant_of(check),
    )


def _own_answer(check: Check) -> str:
    try:
        return check_own_answer(check.text("own_answer"))
    except Unacceptable as error:
        raise check.fail(str(error)) from None


def _variant_of(check: Check) -> str:
    if check.fields.get("variant_of") is None:
        return ""
    key = Check({"key": check.natural_key("variant_of")}, *check.named).key("key")
    if key == check.fields["key"]:
        raise check.fail("a debate is no variant of itself.")
    return key


def _post(
    fields: dict,
    number: int,
    fixture: ThreadFixture,
    indexes: Mapping[str, int],
    later: Callable[[], Mapping[str, str]],
) -> Contribution:
    """Check one post but for its text."""
    check = Check(fields, fixture.name, number, POST)
    key = check.key("key")
    if key in indexes:
        raise check.fail(f"the key {key!a} stands twice in this file.")
    if (thread := check.natural_key("thread")) != fixture.key:
        raise check.fail(f"belongs to another thread, {thread!a}, than {fixture.key!a}.")
    basis = check.choice("parent_basis", _BASES)
    if (basis == Post.Basis.OPENING) != (not indexes):
        raise check.fail(
            "the first post must be the opening." if not indexes else "a second opening."
        )
    parent = check.natural_key("parent")
    if parent is not None:
        if parent not in indexes:
            raise check.fail(_why_no_parent(key, parent, later()))
        if not indexes[parent]:
            raise check.fail("its parent is the opening; answers to the opening have none.")
        if basis not in (Post.Basis.REPLY, Post.Basis.QUOTE, Post.Basis.EDITOR):
            raise check.fail(f"has a parent, so its basis cannot be {basis!a}.")
    check.text("reason", _REASON)
    return Contribution(
        object=number,
        key=key,
        parent=None if parent is None else indexes[parent],
        basis=basis,
        byline=check.text("byline", _BYLINE),
        written_at=check.moment("written_at"),
        format=check.choice("format", _FORMATS),
        text=check.text("text"),
        lane=check.choice("lane", _LANES, ""),
        stance=check.choice("stance", _STANCES, ""),
    )


def _divergence(fields: dict, number: int, fixture: ThreadFixture) -> DivergenceInput:
    """One divergence, its date read from EDTF text."""
    check = Check(fields, fixture.name, number, DIVERGENCE)
    _of_this_thread(check, fixture)
    by_editor = fields.get("by_editor", False)
    if type(by_editor) is not bool:
        raise check.fail("by_editor must be true or false.")
    change, actor, place_ = (
        check.text(name, longest(Divergence, name)) for name in ("change", "actor", "place")
    )
    if not change.strip():
        raise check.fail("a divergence says what changes.")
    try:
        date = parse(check.text("edtf", longest(Divergence, "edtf")))
    except NotADate as error:
        raise check.fail(str(error)) from None
    return DivergenceInput(change, date, actor, place_, by_editor, _spot(check))


def _spot(check: Check) -> places.Spot | None:
    """Where a divergence lies, None if the file does not say it."""
    if all(check.fields.get(name) is None for name in SPOT):
        return None
    radius = check.fields.get("radius") or 0
    if type(radius) is not int:
        raise check.fail("radius must be a whole number of kilometres.")
    try:
        return places.checked(check.number("latitude"), check.number("longitude"), radius)
    except places.NotAPlace as error:
        raise check.fail(str(error)) from None


def _of_this_thread(check: Check, fixture: ThreadFixture) -> None:
    if (thread := check.natural_key("thread")) != fixture.key:
        raise check.fail(f"belongs to another thread, {thread!a}, than {fixture.key!a}.")


def _parents_that_come_later(each: Callable[[], Iterator[Any]], first: int) -> dict[str, str]:
    """Of the whole thread after this object, post key -> parent key, as far as they can be read:
    for messages only."""
    found = {}
    for thing in takewhile(lambda thing: not _is_thread(thing), islice(each(), first, None)):
        fields = thing.get("fields") if isinstance(thing, dict) else None
        if isinstance(fields, dict) and thing.get("model") == POST:
            parent = fields.get("parent")
            if isinstance(fields.get("key"), str):
                names = parent if isinstance(parent, list) else []
                found[fields["key"]] = names[0] if names and isinstance(names[0], str) else ""
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


def _render(
    post: Contribution,
    at: int,
    quotes: Sequence[tuple[int, dict]],
    fixture: ThreadFixture,
    indexes: Mapping[str, int],
) -> None:
    """Render a post, judge its quotes against the posts before it, and put it back."""
    named: dict[int, tuple[Check, int | None, tuple[int, ...]]] = {}
    ranges: list[tuple[int, int]] = []
    for number, fields in quotes:
        check = Check(fields, fixture.name, number, QUOTE)
        ordinal = check.count("ordinal")
        if ordinal in named:
            raise check.fail(f"a second quote {ordinal} of the same post.")
        if post.format == PostRevision.Format.PLAIN:
            if ordinal != len(named) + 1:
                raise check.fail("the quotes of a post must be counted from 1, in order.")
            ranges.append(_range(check, ranges[-1][1] if ranges else 0))
        elif "paragraphs" in fields:
            raise check.fail("paragraphs belong to plain texts; Markdown marks its quotes itself.")
        check.text("reason", longest(Quote, "reason"))
        source = None if fields["source_post"] is None else check.post("source_post", indexes)
        nested = fields.get("nested", [])
        if not isinstance(nested, list) or len(nested) > markup.MAX_QUOTES:
            raise check.fail("nested must be a list of natural keys.")
        nested = tuple(
            Check({"nested": one}, fixture.name, number, QUOTE).post("nested", indexes)
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
        made: Check | None
        made, source, nested = named.pop(block.ordinal, (None, None, ()))
        if made is None and block.syntax == "blockquote":
            continue  # a plain ">" claims nothing, so there is nothing to judge
        post.quotes.append(
            ImportedQuote(
                block=block,
                source=source,
                match=_judge(block, source, fixture, made),
                nested=nested,
                stance=made.choice("stance", _STANCES, "") if made else "",
                reason=made.fields.get("reason", "") if made else "",
            )
        )
    for check, _, _ in named.values():
        has = counted(len(post.rendered.quotes), "quote,quotes")
        raise check.fail(f"the post has only {has}.")
    if post.basis == Post.Basis.QUOTE:
        answered = 0 if post.parent is None else post.parent
        if answered not in [quote.source for quote in post.quotes]:
            raise fixture.reject("is said to quote the post it answers, and does not.", post)
    fixture.quoted.update(quote.source for quote in post.quotes if quote.source is not None)
    fixture.nested.update(index for quote in post.quotes for index in quote.nested)
    fixture.posts[at] = post


def _judge(
    block: markup.QuoteBlock, source: int | None, fixture: ThreadFixture, check: Check | None
) -> quoting.Match:
    """How the words compare with the source that the file names. A source that does not hold even
    similar words is a false claim, and refused; altered words are a fact, and stored as such."""
    if source is None or check is None:
        return quoting.UNVERIFIABLE
    words = quoting.Source(source, fixture.posts[source].rendered.plain)
    match = quoting.find(block.words, [words], named=1)
    if match.verdict == Quote.Verdict.UNVERIFIABLE:
        raise check.fail(
            f"these words do not stand in {fixture.posts.keys[source]!a}, nor any like them."
        )
    return match


def _range(check: Check, after: int) -> tuple[int, int]:
    """Which paragraphs a quote takes; quotes follow one another."""
    value = check.fields.get("paragraphs")
    if (
        not isinstance(value, list)
        or len(value) != 2
        or any(type(one) is not int for one in value)
        or not after < value[0] <= value[1]
    ):
        raise check.fail("paragraphs must be [first, last], from 1, after the quote before.")
    return value[0], value[1]
