"""Ask a SPARQL endpoint elsewhere: only at checked addresses, within a time and a length."""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Final, TypeAlias
from urllib.parse import urljoin, urlsplit

from graphkit.errors import QueryError, UsageError

__all__ = ["ACCEPTED", "Address", "Client", "Line", "Reply", "Resolve", "is_public"]

Address: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"
Resolve: TypeAlias = Callable[..., Sequence[tuple[Any, ...]]]
"""`socket.getaddrinfo`, or what answers in its place."""

ACCEPTED: Final = ("application/sparql-results+json", "application/sparql-results+xml")
"""The media types that an endpoint may answer in."""

_MOST_REDIRECTS: Final = 3
_PIECE: Final = 65_536
_SHOWN: Final = 200
_HTTP_OK: Final = 200
_REDIRECTS: Final = frozenset({301, 302, 307, 308})
_PORTS: Final = {"http": 80, "https": 443}
_ADDRESS: Final = re.compile(r"[!-~]+")
_ORDINARY_IPV6: Final = ipaddress.ip_network("2000::/3")
_RELAYS: Final = (ipaddress.ip_network("2002::/16"), ipaddress.ip_network("3fff::/20"))
_RELAY_IPV4: Final = ipaddress.ip_network("192.88.99.0/24")


@dataclass(frozen=True, slots=True)
class Reply:
    """What an endpoint answered: one of `ACCEPTED`, and the whole body."""

    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class _Place:
    """An allowed endpoint, taken apart."""

    url: str
    secure: bool
    host: str
    port: int
    netloc: str
    path: str


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


def is_public(address: Address) -> bool:
    """Tell whether an address belongs to a host on the open internet, by the IANA registries (RFC 6890).

    Private, loopback, link-local, shared (RFC 6598), multicast, reserved and documentation addresses do not, and
    neither do IPv6 addresses that stand for an IPv4 address: mapped, 6to4, Teredo, NAT64.

    >>> [is_public(ipaddress.ip_address(each)) for each in ("9.9.9.9", "10.0.0.1", "100.64.0.1", "::ffff:9.9.9.9")]
    [True, False, False, False]
    """
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return address not in _RELAY_IPV4
    return address in _ORDINARY_IPV6 and not any(address in relay for relay in _RELAYS)


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

    def _once(self, place: _Place, query: bytes, deadline: float, line: Line) -> Reply | str:
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

    def _connected(self, place: _Place, deadline: float, line: Line) -> socket.socket:
        """Connect to the first checked address that answers; TLS proves that it is the host of the list."""
        left = deadline - time.monotonic()
        if left <= 0 or line.is_cut:
            raise TimeoutError
        connected = _connect(self._addresses(place), place.port, left)
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

    def _addresses(self, place: _Place) -> list[str]:
        """Resolve a host, and refuse it if any of its addresses is one that may not be asked."""
        found = self._resolve(place.host, place.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        for address in addresses:
            if not _may_be_asked(place.host, ipaddress.ip_address(address)):
                raise _refusal(
                    place.url, f"has the address {address}, which is not a public one", "name that address in the list"
                )
        return addresses

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


def _taken_apart(url: str) -> _Place:
    """Read an address of the list."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
        host = parts.hostname or ""
    except ValueError as error:
        raise _not_an_endpoint(url) from error
    strange = not _ADDRESS.fullmatch(url) or set(url) & set('<>"{}|^`\\') or "@" in parts.netloc or "%" in host
    if strange or not port or not host or "#" in url:
        raise _not_an_endpoint(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Place(url, parts.scheme == "https", host, port, parts.netloc, path)


def _not_an_endpoint(url: str) -> UsageError:
    hint = "write the whole address of a SPARQL endpoint, such as https://query.example.org/sparql"
    return UsageError(f"'{url}' is no address of an endpoint that SERVICE could call", where="services", hint=hint)


def _may_be_asked(host: str, address: Address) -> bool:
    """Tell whether an address of a listed host may be connected to."""
    with suppress(ValueError):
        literal = ipaddress.ip_address(host)
        return literal == address and not (address.is_unspecified or address.is_multicast)
    return address.is_loopback if host == "localhost" else is_public(address)


def _connect(addresses: Iterable[str], port: int, seconds: float) -> socket.socket:
    failed: OSError = ConnectionError("the host has no address")
    until = time.monotonic() + seconds
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=max(until - time.monotonic(), 0.01))
        except OSError as error:
            failed = error
    raise failed


def _headers(place: _Place) -> dict[str, str]:
    return {
        "Host": place.netloc,
        "Accept": ", ".join(ACCEPTED),
        "Accept-Encoding": "identity",
        "Content-Type": "application/sparql-query",
        "User-Agent": f"graphkit/{metadata.version('solidarity-graphkit')}",
        "Connection": "close",
    }


def _words(error: Exception, line: Line) -> str:
    """Say in words why a call failed."""
    if line.is_cut or isinstance(error, TimeoutError):
        return "did not answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"has no certificate to be trusted: {error.verify_message}"
    if isinstance(error, http.client.IncompleteRead):
        return "breaks off its answer"
    if isinstance(error, http.client.HTTPException | ValueError):
        return "does not speak HTTP as it should"
    return f"cannot be reached: {error.strerror or error}" if isinstance(error, OSError) else str(error)


def _refusal(endpoint: str, why: str, hint: str = "") -> QueryError:
    return QueryError(f"the endpoint {endpoint} {why}", where=f"SERVICE <{endpoint}>", hint=hint)


def _printable(data: bytes) -> str:
    return " ".join("".join(each if each.isprintable() else " " for each in data.decode(errors="replace")).split())


def _shown(text: str) -> str:
    """Shorten a text of somebody else, and keep it on one line."""
    return _printable(text.encode(errors="replace"))[:_SHOWN]
