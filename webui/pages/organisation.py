"""What the page of an organisation has beside its facts: its surroundings as a picture, its neighbours, its money."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import polars as pl
from flask import Flask, render_template
from flask.blueprints import BlueprintSetupState

from graphkit import queries
from graphkit.errors import LimitError
from graphkit.terms import compact
from webui.catalogue.tables import behind
from webui.i18n.choosing import gettext
from webui.linked.sections import offer
from webui.links import href
from webui.pages.blueprint import blueprint
from webui.pages.flows import currencies, flows_of
from webui.pages.frames import answer, patience, shown, typed
from webui.pages.funding import agent_href
from webui.state import analysis
from webui.works import NotReady

__all__ = ["Spot", "ring", "surroundings"]

_NEIGHBOURS: Final = "explore/neighbours"
_TOGETHER: Final = "networks/collaboration"
_ORDER: Final = (
    "takes part with", "is a member of", "has the member", "is part of", "has the part", "gives money to",
    "gets money from",
)  # fmt: skip
_LISTED: Final = 8
_PARTNERS: Final = 16
_SUGGESTED: Final = 4
_CENTRE: Final = (380.0, 190.0)
_RADIUS: Final = (190.0, 150.0)
_LONGEST: Final = 26
_PAIR: Final = 2


@dataclass(frozen=True, slots=True)
class Spot:
    """A neighbour in the picture: where it stands, where its name begins and ends, and whether it is only suggested."""

    iri: str
    label: str
    short: str
    href: str
    x: float
    y: float
    text_x: float
    anchor: str
    suggested: bool


@blueprint.record
def _begin(setup: BlueprintSetupState) -> None:
    offer(cast("Flask", setup.app), "organisation", _section)


def _section(iri: str, label: str) -> str:
    """Write picture, neighbours and money of an organisation; those of a version that is asked come without picture.

    The picture rests on the analysis of the newest version. What takes longer than the service allows is left out, and
    the section says so.
    """
    try:
        groups, money = neighbours(iri), _money_read(iri)
    except LimitError as error:
        return render_template("_organisation.html", iri=iri, label=label, fault=error.what)
    return render_template(
        "_organisation.html",
        iri=iri,
        label=label,
        groups=groups,
        money=money or [],
        reading=money is None,
        money_href=agent_href(iri),
        picture=surroundings(iri) if shown().number is None else None,
        behind=behind(queries.find(_NEIGHBOURS), {"organisation": iri}),
    )


# ---- Neighbours and money ------------------------------------------------------------------------------


def neighbours(iri: str) -> list[dict[str, Any]]:
    """Return the neighbours of an organisation by relation, the first of each with their links."""
    found = typed(answer(_NEIGHBOURS, {"organisation": iri}), times=pl.Int64, latest=pl.Date)
    groups = []
    for relation in _ORDER:
        rows = found.filter(pl.col("relation") == relation)
        if rows.height:
            groups.append(
                {
                    "relation": gettext(relation),
                    "number": rows.height,
                    "latest": rows["latest"].max(),
                    "links": [
                        {"label": row["neighbour_label"], "href": href(row["neighbour"])}
                        for row in rows.head(_LISTED).iter_rows(named=True)
                    ],
                }
            )
    return groups


def _money_read(iri: str) -> list[dict[str, Any]] | None:
    """Return the sums of an organisation, None while the money is being read for the first time."""
    try:
        return _money(iri)
    except NotReady:
        return None


def _money(iri: str) -> list[dict[str, Any]]:
    """Return what an organisation received and gave, summed within each currency."""
    ways = (("in", "recipient"), ("out", "funder"))
    return [{"way": way} | row for way, side in ways for row in currencies(flows_of(iri, side)).rows(named=True)]


# ---- The picture ---------------------------------------------------------------------------------------


def surroundings(iri: str) -> dict[str, Any] | None:
    """Return the picture around an organisation: its partners with most in common, the ties between them, suggestions.

    None for an organisation that is not in the network of working together or has nobody around it, and while that is
    being read for the first time. Suggestions come when the search for gaps is done.
    """
    try:
        network, report = analysis().network(_TOGETHER, patience()), analysis().report_within(0.0)
    except NotReady:
        return None
    place = network.rows.get(iri)
    if place is None:
        return None
    tied = _tied(network.adjacency, place)
    partners = [network.organisations[other] for other, _ in tied[:_PARTNERS]]
    suggested = [
        member
        for gap in (report.of_kind("P1") if report else ())
        if iri in gap.members[:_PAIR]
        for member in gap.members
        if member != iri
    ]
    suggested = [each for each in dict.fromkeys(suggested) if each not in partners][:_SUGGESTED]
    if not partners and not suggested:
        return None
    labels = _labels([*partners, *suggested])
    spots = ring([*partners, *suggested], labels, frozenset(suggested))
    at = {spot.iri: spot for spot in spots}
    rows = [network.rows[partner] for partner in partners]
    between = [
        (at[network.organisations[one]], at[network.organisations[other]])
        for number, one in enumerate(rows)
        for other in rows[number + 1 :]
        if network.adjacency[one, other]
    ]
    return {
        "centre": _CENTRE,
        "spots": spots,
        "between": between,
        "partners": len(tied),
        "drawn": len(partners),
        "suggested": len(suggested),
    }


def _tied(adjacency: Any, place: int) -> list[tuple[int, float]]:  # noqa: ANN401 - a sparse matrix
    """Return the partners of the organisation in a row of the matrix, the strongest tie first."""
    start, end = adjacency.indptr[place], adjacency.indptr[place + 1]
    pairs = zip(adjacency.indices[start:end].tolist(), adjacency.data[start:end].tolist(), strict=True)
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))


def _labels(iris: Sequence[str]) -> dict[str, str]:
    rows = answer("explore/labels", {"thing": list(iris)}).select("thing", "label").unique("thing", keep="first")
    return dict(rows.rows())


def ring(iris: Sequence[str], labels: dict[str, str], suggested: frozenset[str]) -> list[Spot]:
    """Place neighbours on an oval around the centre, so that their names stand outside of it and beside each other."""
    return [
        _spot(iri, labels.get(iri, compact(iri)), _angle(number, len(iris)), iri in suggested)
        for number, iri in enumerate(iris)
    ]


def _angle(number: int, total: int) -> float:
    """Spread angles by the height at which they end, for names need room above each other: even places on two sides."""
    side, at, count = number % 2, number // 2, (total + 1 - number % 2) // 2
    height = 0.0 if count == 1 else -0.96 + 1.92 * at / (count - 1)
    angle = math.asin(height)
    return angle if side == 0 else math.pi - angle


def _spot(iri: str, label: str, angle: float, suggested: bool) -> Spot:
    x = _CENTRE[0] + _RADIUS[0] * math.cos(angle)
    y = _CENTRE[1] + _RADIUS[1] * math.sin(angle)
    right = math.cos(angle) >= 0
    short = label if len(label) <= _LONGEST else label[: _LONGEST - 1].rstrip() + "…"
    return Spot(
        iri,
        label,
        short,
        href(iri),
        round(x, 1),
        round(y, 1),
        round(x + (10 if right else -10), 1),
        "start" if right else "end",
        suggested,
    )
