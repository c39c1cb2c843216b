"""Frames as tables of a page: IRIs as links under their names; and what the foot of a page says of its query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl
from flask import Response, url_for

from graphkit import queries
from graphkit.export import frame_to_text
from graphkit.queries import Query
from graphkit.store import Store
from webui.links import link, names_of, query_href

__all__ = ["behind", "download", "iris_of", "linked"]

_MIME: Final = {"csv": "text/csv", "json": "application/json", "spreadsheet": "text/csv"}


def linked(store: Store, frame: pl.DataFrame) -> dict[str, Any]:
    """Return the `columns` and `rows` of a frame for the macro `table`, IRIs as links under their names.

    A column `x_label` (or `label`, for the first column) that only names column `x` is left out here: the link
    already shows it. The downloads keep it.
    """
    names = names_of(store, iris_of(frame))
    spoken = {f"{column}_label" for column in frame.columns} | ({"label"} if _names_first(frame) else set())
    kept = [column for column in frame.columns if column not in spoken]
    numbers = {column for column in kept if frame.schema[column].is_numeric()}
    columns = [{"key": column, "label": column.replace("_", " "), "number": column in numbers} for column in kept]
    rows = [{column: _shown(value, names) for column, value in row.items()} for row in frame.iter_rows(named=True)]
    return {"columns": columns, "rows": rows}


def iris_of(frame: pl.DataFrame) -> list[str]:
    """Return all texts of a frame once, among them the IRIs whose names a page needs."""
    texts = [frame[column] for column in frame.columns if frame.schema[column] == pl.String]
    return pl.concat(texts).drop_nulls().unique().to_list() if texts else []


def behind(query: Query, values: Mapping[str, str | Sequence[str]]) -> dict[str, Any]:
    """Return what the foot of a page says about the query behind it: name, text with its values, twins."""
    bound = queries.bind(query, values)
    twins = [
        {"label": label, "href": query_href(f"{query.name}.{form}", values)}
        for label, form in (("CSV", "csv"), ("JSON", "json"), ("CSV for spreadsheets", "spreadsheet"))
    ]
    return {"name": query.name, "text": bound, "run_href": url_for("sparql.page", query=bound), "twins": twins}


def download(frame: pl.DataFrame, form: str, name: str) -> Response:
    """Give a frame as a file: `form` is csv, json or spreadsheet (CSV that no spreadsheet takes for formulas)."""
    suffix = "json" if form == "json" else "csv"
    response = Response(frame_to_text(frame, form), mimetype=_MIME[form])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{suffix}"'
    return response


def _names_first(frame: pl.DataFrame) -> bool:
    """Tell whether the column `label` names the things of the first column."""
    return frame.columns[1:2] == ["label"] and frame.schema[frame.columns[0]] == pl.String


def _shown(value: Any, names: Mapping[str, str]) -> Any:  # noqa: ANN401 - a cell can be anything
    if isinstance(value, str) and value.startswith(("http://", "https://")) and " " not in value:
        return link(value, names)
    return value
