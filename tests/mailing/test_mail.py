"""Mail about notices, as a real mail server gets it."""

import re
from datetime import UTC, datetime, timedelta
from smtplib import SMTPServerDisconnected
from zoneinfo import ZoneInfo

import pytest
from django.core.mail.backends.smtp import EmailBackend
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from forum.actions import notices
from forum.mailing import bounces, delivering, queueing, stopping
from forum.mailing.queueing import due_at
from forum.mailing.topics import TOPICS
from forum.models import AuditEntry, Job, Mail, MailSettings, Notice, Thread
from forum.moderation import moving, states
from tests.mailing.conftest import pass_time
from tests.people import browser, fresh, start

pytestmark = pytest.mark.django_db
REASON = "Off the point."


@pytest.fixture
def hidden(answer, moderator):
    """The answer, hidden: its author has a notice, of which mail is held."""
    states.hide(user=moderator, post=answer, reason=REASON)
    return fresh(answer)


def mail_jobs():
    """The jobs of mail: acts leave others, of counts and of notices."""
    return Job.objects.filter(task__startswith="forum.mailing.")


def outcomes() -> list[str]:
    return list(Mail.objects.order_by("pk").values_list("outcome", flat=True))


def plain(mail) -> str:
    return mail.get_body(("plain",)).get_content()


def html(mail) -> str:
    return mail.get_body(("html",)).get_content()


def test_a_notice_is_mailed_after_five_minutes(hidden, thread, answerer, server):
    mail = Mail.objects.get()
    assert timedelta(minutes=4) < mail.due_at - timezone.now() <= timedelta(minutes=5)
    assert mail_jobs().get().run_after == mail.due_at
    pass_time()
    assert server.addresses == [answerer.email]
    (sent,) = server.mails
    assert sent["Subject"] == thread.title
    for text in (plain(sent), html(sent)):
        assert "Your post was hidden." in text
        assert REASON in text
        assert f"https://forum.example/posts/{hidden.pk}/" in text
        assert "https://forum.example/mail/" in text
        assert "What was done to something of yours" in text
    assert outcomes() == ["sent"]
    assert pass_time() == 0 and len(server.mails) == 1


def test_headers_say_where_it_belongs_and_how_to_stop_it(hidden, thread, server):
    pass_time()
    (sent,) = server.mails
    assert sent["Message-ID"] == f"<mail-{Mail.objects.get().pk}@forum.example>"
    assert sent["References"] == sent["In-Reply-To"] == f"<debate-{thread.pk}@forum.example>"
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert re.fullmatch(
        r"<https://forum\.example/mail/stop/[^>]+/>", sent["List-Unsubscribe"].strip()
    )
    assert sent["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in sent.iter_parts()] == ["text/plain", "text/html"]


def test_nothing_in_it_is_fetched_or_counted(hidden, server):
    pass_time()
    (sent,) = server.mails
    assert not re.search(r"<(img|link|script|iframe)|url\(|@import|\ssrc=", html(sent))
    assert {link.partition("?")[2] for link in re.findall(r'href="([^"]+)"', html(sent))} == {""}


def test_what_happens_within_five_minutes_comes_in_one_mail_a_debate(
    hidden, thread, board, answerer, moderator, server
):
    elsewhere = start(board, answerer, title="Another debate")
    states.restore(user=moderator, post=hidden, reason="It is on it.")
    states.lock(user=moderator, thread=elsewhere, reason="Enough.")
    assert mail_jobs().count() == 1
    pass_time()
    first, second = sorted(server.mails, key=lambda mail: mail["Subject"] != thread.title)
    assert (first["Subject"], second["Subject"]) == (thread.title, "Another debate")
    assert "hidden" in plain(first) and "brought back" in plain(first)
    assert "Enough." in plain(second) and "Enough." not in plain(first)


def test_what_comes_later_belongs_to_the_same_conversation(hidden, moderator, server):
    pass_time()
    states.restore(user=moderator, post=hidden, reason="It is on it.")
    pass_time()
    first, second = server.mails
    assert first["References"] == second["References"]
    assert first["Subject"] == second["Subject"]
    assert first["Message-ID"] != second["Message-ID"]


# --- What is not sent -------------------------------------------------------------------------


def test_what_was_read_on_the_site_meanwhile_is_not_mailed(hidden, answerer, server):
    notices.mark_read(user=answerer, until=Notice.objects.get().pk)
    pass_time()
    assert (server.mails, outcomes()) == ([], ["read"])


def test_reading_it_between_gathering_and_sending_counts_too(hidden, answerer, server):
    Mail.objects.update(due_at=timezone.now())
    delivering.gather.call(answerer.pk)
    notices.mark_read(user=answerer, until=Notice.objects.get().pk)
    pass_time()
    assert (server.mails, outcomes()) == ([], ["read"])


@pytest.mark.parametrize("when", ["before gathering", "before sending"])
def test_no_words_of_a_board_that_was_lost(
    hidden, thread, inner_board, answerer, administrator, server, when
):
    if when == "before sending":
        Mail.objects.update(due_at=timezone.now())
        delivering.gather.call(answerer.pk)
    moving.move_thread(user=administrator, thread=fresh(thread), board=inner_board, reason="Away.")
    pass_time()
    for sent in server.mails:
        for text in (plain(sent), html(sent), str(sent["Subject"])):
            assert thread.title not in text
            assert f"/posts/{hidden.pk}/" not in text
            assert inner_board.name not in text


@pytest.mark.parametrize("how", ["left", "unconfirmed", "bounced", "stopped", "without address"])
def test_who_cannot_be_reached_or_does_not_want_it_gets_none(hidden, answerer, server, how):
    if how == "left":
        type(answerer).objects.filter(pk=answerer.pk).update(is_active=False)
    elif how == "unconfirmed":
        answerer.set_address("other@example.org", known=False)
    elif how == "bounced":
        bounces.stop_mail(answerer.email.upper())
    elif how == "stopped":
        stopping.choose(answerer, {Notice.Kind.ACT: "never"})
    else:
        type(answerer).objects.filter(pk=answerer.pk).update(email="")
    pass_time()
    assert server.mails == []
    assert outcomes() == ["stopped"]


def test_a_notice_that_goes_takes_its_mail_along(hidden, server):
    Notice.objects.all().delete()
    pass_time()
    assert server.mails == [] and not Mail.objects.exists()


# --- Rhythms ----------------------------------------------------------------------------------


def test_who_wants_none_has_none_queued(answer, answerer, moderator):
    stopping.choose(answerer, {Notice.Kind.ACT: "never"})
    states.hide(user=moderator, post=answer, reason=REASON)
    assert Notice.objects.exists()
    assert not Mail.objects.exists() and not mail_jobs().exists()


@pytest.mark.parametrize("rhythm", ["day", "week"])
def test_a_digest_comes_once_with_everything(
    answer, board, answerer, moderator, server, rhythm, thread
):
    stopping.choose(answerer, {Notice.Kind.ACT: rhythm})
    elsewhere = start(board, answerer, title="Another debate")
    states.hide(user=moderator, post=answer, reason=REASON)
    states.restore(user=moderator, post=fresh(answer), reason="It is on it.")
    states.lock(user=moderator, thread=elsewhere, reason="Enough.")
    assert mail_jobs().count() == 1
    pass_time()
    (sent,) = server.mails
    assert "3 notices" in sent["Subject"]
    assert sent["References"] is None
    for text in (plain(sent), html(sent)):
        assert thread.title in text and "Another debate" in text
        assert REASON in text and "Enough." in text


@pytest.mark.parametrize(
    ("rhythm", "zone", "now", "due"),
    [
        ("now", "", "2026-11-28 10:00", "2026-11-28 10:05"),
        ("day", "", "2026-11-28 07:00", "2026-11-28 08:00"),
        ("day", "", "2026-11-28 07:59", "2026-11-29 08:00"),
        ("day", "", "2026-11-28 09:00", "2026-11-29 08:00"),
        ("day", "Pacific/Auckland", "2026-11-28 10:00", "2026-11-28 19:00"),
        ("day", "America/Los_Angeles", "2026-11-28 10:00", "2026-11-28 16:00"),
        ("week", "", "2026-11-28 10:00", "2026-11-30 08:00"),  # a Saturday
        ("week", "", "2026-11-30 07:00", "2026-11-30 08:00"),
        ("week", "", "2026-11-30 08:00", "2026-12-07 08:00"),
        ("day", "Europe/Madrid", "2026-10-24 07:00", "2026-10-25 07:00"),  # clocks go back
        ("day", "Europe/Madrid", "2026-03-28 08:00", "2026-03-29 06:00"),  # and forward
    ],
)
def test_digests_come_at_eight_where_the_member_lives(rhythm, zone, now, due, settings):
    settings.TIME_ZONE = "UTC"
    found = due_at(rhythm, datetime.fromisoformat(now).replace(tzinfo=UTC), zone)
    assert found == datetime.fromisoformat(due).replace(tzinfo=UTC)
    if rhythm != "now":
        assert found.astimezone(ZoneInfo(zone or "UTC")).hour == 8


def test_what_comes_at_the_last_moment_has_mail_of_its_own(hidden, moderator, server):
    """The job of the first may be on its way already: it might not see the second."""
    Mail.objects.update(due_at=timezone.now() + queueing.SOON / 2)
    states.restore(user=moderator, post=hidden, reason="It is on it.")
    assert mail_jobs().count() == 2
    pass_time()
    # The opener, whom the post answers, is told of it from now on, too.
    assert len(server.mails) == 1 and outcomes()[:2] == ["sent", "sent"]


# --- Stopping ---------------------------------------------------------------------------------


def stop_of(sent) -> str:
    return sent["List-Unsubscribe"].strip(" <>").removeprefix("https://forum.example")


def test_one_click_stops_it_without_signing_in(hidden, answerer, moderator, server):
    pass_time()
    client = browser(enforce_csrf_checks=True)
    path = stop_of(server.mails[0])
    page = client.get(path)
    assert "Stop it" in page.content.decode()
    assert MailSettings.objects.count() == 0, "looking changes nothing: scanners look"
    answer = client.post(
        path, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 200
    assert MailSettings.objects.get(pk=answerer.pk).rhythm(Notice.Kind.ACT) == "never"
    assert MailSettings.objects.get(pk=answerer.pk).rhythm(Notice.Kind.OUTCOME) == "now"
    states.restore(user=moderator, post=hidden, reason="It is on it.")
    pass_time()
    assert len(server.mails) == 1


def test_a_stop_that_nobody_signed_stops_nothing(hidden, server):
    pass_time()
    path = stop_of(server.mails[0])
    for forged in (path[:-3] + "x/", path.replace("/stop/", "/stop/W"), "/mail/stop/x/"):
        assert browser().get(forged).status_code == 404
        assert browser().post(forged).status_code == 404
    assert not MailSettings.objects.exists()


def test_the_page_of_choices(answerer, stranger, guest):
    url = reverse("mail-settings")
    assert browser(guest).get(url).status_code == 302
    page = browser(answerer).get(url).content.decode()
    assert all(label in page for label in TOPICS.values())
    chosen = dict.fromkeys(TOPICS, "week")
    assert browser(answerer).post(url, chosen).status_code == 302
    assert MailSettings.objects.get().rhythm(Notice.Kind.ACT) == "week"
    bad = browser(answerer).post(url, {**chosen, "act": "hourly"})
    assert bad.status_code == 422
    assert MailSettings.objects.get().rhythm(Notice.Kind.ACT) == "week"
    assert not MailSettings.objects.filter(pk=stranger.pk).exists()


def test_who_was_bounced_is_told_and_may_ask_anew(answerer, hidden, server):
    bounces.stop_mail(answerer.email)
    page = browser(answerer).get(reverse("mail-settings")).content.decode()
    assert "came back" in page
    browser(answerer).post(reverse("mail-again"))
    pass_time()
    assert len(server.mails) == 1


# --- The server says no, and workers die ------------------------------------------------------


def test_an_address_refused_for_good_gets_no_more(hidden, answerer, server):
    server.refuses["RCPT"] = "550 No such mailbox"
    pass_time()
    assert outcomes() == ["refused"]
    assert MailSettings.objects.get(pk=answerer.pk).bounced == answerer.email
    assert not mail_jobs().exists()


@pytest.mark.parametrize("where", ["RCPT", "DATA"])
def test_what_is_refused_for_now_is_sent_later(hidden, server, where):
    server.refuses[where] = "451 Try later"
    for _ in range(4):
        pass_time()
    assert outcomes() == [""] and mail_jobs().get().attempts == 4
    server.refuses.clear()
    pass_time()
    assert len(server.mails) == 1 and outcomes() == ["sent"]


def test_a_server_that_is_away_is_waited_for(hidden, server, settings):
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    for _ in range(4):
        pass_time()
    assert outcomes() == [""]
    settings.EMAIL_PORT = port
    pass_time()
    assert len(server.mails) == 1


@pytest.mark.parametrize("broken", [SMTPServerDisconnected("gone"), TimeoutError("slow")])
def test_a_way_that_breaks_after_the_yes_sends_once_more_at_most(
    hidden, server, monkeypatch, broken
):
    send = EmailBackend.send_messages

    def sends_and_breaks(self, messages):
        send(self, messages)
        raise broken

    monkeypatch.setattr(EmailBackend, "send_messages", sends_and_breaks)
    for _ in range(5):
        pass_time()
    assert len(server.mails) == 2
    assert server.mails[0]["Message-ID"] == server.mails[1]["Message-ID"]
    assert outcomes() == ["uncertain"]


def test_subjects_hold_no_line_breaks_and_are_not_endless(hidden, thread, server):
    Thread.objects.filter(pk=thread.pk).update(title="What if\r\nBcc: all@example.org " + "x" * 120)
    pass_time()
    (sent,) = server.mails
    assert sent["Bcc"] is None
    assert len(sent["Subject"].strip()) <= 150


def test_many_notices_are_queued_in_a_few_statements(
    thread, moderator, django_assert_max_num_queries
):
    states.lock(user=moderator, thread=thread, reason="Enough.")
    entry = AuditEntry.objects.get()
    members = User.objects.bulk_create(
        User(username=f"m-{n}", skeleton=f"m-{n}", email=f"m-{n}@example.org") for n in range(200)
    )
    told = Notice.objects.bulk_create(
        Notice(member=member, entry=entry, sentence="Locked.") for member in members
    )
    with django_assert_max_num_queries(16):
        queueing.queue(told)
    assert Mail.objects.count() == mail_jobs().count() == 201
