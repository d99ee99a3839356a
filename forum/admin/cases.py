"""The queue: what waits for a decision, oldest first, each with the form that decides it."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Min
from django.http import Http404
from django.shortcuts import redirect, render

from forum import rendering
from forum.moderation import queue, sanctions
from forum.rendering.posts import PostEntry
from forum.rendering.quotes import Judgement

from ..models import AuditEntry, Case, Post, Report, Thread
from ..models.visibility import cases_visible_to, entries_moderated_by
from ..permissions import Refused, may
from ..views.fetch import sent_id
from .site import ReadOnly

PER_PAGE = 20
LATEST = 8  # entries of the log beside the queue
POINTS = range(1, sanctions.MAX_POINTS + 1)
LONG = 150  # words from which a post folds


@admin.register(Case)
class CaseAdmin(ReadOnly):
    """The list is the queue; a case has a page of its own, decided or not."""

    board_path = "post__thread__board_id"
    fields = (
        "kind",
        "post",
        "member",
        "report_count",
        "hid",
        "opened_at",
        "decided_at",
        "decision",
    )

    def get_queryset(self, request):
        return cases_visible_to(request.user)

    def changelist_view(self, request, extra_context=None):
        """What waits, by `?kind=`, after the case with the id `?after=`; POST decides one."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return self._decide(request)
        return self._queue(request, kept=None)

    def _decide(self, request):
        wanted = request.POST.get("case", "")
        case = self.get_queryset(request).filter(pk=sent_id(wanted)).first()
        if case is None:
            raise Http404
        act = request.POST.get("act", "")
        reason = " ".join(request.POST.get("reason", "").replace("\0", "").split())[:300]
        points = request.POST.get("points", "")
        points = int(points) if points in map(str, POINTS) else 0
        try:
            queue.decide(user=request.user, case=case, act=act, reason=reason, points=points)
        except Refused as error:
            kept = {
                "case": case.pk,
                "act": act,
                "reason": reason,
                "points": points,
                "error": str(error),
            }
            return self._queue(request, kept=kept)
        self.message_user(request, "Decided, and written to the log.", messages.SUCCESS)
        return redirect(request.get_full_path())

    def _queue(self, request, *, kept: dict | None):
        kind = request.GET.get("kind", "")
        after = request.GET.get("after", "")
        if (kind and kind not in Case.Kind.values) or not (after or "0").isdecimal():
            raise Http404
        waiting = self.get_queryset(request).open()
        counts = waiting.order_by().values("kind").annotate(n=Count("pk"), first=Min("opened_at"))
        counts = {row["kind"]: row for row in counts}
        rows = waiting.filter(kind=kind) if kind else waiting
        if after:
            rows = rows.filter(pk__gt=int(after[:18]))
        found = list(rows.for_listing().order_by("pk")[: PER_PAGE + 1])
        cases = found[:PER_PAGE]
        tabs = [
            (value, label, counts.get(value, {}).get("n", 0)) for value, label in Case.Kind.choices
        ]
        context = {
            **self.admin_site.each_context(request),
            "title": "Queue",
            "cases": entries_of(cases, request.user, kept),
            "kind": kind,
            "tabs": [tab for tab in tabs if tab[2] or tab[0] == kind],
            "total": sum(n for _, _, n in tabs),
            "oldest": min((row["first"] for row in counts.values()), default=None),
            "after": cases[-1].pk if len(found) > PER_PAGE else None,
            "later": bool(after),
            "kept": kept,
            "points": POINTS,
            "latest": _latest(request.user),
            "opts": self.model._meta,
        }
        status = 422 if kept else 200
        return render(request, "admin/forum/queue.html", context, status=status)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEntry:
    """A case as the queue shows it to one moderator."""

    case: Case
    acts: Sequence[tuple[str, str]]  # that decide it: value and label
    post: PostEntry | None
    where: Thread | None  # the debate that it is about, if the moderator sees it
    reports: Sequence[Report]
    reasons: Sequence[tuple[str, int]]  # that they give, and how often
    verdicts: Sequence[Judgement] | None  # on its quotes, where a report says it misquotes
    before: int  # how often reports of the post were decided
    long: bool
    kept: dict | None  # what was sent to decide it, if that was refused


def entries_of(cases: Sequence[Case], user, kept: dict | None) -> list[CaseEntry]:
    """The cases as the queue shows them: the post as it reads, the reports and what they say, what
    the check says of its quotes, and how often it was looked at before. Constant queries."""
    posts = list(
        Post.objects.for_reading()
        .select_related("thread__board", "body__revision")
        .filter(pk__in=[case.post_id for case in cases if case.post_id])
    )
    entries = {entry.post.pk: entry for entry in rendering.render_posts(posts, user=user)}
    verdicts = rendering.verdicts(posts, user)
    reports = defaultdict(list)
    for report in Report.objects.filter(case__in=cases).select_related("member").order_by("pk"):
        reports[report.case_id].append(report)
    answered = AuditEntry.objects.for_undo().in_bulk(
        [case.notice.entry_id for case in cases if case.notice]
    )
    before = Counter(
        Case.objects.filter(
            post__in=entries, kind=Case.Kind.REPORT, decided_at__isnull=False
        ).values_list("post_id", flat=True)
    )
    found = []
    for case in cases:
        about = answered.get(case.notice.entry_id) if case.notice else None
        entry, made = entries.get(case.post_id or 0), reports[case.pk]
        where = case.post.thread if case.post else case.thread
        misquotes = any(report.reason == Report.Reason.MISQUOTE for report in made)
        found.append(
            CaseEntry(
                case=case,
                acts=queue.offered(user, case, about),
                post=entry,
                where=where if where and may(user, "see thread", where) else None,
                reports=made,
                reasons=Counter(report.get_reason_display() for report in made).most_common(),
                verdicts=verdicts.get(case.post_id or 0, ()) if misquotes else None,
                before=before[case.post_id or 0],
                long=bool(entry and len(entry.post.body.revision.plain.split()) > LONG),
                kept=kept if kept and kept["case"] == case.pk else None,
            )
        )
    return found


def _latest(user):
    """The newest entries of the log of the boards that `user` moderates."""
    rows = entries_moderated_by(user).public().select_related("actor")
    return rows.order_by("-created_at", "-pk")[:LATEST]


@admin.register(Report)
class ReportAdmin(ReadOnly):
    """Who reported what, for the moderators of the board."""

    board_path = "case__post__thread__board_id"
    list_display = ("created_at", "member", "reason", "text", "case")
    list_filter = ("reason",)
    list_select_related = ("member", "case")
    search_fields = ("text", "member__username")
    ordering = ("-pk",)

    def get_queryset(self, request):
        return super().get_queryset(request).filter(case__in=cases_visible_to(request.user))
