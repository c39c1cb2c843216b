"""Draws the records of registers as files of N-Triples, in the shapes that imports have: seeded, of any size.

`draw(folder, quads=4_000_000, seed=7)` writes one file for each of four invented sources and returns which graph each
belongs to, as `graphkit.assembly.commit_graphs` takes it. Organisations have a kind, a status, a place and often
coordinates; grants a funder, a recipient, an amount and an activity; activities have participations. The number of
grants of a recipient and of participations of an organisation are skewed as in real registers (few have many). One of
two hundred records has a fault of the kinds that registers have (no recipient's kind, end before start), so that a
check has something to find. What the rules derive comes on top and makes about a quarter of the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from graphkit.terms import ID, PREFIXES, SOL, graph_iri

__all__ = ["draw"]

ORGANISATIONS, GRANTS, PARTICIPATIONS, ACTIVITIES = 80_000, 190_000, 145_000, 26_000
QUADS_AT_FULL_SIZE = 4_050_000
VOCABULARY = "https://w3id.org/solidarity-graph/vocabulary/"
TYPE, LABEL = f"<{PREFIXES['rdf']}type>", f"<{PREFIXES['rdfs']}label>"
DATE, DECIMAL = f"<{PREFIXES['xsd']}date>", f"<{PREFIXES['xsd']}decimal>"
ORG, SCHEMA, DCT, ADMS, PROV, M8G = (PREFIXES[name] for name in ("org", "schema", "dcterms", "adms", "prov", "m8g"))
KINDS = (
    "cooperative",
    "trading-charity",
    "community-interest-company",
    "research-institute",
    "public-body",
    "private-company",
)
THEMES = ("transport", "structural-funds", "procurement")
WORDS = (
    "Green Valley Harbour Northern United Community Bakers Workers Housing Energy Transport Food Craft Rural".split()
)


def draw(folder: Path, quads: int = 4_000_000, seed: int = 7) -> dict[str, list[Path]]:
    """Write the files of about so many statements (with those derived) and return the files of each graph."""
    part, random = quads / QUADS_AT_FULL_SIZE, np.random.default_rng(seed)
    sizes = [max(4, int(number * part)) for number in (ORGANISATIONS, GRANTS, PARTICIPATIONS, ACTIVITIES)]
    sources: dict[str, Callable[[np.random.Generator, list[int]], Iterator[str]]] = {
        "organisations": _organisations,
        "grants": _grants,
        "activities": _activities,
        "participations": _participations,
    }
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for name, lines in sources.items():
        file = folder / f"{name}.nt"
        with file.open("w", encoding="utf-8", buffering=1 << 20) as out:
            out.writelines(lines(random, sizes))
        found[graph_iri(f"drawn-{name}/2024")] = [file]
    return found


def _row(name: str, number: int) -> str:
    return f"<{PROV}wasDerivedFrom> <{ID}source/drawn-{name}.2024#row={number + 1}> .\n"


def _title(random: np.random.Generator) -> str:
    return " ".join(WORDS[index] for index in random.integers(len(WORDS), size=3))


def _described(name: str) -> str:
    one = f"<{ID}source/drawn-{name}.2024>"
    issued = f'"2024-01-02"^^{DATE}'
    return (
        f'{one} {TYPE} <{SOL}Source> .\n{one} {LABEL} "Drawn {name}"@en .\n{one} <{DCT}issued> {issued} .\n'
        f"{one} <{DCT}license> <https://creativecommons.org/licenses/by/4.0/> .\n"
        f"{one} <{DCT}publisher> <{ID}organisation/drawn.0> .\n"
    )


def _organisations(random: np.random.Generator, sizes: list[int]) -> Iterator[str]:
    yield _described("organisations")
    for number in range(120):
        area = f"<{ID}place/postcode-d{number}>"
        yield f'{area} {TYPE} <{SOL}Region> .\n{area} {LABEL} "Postcode area D{number}"@en .\n'
        yield f"{area} <{PREFIXES['geo']}sfWithin> <{ID}place/drawn-country> .\n"
    yield f'<{ID}place/drawn-country> {TYPE} <{SOL}Region> .\n<{ID}place/drawn-country> {LABEL} "Drawn country"@en .\n'
    for number in range(sizes[0]):
        one, area = f"<{ID}organisation/drawn.{number}>", int(random.integers(120))
        name = f"{_title(random)} {number if random.random() < 0.97 else ''}".strip()
        kind = KINDS[int(random.integers(len(KINDS)))] if random.random() > 0.005 else "unheard-of"
        yield f'{one} {TYPE} <{ORG}Organization> .\n{one} {LABEL} "{name}"@en .\n'
        yield f"{one} <{ORG}classification> <{VOCABULARY}kind/{kind}> .\n{one} <{ADMS}status> <{VOCABULARY}status/active> .\n"
        yield f'{one} <{DCT}identifier> "R{number:06}" .\n{one} <{ORG}identifier> "GB-COH-{number:08}" .\n'
        yield f"{one} <{PROV}atLocation> <{ID}place/postcode-d{area}> .\n{one} {_row('organisations', number)}"
        if random.random() < 0.5:
            yield f'{one} <{SCHEMA}postalCode> "D{area} {number % 10}AB" .\n{one} <{SCHEMA}addressLocality> "Town {area}" .\n'
            yield f'{one} <{SCHEMA}latitude> "{50 + random.random() * 8:.5f}"^^{DECIMAL} .\n'
            yield f'{one} <{SCHEMA}longitude> "{-5 + random.random() * 6:.5f}"^^{DECIMAL} .\n'


def _skewed(random: np.random.Generator, among: int) -> int:
    """Return a number below `among`, small ones far more often."""
    return int(among * random.random() ** 3)


def _day(random: np.random.Generator) -> str:
    return f"{2007 + int(random.integers(16))}-{1 + int(random.integers(12)):02}-{1 + int(random.integers(28)):02}"


def _grants(random: np.random.Generator, sizes: list[int]) -> Iterator[str]:
    yield _described("grants")
    for number in range(40):
        scheme = f"<{ID}scheme/drawn.{number}>"
        yield f'{scheme} {TYPE} <{SCHEMA}FundingScheme> .\n{scheme} {LABEL} "Drawn programme {number}"@en .\n'
        yield f"{scheme} <{SOL}offeredBy> <{ID}organisation/drawn.{number}> .\n"
    for number in range(sizes[1]):
        one, start = f"<{ID}grant/drawn.{number}>", _day(random)
        yield f'{one} {TYPE} <{SCHEMA}MonetaryGrant> .\n{one} {LABEL} "Grant {number} for {_title(random)}"@en .\n'
        yield f"{one} <{SCHEMA}funder> <{ID}organisation/drawn.{_skewed(random, 60)}> .\n"
        yield f"{one} <{SOL}recipient> <{ID}organisation/drawn.{_skewed(random, sizes[0])}> .\n"
        yield f'{one} <{SCHEMA}amount> "{random.lognormal(9, 1.5):.2f}"^^{DECIMAL} .\n{one} <{SCHEMA}currency> "GBP" .\n'
        yield f'{one} <{SCHEMA}startDate> "{start}"^^{DATE} .\n{one} <{SOL}datePrecision> <{VOCABULARY}precision/day> .\n'
        yield f"{one} <{SOL}underScheme> <{ID}scheme/drawn.{int(random.integers(40))}> .\n{one} {_row('grants', number)}"
        yield f"{one} <{SCHEMA}fundedItem> <{ID}activity/drawn.{int(random.integers(sizes[3]))}> .\n"
        if random.random() < 0.005:
            yield f'{one} <{SCHEMA}endDate> "{int(start[:4]) - 1}{start[4:]}"^^{DATE} .\n'


def _activities(random: np.random.Generator, sizes: list[int]) -> Iterator[str]:
    yield _described("activities")
    for number in range(sizes[3]):
        one, start = f"<{ID}activity/drawn.{number}>", _day(random)
        yield f'{one} {TYPE} <{SOL}Activity> .\n{one} {LABEL} "Activity {number}: {_title(random)}"@en .\n'
        yield f"{one} <{DCT}type> <{VOCABULARY}activity-kind/project> .\n{one} <{ADMS}status> <{VOCABULARY}status/completed> .\n"
        yield f"{one} <{DCT}subject> <{VOCABULARY}theme/{THEMES[number % 3]}> .\n{one} {_row('activities', number)}"
        yield f'{one} <{SCHEMA}startDate> "{start}"^^{DATE} .\n{one} <{SCHEMA}endDate> "{int(start[:4]) + 3}{start[4:]}"^^{DATE} .\n'
        yield f"{one} <{SOL}datePrecision> <{VOCABULARY}precision/day> .\n"


def _participations(random: np.random.Generator, sizes: list[int]) -> Iterator[str]:
    yield _described("participations")
    for number in range(sizes[2]):
        activity, agent = number % sizes[3], _skewed(random, sizes[0])
        one = f"<{ID}participation/drawn.{activity}-{agent}>"
        role = "lead" if number < sizes[3] else "partner"
        yield f"{one} {TYPE} <{SOL}Participation> .\n{one} <{M8G}role> <{VOCABULARY}role/{role}> .\n"
        yield f"{one} <{SOL}participant> <{ID}organisation/drawn.{agent}> .\n"
        yield f"{one} <{SOL}participatesIn> <{ID}activity/drawn.{activity}> .\n{one} {_row('participations', number)}"
