"""Where the points of a map lie on a picture: an equirectangular projection true at the middle latitude."""

from __future__ import annotations

from math import cos, radians, sqrt
from typing import Final

__all__ = ["placed"]

_WIDTH: Final = 720.0
_MOST_HEIGHT: Final = 720.0
_ROOM: Final = 24.0
_LEAST: Final = 0.05


def placed(points: tuple[tuple[float, float, int], ...]) -> tuple[float, float, list[tuple[float, float, float]]]:
    """Return width and height of a picture and, for each point, x, y and radius; larger circles first.

    The area of a circle grows with the number of organisations. North is up.

    >>> placed(((0.0, 50.0, 1),))
    (720.0, 720.0, [(360.0, 360.0, 3.0)])
    """
    east, north = [point[0] for point in points], [point[1] for point in points]
    middle = ((min(east) + max(east)) / 2, (min(north) + max(north)) / 2)
    narrow = max(cos(radians(middle[1])), _LEAST)
    wide, high = max((max(east) - min(east)) * narrow, _LEAST), max(max(north) - min(north), _LEAST)
    scale = min((_WIDTH - 2 * _ROOM) / wide, (_MOST_HEIGHT - 2 * _ROOM) / high)
    height = high * scale + 2 * _ROOM
    circles = [
        (
            _WIDTH / 2 + (longitude - middle[0]) * narrow * scale,
            height / 2 - (latitude - middle[1]) * scale,
            min(2.0 + sqrt(number), _ROOM),
        )
        for longitude, latitude, number in points
    ]
    return _WIDTH, round(height, 6), sorted(circles, key=lambda circle: -circle[2])
