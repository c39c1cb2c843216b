"""What the search for gaps finds in the village, counted on the fingers."""

from __future__ import annotations

import json
from datetime import date

import pytest
from rdflib import Graph

from graphkit.errors import UnknownNameError
from graphkit.export import gaps_to_json, gaps_to_words
from graphkit.gaps import KINDS, TIERS, Gap, GapReport, as_frame, find_gaps, save_run, to_turtle
from graphkit.store import Store, open_store
from graphkit.terms import ID, graph_iri
from tests.village_fixture import village_store

DAY = date(2024, 6, 1)


@pytest.fixture(scope="module")
def report(village: Store) -> GapReport:
    """Search the village for gaps, half a year after its chronicle ends."""
    return find_gaps(village, today=DAY)


def members(report: GapReport, kind: str) -> set[str]:
    return {" + ".join(gap.labels) for gap in report.of_kind(kind)}


def only(report: GapReport, kind: str, *labels: str) -> Gap:
    found = [gap for gap in report.of_kind(kind) if gap.labels == labels]
    assert len(found) == 1, f"{kind} {labels}: {len(found)}"
    return found[0]


def test_every_gap_says_who_why_and_what_to_do(report: GapReport) -> None:
    """No gap is without members, a score in [0, 1], a tier, an explanation and an action."""
    assert report.gaps
    for gap in report.gaps:
        assert gap.members
        assert len(gap.members) == len(gap.labels)
        assert 0 <= gap.score <= 1
        assert gap.tier in TIERS
        assert gap.explanation.endswith(".")
        assert gap.action.endswith(".")
        assert not any(label.startswith("http") for label in gap.labels)


def test_sources_bound_what_can_be_said(village: Store, report: GapReport) -> None:
    """The search speaks from the end of the completeness scopes, or from an earlier day when asked."""
    assert report.as_of == date(2023, 12, 31)
    assert find_gaps(village, today=date(2020, 1, 1)).as_of == date(2020, 1, 1)


def test_a_small_graph_carries_a_banner(report: GapReport) -> None:
    """The banner says how small the graph is and that absence of evidence is no evidence of absence."""
    assert "small graph" in report.banner
    assert "11 have a known joint activity" in report.banner
    assert "2023-12-31" in report.banner


def test_a_commitment_without_evidence_is_found(report: GapReport) -> None:
    """Only the promise to report on what is bought has nothing behind it."""
    assert members(report, "C1") == {"2 Report on what the council buys"}
    assert only(report, "C1", "2 Report on what the council buys").score == 1


def test_a_commitment_goes_stale_after_its_review_period() -> None:
    """Without the events of 2023 the newest joint work for promise 3 is older than its 24 months."""
    store = village_store()
    with store.change("forget the newest events") as change:
        change.update(
            """PREFIX activity: <https://w3id.org/solidarity-graph/id/activity/>
            PREFIX schema: <https://schema.org/>
            DELETE { GRAPH ?g { ?a schema:startDate ?d ; schema:endDate ?e } }
            INSERT { GRAPH ?g { ?a schema:startDate "2021-05-01"^^<http://www.w3.org/2001/XMLSchema#date> } }
            WHERE { VALUES ?a { activity:bus-link activity:wage-talks }
                    GRAPH ?g { ?a schema:startDate ?d OPTIONAL { ?a schema:endDate ?e } } }"""
        )
    gap = only(find_gaps(store, kinds=["C2"], today=DAY), "C2", "3 Work together with the valley's organisations")
    assert gap.score == 1
    assert "31 months before 2023-12-31" in gap.explanation


def test_an_uncovered_commitment_is_not_known_rather_than_missing() -> None:
    """Without a completeness scope the unanswered promise is a data gap and no C1."""
    store = village_store()
    with store.change("withdraw the scope") as change:
        change.update("DELETE WHERE { GRAPH ?g { <" + ID + "scope/village-commitments> ?p ?o } }")
    report = find_gaps(store, today=DAY)
    assert not report.of_kind("C1")
    assert any("Report on what the council buys" in gap.labels[0] for gap in report.of_kind("D"))
    assert {s.status for s in report.standings if s.identifier == "2"} == {"not-measurable"}


def test_fragile_points_are_those_whose_leaving_cuts_others_off(report: GapReport) -> None:
    """Credit Union, Bakery and Council hold the village together; so does one tie."""
    assert members(report, "R1") == {"Credit Union", "Bakery", "Council", "Bakery + Credit Union"}
    council = only(report, "R1", "Council")
    # without Council: 8 others stay together, Union and the stallholders stand alone: 8*1 + 8*1 + 1*1 pairs of 11*10/2
    assert council.score == pytest.approx(17 / 55, abs=1e-6)
    assert {e.label for e in council.evidence} >= {"Union", "Three stallholders", "Wage Talks"}


def test_a_tie_that_alone_joins_two_parts_is_fragile(report: GapReport) -> None:
    """The Savings Club joins the four of Upton to the other seven: 28 of 55 pairs."""
    tie = only(report, "R1", "Bakery", "Credit Union")
    assert tie.score == pytest.approx(28 / 55, abs=1e-6)
    assert [e.label for e in tie.evidence] == ["Savings Club"]


def test_introductions_name_the_partner_of_both(report: GapReport) -> None:
    """Bakery and Council have both worked with Credit Union, and never with each other."""
    gap = only(report, "P1", "Bakery", "Council")
    assert "both have worked with Credit Union" in gap.explanation
    assert "through Credit Union" in gap.action
    assert {e.label for e in gap.evidence} >= {"Credit Union", "Savings Club", "Bus Link"}


def test_nobody_is_introduced_to_a_partner_or_to_a_nameless_group(report: GapReport) -> None:
    """Pairs with a tie, and the stallholders whom no source names, are never suggested."""
    tied = {frozenset(pair) for pair in report.network.ties.select("source", "target").rows()}
    for gap in report.of_kind("P1"):
        assert frozenset(gap.members) not in tied
        assert "Three stallholders" not in gap.labels


def test_no_organisation_fills_the_list(report: GapReport) -> None:
    """Each organisation stands in at most three introductions."""
    names = [label for gap in report.of_kind("P1") for label in gap.labels]
    assert max(map(names.count, names)) <= 3


def test_outside_every_scope_nothing_is_claimed_as_missing() -> None:
    """When the source withdraws its claim to be complete, P1, P2 and R2 fall silent and the banner says so."""
    store = village_store()
    with store.change("withdraw the scope") as change:
        change.update("DELETE WHERE { GRAPH ?g { <" + ID + "scope/village-activities> ?p ?o } }")
    report = find_gaps(store, today=DAY)
    assert report.counts() | {"P1": 0, "P2": 0, "R2": 0} == report.counts()
    assert "no missing partnership is claimed" in report.banner
    assert "Museum" in str([gap.labels for gap in report.of_kind("D")])


def test_a_dormant_tie_is_strong_and_old(report: GapReport) -> None:
    """Choir and Library worked together twice, last in 2016; living and fresh ties are left out."""
    assert report.of_kind("P2")[0].labels == ("Choir", "Library")
    assert "2016-05-06" in report.of_kind("P2")[0].explanation
    assert "Bakery + Credit Union" not in members(report, "P2")
    assert "Council + Union" not in members(report, "P2")


def test_constrained_organisations_have_partners_who_all_know_each_other(report: GapReport) -> None:
    """The closed circles of the fair, the reading week and the bus; their hubs reach beyond."""
    assert members(report, "B2") == {"Choir", "Library", "Dairy", "Farm", "Mill", "Bus Company"}


def test_the_edge_is_the_museum_and_the_union(report: GapReport) -> None:
    """Museum has no tie and Union a single one; a network with members is no isolate."""
    assert members(report, "R2") == {"Museum", "Union"}
    assert only(report, "R2", "Museum").score == 1
    evidence = {e.label: e.note for e in only(report, "R2", "Museum").evidence}
    assert [name for name, note in evidence.items() if note == "near by theme or place"] == [
        "Choir",
        "Credit Union",
        "Library",
    ]
    assert evidence["Joint activities in the valley, 2010 to 2023"] == "declared complete up to here"


def test_data_gaps_count_what_the_sources_do_not_say(report: GapReport) -> None:
    """The bid without outcome, the nameless group, the foundation without place."""
    assert members(report, "D") == {"Flour Bid", "Three stallholders", "Foundation"}
    assert all("not to be taken as absent" in gap.explanation for gap in report.of_kind("D"))


def test_only_the_kinds_asked_for_are_given(village: Store) -> None:
    """A kind that is not known is refused with the near ones."""
    assert {gap.kind for gap in find_gaps(village, kinds=["R1", "C1"], today=DAY).gaps} == {"R1", "C1"}
    with pytest.raises(UnknownNameError, match="Q7"):
        find_gaps(village, kinds=["Q7"])


def test_gaps_come_in_the_same_order_every_time(village: Store, report: GapReport) -> None:
    """Two searches of the same graph give the same gaps, kind by kind, tier by tier, by falling score."""
    assert find_gaps(village, today=DAY).gaps == report.gaps
    order = list(KINDS)
    keys = [(order.index(gap.kind), TIERS.index(gap.tier), -gap.score) for gap in report.gaps]
    assert keys == sorted(keys)


def test_an_empty_graph_has_no_gaps() -> None:
    """Nothing in, nothing out, and no failure."""
    report = find_gaps(open_store(), today=DAY)
    assert report.gaps == ()
    assert report.counts()["R1"] == 0


def test_json_gives_the_promised_keys(report: GapReport) -> None:
    """Scripts rely on kind, members, score, explanation, evidence and action."""
    for gap in json.loads(gaps_to_json(report)):
        assert {"kind", "members", "score", "explanation", "evidence", "action"} <= gap.keys()


def test_words_begin_with_the_banner_and_name_each_kind(report: GapReport) -> None:
    """A person reads first how far to trust what follows."""
    words = gaps_to_words(report, top=1)
    assert " ".join(words.split()).startswith(report.banner)
    assert max(map(len, words.splitlines())) <= 110
    assert "C1  Commitment without action" in words
    assert "more" in words
    assert as_frame(report).height == len(report.gaps)


def test_a_run_is_kept_in_a_graph_of_its_own() -> None:
    """The run tells the version it used; saving it again changes nothing; no tie is asserted by it."""
    store = village_store()
    before = store.version
    found = find_gaps(store, today=DAY)
    name = save_run(store, found)
    assert name.startswith(graph_iri("gaps/"))
    assert before is not None
    run = store.select(
        "PREFIX sol: <https://w3id.org/solidarity-graph/ns#> SELECT ?version ?hash (COUNT(?gap) AS ?gaps) WHERE {"
        f" GRAPH <{name}> {{ ?run a sol:GapRun ; sol:storeVersion ?version ; sol:storeHash ?hash ."
        " ?gap <http://www.w3.org/ns/prov#wasGeneratedBy> ?run } } GROUP BY ?version ?hash"
    )
    assert run.rows() == [(before.number, before.hash, len(found.gaps))]
    after = store.version
    assert save_run(store, found) == name
    assert store.version == after
    again = find_gaps(store, today=DAY)
    assert [gap.members for gap in again.gaps] == [gap.members for gap in found.gaps]


def test_turtle_holds_a_node_of_the_right_class_for_each_gap(report: GapReport) -> None:
    """The Turtle parses, and every gap is an instance of its own class."""
    graph = Graph().parse(data=to_turtle(report), format="turtle")
    found = {str(kind) for kind in graph.objects(None, None) if "ns#" in str(kind)}
    assert {KINDS[gap.kind].iri for gap in report.gaps} <= found
