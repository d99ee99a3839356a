"""Two members call each other back, as each of them sees it."""

import re

import pytest

from accounts.models import User
from forum.models import Board, Notice, Watch
from forum.outbox.worker import Worker
from tests.people import quoting

from . import world


@pytest.mark.parametrize("javascript", [True, False])
def test_a_reply_a_quote_and_a_mention_are_told_grouped_read_and_muted(site, sits_down, javascript):
    one, two = world.member("member-a"), world.member("member-b")
    world.load_source_thread()
    thread = world.start(one, "What if the tunnel had been dug?", "In 1880, say.")
    post = world.reply(one, thread, "Whoever digs it pays for it.")
    Worker().drain()

    writer = sits_down(two, javascript=javascript)
    for text in (quoting(post, "Whoever digs it pays", "Who, @member-a?"), "And with what?"):
        writer.opens(f"/threads/{thread.pk}/reply/?to={post.pk}")
        writer.fills("Text", text)
        writer.presses("Post reply")
    Worker().drain()
    assert User.objects.get(pk=one.pk).unread_notices == 2

    reader = sits_down(one, javascript=javascript)
    reader.opens("/")
    reader.goes_by(reader.page.get_by_role("link", name=re.compile("^Notices 2 new")))
    page = reader.page.get_by_role("main")
    line = page.get_by_role("listitem").filter(has_text="2 replies to your #2")
    assert "member-b also quotes you and mentions you." in line.inner_text()
    reader.goes_by(line.get_by_role("link", name=re.compile("^2 replies")))
    assert reader.page.get_by_text("And with what?").is_visible()
    assert User.objects.get(pk=one.pk).unread_notices == 0
    assert not Notice.objects.unread().filter(member=one).exists()

    # One click, and nothing of this debate is told any more.
    reader.opens("/notices/")
    reader.goes_by(reader.page.get_by_role("button", name=re.compile("^Mute this debate")).first)
    assert "You are told nothing of it any more." in reader.page.content()
    world.reply(two, thread, "Once more, @member-a.")
    Worker().drain()
    assert User.objects.get(pk=one.pk).unread_notices == 0


@pytest.mark.parametrize("javascript", [True, False])
def test_what_is_watched_is_chosen_told_and_stopped(site, sits_down, javascript):
    one, two = world.member("member-a"), world.member("member-b")
    world.load_source_thread()
    board = Board.objects.get(slug="after-1900")

    reader = sits_down(one, javascript=javascript)
    reader.opens(board.get_absolute_url())
    reader.follows("Watch this board")
    reader.page.get_by_label("new debates only").check()
    reader.presses("Keep this")
    world.start(two, "What if the tunnel had been dug?", "In 1880, say.")
    Worker().drain()
    reader.opens("/notices/")
    main = reader.page.get_by_role("main")
    assert "member-b opened" in main.inner_text()
    assert "You watch this board." in main.inner_text()

    reader.goes_by(reader.page.get_by_role("link", name=re.compile(r"^Watching\b")))
    reader.fills("From", "1900")
    reader.fills("To", "1945")
    reader.fills("Place", "Spain")
    reader.presses("Watch it")
    assert "1900 to 1945, in Spain" in main.inner_text()
    reader.page.get_by_label(re.compile("^Tell me of, in")).select_option("nothing")
    reader.presses("Keep these")
    assert Watch.objects.get(member=one, board=board).level == "muted"
    reader.presses("Stop watching: 1900 to 1945, in Spain")
    assert Watch.objects.get(member=one).board == board
