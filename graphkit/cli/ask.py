"""The verbs that ask: list, query, search, gaps, measure."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from graphkit.cli.common import format_option, opened, print_frame, say, store_option, values_of, who_option
from graphkit.errors import UsageError, unknown_name

if TYPE_CHECKING:
    from graphkit.queries import Query

__all__ = ["VERBS"]


@click.command(name="list")
@click.argument("what", default="queries")
@store_option
@format_option("table", "csv", "json", default="table")
def list_(what: str, location: str, form: str) -> None:
    """List what there is: queries, networks, measures, gaps, terms, or the graphs of the store.

    Example: graphkit list measures
    """
    from graphkit import report

    if what == "graphs":
        with opened(location) as store:
            print_frame(store.graphs(), form)
    elif what in report.LISTS:
        print_frame(report.LISTS[what](), form)
    else:
        raise unknown_name("list", what, ["graphs", *report.LISTS])


@click.command()
@click.argument("words", nargs=-1)
@store_option
@click.option("-e", "text", help="SPARQL text, instead of the name of a stored query or a file.")
@click.option("--show", is_flag=True, help="Print the SPARQL with its values, and do not run it.")
@format_option("table", "csv", "tsv", "json", "spreadsheet", "ttl", "nt", default="table")
def query(words: tuple[str, ...], location: str, text: str | None, show: bool, form: str) -> None:
    """Run a stored query, a .rq file, or SPARQL text; NAME [name=value ...].

    Example: graphkit query explore/organisations kind=kind:cooperative -f csv
    """
    from graphkit import queries

    asked, values = _asked(words, text)
    bound = queries.bind(asked, values)
    if show:
        click.echo(bound)
        return
    with opened(location) as store:
        if asked.form in {"CONSTRUCT", "DESCRIBE"}:
            click.echo(store.answer(bound, form if form in {"ttl", "nt"} else "ttl").decode(), nl=False)
        elif form in {"ttl", "nt"}:
            raise UsageError(f"a {asked.form} query answers a table and not triples", hint="use -f csv or -f json")
        elif asked.form == "ASK":
            click.echo("true" if store.ask(bound) else "false")
        else:
            frame = queries.run(store, asked, **values) if asked.path else store.select(bound)
            print_frame(frame, form)


def _asked(words: tuple[str, ...], text: str | None) -> tuple[Query, dict[str, str]]:
    """Tell the query and its values from the words of the command."""
    from graphkit import queries

    if text is not None:
        return queries.parse_query(text, "-e"), values_of(words)
    if not words:
        raise UsageError("no query is named", hint="give a name of 'graphkit list queries', a .rq file, or -e TEXT")
    name, values = words[0], values_of(words[1:])
    found = queries.load_query(Path(name)) if name.endswith(".rq") else queries.find(name)
    return found, values


@click.command()
@click.argument("words", nargs=-1, required=True)
@store_option
@click.option("--kind", default="", help="Only this kind of thing, such as organisation.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 100), help="At most this many.")
@format_option("table", "csv", "json", default="table")
def search(words: tuple[str, ...], location: str, kind: str, limit: int, form: str) -> None:
    """Find things by their names, also where the words are not spelled right.

    Example: graphkit search comunity transprt
    """
    import polars as pl

    from graphkit.names import Names

    with opened(location) as store:
        hits = Names(store).search(" ".join(words), limit, kind=kind)
    columns = {"iri": pl.String, "label": pl.String, "kind": pl.String, "matched": pl.String, "score": pl.Float64}
    print_frame(pl.DataFrame({name: [getattr(hit, name) for hit in hits] for name in columns}, schema=columns), form)


@click.command()
@store_option
@who_option
@click.option("--kind", "kinds", multiple=True, metavar="CODE", help="Only this kind, such as C1; may be repeated.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day to speak from; default: today.")
@click.option("--top", type=int, help="At most this many of each kind (words only).")
@click.option(
    "--by", type=click.Choice(["region", "theme", "network"]), help="Put the gaps together by these (words only)."
)
@click.option("--region", metavar="REGION", help="Only gaps of which something lies in this region, such as wessex.")
@click.option("--per-organisation", type=int, help="One organisation stands in at most so many of P1, P2 and S1 each.")
@click.option("--dismissed", is_flag=True, help="Give only the gaps left out because of a review.")
@click.option("--save", is_flag=True, help="Keep the gaps in a named graph of the store.")
@format_option("words", "table", "csv", "json", "spreadsheet", "ttl", default="words")
def gaps(
    location: str,
    who: str,
    kinds: tuple[str, ...],
    as_of: datetime | None,
    top: int | None,
    by: str | None,
    region: str | None,
    per_organisation: int | None,
    dismissed: bool,
    save: bool,
    form: str,
) -> None:
    """Find what seems to be missing, and say why.

    Example: graphkit gaps --kind C1 --kind R1 -f json
    """
    from graphkit import report
    from graphkit.gaps import find_gaps, parts_by, save_run

    if by and form != "words":
        raise UsageError(f"gaps as {form} are one list", hint="leave out --by; the columns regions and themes tell")
    if dismissed and save:
        raise UsageError("a run keeps the gaps that are given", hint="leave out --dismissed or --save")
    if region and save:
        raise UsageError("a run keeps the gaps of the whole graph", hint="leave out --region or --save")
    with opened(location, read_only=not save) as store:
        today = as_of.date() if as_of else None
        place = report.find_region(store, region).iri if region else None
        found = find_gaps(store, kinds=kinds, today=today, per_organisation=per_organisation, region=place)
        given = found.left_out_after_review() if dismissed else found
        for part in parts_by(given, by) if by else [given]:
            click.echo(report.gaps_as(part, form, top=top), nl=bool(by))
        if save:
            say(f"kept in {save_run(store, found, who=who)}")


@click.command()
@click.argument("name")
@click.argument("words", nargs=-1)
@store_option
@click.option("--network", default="networks/collaboration", show_default=True, help="The network query to measure.")
@click.option("--top", type=int, help="Only the highest values of the measure.")
@format_option("table", "csv", "json", "spreadsheet", default="table")
def measure(name: str, words: tuple[str, ...], location: str, network: str, top: int | None, form: str) -> None:
    """Measure a network: NAME of 'graphkit list measures' [name=value ... of the network query].

    Example: graphkit measure constraint --top 10
    """
    from graphkit import measures, report
    from graphkit.network import load_network

    with opened(location) as store:
        frame = measures.measure(name, load_network(store, network, **values_of(words)))
        frame = report.with_labels(store, frame)
    if top is not None:
        frame = frame.sort(frame.columns[-1], descending=True, nulls_last=True, maintain_order=True).head(top)
    print_frame(frame, form)


VERBS = (list_, query, search, gaps, measure)
"""The verbs of this module."""
