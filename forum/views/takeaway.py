"""Debates to take along: as a book, as a fixture for another forum, as Markdown."""

from urllib.parse import quote

from django.conf import settings
from django.http import Http404, HttpResponse, StreamingHttpResponse

from .. import books, epub
from ..importing import writing
from ..permissions import Refused
from .fetch import post_or_404, thread_or_404

EPUB = "application/epub+zip"


def thread_epub(request, thread_id):
    """The story of a debate as a book, of one without marks the whole debate; `?from=` a number."""
    thread = thread_or_404(request.user, thread_id)
    book = books.of_thread(thread, user=request.user, base=_base(request), first=_first(request))
    return _sent(book, f"{thread.slug}.epub")


def road_epub(request, post_id):
    """The road to a post as a book."""
    post = post_or_404(request.user, post_id)
    if post.number is None:
        raise Http404
    book = books.of_road(post, user=request.user, base=_base(request), first=_first(request))
    return _sent(book, f"{post.thread.slug}-{post.number}.epub")


def thread_fixture(request, thread_id):
    """A debate as a thread fixture, in parts: whatever its length, it is never held as a whole."""
    thread = thread_or_404(request.user, thread_id)
    return _written(writing.fixture, thread, "json", "application/json", user=request.user)


def thread_markdown(request, thread_id):
    """A debate as Markdown, in parts."""
    thread = thread_or_404(request.user, thread_id)
    address = _base(request) + thread.get_absolute_url().lstrip("/")
    kind = "text/markdown; charset=utf-8"
    return _written(writing.markdown, thread, "md", kind, address=address)


def _written(write, thread, suffix: str, content_type: str, **more) -> StreamingHttpResponse:
    try:
        pieces = write(thread, **more)
    except writing.NotWhole as error:
        raise Refused(str(error)) from None
    response = StreamingHttpResponse(pieces, content_type=content_type)
    return attachment(response, f"{thread.slug}.{suffix}")


def _sent(book: epub.Book, name: str) -> HttpResponse:
    if not book.chapters:
        raise Http404
    return attachment(HttpResponse(epub.build(book), content_type=EPUB), name)


def attachment(response: HttpResponse, name: str) -> HttpResponse:
    """An answer that browsers keep as a file under this name, and that no other reader is shown."""
    quoted = quote(name, safe="")
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quoted}"
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _base(request) -> str:
    """The site's address, with a slash."""
    return (settings.SITE_URL or request.build_absolute_uri("/")).rstrip("/") + "/"


def _first(request) -> int:
    """The number with which the book begins."""
    asked = request.GET.get("from", "1")
    if not asked.isdecimal() or len(asked) > 9:
        raise Http404
    return max(int(asked), 1)
