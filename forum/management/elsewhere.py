"""Restoring a backup into another database than the one that this process uses."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from core import progress


def restore_elsewhere(
    path: Path, environment: Mapping[str, str], *, jobs: int = 1
) -> tuple[str, str | None]:
    """Run `manage.py restore` of this backup in a process of its own, whose environment differs in
    what `environment` names; `jobs` processes check what was restored. Returns what it wrote, and
    what went wrong: None if nothing did.

    On a terminal it shows itself how far it is, and what goes wrong stands there already.
    """
    progress.clear()
    done = subprocess.run(
        [sys.executable, settings.BASE_DIR / "manage.py", "restore", path, "--jobs", str(jobs)],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=sys.stderr if sys.stderr.isatty() else subprocess.PIPE,
        text=True,
        check=False,
    )
    return done.stdout, (done.stderr or "See above.") if done.returncode else None
