"""Laying into stored HTML what depends on the reader: attributions, verdicts, backlinks, mentions.

Stored HTML knows no names and no rights. `render_posts` fetches, for all posts of a page at once,
the quotes in them and the quotes of them, asks the charter about each source, and gives every post
as a `PostEntry` with its finished `html`. Three queries, one more each if a page holds mentions or
pictures, and one or two if it holds polls. No text is compared here: what there is to say of one
was found when it was saved, or stands on a page of its own.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from django.utils.safestring import SafeString, mark_safe

from forum.jinja import macro
from forum.models import Post, Quote, Threadmark
from forum.permissions import charter_key, in_locked_branch, may, verbs
from forum.text import marking, markup
from forum.tree import Position

from .backlinks import Backlinks, backlinks
from .glossary import Glossary
from .margins import answers_given, notes
from .mentions import members_mentioned
from .polls import PollShown
from .polls import shown as polls_shown
from .post_pictures import fill_pictures, pictures_in
from .quotes import (
    ignored_by,
    nested_numbers,
    quotes_in,
    render_quote,
    shown_status,
)


@dataclass(frozen=True, slots=True)
class Folded:
    """What a folded branch of the tree hides: its replies, those of this page that are new, and
    the address that unfolds it for a visitor."""

    count: int
    fresh: int
    href: str


@dataclass(frozen=True, slots=True)
class Connector:
    """The line on which the posts of a list hang: whether it comes from the post above and runs on
    to the next; on a road, `loose` where nobody knows whether the next post answers this one, and
    `unsure` at that next one."""

    up: bool = False
    down: bool = False
    loose: bool = False
    unsure: bool = False


ALONE = Connector()


@dataclass(frozen=True, slots=True, kw_only=True)
class PostEntry:
    """A post as a page shows it to one reader: all that the page says of it and its row does not.
    `templates/macros/post.html` draws it."""

    post: Post
    gone: bool  # only a placeholder is shown
    verbs: frozenset[str]  # of the charter, that the page offers
    html: SafeString | None = None  # the finished text; None for a placeholder
    ignored: bool = False  # its author, by the reader: the text is folded away
    locked: bool = False  # its branch takes no answers
    parent_here: bool = False  # what it answers stands on the same page
    fresh: bool = False  # the reader has not seen it before
    aside: bool = False  # it keeps to another lane than the one that is read
    mark: Threadmark | None = None
    poll: PollShown | None = None
    position: Position | None = None  # in the tree; None in a list
    folded: Folded | None = None
    line: Connector = ALONE  # in a list
    step: str = ""  # on a road: what it answers, in words
    # On a road: its words that the next post answers, as `marking.mark_words` takes them.
    answered: Mapping[int, set[tuple[int, str]]] = field(default_factory=dict)
    # The posts that it leads to, by links that say whether these stand on the same page.
    leads: frozenset[int] = frozenset()
    drawn: SafeString | None = None  # the whole of it, where that was drawn before


def render_posts(
    posts: Sequence[Post],
    *,
    user,
    road: bool = False,
    terms: Glossary | None = None,
    positions: Mapping[int, Position] | None = None,
    lines: Mapping[int, Connector] | None = None,
    here: Container[int] | None = None,
) -> list[PostEntry]:
    """Posts as a page shows them to `user`, in their order. They come from `for_reading()` with
    their thread and board at hand; `positions` or `lines` say by their ids how they hang together,
    `here` which posts stand on the page, if there are others.

    On a `road` each post answers the one before it: quotes of that one are left out, since it
    stands above, the words they quote are marked there, and `step` says in words what is answered.
    The first use of each of `terms` in a post is explained.
    """
    if not posts:
        return []
    here = {post.pk for post in posts} if here is None else here
    ignoring = ignored_by(user)
    offers = offered(posts, user=user)
    readable = [post for post in posts if not offers[post.pk][0]]
    quotes = quotes_in(readable)
    shown = {quote.pk: shown_status(quote, user) for group in quotes.values() for quote in group}
    quoted = {} if road else backlinks(readable, user, here)
    answers = {} if road else answers_given(readable)
    polls = polls_shown(readable, user=user)
    members = members_mentioned((post.body.html for post in readable), ignoring)
    pictures = pictures_in(readable)
    numbers = nested_numbers(quotes, user)
    steps = _steps(posts, {post.pk for post in readable}, quotes, shown) if road else {}
    frame = macro("macros/quote.html", "frame")
    note = macro("macros/note.html", "note")

    def text(post: Post, step: _Step) -> SafeString:
        pk, revision = post.pk, post.body.revision_id
        html = markup.without_quotes(post.body.html, [quote.ordinal for quote in step.quotes])
        html = marking.mark_words(html, step.answered) if step.answered else html
        html, meanings = terms.explain(html, pk) if terms else (html, {})
        html = fill_pictures(html, pictures.get(revision, {}))
        filled = {
            quote.ordinal: render_quote(frame, quote, shown[quote.pk], numbers, here, ignoring)
            for quote in quotes.get(revision, ())
        }
        margin = notes(
            note,
            post,
            html,
            quoted=quoted.get(pk, {}),
            answers=answers.get(pk, {}),
            meanings=meanings,
        )
        return SafeString(
            markup.fill_markers(
                html, post_id=pk, quotes=filled, notes=margin, members=members, marks=step.answered
            )
        )

    entries = []
    for post in posts:
        pk, step = post.pk, steps.get(post.pk, _NO_STEP)
        gone, offer = offers[pk]
        entries.append(
            PostEntry(
                post=post,
                gone=gone,
                verbs=offer,
                html=None if gone else text(post, step),
                ignored=post.author_id in ignoring,
                locked=in_locked_branch(post),
                parent_here=post.parent_id in here,
                poll=polls.get(pk),
                position=positions.get(pk) if positions else None,
                line=lines.get(pk, ALONE) if lines else ALONE,
                step=step.words,
                answered=step.answered,
                leads=frozenset(_leads(post, quotes, quoted)),
            )
        )
    return entries


def _leads(
    post: Post, quotes: Mapping[int, list[Quote]], quoted: Mapping[int, Mapping[int, Backlinks]]
) -> Iterator[int]:
    """The ids of the posts that one leads to, wherever they stand; links say whether on the same
    page."""
    if post.parent_id:
        yield post.parent_id
    for quote in quotes.get(post.body.revision_id, ()):
        if quote.source_post_id:
            yield quote.source_post_id
    for backlinks_of in quoted.get(post.pk, {}).values():
        yield from (link["post"] for link in backlinks_of.links)


def render_post(post: Post, *, user, terms: Glossary | None = None) -> PostEntry:
    """One post as it stands alone on a page, by the same rules."""
    return render_posts([post], user=user, terms=terms)[0]


def offered(posts: Iterable[Post], *, user) -> dict[int, tuple[bool, frozenset[str]]]:
    """Of each post, by its id: whether only a placeholder is shown to `user`, and which verbs the
    page offers. The charter is asked once about all that it does not tell apart."""
    answers: dict[tuple, tuple[bool, frozenset[str]]] = {}
    found = {}
    for post in posts:
        key = charter_key(user, post)
        if key not in answers:
            answers[key] = (not may(user, "see post", post), verbs(user, post))
        found[post.pk] = answers[key]
    return found


@dataclass(slots=True)
class _Step:
    """What a post of a road is to its neighbours: its quotes of the post before, what that says in
    words, and its own words that the next one answers."""

    quotes: Sequence[Quote] = ()
    words: str = ""
    answered: Mapping[int, set[tuple[int, str]]] = field(default_factory=dict)


_NO_STEP = _Step()


def _steps(
    posts: Sequence[Post],
    readable: Container[int],
    quotes: dict[int, list[Quote]],
    shown: dict[int, str],
) -> dict[int, _Step]:
    """What the posts of a road are to each other, by their ids."""
    found = {post.pk: _Step() for post in posts}
    for before, post in pairwise(posts):
        step = found[post.pk]
        if post.pk in readable and before.pk in readable:
            step.quotes = [
                quote
                for quote in quotes.get(post.body.revision_id, ())
                if quote.source_post_id == before.pk and shown[quote.pk] != "unverifiable"
            ]
        current = [q for q in step.quotes if q.source_revision_id == q.current_id]
        found[before.pk].answered = answered = _answered(before, current)
        if any(quote.whole for quote in step.quotes):
            step.words = f"answers the whole of #{before.number}"
        elif step.quotes:
            one = "passage" if len(answered) == 1 else "passages"
            step.words = f"answers the marked {one} of #{before.number}"
        elif post.parent_id == before.pk:
            step.words = f"answers #{before.number}"
    return found


def _answered(post: Post, quotes: Iterable[Quote]) -> dict[int, set[tuple[int, str]]]:
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
    frame = macro("macros/quote.html", "frame")
    filled = {
        quote.ordinal: render_quote(frame, quote, shown[quote.ordinal], numbers, (), ignoring)
        for quote in composed.quotes
    }
    html = fill_pictures(composed.html, {picture.key: picture for picture in composed.pictures})
    members = members_mentioned([html], ignoring)
    html = markup.fill_markers(html, post_id=post_id, quotes=filled, notes={}, members=members)
    return mark_safe(html)
