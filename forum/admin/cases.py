"""The queue: what waits for a decision, gravest first, each with the buttons that decide it."""

import re
from collections import Counter
from datetime import datetime

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.filtering import NamedFilters
from accounts.models import User
from core.compiled_queries import CompiledQuery
from forum.moderation import queue, sanctions, undoing

from ..acts import ACTS
from ..desk import up_to_most
from ..models import AuditEntry, Case, CaseViewer, GuestReport, Report, TrustedReporter
from ..models.moderation import AuditEntryQuerySet
from ..models.visibility import (
    cases_visible_to,
    entries_moderated_by,
    moderates,
    moderates_all,
)
from ..permissions import Refused, may
from ..views.fetch import sent_id
from .case_entries import entries_of
from .site import ReadOnly

PER_PAGE = 10
MOST = 200  # cases that wait are counted up to here
LATEST = 8  # entries of the log under the queue
POINTS = range(1, sanctions.MAX_POINTS + 1)
# What is decided for several at once; each case takes what its kind knows.
TOGETHER = ("no action", "hide", "approve", "reject", "admit", "turn away")


@admin.register(Case)
class CaseAdmin(ReadOnly):
    """The list is the queue, and the front page of the desk; a case has a page of its own, decided
    or not."""

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
        """What waits, by `?kind=`, after `?after=`, the gravity and id of a case. POST decides one
        case or several, or notes which one is looked at."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST" and "look" in request.POST:
            return self._look(request)
        if request.method == "POST" and "together" in request.POST:
            return self._decide_all(request)
        if request.method == "POST":
            return self._decide(request)
        return self._queue(request, kept=None)

    def _case(self, request: HttpRequest, wanted: str) -> Case:
        case = self.get_queryset(request).filter(pk=sent_id(wanted)).first()
        if case is None:
            raise Http404
        return case

    def _look(self, request: HttpRequest) -> HttpResponse:
        queue.look_at(user=request.user, case=self._case(request, request.POST["look"]))
        return HttpResponse(status=204)

    def _decide(self, request: HttpRequest) -> HttpResponse:
        case = self._case(request, request.POST.get("case", ""))
        act, reason = request.POST.get("act", ""), _reason(request)
        asked = request.POST.get("points", "")
        points = int(asked) if asked in map(str, POINTS) else 0
        try:
            queue.decide(user=request.user, case=case, act=act, reason=reason, points=points)
        except Refused as error:
            kept = {
                "case": case.pk,
                "decided": Case.objects.filter(pk=case.pk, decided_at__isnull=False).exists(),
                "reason": reason,
                "points": points,
                "error": str(error),
            }
            return self._queue(request, kept=kept)
        self.message_user(request, "Decided, and written to the log.", messages.SUCCESS)
        return redirect(request.get_full_path())

    def _decide_all(self, request: HttpRequest) -> HttpResponse:
        """Decide the chosen cases alike; of those that are refused the page says why."""
        act, reason = request.POST.get("act", ""), _reason(request)
        ids = [pk for pk in map(sent_id, request.POST.getlist("chosen")[:PER_PAGE]) if pk]
        cases = list(self.get_queryset(request).for_listing().filter(pk__in=ids).order_by("pk"))
        if not cases or act not in TOGETHER:
            error = "Choose cases by their boxes, and what to do."
            sent = {"chosen": ids, "reason": reason, "act": act, "error": error}
            return self._queue(request, kept=sent | {"case": None})
        refused = queue.decide_all(user=request.user, cases=cases, act=act, reason=reason)
        if refused:
            lines = " ".join(f"{_named(case)}: {why}" for case, why in refused.items())
            kept: dict = {"chosen": [case.pk for case in refused], "reason": reason, "act": act}
            kept |= {"case": None, "error": lines, "done": len(cases) - len(refused)}
            return self._queue(request, kept=kept)
        done = f"Decided: {len(cases)}. All of it is written to the log."
        self.message_user(request, done, messages.SUCCESS)
        return redirect(request.get_full_path())

    def _queue(self, request: HttpRequest, *, kept: dict | None) -> HttpResponse:
        """Draw the queue; `kept` is what was sent and refused, with the reason it was."""
        kind, after = request.GET.get("kind", ""), request.GET.get("after", "")
        place = re.fullmatch(r"([0-9])-([0-9]{1,18})", after)
        if (kind and kind not in Case.Kind.values) or (after and not place):
            raise Http404
        waiting = self.get_queryset(request).open().gravest_first()
        # Keys alone first: whole rows are read of those alone that are shown.
        keys = waiting.values_list("gravity", "pk", "kind", "opened_at")
        first = list(keys[: MOST + 1])
        more = len(first) > MOST
        counts = Counter(of for *_, of, _ in first)
        found = first[: PER_PAGE + 1]
        if kind or place:
            rows = keys.filter(kind=kind) if kind else keys
            if place:
                gravity, pk = map(int, place.groups())
                behind = Q(gravity__gt=gravity) | Q(pk__gt=pk)
                rows = rows.filter(behind, gravity__gte=gravity)
            found = list(rows[: PER_PAGE + 1])
        cases = _shown(request.user, [pk for _, pk, *_ in found[:PER_PAGE]])
        # Of more than were counted, there may be some of any kind.
        tabs = [
            (value, label, None if more else counts[value])
            for value, label in Case.Kind.choices
            if more or counts[value] or value == kind
        ]
        last = found[PER_PAGE - 1] if len(found) > PER_PAGE else None
        context = {
            **self.admin_site.each_context(request),
            "title": "Queue",
            "cases": entries_of(cases, request.user, kept),
            "kind": kind,
            "tabs": tabs,
            "total": min(len(first), MOST),
            "waiting": up_to_most(len(first)),
            "more": more,
            "oldest": _oldest(first, keys),
            "after": "{}-{}".format(*last) if last else None,
            "later": bool(after),
            "kept": kept,
            "points": POINTS,
            "together": [(act, ACTS[act].label) for act in TOGETHER],
            "latest": _latest(request.user),
            "opts": self.model._meta,
        }
        status = 422 if kept else 200
        return render(request, "admin/forum/queue.html", context, status=status)


def _reason(request: HttpRequest) -> str:
    return " ".join(request.POST.get("reason", "").replace("\0", "").split())[:300]


def _named(case: Case) -> str:
    """A case in a sentence: the post's number and debate, or the member."""
    if case.post:
        return f"{case.post} in “{case.post.thread.title}”"
    return case.member.username if case.member else f"Case {case.pk}"


def _of_cases(user, path: str) -> Exists:
    """Of a row whose case is at `path`: `user` may decide that. Asked of each row by itself: a list
    of all cases would be made for one page."""
    return Exists(cases_visible_to(user).filter(pk=OuterRef(path)))


def _latest(user) -> list[tuple[AuditEntry, bool]]:
    """The newest entries of the log of the boards that `user` moderates, and of each whether the
    page offers to take it back."""
    seen = entries_moderated_by(user).public().order_by("-pk").values_list("pk", flat=True)
    ids = list(seen[:LATEST])
    rows = _entries(ids) if moderates_all(user) else _moderated_by(user, ids)
    return [(entry, undoing.may_undo(user, entry)) for entry in rows]


def _moderated_by(user, ids: list[int]) -> AuditEntryQuerySet:
    rows = entries_moderated_by(user).for_undo().select_related("actor")
    return rows.filter(pk__in=ids).order_by("-pk")


def _oldest(first: list[tuple], keys: QuerySet) -> datetime | None:
    """Since when the oldest case waits. `first` are the first of `keys`, (gravity, …, opened at)
    each, gravest first and then oldest; of each gravity that they do not reach one is asked for."""
    moments = [opened_at for *_, opened_at in first]
    if len(first) > MOST:
        for gravity in range(first[-1][0] + 1, Case.UNHEEDED + 1):
            moments += [opened_at for *_, opened_at in keys.filter(gravity=gravity)[:1]]
    return min(moments, default=None)


def _shown(user, ids: list[int]) -> list[Case]:
    """Those of these cases that still wait for `user`, gravest first: since they were found one may
    have been decided, or its debate have gone to a board where `user` may not read."""
    cases = [case for case in _cases(ids) if moderates(user, case.board_now)]
    return sorted(cases, key=lambda case: (case.gravity, case.pk))


_cases = CompiledQuery(
    "cases_listed", lambda ids: Case.objects.open().for_listing().filter(pk__in=ids), "numbers"
)
_entries = CompiledQuery(
    "acts_listed", lambda ids: _moderated_by(User(pk=0, is_moderator=True), ids), "numbers"
)


@admin.register(CaseViewer)
class CaseViewerAdmin(ReadOnly):
    """Who has which case open."""

    board_path = "case__post__thread__board_id"
    list_display = ("case", "member", "seen_at")
    list_select_related = ("case", "member")

    def get_queryset(self, request):
        return super().get_queryset(request).filter(_of_cases(request.user, "case"))


@admin.register(Report)
class ReportAdmin(ReadOnly):
    """Who reported what, for the moderators of the board."""

    board_path = "case__post__thread__board_id"
    list_display = ("created_at", "member", "reason", "text", "heeded", "trusted", "case")
    list_filter = ("reason", "heeded", "trusted")
    list_select_related = ("member", "case")
    search_fields = ("text", "member__username")

    def get_queryset(self, request):
        return super().get_queryset(request).filter(_of_cases(request.user, "case"))


@admin.register(GuestReport)
class GuestReportAdmin(ReadOnly):
    """What came from outside, without the addresses and the numbers of receipts."""

    board_path = "report__case__post__thread__board_id"
    fields = ("report", "name", "abuse", "confirmed_at", "receipt_at", "outcome_at")
    list_display = ("report", "name", "abuse", "confirmed_at", "receipt_at", "outcome_at")
    list_select_related = ("report",)

    def get_queryset(self, request):
        return super().get_queryset(request).filter(_of_cases(request.user, "report__case"))


@admin.register(TrustedReporter)
class TrustedReporterAdmin(NamedFilters, admin.ModelAdmin):
    """Whose reports come first, as administrators say it."""

    list_display = ("__str__", "note")
    fields = ("member", "address", "note")
    raw_id_fields = ("member",)

    def has_module_permission(self, request) -> bool:
        return may(request.user, "administer") and may(request.user, "enter desk")

    def has_view_permission(self, request, obj=None) -> bool:
        return self.has_module_permission(request)

    has_add_permission = has_module_permission
    has_change_permission = has_delete_permission = has_view_permission
