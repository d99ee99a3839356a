"""Erasing for a legal reason: afterwards the words stand nowhere, in no column of any table, and
everything else is as sound as before."""

import html
import re
import unicodedata
import urllib.parse
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connection
from django.db import models as fields

from accounts.models import User
from forum.actions import description, drafts, glossary, pages, threads
from forum.actions.divergences import read_divergence
from forum.checking import check
from forum.models import AuditEntry, Board, Draft, Post, Quote, Term, Thread, Upload
from forum.moderation import erasing, reports, sanctions, states
from forum.permissions import Refused
from tests.people import OWN_ANSWER, browser, edit, fresh, quoting, reply, start, typed
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
    description.describe(
        user=stranger,
        thread=elsewhere,
        divergences=[read_divergence(change=f"{NAME} lives.", when="1924", actor=NAME)],
        questions=[],
    )
    threads.rename(user=stranger, thread=elsewhere, title="Another title")
    threads.rename(user=stranger, thread=elsewhere, title=f"On {NAME}, again")
    states.hide(user=moderator, post=elsewhere.posts.get(number=2), reason=f"Names {NAME}.")
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
    erasing.erase(user=administrator, post=post, reason="By law 12.", texts=found.texts)
    assert faults(connection) == []
    assert not [fault for fault in check() if fault.kind == "quotes"]


def test_words_are_erased_everywhere(named, administrator, stranger):
    assert len(holding("Quillfeather")) > 12
    found = erasing.find(named, NAME)
    entry = erasing.erase(
        user=administrator, post=named, words=NAME, reason="Order 7 of 1 May.", texts=found.texts
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
    erasing.erase(user=administrator, post=named, reason="Order 7 of 1 May.", texts=found.texts)
    assert not faults(connection)
    for word in ("knew", "Mill", "said"):
        assert word in own
        assert word not in fresh(named).body.html
        assert not Quote.objects.filter(words__contains=word).exists()
    assert not holding("12 Mill Lane")


def test_erasing_asks_twice_and_of_administrators_alone(named, moderator, administrator, opener):
    before = holding("Quillfeather")
    texts = erasing.find(named, NAME).texts
    for user, words, reason, count in (
        (moderator, NAME, "Order 7.", texts),
        (opener, NAME, "Order 7.", texts),
        (administrator, NAME, "", texts),
        (administrator, NAME, f"{NAME} asks for it.", texts),
        (administrator, NAME, "Order 7.", texts - 1),
        (administrator, "he", "Order 7.", texts),
    ):
        with pytest.raises(Refused):
            erasing.erase(user=user, post=named, words=words, reason=reason, texts=count)
    assert holding("Quillfeather") == before


def test_it_cannot_be_undone(named, administrator):
    from forum.moderation import undoing

    texts = erasing.find(named, NAME).texts
    entry = erasing.erase(
        user=administrator, post=named, words=NAME, reason="Order 7.", texts=texts
    )
    with pytest.raises(Refused, match="cannot be undone"):
        undoing.undo(user=administrator, entry=entry)


# Columns that hold no words of anybody, by name, and those that follow from others.
WITHOUT = {"key", "slug", "edtf", "sha256", "ranges", "verdict", "target", "lane", "stance"}
WITHOUT |= {"folded", "nested", "parts", "passages", "quoted", "card", "lane_counts", "verb"}
WITHOUT |= {
    "counts",
    "brought",
    "chosen",
    "html",
    "word",
    "label_key",
    "kind",
    "was",
    "now",
    "variant_key",
}


def test_posts_and_threads_hold_no_trace(named, administrator):
    texts = erasing.find(named, NAME).texts
    erasing.erase(user=administrator, post=named, words=NAME, reason="Order 7.", texts=texts)
    titled = Thread.objects.get(title__startswith="On █")
    assert "quill" not in titled.slug
    assert "█" in str(list(AuditEntry.objects.values_list("detail", flat=True)))
    assert Post.objects.filter(state_reason__contains="█").exists()


# --- In all spellings, in every table ---------------------------------------------------------

SPELLINGS = (
    "Ignatius Quillfeather",
    "IGNATIUS\nquillfeather",
    "Ig\u00adna\u00adtius Quill\u00adfeather",
    "Igna\u200btius\u2060 Quill\u200dfeather",
    "Ｉｇｎａｔｉｕｓ Quillfeather",
    "&#73;gnatius&nbsp;Quill&shy;feather",
    "[he](https://example.org/people/ignatius-quillfeather)",
    "<https://example.org/?who=%49gnatius%20Quillfeather>",
    "https://example.org/ignatiusquillfeather/",
    "*Igna*tius **Quill**feather",
    "[Ignatius](https://example.org/a) Quillfeather",
)


def squashed(value) -> str:
    """All letters of a value in one row, whatever stands between them and however they are
    written: looked at in another way than the code that is tested."""
    text = str(value)
    for _ in range(2):
        text = re.sub(r"\\+u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)
        text = html.unescape(urllib.parse.unquote(text))
    text = unicodedata.normalize("NFKC", text).casefold()
    text = re.sub(r"<[^>]*>", "", text)  # tags between letters
    return re.sub(r"[\W_]+", "", text) + re.sub(r"[\W_]+", "", str(value).casefold())


def anywhere(*words: str) -> list[str]:
    """Every table of the database and its rows that hold all letters of one of these in a row."""
    found, wanted = [], [re.sub(r"[\W_]+", "", word.casefold()) for word in words]
    for table in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                told = [word for word in wanted for value in row if word in squashed(value)]
                found += [f"{table}: {row}"] if told else []
    return found


@pytest.fixture
def everywhere(named, thread, board, opener, answerer, stranger, moderator, administrator):
    """What `named` is, and the name in all its spellings in every table that holds words."""
    for text in SPELLINGS:
        reply(thread, opener, f"Was it {text}, then? I doubt it.")
        drafts.save(
            user=stranger, token=uuid4(), target="/threads/new/", label="A new debate",
            text=f"It was {text}.", fields={"change": [text], "reason": [f"so {text}"]},
        )  # fmt: skip
    reply(thread, stranger, f"> {NAME} was it, and more.\n\nSo you say.")
    pages.edit(
        user=administrator,
        kind="imprint",
        source="Ask *Igna*tius Quill**feather**.",
        reason=f"{NAME} asks.",
    )
    term = Term(name=NAME, aliases="Ignatius-Quillfeather", meaning=NAME)
    glossary.define(user=administrator, term=term)
    Board.objects.filter(pk=board.pk).update(
        description=f"Of {NAME}", name=NAME, slug="ignatius-quillfeather"
    )
    User.objects.filter(pk=stranger.pk).update(about=f"I am no {NAME}", suspended_for=NAME)
    Upload.objects.create(board=board, name=NAME, objects_read=[{"text": NAME}], notes=[NAME])
    note = f"Knows {NAME}"
    sanctions.note(user=moderator, member=opener, text=note)
    return named


def test_erased_words_stand_in_no_table_in_no_spelling(everywhere, administrator):
    assert len(anywhere(NAME)) > 40
    found = erasing.find(everywhere, NAME)
    erasing.erase(
        user=administrator, post=everywhere, words=NAME, reason="Order 7.", texts=found.texts
    )
    assert anywhere(NAME) == []
    assert faults(connection) == []
    assert [fault for fault in check() if fault.kind != "notices"] == []  # counted on commit


def test_every_column_of_words_is_looked_at():
    """Of all tables that there are; a new column is added to TEXTS, or told here why not."""
    # Written anew with the texts.
    derived = {"PostRevision", "PostBody", "Quote", "ThreadWord", "PostWords", "DebateWords"}
    # Of a member's account: who is named so is renamed. What has no words of anybody.
    other = {"PastName", "EmailAddress", "EmailConfirmation", "Authenticator", "Session"}
    other |= {"Permission", "Group", "ContentType", "ApiToken", "OwnData", "ClosedName", "Quarter"}
    other |= {
        "SocialAccount",
        "SocialApp",
        "SocialToken",
    }  # ids elsewhere; two tables that are empty
    left = {"User": {"username", "email", "password", "skeleton", "last_write", "ignoring"}}
    left |= {"Invitation": {"token"}}
    # Who reported without an account goes by itself, see retention.
    left |= {"GuestReport": {"number", "name", "email"}, "TrustedReporter": {"address", "note"}}
    left |= {"MailSettings": {"rhythms", "bounced"}}
    left |= {"Notice": {"reasons"}, "Job": {"task", "queue", "payload", "owner"}}
    left |= {"User": left["User"] | {"time_zone", "emblem"}, "LogEntry": {"object_id"}}
    left |= {"Picture": {"key", "why", "sent_sha256", "sha256", "preview_sha256", "edtf"}}
    for model in apps.get_models(include_auto_created=True):
        name = model.__name__
        if model._meta.proxy or name in derived | other:
            continue
        for field in model._meta.concrete_fields:
            kinds = (fields.CharField, fields.TextField, fields.JSONField, fields.BinaryField)
            told = WITHOUT | left.get(name, set())
            if isinstance(field, kinds) and not field.choices and field.name not in told:
                assert field.name in erasing.TEXTS.get(model, ()), f"{name}.{field.name}"


def test_a_whole_opening_is_erased_wherever_its_words_stand(
    thread, opener, answerer, stranger, administrator
):
    """In what it says of itself and in the log of that, in drafts, and in quotes that no row
    follows; what others said themselves stays."""
    post = thread.posts.get(number=1)
    said = "Suppose that Lenin had named a successor in 1923"
    for own in ("The zqparty would have split.", "It would have zqheld."):
        description.describe(
            user=opener,
            thread=fresh(thread),
            divergences=[
                read_divergence(change="A zqsuccessor is named", when="1923", actor="Zqlenin")
            ],
            questions=["Would the purges have come all the same?"],
            own_answer=own,
        )
    token, others, alone = uuid4(), uuid4(), uuid4()
    for user, key, target, text in (
        (opener, token, f"/posts/{post.pk}/edit/", f"{said}, and more.\n\nZqunsaid."),
        (stranger, others, f"/threads/{thread.pk}/reply/", quoting(post, said, "Mine stays.")),
        (stranger, alone, "/threads/new/", "What has this to do with it? Nothing."),
    ):
        drafts.save(user=user, token=key, target=target, label="A draft", text=text)
    more = reply(thread, answerer, f"> {said}, and so on. He says it.\n\nMy own words stay.")
    part = reply(thread, answerer, f"> the party had obeyed. Nobody knows.\n\n{said}!")
    found = erasing.find(post, "")
    erasing.erase(user=administrator, post=post, reason="Order 7.", texts=found.texts)
    gone = (
        "Lenin had named a successor",
        "zqparty",
        "zqheld",
        "zqsuccessor",
        "zqlenin",
        "zqunsaid",
    )
    assert [row for row in anywhere(*gone) if f"{part.pk}, " not in row] == []
    assert anywhere("Would the purges have come") == []
    assert "My own words stay." in fresh(more).body.revision.source
    assert "the party had obeyed" not in fresh(part).body.revision.source
    assert "Mine stays." in Draft.objects.get(token=others).text
    assert Draft.objects.get(token=alone).text == "What has this to do with it? Nothing."
    assert faults(connection) == []
    assert [fault for fault in check() if fault.kind != "notices"] == []  # counted on commit


def test_what_only_looks_alike_stays(thread, answerer, administrator):
    post = reply(thread, answerer, "An Other Day was named.")
    near = reply(thread, answerer, "Another day, and a mother.")
    found = erasing.find(post, "an other")
    assert list(found.revisions) == [post.body.revision_id]
    erasing.erase(
        user=administrator, post=post, words="an other", reason="Order 7.", texts=found.texts
    )
    assert fresh(near).body.revision.plain == "Another day, and a mother."


# --- Forms and drafts that were open ------------------------------------------------------------

OPEN = "I knew him.\n\nIt was member-z of 12 Mill Lane, he said.\n\nNobody answered."


@pytest.mark.parametrize("summed", [True, False])
@pytest.mark.parametrize("words", ["12 Mill Lane", ""])
@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + " At all.",
        lambda text: "First.\n\n" + text,
        lambda text: text.replace("I knew him.", "I never knew him."),
        lambda text: text.replace("Nobody answered.", "") + " 12 Mill Lane it was.",
    ],
)
def test_an_open_edit_form_brings_nothing_back(
    thread, answerer, administrator, words, change, summed
):
    """Neither sent, nor sent again, nor kept as a draft by the script of its page."""
    post = reply(thread, answerer, OPEN)
    client, address = browser(answerer), f"/posts/{post.pk}/edit/"
    form = typed(client.get(address))
    if not summed:  # opened before forms told the sum of their text
        form["base"] = form["base"].partition(".")[0]
    texts = erasing.find(post, words).texts
    erasing.erase(user=administrator, post=post, words=words, reason="By law.", texts=texts)
    sent = {**form, "text": change(form["text"]), "do": "save"}
    kept = {**sent, "target": address, "token": str(uuid4())}
    assert client.post("/drafts/save/", kept).status_code == 200
    assert "█" in Draft.objects.get(user=answerer).text
    for how in ("preview", "save"):
        page = client.post(address, {**sent, "do": how})
        assert "Mill" not in page.content.decode(), how
    assert page.status_code == 409
    again = typed(page)
    assert "█" in again["text"]
    assert client.post(address, {**again, "do": "save"}).status_code == 302
    assert fresh(post).body.revision.number == 2
    assert anywhere("Mill Lane") == []


def test_what_else_was_typed_stays(thread, answerer, administrator):
    post = reply(thread, answerer, OPEN)
    client, address = browser(answerer), f"/posts/{post.pk}/edit/"
    form = typed(client.get(address))
    texts = erasing.find(post, "12 Mill Lane").texts
    erasing.erase(
        user=administrator, post=post, words="12 Mill Lane", reason="By law.", texts=texts
    )
    text = OPEN.replace("I knew him.", "I knew her well.") + "\n\nAnd this is new."
    page = client.post(address, {**form, "text": text, "do": "save"})
    assert typed(page)["text"] == text.replace("12 Mill Lane", "██ ████ ████")


def test_an_open_description_brings_nothing_back(thread, opener, administrator):
    client, address = browser(opener), f"/threads/{thread.pk}/describe/"
    page = client.get(address)
    form = typed(page)
    post = thread.posts.get(number=1)
    texts = erasing.find(post, "").texts
    erasing.erase(user=administrator, post=post, reason="By law.", texts=texts)
    answer = client.post(address, {**form, "own_answer": OWN_ANSWER + " Surely."})
    assert answer.status_code == 409
    assert anywhere("nobody else held it together") == []
