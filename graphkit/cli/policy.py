"""The verbs of policy and money: monitor, funding, opportunities, scorecard."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import click

from graphkit.cli.common import format_option, opened, print_frame, say, store_option
from graphkit.errors import UsageError

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

    ACCOUNT is flows, funders, recipients, regranting, concentration, regions, kinds or years.

    Example: graphkit funding regions --currency EUR -f csv
    """
    from graphkit import funding as money

    if deflator and not currency:
        raise UsageError("a price index is of one currency", hint="name it with --currency")
    with opened(location) as store:
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
            print_frame(card.figures_by_region(store, regions), form)
        elif regions:
            frame = card.scorecard(store, regions)
            print_frame(frame.drop("measure", "region", "method") if form == "table" else frame, form)
            say(f"Method: {card.METHOD}.")
        else:
            print_frame(card.assessments(store, thing), form)


VERBS = (monitor, funding, opportunities, scorecard)
"""The verbs of this module."""
