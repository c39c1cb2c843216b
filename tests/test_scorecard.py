"""The scorecard: judgements on their scales, regions side by side, and cells that stay empty."""

from __future__ import annotations

import polars as pl
import pytest

from graphkit import ontology
from graphkit.errors import UnknownNameError, UsageError
from graphkit.scorecard import assessments, figures_by_region, goals, scorecard
from graphkit.store import Store
from graphkit.terms import ID
from tests.harbour_fixture import harbour, harbour_store
from tests.test_monitor_figures import PREFIXES

__all__ = ["harbour"]


def cell(store: Store, measure: str, region: str) -> dict[str, object]:
    frame = scorecard(store, ["place/north", "place/south"])
    found = frame.filter((pl.col("measure_label") == measure) & (pl.col("region_label") == region))
    return found.row(0, named=True)


def test_a_region_is_the_mean_over_its_things(harbour: Store) -> None:
    """The Rowers have 0.75 and 0.5 from two assessors: 0.625 is the only judgement on social value in the north."""
    found = cell(harbour, "Social value", "North")
    assert (found["score"], found["things"], found["judgements"]) == (0.625, 1, 2)
    assert cell(harbour, "Environmental value", "North")["score"] == 0.5
    assert cell(harbour, "Democratic participation", "South")["score"] == 0.25


def test_what_nobody_has_judged_stays_missing(harbour: Store) -> None:
    """Every measure has a row for every region; an empty one is empty, says why, and is never 0."""
    frame = scorecard(harbour, ["place/north", "place/south"])
    measures = ontology.concepts().filter(pl.col("scheme") == "measure").height
    assert frame.height == 2 * measures
    assert frame["score"].null_count() == 2 * measures - 3
    assert not (frame["score"] == 0).any()
    assert frame.filter(pl.col("score").is_null())["coverage"].str.starts_with("not known").all()


def test_only_the_newest_judgement_of_an_assessor_counts() -> None:
    """When the town judges the Rowers anew, its old word is kept and no longer counts."""
    facts = f"""{PREFIXES} @prefix measure: <https://w3id.org/solidarity-graph/vocabulary/measure/> .
        id:new a sol:Assessment ; rdfs:label "New"@en ; sol:assesses <{ID}organisation/rowers> ;
        sol:assessedMeasure measure:social-value ; sol:assessor <{ID}organisation/town> ; schema:ratingValue 1.0 ;
        schema:worstRating 1.0 ; schema:bestRating 5.0 ; dcterms:issued "2024-01-01"^^xsd:date ;
        prov:wasDerivedFrom id:x ."""
    store = harbour_store(facts.encode())
    assert cell(store, "Social value", "North")["score"] == 0.25
    assert assessments(store, "organisation/rowers").height == 3


def test_things_weigh_alike_however_many_judge_them() -> None:
    """The Rowers have 0.625 from two, the Net Menders 0 from one: the region has 0.3125."""
    facts = f"""{PREFIXES} @prefix measure: <https://w3id.org/solidarity-graph/vocabulary/measure/> .
        id:new a sol:Assessment ; rdfs:label "New"@en ; sol:assesses <{ID}organisation/net-menders> ;
        sol:assessedMeasure measure:social-value ; sol:assessor <{ID}organisation/town> ; schema:ratingValue 1.0 ;
        schema:worstRating 1.0 ; schema:bestRating 5.0 ; dcterms:issued "2024-01-01"^^xsd:date ;
        prov:wasDerivedFrom id:x ."""
    assert cell(harbour_store(facts.encode()), "Social value", "North")["score"] == 0.3125


def test_a_larger_region_holds_what_its_parts_hold(harbour: Store) -> None:
    """The land has the Rowers and the judgement on its south; a thing is counted once."""
    frame = scorecard(harbour, ["place/land"]).drop_nulls("score")
    assert dict(frame.select("measure_label", "score").rows()) == {
        "Social value": 0.625, "Environmental value": 0.5, "Democratic participation": 0.25,
    }  # fmt: skip


def test_figures_of_measures_are_worked_out_for_each_region() -> None:
    """Members govern one organisation of three in the south of this invented graph, and what has no query says why."""
    facts = f"""{PREFIXES} @prefix measure: <https://w3id.org/solidarity-graph/vocabulary/measure/> .
        id:a a sol:Indicator ; rdfs:label "Governed"@en ; sol:indicatorOf measure:democratic-participation ;
        sol:computedBy <https://w3id.org/solidarity-graph/query/indicators/member-governed> ; schema:unitText "x" .
        id:b a sol:Indicator ; rdfs:label "Peace"@en ; sol:indicatorOf measure:peace ; schema:unitText "cases" ;
        sol:coverage "No statistics." ; sol:calculation "A count." ."""
    frame = figures_by_region(harbour_store(facts.encode()), ["place/north", "place/south"])
    governed = frame.filter(pl.col("indicator") == "Governed")
    assert dict(governed.select("region_label", "value").rows()) == {"North": 1.0, "South": 1.0}
    peace = frame.filter(pl.col("indicator") == "Peace")
    assert peace["value"].null_count() == 2
    assert set(peace["coverage"]) == {"No statistics."}


def test_measures_are_aligned_to_goals() -> None:
    """All but those without a near goal have a target, with confidence; none is exact."""
    frame = goals()
    assert {"Respect for human rights", "Open source", "Peace"} <= set(frame["measure_label"])
    assert frame["confidence"].is_between(0, 0.9).all()
    assert "http" not in "".join(frame["goal"])


def test_wrong_names_are_refused(harbour: Store) -> None:
    """A region that there is not, or none at all."""
    with pytest.raises(UnknownNameError, match="place/north"):
        scorecard(harbour, ["place/nort"])
    with pytest.raises(UsageError, match="no region"):
        scorecard(harbour, [])


def test_every_measure_has_an_indicator_in_the_shipped_graph() -> None:
    """Each of the measures says how it could be worked out, or why the sources cannot."""
    text = (ontology.ontology_folder() / "data" / "scorecard.trig").read_text()
    concepts = ontology.concepts().filter(pl.col("scheme") == "measure")["concept"]
    assert [iri for iri in concepts if f"measure:{iri.rpartition('/')[2]} ;" not in text] == []
