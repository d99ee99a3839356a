"""Posts kept one by one: whatever happens, each reader's page is to the letter what it is when it
is drawn for them alone."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from math import ceil
from random import Random
from time import time

import pytest
import time_machine
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from forum import tree
from forum.actions import arguments, elsewhere, polls, threadmarks
from forum.models import Post, Quote, State, Thread
from forum.moderation import states
from forum.operations import caching
from forum.permissions import Refused
from forum.rendering import articles, page_cuts
from tests.people import browser, cast, edit, fresh, quoting, reply, settled_row, start

pytestmark = [pytest.mark.django_db, pytest.mark.reads]
SENTENCE = "Post {} holds that ships need coal."


@pytest.fixture(scope="module")
def world(settled):
    """Two debates of 13 and 9 posts, in which the members of `cast` answer and quote."""
    made, draw = cast(), Random(1936)
    made.debates = [
        start(made.board, made.opener, title="Coal", text=SENTENCE.format("one")),
        start(made.other_board, made.answerer, title="Wood", text=SENTENCE.format("one")),
    ]
    for thread, many in zip(made.debates, (12, 8), strict=True):
        for number in range(many):
            others = list(thread.posts.order_by("pk"))
            author = (made.opener, made.answerer)[number % 2]
            text = SENTENCE.format(f"{thread.title} {number}")
            reply(thread, author, text, to=draw.choice([None, *others]))
    return made


thread, opener, answerer = (settled_row(name) for name in ("thread", "opener", "answerer"))
stranger, moderator = settled_row("stranger"), settled_row("moderator")


@pytest.fixture(autouse=True)
def kept(settings, unhurried, monkeypatch):
    settings.KEPT_PAGES_MB = 4
    monkeypatch.setattr("forum.views.posts.PER_PAGE", 10)  # so that visitors turn pages
    forget()
    yield
    forget()


def forget() -> None:
    caching.pages.clear()
    caching.fragments.clear()


def still(html: str) -> str:
    """A page without what is new at each request."""
    return re.sub(r'name="(csrfmiddlewaretoken|token)" value="[^"]*"', "", html)


class Fuzz:
    """Acts in two debates, drawn from a seed, and three readers who look at every page of both in
    both views after each: a visitor, and two members with pages of 10 and of 20."""

    def __init__(self, world, seed: int, commits: Callable) -> None:
        self.draw, self.commits = Random(seed), commits
        self.people = [fresh(world.opener), fresh(world.answerer)]
        self.moderator = fresh(world.moderator)
        self.debates = [debate.pk for debate in world.debates]
        type(world.opener).objects.filter(pk=world.answerer.pk).update(posts_per_page=10)
        readers = (None, fresh(world.answerer), fresh(world.stranger))
        self.readers = [browser(reader) for reader in readers]
        self.sizes = [10, 10, 20]

    def pages(self) -> Iterator[tuple[int, str]]:
        """Each reader's number with the address of each of their pages, in any order."""
        found = []
        for thread in Thread.objects.filter(pk__in=self.debates):
            for reader, size in enumerate(self.sizes):
                for page in range(1, ceil(thread.numbered / size) + 1):
                    for view in ("flat", "tree"):
                        path = f"{thread.get_absolute_url()}?view={view}&page={page}"
                        found.append((reader, path))
        return iter(self.draw.sample(found, len(found)))

    def compare(self, said: str) -> None:
        """Every page as it is kept, and as it is for its reader alone."""
        with time_machine.travel(timezone.now(), tick=False):
            for reader, path in self.pages():
                kept = self.words(reader, path)
                with override_settings(KEPT_PAGES_MB=0):
                    alone = self.words(reader, path)
                assert kept == alone, (said, reader, path)

    def words(self, reader: int, path: str) -> str:
        """A page as a reader finds it. A prefetch is no reading."""
        answer = self.readers[reader].get(path, headers={"Sec-Purpose": "prefetch"})
        assert answer.status_code == 200
        return still(answer.content.decode())

    def run(self, steps: int) -> None:
        self.compare("at first")
        for step in range(steps):
            act = self.draw.choices(list(ACTS), weights=ACTS.values())[0]
            try:
                with self.commits(execute=True):
                    act(self)
            except Refused:
                continue
            self.compare(f"{step}: {act.__name__}")

    def standing(self) -> Post:
        """Some standing reply of either debate."""
        rows = Post.objects.filter(thread__in=self.debates, state=State.VISIBLE)
        rows = rows.filter(parent_basis=Post.Basis.REPLY).select_related("thread__board", "author")
        return self.draw.choice(list(rows.order_by("pk")))

    def thread(self) -> Thread:
        return Thread.objects.select_related("board").get(pk=self.draw.choice(self.debates))

    def text(self, source: Post | None) -> str:
        own = f"Said {self.draw.random()} of it. @answerer and @nobody read #2."
        return own if source is None else quoting(source, words_of(source), own)


def words_of(post: Post) -> str:
    return post.body.revision.plain.partition(".")[0] + "."


def replies(fuzz: Fuzz) -> None:
    thread = fuzz.thread()
    early = list(thread.posts.filter(state=State.VISIBLE).order_by("number")[:9])
    reply(
        thread, fuzz.draw.choice(fuzz.people), fuzz.text(None), to=fuzz.draw.choice([None, *early])
    )


def quotes(fuzz: Fuzz) -> None:
    source, thread = fuzz.standing(), fuzz.thread()
    to = source if source.thread_id == thread.pk and fuzz.draw.random() < 0.5 else None
    reply(thread, fuzz.draw.choice(fuzz.people), fuzz.text(source), to=to)


def edits(fuzz: Fuzz) -> None:
    post = fuzz.standing()
    known = Quote.objects.exclude(post__thread=F("source_post__thread"))
    known = known.filter(source_post__state=State.VISIBLE, source_post__author__in=fuzz.people)
    if fuzz.draw.random() < 0.5 and (quote := known.order_by("-pk").first()):
        post = quote.source_post
    edit(post, fuzz.text(fuzz.draw.choice([None, fuzz.standing()])))


def hides(fuzz: Fuzz) -> None:
    states.hide(user=fuzz.moderator, post=fuzz.standing(), reason="Off the point")


def restores(fuzz: Fuzz) -> None:
    hidden = Post.objects.filter(thread__in=fuzz.debates, state=State.HIDDEN).order_by("pk")
    for post in hidden[:1]:
        states.restore(user=fuzz.moderator, post=post)


def marks(fuzz: Fuzz) -> None:
    post = fuzz.standing()
    threadmarks.mark(user=post.thread.author, post=post, category="story", label="Chapter")


def locks(fuzz: Fuzz) -> None:
    states.lock_branch(user=fuzz.moderator, post=fuzz.standing())


def puts_into_a_lane(fuzz: Fuzz) -> None:
    given = {"stance": fuzz.draw.choice(["", "disputes"]), "quotes": {}, "ties": []}
    post = fuzz.standing()
    arguments.argue(user=post.author, post=post, lane="premise", **given)


def reads(fuzz: Fuzz) -> None:
    reader, path = next(pages := fuzz.pages())
    while not reader:
        reader, path = next(pages)
    fuzz.readers[reader].get(path)


def asks(fuzz: Fuzz) -> None:
    asked = polls.Asked("Coal or wood?", ["Coal", "Wood"])
    reply(fuzz.thread(), fuzz.people[0], fuzz.text(None), poll=asked)


ACTS = {
    replies: 8,
    quotes: 6,
    edits: 4,
    hides: 1,
    restores: 1,
    marks: 1,
    locks: 0.4,
    puts_into_a_lane: 1,
    reads: 3,
    asks: 0.5,
}


@pytest.mark.parametrize("seed", [1, 2])
def test_every_page_is_what_it_is_for_its_reader_alone(
    world, seed, django_capture_on_commit_callbacks
):
    Fuzz(world, seed, django_capture_on_commit_callbacks).run(7)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3, 9))
def test_every_page_is_what_it_is_for_its_reader_alone_at_length(
    world, seed, django_capture_on_commit_callbacks
):
    Fuzz(world, seed, django_capture_on_commit_callbacks).run(25)


# --- Faults that it finds ---------------------------------------------------------------------


def without(**shown) -> Callable:
    """Leaves parts of the key out."""

    def fault(monkeypatch) -> None:
        whole = articles._KeptArticles._key
        monkeypatch.setattr(
            articles._KeptArticles,
            "_key",
            lambda kept, entry, **own: whole(kept, entry, **own)._replace(**shown),
        )

    return fault


def without_replies(monkeypatch) -> None:
    whole = articles._KeptArticles._key

    def key(kept, entry, **own):
        if entry.position is None:
            return whole(kept, entry, **own)
        position = replace(entry.position, replies=False)
        return whole(kept, replace(entry, position=position), **own)

    monkeypatch.setattr(articles._KeptArticles, "_key", key)


def whatever_is_here(monkeypatch) -> None:
    monkeypatch.setattr(articles.Article, "holds", lambda article, here: time() < article.until)


def an_edit_is_as_quiet_as_a_reply(monkeypatch) -> None:
    def raised(*ids) -> None:
        changed = {"version": F("version") + 1, "quiet": F("quiet") + 1}
        Thread.objects.filter(pk__in=ids).update(**changed)

    monkeypatch.setattr(tree, "raise_version", raised)


def an_edit_elsewhere_is_as_quiet(monkeypatch) -> None:
    touch = elsewhere.touch
    monkeypatch.setattr(elsewhere, "touch", lambda ids, quiet=False: touch(ids, quiet=True))


FAULTS = {
    "the posts of the page": whatever_is_here,
    "the times quoted": without(times_quoted=0),
    "the place": without(position=None, line=None),
    "whether a line leaves downwards": without_replies,
    "the page of a fold": without(fold_base=""),
    "what an edit is": an_edit_is_as_quiet_as_a_reply,
    "what an edit elsewhere is": an_edit_elsewhere_is_as_quiet,
    "the verbs": without(verbs=frozenset()),
    "what is new": without(fresh=False),
}


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(world, fault, monkeypatch, django_capture_on_commit_callbacks):
    """What the comparison above is worth: each part of what a post is kept under, left out."""
    FAULTS[fault](monkeypatch)
    fuzz = Fuzz(world, 1, django_capture_on_commit_callbacks)
    with pytest.raises(AssertionError, match="page="):
        fuzz.run(60)


# --- What it saves ----------------------------------------------------------------------------


@pytest.mark.parametrize("view", ["flat", "tree"])
@pytest.mark.parametrize("member", [False, True])
def test_after_a_reply_only_the_new_post_is_drawn(
    thread, opener, stranger, view, member, monkeypatch
):
    client = browser(stranger if member else None)
    path = f"{thread.get_absolute_url()}?view={view}"
    for _ in range(3):
        reply(thread, opener, "One more.", to=thread.posts.get(number=2))
    client.get(path)
    drawn = []
    render = articles.render_posts

    def noting(posts, **given):
        drawn.extend(post.number for post in posts)
        return render(posts, **given)

    monkeypatch.setattr(articles, "render_posts", noting)
    post = reply(thread, opener, "And another.")
    client.get(path)
    # Where its line goes on, the last post before it was another one.
    assert post.number in drawn and len(drawn) <= 3


def test_a_page_after_a_reply_takes_no_more_queries(thread, opener, stranger):
    client = browser(stranger)
    for query in ("?view=flat", "?view=tree"):
        path = thread.get_absolute_url() + query
        forget()
        with CaptureQueriesContext(connection) as first:
            client.get(path, headers={"Sec-Purpose": "prefetch"})
        reply(thread, opener, "One more.")
        with CaptureQueriesContext(connection) as after:
            client.get(path, headers={"Sec-Purpose": "prefetch"})
        assert len(after) <= len(first) + 1, [query["sql"] for query in after]


def kept_rows() -> list[Post]:
    """The rows that kept cuts hold."""
    things = [thing for thing, _ in caching.fragments._kept.values()]
    cuts = [thing for thing in things if isinstance(thing, page_cuts.Cut)]
    return [row for cut in cuts for row in (*(one.post for one in cut.entries), *cut.continues)]


@pytest.mark.parametrize("view", ["flat", "tree"])
def test_kept_cuts_hold_no_words(thread, opener, stranger, view):
    """Their size is counted without: not where all posts of a page were kept before it was met,
    nor above a page that begins within a branch."""
    last = None
    for _ in range(12):
        last = reply(thread, opener, "One more.", to=last)
    path = f"{thread.get_absolute_url()}?view={view}"
    for size in (10, 20):
        type(stranger).objects.filter(pk=stranger.pk).update(posts_per_page=size)
        client = browser(fresh(stranger))
        for page in range(1, ceil(fresh(thread).numbered / size) + 1):
            assert client.get(f"{path}&page={page}").status_code == 200
    rows = kept_rows()
    assert len(rows) > 20
    assert not [row.number for row in rows if "body" in row._state.fields_cache]


def test_the_reply_form_asks_no_row_again(thread, opener, answerer):
    """It offers what its member chose last, which a row without words must tell."""
    client, path = browser(answerer), thread.get_absolute_url()
    reply(thread, answerer, "Mine.")
    reply(thread, opener, "After which its line goes on.")
    client.get(path)
    reply(thread, opener, "One more.")
    with CaptureQueriesContext(connection) as asked:
        client.get(path)
    again = [query["sql"] for query in asked if '"stance" FROM' in query["sql"]]
    assert not again


def test_who_may_do_nothing_is_no_visitor(thread, stranger):
    until = timezone.now() + timedelta(days=1)
    type(stranger).objects.filter(pk=stranger.pk).update(suspended_until=until)
    path = thread.get_absolute_url()
    for client, said in ((browser(), False), (browser(stranger), True), (browser(), False)):
        html = client.get(path).content.decode()
        assert ("You may not answer here just now" in html) == said


def test_a_post_is_drawn_anew_after_an_hour(thread, opener, monkeypatch):
    """What a mention leads to hangs on who has an account, which raises no number."""
    reply(thread, opener, "@late would know.")
    client, path = browser(), thread.get_absolute_url()
    assert "/members/late/" not in client.get(path).content.decode()
    type(opener).objects.create_user("late", "late@example.org", "x")
    reply(thread, opener, "So we ask.")
    with time_machine.travel(timezone.now() + timedelta(seconds=3601), tick=False):
        assert "/members/late/" in client.get(path).content.decode()
