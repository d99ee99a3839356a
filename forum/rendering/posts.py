"""Laying into stored HTML what depends on the reader: attributions, verdicts, backlinks, mentions.

Stored HTML knows no names and no rights. `render_posts` fetches, for all posts of a page at once,
the quotes in them and the quotes of them, asks the charter about each source, and gives every post
its finished `html`. Three queries, and one more if a page holds mentions. No text is compared
here: what there is to say of one was found when it was saved, or stands on a page of its own.
"""

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from itertools import pairwise

from django.db.models import Q
from django.utils.safestring import mark_safe

from accounts.models import User, skeleton
from core.compiled_queries import CompiledQuery
from forum.jinja import fragment_renderer
from forum.models import Post, Quote
from forum.permissions import charter_key, in_locked_branch, may, verbs
from forum.text import marking, markup

from .glossary import Glossary
from .quotes import backlinks, ignored_by, nested_numbers, quotes_in, render_quote, shown_status

MENTION = re.compile(r"<!--@([^>]+?)-->")


def render_posts(
    posts: Sequence[Post], *, user, road: bool = False, terms: Glossary | None = None
) -> Sequence[Post]:
    """Finish posts for a page: each gets `html` (None for a placeholder), `verbs`, `gone` and
    `ignored`. The posts come from `for_reading()` with their thread and board at hand.

    On a `road` each post answers the one before it: quotes of that one are left out, since it
    stands above, the words they quote are marked there, and `step` says in words what is answered.
    The first use of each of `terms` in a post is explained.
    """
    if not posts:
        return posts
    readable = []
    here = {post.pk for post in posts}
    ignoring = ignored_by(user)
    offer(posts, user=user)
    for post in posts:
        post.ignored = post.author_id in ignoring
        post.closed = in_locked_branch(post)
        post.html = None
        post.parent_here = post.parent_id in here
        if not post.gone:
            readable.append(post)
    quotes = quotes_in(readable)
    shown = {quote.pk: shown_status(quote, user) for group in quotes.values() for quote in group}
    notes = {} if road else backlinks(readable, user, here)
    members = _members((post.body.html for post in readable), ignoring)
    numbers = nested_numbers(quotes, user)
    answered = _answered_on(posts, quotes, shown) if road else {}
    frame = fragment_renderer("posts/_quote.html")
    for post in readable:
        html = markup.without_quotes(
            post.body.html, [quote.ordinal for quote in answered.get(post.pk, ())]
        )
        said = getattr(post, "said", {})
        html = marking.mark_words(html, said) if said else html
        html = terms.explain(html, post.pk) if terms else html
        laid = {
            quote.ordinal: render_quote(frame, quote, shown[quote.pk], numbers, here, ignoring)
            for quote in quotes.get(post.body.revision_id, ())
        }
        html = markup.lay_in(
            html,
            post_id=post.pk,
            quotes=laid,
            notes=notes.get(post.pk, {}),
            members=members,
            marks=said,
        )
        post.html = mark_safe(html)
    return posts


def offer(posts: Iterable[Post], *, user) -> None:
    """Say of each post whether it is `gone` for `user`, and which `verbs` the page offers. The
    charter is asked once about all that it does not tell apart."""
    answers: dict = {}
    for post in posts:
        key = charter_key(user, post)
        if key not in answers:
            answers[key] = (not may(user, "see post", post), verbs(user, post))
        post.gone, post.verbs = answers[key]


def _answered_on(
    posts: Sequence[Post], quotes: dict[int, list[Quote]], shown: dict[int, str]
) -> dict[int, list[Quote]]:
    """For each post of a road, its quotes of the post before; sets `said` (the passages answered)
    there and `step` here."""
    found = {}
    for before, post in pairwise(posts):
        of_it = []
        if not (post.gone or before.gone):
            of_it = [
                quote
                for quote in quotes.get(post.body.revision_id, ())
                if quote.source_post_id == before.pk and shown[quote.pk] != "unverifiable"
            ]
        found[post.pk] = of_it
        current = [q for q in of_it if q.source_revision_id == q.current_id]
        before.said = _said(before, current)
        if any(quote.whole for quote in of_it):
            post.step = f"answers the whole of #{before.number}"
        elif of_it:
            one = "passage" if len(before.said) == 1 else "passages"
            post.step = f"answers the marked {one} of #{before.number}"
        elif post.parent_id == before.pk:
            post.step = f"answers #{before.number}"
    return found


def _said(post: Post, quotes: Iterable[Quote]) -> dict[int, set[tuple[int, str]]]:
    """The words of a post that quotes of its current text repeat, as `marking.mark_words` takes
    them: by passage, how many characters stand before them, and the words."""
    plain = post.body.revision.plain
    found = defaultdict(set)
    for quote in quotes:
        for first, last in quote.parts or [(quote.start, quote.end)]:
            for number, (start, end) in enumerate(post.body.revision.passages, 1):
                if start < last and end > first:
                    a, b = max(start, first), min(end, last)
                    before = len("".join(plain[start:a].split()))
                    found[number].add((before, plain[a:b]))
    return found


def render_preview(composed, *, user, post_id="preview") -> str:
    """The HTML of a composed text that is not stored yet, as it will be drawn."""
    shown = {quote.ordinal: shown_status(quote, user) for quote in composed.quotes}
    numbers = nested_numbers({None: composed.quotes}, user)
    ignoring = ignored_by(user)
    frame = fragment_renderer("posts/_quote.html")
    laid = {
        quote.ordinal: render_quote(frame, quote, shown[quote.ordinal], numbers, (), ignoring)
        for quote in composed.quotes
    }
    html = composed.html
    members = _members([html], ignoring)
    html = markup.lay_in(html, post_id=post_id, quotes=laid, notes={}, members=members)
    return mark_safe(html)


_named = CompiledQuery(
    "members_named",
    lambda skeletons: User.objects.filter(
        Q(skeleton__in=skeletons) | Q(past_names__skeleton__in=skeletons), is_active=True
    ).values_list("pk", "username", "past_names__username"),
    "texts",
)


def _members(htmls: Iterable[str], ignoring: Container[int]) -> dict[str, str]:
    """The members mentioned on a page: lower-cased name to profile address. Those whom the reader
    ignores are plain text."""
    names = {name for html in htmls for name in MENTION.findall(html)}
    if not names:
        return {}
    rows = _named([skeleton(name) for name in names])
    return {
        name.lower(): f"/members/{username}/"
        for pk, username, past in rows
        for name in (past, username)
        if name and pk not in ignoring
    }
