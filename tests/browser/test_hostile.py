"""Strings that want to be programs stay strings, wherever they are typed.

Each is put into every place where somebody may write. Nothing may run (each would leave a mark in
the window or open a dialog), and the content policy must have had nothing to stop: it is the second
wall, not the first. JONBAR_LONG=1 tries several thousand; the short form a few hundred, and the
narrow places with some of them.
"""

import json
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from io import BytesIO
from itertools import count, zip_longest
from uuid import uuid4

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from forum.actions import (
    arguments,
    boards,
    drafts,
    glossary,
    members,
    pages,
    posts,
    threadmarks,
    threads,
)
from forum.actions.composing import Unacceptable
from forum.actions.divergences import read_divergence
from forum.models import Board, Post, Term, Thread
from forum.moderation import reports, sanctions, states
from forum.permissions import Refused
from forum.transfer import Rejected, uploads

from . import world
from .hostile import mutations, pieces, strings

LONG = os.environ.get("JONBAR_LONG") == "1"
MORE = 3_200 if LONG else 0
NARROW = 10**6 if LONG else 3  # lines in each narrow place

# Everything that waits for a person is done at once, then it is asked whether anything ran.
POKE = """async () => {
  for (const e of document.querySelectorAll("main *, header *, footer *, #content *")) {
    for (const kind of ["mouseover", "pointerenter", "focus", "toggle", "animationstart"])
      e.dispatchEvent(new Event(kind, {bubbles: true}));
    if (e.matches("details")) e.open = true;
  }
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return {
    ran: window.ran,
    handlers: [...document.querySelectorAll("*")].filter((e) => [...e.attributes]
      .some((a) => a.name.startsWith("on") || a.name === "style" || a.name === "srcdoc"))
      .map((e) => e.outerHTML.slice(0, 200)),
    elements: [...document.querySelectorAll("iframe, object, embed, base, img, video, audio, frame,"
      + "main style, main script, main link, main meta, main svg script, main math")]
      .filter((e) => !e.closest("#container")
        || !e.matches("[src^='/static/'], link[href^='/static/']"))
      .map((e) => e.outerHTML.slice(0, 200)),
    addresses: [...document.querySelectorAll("a[href], form[action], [src]")]
      .map((e) => e.href || e.action || e.src)
      .filter((href) => !/^(https?|mailto|file):/.test(href)),
  };
}"""
HARMLESS = {"ran": None, "handlers": [], "elements": [], "addresses": []}
# Each string in a frame of its own that trusts it: how many of them do run?
TRUST = """(texts) => Promise.all(texts.map((text) => new Promise((done) => {
  const frame = document.createElement("iframe");
  document.body.append(frame);
  frame.contentDocument.write(text);
  setTimeout(() => { done(Boolean(frame.contentWindow.ran)); frame.remove(); }, 300);
})))"""


class Visit:
    """Somebody who opens pages and must find them harmless; counts them."""

    def __init__(self, reader) -> None:
        self.reader, self.pages = reader, 0

    def __call__(self, *addresses: str) -> None:
        for address in addresses:
            self.reader.opens(address)
            assert self.reader.page.evaluate(POKE) == HARMLESS, address
            self.pages += 1


@pytest.fixture(scope="module")
def lines() -> list[str]:
    return strings() + mutations(MORE)


@pytest.fixture
def forum(site):
    """The source debate; a member, another, a moderator who is everything, and a debate."""
    world.load_source_thread()
    one, two = world.member("member-a"), world.member("member-b")
    chief = world.member("member-m", is_staff=True, is_moderator=True, is_superuser=True)
    return one, two, chief, world.start(one, "Hostile", "A harmless opening.")


def paged(address: str, rows: int, on_page: int = 20) -> Iterator[str]:
    sign = "&" if "?" in address else "?"
    return (f"{address}{sign}page={n}" for n in range(1, -(-rows // on_page) + 1))


def test_the_strings_would_run_if_they_were_trusted(chromium, lines):
    page = chromium.new_page()
    ran = page.evaluate(TRUST, lines[:80])
    page.close()
    assert sum(ran) > 10


def test_nothing_runs_in_texts(forum, lines, sits_down, tmp_path, record_property):
    """One by one, so that what one leaves open does not shut another in."""
    one, _, chief, thread = forum
    stored = 0
    for line in lines:
        with suppress(Unacceptable):  # refused with a sentence: not stored, so it cannot run
            world.reply(one, thread, f"{line}\n\nand")
            stored += 1
    assert stored > len(lines) * 0.8
    reader = sits_down(chief)
    visit, address = Visit(reader), thread.get_absolute_url()
    visit("/", "/boards/after-1900/", "/members/member-a/", *paged(address, stored + 1))
    tree = list(paged(f"{address}?view=tree", stored + 1))
    outline = list(paged(f"/threads/{thread.pk}/outline/", 1))
    visit(*(tree if LONG else tree[:1]), *outline)
    visit(
        *(f"/posts/{pk}/" for pk in thread.posts.order_by("pk").values_list("pk", flat=True)[1:5])
    )
    # Taken along: files, which are opened where no content policy protects.
    opened = 0
    for kind in ("epub/", "markdown/", "fixture/", "outline.argdown", "outline.json"):
        client = Client()
        client.force_login(chief)
        sent = client.get(f"/threads/{thread.pk}/{kind}")
        if kind == "fixture/" and sent.status_code == 403:
            continue
        assert sent.status_code == 200
        assert sent.headers["Content-Disposition"].startswith("attachment")
        assert sent.headers["X-Content-Type-Options"] == "nosniff"
        if kind == "epub/":
            with zipfile.ZipFile(BytesIO(b"".join(sent))) as book:
                book.extractall(tmp_path)
            for part in sorted(tmp_path.rglob("*.xhtml"))[: 10**6 if LONG else 12]:
                reader.page.goto(part.as_uri())
                assert reader.page.evaluate(POKE) == HARMLESS, part
                opened += 1
    assert opened > 1
    assert reader.trouble == []
    record_property(
        "measured",
        f"{len(lines)} strings, {stored} stored as posts, {visit.pages} pages, {opened} of a book",
    )


def test_nothing_runs_in_narrow_places(forum, lines, sits_down, settings, record_property):
    """Titles, names, labels, reasons, dates: as many strings in each as fit."""
    settings.REPORTS_PER_DAY = 0
    one, two, chief, thread = forum
    places: dict[str, int] = {}

    def taken(act: Callable[[], object], *kept: str) -> bool:
        """Do `act`; unless it is refused, each of these places holds one more line."""
        try:
            act()
        except (Unacceptable, Refused, Rejected, drafts.NotKept):
            return False
        for place in kept:
            places[place] = places.get(place, 0) + 1
        return True

    def put(place: str, length: int, act: Callable[[str], object]) -> None:
        """Do `act` with all strings, so many in each line as the place holds."""
        for line in pieces(lines, length)[:NARROW]:
            taken(partial(act, line), place)

    def put_together(act: Callable[..., object], **lengths: int) -> None:
        """The same in several places of one thing; one by one, where it is refused as a whole."""
        rows = zip_longest(*(pieces(lines, length)[:NARROW] for length in lengths.values()))
        for row in rows:
            given = {place: line for place, line in zip(lengths, row, strict=True) if line}
            if not taken(partial(act, **given), *given):
                for place, line in given.items():
                    taken(partial(act, **{place: line}), place)

    number = count(1)

    def start(title="", own_answer="It would end otherwise.", question="", **forked) -> Thread:
        divergences = [read_divergence(**({"change": "It holds", "when": "1936"} | forked))]
        return threads.start(
            user=one,
            board=Board.objects.get(slug="after-1900"),
            kind="WI",
            title=title or f"Debate {next(number)}",
            source="A harmless opening.",
            own_answer=own_answer,
            divergences=divergences if forked else [],
            questions=[question] if question else [],
            token=uuid4(),
        )

    def rename(new_title="A new title", lock="") -> None:
        renamed = threads.rename(user=chief, thread=start(), title=new_title)
        if lock:
            states.lock(user=chief, thread=renamed, reason=lock)

    def board(name="Board", description="") -> None:
        _board(chief, name, description, next(number))

    def answer() -> Post:
        return world.reply(two, thread, f"Answer {next(number)}.")

    put_together(start, title=160, own_answer=2000, change=300, actor=120, place=120, question=500)
    put_together(rename, new_title=160, lock=300)
    put_together(board, name=80, description=300)
    put("reasons of edits", 300, lambda text: _edit(answer(), text))
    put("withdrawals", 300, lambda text: posts.withdraw(user=two, post=answer(), reason=text))
    put("hidden", 300, lambda text: states.hide(user=chief, post=answer(), reason=text))
    put("marks", 120, lambda text: _mark(one, world.reply(one, thread, "A chapter."), text))
    put("minds", 500, lambda text: _change_mind(one, answer(), text))
    put("reports", 1000, lambda text: _report(one, answer(), text))
    put("terms", 60, lambda text: _define(chief, text, "A word."))
    put("meanings", 300, lambda text: _define(chief, f"Word {next(number)}", text))
    put("about", 300, lambda text: User.objects.filter(pk=two.pk).update(about=text))
    put("notes", 1000, lambda text: sanctions.note(user=chief, member=two, text=text))
    put("names asked for", 300, lambda text: members.ask_for_name(user=two, name="anew", why=text))
    put("drafts", 2000, lambda text: _draft(one, text))
    put("site's pages", 9000, lambda text: pages.edit(user=chief, kind="privacy", source=text))
    put("uploads", 20_000, lambda text: _upload(chief, text))
    warned = Visit(sits_down(two))
    warned("/standing/name/")  # who is warned often may not ask for a name
    put("warnings", 300, lambda text: _warn(chief, two, text))
    assert len(places) == 25, places

    visit = Visit(sits_down(chief))
    started = Thread.objects.filter(author=one).exclude(pk=thread.pk)
    for other in started:
        visit(other.get_absolute_url())
    visit(*paged(thread.get_absolute_url(), thread.posts.count()))
    visit(
        *paged("/boards/after-1900/", started.count(), 30),
        "/timeline/",
        "/search/?q=the",
        "/questions/",
        "/glossary/",
    )
    visit("/", "/privacy/", "/notices/", "/standing/", *paged("/log/", sum(places.values()), 40))
    visit(f"/threads/{thread.pk}/read/", f"/threads/{thread.pk}/outline/", "/members/member-b/")
    visit(f"/threads/{thread.pk}/moderate/", f"/threads/{thread.pk}/split/")
    of_posts = Post.objects.filter(thread=thread).order_by("-pk")
    for post in of_posts.filter(body__revision__number__gt=1)[: NARROW if LONG else 2]:
        visit(f"/posts/{post.pk}/history/")
    for post in of_posts.filter(minds_changed__gt=0)[: NARROW if LONG else 2]:
        visit(f"/posts/{post.pk}/minds/")
    boards = Board.objects.filter(slug__startswith="hostile-").order_by("pk")
    for board in boards[: NARROW if LONG else 2]:
        visit(board.get_absolute_url())
    for model in admin.site._registry:
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        if not LONG and model._meta.model_name not in ("case", "thread", "upload", "auditentry"):
            continue
        visit(address)
        for row in model._default_manager.order_by("-pk")[: 40 if LONG else 2]:
            visit(f"{address}{row.pk}/change/")
    assert visit.reader.trouble == []
    reader = Visit(sits_down(one))
    reader("/drafts/", "/notices/", thread.get_absolute_url())
    warned("/notices/", "/standing/")
    total = visit.pages + reader.pages + warned.pages
    told = (
        f"{len(lines)} strings, {len(places)} places, {sum(places.values())} lines, {total} pages"
    )
    record_property("measured", told)


def _edit(post: Post, reason: str) -> None:
    world.edit(post, f"Edited, {uuid4()}.", reason)


def _mark(user: User, post: Post, label: str) -> None:
    threadmarks.mark(user=user, post=post, category="story", label=label)


def _change_mind(user: User, post: Post, reason: str) -> None:
    arguments.change_mind(user=user, post=post, was="for", now="against", reason=reason)


def _report(user: User, post: Post, text: str) -> None:
    reports.report(user=user, post=post, reason="topic", text=text, token=uuid4())


def _board(user: User, name: str, description: str, number: int) -> None:
    board = Board(name=name, slug=f"hostile-{number}", description=description)
    boards.make(user=user, board=board)


def _define(user: User, name: str, meaning: str) -> None:
    if not Term.objects.filter(name=name).exists():
        glossary.define(user=user, term=Term(name=name, meaning=meaning))


def _draft(user: User, text: str) -> None:
    drafts.save(
        user=user,
        token=uuid4(),
        target="/threads/new/",
        label=text[:200],
        title=text[:200],
        text=text,
    )


def _upload(user: User, text: str) -> None:
    board = Board.objects.get(slug="after-1900")
    data = f"What if {text[:100]}\n\n{text}\n\u00a0\n{text}".encode()
    uploads.receive(
        user=user, data=data, name=f"{text[:100]}.txt", board=board, kind="WI", token=uuid4()
    )


def _warn(user: User, member: User, reason: str) -> None:
    sanctions.warn(user=user, member=member, points=1, reason=reason)


def test_nothing_runs_in_previews_and_forms(forum, lines, sits_down, record_property):
    """The text comes back into the form and into the preview, before anything is stored; an address
    comes back into the page that says that nothing is there."""
    one, _, _, thread = forum
    reader = sits_down(one)
    reader.careless = True
    for start in range(0, len(lines), 20):
        text = "\n\n".join(lines[start : start + 20])
        reader.opens(f"/threads/{thread.pk}/reply/")
        reader.page.locator("textarea#text").fill(text)
        reader.presses("Preview")
        assert reader.page.locator("textarea#text").input_value() == text.replace("\r", "\n")
        assert reader.page.evaluate(POKE) == HARMLESS, text
    assert reader.trouble == []
    record_property("measured", f"{len(lines)} strings")


def test_nothing_runs_out_of_a_fixture(site, lines, sits_down, tmp_path, record_property):
    """A thread from elsewhere: its title, source, bylines and texts are anybody's."""
    call_command("loaddata", "boards", verbosity=0)
    lines = [" ".join(line.split()) for line in lines]
    fields = {"thread": ["hostile"], "reason": "", "written_at": None, "format": "markdown"}
    objects = [
        {
            "model": "forum.thread",
            "fields": {
                "key": "hostile",
                "format": 1,
                "version": 1,
                "board": ["after-1900"],
                "title": lines[0],
                "kind": "WI",
                "source": lines[1],
            },
        }
    ]
    objects += [
        {
            "model": "forum.post",
            "fields": {
                **fields,
                "key": f"hostile-{number}",
                "parent": None,
                "parent_basis": "unknown" if number else "opening",
                "byline": "".join(filter(str.isprintable, line))[:80].strip(),
                "text": "Harmless.",
            },
        }
        for number, line in enumerate(lines)
    ]
    fixture = tmp_path / "hostile.json"
    fixture.write_text(json.dumps(objects), encoding="utf-8")
    call_command("loaddata", str(fixture), verbosity=0)
    thread = Thread.objects.get(key="hostile")
    reader = sits_down(world.member("member-a"))
    visit = Visit(reader)
    visit(*paged(thread.get_absolute_url(), len(lines)))
    first = Post.objects.filter(thread=thread, number=3).get()
    visit(f"/threads/{thread.pk}/reply/?to={first.pk}&quote={first.pk}")
    assert reader.trouble == []
    record_property("measured", f"{len(lines)} strings as names of writers, {visit.pages} pages")
