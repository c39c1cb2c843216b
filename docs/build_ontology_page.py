"""Writes docs/ontology.html: every term and concept of the ontology on one page, made by pyLODE.

    python docs/build_ontology_page.py [FILE]
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

from rdflib import DCTERMS, OWL, RDF, RDFS, SKOS, Graph, Literal, URIRef

from graphkit.errors import MissingExtraError
from graphkit.ontology import parts
from graphkit.terms import PREFIXES, graph_iri

__all__ = ["main", "page"]

_ROOT = URIRef("https://w3id.org/solidarity-graph/ns")
_VOCABULARY = PREFIXES["voc"]


def page() -> str:
    """Return the page as HTML that needs nothing from elsewhere."""
    return str(_pylode().OntPub(ontology=_one_ontology(), sort_subjects=True).make_html())


def _pylode() -> ModuleType:
    """Import pyLODE, or say how to install it.

    pyLODE 3.4.1 looks for its version in a pyproject.toml that its wheel does not hold, and so cannot be
    imported; told the version beforehand, it can.
    """
    try:
        told = ModuleType("pylode.version")
        told.__dict__["__version__"] = version("pylode")
        sys.modules.setdefault("pylode.version", told)
        return import_module("pylode.profiles.ontpub")
    except ImportError as error:
        raise MissingExtraError(
            "the ontology page needs the library pyLODE", hint="pip install 'solidarity-graphkit[docs]'"
        ) from error


def _one_ontology() -> Graph:
    """Merge root, modules and vocabularies into one ontology, as pyLODE wants it."""
    graph = Graph()
    for prefix, namespace in PREFIXES.items():
        graph.bind(prefix, namespace, replace=True)
    shown = {graph_iri("ontology"), graph_iri("vocabularies")}
    for part in parts():
        if part.graph in shown:
            graph.parse(part.path, format="turtle")
    _drop_modules(graph)
    _show_concepts(graph)
    return graph


def _drop_modules(graph: Graph) -> None:
    """Leave one ontology on the page, the root; a module stays as what defines a term."""
    for module in set(graph.subjects(RDF.type, OWL.Ontology)) - {_ROOT}:
        graph.remove((module, None, None))
    graph.remove((_ROOT, OWL.imports, None))


def _show_concepts(graph: Graph) -> None:
    """Show schemes and concepts as named individuals, which pyLODE lists in a section of their own."""
    for kind in (SKOS.ConceptScheme, SKOS.Concept):
        for thing in set(graph.subjects(RDF.type, kind)):
            graph.add((thing, RDF.type, OWL.NamedIndividual))
            for label in graph.objects(thing, SKOS.prefLabel):
                graph.add((thing, RDFS.label, _full_label(thing, label)))
            for words in graph.objects(thing, DCTERMS.description):
                graph.add((thing, SKOS.definition, words))


def _full_label(thing: object, label: object) -> Literal:
    """Say of which scheme a concept is, for concepts of two schemes may have the same name."""
    scheme, slash, _ = str(thing).removeprefix(_VOCABULARY).partition("/")
    return Literal(f"{label} ({scheme})" if slash else f"{label} (scheme)", lang="en")


def main(arguments: list[str]) -> None:
    """Write the page to the file that is named, or beside this script."""
    target = Path(arguments[0]) if arguments else Path(__file__).with_name("ontology.html")
    target.write_text(page(), "utf-8")
    print(f"wrote {target}", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
