"""A PostgreSQL server that takes no writes (a standby under the primary's address, or a role that
was set to read only): everybody reads, and who writes is told so and keeps the text."""

from contextlib import contextmanager
from uuid import uuid4

import pytest
from django.db import connection

from forum.models import Post
from tests.people import browser, reply, typed

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@contextmanager
def read_only():
    """Every transaction of this connection from here on."""
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
        try:
            yield
        finally:
            cursor.execute("SET default_transaction_read_only = off")


@pytest.mark.parametrize("address", ["/", "/debate/", "/boards/modern/", "/timeline/", "/drafts/"])
def test_everybody_reads(thread, stranger, answerer, address):
    reply(thread, answerer, "The ice is thin.")
    address = thread.get_absolute_url() if address == "/debate/" else address
    address = thread.board.get_absolute_url() if address.startswith("/boards/") else address
    member = browser(stranger)
    with read_only():
        assert member.get(address).status_code == 200
        if address != "/drafts/":
            assert browser().get(address).status_code == 200


def test_who_writes_is_told_and_keeps_the_text(thread, opener, stranger):
    opening, count = Post.objects.opening_of(thread.pk).get(), Post.objects.count()
    forms = [
        (stranger, f"/threads/{thread.pk}/reply/", {}),
        (opener, f"/posts/{opening.pk}/edit/", {"base": 1}),
        (stranger, "/threads/new/", {"board": thread.board.slug, "title": "What?", "kind": "TL"}),
        (stranger, f"/threads/{thread.pk}/reply/", {"do": "draft"}),
    ]
    for user, address, more in forms:
        client = browser(user)
        with read_only():
            answer = client.post(address, more | {"text": "Thin ice.", "token": str(uuid4())})
        assert answer.status_code == 503, address
        assert "takes no writes" in answer.content.decode()
        assert typed(answer)["text"] == "Thin ice."
    assert Post.objects.count() == count


def test_who_marks_or_renames_is_told_too(thread, stranger, opener):
    for user, address, fields in (
        (stranger, "/read/", {}),
        (opener, f"/threads/{thread.pk}/rename/", {"title": "Another title"}),
    ):
        client = browser(user)
        with read_only():
            answer = client.post(address, fields)
        assert answer.status_code == 503, (address, answer.status_code)
