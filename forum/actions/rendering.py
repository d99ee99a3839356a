"""Stored HTML made of stored texts: own words by the renderer, quotes by their sources.

What is drawn inside a quote is the source's own rendering of the words quoted, so that a reader
never sees a word, sign or mark there that the source does not hold (docs/decisions/0026).
"""

import re
from collections.abc import Iterable, Mapping

from forum.text import markup

from ..models import Post, PostBody, PostRevision, Quote

_MARKED = re.compile(r"~~|\|\||\[spoiler", re.IGNORECASE)  # nothing else strikes or folds


def recompose(revision: PostRevision) -> markup.Rendered:
    """Render a stored revision again, as its format asks. Its quotes are drawn as they were typed:
    see `stored_html`. Raises MarkupError for a text that is beyond the limits by now."""
    return markup.render(
        revision.source,
        format=revision.format,
        quoted=tuple((first, last) for first, last in revision.quoted),
        numbered={int(number): pk for number, pk in revision.posts_named.items()},
    )


def stored_html(
    rendered: markup.Rendered, quotes: Iterable[Quote], htmls: dict[int, str] | None = None
) -> str:
    """The HTML to be stored of a rendered text with these judged quotes; `htmls` as in
    `insides_of`."""
    return markup.fill_quotes(rendered.html, insides_of(quotes, htmls))


def insides_of(quotes: Iterable[Quote], htmls: dict[int, str] | None = None) -> dict[int, str]:
    """What is drawn inside judged quotes, by their order in the text: exact words as their source
    shows them, altered ones without any markup, and nothing for quotes without a source, which stay
    as they were typed.

    `htmls` are texts that were rendered, by revision; other sources are added to them, from what is
    stored or rendered anew.
    """
    htmls = {} if htmls is None else htmls
    found = {}
    for quote in quotes:
        revision = quote.source_revision
        if revision is None or quote.source_post is None:
            continue
        cut = (quote.cut_start, quote.cut_end)
        if quote.verdict == Quote.Verdict.ALTERED:
            found[quote.ordinal] = markup.paragraphs([quote.words], cut=cut)
            continue
        if revision.pk not in htmls:
            htmls[revision.pk] = _html_of(quote.source_post, revision)
        parts = quote.parts or [(quote.start, quote.end)]
        rendered = markup.excerpt(
            htmls[revision.pk],
            plain=revision.plain,
            passages=revision.passages,
            parts=parts,
            listed=revision.format == PostRevision.Format.PLAIN,
            cut=cut,
        )
        if rendered is None:  # its plain words were made by an older renderer
            rendered = markup.paragraphs([revision.plain[a:b] for a, b in parts], cut=cut)
        found[quote.ordinal] = rendered
    return found


def marks_of(
    post: Post | None, revision: PostRevision, htmls: Mapping[int, str] | None = None
) -> list[tuple[int, int, str]]:
    """Which spans of a source's words are struck, and which a spoiler folds (see markup); `htmls`
    as in `insides_of`."""
    if not _MARKED.search(revision.source):
        return []
    html = (htmls or {}).get(revision.pk)
    if html is None:
        html = _html_of(post, revision) if post else html_again(revision)
    return markup.struck_and_folded(
        html,
        plain=revision.plain,
        passages=revision.passages,
        listed=revision.format == PostRevision.Format.PLAIN,
    )


def render_again(bodies: Iterable[PostBody], htmls: dict[int, str]) -> None:
    """Write the HTML of these bodies anew, after their texts or those that they quote were changed
    in place; `htmls` are all those that were changed, rendered."""
    for body in bodies:
        rendered = recompose(body.revision)
        quotes = body.revision.quotes.select_related("source_revision", "source_post__body")
        body.html, body.renderer = stored_html(rendered, quotes, htmls), markup.RENDERER_VERSION
        body.save(update_fields=["html", "renderer"])


def html_again(revision: PostRevision) -> str:
    """The HTML of a stored text, made anew; empty for one that cannot be rendered any more."""
    try:
        return recompose(revision).html
    except markup.MarkupError:
        return ""


def _html_of(post: Post, revision: PostRevision) -> str:
    """The HTML of a source: as it is stored, where that is of this text and this renderer."""
    body = post.body
    if (body.revision_id, body.renderer) == (revision.pk, markup.RENDERER_VERSION):
        return body.html
    return html_again(revision)
