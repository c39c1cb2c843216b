"""The village in a store: the ontology, its vocabularies, the twelve organisations, and what the rules derive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from graphkit import queries
from graphkit.ontology import load_ontology
from graphkit.store import Store, open_store
from graphkit.terms import graph_iri

VILLAGE = Path(__file__).with_name("village.ttl")


def village_store() -> Store:
    """Return a store in memory with the village in graph/village and what follows from it in graph/inferred."""
    store = open_store()
    with store.change("the village") as change:
        load_ontology(change)
        change.load(VILLAGE, graph=graph_iri("village"))
    queries.derive(store)
    return store


@pytest.fixture(scope="session")
def village() -> Iterator[Store]:
    """Share the village among all tests; nobody changes it."""
    store = village_store()
    yield store
    store.close()
