"""The store that lives in this process: in memory or in a folder, answered by the embedded engine."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import Final

import polars as pl
import pyoxigraph as ox

from graphkit.errors import StoreError
from graphkit.store import engine
from graphkit.store.asking import Asking
from graphkit.store.base import Change, Diff, Version
from graphkit.store.formats import DEFAULT_GRAPH, graph_name, rdf_format, read_source, write_quads
from graphkit.store.frames import frame_from_tsv
from graphkit.store.guard import without_silent_loads
from graphkit.store.versions import Archive, canonical, difference, new_version, without_default_graph, without_graph

__all__ = ["GRAPHS", "EmbeddedStore", "graphs_frame", "sorted_lines"]

GRAPHS: Final = """
SELECT ?graph (COUNT(*) AS ?quads) WHERE { GRAPH ?graph { ?s ?p ?o } } GROUP BY ?graph ORDER BY ?graph
"""
_LINES: Final = (ox.RdfFormat.N_QUADS, ox.RdfFormat.N_TRIPLES)
_log = logging.getLogger(__name__)


class EmbeddedStore(Asking):
    """A store of this process over the versions that an archive keeps; safe to ask from several threads.

    Whoever asks sees the newest version, also while a change is open: what a change does is seen only once it
    is committed.
    """

    def __init__(self, archive: Archive, *, read_only: bool = False) -> None:
        self._archive, self._read_only = archive, read_only
        self._live: ox.Store | None = archive.reader()
        self._turn, self._spooling = threading.Lock(), threading.Lock()
        self._changing: int | None = None

    @property
    def location(self) -> str:
        """Where the quads lie: "memory" or the folder."""
        return self._archive.location

    @property
    def version(self) -> Version | None:
        """The newest version, or None where nothing was committed yet."""
        kept = self.versions()
        return kept[-1] if kept else None

    @property
    def read_only(self) -> bool:
        """Whether the store was opened for reading only."""
        return self._read_only

    def has_graph(self, graph: str | None) -> bool:
        """Tell whether there is a named graph, be it empty, or whether the default graph holds anything."""
        if graph is not None:
            return self._open().contains_named_graph(graph_name(graph))
        return next(iter(self._open().quads_for_pattern(None, None, None, DEFAULT_GRAPH)), None) is not None

    def default_graph(self, suffix: str = "nt") -> bytes:
        """Write the triples that lie in no named graph, in the format of `suffix`."""
        return sorted_lines(write_quads(self._open(), suffix, DEFAULT_GRAPH), suffix)

    def answer(self, sparql: str, media_type: str) -> bytes:
        """Answer any query form as the bytes of `media_type`."""
        started = time.perf_counter()
        found = engine.answer(self._open(), sparql, media_type)
        _log.debug("answered in %.3f s: %s", time.perf_counter() - started, sparql)
        return found

    def graphs(self) -> pl.DataFrame:
        """List the named graphs as `graph` and `quads`, ordered by name."""
        return graphs_frame(self.answer(GRAPHS, "tsv"))

    def dump(self, suffix: str = "nq", graph: str | None = None) -> bytes:
        """Write all quads, or the triples of one `graph`, in the format of `suffix`."""
        live = self._open()
        if graph is None and rdf_format(suffix) == ox.RdfFormat.N_QUADS:
            return self._archive.content(self._newest())
        return sorted_lines(write_quads(live, suffix, graph), suffix)

    @contextmanager
    def change(self, why: str, *, who: str = "") -> Iterator[Change]:
        """Open the store for a change; leaving the block commits a version, an error leaves all as it was."""
        with self._change(why, who) as change:
            yield change

    def versions(self) -> list[Version]:
        """List the versions that are kept, oldest first."""
        self._open()
        return self._archive.versions()

    def diff(self, old: int, new: int) -> Diff:
        """Tell what version `new` has that `old` has not, and the other way round."""
        return difference(self._content(old), self._content(new))

    def restore(self, number: int) -> Version:
        """Commit the content of version `number` as a new version; the newest is returned as it is."""
        content = self._content(number)
        with self._change(f"restore version {number}", "") as change:
            change.replace(content)
        return self.versions()[-1]

    def checkpoint(self, number: int | None = None) -> Path | None:
        """Return a folder of the engine from which another process can read a version, or None for an empty store.

        `number` is a version that is kept, or None for the newest. Raises `StoreError` where it is not kept.
        """
        with self._spooling:
            wanted = self._newest() if number is None else self._described(number).number
            return self._archive.checkpoint(wanted) if wanted else None

    def packed(self, number: int) -> Path:
        """Return a file with the canonical N-Quads of a version that is kept, packed by gzip."""
        with self._spooling:
            return self._archive.packed(self._described(number).number)

    def empty_graphs(self, number: int) -> tuple[str, ...]:
        """Return the names of the graphs of a version that hold nothing, which packed N-Quads cannot name."""
        return self._archive.empty_graphs(self._described(number).number)

    def refresh(self) -> bool:
        """Look whether another process committed to the folder since it was opened here; tell if so.

        Who is asking meanwhile goes on with the version that was there when the question came. A store that writes
        sees its own changes at once, so this looks only where the store was opened with `read_only`.
        """
        self._open()
        if not self._read_only:
            return False
        with self._turn:
            newer = self._archive.refresh()
            if newer is not None:
                self._live = newer
        return newer is not None

    def close(self) -> None:
        """Give back files and locks; a closed store answers nothing."""
        self._live = None
        self._archive.close()

    def _open(self) -> ox.Store:
        live = self._live
        if live is None:
            raise StoreError("the store is closed", where=self.location, hint="open it again with open_store")
        return live

    def _newest(self) -> int:
        return max((version.number for version in self._archive.versions()), default=0)

    def _described(self, number: int) -> Version:
        kept = {version.number: version for version in self.versions()}
        if number not in kept:
            numbers = ", ".join(map(str, kept)) or "none"
            raise StoreError(f"there is no version {number}", where=self.location, hint=f"kept are: {numbers}")
        return kept[number]

    def _content(self, number: int) -> bytes:
        return self._archive.content(self._described(number).number)

    @contextmanager
    def _change(self, why: str, who: str) -> Iterator[_EmbeddedChange]:
        with self._one_at_a_time(), self._archive.stage() as stage:
            change = _EmbeddedChange(stage)
            try:
                yield change
            finally:
                change.end()
            self._commit(change, stage, why, who)

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        """Let one change after the other in; one inside another of the same thread would wait for ever."""
        self._open()
        if self._read_only:
            raise StoreError("the store was opened for reading only", where=self.location)
        if self._changing == threading.get_ident():
            raise StoreError(
                "a change is already open", where=self.location, hint="do all of it in one block, or end the first"
            )
        with self._turn:
            self._changing = threading.get_ident()
            try:
                yield
            finally:
                self._changing = None

    def _commit(self, change: _EmbeddedChange, stage: ox.Store, why: str, who: str) -> None:
        newest = self._newest()
        before = self._archive.content(newest)
        content = change.content(before)
        if content == before and _same_graphs(stage, self._open()):
            _log.info("nothing changed: %s", why)
            return
        graphs = sum(1 for _ in stage.named_graphs())
        version = new_version(newest + 1, content, graphs, who=who, why=why)
        self._live = self._archive.commit(version, content, stage)
        _log.info("committed version %d with %d quads: %s", version.number, version.quads, why)


class _EmbeddedChange:
    """Works on the staged copy, and remembers what it did as far as that tells the new content.

    Reading the whole copy back costs about 14 seconds for a million quads on disk. Loads and clears are
    therefore replayed on the lines of the old content; only after an update is the copy read.
    """

    def __init__(self, stage: ox.Store) -> None:
        self._stage = stage
        self._replays: list[Callable[[bytes], bytes]] = []
        self._updated = self._ended = False

    def load(
        self,
        source: Path | bytes,
        *,
        media_type: str | None = None,
        graph: str | None = None,
        base: str | None = None,
    ) -> int:
        """Add the quads of `source` and return how many it held."""
        self._check_open()
        held = read_source(source, media_type=media_type, graph=graph, base=base)
        quads = held.dump(format=ox.RdfFormat.N_QUADS) or b""
        self._stage.bulk_load(quads, format=ox.RdfFormat.N_QUADS)
        self._replays.append(lambda content: content + quads)
        _log.info("loaded %d quads from %s", len(held), source if isinstance(source, Path) else "bytes")
        return len(held)

    def update(
        self, sparql: str, *, using: Sequence[str] = (), using_named: Sequence[str] = (), base: str | None = None
    ) -> None:
        """Run a SPARQL 1.1 update; graphs that it empties are gone, and LOAD SILENT does nothing."""
        self._check_open()
        empty = set(_empty_graphs(self._stage))
        engine.update(self._stage, without_silent_loads(sparql), using=using, using_named=using_named, base=base)
        for graph in set(_empty_graphs(self._stage)) - empty:
            self._stage.remove_graph(graph)
        self._updated = True

    def clear(self, graph: str | None) -> None:
        """Remove a named graph with all it holds, or all of the default graph (None)."""
        self._check_open()
        if graph is None:
            self._stage.clear_graph(DEFAULT_GRAPH)
            self._replays.append(without_default_graph)
            return
        name = graph_name(graph)
        if self._stage.contains_named_graph(name):
            self._stage.remove_graph(name)
            self._replays.append(lambda content: without_graph(content, graph))

    def create(self, graph: str) -> None:
        """Make a named graph, which stays although it is empty until it is cleared."""
        self._check_open()
        self._stage.add_graph(graph_name(graph))

    def replace(self, content: bytes) -> None:
        """Put canonical `content` in the place of all there is."""
        self._stage.clear()
        self._stage.bulk_load(content, format=ox.RdfFormat.N_QUADS)
        self._replays.append(lambda _: content)

    def end(self) -> None:
        """Refuse all that comes after the block."""
        self._ended = True

    def content(self, before: bytes) -> bytes:
        """Return the canonical content after the change, given that before it."""
        if self._updated:
            return canonical(self._stage.dump(format=ox.RdfFormat.N_QUADS) or b"")
        if not self._replays:
            return before
        return canonical(reduce(lambda content, replay: replay(content), self._replays, before))

    def _check_open(self) -> None:
        if self._ended:
            raise StoreError("this change has ended", hint="open a new one with store.change(…)")


def graphs_frame(tsv: bytes) -> pl.DataFrame:
    """Read the answer to `GRAPHS`, with its types also where there is no graph."""
    return frame_from_tsv(tsv).with_columns(pl.col("quads").cast(pl.Int64))


def sorted_lines(data: bytes, suffix: str) -> bytes:
    """Bring N-Quads and N-Triples into canonical order and naming; leave other formats alone."""
    return canonical(data) if rdf_format(suffix) in _LINES else data


def _same_graphs(one: ox.Store, other: ox.Store) -> bool:
    """Tell whether two stores have the same named graphs, the empty ones too."""
    return set(one.named_graphs()) == set(other.named_graphs())


def _empty_graphs(store: ox.Store) -> Iterator[ox.NamedNode | ox.BlankNode]:
    """Find the graphs without a statement, which N-Quads cannot name."""
    for graph in store.named_graphs():
        if next(iter(store.quads_for_pattern(None, None, None, graph)), None) is None:
            yield graph
