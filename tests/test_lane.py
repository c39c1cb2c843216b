"""The quick lane: its responses are those of the application, and what is not plain goes the whole way."""

from __future__ import annotations

import gzip
import select
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from graphkit.errors import LimitError, QueryError
from graphkit.store import Store, open_store
from webui import create_app
from webui.protocol.lane import Lane, Plan, Trip
from webui.protocol.remembering import results_of
from webui.serving.front import Ready
from webui.settings import Settings
from webui.state import state_of

JSON = "application/sparql-results+json"
ENDLESS = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"


@pytest.fixture
def store(village: Store) -> Iterator[Store]:
    """Give the village in a store of its own."""
    with open_store() as opened:
        with opened.change("the village") as change:
            change.load(village.dump("nq"), media_type="nq")
        yield opened


@pytest.fixture
def service(store: Store) -> Iterator[tuple[FlaskClient, Lane]]:
    """Give the application and a lane beside it."""
    app = create_app(store, Settings(query_seconds=1))
    lane = Lane(state_of(app).pool, results_of(app))
    yield app.test_client(), lane
    state_of(app).pool.close()
    state_of(app).services.close()


def _whole(client: FlaskClient, accept: str, **parameters: str) -> Ready:
    answer = client.get("/sparql", query_string=urlencode(parameters), headers={"Accept": accept})
    return Ready(answer.status_code, [(name.lower(), value) for name, value in answer.headers], answer.data)


def _quick(lane: Lane, accept: str, **parameters: str) -> Ready | None:
    plan = lane.plan("/sparql", urlencode(parameters), {"accept": accept, "host": "localhost"}, "127.0.0.1")
    trip = plan and lane.begin(plan)
    if trip is None:
        return None
    select.select([trip.begun], [], [], trip.begun.seconds)
    return lane.end(trip)


def _begun(lane: Lane, plan: Plan) -> Trip:
    """Begin a query as soon as a process is free, which may just be replaced by one with a copy in memory."""
    deadline = time.monotonic() + 10
    while (trip := lane.begin(plan)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return trip


@pytest.mark.parametrize(
    ("accept", "first", "second"),
    [
        (JSON, {"query": "SELECT * { ?s ?p ?o } LIMIT 1"}, {"query": "SELECT ?s { ?s a ?kind } # é & <b>"}),
        ("text/csv", {"query": "SELECT * {} "}, {"query": "SELECT ?p { ?s ?p ?o } LIMIT 7"}),
        ("*/*", {"query": "ASK {}", "format": "csv"}, {"query": "ASK { ?s ?p 1 }", "format": "csv"}),
        ("text/turtle", {"query": "CONSTRUCT WHERE { ?s a ?o }"}, {"query": "DESCRIBE <urn:none>"}),
        ("*/*", {"format": "xml", "query": "SELECT * {}"}, {"format": "xml", "query": "SELECT ?x { ?x ?y ?z }"}),
    ],
)
def test_a_response_is_that_of_the_application(
    service: tuple[FlaskClient, Lane], accept: str, first: dict[str, str], second: dict[str, str]
) -> None:
    """Status, body and every header but the id of the query."""
    client, lane = service
    assert _quick(lane, accept, **second) is None
    _whole(client, accept, **first)
    if second["query"].startswith("DESCRIBE"):
        assert _quick(lane, accept, **second) is None
        return
    quick = _quick(lane, accept, **second)
    assert quick is not None
    results_of(client.application)._kept.clear()
    whole = _whole(client, accept, **second)
    left = {"query-id", "date"}
    assert quick.body == whole.body
    assert sorted(each for each in quick.headers if each[0] not in left) == sorted(
        each for each in whole.headers if each[0] not in left
    )
    assert len(dict(quick.headers)["query-id"]) == 32


def test_what_it_answered_is_answered_from_memory_the_next_time(service: tuple[FlaskClient, Lane]) -> None:
    """A repeated request needs no process, and its entity tag gets 304."""
    client, lane = service
    _whole(client, JSON, query="SELECT * {}")
    query = {"query": "SELECT ?s { ?s ?p ?o } LIMIT 3"}
    quick = _quick(lane, JSON, **query)
    assert quick is not None
    headers = {"accept": JSON, "host": "localhost"}
    fast = results_of(client.application).fast
    assert fast("GET", "/sparql", urlencode(query), headers).body == quick.body
    tag = dict(quick.headers)["etag"]
    assert fast("GET", "/sparql", urlencode(query), {**headers, "if-none-match": tag}).status == 304


@pytest.mark.parametrize(
    "parameters",
    [
        {"query": "SELECT (RAND() AS ?r) {}"},
        {"query": "SELECT * {}", "rows": "1"},
        {"query": "SELECT * {}", "version": "1"},
        {"query": "SELECT * { SERVICE <urn:x> {} }"},
        {"query": "SELECT * { ?s ?p 'too long for a link' } #" + "x" * 2000},
        {"other": "SELECT * {}"},
    ],
)
def test_what_is_not_plain_goes_the_whole_way(service: tuple[FlaskClient, Lane], parameters: dict[str, str]) -> None:
    """Chance, other parameters, services, long addresses."""
    client, lane = service
    _whole(client, JSON, query="SELECT * {}")
    assert _quick(lane, JSON, query="SELECT ?x {}") is not None
    assert _quick(lane, JSON, **parameters) is None


def test_what_is_refused_is_told_at_once(service: tuple[FlaskClient, Lane]) -> None:
    """It does not wait for a process; the application then says it in its own words."""
    client, lane = service
    _whole(client, JSON, query="SELECT * {}")
    with pytest.raises(QueryError, match="100 deep"):
        _quick(lane, JSON, query="SELECT * {" + "{" * 200 + "}" * 201)


def test_who_unpacks_gets_it_packed(service: tuple[FlaskClient, Lane]) -> None:
    """From the lane, from memory, and a long one through the application, which packs it in a thread."""
    client, lane = service
    _whole(client, JSON, query="SELECT * {}")
    fast = results_of(client.application).fast
    headers = {"accept": JSON, "host": "localhost", "accept-encoding": "gzip"}
    for text, long in (("SELECT * { ?s ?p ?o } LIMIT 60", False), ("SELECT * { ?s ?p ?o . ?a ?b ?o } LIMIT 900", True)):
        query = urlencode({"query": text})
        plan = lane.plan("/sparql", query, headers, "127.0.0.1")
        assert plan
        trip = _begun(lane, plan)
        select.select([trip.begun], [], [])
        ready = lane.end(trip)
        assert (ready is None) == long
        assert fast("GET", "/sparql", query, headers) is None
        whole = client.get("/sparql", query_string=query, headers={"Accept": JSON, "Accept-Encoding": "gzip"})
        short = fast("GET", "/sparql", query, headers)
        assert short
        assert short.body == whole.data
        plain = fast("GET", "/sparql", query, {**headers, "accept-encoding": ""})
        assert plain
        assert gzip.decompress(short.body) == plain.body
        assert dict(short.headers)["content-encoding"] == whole.headers["Content-Encoding"] == "gzip"
        assert dict(short.headers)["etag"] == whole.headers["ETag"] == "W/" + dict(plain.headers)["etag"]
        assert dict(short.headers)["vary"] == dict(plain.headers)["vary"] == whole.headers["Vary"]
        assert int(whole.headers["Content-Length"]) == len(short.body) < len(plain.body) / 4
        if ready:
            assert gzip.decompress(ready.body) == plain.body


@pytest.mark.parametrize("name", ["if-none-match", "accept-datetime", "query-id", "x-forwarded-prefix"])
def test_a_request_with_conditions_goes_the_whole_way(service: tuple[FlaskClient, Lane], name: str) -> None:
    """Such a header decides the response."""
    client, lane = service
    _whole(client, JSON, query="SELECT * {}")
    headers = {"accept": JSON, "host": "localhost", name: "x"}
    assert lane.plan("/sparql", "query=ASK+%7B%7D", headers, "127.0.0.1") is None


def test_a_host_or_format_that_was_not_seen_goes_the_whole_way(service: tuple[FlaskClient, Lane]) -> None:
    """The application judges hosts and formats; the lane only repeats what it allowed."""
    client, lane = service
    _whole(client, JSON, query="SELECT * {}")
    query = urlencode({"query": "SELECT ?a {}"})
    assert lane.plan("/sparql", query, {"accept": JSON, "host": "elsewhere.example"}, "127.0.0.1") is None
    assert lane.plan("/sparql", query, {"accept": "text/csv", "host": "localhost"}, "127.0.0.1") is None


def test_a_new_version_needs_a_new_pattern(service: tuple[FlaskClient, Lane], store: Store) -> None:
    """The headers name the version, so the first answer after a change comes from the application."""
    client, lane = service
    _whole(client, JSON, query="SELECT * {}")
    with store.change("one more") as change:
        change.load(b"<urn:new> <urn:is> 1 .", media_type="ttl")
    assert _quick(lane, JSON, query="ASK { <urn:new> ?p ?o }") is None
    _whole(client, JSON, query="ASK {}")
    found = _quick(lane, JSON, query="ASK { <urn:new> ?p ?o }")
    assert found is not None
    assert b"true" in found.body
    assert dict(found.headers)["graphkit-version"] == "2"


def test_a_query_beyond_its_time_is_ended(service: tuple[FlaskClient, Lane]) -> None:
    """Who gives it up gets the error of the limit, and the next query is answered."""
    client, lane = service
    _whole(client, JSON, query="SELECT * {}")
    plan = lane.plan("/sparql", urlencode({"query": ENDLESS}), {"accept": JSON, "host": "localhost"}, "127.0.0.1")
    assert plan is not None
    trip = _begun(lane, plan)
    assert not select.select([trip.begun], [], [], trip.begun.seconds)[0]
    trip.begun.give_up()
    with pytest.raises(LimitError) as caught:
        lane.end(trip)
    assert caught.value.limit == "time"
    assert _whole(client, JSON, query="SELECT ?x {}").status == 200
    assert state_of(client.application).pool.running() == []


def test_all_readers_busy_means_the_whole_way(service: tuple[FlaskClient, Lane]) -> None:
    """The lane never waits; one client never has all readers."""
    client, lane = service
    _whole(client, JSON, query="SELECT * {}")
    headers = {"accept": JSON, "host": "localhost"}
    plans = [lane.plan("/sparql", urlencode({"query": f"{ENDLESS} # {n}"}), headers, "127.0.0.1") for n in range(5)]
    trips = [lane.begin(plan) for plan in plans if plan]
    begun = [trip for trip in trips if trip]
    assert 1 <= len(begun) <= 3
    assert trips[-1] is None
    for trip in begun:
        trip.begun.give_up()
        with pytest.raises(LimitError):
            lane.end(trip)
