"""dev.py's own promises, and those of the databases that the tests bring along."""

import ast
import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test import TestCase

import dev
from tests import postgres
from tests.postgres import free_port
from tests.waiting import PATIENCE, until

SOURCE = dev.ROOT / "dev.py"
REQUIREMENT = re.compile(
    r"^(?P<name>[a-z0-9-]+)==(?P<rest>[^#\n]*(?:\n    --hash=.*)*)", re.MULTILINE
)


def locked(name: str) -> dict[tuple[str, str], str]:
    """What a lock pins: (name, version and marker) -> hashes."""
    text = (dev.LOCKS / f"{name}.txt").read_text()
    pins = {}
    for match in REQUIREMENT.finditer(text):
        head, _, hashes = match["rest"].partition("\\\n")
        pins[match["name"], head.strip()] = hashes
    return pins


def asked_for(name: str) -> set[str]:
    """The packages that pyproject.toml names for a lock, as a lock spells them."""
    project = tomllib.loads((dev.ROOT / "pyproject.toml").read_text())["project"]
    lines = project["dependencies"]
    if name == "dev":
        lines = [*lines, *project["optional-dependencies"]["dev"]]
    named = [re.match(r"[\w.-]+", line) for line in lines]
    return {match[0].lower().replace("_", "-") for match in named}


# --- The file itself ------------------------------------------------------------------------


def test_older_pythons_can_read_the_refusal():
    ast.parse(SOURCE.read_text(), feature_version=(3, 7))


def test_nothing_but_the_standard_library_is_needed_to_start():
    outer = [node for node in ast.parse(SOURCE.read_text()).body if isinstance(node, ast.Import)]
    assert {alias.name for node in outer for alias in node.names} <= sys.stdlib_module_names


def test_an_unknown_option_is_refused(capsys):
    with pytest.raises(SystemExit):
        dev.main(["run", "--prot", "8001"])
    assert "--prot" in capsys.readouterr().err


def test_a_first_run_fills_the_forum_and_a_second_one_finds_it(tmp_path):
    """Served as a newcomer has it: nothing there but the packages, and stopped with Ctrl-C."""
    port = free_port()
    database = tmp_path / "data" / "forum.sqlite3"
    trial = {
        "DATABASE_URL": f"sqlite:///{database}",
        "DEBUG": "1",
        "JONBAR_DATA": str(tmp_path / "data"),
    }
    for _ in range(2):
        running = subprocess.Popen(
            [sys.executable, dev.ROOT / "dev.py", "serve", "--port", str(port)],
            env=os.environ | trial,
            start_new_session=True,
        )
        try:
            assert wait_for_answer(f"http://127.0.0.1:{port}/", running) == 200
        finally:
            os.killpg(running.pid, signal.SIGINT)  # what a terminal sends for Ctrl-C
        assert running.wait(timeout=PATIENCE) == 0
        with contextlib.closing(sqlite3.connect(database)) as found:
            counts = [
                found.execute(f"SELECT count(*) FROM forum_{table}").fetchone()[0]
                for table in ("board", "thread", "post")
            ]
        assert counts == [8, 2, 21]


def wait_for_answer(url: str, running: subprocess.Popen) -> int:
    """The status of the first answer; fails if the server ends without one, or in five minutes."""

    def answered() -> int | None:
        assert running.poll() is None, "the server has stopped"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                return answer.status
        except urllib.error.HTTPError as answer:
            return answer.code
        except OSError:
            return None

    # Five minutes: a first run migrates and fills a forum.
    return until(answered, f"{url} does not answer", pause=0.1, patience=300)


# --- Locks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["base", "dev"])
def test_every_pin_has_its_hashes(name):
    pins = locked(name)
    text = (dev.LOCKS / f"{name}.txt").read_text()
    assert len(pins) == len(re.findall(r"^\S+==", text, re.MULTILINE)) > 10
    assert [pin for pin, hashes in pins.items() if "--hash=sha256:" not in hashes] == []


@pytest.mark.parametrize("name", ["base", "dev"])
def test_locks_name_no_server_and_no_machine(name):
    text = (dev.LOCKS / f"{name}.txt").read_text()
    assert re.findall(r"://|^\s*--(?!hash)\S*|(?:^|\s)/\S+", text, re.MULTILINE) == []


@pytest.mark.parametrize("name", ["base", "dev"])
def test_everything_asked_for_is_locked(name):
    asked = asked_for(name)
    assert len(asked) > 8
    assert asked <= {package for package, _ in locked(name)}


def test_the_lock_for_development_holds_all_that_the_forum_needs():
    base, development = locked("base"), locked("dev")
    for (name, pin), hashes in base.items():
        # What the forum needs on some Pythons the linters may need on all.
        everywhere = pin.partition(" ; ")[0]
        assert hashes in (development.get((name, pin)), development.get((name, everywhere))), name


def test_each_python_gets_its_django():
    pins = [rest for package, rest in locked("base") if package == "django"]
    assert sorted(re.sub(r"(\d+\.\d+)\.\d+", r"\1", pin) for pin in pins) == [
        "5.2 ; python_full_version < '3.12'",
        "6.1 ; python_full_version >= '3.12'",
    ]


# --- The environment ------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty project with two locks, where commands are noted down in `project.ran`, not run."""

    class Project:
        root, ran, code = tmp_path, [], 0

        def run(self, *command, **more):
            self.ran.append([str(part) for part in command])
            if "venv" in command:
                (tmp_path / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
                (tmp_path / ".venv" / "bin" / "python").touch()
            return self.code if "pip" in command else 0

    project = Project()
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "base.txt").write_text("one")
    (tmp_path / "requirements" / "dev.txt").write_text("one, two")
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    monkeypatch.setattr(dev, "LOCKS", tmp_path / "requirements")
    monkeypatch.setattr(dev, "run", project.run)
    monkeypatch.setattr(dev, "python_version", lambda python: "3.11.7")
    return project


def test_what_is_installed_is_not_installed_again(project):
    python = dev.environment("base.txt")
    assert "--require-hashes" in project.ran[-1]
    project.ran.clear()
    assert dev.environment("base.txt") == python
    assert project.ran == []


def test_the_forum_needs_nothing_more_once_the_tests_have_run(project):
    dev.environment("dev.txt")
    project.ran.clear()
    dev.environment("base.txt")
    assert project.ran == []


def test_the_tests_need_more_than_the_forum(project):
    dev.environment("base.txt")
    project.ran.clear()
    dev.environment("dev.txt")
    assert len(project.ran) == 1


@pytest.mark.parametrize("lock", ["base.txt", "dev.txt"])
def test_a_changed_lock_is_installed(project, lock):
    dev.environment(lock)
    project.ran.clear()
    (dev.LOCKS / lock).write_text("three")
    dev.environment(lock)
    assert [command[1:3] for command in project.ran] == [["-m", "pip"]]


def test_another_python_gets_an_environment_made_anew(project, monkeypatch):
    dev.environment("base.txt")
    project.ran.clear()
    monkeypatch.setattr(
        dev, "python_version", lambda python: "3.13.0" if python == "/another" else "3.11.7"
    )
    dev.environment("base.txt", python="/another")
    assert ["/another", "-m", "venv", "--clear", ".venv"] in project.ran


def test_an_install_that_failed_is_not_believed(project):
    project.code = 3
    with pytest.raises(SystemExit) as stopped:
        dev.environment("base.txt")
    assert stopped.value.code == 3
    project.code = 0
    project.ran.clear()
    dev.environment("base.txt")
    assert len(project.ran) == 1


def test_settings_for_a_trial_are_written_once_and_for_the_owner_only(tmp_path):
    path = tmp_path / ".env"
    assert dev.write_env(path) is True
    first = path.read_text()
    assert re.fullmatch(r"DEBUG=1\nSECRET_KEY=[\w-]{60,}\n", first)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert dev.write_env(path) is False
    assert path.read_text() == first


def test_every_trial_has_a_secret_of_its_own(tmp_path):
    dev.write_env(tmp_path / "one")
    dev.write_env(tmp_path / "two")
    assert (tmp_path / "one").read_text() != (tmp_path / "two").read_text()


def test_what_a_run_makes_is_ignored_by_git():
    ignored = (dev.ROOT / ".gitignore").read_text().splitlines()
    assert {"/.venv*/", "/.env", "/var/"} <= set(ignored)


# --- The machine ----------------------------------------------------------------------------


def test_a_port_in_use_is_noticed():
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        assert dev.port_trouble(port)
    assert not dev.port_trouble(port)


def test_a_port_in_use_is_explained_and_nothing_is_made(project):
    port = free_port()
    said = pytest.raises(SystemExit, match=f"Port {port} is in use.*--port {port + 1}")
    with socket.create_server(("127.0.0.1", port)), said:
        dev.run_forum(port, openings=False)
    assert project.ran == []


def test_a_port_that_takes_rights_is_explained(project, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(SystemExit, match=r"Port 80 takes rights.*--port 8000"):
        dev.run_forum(80, openings=False)
    assert project.ran == []


def test_a_number_that_is_no_port_is_explained(project):
    with pytest.raises(SystemExit, match=r"Port 70000 is none.*--port 8000"):
        dev.run_forum(70_000, openings=False)
    assert project.ran == []


def program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_a_python_that_only_seems_to_be_there_is_passed_over(tmp_path, monkeypatch):
    program(tmp_path / "python3.99", "exit 127")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert dev.find_python("3.99") is None
    kept = tmp_path / ".pyenv" / "versions" / "3.99.1" / "bin"
    kept.mkdir(parents=True)
    works = program(kept / "python", "echo 3.99.1")
    assert dev.find_python("3.99") == str(works)


def test_the_chromium_somebody_names_comes_first(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    assert dev.find_chromium() is None
    chrome = program(tmp_path / "google-chrome", "exit 0")
    assert dev.find_chromium() == str(chrome)
    monkeypatch.setenv("CHROMIUM", str(program(tmp_path / "mine", "exit 0")))
    assert dev.find_chromium() == str(tmp_path / "mine")


# --- A test run -----------------------------------------------------------------------------


@pytest.fixture
def suite(monkeypatch):
    """A machine whose pytest gives `suite.codes[database]`; `suite.ran` says what it was asked."""

    class Suite:
        codes, ran, quick, long = {"sqlite": 0, "postgres": 0}, [], [], []

        def run(self, *command, env):
            self.quick.append(env["JONBAR_QUICK"])
            self.long.append(env.get("JONBAR_LONG", "0"))
            self.ran.append((env["JONBAR_TEST_DATABASE"], command[3:]))
            return self.codes[env["JONBAR_TEST_DATABASE"]]

    suite = Suite()
    monkeypatch.setattr(dev, "run", suite.run)
    monkeypatch.setattr(dev, "environment", lambda lock, *, python, folder: python)
    monkeypatch.setattr(dev, "find_chromium", lambda: "/somewhere/chromium")
    monkeypatch.setattr(dev, "find_epubcheck", lambda: "/somewhere/epubcheck.jar")
    monkeypatch.setattr(dev, "npm_packages", lambda: "")
    monkeypatch.setattr(dev, "find_redis", lambda: "/usr/bin/redis-server")
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("JONBAR_LONG", "0")
    return suite


def test_both_databases_are_tested(suite):
    assert dev.main(["test"]) == 0
    assert [database for database, _ in suite.ran] == ["sqlite", "postgres"]


def test_arguments_for_pytest_reach_it(suite):
    dev.main(["test", "--only", "sqlite", "-x", "tests/test_dev.py"])
    assert suite.ran == [("sqlite", ("-x", "tests/test_dev.py"))]


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_one_failure_is_a_failure_and_is_named(suite, database, capsys):
    suite.codes[database] = 1
    assert dev.main(["test"]) == 1
    assert len(suite.ran) == 2
    assert f"FAILED: {dev.DATABASES[database]}" in capsys.readouterr().out


def test_a_machine_without_chromium_leaves_the_browser_out_and_says_so(suite, monkeypatch, capsys):
    monkeypatch.setattr(dev, "find_chromium", lambda: None)
    assert dev.main(["test"]) == 0
    assert all(arguments[-2:] == ("-m", "not browser") for _, arguments in suite.ran)
    assert "Left out: browser tests" in capsys.readouterr().out


def test_a_machine_without_npm_leaves_its_tests_out_and_says_so(suite, monkeypatch, capsys):
    monkeypatch.setattr(dev, "npm_packages", lambda: "no npm found")
    assert dev.main(["test"]) == 0
    assert all(arguments[-2:] == ("-m", "not npm") for _, arguments in suite.ran)
    assert "Left out: tests against programs from npm: no npm found" in capsys.readouterr().out
    monkeypatch.setenv("CI", "true")
    assert dev.main(["test"]) == 1


def test_a_machine_without_a_checker_of_books_says_so(suite, monkeypatch, capsys):
    monkeypatch.setattr(dev, "find_epubcheck", lambda: None)
    assert dev.main(["test"]) == 0
    assert all(arguments[-2:] == ("-m", "not epubcheck") for _, arguments in suite.ran)
    assert "Left out: the test of books: no epubcheck" in capsys.readouterr().out


def test_the_long_forms_run_on_request_and_are_named_otherwise(suite, capsys):
    named = "All of them: python3 dev.py test --long"
    dev.main(["test"])
    assert named in capsys.readouterr().out
    assert suite.long == ["0", "0"]
    dev.main(["test", "--long"])
    assert named not in capsys.readouterr().out
    assert suite.long[2:] == ["1", "1"]


def test_a_run_is_quick_unless_asked_for_more_and_says_so(suite, monkeypatch, capsys):
    assert dev.main(["test"]) == 0
    assert suite.quick == ["1", "1"]
    assert "A quick run. Left to CI and `python3 dev.py test --whole`" in capsys.readouterr().out
    for asked in (["--whole"], ["--long"], ["--only", "browser"], ["tests/test_dev.py"]):
        suite.quick.clear()
        dev.main(["test", *asked])
        assert set(suite.quick) == {"0"}, asked
    suite.quick.clear()
    monkeypatch.setenv("CI", "true")
    dev.main(["test"])
    assert suite.quick == ["0", "0"]
    assert "A quick run" not in capsys.readouterr().out


class Item:
    """As much of a test as decides whether it is for a run."""

    def __init__(
        self, *marks: str, fixtures: tuple[str, ...] = (), cls: type | None = None
    ) -> None:
        self.nodeid = f"tests/{'-'.join(marks + fixtures) or (cls.__name__ if cls else 'plain')}"
        self.cls = cls
        self.fixturenames = fixtures
        self.marks = [pytest.mark.__getattr__(mark).mark for mark in marks]

    def iter_markers(self):
        return iter(self.marks)


@pytest.mark.parametrize(
    ("database", "again", "form", "left"),
    [
        ("sqlite", False, "whole", {"long", "postgres"}),
        ("sqlite", False, "quick", {"long", "postgres", "whole"}),
        ("sqlite", False, "long", {"postgres"}),
        ("postgres", False, "whole", {"long"}),
        ("postgres", False, "quick", {"long", "whole"}),
        ("postgres", True, "whole", {"plain", "long", "once"}),
        ("postgres", True, "quick", {"plain", "long", "once", "reads", "whole"}),
        ("postgres", True, "long", {"plain", "once"}),
    ],
)
def test_what_each_run_leaves_out(database, again, form, left, monkeypatch):
    marks = ("once", "reads", "whole", "long", "postgres")
    items = [Item(), Item("races"), Item(fixtures=("db",)), Item(cls=TestCase)]
    items += [Item("django_db", mark) for mark in marks]
    monkeypatch.setenv("JONBAR_TEST_DATABASE", database)
    monkeypatch.setenv("JONBAR_TEST_ONLY", "database" if again else "")
    monkeypatch.setenv("JONBAR_QUICK", "1" if form == "quick" else "0")
    monkeypatch.setenv("JONBAR_LONG", "1" if form == "long" else "0")
    told = []
    config = SimpleNamespace(
        hook=SimpleNamespace(pytest_deselected=lambda items: told.extend(items))
    )
    kept = list(items)
    postgres.pytest_collection_modifyitems(config, kept)
    names = {item.nodeid.removeprefix("tests/").removeprefix("django_db-") for item in told}
    assert names == left
    assert len(kept) + len(told) == len(items)


def test_a_machine_without_redis_leaves_its_tests_out_and_says_so(suite, monkeypatch, capsys):
    monkeypatch.setattr(dev, "find_redis", lambda: None)
    assert dev.main(["test"]) == 0
    assert all(arguments[-2:] == ("-m", "not redis") for _, arguments in suite.ran)
    assert "Left out: the shared cache: no redis-server" in capsys.readouterr().out


def test_packages_from_npm_are_pinned_and_name_no_registry():
    asked = json.loads((dev.NPM / "package.json").read_text())["dependencies"]
    locked = json.loads((dev.NPM / "package-lock.json").read_text())["packages"]
    assert locked[""]["dependencies"] == asked
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in asked.values())
    for name, package in locked.items():
        assert "resolved" not in package
        assert not name or package["integrity"].startswith("sha512-")


def test_packages_from_npm_that_cannot_be_had_are_a_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert dev.npm_packages() == "no npm found"
    (tmp_path / "npm").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "npm").chmod(0o755)
    assert dev.npm_packages() == "npm could not install them"
    (tmp_path / "npm").write_text("#!/bin/sh\nexit 0\n")
    assert dev.npm_packages() == ""
    (tmp_path / "npm").unlink()
    assert dev.npm_packages() == ""  # what is there is not asked for again


def test_in_ci_whatever_is_left_out_is_a_failure(suite, monkeypatch):
    monkeypatch.setattr(dev, "find_chromium", lambda: None)
    monkeypatch.setenv("CI", "true")
    assert dev.main(["test"]) == 1


def test_a_run_that_tested_nothing_has_failed(suite, monkeypatch):
    monkeypatch.setattr(dev, "find_chromium", lambda: None)
    assert dev.main(["test", "--only", "browser"]) == 1
    assert suite.ran == []


def test_a_python_that_is_absent_is_named(suite, monkeypatch, capsys):
    monkeypatch.setattr(dev, "find_python", {"3.11": "/a", "3.13": "/b"}.get)
    assert dev.main(["test", "--all-pythons"]) == 0
    assert len(suite.ran) == 4
    assert "Left out: Python 3.12" in capsys.readouterr().out


def test_the_newest_python_brings_its_django(suite, monkeypatch, capsys):
    monkeypatch.setattr(dev, "find_python", {"3.11": sys.executable, "3.13": "/b"}.get)
    assert dev.main(["test-newest"]) == 0
    assert [database for database, _ in suite.ran] == ["sqlite"]
    assert suite.quick == ["1"]
    suite.codes["sqlite"] = 1
    assert dev.main(["test-newest", "tests/core"]) == 1
    assert suite.ran[1][1][-1] == "tests/core"
    assert "tests/admin" in suite.ran[0][1] and "tests/admin" not in suite.ran[1][1]
    assert all((dev.ROOT / "tests" / one).exists() for one in dev.LEANING)


def test_a_machine_with_one_python_says_what_was_left_out(suite, monkeypatch, capsys):
    monkeypatch.setattr(dev, "find_python", {"3.11": sys.executable}.get)
    assert dev.main(["test-newest"]) == 0
    assert suite.ran == []
    assert "Left out: what it would bring along" in capsys.readouterr().out


# --- The databases --------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_database_is_the_one_asked_for_and_connections_share_it():
    name = os.environ.get("JONBAR_TEST_DATABASE", "sqlite")
    with connection.cursor() as cursor:
        if name == "postgres":
            assert connection.vendor == "postgresql"
            cursor.execute("SELECT usesuper FROM pg_user WHERE usename = current_user")
            assert cursor.fetchone() == (False,)
        else:
            assert connection.vendor == "sqlite"
            assert Path(connection.settings_dict["NAME"]).is_file()
            cursor.execute("PRAGMA journal_mode")
            assert cursor.fetchone() == ("wal",)


def test_a_test_run_that_is_killed_leaves_no_server_behind():
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from tests import postgres\n"
            "with postgres.server() as url:\n"
            "    print(url, flush=True)\n"
            "    input()",
        ],
        cwd=dev.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    port = int(re.search(r":(\d+)/", holder.stdout.readline())[1])
    assert dev.port_trouble(port)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    until(lambda: not dev.port_trouble(port), "the server is left")
