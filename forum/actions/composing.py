"""From a typed source to what is stored: HTML, plain text, passages and judged quotes.

Everything here reads only, and runs before any lock: rendering and matching take milliseconds
that nobody else should wait for. The rows it makes are written by the action that called it.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.inserting import new_row
from core.problems import Unacceptable
from forum.text import markup, quoting

from ..models import Board, PassageKey, Picture, Post, PostBody, PostRevision, Quote, State, Thread
from ..models.visibility import posts_visible_to
from .erased_quotes import without_erased_quotes
from .judging import carried_over, judge
from .rendering import insides_of
from .shown_pictures import shown_pictures
from .sources import proposed, signed

# Characters of their sources over which all quotes of a post may reach, from the first word of each
# to its last: five times the longest post.
MAX_REACH = 300_000
SOUND = (Quote.Verdict.EXACT, Quote.Verdict.SHORTENED)


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
        revision = new_row(
            PostRevision,
            post_id=post.pk,
            number=number,
            format=self.format,
            source=self.source,
            quoted=[list(span) for span in self.quoted],
            plain=self.rendered.plain,
            passages=[[p.start, p.end] for p in self.rendered.passages],
            posts_named={str(number): pk for number, pk in self.rendered.posts.items()},
            sha256=self.sha256(),
            editor_id=editor and editor.pk,
            reason=reason,
            created_at=now,
        )
        revision.post, revision.editor = post, editor
        return revision

    def body(self, revision: PostRevision) -> PostBody:
        """The HTML row of a saved revision, unsaved."""
        body = new_row(
            PostBody,
            post_id=revision.post_id,
            revision_id=revision.pk,
            revision_number=revision.number,
            edited_at=revision.created_at if revision.number > 1 else None,
            html=self.html,
            renderer=markup.RENDERER_VERSION,
        )
        body.revision = revision
        return body

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
    carried, inside = carried_over(earlier, rendered.quotes)
    fresh = [block for block in rendered.quotes if block.ordinal not in carried]
    judged = judge(
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
