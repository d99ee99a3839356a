"""Acts of moderation, from the post or debate itself: which act, what it will do, and why.

`/posts/<id>/moderate/` and `/threads/<id>/moderate/` offer what may be done; with `?act=` they say
what one act will do and take the reason. Everything works without script.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render

from .. import drawing
from ..actions import composing, erasing, merging, moderation, moving, undoing
from ..actions.threads import MAX_TITLE
from ..models import AuditEntry, Board, Post, Quote, State, Thread
from ..models.visibility import boards_visible_to
from ..permissions import NotThere, Refused, may, require
from .fetch import post_or_404, thread_or_404
from .posts import where

LATEST = 10  # entries of the log beside the acts on a debate
REASON = 300
ADDRESS = re.compile(r"(?:.*/threads/)?(\d{1,18})(?:/.*)?\Z")


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
        found = ADDRESS.match(self.cleaned_data["target"].strip())
        rows = Thread.objects.select_related("board")
        thread = rows.filter(pk=int(found[1])).first() if found else None
        if thread is None or not may(self.user, "see thread", thread):
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


def _branches(post: Post) -> bool:
    return post.number is not None and not post.is_opening


POST_ACTS = {
    "approve": Act(
        "Approve",
        "It appears now, with the next number of the debate.",
        _plain(moderation.approve, "post"),
        offered=_waits,
    ),
    "reject": Act(
        "Do not approve",
        "It does not appear. Its author keeps the text and reads the reason.",
        _plain(moderation.reject, "post"),
        NeededReasonForm,
        offered=lambda post: post.state == State.PENDING,
    ),
    "hide": Act(
        "Hide",
        "A placeholder with your reason keeps its place and number; moderators still read it.",
        _plain(moderation.hide, "post"),
        NeededReasonForm,
        offered=lambda post: not _waits(post) and post.state != State.HIDDEN,
    ),
    "remove": Act(
        "Remove",
        "As hiding, and readers are told that it was removed. It can be brought back.",
        _plain(moderation.remove, "post"),
        NeededReasonForm,
        offered=lambda post: not _waits(post) and post.state != State.REMOVED,
    ),
    "restore": Act(
        "Bring back",
        "It stands again in its place, with its number and the quotes of it.",
        _plain(moderation.restore, "post"),
        offered=lambda post: post.state in (State.HIDDEN, State.REMOVED) and post.number,
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
        "Each member may write here once in so many minutes. What comes too early is not lost.",
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


# --- /posts/<id>/moderate/ and /threads/<id>/moderate/ ----------------------------------------


def moderate_post(request, post_id):
    """What may be done to a post, or one act on it."""
    post = post_or_404(request.user, post_id, verb="moderate")
    acts = dict(POST_ACTS)
    if may(request.user, "erase", post):
        acts["erase"] = ERASE
    name = request.GET.get("act", "")
    drawing.draw([post], user=request.user)
    context = {
        "post": post,
        "thread": post.thread,
        "back": post.get_absolute_url(),
        "log": _latest(post.thread, post),
    }
    return _page(request, post, acts, name, context)


def moderate_thread(request, thread_id):
    """What may be done to a debate, or one act on it."""
    thread = thread_or_404(request.user, thread_id)
    require(request.user, "moderate", thread)
    name = request.GET.get("act", "")
    waiting = Post.objects.filter(thread=thread, state=State.PENDING).order_by("pk")
    context = {
        "thread": thread,
        "back": thread.get_absolute_url(),
        "waiting": waiting.select_related("author")[:50],
        "log": _latest(thread),
    }
    return _page(request, thread, THREAD_ACTS, name, context)


def _page(request, thing: Post | Thread, acts: dict[str, Act], name: str, context: dict):
    offered = {key: act for key, act in acts.items() if act.offered(thing)}
    if not name:
        return render(request, "acts/acts.html", {**context, "acts": offered})
    if name not in acts:
        raise Http404
    act, status = acts[name], 200
    options = {"user": request.user} if issubclass(act.form, BoardForm | TargetForm) else {}
    form = act.form(request.POST if request.method == "POST" else None, auto_id="%s", **options)
    if request.method == "POST" and form.is_valid() and not _asks_again(act, form, thing):
        try:
            done = act.do(request.user, thing, form.cleaned_data)
        except NotThere:
            raise
        except (Refused, composing.Unacceptable) as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{act.label}: done, and written to the log.")
            return redirect(_after(request.user, thing, done))
    if form.is_bound and form.errors:
        status = 422
    told = {"name": name, "act": act, "form": form, "changes": _changes(name, thing)}
    return render(request, "acts/act.html", {**context, **told}, status=status)


def _asks_again(act: Act, form: forms.Form, post: Post) -> bool:
    """Whether words are not erased yet: the page says first in how many texts they stand, and
    wants that confirmed."""
    if act is not ERASE:
        return False
    try:
        places = erasing.find(post, form.cleaned_data["words"]).places
    except Refused as error:
        form.add_error("words", str(error))
        return True
    if form.cleaned_data["sure"] and form.cleaned_data["places"] == places:
        return False
    form.data = {**form.data.dict(), "places": places}
    form.add_error("sure", f"They stand in {places:,} texts. Confirm that all of them are meant.")
    return True


def _after(user, thing: Post | Thread, done) -> str:
    """Where to go when it is done: to what became of it."""
    if isinstance(done, Thread):
        return done.get_absolute_url()
    if isinstance(thing, Post):
        post = Post.objects.select_related("thread").get(pk=thing.pk)
        return f"/posts/{post.pk}/moderate/" if post.number is None else where(user, post)
    return thing.get_absolute_url()


def _changes(name: str, thing: Post | Thread) -> Sequence[str]:
    """What exactly an act that moves posts will move, in sentences."""
    if name in ("split", "move-branch"):
        return _of_posts(moving.branch(thing), thing.thread)
    if name in ("merge", "merge-duplicates"):
        return _of_posts(list(thing.posts.values_list("pk", flat=True)), thing)
    if name == "move":
        quoted = Quote.objects.filter(source_post__thread=thing).exclude(post__thread=thing)
        found = [f"{thing.numbered:,} posts go along."]
        if count := quoted.count():
            found.append(
                f"{count:,} quotes elsewhere keep their words; who may not see the new board reads "
                "them without name and link."
            )
        return found
    return ()


def _of_posts(ids: Sequence[int], thread: Thread) -> list[str]:
    count = len(ids)
    found = [f"{count:,} {'post goes' if count == 1 else 'posts go'} along."]
    posts = Post.objects.filter(thread=thread)
    waiting = posts.filter(state=State.PENDING, parent__in=ids).count()
    if waiting:
        found.append(f"{waiting:,} that wait for approval go with what they answer.")
    writers = posts.filter(pk__in=ids, author__isnull=False).values("author").distinct().count()
    if writers:
        found.append(f"{writers:,} {'member is' if writers == 1 else 'members are'} told.")
    found.append(
        "Links to the posts, quotes, what was read and drafts stay right; numbers are given anew."
    )
    return found


def _latest(thread: Thread, post: Post | None = None) -> list[AuditEntry]:
    """The newest entries about a debate or one of its posts, each with `offers_undo`."""
    rows = AuditEntry.objects.filter(thread=thread)
    if post is not None:
        rows = AuditEntry.objects.filter(post=post)
    entries = list(rows.select_related("actor", "undone_by").order_by("-pk")[:LATEST])
    for entry in entries:
        entry.offers_undo = entry.verb in undoing.ACTS and not hasattr(entry, "undone_by")
    return entries


# --- /log/<id>/undo/ --------------------------------------------------------------------------


def undo(request, entry_id):
    """Take an act back: a page that asks, a form that does."""
    entry = (
        AuditEntry.objects.select_related("thread__board", "post", "actor")
        .filter(pk=entry_id, thread__isnull=False)
        .first()
    )
    if entry is None:
        raise Http404
    require(request.user, "moderate", entry.thread)
    form = ReasonForm(request.POST if request.method == "POST" else None, auto_id="%s")
    if request.method == "POST" and form.is_valid():
        try:
            undoing.undo(user=request.user, entry=entry, reason=form.cleaned_data["reason"])
        except Refused as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Taken back, and written to the log.")
            return redirect(f"/threads/{entry.thread_id}/moderate/")
    return render(
        request,
        "acts/undo.html",
        {
            "entry": entry,
            "thread": entry.thread,
            "form": form,
            "possible": undoing.may_be_undone(entry),
        },
        status=422 if form.errors else 200,
    )
