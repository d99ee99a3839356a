"""Fills the migrated, empty forum of DATABASE_URL for a round, with the small forum in which every
act can be done, one of its boards for members only. Prints who writes over HTTP, and where."""

import json
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forum.settings")
django.setup()

from django.conf import settings  # noqa: E402 (models need the settings)
from django.test import Client  # noqa: E402

from forum.actions import boards  # noqa: E402
from forum.models import State, Thread  # noqa: E402
from tests.acts import world as worlds  # noqa: E402
from tests.people import make_member  # noqa: E402

WRITERS = 3


def main() -> None:
    """Fill it, and say it."""
    world = worlds.build()
    boards.change(user=world.user("chief"), board=world.board("ancient"), audience="members")
    cookies = []
    for number in range(WRITERS):
        client = Client()
        client.force_login(make_member(f"writer-{number}"))
        cookies.append(
            f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
        )
    threads = Thread.objects.filter(state=State.VISIBLE, locked=False, archived=False)
    print(json.dumps({"cookies": cookies, "threads": list(threads.values_list("pk", flat=True))}))


if __name__ == "__main__":
    main()
