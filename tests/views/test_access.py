"""Five questions to every address: what does a guest get, a stranger, the author, a moderator, and
who asks for what is not there? And two more: does looking change nothing, and does a thing that
one may not know of answer exactly like one that does not exist?"""

import ast
import inspect
import re
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.db import transaction
from django.urls import get_resolver

from accounts.models import User
from forum.actions import feeds, notices, polls, posts
from forum.actions.audit import record
from forum.api.service import service
from forum.mailing import stopping
from forum.models import (
    AuditEntry,
    Ballot,
    Board,
    Case,
    Draft,
    Notice,
    Picture,
    Poll,
    Post,
    PostBody,
    PostRevision,
    Quote,
    Report,
    Submission,
    Thread,
)
from forum.moderation import guest_reports, states
from tests.people import browser, cast, dump, quoting, reply, settled_row, shown_picture, start

pytestmark = pytest.mark.django_db
TABLES = (
    *(AuditEntry, Board, Case, Draft, Notice, Picture, Post, PostBody, PostRevision, Quote, Report),
    *(Submission, Thread, User, Poll, Ballot),
)
TOKEN = str(uuid4())
GONE = 10**9
ROOT = Path(__file__).resolve().parents[2]

# name: (address, guest, stranger, author, moderator, an address of that kind that is not there).
# The author opened the debate and wrote post #3. "in" leads to the sign-in page, "to" elsewhere.
SEEN = {
    "home": ("/", 200, 200, 200, 200, None),
    "board": ("/boards/after-1900/", 200, 200, 200, 200, "/boards/nowhere/"),
    "thread-id": ("/threads/{t}/", "to", "to", "to", "to", "/threads/{gone}/"),
    "thread": ("/threads/{t}/{slug}/", 200, 200, 200, 200, "/threads/{gone}/what/"),
    "new": ("/threads/{t}/new/", "to", "to", "to", "to", "/threads/{gone}/new/"),
    "news": ("/threads/{t}/since/1/", "in", 200, 200, 200, "/threads/{gone}/since/1/"),
    "reply": ("/threads/{t}/reply/", "in", 200, 200, 200, "/threads/{gone}/reply/"),
    "start": ("/threads/new/", "in", 200, 200, 200, "/threads/new/?board=nowhere"),
    "rename": ("/threads/{t}/rename/", "in", 403, 200, 200, "/threads/{gone}/rename/"),
    "describe": ("/threads/{t}/describe/", "in", 403, 200, 200, "/threads/{gone}/describe/"),
    "variant": ("/threads/{t}/variant/", "in", 403, 200, 200, "/threads/{gone}/variant/"),
    "close": ("/threads/{t}/close/", "in", 403, 200, 403, "/threads/{gone}/close/"),
    "read": ("/threads/{t}/read/", 200, 200, 200, 200, "/threads/{gone}/read/"),
    "thread-epub": ("/threads/{t}/epub/", 200, 200, 200, 200, "/threads/{gone}/epub/"),
    "thread-fixture": ("/threads/{t}/fixture/", 200, 200, 200, 200, "/threads/{gone}/fixture/"),
    "thread-markdown": ("/threads/{t}/markdown/", 200, 200, 200, 200, "/threads/{gone}/markdown/"),
    "road-epub": ("/posts/{p}/road/epub/", 200, 200, 200, 200, "/posts/{gone}/road/epub/"),
    "mark": ("/posts/{p}/mark/", "in", 403, 200, 200, "/posts/{gone}/mark/"),
    "moderate-post": ("/posts/{p}/moderate/", "in", 403, 403, 200, "/posts/{gone}/moderate/"),
    "moderate-thread": (
        "/threads/{t}/moderate/",
        *("in", 403, 403, 200, "/threads/{gone}/moderate/"),
    ),
    "split": ("/threads/{t}/split/", "in", 403, 403, 200, "/threads/{gone}/split/"),
    "undo": ("/log/{e}/undo/", "in", 403, 403, 200, "/log/{gone}/undo/"),
    "post": ("/posts/{p}/", "to", "to", "to", "to", "/posts/{gone}/"),
    "edit": ("/posts/{p}/edit/", "in", 403, 200, 403, "/posts/{gone}/edit/"),
    "withdraw": ("/posts/{p}/withdraw/", "in", 403, 200, 403, "/posts/{gone}/withdraw/"),
    "atlas": ("/threads/{t}/atlas/", 200, 200, 200, 200, "/threads/{gone}/atlas/"),
    "gallery": ("/gallery/", 200, 200, 200, 200, "/gallery/?shows=photo"),
    "outline": ("/threads/{t}/outline/", 200, 200, 200, 200, "/threads/{gone}/outline/"),
    "outline-argdown": (
        "/threads/{t}/outline.argdown",
        *(200, 200, 200, 200, "/threads/{gone}/outline.argdown"),
    ),
    "outline-json": (
        "/threads/{t}/outline.json",
        *(200, 200, 200, 200, "/threads/{gone}/outline.json"),
    ),
    "debates": ("/debates/", 200, 200, 200, 200, None),
    "jump": ("/threads/{t}/jump/?to=2", "to", "to", "to", "to", "/threads/{gone}/jump/?to=2"),
    "feed": ("/feed/", 200, 200, 200, 200, None),
    "search": ("/search/?q=party", 200, 200, 200, 200, None),
    "timeline-feed": ("/timeline/feed/", 200, 200, 200, 200, None),
    "board-feed": ("/boards/after-1900/feed/", 200, 200, 200, 200, "/boards/nowhere/feed/"),
    "thread-feed": ("/threads/{t}/feed/", 200, 200, 200, 200, "/threads/{gone}/feed/"),
    "story-feed": ("/threads/{t}/read/feed/", 200, 200, 200, 200, "/threads/{gone}/read/feed/"),
    "branch-feed": ("/posts/{p}/feed/", 200, 200, 200, 200, "/posts/{gone}/feed/"),
    "member-feed": ("/members/opener/feed/", 200, 200, 200, 200, "/members/nobody/feed/"),
    "security": ("/.well-known/security.txt", 404, 404, 404, 404, None),
    "new-password": ("/.well-known/change-password", "to", "to", "to", "to", None),
    "robots": ("/robots.txt", 200, 200, 200, 200, None),
    "sitemap": ("/sitemap.xml", 200, 200, 200, 200, None),
    "sitemap-part": ("/sitemap-0.xml", 200, 200, 200, 200, None),
    "help": ("/help/about/", 200, 200, 200, 200, None),
    "questions": ("/questions/", 200, 200, 200, 200, None),
    "argument": ("/posts/{p}/argument/", "in", 403, 200, 200, "/posts/{gone}/argument/"),
    "minds": ("/posts/{p}/minds/", 200, 200, 200, 200, "/posts/{gone}/minds/"),
    "poll": ("/posts/{v}/poll/", 200, 200, 200, 200, "/posts/{gone}/poll/"),
    "change-poll": (
        *("/posts/{v}/poll/change/", "in", 403, 200, 200),
        "/posts/{gone}/poll/change/",
    ),
    "history": ("/posts/{p}/history/", 200, 200, 200, 200, "/posts/{gone}/history/"),
    "road": ("/posts/{p}/road/", 200, 200, 200, 200, "/posts/{gone}/road/"),
    "quotes": ("/posts/{p}/quotes/", 200, 200, 200, 200, "/posts/{gone}/quotes/"),
    "post-words": ("/posts/{p}/words/", 200, 200, 200, 200, "/posts/{gone}/words/"),
    "compare-quote": ("/posts/{q}/quotes/1/", 200, 200, 200, 200, "/posts/{p}/quotes/9/"),
    "member": ("/members/opener/", 200, 200, 200, 200, "/members/nobody/"),
    "member-debates": (
        "/members/opener/debates/",
        *[200] * 4,
        "/members/nobody/debates/",
    ),
    "drafts": ("/drafts/", "in", 200, 200, 200, None),
    "newest-draft": ("/drafts/newest/?target=/threads/new/", "in", 200, 200, 200, None),
    "report": ("/posts/{p}/report/", "in", 200, 403, 200, "/posts/{gone}/report/"),
    "guest-report": ("/report/?post={p}", 200, "to", "to", "to", None),
    "report-receipt": ("/report/{r}/", *[200] * 4, "/report/AAAA-BBBB/"),
    "answer-act": ("/notices/{n}/answer/", "in", 404, 200, 404, None),
    "mail-settings": ("/mail/", "in", 200, 200, 200, None),
    "stop-mail": ("/mail/stop/{s}/", 200, 200, 200, 200, "/mail/stop/forged/"),
    "own-feeds": ("/feeds/", "in", 200, 200, 200, None),
    # Whoever knows the address.
    "own-watching-feed": ("/feeds/{f}/watching/", *[200] * 4, "/feeds/forged/watching/"),
    "own-notices-feed": ("/feeds/{f}/notices/", *[200] * 4, "/feeds/forged/notices/"),
    "own-board-feed": (
        "/feeds/{f}/boards/after-1900/",
        *[200] * 4,
        "/feeds/forged/boards/after-1900/",
    ),
    "search-feed": ("/search/feed/?q=party", 200, 200, 200, 200, "/search/feed/?q="),
    "names": ("/names/?begun=@op", "in", 200, 200, 200, None),
    "places": ("/places/?begun=mos", "in", 200, 200, 200, None),
    "search-offer": ("/search/offer/?q=party", 200, 200, 200, 200, None),
    "thread-picture": ("/threads/{t}/preview.png", *[200] * 4, "/threads/{gone}/preview.png"),
    "standing": ("/standing/", "in", 200, 200, 200, None),
    "change-name": ("/standing/name/", "in", 200, 200, 200, None),
    "notices": ("/notices/", "in", 200, 200, 200, None),
    "watching": ("/watching/", "in", 200, 200, 200, None),
    "bookmarks": ("/bookmarks/", "in", 200, 200, 200, None),
    "bookmark": ("/posts/{p}/bookmark/", "in", 200, 200, 200, "/posts/{gone}/bookmark/"),
    "watch-board": (
        "/boards/after-1900/watch/",
        *("in", 200, 200, 200, "/boards/nowhere/watch/"),
    ),
    "watch-thread": ("/threads/{t}/watch/", "in", 200, 200, 200, "/threads/{gone}/watch/"),
    "watch-post": ("/posts/{p}/watch/", "in", 200, 200, 200, "/posts/{gone}/watch/"),
    "watch-member": (
        "/members/answerer/watch/",
        *("in", 200, 200, 200, "/members/nobody/watch/"),
    ),
    "glossary": ("/glossary/", 200, 200, 200, 200, None),
    "timeline": ("/timeline/", 200, 200, 200, 200, None),
    "map": ("/map/", 200, 200, 200, 200, "/map/?in=nowhere"),
    "theme": ("/theme/", 200, 200, 200, 200, None),
    "rules": ("/rules/", 200, 200, 200, 200, None),
    "transparency": ("/transparency/", 200, 200, 200, 200, None),
    "transparency-json": ("/transparency/figures.json", 200, 200, 200, 200, None),
    "log": ("/log/", 200, 200, 200, 200, "/log/?board=nowhere"),
    "picture": ("/pictures/{k}/", 200, 200, 200, 200, "/pictures/nothing/"),
    "picture-file": ("/pictures/{k}/{file}", *[200] * 4, "/pictures/{k}/nothing.png"),
    "emblem-file": ("/emblems/nothing.png", 404, 404, 404, 404, None),  # nobody chose one here
    "picture-mark": ("/pictures/{k}/mark/", "in", 403, 200, 200, "/pictures/nothing/mark/"),
    "zoom": ("/pictures/{k}/zoom/", *[200] * 4, "/pictures/nothing/zoom/"),
    "tile": (
        "/pictures/{k}/tiles/{sum}/0/0_0.webp",
        *[200] * 4,
        "/pictures/{k}/tiles/a/0/0_0.webp",
    ),
    "page": ("/imprint/", 404, 404, 404, 404, "/imprint/"),  # nobody has written it here
    "keys": ("/keys/", 200, 200, 200, 200, None),
    # What a session says is nothing to the API; with tokens: tests/api.
    "api": ("/api/", 200, 200, 200, 200, None),
    "api-description": ("/api/openapi.json", 200, 200, 200, 200, None),
    "api-boards": ("/api/boards/", 200, 200, 200, 200, None),
    "api-threads": ("/api/threads/", 200, 200, 200, 200, None),
    "api-thread": ("/api/threads/{t}/", 200, 200, 200, 200, "/api/threads/{gone}/"),
    "api-posts": ("/api/threads/{t}/posts/", 200, 200, 200, 200, "/api/threads/{gone}/posts/"),
    "api-tree": ("/api/threads/{t}/tree/", 200, 200, 200, 200, "/api/threads/{gone}/tree/"),
    "api-outline": (
        "/api/threads/{t}/outline/",
        *(200, 200, 200, 200, "/api/threads/{gone}/outline/"),
    ),
    "api-post": ("/api/posts/{p}/", 200, 200, 200, 200, "/api/posts/{gone}/"),
    "api-replies": ("/api/posts/{p}/replies/", 200, 200, 200, 200, "/api/posts/{gone}/replies/"),
    "api-revisions": (
        "/api/posts/{p}/revisions/",
        *(200, 200, 200, 200, "/api/posts/{gone}/revisions/"),
    ),
    "api-quotes": ("/api/posts/{p}/quotes/", 200, 200, 200, 200, "/api/posts/{gone}/quotes/"),
    "api-divergences": ("/api/divergences/", 200, 200, 200, 200, None),
    "api-questions": ("/api/questions/", 200, 200, 200, 200, None),
    "api-search": ("/api/search/?q=party", 200, 200, 200, 200, None),
    "api-drafts": ("/api/drafts/", 401, 401, 401, 401, None),
    "healthz": ("/healthz", 200, 200, 200, 200, None),
    "readyz": ("/readyz", 200, 200, 200, 200, None),
    "metrics": ("/metrics", 404, 404, 404, 404, None),
}
# name: (address, fields, guest, stranger, author, moderator): forms. "to" means that it was done.
SENT = {
    "reply": ("/threads/{t}/reply/", {"text": "Yes.", "token": TOKEN}, 403, "to", "to", "to"),
    "start": (
        "/threads/new/",
        {"board": "after-1900", "title": "T", "kind": "TL", "text": "Yes.", "token": TOKEN},
        *(403, "to", "to", "to"),
    ),
    "rename": ("/threads/{t}/rename/", {"title": "Other"}, 403, 403, "to", "to"),
    "describe": (
        "/threads/{t}/describe/",
        {
            "form-TOTAL_FORMS": "1",
            "form-INITIAL_FORMS": "0",
            "form-0-change": "The bridge holds.",
            "form-0-when": "c. 1924",
        },
        *(403, 403, "to", "to"),
    ),
    "variant": ("/threads/{t}/variant/", {"other": ""}, 403, 403, "to", "to"),
    "close": ("/threads/{t}/close/", {"do": "close"}, 403, 403, "to", 403),
    "post-words": ("/posts/{p}/words/", {"words": "The party"}, 200, 200, 200, 200),
    "edit": ("/posts/{p}/edit/", {"text": "Other.", "base": "1"}, 403, 403, "to", 403),
    "argument": ("/posts/{p}/argument/", {"lane": "meta"}, 403, 403, "to", "to"),
    "minds": (
        "/posts/{p}/minds/",
        {"was": "for", "now": "against", "reason": "It adds up."},
        *(403, "to", 403, "to"),
    ),
    "poll": ("/posts/{v}/poll/", {"choice": "0"}, 403, "to", "to", "to"),
    "change-poll": ("/posts/{v}/poll/change/", {"do": "close"}, 403, 403, "to", "to"),
    "withdraw": ("/posts/{p}/withdraw/", {"reason": "Wrong."}, 403, 403, "to", 403),
    "release": ("/posts/{p}/release/", {}, 403, 403, "to", 403),
    "mark": (
        "/posts/{p}/mark/",
        {"label": "Chapter 1", "category": "story", "do": "mark"},
        *(403, 403, "to", "to"),
    ),
    "moderate-post": (
        "/posts/{p}/moderate/?act=hide",
        {"reason": "Off the point."},
        *(403, 403, 403, "to"),
    ),
    "moderate-thread": ("/threads/{t}/moderate/?act=lock", {}, 403, 403, 403, "to"),
    "split": (
        "/threads/{t}/split/",
        {"post": "{p}", "title": "Another debate", "do": "split"},
        *(403, 403, 403, "to"),
    ),
    "undo": ("/log/{e}/undo/", {"reason": "On second thoughts."}, 403, 403, 403, "to"),
    "mark-read": ("/read/", {}, 403, "to", "to", "to"),
    "fold": ("/threads/{t}/fold/", {"fold": "{p}"}, 403, "to", "to", "to"),
    "save-draft": (
        "/drafts/save/",
        {"target": "/threads/new/", "token": TOKEN, "text": "Perhaps."},
        *(403, 200, 200, 200),
    ),
    "discard-draft": (f"/drafts/{TOKEN}/discard/", {}, 403, "to", "to", "to"),
    "ignore": ("/members/answerer/ignore/", {}, 403, "to", "to", "to"),
    "report": ("/posts/{p}/report/", {"reason": "spam", "token": TOKEN}, 403, "to", 403, "to"),
    "guest-report": (
        "/report/",
        {"address": "/posts/{p}/", "reason": "spam", "token": TOKEN},
        *["to"] * 4,  # to the receipt, also of who signed in meanwhile
    ),
    "report-receipt": ("/report/{r}/", {"key": "forged"}, *[422] * 4),
    "answer-act": ("/notices/{n}/answer/", {"text": "It was not."}, 403, 404, "to", 404),
    "mail-settings": ("/mail/", {"act": "day", "outcome": "never"}, 403, "to", "to", "to"),
    "mail-again": ("/mail/again/", {}, 403, "to", "to", "to"),
    "stop-mail": ("/mail/stop/{s}/", {}, 200, 200, 200, 200),  # without signing in
    "own-feeds": ("/feeds/", {"do": "make"}, 403, "to", "to", "to"),
    "change-name": ("/standing/name/", {"name": "Another"}, 403, "to", "to", "to"),
    "read-notices": ("/notices/read/", {"until": "1"}, 403, "to", "to", "to"),
    "watching": ("/watching/", {"level-1": "muted"}, 403, "to", "to", "to"),
    "stop-watching": ("/watching/stop/", {"watch": "1"}, 403, "to", "to", "to"),
    "watch-history": ("/watching/history/", {"from": "1900"}, 403, "to", "to", "to"),
    "watch-board": ("/boards/after-1900/watch/", {"level": "all"}, 403, "to", "to", "to"),
    "watch-thread": ("/threads/{t}/watch/", {"level": "marks"}, 403, "to", "to", "to"),
    "watch-post": ("/posts/{p}/watch/", {"level": "answers"}, 403, "to", "to", "to"),
    "watch-member": ("/members/answerer/watch/", {"level": "openings"}, 403, "to", "to", "to"),
    "bookmark": ("/posts/{p}/bookmark/", {"note": "Mine."}, 403, "to", "to", "to"),
    "drop-bookmark": ("/bookmarks/drop/", {"bookmark": "1"}, 403, "to", "to", "to"),
    "picture": ("/pictures/{k}/", {"alt": "A map."}, 403, 403, "to", "to"),
    "picture-mark": ("/pictures/{k}/mark/", {"shows": "flag"}, 403, 403, "to", "to"),
    "add-picture": ("/pictures/", {}, 403, 422, 422, 422),
    "theme": ("/theme/", {"theme": "dark"}, "to", "to", "to", "to"),
    "api-preview": ("/api/preview/", {}, 400, 400, 400, 400),  # a form is no JSON
    "api-discard-draft": (f"/api/drafts/{TOKEN}/discard/", {}, 401, 401, 401, 401),
}


@pytest.fixture(scope="module")
def world(settled):
    return cast()


board, thread = settled_row("board"), settled_row("thread")
opener, answerer = settled_row("opener"), settled_row("answerer")
stranger, moderator = settled_row("stranger"), settled_row("moderator")


@pytest.fixture
def people(guest, stranger, opener, moderator):
    return {"guest": guest, "stranger": stranger, "author": opener, "moderator": moderator}


@pytest.fixture
def address(thread, opener, moderator):
    post = thread.posts.get(number=3)
    entry = record(
        moderator, "unpin", thread=thread, before={"pinned": True}, after={"pinned": False}
    )
    told = notices.notify(opener, entry=entry)
    quoted = reply(thread, opener, quoting(thread.posts.get(number=2), "The party"))
    asked = polls.Asked("Who decides?", ["The party", "Its clerk"])
    polled = reply(thread, opener, "Let us vote.", poll=asked)

    picture = shown_picture(post, "A map", member=opener)
    feeds.make(user=opener)
    own_feeds = feeds.address(opener, "own-watching-feed").split("/")[2]
    reported = guest_reports.report(post=post, reason="spam", network="192.0.2.1", token=uuid4())

    def fill(pattern: str) -> str:
        return (
            pattern.replace("{t}", str(thread.pk))
            .replace("{slug}", thread.slug)
            .replace("{p}", str(post.pk))
            .replace("{q}", str(quoted.pk))
            .replace("{v}", str(polled.pk))
            .replace("{n}", str(told.pk))
            .replace("{e}", str(entry.pk))
            .replace("{f}", own_feeds)
            .replace("{k}", picture.key)
            .replace("{file}", picture.file.rpartition("/")[2])
            .replace("{r}", reported.number)
            .replace("{sum}", picture.sha256[:16])
            .replace("{s}", stopping.token(opener, ["act"]))
            .replace("{gone}", str(GONE))
        )

    return fill


def outcome(response):
    if response.status_code not in (301, 302):
        return response.status_code
    return "in" if response["Location"].startswith("/accounts/login/") else "to"


def test_every_address_is_asked():
    names = {
        pattern.name
        for part in get_resolver().url_patterns
        for pattern in getattr(part, "url_patterns", [part])
        if not str(part.pattern).startswith(("accounts/", "admin/"))
    }
    assert names == set(SEEN) | set(SENT)


def test_who_sees_a_page_and_that_looking_changes_nothing(people, address):
    clients = {role: browser(user) for role, user in people.items()}
    before = dump(*TABLES)
    for name, (where, *expected, missing) in SEEN.items():
        got = [outcome(client.get(address(where))) for client in clients.values()]
        assert got == expected, name
        for role in ("guest", "author") if missing else ():
            got = outcome(clients[role].get(address(missing)))
            # A guest is asked to sign in before the forum looks for a board to start in.
            assert got == ("in" if role == "guest" and name == "start" else 404), (role, name)
    after = dump(*TABLES)
    assert [table for table in TABLES if after[table] != before[table]] == []


@pytest.mark.parametrize("name", SENT)
def test_who_may_send_a_form(people, address, name):
    where, fields, *expected = SENT[name]
    filled = {key: address(value) for key, value in fields.items()}
    clients = {role: browser(user) for role, user in people.items()}
    before = dump(*TABLES)
    for (role, client), wanted in zip(clients.items(), expected, strict=True):
        with transaction.atomic():
            got = outcome(client.post(address(where), filled))
            assert got == wanted, role
            if got == 403:
                assert dump(*TABLES) == before, role
            transaction.set_rollback(True)


@pytest.mark.parametrize("name", sorted(set(SENT) - set(SEEN)))
def test_forms_are_not_sent_by_a_link(people, address, name):
    for user in people.values():
        assert browser(user).get(address(SENT[name][0])).status_code == 405


def test_forms_for_what_is_not_there(people, address):
    for name, (where, fields, *_) in SENT.items():
        missing = where.replace("{t}", "{gone}").replace("{p}", "{gone}").replace("{e}", "{gone}")
        missing = missing.replace("answerer", "nobody")
        if missing == where:
            continue
        filled = {key: address(value) for key, value in fields.items()}
        for role in ("stranger", "moderator"):
            got = browser(people[role]).post(address(missing), filled)
            assert got.status_code == 404, (name, role)


# --- As if it did not exist -------------------------------------------------------------------

ABOUT_A_THREAD = [
    "/threads/{t}/",
    "/threads/{t}/{slug}/",
    "/threads/{t}/new/",
    "/threads/{t}/reply/",
    "/threads/{t}/read/",
    "/threads/{t}/epub/",
    "/threads/{t}/fixture/",
    "/threads/{t}/markdown/",
]
ABOUT_A_THREAD += [f"/threads/{{t}}/outline{kind}" for kind in ("/", ".argdown", ".json")]
ABOUT_A_THREAD += [f"/threads/{{t}}/{verb}/" for verb in ("rename", "describe", "variant", "close")]
ABOUT_A_POST = [
    *("argument/", "minds/", "edit/", "report/", "withdraw/", "history/", "road/", "quotes/"),
    *("mark/", "moderate/", "moderate/?act=split"),
]
ABOUT_A_THREAD += ["/threads/{t}/moderate/", "/threads/{t}/split/"]
ABOUT_A_POST += ["road/epub/"]
ABOUT_A_POST = [f"/posts/{{p}}/{page}" for page in ABOUT_A_POST]
ALL = [*ABOUT_A_THREAD, "/posts/{p}/", *ABOUT_A_POST, "/boards/{b}/", "/threads/new/?board={b}"]


def anonymised(response, path: str) -> tuple:
    """What an answer says, without the address that was asked for, the session's own token and the
    request's id."""
    body = response.content.decode()
    body = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", body)
    headers = str(sorted(response.headers.items()))
    for said in (path, quote(path, safe=""), quote(path)):
        body, headers = body.replace(said, "…"), headers.replace(said, "…")
    headers = re.sub(r"'Content-Length', '\d+'", "", headers)
    headers = re.sub(r"'X-Request-ID', '\w+'", "", headers)
    return response.status_code, headers, body


def vanish(how, thread):
    if how == "board for moderators":
        Board.objects.update(audience="moderators")
    elif how == "board for members":
        Board.objects.update(audience="members")
    else:
        Thread.objects.filter(pk=thread.pk).update(state=how)


WAYS_TO_VANISH = (
    *("board for moderators", "board for members", "pending", "hidden", "removed", "loading"),
)


def test_what_one_may_not_know_answers_like_what_is_not_there(
    people, answerer, thread, address, board_moderator
):
    """What is not there is asked for once; it answers the same whatever else became of others."""
    people |= {"answerer": answerer, "board moderator": board_moderator}
    clients = {role: browser(user) for role, user in people.items()}
    missing = {}
    for how in WAYS_TO_VANISH:
        knows = {"moderator", "board moderator"}
        if how == "pending":
            knows |= {"author"}
        elif how == "board for members":
            knows = set(people) - {"guest"}
        elif how == "loading":
            knows = set()
        with transaction.atomic():
            vanish(how, thread)
            for role, client in clients.items():
                for pattern in ALL:
                    if "{b}" in pattern and not how.startswith("board"):
                        continue
                    there = address(pattern.replace("{b}", "after-1900"))
                    got = client.get(there)
                    if role in knows:
                        assert got.status_code != 404, (how, role, there)
                        continue
                    if (role, pattern) not in missing:
                        nowhere = pattern.replace("{t}", "{gone}").replace("{p}", "{gone}")
                        nowhere = address(nowhere.replace("{b}", "nowhere"))
                        missing[role, pattern] = anonymised(client.get(nowhere), nowhere)
                    assert anonymised(got, there) == missing[role, pattern], (how, role, there)
                    assert outcome(got) in (404, "in")
                if role not in knows:
                    for page in (client.get("/"), client.get("/members/opener/")):
                        assert f"/threads/{thread.pk}/" not in page.content.decode()
                        assert thread.title not in page.content.decode()
            transaction.set_rollback(True)
    assert len(missing) > len(ALL) * 4


@pytest.mark.parametrize("how", ["hide", "remove", "withdraw"])
def test_the_words_of_a_post_taken_away(people, thread, answer, answerer, moderator, how):
    """Everybody who sees the debate sees that something was there, and nobody but moderators
    what."""
    if how == "withdraw":
        posts.withdraw(user=answerer, post=answer, reason="I was wrong.")
    else:
        getattr(states, how)(user=moderator, post=answer, reason="I was wrong.")
    people |= {"answerer": answerer}
    for role, user in people.items():
        client = browser(user)
        for view in ("flat", "tree"):
            page = client.get(f"{thread.get_absolute_url()}?view={view}").content.decode()
            assert f'id="post-{answer.pk}"' in page
            assert ("I was wrong." in page) == (role != "moderator")
            assert ("obeyed nobody" in page) == (role == "moderator"), role
        got = client.get(f"/posts/{answer.pk}/")
        assert got["Location"].endswith(f"#post-{answer.pk}")
        for pattern in ABOUT_A_POST:
            there = pattern.replace("{p}", str(answer.pk))
            nowhere = pattern.replace("{p}", str(GONE))
            got, missing = client.get(there), client.get(nowhere)
            if role == "moderator":
                assert got.status_code != 404
            else:
                assert anonymised(got, there) == anonymised(missing, nowhere), (role, there)
        profile = client.get("/members/answerer/").content.decode()
        assert "obeyed nobody" not in profile
        form = client.get(f"/threads/{thread.pk}/reply/?quote={answer.pk}").content.decode()
        assert "obeyed nobody" not in form


def test_words_of_a_closed_board_are_not_put_into_forms(thread, inner_board, moderator, stranger):
    secret = start(inner_board, moderator, text="The archive was moved.").posts.get()
    for number in (secret.pk, f"{secret.pk}.1"):
        page = browser(stranger).get(f"/threads/{thread.pk}/reply/?quote={number}")
        assert "archive" not in page.content.decode()
        page = browser(moderator).get(f"/threads/{thread.pk}/reply/?quote={number}")
        assert "archive" in page.content.decode()


# --- Pages for everybody ----------------------------------------------------------------------


def test_visitors_pages_can_be_shared(thread):
    """No cookie, no token: what one visitor was given, another may be given from a cache."""
    post = thread.posts.get(number=3)
    client = browser()
    pages = ["/", "/boards/after-1900/", thread.get_absolute_url(), "/members/opener/", "/keys/"]
    pages += ["/rules/", "/log/"]
    pages += [f"{thread.get_absolute_url()}?view=tree", "/nothing/here/", f"/posts/{post.pk}/"]
    pages += [f"/posts/{post.pk}/{page}/" for page in ("history", "road", "quotes")]
    for path in pages:
        response = client.get(path)
        assert response.status_code in (200, 302, 404), path
        assert not response.cookies, path
        assert "Set-Cookie" not in response.headers
        assert "csrf" not in response.content.decode().lower(), path


# --- The gate ---------------------------------------------------------------------------------

# What a view takes from its address, and who hands it out. No view gets a thing past these.
GATES = {
    "thread_id": ("thread_or_404(request.user",),
    "post_id": ("post_or_404(request.user", "place_or_404(request.user"),
    "slug": ("board_or_404(request.user", "thread_or_404(request.user"),
    "notice_id": ('require(request.user, "answer act"', "notice_or_404(request.user"),
}


def whole(part=None, taken=frozenset()):
    """Each of the forum's own views, and what the API answers with, with what its address takes."""
    if part is None:
        for address, view in service.default_router.path_operations.items():
            for operation in view.operations:
                yield operation.view_func, taken | set(re.findall(r"{(?:\w+:)?(\w+)}", address))
    for pattern in (part or get_resolver()).url_patterns:
        mine = taken | set(pattern.pattern.converters)
        if hasattr(pattern, "url_patterns"):
            yield from whole(pattern, mine)
        elif pattern.callback.__module__.startswith("forum.views"):
            yield pattern.callback, mine


def test_no_view_forgets_the_gate():
    """Whatever names a board, debate or post in its address gets it through views/fetch.py."""
    tried = 0
    for view, taken in whole():
        source = inspect.getsource(inspect.unwrap(view))
        for name in taken & set(GATES):
            tried += 1
            # A feed asks for a visitor, whoever fetches it, or for the member whose address it is.
            source = source.replace("(VISITOR", "(request.user").replace("(reader", "(request.user")
            if "user = writer(request)" in source:
                source = source.replace("(user", "(request.user")
            assert any(gate in source for gate in GATES[name]), (view.__name__, name)
    assert tried > 20


BY_ID = r"(?:Board|Thread|Post)\.objects(?:\.\w+\([^()]*\))*\.(?:get|filter)"


def test_views_look_nothing_up_by_bare_id():
    """Outside the gate, what is got by its id is asked for within something that was let through:
    by its thread or its member, or among the rows that the reader may see."""
    for path in sorted(
        [*(ROOT / "forum" / "views").glob("*.py"), *(ROOT / "forum" / "api").glob("*.py")]
    ):
        if path.name == "fetch.py":
            continue
        for call in ast.walk(ast.parse(path.read_text())):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
                continue
            said = ast.unparse(call.func)
            if re.fullmatch(BY_ID, said):
                words = {word.arg: word.value for word in call.keywords}
                # The id of something at hand (`thing.pk`) was let through before.
                bare = [w for w in ("pk", "id") if not isinstance(words.get(w), ast.Attribute)]
                bare = set(bare) & set(words) and not set(words) & {"thread", "author", "board"}
                assert not bare, f"{path.name}:{call.lineno} {ast.unparse(call)}"
