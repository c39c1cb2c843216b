"""A seeded graph of organisations that work together in communities, for measuring the pages."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from graphkit.ontology import load_ontology
from graphkit.store import Store, open_store
from graphkit.terms import graph_iri

__all__ = ["made_graph"]

_PREFIXES = """@prefix adms: <http://www.w3.org/ns/adms#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix id: <https://w3id.org/solidarity-graph/id/> .
@prefix geo: <http://www.opengis.net/ont/geosparql#> .
@prefix m8g: <http://data.europa.eu/m8g/> .
@prefix org: <http://www.w3.org/ns/org#> .
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix schema: <https://schema.org/> .
@prefix sol: <https://w3id.org/solidarity-graph/ns#> .
@prefix voc: <https://w3id.org/solidarity-graph/vocabulary/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
_FIRST = (
    "Green",
    "River",
    "Northern",
    "Open",
    "Common",
    "Harbour",
    "Valley",
    "Sunrise",
    "Bridge",
    "Mutual",
    "New",
    "Old Mill",
)
_LAST = ("Housing", "Bakery", "Energy", "Credit Union", "Farm", "Workshop", "Theatre", "Care", "Garden", "Transport")
_KINDS = ("co-operative", "credit-union", "charity", "community-interest-company", "association", "social-enterprise")


def made_graph(organisations: int, *, ties_each: float = 2.5, seed: int = 1, folder: Path | None = None) -> Store:
    """Return a store, in memory or in a folder, with so many organisations in communities of about 60.

    There are about `ties_each` ties for each organisation.
    """
    store = open_store(folder) if folder else open_store()
    text = _PREFIXES + "".join(_lines(organisations, ties_each, random.Random(seed)))
    with store.change("made for measuring") as change:
        load_ontology(change)
        change.load(text.encode(), media_type="ttl", graph=graph_iri("made"))
    return store


def _lines(number: int, ties_each: float, chance: random.Random) -> Iterator[str]:
    groups = max(3, number // 60)
    home = [chance.randrange(groups) for _ in range(number)]
    members: list[list[int]] = [[] for _ in range(groups)]
    for row, group in enumerate(home):
        members[group].append(row)
    for place in range(20):
        yield f'id:place\\/p{place} a sol:Region ; rdfs:label "Region {place}" ; geo:sfWithin id:place\\/all .\n'
    yield 'id:place\\/all a sol:Region ; rdfs:label "Everywhere" .\n'
    for row in range(number):
        name = f"{chance.choice(_FIRST)} {chance.choice(_LAST)} {row}"
        yield (
            f'id:organisation\\/o{row} a org:Organization ; rdfs:label "{name}" ;'
            f" org:classification voc:kind\\/{chance.choice(_KINDS)} ; prov:atLocation id:place\\/p{home[row] % 20} .\n"
        )
    made, activity = 0, 0
    while made < number * ties_each:
        group = members[chance.randrange(groups)]
        size = min(len(group), chance.choice((2, 2, 2, 3, 3, 4)))
        who = set(chance.sample(group, size)) if size else set()
        if chance.random() < 0.2:
            who.add(chance.randrange(number))
        if len(who) < 2:
            continue
        made += len(who) * (len(who) - 1) // 2
        year = chance.randrange(2008, 2024)
        yield (
            f'id:activity\\/a{activity} a sol:Activity ; rdfs:label "Project {activity}" ;'
            f' schema:endDate "{year}-06-30"^^xsd:date .\n'
        )
        for row in sorted(who):
            yield (
                f"id:participation\\/a{activity}-o{row} a sol:Participation ;"
                f" sol:participant id:organisation\\/o{row} ; sol:participatesIn id:activity\\/a{activity} ;"
                " m8g:role voc:role\\/partner .\n"
            )
        activity += 1
