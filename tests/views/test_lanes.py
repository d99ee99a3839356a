"""Lanes on the page of a debate: one of them alone, in both views; doubts that are folded away."""

import re
from uuid import uuid4

import pytest

from forum.actions import posts
from forum.models import Post, Thread
from tests.people import browser, fresh
from tests.tree.test_tree import grow
from tests.views.test_queries import MEMBER, queries, write_texts

pytestmark = pytest.mark.django_db


def numbers(response) -> list[int]:
    """The numbers of the posts on a page, in order."""
    return [
        int(n) for n in re.findall(r'aria-label="Link to post (\d+)"', response.content.decode())
    ]


def get(thread, user=None, **query):
    response = browser(user).get(fresh(thread).get_absolute_url(), query)
    assert response.status_code == 200
    return response


@pytest.fixture
def long_thread(board, opener) -> Thread:
    """61 posts; every third keeps to the lane of the premise."""
    thread = grow(board, [None] * 61)
    write_texts(thread)
    thread.posts.update(author=opener, lane="consequence")
    thread.posts.filter(number__in=range(3, 62, 3)).update(lane="premise")
    thread.posts.filter(number=1).update(lane="")
    counts = {"consequence": 40, "premise": 20}
    Thread.objects.filter(pk=thread.pk).update(lane_counts=counts, author=opener)
    return fresh(thread)


def test_tabs_count_and_a_debate_without_lanes_has_none(long_thread, thread):
    page = get(long_thread).content.decode()
    tabs = r">(All replies|Whether it could happen|What would follow|The debate itself) (\d+)</a>"
    assert re.findall(tabs, page) == [
        ("All replies", str(long_thread.reply_count)),
        ("Whether it could happen", "20"),
        ("What would follow", "40"),
        ("The debate itself", "0"),
    ]
    Thread.objects.filter(pk=thread.pk).update(lane_counts={})
    assert "All replies" not in get(thread).content.decode()


def test_one_lane_is_read_page_by_page_and_numbers_stay(long_thread):
    seen, start = [], 1
    while start:
        response = get(long_thread, lane="consequence", **({"from": start} if start > 1 else {}))
        seen += numbers(response)
        after = re.search(
            r'rel="next" href="\?view=flat&amp;lane=\w+&amp;from=(\d+)"', response.content.decode()
        )
        start = int(after[1]) if after else 0
    assert seen == [n for n in range(2, 62) if n % 3]
    back = get(long_thread, lane="consequence", **{"from": 50}).content.decode()
    before = int(re.search(r'rel="prev" href="\?view=flat&amp;lane=\w+&amp;from=(\d+)"', back)[1])
    assert numbers(get(long_thread, lane="consequence", **{"from": before}))[-1] == 49


def test_what_is_no_lane_is_not_there(long_thread):
    for query in (
        {"lane": "fast"},
        {"lane": "premise", "from": "x"},
        {"lane": "a", "view": "tree"},
    ):
        path = long_thread.get_absolute_url()
        assert browser().get(path, query).status_code == 404


def test_the_tree_keeps_its_pages_and_folds_other_lanes(long_thread):
    whole, page = get(long_thread, view="tree"), get(long_thread, view="tree", lane="premise")
    assert numbers(page) == numbers(whole)
    body = page.content.decode()
    aside = [n for n in numbers(whole) if n != 1 and n % 3]
    assert body.count("About something else. Show it.") == len(aside)
    assert f"{len(aside)} posts of this page are about something else and are folded" in body


def test_a_lane_asks_the_same_at_any_depth(long_thread, stranger):
    client = browser(stranger)
    path = long_thread.get_absolute_url()
    client.get(f"{path}?lane=premise")
    client.get(f"{path}?lane=premise&from=40")
    first = queries(client, f"{path}?lane=premise")
    later = queries(client, f"{path}?lane=premise&from=40")
    assert first <= later <= first + 1 <= MEMBER + 1  # one for the page before


# --- Doubts where the premise is granted ------------------------------------------------------


def grant(thread) -> Thread:
    Thread.objects.filter(pk=thread.pk).update(policy="granted")
    return fresh(thread)


def test_doubts_are_folded_under_one_heading_and_still_there(long_thread):
    body = get(grant(long_thread)).content.decode()
    assert body.count('id="doubts"') == 1
    assert "6 replies of this page doubt the premise. Show them." in body
    folded = body.index('id="doubts"')
    for post in long_thread.posts.filter(number__lte=20):
        assert (body.index(f'id="post-{post.pk}"') > folded) == (post.lane == "premise")
    assert '<details class="fold"><summary>6 replies' in body


@pytest.mark.parametrize("view", ["flat", "tree"])
def test_a_permalink_opens_the_fold(long_thread, stranger, view):
    grant(long_thread)
    post = long_thread.posts.get(number=45)
    client = browser()
    there = client.get(f"/posts/{post.pk}/?view={view}")["Location"]
    address, _, element = there.partition("#")
    body = client.get(address).content.decode()
    assert element == f"post-{post.pk}"
    assert f'id="{element}"' in body
    assert '<details class="fold" open><summary>' in body
    other = long_thread.posts.get(number=44)
    assert "open=" not in client.get(f"/posts/{other.pk}/")["Location"]


def test_the_fold_tells_how_many_are_new_and_opens_where_the_unread_begins(long_thread, opener):
    grant(long_thread)
    body = get(long_thread, opener).content.decode()
    assert '<span class="new">6 new</span>' in body
    assert '<details class="fold"><summary>6 replies' in body  # the first unread stands outside
    Post.objects.filter(thread=long_thread, number=21).update(lane="premise")
    body = get(long_thread, opener, page=2).content.decode()
    assert '<details class="fold" open><summary>' in body


def test_in_an_open_debate_nothing_is_folded_away(long_thread):
    assert 'id="doubts"' not in get(long_thread).content.decode()
    assert 'id="doubts"' not in get(grant(long_thread), lane="premise").content.decode()


def test_lines_of_the_tree_close_up_where_doubts_were_taken_out(board, opener):
    #  1 ─┬ 2 (doubt) ─ 3 (its reply, a consequence)
    #     ├ 4 ─┬ 5 (doubt)
    #     │    └ 6
    #     └ 7 (doubt)
    thread = grow(board, [None, None, 1, None, 3, 3, None])
    write_texts(thread)
    thread.posts.update(author=opener)
    thread.posts.filter(number__in=[2, 5, 7]).update(lane="premise")
    body = get(grant(thread), view="tree").content.decode()
    rails = {}
    for number in (1, 3, 4, 6):
        post = thread.posts.get(number=number)
        article = body[body.index(f'id="post-{post.pk}"') :].split("</article>")[0]
        drawn = re.search(r'<span class="rails" aria-hidden="true">(.*?)</span>', article)
        rails[number] = re.findall(r"<i(?: class=\"(\w)\")?></i>", drawn[1]) if drawn else []
    assert rails[4] == ["l"]  # nothing forks from the opening's line after it
    assert rails[6][-1] == "l"
    assert rails[3][:1] in (["t"], ["l"])


def test_a_reply_to_the_debate_says_what_it_is(thread, stranger):
    page = browser(stranger).get(f"/threads/{thread.pk}/reply/").content.decode()
    assert '<option value="consequence" selected>' in page
    sent = {"text": "No.", "lane": "premise", "stance": "disputes", "token": str(uuid4())}
    there = browser(stranger).post(f"/threads/{thread.pk}/reply/", sent)
    assert there.status_code == 302
    post = Post.objects.get(author=stranger)
    assert (post.lane, post.stance) == ("premise", "disputes")
    body = get(thread).content.decode()
    assert '<span class="lane">whether it could happen</span>' in body
    assert '<span class="stance" data-is="disputes">disputes the premise</span>' in body


def test_the_form_of_a_reply_follows_its_parent(thread, answer, stranger):
    doubt = posts.reply(
        user=stranger, thread=thread, source="No.", token=uuid4(), parent=answer, lane="premise"
    )
    page = browser(stranger).get(f"/threads/{thread.pk}/reply/?to={doubt.pk}").content.decode()
    assert '<option value="premise" selected>' in page
