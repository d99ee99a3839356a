"""How much a page asks of the database: a constant number of queries at any size, within budget.

Budgets are those of the design: a member reads a page of a debate in 8 queries, a visitor in 6.
"""

import random
from datetime import timedelta
from itertools import product
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forum.models import Board, Post, PostBody, PostRevision, Quote, Thread
from tests.people import browser, fresh, make_member, quoting, reply, start
from tests.tree.test_tree import grow

pytestmark = pytest.mark.django_db
MEMBER, VISITOR = 8, 6
# Moderators are asked for what waits in the debate.
TREE = {"visitor": 0, "member": 0, "moderator": 2}
# Moderators of single boards: which ones, and how many cases wait for them.
BOARDS = 2


def write_texts(thread, text="<p>Words.</p>"):
    """Texts for posts that were grown without any."""
    posts = list(thread.posts.filter(body=None))
    revisions = PostRevision.objects.bulk_create(
        PostRevision(post=p, number=1, source="Words.", plain="Words.", created_at=p.loaded_at)
        for p in posts
    )
    PostBody.objects.bulk_create(
        PostBody(post=p, revision=r, revision_number=1, html=text, renderer=1)
        for p, r in zip(posts, revisions, strict=True)
    )


def big_thread(board, size, author) -> Thread:
    rng = random.Random(size)
    thread = grow(board, [None] + [rng.choice([None, *range(1, n)]) for n in range(1, size)])
    write_texts(thread)
    Post.objects.filter(thread=thread).update(author=author, byline="")
    last = thread.posts.order_by("-number").first()
    Thread.objects.filter(pk=thread.pk).update(last_post=last, reply_count=size - 1)
    return fresh(thread)


def queries(client, path) -> int:
    with CaptureQueriesContext(connection) as captured:
        response = client.get(path)
    assert response.status_code == 200, path
    # What is a transaction on a page is a savepoint in the test's own.
    return sum("SAVEPOINT" not in query["sql"] for query in captured)


@pytest.fixture
def threads(board, opener):
    return [big_thread(board, size, opener) for size in (10, 400)]


def test_a_page_of_a_debate(threads, stranger, board_moderator):
    people = {"visitor": None, "member": stranger, "moderator": board_moderator}
    for (who, user), view in product(people.items(), ("flat", "tree")):
        client = browser(user)
        counts = []
        for thread in threads:
            path = f"{thread.get_absolute_url()}?view={view}"
            for page in {1, 2, 11, 20} & set(range(1, thread.numbered // 20 + 1)) | {1}:
                client.get(f"{path}&page={page}")  # what is new is written down once
                counts.append(queries(client, f"{path}&page={page}"))
        # The last page asks for what waits; a tree page inside a branch for the posts above it.
        assert max(counts) - min(counts) <= (2 if view == "tree" else 1), (who, view, counts)
        budget = VISITOR if who == "visitor" else MEMBER
        budget += TREE[who] * (view == "tree") + BOARDS * (who == "moderator")
        assert max(counts) <= budget, (who, view, counts)


def test_a_page_that_was_not_read_yet(threads, stranger):
    stranger.date_joined -= timedelta(days=10_000)
    stranger.save(update_fields=["date_joined"])
    client = browser(stranger)
    for thread in threads:
        client.get(thread.get_absolute_url())  # what makes the mark
    path = f"{threads[1].get_absolute_url()}?page="
    assert [queries(client, f"{path}{page}") for page in (3, 9, 20)] == [MEMBER] * 3


def test_a_page_full_of_quotes_mentions_and_edits(thread, answer, opener, stranger):
    plain = queries(browser(stranger), thread.get_absolute_url())
    for n in range(14):
        words = ("The party obeyed nobody.", "The party … had a secretary", "The party obeyed all.")
        post = reply(thread, opener, quoting(answer, words[n % 3], then="Not so, @stranger."))
    client = browser(stranger)
    client.get(thread.get_absolute_url())
    full = queries(client, thread.get_absolute_url())
    # One for the members mentioned, one for the texts that some quotes are compared with.
    assert full <= min(plain, MEMBER) + 2, (plain, full)
    assert Quote.objects.filter(post=post).exists()


def test_lists_ask_the_same_of_few_and_many(board, opener, stranger, moderator):
    clients = {
        who: browser(user)
        for who, user in {"visitor": None, "member": stranger, "moderator": moderator}.items()
    }
    start(board, opener)

    def counts() -> dict[tuple[str, str], int]:
        paths = ("/", "/boards/after-1900/", "/members/opener/")
        return {
            (path, who): queries(client, path) for path in paths for who, client in clients.items()
        }

    few = counts()
    for n in range(25):
        Board.objects.create(name=f"Board {n}", slug=f"b{n}")
        reply(start(board, opener, title=f"Debate {n}"), make_member(f"somebody{n:03}xx"))
    assert counts() == few
    assert max(few.values()) <= MEMBER, few


def test_a_profile_asks_for_the_member_posts_their_lines_and_boards(board, opener, stranger):
    reply(start(board, opener), opener)
    assert queries(browser(), "/members/opener/") == 4
    assert queries(browser(stranger), "/members/OPENER/") == 5  # with the session


def test_pages_about_a_post_ask_the_same_of_few_and_many(board, opener, answerer):
    thread = start(board, opener)
    post = first = reply(thread, answerer, "The party obeyed nobody.")
    counts = []
    for n in range(30):
        post = reply(thread, opener, quoting(first, "The party obeyed nobody."), to=post)
        if n in (2, 29):
            paths = [f"/posts/{post.pk}/{page}/" for page in ("road", "history")]
            paths.append(f"/posts/{first.pk}/quotes/")
            for path in paths:
                browser().get(path)  # the terms of the glossary are kept from here on
            counts.append([queries(browser(), path) for path in paths])
    assert counts[0] == counts[1], counts
    assert max(counts[0]) <= MEMBER


# --- Replies ----------------------------------------------------------------------------------

# What a reply asks of the database, besides beginning and ending its transaction. PostgreSQL, for
# which each statement is a way there and back, writes all but the read mark in one.
REPLY = {"postgresql": 7, "sqlite": 15}
WORDS = "A member writes this in a debate, and it is long enough to be compared with others"


def statements(act) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        act()
    ends = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
    return [query["sql"] for query in captured if not query["sql"].startswith(ends)]


@pytest.fixture
def sent(thread, answer, stranger, settings):
    """How many statements a reply takes that is sent by the form: to the debate, or to the answer
    in it."""
    settings.POSTS_PER_MINUTE, settings.REPEAT_MINUTES = 10, 30
    stranger.welcomed_at = stranger.date_joined
    stranger.save(update_fields=["welcomed_at"])
    client = browser(stranger)

    def send(text: str, *, to: Post | None = None) -> int:
        form = {"text": text, "token": uuid4(), **({"to": to.pk} if to else {})}

        def post() -> None:
            assert client.post(f"/threads/{thread.pk}/reply/", form).status_code == 302

        return len(statements(post))

    client.get("/")
    return send


def test_a_reply_to_the_debate(sent):
    # The mark begins: on SQLite a second statement.
    assert sent(f"{WORDS}.") == REPLY[connection.vendor] + (connection.vendor == "sqlite")
    assert sent("Briefly.") == REPLY[connection.vendor]


def test_a_reply_with_quotes_of_its_debate(sent, answer):
    # The text that is quoted is held, once for all quotes of it.
    many = REPLY[connection.vendor] + 1 + 2 * (connection.vendor == "sqlite")
    sent(f"{WORDS}.", to=answer)
    for n in (1, 2):
        quotes = quoting(answer, "The party obeyed nobody.", then=f"So it says: {n}.") * n
        assert sent(quotes, to=answer) == many


def test_a_reply_to_a_post(sent, answer):
    # SQLite makes room in the tree by a statement of its own.
    many = REPLY[connection.vendor] + (connection.vendor == "sqlite")
    assert sent(f"{WORDS}.", to=answer) == many + (connection.vendor == "sqlite")
    assert sent("Briefly.", to=answer) == many
