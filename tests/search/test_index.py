"""The rows by which posts and debates are found: written in the acts, right afterwards."""

from uuid import uuid4

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from forum.actions import arguments, threads
from forum.actions.divergences import read_divergence
from forum.checking import check
from forum.models import DebateWords, PostWords
from forum.moderation import erasing, moving, states
from forum.moderation.words_found import find
from forum.search import index
from forum.text import markup
from forum.text.markup import hidden_spans
from tests.people import edit, fresh, quoting, reply

pytestmark = pytest.mark.django_db


def found(*words: str) -> set[int]:
    """The posts whose rows hold these words, as the database's own index says."""
    if connection.vendor == "postgresql":
        sql = "SELECT post_id FROM forum_postwords WHERE words @@ %s::tsquery"
        query = " & ".join(f"'{word}'" for word in words)
    else:
        sql = "SELECT rowid FROM forum_postwords_fts WHERE forum_postwords_fts MATCH %s"
        query = " AND ".join(f'"{word}"' for word in words)
    with connection.cursor() as cursor:
        cursor.execute(sql, [query])
        return {pk for (pk,) in cursor.fetchall()}


def faults() -> list[str]:
    return [str(fault) for fault in check() if fault.kind == "search"]


def do_jobs(thread) -> None:
    """What acts leave to the worker."""
    index.write_thread.call(thread.pk)


def test_own_words_and_not_those_of_quotes(thread, answer, stranger):
    post = reply(thread, stranger, quoting(answer, "The party obeyed nobody.", then="Zollverein."))
    assert found("obey", "nobodi") == {answer.pk}
    assert found("zollverein") == found("=quote") == found("=vexact") == {post.pk}
    assert found(f"=a{stranger.pk}", f"=t{thread.pk}", f"=b{thread.board_id}") == {post.pk}
    assert found("=opening") == {thread.posts.get(number=1).pk}
    assert not faults()


def test_an_edit_is_found_by_its_new_words_alone(answer):
    edit(answer, "Nothing but Zollverein.")
    assert found("zollverein") == {answer.pk} and not found("secretari")
    assert not faults()


def test_what_is_hidden_stays_in_the_index(answer, moderator):
    rows = PostWords.objects.order_by("post").values_list("post", "made")
    before = list(rows)
    states.hide(user=moderator, post=answer, reason="Off topic.")
    assert list(rows.all()) == before
    assert found("secretari") == {answer.pk} and not faults()


def test_erased_words_are_gone_from_the_index(answer, administrator):
    texts = find(answer, "secretary").texts
    erasing.erase(
        user=administrator, post=answer, words="secretary", reason="An order.", texts=texts
    )
    assert not found("secretari") and found("nobodi") == {answer.pk}
    assert not faults()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT block FROM forum_postwords_fts_data")
            assert b"secretari" not in b"".join(bytes(row[0]) for row in cursor.fetchall())


def test_lane_stance_and_minds_are_tags(thread, answer, opener, stranger):
    arguments.argue(
        user=answer.author, post=answer, lane="premise", stance="disputes", quotes={}, ties=()
    )
    arguments.change_mind(user=stranger, post=answer, was="for", now="against", reason="It did.")
    assert found("=lpremise", "=sdisputes", "=changed") == {answer.pk}
    assert not faults()


def test_moves_retag_what_they_moved(thread, answer, other_board, moderator):
    moving.move_thread(user=moderator, thread=thread, board=other_board)
    do_jobs(thread)
    assert found(f"=b{other_board.pk}") == set(thread.posts.values_list("pk", flat=True))
    new = moving.split(
        user=moderator, thread=thread, chosen=[answer.pk], title="A debate of its own"
    )
    for one in (thread, new):
        do_jobs(one)
    assert answer.pk in found(f"=t{new.pk}", "=opening")
    assert not faults()


def test_debates_are_found_by_title_divergence_and_question(board, opener):
    thread = threads.start(
        user=opener,
        board=board,
        title="What if Lenin had lived?",
        kind="WI",
        source="Words.",
        token=uuid4(),
        own_answer="Much.",
        divergences=[
            read_divergence(change="He lives.", when="1924", actor="Lenin", place="Gorki")
        ],
        questions=["And the purges?"],
    )
    words = index.made_of_debate(thread).words.split()
    assert {"t=lenin", "d=live", "w=lenin", "p=gorki", "purg"} <= set(words)
    assert not {"t=purg", "d=purg", "w=gorki"} & set(words)
    threads.rename(user=opener, thread=thread, title="What if Stalin had died?")
    assert "t=stalin" in index.made_of_debate(fresh(thread)).words
    assert not index.differing([index.made_of_debate(fresh(thread))])
    assert not faults()


def test_the_check_finds_and_heals(thread, answer, opener):
    PostWords.objects.filter(pk=answer.pk).update(words="nonsense =t1")
    PostWords.objects.filter(pk=thread.posts.get(number=1).pk).delete()
    DebateWords.objects.all().delete()
    assert len(faults()) == 2
    assert len([one for one in check(quick=True) if one.kind == "search"]) == 2
    list(check(fix=True))
    assert not faults()
    assert found("secretari") == {answer.pk} and not found("nonsens")


def test_the_index_is_built_anew(thread, answer, opener):
    PostWords.objects.all().delete()
    DebateWords.objects.all().delete()
    assert list(index.write_all()) == [(4, 4)]
    assert list(index.write_all()) == [(4, 0)]
    PostWords.objects.filter(pk=answer.pk).update(made=0)
    assert list(index.write_all()) == [(4, 1)]
    assert list(index.write_all(everything=True)) == [(4, 4)]
    assert not faults()


def test_rows_follow_what_is_written_before_they_are(thread, opener):
    """Each database keeps its own index of the words beside or within the rows: a row that goes
    leaves nothing behind."""
    post = reply(thread, opener, "Zollverein.")
    PostWords.objects.filter(pk=post.pk).delete()
    assert not found("zollverein")
    index.write_posts([post.pk])
    index.write_posts([post.pk])
    assert found("zollverein") == {post.pk}
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            for table in ("forum_postwords_fts", "forum_debatewords_fts"):
                cursor.execute(f"INSERT INTO {table}({table}, rank) VALUES('integrity-check', 1)")


@pytest.mark.parametrize(
    "text, hidden",
    [
        ("Before ||the king dies|| after.", ["the king dies"]),
        ("||a *b* c|| and ||d||", ["a b c", "d"]),
        ('Open.\n\n[spoiler="The end"]\nAll\n\nof it\n[/spoiler]\n\nOpen again.', ["All\n\nof it"]),
        ("- one\n- ||two||\n\n1. x", ["two"]),
        ("No spoiler & <b>.", []),
        ("@member-a ||hi @member-b & you||", ["hi @member-b & you"]),
    ],
)
def test_what_stands_under_a_spoiler(text, hidden):
    rendered = markup.render(text, format="markdown")
    spans = [(one.start, one.end) for one in rendered.passages]
    found = hidden_spans(rendered.html, plain=rendered.plain, passages=spans)
    assert [rendered.plain[a:b] for a, b in found] == hidden


def test_what_stands_under_a_spoiler_is_not_in_the_index(thread, opener):
    post = reply(thread, opener, "Before ||the king dies|| after.")
    assert found("befor", "after") == {post.pk} and not found("king")


@given(st.text(alphabet="ab |*[]/spoiler\n>-", max_size=120))
def test_spoilers_of_any_text_are_found(text):
    try:
        rendered = markup.render(f"{text} ||hidden words|| x", format="markdown")
    except markup.MarkupError:
        return
    spans = [(one.start, one.end) for one in rendered.passages]
    found = hidden_spans(rendered.html, plain=rendered.plain, passages=spans)
    assert all(a < b for a, b in found) and found == sorted(found)
    if '<span class="spoiler"' in rendered.html and "hidden words" in rendered.plain:
        assert found


class Counted(list):
    """A list that counts how often one of its things is looked at."""

    looked = 0

    def __getitem__(self, at):
        self.looked += 1
        return super().__getitem__(at)

    def __iter__(self):
        for thing in super().__iter__():
            self.looked += 1
            yield thing


def test_many_spoilers_are_gone_through_once():
    """A post of a thousand passages with a spoiler in each would cost each search for it."""
    text = "ab c\n\n" * 1000
    passages = [[n, n + 4] for n in range(0, len(text), 6)]
    hidden = Counted((start, start + 2) for start, _ in passages)
    runs = list(index.visible_runs(text, passages, hidden))
    assert [text[start:end] for start, end in runs if start < end] == [" c"] * 1000
    assert hidden.looked < 10_000
    over = index.visible_runs("one two three", [(0, 3), (4, 7), (8, 13)], [(1, 9)])
    assert [(start, end) for start, end in over if start < end] == [(0, 1), (9, 13)]
