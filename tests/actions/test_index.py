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
from forum.actions.sources import LOOKED_AT, PROPOSED, signed
from forum.models import PassageKey, Post, PostBody, PostRevision, Quote, Thread
from forum.moderation import states
from forum.search import index, phrases, probes
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


SHORT = {
    "within a sentence": "the treaty was signed before dawn",
    "over two paragraphs": "so the treaty was signed before dawn.\n\nNobody had slept that",
    "shortened": "Whatever is said now […] before dawn",
    "inflected": "the treaties were signing themselves before dawns",
}


@pytest.mark.parametrize("form", ["> {}\n\nSo?", "[quote]\n{}\n[/quote]\n\nSo?"], ids=[">", "form"])
@pytest.mark.parametrize("words", SHORT.values(), ids=SHORT)
def test_few_words_belong_to_who_wrote_them_first_too(thread, opener, stranger, words, form):
    """The index of passages knows but every 24th run of five words, and so may know a copy alone.
    Posts that hold the same stems in other words are none."""
    rng = random.Random(8)
    known = (
        "Whatever is said now, {} so the treaty was signed before dawn.\n\nNobody had slept that {}"
    )
    if words.startswith("the treaties"):
        known = known.replace("treaty was signed before dawn", words.removeprefix("the "))
    for number in range(2):
        reply(thread, opener, f"{number} the treaties, were signing themselves; before dawns")
    sources = []
    for _ in range(6):
        around = [" ".join(f"v{rng.randrange(900)}" for _ in range(30)) for _ in "ab"]
        sources.append(reply(thread, opener, known.format(*around)))
    text = form.format(words.replace("\n\n", "\n>\n> ") if form[0] == ">" else words)
    expected = "shortened" if "…" in words else "exact"
    if form[0] == ">" and expected == "shortened":
        assert found(reply(thread, stranger, text)) == []  # such a sign claims nothing
    else:
        assert found(reply(thread, stranger, text)) == [(expected, sources[0].number)]


def test_few_words_that_are_a_paragraph_of_a_copy(thread, opener, stranger):
    first = reply(thread, opener, "As I see it, it was Thursday.")
    reply(thread, opener, "It is so.\n\nit was Thursday.")
    assert found(reply(thread, stranger, "> it was Thursday.\n\nYes.")) == [("exact", first.number)]


def test_who_wrote_few_words_first_is_offered_to_choice(thread, opener, stranger):
    first, second = (
        reply(thread, opener, f"{n}: the treaty was signed at dawn, so {n}") for n in "ab"
    )
    text = "[quote]\nthe treaty was signed at dawn\n[/quote]\n\nSo?"
    here = Thread.objects.select_related("board").get(pk=thread.pk)
    done = composing.compose(user=stranger, board=here.board, source=text, thread=here)
    assert [
        (quote.source_post, others)
        for quote, others in composing.also_in(done, user=stranger, thread=here)
    ] == [(first, [second])]


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
    assert PassageKey.objects.filter(post=waiting).exists()
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
        index.write_posts(ids)
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


@pytest.mark.parametrize(
    "words", ["so it was. And that was report", "that came it office report which"]
)
def test_words_of_every_post_cost_no_more(thread, stranger, opener, monkeypatch, words):
    """In a debate in which every post holds them, side by side or not: of so many rows the index
    tells nothing but that they are many, and few texts are read."""
    monkeypatch.setattr(phrases, "FEW", 20)
    monkeypatch.setattr(probes, "WINDOW", 100)
    first = reply(thread, opener, f"As all say: {words}, or nearly so.")
    rows, read = [], []
    hits, find = probes.Posts._hits, quoting.find
    monkeypatch.setattr(probes.Posts, "_hits", lambda *given: rows.append(hits(*given)) or rows[-1])
    monkeypatch.setattr(
        quoting,
        "find",
        lambda words, sources, **given: read.extend(sources) or find(words, sources, **given),
    )
    for count in (200, 400):
        grow(thread, opener, count)
        here = Thread.objects.select_related("board").get(pk=thread.pk)
        rows.clear(), read.clear()
        with CaptureQueriesContext(connection) as captured:
            text = f"> {words}\n\nSo?"
            done = composing.compose(user=stranger, board=here.board, source=text, thread=here)
        assert [quote.source_post for quote in done.quotes] == [first]
        assert len(captured) == 5
        assert [len(found) for found in rows] in ([20, LOOKED_AT], [20, 1])
        assert len(read) <= 3 * PROPOSED
        if connection.vendor == "postgresql":
            assert sum("LIMIT 100) w" in query["sql"] for query in captured) == 1


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
