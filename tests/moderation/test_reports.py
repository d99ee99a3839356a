"""Reports: one case for one post, nothing hidden but where the board says so, everybody told."""

from uuid import uuid4

import pytest
from django.db import transaction

from forum.actions import audit, cases, pace, posts
from forum.actions.composing import Unacceptable
from forum.models import AuditEntry, Board, Case, Notice, Report
from forum.models.visibility import cases_visible_to
from forum.moderation import queue, reports, states, undoing
from forum.permissions import Refused, may
from tests.people import browser, dump, fresh, make_member, pending, quoting, reply, start

pytestmark = pytest.mark.django_db


def send(user, post, reason="spam", text="", token=None) -> Report:
    return reports.report(
        user=user, post=fresh(post), reason=reason, text=text, token=token or uuid4()
    )


def notices_of(user) -> list[str]:
    notices = Notice.objects.filter(member=user).order_by("pk")
    return list(notices.values_list("sentence", flat=True))


def test_several_reports_are_one_case_and_everybody_is_told(
    answer, answerer, opener, stranger, moderator
):
    send(stranger, answer)
    send(opener, answer, "attack", "It calls me names.")
    case = Case.objects.get()
    assert (case.report_count, case.member, case.decided_at) == (2, answerer, None)
    assert fresh(answer).state == "visible"
    queue.decide(user=moderator, case=case, act="hide", reason="It does.")
    assert fresh(answer).state == "hidden"
    case = fresh(case)
    assert (case.decision.verb, case.decision.reason) == ("hide", "It does.")
    for user in (stranger, opener):
        assert notices_of(user) == ["The post that you reported was hidden."]
    assert notices_of(answerer) == ["Your post was hidden."]
    assert not Notice.objects.filter(member=moderator).exists()


def test_a_report_without_consequences(answer, answerer, stranger, moderator):
    before = dump(type(answer))
    send(stranger, answer)
    queue.decide(user=moderator, case=Case.objects.get(), act="no action", reason="It is not.")
    assert dump(type(answer)) == before
    assert notices_of(stranger) == ["The post that you reported was looked at; it stays as it is."]
    assert notices_of(answerer) == []
    assert AuditEntry.objects.get().verb == "no action"


def test_the_same_form_and_the_same_member_make_one_report(answer, stranger, opener):
    token = uuid4()
    first = send(stranger, answer, token=token)
    assert send(stranger, answer, token=token) == first
    assert send(stranger, answer, "topic") == first
    with pytest.raises(Unacceptable, match="another account"):
        send(opener, answer, token=token)
    assert Case.objects.get().report_count == 1


def test_what_was_decided_is_reported_anew(answer, stranger, moderator):
    send(stranger, answer)
    queue.decide(user=moderator, case=Case.objects.get(), act="no action", reason="Fine.")
    send(stranger, answer)
    assert Case.objects.count() == 2
    assert Case.objects.open().count() == 1


def test_what_is_refused(answer, answerer, stranger, guest, moderator, settings):
    with pytest.raises(Refused, match="your own"):
        send(answerer, answer)
    with pytest.raises(Refused, match="Sign in"):
        send(guest, answer)
    for reason, text in (("nonsense", ""), ("other", " "), ("spam", "x" * 1001), ("spam", "\0")):
        with pytest.raises(Unacceptable):
            send(stranger, answer, reason, text)
    settings.REPORTS_PER_DAY = 1
    send(stranger, answer.thread.posts.get(number=3))
    with pytest.raises(pace.TooFast):
        send(stranger, answer)
    settings.REPORTS_PER_DAY = 0
    states.hide(user=moderator, post=answer, reason="Off the point.")
    with pytest.raises(Refused):
        send(stranger, answer)
    assert Report.objects.count() == 1


@pytest.mark.parametrize("act", ["no action", "hide"])
def test_reports_hide_where_the_board_says_so(answer, answerer, stranger, opener, moderator, act):
    Board.objects.update(hide_after_reports=2)
    send(stranger, answer)
    assert fresh(answer).state == "visible"
    send(opener, answer)
    assert fresh(answer).state == "hidden"
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.verb) == (None, "hide")
    assert notices_of(answerer) == ["Your post was hidden because several members reported it."]
    queue.decide(user=moderator, case=Case.objects.get(), act=act, reason="I looked.")
    assert fresh(answer).state == ("visible" if act == "no action" else "hidden")
    assert fresh(answer).state_reason == ("" if act == "no action" else "I looked.")
    assert len(notices_of(answerer)) == 2
    assert not Case.objects.open().exists()


@pytest.mark.parametrize("noted", [True, False])
def test_what_reports_hid_is_brought_back_from_the_log(answer, stranger, moderator, noted):
    """Also by an entry of a version that did not note how the post was before."""
    Board.objects.update(hide_after_reports=1)
    before = fresh(answer.thread).last_post_at
    send(stranger, answer)
    entry = AuditEntry.objects.get()
    assert fresh(answer).state == "hidden"
    if not noted:
        with transaction.atomic():
            audit.open_the_log()
            del entry.detail["was"]
            AuditEntry.objects.filter(pk=entry.pk).update(detail=entry.detail)
    undoing.undo(user=moderator, entry=fresh(entry))
    answer = fresh(answer)
    assert (answer.state, answer.state_reason) == ("visible", "")
    assert fresh(answer.thread).last_post_at == before


def test_what_was_brought_back_is_not_hidden_by_the_next_report(
    answer, stranger, opener, moderator
):
    Board.objects.update(hide_after_reports=1)
    send(stranger, answer)
    undoing.undo(user=moderator, entry=AuditEntry.objects.get())
    send(opener, answer)
    assert fresh(answer).state == "visible"
    assert Case.objects.open().get().report_count == 2


def test_the_decision_that_it_stays_hidden_is_taken_back(answer, stranger, moderator):
    """The post is as its reports left it, and waits for a decision again."""
    Board.objects.update(hide_after_reports=1)
    send(stranger, answer)
    queue.decide(user=moderator, case=Case.objects.get(), act="hide", reason="I looked.")
    undoing.undo(user=moderator, entry=AuditEntry.objects.latest("pk"))
    answer = fresh(answer)
    assert (answer.state, answer.state_reason) == ("hidden", reports.HIDDEN_BY_REPORTS)
    assert Case.objects.open().get().hid


def test_a_decision_that_noted_nothing_is_not_taken_back(answer, stranger, moderator):
    """Of versions until 0.2.0, when a post stayed hidden."""
    Board.objects.update(hide_after_reports=1)
    send(stranger, answer)
    queue.decide(user=moderator, case=Case.objects.get(), act="hide", reason="I looked.")
    entry = AuditEntry.objects.latest("pk")
    with transaction.atomic():
        audit.open_the_log()
        AuditEntry.objects.filter(pk=entry.pk).update(detail={})
    with pytest.raises(Refused, match="stayed as it was"):
        undoing.undo(user=moderator, entry=fresh(entry))
    assert fresh(answer).state_reason == "I looked."


def test_an_act_at_another_door_settles_the_case(answer, answerer, stranger, moderator):
    send(stranger, answer)
    posts.withdraw(user=answerer, post=answer)
    assert notices_of(stranger) == ["The post that you reported was taken back by its writer."]
    waiting = pending(answer.thread, stranger)
    assert Case.objects.open().get().post == waiting
    states.approve(user=moderator, post=waiting)
    assert not Case.objects.open().exists()


def test_waiting_posts_are_decided_in_the_queue(thread, stranger, moderator):
    for act, state in (("approve", "visible"), ("reject", "rejected")):
        waiting = pending(thread, stranger, f"May I {act}?")
        case = Case.objects.open().get()
        if act == "reject":
            with pytest.raises(Refused, match="Say why"):
                queue.decide(user=moderator, case=case, act=act)
        queue.decide(user=moderator, case=case, act=act, reason="Because.")
        assert fresh(waiting).state == state
    assert notices_of(stranger) == [
        "Your post was approved and stands now.",
        "Your post was not taken. Its text is in your drafts.",
    ]


def test_a_decision_sent_twice_and_one_that_came_too_late(answer, stranger, moderator):
    send(stranger, answer)
    case, other = Case.objects.get(), make_member("second", is_staff=True, is_moderator=True)
    queue.decide(user=moderator, case=case, act="no action", reason="Fine.")
    queue.decide(user=moderator, case=case, act="no action", reason="Fine.")
    with pytest.raises(Refused, match="keeper decided this just now: “No action”"):
        queue.decide(user=other, case=case, act="hide", reason="Not fine.")
    assert AuditEntry.objects.count() == 1
    assert fresh(answer).state == "visible"


def test_an_act_that_is_none(answer, stranger, moderator):
    send(stranger, answer)
    for act in ("approve", "delete", ""):
        with pytest.raises(Refused):
            queue.decide(user=moderator, case=Case.objects.get(), act=act, reason="Because.")
    with pytest.raises(Refused):
        queue.decide(user=stranger, case=Case.objects.get(), act="hide", reason="Because.")


# --- Answers to acts --------------------------------------------------------------------------


def test_the_member_answers_once_and_another_moderator_decides(
    answer, answerer, moderator, board_moderator, administrator
):
    states.hide(user=moderator, post=answer, reason="Off the point.")
    notice = Notice.objects.get()
    case = cases.answer(user=answerer, notice=notice, text="It is the point.")
    assert cases.answer(user=answerer, notice=notice, text="It is the point.") == case
    with pytest.raises(Refused, match="already"):
        cases.answer(user=answerer, notice=notice, text="And another thing.")
    assert not may(moderator, "decide", case)
    assert may(board_moderator, "decide", case)
    assert may(administrator, "decide", case)
    queue.decide(user=board_moderator, case=case, act="undo", reason="It is.")
    assert fresh(answer).state == "visible"
    assert notices_of(answerer) == [
        "Your post was hidden.",
        "An act that you were told of was undone.",
        "Your answer was read: the act was taken back.",
    ]
    assert not Case.objects.open().exists()


def test_an_act_that_stands(answer, answerer, moderator, board_moderator):
    states.remove(user=moderator, post=answer, reason="Off the point.")
    case = cases.answer(user=answerer, notice=Notice.objects.get(), text="No.")
    queue.decide(user=board_moderator, case=case, act="uphold", reason="It is.")
    assert fresh(answer).state == "removed"
    assert notices_of(answerer)[-1] == "Your answer was read: the act stands."


def test_answers_fall_to_the_one_who_acted_if_there_is_no_other(answer, answerer, moderator):
    states.hide(user=moderator, post=answer, reason="Off the point.")
    case = cases.answer(user=answerer, notice=Notice.objects.get(), text="No.")
    assert may(moderator, "decide", case)
    make_member("second", is_staff=True, is_moderator=True)
    assert not may(moderator, "decide", case)


def test_what_cannot_be_answered(thread, opener, stranger, moderator):
    states.pin(user=moderator, thread=thread)
    states.unpin(user=moderator, thread=thread)
    pinned, unpinned = Notice.objects.order_by("pk")
    with pytest.raises(Refused):
        cases.answer(user=opener, notice=pinned, text="Thank you.")
    with pytest.raises(Refused):
        cases.answer(user=stranger, notice=unpinned, text="Why?")
    for text in ("  ", "x" * 2001, "\0"):
        with pytest.raises(Unacceptable):
            cases.answer(user=opener, notice=unpinned, text=text)
    assert not Case.objects.exists()


def test_nobody_decides_about_themselves(thread, board_moderator, moderator, stranger):
    mine = reply(thread, board_moderator, "My own words.")
    send(stranger, mine)
    case = Case.objects.get()
    assert not may(board_moderator, "decide", case)
    assert may(moderator, "decide", case)


def test_cases_of_other_boards_are_not_there(thread, other_board, board_moderator, stranger):
    elsewhere = start(other_board, make_member("somebody")).posts.get()
    send(stranger, elsewhere)
    assert not cases_visible_to(board_moderator).exists()


# --- Pages ------------------------------------------------------------------------------------


def test_the_form_shows_what_the_check_says_and_keeps_what_was_typed(
    thread, answer, opener, stranger
):
    post = reply(thread, opener, quoting(answer, "The party obeyed somebody."))
    client = browser(stranger)
    page = client.get(f"/posts/{post.pk}/report/").content.decode()
    assert "<b>altered</b>" in page
    response = client.post(f"/posts/{post.pk}/report/", {"text": "Kept <b>", "token": uuid4()})
    assert response.status_code == 422
    assert "Kept &lt;b&gt;" in response.content.decode()
    fields = {"reason": "misquote", "text": "It says nobody.", "token": uuid4()}
    response = client.post(f"/posts/{post.pk}/report/", fields, follow=True)
    assert "you will be told" in response.content.decode()
    assert Report.objects.get().text == "It says nobody."


def test_only_moderators_learn_who_reported(answer, answerer, stranger, moderator):
    send(stranger, answer, "misquote", "It says nobody.")
    queue_page = browser(moderator).get("/admin/forum/case/").content.decode()
    assert "stranger" in queue_page
    assert "It says nobody." in queue_page
    queue.decide(user=moderator, case=Case.objects.get(), act="hide", reason="So it does.")
    for path in ("/notices/", f"/posts/{answer.pk}/", answer.thread.get_absolute_url()):
        page = browser(answerer).get(path, follow=True).content.decode()
        assert "stranger" not in page, path
        assert "It says nobody." not in page


def test_the_queue_decides_by_one_form(answer, stranger, moderator):
    send(stranger, answer)
    case, client = Case.objects.get(), browser(moderator)
    assert "Queue (1)" in client.get("/admin/").content.decode()
    fields = {"case": case.pk, "act": "hide", "reason": ""}
    response = client.post("/admin/forum/case/?kind=report", fields)
    assert response.status_code == 422
    assert "Say why" in response.content.decode()
    response = client.post("/admin/forum/case/?kind=report", {**fields, "reason": "So it is."})
    assert response["Location"] == "/admin/forum/case/?kind=report"
    assert fresh(answer).state == "hidden"
    for junk in ("x", "999999", ""):
        assert client.post("/admin/forum/case/", {**fields, "case": junk}).status_code == 404
    for junk in ("kind=x", "after=x", "after=1", "after=1-", "after=9-x"):
        assert client.get(f"/admin/forum/case/?{junk}").status_code == 404
    assert browser(stranger).get("/admin/forum/case/").status_code in (302, 403)


def test_the_queue_is_cut_into_pages(thread, stranger, moderator):
    for n in range(13):
        pending(thread, stranger, f"Number {n}")
    client = browser(moderator)
    first = client.get("/admin/forum/case/").content.decode()
    assert first.count('<details class="docket"') == 10
    after = first.rpartition("after=")[2].partition('"')[0]
    second = client.get(f"/admin/forum/case/?after={after}").content.decode()
    assert second.count('<details class="docket"') == 3
