"""What a page needs of the application that it belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, current_app

from graphkit.names import Names
from graphkit.store import Store
from graphkit.store.pool.reader_pool import ReaderPool
from graphkit.store.services.gate import Services
from webui.analysis import Analysis
from webui.settings import Settings

__all__ = ["State", "analysis", "keep", "names", "pool", "settings", "state_of", "store"]

_STATE = "graphkit"


@dataclass(frozen=True, slots=True)
class State:
    """The parts that the pages of one application share."""

    analysis: Analysis
    settings: Settings
    pool: ReaderPool
    names: Names
    services: Services


def keep(app: Flask, state: State) -> None:
    """Give an application what its pages will ask for."""
    app.extensions[_STATE] = state


def state_of(app: Flask) -> State:
    """Return what `keep` gave an application."""
    found: State = app.extensions[_STATE]
    return found


def _state() -> State:
    return state_of(current_app)


def analysis() -> Analysis:
    """Return the analysis of the graph that the present application shows."""
    return _state().analysis


def settings() -> Settings:
    """Return the choices of the present application."""
    return _state().settings


def names() -> Names:
    """Return the search over the names of the graph that the present application shows."""
    return _state().names


def pool() -> ReaderPool:
    """Return the processes that answer the queries of the present application's visitors."""
    return _state().pool


def store() -> Store:
    """Return the store that the present application shows."""
    return _state().analysis.store
