"""Warnings, suspensions and names: with a reason and an end, never in secret, within limits."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import PastName, User
from forum.actions import cases, members
from forum.actions.composing import Unacceptable
from forum.checking import check
from forum.models import AuditEntry, Case, Note, Notice, Suspension, Warning
from forum.moderation import queue, reports, sanctions
from forum.permissions import Refused, may
from tests.people import browser, dump, fresh, make_member, pending, reply

pytestmark = pytest.mark.django_db
BINDING = (Warning, Suspension, User, Case)


def warn(user, member, points=1, post=None, reason="") -> AuditEntry:
    # The same form sent twice is one warning, so each has a reason of its own.
    reason = reason or f"Rude, {Warning.objects.count() + 1}."
    return sanctions.warn(user=user, member=member, points=points, reason=reason, post=post)


def notices_of(user) -> list[str]:
    notices = Notice.objects.filter(member=user).order_by("pk")
    return list(notices.values_list("sentence", flat=True))


@pytest.fixture(autouse=True)
def usual(settings):
    settings.WARNING_DAYS = 90
    settings.WARNING_APPROVAL_POINTS, settings.WARNING_APPROVAL_DAYS = 3, 14
    settings.WARNING_SUSPENSION_POINTS, settings.WARNING_SUSPENSION_DAYS = 6, 7


def test_points_add_up_expire_and_act_at_thresholds(thread, stranger, moderator):
    warn(moderator, stranger, 2)
    assert (fresh(stranger).suspended, fresh(stranger).watched) == (False, False)
    warn(moderator, stranger, 2)
    assert (fresh(stranger).suspended, fresh(stranger).watched) == (False, True)
    warn(moderator, stranger, 2)
    assert fresh(stranger).suspended
    days = fresh(stranger).suspended_until - timezone.now()
    assert timedelta(days=6, hours=23) < days <= timedelta(days=7)
    assert notices_of(stranger)[-1] == "You may not write for a time. Reading stays as it is."
    Warning.objects.update(expires_at=timezone.now())
    assert sanctions.points_of(stranger) == 0


def test_a_form_sent_twice_warns_once(thread, answer, answerer, moderator):
    once = warn(moderator, answerer, post=answer, reason="Rude.")
    assert warn(moderator, answerer, post=answer, reason="Rude.") == once
    assert warn(moderator, answerer, reason="Rude.") != once
    assert Warning.objects.count() == 2
    first = sanctions.suspend(user=moderator, member=answerer, days=3, reason="Rude.")
    assert sanctions.suspend(user=moderator, member=answerer, days=3, reason="Rude.") == first
    assert sanctions.suspend(user=moderator, member=answerer, days=5, reason="Rude.") != first
    notes = [sanctions.note(user=moderator, member=answerer, text="Calm.") for _ in range(2)]
    assert notes[0] == notes[1]


def test_thresholds_can_be_switched_off(stranger, moderator, settings):
    settings.WARNING_APPROVAL_POINTS = settings.WARNING_SUSPENSION_POINTS = 0
    for _ in range(3):
        warn(moderator, stranger, 5)
    assert not Suspension.objects.exists()


def test_a_warning_taken_back_leaves_nothing_but_the_log(stranger, moderator):
    before = dump(*BINDING)
    warn(moderator, stranger, 5)
    warn(moderator, stranger, 5)
    for warning in Warning.objects.order_by("-pk"):
        sanctions.lift_warning(user=moderator, warning=warning, reason="Too harsh.")
    assert dump(*BINDING) == before
    verbs = AuditEntry.objects.filter(member=stranger).values_list("verb", flat=True)
    assert sorted(verbs) == ["lift warning"] * 2 + ["suspend"] * 3 + ["warn"] * 2
    with pytest.raises(Refused, match="already"):
        sanctions.lift_warning(user=moderator, warning=warning, reason="Again.")


def test_who_is_suspended_reads_and_does_not_write_until_it_is_lifted(
    thread, answer, stranger, moderator
):
    before = dump(*BINDING)
    sanctions.suspend(user=moderator, member=stranger, days=3, reason="Heat.")
    client = browser(stranger)
    page = client.get(thread.get_absolute_url()).content.decode()
    assert "You may not write until" in page
    assert "Heat." in page
    assert f"/threads/{thread.pk}/reply/?to=" not in page or 'id="reply"' not in page
    fields = {"text": "Let me in.", "token": uuid4()}
    response = client.post(f"/threads/{thread.pk}/reply/", fields)
    assert response.status_code == 403
    assert "Heat." in response.content.decode()
    assert "Let me in." in response.content.decode()
    reads = {"/read/": {}, f"/threads/{thread.pk}/fold/": {"fold": answer.pk}}
    reads["/drafts/save/"] = {"target": "/threads/new/", "token": uuid4(), "text": "Later."}
    for path, sent in reads.items():  # reading is no writing
        assert client.post(path, sent).status_code in (200, 302), path
    for verb, thing in (("report", answer), ("reply", thread), ("start", thread.board)):
        assert not may(fresh(stranger), verb, thing)
    sanctions.lift_suspension(
        user=moderator, suspension=Suspension.objects.get(), reason="It cooled down."
    )
    assert client.post(f"/threads/{thread.pk}/reply/", fields).status_code == 302
    assert notices_of(stranger) == [
        "You may not write for a time. Reading stays as it is.",
        "Your suspension was lifted: you may write again.",
    ]
    before.pop(User)  # it was written which session came last
    assert dump(*before) == before


def test_a_suspension_ends_by_itself(stranger, moderator, thread):
    sanctions.suspend(user=moderator, member=stranger, days=1, reason="Heat.")
    User.objects.filter(pk=stranger.pk).update(suspended_until=timezone.now())
    assert may(fresh(stranger), "reply", thread)
    assert "may not write until" not in browser(stranger).get("/").content.decode()


def test_the_longer_of_two_suspensions_holds(stranger, moderator):
    sanctions.suspend(user=moderator, member=stranger, days=9, reason="Long.")
    sanctions.suspend(user=moderator, member=stranger, days=2, reason="Short.")
    assert fresh(stranger).suspended_for == "Long."
    long = Suspension.objects.order_by("ends_at").last()
    sanctions.lift_suspension(user=moderator, suspension=long, reason="Enough.")
    assert fresh(stranger).suspended_for == "Short."


def test_whom_nobody_reaches(
    thread, answer, stranger, answerer, moderator, board_moderator, administrator, guest
):
    second = make_member("second", is_staff=True, is_superuser=True)
    for user, member in (
        (moderator, administrator),
        (administrator, second),
        (administrator, administrator),
        (moderator, moderator),
        (moderator, board_moderator),
        (board_moderator, moderator),
        (stranger, answerer),
        (guest, answerer),
    ):
        for verb in ("warn", "suspend"):
            assert not may(user, verb, member), (user, verb, member)
        with pytest.raises(Refused):
            warn(user, member)
        with pytest.raises(Refused):
            sanctions.suspend(user=user, member=member, days=1, reason="Heat.")
    assert may(administrator, "suspend", moderator)
    assert not may(board_moderator, "suspend", stranger)
    with pytest.raises(Refused, match="one of your boards"):
        warn(board_moderator, answerer)
    warn(board_moderator, answerer, post=answer)
    with pytest.raises(Refused, match="somebody else"):
        warn(moderator, stranger, post=answer)
    assert AuditEntry.objects.count() == 1


def test_a_suspended_moderator_acts_no_more(thread, moderator, administrator):
    sanctions.suspend(user=administrator, member=moderator, days=1, reason="Heat.")
    user = fresh(moderator)
    assert not may(user, "moderate", thread)
    assert not may(user, "enter desk")
    assert may(user, "see thread", thread)


@pytest.mark.parametrize(("points", "days", "reason"), [(0, 0, "R"), (6, 366, "R"), (1, 1, "  ")])
def test_bad_input_changes_nothing(stranger, moderator, points, days, reason):
    before = dump(*BINDING, AuditEntry, Notice)
    with pytest.raises(Refused):
        sanctions.warn(user=moderator, member=stranger, points=points, reason=reason)
    with pytest.raises(Refused):
        sanctions.suspend(user=moderator, member=stranger, days=days, reason=reason)
    assert dump(*BINDING, AuditEntry, Notice) == before


def test_the_queue_warns_and_an_answer_takes_it_back(
    answer, answerer, stranger, moderator, administrator
):
    reports.report(user=stranger, post=answer, reason="attack", token=uuid4())
    with pytest.raises(Refused, match="points"):
        queue.decide(user=moderator, case=Case.objects.get(), act="warn", reason="Rude.")
    assert not Warning.objects.exists()
    queue.decide(user=moderator, case=Case.objects.get(), act="warn", reason="Rude.", points=2)
    assert sanctions.points_of(answerer) == 2
    assert fresh(answer).state == "visible"
    notice = Notice.objects.get(member=answerer)
    assert notice.sentence.startswith("You were warned: 2 points, until")
    case = cases.answer(user=answerer, notice=notice, text="I was not.")
    queue.decide(user=administrator, case=case, act="undo", reason="True.")
    assert sanctions.points_of(answerer) == 0
    assert notices_of(answerer)[1:] == [
        "A warning was taken back.",
        "Your answer was read: the act was taken back.",
    ]


def test_everything_that_binds_stands_on_ones_own_page(stranger, moderator, opener):
    warn(moderator, stranger, 3)
    sanctions.note(user=moderator, member=stranger, text="Keep an eye on this one.")
    page = browser(stranger).get("/standing/").content.decode()
    for words in ("What they write waits for approval", "3 points", "Rude, 1."):
        assert words in page
    assert "Keep an eye" not in page
    assert "Rude, 1." not in browser(opener).get("/standing/").content.decode()
    assert "Keep an eye" not in browser(stranger).get("/log/").content.decode()


# --- Names ------------------------------------------------------------------------------------


def test_another_name_is_asked_for_and_given(thread, answer, answerer, moderator, administrator):
    reply(thread, answerer, "Say it, @answerer.")
    client = browser(answerer)
    assert client.post("/standing/name/", {"name": "opener"}).status_code == 422
    assert client.post("/standing/name/", {"name": "Renamed", "why": "Tired."}).status_code == 302
    case = Case.objects.get()
    assert not may(moderator, "decide", case)
    assert "Renamed" not in browser(moderator).get("/admin/forum/case/").content.decode()
    assert "Renamed" in browser(administrator).get("/admin/forum/case/").content.decode()
    queue.decide(user=administrator, case=case, act="rename member", reason="Granted.")
    assert fresh(answerer).username == "Renamed"
    moved = browser().get("/members/Answerer/")
    assert moved["Location"] == "/members/Renamed/"
    page = browser().get("/members/Renamed/").content.decode()
    assert "Was called" in page
    assert "answerer" in page
    page = browser().get(thread.get_absolute_url()).content.decode()
    assert 'href="/members/Renamed/">@answerer</a>' in page
    with pytest.raises(Refused, match="taken"):
        members.rename(user=administrator, member=moderator, name="answerer")
    members.rename(user=administrator, member=fresh(answerer), name="answerer")
    assert fresh(answerer).username == "answerer"


def test_names_that_cannot_be_given(stranger, administrator, moderator):
    for name in ("opener", "x", "admin", "a b", "Voice 1", "n" * 31):
        make_member("opener") if not User.objects.filter(username="opener").exists() else None
        with pytest.raises(Unacceptable):
            members.ask_for_name(user=stranger, name=name)
        with pytest.raises(Refused):
            members.rename(user=administrator, member=stranger, name=name)
    with pytest.raises(Refused):
        members.rename(user=moderator, member=stranger, name="Another")
    assert not PastName.objects.exists()


def test_a_name_given_up_is_not_taken_by_a_newcomer(stranger, administrator, settings):
    members.rename(user=administrator, member=stranger, name="Another")
    fields = {"username": "Stranger", "email": "new@example.org", "password1": "long enough it is"}
    browser().post("/accounts/signup/", fields)
    assert not User.objects.filter(email="new@example.org").exists()


# --- The desk ---------------------------------------------------------------------------------


def test_acts_at_the_desk(stranger, moderator, administrator):
    client, page = browser(moderator), f"/admin/forum/member/{stranger.pk}/change/"
    assert "stranger@example.org" not in client.get(page).content.decode()
    sent = {"_act": "warn", "points": "2", "reason": ""}
    response = client.post(page, sent)
    assert response.status_code == 422
    assert "Say why" in response.content.decode()
    client.post(page, {**sent, "reason": "Rude."})
    client.post(page, {"_act": "suspend", "measure": "silence", "days": "4", "reason": "Heat."})
    client.post(page, {"_act": "note", "text": "Seen before."})
    assert fresh(stranger).suspended
    assert Note.objects.get().text == "Seen before."
    assert "Seen before." in client.get(page).content.decode()
    client.post(
        page, {"_act": "lift suspension", "row": Suspension.objects.get().pk, "reason": "Over."}
    )
    client.post(page, {"_act": "lift warning", "row": Warning.objects.get().pk, "reason": "Over."})
    assert not fresh(stranger).suspended
    assert client.post(page, {"_act": "rename", "name": "Another"}).status_code == 422
    browser(administrator).post(page, {"_act": "rename", "name": "Another", "reason": "Asked."})
    assert fresh(stranger).username == "Another"
    for junk in ({}, {"_act": "x"}, {"_act": "warn", "points": "x", "reason": "R"}):
        assert client.post(page, junk).status_code == 422


def test_moderators_touch_neither_administrators_nor_addresses(administrator, stranger, moderator):
    client = browser(moderator)
    before = dump(User)
    for member in (administrator, stranger):
        page = f"/admin/forum/member/{member.pk}/change/"
        for act in ("warn", "suspend", "rename"):
            fields = {"_act": act, "points": "1", "days": "1", "measure": "silence"}
            fields |= {"reason": "R", "name": "Another", "email": "x@example.org"}
            fields |= {"password": "x", "is_superuser": "on", "username": "Another"}
            if member == administrator or act == "rename":
                assert client.post(page, fields).status_code == 422
        accounts = f"/admin/accounts/user/{member.pk}/change/"
        assert client.get(accounts).status_code == 403
        assert client.post(accounts, {"email": "x@example.org"}).status_code == 403
        assert client.get(f"/admin/accounts/user/{member.pk}/password/").status_code in (403, 404)
    after = dump(User)
    for rows in (before[User], after[User]):
        for row in rows:
            row.pop("last_login")
    assert after == before


def test_what_is_kept_of_it_is_checked_and_healed(thread, answer, stranger, moderator):
    sanctions.suspend(user=moderator, member=stranger, days=3, reason="Heat.")
    warn(moderator, stranger, 3)
    reports.report(user=moderator, post=answer, reason="spam", token=uuid4())
    waiting = pending(thread, stranger)
    list(check(fix=True))
    sound = dump(User, Case)
    for rows, columns in (
        (User, {"suspended_until": None}),
        (User, {"suspended_for": "Nothing."}),
        (User, {"approval_until": timezone.now() + timedelta(days=400)}),
        (User, {"unread_notices": 7}),
        (Case, {"report_count": 9}),
    ):
        rows.objects.filter(
            pk=stranger.pk if rows is User else Case.objects.get(kind="report").pk
        ).update(**columns)
        assert [fault.healed for fault in check()] == [False], columns
        assert [fault.healed for fault in check(fix=True)] == [True], columns
        assert dump(User, Case) == sound
    Case.objects.filter(post=waiting).delete()
    assert [fault.kind for fault in check(fix=True)] == ["queue"]
    assert Case.objects.open().get(post=waiting).kind == "held"
    assert list(check()) == []
