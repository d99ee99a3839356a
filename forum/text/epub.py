"""Packs chapters into an EPUB 3 book. Knows no database.

After EPUB 3.2: Open Container Format (the entry "mimetype" comes first and is stored), one package
document, one navigation document. The same book always gives the same bytes: entries are stored
with a fixed time, and identifier and date come from the book.
"""

import io
import re
import uuid
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from urllib.parse import urljoin
from xml.etree import ElementTree

from .xml import fit

XHTML = "http://www.w3.org/1999/xhtml"
OPS = "http://www.idpf.org/2007/ops"
_VOID = re.compile(r"<(br|hr)>")
# Addresses that every reader of books takes for one; others stay text.
_ADDRESS = re.compile(
    r"https?://[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?::\d{1,5})?(?:[/?][^#\s]*)?(?:#[^#\s]*)?"
    r"|mailto:[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+"
)
IMAGES = "images/"
_EPOCH = (1980, 1, 1, 0, 0, 0)

STYLE = """body { line-height: 1.5; }
h1 { line-height: 1.2; }
.meta, .cited, .status { font-family: sans-serif; font-size: .85em; }
.quote { margin: 0 0 1em 1em; padding-inline-start: .8em; border-inline-start: 2px solid; }
.quote[data-status="shortened"] { border-inline-start-style: dashed; }
.quote[data-status="altered"], .quote[data-status="edited"] { border-inline-start-style: double; }
.quote[data-status="removed"], .quote[data-status="unverifiable"]
{ border-inline-start-style: dotted; }
figure { margin: 1em 0; }
img { max-width: 100%; height: auto; }
figcaption { font-size: .85em; }
table { border-collapse: collapse; }
td, th { border: 1px solid; padding: .2em .5em; }
"""


@dataclass(frozen=True, slots=True)
class Chapter:
    """One post: `name` becomes its file, `body` is XHTML inside a div (see `xhtml`)."""

    name: str
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Image:
    """A picture of the book; chapters show it as IMAGES and its name."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Book:
    """`seed` names the book among all books: the same seed is the same book."""

    seed: str
    title: str
    creators: Sequence[str]
    modified: datetime
    source: str
    front: str
    chapters: Sequence[Chapter] = field(default_factory=tuple)
    images: Sequence[Image] = field(default_factory=tuple)


def build(book: Book) -> bytes:
    """The bytes of the book; the same book always gives the same."""
    files = [
        ("META-INF/container.xml", _CONTAINER),
        ("OPS/package.opf", _package(book)),
        ("OPS/nav.xhtml", _navigation(book)),
        ("OPS/style.css", STYLE),
        ("OPS/front.xhtml", _page(book.title, book.front)),
        *(
            (f"OPS/{chapter.name}.xhtml", _page(chapter.title, chapter.body))
            for chapter in book.chapters
        ),
    ]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        texts = [("mimetype", "application/epub+zip"), *files]
        for name, data in (
            *((name, text.encode()) for name, text in texts),
            *((f"OPS/{IMAGES}{image.name}", image.data) for image in book.images),
        ):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3  # the same on every system
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return out.getvalue()


def text(words: str) -> str:
    """Words as they stand in XML."""
    return escape(fit(words))


def xhtml(html: str, base: str) -> str:
    """The HTML of a drawn post as XHTML: elements closed, names of characters resolved, addresses
    absolute as seen from `base`; what cannot be an address in a book stays text."""
    html = fit(_VOID.sub(r"<\1/>", html)).replace("&nbsp;", "&#160;")
    root = ElementTree.fromstring(f'<div xmlns="{XHTML}" xmlns:epub="{OPS}">{html}</div>')
    for element in root.iter(f"{{{XHTML}}}a"):
        href = element.get("href", "")
        if href.startswith(("#post-", "#quote-")):
            continue
        address = urljoin(base, href)
        element.attrib.pop("rel", None)
        if _ADDRESS.fullmatch(address):
            element.set("href", address)
        else:
            element.tag = f"{{{XHTML}}}span"
            element.attrib.pop("href", None)
    return _serialised(root)


ElementTree.register_namespace("", XHTML)
ElementTree.register_namespace("epub", OPS)


def _serialised(root: ElementTree.Element) -> str:
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)


_CONTAINER = """<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="OPS/package.opf" media-type="application/oebps-package+xml"/>
</rootfiles></container>
"""


def _page(title: str, body: str) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html>\n<html xmlns="{XHTML}" '
        f'xmlns:epub="{OPS}" lang="en" xml:lang="en"><head><title>{text(title)}</title>'
        f'<link rel="stylesheet" type="text/css" href="style.css"/></head><body>\n{body}\n'
        "</body></html>\n"
    )


def _navigation(book: Book) -> str:
    items = "\n".join(
        f'<li><a href="{name}.xhtml">{text(title)}</a></li>'
        for name, title in [
            ("front", book.title),
            *((chapter.name, chapter.title) for chapter in book.chapters),
        ]
    )
    return _page(
        "Contents",
        f'<nav epub:type="toc" id="toc"><h1>Contents</h1><ol>\n{items}\n</ol></nav>',
    )


def _package(book: Book) -> str:
    names = ["front", *(chapter.name for chapter in book.chapters)]
    manifest = "\n".join(
        f'<item id="{name}" href="{name}.xhtml" media-type="application/xhtml+xml"/>'
        for name in names
    )
    manifest += "".join(
        f'\n<item id="picture-{n}" href="{IMAGES}{image.name}" media-type="{image.media_type}"/>'
        for n, image in enumerate(book.images, 1)
    )
    spine = "".join(f'<itemref idref="{name}"/>' for name in names)
    creators = "\n".join(f"<dc:creator>{text(name)}</dc:creator>" for name in book.creators)
    modified = book.modified.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, book.seed)}</dc:identifier>
<dc:title>{text(book.title)}</dc:title>
<dc:language>en</dc:language>
{creators}
<dc:source>{text(book.source)}</dc:source>
<meta property="dcterms:modified">{modified}</meta>
</metadata>
<manifest>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="style" href="style.css" media-type="text/css"/>
{manifest}
</manifest>
<spine>{spine}</spine>
</package>
"""
