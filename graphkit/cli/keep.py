"""The verbs that take data out and go through versions: export, versions, diff, restore."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from graphkit.cli.common import FOUND, format_option, opened, print_frame, say, store_option

__all__ = ["VERBS"]


@click.command()
@click.argument("what", metavar="[NETWORK|GRAPH]", required=False)
@store_option
@click.option("-f", "--format", "form", help="nq, trig, ttl, nt, rdf, jsonld; for a network graphml, gexf, json, csv.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="A file; default: stdout.")
def export(what: str | None, location: str, form: str | None, output: Path | None) -> None:
    """Take data out: the whole graph, one named graph, or a network.

    Example: graphkit export networks/collaboration -f gexf -o network.gexf
    """
    from graphkit import report
    from graphkit.files import write_whole

    with opened(location) as store:
        content = report.exported(store, what, form or (output.suffix.lstrip(".") if output else None))
    if output:
        write_whole(output, content)
        say(f"{len(content)} bytes written to {output}")
    else:
        sys.stdout.buffer.write(content)


@click.command()
@store_option
@format_option("table", "csv", "json", default="table")
def versions(location: str, form: str) -> None:
    """List the versions that the store keeps.

    Example: graphkit versions -f json
    """
    from graphkit import report

    with opened(location) as store:
        print_frame(report.versions_frame(store), form)


@click.command()
@click.argument("old", type=int)
@click.argument("new", type=int)
@store_option
def diff(old: int, new: int, location: str) -> None:
    """Show what version NEW has that OLD has not (+), and the other way round (-); exit 1 where they differ.

    Example: graphkit diff 1 2
    """
    with opened(location) as store:
        changed = store.diff(old, new)
    for sign, side in (("-", changed.removed), ("+", changed.added)):
        for line in side.decode().splitlines():
            click.echo(f"{sign} {line}")
    say(f"{len(changed.removed.splitlines())} quads gone, {len(changed.added.splitlines())} quads new")
    if changed.removed or changed.added:
        sys.exit(FOUND)


@click.command()
@click.argument("number", type=int)
@store_option
def restore(number: int, location: str) -> None:
    """Make the content of version NUMBER the newest version; no version is lost.

    Example: graphkit restore 1
    """
    with opened(location, read_only=False) as store:
        version = store.restore(number)
        say(f"version {version.number} has the content of version {number}")


VERBS = (export, versions, diff, restore)
"""The verbs of this module."""
