"""Putting a graph together: gather, derive what follows, then commit all of it or nothing.

The door for imports, which may bring millions of statements as files:

    commit_graphs(store, {graph: [file, …], …}, why, who="") -> Version | None

replaces each of the named graphs by what its files hold, derives anew, and commits one version. A file is N-Triples
or N-Quads (`.nt`, `.nq`, each may be packed as `.gz`); quads must lie in the graph that the file is given for. A graph
with no file is removed; graphs that are not named stay as they are.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from graphkit import queries
from graphkit.errors import UsageError
from graphkit.ontology import load_ontology, load_sources
from graphkit.store import Change, Store, Version, open_store
from graphkit.terms import graph_iri

__all__ = ["QUERIES", "assemble_shipped", "commit_graphs", "load_files", "transfer"]

QUERIES = graph_iri("queries")
"""The graph that describes the stored queries."""

_LINES = (".nt", ".nq")
_log = logging.getLogger(__name__)


def assemble_shipped() -> Store:
    """Return a store in memory with the shipped ontology, vocabularies, seed graph and what follows from them."""
    start = perf_counter()
    scratch = open_store()
    with scratch.change("the shipped graph") as change:
        load_ontology(change)
        load_sources(change)
        _describe_queries(change)
        queries.derive_in(change)
    _log.info("%d quads assembled in %.1f s", scratch.graphs()["quads"].sum(), perf_counter() - start)
    return scratch


def transfer(scratch: Store, store: Store, why: str, *, who: str = "") -> Version | None:
    """Replace in `store` every graph that `scratch` has, and return the newest version of `store`.

    Graphs that only `store` has stay as they are; where nothing differs no version is made.
    """
    others = set(store.graphs()["graph"])
    with store.change(why, who=who) as change:
        for graph in scratch.graphs()["graph"]:
            change.clear(graph)
        change.load(scratch.dump("nq"), media_type="nq")
        if scratch.version and others <= set(scratch.graphs()["graph"]):
            change.rules = scratch.version.rules
    return store.version


def load_files(store: Store, paths: Iterable[Path], *, graph: str | None = None, why: str = "", who: str = "") -> int:
    """Add files to `store`, derive anew what follows, and return how many quads the files held.

    Files of triples go into `graph` (default: a graph named after the file); files of quads keep their own graphs.
    All files come in or none does. Raises `DataError` with file, line and column for what cannot be read.
    """
    paths = [Path(path) for path in paths]
    why = why or f"loaded {', '.join(path.name for path in paths)}"
    homes = [_home(path, graph) for path in paths]
    with _gathered(store, why, who) as change:
        held = sum(change.load(path, graph=home) for path, home in zip(paths, homes, strict=True))
        queries.derive_in(change, fresh=[] if None in homes else [home for home in homes if home])
    return held


def commit_graphs(store: Store, graphs: Mapping[str, Sequence[Path]], why: str, *, who: str = "") -> Version | None:
    """Replace each of `graphs` in `store` by the statements of its files, derive anew, and return the newest version.

    The files are N-Triples or N-Quads, by their ending. A graph without files is removed. All of it becomes one
    version; where nothing differs none is made. Raises `DataError` with file, line and column for what cannot be
    read, and `UsageError` for a file of another format or with quads of another graph; nothing is changed then.
    Where no graph is replaced only what follows from the new ones is derived, with the same result.
    """
    _refuse_formats(graphs)
    replaces = any(store.has_graph(graph) for graph in graphs)
    with _gathered(store, why, who) as change:
        for graph, files in graphs.items():
            change.clear(graph)
            for file in files:
                _load_into(change, Path(file), graph)
        queries.derive_in(change, fresh=[] if replaces else list(graphs))
    return store.version


@contextmanager
def _gathered(store: Store, why: str, who: str) -> Iterator[Change]:
    """Open a change that can be asked: of the store, or of a copy that is sent to an endpoint when all is well."""
    if store.version is not None or not store.location.startswith(("http://", "https://")):
        with store.change(why, who=who) as change:
            yield change
        return
    with open_store() as scratch:
        with scratch.change("copy and gather") as change:
            if content := store.dump("nq"):
                change.load(content, media_type="nq")
            yield change
        with store.change(why, who=who) as sent:
            for graph in {*store.graphs()["graph"], *scratch.graphs()["graph"]}:
                sent.clear(graph)
            sent.load(scratch.dump("nq"), media_type="nq")


def _refuse_formats(graphs: Mapping[str, Sequence[Path]]) -> None:
    for file in (Path(file) for files in graphs.values() for file in files):
        if Path(file.name.removesuffix(".gz")).suffix not in _LINES:
            raise UsageError(
                "a graph is committed from files of lines only", where=str(file), hint=f"write {' or '.join(_LINES)}"
            )


def _load_into(change: Change, path: Path, graph: str) -> None:
    """Load a file of lines into `graph`; quads of any other graph are refused."""
    if Path(path.name.removesuffix(".gz")).suffix == ".nt":
        change.load(path, graph=graph)
        return
    with open_store() as held:
        with held.change("read") as reading:
            reading.load(path)
        if strangers := [name for name in held.graphs()["graph"] if name != graph]:
            raise UsageError(f"a quad lies in the graph {strangers[0]}", where=str(path), hint=f"expected is {graph}")
        if held.has_graph(None):
            raise UsageError("a triple lies in no graph", where=str(path), hint="call the file .nt, or name its graph")
        change.load(held.dump("nq"), media_type="nq")


def _home(path: Path, graph: str | None) -> str | None:
    """Return the graph for the triples of a file, or None where the file holds quads that name their own."""
    name = path.name.removesuffix(".gz")
    return graph or (None if Path(name).suffix in {".nq", ".trig"} else graph_iri(Path(name).stem))


def _describe_queries(change: Change) -> None:
    change.load(queries.as_rdf(queries.catalogue()), media_type="ttl", graph=QUERIES)
