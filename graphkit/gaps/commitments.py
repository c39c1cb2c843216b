"""C1 and C2: a commitment with no action behind it, and one whose monitoring has gone stale."""

from __future__ import annotations

from collections.abc import Iterable

from graphkit.gaps.base import Evidence, Gap
from graphkit.gaps.ground import listed
from graphkit.monitor import Standing

__all__ = ["find"]


def find(standings: Iterable[Standing]) -> list[Gap]:
    """Find the commitments without evidence, or below their target (C1), and those that are stale (C2).

    C1 scores 1 - min(1, n / target) with n pieces of evidence and target 1 where none is declared; C2 scores
    min(1, age / period) once the age of the newest evidence is above the review period. Both are exact, and
    claimed only inside a completeness scope; a commitment that no scope covers is the gap D.
    """
    found: list[Gap] = []
    for standing in standings:
        if standing.scope is None:
            found += [_unknown(standing)] if not standing.findings else []
            continue
        found += [_without_action(standing)] if _lack(standing) > 0 else []
        found += [_stale(standing)] if standing.status == "stale" else []
    return found


def _lack(standing: Standing) -> float:
    return 1 - min(1.0, len(standing.findings) / (standing.target or 1))


def _title(standing: Standing) -> str:
    return f"{standing.identifier} {standing.label}".strip()


def _without_action(standing: Standing) -> Gap:
    since = f" since {standing.since}" if standing.since else ""
    count = len(standing.findings)
    found = f"only {count} of {standing.target} pieces of evidence" if count else "no action and no report"
    return Gap(
        kind="C1",
        members=(standing.commitment,),
        labels=(_title(standing),),
        score=round(_lack(standing), 6),
        tier="exact",
        explanation=(
            f"For commitment {_title(standing)} ({standing.policy_label}{since}) the sources show {found}, up to"
            f" {standing.as_of}."
        ),
        evidence=(*_basis(standing), *_found(standing)),
        action="Name who leads on this commitment, and what would count as evidence; then bring in that source.",
    )


def _stale(standing: Standing) -> Gap:
    months, review = standing.age_months or 0, standing.review_months or 1
    newest = [finding for finding in standing.findings if finding.date == standing.newest]
    return Gap(
        kind="C2",
        members=(standing.commitment,),
        labels=(_title(standing),),
        score=round(min(1.0, months / review), 6),
        tier="exact",
        explanation=(
            f"The newest evidence for commitment {_title(standing)} is {listed([f.label for f in newest])}"
            f" ({standing.newest}), {months} months before {standing.as_of}; a review is due every {review} months."
        ),
        evidence=(*_found(standing), *_basis(standing)),
        action="Report what has been done since, or say that nothing has.",
    )


def _unknown(standing: Standing) -> Gap:
    return Gap(
        kind="D",
        members=(standing.commitment,),
        labels=(_title(standing),),
        score=1.0,
        tier="not-known",
        explanation=(
            f"Whether anything was done about commitment {_title(standing)} is not known: no source here says that"
            " it tells all that was done."
        ),
        evidence=_basis(standing),
        action="Bring in a source that covers this commitment, and declare how far it is complete.",
    )


def _found(standing: Standing) -> tuple[Evidence, ...]:
    return tuple(Evidence(f.iri, f.label, f.method, f.date) for f in standing.findings)


def _basis(standing: Standing) -> tuple[Evidence, ...]:
    """Give the policy, and the scope within which the claim is made."""
    since = f", since {standing.since}" if standing.since else ""
    policy = Evidence(standing.policy, standing.policy_label, f"the policy that makes the commitment{since}")
    if standing.scope is None:
        return (policy,)
    return (
        policy,
        Evidence(standing.scope, standing.scope_label or "", "declared complete up to here", standing.as_of),
    )
