"""The charter: who may do what, one sentence and one rule for each verb.

A rule returns nothing when it allows and raises when it does not: `NotThere` where even knowing
would be too much (answered like a page that does not exist), `Refused` with the reason otherwise.
Views, admin and actions ask `require`; pages that offer acts ask `may`. Actions ask of the locked
row.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from core.counting import counted
from core.problems import Problem

from .models import NOWHERE, AuditEntry, Board, Case, Notice, Post, State, Thread
from .models.visibility import (
    cases_visible_to,
    invited_board_ids,
    moderates,
    moderates_all,
)
from .opposites import OPPOSITES, asked


class Refused(Problem):
    """The act is not allowed."""

    status = 403


class NotThere(Refused):
    """For this reader the thing does not exist."""

    status = 404

    def __init__(self) -> None:
        super().__init__("There is nothing at this address.")


# Not let in, or not yet.
WAITING = (State.PENDING, State.REJECTED)


# --- Seeing -----------------------------------------------------------------------------------


def see_board(user, board: Board) -> None:
    """Everybody sees public boards, members see boards for members, invited members those to which
    they were invited, and the moderators of a board see it whatever its audience."""
    if board.audience == Board.Audience.PUBLIC or moderates(user, board.pk):
        return
    if board.audience == Board.Audience.MEMBERS and user.is_authenticated:
        return
    if board.audience == Board.Audience.INVITED and board.pk in invited_board_ids(user):
        return
    raise NotThere


def see_thread(user, thread: Thread) -> None:
    """Who sees the board sees its debates; a debate that waits for approval (or was refused it) is
    seen by its author, one that is hidden or removed by moderators only, one that is being loaded
    or went into another one by nobody."""
    see_board(user, thread.board)
    if thread.state in NOWHERE:
        raise NotThere
    if thread.state == State.VISIBLE or moderates(user, thread.board_id):
        return
    if thread.state in WAITING and thread.author_id == user.pk is not None:
        return
    raise NotThere


def see_post(user, post: Post) -> None:
    """Who sees the debate reads its posts; a post that waits for approval (or was refused it) is
    read by its author, a hidden or removed one by moderators, everybody else sees that something
    was there."""
    see_thread(user, post.thread)
    if post.state in NOWHERE:
        raise NotThere
    if post.state == State.VISIBLE or moderates(user, post.thread.board_id):
        return
    if post.state in WAITING and post.author_id == user.pk is not None:
        return
    raise NotThere


def see_opening(user, thread: Thread) -> None:
    """What are an opening's own words (the own answer, the questions, the divergences of a debate)
    is read by whoever reads the opening, wherever it stands."""
    see_thread(user, thread)
    if not (thread.opening_stands or moderates(user, thread.board_id)):
        raise NotThere


def see_history(user, post: Post) -> None:
    """Who may read a post may read every text it had, and why it was changed."""
    see_post(user, post)


# --- Writing ----------------------------------------------------------------------------------


def write(user, _thing=None) -> None:
    """Writing needs an account that is not suspended, and a confirmed address where the site asks
    for one."""
    if not user.is_authenticated:
        raise Refused("Sign in to write.")
    if not user.is_active:
        raise Refused("This account is closed.")
    if user.suspended:
        raise Refused(
            f"You may not write until {_moment(user.suspended_until)}: {user.suspended_for} "
            "Your standing page says more."
        )
    if not user.confirmed:
        raise Refused(
            "Confirm your address to write: open the link in the mail that we sent, or ask for "
            "another in your settings."
        )


def _moment(moment: datetime) -> str:
    local = timezone.localtime(moment)
    return f"{local.day} {local:%B %Y, %H:%M}"


def _open_to_writing(board: Board) -> None:
    if board.read_only:
        raise Refused("This board is read only; nobody writes here any more.")


def use_account(user, _thing=None) -> None:
    """Whoever has an account keeps drafts, read marks and folds there, what to watch and whom to
    ignore; that is no writing, so a suspended member does too."""
    if not (user.is_authenticated and user.is_active):
        raise Refused("Sign in for that.")


def read_notices(user, _thing=None) -> None:
    """Members read what they are told, and nobody else does; so does a member who may not write."""
    if not (user.is_authenticated and user.is_active):
        raise Refused("Sign in to read your notices.")


def start(user, board: Board) -> None:
    """Members start debates where the board lets them, its moderators in every board that is not
    read only."""
    see_board(user, board)
    write(user)
    _open_to_writing(board)
    if board.starters == Board.Writers.MODERATORS and not moderates(user, board.pk):
        raise Refused("Only moderators start debates in this board.")


def reply(user, thread: Thread) -> None:
    """Members answer in open debates where the board lets them, moderators also in locked ones;
    nobody does in a debate that is archived or a board that is read only."""
    see_thread(user, thread)
    write(user)
    _open_to_writing(thread.board)
    _not_archived(thread)
    if thread.state in WAITING:
        raise Refused("This debate waits for approval; it takes no answers yet.")
    if moderates(user, thread.board_id):
        return
    if thread.board.answerers == Board.Writers.MODERATORS:
        raise Refused("Only moderators answer in this board.")
    if thread.locked:
        raise Refused("This debate is locked; no more answers are taken.")
    if thread.closed_by_author:
        raise Refused("This debate was closed by the member who opened it.")


def answer(user, post: Post) -> None:
    """Who may reply in a debate may answer any post there that still stands; in a locked branch
    moderators do."""
    see_post(user, post)
    reply(user, post.thread)
    if in_locked_branch(post) and not moderates(user, post.thread.board_id):
        raise Refused("This branch is locked; no more answers are taken in it.")
    if post.state != State.VISIBLE:
        raise Refused("This post does not stand any more, so it cannot be answered.")


def edit(user, post: Post) -> None:
    """Authors edit their own standing posts while neither the debate nor their branch is locked,
    the debate not archived, its board not read only and the site's edit window open; nobody edits
    another's words."""
    see_post(user, post)
    write(user)
    if post.author_id != user.pk:
        raise Refused("Only its author can edit a post.")
    if post.state not in (State.VISIBLE, State.PENDING):
        raise Refused("This post does not stand any more, so it cannot be edited.")
    _open_to_writing(post.thread.board)
    _not_archived(post.thread)
    if moderates(user, post.thread.board_id):
        return
    _not_locked(post)
    window = settings.EDIT_WINDOW_HOURS
    if window and user.now - post.loaded_at > timedelta(hours=window):
        raise Refused(
            f"Posts can be edited for {counted(window, 'hour,hours')}; this one is older."
        )


def withdraw(user, post: Post) -> None:
    """Authors withdraw their own posts, except the opening of a debate that was answered."""
    see_post(user, post)
    write(user)
    if post.author_id != user.pk:
        raise Refused("Only its author can withdraw a post.")
    if post.state not in (State.VISIBLE, State.PENDING):
        raise Refused("This post does not stand any more.")
    if post.is_opening:
        raise Refused("The opening carries the debate. Close the debate instead.")
    _open_to_writing(post.thread.board)
    _not_archived(post.thread)
    if not moderates(user, post.thread.board_id):
        _not_locked(post)


def release(user, post: Post) -> None:
    """Authors let their own reply appear that slow mode held, once its time is over, while they may
    answer in the debate."""
    see_post(user, post)
    write(user)
    if post.author_id != user.pk:
        raise Refused("Only its author can let a post appear.")
    if post.state != State.PENDING or post.held_until is None:
        raise Refused("This post does not wait for slow mode.")
    thread = post.thread
    reply(user, thread)
    if in_locked_branch(post) and not moderates(user, thread.board_id):
        raise Refused("This branch is locked; no more answers are taken in it.")
    if thread.approval or user.watched:
        raise Refused("A moderator looks at it first.")
    if thread.slow_minutes and post.held_until > user.now:
        raise Refused(
            f"Slow mode holds it: you can let it appear from {_moment(post.held_until)} on."
        )


def _not_archived(thread: Thread) -> None:
    if thread.archived:
        raise Refused("This debate is archived: it takes no answers, edits or reports.")


def _not_locked(post: Post) -> None:
    if post.thread.locked:
        raise Refused("This debate is locked, so its posts stay as they are.")
    if in_locked_branch(post):
        raise Refused("This branch is locked, so its posts stay as they are.")


def in_locked_branch(post: Post) -> bool:
    """Whether the post, or one that it hangs below, was locked with its branch. Asks the database
    once for each thread object, and only of threads that have such a lock."""
    if post.branch_locked:
        return True
    if not post.thread.branch_locks:
        return False
    if post.number is None:  # waits outside the tree: its place is below its parent
        return post.parent_id is not None and in_locked_branch(post.parent)
    if post.thread._locked_spans is None:
        locked = Post.objects.filter(thread=post.thread, branch_locked=True)
        post.thread._locked_spans = list(locked.values_list("tree_id", "lft", "rght"))
    return any(
        tree_id == post.tree_id and lft < post.lft < rght
        for tree_id, lft, rght in post.thread._locked_spans
    )


def rename(user, thread: Thread) -> None:
    """Moderators rename debates; members rename the ones they opened while these are open."""
    see_thread(user, thread)
    write(user)
    if moderates(user, thread.board_id):
        return
    if thread.author_id != user.pk:
        raise Refused("Only the member who opened a debate can rename it.")
    _open_to_writing(thread.board)
    _not_archived(thread)
    if thread.locked:
        raise Refused("This debate is locked.")


def describe(user, thread: Thread) -> None:
    """Moderators say what a debate is about; members do so for the ones they opened, while the
    opening stands."""
    rename(user, thread)
    if not may(user, "see opening", thread):
        raise Refused("The opening does not stand any more, and with it what it is about.")


def mark(user, post: Post) -> None:
    """Moderators mark the posts that tell a debate's story; members do so in the debates that they
    opened, while these are not locked."""
    see_post(user, post)
    write(user)
    thread = post.thread
    if moderates(user, thread.board_id):
        return
    if thread.author_id != user.pk:
        raise Refused("Only the member who opened a debate can mark its posts.")
    _open_to_writing(thread.board)
    if thread.locked:
        raise Refused("This debate is locked, so its marks stay as they are.")


def argue(user, post: Post) -> None:
    """Authors say what their standing replies are to the debate; the member who opened it and
    moderators correct that. An opening has no place in the argument: it is what is argued."""
    see_post(user, post)
    write(user)
    if post.is_opening:
        raise Refused("An opening is what the debate argues about; it takes no lane and no stance.")
    if post.state not in (State.VISIBLE, State.PENDING):
        raise Refused("This post does not stand any more.")
    if moderates(user, post.thread.board_id):
        return
    if user.pk not in (post.author_id, post.thread.author_id):
        raise Refused("Only its author and the member who opened the debate can change this.")
    _open_to_writing(post.thread.board)
    _not_archived(post.thread)
    _not_locked(post)


def set_lane(user, post: Post) -> None:
    """Who may say what a reply is to the debate may put it into another lane."""
    argue(user, post)


def tie_answer(user, post: Post) -> None:
    """Who may say what a reply is to the debate may tie it to the questions of the opening."""
    argue(user, post)


def take_stance(user, post: Post) -> None:
    """Authors take the stance of their own replies; nobody takes it for them."""
    argue(user, post)
    if post.author_id != user.pk:
        raise Refused("Only its author can say how a reply stands to what it answers.")


def change_mind(user, post: Post) -> None:
    """Members say that a standing reply of another changed their mind, while neither the debate
    nor its branch is locked, the debate not archived and its board not read only."""
    see_post(user, post)
    write(user)
    if post.is_opening:
        raise Refused("Minds are changed by replies; this is the opening.")
    if post.author_id == user.pk:
        raise Refused("This is your own reply.")
    if post.state != State.VISIBLE:
        raise Refused("This post does not stand any more.")
    _open_to_writing(post.thread.board)
    _not_archived(post.thread)
    if not moderates(user, post.thread.board_id):
        _not_locked(post)


def vote(user, post: Post) -> None:
    """Members vote in the polls of posts that stand, while neither the debate nor its branch is
    locked, the debate not archived and its board not read only; moderators also in locked ones."""
    see_post(user, post)
    write(user)
    if post.state != State.VISIBLE:
        raise Refused("This post does not stand, so nobody votes in its poll.")
    _open_to_writing(post.thread.board)
    _not_archived(post.thread)
    if moderates(user, post.thread.board_id):
        return
    if post.thread.locked:
        raise Refused("This debate is locked, so nobody votes in it just now.")
    if in_locked_branch(post):
        raise Refused("This branch is locked, so nobody votes in it just now.")


def close_poll(user, post: Post) -> None:
    """Authors close the polls of their own standing posts before their time, where they may edit in
    the debate; moderators close any."""
    see_post(user, post)
    write(user)
    if moderates(user, post.thread.board_id):
        return
    if post.author_id != user.pk:
        raise Refused("Only who made a poll can close it.")
    if post.state not in (State.VISIBLE, State.PENDING):
        raise Refused("This post does not stand any more.")
    _open_to_writing(post.thread.board)
    _not_archived(post.thread)
    _not_locked(post)


def close(user, thread: Thread) -> None:
    """Members close and reopen the debates they opened; a moderator's lock is stronger."""
    see_thread(user, thread)
    write(user)
    if thread.author_id != user.pk:
        raise Refused("Only the member who opened a debate can close it.")
    _open_to_writing(thread.board)
    _not_archived(thread)
    if thread.locked:
        raise Refused("This debate is locked by a moderator.")


def report(user, post: Post) -> None:
    """Members report posts of others that stand, in debates that are not archived."""
    see_post(user, post)
    write(user)
    if post.author_id == user.pk:
        raise Refused("This is your own post: edit it or withdraw it.")
    _not_archived(post.thread)
    if post.state != State.VISIBLE:
        raise Refused("This post does not stand any more.")


def report_from_outside(user, post: Post) -> None:
    """Everybody, visitors too, reports without an account a post that stands where they may read
    it, also in an archived debate."""
    see_post(user, post)
    if post.state != State.VISIBLE:
        raise NotThere


def answer_act(user, notice: Notice) -> None:
    """Whoever an act concerned may answer it once, also while suspended."""
    read_notices(user)
    if notice.member_id != user.pk:
        raise NotThere


# --- Moderating -------------------------------------------------------------------------------


def moderate(user, thing: Board | Thread | Post) -> None:
    """Moderators act on the boards they were given; administrators and moderators of all boards
    everywhere; nobody on what is still being loaded or went into another debate."""
    thread = thing.thread if isinstance(thing, Post) else thing
    board_id = thread.pk if isinstance(thread, Board) else thread.board_id
    nowhere = any(getattr(row, "state", None) in NOWHERE for row in (thing, thread))
    if moderates(user, board_id) and not nowhere:
        if user.suspended:
            raise Refused("You are suspended.")
        return
    see: dict[type, Callable] = {Board: see_board, Thread: see_thread, Post: see_post}
    see[type(thing)](user, thing)
    raise Refused("This needs a moderator's rights.")


def decide(user, case: Case) -> None:
    """Moderators decide what waits in their boards, and administrators about names; but neither a
    case about themselves nor an answer to what they did, while there is another moderator."""
    enter_desk(user)
    if case.kind == Case.Kind.NAME:
        administer(user)
    if not moderates(user, case.board_now):
        raise NotThere
    acted = case.notice.entry.actor_id if case.notice else None
    if user.pk in (case.member_id, acted):
        if not cases_visible_to(user).filter(pk=case.pk).exists():
            raise NotThere


def undo(user, entry: AuditEntry) -> None:
    """Moderators take an act back where they may do its opposite, on every post, debate, board and
    member that it concerns."""
    if entry.verb not in OPPOSITES:
        raise Refused("This act cannot be undone.")
    if entry.thread is not None:
        moderate(user, entry.thread.board)
    for verb, thing in asked(entry):
        if thing is None:
            raise Refused("A debate or board that it concerns is not here any more.")
        if getattr(thing, "state", None) == State.MERGED:
            raise Refused("This debate went into another one since.")
        try:
            CHARTER[verb](user, thing)
        except NotThere:
            raise Refused(
                "It concerns a debate or board where you may not do the opposite."
            ) from None


def invite(user, board: Board) -> None:
    """Moderators of a board say which members are invited to it."""
    see_board(user, board)
    moderate(user, board)


def erase(user, post: Post) -> None:
    """Administrators erase words for good, for a legal reason."""
    see_post(user, post)
    administer(user)


def load(user, board: Board) -> None:
    """Moderators load debates into the boards they were given."""
    see_board(user, board)
    moderate(user, board)


def warn(user, member: User) -> None:
    """Moderators warn members, those of single boards for posts there; only administrators warn
    moderators, and nobody an administrator or themselves."""
    enter_desk(user)
    if member.pk == user.pk:
        raise Refused("Nobody acts on their own account here.")
    if member.is_superuser:
        raise Refused("Administrators are out of reach here.")
    if (member.is_moderator or member.is_staff) and not user.is_superuser:
        raise Refused("Only administrators act on moderators.")


def suspend(user, member: User) -> None:
    """Moderators of all boards and administrators suspend whom they may warn."""
    warn(user, member)
    if not moderates_all(user):
        raise Refused("This needs a moderator of all boards.")


def take_emblem(user, member: User) -> None:
    """Moderators of all boards and administrators take the emblem away from whom they may warn."""
    suspend(user, member)


def clean_up(user, member: User) -> None:
    """Moderators review all that a member they may warn posted in their boards, hide what they
    choose of it, and bring it back as a whole."""
    warn(user, member)


def note(user, _member: User) -> None:
    """Moderators note for each other what they should know of a member."""
    enter_desk(user)


def rename_member(user, member: User) -> None:
    """Administrators give members another name; members ask for it."""
    administer(user)
    if member.is_superuser and member.pk != user.pk:
        raise Refused("Administrators are out of reach here.")


def leave(user, _thing=None) -> None:
    """Members close their own accounts, suspended ones too."""
    use_account(user)


def close_account(user, member: User) -> None:
    """Administrators close members' accounts; nobody closes an administrator's."""
    administer(user)
    if member.is_superuser:
        raise Refused("Administrators are out of reach here.")


def administer(user, _thing=None) -> None:
    """Administrators make boards, moderators and members' accounts."""
    if not (user.is_authenticated and user.is_active and user.is_superuser):
        raise Refused("This needs an administrator's rights.")


def define(user, _thing=None) -> None:
    """Moderators of all boards keep the glossary: what it says shows in every board."""
    write(user)
    if not (user.is_staff and moderates_all(user)):
        raise Refused("This needs the rights of a moderator of all boards.")


def enter_desk(user, _thing=None) -> None:
    """The admin opens to moderators and administrators who are not suspended, with two-step login
    where the site asks them for it."""
    if not (user.is_authenticated and user.is_active and user.is_staff):
        raise Refused("This needs a moderator's rights.")
    if user.suspended:
        raise Refused("You are suspended.")
    if settings.REQUIRE_TWO_STEP_FOR_STAFF and not user.two_step:
        raise Refused("Set up two-step login first; this site asks it of its moderators.")


CHARTER: dict[str, Callable] = {
    "see board": see_board,
    "see thread": see_thread,
    "see post": see_post,
    "see opening": see_opening,
    "see history": see_history,
    "write": write,
    "use account": use_account,
    "read notices": read_notices,
    "start": start,
    "reply": reply,
    "answer": answer,
    "edit": edit,
    "withdraw": withdraw,
    "release": release,
    "rename": rename,
    "describe": describe,
    "mark": mark,
    "argue": argue,
    "set lane": set_lane,
    "tie answer": tie_answer,
    "take stance": take_stance,
    "change mind": change_mind,
    "vote": vote,
    "close poll": close_poll,
    "close": close,
    "report": report,
    "report from outside": report_from_outside,
    "answer act": answer_act,
    "moderate": moderate,
    "decide": decide,
    "undo": undo,
    "invite": invite,
    "warn": warn,
    "suspend": suspend,
    "take emblem": take_emblem,
    "clean up": clean_up,
    "note": note,
    "rename member": rename_member,
    "leave": leave,
    "close account": close_account,
    "erase": erase,
    "load": load,
    "define": define,
    "administer": administer,
    "enter desk": enter_desk,
}
POST_VERBS = (
    *("answer", "edit", "release", "argue", "change mind", "withdraw", "mark", "report"),
    "moderate",
)
THREAD_VERBS = ("reply", "rename", "describe", "close", "moderate")


def require(user, verb: str, thing=None) -> None:
    """Raise Refused (NotThere where knowing is too much) unless `user` may `verb` the thing."""
    CHARTER[verb](user, thing)


def may(user, verb: str, thing=None) -> bool:
    """Whether `user` may `verb` the thing."""
    try:
        CHARTER[verb](user, thing)
    except Refused:
        return False
    return True


def verbs(user, thing: Thread | Post) -> frozenset[str]:
    """What a page may offer `user` on a post or thread."""
    known = POST_VERBS if isinstance(thing, Post) else THREAD_VERBS
    return frozenset(verb for verb in known if may(user, verb, thing))


def charter_key(user, post: Post) -> tuple:
    """What the verbs of a post depend on, for this user: two posts of a page with the same answer
    may be treated the same. One's own posts and those that wait are each a case of their own."""
    if post.number is None or post.author_id == user.pk is not None:
        return (post.pk,)
    return post.thread_id, post.state, post.is_opening, in_locked_branch(post)
