"""Stopping mail from a mail: by a signed address, without signing in (RFC 8058)."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse

from accounts.models import User
from core import signed_values

from ..models import MailSettings, Rhythm, Watch
from .topics import TOPICS

SALT = "forum.mailing.stop"


def site() -> str:
    """The address of the site in mails, without a slash at its end; never a Host header's."""
    return settings.SITE_URL or "http://127.0.0.1:8000"


@dataclass(frozen=True, slots=True)
class Stop:
    """What an address stops: a member's mail about some topics, or one thing that they watch."""

    member: User
    topics: list[str]
    watch: Watch | None = None


def address(member: User, topics: Iterable[str], watch_id: int | None = None) -> str:
    """Where a POST ends the watch with this id, or without one stops mail about these topics. It
    works as long as the secret key does: mails lie about for years."""
    return site() + reverse("stop-mail", args=[token(member, topics, watch_id)])


def token(member: User, topics: Iterable[str], watch_id: int | None = None) -> str:
    """The signed part of that address."""
    named = [] if watch_id else sorted(set(topics))
    return signed_values.sign([member.pk, named, watch_id], salt=SALT)


def read(signed: str) -> Stop | None:
    """What an address stops; None if nobody signed it."""
    try:
        pk, topics, watch_id = signed_values.read(signed, salt=SALT)
    except signing.BadSignature:
        return None
    member = User.objects.filter(pk=pk).first()
    if member is None:
        return None
    watch = Watch.objects.filter(pk=watch_id, member=member).first() if watch_id else None
    return Stop(member, [topic for topic in TOPICS if topic in topics], watch)


def stop(what: Stop) -> None:
    """Do what the address is for; done twice it is done once."""
    if what.topics:
        choose(what.member, dict.fromkeys(what.topics, Rhythm.NEVER))
    if what.watch:
        Watch.objects.filter(pk=what.watch.pk).delete()


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
