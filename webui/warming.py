"""Read what the pages show before anybody asks, so that the first visitor of a large graph need not wait for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Final

from flask import Flask

from graphkit import queries
from graphkit.errors import GraphkitError
from webui.frames import SERVED_WITHIN, frames_of
from webui.protocol.description import content_of
from webui.state import state_of

__all__ = ["warm"]

_FIRST: Final = ("explore/counts", "explore/coverage", "explore/kinds", "explore/regions", "explore/organisation-names")
_THEN: Final = (
    "funding/pairs", "funding/by-year", "funding/by-kind", "funding/by-region", "explore/located", "region/list",
    "identity/members", "identity/links",
    "gaps/scopes", "explore/sources", "explore/scopes", "explore/timeline-years", "explore/timeline",
)  # fmt: skip
_NETWORK: Final = "networks/collaboration"
_log = logging.getLogger(__name__)


def warm(app: Flask) -> Callable[[], None]:
    """Begin to read, in a thread of its own and one thing after the other; what is returned ends that.

    A page that is asked for meanwhile does not wait for the others, and says after a few seconds what it waits for.
    What is read belongs to the version that is the newest now; that of a later one is read as pages ask for it.
    """
    stopped = threading.Event()
    frames_of(app).patience = SERVED_WITHIN

    def read() -> None:
        start = perf_counter()
        for step in _steps(app):
            if stopped.is_set():
                return
            try:
                step()
            except GraphkitError as error:
                _log.warning("something that the pages show cannot be read: %s", error)
        _log.info("read what the pages show in %.1f s", perf_counter() - start)

    threading.Thread(target=read, name="graphkit-warm", daemon=True).start()
    return stopped.set


def _steps(app: Flask) -> Iterator[Callable[[], object]]:
    """Give what is to be read, the first page first, what takes longest last."""
    state = state_of(app)
    for name in _FIRST:
        yield _reader(app, name)
    yield lambda: state.names.search("a", 1)
    yield lambda: state.analysis.network(_NETWORK)
    for name in _THEN:
        yield _reader(app, name)
    yield lambda: content_of(app, state.analysis.store)
    yield state.analysis.standings
    yield lambda: state.analysis.picture(_NETWORK)
    yield lambda: state.analysis.report


def _reader(app: Flask, name: str) -> Callable[[], object]:
    """Return what reads one stored query as a page does that nobody chose anything on."""
    store = state_of(app).analysis.store
    version, query = store.version, queries.find(name)
    if version is None:
        return lambda: None
    key = (version.hash, queries.bind(query, {}))
    return lambda: frames_of(app).made(key, lambda: queries.run(store, query), None)
