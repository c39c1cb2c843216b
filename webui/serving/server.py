"""Serve the application: Granian in front, one process that holds the store, an orderly end."""

from __future__ import annotations

import gc
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from graphkit.errors import GraphkitError
from graphkit.store import open_store
from webui.app import create_app
from webui.protocol.lane import Lane
from webui.protocol.remembering import results_of
from webui.serving.access_log import AccessLog
from webui.serving.front import Front
from webui.settings import Settings
from webui.state import state_of
from webui.warming import warm

if TYPE_CHECKING:
    from graphkit.store import Store

__all__ = ["Place", "serve"]

_STOPS_WITHIN = 20
_LOOKS_EVERY = 0.5
_HEADERS_WITHIN_MS = 15_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """What to serve and where: a store's location, a host and a port; `access_log` is a file, "-" for stderr."""

    location: str
    host: str = "127.0.0.1"
    port: int = 8000
    access_log: str = ""

    @property
    def address(self) -> str:
        """The address as a browser takes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def serve(place: Place, settings: Settings) -> None:
    """Serve a store until SIGTERM or SIGINT; requests under way are then answered, for at most 20 seconds.

    One process holds the store and answers; another watches over it and starts it anew if it should die, and if that
    one dies, both end. A store in
    a folder is opened for reading, and for writing where the settings have a token. Raises `GraphkitError` where the
    address cannot be had.
    """
    from granian import Granian  # noqa: PLC0415 - imported where the server starts
    from granian.constants import HTTPModes, Interfaces  # noqa: PLC0415
    from granian.errors import FatalError  # noqa: PLC0415
    from granian.http import HTTP1Settings  # noqa: PLC0415

    _check_free(place)
    server = Granian(
        "graphkit",
        address=place.host,
        port=place.port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
        http1_settings=HTTP1Settings(header_read_timeout=_HEADERS_WITHIN_MS),
        respawn_failed_workers=True,
        workers_kill_timeout=_STOPS_WITHIN,
        process_name=None,
    )
    try:
        server.serve(target_loader=cast("Callable[..., Any]", _Loader(place, settings)), wrap_loader=False)
    except (FatalError, OSError, RuntimeError) as error:
        raise GraphkitError(f"the server ended: {error}", where=place.address) from error


@dataclass(frozen=True)
class _Loader:
    """Opens the store and makes the front, in the process that will answer."""

    place: Place
    settings: Settings

    def __call__(self) -> Front:
        _end_with(os.getppid())
        return front(self._open(), self.settings, access_log=self.place.access_log, own=True)

    def _open(self) -> Store:
        location = self.place.location
        elsewhere = location == "memory" or location.startswith(("http://", "https://"))
        return open_store(location, read_only=not self.settings.token and not elsewhere)


def front(store: Store, settings: Settings, *, access_log: str = "", own: bool = False) -> Front:
    """Return the RSGI application over a store; with `own` it closes the store when the server has stopped."""
    app = create_app(store, settings)
    log = AccessLog.open(access_log) if access_log else None
    state = state_of(app)
    parts: list[Callable[[], None]] = [warm(app), _watch(store), state.pool.close, state.services.close]
    if log:
        parts.append(log.close)
    if own:
        parts.append(store.close)

    def close() -> None:
        for end in parts:
            end()

    _spare_the_collector()
    return Front(
        app,
        fast=results_of(app).fast,
        quick=Lane(state.pool, results_of(app)),
        told=log.tell if log else None,
        close=close,
        behind_proxy=settings.behind_proxy,
        token=settings.token or "",
    )


def _end_with(parent: int) -> None:
    """End this process when the one that watches over it has died, so that it does not hold the port for ever."""

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOKS_EVERY)
        _log.error("the process that watches over this one has died; this one ends too")
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_STOPS_WITHIN)
        os._exit(1)

    threading.Thread(target=look, name="parent", daemon=True).start()


def _spare_the_collector() -> None:
    """Let Python look for cycles of garbage seldom: the answers that are kept are many objects and hold none.

    With the usual thresholds each full look stops every request for as long as it takes to go through them all.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 200)


def _watch(store: Store) -> Callable[[], None]:
    """Look every half second for versions that another process committed; what is returned ends that."""
    stopped = threading.Event()

    def look() -> None:
        while not stopped.wait(_LOOKS_EVERY):
            try:
                store.refresh()
            except GraphkitError as error:
                _log.warning("the store cannot be read anew: %s", error)

    thread = threading.Thread(target=look, name="watch", daemon=True)
    thread.start()

    def stop() -> None:
        stopped.set()
        thread.join()

    return stop


def _check_free(place: Place) -> None:
    """Refuse an address that is taken, before anything is started."""
    import socket  # noqa: PLC0415

    try:
        family = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family[0], family[1]) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(family[4])
    except OSError as error:
        raise GraphkitError(
            f"cannot serve on {place.host}:{place.port}: {error.strerror or error}", hint="choose another --port"
        ) from error
