"""No room is left on the disk: whoever writes gets a 503 and the text back, nothing half-written
stays, everybody goes on reading; and when there is room again the same form posts once.

The ordinary run lets the database say that it is full. JONBAR_LONG=1 fills a real disk, for which
it has to be allowed to mount one.
"""

import random
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from string import ascii_letters
from uuid import uuid4

import pytest
from django.db import connection

from accounts.models import User
from forum.actions import read_state
from forum.checking import check
from forum.models import Post
from tests.acts import world as worlds
from tests.clients import get, posts_with, reply, wait_for, with_secret
from tests.cluster import Cluster, served
from tests.operations.test_archive import manage
from tests.operations.test_replicas import prepare
from tests.people import browser, make_member, start, typed
from tests.people import reply as reply_to
from tests.races.soundness import faults

LENGTH = 50_000  # characters of a text, which no page that lies free can take


@contextmanager
def refusing(table: str):
    """PostgreSQL says that the disk is full when a row of this table is written. A trigger does it:
    the server's disk is not ours to fill."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$"
        )
        cursor.execute(
            f"CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION no_room()"
        )
        try:
            yield
        finally:
            cursor.execute("DROP FUNCTION no_room() CASCADE")


@contextmanager
def full():
    """There is no page left for a text."""
    if connection.vendor == "postgresql":
        with refusing("forum_postrevision"):
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        (pages,) = cursor.execute("PRAGMA page_count").fetchone()
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        try:
            yield
        finally:
            cursor.execute("PRAGMA max_page_count = 1073741823")


@contextmanager
def not_even_a_mark():
    """There is no room for what a reader has read either; SQLite has that in a page that is there,
    so it is told not to write at all."""
    if connection.vendor == "postgresql":
        with refusing("forum_readmark"):
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = ON")
        try:
            yield
        finally:
            cursor.execute("PRAGMA query_only = OFF")


@pytest.mark.django_db(transaction=True)
def test_who_reads_goes_on(board):
    thread, member = start(board, make_member("opener")), make_member("answerer")
    reply_to(thread, User.objects.get(username="opener"), "Something new.")
    client = browser(member)
    with not_even_a_mark():
        answer = client.get(thread.get_absolute_url())
        assert answer.status_code == 200
        assert "Something new." in answer.content.decode()
        assert not read_state.seen(member, thread).has(2)
    client.get(thread.get_absolute_url())
    assert read_state.seen(member, thread).has(2)


@pytest.mark.django_db(transaction=True)
def test_a_full_database_refuses_with_the_text_and_takes_it_later(board):
    opener, answerer = make_member("opener"), make_member("answerer")
    thread = start(board, opener)
    opening = Post.objects.get(thread=thread)
    text = ("Room for everybody. " * 3_000)[:LENGTH]
    forms = [
        (answerer, f"/threads/{thread.pk}/reply/", {}),
        (opener, f"/posts/{opening.pk}/edit/", {"base": 1}),
        (
            opener,
            "/threads/new/",
            {"board": board.slug, "title": "What if it rained?", "kind": "TL"},
        ),
    ]
    sent = [(user, to, more | {"text": text, "token": uuid4()}) for user, to, more in forms]
    clients = {user: browser(user) for user in (opener, answerer)}
    for client in clients.values():
        client.get(thread.get_absolute_url())  # what they have read is marked already
    before = worlds.snapshot()
    with full():
        for user, address, fields in sent:
            answer = clients[user].post(address, fields)
            assert answer.status_code == 503, address
            assert typed(answer)["text"] == text
            assert "Retry-After" in answer.headers
            assert worlds.snapshot() == before, address
            assert clients[user].get(thread.get_absolute_url()).status_code == 200
        assert browser().get(thread.get_absolute_url()).status_code == 200
    for user, address, fields in sent:
        for _ in range(2):  # and once more, as somebody does who is not sure
            assert clients[user].post(address, fields).status_code == 302, address
    assert Post.objects.filter(body__revision__source=text).count() == 3
    assert faults(connection) == [] and not list(check())


@contextmanager
def disk(folder: Path, megabytes: int):
    """A disk of its own, in memory; gives how to make it larger."""
    folder.mkdir()

    def mount(*options: str) -> None:
        subprocess.run(["mount", *options, folder], check=True)

    mount("-t", "tmpfs", "-o", f"size={megabytes}m,mode=0777", "tmpfs")
    try:
        yield lambda size: mount("-o", f"remount,size={size}m")
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def in_tablespace(cluster: Cluster, folder: Path) -> None:
    """Move the forum's database onto that disk. The server's own files and its log stay where there
    is room, as they would on a server that is set up with care."""
    if cluster.runs_as:
        shutil.chown(folder, cluster.runs_as["user"], cluster.runs_as["group"])
    with cluster.primary.connect() as admin:
        admin.execute(f"CREATE TABLESPACE small LOCATION '{folder}'")
        admin.execute("ALTER DATABASE jonbar SET TABLESPACE small")


def text_of(token: str) -> str:
    """A long text that no database can make smaller."""
    letters = random.Random(token).choices(ascii_letters, k=30_000)
    return f"Claim {token}. {''.join(letters)}"


def fill_up(port: int, cookie: str, thread_id: int) -> tuple[list[str], list[str]]:
    """Write until there is no room, and go on for a while. The tokens of what was taken and of what
    was not."""
    taken, refused = [], []
    while len(refused) < 10:
        assert len(taken) < 2_000, "the disk never fills"
        token = str(uuid4())
        status, answer = reply(port, cookie, thread_id, token, text_of(token))
        assert status in (302, 503), answer[:500]
        if status == 503:
            assert f"Claim {token}." in answer
        (taken if status == 302 else refused).append(token)
        assert get(port, f"/threads/{thread_id}/", cookie)[0] in (200, 301, 302)
        assert get(port, "/")[0] == 200
    return taken, refused


@pytest.mark.long
@pytest.mark.races
def test_a_real_disk_that_fills_up(tmp_path, record_property):
    postgres = connection.vendor == "postgresql"
    cluster = Cluster() if postgres else None
    # nobody's server must be able to look into it
    folder = (cluster.folder if cluster else tmp_path) / "disk"
    try:
        with disk(folder, 30 if postgres else 4) as grow:
            url = f"sqlite:///{folder}/forum.sqlite3"
            if cluster:
                cluster.start()
                in_tablespace(cluster, folder)
                url = cluster.url(cluster.primary)
            forum = prepare(url, tmp_path)
            cookie = with_secret(forum["cookies"][0])
            with served(tmp_path, DATABASE_URL=url) as (port, _):
                wait_for(port)
                taken, refused = fill_up(port, cookie, forum["thread"])
                grow(200)
                for token in refused:
                    for _ in range(2):
                        told = reply(port, cookie, forum["thread"], token, text_of(token))
                        assert told[0] == 302
                stored = posts_with(manage(url, "export_thread", str(forum["thread"])).stdout)
            said = manage(url, "check_forum")
            assert said.returncode == 0, said.stdout + said.stderr
            if cluster:
                cluster.close()
    finally:
        if cluster:
            cluster.close()
    assert sorted(stored) == sorted(taken + refused)
    record_property("measured", f"{len(taken)} taken, {len(refused)} refused and taken later")
