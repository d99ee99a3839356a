"""A disk that takes no writes any more, under SQLite: everybody reads, and who writes is told so.

Tests may run as root, to whom no folder is closed: the forum is started with a system that says it
may not write there, and opens its file as it would then, which SQLite holds it to.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_house import PRODUCTION, ROOT

pytestmark = [pytest.mark.once, pytest.mark.whole]
BUILD = """
import os, uuid, django
os.environ["DJANGO_SETTINGS_MODULE"] = "forum.settings"
django.setup()
from django.core.management import call_command
from django.test import Client
call_command("migrate", verbosity=0)
from accounts.models import User
from forum.actions import threads
from forum.models import Board
writer, reader = (User.objects.create_user(f"member-{x}", f"{x}@forum.example") for x in "ab")
for user in (writer, reader):
    user.emailaddress_set.create(email=user.email, verified=True, primary=True)
board = Board.objects.create(name="After 1900", slug="after-1900")
threads.start(user=writer, board=board, title="The strait", kind="TL", source="It freezes over.",
              token=uuid.uuid4())
client = Client()
client.force_login(reader)
(cookie,) = client.cookies.values()
print(cookie.key, cookie.value)
"""
READ = """
import os, sys, uuid, django
may = os.access
os.access = lambda path, mode, **more: mode != os.W_OK and may(path, mode, **more)
os.environ["DJANGO_SETTINGS_MODULE"] = "forum.settings"
django.setup()
from django.test import Client
visitor, member = Client(), Client()
member.cookies[sys.argv[1]] = sys.argv[2]
for client in (visitor, member):
    for path in ("/", "/threads/1/the-strait/", "/boards/after-1900/", "/posts/1/", "/timeline/"):
        page = client.get(path, follow=True, secure=True)
        assert page.status_code == 200, (path, page.status_code)
        assert "The strait" in page.content.decode() or path == "/timeline/", path
form = {"text": "The ice is thin.", "token": str(uuid.uuid4())}
answer = member.post("/threads/1/reply/", form, secure=True)
said = answer.content.decode()
assert answer.status_code == 503, answer.status_code
assert "takes no writes" in said and "The ice is thin." in said, said
assert visitor.get("/readyz", secure=True).status_code == 200
from forum.models import Post
assert Post.objects.count() == 1
"""


def python(program: str, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env={**PRODUCTION, "JONBAR_ENV_FILE": "/dev/null", "PYTHONDONTWRITEBYTECODE": "1"}
        | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_disk_that_takes_no_writes_lets_people_read(tmp_path: Path):
    where = {
        "DATABASE_URL": f"sqlite:///{tmp_path}/forum.sqlite3",
        "JONBAR_DATA": str(tmp_path),
        "ALLOWED_HOSTS": "testserver",
    }
    session = python(BUILD, **where).split()
    before = (tmp_path / "forum.sqlite3").read_bytes()
    python(READ, *session, **where)
    assert (tmp_path / "forum.sqlite3").read_bytes() == before
