"""Loading debates at the desk: what is recognised, corrected and loaded is what the commands load;
nothing typed is lost, and nobody loads into boards that are not theirs."""

import json
import re
from html import unescape
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection, transaction

from forum.models import AuditEntry, Divergence, Post, Quote, Thread, Upload
from forum.transfer import uploads
from tests.people import browser, dump, typed
from tests.races.soundness import faults

pytestmark = pytest.mark.django_db
FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
SOURCE = (FIXTURES / "sources" / "trotsky-spain.txt").read_bytes()
ADD = "/admin/forum/upload/add/"
PASTED = (
    "What if the ice had held?\n\nSuppose it had. Who would cross?\n---\nThe carts would.\n"
    "---\nThe carts would.\nSo would I.\n"
)


def sent(client, board, **fields):
    return client.post(
        ADD, {"board": board.pk, "kind": "WI", "text": "", "token": uuid4(), **fields}
    )


def form_of(client, upload, page=1) -> dict:
    """What the page of an upload would send."""
    fields: dict = {}
    body = client.get(f"/admin/forum/upload/{upload.pk}/change/?page={page}").content.decode()
    for name, value in re.findall(
        r'<input(?![^>]*checkbox)[^>]* name="([^"]+)"[^>]*?(?: value="([^"]*)")?>', body
    ):
        fields.setdefault(name, []).append(value)
    for name, text in re.findall(
        r'<textarea[^>]* name="([^"]+)"[^>]*>\n?(.*?)</textarea>', body, re.S
    ):
        fields[name] = [unescape(text)]
    fields.pop("csrfmiddlewaretoken", None)
    return fields


def test_a_plain_text_is_recognised_as_by_the_command(client, board, administrator):
    client.force_login(administrator)
    file = SimpleUploadedFile("thread.txt", SOURCE)
    answer = sent(client, board, file=file)
    upload = Upload.objects.get()
    assert answer["Location"] == f"/admin/forum/upload/{upload.pk}/change/"
    page = client.get(answer["Location"]).content.decode()
    assert "7 posts" in page
    assert "3 quotes" in page
    assert "3 posts of which nobody knows" in page
    assert "word for word" in page
    done = client.post(answer["Location"], {**form_of(client, upload), "do": "load"})
    thread = Thread.objects.get()
    assert done["Location"] == thread.get_absolute_url()
    assert not Upload.objects.exists()
    assert thread.posts.count() == 7
    assert list(Quote.objects.values_list("verdict", flat=True)) == ["exact"] * 3
    assert not faults(connection)
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.thread, entry.actor) == ("load", thread, administrator)


def test_a_form_sent_twice_is_kept_once_and_loaded_once(client, board, administrator, moderator):
    client.force_login(administrator)
    token = uuid4()
    first = sent(client, board, text=PASTED, token=token)
    assert sent(client, board, text=PASTED, token=token)["Location"] == first["Location"]
    upload = Upload.objects.get()
    answer = sent(browser(moderator), board, text=PASTED, token=token)
    assert answer.status_code == 422
    assert typed(answer)["text"] == PASTED
    for _ in range(2):
        if not Upload.objects.exists():
            sent(client, board, text=PASTED, token=token)  # the back button
            upload = Upload.objects.get()
        uploads.load(user=administrator, upload=upload)
    assert Thread.objects.count() == 1
    assert AuditEntry.objects.filter(verb="load").count() == 1


def test_the_log_tells_of_a_load_or_it_did_not_happen(client, board, administrator, monkeypatch):
    client.force_login(administrator)
    sent(client, board, text=PASTED)
    upload = Upload.objects.get()

    def broken(*args, **kwargs):
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(uploads, "record", broken)
        with pytest.raises(OSError, match="no space"), transaction.atomic():
            uploads.load(user=administrator, upload=upload)
    assert not Thread.objects.filter(state="visible").exists()
    assert Upload.objects.exists()
    assert uploads.load(user=administrator, upload=upload).added == 3
    assert AuditEntry.objects.get().verb == "load"


def test_what_was_misread_is_corrected_and_loaded(client, board, other_board, administrator):
    client.force_login(administrator)
    sent(client, board, text=PASTED)
    upload = Upload.objects.get()
    address = f"/admin/forum/upload/{upload.pk}/change/"
    fields = form_of(client, upload)
    fields |= {
        "title": "What if the ice had held all winter?",
        "board": other_board.slug,
        "kind": "PC",
        "byline-2": "A carter",
        "written-2": "1998-05-04T12:30:00+00:00",
        "answers-2": "1",
        "text-2": "The carts would, of course.",
        "divergence-change": "The ice holds.",
        "divergence-when": "winter 1812",
        "divergence-place": "Smolensk",
        "divergence-actor": "",
        "question": "Who would cross?",
        "quote-first-3": [""],
        "quote-last-3": [""],
        "quote-source-3": [""],
        "answers-3": "2",
    }
    done = client.post(address, {**fields, "do": "load"})
    thread = Thread.objects.get()
    assert done["Location"] == thread.get_absolute_url()
    assert (thread.title, thread.board, thread.kind) == (
        "What if the ice had held all winter?",
        other_board,
        "PC",
    )
    second, third = thread.posts.filter(number__gt=1).order_by("number")
    assert (second.byline, second.written_at.year, second.parent_basis) == (
        "A carter",
        1998,
        "editor",
    )
    assert second.body.revision.plain == "The carts would, of course."
    assert (third.parent, third.parent_basis) == (second, "editor")
    assert not Quote.objects.exists()
    assert thread.card["divergences"][0]["change"] == "The ice holds."
    assert thread.card["divergences"][0]["spot"] == [54.78, 32.05, 0]
    assert [one["text"] for one in thread.card["questions"]] == ["Who would cross?"]
    assert not faults(connection)


def test_what_is_wrong_is_said_and_nothing_is_lost(client, board, administrator):
    client.force_login(administrator)
    before = dump(Thread, Post)
    for text, says in (
        ("", "Choose a file"),
        ("No separator at all.", "no separator"),
        ('[{"model": "forum.thread"', "line 1: not JSON"),
        ('[{"model": "forum.post", "fields": {}}]', "must be a debate"),
    ):
        answer = sent(client, board, text=text)
        assert answer.status_code == 422
        assert says in answer.content.decode()
        assert typed(answer)["text"] == text
    large = SimpleUploadedFile("large.txt", b"x" * (uploads.MAX_BYTES + 1))
    assert "larger than 2 MB" in sent(client, board, file=large).content.decode()
    assert not Upload.objects.exists()
    sent(client, board, text=PASTED)
    upload = Upload.objects.get()
    fields = form_of(client, upload) | {
        "answers-3": "9",
        "text-2": "Changed.",
        "divergence-change": "The ice holds.",
        "divergence-when": "some day",
    }
    answer = client.post(f"/admin/forum/upload/{upload.pk}/change/", {**fields, "do": "load"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "#3 answers “9”" in page
    assert "Changed." in page
    fields |= {"answers-3": "", "written-2": "yesterday", "divergence-when": "1812"}
    page = client.post(
        f"/admin/forum/upload/{upload.pk}/change/", {**fields, "do": "load"}
    ).content.decode()
    assert "written_at must be null or a time" in page
    assert 'href="?page=1#post-2"' in page
    assert "yesterday" in page
    assert dump(Thread, Post) == before


def test_a_fixture_with_an_unknown_parent_can_be_mended(client, board, administrator):
    client.force_login(administrator)
    objects = json.loads((FIXTURES / "threads" / "trotsky-spain.json").read_text())
    objects[0]["fields"]["board"] = [board.slug]
    objects[6]["fields"]["parent"] = ["nobody"]
    file = SimpleUploadedFile("thread.json", json.dumps(objects).encode())
    sent(client, board, file=file)
    upload = Upload.objects.get()
    address = f"/admin/forum/upload/{upload.pk}/change/"
    page = client.get(address).content.decode()
    assert "its parent" in page
    fields = form_of(client, upload)
    number = next(name[8:] for name, value in fields.items() if value == ["?"])
    done = client.post(address, {**fields, f"answers-{number}": "5", "do": "load"})
    assert done.status_code == 302, done.content.decode()
    assert Post.objects.get(number=int(number)).parent.number == 5
    # What the file says of places goes with it, though no field of the form shows it.
    spots = [str(one.spot) for one in Divergence.objects.order_by("order")]
    assert spots == ["55.75, 37.62", "40.3, -3.6, 400 km"]


def test_only_into_boards_that_one_moderates(
    board, other_board, board_moderator, stranger, administrator
):
    warden, chief = browser(board_moderator), browser(administrator)
    assert sent(browser(stranger), board, text=PASTED).status_code in (302, 403)
    assert sent(warden, other_board, text=PASTED).status_code == 422
    assert not Upload.objects.exists()
    sent(chief, other_board, text=PASTED)
    upload = Upload.objects.get()
    address = f"/admin/forum/upload/{upload.pk}/change/"
    assert warden.get(address).status_code in (302, 404)
    assert warden.post(address, {"do": "load"}).status_code in (302, 403, 404)
    assert not Thread.objects.exists()
    sent(warden, board, text=PASTED)
    own = Upload.objects.get(board=board)
    address = f"/admin/forum/upload/{own.pk}/change/"
    moved = warden.post(address, {**form_of(warden, own), "board": other_board.slug, "do": "load"})
    assert "needs a moderator" in moved.content.decode() or moved.status_code in (403, 404)
    assert not Thread.objects.exists()
    warden.post(address, {"do": "discard"})
    assert list(Upload.objects.all()) == [upload]


def test_several_debates_of_one_file_are_looked_over_one_by_one(client, administrator):
    call_command("loaddata", "boards", verbosity=0)
    from forum.models import Board

    client.force_login(administrator)
    file = SimpleUploadedFile(
        "openings.json", (FIXTURES / "threads" / "openings.json").read_bytes()
    )
    sent(client, Board.objects.first(), file=file)
    assert Upload.objects.count() == 16
    assert not any(uploads.check(upload)[1] for upload in Upload.objects.all())


def test_no_question_from_under_a_spoiler_is_proposed(client, board, administrator):
    """What a debate asks stands beside its title, where nothing is folded away."""
    client.force_login(administrator)
    objects = json.loads((FIXTURES / "threads" / "trotsky-spain.json").read_text())
    objects[0]["fields"]["board"] = [board.slug]
    opening = next(one for one in objects if one["model"] == "forum.post")["fields"]
    opening["format"] = "markdown"
    opening["text"] = "Who wins in the open?\n\n||Does the butler do it?||"
    file = SimpleUploadedFile("thread.json", json.dumps(objects).encode())
    sent(client, board, file=file)
    page = client.get(f"/admin/forum/upload/{Upload.objects.get().pk}/change/").content.decode()
    assert 'value="Who wins in the open?"' in page
    assert 'value="Does the butler do it?"' not in page
