"""Starts the real server on a filled database, asks for pages, and takes the time they cost.

What counts is the processor time of all the server's processes and of all the database's, as the
system keeps it, not the clock on the wall: that one also measures who else uses the machine. Pages
and reference take turns in one run, in an order that is shuffled anew each round.
"""

import contextlib
import gzip
import http.client
import itertools
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from urllib.parse import urlencode, urljoin, urlsplit
from uuid import uuid4

import psycopg
from django.conf import settings
from django.db import connection
from django.test import Client

from accounts.models import User
from forum.models import Board, Post, Thread
from tests.bench import REFERENCE, fill
from tests.postgres import free_port

ROOT = Path(__file__).resolve().parents[2]
WORKERS = 2
PER_PAGE = 20
REQUESTS = 8  # of one page, one after the other; one more before them is not counted
REFERENCES = 40
EVERY = 4  # pages between two visits to the reference
SECRET = "a" * 32  # a form's token and its cookie are compared with each other only


@dataclass(frozen=True, slots=True)
class Request:
    """One request and the status it must be answered with."""

    path: str
    form: dict | None = None
    status: int = 200


@dataclass(slots=True)
class Page:
    """A line of the table. `requests` never ends; `warm` pages are asked for once before, `known`
    ones again with the mark of that answer."""

    name: str
    who: str
    requests: Iterator[Request]
    warm: bool = True
    size: int = 0
    writes: bool = False
    known: bool = False  # by its mark: the answer is that it did not change
    stirs: Iterator[Request] | None = None  # what is sent before each request, and does not count

    @property
    def key(self) -> str:
        return f"{self.name}, {self.who}"


@dataclass(slots=True)
class Server:
    """The running server, and who counts as part of it."""

    port: int
    process: subprocess.Popen
    postmaster: int | None
    cookies: dict[str, str] = field(default_factory=dict)

    def spent(self) -> tuple[int, int]:
        """Nanoseconds of processor time until now: of the server's processes, of the database's."""
        database = _with_children(self.postmaster) if self.postmaster else []
        return sum(map(_spent, _with_children(self.process.pid))), sum(map(_spent, database))

    def memory(self) -> int:
        """The most resident memory that a worker holds now, in bytes."""
        return max(
            int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) * 1024
            for pid in _with_children(self.process.pid)[1:]
        )

    def connect(self) -> http.client.HTTPConnection:
        """A connection that stays open, and so with one worker."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(
        self, line: http.client.HTTPConnection, who: str, request: Request, **headers: str
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Send one request as a browser would; raises RuntimeError at an answer that is not meant.

        Gives the answer with its body as it came over the wire.
        """
        cookie, body = self.cookies.get(who, ""), None
        headers = {"Accept-Encoding": "br, gzip", "Accept": "text/html", **headers}
        if request.form is not None:
            cookie += f"; {settings.CSRF_COOKIE_NAME}={SECRET}"
            body = urlencode({**request.form, "csrfmiddlewaretoken": SECRET})
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if cookie:
            headers["Cookie"] = cookie
        line.request("POST" if body else "GET", request.path, body, headers)
        answer = line.getresponse()
        data = answer.read()
        if answer.status != request.status:
            raise RuntimeError(f"{request.path}: {answer.status}, not {request.status}\n{data!r}")
        return answer, data


def _with_children(pid: int) -> list[int]:
    """A process and its children, who have none."""
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def _spent(pid: int) -> int:
    """Nanoseconds of processor time of all threads of a process; nothing if it has just gone."""
    # The kernel numbers the clocks of processes like this; see clock_getcpuclockid(3).
    with contextlib.suppress(OSError):
        return time.clock_gettime_ns((~pid << 3) | 2)
    return 0


@contextlib.contextmanager
def server() -> Iterator[Server]:
    """Run gunicorn with two workers on the database and with the settings of this process."""
    postmaster = None
    if connection.vendor == "postgresql":
        with psycopg.connect(os.environ["DATABASE_URL"]) as probe:
            backend = probe.execute("SELECT pg_backend_pid()").fetchone()[0]
            status = Path(f"/proc/{backend}/status").read_text()
            postmaster = int(re.search(r"PPid:\s+(\d+)", status)[1])
    port = free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "tests.bench.serve", "--log-level", "warning"),
            *("--bind", f"127.0.0.1:{port}", "--workers", str(WORKERS), "--keep-alive", "60"),
            *("--worker-class", "gthread", "--threads", "4"),
        ],
        cwd=ROOT,
    )
    found = Server(port, process, postmaster)
    try:
        members = [fill.name_of(n) for n in range(1, fill.MEMBERS + 1)]
        for name in ("reader", "newcomer", *members):
            client = Client()
            client.force_login(User.objects.get(username=name))
            morsel = client.cookies[settings.SESSION_COOKIE_NAME]
            found.cookies[name] = f"{morsel.key}={morsel.value}"
        connection.close()
        _wait_for(found)
        yield found
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(server: Server) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError):
            server.ask(server.connect(), "", Request("/healthz"))
            return
        if server.process.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError("the server did not start")


# --- What is asked for ------------------------------------------------------------------------


def pages(sizes: Iterable[int], random: Random) -> list[Page]:
    """All lines of the table, but for those that write; looks up addresses in the database."""
    road = Post.objects.order_by("-level", "pk").first()
    # The start of a page for visitors and for members: "" is nobody.
    people = {"visitor": "", "member": "reader"}
    found = []

    def add(name: str, *paths: str, size: int = 0, warm: bool = True) -> None:
        if not warm:
            paths = tuple(random.sample(paths, len(paths)))
        for who in people:
            requests = itertools.cycle([Request(path) for path in paths])
            found.append(Page(name, who, requests, warm, size))

    add("home", "/")
    add("board", f"/boards/{fill.BOARD}/")
    for size in sizes:
        thread = Thread.objects.get(key=f"bench-{size}")
        address, last = thread.get_absolute_url(), -(-thread.numbered // PER_PAGE)
        for view in ("flat", "tree"):
            base = f"{address}?view={view}&page="
            add(f"{view} {size:,}, first page", base + "1", size=size)
            if last > 5:
                add(f"{view} {size:,}, middle page", f"{base}{last // 2}", size=size)
            add(f"{view} {size:,}, last page", f"{base}{last}", size=size)
            if size >= 10_000:
                cold = [f"{base}{page}" for page in range(2, last)]
                add(f"{view} {size:,}, cold pages", *cold, size=size, warm=False)
                if view == "flat":
                    unread = itertools.cycle(map(Request, random.sample(cold, len(cold))))
                    name = f"{view} {size:,}, cold unread pages"
                    found.append(Page(name, "newcomer", unread, False, size))
        if size == 1_000:
            found += _after_replies(thread, f"{address}?view={{}}&page={last // 2}", random)
    polled = [Request(f"/threads/{thread.pk}/since/{thread.numbered}/")]
    found.append(Page("nothing new", "member", itertools.cycle(polled), size=size, known=True))
    add(f"road of {road.level + 2} steps", f"/posts/{road.pk}/road/")
    add("profile", f"/members/{fill.name_of(1)}/")
    for page in found:
        page.who = page.who if page.who in people else "newcomer"
    return found


def _after_replies(thread: Thread, page: str, random: Random) -> list[Page]:
    """The middle page of a debate, cold because of one reply: before each request somebody answers
    one of the last posts, the opening or an old post."""
    writer = fill.Writer(random)
    replies = [reply(thread, n, writer, quoting=False) for n in range(100)]
    stirs = (
        replace(one, form={**one.form, "token": str(uuid4())}) for one in itertools.cycle(replies)
    )
    found = []
    for view, who in itertools.product(("flat", "tree"), ("visitor", "member")):
        name = f"{view} {thread.numbered:,}, after a reply"
        asked = itertools.repeat(Request(page.format(view)))
        found.append(Page(name, who, asked, size=thread.numbered, stirs=stirs))
    return found


def writes(sizes: Iterable[int], count: int, random: Random) -> list[Page]:
    """Replies into threads of every size, edits and new debates; `count` requests of each, made
    beforehand so that nobody but the server asks the database while it is measured."""
    writer = fill.Writer(random)
    member = fill.name_of(1)
    found = []
    for size in (10, *sizes):
        threads = list(Thread.objects.filter(key__startswith=f"bench-{size}").order_by("pk"))
        if size == 10:
            threads = [thread for thread in threads if thread.key.startswith("bench-10-")]
        else:
            threads = [thread for thread in threads if thread.key == f"bench-{size}"]
        asked = [
            reply(threads[n % len(threads)], n, writer, quoting=n % 3 == 2) for n in range(count)
        ]
        found.append(Page(f"reply in {size:,}", member, iter(asked), size=size, writes=True))
    own = Post.objects.filter(
        author__username=member, thread__key=f"bench-{max(sizes)}", body__revision_number=1
    ).values_list("pk", flat=True)
    asked = [
        Request(
            f"/posts/{pk}/edit/",
            {"text": fill.plain(writer.text()), "base": "1", "token": str(uuid4())},
            302,
        )
        for pk in random.sample(list(own[: count * 4]), min(count, len(own)))
    ]
    found.append(Page("edit", member, itertools.cycle(asked), size=max(sizes), writes=True))
    board = Board.objects.get(slug=fill.BOARD)
    # Of few words all debates are alike: whoever starts one here has looked at all the others.
    newest = Thread.objects.latest("pk").pk
    looked = " ".join(map(str, range(1, newest + count + 1)))
    asked = [
        Request(
            "/threads/new/",
            {
                "board": board.slug,
                "title": writer.sentence(),
                "kind": "WI",
                "own_answer": writer.sentence(),
                "looked": looked,
                "text": fill.plain(writer.text()),
                "token": str(uuid4()),
            },
            302,
        )
        for _ in range(count)
    ]
    found.append(Page("start", member, iter(asked), writes=True))
    return found


def reply(thread: Thread, number: int, writer: fill.Writer, *, quoting: bool) -> Request:
    """A reply to one of the posts that people answer, by a form of its own; one that is `quoting`
    quotes a sentence of it."""
    parent = Post.objects.select_related("author", "body__revision").get(
        thread=thread, number=fill.answered(writer.random, thread.numbered)
    )
    text = fill.plain(writer.text())
    if quoting:
        words = parent.body.revision.plain.partition("\n")[0].partition(".")[0] + "."
        text = fill.quoted(f"{parent.writer}, post: {parent.pk}", words) + text
    form = {"text": text, "token": str(uuid4()), "to": str(parent.pk)}
    return Request(f"/threads/{thread.pk}/reply/", form, 302)


# --- How it is asked --------------------------------------------------------------------------


def measure(
    server: Server, found: list[Page], rounds: int, random: Random, say: Callable[[str], None]
) -> list[dict]:
    """Ask for every page in every round; give the raw samples, each of several requests."""
    board = Request(f"{REFERENCE}{Board.objects.get(slug=fill.BOARD).pk}/")
    connection.close()
    reference = Page("reference", "visitor", itertools.repeat(board))
    samples = []
    for number in range(rounds):
        order = random.sample(found, len(found))
        for at in range(0, len(order), EVERY):
            samples.append(_sample(server, reference, number, REFERENCES, board))
            for page in order[at : at + EVERY]:
                samples.append(_sample(server, page, number, REQUESTS, board))
        say(f"  round {number + 1} of {rounds}")
    return samples


def _sample(server: Server, page: Page, number: int, count: int, reference: Request) -> dict:
    with contextlib.closing(server.connect()) as line:
        # The connection is opened, and with it the worker chosen, before anything counts.
        server.ask(line, "", reference)
        ask = _asker(server, line, page)
        walls = []
        web = database = 0
        # What stirs a page is not counted, so each request is counted by itself.
        for several in [1] * count if page.stirs else [count]:
            _stir(server, page)
            before = server.spent()
            for _ in range(several):
                began = time.perf_counter_ns()
                ask()
                walls.append(time.perf_counter_ns() - began)
            after = server.spent()
            web, database = web + after[0] - before[0], database + after[1] - before[1]
    return {
        "page": page.key,
        "round": number,
        "requests": count,
        "web": web,
        "database": database,
        "wall": walls,
    }


def _stir(server: Server, page: Page) -> None:
    """Send what comes before a request of the page, if anything does."""
    if page.stirs:
        with contextlib.closing(server.connect()) as line:
            server.ask(line, fill.name_of(1), next(page.stirs))


def _cookie(page: Page) -> str:
    return {"visitor": "", "member": "reader"}.get(page.who, page.who)


def _asker(server: Server, line: http.client.HTTPConnection, page: Page) -> Callable:
    """Asks for the next request of a page, with further headers if there are any. Of a page that is
    to be warm one was asked for before."""
    who = _cookie(page)
    if page.warm and not page.writes:
        answer, _ = server.ask(line, who, next(page.requests))
        if page.known:
            mark = answer.headers["ETag"]
            return lambda **headers: server.ask(
                line,
                who,
                replace(next(page.requests), status=304),
                **{"If-None-Match": mark},
                **headers,
            )
    return lambda **headers: server.ask(line, who, next(page.requests), **headers)


def look(server: Server, page: Page) -> dict:
    """What a page is, apart from time: its queries, its bytes, and those that cross the wire."""
    with contextlib.closing(server.connect()) as line:
        ask = _asker(server, line, page)
        _stir(server, page)
        answer, wire = ask(**{"X-Count-Queries": "1"})
        facts = {"queries": int(answer.headers["X-Queries"]), "wire": len(wire)}
        if not page.writes:
            facts["encoding"] = answer.headers.get("Content-Encoding", "")
            _, plain = ask(**{"Accept-Encoding": "identity"})
            facts |= {"html": len(plain), "gzip": len(gzip.compress(plain, 6))}
    return facts


def first_view(server: Server, path: str) -> dict[str, int]:
    """Every file that a browser fetches to show a page for the first time, with its bytes on the
    wire: what the page names, and what scripts and style sheets name in turn."""
    fetched: dict[str, int] = {}
    wanted = [path]
    with contextlib.closing(server.connect()) as line:
        while wanted:
            path = wanted.pop()
            if path in fetched:
                continue
            _, wire = server.ask(line, "", Request(path))
            fetched[path] = len(wire)
            _, data = server.ask(line, "", Request(path), **{"Accept-Encoding": "identity"})
            wanted += [urljoin(path, name) for name in _named(path, data.decode(errors="replace"))]
    return fetched


def _named(path: str, text: str) -> list[str]:
    """The files of this site that a page, script or style sheet needs."""
    kind = urlsplit(path).path.rpartition(".")[2]
    if kind == "css":
        # Faces are fetched where a page has such letters; those of every page it preloads.
        found = [name for name in re.findall(r"url\(['\"]?([^'\")]+)", text) if "woff2" not in name]
    elif kind == "js":
        found = re.findall(r"(?:from|import)\s*['\"]([^'\"]+)['\"]", text)
    elif kind in ("svg", "png", "woff2"):
        found = []
    else:
        found = re.findall(r"<(?:script|img)[^>]* src=\"([^\"]+)", text)
        found += re.findall(
            r"<link rel=\"(?:icon|stylesheet|preload)\"[^>]*\shref=\"([^\"]+)", text
        )
    return [name for name in found if not name.startswith(("data:", "#", "http:", "https:"))]
