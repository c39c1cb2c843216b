"""Fetches a source's file from its publisher: from the address in the source's folder, within a time and a length."""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
import time
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from graphkit.errors import DataError, UsageError
from graphkit.outward import (
    AGENT,
    NotPublicError,
    Place,
    Resolve,
    checked_addresses,
    connect,
    in_words,
    is_public,
    take_apart,
)
from graphkit.sources.progress import Progress, Tell

__all__ = ["MOST_BYTES", "download"]

MOST_BYTES: Final = 4 * 1024**3
"""The most bytes that a file may have."""

_SECONDS: Final = 3600.0
_SILENCE: Final = 60.0
_PIECE: Final = 256 * 1024
_MOST_REDIRECTS: Final = 5
_OK: Final = 200
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


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


def _asked(connection: http.client.HTTPConnection, place: Place) -> http.client.HTTPResponse:
    headers = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": AGENT, "Connection": "close"}
    try:
        connection.request("GET", place.path, headers=headers)
        return connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        raise _failed(place.url, in_words(error)) from error


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
        raise _failed(url, in_words(error)) from error
    finally:
        part.unlink(missing_ok=True)


def _connected(place: Place, resolve: Resolve) -> http.client.HTTPConnection:
    """Connect to the first checked address of the host that answers."""
    connection = http.client.HTTPConnection(place.host, place.port, timeout=_SILENCE)
    try:
        connected = connect(checked_addresses(place, resolve), place.port, _SILENCE)
        connected.settimeout(_SILENCE)
        if place.secure:
            connected = ssl.create_default_context().wrap_socket(connected, server_hostname=place.host)
    except (OSError, NotPublicError) as error:
        raise _failed(place.url, in_words(error)) from error
    connection.sock = connected
    return connection


def _followed(place: Place, target: str, url: str) -> Place:
    """Return where a redirect leads, if it may lead there."""
    found = _taken_apart(urldefrag(target).url)
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


def _taken_apart(url: str) -> Place:
    if (place := take_apart(url)) is None:
        raise UsageError(f"'{url}' is no web address", hint="write http(s)://host/path")
    return place


def _name(url: str) -> str:
    """Name the file as the address does, by harmless characters only."""
    last = unquote(urlsplit(url).path).rpartition("/")[2]
    return re.sub(r"[^A-Za-z0-9._-]+", "_", last).lstrip(".")[-120:] or "download"


def _failed(url: str, why: str, hint: str = "") -> DataError:
    return DataError(f"the download failed: {urlsplit(url).hostname or url} {why}", where=url, hint=hint)
