"""Who may do what: the token for writes, the names of the host, pages of other sites, and who wrote why."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable, Sequence
from functools import wraps
from hashlib import sha256
from typing import Final, ParamSpec, TypeVar
from urllib.parse import urlsplit

from flask import Response, request
from werkzeug.sansio.utils import host_is_trusted

from webui.protocol.problems import Refusal
from webui.state import settings

__all__ = [
    "check_host",
    "has_token",
    "is_token",
    "may_write",
    "open_to_all",
    "own_address",
    "preflight",
    "reason",
    "require_own_site",
    "require_token",
    "writer",
]

_P = ParamSpec("_P")
_R = TypeVar("_R")

_REALM: Final = 'Bearer realm="graphkit"'
_LOOPBACK_NAME: Final = "localhost"
_LONGEST_NAME: Final = 100
_LONGEST_REASON: Final = 500
_FIRST_PRINTABLE: Final = " "
_EXPOSED: Final = (
    "Content-Location, ETag, Graphkit-Cut, Graphkit-Version, Link, Location, Memento-Datetime, Query-Id, Retry-After"
)
_ALLOWED_HEADERS: Final = (
    "Accept, Accept-Datetime, Authorization, Content-Type, Graphkit-Who, Graphkit-Why, If-Match, If-Modified-Since, "
    "If-None-Match, Query-Id"
)
_PREFLIGHT_SECONDS: Final = 86_400


# ---- Reading ---------------------------------------------------------------------------------


def check_host() -> None:
    """Refuse a request that is addressed to a name the deployment does not know (421); to be run before each one.

    Without `Settings.hosts` any name will do for reading. A name with a leading dot stands for all below it.
    """
    known = settings().hosts
    if known and not host_is_trusted(request.host, [*known, _LOOPBACK_NAME, "127.0.0.1", "[::1]"]):
        raise Refusal(
            421,
            f"this service does not answer under the name '{request.host}'",
            hint="use its public address; who runs it can add the name to the setting 'hosts'",
        )


def own_address() -> str:
    """Return the address of the service without a final slash: `Settings.public_address`, else as it was called."""
    return (settings().public_address or request.url_root).rstrip("/")


def open_to_all(response: Response) -> Response:
    """Let pages of any site read an answer (CORS), with the headers that tell of its version and its cache.

    No credentials are allowed: what anybody may read needs none. To be used for reads alone.
    """
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = _EXPOSED
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def preflight(methods: Sequence[str]) -> Response:
    """Answer OPTIONS: which methods there are, and to a page of another site that it may use them (204).

    Give only those methods that other sites may use.
    """
    response = Response(status=204)
    del response.headers["Content-Type"]
    response.headers["Allow"] = ", ".join(methods)
    if "Origin" in request.headers:
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
        response.headers["Access-Control-Allow-Headers"] = _ALLOWED_HEADERS
        response.headers["Access-Control-Max-Age"] = str(_PREFLIGHT_SECONDS)
    return response


# ---- Writing ---------------------------------------------------------------------------------


def may_write(view: Callable[_P, _R]) -> Callable[_P, _R]:
    """Guard a view that changes the graph: it runs only for who sends the token, from no other site."""

    @wraps(view)
    def guarded(*args: _P.args, **named: _P.kwargs) -> _R:
        require_own_site()
        require_token()
        return view(*args, **named)

    return guarded


def has_token() -> bool:
    """Tell whether the request carries the token of the deployment; the time this takes says nothing of it."""
    return is_token(_bearer())


def is_token(sent: str | None) -> bool:
    """Tell whether a text is the token of the deployment; the time this takes says nothing of it."""
    expected = settings().token
    if not expected or sent is None:
        return False
    return hmac.compare_digest(sha256(expected.encode()).digest(), sha256(sent.encode()).digest())


def require_token() -> None:
    """Refuse who does not send the token of the deployment as `Authorization: Bearer …` (RFC 6750).

    401 where the token is missing or wrong, 403 where the deployment has none and so is read only.
    """
    if not settings().token:
        raise Refusal(
            403,
            "this service is read only",
            hint="who runs it can allow writing: set GRAPHKIT_TOKEN to a long random word, and start it again",
        )
    if not has_token():
        wrong = _bearer() is not None
        raise Refusal(
            401,
            "the token is not the right one" if wrong else "this needs the token of the service",
            hint="send it in the header Authorization: Bearer <token>",
            headers=(("WWW-Authenticate", f'{_REALM}, error="invalid_token"' if wrong else _REALM),),
        )


def require_own_site() -> None:
    """Refuse a write that a page of another site makes a browser send (403).

    A browser names the page's site in the header Origin. It must be our own address, and that a known one
    (`hosts`, `public_address`, a loopback name or a bare number), so that a foreign name that is made to lead to
    this machine does not pass as ours. Programs send no Origin.
    """
    origin = request.headers.get("Origin")
    if origin is None:
        if request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
            raise _foreign("another site")
        return
    if origin.lower() not in _own_origins():
        raise _foreign(origin)


def writer() -> str:
    """Return who writes, as the header Graphkit-Who says it (UTF-8, at most 100 characters), else "http"."""
    return _said(request.headers.get("Graphkit-Who", ""), "Graphkit-Who", _LONGEST_NAME) or "http"


def reason(otherwise: str = "") -> str:
    """Return why something is written: `?why=`, else the header Graphkit-Why (at most 500 characters)."""
    asked = request.args.get("why", "")
    if asked:
        return _checked(asked.strip(), "why", _LONGEST_REASON)
    return _said(request.headers.get("Graphkit-Why", ""), "Graphkit-Why", _LONGEST_REASON) or otherwise


def _bearer() -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def _own_origins() -> set[str]:
    """Return the sites that are ours: the public address, and the one that was called if its name is known."""
    public = urlsplit(settings().public_address)
    own = {f"{public.scheme}://{public.netloc}".lower()} if public.netloc else set()
    if _is_known(request.host):
        own.add(f"{request.scheme}://{request.host}".lower())
    return own


def _is_known(host: str) -> bool:
    name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    if name == _LOOPBACK_NAME or name.endswith("." + _LOOPBACK_NAME):
        return True
    if settings().hosts and host_is_trusted(host, settings().hosts):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _foreign(origin: str) -> Refusal:
    return Refusal(
        403,
        f"a page of {origin} may not change this graph",
        hint="write from a program, or from a page of this service under its public address",
    )


def _said(header: str, name: str, most: int) -> str:
    """Read a header as UTF-8; the interface between server and application hands it over as Latin-1."""
    try:
        text = header.encode("latin-1").decode("utf-8")
    except UnicodeError as error:
        raise Refusal(400, f"the header {name} is not UTF-8") from error
    return _checked(text.strip(), name, most)


def _checked(text: str, name: str, most: int) -> str:
    if len(text) > most or any(sign < _FIRST_PRINTABLE or sign == "\x7f" for sign in text):
        raise Refusal(400, f"'{name}' must be one line of at most {most} characters")
    return text
