"""From a typed source to what is stored: HTML, plain text, passages and judged quotes.

Everything here reads only, and runs before any lock: rendering and matching take milliseconds
that nobody else should wait for. The rows it makes are written by the action that called it.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from core.problems import Problem
from forum.text import markup, quoting

from ..models import Board, PassageKey, Picture, Post, PostBody, PostRevision, Quote, State, Thread
from ..models.visibility import posts_visible_to, wider
from .erased_quotes import without_erased_quotes
from .following import follow_source, followed_passage
from .rendering import insides_of, recompose
from .shown_pictures import shown_pictures
from .sources import Search, proposed, signed

# Characters of their sources over which all quotes of a post may reach, from the first word of each
# to its last: five times the longest post.
MAX_REACH = 300_000
SOUND = (Quote.Verdict.EXACT, Quote.Verdict.SHORTENED)


class Unacceptable(Problem):
    """What was typed or chosen cannot be taken as it is."""


class ErasedQuoted(Unacceptable):
    """A text quotes words that were erased since its form was opened; `text` is it without them."""

    def __init__(self, text: str) -> None:
        super().__init__(
            "Words that you quote were erased for a legal reason. Below is your text without them: "
            "look it over, then send it again."
        )
        self.text = text


@dataclass(slots=True)
class Composed:
    """A text ready to be stored: `quotes` lack only their post and revision."""

    source: str
    format: str
    rendered: markup.Rendered
    quotes: list[Quote]
    html: str
    quoted: Sequence[tuple[int, int]] = ()
    pictures: Sequence[Picture] = ()

    def sha256(self) -> str:
        """By which two texts are known to be the same."""
        return hashlib.sha256(self.source.encode()).hexdigest()

    def revision(
        self, post: Post, number: int, *, editor, now: datetime, reason: str = ""
    ) -> PostRevision:
        """The revision row of this text, unsaved."""
        return PostRevision(
            post=post,
            number=number,
            format=self.format,
            source=self.source,
            quoted=[list(span) for span in self.quoted],
            plain=self.rendered.plain,
            passages=[[p.start, p.end] for p in self.rendered.passages],
            posts_named={str(number): pk for number, pk in self.rendered.posts.items()},
            sha256=self.sha256(),
            editor=editor,
            reason=reason,
            created_at=now,
        )

    def body(self, revision: PostRevision) -> PostBody:
        """The HTML row of a saved revision, unsaved."""
        return PostBody(
            post_id=revision.post_id,
            revision=revision,
            revision_number=revision.number,
            edited_at=revision.created_at if revision.number > 1 else None,
            html=self.html,
            renderer=markup.RENDERER_VERSION,
        )

    def take_stances(self, stances: Mapping[int, str]) -> None:
        """Note how the writer stands to single quotes, by their order in the text."""
        for quote in self.quotes:
            quote.stance = stances.get(quote.ordinal, quote.stance)

    def quotes_of(self, revision: PostRevision) -> list[Quote]:
        """The quote rows of a saved revision, unsaved."""
        for quote in self.quotes:
            quote.pk = None
            quote.post_id = revision.post_id
            quote.revision = revision
        return self.quotes


def compose(
    *,
    user,
    board: Board,
    source: str,
    thread: Thread | None = None,
    parent: Post | None = None,
    earlier: PostRevision | None = None,
) -> Composed:
    """Render `source` (CommonMark) and judge its quotes for `user`, writing into `board`.

    `thread` resolves "#5", `parent` is a candidate source even when no quote names it, and the
    quotes of the `earlier` revision are carried over as they were judged. Raises Unacceptable.
    """
    try:
        numbered = _numbered(source, user, thread, earlier)
        rendered = markup.render(source, format="markdown", numbered=numbered)
    except markup.MarkupError as error:
        raise Unacceptable(str(error)) from error
    if not rendered.plain.strip():
        raise Unacceptable(
            "Add something of your own to the quotes." if rendered.quotes else "Write your text."
        )
    pictures = check_pictures(rendered.pictures, user=user, board=board, earlier=earlier)
    carried, inside = _carried(earlier, rendered.quotes)
    fresh = [block for block in rendered.quotes if block.ordinal not in carried]
    judged = _judge(
        fresh,
        user=user,
        board=board,
        thread=thread,
        parent=parent,
        quoting_post=earlier.post_id if earlier else None,
    )
    quotes = [
        quote
        for block in rendered.quotes
        if (quote := carried.get(block.ordinal) or judged.get(block.ordinal)) is not None
    ]
    sound = {quote.ordinal for quote in quotes if quote.verdict in SOUND}
    if any(block.ordinal not in sound for block in fresh):
        clean = without_erased_quotes(
            source,
            user=user,
            thread=thread,
            parent=parent,
            known=earlier.source if earlier else "",
        )
        if clean != source:
            raise ErasedQuoted(clean)
    reach = sum((quote.end or 0) - (quote.start or 0) for quote in quotes if quote.source_post_id)
    if reach > MAX_REACH:
        raise Unacceptable(
            f"The quotes of a post reach over at most {MAX_REACH:,} characters of their sources, "
            f"from first words to last; these reach over {reach:,}. Quote shorter passages."
        )
    inside |= insides_of(quote for quote in quotes if quote.ordinal not in inside)
    html = markup.fill_quotes(rendered.html, inside)
    return Composed(source, PostRevision.Format.MARKDOWN, rendered, quotes, html, pictures=pictures)


def check_pictures(
    keys: Collection[str], *, user, board: Board, earlier: PostRevision | None
) -> list[Picture]:
    """The pictures with these keys, which a text of `user` in `board` may show, as
    `shown_pictures` says. Raises Unacceptable where one may not be shown."""
    found, missing = shown_pictures(keys, user=user, board=board, earlier=earlier)
    if missing:
        raise Unacceptable(
            f"There is no picture “{missing}” that you can show here. Add it below the text, or "
            "take it out."
        )
    return found


def _numbered(
    source: str, user, thread: Thread | None, earlier: PostRevision | None
) -> dict[int, int]:
    """The ids of the posts that "#5" means in a text, by number: what it meant when it was typed,
    else the post of the thread that has the number now, if `user` may read it."""
    wanted = markup.numbers_in(source)
    known = {int(number): pk for number, pk in earlier.posts_named.items()} if earlier else {}
    found = {number: known[number] for number in wanted if number in known}
    if thread is not None and (new := [number for number in wanted if number not in known]):
        rows = posts_visible_to(user).filter(thread=thread, number__in=new, state=State.VISIBLE)
        found |= dict(rows.values_list("number", "pk"))
    return found


def _carried(
    earlier: PostRevision | None, blocks: Sequence[markup.QuoteBlock]
) -> tuple[dict[int, Quote], dict[int, str]]:
    """Rows of the last revision for the blocks that an edit left alone, and what is drawn in them:
    a quote is judged once, and "#5" keeps meaning the post that it meant when it was typed."""
    if earlier is None or not blocks:
        return {}, {}
    of = earlier.quotes.select_related("source_revision", "source_post__body")
    rows = {quote.ordinal: quote for quote in of}
    old = [
        (block, rows[block.ordinal]) for block in recompose(earlier).quotes if block.ordinal in rows
    ]
    bodies = PostBody.objects.filter(revision=earlier, renderer=markup.RENDERER_VERSION)
    html = bodies.values_list("html", flat=True).first() if old else ""
    drawn, inside = markup.insides(html or ""), {}
    found = {}
    for block in blocks:
        for index, (before, row) in enumerate(old):
            if _same(before, block):
                if row.source_revision_id and row.ordinal in drawn:
                    inside[block.ordinal] = drawn[row.ordinal]
                row.ordinal, row.passage = block.ordinal, block.passage
                found[block.ordinal] = row
                del old[index]
                break
    return found, inside


def _same(a: markup.QuoteBlock, b: markup.QuoteBlock) -> bool:
    return (a.author, a.post_id, a.post_number, a.words, a.syntax) == (
        b.author,
        b.post_id,
        b.post_number,
        b.words,
        b.syntax,
    )


def _judge(
    blocks: Sequence[markup.QuoteBlock],
    *,
    user,
    board: Board,
    thread: Thread | None,
    parent: Post | None,
    quoting_post: int | None,
) -> dict[int, Quote]:
    """Find the source of each block among the posts it may come from, and judge it."""
    if not blocks:
        return {}
    by_id, by_number = _named_posts(blocks, user, thread, parent)
    search = Search(user, thread, parent, quoting_post)
    found = {}
    for block in blocks:
        named = by_id.get(block.post_id or 0) or by_number.get(block.post_number or 0)
        match, source = search.find(block.words, named)
        if block.syntax == "blockquote" and match.verdict != Quote.Verdict.EXACT:
            continue  # a plain ">" claims nothing, so there is nothing to judge
        nested = [
            by_id.get(post_id or 0) or by_number.get(number or 0)
            for _, post_id, number in block.nested
        ]
        if source and wider(source[0].thread.board, board):
            raise Unacceptable(
                f"Words from “{source[0].thread.board}” cannot be quoted here, where more people "
                "read. Say it in your own words or take the quote out."
            )
        found[block.ordinal] = quote_row(
            ordinal=block.ordinal,
            passage=block.passage,
            words=block.words,
            match=match,
            source=source,
            current=source[0].body.revision if source else None,
            nested=[post.pk for post in nested if post],
            reason=Quote.TOO_MUCH if match.stopped else "",
        )
    return found


def _named_posts(
    blocks: Iterable[markup.QuoteBlock], user, thread: Thread | None, parent: Post | None
) -> tuple[dict[int, Post], dict[int, Post]]:
    """The posts that quotes name, by id and by number in the thread, that `user` may read. Most
    name the post that is answered, which is at hand."""
    ids, numbers = set(), set()
    for block in blocks:
        for post_id, number in (
            (block.post_id, block.post_number),
            *((post_id, number) for _, post_id, number in block.nested),
        ):
            ids.add(post_id)
            numbers.add(number)
    ids, numbers, posts = ids - {None}, numbers - {None}, []
    if parent is not None and parent.state == State.VISIBLE:
        posts = [parent]
        ids.discard(parent.pk)
        if thread is not None and parent.thread_id == thread.pk:
            numbers.discard(parent.number)
    rule = Q(pk__in=ids)
    if thread is not None:
        rule |= Q(thread=thread, number__in=numbers)
    if ids or numbers:
        posts += (
            posts_visible_to(user)
            .filter(rule, state=State.VISIBLE)
            .select_related("thread__board", "body__revision")
        )
    return (
        {post.pk: post for post in posts},
        {post.number or 0: post for post in posts if thread and post.thread_id == thread.pk},
    )


def also_in(
    composed: Composed, *, user, thread: Thread, besides: int | None = None
) -> list[tuple[Quote, list[Post]]]:
    """The exact quotes for which the writer named no post and whose words stand in more posts of
    the debate than the one that they are taken from, each with these, the earliest first; never
    the post with the id `besides`, which is being written."""
    unnamed = {
        block.ordinal
        for block in composed.rendered.quotes
        if block.post_id is None and block.post_number is None
    }
    found = []
    for quote in composed.quotes:
        if quote.ordinal in unnamed and quote.verdict == Quote.Verdict.EXACT:
            others = [
                post
                for post in proposed(quote.words, user, thread)
                if post.pk not in (quote.source_post_id, besides)
                and quoting.still_stands([quote.words], post.body.revision.plain)
            ]
            if others:
                found.append((quote, others))
    return found


def passage_keys(post: Post, plain: str) -> list[PassageKey]:
    """The rows under which the thread's index finds this text, unsaved."""
    return [
        PassageKey(thread_id=post.thread_id, key=signed(key), post_id=post.pk)
        for key in quoting.paragraph_keys(plain)
    ]


def quote_row(
    *,
    ordinal: int,
    passage: int,
    words: str,
    match: quoting.Match,
    source: tuple[Post, PostRevision] | None,
    current: PostRevision | None = None,
    nested: Sequence[int] = (),
    reason: str = "",
) -> Quote:
    """The row of a judged quote, unsaved and without its post and revision. `current` is the newest
    text of its source, where the words may come from an older one."""
    if source is not None:
        match = quoting.over_quotes(match, source[1].passages)
    quote = Quote(
        ordinal=ordinal,
        passage=passage,
        words=words,
        verdict=match.verdict,
        nested=list(nested),
        reason=reason,
    )
    if source is None:
        return quote
    post, revision = source
    quote.source_post, quote.source_revision = post, revision
    quote.start, quote.end = match.start, match.end
    quote.parts = [list(part) for part in match.parts]
    current = current or revision
    quote.source_passage = followed_passage(revision, match.start or 0, match.end or 0, current)
    follow_source(quote, current)
    return quote
