"""What nobody asks for any more goes, and nothing else."""

from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.models import Session, User
from forum.actions import drafts
from forum.models import Draft, Mail, Notice, Submission
from forum.moderation import states
from forum.outbox.worker import Worker
from forum.own_data import retention
from tests.accounts.test_accounts import member
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
    assert "sessions: 0, drafts: 0, tokens: 0, notices: 0, mails: 0, archives" in sweep()
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
    assert "sessions: 1, tokens: 1" in sweep()
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


def test_notices_of_what_others_wrote_go_once_they_were_read_long_ago(answer, opener, moderator):
    reply(answer.thread, opener, "So say I.", to=answer)
    Worker().drain()
    states.hide(user=moderator, post=answer, reason="Off the point")
    told = Notice.objects.filter(member=answer.author)
    assert {notice.kind for notice in told} == {"post", "act"}
    ago = timezone.now() - timedelta(days=400)
    told.update(created_at=ago)
    assert "notices: 0," in sweep()  # not read yet
    told.update(read_at=ago)
    assert "notices: 1," in sweep()
    assert told.get().kind == "act"


def test_accounts_that_nobody_ever_used_go(settings, stranger, administrator, thread):
    settings.CONFIRM_ADDRESS = "required"
    ago = timezone.now() - timedelta(days=40)
    names = ("never-used", "confirmed", "signed-in", "wrote-once", "young")
    _never, confirmed, signed, wrote, young = (member(name, known=False) for name in names)
    confirmed.set_address("confirmed@example.org", known=True)
    wrote.set_address("wrote@example.org", known=True)
    reply(thread, fresh(wrote))
    wrote.set_address("wrote@example.org", known=False)
    User.objects.filter(pk=signed.pk).update(last_login=ago)
    User.objects.exclude(pk=young.pk).update(date_joined=ago)
    settings.UNCONFIRMED_KEPT_DAYS = 0
    assert "unconfirmed" not in sweep()
    settings.UNCONFIRMED_KEPT_DAYS = 30
    before = set(User.objects.values_list("username", flat=True))
    assert "unconfirmed accounts: 1," in sweep()
    assert before - set(User.objects.values_list("username", flat=True)) == {"never-used"}


def test_the_page_on_privacy_says_all_of_it_and_what_the_settings_make_of_it(settings, db):
    settings.DRAFTS_KEPT_DAYS, settings.CONFIRM_ADDRESS = 77, "required"
    page = browser().get("/privacy/").content.decode()
    for kept in retention.table():
        assert kept.what in page
        assert kept.until in page
    assert "77 days after one last wrote in them." in page
    settings.DRAFTS_KEPT_DAYS, settings.LOG_ADDRESSES = 0, True
    page = browser().get("/privacy/").content.decode()
    assert "As long as the account after" not in page
    assert "log of failed sign-ins" in page


def test_the_worker_sweeps_once_a_day(db, monkeypatch):
    worker, swept, looks = Worker(), [], []

    def look():
        looks.append(1)
        if len(looks) == 5:
            worker.stop()
        return False

    monkeypatch.setattr(retention, "sweep", lambda: swept.append(1))
    monkeypatch.setattr(worker, "do_next", look)
    monkeypatch.setattr(worker._stopping, "wait", lambda _: None)
    worker.run()
    assert len(looks) == 5
    assert swept == [1]
