"""Keeps a forum of this version as tests/upgrades/<version>.backup, for all later ones to be
upgraded from: `python3 dev.py keep`. It holds one of everything, and nobody's data."""

import os
import sys
import tempfile
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def main() -> int:
    """Fill a forum, write its archive; the exit code."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    kept = HERE / f"{version}.backup"
    if kept.exists():
        sys.exit(f"{kept.relative_to(ROOT)} is there already. What was released stays as it was.")
    with tempfile.TemporaryDirectory(prefix="jonbar-keep-") as folder:
        os.environ.update(
            DATABASE_URL=f"sqlite:///{folder}/forum.sqlite3",
            DEBUG="1",
            DJANGO_SETTINGS_MODULE="forum.settings",
            HOLD_NEW_LINKS="0",
            JONBAR_DATA=folder,
            JONBAR_ENV_FILE=os.devnull,
            POSTS_PER_MINUTE="0",
            REPEAT_MINUTES="0",
            SECRET_KEY="of a forum that nobody uses",
            STARTS_PER_HOUR="0",
        )
        import django
        from django.core.management import call_command

        django.setup()
        from forum.operations import archive
        from tests.acts import world

        from .contents import add_the_rest

        call_command("migrate", verbosity=0)
        add_the_rest(world.build())
        loaded = ("boards", "glossary", "trotsky-spain", "worked-example")
        call_command("loaddata", *loaded, verbosity=0)
        call_command("index_posts", verbosity=0)
        call_command("check_forum")
        told = archive.write(kept)
    kept.chmod(0o644)
    print(f"{kept.relative_to(ROOT)}: {sum(one['rows'] for one in told.values()):,} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
