"""Answers that are kept, tagged, dated and pinned to a version: equal questions cost once, nothing is stale."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from werkzeug.http import http_date
from werkzeug.test import TestResponse

from graphkit.errors import LimitError, QueryError
from graphkit.store import Store, Version, open_store
from graphkit.store.pool.reader_pool import Limits, Question, ReaderPool
from tests.services import service
from webui.protocol.results import Results, is_repeatable, key_of
from webui.settings import Settings

COUNT = "SELECT (COUNT(*) AS ?n) { ?s <urn:p> ?o }"
SLOW = (
    "SELECT (COUNT(*) AS ?n) { "
    + " ".join(f"VALUES ?{name} {{ {' '.join(map(str, range(90)))} }}" for name in "abc")
    + " FILTER(?a + ?b + ?c < 0) }"
)
JSON = {"Accept": "application/sparql-results+json"}


def _add(store: Store, number: int) -> Version:
    with store.change(f"add {number}", who="test") as change:
        change.load(f"<urn:s> <urn:p> {number} .".encode(), media_type="ttl", graph="urn:g")
    assert store.version
    return store.version


@pytest.fixture
def store() -> Iterator[Store]:
    """Keep a graph of two versions."""
    opened = open_store()
    _add(opened, 1)
    _add(opened, 2)
    yield opened
    opened.close()


@pytest.fixture
def client(store: Store) -> Iterator[FlaskClient]:
    """Open the service over the two versions."""
    with service(store) as opened:
        yield opened


def _kept(client: FlaskClient) -> Results:
    found: Results = client.application.extensions["graphkit.results"]
    return found


def _ask(client: FlaskClient, query: str = COUNT, headers: dict[str, str] | None = None, **more: str) -> TestResponse:
    return client.get("/sparql?" + urlencode({"query": query, **more}), headers=JSON | (headers or {}))


def _number(answer: TestResponse) -> int:
    assert answer.status_code == 200, answer.text
    return int(json.loads(answer.data)["results"]["bindings"][0]["n"]["value"])


# ---- Tags and dates --------------------------------------------------------------------------


def test_an_unchanged_answer_is_304_without_running_the_query(client: FlaskClient, store: Store) -> None:
    """The tag is told from version and question alone; a new version has a new one."""
    first = _ask(client)
    assert first.headers["Cache-Control"] == "no-cache"
    assert first.headers["Vary"] == "Accept, Accept-Datetime, Accept-Encoding"
    tag = first.headers["ETag"]
    assert tag.startswith('"')
    asked = _kept(client).figures()
    for held in (tag, f"W/{tag}", f'"other", {tag}'):
        again = _ask(client, headers={"If-None-Match": held})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == tag
        assert "Content-Length" not in again.headers
        assert again.headers["Cache-Control"] == "no-cache"
    assert (_kept(client).figures().hits, _kept(client).figures().misses) == (asked.hits, asked.misses)
    _add(store, 3)
    fresh = _ask(client, headers={"If-None-Match": tag})
    assert _number(fresh) == 3
    assert fresh.headers["ETag"] != tag


def test_tags_differ_by_all_that_makes_the_bytes_differ(client: FlaskClient) -> None:
    """Query, format, media type, dataset, rows and version each have a part in it."""
    asked = [
        _ask(client),
        _ask(client, COUNT + " "),
        _ask(client, format="csv"),
        _ask(client, headers={"Accept": "application/json"}),
        _ask(client, **{"default-graph-uri": "urn:g"}),
        _ask(client, **{"named-graph-uri": "urn:g"}),
        _ask(client, rows="9"),
        _ask(client, version="1"),
    ]
    assert len({answer.headers["ETag"] for answer in asked}) == len(asked)
    assert _ask(client, timeout="5").headers["ETag"] == asked[0].headers["ETag"]


def test_if_modified_since_counts_only_without_a_tag(client: FlaskClient, store: Store) -> None:
    """RFC 9110, 13.1.3; the date is that of the version."""
    assert store.version
    now, before = http_date(store.version.time), http_date(store.version.time - timedelta(days=1))
    assert _ask(client).headers["Last-Modified"] == now
    assert _ask(client, headers={"If-Modified-Since": now}).status_code == 304
    assert _ask(client, headers={"If-Modified-Since": before}).status_code == 200
    assert _ask(client, headers={"If-Modified-Since": now, "If-None-Match": '"other"'}).status_code == 200
    assert _ask(client, headers={"If-None-Match": "*"}).status_code == 304
    assert _ask(client, "SELECT {", headers={"If-Modified-Since": now}).status_code == 400


def test_what_changes_by_itself_is_never_kept(client: FlaskClient) -> None:
    """Chance and clock: no tag, no store, a new answer each time."""
    for text in ("SELECT (RAND() AS ?n) {}", "SELECT (struuid () AS ?n) {}", "SELECT (uuid() AS ?n) {}"):
        first, second = _ask(client, text), _ask(client, text)
        assert first.data != second.data
        assert "ETag" not in first.headers
        assert first.headers["Cache-Control"] == "no-store"
    assert not is_repeatable("SELECT (NoW(\n) AS ?n) {}")
    assert is_repeatable("SELECT ?rand ?service { ?rand <urn:now()> 'NOW()' } # UUID()")


def test_a_post_is_answered_whole(client: FlaskClient) -> None:
    """Conditions are for GET; the kept answers serve both."""
    tag = _ask(client).headers["ETag"]
    headers = JSON | {"If-None-Match": tag}
    answer = client.post("/sparql", data=COUNT, content_type="application/sparql-query", headers=headers)
    assert _number(answer) == 2
    assert _kept(client).figures().misses == 1


# ---- Versions --------------------------------------------------------------------------------


def test_an_older_version_answers_as_it_did(client: FlaskClient, store: Store) -> None:
    """?version=N is for ever the same and says so; the newest links to it."""
    pinned, newest = _ask(client, version="1"), _ask(client)
    assert (_number(pinned), _number(newest)) == (1, 2)
    assert (pinned.headers["Graphkit-Version"], newest.headers["Graphkit-Version"]) == ("1", "2")
    assert pinned.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert pinned.headers["Memento-Datetime"] == http_date(store.versions()[0].time)
    links = newest.headers.getlist("Link")
    assert links[0] == '</versions/2>; rel="describedby"'
    assert 'rel="original timegate latest-version"' in links[1]
    address = links[2].partition(">")[0].strip("<")
    assert address.endswith("&version=2")
    assert client.get(address, headers=JSON).data == newest.data
    _add(store, 3)
    assert _number(_ask(client, version="1")) == 1
    assert _number(_ask(client)) == 3


def test_a_time_picks_the_version_of_then(client: FlaskClient, store: Store) -> None:
    """Memento (RFC 7089): Accept-Datetime between two versions gives the earlier, before all the first."""
    first, second = store.versions()
    later = http_date(second.time + timedelta(days=1))
    answer = _ask(client, headers={"Accept-Datetime": later})
    assert _number(answer) == 2
    assert answer.headers["Memento-Datetime"] == http_date(second.time)
    assert answer.headers["Content-Location"].endswith("version=2")
    assert answer.headers["Cache-Control"] == "no-cache"
    early = _ask(client, headers={"Accept-Datetime": http_date(first.time - timedelta(days=1))})
    assert _number(early) == 1
    assert _ask(client, headers={"Accept-Datetime": "yesterday"}).status_code == 400


def test_a_store_without_versions_promises_nothing(plain_endpoint: str) -> None:
    """Behind an endpoint nothing is tagged or kept, and no version can be asked."""
    with open_store(plain_endpoint) as remote, service(remote) as client:
        answer = _ask(client, "ASK {}")
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert not {"ETag", "Last-Modified", "Graphkit-Version"} & set(answer.headers.keys())
        assert _ask(client, "ASK {}", version="1").status_code == 404
        assert client.get("/sparql", headers={"Accept": "text/turtle"}).status_code == 200


# ---- The fast lane ---------------------------------------------------------------------------


def _fast(client: FlaskClient, query: str, **headers: str) -> object:
    sent = {"accept": JSON["Accept"], "host": "localhost"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return _kept(client).fast("GET", "/sparql", query, sent)


def test_a_repeated_request_needs_no_thread(client: FlaskClient, store: Store) -> None:
    """The same bytes and headers as through the application, tied to the version, asked by path, query and headers."""
    query = urlencode({"query": COUNT})
    assert _fast(client, query) is None
    answer = _ask(client)
    ready = _kept(client).fast("GET", "/sparql", query, {"accept": JSON["Accept"], "host": "localhost"})
    assert ready is not None
    assert (ready.status, ready.body) == (200, answer.data)
    told = {name.lower(): value for name, value in answer.headers}
    assert dict(ready.headers) == {name: value for name, value in told.items() if name not in {"query-id", "date"}}
    unchanged = _fast(client, query, if_none_match=answer.headers["ETag"])
    assert getattr(unchanged, "status", 0) == 304
    for headers in (
        {"accept": "text/csv"},
        {"host": "other"},
        {"accept_datetime": http_date()},
        {"if_modified_since": http_date()},
        {"query_id": "0" * 32},
    ):
        assert _fast(client, query, **headers) is None
    for method, path in (("POST", "/sparql"), ("HEAD", "/sparql"), ("GET", "/sparql/")):
        assert _kept(client).fast(method, path, query, {"accept": JSON["Accept"], "host": "localhost"}) is None
    pinned = urlencode({"query": COUNT, "version": "2"})
    client.get(f"/sparql?{pinned}", headers=JSON)
    _add(store, 3)
    assert _fast(client, query) is None
    assert _fast(client, pinned) is not None
    assert _number(_ask(client)) == 3
    assert _fast(client, query) is not None


def test_what_is_not_kept_is_not_fast(client: FlaskClient) -> None:
    """Errors, cut and changing answers and pages take the long way each time."""
    for query, more in (("SELECT {", {}), ("SELECT (RAND() AS ?n) {}", {}), ("SELECT * { ?s ?p ?o }", {"rows": "1"})):
        _ask(client, query, **more)
        assert _fast(client, urlencode({"query": query, **more})) is None
        assert _kept(client).figures().entries == 0


# ---- The budget ------------------------------------------------------------------------------


def test_the_kept_answers_stay_within_their_budget(store: Store) -> None:
    """The least recently used goes first, with the requests that lead to it; a big answer is not kept."""
    with service(store, Settings(cache_bytes=40_000)) as client:
        for number in range(60):
            _ask(client, COUNT, comment=str(number))
            _ask(client, f"SELECT ({number} AS ?n) {{}}")
            assert _kept(client).figures().bytes <= 40_000
        assert _fast(client, urlencode({"query": "SELECT (59 AS ?n) {}"})) is not None
        assert _fast(client, urlencode({"query": "SELECT (0 AS ?n) {}"})) is None
        assert _number(_ask(client, "SELECT (0 AS ?n) {}")) == 0
        before = _kept(client).figures().entries
        big = f"SELECT ('{'x' * 6000}' AS ?n) {{}}"
        assert _ask(client, big).data == _ask(client, big).data
        assert _kept(client).figures().entries == before
    with service(store, Settings(cache_bytes=0)) as client:
        assert _number(_ask(client)) == _number(_ask(client)) == 2
        assert _kept(client).figures().entries == 0


# ---- Equal questions at the same time --------------------------------------------------------


@pytest.fixture
def readers(store: Store) -> Iterator[ReaderPool]:
    """Open a pool on its own."""
    pool = ReaderPool(store, Limits(seconds=20, readers=2))
    yield pool
    pool.close()


def _results(readers: ReaderPool, store: Store) -> Results:
    return Results(readers, lambda: store.version.number if store.version else None, 1_000_000)


def test_equal_questions_run_once(readers: ReaderPool, store: Store) -> None:
    """Who asks what another asks already waits for that answer."""
    results = _results(readers, store)
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(results.ask, Question(SLOW, "json", id=f"{n:032x}"), store.version) for n in range(8)]
        answers = {each.result().data for each in asked}
    assert len(answers) == 1
    figures = results.figures()
    assert figures.misses == 1
    assert figures.joined + figures.hits == 7


def test_an_error_is_shared_and_not_kept(readers: ReaderPool, store: Store) -> None:
    """Each of those who wait is told the reason, and the next one asks anew."""
    results = _results(readers, store)
    text = "SELECT * { ?s ?p"
    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(results.ask, Question(text, "json", id=f"{n:032x}"), store.version) for n in range(4)]
        assert all(isinstance(each.exception(), QueryError) for each in asked)
    assert results.figures().entries == 0


def _until(true: object, seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_who_is_stopped_does_not_take_the_others_along(readers: ReaderPool, store: Store) -> None:
    """The one who waits can be stopped by its own id; when the one who leads is stopped, another one asks."""
    results = _results(readers, store)
    leads, waits, stays = (Question(SLOW, "json", id=letter * 32) for letter in "abc")
    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(results.ask, leads, store.version)
        _until(lambda: any(each.id == leads.id for each in readers.running()))
        second = threads.submit(results.ask, waits, store.version)
        third = threads.submit(results.ask, stays, store.version)
        _until(lambda: results.figures().joined == 2)
        assert results.stop(waits.id)
        assert isinstance(second.exception(), LimitError)
        assert results.stop(leads.id)
        stopped = first.exception()
        assert isinstance(stopped, LimitError)
        assert stopped.limit == "stopped"
        assert b'"0"' in third.result().data
    assert not results.stop("d" * 32)


def test_who_has_gone_away_waits_no_longer(readers: ReaderPool, store: Store) -> None:
    """A client that closed its connection frees its thread, and the others go on."""
    results, gone = _results(readers, store), threading.Event()
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(results.ask, Question(SLOW, "json", id="a" * 32), store.version)
        _until(lambda: bool(readers.running()))
        second = threads.submit(results.ask, Question(SLOW, "json", id="b" * 32), store.version, gone=gone)
        _until(lambda: results.figures().joined == 1)
        gone.set()
        assert isinstance(second.exception(timeout=2), LimitError)
        assert first.result().size
    assert store.version
    assert results.ask(Question(SLOW, "json"), store.version).data == first.result().data
    assert key_of(Question(SLOW, "json"), store.version).state == store.version.hash
