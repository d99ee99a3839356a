"""Acts that meet on one post, debate, source or board; see test_interleavings.py."""

import uuid
from collections.abc import Callable
from functools import partial

from django.test import Client

from forum.actions import boards, posts
from forum.moderation import erasing, merging, moving, states
from tests.acts.catalogue import CASES, WHY
from tests.acts.world import World
from tests.people import quoting


def on(act: Callable, who: str, post: str, **more):
    return lambda w: act(user=w.user(who), post=w.post(post), **more)


def reply(who: str, thread: str, text: str, to: str | None = None, quotes: str | None = None):
    """A reply, which may quote the last words of another post."""

    def act(w: World):
        source = text
        if quotes:
            quoted = w.post(quotes)
            source = quoting(quoted, quoted.body.revision.plain.splitlines()[-1], text)
        return posts.reply(
            user=w.user(who),
            thread=w.thread(thread),
            parent=w.post(to) if to else None,
            source=source,
            token=uuid.uuid4(),
        )

    return act


def erase(w: World):
    post = w.post("b")
    texts = erasing.find(post, "And purges.").texts
    return erasing.erase(
        user=w.user("chief"), post=post, words="And purges.", reason="By law.", texts=texts
    )


def move(thread: str, board: str):
    return lambda w: moving.move_thread(
        user=w.user("keeper"), thread=w.thread(thread), board=w.board(board), **WHY
    )


def merge(thread: str, into: str):
    return lambda w: merging.merge(
        user=w.user("second"), thread=w.thread(thread), into=w.thread(into), **WHY
    )


# Beside the catalogue, whose acts mostly meet in its debate "main".
MORE = {
    "reply to main": reply("answerer", "main", "Nobody asked them."),
    "reply to b": reply("opener", "main", "Who said so?", to="b"),
    "reply to x": reply("stranger", "other", "In June at last.", to="x"),
    "reply to other": reply("stranger", "other", "Or in July."),
    "quote b in other": reply("stranger", "other", "Which ones?", quotes="b"),
    "quote b in main": reply("opener", "main", "Which of them?", to="b", quotes="b"),
    "quote e in other": reply("opener", "other", "Those of May.", quotes="e"),
    "withdraw x": on(posts.withdraw, "opener", "x", **WHY),
    "withdraw d": on(posts.withdraw, "answerer", "d", **WHY),
    "hide x": on(states.hide, "keeper", "x", **WHY),
    "hide e": on(states.hide, "keeper", "e", **WHY),
    "withdraw e": on(posts.withdraw, "stranger", "e", **WHY),
    "hide c": on(states.hide, "second", "c", **WHY),
    "edit c": lambda w: posts.edit(
        user=w.user("opener"),
        post=w.post("c"),
        source=quoting(w.post("b"), "And purges.") + "\n\nRather those.",
        base=posts.base_of(w.post("c").body.revision),
    ),
    "erase of b": erase,
    "merge other into main": merge("other", "main"),
    "merge main into other": merge("main", "other"),
    "merge closed into other": merge("closed", "other"),
    "move main": move("main", "empty"),
    "move other": move("other", "ancient"),
    "split other": lambda w: moving.split(
        user=w.user("keeper"),
        thread=w.thread("other"),
        chosen=[w.ids["x"]],
        title="Of the strait",
        **WHY,
    ),
    "narrow modern": lambda w: boards.change(
        user=w.user("chief"), board=w.board("modern"), audience="members", **WHY
    ),
    "close modern": lambda w: boards.change(
        user=w.user("chief"), board=w.board("modern"), read_only=True, **WHY
    ),
}


def page(w: World, thread: str) -> str:
    """What a visitor reads."""
    return Client().get(f"/threads/{w.ids[thread]}/", follow=True).content.decode()


READS = {f"read {thread}": partial(page, thread=thread) for thread in ("main", "other")}
# Of these two or three meet: all that is about a debate, a post of one, or its board.
ABOUT = tuple(
    "arguments. boards. cases. cleanup. description. erasing. members.re merging. moving. posts. "
    "queue. read_state. reports. sanctions.warn states. threadmarks. threads. undoing. "
    "variants.".split()
)
ACTS = {name: act for name, act in CASES.items() if name.startswith(ABOUT)} | MORE | READS
