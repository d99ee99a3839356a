"""Names: ordinary ones of every alphabet pass, look-alikes and names of the house do not."""

import re

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from accounts.names import RESERVED, check_name, skeleton

ORDINARY = """
    member-a member_b member.c Member7 José Müller Łukasz Søren Þórr Nguyễn Ñusta Ḥasan
    Андрей Наталья Κώστας Γιώργος Արմեն გიორგი שרה محمد فاطمة زهرا
    नेहा कृष्ण স্বপন சிவா สมชาย สุนิสา ကျော်ကျော် བསྟན་འཛིན
    小林 太郎 さくら サクラ がき パパー 佐々木 Tanaka太郎 김민준 李小龙 ትዕግስት ᏣᎳᎩ
    Badminton Staffan Falstaff Rooth modern model3 mod3l Modesto systemic Supporters Deskin
    Voiceless invoice Rudi2 a1 x-ray_7.b ٣محمد
""".split()
ORDINARY.remove("བསྟན་འཛིན")  # its syllable mark is punctuation, which no name may hold

REFUSED = {
    "a": "two characters",
    "": "two characters",
    "two words": "Use letters",
    "-edge": "Use letters",
    "edge.": "Use letters",
    "a..b": "Use letters",
    "a/b": "Use letters",
    "a@b": "Use letters",
    "<b>": "Use letters",
    'a"b': "Use letters",
    "a\nb": "Use letters",
    "a\x00b": "Use letters",
    "smile😀": "Use letters",
    "hid\u200bden": "Use letters",  # zero-width space
    "hid\u202eden": "Use letters",  # turns the direction of reading
    "a\u034fb": "Use letters",  # a joiner that draws nothing
    "a\u1160b": "Use letters",  # the Hangul filler is a letter, and blank
    "a" + "\u0335" * 5: "Use letters",  # marks that pile up
    "e\u0301a": "ordinary form",  # an accent typed as a character of its own
    "ﬁnal": "ordinary form",
    "ｍember": "ordinary form",
    "12345": "needs a letter",
    "1-2.3": "needs a letter",
    "pаul": "one alphabet",  # Cyrillic а
    "Αlpha": "one alphabet",  # Greek Α
    "foo٣": "one alphabet",  # Arabic digit
    "аdmin": "one alphabet",
    "ʻokina": "one alphabet",  # a modifier letter, easily taken for a quotation mark
    "admin": "reserved",
    "ADMIN": "reserved",
    "Adm1n": "reserved",
    "ad-min": "reserved",
    "admin42": "reserved",
    "адмін": None,  # no Latin letters: whatever it says, it is not "admin" to the eye
    "adrnin": "reserved",
    "rn0derator": "reserved",
    "Jonbar": "reserved",
    "J0nbar": "reserved",
    "ɑdmin": "reserved",  # Latin alpha
    "ᴀᴅᴍɪɴ": "reserved",  # small capitals, which no table of confusables has for plain letters
    "ᴊᴏɴʙᴀʀ": "reserved",
    "ađmin": "reserved",  # a stroke is no accent that could be taken apart
    "aɗmin": "reserved",
    "Jonbar-Team": "reserved",
    "TeamJonbar": "reserved",
    "the.real.admin": "reserved",
    "x-ad-min-x": "reserved",
    "ModTeam": "reserved",
    "Administration": "reserved",
    "sysadmin": "reserved",
    "Moderators2": "reserved",
    "site-support": "reserved",
    "Voice7": "reserved",
    "voice-7": "reserved",
    "Voice_12": "reserved",
    "v0ice.1": "reserved",
    "Voice10": "reserved",
    "Voice": "reserved",
}

LOOK_ALIKE = [
    ("paul", "PAUL"),
    ("paul", "pau1"),
    ("paul", "pauI"),
    ("Oleg", "0leg"),
    ("modern", "modem"),
    ("Swann", "Svvann"),
    ("member-a", "member.a"),
    ("member-a", "membera"),
    ("José", "Jose"),
    ("асе", "ace"),  # Cyrillic and Latin
    ("ορα", "opa"),  # Greek and Latin
    ("Straße", "Strasse"),
    ("saul", "5aul"),
    ("Андрей", "Андреи"),
    ("ᴘᴀᴜʟ", "paul"),
    ("Łukasz", "Lukasz"),
    ("Søren", "soren"),
]
DIFFERENT = [
    ("paul", "saul"),
    ("member-a", "member-b"),
    ("かき", "がき"),
    ("はは", "パパ"),
    ("नेहा", "निहा"),
    ("김민준", "김민중"),
    ("Rudi2", "Rudi3"),
]


def verdict(name: str) -> str:
    try:
        check_name(name)
    except ValidationError as error:
        return error.messages[0]
    return ""


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_names_of_every_alphabet_pass(name):
    assert verdict(name) == ""


@pytest.mark.parametrize(("name", "sentence"), REFUSED.items())
def test_refused_names_are_told_why(name, sentence):
    if sentence is None:
        assert verdict(name) == ""
    else:
        assert sentence in verdict(name)


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_reserved_words_stay_reserved_in_any_dress(word):
    for dress in (word, word.upper(), word.replace("o", "0"), word.replace("i", "1"), f"{word}_1"):
        assert "reserved" in verdict(dress)


@pytest.mark.parametrize(("one", "other"), LOOK_ALIKE)
def test_names_that_look_alike_have_one_skeleton(one, other):
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_names_that_differ_to_the_eye_have_two(one, other):
    assert skeleton(one) != skeleton(other)


@given(st.text(max_size=30))
def test_what_passes_is_safe_in_an_address_and_has_a_skeleton_that_fits(name):
    if verdict(name) == "":
        assert not re.search(r"[\s/\\<>&\"'@#?%:]", name)
        assert 0 < len(skeleton(name)) <= 120
        assert skeleton(name) == skeleton(name.upper()) or not name.isascii()


@given(st.text(alphabet="abcilorsvwxn015ABCILORS._-", min_size=2, max_size=30))
def test_a_skeleton_is_the_skeleton_of_itself(name):
    # Otherwise a name could be taken by writing it as its own skeleton.
    assert skeleton(skeleton(name)) == skeleton(name)
