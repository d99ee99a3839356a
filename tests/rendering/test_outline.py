"""The outline of a debate: what it is made of, how it nests, what readers see of it, and that its
downloads can be read by others."""

import json
import subprocess
from uuid import uuid4

import pytest

from forum.actions import arguments, posts
from forum.models import Post, Quote
from forum.moderation import states
from forum.permissions import may
from forum.rendering import outline as outlines
from forum.rendering.outline import nested, outline_of
from forum.rendering.outline_formats import argdown, as_json
from tests.people import browser, edit, fresh, quoting, reply, start
from tests.views.test_queries import MEMBER, queries

pytestmark = [pytest.mark.django_db, pytest.mark.reads]


def say(thread, user, text="So it is.", to=None, **more) -> Post:
    """A reply with its place in the argument."""
    return posts.reply(
        user=user, thread=fresh(thread), source=text, token=uuid4(), parent=to, **more
    )


def drawn(thread, user, *, first=1, most=100):
    return outline_of(fresh(thread), user, first=first, most=most)


def told(outline) -> list[tuple[str, str, int]]:
    """Passage, stance and reply of all entries."""
    return [
        (passage.title, entry.stance, entry.post.number)
        for passage in outline.passages
        for entry in passage.entries
    ]


def test_a_debate_without_stances_has_none(thread, guest):
    assert told(drawn(thread, guest)) == []


def test_a_stance_is_to_the_post_answered_or_to_the_passage_quoted(
    thread, answer, opening, stranger, guest
):
    say(thread, stranger, stance="supports")
    say(thread, stranger, "Who says so?", to=answer, stance="asks")
    one = quoting(answer, "It had a secretary, after all.")
    say(thread, stranger, one, to=answer, stance="disputes")
    # The whole of a post is no passage of it, and words of a third post take no stance from it.
    say(thread, stranger, quoting(answer, fresh(answer).body.revision.plain), answer, stance="asks")
    say(thread, stranger, quoting(opening, "the party had obeyed"), answer, stance="evidence")
    assert told(drawn(thread, guest)) == [
        ("1", "supports", 5),
        ("2", "asks", 6),
        ("2", "asks", 8),
        ("2", "evidence", 9),
        ("2.2", "disputes", 7),
    ]


def test_each_quote_may_take_its_own(thread, answer, opening, stranger, guest):
    text = quoting(answer, "The party obeyed nobody.", then="No.")
    text += "\n\n" + quoting(opening, "the party had obeyed", then="Yes.")
    say(thread, stranger, text, answer, stance="asks", quotes={1: "disputes", 2: "supports"})
    say(thread, stranger, text, quotes={2: "evidence"})
    assert told(drawn(thread, guest)) == [
        ("1.1", "supports", 5),
        ("1.1", "evidence", 6),
        ("2", "asks", 5),
        ("2.1", "disputes", 5),
    ]


def test_a_stance_stays_when_the_text_is_edited(thread, answer, opening, stranger, guest):
    text = (
        quoting(answer, "The party obeyed nobody.") + "\n\n" + quoting(opening, "Lenin had named")
    )
    post = say(thread, stranger, text, quotes={1: "disputes"})
    edit(post, f"{text}\n\nAnd more.")
    assert told(drawn(thread, guest)) == [("2.1", "disputes", 5)]


def test_what_does_not_stand_takes_no_stance(thread, answer, stranger, moderator, guest):
    gone = say(thread, stranger, to=answer, stance="supports")
    say(thread, stranger, to=answer, stance="disputes")
    states.hide(user=moderator, post=gone, reason="Off the point.")
    assert told(drawn(thread, moderator)) == [("2", "disputes", 6)]
    states.hide(user=moderator, post=fresh(answer), reason="So is this.")
    for user in (guest, moderator):
        part = drawn(thread, user)
        assert told(part) == [("2", "disputes", 6)]
        assert part.passages[0].text == part.passages[0].writer == ""
        for text in (argdown(part, address="/"), json.dumps(as_json(part, address="/"))):
            assert "obeyed nobody" not in text
            assert "answerer" not in text


def test_words_of_other_debates_do_not_come_in(thread, other_board, opener, stranger, guest):
    source = start(other_board, opener, title="Elsewhere").posts.get()
    text = quoting(source, "the party had obeyed") + "\n\n" + quoting(source, "Suppose that Lenin")
    say(thread, stranger, text, quotes={1: "disputes", 2: "supports"})
    assert told(drawn(thread, guest)) == []


def test_a_reply_that_is_argued_about_carries_it_below_itself(thread, answer, stranger, guest):
    first = say(thread, stranger, to=answer, stance="disputes")
    second = say(thread, stranger, to=first, stance="disputes")
    words = quoting(first, "So it is.") + "\n\n" + quoting(answer, "The party obeyed nobody.")
    say(thread, stranger, words, to=second, stance="asks", quotes={2: "supports"})
    rows = [
        (kind, getattr(item, "title", None) or (item and item.post.number))
        for kind, item in nested(drawn(thread, guest))
    ]
    assert rows == [
        ("passage", "2"),
        ("open", None),
        ("entry", 5),
        ("open", None),
        ("entry", 6),
        ("open", None),
        ("entry", 7),
        ("close", None),
        ("close", None),
        ("close", None),
        ("passage", "2.1"),
        ("open", None),
        ("entry", 7),
        ("close", None),
    ]


def test_circles_and_long_chains_are_told_whole_and_once(thread, answer, stranger, guest):
    post = answer
    chain = []
    for _ in range(outlines.MAX_DEPTH + 6):
        post = say(thread, stranger, to=post, stance="disputes")
        chain.append(post)
    # By an edit the first quotes the last.
    text = quoting(post, "So it is.") + "\n\n" + quoting(answer, "The party obeyed nobody.")
    edit(chain[0], text)
    Quote.objects.filter(post=chain[0], ordinal=1).update(stance="asks")
    Post.objects.filter(pk=chain[0].pk).update(stance="")
    part = drawn(thread, guest)
    rows = nested(part)
    assert len([1 for kind, _ in rows if kind == "entry"]) == len(part.entries()) == len(chain)
    depth = deepest = 0
    for kind, _ in rows:
        depth += (kind == "open") - (kind == "close")
        deepest = max(deepest, depth)
    assert (depth, deepest) == (0, outlines.MAX_DEPTH)


def test_parts_follow_each_other_without_gap(thread, answer, stranger, guest):
    for n in range(7):
        say(thread, stranger, f"No {n}.", to=answer, stance="disputes" if n % 2 else "supports")
    seen, first = [], 1
    while first:
        part = drawn(thread, guest, first=first, most=3)
        seen += [number for _, _, number in told(part)]
        first = part.after
    assert sorted(seen) == [5, 6, 7, 8, 9, 10, 11]


def test_it_asks_the_same_of_few_and_many(thread, answer, stranger, answerer):
    asked = []
    for n in range(12):
        text = quoting(answer, "The party obeyed nobody.") + f"\n\nNo {n}."
        post = say(thread, stranger, text, to=answer, stance="disputes")
        arguments.change_mind(user=answerer, post=post, was="for", now="against", reason="True.")
        if n in (1, 11):
            asked.append(queries(browser(stranger), f"/threads/{thread.pk}/outline/"))
    assert asked[0] == asked[1], asked
    assert asked[0] <= MEMBER + 3, asked


def test_the_page_tells_it_in_text_and_draws_it(thread, answer, stranger, answerer, opener):
    post = say(thread, stranger, "Nobody at <all>?", to=answer, stance="disputes")
    arguments.change_mind(
        user=answerer,
        post=post,
        was="for",
        now="undecided",
        reason="I had <b>not</b> thought of it.",
    )
    page = browser().get(f"/threads/{thread.pk}/outline/").content.decode()
    assert '<span class="stance" data-is="disputes">disputes</span>' in page
    assert "Nobody at &lt;all&gt;?" in page
    assert "Changed the mind of <bdi>answerer</bdi>, from for it to undecided" in page
    assert "&lt;b&gt;not&lt;/b&gt;" in page
    assert f">− #{post.number}</text>" in page
    opener.ignoring = [stranger.pk]
    opener.save(update_fields=["ignoring"])
    page = browser(opener).get(f"/threads/{thread.pk}/outline/").content.decode()
    assert "Nobody at" not in page
    assert "You ignore this member." in page


def test_who_may_not_see_the_board_finds_no_trace(thread, board, stranger, moderator):
    say(thread, stranger, stance="supports")
    board.audience = "moderators"
    board.save(update_fields=["audience"])
    assert not may(stranger, "see thread", fresh(thread))
    for kind in ("/", ".argdown", ".json"):
        assert browser(stranger).get(f"/threads/{thread.pk}/outline{kind}").status_code == 404
        assert browser(moderator).get(f"/threads/{thread.pk}/outline{kind}").status_code == 200


# --- Downloads --------------------------------------------------------------------------------

HOSTILE = [
    "[statement]: and <argument>: + - _ what? (1) x",
    "a === b === c {yaml: yes} #tag #(long tag) @[ref] @<arg>",
    "// no comment /* nor this */ <!-- nor that -->",
    "U.S.A. :smile: .^. *bold* _it_ **b** __u__ -- --- \\ \\[ [link](http://example.org)",
    "1. one  2. two # heading ## more",
    "a > quote | table ` code ` ~ tilde ^ caret",
    "مرحبا بالعالم 日本語 €",
    "trailing backslash \\",
]


def parsed(npm, text: str) -> dict:
    """What the Argdown parser makes of a text."""
    program = """
import { argdown } from "@argdown/core";
import { readFileSync } from "node:fs";
const found = argdown.run({ input: readFileSync(0, "utf8"), process: ["parse-input", "build-model"],
  logLevel: "error" });
const texts = (table) => Object.fromEntries(Object.entries(table ?? {}).map(([title, one]) =>
  [title, one.members.map((member) => member.text).filter((text) => text?.trim())]));
console.log(JSON.stringify({
  errors: [...found.parserErrors, ...found.lexerErrors].map((error) => error.message),
  data: Object.fromEntries(Object.entries(found.arguments ?? {}).map(([title, one]) =>
    [title, [one.tags ?? [], one.data ?? {}]])),
  statements: texts(found.statements), arguments: texts(found.arguments),
  relations: found.relations.map((one) => [one.relationType, one.from.title, one.to.title]),
  title: found.frontMatter?.title,
}));
"""
    path = npm.parent / f"read-{uuid4().hex}.mjs"
    path.write_text(program)
    try:
        done = subprocess.run(
            ["node", path], input=text, capture_output=True, text=True, check=False, timeout=120
        )
    finally:
        path.unlink()
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.npm
@pytest.mark.once
def test_argdown_is_read_by_its_own_parser(npm, thread, answer, stranger, guest):
    thread.title = 'What "if" === [it] had: {held} #now'
    thread.save(update_fields=["title"])
    stances = ["supports", "disputes", "asks", "evidence"]
    for n, text in enumerate(HOSTILE):
        say(
            thread,
            stranger,
            f"`{text}`" if "`" not in text else text,
            answer,
            stance=stances[n % 4],
        )
    one = quoting(answer, "It had a secretary, after all.", then=HOSTILE[0])
    last = say(thread, stranger, one, to=answer, stance="disputes")
    say(thread, stranger, "Not so.", to=last, stance="disputes")
    part = drawn(thread, guest)
    read = parsed(npm, argdown(part, address="https://forum.example/threads/1/"))
    assert read["errors"] == []
    assert read["title"] == thread.title
    # The parser counts a tag as a part of the text, and data not.
    tags = {"asks": " #asks", "evidence": " #evidence"}
    for entry in part.entries():
        said = read["arguments"][str(entry.post.number)]
        assert entry.text + tags.get(entry.stance, "") in [" ".join(one.split()) for one in said]
        marks = {entry.stance: ["2"]} if entry.stance in tags else {}
        assert read["data"][str(entry.post.number)] == [list(marks), marks]
    assert read["statements"] == {"2.2": ["It had a secretary, after all."]}
    attacks = [one[1:] for one in read["relations"] if one[0] == "attack"]
    supports = [one[1:] for one in read["relations"] if one[0] == "support"]
    assert attacks == [["6", "2"], ["10", "2"], ["13", "2.2"], ["14", "13"]]
    assert supports == [["5", "2"], ["8", "2"], ["9", "2"], ["12", "2"]]


@pytest.mark.npm
def test_one_reply_may_ask_here_and_bring_evidence_there(npm, thread, answer, stranger, guest):
    """Who asks stands in no relation; toward what a reply asks or brings evidence is data of it."""
    third = thread.posts.get(number=3)
    first, second, text = "The party obeyed nobody.", "It had a secretary, after all.", "So?"
    parts = [quoting(answer, first, then=""), quoting(answer, second, then="")]
    parts.append(quoting(third, third.body.revision.plain, then=text))
    post = reply(thread, stranger, "".join(parts), to=answer)
    quotes = dict(zip(range(1, 4), ("asks", "evidence", "asks"), strict=True))
    arguments.argue(user=stranger, post=post, lane="consequence", stance="", quotes=quotes, ties=[])
    asked = reply(thread, stranger, "Who says so?", to=answer)
    arguments.argue(
        user=stranger, post=asked, lane="consequence", stance="asks", quotes={}, ties=[]
    )
    read = parsed(npm, argdown(drawn(thread, guest), address="/"))
    assert read["errors"] == []
    assert read["data"][str(post.number)] == [
        ["asks", "evidence"],
        {"asks": ["2.1", "3"], "evidence": ["2.2"]},
    ]
    assert read["data"][str(asked.number)] == [["asks"], {"asks": ["2"]}]
    assert read["relations"] == [["support", str(post.number), "2.2"]]


@pytest.mark.npm
def test_an_outline_of_nothing_is_read_as_well(npm, thread, guest):
    assert parsed(npm, argdown(drawn(thread, guest), address="/"))["errors"] == []


def test_json_holds_the_same(thread, answer, stranger):
    post = say(thread, stranger, "Not so.", to=answer, stance="disputes")
    response = browser().get(f"/threads/{thread.pk}/outline.json")
    assert response["Content-Type"] == "application/json"
    (passage,) = response.json()["passages"]
    assert (passage["number"], passage["passage"], passage["writer"]) == (2, 0, "answerer")
    assert passage["stances"] == [
        {
            "stance": "disputes",
            "post": post.pk,
            "number": 5,
            "writer": "stranger",
            "text": "Not so.",
            "changed_minds": [],
        }
    ]


def test_a_file_says_where_it_ends(thread, answer, stranger, guest):
    for _ in range(3):
        reply(thread, stranger)
        say(thread, stranger, to=answer, stance="asks")
    part = drawn(thread, guest, most=2)
    assert "// Up to #9 only: the debate goes on." in argdown(part, address="/")
    assert as_json(part, address="/")["goes_on_at"] == 10
