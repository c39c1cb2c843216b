"""Fetches a source's file from its publisher: from the address in the source's folder, within a time and a length."""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
import time
from contextlib import closing
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

from graphkit.errors import DataError, UsageError
from graphkit.sources.progress import Progress, Tell
from graphkit.store.services.outward import Resolve, is_public

__all__ = ["MOST_BYTES", "download"]

MOST_BYTES: Final = 4 * 1024**3
"""The most bytes that a file may have."""

_SECONDS: Final = 3600.0
_SILENCE: Final = 60.0
_PIECE: Final = 256 * 1024
_MOST_REDIRECTS: Final = 5
_OK: Final = 200
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class _Place:
    """An address, taken apart."""

    url: str
    secure: bool
    host: str
    port: int
    path: str


def download(
    url: str,
    folder: Path,
    *,
    progress: Tell | None = None,
    most_bytes: int = MOST_BYTES,
    seconds: float = _SECONDS,
    resolve: Resolve = socket.getaddrinfo,
) -> Path:
    """Fetch `url` into `folder` and return the file, named as the address names it.

    A host's addresses must be public, unless the host is localhost or the address itself is written in `url`; the
    connection goes to the checked address. Redirects are followed, at most five times, and never from https to http or
    from a public address to one that is not. The file appears under its name only when it is whole. Raises `DataError`
    that names the address and says what was wrong.
    """
    place, started = _taken_apart(url), time.monotonic()
    for _ in range(_MOST_REDIRECTS + 1):
        with closing(_connected(place, resolve)) as connection:
            response = _asked(connection, place)
            if response.status in _REDIRECTS and (target := response.getheader("Location")):
                place = _followed(place, urljoin(place.url, target), url)
                continue
            if response.status != _OK:
                raise _failed(url, f"answers {response.status} {response.reason}", "look at the source's homepage")
            path = folder / _name(place.url)
            _save(response, path, url, started + seconds, most_bytes, progress)
            return path
    raise _failed(url, f"redirects more than {_MOST_REDIRECTS} times")


def _asked(connection: http.client.HTTPConnection, place: _Place) -> http.client.HTTPResponse:
    version = metadata.version("solidarity-graphkit")
    headers = {
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "User-Agent": f"graphkit/{version}",
        "Connection": "close",
    }
    try:
        connection.request("GET", place.path, headers=headers)
        return connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        raise _failed(place.url, _words(error)) from error


def _save(response: http.client.HTTPResponse, path: Path, url: str, until: float, most: int, tell: Tell | None) -> None:
    """Write the body piece by piece beside its place, and move it there when it is whole."""
    total, got, begun = response.length or 0, 0, time.monotonic()
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            while piece := response.read(_PIECE):
                got += len(piece)
                if got > most or time.monotonic() > until:
                    raise _failed(url, f"sends more than {most:,} bytes" if got > most else "takes too long")
                file.write(piece)
                if tell:
                    tell(Progress(f"downloading {path.name}", got, total, 0, time.monotonic() - begun))
        if total and got < total:
            raise _failed(url, f"broke off after {got:,} of {total:,} bytes", "try again")
        part.replace(path)
    except (OSError, http.client.HTTPException) as error:
        raise _failed(url, _words(error)) from error
    finally:
        part.unlink(missing_ok=True)


def _connected(place: _Place, resolve: Resolve) -> http.client.HTTPConnection:
    """Connect to the first checked address of the host that answers."""
    connection = http.client.HTTPConnection(place.host, place.port, timeout=_SILENCE)
    failed: OSError = ConnectionError("the host has no address")
    for address in _addresses(place, resolve):
        try:
            connected = socket.create_connection((address, place.port), timeout=_SILENCE)
            if place.secure:
                connected = ssl.create_default_context().wrap_socket(connected, server_hostname=place.host)
        except OSError as error:
            failed = error
        else:
            connection.sock = connected
            return connection
    raise _failed(place.url, _words(failed)) from failed


def _addresses(place: _Place, resolve: Resolve) -> list[str]:
    try:
        found = resolve(place.host, place.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except OSError as error:
        raise _failed(place.url, _words(error)) from error
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    for address in addresses:
        if not _may_be_asked(place.host, address):
            raise _failed(place.url, f"has the address {address}, which is not a public one")
    return addresses


def _may_be_asked(host: str, address: str) -> bool:
    if host == "localhost":
        return ipaddress.ip_address(address).is_loopback
    return address == host or is_public(ipaddress.ip_address(address))


def _followed(place: _Place, target: str, url: str) -> _Place:
    """Return where a redirect leads, if it may lead there."""
    found = _taken_apart(target)
    literal = re.fullmatch(r"[0-9.]+|.*:.*", found.host) is not None
    inward = found.host != place.host and (found.host == "localhost" or (literal and not _is_public(found.host)))
    if (place.secure and not found.secure) or inward:
        raise _failed(url, f"redirects to {target[:200]}, which is not followed")
    return found


def _is_public(host: str) -> bool:
    try:
        return is_public(ipaddress.ip_address(host))
    except ValueError:
        return False


def _taken_apart(url: str) -> _Place:
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise UsageError(f"'{url}' is no web address") from error
    if not port or not parts.hostname or "@" in parts.netloc or not re.fullmatch(r"[!-~]+", url):
        raise UsageError(f"'{url}' is no web address", hint="write http(s)://host/path")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Place(url, parts.scheme == "https", parts.hostname, port, path)


def _name(url: str) -> str:
    """Name the file as the address does, by harmless characters only."""
    last = unquote(urlsplit(url).path).rpartition("/")[2]
    return re.sub(r"[^A-Za-z0-9._-]+", "_", last).lstrip(".")[-120:] or "download"


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "did not answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"has no certificate to be trusted: {error.verify_message}"
    if isinstance(error, http.client.IncompleteRead):
        return "broke off in the middle"
    if isinstance(error, http.client.HTTPException):
        return "does not speak HTTP as it should"
    return f"cannot be reached: {getattr(error, 'strerror', None) or error}"


def _failed(url: str, why: str, hint: str = "") -> DataError:
    return DataError(f"the download failed: {urlsplit(url).hostname or url} {why}", where=url, hint=hint)
