"""What members are told of posts, by mail."""

import pytest

from forum.actions import arguments, notices, watching
from forum.models import Board, Mail, MailSettings, Watch
from forum.moderation import moving, states
from forum.outbox.worker import Worker
from tests.mailing.conftest import pass_time
from tests.people import browser, fresh, quoting, reply, start

pytestmark = pytest.mark.django_db


def outcomes() -> list[str]:
    return list(Mail.objects.order_by("pk").values_list("outcome", flat=True))


def plain(mail) -> str:
    return mail.get_body(("plain",)).get_content()


def test_a_reply_is_mailed_in_its_own_words(thread, opener, answerer, server):
    words = quoting(thread.posts.get(number=1), "the party had obeyed", "Who, @opener? ||Nobody.||")
    post = reply(thread, answerer, words)
    pass_time()  # it is told, and mail is held
    pass_time()
    assert server.addresses == [opener.email]
    (sent,) = server.mails
    assert sent["Subject"] == thread.title
    text = plain(sent)
    assert f"answerer answered your debate “{thread.title}”" in " ".join(text.split())
    assert "> Who, @opener? [spoiler]" in text
    assert "the party had obeyed" not in text
    assert "Nobody." not in text
    assert f"https://forum.example/posts/{post.pk}/" in text
    assert "What answers, quotes or mentions you" in text
    assert outcomes() == ["sent"]


def test_what_was_read_meanwhile_is_not_mailed(thread, opener, answerer, server):
    post = reply(thread, answerer)
    Worker().drain()
    notices.mark_opened(user=fresh(opener), posts=[post.pk])
    pass_time()
    assert outcomes() == ["read"] and not server.mails


@pytest.mark.parametrize("gone", ["hidden", "moved", "closed", "ignored"])
def test_what_may_not_be_read_any_more_is_not_mailed(
    thread, opener, answerer, moderator, server, gone
):
    post = reply(thread, answerer, "Words of mine.")
    Worker().drain()
    if gone == "hidden":
        states.hide(user=moderator, post=post, reason="Off.")
    elif gone == "moved":
        inner = Board.objects.create(name="Staff", slug="staff", audience="moderators")
        moving.move_thread(user=moderator, thread=fresh(thread), board=inner)
    elif gone == "closed":
        Board.objects.update(audience="moderators")
    else:
        opener.ignoring = [answerer.pk]
        opener.save()
    pass_time()
    pass_time()
    assert Mail.objects.order_by("pk").first().outcome == "unseen"
    assert not any("Words of mine." in plain(mail) for mail in server.mails)


def test_what_one_watches_comes_in_a_digest_unless_chosen_otherwise(
    thread, answerer, stranger, server
):
    watching.watch(user=stranger, target=thread, level="all")
    reply(thread, answerer)
    Worker().drain()
    assert Mail.objects.get(member=stranger).rhythm == "day"
    MailSettings.objects.create(member=stranger, rhythms={"watched": "never"})
    reply(thread, answerer)
    Worker().drain()
    assert Mail.objects.filter(member=stranger).count() == 1


def test_a_mind_that_was_changed_is_mailed(thread, answer, answerer, stranger, server):
    arguments.change_mind(user=stranger, post=answer, was="for", now="against", reason="So.")
    pass_time()
    assert server.addresses == [answerer.email]
    assert "You changed stranger’s mind" in plain(server.mails[0])


def stop_of(sent) -> str:
    return sent["List-Unsubscribe"].strip(" <>").removeprefix("https://forum.example")


def test_one_click_ends_the_watch_that_a_mail_is_about(thread, answerer, opener, stranger, server):
    MailSettings.objects.create(member=stranger, rhythms={"watched": "now"})
    watching.watch(user=stranger, target=thread, level="all")
    watching.watch(user=stranger, target=thread.board, level="openings")
    reply(thread, answerer)
    pass_time()
    pass_time()
    (sent,) = [mail for mail in server.mails if mail["To"] == stranger.email]
    assert "Watch it no more" in plain(sent)
    path = stop_of(sent)
    page = browser().get(path).content.decode()
    assert "a debate that you watch" in page
    assert thread.title not in page, "whoever holds the address need not be who may see it"
    assert Watch.objects.filter(member=stranger).count() == 2
    client = browser(enforce_csrf_checks=True)
    for _ in range(2):
        answer = client.post(path, {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
    assert [watch.kind for watch in Watch.objects.filter(member=stranger)] == ["board"]
    assert MailSettings.objects.get(member=stranger).rhythm("watched") == "now"
    assert "do not watch any more" in browser().get(path).content.decode()


def test_a_mail_about_several_things_stops_their_topics(thread, answerer, stranger, server, board):
    MailSettings.objects.create(member=stranger, rhythms={"watched": "day"})
    watching.watch(user=stranger, target=thread, level="all")
    watching.watch(user=stranger, target=board, level="openings")
    reply(thread, answerer)
    start(board, answerer, title="Another debate")
    pass_time()
    pass_time()
    (sent,) = [mail for mail in server.mails if mail["To"] == stranger.email]
    browser().post(stop_of(sent))
    assert MailSettings.objects.get(member=stranger).rhythm("watched") == "never"
    assert Watch.objects.filter(member=stranger).count() == 2
