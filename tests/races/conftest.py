"""A small forum, and eight processes that write into it."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import connection

from accounts.models import User
from forum.actions import posts, threads
from forum.models import Board, Post, Thread
from tests.people import make_member
from tests.races.crew import SIZE, Crew


@pytest.fixture(scope="session")
def _crew(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[Crew]:
    with django_db_blocker.unblock():
        name = connection.settings_dict
        if connection.vendor == "sqlite":
            url = f"sqlite:///{name['NAME']}"
        else:
            url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**name)
    crew = Crew(url, tmp_path_factory.mktemp("crew"))
    yield crew
    crew.dismiss()


@pytest.fixture
def crew(_crew: Crew, transactional_db) -> Crew:
    """Eight processes on the test database, idle."""
    return _crew


@dataclass(slots=True)
class Forum:
    """A board and nine members, the last a moderator."""

    board: Board
    members: list[User]
    moderator: User

    def start(self, title: str = "What if the strait had frozen", text: str = "It does.") -> Post:
        """Open a debate by the first member; returns its opening."""
        thread = threads.start(
            user=self.members[0],
            board=self.board,
            title=title,
            kind=Thread.Kind.TL,
            source=text,
            token=uuid.uuid4(),
        )
        return Post.objects.select_related("thread").get(thread=thread)

    def reply(self, parent: Post, text: str = "The ice is thin.", *, member: int = 1) -> Post:
        """Answer a post."""
        return posts.reply(
            user=self.members[member],
            thread=parent.thread,
            parent=Post.objects.select_related("thread__board", "body__revision").get(pk=parent.pk),
            source=text,
            token=uuid.uuid4(),
        )


@pytest.fixture
def forum(db) -> Forum:
    """A forum in which the processes find people and a board."""
    members = [make_member(f"member-{letter}") for letter in "abcdefgh"]
    moderator = make_member("member-m", is_moderator=True, is_staff=True)
    board = Board.objects.create(name="After 1900", slug="after-1900")
    assert len(members) == SIZE
    return Forum(board, members, moderator)


@pytest.fixture
def ledger(tmp_path: Path) -> str:
    """The path of a ledger that is not there yet."""
    return str(tmp_path / "ledger")
