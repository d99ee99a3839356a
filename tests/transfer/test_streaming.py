"""A large fixture is read object by object, and means what it means when it is read as a whole."""

import gc
import io
import json
import random
import tracemalloc
from types import SimpleNamespace

import pytest
from django.core.management import call_command

from forum.models import PostRevision, Quote
from forum.transfer import loading, parsing, rows, spool, streaming
from forum.transfer.fixture import dump
from forum.transfer.spool import Spool
from forum.transfer.streaming import NotStreamed, objects_of
from tests.transfer.test_loaddata import objects

DECODER = json.JSONDecoder()
LISTS = (
    "[]",
    " [ ] \n",
    "[1]",
    "[12345678, 9.5e3 , -1]",
    '[{"a": [1, {"b": "}]"}]}, null, true, "é😀\\u00e9\\n"]',
    '[\n  {"model": "forum.thread"},\n\t{}\r\n]\n',
)
NO_LISTS = (
    *("", " ", "{}", "1", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1]]", "[1] 2", "[1}"),
    *('["a]', "[tru]", "[1]\0", "[\u00a01]", '["\t"]'),
)


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 1 << 20])
@pytest.mark.parametrize("text", LISTS)
def test_a_list_is_read_as_json_reads_it_wherever_a_piece_ends(text, piece, monkeypatch):
    monkeypatch.setattr(streaming, "PIECE", piece)
    assert list(objects_of(text.encode(), DECODER)) == json.loads(text)


@pytest.mark.parametrize("piece", [1, 1 << 20])
@pytest.mark.parametrize("text", NO_LISTS)
def test_what_is_no_list_or_broken_is_left_to_who_can_tell(text, piece, monkeypatch):
    monkeypatch.setattr(streaming, "PIECE", piece)
    with pytest.raises(NotStreamed):
        list(objects_of(text.encode(), DECODER))


@pytest.mark.parametrize(
    "data", [b'["\xff"]', b'["\xc3', b'\xef\xbb\xbf["a"]', '["a"]'.encode("utf-16"), b"[" * 99_999]
)
def test_other_encodings_and_endless_lists_are_left_too(data):
    with pytest.raises(NotStreamed):
        list(objects_of(data, DECODER))


def test_cut_and_changed_lists_are_taken_just_where_json_takes_them(monkeypatch):
    """Whatever happens to a fixture, it is streamed if and only if it is a list of JSON."""
    monkeypatch.setattr(streaming, "PIECE", 5)
    dice = random.Random(20)
    one = {"model": "forum.post", "fields": {"key": "x-1", "lane": None, "text": "Words, words."}}
    whole = json.dumps([one, {**one, "pk": 12.5}])
    taken = 0
    for _ in range(400):
        at = dice.randrange(len(whole))
        put = dice.choice(["", ",", "]", "[", '"', " ", "0", "{", "}"])
        text = whole[:at] + put + whole[at + 1 :]
        try:
            right = json.loads(text)
        except ValueError:
            right = None
        try:
            found = list(objects_of(text.encode(), DECODER))
        except NotStreamed:
            found = None
        assert found == right, text
        taken += found is not None
    assert taken > 20


def test_texts_come_out_of_the_spool_as_they_went_in(monkeypatch):
    kept = Spool()
    ids = [kept.put(f"Words {n} " * n) for n in range(50)]
    order = random.Random(3).sample(range(50), 50)
    assert [kept.get(ids[n]) for n in order] == [f"Words {n} " * n for n in order]


def test_what_is_read_of_a_long_debate_is_not_in_memory(monkeypatch):
    """Of ten times as many posts it holds a few hundred bytes of each, not their texts."""
    monkeypatch.setattr("forum.transfer.spool.IN_MEMORY", 1)
    monkeypatch.setattr(streaming, "PIECE", 1 << 14)

    def most(posts: int) -> int:
        made = objects("x", [None] * posts)
        for one in made[1:]:
            one["fields"]["parent_basis"] = "reply"
            one["fields"]["text"] += "\n\n" + "Some more words of this post. " * 100
        made[1]["fields"]["parent_basis"] = "opening"
        data = io.BytesIO(dump(made))
        tracemalloc.start()
        fixture = parsing.read(data, "x.json")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(fixture.posts) == posts
        return peak

    most(10)
    assert (most(220) - most(20)) / 200 < 600  # the text alone has 3,000


def test_many_debates_wait_in_one_file(monkeypatch):
    """A file, or a megabyte of memory, for each would be too many of a whole forum."""
    made, real = [], spool.SpooledTemporaryFile

    def noted(**options):
        made.append(real(**options))
        return made[-1]

    monkeypatch.setattr(spool, "SpooledTemporaryFile", noted)
    data = dump([one for n in range(20) for one in objects(f"x{n}", [None, 1])])
    fixtures = parsing.read_all(data, "x.json")
    assert [len(one.posts) for one in fixtures] == [2] * 20
    assert sum(not file.closed for file in made) == 1


@pytest.mark.django_db
def test_what_is_written_of_a_long_debate_is_not_in_memory(monkeypatch):
    """Of the posts that others quote it keeps where they are, not their rows."""
    monkeypatch.setattr(rows, "PART_POSTS", 10)
    monkeypatch.setattr(rows, "PAUSE", 0)
    call_command("loaddata", "boards", verbosity=0)
    made = objects("x", [None, *range(1, 120)], quoting=tuple(range(3, 121)))
    held, write = [], rows.Writer.write

    def written(writer, *args) -> None:
        write(writer, *args)
        held.append(sum(isinstance(one, PostRevision) for one in gc.get_objects()))

    monkeypatch.setattr(rows.Writer, "write", written)
    loading.load(parsing.read(dump(made), "x.json"))
    assert Quote.objects.exclude(source_post=None).count() == 118
    assert len(held) == 12
    assert held[-1] <= held[1] + 10


def test_others_may_write_while_the_next_part_is_made(monkeypatch):
    """Where SQLite has one writer, the pause is what is left of it once the next part is made."""
    slept = []
    monkeypatch.setattr(rows, "connection", SimpleNamespace(vendor="sqlite"))
    clock = SimpleNamespace(sleep=slept.append, monotonic=lambda: 100.0)
    monkeypatch.setattr(rows, "time", clock)
    for since in (100.0 - rows.PAUSE / 2, 90.0):
        rows.let_others_write(since)
    rows.let_others_write()
    assert slept == [pytest.approx(rows.PAUSE / 2), 0, rows.PAUSE]
