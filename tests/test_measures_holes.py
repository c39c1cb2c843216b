"""Structural holes: the values that Burt's formulas have in plain cases."""

from __future__ import annotations

import polars as pl
import pytest

from graphkit.measures.holes import constraint, effective_size, efficiency
from graphkit.network import Network


def of(frame: pl.DataFrame, organisation: str) -> float | None:
    """Return the value of one organisation."""
    return frame.filter(organisation=organisation).to_series(1)[0]


def test_a_pair_in_a_triangle_is_most_constrained() -> None:
    """Two partners who know each other: (1/2 + 1/4)^2 twice."""
    triangle = Network.from_pairs([("a", "b"), ("b", "c"), ("a", "c")])
    assert constraint(triangle)["constraint"].to_list() == [1.125] * 3
    assert effective_size(triangle)["effective_size"].to_list() == [1] * 3


def test_the_middle_of_a_star_is_free() -> None:
    """Five partners who do not know each other: five times (1/5)^2."""
    star = Network.from_pairs([("m", leaf) for leaf in "abcde"])
    assert of(constraint(star), "m") == pytest.approx(0.2)
    assert of(effective_size(star), "m") == 5
    assert of(efficiency(star), "m") == 1


def test_isolates_have_no_value() -> None:
    """Null, not nan and not 0: there is nothing to measure."""
    network = Network.from_pairs([("a", "b")], organisations=["mill"])
    for measure in (constraint, effective_size, efficiency):
        found = measure(network).to_series(1)
        assert found.is_null().to_list() == [False, False, True]
        assert not found.is_nan().any()


def test_weights_are_read_unless_refused() -> None:
    """Nine tenths of the ties in one partner constrain more than an even split."""
    rows = pl.DataFrame({"source": ["m", "m"], "target": ["a", "b"], "weight": [9, 1]})
    network = Network.from_ties(rows.with_columns(activity=None, date=None, kind=None))
    assert of(constraint(network), "m") == pytest.approx(0.82)
    assert of(constraint(network, weighted=False), "m") == 0.5


def test_a_tie_in_both_directions_weighs_double() -> None:
    """Directed ties are added over both directions."""
    network = Network.from_pairs([("m", "a"), ("a", "m"), ("m", "b")], directed=True)
    assert of(constraint(network), "m") == pytest.approx((2 / 3) ** 2 + (1 / 3) ** 2)
    assert of(effective_size(network), "m") == 2


def test_who_only_receives_is_no_isolate() -> None:
    """A farm with one funder depends on that funder wholly."""
    network = Network.from_pairs([("bank", "farm")], directed=True)
    assert constraint(network)["constraint"].to_list() == [1, 1]
