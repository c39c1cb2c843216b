"""The kept answers in the application: which responses are remembered, so that the server's loop can repeat them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask import Flask, Response, current_app, g, request
from werkzeug.datastructures import Headers as WsgiHeaders

from graphkit.store.pool.reader_pool import ReaderPool
from webui.protocol.results import DECIDES_OTHERWISE, Given, Held, Key, Results
from webui.serving.front import Ready
from webui.serving.packing import packed

__all__ = ["attach", "keep_response", "results", "results_of"]

_EXTENSION: Final = "graphkit.results"
_OF_ONE_REQUEST: Final = frozenset({"query-id", "date"})


def attach(app: Flask, pool: ReaderPool, newest: Callable[[], int | None], most_bytes: int) -> Results:
    """Give `app` its kept answers; to be called before other `after_request` functions are added.

    What is remembered for `fast` must be the last word on a response, and Flask runs the first function last.
    """
    app.extensions[_EXTENSION] = kept = Results(pool, newest, most_bytes)
    app.after_request(_remember)
    return kept


def results_of(app: Flask) -> Results:
    """Return the kept answers of an application; its `fast` is what the server's loop asks first."""
    found: Results = app.extensions[_EXTENSION]
    return found


def results() -> Results:
    """Return the kept answers of the present application."""
    return results_of(current_app)


@dataclass(frozen=True, slots=True)
class _Noted:
    """What `keep_response` knows of the present response before its last headers are set."""

    key: Key
    number: int | None
    body: bytes
    etag: str


def keep_response(key: Key, answer: Given, etag: str, *, pinned: bool) -> None:
    """Let `fast` answer the present request next time; nothing happens where the answer itself is not kept."""
    if isinstance(answer, Held) and answer.version is not None:
        g.graphkit_noted = _Noted(key, None if pinned else answer.version.number, answer.data, etag)


def _remember(response: Response) -> Response:
    noted: _Noted | None = g.pop("graphkit_noted", None)
    plain = request.method == "GET" and not request.script_root and not _decides_otherwise(request.headers)
    if noted and plain and response.status_code == 200:  # noqa: PLR2004 - OK
        headers = [(name.lower(), value) for name, value in response.headers if name.lower() not in _OF_ONE_REQUEST]
        query = request.query_string.decode("latin-1")
        asked = (request.path, query, request.headers.get("Accept", ""), _called_host())
        known, ready = results(), Ready(200, headers, noted.body)
        known.learn(asked, noted.key, noted.number, ready, noted.etag, _short(ready, response))
        if known.told:
            known.told(asked, noted.key, noted.number, ready)
    return response


def _short(ready: Ready, response: Response) -> Ready | None:
    """Pack the response where the client takes that, and return it for the next time; None where it is short."""
    headers, body = packed(ready.headers, ready.body, request.headers.get("Accept-Encoding", ""))
    if body is ready.body:
        return None
    response.set_data(body)
    for name in ("etag", "content-encoding", "content-length"):
        response.headers[name] = dict(headers)[name]
    return Ready(ready.status, headers, body)


def _called_host() -> str:
    """Return the header Host as the server's loop sees it, also where a proxy's word has taken its place since."""
    before: dict[str, str | None] = request.environ.get("werkzeug.proxy_fix.orig", {})
    return before.get("HTTP_HOST") or request.headers.get("Host", "")


def _decides_otherwise(headers: WsgiHeaders) -> bool:
    return any(headers.get(name) for name in DECIDES_OTHERWISE)
