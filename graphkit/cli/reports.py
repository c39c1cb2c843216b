"""The verbs of what a policy analyst reads: report, alerts."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from graphkit.cli.common import format_option, opened, say, store_option

__all__ = ["VERBS"]

_FORMATS = ("md", "html", "pdf", "docx", "ttl", "csv")


@click.command()
@click.argument("region")
@store_option
@click.option("--against", multiple=True, metavar="REGION", help="A region to compare with; may be repeated.")
@click.option("-f", "--format", "form", type=click.Choice(_FORMATS), help="Default: by the file's name, else md.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="A file; default: stdout.")
@click.option("--base", default="", metavar="URL", help="A service that links lead to; default: the lasting names.")
def report(
    region: str, location: str, against: tuple[str, ...], form: str | None, output: Path | None, base: str
) -> None:
    """Report on a REGION: who is there, money, commitments, gaps, and an action plan.

    REGION is a slug, a name or an IRI. The same version gives the same bytes.

    Example: graphkit report wessex -o wessex.html
    """
    from graphkit import report as reports
    from graphkit.errors import UsageError
    from graphkit.files import write_whole

    suffix = output.suffix.lstrip(".") if output else ""
    chosen = form or suffix or "md"
    if chosen not in _FORMATS:
        raise UsageError(f"a report cannot be written as {chosen}", hint=f"use {', '.join(_FORMATS)}")
    with opened(location) as store:
        written = reports.report_as(reports.regional_report(store, region, against=against), chosen, base=base)
    if output:
        write_whole(output, written)
        say(f"{len(written)} bytes written to {output}")
    else:
        sys.stdout.buffer.write(written)


@click.command()
@store_option
@click.option("--since", type=int, metavar="VERSION", help="The version to compare with; default: the one before.")
@click.option("--region", default="", help="Only what has to do with this region, such as wessex.")
@format_option("words", "json", "atom", default="words")
def alerts(location: str, since: int | None, region: str, form: str) -> None:
    """Tell what changed since a version that somebody who follows policy should know.

    Example: graphkit alerts --since 1 --region wessex
    """
    from graphkit import report as reports

    with opened(location) as store:
        found = reports.alerts_since(store, since, region=region)
    if form == "atom":
        address = f"urn:graphkit:alerts:{found.since.number}-{found.until.number}"
        click.echo(reports.alerts_to_atom(found, address=address), nl=False)
    else:
        writer = reports.alerts_to_json if form == "json" else reports.alerts_to_words
        click.echo(writer(found), nl=False)


VERBS = (report, alerts)
"""The verbs of this module."""
