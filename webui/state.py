"""What a page needs of the application that it belongs to."""

from __future__ import annotations

from flask import Flask, current_app

from webui.analysis import Analysis
from webui.settings import Settings

__all__ = ["analysis", "keep", "settings"]

_ANALYSIS, _SETTINGS = "graphkit", "graphkit-settings"


def keep(app: Flask, analysis: Analysis, settings: Settings) -> None:
    """Give an application what its pages will ask for."""
    app.extensions.update({_ANALYSIS: analysis, _SETTINGS: settings})


def analysis() -> Analysis:
    """Return the analysis of the graph that the present application shows."""
    found: Analysis = current_app.extensions[_ANALYSIS]
    return found


def settings() -> Settings:
    """Return the choices of the present application."""
    found: Settings = current_app.extensions[_SETTINGS]
    return found
