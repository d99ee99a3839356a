"""Acts on many posts of many writers: what they cost, and that all who read or wrote are where they
were."""

import re
import sqlite3

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from core import clock
from forum.actions import notices
from forum.models import AuditEntry, Job, Notice, PassageKey, Post, ReadMark, Thread
from forum.models.visibility import notices_visible_to
from forum.moderation import merging, moving, undoing
from forum.outbox.worker import Worker
from tests.people import browser, cast, settled_row
from tests.tree.test_tree import grow

pytestmark = pytest.mark.django_db
ADDRESS = ("pk", "thread", "number")


@pytest.fixture(scope="module")
def world(settled):
    """A board with its people."""
    return cast()


board, moderator = settled_row("board"), settled_row("moderator")
other_board = settled_row("other_board")


def written_by(board, count: int) -> tuple[Thread, list[int]]:
    """A debate in which so many members wrote a post each below the first answer, and the ids of
    that branch."""
    User.objects.bulk_create(
        User(username=f"writer-{count}-{n}", email=f"writer-{count}-{n}@example.org")
        for n in range(count)
    )
    thread = grow(board, [None, None, *[1] * count])
    branch = list(thread.posts.filter(number__gte=2).order_by("number"))
    writers = list(User.objects.filter(username__startswith=f"writer-{count}-"))
    for post, writer in zip(branch[1:], writers, strict=True):
        Post.objects.filter(pk=post.pk).update(author=writer, byline="")
    return thread, [post.pk for post in branch]


def statements(act) -> list[str]:
    """What an act says to the database."""
    with CaptureQueriesContext(connection) as asked:
        act()
    return [query["sql"] for query in asked]


def test_telling_many_takes_as_many_statements_as_telling_few(board, moderator):
    found = []
    for count in (3, 4, 60):  # the first finds the site without its version
        thread, branch = written_by(board, count)
        acts = [
            lambda thread=thread, branch=branch: moving.split(
                user=moderator, thread=thread, chosen=branch, title="Their own"
            ),
            lambda: undoing.undo(user=moderator, entry=AuditEntry.objects.latest("pk")),
            lambda thread=thread, branch=branch: merging.merge(
                user=moderator,
                thread=moving.split(user=moderator, thread=thread, chosen=branch, title="Again"),
                into=thread,
            ),
        ]
        found.append([len(statements(act)) for act in acts])
    assert found[1] == found[2]


def test_each_writer_is_told_once_and_counted_by_a_job(board, moderator):
    thread, branch = written_by(board, 5)
    moving.split(user=moderator, thread=thread, chosen=branch, title="Their own")
    undoing.undo(user=moderator, entry=AuditEntry.objects.get(verb="split"))
    Worker().drain()
    writers = User.objects.filter(username__startswith="writer-")
    for writer in writers:
        assert Notice.objects.filter(member=writer).count() == 2
        assert writer.unread_notices == notices_visible_to(writer).unread().count() > 0
    assert writers.count() == 5


def test_a_check_leaves_counts_to_the_jobs_that_are_about_to_set_them(board, moderator):
    thread, branch = written_by(board, 5)
    moving.split(user=moderator, thread=thread, chosen=branch, title="Their own")
    undoing.undo(user=moderator, entry=AuditEntry.objects.get(verb="split"))
    assert notices.miscounted() == []
    Job.objects.update(failed_at=clock.now())
    assert len(notices.miscounted()) == 5, "of a job that is given up, nothing is to be expected"
    Job.objects.update(failed_at=None)
    Worker().drain()
    assert notices.miscounted() == []
    User.objects.filter(username="writer-5-3").update(unread_notices=9)
    assert notices.miscounted() == [User.objects.get(username="writer-5-3").pk]


@pytest.mark.postgres
def test_a_post_that_is_moved_or_numbered_anew_is_written_once(board, moderator):
    thread, branch = written_by(board, 30)

    def split() -> None:
        moving.split(user=moderator, thread=thread, chosen=branch[1:], title="Their own")

    def undo() -> None:
        undoing.undo(user=moderator, entry=AuditEntry.objects.latest("pk"))

    for act in (split, undo):
        written = [sql for sql in statements(act) if sql.startswith("UPDATE forum_post ")]
        assert len(written) == 1


def test_no_list_reads_which_posts_were_moved(board, moderator, monkeypatch):
    thread, branch = written_by(board, 3)
    moving.split(user=moderator, thread=thread, chosen=branch, title="Their own")
    merging.merge(user=moderator, thread=Thread.objects.get(title="Their own"), into=thread)
    Worker().drain()
    right, read = models.JSONField.from_db_value, []

    def from_db_value(self, value, expression, connection):
        read.append(right(self, value, expression, connection))
        return read[-1]

    monkeypatch.setattr(models.JSONField, "from_db_value", from_db_value)
    member, keeper = browser(User.objects.get(username="writer-3-0")), browser(moderator)
    pages = [
        (member, "/notices/"),
        (member, "/log/"),
        (keeper, "/log/"),
        (keeper, f"/threads/{thread.pk}/moderate/"),
        (keeper, "/admin/forum/auditentry/"),
        (keeper, "/admin/forum/notice/"),
    ]
    for client, address in pages:
        answer = client.get(address)
        assert answer.status_code == 200
        assert thread.title in answer.content.decode() or "notice" in address, address
        lists = [value for value in read if isinstance(value, dict) and "moved" in value]
        assert not lists, address
    entry = AuditEntry.objects.get(verb="merge")
    assert entry.detail["moved"]
    address = f"/admin/forum/auditentry/{entry.pk}/change/"
    assert "moved" in keeper.get(address).content.decode()


@pytest.mark.postgres
def test_each_number_is_free_when_it_is_given(board, moderator):
    """One that is taken for a moment is looked up once more at the end of the statement."""
    thread, branch = written_by(board, 30)
    chosen = branch[3:6] + branch[10:12]

    def split() -> None:
        moving.split(user=moderator, thread=thread, chosen=chosen, title="Their own")

    def undo() -> None:
        undoing.undo(user=moderator, entry=AuditEntry.objects.latest("pk"))

    for act in (split, undo):
        stood = {pk: tuple(place) for pk, *place in Post.objects.values_list(*ADDRESS)}
        (written,) = [sql for sql in statements(act) if sql.startswith("UPDATE forum_post ")]
        arrays = re.findall(r"'{([0-9,]+)}'", written)[:3]
        rows = zip(*([int(value) for value in one.split(",")] for one in arrays), strict=True)
        for pk, *place in rows:
            del stood[pk]
            assert tuple(place) not in stood.values()
            stood[pk] = tuple(place)
        assert stood == {pk: tuple(place) for pk, *place in Post.objects.values_list(*ADDRESS)}


def test_what_is_read_of_the_passages_is_read_once(board, moderator):
    thread, branch = written_by(board, 3)
    PassageKey.objects.bulk_create(
        PassageKey(thread=thread, post_id=pk, key=pk) for pk in [branch[0] - 1, *branch]
    )
    said = statements(
        lambda: moving.split(user=moderator, thread=thread, chosen=branch, title="Their own")
    )
    (moved,) = [sql for sql in said if re.match('UPDATE "?forum_passagekey"? ', sql)]
    assert len(re.findall('forum_passagekey\\b(?!["]?[.])', moved)) == 1
    new = Thread.objects.get(title="Their own")
    found = PassageKey.objects.filter(thread=new, key__in=branch)
    assert sorted(found.values_list("post_id", flat=True)) == sorted(branch)


def test_read_marks_are_written_without_an_expression_for_each(board, moderator):
    thread, branch = written_by(board, 12)
    readers = User.objects.filter(username__startswith="writer-")
    ReadMark.objects.bulk_create(
        ReadMark(user=user, thread=thread, ranges="1-9", count=9) for user in readers
    )
    said = statements(
        lambda: moving.split(user=moderator, thread=thread, chosen=branch[5:], title="Their own")
    )
    assert not [sql for sql in said if "readmark" in sql and "CASE" in sql]
    assert set(ReadMark.objects.filter(thread=thread).values_list("ranges")) == {("1-6",)}


@pytest.fixture
def few_variables():
    """As on a SQLite that takes no more of them in a statement than there are posts below."""
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    kind = sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER
    before = connection.connection.setlimit(kind, 1000)  # Django takes 999 for granted
    yield
    connection.connection.setlimit(kind, before)


def test_an_act_may_be_greater_than_a_statement(board, moderator, other_board, few_variables):
    thread = grow(board, [None, None, *[1] * 1010])
    branch = list(thread.posts.filter(number__gte=2).values_list("pk", flat=True))
    moving.split(user=moderator, thread=thread, chosen=branch, title="Their own", board=other_board)
    undoing.undo(user=moderator, entry=AuditEntry.objects.get(verb="split"))
    new = moving.split(user=moderator, thread=thread, chosen=branch, title="Again")
    back = moving.move_branch(user=moderator, post=Post.objects.get(pk=branch[1]), target=thread)
    assert back.pk == thread.pk
    merging.merge(user=moderator, thread=new, into=thread)
    assert thread.posts.count() == len(branch) + 1
