"""The verbs that look ahead: whatif, best-ties, consortium, backtest."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path

import click

from graphkit.cli.common import format_option, opened, print_frame, store_option
from graphkit.errors import DataError

__all__ = ["VERBS"]

_PAIR = 2


@click.command()
@store_option
@click.option("--add", nargs=_PAIR, multiple=True, metavar="A B", help="Imagine that two organisations work together.")
@click.option("--remove", nargs=_PAIR, multiple=True, metavar="A B", help="Imagine that two no longer do.")
@click.option("--add-activity", multiple=True, metavar="A,B,C", help="Imagine an activity of these organisations.")
@click.option("--remove-activity", multiple=True, metavar="ACTIVITY", help="Imagine that an activity had not been.")
@click.option("--add-member", nargs=_PAIR, multiple=True, metavar="ACTIVITY A", help="Imagine one more in an activity.")
@click.option("--leave", multiple=True, metavar="A", help="Imagine that an organisation leaves.")
def whatif(
    location: str,
    add: tuple[tuple[str, str], ...],
    remove: tuple[tuple[str, str], ...],
    add_activity: tuple[str, ...],
    remove_activity: tuple[str, ...],
    add_member: tuple[tuple[str, str], ...],
    leave: tuple[str, ...],
) -> None:
    """Tell what a change would do to the network; nothing is written.

    Example: graphkit whatif --add organisation/john-lewis organisation/cooperative-group
    """
    from graphkit.gaps.ground import load_ground
    from graphkit.plans import what_if, what_if_in_words

    with opened(location) as store:
        ground = load_ground(store, datetime.now(UTC).date())
    found = what_if(
        ground,
        add_ties=add,
        remove_ties=remove,
        add_activity=[members.split(",") for members in add_activity],
        remove_activity=remove_activity,
        add_member=add_member,
        remove_organisation=leave,
    )
    click.echo(what_if_in_words(found))


@click.command(name="best-ties")
@store_option
@click.option("-k", "number", default=5, show_default=True, help="How many ties.")
@click.option("--objective", type=click.Choice(["efficiency", "robustness"]), default="efficiency", show_default=True)
@click.option("--network", default="networks/collaboration", show_default=True, help="The network query.")
@format_option("table", "csv", "json", "spreadsheet", default="table")
def best_ties(location: str, number: int, objective: str, network: str, form: str) -> None:
    """Find the next ties that would help the network most, each the best after those before it.

    Example: graphkit best-ties -k 3 --objective robustness
    """
    from graphkit import plans, report
    from graphkit.network import load_network

    with opened(location) as store:
        frame = plans.best_ties(load_network(store, network), number, objective=objective)
        print_frame(report.with_labels(store, frame), form)


@click.command()
@store_option
@click.option("--capability", multiple=True, metavar="THEME", help="Must be covered; may be repeated.")
@click.option("--region", multiple=True, metavar="PLACE", help="Somebody must work there; may be repeated.")
@click.option("--kind", multiple=True, help="Somebody must be of this kind; may be repeated.")
@click.option("--within", multiple=True, metavar="PLACE", help="Only organisations that work there.")
@click.option("--least", default=2, show_default=True, help="At least so many members.")
@click.option("--most", default=7, show_default=True, help="At most so many members.")
@click.option("--newcomers", default=0, show_default=True, help="At least so many who are new to the lead.")
@click.option("--lead", metavar="ORGANISATION", help="Who leads; always a member.")
@click.option("--exclude", multiple=True, metavar="ORGANISATION", help="Who cannot take part.")
@click.option("--opportunity", help="Take what must be covered, where, and who offers it from this opportunity.")
@click.option("--budget", type=float, metavar="AMOUNT", help="The costs of the members stay within this.")
@click.option("--cost", nargs=_PAIR, multiple=True, metavar="ORGANISATION AMOUNT", help="What one member costs.")
@click.option("--costs", type=click.Path(exists=True, dir_okay=False), help="CSV of organisation, cost: the same.")
@click.option("--proposals", default=3, show_default=True, help="How many different proposals.")
def consortium(
    location: str,
    capability: tuple[str, ...],
    region: tuple[str, ...],
    kind: tuple[str, ...],
    within: tuple[str, ...],
    least: int,
    most: int,
    newcomers: int,
    lead: str | None,
    exclude: tuple[str, ...],
    opportunity: str | None,
    budget: float | None,
    cost: tuple[tuple[str, str], ...],
    costs: str | None,
    proposals: int,
) -> None:
    """Propose members for a bid: what must be covered, who trusts whom, and what is missing where nobody fits.

    Example: graphkit consortium --capability theme/rail --capability theme/social-value
    """
    from graphkit.plans import Need, load_candidates, need_of, proposals_in_words, propose

    need = Need(
        capabilities=capability,
        regions=region,
        kinds=kind,
        within=within,
        least=least,
        most=most,
        newcomers=newcomers,
        lead=lead,
        excluded=exclude,
        budget=budget,
        costs=_costs(cost, costs),
    )
    with opened(location) as store:
        candidates = load_candidates(store)
        need = need_of(store, opportunity, need) if opportunity else need
    click.echo(proposals_in_words(propose(candidates, need, proposals=proposals)))


def _costs(named: Iterable[tuple[str, str]], table: str | None) -> dict[str, float]:
    """Read the costs of the options and of a table; the options have the last word."""
    rows = list(named)
    if table:
        with Path(table).open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            if not {"organisation", "cost"} <= set(reader.fieldnames or ()):
                raise DataError("the table of costs lacks a column", where=table, hint="name them organisation, cost")
            rows = [*((row["organisation"], row["cost"]) for row in reader), *rows]
    found = {}
    for organisation, amount in rows:
        try:
            found[organisation] = float(amount)
            if not isfinite(found[organisation]):
                raise ValueError(amount)
        except (TypeError, ValueError) as error:
            message = f"the cost of '{organisation}' is '{amount}'"
            raise DataError(message, where=table or "--cost", hint="a cost is a number such as 1200.50") from error
    return found


@click.command()
@store_option
@click.option("--network", default="networks/collaboration", show_default=True, help="The network query.")
@click.option("--cut", "cuts", multiple=True, type=click.DateTime(["%Y-%m-%d"]), help="A day to stand at; default: 3.")
@click.option("--scorer", "scorers", multiple=True, help="Only this scorer; may be repeated. Default: all.")
@click.option("--largest", default=50, show_default=True, help="Once more without activities of more organisations.")
@click.option("-k", "length", default=100, show_default=True, help="The length of the list that is judged.")
@format_option("words", "csv", "json", "ttl", "html", default="words")
def backtest(
    location: str,
    network: str,
    cuts: tuple[datetime, ...],
    scorers: tuple[str, ...],
    largest: int,
    length: int,
    form: str,
) -> None:
    """Look which scorer would have named the partnerships that formed after a day, from what was known by then.

    Example: graphkit backtest -f html > backtest.html
    """
    from graphkit import report
    from graphkit.gaps.backtest import backtest as test_back
    from graphkit.gaps.backtest import rolling_cuts
    from graphkit.gaps.judged import judged
    from graphkit.network import load_network

    with opened(location) as store:
        loaded = load_network(store, network)
        reviews = judged(store, loaded, scorers or None).to_text() if form == "words" else ""
    if reviews:
        click.echo(f"Reviews\n\n{reviews}\n")
    days = [cut.date() for cut in cuts] or rolling_cuts(loaded)
    found = test_back(loaded, days, scorers=scorers, largest=largest, k=length)
    click.echo(report.backtest_as(found, form, network), nl=False)


VERBS = (whatif, best_ties, consortium, backtest)
"""The verbs of this module."""
