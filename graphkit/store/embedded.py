"""The store that lives in this process: in memory or in a folder, answered by the embedded engine."""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, Final

import polars as pl
import pyoxigraph as ox

from graphkit.errors import StoreError
from graphkit.store import engine
from graphkit.store.asking import Answering, Asking
from graphkit.store.base import Change, Diff, Version
from graphkit.store.deltas import deltas_of
from graphkit.store.formats import DEFAULT_GRAPH, graph_name, rdf_format, write_quads
from graphkit.store.frames import frame_from_tsv
from graphkit.store.guard import without_silent_loads
from graphkit.store.lines import Edit, Packer, difference, frame_of, split_lines, whole_lines
from graphkit.store.normal import normal_blocks
from graphkit.store.using import with_dataset
from graphkit.store.versions import Archive, Stage, canonical, new_version

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

    @contextmanager
    def trial(self) -> Iterator[Change]:
        """Open a change that is thrown away at the end of the block."""
        self._open()
        newest = self._newest()
        with self._archive.stage(newest) as stage:
            change = _EmbeddedChange(stage, lambda: self._archive.blocks(newest))
            try:
                yield change
            finally:
                change.end()

    def versions(self) -> list[Version]:
        """List the versions that are kept, oldest first."""
        self._open()
        return self._archive.versions()

    def at(self, number: int) -> EmbeddedStore:
        """Open the content of a version that is kept, for reading only."""
        return EmbeddedStore(self._archive.at(self._described(number).number), read_only=True)

    def diff(self, old: int, new: int) -> Diff:
        """Tell what version `new` has that `old` has not, and the other way round."""
        before, after = self._described(old).number, self._described(new).number
        return difference(self._archive.blocks(before), self._archive.blocks(after))

    def restore(self, number: int) -> Version:
        """Commit the content of version `number` as a new version; the newest is returned as it is."""
        with self._change(f"restore version {number}", "", self._described(number).number):
            pass
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

    @contextmanager
    def _change(self, why: str, who: str, start: int | None = None) -> Iterator[_EmbeddedChange]:
        """Open a change of the newest version, or of the older one `start`, which then becomes the newest."""
        with self._one_at_a_time():
            begin = self._newest() if start is None else start
            with self._archive.stage(begin) as stage:
                rules = self._described(begin).rules if begin else ""
                change = _EmbeddedChange(stage, lambda: self._archive.blocks(begin), rules)
                try:
                    yield change
                finally:
                    change.end()
                if change.touched or start is not None or not _same_graphs(stage.store, self._open()):
                    self._commit(change, stage, why, who)
                else:
                    _log.info("nothing was done: %s", why)

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

    def _commit(self, change: _EmbeddedChange, stage: Stage, why: str, who: str) -> None:
        """Pack the new content, and keep it as a version where it differs from that before."""
        before = self.version
        with stage.packed.open("w+b") if stage.packed else BytesIO() as packed:
            packer = Packer(packed)
            packer.write(change.blocks())
            same = packer.hash == before.hash if before else not packer.quads
            if same and _same_graphs(stage.store, self._open()):
                _log.info("nothing changed: %s", why)
                return
            graphs = sum(1 for _ in stage.store.named_graphs())
            version = new_version(self._newest() + 1, packer, graphs, who=who, why=why, rules=change.derived_by)
            self._live = self._archive.commit(version, packed, stage)
        _log.info("committed version %d with %d quads: %s", version.number, version.quads, why)


class _EmbeddedChange(Answering):
    """Works on the staged copy, and remembers what it did as far as that tells the new content.

    Reading the whole copy back costs about 7 seconds of a processor for a million quads on disk. What loads and clears
    do is therefore told by the lines themselves; only after an update is the copy read.
    """

    def __init__(self, stage: Stage, old: Callable[[], Iterator[bytes]], rules: str = "") -> None:
        self._stage, self._old = stage, old
        self._rules, self._still_derived = rules, True
        self._edit = Edit()
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
        self._act()
        runs: list[pl.Series] = []
        with self._spool() as spool:
            for block in normal_blocks(source, media_type=media_type, graph=graph, base=base):
                spool.write(block)
                runs.append(frame_of(split_lines(block)))
            spool.seek(0)
            self._stage.store.bulk_load(spool, format=ox.RdfFormat.N_QUADS)
        held = pl.concat(runs).unique() if len(runs) > 1 else runs[0]
        self._edit.add(held)
        _log.info("loaded %d quads from %s", len(held), source if isinstance(source, Path) else "bytes")
        return len(held)

    def update(
        self, sparql: str, *, using: Sequence[str] = (), using_named: Sequence[str] = (), base: str | None = None
    ) -> None:
        """Run a SPARQL 1.1 update; graphs that it empties are gone, and LOAD SILENT does nothing."""
        self._act()
        store = self._stage.store
        empty = set(_empty_graphs(store))
        harmless = without_silent_loads(sparql)
        deltas = None if self._updated or base else deltas_of(store, with_dataset(harmless, using, using_named))
        engine.update(store, harmless, using=using, using_named=using_named, base=base)
        for graph in set(_empty_graphs(store)) - empty:
            store.remove_graph(graph)
        self._updated |= deltas is None
        for delta in deltas or ():
            self._edit.remove(delta.removed)
            self._edit.add(frame_of(delta.added))

    def clear(self, graph: str | None) -> None:
        """Remove a named graph with all it holds, or all of the default graph (None)."""
        self._act()
        store = self._stage.store
        if graph is None:
            store.clear_graph(DEFAULT_GRAPH)
            self._edit.clear(None)
            return
        name = graph_name(graph)
        if store.contains_named_graph(name):
            store.remove_graph(name)
            self._edit.clear(graph)

    def create(self, graph: str) -> None:
        """Make a named graph, which stays although it is empty until it is cleared."""
        self._check_open()
        self._stage.store.add_graph(graph_name(graph))

    def answer(self, sparql: str, media_type: str) -> bytes:
        """Answer any query form as the bytes of `media_type`, with all that this change has done up to now."""
        self._check_open()
        return engine.answer(self._stage.store, sparql, media_type)

    def end(self) -> None:
        """Refuse all that comes after the block."""
        self._ended = True

    @property
    def rules(self) -> str:
        """The rules by which conclusions were derived before this change, or in it."""
        return self._rules

    @rules.setter
    def rules(self, name: str) -> None:
        self._rules, self._still_derived = name, True

    @property
    def derived_by(self) -> str:
        """The rules by which the content was derived, where nothing was done since."""
        return self._rules if self._still_derived else ""

    @property
    def touched(self) -> bool:
        """Whether anything was done to the content."""
        return self._updated or bool(self._edit)

    def blocks(self) -> Iterator[bytes]:
        """Yield the canonical content after the change."""
        if not self._updated:
            return self._edit.applied(self._old)
        whole = Edit()
        with self._spool() as spool:
            self._stage.store.dump(spool, format=ox.RdfFormat.N_QUADS)
            spool.seek(0)
            for block in whole_lines(spool):
                whole.add(pl.Series("line", split_lines(block), dtype=pl.Binary))
        return whole.applied(lambda: ())

    def _spool(self) -> IO[bytes]:
        """Open room for what is too long to be held: a file without a name where the stage has a folder."""
        return tempfile.TemporaryFile(dir=self._stage.folder) if self._stage.folder else BytesIO()

    def _act(self) -> None:
        """Refuse to do anything after the end; what was derived before no longer holds."""
        self._check_open()
        self._still_derived = False

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
