"""Sweeping out what nobody asks for any more; a command that is run once a day does it."""

from datetime import timedelta

from django.conf import settings

from accounts.models import Session
from core import clock

from ..models import Draft, Mail, Submission
from . import notices

# A page that was left open so long is not sent any more. Until then its token keeps a form that is
# sent a second time from making a second post.
TOKENS_KEPT = timedelta(days=90)
MAILS_KEPT = timedelta(days=90)  # what came of them; the notices stay


def sweep() -> dict[str, int]:
    """Delete sessions that ended, tokens of forms that were sent long ago, drafts in which nobody
    wrote for DRAFTS_KEPT_DAYS, and what came of mails long ago; count notices anew where a count is
    off, since a worker ended between an act and its counting. Returns how many there were of each.

    Each is a statement of its own that holds no lock of a debate, so it may run while people write.
    """
    now = clock.now()
    swept = {
        "sessions": Session.objects.filter(expire_date__lt=now).delete()[0],
        "tokens": Submission.objects.filter(created_at__lt=now - TOKENS_KEPT).delete()[0],
        "drafts": 0,
        "mails": Mail.objects.filter(settled_at__lt=now - MAILS_KEPT).delete()[0],
    }
    if days := settings.DRAFTS_KEPT_DAYS:
        old = Draft.objects.filter(saved_at__lt=now - timedelta(days=days))
        swept["drafts"] = old.delete()[0]
    wrong = notices.miscounted()
    for member_id in wrong:
        notices.recount(member_id)
    return {**swept, "counts of notices": len(wrong)}
