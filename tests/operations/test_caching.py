"""Pages kept for visitors: whoever reads gets what stands now, and only what they may see."""

import gzip
import re
from datetime import timedelta
from io import StringIO

import brotli
import pytest
import time_machine
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import raise_site_version
from forum.actions import (
    arguments,
    description,
    glossary,
    members,
    polls,
    posts,
    threadmarks,
    threads,
)
from forum.actions.divergences import read_divergence
from forum.models import Board, Term, Thread
from forum.moderation import merging, moving, states
from forum.operations import caching
from forum.rendering import context
from forum.rendering.page_cuts import Cut
from tests.people import (
    browser,
    cast,
    edit,
    fresh,
    make_member,
    pending,
    quoting,
    reply,
    settled_row,
    start,
)

pytestmark = [pytest.mark.django_db, pytest.mark.reads]


BACKLINK = "another debate, #"


def forget() -> None:
    caching.pages.clear()
    caching.fragments.clear()


@pytest.fixture(scope="module")
def world(settled):
    return cast()


thread, board, other_board = (settled_row(name) for name in ("thread", "board", "other_board"))
opener, answerer, stranger = (settled_row(name) for name in ("opener", "answerer", "stranger"))
moderator, administrator = settled_row("moderator"), settled_row("administrator")


@pytest.fixture(autouse=True)
def kept(settings, unhurried, stopped_clock):
    """Pages are kept, beginning with none. The debate is as old as this module: each minute, pages
    of the same things say another age of it."""
    settings.KEPT_PAGES_MB = 4
    forget()
    yield
    forget()


def page(thread, client=None, query="", **headers):
    response = (client or browser()).get(thread.get_absolute_url() + query, **headers)
    assert response.status_code == 200
    return response


def words(thread, **options) -> str:
    return page(thread, **options).content.decode()


# --- After every act the next page is new -----------------------------------------------------
# Each act on a debate of four posts (see `thread`), and what a visitor finds or misses then.


def approves(scene) -> None:
    states.approve(user=scene.moderator, post=scene.waiting)


def hides(scene) -> None:
    states.hide(user=scene.moderator, post=scene.answer, reason="Off the point")


def restores(scene) -> None:
    states.restore(user=scene.moderator, post=scene.hidden)


def describes(scene) -> None:
    divergences = [read_divergence(change="Trotsky succeeds Lenin", when="c. 1924")]
    description.describe(
        user=scene.opener, thread=scene.thread, divergences=divergences, questions=[]
    )


def quotes_from_elsewhere(scene) -> None:
    with scene.commits():
        reply(scene.other, scene.answerer, quoting(scene.answer, "The party obeyed nobody."))


def hides_what_is_quoted_here(scene) -> None:
    states.hide(user=scene.moderator, post=scene.elsewhere, reason="Off the point")


def edits_what_is_quoted_here(scene) -> None:
    with scene.commits():
        edit(scene.elsewhere, "I take it all back.")


def hides_the_debate_quoted_here(scene) -> None:
    states.hide_thread(user=scene.moderator, thread=scene.elsewhere.thread, reason="Spam")


def at_the_desk(scene, path: str, **changes) -> None:
    """Send a form of the desk as it comes, but for these fields."""
    form = scene.admin.get(path).context["adminform"].form
    given = {name: form.get_initial_for_field(form.fields[name], name) for name in form.fields}
    given = {name: value for name, value in given.items() if value not in (None, False)}
    assert scene.admin.post(path, {**given, **changes}).status_code == 302


def renames_a_board(scene) -> None:
    at_the_desk(scene, f"/admin/forum/board/{scene.thread.board_id}/change/", name="Before 1900")


def renames_a_member(world) -> None:
    members.rename(user=world.administrator, member=world.answerer, name="answering")


ACTS = {
    "reply": (
        lambda w: reply(w.thread, w.opener, "Newly said."),
        "Newly said.",
    ),
    "edit": (lambda w: edit(w.answer, "Said otherwise."), "Said otherwise."),
    "withdraw": (lambda w: posts.withdraw(user=w.answerer, post=w.answer), "Withdrawn post"),
    "rename": (
        lambda w: threads.rename(user=w.opener, thread=w.thread, title="Another title"),
        "Another title</h1>",
    ),
    "close": (
        lambda w: threads.close(user=w.opener, thread=w.thread, closed=True),
        "closed by the member",
    ),
    "mark": (
        lambda w: threadmarks.mark(
            user=w.opener, post=w.answer, category="story", label="Chapter 1"
        ),
        "Chapter 1",
    ),
    "change a poll": (
        lambda w: polls.change(
            user=w.answerer, post=w.polled, asked=polls.Asked("Who obeys?", ["All", "Nobody"])
        ),
        "Who obeys?",
    ),
    "close a poll": (lambda w: polls.close(user=w.answerer, post=w.polled), "0 of 0, 0 %"),
    "describe": (describes, "Trotsky succeeds Lenin"),
    "hide": (hides, "Off the point"),
    "restore": (restores, "Which purges do you mean?"),
    "approve": (approves, "May I come in?"),
    "lock": (lambda w: states.lock(user=w.moderator, thread=w.thread), "is locked"),
    "archive": (
        lambda w: states.archive(user=w.moderator, thread=w.thread),
        "debate is archived",
    ),
    "slow": (
        lambda w: states.slow(user=w.moderator, thread=w.thread, minutes=5),
        "slow mode: one post",
    ),
    "lock branch": (
        lambda w: states.lock_branch(user=w.moderator, post=w.answer),
        "branch locked",
    ),
    "merge": (
        lambda w: merging.merge(
            user=w.moderator,
            thread=start(w.thread.board, w.opener, title="Late", text="Came along."),
            into=w.thread,
        ),
        "Came along.",
    ),
    "split": (
        lambda w: moving.split(
            user=w.moderator, thread=w.thread, chosen=[w.answer.pk], title="Of clerks"
        ),
        "3 replies",
    ),
    "put into a lane": (
        lambda w: arguments.argue(
            user=w.moderator, post=w.answer, lane="premise", stance="", quotes={}, ties=[]
        ),
        '<span class="lane">whether it could happen</span>',
    ),
    "explain a word": (
        lambda w: glossary.define(
            user=w.administrator, term=Term(name="party", meaning="The one that ruled.")
        ),
        "The one that ruled.",
    ),
    "pin": (lambda w: states.pin(user=w.moderator, thread=w.thread), "<span>pinned</span>"),
    "quote from elsewhere": (quotes_from_elsewhere, "another debate, #"),
    "hide what is quoted": (hides_what_is_quoted_here, "source removed"),
    "edit what is quoted": (edits_what_is_quoted_here, "source edited since"),
    "hide the debate quoted": (hides_the_debate_quoted_here, "unverifiable"),
    "rename a board": (renames_a_board, "Before 1900"),
    "rename a member": (renames_a_member, "answering"),
}


class Scene:
    """A debate with a post that waits and a quote of another debate, and who acts on it."""

    def __init__(self, **people) -> None:
        vars(self).update(people)


@pytest.fixture
def scene(
    thread, answer, opener, answerer, moderator, administrator, other_board,
    django_capture_on_commit_callbacks,
):  # fmt: skip
    other = start(other_board, opener, title="Elsewhere")
    elsewhere = reply(other, answerer, "Ships need coal, and coal needs ships.")
    reply(thread, opener, quoting(elsewhere, "Ships need coal"))
    hidden = states.hide(user=moderator, post=thread.posts.get(number=4), reason="Spam")
    asked = polls.Asked("Who decides?", ["The party", "Its clerk"])
    polled = reply(thread, answerer, "Let us vote.", poll=asked)
    return Scene(
        thread=fresh(thread),
        answer=fresh(answer),
        opener=opener,
        answerer=answerer,
        moderator=moderator,
        admin=browser(administrator),
        administrator=administrator,
        other=other,
        elsewhere=fresh(elsewhere),
        hidden=hidden,
        polled=fresh(polled),
        waiting=pending(thread, answerer),
        commits=lambda: django_capture_on_commit_callbacks(execute=True),
    )


@pytest.mark.parametrize("act", ACTS)
def test_after_an_act_the_next_page_is_new(scene, act, stranger):
    happens, found = ACTS[act]
    before = page(scene.thread)
    member = browser(stranger)
    assert found not in words(scene.thread, client=member)
    assert page(scene.thread)["ETag"] == before["ETag"]  # it is kept
    assert found not in before.content.decode()
    happens(scene)
    after = page(fresh(scene.thread))
    assert found in after.content.decode()
    assert after["ETag"] != before["ETag"]
    assert found in words(fresh(scene.thread), client=member)


@pytest.mark.parametrize("act", ACTS)
def test_after_an_act_no_page_shows_what_was(scene, act, stranger):
    """Lists and debates, drawn out of what is kept, are to the letter what they are without it."""
    boards = [f"/boards/{thread.board.slug}/" for thread in (scene.thread, scene.other)]
    paths = ["/", *boards, "/members/opener/", "/members/answerer/"]
    paths += [scene.thread.get_absolute_url() + query for query in ("", "?view=tree")]
    readers = [browser(reader) for reader in (None, stranger)]

    def pages() -> list[str]:
        answers = [reader.get(path, follow=True) for reader in readers for path in paths]
        return [still(answer.content.decode()) for answer in answers]

    before = pages()
    ACTS[act][0](scene)
    for query in ("", "?view=tree"):  # what is new is read
        readers[1].get(scene.thread.get_absolute_url() + query, follow=True)
    # In one moment: "just now" may end between the two.
    with time_machine.travel(timezone.now(), tick=False):
        kept = pages()
        assert kept != before
        forget()
        context.forget_links()
        assert kept == pages()


# What a post of another debate shows here, its backlink, goes with it, in the very transaction.
TAKEN = {
    "hide": lambda w, post: states.hide(user=w.moderator, post=post, reason="Off the point"),
    "withdraw": lambda w, post: posts.withdraw(user=w.answerer, post=post),
    "edit": lambda w, post: edit(post, "I have thought better of it."),
}


@pytest.mark.parametrize("act", TAKEN)
def test_a_backlink_goes_with_the_quote(scene, act, stranger):
    with scene.commits():
        post = reply(scene.other, scene.answerer, quoting(scene.answer, "The party obeyed nobody."))
    member = browser(stranger)
    assert BACKLINK in words(scene.thread)
    assert BACKLINK in words(scene.thread, client=member)
    TAKEN[act](scene, post)
    assert BACKLINK not in words(scene.thread)
    assert BACKLINK not in words(scene.thread, client=member)


@pytest.mark.parametrize("act", ["approve", "restore"])
def test_a_backlink_comes_with_a_post_that_appears(scene, act, stranger):
    text, member = quoting(scene.answer, "The party obeyed nobody."), browser(stranger)
    if act == "approve":
        post = pending(scene.other, scene.answerer, text)
    else:
        post = reply(scene.other, scene.answerer, text)
        states.hide(user=scene.moderator, post=post, reason="Off the point")
    assert BACKLINK not in words(scene.thread)
    assert BACKLINK not in words(scene.thread, client=member)
    with scene.commits():
        getattr(states, act)(user=scene.moderator, post=post)
    assert BACKLINK in words(scene.thread)
    assert BACKLINK in words(scene.thread, client=member)


@pytest.mark.parametrize("narrowed", ["board", "thread"])
def test_what_is_closed_to_visitors_is_gone_at_once(scene, moderator, narrowed):
    page(scene.thread)
    if narrowed == "board":
        with transaction.atomic():
            Board.objects.filter(pk=scene.thread.board_id).update(audience="members")
            raise_site_version()
    else:
        states.hide_thread(user=moderator, thread=scene.thread, reason="Spam")
    assert browser().get(scene.thread.get_absolute_url()).status_code == 404


def test_an_act_that_is_undone_raises_nothing(thread, opener):
    version = fresh(thread).version
    before = page(thread)["ETag"]
    with pytest.raises(RuntimeError), transaction.atomic():
        reply(thread, opener, "Never said.")
        raise_site_version()
        raise RuntimeError
    assert fresh(thread).version == version
    assert page(thread)["ETag"] == before


def test_what_changes_while_a_page_is_drawn_is_on_the_next(thread, opener, monkeypatch):
    """The page drawn from the old rows may be kept, but nobody asks for it again."""
    from forum.views import threads as view

    render, said = view.render, []

    def slow(request, *arguments, **options):
        response = render(request, *arguments, **options)
        if not said:
            said.append(reply(thread, opener, "Said meanwhile."))
        return response

    monkeypatch.setattr(view, "render", slow)
    assert "Said meanwhile." not in words(thread)
    assert "Said meanwhile." in words(thread)


def test_what_check_forum_heals_is_on_the_next_page(thread, answer):
    body = answer.body
    html, body.html = body.html, "<p>Broken.</p>"
    body.save()
    assert "Broken." in words(thread)
    call_command("check_forum", fix=True, stdout=StringIO())
    body.refresh_from_db()
    assert body.html == html
    assert "Broken." not in words(thread)


# --- Who sees what ----------------------------------------------------------------------------


def test_readers_with_rights_neither_fill_nor_get_kept_pages(
    thread, answer, moderator, opener, answerer
):
    states.hide(user=moderator, post=answer, reason="Off the point")
    secret = "The party obeyed nobody."
    for order in ([moderator, None, answerer], [None, moderator, None, opener]):
        forget()
        for reader in order:
            html = words(thread, client=browser(reader))
            assert (secret in html) == (reader == moderator)
            assert ("csrfmiddlewaretoken" in html) == (reader is not None)


def test_a_waiting_post_shows_to_its_author_only(thread, answerer):
    pending(thread, answerer)
    for reader in (None, answerer, None):
        html = words(thread, client=browser(reader))
        assert ("May I come in?" in html) == (reader == answerer)


def test_members_read_in_their_own_time_zone(thread, opening):
    type(opening).objects.filter(pk=opening.pk).update(
        written_at=timezone.now().replace(month=1, day=1, hour=12) - timedelta(days=800)
    )
    east = make_member("east", time_zone="Asia/Tokyo")
    assert ", 12:" in words(thread)
    assert ", 21:" in words(thread, client=browser(east))
    assert ", 12:" in words(thread)


def test_who_ignores_a_member_has_pages_of_their_own(thread, answerer):
    reader = make_member("tired", ignoring=[answerer.pk])
    for who in (None, reader, None):
        assert ("You ignore this member" in words(thread, client=browser(who))) == (who == reader)


def test_the_theme_is_the_visitors_own(thread):
    light, dark = browser(), browser()
    light.cookies["theme"], dark.cookies["theme"] = "light", "dark"
    for _ in range(2):
        assert 'data-theme="light"' in words(thread, client=light)
        assert 'data-theme="dark"' in words(thread, client=dark)
        assert 'data-theme="auto"' in words(thread)


def test_a_message_is_read_once(thread, opener):
    client = browser(opener)
    client.post("/accounts/logout/")
    assert "messages" in client.cookies
    assert 'role="status"' in words(thread, client=client)
    assert 'role="status"' not in words(thread, client=client)
    assert 'role="status"' not in words(thread)


def test_each_host_has_pages_of_its_own(thread, settings):
    settings.ALLOWED_HOSTS = ["one.example", "two.example"]
    for host in ("one.example", "two.example", "one.example"):
        html = page(thread, headers={"host": host}).content.decode()
        assert f'rel="canonical" href="http://{host}/' in html
    response = browser().get(thread.get_absolute_url(), headers={"host": "evil.example"})
    assert response.status_code == 400


@pytest.fixture
def one_moment():
    """The clock stands: "just now" may end between two drawings of a page."""
    with time_machine.travel(timezone.now(), tick=False):
        yield


@pytest.mark.usefixtures("one_moment")
def test_members_share_what_is_drawn_and_nothing_of_their_own(
    thread, answer, opener, answerer, stranger, moderator
):
    """Each page as it is when nothing is shared, whoever fills the cache."""
    tired = make_member("tired", ignoring=[answerer.pk])
    readers = [stranger, opener, moderator, answerer, tired, opener]
    for view in ("flat", "tree"):
        for _ in (1, 2):  # what is new is read
            alone = {}
            for reader in readers:
                forget()
                alone[reader] = still(words(thread, client=browser(reader), query=f"?view={view}"))
        forget()
        for reader in readers:
            html = still(words(thread, client=browser(reader), query=f"?view={view}"))
            assert html == alone[reader], (reader, view)
        pages = [kept for kept, _ in caching.fragments._kept.values() if isinstance(kept, Cut)]
        assert len(pages) == 1


def test_who_is_invited_somewhere_shares_nothing(thread, stranger, inner_board):
    Board.objects.filter(pk=inner_board.pk).update(audience="invited")
    inner_board.invited.add(stranger)
    page(thread, client=browser(stranger))
    assert not caching.fragments._kept


def still(html: str) -> str:
    """A page without what is new at each request."""
    return re.sub(r'name="(csrfmiddlewaretoken|token)" value="[^"]*"', "", html)


def test_a_members_kept_page_takes_few_queries(thread, stranger):
    client = browser(stranger)
    for query in ("?view=flat", "?view=tree"):
        page(thread, client=client, query=query)
        with CaptureQueriesContext(connection) as captured:
            page(thread, client=client, query=query)
        assert len(captured) <= 3, [q["sql"] for q in captured]


# --- What crosses the wire --------------------------------------------------------------------


def test_a_kept_page_has_all_headers_and_no_cookie(thread):
    first, kept = page(thread), page(thread)
    own = {"X-Request-ID": None}  # each request has one
    assert {**dict(kept.headers), **own} == {**dict(first.headers), **own}
    assert kept.content == first.content
    assert not kept.cookies
    assert kept["Cache-Control"] == "no-cache"
    assert set(re.split(r",\s*", kept["Vary"])) == {"Accept-Encoding", "Cookie"}
    for name in ("Content-Security-Policy", "X-Frame-Options", "X-Content-Type-Options"):
        assert kept[name]


def test_it_is_asked_for_again_only_if_it_changed(thread, opener):
    etag = page(thread)["ETag"]
    path = thread.get_absolute_url()
    for known in (etag, f'"other", W/{etag}', "*"):
        same = browser().get(path, headers={"if-none-match": known})
        assert (same.status_code, same.content, same["ETag"]) == (304, b"", etag)
        assert "Content-Type" not in same.headers
    reply(thread, opener, "Newly said.")
    assert browser().get(path, headers={"if-none-match": etag}).status_code == 200


def test_it_is_compressed_for_those_who_take_it(thread):
    client = Client()  # that takes pages to the letter
    plain = page(thread, client)
    marks = {plain["ETag"]}
    # Kept as the first one took it; others get it in their own way.
    for taken, coding in (("gzip, br", "br"), ("br;q=0, gzip;q=0.5", "gzip"), ("zstd", "")):
        packed = page(thread, client, headers={"accept-encoding": taken})
        assert packed.get("Content-Encoding", "") == coding
        assert int(packed["Content-Length"]) == len(packed.content)
        unpack = {"br": brotli.decompress, "gzip": gzip.decompress, "": bytes}[coding]
        assert unpack(packed.content) == plain.content
        marks.add(packed["ETag"])
        assert packed["ETag"].startswith("W/") is bool(coding)  # packed anew, it is other bytes
        assert not coding or len(packed.content) < len(plain.content)
    assert len(marks) == 3  # of none, br, gzip


def test_a_page_that_is_asked_for_again_is_packed_smaller(thread):
    """Quickly when it is drawn: most pages of a debate that lives are drawn anew before that."""
    sizes, shown = [], set()
    for _ in range(3):
        packed = page(thread, Client(), headers={"accept-encoding": "br"})
        sizes.append(int(packed["Content-Length"]))
        shown.add((brotli.decompress(packed.content), packed["ETag"]))
    first, second, third = sizes
    assert second < first and third == second
    assert len(shown) == 1
    [(_, mark)] = shown
    known = {"accept-encoding": "br", "if-none-match": mark}
    same = Client().get(thread.get_absolute_url(), headers=known)
    assert (same.status_code, same["ETag"]) == (304, mark)


def test_head_answers_like_get_without_the_page(thread):
    for _ in range(2):
        head = browser().head(thread.get_absolute_url())
        assert (head.status_code, head.content) == (200, b"")
        assert head["Content-Length"] == page(thread)["Content-Length"]


def test_members_pages_are_private(thread, stranger):
    assert page(thread, client=browser(stranger))["Cache-Control"] == "private, no-cache"


def test_a_kept_page_takes_one_query(thread):
    page(thread)
    with CaptureQueriesContext(connection) as captured:
        page(thread)
    assert len(captured) == 1


# --- What is kept -----------------------------------------------------------------------------


def test_words_about_time_go_on(thread):
    Thread.objects.filter(pk=thread.pk).update(last_post_at=timezone.now())
    thread.posts.update(loaded_at=timezone.now(), written_at=timezone.now())
    assert "just now" in words(thread)
    for later, said in ((61, "1 minute ago"), (119, "1 minute ago"), (7300, "2 hours ago")):
        with time_machine.travel(timezone.now() + timedelta(seconds=later), tick=False):
            assert said in words(thread)


def test_the_least_recently_shown_page_goes_first(thread, settings):
    """Of as many pages as there is room for, those that are asked for stay."""
    page(thread)
    ((_, size),) = caching.pages._kept.values()
    settings.KEPT_PAGES_MB = 2.5 * size / 1024 / 1024
    forget()
    for query in ("", "?view=tree", "", "?view=flat"):
        page(thread, query=query)
    assert [key[1] for key in caching.pages._kept] == ["", "view=flat"]
    assert caching.pages._bytes <= 2.5 * size


@pytest.mark.parametrize("query", ["?view=flat&x=1", "?page=01&page=1&page=1", "?view=tree&fold=1"])
def test_unusual_addresses_are_answered_and_not_kept(thread, query):
    page(thread, query=query)
    assert not caching.pages._kept


def test_only_whole_pages_are_kept(thread, settings):
    client = browser()
    assert client.get(f"/threads/{thread.pk}/").status_code == 301
    assert client.get(f"/threads/{thread.pk}/new/").status_code == 302
    assert client.get(f"{thread.get_absolute_url()}?page=99").status_code == 404
    assert client.get("/threads/999999/nothing/").status_code == 404
    assert client.post(thread.get_absolute_url()).status_code in (200, 403, 405)
    assert not caching.pages._kept
