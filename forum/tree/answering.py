"""How an answer begins: its debate is locked, and what it needs is read under that lock."""

from typing import NamedTuple

from django.db.models import BigIntegerField, Func, Model, QuerySet

from core import clock
from core.compiled_queries import CompiledQuery
from forum.models import Board, Post, PostRevision, Thread

from .locking import board_now, lock_rows, require_lock


class NewIds(NamedTuple):
    """Ids that nobody else has, for a new post and its first revision."""

    post: int
    revision: int


class _NextId(Func):
    """In a query of one row: the next id of a table, which nobody else gets."""

    arity = 0

    def __init__(self, model: type[Model]) -> None:
        super().__init__(output_field=BigIntegerField())
        self.table = model._meta.db_table

    def as_postgresql(self, compiler, connection, **_):
        return f"nextval(pg_get_serial_sequence('{self.table}', 'id'))", ()

    def as_sqlite(self, compiler, connection, **_):
        # This transaction is the only writer; AUTOINCREMENT follows an id once its row is there.
        return (
            f"COALESCE((SELECT seq FROM sqlite_sequence WHERE name = '{self.table}'), 0) + 1",
            (),
        )


_IDS = {"new_post": _NextId(Post), "new_revision": _NextId(PostRevision)}


def _answered(pk: int) -> QuerySet:
    own = [field.name for field in Post._meta.concrete_fields]
    board = [f"thread__board__{field.name}" for field in Board._meta.concrete_fields]
    return (
        Post.objects.filter(pk=pk)
        .select_related("thread__board")
        .only(*own, *board)
        .annotate(asked_at=clock.MOMENT, **_IDS)
    )


_post_answered = CompiledQuery("post_answered", _answered, "number")
_board_answered = CompiledQuery(
    "board_answered",
    lambda pk: Board.objects.filter(pk=pk).annotate(asked_at=clock.MOMENT, **_IDS),
    "number",
)


def new_ids_of_post(thread: Thread) -> NewIds:
    """Ids for a new post in a locked thread and for its revision."""
    require_lock(thread.pk)
    return NewIds(*Thread.objects.filter(pk=thread.pk).values_list(*_IDS.values())[0])


def lock_to_answer(
    thread_id: int, parent: Post | None = None
) -> tuple[Thread, Post | None, NewIds]:
    """Lock a thread, as `lock` does, and read in one statement what whoever writes into it needs:
    its board, the row of the post that they answer as it is now, with its labels, and ids for
    theirs. A post that left the thread has its new one. The post is for reading.

    Raises what `lock` raises, and Post.DoesNotExist.
    """
    (thread,) = lock_rows(thread_id)
    if parent is None:
        (board,) = _board_answered(thread.board_id)
        board_now(thread, board, board.asked_at)
        return thread, None, _ids_with(board)
    found = _post_answered(parent.pk)
    if not found:
        raise Post.DoesNotExist
    post = found[0]
    # Where the post stands in the locked debate still, its board is the one joined to it.
    stays = post.thread_id == thread.pk
    board_now(thread, post.thread.board if stays else None, post.asked_at)
    if stays:
        post.thread = thread
    return thread, post, _ids_with(post)


def _ids_with(row: Post | Board) -> NewIds:
    return NewIds(*(row.__dict__.pop(name) for name in _IDS))
