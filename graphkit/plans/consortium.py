"""Consortia for an opportunity: who together has what is asked for, and has worked together before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from graphkit.errors import UsageError
from graphkit.gaps.base import Evidence
from graphkit.gaps.candidates import ASPECTS, Candidates, TrustPath, load_candidates
from graphkit.gaps.ground import listed
from graphkit.gaps.programme import Answer, Programme, Rule
from graphkit.plans.proposals import Cover, Missing, Need, Proposal, Proposals, proposals_in_words
from graphkit.plans.words import resolve, resolve_all

__all__ = [
    "Candidates",
    "Cover",
    "Missing",
    "Need",
    "Proposal",
    "Proposals",
    "TrustPath",
    "load_candidates",
    "proposals_in_words",
    "propose",
]

_DEPTH = 0.25
_TIME_LIMIT = 30.0
_WHERE = "consortium"


def propose(
    candidates: Candidates, need: Need, *, proposals: int = 3, differ: int = 2, time_limit: float = _TIME_LIMIT
) -> Proposals:
    """Propose consortia that have what an opportunity asks for and hang together best.

    What is made as large as can be: the sum of the weights of the ties among members, and 1/4 for each capability
    that two or more of them have. Each further proposal replaces at least `differ` members of every one before it,
    or fewer where that cannot be, which `notes` says. Where none fits, `missing` is the smallest set of things to
    give up, each thing counting one. The same input gives the same answer, unless the time limit cuts a proof short.

    Parameters
    ----------
    proposals : int
        How many, at least 1.
    time_limit : float
        Seconds for each proposal.

    Raises `UnknownNameError` with the near names for a thing that is not known, `UsageError` for a need that
    contradicts itself, `GraphkitError` where no consortium was found in time.

    References
    ----------
    F. Glover and E. Woolsey, Converting the 0-1 polynomial programming problem to a 0-1 linear program, Operations
    Research 22, 180 (1974), for the sum over pairs; Q. Huangfu and J. A. J. Hall, Mathematical Programming
    Computation 10, 119 (2018), for the solver HiGHS.
    """
    if proposals < 1 or differ < 1:
        raise UsageError("one proposal or more, that differ in one member or more, can be asked for", where=_WHERE)
    need = _resolved(candidates, need)
    _check(need)
    eligible = _eligible(candidates, need)
    programme = _programme(candidates, need, eligible, time_limit)
    answers, notes = _several(programme, proposals, differ)
    nearest = None if answers else programme.nearest()
    near = _proposal(candidates, need, eligible, programme, nearest) if nearest else None
    return Proposals(
        proposals=tuple(_proposal(candidates, need, eligible, programme, answer) for answer in answers),
        missing=_missing(candidates, need, eligible, nearest) if nearest else None,
        nearest=near,
        looked_at=len(eligible),
        notes=(*notes, *_left_out(need, candidates)),
        labels=candidates.labels,
    )


# ---- What is asked -------------------------------------------------------------------------------


def _resolved(candidates: Candidates, need: Need) -> Need:
    """Return the need with all words resolved to IRIs."""
    everybody = frozenset(candidates.organisations)
    known = candidates.known

    def all_of(words: Iterable[str], aspect: str) -> tuple[str, ...]:
        return resolve_all(words, known[aspect], aspect, where=_WHERE)

    return Need(
        capabilities=all_of(need.capabilities, "capability"),
        regions=all_of(need.regions, "region"),
        kinds=all_of(need.kinds, "kind"),
        within=all_of(need.within, "region"),
        least=need.least,
        most=need.most,
        newcomers=need.newcomers,
        lead=resolve(need.lead, everybody, "organisation", where=_WHERE) if need.lead else None,
        excluded=resolve_all(need.excluded, everybody, "organisation", where=_WHERE),
        budget=need.budget,
        costs={resolve(word, everybody, "organisation", where=_WHERE): cost for word, cost in need.costs.items()},
    )


def _check(need: Need) -> None:
    """Refuse a need that contradicts itself."""
    faults = {
        f"at least {need.least} and at most {need.most} members are asked for": not 1 <= need.least <= need.most,
        f"{need.newcomers} newcomers are asked for among at most {need.most} members, the lead not one of them": (
            not 0 <= need.newcomers <= need.most - bool(need.lead)
        ),
        f"the lead '{need.lead}' is excluded": need.lead in need.excluded,
        "a budget is given, and no cost of any organisation": need.budget is not None and not need.costs,
        "a budget or a cost is below 0": min([need.budget or 0, *need.costs.values()]) < 0,
        f"the lead '{need.lead}' has no cost": bool(need.lead and need.budget is not None)
        and need.lead not in need.costs,
    }
    fault = next((words for words, true in faults.items() if true), None)
    if fault:
        raise UsageError(f"the need contradicts itself: {fault}", where=_WHERE, hint="change one of the two")


def _eligible(candidates: Candidates, need: Need) -> tuple[str, ...]:
    """List who may take part, in order: who brings something that is asked for; the lead may in any case."""
    allowed = set(candidates.organisations)
    bringing = [candidates.having(*thing) for thing in _asked(need)]
    if bringing:
        allowed &= frozenset().union(*bringing, _newcomers(candidates, need) if need.newcomers else ())
    if need.within:
        allowed &= frozenset().union(*(candidates.having("region", region) for region in need.within))
    if need.budget is not None:
        allowed &= need.costs.keys()
    allowed |= {need.lead} if need.lead else set()
    return tuple(sorted(allowed - set(need.excluded)))


def _left_out(need: Need, candidates: Candidates) -> tuple[str, ...]:
    if need.budget is None:
        return ()
    number = len(set(candidates.organisations) - need.costs.keys())
    return (f"{number} organisations are left out because their cost is not known.",) if number else ()


def _asked(need: Need) -> tuple[tuple[str, str], ...]:
    """List what has to be covered as aspect and value."""
    values = (need.capabilities, need.regions, need.kinds)
    return tuple((aspect, value) for aspect, each in zip(ASPECTS, values, strict=True) for value in each)


def _programme(candidates: Candidates, need: Need, eligible: tuple[str, ...], limit: float) -> Programme:
    place = {organisation: row for row, organisation in enumerate(eligible)}
    rules = [
        Rule((aspect, value), _places(candidates.having(aspect, value), place), depth=aspect == "capability")
        for aspect, value in _asked(need)
    ]
    if need.newcomers:
        rules.append(Rule(("newcomers", ""), _places(_newcomers(candidates, need), place), need.newcomers))
    ties, trust = _trust(candidates, eligible)
    return Programme(
        n=len(eligible),
        ties=ties,
        trust=trust,
        rules=tuple(rules),
        fixed=(place[need.lead],) if need.lead else (),
        least=need.least,
        most=need.most,
        cost=np.array([need.costs.get(organisation, 0.0) for organisation in eligible]),
        budget=need.budget,
        depth=_DEPTH,
        limit=limit,
    )


def _places(organisations: Iterable[str], place: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(sorted(place[organisation] for organisation in organisations if organisation in place))


def _newcomers(candidates: Candidates, need: Need) -> frozenset[str]:
    """Return who has never worked with the lead, or, without a lead, with anybody."""
    network = candidates.network
    if need.lead is None:
        known = {network.organisations[row] for row in np.flatnonzero(network.adjacency.sum(axis=1))}
    elif need.lead in network.rows:
        row = network.adjacency[[network.rows[need.lead]], :].tocoo()
        known = {need.lead, *(network.organisations[column] for column in row.col)}
    else:
        known = {need.lead}
    return frozenset(candidates.organisations) - known


def _trust(candidates: Candidates, eligible: tuple[str, ...]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the ties among those who may take part, as pairs of rows with their weights, in order."""
    network = candidates.network
    inside = [organisation for organisation in eligible if organisation in network.rows]
    rows = np.array([network.rows[organisation] for organisation in inside], dtype=np.int64)
    place = {organisation: row for row, organisation in enumerate(eligible)}
    back = np.array([place[organisation] for organisation in inside], dtype=np.int64)
    both = network.weights + network.weights.T if network.directed else network.weights
    part = sparse.csr_array(sparse.triu(sparse.csr_array(both)[rows][:, rows], 1)).tocoo()
    return np.column_stack([back[part.row], back[part.col]]).reshape(-1, 2), np.asarray(part.data)


# ---- What is answered ----------------------------------------------------------------------------


def _several(programme: Programme, wanted: int, differ: int) -> tuple[list[Answer], list[str]]:
    """Return up to `wanted` answers that differ, and what must be said about their number."""
    answers: list[Answer] = []
    notes: list[str] = []
    while len(answers) < wanted:
        before = [answer.rows for answer in answers]
        found = programme.best(before, differ)
        if found is None and differ > 1 and answers:
            differ -= 1
            notes = [f"No further proposal replaces more than {differ} of the members of each one before."]
            continue
        if found is None:
            return answers, _fewer(len(answers))
        answers.append(found)
    return answers, notes


def _fewer(number: int) -> list[str]:
    if not number:
        return []
    return ["Only one consortium fits." if number == 1 else f"Only {number} different consortia fit."]


def _proposal(
    candidates: Candidates, need: Need, eligible: tuple[str, ...], programme: Programme, answer: Answer
) -> Proposal:
    members = tuple(eligible[row] for row in answer.rows)
    inside = np.isin(programme.ties, answer.rows).all(axis=1)
    covers = tuple(
        Cover(aspect, value, candidates.name(value), tuple(sorted(candidates.having(aspect, value) & set(members))))
        for aspect, value in _asked(need)
    )
    paths = candidates.trust_paths(members)
    return Proposal(
        members=members,
        newcomers=tuple(sorted(_newcomers(candidates, need) & set(members))),
        covers=covers,
        paths=paths,
        trust=round(float(programme.trust[inside].sum()), 9),
        linked=int(inside.sum()),
        value=round(programme.value(answer.rows), 9),
        cost=sum(need.costs[member] for member in members) if need.budget is not None else None,
        weak=_weak(candidates, covers, paths),
        proven=answer.proven,
    )


def _weak(candidates: Candidates, covers: tuple[Cover, ...], paths: tuple[TrustPath, ...]) -> tuple[str, ...]:
    """Say what a consortium stands on weakly: what nobody or one alone covers, and who does not know whom."""
    name = candidates.name
    nobody = [f"Nobody covers {cover.label}." for cover in covers if not cover.members]
    single = [
        f"Only {name(cover.members[0])} has {cover.label}."
        for cover in covers
        if len(cover.members) == 1 and cover.aspect == "capability"
    ]
    apart = [f"{name(p.source)} and {name(p.target)}" for p in paths if not p.steps]
    strangers = [f"No chain of joint work is known between {listed(apart)}."] if apart else []
    return (*nobody, *single, *strangers)


def _missing(candidates: Candidates, need: Need, eligible: tuple[str, ...], answer: Answer) -> Missing:
    """Say what the nearest consortium lacks, why, and what could be done."""
    lacks = dict(answer.lacks)
    things = {aspect: tuple(v for a, v in lacks if a == aspect) for aspect in ASPECTS}
    newcomers, members = round(lacks.get(("newcomers", ""), 0)), round(lacks.get(("size", ""), 0))
    over = lacks.get(("budget", ""), 0.0)
    lacking = [(aspect, value) for aspect in ASPECTS for value in things[aspect]]
    asked = len(_asked(need)) + need.newcomers + need.least + (need.budget is not None)
    reasons = [_reason(candidates, frozenset(eligible), *thing) for thing in lacking]
    reasons += [f"{newcomers} more newcomers are needed"] if newcomers else []
    reasons += (
        [f"{members} more {'member is' if members == 1 else 'members are'} needed than may take part"]
        if members
        else []
    )
    reasons += [f"the nearest consortium is {over:g} over the budget"] if over else []
    has = {o for aspect, value in lacking for o in candidates.having(aspect, value)}
    shut_out = sorted(map(candidates.name, has - set(eligible)))
    return Missing(
        capabilities=things["capability"],
        regions=things["region"],
        kinds=things["kind"],
        newcomers=newcomers,
        members=members,
        over_budget=over,
        score=round(min(1.0, (len(lacking) + newcomers + members + (over > 0)) / max(asked, 1)), 6),
        labels=tuple(candidates.name(value) for _, value in lacking),
        explanation=f"No consortium of {need.least} to {need.most} members fits: {'; '.join(reasons)}.",
        evidence=tuple(Evidence(o, candidates.name(o), "has it, and cannot be in") for o in sorted(has)),
        action=_action([candidates.name(v) for a, v in lacking if not candidates.having(a, v)], shut_out),
    )


def _reason(candidates: Candidates, eligible: frozenset[str], aspect: str, value: str) -> str:
    label, having = candidates.name(value), candidates.having(aspect, value)
    able = sorted(map(candidates.name, having & eligible))
    if able:
        number = "covers" if len(able) == 1 else "cover"
        return f"{label} ({aspect}) cannot be covered together with the rest, though {listed(able)} {number} it"
    if having:
        others = sorted(map(candidates.name, having))
        return f"{label} ({aspect}) is known only of {listed(others)}, who may not take part"
    return f"{label} ({aspect}) is not known of any organisation"


def _action(unknown: list[str], shut_out: list[str]) -> str:
    if unknown:
        return f"Look for an organisation that the graph does not know yet, or build up: {listed(unknown)}."
    if shut_out:
        return f"Ask whether {listed(shut_out)} could be let in, or give up one of the other conditions."
    return "Allow more members or a larger budget, bring in more organisations, or ask for less."
