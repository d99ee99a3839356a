"""A bucket of S3 that takes connections and never answers holds a thread for seconds only."""

import runpy
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError
from django.core.files.storage import storages
from django.test import override_settings

from tests import bucket
from tests.waiting import until

pytestmark = pytest.mark.once


@pytest.fixture
def silent() -> Iterator[tuple[str, list[tuple[socket.socket, tuple[str, int]]]]]:
    """A server that never answers: its address, and the connections that were made to it, each with
    the other end's address."""
    taken: list[tuple[socket.socket, tuple[str, int]]] = []
    server = socket.create_server(("127.0.0.1", 0))

    def take():
        while True:
            try:
                taken.append(server.accept())
            except OSError:  # it was closed
                return

    thread = threading.Thread(target=take)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}", taken
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()
    for one, _ in taken:
        one.close()


def test_a_bucket_that_does_not_answer_is_given_up_soon(silent, settings, monkeypatch):
    address, taken = silent
    told = {**bucket.KEYS, **bucket.REGION, "PICTURES_BUCKET": "b", "PICTURES_BUCKET_AT": address}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    storage = runpy.run_path(str(settings.BASE_DIR / "forum" / "settings.py"))["STORAGES"][
        "pictures"
    ]
    config = storage["OPTIONS"]["client_config"]
    assert (config.connect_timeout, config.read_timeout) == (3, 10)
    # The same, but for a test's patience.
    hasty = config.merge(Config(connect_timeout=1, read_timeout=0.2))
    storage["OPTIONS"]["client_config"] = hasty
    kept = {**settings.STORAGES, "pictures": storage}
    with override_settings(STORAGES=kept), pytest.raises(ReadTimeoutError):
        storages["pictures"].open("a.png").read()
    # Once, and once more; ours comes after them, in whatever time they are taken.
    with socket.create_connection(("127.0.0.1", urlsplit(address).port)) as last:
        until(lambda: last.getsockname() in [end for _, end in taken], "none is taken")
    assert len(taken) == 3
