"""Polls as a page shows them: to who has voted and once they are closed with results, to everybody
else without any number, so that a vote changes nobody else's page (docs/decisions/0043)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core import clock
from forum.models import Ballot, Poll, Post
from forum.operations import caching
from forum.permissions import Refused, require


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice: its words, how many took it and in how many of a hundred votes, whether the
    reader did."""

    text: str
    count: int = 0
    percent: int = 0
    mine: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PollShown:
    """A poll as one reader is shown it; `templates/macros/poll.html` draws it."""

    poll: Poll
    choices: Sequence[Choice]
    results: bool = False  # whether numbers are shown
    closed: bool = False
    voted: bool = False
    why_not: str = ""  # why the reader cannot vote; empty if they can
    own: bool = False  # its maker reads it


def shown(posts: Iterable[Post], *, user) -> dict[int, PollShown]:
    """The polls of those of `posts` (with their debates) that have one, by their ids, as `user` is
    shown them. One query for all, another one for what a member chose; none where there are no
    polls."""
    asking = {post.pk: post for post in posts if post.has_poll}
    if not asking:
        return {}
    polls = Poll.objects.in_bulk(asking)
    mine: dict[int, list[int]] = {}
    if user.is_authenticated:
        mine = dict(
            Ballot.objects.filter(poll__in=polls, member=user).values_list("poll_id", "chosen")
        )
    now = user.now if user.is_authenticated else clock.now()
    found = {}
    for pk, poll in polls.items():
        closed = poll.closed(now)
        if poll.closes_at and not closed:
            caching.expires_at(poll.closes_at.timestamp())
        found[pk] = PollShown(
            poll=poll,
            choices=_choices(poll, mine.get(pk, ()), counted=closed or pk in mine),
            results=closed or pk in mine,
            closed=closed,
            voted=pk in mine,
            why_not="" if closed else _why_not(user, asking[pk]),
            own=asking[pk].author_id == user.pk is not None,
        )
    return found


def plain(posts: Iterable[Post]) -> dict[int, SafeString]:
    """The polls of those of `posts` that have one, by their ids, as lists for books and feeds,
    which everybody reads alike."""
    asking = [post.pk for post in posts if post.has_poll]
    if not asking:
        return {}
    now = clock.now()
    return {
        pk: format_html(
            '<p dir="auto"><b>{}</b></p><ul>{}</ul>',
            poll.question,
            format_html_join("", '<li dir="auto">{}</li>', ((one,) for one in poll.as_lines(now))),
        )
        for pk, poll in Poll.objects.in_bulk(asking).items()
    }


def preview(question: str, choices: Sequence[str], most: int, is_open: bool) -> PollShown:
    """A poll that is not posted yet."""
    poll = Poll(pk=0, question=question, choices=list(choices), most=most, is_open=is_open)
    return PollShown(poll=poll, choices=_choices(poll, (), counted=False))


def _choices(poll: Poll, mine: Sequence[int], *, counted: bool) -> list[Choice]:
    if not counted:  # not at hand either for whoever is not to see it
        return [Choice(text, mine=place in mine) for place, text in enumerate(poll.choices)]
    return [
        Choice(
            text,
            count=poll.counts[place],
            percent=poll.percent(place),
            mine=place in mine,
        )
        for place, text in enumerate(poll.choices)
    ]


def _why_not(user, post: Post) -> str:
    try:
        require(user, "vote", post)
    except Refused as refusal:
        return refusal.sentence
    return ""
