"""The pictures in posts, laid into their stored HTML as a page is drawn: what became of a picture
since its text was written (made ready, refused, erased) shows at once."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from django.utils.safestring import mark_safe

from forum.jinja import fragment_renderer
from forum.models import Picture, PictureUse, Post
from forum.text import markup


def pictures_in(posts: Iterable[Post]) -> dict[int, dict[str, Picture]]:
    """The pictures that the current texts of these posts show, by revision and key; asks the
    database only where there are any."""
    shown = [post.body.revision_id for post in posts if markup.PICTURE in post.body.html]
    found: dict[int, dict[str, Picture]] = defaultdict(dict)
    if shown:
        for use in PictureUse.objects.filter(revision__in=shown).select_related("picture"):
            found[use.revision_id][use.picture.key] = use.picture
    return found


def picture_drawer(pictures: Mapping[str, Picture]) -> Callable[[str, str, str], str]:
    """How to draw these pictures, by key, as `markup.fill_pictures` asks for it."""
    frame = fragment_renderer("posts/_picture.html")

    def render(key: str, alt: str, caption: str) -> str:
        picture = pictures.get(key)
        if picture is None:
            return ""
        return frame({"picture": picture, "alt": alt or picture.alt, "caption": mark_safe(caption)})

    return render


def fill_pictures(html: str, pictures: Mapping[str, Picture]) -> str:
    """Stored HTML with these of its pictures drawn; others stay links."""
    return markup.fill_pictures(html, picture_drawer(pictures)) if markup.PICTURE in html else html
