"""The verbs of the review loop: review, reviews."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from graphkit.cli.common import format_option, opened, print_frame, say, store_option
from graphkit.errors import UnknownNameError

if TYPE_CHECKING:
    from graphkit.gaps import Gap, Review
    from graphkit.store import Store

__all__ = ["VERBS"]

_VERDICTS = {"accept": "accepted", "dismiss": "dismissed", "done": "done"}


@click.command()
@click.argument("gap", metavar="GAP")
@click.argument("verdict", type=click.Choice(list(_VERDICTS)))
@store_option
@click.option("--reason", default="", help="Why; a dismissal needs one.")
@click.option("--who", default="", help="Who says so, a role or a name; kept in the graph. Default: nobody is named.")
def review(gap: str, verdict: str, location: str, reason: str, who: str) -> None:
    """Accept a gap, dismiss it with a reason, or say that it is done; later searches respect it.

    GAP is the name that 'graphkit gaps' prints with each gap, such as P1-0f3a92bc.

    Example: graphkit review P1-0f3a92bc dismiss --reason "They already work together" --who "The secretary"
    """
    from graphkit.gaps import review_gap

    with opened(location, read_only=False) as store:
        made = review_gap(store, _called(gap, store), _VERDICTS[verdict], reason=reason, who=who)
    say(f"{made.key} ({' · '.join(made.labels[:3])}): {made.words}")


def _called(name: str, store: Store) -> Gap | Review:
    """Find the gap of that name among those of a search, those once reviewed, and those beyond the caps."""
    from graphkit.gaps import KINDS, find_gaps, gap_called, load_reviews

    kind = name.partition("-")[0].upper()
    kinds = [kind] if kind in KINDS else ()
    known: list[Gap | Review] = [*find_gaps(store, kinds=kinds).every, *reversed(load_reviews(store))]
    try:
        return gap_called(name, known)
    except UnknownNameError:
        return gap_called(name, [*known, *find_gaps(store, kinds=kinds, per_organisation=sys.maxsize).every])


@click.command()
@store_option
@format_option("table", "csv", "json", "ttl", default="table")
def reviews(location: str, form: str) -> None:
    """List what was made of gaps, oldest first: which reviews count, and whether the gaps are still found.

    Example: graphkit reviews -f csv
    """
    from graphkit.gaps import find_gaps, load_reviews, reviews_as_frame, reviews_to_turtle

    with opened(location) as store:
        if form == "ttl":
            click.echo(reviews_to_turtle(store), nl=False)
            return
        print_frame(reviews_as_frame(load_reviews(store), find_gaps(store).every), form)


VERBS = (review, reviews)
"""The verbs of this module."""
