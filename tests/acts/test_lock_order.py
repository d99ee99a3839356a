"""Every act locks rows in one order (docs/decisions/0025), so that no two wait for each other.

The statements of each act are watched: which rows of the tables that acts share it locks, by SELECT
FOR UPDATE, UPDATE or DELETE, and after which others. SQLite has one writer and knows no such lock.
"""

import re

import pytest
from django.db import connection, transaction
from django.test import TestCase, override_settings

from forum.models import AuditEntry
from forum.moderation import undoing
from tests.acts import world as worlds
from tests.acts.catalogue import CASES, WHY
from tests.acts.test_undo import BY_A_MODERATOR, OTHERWISE, UNDONE, by_id
from tests.people import UNHURRIED

pytestmark = pytest.mark.postgres
# Rows that are locked by more than one kind of act, in the order in which they are. Whatever else
# is written belongs to one of them, and is written under its lock.
ORDER = (
    *("forum_thread", "forum_board", "forum_poll", "accounts_user", "forum_case"),
    "forum_readmark",
    "accounts_edition",
)
LOCKING = re.compile(
    r'\s*(?:UPDATE "?(?P<updated>\w+)"?\s+SET .*?|DELETE FROM "?(?P<deleted>\w+)"?'
    r'|SELECT .*? FROM "?(?P<selected>\w+)"?)(?:\s+WHERE\s+(?P<where>.*?))?'
    r"(?: ORDER BY [^()]*?)?(?P<lock> FOR (?:NO KEY UPDATE|UPDATE|KEY SHARE).*)?\s*",
    re.S,
)
KEYS = {"forum_poll": "post_id"}
# Written under the lock of the debate as well, by whoever holds that: only what is locked by itself
# is looked at.
GUARDED = {"forum_case", "forum_readmark"}


class Watched:
    """What one transaction locks, and what of that is out of order."""

    def __init__(self) -> None:
        self.held: dict[str, set[int]] = {table: set() for table in ORDER}
        self.wrong: list[str] = []
        self.there = {
            table: self.ids(f'SELECT {KEYS.get(table, "id")} FROM "{table}"', ()) for table in ORDER
        }

    def ids(self, sql: str, params) -> set[int]:
        with connection.connection.cursor() as cursor:  # past the wrapper
            cursor.execute(sql, params)
            return {row[0] for row in cursor.fetchall()}

    def __call__(self, execute, sql, params, many, context):
        self.note(sql, params)
        return execute(sql, params, many, context)

    def note(self, sql: str, params) -> None:
        found = LOCKING.fullmatch(sql)
        if not found:
            assert not re.match(r"\s*(UPDATE|DELETE)|.* FOR (NO KEY )?UPDATE", sql), sql
            return
        table = found["updated"] or found["deleted"] or found["selected"]
        if table not in ORDER or (found["selected"] and not found["lock"]):
            return
        if found["lock"] is None and table in GUARDED:
            return
        where, given = found["where"] or "TRUE", list(params or ())
        if found["where"]:
            given = given[sql[: found.start("where")].count("%s") :]
        key = KEYS.get(table, "id")
        rows = self.ids(f'SELECT "{table}".{key} FROM "{table}" WHERE {where}', given)
        self.take(table, rows & self.there[table])

    def take(self, table: str, rows: set[int]) -> None:
        """Note that rows are locked now; those that this transaction made were nobody else's."""
        new = rows - self.held[table]
        if not new:
            return
        later = [name for name in ORDER[ORDER.index(table) + 1 :] if self.held[name]]
        if later:
            self.wrong.append(f"{table} {sorted(new)} after {', '.join(later)}")
        if self.held[table] and min(new) < max(self.held[table]):
            self.wrong.append(f"{table} {sorted(new)} after {max(self.held[table])}")
        self.held[table] |= new


@override_settings(**UNHURRIED)
class InOneOrder(TestCase):
    """One forum for all acts: each is done, taken back where it can be, and rolled back."""

    @classmethod
    def setUpTestData(cls) -> None:
        cls.w = worlds.build()

    def watched(self, act, *args) -> list[str]:
        watched = Watched()
        with connection.execute_wrapper(watched), transaction.atomic():
            act(*args)
        self.locked |= {table for table, rows in watched.held.items() if rows}
        return watched.wrong

    def test_every_act_and_its_undoing(self):
        self.locked: set[str] = set()
        for name, act in {**CASES, **BY_A_MODERATOR}.items():
            with self.subTest(name), transaction.atomic():
                since, was = AuditEntry.objects.latest("pk").pk, by_id()
                self.assertEqual(self.watched(act, self.w), [])
                if name in OTHERWISE:
                    self.assertEqual(self.watched(OTHERWISE[name], self.w, was), [])
                elif name in UNDONE or name in BY_A_MODERATOR:
                    for entry in AuditEntry.objects.filter(pk__gt=since).order_by("-pk"):
                        self.assertEqual(self.watched(self.undo, entry), [])
                transaction.set_rollback(True)
        self.assertEqual(self.locked, set(ORDER))

    def undo(self, entry: AuditEntry) -> None:
        undoing.undo(user=self.w.user("second"), entry=entry, **WHY)
