"""Changes to a network tried on a copy: who leaves, who joins, what begins and what ends."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import polars as pl

from graphkit.errors import UsageError
from graphkit.network import COLUMNS, Network
from graphkit.plans.words import one_pair, resolve, resolve_all

__all__ = ["IMAGINED", "Plan", "overlay", "plan_changes"]

IMAGINED = "urn:what-if:activity-"
"""What the names of activities begin with that are only imagined; a number follows, from 1 on."""

_WHERE = "what-if"
_LEAST_MEMBERS = 2
_PAIR_COLUMNS = {"source": pl.String, "target": pl.String}


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes with every name resolved to an IRI."""

    leaving: tuple[str, ...]
    cut: tuple[tuple[str, str], ...]
    ended: tuple[str, ...]
    ties: tuple[tuple[str, str], ...]
    joining: tuple[tuple[str, str], ...]
    activities: tuple[tuple[str, ...], ...]

    def concerned(self, network: Network) -> tuple[str, ...]:
        """Return whom the changes name, partners of who leaves, and who is in the activities named, in order."""
        named = {*self.leaving, *(end for pair in (*self.cut, *self.ties) for end in pair)}
        named |= {organisation for _, organisation in self.joining} | {o for group in self.activities for o in group}
        rows = sorted(network.rows[organisation] for organisation in self.leaving)
        named |= {network.organisations[column] for column in network.adjacency[rows, :].tocoo().col}
        touched = [*self.ended, *(activity for activity, _ in self.joining)]
        return tuple(sorted(named.union(*(_members(network.ties, activity) for activity in touched))))


def plan_changes(
    network: Network,
    known: Collection[str],
    *,
    add_ties: Iterable[tuple[str, str]] = (),
    remove_ties: Iterable[tuple[str, str]] = (),
    add_activity: Iterable[Iterable[str]] = (),
    remove_activity: Iterable[str] = (),
    add_member: Iterable[tuple[str, str]] = (),
    remove_organisation: Iterable[str] = (),
) -> Plan:
    """Resolve the words of changes to IRIs; `known` are the organisations that can be joined to the network.

    Raises `UnknownNameError` and `UsageError` as `what_if` says.
    """
    present, at_hand = network.rows.keys(), set(network.activities)
    plan = Plan(
        leaving=resolve_all(remove_organisation, present, "organisation", where=_WHERE),
        cut=_pairs(remove_ties, present),
        ended=resolve_all(remove_activity, at_hand, "activity of two or more", where=_WHERE),
        ties=_pairs(add_ties, known),
        joining=tuple(sorted({_joining(pair, at_hand, known) for pair in add_member})),
        activities=tuple(resolve_all(group, known, "organisation", where=_WHERE) for group in add_activity),
    )
    _check(plan, network)
    return plan


def _pairs(pairs: Iterable[Iterable[str]], known: Collection[str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted({one_pair(pair, known, "organisation", where=_WHERE) for pair in pairs}))


def _joining(pair: tuple[str, str], activities: Collection[str], known: Collection[str]) -> tuple[str, str]:
    activity, organisation = pair
    return (
        resolve(activity, activities, "activity of two or more", where=_WHERE),
        resolve(organisation, known, "organisation", where=_WHERE),
    )


def _check(plan: Plan, network: Network) -> None:
    """Refuse what contradicts itself or the network."""
    if not any((plan.leaving, plan.cut, plan.ended, plan.ties, plan.joining, plan.activities)):
        raise UsageError("no change is asked for", where=_WHERE, hint="add or remove a tie, an activity or a member")
    added = {end for pair in plan.ties for end in pair} | {o for _, o in plan.joining}
    twice = sorted(set(plan.leaving) & (added | {o for group in plan.activities for o in group}))
    if twice:
        raise UsageError(f"'{twice[0]}' leaves and joins at once", where=_WHERE, hint="ask the two one by one")
    both = {" and ".join(pair) for pair in set(plan.cut) & set(plan.ties)}
    both |= set(plan.ended) & {activity for activity, _ in plan.joining}
    if both:
        raise UsageError(f"'{min(both)}' is added and removed at once", where=_WHERE, hint="ask the two one by one")
    strangers = [pair for pair in plan.cut if not network.adjacency[network.rows[pair[0]], network.rows[pair[1]]]]
    if strangers:
        raise UsageError(f"{' and '.join(strangers[0])} have no tie that could be removed", where=_WHERE)
    inside = [(a, o) for a, o in plan.joining if o in _members(network.ties, a)]
    if inside:
        raise UsageError(f"{inside[0][1]} takes part in {inside[0][0]} already", where=_WHERE)
    if any(len(group) < _LEAST_MEMBERS for group in plan.activities):
        raise UsageError("an activity of one joins nobody", where=_WHERE, hint="name two or more organisations")


# ---- The copy ------------------------------------------------------------------------------------


def overlay(network: Network, plan: Plan) -> Network:
    """Return a network with the changes, the given one stays as it is."""
    cut = pl.DataFrame(list(plan.cut), schema=_PAIR_COLUMNS, orient="row")
    ties = (
        network.ties.filter(~pl.any_horizontal(pl.col("source", "target").is_in(plan.leaving)))
        .filter(~pl.col("activity").fill_null("").is_in(plan.ended))
        .join(cut, on=["source", "target"], how="anti")
    )
    cliques = [_clique(f"{IMAGINED}{number}", group) for number, group in enumerate(plan.activities, 1)]
    grown = [_grown(network, plan, activity) for activity in dict.fromkeys(activity for activity, _ in plan.joining)]
    kept = ties.filter(~pl.col("activity").fill_null("").is_in([activity for activity, _ in plan.joining]))
    bare = [_rows([(*pair, None, None, 1.0, "what-if") for pair in plan.ties])]
    present = set(network.organisations) - set(plan.leaving)
    alone = _rows([(organisation, None, None, None, None, None) for organisation in sorted(present)])
    return Network.from_ties(pl.concat([kept, *bare, *cliques, *grown, alone]), name=network.name)


def _rows(rows: list[tuple[object, ...]]) -> pl.DataFrame:
    types = (pl.String, pl.String, pl.String, pl.Date, pl.Float64, pl.String)
    return pl.DataFrame(rows, schema=dict(zip(COLUMNS, types, strict=True)), orient="row")


def _clique(activity: str, members: Iterable[str], day: object = None) -> pl.DataFrame:
    """Join each two members of an activity with the weight 1 / (n - 1)."""
    names = sorted(members)
    pairs = [(first, second) for place, first in enumerate(names) for second in names[place + 1 :]]
    return _rows([(*pair, activity, day, 1 / (len(names) - 1), "what-if") for pair in pairs])


def _grown(network: Network, plan: Plan, activity: str) -> pl.DataFrame:
    """Return an activity with its new members: the old ties weigh less, those with new members are added."""
    ties = network.ties.filter(pl.col("activity") == activity)
    old = _members(network.ties, activity) - set(plan.leaving)
    members = old | {organisation for joined, organisation in plan.joining if joined == activity}
    full = _clique(activity, members, ties["date"].max())
    lost = pl.all_horizontal(pl.col("source", "target").is_in(sorted(old)))
    stay = ties.select("source", "target").unique()
    cut = pl.DataFrame(list(plan.cut), schema=_PAIR_COLUMNS, orient="row")
    return pl.concat(
        [full.filter(~lost), full.filter(lost).join(stay, on=["source", "target"], how="semi")],
    ).join(cut, on=["source", "target"], how="anti")


def _members(ties: pl.DataFrame, activity: str) -> set[str]:
    rows = ties.filter(pl.col("activity") == activity)
    return {*rows["source"], *rows["target"]}
