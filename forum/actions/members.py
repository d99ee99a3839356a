"""What one member does about another, and when a new one is new no more."""

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User

from ..models import Post, State
from ..permissions import Refused

MAX_IGNORED = 200  # kept on the member's own row, which every page reads


def ignore(*, user, other: User, ignored: bool) -> None:
    """Fold away what `other` wrote, wherever `user` meets it, or stop doing so.

    Raises permissions.Refused for oneself and past the limit.
    """
    if other.pk == user.pk:
        raise Refused("You cannot ignore yourself.")
    with transaction.atomic():
        ignoring = (
            User.objects.select_for_update().values_list("ignoring", flat=True).get(pk=user.pk)
        )
        kept = [pk for pk in ignoring if pk != other.pk]
        if ignored and len(kept) >= MAX_IGNORED:
            raise Refused(f"You ignore {MAX_IGNORED} members already.")
        user.ignoring = [*kept, other.pk] if ignored else kept
        user.save(update_fields=["ignoring"])


def welcome(user: User) -> None:
    """Count a new member among the others once NEW_MEMBER_POSTS of their posts have appeared. To be
    called in the transaction in which one appears; asks nothing of whoever is new no more."""
    if not user.is_new:
        return
    appeared = Post.objects.filter(author=user, state=State.VISIBLE)[: settings.NEW_MEMBER_POSTS]
    if appeared.count() == settings.NEW_MEMBER_POSTS:
        user.welcomed_at = timezone.now()
        user.save(update_fields=["welcomed_at"])
