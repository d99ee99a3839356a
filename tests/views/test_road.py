"""The road to a post: one straight dialogue from the opening, and nothing that one may not see."""

import os
import re
import sys
from collections.abc import Sequence

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from forum import tree
from forum.actions import composing, post_notices, posts
from forum.models import Board, Post, PostBody, PostRevision, Thread
from forum.moderation import states
from forum.rendering import books
from forum.views.road import STEPS
from tests.effort import analyzed, effort
from tests.people import browser, edit, fresh, pending, quoting, reply, start

pytestmark = pytest.mark.django_db
DEEP = 5_000 if os.environ.get("JONBAR_LONG") == "1" else 1_600
MARKED = re.compile(r'<(?:p|li)[^>]* class="said"[^>]*>(.*?)</(?:p|li)>', re.S)


def steps(html: str) -> list[tuple[str, str]]:
    """The posts of a road: their numbers and all that stands in them."""
    found = re.findall(r"<article.*?</article>", html, re.S)
    return [(re.search(r"Link to post (\d+)", post)[1], post) for post in found]


def road(post: Post, user=None, page: int = 1) -> str:
    response = browser(user).get(f"/posts/{post.pk}/road/?page={page}")
    assert response.status_code == 200
    return response.content.decode()


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


# --- The source thread ------------------------------------------------------------------------


@pytest.fixture
def source(board) -> dict[int, Post]:
    call_command("loaddata", "trotsky-spain", verbosity=0)
    return {post.number: post for post in Post.objects.filter(thread__key="trotsky-spain")}


def test_the_road_of_the_source_thread(source):
    html = road(source[7])
    found = steps(html)
    assert [number for number, _ in found] == ["1", "4", "5", "6", "7"]
    assert "in 5 posts" in words(html)
    # Nobody knows what #4 answers: the opening shows none of its words.
    doubt = dict(found)
    assert "Nobody knows whether the next post answers the opening" in words(doubt["1"])
    assert " loose" in doubt["1"]
    assert "Trotsky" not in doubt["1"]
    assert "nobody knows what it answers" in doubt["4"]
    assert " unsure" in doubt["4"]
    # Three passages are marked, each in the post above the one that quotes it.
    marked = {number: MARKED.findall(post) for number, post in found}
    assert {number: len(marks) for number, marks in marked.items()} == {
        "1": 0,
        "4": 1,
        "5": 1,
        "6": 1,
        "7": 0,
    }
    assert marked["4"][0].startswith("<mark>Assuming Hitler still comes to power")
    assert marked["5"][0].startswith("<mark>How would that affect the negotiating position")
    assert marked["6"][0].startswith("<mark>this of course leads to the debate")
    # The quotes are dropped, since what they quote stands above.
    assert "<blockquote" not in html
    assert html.count("Assuming Hitler still comes to power") == 1
    assert "answers the whole of #4" in doubt["5"]
    assert "answers the marked passage of #5" in doubt["6"]
    assert "answers the whole of #6" in doubt["7"]


def test_the_road_to_a_post_of_which_nothing_is_known(source):
    assert [number for number, _ in steps(road(source[2]))] == ["1", "2"]
    assert [number for number, _ in steps(road(source[1]))] == ["1"]
    assert "in 1 post." in words(road(source[1]))


def test_backlinks_of_the_source_thread(source):
    html = browser().get(Thread.objects.get(key="trotsky-spain").get_absolute_url())
    notes = re.findall(r'<p class="margin">(.*?)</p>', html.content.decode())
    assert [words(note) for note in notes] == [
        "¶ 4.1 quoted in #5",
        "¶ 5.4 quoted in #6",
        "¶ 6.2 quoted in #7",
    ]


# --- A long road ------------------------------------------------------------------------------


def grow(thread: Thread, author, above: Sequence[int | None]) -> list[Post]:
    """A post for each of `above`, which says to which of them it replies, if to any; written in
    bulk, since each answer would renumber all above it."""
    length = len(above)
    composed = composing.compose(user=author, board=thread.board, source="On it goes.")
    with transaction.atomic():
        (thread,) = tree.lock(thread.pk)
        first, now = thread.numbered + 1, thread.created_at
        ids = tree.new_ids(length)
        rows = [
            Post(pk=pk, thread=thread, number=first + n, author=author, loaded_at=now)
            for n, pk in enumerate(ids)
        ]
        for row, parent in zip(rows, above, strict=True):
            row.parent = None if parent is None else rows[parent]
        found = tree.labels((row.pk, row.parent_id) for row in rows)
        tree.write([tree.set_labels(row, found[row.pk]) for row in rows])
        revisions = PostRevision.objects.bulk_create(
            composed.revision(row, 1, editor=author, now=now) for row in rows
        )
        PostBody.objects.bulk_create(composed.body(revision) for revision in revisions)
        Thread.objects.filter(pk=thread.pk).update(
            numbered=first + length - 1, reply_count=first + length - 2, last_post=ids[-1]
        )
    return rows


def chain(thread: Thread, author, length: int) -> list[Post]:
    """`length` posts, each the only answer to the one before."""
    return grow(thread, author, [None, *range(length - 1)])


def queries(address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert browser().get(address).status_code == 200
    return len(captured)


def test_a_chain_deeper_than_pythons_stack(thread, opener):
    assert sys.getrecursionlimit() < DEEP
    short = reply(thread, opener, to=reply(thread, opener))
    few = queries(f"/posts/{short.pk}/road/")
    last = chain(thread, opener, DEEP)[-1]
    pages = DEEP // STEPS
    assert queries(f"/posts/{last.pk}/road/") <= few
    for page in (2, pages // 2, pages):
        assert queries(f"/posts/{last.pk}/road/?page={page}") < few  # without the opening
    # The pages follow each other without a gap or a repeat, and only the first has the opening.
    numbers = []
    for page in (1, 2, pages):
        numbers.append([int(number) for number, _ in steps(road(last, page=page))])
    assert numbers[0][0] == 1
    joined = numbers[0][1:] + numbers[1]
    assert joined == list(range(joined[0], joined[0] + 2 * STEPS))
    assert numbers[2][-1] == last.number
    assert len(numbers[2]) == STEPS
    assert browser().get(f"/posts/{last.pk}/road/?page={pages + 1}").status_code == 404
    html = road(last)
    assert f"in {DEEP + 1} posts" in html.replace(",", "")
    assert 'rel="next" href="?page=2"' in html
    assert 'rel="next"' not in road(last, page=pages)


def test_only_what_stands_on_the_road_is_read(thread, opener):
    """Not what else was answered before, in its tree: for the page, for the book, and to tell who
    watches a branch."""
    few = grow(start(thread.board, opener), opener, [None, *[0] * 5, 5])[-1]
    # So many that PostgreSQL does not read the whole table for the few.
    many = grow(thread, opener, [None, *[0] * 12_000, 12_000])[-1]
    analyzed()
    client = browser()

    def asked(post: Post) -> dict[str, int]:
        end = fresh(post)
        return {
            "page": effort(lambda: client.get(f"/posts/{post.pk}/road/"), "forum_post"),
            "book": effort(lambda: books.of_road(end, user=opener, base=""), "forum_post"),
            "watched": effort(lambda: post_notices.notify_watchers.call(end.pk), "forum_post"),
        }

    asked(few)
    near, far = asked(few), asked(many)
    assert all(0 < far[what] < near[what] * 1.2 for what in near), (near, far)


def test_a_page_that_begins_inside_keeps_the_words_it_answers(thread, opener):
    """What stands on the page before is not "above": there the quote stays."""
    rows = chain(thread, opener, STEPS)
    quote = reply(thread, opener, quoting(rows[-1], "On it goes."), to=rows[-1])
    ((number, post),) = steps(road(quote, page=2))
    assert number == str(quote.number)
    assert 'data-status="exact"' in post
    assert f'href="/posts/{rows[-1].pk}/?p=1"' in post
    # And the page before marks what the next one answers.
    assert len(MARKED.findall(road(quote))) == 1


# --- What is gone, hidden, waiting ------------------------------------------------------------


@pytest.fixture
def branch(thread, answer, opener, answerer) -> list[Post]:
    """#2, and three that hang on it one below the other, each quoting the one above."""
    second = reply(thread, opener, quoting(answer, "The party obeyed nobody.", "One"), to=answer)
    third = reply(thread, answerer, quoting(second, "One", "Two are secret"), to=second)
    fourth = reply(thread, opener, quoting(third, "Two are secret", "Three"), to=third)
    return [answer, second, third, fourth]


@pytest.mark.parametrize("how", ["hide", "remove", "withdraw"])
def test_a_post_on_the_way_is_gone(branch, moderator, answerer, stranger, how):
    *_, third, last = branch
    if how == "withdraw":
        posts.withdraw(user=answerer, post=third)
    else:
        getattr(states, how)(user=moderator, post=third, reason="Off the point.")
    for reader in (None, stranger):
        html = road(last, reader)
        found = dict(steps(html))
        assert list(found) == ["1", "2", "5", "6", "7"]
        assert "post</h3>" in found["6"]
        assert "answerer" not in found["6"]
        # What #7 quotes of it says so; the place where it stood says nothing.
        assert "Two are secret" not in found["6"]
        assert 'data-status="removed"' in found["7"]
        assert not MARKED.search(found["5"])
    for reader in (None, stranger):
        assert browser(reader).get(f"/posts/{third.pk}/road/").status_code == 404
    assert "Two are secret" in dict(steps(road(third, moderator)))["6"]
    states.restore(user=moderator, post=third)
    assert len(MARKED.findall(road(last))) == 3


@pytest.mark.parametrize("audience", ["members", "moderators"])
def test_the_road_of_a_debate_one_may_not_see(branch, stranger, moderator, audience):
    Board.objects.update(audience=audience)
    last = branch[-1]
    assert browser().get(f"/posts/{last.pk}/road/").status_code == 404
    known = 200 if audience == "members" else 404
    assert browser(stranger).get(f"/posts/{last.pk}/road/").status_code == known
    assert browser(moderator).get(f"/posts/{last.pk}/road/").status_code == 200


def test_a_hidden_debate_has_no_roads(branch, thread, answerer):
    Thread.objects.filter(pk=thread.pk).update(state="hidden")
    for page in ("road", "quotes"):
        assert browser(answerer).get(f"/posts/{branch[-1].pk}/{page}/").status_code == 404


def test_words_from_a_debate_one_may_not_see(branch, thread, inner_board, moderator):
    """A step that quotes something else as well: the words stay, their source is not named."""
    inner = start(inner_board, moderator, title="Behind doors", text="What nobody knows yet.")
    secret = inner.posts.get()
    Board.objects.filter(pk=inner_board.pk).update(audience="public")
    last = reply(thread, moderator, quoting(secret, "What nobody knows yet."), to=branch[-1])
    Board.objects.filter(pk=inner_board.pk).update(audience="moderators")
    html = road(last)
    assert "Source unknown" in html
    assert f"/posts/{secret.pk}/" not in html
    assert f"/posts/{secret.pk}/" in road(last, moderator)


def test_a_waiting_post_has_no_road(thread, stranger, answer, moderator):
    post = pending(thread, stranger, to=answer)
    for reader in (None, stranger, moderator):
        assert browser(reader).get(f"/posts/{post.pk}/road/").status_code == 404


def test_words_that_were_edited_away_are_not_marked(branch, answer):
    edit(answer, "Something else altogether.\n\nIt had a secretary, after all.")
    found = dict(steps(road(branch[1])))
    assert not MARKED.search(found["2"])
    assert "answers" in found["5"]


def test_one_road_among_branches(thread, answer, opener, branch):
    """Answers beside the road are left out."""
    reply(thread, opener, "Beside the road.", to=answer)
    reply(thread, opener, "Beside the road.", to=branch[1])
    html = road(branch[-1])
    assert "Beside the road." not in html
    assert len(steps(html)) == 5
    assert fresh(branch[-1]).level == 3
