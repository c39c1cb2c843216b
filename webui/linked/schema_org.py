"""What search engines read of a page: the thing in the words of schema.org."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import polars as pl

from graphkit.terms import PREFIXES, expand

__all__ = ["described"]

_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        expand(name): word
        for name, word in {
            "foaf:Person": "Person",
            "org:OrganizationalCollaboration": "Organization",
            "org:FormalOrganization": "Organization",
            "org:Organization": "Organization",
            "sol:Group": "Organization",
            "sol:Event": "Event",
            "sol:Activity": "Project",
            "sol:Place": "Place",
            "sol:Region": "Place",
            "sol:Policy": "Legislation",
            "eli:LegalResource": "Legislation",
            "sol:Source": "Dataset",
            "dcat:Dataset": "Dataset",
            "sol:Claim": "Claim",
            "sol:Opportunity": "Grant",
            "skos:ConceptScheme": "DefinedTermSet",
            "skos:Concept": "DefinedTerm",
            "owl:Class": "DefinedTerm",
            "owl:ObjectProperty": "DefinedTerm",
            "owl:DatatypeProperty": "DefinedTerm",
        }.items()
    }
)
_PROPERTIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        expand(name): word
        for name, word in {
            "skos:altLabel": "alternateName",
            "skos:definition": "description",
            "dcterms:description": "description",
            "rdfs:comment": "disambiguatingDescription",
            "dcterms:identifier": "identifier",
            "foaf:homepage": "url",
            "dcterms:license": "license",
            "dcterms:publisher": "publisher",
            "schema:startDate": "startDate",
            "schema:endDate": "endDate",
            "dcterms:issued": "datePublished",
            "prov:atLocation": "location",
            "org:memberOf": "memberOf",
            "schema:funder": "funder",
            "skos:inScheme": "inDefinedTermSet",
            "geo:sfWithin": "containedInPlace",
        }.items()
    }
)
_TYPE: Final = expand("rdf:type")
_OTHERS: Final = "Thing"
_MOST_VALUES: Final = 20


def described(iri: str, label: str, facts: pl.DataFrame, names: Mapping[str, str]) -> dict[str, Any]:
    """Return a thing as a JSON-LD object in schema.org's words, from the rows of `explore/thing`.

    What schema.org has no word for is left out; the RDF of the page has it all.
    """
    found: dict[str, Any] = {"@context": "https://schema.org", "@id": iri, "@type": _OTHERS, "name": label}
    own = facts.filter(pl.col("direction") == "out")
    types = set(own.filter(pl.col("relation") == _TYPE)["value"])
    found["@type"] = _type_of(types)
    for relation, word in _PROPERTIES.items():
        rows = own.filter(pl.col("relation") == relation).head(_MOST_VALUES)
        values = [_value(row, names) for row in rows.iter_rows(named=True)]
        if values and word not in found:
            found[word] = values[0] if len(values) == 1 else values
    return found


def _type_of(types: set[str]) -> str:
    """Return the first word of the list that fits, else a type that is schema.org's own."""
    for iri, word in _TYPES.items():
        if iri in types:
            return word
    own = sorted(iri.removeprefix(PREFIXES["schema"]) for iri in types if iri.startswith(PREFIXES["schema"]))
    return own[0] if own else _OTHERS


def _value(row: Mapping[str, Any], names: Mapping[str, str]) -> Any:  # noqa: ANN401 - a text, or a thing with a name
    value = str(row["value"])
    if not row["is_link"]:
        return value
    return {"@id": value, "name": names[value]} if value in names else value
