"""The front of the service: takes requests from the server's loop, answers repeated ones at once, hands on the rest.

Granian (Rust) reads and writes HTTP; it speaks RSGI to `Front`, which runs the Flask application (WSGI, PEP 3333) in
threads. What WSGI cannot say is passed in the environment: `graphkit.gone`, an event that is set when the client goes
away before its answer, and `graphkit.query_id`, the id of the request in logs and for stopping a query.
"""

from __future__ import annotations

import asyncio
import hmac
import itertools
import logging
import re
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Final, Protocol, cast
from urllib.parse import quote

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from granian._granian import RSGIHeaders
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

    from graphkit.store.pool.reader_pool import Begun
    from webui.protocol.lane import Plan, Trip

from graphkit.errors import GraphkitError
from webui.serving.packing import packed

__all__ = ["Crew", "Front", "Ready", "Served"]

Headers = list[tuple[str, str]]
_Body = tempfile.SpooledTemporaryFile[bytes]

_IN_MEMORY: Final = 1_000_000
_PIECE: Final = 256 * 1024
_WATCHES_AFTER: Final = 0.05
_WAITS_A_TURN: Final = 0.05
_MOST_IN_TURN: Final = 256
_IN_TURN, _LATE = "in turn", "late"
_BODY_WITHIN: Final = 30.0
_WRITTEN_WITHIN: Final = 600.0
_TAKEN_WITHIN: Final = 60.0
_MOST_ARRIVING: Final = 64
_DATES: Final = frozenset({"if-modified-since", "if-unmodified-since", "if-range"})
_NO_YEAR: Final = re.compile(r"[0-9]{5}")
_QUERY_PATHS: Final = ("/sparql", "/store", "/queries/", "/q/", "/data")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ready:
    """An answer that needs no work: status, headers, whole body."""

    status: int
    headers: Headers
    body: bytes


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

    async def _quickly(self, scope: Scope, protocol: HTTPProtocol, started: float) -> GraphkitError | bool:
        """Answer a plain query without a thread; return what went wrong with it, or whether it was answered."""
        if self._quick is None or scope.method != "GET":
            return False
        plan = self._quick.plan(scope.path, scope.query_string, scope.headers, self._client(scope))
        if plan is None:
            return False
        trip = self._quick.begin(plan) or (await self._in_turn() and self._quick.begin(plan))
        if not trip:
            return False
        try:
            await _arrived(trip.begun, protocol)
            ready = self._quick.end(trip)
        except GraphkitError as error:
            return error
        finally:
            self._next_turn()
        if ready:
            protocol.response_bytes(ready.status, ready.headers, ready.body)
            self._tell(scope, plan.question.id, ready.status, len(ready.body), started)
        return ready is not None

    async def _in_turn(self) -> bool:
        """Wait a moment for another plain query to end; more than a few do not wait here."""
        if len(self._waiting) >= _MOST_IN_TURN:
            return False
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[str] = loop.create_future()
        self._waiting.append(turn)
        limit = loop.call_later(_WAITS_A_TURN, _settle, turn, _LATE)
        try:
            return await turn != _LATE
        finally:
            limit.cancel()

    def _next_turn(self) -> None:
        """Let the next plain query try."""
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
            environ = _environ(scope, cast("IO[bytes]", body))
            if fault:
                environ["graphkit.fault"] = fault
            call = _Call(self._app, environ)
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

    async def _send(self, protocol: HTTPProtocol, crew: Crew, call: _Call) -> int:
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


class _Call:
    """One call of the WSGI application, made and read in threads."""

    def __init__(self, app: WSGIApplication, environ: dict[str, Any]) -> None:
        self._app, self._environ = app, environ
        self.gone: threading.Event = environ["graphkit.gone"]
        self.status, self.headers = 500, cast("Headers", [])
        self.whole: bytes | None = None
        self._pieces: Iterator[bytes] = iter(())
        self._answer: Iterable[bytes] = ()

    @property
    def query_id(self) -> str:
        """The id of the request; the application may have taken over one that the client chose."""
        return str(self._environ["graphkit.query_id"])

    def run(self) -> None:
        """Call the application and take its whole answer, or the beginning of a long one."""
        if self.gone.is_set():
            self.whole = b""
            return
        self._answer = self._app(self._environ, self._start)  # type: ignore[arg-type]
        self._pieces = iter(self._answer)
        first, length = [], 0
        for piece in self._pieces:
            first.append(piece)
            length += len(piece)
            if length > _PIECE:
                self._pieces = itertools.chain([b"".join(first)], self._pieces)
                return
        whole = b"".join(first)
        self.close()
        accepted = self._environ.get("HTTP_ACCEPT_ENCODING", "")
        self.headers, self.whole = packed(self.headers, whole, accepted)

    def next_piece(self) -> bytes:
        """Return the next bytes, or none at the end."""
        return next((piece for piece in self._pieces if piece), b"")

    def close(self) -> None:
        """Tell the application that its answer is not needed any more."""
        end = getattr(self._answer, "close", None)
        if end:
            end()

    def _start(self, status: str, headers: Headers, _: object = None) -> None:
        self.status = int(status[:3])
        self.headers = [(name.lower(), value) for name, value in headers]


async def _arrived(begun: Begun, protocol: HTTPProtocol) -> None:
    """Wait until the answer is there, its time is over, or the client has gone, and end the query in the last two."""
    loop = asyncio.get_running_loop()
    there: asyncio.Future[str] = loop.create_future()
    watches: list[asyncio.Future[None]] = []

    def watch() -> None:
        watches.append(asyncio.ensure_future(_given_up(begun, protocol)))

    file = begun.fileno()
    loop.add_reader(file, _settle, there, _IN_TURN)
    limit, later = loop.call_later(begun.seconds, begun.give_up), loop.call_later(_WATCHES_AFTER, watch)
    try:
        await there
    finally:
        loop.remove_reader(file)
        limit.cancel()
        later.cancel()
        for each in watches:
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


def _environ(scope: Scope, body: IO[bytes]) -> dict[str, Any]:
    """Return the environment of PEP 3333 for a request, with the two entries of our own."""
    server, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "REQUEST_URI": quote(scope.path) + (f"?{scope.query_string}" if scope.query_string else ""),
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "graphkit.gone": threading.Event(),
        "graphkit.query_id": uuid.uuid4().hex,
    }
    for name, value in scope.headers.items():
        key = _NAMES.get(name) or "HTTP_" + name.upper().replace("-", "_")
        if name in _DATES and _NO_YEAR.search(value):
            continue  # a date that cannot be read is to be ignored (RFC 9110, 13.1.3)
        if "_" not in name:
            environ[key] = f"{environ[key]},{value}" if key in environ else value
    if "HTTP_HOST" not in environ and scope.authority:
        environ["HTTP_HOST"] = scope.authority
    return environ


_NAMES: Final = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}
