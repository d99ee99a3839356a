"""Ignoring a member: posts, quotes and mentions fold away, everywhere, for the one who ignores."""

import re
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from forum.actions import members
from forum.models import Post, Thread
from forum.permissions import Refused
from tests.people import browser, dump, fresh, make_member, quoting, reply

pytestmark = pytest.mark.django_db
WORDS = "The party obeyed nobody."
FOLDED = "You ignore this member."


@pytest.fixture
def mentioned(thread, answer, opener) -> Post:
    """#5, by the opener: quotes #2 by the answerer, and names the answerer."""
    return reply(thread, opener, quoting(answer, WORDS, "What does @answerer mean?"))


@pytest.fixture
def ignorer(answerer) -> User:
    """A member who ignores the answerer."""
    user = make_member("ignorer")
    assert browser(user).post("/members/answerer/ignore/").status_code == 302
    return fresh(user)


def page(address: str, user=None) -> str:
    response = browser(user).get(address)
    assert response.status_code == 200
    return response.content.decode()


def article(html: str, post: Post) -> str:
    return re.search(rf'<article[^>]* id="post-{post.pk}".*?</article>', html, re.S)[0]


def folds(article: str) -> bool:
    """Whether the whole post is folded, its words inside the fold and its writer unnamed."""
    found = re.search(
        r'<details class="fold"><summary>(.*?)</summary>(.*?)</details>', article, re.S
    )
    if not found:
        return False
    assert "You ignore this member. Show this once." in found[1]
    assert 'class="prose"' in article[article.index("<details") :]
    assert "Ignored member</h3>" in article
    return True


@pytest.mark.parametrize("view", ["flat", "tree"])
def test_posts_quotes_and_mentions_fold(thread, answer, mentioned, ignorer, view):
    address = f"{thread.get_absolute_url()}?view={view}"
    html = page(address, ignorer)
    others = [p for p in thread.posts.all() if p.author.username != "answerer"]
    for post in thread.posts.all():
        assert folds(article(html, post)) == (post.author.username == "answerer")
    assert len(others) == 3
    found = article(html, mentioned)
    assert re.search(
        rf"<details><summary>{FOLDED} Show the 4 words quoted</summary><blockquote>", found
    )
    assert "mention" not in found
    assert "@answerer" in found
    # One click shows it: the words are on the page, whole.
    assert html.count(WORDS) == 2


def test_nobody_else_sees_a_difference(thread, mentioned, ignorer, stranger, answerer, moderator):
    for reader in (None, stranger, answerer, moderator):
        html = page(thread.get_absolute_url(), reader)
        assert FOLDED not in html
        assert "Ignored member" not in html
        assert '<a class="mention" href="/members/answerer/">' in html


def test_the_road(thread, answer, ignorer, opener):
    last = reply(thread, opener, quoting(answer, WORDS), to=answer)
    html = page(f"/posts/{last.pk}/road/", ignorer)
    assert folds(article(html, answer))
    assert not folds(article(html, last))
    assert FOLDED not in page(f"/posts/{last.pk}/road/")


def test_a_preview(thread, answer, ignorer):
    text = quoting(answer, WORDS, "What does @answerer mean?")
    response = browser(ignorer).post(
        f"/threads/{thread.pk}/reply/", {"text": text, "token": uuid4(), "do": "preview"}
    )
    preview = re.search(r'<section class="preview.*?</section>', response.content.decode(), re.S)[0]
    assert f"<summary>{FOLDED} Show the 4 words quoted</summary>" in preview
    assert "mention" not in preview


def test_what_one_answers(thread, answer, ignorer):
    html = page(f"/threads/{thread.pk}/reply/?to={answer.pk}", ignorer)
    assert folds(article(html, answer))


def test_edits_of_what_one_ignores_stay_folded(thread, answer, mentioned, ignorer):
    """Also where more of the source is shown than was quoted."""
    from tests.people import edit

    edit(answer, "The old party obeyed nobody at all.")
    found = article(page(thread.get_absolute_url(), ignorer), mentioned)
    assert 'data-status="edited"' in found
    assert f"<summary>{FOLDED}" in found


def test_a_quote_of_nobody_known_is_not_folded(thread, ignorer, opener):
    post = reply(thread, opener, '[quote="answerer, post: 999999"]\nNever said.\n[/quote]\n\nNo.')
    found = article(page(thread.get_absolute_url(), ignorer), post)
    assert 'data-status="unverifiable"' in found
    assert FOLDED not in found


def test_posts_of_members_who_left_are_not_ignored(thread, answer, ignorer):
    Post.objects.filter(pk=answer.pk).update(author=None, byline="answerer")
    assert not folds(article(page(thread.get_absolute_url(), ignorer), answer))


def test_ignoring_and_stopping(thread, answer, answerer, ignorer):
    html = page("/members/answerer/", ignorer)
    assert "Stop ignoring" in html
    own = page("/members/ignorer/", ignorer)
    assert "Members you ignore" in own
    assert "answerer" in own
    response = browser(ignorer).post("/members/answerer/ignore/", {"stop": "1"})
    assert response.status_code == 302
    assert fresh(ignorer).ignoring == []
    assert FOLDED not in page(thread.get_absolute_url(), ignorer)
    assert "Ignore this member" in page("/members/answerer/", fresh(ignorer))
    assert "Members you ignore" not in page("/members/ignorer/", fresh(ignorer))


def test_whom_one_ignores_is_nobody_elses_business(ignorer, answerer, stranger, moderator):
    for reader in (None, answerer, stranger, moderator):
        for name in ("ignorer", "answerer"):
            html = page(f"/members/{name}/", reader)
            assert "Members you ignore" not in html
            assert "Stop ignoring" not in html


def test_ignoring_twice_is_ignoring_once(ignorer, answerer):
    browser(ignorer).post("/members/Answerer/ignore/")
    assert fresh(ignorer).ignoring == [answerer.pk]


def test_whom_one_cannot_ignore(ignorer, stranger, answerer):
    before = dump(User)
    assert browser(ignorer).post("/members/ignorer/ignore/").status_code == 403
    assert browser(ignorer).post("/members/nobody/ignore/").status_code == 404
    assert browser().post("/members/answerer/ignore/").status_code in (302, 403)
    assert browser(stranger).get("/members/answerer/ignore/").status_code == 405
    foreign = browser(stranger, enforce_csrf_checks=True)
    assert foreign.post("/members/answerer/ignore/").status_code == 403
    after = dump(User)
    for rows in (before, after):
        for row in rows[User]:
            row.pop("last_login")
    assert after == before


def test_as_many_as_the_limit(opener, answerer, stranger, monkeypatch):
    monkeypatch.setattr(members, "MAX_IGNORED", 1)
    members.ignore(user=opener, other=answerer, ignored=True)
    with pytest.raises(Refused, match="You ignore 1 members already"):
        members.ignore(user=opener, other=stranger, ignored=True)
    members.ignore(user=opener, other=answerer, ignored=True)
    members.ignore(user=opener, other=answerer, ignored=False)
    members.ignore(user=opener, other=stranger, ignored=True)
    assert fresh(opener).ignoring == [stranger.pk]


def test_two_tabs_ignore_two_members(opener, answerer, stranger):
    stale = fresh(opener)
    members.ignore(user=opener, other=answerer, ignored=True)
    members.ignore(user=stale, other=stranger, ignored=True)
    assert fresh(opener).ignoring == [answerer.pk, stranger.pk]


def test_it_costs_no_query(thread, mentioned, ignorer, stranger):
    def queries(user) -> int:
        client = browser(user)
        client.get(thread.get_absolute_url())  # what is new is read and written once
        with CaptureQueriesContext(connection) as captured:
            client.get(thread.get_absolute_url())
        return len(captured)

    assert queries(ignorer) == queries(stranger)
    assert Thread.objects.count() == 1


def test_lists_name_no_ignored_member(thread, answer, mentioned, answerer, ignorer):
    """The page of what quotes a post, a profile and the last answer of a debate."""
    own = reply(thread, answerer, "The last word.")
    for address in (thread.board.get_absolute_url(), "/"):
        assert "last answer by a member you ignore" in page(address, ignorer)
        assert "last answer by <bdi>answerer</bdi>" in page(address)
    quoted = page(f"/posts/{answer.pk}/quotes/", ignorer)
    assert "By a member you ignore." in quoted
    profile = page("/members/answerer/", ignorer)
    fold = profile.index('<details class="fold"><summary>You ignore this member.')
    assert fold < profile.index("The last word.") < profile.index("</details>", fold)
    assert "You ignore this member." not in page("/members/answerer/")
    assert own.number == 6
