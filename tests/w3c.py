"""Read the W3C's SPARQL 1.1 tests and compare answers as they ask for it.

The tests come with the source package of rdflib 7.1.4 (their licence: W3C Test Suite Licence and 3-clause BSD);
`python -m tests.w3c FOLDER` unpacks them from there with pip. GRAPHKIT_W3C names a folder that holds them already.
"""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pyoxigraph as ox
import rdflib
from rdflib import RDF, RDFS, XSD
from rdflib.collection import Collection

SOURCE = "rdflib==7.1.4"
INSIDE = "test/data/suites/w3c/sparql11/"
HOME = Path(os.environ.get("GRAPHKIT_W3C") or Path(sys.prefix) / "w3c-sparql11")

MF = rdflib.Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
QT = rdflib.Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-query#")
UT = rdflib.Namespace("http://www.w3.org/2009/sparql/tests/test-update#")
RS = rdflib.Namespace("http://www.w3.org/2001/sw/DataAccess/tests/result-set#")

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple

LEFT_OUT = {
    "service": "needs endpoints elsewhere",
    "protocol": "written out in test_protocol_query and test_protocol_update",
    "http-rdf-update": "written out in test_graph_store",
    "service-description": "written out in test_protocol_query",
}


@dataclass(frozen=True)
class Case:
    """One test: its kind, the text, the data before and after; graphs by name, "" is the default graph."""

    name: str
    kind: str
    text: Path
    data: dict[str, Path] = field(default_factory=dict)
    result: Path | None = None
    after: dict[str, Path] = field(default_factory=dict)


def fetch(folder: Path) -> None:
    """Unpack the tests into `folder` from the source package that carries them."""
    with tempfile.TemporaryDirectory() as place:
        words = ["-m", "pip", "download", "--quiet", "--no-binary", "rdflib", "--no-deps", "--dest", place, SOURCE]
        subprocess.run([sys.executable, *words], check=True)
        with tarfile.open(next(Path(place).glob("*.tar.gz"))) as archive:
            for member in archive.getmembers():
                found = member.name.partition(INSIDE)[2]
                if found and member.isfile() and ".." not in found:
                    target = folder / found
                    target.parent.mkdir(parents=True, exist_ok=True)
                    content = archive.extractfile(member)
                    assert content
                    target.write_bytes(content.read())


def cases(folder: Path = HOME) -> list[Case]:
    """List the tests that can be run here."""
    manifests = sorted(path for path in folder.glob("*/manifest.ttl") if path.parent.name not in LEFT_OUT)
    return [case for path in manifests for case in _cases(path)]


def _cases(path: Path) -> Iterator[Case]:
    graph = rdflib.Graph().parse(path, publicID=path.as_uri())
    for entries in graph.objects(None, MF.entries):
        for entry in Collection(graph, entries):
            kind = next((str(one).rpartition("#")[2] for one in graph.objects(entry, RDF.type)), "")
            action, result = graph.value(entry, MF.action), graph.value(entry, MF.result)
            if not kind or action is None:
                continue
            name = f"{path.parent.name}/{str(entry).rpartition('#')[2]}"
            if "Syntax" in kind:
                yield Case(name, kind, _path(action))
            elif "Update" in kind:
                yield Case(
                    name,
                    kind,
                    _path(graph.value(action, UT.request)),
                    _graphs(graph, action, UT),
                    after=_graphs(graph, result, UT) if result is not None else {},
                )
            else:
                data = _graphs(graph, action, QT)
                yield Case(name, kind, _path(graph.value(action, QT.query)), data, _path(result))


def _graphs(graph: rdflib.Graph, node: rdflib.term.Node, words: rdflib.Namespace) -> dict[str, Path]:
    default = graph.value(node, words.data)
    found = {} if default is None else {"": _path(default)}
    for one in graph.objects(node, words.graphData):
        inner = graph.value(one, words.graph)
        name = str(graph.value(one, RDFS.label)) if inner is not None else _path(one).as_uri()
        found[name] = _path(one if inner is None else inner)
    return found


def _path(node: rdflib.term.Node | None) -> Path:
    assert node is not None
    return Path(str(node).removeprefix("file://"))


def same_solutions(found: bytes, media: str, expected: Path) -> bool:
    """Compare an answer with the file of the expected one: the same rows, whatever blank nodes are called."""
    if expected.suffix == ".csv":
        return _lines(found) == _lines(expected.read_bytes())
    ours = ox.parse_query_results(found, ox.QueryResultsFormat.from_media_type(media))
    if expected.suffix in {".ttl", ".rdf"}:
        return _form(ours) == _form_of_graph(expected)
    theirs = ox.parse_query_results(expected.read_bytes(), ox.QueryResultsFormat.from_extension(expected.suffix[1:]))
    return _form(ours) == _form(theirs)


def same_triples(found: bytes, expected: Path) -> bool:
    """Compare a graph in N-Triples with a file, up to the names of blank nodes."""
    kind = ox.RdfFormat.from_extension(expected.suffix[1:])
    theirs = ox.parse(expected.read_bytes(), format=kind, base_iri=expected.as_uri())
    return _canonical(ox.parse(found, format=ox.RdfFormat.N_TRIPLES)) == _canonical(theirs)


def same_dataset(found: bytes, expected: dict[str, Path]) -> bool:
    """Compare N-Quads with one file for each graph."""
    theirs = []
    for name, path in expected.items():
        kind = ox.RdfFormat.from_extension(path.suffix[1:])
        graph = ox.NamedNode(name) if name else ox.DefaultGraph()
        read = ox.parse(path.read_bytes(), format=kind, base_iri=path.as_uri())
        theirs += [ox.Quad(quad.subject, quad.predicate, quad.object, graph) for quad in read]
    return _canonical(ox.parse(found, format=ox.RdfFormat.N_QUADS)) == _canonical(theirs)


def _lines(data: bytes) -> list[list[tuple[str, str]]]:
    """Read CSV as rows whose order says nothing; columns go by their names, blank nodes have none."""
    rows = csv.DictReader(io.StringIO(data.decode()))
    return sorted(sorted((k, "_:" if v.startswith("_:") else v) for k, v in row.items()) for row in rows)


def _canonical(quads: object) -> str:
    dataset = ox.Dataset(quads)  # type: ignore[arg-type]
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return "\n".join(sorted(str(quad) for quad in dataset))


def _form(results: object) -> object:
    """Bring solutions into a form in which equal ones are equal: a graph with a blank node for each row."""
    if isinstance(results, ox.QueryBoolean):
        return bool(results)
    assert isinstance(results, ox.QuerySolutions)
    names = sorted(variable.value for variable in results.variables)
    quads = []
    for row in results:
        node = ox.BlankNode()
        quads.append(ox.Quad(node, ox.NamedNode("urn:a"), ox.NamedNode("urn:row")))
        bound = [(name, row[name]) for name in names if row[name] is not None]
        quads += [ox.Quad(node, ox.NamedNode(f"urn:var:{name}"), _value(term)) for name, term in bound]
    return names, _canonical(quads)


def _value(term: Term) -> Term:
    """Give numbers that are equal one spelling."""
    if not isinstance(term, ox.Literal) or not term.datatype.value.startswith(str(XSD)):
        return term
    kind = term.datatype.value.removeprefix(str(XSD))
    try:
        if kind in {"double", "float"}:
            return ox.Literal(repr(float(term.value)), datatype=term.datatype)
        if kind == "decimal":
            return ox.Literal(str(Decimal(term.value).normalize()), datatype=term.datatype)
    except (ValueError, ArithmeticError):
        return term
    return ox.Literal(term.value, datatype=ox.NamedNode(f"{XSD}integer")) if kind in _INTEGERS else term


_INTEGERS = {"negativeInteger", "nonNegativeInteger", "nonPositiveInteger", "positiveInteger", "int", "long", "short"}


def _form_of_graph(path: Path) -> object:
    """Read solutions that stand in a graph of the result-set vocabulary."""
    graph = rdflib.Graph().parse(path, publicID=path.as_uri())
    whole = graph.value(None, RDF.type, RS.ResultSet)
    truth = graph.value(whole, RS.boolean)
    if truth is not None:
        return bool(truth)
    quads = []
    for solution in graph.objects(whole, RS.solution):
        node = ox.BlankNode()
        quads.append(ox.Quad(node, ox.NamedNode("urn:a"), ox.NamedNode("urn:row")))
        for binding in graph.objects(solution, RS.binding):
            value = graph.value(binding, RS.value)
            assert value is not None
            term = next(iter(ox.parse(f"<urn:a> <urn:b> {value.n3()} .", format=ox.RdfFormat.TURTLE))).object
            quads.append(ox.Quad(node, ox.NamedNode(f"urn:var:{graph.value(binding, RS.variable)}"), _value(term)))
    return sorted(str(name) for name in graph.objects(whole, RS.resultVariable)), _canonical(quads)


if __name__ == "__main__":
    fetch(Path(sys.argv[1]) if len(sys.argv) > 1 else HOME)
