"""Thread fixtures: Django JSON fixtures whose first object is a thread with its format version. All
that follows belongs to it, up to the next thread, if a file holds several.

    {"model": "forum.thread", "fields": {key, format, version, board, title, kind, source, policy,
                                         own_answer, variant_of}}
    {"model": "forum.post",   "fields": {key, thread, parent, parent_basis, reason, byline,
                                         written_at, format, text, lane, stance}}
    {"model": "forum.quote",  "fields": {post, ordinal, paragraphs, source_post, nested, stance,
                                         reason}}
    {"model": "forum.divergence", "fields": {thread, change, actor, place, edtf, by_editor,
                                              latitude, longitude, radius}}
    {"model": "forum.question",   "fields": {thread, text}}
    {"model": "forum.answer",     "fields": {post, question, passage, verdict}}
    {"model": "forum.changeofmind", "fields": {post, was, now, reason}}
    {"model": "forum.threadmark", "fields": {post, category, label}}
    {"model": "forum.poll", "fields": {post, question, choices, kind, most, is_open, closes_at,
                                       voters, counts}}
    {"model": "forum.picture", "fields": {thread, key, file, alt, credit, source, shows,
                                          title, moment, legend, projection, template}}

Posts stand in order of arrival, before all that is said about them; a question is named by its
text. The choices of a poll are a text of one choice on each line; `voters` and `counts` are told of
a poll that is closed, and its votes of none. A picture is named by the key by which texts show it;
`file` is its name beside the fixture, "<SHA-256>.<kind>" (see `beside`). Without its file it stays
a link with its words. `shows` is "picture" (as where it is missing), "map", "flag" or "cover". A
map has a `moment`, as people write dates ("1 May 1937, in this timeline"), and may have a legend of
several lines, a projection and a template; a title is of maps, flags and covers. The day of the
moment is read anew, never told.

Relations are natural keys (`["after-1900"]`, `["trotsky-spain-4"]`). Numbers follow from the
order. A quote names a place, not words: of a plain text the paragraphs, of Markdown the n-th quote
block. The words stand in the text, and how they compare with the source is judged when the file is
read (see `reading`), never claimed by it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from forum.actions.brought_pictures import Brought
from forum.actions.divergences import DivergenceInput
from forum.actions.polls import Asked
from forum.models import Post, Thread
from forum.text.places import Spot

from . import Rejected
from .fields import DIVERGENCE, POST, QUESTION, QUOTE, THREAD, object_name
from .notes import EditorsNotes
from .posts import Contribution, Posts
from .text import PlainThread, find_repetitions

FORMAT = 1


class ImportedAnswer(NamedTuple):
    """A post, by its place in `ThreadFixture.posts`, as an answer to a question of the thread."""

    post: int
    question: str
    passage: int
    verdict: str


class ImportedChange(NamedTuple):
    """That the post at this place changed somebody's mind."""

    post: int
    was: str
    now: str
    reason: str


class ImportedThreadmark(NamedTuple):
    """The threadmark of the post at this place."""

    post: int
    category: str
    label: str


class ImportedPoll(NamedTuple):
    """The poll of the post at this place; `counts` is empty where nothing was counted elsewhere."""

    post: int
    asked: Asked
    voters: int
    counts: list[int]


@dataclass(slots=True)
class ThreadFixture:
    """A whole thread, checked: what remains to be asked is whether it fits this forum."""

    name: str
    object: int
    key: str
    version: int
    board: str
    title: str
    kind: str
    source: str
    posts: Posts = field(default_factory=Posts)
    # The places of posts that are quoted, and of those whose words stand in quotes of quotes.
    quoted: set[int] = field(default_factory=set)
    nested: set[int] = field(default_factory=set)
    divergences: list[DivergenceInput] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    policy: str = Thread.Policy.OPEN
    own_answer: str = ""
    variant_of: str = ""
    answers: list[ImportedAnswer] = field(default_factory=list)
    minds: list[ImportedChange] = field(default_factory=list)
    marks: list[ImportedThreadmark] = field(default_factory=list)
    polls: list[ImportedPoll] = field(default_factory=list)
    pictures: list[Brought] = field(default_factory=list)

    def reject(self, sentence: str, post: Contribution | None = None) -> Rejected:
        """The error to raise for this thread, or for one of its posts."""
        where = object_name(self.name, self.object, THREAD) if self.object > 1 else self.name
        if post:
            where = object_name(self.name, post.object, POST)
        return Rejected(f"{where}: {sentence}")


def build(
    thread: PlainThread,
    *,
    key: str,
    board: str,
    kind: str,
    version: int,
    source: str,
    notes: EditorsNotes | None = None,
) -> list[dict]:
    """The objects of a fixture for a plain-text thread, with what an editor noted about it.

    What a post quotes first is what it answers; of a post that quotes nothing nobody knows that,
    and nothing is guessed. Nobody is named and nothing dated.
    """
    repetitions = find_repetitions(thread.texts)
    keys = [f"{key}-{number}" for number in range(1, len(thread.texts) + 1)]
    objects = [
        _object(
            THREAD,
            key=key,
            format=FORMAT,
            version=version,
            board=[board],
            title=thread.title,
            kind=kind,
            source=source,
        )
    ]
    quotes: list[dict] = []
    for number, text in enumerate(thread.texts, 1):
        found = repetitions[number - 1]
        if number == 1:
            basis, reason = Post.Basis.OPENING, "the first post of the text"
        elif found:
            basis, reason = Post.Basis.QUOTE, found[0].reason
        else:
            basis, reason = Post.Basis.UNKNOWN, "it quotes nothing and does not say what it answers"
        # Answers to the opening have no parent: see forum.tree.
        hangs = found and found[0].source > 1
        objects.append(
            _object(
                POST,
                key=keys[number - 1],
                thread=[key],
                parent=[keys[found[0].source - 1]] if hangs else None,
                parent_basis=str(basis),
                reason=reason,
                byline=f"Voice {number}",
                written_at=None,
                format="plain",
                text=text,
            )
        )
        quotes += (
            _object(
                QUOTE,
                post=[keys[number - 1]],
                ordinal=ordinal,
                paragraphs=[repetition.first, repetition.last],
                source_post=[keys[repetition.source - 1]],
                reason=repetition.reason,
            )
            for ordinal, repetition in enumerate(found, 1)
        )
    divergences = [
        _object(
            DIVERGENCE,
            thread=[key],
            change=divergence.change,
            actor=divergence.actor,
            place=divergence.place,
            edtf=divergence.date.edtf,
            by_editor=True,
            **spot_fields(divergence.spot),
        )
        for divergence in (notes.divergences if notes else ())
    ]
    questions = [
        _object(QUESTION, thread=[key], text=text) for text in (notes.questions if notes else ())
    ]
    return objects + quotes + divergences + questions


def spot_fields(spot: Spot | None) -> dict:
    """The fields of a divergence that say where it lies: none where that is not known."""
    if spot is None:
        return {}
    area = {"radius": spot.radius} if spot.radius else {}
    return {"latitude": spot.latitude, "longitude": spot.longitude, **area}


def dump(objects: Sequence[Mapping]) -> bytes:
    """The bytes of a fixture: the same objects always give the same."""
    return (json.dumps(objects, ensure_ascii=False, indent=2) + "\n").encode()


def _object(model: str, **fields: Any) -> dict:
    return {"model": model, "fields": fields}
