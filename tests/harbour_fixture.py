"""The harbour in a store: money, notices, bids, judgements and claims of an invented country, and what follows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from graphkit import queries
from graphkit.ontology import load_ontology
from graphkit.store import Store, open_store
from graphkit.terms import graph_iri

HARBOUR = Path(__file__).with_name("harbour.ttl")


def harbour_store(more: bytes = b"") -> Store:
    """Return a store in memory with the harbour in graph/harbour, `more` Turtle in graph/more, and what follows."""
    store = open_store()
    with store.change("the harbour") as change:
        load_ontology(change)
        change.load(HARBOUR, graph=graph_iri("harbour"))
        if more:
            change.load(more, media_type="ttl", graph=graph_iri("more"))
    queries.derive(store)
    return store


@pytest.fixture(scope="session")
def harbour() -> Iterator[Store]:
    """Share the harbour among all tests; nobody changes it."""
    store = harbour_store()
    yield store
    store.close()
