"""The pages: a Flask application over a graphkit store."""

from __future__ import annotations

from webui.app import create_app

__all__ = ["create_app"]
