"""The two commands of README on a machine that has nothing but Debian's Python with venv.

    python3 dev.py fresh-machine [bookworm trixie] [--tests PATH ...] [--mirror URL]

For each release of Debian: `debootstrap` makes the smallest system with python3, python3-venv and
the certificates; a user of its own gets the sources that git knows here, in a folder whose path
holds blanks and letters outside ASCII, and gives the commands: `python3 dev.py run`, until the
source debate is read from it, again, which must not install anything, and `python3 dev.py test`
(with --tests, of these alone). Says at the end how long each took, and ends with 1 if one failed.

Needs root, debootstrap, a mirror of Debian and the package index; says so where one is missing.
"""

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.postgres import free_port

ROOT = Path(__file__).resolve().parents[2]
RELEASES = ("bookworm", "trixie")  # 12 and 13
MIRROR = "http://deb.debian.org/debian"
PACKAGES = "python3,python3-venv,ca-certificates"
USER = "member"
FOLDER = "Zoë’s forums, 2026 – ü"
CHROOT = shutil.which("chroot") or "/usr/sbin/chroot"  # of root's PATH, not of the user's
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
# How this machine reaches the package index, which a fresh one would reach by itself.
NETWORK = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
DEBATE = "Trotsky"


class CannotRun(Exception):
    """What a fresh machine needs is missing here; the message is a sentence."""


def require_tools() -> None:
    """Raise CannotRun unless a fresh machine can be made here."""
    if os.geteuid() != 0:
        raise CannotRun("A fresh machine is made by root alone (debootstrap and chroot).")
    if not shutil.which("debootstrap"):
        raise CannotRun("There is no debootstrap: apt-get install debootstrap.")


def make(release: str, mirror: str, folder: Path) -> Path:
    """A system of its own; gives its root. Raises CannotRun with the end of debootstrap's log."""
    system = folder / release
    log = folder / f"{release}.log"
    with log.open("w") as out:
        code = subprocess.run(
            [
                *("debootstrap", "--variant=minbase", f"--include={PACKAGES}"),
                *(release, system, mirror),
            ],
            stdout=out,
            stderr=out,
        ).returncode
    if code:
        said = "\n".join(log.read_text().splitlines()[-3:])
        raise CannotRun(f"debootstrap could not make {release} from {mirror}:\n{said}")
    for name in ("/etc/resolv.conf", "/etc/hosts", CERTIFICATES):
        shutil.copyfile(name, f"{system}{name}", follow_symlinks=True)
    subprocess.run([CHROOT, system, "useradd", "--create-home", USER], check=True)
    return system


def put_sources(system: Path) -> str:
    """Copy what git knows here into the user's home; gives the path, seen from inside."""
    inside = f"/home/{USER}/{FOLDER}/jonbar"
    target = Path(f"{system}{inside}")
    named = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    for name in filter(None, named.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    owner = Path(f"{system}/home/{USER}").stat()
    for path in [target.parent, *target.parent.rglob("*")]:
        os.chown(path, owner.st_uid, owner.st_gid)
    return inside


@contextlib.contextmanager
def mounted(system: Path) -> Iterator[None]:
    """The kernel's own folders, as on every machine."""
    mounts = [("proc", "proc", system / "proc"), ("tmpfs", "tmpfs", system / "dev/shm")]
    done = []
    try:
        for kind, what, where in mounts:
            where.mkdir(exist_ok=True)
            subprocess.run(["mount", "-t", kind, what, where], check=True)
            done.append(where)
        yield
    finally:
        for where in reversed(done):
            subprocess.run(["umount", "--lazy", where])


def start(system: Path, inside: str, *arguments: str, log: Path) -> subprocess.Popen:
    """Give a command as the user, in the folder, with nothing of this process's surroundings."""
    shell = 'cd "$1" && shift && exec "$@"'
    network = {name: os.environ[name] for name in NETWORK if name in os.environ}
    return subprocess.Popen(
        [
            *(CHROOT, f"--userspec={USER}", system, "sh", "-c", shell, "sh", inside),
            *("python3", "dev.py", *arguments),
        ],
        env={
            "HOME": f"/home/{USER}",
            "LOGNAME": USER,
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "PIP_CERT": CERTIFICATES,
            **network,
        },
        stdin=subprocess.DEVNULL,
        stdout=log.open("a"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def run(system: Path, inside: str, log: Path, patience: float) -> float:
    """`dev.py run` until the forum shows its debate; gives the seconds. Raises RuntimeError."""
    port, began = free_port(), time.monotonic()
    process = start(system, inside, "run", "--port", str(port), log=log)
    try:
        while time.monotonic() - began < patience:
            if process.poll() is not None:
                break
            with contextlib.suppress(OSError):
                page = urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10).read()
                if DEBATE in page.decode():
                    return time.monotonic() - began
            time.sleep(0.3)
        end = "\n".join(log.read_text().splitlines()[-15:])
        raise RuntimeError(f"`python3 dev.py run` never showed the debate:\n{end}")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def test(system: Path, inside: str, log: Path, paths: list[str]) -> float:
    """`dev.py test`; gives the seconds. Raises RuntimeError with its last lines."""
    began = time.monotonic()
    if start(system, inside, "test", *paths, log=log).wait():
        end = "\n".join(log.read_text().splitlines()[-25:])
        raise RuntimeError(f"`python3 dev.py test` failed:\n{end}")
    return time.monotonic() - began


def try_release(release: str, *, mirror: str = MIRROR, tests: list[str], folder: Path) -> str:
    """Both commands on a machine of this release; says how long they took. Raises CannotRun or
    RuntimeError."""
    require_tools()
    system = make(release, mirror, folder)
    inside, log = put_sources(system), folder / f"{release}.log"
    with mounted(system):
        first = run(system, inside, log, 900)
        size = log.stat().st_size
        again = run(system, inside, log, 120)
        if "Installing" in log.read_text()[size:]:
            raise RuntimeError("The second `python3 dev.py run` installed something.")
        tested = test(system, inside, log, tests)
    version = Path(f"{system}/etc/debian_version").read_text().strip()
    return (
        f"Debian {version} ({release}): `run` shows the debate after {first:.0f} s, the second time"
        f" after {again:.0f} s; `test` {' '.join(tests)} passed in {tested:.0f} s"
    )


def main(arguments: list[str]) -> int:
    """Read the command line, try each release; the exit code."""
    parser = argparse.ArgumentParser(
        prog="dev.py fresh-machine",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("releases", nargs="*", default=list(RELEASES))
    parser.add_argument("--mirror", default=MIRROR)
    parser.add_argument("--tests", nargs="*", default=[], metavar="PATH")
    given = parser.parse_args(arguments)
    failed = 0
    for release in given.releases:
        with tempfile.TemporaryDirectory(prefix="jonbar-fresh-") as folder:
            os.chmod(folder, 0o755)
            try:
                print(
                    try_release(
                        release, mirror=given.mirror, tests=given.tests, folder=Path(folder)
                    ),
                    flush=True,
                )
            except (CannotRun, RuntimeError) as error:
                failed += 1
                print(f"{release}: {error}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
