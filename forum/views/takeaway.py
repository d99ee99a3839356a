"""Debates to take along: as a book, as a fixture for another forum, as Markdown."""

from collections.abc import Callable, Iterable
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from forum.operations import caching, downloads, limits
from forum.rendering import books
from forum.text import epub
from forum.transfer import exporting, packing

from ..models import Thread
from ..permissions import Refused, may
from .fetch import post_or_404, thread_or_404

EPUB = "application/epub+zip"


def thread_epub(request: HttpRequest, thread_id) -> HttpResponseBase:
    """The story of a debate as a book, of one without marks the whole debate; `?from=` a number."""
    thread, first = thread_or_404(request.user, thread_id), _first(request)

    def write(user):
        return _bound(books.of_thread(thread, user=user, base=_base(request), first=first))

    return _taken(request, thread, f"{thread.slug}.epub", EPUB, write, str(first))


def road_epub(request: HttpRequest, post_id) -> HttpResponseBase:
    """The road to a post as a book."""
    post, first = post_or_404(request.user, post_id), _first(request)
    if post.number is None:
        raise Http404

    def write(user):
        return _bound(books.of_road(post, user=user, base=_base(request), first=first))

    name = f"{post.thread.slug}-{post.number}.epub"
    return _taken(request, post.thread, name, EPUB, write, "road", str(post.pk), str(first))


def thread_fixture(request: HttpRequest, thread_id) -> HttpResponseBase:
    """A debate as a thread fixture, in parts: whatever its length, it is never held as a whole. Of
    one with pictures a zip, which holds them too."""
    thread = thread_or_404(request.user, thread_id)
    packed, name = _file_of(thread)

    def write(user):
        if packed:
            return packing.fixture([thread], user=user)
        return _encoded(exporting.fixture(thread, user=user))

    if packed:
        return _taken(request, thread, f"{name}.zip", packing.TYPE, write, "fixture")
    return _taken(request, thread, f"{name}.json", "application/json", write)


def thread_markdown(request: HttpRequest, thread_id) -> HttpResponseBase:
    """A debate as Markdown, in parts; of one with pictures a zip, which holds them too."""
    thread = thread_or_404(request.user, thread_id)
    packed, name = _file_of(thread)
    address = _base(request) + thread.get_absolute_url().lstrip("/")

    def write(user):
        if packed:
            return packing.markdown(thread, address=address)
        return _encoded(exporting.markdown(thread, address=address))

    if packed:
        return _taken(request, thread, f"{name}.zip", packing.TYPE, write, "markdown")
    return _taken(request, thread, f"{name}.md", "text/markdown; charset=utf-8", write)


def _file_of(thread: Thread) -> tuple[bool, str]:
    """Whether the pictures of a debate go along, in a zip, and what its file is called: where they
    are too large together they stay, and its name says so."""
    shown = exporting.pictures_of(thread)
    if sum(picture.bytes for picture in shown) > packing.MOST_BYTES:
        return False, f"{thread.slug}-without-pictures"
    return bool(shown), thread.slug


def _taken(
    request: HttpRequest,
    thread: Thread,
    name: str,
    content_type: str,
    write: Callable[..., Iterable[bytes]],
    *parts: str,
) -> HttpResponseBase:
    """The answer with the file that `write` makes for a user. What everybody may read is made for
    nobody in particular and kept; of other debates each reader's file is made anew. `parts` say
    what it depends on, besides debate, kind and host."""
    guest = AnonymousUser()
    numbers = caching.numbers_of(thread.pk) if may(guest, "see thread", thread) else None

    def made():
        # Only now: who is told that the worker is busy had nothing made.
        _not_too_often(request)
        return write(request.user if numbers is None else guest)

    def still():
        return caching.numbers_of(thread.pk) == numbers

    try:
        if numbers is None or not settings.DOWNLOADS_MB:
            file = downloads.make_for_one(made)
            return attachment(downloads.Sent(file, content_type=content_type), name)
        kept = downloads.name_of(
            thread.pk, content_type, _base(request), name, *parts, numbers=numbers
        )
        file = downloads.found(kept) or downloads.make(kept, made, still)
    except exporting.NotWhole as error:
        raise Refused(str(error)) from None
    if settings.DOWNLOADS_BY_PROXY:
        file.close()
        response = HttpResponse(content_type=content_type)
        response.headers["X-Accel-Redirect"] = f"{settings.DOWNLOADS_BY_PROXY}{kept}"
        return attachment(response, name)
    return attachment(downloads.Sent(file, content_type=content_type), name)


def _not_too_often(request: HttpRequest) -> None:
    """Raise TooOften where this network had as many files made as it may in a minute."""
    limits.count(
        "downloads",
        limits.network_of(request),
        settings.DOWNLOADS_PER_MINUTE,
        "Many files were made for your network just now. Wait a minute.",
    )


def _encoded(pieces: Iterable[str]) -> Iterable[bytes]:
    return (piece.encode() for piece in pieces)


def _bound(book: epub.Book) -> list[bytes]:
    if not book.chapters:
        raise Http404
    return [epub.build(book)]


def attachment(response: HttpResponseBase, name: str) -> HttpResponseBase:
    """An answer that browsers keep as a file under this name, and that no other reader is shown."""
    quoted = quote(name, safe="")
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quoted}"
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _base(request: HttpRequest) -> str:
    """The site's address, with a slash."""
    return (settings.SITE_URL or request.build_absolute_uri("/")).rstrip("/") + "/"


def _first(request: HttpRequest) -> int:
    """The number with which the book begins."""
    asked = request.GET.get("from", "1")
    if not asked.isdecimal() or len(asked) > 9:
        raise Http404
    return max(int(asked), 1)
