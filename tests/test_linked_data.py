"""Linked data: an IRI leads to a document, in every format the same, about every version, and errors say the way on."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
import rdflib
from flask.testing import FlaskClient
from rdflib.compare import isomorphic, to_isomorphic
from werkzeug.http import http_date

from graphkit import ontology, queries
from graphkit.store import Store, open_store
from graphkit.terms import ID, PREFIXES, SOL, graph_iri
from tests.village_fixture import village_store
from webui import create_app
from webui.linked.describing import PAGE
from webui.linked.writing import write
from webui.links import names_of
from webui.settings import Settings

pytestmark = [
    pytest.mark.filterwarnings(f"ignore:{name}:DeprecationWarning") for name in ("ConjunctiveGraph", "Dataset")
]  # rdflib's own readers of quads and JSON-LD use what rdflib means to drop

FORMATS = {
    "ttl": ("text/turtle", "turtle"),
    "nt": ("application/n-triples", "nt"),
    "rdf": ("application/rdf+xml", "xml"),
    "jsonld": ("application/ld+json", "json-ld"),
    "trig": ("application/trig", "trig"),
    "nq": ("application/n-quads", "nquads"),
}
BAKERY = "/doc/organisation/bakery"
_HUB = 1_300
_HOSTILE = '</script><script>alert("x")</script>'
_MORE = f"""
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix org: <http://www.w3.org/ns/org#> .
@prefix schema: <https://schema.org/> .
@prefix prov: <http://www.w3.org/ns/prov#> .
<{ID}organisation/hostile> a org:Organization ; rdfs:label '{_HOSTILE}'@en ;
    foaf:homepage <javascript:alert(1)> ;
    rdfs:comment '<img src=x onerror=alert(1)>'@en , 'Deux mots'@fr , "quotes \\" and \\\\ and \\t tab \\n line"@en ;
    schema:amount 1200.50 ; schema:size 12 ; schema:height 1.5e3 ; schema:flag true ;
    schema:address [ schema:streetAddress "1 Mill Lane" ; schema:geo [ schema:latitude 50.5 ] ] ;
    schema:steps ( "one" "two" "three" "four" "five" ) .
<{ID}place/hub> a <{SOL}Region> ; rdfs:label "Hub"@en .
"""


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    """Put the village together, then add things that are hostile or have very many ties, then remove one."""
    found = village_store()
    many = "".join(
        f"<{ID}organisation/n{i:05}> <{PREFIXES['prov']}atLocation> <{ID}place/hub> .\n"
        f'<{ID}organisation/n{i:05}> <{PREFIXES["rdfs"]}label> "Number {i}"@en .\n'
        for i in range(_HUB)
    )
    with found.change("a thing that will go") as change:
        change.load(f'<{ID}place/gone> <{PREFIXES["rdfs"]}label> "Gone"@en .\n'.encode(),
                    media_type="nt", graph=graph_iri("gone"))  # fmt: skip
        change.load(_MORE.encode(), media_type="ttl", graph=graph_iri("more"))
        change.load(many.encode(), media_type="nt", graph=graph_iri("more"))
    with found.change("it is gone") as change:
        change.clear(graph_iri("gone"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def client(store: Store) -> FlaskClient:
    """Open the service over the village and more."""
    return create_app(store, Settings(today=date(2024, 1, 1))).test_client()


# ---- From a thing to its document ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "suffix"),
    [
        ("", ""),
        ("*/*", ""),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", ""),
        ("text/turtle", ".ttl"),
        ("text/turtle; charset=utf-8", ".ttl"),
        ('application/ld+json; profile="http://www.w3.org/ns/json-ld#compacted"', ".jsonld"),
        ("application/json", ".jsonld"),
        ("text/html;q=0.5, application/rdf+xml;q=0.9", ".rdf"),
        ("application/trig, text/turtle;q=0.9", ".trig"),
        ("application/n-quads", ".nq"),
        ("text/turtle;q=0, application/n-triples", ".nt"),
    ],
)
def test_a_thing_leads_to_the_document_that_suits(client: FlaskClient, accept: str, suffix: str) -> None:
    """303 to the page or to the suffix of the best format; the answer varies by Accept."""
    answer = client.get("/id/organisation/bakery", headers={"Accept": accept} if accept else {})
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"{BAKERY}{suffix}"
    assert "Accept" in answer.headers["Vary"]


def test_the_search_of_an_address_goes_with_it(client: FlaskClient, store: Store) -> None:
    """The version that was asked for is asked of the document too."""
    number = store.versions()[-2].number
    answer = client.get(f"/id/place/gone?version={number}", headers={"Accept": "text/turtle"})
    assert answer.headers["Location"] == f"/doc/place/gone.ttl?version={number}"
    assert "Gone" in client.get(answer.headers["Location"]).text


def test_what_cannot_be_given_is_406_with_the_list(client: FlaskClient) -> None:
    """An image is not there; the answer says what is."""
    for address in ("/id/organisation/bakery", BAKERY):
        answer = client.get(address, headers={"Accept": "image/png"})
        assert answer.status_code == 406
        assert "text/turtle" in answer.get_json()["detail"]


def test_a_suffix_wins_over_accept(client: FlaskClient) -> None:
    """The address of one format gives that, whatever the client says."""
    for suffix, (media, _) in FORMATS.items():
        answer = client.get(f"{BAKERY}.{suffix}", headers={"Accept": "text/html, image/png"})
        assert (answer.status_code, answer.mimetype) == (200, media)
    assert client.get(f"{BAKERY}.html", headers={"Accept": "text/turtle"}).mimetype == "text/html"


# ---- The document --------------------------------------------------------------------------------------


def _graph(data: bytes, form: str) -> rdflib.Graph:
    dataset = rdflib.Dataset(default_union=True)
    dataset.parse(data=data.decode(), format=form)
    found = rdflib.Graph()
    for triple in dataset.triples((None, None, None)):
        found.add(triple)
    return found


@pytest.mark.parametrize("path", ["organisation/bakery", "commitment/valley-1", "place/upton", "organisation/hostile"])
@pytest.mark.parametrize("search", ["", "?provenance=1"])
def test_every_format_says_the_same(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, path: str, search: str
) -> None:
    """The six formats hold the same triples, spelling of literals included."""
    monkeypatch.setattr(rdflib, "NORMALIZE_LITERALS", False)
    graphs = {
        suffix: to_isomorphic(_graph(client.get(f"/doc/{path}.{suffix}{search}").data, form))
        for suffix, (_, form) in FORMATS.items()
    }
    assert len(graphs["nt"]) > 10
    for suffix, graph in graphs.items():
        assert isomorphic(graph, graphs["nt"]), suffix


def test_a_document_describes_its_thing_from_both_ends(client: FlaskClient) -> None:
    """What is said of it, what points to it, the nodes that join it to others, and the names of all of these."""
    graph = _graph(client.get(f"{BAKERY}.ttl").data, "turtle")
    bakery = rdflib.URIRef(f"{ID}organisation/bakery")
    taking_part = rdflib.URIRef(f"{ID}participation/bread-project-bakery")
    assert (bakery, rdflib.RDF.type, None) in graph
    assert (taking_part, rdflib.URIRef(SOL + "participant"), bakery) in graph
    assert (taking_part, rdflib.URIRef(PREFIXES["m8g"] + "role"), None) in graph
    project = rdflib.URIRef(f"{ID}activity/bread-project")
    assert graph.value(project, rdflib.RDFS.label) == rdflib.Literal("Bread Project", lang="en")
    document = rdflib.URIRef(f"http://localhost{BAKERY}")
    assert graph.value(document, rdflib.FOAF.primaryTopic) == bakery
    assert (document, rdflib.PROV.wasDerivedFrom, rdflib.URIRef(graph_iri("village"))) in graph
    assert str(graph.value(document, rdflib.DCTERMS.license)) == "https://creativecommons.org/licenses/by/4.0/"


def test_formats_with_graphs_keep_them(client: FlaskClient) -> None:
    """In TriG and N-Quads each statement stands in the graph that it comes from."""
    lines = client.get(f"{BAKERY}.nq").text.splitlines()
    label = next(line for line in lines if f"<{ID}organisation/bakery> <{PREFIXES['rdfs']}label>" in line)
    assert label.endswith(f"<{graph_iri('village')}> .")
    assert any(line.endswith(f"<{graph_iri('inferred')}> .") for line in lines)
    assert f"<{graph_iri('village')}> {{" in client.get(f"{BAKERY}.trig").text.replace(
        "graph:village", f"<{graph_iri('village')}>"
    )


def test_blank_nodes_come_with_their_thing(client: FlaskClient) -> None:
    """What stands in blank nodes, a list of five included, is in the document."""
    graph = _graph(client.get("/doc/organisation/hostile.ttl").data, "turtle")
    sdo = rdflib.Namespace(PREFIXES["schema"])
    hostile = rdflib.URIRef(f"{ID}organisation/hostile")
    address = graph.value(hostile, sdo.address)
    assert str(graph.value(address, sdo.streetAddress)) == "1 Mill Lane"
    assert graph.value(graph.value(address, sdo.geo), sdo.latitude) is not None
    steps = graph.value(hostile, sdo.steps)
    assert steps is not None
    assert [str(each) for each in graph.items(steps)] == ["one", "two", "three", "four", "five"]


def test_json_ld_uses_the_shipped_names_and_fetches_nothing(client: FlaskClient) -> None:
    """The context stands in the document, with short names; none of it is an address of a context."""
    document = json.loads(client.get(f"{BAKERY}.jsonld").data)
    assert isinstance(document["@context"], dict)
    node = next(each for each in document["@graph"] if each["@id"] == f"{ID}organisation/bakery")
    assert node["label"] == "Bakery"
    assert "Organization" in node["@type"]


def test_a_hub_is_given_in_pages(client: FlaskClient) -> None:
    """Pages of statements that point to it, each once, joined by links; the page after the last has none."""
    found: list[str] = []
    address = "/doc/place/hub.nt"
    for _ in range(10):
        answer = client.get(address)
        found += [line for line in answer.text.splitlines() if f"atLocation> <{ID}place/hub>" in line]
        following = re.search(r'<([^>]*)>; rel="next"', answer.headers.get_all("Link").__str__())
        if not following:
            break
        address = following[1]
    assert len(found) == len(set(found)) == _HUB
    assert address == f"/doc/place/hub.nt?page={-(-_HUB // PAGE)}"
    assert client.get("/doc/place/hub.nt?page=0").status_code == 400


def test_the_page_of_a_hub_leads_to_the_others(client: FlaskClient) -> None:
    """The page shows the first of many and says how many there are; their list can be leafed through."""
    html = client.get("/doc/place/hub").text
    more = re.search(r'<a href="(/values[^"]*)">All ([\d,]+) of them</a>', html)
    assert more
    assert more[2] == f"{_HUB:,}"
    address, seen = more[1].replace("&amp;", "&"), list[str]()
    while address:
        page = client.get(address).text
        seen += re.findall(r"<li><a[^>]*>(Number \d+)</a>", page)
        later = re.search(r'rel="next" href="([^"]*)"', page)
        address = later[1].replace("&amp;", "&") if later else ""
    assert len(seen) == len(set(seen)) == _HUB
    assert client.get(more[1].replace("&amp;", "&") + "&page=99").status_code == 404


# ---- Headers -------------------------------------------------------------------------------------------


def test_a_document_links_its_other_forms(client: FlaskClient) -> None:
    """Alternates of every format, the thing, the licence, and where this and the newest version are."""
    answer = client.get(BAKERY, headers={"Accept": "text/turtle"})
    links = ", ".join(answer.headers.get_all("Link"))
    for suffix, (media, _) in FORMATS.items():
        if suffix != "ttl":
            assert f'<{BAKERY}.{suffix}>; rel="alternate"; type="{media}"' in links
    assert f'<{ID}organisation/bakery>; rel="describes"' in links
    assert 'rel="license"' in links
    assert f'<{BAKERY}>; rel="canonical"' in links
    assert answer.headers["Content-Location"] == f"{BAKERY}.ttl"


def test_a_client_that_holds_the_document_gets_304(client: FlaskClient) -> None:
    """By entity tag and by date; another format and another version have another tag."""
    first = client.get(f"{BAKERY}.ttl")
    assert first.headers["Last-Modified"]
    held = client.get(f"{BAKERY}.ttl", headers={"If-None-Match": first.headers["ETag"]})
    assert (held.status_code, held.data) == (304, b"")
    since = client.get(f"{BAKERY}.ttl", headers={"If-Modified-Since": first.headers["Last-Modified"]})
    assert since.status_code == 304
    tags = {client.get(address).headers["ETag"] for address in (f"{BAKERY}.ttl", f"{BAKERY}.nt", BAKERY)}
    assert len(tags) == 3
    tag = client.get("/ns.ttl").headers["ETag"]
    assert client.get("/ns.ttl", headers={"If-None-Match": tag}).status_code == 304


def test_head_is_get_without_a_body(client: FlaskClient) -> None:
    """Same status and headers."""
    for address in ("/id/organisation/bakery", f"{BAKERY}.ttl", BAKERY, "/ns", "/vocabulary/kind", "/versions"):
        get, head = client.get(address), client.head(address)
        assert (head.status_code, head.data) == (get.status_code, b"")
        assert head.headers.get("ETag") == get.headers.get("ETag")
        assert head.mimetype == get.mimetype


def test_other_sites_may_read(client: FlaskClient) -> None:
    """Answers and errors carry the header; OPTIONS allows reading and nothing else."""
    for address in (
        "/id/organisation/bakery",
        BAKERY,
        f"{BAKERY}.jsonld",
        "/doc/organisation/nobody",
        "/ns",
        "/versions.json",
    ):
        assert client.get(address).headers["Access-Control-Allow-Origin"] == "*"
    asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "GET"}
    answer = client.options(f"{BAKERY}.ttl", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    assert client.post(BAKERY).status_code == 405


# ---- Versions ------------------------------------------------------------------------------------------


def test_what_is_gone_is_410_and_leads_to_the_version_that_had_it(client: FlaskClient, store: Store) -> None:
    """The newest version does not know it, the one before did."""
    number = store.versions()[-2].number
    for address in ("/id/place/gone", "/doc/place/gone.ttl"):
        answer = client.get(address, headers={"Accept": "application/json"})
        assert answer.status_code == 410
        assert f"?version={number}" in answer.get_json()["next"]
    page = client.get("/doc/place/gone")
    assert page.status_code == 410
    assert f'href="/doc/place/gone?version={number}"' in page.text
    old = client.get(f"/doc/place/gone?version={number}")
    assert old.status_code == 200
    assert f"This is version {number}" in old.text


def test_a_document_of_a_version_is_fixed(client: FlaskClient, store: Store) -> None:
    """It names its version and its time, and may be kept for ever; an unknown version is 404, a word 400."""
    version = store.versions()[-2]
    answer = client.get(f"/doc/place/gone.nt?version={version.number}")
    assert answer.headers["Graphkit-Version"] == str(version.number)
    assert answer.headers["Memento-Datetime"] == http_date(version.time)
    assert "immutable" in answer.headers["Cache-Control"]
    assert client.get("/doc/place/gone.nt?version=9999").status_code == 404
    assert client.get(f"{BAKERY}?version=new").status_code == 400


def test_a_time_asks_for_the_version_of_that_time(client: FlaskClient, store: Store) -> None:
    """Accept-Datetime gives the version that was the newest then; before the first it gives the first."""
    first = store.versions()[0]
    early = http_date(first.time - timedelta(days=1))
    answer = client.get(f"{BAKERY}.nt", headers={"Accept-Datetime": early})
    assert answer.headers["Graphkit-Version"] == str(first.number)
    assert "Accept-Datetime" in answer.headers["Vary"]
    assert client.get(f"{BAKERY}.nt", headers={"Accept-Datetime": "yesterday"}).status_code == 400


def test_versions_are_listed_compared_and_given_whole(client: FlaskClient, store: Store) -> None:
    """As page, JSON and RDF; the content of an old version is exactly what was committed."""
    kept = store.versions()
    assert [row["number"] for row in client.get("/versions.json").get_json()] == [each.number for each in kept]
    graph = rdflib.Graph().parse(data=client.get("/versions.ttl").data, format="turtle")
    assert len(set(graph.subjects(rdflib.RDF.type, rdflib.PROV.Entity))) == len(kept)
    html = client.get(f"/versions/{kept[-1].number}").text
    assert "Removed: 1" in html
    assert kept[-1].hash[:16] in html
    for version in kept:
        data = client.get(f"/versions/{version.number}.nq").data
        assert data.count(b"\n") == version.quads
        assert hashlib.sha256(data).hexdigest() == version.hash
    assert client.get("/data.nq").data == data
    assert client.get("/versions/9999").status_code == 404


# ---- Errors and hostile things -------------------------------------------------------------------------


def test_what_nobody_knows_is_404_with_what_is_near(client: FlaskClient) -> None:
    """A word spelled wrong leads to the right one; an address that is no IRI is just not known."""
    answer = client.get("/doc/organisation/bakary", headers={"Accept": "application/json"})
    assert answer.status_code == 404
    assert "Bakery" in answer.get_json()["next"]
    page = client.get("/doc/organisation/bakary")
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert f'href="{BAKERY}">Bakery</a>' in page.text
    for path in ("/id/organisation/a b", "/id/x%3Cy%3E", "/doc/%22%7D", "/doc/organisation/bakery.exe"):
        assert client.get(path).status_code == 404, path


def test_nothing_hostile_leaves_a_page(client: FlaskClient) -> None:
    """A label cannot end the data block, a javascript: IRI is no link, markup is text."""
    html = client.get("/doc/organisation/hostile").text
    assert _HOSTILE not in html
    assert "<img src=x" not in html
    assert 'href="javascript:' not in html
    block = re.search(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    assert block
    assert "<" not in block[1]
    assert json.loads(block[1])["name"] == _HOSTILE


@pytest.mark.parametrize(
    ("path", "type_"),
    [
        ("/doc/organisation/bakery", "Organization"),
        ("/doc/activity/market-day", "Event"),
        ("/doc/place/upton", "Place"),
        ("/doc/grant/foundation-bakery-2021", "MonetaryGrant"),
        ("/doc/policy/valley-charter", "Legislation"),
        ("/doc/source/village", "Dataset"),
        ("/vocabulary/kind/cooperative.html", "DefinedTerm"),
        ("/ns/Activity", "DefinedTerm"),
    ],
)
def test_search_engines_are_told_what_a_page_is_about(client: FlaskClient, path: str, type_: str) -> None:
    """The data block is JSON with the type and the name that schema.org has for it."""
    block = re.search(r'<script type="application/ld\+json">(.*?)</script>', client.get(path).text, re.DOTALL)
    assert block
    data = json.loads(block[1])
    assert (data["@type"], data["@context"]) == (type_, "https://schema.org")
    assert data["name"]


# ---- Ontology and vocabularies -------------------------------------------------------------------------


def test_every_term_has_its_anchor_and_its_document(client: FlaskClient) -> None:
    """The IRI of a term ends on a place of the page /ns; its own document says the same as the ontology."""
    html = client.get("/ns").text
    terms = ontology.terms()
    for row in terms.iter_rows(named=True):
        name = row["term"].removeprefix(SOL)
        assert html.count(f'id="{name}"') == 1, name
    for name in ("Activity", "participant", "memberCount"):
        page = client.get(f"/ns/{name}")
        assert page.status_code == 200
        graph = rdflib.Graph().parse(data=client.get(f"/ns/{name}.ttl").data, format="turtle")
        assert (rdflib.URIRef(SOL + name), rdflib.RDFS.label, None) in graph
    missing = client.get("/ns/Activty", headers={"Accept": "application/json"})
    assert missing.status_code == 404
    assert "Activity" in missing.get_json()["next"]


def test_the_whole_ontology_comes_in_every_format(client: FlaskClient) -> None:
    """By Accept and by suffix the same triples; all terms are in it; modules come by themselves."""
    graphs = {
        suffix: rdflib.Graph().parse(data=client.get(f"/ns.{suffix}").data, format=form)
        for suffix, (_, form) in FORMATS.items()
        if suffix in {"ttl", "nt", "rdf", "jsonld"}
    }
    assert len({frozenset(graph) for graph in graphs.values()}) == 1
    defined = {str(each) for each in graphs["ttl"].subjects(rdflib.SKOS.definition)}
    assert set(ontology.terms()["term"]) <= defined
    by_accept = client.get("/ns", headers={"Accept": "application/rdf+xml"})
    assert by_accept.mimetype == "application/rdf+xml"
    assert client.get("/ns/agents", headers={"Accept": "text/turtle"}).mimetype == "text/turtle"
    assert client.get("/ns/agents").headers["Location"] == "/ns#module-agents"
    assert client.get("/ns/0.1.0").headers["Location"] == "/ns"


def test_a_term_says_how_often_it_is_used(client: FlaskClient, store: Store) -> None:
    """The number is that of the query it links to."""
    number = queries.run(store, "explore/usage", term="sol:Activity")["things"][0]
    assert f"The graph has {number} things of this class.</a>" in client.get("/ns/Activity").text


def test_every_concept_and_vocabulary_dereferences(client: FlaskClient) -> None:
    """Concepts lead to their documents (303), vocabularies are documents, pages list what the RDF holds."""
    concepts = ontology.concepts()
    for scheme in concepts["scheme"].unique():
        own = concepts.filter(concepts["scheme"] == scheme)
        html = client.get(f"/vocabulary/{scheme}").text
        graph = rdflib.Graph().parse(data=client.get(f"/vocabulary/{scheme}.ttl").data, format="turtle")
        for iri in own["concept"]:
            assert f'id="{iri.rpartition("/")[2]}"' in html
            assert (rdflib.URIRef(iri), rdflib.SKOS.definition, None) in graph
    answer = client.get("/vocabulary/kind/cooperative", headers={"Accept": "text/turtle"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/vocabulary/kind/cooperative.ttl")
    graph = rdflib.Graph().parse(data=client.get(answer.headers["Location"]).data, format="turtle")
    assert (rdflib.URIRef(PREFIXES["voc"] + "kind/cooperative"), rdflib.SKOS.prefLabel, None) in graph
    assert client.get("/vocabulary/kind/nothing").status_code == 404
    assert client.get("/vocabulary/nothing").status_code == 404
    old = client.get("/concept?iri=https://w3id.org/solidarity-graph/vocabulary/kind/cooperative")
    assert old.headers["Location"] == "/vocabulary/kind/cooperative.html"
    assert client.get("/concept?iri=https://example.org/").status_code == 404


def test_the_graph_of_a_source_has_a_page_for_people(client: FlaskClient) -> None:
    """Browsers get the page with licence and count, programs the graph."""
    page = client.get("/graph/village", headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.mimetype == "text/html"
    assert "The valley&#39;s chronicle" in page.text
    assert "creativecommons.org" in page.text
    assert client.get("/graph/village", headers={"Accept": "text/turtle"}).mimetype == "text/turtle"
    assert client.get("/graph/nowhere", headers={"Accept": "text/html"}).status_code == 404


def test_a_graph_without_versions_has_documents_too() -> None:
    """Nothing was committed: a thing is not known, lists are empty, nothing fails."""
    empty = create_app(open_store(), Settings(today=date(2024, 1, 1))).test_client()
    assert empty.get("/id/organisation/bakery").status_code == 404
    assert empty.get("/versions").status_code == 200
    assert empty.get("/versions.json").get_json() == []
    assert empty.get("/data.nq").status_code == 404
    assert empty.get("/vocabulary").status_code == 200
    assert write((), "ttl") == b"" or b"@prefix" in write((), "ttl")


def test_more_names_are_asked_for_than_one_query_holds(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The names of very many things come in parts, and all of them."""
    iris = [row[0] for row in store.select("SELECT DISTINCT ?thing WHERE { ?thing a ?class }").rows()]
    whole = names_of(store, iris)
    asked, run = list[int](), queries.run

    def counted(*which: Any, **values: Any) -> pl.DataFrame:
        asked.append(len(values["thing"]))
        return run(*which, **values)

    monkeypatch.setattr(queries, "run", counted)
    monkeypatch.setattr("webui.links._MOST_CHARACTERS", 1_000)
    assert names_of(store, iris) == whole
    assert len(asked) > 1
    assert sum(asked) == len({iri for iri in iris if iri.startswith(("http://", "https://"))})
