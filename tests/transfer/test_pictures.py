"""Debates travel with their pictures: to the byte, and nothing that was not looked at."""

import hashlib
import io
import json
import struct
import zipfile
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import transaction
from PIL import Image

from forum.actions import brought_pictures, gone_pictures, maps, pictures
from forum.checking import check
from forum.models import Board, Picture, PictureUse, Thread, Upload
from forum.moderation import states
from forum.operations import pictures as files
from forum.outbox.worker import Worker
from forum.transfer import Rejected, beside, packing, uploads
from tests.operations.pictures import corpus
from tests.people import browser, fresh, reply, start
from tests.transfer.test_exporting import emptied

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("picture_folder")]
GUEST = AnonymousUser()
DECODED = files.Decoded("png", 1, 1, b"whole", b"", 0)


def sent(user, data: bytes, alt: str = "") -> Picture:
    return fresh(pictures.send(user=user, file=SimpleUploadedFile("x", data), alt=alt))


def one_of_each(user) -> list[Picture]:
    seen = Image.Exif()
    seen[0x010E] = "where it was taken"
    photograph = Image.effect_noise((90, 60), 60).convert("RGB")
    return [
        sent(user, corpus.packed(corpus.drawn(mode="P"), "PNG"), "A map of Spain"),
        sent(user, corpus.packed(photograph, "JPEG", exif=seen), "A photograph"),
        sent(user, corpus.packed(photograph.convert("RGBA"), "WEBP"), "Another"),
        sent(user, corpus.packed(corpus.drawn(seed=3), "WEBP", lossless=True), "A third"),
        sent(user, corpus.moving(4), "Frames"),
        sent(user, corpus.packed(corpus.drawn(1500, 900, "P"), "PNG"), "A large map"),
    ]


@pytest.fixture
def illustrated(thread, opener, answerer) -> Thread:
    """A debate that shows pictures of each kind, one of them twice."""
    shown = one_of_each(opener)
    pictures.describe(user=opener, picture=shown[0], alt="Spain", credit="By me", source="A book")
    reply(thread, opener, "\n\n".join(fresh(one).markdown for one in shown) + "\n\nMine.")
    reply(fresh(thread), answerer, f'![A map](picture:{shown[0].key} "Of 1937")\n\nYours again.')
    return fresh(thread)


def zipped(thread: Thread) -> bytes:
    return b"".join(packing.fixture([fresh(thread)], user=GUEST))


def entries(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def repacked(contents: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return out.getvalue()


def elsewhere() -> None:
    """Be another forum: empty, without a file."""
    emptied()
    for name in list(files.listed()):
        files.dropped(name)


def load(path: Path) -> str:
    said = io.StringIO()
    call_command("loaddata", str(path), stdout=said)
    return said.getvalue()


def nothing_came() -> bool:
    return not (Thread.objects.exists() or Picture.objects.exists() or list(files.listed()))


# --- There and back ---------------------------------------------------------------------------


def test_a_debate_leaves_with_its_pictures_and_comes_back_to_the_byte(illustrated, tmp_path):
    before = {name: hashlib.sha256(files.opened(name).read()).digest() for name in files.listed()}
    data = zipped(illustrated)
    assert data == zipped(illustrated)
    elsewhere()
    (tmp_path / "x.zip").write_bytes(data)
    assert "left out" not in load(tmp_path / "x.zip")
    after = {name: hashlib.sha256(files.opened(name).read()).digest() for name in files.listed()}
    assert after == before
    assert zipped(Thread.objects.get()) == data
    assert Picture.objects.filter(member=None, state="ready").count() == 6
    assert PictureUse.objects.count() == 7
    assert list(check(fix=False)) == []
    page = browser().get(Thread.objects.get().get_absolute_url()).content.decode()
    for picture in Picture.objects.all():
        assert f'src="{picture.shown}"' in page
        assert browser().get(picture.file).status_code == 200
    assert "By me" in page
    assert "A picture is here already" not in load(tmp_path / "x.zip")  # a second time: no change
    assert PictureUse.objects.count() == 7


def test_a_folder_with_the_fixture_and_its_pictures_is_loaded_as_well(illustrated, tmp_path):
    data = zipped(illustrated)
    elsewhere()
    for name, content in entries(data).items():
        path = tmp_path / "taken" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    load(tmp_path / "taken")
    assert zipped(Thread.objects.get()) == data


def test_the_file_of_a_folder_finds_what_lies_beside_it(illustrated, tmp_path):
    data = zipped(illustrated)
    elsewhere()
    for name, content in entries(data).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    load(tmp_path / "debate.json")
    assert PictureUse.objects.count() == 7


def test_without_its_files_a_fixture_is_loaded_and_pictures_stay_links(illustrated, tmp_path):
    fixture = entries(zipped(illustrated))["debate.json"]
    elsewhere()
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "x.json").write_bytes(fixture)
    assert load(tmp_path / "alone" / "x.json").count("its file is not beside the fixture") == 6
    assert not Picture.objects.exists()
    page = browser().get(Thread.objects.get().get_absolute_url())
    assert "A map" in page.content.decode()


def test_what_is_hidden_stays_behind(illustrated, opener, answerer, moderator):
    hidden = sent(answerer, corpus.packed(corpus.drawn(seed=9), "PNG"), "Hidden")
    post = reply(illustrated, answerer, f"{hidden.markdown}\n\nLook.")
    assert len(entries(zipped(illustrated))) == 8
    states.hide(user=moderator, post=fresh(post), reason="Off the point.")
    found = entries(zipped(illustrated))
    assert len(found) == 7
    assert hidden.key not in found["debate.json"].decode()


def test_readers_get_the_zip_where_there_are_pictures(illustrated, thread, opener, board):
    address = f"/threads/{illustrated.pk}/fixture/"
    response = browser().get(address)
    assert response["Content-Type"] == "application/zip"
    assert f"{illustrated.slug}.zip" in response["Content-Disposition"]
    assert b"".join(response.streaming_content) == zipped(illustrated)
    plain = start(board, opener, "Without any", "Only words.")
    assert browser().get(f"/threads/{plain.pk}/fixture/")["Content-Type"] == "application/json"


def test_readers_get_no_zip_of_any_size(illustrated, settings):
    """It is made for whoever asks, guests too; the name of the file says what is not in it."""
    settings.DOWNLOADS_MB = 0
    row = Picture.objects.filter(shows="picture").latest("pk")
    Picture.objects.filter(pk=row.pk).update(bytes=packing.MOST_BYTES)
    fixture = browser().get(f"/threads/{illustrated.pk}/fixture/")
    assert f"{illustrated.slug}-without-pictures.json" in fixture["Content-Disposition"]
    text = b"".join(fixture.streaming_content)
    assert text == entries(zipped(illustrated))["debate.json"]
    markdown = browser().get(f"/threads/{illustrated.pk}/markdown/")
    assert f"{illustrated.slug}-without-pictures.md" in markdown["Content-Disposition"]
    assert f"/pictures/{row.key}/)".encode() in b"".join(markdown.streaming_content)


def test_the_command_writes_a_zip_or_says_that_pictures_stay(illustrated, tmp_path):
    call_command("export_thread", str(illustrated.pk), output=tmp_path / "x.zip")
    assert (tmp_path / "x.zip").read_bytes() == zipped(illustrated)
    said = io.StringIO()
    call_command("export_thread", str(illustrated.pk), output=tmp_path / "x.json", stderr=said)
    assert "The pictures are not in it" in said.getvalue()
    assert (tmp_path / "x.json").read_bytes() == entries(zipped(illustrated))["debate.json"]


def test_markdown_leads_to_the_pictures_beside_it(illustrated):
    response = browser().get(f"/threads/{illustrated.pk}/markdown/")
    found = entries(b"".join(response.streaming_content))
    text = found.pop("debate.md").decode()
    assert len(found) == 6
    for picture in Picture.objects.all():
        name = f"images/{picture.key}.{picture.kind}"
        assert f"]({name}" in text
        assert hashlib.sha256(found[name]).hexdigest() == picture.sha256
    assert "picture:" not in text


# --- Maps -------------------------------------------------------------------------------------

MAP = {
    "shows": "map",
    "title": "The front",
    "moment": "1 May 1937, in this timeline",
    "legend": "Red: held.\nBlue: lost.",
    "projection": "Mercator",
    "template": "Q-BAM",
}


@pytest.fixture
def mapped(thread, opener) -> Thread:
    """A debate with a large map, a smaller one, a flag, and a picture that is none of these."""
    large = sent(opener, corpus.packed(corpus.drawn(3100, 60, "P"), "PNG"), "Large")
    others = [sent(opener, corpus.packed(corpus.drawn(seed=n), "PNG"), str(n)) for n in (2, 3, 4)]
    Worker().drain()
    said = (MAP, {"shows": "map", "moment": "1938"}, {"shows": "flag", "title": "Of the Republic"})
    for picture, one in zip([large, *others], said, strict=False):
        maps.mark(user=opener, picture=fresh(picture), details=maps.Mark(**one))
    reply(thread, opener, "\n\n".join(one.markdown for one in (large, *others)) + "\n\nMine.")
    return fresh(thread)


def marks() -> list[tuple]:
    names = (*MAP, "edtf", "first_day", "last_day", "tiles")
    return list(Picture.objects.order_by("alt").values_list("alt", *names))


@pytest.mark.parametrize("at_once", [True, False])
def test_maps_and_flags_travel_as_such(mapped, tmp_path, monkeypatch, at_once):
    Worker().drain()
    data, before = zipped(mapped), marks()
    assert [row[1] for row in before] == ["map", "flag", "picture", "map"]
    assert before[-1][-1] == "ready"
    elsewhere()
    if at_once:
        (tmp_path / "x.zip").write_bytes(data)
        load(tmp_path / "x.zip")
        assert Picture.objects.get(alt="Large").tiles == "waiting"
    else:
        boss = get_user_model().objects.create_superuser("boss", "boss@example.org", "pass-word-1")
        monkeypatch.setattr("forum.operations.pictures.decoding.AT_ONCE_PIXELS", 100_000)
        (upload,) = received(boss, data)
        uploads.load(user=boss, upload=upload)
        assert Picture.objects.get(alt="Large").state == "waiting"
    Worker().drain()
    assert marks() == before
    assert zipped(Thread.objects.get()) == data
    large = Picture.objects.get(alt="Large")
    assert browser().get(f"/pictures/{large.key}/zoom/").status_code == 200
    assert list(check(fix=False)) == []


def test_a_picture_that_is_nothing_else_is_told_of_as_before(illustrated):
    objects = json.loads(entries(zipped(illustrated))["debate.json"])
    told = {name for one in objects if one["model"] == "forum.picture" for name in one["fields"]}
    assert told == {"thread", "key", "file", "alt", "credit", "source"}


WRONG_MARKS = {
    "Choose what the picture is.": {"shows": "painting"},
    "No year found in": {"shows": "map", "moment": "when the war was over"},
    "The title has at most 120 characters.": {"shows": "flag", "title": "x" * 121},
    "The moment has at most 90 characters.": {"shows": "map", "moment": "1" * 91},
    "The legend has at most 2,000 characters.": {**MAP, "legend": "x\n" * 1001},
    "The legend holds characters that cannot be shown.": {**MAP, "legend": "a\u202eb"},
    "The projection has at most 60 characters.": {**MAP, "projection": "x" * 61},
    "moment must be a text.": {"shows": "map", "moment": 1937},
    "legend holds a NUL character": {**MAP, "legend": "a\0b"},
    "shows must be a text.": {"shows": ["map"]},
    "only a map has a moment.": {"shows": "flag", "title": "Red", "moment": "1937"},
    "only a map, a flag or a cover has a title.": {"title": "Red"},
}


@pytest.mark.parametrize("why", WRONG_MARKS)
def test_what_a_fixture_says_of_a_map_is_checked_as_if_it_was_typed(illustrated, tmp_path, why):
    contents = entries(zipped(illustrated))
    elsewhere()
    objects = json.loads(contents["debate.json"])
    number, one = next(
        (number, one) for number, one in enumerate(objects, 1) if one["model"] == "forum.picture"
    )
    one["fields"] |= WRONG_MARKS[why]
    (tmp_path / "x.zip").write_bytes(
        repacked({**contents, "debate.json": json.dumps(objects).encode()})
    )
    with pytest.raises(CommandError) as told:
        load(tmp_path / "x.zip")
    assert why in str(told.value)
    assert f"object {number} (forum.picture): " in str(told.value)
    assert nothing_came()


# --- At the desk ------------------------------------------------------------------------------


def received(user, data: bytes) -> list[Upload]:
    board = Board.objects.order_by("pk").first()
    options = {"name": "x.zip", "board": board, "kind": "WI", "token": uuid4()}
    return uploads.receive(user=user, data=data, **options)


def test_the_desk_takes_the_zip(illustrated, administrator):
    data = zipped(illustrated)
    boss = administrator.username
    elsewhere()
    boss = get_user_model().objects.create_superuser(boss, f"{boss}@example.org", "pass-word-1")
    client = browser(boss)
    page = client.get("/admin/forum/upload/add/")
    form = {"token": str(uuid4()), "board": Board.objects.first().pk, "kind": "WI", "text": ""}
    sent = client.post(
        "/admin/forum/upload/add/", {**form, "file": SimpleUploadedFile("x.zip", data)}
    )
    assert page.status_code == 200
    assert sent.status_code == 302
    (upload,) = Upload.objects.all()
    large = Picture.objects.get(alt="A large map")
    assert large.member is None
    assert not PictureUse.objects.exists()
    Picture.objects.update(created_at=large.created_at.replace(year=2020))
    assert gone_pictures.sweep() == 0  # somebody looks it over
    uploads.load(user=boss, upload=upload)
    assert zipped(Thread.objects.get()) == data


def test_large_ones_are_left_to_the_worker(illustrated, administrator, monkeypatch):
    data = zipped(illustrated)
    elsewhere()
    boss = get_user_model().objects.create_superuser("boss", "boss@example.org", "pass-word-1")
    monkeypatch.setattr("forum.operations.pictures.decoding.AT_ONCE_PIXELS", 500_000)
    (upload,) = received(boss, data)
    assert Picture.objects.get(alt="A large map").state == "waiting"
    uploads.load(user=boss, upload=upload)
    page = browser().get(Thread.objects.get().get_absolute_url()).content.decode()
    assert "This picture is being made ready" in page
    Worker().drain()
    assert zipped(Thread.objects.get()) == data


def test_what_is_thrown_away_at_the_desk_is_swept_out(illustrated, administrator):
    data = zipped(illustrated)
    elsewhere()
    boss = get_user_model().objects.create_superuser("boss", "boss@example.org", "pass-word-1")
    (upload,) = received(boss, data)
    uploads.discard(user=boss, upload=upload)
    Picture.objects.update(created_at=Picture.objects.first().created_at.replace(year=2020))
    assert gone_pictures.sweep() == 6
    assert list(files.listed()) == []


# --- What is not taken ------------------------------------------------------------------------


def wrong(contents: dict[str, bytes]) -> dict[str, dict[str, bytes]]:
    """Zips that are not taken, by the words that say why."""
    name = next(name for name in contents if name.startswith("pictures/"))
    sound, own = contents[name], contents["debate.json"]
    evil = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    summed = hashlib.sha256(evil).hexdigest()
    old = name.removeprefix("pictures/").partition(".")[0]
    huge = hashlib.sha256(bytes(beside.MOST_BYTES + 1)).hexdigest()
    return {
        "another sum than its name says": {**contents, name: sound + b"x"},
        "does not belong to a fixture": {**contents, "pictures/../../etc/passwd.png": sound},
        "'/etc/passwd' does not": {**contents, "/etc/passwd": sound},
        "'..\\\\debate.json' does not": {**contents, "..\\debate.json": own},
        "'other/debate.json' does not": {**contents, "other/debate.json": own},
        "holds one fixture": {**contents, "second.json": own},
        "a zip holds one": {name: sound},
        "SVG is not taken": {
            **contents,
            "debate.json": own.replace(old.encode(), summed.encode()),
            name.replace(old, summed): evil,
        },
        "larger than 40 MB": {
            **contents,
            "debate.json": own.replace(old.encode(), huge.encode()),
            name.replace(old, huge): bytes(beside.MOST_BYTES + 1),
        },
    }


def test_nothing_is_kept_of_what_is_wrong(illustrated, tmp_path):
    contents = entries(zipped(illustrated))
    elsewhere()
    for why, one in wrong(contents).items():
        path = tmp_path / "x.zip"
        path.write_bytes(repacked(one, zipfile.ZIP_DEFLATED))
        with pytest.raises(CommandError) as told:
            load(path)
        assert why in str(told.value), (why, told.value)
        assert nothing_came(), why


def test_broken_zips_are_refused_in_a_sentence(illustrated, tmp_path):
    data = zipped(illustrated)
    elsewhere()
    path = tmp_path / "x.zip"
    at = data.index(b"\x89PNG") + 60
    locked = bytearray(data)
    entry = data.rindex(b"PK\x01\x02")
    locked[entry + 8] |= 1
    for broken in (
        data[: len(data) // 2],
        data[:at] + b"\0\0\0" + data[at + 3 :],
        bytes(locked),
        b"PK\x03\x04" + bytes(200),
    ):
        path.write_bytes(broken)
        with pytest.raises(CommandError, match=r"broken|sum|password"):
            load(path)
        assert nothing_came()


def test_at_the_desk_all_pictures_together_have_a_limit(illustrated, monkeypatch, settings):
    contents = entries(zipped(illustrated))
    settings.PICTURE_MB = 1
    objects = json.loads(contents["debate.json"])
    named = [one["fields"] for one in objects if one["model"] == "forum.picture"]
    for n, one in enumerate(named):
        zeros = bytes(300_000 + n)
        one["file"] = f"{hashlib.sha256(zeros).hexdigest()}.png"
        contents[f"pictures/{one['file']}"] = zeros
    contents["debate.json"] = json.dumps(objects).encode()
    elsewhere()
    monkeypatch.setattr(pictures.files, "decode", lambda data, **options: DECODED)
    boss = get_user_model().objects.create_superuser("boss", "boss@example.org", "pass-word-1")
    with pytest.raises(Rejected, match="more than 1 MB"):
        received(boss, repacked(contents, zipfile.ZIP_DEFLATED))
    assert nothing_came()


def of_many(count: int, *, said: int | None = None) -> bytes:
    """A zip with so many entries in its directory, which says itself how many they are."""
    one = repacked({"a": b""})
    begins = one.index(b"PK\x01\x02")
    directory = one[begins : one.index(b"PK\x05\x06")] * count
    shown = count if said is None else said
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, shown, shown, len(directory), begins, 0)
    return one[:begins] + directory + end


@pytest.mark.parametrize("said", [60_000, 1, 0])
def test_a_zip_of_very_many_files_is_refused_before_they_are_listed(said, monkeypatch):
    data = io.BytesIO(of_many(60_000, said=said))
    listed = []
    made = zipfile.ZipInfo.__init__
    monkeypatch.setattr(
        zipfile.ZipInfo, "__init__", lambda *args, **more: listed.append(1) or made(*args, **more)
    )
    with pytest.raises(Rejected, match=r"x\.zip: it names more files than the 5,000"):
        beside.Packed(data, "x.zip")
    assert not listed


def test_a_zip_of_too_many_files_is_refused_as_well():
    with pytest.raises(Rejected, match=r"x\.zip: it names more files than the 5,000"):
        beside.Packed(io.BytesIO(of_many(5_001)), "x.zip")


def with_pictures(illustrated, count: int) -> bytes:
    """Its zip with so many pictures more, none of which is a copy of another."""
    contents = entries(zipped(illustrated))
    objects = json.loads(contents["debate.json"])
    one = next(each for each in objects if each["model"] == "forum.picture")
    for number in range(count):
        data = corpus.packed(Image.new("RGB", (1 + number, 1)), "PNG")
        file = f"{hashlib.sha256(data).hexdigest()}.png"
        contents[f"pictures/{file}"] = data
        objects.append({**one, "fields": {**one["fields"], "key": f"k{number:011}", "file": file}})
    contents["debate.json"] = json.dumps(objects).encode()
    return repacked(contents)


def test_at_the_desk_a_few_pictures_are_decoded_and_the_worker_has_the_others(
    illustrated, administrator, monkeypatch
):
    data = with_pictures(illustrated, 20)
    elsewhere()
    boss = get_user_model().objects.create_superuser("boss", "boss@example.org", "pass-word-1")
    decoded, decode = [], files.decode
    monkeypatch.setattr(
        files, "decode", lambda data, **how: decoded.append(how) or decode(data, **how)
    )
    received(boss, data)
    assert len(decoded) == brought_pictures.AT_ONCE == 10
    assert Picture.objects.filter(state=Picture.State.READY).count() == 10
    assert Picture.objects.filter(state=Picture.State.WAITING).count() == 16
    Worker().drain()
    assert Picture.objects.filter(state=Picture.State.READY).count() == 26


def test_at_the_desk_more_pictures_are_refused_and_the_command_named(
    illustrated, administrator, monkeypatch
):
    data = with_pictures(illustrated, 20)
    elsewhere()
    boss = get_user_model().objects.create_superuser("boss", "boss@example.org", "pass-word-1")
    monkeypatch.setattr(uploads, "MOST_PICTURES", 25)
    monkeypatch.setattr(files, "decode", None)  # not one is looked at
    with pytest.raises(Rejected, match=r"26 pictures; at most 25 .* the command loaddata"):
        received(boss, data)
    assert nothing_came()


def test_no_fixture_shows_what_a_member_sent_by_knowing_its_key(illustrated, stranger, tmp_path):
    own = sent(stranger, corpus.packed(corpus.drawn(seed=20), "PNG"), "Nobody's business")
    contents = entries(zipped(illustrated))
    first = Picture.objects.get(credit="By me")
    text = contents["debate.json"].decode().replace(first.key, own.key)
    text = text.replace(illustrated.key, "another").replace('"version": ', '"version": 1')
    for post in illustrated.posts.all():
        text = text.replace(post.key, f"other-{post.pk}")
    old = first.sha256
    data = files.opened(files.name_of(own.sha256, own.kind)).read()
    contents = {n: d for n, d in contents.items() if old not in n}
    contents |= {"debate.json": text.replace(old, own.sha256).encode()}
    contents |= {f"pictures/{own.sha256}.png": data}
    (tmp_path / "x.zip").write_bytes(repacked(contents))
    assert "another picture here has its key" in load(tmp_path / "x.zip")
    assert not PictureUse.objects.filter(picture=own).exists()
    assert browser().get(own.file).status_code == 404


def test_what_was_erased_here_does_not_come_back(
    illustrated, tmp_path, django_capture_on_commit_callbacks
):
    data = zipped(illustrated)
    first = Picture.objects.get(credit="By me")
    name = files.name_of(first.sha256, first.kind)
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        gone_pictures.erase([first])
    contents = entries(data)
    text = contents["debate.json"].decode().replace(illustrated.key, "another")
    text = text.replace(first.key, "abcdefghijkm")
    for post in illustrated.posts.all():
        text = text.replace(post.key, f"other-{post.pk}")
    (tmp_path / "x.zip").write_bytes(repacked({**contents, "debate.json": text.encode()}))
    assert "it was erased here for a legal reason" in load(tmp_path / "x.zip")
    assert name not in files.listed()
    with pytest.raises(pictures.PictureErased):  # nor as the file that readers could keep
        sent(illustrated.author, contents[f"pictures/{first.sha256}.png"])
