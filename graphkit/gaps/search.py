"""One search for gaps over a store: every kind, ranked, with the words that must stand beside the result."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property
from time import perf_counter
from typing import Final

import polars as pl

from graphkit import queries
from graphkit.errors import unknown_name
from graphkit.gaps import (
    broker,
    commitments,
    community_hole,
    constrained,
    data_gap,
    dormant_tie,
    empty_cell,
    fragile_point,
    group_bridging,
    inward_group,
    missing_partnership,
    no_eligible,
    no_funding_path,
    one_sided,
    peripheral,
)
from graphkit.gaps.base import KINDS, TIERS, Gap
from graphkit.gaps.caps import capped
from graphkit.gaps.ground import Ground, listed, load_ground
from graphkit.gaps.group_bridging import Group
from graphkit.gaps.means import Means, load_means
from graphkit.gaps.places import Places, grouped, places_of
from graphkit.gaps.reviews import Respected, load_reviews, newest_reviews, respected
from graphkit.monitor import Standing, monitor
from graphkit.network import Network
from graphkit.store import Store, Version

__all__ = ["GapReport", "as_frame", "find_gaps", "parts_by"]

_SMALL_NETWORK = 300
_NAMED = 50
_DIVISIONS = ("region", "theme", "network")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class GapReport:
    """The gaps of one search, ranked within each kind, and what they were found in.

    `banner` says what a reader must know before believing any of them; `as_of` is the last day that the
    sources speak of. `left_out` counts by kind the gaps that are not given because an organisation would stand in
    too many. `places` tells in which regions and on which themes a gap lies. `dismissed` are the gaps that were found
    and are not given because a review dismissed them; `done` those that a review of late says are done.
    """

    gaps: tuple[Gap, ...]
    standings: tuple[Standing, ...]
    network: Network
    as_of: date
    version: Version | None
    banner: str
    seconds: float
    left_out: Mapping[str, int] = field(default_factory=dict)
    places: Places = field(default_factory=lambda: Places({}, {}))
    dismissed: tuple[Gap, ...] = ()
    done: tuple[Gap, ...] = ()

    @property
    def every(self) -> tuple[Gap, ...]:
        """All gaps that were found, with those that are left out after a review."""
        return self.gaps + self.dismissed + self.done

    def left_out_after_review(self) -> GapReport:
        """Return the report of the gaps that were dismissed or done, in place of those that are given."""
        return replace(self, gaps=self.dismissed + self.done, dismissed=(), done=())

    def of_kind(self, code: str) -> tuple[Gap, ...]:
        """Return the gaps of one kind, highest score first."""
        return tuple(gap for gap in self.gaps if gap.kind == code)

    def counts(self) -> dict[str, int]:
        """Return how many gaps of each kind were found, in the order of `KINDS`, none left out."""
        return {code: len(self.of_kind(code)) for code in KINDS}

    def by_region(self) -> Mapping[str, tuple[Gap, ...]]:
        """Return the gaps by the name of each region in which a member is.

        A gap whose members are in two or three regions stands under each of them; last come those in more, under
        "across several", and those of which no region is known, under "not known".
        """
        return grouped(self.gaps, self.places.regions_of)

    def by_theme(self) -> Mapping[str, tuple[Gap, ...]]:
        """Return the gaps by the name of each theme, in the same way as by region.

        The themes of a gap are those of its members, or, where these have none, of the activities in its evidence.
        """
        return grouped(self.gaps, self.places.themes_of)

    def by_network(self) -> Mapping[str, tuple[Gap, ...]]:
        """Return the gaps by the name of each network or consortium that a member belongs to, as by region."""
        return grouped(self.gaps, self.places.networks_of)


@dataclass(frozen=True, eq=False)
class _Found:
    """What the finders read, each part read once and only where a finder asks for it."""

    store: Store
    ground: Ground
    means: Means
    standings: list[Standing]
    said: list[str] = field(default_factory=list)
    """What a finder did not look at, in sentences for the banner."""

    @cached_property
    def groups(self) -> list[Group]:
        """The groups by region, kind and theme."""
        return group_bridging.groups_of(self.ground)


_FINDERS: Final[tuple[tuple[frozenset[str], Callable[[_Found], list[Gap]]], ...]] = (
    (frozenset({"C1", "C2", "D"}), lambda found: commitments.find(found.standings)),
    (frozenset({"C3", "D"}), lambda found: empty_cell.find(found.ground, found.means)),
    (frozenset({"C4", "D"}), lambda found: no_funding_path.find(found.ground, found.means)),
    (frozenset({"C5", "D"}), lambda found: no_eligible.find(found.ground, found.means)),
    (frozenset({"R1"}), lambda found: fragile_point.find(found.ground)),
    (frozenset({"P1"}), lambda found: missing_partnership.find(found.ground, found.said.append)),
    (frozenset({"P2"}), lambda found: dormant_tie.find(found.ground, found.said.append)),
    (frozenset({"S1", "D"}), lambda found: one_sided.find(found.ground, found.means)),
    (frozenset({"G1"}), lambda found: group_bridging.find(found.ground, found.groups, found.said.append)),
    (frozenset({"G2"}), lambda found: inward_group.find(found.ground, found.groups)),
    (frozenset({"G3"}), lambda found: community_hole.find(found.ground)),
    (frozenset({"B1"}), lambda found: broker.find(found.ground, found.groups, found.said.append)),
    (frozenset({"B2"}), lambda found: constrained.find(found.ground)),
    (frozenset({"R2"}), lambda found: peripheral.find(found.ground)),
    (frozenset({"D"}), lambda found: data_gap.find(found.store, found.ground.focus)),
)
"""The finders, each with the kinds that it may give: what is asked for decides which of them run."""


def find_gaps(
    store: Store,
    *,
    kinds: Collection[str] = (),
    today: date | None = None,
    per_organisation: int | None = None,
    region: str | None = None,
) -> GapReport:
    """Search `store` for gaps of the given kinds (codes of `KINDS`; all by default).

    With `region` (the IRI of a place, or "place/slug") only those are given of which a member lies in it or in a place
    inside it, or is such a place: the limits of length then hold for these alone.

    `today` bounds what can be said (default: the present day). `per_organisation` is in how many gaps of a kind with a
    cap (C4, P1, P2, S1) one organisation may stand; the report counts what is left out for that. Gaps come in the
    order of `KINDS`, within a kind by tier, falling score, and then by IRI. The reviews that `store` holds are
    respected: see `graphkit.gaps.reviews.respected`. Raises `UnknownNameError` for a kind or a region that is not
    known, `UsageError` for a cap below 1.
    """
    for code in kinds:
        if code not in KINDS:
            raise unknown_name("kind of gap", code, KINDS)
    start, today = perf_counter(), today or datetime.now(UTC).date()
    means = load_means(store)
    focus = _focus(store, means, region) if region else None
    found = _Found(store, load_ground(store, today, focus), means, monitor(store, today))
    after = respected(_all(found, frozenset(kinds or KINDS)), newest_reviews(load_reviews(store)), today)
    gaps, left_out = capped(after.shown, per_organisation)
    said = (
        *_asked_for(found.means, region, focus),
        _banner(found.ground),
        *_left_out(left_out),
        *_set_aside(after),
        *found.said,
        *_unsearched(found.ground, kinds),
    )
    seconds = perf_counter() - start
    _log.info("%d gaps found in %.2f s", len(gaps), seconds)
    return GapReport(
        gaps=tuple(gaps),
        standings=tuple(found.standings),
        network=found.ground.network,
        as_of=found.ground.as_of,
        version=store.version,
        banner=" ".join(said),
        seconds=seconds,
        left_out=left_out,
        places=places_of(found.ground, found.means),
        dismissed=after.dismissed,
        done=after.done,
    )


def _all(found: _Found, wanted: frozenset[str]) -> list[Gap]:
    """Run the finders that may give a wanted kind, and put what they find in order."""
    order = list(KINDS)
    gaps = [gap for kinds, find in _FINDERS if kinds & wanted for gap in find(found) if gap.kind in wanted]
    focus = found.ground.focus
    if focus is not None:
        gaps = [gap for gap in gaps if not focus.isdisjoint(gap.members)]
    return sorted(gaps, key=lambda gap: (order.index(gap.kind), TIERS.index(gap.tier), -gap.score, gap.members))


def _focus(store: Store, means: Means, region: str) -> frozenset[str]:
    """Return the places of a region, it included, and what lies in one of them."""
    places = frozenset(queries.run(store, "region/places", region=region)["place"])
    if not places:
        raise unknown_name("region", region, means.region_labels)
    return places.union(means.regions.filter(pl.col("region").is_in(places))["thing"])


def _asked_for(means: Means, region: str | None, focus: frozenset[str] | None) -> list[str]:
    """Say of which region the gaps are."""
    if region is None or focus is None:
        return []
    name = next((label for iri, label in means.region_labels.items() if iri.endswith(region) and iri in focus), region)
    return [f"Only gaps of which something lies in {name} are given."]


def _left_out(counts: Mapping[str, int]) -> list[str]:
    """Say how many gaps are not given because an organisation would stand in too many."""
    if not counts:
        return []
    said = listed([f"{count} of {code}" for code, count in counts.items()])
    return [f"Left out, so that no organisation fills a list and no list gets too long: {said}."]


def _set_aside(after: Respected) -> list[str]:
    """Say how many gaps are not given because of what people made of them."""
    counts = ((len(after.dismissed), "dismissed"), (len(after.done), "said to be done"))
    said = listed([f"{count} {what}" for count, what in counts if count])
    return [f"Left out after review: {said}."] if said else []


def _unsearched(ground: Ground, kinds: Collection[str]) -> list[str]:
    """Say where circles were not searched for because of the size of the network."""
    joined = int((ground.network.adjacency.sum(axis=1) > 0).sum())
    if joined <= community_hole.LARGEST or (kinds and "G3" not in kinds):
        return []
    return [f"Holes between communities (G3) are searched for up to {community_hole.LARGEST} organisations only."]


def _banner(ground: Ground) -> str:
    """Say how small the graph is and how far it reaches, so that nobody takes a hint for a forecast."""
    joined = int((ground.network.adjacency.sum(axis=1) > 0).sum())
    size = ground.organisations.height
    reach = f"The sources speak up to {ground.as_of}."
    if ground.scopes.is_empty():
        reach = "No source declares how far it is complete, so no missing partnership is claimed."
    known = f"Of {size} organisations and groups, {joined} have a known joint activity."
    if size >= _SMALL_NETWORK:
        return f"{known} {reach} A missing link in the graph is not a missing collaboration in the world."
    return (
        f"A small graph. {known} {reach} Read partnerships as introductions to consider, not as forecasts: with so"
        " few organisations no probability can be given, and a missing link in the graph is not a missing"
        " collaboration in the world."
    )


def parts_by(report: GapReport, by: str) -> list[GapReport]:
    """Divide a report by `region`, `theme` or `network`: a report for each, its name and number of gaps as the banner.

    The first has the banner of the whole and no gap. A gap that lies in two or three stands in each. Raises
    `UnknownNameError` for another word.
    """
    if by not in _DIVISIONS:
        raise unknown_name("division of gaps", by, _DIVISIONS)
    groups = {"region": report.by_region, "theme": report.by_theme, "network": report.by_network}[by]()
    word = by.capitalize()
    parts = [
        replace(report, gaps=gaps, banner=f"{word} {name}: {len(gaps)} gap{'' if len(gaps) == 1 else 's'}.")
        for name, gaps in groups.items()
    ]
    return [replace(report, gaps=()), *parts]


def _members(labels: Sequence[str]) -> str:
    """Join the names of the members, of very many the first."""
    more = [f"and {len(labels) - _NAMED:,} more"] if len(labels) > _NAMED else []
    return " · ".join([*labels[:_NAMED], *more])


def as_frame(report: GapReport) -> pl.DataFrame:
    """Return the gaps as a frame with a row each.

    Columns: rank, kind, members, score, tier, explanation, action, regions, themes, gap (its key), review (the newest
    one in words, or ""); names joined by " · ", of more than fifty members the first fifty.
    """
    rows = [
        (
            rank,
            gap.kind,
            _members(gap.labels),
            gap.score,
            gap.tier,
            gap.explanation,
            gap.action,
            " · ".join(report.places.regions_of(gap)),
            " · ".join(report.places.themes_of(gap)),
            gap.key,
            gap.review_words,
        )
        for rank, gap in enumerate(report.gaps, 1)
    ]
    columns = [
        "rank",
        "kind",
        "members",
        "score",
        "tier",
        "explanation",
        "action",
        "regions",
        "themes",
        "gap",
        "review",
    ]
    return pl.DataFrame(rows, schema=columns, orient="row")
