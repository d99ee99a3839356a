"""Pictures from the form to the page: sent, made ready, shown to whom they may be shown, gone."""

import re
import zipfile
from datetime import timedelta
from io import BytesIO
from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from PIL import Image

from core import clock
from forum.actions import composing, gone_pictures, pictures
from forum.checking import check
from forum.models import Draft, Job, Picture, PictureUse
from forum.moderation import erasing, states
from forum.operations import pictures as files
from forum.outbox.worker import Worker
from forum.own_data import archive, retention
from forum.rendering import books
from forum.text import epub
from tests.operations.pictures import corpus
from tests.people import browser, edit, fresh, reply, start, typed

pytestmark = pytest.mark.django_db


@pytest.fixture(
    autouse=True,
    params=["folder", pytest.param("bucket", marks=[pytest.mark.whole, pytest.mark.once])],
)
def kept(request, settings, tmp_path):
    """Where the pictures stand: each test runs with a folder and with a bucket of S3."""
    settings.DATA_DIR = tmp_path
    if request.param == "bucket":
        yield request.getfixturevalue("pictures_bucket")
        return
    storage = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    storage["OPTIONS"] = {"location": tmp_path / "pictures"}
    with override_settings(STORAGES={**settings.STORAGES, "pictures": storage}):
        yield tmp_path / "pictures"


def file(seed=1, size=(64, 48), kind="PNG", name="map.exe") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, corpus.packed(corpus.drawn(*size, "P", seed), kind))


def sent(user, alt="A map of Spain", **options) -> Picture:
    return pictures.send(user=user, file=file(**options), alt=alt)


def bytes_of(response) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def seen(picture, user=None, name="") -> int:
    """The status of the answer to whoever asks for the file; its page answers alike."""
    client, picture = browser(user), fresh(picture)
    statuses = {
        client.get(address).status_code
        for address in (name or picture.file, picture.get_absolute_url())
    }
    assert len(statuses) == 1
    return statuses.pop()


@pytest.fixture
def picture(opener) -> Picture:
    return sent(opener)


@pytest.fixture
def shown(thread, opener, picture):
    """A post that shows it."""
    return fresh(reply(thread, opener, f'Look:\n{picture.markdown[:-1]} "The front")'))


# --- Sending ----------------------------------------------------------------------------------


def test_a_form_without_scripts_adds_a_picture_and_keeps_what_was_typed(thread, opener):
    client = browser(opener)
    form = {"text": "I say:", "token": str(uuid4()), "stance": "supports", "do": "picture"}
    form |= {"picture": file(), "picture_alt": "The [front] in 1937"}
    page = client.post(f"/threads/{thread.pk}/reply/", form)
    picture = Picture.objects.get()
    assert page.status_code == 200
    text = typed(page)["text"]
    assert text == f"I say:\n\n![The \\[front\\] in 1937](picture:{picture.key})\n"
    assert 'enctype="multipart/form-data"' in page.content.decode()
    assert re.search(r'value="supports"[^>]* (checked|selected)', page.content.decode())
    form |= {"text": text, "do": "post"}
    del form["picture"]
    assert client.post(f"/threads/{thread.pk}/reply/", form).status_code == 302
    post = thread.posts.order_by("pk").last()
    page = browser().get(thread.get_absolute_url()).content.decode()
    assert f'<img src="{picture.file}" width="64" height="48"' in page
    assert 'alt="The [front] in 1937" loading="lazy" decoding="async"' in page
    assert PictureUse.objects.get(post=post).picture == picture


def test_a_chosen_picture_is_never_lost_by_another_button(thread, opener):
    form = {"text": "I say:", "token": str(uuid4()), "do": "post", "picture": file()}
    before = thread.posts.count()
    page = browser(opener).post(f"/threads/{thread.pk}/reply/", form)
    assert page.status_code == 200
    assert "Nothing is posted yet" in page.content.decode()
    assert thread.posts.count() == before


def test_every_form_that_writes_takes_pictures(thread, opener, board):
    post = thread.posts.get(number=1)
    for address in ("/threads/new/", f"/posts/{post.pk}/edit/"):
        client = browser(opener)
        form = {"text": "What if?", "title": "Half a ti", "do": "picture", "picture": file()}
        form |= {"base": "1", "poll_question": "Who decides here?"}
        page = client.post(address, form)
        assert page.status_code == 200
        assert f"(picture:{Picture.objects.get().key})" in page.content.decode()
        assert "What if?" in page.content.decode()
        assert ("Half a ti" in page.content.decode()) == (address == "/threads/new/")
        assert ("Who decides here?" in page.content.decode()) == (address == "/threads/new/")


@pytest.mark.parametrize("data", [b"<svg></svg>", b"", b"GIF89a"])
def test_what_is_no_picture_is_refused_and_nothing_kept(thread, opener, data, kept):
    form = {"text": "I say:", "do": "picture", "picture": SimpleUploadedFile("a.png", data)}
    page = browser(opener).post(f"/threads/{thread.pk}/reply/", form)
    assert page.status_code == 422
    assert "Your text is as it was" in page.content.decode()
    assert "I say:" in page.content.decode()
    assert not Picture.objects.exists()
    assert not list(files.listed())


def test_the_script_is_told_how_a_text_shows_it(opener):
    told = browser(opener).post("/pictures/", {"picture": file()})
    assert told.json() == {"markdown": f"![](picture:{Picture.objects.get().key})"}
    told = browser(opener).post("/pictures/", {"picture": SimpleUploadedFile("a.svg", b"<svg>")})
    assert (told.status_code, "SVG is not taken" in told.json()["problem"]) == (422, True)
    assert browser().post("/pictures/", {"picture": file()}).status_code == 403


def test_the_same_picture_is_kept_once(opener, stranger):
    one, again = sent(opener), sent(opener, alt="")
    assert one == again
    other = sent(stranger, alt="Mine")
    assert (other.key != one.key, other.sha256) == (True, one.sha256)
    assert (fresh(one).alt, other.alt) == ("A map of Spain", "Mine")
    assert len(list(files.listed())) == 1


def test_members_send_so_much_a_day_and_no_more(opener, settings, thread):
    settings.PICTURES_PER_DAY = 2
    for seed in (1, 2):
        sent(opener, seed=seed)
    form = {"text": "Kept.", "do": "picture", "picture": file(seed=3)}
    page = browser(opener).post(f"/threads/{thread.pk}/reply/", form)
    assert page.status_code == 429
    assert "Kept." in page.content.decode()
    settings.PICTURES_PER_DAY, settings.PICTURES_MB_PER_DAY = 0, 1
    Picture.objects.update(sent_bytes=1024 * 1024)
    with pytest.raises(pictures.TooFast, match="at most 1 MB"):
        sent(opener, seed=3)


def test_what_is_larger_than_taken_is_refused(opener, settings):
    settings.PICTURE_MB = 1
    with pytest.raises(composing.Unacceptable, match="at most 1 MB"):
        pictures.send(user=opener, file=BytesIO(bytes(1024 * 1024 + 1)))


def test_a_large_one_is_made_ready_by_the_worker(opener, thread):
    large = SimpleUploadedFile("a.png", corpus.packed(Image.new("1", (3000, 2000)), "PNG"))
    picture = pictures.send(user=opener, file=large, alt="White")
    assert picture.state == "waiting"
    reply(thread, opener, picture.markdown)
    assert "being made ready" in browser().get(thread.get_absolute_url()).content.decode()
    assert "being made ready" in browser().get(picture.get_absolute_url()).content.decode()
    Worker().drain()
    picture = fresh(picture)
    assert (picture.state, picture.width) == ("ready", 3000)
    pictures.make_ready.call(picture.pk)  # a second time nothing happens
    assert seen(picture) == 200


def test_a_broken_large_one_says_so_and_keeps_nothing(
    opener, thread, django_capture_on_commit_callbacks
):
    data = corpus.packed(Image.effect_noise((3000, 2000), 50), "PNG")
    picture = pictures.send(user=opener, file=BytesIO(data[: len(data) // 2]))
    reply(thread, opener, f"![x](picture:{picture.key})")
    with django_capture_on_commit_callbacks(execute=True):
        pictures.make_ready.call(picture.pk)
    assert fresh(picture).state == "refused"
    assert not list(files.listed())
    page = browser().get(thread.get_absolute_url()).content.decode()
    assert "This picture was not taken: This file is broken" in page


# --- Showing ----------------------------------------------------------------------------------


def test_a_post_shows_its_picture_with_its_words(thread, shown, picture, opener):
    pictures.describe(
        user=opener, picture=picture, alt="Spain", credit="Voice A, CC BY", source="An atlas"
    )
    page = browser().get(thread.get_absolute_url()).content.decode()
    assert "The front · Voice A, CC BY</figcaption>" in page
    assert page.count("css/pictures.css") == 1
    assert "pictures.css" not in browser().get("/").content.decode()
    own = browser().get(picture.get_absolute_url()).content.decode()
    assert "An atlas" in own
    assert f"/posts/{shown.pk}/" in own
    assert 'name="alt"' not in own
    assert 'name="alt"' in browser(opener).get(picture.get_absolute_url()).content.decode()


def test_a_picture_that_nobody_described_says_so(thread, opener):
    picture = sent(opener, alt="")
    reply(thread, opener, picture.markdown)
    page = browser().get(thread.get_absolute_url()).content.decode()
    assert "No description yet" in page
    form = {"alt": "A flag", "credit": "", "source": ""}
    assert browser(opener).post(picture.get_absolute_url(), form).status_code == 302
    assert 'alt="A flag"' in browser(opener).get(thread.get_absolute_url()).content.decode()


def test_others_do_not_describe_it(picture, shown, stranger, moderator):
    form = {"alt": "Mine", "credit": "", "source": ""}
    assert browser(stranger).post(picture.get_absolute_url(), form).status_code == 403
    assert browser().post(picture.get_absolute_url(), form).status_code == 403
    assert browser(moderator).post(picture.get_absolute_url(), form).status_code == 302
    assert fresh(picture).alt == "Mine"


def test_a_page_asks_no_more_of_many_pictures(thread, opener):
    def queries() -> int:
        client = browser(opener)
        client.get(thread.get_absolute_url())
        with CaptureQueriesContext(
            connection,
        ) as asked:
            client.get(thread.get_absolute_url())
        return len(asked)

    reply(thread, opener, sent(opener).markdown)
    few = queries()
    for seed in range(2, 6):
        reply(thread, opener, sent(opener, seed=seed).markdown)
    assert queries() == few


def test_files_are_sent_as_what_they_are_and_nothing_else(shown, picture):
    answer = browser().get(picture.file)
    assert bytes_of(answer) == (files.opened(files.name_of(picture.sha256, "png")).read())
    told = answer.headers
    assert told["Content-Type"] == "image/png"
    assert told["X-Content-Type-Options"] == "nosniff"
    assert told["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert told["Content-Disposition"].startswith("inline;")
    assert told["Cache-Control"] == "private, max-age=31536000, immutable"
    again = browser().get(picture.file, headers={"If-None-Match": told["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert browser().get(picture.file.replace(".png", ".jpeg")).status_code == 404
    assert browser().get(f"/pictures/{picture.key}/x.png").status_code == 404


def test_a_proxy_sends_them_where_there_is_one(shown, picture, settings):
    settings.PICTURES_BY_PROXY = "/kept-pictures/"
    answer = browser().get(picture.file)
    assert (
        answer.headers["X-Accel-Redirect"]
        == f"/kept-pictures/{picture.sha256[:2]}/{picture.sha256}.png"
    )
    assert answer.content == b""


def test_shared_caches_keep_public_ones_as_long_as_pages(shown, picture, settings):
    settings.SHARED_CACHE_SECONDS = 60
    assert "s-maxage=60" in browser().get(picture.file).headers["Cache-Control"]


# --- Who sees it ------------------------------------------------------------------------------


def test_until_a_post_shows_it_its_sender_alone_sees_it(picture, opener, stranger, moderator):
    assert seen(picture, opener) == 200
    assert [seen(picture, user) for user in (None, stranger)] == [404, 404]
    answer = browser(opener).get(picture.file)
    assert answer.headers["Cache-Control"] == "private, no-cache"


def test_it_goes_and_comes_with_the_post(shown, picture, opener, stranger, moderator):
    assert [seen(picture, user) for user in (None, stranger, opener)] == [200, 200, 200]
    states.hide(user=moderator, post=fresh(shown), reason="No.")
    assert [seen(picture, user) for user in (None, stranger, opener)] == [404, 404, 404]
    assert seen(picture, moderator) == 200
    assert (
        picture.key not in browser(stranger).get(shown.thread.get_absolute_url()).content.decode()
    )
    states.restore(user=moderator, post=fresh(shown), reason="Yes.")
    assert seen(picture) == 200


def test_in_a_private_board_its_readers_see_it(inner_board, moderator, stranger, opener):
    thread = start(inner_board, moderator)
    picture = sent(moderator)
    reply(thread, moderator, picture.markdown)
    assert seen(picture, moderator) == 200
    assert [seen(picture, user) for user in (None, stranger, opener)] == [404, 404, 404]


def test_nobody_carries_a_picture_to_more_readers(inner_board, moderator, thread, opener):
    inner = start(inner_board, moderator)
    picture = sent(moderator)
    reply(inner, moderator, picture.markdown)
    other_moderator = fresh(moderator)
    assert reply(thread, moderator, picture.markdown)  # who sent it decides
    hidden = sent(moderator, seed=2)
    reply(inner, moderator, hidden.markdown)
    Picture.objects.filter(pk=hidden.pk).update(member=opener)
    with pytest.raises(composing.Unacceptable, match="no picture"):
        reply(thread, other_moderator, hidden.markdown)


@pytest.mark.parametrize("key", ["abcdefgh2345", None])
def test_a_key_that_one_may_not_show_is_told_like_none(key, thread, stranger, opener):
    source = f"![x](picture:{key or sent(opener).key})"
    with pytest.raises(composing.Unacceptable, match="There is no picture"):
        reply(thread, stranger, source)


def test_who_reads_a_post_may_show_its_picture_again(shown, picture, thread, stranger):
    again = reply(thread, stranger, picture.markdown)
    assert PictureUse.objects.filter(post=again).exists()


def test_an_edit_keeps_what_was_shown_and_old_texts_stay_readable(shown, picture, opener):
    edit(shown, f"Still:\n{picture.markdown}")
    edit(fresh(shown), "No picture any more.")
    assert PictureUse.objects.filter(post=shown).count() == 2
    assert seen(picture) == 200  # its history shows it


# --- Going ------------------------------------------------------------------------------------


def erase(administrator, post) -> None:
    texts = erasing.find(post, "").texts
    erasing.erase(user=administrator, post=post, reason="Order 7.", texts=texts)


def test_an_erased_post_takes_its_picture_along(
    shown, picture, administrator, opener, thread, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        erase(administrator, shown)
    assert [seen(picture, user) for user in (None, opener, administrator)] == [404, 404, 404]
    assert not list(files.listed())
    with pytest.raises(pictures.PictureErased):
        sent(opener)
    assert "<img" not in browser(administrator).get(thread.get_absolute_url()).content.decode()


def test_what_another_post_shows_stays_there(
    shown, picture, administrator, stranger, thread, django_capture_on_commit_callbacks
):
    reply(thread, stranger, picture.markdown)
    with django_capture_on_commit_callbacks(execute=True):
        erase(administrator, shown)
    assert seen(picture) == 200
    page = browser(administrator).get(thread.get_absolute_url()).content.decode()
    assert page.count("<img") == 1


def test_what_nobody_shows_is_swept_out_after_a_day(
    opener, thread, shown, picture, django_capture_on_commit_callbacks
):
    left, drafted = sent(opener, seed=2), sent(opener, seed=3)
    Draft.objects.create(user=opener, token=uuid4(), target="/x/", text=drafted.markdown)
    files.add(b"left by a crash", "ab/left.png")
    assert gone_pictures.sweep() == 0
    Picture.objects.update(created_at=clock.now() - timedelta(days=2))
    assert retention.sweep()["pictures"] == 1
    assert not Picture.objects.filter(pk=left.pk).exists()
    assert set(files.listed()) == {
        files.name_of(row.sha256, "png") for row in Picture.objects.all()
    }
    assert seen(picture) == 200


def test_a_file_half_written_is_mended(kept):
    files.add(b"whole", "ab/x.png")
    storages["pictures"].delete("ab/x.png")
    storages["pictures"].save("ab/x.png", ContentFile(b"wh"))
    files.add(b"whole", "ab/x.png")
    assert storages["pictures"].open("ab/x.png").read() == b"whole"
    assert re.fullmatch(r"[0-9a-f]{2}/[0-9a-f]+\.png", files.name_of("ab" * 32, "png"))
    assert not Job.objects.exists()


def test_what_is_wrong_with_pictures_is_found(shown, picture, kept):
    assert list(check(quick=True)) == list(check()) == []
    name, storage = files.name_of(picture.sha256, "png"), storages["pictures"]
    with files.opened(name) as file:
        whole = file.read()
    storage.delete(name)
    storage.save(name, ContentFile(whole[:-1] + b"?"))
    assert list(check(quick=True)) == []
    assert [fault.sentence for fault in check()] == [
        f"1 picture lacks its file, or other bytes stand there: {picture.key}"
    ]
    files.dropped(name)
    assert [fault.healable for fault in check(quick=True)] == [False]
    files.add(whole, files.name_of(picture.sha256, "png"))
    other = sent(shown.author, seed=2)
    PictureUse.objects.create(
        picture=other, post=shown, revision=shown.body.revision, thread=shown.thread
    )
    assert [fault.healed for fault in check(fix=True)] == [True]
    assert list(check()) == []


def test_markdown_and_books_lead_to_pictures(shown, picture, thread):
    taken = zipfile.ZipFile(BytesIO(bytes_of(browser().get(f"/threads/{thread.pk}/markdown/"))))
    markdown = taken.read("debate.md").decode()
    assert f'![A map of Spain](images/{picture.key}.png "The front")' in markdown
    address = f"http://testserver/pictures/{picture.key}/"
    book = zipfile.ZipFile(BytesIO(bytes_of(browser().get(f"/threads/{thread.pk}/epub/"))))
    text = "".join(book.read(name).decode() for name in book.namelist() if "xhtml" in name)
    assert f'<img src="images/{picture.key}.png" alt="A map of Spain"' in text
    assert "The front" in text
    with files.opened(files.name_of(picture.sha256, "png")) as whole:
        assert book.read(f"OPS/images/{picture.key}.png") == whole.read()
    lost = zipfile.ZipFile(BytesIO(books_without(thread)))
    text = "".join(lost.read(name).decode() for name in lost.namelist() if "xhtml" in name)
    assert f'href="{address}">A map of Spain</a>' in text


def books_without(thread) -> bytes:
    """The book of a debate whose files are away: its pictures are links in it."""
    for name in list(files.listed()):
        files.dropped(name)
    book = books.of_thread(fresh(thread), user=AnonymousUser(), base="http://testserver/")
    assert not book.images
    return epub.build(book)


def test_search_and_feeds_find_its_words(shown, picture, thread):
    found = browser().get("/search/?q=Spain").content.decode()
    assert re.search("A map of <mark[^>]*>Spain</mark>", found)
    feed = browser().get(f"/threads/{thread.pk}/feed/").content.decode()
    assert picture.file in feed


def test_who_asks_for_their_own_data_gets_their_pictures(picture, opener):
    archive.write(opener, file := BytesIO())
    assert f"pictures/{picture.key}.png" in (names := zipfile.ZipFile(file).namelist())
    assert "data/pictures.json" in names


def test_pictures_of_new_members_are_looked_at_first(thread, stranger, settings):
    settings.HOLD_NEW_LINKS, settings.NEW_MEMBER_POSTS = True, 3
    picture = sent(stranger)
    assert reply(thread, stranger, picture.markdown).state == "pending"
    plain = reply(thread, stranger, "Words alone.")
    with pytest.raises(composing.Unacceptable, match="pictures are looked at first"):
        edit(plain, picture.markdown)
