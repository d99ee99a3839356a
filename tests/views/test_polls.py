"""Polls on pages: written in the composer, voted in, results for who voted and once closed."""

import html
import io
import re
import zipfile
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import core.clock
from forum.actions import polls
from forum.actions.polls import Asked
from forum.models import Ballot, Draft, Poll, Post
from forum.moderation import states
from tests.people import browser, fresh, make_member, reply, typed

pytestmark = [pytest.mark.django_db, pytest.mark.reads]
ASKED = Asked("Who decides?", ["The party", "Its clerk"])
OPEN = Asked("Who decides?", ["The party", "Its clerk"], is_open=True)
FIELDS = {
    "poll_question": "Who decides?",
    "poll_choices": "The party\r\nIts <b>clerk</b>\r\n",
    "poll_kind": "several",
    "poll_most": "2",
    "poll_closes": "2031-05-03T14:00",
    "poll_ballot": "open",
}
FIGURES = re.compile(r"(\d+) of (\d+), (\d+) %")


def polled(thread, author, asked=ASKED) -> Post:
    return fresh(reply(fresh(thread), author, "Let us vote.", poll=asked))


def page_of(user, post) -> str:
    return browser(user).get(fresh(post.thread).get_absolute_url()).content.decode()


def poll_in(page: str) -> str:
    found = re.search(r'<section class="poll".*?</section>', page, re.S)
    return found[0] if found else ""


def sent(**more) -> dict:
    return {"text": "Let us vote.", "token": str(uuid4()), "do": "post", **FIELDS, **more}


def vote(user, post, *chosen, **more):
    return browser(user).post(f"/posts/{post.pk}/poll/", {"choice": chosen, **more})


@pytest.fixture
def clock(monkeypatch):
    def at(moment: datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: moment)
        monkeypatch.setattr(core.clock, "now", lambda: moment)

    return at


# --- Writing ----------------------------------------------------------------------------------


def test_a_poll_is_written_with_a_reply(thread, answerer):
    client, address = browser(answerer), f"/threads/{thread.pk}/reply/"
    assert "Add a poll" in client.get(address).content.decode()
    answer = client.post(address, sent())
    poll = Poll.objects.get()
    assert answer.url.endswith(f"#post-{poll.pk}")
    assert (poll.question, poll.choices) == ("Who decides?", ["The party", "Its <b>clerk</b>"])
    assert (poll.kind, poll.most, poll.is_open) == ("several", 2, True)
    assert timezone.localtime(poll.closes_at).strftime("%d %H:%M") == "03 14:00"
    section = poll_in(page_of(answerer, poll.post))
    assert "Its &lt;b&gt;clerk&lt;/b&gt;" in section
    assert "Closes 3 May 2031, 14:00" in section


def test_a_poll_is_written_with_an_opening(board, opener):
    fields = {
        "board": board.slug,
        "title": "What if the bridge held",
        "kind": "discussion",
        "policy": "open",
    }
    answer = browser(opener).post("/threads/new/", {**fields, **sent()})
    assert answer.status_code == 302, answer.content.decode()
    assert Poll.objects.get().post.is_opening


def test_a_form_without_a_poll_asks_none(thread, answerer):
    fields = dict.fromkeys(FIELDS, "")
    browser(answerer).post(f"/threads/{thread.pk}/reply/", {**sent(), **fields})
    assert not Poll.objects.exists()
    assert not Post.objects.filter(has_poll=True).exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"poll_choices": "The party"},
        {"poll_question": ""},
        {"poll_question": "", "poll_choices": ""},  # a closing day alone
        {"poll_choices": "\r\n".join(map(str, range(21)))},
        {"poll_most": "9"},
        {"poll_most": "two"},
        {"poll_closes": "next week"},
        {"poll_closes": "2001-05-03T14:00"},
        {"poll_kind": "all"},
    ],
)
@pytest.mark.parametrize("where", ["reply", "start"])
def test_what_is_wrong_is_said_and_all_that_was_typed_stays(thread, board, answerer, wrong, where):
    given = sent(text="My words.", **wrong)
    address = f"/threads/{thread.pk}/reply/"
    if where == "start":
        address = "/threads/new/"
        given |= {"board": board.slug, "title": "A title", "kind": "discussion", "policy": "open"}
    answer = browser(answerer).post(address, given)
    assert answer.status_code == 422
    assert "not taken" in answer.content.decode()
    there = typed(answer)
    for name in ("text", "poll_question", "poll_choices", "poll_most", "poll_closes"):
        assert there[name].split() == given[name].split(), name
    assert not Poll.objects.exists()


def test_a_draft_keeps_the_poll(thread, answerer):
    client, address = browser(answerer), f"/threads/{thread.pk}/reply/"
    client.post(address, sent(do="draft"))
    assert Draft.objects.get().fields["poll_question"] == ["Who decides?"]
    there = typed(client.get(address))
    for name, value in FIELDS.items():
        assert there[name].split() == value.split(), name
    client.post(address, {**there, "do": "post"})
    assert Poll.objects.get().choices == ["The party", "Its <b>clerk</b>"]
    assert not Draft.objects.exists()


def test_a_draft_of_a_new_debate_keeps_it_too(board, opener):
    client = browser(opener)
    client.post("/threads/new/", sent(do="draft", title="A title", board=board.slug))
    there = typed(client.get("/threads/new/"))
    assert there["poll_choices"].split() == FIELDS["poll_choices"].split()
    assert there["poll_closes"] == FIELDS["poll_closes"]


def test_what_was_not_let_in_is_written_anew_from_its_draft(thread, answerer, moderator):
    thread.approval = True
    thread.save()
    client, address = browser(answerer), f"/threads/{thread.pk}/reply/"
    client.post(address, sent())
    states.reject(user=moderator, post=Post.objects.get(state="pending"), reason="Off the point.")
    there = typed(client.get(address))
    for name, value in FIELDS.items():
        assert there[name].split() == value.split(), name


def test_the_preview_shows_it(thread, answerer):
    client, address = browser(answerer), f"/threads/{thread.pk}/reply/"
    without = client.post(address, {"text": "*So.*", "token": str(uuid4()), "do": "look"})
    assert "<em>So.</em>" in without.content.decode()
    for do in ("preview", "look"):
        page = browser(answerer).post(f"/threads/{thread.pk}/reply/", sent(do=do)).content.decode()
        assert "Its &lt;b&gt;clerk&lt;/b&gt;" in poll_in(page)
    assert not Poll.objects.exists()


# --- Voting and results -----------------------------------------------------------------------


def test_results_are_for_who_voted_and_for_all_once_closed(
    thread, answerer, stranger, opener, guest
):
    post = polled(thread, answerer)
    assert vote(stranger, post, "1").url.endswith(f"#post-{post.pk}")
    for user in (opener, answerer, guest):
        section = poll_in(page_of(user, post))
        assert not FIGURES.search(section)
        assert "voted" not in section.replace("who has voted", "")
    assert FIGURES.findall(poll_in(page_of(stranger, post))) == [("0", "1", "0"), ("1", "1", "100")]
    polls.close(user=answerer, post=post)
    for user in (opener, guest, stranger):
        section = poll_in(page_of(user, post))
        assert FIGURES.findall(section) == [("0", "1", "0"), ("1", "1", "100")]
        assert "<form" not in section


def test_a_vote_is_changed_and_taken_back_at_the_post(thread, answerer, stranger):
    post = polled(thread, answerer)
    vote(stranger, post, "1")
    assert "Change my vote" in poll_in(page_of(stranger, post))
    vote(stranger, post, "0")
    assert Ballot.objects.get().chosen == [0]
    vote(stranger, post, do="back")
    assert not Ballot.objects.exists()
    assert "Change my vote" not in poll_in(page_of(stranger, post))


@pytest.mark.parametrize("chosen", [(), ("0", "1"), ("7",), ("x",), ("-1",), ("9" * 50,)])
def test_what_is_no_vote_is_said_with_what_was_ticked(thread, answerer, stranger, chosen):
    post = polled(thread, answerer)
    answer = vote(stranger, post, *chosen)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'role="alert"' in page
    assert not Ballot.objects.exists()
    if chosen == ("0", "1"):
        assert poll_in(page).count(" checked") == 2


def test_who_may_not_vote_is_told_why(thread, answerer, stranger, guest):
    post = polled(thread, answerer)
    assert "Sign in to write." in poll_in(page_of(guest, post))
    assert vote(guest, post, "1").status_code == 403
    thread.locked = True
    thread.save()
    assert "locked" in poll_in(page_of(stranger, post))
    assert vote(stranger, post, "1").status_code == 403
    assert not Ballot.objects.exists()


def test_there_is_no_poll_where_there_is_none_or_the_post_is_hidden(
    thread, answer, answerer, stranger, moderator
):
    post = polled(thread, answerer)
    states.hide(user=moderator, post=post, reason="Off.")
    assert poll_in(page_of(stranger, post)) == ""
    for address in (f"/posts/{post.pk}/poll/", f"/posts/{answer.pk}/poll/"):
        assert browser(stranger).get(address).status_code == 404
        assert browser(stranger).post(address, {"choice": "0"}).status_code == 404
    assert poll_in(page_of(moderator, post))


def test_who_chose_what_is_listed_of_open_polls_alone_to_who_sees_results(
    thread, answerer, stranger, opener, guest, moderator, administrator
):
    secret, openly = polled(thread, answerer), polled(thread, answerer, OPEN)
    for post in (secret, openly):
        vote(stranger, post, "1")

    def named(user, post) -> bool:
        page = browser(user).get(f"/posts/{post.pk}/poll/").content.decode()
        return f"/members/{stranger.username}/" in page.partition("<main")[2]

    for user in (opener, guest, moderator, administrator):
        assert not named(user, secret)
        assert not named(user, openly)
    vote(opener, openly, "0")
    assert named(opener, openly)
    for post in (secret, openly):
        polls.close(user=answerer, post=post)
    for user in (guest, moderator, administrator, opener):
        assert named(user, openly)
        assert not named(user, secret)


def test_a_long_list_of_voters_is_cut_into_pages(thread, answerer, stranger, monkeypatch):
    monkeypatch.setattr("forum.views.polls.PER_PAGE", 2)
    post = polled(thread, answerer, OPEN)
    for n in range(5):
        polls.vote(user=make_member(f"member-{n}"), post=post, chosen=[n % 2])
    polls.close(user=answerer, post=post)
    address, seen = f"/posts/{post.pk}/poll/", []
    while address:
        page = browser(stranger).get(address).content.decode()
        seen += re.findall(r"<bdi>(member-\d)</bdi></a>:", page)
        more = re.search(r'href="(\?before=\d+)"', page)
        address = more and f"/posts/{post.pk}/poll/{more[1]}"
    assert seen == [f"member-{n}" for n in (4, 3, 2, 1, 0)]
    for odd in ("x", "9" * 40, "-1"):
        assert browser(stranger).get(f"/posts/{post.pk}/poll/?before={odd}").status_code == 404


# --- Changing and closing ---------------------------------------------------------------------


def test_its_maker_changes_it_then_closes_it(thread, answerer, stranger):
    post, client = polled(thread, answerer), browser(answerer)
    address = f"/posts/{post.pk}/poll/change/"
    assert address in poll_in(page_of(answerer, post))
    assert address not in poll_in(page_of(stranger, post))
    form = typed(client.get(address))
    assert form["poll_question"] == "Who decides?"
    given = {**form, "poll_choices": "All\r\nNobody", "poll_question": "Who obeys?"}
    assert client.post(address, {**given, "poll_choices": "All"}).status_code == 422
    assert client.post(address, given).status_code == 302
    assert fresh(post).poll.choices == ["All", "Nobody"]
    again = client.post(address, {**form, "poll_question": "Who then?"})  # opened before that
    assert again.status_code == 409
    assert typed(again)["poll_question"] == "Who then?"
    assert client.post(address, dict.fromkeys(FIELDS, "")).status_code == 422
    vote(stranger, post, "1")
    assert "stay as they are" in client.get(address).content.decode()
    assert client.post(address, given).status_code == 403
    assert client.post(address, {"do": "close"}).status_code == 302
    assert fresh(post).poll.closes_at
    assert browser(stranger).get(address).status_code == 403
    assert browser(stranger).post(address, {"do": "close"}).status_code == 403


def test_words_erased_while_the_form_was_open_do_not_come_back(
    thread, answerer, administrator, stranger
):
    from forum.moderation import erasing

    post, client = polled(thread, answerer, Asked("Was it Quillfeather?", ["Yes", "No"])), None
    client, address = browser(answerer), f"/posts/{post.pk}/poll/change/"
    form = typed(client.get(address))
    texts = erasing.find(post, "Quillfeather").texts
    erasing.erase(
        user=administrator, post=post, words="Quillfeather", reason="By law.", texts=texts
    )
    answer = client.post(address, {**form, "poll_choices": "Yes\r\nNever"})
    assert answer.status_code == 409
    assert "Quillfeather" not in answer.content.decode()


def test_moderators_close_it_and_take_it_out_at_the_post(thread, answerer, moderator, stranger):
    post, client = polled(thread, answerer), browser(moderator)
    page = client.get(f"/posts/{post.pk}/moderate/").content.decode()
    assert "Close its poll" in page
    assert "Take its poll out" in page
    client.post(f"/posts/{post.pk}/moderate/?act=remove-poll", {"reason": "Loaded."})
    page = client.get(f"/posts/{post.pk}/moderate/").content.decode()
    assert "Close its poll" not in page or not fresh(post).has_poll


# --- What leaves the forum --------------------------------------------------------------------


def taken(client, address: str) -> str:
    answer = client.get(address)
    body = b"".join(answer) if answer.streaming else answer.content
    if "epub" in answer.headers["Content-Type"]:
        book = zipfile.ZipFile(io.BytesIO(body))
        body = b"".join(book.read(name) for name in book.namelist())
    return html.unescape(body.decode())


def test_what_is_taken_along_holds_results_once_it_is_closed(thread, answerer, stranger):
    """Also for who has voted: a file is handed on."""
    post = polled(thread, answerer)
    vote(stranger, post, "1")
    client = browser(stranger)
    addresses = [
        f"/threads/{thread.pk}/{kind}/" for kind in ("epub", "markdown", "fixture", "feed")
    ]
    for address in addresses:
        text = taken(client, address)
        assert "Its clerk" in text, address
        assert "100 %" not in text and '"counts"' not in text, address
    polls.close(user=answerer, post=post)
    for address in addresses:
        text = taken(client, address)
        assert "Its clerk: 1 of 1, 100 %" in text or '"counts": [' in text, address
        assert stranger.username not in text, address


def test_programs_are_told_what_a_page_says(thread, answerer, stranger):
    post = polled(thread, answerer)
    address, client = f"/api/posts/{post.pk}/", browser()
    told = client.get(address).json()["poll"]
    assert (told["question"], told["choices"]) == (ASKED.question, ASKED.choices)
    vote(stranger, post, "1")
    told = client.get(address).json()["poll"]
    assert (told["counts"], told["voters"], told["chosen"]) == (None, None, [])
    polls.close(user=answerer, post=post)
    told = client.get(address).json()["poll"]
    assert (told["counts"], told["voters"], told["chosen"]) == ([0, 1], 1, [])


# --- Kept pages and cost ----------------------------------------------------------------------


def test_kept_pages_are_right_for_each_reader_and_no_vote_empties_them(
    thread, answerer, stranger, opener, guest, settings, clock
):
    settings.KEPT_PAGES_MB = 8
    now = datetime(2031, 5, 10, 12, tzinfo=UTC)
    clock(now)
    post = polled(thread, answerer, Asked("W?", ["a", "b"], closes_at=now + timedelta(hours=1)))
    version = fresh(thread).version
    for _ in range(2):
        assert not FIGURES.search(poll_in(page_of(guest, post)))
        assert not FIGURES.search(poll_in(page_of(stranger, post)))
    vote(stranger, post, "1")
    for _ in range(2):
        assert FIGURES.findall(poll_in(page_of(stranger, post)))[1] == ("1", "1", "100")
        assert not FIGURES.search(poll_in(page_of(opener, post)))
        assert not FIGURES.search(poll_in(page_of(guest, post)))
    vote(opener, post, "0")
    assert FIGURES.findall(poll_in(page_of(stranger, post)))[1] == ("1", "2", "50")
    assert fresh(thread).version == version
    clock(now + timedelta(hours=1, seconds=1))
    assert FIGURES.findall(poll_in(page_of(opener, post)))[1] == ("1", "2", "50")


def test_a_page_costs_two_queries_more_however_many_polls_it_holds(thread, answerer, stranger):
    def cost() -> int:
        client = browser(stranger)
        client.get(thread.get_absolute_url())
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(thread.get_absolute_url())
        return len(queries)

    reply(thread, answerer, "No poll.")
    without = cost()
    polled(thread, answerer)
    one = cost()
    for _ in range(5):
        polled(thread, answerer, OPEN)
    assert one == without + 2
    assert cost() == one


def test_words_of_choices_are_letters_and_go_their_own_way(thread, answerer, stranger):
    asked = Asked("<script>?", ["<img src=x onerror=alert(1)>", "שלום", "x" * 200])
    section = poll_in(page_of(stranger, polled(thread, answerer, asked)))
    assert "<img" not in section
    assert html.escape("<img src=x onerror=alert(1)>") in section
    assert section.count('dir="auto"') == 4
