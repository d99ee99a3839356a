"""Folding branches of the tree: remembered for members, in the address for visitors, nobody's else,
and what is folded is not read."""

import re

import pytest

from forum.actions import read_state
from forum.models import Post, ReadMark, Thread
from forum.moderation import states
from tests.people import browser, dump, fresh, make_member, pending, reply, start

pytestmark = pytest.mark.django_db


@pytest.fixture
def big(board, opener, answerer) -> Thread:
    """Forty posts: #2 has the branch #3 to #31 below it, in which #4 has a branch of ten of its
    own; #32 to #40 answer the opening."""
    thread = start(board, opener)
    second = reply(thread, answerer)
    reply(thread, opener, to=second)
    fourth = reply(thread, opener, to=second)
    for _ in range(10):
        reply(thread, opener, to=fourth)
    for _ in range(17):
        reply(thread, answerer, to=second)
    for _ in range(9):
        reply(thread, answerer)
    return fresh(thread)


def numbered(thread: Thread, number: int) -> Post:
    return Post.objects.get(thread=thread, number=number)


def page(thread: Thread, user=None, *, number: int = 1, view="tree", more="") -> str:
    response = browser(user).get(f"{thread.get_absolute_url()}?view={view}&page={number}{more}")
    assert response.status_code == 200
    return response.content.decode()


def shown(html: str) -> list[int]:
    return [int(n) for n in re.findall(r'aria-label="Link to post (\d+)"', html)]


def fold(user, post: Post, do="fold", **options):
    return browser(user, **options).post(f"/threads/{post.thread_id}/fold/", {do: post.pk})


def folders() -> list:
    """Who has folded anything."""
    return [mark.user for mark in ReadMark.objects.select_related("user") if mark.folded]


def stub(html: str) -> str:
    (found,) = re.findall(r">(Unfold [^<]*)<", html)
    return found


# --- Members ----------------------------------------------------------------------------------


def test_a_fold_is_remembered_on_every_device(big, opener, stranger):
    second = numbered(big, 2)
    response = fold(stranger, second)
    assert response.status_code == 302
    assert response["Location"].endswith(f"?view=tree#post-{second.pk}")
    html = page(big, stranger)  # another session: each `browser` signs in anew
    assert shown(html) == [1, 2]
    # The opener, the visitor and the flat view see all.
    for other, view in ((opener, "tree"), (None, "tree"), (stranger, "flat")):
        assert len(shown(page(big, other, view=view))) == 20
    fold(stranger, second, do="unfold")
    assert len(shown(page(big, stranger))) == 20
    assert ReadMark.objects.get(user=stranger).folded == []


def test_the_branch_under_a_hidden_post_folds_too(big, moderator, stranger):
    second = numbered(big, 2)
    states.hide(user=moderator, post=second, reason="Off topic.")
    for user in (None, stranger):
        html = page(big, user)
        assert "hidden by a moderator" in html.lower()
        assert "the branch under post 2<" in html
    fold(stranger, second)
    assert shown(page(big, stranger)) == [1, 2]


def test_the_stub_counts(big, answerer):
    reader = make_member("reader", date_joined=big.created_at)
    second = numbered(big, 2)
    read_state.mark_read(user=reader, thread=big, numbers=[(1, 18), (20, 40)])
    fold(reader, second)
    assert stub(page(big, reader)) == "Unfold 29 replies, 1 new here"
    reply(big, answerer, to=second)
    assert stub(page(big, reader)) == "Unfold 30 replies, 1 new here"  # #41 is on the next page
    read_state.mark_read(user=reader, thread=big, numbers=[(19, 19), (41, 41)])
    assert stub(page(big, reader)) == "Unfold 30 replies"
    lone = reply(big, answerer, to=reply(big, answerer))
    fold(reader, Post.objects.get(pk=lone.parent_id))
    assert stub(page(big, reader, number=3)) == "Unfold 1 reply, 1 new here"


def test_a_fold_in_a_fold(big):
    """The outer one stands for both; opened, it shows the inner one as it was left."""
    reader = make_member("reader", date_joined=big.created_at)
    second, fourth = numbered(big, 2), numbered(big, 4)
    read_state.mark_read(user=reader, thread=big, numbers=[(1, 9), (12, 40)])
    fold(reader, fourth)
    fold(reader, second)
    assert stub(page(big, reader)) == "Unfold 29 replies, 2 new here"
    fold(reader, second, do="unfold")
    html = page(big, reader)
    assert stub(html) == "Unfold 10 replies, 2 new here"
    assert shown(html)[:4] == [1, 2, 3, 4]
    assert not {5, 14} & set(shown(html))


def test_a_fold_on_an_earlier_page(big, stranger):
    second = numbered(big, 2)
    fold(stranger, second)
    html = page(big, stranger, number=2)
    assert shown(html) == list(range(32, 41))
    assert "Folded on an earlier page: the branch of" in html
    assert f'<a href="/posts/{second.pk}/?view=tree">#2</a>, with 11 posts of this page.' in html
    assert "Folded on an earlier page" not in page(big, stranger)


def test_a_page_of_nothing_but_a_folded_branch(big, answerer, stranger):
    for _ in range(40):
        reply(big, answerer, to=numbered(big, 2))
    fold(stranger, numbered(big, 2))
    html = page(big, stranger, number=2)
    assert shown(html) == []
    # Every link of the page leads somewhere.
    for href in re.findall(r'href="((?:\?view|/posts/)[^"#]*)"', html):
        address = href.replace("&amp;", "&")
        if address.startswith("?"):
            address = big.get_absolute_url() + address
        assert browser(stranger).get(address).status_code in (200, 302), href


def test_folded_posts_are_not_read(big):
    reader = make_member("reader", date_joined=big.created_at)
    fold(reader, numbered(big, 2))
    page(big, reader)
    assert read_state.seen(reader, big).ranges == [(1, 2)]
    page(big, reader, view="flat")
    assert read_state.seen(reader, big).ranges == [(1, 20)]


def test_a_link_to_a_folded_post_shows_it(big, stranger):
    """And leaves the fold as it is."""
    second, inside = numbered(big, 2), numbered(big, 7)
    stranger.view = "tree"
    stranger.save()
    fold(stranger, second)
    for address in (f"/posts/{inside.pk}/", f"/posts/{inside.pk}/?p=1"):
        location = browser(stranger).get(address)["Location"]
        html = browser(stranger).get(location.partition("#")[0]).content.decode()
        assert f'id="post-{inside.pk}"' in html
    assert f"open={inside.pk}" not in browser(stranger).get(f"/posts/{second.pk}/")["Location"]
    assert shown(page(big, stranger)) == [1, 2]


def test_next_new_does_not_run_in_circles(big):
    """The first post that was not read may be folded: it is shown, and read then."""
    reader = make_member("reader", date_joined=big.created_at, view="tree")
    fold(reader, numbered(big, 2))
    seen = []
    for _ in range(40):
        response = browser(reader).get(f"/threads/{big.pk}/new/", follow=True)
        assert response.status_code == 200
        seen.append(read_state.seen(reader, big).unread(big))
        if not seen[-1]:
            break
    assert seen[-1] == 0
    assert seen == sorted(set(seen), reverse=True)


@pytest.mark.parametrize("junk", ["x", "", "-1", "9" * 30, "²", "1e3"])
def test_junk_in_open(big, stranger, junk):
    fold(stranger, numbered(big, 2))
    assert shown(page(big, stranger, more=f"&open={junk}")) == [1, 2]


def test_nobody_folds_for_somebody_else(big, stranger, opener):
    second = numbered(big, 2)
    browser(stranger).post(
        f"/threads/{big.pk}/fold/", {"fold": second.pk, "user": opener.pk, "member": opener.pk}
    )
    assert folders() == [stranger]


def test_looking_folds_nothing(big, stranger):
    page(big, stranger)
    page(big, stranger, number=2)
    before = dump(ReadMark, Post, Thread)
    post = numbered(big, 2)
    for address in (
        f"/threads/{big.pk}/fold/",
        f"/threads/{big.pk}/fold/?fold={post.pk}",
        f"{big.get_absolute_url()}?view=tree&fold={post.pk}",
        f"{big.get_absolute_url()}?view=tree&open={post.pk}",
    ):
        browser(stranger).get(address)
        browser().get(address)
    assert dump(ReadMark, Post, Thread) == before
    assert len(shown(page(big, stranger))) == 20


def test_visitors_and_foreign_forms_fold_nothing(big, stranger):
    post = numbered(big, 2)
    assert fold(None, post).status_code in (302, 403)
    response = fold(stranger, post, enforce_csrf_checks=True)
    assert response.status_code == 403
    assert folders() == []


def test_what_is_not_there_cannot_be_folded(big, thread, stranger, answer, inner_board, moderator):
    inner = start(inner_board, moderator, title="Behind doors")
    secret = inner.posts.get()
    waiting = pending(big, stranger)
    for thread_id, post_id in (
        (big.pk, answer.pk),  # of another debate
        (big.pk, secret.pk),
        (inner.pk, secret.pk),
        (big.pk, waiting.pk),
        (big.pk, 10**9),
        (10**9, answer.pk),
        (big.pk, "x"),
        (big.pk, ""),
        (big.pk, "9" * 40),
    ):
        response = browser(stranger).post(f"/threads/{thread_id}/fold/", {"fold": post_id})
        assert response.status_code == 404
    assert folders() == []


def test_the_oldest_of_very_many_folds_opens_again(thread, answer, stranger, monkeypatch):
    monkeypatch.setattr(read_state, "MAX_FOLDED", 2)
    ids = list(thread.posts.order_by("number").values_list("pk", flat=True))
    for pk in (*ids[1:4], ids[2]):
        read_state.fold(user=stranger, thread=thread, post_id=pk, folded=True)
    assert ReadMark.objects.get(user=stranger).folded == [ids[3], ids[2]]


# --- Visitors ---------------------------------------------------------------------------------


def test_visitors_fold_by_address(big):
    second, fourth = numbered(big, 2), numbered(big, 4)
    html = page(big)
    href = re.search(rf'class="fold-link" href="([^"]*{fourth.pk})"', html)[1].replace("&amp;", "&")
    html = browser().get(big.get_absolute_url() + href).content.decode()
    assert stub(html) == "Unfold 10 replies"
    assert not {5, 14} & set(shown(html))
    # A second one adds to it; unfolding takes one away.
    href = re.search(rf'class="fold-link" href="([^"]*{second.pk})"', html)[1]
    assert f"fold={fourth.pk}.{second.pk}" in href
    html = page(big, more=f"&fold={fourth.pk}.{second.pk}")
    assert shown(html) == [1, 2]
    (back,) = re.findall(r'href="([^"]*)" rel="nofollow">Unfold', html)
    assert f"fold={fourth.pk}" in back
    assert f".{second.pk}" not in back
    assert "csrf" not in html
    assert 'method="post"' not in html


def test_the_address_keeps_folds_across_pages(big):
    second = numbered(big, 2)
    html = page(big, more=f"&fold={second.pk}")
    (following,) = re.findall(r'rel="next" href="([^"]+)"', html)[:1]
    html = browser().get(big.get_absolute_url() + following.replace("&amp;", "&")).content.decode()
    assert shown(html) == list(range(32, 41))
    assert f'<a href="/posts/{second.pk}/?view=tree">#2</a>' in html


@pytest.mark.parametrize("junk", ["x", "..", "x.y", "9" * 40, "²", "-1", "1," * 500])
def test_junk_in_the_address(big, junk):
    assert len(shown(page(big, more=f"&fold={junk}"))) == 20


def test_no_address_folds_without_end(big, django_assert_max_num_queries):
    many = ".".join(str(pk) for pk in range(1, 3000))
    with django_assert_max_num_queries(8):
        page(big, more=f"&fold={many}")


def test_a_folded_post_still_says_what_it_holds(big, stranger):
    """Its own words stay; only the branch below it is away."""
    second = numbered(big, 2)
    fold(stranger, second)
    html = page(big, stranger)
    article = re.search(rf'<article[^>]* id="post-{second.pk}".*?</article>', html, re.S)[0]
    assert "An answer." in article
    assert 'name="unfold"' in article
    assert 'name="fold"' not in article
    assert " down" not in article.partition(">")[0]
