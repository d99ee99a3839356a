"""What members choose a rhythm of mail for."""

from ..models import Notice

# By the name that is kept: what the member reads.
TOPICS: dict[str, str] = {kind.value: kind.label for kind in Notice.Kind}


def topic_of(notice: Notice) -> str:
    """Which of TOPICS a notice belongs to."""
    return notice.kind
