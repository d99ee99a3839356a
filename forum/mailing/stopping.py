"""Stopping mail from a mail: by a signed address, without signing in (RFC 8058)."""

from collections.abc import Iterable

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse

from accounts.models import User

from ..models import MailSettings, Rhythm
from .topics import TOPICS

SALT = "forum.mailing.stop"


def site() -> str:
    """The address of the site in mails, without a slash at its end; never a Host header's."""
    return settings.SITE_URL or "http://127.0.0.1:8000"


def address(member: User, topics: Iterable[str]) -> str:
    """Where a POST stops mail about these topics to this member. It works as long as the
    secret key does: mails lie about for years."""
    return site() + reverse("stop-mail", args=[token(member, topics)])


def token(member: User, topics: Iterable[str]) -> str:
    """The signed part of that address."""
    return signing.dumps([member.pk, sorted(set(topics))], salt=SALT)


def read(signed: str) -> tuple[User, list[str]] | None:
    """The member and the topics that an address is for; None if nobody signed it."""
    try:
        pk, topics = signing.loads(signed, salt=SALT)
    except signing.BadSignature:
        return None
    member = User.objects.filter(pk=pk).first()
    return (member, [topic for topic in TOPICS if topic in topics]) if member else None


def stop(member: User, topics: Iterable[str]) -> None:
    """Send this member no more mail about these topics."""
    choose(member, dict.fromkeys(topics, Rhythm.NEVER))


def choose(member: User, rhythms: dict[str, str]) -> None:
    """Keep when the member wants mail, by topic; others stay as they are."""
    with transaction.atomic():
        MailSettings.objects.get_or_create(member=member)
        chosen = MailSettings.objects.select_for_update(no_key=True).get(pk=member.pk)
        chosen.rhythms |= {str(topic): str(rhythm) for topic, rhythm in rhythms.items()}
        chosen.save(update_fields=["rhythms"])


def write_again(member: User) -> None:
    """Send mail to the member's address again, from which some came back."""
    MailSettings.objects.filter(pk=member.pk).update(bounced="", bounced_at=None)
