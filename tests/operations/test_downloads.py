"""Files that are taken along: made once, kept while they hold, no more than a worker can bear."""

import errno
import fcntl
import os
import time
from threading import BoundedSemaphore

import pytest

from forum.models import Board
from forum.moderation import erasing, states
from forum.operations import downloads
from forum.permissions import Refused
from forum.transfer import exporting
from tests.people import browser, edit, fresh, quoting, reply, start

KINDS = ("fixture", "markdown", "epub")


@pytest.fixture(autouse=True)
def kept(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    settings.DOWNLOADS_MB = 10


@pytest.fixture
def made(monkeypatch):
    """The debates whose Markdown was made, in order."""
    rows = []
    real = exporting.markdown

    def markdown(thread, **options):
        rows.append(thread.pk)
        return real(thread, **options)

    monkeypatch.setattr(exporting, "markdown", markdown)
    return rows


def taken(thread, kind="markdown", user=None, status=200) -> bytes:
    response = browser(user).get(f"/threads/{thread.pk}/{kind}/")
    assert response.status_code == status
    return b"".join(response.streaming_content) if response.streaming else response.content


def names() -> list[str]:
    return sorted(path.name for path in downloads._files())


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_kept_is_what_would_be_made(thread, answer, kind, settings):
    first = taken(thread, kind)
    assert len(names()) == 1
    assert taken(thread, kind) == first
    settings.DOWNLOADS_MB = 0
    assert taken(thread, kind) == first


def test_a_file_is_made_once_for_everybody(thread, made, opener, moderator):
    bodies = {taken(thread, user=user) for user in (None, opener, moderator, None)}
    assert made == [thread.pk]
    assert len(bodies) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_an_act_makes_it_anew_at_once(thread, answer, moderator, kind):
    assert len(names()) == 0
    first = taken(thread, kind)
    edit(answer, "The party obeyed its harvests.")
    second = taken(thread, kind)
    assert b"its harvests" in second
    states.hide(user=moderator, post=fresh(answer), reason="Off the matter.")
    third = taken(thread, kind)
    assert b"its harvests" not in third
    assert len({first, second, third}) == 3
    assert len(names()) == 1  # what it took the place of is gone


def test_what_is_read_by_some_is_never_kept(board, opener, answerer, stranger, made):
    board.audience = Board.Audience.MEMBERS
    board.save()
    thread = start(board, opener)
    assert taken(thread, user=opener) == taken(thread, user=answerer)
    assert made == [thread.pk, thread.pk]
    assert names() == []
    assert browser().get(f"/threads/{thread.pk}/markdown/").status_code in (302, 404)


def test_a_kept_file_names_nothing_that_only_its_first_reader_may_see(
    thread, opener, inner_board, moderator, board
):
    """Whoever asks first: it is made for nobody in particular."""
    board.audience = Board.Audience.MEMBERS
    board.save()
    hidden = start(board, opener, title="Among ourselves")
    open_board = Board.objects.create(name="Open", slug="open")
    debate = start(open_board, opener)
    debate.variant_of = hidden
    debate.save()
    assert hidden.key.encode() not in taken(debate, "fixture", user=opener)
    assert len(names()) == 1


def test_a_file_that_does_not_hold_any_more_is_not_kept(thread, answer, moderator, monkeypatch):
    """Its numbers are asked again once it lies there."""
    real = exporting.markdown

    def markdown(thread, **options):
        yield from real(thread, **options)
        states.hide(user=moderator, post=fresh(answer), reason="Off the matter.")

    monkeypatch.setattr(exporting, "markdown", markdown)
    taken(thread)
    assert names() == []


def test_erased_words_are_in_no_file(
    thread, answer, administrator, opener, django_capture_on_commit_callbacks
):
    reply(thread, opener, quoting(answer, "The party obeyed nobody."))
    other = start(thread.board, opener)
    for kind in KINDS:
        assert b"The party obeyed nobody." in taken(thread, kind)
        taken(other, kind)
    words = "The party obeyed nobody."
    texts = erasing.find(answer, words).texts
    with django_capture_on_commit_callbacks(execute=True):
        erasing.erase(
            user=administrator, post=fresh(answer), words=words, reason="By order.", texts=texts
        )
    assert names() == []
    for kind in KINDS:
        assert words.encode() not in taken(thread, kind)


def test_clearing_leaves_alone_what_is_being_made(thread):
    taken(thread)
    left, theirs = (downloads.folder() / f"{name}.part" for name in ("left", "theirs"))
    left.write_bytes(b"by a crash")
    theirs.write_bytes(b"by another worker")
    with theirs.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        downloads.clear()
        assert names() == ["theirs.part"]


@pytest.mark.parametrize("keeps", [10, 0])
def test_a_full_disk_is_said(thread, settings, keeps, monkeypatch):
    settings.DOWNLOADS_MB = keeps

    def full(file, pieces):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(downloads, "_written", full)
    assert b"could not be written" in taken(thread, status=503)
    assert names() == []


@pytest.mark.parametrize("keeps", [10, 0])
def test_one_is_made_at_a_time_and_the_others_are_told_when(thread, settings, keeps, made):
    settings.DOWNLOADS_MB = keeps
    with downloads._one_at_a_time():
        response = browser().get(f"/threads/{thread.pk}/markdown/")
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0
        assert "Another file is being made just now" in response.content.decode()
        assert browser().get(thread.get_absolute_url()).status_code == 200
    assert made == []
    taken(thread)
    with downloads._one_at_a_time():
        if keeps:
            taken(thread)  # it lies there


def test_another_worker_that_makes_it_is_not_disturbed(thread, tmp_path):
    taken(thread)
    (name,) = names()
    done = (downloads.folder() / name).read_bytes()
    (downloads.folder() / name).rename(downloads.folder() / f"{name}.part")
    with (downloads.folder() / f"{name}.part").open("ab") as theirs:
        fcntl.flock(theirs, fcntl.LOCK_EX)
        assert b"being made just now" in taken(thread, status=503)
        assert (downloads.folder() / f"{name}.part").read_bytes() == done
    # They were killed half-way: what is left is made anew, not sent.
    (downloads.folder() / f"{name}.part").write_bytes(b"half of")
    assert taken(thread) == done


def test_few_are_sent_at_once_and_each_ends_its_turn(thread, monkeypatch):
    monkeypatch.setattr(downloads, "_sending", BoundedSemaphore(downloads.SENT_AT_ONCE))
    taken(thread)
    clients = [browser().get(f"/threads/{thread.pk}/markdown/") for _ in range(6)]
    sent = [one for one in clients if one.status_code == 200]
    assert len(sent) == downloads.SENT_AT_ONCE
    assert {one.status_code for one in clients} == {200, 503}
    assert all("Retry-After" in one.headers for one in clients if one.status_code == 503)
    for one in sent:
        assert list(one.streaming_content)  # the client closes what it has read
    taken(thread)


def test_a_network_has_few_made(thread, settings, answer, stopped_clock):
    settings.DOWNLOADS_PER_MINUTE = 2
    with downloads._one_at_a_time():  # nothing is made, nothing counts
        for _ in range(3):
            taken(thread, "markdown", status=503)
    taken(thread, "markdown")
    taken(thread, "fixture")
    response = browser().get(f"/threads/{thread.pk}/epub/")
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0
    assert "Many files were made for your network" in response.content.decode()
    taken(thread, "markdown")  # it lies there
    for address, status in (("2001:db8::1", 200), ("2001:db8::2", 200), ("2001:db8::3", 429)):
        edit(answer, f"Again {address}.")
        client = browser(REMOTE_ADDR=address)
        assert client.get(f"/threads/{thread.pk}/markdown/").status_code == status


def test_what_cannot_be_made_leaves_nothing(thread, monkeypatch, answer, moderator, opening):
    def broken(thread, **options):
        yield "half"
        raise Refused("Not today.")

    monkeypatch.setattr(exporting, "markdown", broken)
    browser().get(f"/threads/{thread.pk}/markdown/")
    assert names() == []
    monkeypatch.undo()
    assert browser().get(f"/threads/{thread.pk}/epub/?from=999").status_code == 404
    assert names() == []
    assert downloads._making.acquire(blocking=False)
    downloads._making.release()


def test_old_and_unused_files_go(thread, opener, settings, board):
    others = [start(board, opener) for _ in range(3)]
    for one in others:
        taken(one)
    stale, left = downloads.folder() / "1-old-1.1", downloads.folder() / "1-x-1.1.part"
    for path, age in ((stale, downloads.UNUSED), (left, downloads.LEFT)):
        path.write_bytes(b"x")
        os.utime(path, (time.time() - age - 1,) * 2)
    taken(thread)
    assert len(names()) == 4
    # No room: what was used longest ago goes, but nothing that may still be read.
    first, second, *_ = downloads._files()
    os.utime(first, (time.time() - downloads.IN_USE - 60,) * 2)
    os.utime(second, (time.time() - downloads.IN_USE - 30,) * 2)
    settings.DOWNLOADS_MB = 0.0001
    downloads._sweep("0-none-0")
    assert not first.exists()
    assert not second.exists()
    assert len(names()) == 2


def test_a_proxy_may_send_it(thread, settings):
    body = taken(thread)
    settings.DOWNLOADS_BY_PROXY = "/kept-downloads/"
    responses = [browser().get(f"/threads/{thread.pk}/markdown/") for _ in range(5)]
    assert {one.status_code for one in responses} == {200}
    where = responses[0].headers["X-Accel-Redirect"].removeprefix("/kept-downloads/")
    assert (downloads.folder() / where).read_bytes() == body
    assert responses[0].content == b""
    assert responses[0].headers["Content-Disposition"].endswith(f"{thread.slug}.md")
