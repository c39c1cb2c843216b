"""Keep RDF graphs and answer SPARQL: in memory, in a folder, or behind an endpoint.

`open_store()` gives a `Store`; all that leaves it is frames and bytes, so nobody above needs the RDF engine.
The names below are fetched when they are first asked for, so that importing this package stays cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphkit.store.base import Change, Diff, Readable, Store, Version
    from graphkit.store.formats import convert
    from graphkit.store.opening import open_store
    from graphkit.store.pool.questions import Answer, Limits, Question, Running
    from graphkit.store.pool.reader_pool import ReaderPool
    from graphkit.store.versions import canonical_hash

__all__ = [
    "Answer",
    "Change",
    "Diff",
    "Limits",
    "Question",
    "Readable",
    "ReaderPool",
    "Running",
    "Store",
    "Version",
    "canonical_hash",
    "convert",
    "open_store",
]

_HOMES = {
    "Answer": "pool.questions",
    "Change": "base",
    "Diff": "base",
    "Limits": "pool.questions",
    "Question": "pool.questions",
    "Readable": "base",
    "ReaderPool": "pool.reader_pool",
    "Running": "pool.questions",
    "Store": "base",
    "Version": "base",
    "canonical_hash": "versions",
    "convert": "formats",
    "open_store": "opening",
}


def __getattr__(name: str) -> object:
    """Fetch a public name from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
