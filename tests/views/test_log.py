"""The moderation log: every act with its reason, for everybody, and no word of what is hidden."""

import ast
import re
from html import unescape
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

import forum
from forum.actions import boards, glossary, pages, posts, threads
from forum.actions.audit import record
from forum.models import AuditEntry, Board, Term
from forum.moderation import states
from forum.views import log
from tests.people import browser, fresh, pending, reply, start

pytestmark = pytest.mark.django_db


def read(user=None, query="") -> str:
    response = browser(user).get(f"/log/{query}")
    assert response.status_code == 200
    return response.content.decode()


def test_who_did_what_to_what_and_why(thread, answer, moderator):
    states.hide(user=moderator, post=answer, reason="Off the point.")
    states.lock(user=moderator, thread=thread, reason="Heat.")
    page = read()
    assert "<bdi>keeper</bdi> hid " in page
    assert f'<a href="/posts/{answer.pk}/" dir="auto">#2 in “What if Lenin had lived?”</a>' in page
    assert "Off the point." in page
    assert "<bdi>keeper</bdi> locked " in page
    assert page.index("Heat.") < page.index("Off the point.")


def test_a_site_may_keep_the_names_of_its_moderators(answer, moderator, settings):
    settings.LOG_NAMES_MODERATORS = False
    states.hide(user=moderator, post=answer, reason="Off the point.")
    page = read()
    assert "A moderator hid" in page
    assert "keeper" not in page


def test_what_was_hidden_is_not_named(thread, moderator, opener, stranger):
    states.lock(user=moderator, thread=thread, reason="Heat.")
    waits = pending(thread, stranger, "Secret words")
    states.reject(user=moderator, post=waits, reason="Not here.")
    threads.rename(user=moderator, thread=thread, title="A milder title")
    states.hide_thread(user=moderator, thread=thread, reason="Libel.")
    for user in (None, stranger, opener):
        page = read(user)
        for secret in ("Lenin", "lenin", "milder", "Secret words", f"/threads/{thread.pk}/"):
            assert secret not in page
        for told in ("Heat.", "Libel.", "Not here.", "locked <span", "renamed <span"):
            assert told in page
    assert "milder" in read(moderator)


def test_the_title_that_a_moderator_replaced_is_not_told(thread, moderator):
    threads.rename(user=moderator, thread=thread, title="A milder title", reason="Libel.")
    page = read()
    assert "A milder title" in page
    assert "Lenin" not in page


def test_acts_on_boards_that_one_does_not_see_are_not_there(
    thread, inner_board, moderator, board_moderator, stranger
):
    inner = start(inner_board, moderator, title="The archive was moved")
    states.pin(user=moderator, thread=inner, reason="Because of the deed.")
    for user in (None, stranger, board_moderator):
        page = read(user)
        for secret in ("archive was", "of the deed", "Behind closed doors", "/closed/"):
            assert secret not in page
        assert browser(user).get("/log/?board=closed").status_code == 404
        nowhere, hidden = (
            re.sub(r'"csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())
            for answer in map(browser(user).get, ("/log/?board=nowhere", "/log/?board=closed"))
        )
        assert hidden.replace("closed", "nowhere") == nowhere
    assert "Because of the deed." in read(moderator, "?board=closed")


def test_a_debate_that_went_to_another_board_is_named_only_to_its_readers(
    thread, inner_board, moderator, stranger
):
    states.lock(user=moderator, thread=thread, reason="Heat.")
    thread.board = inner_board
    thread.save()
    assert "Lenin" not in read(stranger)
    assert "Heat." in read(stranger)


def test_members_own_acts_and_notes_are_not_moderation(thread, answer, opener, answerer, moderator):
    posts.withdraw(user=answerer, post=answer, reason="I was wrong.")
    threads.rename(user=opener, thread=thread, title="Another title", reason="Clearer.")
    threads.close(user=opener, thread=fresh(thread), closed=True, reason="Done.")
    record(moderator, "note", member=answerer, reason="Keep an eye on this one.")
    assert AuditEntry.objects.count() == 4
    for user in (None, opener, moderator):
        page = read(user)
        assert "Nothing had to be done yet." in page
    loaded = fresh(thread)
    loaded.author, loaded.byline = None, "Voice 1"
    loaded.save()
    threads.rename(user=moderator, thread=loaded, title="A third title")
    assert "A third title" in read()


def test_acts_on_the_site_and_on_members_are_told(db, administrator, stranger):
    pages.edit(user=administrator, kind="privacy", source="We keep little.", reason="New.")
    record(None, "appoint", member=stranger, reason="moderator of all boards")
    page = read()
    assert '<a href="/privacy/" dir="auto">the page “privacy”</a>' in page
    assert "the site's keepers</bdi> gave " in unescape(page)
    assert '<a href="/members/stranger/" dir="auto">stranger</a>' in page


def test_boards_and_the_glossary_are_told_of_as_far_as_one_sees_them(
    board, inner_board, administrator, stranger
):
    shown = boards.make(user=administrator, board=Board(name="Maps", slug="maps"), reason="Asked.")
    hidden = Board(name="Under the rose", slug="rose", audience="moderators")
    boards.make(user=administrator, board=hidden)
    for one in (shown, hidden):
        assert boards.shift(user=administrator, board=one, way="up")
    assert not boards.shift(user=administrator, board=board, way="up")  # there is nothing above
    term = glossary.define(user=administrator, term=Term(name="POD", meaning="Where it forks."))
    glossary.define(user=administrator, term=term)  # nothing new
    for user in (None, stranger, administrator):
        page = read(user)
        assert 'made <a href="/boards/maps/" dir="auto">the board “Maps”</a>' in page
        assert 'moved <a href="/boards/maps/" dir="auto">the board “Maps”</a> to another' in page
        assert page.count("said in the glossary what <a") == 1
        assert ("Under the rose" in page) == (user == administrator)
        assert page.count('id="entry-') == (5 if user == administrator else 3)
    for one in (shown, hidden):
        boards.remove(user=administrator, board=one)
    glossary.forget(user=administrator, term=term)
    for user in (None, stranger):
        page = read(user)
        assert 'took out <span dir="auto">the board “Maps”</span>, which was empty' in page
        assert "“POD”</a> out of the glossary" in page
        assert "Under the rose" not in page
    assert "Under the rose" in read(administrator)


def test_the_log_is_paged_and_filtered_at_the_same_cost(thread, other_board, moderator, opener):
    other = start(other_board, opener, title="Elsewhere")

    def asked(query="") -> int:
        with CaptureQueriesContext(connection) as queries:
            read(None, query)
        return len(queries)

    states.pin(user=moderator, thread=thread)
    few = asked()
    for n in range(log.PER_PAGE):
        act = states.unpin if n % 2 == 0 else states.pin
        act(user=moderator, thread=thread if n % 3 else other, reason=f"Reason {n}.")
        post = reply(other, opener)
        states.hide(user=moderator, post=post, reason=f"Hidden {n}.")
    assert asked() == few
    page, seen = read(), 0
    while 'rel="next"' in page:
        seen += page.count('id="entry-')
        page = read(None, "?" + page.split('rel="next" href="?')[1].split('"')[0])
    told = seen + page.count('id="entry-')
    assert told == AuditEntry.objects.count() > log.PER_PAGE
    page = read(None, "?board=antiquity&act=hide")
    assert "Elsewhere" in page
    assert "What if Lenin" not in page
    assert "pinned “" not in page


@pytest.mark.parametrize("query", ["act=x", "board=x", "before=x", "before=9999999999999999999"])
def test_what_is_no_page_of_the_log(db, query):
    assert browser().get(f"/log/?{query}").status_code == 404


# --- Append-only ------------------------------------------------------------------------------


def test_no_code_changes_or_deletes_an_entry():
    """Entries are created in one place, and nothing is ever called on them that would change them,
    but for the one way there that takes words out. On PostgreSQL a trigger refuses it as well."""
    root, created = Path(forum.__file__).parent, set()
    one_place = root / "actions/audit.py"
    for path in root.rglob("*.py"):
        if "migrations" in path.parts:
            continue
        tree = ast.parse(path.read_text())
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            said = ast.unparse(call)
            if said.startswith("AuditEntry.objects"):
                for way in (".update(", ".delete(", "bulk_update", "update_or_create"):
                    assert way not in said or (way, path) == (".update(", one_place), (path, said)
                if ".create(" in said or "bulk_create" in said:
                    created.add(path.relative_to(root).as_posix())
            for way in ("entry.save", "entry.delete"):
                assert not said.startswith(way), (path, said)
    assert created == {"actions/audit.py"}


def test_postgresql_refuses_to_change_the_log(thread, moderator):
    states.pin(user=moderator, thread=thread, reason="Worth reading.")
    if connection.vendor != "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM sqlite_master"
                " WHERE type = 'trigger' AND tbl_name = 'forum_auditentry'"
            )
            assert cursor.fetchone() == (0,)  # there, the code alone keeps the log
        return
    for sql in (
        "UPDATE forum_auditentry SET reason = 'x'",
        "DELETE FROM forum_auditentry",
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            connection.cursor().execute(sql)
    assert AuditEntry.objects.get().reason == "Worth reading."


def test_the_pages_of_the_site_are_linked_when_they_are_written(
    thread, administrator, monkeypatch, django_capture_on_commit_callbacks, settings
):
    """Also at the foot of pages that are kept for visitors."""
    settings.KEPT_PAGES_MB = 4
    link = '<a href="/imprint/">Imprint</a>'
    address = thread.get_absolute_url()
    for client in (browser(), browser(administrator)):
        assert link not in client.get(address).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        pages.edit(user=administrator, kind="imprint", source="We keep *little*.")
    for client in (browser(), browser(administrator)):
        assert link in client.get(address).content.decode()
        assert "We keep <em>little</em>." in client.get("/imprint/").content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        pages.edit(user=administrator, kind="imprint", source=" \n ")
    for client in (browser(), browser(administrator)):
        assert link not in client.get(address).content.decode()
        assert client.get("/imprint/").status_code == 404


def test_another_worker_learns_of_a_new_page_with_the_next_site_version(
    thread, administrator, settings
):
    """Here nothing tells the worker; the site version under which a visitor's page is kept does."""
    settings.KEPT_PAGES_MB = 4
    address = thread.get_absolute_url()
    browser().get(address)
    pages.edit(user=administrator, kind="imprint", source="Somebody.")
    assert '<a href="/imprint/">Imprint</a>' in browser().get(address).content.decode()
