"""Erasing words for a legal reason: everywhere, for good. The one act that cannot be undone.

Words are blackened, letter by letter, and not cut out: passages, spans of quotes and numbers stay
where they are, and everybody sees that something was here. Its entry in the audit log does not hold
the words, and the log itself is blackened too, which nothing else may do to it.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from django.db import connection, models, transaction
from django.db.models import Q

from accounts.models import User, new_edition

from .. import markup, tree
from ..models import (
    AuditEntry,
    Case,
    ChangeOfMind,
    Divergence,
    Draft,
    Note,
    Notice,
    PassageKey,
    Post,
    PostBody,
    PostRevision,
    Question,
    Quote,
    Report,
    Thread,
    Threadmark,
    Upload,
    slug_for,
)
from ..permissions import Refused, require
from ..quoting import cut_ends
from . import debate, notices
from . import words as words_of
from .audit import record
from .composing import passage_keys, recompose

BLACK = "█"
SHORTEST = 3  # letters of a phrase: "he" stands everywhere
MOST = 20  # phrases at once
# Where else than in posts and quotes members' words stand.
TEXTS: dict[type[models.Model], tuple[str, ...]] = {
    Thread: ("title", "own_answer", "byline", "source"),
    Post: ("byline", "state_reason"),
    Divergence: ("change", "actor", "place"),
    Question: ("text",),
    ChangeOfMind: ("reason",),
    Threadmark: ("label",),
    Draft: ("text", "title", "label", "fields"),
    Report: ("text",),
    Upload: ("name", "objects_read", "notes"),
    Notice: ("said", "answer"),
    Note: ("text",),
    Case: ("asked_name", "asked_why"),
    AuditEntry: ("reason", "detail"),
    User: ("about", "suspended_for"),
}
# Between two words of a phrase, as they may stand in a source: blanks and signs of markup.
_BETWEEN = r"[\s*_~`|>\\]+"
_WORD = re.compile(r"\w+")


@dataclass(slots=True)
class Found:
    """Where words stand: revisions of posts by id, each with its phrases, and other rows."""

    revisions: dict[int, list[str]] = field(default_factory=dict)
    rows: dict[type[models.Model], list[int]] = field(default_factory=dict)
    posts: set[int] = field(default_factory=set)
    threads: set[int] = field(default_factory=set)

    @property
    def places(self) -> int:
        """How many texts will be changed."""
        return len(self.revisions) + sum(map(len, self.rows.values()))


def phrases_of(post: Post, words: str) -> list[str]:
    """What is to be erased: the lines of `words`, or all words of all texts of the post if there
    are none. Raises Refused for what is too short or too much."""
    lines = [" ".join(line.split()) for line in words.splitlines() if line.strip()]
    if not lines:
        return []
    if len(lines) > MOST:
        raise Refused(f"At most {MOST} lines at once.")
    for line in lines:
        if sum(map(len, _WORD.findall(line))) < SHORTEST:
            raise Refused(f"“{line}” is too short: it would be erased in many places.")
    return lines


def find(post: Post, words: str) -> Found:
    """Where the lines of `words` stand, in the whole forum; without any, all texts of the post and
    the quotes of it."""
    phrases = phrases_of(post, words)
    found = Found()
    if phrases:
        for revision in _matching(PostRevision, ("source", "plain", "reason"), phrases):
            found.revisions[revision.pk] = list(phrases)
        for model, columns in TEXTS.items():
            if rows := [row.pk for row in _matching(model, columns, phrases)]:
                found.rows[model] = rows
    else:
        for revision in PostRevision.objects.filter(post=post):
            found.revisions[revision.pk] = _passages(revision)
        if post.is_opening:
            asked = Question.objects.filter(thread=post.thread_id)
            found.rows[Question] = list(asked.values_list("pk", flat=True))
    _follow_quotes(found)
    of = PostRevision.objects.filter(pk__in=found.revisions)
    found.posts = set(of.values_list("post_id", flat=True))
    found.threads = set(of.values_list("post__thread_id", flat=True))
    for model in (Divergence, Question, Threadmark):
        rows = model.objects.filter(pk__in=found.rows.get(model, ()))
        found.threads |= set(rows.values_list("thread_id", flat=True))
    found.threads |= {*found.rows.get(Thread, ()), post.thread_id}
    rows = Post.objects.filter(pk__in=found.rows.get(Post, ()))
    found.threads |= set(rows.values_list("thread_id", flat=True))
    return found


def erase(*, user, post: Post, words: str = "", reason: str, places: int) -> AuditEntry:
    """Blacken the lines of `words` wherever they stand, or all words of a post if there are none,
    with all quotes of them. `places` is what `find` had counted for whoever confirms it.

    Returns the entry. Raises permissions.Refused; then nothing was changed.
    """
    reason = reason.strip()
    if not reason:
        raise Refused("Say which law or order asks for it. Do not name the words.")
    phrases = phrases_of(post, words)
    if _black(reason, phrases or _passages_of(post)) != reason:
        raise Refused("The reason holds the words themselves, and it stays in the log.")
    with transaction.atomic():
        found = find(post, words)
        threads = {row.pk: row for row in tree.lock(*found.threads)}
        post = Post.objects.select_related("thread__board").get(pk=post.pk)
        require(user, "erase", post)
        again = find(post, words)
        if again.places != places or not again.threads <= set(threads):
            raise Refused(
                f"They stand in {again.places:,} texts by now, not in {places:,}. Look again."
            )
        _erase_texts(again)
        _erase_rows(again, phrases)
        for thread in threads.values():
            thread.refresh_from_db()
            debate.lay_out(thread)
            words_of.index(thread)
            tree.save_thread(thread, "card")
        entry = record(
            user,
            "erase",
            post=post,
            thread=threads[post.thread_id],
            reason=reason,
            posts=len(again.posts),
            places=again.places,
        )
        writers = User.objects.filter(posts__in=again.posts).distinct().order_by("pk")
        for writer in writers:
            notices.tell(
                writer, entry=entry, said="Words in a post of yours were erased for a legal reason."
            )
        new_edition()
    return entry


# --- Finding ----------------------------------------------------------------------------------


def _pattern(phrases: Iterable[str]) -> re.Pattern:
    """What finds any of these phrases, whatever stands between their words."""
    one = [_BETWEEN.join(map(re.escape, phrase.split())) for phrase in phrases if phrase.split()]
    one.sort(key=len, reverse=True)
    return re.compile("|".join(one) or r"(?!)", re.IGNORECASE)


def _black(text: str, phrases: Sequence[str]) -> str:
    """The text with these phrases blackened: each letter and digit, nothing else."""
    if not phrases:
        return text
    return _pattern(phrases).sub(lambda match: _WORD.sub(_letters, match[0]), text)


def _letters(match: re.Match) -> str:
    return BLACK * len(match[0])


def _matching(model, columns: Sequence[str], phrases: Sequence[str]):
    """The rows of a model that hold one of the phrases in one of the columns."""
    likely = Q()
    for phrase in phrases:
        # Databases fold the case of ASCII alone, and JSON may be stored escaped.
        known = max(re.findall(r"[A-Za-z0-9]{2,}", phrase), key=len, default="")
        if not known:
            likely = Q(pk__isnull=False)
            break
        for column in columns:
            likely |= Q(**{f"{column}__icontains": known})
    pattern = _pattern(phrases)
    for row in model._base_manager.filter(likely).order_by("pk").iterator(chunk_size=500):
        if any(_in_any(pattern.search, getattr(row, column)) for column in columns):
            yield row


def _in_any(search: Callable, value) -> bool:
    if isinstance(value, str):
        return bool(search(value))
    if isinstance(value, dict):
        return any(_in_any(search, one) for one in (*value, *value.values()))
    if isinstance(value, list):
        return any(_in_any(search, one) for one in value)
    return False


def _passages(revision: PostRevision) -> list[str]:
    """The phrases that are all words of a text."""
    found = [revision.plain[start:end] for start, end in revision.passages]
    return [line for text in found for line in text.splitlines() if line.strip()]


def _passages_of(post: Post) -> list[str]:
    return [line for one in PostRevision.objects.filter(post=post) for line in _passages(one)]


def _follow_quotes(found: Found) -> None:
    """Add the texts that quote what will be black, and what quotes these."""
    todo = list(found.revisions)
    while todo:
        revisions = PostRevision.objects.in_bulk(todo)
        todo = []
        quotes = Quote.objects.filter(source_revision__in=revisions).exclude(start=None)
        for quote in quotes.select_related("source_revision"):
            plain = quote.source_revision.plain
            black = _black(plain, found.revisions[quote.source_revision_id])
            if plain[quote.start : quote.end] == black[quote.start : quote.end]:
                continue
            lines = [line for line in quote.words.splitlines() if line.strip()]
            mine = found.revisions.setdefault(quote.revision_id, [])
            # Words that are all among the phrases already are blackened as these.
            wanted = black[quote.start : quote.end].split()
            if _black(quote.words, mine).split() != wanted and not set(lines) <= set(mine):
                mine += lines
                todo.append(quote.revision_id)


# --- Blackening -------------------------------------------------------------------------------


def _erase_texts(found: Found) -> None:
    """Blacken revisions, with all that is made of them."""
    revisions = PostRevision.objects.in_bulk(found.revisions)
    quotes = defaultdict(list)
    for quote in Quote.objects.filter(revision__in=revisions).order_by("ordinal"):
        quotes[quote.revision_id].append(quote)
    moved = set()
    for pk, revision in sorted(revisions.items()):
        phrases, before = found.revisions[pk], revision.plain
        rendered = _rewrite(revision, phrases)
        if len(rendered.plain) != len(before) or len(rendered.quotes) != len(quotes[pk]):
            moved.add(pk)
        revision.plain = rendered.plain
        revision.passages = [[p.start, p.end] for p in rendered.passages]
        revision.sha256 = hashlib.sha256(revision.source.encode()).hexdigest()
        revision.reason = _black(revision.reason, phrases)
        revision.save(update_fields=["source", "plain", "passages", "sha256", "reason", "format"])
        PostBody.objects.filter(revision=revision).update(
            html=rendered.html, renderer=markup.RENDERER_VERSION
        )
        words = {block.ordinal: block.words for block in rendered.quotes}
        for quote in quotes[pk]:
            quote.words = words.get(quote.ordinal, BLACK)
            quote.reason = _black(quote.reason, phrases)
            quote.save(update_fields=["words", "reason"])
    _part(found, moved)
    _index(found.posts)


def _rewrite(revision: PostRevision, phrases: Sequence[str]) -> markup.Rendered:
    """Blacken the source of a revision, and render it. Where markup keeps a phrase together that
    the source does not show as one, every letter outside of quote tags goes."""
    source = revision.source
    revision.source = _black(source, phrases)
    try:
        rendered = recompose(revision)
        if not _pattern(phrases).search(_read(rendered)):
            return rendered
    except markup.MarkupError:
        pass
    lines = source.split("\n")
    revision.source = "\n".join(
        line if re.match(r"\s*\[/?quote\b", line) else _WORD.sub(_letters, line) for line in lines
    )
    return recompose(revision)


def _read(rendered: markup.Rendered) -> str:
    """All that a reader finds in a text, its addresses included."""
    return "\n".join([rendered.plain, *(quote.words for quote in rendered.quotes), rendered.html])


def _part(found: Found, moved: set[int]) -> None:
    """Judge quotes again of which words or source are black now: what does not stand letter for
    letter in its place any more cannot be verified."""
    touched = Quote.objects.filter(
        Q(revision__in=found.revisions) | Q(source_revision__in=found.revisions),
        source_revision__isnull=False,
    ).select_related("source_revision")
    for quote in touched:
        said = quote.source_revision.plain[quote.start : quote.end].split()
        whole = quote.verdict != Quote.Verdict.EXACT or said == quote.words.split()
        if quote.source_revision_id in moved or not whole:
            quote.source_post = quote.source_revision = None
            quote.start = quote.end = quote.source_passage = None
            quote.parts, quote.verdict = [], Quote.Verdict.UNVERIFIABLE
            quote.whole = quote.cut_start = quote.cut_end = False
            quote.save()
        else:
            # Black letters are neither capitals nor small: sentences may begin elsewhere now.
            ends = cut_ends(quote.source_revision.plain, quote.start, quote.end)
            if ends != (quote.cut_start, quote.cut_end):
                quote.cut_start, quote.cut_end = ends
                quote.save(update_fields=["cut_start", "cut_end"])


def _index(post_ids: Iterable[int]) -> None:
    """Make the index of passages of these posts anew: keys are made of words."""
    for post in Post.objects.filter(pk__in=post_ids):
        PassageKey.objects.filter(thread=post.thread_id, post=post).delete()
        texts = PostRevision.objects.filter(post=post).values_list("plain", flat=True)
        keys = {key.key: key for plain in texts for key in passage_keys(post, plain)}
        PassageKey.objects.bulk_create(keys.values())


def _erase_rows(found: Found, phrases: Sequence[str]) -> None:
    """Blacken the other rows that hold the words."""
    for model, ids in found.rows.items():
        if model is AuditEntry:
            _open_the_log()
        for row in model._base_manager.filter(pk__in=ids):
            for column in TEXTS[model]:
                setattr(row, column, _black_all(getattr(row, column), phrases))
            if model is Thread:
                row.slug = slug_for(row.title)
            elif model is Question:
                _stay_unique(row)
            columns = TEXTS[model] + (("slug",) if model is Thread else ())
            values = {column: getattr(row, column) for column in columns}
            model._base_manager.filter(pk=row.pk).update(**values)


def _black_all(value, phrases: Sequence[str]):
    if isinstance(value, str):
        return _black(value, phrases) if phrases else _WORD.sub(_letters, value)
    if isinstance(value, dict):
        return {_black_all(key, phrases): _black_all(one, phrases) for key, one in value.items()}
    if isinstance(value, list):
        return [_black_all(one, phrases) for one in value]
    return value


def _stay_unique(question: Question) -> None:
    """Two questions of a debate are never the same, black ones neither."""
    others = Question.objects.filter(thread=question.thread_id).exclude(pk=question.pk)
    while others.filter(text=question.text).exists():
        question.text += BLACK


def _open_the_log() -> None:
    """Tell PostgreSQL's trigger that this transaction erases; it then lets reason and detail of
    entries be changed, and nothing else."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL jonbar.erasing = 'on'")
