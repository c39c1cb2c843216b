"""Measures are known by their names."""

from __future__ import annotations

import pytest

from graphkit.errors import UnknownNameError
from graphkit.measures import MEASURES, measure
from graphkit.network import Network


def test_a_measure_is_run_by_name() -> None:
    """The name leads to the function."""
    network = Network.from_pairs([("a", "b"), ("b", "c")])
    assert measure("coreness", network)["coreness"].to_list() == [1, 1, 1]


def test_an_unknown_name_lists_the_near_ones() -> None:
    """A slip of the pen is answered with what was meant."""
    with pytest.raises(UnknownNameError, match="did you mean: betweenness"):
        measure("betweeness", Network.from_pairs([]))


def test_each_measure_has_a_summary_of_one_sentence() -> None:
    """The first line of the docstring says what it does."""
    for name, known in MEASURES.items():
        assert known.name == name == known.function.__name__
        assert known.summary.endswith(".")
        assert len(known.summary) < 110


def test_the_registry_cannot_be_changed() -> None:
    """Nobody adds a measure from afar."""
    with pytest.raises(TypeError):
        MEASURES["mine"] = MEASURES["degree"]
