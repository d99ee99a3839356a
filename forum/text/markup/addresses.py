"""Which addresses become links, and where a bare one ends."""

import html as html_lib
import re
from urllib.parse import quote as percent_encode

from .limits import MAX_URL
from .writer import escape

# No brackets, quotation marks, bars or backslashes: they end an address in running text. The last
# group are invisible signs that turn the direction of what is read.
BARE_URL = re.compile(
    r"(?<![\w\\])https?://[^\s\x00-\x20\x7f-\x9f<>\"`\[\]{}|\\\u061c\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\ufeff]+",
    re.IGNORECASE,
)
# In a host, what is percent-encoded is a letter beyond ASCII, never a delimiter in disguise.
_ALLOWED_URL = re.compile(
    r"https?://(?:[\w.:@~!$&'()*+,;=-]|%[89A-F][0-9A-F])+(?=[/?#]|$)|mailto:[^/?#]",
    re.IGNORECASE | re.ASCII,
)
_PICTURE = re.compile(r"picture:([a-z0-9]{12})")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HEAD = re.compile(r"[^/?#]*")


def trimmed_url(url: str) -> str:
    """A bare address without the punctuation of the sentence around it; "" if it is not linked."""
    if len(url) > MAX_URL:  # the loop is quadratic in ")"
        return ""
    surplus = url.count(")") - url.count("(")
    while url:
        bare = url.rstrip("?!.,:;*_~'")
        if bare.endswith(")") and surplus > 0:
            bare = bare[:-1]
            surplus -= 1
        if bare == url:
            break
        url = bare
    return url if is_allowed(href_of(url)) else ""


def href_of(url: str) -> str:
    """Percent-encode an address for an attribute; "picture:key" is the page of a picture.

    Nothing but ASCII letters, digits and the signs below is left, so that an address can neither
    leave its attribute nor look like a marker.
    """
    if own := _PICTURE.fullmatch(url):
        return f"/pictures/{own[1]}/"
    url = _STRAY_PERCENT.sub("%25", url)
    return percent_encode(url, safe=";/?:@&=+$,-_.!~*'()#%") if len(url) <= MAX_URL else ":"


def is_allowed(href: str) -> bool:
    """True for http, https, mailto and addresses relative to this site.

    `javascript%3A` counts as a scheme: some clients decode before they look. `//host` is no
    relative address.
    """
    found = _HEAD.match(href)
    head = found[0].lower() if found else ""
    if ":" in head or "%3a" in head or "%25" in head:
        return bool(_ALLOWED_URL.match(href))
    return not href.startswith("//")


def linked(text: str) -> str:
    """Escape a plain text and link the web addresses in it."""
    out, done = [], 0
    for found in BARE_URL.finditer(text):
        if url := trimmed_url(found[0]):
            end = found.start() + len(url)
            out.append(escape(text[done : found.start()]))
            out.append(f'<a href="{html_lib.escape(href_of(url))}">{escape(url)}</a>')
            done = end
    out.append(escape(text[done:]))
    return "".join(out)
