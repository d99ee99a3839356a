"""A restore that is killed without warning, anywhere: the database is as empty as it was, or holds
all of the forum, and the good file can be taken afterwards."""

import os
import random
import subprocess
import sys
import time

import pytest
from django.db import connection

from forum.models import Post
from forum.operations import archive
from forum.search import index
from tests.acts import world as worlds
from tests.operations.test_archive import ROOT, good, world  # noqa: F401  (fixtures)

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
        for end in ("", "-wal", "-shm", "-journal"):
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
    said, _ = process.communicate(timeout=120)
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
