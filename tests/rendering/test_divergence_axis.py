"""Numbers for the drawn lines of history: what lies where, and that nothing lies outside."""

import itertools
import random

import pytest

from forum.rendering import divergence_axis
from forum.rendering.divergence_axis import (
    ERAS,
    NARROWEST,
    ROOM,
    axis,
    bounds,
    era_of,
    label,
    on_scale,
    scale_between,
    strip,
    ticks_between,
    twigs,
)
from forum.text.history_dates import read


def divergence(when: str) -> dict:
    date = read(when)
    return {"edtf": date.edtf, "first": date.first, "last": date.last}


def drawn(*when: str) -> divergence_axis.Axis:
    return axis([divergence(one) for one in when])


def number(place: str) -> float:
    assert place.endswith("%")
    return float(place[:-1])


# --- The axis of a card -----------------------------------------------------------------------


def test_without_divergences_there_is_nothing_to_draw():
    assert axis([]) is None


def test_the_axis_of_the_source_thread():
    picture = drawn("about 1924", "1936-39")
    assert [branch.year for branch in picture.branches] == ["c. 1924", "1936–39"]
    first, second = picture.branches
    assert number(first.x) < number(second.x)
    # The later one leaves from the earlier one's line, above ours.
    assert (first.low, first.high) == (picture.base, second.low)
    assert second.high < second.low
    assert picture.height > picture.base
    assert first.fuzz
    assert second.fuzz
    assert [year for _, year in picture.ticks] == ["1910", "1920", "1930", "1940"]
    assert picture.caption == (
        "Our history from 1903 to 1949 as a straight line. The debate departs from it: "
        "about 1924. It departs again: between 1936 and 1939."
    )


DATES = [
    *("1924", "c. 1924", "15 March 44 BC", "1936-39", "480 BC", "1 BC", "AD 1", "before 3500 BC"),
    *("after 1945", "until 1204", "since 1945", "5000 BC - AD 2000", "late 15th century", "1920s"),
    *("3000 BC to 2000 BC", "12000 BC", "100000 BC", "2 March 1917", "spring 1936", "1 BC to AD 1"),
]


@pytest.mark.parametrize("when", [*itertools.combinations(DATES, 2), *((one,) for one in DATES)])
def test_nothing_is_drawn_outside_and_ticks_are_few_and_apart(when):
    picture = drawn(*when)
    for branch in picture.branches:
        assert 0 <= number(branch.x) <= 100
        assert 0 < branch.high < branch.low <= picture.base < picture.height
        if branch.fuzz:
            start, end = map(number, branch.fuzz)
            assert 0 <= start <= number(branch.x) <= end <= 100
    places = [number(x) for x, _ in picture.ticks]
    assert places == sorted(set(places))
    assert all(0 < place < 100 for place in places)
    assert len({year for _, year in picture.ticks}) == len(places)
    assert 1 <= len(places) <= 6
    assert [b.low for b in picture.branches] == sorted(
        (b.low for b in picture.branches), reverse=True
    )
    assert "None" not in picture.caption


def test_forks_of_one_moment_stand_beside_each_other_each_on_the_line_before_it():
    """On the narrowest card, too: five of one year, and five of five years."""
    for when in (["1930"] * 5, ["1929", "1930", "1930", "1931", "1933"]):
        picture = drawn(*when)
        places = [number(branch.x) for branch in picture.branches]
        assert places == sorted(places)
        narrowest = 290 / 100  # pixels in a percent
        for (here, then), branch in zip(itertools.pairwise(places), picture.branches, strict=False):
            assert (then - here) * narrowest >= min(branch.bend, 8.6)
    assert drawn("1924", "1936").branches[0].bend == 40


@pytest.mark.parametrize("when", ["2 March 1917", "1917", "AD 1", "5000 BC", "after 1945"])
def test_a_date_that_is_certain_is_a_knot_and_no_bar(when):
    assert drawn(when).branches[0].fuzz is None


@pytest.mark.parametrize("when", ["c. 1917", "1917?", "1917-19", "1910s", "late 15th century"])
def test_a_date_that_is_uncertain_is_a_bar(when):
    assert drawn(when).branches[0].fuzz


def test_an_order_that_was_given_is_drawn_by_date():
    assert drawn("1936-39", "480 BC").branches[0].year == "480 BC"


@pytest.mark.parametrize(
    ("low", "high", "years"),
    [
        (1916.0, 1932.0, ["1920", "1925", "1930"]),
        (-508.0, -451.0, ["500 BC", "480 BC", "460 BC"]),
        (-300.0, 300.0, ["200 BC", "AD 1", "200"]),
        (-2.0, 2.9, ["2 BC", "1 BC", "AD 1", "AD 2"]),
        (-14_000.0, 2_000.0, ["10,000 BC", "5000 BC", "AD 1"]),
    ],
)
def test_ticks_are_round_years_as_people_count_them(low, high, years):
    assert [label(year) for year in ticks_between(low, high)] == years


def test_ticks_of_any_span_are_few():
    for exponent in range(10):
        for span in (1, 3, 8):
            wide = span * 10**exponent
            assert len(ticks_between(-wide, wide)) <= 6
    assert label(ticks_between(-999_999_999, -999_999_000)[0]).endswith(" BC")


@pytest.mark.parametrize(
    ("when", "years"),
    [
        ("1924", (1924, 1924)),
        ("c. 1924", (1922, 1926)),
        ("before 1945", (1945, 1945)),
        ("after 1945", (1945, 1945)),
        ("480 BC", (-479, -479)),
        ("15 March 44 BC", (-43, -43)),
    ],
)
def test_an_open_end_takes_the_year_of_the_other(when, years):
    assert bounds(divergence(when)) == years


# --- The line of all history ------------------------------------------------------------------


def test_the_scale_runs_from_one_end_to_the_other_and_never_back():
    places = [on_scale(year) for year in range(-12_000, 2_100, 10)]
    assert (places[0], places[-1]) == (0.0, 100.0)
    assert places == sorted(places)
    assert on_scale(-1999) == 0.0
    assert on_scale(1900) == 80.0


def test_a_part_of_history_is_drawn_as_wide_as_the_whole():
    assert scale_between(None, None) == scale_between(-50_000, 2_400) == divergence_axis.SCALE
    for first, last in itertools.combinations_with_replacement(range(-4_000, 3_000, 97), 2):
        scale = scale_between(first, last)
        assert (scale[0][1], scale[-1][1]) == (0.0, 100.0)
        assert scale[0][0] <= max(first, -1999) or first >= 2000
        assert scale[-1][0] >= min(last, 2000)
        # Columns are about as wide everywhere, and ticks stand in order, apart from one another.
        assert 40 <= sum(cut for _, _, cut in divergence_axis.ages(scale)) <= 50
        places = [number(x) for x, _ in divergence_axis.ticks(scale)]
        assert places == sorted(places)
        assert all(b - a > 4 for a, b in itertools.pairwise(places))
    assert scale_between(1990, 1500) == scale_between(1500, 1990), "asked the wrong way round"


def test_eras_meet_and_take_what_lies_outside():
    assert [era[2] for era in ERAS[:-1]] == [era[1] for era in ERAS[1:]]
    assert [era_of(year)[0] for year in (-50_000, 499, 500, 1799, 1900, 2400)] == [
        *("Before 500", "Before 500", "500 to 1800", "500 to 1800", "After 1900", "After 1900")
    ]


def test_strips_stay_inside_their_era():
    for first, last in itertools.combinations_with_replacement(range(-4_000, 3_000, 97), 2):
        mark = strip(first, last, era_of(first))
        assert 0 <= number(mark.x) <= 100
        assert (mark.fuzz is None) == (first == last)
        if mark.fuzz:
            assert 0 <= number(mark.fuzz[0]) <= number(mark.x) <= number(mark.fuzz[1]) <= 100


def boxes(made: list[divergence_axis.Twig]) -> list[tuple[float, float, int, str]]:
    """Where the numbers stand, drawn as narrow as it gets: left, right, height, number."""
    return [
        (left, left + 8 * len(twig.caption), twig.top, twig.caption)
        for twig in made
        if twig.caption
        for left in [number(twig.x) / 100 * NARROWEST + 31]
    ]


def collide(made: list[divergence_axis.Twig]) -> list:
    return [
        (one, other)
        for one, other in itertools.combinations(boxes(made), 2)
        if abs(one[2] - other[2]) < 14 and one[0] < other[1] and other[0] < one[1]
    ]


CROWDS = {
    "sixteen openings and the source": [
        *(-1177, -479, -331, -215, 33, 476, 732, 1066, 1204, 1453, 1588, 1776, 1815, 1863),
        *(1914, 1924, 1936, 1940, 1945, 1962),
    ],
    "one war": [1939 + n / 10 for n in range(60)],
    "one day": [1914] * 60,
    "all of history": list(range(-2000, 2001, 68)),
    "the ends": [-9000] * 20 + [2000] * 40,
}


@pytest.mark.parametrize("years", CROWDS.values(), ids=CROWDS)
def test_numbers_never_lie_on_one_another_nor_outside(years):
    places = list(enumerate(years, 1))
    random.Random(1).shuffle(places)
    made = twigs(places)
    assert len(made) == len(years)
    assert collide(made) == []
    assert sorted(n for twig in made for n in twig.numbers) == list(range(1, len(years) + 1))
    assert all(number(twig.x) <= ROOM for twig in made)
    assert all(right <= NARROWEST for _, right, _, _ in boxes(made))


def test_twenty_of_all_times_have_a_number_each():
    years = CROWDS["sixteen openings and the source"]
    made = twigs(list(enumerate(years, 1)))
    assert [twig.caption for twig in made] == [str(n) for n in range(1, 21)]
    # Neighbours stand on different heights.
    assert all(one.top != other.top for one, other in itertools.pairwise(made))


def test_where_there_is_no_room_numbers_are_joined():
    made = twigs([(n, 1914) for n in range(1, 13)])
    assert [twig.caption for twig in made] == ["1", "2", "3", "4", "5", "6", "7", "8–12", *[""] * 4]
