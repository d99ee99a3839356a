"""Caches between the site and its visitors: they keep a page as long as the settings say, and what
was taken back is gone from them after that."""

import re

import pytest

from forum.moderation import states
from forum.operations import caching
from tests.people import browser, reply, start

pytestmark = [pytest.mark.django_db, pytest.mark.once]
FRESH, STALE = 60, 30


class SharedCache:
    """A cache that keeps to RFC 9111 and RFC 5861: `now` is its clock, in seconds."""

    def __init__(self) -> None:
        self.now, self.kept, self.asked = 0, {}, 0

    def get(self, path: str) -> str:
        body, at, fresh, stale = self.kept.get(path, ("", 0, -1, 0))
        age = self.now - at
        if age > fresh + stale:
            body = self._fetch(path)
        elif age > fresh:
            self._fetch(path)  # in the background; this reader gets what was kept
        return body

    def _fetch(self, path: str) -> str:
        self.asked += 1
        answer = browser().get(path)
        body, control = answer.content.decode(), answer["Cache-Control"]
        limits = dict(re.findall(r"(s-maxage|stale-while-revalidate)=(\d+)", control))
        if not re.search("private|no-store|no-cache", control) and "s-maxage" in limits:
            stale = int(limits.get("stale-while-revalidate", 0))
            self.kept[path] = body, self.now, int(limits["s-maxage"]), stale
        else:
            self.kept.pop(path, None)
        return body


@pytest.fixture
def debate(settings, board, opener, answerer):
    settings.KEPT_PAGES_MB = 4
    caching.pages.clear()  # kept with the headers that another test's settings gave
    thread = start(board, opener, title="Hastings")
    reply(thread, answerer, "The wall holds.")
    return thread


@pytest.fixture
def shared(settings):
    settings.SHARED_CACHE_SECONDS, settings.SHARED_CACHE_STALE_SECONDS = FRESH, STALE


def test_by_default_nothing_is_kept_on_the_way(debate):
    cache, path = SharedCache(), debate.get_absolute_url()
    for _ in range(3):
        assert "The wall holds" in cache.get(path)
    assert cache.asked == 3
    assert browser().get(path)["Cache-Control"] == "no-cache"


def test_what_is_taken_back_is_gone_in_time(debate, shared, moderator):
    cache, path = SharedCache(), debate.get_absolute_url()
    assert "The wall holds" in cache.get(path)
    states.hide(user=moderator, post=debate.posts.get(number=2), reason="Spam.")
    cache.now = FRESH
    assert "The wall holds" in cache.get(path)  # the trade
    assert cache.asked == 1
    cache.now = FRESH + STALE + 1
    assert "The wall holds" not in cache.get(path)


def test_the_latest_moment_is_when_nobody_asked_before(debate, shared, moderator):
    cache, path = SharedCache(), debate.get_absolute_url()
    cache.get(path)
    states.hide(user=moderator, post=debate.posts.get(number=2), reason="Spam.")
    cache.now = FRESH + STALE
    assert "The wall holds" in cache.get(path)  # the last reader to get it
    assert "The wall holds" not in cache.get(path)


def test_nothing_of_a_members_own_is_kept_on_the_way(debate, shared, stranger):
    for who in (stranger, debate.author):
        control = browser(who).get(debate.get_absolute_url())["Cache-Control"]
        assert control == "private, no-cache"
    assert browser().get("/")["Cache-Control"] == "private, no-cache"
    missing = browser().get("/threads/999999/x/")
    assert "s-maxage" not in missing["Cache-Control"]
    assert "Cookie" in browser().get(debate.get_absolute_url())["Vary"]
