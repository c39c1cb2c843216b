"""What the finders of money, capability and report read beside the ground: awards, calls, objectives, registers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import polars as pl

from graphkit import ontology, queries
from graphkit.gaps.base import Evidence
from graphkit.gaps.calls import Call, calls_of, still_open
from graphkit.gaps.candidates import Candidates
from graphkit.network import Network
from graphkit.store import Store

__all__ = ["Means", "Register", "load_means", "wider"]


@dataclass(frozen=True, slots=True)
class Register:
    """A completeness scope about `organisations`, `money` or `activities`.

    `covered` are the regions inside it, or its subject; `sorts` the kinds of organisation or the funders that its
    source names, and for which alone it can be complete. Where that names none nothing is narrowed.
    """

    scope: str
    label: str
    about: str
    region: str | None
    region_label: str
    end: date | None
    covered: frozenset[str]
    sorts: frozenset[str]

    @property
    def evidence(self) -> Evidence:
        """The scope as evidence: a claim of absence stands on it."""
        return Evidence(self.scope, self.label, "declared complete up to here", self.end)


@dataclass(frozen=True, eq=False, repr=False)
class Means:
    """What organisations can bring, what is on offer, and whom money reaches.

    `capabilities`, `awards`, `calls`, `themes`, `regions`, `reports` and `own_scopes` are the answers of the queries
    of `queries/gaps/` with these names, `objectives` that of `policy/objectives`, `registers` the scopes of
    `gaps/registers`.
    """

    capabilities: pl.DataFrame
    awards: pl.DataFrame
    calls: pl.DataFrame
    objectives: pl.DataFrame
    themes: pl.DataFrame
    regions: pl.DataFrame
    reports: pl.DataFrame
    own_scopes: pl.DataFrame
    registers: tuple[Register, ...]

    def candidates(self, network: Network) -> Candidates:
        """Return what organisations can bring to a consortium."""
        return Candidates.from_frame(self.capabilities, network)

    def registers_of(self, about: str) -> tuple[Register, ...]:
        """Return the scopes about `organisations`, `money` or `activities`."""
        return tuple(register for register in self.registers if register.about == about)

    @cached_property
    def regions_of(self) -> Mapping[str, frozenset[str]]:
        """The regions in which each organisation works, the larger ones around them included."""
        pairs = self.capabilities.select("organisation", "region").drop_nulls().unique()
        groups = pairs.group_by("organisation").agg("region")
        return {organisation: frozenset(regions) for organisation, regions in groups.rows()}

    @cached_property
    def region_labels(self) -> Mapping[str, str]:
        """The names of regions by IRI."""
        named = self.capabilities.select("region", "region_label").drop_nulls().unique().sort("region", "region_label")
        return dict(named.rows())

    @cached_property
    def themes_of(self) -> Mapping[str, frozenset[str]]:
        """The themes that each thing names as its subject."""
        groups = self.themes.select("thing", "theme").unique().group_by("thing").agg("theme")
        return {thing: frozenset(themes) for thing, themes in groups.rows()}

    @cached_property
    def theme_labels(self) -> Mapping[str, str]:
        """The names of themes by IRI."""
        return dict(self.themes.select("theme", "theme_label").unique().sort("theme", "theme_label").rows())

    @cached_property
    def offered(self) -> tuple[Call, ...]:
        """The calls and funding programmes, in order of IRI."""
        return calls_of(self.calls)

    def open_on(self, day: date) -> tuple[Call, ...]:
        """Return the calls and programmes that may be open on a day, as `still_open` tells, in order of IRI."""
        return calls_of(still_open(self.calls, day, "call"))


def load_means(store: Store) -> Means:
    """Read from `store` what the finders of money, capability and report need."""
    return Means(
        capabilities=queries.run(store, "gaps/capabilities"),
        awards=queries.run(store, "gaps/awards").with_columns(pl.col("date").cast(pl.Date)),
        calls=queries.run(store, "gaps/calls").with_columns(pl.col("deadline", "issued").cast(pl.Date)),
        objectives=queries.run(store, "policy/objectives"),
        themes=queries.run(store, "gaps/themes"),
        regions=queries.run(store, "gaps/regions"),
        reports=queries.run(store, "gaps/reports"),
        own_scopes=queries.run(store, "gaps/own-scopes").with_columns(pl.col("start", "end").cast(pl.Date)),
        registers=_registers(queries.run(store, "gaps/registers"), queries.run(store, "gaps/register-sorts")),
    )


def _registers(frame: pl.DataFrame, sorts: pl.DataFrame) -> tuple[Register, ...]:
    found, named = [], dict[tuple[str, str], set[str]]()
    for scope, about, sort in sorts.rows():
        named.setdefault((scope, about), set()).add(sort)
    rows = frame.with_columns(pl.col("end").cast(pl.Date)).sort("scope", "about", "region", nulls_last=True)
    for key, group in rows.group_by("scope", "about", maintain_order=True):
        first = group.row(0, named=True)
        covered = frozenset(group["covered"])
        label, region = first["region_label"] or "", first["region"]
        scope, about = str(key[0]), str(key[1])
        kept = frozenset(named.get((scope, about), ()))
        found.append(Register(scope, first["label"], about, region, label, first["end"], covered, kept))
    return tuple(found)


def wider(scheme: str) -> Mapping[str, frozenset[str]]:
    """Return for each concept of a vocabulary itself and all that are wider."""
    rows = ontology.concepts().filter(pl.col("scheme") == scheme).select("concept", "broader").rows()
    broader: dict[str, set[str]] = {}
    for concept, above in rows:
        broader.setdefault(concept, set()).update([above] if above else [])
    return {concept: _above(concept, broader) for concept in broader}


def _above(concept: str, broader: Mapping[str, set[str]]) -> frozenset[str]:
    found, waiting = {concept}, [concept]
    while waiting:
        fresh = broader.get(waiting.pop(), set()) - found
        found |= fresh
        waiting += sorted(fresh)
    return frozenset(found)
