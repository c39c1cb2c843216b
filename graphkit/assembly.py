"""Putting a graph together: gather in a scratch store, derive what follows, then commit all of it or nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from time import perf_counter

from graphkit import queries
from graphkit.ontology import load_ontology, load_sources
from graphkit.store import Change, Store, Version, open_store
from graphkit.terms import graph_iri

__all__ = ["QUERIES", "assemble_shipped", "load_files", "transfer"]

QUERIES = graph_iri("queries")
"""The graph that describes the stored queries."""

_log = logging.getLogger(__name__)


def assemble_shipped() -> Store:
    """Return a store in memory with the shipped ontology, vocabularies, seed graph and what follows from them."""
    start = perf_counter()
    scratch = open_store()
    with scratch.change("the shipped graph") as change:
        load_ontology(change)
        load_sources(change)
        _describe_queries(change)
    queries.derive(scratch)
    _log.info("%d quads assembled in %.1f s", scratch.graphs()["quads"].sum(), perf_counter() - start)
    return scratch


def transfer(scratch: Store, store: Store, why: str, *, who: str = "") -> Version | None:
    """Replace in `store` every graph that `scratch` has, and return the newest version of `store`.

    Graphs that only `store` has stay as they are; where nothing differs no version is made.
    """
    with store.change(why, who=who) as change:
        for graph in scratch.graphs()["graph"]:
            change.clear(graph)
        change.load(scratch.dump("nq"), media_type="nq")
    return store.version


def load_files(store: Store, paths: Iterable[Path], *, graph: str | None = None, why: str = "", who: str = "") -> int:
    """Add files to `store`, derive anew what follows, and return how many quads the files held.

    Files of triples go into `graph` (default: a graph named after the file); files of quads keep their own graphs.
    All files come in or none does. Raises `DataError` with file, line and column for what cannot be read.
    """
    paths = [Path(path) for path in paths]
    scratch = _copy(store)
    held = 0
    with scratch.change("gather") as change:
        for path in paths:
            held += _load(change, path, graph)
        change.clear(queries.INFERRED)
    queries.derive(scratch)
    transfer(scratch, store, why or f"loaded {', '.join(path.name for path in paths)}", who=who)
    return held


def _copy(store: Store) -> Store:
    scratch = open_store()
    content = store.dump("nq")
    if content:
        with scratch.change("copy") as change:
            change.load(content, media_type="nq")
    return scratch


def _load(change: Change, path: Path, graph: str | None) -> int:
    name = path.name.removesuffix(".gz")
    if Path(name).suffix in {".nq", ".trig"}:
        return change.load(path, graph=graph)
    return change.load(path, graph=graph or graph_iri(Path(name).stem))


def _describe_queries(change: Change) -> None:
    change.load(queries.as_rdf(queries.catalogue()), media_type="ttl", graph=QUERIES)
