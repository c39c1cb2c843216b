"""The application: pages over a store, with the headers that keep a browser safe."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response, request
from werkzeug.middleware.proxy_fix import ProxyFix

from graphkit.names import Names
from graphkit.store import Store
from graphkit.store.base import Readable
from graphkit.store.pool.reader_pool import Limits, ReaderPool, Rewrite
from graphkit.store.services.gate import Services
from webui import editor, frames, identity, pages, search
from webui.analysis import Analysis
from webui.assets import asset_tags, static_folder
from webui.catalogue import openapi, saved
from webui.catalogue import pages as catalogue
from webui.gaps import pages as gaps
from webui.i18n import choosing
from webui.linked import routes
from webui.network import pages as network
from webui.network import path, tie, whatif
from webui.policy import policy
from webui.protocol import description, graphs, problems, query, running, update
from webui.protocol.access import check_host
from webui.protocol.remembering import attach
from webui.serving import metrics
from webui.settings import Settings
from webui.state import State, keep

__all__ = ["create_app"]


def create_app(store: Store, settings: Settings | None = None) -> Flask:
    """Return the application over `store`; it reads and never writes."""
    settings = settings or Settings()
    policy(frame_ancestors=settings.embedding)  # A site that is no site is told at the start.
    app = Flask(__name__, static_folder=str(static_folder()), static_url_path="/static")
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    names = Names(store)
    services = Services(settings.services, names.search)
    readers = ReaderPool(store, _limits(settings), _rewrite(store, services))
    keep(app, State(Analysis(store, settings.today, _older(readers)), settings, readers, names, services))
    kept = attach(app, readers, lambda: store.version.number if store.version else None, settings.cache_bytes)
    metrics.observe(app, store, readers, kept)
    frames.begin(app)
    app.before_request(check_host)
    if settings.behind_proxy:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1, x_prefix=1)  # type: ignore[method-assign]
    app.jinja_env.globals.update(asset_tags=asset_tags, site_name=settings.site_name)
    choosing.install(app)
    app.register_blueprint(pages.blueprint)
    for each in (network, tie, path, whatif, gaps):
        each.register(app)
    app.register_blueprint(routes.blueprint)
    app.register_blueprint(catalogue.blueprint)
    app.register_blueprint(openapi.blueprint)
    app.register_blueprint(saved.blueprint)
    app.register_blueprint(query.blueprint)
    app.register_blueprint(editor.blueprint)
    app.register_blueprint(running.blueprint)
    app.register_blueprint(description.blueprint)
    app.register_blueprint(update.blueprint)
    app.register_blueprint(graphs.blueprint)
    app.register_blueprint(metrics.blueprint)
    app.register_blueprint(search.blueprint)
    app.register_blueprint(identity.blueprint)
    app.after_request(_safe_headers)
    problems.register(app)
    return app


def _older(readers: ReaderPool) -> Callable[[int], Readable]:
    """Let the analysis ask older versions through the pool, within the limits of the service."""
    return lambda number: readers.view(version=number)


def _rewrite(store: Store, services: Services) -> Rewrite | None:
    """Let queries call out only where the engine is ours: an endpoint elsewhere cannot reach our gate."""
    return None if store.location.startswith(("http://", "https://")) else services.admit


def _limits(settings: Settings) -> Limits:
    return Limits(
        seconds=settings.query_seconds,
        memory_bytes=settings.query_memory,
        max_bytes=settings.query_bytes,
        max_rows=settings.query_rows,
        readers=settings.readers,
        copy_bytes=settings.copy_bytes,
    )


def _safe_headers(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", policy())
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if request.path.startswith("/static/assets/"):
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
