"""A backtest as a page with pictures, as a table, and as observations of the RDF Data Cube vocabulary."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, select_autoescape
from rdflib import RDF, RDFS, XSD, BNode, Graph, Literal, Namespace, URIRef
from rdflib.namespace import DCTERMS

import graphkit
from graphkit.gaps.backtest import BacktestReport
from graphkit.gaps.scorers import SCORERS
from graphkit.terms import ID, PREFIXES

__all__ = ["FIGURE_WORDS", "backtest_to_html", "backtest_to_turtle"]

FIGURE_WORDS: Final = {
    "auc_random": "How often a new pair ranks above one that stayed apart",
    "auc_distance_2": "The same, among pairs that share a partner",
    "auc_degree": "The same, against pairs of organisations with like numbers of partners",
    "auc_act": "The same, among organisations that were active afterwards",
    "ap": "Average precision over all pairs",
    "ap_1_in_12": "Average precision if one pair in twelve formed",
    "p_at_k": "Share of the best pairs that formed",
    "hits_at_10": "Share of organisations with a new partner among their ten best",
}
"""What each figure asks, in plain words."""

_QB = Namespace("http://purl.org/linked-data/cube#")
_WIDTH, _LEFT, _ROW = 520, 180, 22
_DIGITS, _CHANCE = 5, 0.5


def backtest_to_html(report: BacktestReport, network: str) -> str:
    """Write a report as one page of HTML that needs nothing else: the choice, a picture and a table for each case.

    A dot is a figure, its line the 95 % interval; random and preferential attachment are always beside the others,
    since degree alone explains much.
    """
    folder = Path(__file__).resolve().parent
    pages = Environment(loader=FileSystemLoader(folder), autoescape=select_autoescape(), trim_blocks=True)
    cases = [_case(report, row) for row in report.cases.iter_rows(named=True)]
    choice = report.to_text().rpartition("\n\n")[2]
    return pages.get_template("backtest.html").render(
        network=network, report=report, cases=cases, choice=choice, release=graphkit.__version__, scorers=SCORERS
    )


def _case(report: BacktestReport, row: dict[str, Any]) -> dict[str, Any]:
    figures = report.figures.filter(case=row["case"])
    names = figures["figure"].unique(maintain_order=True).to_list()
    pictures = [_picture(figures.filter(figure=name).rows(named=True), name) for name in names]
    shares = report.shares.filter(case=row["case"], scorer=report.chosen).rows(named=True)
    return {"row": row, "pictures": pictures, "shares": shares}


def _picture(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """Lay out a dot and a line for each scorer; the axis ends at 1, or above the highest interval of a small figure."""
    known = [row for row in rows if not math.isnan(row["value"] + row["high"])]
    most = 1.0 if name.startswith("auc") else max([row["high"] for row in known], default=0) or 1.0
    places = {row["scorer"]: _ROW * (place + 1) for place, row in enumerate(rows)}
    ends = {"x": "value", "from": "low", "to": "high"}
    dots = [
        {**row, "y": places[row["scorer"]], **{end: _x(row[value], most) for end, value in ends.items()}}
        for row in known
    ]
    frame = {"width": _WIDTH, "left": _LEFT, "height": _ROW * (len(rows) + 1) + 8}
    chance = _x(_CHANCE, most) if name.startswith("auc") else None
    return {"name": name, "words": FIGURE_WORDS[name], "rows": rows, "dots": dots, "chance": chance, **frame}


def _x(value: float, most: float) -> float:
    return round(_LEFT + (_WIDTH - _LEFT - 12) * value / most, 1)


def backtest_to_turtle(report: BacktestReport, network: str) -> bytes:
    """Write the figures as qb:Observation: dimensions cut, consortia, scorer, figure; measures value, low, high.

    Source: W3C, The RDF Data Cube Vocabulary (2014).
    """
    graph = Graph()
    for prefix in ("dcterms", "xsd", "rdfs"):
        graph.bind(prefix, PREFIXES[prefix])
    graph.bind("qb", _QB)
    name = hashlib.sha256(f"{network} {report.figures.write_csv()}".encode()).hexdigest()[:12]
    whole = URIRef(f"{ID}backtest/{name}")
    for triple in _dataset(whole, report, network):
        graph.add(triple)
    cases = {row["case"]: row for row in report.cases.iter_rows(named=True)}
    for number, row in enumerate(report.figures.iter_rows(named=True), 1):
        node = URIRef(f"{whole}-{number:04d}")
        for triple in _observation(node, whole, row, cases[row["case"]]):
            graph.add(triple)
    return graph.serialize(format="turtle").encode()


def _dataset(whole: URIRef, report: BacktestReport, network: str) -> Iterator[tuple[Any, URIRef, Any]]:
    structure = URIRef(f"{whole}-structure")
    yield whole, RDF.type, _QB.DataSet
    yield whole, RDFS.label, Literal(f"Backtest of the scorers on {network}", lang="en")
    yield whole, _QB.structure, structure
    yield whole, DCTERMS.description, Literal(report.to_text().rpartition("\n\n")[2], lang="en")
    yield whole, DCTERMS.creator, URIRef(f"{ID}software/graphkit-{graphkit.__version__}")
    yield whole, _property("chosen-scorer"), Literal(report.chosen)
    yield structure, RDF.type, _QB.DataStructureDefinition
    for kind, names in (("dimension", ("cut", "consortia", "scorer", "figure")), ("measure", ("value", "low", "high"))):
        for name in names:
            part = BNode()
            yield structure, _QB.component, part
            yield part, _QB[kind], _property(name)
            yield _property(name), RDF.type, _QB[f"{kind.title()}Property"]
            yield _property(name), RDFS.label, Literal(name, lang="en")


def _observation(
    node: URIRef, whole: URIRef, row: dict[str, Any], case: dict[str, Any]
) -> Iterator[tuple[URIRef, URIRef, Any]]:
    cut: date = case["cut"]
    yield node, RDF.type, _QB.Observation
    yield node, _QB.dataSet, whole
    yield node, _property("cut"), Literal(cut)
    yield node, _property("consortia"), Literal(case["consortia"])
    yield node, _property("scorer"), Literal(row["scorer"])
    yield node, _property("figure"), Literal(row["figure"])
    for measure in ("value", "low", "high"):
        if not math.isnan(row[measure]):
            value = Literal(Decimal(f"{row[measure]:.{_DIGITS}f}"), datatype=XSD.decimal)
            yield node, _property(measure), value


def _property(name: str) -> URIRef:
    return URIRef(f"{ID}backtest-property/{name}")
