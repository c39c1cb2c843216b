"""The application: pages over a store, with the headers that keep a browser safe."""

from __future__ import annotations

import logging

from flask import Flask, Response, jsonify, render_template, request
from werkzeug.exceptions import HTTPException

from graphkit.errors import GraphkitError, UnknownNameError, UsageError
from graphkit.store import Store
from webui import pages, sparql
from webui.analysis import Analysis
from webui.assets import asset_tags, static_folder
from webui.settings import Settings
from webui.state import keep

__all__ = ["create_app"]

_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
_log = logging.getLogger(__name__)


def create_app(store: Store, settings: Settings | None = None) -> Flask:
    """Return the application over `store`; it reads and never writes."""
    settings = settings or Settings()
    app = Flask(__name__, static_folder=str(static_folder()), static_url_path="/static")
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    keep(app, Analysis(store, settings.today), settings)
    app.jinja_env.globals.update(asset_tags=asset_tags, site_name=settings.site_name)
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(sparql.blueprint)
    app.after_request(_safe_headers)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(GraphkitError, _own_error)
    app.add_url_rule("/health", "health", lambda: jsonify(_health(store)))
    return app


def _health(store: Store) -> dict[str, object]:
    version = store.version
    return {"status": "ok", "version": version.number if version else None, "hash": version.hash if version else None}


def _safe_headers(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", _POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if request.path.startswith("/static/assets/"):
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def _http_error(error: HTTPException) -> tuple[str | Response, int]:
    code = error.code or 500
    return _shown(code, error.name, error.description or "", "")


def _own_error(error: GraphkitError) -> tuple[str | Response, int]:
    code = 404 if isinstance(error, UnknownNameError) else 400 if isinstance(error, UsageError) else 500
    if code == 500:  # noqa: PLR2004 - the status of a fault on our side
        _log.error("%s", error)
    return _shown(code, error.what, error.where if code != 500 else "", error.hint)  # noqa: PLR2004


def _shown(code: int, what: str, where: str, hint: str) -> tuple[str | Response, int]:
    """Answer an error as JSON where the client asked for data, else as a page."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    if best == "application/json" or request.path.endswith(".json") or request.path.startswith("/api/"):
        return jsonify({"error": what, "where": where, "next": hint}), code
    return render_template("error.html", code=code, what=what, where=where, hint=hint), code
