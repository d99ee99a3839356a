"""What nobody asks for any more goes, and nothing else."""

from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.models import Session
from forum.actions import drafts
from forum.models import Draft, Mail, Notice, Submission
from forum.moderation import states
from tests.people import browser, fresh, reply

pytestmark = pytest.mark.django_db


def sweep() -> str:
    out = StringIO()
    call_command("sweep", stdout=out)
    return out.getvalue()


def test_what_is_in_use_stays(thread, stranger, django_capture_on_commit_callbacks):
    client = browser(stranger)
    reply(thread, stranger)
    drafts.save(user=stranger, token=uuid4(), target="/threads/new/", label="A", text="Once.")
    before = [model.objects.count() for model in (Session, Submission, Draft)]
    assert "sessions: 0, tokens: 0, drafts: 0, mails: 0, counts of notices: 0" in sweep()
    assert [model.objects.count() for model in (Session, Submission, Draft)] == before
    assert client.get("/notices/").status_code == 200


def test_what_ended_goes(thread, stranger, settings):
    client = browser(stranger)
    post = reply(thread, stranger)
    drafts.save(user=stranger, token=uuid4(), target="/threads/new/", label="A", text="Once.")
    ago = timezone.now() - timedelta(days=400)
    Session.objects.update(expire_date=ago)
    Submission.objects.filter(post=post).update(created_at=ago)
    Draft.objects.update(saved_at=ago)
    settings.DRAFTS_KEPT_DAYS = 0
    assert "sessions: 1, tokens: 1, drafts: 0" in sweep()
    settings.DRAFTS_KEPT_DAYS = 365
    assert "drafts: 1" in sweep()
    assert not (Session.objects.exists() or Draft.objects.exists())
    assert fresh(post).number
    assert client.get("/notices/").status_code == 302


def test_what_came_of_mails_long_ago_goes_and_what_waits_stays(answer, moderator):
    states.hide(user=moderator, post=answer, reason="Off the point")
    ago = timezone.now() - timedelta(days=400)
    Mail.objects.update(due_at=ago)
    assert "mails: 0" in sweep()
    Mail.objects.update(settled_at=ago, outcome="sent")
    assert "mails: 1" in sweep()
    assert Notice.objects.exists()


def test_a_notice_that_was_never_counted_is(answer, moderator):
    """As if the worker had been killed after the act and before it counted."""
    states.hide(user=moderator, post=answer, reason="Off the point")
    assert fresh(answer.author).unread_notices == 0
    assert "counts of notices: 1" in sweep()
    assert fresh(answer.author).unread_notices == 1
    assert "counts of notices: 0" in sweep()
