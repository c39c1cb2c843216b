"""What a gap is: a finding about named things, with score, evidence, what could be done, and what people made of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

from graphkit.terms import ID, SOL

__all__ = ["KINDS", "TIERS", "VERDICTS", "Evidence", "Gap", "Kind", "Review"]

TIERS: Final = ("exact", "strong", "some", "weak", "not-known")
"""How strong the evidence for a gap is, best first; the concepts of the vocabulary `tier`."""

VERDICTS: Final = ("accepted", "dismissed", "done")
"""What a review can say of a gap; the concepts of the vocabulary `verdict`."""

_DIGITS = 12
_SHORT = 8


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of gap: its code, its name, the class of the ontology, and the question that it answers.

    `cap` is in how many gaps of this kind one organisation may stand, else hubs fill the list; None for kinds in
    which that says something.
    """

    code: str
    name: str
    class_name: str
    question: str
    cap: int | None = None

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
class Review:
    """What somebody made of a gap on a day: a verdict of `VERDICTS`, and why.

    `key` is that of the gap, `members` and `labels` what it was about, `who` a role or a name, or "". `version` is
    the number of the version of the graph that was looked at, None where none is kept. `replaces` is the IRI of the
    review of the same gap that came before, or "".
    """

    iri: str
    key: str
    members: tuple[str, ...]
    labels: tuple[str, ...]
    verdict: str
    reason: str
    who: str
    created: date
    version: int | None
    replaces: str

    @property
    def kind(self) -> str:
        """The code of the kind of the gap."""
        return self.key.partition("-")[0]

    @property
    def words(self) -> str:
        """The review in words, such as "dismissed on 2024-03-01 by the secretary: no bus goes there"."""
        said = "said to be done" if self.verdict == "done" else self.verdict
        by, why = f" by {self.who}" if self.who else "", f": {self.reason}" if self.reason else ""
        return f"{said} on {self.created}{by}{why}"


@dataclass(frozen=True, slots=True)
class Gap:
    """A finding that something useful is missing.

    `members` are the IRIs of what it is about and `labels` their names, in the same order. `score` lies in
    [0, 1] and ranks gaps of one kind; it is not a probability. `tier` is one of `TIERS`. `topic` tells apart gaps of
    one kind about the same members, where there can be several. `review` is the newest review of the gap.
    """

    kind: str
    members: tuple[str, ...]
    labels: tuple[str, ...]
    score: float
    tier: str
    explanation: str
    evidence: tuple[Evidence, ...]
    action: str
    topic: str = ""
    review: Review | None = None

    @property
    def key(self) -> str:
        """The name under which the gap stays the same from run to run: its kind and a hash of its members and topic.

        Score, rank, words and the order of the members do not matter.

        >>> pair, swapped = (Gap("P1", names, names, 0.5, "weak", "Why.", (), "What.") for names in ("ab", "ba"))
        >>> pair.key, pair.key == swapped.key
        ('P1-f0c86ec5f443', True)
        """
        said = json.dumps([self.kind, self.topic, sorted(self.members)])
        return f"{self.kind}-{hashlib.sha256(said.encode()).hexdigest()[:_DIGITS]}"

    @property
    def short_key(self) -> str:
        """The beginning of the key, which is enough to name the gap to a person."""
        return self.key[: len(self.kind) + 1 + _SHORT]

    @property
    def iri(self) -> str:
        """The IRI of the lasting gap, of which the gap of a run is a version."""
        return f"{ID}gap/{self.key}"

    @property
    def review_words(self) -> str:
        """The newest review in words, or ""; of one said to be done, that the sources do not show it."""
        if self.review is None:
            return ""
        return f"{self.review.words}{'; still not in the sources' if self.review.verdict == 'done' else ''}"


def _kinds(*kinds: Kind) -> Mapping[str, Kind]:
    return MappingProxyType({kind.code: kind for kind in kinds})


KINDS: Final[Mapping[str, Kind]] = _kinds(
    Kind("C1", "Commitment without action", "CommitmentWithoutAction", "Which promise has nothing behind it?"),
    Kind("C2", "Stale monitoring", "StaleMonitoring", "Which promise was followed up too long ago?"),
    Kind("C3", "Empty cell", "EmptyCell", "Where is nobody of a kind, or nobody in a role?"),
    Kind("C4", "No funding path", "NoFundingPath", "Whom does no money reach, or that of one funder?", cap=1),
    Kind("C5", "No eligible organisation", "NoEligibleOrganisation", "What does a call ask for that nobody has?"),
    Kind("R1", "Fragile point", "FragilePoint", "Without whom would the network fall apart?"),
    Kind("P1", "Missing partnership", "MissingPartnership", "Who could be introduced to whom?", cap=3),
    Kind("P2", "Dormant tie", "DormantTie", "Which partnership has gone to sleep?", cap=5),
    Kind("S1", "One-sided tie", "OneSidedTie", "Which tie does only one side tell of?", cap=5),
    Kind("G1", "Group bridging deficit", "GroupBridgingDeficit", "Which groups meet too rarely?"),
    Kind("G2", "Inward group", "InwardGroup", "Which group keeps to itself?"),
    Kind("G3", "Hole between communities", "CommunityHole", "Which circles hardly meet?"),
    Kind("B1", "Broker overload or vacancy", "BrokerGap", "Who alone joins two groups?"),
    Kind("B2", "Constrained organisation", "ConstrainedOrganisation", "Whose partners all know each other?"),
    Kind("R2", "Peripheral organisation", "PeripheralOrganisation", "Who stands at the edge, or alone?"),
    Kind("D", "Data gap", "DataGap", "What do the sources not say?"),
)
"""The kinds of gap that are searched for, in the order in which they are shown."""
