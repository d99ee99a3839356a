"""Moving: a debate to another board, a branch or chosen posts into a debate of their own or into
another debate. Texts, quotes and permalinks stay as they are, since they go by id; what repeats a
place follows (see `reassigning`). Each entry of the audit log holds enough to undo the act.
"""

from collections.abc import Iterable, Mapping, Sequence
from heapq import merge as merged
from itertools import accumulate

from django.db import transaction

from accounts.models import raise_site_version
from core import clock
from forum import tree
from forum.actions import cases, keyword_index, notices
from forum.actions.audit import record
from forum.actions.reassigning import reassign_rows
from forum.actions.threads import check_title
from forum.models import Board, Post, Quote, State, Thread, new_key, slug_for
from forum.models.visibility import wider
from forum.permissions import Refused, require
from forum.search import index

NAMED = 5  # numbers of posts that a refusal names one by one


def move_thread(*, user, thread: Thread, board: Board, reason: str = "") -> Thread:
    """Take a debate to another board. Who may not see that board does not see the debate any more;
    into a wider audience it goes only if it quotes nothing that this audience may not read.

    Raises permissions.Refused; then nothing was changed.
    """
    with transaction.atomic():
        (thread,) = tree.lock(thread.pk)
        tree.lock_boards(thread.board_id, board.pk)
        board = Board.objects.get(pk=board.pk)
        require(user, "moderate", thread)
        require(user, "moderate", board)
        if thread.board_id != board.pk:
            check_audience(thread.posts.all(), board)
            before = thread.board_id
            put_on_board(thread, board)
            entry = record(
                user, "move", thread=thread, reason=reason, before=before, after=board.pk
            )
            notices.notify(thread.author, entry=entry)
            raise_site_version()  # others may read it than did, wherever it is quoted
    return thread


def put_on_board(thread: Thread, board: Board) -> None:
    """Give a locked thread another board, with the counts of both."""
    if thread.state == State.VISIBLE:
        for pk, change in sorted([(thread.board_id, -1), (board.pk, 1)]):
            tree.count_on_board(thread, change, board_id=pk)
    thread.board = board
    tree.save_thread(thread, "board")
    cases.follow(thread)
    notices.follow_threads(thread.pk)
    index.write_thread.enqueue(thread.pk)


def check_audience(moving, board: Board) -> None:
    """Raise Refused if posts (a queryset) quote others than themselves whose words the readers of
    `board` may not read where those stand."""
    found: set[int] = set()
    quotes = Quote.objects.filter(post__in=moving, source_post__isnull=False)
    boards = Board.objects.in_bulk()
    for source, number in (
        quotes.exclude(source_post__in=moving)
        .values_list("source_post__thread__board_id", "post__number")
        .distinct()
    ):
        if wider(boards[source], board):
            found.add(number or 0)
    if found:
        named = ", ".join(f"#{number}" for number in sorted(found)[:NAMED] if number)
        raise Refused(
            f"{named or 'A post that waits'} quotes words that readers of “{board}” may not read "
            "where they come from. It cannot go there."
        )


def branch(post: Post) -> list[int]:
    """The ids of a numbered post and of all that hangs below it."""
    return list(
        Post.objects.filter(
            tree_id=post.tree_id, lft__gte=post.lft, rght__lte=post.rght
        ).values_list("pk", flat=True)
    )


def split(
    *,
    user,
    thread: Thread,
    chosen: Iterable[int],
    title: str,
    board: Board | None = None,
    reason: str = "",
) -> Thread:
    """Make a debate of its own out of the posts with the ids `chosen`, the lowest of which becomes
    its opening, and return it. Posts that wait go with the post they answer.

    Raises permissions.Refused or composing.Unacceptable (the title); then nothing was changed.
    """
    title = check_title(title)
    with transaction.atomic():
        (thread,) = tree.lock(thread.pk)
        tree.announce("split", thread.pk)
        require(user, "moderate", thread)
        board = board or thread.board
        tree.lock_boards(board.pk)
        require(user, "moderate", board)
        placements = tree.placements(thread.pk)
        moving = _moving_posts(placements, chosen)
        first = min(moving, key=lambda row: row.number or tree.AWAY)
        if board.pk != thread.board_id:
            check_audience(Post.objects.filter(pk__among=[row.pk for row in moving]), board)
        opening = Post.objects.get(pk=first.pk)
        new = _new_thread(thread, opening, title, board)
        keyword_index.index(new)
        parents = reassign(placements, {row.pk for row in moving}, new.pk)
        lane = opening.lane  # an opening keeps to none
        Post.objects.filter(pk=opening.pk).update(lane="")
        reassigned = reassign_rows({thread.pk: thread, new.pk: new}, placements)
        entry = record(
            user,
            "split",
            thread=thread,
            post=opening,
            other_thread=new.pk,
            reason=reason,
            title=title,
            lane=lane,
            moved=[[row.pk, row.came_from[1]] for row in moving],
            parents=parents,
            **reassigned,
        )
        notify_writers(moving, entry, "Posts of yours were moved into a debate of their own.")
        raise_site_version()
    return new


def move_branch(
    *, user, post: Post, target: Thread, answers: Post | None = None, reason: str = ""
) -> Thread:
    """Move a post and all that hangs below it into another debate, there to answer a post of it or
    the debate itself. Returns that debate.

    Raises permissions.Refused; then nothing was changed. A branch that is older than the debate or
    the post that it is to answer is refused: numbers go by arrival, and it would stand before them.
    """
    with transaction.atomic():
        locked = {row.pk: row for row in tree.lock(post.thread_id, target.pk)}
        tree.announce("move branch", *locked)
        post = Post.objects.get(pk=post.pk)
        source, target = locked.get(post.thread_id), locked[target.pk]
        if source is None:
            raise Refused("This post was just moved to another debate. Look again.")
        if source.pk == target.pk:
            raise Refused("It is in that debate already.")
        require(user, "moderate", source)
        require(user, "moderate", target)
        if post.number is None:
            raise Refused("This post waits for approval and has no branch yet.")
        placements = tree.placements(*locked)
        moving = _moving_posts(placements, branch(post))
        if target.board_id != source.board_id:
            check_audience(Post.objects.filter(pk__among=[row.pk for row in moving]), target.board)
        parents = reassign(placements, {row.pk for row in moving}, target.pk)
        rows = {row.pk: row for row in placements}
        _assign_parent(rows, rows[post.pk], answers, target, parents)
        reassigned = reassign_rows(locked, placements)
        entry = record(
            user,
            "move branch",
            thread=source,
            post=post,
            other_thread=target.pk,
            reason=reason,
            moved=[[row.pk, row.came_from[1]] for row in moving],
            parents=parents,
            **reassigned,
        )
        notify_writers(moving, entry, "Posts of yours were moved to another debate.")
        raise_site_version()
    return target


def _moving_posts(
    placements: Sequence[tree.Placement], chosen: Iterable[int]
) -> list[tree.Placement]:
    """The chosen posts, with those that wait to answer one of them. Raises Refused where they are
    no posts of the thread, or would leave nothing behind."""
    wanted = set(chosen)
    found = [row for row in placements if row.pk in wanted and row.number is not None]
    if not found or len(found) != len(wanted):
        raise Refused("Choose posts of this debate that stand in it; some of these do not.")
    if any(row.basis == Post.Basis.OPENING for row in found):
        raise Refused("The opening carries the debate. Move or rename the whole debate instead.")
    return found + [row for row in placements if row.number is None and row.parent_id in wanted]


def reassign(placements: Sequence[tree.Placement], moving: set[int], target: int) -> list[list]:
    """Put posts into the thread `target`, number all anew by arrival, and mend what they answer.

    Returns [id, parent, basis, parent now, basis now] of every post whose parent or basis changed.
    What a post answers stays wherever it can: answers to an opening that is none any more hang
    below it, answers to what became an opening answer the debate, and a post that is parted from
    what it answered answers the debate, by an editor's decision. Of whom nothing was known, nothing
    is known still.
    """
    openings = {row.thread_id: row for row in placements if row.basis == Post.Basis.OPENING}
    before = {row.pk: (row.thread_id, row.parent_id, row.basis) for row in placements}
    for row in placements:
        if row.pk in moving:
            row.thread_id = target
    number_by_arrival(placements)
    home = {row.pk: row.thread_id for row in placements}
    first = {row.thread_id: row for row in placements if row.number == 1}
    for row in placements:
        came_from, parent, basis = before[row.pk]
        mine = first.get(row.thread_id)
        former = openings.get(came_from)
        if row is mine:
            row.parent_id, row.basis = None, Post.Basis.OPENING
        elif basis == Post.Basis.OPENING:
            row.basis = Post.Basis.EDITOR
        elif parent is not None:
            if home[parent] != row.thread_id:
                row.parent_id, row.basis = None, Post.Basis.EDITOR
            elif mine is not None and parent == mine.pk:
                row.parent_id = None
        elif basis != Post.Basis.UNKNOWN and former is not None and former is not mine:
            if home[former.pk] == row.thread_id:
                row.parent_id = former.pk
            else:
                row.basis = Post.Basis.EDITOR
    return [
        [row.pk, *before[row.pk][1:], row.parent_id, row.basis]
        for row in placements
        if (row.parent_id, row.basis) != before[row.pk][1:]
    ]


def number_by_arrival(placements: Sequence[tree.Placement]) -> None:
    """Number the posts of each thread 1…n: those that come from one thread keep their order, and
    threads are merged by the moments of arrival."""
    by_thread: dict[int, dict[int, list[tree.Placement]]] = {}
    for row in sorted(placements, key=lambda row: (row.came_from[0], row.came_from[1] or 0)):
        if row.came_from[1] is not None:
            sources = by_thread.setdefault(row.thread_id, {})
            sources.setdefault(row.came_from[0], []).append(row)
    for sources in by_thread.values():
        # A clock that was set back must not make an answer older than what it answers.
        timed = [
            zip(accumulate((row.arrived for row in rows), max), rows, strict=True)
            for rows in sources.values()
        ]
        order = merged(*timed, key=lambda pair: (pair[0], pair[1].pk))
        for number, (_, row) in enumerate(order, 1):
            row.number = number


def _assign_parent(
    rows: Mapping[int, tree.Placement],
    root: tree.Placement,
    answers: Post | None,
    target: Thread,
    parents: list[list],
) -> None:
    """Let the root of a moved branch answer what it was sent to."""
    opening = next(row for row in rows.values() if row.thread_id == target.pk and row.number == 1)
    above = opening if answers is None else rows.get(answers.pk)
    if above is None or above.thread_id != target.pk or above.number is None:
        raise Refused("The post that it is to answer does not stand in that debate.")
    if root is opening or above.number > (root.number or 0):
        raise Refused(
            "This branch began before what it is to answer, and posts are numbered as they came. "
            "Split it off, or merge the debates."
        )
    root.parent_id = None if above is opening else above.pk
    root.basis = Post.Basis.EDITOR
    parents[:] = [row for row in parents if row[0] != root.pk]
    parents.append([root.pk, root.was[2], root.was[3], root.parent_id, root.basis])


def _new_thread(thread: Thread, opening: Post, title: str, board: Board) -> Thread:
    """A thread for posts that are split off; it takes the rules of the one they come from."""
    moment = opening.written_at or opening.loaded_at
    new = tree.make_thread(
        Thread(
            board=board,
            title=title,
            slug=slug_for(title),
            kind=thread.kind,
            policy=thread.policy,
            key=new_key(),
            author=opening.author,
            byline=opening.byline,
            source=thread.source,
            state=thread.state,
            locked=thread.locked,
            archived=thread.archived,
            slow_minutes=thread.slow_minutes,
            approval=thread.approval,
            created_at=min(moment, clock.now()),
            last_post_at=moment,
        )
    )
    if new.state == State.VISIBLE:
        tree.count_on_board(new, 1)
    return new


def notify_writers(moving: Sequence[tree.Placement], entry, message: str) -> None:
    """Tell each member whose posts were moved, once."""
    writers = {row.author_id for row in moving if row.author_id}
    notices.notify_each(writers, entry=entry, message=message)
