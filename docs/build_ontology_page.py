"""Writes docs/ontology.html: every term and concept of the ontology on one page, made by pyLODE.

python docs/build_ontology_page.py [FILE]
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

from rdflib import DCTERMS, OWL, RDF, SKOS, Graph, URIRef

from graphkit.errors import MissingExtraError
from graphkit.ontology import parts
from graphkit.terms import PREFIXES, graph_iri

__all__ = ["main", "page"]

_ROOT = URIRef("https://w3id.org/solidarity-graph/ns")


def page() -> str:
    """Return the page as HTML that needs nothing from elsewhere."""
    library = _pylode("pylode.profiles.ontpub")
    section, columns = _pylode("pylode.utils").section_html, _pylode("pylode.rdf_elements").CONCEPT_PROPS

    class Page(library.OntPub):  # type: ignore[misc, name-defined]
        """The page of an ontology, and below the properties its concepts."""

        def _make_main_sections(self) -> None:
            super()._make_main_sections()
            with self.content:
                words = (self.toc, "concepts", self.fids, self.props_labeled)
                kind = OWL.NamedIndividual
                section("Concepts", self.ont, self.back_onts, self.ns, kind, columns, *words).render()

    return str(Page(ontology=_one_ontology(), sort_subjects=True).make_html())


def _pylode(name: str) -> ModuleType:
    """Import a module of pyLODE, or say how to install it.

    pyLODE 3.4.1 looks for its version in a pyproject.toml that its wheel does not hold, and so cannot be
    imported; told the version beforehand, it can.
    """
    try:
        told = ModuleType("pylode.version")
        told.__dict__["__version__"] = version("pylode")
        sys.modules.setdefault("pylode.version", told)
        return import_module(name)
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
    """Turn schemes and concepts into named individuals, lest pyLODE take a scheme for the ontology."""
    for kind in (SKOS.ConceptScheme, SKOS.Concept):
        for thing in set(graph.subjects(RDF.type, kind)):
            graph.remove((thing, RDF.type, kind))
            graph.add((thing, RDF.type, OWL.NamedIndividual))
            for words in graph.objects(thing, DCTERMS.description):
                graph.add((thing, SKOS.definition, words))


def main(arguments: list[str]) -> None:
    """Write the page to the file that is named, or beside this script."""
    target = Path(arguments[0]) if arguments else Path(__file__).with_name("ontology.html")
    target.write_text(page(), "utf-8")
    print(f"wrote {target}", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
