"""From a plain text to a thread fixture, and what a fixture is refused for."""

import copy
import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from forum.text import markup
from forum.transfer import Rejected, fixture, notes, parsing, text

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "fixtures/sources/trotsky-spain.txt"
BUILT = ROOT / "fixtures/threads/trotsky-spain.json"


@pytest.fixture(scope="module")
def plain() -> text.PlainThread:
    return text.read(SOURCE.read_bytes(), SOURCE.name)


@pytest.fixture
def objects() -> list[dict]:
    """The objects of the built fixture, free to be spoilt."""
    return json.loads(BUILT.read_bytes())


def posts_of(objects: list[dict]) -> list[dict]:
    return [one["fields"] for one in objects if one["model"] == "forum.post"]


# --- The source thread ----------------------------------------------------------------------


def test_seven_posts_to_the_letter(plain):
    assert plain.title == "Trotsky and the Spanish Civil War starting ww2"
    assert [len(text._paragraphs(one)) for one in plain.texts] == [7, 8, 5, 1, 4, 2, 2]
    joined = "\n\u00a0\n".join([f"{plain.title}\n\n{plain.texts[0]}", *plain.texts[1:], "Top"])
    assert joined.encode() == SOURCE.read_bytes()


def test_what_was_dropped_is_said(plain):
    assert plain.notes == (
        'trotsky-spain.txt, line 62: dropped, "Top" is part of the page.',
        "trotsky-spain.txt: 7 posts of 29 paragraphs.",
    )


def test_exactly_three_quotes_all_exact():
    read = parsing.read(BUILT.read_bytes(), BUILT.name)
    found = [
        (place + 1, quote.source + 1, post.quoted, quote.block.passage, quote.match.verdict)
        for place, post in enumerate(read.posts)
        for quote in post.quotes
    ]
    assert found == [
        (5, 4, ((1, 1),), 1, "exact"),
        (6, 5, ((1, 1),), 1, "exact"),
        (7, 6, ((1, 1),), 1, "exact"),
    ]
    plain = [post.rendered.plain for post in read.posts]
    spans = [(q.match.start, q.match.end) for post in read.posts for q in post.quotes]
    assert spans == [(0, len(plain[3])), (plain[4].rindex("\n\n") + 2, len(plain[4])), (0, 116)]
    assert len(plain[5]) == 116


def test_parents_and_their_reasons(objects):
    found = [
        (one["parent"], one["parent_basis"], one["byline"], one["written_at"])
        for one in posts_of(objects)
    ]
    assert found == [
        (None, "opening", "Voice 1", None),
        (None, "unknown", "Voice 2", None),
        (None, "unknown", "Voice 3", None),
        (None, "unknown", "Voice 4", None),
        (["trotsky-spain-4"], "quote", "Voice 5", None),
        (["trotsky-spain-5"], "quote", "Voice 6", None),
        (["trotsky-spain-6"], "quote", "Voice 7", None),
    ]
    reasons = [one["fields"]["reason"] for one in objects if one["model"] == "forum.quote"]
    assert reasons == [
        "paragraph 1 repeats paragraph 1 of post 4 word for word",
        "paragraph 1 repeats paragraph 4 of post 5 word for word",
        "paragraph 1 repeats paragraph 2 of post 6 word for word",
    ]
    assert all(one["reason"] for one in posts_of(objects))


def test_the_built_fixture_is_built_anew_to_the_same_bytes(tmp_path):
    written, notes = tmp_path / "again.json", io.StringIO()
    call_command("thread_fixture", str(SOURCE), output=written, stderr=notes)
    assert written.read_bytes() == BUILT.read_bytes()
    assert "dropped" in notes.getvalue()
    shown = io.StringIO()
    call_command("thread_fixture", str(SOURCE), stdout=shown, stderr=io.StringIO())
    assert shown.getvalue().encode() == BUILT.read_bytes()


def test_what_the_editor_noted(objects):
    """Two divergences, dated by the editor; five questions of the opening, to the letter."""
    found = [one["fields"] for one in objects if one["model"] == "forum.divergence"]
    assert [(one["edtf"], one["by_editor"]) for one in found] == [
        ("1924~", True),
        ("1936/1939", True),
    ]
    assert all(one["thread"] == ["trotsky-spain"] for one in found)
    asked = [one["fields"]["text"] for one in objects if one["model"] == "forum.question"]
    opening = posts_of(objects)[0]["text"]
    assert len(asked) == 5
    assert all(question in opening for question in asked)
    assert "What does the community think?" in opening
    assert "What does the community think?" not in asked
    assert {one["model"] for one in objects} == {
        *("forum.thread", "forum.post", "forum.quote", "forum.divergence", "forum.question")
    }  # no stances, lanes, answers or marks


def test_a_text_without_notes_says_nothing_of_history(tmp_path):
    source = tmp_path / "trotsky-spain.txt"
    source.write_bytes(SOURCE.read_bytes())
    shown = io.StringIO()
    call_command("thread_fixture", str(source), stdout=shown, stderr=io.StringIO())
    models = {one["model"] for one in json.loads(shown.getvalue())}
    assert models == {"forum.thread", "forum.post", "forum.quote"}
    # Notes may lie elsewhere.
    shown = io.StringIO()
    beside = SOURCE.with_suffix(".editor.json")
    options = {"notes": beside, "stdout": shown, "stderr": io.StringIO()}
    call_command("thread_fixture", str(source), **options)
    assert shown.getvalue().encode() == BUILT.read_bytes()


def test_notes_that_are_not_there_are_missed_by_name(tmp_path):
    with pytest.raises(CommandError, match=r"none\.json: No such file"):
        call_command("thread_fixture", str(SOURCE), notes=tmp_path / "none.json")


OPENING = "It holds. Who stops it? Why so late?"


@pytest.mark.parametrize(
    ("noted", "sentence"),
    [
        ({"questions": ["Who stops them?"]}, "n.json: 'Who stops them?' is no question of the"),
        ({"questions": ["It holds."]}, "n.json: 'It holds.' is no question of the opening."),
        ({"questions": ["Why so late"]}, "n.json: 'Why so late' is no question of the opening."),
        ({"questions": ["who stops it?"]}, "n.json: 'who stops it?' is no question of the"),
        ({"questions": ["Why so late?"] * 2}, "n.json: A question is empty, or stands twice."),
        ({"questions": "Why so late?"}, "n.json: divergences and questions are lists."),
        ({"questions": [7]}, "n.json: 7 is no question of the opening."),
        ({"questions": [["a"]]}, "n.json: ['a'] is no question of the opening."),
        ({"divergences": 7}, "n.json: divergences and questions are lists."),
        (
            {"divergences": [{"change": "It holds.", "when": "1066", "place": "Córdoba"}]},
            "n.json, divergence 1: give the spot of Córdoba, Argentina: -31.41, -64.19; Córdoba",
        ),
        ({"divergences": [7]}, "n.json, divergence 1: has actor, change, place, spot, when only."),
        ({"divergences": [{"edtf": "1924"}]}, "n.json, divergence 1: has actor, change, place"),
        ({"divergences": [{"when": 1924}]}, "n.json, divergence 1: its fields are texts."),
        ({"divergences": [{"when": "1924"}]}, "n.json, divergence 1: Say what changes."),
        ({"divergences": [{"change": "x"}]}, "n.json, divergence 1: No date is given."),
        (
            {"divergences": [{"change": "x", "when": "1924"}, {"change": "x", "when": "soon"}]},
            "n.json, divergence 2: ",
        ),
        ({"divergences": [{"change": "x", "when": "1924"}] * 6}, "n.json: A debate has at most 5"),
        ({"lanes": []}, "n.json: notes hold divergences and questions, nothing else."),
        ([], "n.json: notes hold divergences and questions, nothing else."),
    ],
)
def test_notes_that_cannot_be_taken(noted, sentence):
    with pytest.raises(Rejected) as refused:
        notes.read(json.dumps(noted).encode(), "n.json", OPENING)
    assert str(refused.value).startswith(sentence)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000])
def test_notes_that_are_no_json(data):
    with pytest.raises(Rejected, match=r"^n\.json: not JSON"):
        notes.read(data, "n.json", OPENING)


def test_notes_may_hold_nothing():
    assert notes.read(b"{}", "n.json", OPENING) == notes.EditorsNotes((), ())


def test_options_of_the_command(tmp_path):
    shown = io.StringIO()
    call_command(
        *("thread_fixture", str(SOURCE), "--board", "antiquity", "--kind", "PC"),
        *("--key", "other", "--fixture-version", "3"),
        stdout=shown,
        stderr=io.StringIO(),
    )
    fields = json.loads(shown.getvalue())[0]["fields"]
    assert (fields["key"], fields["version"], fields["kind"]) == ("other", 3, "PC")
    assert fields["board"] == ["antiquity"]


# --- Reading plain texts --------------------------------------------------------------------


def plain_text(*posts: str, title: str = "A title", end: str = "") -> bytes:
    return (title + "\n\n" + "\n\u00a0\n".join(posts) + end).encode()


def test_lines_are_kept_to_the_letter():
    first = "  indented, and blanks after  \n\n\n\t. a slip teh\u2028still the line\x85too"
    read = text.read(plain_text(first, "second"), "x.txt")
    assert read.texts == (first, "second")


def test_top_is_dropped_only_where_it_stands_alone():
    assert text.read(plain_text("one", "two\nTop"), "x.txt").texts == ("one", "two\nTop")
    assert text.read(plain_text("one", "two", "Top", end="\n"), "x.txt").texts == ("one", "two")


def test_other_systems_line_ends():
    data = plain_text("one", "two").replace(b"\n", b"\r\n")
    read = text.read(b"\xef\xbb\xbf" + data, "x.txt")
    assert (read.title, read.texts) == ("A title", ("one", "two"))
    assert len(read.notes) == 3


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"A title\n\none post\n", "x.txt: no separator."),
        (b"A title\n\none post\n \ntwo\n", "x.txt: no separator."),
        (plain_text("one", "", "three"), "x.txt, line 5: there is no post here."),
        (plain_text("one", "two").replace(b"one", b"\xff"), "x.txt, line 3: this is not UTF-8."),
        (plain_text("one", "t\0o"), "x.txt, line 5: a NUL"),
        (plain_text("one", "two", title=""), "x.txt, line 1: the first line must be the title"),
        (plain_text("one", "two", title="t" * 161), "x.txt, line 1: a title holds at most 160"),
        (b"A title\nno empty line\n\xc2\xa0\ntwo", "x.txt, line 2: an empty line parts"),
        (plain_text("one", "two\n\u00a0 \nthree"), "x.txt, line 6: this line looks like a sep"),
        (plain_text("one", "a" * 60_001), "x.txt, line 5: a post holds at most 60,000"),
        (b"", "x.txt, line 1:"),
    ],
)
def test_bad_texts_are_refused_with_their_line(data, sentence):
    with pytest.raises(Rejected) as refusal:
        text.read(data, "x.txt")
    assert str(refusal.value).startswith(sentence)


def test_the_command_refuses_as_well(tmp_path):
    bad = tmp_path / "bad.txt"
    bad.write_text("A title\n\nno separator\n")
    with pytest.raises(CommandError, match=r"^bad\.txt: no separator"):
        call_command("thread_fixture", str(bad))
    with pytest.raises(CommandError, match="No such file"):
        call_command("thread_fixture", str(tmp_path / "none.txt"))


def test_the_command_asks_for_the_size_before_it_reads(tmp_path, settings):
    settings.FIXTURE_MAX_BYTES = 10
    with pytest.raises(CommandError, match="larger than the 10 bytes"):
        call_command("thread_fixture", str(SOURCE))


# --- Finding repetitions --------------------------------------------------------------------

A = "The first paragraph says one thing."
B = "The second paragraph says another thing."
C = "A third one speaks of something else."
D = "Nobody has said this before, it seems."


def spans(*texts: str) -> list[list[tuple[int, int, int, int, int]]]:
    return [
        [(r.first, r.last, r.source, r.source_first, r.source_last) for r in found]
        for found in text.find_repetitions(texts)
    ]


def test_neighbouring_paragraphs_are_one_quote():
    assert spans(f"{A}\n{B}\n{C}", f"{B}\n{C}\n{D}") == [[], [(1, 2, 1, 2, 3)]]


def test_a_quote_may_stand_anywhere():
    assert spans(f"{A}\n{B}", f"{C}\n{A}\n{D}\n{B}")[1] == [(2, 2, 1, 1, 1), (4, 4, 1, 2, 2)]


def test_words_belong_to_the_post_that_said_them_first():
    assert spans(A, f"{A}\n{B}", f"{A}\n{C}", f"{B}\n{D}")[2:] == [
        [(1, 1, 1, 1, 1)],
        [(1, 1, 2, 2, 2)],
    ]


def test_short_paragraphs_count_beside_a_quote_only():
    assert spans("Yes.", f"Yes.\n{A}") == [[], []]
    assert spans(f"Yes.\n{A}\nNo.", f"Yes.\n{A}\nNo.\n{B}")[1] == [(1, 3, 1, 1, 3)]


def test_curly_marks_and_white_space_are_forgiven_and_nothing_else():
    said = 'He said "wait a little longer" to them.'
    assert spans(said, "He  said “wait a little longer” to them.\nx")[1]
    assert not spans(said, 'He said "wait a little longer" to Them.\nx')[1]


def test_a_text_that_is_all_repetition_keeps_within_the_limits():
    one = "\n".join(f"Paragraph number {n} of many of them." for n in range(200))
    other = "\n".join(f"Paragraph number {n} of many of them.\nand" for n in range(200))
    found = text.find_repetitions([one, other])[1]
    assert len(found) == markup.MAX_QUOTES


def test_paragraphs_past_the_limit_stay_those_of_who_wrote_them_first(monkeypatch):
    """A post that repeats too much has some of it as its own words, and yet did not write them."""
    monkeypatch.setattr(markup, "MAX_QUOTES", 1)
    assert spans(f"{A}\n{B}", f"{A}\nand\n{B}", f"{B}\nx")[2] == [(1, 1, 1, 2, 2)]


# --- Refused fixtures -----------------------------------------------------------------------


def read(objects: object) -> fixture.ThreadFixture:
    data = objects if isinstance(objects, bytes) else json.dumps(objects).encode()
    return parsing.read(data, "x.json")


def refusal(objects: object) -> str:
    with pytest.raises(Rejected) as refused:
        read(objects)
    return str(refused.value)


def field(number: int, /, **values):
    """Set fields of the object with this number."""

    def spoil(objects):
        objects[number - 1]["fields"].update(values)

    return spoil


def without(number: int, name: str):
    def spoil(objects):
        del objects[number - 1]["fields"][name]

    return spoil


def put(number: int, model: str, **more):
    """Put another object where this one stands."""

    def spoil(objects):
        objects.insert(number - 1, {"model": model, "fields": {}, **more})

    return spoil


def swap(one: int, other: int):
    def spoil(objects):
        objects[one - 1], objects[other - 1] = objects[other - 1], objects[one - 1]

    return spoil


# Objects 2 to 8 are posts 1 to 7; objects 9 to 11 the quotes of posts 5 to 7; objects 12 and 13
# the divergences, 14 to 18 the questions.
SPOILT = [
    ("cycle", field(6, parent=["trotsky-spain-7"]), "object 6 (forum.post): answers itself by way"),
    ("self", field(6, parent=["trotsky-spain-5"]), "object 6 (forum.post): answers itself by way"),
    ("missing parent", field(6, parent=["nowhere"]), "object 6 (forum.post): its parent 'nowhere'"),
    (
        "parent comes later",
        field(3, parent=["trotsky-spain-4"], parent_basis="reply"),
        "object 3 (forum.post): its parent 'trotsky-spain-4' comes after it",
    ),
    (
        "parent is the opening",
        field(3, parent=["trotsky-spain-1"], parent_basis="reply"),
        "object 3 (forum.post): its parent is the opening",
    ),
    (
        "parent without basis",
        field(4, parent=["trotsky-spain-2"]),
        "object 4 (forum.post): has a parent",
    ),
    (
        "duplicate key",
        field(4, key="trotsky-spain-2"),
        "object 4 (forum.post): the key 'trotsky-spain-2' stands twice",
    ),
    ("two openings", field(4, parent_basis="opening"), "object 4 (forum.post): a second opening"),
    ("no opening", field(2, parent_basis="unknown"), "object 2 (forum.post): the first post must"),
    ("other thread", field(4, thread=["other"]), "object 4 (forum.post): belongs to another thre"),
    ("two threads", put(4, "forum.thread"), "object 4 (forum.thread): "),
    ("user", put(4, "accounts.user"), "object 4: a thread brings no members and no rights"),
    ("user in capitals", put(4, "Accounts.User"), "object 4: a thread brings no members"),
    ("group", put(12, "auth.group"), "object 12: a thread brings no members and no rights"),
    ("user first", put(1, "accounts.user"), "object 1: the first object must be the thread"),
    ("unknown model", put(4, "forum.lane"), "object 4: unknown model 'forum.lane'"),
    ("primary key", put(4, "forum.post", pk=1), "object 4 (forum.post): a primary key"),
    ("id", field(4, id=1), "object 4 (forum.post): a primary key"),
    *(
        (name, field(4, **{name: 1}), f"object 4 (forum.post): {name} is a tree column")
        for name in ("lft", "rght", "level", "tree_id")
    ),
    ("number", field(4, number=1), "object 4 (forum.post): unknown field 'number'"),
    ("author", field(4, author=["member-a"]), "object 4 (forum.post): unknown field 'author'"),
    ("verdict", field(9, verdict="exact"), "object 9 (forum.quote): unknown field 'verdict'"),
    ("missing field", without(4, "text"), "object 4 (forum.post): text is missing"),
    ("NUL", field(4, text="a\0b"), "object 4 (forum.post): text holds a NUL"),
    ("surrogate", field(4, text="a\ud800b"), "object 4 (forum.post): text holds half a char"),
    ("surrogate title", field(1, title="\udc00"), "object 1 (forum.thread): title holds half"),
    ("too long", field(4, text="a" * 60_001), "object 4 (forum.post): A post holds at most 60,000"),
    ("no words", field(4, text=" \n"), "object 4 (forum.post): a post without words"),
    ("wrong type", field(4, text=["a"]), "object 4 (forum.post): text must be a text"),
    ("wrong key", field(4, key="../x"), "object 4 (forum.post): key must be"),
    ("key no text", field(4, key={}), "object 4 (forum.post): key must be"),
    ("version", field(1, version=True), "object 1 (forum.thread): version must be a whole number"),
    ("no version", field(1, version=0), "object 1 (forum.thread): version must be a whole number"),
    ("format", field(1, format=2), "object 1 (forum.thread): format 2 is unknown"),
    ("kind", field(1, kind="XX"), "object 1 (forum.thread): kind must be one of"),
    ("kind no text", field(1, kind=[]), "object 1 (forum.thread): kind must be one of"),
    ("board", field(1, board="after-1900"), "object 1 (forum.thread): board must be a natural"),
    ("title", field(1, title="\u202e"), "object 1 (forum.thread): title holds characters"),
    ("byline", field(4, byline="b" * 81), "object 4 (forum.post): byline has 81 characters"),
    ("naive time", field(4, written_at="1999-01-01T00:00"), "object 4 (forum.post): written_at"),
    ("no time", field(4, written_at=5), "object 4 (forum.post): written_at"),
    ("first year", field(4, written_at="0001-01-01T00:00+14:00"), "object 4 (forum.post): writt"),
    ("text format", field(4, format="html"), "object 4 (forum.post): format must be one of"),
    ("paragraphs", field(9, paragraphs=[1, 9]), "object 6 (forum.post): Paragraphs 1 to 9"),
    ("paragraphs", field(9, paragraphs=[2, 1]), "object 9 (forum.quote): paragraphs must be"),
    ("paragraphs", field(9, paragraphs=[0, 1]), "object 9 (forum.quote): paragraphs must be"),
    ("paragraphs", field(9, paragraphs=[1.0, 2]), "object 9 (forum.quote): paragraphs must be"),
    ("ordinal", field(9, ordinal=2), "object 9 (forum.quote): the quotes of a post must be"),
    ("Markdown", field(6, format="markdown"), "object 9 (forum.quote): paragraphs belong to"),
    (
        "not in the source",
        field(10, source_post=["trotsky-spain-4"]),
        "object 10 (forum.quote): these words do not stand in 'trotsky-spain-4'",
    ),
    (
        "quotes the future",
        field(9, source_post=["trotsky-spain-6"]),
        "object 9 (forum.quote): quotes a post that comes after it",
    ),
    ("quotes itself", field(9, source_post=["trotsky-spain-5"]), "object 9 (forum.quote): quotes"),
    ("unknown source", field(9, source_post=["x"]), "object 9 (forum.quote): source_post names"),
    ("unknown post", field(9, post=["x"]), "object 9 (forum.quote): post names no post"),
    ("nested", field(9, nested=[["x"]]), "object 9 (forum.quote): nested names no post"),
    (
        "quotes another",
        field(6, parent=["trotsky-spain-3"]),
        "object 6 (forum.post): is said to quote the post it answers",
    ),
    ("other divergence", field(12, thread=["x"]), "object 12 (forum.divergence): belongs to"),
    ("no change", field(12, change=" "), "object 12 (forum.divergence): a divergence says what"),
    ("long change", field(12, change="c" * 301), "object 12 (forum.divergence): change has 301"),
    ("two lines", field(12, place="a\nb"), "object 12 (forum.divergence): place holds charact"),
    ("no date", without(12, "edtf"), "object 12 (forum.divergence): edtf is missing"),
    ("typed date", field(12, edtf="c. 1924"), "object 12 (forum.divergence): "),
    ("no such day", field(12, edtf="1900-02-29"), "object 12 (forum.divergence): "),
    ("date no text", field(12, edtf=1924), "object 12 (forum.divergence): edtf must be a text"),
    ("editor", field(12, by_editor=1), "object 12 (forum.divergence): by_editor must be true"),
    ("bounds", field(12, first_day=1), "object 12 (forum.divergence): unknown field 'first_day'"),
    ("other question", field(14, thread=["x"]), "object 14 (forum.question): belongs to anoth"),
    ("question no text", field(14, text=7), "object 14 (forum.question): text must be a text"),
    ("question NUL", field(14, text="a\0?"), "object 14 (forum.question): text holds a NUL"),
    ("order", field(14, order=1), "object 14 (forum.question): unknown field 'order'"),
    ("posts after quotes", swap(8, 9), "object 9 (forum.post): posts come before quotes"),
]


@pytest.mark.parametrize(
    ("spoil", "sentence"), [case[1:] for case in SPOILT], ids=[case[0] for case in SPOILT]
)
def test_spoilt_fixtures_are_refused_naming_the_object(objects, spoil, sentence):
    spoil(objects)
    assert refusal(objects).startswith(f"x.json, {sentence}")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (field(14, text="Line\nbreak?"), "A question holds at most 500 characters, on one line."),
        (field(14, text="a" * 501), "A question holds at most 500 characters, on one line."),
        (field(14, text=" "), "A question is empty, or stands twice."),
        (field(14, text="If it could spark ww2, what would the alliances be?"), "A question is"),
        (lambda objects: objects.extend([objects[11]] * 4), "A debate has at most 5 divergences."),
    ],
)
def test_a_card_that_cannot_be_shown(objects, spoil, sentence):
    spoil(objects)
    assert refusal(objects).startswith(f"x.json: {sentence}")


def test_dates_are_read_from_their_edtf_text_alone(objects):
    objects[11]["fields"] |= {"edtf": "-0479", "by_editor": False}
    del objects[12]["fields"]["by_editor"]
    one, other = read(objects).divergences
    assert (one.date.first, one.date.last, one.by_editor) == (-175_316, -174_952, False)
    assert other.by_editor is False


def test_a_longer_cycle_is_called_one(objects):
    objects[5]["fields"]["parent"] = ["trotsky-spain-7"]  # 5 → 7 → 6 → 5
    assert refusal(objects) == (
        "x.json, object 6 (forum.post): answers itself by way of 'trotsky-spain-7': a cycle."
    )


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (
            b'[\n {"model": "forum.thread",\n  "fields": {"format": 1,}}]',
            "x.json, line 3: not JSON",
        ),
        (b"[" * 100_000, "x.json, line 1: lists in lists"),
        (b'[{"model": "forum.thread", "fields": {"format": \xff}}]', "x.json, line 1: this is not"),
        (b'[{"model": "a", "model": "b"}]', "x.json, line 1: 'model' stands twice in one object."),
        (b"[NaN]", "x.json, line 1: NaN is not a number."),
        (b"[" + b"9" * 5_000 + b"]", "x.json, line 1: "),
        (b"{}", "x.json, line 1: a thread fixture is a list"),
        (b"[]", "x.json, line 1: a thread fixture is a list"),
        (b"[7]", "x.json, object 1: not an object"),
        (b'[{"model": "forum.thread"}]', "x.json, object 1 (forum.thread): no fields"),
    ],
)
def test_what_is_no_fixture_at_all(data, sentence):
    assert refusal(data).startswith(sentence)


def test_a_thread_without_posts(objects):
    assert refusal(objects[:1]) == "x.json: a thread without posts."


def test_the_limit_on_size(settings):
    settings.FIXTURE_MAX_BYTES = 1_000
    assert refusal(BUILT.read_bytes()).startswith("x.json: larger than the 1,000 bytes")


def test_altered_words_are_a_fact_and_taken_as_such(objects):
    posts = posts_of(objects)
    posts[6]["text"] = posts[6]["text"].replace("just how important", "how unimportant", 1)
    (quote,) = read(objects).posts[6].quotes
    assert quote.match.verdict == "altered"


def test_markdown_posts_bring_their_own_quotes(objects):
    fields = copy.deepcopy(posts_of(objects)[6])
    words = fields["text"].split("\n")[0]
    fields["format"] = "markdown"
    fields["text"] = (
        f"[quote]{words}[/quote]\n\n> claims nothing\n\n[quote]nobody said[/quote]\n\nNo."
    )
    objects[7]["fields"] = fields
    del objects[10]["fields"]["paragraphs"]
    first, second = read(objects).posts[6].quotes
    assert (first.source, first.match.verdict) == (5, "exact")
    assert (second.source, second.match.verdict) == (None, "unverifiable")


@pytest.mark.parametrize(
    ("data", "ours"),
    [
        (b'[{"model": "forum.thread", "fields": {"format": 1}}]', True),
        (b'[{"model": "forum.thread", "fields": {"title": "from a dump"}}]', False),
        (b'[{"model": "x.y"}, {"model": "Forum.Thread", "fields": {"format": 1}}]', True),
        (b'[{"model": "forum.thread", "fields": {"format": 1}', True),
        (b'[{"model": "forum.board", "fields": {"format": 1}', False),
        (b"[]", False),
        (b"\xff", False),
        (b"", False),
    ],
)
def test_which_files_are_for_the_importer(data, ours):
    assert parsing.is_thread_fixture(data) is ours
