"""Places on the map: names in the gazetteer, and points and areas as people write them."""

import pytest

from forum.text.places import FARTHEST, NotAPlace, Spot, checked, find, folded, meant, read_spot
from forum.text.places.projection import latitude_of, longitude_of, x_of, y_of


@pytest.mark.parametrize(
    ("typed", "spot"),
    [
        ("55.75, 37.62", Spot(55.75, 37.62)),
        ("55.75,37.62", Spot(55.75, 37.62)),
        ("40.3 N, 3.6 W", Spot(40.3, -3.6)),
        ("33.9° S 151.2° E", Spot(-33.9, 151.2)),
        ("40.3, -3.6, 400 km", Spot(40.3, -3.6, 400)),
        ("40.3, −3.6, 400", Spot(40.3, -3.6, 400)),
        ("-0, -0", Spot(0, 0)),
        ("1.23456789, 2", Spot(1.2346, 2)),
    ],
)
def test_points_and_areas_are_read_and_written_again(typed, spot):
    assert read_spot(typed) == spot
    assert read_spot(str(spot)) == spot


@pytest.mark.parametrize(
    "typed",
    ["", "Spain", "91, 0", "0, 181", "1", "1, 2, -3 km", f"1, 2, {FARTHEST + 1} km", "1;2;3;4"],
)
def test_what_is_no_place_is_refused(typed):
    with pytest.raises(NotAPlace):
        read_spot(typed)


def test_numbers_that_are_none_lie_nowhere():
    for latitude, longitude in ((float("nan"), 0), (0, float("inf"))):
        with pytest.raises(NotAPlace):
            checked(latitude, longitude)


@pytest.mark.parametrize(
    ("name", "near", "area"),
    [
        ("Moscow", (55.8, 37.6), False),
        ("moscow, russia", (55.8, 37.6), False),
        ("Spain", (40, -4), True),
        ("somewhere in Spain", (40, -4), True),
        ("Peking", (39.9, 116.4), False),
        ("Constantinople", (41, 29), False),
        ("Tenochtitlan", (19.4, -99.1), False),
        ("Córdoba, Spain", (37.9, -4.8), False),
        ("Cordoba, Argentina", (-31.4, -64.2), False),
        ("Springfield, Illinois", (39.8, -89.6), False),
        ("Indian Ocean", (-10, 75), True),
        ("Malta", (35.9, 14.4), True),
        ("  GONAÏVES  ", (19.4, -72.7), False),
    ],
)
def test_a_name_means_a_place(name, near, area):
    spot = meant(name)
    assert spot is not None
    assert abs(spot.latitude - near[0]) < 1
    assert abs(spot.longitude - near[1]) < 1
    assert bool(spot.radius) is area


def test_a_name_of_several_places_asks_which():
    names = [one.name for one in find("Córdoba")]
    assert "Córdoba, Spain" in names
    assert "Córdoba, Argentina" in names
    assert meant("Córdoba") is None
    assert len(find("Springfield")) > 1


@pytest.mark.parametrize(
    "name", ["", " ", "Zqplace", "the bridge", "#", "# Towns", "中", "\0", "a\tb", "x" * 120]
)
def test_what_no_map_names_is_nowhere(name):
    assert find(name) == []


def test_names_are_folded():
    assert folded("São Tomé") == folded("SAO  TOME") == "sao tome"
    assert folded("Łódź") == "lodz"
    assert folded("Straßburg") == "strassburg"


def test_the_projection_can_be_turned_around():
    for latitude in (-80, -57.3, 0, 12.5, 81):
        assert abs(latitude_of(y_of(latitude)) - latitude) < 1e-9
    for longitude in (-180, -3.6, 0, 151):
        assert abs(longitude_of(x_of(longitude)) - longitude) < 1e-9
