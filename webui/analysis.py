"""What several pages show of a version of the graph, computed once: gaps, networks, communities, layouts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property, lru_cache
from hashlib import sha256
from threading import BoundedSemaphore, Lock
from time import perf_counter
from typing import Any, Final, TypeVar

import polars as pl

from graphkit import queries
from graphkit.gaps import GapReport, find_gaps
from graphkit.gaps.ground import Ground, load_ground
from graphkit.gaps.reviews import load_reviews, newest_reviews, respected
from graphkit.measures import groups
from graphkit.monitor import Standing, monitor
from graphkit.network import Network, load_network
from graphkit.report import report_day
from graphkit.store import Store, Version
from graphkit.store.base import Readable
from webui.i18n.marking import N_
from webui.layout import Layout, lay_out
from webui.picture import Picture, facet_frames, picture_of
from webui.works import NotReady, Work

__all__ = ["Analysis", "Picture", "network_names"]

T = TypeVar("T")

_KEPT_LAYOUTS: Final = 24
_KEPT_OLD: Final = 3
_HINTED: Final = 2_000
"""Above so many organisations the layout does not wait for the search for gaps."""
_log = logging.getLogger(__name__)


_STEPS: Final = (N_("reading the ties"), N_("finding the communities"), N_("placing the organisations"))
_SEARCH: Final = (N_("searching for what is missing"),)
_GROUND: Final = (N_("reading who takes part in what"),)
_STANDINGS: Final = (N_("looking at what stands behind each commitment"),)


class Analysis:
    """Answers about the versions of a store; the newest is kept, with a few older ones that were asked for.

    `view` gives a way to ask an older version. Layouts are kept by the content of their network, so that a new version
    that changes no tie, such as a review, needs no new one.
    """

    def __init__(self, store: Store, today: date | None = None, view: Callable[[int], Readable] | None = None) -> None:
        self.store = store
        self._today = today
        self._view = view
        self._lock = Lock()
        self._shared = _Shared()
        self._current: _OfVersion | None = None
        self._old: dict[int, _OfVersion] = {}

    @property
    def report(self) -> GapReport:
        """The gaps of the newest version."""
        return self._newest().report

    @property
    def dated(self) -> GapReport:
        """The gaps of the newest version as of its own day, so that they stay the same for as long as it does."""
        return self._newest().dated

    def ground(self, within: float | None = None) -> Ground:
        """Return what the gaps of the newest version stand on, for what-if; raises `NotReady` as `picture` does."""
        return self._newest().ground(within)

    def report_within(self, seconds: float) -> GapReport | None:
        """Return the gaps of the newest version, or None where the search has gone on for longer and is not done."""
        return self._newest().report_within(seconds)

    def report_ready(self, seconds: float) -> GapReport:
        """Return the gaps of the newest version; raises `NotReady` where the search is not done in so many seconds."""
        return self._newest().report_ready(seconds)

    def network(self, name: str, within: float | None = None) -> Network:
        """Return the network of the query `name` of the newest version; raises `NotReady` as `picture` does."""
        return self._newest().network(name, within)

    def standings(self, within: float | None = None) -> tuple[Standing, ...]:
        """Return how the commitments stand in the newest version; raises `NotReady` as `picture` does."""
        return self._newest().standings(within)

    def dated_ready(self, within: float) -> GapReport:
        """Return the gaps of the newest version as of its own day; raises `NotReady` as `picture` does."""
        return self._newest().dated_ready(within)

    def reviewed(self, before: Version | None) -> None:
        """Take over what is known after a review, which was the only change since the version `before`.

        No tie has changed, and the gaps are the same but for their reviews: they are given at once, until the new
        search, which also fills the place of a gap that was dismissed, is done.
        """
        with self._lock:
            old = self._current
            if old is None or old.version != before or old.store is None:
                return
            made = _OfVersion(self.store, self.store, self.store.version, self._today, self._shared)
            made.take_over(old)
            self._current = made

    def picture(self, name: str, number: int | None = None, within: float | None = None) -> Picture:
        """Return the network of the query `name` with communities and places, in the newest or an older version.

        Raises `NotReady` where it is not there `within` so many seconds after it was first asked for; the work goes on.
        """
        return self._of(number).picture(name, within)

    def reader(self, number: int | None = None) -> Readable:
        """Return a way to ask the newest or an older version."""
        return self._of(number).reader

    def _of(self, number: int | None) -> _OfVersion:
        newest = self._newest()
        if number is None or (newest.version and newest.version.number == number) or self._view is None:
            return newest
        with self._lock:
            if number not in self._old:
                while len(self._old) >= _KEPT_OLD:
                    self._old.pop(next(iter(self._old)))
                version = next((each for each in self.store.versions() if each.number == number), None)
                self._old[number] = _OfVersion(self._view(number), None, version, self._today, self._shared)
            return self._old[number]

    def _newest(self) -> _OfVersion:
        with self._lock:
            version = self.store.version
            if self._current is None or self._current.version != version:
                self._current = _OfVersion(self.store, self.store, version, self._today, self._shared)
            return self._current


class _OfVersion:
    """What is known of one version; an older one has no `store`, and so no gaps."""

    def __init__(
        self, reader: Readable, store: Store | None, version: Version | None, today: date | None, shared: _Shared
    ) -> None:
        self.reader, self.store, self.version, self.today = reader, store, version, today
        self._shared = shared
        self._lock = Lock()
        self._works: dict[str, Work] = {}
        self._until_then: GapReport | None = None

    def take_over(self, old: _OfVersion) -> None:
        """Begin with the pictures and the gaps of an older version, from which this one differs by reviews alone."""
        with old._lock:
            self._works = {name: work for name, work in old._works.items() if "networks/" in name and work.is_done}
        found = old.report_within(0.0)
        if found is None:
            return
        today = self.today or datetime.now(UTC).date()
        after = respected(found.every, newest_reviews(load_reviews(self._own())), today)
        self._until_then = replace(
            found, gaps=after.shown, dismissed=after.dismissed, done=after.done, version=self.version
        )

    @property
    def report(self) -> GapReport:
        return self.report_ready(None)

    @property
    def dated(self) -> GapReport:
        return self.dated_ready(None)

    def report_within(self, seconds: float) -> GapReport | None:
        if self.store is None:
            return None
        try:
            return self.report_ready(0.0 if self._until_then else seconds)
        except NotReady:
            return self._until_then

    def report_ready(self, seconds: float | None) -> GapReport:
        own = self._own()
        found: GapReport = self._long_work("gaps", lambda _: find_gaps(own, today=self.today), _SEARCH).result(seconds)
        return found

    def dated_ready(self, seconds: float | None) -> GapReport:
        own = self._own()
        day, today = report_day(own), self.today or datetime.now(UTC).date()
        if day == today:
            return self.report_ready(seconds)
        found: GapReport = self._long_work("gaps of the day", lambda _: find_gaps(own, today=day), _SEARCH).result(
            seconds
        )
        return found

    def standings(self, within: float | None) -> tuple[Standing, ...]:
        own, today = self._own(), self.today or datetime.now(UTC).date()
        work = self._long_work("standings", lambda _: tuple(monitor(own, today)), _STANDINGS)
        found: tuple[Standing, ...] = work.result(within)
        return found

    def network(self, name: str, within: float | None) -> Network:
        queries.find(name)
        found: Network = self._work(f"network {name}", lambda _: self._load(name), _STEPS[:1]).result(within)
        return found

    def _load(self, name: str) -> Network:
        return load_network(self.reader, name)  # type: ignore[arg-type]  # it only asks

    def _work(
        self,
        name: str,
        make: Callable[[Callable[[int], None]], Any],
        steps: tuple[str, ...],
        turn: BoundedSemaphore | None = None,
    ) -> Work:
        """Return the work of a name, begun now where it was not, or where it went wrong before."""
        with self._lock:
            work = self._works.get(name)
            if work is None or work.failed:
                work = self._works[name] = Work(make, steps, turn, behind=turn is not None)
            return work

    def _long_work(self, name: str, make: Callable[[Callable[[int], None]], Any], steps: tuple[str, ...]) -> Work:
        """Do the same with what takes minutes on a large graph: one such work at a time, behind what pages read."""
        return self._work(name, make, steps, turn=self._shared.turn)

    def _own(self) -> Store:
        if self.store is None:
            raise ValueError("gaps are searched for in the newest version only")
        return self.store

    def ground(self, within: float | None) -> Ground:
        own, today = self._own(), self.today or datetime.now(UTC).date()
        found: Ground = self._work("ground", lambda _: load_ground(own, today), _GROUND).result(within)
        return found

    @cached_property
    def facets(self) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        return facet_frames(self.reader)

    def picture(self, name: str, within: float | None) -> Picture:
        queries.find(name)
        found: Picture = self._work(name, lambda at: self._picture(name, at), _STEPS).result(within)
        return found

    def _picture(self, name: str, at: Callable[[int], None]) -> Picture:
        start = perf_counter()
        network = self.network(name, None)
        hints = self._hints(name, network)
        layout = self._shared.layouts.of(network, hints, at)
        made = picture_of(network, layout, self.facets, {one for pair in hints for one in pair})
        _log.info("drew %r in %.2f s", network, perf_counter() - start)
        return made

    def _hints(self, name: str, network: Network) -> tuple[tuple[str, str], ...]:
        """Return the suggested ties that are drawn dashed; they are found on the network of working together."""
        if self.store is None or len(network.organisations) > _HINTED or name != "networks/collaboration":
            return ()
        pairs = [(gap.members[0], gap.members[1]) for gap in self.report.of_kind("P1")]
        return tuple(pair for pair in pairs if set(pair) <= network.rows.keys())


class _Layouts:
    """Communities and places by the content of a network, the last few of them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[str, Layout] = {}

    def of(self, network: Network, hints: Iterable[tuple[str, str]], at: Callable[[int], None]) -> Layout:
        key = _digest(network, tuple(hints))
        with self._lock:
            if key in self._kept:
                return self._kept[key]
        at(2)
        found = groups.communities(network)
        at(3)
        made = lay_out(network, found["group"].to_numpy(), hints)
        with self._lock:
            while len(self._kept) >= _KEPT_LAYOUTS:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = made
        return made


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the versions have in common: layouts, and whose turn it is among the works that take minutes."""

    layouts: _Layouts = field(default_factory=_Layouts)
    turn: BoundedSemaphore = field(default_factory=BoundedSemaphore)


def _digest(network: Network, hints: tuple[tuple[str, str], ...]) -> str:
    """Return a hash of all that a layout depends on."""
    said = sha256()
    said.update("\0".join(network.organisations).encode())
    said.update(repr((network.directed, hints)).encode())
    for name in ("source", "target", "weight"):
        said.update(network.ties[name].hash().to_numpy().tobytes())
    return said.hexdigest()


@lru_cache(maxsize=1)
def network_names() -> tuple[str, ...]:
    """Return the names of the network queries that can be drawn."""
    return tuple(name for name in queries.catalogue() if name.startswith("networks/"))
