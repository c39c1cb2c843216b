"""Figures of indicators: status, coverage and method of each, and what must hold whatever the data says."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from graphkit import queries
from graphkit.errors import QueryError, UsageError
from graphkit.monitor import Figure, figures, figures_of, history, monitor, past, shifts
from graphkit.store import Store
from graphkit.terms import ID
from tests.harbour_fixture import harbour, harbour_store
from tests.test_monitor import changed

__all__ = ["harbour"]

DAY = date(2013, 6, 1)
PREFIXES = """@prefix dcterms: <http://purl.org/dc/terms/> . @prefix org: <http://www.w3.org/ns/org#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix schema: <https://schema.org/> .
@prefix sol: <https://w3id.org/solidarity-graph/ns#> . @prefix sssom: <https://w3id.org/sssom/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix semapv: <https://w3id.org/semapv/vocab/> .
@prefix kind: <https://w3id.org/solidarity-graph/vocabulary/kind/> .
@prefix theme: <https://w3id.org/solidarity-graph/vocabulary/theme/> .
@prefix id: <https://w3id.org/solidarity-graph/id/> .
@prefix place: <https://w3id.org/solidarity-graph/id/place/> .
"""


def by_name(store: Store, today: date = DAY) -> dict[tuple[str, str, str], Figure]:
    (standing,) = monitor(store, today)
    return {(figure.label, figure.name, figure.unit): figure for figure in standing.figures}


def test_each_figure_has_its_own_status(harbour: Store) -> None:
    """A target met is on track, below it some evidence, nothing counted no evidence, nothing there not measurable."""
    found = by_name(harbour)
    funds = {name: found["Money of the funds", name, "EUR"] for name in ("strict", "likely", "possible")}
    assert {name: (figure.status, figure.value) for name, figure in funds.items()} == {
        "strict": ("stale", Decimal("300.5")),
        "likely": ("on-track", Decimal("600.5")),
        "possible": ("on-track", Decimal("1000.5")),
    }
    assert found["Words", "policy texts", "texts"].status == "some-evidence"
    assert found["Words", "events", "events"].status == "not-measurable"
    later = by_name(harbour, date(2021, 6, 1))
    assert later["Modes", "sponsorship", "joint activities"].status == "no-evidence"
    assert later["Modes", "commissioning", "joint activities"].status == "some-evidence"
    pay = found["Pay ratio", "Pay ratio", "ratio"]
    assert (pay.status, pay.value, pay.coverage, pay.query) == (
        "not-measurable", None, "Nobody tells what they pay.", ""
    )  # fmt: skip


def test_what_lies_ahead_is_not_counted(harbour: Store) -> None:
    """In 2010 only the boats had been paid for, and no partnership was known."""
    found = by_name(harbour, date(2010, 12, 31))
    assert found["Money of the funds", "likely", "EUR"].value == Decimal("100.5")
    assert found["Modes", "Modes", "see the figures"].status == "not-measurable"


def test_no_figure_stands_without_coverage_method_and_unit(harbour: Store) -> None:
    """All three are there in every figure, also where nothing can be measured."""
    found = figures_of(harbour, DAY)
    assert len(found) > 15
    assert all(figure.coverage and figure.method and figure.unit for figure in found)


@pytest.mark.parametrize("lacking", ["coverage", "method", "unit"])
def test_a_bare_number_is_refused(lacking: str) -> None:
    """A row without coverage, method or unit is an error that names the figure and the query."""
    whole = {"figure": "x", "coverage": "1 of 2", "method": "a sum", "unit": "EUR"}
    figures._refuse_bare([whole], "indicators/x")
    with pytest.raises(QueryError, match=r"figure 'x'(?s:.*)indicators/x"):
        figures._refuse_bare([whole | {lacking: ""}], "indicators/x")


def test_a_query_that_is_no_indicator_is_refused() -> None:
    """An indicator worked out by a list of grants is an error that lists the columns of an indicator."""
    store = harbour_store(
        (
            PREFIXES
            + """id:indicator.wrong a sol:Indicator ; rdfs:label "Wrong"@en ; sol:indicatorOf <urn:c> ;
        sol:computedBy <https://w3id.org/solidarity-graph/query/funding/grants> ."""
        ).encode()
    )
    with pytest.raises(QueryError, match=r"not that of an indicator(?s:.*)figure, value, unit"):
        figures_of(store, DAY)


# ---- Against expectation ---------------------------------------------------------------------


def test_meetings_are_compared_with_chance() -> None:
    """Three public bodies meet nine co-operatives in nine pairs, in an otherwise mixed network: a figure with z."""
    facts = [PREFIXES]
    kinds = {f"o{n}": "cooperative" for n in range(9)} | {f"p{n}": "public-body" for n in range(3)}
    facts += [
        f'id:{name} a org:Organization ; rdfs:label "{name}"@en ; org:classification kind:{kind} .'
        for name, kind in kinds.items()
    ]
    pairs = [(f"o{n}", f"p{n % 3}") for n in range(9)] + [(f"o{n}", f"o{(n + 1) % 9}") for n in range(9)]
    for number, pair in enumerate(pairs):
        facts.append(f'id:a{number} a sol:Activity ; rdfs:label "A{number}"@en .')
        facts += [
            f"id:a{number}-{who} a sol:Participation ; sol:participatesIn id:a{number} ; sol:participant id:{who} ."
            for who in pair
        ]
    figure = by_name(harbour_store("\n".join(facts).encode()), date(2026, 1, 1))[
        "Meetings", "meetings observed for each one expected", "observed / expected"
    ]
    assert figure.value is not None
    assert 0.5 < figure.value < 3
    assert "observed" in figure.method
    assert "organisations: 12," not in figure.coverage
    assert "public bodies: 4, core solidarity organisations: 11," in figure.coverage


def test_few_expected_meetings_say_nothing(harbour: Store) -> None:
    """The harbour is too small for a comparison, and the method says so."""
    figure = by_name(harbour)["Meetings", "meetings observed for each one expected", "observed / expected"]
    assert (figure.status, figure.value) == ("not-measurable", None)


# ---- Whatever the data says ------------------------------------------------------------------


def _funds(seed: int, grants: int = 60) -> str:
    """Invent grants of the Structural Funds at random: places, schemes, years, currencies and links or none."""
    draw = random.Random(seed)  # noqa: S311 - invented data
    lines = [PREFIXES]
    for number in range(12):
        kind = draw.choice(["cooperative", "private-company"])
        place = draw.choice(["", " ; prov:atLocation place:quay", " ; prov:atLocation place:south , place:north"])
        lines.append(
            f'id:r{number} a org:Organization ; rdfs:label "R{number}"@en ; org:classification kind:{kind}{place} .'
        )
        if draw.random() < 0.6:
            lines.append(
                f"id:m{number} a sssom:Mapping ; owl:annotatedSource id:r{number} ;"
                f" owl:annotatedTarget id:organisation.target ; owl:annotatedProperty skos:exactMatch ;"
                f" sssom:confidence {draw.choice([0.3, 0.5, 0.8, 0.9, 1.0])} ."
            )
    lines.append('id:organisation.target a org:Organization ; rdfs:label "T"@en ; org:classification kind:mutual .')
    for number in range(grants):
        parts = [
            f'id:g{number} a schema:MonetaryGrant ; rdfs:label "G{number}"@en ; dcterms:subject theme:structural-funds'
        ]
        parts += [f"sol:recipient id:r{draw.randrange(12)}" for _ in range(draw.choice([1, 1, 2]))]
        if draw.random() < 0.9:
            parts.append(
                f'schema:amount {draw.randrange(100000) / 100:.2f} ; schema:currency "{draw.choice(["EUR", "GBP"])}"'
            )
        if draw.random() < 0.8:
            parts.append(f'schema:startDate "{draw.randrange(2007, 2016)}-0{draw.randrange(1, 10)}-01"^^xsd:date')
        if draw.random() < 0.5:
            parts.append(f"prov:atLocation place:{draw.choice(['quay', 'north', 'south', 'land'])}")
        parts += [f"sol:underScheme id:scheme{draw.randrange(3)}" for _ in range(draw.choice([0, 1, 2]))]
        lines.append(" ; ".join(parts) + " .")
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(6))
def test_sums_over_regions_equal_the_total_and_levels_contain_each_other(seed: int) -> None:
    """For each level and currency, regions, schemes and years add up; strict <= likely <= possible <= all."""
    store = harbour_store(_funds(seed).encode())
    for digits in ("3", "5"):
        parts = queries.run(store, "funding/structural-funds", digits=digits)
        sums = {
            (level, currency or "currency not known"): (grants, Decimal(amount))
            for level, currency, grants, amount in parts.group_by("level", "currency")
            .agg(pl.col("grants").sum(), pl.col("amount").sum())
            .rows()
        }
        figures = queries.run(store, "indicators/structural-funds")
        for row in figures.rows(named=True):
            assert sums.get((row["figure"], row["unit"]), (0, Decimal(0)))[1] == row["value"], row
            assert sums["all", row["unit"]][0] == row["total"]
        every = queries.run(store, "gaps/awards").height
        assert every > 0
        for currency in {unit for _, unit in sums}:
            ladder = [sums.get((level, currency), (0, Decimal(0))) for level in ("strict", "likely", "possible", "all")]
            assert ladder == sorted(ladder)
        assert sum(grants for (level, _), (grants, _) in sums.items() if level == "all") == _grants_in(store)


def _grants_in(store: Store) -> int:
    subject, theme = "http://purl.org/dc/terms/subject", "https://w3id.org/solidarity-graph/vocabulary/theme"
    frame = store.select(
        f"SELECT (COUNT(DISTINCT ?grant) AS ?n) WHERE {{ ?grant <{subject}> <{theme}/structural-funds> ;"
        " a <https://schema.org/MonetaryGrant> }"
    )
    return int(frame["n"][0])


@pytest.mark.parametrize(
    ("relation", "more", "strict", "likely"),
    [
        ("skos:exactMatch", "", 300.5, 1000.5),
        ("skos:exactMatch", "; sssom:mapping_justification semapv:DatabaseCrossReferenceMatching", 700.5, 1000.5),
        ("owl:differentFrom", "", 300.5, 600.5),
        ("skos:exactMatch", ". id:decision dcterms:replaces id:link", 300.5, 600.5),
    ],
)  # fmt: skip
def test_what_a_link_says_decides_how_sure_it_is(relation: str, more: str, strict: float, likely: float) -> None:
    """A link by an official identifier is strict; that two are different, or a link that was replaced, is none."""
    facts = f"""{PREFIXES} id:link a sssom:Mapping ; rdfs:label "L"@en ; owl:annotatedProperty {relation} ;
        owl:annotatedSource <{ID}organisation/list.menders> ; owl:annotatedTarget <{ID}organisation/net-menders> ;
        sssom:confidence 1.0 {more} ."""
    frame = queries.run(harbour_store(facts.encode()), "indicators/structural-funds").filter(pl.col("unit") == "EUR")
    found = dict(frame.select("figure", "value").rows())
    assert (float(found["strict"]), float(found["likely"])) == (strict, likely)


def test_a_joined_record_is_strict_and_one_where_no_register_is_loaded_is_not_judged() -> None:
    """One joined with a co-operative counts; without kind and register nothing is measured, with one it is."""
    facts = f"""{PREFIXES} <{ID}organisation/list.bakers> sol:preferredRecord <{ID}organisation/bakers-guild> .
        id:far a sol:Region ; rdfs:label "Far"@en .
        id:unknown a org:Organization ; rdfs:label "U"@en ; org:classification kind:unspecified ;
            prov:atLocation id:far .
        id:g a schema:MonetaryGrant ; rdfs:label "G"@en ; dcterms:subject theme:structural-funds ;
            sol:recipient id:unknown ;
            schema:amount 12345.5 ; schema:currency "PLN" . """
    store = harbour_store(facts.encode())
    assert by_name(store, DAY)["Money of the funds", "strict", "EUR"].value == Decimal("600.5")
    poland = by_name(store, DAY)["Money of the funds", "possible", "PLN"]
    assert (poland.value, poland.status, poland.covered, poland.total) == (None, "not-measurable", 0, 1)
    assert poland.coverage.startswith("none of 1 grants can be judged")
    register = """ id:register a sol:CompletenessScope ; rdfs:label "R"@en ; prov:atLocation id:far ;
        sol:scopePredicate org:classification ."""
    poland = by_name(harbour_store((facts + register).encode()), DAY)["Money of the funds", "possible", "PLN"]
    assert (poland.value, poland.status, poland.covered) == (0, "no-evidence", 1)
    assert "0 of 12,345.5 PLN = 0 %" in poland.coverage


# ---- From version to version -----------------------------------------------------------------

_MORE = """PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX theme: <https://w3id.org/solidarity-graph/vocabulary/theme/>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
"""
_ABOUT = "<urn:report> a <https://schema.org/Report> ; rdfs:label 'News'@en ; dcterms:subject theme:procurement"
_NEW = f"""{_MORE}INSERT DATA {{ GRAPH <urn:news> {{ {_ABOUT} ; dcterms:issued "2023-09-01"^^xsd:date }} }}"""
_UNDATED = f"""{_MORE}INSERT DATA {{ GRAPH <urn:news> {{ {_ABOUT} ; sol:addresses commitment:valley-2 }} }}"""


def test_a_shift_names_what_was_gained_and_lost() -> None:
    """A report on buying turns promise 2 from no evidence to some; taking it back is a loss."""
    store = changed(_NEW)
    first = store.versions()[-1].number
    with store.change("take it back") as change:
        change.clear("urn:news")
    (lost,) = (s for s in shifts(store, first, date(2024, 6, 1)) if s.identifier == "2" and not s.indicator)
    assert (lost.before, lost.after, lost.value_before, lost.value_after) == ("some-evidence", "no-evidence", 1, 0)
    assert [finding.label for finding in lost.lost] == ["News"]
    before = store.versions()[-3].number
    (gained,) = (s for s in history(store, date(2024, 6, 1))[1].standings if s.identifier == "2")
    assert [finding.label for finding in gained.findings] == ["News"]
    assert shifts(store, before, date(2024, 6, 1)) == []


def test_the_past_is_the_content_of_that_version() -> None:
    """What is put back equals what the version held, and a version that is not kept is refused with the known ones."""
    store = changed(_NEW)
    number = store.versions()[-1].number
    content = store.dump("nq")
    with store.change("take it back") as change:
        change.clear("urn:news")
    with past(store, number) as copy:
        assert copy.dump("nq") == content
    with pytest.raises(UsageError, match="there is no version 999"):
        past(store, 999)


def test_evidence_without_a_date_is_never_stale() -> None:
    """A report of which nobody says when it came out is some evidence."""
    store = changed(_UNDATED)
    (standing,) = (s for s in monitor(store, date(2024, 6, 1)) if s.identifier == "2")
    assert (standing.status, standing.age_months) == ("some-evidence", None)
