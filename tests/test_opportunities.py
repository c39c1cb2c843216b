"""Opportunities: who fits, who may bid, which consortia could, and how bids ended."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from graphkit.errors import UnknownNameError, UsageError
from graphkit.opportunities import bid_record, consortia_for, load_opportunities, matches, needs_of
from graphkit.plans import proposals_in_words
from graphkit.store import Store, open_store
from graphkit.terms import ID
from tests.harbour_fixture import harbour, harbour_store
from tests.test_monitor_figures import PREFIXES

__all__ = ["harbour"]


def fits(store: Store, opportunity: str, *columns: str) -> list[tuple[object, ...]]:
    loaded = load_opportunities(store)
    return matches(loaded, needs_of(loaded, opportunity)).select(*columns).rows()


def test_fit_is_the_share_of_what_is_asked_and_the_region(harbour: Store) -> None:
    """The sailing school asks for education and a co-operative in the north."""
    assert fits(harbour, "opportunity/school", "organisation_label", "fit", "meets", "lacks", "in_region") == [
        ("Net Menders", 0.75, "Research and education", "Co-operative", True),
        ("Rowers", 0.75, "Co-operative", "Research and education", True),
        ("Bakers' Guild", 0.25, "Co-operative", "Research and education", False),
    ]


def test_a_reserved_opportunity_is_for_core_organisations(harbour: Store) -> None:
    """A company with the same theme is left out of the reserved care contract, and the note says what to check."""
    facts = f"{PREFIXES} <{ID}organisation/list.steel> dcterms:subject theme:health ."
    for store in (harbour, harbour_store(facts.encode())):
        assert fits(store, "opportunity/care", "organisation_label", "note") == [
            ("Rowers", "reserved: check that it meets the ground")
        ]


def test_what_asks_for_no_capability_has_no_row(harbour: Store) -> None:
    """The sea wall names a place and nothing else; its division of the CPV stands for no theme."""
    assert fits(harbour, "opportunity/wall", "organisation") == []


def test_only_what_may_be_open_is_offered(harbour: Store) -> None:
    """In 2024 only the school is open; on the last day of the care contract all three are."""
    loaded = load_opportunities(harbour)
    assert set(loaded.open_on(date(2024, 1, 1))["label"]) == {"Sailing school"}
    assert set(loaded.open_on(date(2020, 5, 1))["label"]) == {"Care at home", "Sea wall", "Sailing school"}
    closed = f"{PREFIXES} <{ID}opportunity/school> <http://www.w3.org/ns/adms#status> <urn:x/status/ended> ."
    assert load_opportunities(harbour_store(closed.encode())).open_on(date(2024, 1, 1)).height == 0


def test_the_list_is_cut_for_each_opportunity(harbour: Store) -> None:
    """With one for each, the best by fit stays, ties by name of the record."""
    loaded = load_opportunities(harbour)
    assert matches(loaded, loaded.needs, top=1).select("label", "organisation_label").rows() == [
        ("Care at home", "Rowers"), ("Sailing school", "Net Menders"),
    ]  # fmt: skip
    with pytest.raises(UsageError):
        matches(loaded, loaded.needs, top=0)


def test_a_consortium_covers_what_is_asked_without_the_buyer(harbour: Store) -> None:
    """Net Menders and Rowers together have both; the town offers it and cannot bid."""
    words = proposals_in_words(consortia_for(load_opportunities(harbour), "opportunity/school"))
    assert "Net Menders and Rowers" in words
    assert "Town" not in words


def test_an_opportunity_that_asks_for_nothing_or_is_not_there_is_refused(harbour: Store) -> None:
    """The error says what to add, or which names are near."""
    loaded = load_opportunities(harbour)
    with pytest.raises(UsageError, match="requiresCapability"):
        consortia_for(loaded, "opportunity/wall")
    with pytest.raises(UnknownNameError, match="opportunity/school"):
        consortia_for(loaded, "opportunity/scool")


def test_an_unknown_outcome_is_no_loss(harbour: Store) -> None:
    """The Rowers won one of one that was decided; of the Net Menders' only bid nothing is known."""
    rows = {row["participant_label"]: row for row in bid_record(harbour).to_dicts()}
    assert (rows["Rowers"]["bids"], rows["Rowers"]["won"], rows["Rowers"]["not_known"], rows["Rowers"]["rate"]) == (
        2,
        1,
        1,
        1,
    )
    assert rows["STEEL WORKS"]["rate"] == 0
    assert rows["Net Menders"]["rate"] is None


def test_a_graph_without_opportunities_has_none() -> None:
    """No opportunity, no failure."""
    with open_store() as store:
        loaded = load_opportunities(store)
        assert matches(loaded, loaded.needs).height == 0
        assert bid_record(store).height == 0
        assert isinstance(loaded.open_on(date(2024, 1, 1)), pl.DataFrame)
