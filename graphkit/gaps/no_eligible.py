"""C5: an open opportunity that asks for something that nobody who could take part is known to have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from graphkit.gaps.base import Evidence, Gap
from graphkit.gaps.calls import Call
from graphkit.gaps.candidates import Candidates
from graphkit.gaps.ground import Ground, listed
from graphkit.gaps.means import Means, Register
from graphkit.gaps.programme import Programme, Rule

__all__ = ["find"]

_MOST = 7
_SPOKEN = 6
_TIME_LIMIT = 10.0


@dataclass(frozen=True, slots=True)
class _Lack:
    """What an opportunity asks for and cannot get: who has it and may take part, and who has it elsewhere."""

    iri: str
    label: str
    able: tuple[str, ...]
    elsewhere: tuple[str, ...]


def find(ground: Ground, means: Means) -> list[Gap]:
    """Find the open opportunities for which no consortium can be formed, and what is missing.

    An opportunity asks for the themes that it is about. Those may take part who work in one of its regions, where it
    names any, and do not offer it. A theme is shown as in the query `gaps/capabilities`. Score: the share of the themes
    that stay uncovered in the consortium of at most seven members that covers most, that is the slack of the programme
    of consortia divided by the number of themes; exact. An opportunity that names no theme asks for nothing that could
    be missing; one that is shut, as `still_open` tells, is left out.

    Claimed where one completeness scope for joint activities covers each region of the opportunity. Elsewhere, and
    where the opportunity names no region, it is a gap D: somebody may be able whom no source names.

    Source: Toregas and others 1971, Operations Research 19, 1363, for covering with as few as possible.
    """
    candidates = means.candidates(ground.network)
    areas: dict[frozenset[str], frozenset[str]] = {}
    gaps = []
    for call in means.open_on(ground.as_of):
        if call.opportunity and call.themes:
            lacks = _lacks(candidates, call, areas)
            if lacks:
                gaps.append(_gap(ground, candidates, call, lacks, _register(means, call)))
    return gaps


def _lacks(candidates: Candidates, call: Call, areas: dict[frozenset[str], frozenset[str]]) -> list[_Lack]:
    """Return what the nearest consortium lacks, in order of IRI; who works where is kept in `areas`."""
    having = {theme: candidates.having("capability", theme) for theme, _ in call.themes}
    able = {theme: _eligible(candidates, call, those, areas) for theme, those in having.items()}
    bringing = sorted(frozenset().union(*able.values()))
    place = {organisation: row for row, organisation in enumerate(bringing)}
    rules = tuple(Rule((theme, ""), tuple(sorted(place[o] for o in able[theme]))) for theme, _ in call.themes)
    lacking = {theme for theme, _ in _nearest(rules, len(bringing))}
    return [
        _Lack(theme, label, tuple(sorted(able[theme])), tuple(sorted(having[theme] - able[theme])))
        for theme, label in call.themes
        if theme in lacking
    ]


def _eligible(
    candidates: Candidates, call: Call, those: frozenset[str], areas: dict[frozenset[str], frozenset[str]]
) -> frozenset[str]:
    """Return who of `those` may take part: works in one of the regions, where any are named, and does not offer it."""
    regions = frozenset(region for region, _ in call.regions)
    if regions and regions not in areas:
        areas[regions] = frozenset().union(*(candidates.having("region", region) for region in regions))
    return (those & areas[regions] if regions else those).difference(call.offered_by)


def _nearest(rules: Sequence[Rule], n: int) -> Iterable[tuple[str, str]]:
    """Return the names of the rules that the best consortium does not keep."""
    alone = [rule.name for rule in rules if not rule.rows]
    if len(rules) - len(alone) <= _MOST:
        return alone
    programme = Programme(
        n=n,
        ties=np.zeros((0, 2), dtype=np.int64),
        trust=np.zeros(0),
        rules=tuple(rules),
        fixed=(),
        least=1,
        most=_MOST,
        cost=np.zeros(n),
        budget=None,
        depth=0.0,
        limit=_TIME_LIMIT,
    )
    found = programme.best()
    answer = None if found else programme.nearest()
    return () if answer is None else answer.lacks.keys()


def _register(means: Means, call: Call) -> Register | None:
    """Return a scope for joint activities that covers every region of the opportunity, or None."""
    regions = {region for region, _ in call.regions}
    fitting = (register for register in means.registers_of("activities") if regions and regions <= register.covered)
    return next(fitting, None)


def _gap(ground: Ground, candidates: Candidates, call: Call, lacks: list[_Lack], register: Register | None) -> Gap:
    reasons = "; ".join(_reason(candidates, lack) for lack in lacks)
    until = f", open until {call.deadline}" if call.deadline else ", with no deadline known"
    offered = f" of {listed(call.offered_by_labels)}" if call.offered_by_labels else ""
    among = listed([label for _, label in call.regions])
    where = f" among the organisations that work in {among}" if among else ""
    reach = f" ({register.label}, up to {register.end})" if register and register.end else ""
    unknown = (
        "" if register else " Others may be able whom no source here names: not known, and not to be taken as absent."
    )
    return Gap(
        kind="C5" if register else "D",
        members=(call.iri, *(lack.iri for lack in lacks)),
        labels=(call.label, *(lack.label for lack in lacks)),
        score=round(len(lacks) / len(call.themes), 6),
        tier="exact" if register else "not-known",
        explanation=f"For “{call.label}”{offered}{until},{where} {reasons}{reach}.{unknown}",
        evidence=(
            Evidence(call.iri, call.label, "the opportunity", call.deadline),
            *(Evidence(lack.iri, lack.label, "asked for") for lack in lacks),
            *_having(ground, candidates, lacks),
            *((register.evidence,) if register else ()),
        ),
        action=_action(candidates, call, lacks),
    )


def _reason(candidates: Candidates, lack: _Lack) -> str:
    if lack.able:
        names = listed([candidates.name(o) for o in lack.able], most=3)
        return f"{lack.label} cannot be covered together with the rest by seven members, though {names} could"
    return f"nobody is known for {lack.label}"


def _having(ground: Ground, candidates: Candidates, lacks: list[_Lack]) -> Iterable[Evidence]:
    """Name who has what is lacking but works elsewhere, with the newest activity that shows it, each once."""
    told: set[str] = set()
    for lack in lacks:
        for organisation in lack.elsewhere[:_SPOKEN]:
            if organisation not in told:
                told.add(organisation)
                yield Evidence(organisation, candidates.name(organisation), f"has {lack.label}, and works elsewhere")
                yield from ground.evidence(_showing(ground, organisation, lack.iri)[:1], f"shows {lack.label}")


def _showing(ground: Ground, organisation: str, theme: str) -> list[str]:
    rows = ground.takes_part.filter(organisation=organisation, theme=theme)
    days = {activity: ground.dates.get(activity) for activity in rows["activity"].unique().sort()}
    return sorted(days, key=lambda activity: (-(day.toordinal() if (day := days[activity]) else 0), activity))


def _action(candidates: Candidates, call: Call, lacks: list[_Lack]) -> str:
    outside = [candidates.name(o) for o in dict.fromkeys(o for lack in lacks for o in lack.elsewhere)]
    wanted = listed([lack.label for lack in lacks])
    if outside:
        return f"Ask {listed(outside, most=3)} to come in from elsewhere for “{call.label}”, or build up {wanted}."
    begin = "Look for an organisation that the graph does not know yet"
    return f"{begin}, or build up {wanted}, before “{call.label}” closes."
