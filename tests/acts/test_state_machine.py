"""Acts in any order, by anybody, on anything: after each of them the forum is sound and is what a
model without a database says it should be.

The model knows posts, where they stand, what they answer and what they say, debates with their
states, boards, the site's own pages and pictures. What an act refuses must change nothing at all.
JONBAR_LONG=1 goes on for much longer.
"""

import os
import re
import uuid
from copy import deepcopy

import pytest
from django.core import mail
from django.core.exceptions import ObjectDoesNotExist
from django.db import connection
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from accounts.models import User
from forum.actions import (
    arguments,
    boards,
    drafts,
    members,
    pages,
    posts,
    read_state,
    threadmarks,
    threads,
    watching,
)
from forum.actions.composing import Unacceptable
from forum.actions.pace import TooFast
from forum.actions.posts import EditedMeanwhile
from forum.checking import check
from forum.mailing import composing
from forum.models import AuditEntry, Board, Case, Mail, Page, Post, Quote, Thread, Upload
from forum.models.visibility import notices_visible_to
from forum.models.watches import LEVELS
from forum.moderation import (
    cleanup,
    erasing,
    merging,
    moving,
    queue,
    reports,
    sanctions,
    states,
    undoing,
)
from forum.operations import pictures as files
from forum.outbox.worker import Worker
from forum.permissions import Refused, may
from forum.transfer import Rejected, uploads
from tests.acts import pictures
from tests.acts import world as worlds
from tests.mailing.conftest import make_due
from tests.races.soundness import faults

LONG = os.environ.get("JONBAR_LONG") == "1"
EXAMPLES, OF_PICTURES, STEPS = (60, 60, 60) if LONG else (8, 5, 25)
ANNOUNCED = (
    *(Refused, Unacceptable, EditedMeanwhile, TooFast, ObjectDoesNotExist),
    *(drafts.NotKept, Rejected),
)
PEOPLE = st.sampled_from(["opener", "answerer", "stranger", "keeper", "chief"])
STAFF = st.sampled_from(["keeper", "chief"])
ANY = st.integers(0, 10**6)
VISIBLE = {"state": "visible"}
# In the words that the rules write.
TOKEN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
done: dict[str, int] = {}


class Forum(pictures.WithPictures, RuleBasedStateMachine):
    """Each rule does one act through forum.actions and says to the model what should follow."""

    @initialize()
    def begin(self):
        worlds.restore(Forum.empty)
        pictures.put_back(Forum.files)
        self.sound = Forum.empty
        self.w = deepcopy(Forum.world)
        self.model = self.read()
        self.audiences, self.carried, self.mailed = {}, set(), set()
        self.begin_pictures()

    # --- The model ---

    def read(self) -> dict:
        """What stands in the database, in the model's terms."""
        return {
            "posts": {
                row["pk"]: row
                for row in Post.objects.values(
                    *("pk", "thread_id", "parent_id", "parent_basis", "state", "lane"),
                    "body__revision__source",
                )
            },
            "threads": {
                row["pk"]: row
                for row in Thread.objects.values(
                    *("pk", "board_id", "title", "state", "locked", "closed_by_author", "pinned"),
                    *("archived", "approval", "slow_minutes"),
                )
            },
            "boards": {
                row["pk"]: row
                for row in Board.objects.values(
                    "pk", "name", "parent_id", "description", "audience", "read_only"
                )
            },
            "pages": dict(Page.objects.values_list("kind", "source")),
        }

    def post(self, n: int) -> Post:
        """Any post; a third of the time one that shows a picture, or once did."""
        ids = sorted(self.model["posts"])
        if n % 3 == 0 and (showing := self.showing()):
            ids, n = showing, n // 3
        return self.by_id(ids[n % len(ids)])

    def by_id(self, pk: int) -> Post:
        return Post.objects.select_related("thread__board", "body__revision", "author").get(pk=pk)

    def thread(self, n: int) -> Thread:
        ids = sorted(self.model["threads"])
        if n % 3 == 0 and (showing := self.showing()):
            ids = sorted({self.model["posts"][pk]["thread_id"] for pk in showing})
            n //= 3
        return Thread.objects.select_related("board").get(pk=ids[n % len(ids)])

    def all_there_is(self) -> tuple:
        return worlds.snapshot(), set(files.listed())

    def act(self, name: str, do):
        """Do it; what is refused leaves no trace. Returns what came of it, or None."""
        before = self.all_there_is()
        try:
            made = do()
        except ANNOUNCED:
            assert self.all_there_is() == before, f"{name} was refused, yet something changed"
            done["refused"] = done.get("refused", 0) + 1
            return None
        done[name] = done.get(name, 0) + 1
        return made if made is not None else True

    def expect(self, kind: str, pk: int, **values) -> None:
        self.model[kind][pk].update(values)

    def expect_state(self, pk: int, state: str) -> None:
        """Of a post; a debate waits with its opening, and comes or goes with it then."""
        post = self.model["posts"][pk]
        if self.opens(pk) and {post["state"], state} & {"pending", "rejected"}:
            self.expect("threads", post["thread_id"], state=state)
        post["state"] = state

    def opens(self, pk: int) -> bool:
        return self.model["posts"][pk]["parent_basis"] == "opening"

    # --- Writing ---

    @rule(who=PEOPLE, to=ANY, whole=st.booleans(), quoting=st.booleans())
    def reply(self, who, to, whole, quoting):
        target = self.post(to)
        words = target.body.revision.plain.partition("\n")[0]
        text = f"Said {uuid.uuid4()}."
        if quoting:
            text = f'[quote="x, post: {target.pk}"]{words}[/quote]\n\n{text}'
        self.say(who, to, text, whole=whole)

    def say(self, who: str, to: int, text: str, *, whole: bool = False) -> Post | None:
        """Reply with this text; None where that is refused."""
        target = self.post(to)
        made = self.act(
            "reply",
            lambda: posts.reply(
                user=User.objects.get(username=who),
                thread=target.thread,
                parent=None if whole else target,
                source=text,
                token=uuid.uuid4(),
            ),
        )
        if made is None:
            return None
        state = self.model["threads"][target.thread_id]
        assert not (state["locked"] or state["closed_by_author"] or state["archived"]) or (
            who in ("keeper", "chief") and not state["archived"]
        )
        opening = Post.objects.opening_of(target.thread_id).get()
        self.model["posts"][made.pk] = {
            "pk": made.pk,
            "thread_id": target.thread_id,
            "parent_id": None if whole or target.pk == opening.pk else target.pk,
            "parent_basis": "reply",
            "state": made.state,
            "body__revision__source": text,
            "lane": made.lane,
        }
        assert made.state in ("visible", "pending")
        return made

    @rule(who=PEOPLE, board=ANY)
    def start(self, who, board):
        text, where = f"It holds {uuid.uuid4()}.", self.board(board)
        made = self.act(
            "start",
            lambda: threads.start(
                user=User.objects.get(username=who),
                board=where,
                title="What if the bridge held",
                kind="discussion",
                source=text,
                token=uuid.uuid4(),
            ),
        )
        if made is not None:
            now = self.read()
            new = now["posts"].keys() - self.model["posts"].keys()
            assert len(new) == 1
            assert now["posts"][min(new)]["body__revision__source"] == text
            self.model["posts"][min(new)] = now["posts"][min(new)]
            self.model["threads"][made.pk] = now["threads"][made.pk]

    @rule(n=ANY)
    def edit(self, n):
        target, text = self.post(n), f"Rather {uuid.uuid4()}."
        if target.author is None:
            return
        base = target.body.revision_number
        if self.act(
            "edit", lambda: posts.edit(user=target.author, post=target, source=text, base=base)
        ):
            self.expect("posts", target.pk, body__revision__source=text)

    @rule(n=ANY)
    def withdraw(self, n):
        target = self.post(n)
        if target.author and self.act(
            "withdraw", lambda: posts.withdraw(user=target.author, post=target)
        ):
            self.expect_state(target.pk, "removed")

    @rule(n=ANY)
    def release(self, n):
        """What slow mode holds, or held in the debate from which a moderator took it."""
        held = list(Post.objects.exclude(held_until=None).order_by("pk"))
        target = held[n % len(held)] if held else None
        if target and self.act(
            "release", lambda: posts.release(user=target.author, post=self.by_id(target.pk))
        ):
            self.expect_state(target.pk, "visible")

    # --- Moderating ---

    @rule(who=STAFF, n=ANY, how=st.sampled_from(["hide", "remove", "restore", "approve", "reject"]))
    def judge(self, who, n, how):
        target, user = self.post(n), User.objects.get(username=who)
        act = getattr(states, how)
        if self.act(how, lambda: act(user=user, post=target, reason="As an example.")):
            state = {"hide": "hidden", "remove": "removed", "reject": "rejected"}
            self.expect_state(target.pk, state.get(how, "visible"))

    @rule(
        who=STAFF,
        n=ANY,
        how=st.sampled_from(
            [
                ("lock", {"locked": True}),
                ("unlock", {"locked": False}),
                ("pin", {"pinned": True}),
                ("unpin", {"pinned": False}),
                ("archive", {"archived": True}),
                ("unarchive", {"archived": False}),
                ("demand_approval", {"approval": True}),
                ("waive_approval", {"approval": False}),
                ("hide_thread", {"state": "hidden"}),
                ("restore_thread", {"state": "visible"}),
            ]
        ),
    )
    def rule_thread(self, who, n, how):
        name, values = how
        target, user = self.thread(n), User.objects.get(username=who)
        act = getattr(states, name)
        if self.act(name, lambda: act(user=user, thread=target, reason="As an example.")):
            self.expect("threads", target.pk, **values)

    @rule(who=STAFF, n=ANY, minutes=st.sampled_from([0, 9]))
    def slow(self, who, n, minutes):
        target, user = self.thread(n), User.objects.get(username=who)
        if self.act("slow", lambda: states.slow(user=user, thread=target, minutes=minutes)):
            self.expect("threads", target.pk, slow_minutes=minutes)

    @rule(who=STAFF, n=ANY, board=ANY)
    def move_thread(self, who, n, board):
        target, to = self.thread(n), self.board(board)
        user = User.objects.get(username=who)
        if self.act("move thread", lambda: moving.move_thread(user=user, thread=target, board=to)):
            self.expect("threads", target.pk, board_id=to.pk)

    @rule(who=STAFF, n=ANY, count=st.integers(1, 4))
    def split(self, who, n, count):
        target, user = self.thread(n), User.objects.get(username=who)
        inside = sorted(
            pk for pk, row in self.model["posts"].items() if row["thread_id"] == target.pk
        )
        chosen = inside[1 : 1 + count]
        made = self.act(
            "split",
            lambda: moving.split(user=user, thread=target, chosen=chosen, title="A part"),
        )
        if made is not None:
            self.moved({target.pk: None, made.pk: set(chosen)})

    @rule(who=STAFF, n=ANY, into=ANY)
    def merge(self, who, n, into):
        one, other = self.thread(n), self.thread(into)
        user = User.objects.get(username=who)
        if self.act("merge", lambda: merging.merge(user=user, thread=one, into=other)):
            mine = {pk for pk, row in self.model["posts"].items() if row["thread_id"] == one.pk}
            self.moved({one.pk: set(), other.pk: mine})

    @rule(who=STAFF, n=ANY, into=ANY)
    def move_branch(self, who, n, into):
        target, other = self.post(n), self.thread(into)
        user = User.objects.get(username=who)
        below, grown = {target.pk}, True
        while grown:
            more = {
                pk for pk, row in self.model["posts"].items() if row["parent_id"] in below
            } - below
            below, grown = below | more, bool(more)
        if self.act(
            "move branch", lambda: moving.move_branch(user=user, post=target, target=other)
        ):
            self.moved({other.pk: below})

    def moved(self, gained: dict[int, set[int] | None]) -> None:
        """After posts changed their debate: none is lost, none says something else or is in another
        state, and those that went are where they were sent."""
        now = self.read()
        assert now["posts"].keys() == self.model["posts"].keys()
        for pk, row in now["posts"].items():
            was = self.model["posts"][pk]
            for name in ("state", "body__revision__source"):
                assert row[name] == was[name], (pk, name)
        for thread_id, ids in gained.items():
            inside = {pk for pk, row in now["posts"].items() if row["thread_id"] == thread_id}
            assert ids is None or ids <= inside
            assert ids != set() or not inside
        self.model = now

    @rule(who=STAFF, n=ANY)
    def undo(self, who, n):
        user = User.objects.get(username=who)
        entries = AuditEntry.objects.order_by("-pk")[:6]
        entry = entries[n % len(entries)] if entries else None
        if entry and self.act(
            "undo", lambda: undoing.undo(user=user, entry=entry, reason="Too hasty.")
        ):
            now = self.read()
            # Nothing is lost by it; an undone split takes its empty debate along.
            assert now["posts"].keys() == self.model["posts"].keys()
            assert now["threads"].keys() <= self.model["threads"].keys()
            self.model = now

    # --- Looking after boards and members ---

    def only(self, kind: str, ids: set[int], *, new: int = 0) -> None:
        """After an act whose whole effect the model does not foresee: nothing but these changed
        (with an opening its debate may), nothing is gone, and so many debates are new at most."""
        now, allowed = self.read(), {kind: ids}
        if kind == "posts":
            opened = {pk for pk in ids & self.model["posts"].keys() if self.opens(pk)}
            allowed["threads"] = {self.model["posts"][pk]["thread_id"] for pk in opened}
        for name in ("posts", "threads", "boards"):
            was = self.model[name]
            assert was.keys() <= now[name].keys()
            changed = {pk for pk, row in was.items() if now[name][pk] != row}
            assert changed <= allowed.get(name, set()), (name, changed, ids)
        fresh = now["threads"].keys() - self.model["threads"].keys()
        assert len(fresh) <= new
        added = now["posts"].keys() - self.model["posts"].keys()
        assert all(now["posts"][pk]["thread_id"] in fresh for pk in added)
        self.model = now

    def board(self, n: int) -> Board:
        ids = sorted(self.model["boards"])
        return Board.objects.get(pk=ids[n % len(ids)])

    @rule(who=STAFF, n=ANY, name=st.sampled_from(["Maps", "Ships", "Trains"]))
    def make_board(self, who, n, name):
        user = User.objects.get(username=who)
        board = Board(name=name, slug=f"board-{n}")
        if Board.objects.filter(slug=board.slug).exists():
            return
        if self.act("make board", lambda: boards.make(user=user, board=board)):
            row = Board.objects.values(*self.model["boards"][min(self.model["boards"])])
            self.model["boards"][board.pk] = row.get(pk=board.pk)
            assert self.model["boards"][board.pk]["name"] == name

    @rule(
        who=STAFF,
        n=ANY,
        values=st.sampled_from(
            [
                {"description": "Since 1900."},
                {"read_only": True},
                {"read_only": False},
                {"audience": "members"},
                {"audience": "public"},
            ]
        ),
    )
    def change_board(self, who, n, values):
        board, user = self.board(n), User.objects.get(username=who)
        if self.act("change board", lambda: boards.change(user=user, board=board, **values)):
            self.expect("boards", board.pk, **values)

    @rule(who=STAFF, n=ANY, beside=ANY, position=st.sampled_from(["left", "right", "last-child"]))
    def place_board(self, who, n, beside, position):
        board, other = self.board(n), self.board(beside)
        user = User.objects.get(username=who)
        if self.act(
            "place board",
            lambda: boards.move_beside(user=user, board=board, beside=other, position=position),
        ):
            # Placed beside itself it stays where it is.
            if board.pk != other.pk:
                parent = other.pk if position == "last-child" else other.parent_id
                self.expect("boards", board.pk, parent_id=parent)

    @rule(who=STAFF, n=ANY)
    def remove_board(self, who, n):
        board, user = self.board(n), User.objects.get(username=who)
        if len(self.model["boards"]) > 3 and self.act(
            "remove board", lambda: boards.remove(user=user, board=board) or True
        ):
            del self.model["boards"][board.pk]

    @rule(who=STAFF, kind=st.sampled_from(["rules", "imprint"]), n=ANY)
    def edit_page(self, who, kind, n):
        user, text = User.objects.get(username=who), f"Be kind, {n} times."
        if self.act("edit page", lambda: pages.edit(user=user, kind=kind, source=text)):
            self.model["pages"][kind] = text

    @rule(who=STAFF, n=ANY, count=st.integers(1, 3))
    def clean_up(self, who, n, count):
        user, target = User.objects.get(username=who), self.post(n)
        mine = Post.objects.filter(author=target.author).order_by("pk")
        ids = set(mine.values_list("pk", flat=True)[:count])
        if target.author and self.act(
            "clean up",
            lambda: cleanup.clean_up(
                user=user, member=target.author, post_ids=ids, reason="Ads.", batch=uuid.uuid4()
            ),
        ):
            self.only("posts", ids)
            assert not {self.model["posts"][pk]["state"] for pk in ids} & {"visible", "pending"}

    @rule(who=STAFF)
    def undo_clean_up(self, who):
        user = User.objects.get(username=who)
        entry = AuditEntry.objects.filter(verb="clean up").order_by("-pk").first()
        if entry and self.act("undo clean up", lambda: cleanup.undo(user=user, entry=entry)):
            self.only("posts", set(self.model["posts"]))

    @rule(who=STAFF, n=ANY, how=st.integers(0, 3))
    def decide(self, who, n, how):
        user, cases = User.objects.get(username=who), Case.objects.filter(decision=None)
        waiting = list(cases.order_by("pk"))
        if not waiting:
            return
        case = waiting[n % len(waiting)]
        acts = list(queue.DECISIONS[case.kind])
        act = acts[how % len(acts)]
        if self.act(
            f"decide: {act}",
            lambda: queue.decide(
                user=user, case=case, act=act, reason="Read.", points=act == "warn"
            ),
        ):
            # Taking back may bring back what a whole clean-up or a move did.
            if act == "undo":
                self.model = self.read()
            else:
                self.only("posts", {case.post_id})

    @rule(n=ANY, whole=st.booleans())
    def erase(self, n, whole):
        target, chief = self.post(n), User.objects.get(username="chief")
        words = "" if whole else target.body.revision.plain.partition("\n")[0]

        def find_and_erase():  # a line that was blackened before is too short to be looked for
            texts = erasing.find(target, words).texts
            return erasing.erase(
                user=chief, post=target, words=words, reason="By law 12.", texts=texts
            )

        if self.act("erase", find_and_erase):
            self.only("posts", set(self.model["posts"]))
            if not words:
                self.erased_whole(target.pk)
            for row in self.model["posts"].values() if words else ():
                assert words not in row["body__revision__source"]

    @rule(who=STAFF, n=ANY)
    def send_debate(self, who, n):
        user, board = User.objects.get(username=who), self.board(n)
        data = (worlds.ROOT / "fixtures/threads/trotsky-spain.json").read_bytes()
        self.act(
            "upload",
            lambda: uploads.receive(
                user=user, data=data, name="t.json", board=board, kind="WI", token=uuid.uuid4()
            ),
        )

    @rule(who=STAFF, discarding=st.booleans())
    def load_debate(self, who, discarding):
        user, upload = User.objects.get(username=who), Upload.objects.order_by("pk").first()
        if upload is None:
            return
        if discarding:
            self.act("discard upload", lambda: uploads.discard(user=user, upload=upload))
        elif self.act("load upload", lambda: uploads.load(user=user, upload=upload)):
            self.only("posts", set(), new=1)

    # --- One's own ---

    @rule(who=PEOPLE, n=ANY, first=st.integers(1, 9), more=st.integers(0, 9))
    def read_marks(self, who, n, first, more):
        user, target = User.objects.get(username=who), self.thread(n)
        numbers = [(first, min(first + more, target.numbered))]
        if numbers[0][0] <= numbers[0][1]:
            self.act(
                "mark read", lambda: read_state.mark_read(user=user, thread=target, numbers=numbers)
            )

    @rule(who=PEOPLE, n=ANY, how=st.integers(0, 7))
    def own(self, who, n, how):
        user, target = User.objects.get(username=who), self.post(n)
        other = User.objects.get(username="answerer")
        acts = [
            lambda: read_state.fold(
                user=user, thread=target.thread, post_id=target.pk, folded=bool(n % 2)
            ),
            lambda: read_state.mark_all_read(user=user),
            lambda: members.ignore(user=user, other=other, ignored=bool(n % 2)),
            lambda: threadmarks.mark(user=user, post=target, category="story", label="Here"),
            lambda: threadmarks.unmark(user=user, post=target),
            lambda: arguments.change_mind(
                user=user, post=target, was="for", now="against", reason="Well said."
            ),
            lambda: arguments.keep_mind(user=user, post=target),
            lambda: reports.report(user=user, post=target, reason="topic", token=uuid.uuid4()),
        ]
        self.act("own", acts[how])

    @rule(who=PEOPLE, lane=st.sampled_from(["premise", "consequence", "meta"]), n=ANY)
    def argue(self, who, lane, n):
        user, target = User.objects.get(username=who), self.post(n)
        if self.act(
            "argue",
            lambda: arguments.argue(
                user=user, post=target, lane=lane, stance=target.stance, quotes={}, ties=[]
            ),
        ):
            self.expect("posts", target.pk, lane=lane)

    @rule(n=ANY, title=st.sampled_from(["What if it held", "What if it broke"]))
    def rename(self, n, title):
        target = self.thread(n)
        user = User.objects.get(username="keeper")
        if self.act("rename", lambda: threads.rename(user=user, thread=target, title=title)):
            self.expect("threads", target.pk, title=title)

    @rule(points=st.integers(1, 4))
    def warn(self, points):
        user, member = (User.objects.get(username=name) for name in ("keeper", "stranger"))
        self.act(
            "warn",
            lambda: sanctions.warn(user=user, member=member, points=points, reason="Rude."),
        )

    @rule(who=PEOPLE)
    def draft(self, who):
        user = User.objects.get(username=who)
        self.act(
            "draft",
            lambda: drafts.save(
                user=user, token=uuid.uuid4(), target="/threads/new/", label="New", text="Half"
            ),
        )

    @rule(who=PEOPLE, n=ANY, what=st.sampled_from(["board", "thread", "post", "author"]), how=ANY)
    def watch(self, who, n, what, how):
        user, post = User.objects.get(username=who), self.post(n)
        target = {
            "board": post.thread.board,
            "thread": post.thread,
            "post": post,
            "author": post.author,
        }[what]
        level = LEVELS[what][how % len(LEVELS[what])].value
        self.act("watch", lambda: watching.watch(user=user, target=target, level=level))

    @rule()
    def send_mail(self):
        """All mail that waits goes out now; who gets it may read its words just then."""
        mail.outbox.clear()
        make_due()
        sent = Worker().drain()
        done["send mail"] = done.get("send mail", 0) + bool(sent)
        assert sorted(told.recipients() for told in mail.outbox) == sorted(
            [told.member.email]
            for told in Mail.objects.select_related("member").filter(outcome="sent")
            if told.pk == told.message and told.pk not in self.mailed
        )
        self.mailed |= set(Mail.objects.filter(outcome="sent").values_list("pk", flat=True))
        for told in mail.outbox:
            member = User.objects.get(email=told.to[0])
            words = {*TOKEN.findall(told.body), *TOKEN.findall(str(told.alternatives))}
            for post in Post.objects.select_related("thread__board", "body__revision"):
                if may(member, "see post", post):
                    words -= {*TOKEN.findall(post.body.revision.source)}
            assert not words, f"{member} may read them nowhere"

    # --- What always holds ---

    @invariant()
    def the_forum_is_sound_and_as_the_model_says(self):
        if not hasattr(self, "model"):
            return
        Worker().drain()
        assert faults(connection) == []
        now = worlds.snapshot()
        assert [str(one) for one in worlds.check_touched(self.sound, now, quick=True)] == []
        self.sound = now
        assert self.read() == self.model

    @invariant()
    def nobody_is_told_of_what_they_may_not_see_or_did_or_ignore(self):
        if not hasattr(self, "model"):
            return
        for user in User.objects.all():
            told = notices_visible_to(user).filter(post__isnull=False)
            for notice in told.select_related("post__thread__board", "change"):
                assert may(user, "see post", notice.post)
                who = notice.change.member_id if notice.change else notice.post.author_id
                assert who != user.pk
                assert who not in user.ignoring

    @invariant()
    def no_mail_that_waits_would_tell_what_its_member_may_not_see(self):
        if not hasattr(self, "model"):
            return
        for user in User.objects.all():
            waiting = Mail.objects.unsettled().filter(member=user).select_related("notice__post")
            for line in composing.lines_of(list(waiting)):
                if line.words:
                    told = self.by_id(line.mail.notice.post_id)
                    assert may(user, "see post", told)
                    done["lines of mail"] = done.get("lines of mail", 0) + 1

    @invariant()
    def no_act_carries_words_to_readers_who_may_not_read_their_source(self):
        """But that of an administrator who gives a board another audience."""
        if not hasattr(self, "model"):
            return
        audiences = {pk: row["audience"] for pk, row in self.model["boards"].items()}
        carried = set(
            Quote.objects.filter(
                source_post__thread__board__audience="members",
                post__thread__board__audience="public",
            ).values_list("pk", flat=True)
        )
        if self.audiences == audiences:
            assert carried <= self.carried
        self.audiences, self.carried = audiences, carried


class Pictures(Forum):
    """Only the acts on which it hangs who is sent a picture, and only what holds of pictures: many
    more of those acts in less time."""

    reply = start = edit = release = slow = make_board = place_board = remove_board = None
    edit_page = clean_up = undo_clean_up = decide = send_debate = load_debate = read_marks = None
    own = argue = rename = warn = draft = watch = send_mail = rule_thread = split = None
    the_forum_is_sound_and_as_the_model_says = None
    nobody_is_told_of_what_they_may_not_see_or_did_or_ignore = None
    no_mail_that_waits_would_tell_what_its_member_may_not_see = None
    no_act_carries_words_to_readers_who_may_not_read_their_source = None

    def post(self, n: int) -> Post:
        return super().post(3 * n)

    def thread(self, n: int) -> Thread:
        return super().thread(3 * n)

    def all_there_is(self) -> set[str]:
        return set(files.listed())

    @rule(n=ANY, hidden=st.booleans())
    def hide_debate(self, n, hidden):
        how = ("hide_thread", {"state": "hidden"}) if hidden else ("restore_thread", VISIBLE)
        super().rule_thread("keeper", n, how)

    @rule(n=ANY, hidden=st.booleans())
    def hide_post(self, n, hidden):
        self.judge("keeper", n, "hide" if hidden else "restore")

    @rule(n=ANY)
    def erase(self, n):
        if n % 2:  # what is erased does nothing any more
            super().erase(n // 2, whole=True)


@pytest.fixture
def forum(transactional_db, monkeypatch, settings, tmp_path):
    """A filled forum to begin with, the same for each run of acts."""
    storage = {**settings.STORAGES["pictures"], "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "pictures": storage}
    pictures.made_ready(monkeypatch)
    Forum.world = worlds.build()
    pictures.hang(Forum.world.thread("main"), *map(Forum.world.user, ("answerer", "stranger")))
    Worker().drain()
    chief, ancient = User.objects.get(username="chief"), Board.objects.get(slug="ancient")
    boards.change(user=chief, board=ancient, audience="members")
    Forum.empty, Forum.files = worlds.snapshot(), pictures.kept()
    assert list(check()) == []
    done.clear()


def run(machine: type[Forum], examples: int) -> None:
    case = machine.TestCase()
    case.settings = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=not LONG,
        database=None,
        # Making a failure smaller takes many runs; the steps that led to it are told either way.
        phases=[Phase.generate],
    )
    case.runTest()


def test_acts_in_any_order(forum, record_property):
    run(Forum, EXAMPLES)
    lines = done.pop("lines of mail")
    total = sum(done.values())
    kinds = len(done) - ("refused" in done)
    record_property(
        "measured",
        f"{total} acts of {kinds} kinds, {done.get('refused', 0)} refused; "
        f"{lines} lines of mail that waited",
    )
    done.clear()
    run(Pictures, OF_PICTURES)  # here, since filling a forum takes as long
    refused = done.pop("refused", 0)
    record_property("measured", f"pictures: {sum(done.values())} acts, {refused} refused: {done}")
