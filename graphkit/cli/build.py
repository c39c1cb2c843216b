"""The verbs that bring data in and serve it: up, serve, load, check."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from graphkit.cli.common import (
    FOUND,
    format_option,
    is_there,
    no_store,
    opened,
    print_frame,
    say,
    store_option,
    who_option,
)
from graphkit.errors import GraphkitError

if TYPE_CHECKING:
    import polars as pl

    from graphkit.store import Store
    from webui.settings import Settings

__all__ = ["VERBS"]


@click.command()
@store_option
@click.option("--serve/--no-serve", default=True, show_default=True, help="Serve the pages when the graph stands.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to serve on.")
@click.option("--port", default=8000, show_default=True, help="The port to serve on.")
@click.option("--top", default=3, show_default=True, help="How many gaps of each kind to print.")
def up(location: str, serve: bool, host: str, port: int, top: int) -> None:
    """Build the shipped graph, check it, print its gaps, and serve the pages.

    Example: graphkit up --no-serve
    """
    from graphkit import assembly, report
    from graphkit.gaps import find_gaps, save_run

    say("Putting the shipped graph together ...")
    scratch = assembly.assemble_shipped()
    say("Checking it ...")
    _refuse_findings(scratch)
    with opened(location, read_only=False) as store:
        assembly.transfer(scratch, store, "the shipped graph")
        say("Searching for gaps ...")
        found = find_gaps(store)
        save_run(store, found)
        click.echo(report.summary(store, found, top=top))
    if serve:
        _serve(location, host, port)


def _refuse_findings(scratch: Store) -> None:
    from graphkit.check import check as check_store

    findings = check_store(scratch)
    if findings.height:
        _print_findings(findings, "words")
        raise GraphkitError(
            f"the shipped graph has {findings.height} findings and was not stored",
            hint="see above; if you have changed files in ontology/ or queries/, mend them there",
        )


@click.command()
@store_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to serve on.")
@click.option("--port", default=8000, show_default=True, help="The port to serve on.")
@click.option("--public-address", default="", metavar="URL", help="Where others reach it: https://graph.example.org.")
@click.option("--site-name", default="Solidarity graph", show_default=True, help="How the pages call themselves.")
@click.option("--timeout", default=10.0, show_default=True, metavar="SECONDS", help="The most a query may take.")
@click.option("--rows", type=click.IntRange(1), help="Cut the answers of SELECT queries after so many rows.")
@click.option("--readers", default=4, show_default=True, type=click.IntRange(1), help="Queries that run at once.")
@click.option("--check-writes", is_flag=True, help="Refuse what is written when it breaks a shape.")
@click.option("--service", "services", multiple=True, metavar="URL", help="An endpoint that SERVICE may call.")
@click.option("--behind-proxy", is_flag=True, help="Believe the X-Forwarded headers of the one proxy in front.")
@click.option(
    "--boundaries",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Outlines of regions for the map, as TopoJSON.",
)
@click.option(
    "--embed-in", "embedding", multiple=True, metavar="URL", help="A site that may show views in frames; *: all."
)
@click.option("--access-log", default="", metavar="FILE", help="Write a line of JSON for each request; - is stderr.")
@click.option("--token", envvar="GRAPHKIT_TOKEN", show_envvar=True, hidden=True)
def serve(
    location: str,
    host: str,
    port: int,
    access_log: str,
    token: str | None,
    **choices: Any,  # noqa: ANN401 - fields of the settings under the names of the options
) -> None:
    """Serve the pages, the SPARQL endpoint and the linked data of a graph that is already built.

    Who knows the token in the environment variable GRAPHKIT_TOKEN may write; without one nobody can.

    Example: graphkit serve --port 8080 --timeout 30
    """
    from webui.settings import Settings

    renamed = {"timeout": "query_seconds", "rows": "query_rows"}
    settings = Settings(token=token or None, **{renamed.get(name, name): value for name, value in choices.items()})
    _serve(location, host, port, settings, access_log)


def _serve(location: str, host: str, port: int, settings: Settings | None = None, access_log: str = "") -> None:
    from webui.serving.server import Place, serve
    from webui.settings import Settings

    if not is_there(location):
        raise no_store(location)
    place = Place(location, host, port, access_log)
    say(f"Serving on {place.address}  (stop with Ctrl-C)")
    serve(place, settings or Settings())


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@store_option
@who_option
@click.option("--graph", help="The graph for triples: an IRI or a name; default: the file's name.")
@click.option("--why", default="", help="Why the data comes in; it is kept with the version.")
@click.option("--check/--no-check", "checked", default=True, show_default=True, help="Refuse what breaks a shape.")
def load(files: tuple[Path, ...], location: str, who: str, graph: str | None, why: str, checked: bool) -> None:
    """Add RDF files to the graph: all of them or none.

    Example: graphkit load partners.ttl --graph partners --why "register of May"
    """
    from graphkit import assembly
    from graphkit.check import check_files

    with opened(location, read_only=False) as store:
        if checked:
            _exit_with_findings(check_files(files, store), "words")
        held = assembly.load_files(store, files, graph=_graph_name(graph), why=why, who=who)
        version = store.version
        say(f"{held} quads loaded" + (f", version {version.number}" if version else ""))


def _graph_name(name: str | None) -> str | None:
    from graphkit.terms import expand, graph_iri

    if name is None or "://" in name:
        return name
    return expand(name) if ":" in name else graph_iri(name)


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@store_option
@click.option("--reason", is_flag=True, help="Ask HermiT whether the ontology contradicts itself (extra 'reason').")
@format_option("words", "table", "csv", "json", default="words")
def check(files: tuple[Path, ...], location: str, reason: bool, form: str) -> None:
    """Check the graph, or files before they are loaded; exit 1 where something is found.

    Files may speak of what the store holds, where there is one.

    Example: graphkit check partners.ttl
    """
    if reason:
        _reason()
        return
    from graphkit.check import check as check_store
    from graphkit.check import check_files

    if files and not is_there(location):
        _exit_with_findings(check_files(files), form)
        return
    with opened(location) as store:
        _exit_with_findings(check_files(files, store) if files else check_store(store), form)


def _reason() -> None:
    from graphkit import reason

    found = reason.reason()
    say(f"{found.classes} classes, {'consistent' if found.consistent else 'NOT consistent'}, {found.seconds:.1f} s")
    for name in found.unsatisfiable:
        click.echo(f"no thing can be a {name}")
    if found.unsatisfiable or not found.consistent:
        sys.exit(FOUND)


def _exit_with_findings(findings: pl.DataFrame, form: str) -> None:
    _print_findings(findings, form)
    say(f"{findings.height} findings")
    if findings.height:
        sys.exit(FOUND)


def _print_findings(findings: pl.DataFrame, form: str) -> None:
    from graphkit import report

    if form == "words":
        click.echo(report.findings_in_words(findings), nl=False)
    else:
        print_frame(findings, form)


VERBS = (up, serve, load, check)
"""The verbs of this module."""
