"""Pages kept for visitors: drawn and compressed once, shown until something on them changes.

A page of a debate is kept under its address and under two numbers that are read from the database
at every request, in one query: the version of its debate and the version of the site. Every act
raises one of them in its own transaction, so what is kept is never purged and never shown after the
act stands. A page that lists what one may see is kept under the rows of the list, which are asked
for at every request (`unchanged`). Only visitors without a session get kept pages; what they see
depends on nothing else about them but the theme they chose. docs/decisions/0010 tells how a page
joins.
"""

import gzip
import re
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256

import brotli
from django.conf import settings
from django.db import connections
from django.http import HttpResponse
from django.urls import ResolverMatch

from core.database_answers import database_errors

from . import replication
from .lru_cache import LRUCache

DEBATE = re.compile(r"/threads/(\d{1,18})/[^?]*\Z")
# Whoever asks for other queries gets the page, but does not fill the memory with it.
QUERY = re.compile(r"(?:(?:view=(?:flat|tree)|page=\d{1,9})(?:&|\Z)){0,2}\Z")
LONGEST = 400  # characters of an address
AROUND = 2048  # bytes of what stands around a page's body, roughly
LARGEST = 1024 * 1024  # bytes of one page
WITHOUT_BODY = {"Cache-Control", "Content-Security-Policy", "Vary"}  # headers of a 304
NUMBERS = (
    "SELECT version, (SELECT number FROM accounts_edition WHERE id = 1)"
    " FROM forum_thread WHERE id = %s"
)
KNOWN = "jonbar.numbers"  # in a request's environment: the database asked before, its answer
REFUSED = re.compile(r";\s*q=0(?:\.0*)?\s*\Z")  # a coding that the browser names to refuse it
# No page is larger than this window (256 KB); the usual one of 4 MB costs memory for nothing.
_brotli = partial(brotli.compress, mode=brotli.MODE_TEXT, lgwin=18)
PACK: dict[str, Callable[[bytes], bytes]] = {
    "br": partial(_brotli, quality=3),
    "gzip": partial(gzip.compress, compresslevel=4, mtime=0),
    "": bytes,
}
# What is asked for again: a tenth less, for twice the time (docs/decisions/0048).
PACK_SMALL: dict[str, Callable[[bytes], bytes]] = {"br": partial(_brotli, quality=5)}
UNPACK: dict[str, Callable[[bytes], bytes]] = {"br": brotli.decompress, "gzip": gzip.decompress}
# Until when what was drawn in this request holds (seconds of the clock), where somebody asks.
_until: ContextVar[list[float] | None] = ContextVar("until", default=None)
_site_version: ContextVar[int | None] = ContextVar("site_version", default=None)


def site_version() -> int | None:
    """The site version under which the page now being drawn will be kept; None if it is drawn for
    one reader alone."""
    return _site_version.get()


def allow_keeping(response: HttpResponse) -> HttpResponse:
    """Mark a page as one that may be kept for visitors: it shows nothing but what changes the
    numbers that it is kept under, below /threads/<id>/ that debate's version and the site's."""
    setattr(response, "kept", True)  # noqa: B010  # asked of any kind of answer by `answered`
    return response


def expires_in(seconds: float) -> None:
    """Say that something just drawn holds so long ("20 minutes ago"); the page is kept no longer
    than the shortest of them."""
    expires_at(time.time() + seconds)


def expires_at(moment: float) -> None:
    """Say that something just drawn holds until `moment`, in seconds of the clock."""
    if (until := _until.get()) is not None:
        until[0] = min(until[0], moment)


@contextmanager
def timed() -> Iterator[list[float]]:
    """Gives a list that afterwards holds until when what was drawn here holds; so does what it is
    a part of."""
    until = [float("inf")]
    token = _until.set(until)
    try:
        yield until
    finally:
        _until.reset(token)
        expires_at(until[0])


@dataclass(frozen=True, slots=True)
class Kept:
    """A finished page: its headers, its body as its first reader took it (`coding`), the mark of
    its content."""

    numbers: tuple
    until: float
    etag: str
    headers: tuple[tuple[str, str], ...]
    coding: str
    body: bytes
    match: ResolverMatch | None
    small: bool = False  # whether it is packed as small as it gets

    def holds(self, numbers: tuple | None) -> bool:
        """Whether the page still shows what stands, if these are the numbers now."""
        return self.numbers == numbers and self.until > time.time()

    def answer(self, request) -> HttpResponse:
        """The page in the form that the browser takes, or 304 if it has it already."""
        request.resolver_match = self.match  # for those who count what is asked for
        coding = _coding(request)
        tag = f'"{self.etag}-{coding}"' if coding else f'"{self.etag}"'
        # Weak where it is packed: packed anew, the same page is other bytes (RFC 9110, 8.8.1).
        etag = f"W/{tag}" if coding else tag
        known = request.META.get("HTTP_IF_NONE_MATCH", "").split(",")
        same = any(given.strip().removeprefix("W/") in (tag, "*") for given in known)
        if same:
            response = HttpResponse(status=304)
            del response.headers["Content-Type"]
        else:
            body = self.body
            if coding != self.coding:
                body = PACK[coding](UNPACK[self.coding](body))
            response = HttpResponse(body)
            response.headers["Content-Length"] = str(len(body))
            if coding:
                response.headers["Content-Encoding"] = coding
        for name, value in self.headers:
            if not same or name in WITHOUT_BODY:
                response.headers[name] = value
        response.headers["ETag"] = etag
        return response


pages = LRUCache("KEPT_PAGES_MB")  # finished pages, for visitors
# What many read alike: see rendering/fragments.py and rendering/articles.py.
fragments = LRUCache("KEPT_POSTS_MB")


def answered(request, respond) -> HttpResponse:
    """The answer to `request`: a kept page if there is one that still holds, else what `draw`
    gives, kept if its view says that it may be."""
    key, debate = _key(request), DEBATE.match(request.path_info)
    # Before anything is drawn: what changes meanwhile raises a number, and the page drawn from
    # half of it is never asked for again.
    numbers = _numbers(request, int(debate[1])) if key and debate else None
    if key is None or numbers is None:
        return respond(request)
    return _kept_or_drawn(request, key, numbers, numbers[1] or 0, respond, cache_control())


def unchanged(
    request, site_version: int, rows: Hashable, draw: Callable[[], HttpResponse]
) -> HttpResponse:
    """The page that `draw` gives, kept for visitors as long as it is made of the same `rows`. These
    hold all that it shows to visitors and that may change without raising the site version, so
    that a page that is a list costs no more than to ask for what it lists. Only an address without
    a query is kept."""
    key = None if request.META.get("QUERY_STRING") else _key(request)
    if key is None:
        return draw()
    numbers = site_version, digest(rows)
    return _kept_or_drawn(request, key, numbers, site_version, lambda _: allow_keeping(draw()))


def digest(values: Hashable) -> bytes:
    """What stands for plain values, and tuples of them, in memory: they may be many, and how much
    is kept is reckoned without them."""
    return sha256(repr(values).encode()).digest()


def _kept_or_drawn(
    request,
    key: tuple,
    numbers: tuple,
    site_version: int,
    respond: Callable,
    cache_control: str = "",
) -> HttpResponse:
    """The page that is kept under `key` if it holds under these `numbers`, else what `respond`
    gives, kept if it may be, with this header."""
    page = pages.get(key)
    if page is not None and page.holds(numbers):
        return answer_again(request, page)
    site = _site_version.set(site_version)
    try:
        with timed() as until:
            response = respond(request)
    finally:
        _site_version.reset(site)
    if not getattr(response, "kept", False) or response.status_code != 200:
        return response
    if response.cookies or "CSRF_COOKIE_NEEDS_UPDATE" in request.META:
        return response  # it has a form with this visitor's own token
    if len(response.content) > LARGEST:
        return response
    if cache_control:
        response.headers["Cache-Control"] = cache_control
    page = _finished(request, response, numbers, until[0])
    pages.put(key, page, len(page.body) + AROUND)
    return page.answer(request)


def answer_again(request, page: Kept) -> HttpResponse:
    """The answer of a kept page that somebody had before. In a debate that lives most are drawn
    anew before they are asked for a second time; one that is not is packed well then."""
    if not page.small and page.coding in PACK_SMALL and (key := _key(request)) is not None:
        body = PACK_SMALL[page.coding](UNPACK[page.coding](page.body))
        page = replace(page, body=body, small=True)
        pages.put(key, page, len(body) + AROUND)
    return page.answer(request)


def kept(request) -> Kept | None:
    """The page of a debate that is kept for a request, whether or not it holds any longer; asks no
    database."""
    key = _key(request) if DEBATE.match(request.path_info) else None
    return None if key is None else pages.get(key)


def _numbers(request, thread_id: int) -> tuple | None:
    """The numbers of a debate, which may have been asked for before Django began."""
    alias, numbers = request.META.get(KNOWN, ("", None))
    # Of the database that the page is drawn from: it is never older than its numbers.
    return numbers if numbers and alias == replication.alias() else numbers_of(thread_id)


def _key(request) -> tuple | None:
    """Under what a page is kept: all that it depends on, apart from the database. None if the
    reader has a session or a message waiting, or asks for something unusual."""
    if request.method not in ("GET", "HEAD") or not settings.KEPT_PAGES_MB:
        return None
    path, query = request.path_info, request.META.get("QUERY_STRING", "")
    if len(path) + len(query) > LONGEST or not QUERY.match(query):
        return None
    theme = ""
    if "HTTP_COOKIE" in request.META:
        cookies = request.COOKIES
        if settings.SESSION_COOKIE_NAME in cookies or "messages" in cookies:
            return None
        theme = cookies.get("theme", "")[:10]
    # The host was let in when the page was drawn; it stands in the page's own address.
    return request.path, query, theme, request.scheme, request.META.get("HTTP_HOST", "")


def numbers_of(thread_id: int) -> tuple | None:
    """The version of a debate and the version of the site: what was made of it under these numbers
    holds as long as they do. None where nobody knows."""
    try:
        # Of the database that the page is drawn from: it is never older than its numbers.
        with connections[replication.alias()].cursor() as cursor:
            cursor.execute(NUMBERS, [thread_id])
            return cursor.fetchone()
    except database_errors():
        return None  # the view asks too, and says what is wrong


def _coding(request) -> str:
    """How the page is to be compressed for this browser; empty: not at all."""
    header = request.META.get("HTTP_ACCEPT_ENCODING", "")
    if not header:
        return ""
    taken = {
        part.partition(";")[0].strip() for part in header.split(",") if not REFUSED.search(part)
    }
    return next((coding for coding in ("br", "gzip") if coding in taken), "")


def cache_control() -> str:
    """How long what visitors see may be kept: by browsers, who ask before they show it again, and
    by caches between us and them as the site's settings say."""
    if not settings.SHARED_CACHE_SECONDS:
        return "no-cache"
    parts = ["public", "max-age=0", f"s-maxage={settings.SHARED_CACHE_SECONDS}"]
    if settings.SHARED_CACHE_STALE_SECONDS:
        parts.append(f"stale-while-revalidate={settings.SHARED_CACHE_STALE_SECONDS}")
    return ", ".join(parts)


def _finished(request, response: HttpResponse, numbers: tuple, until: float) -> Kept:
    response.headers["Vary"] = "Accept-Encoding, Cookie"
    coding = _coding(request) or "br"  # whoever takes none gets it unpacked
    return Kept(
        numbers=numbers,
        until=until,
        etag=sha256(response.content).hexdigest()[:24],
        headers=tuple(pair for pair in response.items() if pair[0] != "Content-Length"),
        coding=coding,
        body=PACK[coding](response.content),
        match=getattr(request, "resolver_match", None),
    )
