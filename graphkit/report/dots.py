"""Where the points of a map lie on a picture: an equirectangular projection true at the middle latitude."""

from __future__ import annotations

from io import BytesIO
from math import cos, radians, sqrt
from typing import Final

from graphkit.report.printing import picture_library

__all__ = ["picture", "placed"]

_WIDTH: Final = 720.0
_MOST_HEIGHT: Final = 720.0
_ROOM: Final = 24.0
_LEAST: Final = 0.05
_FINE: Final = 4
"""How many times as large it is drawn before it is made smaller, so that edges are smooth."""
_FRAME, _LINE, _FILL = (207, 216, 212), (15, 92, 75), (120, 180, 165)


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


def picture(points: tuple[tuple[float, float, int], ...]) -> bytes:
    """Draw the points as a PNG, as the HTML and the PDF show them; the same points give the same bytes.

    Raises `MissingExtraError` where Pillow, which comes with the extra `report`, is not installed.
    """
    library = picture_library()
    width, height, circles = placed(points)
    size = (round(width) * _FINE, round(height) * _FINE)
    image = library.new("RGB", size, "white")
    pen = library.ImageDraw.Draw(image)
    pen.rectangle((0, 0, size[0] - 1, size[1] - 1), outline=_FRAME, width=_FINE)
    for x, y, radius in circles:
        box = tuple(round(side * _FINE) for side in (x - radius, y - radius, x + radius, y + radius))
        pen.ellipse(box, fill=_FILL, outline=_LINE, width=_FINE)
    whole = BytesIO()
    image.resize((round(width) * 2, round(height) * 2), library.Resampling.LANCZOS).save(whole, "PNG", dpi=(220, 220))
    return whole.getvalue()
