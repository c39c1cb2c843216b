"""Null models: they keep what they promise to keep, and count what pairs of organisations would."""

from __future__ import annotations

import math
from collections import Counter
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse, stats

from graphkit.errors import UsageError
from graphkit.measures.nulls import bicm, curveball, false_discovery, joint_activities
from graphkit.network import Matrix


def matrix(rows: object) -> Matrix:
    return sparse.csr_array(np.array(rows, dtype=np.float64))


def random_incidence(rng: np.random.Generator, rows: int, columns: int) -> NDArray[np.float64]:
    """Draw an incidence with very unequal degrees."""
    chance = rng.random(rows)[:, None] ** 2 * rng.random(columns) * 1.5
    return (rng.random((rows, columns)) < chance).astype(np.float64)


def canonical(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the probability of each cell."""
    model = bicm(matrix(table))
    return model.probabilities[np.ix_(model.row_classes, model.column_classes)]


class TestBicm:
    """The bipartite configuration model."""

    @pytest.mark.parametrize("seed", range(25))
    def test_expected_degrees_equal_the_observed_ones(self, seed: int) -> None:
        """Whatever the degrees, also in small and in nearly full tables."""
        rng = np.random.default_rng(seed)
        table = random_incidence(rng, int(rng.integers(1, 60)), int(rng.integers(1, 60)))
        rows, columns = bicm(matrix(table)).expected_degrees()
        assert rows == pytest.approx(table.sum(axis=1), abs=1e-8)
        assert columns == pytest.approx(table.sum(axis=0), abs=1e-8)

    def test_it_is_the_most_random_model(self) -> None:
        """The logits are a sum of one number for the organisation and one for the activity."""
        p = canonical(random_incidence(np.random.default_rng(4), 40, 30))
        inner = p[(p.sum(axis=1) > 0), :][:, (p.sum(axis=0) > 0)]
        logit = np.log(inner / (1 - inner))
        assert logit - logit[:1] - logit[:, :1] + logit[0, 0] == pytest.approx(0, abs=1e-7)

    def test_equal_degrees_give_equal_chances(self) -> None:
        """Three organisations with one of three activities each: a third everywhere."""
        assert canonical(np.eye(3)) == pytest.approx(1 / 3)

    @pytest.mark.parametrize(
        "table",
        [
            [[1, 1, 1], [1, 0, 0], [0, 1, 0]],
            [[1, 1], [1, 0]],
            [[0, 0], [0, 1]],
            [[1, 1, 1, 0], [1, 1, 0, 1], [1, 1, 0, 0], [1, 1, 0, 0]],
        ],
    )
    def test_what_the_degrees_force_is_certain(self, table: list[list[int]]) -> None:
        """An organisation in every activity, a nested table, a block: no fitness is infinite, no degree is missed."""
        p = canonical(np.array(table, dtype=np.float64))
        assert p.sum(axis=1) == pytest.approx(np.sum(table, axis=1), abs=1e-10)
        assert p.sum(axis=0) == pytest.approx(np.sum(table, axis=0), abs=1e-10)
        assert np.isfinite(p).all()
        assert set(np.unique(p[:, 0].round(12))) <= {0.0, 1.0} or p[0] == pytest.approx(1)

    def test_degrees_that_are_slow_to_fit_converge(self) -> None:
        """Close to a forced table the fixed point is too slow, and Newton's method takes over."""
        table = np.triu(np.ones((12, 12)))
        table[5, 3], table[3, 5] = 1, 0
        table[8, 2], table[2, 8] = 1, 0
        rows, columns = bicm(matrix(table)).expected_degrees()
        assert rows == pytest.approx(table.sum(axis=1), abs=1e-8)
        assert columns == pytest.approx(table.sum(axis=0), abs=1e-8)

    def test_nothing_gives_nothing(self) -> None:
        """A network without activities has a model as well."""
        model = bicm(sparse.csr_array((3, 0)))
        assert joint_activities(model, sparse.csr_array((3, 0)), [0], [1, 2]).expected == 0


class TestJoint:
    """How often two groups meet."""

    def test_sums_over_classes_equal_sums_over_pairs(self) -> None:
        """Expectation and variance agree with the long way, pair by pair and case by case."""
        table = random_incidence(np.random.default_rng(7), 30, 20)
        first, second = [0, 3, 5, 8], [1, 2, 9]
        found = joint_activities(bicm(matrix(table)), matrix(table), first, second)
        p, sizes = canonical(table), table.sum(axis=0)
        kept = sizes * (sizes - 1) / np.maximum(sizes**2 - (p**2).sum(axis=0), 1e-300)
        pairs = [(i, j) for i in first for j in second]
        assert found.observed == sum(int(table[i] @ table[j]) for i, j in pairs)
        assert found.expected == pytest.approx(sum(float((p[i] * p[j] * kept).sum()) for i, j in pairs))
        variance = sum(
            float((p[i] * p[j] * np.where(i == k, 1, p[k]) * np.where(j == m, 1, p[m])).sum())
            - float((p[i] * p[j] * p[k] * p[m]).sum())
            for (i, j), (k, m) in product(pairs, pairs)
        )
        assert found.variance == pytest.approx(variance)
        assert found.z == pytest.approx((found.observed - found.expected) / math.sqrt(variance))

    def test_all_pairs_together_are_expected_as_often_as_they_meet(self) -> None:
        """In 40 activities of two the plain model would expect nearly twice the 40 meetings."""
        rng = np.random.default_rng(2)
        table = np.zeros((30, 40))
        for column in range(40):
            table[rng.choice(30, 2, replace=False), column] = 1
        model = bicm(matrix(table))
        singles = [joint_activities(model, matrix(table), [i], [j]) for i in range(30) for j in range(i)]
        assert sum(joint.expected for joint in singles) == pytest.approx(40)
        assert sum(joint.observed for joint in singles) == 40

    def test_it_expects_what_curveball_samples_show_and_spreads_wider(self) -> None:
        """The mean is that of samples with exact degrees; z against them is larger: the test is conservative."""
        rng = np.random.default_rng(11)
        table = np.zeros((60, 120))
        for column in range(120):
            table[rng.choice(60, rng.integers(2, 6), replace=False), column] = 1
        first, second = range(20), range(20, 45)
        found = joint_activities(bicm(matrix(table)), matrix(table), list(first), list(second))
        drawn = [s.toarray() for s in curveball(matrix(table), samples=200, seed=1)]
        met = np.array([(s[:20].sum(axis=0) * s[20:45].sum(axis=0)).sum() for s in drawn])
        assert found.expected == pytest.approx(met.mean(), rel=0.05)
        assert 1.3 < math.sqrt(found.variance) / met.std() < 4

    def test_p_is_the_lower_tail(self) -> None:
        """Few meetings have a small p, many a large one, as scipy's normal distribution has it."""
        table = np.kron(np.eye(2), np.ones((10, 12))) * (np.random.default_rng(0).random((20, 24)) < 0.6)
        model = bicm(matrix(table))
        apart = joint_activities(model, matrix(table), list(range(10)), list(range(10, 20)))
        within = joint_activities(model, matrix(table), list(range(5)), list(range(5, 10)))
        spread = math.sqrt(apart.variance)
        assert apart.p == pytest.approx(stats.norm.cdf((apart.observed + 0.5 - apart.expected) / spread))
        assert apart.p < 1e-6
        assert within.p > 0.9

    def test_where_chance_has_no_choice_there_is_no_z(self) -> None:
        """Two organisations that are in everything meet always."""
        everything = matrix(np.ones((2, 3)))
        joint = joint_activities(bicm(everything), everything, [0], [1])
        assert (joint.observed, joint.expected, joint.p) == (3, 3, 1)
        assert math.isnan(joint.z)

    def test_groups_with_a_common_member_are_refused(self) -> None:
        """Nobody meets itself."""
        with pytest.raises(UsageError, match="members in common"):
            joint_activities(bicm(matrix(np.eye(3))), matrix(np.eye(3)), [0, 1], [1, 2])


class TestFalseDiscovery:
    """The correction for many tests."""

    def test_it_agrees_with_the_paper(self) -> None:
        """Of the 15 values of Benjamini and Hochberg (1995) four are discoveries at 0.05."""
        paper = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262]
        paper += [0.5719, 0.6528, 0.7590, 1.0000]
        assert (false_discovery(paper) <= 0.05).sum() == 4
        assert false_discovery(paper)[3] == pytest.approx(0.0095 * 15 / 4)

    def test_it_agrees_with_scipy_in_any_order(self) -> None:
        """Shuffled, with equal values."""
        p = np.random.default_rng(3).random(50).round(2)
        assert false_discovery(p) == pytest.approx(stats.false_discovery_control(p))

    def test_nothing_gives_nothing(self) -> None:
        """No test, no q."""
        assert false_discovery([]).size == 0


class TestCurveball:
    """Samples with exactly the observed degrees."""

    def test_margins_are_kept_exactly(self) -> None:
        """Row and column sums stay, every cell is 0 or 1, and the table does change."""
        table = random_incidence(np.random.default_rng(5), 40, 25)
        for sample in curveball(matrix(table), samples=5, seed=9):
            drawn = sample.toarray()
            assert (drawn.sum(axis=0) == table.sum(axis=0)).all()
            assert (drawn.sum(axis=1) == table.sum(axis=1)).all()
            assert set(np.unique(drawn)) <= {0, 1}
            assert (drawn != table).any()

    def test_every_table_is_about_equally_likely(self) -> None:
        """There are 5 tables with the row sums 2, 1, 1 and the column sums 2, 1, 1."""
        table = [[1, 1, 0], [1, 0, 0], [0, 0, 1]]
        seen = Counter(sample.toarray().tobytes() for sample in curveball(matrix(table), samples=3000, seed=2))
        assert len(seen) == 5
        assert stats.chisquare(list(seen.values())).pvalue > 0.001

    def test_the_seed_decides(self) -> None:
        """Same seed, same samples; another seed, others."""
        table = matrix(random_incidence(np.random.default_rng(1), 20, 20))
        one, again, other = ([s.toarray() for s in curveball(table, samples=2, seed=k)] for k in (1, 1, 2))
        assert np.array_equal(one, again)
        assert not np.array_equal(one, other)

    @pytest.mark.parametrize("shape", [(0, 0), (1, 4), (3, 0)])
    def test_without_a_choice_the_table_stays(self, shape: tuple[int, int]) -> None:
        """No partner to trade with, or nothing to trade."""
        table = np.ones(shape)
        (sample,) = curveball(matrix(table), samples=1)
        assert np.array_equal(sample.toarray(), table)
