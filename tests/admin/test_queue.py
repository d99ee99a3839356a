"""The desk as a place of work: the queue on its front page, several at once, two moderators."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from forum.actions import pages
from forum.models import Case, CaseViewer, Page
from forum.moderation import moving, queue, reports, states
from tests.people import browser, fresh, pending, reply

pytestmark = [pytest.mark.django_db, pytest.mark.reads]
FRONT = "/admin/"


def send(member, post, reason="spam", text="Look.") -> Case:
    """A report of the post; its case."""
    return reports.report(user=member, post=post, reason=reason, text=text, token=uuid4()).case


def page(user, path=FRONT) -> str:
    return browser(user).get(path).content.decode()


def rows(text: str) -> list[int]:
    """The ids of the cases in their order."""
    return [int(pk) for pk in re.findall(r'data-case="(\d+)"', text)]


@pytest.fixture
def several(thread, opener, answerer, stranger) -> list[Case]:
    """Three reports: for spam, of an attack, of something unlawful."""
    posts = [reply(thread, answerer, f"Answer {n}.") for n in range(3)]
    reasons = ("spam", "attack", "illegal")
    return [send(stranger, post, reason) for post, reason in zip(posts, reasons, strict=True)]


def test_what_is_graver_waits_first(several, moderator):
    spam, attack, illegal = several
    text = page(moderator)
    assert rows(text) == [illegal.pk, attack.pk, spam.pk]
    assert text.index("Unlawful") < text.index("Attack")
    assert text.count('name="docket" data-case') == 3
    assert len(re.findall(r"<details class=\"docket\"[^>]* open>", text)) == 1


def test_a_case_shows_the_post_in_its_context_and_what_is_known(
    thread, opener, answerer, stranger, moderator
):
    first = reply(thread, opener, "What it answers.")
    post = reply(thread, answerer, "You have read nothing.", to=first)
    reply(thread, stranger, "What answers it.", to=post)
    queue.decide(
        user=moderator, case=send(stranger, post, "attack"), act="no action", reason="Fine."
    )
    send(opener, post, "attack", "Again.")
    text = page(moderator)
    for words in ("What it answers.", "You have read nothing.", "What answers it.", "Again."):
        assert words in text
    assert "reported: no action 1" in text
    assert "looked at 1 time before" in text


def test_several_are_decided_at_once(several, moderator, opener):
    client = browser(moderator)
    form = {"together": "1", "act": "hide", "reason": "Out of order."}
    chosen = [case.pk for case in several[:2]]
    assert client.post(FRONT, {**form, "chosen": chosen}).status_code == 302
    assert [fresh(case.post).state for case in several] == ["hidden", "hidden", "visible"]
    assert {fresh(case).decision.reason for case in several[:2]} == {"Out of order."}


def test_of_several_those_that_are_refused_stay_chosen_and_say_why(
    several, thread, stranger, moderator
):
    pending(thread, stranger)
    held = Case.objects.get(kind="held")
    form = {"together": "1", "act": "approve", "reason": "", "chosen": [several[0].pk, held.pk]}
    answer = browser(moderator).post(FRONT, form)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "Choose what to do." in text
    assert "Decided: 1." in text
    assert re.search(rf'value="{several[0].pk}" checked', text)
    assert fresh(held).decided_at
    assert not fresh(several[0]).decided_at
    for wrong in ({"act": "erase"}, {"chosen": []}, {"chosen": ["x", "9" * 30]}):
        answer = browser(moderator).post(FRONT, {**form, "reason": "Kept.", **wrong})
        assert answer.status_code == 422
        assert 'value="Kept."' in answer.content.decode()


def test_nobody_decides_several_of_other_boards(several, other_board, board_moderator):
    several[0].post.thread.__class__.objects.update(board=other_board)
    form = {"together": "1", "act": "hide", "reason": "Mine?", "chosen": [several[0].pk]}
    assert browser(board_moderator).post(FRONT, form).status_code == 422
    assert fresh(several[0].post).state == "visible"
    look = browser(board_moderator).post(FRONT, {"look": several[0].pk})
    assert look.status_code == 404
    assert not CaseViewer.objects.exists()


def test_who_looks_at_a_case_is_shown_to_the_other(several, moderator, administrator):
    assert browser(moderator).post(FRONT, {"look": several[0].pk}).status_code == 204
    assert browser(moderator).post(FRONT, {"look": several[0].pk}).status_code == 204
    assert CaseViewer.objects.count() == 1
    assert "<bdi>keeper</bdi> looks at it" in page(administrator)
    assert "looks at it" not in page(moderator)
    CaseViewer.objects.update(seen_at=timezone.now() - timedelta(minutes=11))
    assert "looks at it" not in page(administrator)


def test_what_another_decided_says_by_whom_and_how_and_keeps_what_was_typed(
    several, moderator, administrator
):
    case = several[0]
    queue.decide(user=administrator, case=case, act="hide", reason="Sells maps.")
    form = {"case": case.pk, "act": "no action", "reason": "Harmless, I think."}
    answer = browser(moderator).post(FRONT, form)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "chief decided this just now: “Hide”. The reason given: “Sells maps.”" in text
    assert "Harmless, I think." in text
    assert fresh(case.post).state == "hidden"


def test_the_front_page_asks_the_same_of_few_and_many(thread, answerer, stranger, moderator):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert client.get(FRONT).status_code == 200
        return len(asked)

    client = browser(moderator)
    for n in range(2):
        send(stranger, reply(thread, answerer, f"Few {n}."))
    client.get(FRONT)
    few = queries()
    for n in range(12):
        send(stranger, reply(thread, answerer, f"Many {n}."), "attack")
    assert queries() == few


def test_moderators_see_on_every_page_how_much_waits(several, moderator, stranger):
    assert re.search(r'Desk\s*<span class="new">3<span class="vh"> wait', page(moderator, "/"))
    assert "/admin/" not in page(stranger, "/")


def test_one_button_for_each_state(thread, answer, moderator):
    address = f"/admin/forum/thread/{thread.pk}/change/"
    assert 'value="lock"' in page(moderator, address)
    assert 'value="unlock"' not in page(moderator, address)
    states.lock(user=moderator, thread=thread, reason="Heated.")
    assert 'value="lock"' not in page(moderator, address)
    assert 'value="unlock"' in page(moderator, address)
    address = f"/admin/forum/post/{answer.pk}/change/"
    assert 'value="restore"' not in page(moderator, address)
    states.hide(user=moderator, post=answer, reason="Off.")
    assert 'value="restore"' in page(moderator, address)
    assert 'value="hide"' not in page(moderator, address)


def test_a_warning_begins_at_the_post(answer, opener, board_moderator, moderator):
    text = page(board_moderator, f"/posts/{answer.pk}/moderate/")
    link = re.search(r'href="(/admin/forum/member/\d+/change/\?post=\d+)#warn"', text)[1]
    form = page(board_moderator, link)
    assert f'name="post" value="{answer.pk}"' in form
    client = browser(board_moderator)
    sent = {"_act": "warn", "points": "1", "post": answer.pk, "reason": "Rude."}
    assert client.post(link, sent).status_code == 302
    assert answer.author.warnings.get().entry.post_id == answer.pk
    # Another's post gives no occasion, nor does one of a board that one does not moderate.
    foreign = f"/admin/forum/member/{opener.pk}/change/?post={answer.pk}"
    for odd in (foreign, foreign + "x", foreign.replace(f"={answer.pk}", "=" + "9" * 40)):
        assert f'name="post" value="{answer.pk}"' not in page(moderator, odd)


def test_the_site_keeps_reasons_to_choose_from(several, administrator, moderator, stranger):
    source = "- Attacks a person (rule 2)\n- Sells something\n\n"
    pages.edit(user=administrator, kind="reasons", source=source)
    assert Page.reasons() == ["Attacks a person (rule 2)", "Sells something"]
    post = several[0].post
    for path in (
        FRONT,
        f"/posts/{post.pk}/moderate/?act=hide",
        f"/admin/forum/post/{post.pk}/change/",
    ):
        assert '<option value="Attacks a person (rule 2)">' in page(moderator, path), path
    assert browser(stranger).get("/reasons/").status_code == 404
    assert "/reasons/" not in page(stranger, "/")


def test_an_act_is_taken_back_from_wherever_it_is_seen(thread, answerer, stranger, moderator):
    post = reply(thread, answerer, "Its own subject.")
    made = moving.split(
        user=moderator, thread=thread, chosen=[post.pk], title="A subject of its own", reason="Off."
    )
    places = ("/log/", FRONT, f"/threads/{thread.pk}/moderate/", f"/threads/{made.pk}/moderate/")
    for place in places:
        assert re.search(r'action="/log/\d+/undo/"', page(moderator, place)), place
    assert "/undo/" not in page(stranger, "/log/")
