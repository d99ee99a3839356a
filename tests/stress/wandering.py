"""What a process of the crew does in a round: any act of the forum, on anything, until it is told
to stop, the database away or not. What fails is written beside the ledger, and it goes on.

The acts are those of the catalogue and of the meetings, on rows drawn at random instead of the rows
of that name; and some whose effect is looked for after the round.
"""

import os
import random
import time
import traceback
import uuid
from collections import Counter

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import IntegrityError, connection
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from core.database_answers import LOCK_TIMEOUT, did_not_answer, sqlstate
from core.problems import Problem
from forum.actions import boards, posts, read_state, threads
from forum.models import (
    AuditEntry,
    Board,
    Case,
    Notice,
    Post,
    Question,
    State,
    Suspension,
    Term,
    Thread,
    Upload,
    Warning,
)
from forum.moderation import erasing, merging, moving, sanctions, states
from tests.acts.world import World
from tests.people import quoting
from tests.races.crew import Ledger, seeded
from tests.races.meetings import ACTS, MORE, READS

STAFF = ("keeper", "second", "chief")
ROWS = {
    "case": Case.objects.filter(decision=None),
    "cleaned": AuditEntry.objects.filter(verb="clean up"),
    "hide entry": AuditEntry.objects.all(),
    "notice": Notice.objects.exclude(entry=None),
    "question": Question.objects.all(),
    "suspension": Suspension.objects.all(),
    "term": Term.objects.all(),
    "upload": Upload.objects.all(),
    "warning": Warning.objects.all(),
    **dict.fromkeys(
        ("main", "other", "closed", "old", "gone", "once", "twice"), Thread.objects.all()
    ),
}
# Done below: on words that the post holds, on numbers that are there; and boards open again.
LEFT_OUT = {"erasing.erase", "erase of b", "read_state.mark_read", "close modern", *READS}
# These give their row always the same name; that it is taken, a form says before the act.
ONCE = {"boards.make", "glossary.define", "members.ask_for_name", "members.rename"}
TRAFFIC = 0.6  # of all acts: writing, rather than something else of the catalogue


class NothingThere(Exception):
    """There is no row of the kind that the act is about."""


class Anywhere(World):
    """A World whose names mean, each time, a row drawn at random: of `among` the newest, so that
    acts meet. Of a member's posts rather one of the member asked for last."""

    def __init__(self, draw: random.Random, among: int = 12) -> None:
        self.draw, self.among, self.ids = draw, among, self
        self.last = self.who = None
        names = User.objects.exclude(username__in=STAFF).order_by("pk")
        self.names = list(names.values_list("username", flat=True))

    @property
    def token(self) -> uuid.UUID:
        return uuid.UUID(int=self.draw.getrandbits(128))

    def one(self, rows) -> int:
        """The id of one of these rows."""
        newest = list(rows.order_by("-pk").values_list("pk", flat=True)[: self.among])
        if not newest:
            raise NothingThere
        return self.draw.choice(newest)

    def __getitem__(self, name: str) -> int:
        return self.one(ROWS.get(name, Post.objects.all()))

    def user(self, name: str) -> User:
        wanted = name if name in STAFF else self.draw.choice(self.names)
        self.who = super().user(wanted)
        return self.who

    def board(self, name: str) -> Board:
        return Board.objects.get(pk=self.one(Board.objects.all()))

    def thread(self, name: str) -> Thread:
        rows = Thread.objects.filter(state=State.VISIBLE)
        return Thread.objects.select_related("board").get(pk=self.one(rows))

    def post(self, name: str) -> Post:
        rows = Post.objects.filter(thread__state=State.VISIBLE)
        if self.who and self.who.username not in STAFF and self.draw.random() < 0.7:
            rows = rows.filter(author=self.who)
        self.last = Post.objects.select_related("thread__board", "body__revision", "author").get(
            pk=self.one(rows)
        )
        return self.last


# --- Acts whose effect is looked for after the round ---------------------------------------------


def claim(w: Anywhere, token: uuid.UUID) -> str:
    """A text that is known by its token; its second line may be erased."""
    return f"Claim {token}.\n\nIt was member-{token.hex[:12]} who said so."


def secret_of(post: Post) -> str:
    """The line of a claim that may be erased."""
    lines = post.body.revision.plain.splitlines()
    found = next((line for line in lines if line.startswith("It was member-")), None)
    if found is None:
        raise NothingThere
    return found


def reply(w: Anywhere, token: uuid.UUID):
    user, answered, text = w.user("opener"), w.post("b"), claim(w, token)
    if w.draw.random() < 0.5:
        quoted = w.post("c")
        words = quoted.body.revision.plain.splitlines()
        text = quoting(quoted, w.draw.choice(words), text) if words else text
    return posts.reply(
        user=user,
        thread=answered.thread,
        parent=answered if w.draw.random() < 0.8 else None,
        source=text,
        token=token,
    )


def edit(w: Anywhere, token: uuid.UUID):
    """Take what stands, and add a claim."""
    user, post = w.user("opener"), w.post("b")
    revision = post.body.revision
    posts.edit(
        user=user,
        post=post,
        source=f"{revision.source[-2000:]}\n\n{claim(w, token)}",
        base=posts.base_of(revision),
    )
    return post


def erase(w: Anywhere, token: uuid.UUID):
    post = w.post("b")
    words = secret_of(post)
    texts = erasing.find(post, words).texts
    return erasing.erase(
        user=w.user("chief"), post=post, words=words, reason="By law.", texts=texts
    )


def split(w: Anywhere, token: uuid.UUID):
    post = w.post("b")
    return moving.split(
        user=w.user("keeper"),
        thread=post.thread,
        chosen=moving.branch(post),
        title="A part of it",
        reason="As an example.",
    )


def merge(w: Anywhere, token: uuid.UUID):
    return merging.merge(
        user=w.user("second"), thread=w.thread("one"), into=w.thread("two"), reason="The same."
    )


def start(w: Anywhere, token: uuid.UUID):
    """A new debate, whose opening holds the claim."""
    user, board = w.user("opener"), w.board("modern")
    title = f"What if it were {token.hex[:6]}"
    made = threads.start(
        user=user, board=board, title=title, kind="TL", source=claim(w, token), token=token
    )
    return made.posts.get(parent_basis=Post.Basis.OPENING)


def read(w: Anywhere, token: uuid.UUID):
    """What a page showed counts as read."""
    user, thread = w.user("opener"), w.thread("main")
    numbers = [(1, thread.numbered)] if thread.numbered else []
    read_state.mark_read(user=user, thread=thread, numbers=numbers)


def reopen(w: Anywhere, token: uuid.UUID):
    """Take back what keeps people from writing, since nothing else would happen after a while."""
    shut = Board.objects.filter(Q(read_only=True) | ~Q(audience="public")).order_by("?").first()
    if shut:
        boards.change(
            user=w.user("chief"), board=shut, read_only=False, audience="public", reason="Again."
        )
    bound = Suspension.objects.filter(ends_at__gt=timezone.now()).first()
    if bound:
        sanctions.lift_suspension(user=w.user("keeper"), suspension=bound, reason="Enough.")
    thread = Thread.objects.select_related("board").get(pk=w.one(ROWS["main"]))
    for is_so, act in (
        (thread.state == State.HIDDEN, states.restore_thread),
        (thread.archived, states.unarchive),
        (thread.locked, states.unlock),
        (thread.approval, states.waive_approval),
    ):
        if is_so:
            act(user=w.user("keeper"), thread=thread, reason="Again.")


TOKENED = {"reply": (reply, 12), "edit": (edit, 4), "erase": (erase, 2), "start": (start, 1)}
TOKENED |= {"split": (split, 1), "merge": (merge, 1), "reopen": (reopen, 3), "read": (read, 1)}
OTHERS = {name: act for name, act in (ACTS | MORE).items() if name not in LEFT_OUT}


# --- The job ------------------------------------------------------------------------------------


def wander(*, ledger: str, seed: str, restarts: bool):
    """Act at random until the ledger says stop, in which each act is written that was done, and
    what was acknowledged by it. Returns how often it was refused, or failed.

    `restarts`: whether the database may be away, which an act then tells by an OperationalError.
    """
    draw, book, done, w, leader = seeded(seed), Ledger(ledger), Counter(), None, os.getppid()
    while True:
        list(book.news())
        if book.stopped or os.getppid() != leader:  # or the whole run was killed
            book.close()
            return done
        try:
            w = w or Anywhere(draw)
            book.write("did", _one_act(w, draw, book).replace(" ", "_"))
        except (Problem, ObjectDoesNotExist, NothingThere, ValidationError):
            done["refused"] += 1
        except Exception as error:
            if restarts and _is_away(error):
                done["the database was away"] += 1
            else:
                done["failed"] += 1
                with open(f"{ledger}.failures", "a") as failures:
                    failures.write(f"{traceback.format_exc()}\n")
            connection.close()
            time.sleep(0.1)


def _one_act(w: Anywhere, draw: random.Random, book: Ledger) -> str:
    w.who = None
    token = w.token
    if draw.random() < TRAFFIC:
        names = list(TOKENED)
        (name,) = draw.choices(names, [TOKENED[one][1] for one in names])
        made = TOKENED[name][0](w, token)
        _acknowledged(book, name, token, made, w.last)
        return name
    name = draw.choice(sorted(OTHERS))
    try:
        made = OTHERS[name](w)
    except IntegrityError:
        if name not in ONCE:
            raise
        raise NothingThere from None
    _acknowledged(book, name, token, made, w.last)
    return name


def _acknowledged(book: Ledger, name: str, token: uuid.UUID, made, post: Post | None) -> None:
    if name in ("reply", "start", "edit", "erase"):
        book.write(name, str(token), post.pk if name == "erase" else made.pk)
    if name == "erase":
        book.write("secret", secret_of(post).split()[2], post.pk)
    if isinstance(made, Post):
        book.write("post", str(token), made.pk)
    elif isinstance(made, AuditEntry):
        book.write("entry", str(token), made.pk)


def _is_away(error: Exception) -> bool:
    """Whether the database was shut, or this is what a lock says that was waited for too long; a
    deadlock (which a page does once more) is neither."""
    state = sqlstate(error)
    away = not state or state[:2] in ("08", "57") or state == LOCK_TIMEOUT
    return did_not_answer(error) and away
