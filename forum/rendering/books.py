"""Debates as books: the story of one, or the road to a post, laid out as chapters.

A book is handed on, so it holds what everybody who sees the debate may read: hidden posts are
placeholders in it even if a moderator asks. Quotes are footnotes with the word for what their
source says and its permalink, as far as the reader sees the source.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from forum import rendering
from forum.models import Post, Quote, State, Thread, Threadmark
from forum.text import epub, markup
from forum.text.history_dates import spoken

from . import polls
from .book_pictures import BookPictures

# A request stays bounded: what does not fit is the next part of the book.
MAX_POSTS = 300
MAX_CHARACTERS = 3_000_000  # of HTML


def of_thread(thread: Thread, *, user, base: str, first: int = 1) -> epub.Book:
    """The marked posts of a debate, of one without marks all posts, from number `first` on.
    `base` is the site's address."""
    marks = {mark.post_id: mark for mark in Threadmark.objects.story_of(thread.pk)}
    rows = Post.objects.for_reading().filter(number__gte=first, thread=thread).order_by("number")
    if marks:
        rows = rows.filter(pk__among=[m.post_id for m in marks.values() if m.number >= first])
    posts, after = _part(rows)
    return _book(
        thread,
        posts,
        user=user,
        base=base,
        seed=f"{thread.key}/{'story' if marks else 'debate'}",
        title=thread.title,
        labels={pk: mark.label for pk, mark in marks.items()},
        about=f"Of this debate {'the parts of the story' if marks else 'all posts'}",
        first=first,
        after=after,
    )


def of_road(post: Post, *, user, base: str, first: int = 1) -> epub.Book:
    """The dialogue from the opening to a post, from the post with number `first` on."""
    thread = post.thread
    branch = Post.objects.leading_to(post)
    opening = Post.objects.opening_of(thread.pk)
    # Its ids first: a road is as long as its branch is deep.
    ids = {*branch.values_list("pk", flat=True), *opening.values_list("pk", flat=True)}
    rows = Post.objects.for_reading().filter(pk__among=_from(ids, first)).order_by("number")
    posts, after = _part(rows)
    return _book(
        thread,
        posts,
        user=user,
        base=base,
        seed=f"{thread.key}/road/{post.key}",
        title=f"The way to #{post.number}: {thread.title}",
        labels={},
        about=f"The posts of this debate that lead to #{post.number}",
        first=first,
        after=after,
    )


def _from(ids: Iterable[int], first: int) -> list[int]:
    """Of these posts the first that a part of a book can hold, and one more."""
    numbered = Post.objects.filter(pk__among=ids, number__gte=first).order_by("number")
    return list(numbered.values_list("pk", flat=True)[: MAX_POSTS + 1])


def _part(rows) -> tuple[list[Post], Post | None]:
    """As many posts as one part holds, and the one with which the next begins."""
    posts: list[Post] = []
    size = 0
    for post in rows[: MAX_POSTS + 1].iterator(chunk_size=50):
        size += len(post.body.html)
        if posts and (len(posts) == MAX_POSTS or size > MAX_CHARACTERS):
            return posts, post
        posts.append(post)
    return posts, None


def _book(
    thread: Thread,
    posts: Sequence[Post],
    *,
    user,
    base: str,
    seed: str,
    title: str,
    labels: dict[int, str],
    about: str,
    first: int,
    after: Post | None,
) -> epub.Book:
    for post in posts:
        post.thread = thread
    readable = [post for post in posts if post.state == State.VISIBLE]
    quotes = rendering.judged(readable, user)
    asked = polls.plain(readable)
    pictures = BookPictures(readable)
    chapters = [
        _chapter(post, quotes, labels, base, asked.get(post.pk, ""), pictures) for post in posts
    ]
    if maps := pictures.atlas:
        chapters.append(epub.Chapter("atlas", "Atlas", f"<h1>Atlas</h1>\n{maps}"))
    part = first > 1 or after is not None
    if part and posts:
        about += f": {len(posts)} of them, #{posts[0].number} to #{posts[-1].number}"
        title += f" (from #{posts[0].number})" if first > 1 else ""
    more = f" The next part begins with #{after.number}." if after else ""
    return epub.Book(
        seed=f"{base}{seed}/{first}",
        title=title,
        creators=list(dict.fromkeys(post.writer for post in readable)),
        modified=max([_changed(post) for post in posts], default=thread.created_at),
        source=f"{base}{thread.get_absolute_url().lstrip('/')}",
        front=_front(thread, title, f"{about}.{more}", base),
        chapters=chapters,
        images=pictures.images,
    )


def _changed(post: Post) -> datetime:
    return max(post.loaded_at, post.body.edited_at or post.loaded_at)


def _front(thread: Thread, title: str, about: str, base: str) -> str:
    divergences = "".join(
        f"<li>{epub.text(spoken(one['edtf']))}: {epub.text(one['change'])}</li>"
        for one in thread.shown_card.get("divergences", ())
    )
    where = f"{base}{thread.get_absolute_url().lstrip('/')}"
    return (
        f'<h1 dir="auto">{epub.text(title)}</h1>\n'
        f"<p>{epub.text(thread.get_kind_display())}, opened by {epub.text(thread.opener)}.</p>\n"
        + (f"<p>Where it leaves history:</p><ul>{divergences}</ul>\n" if divergences else "")
        + f'<p>{epub.text(about)} The whole debate: <a href="{epub.text(where)}">'
        f"{epub.text(where)}</a></p>"
    )


def _chapter(
    post: Post,
    quotes: dict[int, list[tuple[Quote, str]]],
    labels: dict[int, str],
    base: str,
    poll: str,
    pictures: BookPictures,
) -> epub.Chapter:
    """One post, or what stands in its place."""
    name = f"post-{post.number}"
    if post.state != State.VISIBLE:
        title = f"#{post.number}, {post.get_state_display().lower()}"
        return epub.Chapter(name, title, f"<h1>{epub.text(title)}</h1>")
    label = labels.get(post.pk)
    title = label or f"#{post.number}, {post.writer}"
    written = f", {post.written_at:%Y-%m-%d}" if post.written_at else ""
    address = f"{base}posts/{post.pk}/"
    filled = {
        quote.ordinal: _footnote(quote, status, base)
        for quote, status in quotes.get(post.body.revision_id, ())
    }
    stored = markup.without_spoilers(post.body.html)  # many readers of books cannot fold
    stored = pictures.with_pictures(stored, post)
    html = markup.fill_markers(stored, post_id=post.pk, quotes=filled, notes={}, members={})
    body = epub.xhtml(html + poll, address)
    head = (
        f'<h1 dir="auto">{epub.text(title)}</h1>\n<p class="meta">{epub.text(post.writer)}, '
        f'<a href="{epub.text(address)}">#{post.number}</a>{written}</p>\n'
    )
    return epub.Chapter(name, title, head + body)


def _footnote(quote: Quote, status: str, base: str) -> tuple[str, str]:
    """What stands before and after a quote's words: the reference, and the note that holds them."""
    source = quote.source_post if status != "unverifiable" else None
    name = "Source unknown"
    link = ""
    if source:
        name = f"{epub.text(source.writer)}, #{source.number}"
        if status != "removed":
            address = epub.text(f"{base}posts/{source.pk}/?p={quote.source_passage}")
            link = f' <a href="{address}">{address}</a>'
    note = f"quote-{quote.post_id}-{quote.ordinal}"
    before = (
        f'<p class="cited"><a epub:type="noteref" href="#{note}">Quote {quote.ordinal}: {name}</a>'
        f'</p><aside class="quote" epub:type="footnote" id="{note}" data-status="{status}">'
        "<blockquote>"
    )
    after = f'</blockquote><p class="status">{name}: {rendering.STATUS[status]}.{link}</p></aside>'
    return before, after
