"""The front of the service: takes requests from the server's loop, answers repeated ones at once, hands on the rest.

Granian (Rust) reads and writes HTTP; it speaks RSGI to `Front`, which runs the Flask application (WSGI, PEP 3333) in
threads. What WSGI cannot say is passed in the environment: `graphkit.gone`, an event that is set when the client goes
away before its answer, and `graphkit.query_id`, the id of the request in logs and for stopping a query.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Final, Protocol, cast

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from granian._granian import RSGIHeaders
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

    from graphkit.store.pool.reader_pool import Begun
    from webui.protocol.lane import Plan, Trip

from graphkit.errors import GraphkitError
from webui.serving.packing import LEAST, may_shrink
from webui.serving.wsgi import Call, environ_of

__all__ = ["Crew", "Front", "Ready", "Served"]

Headers = list[tuple[str, str]]
_Body = tempfile.SpooledTemporaryFile[bytes]

_IN_MEMORY: Final = 1_000_000
_WATCHES_AFTER: Final = 0.05
_WAITS_A_TURN: Final = 0.25
_MOST_IN_TURN: Final = 256
_IN_TURN, _LATE = "in turn", "late"
_BODY_WITHIN: Final = 30.0
_WRITTEN_WITHIN: Final = 600.0
_TAKEN_WITHIN: Final = 60.0
_MOST_ARRIVING: Final = 64
_QUERY_PATHS: Final = ("/sparql", "/store", "/queries/", "/q/", "/data")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ready:
    """An answer that needs no work: status, headers, whole body."""

    status: int
    headers: Headers
    body: bytes

    @property
    def shrinks(self) -> bool:
        """Tell whether packing would make it shorter."""
        return len(self.body) >= LEAST and may_shrink(dict(self.headers).get("content-type", ""))


@dataclass(frozen=True, slots=True)
class Served:
    """What the access log tells of one request; `bytes` is the length of the body, `seconds` the time it took."""

    query_id: str
    client: str
    method: str
    path: str
    status: int
    bytes: int
    seconds: float
    cached: bool = False
    user_agent: str = ""


class _Quick(Protocol):
    """Begins plain queries in the loop, and makes their responses (`webui.protocol.lane`)."""

    def plan(self, path: str, query: str, headers: RSGIHeaders, client: str) -> Plan | None: ...

    def begin(self, plan: Plan) -> Trip | None: ...

    def is_full(self, plan: Plan) -> bool: ...

    def end(self, trip: Trip) -> Ready | None: ...


class _Fast(Protocol):
    """Answers a request that was answered before, or returns None."""

    def __call__(self, method: str, path: str, query: str, headers: RSGIHeaders) -> Ready | None: ...


@dataclass(slots=True)
class Crew:
    """Threads for one sort of work, and how much of it may be under way; more is refused at once."""

    threads: ThreadPoolExecutor
    most: int
    under_way: int = field(default=0)

    @classmethod
    def of(cls, name: str, threads: int, most: int) -> Crew:
        """Make a crew of so many threads; of `most` requests those beyond the threads wait."""
        return cls(ThreadPoolExecutor(threads, thread_name_prefix=name), most)


class Front:
    """The RSGI application. Pages and queries have crews of their own, so that slow queries never hold up a page.

    `fast` is asked first, in the loop itself, and must answer from memory; `quick` may then begin a query that the loop
    waits for. `told` hears of every request when its answer has left. A body of more than `most_body` bytes is refused
    with 413 while it is read, one that takes half a minute to arrive with 408, and one that breaks off with 400;
    whoever sends the `token` has `most_written` bytes and ten minutes. At most 64 bodies of one client may be arriving.
    A client that takes no byte of a long answer for a minute is left. Only with `behind_proxy` is the client that the
    log is told of the one that the proxy names.
    """

    def __init__(
        self,
        app: WSGIApplication,
        *,
        fast: _Fast | None = None,
        quick: _Quick | None = None,
        told: Callable[[Served], None] | None = None,
        most_body: int = 2_000_000,
        most_written: int = 1_000_000_000,
        close: Callable[[], None] | None = None,
        behind_proxy: bool = False,
        token: str = "",
    ) -> None:
        self._app, self._fast, self._quick, self._told, self._close = app, fast, quick, told, close
        self._most_body, self._most_written, self._behind_proxy = most_body, most_written, behind_proxy
        self._token = token.encode()
        self._arriving: Counter[str] = Counter()
        self._waiting: deque[asyncio.Future[str]] = deque()
        self._pages, self._queries = Crew.of("page", 16, 256), Crew.of("query", 64, 512)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """End the threads when the server has stopped, and let go of what the application holds."""
        for crew in (self._pages, self._queries):
            crew.threads.shutdown(wait=True, cancel_futures=True)
        if self._close:
            self._close()

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Answer one request."""
        started = time.perf_counter()
        if self._fast and scope.method in {"GET", "HEAD"}:
            ready = self._fast(scope.method, scope.path, scope.query_string, scope.headers)
            if ready:
                protocol.response_bytes(ready.status, ready.headers, ready.body)
                self._tell(scope, "", ready.status, len(ready.body), started, cached=True)
                return
        fault = await self._quickly(scope, protocol, started)
        if fault is True:
            return
        crew = self._queries if scope.path.startswith(_QUERY_PATHS) else self._pages
        if crew.under_way >= crew.most:
            self._refuse(scope, protocol, 503, "the service is busy: try again in a few seconds", started)
            return
        crew.under_way += 1
        try:
            await self._work(scope, protocol, crew, started, fault or None)
        finally:
            crew.under_way -= 1
            self._next_turn()

    async def _quickly(self, scope: Scope, protocol: HTTPProtocol, started: float) -> GraphkitError | bool:
        """Answer a plain query without a thread; return what went wrong with it, or whether it was answered."""
        if self._quick is None or scope.method != "GET":
            return False
        plan = self._quick.plan(scope.path, scope.query_string, scope.headers, self._client(scope))
        if plan is None:
            return False
        try:
            trip = await self._begun(self._quick, plan)
            if trip is None:
                return False
            try:
                await _arrived(trip.begun, protocol)
                ready = self._quick.end(trip)
            finally:
                self._next_turn()
        except GraphkitError as error:
            return error
        if ready:
            protocol.response_bytes(ready.status, ready.headers, ready.body)
            self._tell(scope, plan.question.id, ready.status, len(ready.body), started)
        return ready is not None

    async def _begun(self, quick: _Quick, plan: Plan) -> Trip | None:
        """Begin a plain query, at once or when another query ends; None where that takes more than a moment."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _WAITS_A_TURN
        while (trip := quick.begin(plan)) is None and loop.time() < until:
            if len(self._waiting) >= _MOST_IN_TURN or not quick.is_full(plan):
                return None
            turn: asyncio.Future[str] = loop.create_future()
            self._waiting.append(turn)
            limit = loop.call_at(until, _settle, turn, _LATE)
            try:
                await turn
            finally:
                limit.cancel()
        return trip

    def _next_turn(self) -> None:
        """Let the next plain query try; to be called when any query has ended."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(_IN_TURN)
                return

    async def _work(
        self, scope: Scope, protocol: HTTPProtocol, crew: Crew, started: float, fault: GraphkitError | None
    ) -> None:
        """Run the application in a thread of the crew and send what it answers, to `fault` if there is one."""
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as body:
            refusal = await self._read(scope, protocol, body)
            if refusal:
                self._refuse(scope, protocol, *refusal, started)
                return
            environ = environ_of(scope, cast("IO[bytes]", body))
            if fault:
                environ["graphkit.fault"] = fault
            call = Call(self._app, environ)
            watch = asyncio.ensure_future(_watched(protocol, call.gone))
            try:
                await asyncio.get_running_loop().run_in_executor(crew.threads, call.run)
            except Exception:  # noqa: BLE001 - whatever it raises ends this request only
                _log.exception("the request %s %s (%s) failed", scope.method, scope.path, call.query_id)
                self._refuse(
                    scope, protocol, 500, f"the service failed; its log has more under {call.query_id}", started
                )
                return
            finally:
                watch.cancel()
            sent = await self._send(protocol, crew, call)
        self._tell(scope, call.query_id, call.status, sent, started)

    async def _read(self, scope: Scope, protocol: HTTPProtocol, into: _Body) -> tuple[int, str] | None:
        """Read the body of a request, or return the status and the words that refuse it."""
        headers = scope.headers
        if [name for name, _ in headers.items()].count("host") > 1:
            return 400, "the request names two hosts"
        if scope.method in {"GET", "HEAD"} and "content-length" not in headers:
            return None
        client = self._client(scope)
        if self._arriving[client] >= _MOST_ARRIVING:
            return 503, "too many bodies of this client are arriving at once"
        self._arriving[client] += 1
        try:
            return await self._take(headers, protocol, into)
        finally:
            self._arriving[client] -= 1
            if not self._arriving[client]:
                del self._arriving[client]

    async def _take(self, headers: RSGIHeaders, protocol: HTTPProtocol, into: _Body) -> tuple[int, str] | None:
        """Take a body that is whole: its end is known by its length, or for who may write by the server's reader.

        Without a length the pieces alone do not tell a body from one that broke off, which matters where it is written.
        """
        trusted = self._has_token(headers.get("authorization", ""))
        most = self._most_written if trusted else self._most_body
        told = headers.get("content-length")
        if told is not None and int(told) > most:
            return 413, f"the body is longer than {most:,} bytes"
        length = 0
        try:
            async with asyncio.timeout(_WRITTEN_WITHIN if trusted else _BODY_WITHIN):
                if trusted and told is None:
                    length = into.write(await protocol())
                else:
                    async for piece in protocol:
                        length += into.write(piece)
                        if length > most:
                            break
        except TimeoutError:
            return 408, "the body did not arrive in time"
        except Exception as error:  # noqa: BLE001 - what it raises is the server's own
            _log.debug("a body broke off: %s", error)
            return 400, "the body broke off"
        if length > most:
            return 413, f"the body is longer than {most:,} bytes"
        if told is not None and length != int(told):
            return 400, "the body is shorter than its Content-Length"
        into.seek(0)
        return None

    def _has_token(self, authorization: str) -> bool:
        """Tell whether a header shows the token; the application looks at it again before anything is written."""
        scheme, _, sent = authorization.partition(" ")
        return (
            bool(self._token) and scheme.lower() == "bearer" and hmac.compare_digest(sent.strip().encode(), self._token)
        )

    async def _send(self, protocol: HTTPProtocol, crew: Crew, call: Call) -> int:
        """Send the answer: a short one whole, a long one in pieces, as fast as the client takes them."""
        if call.whole is not None:
            protocol.response_bytes(call.status, call.headers, call.whole)
            return len(call.whole)
        sent = 0
        loop = asyncio.get_running_loop()
        transport = protocol.response_stream(call.status, call.headers)
        try:
            while piece := await loop.run_in_executor(crew.threads, call.next_piece):
                async with asyncio.timeout(_TAKEN_WITHIN):
                    await transport.send_bytes(piece)
                sent += len(piece)
        except Exception as error:  # noqa: BLE001 - the client went away; what it raises is the server's own
            _log.debug("a client went away after %d bytes: %s", sent, error)
        finally:
            await loop.run_in_executor(crew.threads, call.close)
        return sent

    def _refuse(self, scope: Scope, protocol: HTTPProtocol, status: int, what: str, started: float) -> None:
        """Refuse a request before the application sees it."""
        body = f'{{"status": {status}, "title": "{what}"}}\n'.encode()
        headers = [("content-type", "application/problem+json"), ("content-length", str(len(body)))]
        if status == 503:  # noqa: PLR2004 - Service Unavailable
            headers.append(("retry-after", "5"))
        protocol.response_bytes(status, headers, body)
        self._tell(scope, "", status, len(body), started)

    def _tell(
        self, scope: Scope, query_id: str, status: int, length: int, started: float, *, cached: bool = False
    ) -> None:
        if self._told:
            took, client = time.perf_counter() - started, self._client(scope)
            agent = scope.headers.get("user-agent", "")
            self._told(Served(query_id, client, scope.method, scope.path, status, length, took, cached, agent))

    def _client(self, scope: Scope) -> str:
        """Return the address of the client, as the proxy tells it where there is one."""
        named = scope.headers.get("x-forwarded-for", "") if self._behind_proxy else ""
        return named.rpartition(",")[2].strip() or scope.client.rpartition(":")[0]


async def _arrived(begun: Begun, protocol: HTTPProtocol) -> None:
    """Wait until the answer is there, its time is over, or the client has gone, and end the query in the last two."""
    loop = asyncio.get_running_loop()
    there: asyncio.Future[str] = loop.create_future()
    started, ends = loop.time(), list[asyncio.Future[None] | asyncio.TimerHandle]()

    def watch() -> None:
        ends.append(asyncio.ensure_future(_given_up(begun, protocol)))
        ends.append(loop.call_at(started + begun.seconds, begun.give_up))

    file = begun.fileno()
    loop.add_reader(file, _settle, there, _IN_TURN)
    ends.append(loop.call_later(min(_WATCHES_AFTER, begun.seconds), watch))
    try:
        await there
    finally:
        loop.remove_reader(file)
        for each in ends:
            each.cancel()


def _settle(future: asyncio.Future[str], value: str) -> None:
    """Set the result of a future that has none yet."""
    if not future.done():
        future.set_result(value)


async def _given_up(begun: Begun, protocol: HTTPProtocol) -> None:
    """End a query when its client goes away."""
    await protocol.client_disconnect()
    begun.give_up()


async def _watched(protocol: HTTPProtocol, gone: threading.Event) -> None:
    """Set the event when the client goes away."""
    await protocol.client_disconnect()
    gone.set()
