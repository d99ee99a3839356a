"""What is kept about members and about what waits: counts, and what binds somebody just now."""

from collections.abc import Iterator
from contextlib import suppress

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from accounts.models import User
from core import clock
from core.counting import counted
from forum import tree
from forum.actions import cases, notices
from forum.moderation import sanctions

from ..actions.locking import PostMoved, locked_post
from ..models import NOWHERE, Case, Post, Report, State, Suspension
from .faults import Fault


def check_members(*, fix: bool) -> Iterator[Fault]:
    """Counts of unread notices against the notices, and the columns that say what binds a member
    against the suspensions in force."""
    if miscounted := notices.miscounted():
        if fix:
            for pk in miscounted:
                notices.recount(pk)
        sentence = f"the counts of notices of {counted(len(miscounted), 'member,members')}"
        yield Fault(0, "notices", sentence, healed=fix)
    now = clock.now()
    bound = Suspension.objects.filter(member=OuterRef("pk"), ends_at__gt=now)
    members = User.objects.filter(
        Q(suspended_until__gt=now) | Q(approval_until__gt=now) | Exists(bound)
    )
    wrong = [member for member in members if not sanctions.stands(member)]
    if wrong:
        if fix:
            for member in wrong:
                sanctions.restate(member)
        sentence = f"what binds {counted(len(wrong), 'member,members')}"
        yield Fault(0, "standing", sentence, healed=fix)


def check_cases(*, fix: bool) -> Iterator[Fault]:
    """Reports against their count, and posts that wait against the queue."""
    mine = Report.objects.filter(case=OuterRef("pk")).order_by()
    count = mine.values("case").annotate(count=Count("pk")).values("count")
    wrong = Case.objects.annotate(there=Coalesce(Subquery(count), 0)).exclude(
        report_count=F("there")
    )
    found = list(wrong.values_list("pk", "there"))
    if found:
        if fix:
            for pk, there in found:
                Case.objects.filter(pk=pk).update(report_count=there)
        yield Fault(0, "reports", f"the reports of {counted(len(found), 'case,cases')}", healed=fix)
    yield from _places_of_cases(fix=fix)
    waits = Case.objects.open().filter(
        post=OuterRef("pk"), kind__in=(Case.Kind.FIRST, Case.Kind.SLOW, Case.Kind.HELD)
    )
    pending = Post.objects.filter(~Exists(waits), state=State.PENDING)
    lost = list(pending.exclude(thread__state__in=NOWHERE).values_list("pk", "thread_id"))
    if lost:
        if fix:
            for pk, thread_id in lost:
                with transaction.atomic():
                    try:
                        post = locked_post(Post(pk=pk, thread_id=thread_id), "author")
                    except PostMoved:
                        continue  # it waits there, and the next check finds it
                    if post.state == State.PENDING:
                        cases.hold(post)
        sentence = counted(
            len(lost), "post that waits is in no queue,posts that wait are in no queue"
        )
        yield Fault(0, "queue", sentence, healed=fix)


def _places_of_cases(*, fix: bool) -> Iterator[Fault]:
    """Board and gravity of cases, by which the queue is read, against where their posts stand and
    what was reported."""
    stands = Coalesce("post__thread_id", "thread_id")
    if found := list(Case.objects.misplaced().values_list(stands, flat=True)):
        if fix:
            for pk in sorted(set(found)):
                # A debate that went meanwhile took its posts, and their cases, back.
                with suppress(tree.ThreadGone), transaction.atomic():
                    cases.follow(*tree.lock(pk))
        yield Fault(0, "queue", f"the boards of {counted(len(found), 'case,cases')}", healed=fix)
    if wrong := [pk for pk, _ in Case.objects.misweighed()]:
        if fix:
            for pk in wrong:
                with transaction.atomic():
                    # A report that comes meanwhile waits for this row, or is counted.
                    one = Case.objects.filter(pk=pk)
                    list(one.select_for_update(no_key=True).values_list("pk"))
                    for _, gravity in one.misweighed():
                        one.update(gravity=gravity)
        yield Fault(0, "queue", f"the gravity of {counted(len(wrong), 'case,cases')}", healed=fix)
