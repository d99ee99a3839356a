"""What a picture is: a map of a moment, a flag, a cover; who may say so, and what becomes of it."""

import re
import time
from io import BytesIO
from unittest.mock import Mock

import pytest
from django.core.files.storage import storages
from PIL import Image

from forum.actions import gone_pictures, maps, pictures, tiles
from forum.actions.composing import Unacceptable
from forum.models import AuditEntry, Picture
from forum.moderation import erasing, states
from forum.operations import pictures as files
from forum.operations.pictures import pyramid
from forum.outbox.worker import Worker
from forum.permissions import Refused
from forum.text.history_dates import day
from tests.operations.pictures import corpus
from tests.people import browser, fresh, reply, typed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("picture_folder")]
MOMENT = "1 May 1937, in this timeline"


def sent(user, size=(64, 48), seed=1) -> Picture:
    data = corpus.packed(corpus.drawn(*size, "P", seed), "PNG")
    return pictures.send(user=user, file=BytesIO(data), alt="Spain, in three colours")


def mapped(user, picture, **more) -> Picture:
    details = {
        "shows": "map",
        "title": "The front",
        "moment": MOMENT,
        "legend": "Red: held.",
    } | more
    return maps.mark(user=user, picture=picture, details=maps.Mark(**details))


@pytest.fixture
def picture(opener) -> Picture:
    return sent(opener)


@pytest.fixture
def shown(thread, opener, picture):
    return fresh(reply(thread, opener, f"Look:\n{picture.markdown}"))


# --- What is said -----------------------------------------------------------------------------


def test_a_map_keeps_its_moment_as_it_was_typed_and_sorts_by_its_day(opener, picture, shown):
    client = browser(opener)
    address = f"/pictures/{picture.key}/mark/"
    assert client.get(address).status_code == 200
    form = {"shows": "map", "title": " The  front ", "moment": MOMENT, "projection": "Robinson"}
    form |= {"template": "Q-BAM", "legend": "Red: held.\r\nBlue: lost."}
    assert client.post(address, form).status_code == 302
    kept = fresh(picture)
    assert (kept.shows, kept.title, kept.moment) == ("map", "The front", MOMENT)
    assert kept.first_day == kept.last_day == day(1937, 5, 1)
    assert kept.legend == "Red: held.\nBlue: lost."
    page = browser().get(f"/posts/{shown.pk}/", follow=True).content.decode()
    caption = re.search(r"<figcaption.*?</figcaption>", page, re.S)[0]
    for words in (MOMENT, "The front", "Red: held.<br>Blue: lost."):
        assert words in caption
    page = browser().get(picture.get_absolute_url()).content.decode()
    assert "Robinson" in page
    assert "Q-BAM" in page


@pytest.mark.parametrize(
    "moment, first",
    [
        ("c. 1460", (1455, 1, 1)),
        ("480 BC (in our history)", (-479, 1, 1)),
        ("3 May 1808 OTL", (1808, 5, 3)),
        ("1937, ATL", (1937, 1, 1)),
    ],
)
def test_of_which_history_a_moment_is_is_no_part_of_its_date(opener, picture, moment, first):
    kept = mapped(opener, picture, moment=moment)
    assert (kept.moment, kept.first_day) == (moment, fresh(kept).first_day)
    assert kept.first_day <= day(*first) <= kept.last_day


def test_what_cannot_be_read_is_refused_with_a_sentence_and_kept_on_the_form(opener, picture):
    client = browser(opener)
    form = {"shows": "map", "title": "The front", "moment": "when it rained", "legend": "Red."}
    page = client.post(f"/pictures/{picture.key}/mark/", form)
    assert page.status_code == 422
    assert "when it rained" in page.content.decode()
    assert typed(page)["legend"].strip() == "Red."
    for wrong in ({"moment": ""}, {"moment": "1937 or 1941"}, {"shows": "photo"}):
        with pytest.raises(Unacceptable) as refused:
            mapped(opener, picture, **wrong)
        assert refused.value.field == next(iter(wrong))
    with pytest.raises(Unacceptable):
        mapped(opener, picture, title="a" * 121)
    assert fresh(picture).shows == "picture"


def test_flags_and_covers_have_a_title_alone(opener, picture):
    mapped(opener, picture)
    kept = mapped(opener, picture, shows="flag")
    assert (kept.shows, kept.title) == ("flag", "The front")
    assert (kept.moment, kept.edtf, kept.first_day, kept.legend) == ("", "", None, "")
    kept = mapped(opener, picture, shows="picture")
    assert kept.title == ""


# --- Who says it ------------------------------------------------------------------------------


def test_its_sender_says_it_while_they_may_edit_a_post_that_shows_it(
    thread, opener, stranger, moderator, picture, shown
):
    mapped(opener, picture)
    with pytest.raises(Refused):
        mapped(stranger, picture, title="Mine")
    assert browser(stranger).get(f"/pictures/{picture.key}/mark/").status_code == 403
    assert "mark/" not in browser(stranger).get(picture.get_absolute_url()).content.decode()
    states.lock(user=moderator, thread=fresh(thread), reason="Enough.")
    with pytest.raises(Refused):
        mapped(opener, picture, title="Later")
    assert fresh(picture).title == "The front"


def test_a_picture_that_only_others_show_stays_its_senders(thread, opener, answerer, picture):
    reply(thread, opener, f"Look:\n{picture.markdown}")
    other = sent(answerer, seed=2)
    assert maps.may_mark(answerer, other)
    assert not maps.may_mark(opener, other)


def test_what_a_moderator_says_of_anothers_picture_stands_in_the_log(
    thread, opener, moderator, board, administrator, picture, shown
):
    entries = AuditEntry.objects.filter(verb="mark picture")
    mapped(opener, picture)
    assert not entries.exists()
    keeper = fresh(opener.__class__.objects.get(pk=moderator.pk))
    mapped(keeper, picture, title="The front in May")
    entry = entries.get()
    assert (entry.actor, entry.post) == (keeper, shown)
    assert "May" not in str(entry.detail)  # no words, which may have to go
    mapped(keeper, picture, title="The front in May")
    assert entries.count() == 1
    assert "said what a picture in" in browser().get("/log/").content.decode()


# --- Tiles ------------------------------------------------------------------------------------


def names(sha256: str) -> list[str]:
    storage = storages["pictures"]
    try:
        levels = storage.listdir(f"tiles/{sha256}")[0]
    except FileNotFoundError:
        return []
    return [f"{a}/{b}" for a in levels for b in storage.listdir(f"tiles/{sha256}/{a}")[1]]


def test_a_large_map_is_cut_by_the_worker_and_its_tiles_go_with_it(
    thread, opener, administrator, moderator, django_capture_on_commit_callbacks
):
    picture = sent(opener, (3100, 600))
    Worker().drain()
    assert fresh(picture).tiles == ""
    post = reply(thread, opener, f"Look:\n{picture.markdown}")
    picture = mapped(opener, picture)
    assert picture.tiles == "waiting"
    assert browser().get(f"/pictures/{picture.key}/zoom/").status_code == 404
    Worker().drain()
    picture = fresh(picture)
    assert picture.tiles == "ready"
    assert len(names(picture.sha256)) == 7 * 2 + 4 + 2 + 1
    page = browser().get(f"/pictures/{picture.key}/zoom/").content.decode()
    assert f'href="{picture.file}"' in page
    tile = f"{picture.in_tiles}3/6_1.webp"
    answer = browser().get(tile)
    assert Image.open(BytesIO(b"".join(answer.streaming_content))).size == (28, 88)
    assert "immutable" in answer["Cache-Control"]
    assert answer["Content-Type"] == "image/webp"
    for wrong in ("3/7_0", "4/0_0", "3/0_2", f"3/{'9' * 300}_0"):
        assert browser().get(f"{picture.in_tiles}{wrong}.webp").status_code == 404
    states.hide(user=moderator, post=fresh(post), reason="Look again.")
    assert browser().get(tile).status_code == 404
    states.restore(user=moderator, post=fresh(post))
    gone_pictures.sweep()
    assert names(picture.sha256)
    with_words = erasing.find(fresh(post), "")
    with django_capture_on_commit_callbacks(execute=True):
        erasing.erase(
            user=administrator, post=fresh(post), words="", reason="Order.", texts=with_words.texts
        )
    kept = fresh(picture)
    assert (kept.state, kept.shows, kept.title, kept.legend) == ("erased", "picture", "", "")
    assert names(picture.sha256) == []


def test_a_map_that_was_refused_and_is_sent_again_gets_its_tiles(opener, monkeypatch):
    data = corpus.packed(corpus.drawn(3100, 600, "P"), "PNG")

    def send_again() -> Picture:
        return fresh(pictures.send(user=opener, file=BytesIO(data)))

    with monkeypatch.context() as busy:  # somebody else's picture is decoded just now
        busy.setattr(files, "decode", Mock(side_effect=files.Later))
        picture = mapped(opener, send_again())
        busy.setattr(files, "decode", Mock(side_effect=files.Undecodable("Too many pixels.")))
        Worker().drain()
    assert (fresh(picture).state, fresh(picture).tiles) == ("refused", "")
    again = send_again()
    assert again.pk == picture.pk
    assert (again.state, again.shows, again.tiles) == ("ready", "map", "waiting")
    Worker().drain()
    assert fresh(picture).tiles == "ready"
    assert names(again.sha256)


def test_tiles_that_nobody_needs_are_swept_and_lost_ones_are_cut_anew(
    opener, thread, django_capture_on_commit_callbacks
):
    picture = mapped(opener, sent(opener, (3100, 40)))
    reply(thread, opener, f"Look:\n{picture.markdown}")
    Worker().drain()
    files.drop_tiles(picture.sha256)
    files.add(b"none's", files.tile_name("0" * 64, 0, 0, 0))
    gone_pictures.sweep()
    assert files.tiled() == []
    assert fresh(picture).tiles == "waiting"
    Worker().drain()
    assert files.tiled() == [picture.sha256]
    with django_capture_on_commit_callbacks(execute=True):
        mapped(opener, picture, shows="flag")
    assert files.tiled() == []


def test_no_backup_holds_tiles(opener, thread):
    picture = mapped(opener, sent(opener, (3100, 40)))
    Worker().drain()
    assert not [name for name in files.listed() if "tiles" in name]
    assert files.name_of(picture.sha256, "png") in files.listed()


@pytest.mark.once
@pytest.mark.parametrize("mode", ["P", "RGBA"])
def test_tiles_put_together_are_the_map_in_every_pixel(settings, mode):
    width, height = 6000, 3000
    before = corpus.drawn(width, height, mode)
    data = corpus.packed(before, "PNG", compress_level=1)
    whole = Image.new("RGBA", (width, height))
    began = time.process_time()
    with files.cut(data, width, height) as pieces:
        found = dict(pieces)
    assert time.process_time() - began < 5  # of this process: the child has its own limits
    top = pyramid.top(width, height)
    assert {level for level, _, _ in found} == set(range(top + 1))
    for (level, x, y), piece in found.items():
        assert pyramid.is_tile(width, height, level, x, y)
        if level == top:
            tile = Image.open(BytesIO(piece)).convert("RGBA")
            whole.paste(tile, (x * pyramid.TILE, y * pyramid.TILE))
    assert whole.tobytes() == before.convert("RGBA").tobytes()
    assert Image.open(BytesIO(found[0, 0, 0])).size == (375, 188)


def test_what_cannot_be_cut_is_looked_at_as_any_other(opener, monkeypatch):
    picture = mapped(opener, sent(opener, (3100, 40)))
    name = files.name_of(picture.sha256, "png")
    storages["pictures"].delete(name)
    Worker().drain()
    assert fresh(picture).tiles == ""
    tiles.cut.call(picture.pk)
    assert files.tiled() == []
