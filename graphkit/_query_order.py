"""The order of the rows of a stored query, made in the frame: an engine would sort before it drops what is repeated."""

from __future__ import annotations

from typing import Final

import polars as pl

from graphkit._query_text import Order

__all__ = ["in_order"]

_BLANK: Final = "_:"
_IRI: Final = r"^(?:https?://|urn:)\S+$"


def in_order(frame: pl.DataFrame, order: Order) -> pl.DataFrame:
    """Sort an answer as the ORDER BY asks for: what is unbound first, then blank nodes, IRIs and literals.

    Text is compared by its code points, numbers and days by value. Rows that agree in all that is ordered by come in
    the order of their other columns, so that the order is the same every time.

    >>> rows = pl.DataFrame({"name": ["Mill", None, "Dairy"], "size": [2, 3, 2]})
    >>> in_order(rows, Order(0, (("size", True), ("name", False)))).rows()
    [(None, 3), ('Dairy', 2), ('Mill', 2)]
    """
    asked = dict(order.keys)
    named = [*order.keys, *((name, False) for name in frame.columns if name not in asked)]
    keys, descending = [], []
    for name, highest_first in named:
        parts = _keys(frame[name])
        keys += parts
        descending += [highest_first] * len(parts)
    return frame.sort(keys, descending=descending, nulls_last=descending)


def _keys(column: pl.Series) -> list[pl.Expr]:
    """Return by what a column is compared: of text that is partly an IRI, first by which kind of term it is."""
    value = pl.col(column.name)
    if column.dtype != pl.String or column.null_count() == column.len():
        return [value]
    iri, blank = column.str.contains(_IRI), column.str.starts_with(_BLANK)
    if (iri | blank).all() or not iri.any():
        return [value]
    is_blank, is_iri = value.str.starts_with(_BLANK), value.str.contains(_IRI)
    kind = pl.when(value.is_null()).then(0).when(is_blank).then(1).when(is_iri).then(2).otherwise(3)
    return [kind, value]
