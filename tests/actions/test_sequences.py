"""Random sequences of everything that happens to posts. After every step an independent check of
the rows must find nothing, and every member must have read exactly what they had read.

The ordinary run plays SEQUENCES of them; JONBAR_LONG=1 plays a thousand.
"""

import os
import random
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from forum.actions import drafts, posts, read_state
from forum.actions.composing import Unacceptable
from forum.models import AuditEntry, Board, Draft, Post, Quote, State, Thread
from forum.moderation import merging, moving, states, undoing
from forum.permissions import Refused
from tests.people import make_member, quoting, start
from tests.races.soundness import faults

pytestmark = pytest.mark.django_db
SEQUENCES = 1000 if os.environ.get("JONBAR_LONG") == "1" else 5
STEPS = 28
WORDS = "the ice was thin and the carts were heavy that winter on the river".split()


class Game:
    """One forum and what may happen to it; remembers by itself what everybody has read."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.deck: list = []  # what may happen, shuffled: each act has its turn in every sequence
        self.keeper = User.objects.get(username="keeper")
        self.members = list(User.objects.filter(is_staff=False).order_by("pk"))
        self.boards = list(Board.objects.order_by("pk"))
        for board in self.boards:
            for member in self.members[:2]:
                start(board, member, title=f"What if {self.text()}?", text=self.text())
        # One who comes when some was written already.
        late = self.members[2]
        late.date_joined = timezone.now()
        late.save(update_fields=["date_joined"])
        self.read: dict[int, set[int]] = {
            member.pk: set(
                Post.objects.filter(
                    Q(loaded_at__lte=member.date_joined) | Q(author=member)
                ).values_list("pk", flat=True)
            )
            for member in self.members
        }

    def text(self) -> str:
        return " ".join(self.random.choices(WORDS, k=self.random.randint(3, 12))).capitalize() + "."

    def thread(self) -> Thread:
        rows = Thread.objects.select_related("board").filter(state=State.VISIBLE)
        return self.random.choice(list(rows.order_by("pk")))

    def post(self, **wanted) -> Post | None:
        rows = Post.objects.select_related("thread__board", "author", "body").filter(**wanted)
        rows = list(rows.filter(thread__state=State.VISIBLE).order_by("pk"))
        return self.random.choice(rows) if rows else None

    # What may happen, each in its own words; more often what happens more often.

    def reply(self):
        thread = self.thread()
        to = self.post(thread=thread, state=State.VISIBLE)
        source = self.post(state=State.VISIBLE)
        text = self.text()
        if source and self.random.random() < 0.5:
            words = source.body.revision.plain.split(". ")[0]
            text = quoting(source, words, then=self.text())
        author = self.random.choice(self.members)
        post = posts.reply(user=author, thread=thread, source=text, token=uuid4(), parent=to)
        if post.number:
            self.read[author.pk].add(post.pk)  # what one wrote one has read

    def edit(self):
        if post := self.post(state=State.VISIBLE, author__in=self.members):
            posts.edit(
                user=post.author, post=post, source=self.text(), base=post.body.revision_number
            )

    def hide(self):
        if post := self.post(state=State.VISIBLE):
            act = self.random.choice([states.hide, states.remove])
            act(user=self.keeper, post=post, reason="Off the point.")

    def restore(self):
        if post := self.post(state__in=[State.HIDDEN, State.REMOVED], number__isnull=False):
            states.restore(user=self.keeper, post=post)

    def demand(self):
        act = self.random.choice([states.demand_approval, states.waive_approval])
        act(user=self.keeper, thread=self.thread())

    def decide(self):
        if post := self.post(state__in=[State.PENDING, State.REJECTED]):
            act = self.random.choice([states.approve, states.approve, states.reject])
            act(user=self.keeper, post=post, reason="Read.")
            post = Post.objects.get(pk=post.pk)
            if post.number and post.author_id in self.read:
                self.read[post.author_id].add(post.pk)  # let in, it is one's own as well

    def lock_branch(self):
        if post := self.post(state=State.VISIBLE):
            act = self.random.choice([states.lock_branch, states.unlock_branch])
            act(user=self.keeper, post=post)

    def move(self):
        board = self.random.choice(self.boards)
        moving.move_thread(user=self.keeper, thread=self.thread(), board=board)

    def split(self):
        thread = self.thread()
        numbered = Post.objects.filter(thread=thread, number__gt=1).order_by("number")
        ids = list(numbered.values_list("pk", flat=True))
        if not ids:
            return
        if self.random.random() < 0.5:
            chosen = self.random.sample(ids, self.random.randint(1, len(ids)))
        else:
            chosen = moving.branch(Post.objects.get(pk=self.random.choice(ids)))
        moving.split(user=self.keeper, thread=thread, chosen=chosen, title="Split off")

    def move_branch(self):
        thread = self.thread()
        if post := self.post(number__gt=1):
            answers = self.post(thread=thread, number__isnull=False)
            moving.move_branch(user=self.keeper, post=post, target=thread, answers=answers)

    def merge(self):
        merging.merge(user=self.keeper, thread=self.thread(), into=self.thread())

    def undo(self):
        entries = list(AuditEntry.objects.order_by("-pk")[:6])
        if not entries:
            return
        undoing.undo(user=self.keeper, entry=self.random.choice(entries))

    def see(self):
        member = self.random.choice(self.members)
        thread = self.thread()
        first = self.random.randint(1, thread.numbered)
        last = self.random.randint(first, thread.numbered)
        read_state.mark_read(user=member, thread=thread, numbers=[(first, last)])
        seen = Post.objects.filter(thread=thread, number__gte=first, number__lte=last)
        self.read[member.pk] |= set(seen.values_list("pk", flat=True))

    def fold(self):
        if post := self.post(number__gt=1):
            member = self.random.choice(self.members)
            read_state.fold(user=member, thread=post.thread, post_id=post.pk, folded=True)

    def draft(self):
        if post := self.post(state=State.VISIBLE):
            drafts.save(
                user=self.random.choice(self.members),
                token=uuid4(),
                target=f"/threads/{post.thread_id}/reply/?to={post.pk}",
                label=drafts.label_for(post.thread, post),
                text=self.text(),
            )

    STEPS = (reply,) * 8 + (edit, hide, restore, demand, decide, decide, lock_branch, move)
    STEPS += (split, split, move_branch, move_branch, merge, undo, undo, see, see, fold, draft)

    def step(self) -> str:
        if not self.deck:
            self.deck = self.random.sample(self.STEPS, len(self.STEPS))
        act = self.deck.pop()
        try:
            with transaction.atomic():
                act(self)
        except (Refused, Unacceptable) as refusal:
            return f"{act.__name__}: {refusal}"
        return act.__name__

    def wrong(self) -> list[str]:
        """What does not hold, by rows and by what this game remembers."""
        found = faults(connection)
        threads = list(Thread.objects.filter(state=State.VISIBLE))
        numbered = Post.objects.filter(thread__in=threads, number__isnull=False)
        there = list(numbered.values_list("pk", "thread_id", "number"))
        for member in self.members:
            seen = {thread.pk: read_state.seen(member, thread) for thread in threads}
            marked = {pk for pk, thread, number in there if seen[thread].has(number)}
            right = self.read[member.pk] & {pk for pk, *_ in there}
            if marked != right:
                found.append(f"{member} has read {sorted(marked)}, not {sorted(right)}")
        for draft in Draft.objects.filter(target__contains="?to="):
            post = Post.objects.select_related("thread").get(pk=draft.target.split("=")[1])
            if post.number and not draft.label.startswith(f"Answer to #{post.number} in "):
                found.append(f"draft {draft.pk} says {draft.label} of #{post.number}")
        return found


@pytest.fixture
def everybody(db):
    for name in ("member-a", "member-b", "member-c"):
        make_member(name)
    make_member("keeper", is_staff=True, is_moderator=True)
    for name in ("Rivers", "Roads"):
        Board.objects.create(name=name, slug=name.lower())


def test_after_every_step_everything_is_right(everybody, settings, record_property):
    settings.POSTS_PER_MINUTE = settings.STARTS_PER_HOUR = 0
    done: dict[str, int] = {}
    for seed in range(SEQUENCES):
        with transaction.atomic():
            game, story = Game(seed), []
            quoted = dict(Quote.objects.values_list("pk", "words"))
            for _ in range(STEPS):
                story.append(game.step())
                assert not game.wrong(), (seed, story)
                now = dict(Quote.objects.values_list("pk", "words"))
                assert quoted.items() <= now.items(), (seed, story)
                quoted = now
            for name in story:
                done[name] = done.get(name, 0) + 1
            transaction.set_rollback(True)
    # The game is worth its time only if every act succeeds in it, now and then.
    assert {act.__name__ for act in Game.STEPS} <= set(done), done
    kinds = len(set(Game.STEPS))
    record_property(
        "measured", f"{SEQUENCES} sequences, {SEQUENCES * STEPS} steps of {kinds} kinds"
    )
