"""Broken fixtures, at the desk and at `loaddata`: each ends in a sentence, whatever is wrong with
it, and changes nothing. Drawn from seeds; JONBAR_LONG=1 breaks some thousands.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import transaction

from forum.models import Board, Term, Thread, Upload
from tests.admin.test_uploads import ADD, form_of
from tests.mutations import broken
from tests.people import browser, dump, play

pytestmark = pytest.mark.django_db
LONG = os.environ.get("JONBAR_LONG") == "1"
FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
SOURCE = (FIXTURES / "threads" / "trotsky-spain.json").read_bytes()


@pytest.fixture(scope="module")
def desk(settled):
    Board.objects.create(name="After 1900", slug="after-1900")
    return play("administrator")


def test_a_broken_fixture_at_the_desk_is_a_sentence(desk, record_property):
    client, board, told, faults = browser(desk), Board.objects.get(), {}, []
    for seed in range(3_000 if LONG else 40):
        data = broken(SOURCE, seed)
        with transaction.atomic():
            try:
                file = SimpleUploadedFile("broken.json", data)
                answer = client.post(
                    ADD, {"board": board.pk, "kind": "WI", "token": uuid4(), "file": file}
                )
                what = "refused"
                if answer.status_code == 302:
                    what = "kept"
                    upload = Upload.objects.first()
                    form = form_of(client, upload)
                    where = f"/admin/forum/upload/{upload.pk}/change/"
                    assert client.post(where, {**form, "do": "save"}).status_code in (302, 200, 422)
                    done = client.post(where, {**form, "do": "load"})
                    what = {302: "loaded", 422: "shown"}[done.status_code]
                else:
                    assert answer.status_code == 422
                    assert "This was not taken yet." in answer.content.decode()
            except Exception as error:
                what = "failed"
                faults.append(f"{seed}: {type(error).__name__} {str(error)[:200]}")
            transaction.set_rollback(True)
        told[what] = told.get(what, 0) + 1
    record_property("measured", ", ".join(f"{n:,} {what}" for what, n in sorted(told.items())))
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (r'"a\u0000b"', "NUL"),
        (r'"\ud800"', "half a character"),
        ("NaN", "NaN is not a number"),
        ("-Infinity", "Infinity is not a number"),
        ("1e999", "larger than any number"),
        ("9" * 5_000, "too long a number"),
        ('["a"]', "title must be a text"),
    ],
)
@pytest.mark.parametrize("name", ["title", "source"])
def test_what_no_database_keeps_is_said_at_the_desk(desk, name, value, says):
    data = json.loads(SOURCE)
    data[0]["fields"][name] = "HERE"
    text = json.dumps(data).replace('"HERE"', value)
    board = Board.objects.get()
    sent = {"board": board.pk, "kind": "WI", "token": uuid4(), "text": text}
    answer = browser(desk).post(ADD, sent)
    assert answer.status_code == 422
    assert says.replace("title", name) in answer.content.decode()
    assert not Upload.objects.exists()


def test_a_nul_typed_while_correcting_costs_nothing(desk):
    client, board = browser(desk), Board.objects.get()
    file = SimpleUploadedFile("thread.json", SOURCE)
    client.post(ADD, {"board": board.pk, "kind": "WI", "token": uuid4(), "file": file})
    upload = Upload.objects.get()
    form = form_of(client, upload) | {"title": "One\0Two", "text-2": "Three\0Four"}
    where = f"/admin/forum/upload/{upload.pk}/change/"
    assert client.post(where, {**form, "do": "save"}).status_code in (200, 302)
    upload.refresh_from_db()
    assert upload.objects_read[0]["fields"]["title"] == "OneTwo"


@pytest.mark.parametrize("name", ["boards", "glossary"])
def test_a_broken_fixture_for_django_is_a_sentence(tmp_path, name, record_property):
    """With the file, mostly with the line, and what to do; nothing is loaded then."""
    data = (FIXTURES / f"{name}.json").read_bytes()
    path, told, faults = tmp_path / f"broken-{name}.json", Counter(), []
    call_command("loaddata", "boards", "glossary", stdout=StringIO())
    before = dump(Board, Term, Thread)
    for seed in range(2_500 if LONG else 60):
        path.write_bytes(broken(data, seed))
        try:
            with transaction.atomic():
                call_command("loaddata", path, stdout=StringIO(), stderr=StringIO())
                transaction.set_rollback(True)
            told["loaded"] += 1
        except CommandError as error:
            sentence = str(error)
            told["with the line" if ", line " in sentence else "without"] += 1
            plain = "\n" not in sentence and len(sentence) < 700 and sentence.endswith(".")
            if not plain or path.name not in sentence or dump(Board, Term, Thread) != before:
                faults.append(f"{seed}: {sentence[:300]!r}")
        except Exception as error:
            faults.append(f"{seed}: {type(error).__name__} {str(error)[:200]}")
    record_property("measured", ", ".join(f"{n:,} {what}" for what, n in sorted(told.items())))
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            '[\n{"model": "forum.board",\n "fields": {"name": "A", "slug": "a",}}]',
            "line 3: not JSON",
        ),
        ('[\n\n{"model": "forum.board", "fields": {"name": "A", "what": 1}}]', "line 3: .*what"),
        ('[{"model": "forum.bored", "fields": {}}]', "line 1: .*forum.bored"),
        ('[{"fields": {}}]', "line 1: .*model"),
        ('["x"]', "line 1: not an object"),
        ('{"model": "forum.board"}', "a list of objects"),
        (
            '[{"model": "forum.board", "fields": {"name": "A", "slug": "a"}},\n'
            '{"model": "forum.board", "fields": {"name": "B", "slug": "b", "first_year": "x"}}]',
            "line 2: .*must be an integer",
        ),
        (
            r'[{"model": "forum.board", "fields": {"name": "A\u0000", "slug": "a"}}]',
            "line 1: .*NUL",
        ),
        ('[{"model": "forum.board", "fields": {"name": "A", "parent": ["no"]}}]', "x.json.*no"),
    ],
)
def test_what_is_wrong_with_a_fixture_is_said_with_its_line(tmp_path, text, says):
    path, before = tmp_path / "x.json", dump(Board)
    path.write_text(text)
    with pytest.raises(CommandError, match=says):
        call_command("loaddata", path)
    assert dump(Board) == before


NUMBERS = '[{"model": "forum.board", "fields": {"name": "A", "slug": "a"}},\n\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f'{NUMBERS}{{"pk": NaN}}]', "line 3: NaN is not a number"),
        (f'{NUMBERS}{{"pk": 1e999}}]', "line 3: 1e999 is larger"),
        (f'{NUMBERS}{{"a": 1, "a": 2}}]', "line 3: 'a' stands twice"),
        (f"{NUMBERS}{'[' * 100_000}", "line 3: lists in lists without end"),
        ("\n\n7", "line 3: a fixture is a list of objects"),
    ],
)
def test_what_json_takes_and_we_do_not_is_said_with_its_line(tmp_path, text, says):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(CommandError, match=f"x.json, {says}.* Nothing was loaded; mend the file"):
        call_command("loaddata", path)


@pytest.mark.parametrize("number", [1, 2, 4])
def test_what_is_wrong_with_a_debate_is_said_with_its_line(tmp_path, number):
    """Of a fixture for the importer, whose sentences name its objects by number."""
    data = json.loads(SOURCE)
    data[number - 1]["fields"]["what"] = 1
    lines = [json.dumps(one) for one in data]
    path = tmp_path / "x.json"
    path.write_text("[" + ",\n".join(lines) + "]")
    says = rf"x.json, line {number}, object {number} \(.*'what'.* Nothing was loaded; mend the file"
    with pytest.raises(CommandError, match=says):
        call_command("loaddata", path)


@pytest.mark.parametrize(
    "text",
    [
        '[{"model": "accounts.user", "fields": {"username": "a"}}]',
        SOURCE.decode(),
    ],
    ids=["Django's", "ours"],
)
def test_a_database_without_tables_is_a_sentence(tmp_path, text):
    """As `loaddata` before `migrate` meets it."""
    path, table = tmp_path / "x.json", tmp_path / "empty.sqlite3"
    path.write_text(text)
    asked = subprocess.run(
        [sys.executable, "manage.py", "loaddata", str(path)],
        cwd=FIXTURES.parent,
        env={**os.environ, "DATABASE_URL": f"sqlite:///{table}", "DEBUG": "1", "SECRET_KEY": "x"},
        capture_output=True,
        text=True,
    )
    assert asked.returncode == 1
    assert "run “manage.py migrate”, then load the file again." in asked.stderr
    assert "Traceback" not in asked.stderr


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz", "zip"])
def test_what_cannot_be_unpacked_is_a_sentence(tmp_path, ending):
    path = tmp_path / f"x.json.{ending}"
    path.write_bytes(b"no archive at all")
    with pytest.raises(CommandError, match=r"x\.json\..*cannot be read"):
        call_command("loaddata", path)
