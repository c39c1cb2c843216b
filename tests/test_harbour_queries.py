"""The stored queries of money and policy on the harbour, whose answers were counted by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from graphkit import check, queries
from graphkit.ontology import load_ontology
from graphkit.store import Store, open_store
from graphkit.terms import SOL, graph_iri
from tests.harbour_fixture import HARBOUR, harbour, harbour_store

__all__ = ["harbour"]

EXPECTED = Path(__file__).with_name("harbour")
NAMES = sorted(path.relative_to(EXPECTED).with_suffix("").as_posix() for path in EXPECTED.rglob("*.csv"))


@pytest.mark.parametrize("name", NAMES)
def test_the_harbour_answers_as_expected(harbour: Store, name: str) -> None:
    """Each query gives the rows that were counted by hand."""
    assert queries.run(harbour, name).write_csv() == (EXPECTED / f"{name}.csv").read_text()


def test_every_query_of_indicators_is_counted_on_the_harbour() -> None:
    """No indicator comes in without an answer that was counted on a graph with money and notices."""
    assert {name for name in queries.catalogue() if name.startswith("indicators/")} <= set(NAMES)


_ABOUT_STATEMENTS = {
    "explore/counts", "explore/label-statements", "explore/pointing", "explore/statements", "explore/statements-nested",
    "explore/thing", "explore/usage", "identity/records", "identity/statement-counts",
}  # fmt: skip
"""What lists or counts statements and sources themselves, and so has each as often as it is said."""
ONCE = sorted(
    name for name, query in queries.catalogue().items() if query.form == "SELECT" and name not in _ABOUT_STATEMENTS
)


@pytest.fixture(scope="module")
def said_twice() -> Iterator[Store]:
    """Give a harbour whose every fact two sources tell."""
    store = open_store()
    with store.change("the harbour, twice") as change:
        load_ontology(change)
        for name in ("harbour", "harbour-again"):
            change.load(HARBOUR, graph=graph_iri(name))
    queries.derive(store)
    yield store
    store.close()


@pytest.mark.parametrize("name", ONCE)
def test_what_two_sources_say_alike_counts_once(harbour: Store, said_twice: Store, name: str) -> None:
    """The engine gives a statement once for each graph that holds it; no sum or list may be longer for that."""
    assert queries.run(said_twice, name).write_csv() == queries.run(harbour, name).write_csv()


def test_the_harbour_is_in_order() -> None:
    """It passes the shapes and checks but for a grant whose size nobody tells, which it has on purpose."""
    found = check.check_files([HARBOUR])
    assert {row["focus"].rpartition("/")[2] for row in found.to_dicts()} == {"unknown"}


_ARTICLE_77 = (
    "75121000", "75122000", "79622000", "79624000", "79625000", "80110000", "80300000", "80420000", "80430000",
    "80511000", "80520000", "80590000", "85000000", "85100000", "85312330", "85323000", "92500000", "92600000",
    "98133000", "98133110",
)  # fmt: skip


def test_services_that_may_be_reserved_are_social_services() -> None:
    """The codes of article 77, as the rules of eForms list them, stand in annex XIV; road works and software do not."""
    notices = "".join(
        f"<urn:{code}> a <{SOL}Opportunity> ; <{SOL}cpvCode> '{code}' ."
        for code in (*_ARTICLE_77, "45233120", "48000000", "75250000", "85323001", "92700001")
    )
    frame = queries.run(harbour_store(notices.encode()), "indicators/procurement-notices")
    counted = dict(frame.select("figure", "value").rows())
    assert counted["social and other specific services"] == 2 + len(_ARTICLE_77)


def test_money_for_another_place_has_not_reached_a_region_because_its_recipient_is_there(harbour: Store) -> None:
    """The crane was for the South, though both who got it are in the North; who names no place counts by recipient."""
    named = {region: set(queries.run(harbour, "region/grants", region=f"place/{region}")["label"]) for region in
             ("north", "south", "land")}  # fmt: skip
    assert "Crane" in named["south"]
    assert "Crane" not in named["north"]
    assert named["north"] >= {"Boats", "Oars", "Furnace", "Pier", "Of unknown size"}
    counts = queries.run(harbour, "region/counts", region=["place/north", "place/south", "place/land"])
    told = dict(counts.select("label", "grants").rows())
    assert told == {"North": len(named["north"]), "South": len(named["south"]), "Land": len(named["land"])}


@pytest.mark.parametrize(
    ("name", "values", "column", "expected"),
    [
        ("indicators/structural-funds", {"likely": "0.96"}, "value", [300.5, 300.5, 1000.5]),
        ("indicators/structural-funds", {"possible": "0.7"}, "value", [300.5, 600.5, 600.5]),
        ("indicators/structural-funds", {"sector": "voc:kind/social-enterprise"}, "value", [0, 0, 400]),
        ("indicators/structural-funds", {"since": "2011-01-01", "until": "2011-12-31"}, "value", [200, 500, 500]),
        ("funding/structural-funds", {"digits": "5"}, "region_label", [None, "Quay"]),
    ],
)  # fmt: skip
def test_a_parameter_changes_the_answer(
    harbour: Store, name: str, values: dict[str, str], column: str, expected: list[object]
) -> None:
    """Thresholds, the sector, the period and the size of regions can be chosen."""
    frame = queries.run(harbour, name, **values)
    if "unit" in frame.columns:
        assert [float(value) for value in frame.filter(frame["unit"] == "EUR")[column]] == expected
    else:
        assert sorted(set(frame[column]), key=str) == sorted(expected, key=str)
