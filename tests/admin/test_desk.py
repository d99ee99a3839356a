"""The moderators' desk: opens to moderators alone, shows each the rows of their boards, acts only
through actions, and lets nobody edit or delete anything by hand."""

import os
import re
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import tokens
from accounts.models import Invitation
from forum.actions import polls, threadmarks
from forum.actions.arguments import Tie, argue, change_mind
from forum.actions.description import describe
from forum.actions.divergences import read_divergence
from forum.admin import debates
from forum.models import (
    AuditEntry,
    Ballot,
    Board,
    Bookmark,
    Case,
    Draft,
    Job,
    Mail,
    MailSettings,
    Member,
    Note,
    Notice,
    OwnData,
    Page,
    PassageKey,
    Picture,
    PictureUse,
    Poll,
    Post,
    Quarter,
    Question,
    Submission,
    Suspension,
    Term,
    Thread,
    ThreadWord,
    TrustedReporter,
    Upload,
    Warning,
    Watch,
)
from forum.moderation import guest_reports, queue, reports, sanctions, states, transparency
from tests.people import (
    browser,
    cast,
    dump,
    fresh,
    pending,
    quoting,
    reply,
    settled_row,
    start,
)

pytestmark = [pytest.mark.django_db, pytest.mark.reads]
LONG = os.environ.get("JONBAR_LONG") == "1"
REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)
OURS = [model for model in REGISTERED if model._meta.app_label == "forum"]
# Only administrators touch these, and only they are told that there are drafts.
FOR_ADMINISTRATORS = {"forum.Page", "forum.Job", "forum.Mail", "forum.MailSettings"}
FOR_ADMINISTRATORS |= {"forum.OwnData", "forum.Picture", "forum.PictureUse", "forum.Quarter"}
FOR_ADMINISTRATORS |= {"forum.TrustedReporter"}
FOR_ADMINISTRATORS |= {"accounts.User", "accounts.ApiToken", "accounts.Invitation"}
# Made and changed at the desk, through actions; everything else is only looked at.
WRITTEN = (Board, Page, Term, TrustedReporter)
# What is done later, and mailboxes.
OF_WORK = (Job, Mail, MailSettings, OwnData, Quarter)
# Which belong to the member who sent them, whatever board shows them.
OF_PICTURES = (Picture, PictureUse)
# About members, who belong to no board.
OF_MEMBERS = (Member, Note, Suspension, Warning)
FORUM = [
    model
    for model in apps.get_app_config("forum").get_models()
    # What a member watches or keeps is nobody else's; keys of passages hold no words, and Django's
    # admin knows no keys of several columns.
    if "_" not in model.__name__
    and not model._meta.proxy
    and model not in (Bookmark, PassageKey, Watch)
]


def url(model, page, *args) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def listed(response, model) -> set[str]:
    """The ids of rows of a model that a changelist links to."""
    to = f"/admin/{model._meta.app_label}/{model._meta.model_name}"
    return set(re.findall(rf'href="{to}/([^/"]+)/change/', response.content.decode()))


@pytest.fixture(scope="module")
def world(settled):
    """A forum with a row of everything, in `board` and in another one."""
    made = cast()
    thread, other_board, moderator = made.thread, made.other_board, made.moderator
    opener, stranger = made.opener, made.stranger
    for debate in (thread, start(other_board, opener, title="Elsewhere")):
        source = debate.posts.get(number=1)
        reply(debate, stranger, quoting(source, "the party had obeyed"))
        browser(moderator).post(
            url(Thread, "change", debate.pk), {"_act": "pin", "reason": "Worth reading."}
        )
        browser(stranger).get(debate.get_absolute_url())
        reply(debate, opener)
        browser(stranger).get(debate.get_absolute_url())
        reports.report(user=stranger, post=source, reason="spam", token=uuid4())
        post = debate.posts.get(number=2)
        sanctions.warn(user=moderator, member=post.author, points=1, reason="Rude.", post=post)
        describe(
            user=opener,
            thread=debate,
            divergences=[read_divergence(change="The bridge holds.", when="c. 1924")],
            questions=["Who pays for it?"],
        )
        asked = Question.objects.get(thread=debate)
        told = reply(debate, opener, "The people do.")
        ties = [Tie(asked.pk, "agrees")]
        argue(user=opener, post=told, lane="premise", stance="supports", quotes={}, ties=ties)
        Upload.objects.create(
            user=opener,
            board=debate.board,
            name="A file",
            objects_read=[{"model": "forum.thread", "fields": {"key": "k", "title": "Sent"}}],
        )
        change_mind(user=stranger, post=told, was="against", now="for", reason="It adds up.")
        threadmarks.mark(user=opener, post=source, category="story", label="The opening")
        asked = polls.Asked("Who pays?", ["The people", "The crown"])
        voted = reply(debate, opener, "Let us vote.", poll=asked)
        polls.vote(user=stranger, post=voted, chosen=[1])
        ThreadWord.objects.get_or_create(thread=debate, word="bridge", role="c")
        guest_reports.report(post=source, reason="spam", network="192.0.2.1", token=uuid4())
    TrustedReporter.objects.create(member=stranger)
    for case in Case.objects.filter(kind="report"):
        queue.look_at(user=moderator, case=case)
    MailSettings.objects.create(member=stranger)
    OwnData.objects.create(member=stranger, asked_at=timezone.now())
    sent = Picture.objects.create(member=stranger, created_at=timezone.now(), sent_bytes=1)
    body = thread.posts.get(number=1).body
    PictureUse.objects.create(
        picture=sent, post_id=body.post_id, revision=body.revision, thread=thread
    )
    transparency.count_quarters()
    tokens.make(user=stranger, name="A program", scope="read")
    Invitation.objects.create(made_by=stranger, token="x" * 22, ends_at=timezone.now())
    Job.objects.create(task="a.task", queue="default", payload={}, run_after=timezone.now())
    Term.objects.create(name="POD", meaning="Where a timeline leaves our history.")
    Draft.objects.create(
        user=stranger,
        token="7e40c9d2-1f6b-4f5e-9c55-8f0e3f0c0b9c",
        target="/threads/new/",
        text="Nobody else reads this.",
    )
    pending(thread, stranger)
    sanctions.suspend(user=moderator, member=stranger, days=1, reason="R.", measure="approval")
    sanctions.note(user=moderator, member=stranger, text="Knows the archives.")
    Page.objects.create(kind="privacy", source="We keep little.", html="<p>We keep little.</p>")
    return made


full, answer = settled_row("thread"), settled_row("answer")
board, other_board = settled_row("board"), settled_row("other_board")
opener, stranger = settled_row("opener"), settled_row("stranger")
moderator, administrator = settled_row("moderator"), settled_row("administrator")


def test_every_model_has_its_page():
    assert {m.__name__ for m in FORUM} <= {m.__name__ for m in REGISTERED}


@pytest.mark.parametrize("model", REGISTERED, ids=lambda m: m._meta.label)
def test_lists_and_pages_open_for_those_who_may(full, moderator, administrator, model):
    for user in (moderator, administrator):
        client = browser(user)
        refused = model._meta.label in FOR_ADMINISTRATORS and user == moderator
        response = client.get(url(model, "changelist"))
        assert response.status_code == (403 if refused else 200)
        row = model._default_manager.first()
        assert row is not None, f"no {model.__name__} to look at"
        unknown = model is Draft and user == moderator
        for page in ("change", "history"):
            response = client.get(url(model, page, row.pk))
            assert response.status_code == (403 if refused else 302 if unknown else 200)


def test_the_desk_is_closed_to_everybody_else(full, guest, stranger, opener):
    for user in (guest, stranger, opener):
        client = browser(user)
        paths = [reverse("admin:index")]
        for model in REGISTERED:
            row = model._default_manager.first()
            paths += [url(model, "changelist"), url(model, "change", row.pk), url(model, "add")]
        for path in paths:
            for response in (client.get(path), client.post(path, {"_act": "hide"})):
                assert response.status_code in (302, 403), path
                assert "Elsewhere" not in response.content.decode()
    assert Post.objects.filter(state="hidden").count() == 0


@pytest.mark.parametrize(
    "model",
    [m for m in OURS if m not in (*WRITTEN, *OF_MEMBERS, Draft, *OF_WORK, *OF_PICTURES)],
    ids=lambda m: m.__name__,
)
def test_board_moderators_see_the_rows_of_their_boards(
    full, board_moderator, administrator, other_board, model
):
    site = admin.site._registry[model]
    path = site.board_path
    client = browser(board_moderator)
    shown = listed(client.get(url(model, "changelist")), model)
    theirs = model._default_manager.filter(**{path: full.board_id})
    foreign = model._default_manager.filter(**{path: other_board.pk})
    assert theirs.exists()
    assert foreign.exists()
    assert shown == {str(pk) for pk in theirs.values_list("pk", flat=True)}
    for row in foreign:
        response = client.get(url(model, "change", row.pk))
        assert response.status_code in (302, 403, 404)
        assert client.post(url(model, "change", row.pk), {"_act": "hide"}).status_code != 200
    everything = model._default_manager.all()
    if model is Notice:  # of acts alone: what members wrote to each other is between them
        everything = everything.filter(entry__isnull=False)
    everywhere = listed(browser(administrator).get(url(model, "changelist")), model)
    assert len(everywhere) == everything.count()


def test_what_nobody_has_published_is_not_read_at_the_desk(full, moderator, administrator):
    draft = Draft.objects.get()
    assert listed(browser(moderator).get(url(Draft, "changelist")), Draft) == set()
    for page in (url(Draft, "changelist"), url(Draft, "change", draft.pk)):
        assert "Nobody else reads" not in browser(administrator).get(page).content.decode()


def test_who_voted_for_what_is_not_told_at_the_desk(full, administrator, stranger):
    """Neither shown nor to be found out by asking the list for a member or a choice."""
    client, ballot = browser(administrator), Ballot.objects.first()
    for address in (url(Ballot, "changelist"), url(Ballot, "change", ballot.pk)):
        page = client.get(address).content.decode()
        assert stranger.username not in page and "The crown" not in page
    for asked in (f"member={stranger.pk}", "chosen=[1]", f"member__id__exact={stranger.pk}"):
        response = client.get(f"{url(Ballot, 'changelist')}?{asked}")
        assert response.status_code == 400 and "a vote" not in response.content.decode(), asked
    page = client.get(url(Poll, "change", ballot.poll_id)).content.decode()
    assert "Who pays?" in page and "Counts" not in page


def test_names_of_boards_behind_doors_are_not_in_the_filters(full, inner_board, board_moderator):
    for model in OURS:
        if model not in WRITTEN:
            page = browser(board_moderator).get(url(model, "changelist")).content.decode()
            assert "Behind closed doors" not in page, model


def test_a_debate_being_loaded_is_not_at_the_desk_either(full, administrator):
    Thread.objects.filter(pk=full.pk).update(state="loading")
    client = browser(administrator)
    assert str(full.pk) not in listed(client.get(url(Thread, "changelist")), Thread)
    assert client.get(url(Thread, "change", full.pk)).status_code == 302
    post = full.posts.first()
    assert str(post.pk) not in listed(client.get(url(Post, "changelist")), Post)


# --- Acts -------------------------------------------------------------------------------------

POST_ACTS = {"hide": "hidden", "remove": "removed"}


@pytest.mark.parametrize("verb", POST_ACTS)
def test_a_post_is_taken_away_and_brought_back_at_its_page(full, answer, board_moderator, verb):
    client = browser(board_moderator)
    page = client.get(url(Post, "change", answer.pk)).content.decode()
    assert f'name="_act" value="{verb}"' in page
    fields = {"_act": verb, "reason": "Off the point."}
    client.post(url(Post, "change", answer.pk), fields)
    post = fresh(answer)
    assert (post.state, post.state_reason) == (POST_ACTS[verb], "Off the point.")
    entry = AuditEntry.objects.latest("pk")
    assert (entry.actor, entry.verb, entry.post) == (board_moderator, verb, answer)
    client.post(url(Post, "change", answer.pk), {"_act": "restore", "reason": "It is on it."})
    assert fresh(answer).state == "visible"


def test_an_act_that_needs_a_reason_says_so(full, answer, moderator):
    client = browser(moderator)
    response = client.post(url(Post, "change", answer.pk), {"_act": "hide"}, follow=True)
    assert "Say why" in response.content.decode()
    assert fresh(answer).state == "visible"


def test_acts_on_several_posts_ask_for_the_reason_first(full, moderator):
    client, chosen = browser(moderator), list(full.posts.filter(number__in=(2, 4)))
    fields = {"action": "hide", "_selected_action": [post.pk for post in chosen]}
    page = client.post(url(Post, "changelist"), fields)
    assert 'name="reason"' in page.content.decode()
    assert all(fresh(post).state == "visible" for post in chosen)
    client.post(url(Post, "changelist"), {**fields, "reason": "Off the point."})
    assert all(fresh(post).state == "hidden" for post in chosen)
    assert AuditEntry.objects.filter(verb="hide").count() == 2


def test_a_waiting_post_is_approved(full, moderator):
    waiting = Post.objects.get(state="pending")
    browser(moderator).post(url(Post, "change", waiting.pk), {"_act": "approve"})
    assert fresh(waiting).number == fresh(full).numbered


@pytest.mark.parametrize(
    ("verb", "field", "value"),
    [("lock", "locked", True), ("unpin", "pinned", False), ("hide", "state", "hidden")],
)
def test_acts_on_debates(full, moderator, verb, field, value):
    client = browser(moderator)
    client.post(url(Thread, "change", full.pk), {"_act": verb, "reason": "Because."})
    assert getattr(fresh(full), field) == value
    assert AuditEntry.objects.latest("pk").verb == verb


def test_board_moderators_act_on_their_boards_only(full, other_board, board_moderator):
    foreign = Thread.objects.get(board=other_board)
    client = browser(board_moderator)
    before = dump(Thread, Post, AuditEntry)
    client.post(url(Thread, "change", foreign.pk), {"_act": "lock", "reason": "Mine."})
    post = foreign.posts.first()
    client.post(url(Post, "change", post.pk), {"_act": "hide", "reason": "Mine."})
    for model, row in ((Thread, foreign), (Post, post)):
        fields = {"action": "hide", "_selected_action": [row.pk], "reason": "Mine."}
        client.post(url(model, "changelist"), fields)
    assert dump(Thread, Post, AuditEntry) == before


def test_the_reply_tree_can_be_read(full, moderator):
    page = browser(moderator).get(url(Thread, "change", full.pk)).content.decode()
    tree = re.search(r'<ol class="desk-tree"[^>]*>.*?</ol>', page, re.S)[0]
    assert re.findall(r'data-level="(\d)".*?>#(\d+)<', tree)[:4] == [
        *(("0", "1"), ("1", "2"), ("1", "3"), ("1", "4")),
    ]


def test_a_long_tree_is_read_page_by_page(full, moderator, opener, monkeypatch):
    monkeypatch.setattr(debates, "TREE_ROWS", 4)
    for _ in range(4):
        reply(full, opener)
    client, seen = browser(moderator), []
    pages = -(-fresh(full).numbered // 4)
    for asked in range(1, pages + 1):
        page = client.get(url(Thread, "change", full.pk), {"tree": asked}).content.decode()
        shown = re.search(r'<ol class="desk-tree"[^>]*>.*?</ol>', page, re.S)[0]
        seen += [int(number) for number in re.findall(r">#(\d+)<", shown)]
        assert f"of {pages}" in page
    assert sorted(seen) == list(range(1, fresh(full).numbered + 1))
    for junk in ("0", "x", "-1", "999999999999", "99"):
        answer = client.get(url(Thread, "change", full.pk), {"tree": junk})
        assert answer.status_code == 200


# --- The front page -------------------------------------------------------------------------


def test_the_front_page_says_what_waits_in_the_boards_one_moderates(
    full, answer, other_board, stranger, moderator, board_moderator, administrator
):
    foreign = Thread.objects.get(board=other_board).posts.get(number=1)
    for post in (answer, foreign):
        reports.report(user=stranger, post=post, reason="spam", text="Look.", token=uuid4())
    states.hide(user=moderator, post=foreign, reason="Away with it.")
    reports.report(
        user=stranger, post=full.posts.get(number=1), reason="spam", text="", token=uuid4()
    )

    def front(user) -> str:
        return browser(user).get(reverse("admin:index")).content.decode()

    for user in (moderator, administrator, board_moderator):
        page = front(user)
        assert "?kind=report" in page
        assert "Reports 2</a>" in page
        assert page.count('<details class="docket"') == 3
    assert "Away with it." in front(moderator)
    assert "Away with it." not in front(board_moderator)
    Case.objects.update(decided_at=timezone.now())
    assert "Nothing waits for you here." in front(administrator)


# --- By hand ----------------------------------------------------------------------------------


def test_nothing_is_edited_added_or_deleted_by_hand(full, administrator, moderator):
    before = dump(*FORUM)
    for user in (moderator, administrator):
        client = browser(user)
        for model in OURS:
            if model in (*WRITTEN, Upload):
                continue  # those are sent and corrected, by actions
            row = model._default_manager.first()
            junk = {field.name: "1" for field in model._meta.fields}
            junk |= {"_save": "Save", "post": "yes"}
            client.post(url(model, "change", row.pk), junk)
            assert client.get(url(model, "add")).status_code == 403, model
            assert client.post(url(model, "add"), junk).status_code == 403, model
            assert client.get(url(model, "delete", row.pk)).status_code == 403, model
            sure = {"post": "yes"}
            assert client.post(url(model, "delete", row.pk), sure).status_code == 403, model
            chosen = {"action": "delete_selected", "_selected_action": [row.pk], **sure}
            client.post(url(model, "changelist"), chosen)
            page = client.get(url(model, "changelist")).content.decode()
            assert "delete_selected" not in page, model
            assert 'name="form-0-' not in page, model  # nothing to edit in the list
    after = dump(*FORUM)
    assert [model for model in FORUM if after[model] != before[model]] == []


def test_members_are_not_deleted(full, administrator, stranger):
    client = browser(administrator)
    model = type(stranger)
    assert client.post(url(model, "delete", stranger.pk), {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [stranger.pk], "post": "yes"}
    client.post(url(model, "changelist"), chosen)
    assert fresh(stranger)


# --- Pages ------------------------------------------------------------------------------------


@pytest.mark.once
def test_no_page_holds_inline_style_or_script(full, administrator):
    """The content policy would refuse it, and the page would be half a page. Forms to add a row are
    looked at in tests/rendering/test_look.py; histories are all drawn by one template."""
    paths = [reverse("admin:index"), reverse("admin:app_list", args=["forum"])]
    paths.append(url(Post, "history", Post.objects.first().pk))
    for model in REGISTERED:
        row = model._default_manager.first()
        paths += [url(model, "change", row.pk), url(model, "changelist")]
    client = browser(administrator)
    for path in paths:
        response = client.get(path)
        if response.status_code == 403:
            continue
        page = response.content.decode()
        tags = re.findall(r"<[a-z][^>]*>", page)
        assert not [t for t in tags if re.search(r"\sstyle\s*=", t)], path
        assert not [t for t in tags if re.search(r"\son\w+\s*=", t)], path
        assert "<style" not in page, path
        assert "javascript:" not in page, path
        for script in re.findall(r"<script[^>]*>", page):
            assert " src=" in script or 'type="application/json"' in script, (path, script)
        policy = response["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "script-src 'self';" in policy


def test_lists_ask_the_same_of_few_and_many(full, moderator, administrator, opener):
    client = browser(administrator)

    def asked() -> dict[str, int]:
        numbers = {}
        for model in OURS:
            with CaptureQueriesContext(connection) as queries:
                assert client.get(url(model, "changelist")).status_code == 200
            numbers[model.__name__] = len(queries)
        return numbers

    asked()
    few = asked()
    for n in range(6):
        post = reply(full, opener, quoting(full.posts.get(number=1), "the party had obeyed"))
        browser(moderator).post(
            url(Post, "change", post.pk), {"_act": "hide", "reason": f"Reason {n}"}
        )
        Board.objects.create(name=f"Board {n}", slug=f"b{n}", parent=full.board)
    assert asked() == few


def test_searches_and_filters_answer(full, administrator):
    """What may differ from model to model is asked of each, what the desk does for all of them of
    another one each time; with JONBAR_LONG=1 everything of each."""
    client = browser(administrator)
    alike = ("e=1", "p=99999", "o=99")
    unknown = ("999999", "x", "_5F")
    for n, model in enumerate(REGISTERED):
        site = admin.site._registry[model]
        if site.get_search_fields(None):
            for asked in ("obeyed '\" % 日本", "\0", "x" * 2000):
                response = client.get(url(model, "changelist"), {"q": asked})
                assert response.status_code in (200, 302, 404), (model, asked)
        turn = slice(None) if LONG else slice(n % 3, n % 3 + 1)
        for junk in ("state=x", "board__id__exact=x", "tree_id=1", *alike[turn]):
            response = client.get(f"{url(model, 'changelist')}?{junk}")
            assert response.status_code in (200, 302, 400), (model, junk)
        for missing in unknown[turn]:
            assert client.get(url(model, "change", missing)).status_code in (302, 404)


def test_the_reader_of_a_post_at_the_desk_is_the_one_who_asks(
    full, answer, other_board, moderator, board_moderator
):
    """What a quote says of its source depends on who reads; pages are drawn for one at a time."""
    elsewhere = Thread.objects.get(board=other_board)
    post = reply(full, moderator, quoting(elsewhere.posts.get(number=1), "the party had obeyed"))
    Board.objects.filter(pk=other_board.pk).update(audience="moderators")
    site = admin.site._registry[Post]
    pages = {}
    for user in (moderator, board_moderator):
        pages[user] = browser(user).get(url(Post, "change", post.pk)).content.decode()
    assert 'data-status="exact"' in pages[moderator]
    assert 'data-status="unverifiable"' in pages[board_moderator]
    # Nothing of a reader stays on the page's object, which all threads of the server share.
    assert not hasattr(site, "reader")


def test_tokens_of_forms_are_only_looked_at(full, moderator):
    assert Submission.objects.exists()
    page = browser(moderator).get(url(Submission, "changelist"))
    assert page.status_code == 200


# --- The site's own pages ---------------------------------------------------------------------


def test_pages_are_written_by_administrators_and_what_they_said_is_kept(administrator, moderator):
    client = browser(administrator)
    fields = {"kind": "rules", "source": "## Be kind\n\nQuote exactly.", "reason": "A beginning."}
    assert client.post(url(Page, "add"), fields).status_code == 302
    page = Page.objects.get(kind="rules")
    assert "Be kind</h3>" in page.html
    assert page.edited_at
    fields |= {"source": "Be brief.", "reason": "Shorter."}
    client.post(url(Page, "change", page.pk), fields | {"kind": "imprint"})
    page.refresh_from_db()
    assert (page.kind, page.source) == ("rules", "Be brief.")
    entry = AuditEntry.objects.latest("pk")
    assert (entry.actor, entry.verb, entry.reason) == (administrator, "edit page", "Shorter.")
    assert entry.detail["before"].startswith("## Be kind")
    client.post(url(Page, "change", page.pk), fields)
    assert AuditEntry.objects.filter(verb="edit page").count() == 2  # nothing changed, nothing told
    assert browser(moderator).post(url(Page, "add"), fields).status_code == 403
    assert client.post(url(Page, "add"), fields).status_code == 200  # there are rules already


@pytest.mark.parametrize("source", ["\0", "[" * 30_000, "a" * 70_000])
def test_a_page_that_cannot_be_drawn_is_given_back(administrator, source):
    client = browser(administrator)
    answer = client.post(url(Page, "add"), {"kind": "rules", "source": source, "reason": ""})
    assert answer.status_code == 200
    assert not Page.objects.filter(kind="rules").exists()
    assert "errorlist" in answer.content.decode()
