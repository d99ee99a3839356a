"""What several processes do at once leaves a sound forum, and nobody meets an error.

The processes are real ones (tests/races/crew.py); that the forum is sound is judged by a check
that reads only the rows (tests/races/soundness.py).
"""

import os
import time
import uuid
from collections.abc import Sequence
from itertools import pairwise

import pytest
from django.db import connection
from django.utils import timezone

from forum.actions import joining
from forum.actions.read_state import parse
from forum.models import (
    AuditEntry,
    Board,
    Case,
    Notice,
    Post,
    PostRevision,
    Quote,
    ReadMark,
    Submission,
    Thread,
)
from tests.people import make_member
from tests.races.crew import SIZE, Entry, Gone, Ledger, Process, percentile, seeded
from tests.races.soundness import faults
from tests.waiting import PATIENCE

pytestmark = pytest.mark.races
LONG = os.environ.get("JONBAR_LONG") == "1"
KILLS = 30 if LONG else 12


def test_480_replies_into_one_thread(crew, forum, ledger, record_property):
    opening = forum.start()
    began = timezone.now()
    told = crew.together(
        (
            "reply_many",
            {
                "member": member.pk,
                "thread": opening.thread_id,
                "opening": opening.pk,
                "ledger": ledger,
                "count": 60,
                "seed": seed,
            },
        )
        for seed, member in enumerate(forum.members)
    )
    passed = (timezone.now() - began).total_seconds()
    assert faults(connection) == []
    acknowledged = [entry.about for entry in Ledger(ledger).news()]
    rows = Post.objects.filter(thread=opening.thread_id).order_by("number")
    assert sorted([opening.pk, *acknowledged]) == sorted(post.pk for post in rows)
    assert [post.number for post in rows] == list(range(1, 482))
    thread = Thread.objects.get()
    assert (thread.numbered, thread.reply_count, thread.last_post) == (481, 480, rows[480])
    assert thread.version == 482  # one for each post: no update was lost
    assert Quote.objects.count() == 160
    assert set(Quote.objects.values_list("verdict", flat=True)) == {"exact"}
    # Else this was no race in deep trees.
    assert any(a.author_id != b.author_id for a, b in pairwise(rows))
    assert max(post.level for post in rows) > 3
    took = [1000 * seconds for each, _ in told for seconds in each]
    work = 1000 * sum(seconds for _, seconds in told) / 480
    record_property(
        "measured",
        f"{480 / passed:.0f} replies a second; one took {percentile(took, 0.5):.0f} ms (p50), "
        f"{percentile(took, 0.99):.0f} ms (p99), {max(took):.0f} ms at most, "
        f"{work:.0f} ms of it the forum's own work",
    )


def test_480_threads_at_once(crew, forum, record_property):
    """In two boards, since starts in one board wait for each other at its counter."""
    boards = [forum.board, Board.objects.create(name="Antiquity", slug="antiquity")]
    began = timezone.now()
    told = crew.together(
        (
            "start_many",
            {
                "member": member.pk,
                "boards": [board.pk for board in boards],
                "tokens": [str(uuid.uuid4()) for _ in range(60)],
            },
        )
        for member in forum.members
    )
    passed = (timezone.now() - began).total_seconds()
    assert faults(connection) == []
    assert sorted(pk for process in told for pk in process) == sorted(
        Thread.objects.values_list("pk", flat=True)
    )
    openings = Post.objects.filter(parent_basis=Post.Basis.OPENING)
    assert openings.count() == 480
    assert len(set(openings.values_list("tree_id", flat=True))) == 480
    assert [board.thread_count for board in Board.objects.all()] == [240, 240]
    record_property("measured", f"{480 / passed:.0f} debates a second")


def test_one_reply_for_one_form(crew, forum):
    opening = forum.start()
    for _ in range(10):
        token = str(uuid.uuid4())
        told = crew.together(
            (
                "reply_once",
                {
                    "member": forum.members[1].pk,
                    "thread": opening.thread_id,
                    "parent": opening.pk,
                    "token": token,
                },
            )
            for _ in range(SIZE)
        )
        assert set(told) == {Submission.objects.get(token=token).post_id}
    assert Post.objects.count() == 11
    assert faults(connection) == []


def test_one_debate_for_one_form(crew, forum):
    for _ in range(10):
        tokens = [str(uuid.uuid4())]
        told = crew.together(
            (
                "start_many",
                {"member": forum.members[1].pk, "boards": [forum.board.pk], "tokens": tokens},
            )
            for _ in range(SIZE)
        )
        assert len({pk for (pk,) in told}) == 1
    assert Thread.objects.count() == Post.objects.count() == 10
    assert faults(connection) == []


def test_replies_while_debates_are_split_merged_and_moved(crew, forum, record_property):
    """Every reply that was acknowledged stands once, somewhere; nothing else does."""
    Board.objects.create(name="Antiquity", slug="antiquity")
    openings = [forum.start(f"What if the strait froze, {n}") for n in range(3)]
    for opening in openings:
        for _ in range(4):
            forum.reply(forum.reply(opening))
    before = set(Post.objects.values_list("pk", flat=True))
    jobs = [
        ("reply_anywhere", {"member": member.pk, "count": 30, "seed": seed})
        for seed, member in enumerate(forum.members[:5])
    ]
    where = {"member": forum.members[7].pk, "thread": openings[0].thread_id}
    jobs += [("mark_many", {**where, "ranges": [(n, n + 2) for n in range(1, 60, 3)]})]
    jobs += [
        ("rearrange", {"member": forum.moderator.pk, "count": 25, "seed": seed}) for seed in (7, 8)
    ]
    told = crew.together(jobs)
    assert faults(connection) == []
    made = [pk for pks, _ in told[:5] for pk in pks]
    assert len(set(made)) == len(made) > 50
    assert before | set(made) == set(Post.objects.values_list("pk", flat=True))
    assert PostRevision.objects.count() == Submission.objects.count() == Post.objects.count()
    done = {act: sum(one.get(act, 0) for one in told[6:]) for one in told[6:] for act in one}
    assert {"split", "merge", "move branch", "move", "undo"} <= set(done), done
    assert not list(Post.objects.filter(thread__state="merged"))
    missed = sum(missed for _, missed in told[:5])
    record_property("measured", f"{len(made)} replies, {missed} missed what moved; {done}")


@pytest.mark.parametrize("how", ("lock", "close", "hide", "withdraw"))
def test_nothing_is_posted_after_it_was_shut(crew, forum, how):
    """Every answer came before the entry in the audit log, which is written under the same lock."""
    whole = how in ("lock", "close")
    who = {"close": forum.members[0], "withdraw": forum.members[1]}.get(how, forum.moderator)
    before = 0
    for turn in range(6 if LONG else 3):
        opening = forum.start()
        parent = forum.reply(opening)
        told = crew.together(
            [
                (
                    "shut",
                    {
                        "member": who.pk,
                        "how": how,
                        "thread": opening.thread_id,
                        "post": parent.pk,
                        "after": seeded(how, turn).uniform(0.02, 0.12),
                    },
                ),
                *(
                    (
                        "reply_until_refused",
                        {
                            "member": member.pk,
                            "thread": opening.thread_id,
                            "parent": None
                            if whole and member is not forum.members[2]
                            else parent.pk,
                            "patience": PATIENCE,
                        },
                    )
                    for member in forum.members[2:7]
                ),
            ]
        )[1:]
        made = Post.objects.filter(thread=opening.thread_id, pk__gt=parent.pk)
        assert all(refused for _, refused in told)
        assert sorted(pk for pks, _ in told for pk in pks) == sorted(post.pk for post in made)
        entry = AuditEntry.objects.get(verb=how, thread=opening.thread_id)
        assert [post.pk for post in made if post.loaded_at > entry.created_at] == []
        before += len(made)
    assert before  # else nobody was ever in time
    assert faults(connection) == []


def test_one_of_eight_edits_wins(crew, forum):
    opening = forum.start()
    for turn in range(10):
        post = forum.reply(opening)
        told = crew.together(
            (
                "edit_once",
                {
                    "member": post.author_id,
                    "post": post.pk,
                    "base": 1,
                    "source": f"The ice is thick, {turn}.{process}.",
                },
            )
            for process in range(SIZE)
        )
        assert sorted(told) == [False] * (SIZE - 1) + [True]
        (revision,) = PostRevision.objects.filter(post=post, number__gt=1)
        assert revision.source == f"The ice is thick, {turn}.{told.index(True)}."
    assert faults(connection) == []


def test_who_wants_to_join_is_let_in_or_turned_away_once(crew, forum):
    for turn in range(4):
        joined = make_member(f"applicant-{turn}")
        case = joining.apply(joined)
        acts = ["admit", "turn away"] * (SIZE // 2)
        told = crew.together(
            ("decide_once", {"member": forum.moderator.pk, "case": case.pk, "act": act})
            for act in acts
        )
        case = Case.objects.select_related("decision").get(pk=case.pk)
        joined.refresh_from_db()
        decided = {act for act, held in zip(acts, told, strict=True) if held}
        assert decided == {case.decision.verb}, turn
        assert (joined.waits_since is None) == (case.decision.verb == "admit")
        assert (joined.turned_away_at is None) == (case.decision.verb == "admit")
    assert AuditEntry.objects.filter(verb__in=("admit", "turn away")).count() == 4


def test_reports_at_once_are_one_case_and_one_decision_holds(crew, forum):
    opening = forum.start()
    for turn in range(4):
        post = forum.reply(opening)
        finders = [member for member in forum.members if member.pk != post.author_id]
        told = crew.together(
            ("report_once", {"member": member.pk, "post": post.pk}) for member in finders
        )
        assert len(set(told)) == 1
        case = Case.objects.get(post=post)
        assert case.report_count == case.reports.count() == SIZE - 1
        acts = ["hide", "remove", "no action"] * 2
        told = crew.together(
            ("decide_once", {"member": forum.moderator.pk, "case": case.pk, "act": act})
            for act in acts
        )
        case = Case.objects.select_related("decision").get(pk=case.pk)
        decided = {act for act, held in zip(acts, told, strict=True) if held}
        assert decided == {case.decision.verb}, turn
        assert AuditEntry.objects.filter(post=post).count() == 1
        notices = Notice.objects.filter(entry=case.decision)
        # Each reporter is told once, and the writer if something was done.
        assert notices.count() == SIZE - 1 + (case.decision.verb != "no action")
    assert faults(connection) == []


def test_posts_that_quote_each_other_are_edited_at_once(crew, forum, record_property):
    """Two threads, each changing while it writes rows that point into the other."""
    words = "Nobody crosses before January."
    one, other = forum.start("What if it froze", words), forum.start("What if it thawed", words)
    jobs = []
    for mine, theirs in ((one, other), (other, one)):
        source = f'{words}\n\n[quote="somebody, post: {theirs.pk}"]{words}[/quote]'
        edit = {"member": mine.author_id, "post": mine.pk, "source": source, "count": 12}
        quote = {
            "member": forum.members[3].pk,
            "thread": mine.thread_id,
            "source": theirs.pk,
            "count": 12,
        }
        jobs += [("edit_many", edit)] * 3 + [("quote_many", quote)]
    told = crew.together(jobs)
    assert faults(connection) == []
    for mine, theirs in ((one, other), (other, one)):
        assert mine.revisions.count() == 1 + 3 * 12
        assert Post.objects.filter(thread=mine.thread_id).count() == 1 + 12
        last = mine.revisions.order_by("number").last()
        assert [(q.source_post_id, q.verdict) for q in last.quotes.all()] == [(theirs.pk, "exact")]
        # Every edit and reply here, and every reply there, which is a backlink here, is counted.
        assert Thread.objects.get(pk=mine.thread_id).version >= 2 + 3 * 12 + 12 + 12
    beaten = sum(times or 0 for times in told)
    record_property("measured", f"72 edits and 24 quoting replies; beaten to it {beaten} times")


def test_killed_processes_leave_nothing_broken(crew, forum, ledger, record_property):
    """Kills wherever a process happens to be; the next one sends the unanswered form again."""
    opening, book, choice = forum.start(), Ledger(ledger), seeded("kills")
    tried: dict[str, Entry] = {}  # by token, the last try
    told: dict[str, int] = {}

    def read() -> None:
        for entry in book.news():
            if entry.kind == "try":
                tried[entry.token] = entry
            else:
                assert told.setdefault(entry.token, entry.about) == entry.about

    def write_on(process: Process, again: Sequence[Entry] = ()) -> None:
        process.give(
            "reply_on",
            member=forum.members[2].pk,
            thread=opening.thread_id,
            opening=opening.pk,
            ledger=ledger,
            seed=process.pid,
            again=[(entry.token, entry.about) for entry in again],
        )

    for process in crew.processes:
        write_on(process)
    late = 0
    for _ in range(KILLS):
        known, end = len(told), time.monotonic() + PATIENCE
        while len(told) == known and time.monotonic() < end:
            time.sleep(choice.uniform(0.005, 0.05))
            read()
        dead = choice.choice(crew.processes)
        dead.kill()
        read()
        again = [e for token, e in tried.items() if e.pid == dead.pid and token not in told]
        late += Submission.objects.filter(token__in=[entry.token for entry in again]).count()
        write_on(crew.replace(dead), again)
    book.write(Ledger.STOP)
    for process in crew.processes:
        process.answer()
    read()
    # What was tried last by one that was killed before it could try again.
    for token in tried.keys() - told.keys():
        form = {"thread": opening.thread_id, "parent": tried[token].about, "token": token}
        (told[token],) = crew.together([("reply_once", {"member": forum.members[2].pk, **form})])
    assert faults(connection) == []
    made = {str(sent.token): sent.post_id for sent in Submission.objects.exclude(post=opening)}
    assert made == told
    assert tried.keys() == told.keys()
    assert sorted(told.values()) == sorted(
        Post.objects.exclude(pk=opening.pk).values_list("pk", flat=True)
    )
    record_property(
        "measured",
        f"{len(told)} replies, {KILLS} kills, {late} after the commit and before the answer",
    )


def test_killed_at_every_statement_of_a_reply(crew, forum, record_property):
    """Nothing of a reply is there before its commit; sent again, it is made once."""
    opening = forum.start()
    parent = forum.reply(opening)
    for post in (parent, parent, forum.reply(parent)):
        forum.reply(post)  # what has to make room
    statement, committed = 0, False
    while not committed:
        statement += 1
        assert statement < 500, "it is never committed"
        before = Post.objects.count()
        form = {
            "member": forum.members[2].pk,
            "thread": opening.thread_id,
            "parent": parent.pk,
            "token": str(uuid.uuid4()),
        }
        victim = crew.processes[0]
        victim.give("reply_and_die", statement=statement, **form)
        with pytest.raises(Gone):
            victim.answer()
        crew.replace(victim)
        committed = Submission.objects.filter(token=form["token"]).exists()
        assert Post.objects.count() == before + committed
        assert faults(connection) == []
        told = crew.together([("reply_once", form)] * 2)
        assert set(told) == {Submission.objects.get(token=form["token"]).post_id}
        assert Post.objects.count() == before + 1
        assert faults(connection) == []
    assert statement > 10
    record_property("measured", f"a reply is {statement - 1} statements")


def test_ranges_read_at_once_are_united(crew, forum):
    reader = forum.members[7]
    for turn in range(5 if LONG else 2):  # the first to come makes the row: also a race
        opening, choice = forum.start(), seeded("ranges", turn)
        Thread.objects.filter(pk=opening.thread_id).update(numbered=1000)
        ranges = [
            (first, first + choice.randrange(8)) for first in choice.sample(range(1, 990), 4 * 15)
        ]
        crew.together(
            (
                "mark_many",
                {
                    "member": reader.pk,
                    "thread": opening.thread_id,
                    "ranges": ranges[process::4],
                },
            )
            for process in range(4)
        )
        mark = ReadMark.objects.get(user=reader, thread=opening.thread_id)
        read = [n for first, last in parse(mark.ranges) for n in range(first, last + 1)]
        assert read == sorted({n for first, last in ranges for n in range(first, last + 1)})
        assert mark.count == len(read)


def test_all_is_read_while_pages_are_read_and_folded(crew, forum):
    """Counting everything as read deletes the marks that others are about to extend."""
    reader, opening = forum.members[7], forum.start()
    where = {"member": reader.pk, "thread": opening.thread_id}
    crew.together(
        [
            *[("mark_many", {**where, "ranges": [(n, n) for n in range(1, 120, 2)]})] * 3,
            ("fold_many", {**where, "count": 40}),
            *[("mark_all", {"member": reader.pk, "count": 60})] * 2,
        ]
    )
    mark = ReadMark.objects.get(user=reader)
    assert mark.folded == list(range(1, 41))
