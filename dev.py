#!/usr/bin/env python3
"""The workshop: one command to run the forum, one to test it. Needs Python and nothing else.

    python3 dev.py run [--port N]    the forum on this machine, ready to use; --openings for more
                                     debates to answer, from the Bronze Age to 1962
    python3 dev.py test [...]        the tests on SQLite and on PostgreSQL, in a few minutes;
                                     --whole for all of them, as in CI, --long for every crash
                                     point, hostile text and sight of a page; --only sqlite
                                     (postgres, browser), --all-pythons, and whatever pytest takes
    python3 dev.py test-newest       what leans on Django most, with the newest Python that is here,
                                     which takes a newer Django; or what pytest is given
    python3 dev.py lint              style, types, templates, settings, migrations
    python3 dev.py types             types alone
    python3 dev.py stress [...]      two hours of random acts, races, kills and restarts on both
                                     databases, and what they leave; --hours, --seed, --database
    python3 dev.py bench [--quick]   what a page costs; also --database sqlite, --compare FILE,
                                     --only WORDS of pages' names, --load SECONDS, --growth
    python3 dev.py upgrade-locks     how long each migration since the last release keeps people
                                     from reading and writing; --posts, --since
    python3 dev.py fresh-machine     the first two of these on a Debian 12 and 13 that have nothing
                                     but python3 and venv, by another user (root, debootstrap)
    python3 dev.py manage ...        manage.py, with the right packages
    python3 dev.py lock [--upgrade]  write requirements/*.txt anew from pyproject.toml
    python3 dev.py keep              keep a forum of this version for tests of later upgrades
    python3 dev.py face              fetch the face of the version in tests/npm into static/vendor
    python3 dev.py viewer            fetch the viewer of large maps in the same way
    python3 dev.py audit             ask whether a hole is known in any package of the locks

Packages go into .venv/ from the hashed locks, and again whenever the locks or Python have changed.
A start that has nothing to install never touches the network. No step asks a question.
"""

import sys

# An older Python must be able to read this file: what it is shown here is all it can be shown.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit("Jonbar needs Python 3.11 or newer; this is {}.{}.".format(*sys.version_info))

import argparse
import hashlib
import os
import platform
import re
import secrets
import shutil
import signal
import socket
import subprocess
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent
LOCKS = ROOT / "requirements"
NPM = ROOT / "tests" / "npm"  # what tests want from npm; it is put into var/npm
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
DATABASES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
# One more than there are processors: a test that waits, for a page or a process, leaves its own to
# another. Of many processors not all: each worker has a browser, and up to eight processes.
WORKERS = min(os.cpu_count() or 1, 6) + 1


# --- The environment ------------------------------------------------------------------------


def stamp(lock: Path, version: str) -> str:
    """One line that is different whenever the lock or the Python ("3.11.7") is."""
    return f"{lock.name} {version} {hashlib.sha256(lock.read_bytes()).hexdigest()}"


def environment(lock: str, *, python: str = sys.executable, folder: str = ".venv") -> Path:
    """Give the Python of a virtual environment that holds what requirements/`lock` names.

    Makes the folder if it is missing or of another Python, installs if the lock has changed since,
    and otherwise does nothing. Exits with a sentence if the machine cannot make one.
    """
    inside = ROOT / folder / "bin" / "python"
    stamps = ROOT / folder / "installed"
    version = python_version(python)
    # dev.txt holds all of base.txt (a test says so): who has the first has the second.
    wanted = [stamp(LOCKS / name, version) for name in ("base.txt", "dev.txt")]
    if lock == "base.txt":
        wanted.pop()
    installed = stamps.read_text().splitlines() if stamps.exists() else []
    if inside.exists() and set(wanted) <= set(installed):
        return inside

    if not inside.exists() or python_version(inside) != version:
        if run(python, "-c", "import ensurepip, venv", stderr=subprocess.DEVNULL):
            sys.exit(
                f"This Python ({python}) comes without venv. On Debian and Ubuntu:"
                f" apt-get install python{version.rpartition('.')[0]}-venv"
            )
        must(python, "-m", "venv", "--clear", folder)
    print(f"Installing the packages of requirements/{lock} into {folder}/ ...", flush=True)
    stamps.unlink(missing_ok=True)
    must(
        *(inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--require-hashes", "--requirement", LOCKS / lock),
    )
    stamps.write_text("\n".join(wanted) + "\n")  # last: an interrupted install is not believed
    return inside


def python_version(python: str | Path) -> str:
    """The version of a Python as "3.11.7", or "" if it does not run."""
    if str(python) == sys.executable:
        return platform.python_version()
    shown = subprocess.run(
        [python, "-c", "import platform; print(platform.python_version())"],
        capture_output=True,
        text=True,
    )
    return shown.stdout.strip()


def find_python(minor: str) -> str | None:
    """Look for a Python that runs, such as "3.13": this one, on the PATH, then under ~/.pyenv."""
    kept = sorted(Path.home().glob(f".pyenv/versions/{minor}.*/bin/python"), reverse=True)
    for candidate in (sys.executable, shutil.which(f"python{minor}"), *map(str, kept)):
        # A name on the PATH may be a shim that only says which versions it would have.
        if candidate and python_version(candidate).startswith(f"{minor}."):
            return candidate
    return None


def find_chromium() -> str | None:
    """Give the path of a Chromium: the one named by CHROMIUM, or the first on the PATH. Its engine
    without windows draws the same pages for two thirds of the processor time."""
    names = (
        *(os.environ.get("CHROMIUM"), "chromium-headless-shell"),
        *("chromium", "chromium-browser", "google-chrome"),
    )
    return next(filter(None, (shutil.which(name) for name in names if name)), None)


def find_epubcheck() -> str | None:
    """Give the path of epubcheck.jar, the checker of books, if Java is here too: the one named by
    EPUBCHECK, or Debian's."""
    jar = os.environ.get("EPUBCHECK", "/usr/share/java/epubcheck.jar")
    return jar if shutil.which("java") and Path(jar).exists() else None


def find_redis() -> str | None:
    """Give the path of a server of Redis or Valkey, which a test starts for itself."""
    return shutil.which("valkey-server") or shutil.which("redis-server")


def npm_packages() -> str:
    """Put what tests/npm/package-lock.json names into var/npm, unless it is there already.

    Gives "" or the reason why it could not be done. To add a package: name it with its exact
    version in package.json, and let npm write the lock anew with
    `npm install --package-lock-only --omit-lockfile-registry-resolved`.
    """
    folder = ROOT / "var" / "npm"
    stamped = folder / "installed"
    wanted = hashlib.sha256((NPM / "package-lock.json").read_bytes()).hexdigest()
    if stamped.exists() and stamped.read_text() == wanted:
        return ""
    npm = shutil.which("npm")
    if not npm:
        return "no npm found"
    print("Installing the packages of tests/npm/ into var/npm/ ...", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    stamped.unlink(missing_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(NPM / name, folder / name)
    # No package runs code of its own while it is installed.
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    if subprocess.run([npm, "ci", *options], cwd=folder).returncode:
        return "npm could not install them"
    stamped.write_text(wanted)
    return ""


def write_env(path: Path) -> bool:
    """Write settings for a trial on this machine, with a secret of its own. Never overwrites."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w") as file:
        file.write(f"DEBUG=1\nSECRET_KEY={secrets.token_urlsafe(50)}\n")
    return True


def run(*command: str | Path, **more) -> int:
    """Run a command in the project's folder, its output unhidden; give its exit code."""
    return subprocess.run(command, cwd=ROOT, **more).returncode


def must(*command: str | Path) -> None:
    """Run a command; if it fails, so do we, with its exit code."""
    code = run(*command)
    if code:
        sys.exit(code)


# --- run ------------------------------------------------------------------------------------


def run_forum(port: int, openings: bool) -> None:
    """Prepare whatever is not ready yet and serve the forum until Ctrl-C."""
    why = port_trouble(port)
    if why:
        other = port + 1 if 1023 < port < 65535 else 8000
        sys.exit(f"Port {port} {why}. Try another: python3 dev.py run --port {other}")
    python = environment("base.txt")
    write_env(ROOT / ".env")
    more = ["--openings"] if openings else []
    os.execv(python, [str(python), str(ROOT / "dev.py"), "serve", "--port", str(port), *more])


def port_trouble(port: int) -> str:
    """Why nobody can be served on this machine's `port`, to follow "Port 80"; empty if one can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            return "takes rights that you do not have: those below 1024 are kept for the system"
        except OverflowError:
            return "is none: they go up to 65535"
        except OSError:
            return "is in use"
    return ""


def serve(port: int, openings: bool) -> None:
    """The half of `run` that lives in the environment: bring the database up to date and serve."""
    os.chdir(ROOT)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forum.settings")
    from django.core.management import CommandError, execute_from_command_line

    # Django's server starts this file a second time, as the process that it restarts on changes.
    # Preparing in the first keeps it to once a start, in a process that has Django loaded anyway.
    if os.environ.get("RUN_MAIN") != "true":
        try:
            prepare(openings)
        except CommandError as error:
            sys.exit(f"The forum could not be prepared: {error}")
        print(
            f"\n  The forum:   http://127.0.0.1:{port}/"
            f"\n  Join:        http://127.0.0.1:{port}/accounts/signup/  (mail is shown below)"
            "\n  Moderate:    python3 dev.py manage appoint NAME --administrator"
            "\n  Stop:        Ctrl-C\n",
            flush=True,
        )
    else:
        # An interrupt that arrives while Python tidies up is lost, and with it the Ctrl-C: the
        # serving process ends at once instead, and the one that waits for it follows.
        signal.signal(signal.SIGINT, lambda *_: os._exit(0))
        work_along()
    execute_from_command_line(["manage.py", "runserver", f"127.0.0.1:{port}"])


def work_along() -> None:
    """Do what is done later (`manage.py work`) in a thread of the serving process: it has the code
    that is served, and ends with it, which costs no job more than its lease."""
    import django

    django.setup()
    from forum.outbox.worker import Worker

    threading.Thread(target=Worker().run, name="work", daemon=True).start()


def prepare(openings: bool = False) -> None:
    """Migrate if need be; fill an empty forum with its boards and threads, and with the openings
    if they are asked for.

    Boards are loaded into a forum that has none: from then on they belong to the admin. Thread
    fixtures are offered each time: the importer knows the threads that it has seen, and leaves
    alone what is there or was taken away.
    """
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    django.setup()
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    migrations = MigrationExecutor(connection)
    if migrations.migration_plan(migrations.loader.graph.leaf_nodes()):
        print("Bringing the database up to date ...", flush=True)
        call_command("migrate", verbosity=0, interactive=False)

    from forum.models import Board

    if not Board.objects.exists():
        call_command("loaddata", "boards", "glossary", verbosity=0)
    for thread in sorted((ROOT / "fixtures" / "threads").glob("*.json")):
        if thread.name == "openings.json" and not openings:
            continue
        call_command("loaddata", str(thread), verbosity=0)
    with open(os.devnull, "w") as nowhere:
        call_command("sweep", stdout=nowhere)
        call_command("index_posts", verbosity=0)


# --- test and lint --------------------------------------------------------------------------


def test(only: str | None, all_pythons: bool, quick: bool, pytest_args: list[str]) -> int:
    """Run the tests on every database, here or with every Python; say what ran and what did not.

    A `quick` run leaves out the marks `whole` and, on the second database, `reads`. Gives the exit
    code. Where CI is set, whatever had to be left out is a failure.
    """
    ran, failed, left_out = [], [], []
    chromium = find_chromium()
    if not chromium:
        left_out.append("browser tests: no Chromium found; install one or set CHROMIUM to its path")
    marks = ["browser"] if only == "browser" else [] if chromium else ["not browser"]
    reason = "" if only == "browser" else npm_packages()
    if reason:
        left_out.append(f"tests against programs from npm: {reason}")
        marks.append("not npm")
    if only != "browser" and not find_epubcheck():
        left_out.append("the test of books: no epubcheck (Debian: apt-get install epubcheck)")
        marks.append("not epubcheck")
    if only != "browser" and not find_redis():
        left_out.append("the shared cache: no redis-server or valkey-server found")
        marks.append("not redis")
    long = os.environ.get("JONBAR_LONG") == "1" and only != "browser"
    if long and (os.geteuid() or not shutil.which("debootstrap")):
        left_out.append("fresh machines: only root makes them, with debootstrap")
        marks.append("not fresh_machine")
    pythons = {".".join(map(str, sys.version_info[:2])): sys.executable}
    if all_pythons:
        found = {minor: find_python(minor) for minor in PYTHONS}
        pythons = {minor: path for minor, path in found.items() if path}
        left_out += [f"Python {minor}: not found here" for minor in found if minor not in pythons]

    for minor, path in pythons.items():
        here = path == sys.executable
        python = environment("dev.txt", python=path, folder=".venv" if here else f".venv-{minor}")
        for database, title in DATABASES.items():
            if only in DATABASES and only != database:
                continue
            if only == "browser" and not chromium:
                continue
            # Workers pay for themselves in a whole run, not in a glance at one file.
            workers = [] if pytest_args else ["-n", str(WORKERS), "--dist", "worksteal"]
            name = f"{title}, Python {minor}"
            print(f"\n=== {name}", flush=True)
            env = os.environ | {"JONBAR_TEST_DATABASE": database}
            # Some sixty processes load the forum; without bytecode each compiles it anew.
            env.pop("PYTHONDONTWRITEBYTECODE", None)
            env["JONBAR_QUICK"] = "1" if quick else "0"
            if not pytest_args and f"{DATABASES['sqlite']}, Python {minor}" in ran:
                env["JONBAR_TEST_ONLY"] = "database"
            chosen = ["-m", " and ".join(marks)] if marks else []
            code = run(python, "-m", "pytest", *workers, *chosen, *pytest_args, env=env)
            ran.append(name)
            if code:
                failed.append(name)

    print("\nRan: " + ("; ".join(ran) or "nothing"))
    if len(ran) > 1 and not pytest_args:
        print("What touches no database, and how pages look, was tested once for each Python.")
    if quick:
        print(
            "A quick run. Left to CI and `python3 dev.py test --whole`: pages on PostgreSQL, most"
            " of what a browser tries, load, backups while people write, upgrades, standby servers."
        )
    if os.environ.get("JONBAR_LONG") != "1":
        print(
            "In their short forms: acts in any order and in sequences, crash points, load, races,"
            " hostile texts, forged quotes, the longest debates, drafts, the sights of each page."
            " All of them: python3 dev.py test --long"
        )
    for name in failed:
        print(f"FAILED: {name}")
    for reason in left_out:
        print(f"Left out: {reason}")
    return 1 if failed or not ran or (in_ci() and left_out) else 0


# What leans on Django most, and every page once.
LEANING = (
    *("accounts", "admin", "core", "mailing", "models", "tree", "test_odd_requests.py"),
    *("views/test_access.py", "views/test_forms.py", "views/test_queries.py"),
)


def test_newest(pytest_args: list[str]) -> int:
    """Run what leans on Django most, on SQLite with the newest Python that is found here, without a
    browser, and give the exit code: newer Pythons take a newer Django than this one may. Where
    there is no newer one, say so; that is no failure, since a Debian has one Python."""
    found = ((minor, find_python(minor)) for minor in reversed(PYTHONS))
    minor, path = next((minor, path) for minor, path in found if path)
    if path == sys.executable:
        print(f"No Python newer than {minor} was found here. Left out: what it would bring along.")
        return 0
    python = environment("dev.txt", python=path, folder=f".venv-{minor}")
    print(f"\n=== {DATABASES['sqlite']}, Python {minor}: what leans on Django", flush=True)
    env = os.environ | {"JONBAR_TEST_DATABASE": "sqlite", "JONBAR_QUICK": "1"}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    everything = ["-n", str(WORKERS), "--dist", "worksteal", *(f"tests/{one}" for one in LEANING)]
    marks = ["-m", "not browser and not npm and not epubcheck and not redis"]
    return run(python, "-m", "pytest", *marks, *(pytest_args or everything), env=env)


def in_ci() -> bool:
    """Whether this is continuous integration, where nothing is left out."""
    return os.environ.get("CI", "").lower() in ("1", "true")


# Neither somebody's .env nor a database decides whether the sources are in order.
BARE = {"DEBUG": "1", "SECRET_KEY": "lint", "DATABASE_URL": "sqlite://:memory:"}


def types() -> int:
    """Check the types; gives mypy's exit code. Its Django plugin reads the settings."""
    python = environment("dev.txt")
    return run(python, "-m", "mypy", "accounts", "core", "forum", env=os.environ | BARE)


def lint() -> int:
    """Check style, types, templates, settings and migrations; all, even if the first one fails."""
    python = environment("dev.txt")
    env = os.environ | BARE
    checks = [
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("mypy", "accounts", "core", "forum"),
        ("djlint", "templates", "--lint", "--quiet"),
        ("djlint", "templates_django", "--lint", "--quiet", "--profile=django"),
        ("manage.py", "check"),
        ("manage.py", "makemigrations", "--check", "--dry-run"),
    ]
    failed = 0
    for tool, *arguments in checks:
        print(f"=== {tool} {' '.join(arguments)}", flush=True)
        command = [python, tool] if tool == "manage.py" else [python, "-m", tool]
        failed += bool(run(*command, *arguments, env=env))
    return 1 if failed else 0


def bench(arguments: list[str]) -> int:
    """Measure what pages cost, on a database of its own; see docs/performance.md."""
    return run(environment("dev.txt"), "-m", "tests.bench", *arguments)


def fresh_machine(arguments: list[str]) -> int:
    """Run and test the forum on machines that have nothing but Python; see tests/fresh."""
    return run(environment("dev.txt"), "-m", "tests.fresh", *arguments)


def upgrade_locks(arguments: list[str]) -> int:
    """Measure which locks the migrations of an upgrade hold; see tests/bench/migrations.py."""
    return run(environment("dev.txt"), "-m", "tests.bench.migrations", *arguments)


def stress(arguments: list[str]) -> int:
    """Act, race, kill and restart at random for hours; see tests/stress/__main__.py."""
    return run(environment("dev.txt"), "-m", "tests.stress", *arguments)


def keep() -> int:
    """Keep a forum of this version, for the tests of every later one to be upgraded from."""
    return run(environment("dev.txt"), "-m", "tests.upgrades")


# --- manage and lock ------------------------------------------------------------------------


def manage(arguments: list[str]) -> None:
    """Turn into manage.py, with the packages of the lock and the .env of this folder."""
    python = environment("base.txt")
    write_env(ROOT / ".env")
    os.execv(python, [str(python), str(ROOT / "manage.py"), *arguments])


def lock(upgrade: bool) -> None:
    """Write both locks from pyproject.toml. Without `upgrade`, what fits keeps its version."""
    uv = ROOT / ".venv-lock" / "bin" / "uv"
    if not uv.exists():
        must(sys.executable, "-m", "venv", "--clear", ".venv-lock")
        must(uv.with_name("python"), "-m", "pip", "install", "--quiet", "uv")
    # The tests run with the versions that the forum is served with.
    more = {"base": (), "dev": ("--extra", "dev", "--constraint", "requirements/base.txt")}
    for name, options in more.items():
        # Nothing that tells where the packages came from or on which machine this ran.
        must(
            *(uv, "pip", "compile", "--quiet", "--no-config", "--universal", "--generate-hashes"),
            *("--python-version", "3.11", "--no-header", "--no-emit-index-url"),
            *("--no-emit-find-links", *["--upgrade"] * upgrade),
            *("pyproject.toml", *options, "--output-file", f"requirements/{name}.txt"),
        )


def face() -> int:
    """Copy the faces that face.css names, and their licence, out of the package from npm whose
    version tests/npm/package-lock.json pins."""
    reason = npm_packages()
    if reason:
        print(f"The face stays as it is: {reason}.")
        return 1
    package = ROOT / "var" / "npm" / "node_modules" / "@fontsource" / "source-serif-4"
    folder = ROOT / "static" / "vendor" / "source-serif-4"
    folder.mkdir(parents=True, exist_ok=True)
    sheet = (ROOT / "static" / "css" / "face.css").read_text()
    for name in sorted(set(re.findall(r"[\w-]+\.woff2", sheet))):
        shutil.copyfile(package / "files" / name, folder / name)
    shutil.copyfile(package / "LICENSE", folder / "LICENSE.txt")
    return 0


def viewer() -> int:
    """Copy the viewer of large maps and its licence likewise. Its last line names a map of its
    source, which is not served."""
    reason = npm_packages()
    if reason:
        print(f"The viewer stays as it is: {reason}.")
        return 1
    package = ROOT / "var" / "npm" / "node_modules" / "openseadragon"
    folder = ROOT / "static" / "vendor" / "openseadragon"
    folder.mkdir(parents=True, exist_ok=True)
    source = (package / "build" / "openseadragon" / "openseadragon.min.js").read_text()
    script = re.sub(r"\n//# sourceMappingURL=.*", "", source)
    (folder / "openseadragon.min.js").write_text(script)
    shutil.copyfile(package / "LICENSE.txt", folder / "LICENSE.txt")
    return 0


def audit() -> int:
    """Ask the advisory service of the package index about everything in the locks.

    Gives 0 if every package was known there and without a known hole; what could not be asked
    about counts as not in order. Never part of the tests, which must come out the same tomorrow.
    """
    tool = ROOT / ".venv-audit" / "bin" / "pip-audit"
    if not tool.exists():
        must(sys.executable, "-m", "venv", "--clear", ".venv-audit")
        must(tool.with_name("python"), "-m", "pip", "install", "--quiet", "pip-audit")
    failed = 0
    for name in ("base.txt", "dev.txt"):
        print(f"=== {name}", flush=True)
        failed += bool(
            run(
                *(tool, "--strict", "--require-hashes", "--disable-pip", "--progress-spinner=off"),
                *("--requirement", LOCKS / name),
            )
        )
    return 1 if failed else 0


def main(arguments: list[str]) -> int | None:
    """Read the command line, do what it says, give the exit code."""
    parser = argparse.ArgumentParser(
        prog="dev.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in ("run", "serve"):
        command = commands.add_parser(name, allow_abbrev=False)
        command.add_argument("--port", type=int, default=8000)
        command.add_argument("--openings", action="store_true")
    command = commands.add_parser("test", allow_abbrev=False)
    command.add_argument("--only", choices=(*DATABASES, "browser"))
    command.add_argument("--all-pythons", action="store_true")
    command.add_argument("--whole", action="store_true")
    command.add_argument("--long", action="store_true")
    commands.add_parser("lint")
    commands.add_parser("types")
    commands.add_parser("bench", add_help=False)
    apart = {
        "stress": stress,
        "upgrade-locks": upgrade_locks,
        "fresh-machine": fresh_machine,
        "test-newest": test_newest,
    }
    for name in apart:
        commands.add_parser(name, add_help=False)
    commands.add_parser("manage", add_help=False)
    commands.add_parser("lock").add_argument("--upgrade", action="store_true")
    commands.add_parser("keep")
    commands.add_parser("face")
    commands.add_parser("viewer")
    commands.add_parser("audit")

    known, rest = parser.parse_known_args(arguments)
    if rest and known.command not in ("test", "bench", "manage", *apart):
        parser.error(f"unknown: {' '.join(rest)}")
    # No match statement: see above what an older Python must be able to read.
    if known.command == "test":
        if known.long:
            os.environ["JONBAR_LONG"] = "1"
        # Whoever names what to test is shown all of it.
        named = rest or known.only == "browser"
        quick = not (known.whole or known.long or named or in_ci())
        return test(known.only, known.all_pythons, quick, rest)
    if known.command == "lint":
        return lint()
    if known.command == "types":
        return types()
    if known.command == "bench":
        return bench(arguments[1:])
    if known.command in apart:
        return apart[known.command](arguments[1:])
    if known.command == "keep":
        return keep()
    if known.command == "face":
        return face()
    if known.command == "viewer":
        return viewer()
    if known.command == "audit":
        return audit()
    if known.command == "lock":
        return lock(known.upgrade)
    if known.command == "manage":
        return manage(arguments[1:])
    start = run_forum if known.command == "run" else serve
    return start(known.port, known.openings)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
