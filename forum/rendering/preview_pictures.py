"""The picture that other sites show beside a link to a debate: its title, and the line of history
that its divergences leave, as PNG."""

from collections.abc import Sequence
from functools import cache
from io import BytesIO

from django.contrib.staticfiles import finders
from PIL import Image, ImageDraw, ImageFont

from forum.models import Thread

from .divergence_axis import Axis, axis

WIDTH, HEIGHT = 1200, 630  # what most sites ask for
EDGE = 80
FINER = 2  # drawn so many times larger, so that lines have no steps
FONT = "fonts/DejaVuSerif.ttf"
# Of static/css/tokens.css, in light.
PAPER, INK, PALE, RED = "#f4f5f2", "#1b2124", "#50585b", "#9e1b36"
LINES = 4  # of the title, at most
BRANCHES = 4  # that are drawn; others would meet the title
RISE = 40
BASE = 560  # where our history runs


def render(thread: Thread, site: str) -> bytes:
    """The picture of a debate as everybody may see it. A title in a script that the font does not
    hold is left out: the line of history stands alone then."""
    card = thread.shown_card
    found = axis(card.get("divergences", ())[:BRANCHES]) if card else None
    image = Image.new("RGB", (WIDTH * FINER, HEIGHT * FINER), PAPER)
    pen = ImageDraw.Draw(image)
    _text(pen, (EDGE, 56), site, 30, PALE)
    kind = thread.get_kind_display()
    _text(pen, (EDGE, 110), f"{kind} · {thread.board.name}", 26, PALE)
    size = 64 if len(thread.title) < 60 else 50
    for n, line in enumerate(_lines(thread.title, size)):
        _text(pen, (EDGE, 160 + n * size * 1.3), line, size, INK)
    _history(pen, found)
    out = BytesIO()
    small = image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    # Few colours, and those exact that cover most of it: a quarter of the bytes.
    octree, plain = Image.Quantize.FASTOCTREE, Image.Dither.NONE
    small.quantize(128, method=octree, dither=plain).save(out, "PNG", optimize=True)
    return out.getvalue()


def _history(pen: ImageDraw.ImageDraw, found: Axis | None) -> None:
    """Our history as a line, and what leaves it; the same without any divergence."""
    _stroke(pen, [(0, BASE), (WIDTH, BASE)], INK)
    if found is None:
        return
    for place, year in found.ticks:
        x = _across(place)
        _stroke(pen, [(x, BASE), (x, BASE + 10)], PALE)
        _text(pen, (x, BASE + 14), year, 24, PALE, "ma")
    for n, branch in enumerate(found.branches):
        x, low, high = _across(branch.x), BASE - RISE * n, BASE - RISE * (n + 1)
        if branch.fuzz:
            _stroke(pen, [(_across(branch.fuzz[0]), low), (_across(branch.fuzz[1]), low)], RED, 12)
        _stroke(pen, _bend(x, low, high), RED)
        pen.ellipse([(part * FINER) for part in (x - 8, low - 8, x + 8, low + 8)], PAPER, RED, 6)
        _text(pen, (x - 16, high - 6), branch.year, 28, RED, "ra")


def _bend(x: float, low: float, high: float) -> list[tuple[float, float]]:
    """From the line at `low` up to `high`, and on to the edge."""
    steps = [n / 24 for n in range(25)]
    rise = [(x + 90 * t, low + (high - low) * (3 * t * t - 2 * t**3)) for t in steps]
    return [*rise, (WIDTH, high)]


def _across(place: str) -> float:
    """Where a place in percent lies in the picture."""
    return EDGE + float(place.removesuffix("%")) / 100 * (WIDTH - 2 * EDGE)


def _stroke(
    pen: ImageDraw.ImageDraw, points: Sequence[tuple[float, float]], colour: str, width: int = 4
) -> None:
    pen.line([(x * FINER, y * FINER) for x, y in points], colour, width * FINER, "curve")


def _text(
    pen: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    size: int,
    colour: str,
    anchor: str = "la",
) -> None:
    if _drawable(text):
        place = (at[0] * FINER, at[1] * FINER)
        pen.text(place, text, colour, _font(size), anchor)


def _lines(text: str, size: int) -> list[str]:
    """A text in lines that fit, the last one cut where it goes on."""
    font, room = _font(size), (WIDTH - 2 * EDGE) * FINER
    lines: list[str] = []
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(joined) <= room:
            lines[-1] = joined
            continue
        while font.getlength(word) > room:
            word = word[: len(word) * 2 // 3] + "…"
        lines.append(word)
    if len(lines) > LINES:
        lines[LINES - 1 :] = [f"{lines[LINES - 1]} …"]
    return lines


def _drawable(text: str) -> bool:
    """Whether the font has a shape for all of a text."""
    return all(_has(sign) for sign in set(text))


@cache
def _has(sign: str) -> bool:
    if sign.isspace():
        return True
    font = _font(20)
    return bytes(font.getmask(sign)) != bytes(font.getmask("\U0010fffe"))


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    path = finders.find(FONT)
    # Laid out here, not by a library that some systems have: the same picture everywhere.
    basic = ImageFont.Layout.BASIC
    return ImageFont.truetype(str(path), size * FINER, layout_engine=basic)
