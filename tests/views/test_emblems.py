"""Emblems: chosen, seen beside the name, taken away, gone with the account."""

import re
import zipfile
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from accounts.models import User
from forum.actions import emblems, gone_pictures, pictures
from forum.checking import check
from forum.models import AuditEntry, Notice
from forum.moderation import closing, taking_emblems
from forum.operations import pictures as files
from forum.own_data import archive
from forum.permissions import Refused
from tests.operations.pictures import corpus
from tests.people import browser, fresh, reply

pytestmark = pytest.mark.django_db
PAGE = "/accounts/emblem/"


@pytest.fixture(autouse=True)
def alone(settings, tmp_path):
    settings.DATA_DIR = tmp_path


def flag(seed=1, size=(60, 40)) -> SimpleUploadedFile:
    return SimpleUploadedFile("flag", corpus.packed(corpus.drawn(*size, "P", seed), "PNG"))


def chosen(user, seed=1) -> str:
    return emblems.choose(user=user, file=flag(seed)).emblem


def is_there(sha256: str) -> bool:
    return files.name_of(sha256, "png") in set(files.listed())


def test_a_member_chooses_one_and_it_stands_beside_the_name(thread, opener, answer):
    guest, reader = browser(), browser(answer.author)
    address = thread.get_absolute_url()
    before = guest.get(address).content
    assert b"/emblems/" not in before + reader.get(address).content
    page = browser(opener).post(PAGE, {"emblem": flag()}, follow=True)
    emblem = fresh(opener).emblem
    drawn = f"/emblems/{emblem}.png"
    shown = f'<img class="emblem" src="/emblems/{emblem}.png" width="20" height="20" alt="">'
    assert drawn in page.content.decode()
    for client in (guest, reader):
        assert shown in client.get(address).content.decode()
    assert drawn in guest.get(f"/members/{opener}/").content.decode()
    file = guest.get(drawn)
    assert file["Content-Type"] == "image/png"
    assert file["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in file["Content-Security-Policy"]
    assert "immutable" in file["Cache-Control"]
    with Image.open(BytesIO(b"".join(file.streaming_content))) as image:
        assert image.size == (96, 96)
    browser(opener).post(PAGE, {"do": "drop"})
    assert b"/emblems/" not in guest.get(address).content + reader.get(address).content
    assert guest.get(f"/emblems/{emblem}.png").status_code == 404


def test_small_ones_grow_by_whole_pixels():
    small = corpus.drawn(30, 20, "P").convert("RGBA")
    with Image.open(BytesIO(files.emblem(corpus.packed(small, "PNG")))) as made:
        made.load()
        square = made.convert("RGBA")
    assert square.getpixel((0, 0))[3] == 0
    for x in range(30):
        for y in range(20):
            for dx, dy in ((0, 0), (2, 2)):
                at = (3 + 3 * x + dx, 18 + 3 * y + dy)
                assert square.getpixel(at) == small.getpixel((x, y))


@pytest.mark.parametrize("data", [b"", b"<svg></svg>", b"GIF89a", bytes(emblems.MOST_BYTES + 1)])
def test_what_is_no_picture_is_refused_in_a_sentence(opener, data):
    before = list(files.listed())
    page = browser(opener).post(PAGE, {"emblem": SimpleUploadedFile("a.png", data)})
    assert page.status_code == 422
    assert re.search(r'role="alert">[A-Z][^<]+\.<', page.content.decode())
    assert not fresh(opener).emblem
    assert list(files.listed()) == before


def test_a_page_asks_no_more_for_emblems(thread, opener, answerer, answer):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as context:
            browser(answerer).get(f"/posts/{answer.pk}/history/")
            browser(answerer).get(thread.get_absolute_url())
        return len(context)

    queries()
    without = queries()
    chosen(opener)
    chosen(answerer, seed=2)
    reply(fresh(thread), opener, "More.")
    queries()
    assert queries() <= without + 1  # as for any new post


def test_moderators_take_it_away_and_tell_why(opener, moderator, board_moderator, answerer):
    emblem = chosen(opener)
    for user in (answerer, board_moderator):
        with pytest.raises(Refused):
            taking_emblems.take(user=user, member=opener, reason="Offends.")
    with pytest.raises(Refused, match="Say why"):
        taking_emblems.take(user=moderator, member=opener, reason=" ")
    desk = browser(moderator)
    page = desk.get(f"/admin/forum/member/{opener.pk}/change/").content.decode()
    assert "Take the emblem away" in page
    sent = {"_act": "take emblem", "reason": "It offends."}
    assert desk.post(f"/admin/forum/member/{opener.pk}/change/", sent).status_code == 302
    assert not fresh(opener).emblem
    assert browser().get(f"/emblems/{emblem}.png").status_code == 404
    entry = AuditEntry.objects.get(verb="take emblem")
    assert (entry.actor_id, entry.member_id, entry.reason) == (
        moderator.pk,
        opener.pk,
        "It offends.",
    )
    assert Notice.objects.filter(member=opener, entry=entry).exists()
    assert "took the emblem of" in browser().get("/log/").content.decode()
    with pytest.raises(Refused, match="no emblem"):
        taking_emblems.take(user=moderator, member=opener, reason="Again.")


def test_its_file_goes_when_nobody_has_it_any_more(
    opener, answerer, django_capture_on_commit_callbacks
):
    one = chosen(opener)
    assert chosen(answerer) == one
    with django_capture_on_commit_callbacks(execute=True):
        emblems.drop(user=opener)
    gone_pictures.sweep()
    assert is_there(one)
    with django_capture_on_commit_callbacks(execute=True):
        other = chosen(answerer, seed=2)
    assert not is_there(one)
    assert is_there(other)


def test_it_goes_with_the_account(opener, administrator, django_capture_on_commit_callbacks):
    emblem = chosen(opener)
    with django_capture_on_commit_callbacks(execute=True):
        closing.close(user=administrator, member=opener, reason="As asked.")
    assert not User.objects.exclude(emblem="").exists()
    assert not is_there(emblem)


def test_the_check_names_members_whose_emblem_is_lost(opener, answerer):
    one, other = chosen(opener), chosen(answerer, seed=2)
    assert list(check()) == []
    files.dropped(files.name_of(one, "png"))
    for quick in (True, False):
        (fault,) = check(quick=quick)
        assert "1 emblem" in str(fault)
        assert one in str(fault)
        assert other not in str(fault)


def test_who_asks_for_their_own_data_gets_it(opener):
    emblem = chosen(opener)
    archive.write(fresh(opener), file := BytesIO())
    taken = zipfile.ZipFile(file)
    with files.opened(files.name_of(emblem, "png")) as kept:
        assert taken.read("pictures/emblem.png") == kept.read()
    assert emblem in taken.read("data/account.json").decode()


def test_what_was_erased_comes_back_as_no_emblem_either(opener):
    picture = pictures.send(user=opener, file=flag())
    gone_pictures.erase([picture])
    with pytest.raises(pictures.PictureErased):
        emblems.choose(user=opener, file=flag())


def test_switched_off_there_are_none(thread, opener, settings):
    emblem = chosen(opener)
    settings.EMBLEMS = False
    client = browser(opener)
    assert client.get(PAGE).status_code == 404
    assert client.get(f"/emblems/{emblem}.png").status_code == 404
    assert b"/emblems/" not in client.get(f"/members/{opener}/").content
    assert b"accounts/emblem" not in client.get("/accounts/settings/").content


def test_changes_have_a_pace(opener, stopped_clock):
    for n in range(emblems.CHANGES_A_DAY):
        chosen(opener, seed=n)
    page = browser(opener).post(PAGE, {"emblem": flag(99)})
    assert page.status_code == 429
    assert "wait until tomorrow" in page.content.decode()


def test_whose_emblem_a_file_is_tells_an_index(board):
    User.objects.bulk_create(
        User(username=f"member-{n}", email=f"{n}@jonbar.test", skeleton=f"m{n}") for n in range(500)
    )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE accounts_user")
    plan = User.objects.filter(emblem="a" * 64).explain()
    assert "member_emblem" in plan, plan
