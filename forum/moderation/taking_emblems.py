"""Taking an emblem away from a member."""

from django.db import transaction

from accounts.models import User
from forum.actions import emblems, notices
from forum.actions.audit import record
from forum.models import AuditEntry
from forum.permissions import Refused, require

from .sanctions import reason_of


def take(*, user: User, member: User, reason: str) -> AuditEntry:
    """Take the emblem away from a member, who may choose another. Raises permissions.Refused."""
    reason = reason_of(reason)
    with transaction.atomic():
        member = User.objects.select_for_update(no_key=True).get(pk=member.pk)
        require(user, "take emblem", member)
        if not member.emblem:
            raise Refused("This member has no emblem.")
        emblems.put(member, "")
        entry = record(user, "take emblem", member=member, reason=reason)
        notices.notify(member, entry=entry, message="Your emblem was taken away.")
    return entry
