"""What happens between looking and locking. Texts are composed before the lock is taken, so each
act must ask again, of the locked rows, what it asked before."""

from uuid import UUID, uuid4

import pytest

from forum.actions import posts, threads
from forum.actions.composing import Unacceptable
from forum.checking import check
from forum.models import Board, Post, PostRevision, Thread
from forum.moderation import erasing, states
from forum.permissions import NotThere, Refused
from tests.people import dump, edit, fresh, quoting, reply, start

TABLES = (Board, Post, PostRevision, Thread)
TOKEN = UUID("7e40c9d2-1f6b-4f5e-9c55-8f0e3f0c0b9c")


@pytest.fixture
def meanwhile(monkeypatch):
    """Has `act` happen while a text is being composed, and gives the rows as they stand then."""

    def arrange(act) -> dict:
        rows: dict = {}

        def slow(**given):
            composed = right(**given)
            if not rows:
                monkeypatch.setattr(module, "compose", right)
                act()
                rows.update(dump(*TABLES))
            return composed

        monkeypatch.setattr(module, "compose", slow)
        return rows

    module, right = posts, posts.compose
    return arrange


@pytest.mark.parametrize("how", ["lock", "hide_thread"])
def test_a_debate_is_locked_or_hidden(thread, answer, stranger, moderator, meanwhile, how):
    act = getattr(states, how)
    for write in (
        lambda: reply(fresh(thread), stranger),
        lambda: edit(answer, "Too late."),
    ):
        rows = meanwhile(lambda: act(user=moderator, thread=thread, reason="Because."))
        with pytest.raises(Refused):
            write()
        assert dump(*TABLES) == rows
        states.unlock(user=moderator, thread=thread)
        states.restore_thread(user=moderator, thread=thread)


def test_a_board_is_closed(thread, board, stranger, meanwhile):
    rows = meanwhile(lambda: Board.objects.filter(pk=board.pk).update(audience="moderators"))
    with pytest.raises(NotThere):
        reply(fresh(thread), stranger)
    assert dump(*TABLES) == rows


@pytest.mark.parametrize("how", ["hide", "remove"])
def test_a_post_is_taken_away(thread, answer, stranger, moderator, meanwhile, how):
    act = getattr(states, how)
    for write in (
        lambda: reply(thread, stranger, to=fresh(answer)),
        lambda: edit(answer, "Too late."),
    ):
        rows = meanwhile(lambda: act(user=moderator, post=answer, reason="Because."))
        with pytest.raises(Refused):
            write()
        assert dump(*TABLES) == rows
        states.restore(user=moderator, post=answer)


def test_the_form_is_sent_a_second_time(thread, stranger, meanwhile):
    def send():
        return posts.reply(user=stranger, thread=fresh(thread), source="Once.", token=TOKEN)

    rows = meanwhile(send)
    made = send()
    assert made == Post.objects.get(author=stranger)
    assert dump(*TABLES) == rows


def test_the_post_is_saved_in_another_tab(answer, meanwhile):
    rows = meanwhile(lambda: edit(answer, "From the other tab."))
    with pytest.raises(posts.EditedMeanwhile):
        edit(answer, "From this tab.")
    assert dump(*TABLES) == rows


def test_a_board_stops_taking_debates(board, opener, monkeypatch):
    right = threads.compose

    def slow(**given):
        Board.objects.filter(pk=board.pk).update(starters="moderators")
        return right(**given)

    monkeypatch.setattr(threads, "compose", slow)
    with pytest.raises(Refused):
        threads.start(user=opener, board=board, title="T", kind="TL", source="Text.", token=uuid4())
    assert not Thread.objects.exists()


# --- Words are erased meanwhile ---------------------------------------------------------------

SAID = "It was member-z of 12 Mill Lane."


@pytest.mark.parametrize("what", ["the words", "others", "the whole post"])
@pytest.mark.parametrize("where", ["in the debate", "elsewhere"])
def test_quoted_words_are_erased(
    thread, board, answerer, stranger, administrator, meanwhile, what, where
):
    """What waited for the lock with them does not bring them back as exact."""
    post = reply(thread, answerer, f"{SAID} He had a garden.")
    words = {"the words": "12 Mill Lane", "others": "a garden", "the whole post": ""}[what]
    into = thread if where == "in the debate" else start(board, stranger, "What if not?")

    def erase():
        texts = erasing.find(post, words).texts
        erasing.erase(user=administrator, post=post, words=words, reason="By law.", texts=texts)

    meanwhile(erase)
    if what == "others":
        quote = reply(fresh(into), stranger, quoting(post, SAID)).quotes.get()
        assert (quote.words, quote.verdict) == (SAID, "exact")
    else:
        with pytest.raises(Unacceptable, match="erased"):
            reply(fresh(into), stranger, quoting(post, SAID))
    assert [fault for fault in check() if fault.kind != "notices"] == []


def test_words_of_the_post_that_is_edited_are_erased(thread, answerer, administrator, meanwhile):
    post = reply(thread, answerer, SAID)
    base = posts.base_of(post.body.revision)

    def erase():
        texts = erasing.find(post, "Mill Lane").texts
        erasing.erase(
            user=administrator, post=post, words="Mill Lane", reason="By law.", texts=texts
        )

    meanwhile(erase)
    with pytest.raises(posts.EditedMeanwhile):
        posts.edit(user=answerer, post=fresh(post), source=f"{SAID} Indeed.", base=base)
    assert "Mill" not in fresh(post).body.revision.source


def test_a_quote_from_a_debate_that_goes_where_fewer_read(
    thread, board, inner_board, answer, stranger, moderator, meanwhile
):
    into = start(board, stranger, "What if not?")
    meanwhile(lambda: Thread.objects.filter(pk=thread.pk).update(board=inner_board))
    with pytest.raises(Unacceptable, match="cannot be quoted here"):
        reply(fresh(into), stranger, quoting(answer, "The party obeyed nobody."))
