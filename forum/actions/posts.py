"""What happens to posts: replying, editing, withdrawing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Model

from accounts.models import raise_site_version
from core import clock
from core.inserting import Change, insert_row
from core.problems import Problem
from core.spellings import BLACK
from forum.search import index

from .. import tree
from ..models import (
    Answer,
    Case,
    Draft,
    PassageKey,
    Picture,
    PictureUse,
    Post,
    PostRevision,
    Quote,
    State,
    Submission,
    Thread,
)
from ..permissions import WAITING, Refused, require
from . import (
    arguments,
    cards,
    cases,
    drafts,
    elsewhere,
    members,
    notices,
    pace,
    polls,
    post_notices,
    read_state,
    reassigning,
    screening,
)
from .audit import record
from .composing import Composed, Unacceptable, check_pictures, compose, passage_keys
from .following import follow_edit
from .lately import Lately, written_lately
from .locking import hold_sources, locked_post

# What a thread says of its posts.
COUNTED = ("numbered", "reply_count", "last_post", "last_post_at", "lane_counts")


class EditedMeanwhile(Problem):
    """Somebody (perhaps oneself in another tab) saved the post since the form was opened."""

    status = 409

    def __init__(self, current: PostRevision) -> None:
        super().__init__("This post was changed since you opened the form.")
        self.current = current


def reply(
    *,
    user,
    thread: Thread,
    source: str,
    token: UUID,
    parent: Post | None = None,
    lane: str = "",
    stance: str = "",
    quotes: Mapping[int, str] | None = None,
    ties: Sequence[arguments.Tie] = (),
    poll: polls.Asked | None = None,
    trapped: bool = False,
    lately: Lately | None = None,
) -> Post:
    """Answer in `thread`; `parent` is the post answered, none or the opening for the debate.

    `lane` is that of the parent if none is named; `stance` is toward the parent, `quotes` are
    those toward single quotes, by their order in the text; `ties` say which questions it answers;
    `poll` is one that it puts; `trapped`: see screening.screen, by which the post may have to wait
    for approval. `lately` is what the member wrote last, if the caller has asked for it.

    Returns the new post, or the one that this token made before. Raises permissions.Refused,
    composing.Unacceptable or pace.TooFast, and then nothing was changed.
    """
    try:
        require(user, "reply", thread)
        lately = lately or written_lately(user)
        pace.check_posts(lately)
        composed = compose(
            user=user, board=thread.board, source=source, thread=thread, parent=parent
        )
        composed.take_stances(quotes or {})
        poll = polls.check(poll) if poll else None
        held = screening.screen(
            user,
            board=thread.board,
            composed=composed,
            beside=poll.words if poll else (),
            trapped=trapped,
            lately=lately,
        )

        def write() -> Post:
            locked, answered, ids = tree.lock_to_answer(thread.pk, parent)
            require(user, "reply", locked)
            pace.check_waiting(user, locked)
            if answered is not None:
                if answered.thread_id != locked.pk:
                    raise Unacceptable(
                        "The post you answer was moved to another debate. Reply there."
                    )
                require(user, "answer", answered)
            stances = [stance, *(quotes or {}).values()]
            passages = len(composed.rendered.passages)
            arguments.check(locked, lane=lane, stances=stances, ties=ties, passages=passages)
            post = Post(
                thread=locked,
                parent=None if answered is None or answered.is_opening else answered,
                parent_basis=Post.Basis.REPLY,
                author=user,
                lane=lane or arguments.default_lane(locked, answered),
                stance=stance,
            )
            waits = held or screening.of_debate(user, locked)
            given = {"editor": user, "ids": ids, "token": token}
            add(post, composed, ties=ties, poll=poll, held=waits, **given)
            if post.number:
                read_state.mark_written(user=user, post=post)
            return post

        try:
            with transaction.atomic():
                post = write()
        except IntegrityError:
            if not _counted_anew(thread):
                raise
            with transaction.atomic():
                post = write()
    except (Refused, Unacceptable, pace.TooFast, IntegrityError):
        # Sent a second time, a form meets its own token, or is refused for what it did before.
        if done := submitted(token, user):
            return done
        raise
    return post


def _counted_anew(thread: Thread) -> bool:
    """Whether a thread gave a number that one of its posts had already: then it is counted anew,
    so that replies do not fail for ever, whatever it was that miscounted."""
    with transaction.atomic():
        (thread,) = tree.lock(thread.pk)
        if thread.numbered == tree.last_number(thread):
            return False
        reassigning.recount(thread)
        return True


def add(
    post: Post,
    composed: Composed,
    *,
    editor,
    ties: Sequence[arguments.Tie] = (),
    poll: polls.Asked | None = None,
    held: screening.Held | None = None,
    ids: tree.NewIds | None = None,
    token: UUID | None = None,
) -> Post:
    """Write a new post with its first revision, the answers that it gives and its poll (checked)
    into its locked thread, number it and count it; one that is held for approval gets neither
    number nor place. The post that it answers, and `ids`, were read under that lock
    (tree.lock_to_answer). `token` is stored with it, if it is that of a form, and its draft goes:
    raises IntegrityError if it was stored already."""
    if held:
        post.state, post.state_reason = State.PENDING, held.why
        post.held_until = held.until
    thread, now = post.thread, clock.now()
    tree.require_lock(thread.pk)
    post.loaded_at = now
    post.written_at = post.written_at or now
    post.has_poll = poll is not None
    if post.state != State.PENDING:
        thread.numbered += 1
        post.number = thread.numbered
    ids = ids or tree.new_ids_of_post(thread)
    post.pk = ids.post
    beside = [drafts.end_of_draft(editor, token)] if token else []
    news = []
    if post.state != State.PENDING:
        if not post.is_opening:
            thread.reply_count += 1
        thread.last_post, thread.last_post_at = post, now
        arguments.count(post, 1)
        news = post_notices.news_of(post)
        if not ties:
            beside.append(tree.thread_change(thread, *COUNTED, quiet=True))
    _begin(composed, post, ids, editor=editor, token=token, rows=news, beside=beside)
    if poll is not None:
        polls.add(post, poll, now)
    if post.state == State.PENDING:
        arguments.tie_answers(editor, post, ties)
        tree.raise_version(thread.pk)
        cases.hold(post, kind=held.kind if held else Case.Kind.HELD)
        return post
    if ties:
        # An answer to a question changes the card, which stands in the margins of other posts.
        arguments.tie_answers(editor, post, ties)
        cards.recount(thread, [tie.question for tie in ties])
        tree.save_thread(thread, *COUNTED, "card")
    if post.author:
        members.welcome(post.author)
    return post


def base_of(revision: PostRevision) -> str:
    """What an edit form says of the text that it was opened with: its number, and its sum, which
    changes where words are erased while the form is open."""
    return f"{revision.number}.{revision.sha256[:16]}"


def opened_with(base: str | int, current: PostRevision) -> bool:
    """Whether a form that says `base` (`base_of`) was opened with this text as it is now. One that
    says no sum is older than sums: of a text with black letters, nobody knows. A number (no text)
    comes from whoever read the revision just now."""
    number, _, sum_of_it = str(base).partition(".")
    if not sum_of_it:
        return number == str(current.number) and (isinstance(base, int) or _unerased(current))
    return base == base_of(current)


def _unerased(revision: PostRevision) -> bool:
    return BLACK not in revision.source


def edit(*, user, post: Post, source: str, reason: str = "", base: str | int) -> PostRevision:
    """Save a new text of one's post. `base` is what `base_of` said of the revision that was edited;
    its number as an int where it was read just now.

    Returns the current revision (the old one if nothing changed). Raises EditedMeanwhile if it is
    not `base` any more, besides what `reply` raises.
    """
    require(user, "edit", post)
    pace.check_posts(written_lately(user))
    current = post.body.revision
    composed = compose(
        user=user,
        board=post.thread.board,
        source=source,
        thread=post.thread,
        parent=answered_by(post),
        earlier=current,
    )
    with transaction.atomic():
        post = locked_post(post, "body__revision")
        require(user, "edit", post)
        screening.check_edit(user, post, composed)
        current = post.body.revision
        if current.source == source:
            return current
        if not opened_with(base, current):
            raise EditedMeanwhile(current)
        revision = _go_on(
            composed, post, current.number + 1, editor=user, now=clock.now(), reason=reason
        )
        tree.raise_version(post.thread_id)
        follow_edit(post, revision)
        elsewhere.touch(elsewhere.quoted(post).values_list("post__thread_id", flat=True))
        if elsewhere.backlinks(current) - elsewhere.backlinks(revision):
            raise_site_version()  # a quote that was dropped leaves no backlink in another debate
        if post.number and (composed.quotes or composed.rendered.mentions):
            post_notices.notify_of_change(post)
    return revision


def withdraw(*, user, post: Post, reason: str = "") -> Post:
    """Take one's own post back. Its place and number stay; moderators can still read it."""
    require(user, "withdraw", post)
    with transaction.atomic():
        post = locked_post(post)
        require(user, "withdraw", post)
        set_state(post, State.REMOVED, reason=reason, withdrawn=True)
        cases.settle(post, record(user, "withdraw", post=post, reason=reason))
    return post


def release(*, user, post: Post) -> Post:
    """Let one's own reply appear that slow mode held. Doing so twice does it once."""
    with transaction.atomic():
        post = locked_post(post)
        if post.state == State.VISIBLE and post.author_id == user.pk:
            return post
        require(user, "release", post)
        set_state(post, State.VISIBLE)
        cases.settle(post, record(user, "release", post=post))
    return post


def set_state(post: Post, state: str, *, reason: str = "", withdrawn: bool = False) -> None:
    """Change whether a post stands, with all counters. Raises tree.NotLocked unless the caller
    holds the lock of the post's thread, after which the post was read."""
    tree.require_lock(post.thread_id)
    was = post.state
    if was == state:
        return
    thread = post.thread = Thread.objects.select_related("board").get(pk=post.thread_id)
    if state == State.REJECTED or (was == State.PENDING and withdrawn):
        drafts.give_back(post)
    elif post.number is None:
        drafts.take_again(post)
    arguments.count(post, -1)
    post.state, post.state_reason, post.withdrawn = state, reason, withdrawn
    arguments.count(post, 1)
    arrives = state == State.VISIBLE and post.number is None
    if arrives:
        # It arrives now: lists and read marks count on numbers and arrivals in one order.
        thread.numbered = tree.last_number(thread) + 1
        post.number, post.loaded_at = thread.numbered, clock.now()
        tree.plant(post)
    post.save(update_fields=["state", "state_reason", "withdrawn", "number", "loaded_at"])
    if not post.is_opening:
        thread.reply_count += (state == State.VISIBLE) - (was == State.VISIBLE)
    last = (
        Post.objects.filter(thread=thread, state=State.VISIBLE, number__isnull=False)
        .order_by("-number")
        .first()
    )
    thread.last_post = last
    thread.last_post_at = last.loaded_at if last else thread.created_at
    changed = list(COUNTED)
    if post.is_opening and {was, state} & set(WAITING):
        # A debate waits with its opening, and appears with it.
        shown = (state == State.VISIBLE) - (thread.state == State.VISIBLE)
        thread.state = state
        changed.append("state")
        tree.count_on_board(thread, shown)
        if thread.variant_of_id:
            elsewhere.touch([thread.variant_of_id])  # it names its variants
    elif post.is_opening:
        tree.raise_divergences(thread)
    if answered := list(Answer.objects.filter(post=post).values_list("question_id", flat=True)):
        cards.recount(thread, answered)
        changed.append("card")
    tree.save_thread(thread, *changed)
    if state == State.VISIBLE and post.author:
        if arrives:
            read_state.mark_written(user=post.author, post=post)
        members.welcome(post.author)
    elsewhere.refresh(post)
    notices.follow_posts(post.pk)
    if state == State.VISIBLE:
        if arrives:
            post_notices.notify_of_new(post)
        else:
            post_notices.notify_of_change(post)


def submitted(token: UUID, user) -> Post | None:
    """The post that this form made before, if it was sent already. Raises Unacceptable if another
    member sent it: what that one wrote is not shown."""
    done = Submission.objects.select_related("post").filter(token=token).first()
    if done is None:
        return None
    if done.user_id != user.pk:
        raise Unacceptable("This form was used by another account. Open the page anew to write.")
    return done.post


def once(token: UUID, user, write) -> Post:
    """Run `write` in a transaction that stores the token; if another request with the same token
    was first, return what that one made. For posts whose thread cannot be locked yet."""
    if done := submitted(token, user):
        return done
    try:
        with transaction.atomic():
            post = write()
            _sent(token, user, post)
            return post
    except IntegrityError:
        if done := submitted(token, user):
            return done
        raise


def _sent(token: UUID, user, post: Post) -> None:
    """Store what came of a form; its draft goes in the same transaction, so that a crash leaves
    either the draft or the post. Raises IntegrityError if the token is stored already."""
    insert_row(Submission(token=token, user=user, post=post))
    Draft.objects.filter(user=user, token=token).delete()


def _begin(
    composed: Composed,
    post: Post,
    ids: tree.NewIds,
    *,
    editor,
    token: UUID | None,
    rows: Sequence[Model],
    beside: Sequence[Change],
) -> None:
    """Write a new post with its first revision and all that goes with it, its form's token and
    further new rows, and what changes beside it."""
    pictures = _sources(composed, post, editor=editor)
    revision = composed.revision(post, 1, editor=editor, now=post.loaded_at)
    revision.pk = ids.revision
    body = composed.body(revision)
    made = [
        revision,
        body,
        *passage_keys(post, revision.plain),
        index.made_of(post, revision, body.html, (q.verdict for q in composed.quotes)),
        *_shown(revision, pictures),
        *composed.quotes_of(revision),
        *rows,
    ]
    if token is not None:
        made.append(Submission(token=token, user=editor, post=post))
    tree.insert(post, post.parent if post.number else None, rows=made, beside=beside)
    _touch_quoted(composed, post, quiet=True)


def _go_on(
    composed: Composed, post: Post, number: int, *, editor, now: datetime, reason: str
) -> PostRevision:
    """Write a further revision of a post and make it the current one."""
    pictures = _sources(composed, post, editor=editor, earlier=post.body.revision)
    revision = composed.revision(post, number, editor=editor, now=now, reason=reason)
    insert_row(revision)
    body = composed.body(revision)
    body.save(force_update=True)
    # Most of an edited text's keys are there already.
    PassageKey.objects.bulk_create(passage_keys(post, revision.plain), ignore_conflicts=True)
    verdicts = (quote.verdict for quote in composed.quotes)
    index.write([index.made_of(post, revision, body.html, verdicts)])
    PictureUse.objects.bulk_create(_shown(revision, pictures))
    Quote.objects.bulk_create(composed.quotes_of(revision))
    _touch_quoted(composed, post)
    return revision


def _sources(
    composed: Composed, post: Post, *, editor, earlier: PostRevision | None = None
) -> list[Picture]:
    """Look again at what a text quotes and shows, and let nobody erase it until it is stored;
    returns its pictures. Raises Unacceptable."""
    hold_sources(composed, post.thread)
    keys = [picture.key for picture in composed.pictures]
    return check_pictures(keys, user=editor, board=post.thread.board, earlier=earlier)


def _shown(revision: PostRevision, pictures: Sequence[Picture]) -> list[PictureUse]:
    """The rows that say which pictures a revision shows, unsaved."""
    post = revision.post
    return [
        PictureUse(picture=picture, post=post, revision=revision, thread_id=post.thread_id)
        for picture in pictures
    ]


def _touch_quoted(composed: Composed, post: Post, quiet: bool = False) -> None:
    """Have the threads of quoted posts drawn anew: they show the backlink. `quiet`: see
    elsewhere.touch."""
    others = (
        quote.source_post.thread_id
        for quote in composed.quotes
        if quote.source_post and quote.source_post.thread_id != post.thread_id
    )
    elsewhere.touch(others, quiet=quiet)


def answered_by(post: Post) -> Post | None:
    """The post that `post` answers, with its text; the opening for answers to the debate."""
    if post.is_opening:
        return None
    found = Post.objects.select_related("thread__board", "body__revision")
    if post.parent_id:
        return found.get(pk=post.parent_id)
    return found.opening_of(post.thread_id).first()
