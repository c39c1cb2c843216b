"""Signing in with the token of the deployment, so that a person can write from a page.

The token itself is sent once and never kept in the browser: the cookie holds the time of its end and a random word,
both signed with the token. It is HttpOnly and SameSite=Strict, and every form that writes carries a word that only a
page of ours can know. A new token ends all sessions.
"""

from __future__ import annotations

import hmac
import secrets
import time
from hashlib import sha256
from threading import Lock
from typing import Final

from flask import Flask, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from webui.i18n.choosing import gettext
from webui.protocol.access import has_token, is_token, require_own_site
from webui.protocol.problems import Refusal
from webui.state import settings

__all__ = ["form_word", "is_signed_in", "may_write_here", "register", "require_writer", "takes_token", "way_back"]

_COOKIE: Final = "graphkit-session"
_FIELD: Final = "word"
_LASTS: Final = 12 * 3_600
_TRIES: Final = 10
_WINDOW: Final = 60.0
_LONGEST: Final = 1_000


def register(app: Flask) -> None:
    """Add the addresses of signing in and out to an application."""
    app.extensions["graphkit.tries"] = _Tries()
    app.add_url_rule("/sign-in", "pages.sign_in", _sign_in, methods=["GET", "POST"])
    app.add_url_rule("/sign-out", "pages.sign_out", _sign_out, methods=["POST"])
    app.jinja_env.globals.update(is_signed_in=is_signed_in, form_word=form_word, may_write_here=may_write_here)


class _Tries:
    """Counts wrong tokens, so that nobody tries many: ten in a minute."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._lock = Lock()

    def check(self) -> None:
        with self._lock:
            now = time.monotonic()
            self._times = [each for each in self._times if now - each < _WINDOW]
            if len(self._times) >= _TRIES:
                again = (("Retry-After", str(round(_WINDOW))),)
                raise Refusal(429, "too many wrong tokens", hint="wait a minute", headers=again)

    def wrong(self) -> None:
        with self._lock:
            self._times.append(time.monotonic())


def may_write_here() -> bool:
    """Tell whether this deployment lets anybody write from its pages."""
    return bool(settings().token)


def is_signed_in() -> bool:
    """Tell whether the request carries a session that this deployment has signed and that has not ended."""
    return bool(_nonce())


def form_word() -> str:
    """Return the word that a form of this session must carry; empty for who is not signed in."""
    nonce = _nonce()
    return _signed(f"form:{nonce}") if nonce else ""


def require_writer() -> None:
    """Refuse a write by who has neither signed in and sent the word of the form, nor sent the token in a header."""
    require_own_site()
    if not settings().token:
        raise Refusal(
            403,
            "this service is read only",
            hint="who runs it can allow writing: set GRAPHKIT_TOKEN and start it again",
        )
    if has_token():
        return
    if not is_signed_in():
        raise Refusal(
            401, "this needs a sign-in", hint=f"sign in at {url_for('pages.sign_in')} with the token of the service"
        )
    if not hmac.compare_digest(form_word(), request.form.get(_FIELD, "")[:_LONGEST]):
        raise Refusal(403, "the form is not of this session", hint="load the page again and send the form once more")


def takes_token(sent: str) -> bool:
    """Tell whether a form has the token of the deployment; a wrong one counts as a try, of which there are few."""
    tries: _Tries = _of_app()
    tries.check()
    good = is_token(sent[:_LONGEST])
    if not good:
        tries.wrong()
    return good


def way_back(text: str) -> str:
    """Return where a form wants to go next, if that is a path of ours, else the first page.

    >>> from webui import create_app; from graphkit.store import open_store
    >>> with create_app(open_store()).test_request_context(): way_back("/gaps?kind=P1"), way_back("//evil.example")
    ('/gaps?kind=P1', '/')
    """
    ours = (
        text.startswith("/")
        and not text.startswith(("//", "/\\"))
        and "\\" not in text
        and all(sign >= " " for sign in text)
    )
    return text[:_LONGEST] if ours else f"{request.script_root}/"


def _nonce() -> str:
    if not settings().token:
        return ""
    ends, _, rest = request.cookies.get(_COOKIE, "").partition(".")
    nonce, _, mark = rest.partition(".")
    if not (ends.isascii() and ends.isdigit() and len(ends) < 12 and nonce):  # noqa: PLR2004 - digits of a time
        return ""
    good = hmac.compare_digest(_signed(f"session:{ends}.{nonce}"), mark)
    return nonce if good and int(ends) > time.time() else ""


def _signed(text: str) -> str:
    key = sha256(f"graphkit\0{settings().token}".encode()).digest()
    return hmac.new(key, text.encode(), sha256).hexdigest()


def _sign_in() -> BaseResponse | str:
    """Show the form, or take the token and begin a session."""
    back = way_back(request.values.get("next", ""))
    if request.method == "GET":
        return render_template("sign_in.html", next=back, fault="")
    require_own_site()
    tries: _Tries = _of_app()
    tries.check()
    sent, expected = request.form.get("token", "")[:_LONGEST].strip(), settings().token
    if not expected:
        raise Refusal(
            403,
            "this service is read only",
            hint="who runs it can allow writing: set GRAPHKIT_TOKEN and start it again",
        )
    if not hmac.compare_digest(sha256(sent.encode()).digest(), sha256(expected.encode()).digest()):
        tries.wrong()
        fault = gettext(
            "The token is not the right one. Who runs the service knows it: it is the value of GRAPHKIT_TOKEN."
        )
        return Response(render_template("sign_in.html", next=back, fault=fault), 401)
    ends, nonce = str(int(time.time()) + _LASTS), secrets.token_urlsafe(18)
    response = redirect(back, 303)
    value = f"{ends}.{nonce}.{_signed(f'session:{ends}.{nonce}')}"
    response.set_cookie(_COOKIE, value, max_age=_LASTS, httponly=True, samesite="Strict", secure=request.is_secure)
    return response


def _sign_out() -> BaseResponse:
    require_own_site()
    response = redirect(way_back(request.form.get("next", "")), 303)
    response.delete_cookie(_COOKIE, httponly=True, samesite="Strict", secure=request.is_secure)
    return response


def _of_app() -> _Tries:
    from flask import current_app  # noqa: PLC0415 - the one place that needs it

    found: _Tries = current_app.extensions["graphkit.tries"]
    return found
