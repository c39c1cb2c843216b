"""The clients that people have, against the running service: libraries, curl, a JavaScript engine, our own command."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import rdflib
import SPARQLWrapper as sw  # noqa: N813 - the library and its class share one name
from rdflib.plugins.stores.sparqlstore import SPARQLStore, SPARQLUpdateStore

from graphkit.store import Store, open_store
from tests.live import TOKEN, Service, serving

LABELS = "SELECT ?s ?label WHERE { ?s <http://www.w3.org/2000/01/rdf-schema#label> ?label } ORDER BY ?s ?label"
BEARER = f"Bearer {TOKEN}"


@pytest.fixture(scope="module")
def service(village: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Serve the village, open to writers with the token."""
    folder = tmp_path_factory.mktemp("clients")
    with open_store(folder / "graph") as store, store.change("the village") as change:
        change.load(village.dump("nq"), media_type="nq")
    with serving(folder / "graph", folder / "access.log", token=TOKEN) as started:
        yield started


@pytest.fixture(scope="module")
def expected(village: Store) -> list[tuple[str, ...]]:
    """Give the rows that every client must see."""
    return [tuple(row) for row in village.select(LABELS).rows()]


@pytest.mark.parametrize("method", [sw.GET, sw.POST])
@pytest.mark.parametrize("form", [sw.JSON, sw.XML, sw.CSV, sw.TSV])
def test_sparqlwrapper_selects(service: Service, expected: list[tuple[str, ...]], method: str, form: str) -> None:
    """Each result format, by GET and POST."""
    wrapper = sw.SPARQLWrapper(f"{service.address}/sparql", agent="test")
    wrapper.setMethod(method)
    wrapper.setReturnFormat(form)
    wrapper.setQuery(LABELS)
    answer = wrapper.query().convert()
    if form == sw.JSON:
        rows = [(row["s"]["value"], row["label"]["value"]) for row in answer["results"]["bindings"]]
        assert rows == expected
    elif form == sw.XML:
        assert len(answer.getElementsByTagName("result")) == len(expected)
    else:
        assert len(answer.decode().splitlines()) == len(expected) + 1


def test_sparqlwrapper_constructs_and_asks(service: Service) -> None:
    """CONSTRUCT comes as a graph, ASK as a truth value."""
    wrapper = sw.SPARQLWrapper(f"{service.address}/sparql", agent="test")
    wrapper.setQuery("CONSTRUCT WHERE { ?s a ?kind }")
    wrapper.setReturnFormat(sw.TURTLE)
    assert len(rdflib.Graph().parse(data=wrapper.queryAndConvert(), format="turtle")) > 10
    wrapper.setQuery("ASK { ?s a ?kind }")
    wrapper.setReturnFormat(sw.JSON)
    assert wrapper.queryAndConvert()["boolean"] is True


def test_sparqlwrapper_updates(service: Service) -> None:
    """What is written with the token is read at once; without it nothing is written."""
    wrapper = sw.SPARQLWrapper(f"{service.address}/sparql", f"{service.address}/sparql/update", agent="test")
    wrapper.setMethod(sw.POST)
    wrapper.setQuery("INSERT DATA { GRAPH <urn:g> { <urn:sw> <urn:p> 1 } }")
    with pytest.raises(sw.SPARQLExceptions.Unauthorized):
        wrapper.query()
    wrapper.addCustomHttpHeader("Authorization", BEARER)
    wrapper.query()
    ask = sw.SPARQLWrapper(f"{service.address}/sparql", returnFormat=sw.JSON, agent="test")
    ask.setQuery("ASK { <urn:sw> <urn:p> 1 }")
    assert ask.queryAndConvert()["boolean"] is True


def test_rdflib_reads_and_writes(service: Service, expected: list[tuple[str, ...]]) -> None:
    """Rdflib takes the service as a store of its own."""
    graph = rdflib.Graph(SPARQLStore(f"{service.address}/sparql"))
    assert [(str(s), str(label)) for s, label in graph.query(LABELS)] == expected
    assert len(list(graph.triples((None, rdflib.RDF.type, None)))) > 10
    store = SPARQLUpdateStore(
        f"{service.address}/sparql", f"{service.address}/sparql/update", headers={"Authorization": BEARER}
    )
    there = rdflib.Dataset(store, default_union=True)
    there.update("INSERT DATA { GRAPH <urn:g> { <urn:rdflib> <urn:p> 2 } }")
    store.commit()
    assert bool(graph.query("ASK { <urn:rdflib> <urn:p> 2 }"))


def _curl(*words: str) -> str:
    return subprocess.run(["curl", "-sS", *words], capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl_does_what_the_documents_say(service: Service, tmp_path: Path, expected: list[tuple[str, ...]]) -> None:
    """Query, negotiate, put and read a graph, by hand."""
    address = service.address
    table = _curl("-G", f"{address}/sparql", "--data-urlencode", f"query={LABELS}", "-H", "Accept: text/csv")
    assert len(table.splitlines()) == len(expected) + 1
    assert "text/turtle" in _curl("-I", f"{address}/sparql", "-H", "Accept: text/turtle")
    file = tmp_path / "one.ttl"
    file.write_text("<urn:curl> <urn:p> 3 .")
    graph = f"{address}/store?graph=urn:from-curl"
    words = [
        "-X",
        "PUT",
        "-H",
        f"Authorization: {BEARER}",
        "-H",
        "Content-Type: text/turtle",
        "--data-binary",
        f"@{file}",
    ]
    assert _curl(*words, "-o", "/dev/null", "-w", "%{http_code}", graph) == "201"
    assert "urn:curl" in _curl(graph, "-H", "Accept: application/n-triples")


@pytest.mark.skipif(
    not (Path(sys.prefix) / "comunica/node_modules/.bin/comunica-sparql").exists(),
    reason="Comunica is not installed; npm install --prefix .venv/comunica @comunica/query-sparql",
)
def test_comunica_reads(service: Service, expected: list[tuple[str, ...]]) -> None:
    """The JavaScript query engine finds out by itself that this is an endpoint, and reads it."""
    program = Path(sys.prefix) / "comunica/node_modules/.bin/comunica-sparql"
    words = [str(program), f"sparql@{service.address}/sparql", LABELS, "-t", "application/sparql-results+json"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    rows = [(row["s"]["value"], row["label"]["value"]) for row in json.loads(done.stdout)["results"]["bindings"]]
    assert sorted(rows) == sorted(expected)


def _graphkit(*words: str, token: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "GRAPHKIT_TOKEN": token}
    return subprocess.run(
        [sys.executable, "-m", "graphkit", *words], capture_output=True, text=True, check=False, env=environment
    )


def test_our_own_command_takes_it_as_a_store(service: Service, tmp_path: Path, expected: list[tuple[str, ...]]) -> None:
    """`--store http://…` queries, and loads with the token of the environment."""
    store = f"{service.address}/sparql"
    found = _graphkit("query", "-e", LABELS, "--store", store, "-f", "json")
    assert found.returncode == 0, found.stderr
    assert [(row["s"], row["label"]) for row in json.loads(found.stdout)] == expected
    file = tmp_path / "two.ttl"
    file.write_text('<urn:ours> <http://www.w3.org/2000/01/rdf-schema#label> "Ours"@en .')
    words = ("load", str(file), "--graph", "from-us", "--no-check", "--store", store)
    refused = _graphkit(*words)
    assert refused.returncode == 1
    assert "token" in refused.stderr
    assert _graphkit(*words, token=TOKEN).returncode == 0
    assert json.loads(_graphkit("query", "-e", "ASK { <urn:ours> ?p ?o }", "--store", store).stdout) is True
