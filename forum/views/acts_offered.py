"""Acts of moderation as pages offer them: when there is something to do, and what it asks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from django import forms

from core import clock
from forum.moderation import erasing, merging, moving, states

from ..actions import polls
from ..actions.threads import MAX_TITLE
from ..acts import ACTS, Act
from ..models import Board, Post, State, Thread
from ..models.visibility import boards_visible_to
from ..permissions import may
from .fetch import thread_named

REASON = 300


class ReasonForm(forms.Form):
    """Why; read by those concerned and in the log."""

    reason = forms.CharField(max_length=REASON, required=False)


class NeededReasonForm(ReasonForm):
    """An act that takes something away says why."""

    reason = forms.CharField(max_length=REASON, error_messages={"required": "Say why."})


class SlowForm(ReasonForm):
    """How many minutes lie between two posts of one member."""

    minutes = forms.IntegerField(
        label="Minutes between two posts of one member (0 ends slow mode)",
        min_value=0,
        max_value=states.MAX_SLOW,
    )
    field_order = ("minutes", "reason")


class BoardForm(ReasonForm):
    """Where a debate goes."""

    board = forms.ModelChoiceField(Board.objects.none(), label="Board", empty_label=None)
    field_order = ("board", "reason")

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        boards = boards_visible_to(user).in_order()
        mine = [board.pk for board in boards if may(user, "moderate", board)]
        cast(forms.ModelChoiceField, self.fields["board"]).queryset = Board.objects.filter(
            pk__in=mine
        ).in_order()


class TitleForm(ReasonForm):
    """What a debate made of posts is called."""

    title = forms.CharField(label="Title of the new debate", max_length=MAX_TITLE)
    field_order = ("title", "reason")


class TargetForm(ReasonForm):
    """The debate that takes something in, by its address or number, into `thread`."""

    target = forms.CharField(label="The other debate: its address or number", max_length=300)
    field_order: tuple[str, ...] = ("target", "reason")

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_target(self) -> Thread:
        """The debate, if the moderator may see it."""
        thread = thread_named(self.user, self.cleaned_data["target"])
        if thread is None:
            raise forms.ValidationError("There is no debate at this address.")
        return thread


class BranchForm(TargetForm):
    """Where a branch goes, and which post it answers there."""

    answers = forms.IntegerField(
        label="Number of the post that it answers there (empty: it answers the debate)",
        min_value=1,
        required=False,
    )
    field_order = ("target", "answers", "reason")

    def clean(self):
        """The number as a post of the debate."""
        super().clean()
        data = self.cleaned_data
        number, target = data.get("answers"), data.get("target")
        data["post"] = None
        if number and target:
            data["post"] = Post.objects.filter(thread=target, number=number).first()
            if data["post"] is None:
                self.add_error("answers", "There is no post with this number in that debate.")
        return data


class EraseForm(NeededReasonForm):
    """Which words go, and that this is meant."""

    words = forms.CharField(
        label="Words to erase wherever they stand, one phrase on a line; "
        "empty: all words of this post and the quotes of it",
        widget=forms.Textarea,
        required=False,
        max_length=4000,
    )
    texts = forms.IntegerField(required=False, widget=forms.HiddenInput)
    sure = forms.BooleanField(label="I know that this cannot be undone.", required=False)
    field_order = ("words", "reason", "sure")


@dataclass(frozen=True, slots=True)
class Offer:
    """An act (forum/acts.py) as the page of a post or debate offers it. `do` takes the moderator,
    the thing and the form's data; `offered` says whether there is anything to do."""

    act: Act
    do: Callable
    form: type[forms.Form] = ReasonForm
    offered: Callable = lambda thing: True


def _offer(
    verb: str, do: Callable, form: type[forms.Form] | None = None, offered: Callable | None = None
) -> Offer:
    """An offer whose form asks for a reason, which an act that takes something away needs."""
    act = ACTS[verb]
    asks = NeededReasonForm if act.gravity else ReasonForm
    return Offer(act, do, form or asks, offered or (lambda thing: True))


def _plain(function: Callable, name: str) -> Callable:
    return lambda user, thing, data: function(user=user, **{name: thing}, reason=data["reason"])


def _visible(thread: Thread) -> bool:
    return thread.state == State.VISIBLE


def _waits(post: Post) -> bool:
    return post.state in (State.PENDING, State.REJECTED)


def _arrived(post: Post) -> bool:
    # What was withdrawn while it waited waits no more, and was never seen either.
    return post.number is not None


def _branches(post: Post) -> bool:
    return _arrived(post) and not post.is_opening


POST_OFFERS = (
    _offer("approve", _plain(states.approve, "post"), offered=_waits),
    _offer(
        "reject",
        _plain(states.reject, "post"),
        offered=lambda post: post.state == State.PENDING,
    ),
    _offer(
        "hide",
        _plain(states.hide, "post"),
        offered=lambda post: _arrived(post) and post.state != State.HIDDEN,
    ),
    _offer(
        "remove",
        _plain(states.remove, "post"),
        offered=lambda post: _arrived(post) and post.state != State.REMOVED,
    ),
    _offer(
        "restore",
        _plain(states.restore, "post"),
        offered=lambda post: _arrived(post) and post.state in (State.HIDDEN, State.REMOVED),
    ),
    _offer(
        "lock branch",
        _plain(states.lock_branch, "post"),
        offered=lambda post: _branches(post) and not post.branch_locked,
    ),
    _offer(
        "unlock branch",
        _plain(states.unlock_branch, "post"),
        offered=lambda post: post.branch_locked,
    ),
    _offer(
        "close poll",
        _plain(polls.close, "post"),
        offered=lambda post: post.has_poll and not post.poll.closed(clock.now()),
    ),
    _offer("remove poll", _plain(polls.remove, "post"), offered=lambda post: post.has_poll),
    _offer(
        "split",
        lambda user, post, data: moving.split(
            user=user,
            thread=post.thread,
            chosen=moving.branch(post),
            title=data["title"],
            reason=data["reason"],
        ),
        TitleForm,
        _branches,
    ),
    _offer(
        "move branch",
        lambda user, post, data: moving.move_branch(
            user=user,
            post=post,
            target=data["target"],
            answers=data["post"],
            reason=data["reason"],
        ),
        BranchForm,
        _branches,
    ),
)
ERASE = _offer(
    "erase",
    lambda user, post, data: erasing.erase(
        user=user,
        post=post,
        words=data["words"],
        reason=data["reason"],
        texts=data["texts"] or 0,
    ),
    EraseForm,
)
THREAD_OFFERS = (
    _offer("lock", _plain(states.lock, "thread"), offered=lambda thread: not thread.locked),
    _offer("unlock", _plain(states.unlock, "thread"), offered=lambda thread: thread.locked),
    _offer("archive", _plain(states.archive, "thread"), offered=lambda thread: not thread.archived),
    _offer("unarchive", _plain(states.unarchive, "thread"), offered=lambda thread: thread.archived),
    _offer("pin", _plain(states.pin, "thread"), offered=lambda thread: not thread.pinned),
    _offer("unpin", _plain(states.unpin, "thread"), offered=lambda thread: thread.pinned),
    _offer(
        "slow",
        lambda user, thread, data: states.slow(user=user, thread=thread, **data),
        SlowForm,
    ),
    _offer(
        "demand approval",
        _plain(states.demand_approval, "thread"),
        offered=lambda thread: not thread.approval,
    ),
    _offer(
        "waive approval",
        _plain(states.waive_approval, "thread"),
        offered=lambda thread: thread.approval,
    ),
    _offer("hide", _plain(states.hide_thread, "thread"), offered=_visible),
    _offer(
        "restore",
        _plain(states.restore_thread, "thread"),
        offered=lambda thread: not _visible(thread),
    ),
    _offer(
        "move",
        lambda user, thread, data: moving.move_thread(user=user, thread=thread, **data),
        BoardForm,
    ),
    _offer(
        "merge",
        lambda user, thread, data: merging.merge(
            user=user, thread=thread, into=data["target"], reason=data["reason"]
        ),
        TargetForm,
        _visible,
    ),
    _offer(
        "merge duplicates",
        lambda user, thread, data: merging.merge_duplicates(
            user=user, thread=thread, into=data["target"], reason=data["reason"]
        ),
        TargetForm,
        _visible,
    ),
)
