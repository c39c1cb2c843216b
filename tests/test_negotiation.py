"""Every form of an answer says the same, and each client gets the one that it asked for."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
import rdflib
from flask.testing import FlaskClient
from rdflib.compare import isomorphic
from werkzeug.exceptions import NotAcceptable

from graphkit.store import Store, canonical_hash, convert
from tests.services import service
from webui.protocol.formats import GRAPHS, HTML, QUADS, RESULTS, Format, negotiate

ROWS = """SELECT ?thing ?value WHERE {
  VALUES (?thing ?value) {
    (<https://example.org/é> "tab\\tline\\nquote\\"comma,") (<https://example.org/b> "grüezi"@de) (UNDEF 12.5)
    (<https://example.org/c> true) (<https://example.org/d> "2026-01-01"^^<http://www.w3.org/2001/XMLSchema#date>)
  }
}"""
GRAPH = "CONSTRUCT { ?s ?p ?o } WHERE { GRAPH <https://w3id.org/solidarity-graph/graph/village> { ?s ?p ?o } }"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.fixture(scope="module")
def client(village: Store) -> Iterator[FlaskClient]:
    """Open the service over the village."""
    with service(village) as opened:
        yield opened


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("application/sparql-results+json", "json"),
        ("application/sparql-results+json; charset=utf-8", "json"),
        ("application/json", "json"),
        ("application/sparql-results+xml, application/xml, text/xml", "xml"),
        ("text/xml", "xml"),
        ("text/csv", "csv"),
        ("text/csv; header=present; charset=utf-8", "csv"),
        ("text/tab-separated-values", "tsv"),
        ("text/plain", "tsv"),
        ("text/*", "csv"),
        ("application/*", "json"),
        ("text/csv;q=0.5, application/sparql-results+xml;q=0.6", "xml"),
        ("text/csv, */*", "csv"),
        ("*/*, text/csv", "csv"),
        ("text/csv;q=0, text/*", "tsv"),
        ("text/csv;q=0.1, */*;q=0.9", "json"),
        ("application/sparql-results+json;q=0, */*", "xml"),
        ("text/turtle, application/rdf+xml, */*;q=0.1", "json"),
        ("TEXT/CSV ; Q=1.0", "csv"),
        ("text/csv;q=nonsense, text/tab-separated-values;q=0.1", "tsv"),
        ('text/csv;q=0.2;note="a, application/sparql-results+xml, b"', "csv"),
        ("application/sparql-results+json, text/javascript, */*; q=0.01", "json"),
        (BROWSER, "html"),
        ("text/html, application/sparql-results+json", "html"),
        ("application/sparql-results+json, text/html", "json"),
        ("text/html;q=0.5, application/sparql-results+json", "json"),
        (", ,;,", "json"),
    ],
)
def test_the_header_accept_chooses(accept: str, form: str) -> None:
    """Quality first, then the closer range, then the order of the header, then ours; parameters are passed over."""
    assert negotiate(accept, (*RESULTS, HTML)).suffix == form


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("text/turtle; charset=utf-8", "ttl"),
        ('application/ld+json;profile="http://www.w3.org/ns/json-ld#compacted"', "jsonld"),
        ("application/json", "jsonld"),
        ("application/rdf+xml;q=0.9, text/turtle;q=0.8", "rdf"),
        ("text/plain", "nt"),
        ("application/x-turtle", "ttl"),
        ("application/n-quads, application/trig;q=0.5", "nq"),
        ("*/*;q=0.1", "ttl"),
    ],
)
def test_graphs_have_forms_of_their_own(accept: str, form: str) -> None:
    """The names that clients use for RDF all lead to it."""
    assert negotiate(accept, (*GRAPHS, *QUADS, HTML)).suffix == form


def test_a_client_is_answered_in_the_media_type_it_named() -> None:
    """Who says application/json gets that back, and texts name their character set."""
    assert negotiate("application/json", RESULTS).content_type == "application/json"
    assert negotiate("text/xml", RESULTS).content_type == "text/xml; charset=utf-8"
    assert negotiate("text/*", GRAPHS).content_type == "text/turtle; charset=utf-8"


@pytest.mark.parametrize("asked", ["csv", ".csv", "CSV", "text/csv", "text/csv; charset=utf-8"])
def test_the_parameter_format_wins(asked: str) -> None:
    """A suffix or a media type there leaves the header without a say."""
    assert negotiate("application/sparql-results+json", RESULTS, asked=asked).suffix == "csv"
    assert negotiate("", RESULTS, asked="application/sparql-results json").suffix == "json"


@pytest.mark.parametrize(("accept", "asked"), [("image/png", ""), ("text/csv;q=0", ""), ("", "pdf"), ("", "ttl")])
def test_what_cannot_be_given_is_refused_with_the_list(accept: str, asked: str) -> None:
    """Nobody is sent something that they do not read."""
    with pytest.raises(NotAcceptable) as refused:
        negotiate(accept, RESULTS, asked=asked)
    assert all(form.media_type in (refused.value.description or "") for form in RESULTS)


# ---- Through the service ---------------------------------------------------------------------


def _json(data: bytes) -> list[dict[str, str]]:
    found = json.loads(data)["results"]["bindings"]
    return [{name: term["value"] for name, term in row.items()} for row in found]


def _xml(data: bytes) -> list[dict[str, str]]:
    space = "{http://www.w3.org/2005/sparql-results#}"
    rows = ET.fromstring(data).iter(f"{space}result")  # noqa: S314 - our own
    return [{each.get("name", ""): each[0].text or "" for each in row} for row in rows]


def _csv(data: bytes) -> list[dict[str, str]]:
    rows = csv.DictReader(io.StringIO(data.decode(), newline=""))
    return [{name: value for name, value in row.items() if value} for row in rows]


@pytest.mark.parametrize(
    ("suffix", "content_type", "read"),
    [
        ("json", "application/sparql-results+json", _json),
        ("xml", "application/sparql-results+xml", _xml),
        ("csv", "text/csv; charset=utf-8; header=present", _csv),
    ],
)
def test_tables_say_the_same_in_every_form(
    client: FlaskClient, suffix: str, content_type: str, read: Callable[[bytes], list[dict[str, str]]]
) -> None:
    """By Accept and by ?format=, read by another reader than ours, with tabs, quotes, lines, gaps and languages."""
    by_name = client.get("/sparql?" + urlencode({"query": ROWS, "format": suffix}))
    by_header = client.get("/sparql?" + urlencode({"query": ROWS}), headers={"Accept": content_type})
    assert by_name.headers["Content-Type"] == by_header.headers["Content-Type"] == content_type
    assert by_name.data == by_header.data
    assert read(by_name.data) == [
        {"thing": "https://example.org/é", "value": 'tab\tline\nquote"comma,'},
        {"thing": "https://example.org/b", "value": "grüezi"},
        {"value": "12.5"},
        {"thing": "https://example.org/c", "value": "true"},
        {"thing": "https://example.org/d", "value": "2026-01-01"},
    ]


def test_tsv_keeps_the_terms(client: FlaskClient) -> None:
    """TSV has RDF terms, with their language and type."""
    answer = client.get("/sparql?" + urlencode({"query": ROWS}), headers={"Accept": "text/tab-separated-values"})
    assert answer.headers["Content-Type"] == "text/tab-separated-values; charset=utf-8"
    head, *rows = answer.text.splitlines()
    assert head == "?thing\t?value"
    assert '"grüezi"@de' in rows[1]
    assert rows[2] == "\t12.5"


@pytest.mark.parametrize(
    ("suffix", "content_type", "says"),
    [
        ("json", "application/sparql-results+json", '"boolean":true'),
        ("xml", "application/sparql-results+xml", "<boolean>true</boolean>"),
        ("csv", "text/csv; charset=utf-8; header=absent", "true"),
        ("tsv", "text/tab-separated-values; charset=utf-8", "true"),
    ],
)
def test_a_verdict_has_all_forms_too(client: FlaskClient, suffix: str, content_type: str, says: str) -> None:
    """ASK in JSON and XML by the standard, in CSV and TSV as a bare word without a line of names."""
    answer = client.get("/sparql?" + urlencode({"query": "ASK { ?s ?p ?o }", "format": suffix}))
    assert answer.headers["Content-Type"] == content_type
    assert says in answer.text


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # within rdflib's own reader of JSON-LD
@pytest.mark.parametrize("form", [*GRAPHS, *QUADS], ids=lambda form: form.suffix)
def test_graphs_are_the_same_in_every_form(client: FlaskClient, village: Store, form: Format) -> None:
    """Each form, read by rdflib, holds the same graph as the N-Triples of the store."""
    suffix, media_type = form.suffix, form.media_type
    answer = client.get("/sparql?" + urlencode({"query": GRAPH}), headers={"Accept": media_type})
    assert answer.content_type.startswith(media_type)
    again = convert(answer.data, suffix, "nt")
    assert canonical_hash(again) == canonical_hash(village.construct(GRAPH))
    reader = {"rdf": "xml", "jsonld": "json-ld", "trig": "turtle", "nq": "nt"}.get(suffix, suffix)
    read = rdflib.Graph().parse(data=answer.data, format=reader)
    assert isomorphic(read, rdflib.Graph().parse(data=village.construct(GRAPH), format="nt"))


def test_a_form_that_a_query_cannot_have_is_406(client: FlaskClient) -> None:
    """A table is no Turtle and a graph no CSV; the answer lists what there is, readable also for a client of RDF."""
    for query, accept, offers in (
        ("SELECT * { ?s ?p ?o } LIMIT 1", "text/turtle", "text/csv"),
        ("CONSTRUCT WHERE { ?s ?p ?o } LIMIT 1", "text/csv", "text/turtle"),
    ):
        answer = client.get("/sparql?" + urlencode({"query": query}), headers={"Accept": accept})
        assert answer.status_code == 406
        assert answer.content_type == "application/problem+json"
        assert offers in answer.get_json()["detail"]


def test_a_browser_gets_the_page_and_a_download_its_file(client: FlaskClient) -> None:
    """HTML first in the header, or ?format=html; a download has a name and can run nothing."""
    query = {"query": "SELECT (1 AS ?one) {}"}
    page = client.get("/sparql?" + urlencode(query), headers={"Accept": BROWSER})
    assert page.mimetype == "text/html"
    assert "1 row" in page.text
    assert client.get("/sparql?" + urlencode(query | {"format": "html"})).mimetype == "text/html"
    file = client.get("/sparql?" + urlencode(query | {"format": "xml"}), headers={"Accept": BROWSER})
    assert file.headers["Content-Disposition"] == 'attachment; filename="answer.xml"'
    assert "sandbox" in file.headers["Content-Security-Policy"]
    assert file.headers["X-Content-Type-Options"] == "nosniff"
