"""A knowledge graph of organisations, policies and funding, with explained collaboration gaps.

The data's way: files are loaded into a `Store`, a `Query` turns it into a Frame (a `polars.DataFrame`), a network
query becomes a `Network`, a `Measure` or a search for `Gap`s turns that into a Frame again, and a page or an export
shows it. The names below are loaded when they are first used, so that importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphkit.gaps import find_gaps
    from graphkit.measures import measure
    from graphkit.network import Network, load_network
    from graphkit.queries import run
    from graphkit.store import Store, open_store

__all__ = ["Network", "Store", "find_gaps", "load_network", "measure", "open_store", "run"]
__version__ = metadata.version("solidarity-graphkit")

_HOMES = {
    "Network": "graphkit.network",
    "Store": "graphkit.store",
    "find_gaps": "graphkit.gaps",
    "load_network": "graphkit.network",
    "measure": "graphkit.measures",
    "open_store": "graphkit.store",
    "run": "graphkit.queries",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attributes can be anything
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'graphkit' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
