"""All that is kept of a member, as a file: complete, without what opens the account, for the member
alone, and gone after a week."""

import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.db import models

from accounts import tokens
from accounts.models import User
from forum.actions import drafts, polls
from forum.models import Job, OwnData
from forum.moderation import erasing, sanctions
from forum.outbox.worker import Worker
from forum.own_data import asking
from forum.own_data.parts import NOT_GIVEN, PARTS
from forum.permissions import Refused
from tests.accounts.test_accounts import PASSWORD, member, sign_in
from tests.people import browser, edit, reply

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    """Where the files of this test lie."""
    settings.DATA_DIR = tmp_path
    settings.CONFIRM_ADDRESS = "off"
    return tmp_path / "own-data"


def made(user) -> zipfile.ZipFile:
    asking.ask(user=user)
    Worker().drain()
    file = asking.opened(user)
    assert file is not None
    with file:
        return zipfile.ZipFile(io.BytesIO(file.read()))


def rows(archive, part) -> list[dict]:
    return json.loads(archive.read(f"data/{part}.json"))


def test_every_way_from_a_row_to_a_member_is_given_or_named():
    """Red as soon as a new column leads to a member of which nobody decided whose data it is."""
    found = set()
    for model in apps.get_models(include_auto_created=True):
        if model._meta.proxy:
            continue
        for field in model._meta.concrete_fields:
            if isinstance(field, models.ForeignKey) and issubclass(field.related_model, User):
                found.add(f"{model._meta.label}.{field.name}")
    given = {f"{part.model._meta.label}.{part.member}" for part in PARTS}
    assert found == (given | set(NOT_GIVEN)) - {"accounts.User.pk"}
    assert not given & set(NOT_GIVEN)


def test_columns_that_are_left_out_exist():
    for part in PARTS:
        assert set(part.without) <= {column.name for column in part.model._meta.concrete_fields}
    assert len({part.name for part in PARTS}) == len(PARTS)


def test_the_file_holds_rows_and_posts_with_their_revisions(thread, answerer, opener, moderator):
    post = reply(thread, answerer, "The first words.\n\n~~~\ncode\n~~~")
    edit(post, "The second words.", reason="A slip")
    other = reply(thread, opener, "Somebody else wrote this.")
    drafts.save(
        user=answerer,
        token="6f2c1f5e-3f0a-4c58-9a44-5a0f7f6a8b11",
        target="/threads/new/",
        label="A new debate",
        text="half a thought",
        title="",
        fields={},
    )
    sanctions.note(user=moderator, member=answerer, text="Watch this one.")
    archive = made(answerer)
    place = f"posts/{thread.pk}-{thread.slug}/{post.number}.md"
    text = archive.read(place).decode()
    assert "The first words." in text
    assert "The second words." in text
    assert "A slip" in text
    assert "~~~~\nThe first words." in text
    assert post.number in [row["number"] for row in rows(archive, "posts")]
    assert [row["text"] for row in rows(archive, "drafts")] == ["half a thought"]
    assert rows(archive, "account")[0]["username"] == answerer.username
    whole = b"".join(archive.read(name) for name in archive.namelist())
    assert b"Somebody else wrote this." not in whole
    assert b"Watch this one." not in whole
    assert answerer.password.encode() not in whole
    assert f"posts/{thread.pk}-{thread.slug}/{other.number}.md" not in archive.namelist()


def test_votes_and_polls_are_in_it_of_secret_polls_too(thread, answerer, opener):
    asked = polls.Asked("Who decides?", ["The party", "Its clerk"])
    post = reply(thread, answerer, "Let us vote.", poll=asked)
    polls.vote(user=opener, post=post, chosen=[1])
    polls.vote(user=answerer, post=post, chosen=[0])
    (vote,) = rows(made(opener), "votes")
    assert (vote["poll_id"], vote["member_id"], vote["chosen"]) == (post.pk, opener.pk, [1])
    archive = made(answerer)
    assert [row["chosen"] for row in rows(archive, "votes")] == [[0]]
    text = archive.read(f"posts/{thread.pk}-{thread.slug}/{post.number}.md").decode()
    assert "Who decides?" in text and "- Its clerk" in text


def test_no_key_of_the_account_is_in_it(db):
    user, client = member(), browser()
    sign_in(client)
    shown = tokens.make(user=user, name="reader", scope="read")
    archive = made(user)
    whole = b"".join(archive.read(name) for name in archive.namelist()).decode()
    key = client.session.session_key
    for secret in (user.password, key, shown, user.tokens.get().digest):
        assert secret
        assert secret not in whole
    assert len(rows(archive, "sessions")) == 1
    assert rows(archive, "addresses")[0]["email"] == "member-a@example.org"


def test_it_is_fetched_with_the_password_by_the_member_alone(
    opener, django_capture_on_commit_callbacks
):
    member()
    client = browser()
    sign_in(client)
    page = client.get("/accounts/data/").content.decode()
    assert "Put my data together" in page
    client.post("/accounts/data/")
    assert "being put together" in client.get("/accounts/data/").content.decode()
    assert client.get("/accounts/data/file/").status_code == 302
    Worker().drain()
    assert "Fetch the file" in client.get("/accounts/data/").content.decode()
    asked = client.get("/accounts/data/file/")
    assert asked.url.startswith("/accounts/reauthenticate/")
    back = client.post(asked.url, {"password": PASSWORD, "next": "/accounts/data/file/"})
    assert back.url == "/accounts/data/file/"
    answer = client.get(back.url)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))).testzip() is None
    assert browser().get("/accounts/data/file/").status_code == 302
    assert browser().get("/accounts/data/").url.startswith("/accounts/login/")
    assert asking.opened(opener) is None


def test_asking_twice_makes_one_and_a_new_one_takes_a_day(opener, monkeypatch):
    asking.ask(user=opener)
    asking.ask(user=opener)
    assert OwnData.objects.count() == Job.objects.count() == 1
    Worker().drain()
    with pytest.raises(asking.TooSoon):
        asking.ask(user=opener)
    client = browser(opener)
    answer = client.post("/accounts/data/")
    assert answer.status_code == 429
    assert "within the last day" in answer.content.decode()


def test_a_new_one_replaces_the_old_and_its_file(
    opener, folder, django_capture_on_commit_callbacks
):
    made(opener)
    OwnData.objects.update(asked_at=models.F("asked_at") - timedelta(days=2))
    before = OwnData.objects.get().path
    with django_capture_on_commit_callbacks(execute=True):
        asking.ask(user=opener)
    assert not before.exists()
    Worker().drain()
    assert [path.name for path in folder.iterdir()] == [OwnData.objects.get().file]


def test_files_are_readable_by_the_forum_alone(opener, folder):
    made(opener)
    assert OwnData.objects.get().path.stat().st_mode & 0o077 == 0
    assert folder.stat().st_mode & 0o077 == 0


def test_after_a_week_it_is_gone(opener, folder):
    made(opener)
    OwnData.objects.update(asked_at=models.F("asked_at") - OwnData.KEPT)
    assert asking.opened(opener) is None
    assert asking.sweep() == 1
    assert list(folder.iterdir()) == []
    assert not OwnData.objects.exists()


def test_a_failed_try_leaves_nothing_and_is_tried_again(opener, folder, monkeypatch):
    asking.ask(user=opener)
    monkeypatch.setattr(asking.archive, "write", lambda *_: 1 / 0)
    Worker().drain()
    assert list(folder.iterdir()) == []
    assert Job.objects.get().attempts == 1
    assert OwnData.objects.get().made_at is None
    assert asking.opened(opener) is None


def test_what_was_asked_for_and_dropped_is_not_made(opener, folder):
    asking.ask(user=opener)
    asking.drop(opener)
    Worker().drain()
    assert not folder.exists()


def test_visitors_have_no_data(db):
    with pytest.raises(Refused):
        asking.ask(user=AnonymousUser())
    assert not OwnData.objects.exists()


def test_erased_words_are_in_no_archive_that_was_made_or_is_being_made(
    thread, answerer, opener, administrator, folder, monkeypatch, django_capture_on_commit_callbacks
):
    post = reply(thread, answerer, "Somebody lives at 12 Mill Lane.")
    made(answerer)
    asking.ask(user=opener)  # not made yet

    def erase():
        with django_capture_on_commit_callbacks(execute=True):
            found = erasing.find(post, "Mill Lane")
            erasing.erase(
                user=administrator,
                post=post,
                words="Mill Lane",
                reason="Order 7 of 1 May.",
                texts=found.texts,
            )

    before = OwnData.objects.get(member=answerer).path
    erase()
    assert not before.exists()
    assert asking.opened(answerer) is None
    Worker().drain()
    assert asking.opened(opener) is not None
    with asking.opened(answerer) as file:
        archive = zipfile.ZipFile(file)
        assert b"Mill" not in b"".join(archive.read(name) for name in archive.namelist())


def test_what_was_read_before_an_erasing_is_not_kept(
    thread, answerer, administrator, monkeypatch, folder
):
    post = reply(thread, answerer, "Somebody lives at 12 Mill Lane.")
    asking.ask(user=answerer)
    write = asking.archive.write

    def erased_meanwhile(member, file):
        write(member, file)
        monkeypatch.setattr(asking.archive, "write", write)
        found = erasing.find(post, "")
        erasing.erase(user=administrator, post=post, reason="Order 7.", texts=found.texts)

    monkeypatch.setattr(asking.archive, "write", erased_meanwhile)
    Worker().drain()
    with asking.opened(answerer) as file:
        archive = zipfile.ZipFile(file)
        assert b"Mill" not in b"".join(archive.read(name) for name in archive.namelist())
    assert len(list(folder.iterdir())) == 1
