"""One call of a WSGI application (PEP 3333) for a request that the server's loop has taken."""

from __future__ import annotations

import itertools
import re
import sys
import threading
import uuid
from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING, Any, Final, cast
from urllib.parse import quote

from webui.serving.packing import packed

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from granian.rsgi import Scope

__all__ = ["Call", "environ_of"]

Headers = list[tuple[str, str]]

_PIECE: Final = 256 * 1024
_DATES: Final = frozenset({"if-modified-since", "if-unmodified-since", "if-range"})
_NO_YEAR: Final = re.compile(r"[0-9]{5}")
_NAMES: Final = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


class Call:
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


def environ_of(scope: Scope, body: IO[bytes]) -> dict[str, Any]:
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
