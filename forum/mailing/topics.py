"""What members choose a rhythm of mail for."""

from ..models import Notice, Reason

CONCERNS, WATCHED = "concerns", "watched"
# By the name that is kept: what the member reads.
TOPICS: dict[str, str] = {
    CONCERNS: "What answers, quotes or mentions you",
    WATCHED: "What you watch",
    Notice.Kind.ACT.value: Notice.Kind.ACT.label,
    Notice.Kind.OUTCOME.value: Notice.Kind.OUTCOME.label,
    Notice.Kind.REMINDER.value: Notice.Kind.REMINDER.label,
}
_CONCERNING = (Reason.REPLY, Reason.ANSWER, Reason.QUOTE, Reason.MENTION)


def topic_of(notice: Notice) -> str:
    """Which of TOPICS a notice belongs to."""
    if notice.kind == Notice.Kind.MIND:
        return CONCERNS
    if notice.kind == Notice.Kind.POST:
        return CONCERNS if notice.reasons.partition(",")[0] in _CONCERNING else WATCHED
    return notice.kind
