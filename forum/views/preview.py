"""The picture of a debate for previews of links to it."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from forum.operations import caching, downloads, limits

from .feeds import VISITOR
from .fetch import thread_or_404


def thread_picture(request: HttpRequest, thread_id: int) -> HttpResponse:
    """The picture of a debate that everybody may see, made once for each version of it; whoever
    asks, it shows what visitors see."""
    thread = thread_or_404(VISITOR, thread_id)
    numbers = caching.numbers_of(thread.pk)

    def made():
        limits.count(
            "pictures",
            limits.network_of(request),
            settings.DOWNLOADS_PER_MINUTE,
            "Many pictures were made for your network just now. Wait a minute.",
        )
        from forum.rendering import preview_pictures  # Pillow, 3 MB that few workers need

        return [preview_pictures.render(thread, settings.SITE_NAME)]

    def still():
        return caching.numbers_of(thread.pk) == numbers

    if numbers is None or not settings.DOWNLOADS_MB:
        file = downloads.make_for_one(made)
    else:
        name = downloads.name_of(thread.pk, "image/png", settings.SITE_NAME, numbers=numbers)
        file = downloads.found(name) or downloads.make(name, made, still)
    with file:
        response = HttpResponse(file.read(), content_type="image/png")
    response.headers["Cache-Control"] = caching.cache_control()
    return response
