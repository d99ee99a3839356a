"""Judging the quotes of a text: where the words of each come from, and whether they stand there.

The verdicts are those of forum.text.quoting; here the posts are found that a quote may come from.
"""

from collections.abc import Iterable, Sequence

from django.db.models import Q

from core.problems import Unacceptable
from forum.text import markup, quoting

from ..models import Board, Post, PostBody, PostRevision, Quote, State, Thread
from ..models.visibility import posts_visible_to, wider
from .following import follow_source, followed_passage
from .rendering import recompose
from .sources import Search


def carried_over(
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
    rendered_quotes, inside = markup.insides(html or ""), {}
    found = {}
    for block in blocks:
        for index, (before, row) in enumerate(old):
            if _same(before, block):
                if row.source_revision_id and row.ordinal in rendered_quotes:
                    inside[block.ordinal] = rendered_quotes[row.ordinal]
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


def judge(
    blocks: Sequence[markup.QuoteBlock],
    *,
    user,
    board: Board,
    thread: Thread | None,
    parent: Post | None,
    quoting_post: int | None,
) -> dict[int, Quote]:
    """Find the source of each block among the posts that `user` may read, and judge it: the rows
    by the block's ordinal, unsaved. `thread` and `parent` as of `compose`; `quoting_post` is the id
    of the post that is edited. Raises Unacceptable where words would be read by more people than
    now."""
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
