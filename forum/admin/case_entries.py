"""A case as the queue shows it: the post in its context, what is known, what may be decided."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count, F, Min, Sum, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from core.compiled_queries import CompiledQuery
from forum import rendering
from forum.moderation import queue
from forum.rendering.posts import PostEntry
from forum.rendering.quotes import Judgement

from ..models import AuditEntry, Case, CaseViewer, Post, Report, State, Thread, Warning
from ..permissions import may

LONG = 150  # words from which a post folds
MOST_REPORTS = 20  # of one case that are shown; a thousand more change nothing
AROUND = 280  # characters shown of the posts around it
# The key that decides, by the act; hints stand on the buttons.
KEYS = {
    "admit": "y",
    "approve": "a",
    "hide": "h",
    "no action": "d",
    "refuse name": "n",
    "reject": "n",
    "turn away": "n",
    "remove": "r",
    "rename member": "y",
    "undo": "b",
    "uphold": "u",
    "warn": "w",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """A button that decides: the act's verb, its label and the key that presses it."""

    act: str
    label: str
    key: str
    needs_reason: bool


@dataclass(frozen=True, slots=True)
class Record:
    """What the moderators decided about a member before: points of warnings in force, and how
    many reports of their posts were decided, by act."""

    points: int
    decided: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEntry:
    """A case as the queue shows it to one moderator."""

    case: Case
    decisions: Sequence[Decision]
    post: PostEntry | None
    parent: Post | None  # what the post answers
    reply: Post | None  # the first that answers it
    where: Thread | None  # the debate that it is about, if the moderator sees it
    reports: Sequence[Report]  # the first MOST_REPORTS of them
    reasons: Sequence[tuple[str, int]]  # that all of them give, and how often
    verdicts: Sequence[Judgement]  # of the check, on the quotes in the post
    misquotes: bool  # a report says so
    before: int  # how often reports of the post were decided
    record: Record | None  # of whom it concerns
    viewers: Sequence[CaseViewer]  # other moderators who look at it now
    long: bool
    kept: dict | None  # what was sent to decide it, if that was refused


_posts = CompiledQuery(
    "posts_of_cases",
    lambda ids: (
        Post.objects.for_reading()
        .select_related("thread__board", "body__revision")
        .filter(pk__in=ids)
    ),
    "numbers",
)


def entries_of(cases: Sequence[Case], user, kept: dict | None) -> list[CaseEntry]:
    """The cases as the queue shows them to `user`, a moderator who may decide them; `kept` is what
    was sent to decide one of them and refused. A constant number of queries."""
    posts = _posts([case.post_id for case in cases if case.post_id])
    entries = {entry.post.pk: entry for entry in rendering.render_posts(posts, user=user)}
    verdicts = rendering.verdicts(posts, user)
    parents, replies = _around(posts)
    reports, reasons = _reports(cases)
    answered = AuditEntry.objects.for_undo().in_bulk(
        [case.notice.entry_id for case in cases if case.notice]
    )
    decided = Case.objects.filter(kind=Case.Kind.REPORT, decided_at__isnull=False)
    before = Counter(decided.filter(post__in=entries).values_list("post_id", flat=True))
    records = _records({case.member_id for case in cases if case.member_id})
    viewers = defaultdict(list)
    for viewer in CaseViewer.objects.now(cases).exclude(member=user).select_related("member"):
        viewers[viewer.case_id].append(viewer)
    found = []
    for case in cases:
        about = answered.get(case.notice.entry_id) if case.notice else None
        entry, made = entries.get(case.post_id or 0), reports[case.pk]
        where = case.post.thread if case.post else case.thread
        found.append(
            CaseEntry(
                case=case,
                decisions=[
                    Decision(act, label, KEYS[act], act not in queue.WITHOUT_REASON)
                    for act, label in queue.offered(user, case, about)
                ],
                post=entry,
                parent=parents.get(entry.post.parent_id or 0) if entry else None,
                reply=replies.get(case.post_id or 0),
                where=where if where and may(user, "see thread", where) else None,
                reports=made,
                reasons=[(Report.Reason(why).label, n) for why, n in reasons[case.pk]],
                verdicts=verdicts.get(case.post_id or 0, ()),
                misquotes=any(why == Report.Reason.MISQUOTE for why, _ in reasons[case.pk]),
                before=before[case.post_id or 0],
                record=records.get(case.member_id or 0),
                viewers=viewers[case.pk],
                long=bool(entry and len(entry.post.body.revision.plain.split()) > LONG),
                kept=kept if kept and kept["case"] == case.pk else None,
            )
        )
    return found


def _reports(
    cases: Sequence[Case],
) -> tuple[dict[int, list[Report]], dict[int, list[tuple[str, int]]]]:
    """By case: the reports that are shown of it, those that count first, and how often each reason
    is given, the most frequent first."""
    rows = Report.objects.filter(case__in=cases).order_by()
    ranked = rows.annotate(
        rank=Window(RowNumber(), F("case"), [F("trusted").desc(), F("heeded").desc(), "pk"])
    )
    shown: defaultdict[int, list[Report]] = defaultdict(list)
    reasons: defaultdict[int, list[tuple[str, int]]] = defaultdict(list)
    first = ranked.filter(rank__lte=MOST_REPORTS).order_by("case", "rank")
    for report in first.select_related("member", "guest"):
        shown[report.case_id].append(report)
    counts = rows.values_list("case", "reason").annotate(n=Count("pk"), first=Min("pk"))
    for case, reason, n, _ in counts.order_by("-n", "first"):
        reasons[case].append((reason, n))
    return shown, reasons


def _around(posts: Sequence[Post]) -> tuple[dict[int, Post], dict[int, Post]]:
    """Of posts that moderators look at, what each answers, by its id, and the first reply to each,
    by the post's id. Whoever moderates the debate reads both, whatever their state."""
    shown = Post.objects.select_related("author", "body")
    parents = shown.in_bulk([post.parent_id for post in posts if post.parent_id])
    firsts = (
        Post.objects.filter(parent__in=posts, state=State.VISIBLE)
        .order_by()
        .values("parent")
        .annotate(first=Min("pk"))
    )
    replies = shown.in_bulk([row["first"] for row in firsts])
    return parents, {reply.parent_id: reply for reply in replies.values() if reply.parent_id}


def _records(members: Iterable[int]) -> dict[int, Record]:
    """The records of members, by id; whoever has none is left out."""
    points = dict(
        Warning.objects.filter(member__in=members, expires_at__gt=timezone.now())
        .order_by()
        .values_list("member")
        .annotate(Sum("points"))
    )
    decided = defaultdict(list)
    rows = (
        Case.objects.filter(member__in=members, kind=Case.Kind.REPORT, decision__isnull=False)
        .order_by()
        .values_list("member", "decision__verb")
        .annotate(Count("pk"))
    )
    for member, verb, count in rows:
        decided[member].append((verb, count))
    return {
        member: Record(points.get(member, 0), sorted(decided[member]))
        for member in {*points, *decided}
    }
