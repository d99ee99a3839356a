"""The quote engine: verdicts, whole words, differences, sentence borders, index keys."""

import os
import random
import re
import sys
import time
import unicodedata
from collections import Counter
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from zlib import crc32

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from forum.text import quoting
from forum.text.quoting import (
    Match,
    Source,
    cut_ends,
    difference,
    find,
    key_of,
    paragraph_keys,
    shingle_keys,
    still_stands,
)
from forum.text.quoting import normal_form as quoting_words
from forum.text.quoting.tokens import cuts, may_cut, tokens

# With JONBAR_LONG=1 more than ten thousand of either.
LONG = os.environ.get("JONBAR_LONG") == "1"
EACH = 450 if LONG else 45  # forgeries of each kind
TEXTS_QUOTED = 700 if LONG else 70  # 15 passages of each

THREAD = Path(__file__).parents[2] / "fixtures" / "sources" / "trotsky-spain.txt"


def left_out(match, text) -> tuple[str, ...]:
    """What lies between the parts of a match, as a page shows it."""
    return tuple(text[a[1] : b[0]].strip() for a, b in pairwise(match.parts))


def look(words, *texts, named=0):
    return find(words, [Source(at, text) for at, text in enumerate(texts)], named)


def verdict(words, *texts, named=0):
    return look(words, *texts, named=named).verdict


# An oracle that is slow and obviously right: every place where the words stand, character by
# character, with the whole-word rule told over clusters (a character and what is attached to it).

STRAIGHT = dict.fromkeys("‘’‚‛", "'") | dict.fromkeys("“”„‟", '"')
UNSPACED = ("CJK UNIFIED", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")


def plainest(text):
    text = unicodedata.normalize("NFC", text)
    text = "".join(STRAIGHT.get(character, character) for character in text)
    return re.sub(r"\s+", " ", text).strip()


def extends(character):
    return unicodedata.category(character) in ("Mn", "Mc", "Me", "Cf")


def is_letter(character):
    if not (character.isalnum() or character == "_"):
        return False
    return not unicodedata.name(character, "").startswith(UNSPACED)


def inside_word(text, at):
    """Whether a cut before text[at] would part a word or a number."""
    if at in (0, len(text)):
        return False
    for blank in (at - 1, at):
        if text[blank] == " ":
            group = re.search(r"(?<!\w)\d{1,3}\Z", text[:blank])
            if not group or not re.match(r"\d{3}(?!\d)", text[blank + 1 :]):
                continue
            if not re.search(r"\d[.,:/']\Z", text[: group.start()]):
                return True
    if text[at - 1] == " " or text[at] == " ":
        return False
    if extends(text[at]):
        return True
    before = at - 1
    while before > 0 and extends(text[before]):
        before -= 1
    after = at + 1
    while after < len(text) and extends(text[after]):
        after += 1
    left, right = text[before], text[at]
    further_left = text[:before].rstrip("".join({c for c in text if extends(c)}))[-1:]
    further_right = text[after : after + 1]
    if text[at - 1] == "\u200d" or right in "🏻🏼🏽🏾🏿":
        return True
    if left == right == ".":
        return True
    if is_letter(left) and is_letter(right):
        return True
    joiners = "'-\u2010\u2011\u00b7´`′"
    if is_letter(left) and right in joiners and further_right and is_letter(further_right):
        return True
    if left in joiners and is_letter(right) and further_left and is_letter(further_left):
        return True
    numeric = ".,:/'-–−"
    if left.isdigit() and right in numeric and further_right.isdigit():
        return True
    if right.isdigit() and left in numeric and further_left.isdigit():
        return True
    # -4 and .5 and -.5, with nothing before them that makes them a dash or a stop
    for sign in re.finditer(r"(?<![\w.–−-])(?:[–−-]\.?|\.)(?=\d)", text):
        if sign.start() < at <= sign.end():
            return True
    for stop in [at] * (right == ".") + [before] * (left == "."):
        one, two = text[stop - 1 : stop], text[stop + 1 : stop + 2]
        if one.isalpha() and two.isalpha() and is_letter(one) and is_letter(two):
            word = len(text[:stop]) > 1 and text[stop - 2].isalpha() and is_letter(text[stop - 2])
            if not (word and two.isupper() and text[stop + 2 : stop + 3].islower()):
                return True
    return False


def stands(words, text):
    needle, text = plainest(words), plainest(text)
    return bool(needle) and any(
        text.startswith(needle, at)
        and not inside_word(text, at)
        and not inside_word(text, at + len(needle))
        for at in range(len(text))
    )


def stand_in_order(words, text):
    text, at = plainest(text), 0
    for part in re.split(r"[\[(]?(?:…|\.{3,})[\])]?", plainest(words)):
        part = part.strip()
        while part:
            at = text.find(part, at)
            if at < 0:
                return False
            if not inside_word(text, at) and not inside_word(text, at + len(part)):
                at += len(part)
                break
            at += 1
    return True


# Texts to quote from

NOUNS = """army treaty fleet premier railway harvest border uprising council factory embassy winter
offensive ministry province newspaper election convoy general's workers' Molotov-Ribbentrop Madrid
Köln façade Ελλάδα Москва garrison alliance dynasty monarchy rebellion""".split()
VERBS = """was wasn't became didn't reach reached lost could not hold would never leave had kept
refused signed ruined feared armed""".split()
ODD = ["12,000", "3.5", "1936–39", "U.S.", "e.g.", "U.S.S.R.", "T-34", "don't", "o'clock", "2:30"]
ODD += [
    "“so-called”",
    "‘old guard’",
    "(perhaps)",
    "café",
    "naïve",
    "50%",
    "№ 5",
    "🙂",
    "👍🏿",
    "北京",
]
ODD += ["السلام", "שלום", "हिन्दी", "e\u0301tat", "서울을", "well…", "so...", "—"]
SMALL = "the a of in and with without every no not never until because against".split()


def sentence(rng):
    words = []
    for _ in range(rng.randrange(4, 22)):
        shelf = rng.choices((NOUNS, VERBS, SMALL, ODD), (5, 4, 6, 1))[0]
        words.append(rng.choice(shelf) + ("," if rng.random() < 0.06 else ""))
    words[0] = words[0][:1].upper() + words[0][1:]
    return " ".join(words) + rng.choice(".....!?")


def text_of(rng, sentences=14):
    gaps = (rng.choice((" ", " ", " ", "\n", "\n\n")) for _ in range(sentences))
    return "".join(sentence(rng) + gap for gap in gaps).strip()


def passage(rng, text, low=1, high=40):
    """A run of white-space separated words of the text, as the text has them."""
    spans = [found.span() for found in re.finditer(r"\S+", text)]
    count = min(rng.randint(low, high), len(spans))
    first = rng.randrange(len(spans) - count + 1)
    return text[spans[first][0] : spans[first + count - 1][1]]


def rewrapped(rng, text):
    """The same words with other white space, quotation marks and normal form."""
    text = re.sub(r"\s+", lambda _: rng.choice((" ", "\n", "\n\n", "\u00a0", " \t", "  ")), text)
    text = "".join(
        rng.choice([k for k, v in STRAIGHT.items() if v == STRAIGHT.get(c, c)] + [c])
        if STRAIGHT.get(c, c) in ("'", '"')
        else c
        for c in text
    )
    return unicodedata.normalize(rng.choice(("NFC", "NFD")), text)


# Forgeries: each takes a true passage and the text, and gives something that never stood there.


def change_word(change):
    def forge(rng, true, text):
        words = true.split()
        fit = [at for at, word in enumerate(words) if change(rng, word) not in (None, word)]
        if not fit:
            return None
        at = rng.choice(fit)
        words[at] = change(rng, words[at])
        return " ".join(word for word in words if word)

    return forge


def swap(table):
    return change_word(lambda rng, word: table.get(word))


def replace_characters(table):
    def change(rng, word):
        fit = [at for at, character in enumerate(word) if character in table]
        if not fit:
            return None
        at = rng.choice(fit)
        return word[:at] + table[word[at]] + word[at + 1 :]

    return change_word(change)


def joined(rng, true, text):
    words = true.split()
    if len(words) < 2:
        return None
    at = rng.randrange(len(words) - 1)
    return " ".join([*words[:at], words[at] + words[at + 1], *words[at + 2 :]])


def split_word(rng, word):
    return f"{word[:2]} {word[2:]}" if len(word) > 4 and word.isalpha() else None


def cut_at_start(rng, true, text):
    found = re.match(r"\w{2,}", true)
    return true[rng.randrange(1, found.end()) :] if found else None


def cut_at_end(rng, true, text):
    found = re.search(r"[^\W\d]{3,}\Z", true)
    return true[: rng.randrange(found.start() + 1, len(true))] if found else None


def swapped_neighbours(rng, true, text):
    words = true.split()
    if len(words) < 2:
        return None
    at = rng.randrange(len(words) - 1)
    words[at : at + 2] = words[at + 1], words[at]
    return " ".join(words)


def two_far_passages(rng, true, text):
    return f"{passage(rng, text, 2, 12)} {passage(rng, text, 2, 12)}"


def wrong_order(rng, true, text):
    spans = [found.span() for found in re.finditer(r"\S+", text)]
    if len(spans) < 20:
        return None
    middle = len(spans) // 2
    early = text[spans[2][0] : spans[rng.randrange(5, middle)][1]]
    late = text[spans[middle + 1][0] : spans[rng.randrange(middle + 3, len(spans))][1]]
    return f"{late} {rng.choice(('…', '...', '[…]', '[...]', '(...)'))} {early}"


def other_post(rng, true, text):
    return passage(rng, text_of(rng), 4, 20)


def zero_width(rng, true, text):
    at = rng.randrange(1, len(true)) if len(true) > 1 else 0
    return (
        true[:at] + rng.choice("\u200b\u200c\u200d\u2060\ufeff\u00ad") + true[at:] if at else None
    )


def number(rng, word):
    if not any(character.isdigit() for character in word):
        return None
    return re.sub(r"\d", lambda found: str((int(found[0]) + rng.randrange(1, 10)) % 10), word)


NEGATIONS = {"not", "never", "no", "without"}
FORGERIES = {
    "dropped negation": change_word(lambda rng, word: "" if word.strip(",") in NEGATIONS else None),
    "dropped n't": change_word(
        lambda rng, word: word.replace("n't", "") if word.endswith("n't") else None
    ),
    "added negation": change_word(
        lambda rng, word: f"{word} not" if word in ("was", "had", "could", "would") else None
    ),
    "swapped numbers": change_word(number),
    "thousands dropped": swap({"12,000": "12", "1936–39": "1936", "3.5": "3", "2:30": "2"}),
    "joined words": joined,
    "split word": change_word(split_word),
    "changed case": change_word(lambda rng, word: rng.choice((word.upper(), word.swapcase()))),
    "dropped word": change_word(lambda rng, word: ""),
    "added word": change_word(lambda rng, word: f"{word} {rng.choice(NOUNS)}"),
    "replaced word": change_word(lambda rng, word: rng.choice(NOUNS)),
    "swapped neighbours": swapped_neighbours,
    "cut inside a word at the start": cut_at_start,
    "cut inside a word at the end": cut_at_end,
    "two far passages without an ellipsis": two_far_passages,
    "changed punctuation": change_word(
        lambda rng, word: (
            word[:-1] + {".": "?", "?": ".", "!": "?", ",": "."}[word[-1]]
            if word[-1] in ".?!,"
            else None
        )
    ),
    "added comma": change_word(lambda rng, word: f"{word}," if word[-1].isalpha() else None),
    "look-alike letters": replace_characters(dict(zip("aceopxyi", "асеорхуі", strict=True))),
    "zero-width characters": zero_width,
    "parts in wrong order around an ellipsis": wrong_order,
    "changed diacritics": replace_characters(
        {"e": "é", "o": "ö", "a": "å", "c": "ç", "é": "e", "ö": "o", "ç": "c", "ï": "i"}
    ),
    "changed dash": replace_characters({"-": "–", "–": "-", "—": "-"}),
    "initials cut": swap({"U.S.": "U.", "U.S.S.R.": "U.S.", "e.g.": "g."}),
    "words of another post": other_post,
}


def test_forged_quotes_are_never_exact(record_property):
    """As many of each kind; a forgery that by chance stands in the text is not one."""
    rng = random.Random(20)
    counts, verdicts = Counter(), Counter()
    while missing := [kind for kind in FORGERIES if counts[kind] < EACH]:
        text = text_of(rng)
        for kind in missing:
            forged = FORGERIES[kind](rng, passage(rng, text), text)
            if not forged or stands(forged, text):
                continue
            found = look(forged, text, named=rng.randrange(2))
            assert found.verdict != "exact", (kind, forged, text)
            if found.verdict == "shortened":
                assert stand_in_order(forged, text), (kind, forged, text)
            counts[kind] += 1
            verdicts[found.verdict] += 1
    assert sum(counts.values()) == EACH * len(FORGERIES)
    record_property("measured", f"{sum(counts.values())} forgeries of {len(FORGERIES)} kinds")
    # Most keep enough of the passage to be recognised for what they are.
    assert verdicts["altered"] > 0.7 * sum(verdicts.values()), verdicts


def test_true_passages_are_exact(record_property):
    rng = random.Random(21)
    for _ in range(TEXTS_QUOTED):
        text = text_of(rng)
        if rng.random() < 0.2:
            text = unicodedata.normalize("NFD", text)
        for _ in range(15):
            true = passage(rng, text)
            assert stands(true, text), (true, text)
            found = look(rewrapped(rng, true), text)
            assert found.verdict == "exact", (true, text)
            assert plainest(text[found.start : found.end]) == plainest(true)
            assert found.parts == ((found.start, found.end),)
            assert plainest(text[: found.start] + "|").count(plainest(true)) == 0 or not stands(
                true, text[: found.start]
            )
    record_property("measured", f"{15 * TEXTS_QUOTED} true passages")


CHARACTERS = st.sampled_from(
    [*"aabbcIé1204", *"    ", *"..,'’\"“-–?!", "\n", "\u00a0", "不", "好", "ท", "م", "🙂"]
)
TEXTS = st.lists(CHARACTERS, max_size=40).map("".join)


@settings(max_examples=1_500, deadline=None)
@given(TEXTS, st.integers(0, 40), st.integers(0, 40))
@example("end.Next 3.5 U.S. I'm", 0, 3)
@example("e.g. aaa.a.aaa", 5, 8)
@example("no...", 0, 3)
def test_exact_is_just_what_the_oracle_says(text, start, end):
    """Any slice of any text: exact if and only if it stands in whole words."""
    words = text[start:end]
    assert (verdict(words, text) == "exact") == stands(words, text)
    assert still_stands([words], text) == stands(words, text)


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=12), st.text(max_size=60))
def test_no_text_of_any_kind_breaks_the_engine(words, text):
    match = look(words, text, named=1)
    if match.verdict == "exact":
        assert plainest(words) in plainest(text)
    if match.verdict != "unverifiable":
        assert 0 <= match.start < match.end <= len(text)
        cut_ends(text, match.start, match.end)
    left_out(match, text)
    difference(words, text)
    paragraph_keys(text)
    shingle_keys(words)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("12", "12,000 men"),
        ("000 men", "12,000 men"),
        ("3", "3.5 per cent"),
        ("1936", "in 1936–39"),
        ("U", "the U.S. fleet"),
        ("S. fleet", "the U.S. fleet"),
        ("g. this", "e.g. this"),
        ("D. in", "a Ph.D. in"),
        ("don", "I don't"),
        ("t", "I don’t"),
        ("Molotov", "Molotov-Ribbentrop"),
        ("sound", "unsound"),
        ("sound", "so\u00adund sounds"),
        ("cafe", "cafe\u0301"),
        ("שלו", "שלום"),
        ("צה", 'צה"ל'),
        ("हिन", "हिन्दी"),
        ("👍", "👍🏿"),
        ("👩", "👩\u200d🚀"),
        ("🇩", "🇩🇪"),
        ("so.", "so... he left"),
        ("a", "aa " * 9_000),
        ("can", "I can´t go"),
        ("can", "I can`t go"),
        ("t go", "I can′t go"),
        ("can", "I can＇t go"),
        ("example", "at example.com"),
        ("1", "1 000 000 men"),
        ("1", "1\u00a0000\u00a0000 men"),
        ("000 men", "1\u202f000\u202f000 men"),
        ("000 000 men", "1 000 000 men"),
        ("1 000", "1\u2009000\u2009000 men"),
        ("40", "at -40 degrees"),
        ("40 degrees", "at −40 degrees"),
        ("40", "about ±40 men"),
        ("5 men", "about .5 men"),
        ("50", "of 50% only"),
        ("50", "of 50 % only"),
        ("50", "of 50‰ only"),
        ("40", "at 40°C"),
        ("40", "at 40 °C"),
        ("40", "for $40 each"),
        ("$40", "for US$40 each"),
        ("40", "for 40 € each"),
        ("10 km", "at 10 km/h"),
        ("3", "3×10⁵ men"),
        ("3×10", "3×10⁵ men"),
        ("10⁵ men", "3×10⁵ men"),
        ("3", "3 × 10⁵ men"),
        ("10", "10⁵ men"),
        ("1", "1½ years"),
        ("1", "1 ½ years"),
        ("๑", "พ.ศ. ๑๒๓"),
        ("໑", "໑໒໓"),
        ("១", "១២៣"),
        ("၁", "၁၂၃"),
        ("ｶ", "ｶﾞｷﾞ"),
        ("ｶﾞ", "ｶﾞｷﾞ"),
        ("カタ", "カタカナ"),
        ("น", "นำ"),
        ("มือ", "เมือง"),
        ("ក", "ក្រុង"),
        ("人", "人々"),
        ("き", "きゃく"),
    ],
)
def test_a_piece_of_a_word_is_not_exact(words, text):
    assert verdict(words, text, named=1) != "exact"


@pytest.mark.parametrize(
    ("words", "text", "passage"),
    [
        ("not  sound", "was not\nsound.", "not\nsound"),
        ('"it" don\'t', "“it” don’t", "“it” don’t"),
        ("the U.S.", "into the U.S. now", "the U.S."),
        ("12,000", "some 12,000 men", "12,000"),
        ("Next", "the end.Next one", "Next"),
        ("well… then", "he said: well… then", "well… then"),
        ("caf\u00e9", "le cafe\u0301 noir", "cafe\u0301"),
        ("noir", "e\u0301te\u0301 cafe\u0301 noir", "noir"),
        ("一个", "这是一个人", "一个"),
        ("ไทย", "เมืองไทย", "ไทย"),
        ("シャツ", "Tシャツ", "シャツ"),
        ("in 1936", "in 1936 100 men", "in 1936"),
        ("10:30", "at 10:30 200 men", "10:30"),
        ("40 men", "the war–40 men", "40 men"),
        ("40 men", "the war--40 men", "40 men"),
        ("-40 °C", "at -40 °C", "-40 °C"),
        ("The", "NATO.The end", "The"),
        ("🇩🇪", "🇩🇪🇫🇷", "🇩🇪"),
        ("العالم", "مرحبا العالم!", "العالم"),
        ("👍🏿", "ok 👍🏿 yes", "👍🏿"),
        ("one two", "zero one\n\ntwo three", "one\n\ntwo"),
        ("a a", "aa a aa a a", "a a"),
        ("a", "aa " * 9_000 + "a aa", "a"),
        ("xy " * 3_000 + "end", "xy " * 9_000 + "end", "xy " * 3_000 + "end"),
    ],
)
def test_whole_words_are_exact(words, text, passage):
    match = look(words, text)
    assert match.verdict == "exact"
    assert text[match.start : match.end] == passage


def test_spans_in_texts_with_more_marks_than_any_language_has():
    text = "e\u0301te\u0301 a" + "\u0327\u0301" * 40 + " cafe\u0301 noir"
    match = look("noir", text)
    assert (match.verdict, text[match.start : match.end]) == ("exact", "noir")
    match = look("cafe\u0301 noir", text)
    assert (match.verdict, text[match.start : match.end]) == ("exact", "cafe\u0301 noir")


def test_periodic_text_with_a_passage_after_ten_thousand_fragments():
    text = "ab" * 20_000 + " " + "ba" * 15_000
    match = look("ba" * 15_000, text)
    assert (match.verdict, match.start) == ("exact", 40_001)
    assert verdict("ba" * 15_000, "ab" * 30_000) != "exact"


PLAN = "He said the plan was not sound. Nobody, in the U.S. or here, doubted it... Then it failed."


@pytest.mark.parametrize(
    ("words", "parts", "missing"),
    [
        ("the plan … sound", ["the plan", "sound"], ("was not",)),
        ("the plan ... sound", ["the plan", "sound"], ("was not",)),
        ("the plan [...] sound [...] failed.", ["the plan", "sound", "failed."], None),
        ("the plan (...) it failed.", ["the plan", "it failed."], None),
        ("the plan […] sound", ["the plan", "sound"], ("was not",)),
        ("the plan . . . sound", ["the plan", "sound"], ("was not",)),
        ("… not sound", ["not sound"], ()),
        ("not sound …", ["not sound"], ()),
        ("He said … doubted it... Then", ["He said", "doubted it... Then"], None),
        ("doubted it… Then", ["doubted it... Then"], ()),
    ],
)
def test_shortened(words, parts, missing):
    match = look(words, PLAN)
    assert match.verdict == "shortened"
    assert [PLAN[a:b] for a, b in match.parts] == parts
    assert (match.start, match.end) == (match.parts[0][0], match.parts[-1][1])
    if missing is not None:
        assert left_out(match, PLAN) == missing


@pytest.mark.parametrize(
    "words",
    [
        "sound … the plan",
        "the plan … ound",
        "the pla … sound",
        "the plan … sound … sound",
        "The plan … sound",
        "He … was not" + " …" * 70,
    ],
)
def test_not_shortened(words):
    assert verdict(words, PLAN, named=1) not in ("exact", "shortened")


def test_the_texts_own_ellipsis_stays_exact():
    assert verdict("doubted it... Then it", PLAN) == "exact"
    assert verdict("it...", PLAN) == "exact"


@pytest.mark.parametrize(
    ("words", "passage"),
    [
        ("the plan was sound.", "the plan was not sound"),
        ("said the plan was never sound", "said the plan was not sound"),
        ("The Plan was NOT sound", "the plan was not sound"),
        ("the plan was not sound! Nobody", "the plan was not sound. Nobody"),
        ("the plan wasnot sound. Nobody in", "the plan was not sound. Nobody, in"),
        ("He said it failed the plan was not sound", "the plan was not sound"),
    ],
)
def test_altered(words, passage):
    match = look(words, PLAN)
    assert match.verdict == "altered"
    assert passage in PLAN[match.start : match.end]
    assert match.parts == ((match.start, match.end),)


@pytest.mark.parametrize(
    ("words", "text", "changes"),
    [
        ("It never was bad.", "He said: It was bad. Then", ["never"]),
        ("“It was so bad!”", "So “It was so good!” he", ["good", "bad"]),
        ("(it was so bad)", "all (it was so good) that", ["good", "bad"]),
        ("it was so bad.", "it was so good, he said", ["good", "bad."]),
        ("40 degrees below it", "it was -40 degrees below all", ["-40", "40", "all", "it"]),
    ],
)
def test_marks_that_both_hold_are_no_difference(words, text, changes):
    """Nor is less than a whole word of the source held against a quote."""
    match = look(words, text, named=1)
    assert match.verdict == "altered"
    runs = quoting.difference(words, text[match.start : match.end])
    assert [changed.strip() for kind, changed in runs if kind != "same"] == changes
    # As do the spans of quotes that were judged before, which were words only.
    bare = re.search(r"\w.*\w", text[match.start : match.end]).span()
    start, end = (match.start + at for at in bare)
    assert difference(words, text[slice(*quoting.in_whole(words, text, start, end))]) == runs


def test_short_quotes_are_altered_only_in_a_named_source():
    for words in ("was sound", "Was Not Sound", "was very sound", "Plan"):
        assert verdict(words, PLAN) == "unverifiable"
    assert verdict("Was Not Sound", PLAN, named=1) == "altered"
    assert verdict("was very sound", PLAN, named=1) == "altered"
    assert verdict("Plan", PLAN, named=1) == "altered"
    assert verdict("Trotsky", PLAN, named=1) == "unverifiable"
    assert verdict("", PLAN, named=1) == verdict(" … ", PLAN, named=1) == "unverifiable"


def test_a_named_source_is_given_more_room():
    words = "he explained that the plan was very sound, which nobody in this country ever doubted"
    assert verdict(words, PLAN) == "unverifiable"
    assert verdict(words, PLAN, named=1) == "altered"
    assert verdict("Half a century later nothing of this was known to anybody", PLAN, named=1) == (
        "unverifiable"
    )


def test_a_long_quote_may_put_the_sentences_of_its_source_in_another_order():
    sentences = re.split(r"(?<=\.) ", PLAN.replace("...", "."))
    words = " ".join(reversed(sentences))
    match = look(words, PLAN)
    assert match.verdict == "altered"
    assert verdict(" ".join(reversed(words.split())), PLAN) == "unverifiable"


def test_which_source_wins():
    exact, shortened, altered = "the old plan was sound", "the old bad plan was", "the olden plan"
    assert look("the old plan", altered, shortened, exact, named=2).key == 2
    assert look("the old … plan", altered, shortened, exact).key == 1
    assert look("the old plan", exact, exact).key == 0
    match = look("a plan", "no. a plan and a plan")
    assert (match.start, match.verdict) == (4, "exact")
    assert look("he said the plan was sound", *[PLAN] * 9).key == 0
    assert look("he said the plan was not bad", "he said a plan was bad", PLAN, PLAN).key == 1
    assert find("a plan", []) == Match("unverifiable")
    twice = "He kept the peace for ten years. Then he kept the peace for ten days."
    match = look("kept the peace for nine days", twice, named=1)
    assert twice[match.start : match.end] == "kept the peace for ten days"


def test_altered_passages_of_long_quotes_are_placed():
    rng = random.Random(3)
    text = "\n\n".join(text_of(rng, 60) for _ in range(8))
    words, spans = text.split(), [found.span() for found in re.finditer(r"\S+", text)]
    for first, count in ((40, 120), (200, 3_000), (0, len(words))):
        quote = words[first : first + count]
        del quote[len(quote) // 2]
        match = look(" ".join(quote), text)
        assert match.verdict == "altered"
        assert abs(match.start - spans[first][0]) < 12
        assert abs(match.end - spans[first + count - 1][1]) < 12


def test_editing_the_source():
    """A passage stands until it is itself changed, whatever happens around it."""
    rng = random.Random(4)
    for _ in range(300):
        text = text_of(rng)
        quoted = passage(rng, text, 4)
        elsewhere = f"{text_of(rng, 2)}\n\n{quoted} {text_of(rng, 1)}"
        assert still_stands([rewrapped(rng, quoted)], elsewhere)
        words = quoted.split()
        words[rng.randrange(len(words))] = "Byzantium"
        assert not still_stands([quoted], " ".join(words))
    assert not still_stands([""], "text")
    assert not still_stands([], "text")
    assert not still_stands(["not sound"], "not sounder")


def test_parts_of_a_quote_stand_in_their_order_only():
    assert still_stands(["one", "three"], "one two three")
    assert not still_stands(["one", "three"], "three two one")
    assert not still_stands(["one two", "two three"], "one two three")


def pieces(runs, *kinds):
    return "".join(text for kind, text in runs if kind in kinds)


def test_difference():
    assert difference("the plan was sound", "the plan was not sound") == (
        ("same", "the plan was"),
        ("del", " not"),
        ("same", " sound"),
    )
    assert difference("Is it?", "It is.") == (("del", "It is."), ("ins", "Is it?"))
    assert difference("12 men", "12,000 men") == (
        ("del", "12,000"),
        ("ins", "12"),
        ("same", " men"),
    )
    assert difference("“so”", '"so"') == (("same", '"so"'),)
    assert difference("", "") == ()


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.sampled_from(["a", "b", "c.", "(d", "e,", "é"]), max_size=14).map(" ".join),
    st.lists(st.sampled_from(["a", "b", "c.", "(d", "e,", "é"]), max_size=14).map(" ".join),
)
def test_difference_gives_both_texts_back_and_keeps_as_much_as_can_be(quoted, source):
    runs = difference(quoted, source)
    assert pieces(runs, "same", "del").lstrip() == source
    assert pieces(runs, "same", "ins").lstrip() == quoted
    old, new = (re.findall(r" ?(?:\w|\S)", " " + text) for text in (source, quoted))
    table = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i, one in enumerate(old):
        for j, two in enumerate(new):
            table[i + 1][j + 1] = (
                table[i][j] + 1 if one == two else max(table[i][j + 1], table[i + 1][j])
            )
    kept = sum(len(re.findall(r"\S", text)) for kind, text in runs if kind == "same")
    assert kept == table[-1][-1]


def test_a_difference_too_large_to_work_out_still_gives_both_texts_back(monkeypatch):
    monkeypatch.setattr(quoting.differences, "MAX_CELLS", 10)
    runs = difference("one b c d e f last", "one c b x y z last")
    assert runs == (
        ("same", "one"),
        ("del", " c b x y z"),
        ("ins", " b c d e f"),
        ("same", " last"),
    )


ARGUMENT = (
    "The plan was not sound. Dr. Smith of the U.S. Navy paid 3.5 millions, e.g. for ships.\n\n"
    ". Was it wise? “Never!” he said (though not loudly). “It was,” she said. J. Stalin agreed… "
    "but\nleft in 1936. Then all was quiet... Nobody knew\n\nthe end"
)


@pytest.mark.parametrize(
    ("words", "cut"),
    [
        ("The plan was not sound.", (False, False)),
        ("The plan was not sound", (False, False)),
        ("sound", (True, False)),
        ("The plan was not", (False, True)),
        ("Dr.", (False, True)),
        ("Smith of the U.S.", (True, True)),
        ("Navy paid 3.5", (True, True)),
        ("for ships.", (True, False)),
        ("Dr. Smith of the U.S. Navy paid 3.5 millions, e.g. for ships.", (False, False)),
        (". Was it wise?", (False, False)),
        ("Was it wise?", (False, False)),
        ("Was it wise", (False, True)),
        ("Never!", (False, True)),
        ("he said", (True, True)),
        ("“Never!” he said (though not loudly).", (False, False)),
        ("loudly", (True, True)),
        ("It was", (False, True)),
        ("“It was,” she said.", (False, False)),
        ("J.", (False, True)),
        ("Stalin agreed…", (True, False)),
        ("but\nleft in 1936.", (True, False)),
        ("Then all was quiet...", (False, False)),
        ("Nobody knew", (True, False)),
        ("the end", (False, False)),
        ("quiet... Nobody knew\n\nthe", (True, True)),
    ],
)
def test_cut_ends(words, cut):
    start = ARGUMENT.index(words)
    assert cut_ends(ARGUMENT, start, start + len(words)) == cut


def test_cut_ends_in_scripts_without_capitals():
    text = "计划不好。他走了。 هل كان ذلك؟ نعم."
    assert cut_ends(text, text.index("他"), text.index("他") + 3) == (False, True)
    assert cut_ends(text, text.index("好"), text.index("。") + 1) == (True, False)
    assert cut_ends(text, text.index("نعم"), len(text)) == (False, False)


def test_cut_ends_knows_list_marks():
    text = "Two aims:\n\n1. peace at home\n\n- bread for all\n\n[3] land\n\n. and time. 4. work"
    for item in ("peace at home", "bread for all", "land"):
        start = text.index(item)
        assert cut_ends(text, start, start + len(item)) == (False, False), item
    assert cut_ends(text, text.index("and time"), text.index(" 4.")) == (False, True)
    assert cut_ends(text, text.index("work"), len(text)) == (True, False)


def test_every_cut_inside_a_sentence_is_seen():
    """Whole words cut off inside a sentence, at every place of generated texts."""
    rng = random.Random(5)
    for _ in range(60):
        text = text_of(rng)
        words = [found.span() for found in re.finditer(r"\S+", text)]
        for (_, end), (start, _) in pairwise(words):
            if text[end - 1] not in ".!?…”’)" and "\n\n" not in text[end:start]:
                assert cut_ends(text, start, len(text))[0], text[max(0, start - 20) : start + 9]
                assert cut_ends(text, 0, end)[1], text[max(0, end - 20) : end + 9]


def test_paragraph_keys():
    first, second = "The plan, he said, was not sound.", "“Nobody” doubted   it"
    assert len(key_of(first)) == 8
    assert key_of(second) == key_of('"Nobody" doubted\nit')
    assert key_of(first) != key_of(first.replace("not ", ""))
    assert {key_of(first), key_of(second)} <= set(paragraph_keys(f"{first}\n\n{second}"))
    assert paragraph_keys("") == shingle_keys("") == shingle_keys("four words are few") == ()


def test_long_paragraphs_need_no_key_of_their_own():
    """Whoever quotes one whole quotes so many words in a row that a passage in it is found."""
    rng = random.Random(8)
    for count in (26, 27, 28, 29, 60, 75, 900):
        for _ in range(30):
            own = " ".join(f"word{rng.randrange(300)}" for _ in range(count))
            text = f"Quite so.\n\n{own}\n\nOr not? Nobody knows, says he who should know it."
            keys = set(paragraph_keys(text))
            assert (key_of(own) in keys) == (count < 28)
            assert keys.intersection([key_of(own), *shingle_keys(own.upper())])
            assert key_of("Quite so.") in keys


def test_keys_are_the_same_in_every_process():
    """They are stored."""
    assert key_of("The plan was not sound.").hex() == "5f38b7f31bc00e68"
    assert [key.hex() for key in shingle_keys("The plan was not sound")] == ["3ccc5c3e49e8dcc9"]


def test_twenty_eight_words_in_a_row_are_always_found():
    rng = random.Random(6)
    found = Counter()
    for _ in range(150):
        text = " ".join(f"{rng.choice(NOUNS)}{rng.randrange(300)}" for _ in range(600))
        keys = set(paragraph_keys(text))
        words = text.split()
        for count in (5, 8, 12, 28, 30, 75, 300):
            at = rng.randrange(len(words) - count)
            asked = shingle_keys(" ".join(["Zanzibar", *words[at : at + count], "Zanzibar"]))
            assert len(asked) <= quoting.MAX_KEYS
            found[count] += bool(keys.intersection(asked))
    assert found[28] == found[30] == found[75] == found[300] == 150
    assert found[12] > 60 > found[5]


@pytest.mark.parametrize("count", [28, 29, 60, 700])
@pytest.mark.parametrize("vocabulary", [3, 12, 300])
def test_stored_passages_are_the_least_of_each_24(count, vocabulary):
    """Their keys are stored, so that whoever finds them faster must find the same."""
    rng = random.Random(count * vocabulary)
    words = [f"word{rng.randrange(vocabulary)}" for _ in range(count)]
    passages = [" ".join(words[at : at + 5]) for at in range(count - 4)]
    least = (
        min(passages[at : at + 24], key=lambda passage: crc32(passage.encode()))
        for at in range(len(passages) - 23)
    )
    assert paragraph_keys(" ".join(words)) == tuple(
        dict.fromkeys(key for passage in least for key in shingle_keys(passage))
    )


def test_the_index_is_small():
    rng = random.Random(7)
    text = " ".join(f"{rng.choice(NOUNS)}{rng.randrange(300)}" for _ in range(10_000))
    assert 700 < len(paragraph_keys(text)) < 900
    assert len(shingle_keys(text)) == quoting.MAX_KEYS


@pytest.mark.parametrize(
    "text",
    [
        "a" * 50_000,
        "1 000 " * 9_000,
        "$" * 50_000,
        "เ" * 50_000,
        "a\u0301" * 25_000,
        "+1" * 25_000,
        "ア_" * 25_000,
        "🇩" * 50_000,
        "א'" * 25_000,
        "ら" + "\u0301" * 50_000,
        "-" * 50_000,
        "3 × 10^" * 7_000,
        "人々" * 25_000,
        "%" * 50_000,
        "!\u200d" * 25_000,
        "US$ " * 12_000,
    ],
)
def test_a_text_is_taken_apart_in_one_pass(text):
    """Every character is looked at a few times, whatever the text: ten times as much of it takes
    ten times as long, on whatever machine, and not a hundred times."""

    def took(part: str) -> float:
        started = time.process_time()
        assert "".join(tokens(part)) == part
        return time.process_time() - started

    tenth = took(text[: len(text) // 10])
    assert took(text) < 30 * tenth + 0.5


def unicode_boundaries(text):
    """The word boundaries of UAX #29, rule by rule and as slow as it is written."""
    kinds = (
        "CR LF Newline Extend ZWJ Format Katakana Hebrew_Letter ALetter MidLetter MidNum "
        "MidNumLet Numeric ExtendNumLet WSegSpace Single_Quote Double_Quote "
        "Regional_Indicator"
    ).split()
    text = text.replace("\u202f", " ")  # it is a blank to us
    kind = [
        next((k for k in kinds if regex.match(rf"\p{{WB={k}}}", character)), "Other")
        for character in text
    ]
    letter = {"ALetter", "Hebrew_Letter"}
    attached, newline = {"Extend", "Format", "ZWJ"}, {"CR", "LF", "Newline"}
    middle = {"MidNumLet", "Single_Quote"}
    found = []
    for at in range(1, len(text)):
        if (kind[at - 1], kind[at]) == ("CR", "LF"):
            continue
        if kind[at - 1] in newline or kind[at] in newline:
            found.append(at)
            continue
        if kind[at - 1] == "ZWJ" and regex.match(r"\p{Extended_Pictographic}", text[at]):
            continue
        if kind[at - 1] == kind[at] == "WSegSpace" or kind[at] in attached:
            continue
        left = [k for k in kind[:at] if k not in attached] or [kind[0]]
        right = [k for k in kind[at:] if k not in attached]
        a, b = left[-1], right[0]
        further_a = left[-2] if len(left) > 1 else ""
        further_b = right[1] if len(right) > 1 else ""
        tied = letter | {"Numeric", "Katakana", "ExtendNumLet"}
        if (
            (a in letter and b in letter)
            or (a in letter and b in middle | {"MidLetter"} and further_b in letter)
            or (further_a in letter and a in middle | {"MidLetter"} and b in letter)
            or (a == "Hebrew_Letter" and b == "Single_Quote")
            or (a == "Hebrew_Letter" and b == "Double_Quote" and further_b == "Hebrew_Letter")
            or (further_a == "Hebrew_Letter" and a == "Double_Quote" and b == "Hebrew_Letter")
            or (a in letter | {"Numeric"} and b in letter | {"Numeric"})
            or (further_a == "Numeric" and a in middle | {"MidNum"} and b == "Numeric")
            or (a == "Numeric" and b in middle | {"MidNum"} and further_b == "Numeric")
            or (a == b == "Katakana")
            or (a in tied and b == "ExtendNumLet")
            or (a == "ExtendNumLet" and b in tied)
        ):
            continue
        if a == b == "Regional_Indicator":
            row = 0
            while row < len(left) and left[-1 - row] == "Regional_Indicator":
                row += 1
            if row % 2:
                continue
        found.append(at)
    return {0, *found, len(text)}


OF_EACH_KIND = list(
    "aA:.,'\"1_ \r\n\u0308\u00ad\u200d\u200bカｶﾞーあ人々אב\u05b8٣๑กำเ🛑🇩🇪·–-%$×½؀"
    "한ༀក្ᩅ\u1a60ⓐ′´’\u202f\u2003½Ⅷ²"
)


@settings(max_examples=10_000 if LONG else 1_500, deadline=None)
@given(st.lists(st.sampled_from(OF_EACH_KIND), max_size=8).map("".join))
@example("々a")
@example("らーメン")
@example("ｶﾞ")
def test_no_cut_where_unicode_has_no_boundary(text):
    allowed = unicode_boundaries(text)
    for at in cuts(text):
        beside = text[max(0, at - 1) : at + 1]
        blank = any(map(str.isspace, beside))
        stop = regex.search(
            r"[\p{WB=ALetter}\p{WB=Hebrew_Letter}]{2}[.:]\p{Lu}\p{Ll}",
            text[max(0, at - 3) : at + 3],
        )
        assert at in allowed or blank or stop, (text, at)
        assert may_cut(text, at)
    assert [at for at in range(len(text) + 1) if may_cut(text, at)] == cuts(text)


def test_the_fast_word_pattern_is_used_only_where_it_makes_no_difference():
    extend, unspaced = re.compile(quoting_words._EXTEND), re.compile(f"[{quoting_words._UNSPACED}]")
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if extend.match(character) or unspaced.match(character):
            assert quoting_words._NOT_SIMPLE.match(character), hex(code)
        elif unicodedata.category(character) in ("Mn", "Mc", "Me", "Cf"):
            raise AssertionError(hex(code))


def test_the_source_thread():
    """Exactly three quotes: 4 whole in 5, the last paragraph of 5 in 6, 6's own words in 7."""
    posts = [
        [line for line in post.split("\n") if line.strip()]
        for post in THREAD.read_text().split("\n\u00a0\n")
    ][:8]
    posts[0] = posts[0][1:]
    posts = [post for post in posts if post and post != ["Top"]]
    assert [len(post) for post in posts][:7] == [7, 8, 5, 1, 4, 2, 2]
    quotes, own = [], []
    for number, post in enumerate(posts, 1):
        sources = [Source(at, text) for at, text in enumerate(own, 1)]
        matches = [(paragraph, find(paragraph, sources)) for paragraph in post]
        for paragraph, match in matches:
            if match.verdict == "exact":
                quotes.append((number, match.key, cut_ends(own[match.key - 1], *match.parts[0])))
                keys = set(paragraph_keys(own[match.key - 1]))
                # Found by its own key if it is short, else by a passage in it.
                assert keys.intersection([key_of(paragraph), *shingle_keys(paragraph)])
            else:
                assert match.verdict == "unverifiable", paragraph
        own.append("\n\n".join(text for text, match in matches if match.verdict != "exact"))
    assert quotes == [(5, 4, (False, False)), (6, 5, (False, False)), (7, 6, (False, False))]


def test_unrelated_sentences_of_one_debate_are_not_altered_quotes_of_each_other():
    posts = THREAD.read_text().split("\n\u00a0\n")
    for at, post in enumerate(posts):
        others = [text for number, text in enumerate(posts) if number != at]
        for line in re.split(r"(?<=[.?!])\s+", post):
            assert verdict(line, *others) in ("exact", "unverifiable"), line


def test_a_sign_that_is_folded_to_several_words_stays_one_word_of_a_key():
    folded = "one two three four صلى الله عليه وسلم".encode()
    key = blake2b(folded, digest_size=8, person=b"shingle").digest()
    assert shingle_keys("One two three four \ufdfa") == (key,)
