"""What is read of a region before its report is written: each frame is the answer of one query of `queries/region`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any, Final

import polars as pl

from graphkit import queries
from graphkit.errors import UsageError, unknown_name
from graphkit.gaps import Gap, GapReport, find_gaps
from graphkit.report.document import Asked, Named
from graphkit.store import Store
from graphkit.terms import ID, PREFIXES

__all__ = ["COMPARED", "DATA", "MONEY", "Facts", "find_region", "load_facts", "report_day"]

COMPARED: Final = ("wessex", "north-rhine-westphalia", "basque-region", "scotland", "wales", "northern-ireland")
"""The regions that a report compares with where none are chosen."""

DATA: Final = "D"
MONEY: Final = "C4"
"""The kinds of gap of missing facts and of missing money."""

_INTENDED: Final = frozenset(f"{PREFIXES['voc']}status/{name}" for name in ("planned", "proposed", "bid"))
_ENDED: Final = f"{PREFIXES['voc']}status/ended"
_UNSPECIFIED: Final = f"{PREFIXES['voc']}kind/unspecified"
"""The kind of organisations of which a source does not say the kind."""
_KNOWN: Final = "explore/labels"


@dataclass(frozen=True, eq=False, repr=False)
class Facts:
    """The frames about one region of a store, and the gaps and standings of the whole graph."""

    store: Store
    region: Named
    found: GapReport
    places: pl.DataFrame
    organisations: pl.DataFrame
    participations: pl.DataFrame
    grants: pl.DataFrame
    things: pl.DataFrame
    compared: tuple[str, ...]
    absent: tuple[str, ...]
    """Regions to compare with, and those that were asked for and are not in the graph."""

    def asked(self, query: str, **values: str) -> Asked:
        """Return how a query about this region is asked."""
        return Asked(query, (("region", self.region.iri), *values.items()))

    @cached_property
    def day(self) -> date:
        """The day from which the report speaks."""
        return report_day(self.store)

    @cached_property
    def inside(self) -> frozenset[str]:
        """The organisations of the region."""
        return frozenset(self.organisations["organisation"])

    @cached_property
    def existing(self) -> pl.DataFrame:
        """The organisations that are not only intended and have not ended, as far as the sources say."""
        away = [*sorted(_INTENDED), _ENDED]
        return self.organisations.filter(~pl.col("status").is_in(away).fill_null(value=False))

    @cached_property
    def core(self) -> frozenset[str]:
        """The organisations of a core solidarity kind."""
        return frozenset(self.organisations.filter(pl.col("core") == 1)["organisation"])

    @cached_property
    def known_for(self) -> frozenset[str]:
        """The organisations of the region of which more is known than a register tells: an activity or a grant."""
        return self.inside & {*self.participants["organisation"], *self.grants["recipient"].drop_nulls()}

    @cached_property
    def belonging(self) -> frozenset[str]:
        """Everything that belongs to the region: its places, organisations, activities, grants and other things."""
        parts = (
            self.places["place"],
            self.organisations["organisation"],
            self.participations["activity"],
            self.grants["grant"],
            self.things["thing"],
        )
        return frozenset(value for part in parts for value in part)

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """The gaps of which a member belongs to the region, in their order."""
        return tuple(gap for gap in self.found.gaps if not self.belonging.isdisjoint(gap.members))

    @cached_property
    def listed_gaps(self) -> tuple[Gap, ...]:
        """Those that a report lists and acts on: none of data, and of missing money only that of core organisations.

        A list of the beneficiaries of one fund does not tell what other funders gave, nor is it for a report on the
        sector to find money for companies.
        """
        money = (gap for gap in self.gaps if gap.kind == MONEY and not self.core.isdisjoint(gap.members))
        kept = {gap.key for gap in money}
        return tuple(gap for gap in self.gaps if gap.kind not in {DATA, MONEY} or gap.key in kept)

    @cached_property
    def participants(self) -> pl.DataFrame:
        """The participations of which somebody is named."""
        return self.participations.drop_nulls("organisation")

    @cached_property
    def names(self) -> dict[str, str]:
        """The names of all that the frames name."""
        pairs = (
            self.places.select("place", "place_label"),
            self.organisations.select("organisation", "label"),
            self.participants.select("organisation", "organisation_label"),
            self.participations.select("activity", "label"),
            self.things.select("thing", "label"),
        )
        return {iri: label for frame in pairs for iri, label in frame.iter_rows() if label}


def find_region(store: Store, name: str) -> Named:
    """Find a region by its IRI, `place/slug`, slug, or name, whatever its capitals.

    Raises `UnknownNameError` with the nearest names where there is none.
    """
    if not name.strip():
        raise UsageError("no region is named", hint="write for example: graphkit report wessex")
    short = name.strip()
    iri = short if "://" in short else ID + (short if "/" in short else f"place/{short}")
    try:
        rows = queries.run(store, _KNOWN, thing=iri).rows(named=True)
        known = rows and queries.run(store, "region/places", region=iri).height
    except UsageError:
        rows, known = [], 0
    if known:
        return Named(rows[0]["label"], iri)
    places = queries.run(store, "explore/places").unique("place", maintain_order=True)
    for place, label in places.select("place", "label").iter_rows():
        if label.casefold() == short.casefold():
            return Named(label, place)
    names = [*places["label"], *(place.removeprefix(ID) for place in places["place"])]
    raise unknown_name("region", short, names, where="report")


def report_day(store: Store) -> date:
    """Return the day from which a report speaks: that of the version, so that it always gives the same report."""
    return store.version.time.date() if store.version else datetime.now(UTC).date()


def load_facts(store: Store, region: Named, *, found: GapReport | None = None, against: tuple[str, ...] = ()) -> Facts:
    """Read what a report of `region` tells; `found` saves the search for gaps, `against` are regions to compare with.

    Without `against` those of `COMPARED` are taken which the graph has. Raises `UnknownNameError` for a region in
    `against` that is not known.
    """
    found = found or find_gaps(store, today=report_day(store))
    asked = {"region": region.iri}
    organisations = queries.run(store, "region/organisations", **asked)
    places = queries.run(store, "region/places", **asked)
    compared, absent = _compared(store, region, against)
    return Facts(
        store=store,
        region=region,
        found=found,
        places=_texts(places, "comment").with_columns(pl.col("confidence").cast(pl.Float64)),
        organisations=_texts(organisations, "kind", "kind_label", "status").with_columns(
            pl.when(pl.col("kind") != _UNSPECIFIED).then(pl.col("kind", "kind_label")),
            pl.col("core").cast(pl.Int64),
            pl.col("latitude", "longitude").cast(pl.Float64),
        ),
        participations=_texts(
            queries.run(store, "region/participations", **asked), "organisation", "organisation_label", "kind_label"
        ).with_columns(pl.col("date").cast(pl.Date)),
        grants=_texts(queries.run(store, "region/grants", **asked), "funder", "recipient", "currency").with_columns(
            pl.col("amount").cast(pl.Decimal(38, 2)), pl.col("date").cast(pl.Date), pl.col("structural").cast(pl.Int64)
        ),
        things=queries.run(store, "region/things", **asked).with_columns(pl.col("date").cast(pl.Date)),
        compared=compared,
        absent=absent,
    )


def _texts(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    return frame.with_columns(pl.col(columns).cast(pl.String))


def _compared(store: Store, region: Named, against: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if against:
        named = [find_region(store, name).iri for name in against]
        return tuple(dict.fromkeys([region.iri, *named])), ()
    wanted = [f"{ID}place/{name}" for name in COMPARED]
    known: set[Any] = set(queries.run(store, _KNOWN, thing=wanted)["thing"])
    there = [iri for iri in wanted if iri in known]
    return tuple(dict.fromkeys([region.iri, *there])), tuple(iri for iri in wanted if iri not in known)
