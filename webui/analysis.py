"""What several pages show of one version of the graph, computed once: gaps, networks, communities, layouts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property, lru_cache
from threading import Lock

import polars as pl

from graphkit import queries
from graphkit.gaps import GapReport, find_gaps
from graphkit.measures import groups, position
from graphkit.network import Network, load_network
from graphkit.report import report_day
from graphkit.store import Store, Version
from webui.layout import places

__all__ = ["Analysis", "Picture", "network_names"]


@dataclass(frozen=True, eq=False)
class Picture:
    """A network as it is drawn: a row for each organisation with its community, degree and place.

    `drawn` is false for an organisation without a tie, known or suggested: the tables have it, the picture not.
    """

    network: Network
    organisations: pl.DataFrame
    communities: pl.DataFrame


class Analysis:
    """Answers about the newest version of a store; a new version is computed anew, an old one is forgotten."""

    def __init__(self, store: Store, today: date | None = None) -> None:
        self.store = store
        self._today = today
        self._lock = Lock()
        self._current: _OfVersion | None = None

    @property
    def report(self) -> GapReport:
        """The gaps of the newest version."""
        return self._newest().report

    @property
    def dated(self) -> GapReport:
        """The gaps of the newest version as of its own day, so that they stay the same for as long as it does."""
        return self._newest().dated

    def picture(self, name: str) -> Picture:
        """Return the network of the query `name` with communities and places."""
        return self._newest().picture(name)

    def _newest(self) -> _OfVersion:
        with self._lock:
            version = self.store.version
            if self._current is None or self._current.version != version:
                self._current = _OfVersion(self.store, version, self._today)
            return self._current


class _OfVersion:
    def __init__(self, store: Store, version: Version | None, today: date | None) -> None:
        self.store, self.version, self.today = store, version, today
        self.picture = lru_cache(maxsize=16)(self._picture)

    @cached_property
    def report(self) -> GapReport:
        return find_gaps(self.store, today=self.today)

    @cached_property
    def dated(self) -> GapReport:
        day, today = report_day(self.store), self.today or datetime.now(UTC).date()
        return self.report if day == today else find_gaps(self.store, today=day)

    def _picture(self, name: str) -> Picture:
        network = load_network(self.store, name)
        found = groups.communities(network)
        known = queries.run(self.store, "gaps/organisations").select("organisation", "label", "kind")
        regions = queries.run(self.store, "gaps/places").group_by("organisation").agg(region=pl.col("label").min())
        hints = self._hints(name, network)
        spots = places(network, dict(found.rows()), hints)
        hinted = sorted({organisation for pair in hints for organisation in pair})
        rows = (
            position.degree(network)
            .select("organisation", "degree")
            .join(found, on="organisation")
            .join(known, on="organisation", how="left")
            .join(regions, on="organisation", how="left")
            .with_columns(pl.col("label").fill_null(pl.col("organisation")), pl.col("kind").fill_null("not known"))
            .with_columns(x=spots[:, 0], y=spots[:, 1])
            .with_columns(drawn=(pl.col("degree") > 0) | pl.col("organisation").is_in(hinted))
        )
        return Picture(network, rows, _named_communities(rows))

    def _hints(self, name: str, network: Network) -> list[tuple[str, str]]:
        """Return the suggested ties that are drawn dashed; they are found on the network of working together."""
        if name != self.report.network.name:
            return []
        pairs = [(gap.members[0], gap.members[1]) for gap in self.report.of_kind("P1")]
        return [pair for pair in pairs if set(pair) <= network.rows.keys()]


def _named_communities(rows: pl.DataFrame) -> pl.DataFrame:
    """Name each community of two or more after its best connected member; the isolates are one row."""
    ranked = rows.sort("degree", "organisation", descending=[True, False])
    return (
        ranked.group_by("group", maintain_order=True)
        .agg(size=pl.len(), label=pl.format("around {}", pl.col("label").first()), degree=pl.col("degree").max())
        .filter(pl.col("degree") > 0)
        .select("group", "label", "size")
        .sort("group")
    )


def network_names() -> list[str]:
    """Return the names of the network queries that can be drawn."""
    return [name for name in queries.catalogue() if name.startswith("networks/")]
