"""Who may do what, how errors are told, which queries run, and what the service says of itself."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import urlencode
from uuid import uuid4

import pytest
import rdflib
from flask.testing import FlaskClient
from rdflib.namespace import DCTERMS, RDF, VOID
from werkzeug.exceptions import ServiceUnavailable
from werkzeug.test import TestResponse

from graphkit.errors import DataError, LimitError, StoreError, UsageError
from graphkit.store import Store, canonical_hash, convert, open_store
from tests.services import service
from webui import create_app
from webui.protocol.access import has_token, may_write, reason, writer
from webui.protocol.formats import GRAPHS, QUADS, Format
from webui.settings import Settings

TOKEN = "a-long-random-word"  # noqa: S105 - of this test alone
BEARER = {"Authorization": f"Bearer {TOKEN}"}
SD = rdflib.Namespace("http://www.w3.org/ns/sparql-service-description#")
ENDLESS = (
    "SELECT (COUNT(*) AS ?n) { "
    + " ".join(f"VALUES ?{name} {{ {' '.join(map(str, range(200)))} }}" for name in "abcde")
    + " FILTER(?a + ?b + ?c + ?d + ?e < 0) }"
)


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    """Keep a graph that says what it is."""
    opened = open_store()
    with opened.change("two graphs") as change:
        about = "<urn:g1> <http://purl.org/dc/terms/license> <https://creativecommons.org/licenses/by/4.0/> ."
        change.load(f"{about} <urn:a> <urn:p> 1 .".encode(), media_type="ttl", graph="urn:g1")
        change.load(b"<urn:b> <urn:p> 2 .", media_type="ttl", graph="urn:g2")
    yield opened
    opened.close()


def _guarded(store: Store, settings: Settings) -> FlaskClient:
    """Add a view that writes nothing but is guarded as one that does, and views that fail in every way."""
    app = create_app(store, settings)

    def write() -> str:
        return f"{writer()}: {reason('no reason')}"

    app.add_url_rule("/write", view_func=may_write(write), methods=["POST"], endpoint="write")
    errors: dict[str, Exception] = {
        "foreign": RuntimeError("secret of /etc/passwd"),
        "store": StoreError("the store at /var/secret is broken", where="/var/secret"),
        "data": DataError("the Turtle cannot be read", where="line 3"),
        "usage": UsageError("so it is not used", hint="use it otherwise"),
        "turn": LimitError("too many wait", limit="turn"),
        "time": LimitError("too slow", limit="time"),
        "memory": LimitError("too big", limit="memory"),
        "length": LimitError("too long", limit="length", hint="ask for less"),
        "stopped": LimitError("stopped", limit="stopped"),
        "down": ServiceUnavailable("down for an hour", retry_after=3600),
    }

    def fail(kind: str) -> str:
        raise errors[kind]

    app.add_url_rule("/fail/<kind>", view_func=fail, methods=["GET", "POST"], endpoint="fail")
    return app.test_client()


@pytest.fixture(scope="module")
def client(store: Store) -> FlaskClient:
    """Open a service that can be written to, by its two known names."""
    return _guarded(store, Settings(token=TOKEN, hosts=("graph.example.org",)))


# ---- Writing ---------------------------------------------------------------------------------


def test_a_write_needs_the_token(client: FlaskClient) -> None:
    """401 says how to send it, a wrong one that it is wrong (RFC 6750)."""
    for headers, says in (
        ({}, 'Bearer realm="graphkit"'),
        ({"Authorization": "Bearer wrong"}, 'Bearer realm="graphkit", error="invalid_token"'),
        ({"Authorization": f"Bearer {TOKEN}x"}, 'Bearer realm="graphkit", error="invalid_token"'),
        ({"Authorization": f"Basic {TOKEN}"}, 'Bearer realm="graphkit"'),
        ({"Authorization": "Bearer "}, 'Bearer realm="graphkit"'),
        ({"Authorization": "Bearer ü"}, 'Bearer realm="graphkit", error="invalid_token"'),
    ):
        answer = client.post("/write", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == says
        assert TOKEN not in answer.text
    assert client.post("/write", headers=BEARER).text == "http: no reason"
    assert client.post("/write", headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200


def test_without_a_token_in_the_settings_nobody_writes(store: Store) -> None:
    """403 says what the one who runs it can do."""
    for token in (None, ""):
        answer = _guarded(store, Settings(token=token)).post("/write", headers={"Authorization": "Bearer "})
        assert answer.status_code == 403
        assert "GRAPHKIT_TOKEN" in answer.text


@pytest.mark.parametrize(
    ("status", "host", "origin", "site"),
    [
        (200, "localhost", None, None),
        (200, "localhost:8000", "http://localhost:8000", "same-origin"),
        (200, "127.0.0.1:8000", "http://127.0.0.1:8000", None),
        (200, "graph.example.org", "http://graph.example.org", None),
        (403, "localhost:8000", "http://localhost:9000", None),
        (403, "localhost", "https://evil.example", None),
        (403, "localhost", "null", None),
        (403, "localhost", None, "cross-site"),
        (403, "localhost", None, "same-site"),
        (421, "evil.example", "http://evil.example", None),
        (421, "graph.example.org.evil.example", None, None),
    ],
)
def test_a_page_of_another_site_cannot_write(
    client: FlaskClient, status: int, host: str, origin: str | None, site: str | None
) -> None:
    """Not even with the token: the Origin must be our own, under a name that is known to be ours."""
    headers = BEARER | {"Host": host}
    headers |= {"Origin": origin} if origin else {}
    headers |= {"Sec-Fetch-Site": site} if site else {}
    answer = client.post("/write", headers=headers)
    assert answer.status_code == status
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_foreign_name_for_this_machine_is_not_our_own(store: Store) -> None:
    """DNS rebinding: without known hosts any name may read, and a page under an unknown name cannot write."""
    client = _guarded(store, Settings(token=TOKEN))
    named = {"Host": "rebound.example", "Origin": "http://rebound.example"}
    assert client.get("/sparql", headers={"Host": "rebound.example"}).status_code == 200
    assert client.post("/write", headers=BEARER | named).status_code == 403
    assert client.post("/write", headers=BEARER | {"Host": "rebound.example"}).status_code == 200
    public = _guarded(store, Settings(token=TOKEN, public_address="https://graph.example"))
    own = {"Host": "behind:8000", "Origin": "https://graph.example"}
    assert public.post("/write", headers=BEARER | own).status_code == 200


def test_no_token_is_no_match_for_any(store: Store) -> None:
    """Whoever sends a token to a service that has none is not known by it."""
    app = create_app(store, Settings())
    with app.test_request_context("/", headers=BEARER):
        assert not has_token()


def test_behind_a_proxy_the_forwarded_names_count(store: Store) -> None:
    """Only where the settings say so; else anybody could write these headers."""
    forwarded = {"X-Forwarded-Host": "graph.example.org", "X-Forwarded-Proto": "https", "Host": "inner:8000"}
    headers = BEARER | forwarded | {"Origin": "https://graph.example.org"}
    settings = Settings(token=TOKEN, hosts=("graph.example.org",))
    assert _guarded(store, replace(settings, behind_proxy=True)).post("/write", headers=headers).status_code == 200
    assert _guarded(store, settings).post("/write", headers=headers).status_code == 421


def test_who_and_why_are_one_line_each(client: FlaskClient) -> None:
    """Names in UTF-8, no control characters, no novels."""
    utf8 = "Zoë".encode().decode("latin-1")
    answer = client.post("/write?why=new%20register", headers=BEARER | {"Graphkit-Who": utf8})
    assert answer.text == "Zoë: new register"
    assert client.post("/write", headers=BEARER | {"Graphkit-Why": "because"}).text == "http: because"
    for headers, query in (
        ({"Graphkit-Who": "x" * 101}, ""),
        ({"Graphkit-Who": "Zo\xeb"}, ""),
        ({}, "?why=a%0Ab"),
        ({}, "?why=" + "x" * 501),
    ):
        assert client.post("/write" + query, headers=BEARER | headers).status_code == 400


# ---- Errors ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "status"),
    [("usage", 400), ("time", 504), ("memory", 503), ("length", 413), ("turn", 503), ("stopped", 503)],
)
def test_an_error_has_the_status_of_its_kind(client: FlaskClient, kind: str, status: int) -> None:
    """A problem in JSON with a title, the reason and what to do; a full queue says when to come again."""
    answer = client.get(f"/fail/{kind}", headers={"Accept": "application/json"})
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.get_json().items() >= {"type": "about:blank", "status": status}.items()
    assert ("Retry-After" in answer.headers) == (kind == "turn")


def test_data_that_was_sent_is_the_senders_and_data_that_we_hold_is_ours(client: FlaskClient) -> None:
    """What cannot be read is 400 where the request brought it, else our fault."""
    assert client.post("/fail/data").status_code == 400
    assert client.get("/fail/data").status_code == 500


def test_the_words_and_headers_of_the_framework_are_kept(client: FlaskClient) -> None:
    """An error that Flask or Werkzeug raises keeps its status, its reason and when to come again."""
    answer = client.get("/fail/down", headers={"Accept": "application/json"})
    assert answer.status_code == 503
    assert answer.get_json()["detail"] == "down for an hour"
    assert answer.headers["Retry-After"] == "3600"


@pytest.mark.parametrize("kind", ["foreign", "store"])
@pytest.mark.parametrize("accept", ["text/html", "application/json", "text/turtle", "text/plain", ""])
def test_our_own_fault_is_logged_and_not_told(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, kind: str, accept: str
) -> None:
    """No text and no path of an error leaves; a number leads to it in the log."""
    with caplog.at_level(logging.ERROR, "webui"):
        answer = client.get(f"/fail/{kind}", headers={"Accept": accept} if accept else {})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert any("fault" in line and line.split()[1] in answer.text for line in caplog.messages)
    assert "secret" in caplog.text


@pytest.mark.parametrize(
    ("path", "accept", "kind"),
    [
        ("/nowhere", "", "text/html"),
        ("/nowhere", "*/*", "text/html"),
        ("/nowhere", "text/html,*/*;q=0.8", "text/html"),
        ("/nowhere", "application/json", "application/problem+json"),
        ("/nowhere", "application/problem+json", "application/problem+json"),
        ("/nowhere", "text/turtle", "application/problem+json"),
        ("/nowhere", "text/plain", "text/plain"),
        ("/nowhere.json", "text/html", "application/problem+json"),
        ("/api/nowhere", "text/html", "application/problem+json"),
        ("/sparql?query=x&version=x", "", "application/problem+json"),
        ("/sparql?query=x&query=y", "text/html", "text/html"),
        ("/sparql?query=x&query=y", "application/sparql-results+json", "application/problem+json"),
    ],
)
def test_every_client_can_read_what_was_wrong(client: FlaskClient, path: str, accept: str, kind: str) -> None:
    """People get a page, programs JSON, also those that accept only RDF."""
    answer = client.get(path, headers={"Accept": accept} if accept else {})
    assert answer.status_code >= 400
    assert answer.mimetype == kind
    assert "Accept" in answer.headers["Vary"]


# ---- Running queries -------------------------------------------------------------------------


@pytest.fixture
def busy(store: Store) -> Iterator[FlaskClient]:
    """Open a service that gives queries a long time."""
    with service(store, Settings(token=TOKEN, query_seconds=30, readers=2)) as opened:
        yield opened


def _start(client: FlaskClient, id: str) -> TestResponse:  # noqa: A002
    again = client.application.test_client()
    return again.get("/sparql?" + urlencode({"query": ENDLESS}), headers={"Query-Id": id})


def _wait_for(client: FlaskClient, id: str) -> None:  # noqa: A002
    deadline = time.monotonic() + 10
    while id not in client.get("/sparql/queries", headers=BEARER).text:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_running_query_is_listed_and_can_be_ended_by_its_id(busy: FlaskClient) -> None:
    """The list needs the token, the end only the id, which the client may have chosen; then 503 for who waits."""
    own = str(uuid4())
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(_start, busy, own)
        _wait_for(busy, own)
        assert busy.get("/sparql/queries").status_code == 401
        (found,) = busy.get("/sparql/queries", headers=BEARER).get_json()["queries"]
        assert found.keys() == {"id", "client", "seconds", "waits", "query"}
        assert found["query"] == ENDLESS
        clash = busy.get("/sparql?" + urlencode({"query": "ASK {}"}), headers={"Query-Id": own})
        assert clash.status_code == 409
        assert busy.delete(f"/sparql/queries/{'0' * 32}").status_code == 404
        assert busy.delete(f"/sparql/queries/{own.upper()}").status_code == 204
        answer = asked.result(timeout=10)
    assert answer.status_code == 503
    assert answer.headers["Query-Id"] == own
    assert busy.delete(f"/sparql/queries/{own}").status_code == 404
    assert busy.get("/sparql/queries", headers=BEARER).get_json() == {"queries": []}


def test_the_id_of_a_query_is_told_and_checked(busy: FlaskClient) -> None:
    """A client's own is kept, one by the server is unguessable, a short or odd one is refused."""
    address = "/sparql?" + urlencode({"query": "ASK {}"})
    own = uuid4().hex
    assert busy.get(address, headers={"Query-Id": own}).headers["Query-Id"] == own
    given = {busy.get(address).headers["Query-Id"] for _ in range(3)}
    assert len(given) == 3
    assert all(len(each) == 32 for each in given)
    for bad in ("1", "x" * 32, "0" * 65, "0" * 15):
        assert busy.get(address, headers={"Query-Id": bad}).status_code == 400
    by_server = busy.get(address, environ_base={"graphkit.query_id": "f" * 32})
    assert by_server.headers["Query-Id"] == "f" * 32


def test_a_client_that_goes_away_ends_its_query(busy: FlaskClient) -> None:
    """The server sets the event `graphkit.gone`; the query ends long before its time."""
    gone, own = threading.Event(), uuid4().hex

    def ask() -> TestResponse:
        again = busy.application.test_client()
        address = "/sparql?" + urlencode({"query": ENDLESS})
        return again.get(address, headers={"Query-Id": own}, environ_base={"graphkit.gone": gone})

    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(ask)
        _wait_for(busy, own)
        gone.set()
        assert asked.result(timeout=10).status_code == 503


def test_other_sites_may_end_what_they_began(busy: FlaskClient) -> None:
    """The preflight of DELETE; the list stays closed to them."""
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "DELETE"}
    allowed = busy.options(f"/sparql/queries/{'0' * 32}", headers=headers)
    assert "DELETE" in allowed.headers["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Origin" not in busy.get("/sparql/queries", headers=BEARER).headers


# ---- The service description -----------------------------------------------------------------


def _described(answer: TestResponse) -> rdflib.Graph:
    assert answer.status_code == 200
    return rdflib.Graph().parse(data=answer.data, format="turtle")


@pytest.mark.parametrize("accept", ["", "*/*", "text/turtle", "application/rdf+xml;q=0.1, text/turtle"])
def test_the_bare_address_describes_the_service(client: FlaskClient, accept: str) -> None:
    """RDF, with the endpoint that was asked, in the words of the standard (the W3C's three cases)."""
    graph = _described(client.get("/sparql", headers={"Accept": accept} if accept else {}))
    endpoint = rdflib.URIRef("http://localhost/sparql")
    assert (endpoint, RDF.type, SD.Service) in graph
    assert (endpoint, SD.endpoint, endpoint) in graph
    assert (endpoint, SD.supportedLanguage, SD.SPARQL11Query) in graph
    assert set(graph.objects(endpoint, SD.feature)) == {SD.UnionDefaultGraph}
    formats = rdflib.Namespace("http://www.w3.org/ns/formats/")
    assert {formats.SPARQL_Results_JSON, formats.Turtle} <= set(graph.objects(endpoint, SD.resultFormat))
    (dataset,) = graph.objects(endpoint, SD.defaultDataset)
    assert (dataset, RDF.type, SD.Dataset) in graph
    (union,) = graph.objects(dataset, SD.defaultGraph)
    assert graph.value(union, VOID.triples) == rdflib.Literal(3)
    named = {graph.value(each, SD.name): graph.value(each, SD.graph) for each in graph.objects(dataset, SD.namedGraph)}
    counts = {str(name): graph.value(content, VOID.triples) for name, content in named.items()}
    assert counts == {"urn:g1": rdflib.Literal(2), "urn:g2": rdflib.Literal(1)}
    licence = graph.value(rdflib.URIRef("urn:g1"), DCTERMS.license)
    assert licence == rdflib.URIRef("https://creativecommons.org/licenses/by/4.0/")


def test_the_description_says_what_the_deployment_allows(store: Store) -> None:
    """Federation and updates are named only where they are there; the public address is the endpoint."""
    settings = Settings(services=("https://other.example/sparql",), public_address="https://graph.example")
    with service(store, settings) as client:
        graph = _described(client.get("/sparql"))
    endpoint = rdflib.URIRef("https://graph.example/sparql")
    assert (endpoint, SD.feature, SD.BasicFederatedQuery) in graph
    assert (None, SD.supportedLanguage, SD.SPARQL11Update) not in graph
    with service(store, Settings(token=TOKEN)) as client:
        graph = _described(client.get("/sparql"))
    update = rdflib.URIRef("http://localhost/sparql/update")
    assert (update, SD.supportedLanguage, SD.SPARQL11Update) in graph
    assert (update, SD.endpoint, update) in graph


@pytest.mark.parametrize("form", [*GRAPHS, *QUADS], ids=lambda form: form.suffix)
def test_the_description_is_the_same_in_every_form(client: FlaskClient, form: Format) -> None:
    """By Accept and by ?format=, with a tag that spares sending it again."""
    turtle = canonical_hash(convert(client.get("/sparql").data, "ttl", "nt"))
    answer = client.get("/sparql", headers={"Accept": form.media_type})
    assert answer.content_type == form.content_type
    assert canonical_hash(convert(answer.data, form.suffix, "nt")) == turtle
    assert client.get(f"/sparql?format={form.suffix}").data == answer.data
    held = {"Accept": form.media_type, "If-None-Match": answer.headers["ETag"]}
    assert client.get("/sparql", headers=held).status_code == 304


def test_the_counts_are_those_of_the_present_version() -> None:
    """A change is seen at once; an empty store has a description too."""
    with open_store() as store, service(store) as client:
        assert len(_described(client.get("/sparql")))
        for number in (1, 2):
            with store.change("go on") as change:
                change.load(f"<urn:a> <urn:b> {number} .".encode(), media_type="ttl", graph=f"urn:{number}")
            names = set(_described(client.get("/sparql")).objects(None, SD.name))
            assert names == {rdflib.URIRef(f"urn:{each}") for each in range(1, number + 1)}


def test_the_well_known_address_leads_to_the_description(client: FlaskClient) -> None:
    """303, as VoID has it."""
    answer = client.get("/.well-known/void", headers={"Accept": "text/turtle"})
    assert answer.status_code == 303
    followed = client.get(answer.headers["Location"], headers={"Accept": "text/turtle"})
    assert (None, RDF.type, VOID.Dataset) in _described(followed)


def test_a_client_of_results_that_forgot_its_query_is_told_so(client: FlaskClient) -> None:
    """Who asks for a table at the bare address gets no description but 400."""
    answer = client.get("/sparql", headers={"Accept": "application/sparql-results+json"})
    assert answer.status_code == 400
    assert "query" in json.loads(answer.data)["detail"]
