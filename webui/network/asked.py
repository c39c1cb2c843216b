"""What a view of the network asks, read from its address and written back to it: the whole state of a view."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from graphkit.errors import UsageError
from graphkit.terms import ID

__all__ = ["DEFAULT", "Asked", "full", "short"]

DEFAULT: Final = "networks/collaboration"
"""The network of working together, on which gaps are found."""

_LONGEST: Final = 300
_YEAR: Final = re.compile(r"\d{4}")
_OPEN: Final = re.compile(r"all|none|\d{1,6}(,\d{1,6})*")
_PAIR: Final = 2
_LAST_YEAR: Final = 9999


@dataclass(frozen=True, slots=True)
class Asked:
    """A view: which network, of which version, what is filtered, what is open and selected, how it looks.

    `since` and `until` are years, 0 for none. `open` is "all", "none", numbers of communities, or "" for what suits
    the size. `organisation` asks for the ego view, `depth` ties around it. `selected`, `tie`, `gap` and `bubble` say
    what the panel shows: an organisation, a pair, the key of a gap, a community. IRIs of our own things are short:
    "organisation/mill".
    """

    network: str = DEFAULT
    version: int = 0
    kind: str = ""
    theme: str = ""
    region: str = ""
    community: str = ""
    find: str = ""
    since: int = 0
    until: int = 0
    organisation: str = ""
    depth: int = 1
    open: str = ""
    colour: str = "community"
    size: str = "degree"
    gaps: str = ""
    selected: str = ""
    tie: str = ""
    gap: str = ""
    bubble: str = ""
    sort: str = ""
    page: int = 1

    @classmethod
    def of(cls, args: MultiDict[str, str] | Mapping[str, str]) -> Asked:
        """Read a view from the values of an address; raises `UsageError` for a value that cannot be one."""
        texts = {each.name: str(args.get(each.name, ""))[:_LONGEST].strip() for each in fields(cls)}
        given: dict[str, Any] = {name: text for name, text in texts.items() if text}
        for name, read in _READ.items():
            if name in given:
                given[name] = read(name, given[name])
        if given.get("since", 0) > given.get("until", _LAST_YEAR):
            raise UsageError("the first year lies after the last", where="since, until", hint="change one of the two")
        return cls(**given)

    @property
    def number(self) -> int | None:
        """The number of the version, None for the newest."""
        return self.version or None

    @property
    def ends(self) -> tuple[str, str] | None:
        """The IRIs of the two ends of the tie that is selected."""
        first, _, second = self.tie.partition(" ")
        return (full(first), full(second.strip())) if second else None

    def values(self) -> dict[str, str]:
        """Return what differs from the plain view, as texts."""
        return {each.name: str(value) for each in fields(self) if (value := getattr(self, each.name)) != each.default}

    def but(self, **changes: Any) -> Asked:  # noqa: ANN401 - fields of this class
        """Return the view with some things otherwise; the page of the table begins anew unless it is one of them."""
        return replace(self, **{"page": 1, **changes})

    def search(self, **changes: Any) -> str:  # noqa: ANN401 - fields of this class
        """Write the view, with some things otherwise, as what stands behind a path: "?kind=…", or nothing."""
        values = self.but(**changes).values()
        return f"?{urlencode(values, safe='/:,')}" if values else ""


def short(iri: str) -> str:
    """Shorten the IRI of one of our own things to kind/slug.

    >>> short("https://w3id.org/solidarity-graph/id/organisation/mill"), short("urn:x")
    ('organisation/mill', 'urn:x')
    """
    return iri.removeprefix(ID)


def full(name: str) -> str:
    """Return the IRI that `short` shortened.

    >>> full("organisation/mill"), full("urn:x")
    ('https://w3id.org/solidarity-graph/id/organisation/mill', 'urn:x')
    """
    return name if ":" in name or not name else ID + name


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise UsageError(f"'{name}' is not a number: {text}", where=name, hint=f"write {name}=1")
    return int(text[:9])


def _depth(name: str, text: str) -> int:
    if text not in {"1", "2", "3"}:
        raise UsageError("the depth is not 1, 2 or 3", where=name, hint="write depth=1")
    return int(text)


def _year(name: str, text: str) -> int:
    if not _YEAR.fullmatch(text):
        raise UsageError(f"'{text}' is no year", where=name, hint=f"write four digits, such as {name}=2015")
    return int(text)


def _opened(name: str, text: str) -> str:
    if not _OPEN.fullmatch(text):
        raise UsageError("'open' names no communities", where=name, hint="write open=all, open=none or open=0,3")
    return text


def _colour(name: str, text: str) -> str:
    if text not in {"community", "kind"}:
        raise UsageError("the colour shows 'community' or 'kind'", where=name, hint="write colour=kind")
    return text


def _pair(name: str, text: str) -> str:
    if len(text.split()) != _PAIR:
        raise UsageError("a tie has two ends", where=name, hint=f"write {name}=organisation/a organisation/b")
    return " ".join(map(short, text.split()))


def _shortened(_name: str, text: str) -> str:
    return short(text)


_READ: Final[Mapping[str, Callable[[str, str], str | int]]] = MappingProxyType(
    {
        "version": _number,
        "page": _number,
        "depth": _depth,
        "since": _year,
        "until": _year,
        "open": _opened,
        "colour": _colour,
        "tie": _pair,
        "organisation": _shortened,
        "selected": _shortened,
    }
)
"""How the values of an address are read that are not taken as they stand."""
