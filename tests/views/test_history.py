"""Every text a post had: page by page, and what comparing them costs at most."""

import re

import pytest

from forum.models import PostRevision
from forum.text import quoting
from forum.views import comparing
from tests.people import browser, edit, reply
from tests.people import quoting as form

pytestmark = pytest.mark.django_db
LONG = "\n\n".join(
    f"Sentence {n} of this chapter says what the party did in week {n * 3 + 1} of that year."
    for n in range(650)
)


def texts(post, count: int, text: str) -> None:
    """Give a post so many older texts, each with another number in it."""
    revision = post.body.revision
    for number in range(2, count + 1):
        revision.pk, revision.number = None, number
        revision.source = revision.plain = text.replace("week 4 ", f"month {number} ")
        revision.save()
    post.body.revision, post.body.revision_number = revision, count
    post.body.save()
    assert PostRevision.objects.filter(post=post).count() == count


def page(post, asked="", user=None) -> str:
    response = browser(user).get(f"/posts/{post.pk}/history/{asked}")
    assert response.status_code == 200
    return response.content.decode()


def shown(html: str) -> list[int]:
    return list(map(int, re.findall(r'id="revision-(\d+)"', html)))


@pytest.fixture
def compared(monkeypatch):
    """The characters of each comparison that is made; nothing is kept yet."""
    comparing._kept_difference.cache_clear()
    made, difference = [], quoting.difference

    def comparing_them(new, old):
        made.append(len(new) + len(old))
        return difference(new, old)

    monkeypatch.setattr(quoting, "difference", comparing_them)
    return made


def test_ten_texts_stand_on_a_page_and_links_lead_to_the_others(thread, answerer):
    post = reply(thread, answerer, "It was in week 4 of 1936.")
    texts(post, 25, "It was in week 4 of 1936.")
    first = page(post)
    assert "25 texts" in first
    assert shown(first) == list(range(25, 15, -1))
    assert "<del> 15</del><ins> 16</ins>" in first  # what the last of them changed
    second = page(post, "?before=16")
    assert shown(second) == list(range(15, 5, -1))
    assert f'href="?before={16}"' in first and 'href="?before=6"' in second
    last = page(post, "?before=6")
    assert shown(last) == [5, 4, 3, 2, 1]
    assert "First text" in last and "?before=" not in last
    assert "in text 3" in page(post, "?rev=3&at=0-5")  # wherever it stands
    for odd in ("?before=1", "?before=x", "?before=0", f"?before={'9' * 30}", "?rev=99"):
        assert browser().get(f"/posts/{post.pk}/history/{odd}").status_code == 404


def test_a_page_of_texts_compares_at_most_what_its_budget_holds(
    thread, answerer, compared, stopped_clock
):
    post = reply(thread, answerer, LONG)
    texts(post, 40, LONG)
    html = page(post)
    asked_for = 10 * 2 * len(LONG)
    assert sum(compared) <= asked_for / 5
    assert 18 * sum(compared) <= quoting.Budget().steps
    assert html.count("It is too much to compare here.") == 10 - len(compared)
    # Each of them is compared when it is asked for, and once.
    alone = page(post, "?before=34")
    assert "<ins> 33</ins>" in alone
    made = len(compared)
    assert page(post) == html
    assert page(post, "?before=34") == alone
    assert len(compared) == made


def test_the_page_of_a_quote_compares_once_and_not_too_much(thread, answerer, opener, compared):
    chapter = reply(thread, answerer, LONG)
    words = [word if n % 8 else "nonsense" for n, word in enumerate(LONG.split()[:400])]
    post = reply(thread, opener, form(chapter, " ".join(words)))
    compared.clear()
    address = f"/posts/{post.pk}/quotes/1/"
    assert "<ins> nonsense</ins>" in browser().get(address).content.decode()
    assert len(compared) == 1
    edit(chapter, LONG.replace("party", "council"))
    for _ in "123":
        html = browser().get(address).content.decode()
    assert "<ins> council</ins>" in html
    assert len(compared) == 2
    whole = reply(thread, opener, form(chapter, LONG.replace("week", "month")[:55_000]))
    for text in (LONG, LONG.replace("of this", "of that")):
        edit(chapter, text)
        before = sum(compared)
        html = browser().get(f"/posts/{whole.pk}/quotes/1/").content.decode()
        assert "too long to be compared" in html or "<del>" in html
        assert 18 * (sum(compared) - before) <= quoting.Budget().steps
