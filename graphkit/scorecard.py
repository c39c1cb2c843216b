"""The evaluation scorecard: judgements and figures on each measure; what is missing stays missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import polars as pl

from graphkit import ontology, queries
from graphkit.errors import UsageError, unknown_name
from graphkit.monitor import COLUMNS
from graphkit.store.base import Readable
from graphkit.terms import ID, QUERY

__all__ = ["METHOD", "assessments", "figures_by_region", "goals", "scorecard"]

METHOD: Final = (
    "the newest judgement of each assessor on each thing, as a share of its scale; the mean over assessors, then over"
    " things that lie in the region or are the region"
)
_WHERE: Final = "scorecard"
_SDG: Final = "http://metadata.un.org/sdg/"
_JUDGEMENT: Final = ("assessment", "thing", "thing_label", "measure", "measure_label", "assessor", "assessor_label")


def assessments(store: Readable, thing: str = "") -> pl.DataFrame:
    """Return the judgements in `store`, or those of one thing (an IRI or kind/slug), newest first for each measure."""
    values = {"thing": thing} if thing else {}
    frame = queries.run(store, "policy/assessments", **values).with_columns(
        pl.col(_JUDGEMENT).cast(pl.String),
        pl.col("value", "worst", "best", "share").cast(pl.Float64),
        pl.col("date").cast(pl.Date),
    )
    return frame.sort("measure_label", "date", "assessment", descending=[False, True, False], nulls_last=True)


def scorecard(store: Readable, regions: Sequence[str]) -> pl.DataFrame:
    """Compare regions on every evaluation measure; a cell that nobody has judged is empty and never 0.

    Columns: measure, measure_label, region, region_label, score (0 to 1, or null), things, judgements, newest,
    coverage, method. There is a row for each measure and region. Raises `UnknownNameError` for a region that is not
    known.
    """
    if not regions:
        raise UsageError("no region is named", where=_WHERE, hint="name one or more, such as place/wessex")
    names = _region_names(store, regions)
    asked = [_known(region, names) for region in regions]
    judged = _newest_of_each(assessments(store))
    around = queries.run(store, "policy/assessed-in", region=asked).select(pl.col("thing", "region").cast(pl.String))
    placed = judged.join(around.unique(), on="thing")
    by_thing = placed.group_by("measure", "region", "thing").agg(
        pl.col("share").mean(), judgements=pl.len(), newest=pl.col("date").max()
    )
    cells = by_thing.group_by("measure", "region").agg(
        score=pl.col("share").mean().round(4),
        things=pl.len(),
        judgements=pl.col("judgements").sum(),
        newest=pl.col("newest").max(),
    )
    return _every_cell(cells, asked, names)


def _newest_of_each(judged: pl.DataFrame) -> pl.DataFrame:
    """Keep of each assessor the newest judgement on each thing and measure; a share that cannot be told is left out."""
    ranked = judged.drop_nulls("share").sort("date", "assessment", descending=[True, False], nulls_last=True)
    return ranked.unique(["thing", "measure", "assessor"], keep="first", maintain_order=True)


def _every_cell(cells: pl.DataFrame, asked: Sequence[str], names: dict[str, str]) -> pl.DataFrame:
    concepts = ontology.concepts().filter(pl.col("scheme") == "measure")
    measures = concepts.select(measure="concept", measure_label="label")
    places = pl.DataFrame({"region": asked, "region_label": [names[region] for region in asked]})
    grid = measures.join(places, how="cross").join(cells, on=["measure", "region"], how="left")
    counted = grid.with_columns(pl.col("things", "judgements").fill_null(0))
    coverage = (
        pl.when(pl.col("things") > 0)
        .then(pl.format("{} judgements of {} things in the region", "judgements", "things"))
        .otherwise(pl.lit("not known: nobody has judged anything here"))
    )
    order = pl.col("region").replace_strict(list(asked), list(range(len(asked))))
    return counted.with_columns(coverage=coverage, method=pl.lit(METHOD)).sort("measure_label", order)


def _region_names(store: Readable, regions: Sequence[str]) -> dict[str, str]:
    """Return the names of the regions; of all that there are where one of them is not known, for the near names."""
    wanted = sorted({region if "://" in region else ID + region for region in regions})
    names = dict(queries.run(store, "region/places", region=wanted).select("region", "region_label").rows())
    if len(names) == len(wanted):
        return names
    return dict(queries.run(store, "explore/places").select("place", "label").unique("place").rows())


def _known(region: str, names: dict[str, str]) -> str:
    iri = region if "://" in region else ID + region
    if iri not in names:
        raise unknown_name("region", iri, names, where=_WHERE)
    return iri


def figures_by_region(store: Readable, regions: Sequence[str]) -> pl.DataFrame:
    """Work out for each region those indicators of measures whose query can be asked for a region.

    Columns: measure, indicator, region, region_label, then those of an indicator; an indicator that cannot be worked
    out has a row without a value, with the reason as its coverage.
    """
    names = _region_names(store, regions)
    asked = [_known(region, names) for region in regions]
    measures = set(ontology.concepts().filter(pl.col("scheme") == "measure")["concept"])
    rows: list[dict[str, Any]] = []
    for indicator in queries.run(store, "monitor/indicators").rows(named=True):
        if indicator["about"] in measures:
            for region in asked:
                said = {"measure": indicator["about"], "indicator": indicator["label"]}
                place = {"region": region, "region_label": names[region]}
                rows += [said | place | line for line in _lines(store, indicator, region)]
    texts = ("measure", "indicator", "region", "region_label", "figure", "unit", "coverage", "method")
    schema = {
        name: pl.String if name in texts else pl.Date if name == "newest" else pl.Float64
        for name in ("measure", "indicator", "region", "region_label", *COLUMNS)
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _lines(store: Readable, indicator: dict[str, Any], region: str) -> list[dict[str, Any]]:
    name = str(indicator["query"] or "").removeprefix(QUERY)
    if name and any(parameter.name == "region" for parameter in queries.find(name).parameters):
        lines = queries.run(store, name, region=region).to_dicts()
        return [line | {"value": float(line["value"]) if line["covered"] else None} for line in lines]
    reason = indicator["coverage"] if not name else f"{name} cannot be asked for one region"
    empty = {"figure": indicator["label"], "value": None, "unit": indicator["unit"], "covered": 0, "total": 0}
    return [empty | {"coverage": reason, "method": indicator["calculation"], "newest": None}]


def goals() -> pl.DataFrame:
    """Return the Sustainable Development Goals and targets to which measures are aligned, with confidence and doubt.

    Columns: measure, measure_label, goal (as "10.4"), goal_label, confidence, comment.
    """
    measures = set(ontology.concepts().filter(pl.col("scheme") == "measure")["concept"])
    table = ontology.mappings().filter(pl.col("subject_id").is_in(measures) & pl.col("object_id").str.starts_with(_SDG))
    return table.select(
        measure="subject_id",
        measure_label="subject_label",
        goal=pl.col("object_id").str.strip_prefix(_SDG),
        goal_label="object_label",
        confidence=pl.col("confidence").cast(pl.Float64),
        comment="comment",
    ).sort("measure_label", "goal")
