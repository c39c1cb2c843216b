"""Who could join a consortium: what each organisation can bring, where it works, and whom it has worked with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import networkx as nx
import polars as pl

from graphkit import queries
from graphkit.errors import DataError
from graphkit.network import Network, load_network
from graphkit.store import Store

__all__ = ["ASPECTS", "Candidates", "TrustPath", "load_candidates"]

ASPECTS = ("capability", "region", "kind")
"""What a consortium can be asked to cover."""


@dataclass(frozen=True, slots=True)
class TrustPath:
    """How two members are known to each other: `through` is empty where they have worked together themselves.

    `activities` are those of each step, in order: the IRIs of the joint activities. Where no chain of joint work
    leads from one to the other, `steps` is 0.
    """

    source: str
    target: str
    through: tuple[str, ...]
    activities: tuple[tuple[str, ...], ...]

    @property
    def steps(self) -> int:
        """The number of ties on the way, 0 where there is none."""
        return len(self.activities)


@dataclass(frozen=True, eq=False, repr=False)
class Candidates:
    """Organisations that can be proposed, and the network of who has worked with whom.

    `offers` has the columns `organisation, aspect, value`: what each can cover, `aspect` one of `ASPECTS`. `labels`
    names organisations, activities, capabilities, regions and kinds by IRI; `known` lists for each aspect all
    values that can be asked for, had by anybody or not. The network may hold others, through whom trust leads.
    """

    organisations: tuple[str, ...]
    offers: pl.DataFrame
    known: Mapping[str, frozenset[str]]
    labels: Mapping[str, str]
    network: Network

    @classmethod
    def from_frame(
        cls, frame: pl.DataFrame, network: Network, *, activity_labels: Mapping[str, str] | None = None
    ) -> Candidates:
        """Build candidates from the rows of the query `gaps/capabilities` and a network.

        Only `organisation` must be there of the columns; a missing one is taken as not known. Raises `DataError`
        without it.

        >>> rows = pl.DataFrame({"organisation": ["a", "b"], "capability": ["baking", None]})
        >>> Candidates.from_frame(rows, Network.from_pairs([("a", "b")])).organisations
        ('a', 'b')
        """
        if "organisation" not in frame.columns:
            raise DataError("the candidates lack the column 'organisation'", hint="see the query gaps/capabilities")
        columns = (*ASPECTS, "label", "capability_label", "region_label")
        missing = [pl.lit(None, dtype=pl.String).alias(name) for name in columns if name not in frame.columns]
        rows = frame.with_columns(missing).select(pl.col("organisation", *columns).cast(pl.String))
        stacked = rows.unpivot(on=list(ASPECTS), index="organisation", variable_name="aspect").drop_nulls("value")
        pairs = (("organisation", "label"), ("capability", "capability_label"), ("region", "region_label"))
        named = pl.concat([rows.select(iri=pl.col(thing), label=pl.col(name)) for thing, name in pairs])
        labels = dict(named.drop_nulls().unique().sort("iri", "label", descending=[False, True]).rows())
        known = stacked.group_by("aspect").agg(pl.col("value").unique())
        return cls(
            organisations=tuple(rows["organisation"].drop_nulls().unique().sort()),
            offers=stacked.drop_nulls("organisation").unique().sort("organisation", "aspect", "value"),
            known={aspect: frozenset() for aspect in ASPECTS} | {a: frozenset(v) for a, v in known.rows()},
            labels={**(activity_labels or {}), **labels},
            network=network,
        )

    def name(self, iri: str) -> str:
        """Return the name of a thing, or its IRI where it has none."""
        return self.labels.get(iri, iri)

    def having(self, aspect: str, value: str) -> frozenset[str]:
        """Return the candidates that are known to have a capability, to work in a region or to be of a kind."""
        return self._having.get((aspect, value), frozenset())

    @cached_property
    def _having(self) -> Mapping[tuple[str, str], frozenset[str]]:
        groups = self.offers.group_by("aspect", "value").agg("organisation")
        return {(aspect, value): frozenset(members) for aspect, value, members in groups.rows()}

    def trust_paths(self, members: tuple[str, ...]) -> tuple[TrustPath, ...]:
        """Return for each two members the shortest chain of joint work between them, in order of IRI."""
        rows, names = self.network.rows, self.network.organisations
        found = []
        for place, source in enumerate(members):
            reached = {}
            if source in rows and place + 1 < len(members):
                reached = nx.single_source_shortest_path(self.network.structure, rows[source])
            for target in members[place + 1 :]:
                chain = [names[row] for row in reached.get(rows.get(target, -1), [])]
                steps = tuple(self._joint(*pair) for pair in pairwise(chain))
                found.append(TrustPath(source, target, tuple(chain[1:-1]), steps))
        return tuple(found)

    def _joint(self, first: str, second: str) -> tuple[str, ...]:
        pair = (pl.col("source") == min(first, second)) & (pl.col("target") == max(first, second))
        return tuple(self.network.ties.filter(pair)["activity"].drop_nulls().unique().sort())


def load_candidates(store: Store) -> Candidates:
    """Read from `store` what organisations can bring, and the network of working together."""
    activities = queries.run(store, "gaps/takes-part").select("activity", "label").unique().sort("activity", "label")
    return Candidates.from_frame(
        queries.run(store, "gaps/capabilities"), load_network(store), activity_labels=dict(activities.rows())
    )
