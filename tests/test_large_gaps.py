"""The search for gaps on large networks: bounded, said aloud, and the same as on small ones where both can run."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from graphkit.gaps import dormant_tie, introductions, missing_partnership
from graphkit.gaps.base import Gap
from graphkit.gaps.caps import AT_MOST, capped
from graphkit.gaps.ground import Ground
from graphkit.gaps.scorers import find_scorer
from graphkit.network import COLUMNS, Network

AS_OF = date(2022, 12, 31)


def ground_of(rows: list[tuple[str, str, date]], *, scopes: dict[str, str] | None = None) -> Ground:
    """Make a ground of who took part in what, when; everybody is in one scope unless said otherwise."""
    parts = pl.DataFrame(rows, schema=["organisation", "activity", "date"], orient="row")
    both = parts.join(parts.select("organisation", "activity"), on="activity", suffix="_other")
    ties = both.filter(pl.col("organisation") < pl.col("organisation_other")).select(
        source="organisation", target="organisation_other", activity="activity", date="date"
    )
    ties = ties.with_columns(weight=pl.lit(1.0), kind=pl.lit("participation")).select(COLUMNS)
    names = parts["organisation"].unique().sort()
    everybody = pl.DataFrame({"organisation": names})
    scope = scopes or dict.fromkeys(names, "all")
    return Ground(
        network=Network.from_ties(ties),
        organisations=everybody.with_columns(
            label="organisation", kind=pl.lit(None, pl.String), named=True, making=False
        ),
        takes_part=parts.with_columns(
            label="activity",
            role=pl.lit("partner"),
            status=pl.lit(None, pl.String),
            theme=pl.lit(None, pl.String),
            theme_label=pl.lit(None, pl.String),
        ),
        places=pl.DataFrame(schema={"organisation": pl.String, "place": pl.String, "label": pl.String}),
        related=pl.DataFrame(schema={"source": pl.String, "target": pl.String}),
        scopes=pl.DataFrame({"organisation": list(scope), "scope": list(scope.values())}).with_columns(
            label="scope",
            subject=pl.lit(None, pl.String),
            subject_label=pl.lit(None, pl.String),
            region_label=pl.lit("here"),
            start=pl.lit(None, pl.Date),
            end=pl.lit(AS_OF),
        ),
        as_of=AS_OF,
    )


def drawn(seed: int, organisations: int = 60, activities: int = 50) -> list[tuple[str, str, date]]:
    """Draw who takes part in what."""
    random = np.random.default_rng(seed)
    return [
        (f"o{who:03}", f"a{activity:03}", date(2010 + activity % 12, 1, 1))
        for activity in range(activities)
        for who in np.unique((organisations * random.power(0.7, 2 + activity % 4)).astype(int))
    ]


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every network for a large one, in blocks of a few cells."""
    monkeypatch.setattr(introductions, "default_scorer", lambda network: "ppr_recency")
    monkeypatch.setattr(introductions, "_CELLS_AT_ONCE", 500)
    monkeypatch.setattr(introductions, "_PAIRS_AT_ONCE", 7)


@pytest.mark.parametrize("seed", range(5))
def test_a_large_network_has_the_same_candidates(seed: int, large: None) -> None:
    """All pairs two steps apart, once each, in order, with L3 and Adamic-Adar as the scorers have them."""
    ground = ground_of(drawn(seed))
    found, adjacency = introductions.placed(ground), ground.network.adjacency.toarray()
    expected = np.argwhere(np.triu((adjacency @ adjacency > 0) & (adjacency == 0), 1))
    assert np.column_stack(found.pairs).tolist() == expected.tolist()
    assert found.possible == len(expected)
    logs = [np.log(find_scorer(name).score(ground.network, found.pairs, AS_OF)) for name in ("l3", "adamic_adar")]
    z = np.mean([(each - each.mean()) / each.std() for each in logs], axis=0)
    assert found.feasibility == pytest.approx(z, abs=1e-9)


def test_only_the_best_of_a_large_network_are_compared_and_that_is_said(
    large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all candidates the ten with the highest Adamic-Adar score, whatever the blocks; the banner counts them."""
    ground, said = ground_of(drawn(1)), []
    whole = introductions.placed(ground)
    shared = find_scorer("adamic_adar").score(ground.network, whole.pairs, AS_OF)
    best = np.lexsort((whole.pairs[1], whole.pairs[0], -shared))[:10]
    monkeypatch.setattr(introductions, "COMPARED", 10)
    some = introductions.placed(ground)
    assert set(zip(*map(np.ndarray.tolist, some.pairs), strict=True)) == {
        (int(whole.pairs[0][k]), int(whole.pairs[1][k])) for k in best
    }
    assert missing_partnership.find(ground, said.append)
    (sentence,) = said
    assert sentence.startswith(f"Of {whole.possible} pairs that could be introduced (P1) the 10 that share most")
    assert sentence.endswith("were compared, and the best 10 explained.")


def test_a_pair_without_a_common_scope_is_no_candidate(large: None) -> None:
    """Two scopes that each cover one end do not cover the pair."""
    rows = drawn(2)
    scopes = {organisation: f"scope {int(organisation[1:]) % 2}" for organisation, *_ in rows}
    names = ground_of(rows).network.organisations
    left, right = introductions.placed(ground_of(rows, scopes=scopes)).pairs
    assert left.size
    assert all(scopes[names[i]] == scopes[names[j]] for i, j in zip(left.tolist(), right.tolist(), strict=True))


def test_partners_of_one_activity_are_one_reason() -> None:
    """Ten who were all in one project with both ends speak once, and one from other projects speaks again."""
    day, crowd = date(2020, 1, 1), [f"m{each}" for each in range(10)]
    rows = [
        *((who, "large east", day) for who in ("east", *crowd)),
        *((who, "large west", day) for who in ("west", *crowd)),
    ]
    gap = next(g for g in missing_partnership.find(ground_of(rows)) if g.members == ("east", "west"))
    assert gap.tier == "weak"
    assert "one reason" in gap.explanation
    assert "large east in 2020" in gap.explanation
    rows += [
        ("east", "small east", day),
        ("z", "small east", day),
        ("west", "small west", day),
        ("z", "small west", day),
    ]
    gap = next(g for g in missing_partnership.find(ground_of(rows)) if g.members == ("east", "west"))
    assert gap.tier == "some"


def test_many_sleeping_ties_are_bounded_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first in rank are those of the whole list, and the sentence tells how many there are."""
    ground, said = ground_of(drawn(3)), []
    order = lambda gap: (-len(gap.evidence[:3]), -gap.score, gap.members)  # noqa: E731 - the rank of a search
    everything = sorted(dormant_tie.find(ground), key=order)
    monkeypatch.setattr(dormant_tie, "_LOOKED_AT", 20)
    some = sorted(dormant_tie.find(ground, said.append), key=order)
    assert some == everything[:20]
    assert said == [f"Of {len(everything)} ties that sleep (P2) the first 20 in rank are explained."]


def test_no_kind_fills_more_than_its_list() -> None:
    """Of a kind without a cap for each organisation two hundred are given, and every one that was reviewed."""
    gaps = [Gap("B2", (f"o{each:03}",), (f"o{each:03}",), 0.5, "exact", "Why.", (), "What.") for each in range(250)]
    kept, left_out = capped(gaps)
    assert kept == gaps[:AT_MOST]
    assert left_out == {"B2": 50}
