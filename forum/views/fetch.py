"""Getting things through the charter: what a reader may not see is not there (404)."""

from django.http import Http404

from ..models import Board, Post, Thread
from ..permissions import require


def board_or_404(user, slug: str) -> Board:
    """The board with this slug, if `user` may see it; else Http404 or NotThere is raised."""
    board = Board.objects.filter(slug=slug).first()
    if board is None:
        raise Http404
    require(user, "see board", board)
    return board


def thread_or_404(user, thread_id: int) -> Thread:
    """The debate with its board and author, if `user` may see it; else as above."""
    thread = Thread.objects.select_related("board", "author").filter(pk=thread_id).first()
    if thread is None:
        raise Http404
    require(user, "see thread", thread)
    return thread


def post_or_404(user, post_id: int, *, verb: str = "see post") -> Post:
    """A post with its thread, board, text and author, through `verb` of the charter."""
    post = (
        Post.objects.for_reading()
        .select_related("author", "body__revision", "thread__board", "thread__author")
        .filter(pk=post_id)
        .first()
    )
    if post is None:
        raise Http404
    require(user, verb, post)
    return post


def page_or_404(request, pages: int) -> int:
    """The page asked for, 1..pages; anything else is not there."""
    asked = request.GET.get("page", "1")
    if not asked.isdecimal() or len(asked) > 9 or not 1 <= int(asked) <= max(pages, 1):
        raise Http404
    return int(asked)
