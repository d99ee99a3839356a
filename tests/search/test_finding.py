"""What is found: sixty queries with their answers, the same on both databases, and never anything
that the reader may not read."""

from datetime import UTC, datetime
from itertools import product
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forum.actions import arguments, threads
from forum.actions.divergences import read_divergence
from forum.models import Board, Post, PostWords, Quote, State, Thread
from forum.models.visibility import openings_visible_to, posts_visible_to, threads_visible_to
from forum.moderation import states
from forum.rendering.quotes import judged
from forum.search import finding, index, looking, probes, sqlite
from forum.search.asking import understand
from forum.search.excerpts import excerpt, marked
from forum.search.grammar import parse
from forum.text import markup
from tests.effort import analyzed, effort
from tests.people import browser, edit, make_member, pending, play, quoting, reply, settled

__all__ = ["settled"]

pytestmark = pytest.mark.django_db
TODAY = datetime(2026, 11, 28, tzinfo=UTC).date()


def opened(board, user, title, text, *, kind="WI", divergences=(), questions=()) -> Thread:
    return threads.start(
        user=user,
        board=board,
        title=title,
        kind=kind,
        source=text,
        token=uuid4(),
        own_answer="Much would follow.",
        divergences=[read_divergence(**one) for one in divergences],
        questions=questions,
    )


@pytest.fixture(scope="module")
def world(settled) -> SimpleNamespace:
    """Three boards, one of them for invited members and one below another; posts by letters."""
    w = SimpleNamespace()
    for role in ("opener", "answerer", "stranger", "moderator"):
        setattr(w, role, play(role))
    w.guest, w.invited = AnonymousUser(), make_member("invitee")
    w.warden = make_member("warden", is_staff=True)
    w.modern = Board.objects.create(name="After 1900", slug="after-1900")
    w.spain = Board.objects.create(name="Spain", slug="spain", parent=w.modern)
    w.closed = Board.objects.create(name="Closed", slug="closed", audience="invited")
    w.closed.invited.add(w.invited)
    w.closed.moderators.add(w.warden)
    w.trotsky = opened(
        w.modern,
        w.opener,
        "Trotsky succeeds Lenin",
        "What would Trotsky do in 1924? The war of the worlds was a book. Łódź and Córdoba.",
        divergences=[
            {"change": "Trotsky wins", "when": "1924", "actor": "Trotsky", "place": "Moscow"}
        ],
        questions=["And the Zollverein?"],
    )
    w.franco = opened(
        w.spain,
        w.answerer,
        "Franco loses",
        "Franco and Azaña, 1936-39. The blue division never marches. O'Brien fought there.",
        kind="AHC",
        divergences=[{"change": "A coup fails", "when": "1936", "place": "Madrid, Spain"}],
    )
    w.rail = opened(
        w.modern, w.stranger, "Railways of 東京", "東京都の歴史 and T-34 tanks.", kind="TL"
    )
    w.rome = opened(
        w.modern,
        w.opener,
        "Caesar lives",
        "The Ides of March pass.",
        divergences=[
            {"change": "Caesar stays at home", "when": "15 March 44 BC", "actor": "Caesar"}
        ],
    )
    w.secret = opened(
        w.closed,
        w.invited,
        "Franco in secret",
        "Franco meets Trotsky secretly. Zollverein.",
        divergences=[{"change": "They meet", "when": "1940", "place": "Hendaye, Spain"}],
    )
    w.posts = {
        "a": w.trotsky.posts.get(number=1),
        "f": w.franco.posts.get(number=1),
        "r": w.rail.posts.get(number=1),
        "e": w.rome.posts.get(number=1),
        "s": w.secret.posts.get(number=1),
    }
    w.posts["b"] = reply(
        w.trotsky, w.answerer, "Hitler would fear Franco. ||Spoiler sauce|| Of course."
    )
    w.posts["c"] = reply(
        w.trotsky,
        w.stranger,
        quoting(w.posts["a"], "What would Trotsky do in 1924?", "Nothing at all."),
    )
    w.posts["d"] = reply(
        w.trotsky,
        w.opener,
        quoting(w.posts["b"], "Hitler would love Franco.", "Altered, the Zollverein is."),
        to=w.posts["b"],
    )
    w.posts["g"] = reply(w.franco, w.stranger, "The sea lion and the lion of the sea; Zollverein.")
    w.posts["h"] = reply(w.franco, w.opener, "Franco, hidden words.")
    w.posts["p"] = pending(w.franco, w.stranger, "Franco, waiting words.")
    w.posts["o"] = reply(w.franco, w.opener, "An old text.")
    edit(w.posts["o"], "A sealion, armies of U.S.S.R. in 1914-18 and/or later.")
    w.posts["t"] = reply(
        w.secret, w.warden, quoting(w.posts["s"], "Franco meets Trotsky secretly.", "So.")
    )
    arguments.argue(
        user=w.answerer, post=w.posts["b"], lane="premise", stance="disputes", quotes={}, ties=()
    )
    arguments.change_mind(
        user=w.stranger, post=w.posts["b"], was="for", now="against", reason="Ah."
    )
    states.hide(user=w.moderator, post=w.posts["h"], reason="Off topic.")
    Post.objects.filter(pk=w.posts["g"].pk).update(written_at=datetime(2025, 3, 31, 20, tzinfo=UTC))
    byline = Post.objects.filter(pk=w.posts["r"].pk)
    byline.update(author=None, byline="Voice A")
    Thread.objects.filter(pk=w.rail.pk).update(author=None, byline="Voice A")
    index.write_posts([w.posts[letter].pk for letter in "gr"])
    w.letters = {post.pk: letter for letter, post in w.posts.items()}
    return w


def ask(world, user, text: str) -> str:
    """The letters of the posts that are found."""
    query = parse(text, today=TODAY)
    assert not query.errors, query.errors
    found = finding.posts(understand(query, user), best=query.best)
    assert not found.after and found.count == len(found.ids)
    return "".join(sorted(world.letters[pk] for pk in found.ids))


# As the stranger, who wrote c, g and p (which waits), sees them.
QUERIES = [
    ("franco", "bfp"),
    ("Franco Azaña", "f"),
    ("franco azana", "f"),
    ('"sea lion"', "g"),
    ('"lion sea"', ""),
    ("sea lion", "g"),
    ("sealion", "o"),
    ('"war of the worlds"', "a"),
    ('"war in the worlds"', ""),
    ("franco -hitler", "fp"),
    ('franco -"blue division"', "bp"),
    ("1914-18", "o"),
    ("18", "o"),
    ("1914-1918", ""),
    ("and/or", "o"),
    ("ussr", "o"),
    ("U.S.S.R.", "o"),
    ("army", "o"),
    ("O'Brien", "f"),
    ("obrien", "f"),
    ("O’Brien’s", "f"),
    ("zoll*", "dg"),
    ("armies*", "o"),
    ("divis*", "f"),
    ("divisi*", ""),  # as /help/search/ says: endings are not kept
    ("division*", "f"),
    ("東京", "r"),
    ("京東", ""),
    ("T-34", "r"),
    ("lodz CORDOBA", "a"),
    ("spoiler", ""),
    ("sauce", ""),
    ('"franco of course"', ""),
    ("trotsky", "a"),
    ("old", ""),
    ("by:opener", "adeo"),
    ("by:opener zollverein", "d"),
    ('by:"Voice A"', "r"),
    ('by:"voice a" tanks', "r"),
    ("by:me", "cgp"),
    ("by:me franco", "p"),
    ("-by:answerer franco", "p"),
    ("by:nobody franco", ""),
    ("board:spain franco", "fp"),
    ("board:after-1900 franco", "bfp"),
    ('board:"After 1900" zollverein', "dg"),
    ("-board:spain franco", "b"),
    ("board:closed franco", ""),
    ("kind:AHC lion", "g"),
    ("kind:AHC,TL the", "fg"),
    ("lane:premise franco", "b"),
    ("stance:disputes by:answerer", "b"),
    ("in:opening franco", "f"),
    ("-in:opening franco", "bp"),
    ("has:quote", "cd"),
    ("has:quote by:opener", "d"),
    ("is:changed-mind", "b"),
    ("status:exact has:quote", "c"),
    ("status:altered", "d"),
    ("since:2025-03 until:2025-03", "g"),
    ("since:2025-03-31 until:2025-03-31 lion", "g"),
    ("until:2025-03-30 lion", ""),
    ("pod:1924 trotsky", "a"),
    ("pod:1900..1945 franco", "bfp"),
    ("pod:1930..1945 franco", "fp"),
    ("pod:..1066 the", "e"),
    ("pod:-44 march", "e"),
    ('pod:"44 BC" march', "e"),
    ("place:Spain franco", "fp"),
    ("who:Trotsky hitler", "b"),
    ("question:open zollverein", "d"),
    ("franco sort:best", "bfp"),
    ("colour:red", ""),
    ("<script> OR 1=1", ""),
]


@pytest.mark.parametrize("text, answer", QUERIES)
def test_sixty_queries(world, text, answer):
    assert ask(world, world.stranger, text) == answer


@pytest.mark.parametrize("frequent", ["SELECT %s IS NULL", "SELECT %s IS NOT NULL"])
def test_frequent_or_not_the_same_is_found(world, monkeypatch, frequent):
    """SQLite goes through rows by time, or asks of what is found when it was written."""
    monkeypatch.setattr(sqlite, "FREQUENT", frequent)
    for text, answer in QUERIES:
        assert ask(world, world.stranger, text) == answer, text
    ids = [reply(world.rail, world.opener, f"Pagination {n}.").pk for n in range(5)]
    ids.append(reply(world.franco, world.opener, "Pagination.").pk)
    Post.objects.filter(pk=ids[3]).update(written_at=datetime(2025, 3, 31, tzinfo=UTC))
    index.write_posts(ids)
    ids = [ids[n] for n in (5, 4, 2, 1, 0, 3)]
    monkeypatch.setattr(finding, "PER_PAGE", 4)
    for limits, expected in (("", ids), (f"in:{world.rail.pk}", ids[1:]), ("pod:1936", ids[:1])):
        text, after, seen = f"pagination {limits}", 0, []
        while after or not seen:
            asked = understand(parse(text, today=TODAY), world.stranger)
            found = finding.posts(asked, after=after)
            seen, after = [*seen, *found.ids], found.after
        assert seen == expected, text


DEBATES = [
    ("in:title franco", ["Franco loses"]),
    ("in:title 東京", ["Railways of 東京"]),
    ("in:divergence trotsky", ["Trotsky succeeds Lenin"]),
    ("in:title coup", []),
    ("in:divergence coup", ["Franco loses"]),
    ("pod:1914", []),
    ("pod:1924", ["Trotsky succeeds Lenin"]),
    ("pod:1900..1950", ["Franco loses", "Trotsky succeeds Lenin"]),
    ("kind:AHC", ["Franco loses"]),
    ("place:Spain", ["Franco loses"]),
    ("who:Trotsky kind:WI", ["Trotsky succeeds Lenin"]),
    ("question:open", ["Trotsky succeeds Lenin"]),
    ("board:spain", ["Franco loses"]),
    ("by:opener in:title lenin", ["Trotsky succeeds Lenin"]),
    ("in:title franco -by:answerer", []),
    ("in:title fran*", ["Franco loses"]),
    ("in:title trotsky -lenin", []),
]


@pytest.mark.parametrize("text, titles", DEBATES)
def test_debates(world, text, titles):
    asked = understand(parse(text, today=TODAY), world.stranger)
    assert asked.debates_only
    rows, count, more, leads = finding.debates(asked)
    assert sorted(thread.title for thread in finding.listed(rows)) == titles
    assert (count, more, leads) == (len(titles), False, 0)


def test_debates_come_before_posts(world):
    def first(text, user=world.stranger):
        found = finding.titles(understand(parse(text, today=TODAY), user))
        return [thread.title for thread in finding.listed(found)]

    assert first("trotsky") == ["Trotsky succeeds Lenin"]
    assert first("zollverein") == ["Trotsky succeeds Lenin"]  # it asks for it
    assert first("franco board:after-1900") == ["Franco loses"]
    assert sorted(first("franco", world.invited)) == ["Franco in secret", "Franco loses"]
    assert first("franco by:opener") == first("nothing") == []


READERS = ("guest", "stranger", "opener", "invited", "warden", "moderator")


def test_counts_by_role(world):
    counts = {
        role: finding.posts(understand(parse("franco", today=TODAY), getattr(world, role))).count
        for role in READERS
    }
    # Visible: b, f; p waits and is the stranger's; h is hidden; s in the closed board.
    assert counts == {
        "guest": 2,
        "stranger": 3,
        "opener": 2,
        "invited": 3,
        "warden": 3,
        "moderator": 5,
    }


WORDS = st.sampled_from(
    "franco trotsky zollverein the of secretly hidden waiting so lion -franco -trotsky fran* by:me"
    ' by:invitee by:opener board:closed board:spain -board:spain kind:WI kind:AHC "in secret"'
    " has:quote status:exact status:altered status:unverifiable status:removed pod:1900..1950"
    " place:Spain in:title in:divergence in:opening question:open since:2024 sort:best who:Trotsky"
    " is:changed-mind lane:premise until:2026".split(" ")
)


@given(st.lists(WORDS, min_size=1, max_size=4).map(" ".join), st.sampled_from(READERS))
@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
def test_whatever_a_reader_finds_they_may_read(world, text, role):
    user = getattr(world, role)
    query = parse(text, today=TODAY)
    if query.errors or query.empty:
        return
    asked = understand(query, user)
    found = finding.posts(asked, best=query.best)
    assert set(found.ids) <= set(posts_visible_to(user).values_list("pk", flat=True))
    assert found.count == len(found.ids) == found.threads.total()
    rows = {*finding.titles(asked), *finding.debates(asked)[0]}
    assert rows <= set(threads_visible_to(user).values_list("pk", flat=True))
    if role in ("guest", "stranger"):
        assert not {world.letters[pk] for pk in found.ids} & set("sth")
    response = browser(user).get("/search/", {"q": text})
    assert response.status_code == 200
    if role in ("guest", "stranger", "opener"):
        for word in ("secretly", "Hendaye", "in secret", "hidden words"):
            if word not in text and not set(word.split()) & set(text.replace('"', "").split()):
                assert word not in response.content.decode()


def test_what_an_opening_says_goes_where_the_opening_goes(world):
    """A debate whose opening is hidden is found by its title, not by what the opening said of
    itself, and nor are its posts."""
    stranger = world.stranger
    states.hide(user=world.moderator, post=world.posts["a"], reason="Off topic.")
    for text in ("pod:1924", "who:Trotsky", "question:open", "in:divergence trotsky"):
        assert not finding.debates(understand(parse(text, today=TODAY), stranger))[0], text
    assert ask(world, stranger, "pod:1924 hitler") == ""
    assert ask(world, stranger, "pod:1900..1945 hitler") == ""
    asked = understand(parse("zollverein", today=TODAY), stranger)
    assert not finding.titles(asked)
    (one,), *_ = finding.debates(understand(parse("in:title trotsky", today=TODAY), stranger))
    page = browser(stranger).get("/search/", {"q": "trotsky"}).content.decode()
    assert one == world.trotsky.pk and "1924" not in page
    assert ask(world, world.moderator, "pod:1924 hitler") == "b"


@pytest.mark.parametrize("role", READERS)
def test_status_is_the_word_that_is_shown(world, role):
    user = getattr(world, role)
    states.hide(user=world.moderator, post=world.posts["b"], reason="Off topic.")
    edit(world.posts["a"], "Something else altogether.")
    posts = list(posts_visible_to(user).select_related("body"))
    words = judged(posts, user)
    for status in ("exact", "shortened", "altered", "edited", "removed", "unverifiable"):
        shown = {
            world.letters[post.pk]
            for post in posts
            if status in {word for _, word in words.get(post.body.revision_id, ())}
        }
        assert set(ask(world, user, f"status:{status}")) == shown, status


def test_a_verdict_that_hardly_any_has_is_looked_for_among_the_newest(world, monkeypatch):
    """As many as are looked at for any other word, and the page says so."""
    for _ in range(6):
        reply(
            world.trotsky, world.stranger, quoting(world.posts["a"], "What would Trotsky do", "No.")
        )
    edit(world.posts["a"], "Something else altogether.")
    monkeypatch.setattr(finding, "COUNTED", 3)
    monkeypatch.setattr(finding, "PROBE", 4)
    found = finding.posts(understand(parse("status:edited", today=TODAY), world.stranger))
    assert (len(found.ids), found.count, found.more, found.newest_of) == (4, 4, True, 4)
    none = finding.posts(understand(parse("status:removed", today=TODAY), world.stranger))
    assert (none.ids, none.count, none.newest_of) == ([], 0, 4)
    for status in ("edited", "removed"):
        page = browser(world.stranger).get("/search/", {"q": f"status:{status}"}).content.decode()
        assert "the newest 4 were looked at" in page
    exact = finding.posts(understand(parse("status:exact", today=TODAY), world.stranger))
    assert exact.newest_of == 0


def test_a_board_out_of_sight_is_as_one_that_is_not_there(world):
    closed, none = (
        understand(parse(f"board:{name} franco", today=TODAY), world.stranger).nothing
        for name in ("closed", "none")
    )
    assert closed.replace("closed", "none") == none != ""


@pytest.mark.parametrize("best", [False, True])
def test_pages_follow_one_another(world, best):
    """By seek: what is written between two pages moves nothing, and nothing is left out."""
    ids = []
    for n in range(47):
        ids.append(reply(world.rail, world.opener, f"Pagination {'pagination ' * (n % 3)}").pk)
    asked = understand(parse("pagination", today=TODAY), world.stranger)
    seen, after = [], 0
    while True:
        found = finding.posts(asked, best=best, after=after)
        seen += found.ids
        assert found.count >= 47
        if not found.after:
            break
        after = found.after
        if not best:
            reply(world.rail, world.opener, "Pagination meanwhile.")
    assert len(seen) == len(set(seen)) == 47
    assert best or seen == ids[::-1]


def test_more_than_are_counted(world, monkeypatch):
    monkeypatch.setattr(finding, "COUNTED", 10)
    monkeypatch.setattr(finding, "PROBE", 12)
    monkeypatch.setattr(finding, "BATCHES", (3, 5, 5, 5))
    monkeypatch.setattr(finding, "RANKED", 15)
    monkeypatch.setattr(looking, "RARE", 2)
    monkeypatch.setattr(looking, "AT_ONCE", 0)
    ids = [reply(world.rail, world.opener, f"Manifold {n}.").pk for n in range(30)]
    for pk in ids[-4:]:
        Post.objects.filter(pk=pk).update(state=State.HIDDEN)
    asked = understand(parse("manifold", today=TODAY), world.stranger)
    found = finding.posts(asked)
    assert found.more and found.count <= 12
    assert found.ids[0] == ids[-5] and found.after
    seen = [*found.ids, *finding.posts(asked, after=found.after).ids]
    assert seen[:20] == found.ids and set(seen) <= set(ids[:-4])
    best = finding.posts(asked, best=True)
    assert best.newest_of and set(best.ids) <= set(ids[-15:-4])


@pytest.mark.parametrize("text", ["manifold", "status:exact"])
def test_of_a_first_page_rights_are_asked_once(world, monkeypatch, text):
    """Of some hits, to say how many there are, and of the newest, which are shown."""
    monkeypatch.setattr(finding, "COUNTED", 10)
    monkeypatch.setattr(finding, "PROBE", 12)
    monkeypatch.setattr(looking, "AT_ONCE", 0)
    words = quoting(world.posts["a"], "What would Trotsky do in 1924?", "Manifold.")
    ids = [reply(world.trotsky, world.opener, words).pk for _ in range(25)]
    times = []
    asked_once = finding.readable
    monkeypatch.setattr(
        finding, "readable", lambda *given: times.append(given) or asked_once(*given)
    )
    found = finding.posts(understand(parse(text, today=TODAY), world.stranger))
    assert found.ids == ids[:4:-1] and found.after and found.more
    if connection.vendor == "postgresql":
        assert len(times) == 1


@pytest.mark.postgres
def test_what_is_not_frequent_is_looked_for_at_once(world, monkeypatch):
    """All that match, if they are not too many: the same is found by fewer statements."""
    monkeypatch.setattr(finding, "COUNTED", 20)
    monkeypatch.setattr(finding, "PROBE", 24)
    monkeypatch.setattr(probes, "NEAR", 24)
    for name, value in (("NEAREST", 8), ("FREQUENT", 2), ("RARE", 2)):
        monkeypatch.setattr(looking, name, value)
    for n in range(40):
        reply(world.secret if n % 8 == 0 else world.rail, world.invited, f"Manifold {n}.")

    def page(user, after: int = 0) -> tuple[finding.Found, int]:
        asked = understand(parse("manifold", today=TODAY), user)
        with CaptureQueriesContext(connection) as queries:
            found = finding.posts(asked, after=after)
        return found, len(queries)

    for user in (world.guest, world.stranger, world.invited, world.moderator):
        monkeypatch.setattr(looking, "AT_ONCE", 0)
        (found, many), (rest, _) = page(user), page(user, page(user)[0].after)
        assert len(found.ids) == 20 and found.more
        monkeypatch.setattr(looking, "AT_ONCE", 10**12)
        again, few = page(user)
        assert (again.ids, again.more, again.after) == (found.ids, found.more, found.after)
        assert page(user, again.after)[0].ids == rest.ids
        assert few < many


@pytest.mark.parametrize("rare", [2, 50])
def test_what_stands_in_closed_boards_hides_nothing_else(world, monkeypatch, rare):
    """However many newer ones the reader does not see, and whatever is looked at at once."""
    monkeypatch.setattr(finding, "COUNTED", 3)
    monkeypatch.setattr(finding, "PROBE", 4)
    monkeypatch.setattr(finding, "BATCHES", (3, 3, 5, 5))
    monkeypatch.setattr(probes, "WINDOW", 6)
    monkeypatch.setattr(looking, "RARE", rare)
    seen = [reply(world.rail, world.opener, f"Manifold {n}.").pk for n in range(2)]
    for n in range(40):
        reply(world.secret, world.invited, f"Manifold again {n}.")
    asked = understand(parse("manifold", today=TODAY), world.stranger)
    found = finding.posts(asked)
    assert (found.ids, found.count, found.more) == (seen[::-1], 2, False)
    assert set(finding.posts(asked, best=True).ids) == set(seen)
    assert len(finding.posts(understand(parse("manifold", today=TODAY), world.invited)).ids) > 10


PARTS = ((1, 1), (1, 3), (3, 50))


@pytest.mark.parametrize(
    "text, parts",
    [
        *product(("place:Iberia ebro", "pod:1936 ebro -segre", "ebro", "by:me ebro"), PARTS),
        *product(("in:{0} ebro", "in:{0} ebro -segre", "since:2026-11-24 segre"), PARTS[:1]),
        *product(("since:2026-11-25 ebro", "since:2026-11-24 until:2026-11-24 ebro"), PARTS[:1]),
    ],
)
def test_pages_of_many_debates(world, monkeypatch, text, parts):
    """However little is looked at at once: the newest come first, page by page, none twice."""
    debates = [
        opened(
            world.modern,
            world.opener,
            f"Crossing {n}",
            "Of rivers.",
            divergences=[{"change": "A bridge", "when": "1936", "place": "Iberia"}],
        )
        for n in range(5)
    ]
    for n in range(60):
        words = "Ebro and Segre." if n % 7 == 0 else "Ebro alone." if n % 3 else "Neither."
        reply(debates[(n * n) % 5] if n < 50 else debates[n % 2], world.opener, f"{words} {n}")
    rows = PostWords.objects.filter(thread__in=debates)
    for n, pk in enumerate(rows.order_by("pk").values_list("pk", flat=True)):
        rows.filter(pk=pk).update(at=datetime(2026, 11, 23 + n // 20, tzinfo=UTC))
    text = text.format(debates[0].pk)
    asked = understand(parse(text, today=TODAY), world.opener)
    expected = finding.posts(asked)
    every = expected.ids
    while expected.after:
        expected = finding.posts(asked, after=expected.after)
        every = [*every, *expected.ids]
    order = {row.pk: (row.at, row.pk) for row in PostWords.objects.all()}
    assert len(every) > (30 if ":2026" not in text and "in:" not in text else 4)
    assert every == sorted(every, key=order.get, reverse=True)

    for module, name, value in (
        *((finding, "PER_PAGE", 4), (finding, "COUNTED", 8), (finding, "PROBE", 10)),
        *((finding, "BATCHES", (3, 3, 5, 5)), (probes, "NEAR", 12), (probes, "WINDOW", 20)),
        *((looking, "NEAREST", 4), (looking, "FREQUENT", 0.5), (looking, "RARE", 2)),
        *((looking, "OFTEN", 4), (looking, "COMMON", 0.3), (probes, "FEW", 1)),
        (looking, "AT_ONCE", 0),
        *((probes, "FIRST", parts[0]), (probes, "MOST", parts[1])),
    ):
        monkeypatch.setattr(module, name, value)
    asked = understand(parse(text, today=TODAY), world.opener)
    found = finding.posts(asked)
    seen = found.ids
    while found.after:
        assert len(found.ids) == 4
        found = finding.posts(asked, after=found.after)
        seen = [*seen, *found.ids]
    assert seen == every


def test_a_debate_or_the_last_days_cost_no_more_with_all_that_stands_elsewhere(world, monkeypatch):
    """A frequent word is looked for in the rows of the debate, and in those of the days, alone."""
    monkeypatch.setattr(finding, "PROBE", 30)
    most = 1.1 if connection.vendor == "postgresql" else 2  # FTS5 goes through all hits

    def write(thread, count: int, *moments: datetime) -> None:
        with monkeypatch.context() as then:
            if moments:
                then.setattr("core.clock.now", lambda: moments[0])
            for n in range(count):
                reply(thread, world.opener, f"Ebro {n}.")

    def rows(text: str) -> int:
        analyzed()
        asked = understand(parse(text, today=TODAY), world.stranger)
        return effort(lambda: finding.posts(asked), "forum_postwords", without=("seqscan",))

    write(world.rail, 45, datetime(2020, 1, 1, tzinfo=UTC))
    write(world.rome, 20)
    here, lately = f"in:{world.rail.pk} ebro", "since:2026-11-01 ebro"
    old, new = rows(here), rows(lately)
    write(world.trotsky, 60, datetime(2019, 1, 1, tzinfo=UTC))
    assert rows(lately) <= new * most
    write(world.trotsky, 60)
    assert rows(here) <= old * most


def test_an_excerpt_leads_to_the_passage_and_marks_the_words(world):
    text = (
        "First words.\n\n"
        + "Filler. " * 60
        + "Here the Zollverein’s *sea lion* stands. "
        + "End. " * 60
    )
    post = reply(world.rail, world.opener, text)
    asked = understand(parse('zollverein "sea lion"', today=TODAY), world.stranger)
    shown = excerpt(post.body.revision, post.body.html, asked.match)
    assert [words for words, found in shown.pieces if found] == ["Zollverein’s", "sea", "lion"]
    assert (shown.passage, shown.before, shown.after) == (2, True, True)
    assert len("".join(words for words, _ in shown.pieces).split()) <= 41
    assert marked("The sea lion", asked.match) == [
        ("The ", False),
        ("sea", True),
        (" ", False),
        ("lion", True),
    ]


@given(st.text(alphabet="ab c|*<&>\n", min_size=1, max_size=60))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
    max_examples=60,
)
def test_no_excerpt_shows_what_is_under_a_spoiler(world, text):
    post = Post.objects.select_related("body__revision").get(pk=world.posts["g"].pk)
    try:
        rendered = markup.render(
            f"{text} ||SECRET|| word\n\n[spoiler]\nSECRET\n[/spoiler]", format="markdown"
        )
    except markup.MarkupError:
        return
    if "SECRET" in rendered.plain and rendered.html.count('class="spoiler"') < 2:
        return  # the bars were no spoiler there
    revision = post.body.revision
    revision.plain = rendered.plain
    revision.passages = [[one.start, one.end] for one in rendered.passages]
    asked = understand(parse("secret word", today=TODAY), world.guest)
    shown = excerpt(revision, rendered.html, asked.match)
    assert "SECRET" not in "".join(words for words, _ in shown.pieces)


def test_the_page(world):
    page = browser().get("/search/").content.decode()
    assert "What one can type" in page and "board:antiquity" in page
    page = browser().get("/search/", {"q": "franco"}).content.decode()
    assert "<mark>Franco</mark>" in page and "2 posts in 2 debates" in page
    assert 'title="Challenge">AHC<span class="vh">: challenge</span>' in page
    assert 'href="?q=franco+board%3Aspain"' in page
    page = browser().get("/search/", {"q": "franco", "sort": "best"}).content.decode()
    assert 'href="?q=franco+board%3Aspain&amp;sort=best"' in page
    page = browser().get("/search/", {"q": "franco zebra"}).content.decode()
    assert "Nothing was found" in page and "Without <em" in page
    page = browser().get("/search/", {"q": "kind:novel <b>"}).content.decode()
    assert "There is WI, AHC" in page and "&lt;b&gt;" in page
    page = browser().get("/search/", {"q": "colour:red"}).content.decode()
    assert "is no filter" in page and "pod:" in page
    page = browser().get("/search/", {"q": "by:nobody"}).content.decode()
    assert "There is no member named “nobody”" in page
    assert browser().get("/search/", {"q": "x", "after": "one"}).status_code == 404
    assert browser().get("/search/", {"q": "\u202e ＂ *"}).status_code == 200


def test_a_page_asks_as_often_for_six_lines_as_for_one(world):
    """Whatever debates they stand in, whose dates are shown."""
    reply(world.trotsky, world.opener, "Manifold.")
    for thread in (world.trotsky, world.franco, world.rome) * 2:
        reply(thread, world.opener, "Calculus.")

    def statements(word: str) -> int:
        browser().get("/search/", {"q": word})
        with CaptureQueriesContext(connection) as asked:
            page = browser().get("/search/", {"q": word}).content.decode()
        assert f">{word}</mark>" in page and "Divergence </span>1924</div>" in page
        return len(asked)

    assert statements("Calculus") == statements("Manifold")


@pytest.mark.postgres
def test_a_rare_word_takes_six_statements(world, monkeypatch):
    """The hits, their debates, their posts, debates with the word, what a page shows, and the
    names of boards."""
    monkeypatch.setattr(looking, "NEAREST", 1)
    for thread in (world.trotsky, world.franco, world.rome) * 2:
        reply(thread, world.opener, "Calculus.")
    reply(world.rome, world.opener, "Nothing.")
    browser().get("/search/", {"q": "calculus"})
    with CaptureQueriesContext(connection) as asked:
        page = browser().get("/search/", {"q": "calculus"}).content.decode()
    assert "6 posts in 3 debates" in page and "board%3Aspain" in page
    assert len(asked) == 6


def test_everything_found_was_written_down(world):
    assert PostWords.objects.count() == Post.objects.count() == len(world.posts)
    assert Quote.objects.filter(verdict="altered").count() == 1
    assert openings_visible_to(world.guest).count() == 4
