"""The keys by which a thread finds the posts that may hold quoted words."""

from collections.abc import Sequence
from hashlib import blake2b
from zlib import crc32

from .normal_form import folded_words, normal_form
from .sentences import PARAGRAPH_BORDER

# Shingle length, window and query limit of the paragraph index; see `shingle_keys`.
SHINGLE = 5
WINDOW = 24
MAX_KEYS = 64
# So many words in a row always hold a stored shingle.
SURE = WINDOW + SHINGLE - 1


def key_of(paragraph: str) -> bytes:
    """The key (8 bytes) of a whole paragraph: the same for the same normal form, case included."""
    return _digest(_bytes(normal_form(paragraph)), b"paragraph")


def paragraph_keys(plain: str) -> tuple[bytes, ...]:
    """The keys under which an index stores a post: of its paragraphs, then of passages in them.

    `key_of` every paragraph of fewer than `SURE` words, as longer ones are found without, and the
    winnowed shingles that `shingle_keys` asks for. Each once. About 80 keys for 1,000 words of
    prose, and one for each short paragraph.
    """
    paragraphs = (piece for piece in PARAGRAPH_BORDER.split(plain) if piece.strip())
    shingles = _shingles(plain)
    keys = [key_of(paragraph) for paragraph in paragraphs if len(_words(paragraph)) < SURE]
    keys += (_digest(shingles[at], b"shingle") for at in _winnow(shingles))
    return tuple(dict.fromkeys(keys))


def shingle_keys(words: str) -> tuple[bytes, ...]:
    """Keys, at most `MAX_KEYS`, by which an index finds the posts that hold a passage like this.

    Winnowing (Schleimer, Wilkerson, Aiken 2003): of every `WINDOW` neighbouring shingles
    (`SHINGLE` words in a row, case and accents folded) `paragraph_keys` stores the one with the
    least hash. A quote asks for all of its shingles, so a post that shares `SURE` = 28
    words in a row with it always answers, and one that shares fewer, down to 5, often does.
    From a quote of more than 68 words winnowed shingles are taken, which keeps the promise,
    and of those, past some 800 words, `MAX_KEYS` spread evenly, one of which must be unchanged.
    Quotes of fewer than 5 words have no keys here: only `key_of` finds them.
    """
    shingles = _shingles(words)
    chosen: Sequence[int] = range(len(shingles))
    if len(chosen) > MAX_KEYS:
        chosen = _winnow(shingles)
    keys = list(dict.fromkeys(_digest(shingles[at], b"shingle") for at in chosen))
    count = min(len(keys), MAX_KEYS)
    return tuple(keys[at * len(keys) // count] for at in range(count))


def _shingles(text: str) -> list[bytes]:
    folded = _words(text)
    words = _bytes(" ".join(folded)).split(b" ")  # in a fifth of the time of each by itself
    if len(words) != len(folded):  # one sign of some scripts is folded to several words
        words = list(map(_bytes, folded))
    return list(map(b" ".join, zip(*(words[n:] for n in range(SHINGLE)), strict=False)))


def _words(text: str) -> list[str]:
    return list(filter(None, folded_words(text)))


def _winnow(shingles: Sequence[bytes]) -> list[int]:
    """The places of the least hash in every window, the rightmost where equal; a window is looked
    through anew only where the least of the one before has left it."""
    if not shingles:
        return []
    hashes = list(map(crc32, shingles))
    size = min(WINDOW, len(hashes))
    at = _least(hashes, 0, size)
    least, chosen = hashes[at], [at]
    for last in range(size, len(hashes)):
        value = hashes[last]
        if value <= least:
            at, least = last, value
        elif at <= last - size:
            at = _least(hashes, last - size + 1, last + 1)
            least = hashes[at]
        else:
            continue
        chosen.append(at)
    return chosen


def _least(hashes: Sequence[int], start: int, end: int) -> int:
    window = hashes[start:end][::-1]
    return end - 1 - window.index(min(window))


def _digest(text: bytes, kind: bytes) -> bytes:
    return blake2b(text, digest_size=8, person=kind).digest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
