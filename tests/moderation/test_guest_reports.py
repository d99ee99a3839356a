"""Reports without an account: what the law asks, a receipt, the same cases, few mails."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import clock
from forum.actions import pages
from forum.mailing import guests
from forum.models import Board, Case, GuestReport, Notice, Report, TrustedReporter
from forum.moderation import guest_reports, queue, reports, states, transparency, undoing
from forum.outbox.worker import Worker
from forum.own_data import retention
from forum.rendering import context
from tests.people import browser, dump, fresh, make_member, pending, reply, start

pytestmark = pytest.mark.django_db
LAWFUL = {
    "reason": "illegal",
    "text": "It names where a private person lives, which §42 forbids.",
    "name": "Voice A",
    "email": "Voice-A@example.org",
    "good_faith": "on",
}


@pytest.fixture(autouse=True)
def as_a_site(settings):
    settings.SITE_URL = "http://testserver"
    settings.CONFIRM_ADDRESS = "required"
    cache.clear()


def fields(post, **more) -> dict:
    return {"address": f"http://testserver/posts/{post.pk}/", "token": str(uuid4()), **more}


def send(post, client=None, *, network="", **more):
    """What the server answers to the form, sent from this network."""
    where = {"REMOTE_ADDR": network} if network else {}
    return (client or browser()).post("/report/", fields(post, **more), **where)


def made(post, **more) -> GuestReport:
    """The report that came of the form."""
    answer = send(post, **more)
    assert answer.status_code == 302, answer.content.decode()
    return GuestReport.objects.get(number=answer["Location"].split("/")[2])


def work() -> None:
    Worker().drain()


def receipt(guest: GuestReport) -> str:
    return browser().get(f"/report/{guest.number}/").content.decode()


def decide(moderator, act="hide", reason="It names a private person.") -> Case:
    return queue.decide(user=moderator, case=Case.objects.open().get(), act=act, reason=reason)


def confirmed(guest: GuestReport, mailoutbox) -> GuestReport:
    """The same, after the link in the mail was followed and its button pressed."""
    work()
    address = re.search(r"http://testserver(/report/\S+key=\S+)", mailoutbox[-1].body)[1]
    page = browser().get(address).content.decode()
    assert "Yes, it is mine" in page
    assert fresh(guest).confirmed_at is None  # looking at it is not enough: programs follow links
    path, _, key = address.partition("?key=")
    assert browser().post(path, {"key": key}).status_code == 302
    return fresh(guest)


def test_a_report_of_illegal_content_from_form_to_outcome(answer, answerer, moderator, mailoutbox):
    page = browser().get(f"/report/?post={answer.pk}").content.decode()
    assert f'value="http://testserver/posts/{answer.pk}/"' in page
    guest = made(answer, **LAWFUL)
    assert (guest.name, guest.email) == ("Voice A", "voice-a@example.org")
    case = Case.objects.get()
    assert (case.post, case.kind, case.member, case.report_count) == (answer, "report", answerer, 1)
    assert "waits for a moderator" in receipt(guest)
    guest = confirmed(guest, mailoutbox)
    decide(moderator)
    work()
    assert [mail.to for mail in mailoutbox] == [["voice-a@example.org"]] * 2
    for told in (mailoutbox[1].body, receipt(guest)):
        assert "The post that you reported was hidden." in told
        assert "It names a private person." in told
        assert "the moderator keeper" in told
        assert "settling disputes out of court" in told
    assert fresh(answer).state == "hidden"


def test_who_decided_is_told_as_the_log_tells_it(answer, moderator, settings):
    settings.LOG_NAMES_MODERATORS = False
    guest = made(answer, reason="spam")
    decide(moderator)
    assert "keeper" not in receipt(guest)
    assert "a moderator" in receipt(guest)


def test_a_case_that_waits_again_says_so(answer, moderator):
    guest = made(answer, reason="spam")
    entry = decide(moderator).decision
    undoing.undo(user=moderator, entry=entry, reason="Looked again.")
    assert "waits for a moderator" in receipt(guest)


@pytest.mark.parametrize(
    ("gone", "sentence"),
    [
        ("text", "Explain why"),
        ("name", "asks for your name"),
        ("email", "asks for your mail"),
        ("good_faith", "right as far as you know"),
        ("reason", "Choose what is wrong"),
        ("address", "Say which post"),
    ],
)
def test_what_the_law_asks_is_asked_and_nothing_typed_is_lost(answer, gone, sentence):
    sent = fields(answer, **LAWFUL) | {gone: ""}
    response = browser().post("/report/", sent)
    page = response.content.decode()
    assert response.status_code == 422
    assert sentence in page
    for name, typed in sent.items():
        if name not in ("reason", "good_faith"):
            assert typed in page
    assert not Report.objects.exists()


def test_abuse_of_children_is_reported_without_a_name(answer):
    guest = made(answer, reason="illegal", text="It shows a child.", abuse="on", good_faith="on")
    assert (guest.name, guest.email, guest.abuse) == ("", "", True)
    assert guest.report.heeded


def test_other_reasons_need_neither_name_nor_address(answer, mailoutbox):
    guest = made(answer, reason="spam", abuse="on")
    assert not guest.abuse  # it is about what is against the law
    work()
    assert mailoutbox == []


@pytest.mark.parametrize(
    "more", [{"name": "A\nB" * 60}, {"text": "x" * 3001}, {"email": "nobody"}, {"reason": "none"}]
)
def test_what_cannot_be_taken_is_told(answer, more):
    assert send(answer, **(LAWFUL | more)).status_code == 422
    assert not Report.objects.exists()


def test_what_visitors_may_not_read_answers_as_what_never_was(
    board, thread, answer, opener, stranger, moderator
):
    """Private boards, hidden posts, posts that wait, posts taken back, hidden debates."""
    waiting = pending(thread, stranger)
    hidden = reply(thread, stranger, "It is hidden.")
    states.hide(user=moderator, post=hidden, reason="Off the point.")
    private = Board.objects.create(name="Inside", slug="inside", audience="members")
    inside = start(private, opener, "Among ourselves").posts.get(number=1)
    seen = set()
    missing = type(answer)(pk=10**9)
    for post in (missing, waiting, hidden, inside):
        for path in (f"/posts/{post.pk}/", f"/threads/1/x/#post-{post.pk}"):
            sent = fields(answer, **LAWFUL) | {"address": f"http://testserver{path}"}
            response = browser().post("/report/", sent)
            page = response.content.decode().replace(sent["address"], "").replace(sent["token"], "")
            page = re.sub(r'csrfmiddlewaretoken" value="\w+"', "", page)
            seen.add((response.status_code, page))
        page = browser().get(f"/report/?post={post.pk}").content.decode()
        page = re.sub(r'(csrfmiddlewaretoken|token)" value="[\w-]+"', "", page)
        seen.add(("form", re.sub(rf"/{post.pk}/|post%3D{post.pk}", "", page)))
    assert len(seen) == 2
    assert not Case.objects.filter(kind="report").exists()


def test_an_address_may_be_typed_in_every_way_the_site_writes_it(answer):
    thread = answer.thread
    for address, number in [
        (f"/posts/{answer.pk}/", 2),
        (f" http://testserver/posts/{answer.pk}/#x ", 2),
        (f"http://testserver{thread.get_absolute_url()}?page=1#post-{answer.pk}", 2),
        (f"http://testserver{thread.get_absolute_url()}", 1),
    ]:
        sent = fields(answer, reason="spam") | {"address": address}
        assert browser().post("/report/", sent).status_code == 302
        assert Report.objects.latest("pk").case.post.number == number
    for address in (
        "http://elsewhere.example/posts/1/",
        "http://[",
        "words",
        "/posts/99999999999/",
    ):
        sent = fields(answer, reason="spam") | {"address": address}
        assert browser().post("/report/", sent).status_code == 422


def test_the_same_form_makes_one_report_also_once_the_post_is_gone(answer, moderator):
    sent = fields(answer, reason="spam")
    first = browser().post("/report/", sent)["Location"]
    assert browser().post("/report/", sent)["Location"] == first
    states.hide(user=moderator, post=answer, reason="Off the point.")
    assert browser().post("/report/", sent)["Location"] == first
    assert Report.objects.count() == 1


def test_members_report_as_members(answer, stranger):
    client = browser(stranger)
    assert client.get(f"/report/?post={answer.pk}")["Location"] == f"/posts/{answer.pk}/report/"
    assert client.head(f"/report/?post={answer.pk}").status_code == 302
    assert client.get("/report/")["Location"] == "/help/account/"


def test_what_was_typed_before_signing_in_is_taken_as_it_is(answer, stranger):
    """The form lay open, and its reporter signed in meanwhile in another window."""
    client = browser(stranger)
    refused = send(answer, client, **(LAWFUL | {"name": ""}))
    assert refused.status_code == 422
    for typed in (LAWFUL["text"], LAWFUL["email"], "asks for your name"):
        assert typed in refused.content.decode()
    taken = send(answer, client, **LAWFUL)
    guest = GuestReport.objects.get()
    assert taken["Location"] == f"/report/{guest.number}/"
    assert (guest.report.text, guest.name) == (LAWFUL["text"], LAWFUL["name"])
    assert guest.report.member is None


def test_a_form_from_before_signing_in_is_sent_again_from_the_page_that_says_so(answer, stranger):
    """Signing in makes the form's own key stale (CSRF)."""
    client = browser(stranger, enforce_csrf_checks=True)
    client.get("/accounts/settings/")
    stale = client.post(
        "/report/", fields(answer, **LAWFUL), headers={"Sec-Fetch-Site": "same-origin"}
    )
    shown = stale.content.decode()
    assert stale.status_code == 403
    assert "Look it over and send it again." in shown
    form = shown[shown.index("<form", shown.index("Look it over")) :]
    again = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[: form.index("</form>")]))
    again |= {name: LAWFUL[name] for name in ("reason", "text")}  # its textareas
    assert client.post("/report/", again).status_code == 302
    assert GuestReport.objects.get().email == LAWFUL["email"].lower()


def test_an_address_of_a_member_says_nothing_and_joins_nothing(answer, stranger, mailoutbox):
    """Nothing tells whether an address has an account, and a report is nobody's but its own."""
    texts = []
    for email in (stranger.email, "nobody@example.org"):
        cache.clear()
        guest = made(answer, **(LAWFUL | {"email": email}))
        work()
        mail = mailoutbox[-1]
        text = mail.subject + mail.body + receipt(guest)
        text = re.sub(r"\d\d:\d\d(:\d\d)?", "", text)  # time goes on between the two
        texts.append(text.replace(guest.number, "").replace(guests.key_of(guest), ""))
    assert texts[0] == texts[1]
    assert not Report.objects.filter(member__isnull=False).exists()
    assert not Notice.objects.filter(member=stranger).exists()


def test_a_mail_holds_nothing_that_was_typed(answer, moderator, mailoutbox):
    made(answer, **LAWFUL)
    work()
    decide(moderator)
    work()
    assert len(mailoutbox) == 2
    for mail in mailoutbox:
        assert "Voice A" not in mail.body + mail.subject
        assert "private person lives" not in mail.body


def test_an_address_gets_few_mails_in_a_day(thread, stranger, moderator, mailoutbox):
    for n in range(6):
        made(reply(thread, stranger, f"Answer {n}."), **LAWFUL)
    work()
    assert len(mailoutbox) == guests.A_DAY
    for case in Case.objects.open():
        queue.decide(user=moderator, case=case, act="no action", reason="Fine.")
    work()
    assert len(mailoutbox) == guests.A_DAY


def test_what_was_confirmed_is_told_in_any_case(answer, moderator, mailoutbox, monkeypatch):
    guest = confirmed(made(answer, **LAWFUL), mailoutbox)
    monkeypatch.setattr(guests, "A_DAY", 1)
    decide(moderator)
    work()
    assert "was decided" in mailoutbox[-1].body
    assert fresh(guest).outcome_at


def test_receipts_are_not_mailed_by_the_thousand(thread, stranger, mailoutbox, monkeypatch):
    monkeypatch.setattr(guests, "AN_HOUR", 3)
    post = reply(thread, stranger, "Too much.")
    for n in range(8):
        cache.clear()
        made(post, **(LAWFUL | {"email": f"member-{n}@example.org"}))
    TrustedReporter.objects.create(address="@flaggers.example")
    cache.clear()
    made(post, **(LAWFUL | {"email": "one@flaggers.example"}))
    work()
    assert [mail.to[0] for mail in mailoutbox] == [
        *(f"member-{n}@example.org" for n in range(3)),
        "one@flaggers.example",
    ]


def test_a_site_without_mail_sends_none(answer, settings, mailoutbox):
    settings.CONFIRM_ADDRESS = "off"
    guest = made(answer, **LAWFUL)
    work()
    assert mailoutbox == []
    assert "A mail goes there" not in receipt(guest)


def test_a_wrong_key_confirms_nothing(answer):
    guest, other = made(answer, **LAWFUL), made(answer, **LAWFUL)
    for key in ("", "x", guests.key_of(other), "ä"):
        response = browser().post(f"/report/{guest.number}/", {"key": key})
        assert response.status_code == 422
    assert fresh(guest).confirmed_at is None


def test_a_number_is_not_guessed(answer):
    guest = made(answer, reason="spam")
    assert re.fullmatch(r"(?:[2-9A-HJ-NP-Z]{4}-){4}[2-9A-HJ-NP-Z]{4}", guest.number)
    assert browser().get(f"/report/{guest.number.lower()}/").status_code == 200
    for number in ("1", guest.number[:-1], "%00", "x" * 500):
        assert browser().get(f"/report/{number}/").status_code in (400, 404)


def order(user) -> list[int]:
    """The posts of the queue in their order."""
    page = browser(user).get("/admin/").content.decode()
    cases = [int(pk) for pk in re.findall(r'data-case="(\d+)"', page)]
    return [Case.objects.get(pk=pk).post_id for pk in cases]


def test_the_queue_heeds_who_can_be_asked_and_trusted_reporters_first(
    thread, stranger, answerer, moderator, mailoutbox
):
    posts = [reply(thread, answerer, f"Answer {n}.") for n in range(5)]
    unconfirmed, spam, known, flagged, by_trusted_member = posts
    made(unconfirmed, **LAWFUL)
    reports.report(user=stranger, post=spam, reason="spam", token=uuid4())
    confirmed(made(known, **LAWFUL), mailoutbox)
    TrustedReporter.objects.create(address="@flaggers.example")
    guest = made(flagged, **(LAWFUL | {"email": "one@flaggers.example"}))
    assert order(moderator)[-1] == flagged.pk  # anybody can type that address
    assert confirmed(guest, mailoutbox).report.trusted is not False
    member = make_member("flagger")
    TrustedReporter.objects.create(member=member)
    reports.report(user=member, post=by_trusted_member, reason="spam", token=uuid4())
    expected = [flagged, by_trusted_member, known, spam, unconfirmed]
    assert order(moderator) == [post.pk for post in expected]
    page = browser(moderator).get("/admin/").content.decode()
    assert page.count("Trusted reporter") == 2
    assert "From outside, <bdi>Voice A</bdi>, address confirmed" in page
    assert "voice-a@example.org" not in page


def test_reports_from_outside_hide_nothing_by_themselves(answer, stranger, opener):
    Board.objects.update(hide_after_reports=2)
    for _ in range(3):
        made(answer, reason="spam")
    reports.report(user=stranger, post=answer, reason="spam", token=uuid4())
    assert fresh(answer).state == "visible"
    reports.report(user=opener, post=answer, reason="spam", token=uuid4())
    assert fresh(answer).state == "hidden"


def test_one_network_reports_so_much_a_day(answer, settings, stopped_clock):
    settings.GUEST_REPORTS_PER_DAY = 3
    for _ in range(3):
        made(answer, network="192.0.2.1", reason="spam")
    refused = send(answer, network="192.0.2.1", reason="spam", text="Typed with care.")
    assert refused.status_code == 429
    assert "Typed with care." in refused.content.decode()
    made(answer, network="192.0.2.2", reason="spam")


def test_without_javascript_few_and_with_a_sum_more(answer, settings, stopped_clock):
    settings.PROOF_OF_WORK = 10
    for _ in range(guest_reports.UNPROVED_PER_DAY):
        made(answer, reason="spam")
    assert send(answer, reason="spam").status_code == 429
    page = browser().get("/report/").content.decode()
    assert "data-challenge" in page
    assert "Without JavaScript this works too" in page


def flood(answer, thread, stranger, moderator, n: int) -> None:
    """`n` reports of one post from as many networks: one case, few mails, the same queries."""
    ours = reply(thread, stranger, "Reported by a member.")
    reports.report(user=moderator, post=ours, reason="spam", token=uuid4())
    made(answer, **LAWFUL)
    with CaptureQueriesContext(
        connection,
    ) as few:
        browser(moderator).get("/admin/")
    for number in range(n):
        network = f"2001:db8:{number:x}::1"
        email = f"member-{number}@example.org"
        assert send(answer, network=network, **(LAWFUL | {"email": email})).status_code == 302
    with CaptureQueriesContext(connection) as many:
        page = browser(moderator).get("/admin/").content.decode()
    assert len(many) <= len(few)
    assert Case.objects.open().count() == 2
    assert order(moderator)[0] == ours.pk
    assert f"and others, {n + 1} in all" in page
    assert len(page) < 60_000


def test_a_flood_is_one_case_behind_the_others(
    answer, thread, stranger, moderator, mailoutbox, monkeypatch
):
    monkeypatch.setattr(guests, "AN_HOUR", 5)
    flood(answer, thread, stranger, moderator, 60)
    work()
    assert len(mailoutbox) <= 5
    decide_all = [case for case in Case.objects.open() if case.post_id == answer.pk]
    queue.decide(user=moderator, case=decide_all[0], act="hide", reason="Enough.")
    work()
    assert len(mailoutbox) <= 10


@pytest.mark.long
def test_a_thousand_reports_are_one_case(answer, thread, stranger, moderator, mailoutbox):
    flood(answer, thread, stranger, moderator, 1000)
    work()
    assert len(mailoutbox) <= guests.AN_HOUR


def test_name_and_address_go_some_time_after_the_decision(
    answer, opening, moderator, settings, monkeypatch
):
    settings.GUEST_ADDRESSES_KEPT_DAYS = 90
    decided = made(answer, **LAWFUL)
    decide(moderator)
    waiting = made(opening, **LAWFUL)
    assert retention.sweep()["addresses of guests"] == 0
    later = clock.now() + timedelta(days=91)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert retention.sweep()["addresses of guests"] == 1
    assert (fresh(decided).name, fresh(decided).email) == ("", "")
    assert fresh(waiting).email == "voice-a@example.org"
    assert "was hidden" in receipt(decided)
    assert "90 days after the decision" in browser().get("/privacy/").content.decode()


@pytest.mark.parametrize("days", [90, 0])
def test_nobody_is_promised_another_time_than_the_site_has(answer, settings, mailoutbox, days):
    settings.GUEST_ADDRESSES_KEPT_DAYS = days
    guest = made(answer, **LAWFUL)
    work()
    for told in (browser().get("/report/").content.decode(), receipt(guest), mailoutbox[0].body):
        told = " ".join(told.split())
        assert ("deleted 90 days after" in told) == bool(days)
        assert ("deleted" in told) == bool(days)
        assert "0 days" not in told.replace("90 days", "")


def test_the_mail_to_an_address_that_somebody_else_typed_says_what_still_comes(
    answer, moderator, mailoutbox
):
    """The outcome goes there too, confirmed or not."""
    made(answer, **LAWFUL)
    work()
    assert "nothing more is mailed to you than what is decided" in " ".join(
        mailoutbox[0].body.split()
    )
    decide(moderator)
    work()
    assert len(mailoutbox) == 2


def test_the_figures_count_them(answer, stranger):
    made(answer, reason="spam")
    reports.report(user=stranger, post=answer, reason="topic", token=uuid4())
    transparency.count_quarters()
    figures = browser().get("/transparency/figures.json").json()["quarters"][0]
    assert (figures["reports"], figures["reports_from_outside"]) == ({"spam": 1, "topic": 1}, 1)
    assert "(1 report without an account)" in browser().get("/transparency/").content.decode()


def test_visitors_find_it_at_each_post_and_at_the_foot(answer, stranger):
    page = browser().get(answer.thread.get_absolute_url()).content.decode()
    assert f'href="/report/?post={answer.pk}"' in page
    assert 'href="/report/" rel="nofollow">Report illegal content' in page
    assert (
        "/report/?post"
        not in browser(stranger).get(answer.thread.get_absolute_url()).content.decode()
    )


def test_administrators_say_whom_the_site_trusts(administrator, moderator, stranger):
    desk = browser(administrator)
    where = "/admin/forum/trustedreporter/add/"
    desk.post(where, {"address": " @Flaggers.example ", "member": "", "note": "Since May"})
    assert TrustedReporter.objects.get().address == "@flaggers.example"
    for sent in ({"address": "", "member": ""}, {"address": "a@b.c", "member": stranger.pk}):
        assert desk.post(where, {**sent, "note": ""}).status_code == 200
    assert TrustedReporter.objects.count() == 1
    assert browser(moderator).get(where).status_code == 403


def test_what_is_refused_changes_nothing(answer, settings, stopped_clock):
    settings.GUEST_REPORTS_PER_DAY = 1
    made(answer, reason="spam")
    before = dump(Case, Report, GuestReport)
    send(answer, reason="spam")
    assert dump(Case, Report, GuestReport) == before


def test_the_contact_page_is_named_where_there_is_one(answer, moderator, administrator, mailoutbox):
    pages.edit(user=administrator, kind="contact", source="Write to us.")
    context.forget_links()
    guest = made(answer, **LAWFUL)
    work()
    decide(moderator)
    work()
    assert 'href="/contact/"' in receipt(guest)
    assert "http://testserver/contact/" in mailoutbox[-1].body
