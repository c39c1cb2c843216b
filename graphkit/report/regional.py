"""A report of one region from one version of the graph: every chapter in its order, and the words in front of them."""

from __future__ import annotations

import logging
from time import perf_counter

from graphkit.gaps import GapReport
from graphkit.report.calls import calls_section, open_calls
from graphkit.report.document import Line, Named, Report
from graphkit.report.doubts import doubts_section
from graphkit.report.facts import Facts, find_region, load_facts, report_day
from graphkit.report.hindrances import barriers_section
from graphkit.report.people_and_money import money_section, networks_section, people_section
from graphkit.report.plan import gaps_section, plan_section
from graphkit.report.policy import commitments_section, comparison_section, scorecard_section
from graphkit.store import Store

__all__ = ["regional_report"]

_log = logging.getLogger(__name__)


def regional_report(
    store: Store, region: str, *, against: tuple[str, ...] = (), found: GapReport | None = None
) -> Report:
    """Report on a region (an IRI, `place/slug`, slug or name) of the newest version of `store`.

    It speaks from the day of the version, so the same version gives the same report; `found` are its gaps, searched
    for on that day, where they are known already. `against` are regions to compare with; by default those of
    `graphkit.report.facts.COMPARED` that the graph has. Nothing is said that is not in the graph: a chapter without
    facts says what is not known and what to import. Raises `UnknownNameError` for a region that is not known.
    """
    start = perf_counter()
    facts = load_facts(store, find_region(store, region), found=found, against=against)
    calls = open_calls(facts)
    sections = (
        people_section(facts),
        networks_section(facts),
        money_section(facts),
        calls_section(facts, calls),
        commitments_section(facts),
        barriers_section(facts),
        scorecard_section(facts),
        comparison_section(facts),
        gaps_section(facts),
        plan_section(facts, calls),
        doubts_section(facts),
    )
    _log.info("report of %s in %.2f s", facts.region.label, perf_counter() - start)
    return Report(facts.region, store.version, report_day(store), _lead(facts), sections)


def _lead(facts: Facts) -> tuple[Line, ...]:
    """Say in a few sentences what a reader in a hurry must know."""
    here, label = facts.existing.height, facts.region.label
    core = len(facts.core & set(facts.existing["organisation"]))
    done = _number(facts.participations["activity"].n_unique(), "activity", "activities")
    opening = f"The graph knows {_number(here, 'organisation')} in {label}, {core} of a core solidarity kind,"
    first: Line = (f"{opening} and {done} that the region has to do with.",)
    grants = facts.grants["grant"].n_unique()
    money = f"It knows {_number(grants, 'grant')} to the region." if grants else "It knows of no grant to the region."
    told = sum(not facts.belonging.isdisjoint(f.iri for f in each.findings) for each in facts.found.standings)
    promised = len(facts.found.standings)
    evidence = f"{told or 'none'} {'have' if told > 1 else 'has'} evidence from here."
    second: Line = (f"{money} Of {_number(promised, 'commitment')}, {evidence}" if promised else money,)
    found = len(facts.listed_gaps)
    lie = "lie" if found > 1 else "lies"
    lies = f"{_number(found, 'gap')} in working together, money or promises {lie} in the region."
    reach = "What the sources do not say is not known, and is not absent: the last chapter tells how far they reach."
    third: Line = (f"{lies[:1].upper()}{lies[1:]} {reach}",)
    return (first, second, third, *_who_says(facts))


def _number(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}" if count else f"no {one}"


def _who_says(facts: Facts) -> tuple[Line, ...]:
    """Name the organisation that nearly all activities are known through, where there is one."""
    frame = facts.participants.select("activity", "organisation", "organisation_label").unique()
    total = frame["activity"].n_unique()
    if not total:
        return ()
    counts = (
        frame.group_by("organisation", "organisation_label").len().sort("len", "organisation", descending=[True, False])
    )
    iri, label, most = counts.row(0)
    if total < 2 or most / total <= 0.5:  # noqa: PLR2004 - more than half
        return ()
    return ((
        f"{most} of the {total} activities with a named participant are known through one organisation, ",
        Named(label, iri), ": this is mostly its view of the region.",
    ),)  # fmt: skip
