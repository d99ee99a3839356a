"""A restore that is killed without warning, anywhere: the database is as empty as it was, or holds
all of the forum, and the good file can be taken afterwards."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
from django.db import connection

from forum.models import Post, PostWords
from forum.operations import archive
from forum.search import index
from tests.acts import world as worlds
from tests.acts.ends import await_no_more_than
from tests.operations.test_archive import ROOT, good, manage, world  # noqa: F401  (fixtures)
from tests.waiting import PATIENCE

LONG = os.environ.get("JONBAR_LONG") == "1"
KILLS = 24 if LONG else 3


def address() -> str:
    """Of the database that Django's connection leads to."""
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    return "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**found)


def begin(path) -> subprocess.Popen:
    connection.close()
    return subprocess.Popen(
        [sys.executable, ROOT / "manage.py", "restore", path],
        env=os.environ | {"DATABASE_URL": address(), "JONBAR_ENV_FILE": os.devnull},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def empty_again() -> None:
    """Put an empty database in the place of one that is full."""
    if connection.vendor == "sqlite":
        name = connection.settings_dict["NAME"]
        connection.close()
        for end in ("", "-wal", "-shm", "-journal", "-line"):
            if os.path.exists(f"{name}{end}"):
                os.remove(f"{name}{end}")
        return
    with connection.cursor() as cursor:
        cursor.execute("DROP OWNED BY CURRENT_USER CASCADE")
        cursor.execute("CREATE SCHEMA IF NOT EXISTS public")


def searchable() -> worlds.Rows:
    """Every row, once the words are written that no backup holds (`restore` does it last)."""
    for _ in index.write_all():
        pass
    return worlds.snapshot()


@pytest.mark.whole
def test_a_restore_that_is_killed_leaves_nothing_or_all(good, record_property):  # noqa: F811
    began = time.monotonic()
    process = begin(good)
    said, _ = process.communicate(timeout=5 * PATIENCE)
    assert process.returncode in (0, 2), said
    took, whole = time.monotonic() - began, worlds.snapshot()
    count = Post.objects.count()
    draw, left = random.Random("restores"), {"nothing": 0, "all": 0}
    for number in range(KILLS):
        empty_again()
        process = begin(good)
        try:
            process.wait(timeout=took * (0.3 + 0.7 * (number + draw.random()) / KILLS))
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        await_no_more_than(set())  # what was sent last may still be done
        if "forum_post" in connection.introspection.table_names() and Post.objects.exists():
            assert Post.objects.count() == count
            assert searchable() == whole
            left["all"] += 1
            continue
        left["nothing"] += 1
        connection.close()
        archive.restore(good)
        assert searchable() == whole
    record_property("measured", f"{KILLS} kills within {took:.1f} s: {left}")


# Restores, and is killed without warning once all rows stand: before the words of search are
# written, or after the first of them.
KILLED = """
import os, signal, sys
import django
os.environ["DJANGO_SETTINGS_MODULE"] = "forum.settings"
django.setup()
from django.core.management import call_command
from forum.search import index
real, index.CHUNK = index.write_all, 3
def killed():
    if sys.argv[2] == "after some":
        next(real())
    os.kill(os.getpid(), signal.SIGKILL)
index.write_all = killed
call_command("restore", sys.argv[1])
"""


@pytest.mark.whole
@pytest.mark.parametrize("moment", ["before all", "after some"])
def test_a_restore_that_is_killed_before_the_words_of_search_is_found_and_healed(
    good,  # noqa: F811
    moment,
):
    env = os.environ | {"DATABASE_URL": address(), "JONBAR_ENV_FILE": os.devnull}
    connection.close()
    run = [sys.executable, "-c", KILLED, good, moment]
    done = subprocess.run(run, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
    await_no_more_than(set())
    written = PostWords.objects.count()
    assert Post.objects.exists() and (written > 0) == (moment == "after some")
    assert written < Post.objects.filter(body__isnull=False).count()

    done = manage(address(), "restore", good)
    assert done.returncode and "check_forum --fix" in done.stderr, done.stderr

    for how in ((), ("--quick",)):
        done = manage(address(), "check_forum", *how)
        assert done.returncode == 1
        assert "are not found by the words that they have" in done.stdout
        assert "it is not found by the words that it has" in done.stdout
    manage(address(), "check_forum", "--fix", "--quick")
    assert manage(address(), "check_forum", "--quick").returncode == 0
    healed = worlds.snapshot()
    for _ in index.write_all(everything=True):
        pass
    assert worlds.snapshot() == healed
    assert PostWords.objects.count() == Post.objects.filter(body__isnull=False).count()
