"""Everything that one account posted, to be reviewed on one page and cleaned up."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render

from accounts.models import User
from forum.moderation import cleanup

from ..models import AuditEntry, Member, Post, State
from ..models.visibility import moderated_board_ids, moderates_all
from ..permissions import Refused, may, require
from ..views.fetch import sent_id

PER_PAGE = 50
BATCHES = 10
STANDS = (State.VISIBLE, State.PENDING)


def review(site, request, pk: int):
    """The posts of a member in the boards one moderates, newest first. POST hides the chosen ones,
    or brings back a whole batch."""
    member = Member.objects.filter(pk=pk).first()
    if member is None:
        raise Http404
    require(request.user, "clean up", member)
    kept, status = {}, 200
    if request.method == "POST":
        try:
            _act(request, member)
            return redirect(request.get_full_path())
        except Refused as error:
            kept = {
                "error": str(error),
                "reason": request.POST.get("reason", ""),
                "chosen": {*request.POST.getlist("post"), *request.POST.getlist("thread")},
            }
            status = 422
    before = request.GET.get("before", "")
    if before and (not before.isdecimal() or len(before) > 18):
        raise Http404
    posts = (
        Post.objects.filter(author=member)
        .exclude(thread__state=State.LOADING)
        .select_related("thread__board", "body")
        .order_by("-pk")
    )
    if not moderates_all(request.user):
        posts = posts.filter(thread__board__in=moderated_board_ids(request.user))
    if before:
        posts = posts.filter(pk__lt=int(before))
    found = list(posts[: PER_PAGE + 1])
    batches = AuditEntry.objects.for_undo().select_related("actor").order_by("-pk")
    batches = batches.filter(member=member, verb="clean up", undone_by__isnull=True)[:BATCHES]
    return render(
        request,
        "admin/forum/review.html",
        {
            **site.each_context(request),
            "title": f"Everything by {member.username}",
            "one": member,
            "rows": [_row(post, member) for post in found[:PER_PAGE]],
            "older": found[PER_PAGE - 1].pk if len(found) > PER_PAGE else None,
            "later": bool(before),
            "batches": [entry for entry in batches if may(request.user, "undo", entry)],
            "batch": uuid4(),
            "kept": kept,
        },
        status=status,
    )


@dataclass(frozen=True, slots=True)
class Row:
    """A post of the member, and the box that chooses it: of an opening, for the whole debate."""

    post: Post
    field: str  # "thread" or "post"
    value: str
    stands: bool


def _row(post: Post, member: User) -> Row:
    whole = post.is_opening and post.thread.author_id == member.pk
    if whole and post.state == State.VISIBLE:
        return Row(post, "thread", str(post.thread_id), post.thread.state in STANDS)
    return Row(post, "post", str(post.pk), post.state in STANDS)


def _act(request, member: User) -> None:
    reason = request.POST.get("reason", "")
    wanted = request.POST.get("undo", "")
    if wanted:
        entry = AuditEntry.objects.filter(
            member=member, verb="clean up", pk=sent_id(wanted)
        ).first()
        if entry is None:
            raise Http404
        _, left = cleanup.undo(user=request.user, entry=entry, reason=reason)
        messages.success(request, "Brought back.")
        for words in left:
            messages.warning(request, f"Left as it is: {words}")
        return
    try:
        batch = UUID(request.POST.get("batch", ""))
    except ValueError:
        raise Refused(
            "Something was missing in the form. Look it over and send it again."
        ) from None
    entry = cleanup.clean_up(
        user=request.user,
        member=member,
        post_ids=_ids(request, "post"),
        thread_ids=_ids(request, "thread"),
        reason=reason,
        batch=batch,
    )
    messages.success(request, f"Hidden: {entry.detail['things']}. It can be undone below.")


def _ids(request, name: str) -> list[int]:
    """The numbers of the boxes ticked; with "all" of every box on the page."""
    name = f"all-{name}" if "all" in request.POST else name
    values = request.POST.getlist(name)
    return [int(value) for value in values if value.isdecimal() and len(value) < 19]
