"""A primary with a real streaming standby: pages are read from it, nobody misses what they wrote
themselves, and when the primary dies nothing is missing that was acknowledged."""

import ast
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from contextlib import suppress

import psycopg
import pytest

from core.inserting import insert_rows
from forum.actions.read_state import WRITTEN
from forum.models import ReadMark, Submission
from forum.operations.replica_lag import EVERY, Lags
from forum.operations.replication import is_write, noticing_writes
from tests.clients import Writer, await_replies, end, get, posts_with, wait_for
from tests.cluster import ROOT, Cluster, await_workers, served
from tests.operations.test_archive import lines, manage
from tests.waiting import PATIENCE, until

# Fills the forum of DATABASE_URL; tells the sessions of its members and the debate's address.
FILL = """
import json, uuid
import django; django.setup()
from django.conf import settings
from django.test import Client
from forum.models import Board
from forum.actions import threads
from tests.people import make_member, start
board = Board.objects.create(name="Modern", slug="modern", thread_count=0)
cookies = []
for letter in "abcd":
    user = make_member(f"member-{letter}")
    client = Client(); client.force_login(user)
    cookies.append(f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}")
thread = start(board, user)
print(json.dumps({"cookies": cookies, "thread": thread.pk, "path": thread.get_absolute_url()}))
"""


def prepare(url: str, folder) -> dict:
    """Migrate and fill the forum at `url`."""
    env = os.environ | {
        "DATABASE_URL": url,
        "JONBAR_DATA": str(folder),
        "DJANGO_SETTINGS_MODULE": "forum.settings",
        "PYTHONPATH": str(ROOT),
        "POSTS_PER_MINUTE": "0",
    }
    run = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"]
    subprocess.run(run, env=env, check=True, cwd=ROOT)
    done = subprocess.run(
        [sys.executable, "-c", FILL], env=env, check=True, cwd=ROOT, capture_output=True, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.whole
@pytest.mark.postgres
@pytest.mark.races
@pytest.mark.parametrize("synchronous", [True, pytest.param(False, marks=pytest.mark.long)])
def test_a_primary_dies(synchronous, tmp_path, record_property):
    """That without synchronous commit posts are lost is the counter-proof."""
    cluster = Cluster()
    try:
        cluster.start()
        primary, standby = cluster.primary, cluster.standby
        forum = prepare(cluster.url(primary), tmp_path)
        cluster.follow()
        if synchronous:
            with primary.connect() as admin:
                admin.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
                admin.execute("SELECT pg_reload_conf()")
            until(
                lambda: primary.ask("SELECT sync_state FROM pg_stat_replication") == "sync",
                "the standby is not waited for",
            )
        with served(
            tmp_path,
            DATABASE_URL=cluster.url(primary, standby, more="?target_session_attrs=read-write"),
            DATABASE_REPLICAS=cluster.url(standby),
            REPLICA_LAG_SECONDS="600",
        ) as (port, server):
            wait_for(port)
            wait_until_near(port, server)
            own_writes_are_seen(port, forum, standby)
            writers = [Writer(port, cookie, forum["thread"]) for cookie in forum["cookies"]]
            for writer in writers:
                writer.start()
            until(lambda: all(len(writer.told) >= 5 for writer in writers), "somebody cannot write")
            # What is still on its way to the standby when the primary dies never arrives.
            receiver = standby.ask("SELECT pid FROM pg_stat_wal_receiver")
            os.kill(receiver, signal.SIGSTOP)
            time.sleep(1)
            if not synchronous:
                await_replies(writers, 5)
            primary.kill()
            os.kill(receiver, signal.SIGKILL)
            time.sleep(1)
            until(lambda: is_promoted(standby), "the standby does not become primary", pause=0.2)
            await_replies(writers, 20)
            until(lambda: all(len(writer.told) >= 10 for writer in writers), "somebody waits still")
            end(writers)
            with standby.connect("jonbar") as there:
                rows = there.execute("SELECT source FROM forum_postrevision").fetchall()
    finally:
        cluster.close()
    stored = [token for (source,) in rows for token in posts_with(source)]
    told = {token for writer in writers for token in writer.told}
    assert len(stored) == len(set(stored)), "a post is there twice"
    missing = told - set(stored)
    statuses: dict[int, int] = {}
    for writer in writers:
        assert writer.lost == []
        for status, count in writer.statuses.items():
            statuses[status] = statuses.get(status, 0) + count
    assert set(statuses) <= {0, 302, 503}, statuses
    how = "with" if synchronous else "without"
    record_property(
        "measured",
        f"{len(told)} acknowledged {how} synchronous commit, {len(missing)} missing; {statuses}",
    )
    # Without it, what the dead primary alone knew is gone: so this test can tell.
    assert bool(missing) != synchronous


def is_promoted(standby) -> bool:
    """Make a standby the primary; False while it starts anew after the loss of a process."""
    with suppress(psycopg.Error):
        return standby.ask("SELECT pg_promote()")
    return False


def wait_until_near(port: int, server: int) -> None:
    """Wait until every worker reads from the replica.

    Each is asked while the others stand still: workers share one socket, and one that is still
    starting up, or is idle, may leave every answer to the other.
    """
    workers = await_workers(server)
    for worker in workers:
        others = [other for other in workers if other != worker]
        for other in others:
            os.kill(other, signal.SIGSTOP)
        try:
            wait_until_this_worker_is_near(port)
        finally:
            for other in others:
                os.kill(other, signal.SIGCONT)


def wait_until_this_worker_is_near(port: int) -> None:
    """Wait until whoever answers reads from the replica."""

    def is_near() -> bool:
        said = get(port, "/readyz")[1]
        return "s behind" in said and "not read from" not in said

    until(is_near, lambda: get(port, "/readyz")[1], pause=0.05)


def pause(standby) -> None:
    """Have the standby replay nothing."""
    standby.ask("SELECT pg_wal_replay_pause()")
    until(
        lambda: standby.ask("SELECT pg_get_wal_replay_pause_state()") == "paused",
        "the standby goes on replaying",
    )


def wait_until_it_is_read_from(port: int, server: int, forum: dict, standby) -> None:
    """Wait until visitors do not see what the standby, which is left paused, has not replayed. On a
    busy machine it may have been too far behind by the time at which they asked."""

    def is_read_from() -> bool:
        standby.ask("SELECT pg_wal_replay_resume()")
        wait_until_near(port, server)
        pause(standby)
        token = str(uuid.uuid4())
        assert Writer(port, forum["cookies"][0], forum["thread"]).send(token)
        return token not in get(port, forum["path"])[1]

    until(is_read_from, "visitors read nothing from the standby")


HIDE = """
import django; django.setup()
from forum.moderation import states
from forum.models import Post
from tests.people import make_member
chief = make_member("chief", is_staff=True, is_superuser=True)
states.hide(user=chief, post=Post.objects.get(number=2), reason="Names somebody.")
"""


@pytest.mark.whole
@pytest.mark.postgres
@pytest.mark.races
def test_a_replica_that_lags_shows_nothing_hidden(tmp_path, record_property):
    """It is read from though nobody writes for long; not when it is too far behind, which /readyz
    and the counts say; and again when it has caught up."""
    cluster = Cluster()
    try:
        cluster.start()
        primary, standby = cluster.primary, cluster.standby
        forum = prepare(cluster.url(primary), tmp_path)
        cluster.follow()
        with served(
            tmp_path,
            DATABASE_URL=cluster.url(primary),
            DATABASE_REPLICAS=cluster.url(standby),
            METRICS_TOKEN="shown",
        ) as (port, server):
            wait_for(port)
            cookie, token = forum["cookies"][0], str(uuid.uuid4())
            assert Writer(port, cookie, forum["thread"]).send(token)
            primary.ask("SELECT pg_switch_wal()")
            time.sleep(7)  # nobody writes
            wait_until_near(port, server)
            until(lambda: token in get(port, forum["path"])[1], "the standby never has it")
            wait_until_it_is_read_from(port, server, forum, standby)
            env = os.environ | {
                "DATABASE_URL": cluster.url(primary),
                "DJANGO_SETTINGS_MODULE": "forum.settings",
                "PYTHONPATH": str(ROOT),
            }
            subprocess.run([sys.executable, "-c", HIDE], env=env, check=True, cwd=ROOT)
            hidden = time.monotonic()

            def is_gone() -> bool:  # whoever answers
                return all(token not in get(port, forum["path"])[1] for _ in range(12))

            until(is_gone, "visitors go on reading what was hidden")
            took = time.monotonic() - hidden
            until(lambda: is_far(port), lambda: get(port, "/readyz")[1])
            wait_until_it_is_read_from(port, server, forum, standby)
            assert token not in get(port, forum["path"])[1]
    finally:
        cluster.close()
    record_property("measured", f"hidden from visitors {took:.1f} s after the act at the latest")


def is_far(port: int) -> bool:
    """Whether /readyz and the counts say that the replica is too far behind."""
    status, said = get(port, "/readyz")
    return status == 200 and "behind, not read from" in said and behind(port) > 5


def behind(port: int) -> float:
    """What the counts say of the replica."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    line.request("GET", "/metrics", headers={"Authorization": "Bearer shown"})
    text = line.getresponse().read().decode()
    (found,) = re.findall(
        r'^jonbar_replica_lag_seconds\{.*replica="replica_1".*\} (.+)$', text, re.M
    )
    return float(found)


@pytest.mark.once
def test_how_far_a_replica_is_behind():
    """By what is known of the log: an idle primary, a stopped replay, a primary that went away, a
    promoted one whose log begins earlier."""
    lags = Lags()
    assert lags.seconds("one") is None
    lags.written(0, 100)
    lags.replayed("one", 0, 90, 95)
    assert lags.seconds("one") is None  # it may have been behind for long
    for moment in range(1, 60):  # nobody writes
        lags.written(moment, 100)
        lags.replayed("one", moment, 100, 100)
        assert lags.seconds("one") == EVERY
    for moment in range(60, 70):  # it replays nothing
        lags.written(moment, 100 + moment)
        lags.replayed("one", moment, 100, 100 + moment)
        assert lags.seconds("one") == moment - 59 + EVERY
    lags.replayed("one", 70, 165, 169)  # some of it
    assert lags.seconds("one") == 69 - 65 + EVERY
    # The primary is silent. What was received since counts, and nothing else is known of.
    lags.replayed("one", 80, 169, 169)
    assert lags.seconds("one") == EVERY
    lags.replayed("one", 90, 169, 180)
    assert lags.seconds("one") == 90 - 69 + EVERY
    lags.replayed("two", 90, 180, 180)
    assert lags.seconds("two") == EVERY
    # Another is primary, which never had the last of it.
    lags.written(100, 175)
    lags.replayed("three", 100, 175, 175)
    assert lags.seconds("three") == EVERY
    assert lags.seconds("one") == 100 - 69 + EVERY


def own_writes_are_seen(port: int, forum: dict, standby) -> None:
    """While the standby replays nothing, who wrote sees it, and who did not sees the older page."""
    path, cookie = forum["path"], forum["cookies"][0]
    pause(standby)
    writer = Writer(port, cookie, forum["thread"])
    token = "0" * 8 + "-0000-0000-0000-" + "0" * 12
    assert writer.send(token)
    for _ in range(6):  # whichever worker answers
        assert token in get(port, path, cookie)[1]
        assert token not in get(port, path)[1]
    # Somebody else, whose own mark of what they read comes after it: from then on they see it too.
    assert token not in get(port, path, forum["cookies"][1])[1]
    assert token in get(port, path, forum["cookies"][1])[1]
    standby.ask("SELECT pg_wal_replay_resume()")
    until(lambda: token in get(port, path)[1], "the standby never has it")
    for _ in range(6):
        assert token in get(port, path)[1]
        assert token in get(port, path, cookie)[1]


@pytest.mark.whole
@pytest.mark.postgres
@pytest.mark.races
def test_a_backup_is_never_a_stale_standbys_unasked(tmp_path):
    """With the addresses that docs/operating.md names, and with those that name no kind of server;
    and it says of which server it is, and how far that was."""
    cluster = Cluster()
    try:
        cluster.start()
        primary, standby = cluster.primary, cluster.standby
        prepare(cluster.url(primary), tmp_path)
        cluster.follow()
        standby.ask("SELECT pg_wal_replay_pause()")
        with primary.connect("jonbar") as admin:
            admin.execute("CREATE TABLE acknowledged (id int)")
            admin.execute("ALTER TABLE acknowledged OWNER TO jonbar")
        failover = cluster.url(standby, primary, more="?target_session_attrs=read-write")
        path = tmp_path / "one.backup"

        def backup(url: str, *more: str) -> subprocess.CompletedProcess:
            path.unlink(missing_ok=True)
            return manage(url, "backup", path, "--no-check", *more)

        done = backup(failover)
        assert done.returncode == 0, done.stderr
        assert f"PostgreSQL server 127.0.0.1:{primary.port} (system " in done.stdout
        assert "database jonbar, timeline 1, position " in done.stdout
        assert b'{"table":"acknowledged","columns":["id"]}\n' in lines(path)
        assert json.loads(lines(path)[0])["source"]["standby"] is False

        done = backup(cluster.url(standby))
        assert done.returncode and not path.exists()
        assert f"127.0.0.1:{standby.port} is a standby, which may lack" in done.stderr
        assert "Traceback" not in done.stderr
        done = manage(cluster.url(standby), "move_to", f"sqlite:///{tmp_path}/moved.sqlite3")
        assert done.returncode and "Traceback" not in done.stderr

        done = backup(failover, "--from-standby", f"127.0.0.1:{standby.port}")
        assert done.returncode == 0, done.stderr
        assert f"PostgreSQL standby 127.0.0.1:{standby.port} (system " in done.stdout
        assert b'{"table":"acknowledged","columns":["id"]}\n' not in lines(path)

        # What an address says of TLS holds for commands too: this server speaks none.
        done = backup(cluster.url(primary, more="?sslmode=require"))
        assert done.returncode and "does not support SSL" in done.stderr, done.stdout
        assert "Traceback" not in done.stderr and not path.exists()
    finally:
        cluster.close()


@pytest.mark.once
def test_a_replicas_address_keeps_what_it_says_of_tls():
    """And takes from the primary's only what both share."""
    ask = "from django.conf import settings; print(settings.DATABASES['replica_1']['OPTIONS'])"
    done = subprocess.run(
        [sys.executable, "-c", ask],
        env=os.environ
        | {
            "DATABASE_URL": "postgres://a:b@one,two/c?target_session_attrs=read-write&sslmode=prefer",
            "DATABASE_REPLICAS": "postgres://a:b@three/c?sslmode=verify-full&sslrootcert=ca.pem",
            "DJANGO_SETTINGS_MODULE": "forum.settings",
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    options = ast.literal_eval(done.stdout)
    assert (options["sslmode"], options["sslrootcert"]) == ("verify-full", "ca.pem")
    assert options["connect_timeout"] == 2
    assert "target_session_attrs" not in options


@pytest.mark.parametrize("sql", [*WRITTEN["postgresql"], *WRITTEN["sqlite"], " delete from t"])
def test_what_writes_is_known_by_its_words(sql):
    """Who wrote reads the primary until the replica has it."""
    assert is_write(sql)


def test_what_only_reads_is_no_write():
    for sql in ("SELECT 1", "WITH head AS (SELECT 1) SELECT * FROM head", "SAVEPOINT x"):
        assert not is_write(sql)


@pytest.mark.postgres
@pytest.mark.django_db
def test_rows_of_several_tables_sent_at_once_are_noticed(thread, opening, stranger):
    mark = ReadMark(user=stranger, thread=thread)
    with noticing_writes() as wrote:
        insert_rows(Submission(token=uuid.uuid4(), user=stranger, post=opening), mark)
    assert wrote
