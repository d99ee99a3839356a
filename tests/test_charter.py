"""The charter as everybody can read it: what the page says is what the rules do."""

import pytest

from accounts.models import User
from forum.models import AuditEntry, Board, Case, Notice, Page, Post, Thread
from forum.permissions import CHARTER, Refused
from forum.rendering import rules_page

from .people import browser

ROLES = ("guest", "unconfirmed", "new member", "member", "board moderator", "administrator")
# Written by hand, in the order of ROLES: - no, o one's own, y yes.
SAID = {
    "see board": "yyyyyy",
    "see thread": "yyyyyy",
    "see post": "yyyyyy",
    "see history": "yyyyyy",
    "write": "--yyyy",
    "start": "--yyyy",
    "reply": "--yyyy",
    "answer": "--yyyy",
    "edit": "--oooo",
    "withdraw": "--oooo",
    "release": "--oooo",
    "rename": "--ooyy",
    "describe": "--ooyy",
    "close": "--oooo",
    "vote": "--yyyy",
    "close poll": "--ooyy",
    "report": "--yyyy",
    "use account": "-yyyyy",
    "read notices": "-yyyyy",
    "answer act": "-ooooo",
    "moderate": "----yy",
    "decide": "----yy",
    "undo": "----yy",
    "invite": "----yy",
    "warn": "----yy",
    "suspend": "-----y",
    "take emblem": "-----y",
    "clean up": "----yy",
    "note": "----yy",
    "rename member": "-----y",
    "leave": "-yyyyy",
    "close account": "-----y",
    "administer": "-----y",
    "enter desk": "----yy",
}
# Boards by who reads, answers (a) and starts (s); roles as above, with "invited member" before the
# moderator. Moderators stand there with the rights they have in boards of their own.
BOARDS = {
    "Seen by: everybody": "r r ras ras ras ras ras",
    "Seen by: members": "- r ras ras ras ras ras",
    "Seen by: invited members": "- - - - ras ras ras",
    "Seen by: its moderators": "- - - - - ras ras",
    "For announcements: moderators start": "r r ra ra ra ras ras",
    "For announcements: moderators start and answer": "r r r r r ras ras",
    "Read only": "r r r r r r r",
}

KINDS = (None, AuditEntry, Board, Thread, Post, Notice, Case, User)


@pytest.fixture(autouse=True)
def every_role(settings):
    settings.CONFIRM_ADDRESS = "required"
    settings.NEW_MEMBER_POSTS = 3


def test_the_charter_says_of_each_verb_who_may():
    assert tuple(rules_page.roles()) == ROLES
    marks = {"yes": "y", "own": "o", "no": "-"}
    said = {a.verb: "".join(marks[answer] for answer in a.answers) for a in rules_page.articles()}
    assert set(said) == set(CHARTER)
    assert {verb: said[verb] for verb in SAID} == SAID


def test_every_verb_has_a_sentence_and_a_thing_that_can_be_asked_about():
    for article in rules_page.articles():
        assert article.sentence.endswith("."), article.verb
        assert "\n" not in article.sentence
        assert rules_page.thing_of(article.verb) in KINDS, article.verb


def test_the_charter_says_what_each_does_in_each_kind_of_board():
    assert list(rules_page.readers()) == [*ROLES[:4], "invited member", *ROLES[4:]]
    words = {"nothing": "-", "reads": "r", "answers": "a", "starts debates": "s"}
    said = {
        kind: " ".join("".join(words[word] for word in does.split(", ")) for does in answers)
        for kind, answers in rules_page.boards()
    }
    assert said == BOARDS


def test_roles_that_the_settings_do_not_make_are_not_named(settings):
    settings.CONFIRM_ADDRESS, settings.NEW_MEMBER_POSTS = "optional", 0
    assert list(rules_page.roles()) == ["guest", "member", "board moderator", "administrator"]


def test_the_page_shows_it_and_asks_the_database_for_the_sites_words_alone(
    db, django_assert_num_queries
):
    with django_assert_num_queries(1):
        page = browser().get("/rules/").content.decode()
    for article in rules_page.articles():
        assert f"<b>{article.verb.capitalize()}</b>" in page
    assert "fewer than 3 posts have appeared" in page
    assert "Argue with the words" in page  # the house rules that stand until there are others
    Page.objects.create(kind="rules", source="Be kind.", html="<p>Be kind.</p>")
    page = browser().get("/rules/").content.decode()
    assert "<p>Be kind.</p>" in page
    assert "Argue with the words" not in page


def test_the_charter_changes_with_the_rules(monkeypatch):
    """The page is no second list: a rule that lets nobody through is shown to let nobody."""

    def rule(user, board: Board) -> None:
        """Nobody does."""
        raise Refused("No.")

    monkeypatch.setitem(CHARTER, "start", rule)
    article = next(a for a in rules_page.articles() if a.verb == "start")
    assert (article.sentence, set(article.answers)) == ("Nobody does.", {"no"})
