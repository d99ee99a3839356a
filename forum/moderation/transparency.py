"""What moderation came to: reports, acts, answers, what was taken back, and how long it took.

Only counts leave this module, over all boards together, so that they tell nothing of any one. What
is counted is what the statement of reasons of the Digital Services Act (Regulation (EU) 2022/2065,
Art. 15 and 24) asks of those who run a place like this.
"""

from datetime import UTC, date, datetime, time
from typing import Any

from django.db import transaction
from django.db.models import Count, DurationField, ExpressionWrapper, F, Min, Q, QuerySet

from core import clock, progress
from forum.acts import ACTS, PUBLIC, Gravity

from ..models import AuditEntry, Case, Notice, Quarter, Report
from ..models.transparency import next_quarter

# What takes something from somebody: an act on a post or debate, or on a member.
TAKING = tuple(verb for verb in PUBLIC if ACTS[verb].gravity >= Gravity.TAKES or ACTS[verb].members)


def count_quarters() -> int:
    """Count the quarters that are not over, or ended since they were counted, and each from the
    first entry of the log on that was never counted. Returns how many were counted."""
    began = [
        rows.aggregate(n=Min("created_at"))["n"] for rows in (AuditEntry.objects, Report.objects)
    ]
    first = min(filter(None, began), default=None)
    if first is None:
        return 0
    now, begins, counted = clock.now(), _quarter_of(first), 0
    progress.begin("quarters counted")
    known = dict(Quarter.objects.values_list("begins", "counted_at"))
    while begins <= now.astimezone(UTC).date():
        ends = next_quarter(begins)
        if begins not in known or known[begins] < _moment(ends):
            found = figures(begins, ends)
            with transaction.atomic():
                Quarter.objects.update_or_create(
                    begins=begins, defaults={"figures": found, "counted_at": now}
                )
            counted += 1
            progress.advance()
        begins = ends
    return counted


def figures(begins: date, ends: date) -> dict[str, Any]:
    """The figures of the days from `begins` to before `ends` (UTC): counts by reason or verb, and
    the median time to decide a report in hours, None where none was decided."""
    span = (_moment(begins), _moment(ends))
    reports = Report.objects.filter(created_at__gte=span[0], created_at__lt=span[1])
    acts = AuditEntry.objects.filter(
        created_at__gte=span[0], created_at__lt=span[1], verb__in=PUBLIC
    ).order_by()
    taking = acts.filter(verb__in=TAKING)
    answers = Notice.objects.filter(answered_at__gte=span[0], answered_at__lt=span[1])
    decided = Case.objects.filter(decided_at__gte=span[0], decided_at__lt=span[1])
    appeals = decided.filter(kind=Case.Kind.APPEAL)
    return {
        "reports": _counts(reports.values_list("reason").annotate(Count("pk")).order_by("reason")),
        "reports_from_outside": reports.filter(guest__isnull=False).count(),
        "reports_of_trusted": reports.filter(trusted=True).count(),
        "posts_reported": reports.aggregate(n=Count("case", distinct=True))["n"],
        "reports_decided": decided.filter(kind=Case.Kind.REPORT).count(),
        "median_hours": _median_hours(decided.filter(kind=Case.Kind.REPORT)),
        "acts": _counts(acts.values_list("verb").annotate(Count("pk")).order_by("verb")),
        "by_the_site_itself": taking.filter(actor=None).count(),
        "by_moderators": taking.exclude(actor=None).count(),
        "answers": answers.count(),
        "answers_decided": appeals.count(),
        "answers_upheld": appeals.filter(decision__verb="uphold").count(),
        "answers_followed": appeals.filter(~Q(decision__verb="uphold")).count(),
        "taken_back": _counts(
            AuditEntry.objects.filter(
                undoes__isnull=False, created_at__gte=span[0], created_at__lt=span[1]
            )
            .values_list("undoes__verb")
            .annotate(Count("pk"))
            .order_by("undoes__verb")
        ),
    }


def _median_hours(cases: QuerySet[Case]) -> float | None:
    """The time from opening to decision that half of the cases stayed below."""
    took = ExpressionWrapper(F("decided_at") - F("opened_at"), output_field=DurationField())
    count = cases.count()
    if not count:
        return None
    rows = cases.annotate(took=took).order_by("took").values_list("took", flat=True)
    middle = rows[(count - 1) // 2 : count // 2 + 1]
    hours = [duration.total_seconds() / 3600 for duration in middle]
    return round(sum(hours) / len(hours), 1)


def _counts(rows) -> dict[str, int]:
    return dict(rows)


def _quarter_of(moment: datetime) -> date:
    day = moment.astimezone(UTC).date()
    return date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)


def _moment(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
