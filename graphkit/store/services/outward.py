"""Ask a SPARQL endpoint elsewhere: only at checked addresses, within a time and a length."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin

from graphkit.errors import QueryError, UsageError
from graphkit.outward import AGENT, NotPublicError, Place, Resolve, checked_addresses, connect, in_words, take_apart

__all__ = ["ACCEPTED", "Client", "Line", "Reply"]

ACCEPTED: Final = ("application/sparql-results+json", "application/sparql-results+xml")
"""The media types that an endpoint may answer in."""

_MOST_REDIRECTS: Final = 3
_PIECE: Final = 65_536
_SHOWN: Final = 200
_HTTP_OK: Final = 200
_REDIRECTS: Final = frozenset({301, 302, 307, 308})


@dataclass(frozen=True, slots=True)
class Reply:
    """What an endpoint answered: one of `ACCEPTED`, and the whole body."""

    media_type: str
    data: bytes


class Line:
    """The connection of one call, which another thread may cut."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_cut = False

    @property
    def is_cut(self) -> bool:
        """Tell whether somebody cut it."""
        return self._is_cut

    def hold(self, connected: socket.socket) -> None:
        """Take the socket that is to be cut; it is cut at once where that was already asked for."""
        with self._lock:
            self._socket = connected
            if self._is_cut:
                self._shut()

    def cut(self) -> None:
        """End whatever is read or written, in whichever thread."""
        with self._lock:
            self._is_cut = True
            self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class Client:
    """Asks the endpoints of a list and no others.

    A host's name is resolved once, every address that it has is checked, and the connection goes to the checked
    address, so that a name which changes its address in between gains nothing. Addresses that are not public
    (`is_public`) are refused, unless the list names that very address, or localhost. A redirect is followed, at most
    three times, where its target is itself on the list. No cookie, password or proxy is used.

    `allowed` are full http(s) addresses without user, fragment or blanks; anything else is a `UsageError`.
    """

    def __init__(
        self, allowed: Iterable[str] = (), *, most_bytes: int = 10_000_000, resolve: Resolve = socket.getaddrinfo
    ) -> None:
        self._places = {url: _taken_apart(url) for url in allowed}
        self._most_bytes, self._resolve = most_bytes, resolve

    @property
    def allowed(self) -> tuple[str, ...]:
        """The endpoints that may be asked."""
        return tuple(self._places)

    def ask(self, endpoint: str, sparql: str, *, deadline: float, line: Line) -> Reply:
        """Send a query to an allowed endpoint (SPARQL 1.1 Protocol, POST directly) and return its whole answer.

        Ends at `deadline` (of `time.monotonic`) or as soon as `line` is cut. Raises `QueryError` that names the
        endpoint and says what was wrong.
        """
        watch = threading.Timer(max(deadline - time.monotonic(), 0.0), line.cut)
        watch.daemon = True
        watch.start()
        try:
            return self._follow(endpoint, sparql.encode(), deadline, line)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _refusal(endpoint, _words(error, line)) from error
        finally:
            watch.cancel()

    def _follow(self, endpoint: str, query: bytes, deadline: float, line: Line) -> Reply:
        url = endpoint
        for _ in range(_MOST_REDIRECTS + 1):
            place = self._places.get(url)
            if place is None:
                raise _refusal(endpoint, f"leads to {_shown(url)}, which is not allowed")
            answer = self._once(place, query, deadline, line)
            if isinstance(answer, Reply):
                return answer
            url = urljoin(url, answer)
        raise _refusal(endpoint, f"redirects more than {_MOST_REDIRECTS} times")

    def _once(self, place: Place, query: bytes, deadline: float, line: Line) -> Reply | str:
        """Ask once; return the answer, or where it is said to be."""
        connection = http.client.HTTPConnection(place.host, place.port)
        try:
            connection.sock = self._connected(place, deadline, line)
            connection.request("POST", place.path, query, _headers(place))
            response = connection.getresponse()
            if response.status in _REDIRECTS and (target := response.getheader("Location")):
                return target
            return self._read(place.url, response, line)
        finally:
            connection.close()

    def _connected(self, place: Place, deadline: float, line: Line) -> socket.socket:
        """Connect to the first checked address that answers; TLS proves that it is the host of the list."""
        left = deadline - time.monotonic()
        if left <= 0 or line.is_cut:
            raise TimeoutError
        try:
            addresses = checked_addresses(place, self._resolve)
        except NotPublicError as error:
            raise _refusal(place.url, str(error), "name that address in the list") from error
        connected = connect(addresses, place.port, left)
        line.hold(connected)
        if not place.secure:
            return connected
        context = ssl.create_default_context()
        wrapped = context.wrap_socket(connected, server_hostname=place.host, do_handshake_on_connect=False)
        try:
            line.hold(wrapped)
            wrapped.do_handshake()
        except BaseException:
            wrapped.close()
            raise
        return wrapped

    def _read(self, endpoint: str, response: http.client.HTTPResponse, line: Line) -> Reply:
        media_type = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
        if response.status != _HTTP_OK:
            words = _printable(response.read(_SHOWN)) if media_type.startswith("text/plain") else ""
            raise _refusal(endpoint, f"answers {response.status} {_shown(response.reason)}", words)
        if media_type not in ACCEPTED:
            raise _refusal(endpoint, f"answers with {_shown(media_type) or 'no media type'} and not with results")
        if (response.getheader("Content-Encoding") or "identity").lower() != "identity":
            raise _refusal(endpoint, "answers compressed although it was asked not to")
        return Reply(media_type, self._body(endpoint, response, line))

    def _body(self, endpoint: str, response: http.client.HTTPResponse, line: Line) -> bytes:
        """Read the body piece by piece, and stop where it is too long or breaks off."""
        data = bytearray()
        while piece := response.read1(_PIECE):
            data += piece
            if len(data) > self._most_bytes:
                raise _refusal(endpoint, f"answers with more than {self._most_bytes:,} bytes", "ask it for less")
        if line.is_cut or response.length:
            raise http.client.IncompleteRead(b"")
        return bytes(data)


def _taken_apart(url: str) -> Place:
    """Read an address of the list."""
    if (place := take_apart(url)) is None:
        hint = "write the whole address of a SPARQL endpoint, such as https://query.example.org/sparql"
        raise UsageError(f"'{url}' is no address of an endpoint that SERVICE could call", where="services", hint=hint)
    return place


def _headers(place: Place) -> dict[str, str]:
    return {
        "Host": place.netloc,
        "Accept": ", ".join(ACCEPTED),
        "Accept-Encoding": "identity",
        "Content-Type": "application/sparql-query",
        "User-Agent": AGENT,
        "Connection": "close",
    }


def _words(error: Exception, line: Line) -> str:
    """Say in words why a call failed."""
    return in_words(TimeoutError() if line.is_cut else error)


def _refusal(endpoint: str, why: str, hint: str = "") -> QueryError:
    return QueryError(f"the endpoint {endpoint} {why}", where=f"SERVICE <{endpoint}>", hint=hint)


def _printable(data: bytes) -> str:
    return " ".join("".join(each if each.isprintable() else " " for each in data.decode(errors="replace")).split())


def _shown(text: str) -> str:
    """Shorten a text of somebody else, and keep it on one line."""
    return _printable(text.encode(errors="replace"))[:_SHOWN]
