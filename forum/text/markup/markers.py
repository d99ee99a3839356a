"""Putting stored HTML into a page."""

import html as html_lib
import re
from collections.abc import Collection, Iterable, Mapping

_MARKER = re.compile(
    r"<!--(?:([pn])([0-9]+)--><([a-z]+[0-9]?)"
    r"|p([0-9]+)--><!--q([0-9]+)-->"
    r"|(/q|m)([0-9]+)-->"
    r"|@([\w.-]+?)-->"
    r"|([rb])([0-9]+)\.([0-9]+)-->|(f[01]|/f)-->)"
)
_FIRST_TAG = re.compile(r"<[A-Za-z][A-Za-z0-9]*")
_PLAIN_QUOTE = ("<blockquote>", "</blockquote>")


def fill_markers(
    html: str,
    *,
    post_id: int | str,
    quotes: Mapping[int, tuple[str, str]],
    notes: Mapping[int, str],
    members: Mapping[str, str] | None = None,
    marks: Collection[int] = (),
) -> str:
    """Put stored HTML into a page: one pass over its markers, never over what was put in.

    `quotes` gives the (opening, closing) HTML around quote n, whose first tag gets the passage's
    id; a quote without an entry stands in a plain blockquote. `notes` gives the HTML of the
    margin note of passage n. `members` maps lower-cased names to addresses; a mention of anybody
    else is text. Passages in `marks` get the class "said". All HTML given is trusted, and goes in
    as it is.
    """
    base = f"post-{html_lib.escape(str(post_id))}-"
    members = members or {}

    def put(found: re.Match[str]) -> str:
        kind = found.lastindex
        if kind == 12:  # a picture that stays a link
            return ""
        if kind == 3:
            name, number, tag = found.group(1, 2, 3)
            if name == "n":
                return f'<{tag} id="{base}fn{number}"'
            if marks and int(number) in marks and tag != "div":  # which has a class of its own
                return f'<{tag} id="{base}{number}" class="said"'
            return f'<{tag} id="{base}{number}"'
        if kind == 7:
            number = int(found[7])
            return notes.get(number, "") if found[6] == "m" else quotes.get(number, _PLAIN_QUOTE)[1]
        if kind == 5:
            opening = quotes.get(int(found[5]), _PLAIN_QUOTE)[0]
            first = _FIRST_TAG.search(opening)
            if first is None:
                return opening
            return f'{opening[: first.end()]} id="{base}{found[4]}"{opening[first.end() :]}'
        if kind == 8:
            name = found[8]
            address = members.get(name.lower())
            if address is None:
                return f"@{name}"
            return f'<a class="mention" href="{html_lib.escape(address)}">@{name}</a>'
        name, number, sub = found.group(9, 10, 11)
        back = f"{base}fnref{number}" if sub == "0" else f"{base}fnref{number}-{sub}"
        if name == "r":
            return (
                f'<sup class="footnote-ref"><a href="#{base}fn{number}" id="{back}" '
                f'aria-label="Footnote {number}">[{number}]</a></sup>'
            )
        return (
            f' <a class="footnote-back" href="#{back}" '
            f'aria-label="Back to the reference of footnote {number}">\u21a9\ufe0e</a>'
        )

    return _MARKER.sub(put, html)


def without_quotes(html: str, ordinals: Iterable[int]) -> str:
    """Stored HTML without these of its quotes, for a page where their sources stand above."""
    for ordinal in ordinals:
        html = re.sub(
            rf"<!--p[0-9]+--><!--q{ordinal}-->.*?<!--/q{ordinal}-->", "", html, flags=re.DOTALL
        )
    return html
