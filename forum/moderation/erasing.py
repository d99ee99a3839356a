"""Erasing words for a legal reason: everywhere, for good. The one act that cannot be undone.

Words are blackened, letter by letter, and not cut out: passages, spans of quotes and numbers stay
where they are, and everybody sees that something was here. Its entry in the audit log does not hold
the words, and the log itself is blackened too, which nothing else may do to it.

What is not touched, and docs/operating.md says so: backups, and names and addresses of members, who
are renamed for that.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db import models, transaction
from django.db.models import Q

from accounts.models import User, raise_site_version
from core import spellings
from core.counting import counted
from core.spellings import BLACK
from forum import tree
from forum.actions import cards, gone_pictures, notices, pages
from forum.actions import keyword_index as words_of
from forum.actions.audit import open_the_log, record
from forum.actions.composing import passage_keys
from forum.actions.following import follow_source
from forum.actions.locking import lock_texts
from forum.actions.rendering import recompose, render_again
from forum.models import (
    AuditEntry,
    Board,
    Divergence,
    Page,
    PassageKey,
    PictureUse,
    Post,
    PostBody,
    PostRevision,
    Question,
    Quote,
    Term,
    Thread,
    slug_for,
)
from forum.models.debate import spot_columns
from forum.operations import downloads
from forum.own_data import asking as own_data
from forum.permissions import Refused, require
from forum.search import index
from forum.text import markup, quoting

from .words_found import TEXTS, Found, black, find, passages_of, pattern, phrases_of


def erase(*, user, post: Post, words: str = "", reason: str, texts: int) -> AuditEntry:
    """Blacken the lines of `words` wherever they stand, or all words of a post if there are none,
    with all quotes of them. `texts` is what `find` had counted for whoever confirms it.

    Returns the entry. Raises permissions.Refused; then nothing was changed.
    """
    reason = reason.strip()
    if not reason:
        raise Refused("Say which law or order asks for it. Do not name the words.")
    phrases = phrases_of(post, words)
    if black(reason, phrases or passages_of(post)) != reason:
        raise Refused("The reason holds the words themselves, and it stays in the log.")
    with transaction.atomic():
        found = find(post, words)
        threads = {row.pk: row for row in tree.lock(*found.threads)}
        post = Post.objects.select_related("thread__board").get(pk=post.pk)
        require(user, "erase", post)
        boards = Board.objects.select_for_update(no_key=True).order_by("pk")
        list(boards.filter(pk__in=found.rows.get(Board, ())).values_list("pk"))
        lock_texts(found.revisions)
        again = find(post, words)
        known = again.threads <= set(threads) and again.revisions.keys() == found.revisions.keys()
        if again.texts != texts or not known:
            raise Refused(
                f"They stand in {counted(again.texts, 'text,texts')} by now, not in {texts:,}. "
                "Look again."
            )
        _erase_texts(again)
        _erase_rows(again)
        if not phrases:
            _erase_pictures(post)
        for thread in threads.values():
            thread.refresh_from_db()
            cards.write_card(thread)
            words_of.index(thread)
            tree.save_thread(thread, "card")
        index.tidy()
        entry = record(
            user,
            "erase",
            post=post,
            thread=threads[post.thread_id],
            reason=reason,
            posts=len(again.posts),
            places=again.texts,
        )
        writers = User.objects.filter(posts__pk__among=again.posts).distinct().order_by("pk")
        message = "Words in a post of yours were erased for a legal reason."
        for writer in writers:
            notices.notify(writer, entry=entry, message=message)
        raise_site_version()
        transaction.on_commit(downloads.clear)
        own_data.make_all_anew()
    return entry


# --- Blackening -------------------------------------------------------------------------------


def _erase_texts(found: Found) -> None:
    """Blacken revisions, with all that is made of them."""
    revisions = PostRevision.objects.in_bulk(found.revisions)
    quotes = defaultdict(list)
    for quote in Quote.objects.filter(revision__pk__among=revisions).order_by("ordinal"):
        quotes[quote.revision_id].append(quote)
    moved, htmls = set(), {}
    for pk, revision in sorted(revisions.items()):
        phrases, before = found.revisions[pk], revision.plain
        rendered = _rewrite(revision, phrases)
        if len(rendered.plain) != len(before) or len(rendered.quotes) != len(quotes[pk]):
            moved.add(pk)
        revision.plain = rendered.plain
        revision.passages = [[p.start, p.end] for p in rendered.passages]
        revision.sha256 = hashlib.sha256(revision.source.encode()).hexdigest()
        revision.reason = black(revision.reason, phrases)
        revision.save(update_fields=["source", "plain", "passages", "sha256", "reason", "format"])
        htmls[pk] = rendered.html
        words = {block.ordinal: block.words for block in rendered.quotes}
        for quote in quotes[pk]:
            quote.words = words.get(quote.ordinal, BLACK)
            quote.reason = black(quote.reason, phrases)
            quote.save(update_fields=["words", "reason"])
    _part(found, moved, htmls)
    affected = Q(revision__pk__among=revisions) | Q(
        revision__quotes__source_revision__pk__among=revisions
    )
    render_again(PostBody.objects.filter(affected).select_related("revision").distinct(), htmls)
    _index(found.posts)


def _erase_pictures(post: Post) -> None:
    """Let a post show no picture any more; those that no other standing post shows are erased."""
    uses = PictureUse.objects.filter(post=post).select_related("picture")
    shown = [use.picture for use in uses]
    uses.delete()
    if alone := gone_pictures.unused(shown):
        gone_pictures.erase(alone)


def _rewrite(revision: PostRevision, phrases: Sequence[str]) -> markup.Rendered:
    """Blacken the source of a revision, and render it. Where markup keeps a phrase together that
    the source does not show as one, every letter outside of quote tags goes."""
    source = revision.source
    revision.source = black(source, phrases)
    try:
        rendered = recompose(revision)
        if not spellings.holds(_read(rendered), pattern(phrases)):
            return rendered
    except markup.MarkupError:
        pass
    lines = source.split("\n")
    revision.source = "\n".join(
        line if re.match(r"\s*\[/?quote\b", line) else spellings.all_black(line) for line in lines
    )
    return recompose(revision)


def _read(rendered: markup.Rendered) -> str:
    """All that a reader finds in a text, its addresses included."""
    return "\n".join([rendered.plain, *(quote.words for quote in rendered.quotes), rendered.html])


def _part(found: Found, moved: set[int], htmls: dict[int, str]) -> None:
    """Judge quotes again of which words or source are black now: what does not stand letter for
    letter in its place any more cannot be verified."""
    touched = Quote.objects.filter(
        Q(revision__pk__among=found.revisions) | Q(source_revision__pk__among=found.revisions),
        source_revision__isnull=False,
    ).select_related("source_revision", "source_post__body__revision")
    for quote in touched:
        source, pinned = quote.source_post, quote.source_revision
        whole = quote.verdict == Quote.Verdict.ALTERED or quoting.says(
            quote.words,
            pinned.plain if pinned else "",
            quote.parts or [(quote.start or 0, quote.end or 0)],
            shortened=quote.verdict == Quote.Verdict.SHORTENED,
        )
        if source is None or quote.source_revision_id in moved or not whole:
            quote.source_post = quote.source_revision = None
            quote.start = quote.end = quote.source_passage = None
            quote.parts, quote.verdict = [], Quote.Verdict.UNVERIFIABLE
            quote.whole = quote.cut_start = quote.cut_end = False
            quote.beside, quote.stands = [], True
        else:
            # Black letters are neither capitals nor small: sentences may begin elsewhere now.
            follow_source(quote, source.body.revision, htmls)
        quote.save()


def _index(post_ids: Iterable[int]) -> None:
    """Make the index of passages of these posts anew: keys are made of words."""
    for post in Post.objects.filter(pk__among=post_ids):
        PassageKey.objects.filter(thread=post.thread_id, post=post).delete()
        texts = PostRevision.objects.filter(post=post).values_list("plain", flat=True)
        keys = {key.key: key for plain in texts for key in passage_keys(post, plain)}
        PassageKey.objects.bulk_create(keys.values())
    index.write_posts(post_ids)


def _erase_rows(found: Found) -> None:
    """Blacken the other rows that hold the words."""
    for model, known in found.rows.items():
        if model is AuditEntry:
            open_the_log()
        for row in model._base_manager.in_bulk(known).values():
            phrases = known[row.pk]
            columns = TEXTS[model]
            for column in columns:
                setattr(row, column, _black_all(getattr(row, column), phrases))
            columns += _follow(row)
            for column in columns:
                _off_the_map(getattr(row, column))
            values = {column: getattr(row, column) for column in columns}
            model._base_manager.filter(pk=row.pk).update(**values)


def _follow(row: models.Model) -> tuple[str, ...]:
    """Let follow what is made of a row's words; the columns that changed by it."""
    if isinstance(row, Thread):
        row.slug = slug_for(row.title)
        return ("slug",)
    if isinstance(row, Board) and BLACK in row.name:
        row.slug = f"board-{row.pk}"
        return ("slug",)
    if isinstance(row, Page):
        row.html = pages.render(row.source)
        return ("html",)
    if isinstance(row, Divergence) and BLACK in row.place:
        columns = spot_columns(None)
        for column, value in columns.items():
            setattr(row, column, value)
        return tuple(columns)
    if isinstance(row, Question):
        _stay_unique(row, "text", Question.objects.filter(thread=row.thread_id))
    elif isinstance(row, Term):
        _stay_unique(row, "name", Term.objects.all())
    return ()


def _off_the_map(value) -> None:
    """Where the name of a place is black, take out of drafts, files and the log where it lies."""
    for one in value if isinstance(value, list) else ():
        _off_the_map(one)
    for name, one in list(value.items()) if isinstance(value, dict) else ():
        _off_the_map(one)
        if name.endswith("place") and BLACK in str(one):
            for suffix in ("spot", "found", "latitude", "longitude", "radius"):
                value.pop(name.removesuffix("place") + suffix, None)


def _black_all(value, phrases: Sequence[str] | None):
    if isinstance(value, str):
        return spellings.all_black(value) if phrases is None else black(value, phrases)
    if isinstance(value, dict):
        return {_black_all(key, phrases): _black_all(one, phrases) for key, one in value.items()}
    if isinstance(value, list):
        return [_black_all(one, phrases) for one in value]
    return value


def _stay_unique(row: models.Model, column: str, among: models.QuerySet) -> None:
    """Two questions of a debate are never the same, black ones neither; nor are two terms."""
    others = among.exclude(pk=row.pk)
    while others.filter(**{column: getattr(row, column)}).exists():
        setattr(row, column, getattr(row, column) + BLACK)
