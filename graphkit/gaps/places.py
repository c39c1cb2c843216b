"""Where each gap lies: the regions, the themes and the networks of whom and what it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import polars as pl

from graphkit.gaps.base import Gap
from graphkit.gaps.ground import Ground
from graphkit.gaps.means import Means

__all__ = ["ACROSS", "NOWHERE", "Places", "grouped", "places_of"]

NOWHERE = "not known"
"""The group of the gaps of which no source gives a region, or a theme."""


ACROSS = "across several"
"""The group of the gaps with more than three regions, or themes: to tell them again in each would tell nothing."""

_MOST = 3
_MEMBER = "https://w3id.org/solidarity-graph/vocabulary/role/member"


@dataclass(frozen=True, eq=False, repr=False)
class Places:
    """The names of the regions, themes and networks of things by IRI, in order."""

    regions: Mapping[str, tuple[str, ...]]
    themes: Mapping[str, tuple[str, ...]]
    networks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def regions_of(self, gap: Gap) -> tuple[str, ...]:
        """Return the regions in which a member of the gap is, or that it is about itself."""
        return _named(self.regions, gap.members)

    def themes_of(self, gap: Gap) -> tuple[str, ...]:
        """Return the themes of what the gap is about, else of the activities that are its evidence."""
        return _named(self.themes, gap.members) or _named(self.themes, (evidence.iri for evidence in gap.evidence))

    def networks_of(self, gap: Gap) -> tuple[str, ...]:
        """Return the networks and consortia to which a member of the gap belongs, or that it is about itself."""
        return _named(self.networks, gap.members)


def places_of(ground: Ground, means: Means) -> Places:
    """Collect the regions, themes and networks of what has some; a region, a theme and a network are their own."""
    regions = [*means.regions.select("thing", "region_label").rows(), *means.region_labels.items()]
    regions += ground.places.select("organisation", "label").rows()
    themes = [*means.themes.select("thing", "theme_label").rows(), *means.theme_labels.items()]
    members = ground.takes_part.filter(pl.col("role") == _MEMBER)
    networks = [*members.select("organisation", "label").rows(), *members.select("activity", "label").rows()]
    return Places(_collected(regions), _collected(themes), _collected(networks))


def grouped(gaps: Iterable[Gap], names: Callable[[Gap], Iterable[str]]) -> Mapping[str, tuple[Gap, ...]]:
    """Put gaps together by name, each under all its names, in order of name.

    Last come those with more than three names, under `ACROSS`, and those without one, under `NOWHERE`.
    """
    found: dict[str, list[Gap]] = {}
    rest: dict[str, list[Gap]] = {ACROSS: [], NOWHERE: []}
    for gap in gaps:
        under = tuple(names(gap))
        if not 0 < len(under) <= _MOST:
            rest[ACROSS if under else NOWHERE].append(gap)
            continue
        for name in under:
            found.setdefault(name, []).append(gap)
    ordered = {name: found[name] for name in sorted(found)} | {name: those for name, those in rest.items() if those}
    return {name: tuple(those) for name, those in ordered.items()}


def _collected(pairs: Iterable[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for thing, name in pairs:
        found.setdefault(thing, set()).add(name)
    return {thing: tuple(sorted(names)) for thing, names in found.items()}


def _named(names: Mapping[str, tuple[str, ...]], things: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({name for thing in things for name in names.get(thing, ())}))
