"""A mail server that listens, and members who get mail."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from django.utils import timezone

from forum.models import Job, Mail
from forum.outbox.worker import Worker
from tests.postgres import free_port
from tests.waiting import PATIENCE


@dataclass
class Server:
    """An SMTP server on this machine: what it took, and what it is to say."""

    mails: list[EmailMessage] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)  # by "RCPT" or "DATA"

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:
        if "RCPT" in self.refuses:
            return self.refuses["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        if "DATA" in self.refuses:
            return self.refuses["DATA"]
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        self.addresses.extend(envelope.rcpt_tos)
        return "250 Taken"


@pytest.fixture
def server(settings) -> Iterator[Server]:
    """Takes what the forum sends, at a port of its own."""
    taking = Server()
    port = free_port()
    controller = Controller(taking, hostname="127.0.0.1", port=port, ready_timeout=PATIENCE)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.SITE_URL = "https://forum.example"
    yield taking
    controller.stop()


def make_due() -> None:
    """Let the time of all that waits be there."""
    now = timezone.now()
    Job.objects.filter(failed_at=None).update(run_after=now, lease_until=None)
    Mail.objects.unsettled().update(due_at=now)


def pass_time() -> int:
    """Let the time of all that waits be there, and do it; returns the number of jobs done."""
    make_due()
    return Worker().drain()
