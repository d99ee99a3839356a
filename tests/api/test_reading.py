"""What programs read: by the same rights as pages, in parts, and never twice the same."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forum.actions import description, members
from forum.actions.divergences import read_divergence
from forum.models import Board, Post, Quote, Thread
from forum.moderation import moving, states
from tests.people import browser, edit, fresh, make_member, pending, quoting, reply, start
from tests.tree.test_tree import grow
from tests.views.test_queries import write_texts

pytestmark = pytest.mark.django_db


def everything(thread: Thread, post: Post) -> dict[str, str]:
    """Each address that reads, of this debate and post, by its name."""
    return {
        "boards": "boards/",
        "threads": "threads/",
        "thread": f"threads/{thread.pk}/",
        "posts": f"threads/{thread.pk}/posts/",
        "tree": f"threads/{thread.pk}/tree/",
        "outline": f"threads/{thread.pk}/outline/",
        "post": f"posts/{post.pk}/",
        "replies": f"posts/{post.pk}/replies/",
        "revisions": f"posts/{post.pk}/revisions/",
        "quotes": f"posts/{post.pk}/quotes/",
        "divergences": "divergences/",
        "questions": "questions/",
        "search": "search/?q=party",
    }


def described(thread: Thread, opener) -> Thread:
    return description.describe(
        user=opener,
        thread=thread,
        divergences=[read_divergence(change="He lives", when="c. 1924", place="Gorki")],
        questions=["Would the purges have come all the same?"],
    )


def test_everything_is_read(program, thread, answer, opener, stranger):
    described(thread, opener)
    said = reply(thread, opener, quoting(answer, "The party obeyed nobody."), to=answer)
    for client in (program(), program(stranger)):
        found = {name: client.read(at) for name, at in everything(thread, answer).items()}
        assert [board["slug"] for board in found["boards"]["boards"]] == ["after-1900"]
        assert [one["id"] for one in found["threads"]["threads"]] == [thread.pk]
        assert found["thread"]["divergences"][0]["edtf"] == "1924~"
        assert found["thread"]["own_answer"]
        assert [post["number"] for post in found["posts"]["posts"]] == [1, 2, 3, 4, 5]
        assert [(n["number"], n["level"]) for n in found["tree"]["posts"]] == [
            *((1, 0), (2, 0), (3, 1), (5, 1), (4, 0)),
        ]
        assert found["post"]["plain"].startswith("The party obeyed nobody.")
        assert [post["number"] for post in found["replies"]["posts"]] == [3, 5]
        assert found["revisions"]["revisions"][0]["source"] == found["post"]["plain"]
        assert [one["post"] for one in found["quotes"]["quotes"]] == [said.pk]
        assert found["divergences"]["divergences"][0]["place"] == "Gorki"
        assert found["questions"]["questions"][0]["thread"] == thread.pk
        assert found["search"]["count"] == 2
        assert ["party", True] in found["search"]["hits"][0]["excerpt"]


def test_a_quote_names_its_source_and_the_spans_it_repeats(program, thread, answer, opener):
    text = quoting(answer, "The party … had a secretary", "Hm.")
    said = reply(thread, opener, text)
    (quote,) = program().read(f"posts/{said.pk}/")["quotes"]
    assert quote["status"] == "shortened"
    source = quote["source"]
    assert (source["post"], source["revision"]) == (answer.pk, 1)
    plain = program().read(f"posts/{answer.pk}/")["plain"]
    assert [plain[a:b].strip() for a, b in source["parts"]] == ["The party", "had a secretary"]
    edit(answer, "Nobody obeyed.")
    (quote,) = program().read(f"posts/{said.pk}/")["quotes"]
    assert quote["status"] == "edited"
    assert quote["source"]["revision"] == 1


def test_of_a_source_out_of_sight_nothing_is_told(program, board, opener, moderator, thread):
    inner = Board.objects.create(name="Inner", slug="inner", audience="moderators")
    other = start(board, opener, "A debate that moves", "It was a bridge.")
    said = reply(thread, moderator, quoting(other.posts.get(), "It was a bridge."))
    moving.move_thread(user=moderator, thread=other, board=inner)
    (quote,) = program(opener).read(f"posts/{said.pk}/")["quotes"]
    assert (quote["status"], quote["source"]) == ("unverifiable", None)
    (seen,) = program(moderator).read(f"posts/{said.pk}/")["quotes"]
    assert seen["source"]["post"] == other.posts.get().pk


def test_what_does_not_stand_keeps_its_place_and_nothing_else(
    program, thread, answer, opener, moderator, board_moderator
):
    states.hide(user=moderator, post=answer, reason="Off the subject.")
    for client in (program(), program(opener), program(answer.author)):
        gone = client.read(f"threads/{thread.pk}/posts/")["posts"][1]
        assert (gone["gone"], gone["number"], gone["state"]) == (True, 2, "hidden")
        assert not {gone[name] for name in ("writer", "member", "plain", "html", "base")} - {None}
        assert (gone["passages"], gone["quotes"], gone["may"]) == (None, None, [])
        for address in ("", "replies/", "revisions/", "quotes/"):
            assert client.get(f"/api/posts/{answer.pk}/{address}").status_code == 404
    assert "secretary" in program(board_moderator).read(f"posts/{answer.pk}/")["plain"]


def test_what_waits_is_read_by_its_author_and_moderators(program, thread, answerer, moderator):
    waiting = pending(thread, answerer)
    for user, status in ((None, 404), (thread.author, 404), (answerer, 200), (moderator, 200)):
        assert program(user).get(f"/api/posts/{waiting.pk}/").status_code == status
    numbers = [p["number"] for p in program(answerer).read(f"threads/{thread.pk}/posts/")["posts"]]
    assert numbers == [1, 2, 3, 4]


def test_private_boards_are_not_there(program, board, thread, answer, stranger):
    Board.objects.filter(pk=board.pk).update(audience="members")
    member, visitor = program(stranger), program()
    for name, address in everything(thread, answer).items():
        response = visitor.get(f"/api/{address}")
        if name in ("boards", "threads", "divergences", "questions", "search"):
            assert "Lenin" not in response.content.decode()
            assert "After 1900" not in response.content.decode()
        else:
            assert response.status_code == 404, address
            assert response.json() == {"status": 404, "error": "There is nothing at this address."}
        assert member.get(f"/api/{address}").status_code == 200


def test_no_answer_holds_an_address_of_mail(program, thread, answer, administrator):
    client = program(administrator)
    for address in everything(thread, answer).values():
        assert "@example.org" not in client.get(f"/api/{address}").content.decode()


def test_a_merged_debate_leads_on(program, board, opener, thread, moderator):
    from forum.moderation import merging

    other = start(board, opener, "The same again")
    merging.merge(user=moderator, thread=other, into=thread, reason="Twice.")
    response = program().get(f"/api/threads/{other.pk}/posts/")
    assert (response.status_code, response["Location"]) == (301, f"/api/threads/{thread.pk}/posts/")


# --- Lists ------------------------------------------------------------------------------------


def walk(client, address: str, name: str, limit: int = 3, **asked) -> list[dict]:
    """All parts of a list, one after the other."""
    found: list[dict] = []
    after = ""
    for _ in range(30):
        part = client.read(address, after=after, **({"limit": limit} if limit else {}), **asked)
        assert not limit or len(part[name]) <= limit
        found += part[name]
        if part["next"] is None:
            return found
        after = part["next"]
    raise AssertionError("it never ends")


def test_lists_go_on_where_they_ended(program, board, opener, answerer):
    debates = [start(board, opener, f"Debate {n}") for n in range(8)]
    for n, one in enumerate(debates):
        described_at = read_divergence(change="He lives", when=str(1900 + n))
        description.describe(user=opener, thread=one, divergences=[described_at], questions=["Q?"])
    client = program()
    listed = [one["id"] for one in walk(client, "threads/", "threads", order="newest")]
    assert listed == [one.pk for one in reversed(debates)]
    assert [d["edtf"] for d in walk(client, "divergences/", "divergences")] == [
        str(1900 + n) for n in range(8)
    ]
    assert len({one["id"] for one in walk(client, "questions/", "questions")}) == 8
    first = reply(debates[0], answerer, "The party obeyed nobody.")
    for n in range(7):
        reply(debates[0], opener, quoting(first, "The party obeyed nobody.", f"No {n}."), to=first)
    posts = walk(client, f"threads/{debates[0].pk}/posts/", "posts")
    assert [post["number"] for post in posts] == list(range(1, 10))
    assert len(walk(client, f"posts/{first.pk}/replies/", "posts")) == 7
    assert len(walk(client, f"posts/{first.pk}/quotes/", "quotes")) == 7


def test_a_tree_in_parts(program, board):
    thread = grow(board, [n // 3 or None for n in range(230)])
    nodes = walk(program(), f"threads/{thread.pk}/tree/", "posts", limit=0)
    assert len({node["id"] for node in nodes}) == 230
    place = {node["id"]: index for index, node in enumerate(nodes)}
    assert all(place[n["parent"]] < place[n["id"]] for n in nodes if n["parent"])


def test_the_filters_of_the_page_of_all_debates(program, board, other_board, opener, stranger):
    bare = start(board, opener, "A plain debate")
    answered = start(other_board, opener, "An answered one", kind="TL")
    reply(answered, stranger)
    told = described(start(board, opener, "A dated one"), opener)
    client = program(stranger)

    def ids(**asked) -> set[int]:
        return {one["id"] for one in client.read("threads/", **asked)["threads"]}

    assert ids(board="antiquity") == {answered.pk}
    assert ids(kind="TL") == {answered.pk}
    assert ids(only="answered") == {answered.pk}
    assert ids(only="unanswered") == {bare.pk, told.pk}
    assert ids(first_year="1900", last_year="1930") == {told.pk}
    assert ids(first_year="1950") == set()
    assert ids(only="unread") == {bare.pk, answered.pk, told.pk}
    assert program().get("/api/threads/", {"only": "unread"}).status_code == 400


@pytest.mark.parametrize(
    "asked",
    [
        *("threads/?after=x", "threads/?after=999999999999999999-1", "threads/?limit=51"),
        *(
            "threads/?limit=0",
            "threads/?kind=XX",
            "threads/?order=best",
            "threads/?first_year=soon",
        ),
        *("questions/?after=-1", "divergences/?after=1.2", "search/?q=", "search/?q=since:soon"),
        *("search/?q=a&after=1e3", "search/"),
    ],
)
def test_odd_questions_are_told_in_a_sentence(program, thread, asked):
    response = program().get(f"/api/{asked}")
    assert response.status_code == 400
    assert response.json()["status"] == 400
    assert response.json()["error"].endswith(".")


def test_an_answer_is_sent_once(program, thread, answer, opener, stranger):
    for user in (None, stranger):
        client = program(user)
        for address in everything(thread, answer).values():
            response = client.get(f"/api/{address}")
            again = client.get(f"/api/{address}", headers={"if-none-match": response["ETag"]})
            assert (again.status_code, again.content) == (304, b""), address
            assert "Authorization" in response["Vary"]
            head = client.head(f"/api/{address}")
            assert (head.status_code, head.content, head["ETag"]) == (200, b"", response["ETag"])
            assert "private" in response["Cache-Control"]
    address = f"/api/threads/{thread.pk}/posts/"
    before = program().get(address)["ETag"]
    reply(thread, opener)
    assert program().get(address, headers={"if-none-match": before}).status_code == 200


# --- What it costs ----------------------------------------------------------------------------


def statements(client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        client.read(address)
    return sum("SAVEPOINT" not in query["sql"] for query in captured)


def test_an_answer_asks_the_same_of_few_and_many(
    program, board, opener, answerer, stranger, moderator, record_property
):
    clients = {"visitor": program(), "member": program(stranger), "moderator": program(moderator)}
    thread = described(start(board, opener), opener)
    first = reply(thread, answerer, "The party obeyed nobody.")
    reply(thread, opener, quoting(first, "The party obeyed nobody."), to=first)
    edit(first, "The party obeyed nobody, so to say.")

    def counts() -> dict[tuple[str, str], int]:
        found = {}
        for who, client in clients.items():
            client.read("boards/")  # the use of the token is noted once
            for name, address in everything(thread, first).items():
                found[name, who] = statements(client, address)
        return found

    few = counts()
    for n in range(15):
        other = described(start(board, opener, f"Debate {n}", "The party was split."), opener)
        by = make_member(f"somebody{n:03}xx")
        reply(other, by)
        reply(thread, by, quoting(first, "The party obeyed nobody", f"No, {n}."), to=first)
        edit(first, f"The party obeyed nobody, so to say {n} times.")
        Board.objects.create(name=f"Board {n}", slug=f"b{n}")
    many = counts()
    # A word that stands often is asked of closed boards apart (docs/decisions/0033).
    few = {(name, who): count + (name == "search") for (name, who), count in few.items()}
    assert {key: (few[key], many[key]) for key in few if many[key] > few[key]} == {}
    assert Quote.objects.count() == 16
    record_property(
        "measured",
        f"statements, of members: { {n: c for (n, w), c in many.items() if w == 'member'} }",
    )
    assert max(many.values()) <= 12, many


def test_a_long_debate_costs_what_a_short_one_does(program, board, opener):
    counts = []
    for size in (30, 400):
        thread = grow(board, [n // 2 or None for n in range(size)])
        write_texts(thread)
        Post.objects.filter(thread=thread).update(author=opener, byline="")
        thread = fresh(thread)
        client = program()
        counts.append(
            [
                statements(client, f"threads/{thread.pk}/posts/?after={size - 21}"),
                statements(client, f"threads/{thread.pk}/tree/"),
            ]
        )
    assert counts[0] == counts[1]


# --- No cookies -------------------------------------------------------------------------------


def test_a_session_says_nothing_here(board, thread, answer, stranger, administrator):
    Board.objects.filter(pk=board.pk).update(audience="members")
    for user in (stranger, administrator):
        client = browser(user)
        assert client.get(thread.get_absolute_url()).status_code == 200
        response = client.get(f"/api/threads/{thread.pk}/")
        assert response.status_code == 404
        assert not response.cookies


def test_ignored_writers_are_marked(program, thread, answer, answerer, opener, stranger):
    members.ignore(user=stranger, other=answerer, ignored=True)
    posts = program(fresh(stranger)).read(f"threads/{thread.pk}/posts/")["posts"]
    assert [post["ignored"] for post in posts] == [False, True, False, True]
