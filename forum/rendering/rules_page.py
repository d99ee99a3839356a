"""The charter as a page can show it: each verb's sentence, and whom its rule lets through.

Nothing is written down twice: the answers come from asking `permissions` for somebody of each role,
about things that are made for the question and stored nowhere.
"""

import inspect
from dataclasses import dataclass
from types import UnionType
from typing import get_args, get_type_hints

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from accounts.models import User
from forum.models import AuditEntry, Board, Case, Notice, Post, State, Thread
from forum.permissions import CHARTER, may

# Verbs of what was held and may appear now.
WAITING = {"release"}
BOARD, ANOTHER = 1, 2  # ids of the things asked about; nothing with them is looked up
SOMEBODY = -1  # no member has this id


@dataclass(frozen=True, slots=True)
class Article:
    """One verb: what it is called, its sentence, and for each role "yes", "own" or "no"."""

    verb: str
    sentence: str
    answers: tuple[str, ...]


def roles() -> dict[str, User | AnonymousUser]:
    """Somebody of each role that this site knows: who is not confirmed and who is new are roles
    only where the settings make a difference of them."""
    found: dict = {"guest": AnonymousUser()}
    if settings.CONFIRM_ADDRESS == "required":
        found["unconfirmed"] = _member(address_known=False)
    if settings.NEW_MEMBER_POSTS:
        found["new member"] = _member(welcomed_at=None)
    found["member"] = _member()
    found["board moderator"] = _member(is_staff=True, moderated=[BOARD])
    found["administrator"] = _member(is_staff=True, is_superuser=True)
    return found


def articles() -> list[Article]:
    """Every verb of the charter, asked in a public board about an open debate of somebody else
    ("yes") and, where that is refused, about one's own ("own")."""
    people = roles().values()
    return [
        Article(
            verb,
            " ".join((inspect.getdoc(rule) or "").split()),
            tuple(_answer(user, verb, thing_of(verb)) for user in people),
        )
        for verb, rule in CHARTER.items()
    ]


def boards() -> list[tuple[str, tuple[str, ...]]]:
    """For every kind of board, what each role does there: reads, answers, starts debates. Among
    the roles of this table are those who are named by a board."""
    kinds = {
        f"Seen by: {label.lower()}": Board(audience=audience)
        for audience, label in Board.Audience.choices
    }
    moderators = Board.Writers.MODERATORS
    kinds["For announcements: moderators start"] = Board(starters=moderators)
    kinds["For announcements: moderators start and answer"] = Board(
        starters=moderators, answerers=moderators
    )
    kinds["Read only"] = Board(read_only=True)
    people = readers().values()
    rows = []
    for kind, board in kinds.items():
        board.pk = BOARD
        rows.append((kind, tuple(_in_board(user, board) for user in people)))
    return rows


def readers() -> dict[str, User | AnonymousUser]:
    """The roles of the table of boards."""
    found = roles()
    staff = {name: found.pop(name) for name in ("board moderator", "administrator")}
    return {**found, "invited member": _member(invited=[BOARD]), **staff}


def thing_of(verb: str) -> type | None:
    """What a verb is asked of: a model, or None where it is asked of nothing in particular."""
    rule = CHARTER[verb]
    parameter = list(inspect.signature(rule).parameters)[1]
    hint = get_type_hints(rule).get(parameter)
    if isinstance(hint, UnionType):  # the innermost: a post stands for its debate and board
        return next(kind for kind in (Post, Thread, Board) if kind in get_args(hint))
    return hint


def _answer(user, verb: str, kind: type | None) -> str:
    if kind is None:
        return "yes" if may(user, verb) else "no"
    waits = verb in WAITING
    if may(user, verb, _thing(kind, author_id=SOMEBODY, waits=waits)):
        return "yes"
    own = _thing(kind, author_id=user.pk, waits=waits) if user.is_authenticated else None
    mine = own is not None and may(user, verb, own)
    return "own" if mine else "no"


def _in_board(user, board: Board) -> str:
    if not may(user, "see board", board):
        return "nothing"
    thread = _thing(Thread, author_id=SOMEBODY, board=board)
    does = [("answers", may(user, "reply", thread)), ("starts debates", may(user, "start", board))]
    return ", ".join(["reads", *(word for word, allowed in does if allowed)])


def _thing(kind: type, *, author_id: int, board: Board | None = None, waits: bool = False):
    """Something of a member, of one of the kinds that rules are asked about."""
    board = board or Board(pk=BOARD)
    if kind is User:
        return User(pk=author_id, username="somebody")
    if kind is Notice:
        return Notice(pk=ANOTHER, member_id=author_id)
    if kind is Case:
        return Case(pk=ANOTHER, member_id=author_id, board=board)
    if kind is Board:
        return board
    now = timezone.now()
    thread = Thread(pk=ANOTHER, board=board, author_id=author_id, created_at=now)
    thread.opening_stands = True  # asked of no database: there is no such debate
    if kind is Thread:
        return thread
    if kind is AuditEntry:
        return AuditEntry(pk=ANOTHER, verb="lock", thread=thread)
    return Post(
        pk=ANOTHER,
        thread=thread,
        author_id=author_id,
        number=2,
        state=State.PENDING if waits else State.VISIBLE,
        held_until=now if waits else None,
        loaded_at=now,
        parent_basis=Post.Basis.REPLY,
    )


def _member(*, moderated=(), invited=(), address_known=True, **fields) -> User:
    """A member who is stored nowhere, with all that rules ask of a member's row at hand."""
    user = User(pk=ANOTHER, username="member", **{"welcomed_at": timezone.now(), **fields})
    user.address_known, user.two_step = address_known, True
    vars(user)["_moderated_board_ids"] = frozenset(moderated)
    vars(user)["_invited_board_ids"] = frozenset(invited)
    return user
