"""Let queries call allowed endpoints and the text search with SERVICE: through a gate on this machine, never directly.

The RDF engine sends what stands in a SERVICE group to whatever address the query names, and offers no say in it. So a
query is let pass only after each endpoint in it was found on a list and replaced by an address of the gate, which the
engine may call. The gate knows by a secret in that address which endpoint is meant, and asks it with a client of our
own (`outward.Client`), or answers itself where the text search is meant.
"""

from __future__ import annotations

import logging
import re
import secrets
import socket
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import pyoxigraph as ox

from graphkit.errors import GraphkitError, QueryError
from graphkit.outward import Resolve
from graphkit.store.guard import MOST_CHARACTERS
from graphkit.store.services.calls import Call, find_calls, with_endpoints
from graphkit.store.services.outward import Client, Line, Reply
from graphkit.store.services.text_search import SEARCH, Search, answer_search

__all__ = ["Services"]

_MOST_REQUESTS: Final = 50
_IDLE_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.1
_MOST_BODY: Final = 4 * MOST_CHARACTERS
_NUMBER: Final = re.compile(r"[0-9]{1,7}")
_log = logging.getLogger(__name__)


class Services:
    """The endpoints that queries may call, and the gate through which they do.

    `allowed` are exact addresses of endpoints; see `Client` for which are refused all the same. `search` answers the
    internal endpoint `SEARCH`; without one that is refused like any other. A call ends after `seconds`, or when its
    query ends; an answer may have `most_bytes`, and one query may call 50 times (a call inside EXISTS is made for
    each solution). The gate opens with the first query that calls, and closes with `close`.

    >>> with Services().admit("SELECT * { ?s ?p ?o }") as text:
    ...     text
    'SELECT * { ?s ?p ?o }'
    """

    def __init__(
        self,
        allowed: Iterable[str] = (),
        search: Search | None = None,
        *,
        seconds: float = 30.0,
        most_bytes: int = 10_000_000,
        resolve: Resolve = socket.getaddrinfo,
    ) -> None:
        self._client = Client(allowed, most_bytes=most_bytes, resolve=resolve)
        self._search, self._seconds = search, seconds
        self._lock = threading.Lock()
        self._gate: _Gate | None = None
        self._visits: dict[str, _Visit] = {}

    @property
    def endpoints(self) -> tuple[str, ...]:
        """What a query may call: the allowed endpoints, and the search where there is one."""
        return (*self._client.allowed, *([SEARCH] if self._search else []))

    @contextmanager
    def admit(self, sparql: str) -> Iterator[str]:
        """Check a query, and give the text that the engine may run as long as the block lasts.

        That is the query itself where it calls nobody. Raises `QueryError` where `check_query` would, where a call
        cannot be told for certain, and where an endpoint is not allowed; and in place of an error of the engine
        inside the block one that says which endpoint failed and why. When the block ends, calls that still run are
        cut, and the addresses of the gate lead nowhere.
        """
        calls = find_calls(sparql)
        if not calls:
            yield sparql
            return
        self._refuse_unlisted(call.endpoint for call in calls)
        secret = secrets.token_urlsafe(32)
        visit = _Visit(calls, self._seconds, secret)
        address = self._opened().address
        self._visits[secret] = visit
        try:
            yield with_endpoints(sparql, calls, [f"{address}/{secret}/{i}" for i in range(len(calls))])
            visit.refuse_unheard()
        except QueryError as error:
            raise visit.explained(error) from error
        finally:
            del self._visits[secret]
            visit.end()

    def close(self) -> None:
        """Close the gate, and cut what still runs."""
        with self._lock:
            gate, self._gate = self._gate, None
        for visit in list(self._visits.values()):
            visit.end()
        if gate is not None:
            gate.shutdown()
            gate.server_close()

    def answer(self, secret: str, number: int, sparql: str) -> Reply:
        """Answer a call that came through the gate; raises `GraphkitError` where nobody expects it or it fails."""
        visit = self._visits.get(secret)
        if visit is None or number >= len(visit.endpoints):
            raise QueryError("nobody is expected here")
        with visit.calling(number) as line:
            endpoint = visit.endpoints[number]
            started = time.perf_counter()
            reply = self._asked(endpoint, sparql, visit.deadline, line)
            _log.info("SERVICE %s: %d bytes in %.3f s", endpoint, len(reply.data), time.perf_counter() - started)
            return reply

    def _asked(self, endpoint: str, sparql: str, deadline: float, line: Line) -> Reply:
        if endpoint == SEARCH and self._search is not None:
            return answer_search(sparql, self._search)
        reply = self._client.ask(endpoint, sparql, deadline=deadline, line=line)
        _check_results(endpoint, reply)
        return reply

    def _refuse_unlisted(self, endpoints: Iterable[str]) -> None:
        for endpoint in endpoints:
            if endpoint not in self.endpoints:
                listed = ", ".join(f"<{each}>" for each in self.endpoints) or "none"
                raise QueryError(
                    f"SERVICE is not allowed for <{endpoint}>: this server calls only endpoints on its list",
                    hint=f"allowed: {listed}; who runs the server can add others with --service",
                )

    def _opened(self) -> _Gate:
        with self._lock:
            if self._gate is None:
                self._gate = _Gate(self)
                serve = partial(self._gate.serve_forever, poll_interval=_LOOK_SECONDS)
                threading.Thread(target=serve, name="graphkit-gate", daemon=True).start()
            return self._gate


class _Visit:
    """One query at the gate: whom it calls, until when, over which lines, and what went wrong."""

    def __init__(self, calls: Sequence[Call], seconds: float, secret: str) -> None:
        self.endpoints, self.deadline = [call.endpoint for call in calls], time.monotonic() + seconds
        self._loud = [number for number, call in enumerate(calls) if not call.silent]
        self._lock = threading.Lock()
        self._lines = set[Line]()
        self._requests = 0
        self._over = False
        self._failures: dict[int, QueryError] = {}
        self._addresses = re.compile(rf"http://127\.0\.0\.1:\d+/{re.escape(secret)}/(\d+)")

    @contextmanager
    def calling(self, number: int) -> Iterator[Line]:
        """Count a call, keep its line to be cut, and remember why it failed."""
        line = Line()
        with self._lock:
            self._requests += 1
            self._lines.add(line)
            over = self._over
        try:
            if over or self._requests > _MOST_REQUESTS:
                raise QueryError(
                    f"the query calls other endpoints more than {_MOST_REQUESTS} times",
                    hint="take SERVICE out of EXISTS, and ask for all in one group",
                )
            yield line
        except GraphkitError as error:
            self._failures[number] = QueryError(error.what, where=error.where, hint=error.hint)
            raise
        finally:
            with self._lock:
                self._lines.discard(line)

    def refuse_unheard(self) -> None:
        """Raise what failed and was not heard: inside EXISTS the engine takes an error for a no."""
        for number in self._loud:
            if number in self._failures:
                raise self._failures[number]

    def explained(self, error: QueryError) -> QueryError:
        """Return an error in the words of the query: with its endpoint, not with the address of the gate."""
        if type(error) is not QueryError:
            return error
        found = self._addresses.search(str(error))
        failure = self._failures.get(int(found[1])) if found else None
        if failure is not None:
            return failure
        return QueryError(self._named(error.what), where=self._named(error.where), hint=self._named(error.hint))

    def _named(self, text: str) -> str:
        return self._addresses.sub(lambda found: self.endpoints[int(found[1]) % len(self.endpoints)], text)

    def end(self) -> None:
        """Cut all calls; later ones are refused."""
        with self._lock:
            self._over = True
            for line in self._lines:
                line.cut()


class _Gate(ThreadingHTTPServer):
    """The server on this machine that the engine calls instead of the endpoints."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, services: Services) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.services = services
        self.address = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401, ARG002 - as the library has it
        """Log what goes wrong with a connection; that it breaks off only means that its query was ended."""
        level = logging.DEBUG if isinstance(sys.exc_info()[1], OSError) else logging.ERROR
        _log.log(level, "a call through the gate failed", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    """Takes the one kind of request that the engine sends: POST with a query as its body."""

    server: _Gate
    timeout = _IDLE_SECONDS
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer a call."""
        self.close_connection = True
        secret, _, number = self.path[1:].partition("/")
        length = self.headers.get("Content-Length", "")
        if not (_NUMBER.fullmatch(number) and _NUMBER.fullmatch(length) and int(length) <= _MOST_BODY):
            self._send(400, "text/plain", b"not a call")
            return
        try:
            sparql = self.rfile.read(int(length)).decode()
            reply = self.server.services.answer(secret, int(number), sparql)
        except (GraphkitError, UnicodeDecodeError) as error:
            self._send(502, "text/plain; charset=utf-8", str(error).encode(errors="replace"))
        else:
            self._send(200, reply.media_type, reply.data)

    def _send(self, status: int, media_type: str, data: bytes) -> None:
        with suppress(OSError):
            self.send_response_only(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the library has it
        """Say nothing: a request line holds a secret."""


def _check_results(endpoint: str, reply: Reply) -> None:
    """Refuse an answer that the engine could not read to its end: it would fail on it even under SILENT."""
    if fault := _fault(reply):
        raise QueryError(f"the endpoint {endpoint} answers what cannot be read: {fault}", where=f"SERVICE <{endpoint}>")


def _fault(reply: Reply) -> str:
    """Say what is wrong with an answer; the reader must not outlive this function, nor leave this thread."""
    if b"<!DOCTYPE" in reply.data:
        return "it declares a document type"
    try:
        results = ox.parse_query_results(reply.data, format=ox.QueryResultsFormat.from_media_type(reply.media_type))
        if not isinstance(results, ox.QuerySolutions):
            return "it is a yes or no and not a table"
        for _ in results:
            pass
    except (SyntaxError, ValueError, RuntimeError) as error:
        return str(error)
    return ""
