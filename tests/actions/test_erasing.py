"""Erasing for a legal reason: afterwards the words stand nowhere, in no column of any table, and
everything else is as sound as before."""

import re
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connection
from django.db import models as fields

from forum.actions import debate, drafts, erasing, moderation, reports, threads
from forum.checking import check
from forum.models import AuditEntry, Post, Quote, Thread
from forum.permissions import Refused
from tests.people import browser, edit, fresh, quoting, reply, start
from tests.races.soundness import faults

pytestmark = pytest.mark.django_db
NAME = "Ignatius Quillfeather"


def holding(pattern: str) -> list[str]:
    """Every table and row in whose columns the words stand, in whatever writing."""
    found = []
    for app in ("forum", "accounts"):
        for model in apps.get_app_config(app).get_models(include_auto_created=True):
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT * FROM {model._meta.db_table}")
                found += [
                    f"{model.__name__}: {row}"
                    for row in cursor.fetchall()
                    if re.search(pattern, str(row), re.IGNORECASE)
                ]
    return found


@pytest.fixture
def named(thread, board, opener, answerer, stranger, moderator):
    """A post that names somebody, and everything that repeats it."""
    text = "I knew the father.\n\nIt was **Ignatius** Quillfeather of 12 Mill Lane, he said."
    post = reply(thread, answerer, text)
    reply(thread, opener, quoting(post, f"It was {NAME} of 12 Mill Lane, he said."))
    elsewhere = start(board, stranger, title=f"What if {NAME} had lived?", text="Suppose it.")
    reply(elsewhere, stranger, quoting(post, "Quillfeather of 12 Mill Lane", then="Who?"))
    edit(post, text + " And more.", reason=f"About {NAME}")
    debate.describe(
        user=stranger,
        thread=elsewhere,
        forks=[debate.fork(change=f"{NAME} lives.", when="1924", actor=NAME)],
        questions=[],
    )
    threads.rename(user=stranger, thread=elsewhere, title="Another title")
    threads.rename(user=stranger, thread=elsewhere, title=f"On {NAME}, again")
    moderation.hide(user=moderator, post=elsewhere.posts.get(number=2), reason=f"Names {NAME}.")
    drafts.save(
        user=opener,
        token=uuid4(),
        target="/threads/new/",
        label="A new debate",
        text="ignatius   QUILLFEATHER was it",
        title=NAME,
        fields={"change": [f"{NAME} dies"]},
    )
    reports.report(
        user=stranger, post=fresh(post), reason="illegal", text=f"It names {NAME}.", token=uuid4()
    )
    return fresh(post)


def test_quotes_of_what_was_erased_follow_from_it(thread, answerer, opener, administrator):
    """Where a sentence begins is told by capital letters, which are black now."""
    post = reply(thread, answerer, "The party obeyed nobody. It had a secretary. And purges.")
    reply(thread, opener, quoting(post, "It had a secretary."))
    found = erasing.find(post, "")
    erasing.erase(user=administrator, post=post, reason="By law 12.", places=found.places)
    assert faults(connection) == []
    assert not [fault for fault in check() if fault.kind == "quotes"]


def test_words_are_erased_everywhere(named, administrator, stranger):
    assert len(holding("Quillfeather")) > 12
    found = erasing.find(named, NAME)
    entry = erasing.erase(
        user=administrator, post=named, words=NAME, reason="Order 7 of 1 May.", places=found.places
    )
    assert not holding("Quillfeather")
    assert not holding("Ignatius")
    assert not faults(connection)
    assert "█" in fresh(named).body.revision.plain
    assert "I knew the father." in fresh(named).body.revision.plain
    page = browser(stranger).get(named.thread.get_absolute_url()).content.decode()
    assert "of 12 Mill Lane" in page
    assert (entry.verb, entry.reason) == ("erase", "Order 7 of 1 May.")
    quote = Quote.objects.filter(source_post=named, post__thread=named.thread).first()
    assert (quote.verdict, quote.words[:3]) == ("exact", "It ")


def test_a_whole_post_is_erased_with_its_quotes(named, administrator, opener):
    own = fresh(named).body.revision.plain
    found = erasing.find(named, "")
    erasing.erase(user=administrator, post=named, reason="Order 7 of 1 May.", places=found.places)
    assert not faults(connection)
    for word in ("knew", "Mill", "said"):
        assert word in own
        assert word not in fresh(named).body.html
        assert not Quote.objects.filter(words__contains=word).exists()
    assert not holding("12 Mill Lane")


def test_erasing_asks_twice_and_of_administrators_alone(named, moderator, administrator, opener):
    before = holding("Quillfeather")
    places = erasing.find(named, NAME).places
    for user, words, reason, count in (
        (moderator, NAME, "Order 7.", places),
        (opener, NAME, "Order 7.", places),
        (administrator, NAME, "", places),
        (administrator, NAME, f"{NAME} asks for it.", places),
        (administrator, NAME, "Order 7.", places - 1),
        (administrator, "he", "Order 7.", places),
    ):
        with pytest.raises(Refused):
            erasing.erase(user=user, post=named, words=words, reason=reason, places=count)
    assert holding("Quillfeather") == before


def test_it_cannot_be_undone(named, administrator):
    from forum.actions import undoing

    places = erasing.find(named, NAME).places
    entry = erasing.erase(
        user=administrator, post=named, words=NAME, reason="Order 7.", places=places
    )
    with pytest.raises(Refused, match="cannot be undone"):
        undoing.undo(user=administrator, entry=entry)


# Columns that hold no words of a member, by name; and tables that are no member's.
WITHOUT = {"key", "slug", "edtf", "sha256", "ranges", "verdict", "target", "lane", "stance"}
WITHOUT |= {"folded", "nested", "parts", "passages", "quoted", "card", "lane_counts", "verb"}
WITHOUT |= {"html", "word", "label_key", "kind", "was", "now", "variant_key"}
NOT_THEIRS = {"Board", "Term", "SitePage", "Page"}


def test_no_column_of_words_is_forgotten():
    """Texts, quotes and what is derived from them are rewritten; the rest stands in TEXTS."""
    rewritten = {"PostRevision", "PostBody", "Quote"}
    for model in apps.get_app_config("forum").get_models():
        if model._meta.proxy or model.__name__ in rewritten | NOT_THEIRS:
            continue
        for field in model._meta.fields:
            text = isinstance(field, (fields.CharField, fields.TextField, fields.JSONField))
            if text and not field.choices and field.name not in WITHOUT:
                assert field.name in erasing.TEXTS.get(model, ()), f"{model.__name__}.{field.name}"


def test_posts_and_threads_hold_no_trace(named, administrator):
    places = erasing.find(named, NAME).places
    erasing.erase(user=administrator, post=named, words=NAME, reason="Order 7.", places=places)
    titled = Thread.objects.get(title__startswith="On █")
    assert "quill" not in titled.slug
    assert "█" in str(list(AuditEntry.objects.values_list("detail", flat=True)))
    assert Post.objects.filter(state_reason__contains="█").exists()
