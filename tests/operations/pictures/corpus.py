"""Files that somebody may send for a picture: sound ones of each kind, and what is odd, broken,
false or hostile; all made by code, the same each time."""

import random
import struct
import zlib
from collections.abc import Iterator
from io import BytesIO

from PIL import Image, ImageDraw

MARK = b"MARK-OF-WHAT-WAS-HIDDEN"
MODES = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "GIF": ("L", "P"),
    "JPEG": ("L", "RGB", "CMYK"),
    "WEBP": ("RGB", "RGBA"),
    "AVIF": ("RGB", "RGBA"),
}


def drawn(width: int = 64, height: int = 48, mode: str = "RGB", seed: int = 1) -> Image.Image:
    """A picture with a few areas, as maps have them."""
    rng = random.Random(seed)
    if mode == "I;16":
        return Image.frombytes(mode, (width, height), rng.randbytes(width * height * 2))
    image = Image.new("P", (width, height))
    image.putpalette([rng.randrange(256) for _ in range(3 * 16)])
    pen = ImageDraw.Draw(image)
    for colour in range(16):
        at = [(rng.randrange(width), rng.randrange(height)) for _ in range(4)]
        pen.polygon(at, fill=colour)
    return image if mode == "P" else image.convert("RGB").convert(mode)


def packed(image: Image.Image, kind: str, **options) -> bytes:
    """The picture as a file."""
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, rows: bytes, *more: bytes) -> bytes:
    """A PNG of packed rows, with other chunks before them."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", head), *more, chunk(b"IDAT", rows), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def sound() -> Iterator[tuple[str, bytes]]:
    """One file of each kind and mode, named by them."""
    for kind, modes in MODES.items():
        for mode in modes:
            yield f"{kind} {mode}", packed(drawn(mode=mode), kind)
    yield "WEBP lossless", packed(drawn(), "WEBP", lossless=True)
    frames = [drawn(mode="P", seed=n) for n in range(5)]
    yield "GIF of frames", packed(frames[0], "GIF", save_all=True, append_images=frames[1:])
    seen = Image.Exif()
    seen[0x0112], seen[0x010E] = 6, MARK.decode()
    yield "JPEG turned", packed(drawn(), "JPEG", exif=seen)


def moving(count: int) -> bytes:
    """A GIF of so many frames, each of them another."""
    frames = [Image.new("L", (8, 8), n % 251) for n in range(count)]
    return packed(frames[0], "GIF", save_all=True, append_images=frames[1:], optimize=False)


def false() -> Iterator[tuple[str, bytes]]:
    """What is no picture of ours, whatever its name may be."""
    yield "nothing", b""
    yield "words", b"Not a picture at all.\n" * 50
    yield "zeros", bytes(5000)
    yield "SVG", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    yield "SVG after XML", b'<?xml version="1.0"?>\n<!-- a map -->\n<svg xmlns="x"></svg>'
    yield "HTML", b"<!doctype html><script>alert(1)</script>"
    yield "PDF", b"%PDF-1.7\n1 0 obj<<>>endobj"
    yield "PostScript", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file"
    yield "ZIP", b"PK\x03\x04" + bytes(200)
    yield "program", b"\x7fELF" + bytes(200)
    for kind in ("BMP", "TIFF", "ICO", "PPM", "TGA", "DDS", "PCX", "SGI", "JPEG2000"):
        yield kind, packed(drawn(), kind)
    for kind in ("PNG", "GIF", "JPEG", "WEBP", "AVIF"):
        yield f"head of {kind}", packed(drawn(), kind)[:12]


def bombs() -> Iterator[tuple[str, bytes]]:
    """Small files that would be large."""
    zeros = zlib.compress(bytes(10_000_000), 9)
    yield "PNG of 10^10 pixels", png(100_000, 100_000, zeros)
    yield "PNG of 4 * 10^18 pixels", png(2**31 - 1, 2**31 - 1, zeros)
    yield "PNG one row high", png(90_000_001, 1, zeros)
    yield "PNG no row high", png(100, 0, zeros)
    yield "PNG that holds more than it says", png(10, 10, zlib.compress(bytes(300_000_000), 9))
    yield "PNG that holds less than it says", png(3000, 3000, zlib.compress(bytes(100)))
    text = zlib.compress(b"x" * 100_000_000, 9)
    yield "PNG with a text", png(8, 8, zlib.compress(bytes(72)), chunk(b"zTXt", b"a\0\0" + text))
    yield "PNG with a profile", png(8, 8, zlib.compress(bytes(72)), chunk(b"iCCP", b"a\0\0" + text))
    yield "GIF of 10,000 frames", moving(10_000)
    gif = bytearray(packed(drawn(mode="P"), "GIF"))
    gif[6:10] = b"\xff\xff\xff\xff"
    yield "GIF of 4 * 10^9 pixels", bytes(gif)
    jpeg = bytearray(packed(drawn(), "JPEG"))
    at = jpeg.index(b"\xff\xc0")
    jpeg[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    yield "JPEG of 4 * 10^9 pixels", bytes(jpeg)
    webp = bytearray(packed(drawn(mode="RGBA"), "WEBP", lossless=True))
    webp[21:24] = b"\xff\xff\xff"
    yield "WebP of 16,384 by 16,384", bytes(webp)
    apng = packed(drawn(), "PNG", save_all=True, append_images=[drawn(seed=2)])
    yield "PNG that moves", apng


def polyglots() -> Iterator[tuple[str, bytes]]:
    """Pictures that are something else as well, with MARK in what does not belong to them."""
    page = b"<script>/*" + MARK + b"*/</script>"
    for kind in ("PNG", "GIF", "JPEG", "WEBP", "AVIF"):
        whole = packed(drawn(), kind)
        yield f"{kind} and a page", whole + page
        yield f"{kind} and an archive", whole + b"PK\x03\x04" + MARK + bytes(30)
    yield "GIF with a comment", packed(drawn(mode="P"), "GIF", comment=page)
    seen = Image.Exif()
    seen[0x010E] = page.decode()
    for kind in ("PNG", "JPEG", "WEBP", "AVIF"):
        yield f"{kind} that tells", packed(drawn(), kind, exif=seen)
    yield "JPEG with a comment", packed(drawn(), "JPEG", comment=page)
    yield "PNG with words", png(8, 8, zlib.compress(bytes(72)), chunk(b"tEXt", b"Comment\0" + page))


def broken(rounds: int) -> Iterator[tuple[str, bytes]]:
    """Sound files that were cut off, and such in which bytes were changed; so often of each."""
    for name, data in sound():
        rng = random.Random(name)
        for n in range(rounds):
            yield f"{name} cut {n}", data[: len(data) * (n + 1) // (rounds + 1)]
            changed = bytearray(data)
            for _ in range(1 + n):
                changed[rng.randrange(len(changed))] = rng.randrange(256)
            yield f"{name} changed {n}", bytes(changed)
