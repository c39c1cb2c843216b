"""Work in the background: made once, told how far it is, tried again after a fault."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator

import polars as pl
import pytest
from flask.testing import FlaskClient

from graphkit import queries
from graphkit.errors import QueryError
from graphkit.store import Store
from tests.village_fixture import village_store
from webui import create_app
from webui.frames import Frames, frames_of
from webui.state import state_of
from webui.warming import warm
from webui.works import NotReady, Work

ROWS = pl.DataFrame({"name": ["mill", "farm"]})
KEY = ("a-version", "a query")


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Give what the work waits for; it is opened in the end, so that no thread is left."""
    opened = threading.Event()
    yield opened
    opened.set()


def test_who_does_not_wait_is_told_what_goes_on(gate: threading.Event) -> None:
    """The step, its number and the seconds come with the refusal; later the same work gives its result."""

    def make(at: object) -> str:
        assert callable(at)
        at(2)
        gate.wait()
        return "done"

    work = Work(make, ("first", "second"))
    with pytest.raises(NotReady) as told:
        work.within(0.1)
    assert (told.value.step, told.value.steps, told.value.says) == (2, 2, "second")
    assert 0.05 < told.value.seconds < 10
    gate.set()
    assert work.within(10) == "done"


def test_who_waits_for_a_turn_is_told_so(gate: threading.Event) -> None:
    """Of works that take turns the second begins when the first is done, and says until then what it waits for."""
    turn = threading.BoundedSemaphore()
    first = Work(lambda _: gate.wait(), ("searching",), turn)
    with pytest.raises(NotReady, match="searching"):
        first.within(0.2)
    second = Work(lambda _: gate.is_set(), ("looking",), turn)
    with pytest.raises(NotReady, match="waiting until other work is done"):
        second.within(0.1)
    gate.set()
    assert second.within(10) is True


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a priority of their own on Linux only")
def test_long_work_leaves_the_processor_to_the_pages() -> None:
    """The thread of such a work has a lower priority; those of others keep theirs."""

    def priority(_: object) -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    own = priority(None)
    assert Work(priority, ("searching",)).within(10) == own
    assert Work(priority, ("searching",), behind=True).within(10) == max(own, 10)
    assert priority(None) == own


def test_an_answer_is_made_once_while_many_wait(gate: threading.Event) -> None:
    """Two who ask at once start one work, and what it made is kept."""
    frames, made = Frames(), list[int]()

    def make() -> pl.DataFrame:
        made.append(1)
        gate.wait()
        return ROWS

    for _ in range(2):
        with pytest.raises(NotReady):
            frames.made(KEY, make, 0.05)
    gate.set()
    assert frames.made(KEY, make, 10).equals(ROWS)
    assert frames.made(KEY, make, 10).equals(ROWS)
    assert made == [1]
    assert frames.get(KEY) is not None


def test_what_went_wrong_is_tried_again() -> None:
    """The fault reaches who waits, and the next one gets a new try."""
    frames, tries = Frames(), list[int]()

    def make() -> pl.DataFrame:
        tries.append(1)
        if len(tries) == 1:
            raise QueryError("the store was away")
        return ROWS

    with pytest.raises(QueryError, match="the store was away"):
        frames.made(KEY, make, 10)
    assert frames.made(KEY, make, 10).equals(ROWS)


@pytest.fixture
def store() -> Iterator[Store]:
    """Open the village."""
    opened = village_store()
    yield opened
    opened.close()


def _client(store: Store) -> FlaskClient:
    client = create_app(store).test_client()
    client.environ_base["HTTP_ACCEPT"] = "text/html"
    return client


def test_a_page_says_that_it_waits_and_data_says_it_as_data(
    store: Store, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """202 with the reason and the time of the next try: a page for people, JSON for programs; the first page comes."""
    client, run = _client(store), queries.run
    frames_of(client.application).patience = 0.05

    def slow(*asked: object, **values: str) -> pl.DataFrame:
        gate.wait()
        return run(*asked, **values)  # type: ignore[arg-type]  # what was asked

    monkeypatch.setattr(queries, "run", slow)
    monkeypatch.setattr("webui.pages.home._PATIENCE", 0.05)
    page = client.get("/map")
    assert (page.status_code, page.headers["Refresh"], page.headers["Cache-Control"]) == (202, "3", "no-store")
    assert "reading what the page shows" in page.text
    data = client.get("/commitments.json")
    assert (data.status_code, data.headers["Retry-After"]) == (202, "2")
    assert data.json is not None
    assert data.json["says"] == "looking at what stands behind each commitment"
    first = client.get("/")
    assert first.status_code == 200
    assert "being counted for the first time" in first.text
    assert "The search for gaps is going on" in first.text
    gate.set()


def test_warming_reads_what_the_pages_show(store: Store) -> None:
    """After it the answers of the first page are kept, the network and the gaps are there."""
    app = create_app(store)
    stop = warm(app)
    known = state_of(app).analysis
    known.report_ready(60)
    assert known.network("networks/collaboration", 60).organisations
    assert store.version is not None
    for name in ("explore/counts", "funding/by-region"):
        key = (store.version.hash, queries.bind(queries.find(name), {}))
        kept = frames_of(app).made(key, lambda name=name: pytest.fail(f"{name} was not kept"), 30)  # type: ignore[misc]
        assert kept.height
    stop()
