"""The verbs of policy and money: monitor."""

from __future__ import annotations

from datetime import UTC, date, datetime

import click

from graphkit.cli.common import format_option, opened, print_frame, store_option
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


VERBS = (monitor,)
"""The verbs of this module."""
