"""Queries of strangers run within limits that hold, and never harm the process that asks."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from graphkit.errors import QueryError, StoreError
from graphkit.store import Store, answer_within, open_store
from graphkit.store.readers import _answer_apart

ALL = "SELECT ?o { ?s ?p ?o } ORDER BY ?o"
RUNAWAY = "SELECT (COUNT(*) AS ?n) { " + " ".join(f"?s{i} ?p{i} ?o{i} ." for i in range(9)) + " }"
BOMB = (
    "SELECT (STRLEN(?z) AS ?n) { VALUES ?a { '" + "x" * 1000 + "' } "
    + " ".join(f"BIND(CONCAT(?{a}, ?{a}, ?{a}, ?{a}) AS ?{b})" for a, b in pairwise("abcdefghijklm"))
    + " BIND(?m AS ?z) }"
)  # fmt: skip


@pytest.fixture(params=["memory", "folder"])
def embedded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Give a store of this process with fifty quads."""
    store = open_store(tmp_path / "g" if request.param == "folder" else None)
    with store.change("fifty") as change:
        change.load(" ".join(f"<urn:s{i}> <urn:p> {i} ." for i in range(50)).encode(), media_type="ttl", graph="urn:g")
    yield store
    store.close()


def test_a_worker_answers_as_the_store_does(store: Store) -> None:
    """Every kind of store and every form of query gives the same bytes through the limits."""
    with store.change("one") as change:
        change.load(b"<urn:a> <urn:p> 1 .", media_type="ttl", graph="urn:g")
    for query, media_type in (
        (ALL, "csv"),
        (ALL, "json"),
        ("ASK { ?s ?p 1 }", "xml"),
        ("CONSTRUCT WHERE { ?s ?p ?o }", "nt"),
    ):
        assert answer_within(store, query, media_type) == store.answer(query, media_type)


def test_an_empty_store_answers_too(tmp_path: Path) -> None:
    """Nothing was committed, so there is no checkpoint, and the answer is empty."""
    store = open_store(tmp_path / "g")
    assert answer_within(store, ALL, "csv") == b"o\r\n"
    store.close()


def test_a_worker_sees_the_newest_version(embedded: Store) -> None:
    """A commit is seen by the next query."""
    for number in (100, 101, 102, 103):
        with embedded.change("more") as change:
            change.load(f"<urn:s> <urn:p> {number} .".encode(), media_type="ttl")
        assert answer_within(embedded, "SELECT (MAX(?o) AS ?m) { ?s ?p ?o }", "tsv") == f"?m\n{number}\n".encode()


def test_a_runaway_query_is_stopped_in_time(embedded: Store) -> None:
    """The error names the limit and what to do, and the store goes on."""
    started = time.monotonic()
    with pytest.raises(QueryError, match="longer than 1 seconds") as caught:
        answer_within(embedded, RUNAWAY, "csv", seconds=1)
    assert time.monotonic() - started < 3
    assert "LIMIT" in caught.value.hint
    assert answer_within(embedded, "ASK { ?s ?p 7 }", "csv") == b"true"


def test_a_query_that_takes_all_memory_is_stopped(embedded: Store) -> None:
    """Doubling a text again and again ends at the limit on memory."""
    with pytest.raises(QueryError, match="more than 512 MiB of memory"):
        answer_within(embedded, BOMB, "csv", memory_bytes=512 * 1024**2, seconds=30)


def test_an_answer_that_is_too_long_is_refused(embedded: Store) -> None:
    """Never cut, so that nobody takes a part for the whole."""
    with pytest.raises(QueryError, match="longer than 100 bytes"):
        answer_within(embedded, ALL, "csv", max_bytes=100)
    with pytest.raises(QueryError, match="longer than 1,000 bytes"):
        answer_within(embedded, "CONSTRUCT WHERE { ?s ?p ?o }", "ttl", max_bytes=1000)


def test_deep_nesting_is_refused_before_a_worker_starts(embedded: Store) -> None:
    """The guard is asked first."""
    with pytest.raises(QueryError, match="nests"):
        answer_within(embedded, "ASK " + "{" * 5000 + "}" * 5000, "csv")


def test_a_worker_that_crashes_is_an_error_of_the_query(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the guard to miss a shape, the death of the worker would be told, and this process goes on."""
    (tmp_path / "sitecustomize.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(QueryError, match="broke the process") as caught:
        answer_within(open_store(), ALL, "csv")
    assert "nesting" in caught.value.hint


@pytest.mark.parametrize(
    ("query", "media_type", "what"),
    [
        ("SELECT ?x { ?x", "csv", "cannot be read"),
        ("SELECT (<urn:f>(1) AS ?x) {}", "csv", "fails"),
        (ALL, "ttl", "cannot be answered as"),
        ("CONSTRUCT WHERE { ?s ?p ?o }", "csv", "cannot be answered as"),
        ("SELECT * { SERVICE <http://127.0.0.1:9/> {} }", "csv", "SERVICE is not allowed"),
    ],
)  # fmt: skip
def test_faults_of_the_query_come_back_from_the_worker(embedded: Store, query: str, media_type: str, what: str) -> None:
    """The three parts of an error cross the border between processes."""
    with pytest.raises(QueryError, match=what):
        answer_within(embedded, query, media_type)


def test_a_worker_that_cannot_open_its_folder_is_an_error_of_the_store(tmp_path: Path) -> None:
    """A folder that vanished is no fault of the query."""
    with pytest.raises(StoreError, match="process for queries failed"):
        _answer_apart(
            {
                "folder": str(tmp_path / "gone"), "query": ALL, "media_type": "csv",
                "seconds": 10, "memory_bytes": 2 * 1024**3, "max_bytes": 1000,
            }
        )  # fmt: skip


def test_a_worker_starts_without_the_heavy_libraries() -> None:
    """Only the engine is imported, so that a query waits little for its process."""
    code = "import sys, graphkit.store.worker; print(sorted({'polars', 'numpy', 'rdflib', 'flask'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"


def test_nothing_is_left_behind_by_a_store_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its temporary folder goes with it."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    store = open_store()
    with store.change("one") as change:
        change.load(b"<urn:a> <urn:p> 1 .", media_type="ttl")
    assert answer_within(store, ALL, "csv") == b"o\r\n1\r\n"
    assert list(tmp_path.iterdir())
    store.close()
    assert list(tmp_path.iterdir()) == []
