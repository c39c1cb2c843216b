"""The language of a request: `?lang=`, else the one chosen before, else that of the browser; and its words."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, abort, g, has_request_context, request
from markupsafe import Markup, escape

from webui.i18n.catalogue import LANGUAGES, SOURCE, browser_words, catalogue

__all__ = ["blueprint", "gettext", "install", "language", "ngettext", "number"]

blueprint = Blueprint("i18n", __name__)

_COOKIE: Final = "graphkit-language"
_ARGUMENT: Final = "lang"
_A_YEAR: Final = 365 * 86_400
_THIN: Final = "\u202f"
_HTML: Final = "text/html"
_FOR_EVER: Final = "public, max-age=31536000, immutable"


def install(app: Flask) -> None:
    """Let the templates of `app` speak: `_()`, `ngettext()`, `{% trans %}`, `number`, and the choice of language."""
    env = app.jinja_env
    env.add_extension("jinja2.ext.i18n")
    env.newstyle_gettext = True  # type: ignore[attr-defined]  # the extension reads it
    env.policies["ext.i18n.trimmed"] = True
    env.filters["number"] = number
    env.globals.update(
        _=_said,
        gettext=_said_in_a_block,
        ngettext=_counted,
        language=language,
        language_links=language_links,
        words_href=words_href,
        english=english,
    )
    app.register_blueprint(blueprint)
    app.after_request(_tell)


# ---- Choosing ----------------------------------------------------------------------------------------------


def language() -> str:
    """Return the code of the language of the present request; outside of one the language of the source."""
    if not has_request_context():
        return SOURCE
    if "language" not in g:
        g.language = _asked() or _kept() or request.accept_languages.best_match(list(LANGUAGES)) or SOURCE
    return str(g.language)


def _asked() -> str:
    asked = request.args.get(_ARGUMENT, "")
    return asked if asked in LANGUAGES else ""


def _kept() -> str:
    kept = request.cookies.get(_COOKIE, "")
    return kept if kept in LANGUAGES else ""


def _tell(response: Response) -> Response:
    """Say in which language a page is, by what it was chosen, and keep a choice that was made in the address."""
    if response.mimetype == _HTML:
        response.headers["Content-Language"] = language()
        response.vary.update(("Accept-Language", "Cookie"))
        if _asked() and _asked() != _kept():
            response.set_cookie(
                _COOKIE, _asked(), max_age=_A_YEAR, samesite="Lax", httponly=True, secure=request.is_secure
            )
    return response


def language_links() -> list[dict[str, Any]]:
    """Return the languages in which the present page can be had: code, label, href, current."""
    pairs = [(name, value) for name, value in request.args.items(multi=True) if name != _ARGUMENT]
    path = request.script_root + request.path
    return [
        {
            "code": code,
            "label": label,
            "href": f"{path}?{urlencode([*pairs, (_ARGUMENT, code)])}",
            "current": code == language(),
        }
        for code, label in LANGUAGES.items()
    ]


# ---- Words -------------------------------------------------------------------------------------------------


def gettext(message: str, /, **values: object) -> str:
    """Return a text in the language of the request, with `values` in place of its %(name)s."""
    text = catalogue(language()).gettext(message)
    return text % values if values else text


def ngettext(one: str, many: str, n: int, /, **values: object) -> str:
    """Return the form of a text that belongs to the number `n`, with `values` and the number `num` in place."""
    text = catalogue(language()).ngettext(one, many, n)
    return text % {"num": number(n), **values}


def _said(message: str, /, **values: object) -> Markup:
    """Be `_` in a template: the text is escaped, for it may come from elsewhere; `%` within it is written `%%`."""
    return escape(catalogue(language()).gettext(str(message))) % values if values else escape(gettext(str(message)))


def _said_in_a_block(message: str, /, **values: object) -> Markup:
    """Say the text of a `{% trans %}` block, which may hold tags; the values are escaped."""
    return Markup(catalogue(language()).gettext(message)) % values  # noqa: S704 - a text of our own templates


def _counted(one: str, many: str, n: int, /, **values: object) -> Markup:
    text = catalogue(language()).ngettext(one, many, n)
    return Markup(text) % {"num": number(n), **values}  # noqa: S704 - a text of our own templates


def number(value: float, digits: int | None = None) -> str:
    """Write a number as the language does, with `digits` after the point.

    >>> number(12345), number(0.5, 2)
    ('12,345', '0.50')
    """
    text = f"{value:,}" if digits is None else f"{value:,.{digits}f}"
    return text if language() == SOURCE else text.replace(",", _THIN).replace(".", ",")


def english() -> Markup:
    """Return the attribute that marks a text of the data, which is in English, on a page in another language."""
    return Markup("") if language() == SOURCE else Markup(' lang="en"')


# ---- Words for the scripts ---------------------------------------------------------------------------------


def words_href() -> str:
    """Return the address of the words of the scripts in the language of the page; empty for that of the source."""
    code = language()
    return "" if code == SOURCE else f"{request.script_root}/words/{code}-{_digest(code)}.json"


@blueprint.get("/words/<language>-<digest>.json")
def words(language: str, digest: str) -> Response:
    """Give the words of the scripts: the rule of its plurals, and each text with its translations."""
    if language not in LANGUAGES or language == SOURCE:
        abort(404)
    response = Response(_as_json(language), mimetype="application/json")
    response.headers["Cache-Control"] = _FOR_EVER if digest == _digest(language) else "no-cache"
    return response


@lru_cache(maxsize=8)
def _as_json(code: str) -> bytes:
    known = browser_words(code)
    said = {"language": code, "words": {text: list(forms) for text, forms in sorted(known.words.items())}}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


@lru_cache(maxsize=8)
def _digest(code: str) -> str:
    return hashlib.sha256(_as_json(code)).hexdigest()[:12]
