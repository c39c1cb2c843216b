"""On the real registers: what was found by hand is found again, and what joins is right as far as it was labelled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from graphkit import identity
from graphkit.identity import Resolution
from graphkit.identity.clusters import joined
from graphkit.ontology import load_ontology
from graphkit.sources import import_files, sources
from graphkit.store import Store, open_store
from tests.conftest import real_data

FILES = {
    "coops-uk": ["orgs/coops_uk_2023Q2.csv"],
    "threesixtygiving": ["funding/360g_power_to_change_870.json"],
    "esif": ["funding/esif_uk_2007_2013.csv"],
    "org-id": ["ids/sameas_mutual_company.csv", "ids/sameas_organisation_company.csv", "ids/parent_federations.csv"],
}
GRANTS = """
PREFIX sol: <https://w3id.org/solidarity-graph/ns#>
PREFIX schema: <https://schema.org/>
SELECT ?recipient (SUM(?amount) AS ?money)
WHERE { ?grant sol:recipient ?recipient ; schema:amount ?amount }
GROUP BY ?recipient ORDER BY ?recipient
"""
pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def registers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Give a store with four registers."""
    missing = sorted(set(FILES) - set(sources()["source"]))
    if missing:
        pytest.skip(f"no adapter yet for {', '.join(missing)}")
    real = real_data()
    store = open_store(tmp_path_factory.mktemp("real") / "store")
    with store.change("the ontology") as change:
        load_ontology(change)
    for adapter, files in FILES.items():
        for file in files:
            import_files(store, adapter, [real / file])
    yield store
    store.close()


@pytest.fixture(scope="module")
def found(registers: Store) -> Resolution:
    """Share what a run finds."""
    return identity.resolve(registers)


def _cooperatives(registers: Store, found: Resolution, links: pl.DataFrame, source: str) -> tuple[int, float]:
    """Count the recipients of a source that links join to a co-operative, and add up their grants."""
    _, clusters = joined(links, pl.DataFrame(schema=dict.fromkeys(("record", "list", "id"), pl.String)), threshold=0.2)
    where = clusters.join(found.records.select("record", "source"), on="record")
    ours = where.filter(pl.col("source") == "coops-uk")["cluster"].unique()
    theirs = where.filter(pl.col("source").str.starts_with(source), pl.col("cluster").is_in(ours.implode()))
    money = theirs.join(registers.select(GRANTS), left_on="record", right_on="recipient")
    return money.height, float(money["money"].cast(pl.Float64).sum())


def test_recipients_found_by_hand_are_found(registers: Store, found: Resolution) -> None:
    """At least the 137 recipients of Power to Change that are co-operatives, and the money less what is for review."""
    count, money = _cooperatives(registers, found, found.links.filter("joins"), "threesixtygiving")
    assert count >= 137
    assert money >= 10_900_000
    count, money = _cooperatives(
        registers, found, found.links.with_columns(conflict=pl.lit(None, dtype=pl.String)), "threesixtygiving"
    )
    assert money >= 11_080_000


def test_structural_funds_reach_cooperatives_at_three_levels(registers: Store, found: Resolution) -> None:
    """What joins is more than two millions; what is possible holds the one large name at two places."""
    strict = _cooperatives(registers, found, found.links.filter("joins"), "esif")
    free = found.links.filter(pl.col("joins") | pl.col("conflict").is_null())
    possible = _cooperatives(registers, found, free, "esif")
    assert strict[0] >= 6
    assert strict[1] >= 2_400_000
    assert possible[1] >= 4_870_000


def test_what_joins_is_right_as_labelled(found: Resolution) -> None:
    """Of the labelled links that join at least 95 of 100 are right, and a hundred of them are still found."""
    labels = identity.load_labels(Path(__file__).with_name("labels") / "identity.csv")
    judged = identity.judged_by_labels(found.links, labels).row(0, named=True)
    assert judged["labelled"] >= 100
    assert judged["precision"] >= 0.95


def test_clusters_stay_small(found: Resolution) -> None:
    """No cluster grows by chains: none has more than eight records, and federations are not their members."""
    sizes = found.clusters.group_by("cluster").len()["len"]
    assert int(sizes.max() or 0) <= 8  # type: ignore[arg-type]
