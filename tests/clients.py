"""Members who write over HTTP, and remember what they were told."""

import http.client
import random
import re
import threading
import time
import uuid
from collections.abc import Sequence
from urllib.parse import urlencode

from tests.waiting import PATIENCE, until

SECRET = "a" * 32


class Writer(threading.Thread):
    """Replies again and again, each text with its own token; sends a form again until it is told
    what came of it, as people do. `told` holds the tokens that were acknowledged.

    With `others`, debates to choose from: a form that is refused (their debate may be locked, or
    gone into another one) goes with the same token to another debate.
    """

    def __init__(self, port: int, cookie: str, thread_id: int, others: Sequence[int] = ()) -> None:
        super().__init__(daemon=True)
        self.port, self.thread_id, self.others = port, thread_id, others
        self.cookie = with_secret(cookie)
        self.told: list[str] = []
        self.statuses: dict[int, int] = {}
        self.lost: list[str] = []  # answers that did not give the text back
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.is_set():
            token = str(uuid.uuid4())
            while not self.stopped.is_set() and not self.send(token):
                time.sleep(0.05)

    def send(self, token: str) -> bool:
        """Send one reply; whether it was acknowledged."""
        try:
            status, text = reply(self.port, self.cookie, self.thread_id, token, f"Claim {token}.")
        except (OSError, http.client.HTTPException):
            self.statuses[0] = self.statuses.get(0, 0) + 1
            return False
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status == 302:
            self.told.append(token)
            return True
        if status != 308 and f"Claim {token}." not in text:  # 308: send the same there
            self.lost.append(f"{status} {text[:300]}")
        if self.others and status != 503:
            self.thread_id = random.choice(self.others)
        return False


def told(writers: Sequence[Writer]) -> int:
    """How many replies were acknowledged by now."""
    return sum(len(writer.told) for writer in writers)


def await_replies(writers: Sequence[Writer], count: int) -> None:
    """Wait until so many more replies are acknowledged."""
    enough = told(writers) + count
    until(lambda: told(writers) >= enough, "nothing is acknowledged any more")


def end(writers: Sequence[Writer]) -> None:
    """Let each take the form at hand to its end; fails if an answer never comes."""
    for writer in writers:
        writer.stopped.set()
    for writer in writers:
        writer.join(timeout=2 * PATIENCE)
    assert not any(writer.is_alive() for writer in writers), "a page never answers"


def reply(port: int, cookie: str, thread_id: int, token: str, text: str) -> tuple[int, str]:
    """Send the form of a reply; the status and text of the answer."""
    body = urlencode({"text": text, "token": token, "csrfmiddlewaretoken": SECRET})
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    line.request("POST", f"/threads/{thread_id}/reply/", body, headers)
    answer = line.getresponse()
    told = answer.status, answer.read().decode()
    line.close()
    return told


def get(port: int, path: str, cookie: str = "") -> tuple[int, str]:
    """Ask for a page; its status and text."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    line.request("GET", path, headers={"Cookie": cookie} if cookie else {})
    answer = line.getresponse()
    return answer.status, answer.read().decode()


def wait_for(port: int, path: str = "/readyz") -> None:
    """Wait until the server answers 200."""

    def is_there() -> bool:
        try:
            return get(port, path)[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    until(is_there, "the server did not start", pause=0.1)


def with_secret(cookie: str) -> str:
    """A session's cookie, and the one that forms are checked against."""
    return f"{cookie}; csrftoken={SECRET}"


def posts_with(text: str) -> list[str]:
    """The tokens of the claims in a text, in order."""
    return re.findall(r"Claim ([0-9a-f-]{36})", text)
