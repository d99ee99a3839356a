"""No text that somebody writes can stand for what is filled in for each reader: characters without
a meaning of their own (private use, noncharacters) are letters like any other, or refused."""

import re

import pytest
from django.core.exceptions import ValidationError

from accounts.names import check_name
from forum.actions.composing import Unacceptable
from forum.actions.description import describe
from forum.actions.divergences import read_divergence
from forum.models import Thread
from forum.rendering import fragments
from forum.transfer import Rejected
from forum.transfer.fields import POST, Check
from forum.views import threads as views
from tests.people import browser, fresh, make_member, reply, start

pytestmark = pytest.mark.django_db
PRIVATE = [
    *map(chr, range(0xE000, 0xF900)),
    *map(chr, range(0xF0000, 0xFFFFE)),
    *map(chr, range(0x100000, 0x10FFFE)),
]
NO_CHARACTERS = [
    *map(chr, range(0xFDD0, 0xFDF0)),
    *(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF)),
]
# What stood in kept forms once.
MARKS = ("\ue000against forgery\ue001", "\ue000of the form\ue001")


def test_names_titles_and_bylines_hold_none_of_them():
    for char in PRIVATE + NO_CHARACTERS:
        with pytest.raises(ValidationError):
            check_name(f"a{char}b")
        assert not char.isprintable(), "titles, bylines, bios and cards refuse what is not"
    for char in (PRIVATE[0], PRIVATE[-1], NO_CHARACTERS[0], NO_CHARACTERS[-1]):
        check = Check({"byline": f"Voice {char}"}, "x.json", 2, POST)
        with pytest.raises(Rejected, match="cannot be shown"):
            check.text("byline", 80)


def test_a_title_or_a_divergence_with_one_is_refused(board, opener, thread):
    for char in (*MARKS, "\ufdd0", "\U0010fffd"):
        with pytest.raises(Unacceptable):
            start(board, opener, title=f"What if {char}")
        with pytest.raises(Unacceptable):
            describe(
                user=opener,
                thread=fresh(thread),
                divergences=[read_divergence(change=char, when="1924")],
            )


def test_no_text_prints_a_readers_token(board, opener, answerer, settings):
    """The form of an answer is kept for all readers alike; their tokens are laid in when it is
    shown."""
    settings.KEPT_PAGES_MB = 4
    asked = [f"Who {mark} knows?" for mark in MARKS]
    text = "\n\n".join(("Suppose it.", *asked, *MARKS))
    thread = start(board, opener, title="What if marks", text=text)
    if not any(not char.isprintable() for char in "".join(asked)):
        describe(user=opener, thread=fresh(thread), divergences=[], questions=asked)
    for first in range(0, len(PRIVATE), 45_000):
        reply(fresh(thread), answerer, "".join(PRIVATE[first : first + 45_000]))
    reply(fresh(thread), answerer, "".join(NO_CHARACTERS))
    for _ in range(2):  # drawn, then kept
        client = browser(make_member(f"reader-{_}"))
        page = client.get(Thread.objects.get().get_absolute_url()).content.decode()
        token = re.search(r'name="token"[^>]* value="([^"]+)"', page)[1]
        forgery = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert page.count(token) == 1
        for one in forgery:
            assert page.count(one) == page.count(f'name="csrfmiddlewaretoken" value="{one}"')
        assert not any(mark in page for mark in views.TOKENS)
        assert all(char in page for char in (PRIVATE[0], PRIVATE[-1]))


def test_what_stands_for_tokens_is_known_to_nobody():
    assert all(re.fullmatch(r"[0-9a-f]{48}", mark) for mark in views.TOKENS)
    assert len(set(views.TOKENS)) == 2
    assert fragments.get(("no such key",)) is None
