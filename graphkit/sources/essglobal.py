"""ESSGLOBAL has been published under several namespaces; they are aliases of one."""

from __future__ import annotations

from typing import Final

import polars as pl

__all__ = ["ALIASES", "HOME", "one_namespace"]

HOME: Final = "http://purl.org/essglobal/"
"""The namespace that our mappings use."""

ALIASES: Final = (
    "https://dev.lod.coop/essglobal/2.1/",
    "https://lod.coop/essglobal/2.1/",
    "https://w3id.solidarityeconomy.coop/essglobal/V2a/",
)
"""Other namespaces under which the same concepts are found in published data."""


def one_namespace(values: pl.Expr) -> pl.Expr:
    """Write addresses of ESSGLOBAL concepts in its one namespace, and leave all else alone.

    >>> pl.select(one_namespace(pl.lit("https://dev.lod.coop/essglobal/2.1/standard/activities-ica/ICA210"))).item()
    'http://purl.org/essglobal/standard/activities-ica/ICA210'
    """
    for alias in ALIASES:
        values = values.str.replace("^" + alias.replace(".", r"\."), HOME)
    return values
