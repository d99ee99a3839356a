"""Whatever was done or taken back, each moderator sees the cases of the boards where their posts
stand by then: by the rule that asks the posts, written out here a second time, as the queue does
that reads the cases' own columns."""

from uuid import uuid4

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Coalesce
from django.test import TestCase, override_settings

from accounts.models import User
from forum.actions import cases, members
from forum.models import AuditEntry, Board, Case, Notice, Post, State
from forum.models.visibility import cases_visible_to, moderated_board_ids, moderates_all
from forum.moderation import merging, moving, reports, sanctions, undoing
from forum.permissions import may
from tests.acts import world as worlds
from tests.acts.catalogue import CASES, WHY
from tests.acts.test_undo import BY_A_MODERATOR, OTHERWISE, UNDONE, by_id
from tests.people import UNHURRIED, make_member, pending, reply, start

MODERATORS = {
    "of modern": ("modern",),
    "of ancient": ("ancient",),
    "of two": ("modern", "ancient"),
}
EVERYBODY = (*MODERATORS, "keeper", "second", "chief", "witness")
# Beside the catalogue: what takes posts from one board to another.
MORE = {
    "split into another board": lambda w: moving.split(
        user=w.user("keeper"),
        thread=w.thread("main"),
        chosen=[w.ids["b"], w.ids["c"], w.ids["d"]],
        title="What of the secretary",
        board=w.board("ancient"),
        **WHY,
    ),
    "move a branch to another board": lambda w: moving.move_branch(
        user=w.user("keeper"), post=w.post("late"), target=w.thread("main"), **WHY
    ),
    "merge into another board": lambda w: merging.merge(
        user=w.user("keeper"), thread=w.thread("far"), into=w.thread("main"), **WHY
    ),
}


def build() -> worlds.World:
    """The forum of the acts with a case of each kind, about posts of two boards and their debates,
    some of them about moderators or answers to what moderators did."""
    w = worlds.build()
    for name, boards in MODERATORS.items():
        user = make_member(name.replace(" ", "-"), is_staff=True)
        user.moderated_boards.set(Board.objects.filter(slug__in=boards))
        w.ids[name] = user.pk
    far = start(w.board("ancient"), w.user("opener"), "What if Rome", "It does not fall.")
    late = reply(far, w.user("answerer"), "It does.")
    own = [
        reply(w.thread("main"), moderator(w, name), f"By who is {name}.")
        for name in ("keeper", "of modern", "of two")
    ]
    w.ids |= {"far": far.pk, "late": late.pk}
    witness = make_member("witness")
    reported = [w.ids[name] for name in ("a", "b", "d", "late")] + [post.pk for post in own]
    for pk, reason in zip(reported, ["spam", "illegal", "attack"] * 3, strict=False):
        post = Post.objects.select_related("thread__board").get(pk=pk)
        reports.report(user=witness, post=post, reason=reason, token=uuid4())
    pending(far, make_member("somebody"))
    stranger = w.user("stranger")
    for notice in Notice.objects.filter(member=stranger, kind=Notice.Kind.ACT):
        if cases.may_answer(notice):
            cases.answer(user=stranger, notice=notice, text="Why?")
    assert Case.objects.filter(kind=Case.Kind.APPEAL, thread__isnull=False).exists()
    told = sanctions.warn(user=w.user("chief"), member=w.user("keeper"), points=1, reason="So.")
    cases.answer(user=w.user("keeper"), notice=Notice.objects.get(entry=told), text="Why?")
    members.ask_for_name(user=w.user("stranger"), name="better-known")
    for name, known in (("known", True), ("unknown", False)):
        who = make_member(name)
        EmailAddress.objects.filter(user=who).update(verified=known)
        Case.objects.create(kind=Case.Kind.JOIN, member=who)
    kinds = set(Case.objects.open().values_list("kind", flat=True))
    assert kinds >= {"report", "held", "appeal", "name", "join"}
    return w


def moderator(w: worlds.World, name: str) -> User:
    return User.objects.get(pk=w.ids[name]) if name in MODERATORS else w.user(name)


def by_their_posts(user) -> set[int]:
    """The cases that `user` may decide, asked of where the posts stand."""
    rows = Case.objects.annotate(
        where=Coalesce("post__thread__board_id", "thread__board_id", "board_id"),
        concerns=Coalesce("member_id", Value(0)),
        acted=Coalesce("notice__entry__actor_id", Value(0)),
    ).exclude(post__thread__state=State.LOADING)
    if settings.CONFIRM_ADDRESS == "required":
        known = EmailAddress.objects.filter(user=OuterRef("member"), verified=True)
        rows = rows.exclude(Q(kind=Case.Kind.JOIN) & ~Exists(known))
    if not user.is_superuser:
        rows = rows.exclude(kind=Case.Kind.NAME)
    if not moderates_all(user):
        rows = rows.filter(where__in=list(moderated_board_ids(user)))
    others = (
        User.objects.filter(is_active=True)
        .exclude(pk=OuterRef("concerns"))
        .exclude(pk=OuterRef("acted"))
        .filter(
            Q(is_superuser=True)
            | Q(is_moderator=True)
            | Q(is_staff=True, moderated_boards=OuterRef("where"))
        )
    )
    own = Q(concerns=user.pk) | Q(acted=user.pk)
    return set(rows.filter(~own | ~Exists(others)).values_list("pk", flat=True))


@override_settings(**UNHURRIED)
class SeenWhereTheyStand(TestCase):
    """One forum for all acts: each is done, taken back where it can be, and rolled back."""

    @classmethod
    def setUpTestData(cls) -> None:
        cls.w = build()

    def seen(self) -> dict[str, set[int]]:
        """The cases that each sees, the same by both rules."""
        found = {}
        for name in EVERYBODY:
            user = moderator(self.w, name)
            found[name] = set(cases_visible_to(user).values_list("pk", flat=True))
            self.assertEqual(found[name], by_their_posts(user), name)
        return found

    def test_both_rules_are_one_whoever_asks(self):
        for asked in ("required", "optional"):
            with self.subTest(asked), override_settings(CONFIRM_ADDRESS=asked):
                found = self.seen()
                assert found["of modern"] and found["of ancient"]
                assert not found["witness"]
                assert len({frozenset(rows) for rows in found.values()}) == len(EVERYBODY)
                for name in EVERYBODY:
                    user = moderator(self.w, name)
                    may_decide = {
                        case.pk for case in Case.objects.all() if may(user, "decide", case)
                    }
                    unknown = Case.objects.filter(kind=Case.Kind.JOIN).values_list("pk", flat=True)
                    self.assertEqual(found[name] - {*unknown}, may_decide - {*unknown}, name)

    def test_nobody_else_decides_so_one_decides_about_oneself(self):
        """Each rule lets a moderator have it who is left alone."""
        User.objects.filter(is_moderator=True).update(is_active=False)
        User.objects.filter(is_superuser=True).update(is_active=False)
        alone = moderator(self.w, "of modern")
        assert Case.objects.filter(member=alone, pk__in=self.seen()["of two"]).exists()
        alone.moderated_boards.through.objects.exclude(user=alone).delete()
        assert Case.objects.filter(member=alone, pk__in=self.seen()["of modern"]).exists()

    def test_after_every_act_and_its_undoing(self):
        before, moved = self.seen(), set()
        for name, act in {**CASES, **BY_A_MODERATOR, **MORE}.items():
            with self.subTest(name), transaction.atomic():
                since, was = AuditEntry.objects.latest("pk").pk, by_id()
                act(self.w)
                if self.seen() != before:
                    moved.add(name)
                if name in OTHERWISE:
                    OTHERWISE[name](self.w, was)
                elif name in UNDONE or name in BY_A_MODERATOR or name in MORE:
                    for entry in AuditEntry.objects.filter(pk__gt=since).order_by("-pk"):
                        undoing.undo(user=self.w.user("second"), entry=entry, **WHY)
                self.seen()
                transaction.set_rollback(True)
        assert {"moving.move_thread", *MORE} <= moved
