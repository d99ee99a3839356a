"""The own answer, the questions and the divergences of a debate are words of its opening: they are
read exactly where the opening itself is."""

import io
import zipfile
from uuid import uuid4

import pytest

from forum.actions import arguments, description
from forum.actions.divergences import read_divergence
from forum.models import Post, State, Thread
from forum.models.visibility import openings_visible_to
from forum.moderation import states
from forum.permissions import may
from tests.people import browser, fresh, reply, start
from tests.views.test_queries import queries

pytestmark = pytest.mark.django_db

OWN, ASKED = "Zqown would have followed.", "Would zqasked have come all the same?"
CHANGE, PLACE, ACTOR = "The zqbridge stands", "Zqplace", "Zqactor"
WORDS = ("zqown", "zqasked", "zqbridge", "zqplace", "zqactor", "48 BC", "-0047")
# All that shows a debate or something of it, and what an address takes.
SHOWN = (
    *("/", "/boards/after-1900/", "/timeline/", "/map/", "/questions/"),
    *("/threads/{t}/{s}/", "/threads/{t}/{s}/?view=tree", "/threads/{t}/{s}/?lane=consequence"),
    *("/threads/{t}/outline/", "/threads/{t}/outline.json", "/threads/{t}/outline.argdown"),
    *("/threads/{t}/epub/", "/threads/{t}/fixture/", "/threads/{t}/markdown/"),
    *("/threads/{t}/read/", "/posts/{p}/road/", "/posts/{p}/road/epub/", "/threads/{t}/reply/"),
    *("/threads/{v}/x/", "/threads/{v}/variant/", "/threads/{t}/describe/", "/posts/{p}/argument/"),
    *("/members/opener/", "/log/"),
)


@pytest.fixture
def described(board, opener, answerer, stranger) -> Thread:
    """A debate that says all that an opening can, with an answer that takes a stance; and one like
    it by a stranger."""
    thread = start(board, opener, "What if the bridge had stood?", f"Suppose it.\n\n{ASKED}")
    thread = description.describe(
        user=opener,
        thread=thread,
        divergences=[
            read_divergence(
                change=CHANGE, when="48 BC", place=PLACE, actor=ACTOR, spot="41.9, 12.5"
            )
        ],
        questions=[ASKED],
        own_answer=OWN,
    )
    answer = reply(fresh(thread), answerer, "It would not.")
    arguments.argue(
        user=answerer, post=answer, lane="premise", stance="disputes", quotes={}, ties=()
    )
    start(board, stranger, "What if that bridge had stood?", "Suppose it.")
    return fresh(thread)


def opening_of(thread) -> Post:
    return thread.posts.get(number=1)


def pages(thread, user) -> dict[str, str]:
    """What each address of SHOWN answers."""
    other = Thread.objects.exclude(pk=thread.pk).get()
    values = {"t": thread.pk, "s": thread.slug, "v": other.pk, "p": thread.posts.get(number=2).pk}
    found = {}
    for pattern in SHOWN:
        response = browser(user).get(pattern.format(**values), follow=True)
        body = b"".join(response) if response.streaming else response.content
        if response.headers["Content-Type"] == "application/epub+zip":
            book = zipfile.ZipFile(io.BytesIO(body))
            body = b"\n".join(book.read(name) for name in book.namelist())
        found[pattern] = body.decode()
    return found


def words_on(pages: dict[str, str]) -> dict[str, list[str]]:
    """The words of the opening by the address on which they stand."""
    found = {name: [word for word in WORDS if word in said.lower()] for name, said in pages.items()}
    return {name: words for name, words in found.items() if words}


def similar(user) -> str:
    """The page of somebody who is about to open the same debate."""
    fields = {
        "board": "after-1900",
        "title": "What if the bridge had stood?",
        "kind": "WI",
        "when": "48 BC",
        "change": "A bridge stands",
        "text": "Suppose it.",
        "policy": "open",
        "own_answer": "It holds.",
        "token": str(uuid4()),
        "more-TOTAL_FORMS": "0",
        "more-INITIAL_FORMS": "0",
    }
    answer = browser(user).post("/threads/new/", fields).content.decode()
    assert "argued" in answer
    return answer[answer.index("argued") :]


def test_they_stand_where_the_opening_stands(described, stranger, guest):
    """The addresses asked below do show them, so that their silence means something."""
    shown = words_on(pages(described, stranger))
    for pattern in ("/threads/{t}/{s}/", "/threads/{t}/fixture/"):
        assert {"zqown", "zqasked", "zqbridge", "zqplace"} <= set(shown[pattern])
    for pattern in ("/timeline/", "/threads/{t}/epub/", "/threads/{t}/markdown/"):
        assert "zqbridge" in shown[pattern]
    for pattern in ("/questions/", "/threads/{t}/outline/", "/threads/{t}/outline.json"):
        assert "zqasked" in shown[pattern]
    assert "zqasked" in shown["/threads/{t}/reply/"]
    assert "zqasked" in similar(stranger).lower()
    assert words_on(pages(described, guest))


@pytest.mark.parametrize("act", ["hide", "remove", "withdraw"])
def test_they_go_where_the_opening_goes(
    described, act, moderator, opener, stranger, answerer, guest
):
    opening = opening_of(described)
    if act == "withdraw":
        states.remove(user=moderator, post=opening, reason="Off.")
        Post.objects.filter(pk=opening.pk).update(withdrawn=True)
    else:
        getattr(states, act)(user=moderator, post=opening, reason="Off.")
    for reader in (guest, stranger, opener, answerer):
        assert words_on(pages(described, reader)) == {}, reader
    assert not set(WORDS) & set(similar(stranger).lower().split())
    assert f"/threads/{described.pk}/" not in similar(stranger)
    # A moderator reads them where the opening is read, and not in what is handed on.
    shown = words_on(pages(described, moderator))
    assert {"zqown", "zqasked", "zqbridge"} <= set(shown["/threads/{t}/{s}/"])
    assert "zqbridge" in shown["/timeline/"]
    assert "zqplace" in shown["/map/"]
    assert not {"/threads/{t}/epub/", "/threads/{t}/outline.json", "/", "/questions/"} & set(shown)
    # What comes back comes back with everything.
    states.restore(user=moderator, post=fresh(opening))
    assert "zqbridge" in words_on(pages(described, guest))["/timeline/"]


def test_they_wait_with_the_opening(described, opener, stranger, moderator, guest):
    Post.objects.filter(pk=opening_of(described).pk).update(number=None, state=State.PENDING)
    Thread.objects.filter(pk=described.pk).update(state=State.PENDING)
    for user, sees in ((guest, False), (stranger, False), (opener, True), (moderator, True)):
        page = browser(user).get(described.get_absolute_url()).content.decode()
        assert all((word in page) == sees for word in (OWN, ASKED, CHANGE)), user
        assert ("zqbridge" in browser(user).get("/timeline/").content.decode()) == sees, user
    assert "zqasked" not in browser(opener).get("/questions/").content.decode()


def test_the_rule_is_that_of_the_post(
    described, opener, stranger, answerer, moderator, board_moderator, administrator, guest
):
    """Asked of one debate, as a query, and of the post itself: three doors to one rule."""
    readers = (opener, stranger, answerer, moderator, board_moderator, administrator, guest)
    opening = opening_of(described)
    for state in (State.VISIBLE, State.HIDDEN, State.REMOVED, State.PENDING, State.REJECTED):
        waits = state in (State.PENDING, State.REJECTED)
        Post.objects.filter(pk=opening.pk).update(state=state, number=None if waits else 1)
        Thread.objects.filter(pk=described.pk).update(state=state if waits else State.VISIBLE)
        for user in readers:
            user = fresh(user) if user.pk else user
            said = may(user, "see post", fresh(opening))
            assert may(user, "see opening", fresh(described)) == said, (state, user)
            listed = openings_visible_to(user).filter(pk=described.pk).exists()
            assert listed == said, (state, user)


def test_a_debate_is_described_by_who_reads_its_opening(described, opener, moderator):
    states.hide(user=moderator, post=opening_of(described), reason="Off.")
    assert not may(opener, "describe", fresh(described))
    assert may(moderator, "describe", fresh(described))


def test_lists_ask_no_more_for_it(described, board, stranger, opener):
    """However many debates say where they leave history."""
    asked = {}
    for address in ("/", "/boards/after-1900/", "/timeline/", "/map/", "/questions/"):
        asked[address] = queries(browser(stranger), address)
    for n in range(4):
        more = start(board, opener, f"What if bridge {n} had stood?", f"Suppose.\n\n{ASKED}")
        divergence = read_divergence(change=f"Bridge {n} stands", when="48 BC")
        description.describe(user=opener, thread=more, divergences=[divergence], questions=[ASKED])
    for address, before in asked.items():
        assert queries(browser(stranger), address) == before, address
