"""An invented county with a register, a grant-maker and a list of funds, in which some records are one organisation."""

from __future__ import annotations

from collections.abc import Sequence

from graphkit.ontology import load_ontology
from graphkit.store import Store, open_store
from graphkit.terms import ID, PREFIXES, graph_iri

ORGANISATION = f"{ID}organisation/"
REGISTER, GRANTS, FUNDS = "coops-x/2024-q1", "grants-x/2024", "funds-x/north-2014-2020"

_HEAD = "".join(f"@prefix {prefix}: <{space}> .\n" for prefix, space in PREFIXES.items()) + (
    f"@prefix o: <{ORGANISATION}> .\n@prefix g: <{ID}grant/> .\n"
    f"@prefix kind: <{PREFIXES['voc']}kind/> .\n@prefix status: <{PREFIXES['voc']}status/> .\n"
)

RECORDS: dict[str, Sequence[tuple[str, str, dict[str, str]]]] = {
    REGISTER: [
        ("r1", "Otterford Weavers Co-operative Limited",
         {"identifier": "GB-COH-00000011", "postcode": "ZZ1 1AA", "town": "Otterford"}),
        ("r2", "The Marlcombe Community Shop Ltd", {"postcode": "ZZ2 2BB", "town": "Marlcombe"}),
        ("r3", "Quillbrook Cycle Repairs CIC", {"postcode": "ZZ3 3CC", "town": "Quillbrook"}),
        ("r4", "Hennock Orchard Society Limited", {"postcode": "ZZ4 4DD", "town": "Hennock"}),
        ("r5", "Hennock Orchard Society Limited", {"postcode": "ZZ9 9XX", "town": "Farleigh"}),
        ("r6", "Order of Bees, Lodge 12", {"postcode": "ZZ5 5EE", "town": "Tarrant"}),
        ("r7", "Order of Bees", {"postcode": "ZZ5 5EE", "town": "Tarrant"}),
        ("r8", "Wickham Printers Limited", {"identifier": "GB-COH-00000088", "postcode": "ZZ8 8HH"}),
    ],
    GRANTS: [
        ("gb-coh-00000011", "Otterford Weavers", {"identifier": "GB-COH-11", "postcode": "ZZ7 7ZZ"}),
        ("marlcombe", "Marlcombe Community Shop", {"postcode": "ZZ2 2BB"}),
        ("quill", "Quill & Brook Ltd t/a Quillbrook Cycle Repairs", {"postcode": "ZZ3 3CC", "town": "Quillbrook"}),
        ("lodge", "Order of Bees, Lodge 7", {"postcode": "ZZ5 5EE"}),
        ("wickham", "Wickham Printers", {"identifier": "GB-COH-00000099", "postcode": "ZZ8 8HH"}),
    ],
    FUNDS: [
        ("marlcombe-community-shop-109876", "MARLCOMBE COMMUNITY SHOP 109876", {"postcode": "ZZ2 2BB"}),
        ("hennock", "Hennock Orchard Society", {}),
        ("nobody", "Plain Sailing Consultants", {"town": "Otterford"}),
    ],
}  # fmt: skip
"""What each source lists: the end of the IRI, the name, and the rest."""

_PROPERTIES = {"identifier": "org:identifier", "postcode": "schema:postalCode", "town": "schema:addressLocality"}


def iri(source: str, local: str) -> str:
    """Return the IRI of a record."""
    return f"{ORGANISATION}{source.partition('/')[0]}.{local}"


def turtle(source: str) -> bytes:
    """Write the records of a source; those of the register have numbers of its own."""
    source_name = source.replace("/", ".")
    described = f'<{ID}source/{source_name}> a sol:Source ; rdfs:label "The list {source_name}"@en ;'
    graph = f'sol:sourceGraph "{graph_iri(source)}"^^xsd:anyURI'
    lines = [_HEAD, f"{described} dcterms:license <https://creativecommons.org/licenses/by/4.0/> ; {graph} ."]
    for number, (local, label, facts) in enumerate(RECORDS[source], start=1):
        name = f"o:{source.partition('/')[0]}.{local}"
        lines.append(f'{name} a org:Organization ; rdfs:label "{label}"@en ; adms:status status:active ;')
        lines.append(
            f"  org:classification kind:cooperative ; prov:wasDerivedFrom <{ID}source/{source_name}#row={number}> ."
        )
        if source == REGISTER:
            lines.append(f'{name} dcterms:identifier "{local.upper()}" .')
        lines += [f'{name} {_PROPERTIES[key]} "{value}" .' for key, value in facts.items()]
    return "\n".join(lines).encode()


def county(location: str | None = None, more: str = "") -> Store:
    """Return a store with the county, and more facts in a graph of their own."""
    store = open_store(location)
    with store.change("the county") as change:
        load_ontology(change)
        for source in RECORDS:
            change.load(turtle(source), media_type="ttl", graph=graph_iri(source))
        if more:
            change.load((_HEAD + more).encode(), media_type="ttl", graph=graph_iri("more"))
    return store
