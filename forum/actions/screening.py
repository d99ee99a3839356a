"""Why a new post waits for approval: rules against spam, without any outside service.

Asked after the text was composed and before any lock. Nothing is thrown away and nothing is held
in secret: the writer reads the reason, and a moderator finds the post in the queue. Moderators of
the board are not screened.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from forum.text import markup, quoting

from ..models import Board, Case, Post, PostRevision, State, Thread
from ..models.visibility import moderates
from . import pace
from .composing import Composed, Unacceptable
from .lately import Lately, written_lately

OUTSIDE = re.compile(r'href="(?![#/])')
ADDRESS = re.compile(r"\bhttps?://", re.IGNORECASE)  # in words that are shown as they are
# Shorter texts are alike by chance: "I agree with this, and thank you."
FEWEST_WORDS = 12
# Of the shingles (runs of five words, see quoting.shingle_keys) of two texts, the share that both
# have: the resemblance of Broder 1997. One word changed in the middle of fifty leaves about 0.8.
ALIKE = 0.5


@dataclass(frozen=True, slots=True)
class Held:
    """That a post waits: the kind of case, and why, to follow "It waits for approval, because"."""

    kind: str
    why: str
    until: datetime | None = None  # from then on its writer may let it appear


def screen(
    user,
    *,
    board: Board,
    composed: Composed,
    beside: Iterable[str] = (),
    trapped: bool = False,
    lately: Lately | None = None,
) -> Held | None:
    """Why what `user` wrote into `board` waits for approval; None if it may appear at once, as far
    as `of_debate` says so too.

    `beside` are the words that appear with the text: of a poll, a title, a description. `trapped`
    says that the field which people do not see came back filled in. `lately` is what the member
    wrote last, if the caller has asked for it.
    """
    if moderates(user, board.pk):
        return None
    if trapped:
        return Held(Case.Kind.HELD, "a field that people leave empty was filled in.")
    if user.watched:
        until = timezone.localtime(user.approval_until)
        return Held(
            Case.Kind.HELD,
            f"your posts are looked at first until {until.day} {until:%B %Y} (see your standing).",
        )
    first = board.approve_first
    first = settings.APPROVE_FIRST_POSTS if first is None else first
    if first and not user.is_staff and _appeared(user, first) < first:
        posts = "post of a member is" if first == 1 else f"{first} posts of a member are"
        return Held(Case.Kind.FIRST, f"the first {posts} looked at here.")
    looked_at = _looked_at(composed.html) or _addresses(beside)
    if settings.HOLD_NEW_LINKS and user.is_new and looked_at:
        return Held(Case.Kind.HELD, "it holds links or pictures, and you are a new member.")
    if why := _repeats(user, composed, lately):
        return Held(Case.Kind.HELD, why)
    return None


def of_debate(user, thread: Thread) -> Held | None:
    """Whether the debate itself holds what is written in it; asked of the locked row."""
    if moderates(user, thread.board_id):
        return None
    if thread.approval:
        return Held(Case.Kind.HELD, "a moderator looks at every answer of this debate first.")
    if until := pace.slow_until(user, thread):
        minutes = "a minute" if thread.slow_minutes == 1 else f"{thread.slow_minutes:,} minutes"
        why = f"slow mode takes one post in {minutes} from each member here."
        return Held(Case.Kind.SLOW, why, until)
    return None


def check_edit(user, post: Post, composed: Composed) -> None:
    """Raise Unacceptable for an edit that would bring in past the queue what a new post could not.
    A post that waits for a moderator may be edited freely."""
    if post.state == State.VISIBLE or post.held_until is not None:
        more = _looked_at(composed.html) > _looked_at(post.body.html)
        _check_change(user, post.thread, adds=more)


def check_words(user, thing: Post | Thread, before: Iterable[str], after: Iterable[str]) -> None:
    """The same for words beside a text: of the poll of a post, or title and description of a
    debate. Raises Unacceptable."""
    if thing.state == State.VISIBLE:
        thread = thing if isinstance(thing, Thread) else thing.thread
        _check_change(user, thread, adds=_addresses(after) > _addresses(before))


def _check_change(user, thread: Thread, *, adds: bool) -> None:
    """Raise Unacceptable where `user` may not change what stands in a debate; `adds`: what is
    looked at in posts of new members."""
    if moderates(user, thread.board_id):
        return
    if user.watched:
        raise Unacceptable(
            "What you write waits for approval just now, so posts that stand cannot be changed. "
            "Write a reply instead; it will wait. Your page of warnings and limits says until when."
        )
    if settings.HOLD_NEW_LINKS and user.is_new and adds:
        raise Unacceptable(
            "New members' links and pictures are looked at first, so an edit cannot add one. Write "
            "a reply with it; it will wait for approval."
        )


def _looked_at(html: str) -> int:
    """How much stored HTML holds of what is looked at in posts of new members: links to elsewhere,
    and pictures."""
    return len(OUTSIDE.findall(html)) + html.count(markup.PICTURE)


def _addresses(words: Iterable[str]) -> int:
    """How many addresses of elsewhere stand in words that no link is made of."""
    return sum(len(ADDRESS.findall(one)) for one in words)


def _appeared(user, most: int) -> int:
    return Post.objects.filter(author=user, state=State.VISIBLE)[:most].count()


def _repeats(user, composed: Composed, lately: Lately | None) -> str:
    """Why a text counts as repeated: the writer's own of a short while ago, or, from a new member,
    the very text of somebody else. Empty if it is neither."""
    if not settings.REPEAT_MINUTES or len(composed.rendered.plain.split()) < FEWEST_WORDS:
        return ""
    lately = lately or written_lately(user)
    mine = set(quoting.shingle_keys(composed.rendered.plain))
    for text in lately.texts:
        other = set(quoting.shingle_keys(text))
        if mine and other and len(mine & other) >= ALIKE * len(mine | other):
            return "it repeats what you wrote a short while ago."
    if user.is_new:
        same = PostRevision.objects.filter(sha256=composed.sha256(), created_at__gt=lately.since)
        if same.exclude(post__author=user).exists():
            return "the same text was posted under another name a short while ago."
    return ""
