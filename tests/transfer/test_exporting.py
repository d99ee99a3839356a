"""Debates leave as fixtures and come back: the same bytes, nothing that is not for everybody."""

import io
import json
import os
import random
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forum.actions import arguments, description, polls, threadmarks, variants
from forum.actions.divergences import read_divergence
from forum.checking import check
from forum.models import (
    Answer,
    Ballot,
    Board,
    ChangeOfMind,
    Poll,
    PostRevision,
    Question,
    Quote,
    Thread,
    Threadmark,
)
from forum.moderation import states
from forum.transfer import Rejected, exporting, loading, parsing
from tests.people import browser, edit, fresh, make_member, pending, quoting, reply, start

pytestmark = [pytest.mark.django_db, pytest.mark.reads]
GUEST = AnonymousUser()
FIXTURES = Path(__file__).parents[2] / "fixtures" / "threads"


def written(*rows: Thread, user=GUEST) -> bytes:
    return "".join(exporting.several([fresh(row) for row in rows], user=user)).encode()


def emptied() -> None:
    """An empty database, but for the boards: no debates, no members, no log."""
    tables = set(connection.introspection.django_table_names(only_existing=True))
    tables -= {Board._meta.db_table, "django_migrations", "django_content_type", "auth_permission"}
    named = sorted(map(connection.ops.quote_name, tables))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # The log lets nobody delete from it; nothing is pending when tables are emptied.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(f"TRUNCATE {', '.join(named)}")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        else:
            for table in named:
                cursor.execute(f"DELETE FROM {table}")
    Board.objects.update(thread_count=0)


def lines(data: bytes) -> list[str]:
    return data.decode().splitlines()


def round_trip(data: bytes) -> bytes:
    """Load a file into an emptied forum, and write it again."""
    emptied()
    loaded = [loading.load(one).thread for one in parsing.read_all(data, "x.json")]
    return written(*loaded)


def objects(data: bytes, model: str) -> list[dict]:
    return [o["fields"] for o in json.loads(data) if o["model"] == f"forum.{model}"]


@pytest.fixture
def argued(thread, answer, opener, answerer, stranger, moderator) -> Thread:
    """A debate in which everything was said that can be said."""
    description.describe(
        user=opener,
        thread=thread,
        divergences=[
            read_divergence(
                change="Lenin lives.", when="c. 1924", place="Gorki", actor="V. I. Lenin"
            ),
            read_divergence(change="He speaks.", when="480 BC"),
        ],
        questions=["Would the purges have come all the same?"],
        policy="granted",
        own_answer="I think not.\n\nHe was ill.",
    )
    question = Question.objects.get(thread=thread)
    told = reply(thread, answerer, quoting(answer, "The party obeyed nobody.") + "\n\n> unsaid")
    ties = [arguments.Tie(question.pk, "disputes", passage=2)]
    arguments.argue(
        user=answerer, post=told, lane="premise", stance="disputes", quotes={1: "asks"}, ties=ties
    )
    arguments.change_mind(user=stranger, post=told, was="for", now="against", reason="It adds up.")
    threadmarks.mark(user=opener, post=told, category="side", label="A turn")
    asked = polls.Asked("Who decides?", ["The party", "Its clerk"], is_open=True)
    over, running = (reply(fresh(thread), answerer, text, poll=asked) for text in ("One.", "Two."))
    for post, who in ((over, stranger), (over, opener), (running, stranger)):
        polls.vote(user=who, post=post, chosen=[1])
    polls.close(user=answerer, post=over)
    return fresh(thread)


def test_a_poll_travels_with_what_everybody_sees_of_it(argued, stranger):
    over, running = objects(written(argued), "poll")
    assert (over["voters"], over["counts"], over["is_open"]) == (2, [0, 2], True)
    assert "counts" not in running and "voters" not in running
    round_trip(written(argued))
    told, asked = Poll.objects.order_by("post__number")
    assert (told.voters, told.counts, told.brought) == (2, [0, 2], [0, 2])
    assert (asked.voters, asked.counts) == (0, [0, 0])
    assert not Ballot.objects.exists()
    polls.vote(user=make_member("member-v"), post=asked.post, chosen=[0])
    assert not [fault for fault in check() if fault.kind == "polls"]
    text = "".join(exporting.markdown(told.post.thread, address="https://example.org/"))
    assert "- Its clerk: 2 of 2, 100 %" in text
    assert "\n- Its clerk\n" in text


@pytest.mark.parametrize(
    "wrong",
    [
        {"choices": "One"},
        {"question": ""},
        {"kind": "all"},
        {"counts": [1]},
        {"counts": [9, 9]},
        {"counts": [-1, 1]},
        {"counts": "many"},
        {"voters": -1},
        {"most": "two"},
        {"closes_at": "tomorrow"},
        {"closes_at": None},
        {"is_open": "yes"},
        {"ballots": []},
    ],
)
def test_a_poll_that_is_none_is_rejected(argued, wrong):
    data = json.loads(written(argued))
    next(one for one in data if one["model"] == "forum.poll")["fields"].update(wrong)
    with pytest.raises(Rejected):
        parsing.read_all(json.dumps(data).encode(), "x.json")


def test_everything_that_was_said_comes_back(argued):
    data = written(argued)
    assert round_trip(data) == data
    thread = Thread.objects.get(key=argued.key)
    assert (thread.policy, thread.own_answer) == ("granted", "I think not.\n\nHe was ill.")
    assert thread.lane_counts == {"consequence": 5, "premise": 1}
    post = thread.posts.get(number=5)
    assert (post.lane, post.stance, post.minds_changed) == ("premise", "disputes", 1)
    assert Quote.objects.get(post=post).stance == "asks"
    assert Quote.objects.get(post=post).verdict == "exact"
    told = Answer.objects.get(post__thread=thread)
    assert (told.post_id, told.passage, told.verdict) == (post.pk, 2, "disputes")
    (asked,) = thread.card["questions"]
    assert (asked["answers"], asked["disputed"], asked["by"][0]["post"]) == (1, 1, post.pk)
    mark = Threadmark.objects.get(thread=thread)
    assert (mark.thread_id, mark.post_id, mark.label) == (thread.pk, post.pk, "A turn")
    assert thread.posts.get(number=1).byline == "opener"
    page = browser().get(thread.get_absolute_url()).content.decode()
    assert "Side story: <bdi>A turn</bdi>" in page and "I think not." in page


def test_the_seed_and_the_openings_come_back():
    call_command("loaddata", "boards", *map(str, sorted(FIXTURES.glob("*.json"))), verbosity=0)
    rows = list(Thread.objects.order_by("pk"))
    assert len(rows) == 18
    data = written(*rows)
    assert round_trip(data) == data
    assert Thread.objects.count() == 18
    for path in FIXTURES.glob("*.json"):
        for one in json.loads(path.read_bytes()):
            if one["model"] == "forum.post":
                same = [o for o in objects(data, "post") if o["key"] == one["fields"]["key"]]
                assert [o["text"] for o in same] == [one["fields"]["text"]]


@pytest.mark.parametrize("seed", range(4 if os.environ.get("JONBAR_LONG") == "1" else 2))
def test_random_debates_come_back(board, other_board, moderator, seed):
    rng = random.Random(seed)
    people = [make_member(f"member-{n}xyz") for n in range(3)]
    elsewhere = start(other_board, people[0], text="Ships need coal, and coal needs ships.")
    thread = start(board, people[0], text="Would it hold? It might hold. Or might it not?")
    description.describe(
        user=people[0],
        thread=thread,
        divergences=[
            read_divergence(
                change="The ice holds.", when=rng.choice(["480 BC", "c. 1924", "spring 1936"])
            ),
            read_divergence(
                change="The coal lasts.", when="before 3500 BC", place="Riga", actor="Nobody"
            ),
        ][: rng.randrange(3)],
        questions=["Would it hold?", "Or might it not?"],
        policy=rng.choice(["open", "granted"]),
        own_answer=rng.choice(["It might.", "Not for long.\n\nIt never did."]),
    )
    if seed % 2:
        variants.declare(user=people[0], thread=thread, other=elsewhere)
    words = ["coal", "ships", "winter", "grain", "WI", "*so*", "`code`", "||hidden||", "@opener"]
    for n in range(25):
        posts = list(thread.posts.filter(number__isnull=False).order_by("number"))
        to = rng.choice([None, *posts])
        source = rng.choice([*posts, elsewhere.posts.get()])
        text = f"Number {n}: " + " ".join(rng.choices(words, k=rng.randrange(1, 9))) + "."
        if rng.random() < 0.5 and source.state == "visible":
            said = PostRevision.objects.filter(post=source).latest("number").plain.split("\n\n")[-1]
            text = quoting(source, said if rng.random() < 0.8 else "Never said.", then=text)
        if to is not None and to.state != "visible":
            to = None
        post = reply(fresh(thread), rng.choice(people), text, to=to)
        act = rng.random()
        if act < 0.15:
            states.hide(user=moderator, post=rng.choice(posts[1:] or [post]), reason="Spam")
        elif act < 0.3:
            edit(post, f"Edited {n}, without what it quoted.")
        elif act < 0.5:
            category = rng.choice(Threadmark.Category.values)
            threadmarks.mark(user=people[0], post=post, category=category, label=f"Part {n}")
        elif act < 0.7:
            question = rng.choice(list(Question.objects.filter(thread=thread)))
            arguments.argue(
                user=post.author,
                post=post,
                lane=rng.choice(["premise", "consequence", "meta"]),
                stance=rng.choice(["", "supports", "disputes", "asks", "evidence"]),
                quotes=dict.fromkeys(
                    fresh(post).quotes.values_list("ordinal", flat=True), rng.choice(["", "asks"])
                ),
                ties=[arguments.Tie(question.pk, rng.choice(["agrees", "disputes"]))],
            )
        elif act < 0.85:
            reason = rng.choice(["It adds up.", "Coal."])
            who = rng.choice([one for one in people if one != post.author])
            arguments.change_mind(user=who, post=post, was="for", now="against", reason=reason)
    assert ChangeOfMind.objects.exists() and Threadmark.objects.exists()
    assert Thread.objects.get(pk=thread.pk).posts.filter(state="hidden").exists()
    data = written(thread)
    once = round_trip(data)
    assert lines(once) == lines(data)
    assert round_trip(once) == data


# --- Nothing that is not for everybody --------------------------------------------------------


def test_hidden_and_waiting_posts_are_not_in_it_whoever_asks(
    argued, answer, answerer, opener, moderator
):
    pending(argued, answerer, "May I come in?")
    states.hide(user=moderator, post=answer, reason="Off the point")
    for user in (GUEST, answerer, moderator):
        for what in ("fixture", "markdown", "epub"):
            got = browser(user).get(f"/threads/{argued.pk}/{what}/")
            data = b"".join(got.streaming_content) if got.streaming else got.content
            assert b"May I come in?" not in data and b"Off the point" not in data
            if what == "fixture":
                assert answer.key.encode() not in data
                (orphan,) = [o for o in objects(data, "post") if o["text"] == "That is a point."]
                assert (orphan["parent"], orphan["parent_basis"]) == (None, "unknown")
    data = written(argued)
    assert round_trip(data) == data


def test_sources_elsewhere_are_not_named(thread, opener, inner_board, moderator):
    secret = start(inner_board, moderator, text="The archive was moved.").posts.get()
    Board.objects.filter(pk=inner_board.pk).update(audience="public")
    reply(thread, moderator, quoting(secret, "The archive was moved."))
    Board.objects.filter(pk=inner_board.pk).update(audience="moderators")
    data = written(thread)
    assert secret.key.encode() not in data and f"post: {secret.pk}".encode() not in data
    assert objects(data, "quote")[0]["source_post"] is None
    assert round_trip(data) == data


def test_an_opening_that_is_hidden_is_not_taken_along(thread, opening, moderator):
    states.hide(user=moderator, post=opening, reason="Spam")
    for what in ("fixture", "markdown"):
        got = browser(moderator).get(f"/threads/{thread.pk}/{what}/")
        assert got.status_code == 403
        assert "cannot be taken along" in got.content.decode()


def test_a_variant_is_named_only_to_who_sees_it(board, inner_board, opener, moderator):
    inner = start(inner_board, moderator, title="Behind closed doors")
    one = start(board, opener, title="One way")
    Thread.objects.filter(pk=one.pk).update(variant_of=inner)
    assert inner.key.encode() not in written(one)
    assert objects(written(one, user=moderator), "thread")[0]["variant_of"] == [inner.key]


def test_variants_find_each_other_in_whatever_order_they_come(board, opener):
    first, second = start(board, opener, title="One way"), start(board, opener, title="Another")
    Thread.objects.filter(pk=second.pk).update(variant_of=first)
    for backwards in (False, True):
        data = written(*([second, first] if backwards else [first, second]))
        alone = written(second)
        emptied()
        for one in parsing.read_all(data, "x.json"):
            loading.load(one)
        there = Thread.objects.get(key=second.key)
        assert there.variant_of.key == first.key
        assert not there.variant_key
        first, second = Thread.objects.get(key=first.key), there
        assert written(second) == alone
    assert round_trip(alone) == alone  # without the other it keeps its key


# --- Loading ----------------------------------------------------------------------------------


def test_a_newer_version_brings_what_is_said_of_new_posts_only(argued, moderator):
    data = json.loads(written(argued))
    emptied()
    older = [o for o in data if (o["fields"].get("post") or [""])[0] != data[5]["fields"]["key"]]
    older = [o for o in older if o["fields"].get("key") != data[5]["fields"]["key"]]
    first = json.dumps([{**older[0], "fields": {**older[0]["fields"], "version": 1}}, *older[1:]])
    loading.load(parsing.read(first.encode(), "x.json"))
    here = {"post__thread__key": argued.key}
    counted = (Answer, Threadmark, ChangeOfMind)
    assert not any(model.objects.filter(**here).exists() for model in counted)
    data[0]["fields"]["version"] = 2
    loaded = loading.load(parsing.read(json.dumps(data).encode(), "x.json"))
    assert loaded.added == 1
    assert [model.objects.filter(**here).count() for model in counted] == [1, 1, 1]
    assert fresh(loaded.thread).lane_counts == {"consequence": 5, "premise": 1}
    assert fresh(loaded.thread).card["questions"][0]["answers"] == 1


@pytest.mark.parametrize(
    ("model", "fields", "said"),
    [
        ("answer", {"verdict": "perhaps"}, "verdict must be one of"),
        ("answer", {"question": "Who?"}, "does not ask"),
        ("answer", {"passage": 99}, "passage must be"),
        ("answer", {"post": ["nobody"]}, "names no post"),
        ("changeofmind", {"now": "for"}, "from which view"),
        ("changeofmind", {"reason": " "}, "and why"),
        ("threadmark", {"category": "poem"}, "category must be one of"),
        ("threadmark", {"label": ""}, "with a label"),
        ("post", {"lane": "fast"}, "lane must be one of"),
        ("post", {"stance": "tall"}, "stance must be one of"),
        ("quote", {"stance": "tall"}, "stance must be one of"),
        ("thread", {"policy": "none"}, "policy must be one of"),
        ("thread", {"own_answer": "x" * 3000}, "at most 2,000"),
        ("thread", {"variant_of": "x"}, "natural key"),
    ],
)
def test_what_a_file_is_refused_for(argued, model, fields, said):
    made = json.loads(written(argued))
    spoilt = [o for o in made if o["model"] == f"forum.{model}"][-1]
    spoilt["fields"].update(fields)
    with pytest.raises(parsing.Rejected, match=said):
        parsing.read(json.dumps(made).encode(), "x.json")


def test_a_mark_or_an_answer_stands_once(argued):
    made = json.loads(written(argued))
    for model in ("answer", "threadmark"):
        twice = [o for o in made if o["model"] == f"forum.{model}"]
        with pytest.raises(parsing.Rejected, match=r"once|one mark"):
            parsing.read(json.dumps(made + twice).encode(), "x.json")


# --- The files --------------------------------------------------------------------------------


def test_files_at_the_foot_of_a_debate(argued):
    page = browser().get(argued.get_absolute_url()).content.decode()
    for what, kind in (
        ("epub", "application/epub+zip"),
        ("markdown", "text/markdown; charset=utf-8"),
        ("fixture", "application/json"),
    ):
        address = f"/threads/{argued.pk}/{what}/"
        assert f'href="{address}"' in page
        got = browser().get(address)
        assert got["Content-Type"] == kind
        assert "attachment" in got["Content-Disposition"]
    assert b"".join(browser().get(f"/threads/{argued.pk}/fixture/").streaming_content) == written(
        argued
    )


def test_markdown_reads_like_the_debate(argued):
    got = browser().get(f"/threads/{argued.pk}/markdown/")
    text = b"".join(got.streaming_content).decode()
    assert text.startswith("# What if Lenin had lived?\n")
    assert "- about 1924: Lenin lives." in text
    assert "## #2, answerer, " in text and "in reply to #2" in text
    assert "[quote]\nThe party obeyed nobody.\n[/quote]" in text


def test_plain_quotes_are_marked_in_markdown():
    call_command("loaddata", "boards", str(FIXTURES / "trotsky-spain.json"), verbosity=0)
    text = "".join(exporting.markdown(Thread.objects.get(), address="/"))
    assert text.count("\n> ") == 3


def test_the_command_writes_what_the_page_gives(argued, tmp_path):
    out = io.StringIO()
    call_command("export_thread", str(argued.pk), stdout=out)
    assert out.getvalue().encode() == written(argued)
    path = tmp_path / "x.json"
    call_command("export_thread", argued.key, output=path)
    assert path.read_bytes() == written(argued)
    for wrong in (["999999"], ["no-such-key"], [str(argued.pk), argued.key, "--markdown"]):
        with pytest.raises(CommandError):
            call_command("export_thread", *wrong)


def test_a_long_debate_is_read_in_parts(thread, opener, monkeypatch):
    monkeypatch.setattr(exporting, "PART", 2)
    whole = "".join(exporting.fixture(thread, user=GUEST))
    monkeypatch.undo()
    assert "".join(exporting.fixture(thread, user=GUEST)) == whole
    pieces = exporting.fixture(fresh(thread), user=GUEST)
    with CaptureQueriesContext(connection) as context:
        next(pieces)
    assert len(context) <= 3  # nothing is read ahead


def test_a_debate_started_here_has_a_version_that_rises(thread, opener):
    def version() -> int:
        return objects(written(thread), "thread")[0]["version"]

    before = version()
    start(thread.board, opener, title="Another")
    assert version() == before
    reply(fresh(thread), opener, "More.")
    assert version() > before
