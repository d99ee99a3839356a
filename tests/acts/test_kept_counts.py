"""How many divergences lie where is kept (docs/decisions/0060): after every act, and in any order
of them, the timeline and the map say what they would if they counted anew."""

import uuid
from contextlib import suppress
from io import StringIO
from itertools import product

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.management import call_command
from django.db import transaction
from django.test import RequestFactory, TestCase, override_settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from accounts.models import User
from forum.actions import boards, description, variants
from forum.actions.divergences import read_divergence
from forum.models import AuditEntry, Board, Divergence, Post, State, Thread
from forum.moderation import cleanup, erasing, merging, moving, reports, states, undoing
from forum.operations import caching
from forum.permissions import Refused
from forum.transfer import fixture, loading, parsing
from forum.views import timeline
from forum.views.narrowing import narrowed
from tests.acts import world as worlds
from tests.acts.catalogue import CASES, WHY
from tests.acts.test_state_machine import ANY, EXAMPLES, STAFF, Forum, done, forum, run
from tests.acts.test_undo import BY_A_MODERATOR, OTHERWISE, by_id
from tests.operations.test_caching import still
from tests.people import UNHURRIED, browser, start
from tests.transfer.test_loaddata import objects, with_card

__all__ = ["forum"]  # a fixture
build = worlds.build
PLACES = (("1066", "London"), ("c. 1924", "Moscow"), ("AD 9", "Rome"), ("1421", "Nanjing"))


ASKED = ("", "?board=modern", "?board=ancient")
COUNTED = ("pk", "first_day", "last_day", "latitude", "longitude", "thread__kind")


class Kept:
    """Under what counts are kept for a visitor and for a member, and what they are made of."""

    def __init__(self) -> None:
        self.known: dict[tuple, set] = {}
        self.member = User.objects.get(username="stranger").pk

    def look(self) -> list[set]:
        """What is counted now. Fails where something else stood under the same numbers before."""
        found = []
        member = User.objects.get(pk=self.member)
        for user, asked in product((AnonymousUser(), member), ASKED):
            request = RequestFactory().get(f"/timeline/{asked}")
            request.user = user
            shared = narrowed(request).shared
            if shared is not None:
                key, rows = shared
                found.append(set(rows.values_list(*COUNTED)))
                assert self.known.setdefault(key, found[-1]) == found[-1], (str(user), asked)
        return found


def said(n: int, **more) -> list:
    when, place = PLACES[n % len(PLACES)]
    return [read_divergence(change=f"Number {n}.", when=when, place=place, **more)]


def say(thread: Thread, n: int, **more) -> None:
    """Give a debate a divergence, by a moderator."""
    description.describe(
        user=User.objects.get(username="keeper"),
        thread=thread,
        divergences=said(n, **more),
        questions=list(thread.questions.filter(stands=True).values_list("text", flat=True)),
    )


def built() -> worlds.World:
    """The world of all acts, whose debates leave history here and there."""
    w = build()
    for n, name in enumerate(("main", "other", "closed", "once", "gone")):
        say(w.thread(name), n)
    keeper, opener = w.user("keeper"), w.user("opener")
    for n, name in enumerate(("veiled", "nowhere", "private", "open")):
        board = w.board("ancient" if name == "private" else "modern")
        thread = start(board, opener, f"What if {name}")
        say(thread, n, **({"spot": "none"} if name == "nowhere" else {}))
        w.ids[name] = thread.pk
    states.hide(user=keeper, post=w.thread("veiled").posts.get(), **WHY)
    boards.change(user=w.user("chief"), board=w.board("ancient"), audience="members")
    boards.change(user=w.user("chief"), board=w.board("modern"), hide_after_reports=1)
    w.ids["waits"] = waiting(w).pk
    bring("t", 1)
    return w


def waiting(w: worlds.World) -> Thread:
    """A debate that waits for approval, which another member opened."""
    board = Board.objects.filter(slug="modern")
    board.update(approve_first=99)
    thread = start(w.board("modern"), w.user("answerer"), "What if it waited")
    board.update(approve_first=None)
    assert thread.state == State.PENDING
    say(thread, 3)
    return thread


def bring(key: str, version: int, *dates: str) -> None:
    """Load a debate, or a newer version of it, that leaves history at these dates."""
    made = with_card(objects(key, [None, 1], version=version), *dates)
    made[0]["fields"]["board"] = ["modern"]
    loading.load(parsing.read(fixture.dump(made), "t.json"))


def opening(w: worlds.World, name: str) -> Post:
    return Post.objects.select_related("thread__board").get(pk=w.thread(name).posts.get().pk)


def by_a_moderator(act, **more):
    return lambda w: act(
        user=w.user("keeper"), **{name: find(w) for name, find in more.items()}, **WHY
    )


def erases_a_place(w: worlds.World) -> None:
    post, words = w.post("a"), "London"
    texts = erasing.find(post, words).texts
    assert texts
    erasing.erase(user=w.user("chief"), post=post, words=words, reason="A court.", texts=texts)


# What the catalogue does to posts, or to debates that leave history nowhere.
MORE = {
    "hide an opening": by_a_moderator(states.hide, post=lambda w: opening(w, "open")),
    "remove an opening": by_a_moderator(states.remove, post=lambda w: opening(w, "open")),
    "restore an opening": by_a_moderator(states.restore, post=lambda w: opening(w, "veiled")),
    "approve a debate": by_a_moderator(states.approve, post=lambda w: opening(w, "waits")),
    "reject a debate": by_a_moderator(states.reject, post=lambda w: opening(w, "waits")),
    "hide a debate": by_a_moderator(states.hide_thread, thread=lambda w: w.thread("open")),
    "restore a debate": by_a_moderator(states.restore_thread, thread=lambda w: w.thread("gone")),
    "move a debate": by_a_moderator(
        moving.move_thread, thread=lambda w: w.thread("open"), board=lambda w: w.board("ancient")
    ),
    "move a debate out": by_a_moderator(
        moving.move_thread, thread=lambda w: w.thread("private"), board=lambda w: w.board("modern")
    ),
    "merge into what says the same": by_a_moderator(
        merging.merge, thread=lambda w: w.thread("open"), into=lambda w: w.thread("once")
    ),
    "clean up": lambda w: cleanup.clean_up(
        user=w.user("keeper"),
        member=w.user("opener"),
        post_ids=[opening(w, "open").pk],
        thread_ids=[w.ids["main"]],
        batch=w.token,
        **WHY,
    ),
    "report an opening": lambda w: reports.report(
        user=w.user("stranger"), post=opening(w, "open"), reason="topic", token=uuid.uuid4()
    ),
    "describe": lambda w: say(w.thread("open"), 5),
    "describe to the same": lambda w: description.describe(
        user=w.user("opener"), thread=w.thread("open"), divergences=said(4), questions=["Why?"]
    ),
    "describe no more": lambda w: description.describe(
        user=w.user("opener"), thread=w.thread("open"), divergences=[], questions=[]
    ),
    "place": lambda w: description.place(w.ids["nowhere"]),
    "load": lambda w: bring("u", 1, "1066", "1421"),
    "load what is newer": lambda w: bring("t", 2, "1066"),
    "erase a place": erases_a_place,
    "heal": lambda w: call_command("check_forum", fix=True, stdout=StringIO()),
    "narrow a board": lambda w: boards.change(
        user=w.user("chief"), board=w.board("modern"), audience="members"
    ),
    "open a board": lambda w: boards.change(
        user=w.user("chief"), board=w.board("ancient"), audience="public"
    ),
    "close an address": lambda w: boards.change(
        user=w.user("chief"), board=w.board("modern"), slug="other"
    ),
    "variant": lambda w: variants.declare(
        user=w.user("opener"), thread=w.thread("open"), other=w.thread("once"), **WHY
    ),
}
# Of these nothing that is counted is another afterwards.
SHOWN_ALIKE = ("reject a debate", "variant")


@override_settings(**UNHURRIED)
class AfterEveryAct(TestCase):
    """One forum for all acts: each is done, taken back where it can be, and rolled back."""

    @classmethod
    def setUpTestData(cls) -> None:
        cls.w = built()
        Divergence.objects.filter(thread=cls.w.ids["nowhere"]).update(first_day=5)  # to be healed

    def test_what_is_counted_is_another_only_under_another_number(self):
        for name, act in {**CASES, **BY_A_MODERATOR, **MORE}.items():
            with self.subTest(name), transaction.atomic():
                self.act(name, act)
                transaction.set_rollback(True)

    def act(self, name: str, act) -> None:
        kept = Kept()  # what is rolled back stood under numbers that come again
        since = AuditEntry.objects.latest("pk").pk
        was = by_id() if name in OTHERWISE else {}
        before = kept.look()
        self.assertTrue(all(before))
        act(self.w)
        now = kept.look()
        if name in MORE and name not in SHOWN_ALIKE:
            self.assertNotEqual(now, before, "it shows nowhere here")
        if name in OTHERWISE:
            OTHERWISE[name](self.w, was)
            kept.look()
        for entry in AuditEntry.objects.filter(pk__gt=since).order_by("-pk"):
            if entry.verb in undoing.ACTS and name not in OTHERWISE:
                with suppress(Refused):
                    undoing.undo(user=self.w.user("second"), entry=entry, **WHY)
                kept.look()

    @pytest.fixture(autouse=True)
    def kept(self, settings, monkeypatch):
        settings.KEPT_PAGES_MB = 4
        # There are few, and the timeline counts only what does not fit on a page.
        monkeypatch.setattr(timeline, "PER_PAGE", 1)

    def test_pages_say_what_they_would_without_what_is_kept(self):
        clients = [browser(), browser(self.w.user("stranger"))]

        def pages() -> list[str]:
            answers = product(clients, ("/timeline/", "/map/"))
            return [still(client.get(path).content.decode()) for client, path in answers]

        for name, act in MORE.items():
            caching.fragments.clear()  # see above
            with self.subTest(name), transaction.atomic():
                before = pages()
                self.assertEqual(before, pages())
                act(self.w)
                after = pages()
                caching.fragments.clear()
                self.assertEqual(after, pages())
                self.assertEqual(after == before, name in SHOWN_ALIKE)
                transaction.set_rollback(True)


# --- In any order -----------------------------------------------------------------------------


class Counts(Forum):
    """Only the acts on which it hangs what is counted, mostly on openings and their debates."""

    reply = edit = release = slow = make_board = place_board = remove_board = withdraw = None
    edit_page = read_marks = own = argue = rename = warn = draft = watch = send_mail = None
    the_forum_is_sound_and_as_the_model_says = None
    nobody_is_told_of_what_they_may_not_see_or_did_or_ignore = None
    no_mail_that_waits_would_tell_what_its_member_may_not_see = None
    no_act_carries_words_to_readers_who_may_not_read_their_source = None

    @initialize()
    def begin(self):
        super().begin()
        self.kept = Kept()

    def all_there_is(self) -> tuple:
        return ()

    def post(self, n: int) -> Post:
        if n % 4:
            openings = Post.objects.filter(parent_basis=Post.Basis.OPENING).order_by("pk")
            ids = list(openings.values_list("pk", flat=True))
            return self.by_id(ids[n // 4 % len(ids)])
        return super().post(n // 4)

    @rule(n=ANY, who=STAFF, what=st.integers(0, 4))
    def describe(self, n, who, what):
        thread, user = self.thread(n), User.objects.get(username=who)
        given = [*said(what), *said(what + 1)][: what % 3]
        if self.act(
            "describe",
            lambda: description.describe(
                user=user, thread=thread, divergences=given, questions=[f"Why {what % 2}?"]
            ),
        ):
            self.model = self.read()

    @rule(n=ANY)
    def place(self, n):
        self.act("place", lambda: description.place(self.thread(n).pk))

    @rule(version=st.integers(1, 9), dated=st.booleans())
    def bring(self, version, dated):
        self.act("bring", lambda: bring("t", version, *["1066"] * dated))
        self.model = self.read()

    @invariant()
    def what_is_counted_is_another_only_under_another_number(self):
        if hasattr(self, "kept"):
            done["counted"] = done.get("counted", 0) + sum(map(len, self.kept.look()))


@pytest.fixture
def dated(monkeypatch):
    monkeypatch.setattr(worlds, "build", built)


def test_in_any_order(dated, forum, record_property):
    run(Counts, EXAMPLES)
    assert done.pop("counted")
    record_property("measured", f"{done.pop('refused', 0)} acts refused of {sum(done.values())}")
