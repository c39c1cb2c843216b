"""How commitments stood in earlier versions of a graph, and what has changed since one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from graphkit.errors import UsageError
from graphkit.monitor.base import Finding, Standing
from graphkit.monitor.standings import monitor
from graphkit.store import Store, Version

__all__ = ["Moment", "Shift", "history", "past", "shifts"]


@dataclass(frozen=True, slots=True)
class Moment:
    """How the commitments stood in one version, on the day on which that version was made."""

    version: Version
    standings: tuple[Standing, ...]


@dataclass(frozen=True, slots=True)
class Shift:
    """What changed for one commitment, or one figure of one of its indicators, between two versions.

    `indicator` is empty where the shift is about the evidence; then the values count pieces of it. A side on which
    the commitment or the figure is not there has the status "" and no value. `gained` and `lost` are pieces of
    evidence.
    """

    commitment: str
    identifier: str
    label: str
    indicator: str
    figure: str
    before: str
    after: str
    value_before: Decimal | None
    value_after: Decimal | None
    unit: str
    gained: tuple[Finding, ...] = ()
    lost: tuple[Finding, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything is different."""
        return bool(self.before != self.after or self.value_before != self.value_after or self.gained or self.lost)


def past(store: Store, number: int) -> Store:
    """Open the content of a kept version for reading; the caller closes it.

    Raises `UsageError` where no such version is kept.
    """
    kept = [version.number for version in store.versions()]
    if number not in kept:
        known = f"kept are {kept[0]} to {kept[-1]}" if kept else "this store keeps no versions"
        raise UsageError(
            f"there is no version {number}", where=store.location, hint=f"{known}; see 'graphkit versions'"
        )
    return store.at(number)


def history(store: Store, today: date) -> list[Moment]:
    """Tell how the commitments stood in each version that is kept, oldest first, each on its own day."""
    return [_moment(store, version, today) for version in store.versions()]


def shifts(store: Store, since: int, today: date) -> list[Shift]:
    """Tell what has changed for each commitment since version `since`: status, value, evidence gained and lost.

    The earlier version is judged on the day on which it was made, the newest on `today`; so what has gone stale by
    the mere passing of time is a change too. What stayed the same is left out.
    """
    kept = {version.number: version for version in store.versions()}
    if since not in kept:
        past(store, since)
    before = {each.commitment: each for each in _moment(store, kept[since], today).standings}
    after = {each.commitment: each for each in monitor(store, today)}
    found: list[Shift] = []
    for commitment in [*after, *(name for name in before if name not in after)]:
        found += _of_commitment(before.get(commitment), after.get(commitment))
    return [shift for shift in found if shift.changed]


def _moment(store: Store, version: Version, today: date) -> Moment:
    with past(store, version.number) as copy:
        return Moment(version, tuple(monitor(copy, min(today, version.time.date()))))


def _of_commitment(before: Standing | None, after: Standing | None) -> list[Shift]:
    known = after or before
    if known is None:
        return []
    old = {finding.iri: finding for finding in before.findings} if before else {}
    new = {finding.iri: finding for finding in after.findings} if after else {}
    evidence = Shift(
        commitment=known.commitment,
        identifier=known.identifier,
        label=known.label,
        indicator="",
        figure="",
        before=before.status if before else "",
        after=after.status if after else "",
        value_before=Decimal(len(old)) if before else None,
        value_after=Decimal(len(new)) if after else None,
        unit="pieces of evidence",
        gained=tuple(finding for iri, finding in new.items() if iri not in old),
        lost=tuple(finding for iri, finding in old.items() if iri not in new),
    )
    return [evidence, *_of_figures(known, before, after)]


def _of_figures(known: Standing, before: Standing | None, after: Standing | None) -> list[Shift]:
    old = {(f.indicator, f.name, f.unit): f for f in (before.figures if before else ())}
    new = {(f.indicator, f.name, f.unit): f for f in (after.figures if after else ())}
    found = []
    for key in [*new, *(key for key in old if key not in new)]:
        was, now = old.get(key), new.get(key)
        found.append(
            Shift(
                commitment=known.commitment,
                identifier=known.identifier,
                label=known.label,
                indicator=key[0],
                figure=key[1],
                before=was.status if was else "",
                after=now.status if now else "",
                value_before=was.value if was else None,
                value_after=now.value if now else None,
                unit=key[2],
            )
        )
    return found
