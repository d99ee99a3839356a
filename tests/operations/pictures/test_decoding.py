"""Decoding what strangers send: each file is refused with a sentence, or decoded within limits;
what is kept of maps is the same to the pixel, and nothing that a file told besides is kept."""

import os
from io import BytesIO

import pytest
from PIL import Image

from forum.operations import pictures

from . import corpus

LONG = os.environ.get("JONBAR_LONG") == "1"
MEMORY = 1280 * 1024 * 1024
pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def alone(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    settings.PICTURE_MEMORY_MB = MEMORY // 1024 // 1024


def kept(data: bytes) -> pictures.Decoded:
    return pictures.decode(data, at_once=False)


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def judge(name: str, data: bytes) -> int:
    """What became of a file; fails unless it was refused in words or is sound. Returns the memory
    that it took, or 0."""
    try:
        found = kept(data)
    except pictures.Undecodable as problem:
        assert problem.sentence.endswith("."), name
        return 0
    assert found.width * found.height <= 89_000_000, name
    assert opened(found.whole).size == (found.width, found.height), name
    assert corpus.MARK not in found.whole + found.preview, name
    assert found.peak < MEMORY, name
    return found.peak


def test_what_this_forum_keeps_travels_to_the_byte():
    for name, data in corpus.sound():
        once = kept(data).whole
        again = pictures.decode(once, at_once=False, as_it_is=True)
        assert again.whole == once, name


def test_nothing_that_a_file_tells_besides_travels():
    for name, data in corpus.polyglots():
        try:
            found = pictures.decode(data, at_once=False, as_it_is=True)
        except pictures.Undecodable:
            continue
        assert corpus.MARK not in found.whole + found.preview, name


@pytest.mark.parametrize("name, data", list(corpus.sound()), ids=[n for n, _ in corpus.sound()])
def test_each_kind_is_decoded(name, data):
    found = kept(data)
    kind, _, mode = name.partition(" ")
    assert found.kind in {"AVIF": ("jpeg", "webp")}.get(kind, (kind.lower(),))
    if kind in ("PNG", "GIF") or mode == "lossless":
        before, after = opened(data), opened(found.whole)
        assert (before.mode, before.tobytes()) == (after.mode, after.tobytes())
        assert before.getpalette() == after.getpalette()
    assert corpus.MARK not in found.whole
    assert (found.width, found.height) == ((48, 64) if mode == "turned" else (64, 48))


@pytest.mark.parametrize("name, data", list(corpus.false()), ids=[n for n, _ in corpus.false()])
def test_what_is_no_picture_is_refused(name, data):
    with pytest.raises(pictures.Undecodable) as refused:
        kept(data)
    assert ("SVG is not taken" in refused.value.sentence) == ("SVG" in name)


@pytest.mark.whole
@pytest.mark.parametrize("name, data", list(corpus.bombs()), ids=[n for n, _ in corpus.bombs()])
def test_bombs_do_no_harm(name, data, record_property):
    peak = judge(name, data)
    record_property("measured", f"{peak / 1e6:.0f} MB")
    assert kept(corpus.packed(corpus.drawn(), "PNG")).kind == "png"


@pytest.mark.whole
@pytest.mark.parametrize(
    "name, data", list(corpus.polyglots()), ids=[n for n, _ in corpus.polyglots()]
)
def test_nothing_is_kept_that_is_no_picture(name, data):
    judge(name, data)


@pytest.mark.whole
@pytest.mark.parametrize("slice_", range(8))
def test_broken_files_are_refused_or_decoded(slice_, record_property):
    files = list(corpus.broken(14 if LONG else 1))[slice_::8]
    peaks = [judge(name, data) for name, data in files]
    refused = sum(not peak for peak in peaks)
    record_property(
        "measured", f"{len(files)} files, {refused} refused, {max(peaks) / 1e6:.0f} MB at most"
    )


def test_frames_stay_to_the_bit_and_as_long():
    data = corpus.moving(40)
    before, after = Image.open(BytesIO(data)), Image.open(BytesIO(kept(data).whole))
    assert before.n_frames == after.n_frames == 40
    for number in range(40):
        before.seek(number)
        after.seek(number)
        assert before.convert("RGB").tobytes() == after.convert("RGB").tobytes()
        assert before.info.get("duration") == after.info.get("duration")


def test_a_wide_map_gets_a_preview_without_loss_and_stays_itself():
    data = corpus.packed(corpus.drawn(3000, 1500, "P"), "PNG")
    found = kept(data)
    assert opened(found.whole).tobytes() == opened(data).tobytes()
    if found.preview:
        assert opened(found.preview).width == 1200
        assert b"VP8L" in found.preview[:64]


def test_a_process_that_takes_too_much_is_ended(settings):
    settings.PICTURE_MEMORY_MB = 100
    with pytest.raises(pictures.Undecodable):
        kept(corpus.packed(Image.new("RGBA", (8000, 8000)), "PNG"))
    settings.PICTURE_MEMORY_MB = 1280
    assert kept(corpus.packed(corpus.drawn(), "PNG")).kind == "png"


def test_limits_are_the_sites(settings):
    settings.PICTURE_FRAMES = 3
    with pytest.raises(pictures.Undecodable, match="5 frames; at most 3"):
        kept(dict(corpus.sound())["GIF of frames"])
    settings.PICTURE_MEGAPIXELS = 1
    with pytest.raises(pictures.Undecodable, match="at most 1 million"):
        kept(corpus.packed(Image.new("1", (1001, 1000)), "PNG"))


def test_nobody_waits_for_a_large_one(settings):
    large = corpus.packed(Image.new("1", (3000, 3000)), "PNG")
    with pytest.raises(pictures.Later):
        pictures.decode(large, at_once=True)
    assert pictures.decode(large, at_once=False).width == 3000
