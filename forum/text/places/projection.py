"""How the map is laid out: Gall's stereographic cylinder, a compromise between size and shape.

Longitude and latitude go into x and y each for itself, so that what lies in a part of the map is a
range of both, which a database can be asked for. The world is 1,000 units wide, the equator and the
meridian of Greenwich are 0; y grows downwards, as in SVG.
"""

from math import atan, degrees, pi, radians, sqrt, tan

WIDTH = 1000.0
# The cylinder cuts the globe at 45 degrees north and south.
_HEIGHT = WIDTH / (2 * pi * sqrt(0.5)) * (1 + sqrt(0.5))


def x_of(longitude: float) -> float:
    """How far right of Greenwich a longitude lies."""
    return longitude * WIDTH / 360


def y_of(latitude: float) -> float:
    """How far below the equator a latitude lies."""
    return -_HEIGHT * tan(radians(latitude) / 2)


def longitude_of(x: float) -> float:
    """The longitude at an x."""
    return x * 360 / WIDTH


def latitude_of(y: float) -> float:
    """The latitude at a y."""
    return -2 * degrees(atan(y / _HEIGHT))
