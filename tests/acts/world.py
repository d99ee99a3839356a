"""A small forum in which every act can be done, and its rows, to compare and to restore."""

import hashlib
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from forum.actions import (
    arguments,
    boards,
    bookmarks,
    description,
    drafts,
    feeds,
    glossary,
    polls,
    read_state,
    threadmarks,
    watching,
)
from forum.checking import Fault, check
from forum.checking.labels import check_boards
from forum.checking.members import check_cases, check_members
from forum.models import (
    Board,
    Case,
    Draft,
    Notice,
    Post,
    Question,
    Suspension,
    Term,
    Thread,
    Warning,
)
from forum.moderation import cleanup, closing, erasing, reports, sanctions, states
from forum.operations import pictures as files
from forum.outbox.worker import Worker
from forum.transfer import uploads
from tests.people import edit, fresh, make_member, pending, quoting, reply, sent_picture, start

ROOT = Path(__file__).parents[2]
TOKENS = uuid.UUID("8c7dc1ac-7d52-4b17-9a0c-3d7ae3a63bd5")
# What no act is about, or what other connections write.
LEFT_OUT = {"django_migrations", "django_content_type", "auth_permission", "jonbar_cache"}

# By table: the names of its columns, and its lines in the order in which they lie there.
Rows = dict[str, tuple[list[str], list[tuple]]]


@dataclass
class World:
    """Ids by name; everything is read anew where it is asked for, as a view would."""

    ids: dict[str, int] = field(default_factory=dict)
    token: uuid.UUID = TOKENS

    def user(self, name: str) -> User:
        return User.objects.get(username=name)

    def board(self, name: str) -> Board:
        return Board.objects.get(slug=name)

    def thread(self, name: str) -> Thread:
        return Thread.objects.select_related("board").get(pk=self.ids[name])

    def post(self, name: str) -> Post:
        return Post.objects.select_related("thread__board", "body__revision", "author").get(
            pk=self.ids[name]
        )


def build() -> World:
    """Fill an empty forum; see the names."""
    w = World()
    for name, rights in (
        ("opener", {}),
        ("answerer", {}),
        ("stranger", {}),
        ("keeper", {"is_staff": True, "is_moderator": True}),
        ("second", {"is_staff": True, "is_moderator": True}),
        ("chief", {"is_staff": True, "is_superuser": True}),
    ):
        make_member(name, **rights)
    opener, answerer, stranger = map(w.user, ("opener", "answerer", "stranger"))
    keeper, chief = w.user("keeper"), w.user("chief")
    for name in ("modern", "ancient", "empty"):
        boards.make(user=chief, board=Board(name=name.title(), slug=name))
    main = start(w.board("modern"), opener)
    a = main.posts.get()
    flag = b"A flag"
    User.objects.filter(pk=answerer.pk).update(emblem=hashlib.sha256(flag).hexdigest())
    files.add(flag, files.name_of(hashlib.sha256(flag).hexdigest(), "png"))
    b = reply(main, answerer, "The party obeyed nobody. It had a secretary.\n\nAnd purges.")
    c = reply(main, opener, quoting(b, "It had a secretary."), to=b)
    d = reply(main, answerer, "That is a point.", to=c)
    e = reply(main, stranger, "Which purges?")
    hidden = reply(main, answerer, "Hidden words.", to=e)
    states.hide(user=keeper, post=fresh(hidden), reason="Off the point.")
    waiting = pending(main, stranger, to=b)
    locked = reply(main, stranger, "A closed branch.")
    states.lock_branch(user=keeper, post=fresh(locked), reason="In circles.")
    edit(d, "That is two points.")
    other = start(w.board("modern"), answerer, "What if the strait froze", "It does in May.")
    states.slow(user=keeper, thread=fresh(other), minutes=9, reason="As an example.")
    early = reply(fresh(other), answerer, "And in June.")
    states.slow(user=keeper, thread=fresh(other), minutes=0, reason="As an example.")
    x = reply(other, opener, quoting(b, "The party obeyed nobody."))
    closed = start(w.board("modern"), stranger, "What if it thawed", "It does in June.")
    for act in (states.lock, states.pin, states.archive, states.demand_approval):
        if act is states.archive:
            continue
        act(user=keeper, thread=fresh(closed), reason="As an example.")
    old = start(w.board("modern"), stranger, "What if it rained", "It does in July.")
    states.archive(user=keeper, thread=fresh(old), reason="Long over.")
    gone = start(w.board("modern"), stranger, "What if it snowed", "It does in August.")
    states.hide_thread(user=keeper, thread=fresh(gone), reason="A double.")
    words = "It happens twice, and to the letter the same."
    once, twice = (start(w.board("modern"), stranger, "What if twins", words) for _ in range(2))
    asked = ["Would the purges have come?"]
    description.describe(user=opener, thread=fresh(main), divergences=[], questions=asked)
    question = Question.objects.get(thread=main)
    w.ids |= {
        "main": main.pk,
        "other": other.pk,
        "closed": closed.pk,
        "old": old.pk,
        "gone": gone.pk,
        "a": a.pk,
        "b": b.pk,
        "c": c.pk,
        "d": d.pk,
        "e": e.pk,
        "x": x.pk,
        "hidden": hidden.pk,
        "waiting": waiting.pk,
        "early": early.pk,
        "locked": locked.pk,
        "once": once.pk,
        "twice": twice.pk,
        "question": question.pk,
    }
    arguments.change_mind(user=stranger, post=fresh(b), was="for", now="against", reason="Purges.")
    threadmarks.mark(user=opener, post=fresh(a), category="story", label="The beginning")
    reports.report(user=stranger, post=fresh(x), reason="topic", token=uuid.uuid4())
    read_state.mark_read(user=stranger, thread=main, numbers=[(1, 2)])
    read_state.fold(user=stranger, thread=main, post_id=b.pk, folded=True)
    target = f"/threads/{main.pk}/reply/"
    drafts.save(user=stranger, token=TOKENS, target=target, label="Answer", text="A thought.")
    warned = make_member("warned")
    spam = reply(fresh(other), warned, "Buy ice.")
    w.ids["cleaned"] = cleanup.clean_up(
        user=keeper, member=warned, post_ids=[spam.pk], reason="Advertising.", batch=uuid.uuid4()
    ).pk
    data = (ROOT / "fixtures/threads/trotsky-spain.json").read_bytes()
    (upload,) = uploads.receive(
        user=chief,
        data=data,
        name="trotsky-spain.json",
        board=w.board("modern"),
        kind="WI",
        token=uuid.uuid4(),
    )
    w.ids["upload"] = upload.pk
    w.ids["term"] = glossary.define(
        user=chief, term=Term(name="POD", meaning="Where it leaves history.")
    ).pk
    sanctions.warn(user=keeper, member=warned, points=1, reason="As an example.")
    sanctions.suspend(user=keeper, member=warned, days=2, reason="As an example.")
    w.ids["warning"] = Warning.objects.get().pk
    w.ids["suspension"] = Suspension.objects.get().pk
    w.ids["texts"] = erasing.find(w.post("locked"), "A closed branch.").texts
    w.ids["case"] = Case.objects.get(post=x).pk
    w.ids["bookmark"] = bookmarks.keep(user=stranger, post=w.post("d"), note="Why?").pk
    feeds.make(user=w.user("stranger"))
    # Who wants to leave in a fortnight, without the job that would do it.
    User.objects.filter(pk=warned.pk).update(closing_at=timezone.now() + closing.PAUSE)
    asked = polls.Asked("Who decides?", ["The party", "Its clerk"])
    picture = sent_picture("The party on a map", member=answerer)
    w.ids["picture"] = picture.pk
    polled, unasked = (
        reply(fresh(main), answerer, text, poll=asked).pk
        for text in ("Let us vote on it.", f"Or on this.\n\n{picture.markdown}")
    )
    w.ids |= {"polled": polled, "unasked": unasked}
    polls.vote(user=stranger, post=w.post("polled"), chosen=[1])
    w.ids["watch"] = watching.watch(user=stranger, target=w.thread("main"), level="all").pk
    Worker().drain()
    w.ids["notice"] = Notice.objects.get(member=answerer, entry__verb="hide").pk
    w.ids["hide entry"] = Notice.objects.get(pk=w.ids["notice"]).entry_id
    assert Draft.objects.count() == 1
    return w


def tables() -> list[str]:
    """All tables but those of LEFT_OUT, and those of FTS5, which follow their rows by triggers:
    whoever writes there breaks them."""
    with connection.cursor() as cursor:
        found = set(connection.introspection.table_names(cursor)) - LEFT_OUT
    return sorted(table for table in found if "words_fts" not in table)


def snapshot() -> Rows:
    """Every row of every table."""
    found = {}
    with connection.cursor() as cursor:
        for table in tables():
            cursor.execute(f'SELECT * FROM "{table}"')
            found[table] = (
                [column[0] for column in cursor.description],
                sorted(map(tuple, cursor)),
            )
    return found


def touched(before: Rows, now: Rows) -> set[int]:
    """The debates of which a row is new, gone or another one than before, and those that quote them
    or are variants of them."""
    home = {}  # the debate of each post
    for columns, lines in (before["forum_post"], now["forum_post"]):
        pk, thread_id = columns.index("id"), columns.index("thread_id")
        home |= {line[pk]: line[thread_id] for line in lines}
    found = set()
    for table, (columns, lines) in now.items():
        if before[table][1] == lines:
            continue
        known = {repr(line) for line in before[table][1]} & {repr(line) for line in lines}
        for line in (*before[table][1], *lines):
            if repr(line) not in known:
                row = dict(zip(columns, line, strict=True))
                found |= {row.get("thread_id"), home.get(row.get("post_id"))}
                found |= {row["id"]} if table == "forum_thread" else set()
    found.discard(None)
    columns, lines = now["forum_quote"]
    ends = columns.index("post_id"), columns.index("source_post_id")
    quoting = {home[line[ends[0]]] for line in lines if home.get(line[ends[1]]) in found}
    columns, lines = now["forum_thread"]
    ends = columns.index("id"), columns.index("variant_of_id")
    variants = {line[ends[0]] for line in lines if line[ends[1]] in found}
    return found | quoting | variants


def check_touched(before: Rows, now: Rows, *, quick: bool = False) -> list[Fault]:
    """What the forum's own check finds wrong, but for the debates that nobody touched since all of
    it was sound `before`."""
    whole = (check_boards, check_members, check_cases)
    found = [fault for part in whole for fault in part(fix=False)]
    for pk in sorted(touched(before, now)):
        found += check(thread_id=pk, quick=quick)
    return found


def restore(rows: Rows) -> None:
    """Let exactly these rows stand. Counters of ids go on."""
    now = snapshot()
    changed = {table: told for table, told in rows.items() if told != now[table]}
    log = connection.vendor == "postgresql" and "forum_auditentry" in changed
    # What rows of other tables must be there is asked at the end, when all of them are.
    with transaction.atomic(), connection.cursor() as cursor:
        if log:  # nothing of it may be deleted
            cursor.execute("ALTER TABLE forum_auditentry DISABLE TRIGGER USER")
        for table in changed:
            cursor.execute(f'DELETE FROM "{table}"')
        for table, (columns, lines) in changed.items():
            if lines:
                names = ", ".join(f'"{name}"' for name in columns)
                marks = ", ".join(["%s"] * len(columns))
                cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', lines)
        if log:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE forum_auditentry ENABLE TRIGGER USER")
