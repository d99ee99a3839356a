"""The process that decodes one picture, and nothing else: `python -I child.py FOLDER LIMITS`.

In FOLDER it reads "sent" and writes "whole" and, of a large picture, "preview"; what it found it
prints as JSON. LIMITS are JSON too: memory (bytes), seconds, megapixels, frames, at_once;
as_it_is: whether a file that holds nothing but its picture is kept to the byte; plain_copy: whether
a small copy as PNG or JPEG is all that is wanted; emblem: or a very small one; tile (pixels a side)
and top (a level): it is cut into tiles instead, LEVEL/X_Y.webp. It knows nothing of the forum, has
no secrets in its environment, and may be killed at any moment.
"""

import json
import re
import resource
import struct
import sys
from io import BytesIO
from pathlib import Path

from PIL import AvifImagePlugin, Image, ImageCms, ImageOps

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "AVIF")
QUALITY = 90  # of photographs, whole and as previews
EMBLEM = 96  # pixels a side
PREVIEW = (1200, 2400)  # pixels, at most; wider is shown by nobody's page
MOST_BYTES = 40 * 1024 * 1024  # of what is written: a small file may hold a very large picture
OF_ALL_FRAMES = 1_000_000_000  # pixels: each frame is decoded once, to see that it is whole
SVG = "SVG is not taken: such a file can hold programs. Save the picture as PNG."
UNKNOWN = "This is not a PNG, JPEG, WebP, GIF or AVIF picture."
BROKEN = "This file is broken or not complete: it cannot be read to its end."
TOO_MUCH = "This picture needs more memory than is given to one. Make it smaller."
TOO_LARGE = "This picture would take too much room. Make it smaller, or save it as PNG."
MOVING = "Moving pictures are taken as GIF alone. Send a single frame, or a GIF."


class Refused(Exception):
    """The picture is not taken; the message is a sentence for whoever sent it."""


def main(folder: Path, limits: dict) -> dict:
    """Decode "sent" and write what is kept of it; gives what the parent is told."""
    _bind(limits)
    try:
        return _cut(folder, limits) if "tile" in limits else _decoded(folder, limits)
    except Refused as error:
        return {"refused": str(error)}
    except MemoryError:
        return {"refused": TOO_MUCH}
    except Exception:  # what a hostile file raises in a decoder is anything
        return {"refused": BROKEN}


def _bind(limits: dict) -> None:
    """Let the system end this process before it takes more than it is given."""
    for what, most in (
        (resource.RLIMIT_AS, limits["memory"]),
        (resource.RLIMIT_CPU, limits["seconds"]),
        (resource.RLIMIT_FSIZE, MOST_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    # Sizes are looked at before anything is decoded; the library would only warn.
    Image.MAX_IMAGE_PIXELS = limits["megapixels"] * 1_000_000
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each would ask for a stack


def _decoded(folder: Path, limits: dict) -> dict:
    data = (folder / "sent").read_bytes()
    image = _opened(data)
    width, height = image.size
    if width * height > limits["megapixels"] * 1_000_000:
        raise Refused(
            f"This picture has {width:,} × {height:,} pixels; "
            f"at most {limits['megapixels']} million are taken."
        )
    if limits["at_once"] and width * height > limits["at_once"]:
        return {"later": True}
    frames = getattr(image, "n_frames", 1)
    if frames > limits["frames"]:
        raise Refused(
            f"This picture has {frames:,} frames; at most {limits['frames']:,} are taken."
        )
    if frames * width * height > OF_ALL_FRAMES:
        raise Refused("This picture has too many frames for its size.")
    if frames > 1 and image.format not in ("GIF", "MPO"):
        raise Refused(MOVING)
    if limits["emblem"]:
        _small(image).save(folder / "whole", "PNG", optimize=True)
        return {"preview": False}
    if limits["plain_copy"]:
        return {"kind": _copied(folder / "whole", image, data), "preview": False}
    if limits["as_it_is"] and frames == 1 and is_bare(image.format or "", data):
        image.load()
        (folder / "whole").write_bytes(data)
        kind = (image.format or "").lower()
    else:
        kind, image = _written(folder / "whole", image, data, frames)
    if (folder / "whole").stat().st_size >= MOST_BYTES:
        raise Refused(TOO_LARGE)
    width, height = image.size
    preview = _preview(folder / "preview", image, lossless=kind in ("png", "gif"))
    return {"kind": kind, "width": width, "height": height, "preview": preview, "peak": _peak()}


def _peak() -> int:
    """The most memory that this process had, in bytes; 0 where the system does not say. (What
    getrusage tells begins with that of the parent.)"""
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    except (OSError, IndexError, ValueError):
        return 0


def _opened(data: bytes) -> Image.Image:
    """The picture, of which the head alone was read. What it is, its bytes say, never a name."""
    try:
        return Image.open(BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError:
        raise Refused("This picture has more pixels than are taken.") from None
    except Image.UnidentifiedImageError:
        head = data[:4096].lower()
        raise Refused(SVG if b"<svg" in head else UNKNOWN) from None


def _written(path: Path, image: Image.Image, data: bytes, frames: int) -> tuple[str, Image.Image]:
    """Write the whole picture as it is kept: what it is called, and its (first) frame upright.
    PNG and GIF keep every pixel and their palette; what they told besides is dropped."""
    kind = image.format
    if kind == "GIF":
        for number in reversed(range(frames)):  # the first is left for the preview
            image.seek(number)
            image.load()
        path.write_bytes(bare_gif(data))
        return "gif", image
    lossless = kind == "WEBP" and b"VP8L" in [chunk for chunk, _ in _riff(data)]
    image.load()
    profile = image.info.get("icc_profile")
    ImageOps.exif_transpose(image, in_place=True)  # a copy would need as much memory again
    image.info = {name: image.info[name] for name in ("transparency",) if name in image.info}
    if kind == "PNG":
        image.save(path, "PNG")
        return "png", image
    image = _in_srgb(image, profile)
    if kind == "WEBP" or image.mode == "RGBA":
        image.save(path, "WEBP", lossless=lossless, exact=lossless, quality=QUALITY)
        return "webp", image
    image.save(path, "JPEG", quality=QUALITY)
    return "jpeg", image


def _copied(path: Path, image: Image.Image, data: bytes) -> str:
    """Write the (first frame of the) picture for readers that know PNG and JPEG alone."""
    drawn = image.format != "WEBP" or b"VP8L" in [chunk for chunk, _ in _riff(data)]
    image.load()
    image.thumbnail(PREVIEW, Image.Resampling.LANCZOS)
    image.info = {name: image.info[name] for name in ("transparency",) if name in image.info}
    if drawn or image.has_transparency_data:
        image.save(path, "PNG")
        return "png"
    image.convert("RGB").save(path, "JPEG", quality=QUALITY)
    return "jpeg"


def _small(image: Image.Image) -> Image.Image:
    """The (first frame of the) picture in the middle of a clear square. One that is smaller grows
    by whole numbers, so that each of its pixels stays one."""
    image.load()
    ImageOps.exif_transpose(image, in_place=True)
    image = image.convert("RGBA")
    times = EMBLEM // max(image.size)
    if times >= 1:
        image = image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)
    else:
        image.thumbnail((EMBLEM, EMBLEM), Image.Resampling.LANCZOS)
    square = Image.new("RGBA", (EMBLEM, EMBLEM))
    square.paste(image, ((EMBLEM - image.width) // 2, (EMBLEM - image.height) // 2))
    return square


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """A photograph in the colours that are meant where nothing else is said."""
    if profile and image.mode in ("RGB", "CMYK"):
        try:
            own = ImageCms.ImageCmsProfile(BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            same = image.mode == "RGB"
            found = ImageCms.profileToProfile(image, own, target, outputMode="RGB", inPlace=same)
            image = found if found is not None else image
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a profile that cannot be read says nothing
    image.info = {}
    return image if image.mode in ("L", "RGB", "RGBA") else image.convert(_full(image))


def _full(image: Image.Image) -> str:
    """The mode of true colours in which nothing of this picture is lost."""
    return "RGBA" if image.has_transparency_data else "RGB"


def _preview(path: Path, image: Image.Image, *, lossless: bool) -> bool:
    """Write a smaller picture for pages, of one that is larger; whether there is one."""
    fits = image.width <= PREVIEW[0] and image.height <= PREVIEW[1]
    if fits or image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return False
    small = image if image.mode in ("L", "RGB", "RGBA") else image.convert(_full(image))
    small.thumbnail(PREVIEW, Image.Resampling.LANCZOS, reducing_gap=3)
    small.info = {}
    small.save(path, "WEBP", lossless=lossless, quality=QUALITY)
    return path.stat().st_size < path.with_name("whole").stat().st_size


def _cut(folder: Path, limits: dict) -> dict:
    """Write a picture as tiles, and half as large at each level below the top. Where nothing was
    lost before, every pixel of the top is as it was."""
    data = (folder / "sent").read_bytes()
    image = _opened(data)
    kind, size = image.format, limits["tile"]
    exact = kind in ("PNG", "GIF") or (kind == "WEBP" and b"VP8L" in dict(_riff(data)))
    # Of what a map has many tiles of, quickly; more effort saves a tenth.
    options = {"lossless": True, "exact": True, "method": 1, "quality": 30}
    image.load()
    for level in range(limits["top"], -1, -1):
        (folder / str(level)).mkdir()
        for y in range(0, image.height, size):
            for x in range(0, image.width, size):
                box = (x, y, min(x + size, image.width), min(y + size, image.height))
                path = folder / str(level) / f"{x // size}_{y // size}.webp"
                tile = _true(image.crop(box))
                tile.save(path, "WEBP", **(options if exact else {"quality": QUALITY}))
        image = _halved(image) if level else image
    return {"peak": _peak()}


def _halved(image: Image.Image) -> Image.Image:
    """The picture half as large, in true colours; made in bands, since all of it in true colours
    would need four times its memory."""
    mode, band = _true(image.crop((0, 0, 1, 1))).mode, 1024
    small = Image.new(mode, ((image.width + 1) // 2, (image.height + 1) // 2))
    for y in range(0, image.height, band):
        part = image.crop((0, y, image.width, min(y + band, image.height)))
        small.paste(_true(part).reduce(2), (0, y // 2))
    return small


def _true(image: Image.Image) -> Image.Image:
    if image.mode in ("RGB", "RGBA"):
        image.info = {}
        return image
    image = image.convert(_full(image))
    image.info = {}
    return image


def is_bare(kind: str, data: bytes) -> bool:
    """Whether a file that was decoded tells nothing but its picture: no words, no place where it
    was taken, nothing behind its end. Such are the files that this forum keeps. (What a GIF holds
    besides is taken off it in any case.)"""
    try:
        if kind == "PNG":
            return _is_bare_png(data)
        if kind == "JPEG":
            return _is_bare_jpeg(data)
        chunks = _riff(data)
    except (struct.error, IndexError):
        return False
    return (
        kind == "WEBP"
        and {name for name, _ in chunks} <= {b"VP8 ", b"VP8L", b"VP8X", b"ALPH"}
        and 12 + sum(8 + length + length % 2 for _, length in chunks) == len(data)
    )


def _is_bare_png(data: bytes) -> bool:
    at, name = 8, b""
    while name != b"IEND":
        length, name = struct.unpack_from(">I4s", data, at)
        if name not in (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"):
            return False
        at += 12 + length
    return at == len(data)


def _is_bare_jpeg(data: bytes) -> bool:
    at, marker = 2, 0
    while marker != 0xDA:  # where the picture itself begins
        sign, marker, length = struct.unpack_from(">BBH", data, at)
        jfif = marker == 0xE0 and length == 16
        if sign != 0xFF or not (jfif or marker in (0xC0, 0xC1, 0xC2, 0xC4, 0xDA, 0xDB, 0xDD)):
            return False
        at += 2 + length
    end = re.compile(rb"\xff[^\x00\xd0-\xd7]", re.DOTALL).search(data, at)
    return end is not None and end[0] == b"\xff\xd9" and end.end() == len(data)


def bare_gif(data: bytes) -> bytes:
    """A GIF without comments, texts, data of applications, and whatever follows its end; each
    frame and how long it stands to the bit. Raises IndexError or ValueError for what is no GIF."""
    at = 13 + _table(data[10])
    out = bytearray(data[:at])
    while at < len(data) and (block := data[at]) != 0x3B:
        if block == 0x2C:  # a frame
            end = _after(data, at + 11 + _table(data[at + 9]))
            out += data[at:end]
        elif block == 0x21:
            end = _after(data, at + 2)
            if data[at + 1] == 0xF9:  # how long the next frame stands
                out += data[at : at + 7] + b"\0"
            elif data[at + 1] == 0xFF and data[at + 3 : at + 14] == b"NETSCAPE2.0":
                rounds = data[at + 16 : at + 18]
                out += b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + rounds + b"\0"
        else:
            raise ValueError("neither frame nor extension")
        at = end
    return bytes(out + b"\x3b")


def _table(flags: int) -> int:
    """How many bytes of colours follow."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _after(data: bytes, at: int) -> int:
    """Where a row of blocks ends that each say how long they are."""
    while length := data[at]:
        at += length + 1
    return at + 1


def _riff(data: bytes) -> list[tuple[bytes, int]]:
    """The chunks of a WebP: names and lengths."""
    found: list[tuple[bytes, int]] = []
    at = 12
    while at + 8 <= len(data) and len(found) < 1000:
        name, length = struct.unpack_from("<4sI", data, at)
        found.append((name, length))
        at += 8 + length + length % 2
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), json.loads(sys.argv[2]))))
