"""A service over a store, opened for a test and closed after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

from flask.testing import FlaskClient

from graphkit.store import Store
from webui import create_app
from webui.settings import Settings


@contextmanager
def service(store: Store, settings: Settings | None = None) -> Iterator[FlaskClient]:
    """Give a client of the application over `store`, and end its readers after the block."""
    app = create_app(store, replace(settings or Settings(), today=date(2026, 1, 1)))
    try:
        yield app.test_client()
    finally:
        app.extensions["graphkit"].pool.close()
