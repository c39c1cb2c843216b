"""The verb that lists who has no tie and scores highest, here or on Spark: ties."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from graphkit.cli.common import format_option, is_there, opened, print_frame, say, store_option
from graphkit.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from graphkit.network import Network

__all__ = ["VERBS"]

_SIGNED = ("fusion", "learned")


@click.command()
@store_option
@click.option("--scorer", default="adamic_adar", show_default=True, help="How pairs are scored; see docs/backtest.md.")
@click.option("-k", "number", default=20, show_default=True, type=click.IntRange(1), help="How many pairs.")
@click.option("--per-organisation", type=click.IntRange(1), help="Name one organisation at most so many times.")
@click.option(
    "--engine", type=click.Choice(["local", "spark"]), default="local", show_default=True, help="What computes."
)
@click.option("--master", help="Where Spark runs, such as local[4] or spark://host:7077.")
@click.option("--input", "table", metavar="FILE", help="Participations (Parquet or CSV) instead of the store.")
@click.option("--largest", type=click.IntRange(2), help="Leave out activities of more organisations (with --input).")
@click.option("--network", default="networks/collaboration", show_default=True, help="The network query of the store.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day to speak from; default: today.")
@format_option("table", "csv", "json", "spreadsheet", default="table")
def ties(
    location: str,
    scorer: str,
    number: int,
    per_organisation: int | None,
    engine: str,
    master: str | None,
    table: str | None,
    largest: int | None,
    network: str,
    as_of: datetime | None,
    form: str,
) -> None:
    """List the best pairs without a tie: what the sources do not know of, and no forecast.

    Example: graphkit ties --scorer resource_allocation -k 10 --per-organisation 2
    """
    if master and engine != "spark":
        raise UsageError("--master says where Spark runs", hint="add --engine spark, or leave it out")
    if largest and not table:
        raise UsageError("--largest is about a table of participations", hint="name one with --input, or leave it out")
    today = as_of.date() if as_of else datetime.now(UTC).date()
    if engine == "spark":
        source = table or _held(location, network)
        frame = _on_spark(source, scorer, number, today, per_organisation, master=master, largest=largest)
    else:
        from graphkit.gaps.lists import top_pairs

        loaded = _read(table, largest) if table else _held(location, network)
        frame = top_pairs(loaded, scorer, number, today=today, per_organisation=per_organisation)
    print_frame(_labelled(location, _telling(frame, scorer)), form)


def _telling(frame: pl.DataFrame, scorer: str) -> pl.DataFrame:
    """Leave out the pairs of score 0, of which a scorer that counts something has nothing to say, and tell so."""
    if scorer in _SIGNED:
        return frame
    kept = frame.filter(frame["score"] > 0)
    if kept.height < frame.height:
        say(f"Only {kept.height} pairs score above 0; of the others {scorer} knows nothing that they share.")
    return kept


def _held(location: str, network: str) -> Network:
    """Load the network of the store."""
    from graphkit.network import load_network

    with opened(location) as store:
        return load_network(store, network)


def _read(table: str, largest: int | None) -> Network:
    """Read the network of a table of participations."""
    from graphkit.gaps.distributed import network_of, read_participations

    return network_of(read_participations(Path(table)), largest=largest)


def _on_spark(
    source: str | Network,
    scorer: str,
    number: int,
    today: date,
    per_organisation: int | None,
    *,
    master: str | None,
    largest: int | None,
) -> pl.DataFrame:
    """Let Spark read the table, or take the network over, and list the pairs."""
    from graphkit.gaps import distributed

    distributed.check_scorer(scorer)
    with distributed.session(master) as spark:
        if isinstance(source, str):
            spread = distributed.from_participations(spark, source, largest=largest)
        else:
            spread = distributed.from_network(spark, source)
        return distributed.top_pairs(spread, scorer, number, today=today, per_organisation=per_organisation)


def _labelled(location: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Put names beside the IRIs where there is a store that has them."""
    from graphkit import report

    if not is_there(location) or location == "memory":
        return frame
    with opened(location) as store:
        return report.with_labels(store, frame)


VERBS = (ties,)
"""The verbs of this module."""
