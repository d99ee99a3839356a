"""Every act of moderation, taken back: afterwards all rows are as they were before it.

Every act of the catalogue stands in exactly one of the tables here. What may differ is what only
says that something happened: the log, notices, versions, and the records that decision 0018 keeps.
"""

from django.db import connection, transaction
from django.test import TestCase, override_settings

from forum.actions import (
    arguments,
    boards,
    description,
    glossary,
    members,
    pages,
    threadmarks,
    threads,
    variants,
)
from forum.actions.divergences import read_divergence
from forum.models import AuditEntry, Board, Suspension, Term, Warning
from forum.moderation import cleanup, sanctions, undoing
from forum.operations.archive.snapshot import SEARCHED
from tests.acts import world as worlds
from tests.acts.catalogue import CASES, WHY
from tests.races.soundness import faults

# Acts of members on what is their own, or of anybody on their own account: nobody else takes them
# back, so they are no acts of moderation.
OWN = set(
    "arguments.argue arguments.change_mind arguments.keep_mind cases.answer drafts.save "
    "drafts.discard members.ask_for_name members.ignore notices.mark_read posts.reply posts.edit "
    "posts.withdraw posts.release read_state.mark_read read_state.fold read_state.mark_all_read "
    "reports.report threads.start threads.rename threads.close description.describe "
    "threadmarks.mark threadmarks.unmark variants.declare notices.mark_opened "
    "watching.watch watching.watch_history watching.set_levels watching.stop "
    "emblems.choose emblems.drop "
    "pictures.send pictures.describe maps.mark polls.vote polls.take_back polls.change "
    "bookmarks.keep bookmarks.drop feeds.make feeds.take_back queue.look_at "
    "asking.ask closing.close_later closing.keep_open closing.close_own".split()
)
# Acts that are themselves the taking back of another, and are done again by doing that one.
BACK = {"undoing.undo", "cleanup.undo", "sanctions.lift_warning", "sanctions.lift_suspension"}
# What cannot be taken back, and why.
FOR_GOOD = {
    "erasing.erase": "words that a law wants gone must not be brought back by a click",
    "boards.remove": "only an empty board that the log does not tell of goes; it is made anew",
    "uploads.discard": "what was sent is with whoever sent it; nothing of the forum goes",
    "uploads.correct": "a draft of a debate that nobody sees is corrected again",
    "uploads.receive": "what was received is discarded; no debate is there yet",
    "taking_emblems.take": "the picture is gone; its member chooses another",
    "closing.close": "the person is gone: nothing is kept that could be brought back",
    "sanctions.note": "moderators' notes are a record of what was known, and stay",
}
# What is taken back by the same act the other way round, or by one of its own.
OTHERWISE = {
    "boards.make": lambda w, was: boards.remove(user=w.user("chief"), board=w.board("maps")),
    "boards.change": lambda w, was: boards.change(
        user=w.user("chief"), board=w.board("ancient"), description="", **WHY
    ),
    "boards.name_moderators": lambda w, was: boards.name_moderators(
        user=w.user("chief"), board=w.board("ancient"), members=[], **WHY
    ),
    "boards.invite": lambda w, was: boards.invite(
        user=w.user("chief"), board=w.board("ancient"), members=[], **WHY
    ),
    "boards.move_beside": lambda w, was: boards.move_beside(
        user=w.user("chief"), board=w.board("empty"), beside=w.board("ancient"), position="right"
    ),
    "boards.shift": lambda w, was: boards.shift(
        user=w.user("chief"), board=w.board("ancient"), way="out"
    ),
    "glossary.define": lambda w, was: glossary.forget(
        user=w.user("chief"), term=Term.objects.get(name="OTL")
    ),
    "glossary.forget": lambda w, was: glossary.define(
        user=w.user("chief"), term=Term(**was["forum_term"][w.ids["term"]])
    ),
    "pages.edit": lambda w, was: pages.edit(user=w.user("chief"), kind="rules", source=""),
    "members.rename": lambda w, was: members.rename(
        user=w.user("chief"), member=w.user("respondent"), name="answerer", **WHY
    ),
    "cleanup.clean_up": lambda w, was: cleanup.undo(
        user=w.user("keeper"), entry=AuditEntry.objects.filter(verb="clean up").latest("pk"), **WHY
    ),
    "sanctions.warn": lambda w, was: sanctions.lift_warning(
        user=w.user("keeper"), warning=Warning.objects.latest("pk"), **WHY
    ),
    "sanctions.suspend": lambda w, was: sanctions.lift_suspension(
        user=w.user("keeper"), suspension=Suspension.objects.latest("pk"), **WHY
    ),
}
# What members do with their own debates, done by a moderator: then it is moderation, and undone.
BY_A_MODERATOR = {
    "rename": lambda w: threads.rename(
        user=w.user("keeper"), thread=w.thread("main"), title="Lenin lives on", **WHY
    ),
    "describe": lambda w: description.describe(
        user=w.user("keeper"),
        thread=w.thread("main"),
        divergences=[read_divergence(change="Lenin lives", when="c. 1924", place="Moscow")],
        questions=["Who follows Lenin?"],
        policy="granted",
        **WHY,
    ),
    "mark": lambda w: threadmarks.mark(
        user=w.user("keeper"), post=w.post("b"), category="story", label="The secretary"
    ),
    "mark anew": lambda w: threadmarks.mark(
        user=w.user("keeper"), post=w.post("a"), category="side", label="Another label"
    ),
    "unmark": lambda w: threadmarks.unmark(user=w.user("keeper"), post=w.post("a")),
    "variant": lambda w: variants.declare(
        user=w.user("keeper"), thread=w.thread("main"), other=w.thread("once"), **WHY
    ),
    "set lane": lambda w: _argued(w, lane="premise"),
    "tie answer": lambda w: _argued(w, ties=[arguments.Tie(w.ids["question"], "agrees", 0)]),
    "untie answer": lambda w: _argued(w, post="d"),
    "decide": lambda w: CASES["queue.decide"](w),
}
# Columns that only say that something changed, or count what is left out.
MOVES_ON = {"version", "numbering", "unread_notices", "pages_version", "renderer"}
MOVES_ON |= {"divergences_version"}
MOVES_ON |= {"edited_at", "number"}  # of pages; of the site version
LEFT_OUT = {
    *("forum_auditentry", "forum_notice", "forum_mail", "forum_job", "accounts_edition"),
    "django_session",
    *("forum_warning", "forum_suspension", "accounts_pastname"),  # records: decision 0018
}
# What is searched is checked by itself (tests/search).
LEFT_OUT |= SEARCHED
# Written anew from other rows: the words come back, not the ids.
DERIVED = {"forum_threadword"}


def _argued(w, post="c", lane=None, ties=()):
    row = w.post(post)
    return arguments.argue(
        user=w.user("keeper"),
        post=row,
        lane=row.lane if lane is None else lane,
        stance=row.stance,
        quotes={},
        ties=ties,
        **WHY,
    )


def rows() -> dict:
    """Every row of every table by its key, without what moves on."""
    found = {}
    for table, (columns, lines) in worlds.snapshot().items():
        if table in LEFT_OUT:
            continue
        skipped = MOVES_ON - {"number"} if table != "accounts_edition" else MOVES_ON
        if table in DERIVED:
            skipped = skipped | {"id"}
        if table == "forum_page":  # an empty one is none, though its row remains
            lines = [line for line in lines if line[columns.index("source")]]
        if table == "forum_board":  # their order is compared, not the labels that make it
            skipped = skipped | {"tree_id"}
        kept = [n for n, name in enumerate(columns) if name not in skipped]
        found[table] = sorted((tuple(line[n] for n in kept) for line in lines), key=repr)
    found["order of boards"] = list(Board.objects.in_order().values_list("slug", "level"))
    return found


def by_id() -> dict:
    """Rows as the acts before would need them: table -> id -> column -> value."""
    return {
        table: {line[columns.index("id")]: dict(zip(columns, line, strict=True)) for line in lines}
        for table, (columns, lines) in worlds.snapshot().items()
        if "id" in columns
    }


def test_every_act_of_the_catalogue_is_in_one_table():
    tables = (OWN, BACK, set(FOR_GOOD), set(OTHERWISE), set(UNDONE))
    assert sorted(CASES) == sorted(name for table in tables for name in table)


UNDONE = sorted(set(CASES) - OWN - BACK - set(FOR_GOOD) - set(OTHERWISE))


@override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])
class TakenBack(TestCase):
    """One forum for all acts: each is done, taken back, and rolled back."""

    maxDiff = None

    @classmethod
    def setUpTestData(cls) -> None:
        cls.w = worlds.build()
        cls.undone: set[str] = set()

    def test_what_is_taken_back_leaves_every_row_as_it_was(self):
        for name in (*UNDONE, *BY_A_MODERATOR, *OTHERWISE):
            with self.subTest(name), transaction.atomic():
                self.take_back(name)
                transaction.set_rollback(True)
        self.assertEqual(self.undone, set(undoing.ACTS))

    def take_back(self, name: str) -> None:
        w = self.w
        if name == "untie answer":
            _argued(w, "d", ties=[arguments.Tie(w.ids["question"], "disputes", 0)])
        before, was, since = rows(), by_id(), AuditEntry.objects.latest("pk").pk
        every = worlds.snapshot()
        (BY_A_MODERATOR.get(name) or CASES[name])(w)
        self.assertNotEqual(worlds.snapshot(), every, "it does nothing here")
        if name in OTHERWISE:
            OTHERWISE[name](w, was)
        else:
            for entry in AuditEntry.objects.filter(pk__gt=since).order_by("-pk"):
                undoing.undo(user=w.user("second"), entry=entry, **WHY)
                self.undone.add(entry.verb)
        now = rows()
        changed = [table for table in now if now[table] != before[table]]
        self.assertEqual(
            {table: now[table] for table in changed}, {table: before[table] for table in changed}
        )
        self.assertEqual(faults(connection), [])
