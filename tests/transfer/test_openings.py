"""The sixteen openings, and fixtures that hold several threads."""

import copy
import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from forum.models import Board, Divergence, Post, Question, Thread
from forum.text import questions
from forum.transfer import Rejected, parsing
from tests.people import browser, dump

OPENINGS = Path(__file__).parents[2] / "fixtures" / "threads" / "openings.json"


@pytest.fixture(scope="module")
def openings() -> list:
    return parsing.read_all(OPENINGS.read_bytes(), OPENINGS.name)


def load(path: Path = OPENINGS) -> str:
    said = io.StringIO()
    call_command("loaddata", "boards", verbosity=0)
    call_command("loaddata", str(path), stdout=said)
    return said.getvalue()


def test_sixteen_debates_from_the_bronze_age_to_1962(openings):
    assert len(openings) == 16
    first_days = [opening.divergences[0].date.first for opening in openings]
    dates = sorted(opening.divergences[0].date.edtf for opening in openings)
    assert "-1599~" in dates and "1962-11" in dates
    assert len(set(first_days)) == 16
    assert {opening.kind for opening in openings} == {"WI", "AHC", "PC", "DBWI", "TL"}
    assert len({opening.board for opening in openings}) >= 6
    for opening in openings:
        (post,) = opening.posts
        assert post.byline == "Jonbar"
        assert post.written_at is None


def test_each_asks_in_its_own_words(openings):
    for opening in openings:
        plain = opening.posts[0].rendered.plain
        assert opening.questions
        assert bool(opening.own_answer) == (opening.kind in ("WI", "AHC", "PC"))
        assert set(opening.questions) <= set(questions.questions_in(plain)), opening.key
        assert 200 <= len(f"{plain} {opening.own_answer}".split()) <= 350, opening.key


@pytest.mark.django_db
def test_loaded_they_stand_on_the_timeline():
    said = load()
    assert said.count("1 post loaded into") == 16
    assert Thread.objects.count() == Post.objects.count() == 16
    assert sum(Board.objects.values_list("thread_count", flat=True)) == 16
    assert Question.objects.count() >= 16
    client = browser()
    page = client.get("/timeline/").content.decode()
    for thread in Thread.objects.all():
        assert f'href="{thread.get_absolute_url()}"' in page
        shown = client.get(thread.get_absolute_url())
        assert shown.status_code == 200
        assert "Jonbar" in shown.content.decode()
    before = dump(Thread, Post, Divergence, Question, Board)
    load()
    assert dump(Thread, Post, Divergence, Question, Board) == before


@pytest.mark.django_db
def test_all_threads_of_a_file_are_loaded_or_none(tmp_path):
    objects = json.loads(OPENINGS.read_bytes())
    last = max(at for at, one in enumerate(objects) if one["model"] == "forum.thread")
    objects[last]["fields"]["board"] = ["nowhere"]
    path = tmp_path / "openings.json"
    path.write_text(json.dumps(objects))
    with pytest.raises(CommandError, match=rf"object {last + 1} .*no board"):
        load(path)
    assert not Thread.objects.exists()


def test_a_key_stands_once_in_a_file(openings):
    objects = json.loads(OPENINGS.read_bytes())
    twice = [*objects, *copy.deepcopy(objects[:3])]
    with pytest.raises(Rejected, match=rf"object {len(objects) + 1} .*stands twice"):
        parsing.read_all(json.dumps(twice).encode(), "x.json")
    starts = [at for at, one in enumerate(objects) if one["model"] == "forum.thread"]
    objects[starts[1] + 1]["fields"]["key"] = objects[1]["fields"]["key"]
    with pytest.raises(Rejected, match=rf"object {starts[1] + 2} .*has a post"):
        parsing.read_all(json.dumps(objects).encode(), "x.json")


def test_where_one_thread_is_asked_for_a_second_is_refused():
    with pytest.raises(Rejected, match="a second thread"):
        parsing.read(OPENINGS.read_bytes(), "x.json")
