"""What a gap is: a finding about named things, with a score, the evidence for it, and what could be done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

from graphkit.terms import SOL

__all__ = ["KINDS", "TIERS", "Evidence", "Gap", "Kind"]

TIERS: Final = ("exact", "strong", "some", "weak", "not-known")
"""How strong the evidence for a gap is, best first; the concepts of the vocabulary `tier`."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of gap: its code, its name, the class of the ontology, and the question that it answers."""

    code: str
    name: str
    class_name: str
    question: str

    @property
    def iri(self) -> str:
        """The IRI of the class of the ontology."""
        return SOL + self.class_name


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing in the graph that an explanation rests on, and in what way."""

    iri: str
    label: str
    note: str = ""
    date: date | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A finding that something useful is missing.

    `members` are the IRIs of what it is about and `labels` their names, in the same order. `score` lies in
    [0, 1] and ranks gaps of one kind; it is not a probability. `tier` is one of `TIERS`.
    """

    kind: str
    members: tuple[str, ...]
    labels: tuple[str, ...]
    score: float
    tier: str
    explanation: str
    evidence: tuple[Evidence, ...]
    action: str


def _kinds(*kinds: Kind) -> Mapping[str, Kind]:
    return MappingProxyType({kind.code: kind for kind in kinds})


KINDS: Final[Mapping[str, Kind]] = _kinds(
    Kind("C1", "Commitment without action", "CommitmentWithoutAction", "Which promise has nothing behind it?"),
    Kind("C2", "Stale monitoring", "StaleMonitoring", "Which promise was followed up too long ago?"),
    Kind("R1", "Fragile point", "FragilePoint", "Without whom would the network fall apart?"),
    Kind("P1", "Missing partnership", "MissingPartnership", "Who could be introduced to whom?"),
    Kind("P2", "Dormant tie", "DormantTie", "Which partnership has gone to sleep?"),
    Kind("G1", "Group bridging deficit", "GroupBridgingDeficit", "Which groups meet too rarely?"),
    Kind("G2", "Inward group", "InwardGroup", "Which group keeps to itself?"),
    Kind("B1", "Broker overload or vacancy", "BrokerGap", "Who alone joins two groups?"),
    Kind("B2", "Constrained organisation", "ConstrainedOrganisation", "Whose partners all know each other?"),
    Kind("R2", "Peripheral organisation", "PeripheralOrganisation", "Who stands at the edge, or alone?"),
    Kind("D", "Data gap", "DataGap", "What do the sources not say?"),
)
"""The kinds of gap that are searched for, in the order in which they are shown."""
