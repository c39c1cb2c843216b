"""The verbs of policy and money: monitor, funding, opportunities, scorecard, barriers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from graphkit.cli.common import format_option, opened, print_frame, say, store_option, who_option
from graphkit.errors import DataError, UsageError

if TYPE_CHECKING:
    from graphkit.store import Store

__all__ = ["VERBS"]

_as_of_option = click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day to speak from; default: today."
)


def _day(as_of: datetime | None) -> date:
    return as_of.date() if as_of else datetime.now(UTC).date()


@click.command()
@store_option
@_as_of_option
@click.option("--since", type=int, metavar="VERSION", help="Tell what has changed since this version.")
@click.option("--history", "of_versions", is_flag=True, help="Tell how commitments stood in each version that is kept.")
@format_option("words", "table", "csv", "json", "spreadsheet", default="words")
def monitor(location: str, as_of: datetime | None, since: int | None, of_versions: bool, form: str) -> None:
    """Tell how far each commitment is kept, by its own queries, with evidence, figures, coverage and method.

    Example: graphkit monitor -f json
    """
    from graphkit import monitor as monitoring
    from graphkit import report
    from graphkit.export import history_as_frame, shifts_as

    if since is not None and of_versions:
        raise UsageError("--since and --history are two questions", hint="leave out one of the two")
    with opened(location) as store:
        if since is not None:
            click.echo(shifts_as(monitoring.shifts(store, since, _day(as_of)), form), nl=False)
        elif of_versions:
            frame = history_as_frame(monitoring.history(store, _day(as_of)))
            print_frame(frame, "table" if form == "words" else form)
        else:
            click.echo(report.standings_as(monitoring.monitor(store, _day(as_of)), form), nl=False)


@click.command()
@click.argument("name", default="concentration", metavar="[ACCOUNT]")
@store_option
@click.option("--currency", help="Convert into this currency, such as EUR, at the loaded rates; default: kept apart.")
@click.option(
    "--deflator",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A price index: CSV with the columns year and index; needs --currency.",
)
@click.option("--base-year", type=int, help="The year whose prices are used; default: the last of the index.")
@click.option("--digits", default=3, show_default=True, type=click.IntRange(2, 5), help="Length of the NUTS codes.")
@click.option("--top", type=click.IntRange(1), help="Only so many rows.")
@format_option("words", "table", "csv", "json", "spreadsheet", default="words")
def funding(
    name: str,
    location: str,
    currency: str | None,
    deflator: Path | None,
    base_year: int | None,
    digits: int,
    top: int | None,
    form: str,
) -> None:
    """Tell who funds whom, how concentrated the money is and where it goes, with method and coverage.

    ACCOUNT is flows, funders, recipients, regranting, concentration, regions, kinds or years; of the Structural
    Funds and the social economy it is structural-regions or structural-years.

    Example: graphkit funding regions --currency EUR -f csv
    """
    from graphkit import funding as money

    if deflator and not currency:
        raise UsageError("a price index is of one currency", hint="name it with --currency")
    if currency and name in money.STRUCTURAL:
        raise UsageError(f"{name} keeps currencies apart", hint="leave out --currency, or ask for regions or years")
    with opened(location) as store:
        if name in money.STRUCTURAL:
            found = money.structural(store, name, digits=digits)
        else:
            flows, conversion = money.load_flows(store, digits=digits), None
            if currency:
                index = money.read_deflator(deflator) if deflator else None
                rates = money.load_rates(store)
                flows, conversion = money.in_one_currency(flows, rates, currency, deflator=index, base_year=base_year)
            found = money.account(name, flows, conversion)
    frame = found.frame if form in {"words", "table"} else found.rows_with_words()
    frame = frame if top is None else frame.head(top)
    print_frame(frame, "table" if form == "words" else form)
    if form in {"words", "table"}:
        click.echo(f"Method: {found.method}.\nCoverage: {found.coverage}.", err=form == "table")


@click.command()
@click.argument("opportunity", default="")
@store_option
@_as_of_option
@click.option("--all", "every", is_flag=True, help="Also those that are closed or past their deadline.")
@click.option(
    "--top", default=10, show_default=True, type=click.IntRange(1), help="Organisations for each opportunity."
)
@click.option("--consortium", is_flag=True, help="Propose consortia for the one OPPORTUNITY.")
@click.option("--bids", is_flag=True, help="Tell how the bids of each organisation ended instead.")
@format_option("table", "csv", "json", "spreadsheet", default="table")
def opportunities(
    opportunity: str,
    location: str,
    as_of: datetime | None,
    every: bool,
    top: int,
    consortium: bool,
    bids: bool,
    form: str,
) -> None:
    """Match open calls and tenders to organisations, propose consortia, or tell how earlier bids ended.

    Example: graphkit opportunities --top 5
    """
    from graphkit import opportunities as offers
    from graphkit.plans import proposals_in_words

    if consortium and not opportunity:
        raise UsageError("no opportunity is named", hint="write graphkit opportunities opportunity/NAME --consortium")
    with opened(location) as store:
        if bids:
            print_frame(offers.bid_record(store), form)
            return
        loaded = offers.load_opportunities(store)
    if consortium:
        click.echo(proposals_in_words(offers.consortia_for(loaded, opportunity)))
        return
    needs = offers.needs_of(loaded, opportunity) if opportunity else loaded.needs
    if not (every or opportunity):
        needs = loaded.open_on(_day(as_of))
    found = offers.matches(loaded, needs, top=top)
    print_frame(found.drop("opportunity", "organisation", "method") if form == "table" else found, form)
    number = needs["opportunity"].n_unique()
    silent = number - found["opportunity"].n_unique()
    say(f"{number} opportunities; {silent} ask for nothing that an organisation is known to have.")
    say(f"Method: {offers.METHOD}.")


@click.command()
@click.argument("thing", default="")
@store_option
@click.option("--region", "regions", multiple=True, help="A region to compare, such as place/wessex; may be repeated.")
@click.option("--figures", is_flag=True, help="Work out the indicators of the measures for each region instead.")
@click.option(
    "--goals", "of_goals", is_flag=True, help="List the Sustainable Development Goals of each measure instead."
)
@format_option("table", "csv", "json", "spreadsheet", default="table")
def scorecard(thing: str, location: str, regions: tuple[str, ...], figures: bool, of_goals: bool, form: str) -> None:
    """Show the judgements on a THING, or compare regions on every evaluation measure; what is missing stays missing.

    Example: graphkit scorecard --region place/wessex --region place/scotland
    """
    from graphkit import scorecard as card

    if of_goals:
        print_frame(card.goals(), form)
        return
    if thing and regions:
        raise UsageError("a thing and regions are two questions", hint="leave out the thing or --region")
    if figures and not regions:
        raise UsageError("figures are worked out for regions", hint="name one or more with --region")
    with opened(location) as store:
        if figures:
            frame = card.figures_by_region(store, regions)
            shown = ["indicator", "region_label", "value", "unit", "coverage"]
            print_frame(frame.select(shown) if form == "table" else frame, form)
        elif regions:
            frame = card.scorecard(store, regions)
            print_frame(frame.drop("measure", "region", "method") if form == "table" else frame, form)
            say(f"Method: {card.METHOD}.")
        else:
            print_frame(card.assessments(store, thing), form)


@click.command()
@store_option
@who_option
@click.option("--region", default="", help="Only this region, with the places within it, such as place/wessex.")
@click.option(
    "--answers", "elsewhere", is_flag=True, help="Tell which building blocks answer barriers elsewhere instead."
)
@click.option(
    "--smallest", default=5, show_default=True, type=click.IntRange(2), help="Of fewer people nothing is shown."
)
@click.option(
    "--import", "sheet", type=click.Path(path_type=Path, dir_okay=False), help="Bring in a coded CSV or XLSX file."
)
@click.option("--source", default="", help="The name of the source that the file becomes; with --import.")
@click.option("--label", default="", help="The source as a person calls it; with --import.")
@click.option(
    "--licence",
    default="https://creativecommons.org/licenses/by/4.0/",
    show_default=True,
    help="The address of the licence of the claims; with --import.",
)
@click.option("--dry-run", is_flag=True, help="Say what would come in, and keep nothing; with --import.")
@format_option("table", "csv", "json", "spreadsheet", default="table")
def barriers(
    location: str,
    who: str,
    region: str,
    elsewhere: bool,
    smallest: int,
    sheet: Path | None,
    source: str,
    label: str,
    licence: str,
    dry_run: bool,
    form: str,
) -> None:
    """Show what speaks for and against barriers and building blocks by region, or bring in coded claims.

    Example: graphkit barriers --import interviews.csv --source talks-2024
    """
    from graphkit import barriers as claims

    if sheet is None:
        with opened(location) as store:
            if elsewhere:
                print_frame(claims.answers(store, region), form)
                return
            frame = claims.matrix(store, region, smallest=smallest)
        print_frame(frame.drop("region", "about", "method") if form == "table" else frame, form)
        return
    if not source:
        raise UsageError("the claims need a source", hint="name it with --source, such as talks-2024")
    with opened(location, read_only=dry_run) as store:
        coded = claims.code(claims.read_sheet(sheet), store, where=str(sheet), smallest=smallest)
        content = claims.claims_from(coded, source, label=label or source, licence=licence, day=_day(None))
        if not dry_run:
            _keep(store, content, source, f"claims of {sheet.name}", who)
    say(coded.words + (" (nothing was kept)" if dry_run else ""))


def _keep(store: Store, content: bytes, source: str, why: str, who: str) -> None:
    """Check the claims, then put them in the place of what the source said before."""
    from tempfile import TemporaryDirectory

    from graphkit.assembly import load_files
    from graphkit.check import check_files
    from graphkit.report import findings_in_words
    from graphkit.terms import graph_iri

    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{source}.ttl"
        path.write_bytes(content)
        findings = check_files([path], store)
        if findings.height:
            raise DataError(
                f"the claims have {findings.height} findings and were not kept",
                where=source,
                hint=findings_in_words(findings.head(3)),
            )
        if store.has_graph(graph_iri(source)):
            with store.change(f"make room for {why}", who=who) as change:
                change.clear(graph_iri(source))
        load_files(store, [path], graph=graph_iri(source), why=why, who=who)


VERBS = (monitor, funding, opportunities, scorecard, barriers)
"""The verbs of this module."""
