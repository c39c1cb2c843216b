"""What if: what a tie, an activity or a leaving would change, tried on a copy; nothing is stored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import polars as pl

from graphkit.errors import UsageError
from graphkit.gaps import constrained, fragile_point, peripheral
from graphkit.gaps.base import Gap
from graphkit.gaps.ground import Ground, listed
from graphkit.measures import brokers, holes, position, reach
from graphkit.measures.groups import ei_of_network
from graphkit.network import Network
from graphkit.plans.overlay import IMAGINED, Plan, overlay, plan_changes

__all__ = ["Change", "Concerned", "Picture", "WhatIf", "what_if", "what_if_in_words"]

_TELLING_CHANGE = 0.01
_SPOKEN = 12


@dataclass(frozen=True, slots=True)
class Picture:
    """A whole network in a few numbers.

    `organisations` and `pairs` (of partners) are counted; `efficiency` is the mean of 1 / distance over all pairs;
    `parts` counts the connected parts, isolates among them, and `largest` the organisations of the largest;
    `connected` is the share of pairs that a chain of ties joins; `ei` compares the pairs of partners between
    groups with those within, from -1 to 1, None where no groups are given or none is joined.
    """

    organisations: int
    pairs: int
    efficiency: float
    parts: int
    isolates: int
    largest: int
    connected: float
    ei: float | None


@dataclass(frozen=True, slots=True)
class Concerned:
    """One organisation that a change concerns: its partners, Burt's constraint and its core number.

    Each is a pair, before and after; None where the organisation is not in the network, and for the constraint
    also where it has no partner.
    """

    organisation: str
    label: str
    partners: tuple[int | None, int | None]
    constraint: tuple[float | None, float | None]
    coreness: tuple[int | None, int | None]


@dataclass(frozen=True, slots=True)
class Change:
    """A gap that is there before and after, with another score."""

    before: Gap
    after: Gap


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What would be otherwise: the network before and after, whom it concerns, and the gaps R1, B2 and R2.

    `points_gone` and `points_new` are organisations, by IRI, without whom the network would fall apart before and
    after only. Gaps are compared only where what-if was asked of a `Ground`, which knows names and scopes;
    `notes` says what a reader should know.
    """

    changes: tuple[str, ...]
    before: Picture
    after: Picture
    concerned: tuple[Concerned, ...]
    points_gone: tuple[str, ...]
    points_new: tuple[str, ...]
    closed: tuple[Gap, ...]
    opened: tuple[Gap, ...]
    changed: tuple[Change, ...]
    notes: tuple[str, ...]
    network: Network = field(repr=False, compare=False)
    labels: dict[str, str] = field(repr=False, compare=False)


def what_if(
    base: Network | Ground,
    *,
    add_ties: Iterable[tuple[str, str]] = (),
    remove_ties: Iterable[tuple[str, str]] = (),
    add_activity: Iterable[Iterable[str]] = (),
    remove_activity: Iterable[str] = (),
    add_member: Iterable[tuple[str, str]] = (),
    remove_organisation: Iterable[str] = (),
    groups: pl.DataFrame | None = None,
) -> WhatIf:
    """Try changes on a copy of a network of working together and tell what would be otherwise.

    Removals come before additions. A new activity joins each two of its members, and an activity that gains a
    member joins it to all of them; a pair of an activity of n weighs 1 / (n - 1). Nothing is stored.

    Parameters
    ----------
    base : Network or Ground
        With a `Ground` the gaps R1, B2 and R2 are compared as well, and everybody has a name.
    add_ties, remove_ties : pairs of organisations
        Removing takes away all joint activities of the pair, and of nobody else.
    add_activity : groups of two or more organisations
        A new activity for each group.
    remove_activity : activities
    add_member : pairs of an activity and an organisation
        An activity of the network, that is one with two or more known members.
    remove_organisation : organisations
    groups : frame of organisation, group, optional
        Regions, kinds or sectors for the E-I index, as for `measures.groups.group_codes`.

    Organisations and activities are named by IRI or `kind/slug`. Raises `UnknownNameError` with the near names,
    and `UsageError` where no change is asked for, two changes contradict each other, a tie to be removed is not
    there, or the network is directed.

    References
    ----------
    V. Latora and M. Marchiori, Physical Review Letters 87, 198701 (2001), for the efficiency.

    >>> line = Network.from_pairs([("a", "b"), ("b", "c")])
    >>> found = what_if(line, add_ties=[("a", "c")])
    >>> found.points_gone, round(found.before.efficiency, 3), found.after.efficiency
    (('b',), 0.833, 1.0)
    """
    ground = base if isinstance(base, Ground) else None
    network = base.network if isinstance(base, Ground) else base
    if network.directed:
        raise UsageError("what-if tries changes on a network without direction", hint="take networks/collaboration")
    known = set(network.organisations) | (set(ground.organisations["organisation"]) if ground else set())
    plan = plan_changes(
        network,
        known,
        add_ties=add_ties,
        remove_ties=remove_ties,
        add_activity=add_activity,
        remove_activity=remove_activity,
        add_member=add_member,
        remove_organisation=remove_organisation,
    )
    return _compared(network, overlay(network, plan), plan, ground, groups)


# ---- Before and after ----------------------------------------------------------------------------


def _compared(
    before: Network, after: Network, plan: Plan, ground: Ground | None, groups: pl.DataFrame | None
) -> WhatIf:
    labels = dict(ground.labels) if ground else {}
    labels |= {f"{IMAGINED}{number}": _imagined(number, plan) for number in range(1, len(plan.activities) + 1)}
    points = [set(brokers.articulation(network)["organisation"]) for network in (before, after)]
    gaps = _gaps(ground, after, plan, labels) if ground else ([], [])
    old, new = ({(gap.kind, gap.members): gap for gap in found} for found in gaps)
    return WhatIf(
        changes=_changes(plan, labels),
        before=_picture(before, groups),
        after=_picture(after, groups),
        concerned=_concerned(before, after, plan.concerned(before), labels),
        points_gone=tuple(sorted(points[0] - points[1])),
        points_new=tuple(sorted(points[1] - points[0])),
        closed=tuple(gap for key, gap in old.items() if key not in new),
        opened=tuple(gap for key, gap in new.items() if key not in old),
        changed=tuple(
            Change(gap, new[key])
            for key, gap in old.items()
            if key in new and abs(new[key].score - gap.score) >= _TELLING_CHANGE
        ),
        notes=_notes(before, after, plan, ground, labels),
        network=after,
        labels=labels,
    )


def _picture(network: Network, groups: pl.DataFrame | None = None) -> Picture:
    """Return the numbers by which two networks are compared, E-I only where groups are given."""
    parts = position.components(network)
    ei = ei_of_network(network, groups) if groups is not None else float("nan")
    largest = parts["size"].max()
    return Picture(
        organisations=len(network.organisations),
        pairs=network.adjacency.nnz // 2,
        efficiency=reach.global_efficiency(network),
        parts=parts["component"].n_unique(),
        isolates=position.isolates(network).height,
        largest=largest if isinstance(largest, int) else 0,
        connected=reach.connected_share(network),
        ei=ei if ei == ei else None,  # noqa: PLR0124 - not a number equals nothing
    )


def _concerned(
    before: Network, after: Network, organisations: tuple[str, ...], labels: dict[str, str]
) -> tuple[Concerned, ...]:
    old, new = ({row[0]: row[1:] for row in _standing(network).rows()} for network in (before, after))
    nothing = (None, None, None)
    return tuple(
        Concerned(o, labels.get(o, o), *zip(old.get(o, nothing), new.get(o, nothing), strict=True))
        for o in organisations
    )


def _standing(network: Network) -> pl.DataFrame:
    return (
        position.degree(network)
        .select("organisation", "degree")
        .join(holes.constraint(network, weighted=False), on="organisation")
        .join(position.coreness(network), on="organisation")
    )


def _gaps(ground: Ground, after: Network, plan: Plan, labels: dict[str, str]) -> tuple[list[Gap], list[Gap]]:
    """Find R1, B2 and R2 on the ground as it is, and on the ground as it would be."""
    ends = pl.col("organisation").is_in(plan.leaving)
    imagined = pl.DataFrame(
        [(o, f"{IMAGINED}{n}", labels[f"{IMAGINED}{n}"]) for n, g in enumerate(plan.activities, 1) for o in g],
        schema={"organisation": pl.String, "activity": pl.String, "label": pl.String},
        orient="row",
    )
    takes_part = ground.takes_part.filter(~ends, ~pl.col("activity").is_in(plan.ended))
    changed = replace(
        ground,
        network=after,
        organisations=ground.organisations.filter(~ends),
        takes_part=pl.concat([takes_part, imagined], how="diagonal"),
    )
    old, new = ([*fragile_point.find(g), *constrained.find(g), *peripheral.find(g)] for g in (ground, changed))
    return old, new


def _notes(
    before: Network, after: Network, plan: Plan, ground: Ground | None, labels: dict[str, str]
) -> tuple[str, ...]:
    notes = []
    for first, second in plan.ties:
        known = {first, second} <= before.rows.keys()
        if known and before.adjacency[before.rows[first], before.rows[second]]:
            notes.append(f"{labels.get(first, first)} and {labels.get(second, second)} work together already.")
    if before.organisations != after.organisations:
        notes.append(
            f"The shares before are of {len(before.organisations)} organisations, those after of"
            f" {len(after.organisations)}."
        )
    if ground is None:
        notes.append("Gaps are not compared: that needs the names and completeness scopes of a graph.")
    return tuple(notes)


# ---- Words ---------------------------------------------------------------------------------------


def _imagined(number: int, plan: Plan) -> str:
    return "the new activity" if len(plan.activities) == 1 else f"new activity {number}"


def _changes(plan: Plan, labels: dict[str, str]) -> tuple[str, ...]:
    def name(iri: str) -> str:
        return labels.get(iri, iri)

    return (
        *(f"{name(o)} leaves" for o in plan.leaving),
        *(f"{name(a)} and {name(b)} no longer work together" for a, b in plan.cut),
        *(f"{name(activity)} does not take place" for activity in plan.ended),
        *(f"{name(a)} and {name(b)} work together" for a, b in plan.ties),
        *(f"{name(o)} joins {name(activity)}" for activity, o in plan.joining),
        *(f"{listed(map(name, group))} do something together" for group in plan.activities),
    )


def what_if_in_words(found: WhatIf) -> str:
    """Write what would be otherwise in lines that a person reads, ending with a line break."""
    lines = [f"What if {listed(found.changes)}?", "", *_picture_lines(found), "", "Whom it concerns"]
    lines += [f"  {line}" for line in map(_concerned_line, found.concerned[:_SPOKEN])]
    lines += [f"  and {len(found.concerned) - _SPOKEN} more"] if len(found.concerned) > _SPOKEN else []
    for title, points in (("No longer a fragile point", found.points_gone), ("A new fragile point", found.points_new)):
        lines += ["", f"{title}: {listed(found.labels.get(o, o) for o in points)}"] if points else []
    for title, gaps in (("Gaps that close", found.closed), ("Gaps that open", found.opened)):
        lines += ["", title, *(f"  {g.kind}  {listed(g.labels)}: {g.explanation}" for g in gaps)] if gaps else []
    if found.changed:
        lines += ["", "Gaps that stay, with another score", *map(_change_line, found.changed)]
    lines += ["", *found.notes] if found.notes else []
    return "\n".join(lines) + "\n"


def _picture_lines(found: WhatIf) -> list[str]:
    rows: list[tuple[str, float | None, float | None, str]] = [
        ("organisations", found.before.organisations, found.after.organisations, "d"),
        ("pairs of partners", found.before.pairs, found.after.pairs, "d"),
        ("global efficiency", found.before.efficiency, found.after.efficiency, ".4f"),
        ("parts, isolates among them", found.before.parts, found.after.parts, "d"),
        ("isolates", found.before.isolates, found.after.isolates, "d"),
        ("largest part", found.before.largest, found.after.largest, "d"),
        ("share of pairs connected", found.before.connected, found.after.connected, ".4f"),
    ]
    if found.before.ei is not None or found.after.ei is not None:
        rows.append(("E-I index", found.before.ei, found.after.ei, "+.4f"))
    return [f"  {name:<28}{_number(old, form):>9} -> {_number(new, form)}" for name, old, new, form in rows]


def _concerned_line(who: Concerned) -> str:
    parts = [f"{who.label}:"]
    for name, (old, new), form in (
        ("partners", who.partners, "d"),
        ("constraint", who.constraint, ".3f"),
        ("core", who.coreness, "d"),
    ):
        shown = _number(old, form) if old == new else f"{_number(old, form)} -> {_number(new, form)}"
        parts.append(f"{name} {shown}")
    return f"{parts[0]} {', '.join(parts[1:])}"


def _change_line(change: Change) -> str:
    return (
        f"  {change.before.kind}  {listed(change.before.labels)}: {change.before.score:.2f} -> {change.after.score:.2f}"
    )


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
