"""Acts of moderation as pages offer them: what each is called, what it will do, what it asks."""

from collections.abc import Callable
from dataclasses import dataclass

from django import forms

from ..actions import erasing, merging, moderation, moving
from ..actions.threads import MAX_TITLE
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
        max_value=moderation.MAX_SLOW,
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
        self.fields["board"].queryset = Board.objects.filter(pk__in=mine).in_order()


class TitleForm(ReasonForm):
    """What a debate made of posts is called."""

    title = forms.CharField(label="Title of the new debate", max_length=MAX_TITLE)
    field_order = ("title", "reason")


class TargetForm(ReasonForm):
    """The debate that takes something in, by its address or number, into `thread`."""

    target = forms.CharField(label="The other debate: its address or number", max_length=300)
    field_order = ("target", "reason")

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
        data = super().clean()
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
    places = forms.IntegerField(required=False, widget=forms.HiddenInput)
    sure = forms.BooleanField(label="I know that this cannot be undone.", required=False)
    field_order = ("words", "reason", "sure")


@dataclass(frozen=True, slots=True)
class Act:
    """One act as the page offers it. `says` tells what it will do to a thing; `do` takes the
    moderator, the thing and the form's data."""

    label: str
    says: str
    do: Callable
    form: type[forms.Form] = ReasonForm
    offered: Callable = lambda thing: True
    grave: bool = False


def _plain(function: Callable, name: str) -> Callable:
    return lambda user, thing, data: function(user=user, **{name: thing}, reason=data["reason"])


def _standing(post: Post) -> bool:
    return post.state == State.VISIBLE


def _waits(post: Post) -> bool:
    return post.state in (State.PENDING, State.REJECTED)


def _arrived(post: Post) -> bool:
    # What was withdrawn while it waited waits no more, and was never seen either.
    return post.number is not None


def _branches(post: Post) -> bool:
    return _arrived(post) and not post.is_opening


POST_ACTS = {
    "approve": Act(
        "Approve",
        "It appears now, with the next number of the debate.",
        _plain(moderation.approve, "post"),
        offered=_waits,
    ),
    "reject": Act(
        "Do not approve",
        "It does not appear. Its author reads the reason and finds the text among their drafts.",
        _plain(moderation.reject, "post"),
        NeededReasonForm,
        offered=lambda post: post.state == State.PENDING,
    ),
    "hide": Act(
        "Hide",
        "A placeholder with your reason keeps its place and number; moderators still read it.",
        _plain(moderation.hide, "post"),
        NeededReasonForm,
        offered=lambda post: _arrived(post) and post.state != State.HIDDEN,
    ),
    "remove": Act(
        "Remove",
        "As hiding, and readers are told that it was removed. It can be brought back.",
        _plain(moderation.remove, "post"),
        NeededReasonForm,
        offered=lambda post: _arrived(post) and post.state != State.REMOVED,
    ),
    "restore": Act(
        "Bring back",
        "It stands again in its place, with its number and the quotes of it.",
        _plain(moderation.restore, "post"),
        offered=lambda post: _arrived(post) and post.state in (State.HIDDEN, State.REMOVED),
    ),
    "lock-branch": Act(
        "Lock the branch",
        "Neither this post nor what hangs below it takes answers or edits, but by moderators.",
        _plain(moderation.lock_branch, "post"),
        offered=lambda post: _branches(post) and not post.branch_locked,
    ),
    "unlock-branch": Act(
        "Unlock the branch",
        "The branch takes answers and edits again.",
        _plain(moderation.unlock_branch, "post"),
        offered=lambda post: post.branch_locked,
    ),
    "split": Act(
        "Split the branch off",
        "This post opens a debate of its own, and all that hangs below it goes along.",
        lambda user, post, data: moving.split(
            user=user,
            thread=post.thread,
            chosen=moving.branch(post),
            title=data["title"],
            reason=data["reason"],
        ),
        TitleForm,
        offered=_branches,
    ),
    "move-branch": Act(
        "Move the branch to another debate",
        "This post goes to another debate, and all that hangs below it goes along.",
        lambda user, post, data: moving.move_branch(
            user=user,
            post=post,
            target=data["target"],
            answers=data["post"],
            reason=data["reason"],
        ),
        BranchForm,
        offered=_branches,
    ),
}
ERASE = Act(
    "Erase words for a legal reason",
    "Words are blackened for good, in every text of every post, in quotes, titles, drafts and the "
    "log. This cannot be undone.",
    lambda user, post, data: erasing.erase(
        user=user,
        post=post,
        words=data["words"],
        reason=data["reason"],
        places=data["places"] or 0,
    ),
    EraseForm,
    grave=True,
)
THREAD_ACTS = {
    "lock": Act(
        "Lock",
        "It takes no more answers, and members edit nothing in it; moderators do.",
        _plain(moderation.lock, "thread"),
        offered=lambda thread: not thread.locked,
    ),
    "unlock": Act(
        "Unlock",
        "It takes answers again.",
        _plain(moderation.unlock, "thread"),
        offered=lambda thread: thread.locked,
    ),
    "archive": Act(
        "Archive",
        "It takes no answers, edits or reports, by nobody, and says so.",
        _plain(moderation.archive, "thread"),
        offered=lambda thread: not thread.archived,
    ),
    "unarchive": Act(
        "Take out of the archive",
        "It goes on as before.",
        _plain(moderation.unarchive, "thread"),
        offered=lambda thread: thread.archived,
    ),
    "pin": Act(
        "Pin",
        "It stays at the top of its board.",
        _plain(moderation.pin, "thread"),
        offered=lambda thread: not thread.pinned,
    ),
    "unpin": Act(
        "Unpin",
        "It takes its ordinary place in its board.",
        _plain(moderation.unpin, "thread"),
        offered=lambda thread: thread.pinned,
    ),
    "slow": Act(
        "Slow mode",
        "Each member may write here once in so many minutes. One reply that comes too early waits, "
        "until its writer lets it appear in time or a moderator does sooner.",
        lambda user, thread, data: moderation.slow(user=user, thread=thread, **data),
        SlowForm,
    ),
    "demand-approval": Act(
        "Let answers wait for approval",
        "Answers of members appear when a moderator lets them in.",
        _plain(moderation.demand_approval, "thread"),
        offered=lambda thread: not thread.approval,
    ),
    "waive-approval": Act(
        "Let answers appear at once",
        "New answers appear at once. Those that wait go on waiting.",
        _plain(moderation.waive_approval, "thread"),
        offered=lambda thread: thread.approval,
    ),
    "hide": Act(
        "Hide",
        "Only moderators see it, and it is gone from every list.",
        _plain(moderation.hide_thread, "thread"),
        NeededReasonForm,
        offered=lambda thread: thread.state == State.VISIBLE,
    ),
    "restore": Act(
        "Bring back",
        "Everybody who sees its board sees it again.",
        _plain(moderation.restore_thread, "thread"),
        offered=lambda thread: thread.state != State.VISIBLE,
    ),
    "move": Act(
        "Move to another board",
        "All its addresses stay. Who may not see that board does not see it any more.",
        lambda user, thread, data: moving.move_thread(user=user, thread=thread, **data),
        BoardForm,
    ),
    "merge": Act(
        "Merge into another debate",
        "All its posts go into the other debate, numbered as they came; the earlier opening opens, "
        "the other one answers it. Its addresses lead there.",
        lambda user, thread, data: merging.merge(
            user=user, thread=thread, into=data["target"], reason=data["reason"]
        ),
        TargetForm,
        offered=lambda thread: thread.state == State.VISIBLE,
    ),
    "merge-duplicates": Act(
        "Merge with its twin",
        "For a debate that was loaded twice: posts with the same text become one, quotes of them "
        "stay right, and what was written here goes along.",
        lambda user, thread, data: merging.merge_duplicates(
            user=user, thread=thread, into=data["target"], reason=data["reason"]
        ),
        TargetForm,
        offered=lambda thread: thread.state == State.VISIBLE,
    ),
}
