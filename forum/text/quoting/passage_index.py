"""The keys by which a thread finds the posts that may hold quoted words."""

from collections import deque
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
    return _digest(normal_form(paragraph), b"paragraph")


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


def _shingles(text: str) -> list[str]:
    words = _words(text)
    return [" ".join(words[at : at + SHINGLE]) for at in range(len(words) - SHINGLE + 1)]


def _words(text: str) -> list[str]:
    return [word for word in folded_words(text) if word]


def _winnow(shingles: Sequence[str]) -> list[int]:
    """The places of the least hash in every window, the rightmost where equal; all windows in one
    pass with a queue of rising hashes."""
    hashes = [crc32(_bytes(shingle)) for shingle in shingles]
    queue: deque[int] = deque()
    chosen: list[int] = []
    for at, value in enumerate(hashes):
        while queue and hashes[queue[-1]] >= value:
            queue.pop()
        queue.append(at)
        if queue[0] <= at - WINDOW:
            queue.popleft()
        if at >= min(WINDOW, len(hashes)) - 1 and (not chosen or chosen[-1] != queue[0]):
            chosen.append(queue[0])
    return chosen


def _digest(text: str, kind: bytes) -> bytes:
    return blake2b(_bytes(text), digest_size=8, person=kind).digest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
