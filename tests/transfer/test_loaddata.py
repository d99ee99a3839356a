"""Loading thread fixtures: into an empty or a busy forum, again, newer, interrupted, refused."""

import gzip
import io
import json
import os
import re
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forum import tree
from forum.actions import description
from forum.models import (
    AuditEntry,
    Board,
    Divergence,
    PassageKey,
    Post,
    PostBody,
    PostRevision,
    Question,
    Quote,
    State,
    Thread,
)
from forum.models.visibility import posts_visible_to, threads_visible_to
from forum.permissions import NotThere, require
from forum.text import quoting
from forum.transfer import Rejected, fixture, loading, parsing
from forum.transfer import rows as loaded_rows

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "fixtures/threads/trotsky-spain.json"
MODELS = (Board, Thread, Post, PostRevision, PostBody, Quote, Divergence, Question)

pytestmark = pytest.mark.django_db
DEEP = 5_000 if os.environ.get("JONBAR_LONG") == "1" else 1_500


@pytest.fixture
def boards() -> None:
    load("boards")


@pytest.fixture
def small_parts(monkeypatch) -> None:
    """Several parts out of few posts, and no waiting between them."""
    for module in (loaded_rows, loading):
        monkeypatch.setattr(module, "PART_POSTS", 3)
    monkeypatch.setattr(loaded_rows, "PAUSE", 0)


def load(*labels: object, **options) -> str:
    """Run loaddata and return what it says."""
    said = io.StringIO()
    call_command("loaddata", *map(str, labels), stdout=said, **options)
    return said.getvalue()


def dump() -> dict[str, list]:
    """Every row of every table that a debate stands in."""
    return {model.__name__: list(model.objects.order_by("pk").values_list()) for model in MODELS}


def objects(
    key: str, parents: list[int | None], *, version: int = 1, quoting: tuple[int, ...] = ()
) -> list[dict]:
    """A fixture of posts that answer the post at `parents` (from 1; None: the debate, or nobody
    knows); those whose numbers stand in `quoting` quote the first words of what they answer."""
    head = {"key": key, "format": 1, "version": version, "board": ["antiquity"]}
    made = [{"model": "forum.thread", "fields": {**head, "title": f"About {key}", "kind": "WI"}}]
    quotes = []
    for number, parent in enumerate(parents, 1):
        words = f"Post {number} of {key} says what it has to say."
        basis = "opening" if number == 1 else "reply"
        if number in quoting:
            words = f"Post {parent} of {key} says what it has to say.\n\n{words}"
            basis = "quote"
            quotes.append(
                {
                    "model": "forum.quote",
                    "fields": {
                        "post": [f"{key}-{number}"],
                        "ordinal": 1,
                        "paragraphs": [1, 1],
                        "source_post": [f"{key}-{parent}"],
                    },
                }
            )
        made.append(
            {
                "model": "forum.post",
                "fields": {
                    "key": f"{key}-{number}",
                    "thread": [key],
                    "parent": None if parent in (None, 1) else [f"{key}-{parent}"],
                    "parent_basis": basis,
                    "byline": f"Voice {number}",
                    "format": "plain",
                    "text": words,
                },
            }
        )
    return made + quotes


def written(tmp_path: Path, made: list[dict], name: str = "x.json") -> Path:
    path = tmp_path / name
    path.write_bytes(fixture.dump(made))
    return path


def check_thread(key: str) -> Thread:
    """Everything derived from the posts of a thread is right."""
    thread = Thread.objects.get(key=key)
    found = Post.objects.filter(thread=thread).select_related("body__revision")
    rows = list(found.order_by("number"))
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    right = tree.labels((row.pk, row.parent_id) for row in rows)
    assert {row.pk: (row.tree_id, row.lft, row.rght, row.level) for row in rows} == right
    visible = [row for row in rows if row.state == State.VISIBLE]
    assert thread.numbered == len(rows)
    assert thread.reply_count == len(visible) - 1
    assert thread.last_post_id == visible[-1].pk
    assert Board.objects.get(pk=thread.board_id).thread_count == thread.board.threads.count()
    assert [row.loaded_at for row in rows] == sorted({row.loaded_at for row in rows})
    indexed = set(PassageKey.objects.filter(thread=thread).values_list("post_id", flat=True))
    assert indexed >= {row.pk for row in rows}
    for row in rows:
        revision = row.body.revision
        assert revision.post_id == row.pk
        assert row.body.html
        assert revision.plain
    for quote in Quote.objects.filter(post__thread=thread, verdict="exact"):
        passage = quote.source_revision.plain[quote.start : quote.end]
        assert quoting.still_stands([quote.words], passage)
        assert quote.source_revision.post_id == quote.source_post_id
    return thread


# --- The source thread ----------------------------------------------------------------------


def test_the_source_thread(boards):
    assert "trotsky-spain: 7 posts loaded into /threads/" in load("trotsky-spain")
    thread = check_thread("trotsky-spain")
    assert thread.board.slug == "after-1900"
    assert (thread.byline, thread.author, thread.version) == ("Voice 1", None, 2)
    assert thread.created_at == thread.last_post_at
    posts = list(thread.posts.order_by("number"))
    assert [post.writer for post in posts] == [f"Voice {n}" for n in range(1, 8)]
    numbers = {post.pk: post.number for post in posts}
    assert [(numbers.get(p.parent_id), p.parent_basis) for p in posts] == [
        (None, "opening"),
        (None, "unknown"),
        (None, "unknown"),
        (None, "unknown"),
        (4, "quote"),
        (5, "quote"),
        (6, "quote"),
    ]
    assert not [post for post in posts if post.written_at or post.author_id]
    quotes = [
        (q.post.number, q.source_post.number, q.source_passage, q.verdict, q.whole)
        for q in Quote.objects.order_by("pk")
    ]
    assert quotes == [(5, 4, 1, "exact", True), (6, 5, 4, "exact", False), (7, 6, 2, "exact", True)]
    source = (ROOT / "fixtures/sources/trotsky-spain.txt").read_text(encoding="utf-8")
    texts = [post.body.revision.source for post in posts]
    assert source == f"{thread.title}\n\n" + "\n\u00a0\n".join([*texts, "Top"])
    assert [len(post.body.revision.passages) for post in posts] == [7, 8, 5, 1, 4, 2, 2]


def test_the_same_version_again_writes_nothing(boards):
    load("trotsky-spain")
    before = dump()
    with CaptureQueriesContext(
        connection,
    ) as log:
        said = load("trotsky-spain", BUILT)
    assert "Version 1 is here already." in said
    assert [q["sql"] for q in log if not q["sql"].startswith("SELECT")] == []
    assert dump() == before


def test_a_busy_forum_stays_as_it_was(boards, tmp_path):
    for number in range(50):
        made = objects(f"other-{number}", [None, 1, 2, 2], quoting=(3,))
        loading.load(parsing.read(fixture.dump(made), "other"))
    antiquity = Board.objects.get(slug="antiquity")
    before = dump()
    load("trotsky-spain")
    after = dump()
    assert antiquity.thread_count == 50
    for name, rows in before.items():
        changed = set(map(repr, rows)) - set(map(repr, after[name]))
        assert len(changed) == (name == "Board")  # the count of debates of "After 1900"
    assert len(after["Thread"]) == 51
    check_thread("trotsky-spain")
    check_thread("other-31")


def test_boards_loaded_again_keep_their_order_and_counts(boards):
    load("trotsky-spain")
    first = Board.objects.get(slug="antiquity")
    Board.objects.filter(pk=first.pk).update(tree_id=99)
    tree.relabel_boards()
    before = list(Board.objects.in_order().values_list("slug", "tree_id", "thread_count"))
    assert before[-1][0] == "antiquity"
    load("boards")
    assert list(Board.objects.in_order().values_list("slug", "tree_id", "thread_count")) == before


def test_the_eight_boards(boards):
    assert list(Board.objects.in_order().values_list("name", flat=True)) == [
        "Antiquity",
        "500 to 1800",
        "The long nineteenth century",
        "After 1900",
        "Finished timelines",
        "Deliberate fantasy",
        "Maps and flags",
        "About this forum",
    ]
    assert not Board.objects.filter(description="").exists()


def test_other_fixtures_are_djangos(boards, tmp_path):
    made = [{"model": "accounts.user", "fields": {"username": "member-a", "password": "!"}}]
    path = written(tmp_path, made)
    said = load("boards", path, "trotsky-spain")
    assert "Installed 9 object(s) from 2 fixture(s)" in said
    assert get_user_model().objects.filter(username="member-a").exists()
    check_thread("trotsky-spain")


def test_boards_may_come_with_the_thread_in_any_order():
    load("trotsky-spain", "boards")
    check_thread("trotsky-spain")


def test_standard_input_and_compressed_files(boards, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(BUILT.read_text(encoding="utf-8")))
    load("-", format="json")
    check_thread("trotsky-spain")
    monkeypatch.setattr("sys.stdin", io.StringIO((ROOT / "fixtures/boards.json").read_text()))
    assert "Installed 8" in load("-", format="json")
    path = tmp_path / "packed.json.gz"
    path.write_bytes(gzip.compress(fixture.dump(objects("packed", [None, 1]))))
    load(path)
    check_thread("packed")


def test_excluded_threads_stay_out(boards):
    load("trotsky-spain", exclude=["forum.thread"])
    assert not Thread.objects.exists()


# --- Divergences and questions --------------------------------------------------------------


def with_card(made: list[dict], *dates: str, questions: tuple[str, ...] = ()) -> list[dict]:
    """A fixture of which somebody said where it leaves history, and what it asks."""
    key = made[0]["fields"]["key"]
    cards = [
        {"model": "forum.divergence", "fields": {"thread": [key], "change": "It.", "edtf": edtf}}
        for edtf in dates
    ]
    cards += [
        {"model": "forum.question", "fields": {"thread": [key], "text": text}} for text in questions
    ]
    return made + cards


def test_the_card_of_the_source_thread(boards):
    load("trotsky-spain")
    thread = Thread.objects.get()
    rows = Divergence.objects.by_date()
    assert [(row.edtf, row.by_editor, row.order) for row in rows] == [
        ("1924~", True, 1),
        ("1936/1939", True, 2),
    ]
    asked = [one["text"] for one in thread.card["questions"]]
    assert [row.text for row in Question.objects.order_by("order")] == asked
    assert asked == [
        "I believe this is so, are there any disagreements?",
        "Would Trotsky be more interventionist in the military conflicts in other countries?",
        "Would he send more aid to the communists in China and Korea, or possibly even send "
        "soldiers?",
        "With Germany, France, and Britain sending aide to the Nationalists, could this spark a "
        "ww2?",
        "If it could spark ww2, what would the alliances be?",
    ]
    opening = thread.posts.get(number=1).body.revision.source
    assert all(question in opening for question in asked)
    assert [(one["edtf"], one["by_editor"]) for one in thread.card["divergences"]] == [
        ("1924~", True),
        ("1936/1939", True),
    ]
    assert not AuditEntry.objects.exists()


def card_of(key: str) -> dict:
    """The card of a thread, which must say what its rows say."""
    thread = Thread.objects.get(key=key)
    rows = Divergence.objects.filter(thread=thread).order_by("order")
    asked = Question.objects.filter(thread=thread).order_by("order")
    shown = thread.card.get("divergences", [])
    assert [(row.edtf, row.first_day, row.last_day) for row in rows] == [
        (one["edtf"], one["first"], one["last"]) for one in shown
    ]
    assert [row.text for row in asked] == [one["text"] for one in thread.card.get("questions", ())]
    return thread.card


def bring(made: list[dict]) -> loading.Loaded:
    return loading.load(parsing.read(fixture.dump(made), "t.json"))


LEFT = "Divergences and questions are left as they are here."


def test_a_newer_version_brings_a_card_where_there_is_none(boards):
    bring(objects("t", [None, 1]))
    assert card_of("t") == {}
    version = Thread.objects.get().version
    loaded = bring(with_card(objects("t", [None, 1], version=2), "-0479", questions=("Why?",)))
    assert (loaded.added, loaded.notes) == (0, [])
    assert card_of("t")["divergences"][0]["edtf"] == "-0479"
    assert Thread.objects.get().version == version + 1
    before = dump()
    bring(with_card(objects("t", [None, 1], version=2), "1999"))
    assert dump() == before


def test_a_newer_version_leaves_a_card_that_is_there(boards):
    bring(with_card(objects("t", [None, 1]), "1924~", questions=("Why?",)))
    card, version = card_of("t"), Thread.objects.get().version
    loaded = bring(with_card(objects("t", [None, 1], version=2), "1999"))
    assert loaded.notes == [LEFT]
    assert card_of("t") == card
    assert bring(objects("t", [None, 1], version=3)).notes == [LEFT]
    assert card_of("t") == card
    assert Thread.objects.get().version == version
    same = with_card(objects("t", [None, 1], version=4), "1924~", questions=("Why?",))
    assert bring(same).notes == []


def test_a_card_that_was_taken_away_here_does_not_come_back(boards):
    bring(with_card(objects("t", [None, 1]), "1924~"))
    chief = get_user_model().objects.create(username="chief", is_staff=True, is_superuser=True)
    chief.set_address("chief@example.org", known=True)
    description.describe(user=chief, thread=Thread.objects.get(), divergences=[], questions=[])
    loaded = bring(with_card(objects("t", [None, 1], version=2), "1924~"))
    assert loaded.notes == [LEFT]
    assert card_of("t") == {}
    assert not Divergence.objects.exists()


def test_a_card_comes_even_if_a_post_is_left_out(boards):
    bring(objects("t", [None, 1, 2]))
    Post.objects.filter(key="t-3").update(state=State.HIDDEN)
    Thread.objects.update(reply_count=1)
    made = with_card(objects("t", [None, 1, 2, 3], version=2, quoting=(4,)), "1924~")
    loaded = bring(made)
    assert loaded.added == 0
    assert card_of("t")["divergences"]
    before = dump()
    bring(made)
    assert dump() == before


def test_nothing_of_a_card_is_left_when_a_load_broke_off(boards, small_parts, monkeypatch):
    made = with_card(objects("t", [None, 1, 2, 3]), "1924~", questions=("Why?",))
    with monkeypatch.context() as patch:
        crash_at(patch, 2)
        with pytest.raises(Crash):
            bring(made)
    bring(made)
    assert Thread.objects.count() == Divergence.objects.count() == Question.objects.count() == 1
    assert card_of("t")["questions"][0]["text"] == "Why?"


# --- Refused --------------------------------------------------------------------------------


def test_a_thread_needs_its_board():
    with pytest.raises(CommandError, match='there is no board "after-1900" here'):
        load("trotsky-spain")
    assert not Thread.objects.exists()


def test_one_bad_file_stops_all(boards, tmp_path):
    made = objects("bad", [None, 1])
    made.insert(2, {"model": "accounts.user", "fields": {"username": "x", "is_superuser": True}})
    before = dump()
    with pytest.raises(
        CommandError, match=r"x\.json, line \d+, object 3: a thread brings no members"
    ):
        load("trotsky-spain", written(tmp_path, made))
    made.insert(0, made.pop(2))
    with pytest.raises(
        CommandError, match=r"x\.json, line \d+, object 1: the first object must be"
    ):
        load(written(tmp_path, made))
    assert dump() == before
    assert not get_user_model().objects.exists()


def test_broken_json_names_the_line(boards, tmp_path):
    path = tmp_path / "broken.json"
    path.write_bytes(BUILT.read_bytes().replace(b'"kind": "WI",', b'"kind": WI,'))
    with pytest.raises(CommandError, match=r"broken\.json, line 12: not JSON"):
        load(path)


def test_what_is_packed_or_piped_in_is_read_up_to_the_limit(
    boards, tmp_path, settings, monkeypatch
):
    settings.FIXTURE_MAX_BYTES = 5_000
    before = dump()
    path = tmp_path / "bomb.json.gz"
    path.write_bytes(gzip.compress(BUILT.read_bytes() + b" " * 10_000_000))
    packed = tmp_path / "debate.zip"
    with ZipFile(packed, "w") as archive:
        archive.writestr("debate.json", BUILT.read_bytes())
    monkeypatch.setattr("sys.stdin", io.StringIO(BUILT.read_text()))
    for label in (path, packed, "-"):
        with pytest.raises(CommandError, match=r"larger than the 5,000 bytes .* unpack it"):
            load(label, format="json")
    assert dump() == before
    # What is not for the importer is not the importer's to limit.
    settings.FIXTURE_MAX_BYTES = 50
    load("boards")


@pytest.mark.parametrize("small", [0, 1 << 20])
def test_a_file_of_any_size_is_read_and_never_as_a_whole(
    boards, tmp_path, settings, monkeypatch, small
):
    settings.FIXTURE_MAX_BYTES = 5_000
    monkeypatch.setattr("forum.management.commands.loaddata.IN_MEMORY", small)
    monkeypatch.setattr("forum.transfer.streaming.PIECE", 1_000)
    monkeypatch.setattr("forum.transfer.parsing.whole", lambda _: pytest.fail("read as a whole"))
    bad = tmp_path / "bad.json"
    made = objects("bad", [None, 1])
    made[2]["fields"]["parent"] = ["nobody"]
    bad.write_bytes(fixture.dump(made) + b" " * 5_000)
    line = bad.read_text().partition('"key": "bad-2"')[0].count("\n") - 2  # its "{" and "fields"
    with pytest.raises(
        CommandError, match=rf"bad\.json, line {line}, object 3 .* not in this file"
    ):
        load(bad)
    bad.write_bytes(BUILT.read_bytes()[:-3])
    lines = bad.read_bytes().count(b"\n")
    with pytest.raises(
        CommandError, match=r"bad\.json, line \d+: here or further on it is"
    ) as error:
        load(bad)
    assert lines - 9 < int(re.search(r"line (\d+)", str(error.value))[1]) <= lines + 1
    bad.write_bytes(BUILT.read_text().encode("utf-16"))
    with pytest.raises(CommandError, match=r"bad\.json, line 1: .* can.t decode"):
        load(bad)
    load("trotsky-spain")
    assert Thread.objects.get(key="trotsky-spain").reply_count > 5


def test_a_key_of_another_debate_is_refused(boards, tmp_path):
    load(written(tmp_path, objects("one", [None, 1, 1])))
    made = objects("two", [None, 1, 1])
    for one in made[1:]:
        one["fields"]["key"] = one["fields"]["key"].replace("two-3", "one-3")
    before = dump()
    with pytest.raises(CommandError, match=r"object 4 \(forum.post\): another debate .* 'one-3'"):
        load(written(tmp_path, made))
    assert dump() == before
    # Nor may a newer version of a debate take one over.
    load(written(tmp_path, objects("two", [None, 1])))
    made[0]["fields"]["version"] = 2
    before = dump()
    with pytest.raises(CommandError, match=r"object 4 \(forum.post\): another debate .* 'one-3'"):
        load(written(tmp_path, made))
    assert dump() == before


# --- Newer and older versions ---------------------------------------------------------------


def newer(parents: list[int | None], *, version: int = 2, **more) -> loading.Loaded:
    made = objects("t", parents, version=version, **more)
    return loading.load(parsing.read(fixture.dump(made), "t.json"))


def post(number: int) -> Post:
    return Post.objects.get(key=f"t-{number}")


def reply(thread_key: str, parent: Post | None = None) -> Post:
    """An answer of a member's, number and all, without going through the forms."""
    with pytest.MonkeyPatch.context():
        from django.db import transaction

        from forum.actions import posts
        from forum.actions.composing import compose

        with transaction.atomic():
            thread = Thread.objects.select_related("board").get(key=thread_key)
            (thread,) = tree.lock(thread.pk)
            user = get_user_model().objects.get_or_create(username="member-a")[0]
            row = Post(thread=thread, parent=parent, author=user)
            text = compose(user=user, board=thread.board, source="I was here.", thread=thread)
            return posts.add(row, text, editor=user)


def test_a_newer_version_adds_what_is_missing(boards, small_parts):
    newer([None, 1, 2, 3, 2], version=1)
    mine = reply("t", post(2))
    loaded = newer([None, 1, 2, 3, 2, 2, 6, 4, 1, 9, 3], quoting=(6, 7))
    assert (loaded.added, loaded.notes) == (6, [])
    thread = check_thread("t")
    assert thread.fixture_version == 2
    assert (mine.number, post(6).number, post(11).number) == (6, 7, 12)
    assert [q.verdict for q in Quote.objects.order_by("pk")] == ["exact", "exact"]
    assert post(9).parent_id is None
    before = dump()
    assert newer([None, 1, 2, 3, 2, 2, 6, 4, 1, 9, 3], quoting=(6, 7)).added == 0
    assert dump() == before


def test_a_newer_version_with_nothing_new(boards):
    newer([None, 1, 2], version=1)
    assert (newer([None, 1, 2]).added, Thread.objects.get().fixture_version) == (0, 2)


def test_an_older_version_writes_nothing(boards):
    newer([None, 1, 2], version=3)
    before = dump()
    with CaptureQueriesContext(connection) as log:
        loaded = newer([None, 1, 2, 3], version=2)
    assert loaded.notes == ["Version 2 is older than version 3, which is here already."]
    assert all(q["sql"].startswith("SELECT") for q in log)
    assert dump() == before


def test_what_was_changed_here_stays(boards):
    newer([None, 1, 2, 3, 1], version=1)
    edited, hidden = post(2), post(3)
    revision = edited.body.revision
    PostBody.objects.filter(post=edited).update(
        revision=PostRevision.objects.create(
            post=edited, number=2, source="New", plain="New", created_at=revision.created_at
        ),
        revision_number=2,
        html="<p>New</p>",
    )
    Post.objects.filter(pk=hidden.pk).update(state=State.HIDDEN)
    Thread.objects.update(title="Another title", reply_count=3)
    before = dump()
    made = objects("t", [None, 1, 2, 3, 1, 2, 3], version=2)
    made[5]["fields"]["text"] = "Somebody changed the text in the file."
    loaded = loading.load(parsing.read(fixture.dump(made), "t.json"))
    after = dump()
    assert loaded.added == 2
    assert loaded.notes == [
        "Title, kind and board are left as they are here.",
        "t-2 was edited here and left as is.",
        "t-3 was hidden or removed here and left as is.",
        "t-5: the text of the new version was not taken over.",
    ]
    for name in ("PostRevision", "PostBody", "Quote"):
        assert after[name][: len(before[name])] == before[name]
    assert Post.objects.get(pk=hidden.pk).state == State.HIDDEN
    check_thread("t")


@pytest.mark.parametrize("state", [State.HIDDEN, State.REMOVED])
def test_a_debate_taken_away_stays_away(boards, state):
    newer([None, 1], version=1)
    Thread.objects.update(state=state)
    before = dump()
    loaded = newer([None, 1, 2])
    assert loaded.notes == [f"The debate is {state.value}: left as it is."]
    assert newer([None, 1], version=1).added == 0
    assert dump() == before


def test_words_that_were_hidden_do_not_come_back_as_a_quote(boards):
    newer([None, 1, 2], version=1)
    Post.objects.filter(key="t-3").update(state=State.HIDDEN)
    Thread.objects.update(reply_count=1)
    loaded = newer([None, 1, 2, 3, 4, 3], quoting=(4,))
    assert loaded.added == 1
    assert loaded.notes[1:] == [
        "t-4 left out: what they quote is not for everybody to read here.",
        "t-5 left out: what they answer was left out.",
    ]
    assert post(6).parent == post(3)
    before = dump()
    assert newer([None, 1, 2, 3, 4, 3], quoting=(4,)).added == 0
    assert dump() == before
    # Once it stands again, the same file brings the rest.
    Post.objects.filter(key="t-3").update(state=State.VISIBLE)
    Thread.objects.update(reply_count=3)
    assert newer([None, 1, 2, 3, 4, 3], quoting=(4,)).added == 2
    check_thread("t")
    assert Thread.objects.get(key="t").fixture_version == 2


def test_words_moved_to_a_narrower_board_are_not_carried_out_of_it(boards):
    newer([None, 1, 2], version=1)
    other = loading.load(parsing.read(fixture.dump(objects("u", [None])), "u.json")).thread
    Board.objects.filter(slug="about-this-forum").update(audience=Board.Audience.MEMBERS)
    Thread.objects.filter(pk=other.pk).update(board=Board.objects.get(slug="about-this-forum"))
    Post.objects.filter(key="t-3").update(thread=other, parent=None, number=2, tree_id=post(3).pk)
    made = objects("t", [None, 1, 2, 2], version=2)
    made[4]["fields"]["text"] = "Post 3 of t says what it has to say.\n\nSo it does."
    quote = {"post": ["t-4"], "ordinal": 1, "paragraphs": [1, 1], "source_post": ["t-3"]}
    made.append({"model": "forum.quote", "fields": quote})
    loaded = loading.load(parsing.read(fixture.dump(made), "t.json"))
    assert loaded.added == 0
    assert loaded.notes[1] == "t-4 left out: what they quote is not for everybody to read here."


def test_new_posts_follow_a_branch_that_was_moved(boards):
    newer([None, 1, 2, 1], version=1)
    loading.load(parsing.read(fixture.dump(objects("u", [None, 1])), "u.json"))
    target = Thread.objects.get(key="u")
    # Posts 2 and 3 are moved, as a split or merge would leave them.
    Post.objects.filter(key="t-2").update(thread=target, number=3)
    Post.objects.filter(key="t-3").update(thread=target, number=4)
    Post.objects.filter(key="t-4").update(number=2)
    last = post(3)
    Thread.objects.filter(pk=target.pk).update(numbered=4, reply_count=3, last_post=last)
    Thread.objects.filter(key="t").update(numbered=2, reply_count=1)
    loaded = newer([None, 1, 2, 1, 3, 4, 1], quoting=(5,))
    assert loaded.added == 3
    assert loaded.notes == ["t-2, t-3 were moved here and left as is."]
    assert (post(5).thread, post(5).number, post(5).parent) == (target, 5, post(3))
    assert [post(n).thread.key for n in (6, 7)] == ["t", "t"]
    check_thread("t")
    assert tree.relabel(target.pk) == 0
    assert Thread.objects.get(key="u").reply_count == 4


def test_answers_to_an_opening_that_was_merged_hang_below_it(boards):
    newer([None, 1], version=1)
    loading.load(parsing.read(fixture.dump(objects("u", [None, 1])), "u.json"))
    target = Thread.objects.get(key="u")
    Post.objects.filter(key="t-1").update(thread=target, number=3, parent_basis="editor")
    Thread.objects.filter(pk=target.pk).update(numbered=3)
    newer([None, 1, 1])
    assert (post(3).thread, post(3).parent) == (target, post(1))
    assert tree.relabel(target.pk) == 0


def test_a_quote_is_judged_by_the_texts_that_the_source_had_here(boards):
    newer([None, 1], version=1)
    made = objects("t", [None, 1, 2], version=2, quoting=(3,))
    for number in (2, 3):  # the file tells another story about post 2
        fields = made[number]["fields"]
        fields["text"] = fields["text"].replace("has to say", "never had to say")
    made[2]["fields"]["text"] = "Post 2 of t says what it never had to say."
    made[3]["fields"]["text"] = "Post 2 of t says what it never had to say.\n\nSo it does."
    loading.load(parsing.read(fixture.dump(made), "t.json"))
    quote = Quote.objects.get()
    assert (quote.verdict, quote.source_post) == ("altered", post(2))


def test_a_debate_started_here_is_never_taken_for_a_fixture(boards):
    newer([None, 1], version=1)
    Thread.objects.update(fixture_version=None)
    before = dump()
    assert newer([None, 1, 2]).added == 0
    assert dump() == before


# --- Large and interrupted loads ------------------------------------------------------------


def test_a_chain_deeper_than_pythons_stack(boards):
    chain = [None, 1, *range(2, DEEP)]
    loaded = newer(chain, version=1)
    assert loaded.added == DEEP > sys.getrecursionlimit()
    check_thread("t")
    assert post(DEEP).level == DEEP - 2
    newer([*chain, DEEP, DEEP + 1])
    check_thread("t")


def test_parts_are_short(boards, small_parts, monkeypatch):
    sizes = []
    real = tree.write
    monkeypatch.setattr(tree, "write", lambda rows: (sizes.append(len(rows)), real(rows)))
    monkeypatch.setattr(loaded_rows, "PART_CHARACTERS", 100)
    newer([None, *[1] * 9], version=1)  # 39 characters each: two to a part
    assert sizes == [2] * 5
    check_thread("t")


class Crash(BaseException):
    """What no code expects."""


def crash_at(monkeypatch, part: int) -> None:
    """Let the forum stop dead in this part of the next load, whose rows are then not committed."""
    real, parts = tree.write, []

    def write(rows):
        real(rows)
        parts.append(rows)
        if len(parts) == part:
            raise Crash

    for module in (tree, tree.placing):
        monkeypatch.setattr(module, "write", write)


@pytest.mark.django_db(transaction=True)
def test_nothing_shows_of_a_load_that_broke_off(boards, small_parts, monkeypatch):
    parents = [None, 1, 2, 3, 1, 2, 3, 4, 5, 6]
    with monkeypatch.context() as patch:
        crash_at(patch, 3)
        with pytest.raises(Crash):
            newer(parents, version=1, quoting=(4, 9))
    thread = Thread.objects.get(key="t")
    assert (thread.state, thread.posts.count()) == (State.LOADING, 6)
    assert Board.objects.get(slug="antiquity").thread_count == 0
    moderator = get_user_model().objects.create(
        username="moderator-a", is_staff=True, is_superuser=True
    )
    named = get_user_model().objects.create(username="moderator-b", is_staff=True)
    named.moderated_boards.add(thread.board)
    for user in (AnonymousUser(), moderator, named):
        assert not threads_visible_to(user).exists()
        assert not posts_visible_to(user).exists()
        with pytest.raises(NotThere):
            require(user, "see thread", thread)
        with pytest.raises(NotThere):
            require(user, "see post", thread.posts.first())
    loaded = newer(parents, version=1, quoting=(4, 9))
    assert loaded.added == 10
    assert Thread.objects.count() == 1
    assert Post.objects.count() == PostRevision.objects.count() == PostBody.objects.count() == 10
    assert Quote.objects.count() == 2
    assert set(PassageKey.objects.values_list("thread", flat=True)) == {loaded.thread.pk}
    check_thread("t")


@pytest.mark.django_db(transaction=True)
def test_an_addition_that_broke_off_is_whole_and_goes_on(boards, small_parts, monkeypatch):
    newer([None, 1], version=1)
    parents = [None, 1, 2, 3, 1, 2, 3, 4, 5, 6]
    with monkeypatch.context() as patch:
        crash_at(patch, 2)
        with pytest.raises(Crash):
            newer(parents)
    thread = check_thread("t")
    assert (thread.numbered, thread.fixture_version) == (5, 1)
    mine = reply("t")
    assert newer(parents).added == 5
    assert (mine.number, post(10).number) == (6, 11)
    check_thread("t")


@pytest.mark.django_db(transaction=True)
def test_ids_stay_apart_while_others_write_between_the_parts(boards, small_parts, monkeypatch):
    newer([None, 1], version=1)
    monkeypatch.setattr(loaded_rows, "let_others_write", lambda _: reply("t", post(2)))
    made = objects("u", [None, *[1] * 8, 2, 3])
    loading.load(parsing.read(fixture.dump(made), "u.json"))
    check_thread("u")
    assert check_thread("t").numbered == 5


@pytest.mark.django_db(transaction=True)
def test_two_processes_add_the_same_posts(boards, small_parts, monkeypatch):
    newer([None, 1], version=1)
    parents = [None, 1, 2, 3, 1, 2, 3, 4, 5, 6]

    def other(_since: float) -> None:
        monkeypatch.setattr(loaded_rows, "let_others_write", lambda _: None)
        assert newer(parents).added == 5

    monkeypatch.setattr(loaded_rows, "let_others_write", other)
    assert newer(parents).added == 3
    check_thread("t")


@pytest.mark.django_db(transaction=True)
def test_two_processes_load_the_same_thread(boards, small_parts, monkeypatch):
    """The second takes over what looks like the first's remains; the first says so and stops."""
    made = parsing.read(fixture.dump(objects("t", [None, *[1] * 8])), "t.json")

    def other(_since: float) -> None:
        monkeypatch.setattr(loaded_rows, "let_others_write", lambda _: None)
        assert loading.load(made).added == 9

    monkeypatch.setattr(loaded_rows, "let_others_write", other)
    with pytest.raises(Rejected, match=r"t\.json: another process began to load this thread anew"):
        loading.load(made)
    check_thread("t")


def test_nothing_is_written_before_all_is_checked(boards, monkeypatch):
    """Rendering and judging take no lock: reading a file asks the database nothing."""
    with CaptureQueriesContext(connection) as log:
        parsing.read(BUILT.read_bytes(), "x")
    assert len(log) == 0


def test_dates_of_the_writing_are_kept_and_never_lie_ahead(boards):
    made = objects("t", [None, 1, 1])
    made[1]["fields"]["written_at"] = "1998-05-04T14:30:00+02:00"
    made[3]["fields"]["written_at"] = "9998-01-01T00:00:00+00:00"
    loading.load(parsing.read(fixture.dump(made), "t.json"))
    thread = Thread.objects.get()
    assert thread.created_at.isoformat() == "1998-05-04T12:30:00+00:00"
    assert thread.last_post_at < post(3).loaded_at
    assert json.loads(json.dumps(post(1).written_at.isoformat())).startswith("1998-05-04T12:30")
