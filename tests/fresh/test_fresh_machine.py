"""README's two commands on Debian 12 and 13 with nothing but python3 and venv; see __main__.py."""

import os
import tempfile
from pathlib import Path

import pytest

from tests.fresh import __main__ as fresh


@pytest.mark.long
@pytest.mark.once
@pytest.mark.fresh_machine
@pytest.mark.parametrize("release", fresh.RELEASES)
def test_the_two_commands(release, record_property):
    # Not below pytest's own folder, which another user cannot reach.
    with tempfile.TemporaryDirectory(prefix="jonbar-fresh-") as folder:
        os.chmod(folder, 0o755)
        told = fresh.try_release(release, tests=[], folder=Path(folder))
    record_property("measured", told)


def test_what_is_missing_is_said(monkeypatch):
    monkeypatch.setattr(fresh.os, "geteuid", lambda: 1000)
    with pytest.raises(fresh.CannotRun, match="root"):
        fresh.require_tools()
    monkeypatch.setattr(fresh.os, "geteuid", lambda: 0)
    monkeypatch.setattr(fresh.shutil, "which", lambda name: None)
    with pytest.raises(fresh.CannotRun, match="apt-get install debootstrap"):
        fresh.require_tools()


def test_sources_are_those_that_git_knows(tmp_path, monkeypatch):
    home = tmp_path / "home" / fresh.USER
    home.mkdir(parents=True)
    monkeypatch.setattr(fresh.os, "chown", lambda *given: None)
    inside = fresh.put_sources(tmp_path)
    assert " " in inside and not inside.isascii()
    there = tmp_path / inside.lstrip("/")
    assert (there / "dev.py").exists() and (there / "requirements" / "base.txt").exists()
    assert not (there / ".venv").exists() and not (there / ".git").exists()
