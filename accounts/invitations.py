"""Invitations: links by which somebody may join, and who invited whom.

`JOINING` says who may make an account: everybody ("open"), everybody whom moderators then let in
("approval"), who has such a link ("invitation"), or nobody but by an administrator's hand
("closed"). The link is kept as it is, so that whoever made it
can copy it again; it opens nothing but the form for an account.
"""

import secrets
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest

from core import clock
from core.problems import Problem

from .models import Invitation, User

BY_ANYBODY = ("open", "approval")  # ways of joining that need no link
MOST = 10  # that one member has open at a time
MOST_USES = 25
MOST_DAYS = 90


def make(*, user: User, note: str = "", uses: int = 1, days: int = 14) -> Invitation:
    """Make a link by which `uses` people may join within `days`. Raises Problem with what to do,
    also for who may not invite: new members, and those who are suspended."""
    if settings.JOINING == "closed":
        raise Problem("This forum takes no new members at present.", status=403)
    note = " ".join(note.split())
    if len(note) > 100 or not note.isprintable():
        raise Problem("The note is one line of at most 100 characters.", field="note")
    if not 1 <= uses <= MOST_USES:
        raise Problem(f"A link is for 1 to {MOST_USES} people.", field="uses")
    if not 1 <= days <= MOST_DAYS:
        raise Problem(f"A link holds for 1 to {MOST_DAYS} days.", field="days")
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if not user.is_active or user.is_new or user.suspended or not user.confirmed:
            raise Problem(
                "You may invite others once you are a member of some standing.", status=403
            )
        now = clock.now()
        if Invitation.objects.usable(now).filter(made_by=user).count() >= MOST:
            raise Problem(f"You have {MOST} links already. Take one back first.", status=422)
        return Invitation.objects.create(
            made_by=user,
            token=secrets.token_urlsafe(16),
            note=note,
            uses_left=uses,
            ends_at=now + timedelta(days=days),
        )


def take_back(*, user: User, pk: int) -> None:
    """End one of the links of `user`. Who joined by it stays, and so does whose guest they are."""
    Invitation.objects.filter(made_by=user, pk=pk).update(uses_left=0)


def found(token: str) -> Invitation | None:
    """The link with this token, if somebody may still join by it."""
    rows = Invitation.objects.usable(clock.now()).select_related("made_by")
    return rows.filter(token=token).first() if 0 < len(token) <= 40 else None


def may_join(token: str) -> bool:
    """Whether who comes by the link with this token, or by none, may make an account."""
    if settings.JOINING == "invitation":
        return found(token) is not None
    return settings.JOINING in BY_ANYBODY


def shown(request: HttpRequest) -> str:
    """The token of the link that a request for the form came by; empty if by none."""
    return (request.POST.get("invitation") or request.GET.get("invitation") or "")[:60]


def use(token: str, guest: User) -> None:
    """Note that `guest`, who is being made in this transaction, joined by a link. Two who use the
    last use of one at once wait for each other. Raises Problem where it holds no more and nobody
    joins without one."""
    if not token and settings.JOINING in BY_ANYBODY:
        return
    invitation = found(token)
    # The condition is asked again by the statement that counts, once it has the row: of this table
    # alone, since PostgreSQL asks what stands in a subquery before it waits for the row.
    rows = Invitation.objects.filter(token=token, uses_left__gt=0)
    if invitation and rows.update(uses_left=F("uses_left") - 1):
        guest.invitation = invitation
        guest.save(update_fields=["invitation"])
    elif settings.JOINING not in BY_ANYBODY:
        raise Problem("This invitation holds no more: it was used up, taken back, or is too old.")
