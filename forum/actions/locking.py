"""How every act on a post begins: its debate is locked, and the post read again."""

from .. import tree
from ..models import Post
from ..permissions import Refused
from .composing import Unacceptable


class PostMoved(Refused, Unacceptable):
    """A moderator took the post to another debate a moment ago. It is refused wherever an act or a
    text is, and what was typed is kept."""

    def __init__(self) -> None:
        super().__init__("This post was just moved to another debate. Look again, then try again.")


def locked_post(post: Post, *related: str) -> Post:
    """Lock the thread in which `post` was when it was read, and return the post as it is now, with
    that thread and its board, and with the rows that `related` names.

    Raises PostMoved if it went elsewhere before the lock was there: to lock that debate too would
    be to wait for locks in no order, so whoever acts looks again.
    """
    try:
        (thread,) = tree.lock(post.thread_id)
    except tree.ThreadGone:
        raise PostMoved from None
    fresh = Post.objects.select_related(*related).get(pk=post.pk)
    if fresh.thread_id != thread.pk:
        raise PostMoved
    fresh.thread = thread
    return fresh
