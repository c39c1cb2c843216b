"""How relations are called on the pages, from either end, and the order in which a person wants to read them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from graphkit.terms import PREFIXES, expand
from webui.i18n.choosing import gettext

__all__ = ["HIDDEN", "relation_order", "relation_texts", "relation_words"]

_WORDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "skos:altLabel": ("Also called", ""),
        "dcterms:type": ("Kind", "Of this kind"),
        "org:classification": ("Kind", "Of this kind"),
        "adms:status": ("Status", "With this status"),
        "prov:atLocation": ("Place", "Here"),
        "schema:startDate": ("From", ""),
        "schema:endDate": ("To", ""),
        "sol:datePrecision": ("Dates known to the", "Dates with this precision"),
        "dcterms:issued": ("Issued", ""),
        "dcterms:identifier": ("Number", ""),
        "org:identifier": ("Official number", ""),
        "sol:memberCount": ("Number of organisations", ""),
        "skos:definition": ("Definition", ""),
        "dcterms:description": ("Description", ""),
        "rdfs:comment": ("Remark", ""),
        "skos:scopeNote": ("Note", ""),
        "dcterms:subject": ("Theme", "About this theme"),
        "sol:partnershipMode": ("Way of working together", "Worked on in this way"),
        "sol:method": ("Method", "Uses this method"),
        "m8g:isDerivedFrom": ("Part of the policy", "Commitments"),
        "sol:committedBy": ("Promised by", "Has promised"),
        "sol:adoptedBy": ("Adopted by", "Has adopted"),
        "sol:monitoredBy": ("Followed by the query", "Follows"),
        "sol:reviewMonths": ("Review every (months)", ""),
        "dcterms:references": ("Refers to", "Referred to by"),
        "sol:offeredBy": ("Offered by", "Offers"),
        "sol:bidFor": ("Bid for", "Bids"),
        "sol:underScheme": ("Under the programme", "Under this programme"),
        "schema:funder": ("Funder", "Funds"),
        "sol:recipient": ("Recipient", "Receives"),
        "schema:fundedItem": ("Pays for", "Paid by"),
        "dcterms:isPartOf": ("Part of", "Parts"),
        "prov:wasInformedBy": ("Follows from", "Followed by"),
        "prov:generated": ("Result", "Result of"),
        "sol:plannedOutput": ("Planned result", "Planned by"),
        "sol:builds": ("Works to bring about", "To be brought about by"),
        "sol:pursues": ("Works towards", "Pursued by"),
        "org:hasMember": ("Members", "Member of"),
        "org:memberOf": ("Member of", "Members"),
        "org:unitOf": ("Part of", "Units"),
        "geo:sfWithin": ("Lies in", "Contains"),
        "sol:approximatedBy": ("Roughly the areas", "Roughly part of"),
        "sol:placeCode": ("Code", ""),
        "sol:codeList": ("Code list", "Codes of this list"),
        "sol:claimant": ("Said by", "Claims it makes"),
        "schema:about": ("About", "Claims about it"),
        "sol:stance": ("Stance", "Claims with this stance"),
        "sol:coreKind": ("Core kinds", "Counted as core by"),
        "sol:widerKind": ("Wider kinds", "Counted in a wider sense by"),
        "sol:evaluatedBy": ("To be evaluated by", "Evaluates"),
        "sol:answers": ("Answers the barrier", "Answered by"),
        "dcterms:publisher": ("Publisher", "Publishes"),
        "skos:broader": ("Wider term", "Narrower terms"),
        "skos:exactMatch": ("Same as", "Same as"),
        "skos:closeMatch": ("Close to", "Close to"),
        "rdfs:subClassOf": ("Narrower than", "Wider than"),
        "rdfs:subPropertyOf": ("Narrower than", "Wider than"),
        "rdfs:domain": ("Said of", "Relations of such things"),
        "rdfs:range": ("Its values are", "Relations to such things"),
        "owl:inverseOf": ("Read backwards", "Read backwards"),
        "owl:disjointWith": ("Never also", "Never also"),
        "skos:topConceptOf": ("At the top of", "Concepts at the top"),
        "rdfs:seeAlso": ("See also", "Mentioned by"),
        "sol:preferredRecord": ("One organisation with", "One organisation with"),
        "prov:wasDerivedFrom": ("Read from", "What was read from it"),
        "sol:concerns": ("Concerns", "Concerned by the gaps"),
        "sol:evidencedBy": ("Rests on", "Evidence for the gaps"),
        "sol:scopeSubject": ("Covers", "Covered by"),
        "rdf:type": ("What it is", "Of this class"),
    }
)
_BY_IRI: Final = {expand(name): words for name, words in _WORDS.items()}
_ORDER: Final = {iri: place for place, iri in enumerate(_BY_IRI)}

HIDDEN: Final = frozenset(
    expand(name)
    for name in (
        "rdfs:label",
        "skos:prefLabel",
        "sol:includesKind",
        "dcterms:hasPart",
        "rdfs:isDefinedBy",
        "skos:inScheme",
    )
)
"""Relations that a page leaves out, because its title or another line already says the same."""


def relation_words(iri: str, direction: str, names: Mapping[str, str]) -> str:
    """Return what a relation is called when read from the subject ("out") or from the value ("in").

    A role reads as itself from both ends; a relation that is not known here goes by its name in the ontology,
    with "of" where it is read backwards.
    """
    if iri in _BY_IRI:
        out, back = _BY_IRI[iri]
        return gettext(out) if direction == "out" else gettext(back) if back else _of(gettext(out))
    local = iri.rpartition("#")[2].rpartition("/")[2]
    name = names.get(iri) or "".join(f" {c.lower()}" if c.isupper() else c for c in local).strip()
    name = name[:1].upper() + name[1:]
    return name if direction == "out" or iri.startswith(PREFIXES["voc"]) else _of(name)


def relation_texts() -> list[str]:
    """Return what the known relations are called from either end, as `relation_words` translates it."""
    return [text for pair in _WORDS.values() for text in pair if text]


def _of(name: str) -> str:
    return gettext("%(relation)s of", relation=name)


def relation_order(iri: str) -> tuple[int, str]:
    """Return where a relation stands on a page: known ones in their order, then the others by IRI."""
    return _ORDER.get(iri, len(_ORDER)), iri
