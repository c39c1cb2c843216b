"""What an opportunity asks of a consortium, and what is proposed or found missing, as data and in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from graphkit.gaps.base import Evidence, Gap
from graphkit.gaps.candidates import TrustPath
from graphkit.gaps.ground import listed

__all__ = ["Cover", "Missing", "Need", "Proposal", "Proposals", "proposals_in_words"]


@dataclass(frozen=True, slots=True)
class Need:
    """What an opportunity asks of a consortium; things are named by IRI, `kind/slug` or `theme/slug`.

    Each of `capabilities`, `regions` and `kinds` has to be covered by one or more members, and every member covers
    one or more of them, where any is named; the lead and newcomers need not. `within`: members work in one of these
    regions. `least` and `most` bound the number of members, the lead among them. `newcomers`: at least so many
    without a joint activity with the `lead`, or, where no lead is named, with anybody. `costs` per organisation, in
    one currency, are summed against the `budget`; who has no cost there is left out then.
    """

    capabilities: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    least: int = 2
    most: int = 7
    newcomers: int = 0
    lead: str | None = None
    excluded: tuple[str, ...] = ()
    budget: float | None = None
    costs: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cover:
    """Who covers a thing that was asked for: `aspect` is capability, region or kind; nobody where it is missing."""

    aspect: str
    value: str
    label: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """One consortium: its members in order of IRI, who covers what, and how they know each other.

    `trust` is the sum of the weights of the ties among members, `linked` counts the pairs of members with a tie, and
    `value` is what was made as large as can be: trust and depth of cover. `weak` says what the consortium
    stands on weakly, in sentences. `proven` is False where the time limit came before the proof that none is better.
    """

    members: tuple[str, ...]
    newcomers: tuple[str, ...]
    covers: tuple[Cover, ...]
    paths: tuple[TrustPath, ...]
    trust: float
    linked: int
    value: float
    cost: float | None
    weak: tuple[str, ...]
    proven: bool


@dataclass(frozen=True, slots=True)
class Missing:
    """What stands between an opportunity and the nearest consortium: the gap C5, no eligible organisation.

    `capabilities`, `regions` and `kinds` are IRIs that cannot be covered together with the rest; `newcomers` and
    `members` say how many are lacking, `over_budget` how much too dear the nearest consortium is. `score` is the
    share of what was asked for that is missing. What nobody is known to have somebody may have all the same.
    """

    capabilities: tuple[str, ...]
    regions: tuple[str, ...]
    kinds: tuple[str, ...]
    newcomers: int
    members: int
    over_budget: float
    score: float
    labels: tuple[str, ...]
    explanation: str
    evidence: tuple[Evidence, ...]
    action: str

    def as_gap(self) -> Gap:
        """Return it as a gap of the kind C5, about the capabilities, regions and kinds that are missing."""
        things = (*self.capabilities, *self.regions, *self.kinds)
        return Gap("C5", things, self.labels, self.score, "exact", self.explanation, self.evidence, self.action)


@dataclass(frozen=True, slots=True)
class Proposals:
    """Proposed consortia, best first, or, where none fits, what is missing and the nearest one.

    `looked_at` counts the organisations that may take part; `labels` names all things by IRI.
    """

    proposals: tuple[Proposal, ...]
    missing: Missing | None
    nearest: Proposal | None
    looked_at: int
    notes: tuple[str, ...]
    labels: Mapping[str, str] = field(repr=False, compare=False)


def proposals_in_words(found: Proposals) -> str:
    """Write the proposals, or what is missing, in lines that a person reads, ending with a line break."""
    lines = [f"{found.looked_at} organisation{'' if found.looked_at == 1 else 's'} may take part."]
    for number, proposal in enumerate(found.proposals, 1):
        lines += ["", f"Proposal {number}", *_proposal_lines(proposal, found.labels)]
    if found.missing:
        lines += ["", found.missing.explanation, f"> {found.missing.action}"]
    if found.nearest:
        lines += ["", "The nearest consortium", *_proposal_lines(found.nearest, found.labels)]
    lines += ["", *found.notes] if found.notes else []
    return "\n".join(lines) + "\n"


def _proposal_lines(proposal: Proposal, labels: Mapping[str, str]) -> list[str]:
    def names(iris: Iterable[str]) -> str:
        return listed(labels.get(iri, iri) for iri in iris)

    cost = "" if proposal.cost is None else f", cost {proposal.cost:g}"
    proof = "" if proposal.proven else " (the best found in time; a better one may exist)"
    worked = f"{proposal.linked} of {len(proposal.paths)} pairs have worked together"
    new = [f"  newcomers: {names(proposal.newcomers)}"] if proposal.newcomers else []
    return [
        f"  {names(proposal.members)}",
        f"  {worked}, trust {proposal.trust:.2f}{cost}{proof}",
        *new,
        *(f"  {cover.aspect} {cover.label}: {names(cover.members) or 'nobody'}" for cover in proposal.covers),
        *(line for path in proposal.paths if (line := _path_line(path, labels))),
        *(f"  ! {sentence}" for sentence in proposal.weak),
    ]


def _path_line(path: TrustPath, labels: Mapping[str, str]) -> str:
    """Say how two members know each other; nothing where no chain of joint work is known."""
    if not path.steps:
        return ""
    ends = f"  {labels.get(path.source, path.source)} - {labels.get(path.target, path.target)}"
    through = f", through {listed(labels.get(o, o) for o in path.through)}" if path.through else ""
    shared = "; ".join(
        listed((labels.get(a, a) for a in step), most=2) or "no activity named" for step in path.activities
    )
    return f"{ends}{through}: {shared}"
