"""The namespaces and graph names that the whole house shares, as plain strings."""

from __future__ import annotations

from typing import Final

__all__ = ["GRAPH", "ID", "PREFIXES", "QUERY", "SOL", "compact", "expand", "graph_iri"]

SOL: Final = "https://w3id.org/solidarity-graph/ns#"
ID: Final = "https://w3id.org/solidarity-graph/id/"
GRAPH: Final = "https://w3id.org/solidarity-graph/graph/"
QUERY: Final = "https://w3id.org/solidarity-graph/query/"

PREFIXES: Final[dict[str, str]] = {
    "sol": SOL,
    "id": ID,
    "graph": GRAPH,
    "voc": "https://w3id.org/solidarity-graph/vocabulary/",
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcterms": "http://purl.org/dc/terms/",
    "eli": "http://data.europa.eu/eli/ontology#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "frapo": "http://purl.org/cerif/frapo/",
    "geo": "http://www.opengis.net/ont/geosparql#",
    "m8g": "http://data.europa.eu/m8g/",
    "nuts": "http://data.europa.eu/nuts/code/",
    "oa": "http://www.w3.org/ns/oa#",
    "org": "http://www.w3.org/ns/org#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "prov": "http://www.w3.org/ns/prov#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "https://schema.org/",
    "sdg": "http://metadata.un.org/sdg/",
    "sh": "http://www.w3.org/ns/shacl#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "sssom": "https://w3id.org/sssom/",
    "vann": "http://purl.org/vocab/vann/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def graph_iri(source: str) -> str:
    """Return the name of the graph that holds `source`.

    >>> graph_iri("wessex-text")
    'https://w3id.org/solidarity-graph/graph/wessex-text'
    """
    return GRAPH + source


def compact(iri: str) -> str:
    """Shorten `iri` by the longest known namespace, or return it unchanged.

    >>> compact("http://www.w3.org/ns/org#Organization")
    'org:Organization'
    """
    fits = [(len(space), prefix) for prefix, space in PREFIXES.items() if iri.startswith(space)]
    if not fits:
        return iri
    length, prefix = max(fits)
    return f"{prefix}:{iri[length:]}"


def expand(name: str) -> str:
    """Lengthen a `prefix:local` name whose prefix is known; leave a full IRI as it is.

    >>> expand("org:Organization")
    'http://www.w3.org/ns/org#Organization'
    """
    prefix, colon, local = name.partition(":")
    return PREFIXES[prefix] + local if colon and prefix in PREFIXES and not local.startswith("//") else name
