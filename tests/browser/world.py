"""A forum with everything in it that a page may have to draw."""

from io import BytesIO
from types import SimpleNamespace
from uuid import uuid4

from django.core.management import call_command

from accounts.models import User
from forum.actions import (
    arguments,
    bookmarks,
    description,
    drafts,
    maps,
    members,
    pages,
    pictures,
    polls,
    posts,
    threadmarks,
    watching,
)
from forum.actions.divergences import read_divergence
from forum.models import AuditEntry, Board, Notice, Picture, Post, Question, Thread
from forum.moderation import guest_reports, reports, sanctions, states
from forum.outbox.worker import Worker
from tests import people
from tests.operations.pictures import corpus

PASSWORD, member, edit = people.PASSWORD, people.make_member, people.edit
LONG_TITLE = "Donaudampfschifffahrtsgesellschaft" * 4 + "skapitänsmützenabzeichen"
ARABIC = "ماذا لو لم يُهزم المسلمون في معركة بلاط الشهداء سنة ٧٣٢؟"
HEBREW = "מה היה קורה אילו לא חרב בית המקדש השני?"


def load_source_thread() -> Thread:
    """The boards and the thread that come with the forum."""
    call_command("loaddata", "boards", "trotsky-spain", verbosity=0)
    return Thread.objects.get(key="trotsky-spain")


def start(user: User, title: str, text: str, *, board: str = "after-1900", kind="WI") -> Thread:
    """Open a debate in the board of this name."""
    return people.start(Board.objects.get(slug=board), user, title, text, kind=kind)


def reply(user: User, thread: Thread, text: str, parent: Post | None = None, **more) -> Post:
    """Answer in a debate, or one of its posts."""
    return people.reply(thread, user, text, parent, **more)


def opening(thread: Thread) -> Post:
    return Post.objects.get(thread=thread, number=1)


def shown_picture(made) -> Picture:
    """Two pictures side by side, one of them without any words, in the locked debate."""
    sent = [
        pictures.send(user=made.one, file=BytesIO(corpus.packed(corpus.drawn(w, h, "P"), "PNG")))
        for w, h in ((3200, 900), (300, 500))
    ]
    shown = pictures.describe(
        user=made.one, picture=sent[0], alt="A map.", credit="Voice A", source="https://e.org/map"
    )
    said = maps.Mark(
        "map", "The front", "1 May 1937, in this timeline", "Red: held.\nBlue: lost.", "Robinson"
    )
    maps.mark(user=made.one, picture=shown, details=said)
    lines = "\n".join(one.markdown for one in (shown, sent[1]))
    reply(made.one, made.locked, f"Look at this:\n{lines}")
    return shown


def furnish() -> SimpleNamespace:
    """Fill the forum, and give what a test asks for by name."""
    made = SimpleNamespace(
        source=load_source_thread(),
        one=member("member-a", about="Reads more than I write. " * 8),
        two=member("member-b"),
        long=member("a" * 14 + "." + "b" * 15),
        arabic=member("خوارزمي"),
        moderator=member("member-m", is_staff=True, is_moderator=True),
        chief=member("member-c", is_staff=True, is_superuser=True),
        quiet=member("member-q"),
    )
    pages.edit(
        user=made.chief,
        kind="privacy",
        source="## What we keep\n\n*Posts*.\n\n| what | how long |\n|-|-|\n| posts | always |",
    )
    made.deep = deep(made)
    made.quotes = quotes(made)
    made.wide = wide(made)
    made.rtl = rtl(made)
    made.forty_five = forty_five(made)
    made.removed = removed(made)
    made.waiting = waiting(made)
    made.locked = start(made.one, "Was the Marshall Plan avoidable?", "Locked below.", kind="PC")
    made.picture = shown_picture(made)
    states.lock(user=made.moderator, thread=made.locked, reason="Settled.")
    drafts.save(
        user=made.one,
        token=uuid4(),
        target=f"/threads/{made.rtl.pk}/reply/",
        label=drafts.label_for(made.rtl),
        text="Not ready yet. " * 20,
        title="",
    )
    divergences = (
        read_divergence(
            change="Stresemann lives.", when="1929-10", actor="A doctor", place="Berlin"
        ),
        read_divergence(change="W" * 60, when="c. 1936"),
    )
    asked = ["Would a longer Weimar have held?", "Q" * 200]
    description.describe(
        user=made.one, thread=made.quotes, divergences=divergences, questions=asked
    )
    ties = [arguments.Tie(Question.objects.get(text=asked[0]).pk, "disputes", 1)]
    arguments.argue(
        user=made.two, post=made.exact, lane="premise", stance="disputes", quotes={}, ties=ties
    )
    arguments.change_mind(
        user=made.one, post=made.exact, was="for", now="undecided", reason="W" * 200
    )
    divergences = (read_divergence(change=ARABIC, when="480 BC", actor=HEBREW, place=ARABIC),)
    description.describe(
        user=made.arabic, thread=made.rtl, divergences=divergences, questions=[ARABIC]
    )
    made.polled, made.voted = voted_in(made)
    members.ignore(user=made.one, other=made.quiet, ignored=True)
    reports.report(
        user=made.quiet, post=made.exact, reason="misquote", text="Was it cheap?", token=uuid4()
    )
    made.reported = guest_reports.report(
        post=made.exact,
        reason="illegal",
        text=f"{ARABIC} {'W' * 200}",
        name=ARABIC,
        email=f"{'w' * 40}@example.org",
        good_faith=True,
        network="192.0.2.1",
        token=uuid4(),
    )
    sanctions.warn(user=made.moderator, member=made.quiet, points=1, reason="Rude.")
    threadmarks.mark(user=made.one, post=made.exact, category="story", label="The turn")
    board = Board.objects.get(slug="after-1900")
    for target, level in ((board, "openings"), (made.deep, "marks"), (made.two, "all")):
        watching.watch(user=made.one, target=target, level=level)
    watching.watch_history(user=made.one, start="1900", end="1945", place=ARABIC)
    bookmarks.keep(user=made.one, post=made.exact, note=f"{ARABIC} {'W' * 100}")
    bookmarks.keep(user=made.one, post=opening(made.rtl))
    Worker().drain()
    made.locking = AuditEntry.objects.get(verb="lock", thread=made.locked)
    made.told = Notice.objects.get(member=made.one, entry__verb="lock")
    made.empty = Board.objects.get(slug="antiquity")
    return made


def voted_in(made) -> tuple[Post, Post]:
    """A secret poll of member-a in which nobody voted yet, and an open one that is closed; between
    them one in which member-a voted."""
    thread = start(made.one, "Which way would it have gone?", "Let us count.", kind="discussion")
    choices = ["Into the abyss", ARABIC, HEBREW, "W" * 200, "x y " * 50]
    asked = polls.Asked(ARABIC, choices, kind="several", most=3)
    waits = reply(made.one, thread, "Nobody has voted in this.", poll=asked)
    asked = polls.Asked("Q" * 200, choices)
    running = reply(made.two, thread, "This one goes on.", poll=asked)
    asked = polls.Asked("And which way did it go?", choices, kind="approved", is_open=True)
    over = reply(made.two, thread, "And this one is over.", poll=asked)
    for who, chosen in ((made.one, [1]), (made.two, [3]), (made.quiet, [1])):
        polls.vote(user=who, post=running, chosen=chosen)
        polls.vote(user=who, post=over, chosen=[*chosen, 4])
    polls.close(user=made.two, post=over)
    return waits, over


def deep(made) -> Thread:
    """Twelve levels of replies, with forks on the way."""
    thread = start(made.one, "How deep can a debate go?", "Twelve levels, says the plan.")
    parent = None
    for level in range(12):
        text = (
            f"Level {level + 1}. " + "Somebody has to answer this before it gets any deeper. " * 3
        )
        below = reply((made.two, made.one)[level % 2], thread, text, parent)
        reply(made.quiet, thread, f"A second answer at level {level + 1}.", parent)
        parent = below
    return thread


def quotes(made) -> Thread:
    """Every verdict, and every state of a source."""
    thread = start(
        made.one,
        "Would a longer Weimar have held?",
        "Stresemann lives until 1940. The coalition was not sound, but it was cheap.\n\n"
        "The second paragraph will be *edited* away by its author later on.",
        kind="PC",
    )
    first = opening(thread)
    source = reply(made.two, thread, "I doubt the premise: the doctors gave him two years at most.")

    def quoting(words, post=first):
        return f'[quote="whoever, post: {post.pk}"]\n{words}\n[/quote]\n\n'

    made.own = reply(made.one, thread, "One more thing.")
    made.exact = reply(
        made.two, thread, quoting("The coalition was not sound, but it was cheap.") + "Was it?"
    )
    reply(
        made.two, thread, quoting("Stresemann lives … but it was cheap.") + "With words left out."
    )
    reply(
        made.two, thread, quoting("The coalition was sound, but it was cheap.") + "Words changed."
    )
    reply(made.two, thread, quoting("sound, but it was") + "Cut out of a sentence.")
    made.stale = reply(
        made.two, thread, quoting("The second paragraph will be edited away") + "Edited since."
    )
    reply(made.quiet, thread, quoting("the doctors gave him two years", source) + "Removed since.")
    reply(made.quiet, thread, '[quote="Nobody, post: 999999"]\nNever said.\n[/quote]\n\nNo source.')
    reply(
        made.quiet,
        thread,
        "# A heading\n\n- one\n- two\n\n1. first\n2. second\n\n> Somebody said this elsewhere.\n\n"
        "`code` and ||a spoiler||, @member-a, a [link](https://example.org/), a note.[^1]\n\n"
        "| year | event |\n| --- | --- |\n| 1923 | inflation |\n\n---\n\n"
        "```\nfor year in range(1919, 1940): print(year, 'a line too long' * 9)\n```\n\n"
        "[^1]: The note itself.",
    )
    edit(
        first,
        "Stresemann lives until 1940. The coalition was not sound, but it was cheap.\n\n"
        "Another end altogether.",
        "The end was wrong.",
    )
    states.remove(user=made.moderator, post=source, reason="Not about the debate.")
    made.edited = first
    return thread


def wide(made) -> Thread:
    """Long words everywhere."""
    thread = start(made.long, LONG_TITLE[:160], "W" * 200, kind="DBWI", board="maps-and-flags")
    reply(made.long, thread, f"https://example.org/{'path' * 60}", opening(thread))
    reply(
        made.one, thread, f'[quote="x, post: {opening(thread).pk}"]\n{"W" * 200}\n[/quote]\n\nSo?'
    )
    return thread


def rtl(made) -> Thread:
    """Arabic and Hebrew, in title, name and text."""
    thread = start(made.arabic, ARABIC, f"{ARABIC} {ARABIC}\n\nThe same in Latin.", kind="AHC")
    first = opening(thread)
    reply(made.two, thread, f'[quote="x, post: {first.pk}"]\n{ARABIC}\n[/quote]\n\n{HEBREW}', first)
    reply(made.arabic, thread, f"- {HEBREW}\n- {ARABIC}\n\n> {HEBREW}")
    return thread


def forty_five(made) -> Thread:
    """Three pages."""
    thread = start(made.two, "Forty-five posts about tin", "Without Cornish tin, what bronze?")
    for number in range(2, 46):
        parent = Post.objects.get(thread=thread, number=number // 2) if number % 3 else None
        reply((made.one, made.two)[number % 2], thread, f"Tin, remark {number}.", parent)
    return thread


def removed(made) -> Thread:
    """A hidden, a removed and a withdrawn post, each with an answer."""
    thread = start(made.one, "What if the Rubicon had been in flood?", "It rains for a week.")
    gone = [reply(made.two, thread, f"Remark {n}, soon out of sight.") for n in (2, 3, 4)]
    for post in gone:
        reply(made.one, thread, "The answer keeps its place.", post)
    made.hidden = states.hide(user=made.moderator, post=gone[0], reason="An insult.")
    states.remove(user=made.moderator, post=gone[1], reason="Advertising.")
    posts.withdraw(user=made.two, post=gone[2], reason="I was wrong.")
    return thread


def waiting(made) -> Post:
    """A post that waits for approval."""
    return people.pending(start(made.one, "Does anybody approve?", "Of waiting."), made.quiet)
