"""The learned scorer: it learns what holds, looks at nothing from after its day, and says when it cannot learn."""

from __future__ import annotations

import sys
from datetime import date

import numpy as np
import pytest

from graphkit.errors import MissingExtraError
from graphkit.gaps.backtest import backtest
from graphkit.gaps.learned import FEWEST_EXAMPLES
from graphkit.gaps.scorers import SCORERS, find_scorer, ready_scorers
from graphkit.network import Network
from tests.test_backtest import CUT, network_of, world


@pytest.fixture(scope="module")
def network() -> Network:
    """Give a drawn world in which who shares a partner meets sooner."""
    return network_of(world(organisations=200, activities=900))


def _scores(network: Network, name: str) -> np.ndarray:
    return find_scorer(name).rows(network, CUT)(np.arange(len(network.organisations)))


def test_it_learns_that_the_near_meet(network: Network) -> None:
    """On this world it is as good as the best of what it learns from, and far better than degree alone."""
    report = backtest(network, [CUT], scorers=["preferential_attachment", "l3", "learned"], k=50)
    learned = report.figure("learned", "auc_random")[0]
    assert learned > report.figure("preferential_attachment", "auc_random")[0] + 0.1
    assert learned > report.figure("l3", "auc_random")[0] - 0.02


def test_it_gives_the_same_scores_every_time(network: Network) -> None:
    """The pairs that stayed apart are drawn with a fixed seed."""
    np.testing.assert_array_equal(_scores(network, "learned"), _scores(network, "learned"))


def test_with_too_little_to_learn_from_it_is_the_fusion() -> None:
    """Fewer than a hundred new pairs in two years would teach it chance."""
    small = network_of([row for row in world(activities=40) if row[3] and row[3] <= "2017"])
    assert FEWEST_EXAMPLES == 100
    np.testing.assert_array_equal(_scores(small, "learned"), _scores(small, "fusion"))


def test_without_scikit_learn_it_is_left_out_and_says_what_to_install(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list of ready scorers has not got it; who names it gets the install line."""
    monkeypatch.setattr("graphkit.gaps.scorers.find_spec", lambda name: None)
    assert set(SCORERS) - set(ready_scorers()) == {"learned"}
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    with pytest.raises(MissingExtraError, match="learn") as caught:
        _scores(network, "learned")
    assert "pip install" in caught.value.hint


def test_the_day_may_be_a_leap_day() -> None:
    """Two years before 29 February there is no such day."""
    assert find_scorer("learned").function(network_of(world()), date(2016, 2, 29))(np.arange(2)).shape[0] == 2
