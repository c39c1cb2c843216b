"""The query operation of the SPARQL 1.1 Protocol, case by case as the W3C's tests have it, and what goes wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import quote, urlencode

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from graphkit.errors import QueryError
from graphkit.store import Store, open_store
from tests.services import service
from webui.settings import Settings

FORM = "application/x-www-form-urlencoded"
QUERY = "application/sparql-query"
BASE = "https://example.org/data/"
ANY_IN_DEFAULT = "ASK { ?s a ?type }"
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
SPARQL_JSON = {"Accept": "application/sparql-results+json"}


@pytest.fixture(scope="module")
def graphs() -> Iterator[Store]:
    """Keep three graphs, each with a type of its own."""
    store = open_store()
    with store.change("three graphs") as change:
        for number in (1, 2, 3):
            change.load(f"<urn:s{number}> a <urn:T{number}> .".encode(), media_type="ttl", graph=f"{BASE}{number}.rdf")
    yield store
    store.close()


@pytest.fixture(scope="module")
def client(graphs: Store) -> Iterator[FlaskClient]:
    """Open the service over the three graphs."""
    with service(graphs, Settings(query_seconds=5, query_rows=1000)) as opened:
        yield opened


def _get(client: FlaskClient, *pairs: tuple[str, str], **headers: str) -> TestResponse:
    return client.get("/sparql?" + urlencode(pairs), headers=headers or SPARQL_JSON)


def _verdict(answer: TestResponse) -> bool:
    assert answer.status_code == 200, answer.text
    return bool(json.loads(answer.data)["boolean"])


# ---- The cases of the W3C --------------------------------------------------------------------


def test_query_by_get_by_form_and_by_its_text(client: FlaskClient) -> None:
    """Three ways to send a query, one answer (query_get, query_post_form, query_post_direct)."""
    by_get = _get(client, ("query", "ASK {}"))
    by_form = client.post("/sparql", data=urlencode({"query": "ASK {}"}), content_type=FORM, headers=SPARQL_JSON)
    by_text = client.post("/sparql", data="ASK {}", content_type=QUERY, headers=SPARQL_JSON)
    assert by_get.data == by_form.data == by_text.data
    assert _verdict(by_get)


_ONE, _TWO, _THREE = (f"{BASE}{number}.rdf" for number in (1, 2, 3))
_DATASETS = {
    "dataset_default_graphs": (
        "ASK { <urn:s1> a ?x . <urn:s2> a ?y FILTER NOT EXISTS { <urn:s3> ?p ?o } }",
        [("default-graph-uri", _ONE), ("default-graph-uri", _TWO)],
    ),
    "dataset_named_graphs": (
        """ASK { GRAPH ?g { <urn:s1> a ?x } GRAPH ?h { <urn:s2> a ?y }
        FILTER NOT EXISTS { GRAPH ?i { <urn:s3> ?p ?o } } FILTER NOT EXISTS { ?s ?q ?v } }""",
        [("named-graph-uri", _ONE), ("named-graph-uri", _TWO)],
    ),
    "dataset_full": (
        """ASK { <urn:s3> a ?z . GRAPH ?g { <urn:s1> a ?x } GRAPH ?h { <urn:s2> a ?y }
        FILTER NOT EXISTS { GRAPH ?i { <urn:s3> ?p ?o } } FILTER NOT EXISTS { <urn:s1> ?q ?v } }""",
        [("default-graph-uri", _THREE), ("named-graph-uri", _ONE), ("named-graph-uri", _TWO)],
    ),
    "multiple_dataset": (
        f"ASK FROM <{_ONE}> {{ <urn:s2> a ?y FILTER NOT EXISTS {{ <urn:s1> ?p ?o }} }}",
        [("default-graph-uri", _TWO)],
    ),
}


@pytest.mark.parametrize("case", _DATASETS)
def test_the_dataset_of_the_request_is_asked(client: FlaskClient, case: str) -> None:
    """The parameters choose the graphs, repeated ones add up, and they win over FROM in the query."""
    query, dataset = _DATASETS[case]
    pairs = [("query", query), *dataset]
    assert _verdict(_get(client, *pairs))
    assert _verdict(client.post("/sparql", data=urlencode(pairs), content_type=FORM, headers=SPARQL_JSON))
    address = "/sparql?" + urlencode(dataset)
    assert _verdict(client.post(address, data=query, content_type=QUERY, headers=SPARQL_JSON))
    assert _verdict(_get(client, ("query", "ASK { <urn:s1> a ?x . <urn:s2> a ?y . <urn:s3> a ?z }")))


@pytest.mark.parametrize(
    ("query", "accept", "kinds"),
    [
        ("SELECT * { ?s ?p ?o }", "*/*", "json xml csv tab-separated-values"),
        ("ASK { ?s ?p ?o }", "*/*", "json xml"),
        ("DESCRIBE <urn:s1>", "*/*", "rdf+xml turtle n-triples"),
        ("CONSTRUCT WHERE { ?s ?p ?o }", "*/*", "rdf+xml turtle n-triples"),
    ],
)
def test_each_form_of_query_has_a_media_type_of_the_standard(
    client: FlaskClient, query: str, accept: str, kinds: str
) -> None:
    """Without a wish a client gets what every client reads (query_content_type_…)."""
    answer = _get(client, ("query", query), Accept=accept)
    assert answer.status_code == 200
    assert any(answer.mimetype.endswith(kind) for kind in kinds.split())


def test_another_method_is_405_with_those_there_are(client: FlaskClient) -> None:
    """PUT, DELETE and the like (bad_query_method)."""
    for method in ("PUT", "DELETE", "PATCH"):
        answer = client.open("/sparql?query=ASK%20%7B%7D", method=method)
        assert answer.status_code == 405
        assert {"GET", "HEAD", "POST", "OPTIONS"} == set(answer.headers["Allow"].replace(" ", "").split(","))


@pytest.mark.parametrize(
    ("status", "data", "content_type"),
    [
        (400, "query=ASK+%7B%7D&query=SELECT+*+%7B%7D", FORM),
        (415, "query=ASK+%7B%7D", "text/plain"),
        (415, "query=ASK+%7B%7D", None),
        (415, "ASK {}", None),
        (415, "ASK {}".encode("utf-16"), f"{QUERY}; charset=UTF-16"),
        (400, "ASK {}".encode("utf-16"), QUERY),
        (400, "query=ASK+{+?s+?p+'%FF'+}", FORM),
        (400, "query=ASK+{+?s+?p+'%2'+}", FORM),
        (400, "", FORM),
        (400, "", QUERY),
        (400, "ASK {", QUERY),
        (413, "#" * 3_000_001, QUERY),
    ],
)
def test_a_wrong_body_is_refused_with_a_reason(
    client: FlaskClient, status: int, data: str | bytes, content_type: str | None
) -> None:
    """Repeated, mislabelled, undecodable, missing, malformed and endless queries (bad_multiple_queries, …)."""
    answer = client.post("/sparql", data=data, content_type=content_type, headers=SPARQL_JSON)
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    said = answer.get_json()
    assert said["status"] == status
    assert said["detail"]
    if status == 415:
        assert answer.headers["Accept-Post"] == f"{QUERY}, {FORM}"


# ---- What else goes wrong --------------------------------------------------------------------

ASK = quote("ASK {}")


@pytest.mark.parametrize(
    ("status", "address", "says"),
    [
        (400, f"query={ASK}&query={ASK}", "given 2 times"),
        (400, "query=ASK+{+?s+?p+'%FF'+}", "not UTF-8"),
        (400, "query=%C3%28", "not UTF-8"),
        (400, "query=ASK+{+?s+?p+'100%'+}", "percent sign"),
        (400, "query=", "missing"),
        (400, "default-graph-uri=urn:a", "missing"),
        (400, "update=" + quote("CLEAR ALL"), "/sparql/update"),
        (400, f"query={ASK}&default-graph-uri=no+iri", "no iri"),
        (400, f"query={ASK}&named-graph-uri=relative", "relative"),
        (400, f"query={ASK}&named-graph-uri=", "graph"),
        (400, f"query={ASK}&default-graph-uri=" + quote("urn:a> } #"), "graph"),
        (400, f"query={ASK}&timeout=soon", "timeout"),
        (400, f"query={ASK}&timeout=0", "timeout"),
        (400, f"query={ASK}&timeout=nan", "timeout"),
        (400, f"query={ASK}&rows=-1", "rows"),
        (400, f"query={ASK}&version=x", "version"),
        (404, f"query={ASK}&version=99", "not kept"),
        (406, f"query={ASK}&format=pdf", "text/csv"),
        (400, "query=" + quote("SELECT (<urn:unknown>(1) AS ?x) {}"), ""),
        (400, "query=" + quote("SELECT * { ?s <not an iri> ?o }"), "line 1"),
        (400, "query=" + quote("SELECT * { ?s ?p"), "line 1"),
        (400, "query=" + quote("DELETE WHERE { ?s ?p ?o }"), "query"),
        (400, "query=" + quote("SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }"), "SERVICE"),
        (400, "query=" + quote("SELECT * {" + "{" * 3000 + "}" * 3000 + "}"), "deep"),
        (400, "query=" + quote("SELECT * { ?s " + "/".join(["<urn:p>"] * 256) + " ?o }"), "steps"),
        (400, "query=%00", ""),
        (400, "&".join(["a=b"] * 2001), "2,000"),
    ],
)
def test_a_wrong_request_is_refused_with_a_reason(client: FlaskClient, status: int, address: str, says: str) -> None:
    """4xx with words that name the fault, never 500, and the next question is answered."""
    answer = client.get("/sparql?" + address, headers=SPARQL_JSON)
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    assert says in answer.text
    assert _verdict(_get(client, ("query", "ASK { ?s a ?x }")))


@pytest.mark.parametrize(
    ("text", "says", "where"),
    [
        ("SELECT ?x WHERE {\n ?x a ?y", "'{' is not closed", "line 1"),
        ("SELECT ?x { ?s ?p ?o \n }}", "closes nothing", "line 2"),
        ("SELECT ?x { ?x a\n 'open }", "a string is not closed", "line 2"),
        ("INSERT DATA { <urn:a> <urn:b> 1 }", "none of SELECT", "line 1"),
        ("SELECT * { ?s a ex:b }", "Prefix not found", "line 1"),
    ],
)
def test_a_fault_in_a_query_is_named_plainly(client: FlaskClient, text: str, says: str, where: str) -> None:
    """The reason in words and the line, instead of all that could have stood there."""
    said = _get(client, ("query", text)).get_json()
    assert says in said["detail"]
    assert said["where"].startswith(where)


def test_a_fault_that_the_lane_found_is_named_as_plainly(client: FlaskClient) -> None:
    """The same words, whichever way the query took."""
    address = "/sparql?" + urlencode({"query": "SELECT ?x WHERE {\n ?x a ?y"})
    found = {"graphkit.fault": QueryError("expected one of ...", where="line 2, column 9")}
    said = client.get(address, headers=SPARQL_JSON, environ_overrides=found).get_json()
    assert said == client.get(address, headers=SPARQL_JSON).get_json()
    assert "'{' is not closed" in said["detail"]


def test_what_the_engine_cannot_compute_is_no_fault_of_the_service(client: FlaskClient) -> None:
    """An unknown function in a filter, wrong types, bad regular expressions: an answer or 400."""
    for text in (
        "SELECT * { FILTER(<urn:f>(1)) }",
        "SELECT (REGEX('a', '(') AS ?x) {}",
        "SELECT (1/0 AS ?x) {}",
        "SELECT (IRI('not an iri') AS ?x) {}",
        "SELECT (STRDT('x', <urn:t>) AS ?x) {}",
    ):
        assert _get(client, ("query", text)).status_code in {200, 400}, text


def test_a_query_that_takes_too_long_is_504(client: FlaskClient) -> None:
    """The time-out of the request lowers that of the service, and the answer says what it was."""
    rows = "VALUES ?{0} {{ " + " ".join(map(str, range(900))) + " }}"
    text = "SELECT (COUNT(*) AS ?n) { " + " ".join(rows.format(name) for name in "abcd") + " FILTER(?a+?b+?c+?d < 0) }"
    answer = _get(client, ("query", text), ("timeout", "0.5"))
    assert answer.status_code == 504
    assert "0.5 second" in answer.get_json()["detail"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_long_answer_is_cut_and_says_so(client: FlaskClient) -> None:
    """Rows beyond the limit are left out of a well-formed answer, which is not cached and has no tag."""
    values = "SELECT ?x { VALUES ?x { " + " ".join(map(str, range(1500))) + " } }"
    for pairs, rows in (((), 1000), ((("rows", "10"),), 10), ((("rows", "5000"),), 1000)):
        answer = _get(client, ("query", values), *pairs)
        assert len(json.loads(answer.data)["results"]["bindings"]) == rows
        assert answer.headers["Graphkit-Cut"] == f"rows={rows}"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "ETag" not in answer.headers
    assert "Graphkit-Cut" not in _get(client, ("query", "SELECT * { ?s ?p ?o }"), ("rows", "3")).headers


def test_head_says_what_get_would(client: FlaskClient) -> None:
    """The same headers, the length among them, and no body."""
    address = "/sparql?" + urlencode({"query": "SELECT * { ?s ?p ?o } ORDER BY ?s", "format": "csv"})
    got, head = client.get(address), client.head(address)
    assert head.data == b""
    assert head.status_code == 200
    passing = {"Query-Id", "Date"}
    told = {name: value for name, value in got.headers if name not in passing}
    assert {name: value for name, value in head.headers if name not in passing} == told
    assert int(head.headers["Content-Length"]) == len(got.data)


def test_options_and_preflight(client: FlaskClient) -> None:
    """OPTIONS lists the methods; a page of another site may read, and learns which headers it may use."""
    plain = client.options("/sparql")
    assert plain.status_code == 204
    assert "POST" in plain.headers["Allow"]
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    allowed = client.options("/sparql", headers=asked)
    assert allowed.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in allowed.headers["Access-Control-Allow-Methods"]
    assert "Content-Type" in allowed.headers["Access-Control-Allow-Headers"]
    assert int(allowed.headers["Access-Control-Max-Age"]) > 0
    assert "Access-Control-Allow-Credentials" not in allowed.headers
    for answer in (_get(client, ("query", "ASK {}")), _get(client, ("query", "ASK {"))):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "ETag" in answer.headers["Access-Control-Expose-Headers"]


# ---- The page --------------------------------------------------------------------------------


def test_the_page_has_the_form_the_answer_and_its_downloads(client: FlaskClient) -> None:
    """A browser gets a form, then a table; the downloads ask the same of the same dataset."""
    form = client.get("/sparql", headers=BROWSER)
    assert form.mimetype == "text/html"
    assert "<textarea" in form.text
    pairs = [("query", "SELECT ?s { ?s a ?t }"), ("default-graph-uri", _ONE)]
    page = client.get("/sparql?" + urlencode(pairs), headers=BROWSER)
    assert "1 row" in page.text
    (link,) = re.findall(r'href="(/sparql\?[^"]*format=csv)"', page.text)
    assert client.get(link.replace("&amp;", "&")).text.split() == ["s", "urn:s1"]
    assert ">Yes<" in client.get("/sparql?" + urlencode({"query": "ASK {}"}), headers=BROWSER).text
    graph = client.get("/sparql?" + urlencode({"query": "CONSTRUCT WHERE { ?s ?p ?o }"}), headers=BROWSER)
    assert "urn:T3" in graph.text


def test_the_page_says_what_is_wrong_with_the_status_of_it(client: FlaskClient) -> None:
    """The form keeps the text, and the note has the reason."""
    page = client.get("/sparql?" + urlencode({"query": "SELECT ?x {"}), headers=BROWSER)
    assert page.status_code == 400
    assert 'class="note fault"' in page.text
    assert "SELECT ?x {" in page.text


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}"])
def test_no_text_becomes_markup(client: FlaskClient, hostile: str) -> None:
    """A query, a value, an error, a wrong format: all that comes back in HTML is escaped."""
    literal = json.dumps(hostile)
    for pairs in (
        [("query", hostile)],
        [("query", f"SELECT ({literal} AS ?x) {{}}")],
        [("query", f"CONSTRUCT {{ <urn:a> <urn:b> {literal} }} {{}}")],
        [("query", "ASK {}"), ("format", hostile)],
        [("query", "ASK {}"), ("version", hostile)],
        [("query", "ASK {}"), ("default-graph-uri", hostile)],
        [("load", "1"), ("example", hostile)],
        [("query", "ASK {}"), (hostile, hostile)],
    ):
        answer = client.get("/sparql?" + urlencode(pairs), headers=BROWSER)
        assert answer.mimetype == "text/html", pairs
        assert not hostile.startswith("<script") or hostile not in answer.text
        assert "<img src=x" not in answer.text
        assert answer.status_code < 500
    link = client.get(
        "/sparql?" + urlencode({"query": 'SELECT (IRI("javascript:alert(1)") AS ?x) {}'}), headers=BROWSER
    )
    assert 'href="javascript:' not in link.text
