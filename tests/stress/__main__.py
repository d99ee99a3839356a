"""Rounds of random acts by several processes, with kills and restarts, and what they leave behind.

    python3 dev.py stress [--hours 2] [--database sqlite|postgres|both] [--seed N] [--rounds N]

A round begins with a small forum in a database of its own. Processes do any act of the forum on
anything, and members write over HTTP to gunicorn's workers, while processes and workers are killed
without warning (kill -9) and, every other time, PostgreSQL is shut (fast, at once, or killed as a
whole) and started again. Then all of it is judged (tests/stress/judge.py): whatever was
acknowledged is there once, the rows fit each other, `check_forum` finds nothing.

A seed gives who does what to what in which order, and who is killed when; how the processes meet is
the machine's. What is found is printed with the round's seed, and the round's database and logs
stay in var/stress/. Ends with 1 if something was found.
"""

import argparse
import contextlib
import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from pathlib import Path

from tests.clients import Writer, wait_for
from tests.cluster import ROOT, Cluster, served, workers_of
from tests.races.crew import Crew, Failed, Ledger
from tests.waiting import PATIENCE

CREW = 4  # processes that act
WEB = 2  # workers of gunicorn
ENOUGH = threading.Event()  # Ctrl-C or SIGTERM: the rounds that are played are the last
KEPT = ROOT / "var" / "stress"
BARE = {
    "ALLOWED_HOSTS": "127.0.0.1,testserver",
    "DEBUG": "0",
    "DJANGO_SETTINGS_MODULE": "forum.settings",
    "HOLD_NEW_LINKS": "0",
    "HTTPS": "0",
    "JONBAR_ENV_FILE": os.devnull,
    "POSTS_PER_MINUTE": "0",
    "REPEAT_MINUTES": "0",
    "SECRET_KEY": "known to everybody who reads the tests",
    "STARTS_PER_HOUR": "0",
    "STATIC_MANIFEST": "0",
}


def ask(module: str, *arguments: str | Path, url: str) -> dict:
    """What a program of ours prints as its last line about the forum at `url`."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=os.environ | {"DATABASE_URL": url},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def migrate(url: str) -> None:
    """Bring a database up to date."""
    run = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    subprocess.run(run, env=os.environ | {"DATABASE_URL": url}, cwd=ROOT, check=True)


class Sqlite:
    """A file for each round."""

    name, restarts = "SQLite", False

    def __init__(self, folder: Path) -> None:
        self.model = folder / "filled.sqlite3"
        migrate(f"sqlite:///{self.model}")
        self.forum = ask("tests.stress.fill", url=f"sqlite:///{self.model}")

    def begin(self, folder: Path) -> str:
        """A new forum; its address."""
        shutil.copyfile(self.model, folder / "forum.sqlite3")
        return f"sqlite:///{folder}/forum.sqlite3"

    def end(self) -> None:
        """The file goes with its folder."""

    def close(self) -> None:
        """Nothing runs."""


class Postgres:
    """A server of its own, with a database for each round."""

    name, restarts = "PostgreSQL", True
    WAYS = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)

    def __init__(self, folder: Path) -> None:
        self.cluster = Cluster()
        self.cluster.start()
        self.url = self.cluster.url(self.cluster.primary)
        migrate(self.url)
        self.forum = ask("tests.stress.fill", url=self.url)

    def begin(self, folder: Path) -> str:
        """A new forum; its address."""
        self.end()
        with self.cluster.primary.connect() as admin:
            # By files: a sequence that came through the log forgets, in a crash, up to 32 numbers
            # that it gave since (PostgreSQL takes them for logged before the copy).
            admin.execute(
                "CREATE DATABASE jonbar_round TEMPLATE jonbar OWNER jonbar STRATEGY file_copy"
            )
        return f"{self.url}_round"

    def restart(self, draw: random.Random) -> None:
        """End the server, gently or not, and start it again."""
        how, server = draw.choice(self.WAYS), self.cluster.primary
        if how == signal.SIGKILL:
            server.kill()
        else:
            server.stop(how)
        server.start()

    def end(self) -> None:
        """Take the round's database away."""
        with self.cluster.primary.connect() as admin:
            admin.execute("DROP DATABASE IF EXISTS jonbar_round WITH (FORCE)")

    def close(self) -> None:
        """End the server."""
        self.cluster.close()


class Round:
    """One round: `found`, and `counts` of what was done."""

    def __init__(self, database: Sqlite | Postgres, seed: str, folder: Path) -> None:
        self.database, self.seed, self.folder = database, seed, folder
        self.draw = random.Random(seed)
        self.url = database.begin(folder)
        self.book = Ledger(folder / "ledger")
        self.found: list[str] = []
        self.counts: Counter = Counter()

    def play(self, seconds: float) -> None:
        """Act for so long, then judge."""
        crew = Crew(self.url, self.folder, CREW, errors=self.folder / "crew.log")
        try:
            with served(self.folder, workers=WEB, DATABASE_URL=self.url) as (port, pid):
                wait_for(port)
                writers = self._write(port)
                for number, process in enumerate(crew.processes):
                    self._wander(process, f"{self.seed} {number}")
                until = time.monotonic() + seconds
                while time.monotonic() < until:
                    time.sleep(self.draw.uniform(0.5, 4))
                    self._harm(crew, pid)
                time.sleep(1)  # somebody takes every form to its end
                self.book.write(Ledger.STOP)
                self._end(crew, writers)
        finally:
            with contextlib.suppress(Failed, OSError):
                crew.dismiss()
        self._judge()

    def _write(self, port: int) -> list[Writer]:
        forum = self.database.forum
        writers = [
            Writer(port, cookie, self.draw.choice(forum["threads"]), forum["threads"])
            for cookie in forum["cookies"]
        ]
        for writer in writers:
            writer.start()
        return writers

    def _wander(self, process, seed: str) -> None:
        process.give(
            "wander",
            ledger=str(self.folder / "ledger"),
            seed=seed,
            restarts=self.database.restarts,
        )

    def _harm(self, crew: Crew, gunicorn: int) -> None:
        """Kill a process of the crew or a worker of gunicorn, or restart the database."""
        what = self.draw.choice(("process", "worker", "database"))
        if what == "database" and self.database.restarts:
            self.database.restart(self.draw)
            self.counts["restarts"] += 1
        elif what == "worker":
            if alive := workers_of(gunicorn):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.draw.choice(alive), signal.SIGKILL)
                    self.counts["kills"] += 1
        else:
            process = self.draw.choice(crew.processes)
            try:
                process.kill()
                self.counts["kills"] += 1
            except Failed as failure:
                self.found.append(f"an act fails:\n{failure}")
            except ProcessLookupError:
                self.found.append("a process ended by itself")
            self._wander(crew.replace(process), f"{self.seed} {self.draw.random()}")

    def _end(self, crew: Crew, writers: list[Writer]) -> None:
        """Wait until nobody writes any more, and hear what everybody was told."""
        for writer in writers:
            writer.stopped.set()
        for process in crew.processes:
            try:
                self.counts.update(process.answer())
            except Failed as failure:
                self.found.append(f"an act fails:\n{failure}")
        for writer in writers:
            writer.join(timeout=2 * PATIENCE)
            if writer.is_alive():
                self.found.append("a page never answers")
            for token in writer.told:
                self.book.write("told", token)
            self.found += [f"an answer without the text: {one}" for one in writer.lost]
            self.counts.update({f"answers {k}": n for k, n in writer.statuses.items()})
            self.found += [f"an answer {k}" for k in writer.statuses if k >= 500 and k != 503]

    def _judge(self) -> None:
        told = ask("tests.stress.judge", self.folder / "ledger", url=self.url)
        self.found += told["wrong"]
        self.counts.update({f"acts: {k}": n for k, n in told["acts"].items()})
        self.counts.update({f"acknowledged {k}": n for k, n in told["acknowledged"].items()})
        failures = self.folder / "ledger.failures"
        if failures.exists():
            self.found += failures.read_text().strip().split("\n\n")
        log = (self.folder / "gunicorn.log").read_text()
        self.found += ["a traceback in gunicorn.log"] * ("Traceback" in log)
        self.found += ["“database is locked” in gunicorn.log"] * ("database is locked" in log)

    def keep(self) -> Path:
        """Keep the round's files (of PostgreSQL, a backup) where somebody can look at them."""
        kept = KEPT / self.seed.replace(" ", "-")
        shutil.rmtree(kept, ignore_errors=True)
        (self.folder / "crew").unlink(missing_ok=True)
        (self.folder / "found.txt").write_text("\n\n".join(self.found))
        shutil.copytree(self.folder, kept)
        if self.database.restarts:
            run = [sys.executable, "manage.py", "backup", "--no-check", kept / "forum.backup"]
            subprocess.run(run, env=os.environ | {"DATABASE_URL": self.url}, cwd=ROOT)
        return kept


class Run:
    """All rounds on one database."""

    def __init__(self, kind, seed: int, hours: float, rounds: int, first: int) -> None:
        self.kind, self.seed, self.hours, self.rounds = kind, seed, hours, rounds
        self.first, self.totals, self.found, self.played = first, Counter(), 0, 0
        self.minutes = 0.0

    def go(self) -> None:
        """Play until the time is over, or so many rounds are."""
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="jonbar-stress-") as folder:
            os.chmod(folder, 0o711)
            database = self.kind(Path(folder))
            try:
                until = began + self.hours * 3600
                while (
                    self.played < self.rounds and time.monotonic() < until and not ENOUGH.is_set()
                ):
                    self._round(database, Path(folder) / f"round-{self.first + self.played}")
            except Exception:
                self.found += 1
                print(f"{self.kind.name}: the run ended by itself")
                traceback.print_exc()
            finally:
                database.close()
                self.minutes = (time.monotonic() - began) / 60

    def _round(self, database, folder: Path) -> None:
        folder.mkdir()
        number = self.first + self.played
        one = Round(database, f"{self.seed} {database.name} {number}", folder)
        one.play(random.Random(f"{self.seed} {number}").uniform(30, 60))
        self.played += 1
        self.totals += one.counts
        print(
            f"{database.name}, round {number}: {self._sum(one.counts, 'acts')} acts,"
            f" {self._sum(one.counts, 'answers')} answers over HTTP,"
            f" {one.counts['kills']} kills, {one.counts['restarts']} restarts,"
            f" {len(one.found)} found",
            flush=True,
        )
        if one.found:
            self.found += len(one.found)
            print(f"FOUND, kept in {one.keep().relative_to(ROOT)}:")
            for found in one.found[:20]:
                print(*found.splitlines()[-3:], sep="\n", flush=True)
        shutil.rmtree(folder)

    @staticmethod
    def _sum(counts: Counter, kind: str) -> int:
        return sum(n for name, n in counts.items() if name.startswith(kind))

    def say(self) -> None:
        """The end of it, in one paragraph."""
        totals = self.totals
        kinds = sorted(name for name in totals if name.startswith("acts: "))
        print(
            f"\n{self.kind.name}, seed {self.seed}: {self.played} rounds in {self.minutes:.0f}"
            f" minutes, {self._sum(totals, 'acts')} acts of {len(kinds)} kinds,"
            f" {self._sum(totals, 'answers')} answers over HTTP; acknowledged and looked for:"
            f" {totals['acknowledged told']} replies over HTTP and {totals['acknowledged reply']}"
            f" more, {totals['acknowledged start']} debates,"
            f" {totals['acknowledged edit']} edits, {totals['acknowledged erase']} erasings,"
            f" {totals['acknowledged entry']} lines of the log;"
            f" {totals['refused']} acts refused; {totals['kills']} kills,"
            f" {totals['restarts']} restarts; {self.found} findings."
        )
        print("  " + ", ".join(f"{name[6:]} {totals[name]}" for name in kinds), flush=True)


DATABASES = {"sqlite": [Sqlite], "postgres": [Postgres], "both": [Sqlite, Postgres]}


def main() -> int:
    """Read the command line, run; the exit code."""
    parser = argparse.ArgumentParser(
        prog="dev.py stress",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--hours", type=float, default=2.0, help="of each database, side by side")
    parser.add_argument("--database", choices=DATABASES, default="both")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--rounds", type=int, default=10**6, help="at most")
    parser.add_argument("--first", type=int, default=1, help="the number of the first round")
    given = parser.parse_args()
    os.environ.update(BARE)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ENOUGH.set())
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="jonbar-data-") as data:
        os.environ["JONBAR_DATA"] = data
        runs = [
            Run(kind, given.seed, given.hours, given.rounds, given.first)
            for kind in DATABASES[given.database]
        ]
        threads = [threading.Thread(target=run.go, daemon=True) for run in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for run in runs:
        run.say()
    return 1 if any(run.found for run in runs) else 0


if __name__ == "__main__":
    sys.exit(main())
