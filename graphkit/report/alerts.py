"""What changed between two versions that somebody who follows policy should know: evidence, partners, calls, money."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from time import perf_counter
from types import MappingProxyType
from typing import Final

import polars as pl

from graphkit import opportunities as offers
from graphkit import queries
from graphkit.errors import UsageError
from graphkit.gaps import listed
from graphkit.monitor import Shift, past, shifts
from graphkit.report.document import Named
from graphkit.report.facts import find_region
from graphkit.store import Store, Version
from graphkit.terms import PREFIXES, SOL

__all__ = ["KINDS", "Alert", "Alerts", "alerts_since"]

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "commitment": "Commitments: status, evidence and figures",
        "call": "New calls and tenders, and whom they fit",
        "left": "Partners that left, and organisations that ended",
        "grant": "New grants",
        "activity": "New activities",
        "came": "Organisations that came",
        "went": "Organisations that are no longer there",
    }
)
"""The kinds of alert, in the order in which they are shown."""

_MOST: Final = 50
_AT_ONCE: Final = 2000
_FITTING: Final = 5
_TYPE: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_ORGANISATION: Final = PREFIXES["org"] + "Organization"
_GRANT: Final = PREFIXES["schema"] + "MonetaryGrant"
_ENDED: Final = PREFIXES["voc"] + "status/ended"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that changed: its kind (of `KINDS`), what it is about, and what happened, in words."""

    kind: str
    about: Named
    what: str

    @property
    def key(self) -> str:
        """A name that stays the same for the same change."""
        return hashlib.sha256(f"{self.kind}\0{self.about.iri}\0{self.what}".encode()).hexdigest()[:16]


@dataclass(frozen=True, eq=False)
class Alerts:
    """The alerts between two versions, for one region or for all; `counts` has how many of each kind there are.

    At most fifty of a kind are in `alerts`; the rest is only counted.
    """

    since: Version
    until: Version
    region: Named | None
    alerts: tuple[Alert, ...]
    counts: Mapping[str, int]

    def of_kind(self, kind: str) -> tuple[Alert, ...]:
        """Return the alerts of one kind."""
        return tuple(alert for alert in self.alerts if alert.kind == kind)


@dataclass(frozen=True, eq=False, repr=False)
class _Both:
    """The two states, what only one of them has as N-Quads, and what belongs to the region in either."""

    old: Store
    new: Store
    added: bytes
    removed: bytes
    inside: frozenset[str] | None

    def here(self, *things: str) -> bool:
        """Tell whether one of these is in the region; without a region everything is."""
        return self.inside is None or not self.inside.isdisjoint(things)


def alerts_since(store: Store, since: int | None = None, *, region: str = "") -> Alerts:
    """Tell what changed from version `since` (default: the one before the newest) to the newest version of `store`.

    Each version is judged on its own day, so the same two versions always give the same alerts. `region` keeps what
    has to do with it, and changes of the status of commitments, which hold for all. Raises `UsageError` where the
    store does not keep the version, or keeps fewer than two.
    """
    start, kept = perf_counter(), {version.number: version for version in store.versions()}
    if len(kept) < 2:  # noqa: PLR2004 - two states
        hint = "alerts come with the next import or change; an endpoint keeps no versions"
        raise UsageError("there are no two versions to compare", where=store.location, hint=hint)
    numbers = sorted(kept)
    number = numbers[-2] if since is None else since
    until = kept[numbers[-1]]
    named = find_region(store, region) if region else None
    with past(store, number) as old:
        changed = store.diff(number, until.number)
        both = _Both(old, store, changed.added, changed.removed, _inside(store, old, named))
        found = _all(both, number, until)
    counts = {kind: sum(alert.kind == kind for alert in found) for kind in KINDS}
    shown = [alert for kind in KINDS for alert in [each for each in found if each.kind == kind][:_MOST]]
    _log.info("%d alerts in %.1f s", len(found), perf_counter() - start)
    return Alerts(kept[number], until, named, tuple(shown), counts)


def _all(both: _Both, since: int, until: Version) -> list[Alert]:
    went = _things(both.removed, _ORGANISATION) - _things(both.added, _ORGANISATION)
    return [
        *_commitments(both, shifts(both.new, since, until.time.date())),
        *_calls(both, until),
        *_left(both),
        *_new(both, "grant", _GRANT, "A grant that was not known before."),
        *_new(both, "activity", SOL + "Activity", "An activity that was not known before."),
        *_new(both, "came", _ORGANISATION, "An organisation that was not known before."),
        *_named(both.old, both, "went", went - _still_there(both.new, went), "It is no longer in the graph."),
    ]


def _inside(new: Store, old: Store, region: Named | None) -> frozenset[str] | None:
    if region is None:
        return None
    parts = (
        ("region/organisations", "organisation"),
        ("region/participations", "activity"),
        ("region/grants", "grant"),
        ("region/things", "thing"),
    )
    return frozenset(
        thing
        for state in (new, old)
        for query, column in parts
        for thing in queries.run(state, query, region=region.iri)[column]
    )


# ---- Each kind ------------------------------------------------------------------------------------------------


def _commitments(both: _Both, found: Iterable[Shift]) -> list[Alert]:
    alerts = []
    for shift in found:
        gained, lost = ([each for each in side if both.here(each.iri)] for side in (shift.gained, shift.lost))
        turned = shift.before != shift.after
        if not (turned or gained or lost or (both.inside is None and shift.changed)):
            continue
        parts = [_turned(shift)] if turned else []
        parts += [f"new evidence: {listed([each.label for each in gained])}"] if gained else []
        parts += [f"no longer evidence: {listed([each.label for each in lost])}"] if lost else []
        if not parts:
            parts = [f"{_value(shift.value_before)} to {_value(shift.value_after)} {shift.unit}"]
        figure = f" [{shift.figure}]" if shift.figure else ""
        about = Named(f"{shift.identifier} {shift.label}{figure}".strip(), shift.commitment)
        alerts.append(Alert("commitment", about, "; ".join(parts)[:1].upper() + "; ".join(parts)[1:] + "."))
    return alerts


def _turned(shift: Shift) -> str:
    before, after = (status.replace("-", " ") or "not there" for status in (shift.before, shift.after))
    return f"from “{before}” to “{after}”"


def _value(value: object) -> str:
    return "not known" if value is None else f"{value:,f}"


def _calls(both: _Both, until: Version) -> list[Alert]:
    """Name new opportunities that may still be open, with the organisations that they fit best."""
    fresh = _fresh(both, SOL + "Opportunity")
    if not fresh:
        return []
    loaded = offers.load_opportunities(both.new)
    needs = loaded.open_on(until.time.date()).filter(pl.col("opportunity").is_in(sorted(fresh)))
    if needs.is_empty():
        return []
    fits = offers.matches(loaded, needs, top=_FITTING if both.inside is None else _AT_ONCE)
    alerts = []
    for row in needs.unique("opportunity", maintain_order=True).rows(named=True):
        mine = fits.filter(pl.col("opportunity") == row["opportunity"])
        who = [
            label for iri, label in mine.select("organisation", "organisation_label").rows() if both.here(iri)
        ][:_FITTING]  # fmt: skip
        if not who and not both.here(row["opportunity"]):
            continue
        deadline = f"Deadline {row['deadline']}. " if row["deadline"] else "No deadline is known. "
        fit = f"Fits {listed(who)}." if who else "Nobody is known to have what it asks for."
        alerts.append(Alert("call", Named(row["label"], row["opportunity"]), deadline + fit))
    return alerts


def _left(both: _Both) -> list[Alert]:
    """Name participations that are gone while their activity stays, and organisations that have ended."""
    who, what = (_pairs(both.removed, SOL + name) for name in ("participant", "participatesIn"))
    kept = _pairs(both.added, SOL + "participant")
    gone = [(who[each], what[each]) for each in sorted(who) if each in what and each not in kept]
    gone = [pair for pair in gone if both.here(*pair)]
    there = _still_there(both.new, {activity for _, activity in gone})
    names = _labels(both.old, {iri for pair in gone for iri in pair})
    alerts = [
        Alert("left", Named(names.get(one, one), one), f"No longer takes part in {names.get(activity, activity)}.")
        for one, activity in gone
        if activity in there
    ]
    ended = _things(both.added, _ENDED, PREFIXES["adms"] + "status") - _things(
        both.removed, _ENDED, PREFIXES["adms"] + "status"
    )
    known = ended & _still_there(both.old, ended)
    return alerts + _named(both.new, both, "left", known, "It has ended.")


def _new(both: _Both, kind: str, class_iri: str, what: str) -> list[Alert]:
    return _named(both.new, both, kind, _fresh(both, class_iri), what)


def _named(state: Store, both: _Both, kind: str, things: Iterable[str], what: str) -> list[Alert]:
    """Name things by what a state calls them, in the order of their names."""
    wanted = {thing for thing in things if both.here(thing)}
    names = _labels(state, wanted)
    rows = sorted((names.get(thing, thing), thing) for thing in wanted)
    return [Alert(kind, Named(label, thing), what) for label, thing in rows]


# ---- What differs ------------------------------------------------------------------------------------------------


def _fresh(both: _Both, class_iri: str) -> set[str]:
    """Return the things of a class that only the new state knows at all."""
    added = _things(both.added, class_iri) - _things(both.removed, class_iri)
    return added - _still_there(both.old, added)


def _things(lines: bytes, value: str, predicate: str = _TYPE) -> set[str]:
    """Return the subjects of the N-Quads with this predicate and value."""
    pattern = rb"^<([^>]+)> <" + re.escape(predicate.encode()) + rb"> <" + re.escape(value.encode()) + rb"> "
    return {found.decode() for found in re.findall(pattern, lines, re.MULTILINE)}


def _pairs(lines: bytes, predicate: str) -> dict[str, str]:
    """Return subject and value of the N-Quads with this predicate."""
    pattern = rb"^<([^>]+)> <" + re.escape(predicate.encode()) + rb"> <([^>]+)> "
    return {one.decode(): other.decode() for one, other in re.findall(pattern, lines, re.MULTILINE)}


def _labels(state: Store, things: Iterable[str]) -> dict[str, str]:
    wanted, found = sorted(things), dict[str, str]()
    for start in range(0, len(wanted), _AT_ONCE):
        frame = queries.run(state, "explore/labels", thing=wanted[start : start + _AT_ONCE])
        found.update(frame.select("thing", "label").rows())
    return found


def _still_there(state: Store, things: Iterable[str]) -> set[str]:
    """Return those of `things` that a state has a name for."""
    return set(_labels(state, things))
