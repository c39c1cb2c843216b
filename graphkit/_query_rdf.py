"""Stored queries described in RDF, so that other tools can list, show and run them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

import rdflib
from rdflib.collection import Collection
from rdflib.namespace import DCTERMS, RDF, RDFS, SDO, SH, XSD

from graphkit import terms

if TYPE_CHECKING:
    from graphkit.queries import Parameter, Query

__all__ = ["as_rdf", "default_terms"]

_Statement: TypeAlias = tuple[rdflib.URIRef, rdflib.URIRef, rdflib.term.Node]

_DESCRIBE: Final = rdflib.URIRef("https://purl.expasy.org/sparql-examples/ontology#describe")
"""SHACL has no word for the text of a DESCRIBE query; this is the one of the SIB's collections of examples."""
_PREFIX: Final = re.compile(r"^[ \t]*PREFIX\s+[^\s:]*:\s*<[^<>\s]*>", re.IGNORECASE | re.MULTILINE)
_PATHS: Final = terms.QUERY + "parameters#"
_SOURCE: Final = rdflib.URIRef("urn:default")


def as_rdf(queries: Mapping[str, Query], *, target: str = "") -> bytes:
    """Describe stored queries as sorted N-Triples: each a `sol:StoredQuery` and a `sh:SPARQLExecutable`.

    The words are those of SHACL Advanced Features (§3, §5) and of the SIB's `sparql-examples`: the whole text, with
    its PREFIX lines, under `sh:select`, `sh:construct` or `sh:ask`, the summary as `rdfs:label` and `rdfs:comment`,
    tags as `schema:keywords`, and each parameter as a `sh:Parameter` whose `sh:path` ends in its name. `target` is
    the address of the endpoint that answers the queries (`schema:target`), if it is known.
    """
    graph = rdflib.Graph()
    for query in queries.values():
        for statement in _description(query, target):
            graph.add(statement)
    lines = graph.serialize(format="nt", encoding="utf-8").splitlines(keepends=True)
    return b"".join(sorted(line for line in lines if line.strip()))


def default_terms(query: Query, parameter: Parameter) -> tuple[rdflib.term.Node, ...]:
    """Return the terms that stand in a parameter's block when nobody chooses others; none where that is UNDEF."""
    if parameter.default is None:
        return ()
    prefixes = "\n".join(_PREFIX.findall(query.text))
    graph = rdflib.Graph(bind_namespaces="none")
    graph.parse(data=f"{prefixes}\n{_SOURCE.n3()} {RDF.value.n3()} ( {parameter.default} ) .", format="turtle")
    head = graph.value(_SOURCE, RDF.value)
    return tuple(Collection(graph, head)) if head is not None else ()


def _description(query: Query, target: str) -> Iterator[_Statement]:
    node, form = rdflib.URIRef(query.iri), query.form.lower()
    yield node, RDF.type, rdflib.URIRef(terms.SOL + "StoredQuery")
    yield node, RDF.type, SH.SPARQLExecutable
    yield node, RDFS.label, rdflib.Literal(query.summary, lang="en")
    yield node, RDFS.comment, rdflib.Literal(query.summary, lang="en")
    yield node, DCTERMS.identifier, rdflib.Literal(query.name)
    if query.description:
        yield node, DCTERMS.description, rdflib.Literal(query.description, lang="en")
    if form == "describe":
        yield node, _DESCRIBE, rdflib.Literal(query.text)
    else:
        yield node, RDF.type, SH[f"SPARQL{form.capitalize()}Executable"]
        yield node, SH[form], rdflib.Literal(query.text)
    for tag in query.tags:
        yield node, SDO.keywords, rdflib.Literal(tag, lang="en")
    if target:
        yield node, SDO.target, rdflib.URIRef(target)
    for order, parameter in enumerate(query.parameters):
        yield from _parameter(query, parameter, order)


def _parameter(query: Query, parameter: Parameter, order: int) -> Iterator[_Statement]:
    node = rdflib.URIRef(f"{query.iri}#{parameter.name}")
    yield rdflib.URIRef(query.iri), SH.parameter, node
    yield node, RDF.type, SH.Parameter
    yield node, SH.path, rdflib.URIRef(_PATHS + parameter.name)
    yield node, SH.name, rdflib.Literal(parameter.label, lang="en")
    yield node, SH.order, rdflib.Literal(order)
    yield node, SH.optional, rdflib.Literal(True)  # noqa: FBT003 - the value of a statement
    yield node, SH.nodeKind, SH.IRI if parameter.type == "iri" else SH.Literal
    if parameter.type != "iri":
        yield node, SH.datatype, XSD.string if parameter.type == "text" else XSD[parameter.type]
    if parameter.class_:
        yield node, SH["class"], rdflib.URIRef(terms.expand(parameter.class_))
    if parameter.about:
        yield node, SH.description, rdflib.Literal(parameter.about, lang="en")
    for term in default_terms(query, parameter):
        yield node, SH.defaultValue, term
