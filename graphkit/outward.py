"""Reaches hosts elsewhere: an address is taken apart, all that its host has are checked, and one of them is asked."""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

__all__ = [
    "AGENT",
    "Address",
    "NotPublicError",
    "Place",
    "Resolve",
    "checked_addresses",
    "connect",
    "in_words",
    "is_public",
    "take_apart",
]

Address: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"
Resolve: TypeAlias = Callable[..., Sequence[tuple[Any, ...]]]
"""`socket.getaddrinfo`, or what answers in its place."""

AGENT: Final = f"graphkit/{metadata.version('solidarity-graphkit')}"
"""How this program names itself to a host."""

_PORTS: Final = {"http": 80, "https": 443}
_ADDRESS: Final = re.compile(r"[!-~]+")
_STRANGE: Final = frozenset('<>"{}|^`\\#')
_ORDINARY_IPV6: Final = ipaddress.ip_network("2000::/3")
_RELAYS: Final = (ipaddress.ip_network("2002::/16"), ipaddress.ip_network("3fff::/20"))
_RELAY_IPV4: Final = ipaddress.ip_network("192.88.99.0/24")


@dataclass(frozen=True, slots=True)
class Place:
    """An http(s) address, taken apart; `path` has the query too."""

    url: str
    secure: bool
    host: str
    port: int
    netloc: str
    path: str


class NotPublicError(Exception):
    """A host has an address that is not on the open internet."""


def take_apart(url: str) -> Place | None:
    """Take an http(s) address apart; nothing for one with a user, a fragment or strange characters, and for any other.

    >>> take_apart("https://example.org/sparql?a=1").path
    '/sparql?a=1'
    >>> take_apart("https://me@example.org/") is None
    True
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
        host = parts.hostname or ""
    except ValueError:
        return None
    if not port or not host or not _ADDRESS.fullmatch(url) or _STRANGE & set(url) or "@" in parts.netloc or "%" in host:
        return None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(url, parts.scheme == "https", host, port, parts.netloc, path)


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


def checked_addresses(place: Place, resolve: Resolve = socket.getaddrinfo) -> list[str]:
    """Resolve a host once, and check every address that it has.

    Who connects to one of these is not led elsewhere by a name that changes its address in between. Raises
    `NotPublicError` for an address that is not public, unless the host is that very address, or localhost, and
    `OSError` where the name is not known.
    """
    found = resolve(place.host, place.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    for address in addresses:
        if not _may_be_asked(place.host, ipaddress.ip_address(address)):
            raise NotPublicError(f"has the address {address}, which is not a public one")
    return addresses


def _may_be_asked(host: str, address: Address) -> bool:
    with suppress(ValueError):
        literal = ipaddress.ip_address(host)
        return literal == address and not (address.is_unspecified or address.is_multicast)
    return address.is_loopback if host == "localhost" else is_public(address)


def connect(addresses: Iterable[str], port: int, seconds: float) -> socket.socket:
    """Connect to the first address that answers, within so many seconds for all."""
    failed: OSError = ConnectionError("the host has no address")
    until = time.monotonic() + seconds
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=max(until - time.monotonic(), 0.01))
        except OSError as error:
            failed = error
    raise failed


def in_words(error: Exception) -> str:
    """Say why a host was not reached, or did not answer as it should, as the end of a sentence about it."""
    if isinstance(error, TimeoutError):
        return "did not answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"has no certificate to be trusted: {error.verify_message}"
    if isinstance(error, http.client.IncompleteRead):
        return "breaks off its answer"
    if isinstance(error, http.client.HTTPException | ValueError):
        return "does not speak HTTP as it should"
    return f"cannot be reached: {error.strerror or error}" if isinstance(error, OSError) else str(error)
