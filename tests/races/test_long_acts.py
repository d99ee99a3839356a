"""Who waits in vain for a debate that a moderator divides or merges is told so, and the form goes
once more by itself."""

import threading
from contextlib import contextmanager
from uuid import uuid4

import pytest
from django.db import connection, transaction

from forum import tree
from forum.models import Post
from forum.tree.announcing import ACTS
from tests.acts import world as worlds
from tests.acts.catalogue import CASES
from tests.people import browser, typed
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.races, pytest.mark.postgres]


@contextmanager
def held(thread_id: int, act: str | None):
    """Somebody else holds the lock of a debate, for `act`."""
    there, enough = threading.Event(), threading.Event()

    def run() -> None:
        try:
            with transaction.atomic():
                tree.lock(thread_id)
                if act:
                    tree.announce(act, thread_id)
                there.set()
                enough.wait(PATIENCE)
        finally:
            connection.close()

    holder = threading.Thread(target=run)
    holder.start()
    assert there.wait(PATIENCE)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '100ms'")
        try:
            yield
        finally:
            cursor.execute("SET lock_timeout = 0")
            enough.set()
            holder.join(PATIENCE)


@pytest.fixture
def world(transactional_db, unhurried) -> worlds.World:
    return worlds.build()


def test_who_waits_is_told_why_and_the_form_goes_again_once(world):
    thread, text = world.thread("main"), f"Claim {uuid4()}."
    client, address = browser(world.user("stranger")), f"/threads/{world.ids['main']}/reply/"
    fields = {"text": text, "token": str(uuid4())}
    ours = {"headers": {"Sec-Fetch-Site": "same-origin"}}
    words = {"split": "dividing", "merge": "merging", "move branch": "moving", "undo": "back"}
    for act in ACTS:
        with held(thread.pk, act):
            answer = client.post(address, fields, **ours)
        page = answer.content.decode()
        assert answer.status_code == 503
        assert f"A moderator is {'taking ' * (act == 'undo')}{words[act]}" in page or act == "undo"
        assert words[act] in page
        assert typed(answer)["text"] == text and typed(answer)["token"] == fields["token"]
        assert "data-by-itself" in page
    with held(thread.pk, "split"):
        again = client.post(address, fields | {"sent_by_itself": "1"}, **ours).content.decode()
    assert "dividing" in again and "data-by-itself" not in again
    assert "sent_by_itself" not in again  # by hand, it may go by itself once more
    for _ in range(2):
        assert client.post(address, fields, **ours).status_code == 302
    assert Post.objects.filter(body__revision__source=text).count() == 1


def test_of_whom_nothing_is_known_nothing_is_said(world):
    thread = world.thread("main")
    client = browser(world.user("stranger"))
    with held(thread.pk, None), held(world.ids["other"], "split"):
        answer = client.post(
            f"/threads/{thread.pk}/reply/", {"text": "Words.", "token": str(uuid4())}
        )
    page = answer.content.decode()
    assert answer.status_code == 503 and "Words." in page
    assert "moderator is" not in page and "data-by-itself" not in page


@pytest.mark.parametrize(
    ("name", "act"),
    [
        ("moving.split", "split"),
        ("moving.move_branch", "move branch"),
        ("merging.merge", "merge"),
        ("merging.merge_duplicates", "merge"),
    ],
)
def test_acts_that_move_posts_say_so(world, name, act):
    told, threads = [], set()
    touched = {"merging.merge_duplicates": "once"}.get(name, "main")

    def watch(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if "forum_auditentry" in sql:
            told.append(tree.kept_for([world.ids[touched]]))
        return result

    with connection.execute_wrapper(watch):
        CASES[name](world)
    assert act in told
    assert tree.kept_for([world.ids[touched], *threads]) == ""
