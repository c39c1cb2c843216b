"""The catalogue of stored queries: found by tag and word, asked by form and by program, described in RDF."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from urllib.parse import urlencode

import polars as pl
import pyoxigraph as ox
import pytest
import rdflib
from flask.testing import FlaskClient
from rdflib.namespace import RDF, RDFS, SDO, SH

from graphkit import queries
from graphkit.assembly import assemble_shipped
from graphkit.queries import Query
from graphkit.store import Store, open_store
from graphkit.terms import QUERY
from tests.live import fronted
from webui import create_app
from webui.catalogue.choices import MOST_CHOICES, choices, faults, fields, short_iri
from webui.catalogue.snippets import snippets
from webui.serving.front import Front
from webui.settings import Settings

ORGANISATIONS = "/queries/explore/organisations"
RDF_TYPES = {
    "ttl": "text/turtle",
    "nt": "application/n-triples",
    "rdf": "application/rdf+xml",
    "jsonld": "application/ld+json",
}
LARGE = {"explore/thing": "?thing=organisation/social-enterprise-link"}
HOSTILE = "'; touch /tmp/graphkit-was-here; echo \"$(id)` \\ \n<script>"


@pytest.fixture(scope="module")
def seed() -> Iterator[Store]:
    """Put the shipped graph together."""
    store = assemble_shipped()
    yield store
    store.close()


@pytest.fixture(scope="module")
def client(seed: Store) -> FlaskClient:
    """Open the pages over the shipped graph."""
    return create_app(seed, Settings(today=date(2026, 1, 1), query_seconds=20)).test_client()


@contextmanager
def _served(store: Store) -> Iterator[str]:
    """Serve the pages of a store on this machine, and give their address."""
    app = create_app(store, Settings(today=date(2026, 1, 1), query_seconds=20))
    with fronted(Front(app)) as address:
        yield address


@pytest.fixture(scope="module")
def live(seed: Store) -> Iterator[str]:
    """Serve the shipped graph."""
    with _served(seed) as address:
        yield address


def _triples(data: bytes, suffix: str) -> set[str]:
    """Read a graph without blank nodes by another reader than the one that wrote it."""
    form = ox.RdfFormat.from_extension(suffix)
    assert form is not None
    return {str(quad.triple) for quad in ox.parse(data, format=form)}


# ---- The list ----------------------------------------------------------------------------------


def _listed(page: str) -> list[str]:
    return re.findall(r'href="/queries/([a-z-]+/[a-z-]+)"', page)


def test_the_list_has_every_query_once_by_folder(client: FlaskClient) -> None:
    """All names, each folder as a heading with its number."""
    page = client.get("/queries").text
    known = queries.catalogue()
    assert sorted(_listed(page)) == sorted(known)
    assert f"{len(known)} of {len(known)} queries" in page
    for folder in {name.split("/")[0] for name in known}:
        assert f'id="{folder}"' in page


def test_the_list_can_be_narrowed_by_tag_and_by_words(client: FlaskClient) -> None:
    """A tag shows those that have it, words those that have all of them, and nonsense shows none, with a way on."""
    known = queries.catalogue()
    tagged = {name for name, query in known.items() if "funding" in query.tags}
    assert set(_listed(client.get("/queries?tag=funding").text)) == tagged
    both = _listed(client.get("/queries?find=GRANTS+region").text)
    assert "funding/by-region" in both
    assert len(both) < len(tagged)
    nothing = client.get("/queries?" + urlencode({"find": "<script>alert(1)</script>"})).text
    assert _listed(nothing) == []
    assert "No query has all this" in nothing
    assert "<script>alert" not in nothing


@pytest.mark.parametrize(("suffix", "media"), sorted(RDF_TYPES.items()))
def test_the_list_is_the_same_graph_in_every_format(client: FlaskClient, suffix: str, media: str) -> None:
    """By suffix and by Accept, and read again it is what `as_rdf` says, with the endpoint as target."""
    answer = client.get(f"/queries.{suffix}")
    assert answer.mimetype == media
    assert client.get("/queries", headers={"Accept": media}).data == answer.data
    expected = queries.as_rdf(queries.catalogue(), target="http://localhost/sparql")
    assert _triples(answer.data, suffix) == _triples(expected, "nt")
    again = client.get(f"/queries.{suffix}", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_each_query_in_rdf_is_one_that_other_tools_can_run(client: FlaskClient) -> None:
    """Just one text, a comment with its language, the endpoint, and its parameters with class and default."""
    graph = rdflib.Graph().parse(data=client.get("/queries.ttl").data, format="turtle")
    for name, query in queries.catalogue().items():
        node = rdflib.URIRef(QUERY + name)
        texts = [str(text) for word in (SH.select, SH.ask, SH.construct) for text in graph.objects(node, word)]
        assert texts == [query.text]
        assert (node, RDF.type, SH.SPARQLExecutable) in graph
        assert [comment.language for comment in graph.objects(node, RDFS.comment)] == ["en"]
        assert graph.value(node, SDO.target) == rdflib.URIRef("http://localhost/sparql")
        assert {str(word) for word in graph.objects(node, SDO.keywords)} == set(query.tags)
        parameters = list(graph.objects(node, SH.parameter))
        paths = {str(graph.value(each, SH.path)).rpartition("#")[2] for each in parameters}
        assert paths == {parameter.name for parameter in query.parameters}
    kind = rdflib.URIRef(QUERY + "policy/events-by-eu-bodies#kind")
    assert graph.value(kind, SH["class"]) == rdflib.SKOS.Concept
    assert str(graph.value(kind, SH.defaultValue)).endswith("/kind/eu-body")


def test_the_iri_of_a_query_leads_to_it(client: FlaskClient) -> None:
    """People are sent to its page, programs get its description; links to the IRI stay on this service."""
    people = client.get("/query/funding/by-region")
    assert (people.status_code, people.headers["Location"]) == (303, "/queries/funding/by-region")
    data = client.get("/query/funding/by-region", headers={"Accept": "text/turtle"})
    graph = rdflib.Graph().parse(data=data.data, format="turtle")
    assert set(graph.subjects(RDF.type, SH.SPARQLExecutable)) == {rdflib.URIRef(QUERY + "funding/by-region")}
    assert client.get("/query/funding/by-regions").status_code == 404
    assert 'href="/queries/monitor/' in client.get("/queries/policy/commitments").text


def test_a_describe_query_and_every_type_of_parameter_have_a_description() -> None:
    """Datatypes for literals, several defaults, and a DESCRIBE, for which SHACL has no word."""
    text = (
        "#+ summary: One\n#+ params:\n#+   n: {type: integer, label: N}\n#+   d: {type: date, label: D}\n"
        "#+   t: {type: text, label: T}\nPREFIX x: <urn:x:>\n"
        'DESCRIBE ?n WHERE { VALUES ?n { 1 2 } VALUES ?d { UNDEF } VALUES ?t { "a b"@en x:y } }'
    )
    query = queries.parse_query(text, "mine/one")
    graph = rdflib.Graph().parse(data=queries.as_rdf({"mine/one": query}), format="nt")
    node = rdflib.URIRef(QUERY + "mine/one")
    assert str(graph.value(node, rdflib.URIRef("https://purl.expasy.org/sparql-examples/ontology#describe"))) == text
    defaults = {str(term) for term in graph.objects(rdflib.URIRef(f"{node}#n"), SH.defaultValue)}
    assert defaults == {"1", "2"}
    assert graph.value(rdflib.URIRef(f"{node}#d"), SH.datatype) == rdflib.XSD.date
    assert set(graph.objects(rdflib.URIRef(f"{node}#t"), SH.defaultValue)) == {
        rdflib.Literal("a b", lang="en"),
        rdflib.URIRef("urn:x:y"),
    }


# ---- The form ----------------------------------------------------------------------------------


def test_the_form_offers_the_things_of_a_class_by_their_names(client: FlaskClient) -> None:
    """The vocabulary that is called like the parameter comes first; what is chosen stays so, however it is spelt."""
    full = "https://w3id.org/solidarity-graph/vocabulary/kind/credit-union"
    page = client.get(f"{ORGANISATIONS}?{urlencode({'kind': full})}").text
    select = re.search(r'<select name="kind".*?</select>', page, re.DOTALL)
    assert select
    assert re.search(r'<optgroup label="([^"]*)"', select[0]).group(1) == "Kinds of organisation"  # type: ignore[union-attr]
    assert '<option value="voc:kind/credit-union" selected>Credit union</option>' in select[0]
    assert re.search(r'<option value="">any</option>', select[0])
    assert 'value="place/' in page


def test_each_type_of_parameter_has_its_own_control(seed: Store) -> None:
    """Dates, numbers, yes or no, a list of things, and text for all else; several values make a list of several."""
    header = "".join(
        f"#+   {name}: {{type: {kind}, label: {name}}}\n"
        for name, kind in {"d": "date", "i": "integer", "m": "decimal", "b": "boolean", "t": "text", "x": "iri"}.items()
    )
    blocks = " ".join(f"VALUES ?{name} {{ UNDEF }}" for name in "dimbtx")
    query = queries.parse_query(f"#+ summary: One\n#+ params:\n{header}ASK {{ {blocks} }}", "one")
    found = {each.name: each for each in fields(seed, query, {"b": ["true"]}, {"i": "no number"})}
    assert {name: each.control for name, each in found.items()} == {
        "d": "date",
        "i": "number",
        "m": "number",
        "b": "select",
        "t": "text",
        "x": "text",
    }
    assert [choice.value for choice in found["b"].groups[0].choices if choice.chosen] == ["true"]
    assert found["i"].fault == "no number"
    assert (found["i"].step, found["m"].step) == ("1", "any")


def test_a_default_is_said_in_words(seed: Store) -> None:
    """Where the query has terms of its own, the empty choice names them."""
    found = fields(seed, queries.find("networks/membership"), {}, {})
    assert {each.name: each.untouched for each in found}["role"].startswith("Member, ")


def test_a_class_with_too_many_things_gets_a_text_field() -> None:
    """At the limit a list, beyond it none: the page stays small whatever the graph holds."""
    store, query = open_store(), queries.find("funding/by-region")
    region = "https://w3id.org/solidarity-graph/ns#Region"
    for number in (MOST_CHOICES, 1):
        lines = "".join(f"<urn:{number}:{each}> a <{region}> .\n" for each in range(number))
        with store.change("regions") as change:
            change.load(lines.encode(), media_type="ttl")
        (field,) = fields(store, query, {}, {})
        assert field.control == ("select" if number == MOST_CHOICES else "text")
    assert choices(store, "sol:Region") is None
    assert choices(store, "sol:Commitment") == {}


def test_a_chosen_thing_outside_the_list_stays_chosen(client: FlaskClient) -> None:
    """A shared link to a thing of another class is not lost when the form is sent again."""
    page = client.get(f"{ORGANISATIONS}?kind=kind/nothing").text
    assert '<option value="kind/nothing" selected>kind/nothing</option>' in page


@pytest.mark.parametrize(
    "iri",
    ["https://w3id.org/solidarity-graph/id/place/valley", "urn:x:y", "http://www.w3.org/ns/org#Organization"],
)
def test_the_short_spelling_of_an_iri_means_the_same(iri: str) -> None:
    """What the form writes is read back as the IRI that was meant."""
    query = queries.find("explore/thing")
    assert queries.bind(query, {"thing": short_iri(iri)}) == queries.bind(query, {"thing": iri})


def test_faults_are_found_for_each_parameter() -> None:
    """Two wrong values are two faults; what is right is none."""
    query = queries.find("funding/grants")
    found = faults(query, {"since": ["soon"], "until": ["2024-13-01"], "funder": ["organisation/x"]})
    assert set(found) == {"since", "until"}


# ---- Answers -----------------------------------------------------------------------------------


def test_every_stored_query_has_a_page(client: FlaskClient) -> None:
    """Each answers, with its text, its columns and a way to ask it from a program; rules show what they make."""
    for name, query in queries.catalogue().items():
        page = client.get(f"/queries/{name}{LARGE.get(name, '')}")
        assert page.status_code == 200, name
        text = html.unescape(page.text)
        assert query.summary in text
        assert query.text.strip().splitlines()[-1] in text, name
        assert all(meaning in text for meaning in query.columns.values())
        assert "curl --fail" in text


def test_all_formats_hold_the_same_rows(client: FlaskClient, seed: Store) -> None:
    """CSV, records, TSV, SPARQL JSON and XML and the spreadsheet have the rows of `queries.run`, in its order."""
    frame = queries.run(seed, "explore/organisations", kind="voc:kind/network")
    asked = "?kind=voc:kind/network"
    names = frame["organisation"].to_list()
    assert len(names) > 1
    records = client.get(f"{ORGANISATIONS}.json{asked}").get_json()
    assert [row["organisation"] for row in records] == names
    assert list(records[0]) == frame.columns
    for suffix in ("csv", "spreadsheet"):
        text = client.get(f"{ORGANISATIONS}.{suffix}{asked}").data.decode("utf-8-sig")
        assert [row["organisation"] for row in csv.DictReader(io.StringIO(text))] == names
    results = json.loads(client.get(f"{ORGANISATIONS}.srj{asked}").data)["results"]["bindings"]
    assert [row["organisation"]["value"] for row in results] == names
    tsv = client.get(f"{ORGANISATIONS}.tsv{asked}").text.splitlines()[1:]
    assert [line.split("\t")[0] for line in tsv] == [f"<{name}>" for name in names]
    parsed = rdflib.query.Result.parse(io.BytesIO(client.get(f"{ORGANISATIONS}.xml{asked}").data), format="xml")
    assert [str(row[0]) for row in parsed] == names


@pytest.mark.parametrize(
    ("accept", "asked", "media"),
    [
        ("application/json", "", "application/json"),
        ("application/sparql-results+json", "", "application/sparql-results+json"),
        ("text/csv;q=0.4, application/sparql-results+xml", "", "application/sparql-results+xml"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "", "text/html"),
        ("text/html", "?format=csv", "text/csv"),
        ("text/html", "?format=sparql-json", "application/sparql-results+json"),
        ("text/html", "?format=text/tab-separated-values", "text/tab-separated-values"),
    ],
)
def test_the_format_follows_from_accept_and_from_the_address(
    client: FlaskClient, accept: str, asked: str, media: str
) -> None:
    """Accept with its weights, and `?format=` above it; all say that they vary, and data may be read from any site."""
    answer = client.get(f"/queries/explore/counts{asked}", headers={"Accept": accept})
    assert answer.mimetype == media
    assert "Accept" in answer.headers["Vary"]
    if media != "text/html":
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "/api/openapi.json" in answer.headers["Link"]


def test_a_format_that_there_is_not_is_refused(client: FlaskClient) -> None:
    """406 for Accept and for `?format=`, 404 for a suffix of another kind of query."""
    assert client.get("/queries/explore/counts", headers={"Accept": "image/png"}).status_code == 406
    assert client.get("/queries/explore/counts?format=png").status_code == 406
    answer = client.get("/queries/explore/counts.ttl")
    assert answer.status_code == 404
    assert "csv" in answer.text


@pytest.mark.parametrize("suffix", sorted(RDF_TYPES))
def test_what_a_rule_makes_can_be_had_as_rdf(suffix: str) -> None:
    """A CONSTRUCT query answers its triples in four formats, and changes nothing."""
    store = _small_store()
    client = create_app(store, Settings(today=date(2026, 1, 1))).test_client()
    answer = client.get(f"/queries/build/members.{suffix}")
    expected = _triples(queries.construct(store, "build/members"), "nt")
    assert len(expected) == 4
    assert answer.mimetype == RDF_TYPES[suffix]
    assert _triples(answer.data, suffix) == expected
    assert store.version is not None
    assert store.version.number == 1
    assert "What it makes" in client.get("/queries/build/members").text


def _small_store() -> Store:
    """Return a store with a network and its member, from which the rule has something to make."""
    store = open_store()
    with store.change("a member") as change:
        change.load(b"<urn:net> <http://www.w3.org/ns/org#hasMember> <urn:mill> .", media_type="nt")
    return store


def test_the_text_has_the_values_in_it_and_runs_anywhere(client: FlaskClient, seed: Store) -> None:
    """The .rq of a link is the query that was asked: the engine answers it with the same rows."""
    asked = "?kind=voc:kind/network&status=voc:status/active"
    text = client.get(f"{ORGANISATIONS}.rq{asked}").text
    assert "vocabulary/kind/network>" in text
    rows = client.get(f"{ORGANISATIONS}.json{asked}").get_json()
    assert rows
    assert seed.select(text)["organisation"].to_list() == [row["organisation"] for row in rows]


def test_several_values_are_alternatives(client: FlaskClient) -> None:
    """A repeated parameter gives the rows of each of its values."""
    one, other = "voc:kind/mutual", "voc:kind/network"
    rows = {
        asked: {row["organisation"] for row in client.get(f"{ORGANISATIONS}.json?{asked}").get_json()}
        for asked in (f"kind={one}", f"kind={other}", f"kind={one}&kind={other}")
    }
    first, second, both = rows.values()
    assert both == first | second
    assert first
    assert "multiple" in client.get(f"{ORGANISATIONS}?kind={one}&kind={other}").text


def test_a_wrong_value_is_told_beside_its_field(client: FlaskClient) -> None:
    """400 with the form as it was sent and the reason at each wrong field; as data, a problem in JSON."""
    page = client.get("/queries/funding/grants?since=yesterday&until=2024-02-31&funder=<b>")
    assert page.status_code == 400
    assert page.text.count('aria-invalid="true"') == 3
    assert 'value="yesterday"' in page.text
    assert "2024-03-31" in page.text
    assert "<b>" not in page.text
    data = client.get("/queries/funding/grants.json?since=yesterday")
    assert data.status_code == 400
    assert data.mimetype == "application/problem+json"
    assert "since" in data.get_json()["detail"]


@pytest.mark.parametrize(
    ("address", "status", "near"),
    [
        ("/queries/funding/grants.json?sinse=2024-01-01", 400, "since"),
        ("/queries/funding/grant.json", 404, "funding/grants"),
        ("/queries/funding/grants.json?version=many", 400, "version"),
        ("/queries/funding/grants.json?version=99999", 404, "kept"),
        ("/queries/funding/grants.json?funder=%FF", 200, ""),
        ("/queries/..%2f..%2fetc/passwd.json", 404, "known"),
        ("/queries/funding/grants.json?since=%00", 400, "since"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_way_on(
    client: FlaskClient, address: str, status: int, near: str
) -> None:
    """Unknown parameters, queries and versions name the near ones; no odd byte is a fault of ours."""
    answer = client.get(address)
    assert answer.status_code in {status, 400}
    assert near in answer.text


def test_an_unchanged_answer_is_not_sent_again() -> None:
    """304 for the same tag; a new version, another value or another format has another tag; an old version stays."""
    store = open_store()
    client = create_app(store, Settings(today=date(2026, 1, 1))).test_client()
    address = "/queries/explore/kinds.csv"

    def write(name: str) -> None:
        triples = (
            f"<urn:{name}> a <http://www.w3.org/ns/org#Organization> ; "
            f'<http://www.w3.org/2000/01/rdf-schema#label> "{name}" ; '
            "<http://www.w3.org/ns/org#classification> <urn:kind> . <urn:kind> "
            '<http://www.w3.org/2000/01/rdf-schema#label> "Kind" ; a <http://www.w3.org/2004/02/skos/core#Concept> .'
        )
        with store.change(name) as change:
            change.load(triples.encode(), media_type="ttl")

    write("a")
    first = client.get(address)
    assert client.get(address, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    assert client.get("/queries/explore/kinds.json").headers["ETag"] != first.headers["ETag"]
    write("b")
    second = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert second.status_code == 200
    old = client.get(f"{address}?version=1")
    assert old.data == first.data
    assert old.headers["Graphkit-Version"] == "1"
    assert "Memento-Datetime" in old.headers
    page = client.get("/queries/explore/kinds?version=1").text
    assert "version 1 of the graph" in page


def test_a_cut_answer_says_so(seed: Store) -> None:
    """With a limit of rows, page and data tell that there are more, and the data is not kept."""
    client = create_app(seed, Settings(today=date(2026, 1, 1), query_rows=3)).test_client()
    data = client.get(f"{ORGANISATIONS}.json")
    assert len(data.get_json()) == 3
    assert data.headers["Graphkit-Cut"] == "rows=3"
    assert "ETag" not in data.headers
    assert "there are more" in client.get(ORGANISATIONS).text


def test_a_query_that_breaks_a_limit_says_so_beside_its_form(seed: Store) -> None:
    """413 with the form, so that one can ask for less; as data, a problem."""
    client = create_app(seed, Settings(today=date(2026, 1, 1), query_bytes=2_000)).test_client()
    page = client.get(f"{ORGANISATIONS}?status=voc:status/active")
    assert page.status_code == 413
    assert '<form class="filters"' in page.text
    assert '<option value="voc:status/active" selected>' in page.text
    data = client.get(f"{ORGANISATIONS}.csv")
    assert (data.status_code, data.mimetype) == (413, "application/problem+json")
    assert client.get(f"{ORGANISATIONS}?kind=voc:kind/mutual").status_code == 200


# ---- Snippets ----------------------------------------------------------------------------------


def _code(page: str) -> dict[str, str]:
    blocks = re.findall(r'<h2 class="small">([^<]*)</h2>\s*<pre[^>]*><code>(.*?)</code>', page, re.DOTALL)
    return {title: html.unescape(code) for title, code in blocks}


def _run(title: str, code: str) -> str:
    command = ["bash", "-c", code] if title.startswith("Shell") else [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_snippets_of_a_query_run_as_they_are_shown(live: str, seed: Store) -> None:
    """cURL, Python and graphkit, copied from the page, give the rows of the query with the values of the form."""
    answer = subprocess.run(
        ["curl", "-s", f"{live}{ORGANISATIONS}?kind=voc:kind/network"], capture_output=True, text=True, check=True
    )
    found = _code(answer.stdout)
    frame = queries.run(seed, "explore/organisations", kind="voc:kind/network")
    assert set(found) == {"Shell, with cURL", "Python, without any package", "Python, with graphkit"}
    as_csv = pl.read_csv(io.StringIO(_run("Shell", found["Shell, with cURL"])))
    assert as_csv["organisation"].to_list() == frame["organisation"].to_list()
    assert _run("Python", found["Python, without any package"]).count("'organisation'") == frame.height
    assert f"shape: ({frame.height}, {frame.width})" in _run("Python", found["Python, with graphkit"])


def test_the_snippets_of_a_rule_run_too() -> None:
    """They print what the rule makes."""
    with _served(_small_store()) as address:
        page = subprocess.run(
            ["curl", "-s", f"{address}/queries/build/members"], capture_output=True, text=True, check=True
        )
        printed = [_run(title, code) for title, code in _code(page.stdout).items()]
    assert len(printed) == 3
    assert all("<urn:mill>" in each for each in printed)


def test_nothing_that_a_visitor_wrote_runs_in_a_snippet() -> None:
    """A value with quotes, line ends and commands stands in the lines as a text."""
    query: Query = queries.find("explore/search")
    search = "?" + urlencode({"text": HOSTILE, "version": "1"})
    lines = snippets(query, "http://x/q", search, "http://x/sparql", {"text": [HOSTILE]})
    shell, plain, own = lines
    assert shell.code.count("\n") == 1
    printed = _run("Shell", "curl() { printf '%s' \"${@: -1}\"; }; " + shell.code)
    assert printed == f"http://x/q.csv{search}"
    for each in (plain, own):
        compile(each.code, each.title, "exec")
    assert repr(HOSTILE) in own.code
