"""Redis or Valkey as the cache that all workers share: limits count across processes, and while it
is away whoever reads or writes goes on; what has to count is refused with the text kept."""

import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection

from forum.settings import _cache
from tests.people import PASSWORD, browser, typed
from tests.postgres import free_port
from tests.waiting import PATIENCE, until

ROOT = Path(__file__).parents[2]
TOKEN = "8c7dc1ac-7d52-4b17-9a0c-3d7ae3a63b01"
PREVIEW = {"text": "Keep this.", "token": TOKEN, "do": "preview"}
# Another worker: the same member asks it for one preview.
OTHER = """
import sys
import django; django.setup()
from django.test import Client
from accounts.models import User
client = Client(SERVER_NAME="localhost")
client.force_login(User.objects.get(username="opener"))
sent = {"text": "Elsewhere.", "token": sys.argv[2], "do": "preview"}
print(client.post(sys.argv[1], sent).status_code)
"""


def test_nobody_waits_for_a_cache_that_is_away(thread, opener, settings):
    settings.CACHES = {"default": _cache(f"redis://127.0.0.1:{free_port()}/0")}
    client, address = browser(opener), f"/threads/{thread.pk}/reply/"
    for path in ("/", thread.get_absolute_url(), "/accounts/settings/"):
        assert client.get(path).status_code == 200
        assert browser().get(path).status_code in (200, 302)
    answer = client.post(address, PREVIEW)
    assert answer.status_code == 503 and typed(answer)["text"] == "Keep this."
    signing_in = {"login": "opener", "password": PASSWORD}
    assert browser().post("/accounts/login/", signing_in).status_code == 503
    assert client.post(address, {"text": "Said.", "token": uuid4()}).status_code == 302


@pytest.fixture
def redis(tmp_path, redis_server):
    """The address of a server that is empty."""
    port = free_port()
    server = subprocess.Popen(
        [redis_server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", tmp_path],
        stdout=subprocess.DEVNULL,
    )
    yield f"redis://127.0.0.1:{port}/0"
    server.terminate()
    server.wait(timeout=PATIENCE)


@pytest.mark.redis
@pytest.mark.django_db(transaction=True)
def test_limits_count_across_processes(redis, thread, opener, settings):
    settings.CACHES = {"default": _cache(redis)}
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"preview": "3/d/user"}
    client, address = browser(opener), f"/threads/{thread.pk}/reply/"
    until(lambda: client.post(address, PREVIEW).status_code != 503, "the server is not up")
    cache.clear()
    assert client.post(address, PREVIEW).status_code == 200
    database = connection.settings_dict
    url = f"sqlite:///{database['NAME']}"
    if connection.vendor == "postgresql":
        url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)
    other = subprocess.run(
        [sys.executable, "-c", OTHER, address, TOKEN],
        env=os.environ
        | {
            "CACHE_URL": redis,
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "forum.settings",
            "PREVIEW_RATE": "3/d/user",
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
    )
    assert other.stdout.split() == ["200"], other.stderr
    assert [client.post(address, PREVIEW).status_code for _ in range(2)] == [200, 429]
