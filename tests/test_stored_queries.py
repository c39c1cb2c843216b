"""The shipped queries: their answers on the village, in a second engine, on added facts and on the shipped graph."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path

import polars as pl
import pytest
import rdflib

from graphkit import queries
from graphkit.assembly import assemble_shipped
from graphkit.files import queries_folder
from graphkit.queries import Query
from graphkit.store import Store, open_store
from graphkit.terms import ID, PREFIXES, QUERY, graph_iri
from tests.village_fixture import village_store

EXPECTED = Path(__file__).with_name("expected")
SELECTS = [query for query in queries.catalogue().values() if query.form == "SELECT"]
CHECKS = [query for query in SELECTS if query.name.startswith("checks/")]
VALUES: dict[str, dict[str, str | Sequence[str]]] = {
    "explore/labels": {"thing": ["place/upton", "voc:kind/cooperative"]},
    "explore/concepts": {"scheme": "voc:stance"},
    "explore/label-statements": {"thing": ["place/upton", "voc:kind/cooperative"]},
    "explore/organisation": {"organisation": "organisation/bakery"},
    "explore/search": {"text": "BREAD"},
    "explore/thing": {"thing": "activity/bread-project"},
    "explore/pointing": {"thing": "activity/bread-project"},
    "explore/relations": {"thing": "activity/bread-project"},
    "explore/statements": {"thing": "activity/bread-project"},
    "explore/statements-nested": {"thing": "activity/bread-project"},
    "explore/traces": {"thing": "activity/bread-project"},
    "explore/usage": {"term": "sol:Commitment"},
    "policy/events-by-eu-bodies": {"kind": "voc:kind/public-body"},
    "region/grants": {"region": "place/upton"},
    "region/organisations": {"region": "place/upton"},
    "region/participations": {"region": "place/upton"},
    "region/things": {"region": "place/upton"},
}
"""What the expected answers were asked with, where that is not everything."""

OTHER_ENGINE = [
    query
    for query in SELECTS
    if query.name.split("/")[0] in {"explore", "funding", "monitor", "networks", "policy"}
    and query.name
    not in {"explore/counts", "funding/objective-paths", "funding/structural-beneficiaries", "monitor/partnerships"}
]
"""A sample: rdflib loses a row of VALUES before an OPTIONAL (counts); some paths and the checks take it too long."""

_NAMES = "".join(f"@prefix {prefix}: <{space}> .\n" for prefix, space in PREFIXES.items()) + "".join(
    f"@prefix {kind}: <{ID}{kind}/> .\n"
    for kind in ("activity", "claim", "commitment", "definition", "grant", "group", "objective", "organisation",
                 "output", "participation", "passage", "person", "place", "policy", "scheme", "source", "statement")
) + "".join(
    f"@prefix {scheme}: <{PREFIXES['voc']}{scheme}/> .\n"
    for scheme in ("kind", "role", "status", "theme", "precision", "measure", "barrier", "activity-kind")
)  # fmt: skip


def _by_name(query: Query) -> str:
    return query.name


@cache
def _village_without_mappings() -> bytes:
    lines = village_store().dump("nq").splitlines(keepends=True)
    return b"".join(line for line in lines if f"<{graph_iri('mappings')}>".encode() not in line)


def _with(facts: str) -> Store:
    """Return the village with more facts in graph/more, and all that follows."""
    store = open_store()
    with store.change("the village and more facts") as change:
        change.load(_village_without_mappings(), media_type="nq")
        change.load((_NAMES + facts).encode(), media_type="ttl", graph=graph_iri("more"))
    queries.derive(store)
    return store


def _short(value: object) -> str:
    """Write a cell as the tests do: without the long beginnings of IRIs."""
    text = "" if value is None else str(value)
    for space in (ID, PREFIXES["voc"], PREFIXES["sol"], PREFIXES["schema"]):
        text = text.removeprefix(space)
    return text


def _rows(store: Store, name: str, *columns: str, **values: str) -> list[tuple[str, ...]]:
    frame = queries.run(store, name, **values)
    return [tuple(map(_short, row)) for row in frame.select(columns or frame.columns).rows()]


# ---- The village -----------------------------------------------------------------------------


@pytest.mark.parametrize("query", SELECTS, ids=_by_name)
def test_the_village_answers_as_expected(village: Store, query: Query) -> None:
    """Each stored query gives, on the village, the rows that were counted by hand."""
    expected = (EXPECTED / f"{query.name}.csv").read_text()
    assert queries.run(village, query, **VALUES.get(query.name, {})).write_csv() == expected


@pytest.mark.parametrize("query", SELECTS, ids=_by_name)
def test_the_order_is_that_of_the_engine(village: Store, query: Query) -> None:
    """Sorting the rows outside of the engine changes nothing."""
    values = VALUES.get(query.name, {})
    assert queries.run(village, query, **values).equals(village.select(queries.bind(query, values)))


PER_SOURCE = frozenset(
    {
        "explore/label-statements", "explore/pointing", "explore/sources", "explore/statements", "identity/records",
        "explore/statements-nested", "identity/statement-counts",
    }
)  # fmt: skip
"""Queries whose rows tell which source says something, or how much each says."""


@pytest.fixture(scope="module")
def village_twice(village: Store) -> Iterator[Store]:
    """Open the village with each of its statements also in the graph of another source."""
    store = open_store()
    said = village.dump("nq").decode().splitlines()
    again = [f"{line[: line.rindex('<')]}<{graph_iri('another')}> ." for line in said if line.endswith("> .")]
    with store.change("two sources that agree") as change:
        change.load("\n".join([*said, *again]).encode(), media_type="nq")
    yield store
    store.close()


@pytest.mark.parametrize("query", [each for each in SELECTS if each.name not in PER_SOURCE], ids=_by_name)
def test_what_two_sources_say_counts_once(village: Store, village_twice: Store, query: Query) -> None:
    """No number and no sum grows, and no row comes twice, because a second source says the same."""
    values = VALUES.get(query.name, {})
    once, twice = queries.run(village, query, **values), queries.run(village_twice, query, **values)
    if query.name == "explore/counts":  # Statements are counted in each graph: that is what the number says.
        once, twice = (frame.filter(pl.col("what") != "statements") for frame in (once, twice))
    assert twice.equals(once)


def test_every_expected_answer_has_its_query() -> None:
    """No expected answer is left over from a query that is gone."""
    kept = {path.relative_to(EXPECTED).with_suffix("").as_posix() for path in EXPECTED.rglob("*.csv")}
    assert kept == {query.name for query in SELECTS}


@pytest.fixture(scope="module")
def other_engine(village: Store) -> Iterator[rdflib.Dataset]:
    """Give the village to rdflib."""
    dataset = rdflib.Dataset(default_union=True)
    dataset.parse(data=village.dump("nq").decode(), format="nquads")
    yield dataset
    dataset.close()


def _plain(value: object) -> str:
    if isinstance(value, rdflib.Literal) and not isinstance(python := value.toPython(), rdflib.Literal):
        value = python
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else f"{value:.9f}" if isinstance(value, Decimal) else str(value)


@pytest.mark.filterwarnings("ignore:Dataset:DeprecationWarning")
@pytest.mark.parametrize("query", OTHER_ENGINE, ids=_by_name)
def test_another_engine_answers_the_same(village: Store, other_engine: rdflib.Dataset, query: Query) -> None:
    """The files run unchanged in another SPARQL engine, with the same rows in the same order."""
    values = VALUES.get(query.name, {})
    ours = [tuple(map(_plain, row)) for row in queries.run(village, query, **values).rows()]
    theirs = [tuple(map(_plain, row)) for row in other_engine.query(queries.bind(query, values))]  # type: ignore[arg-type]
    assert theirs == ours


@pytest.mark.parametrize(
    ("name", "values", "column", "expected"),
    [
        ("explore/organisations", {"region": "place/upton"}, "label", ["Bakery", "Dairy", "Farm", "Mill"]),
        ("explore/organisations", {"kind": "voc:kind/public-body"}, "label", ["Council"]),
        ("explore/organisations", {"status": "voc:status/proposed"}, "label", ["Valley Consortium"]),
        ("explore/activities", {"theme": "voc:theme/finance"}, "label", ["Piggy Bank Study", "Savings Club"]),
        ("explore/activities", {"organisation": "organisation/dairy"}, "label", ["Harvest Fair"]),
        ("explore/activities", {"since": "2023-05-01"}, "label",
         ["Bus Link", "Market Day", "Savings Club", "Wage Talks"]),
        ("explore/activities", {"since": "2021-11-30", "until": "2021-12-31"}, "label", ["Bread Project"]),
        ("explore/activities", {"until": "2016-05-02"}, "label", ["Choir Tour", "Reading Week"]),
        ("explore/activities", {"region": "place/downton"}, "label", ["Reading Week"]),
        ("explore/activities", {"kind": "voc:activity-kind/project", "status": "voc:status/planned"}, "label",
         ["Piggy Bank Study"]),
        ("explore/activity-participants", {"activity": "activity/wage-talks"}, "label", ["Council", "Union"]),
        ("explore/activity-participants", {"role": "voc:role/applicant"}, "label", ["Mill"]),
        ("explore/regions-of-organisation", {"organisation": "organisation/mill"}, "region_label",
         ["Mill Lane", "Upton", "Valley"]),
        ("explore/search", {"text": "upton bak"}, "matched", ["Upton Bakers"]),
        ("explore/search", {"text": "up"}, "label", ["Bakery", "Upton", "Speak up for the social economy"]),
        ("explore/timeline", {"since": "2023-02-01", "until": "2023-05-01"}, "label",
         ["Bus Link", "Wage Talks", "Wage Talks"]),
        ("explore/timeline", {"theme": "voc:theme/finance"}, "label", ["Savings Club"]),
        ("funding/bids", {"organisation": "organisation/mill"}, "label", ["Flour Bid"]),
        ("funding/bids", {"organisation": "organisation/farm"}, "label", []),
        ("funding/by-region", {"region": "place/upton"}, "amount", [Decimal(5000)]),
        ("funding/funding-paths", {"organisation": "organisation/mill"}, "step", ["applicant", "participant"]),
        ("funding/funding-paths", {"funder": "organisation/council"}, "organisation_label", ["Library"]),
        ("funding/grants", {"scheme": "scheme/seed-fund"}, "recipient_label", ["Bakery"]),
        ("funding/grants", {"since": "2021-01-01", "until": "2022-01-01"}, "recipient_label", ["Bakery"]),
        ("funding/opportunities", {"open_on": "2024-03-31"}, "label", ["Tender for the school canteen"]),
        ("funding/opportunities", {"open_on": "2024-04-01"}, "label", []),
        ("funding/recipients", {"region": "place/downton"}, "label", ["Choir", "Library"]),
        ("policy/claims", {"region": "place/upton"}, "label", ["Money is short"]),
        ("policy/claims", {"claimant": "organisation/library"}, "part", ["building block"]),
        ("policy/commitments", {"commitment": "commitment/valley-2"}, "identifier", ["2"]),
        ("policy/events-by-eu-bodies", {"kind": "voc:kind/eu-body"}, "label", []),
        ("policy/policies", {"kind": "voc:policy-kind/directive"}, "label", []),
        ("monitor/partnerships", {"commitment": "commitment/valley-1"}, "label", []),
    ],
)  # fmt: skip
def test_a_parameter_narrows_the_answer(
    village: Store, name: str, values: dict[str, str], column: str, expected: list[object]
) -> None:
    """Each parameter leaves just the rows that it asks for, in the village counted by hand."""
    assert queries.run(village, name, **values)[column].to_list() == expected


def test_several_regions_are_alternatives_and_no_row_comes_twice(village: Store) -> None:
    """Two regions of which one holds the other give each organisation once."""
    frame = queries.run(village, "explore/organisations", region=["place/mill-lane", "place/upton"])
    assert frame["label"].to_list() == ["Bakery", "Dairy", "Farm", "Mill"]


def test_who_belongs_together_is_found_along_chains(village: Store) -> None:
    """A part of a part of a member belongs with the whole, and a builder with what is built; nobody with itself."""
    facts = """
    organisation:ward a org:Organization ; rdfs:label "Ward"@en ; org:unitOf organisation:office .
    organisation:office a org:Organization ; rdfs:label "Office"@en ; org:subOrganizationOf organisation:dairy .
    organisation:ring a org:Organization ; rdfs:label "Ring"@en ; org:memberOf organisation:ring .
    activity:founding a sol:Activity ; rdfs:label "Founding"@en ; sol:builds organisation:ring .
    participation:founding a sol:Participation ; sol:participatesIn activity:founding ;
        sol:participant organisation:mill ; m8g:role role:lead .
    """
    known = set(_rows(village, "gaps/related"))
    found = set(_rows(_with(facts), "gaps/related")) - known
    assert found == {
        (f"organisation/{one}", f"organisation/{other}")
        for one, other in (
            ("ward", "office"),
            ("ward", "dairy"),
            ("ward", "valley-network"),
            ("office", "dairy"),
            ("office", "valley-network"),
            ("mill", "ring"),
        )
    }


# ---- Networks --------------------------------------------------------------------------------

_NETWORKS = [query for query in SELECTS if query.name.startswith("networks/")]


@pytest.mark.parametrize("query", _NETWORKS, ids=_by_name)
def test_a_network_lists_each_tie_once_and_no_tie_to_itself(village: Store, query: Query) -> None:
    """The columns are those of every network; undirected pairs stand once, in the order of their names."""
    assert list(query.columns) == ["source", "target", "activity", "date", "weight", "kind"]
    frame = queries.run(village, query)
    ties = frame.drop_nulls("target")
    assert not ties.select("source", "target", "activity").is_duplicated().any()
    if "directed" in query.tags:
        assert (ties["source"] != ties["target"]).all()
    else:
        assert (ties["source"] < ties["target"]).all()
    alone = set(frame.filter(frame["target"].is_null())["source"])
    assert alone.isdisjoint({*ties["source"], *ties["target"]})


_JOINT = """
activity:{0} a sol:Activity ; rdfs:label "{0}"@en {1} .
participation:{0}-1 a sol:Participation ; sol:participatesIn activity:{0} ;
    sol:participant organisation:museum ; m8g:role role:{2} .
participation:{0}-2 a sol:Participation ; sol:participatesIn activity:{0} ;
    sol:participant organisation:foundation ; m8g:role role:{3} .
"""


@pytest.mark.parametrize(
    ("stated", "roles", "joined"),
    [
        ("", ("partner", "partner"), True),
        ("; adms:status status:unknown", ("partner", "host"), True),
        ("; adms:status status:ended", ("co-lead", "supporter"), True),
        ("; adms:status status:planned", ("partner", "partner"), False),
        ("; adms:status status:proposed", ("partner", "partner"), False),
        ("; adms:status status:bid", ("partner", "partner"), False),
        ("; adms:status status:bid ; a sol:Bid", ("applicant", "applicant"), True),
        ("; adms:status status:completed", ("lead", "consulted"), False),
        ("; adms:status status:completed", ("researcher", "subject"), False),
        ("; adms:status status:completed", ("host", "visitor"), False),
    ],
)
def test_what_makes_a_tie_of_collaboration(stated: str, roles: tuple[str, str], joined: bool) -> None:
    """What happened and a joint bid join; what is only intended, and being asked, studied or a visitor, do not."""
    ties = _rows(
        _with(_JOINT.format("joint", stated, *roles)), "networks/collaboration", "source", "target", "activity"
    )
    tie = ("organisation/foundation", "organisation/museum", "activity/joint")
    assert (tie in ties) == joined
    assert (("organisation/museum", "", "") in ties) != joined


def test_the_words_of_a_network_can_be_chosen() -> None:
    """Other statuses and other ignored roles give another network."""
    store = _with(_JOINT.format("plan", "; adms:status status:planned", "partner", "consulted"))
    values = {"status": "voc:status/planned", "ignored_role": "voc:role/subject"}
    ties = [row for row in _rows(store, "networks/collaboration", **values) if row[1]]
    assert ties == [("organisation/foundation", "organisation/museum", "activity/plan", "", "1", "participation")]


def test_visitors_and_hosts_have_been_at_the_same_event() -> None:
    """The network of events joins all who were there, and not what was visited."""
    store = _with(_JOINT.format("trip", "; a sol:Event", "host", "visitor"))
    assert ("organisation/foundation", "organisation/museum", "activity/trip") in _rows(
        store, "networks/co-event", "source", "target", "activity"
    )
    store = _with(_JOINT.format("trip", "; a sol:Event", "subject", "visitor"))
    assert "activity/trip" not in queries.run(store, "networks/co-event")["activity"].drop_nulls().to_list()


def test_those_who_share_a_policy_are_joined() -> None:
    """Adopting a policy and making a commitment of it joins the two."""
    store = _with("commitment:valley-1 sol:committedBy organisation:museum .")
    ties = [row for row in _rows(store, "networks/policy") if row[1]]
    assert ties == [
        ("organisation/council", "organisation/museum", "policy/valley-charter", "2019-01-15", "1", "policy")
    ]


def test_being_consulted_is_no_membership() -> None:
    """Who was only asked about a collaboration does not belong to it; who co-ordinates it does."""
    facts = """
    participation:x a sol:Participation ; sol:participatesIn organisation:valley-consortium ;
        sol:participant organisation:{} ; m8g:role role:{} ; schema:endDate "2020-01-01"^^xsd:date ."""
    store = _with(facts.format("museum", "consulted"))
    assert ("organisation/museum", "") in _rows(store, "networks/membership", "source", "target")
    store = _with(facts.format("museum", "coordinator"))
    assert (
        "organisation/museum", "organisation/valley-consortium", "organisation/valley-consortium", "2020-01-01", "1",
        "membership",
    ) in _rows(store, "networks/membership")  # fmt: skip


# ---- Answers that the village has not --------------------------------------------------------


def test_a_definition_lists_its_kinds_with_their_part() -> None:
    """Core and wider kinds are told apart from those that are merely included."""
    store = _with("""
    definition:d a sol:Definition ; rdfs:label "D"@en ; sol:claimant organisation:union ;
        sol:coreKind kind:cooperative ; sol:widerKind kind:public-body ; sol:includesKind kind:cooperative , kind:zone .
    """)
    assert _rows(store, "explore/definitions", "claimant_label", "part", "kind_label") == [
        ("Union", "core", "Co-operative"), ("Union", "included", "Zone"), ("Union", "wider", "Public body"),
    ]  # fmt: skip
    assert "claim/d" not in queries.run(store, "policy/claims")["claim"].to_list()


def test_a_statement_leads_to_its_line() -> None:
    """A described statement shows its names, its value, its line and its source."""
    store = _with("""
    statement:s a rdf:Statement ; rdf:subject organisation:bakery ; rdf:predicate org:classification ;
        rdf:object kind:cooperative ; prov:wasDerivedFrom passage:village-L3 .
    passage:village-L3 a sol:Passage ; sol:line 3 ; dcterms:isPartOf source:village .
    """)
    columns = ("subject_label", "property_label", "value_label", "passage", "line", "source_label")
    expected = [("Bakery", "classification", "Co-operative", "passage/village-L3", "3", "The valley's chronicle")]
    assert _rows(store, "explore/statements-with-passages", *columns, subject="organisation/bakery") == expected
    assert _rows(store, "explore/statements-with-passages", *columns, property="rdfs:label") == []


def test_objectives_measures_and_legal_texts_are_listed() -> None:
    """Who pursues an objective, what is evaluated by a measure, and where a law can be read."""
    store = _with("""
    objective:o a sol:Objective ; rdfs:label "O"@en . organisation:union sol:pursues objective:o .
    organisation:union sol:evaluatedBy measure:peace .
    policy:law a sol:Policy, eli:LegalResource ; rdfs:label "Law"@en ; dcterms:issued "2020-02-02"^^xsd:date ;
        rdfs:seeAlso <https://example.org/law> .
    """)
    assert _rows(store, "policy/objectives", "label", "pursued_by_label") == [("O", "Union")]
    assert ("Peace", "Union") in _rows(store, "policy/evaluation-measures", "label", "evaluated_label")
    assert _rows(store, "policy/legal-texts", "label", "issued", "address") == [
        ("Law", "2020-02-02", "https://example.org/law")
    ]


def test_grants_without_a_place_or_a_sum_are_shown_as_such() -> None:
    """A grant to somebody without a place stands in a row without a region; one without an amount adds nothing."""
    store = _with("""
    grant:g a schema:MonetaryGrant ; rdfs:label "G"@en ; schema:funder organisation:council ;
        sol:recipient organisation:foundation ; schema:amount 10.50 ; schema:currency "GBP" .
    grant:h a schema:MonetaryGrant ; rdfs:label "H"@en ; schema:funder organisation:council ;
        sol:recipient organisation:foundation .
    """)
    frame = queries.run(store, "funding/by-region")
    assert frame.filter(frame["region"].is_null()).rows() == [
        (None, None, None, 1, Decimal(0)), (None, None, "GBP", 1, Decimal("10.5"))
    ]  # fmt: skip
    assert queries.run(store, "funding/by-region", region="place/upton")["region"].null_count() == 0


def test_people_are_shown_with_what_they_head() -> None:
    """A person appears with participations, with what the person heads, and alone where nothing is known."""
    store = _with("""
    person:chair a foaf:Person ; rdfs:label "Chair"@en ; org:headOf organisation:union .
    person:poet a foaf:Person ; rdfs:label "Poet"@en .
    """)
    assert _rows(store, "explore/people", "label", "role_label", "activity_label") == [
        ("Chair", "Head", "Union"), ("Poet", "", ""), ("The Mayor", "Host", "Harvest Fair"),
    ]  # fmt: skip


def test_findings_of_gaps_are_no_facts_about_an_organisation() -> None:
    """A gap that concerns an organisation does not show among its facts."""
    store = _with("<urn:gap> a sol:FragilePoint ; sol:concerns organisation:bakery .")
    assert (
        "urn:gap"
        not in queries.run(store, "explore/organisation", organisation="organisation/bakery")["value"].to_list()
    )


# ---- Monitoring ------------------------------------------------------------------------------

_MONITORED = {
    "recognition": "commitment:valley-1",
    "procurement": "commitment:valley-2",
    "partnerships": "commitment:valley-3",
    "structural-funds": "commitment:funds",
}
_FUNDS = """
commitment:funds a sol:Commitment ; rdfs:label "Funds"@en ; m8g:isDerivedFrom policy:valley-charter ;
    sol:committedBy organisation:council ; schema:startDate "2019-01-15"^^xsd:date ;
    sol:monitoredBy <https://w3id.org/solidarity-graph/query/monitor/structural-funds> .
"""
_TALK = """
activity:a a sol:{kind} ; rdfs:label "A"@en ; dcterms:subject theme:{theme} ; schema:endDate "{day}"^^xsd:date {more} .
participation:a1 a sol:Participation ; sol:participatesIn activity:a ;
    sol:participant organisation:{who} ; m8g:role role:{role} .
participation:a2 a sol:Participation ; sol:participatesIn activity:a ;
    sol:participant organisation:bakery ; m8g:role role:partner .
"""
_USUAL = {"kind": "Event", "theme": "social-economy", "day": "2020-01-01", "more": "", "who": "council", "role": "host"}
_TEXT = """
{thing} a {kind} ; rdfs:label "T"@en ; dcterms:subject theme:{theme} ; dcterms:issued "2020-01-01"^^xsd:date {more} .
"""


def _talk(**words: str) -> str:
    return _TALK.format(**(_USUAL | words))


def _text(thing: str, kind: str, theme: str, more: str = "") -> str:
    return _TEXT.format(thing=thing, kind=kind, theme=theme, more=more)


@pytest.mark.parametrize(
    ("query", "facts", "found"),
    [
        ("recognition", _talk(), ["activity/a"]),
        ("recognition", _talk(theme="social-value", role="organiser"), ["activity/a"]),
        ("recognition", _talk(theme="arts"), []),
        ("recognition", _talk(day="2019-01-14"), []),
        ("recognition", _talk(day="2019-01-15"), ["activity/a"]),
        ("recognition", _talk(role="visitor"), []),
        ("recognition", _talk(who="museum"), []),
        ("recognition", _talk(kind="Activity"), []),
        ("recognition", _talk(more="; adms:status status:planned"), []),
        ("recognition", _talk(day="1999-01-01", more="; sol:addresses commitment:valley-1"), ["activity/a"]),
        ("recognition", _talk(day="2019-06-01") + "commitment:valley-1 sol:datePrecision precision:year .", []),
        ("recognition", _talk() + "commitment:valley-1 sol:datePrecision precision:year .", ["activity/a"]),
        ("recognition", _text("policy:p", "sol:Policy", "social-economy", "; sol:adoptedBy organisation:council"),
         ["policy/p"]),
        ("recognition", _text("policy:p", "sol:Policy", "social-economy", "; sol:adoptedBy organisation:museum"), []),
        ("recognition", _talk(more="; prov:generated policy:p")
         + _text("policy:p", "sol:Policy", "social-economy", "; sol:adoptedBy organisation:council"), ["policy/p"]),
        ("recognition", "policy:valley-charter dcterms:subject theme:social-economy .", []),
        ("procurement", _talk(kind="Activity", theme="procurement", role="partner"), ["activity/a"]),
        ("procurement", _talk(theme="procurement", who="museum"), []),
        ("procurement", _talk(kind="Activity", theme="procurement", more="; dcterms:type activity-kind:contract"), []),
        ("procurement", _talk(theme="procurement", role="consulted"), []),
        ("procurement", _text("output:o", "schema:Report, prov:Entity", "procurement"), ["output/o"]),
        ("procurement", _text("output:o", "schema:Report", "procurement", "; adms:status status:planned"), []),
        ("procurement", _text("policy:p", "sol:Policy", "procurement"), ["policy/p"]),
        ("procurement", _text("policy:p", "sol:Policy", "procurement")
         + "commitment:valley-2 dcterms:references policy:p .", []),
        ("partnerships", _talk(kind="Activity", theme="arts", role="partner"), ["activity/a"]),
        ("partnerships", _talk(theme="arts", role="consulted"), []),
        ("partnerships", _talk(theme="arts", role="visitor"), []),
        ("partnerships", _talk(theme="arts", who="bus-company"), []),
        ("partnerships", _talk(kind="Activity", theme="arts", role="partner", who="bus-company")
         + "organisation:bus-company sol:preferredRecord organisation:council .", ["activity/a"]),
        ("structural-funds", _FUNDS, []),
        ("structural-funds", _FUNDS + _text("output:o", "schema:Report", "structural-funds"), ["output/o"]),
        ("structural-funds", _FUNDS + _talk(theme="structural-funds", who="museum"), ["activity/a"]),
        ("structural-funds", _FUNDS + _text("grant:g", "schema:MonetaryGrant", "structural-funds",
         "; sol:recipient organisation:bakery"), ["grant/g"]),
        ("structural-funds", _FUNDS + _text("grant:g", "schema:MonetaryGrant", "structural-funds",
         "; sol:recipient organisation:bus-company"), []),
        ("structural-funds", _FUNDS + _text("grant:g", "schema:MonetaryGrant", "structural-funds",
         "; sol:recipient organisation:bus-company")
         + "organisation:bus-company sol:preferredRecord organisation:bakery .", ["grant/g"]),
    ],
)  # fmt: skip
def test_what_counts_as_evidence(village: Store, query: str, facts: str, found: list[str]) -> None:
    """Each monitoring query takes what its commitment asks for since it was made, and nothing else."""
    before = set(queries.run(village, f"monitor/{query}")["evidence"])
    frame = queries.run(_with(facts), f"monitor/{query}")
    assert [_short(thing) for thing in frame["evidence"] if thing not in before] == found
    assert {_short(thing) for thing in frame["commitment"]} <= {_MONITORED[query].replace(":", "/")}
    assert frame["method"].null_count() == frame["kind"].null_count() == 0


def test_a_commitment_outside_every_scope_is_shown_as_not_covered() -> None:
    """Coverage has a row without a scope for a commitment of a policy that no scope is about."""
    store = _with("""
    policy:p a sol:Policy ; rdfs:label "P"@en .
    commitment:c a sol:Commitment ; rdfs:label "C"@en ; m8g:isDerivedFrom policy:p .
    """)
    assert _rows(store, "monitor/coverage", commitment="commitment/c") == [("commitment/c", "C", *[""] * 6)]


# ---- Checks ----------------------------------------------------------------------------------

_FAULTS = {
    "circles": ("place:valley geo:sfWithin place:upton .", ["place/upton", "place/valley"]),
    "claims-of-nobody": ('claim:x a sol:Claim ; rdfs:label "X"@en ; schema:about barrier:fragmentation .', ["claim/x"]),
    "commitments-unmonitored": (
        'commitment:x a sol:Commitment ; rdfs:label "X"@en ; m8g:isDerivedFrom policy:valley-charter .',
        ["commitment/x"],
    ),
    "concepts-unknown": ("organisation:museum org:classification kind:trading-charty .", ["organisation/museum"]),
    "dates-of-wrong-type": ('activity:wage-talks dcterms:issued "2023"^^xsd:integer .', ["activity/wage-talks"]),
    "dates-out-of-order": (
        'grant:council-library-2023 schema:endDate "2022-12-31"^^xsd:date .',
        ["grant/council-library-2023"],
    ),
    "labels-missing": ("organisation:x a org:Organization .", ["organisation/x"]),
    "labels-several": (
        'organisation:x a org:Organization ; rdfs:label "Mill"@en, "The Mill"@en .',
        ["organisation/x"],
    ),
    "labels-shared": ('organisation:x a org:Organization ; rdfs:label "MUSEUM"@en .', ["organisation/museum"]),
    "links-dangling": ("organisation:museum prov:atLocation place:downtown .", ["organisation/museum"]),
    "links-to-itself": ("activity:wage-talks prov:wasInformedBy activity:wage-talks .", ["activity/wage-talks"]),
    "money-incomplete": ("grant:x schema:amount 5.00 .", ["grant/x"]),
    "participations-incomplete": (
        "participation:x a sol:Participation ; sol:participatesIn activity:wage-talks .",
        ["participation/x"],
    ),
    "participations-repeated": (
        """participation:x a sol:Participation ; sol:participatesIn activity:wage-talks ;
        sol:participant organisation:union ; m8g:role role:partner .""",
        ["participation/wage-talks-union"],
    ),
    "private-details": ("person:mayor foaf:mbox <mailto:mayor@example.org> .", ["person/mayor"]),
    "statements-untraced": (
        "statement:x a rdf:Statement ; rdf:subject place:upton ; rdf:predicate rdfs:label ; rdf:object 1 .",
        ["statement/x"],
    ),
}


@pytest.mark.parametrize("query", CHECKS, ids=_by_name)
def test_a_check_finds_the_fault_that_it_is_for(query: Query) -> None:
    """Each check is silent on the village, and names the thing at fault once a fault of its kind is added."""
    facts, things = _FAULTS[query.name.removeprefix("checks/")]
    frame = queries.run(_with(facts), query)
    assert frame.columns == ["thing", "value", "problem"]
    assert [_short(thing) for thing in frame["thing"]] == things


def test_a_commitment_monitored_by_an_unknown_query_is_found() -> None:
    """Where the catalogue is loaded, a monitoring query that it does not have is a finding."""
    facts = "commitment:valley-1 sol:monitoredBy <https://w3id.org/solidarity-graph/query/monitor/recognised> ."
    store = _with(facts)
    assert _rows(store, "checks/commitments-unmonitored") == []
    with store.change("describe the queries") as change:
        change.load(queries.as_rdf(queries.catalogue()), media_type="nt", graph=graph_iri("queries"))
    assert _rows(store, "checks/commitments-unmonitored", "thing", "value") == [
        ("commitment/valley-1", QUERY + "monitor/recognised")
    ]


# ---- The shipped graph -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped() -> Iterator[Store]:
    """Assemble the shipped ontology with its sources and all that follows."""
    store = assemble_shipped()
    yield store
    store.close()


@pytest.mark.parametrize("query", SELECTS, ids=_by_name)
def test_the_shipped_graph_keeps_the_contract(shipped: Store, query: Query) -> None:
    """Each query answers its columns on the shipped graph, with no row twice; no check finds anything."""
    frame = queries.run(shipped, query, **VALUES.get(query.name, {}))
    assert frame.columns == list(query.columns)
    assert not frame.is_duplicated().any()
    if query in CHECKS:
        assert frame.rows() == []


def test_the_counts_lead_to_stored_queries(village: Store) -> None:
    """Each number of the first page names a query that exists."""
    assert set(queries.run(village, "explore/counts")["query"]) <= set(queries.catalogue())


# ---- The list --------------------------------------------------------------------------------


def test_the_readme_lists_exactly_the_catalogue() -> None:
    """The table of queries/README.md has the name and the summary of each stored query, and no other."""
    readme = (queries_folder() / "README.md").read_text()
    listed = re.findall(r"^\| `([a-z-]+/[a-z-]+)` \| (.*) \|$", readme, re.MULTILINE)
    assert listed == [(query.name, query.summary) for query in queries.catalogue().values()]


@pytest.mark.parametrize("query", list(queries.catalogue().values()), ids=_by_name)
def test_a_query_says_what_it_is_for(query: Query) -> None:
    """Each query has a description and tags; each parameter's class and default use known words."""
    assert query.description
    assert query.tags
    assert not query.summary.endswith(".")
    assert all(meaning.strip() for meaning in query.columns.values())
