"""Figures for monitoring in the Prometheus text format: requests, queries, readers, cache, the version served."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from graphkit.store import Store
from graphkit.store.pool.reader_pool import ReaderPool
from webui.protocol.results import Results
from webui.state import pool, store

__all__ = ["blueprint", "observe"]

blueprint = Blueprint("metrics", __name__)

_REGISTRY: Final = "graphkit-metrics"
_SECONDS: Final = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)


def observe(app: Flask, of: Store, readers: ReaderPool, results: Results) -> None:
    """Count and time the requests of an application by endpoint, and show the state of its store and readers."""
    registry = CollectorRegistry()
    app.extensions[_REGISTRY] = registry
    registry.register(_State(of, readers, results))
    requests = Counter(
        "graphkit_requests",
        "Requests answered by the application.",
        ["method", "endpoint", "status"],
        registry=registry,
    )
    seconds = Histogram(
        "graphkit_request_seconds", "Time to an answer.", ["endpoint"], buckets=_SECONDS, registry=registry
    )

    def begin() -> None:
        g.began = time.perf_counter()

    def end(response: Response) -> Response:
        endpoint = request.endpoint or "unknown"
        method = request.method if request.method in _METHODS else "other"
        requests.labels(method, endpoint, str(response.status_code)).inc()
        if "began" in g:
            seconds.labels(endpoint).observe(time.perf_counter() - g.began)
        return response

    app.before_request(begin)
    app.after_request(end)


_METHODS: Final = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}


class _State(Collector):
    """Reads the present state when the figures are asked for."""

    def __init__(self, of: Store, readers: ReaderPool, results: Results) -> None:
        self._store, self._readers, self._results = of, readers, results

    def collect(self) -> Iterable[Metric]:
        """Give the version that is served and the queries under way."""
        version = self._store.version
        if version:
            yield GaugeMetricFamily("graphkit_version", "Number of the newest version.", value=version.number)
            yield GaugeMetricFamily("graphkit_quads", "Statements in the newest version.", value=version.quads)
        under_way = len(self._readers.running())
        yield GaugeMetricFamily("graphkit_queries_under_way", "Queries that run or wait.", value=under_way)
        kept = self._results.figures()
        yield GaugeMetricFamily("graphkit_kept_answers_bytes", "Bytes of the answers that are kept.", value=kept.bytes)
        found = CounterMetricFamily("graphkit_answers", "Answers to queries, by where they came from.", labels=["from"])
        for source, count in (
            ("loop", kept.fast),
            ("kept", kept.hits),
            ("joined", kept.joined),
            ("engine", kept.misses),
        ):
            found.add_metric([source], count)
        yield found


@blueprint.get("/metrics")
def metrics() -> Response:
    """Give the figures in the Prometheus text format."""
    return Response(generate_latest(current_app.extensions[_REGISTRY]), content_type=CONTENT_TYPE_LATEST)


@blueprint.get("/health")
def health() -> Response:
    """Tell that the process answers, and which version of the graph it has."""
    version = store().version
    known = {"version": version.number, "hash": version.hash} if version else {"version": None, "hash": None}
    return jsonify({"status": "ok", **known})


@blueprint.get("/ready")
def ready() -> tuple[Response, int]:
    """Tell whether queries can be answered: 200 when they can, 503 while the graph is being opened."""
    good = pool().ready
    return jsonify({"status": "ready" if good else "not ready"}), 200 if good else 503
