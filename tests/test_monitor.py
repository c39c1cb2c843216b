"""How commitments stand: by evidence, age and the reach of the sources."""

from __future__ import annotations

from datetime import date

import pytest

from graphkit.errors import DataError, UnknownNameError
from graphkit.monitor import Standing, monitor
from graphkit.store import Store
from graphkit.terms import ID
from tests.village_fixture import village_store

DAY = date(2024, 6, 1)
PREFIXES = """PREFIX sol: <https://w3id.org/solidarity-graph/ns#>
PREFIX commitment: <https://w3id.org/solidarity-graph/id/commitment/>
PREFIX query: <https://w3id.org/solidarity-graph/query/monitor/>
"""


def by_number(store: Store, today: date = DAY) -> dict[str, Standing]:
    return {standing.identifier: standing for standing in monitor(store, today)}


def changed(update: str) -> Store:
    store = village_store()
    with store.change("test") as change:
        change.update(PREFIXES + update)
    return store


def test_each_commitment_is_monitored_by_its_own_query(village: Store) -> None:
    """Market Day speaks for promise 1, two joint activities for 3, nothing for 2."""
    found = by_number(village)
    assert {number: s.status for number, s in found.items()} == {
        "1": "some-evidence",
        "2": "no-evidence",
        "3": "some-evidence",
    }
    assert [f.label for f in found["3"].findings] == ["Wage Talks", "Bus Link"]
    assert found["3"].query == "monitor/partnerships"


def test_what_lies_after_the_day_is_not_seen(village: Store) -> None:
    """In March 2023 only the Bus Link had begun."""
    assert [f.label for f in by_number(village, date(2023, 3, 1))["3"].findings] == ["Bus Link"]


def test_age_counts_whole_months_up_to_the_end_of_the_scope(village: Store) -> None:
    """From 2023-05-01 to 2023-12-31 seven whole months have passed."""
    standing = by_number(village)["3"]
    assert (standing.newest, standing.as_of, standing.age_months) == (date(2023, 5, 1), date(2023, 12, 31), 7)


def test_a_target_that_is_met_in_time_puts_a_commitment_on_track() -> None:
    """Two pieces of evidence meet a target of two and miss one of three."""
    assert by_number(changed("INSERT DATA { commitment:valley-3 sol:target 2 }"))["3"].status == "on-track"
    assert by_number(changed("INSERT DATA { commitment:valley-3 sol:target 3 }"))["3"].status == "some-evidence"


def test_a_short_review_period_makes_evidence_stale() -> None:
    """With a review every 3 months the evidence of May is stale in December."""
    store = changed(
        "DELETE { GRAPH ?g { commitment:valley-3 sol:reviewMonths ?m } }"
        " INSERT { GRAPH ?g { commitment:valley-3 sol:reviewMonths 3 } }"
        " WHERE { GRAPH ?g { commitment:valley-3 sol:reviewMonths ?m } }"
    )
    assert by_number(store)["3"].status == "stale"


def test_without_scope_and_evidence_nothing_can_be_measured() -> None:
    """A promise that no source covers is not measurable rather than broken."""
    store = changed("DELETE WHERE { GRAPH ?g { <" + ID + "scope/village-commitments> ?p ?o } }")
    assert by_number(store)["2"].status == "not-measurable"
    assert by_number(store)["1"].status == "some-evidence"


def test_a_commitment_without_a_stored_query_is_refused() -> None:
    """The error names the commitment and says what to write."""
    store = changed("DELETE WHERE { GRAPH ?g { commitment:valley-2 sol:monitoredBy ?q } }")
    with pytest.raises(DataError, match=r"names no stored query(?s:.*)sol:monitoredBy"):
        monitor(store, DAY)


def test_a_query_that_is_not_in_the_catalogue_is_refused_with_near_names() -> None:
    """A misspelt query is an error and no silence."""
    store = changed(
        "DELETE { GRAPH ?g { commitment:valley-2 sol:monitoredBy ?q } }"
        " INSERT { GRAPH ?g { commitment:valley-2 sol:monitoredBy query:procurment } }"
        " WHERE { GRAPH ?g { commitment:valley-2 sol:monitoredBy ?q } }"
    )
    with pytest.raises(UnknownNameError, match="monitor/procurement"):
        monitor(store, DAY)
