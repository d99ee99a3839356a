"""The pictures of a book: in the kinds that every reader of books shows (PNG, JPEG, GIF), each
once, and no more of them than a book should weigh. What does not fit stays a link."""

from collections.abc import Iterable

from forum.models import Picture, Post
from forum.operations import pictures as files
from forum.text import epub, markup

from .post_pictures import pictures_in

MOST_BYTES = 60 * 1024 * 1024  # of all pictures of a book
LARGEST = 2 * 1024 * 1024  # of one that is taken along as it is kept
MOST_COPIES = 40  # a copy in another kind takes a third of a second, and somebody waits
TYPES = {"png": "image/png", "jpeg": "image/jpeg", "gif": "image/gif"}


class BookPictures:
    """The pictures that posts show, as they are laid into chapters."""

    def __init__(self, posts: Iterable[Post]) -> None:
        self._shown = pictures_in(posts)
        self._left, self._copies = MOST_BYTES, 0
        self._images: dict[str, epub.Image | None] = {}

    @property
    def images(self) -> list[epub.Image]:
        """Those that were laid in, which the book has to hold."""
        return [image for image in self._images.values() if image]

    @property
    def atlas(self) -> str:
        """The maps that were laid in, by their moments, as XHTML; "" where there are none."""
        shown = {p.key: p for by_key in self._shown.values() for p in by_key.values()}
        used = [(shown[key], image) for key, image in self._images.items() if image]
        maps = [each for each in used if each[0].shows == Picture.Shows.MAP]
        maps.sort(key=lambda each: (each[0].first_day or 0, each[0].last_day or 0, each[0].pk))
        return "\n".join(_figure(picture, image, "", "") for picture, image in maps)

    def with_pictures(self, html: str, post: Post) -> str:
        """The stored HTML of a post with its pictures drawn, as XHTML."""
        pictures = self._shown.get(post.body.revision_id, {})

        def render(key: str, alt: str, caption: str) -> str:
            picture = pictures.get(key)
            image = picture and self._image(picture)
            return _figure(picture, image, alt, caption) if picture and image else ""

        return markup.fill_pictures(html, render) if pictures else html

    def _image(self, picture: Picture) -> epub.Image | None:
        """The image of a picture, None where it cannot be taken along."""
        if picture.key not in self._images:
            kind, data = self._taken(picture)
            fits = 0 < len(data) <= self._left
            self._left -= len(data) if fits else 0
            image = epub.Image(f"{picture.key}.{kind}", TYPES.get(kind, ""), data)
            self._images[picture.key] = image if fits else None
        return self._images[picture.key]

    def _taken(self, picture: Picture) -> tuple[str, bytes]:
        """The kind and the bytes for a book; no bytes where there are none."""
        if picture.state != Picture.State.READY:
            return "", b""
        whole = files.name_of(picture.sha256, picture.kind)
        try:
            if picture.kind in TYPES and picture.bytes <= LARGEST:
                with files.opened(whole) as file:
                    return picture.kind, file.read()
            if self._copies == MOST_COPIES:
                return "", b""
            self._copies += 1
            small = picture.preview_sha256
            with files.opened(files.name_of(small, "webp") if small else whole) as file:
                return files.plain_copy(file.read())
        except (FileNotFoundError, files.Undecodable, files.Later):
            return "", b""


def _what_it_is(picture: Picture) -> str:
    """The moment, the title and the legend of a map, the title of a flag or cover."""
    head = ": ".join(part for part in (picture.moment, picture.title) if part)
    lines = [head, *picture.legend.splitlines()]
    return "<br/>".join(epub.text(line) for line in lines if line)


def _figure(picture: Picture, image: epub.Image, alt: str, caption: str) -> str:
    words = epub.text(alt or picture.alt or "A picture that nobody described")
    parts = (_what_it_is(picture), caption, epub.text(picture.credit))
    caption_line = " · ".join(part for part in parts if part)
    return (
        f'<figure><img src="{epub.IMAGES}{image.name}" alt="{words}"/>'
        + (f"<figcaption>{caption_line}</figcaption>" if caption_line else "")
        + "</figure>"
    )
