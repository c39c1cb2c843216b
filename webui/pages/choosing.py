"""What the filters of several pages offer: kinds, regions, years; each with how many organisations it holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import polars as pl
from flask import request

from webui.catalogue.choices import short_iri
from webui.i18n.choosing import number as spoken
from webui.links import place_words
from webui.pages.frames import answer, typed

__all__ = ["asked", "form", "kinds", "regions"]

_MOST: Final = 150


def asked(*names: str) -> dict[str, str]:
    """Return what the request asks of each of `names`, blanks left out."""
    found = {name: request.args.get(name, "").strip() for name in names}
    return {name: text for name, text in found.items() if text}


def form(*names: str) -> dict[str, str]:
    """Return what a form shows as chosen under each of `names`, IRIs as its choices spell them."""
    found = {name: request.args.get(name, "") for name in names}
    return {name: short_iri(text) if "://" in text else text for name, text in found.items()}


def kinds() -> list[dict[str, Any]]:
    """Return the kinds of which there are organisations, as choices, by name."""
    rows = (
        typed(answer("explore/kinds"), with_narrower=pl.Int64)
        .filter(pl.col("with_narrower") > 0)
        .unique("kind")
        .sort("label")
    )
    return _choices(rows.select("kind", "label", "with_narrower").rows())


def regions(most: int = _MOST) -> list[dict[str, Any]]:
    """Return the regions with most organisations, as choices, by name."""
    rows = answer("explore/regions").head(most).sort("label").select("region", "label", "organisations").rows()
    return _choices([(iri, place_words(label, iri), number) for iri, label, number in rows])


def _choices(rows: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
    return [{"value": short_iri(iri), "label": f"{label} ({spoken(number)})"} for iri, label, number in rows]
