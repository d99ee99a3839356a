"""The session ended while somebody wrote: name and password beside the text send it after all."""

import re
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import Session
from forum.models import Draft, Post
from tests.people import PASSWORD, make_member, start

from .test_two_steps import HERE, code, set_up, sign_in

pytestmark = pytest.mark.django_db
TEXT = 'Lines\r\n\r\nkept "as they" <are>.'
GIVEN = {"sign_in_name": "member-x", "sign_in_password": PASSWORD}


@pytest.fixture
def thread(board, opener):
    return start(board, opener, "Does it hold?", "The first words.")


@pytest.fixture
def member(thread):
    return make_member("member-x")


@pytest.fixture
def visitor(member):
    return Client(**HERE)


def sends(client, thread, **fields):
    """The text, as one of our own pages sends it."""
    sent = {"text": TEXT, "token": str(uuid4()), "do": "post", **fields}
    return client.post(
        f"/threads/{thread.pk}/reply/", sent, headers={"Sec-Fetch-Site": "same-origin"}
    )


def field(page: str, name: str) -> str:
    return re.search(f'name="{name}"[^>]*value="([^"]*)"', page)[1]


def test_the_page_asks_who_sends_it_and_then_it_is_posted(visitor, thread):
    answer = sends(visitor, thread)
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "<h1>You were signed out while you wrote</h1>" in page
    assert "<title>You were signed out while you wrote" in page
    assert page.count(">Sign in<") == 1  # in the masthead; beside the text it leads away from it
    assert "kept &#34;as they&#34; &lt;are&gt;." in page
    token = field(page, "token")
    done = sends(visitor, thread, token=token, **GIVEN)
    post = Post.objects.get(thread=thread, number=2)
    assert done["Location"].endswith(f"#post-{post.pk}")
    assert (post.author.username, post.body.revision.source) == ("member-x", TEXT)
    # Sent twice, it is posted once; and who sent it stays signed in.
    assert sends(visitor, thread, token=token, **GIVEN)["Location"] == done["Location"]
    assert visitor.get("/drafts/").status_code == 200


def test_a_wrong_password_keeps_the_text_and_is_not_repeated(visitor, thread):
    answer = sends(visitor, thread, sign_in_name="member-x", sign_in_password="not the word")
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "do not fit together" in page and "kept &#34;as they&#34;" in page
    assert field(page, "sign_in_name") == "member-x"
    assert "not the word" not in page
    assert thread.posts.count() == 1
    for _ in range(6):
        answer = sends(visitor, thread, sign_in_name="member-x", sign_in_password="not the word")
    page = answer.content.decode()
    assert "Too many wrong passwords" in page and "kept &#34;as they&#34;" in page


def test_the_second_step_is_asked_for_and_then_it_is_posted(member, thread):
    secret, _ = set_up(sign_in("member-x")[0])
    cache.clear()
    visitor = Client(**HERE)
    page = sends(visitor, thread, **GIVEN).content.decode()
    assert "Your password is right" in page and "kept &#34;as they&#34;" in page
    assert PASSWORD not in page
    assert thread.posts.count() == 1
    wrong = sends(visitor, thread, sign_in_code="000000").content.decode()
    assert "This code is not right" in wrong and "kept &#34;as they&#34;" in wrong
    assert visitor.get("/drafts/").status_code == 302
    done = sends(visitor, thread, sign_in_code=code(secret))
    assert "#post-" in done["Location"]
    assert thread.posts.count() == 2


def test_a_code_without_a_first_step_begins_again(visitor, thread):
    page = sends(visitor, thread, sign_in_code="123456").content.decode()
    assert "Begin again" in page and 'name="sign_in_password"' in page
    assert thread.posts.count() == 1


def test_no_password_gets_into_a_draft(visitor, thread):
    assert sends(visitor, thread, do="draft", **GIVEN)["Location"] == "/drafts/"
    kept = Draft.objects.get()
    assert kept.text == TEXT
    assert not any("sign_in" in name for name in kept.fields)


def test_a_form_of_another_site_signs_nobody_in(member, thread):
    stranger = Client(enforce_csrf_checks=True, **HERE)
    answer = stranger.post(f"/threads/{thread.pk}/reply/", {"text": TEXT, **GIVEN})
    assert answer.status_code == 403
    assert not Session.objects.filter(user=member).exists()


def test_a_form_that_came_back_out_of_date_repeats_no_password(visitor, thread):
    strict = Client(enforce_csrf_checks=True, **HERE)
    page = sends(strict, thread, **GIVEN).content.decode()
    assert "Send it again" in page
    assert PASSWORD not in page


def test_who_signed_in_elsewhere_meanwhile_just_sends_it(member, visitor, thread):
    visitor.force_login(member)
    assert "#post-" in sends(visitor, thread, sign_in_name="", sign_in_password="")["Location"]
