"""The pages as a client without JavaScript sees them: tables say it all, data twins agree, nothing unsafe leaves."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from graphkit.assembly import assemble_shipped
from graphkit.store import Store, open_store
from graphkit.terms import ID
from webui import create_app
from webui.settings import Settings

PAGES = (
    "/",
    "/network",
    "/network?network=networks/membership",
    "/gaps",
    "/gaps?kind=C1&find=procurement",
    "/commitments",
    "/sparql",
    "/queries",
    "/queries/explore/organisations",
    "/queries/build/types",
    "/search?q=credit",
    "/doc/organisation/social-enterprise-link",
    "/doc/commitment/rome-2-1",
    "/vocabulary/kind/credit-union.html",
    "/vocabulary/kind",
    "/vocabulary",
    "/ns",
    "/ns/Activity",
    "/versions",
    "/versions/1",
)


@pytest.fixture(scope="module")
def seed() -> Iterator[Store]:
    """Put the shipped graph together."""
    store = assemble_shipped()
    yield store
    store.close()


@pytest.fixture(scope="module")
def client(seed: Store) -> FlaskClient:
    """Open the pages over the shipped graph, as a browser does."""
    opened = create_app(seed, Settings(today=date(2026, 1, 1), query_seconds=2, rows_shown=20)).test_client()
    opened.environ_base["HTTP_ACCEPT"] = "text/html,application/xhtml+xml,*/*;q=0.8"
    return opened


@pytest.mark.parametrize("address", PAGES)
def test_every_page_is_whole_and_safe(client: FlaskClient, address: str) -> None:
    """200, one h1, a title, and neither script nor style nor handler inside the HTML."""
    answer = client.get(address)
    assert answer.status_code == 200
    html = answer.text
    assert html.count("<h1") == 1
    assert "<title>" in html
    assert not re.search(r"<script(?![^>]*\ssrc=)(?! type=\"application/ld\+json\")", html)
    assert "<style" not in html
    assert not re.search(r"\sstyle=|\son[a-z]+=", html)
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def _links(html: str) -> set[str]:
    found = re.findall(r'href="(/[^"]*)"', html)
    return {
        address.replace("&amp;", "&")
        for address in found
        if not address.startswith("/static/") and "lang=" not in address
    }


def test_every_link_of_the_main_pages_leads_somewhere(client: FlaskClient) -> None:
    """No link of the first pages is dead, downloads included; each kind of page is tried a few times."""
    pages = ("/", "/gaps", "/commitments", "/network", "/queries", "/doc/organisation/social-enterprise-link")
    tried: Counter[str] = Counter()
    for address in sorted({link for page in pages for link in _links(client.get(page).text)}):
        kind = "/".join(address.split("?")[0].split("/")[:3])
        tried[kind] += 1
        if tried[kind] <= 12:
            assert client.get(address).status_code in {200, 302}, address
    assert sum(tried.values()) > 100


def test_headline_numbers_lead_to_what_they_count(client: FlaskClient) -> None:
    """The number of commitments is the number of rows behind it."""
    html = client.get("/").text
    number = re.search(r'href="(/queries/policy/commitments)"><strong>(\d+)</strong> commitments', html)
    assert number
    rows = csv.DictReader(io.StringIO(client.get(f"{number[1]}.csv").text))
    assert len({row["commitment"] for row in rows}) == int(number[2])


def test_the_page_of_an_organisation_says_what_with_whom_and_from_where(client: FlaskClient) -> None:
    """Facts, partners with activities, gaps, and the lines of the text."""
    html = client.get("/doc/organisation/social-enterprise-link").text
    assert "Community interest company" in html
    assert "Works with" in html
    assert "An Alternative Economy is Possible" in html
    assert "Fragile point" in html
    assert re.search(r"lines? \d", html)


def test_gaps_come_as_page_json_and_csv(client: FlaskClient) -> None:
    """The three hold the same gaps."""
    gaps = client.get("/gaps.json").get_json()
    rows = list(csv.DictReader(io.StringIO(client.get("/gaps.csv").text)))
    assert len(gaps) == len(rows)
    assert client.get("/gaps").text.count(" data-gap=") == len(gaps)


def test_a_stored_query_takes_values_and_tells_what_is_wrong(client: FlaskClient) -> None:
    """A value narrows the rows; an unknown query is 404 with the near names, a bad value 400."""
    everybody = client.get("/queries/explore/organisations.json").get_json()
    some = client.get("/queries/explore/organisations.json?kind=kind/nothing").get_json()
    assert len(some) < len(everybody)
    missing = client.get("/queries/explore/organisation-s", headers={"Accept": "application/json"})
    assert missing.status_code == 404
    assert "explore/organisations" in missing.get_json()["next"]
    bad = client.get("/queries/explore/organisations?kind=not an iri")
    assert bad.status_code == 400


def test_sparql_shows_a_table_and_gives_the_same_as_files(client: FlaskClient) -> None:
    """SELECT as table, CSV and JSON; ASK as a word; CONSTRUCT as Turtle."""
    text = "SELECT ?c WHERE { ?c a <https://w3id.org/solidarity-graph/ns#Commitment> } ORDER BY ?c"
    page = client.get("/sparql?" + urlencode({"query": text}))
    assert "9 rows" in page.text
    as_csv = client.get("/sparql?" + urlencode({"query": text, "format": "csv"}))
    assert len(as_csv.text.split()) == 10
    as_json = json.loads(client.get("/sparql?" + urlencode({"query": text, "format": "json"})).data)
    assert len(as_json["results"]["bindings"]) == 9
    assert ">Yes<" in client.get("/sparql?" + urlencode({"query": "ASK { ?s ?p ?o }"})).text
    turtle = client.get("/sparql?" + urlencode({"query": "CONSTRUCT { <urn:a> <urn:b> 1 } WHERE {}"}))
    assert "urn:a" in turtle.text


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("SELECT ?x WHERE {", 400, "not closed"),
        ("DELETE WHERE { ?s ?p ?o }", 400, "quer"),
        ("SELECT * WHERE { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }", 400, "SERVICE"),
        ("SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }", 504, "second"),
        ("SELECT ?x WHERE {" + "{" * 5000 + "}" * 5000 + "}", 400, "deep"),
    ],
)
def test_sparql_refuses_with_a_reason_and_stays_up(client: FlaskClient, text: str, code: int, says: str) -> None:
    """Bad, foreign, runaway and hostile queries end in 400 or 504 with words; the next page works."""
    answer = client.get("/sparql?" + urlencode({"query": text}))
    assert answer.status_code == code
    note = re.search(r'<div class="note fault">(.*?)</div>', answer.text, re.DOTALL)
    assert note
    assert says in note[1]
    assert client.get("/health").status_code == 200


def test_what_is_shown_is_escaped(client: FlaskClient) -> None:
    """A script in a query or a search is text and nothing else."""
    hostile = "<script>alert(1)</script>"
    for address in (
        "/search?" + urlencode({"q": hostile}),
        "/sparql?" + urlencode({"query": f'SELECT ("{hostile}" AS ?x) WHERE {{}}'}),
        "/sparql?" + urlencode({"query": hostile}),
        "/gaps?" + urlencode({"find": hostile}),
        "/network?" + urlencode({"find": hostile, "kind": hostile}),
    ):
        assert hostile not in client.get(address).text
    answer = client.get("/sparql?" + urlencode({"query": 'SELECT (IRI("javascript:alert(1)") AS ?x) WHERE {}'}))
    assert 'href="javascript:' not in answer.text


def test_what_is_not_there_is_404_with_a_way_on(client: FlaskClient) -> None:
    """An unknown thing, page and format."""
    for address in ("/doc/organisation/nobody", "/nowhere", "/gaps.xlsx"):
        answer = client.get(address)
        assert answer.status_code == 404
        assert "first page" in answer.text


def test_search_suggests_by_any_name(client: FlaskClient) -> None:
    """The search box gets name, kind and address; an empty text gets nothing."""
    hits = client.get("/api/search?q=credit union").get_json()
    assert hits
    assert {"iri", "label", "kind", "href"} <= hits[0].keys()
    assert client.get("/api/search?q=").get_json() == []


def test_health_tells_the_version(client: FlaskClient, seed: Store) -> None:
    """For scripts and monitors."""
    assert seed.version is not None
    assert client.get("/health").get_json() == {
        "status": "ok",
        "version": seed.version.number,
        "hash": seed.version.hash,
    }


def test_an_empty_graph_has_pages_too() -> None:
    """No data is no error: every list says that it is empty."""
    empty = create_app(open_store(), Settings(today=date(2026, 1, 1))).test_client()
    for address in ("/", "/network", "/gaps", "/commitments", "/queries/explore/organisations"):
        assert empty.get(address).status_code == 200, address


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("place/wessex", '<option value="place/wessex" selected>Wessex'),
        (f"{ID}place/wessex", '<option value="place/wessex" selected>Wessex'),
        ("place/atlantis", '<option value="place/atlantis" selected>place/atlantis</option>'),
    ],
)
def test_a_form_shows_what_was_chosen(client: FlaskClient, asked: str, shown: str) -> None:
    """Also where the address spells the region out, or names one that is not among the choices."""
    page = client.get("/organisations", query_string={"region": asked}).text
    assert shown in page
    assert page.count(" selected>") == 1
