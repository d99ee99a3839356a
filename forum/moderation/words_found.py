"""Finds where the words stand that are to be erased (see erasing), in every table."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from django.contrib.admin.models import LogEntry
from django.db import models
from django.db.models import Q

from accounts.models import Invitation, User
from core import spellings
from forum.models import (
    AuditEntry,
    Board,
    Bookmark,
    Case,
    ChangeOfMind,
    Divergence,
    Draft,
    Job,
    Note,
    Notice,
    Page,
    Picture,
    Poll,
    Post,
    PostRevision,
    Question,
    Quote,
    Report,
    Term,
    Thread,
    Threadmark,
    Upload,
    Watch,
)
from forum.permissions import Refused
from forum.text import quoting

SHORTEST = 3  # letters of a phrase: "he" stands everywhere
MOST = 20  # phrases at once
# Where else than in posts and quotes members' words stand; in the order in which rows are locked.
TEXTS: dict[type[models.Model], tuple[str, ...]] = {
    Thread: ("title", "own_answer", "byline", "source"),
    Board: ("name", "description"),
    Poll: ("question", "choices"),
    User: ("about", "suspended_for"),
    Post: ("byline", "state_reason"),
    Divergence: ("change", "actor", "place"),
    Question: ("text",),
    ChangeOfMind: ("reason",),
    Threadmark: ("label",),
    Draft: ("text", "title", "label", "fields"),
    Report: ("text",),
    Upload: ("name", "objects_read", "notes"),
    Notice: ("sentence", "answer"),
    Note: ("text",),
    Case: ("asked_name", "asked_why"),
    AuditEntry: ("reason", "detail"),
    Term: ("name", "aliases", "meaning"),
    Page: ("source",),
    Picture: (*("alt", "credit", "source", "title", "moment", "legend", "projection", "template"),),
    Watch: ("place", "years"),
    Bookmark: ("note",),
    Invitation: ("note",),
    Job: ("last_error",),  # what an error says of what it met
    LogEntry: ("object_repr", "change_message"),
}
_WORD = re.compile(r"\w+")


@dataclass(slots=True)
class Found:
    """Where words stand: revisions of posts by id, and other rows by model and id, each with the
    phrases that go; None are all words of the row."""

    revisions: dict[int, list[str]] = field(default_factory=dict)
    rows: dict[type[models.Model], dict[int, list[str] | None]] = field(default_factory=dict)
    posts: set[int] = field(default_factory=set)
    threads: set[int] = field(default_factory=set)

    @property
    def texts(self) -> int:
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
    """Where the lines of `words` stand, in the whole forum; without any, all texts of the post,
    what quotes them, the drafts that hold them, and what else are an opening's own words."""
    phrases = phrases_of(post, words)
    found = Found()
    if phrases:
        for revision in _matching(PostRevision, ("source", "plain", "reason"), phrases):
            found.revisions[revision.pk] = list(phrases)
        for model, columns in TEXTS.items():
            matching: dict[int, list[str] | None] = {
                row.pk: list(phrases) for row in _matching(model, columns, phrases)
            }
            if matching:
                found.rows[model] = matching
    else:
        _find_post(post, found)
    _follow_quotes(found)
    of = PostRevision.objects.filter(pk__among=found.revisions)
    found.posts = set(of.values_list("post_id", flat=True))
    found.threads = set(of.values_list("post__thread_id", flat=True))
    for model in (Divergence, Question, Threadmark):
        of_thread = model._default_manager.filter(pk__among=found.rows.get(model, ()))
        found.threads |= set(of_thread.values_list("thread_id", flat=True))
    found.threads |= {*found.rows.get(Thread, ()), post.thread_id}
    posts = Post.objects.filter(pk__among=[*found.rows.get(Post, ()), *found.rows.get(Poll, ())])
    found.threads |= set(posts.values_list("thread_id", flat=True))
    return found


def _find_post(post: Post, found: Found) -> None:
    """All words of a post, wherever they are its words."""
    own = list(PostRevision.objects.filter(post=post))
    for revision in own:
        found.revisions[revision.pk] = _passages(revision)
    words = [spellings.words_of(revision.plain) for revision in own]
    known = set().union(*(spellings.runs(revision.plain) for revision in own))

    def lines(text: str, quoted: str, near: bool) -> list[str]:
        """The post's words in a text: long runs of them, and near it sentences in quotes too."""
        found = [" ".join(run) for run in sorted(spellings.runs(text) & known)]
        return found + (spellings.sentences_within(quoted, words) if near else [])

    # A plain ">" is a quote that no row follows where it says something else besides. A quote
    # comes after its source; loaded texts may be older, and have rows.
    with_quotes = PostRevision.objects.filter(
        Q(source__contains=">") | Q(source__icontains="[quote"),
        format=PostRevision.Format.MARKDOWN,
        pk__gt=min((revision.pk for revision in own), default=0),
    ).exclude(post=post)
    for row in with_quotes.select_related("post").order_by("pk").iterator(chunk_size=500):
        quoted = spellings.quoted_in(row.source)
        if mine := lines(quoted, quoted, row.post.thread_id == post.thread_id):
            found.revisions[row.pk] = mine
    drafts = found.rows.setdefault(Draft, {})
    for draft in Draft.objects.order_by("pk").iterator(chunk_size=500):
        text = "\n".join(_strings([draft.text, draft.fields]))
        if draft.target == f"/posts/{post.pk}/edit/":
            drafts[draft.pk] = _lines(draft.text)
        elif mine := lines(text, spellings.quoted_in(draft.text), near=True):
            drafts[draft.pk] = mine
    if Poll.objects.filter(post=post).exists():
        found.rows[Poll] = {post.pk: None}
    if post.is_opening:
        _find_description(post.thread, found)


def _find_description(thread: Thread, found: Found) -> None:
    """The own answer, the questions and the divergences of a debate, as they are and as the log
    tells that they were: they go where the opening goes (permissions.see_opening)."""
    for model in (Question, Divergence):
        asked = model.objects.filter(thread=thread)
        found.rows[model] = dict.fromkeys(asked.values_list("pk", flat=True))
    lines = _lines(thread.own_answer)
    if lines:
        found.rows[Thread] = {thread.pk: list(lines)}
    for row in (*thread.questions.all(), *thread.divergences.all()):
        lines += [getattr(row, column) for column in TEXTS[type(row)]]
    entries = list(AuditEntry.objects.filter(thread=thread, verb="describe"))
    for entry in entries:
        for state in (entry.detail.get("before") or {}, entry.detail.get("after") or {}):
            lines += _lines(state.get("own_answer", ""))
            lines += state.get("questions", ())
            for one in state.get("divergences", ()):
                lines += [one[column] for column in TEXTS[Divergence]]
    if lines := [line for line in dict.fromkeys(lines) if line]:
        found.rows[AuditEntry] = {entry.pk: lines for entry in entries}
        for draft in Draft.objects.filter(target=f"/threads/{thread.pk}/describe/"):
            found.rows.setdefault(Draft, {})[draft.pk] = lines


@lru_cache(maxsize=64)
def _compiled(phrases: tuple[str, ...]) -> re.Pattern:
    return spellings.pattern(phrases)


def pattern(phrases: Iterable[str]) -> re.Pattern:
    """What finds these phrases (see spellings); compiled once."""
    return _compiled(tuple(phrases))


def black(text: str, phrases: Sequence[str]) -> str:
    """The text with these phrases blackened."""
    return spellings.blackened(text, pattern(phrases)) if phrases else text


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
    # Where letters are veiled, no database finds them.
    for column in columns:
        likely |= Q(**{f"{column}__regex": spellings.VEILED})
    if model in (Draft, Page, Upload):
        likely = Q(pk__isnull=False)  # few, and Markdown that stands nowhere rendered
    elif model is AuditEntry:
        likely |= Q(verb="edit page")
    searched = pattern(phrases)
    for row in model._base_manager.filter(likely).order_by("pk").iterator(chunk_size=500):
        texts = _strings([getattr(row, column) for column in columns])
        if any(spellings.holds(text, searched) for text in texts):
            yield row


def _strings(value) -> Iterator[str]:
    """All texts in a value of JSON, names of fields among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in (*value, *value.values()):
            yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)


def _passages(revision: PostRevision) -> list[str]:
    """The phrases that are all words of a text."""
    found = [revision.plain[start:end] for start, end in revision.passages]
    return [line for text in found for line in _lines(text)]


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def passages_of(post: Post) -> list[str]:
    """The phrases that are all words of all texts of a post."""
    return [line for one in PostRevision.objects.filter(post=post) for line in _passages(one)]


def _follow_quotes(found: Found) -> None:
    """Add the texts that quote what will be black, and what quotes these."""
    todo = list(found.revisions)
    while todo:
        revisions = PostRevision.objects.in_bulk(todo)
        todo = []
        quotes = Quote.objects.filter(source_revision__pk__among=revisions).exclude(start=None)
        for quote in quotes:
            pinned = revisions[quote.source_revision_id or 0]
            plain, after = pinned.plain, black(pinned.plain, found.revisions[pinned.pk])
            spans = quote.parts or [(quote.start or 0, quote.end or 0)]
            if all(plain[a:b] == after[a:b] for a, b in spans):
                continue
            lines = _lines(quote.words)
            mine = found.revisions.setdefault(quote.revision_id, [])
            # Words that are all among the phrases already are blackened as these.
            same = quoting.says(
                black(quote.words, mine),
                after,
                spans,
                shortened=quote.verdict == Quote.Verdict.SHORTENED,
            )
            if not same and not set(lines) <= set(mine):
                mine += lines
                todo.append(quote.revision_id)
