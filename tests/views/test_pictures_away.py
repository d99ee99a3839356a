"""Where the storage of pictures (a bucket, a disk) does not answer, every page that opens a file of
a picture says so with 503, the log has a line, and what was done without it stands."""

import logging
import re
from uuid import uuid4

import pytest
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from forum.actions import emblems, gone_pictures, pictures
from forum.models import Picture
from forum.moderation import closing, erasing
from forum.operations import downloads
from forum.operations import pictures as files
from tests.operations.pictures import corpus
from tests.people import browser, fresh, reply, sent_picture, typed

pytestmark = pytest.mark.django_db


class Unreachable(Exception):
    """What the library of a bucket raises is of its own kind, and no OSError."""


class Lazy(File):
    """A bucket is asked for the bytes when they are first read."""

    @property
    def file(self):
        raise Unreachable("Could not connect to the endpoint URL")

    @file.setter
    def file(self, value):
        pass


class Storage(FileSystemStorage):
    """A folder that can be away: `away` is how."""

    away = ""

    def _open(self, name, mode="rb"):
        self._ask()
        return Lazy(None, name) if self.away == "later" else super()._open(name, mode)

    def _save(self, name, content):
        self._ask()
        return super()._save(name, content)

    def delete(self, name):
        self._ask()
        super().delete(name)

    def exists(self, name):
        self._ask()
        return super().exists(name)

    def listdir(self, path):
        self._ask()
        return super().listdir(path)

    def _ask(self):
        if self.away == "at once":
            raise Unreachable("Could not connect to the endpoint URL")
        if self.away == "disk":
            raise OSError(5, "Input/output error")


@pytest.fixture(autouse=True)
def kept(settings, tmp_path, monkeypatch):
    settings.DATA_DIR = tmp_path
    storage = {"BACKEND": f"{__name__}.Storage", "OPTIONS": {"location": tmp_path / "pictures"}}
    settings.STORAGES = {**settings.STORAGES, "pictures": storage}
    monkeypatch.setattr(Storage, "away", "")


def flag(seed=1) -> SimpleUploadedFile:
    return SimpleUploadedFile("flag", corpus.packed(corpus.drawn(60, 40, "P", seed), "PNG"))


@pytest.fixture
def picture(thread, opener) -> Picture:
    """A map in a debate, with tiles; its sender has an emblem."""
    made = sent_picture("A map of Spain", member=opener)
    reply(thread, opener, f"Look:\n\n{made.markdown}")
    emblems.choose(user=opener, file=flag())
    return made


@pytest.mark.parametrize("how", ["at once", "later", "disk"])
def test_whoever_asks_for_a_file_is_told_and_the_log_has_a_line(
    thread, picture, opener, monkeypatch, caplog, how
):
    whole = f"/threads/{thread.pk}"
    addresses = [
        picture.file,
        f"{picture.in_tiles}0/0_0.webp",
        f"/emblems/{fresh(opener).emblem}.png",
        *(f"{whole}/{kind}/" for kind in ("epub", "fixture", "markdown")),
    ]
    client = browser(opener)
    for address in addresses:
        page = client.get(address)
        assert page.status_code == 200, address
        assert b"".join(page.streaming_content)  # to its end: two downloads are sent at once
    monkeypatch.setattr(Storage, "away", how)
    downloads.clear()
    for address in addresses:
        caplog.clear()
        with caplog.at_level(logging.WARNING, "forum"):
            page = client.get(address)
        assert page.status_code == 503, address
        assert "The pictures cannot be reached just now" in page.content.decode(), address
        assert page["Retry-After"]
        assert "no-store" in page["Cache-Control"]
        assert "storage of pictures" in caplog.text, address
    # The pages themselves need no file.
    for address in (f"{whole}/", picture.get_absolute_url(), f"/pictures/{picture.key}/zoom/"):
        assert client.get(address, follow=True).status_code == 200


@pytest.mark.parametrize("how", ["at once", "disk"])
def test_who_sends_one_is_told_and_keeps_the_text(thread, opener, monkeypatch, how):
    monkeypatch.setattr(Storage, "away", how)
    form = {"text": "I say:", "token": str(uuid4()), "do": "picture", "picture": flag()}
    page = browser(opener).post(f"/threads/{thread.pk}/reply/", form)
    assert page.status_code == 503
    assert typed(page)["text"] == "I say:"
    assert "The pictures cannot be reached just now" in page.content.decode()
    told = browser(opener).post("/pictures/", {"picture": flag()})
    assert told.status_code == 503
    assert "cannot be reached" in told.json()["problem"]
    page = browser(opener).post("/accounts/emblem/", {"emblem": flag()})
    assert page.status_code == 503
    assert re.search(r'role="alert">[^<]*cannot be reached', page.content.decode())
    assert not Picture.objects.exists()
    assert not fresh(opener).emblem


def test_acts_stand_and_their_files_go_later(
    thread,
    picture,
    opener,
    answerer,
    administrator,
    monkeypatch,
    django_capture_on_commit_callbacks,
):
    """What is to go after a commit cannot undo it: saying that nothing was done would be false."""
    mine = pictures.send(user=answerer, file=flag(7))
    post = fresh(reply(thread, answerer, f"Mine:\n\n{mine.markdown}"))
    emblems.choose(user=answerer, file=flag(2))
    client = browser(opener)
    monkeypatch.setattr(Storage, "away", "at once")
    texts = erasing.find(post, "").texts
    with django_capture_on_commit_callbacks(execute=True):
        erasing.erase(user=administrator, post=post, reason="By law 12.", texts=texts)
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post("/accounts/emblem/", {"do": "drop"}).status_code == 302
    with django_capture_on_commit_callbacks(execute=True):
        closing.close(user=administrator, member=answerer, reason="As asked.")
    assert not User.objects.exclude(emblem="").exists()
    assert client.get(mine.file).status_code == 404
    monkeypatch.setattr(Storage, "away", "")
    gone_pictures.sweep()
    assert set(files.listed()) == {files.name_of(picture.sha256, "png")}
