"""One way to do each act of the forum, for everything that goes through all of them.

An act is a public function of one of WINGS whose arguments are keyword-only and begin with the
member who acts. One that has no entry here fails the tests (test_catalogue.py).
"""

import inspect
import pkgutil
from collections.abc import Callable
from importlib import import_module
from io import BytesIO

import forum.actions
import forum.moderation
import forum.own_data
import forum.transfer
from forum.actions import (
    arguments,
    boards,
    bookmarks,
    cases,
    description,
    drafts,
    emblems,
    feeds,
    glossary,
    maps,
    members,
    notices,
    pages,
    pictures,
    polls,
    posts,
    read_state,
    threadmarks,
    threads,
    variants,
    watching,
)
from forum.actions.divergences import read_divergence
from forum.models import AuditEntry, Board, Case, Notice, Picture, Suspension, Term, Upload, Warning
from forum.moderation import (
    cleanup,
    closing,
    erasing,
    merging,
    moving,
    queue,
    reports,
    sanctions,
    states,
    taking_emblems,
    undoing,
)
from forum.own_data import asking
from forum.transfer import uploads
from tests.acts.world import ROOT, World
from tests.operations.pictures import corpus

WINGS = (forum.actions, forum.moderation, forum.own_data, forum.transfer)
# Public, with a member, and yet no act of their own.
PARTS = {
    "composing.compose": "reads only",
    "description.missing": "reads only",
    "uploads.load": "loading.load, which writes in parts that nobody sees before the last",
    "queue.decide_all": "queue.decide, one case after the other",
    "queue.take_back": "a part of queue.decide, in its transaction",
    "read_state.mark_written": "a part of posts.reply, in its transaction",
}


def acts() -> dict[str, Callable]:
    """Every act there is, by module and name."""
    return {name: function for name, function in done_by_members().items() if name not in PARTS}


def done_by_members() -> dict[str, Callable]:
    """The acts and their PARTS, by module and name."""
    found = {}
    modules = [
        f"{wing.__name__}.{module.name}"
        for wing in WINGS
        for module in pkgutil.iter_modules(wing.__path__)
    ]
    for loaded in map(import_module, modules):
        module = loaded.__name__.rpartition(".")[2]
        for name, function in inspect.getmembers(loaded, inspect.isfunction):
            if name.startswith("_") or function.__module__ != loaded.__name__:
                continue
            arguments = list(inspect.signature(function).parameters.values())
            if arguments and arguments[0].name == "user":
                if arguments[0].kind is inspect.Parameter.KEYWORD_ONLY:
                    found[f"{module}.{name}"] = function
    return found


def _on_post(act, who: str, post: str, **more):
    return lambda w: act(user=w.user(who), post=w.post(post), **more)


def _on_thread(act, who: str, thread: str, **more):
    return lambda w: act(user=w.user(who), thread=w.thread(thread), **more)


MAP = corpus.packed(corpus.drawn(), "PNG")
WHY = {"reason": "As an example."}

CASES: dict[str, Callable[[World], object]] = {
    "arguments.argue": lambda w: arguments.argue(
        user=w.user("opener"),
        post=w.post("c"),
        lane="premise",
        stance="disputes",
        quotes={0: "disputes"},
        ties=[arguments.Tie(w.ids["question"], "agrees", 0)],
    ),
    "arguments.change_mind": _on_post(
        arguments.change_mind, "opener", "b", was="for", now="against", reason="Purges."
    ),
    "arguments.keep_mind": _on_post(arguments.keep_mind, "stranger", "b"),
    "boards.make": lambda w: boards.make(
        user=w.user("chief"), board=Board(name="Maps", slug="maps")
    ),
    "boards.change": lambda w: boards.change(
        user=w.user("chief"), board=w.board("ancient"), description="Before 500.", **WHY
    ),
    "boards.name_moderators": lambda w: boards.name_moderators(
        user=w.user("chief"), board=w.board("ancient"), members=[w.user("keeper")], **WHY
    ),
    "boards.invite": lambda w: boards.invite(
        user=w.user("chief"), board=w.board("ancient"), members=[w.user("opener")], **WHY
    ),
    "boards.move_beside": lambda w: boards.move_beside(
        user=w.user("chief"),
        board=w.board("empty"),
        beside=w.board("modern"),
        position="last-child",
    ),
    "boards.shift": lambda w: boards.shift(
        user=w.user("chief"), board=w.board("ancient"), way="in"
    ),
    "boards.remove": lambda w: boards.remove(user=w.user("chief"), board=w.board("empty")),
    "cases.answer": lambda w: cases.answer(
        user=w.user("answerer"),
        notice=Notice.objects.select_related("entry").get(pk=w.ids["notice"]),
        text="It was on the point.",
    ),
    "cleanup.clean_up": lambda w: cleanup.clean_up(
        user=w.user("keeper"),
        member=w.user("stranger"),
        post_ids=[w.ids["e"]],
        thread_ids=[w.ids["closed"]],
        batch=w.token,
        **WHY,
    ),
    "cleanup.undo": lambda w: cleanup.undo(
        user=w.user("keeper"), entry=AuditEntry.objects.get(pk=w.ids["cleaned"]), **WHY
    ),
    "description.describe": lambda w: description.describe(
        user=w.user("opener"),
        thread=w.thread("main"),
        divergences=[read_divergence(change="Lenin lives", when="c. 1924", place="Moscow")],
        questions=["Would the purges have come?"],
    ),
    "drafts.save": lambda w: drafts.save(
        user=w.user("opener"),
        token=w.token,
        target="/threads/new/",
        label="A new debate",
        text="Half a thought.",
    ),
    "drafts.discard": lambda w: drafts.discard(user=w.user("stranger"), token=w.token),
    "erasing.erase": lambda w: erasing.erase(
        user=w.user("chief"),
        post=w.post("locked"),
        words="A closed branch.",
        reason="An order of a court.",
        texts=w.ids["texts"],
    ),
    "glossary.define": lambda w: glossary.define(
        user=w.user("chief"), term=Term(name="OTL", meaning="Our timeline.")
    ),
    "glossary.forget": lambda w: glossary.forget(
        user=w.user("chief"), term=Term.objects.get(pk=w.ids["term"])
    ),
    "members.ask_for_name": lambda w: members.ask_for_name(
        user=w.user("stranger"), name="newcomer", why="A better one."
    ),
    "members.rename": lambda w: members.rename(
        user=w.user("chief"), member=w.user("answerer"), name="respondent", **WHY
    ),
    "emblems.choose": lambda w: emblems.choose(user=w.user("opener"), file=BytesIO(MAP)),
    "emblems.drop": lambda w: emblems.drop(user=w.user("answerer")),
    "taking_emblems.take": lambda w: taking_emblems.take(
        user=w.user("chief"), member=w.user("answerer"), **WHY
    ),
    "asking.ask": lambda w: asking.ask(user=w.user("stranger")),
    "closing.close_later": lambda w: closing.close_later(user=w.user("stranger")),
    "closing.keep_open": lambda w: closing.keep_open(user=w.user("warned")),
    "closing.close_own": lambda w: closing.close_own(user=w.user("stranger")),
    "closing.close": lambda w: closing.close(
        user=w.user("chief"), member=w.user("stranger"), **WHY
    ),
    "members.ignore": lambda w: members.ignore(
        user=w.user("opener"), other=w.user("stranger"), ignored=True
    ),
    "merging.merge": lambda w: merging.merge(
        user=w.user("keeper"), thread=w.thread("other"), into=w.thread("main"), **WHY
    ),
    "merging.merge_duplicates": lambda w: merging.merge_duplicates(
        user=w.user("keeper"), thread=w.thread("twice"), into=w.thread("once"), **WHY
    ),
    "states.hide": _on_post(states.hide, "keeper", "b", **WHY),
    "states.remove": _on_post(states.remove, "keeper", "d", **WHY),
    "states.restore": _on_post(states.restore, "keeper", "hidden", **WHY),
    "states.approve": _on_post(states.approve, "keeper", "waiting", **WHY),
    "states.reject": _on_post(states.reject, "keeper", "waiting", **WHY),
    "states.lock_branch": _on_post(states.lock_branch, "keeper", "b", **WHY),
    "states.unlock_branch": _on_post(states.unlock_branch, "keeper", "locked", **WHY),
    "states.lock": _on_thread(states.lock, "keeper", "main", **WHY),
    "states.unlock": _on_thread(states.unlock, "keeper", "closed", **WHY),
    "states.pin": _on_thread(states.pin, "keeper", "main", **WHY),
    "states.unpin": _on_thread(states.unpin, "keeper", "closed", **WHY),
    "states.archive": _on_thread(states.archive, "keeper", "main", **WHY),
    "states.unarchive": _on_thread(states.unarchive, "keeper", "old", **WHY),
    "states.slow": _on_thread(states.slow, "keeper", "main", minutes=5, **WHY),
    "states.demand_approval": _on_thread(states.demand_approval, "keeper", "main", **WHY),
    "states.waive_approval": _on_thread(states.waive_approval, "keeper", "closed", **WHY),
    "states.hide_thread": _on_thread(states.hide_thread, "keeper", "main", **WHY),
    "states.restore_thread": _on_thread(states.restore_thread, "keeper", "gone", **WHY),
    "moving.move_thread": lambda w: moving.move_thread(
        user=w.user("keeper"), thread=w.thread("main"), board=w.board("ancient"), **WHY
    ),
    "moving.split": lambda w: moving.split(
        user=w.user("keeper"),
        thread=w.thread("main"),
        chosen=[w.ids["b"], w.ids["c"], w.ids["d"]],
        title="What of the secretary",
        **WHY,
    ),
    "moving.move_branch": lambda w: moving.move_branch(
        user=w.user("keeper"), post=w.post("x"), target=w.thread("main"), **WHY
    ),
    "notices.mark_read": lambda w: notices.mark_read(
        user=w.user("answerer"), until=w.ids["notice"]
    ),
    "notices.mark_opened": lambda w: notices.mark_opened(
        user=w.user("stranger"), posts=[w.ids["d"]]
    ),
    "pages.edit": lambda w: pages.edit(user=w.user("chief"), kind="rules", source="Be kind."),
    "polls.vote": lambda w: polls.vote(user=w.user("opener"), post=w.post("polled"), chosen=[0]),
    "polls.take_back": _on_post(polls.take_back, "stranger", "polled"),
    "polls.change": _on_post(
        polls.change,
        "answerer",
        "unasked",
        asked=polls.Asked("And who obeys?", ["Nobody", "The clerk", "The party"]),
    ),
    "polls.close": _on_post(polls.close, "keeper", "polled", **WHY),
    "polls.remove": _on_post(polls.remove, "keeper", "polled", **WHY),
    "posts.reply": lambda w: posts.reply(
        user=w.user("stranger"),
        thread=w.thread("main"),
        parent=w.post("b"),
        source=f'[quote="answerer, post: {w.ids["b"]}"]And purges.[/quote]\n\nWhich?',
        token=w.token,
        lane="premise",
        stance="asks",
        ties=[arguments.Tie(w.ids["question"], "disputes", 0)],
    ),
    "posts.edit": lambda w: posts.edit(
        user=w.user("answerer"),
        post=w.post("b"),
        source="The party obeyed nobody. It had a clerk.\n\nAnd purges.",
        base=1,
    ),
    "posts.withdraw": _on_post(posts.withdraw, "answerer", "b", **WHY),
    "posts.release": _on_post(posts.release, "answerer", "early"),
    "queue.decide": lambda w: queue.decide(
        user=w.user("keeper"), case=Case.objects.get(pk=w.ids["case"]), act="hide", **WHY
    ),
    "queue.look_at": lambda w: queue.look_at(
        user=w.user("keeper"), case=Case.objects.get(pk=w.ids["case"])
    ),
    "feeds.make": lambda w: feeds.make(user=w.user("opener")),
    "feeds.take_back": lambda w: feeds.take_back(user=w.user("stranger")),
    "read_state.mark_read": lambda w: read_state.mark_read(
        user=w.user("opener"), thread=w.thread("main"), numbers=[(1, 3)]
    ),
    "read_state.fold": lambda w: read_state.fold(
        user=w.user("opener"), thread=w.thread("main"), post_id=w.ids["b"], folded=True
    ),
    "read_state.mark_all_read": lambda w: read_state.mark_all_read(user=w.user("stranger")),
    "bookmarks.keep": lambda w: bookmarks.keep(
        user=w.user("stranger"), post=w.post("b"), note="Again."
    ),
    "bookmarks.drop": lambda w: bookmarks.drop(
        user=w.user("stranger"), bookmark_id=w.ids["bookmark"]
    ),
    "pictures.send": lambda w: pictures.send(user=w.user("opener"), file=BytesIO(MAP), alt="A map"),
    "pictures.describe": lambda w: pictures.describe(
        user=w.user("answerer"),
        picture=Picture.objects.get(pk=w.ids["picture"]),
        alt="Spain.",
        credit="Voice A",
        source="",
    ),
    "maps.mark": lambda w: maps.mark(
        user=w.user("answerer"),
        picture=Picture.objects.get(pk=w.ids["picture"]),
        details=maps.Mark("map", "Spain", "1 May 1937, in this timeline", "Red: the front."),
    ),
    "watching.watch": lambda w: watching.watch(
        user=w.user("opener"), target=w.post("b"), level="answers"
    ),
    "watching.watch_history": lambda w: watching.watch_history(
        user=w.user("stranger"), start="1900", end="1945", place="Spain"
    ),
    "watching.set_levels": lambda w: watching.set_levels(
        user=w.user("stranger"), levels={w.ids["watch"]: "muted"}
    ),
    "watching.stop": lambda w: watching.stop(user=w.user("stranger"), watch_id=w.ids["watch"]),
    "reports.report": lambda w: reports.report(
        user=w.user("opener"), post=w.post("b"), reason="topic", token=w.token
    ),
    "sanctions.warn": lambda w: sanctions.warn(
        user=w.user("keeper"), member=w.user("answerer"), points=1, post=w.post("b"), **WHY
    ),
    "sanctions.lift_warning": lambda w: sanctions.lift_warning(
        user=w.user("keeper"), warning=Warning.objects.get(pk=w.ids["warning"]), **WHY
    ),
    "sanctions.suspend": lambda w: sanctions.suspend(
        user=w.user("keeper"), member=w.user("answerer"), days=3, **WHY
    ),
    "sanctions.lift_suspension": lambda w: sanctions.lift_suspension(
        user=w.user("keeper"), suspension=Suspension.objects.get(pk=w.ids["suspension"]), **WHY
    ),
    "sanctions.note": lambda w: sanctions.note(
        user=w.user("keeper"), member=w.user("answerer"), text="Means well."
    ),
    "threadmarks.mark": _on_post(
        threadmarks.mark, "opener", "b", category="story", label="The secretary"
    ),
    "threadmarks.unmark": _on_post(threadmarks.unmark, "opener", "a"),
    "threads.start": lambda w: threads.start(
        user=w.user("stranger"),
        board=w.board("modern"),
        title="What if the bridge held",
        kind="WI",
        source=f'[quote="answerer, post: {w.ids["b"]}"]And purges.[/quote]\n\nIt holds.',
        token=w.token,
        own_answer="It holds for a year, since nobody attacks it before the spring comes.",
        divergences=[read_divergence(change="The bridge holds", when="1944-09")],
        questions=["Who crosses it?"],
    ),
    "threads.rename": _on_thread(threads.rename, "opener", "main", title="What if Lenin lived on"),
    "threads.close": _on_thread(threads.close, "opener", "main", closed=True),
    "uploads.receive": lambda w: uploads.receive(
        user=w.user("chief"),
        data=(ROOT / "fixtures/threads/trotsky-spain.json").read_bytes(),
        name="again.json",
        board=w.board("modern"),
        kind="WI",
        token=w.token,
    ),
    "uploads.correct": lambda w: uploads.correct(
        user=w.user("chief"),
        upload=Upload.objects.get(pk=w.ids["upload"]),
        thread={"title": "What if Trotsky succeeded"},
        posts={},
    ),
    "uploads.discard": lambda w: uploads.discard(
        user=w.user("chief"), upload=Upload.objects.get(pk=w.ids["upload"])
    ),
    "variants.declare": lambda w: variants.declare(
        user=w.user("opener"), thread=w.thread("main"), other=w.thread("once"), **WHY
    ),
    "undoing.undo": lambda w: undoing.undo(
        user=w.user("keeper"), entry=AuditEntry.objects.get(pk=w.ids["hide entry"]), **WHY
    ),
}
