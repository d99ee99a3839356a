"""The thread's index of passages: words that stand in a thread are found though nobody named their
post, wherever it stands, in as many queries as there are posts to look at: none more."""

import random

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from forum import tree
from forum.actions import composing
from forum.actions.sources import PROPOSED, signed
from forum.models import PassageKey, Post, PostBody, PostRevision, Quote, Thread
from forum.moderation import states
from forum.text import quoting
from tests.people import edit, fresh, pending, reply, start
from tests.people import quoting as quoted

pytestmark = pytest.mark.django_db
WORDS = "Grain was sent from Odessa to Valencia in the autumn of that year."
FILLING = (
    "The harvest of province {0} came to {1} tons, which the office of province {0} doubted. "
    "Nobody went to look at the barns of province {0}, so {1} it was.\n\nAnd that was report {0}."
)


def found(post: Post) -> list[tuple[str, int | None]]:
    """Verdict and number of the source of each quote of a post's current text."""
    rows = Quote.objects.filter(revision=fresh(post).body.revision).order_by("ordinal")
    return [(q.verdict, q.source_post and q.source_post.number) for q in rows]


@pytest.fixture
def far(thread, answer, opener) -> Post:
    """#5, which nobody in the tests below answers."""
    return reply(thread, opener, f"To begin with:\n\n{WORDS}\n\nNo more than that.")


PLAIN = f"> {WORDS}\n\nWho paid?"
UNNAMED = f"[quote]\n{WORDS}\n[/quote]\n\nWho paid?"


@pytest.mark.parametrize("text", [PLAIN, UNNAMED], ids=[">", "[quote]"])
def test_words_of_any_post_are_found(thread, answer, far, stranger, text):
    for post in (None, answer):
        assert found(reply(thread, stranger, text, to=post)) == [("exact", far.number)]
    quote = Quote.objects.first()
    passage = far.body.revision.passages[1]
    assert (quote.source_passage, [quote.start, quote.end]) == (2, passage)


def test_what_a_plain_sign_does_not_quote_exactly_is_no_quote(thread, far, stranger):
    """A ">" claims nothing; a quote form does."""
    changed = WORDS.replace("Odessa", "Riga")
    assert found(reply(thread, stranger, f"> {changed}\n\nSo?")) == []
    assert found(reply(thread, stranger, f"[quote]\n{changed}\n[/quote]\n\nSo?")) == [
        ("altered", far.number)
    ]
    assert found(reply(thread, stranger, "> Said somewhere else entirely.\n\nSo?")) == []
    assert found(reply(thread, stranger, "[quote]\nSaid elsewhere.\n[/quote]\n\nSo?")) == [
        ("unverifiable", None)
    ]


@pytest.mark.parametrize("text", [PLAIN, UNNAMED, UNNAMED.replace(" from ", " … from ")])
def test_words_belong_to_who_wrote_them_first(thread, far, stranger, opener, text):
    """However many copied them since, in whatever surroundings."""
    for number in range(9):
        reply(thread, opener, f"Report {number}.\n\n{WORDS}\n\nThat was report {number}.")
    if "…" in text:
        reply(thread, opener, WORDS.replace(" from ", " by ship from "))
    found_in = found(reply(thread, stranger, text))
    assert [source for _, source in found_in] == [far.number]


def test_a_copy_that_shares_more_keys_is_no_earlier(thread, stranger, opener):
    """The words around a passage decide which of its keys are stored."""
    rng = random.Random(8)
    for _ in range(4):
        words = " ".join(f"w{rng.randrange(900)}" for _ in range(40))
        first = reply(thread, opener, f"One thing I {rng.random()} know: {words} so it was.")
        for _ in range(8):
            around = [" ".join(f"v{rng.randrange(900)}" for _ in range(30)) for _ in "ab"]
            reply(thread, opener, f"{around[0]} {words} {around[1]}")
        assert found(reply(thread, stranger, f"> {words}\n\nWho said so?")) == [
            ("exact", first.number)
        ]


def test_a_first_post_that_the_writer_may_not_read_is_none(
    thread, far, stranger, opener, moderator
):
    copy = reply(thread, opener, WORDS)
    states.hide(user=moderator, post=fresh(far), reason="Off the matter.")
    assert found(reply(thread, stranger, PLAIN)) == [("exact", copy.number)]


def test_who_is_named_wins(thread, answer, far, stranger, opener):
    """The same words stand twice: a name decides, else the post answered, else the first one."""
    second = reply(thread, opener, WORDS)
    named = quoted(far, WORDS)
    assert found(reply(thread, stranger, named)) == [("exact", far.number)]
    assert found(reply(thread, stranger, UNNAMED, to=far)) == [("exact", far.number)]
    assert found(reply(thread, stranger, UNNAMED)) == [("exact", far.number)]
    assert found(reply(thread, stranger, UNNAMED, to=second)) == [("exact", second.number)]


def test_part_of_a_long_passage(thread, stranger, opener):
    """28 words in a row are always found, also out of the middle."""
    long = " ".join(FILLING.format(n, n * 7).partition("\n")[0] for n in range(40))
    source = reply(thread, opener, long)
    words = long.split()
    middle = " ".join(words[200:228])
    assert found(reply(thread, stranger, f"> {middle}\n\nSo?")) == [("exact", source.number)]


@pytest.mark.parametrize("text", [PLAIN, UNNAMED])
def test_only_what_stands_in_this_debate(thread, far, board, stranger, text):
    other = start(board, stranger, title="Another one")
    assert [source for _, source in found(reply(other, stranger, text))] in ([], [None])


def test_the_new_words_of_a_post_are_found_and_the_old_ones_not(thread, far, stranger):
    edit(far, "Coal was sent from Cardiff to Bilbao in the winter of that year.")
    text = "> Coal was sent from Cardiff to Bilbao in the winter of that year.\n\nWho paid?"
    assert found(reply(thread, stranger, text)) == [("exact", far.number)]
    assert found(reply(thread, stranger, PLAIN)) == []


def test_an_edit_that_quotes_is_judged_like_a_reply(thread, far, answer):
    assert found(edit(answer, PLAIN)) == [("exact", far.number)]


def test_nobody_quotes_oneself_by_an_edit(far):
    """One's own old text is no source: the sign only sets the words off."""
    assert found(edit(far, f"> {WORDS}\n\nI said so before.")) == []


@pytest.mark.parametrize("how", ["hide", "remove"])
def test_what_is_gone_is_not_found(thread, far, stranger, moderator, how):
    getattr(states, how)(user=moderator, post=far, reason="Off the point.")
    assert found(reply(thread, stranger, PLAIN)) == []
    states.restore(user=moderator, post=far)
    assert found(reply(thread, stranger, PLAIN)) == [("exact", far.number)]


def test_what_waits_is_not_found(thread, answer, stranger, opener, moderator):
    waiting = pending(thread, stranger, WORDS)
    PassageKey.objects.bulk_create(composing.passage_keys(waiting, WORDS))
    for reader in (opener, moderator, stranger):
        assert found(reply(thread, reader, PLAIN)) == []


def test_what_is_gone_does_not_hide_what_stands(thread, far, stranger, opener, moderator):
    """Copies by the dozen, all removed: the one that stands is still found."""
    for _ in range(PROPOSED + 1):
        copy = reply(thread, opener, WORDS)
        states.remove(user=moderator, post=copy, reason="Advertising.")
    assert found(reply(thread, stranger, PLAIN)) == [("exact", far.number)]


def test_short_passages_are_found_as_paragraphs_only(thread, opener, stranger):
    source = reply(thread, opener, "Not so.\n\nIt was Thursday.")
    assert found(reply(thread, stranger, "> Not so.\n\nYes.")) == [("exact", source.number)]
    assert found(reply(thread, stranger, "> was Thursday\n\nYes.")) == []


def test_words_out_of_a_quote_are_its_writers(thread, far, stranger, opener):
    """Quoted words belong to the source: what quotes them again is led there."""
    reply(thread, opener, quoted(far, WORDS))
    assert found(reply(thread, stranger, PLAIN)) == [("exact", far.number)]


# --- Large threads ----------------------------------------------------------------------------


def grow(thread: Thread, author, count: int) -> None:
    """`count` answers of two paragraphs each, with all that belongs to them, in bulk."""
    with transaction.atomic():
        (thread,) = tree.lock(thread.pk)
        ids, now, first = tree.new_ids(count), timezone.now(), thread.numbered + 1
        rows = [
            Post(pk=pk, thread=thread, number=first + n, author=author, loaded_at=now)
            for n, pk in enumerate(ids)
        ]
        right = tree.labels((pk, None) for pk in ids)
        tree.write([tree.set_labels(row, right[row.pk]) for row in rows])
        texts = [FILLING.format(row.number, row.number * 37) for row in rows]
        revisions = PostRevision.objects.bulk_create(
            PostRevision(
                post=row,
                number=1,
                source=text,
                plain=text,
                passages=[[0, text.index("\n")], [text.index("\n") + 2, len(text)]],
                sha256="",
                created_at=now,
            )
            for row, text in zip(rows, texts, strict=True)
        )
        PostBody.objects.bulk_create(
            PostBody(post=row, revision=revision, revision_number=1, html="<p>x</p>", renderer=1)
            for row, revision in zip(rows, revisions, strict=True)
        )
        PassageKey.objects.bulk_create(
            [
                key
                for row, text in zip(rows, texts, strict=True)
                for key in composing.passage_keys(row, text)
            ]
        )
        Thread.objects.filter(pk=thread.pk).update(numbered=first + count - 1)


def test_as_many_queries_in_thousands_as_in_ten(thread, far, stranger, opener):
    def compose(text: str) -> tuple[int, composing.Composed]:
        here = Thread.objects.select_related("board").get(pk=thread.pk)
        with CaptureQueriesContext(connection) as captured:
            done = composing.compose(user=stranger, board=here.board, source=text, thread=here)
        return len(captured), done

    few, done = compose(PLAIN)
    assert [quote.source_post_id for quote in done.quotes] == [far.pk]
    grow(thread, opener, 1200)
    many, done = compose(PLAIN)
    assert [quote.source_post_id for quote in done.quotes] == [far.pk]
    assert many == few
    for number in (6, 600, 1200):
        text = FILLING.format(number, number * 37).partition("\n")[0]
        many, done = compose(f"> {text}\n\nSo?")
        assert [(q.verdict, q.source_post.number) for q in done.quotes] == [("exact", number)]
        assert many == few


# --- Loaded threads ---------------------------------------------------------------------------


def test_loaded_threads_are_indexed(board, stranger):
    call_command("loaddata", "trotsky-spain", verbosity=0)
    thread = Thread.objects.select_related("board").get(key="trotsky-spain")
    third = thread.posts.get(number=3)
    plain = third.body.revision.plain
    first, last = third.body.revision.passages[2]
    for text in (
        f"> {plain[first:last]}\n\nHow so?",
        f"[quote]\n{plain[first:last]}\n[/quote]\n\nNo.",
    ):
        assert found(reply(thread, stranger, text)) == [("exact", 3)]
    indexed = set(PassageKey.objects.filter(thread=thread).values_list("post__number", flat=True))
    assert indexed >= set(range(1, 8))


def test_the_keys_of_a_post_are_those_of_its_text(thread, far):
    keys = {row.key for row in PassageKey.objects.filter(post=far)}
    plain = far.body.revision.plain
    assert keys == {signed(key) for key in quoting.paragraph_keys(plain)}
