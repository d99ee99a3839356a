"""Polls of posts: written with them, voted in, closed, taken out.

A vote locks the poll's own row and nothing after it, so that a thousand votes do not wait for a
debate's lock; every other act holds the debate's lock first (docs/decisions/0025).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from core import clock
from core.counting import counted
from core.opened_texts import check_base
from core.tasks import task
from forum import tree

from ..models import AuditEntry, Ballot, Poll, Post, Thread
from ..models.polls import FEWEST, MAX_CHOICE, MAX_QUESTION, MOST
from ..permissions import Refused, require
from . import notices, screening
from .audit import record
from .composing import Unacceptable
from .locking import locked_post

FARTHEST = timedelta(days=3660)  # of a closing date


class NoVote(Unacceptable):
    """What was chosen is no vote in this poll, or it takes none."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A poll as its maker wants it, not stored yet."""

    question: str
    choices: Sequence[str]
    kind: str = Poll.Kind.ONE
    most: int = 1  # of the kind "several"
    is_open: bool = False
    closes_at: datetime | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """All that is read of it."""
        return (self.question, *self.choices)


def check(asked: Asked) -> Asked:
    """The poll with its words on one line each, as it can be stored. Raises Unacceptable with what
    to do, at the field that it is about."""
    question = _line(asked.question)
    choices = [line for line in map(_line, asked.choices) if line]
    if not question:
        raise _wrong("question", "Ask something: a poll needs a question.")
    if not FEWEST <= len(choices) <= MOST:
        raise _wrong("choices", f"Give {FEWEST} to {MOST} choices, one on each line.")
    for field, name, text, longest in (
        ("question", "question", question, MAX_QUESTION),
        *(("choices", f"choice {n}", text, MAX_CHOICE) for n, text in enumerate(choices, 1)),
    ):
        if len(text) > longest or not text.isprintable():
            room = counted(longest, "character,characters")
            sentence = f"A {name.split()[0]} is one line of at most {room}"
            raise _wrong(field, f"{sentence}; {name} is not.")
    if len({text.casefold() for text in choices}) < len(choices):
        raise _wrong("choices", "Two choices are the same.")
    if asked.kind not in Poll.Kind.values:
        raise _wrong("kind", "Say how many choices one may take.")
    most = 1 if asked.kind == Poll.Kind.ONE else len(choices)
    if asked.kind == Poll.Kind.SEVERAL:
        most = asked.most
        if not 2 <= most <= len(choices):
            raise _wrong("most", f"One may take 2 to {len(choices)} of your choices.")
    return Asked(question, choices, asked.kind, most, asked.is_open, asked.closes_at)


def _check_time(asked: Asked, now: datetime) -> None:
    if asked.closes_at and not now < asked.closes_at <= now + FARTHEST:
        raise _wrong("closes", "A poll closes in the future, within ten years.")


def _line(text: str) -> str:
    return " ".join(text.split())


def _wrong(field: str, sentence: str) -> Unacceptable:
    return Unacceptable(sentence, field=f"poll_{field}")


def add(post: Post, asked: Asked, now: datetime) -> Poll:
    """Write the poll of a new post of a locked debate, which says `has_poll`. Raises Unacceptable
    where it would close at once."""
    tree.require_lock(post.thread_id)
    _check_time(asked, now)
    poll = Poll(post=post, counts=[0] * len(asked.choices), **_columns(asked))
    poll.save(force_insert=True)
    draw_when_closed(poll)
    return poll


def brought(post_id: int, asked: Asked, *, voters: int, counts: Sequence[int]) -> Poll:
    """The row, not stored yet, of a poll (checked) that came with a post from elsewhere, where
    `voters` and `counts` were counted."""
    return Poll(
        post_id=post_id,
        voters=voters,
        voters_brought=voters,
        counts=list(counts) or [0] * len(asked.choices),
        brought=list(counts),
        **_columns(asked),
    )


def change(*, user, post: Post, asked: Asked, base: str | None = None) -> Poll:
    """Ask something else in the poll of one's own post, while nobody has voted. `base` is what the
    form said of the `stored_texts` that it was opened with. Raises permissions.Refused,
    Unacceptable or ChangedMeanwhile; then nothing was changed."""
    asked = check(asked)
    with transaction.atomic():
        post = locked_post(post)
        require(user, "edit", post)
        poll = _locked(post)
        if poll.voters:
            raise Refused("Somebody has voted, so question and choices stay as they are.")
        if (poll.question, poll.choices) != (asked.question, list(asked.choices)):
            check_base(base, stored_texts(poll))
            screening.check_words(user, post, stored_texts(poll), asked.words)
        if poll.closes_at != asked.closes_at:
            _check_time(asked, clock.now())
        for name, value in _columns(asked).items():
            setattr(poll, name, value)
        poll.counts = [0] * len(asked.choices)
        poll.save()
        draw_when_closed(poll)
        tree.raise_version(post.thread_id)
    return poll


def stored_texts(poll: Poll) -> tuple[str, ...]:
    """What a form that changes a poll shows of its words."""
    return (poll.question, *poll.choices)


def vote(*, user, post: Post, chosen: Collection[int]) -> Poll:
    """Vote in the poll of a post, or change one's vote: `chosen` are the places of the choices,
    from 0 on. The same vote again changes nothing. Raises permissions.Refused or NoVote; then
    nothing was changed."""
    with transaction.atomic():
        poll = _open_poll(user, post)
        taken = sorted(set(chosen))
        if not taken:
            raise NoVote("Choose something first, then vote.")
        if not all(0 <= place < len(poll.choices) for place in taken):
            raise NoVote("That is not one of the choices any more. Look at the poll again.")
        if len(taken) > poll.most:
            most = "one choice" if poll.most == 1 else f"at most {poll.most} choices"
            raise NoVote(f"Take {most}; you took {len(taken)}.")
        ballot = Ballot.objects.filter(poll=poll, member=user).first()
        before = ballot.chosen if ballot else []
        if before == taken:
            return poll
        poll.voters += not ballot
        ballot = ballot or Ballot(poll=poll, member=user)
        ballot.chosen = taken
        ballot.save()
        _count(poll, before, -1)
        _count(poll, taken, 1)
        poll.save(update_fields=["counts", "voters"])
    return poll


def take_back(*, user, post: Post) -> Poll:
    """Take one's vote back while the poll takes votes; without one, nothing happens. Raises
    permissions.Refused or NoVote."""
    with transaction.atomic():
        poll = _open_poll(user, post)
        if ballot := Ballot.objects.filter(poll=poll, member=user).first():
            ballot.delete()
            _count(poll, ballot.chosen, -1)
            poll.voters -= 1
            poll.save(update_fields=["counts", "voters"])
    return poll


def close(*, user, post: Post, reason: str = "") -> Poll:
    """Close the poll of a post before its time; of one that is closed nothing changes. A moderator
    who does so stands in the log. Raises permissions.Refused."""
    with transaction.atomic():
        post = locked_post(post)
        require(user, "close poll", post)
        poll, now = _locked(post), clock.now()
        if poll.closed(now):
            return poll
        before, poll.closes_at = poll.closes_at, now
        poll.save(update_fields=["closes_at"])
        tree.raise_version(post.thread_id)
        if post.author_id != user.pk:
            _notify(user, "close poll", post, reason, before=_iso(before), after=_iso(now))
    return poll


def remove(*, user, post: Post, reason: str) -> Post:
    """Take the poll out of a post, with all votes; undone, they are there again. Raises
    permissions.Refused."""
    if not reason.strip():
        raise Refused("Say why: whoever made the poll is told.")
    with transaction.atomic():
        post = locked_post(post)
        require(user, "moderate", post)
        _locked(post)
        _show(post, False)
        _notify(user, "remove poll", post, reason)
    return post


def put_back(entry: AuditEntry, thread: Thread) -> None:
    """Take back that a poll of a post in a locked debate was closed or taken out. Raises
    permissions.Refused where it is not as the act left it."""
    post = Post.objects.get(pk=entry.post_id)
    if post.thread_id != thread.pk:
        raise Refused("The post is in another debate now. Act on it there.")
    poll = Poll.objects.select_for_update(no_key=True).filter(post=post).first()
    if poll is None or post.has_poll != (entry.verb == "close poll"):
        raise Refused("The poll is not as the act left it.")
    if entry.verb == "remove poll":
        _show(post, True)
        return
    if _iso(poll.closes_at) != entry.detail["after"]:
        raise Refused("The poll was changed again since.")
    before = entry.detail["before"]
    poll.closes_at = datetime.fromisoformat(before) if before else None
    poll.save(update_fields=["closes_at"])
    tree.raise_version(thread.pk)


def typed(poll: Poll) -> dict[str, list[str]]:
    """A poll as the fields of the form in which it was written hold it, for a draft."""
    closes = timezone.localtime(poll.closes_at).strftime("%Y-%m-%dT%H:%M") if poll.closes_at else ""
    return {
        "poll_question": [poll.question],
        "poll_choices": ["\n".join(poll.choices)],
        "poll_kind": ["" if poll.kind == Poll.Kind.ONE else poll.kind],
        "poll_most": [str(poll.most) if poll.kind == Poll.Kind.SEVERAL else ""],
        "poll_closes": [closes],
        "poll_ballot": ["open" if poll.is_open else ""],
    }


@task
def draw_anew(post_id: int) -> None:
    """Let the pages of a debate be drawn anew at the moment when a poll in it closes: from then on
    everybody sees its results."""
    with transaction.atomic():
        post = locked_post(Post.objects.get(pk=post_id))
        tree.raise_version(post.thread_id)


def draw_when_closed(poll: Poll) -> None:
    """Have the pages of the debate drawn anew when the poll closes; call it in the transaction that
    writes the poll."""
    if poll.closes_at:
        draw_anew.using(run_after=poll.closes_at).enqueue(poll.pk)


def _columns(asked: Asked) -> dict[str, Any]:
    return {
        "question": asked.question,
        "choices": list(asked.choices),
        "kind": asked.kind,
        "most": asked.most,
        "is_open": asked.is_open,
        "closes_at": asked.closes_at,
    }


def _locked(post: Post) -> Poll:
    """The poll of a post of a locked debate, locked. Raises Refused if it has none."""
    poll = Poll.objects.select_for_update(no_key=True).filter(post=post).first()
    if poll is None or not post.has_poll:
        raise Refused("This post has no poll any more.")
    return poll


def _open_poll(user, post: Post) -> Poll:
    """The poll of a post, locked, if `user` may vote in it now.

    Rights are asked of post and debate as they are once the poll is locked. The debate is not
    locked: a vote beside an act on it counts as one that came before.
    """
    poll = Poll.objects.select_for_update(no_key=True).filter(post=post).first()
    post = Post.objects.select_related("thread__board").get(pk=post.pk)
    require(user, "vote", post)
    if poll is None or not post.has_poll:
        raise Refused("This post has no poll any more.")
    if poll.closed(clock.now()):
        raise NoVote("This poll is closed; votes stay as they are.")
    return poll


def _count(poll: Poll, chosen: Collection[int], by: int) -> None:
    poll.counts = [
        count + by if place in chosen else count for place, count in enumerate(poll.counts)
    ]


def _show(post: Post, shown: bool) -> None:
    Post.objects.filter(pk=post.pk).update(has_poll=shown)
    tree.raise_version(post.thread_id)


def _notify(user, verb: str, post: Post, reason: str, **detail) -> None:
    notices.notify(post.author, entry=record(user, verb, post=post, reason=reason, **detail))


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
