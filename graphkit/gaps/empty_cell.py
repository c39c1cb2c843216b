"""C3: a combination of region, kind and role in which somebody would be expected, and nobody is known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import polars as pl

from graphkit import ontology
from graphkit.gaps.base import Evidence, Gap
from graphkit.gaps.ground import Ground, listed
from graphkit.gaps.group_bridging import LEVEL
from graphkit.gaps.means import Means, wider
from graphkit.measures.nulls import false_discovery

__all__ = ["find"]

_LEAST_EXPECTED = 3.0
_STRONG = 0.01
_SPOKEN = 3
_NOT_YET = tuple(f"https://w3id.org/solidarity-graph/vocabulary/status/{word}" for word in ("planned", "proposed"))
_Sets: TypeAlias = Mapping[str, frozenset[str]]


@dataclass(frozen=True, eq=False)
class _World:
    """The organisations that are compared: those of each region, kind and role, larger and wider ones included.

    `above` gives for each kind and role itself and all that are wider.
    """

    regions: _Sets
    kinds: _Sets
    roles: _Sets
    above: _Sets

    def within(self, organisations: frozenset[str]) -> _World:
        """Return the world of these organisations alone, without what none of them has."""
        return _World(
            _cut(self.regions, organisations),
            _cut(self.kinds, organisations),
            _cut(self.roles, organisations),
            self.above,
        )

    def of_kinds(self, kinds: frozenset[str]) -> _World:
        """Return the world with these kinds alone, or as it is where none is named."""
        return replace(self, kinds={kind: self.kinds[kind] for kind in self.kinds if kind in kinds}) if kinds else self

    @property
    def placed(self) -> frozenset[str]:
        """The organisations of which both a region and a kind are known."""
        return _union(self.regions) & _union(self.kinds)


@dataclass(frozen=True, slots=True)
class _Cell:
    """A combination, who is there, and how many would be; `role` is empty where any or none will do.

    `base` are the organisations from which the last part of the combination is expected: without a role those of
    the region, else those of the kind in the region.
    """

    region: str
    kind: str
    role: str
    observed: int
    expected: float
    base: frozenset[str]

    @property
    def p(self) -> float:
        """The chance of so few, or fewer, under a Poisson distribution."""
        term = total = math.exp(-self.expected)
        for k in range(1, self.observed + 1):
            term *= self.expected / k
            total += term
        return min(1.0, total)


@dataclass(frozen=True, slots=True)
class _Empty:
    """An empty cell that is claimed: its false discovery rate, and over how many cells that is."""

    cell: _Cell
    q: float
    looked_at: int


def find(ground: Ground, means: Means) -> list[Gap]:
    """Find regions without an organisation of a kind, and kinds of which nobody in a region takes a role.

    Score: 1 - exp(-E). Without a role E = n_r n_k / n over the n organisations of which region and kind are known,
    n_r of them in the region and n_k of the kind. With a role E = n_rk m_k / n_k over those with a part in any
    activity: as if the n_rk of the kind in the region took it as often as the m_k of all n_k of that kind do. A kind
    counts with its narrower ones, a region with those inside it, a role with its narrower ones.

    Like is compared with like, and absence believed, only inside one completeness scope: a register of the
    organisations of a larger region for the former, and of the kinds that it names (a register of co-operatives tells
    nothing of companies); joint activities for the latter. Claimed where E is 3 or more
    and the false discovery rate over all cells of the scope with such an E, empty or not, is below 0.05; the tier is
    strong below 0.01. The Poisson chance of so few is above the exact one, so that the claim is conservative. Of
    empty cells inside each other only the widest is given. Cells without an organisation that no register covers
    are together one gap D: that nobody is known there is not that nobody is there.

    Source: Haberman 1973, Biometrics 29, on residuals of cross-classified tables; Benjamini and Hochberg 1995.
    """
    world, names = _world(ground, means), _names(ground, means)
    gaps: dict[tuple[str, str, str], Gap] = {}
    covered: set[str] = set()
    for register in means.registers_of("organisations"):
        part = world.within(_union({each: world.regions.get(each, frozenset()) for each in register.covered}))
        part = part.of_kinds(register.sorts)
        regions = sorted(register.covered & part.regions.keys())
        covered |= set(regions)
        for empty in _widest(_tested(_cells(part, regions)), part):
            gaps.setdefault(_key(empty), _gap(ground, names, part, empty, register.evidence))
    for scope, members in ground.covered.items():
        part = world.within(members)
        for empty in _widest(_tested(_role_cells(part)), part):
            gaps.setdefault(_key(empty), _gap(ground, names, part, empty, ground.scope_evidence(scope)))
    return [*(gaps[key] for key in sorted(gaps)), *_unknown(names, world, covered)]


# ---- Counting ------------------------------------------------------------------------------------


def _cut(sets: _Sets, organisations: frozenset[str]) -> _Sets:
    """Keep what some organisations have."""
    return {key: kept for key, those in sets.items() if (kept := those & organisations)}


def _union(sets: _Sets) -> frozenset[str]:
    return frozenset().union(*sets.values())


def _world(ground: Ground, means: Means) -> _World:
    frame = means.capabilities.filter(pl.col("organisation").is_in(sorted(ground.nameable)))
    above = {**wider("kind"), **wider("role")}
    return _World(
        _sets(frame.select("region", "organisation").rows()),
        _sets(frame.select("kind", "organisation").rows()),
        _sets(_roles(ground, above)),
        above,
    )


def _sets(pairs: Iterable[tuple[str | None, str]]) -> _Sets:
    """Collect organisations by what stands before them, in order."""
    found: dict[str, set[str]] = {}
    for key, organisation in pairs:
        if key:
            found.setdefault(key, set()).add(organisation)
    return {key: frozenset(found[key]) for key in sorted(found)}


def _roles(ground: Ground, above: _Sets) -> list[tuple[str | None, str]]:
    """Pair each organisation with its roles, the wider ones too, in what is not only planned."""
    rows = ground.takes_part.filter(~pl.col("status").is_in(_NOT_YET).fill_null(value=False))
    pairs = rows.select("role", "organisation").drop_nulls().unique().rows()
    return [(role, organisation) for each, organisation in pairs for role in above.get(each, {each})]


def _cells(world: _World, regions: Sequence[str]) -> list[_Cell]:
    """Count region by kind, and what would be if the two had nothing to do with each other."""
    everybody = world.placed
    kinds = _narrowest(world.kinds, everybody, world.above)
    return [
        _Cell(region, kind, "", len(inside & those), len(inside) * len(those) / len(everybody), inside)
        for region in regions
        if len(inside := world.regions[region] & everybody) < len(everybody)
        for kind, those in kinds.items()
        if len(those) < len(everybody)
    ]


def _role_cells(world: _World) -> list[_Cell]:
    """Count region by kind by role, and what would be if the kind took the role everywhere as often."""
    active = _union(world.roles) & world.placed
    cells = []
    for kind, able in _narrowest(world.kinds, active, world.above).items():
        roles = _narrowest(world.roles, able, world.above)
        near = {region: able & inside for region, inside in world.regions.items()}
        cells += [
            _Cell(region, kind, role, len(both & those), len(both) * len(those) / len(able), both)
            for region, both in near.items()
            if len(both) < len(able)
            for role, those in roles.items()
            if len(those) < len(able)
        ]
    return cells


def _narrowest(sets: _Sets, among: frozenset[str], above: _Sets) -> _Sets:
    """Cut sets to some organisations, and leave out what just the same are or do as something narrower."""
    cut = _cut(sets, among)
    doubled = {
        wide for one, those in cut.items() for wide in above.get(one, ()) if wide != one and cut.get(wide) == those
    }
    return {one: those for one, those in cut.items() if one not in doubled}


def _tested(cells: Sequence[_Cell]) -> list[_Empty]:
    """Return the empty cells that are claimed."""
    telling = [cell for cell in cells if cell.expected >= _LEAST_EXPECTED]
    rates = false_discovery([cell.p for cell in telling])
    return [
        _Empty(cell, float(q), len(telling))
        for cell, q in zip(telling, rates, strict=True)
        if not cell.observed and q < LEVEL
    ]


def _widest(found: Sequence[_Empty], world: _World) -> list[_Empty]:
    """Leave out what lies inside another empty cell: a smaller region, a narrower kind or a narrower role.

    A region is inside another where all its organisations are; of two with the same organisations the first stays.
    """
    above = world.above

    def inside(one: _Cell, other: _Cell) -> bool:
        here, there = world.regions[one.region], world.regions[other.region]
        return (
            (one.region, one.kind, one.role) != (other.region, other.kind, other.role)
            and other.kind in above.get(one.kind, {one.kind})
            and (other.role in above.get(one.role, {one.role}))
            and (here < there or (here == there and other.region <= one.region))
        )

    return [each for each in found if not any(inside(each.cell, other.cell) for other in found)]


# ---- Saying --------------------------------------------------------------------------------------


def _names(ground: Ground, means: Means) -> Mapping[str, str]:
    concepts = dict(ontology.concepts().select("concept", "label").rows())
    return {**ground.labels, **concepts, **means.region_labels}


def _key(empty: _Empty) -> tuple[str, str, str]:
    return empty.cell.region, empty.cell.kind, empty.cell.role


def _gap(ground: Ground, names: Mapping[str, str], world: _World, empty: _Empty, basis: Evidence) -> Gap:
    cell = empty.cell
    parts = tuple(part for part in (cell.region, cell.kind, cell.role) if part)
    elsewhere = sorted(world.kinds[cell.kind] - cell.base, key=lambda other: (ground.name(other), other))
    if cell.role:
        elsewhere = [other for other in elsewhere if other in world.roles[cell.role]]
    region, kind = names.get(cell.region, cell.region), names.get(cell.kind, cell.kind)
    until = f", up to {basis.date}" if basis.date else ""
    rate = "below 0.001" if empty.q < 0.001 else f"{empty.q:.3f}"  # noqa: PLR2004 - the last digit that is shown
    return Gap(
        kind="C3",
        members=parts,
        labels=tuple(names.get(part, part) for part in parts),
        score=round(1 - math.exp(-cell.expected), 6),
        tier="strong" if empty.q < _STRONG else "some",
        explanation=(
            f"{_missing(names, cell, region, kind)} ({basis.label}{until}); {cell.expected:.1f} would be expected"
            f" {_because(world, cell, region, kind)}. The Poisson chance of none is"
            f" {math.exp(-cell.expected):.3f}; false discovery rate {rate} over the {empty.looked_at} combinations"
            " looked at."
        ),
        evidence=(
            Evidence(cell.region, region, f"{len(cell.base)} organisations are compared there"),
            Evidence(cell.kind, kind, f"{len(elsewhere)} elsewhere"),
            *_examples(ground, cell, elsewhere),
            basis,
        ),
        action=_action(ground, names, cell, elsewhere),
    )


def _missing(names: Mapping[str, str], cell: _Cell, region: str, kind: str) -> str:
    if not cell.role:
        return f"No organisation of the kind {kind} is in {region}"
    role = names.get(cell.role, cell.role)
    return f"None of the {len(cell.base)} organisations of the kind {kind} in {region} takes the role {role}"


def _because(world: _World, cell: _Cell, region: str, kind: str) -> str:
    if cell.role:
        return f"if they took it as often as others of the kind {kind} do"
    everybody = world.placed
    those = len(world.kinds[cell.kind] & everybody)
    return (
        f"from its size: {those} of the {len(everybody)} organisations compared are of that kind, and"
        f" {len(cell.base)} are in {region}"
    )


def _examples(ground: Ground, cell: _Cell, elsewhere: Sequence[str]) -> tuple[Evidence, ...]:
    """Name some who are of the kind or take the role elsewhere, the latter with the newest activity."""
    some = elsewhere[:_SPOKEN]
    if not cell.role:
        return tuple(Evidence(other, ground.name(other), "of the kind, elsewhere") for other in some)
    here = sorted(cell.base, key=lambda other: (ground.name(other), other))[:_SPOKEN]
    return (
        *(Evidence(other, ground.name(other), "of the kind, here") for other in here),
        *(Evidence(other, ground.name(other), "takes the role elsewhere") for other in some),
        *(each for other in some for each in ground.evidence(ground.activities_of.get(other, ())[:1], "takes part")),
    )


def _action(ground: Ground, names: Mapping[str, str], cell: _Cell, elsewhere: Sequence[str]) -> str:
    region, kind = names.get(cell.region, cell.region), names.get(cell.kind, cell.kind)
    others = listed([ground.name(other) for other in elsewhere[:_SPOKEN]])
    if cell.role:
        here = sorted(ground.name(other) for other in cell.base)
        asked = listed(here[:_SPOKEN])
        return f"Invite {asked} to take the role {names.get(cell.role, cell.role)}; {others} can tell how they do it."
    return (
        f"Recruit an organisation of the kind {kind} for {region}, or help to found one; ask {others} how they began."
    )


def _unknown(names: Mapping[str, str], world: _World, covered: set[str]) -> list[Gap]:
    """Return one data gap for the empty cells of regions that no register covers."""
    regions = [region for region in world.regions if region not in covered]
    found = _widest(_tested(_cells(world, regions)), world)
    if not found:
        return []
    members = tuple(dict.fromkeys(each.cell.region for each in found))
    said = [f"{names.get(e.cell.kind, e.cell.kind)} in {names.get(e.cell.region, e.cell.region)}" for e in found]
    tested = len(found)
    return [
        Gap(
            kind="D",
            members=members,
            labels=tuple(names.get(region, region) for region in members),
            score=1.0,
            tier="not-known",
            explanation=(
                f"Kinds of organisation of which nobody is known in a region, though three or more would be expected:"
                f" {tested} ({listed(said)}). No source here says that it lists all organisations there. Not known, and"
                " not to be taken as absent."
            ),
            evidence=tuple(
                Evidence(thing, names.get(thing, thing), "of which nobody is known" if place else "where")
                for each in found
                for place, thing in enumerate((each.cell.region, each.cell.kind))
            ),
            action="Bring in a register of the organisations of these regions, and declare how far it is complete.",
        )
    ]
