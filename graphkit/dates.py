"""A date that carries its precision: a year stays a year, a month a month."""

from __future__ import annotations

from datetime import date

__all__ = ["spoken"]

_SEASONS = {12: "winter", 1: "winter", 2: "winter", 3: "spring", 4: "spring", 5: "spring"} | {
    6: "summer",
    7: "summer",
    8: "summer",
    9: "autumn",
    10: "autumn",
    11: "autumn",
}


def spoken(day: date, precision: str = "") -> str:
    """Write `day` as exactly as it is known; `precision` is a concept of the vocabulary, or its last part.

    >>> spoken(date(2014, 1, 1), "https://w3id.org/solidarity-graph/vocabulary/precision/year")
    '2014'
    >>> spoken(date(2018, 9, 1), "month"), spoken(date(2015, 6, 21), "season"), spoken(date(2015, 12, 7))
    ('2018-09', 'summer 2015', '2015-12-07')
    """
    kind = precision.rpartition("/")[2]
    if kind == "year":
        return str(day.year)
    if kind == "month":
        return f"{day:%Y-%m}"
    return f"{_SEASONS[day.month]} {day.year}" if kind == "season" else day.isoformat()
