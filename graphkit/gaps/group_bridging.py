"""G1: two groups whose organisations meet in fewer joint activities than their activity leads to expect."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby

import polars as pl

from graphkit import ontology
from graphkit.gaps.base import Gap
from graphkit.gaps.bridges import CONSIDERED, meetings, nearest_pairs, pair_evidence, pairs_in_words
from graphkit.gaps.ground import Ground
from graphkit.measures.nulls import Bicm, Joint, Side, bicm, false_discovery, meet, side

__all__ = ["LEVEL", "Group", "find", "groups_of"]

LEVEL = 0.05
"""The false discovery rate up to which a finding about groups is claimed."""

_LEAST_EXPECTED = 3.0
_STRONG = 0.01
_WORDS = {
    "region": "organisations in {}",
    "kind": "organisations of the kind {}",
    "theme": "organisations working on {}",
}


@dataclass(frozen=True, slots=True)
class Group:
    """Organisations of the network with a region, a kind or a theme in common (`facet`), by their row numbers.

    `scopes` are the completeness scopes that cover every one of them.
    """

    facet: str
    iri: str
    label: str
    rows: frozenset[int]
    scopes: frozenset[str]

    @property
    def words(self) -> str:
        """Say who they are."""
        return _WORDS[self.facet].format(self.label)


@dataclass(frozen=True, slots=True)
class _Finding:
    """Two groups that meet too rarely, and by how much."""

    first: Group
    second: Group
    joint: Joint
    q: float
    looked_at: int


def groups_of(ground: Ground) -> list[Group]:
    """Return the groups of the organisations of the network by region, kind and theme, in order of IRI.

    A kind counts where it is a concept of the vocabulary. A theme counts where an organisation has it from
    something else than the activities that join the network: those of one theme share these by definition, so
    that nothing could be concluded from how often they do.
    """
    rows = ground.network.rows
    named = pl.concat([_regions(ground), _kinds(ground), _themes(ground)])
    frame = (
        named.filter(pl.col("organisation").is_in(list(rows)))
        .group_by("facet", "group")
        .agg(pl.col("label").min(), pl.col("organisation").unique().sort())
        .sort("facet", "group")
    )
    return [
        Group(facet, iri, label, frozenset(rows[member] for member in members), _covering(ground, members))
        for facet, iri, label, members in frame.iter_rows()
    ]


def find(ground: Ground, groups: Sequence[Group], say: Callable[[str], object] = lambda _: None) -> list[Gap]:
    """Find the pairs of groups of one facet (region, kind, theme) that meet more rarely than by chance.

    Score: max(0, 1 - O / E). O counts the meetings of an organisation of one group with one of the other, once
    for each joint activity; E is what the bipartite configuration model expects from how many activities each
    organisation takes part in and how large the activities are. Organisations of both groups are left out of the
    comparison. Claimed only where one completeness scope covers everybody in both groups, E is 3 or more, and the
    false discovery rate over all pairs with such an E (Benjamini and Hochberg) is below 0.05; a pair of groups
    with a smaller E says nothing either way. The tier is strong below 0.01. A deficit is no forecast: such pairs
    are the least likely to form by themselves, and the action is for those who would change that. `say` is told where
    a group is so large that not all of it was looked at for pairs to bridge it.

    Source: Saracco and others 2017 for the null model; Benjamini and Hochberg 1995; Burt 1992 for the holes.
    """
    pairs = list(_comparable(groups))
    if not pairs:
        return []
    model = bicm(ground.network.incidence)
    sides: dict[frozenset[int], Side] = {}
    compared = [(first, second, _compare(ground, model, sides, first, second)) for first, second in pairs]
    tested = [found for found in compared if found[2].expected >= _LEAST_EXPECTED]
    rates = false_discovery([joint.p for _, _, joint in tested])
    findings = [_Finding(*found, float(q), len(tested)) for found, q in zip(tested, rates, strict=True)]
    claimed = [each for each in findings if each.q < LEVEL and each.joint.observed < each.joint.expected]
    if any(len(group.rows) > CONSIDERED for each in claimed for group in (each.first, each.second)):
        say(f"For the pairs to bridge a group of more than {CONSIDERED} (G1) those with most partners were looked at.")
    return [_gap(ground, each) for each in claimed]


def _regions(ground: Ground) -> pl.DataFrame:
    return ground.places.select(
        pl.lit("region").alias("facet"), pl.col("place").alias("group"), "label", "organisation"
    )


def _kinds(ground: Ground) -> pl.DataFrame:
    concepts = ontology.concepts().filter(pl.col("scheme") == "kind").select("label", pl.col("concept").alias("group"))
    kinds = ground.organisations.select("organisation", pl.col("kind").cast(pl.String).alias("label")).drop_nulls()
    return kinds.join(concepts, on="label").select(pl.lit("kind").alias("facet"), "group", "label", "organisation")


def _themes(ground: Ground) -> pl.DataFrame:
    joining = pl.col("activity").is_in(list(ground.network.activities))
    themed = ground.takes_part.drop_nulls("theme").filter(~joining)
    label = pl.col("theme_label").alias("label")
    return themed.select(pl.lit("theme").alias("facet"), pl.col("theme").alias("group"), label, "organisation")


def _covering(ground: Ground, members: Sequence[str]) -> frozenset[str]:
    return frozenset(scope for scope, inside in ground.covered.items() if inside.issuperset(members))


def _comparable(groups: Sequence[Group]) -> Iterator[tuple[Group, Group]]:
    """Yield the pairs of groups of one facet that one scope covers, and that are not part of each other."""
    covered = [group for group in groups if group.scopes]
    for _, of_facet in groupby(covered, key=lambda group: group.facet):
        for first, second in combinations(of_facet, 2):
            if first.scopes & second.scopes and first.rows - second.rows and second.rows - first.rows:
                yield first, second


def _compare(ground: Ground, model: Bicm, sides: dict[frozenset[int], Side], first: Group, second: Group) -> Joint:
    """Compare two groups; what was prepared of each is kept in `sides`."""
    both = first.rows & second.rows
    found = []
    for group in (first, second):
        rows = group.rows - both if both else group.rows
        if rows not in sides:
            sides[rows] = side(model, ground.network.incidence, sorted(rows))
        found.append(sides[rows])
    return meet(model, *found)


def _apart(first: Group, second: Group) -> tuple[list[int], list[int]]:
    """Return the members of each group that are not in the other, in order."""
    return sorted(first.rows - second.rows), sorted(second.rows - first.rows)


def _gap(ground: Ground, found: _Finding) -> Gap:
    first, second, joint = found.first, found.second, found.joint
    bridges = nearest_pairs(ground, *_apart(first, second))
    met = ground.evidence(meetings(ground, *_apart(first, second)), "joint activity of the two groups")
    times = "once" if joint.observed == 1 else f"{joint.observed} times"
    return Gap(
        kind="G1",
        members=(first.iri, second.iri),
        labels=(first.label, second.label),
        score=round(1 - joint.observed / joint.expected, 6),
        tier="strong" if found.q < _STRONG else "some",
        explanation=(
            f"{_capital(first.words)} and {second.words} have met {times} in joint activities"
            f" ({_reach(ground, first, second)}), where {joint.expected:.1f} times would be expected from how much each"
            " organisation takes part; a pair counts once for each activity. Compared with a bipartite configuration"
            f" model: z = {joint.z:.1f}, false discovery rate {_rate(found.q)} over the {found.looked_at} pairs of"
            " groups looked at."
        ),
        evidence=(*(evidence for pair in bridges for evidence in pair_evidence(ground, *pair)), *met),
        action=_action(ground, first, second, bridges),
    )


def _reach(ground: Ground, first: Group, second: Group) -> str:
    return ground.scope_words(min(first.scopes & second.scopes))


def _rate(q: float) -> str:
    return "below 0.001" if q < 0.001 else f"{q:.3f}"  # noqa: PLR2004 - the last digit that is shown


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _action(ground: Ground, first: Group, second: Group, bridges: list[tuple[int, int]]) -> str:
    call = f"Plan a joint call or meeting of {first.words} and {second.words}"
    if not bridges:
        return f"{call}; no two of them have a partner in common yet."
    return f"{call}; well placed to begin are {pairs_in_words(ground, bridges)}."
