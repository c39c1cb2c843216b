"""Puts what was mapped into the store: in one change with all that follows from it, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from graphkit import queries
from graphkit.assembly import transfer
from graphkit.store import Change, Store, Version, open_store

__all__ = ["Parts", "commit"]

Parts = Sequence[tuple[str, "Path | bytes"]]
"""Graphs, each with N-Triples: as bytes or a `.nt` file."""


def commit(store: Store, cleared: Sequence[str], parts: Parts, why: str, *, who: str = "") -> Version | None:
    """Clear some graphs of `store`, load others, derive anew what follows, and commit all of it as one version.

    Whatever interrupts it, be it the death of the process, leaves the version before. Returns the newest version.
    """
    with open_store() as scratch:
        content = store.dump("nq")
        with scratch.change("gather") as change:
            if content:
                change.load(content, media_type="nq")
            _replace(change, cleared, parts)
            change.clear(queries.INFERRED)
        queries.derive(scratch)
        graphs = set(store.graphs()["graph"]) - set(scratch.graphs()["graph"])
        if not graphs:
            return transfer(scratch, store, why, who=who)
        with store.change(why, who=who) as change:
            for graph in (*store.graphs()["graph"], *scratch.graphs()["graph"]):
                change.clear(graph)
            change.load(scratch.dump("nq"), media_type="nq")
        return store.version


def _replace(change: Change, cleared: Sequence[str], parts: Parts) -> None:
    for graph in cleared:
        change.clear(graph)
    for graph, triples in parts:
        if isinstance(triples, Path) or triples:
            change.load(triples, media_type="nt", graph=graph)
