"""Money: sums that add up, concentration as defined, and conversion that counts what it cannot convert."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from graphkit.errors import DataError, UnknownNameError, UsageError
from graphkit.funding import (
    ACCOUNTS,
    STRUCTURAL,
    account,
    in_one_currency,
    load_flows,
    load_rates,
    read_deflator,
    structural,
)
from graphkit.store import Store, open_store
from graphkit.terms import ID, SOL
from tests.harbour_fixture import harbour, harbour_store
from tests.test_monitor_figures import PREFIXES, _funds

__all__ = ["harbour"]


def test_who_passes_money_on(harbour: Store) -> None:
    """Only the town receives and gives: 500 in, 80 out."""
    frame = account("regranting", load_flows(harbour)).frame
    assert frame.select("label", "received", "given").rows() == [("Town", 500.0, 80.0)]


def test_how_many_funders_a_recipient_has(harbour: Store) -> None:
    """The Rowers have two funders, all others one."""
    frame = account("recipients", load_flows(harbour)).frame
    assert dict(frame.select("recipient_label", "funders").unique().rows()) == {
        "Rowers": 2, "STEEL WORKS": 1, "Town": 1, "NET MENDING": 1, "THE BAKERS GUILD": 1, "ROWERS LTD": 1,
    }  # fmt: skip


def test_concentration_is_that_of_herfindahl_and_hirschman(harbour: Store) -> None:
    """Squared shares, worked out by hand for the recipients of euro; all from one funder is 1."""
    frame = account("concentration", load_flows(harbour)).frame
    euro = frame.row(by_predicate=(pl.col("currency") == "EUR") & (pl.col("side") == "recipients"), named=True)
    sums = [1000, 500, 400, 300, 200, 180.5]
    assert euro["hhi"] == pytest.approx(sum((each / sum(sums)) ** 2 for each in sums), abs=1e-6)
    assert (euro["top_label"], euro["top_share"]) == ("STEEL WORKS", pytest.approx(1000 / 2580.5, abs=1e-6))
    pounds = frame.row(by_predicate=(pl.col("currency") == "GBP") & (pl.col("side") == "funders"), named=True)
    assert (pounds["agents"], pounds["hhi"]) == (1, 1.0)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("digits", [3, 5])
def test_every_division_adds_up_to_the_whole(seed: int, digits: int) -> None:
    """By pair, funder, recipient, region, kind and year the money of a currency is the same, and so are the shares."""
    funders = "\n".join(f"id:g{number} schema:funder id:f{number % 3} ." for number in range(60))
    store = harbour_store((_funds(seed) + funders).encode())
    flows = load_flows(store, digits=digits)
    whole = _by_currency(flows)
    for name in ("flows", "funders", "recipients", "regions", "kinds", "years"):
        found = account(name, flows)
        assert _by_currency(found.frame) == pytest.approx(whole, abs=0.05), name
        assert found.method
        assert found.coverage
        if "share" in found.frame.columns:
            shares = found.frame.drop_nulls("share").group_by("currency").agg(pl.col("share").sum())["share"]
            assert shares.to_list() == pytest.approx([1.0] * shares.len(), abs=1e-4)
    asked = store.select(
        "PREFIX schema: <https://schema.org/> SELECT ?currency (SUM(?amount) AS ?whole)"
        " WHERE { ?g a schema:MonetaryGrant ; schema:funder ?any ; schema:amount ?amount ; schema:currency ?currency }"
        " GROUP BY ?currency"
    )
    assert whole == pytest.approx({currency: float(amount) for currency, amount in asked.rows()}, abs=0.05)


def _by_currency(frame: pl.DataFrame) -> dict[str, float]:
    sums = frame.drop_nulls("currency").group_by("currency").agg(pl.col("amount").sum())
    return dict(sums.rows())


def test_records_of_one_organisation_are_one() -> None:
    """What a list calls ROWERS LTD is counted with the Rowers once a record stands for it."""
    facts = f"""{PREFIXES} <{ID}organisation/list.rowers-ltd> <{SOL}preferredRecord> <{ID}organisation/rowers> ."""
    frame = account("recipients", load_flows(harbour_store(facts.encode()))).frame
    euro = frame.filter((pl.col("recipient_label") == "Rowers") & (pl.col("currency") == "EUR"))
    assert euro.select("grants", "amount").row(0) == (3, 380.5)
    assert "ROWERS LTD" not in frame["recipient_label"].to_list()


# ---- In one currency -------------------------------------------------------------------------


def test_pounds_become_euro_at_the_rate_of_their_year(harbour: Store) -> None:
    """50 pounds of 2013 are 58.87 euro; the grant without an amount is counted as lost, and nothing else is."""
    flows, conversion = in_one_currency(load_flows(harbour), load_rates(harbour), "EUR")
    assert flows["amount"].sum() == pytest.approx(2580.5 + 50 / 0.84926)
    assert conversion.lost == 1
    assert "1 could not be converted" in account("regions", flows, conversion).coverage


def test_a_year_without_a_rate_is_lost_and_counted(harbour: Store) -> None:
    """Into pounds only the grants of 2012 and 2013 can be converted; those of other years have no amount."""
    flows, conversion = in_one_currency(load_flows(harbour), load_rates(harbour), "GBP")
    assert conversion.lost == 4
    assert flows["amount"].sum() == pytest.approx(50 + 0.81087 * (1000 + 500 + 400 + 80))
    assert flows["grants"].sum() == 10


def test_prices_of_another_year(harbour: Store, tmp_path: Path) -> None:
    """With prices that doubled from 2012 to 2013, money of 2012 counts twice at prices of 2013."""
    index = tmp_path / "prices.csv"
    index.write_text("year,index\n2012,50\n2013,100\n")
    flows, conversion = in_one_currency(
        load_flows(harbour), load_rates(harbour), "EUR", deflator=read_deflator(index), base_year=2013
    )
    assert flows.filter(pl.col("year") == 2012)["amount"].sum() == pytest.approx(2 * 1980)
    assert conversion.words.endswith("at prices of 2013")
    assert conversion.lost == 4


@pytest.mark.parametrize(
    ("text", "fault", "line"),
    [("year,price\n", "no column index", ""), ("year,index\n2012,100\n2013,x\n", "index above 0", ":3"),
     ("year,index\n2012,0\n", "index above 0", ":2"), ("year,index\n2012,1\n2012,2\n", "index above 0", ":2")],
)  # fmt: skip
def test_a_faulty_price_index_is_refused(tmp_path: Path, text: str, fault: str, line: str) -> None:
    """The error names the file and the line."""
    path = tmp_path / "prices.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=fault) as raised:
        read_deflator(path)
    assert raised.value.where == f"{path}{line}"


def test_wrong_names_are_refused_with_the_near_ones(harbour: Store) -> None:
    """A currency without a rate, an account that there is not, a base year outside the index."""
    flows, rates = load_flows(harbour), load_rates(harbour)
    with pytest.raises(UnknownNameError, match="GBP"):
        in_one_currency(flows, rates, "GPB")
    with pytest.raises(UnknownNameError, match="concentration"):
        account("concentraton", flows)
    index = pl.DataFrame({"year": [2012], "index": [1.0]})
    with pytest.raises(UsageError, match="no year 1999"):
        in_one_currency(flows, rates, "EUR", deflator=index, base_year=1999)


def test_two_rates_for_one_year_are_refused() -> None:
    """Rates that contradict each other are an error and no choice at random."""
    more = f"""{PREFIXES} id:other a schema:ExchangeRateSpecification ; rdfs:label "Other"@en ; schema:currency "GBP" ;
        sol:perEuro 0.5 ; schema:startDate "2013-01-01"^^xsd:date ."""
    with pytest.raises(DataError, match="two rates of GBP for 2013"):
        load_rates(harbour_store(more.encode()))


def test_a_graph_without_grants_has_empty_accounts() -> None:
    """No grant, no failure."""
    with open_store() as store:
        flows = load_flows(store)
        assert all(account(name, flows).frame.height == 0 for name in ACCOUNTS)


# ---- Structural Funds ------------------------------------------------------------------------------


def test_structural_funds_are_shown_at_three_levels_by_region_and_year(harbour: Store) -> None:
    """In the North 1300.50 euro, of which 300.50 strict; the nets are in no region; levels widen from left to right."""
    found = structural(harbour, "structural-regions")
    columns = ("region_label", "currency", "grants", "amount", "strict", "likely", "possible", "strict_share")
    assert found.frame.select(columns).rows() == [
        ("North", "EUR", 3, 1300.5, 300.5, 300.5, 300.5, 0.231065),
        ("not known", "EUR", 1, 400.0, 0.0, 0.0, 400.0, 0.0),
        ("South", "EUR", 1, 300.0, 0.0, 300.0, 300.0, 0.0),
        ("South", "GBP", 1, 50.0, 50.0, 50.0, 50.0, 1.0),
        ("North", None, 1, 0.0, 0.0, 0.0, 0.0, None),
    ]
    assert found.coverage.startswith("7 grants, 1 without a known region, 1 without a year, 1 without an amount")
    assert "3 strict, 4 likely, 5 possible" in found.coverage
    years = structural(harbour, "structural-years").frame
    assert years.select("year", "currency", "amount", "likely").rows()[:3] == [
        (2010, "EUR", 100.5, 100.5), (2011, "EUR", 500.0, 500.0), (2012, "EUR", 1400.0, 0.0)
    ]  # fmt: skip
    with pytest.raises(UnknownNameError, match="structural-years"):
        structural(harbour, "structural-month")


@pytest.mark.parametrize("seed", range(3))
def test_regions_and_years_of_structural_funds_add_up_to_the_same(seed: int) -> None:
    """For each currency and level, whatever the data says."""
    store = harbour_store(_funds(seed).encode())
    one, other = (structural(store, name).frame for name in STRUCTURAL)
    sums = [
        frame.group_by("currency").agg(pl.col("amount", "strict", "likely", "possible").sum().round(2)).sort("currency")
        for frame in (one, other)
    ]
    assert sums[0].rows() == sums[1].rows()
