"""What a form asks for while somebody writes: words that were chosen as a quote form, names,
numbers and places that begin as typed."""

import re

import pytest
from django.core.management import call_command
from django.test import Client

from forum.models import Quote, Thread
from forum.moderation import states
from forum.text.places import find
from tests.people import browser, fresh, make_member, reply, start

pytestmark = pytest.mark.django_db

MARKED = """We will ~~never~~ always sign it, and *all* of us know.

> Somebody else said so.

After that, ||he dies||."""


@pytest.fixture
def post(board, opener, answerer):
    return reply(start(board, opener), answerer, MARKED)


def words_of(user, post, chosen: str = "") -> str:
    return browser(user).post(f"/posts/{post.pk}/words/", {"words": chosen}).content.decode()


def names(user, begun: str, thread=None):
    asked = {"begun": begun} | ({"in": thread.pk} if thread else {})
    html = browser(user).get("/names/", asked).content.decode()
    return re.findall(r'data-words="([^"]*)"', html)


@pytest.mark.parametrize(
    ("chosen", "quoted"),
    [
        ("never always", "~~never~~ always"),
        ("and all of us", "and *all* of us"),
        ("us know.\n[…]\nAfter that, he", "us know.\n\n[…]\n\nAfter that, ||he||"),
        ("never said *so*", "never said \\*so\\*"),  # it does not stand there
    ],
)
def test_chosen_words_come_with_the_marks_of_their_source(post, answerer, guest, chosen, quoted):
    form = words_of(guest, post, chosen)
    assert form == f'[quote="{answerer.username}, post: {post.pk}"]\n{quoted}\n[/quote]\n\n'


def test_words_chosen_across_list_items_get_their_heads_back(guest):
    """A page shows a list where the words of an imported text have ". " at the head of a line."""
    call_command("loaddata", "boards", "trotsky-spain", verbosity=0)
    opening = Thread.objects.get(key="trotsky-spain").posts.get(number=1)
    chosen = "alliances be?\nWhat does the community think?"
    assert chosen.replace("\n", "\n\n") in words_of(guest, opening, chosen)
    items = "could this spark a ww2?\nIf it could spark ww2, what"
    assert "this spark a ww2?\n\n. If it could spark ww2, what\n" in words_of(guest, opening, items)
    assert "\n. If it could spark" in words_of(guest, opening, ". If it could spark ww2, what")


def test_without_words_all_of_the_post_is_quoted(post, guest):
    form = words_of(guest, post)
    assert "~~never~~" in form and "[…]" in form and "||he dies||" in form


def test_a_visitor_needs_no_token_to_quote(post):
    answer = Client(enforce_csrf_checks=True).post(f"/posts/{post.pk}/words/", {"words": "always"})
    assert answer.status_code == 200


def test_words_of_a_hidden_post_are_nobodys_to_quote(post, stranger, moderator):
    states.hide(user=moderator, post=post, reason="Off.")
    answer = browser(stranger).post(f"/posts/{post.pk}/words/", {"words": "always"})
    assert answer.status_code == 404


def test_names_begin_as_typed_writers_of_the_debate_first(board, opener, stranger):
    thread = start(board, opener)
    known = [make_member(f"zoo-{letter}") for letter in "abcdefghij"]
    reply(thread, known[7], "Here.")
    assert names(stranger, "@zoo", thread)[:2] == ["@zoo-h", "@zoo-a"]
    assert len(names(stranger, "@ZOO", thread)) == 8
    assert names(stranger, "@zoo")[0] == "@zoo-a"
    assert names(known[0], "@zoo-a") == []  # nobody calls themselves
    assert names(stranger, "@nobody", thread) == []


def test_names_of_closed_accounts_are_not_offered(board, opener, stranger):
    thread = start(board, opener)
    gone = make_member("zoo-a")
    reply(thread, gone, "Here.")
    gone.is_active = False
    gone.save()
    assert names(stranger, "@zoo", thread) == []


def test_numbers_begin_as_typed_and_are_of_the_debate(board, opener, answerer, stranger, moderator):
    thread = start(board, opener)
    posts = [reply(thread, answerer, f"Answer {number}.") for number in range(2, 14)]
    assert names(stranger, "#1", thread) == ["#1", "#10", "#11", "#12", "#13"]
    assert names(stranger, "#", thread)[0] == "#13"
    assert len(names(stranger, "#", thread)) == 8
    states.hide(user=moderator, post=posts[-1], reason="Off.")
    assert "#13" not in names(stranger, "#1", thread)
    assert names(stranger, "#1") == []


@pytest.mark.parametrize(
    "begun", ["", "@", "#", "#x", "#99999999999", "@" + "x" * 3000, "what", "#²"]
)
def test_whatever_is_typed_is_answered(board, opener, stranger, begun):
    thread = start(board, opener)
    answer = browser(stranger).get("/names/", {"begun": begun, "in": thread.pk})
    assert answer.status_code == 200


@pytest.mark.parametrize("address", ["/names/?begun=@a", "/places/?begun=mo", "/posts/{p}/words/"])
def test_asking_too_often_is_refused(settings, post, stranger, address, stopped_clock):
    settings.OFFERS_PER_MINUTE = 2
    asks = browser(stranger)
    statuses = [asks.get(address.format(p=post.pk)).status_code for _ in range(3)]
    assert statuses[-1] == 429 and statuses[0] == 200


def places(user, begun: str) -> list[tuple[str, str]]:
    html = browser(user).get("/places/", {"begun": begun}).content.decode()
    return re.findall(r'<option value="([^"]*)"(?: label="([^"]*)")?></option>', html)


@pytest.mark.parametrize(
    ("begun", "first"),
    [
        ("mosc", ("Moscow, Russia", "")),
        ("Moscow, Ida", ("Moscow, Russia", "")),  # the browser leaves out what has no "Ida"
        ("Mosk", ("Moscow, Russia", "Moska")),
        ("SPAI", ("Spain", "")),
        ("kordob", ("Córdoba, Argentina", "kordoba")),
        ("ur", ("Ur", "")),  # that very name before larger towns
    ],
)
def test_places_begin_as_typed(stranger, begun, first):
    found = places(stranger, begun)
    assert found[0] == first
    assert len(found) == len(dict(found)) <= 8  # each once


@pytest.mark.parametrize("begun", ["", "m", " m ", "zqplace", "\0\0", "中国", ",Spain", "x" * 3000])
def test_of_less_than_two_letters_and_of_no_place_nothing_is_offered(stranger, begun):
    assert places(stranger, begun) == []


def test_what_is_offered_is_found_when_it_is_sent(stranger):
    for begun in ("mo", "cor", "spr", "new", "sant", "st. p"):
        for name, _ in places(stranger, begun):
            assert name in {one.name for one in find(name)}, name


def test_a_debate_that_is_not_there_has_no_names(stranger):
    assert browser(stranger).get("/names/", {"begun": "@a", "in": 10**9}).status_code == 404


def test_a_reply_begins_with_lane_and_stance_of_ones_last_to_the_same_post(
    thread, answerer, stranger
):
    thread.policy = "open"
    thread.save(update_fields=["policy"])

    def chosen(user, to=None, address=f"/threads/{thread.pk}/reply/") -> list[str]:
        page = browser(user).get(address, {"to": to.pk} if to else {}).content.decode()
        form = page.partition('class="writing"')[2]
        return re.findall(r'<option value="(\w*)" selected', form)

    first = chosen(stranger)
    # So does the form at the foot of the debate, which is kept for all who read the same.
    foot = fresh(thread).get_absolute_url()
    assert chosen(stranger, address=foot) == first
    post = reply(thread, answerer, "It would not.", lane="premise", stance="disputes")
    assert {"premise", "disputes"} <= set(chosen(answerer))
    assert chosen(stranger) == first
    assert "disputes" not in chosen(answerer, to=post)
    assert "premise" in chosen(stranger, to=post)
    assert {"premise", "disputes"} <= set(chosen(answerer, address=foot))
    assert chosen(stranger, address=foot) == first


def test_every_post_of_the_source_thread_is_quoted_exactly_as_a_whole(stranger):
    """Its opening is a plain text with a list, and later posts quote others between their words."""
    call_command("loaddata", "boards", "fixtures/threads/trotsky-spain.json", verbosity=0)
    thread = Thread.objects.get(key="trotsky-spain")
    for post in thread.posts.order_by("number"):
        answer = reply(thread, stranger, f"{words_of(stranger, post)}\n\nSo you say.", to=post)
        verdicts = {quote.verdict for quote in Quote.objects.filter(post=answer)}
        assert verdicts <= {"exact", "shortened"}, (post.number, verdicts)
        assert verdicts
