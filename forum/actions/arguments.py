"""The place of a reply in the argument: its lane, its stances, the questions that it answers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count

from core.columns import longest
from core.opened_texts import check_base
from forum.search import index

from .. import tree
from ..models import (
    Answer,
    AuditEntry,
    ChangeOfMind,
    Lane,
    Notice,
    Post,
    Question,
    Quote,
    Stance,
    State,
    Thread,
)
from ..permissions import Refused, require
from . import cards, notices
from .audit import record
from .composing import Unacceptable
from .locking import locked_post

MAX_REASON = longest(ChangeOfMind, "reason")


@dataclass(frozen=True, slots=True)
class Tie:
    """A reply, or one of its passages (0 is all of it), as an answer to a question."""

    question: int
    verdict: str
    passage: int = 0


def default_lane(thread: Thread, parent: Post | None) -> str:
    """The lane of a reply that does not name one: that of the post it answers."""
    if not thread.has_lanes:
        return ""
    return (parent.lane if parent else "") or Lane.CONSEQUENCE


def check(
    thread: Thread, *, lane: str, stances: Collection[str], ties: Sequence[Tie], passages: int
) -> None:
    """Raise Unacceptable unless lane, stances and answers can be those of a reply in `thread` that
    has so many passages."""
    if lane and (lane not in Lane.values or not thread.has_lanes):
        raise Unacceptable("Choose one of the lanes of this debate.")
    if not set(stances) <= {"", *Stance.values}:
        raise Unacceptable("Choose one of the stances, or none.")
    asked = {one["id"] for one in thread.card.get("questions", ())}
    if len({tie.question for tie in ties}) < len(ties):
        raise Unacceptable("A reply answers each question once.")
    for tie in ties:
        if tie.question not in asked:
            raise Unacceptable("That question is not asked here any more.")
        if tie.verdict not in Answer.Verdict.values:
            raise Unacceptable("An answer agrees or disputes.")
        if not 0 <= tie.passage <= passages:
            raise Unacceptable(
                f"Your text has {passages} passages; there is no passage {tie.passage}."
                if passages != 1
                else "Your text has one passage; leave the number of the passage empty."
            )


def argue(
    *,
    user,
    post: Post,
    lane: str,
    stance: str,
    quotes: Mapping[int, str],
    ties: Sequence[Tie],
    reason: str = "",
) -> Post:
    """Say anew what a reply is to the debate. Its author may say all of it; the member who opened
    the debate and moderators correct its lane and its answers, and the log says so. `quotes` are
    the stances to the quotes of its current text, by their order in it.

    Returns the post. Raises permissions.Refused or Unacceptable; then nothing was changed.
    """
    with transaction.atomic():
        post = _locked(user, post, "argue")
        thread = post.thread
        passages = len(post.body.revision.passages)
        check(thread, lane=lane, stances=[stance, *quotes.values()], ties=ties, passages=passages)
        changed = [
            _set_stances(user, post, stance, quotes),
            _set_lane(user, post, lane, reason),
            _set_answers(user, post, ties, reason),
        ]
        if any(changed):
            tree.save_thread(thread, "lane_counts", "card")
    return post


def _set_stances(user, post: Post, stance: str, stances: Mapping[int, str]) -> bool:
    rows = Quote.objects.filter(revision=post.body.revision_id)
    quotes = [row for row in rows if stances.get(row.ordinal, row.stance) != row.stance]
    if post.stance == stance and not quotes:
        return False
    require(user, "take stance", post)
    for row in quotes:
        row.stance = stances[row.ordinal]
        row.save(update_fields=["stance"])
    post.stance = stance
    post.save(update_fields=["stance"])
    index.write_posts([post.pk])
    return True


def _set_lane(user, post: Post, lane: str, reason: str) -> bool:
    before = post.lane
    if before == lane:
        return False
    require(user, "set lane", post)
    _put_into(post, lane)
    entry = record(user, "set lane", post=post, reason=reason, before=before, after=lane)
    notices.notify(post.author, entry=entry)
    return True


def _put_into(post: Post, lane: str) -> None:
    count(post, -1)
    post.lane = lane
    post.save(update_fields=["lane"])
    index.write_posts([post.pk])
    count(post, 1)


def put_back_lane(entry: AuditEntry, thread: Thread) -> None:
    """Take a change of lane in a locked thread back. Raises permissions.Refused where the post is
    not as the act left it."""
    post = _as_left(entry, thread)
    if post.lane != entry.detail["after"]:
        raise Refused("The post was put into another lane since.")
    _put_into(post, entry.detail["before"])
    tree.save_thread(thread, "lane_counts")


def put_back_answers(entry: AuditEntry, thread: Thread) -> None:
    """Take back what a moderator said a post of a locked thread answers. Raises Refused where that
    was said anew since, or the post is elsewhere."""
    post = _as_left(entry, thread)
    now = Answer.objects.filter(post=post, question__stands=True)
    recorded = {str(row.question_id): [row.verdict, row.passage] for row in now}
    if recorded != entry.detail["after"] or "rows" not in entry.detail:
        raise Refused("It was said anew since what the post answers.")
    asked = [row.question_id for row in now]
    now.delete()
    for pk, question, verdict, passage, author, moment in entry.detail["rows"]:
        if not Question.objects.filter(pk=question, thread=thread).exists():
            raise Refused("That question is not asked here any more.")
        answer = Answer(pk=pk, question_id=question, post=post, author_id=author)
        answer.verdict, answer.passage = verdict, passage
        answer.save(force_insert=True)
        # Past auto_now_add: it was tied when it was.
        Answer.objects.filter(pk=pk).update(created_at=datetime.fromisoformat(moment))
        asked.append(question)
    cards.recount(thread, asked)
    tree.save_thread(thread, "card")


def _as_left(entry: AuditEntry, thread: Thread) -> Post:
    post = Post.objects.get(pk=entry.post_id)
    if post.thread_id != thread.pk:
        raise Refused("The post is in another debate now. Act on it there.")
    post.thread = thread
    return post


def _set_answers(user, post: Post, ties: Sequence[Tie], reason: str) -> bool:
    # Of a question that was taken from the card nobody is asked: what is tied to it stays.
    rows = {row.question_id: row for row in Answer.objects.filter(post=post, question__stands=True)}
    before = {pk: [row.verdict, row.passage] for pk, row in rows.items()}
    after = {tie.question: [tie.verdict, tie.passage] for tie in ties}
    if before == after:
        return False
    require(user, "tie answer", post)
    kept = [
        [row.pk, pk, row.verdict, row.passage, row.author_id, row.created_at.isoformat()]
        for pk, row in rows.items()
    ]
    tie_answers(user, post, ties)
    gone = before.keys() - after.keys()
    Answer.objects.filter(post=post, question__in=gone).delete()
    cards.recount(post.thread, [*gone, *after])
    if post.author_id != user.pk:
        entry = record(
            user, "tie answer", post=post, reason=reason, before=before, after=after, rows=kept
        )
        notices.notify(post.author, entry=entry)
    return True


def tie_answers(user, post: Post, ties: Sequence[Tie]) -> None:
    """Write the answers that a post of a locked thread gives, without counting them."""
    for tie in ties:
        question = Question.objects.get(pk=tie.question, thread=post.thread, stands=True)
        Answer.objects.update_or_create(
            question=question,
            post=post,
            defaults={"verdict": tie.verdict, "passage": tie.passage},
            create_defaults={"verdict": tie.verdict, "passage": tie.passage, "author": user},
        )


def change_mind(
    *, user, post: Post, was: str, now: str, reason: str, base: str | None = None
) -> ChangeOfMind:
    """Record that a reply moved `user` from one view of the debate's case to another; said again,
    it replaces what was said. `base` is what the form said of `stored_texts`. Raises
    permissions.Refused, Unacceptable or ChangedMeanwhile."""
    reason = " ".join(reason.split())
    if was not in ChangeOfMind.View.values or now not in ChangeOfMind.View.values or was == now:
        raise Unacceptable("Say which two different views you came from and came to.")
    if not reason:
        raise Unacceptable("Say in a sentence what changed your mind.")
    if len(reason) > MAX_REASON or not reason.isprintable():
        raise Unacceptable(f"The reason is one line of at most {MAX_REASON} characters.")
    with transaction.atomic():
        post = _locked(user, post, "change mind")
        before = ChangeOfMind.objects.filter(post=post, member=user).first()
        if before is None or before.reason != reason:
            check_base(base, stored_texts(before))
        change, made = ChangeOfMind.objects.update_or_create(
            post=post, member=user, defaults={"was": was, "now": now, "reason": reason}
        )
        _count_minds(post, 1 if made else 0)
        if made:
            notices.notify_of_change(change)
    return change


def stored_texts(change: ChangeOfMind | None) -> tuple[str, ...]:
    """What a form that changes a change of mind shows of it; there may be none yet."""
    return (change.reason,) if change else ()


def keep_mind(*, user, post: Post) -> None:
    """Take back that a reply changed one's mind; without such a record, nothing happens."""
    with transaction.atomic():
        post = _locked(user, post, "see post")
        _, gone = ChangeOfMind.objects.filter(post=post, member=user).delete()
        if gone.get(ChangeOfMind._meta.label):
            _count_minds(post, -1)
        if gone.get(Notice._meta.label):
            transaction.on_commit(lambda: notices.recount(post.author_id), robust=True)


def _locked(user, post: Post, verb: str) -> Post:
    post = locked_post(post)
    require(user, verb, post)
    return post


def _count_minds(post: Post, by: int) -> None:
    post.minds_changed += by
    post.save(update_fields=["minds_changed"])
    index.write_posts([post.pk])
    tree.raise_version(post.thread_id)


def count(post: Post, by: int) -> None:
    """Add to (or take from) the count of the post's lane in its locked thread, if the post stands;
    the caller saves `lane_counts`."""
    if post.lane and post.state == State.VISIBLE:
        counts = post.thread.lane_counts
        counts = {**counts, post.lane: counts.get(post.lane, 0) + by}
        post.thread.lane_counts = {lane: posts for lane, posts in counts.items() if posts}


def count_anew(thread: Thread) -> None:
    """Count the lanes and the answers of a locked thread from its posts, after many of them came
    or went; the caller saves `lane_counts` and `card`."""
    count_lanes(thread)
    cards.recount(thread, list(thread.questions.values_list("pk", flat=True)))


def count_lanes(thread: Thread) -> None:
    """Count the lanes of a locked thread from its posts; the caller saves `lane_counts`."""
    visible = Post.objects.filter(thread=thread, state=State.VISIBLE, number__isnull=False)
    lanes = visible.exclude(lane="").values_list("lane").annotate(posts=Count("pk"))
    thread.lane_counts = dict(lanes)
