"""The command `graphkit`: each verb reads its words, calls one function and prints what it returns."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

import graphkit
from graphkit.errors import GraphkitError, UsageError, unknown_name

if TYPE_CHECKING:
    import polars as pl

    from graphkit.queries import Query
    from graphkit.store import Store

__all__ = ["cli", "main"]

_DEFAULT_STORE = "graphkit-store"
_FOUND, _WRONG = 1, 2

_store_option = click.option(
    "--store",
    "location",
    envvar="GRAPHKIT_STORE",
    default=_DEFAULT_STORE,
    show_default=True,
    metavar="PLACE",
    help="A folder, 'memory', or the address of a SPARQL endpoint; also GRAPHKIT_STORE.",
)
_who_option = click.option("--who", default="", help="Who makes this change; default: your user name.")


def _format_option(*names: str, default: str) -> Callable[[Any], Any]:
    return click.option(
        "-f", "--format", "form", type=click.Choice(names), default=default, show_default=True, help="How to print."
    )


def main() -> NoReturn:
    """Run the command; exit 0 when all is good, 1 for findings or a failure, 2 for wrong use."""
    try:
        code = cli.main(standalone_mode=False)
    except GraphkitError as error:
        _say(f"graphkit: {error}")
        code = _WRONG if isinstance(error, UsageError) else _FOUND
    except click.ClickException as error:
        error.show()
        code = _WRONG
    except (click.Abort, KeyboardInterrupt):
        _say("graphkit: stopped")
        code = _FOUND
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code or 0)


def _say(words: str) -> None:
    """Print words for the person, beside the data on stdout."""
    click.echo(words, err=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(graphkit.__version__, prog_name="graphkit")
@click.option("-v", "--verbose", count=True, help="Say what is done (-v), and show the SPARQL (-vv).")
def cli(verbose: int) -> None:
    """Link organisations, policies and funding in a knowledge graph, and explain collaboration gaps.

    Start with: graphkit up
    """
    level = {0: logging.WARNING, 1: logging.INFO}.get(verbose, logging.DEBUG)
    logging.basicConfig(level=level, format="%(levelname).1s %(name)s: %(message)s", stream=sys.stderr)


@contextmanager
def _opened(location: str, *, read_only: bool = True) -> Iterator[Store]:
    """Open the store at `location`; a folder that is to be read must be there."""
    from graphkit.store import open_store

    remote_or_memory = location == "memory" or location.startswith(("http://", "https://"))
    if read_only and not remote_or_memory and not Path(location).is_dir():
        raise UsageError(
            f"there is no store at '{location}'", hint="build one with 'graphkit up', or name another with --store"
        )
    with open_store(location, read_only=read_only and not remote_or_memory) as store:
        yield store


def _values(words: tuple[str, ...]) -> dict[str, str]:
    """Read `name=value` words."""
    pairs = [word.partition("=") for word in words]
    wrong = [word for word, (name, equals, _) in zip(words, pairs, strict=True) if not (name and equals)]
    if wrong:
        raise UsageError(f"'{wrong[0]}' is not name=value", hint="write for example region=id:place/wessex")
    return {name: value for name, _, value in pairs}


# ---- build and serve -----------------------------------------------------------------------------


@cli.command()
@_store_option
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

    _say("Putting the shipped graph together ...")
    scratch = assembly.assemble_shipped()
    _say("Checking it ...")
    _refuse_findings(scratch)
    with _opened(location, read_only=False) as store:
        assembly.transfer(scratch, store, "the shipped graph")
        _say("Searching for gaps ...")
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


@cli.command()
@_store_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to serve on.")
@click.option("--port", default=8000, show_default=True, help="The port to serve on.")
def serve(location: str, host: str, port: int) -> None:
    """Serve the pages of a graph that is already built.

    Example: graphkit serve --port 8080
    """
    _serve(location, host, port)


def _serve(location: str, host: str, port: int) -> None:
    import waitress

    from webui import create_app

    with _opened(location) as store:
        app = create_app(store)
        _say(f"Serving on http://{host}:{port}  (stop with Ctrl-C)")
        try:
            waitress.serve(app, host=host, port=port, threads=8, ident="graphkit")
        except OSError as error:
            raise GraphkitError(
                f"cannot serve on {host}:{port}: {error.strerror or error}", hint="choose another --port"
            ) from error


# ---- data in ---------------------------------------------------------------------------------------


@cli.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@_store_option
@_who_option
@click.option("--graph", help="The graph for triples: an IRI or a name; default: the file's name.")
@click.option("--why", default="", help="Why the data comes in; it is kept with the version.")
@click.option("--check/--no-check", "checked", default=True, show_default=True, help="Refuse what breaks a shape.")
def load(files: tuple[Path, ...], location: str, who: str, graph: str | None, why: str, checked: bool) -> None:
    """Add RDF files to the graph: all of them or none.

    Example: graphkit load partners.ttl --graph partners --why "register of May"
    """
    from graphkit import assembly
    from graphkit.check import check_files

    if checked:
        _exit_with_findings(check_files(files), "words")
    with _opened(location, read_only=False) as store:
        held = assembly.load_files(store, files, graph=_graph_name(graph), why=why, who=who)
        version = store.version
        _say(f"{held} quads loaded" + (f", version {version.number}" if version else ""))


def _graph_name(name: str | None) -> str | None:
    from graphkit.terms import expand, graph_iri

    if name is None or "://" in name:
        return name
    return expand(name) if ":" in name else graph_iri(name)


@cli.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@_store_option
@click.option("--reason", is_flag=True, help="Ask HermiT whether the ontology contradicts itself (extra 'reason').")
@_format_option("words", "table", "csv", "json", default="words")
def check(files: tuple[Path, ...], location: str, reason: bool, form: str) -> None:
    """Check the graph, or files before they are loaded; exit 1 where something is found.

    Example: graphkit check partners.ttl
    """
    if reason:
        _reason()
        return
    from graphkit.check import check as check_store
    from graphkit.check import check_files

    if files:
        _exit_with_findings(check_files(files), form)
    else:
        with _opened(location) as store:
            _exit_with_findings(check_store(store), form)


def _reason() -> None:
    from graphkit import reason

    found = reason.reason()
    _say(f"{found.classes} classes, {'consistent' if found.consistent else 'NOT consistent'}, {found.seconds:.1f} s")
    for name in found.unsatisfiable:
        click.echo(f"no thing can be a {name}")
    if found.unsatisfiable or not found.consistent:
        sys.exit(_FOUND)


def _exit_with_findings(findings: pl.DataFrame, form: str) -> None:
    _print_findings(findings, form)
    _say(f"{findings.height} findings")
    if findings.height:
        sys.exit(_FOUND)


def _print_findings(findings: pl.DataFrame, form: str) -> None:
    from graphkit import report

    if form == "words":
        click.echo(report.findings_in_words(findings), nl=False)
    else:
        _print_frame(findings, form)


# ---- questions -------------------------------------------------------------------------------------


@cli.command(name="list")
@click.argument("what", default="queries")
@_store_option
@_format_option("table", "csv", "json", default="table")
def list_(what: str, location: str, form: str) -> None:
    """List what there is: queries, networks, measures, gaps, terms, or the graphs of the store.

    Example: graphkit list measures
    """
    from graphkit import report

    if what == "graphs":
        with _opened(location) as store:
            _print_frame(store.graphs(), form)
    elif what in report.LISTS:
        _print_frame(report.LISTS[what](), form)
    else:
        raise unknown_name("list", what, ["graphs", *report.LISTS])


@cli.command()
@click.argument("words", nargs=-1)
@_store_option
@click.option("-e", "text", help="SPARQL text, instead of the name of a stored query or a file.")
@click.option("--show", is_flag=True, help="Print the SPARQL with its values, and do not run it.")
@_format_option("table", "csv", "tsv", "json", "spreadsheet", "ttl", "nt", default="table")
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
    with _opened(location) as store:
        if asked.form in {"CONSTRUCT", "DESCRIBE"}:
            click.echo(store.answer(bound, form if form in {"ttl", "nt"} else "ttl").decode(), nl=False)
        elif form in {"ttl", "nt"}:
            raise UsageError(f"a {asked.form} query answers a table and not triples", hint="use -f csv or -f json")
        elif asked.form == "ASK":
            click.echo("true" if store.ask(bound) else "false")
        else:
            frame = queries.run(store, asked, **values) if asked.path else store.select(bound)
            _print_frame(frame, form)


def _asked(words: tuple[str, ...], text: str | None) -> tuple[Query, dict[str, str]]:
    """Tell the query and its values from the words of the command."""
    from graphkit import queries

    if text is not None:
        return queries.parse_query(text, "-e"), _values(words)
    if not words:
        raise UsageError("no query is named", hint="give a name of 'graphkit list queries', a .rq file, or -e TEXT")
    name, values = words[0], _values(words[1:])
    found = queries.load_query(Path(name)) if name.endswith(".rq") else queries.find(name)
    return found, values


@cli.command()
@_store_option
@_who_option
@click.option("--kind", "kinds", multiple=True, metavar="CODE", help="Only this kind, such as C1; may be repeated.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day to speak from; default: today.")
@click.option("--top", type=int, help="At most this many of each kind (words only).")
@click.option("--save", is_flag=True, help="Keep the gaps in a named graph of the store.")
@_format_option("words", "table", "csv", "json", "spreadsheet", "ttl", default="words")
def gaps(
    location: str,
    who: str,
    kinds: tuple[str, ...],
    as_of: datetime | None,
    top: int | None,
    save: bool,
    form: str,
) -> None:
    """Find what seems to be missing, and say why.

    Example: graphkit gaps --kind C1 --kind R1 -f json
    """
    from graphkit import report
    from graphkit.gaps import find_gaps, save_run

    with _opened(location, read_only=not save) as store:
        found = find_gaps(store, kinds=kinds, today=as_of.date() if as_of else None)
        click.echo(report.gaps_as(found, form, top=top), nl=False)
        if save:
            _say(f"kept in {save_run(store, found, who=who)}")


@cli.command()
@click.argument("name")
@click.argument("words", nargs=-1)
@_store_option
@click.option("--network", default="networks/collaboration", show_default=True, help="The network query to measure.")
@click.option("--top", type=int, help="Only the highest values of the measure.")
@_format_option("table", "csv", "json", "spreadsheet", default="table")
def measure(name: str, words: tuple[str, ...], location: str, network: str, top: int | None, form: str) -> None:
    """Measure a network: NAME of 'graphkit list measures' [name=value ... of the network query].

    Example: graphkit measure constraint --top 10
    """
    from graphkit import measures, report
    from graphkit.network import load_network

    with _opened(location) as store:
        frame = measures.measure(name, load_network(store, network, **_values(words)))
        frame = report.with_labels(store, frame)
    if top is not None:
        frame = frame.sort(frame.columns[-1], descending=True, nulls_last=True, maintain_order=True).head(top)
    _print_frame(frame, form)


# ---- data out --------------------------------------------------------------------------------------


@cli.command()
@click.argument("what", metavar="[NETWORK|GRAPH]", required=False)
@_store_option
@click.option("-f", "--format", "form", help="nq, trig, ttl, nt, rdf, jsonld; for a network graphml, gexf, json, csv.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="A file; default: stdout.")
def export(what: str | None, location: str, form: str | None, output: Path | None) -> None:
    """Take data out: the whole graph, one named graph, or a network.

    Example: graphkit export networks/collaboration -f gexf -o network.gexf
    """
    from graphkit import report
    from graphkit.files import write_whole

    with _opened(location) as store:
        content = report.exported(store, what, form or (output.suffix.lstrip(".") if output else None))
    if output:
        write_whole(output, content)
        _say(f"{len(content)} bytes written to {output}")
    else:
        sys.stdout.buffer.write(content)


# ---- versions --------------------------------------------------------------------------------------


@cli.command()
@_store_option
@_format_option("table", "csv", "json", default="table")
def versions(location: str, form: str) -> None:
    """List the versions that the store keeps.

    Example: graphkit versions -f json
    """
    from graphkit import report

    with _opened(location) as store:
        _print_frame(report.versions_frame(store), form)


@cli.command()
@click.argument("old", type=int)
@click.argument("new", type=int)
@_store_option
def diff(old: int, new: int, location: str) -> None:
    """Show what version NEW has that OLD has not (+), and the other way round (-); exit 1 where they differ.

    Example: graphkit diff 1 2
    """
    with _opened(location) as store:
        changed = store.diff(old, new)
    for sign, side in (("-", changed.removed), ("+", changed.added)):
        for line in side.decode().splitlines():
            click.echo(f"{sign} {line}")
    _say(f"{len(changed.removed.splitlines())} quads gone, {len(changed.added.splitlines())} quads new")
    if changed.removed or changed.added:
        sys.exit(_FOUND)


@cli.command()
@click.argument("number", type=int)
@_store_option
def restore(number: int, location: str) -> None:
    """Make the content of version NUMBER the newest version; no version is lost.

    Example: graphkit restore 1
    """
    with _opened(location, read_only=False) as store:
        version = store.restore(number)
        _say(f"version {version.number} has the content of version {number}")


def _print_frame(frame: pl.DataFrame, form: str) -> None:
    from graphkit.export import frame_to_text

    click.echo(frame_to_text(frame, form), nl=False)
