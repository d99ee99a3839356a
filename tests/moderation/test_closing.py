"""An account that is closed: the person is in no table any more, the debate is as it was."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pytest
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.urls import reverse

from accounts import invitations, tokens
from accounts.models import ClosedName, Session, User
from core import clock
from forum.actions import bookmarks, cases, drafts, members, polls, watching
from forum.checking import check
from forum.models import (
    AuditEntry,
    Ballot,
    Case,
    Draft,
    Job,
    Notice,
    Post,
    Thread,
    TrustedReporter,
)
from forum.moderation import closing, reports, sanctions
from forum.operations import archive
from forum.outbox.worker import Worker
from forum.own_data import asking
from forum.permissions import Refused
from tests.accounts.test_accounts import PASSWORD, confirm, member, sign_in, sign_up
from tests.people import browser, fresh, quoting, reply, start
from tests.races.soundness import faults

pytestmark = pytest.mark.django_db
NAME, EARLIER = "quillfeather", "inkhorn"


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    settings.CONFIRM_ADDRESS = "optional"
    return tmp_path


@pytest.fixture
def full(thread, board, opener, stranger, administrator, moderator):
    """A member who has one of everything."""
    user = member(EARLIER)
    client = browser()
    sign_in(client, EARLIER)
    user.about = f"I am {EARLIER}"
    user.save()
    user = members.rename(user=administrator, member=user, name=NAME, reason="As asked.")
    start(board, user, title="What if it had rained?", text="Suppose it.")
    post = reply(thread, user, "It would have rained all the same.")
    reply(thread, opener, quoting(post, "It would have rained", then=f"So says @{NAME}."))
    asked = polls.Asked("Did it rain?", ["It did", "It did not"])
    polls.vote(user=user, post=reply(thread, opener, "Vote!", poll=asked), chosen=[0])
    members.ask_for_name(user=user, name="somebody-else", why="A whim.")
    drafts.save(user=user, token=uuid4(), target="/threads/new/", label="x", text="y", title="z")
    bookmarks.keep(user=user, post=post, note="mine")
    watching.watch(user=stranger, target=user, level="all")
    watching.watch(user=user, target=thread, level="all")
    tokens.make(user=user, name="reader", scope="read")
    SocialAccount.objects.create(user=user, provider="example", uid="sub-1")
    TrustedReporter.objects.create(member=user)
    sanctions.note(user=moderator, member=user, text="Talks of rain.")
    sanctions.warn(user=administrator, member=user, points=1, reason="Rain again.", post=post)
    notice = Notice.objects.filter(member=user, entry__verb="warn").get()
    cases.answer(user=fresh(user), notice=notice, text="It did rain.")
    reports.report(
        user=user, post=thread.posts.get(number=1), reason="spam", text="Dry.", token=uuid4()
    )
    board.invited.add(user)
    board.moderators.add(user)
    User.objects.filter(pk=user.pk).update(welcomed_at=user.date_joined)
    invitations.make(user=fresh(user))
    asking.ask(user=user)
    Worker().drain()
    return fresh(user)


def standing(pattern: str) -> list[str]:
    """The tables and rows that hold these words, in whatever case."""
    found = []
    for model in apps.get_models(include_auto_created=True):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {model._meta.db_table}")
            found += [
                f"{model.__name__}: {row}"
                for row in cursor.fetchall()
                if re.search(pattern, str(row), re.IGNORECASE)
            ]
    return found


def test_every_way_from_a_row_to_a_member_is_decided():
    """Red as soon as a new column leads to a member of which nobody said what becomes of it."""
    found = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        if not model._meta.proxy
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey) and issubclass(field.related_model, User)
    }
    assert found == set(closing.BECOMES)


def test_the_person_goes_from_every_table(full, django_capture_on_commit_callbacks):
    archive = full.own_data.path
    assert archive.exists()
    for key, becomes in closing.BECOMES.items():
        label, _, column = key.rpartition(".")
        rows = apps.get_model(label)._default_manager.filter(**{column: full.pk})
        if becomes == closing.GOES and label not in NOT_IN_THIS_WORLD:
            assert rows.exists(), f"the member of this test has no {key}"
    with django_capture_on_commit_callbacks(execute=True):
        closing.close_own(user=full)
    for key, becomes in closing.BECOMES.items():
        label, _, column = key.rpartition(".")
        rows = apps.get_model(label)._default_manager.filter(**{column: full.pk})
        if becomes == closing.GOES:
            assert [r for r in rows if not getattr(r, "case", None)] == [], key
    assert not archive.exists()
    # Their words are the others' own.
    left = [row for row in standing(f"{NAME}|{EARLIER}") if f"So says @{NAME}" not in row]
    assert [
        row for row in left if not row.startswith(("PostRevision", "PostBody", "PostWords"))
    ] == []
    row = fresh(full)
    assert (row.username, row.email, row.about) == (f"former-member-{full.pk}", "", "")
    assert not row.is_active
    assert not row.has_usable_password()
    assert not (row.is_staff or row.is_moderator)


# Of its own test, or made by Django's own tools alone.
NOT_IN_THIS_WORLD = {
    "mfa.Authenticator",
    "accounts.User_groups",
    "accounts.User_user_permissions",
    "forum.CaseViewer",
    "forum.MailSettings",
    "forum.Mail",
    "forum.ReadMark",
}


def test_the_debate_is_as_it_was(full, thread, stranger):
    before = dict(Post.objects.values_list("pk", "body__html"))
    closing.close_own(user=full)
    assert dict(Post.objects.values_list("pk", "body__html")) == before
    assert faults(connection) == []
    assert [fault for fault in check() if fault.kind != "notices"] == []
    page = browser(stranger).get(thread.get_absolute_url()).content.decode()
    assert f"<bdi>former-member-{full.pk}</bdi>" in page
    assert f"/members/former-member-{full.pk}/" not in page
    assert f"/members/{NAME}/" not in page
    assert f"So says @{NAME}." in re.sub(r"<[^>]+>", "", page)
    assert Thread.objects.get(author=full).state == "visible"
    ballot = Ballot.objects.get()
    assert (ballot.member, ballot.poll.counts) == (None, [1, 0])


def test_a_kept_page_forgets_the_name(full, thread):
    address = thread.get_absolute_url()
    assert f"/members/{NAME}/" in browser().get(address).content.decode()
    closing.close_own(user=full)
    assert f"/members/{NAME}/" not in browser().get(address).content.decode()


def test_nobody_gets_in_or_gets_the_name(full, settings):
    confirm(settings, "optional")
    client = browser(full)
    assert client.get("/accounts/settings/").status_code == 200
    closing.close_own(user=full)
    assert client.get("/accounts/settings/").status_code == 302
    for name in (NAME, EARLIER, f"former-member-{full.pk}", f"{NAME}@example.org"):
        other = browser()
        sign_in(other, name, PASSWORD)
        assert "_auth_user_id" not in other.session
    for name in (NAME, EARLIER, NAME.upper(), "qu1llfeather", "former-member-7"):
        sign_up(browser(), name)
        assert not User.objects.named(name).exclude(pk=full.pk).exists(), name
    for name in (NAME, EARLIER):
        assert browser().get(f"/members/{name}/").status_code == 404
    sign_up(browser(), "somebody-new", email=f"{EARLIER}@example.org")
    assert User.objects.filter(username="somebody-new").exists()  # the address is free again


def test_one_can_change_ones_mind_for_a_fortnight(full):
    when = closing.close_later(user=full)
    assert closing.close_later(user=full) == when
    assert when - clock.now() > closing.PAUSE - timedelta(minutes=1)
    closing.keep_open(user=full)
    closing.close_when_due.func(full.pk, when.isoformat())
    assert fresh(full).closed_at is None
    again = closing.close_later(user=full)
    closing.close_when_due.func(full.pk, when.isoformat())  # the first wish is no more
    assert fresh(full).closed_at is None
    closing.close_when_due.func(full.pk, again.isoformat())
    closing.close_when_due.func(full.pk, again.isoformat())
    assert fresh(full).closed_at is not None
    assert AuditEntry.objects.filter(verb="leave").count() == 1
    assert Job.objects.filter(task__endswith="close_when_due").count() == 2


def test_a_suspended_member_may_leave(full, administrator):
    sanctions.suspend(user=administrator, member=full, days=9, measure="silence", reason="So.")
    closing.close_own(user=fresh(full))
    assert fresh(full).suspended_for == ""
    assert full.suspensions.count() == 1


def test_the_last_administrator_stays(administrator, stranger):
    with pytest.raises(Refused, match="last administrator"):
        closing.close_own(user=administrator)
    with pytest.raises(Refused, match="last administrator"):
        closing.close_later(user=administrator)
    User.objects.filter(pk=stranger.pk).update(is_superuser=True)
    closing.close_own(user=administrator)
    assert fresh(administrator).closed_at


def test_administrators_close_accounts_with_a_reason(full, administrator, moderator, opener):
    for user in (moderator, opener, full):
        with pytest.raises(Refused):
            closing.close(user=user, member=full, reason="Why not.")
    with pytest.raises(Refused, match="Say why"):
        closing.close(user=administrator, member=full, reason=" ")
    page = reverse("admin:forum_member_change", args=[full.pk])
    client = browser(administrator)
    sent = {"_act": "close", "reason": "It asked for it."}
    assert client.post(page, {**sent, "name": "somebody"}).status_code == 422
    assert fresh(full).closed_at is None
    mail.outbox.clear()
    assert client.post(page, {**sent, "name": NAME}).status_code == 302
    assert fresh(full).closed_at
    (told,) = mail.outbox
    assert told.to == [f"{EARLIER}@example.org"]
    assert "It asked for it." in told.body
    words = re.sub(r"<[^>]+>", "", browser().get("/log/").content.decode())
    assert "closed the account of a member" in " ".join(words.split())
    assert client.get(page).status_code == 200
    assert closing.close(user=administrator, member=full, reason="Again.") == ""


def test_names_go_from_the_details_of_the_log_alone(full, administrator):
    entry = AuditEntry.objects.get(verb="rename member", member=full)
    assert entry.detail == {"before": EARLIER, "after": NAME}
    closing.close_own(user=full)
    name = f"former-member-{full.pk}"
    assert fresh(entry).detail == {"before": name, "after": name}
    assert fresh(entry).reason == "As asked."


def test_a_wish_for_another_name_waits_no_more(full):
    closing.close_own(user=full)
    case = Case.objects.get(kind=Case.Kind.NAME)
    assert case.decided_at
    assert case.asked_name == ""
    appeal = Case.objects.get(kind=Case.Kind.APPEAL)
    assert appeal.notice.answer == "It did rain."  # a moderator still decides


def test_ones_own_page_asks_for_the_password_and_says_what_becomes_of_what():
    user, client = member(), browser()
    sign_in(client)
    page = client.get("/accounts/close/").content.decode()
    for words in ("What goes", "What stays", "Fetch your data first", "Close it in 14 days"):
        assert words in page
    asked = client.post("/accounts/close/", {"act": "later"})
    assert asked.url.startswith("/accounts/reauthenticate/")
    assert fresh(user).closing_at is None
    client.post(asked.url, {"password": PASSWORD, "next": "/accounts/close/"}, follow=True)
    assert fresh(user).closing_at
    assert any("will be closed" in told.subject for told in mail.outbox)
    assert "will be closed on" in client.get("/accounts/settings/").content.decode()
    client.post("/accounts/close/", {"act": "stay"})
    assert fresh(user).closing_at is None
    answer = client.post("/accounts/close/", {"act": "now"})  # the password was just given
    assert "Your account is closed" in answer.content.decode()
    assert fresh(user).closed_at
    assert not Session.objects.filter(user=user).exists()
    assert not Draft.objects.exists()


def test_a_backup_from_before_is_told_of(full, django_capture_on_commit_callbacks):
    assert closing.closed_since() == []
    with django_capture_on_commit_callbacks(execute=True):
        closing.close_own(user=full)
    assert closing.closed_since() == []
    # As an older backup has it.
    User.objects.filter(pk=full.pk).update(username=NAME, closed_at=None, is_active=True)
    ClosedName.objects.all().delete()
    assert closing.closed_since() == [full]
    out = StringIO()
    call_command("close_account", "--again", stdout=out)
    assert "Closed again: 1." in out.getvalue()
    assert fresh(full).username == f"former-member-{full.pk}"
    assert closing.closed_since() == []


@pytest.mark.whole
@pytest.mark.once
@pytest.mark.django_db(transaction=True)
def test_a_restored_backup_says_who_left_and_closes_them_again(tmp_path, folder):
    """A real backup from before, restored into another database beside the same data."""
    backup, url = tmp_path / "one.backup", f"sqlite:///{tmp_path}/restored.sqlite3"
    leaves, stays = member("member-l"), member("member-s")
    archive.write(backup)
    later = member("member-n")  # whom the backup does not know
    for user in (leaves, later):
        closing.close_own(user=user)

    def manage(*arguments: str | Path) -> str:
        settings = {"DATABASE_URL": url, "JONBAR_ENV_FILE": os.devnull, "JONBAR_DATA": str(folder)}
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env=os.environ | settings,
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    said = manage("restore", backup)
    assert "closed after this backup was made: 1." in said
    assert "close_account --again" in said
    with sqlite3.connect(tmp_path / "restored.sqlite3") as restored:
        taken = {row[0] for row in restored.execute("SELECT digest FROM accounts_closedname")}
        assert ClosedName.digest_of("member-n") in taken  # nobody is given that name either
        assert manage("close_account", "--again") == "Closed again: 1.\n"
        assert manage("close_account", "--again") == "Closed again: 0.\n"
        rows = "SELECT id, username, email, is_active FROM accounts_user ORDER BY id"
        assert restored.execute(rows).fetchall() == [
            (leaves.pk, f"former-member-{leaves.pk}", "", 0),
            (stays.pk, "member-s", "member-s@example.org", 1),
        ]


def test_whoever_has_no_browser_closes_accounts_by_a_command(full, administrator):
    out = StringIO()
    call_command("close_account", NAME, stdout=out)
    assert out.getvalue() == "The account is closed.\n"
    assert fresh(full).closed_at
    for wrong in ([], [NAME, "--again"], [NAME], ["nobody-here"]):
        with pytest.raises(CommandError):
            call_command("close_account", *wrong)
    with pytest.raises(CommandError, match="last administrator"):
        call_command("close_account", administrator.username)


def test_the_file_beside_the_database_holds_no_name(
    full, folder, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        closing.close_own(user=full)
    text = (folder / closing.FILE).read_text()
    assert len(text.split()) == 2
    assert NAME not in text
    assert json.dumps(text)
