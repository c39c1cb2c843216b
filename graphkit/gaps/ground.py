"""What every search for gaps stands on: the network, its organisations, what they do, and how far sources reach."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from graphkit import queries
from graphkit.gaps.base import Evidence
from graphkit.network import Network, load_network
from graphkit.store import Store

__all__ = ["Ground", "listed", "load_ground"]

_SPOKEN_NAMES = 6
_TELLING_SHARE = 0.25
_BITS = 64


@dataclass(frozen=True, eq=False, repr=False)
class Ground:
    """The frames that the finders read; every one is the answer of the query of `queries/gaps/` with its name.

    `network` is the network of working together. `as_of` is the day up to which something can be said: today,
    or the last day of the completeness scopes where that is earlier. `focus` are the things of which one must be in a
    gap, where only those of a region are asked for.
    """

    network: Network
    organisations: pl.DataFrame
    takes_part: pl.DataFrame
    places: pl.DataFrame
    related: pl.DataFrame
    scopes: pl.DataFrame
    as_of: date
    focus: frozenset[str] | None = None

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """The names of organisations and activities by IRI."""
        organisations = self.organisations.select("organisation", "label").rows()
        activities = self.takes_part.select("activity", "label").unique().sort("activity", "label").rows()
        return {**dict(activities), **dict(organisations)}

    @cached_property
    def nameable(self) -> frozenset[str]:
        """The organisations that exist and have a name, so that they can be introduced to somebody."""
        frame = self.organisations.filter(pl.col("named") & ~pl.col("making"))
        return frozenset(frame["organisation"])

    @cached_property
    def covered(self) -> Mapping[str, frozenset[str]]:
        """The organisations inside each completeness scope."""
        groups = self.scopes.group_by("scope").agg("organisation").sort("scope")
        return {scope: frozenset(members) for scope, members in groups.iter_rows()}

    @cached_property
    def in_scope(self) -> frozenset[str]:
        """The organisations inside any completeness scope."""
        return frozenset(self.scopes["organisation"])

    @cached_property
    def scope_bits(self) -> NDArray[np.uint64]:
        """The completeness scopes of each organisation of the network (row), a bit each, in words of 64 scopes."""
        rows = self.network.rows
        bits = np.zeros((len(rows), -(-len(self.covered) // _BITS) or 1), dtype=np.uint64)
        for number, inside in enumerate(self.covered.values()):
            word, bit = divmod(number, _BITS)
            bits[[rows[each] for each in inside if each in rows], word] |= np.uint64(1 << bit)
        return bits

    def share_scope(self, pairs: tuple[NDArray[np.int64], NDArray[np.int64]]) -> NDArray[np.bool_]:
        """Tell for each pair of row numbers of the network whether one completeness scope covers both."""
        shared = np.zeros(pairs[0].size, dtype=bool)
        for word in self.scope_bits.T:
            shared |= (word[pairs[0]] & word[pairs[1]]) > 0
        return shared

    @cached_property
    def _in_focus(self) -> NDArray[np.bool_]:
        names, focus = self.network.organisations, self.focus
        return np.fromiter((focus is None or name in focus for name in names), dtype=bool, count=len(names))

    def asked_for(self, pairs: tuple[NDArray[np.int64], NDArray[np.int64]]) -> NDArray[np.bool_]:
        """Tell for each pair of row numbers of the network whether one of the two is in focus."""
        return self._in_focus[pairs[0]] | self._in_focus[pairs[1]]

    @cached_property
    def related_pairs(self) -> frozenset[tuple[str, str]]:
        """The pairs, in both directions, that already belong together."""
        pairs = self.related.select("source", "target").rows()
        return frozenset([*pairs, *((target, source) for source, target in pairs)])

    @cached_property
    def activities_of(self) -> Mapping[str, tuple[str, ...]]:
        """The activities by which each organisation is joined to others, in order."""
        ties = self.network.ties.select("source", "target", "activity").drop_nulls("activity")
        ends = pl.concat([ties.select(pl.col(end).alias("organisation"), "activity") for end in ("source", "target")])
        groups = ends.unique().sort("activity").group_by("organisation", maintain_order=True).agg("activity")
        return {organisation: tuple(activities) for organisation, activities in groups.iter_rows()}

    @cached_property
    def _newest_first(self) -> Mapping[str, tuple[int, str]]:
        """What the activities that join organisations are sorted by."""
        days = ((activity, self.dates.get(activity)) for activity in self.network.activities)
        return {activity: (-(day.toordinal() if day else 0), activity) for activity, day in days}

    @cached_property
    def _scope_rows(self) -> Mapping[str, Mapping[str, Any]]:
        """The first row of each completeness scope."""
        first = self.scopes.unique("scope", keep="first", maintain_order=True)
        return {row["scope"]: row for row in first.iter_rows(named=True)}

    @cached_property
    def _takes_part_in(self) -> Mapping[str, frozenset[str]]:
        return {organisation: frozenset(activities) for organisation, activities in self.activities_of.items()}

    @cached_property
    def dates(self) -> Mapping[str, date | None]:
        """The day of each activity, or None where no source gives one."""
        frame = self.takes_part.group_by("activity").agg(pl.col("date").cast(pl.Date).max())
        return dict(frame.sort("activity").rows())

    @cached_property
    def telling_themes(self) -> pl.DataFrame:
        """The rows of `takes_part` whose theme at most a quarter of the organisations with a theme share.

        What nearly everybody works on is no reason to introduce two of them.
        """
        themed = self.takes_part.drop_nulls("theme")
        having = pl.col("organisation").n_unique().over("theme")
        return themed.filter((having > 1) & (having <= max(2, themed["organisation"].n_unique() * _TELLING_SHARE)))

    def joint(self, first: str, second: str) -> tuple[str, ...]:
        """Return the activities that join two organisations, newest first, undated last."""
        none: frozenset[str] = frozenset()
        shared = self._takes_part_in.get(first, none) & self._takes_part_in.get(second, none)
        return tuple(sorted(shared, key=self._newest_first.__getitem__))

    def evidence(self, activities: Iterable[str], note: str = "") -> tuple[Evidence, ...]:
        """Return activities as evidence with their names and dates."""
        return tuple(Evidence(a, self.labels.get(a, a), note, self.dates.get(a)) for a in activities)

    def name(self, iri: str) -> str:
        """Return the name of an organisation or activity, or its IRI where it has none."""
        return self.labels.get(iri, iri)

    def scope_of(self, *organisations: str) -> str | None:
        """Return the scope that covers all of `organisations`, or None: then what is missing is not known."""
        wanted = frozenset(organisations)
        return next((scope for scope, inside in self.covered.items() if wanted <= inside), None)

    def scope_words(self, scope: str) -> str:
        """Say how far a scope reaches, to stand behind a claim that something is missing."""
        row = self._scope_rows[scope]
        among = f"the organisations of {row['region_label']}" if row["region_label"] else "the organisations covered"
        words = f"in the activities of {row['subject_label']}" if row["subject_label"] else f"among {among}"
        return f"{words}, up to {row['end']}" if row["end"] else words

    def scope_evidence(self, scope: str) -> Evidence:
        """Return a scope as evidence: a claim that something is missing stands on it."""
        row = self._scope_rows[scope]
        label = row.get("label") or self.scope_words(scope)
        return Evidence(scope, label, "declared complete up to here", row["end"])


def load_ground(store: Store, today: date, focus: frozenset[str] | None = None) -> Ground:
    """Read from `store` all that the finders need; `today` bounds what can be said, `focus` what is asked for."""
    scopes = queries.run(store, "gaps/scopes")
    truths = pl.col("named", "making").cast(pl.Boolean)
    return Ground(
        network=load_network(store),
        organisations=queries.run(store, "gaps/organisations").with_columns(truths),
        takes_part=queries.run(store, "gaps/takes-part"),
        places=queries.run(store, "gaps/places"),
        related=queries.run(store, "gaps/related"),
        scopes=scopes,
        as_of=_as_of(scopes, today),
        focus=focus,
    )


def _as_of(scopes: pl.DataFrame, today: date) -> date:
    end = scopes["end"].cast(pl.Date).max()
    return min(today, end) if isinstance(end, date) else today


def listed(names: Iterable[str], most: int = _SPOKEN_NAMES) -> str:
    """Write names as a person would say them, and how many more there are.

    >>> listed(["Mill", "Farm", "Dairy"])
    'Mill, Farm and Dairy'
    >>> listed(["Mill", "Farm", "Dairy", "Choir"], most=2)
    'Mill, Farm and 2 more'
    """
    names = list(names)
    if len(names) > most:
        names = [*names[:most], f"{len(names) - most} more"]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
