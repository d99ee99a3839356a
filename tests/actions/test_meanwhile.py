"""What happens between looking and locking. Texts are composed before the lock is taken, so each
act must ask again, of the locked rows, what it asked before."""

from uuid import UUID, uuid4

import pytest

from forum.actions import moderation, posts, threads
from forum.models import Board, Post, PostRevision, Thread
from forum.permissions import NotThere, Refused
from tests.people import dump, edit, fresh, reply

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
    act = getattr(moderation, how)
    for write in (
        lambda: reply(fresh(thread), stranger),
        lambda: edit(answer, "Too late."),
    ):
        rows = meanwhile(lambda: act(user=moderator, thread=thread, reason="Because."))
        with pytest.raises(Refused):
            write()
        assert dump(*TABLES) == rows
        moderation.unlock(user=moderator, thread=thread)
        moderation.restore_thread(user=moderator, thread=thread)


def test_a_board_is_closed(thread, board, stranger, meanwhile):
    rows = meanwhile(lambda: Board.objects.filter(pk=board.pk).update(audience="moderators"))
    with pytest.raises(NotThere):
        reply(fresh(thread), stranger)
    assert dump(*TABLES) == rows


@pytest.mark.parametrize("how", ["hide", "remove"])
def test_a_post_is_taken_away(thread, answer, stranger, moderator, meanwhile, how):
    act = getattr(moderation, how)
    for write in (
        lambda: reply(thread, stranger, to=fresh(answer)),
        lambda: edit(answer, "Too late."),
    ):
        rows = meanwhile(lambda: act(user=moderator, post=answer, reason="Because."))
        with pytest.raises(Refused):
            write()
        assert dump(*TABLES) == rows
        moderation.restore(user=moderator, post=answer)


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
