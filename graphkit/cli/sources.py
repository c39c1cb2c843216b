"""The verbs that bring registers in: import, sources."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from graphkit.cli.common import format_option, opened, print_frame, say, store_option, who_option
from graphkit.errors import UsageError

if TYPE_CHECKING:
    from graphkit.sources import ImportReport, Wishes
    from graphkit.sources.progress import Progress

__all__ = ["VERBS"]

_TOLD_EVERY = 0.5


@click.command(name="import")
@click.argument("source")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@store_option
@who_option
@click.option("--snapshot", help="The name of this state of the source: 2023-q2. Default: told by the file's name.")
@click.option("--series", help="The list that the snapshot belongs to, where a source has many.")
@click.option("--layout", help="How the files are written, where the header does not tell: see graphkit sources.")
@click.option("--mapping", type=click.Path(path_type=Path), help="For 'table': a folder or a mapping file *.rq.")
@click.option("--dry-run", is_flag=True, help="Store nothing; print counts and the first triples.")
@click.option("--download", is_flag=True, help="Fetch the file from the publisher's address.")
@click.option(
    "--address", default="", metavar="URL", help="Where the file is from; with --download, where to fetch it."
)
@click.option(
    "--retrieved", type=click.DateTime(["%Y-%m-%d"]), help="When the files were fetched. Default: their date."
)
@click.option("--encoding", help="How the text is written, if not as described: cp1252.")
@click.option("--delimiter", help="What separates the cells, if not as described: ';' or '\\t'.")
@click.option(
    "--memory", "budget", type=click.IntRange(16), default=1024, show_default=True, help="Megabytes for rows."
)
@click.option("--report", "told", type=click.Path(path_type=Path), help="Where to list what was refused, as CSV.")
def import_(source: str, files: tuple[Path, ...], location: str, dry_run: bool, download: bool, **choices: Any) -> None:  # noqa: ANN401 - the options by name
    """Import files of a register as one snapshot: all of them or nothing.

    What is refused, and what has no counterpart, is told and listed in a file; nothing is dropped silently.

    Example: graphkit import coops-uk coops_uk_2023Q2.csv
    """
    from graphkit.sources import import_files

    wishes = _wishes(**{key: value for key, value in choices.items() if key != "told"})
    with (
        tempfile.TemporaryDirectory(prefix="graphkit-download-") as folder,
        opened(location, read_only=False) as store,
        _telling() as tell,
    ):
        if download:
            files, wishes = _downloaded(source, files, Path(folder), wishes, tell)
        report = import_files(store, source, files, dry_run=dry_run, progress=tell, wishes=wishes)
    _print(report, choices["told"])


def _wishes(**choices: Any) -> Wishes:  # noqa: ANN401 - the options by name
    from graphkit.sources import Wishes

    retrieved = choices.pop("retrieved")
    return Wishes(**choices, retrieved=retrieved.date() if retrieved else None)


def _downloaded(
    name: str,
    files: tuple[Path, ...],
    folder: Path,
    wishes: Wishes,
    tell: Any,  # noqa: ANN401
) -> tuple[tuple[Path, ...], Wishes]:
    from dataclasses import replace

    from graphkit.sources import find
    from graphkit.sources.download import download

    if files:
        raise UsageError("--download fetches the file: give none, or leave the option out")
    address = wishes.address or _address(name, wishes.layout)
    found = download(address, folder, progress=tell)
    day = wishes.retrieved or datetime.now(UTC).date()
    layout = wishes.layout
    if layout is None and not wishes.mapping:
        known = [each.name for each in find(name).layouts if each.download == address]
        layout = known[0] if len(known) == 1 else None
    return (found,), replace(wishes, address=address, retrieved=day, layout=layout)


def _address(name: str, layout: str | None) -> str:
    from graphkit.sources import find

    known = {each.name: each.download for each in find(name).layouts if each.download}
    if layout is not None:
        known = {layout: known[layout]} if layout in known else {}
    if len(known) != 1:
        hint = f"choose one by --layout: {', '.join(known)}" if known else "fetch the file yourself; see its homepage"
        raise UsageError(f"the source '{name}' has {len(known)} addresses to download from", hint=hint)
    return next(iter(known.values()))


@contextmanager
def _telling() -> Iterator[Any]:
    """Give what tells the progress on stderr: in one line on a terminal, else now and then in a line of its own."""
    last, live = 0.0, sys.stderr.isatty()

    def tell(progress: Progress) -> None:
        nonlocal last
        from graphkit.sources.progress import in_words

        if time.monotonic() - last < (_TOLD_EVERY if live else 10 * _TOLD_EVERY):
            return
        last = time.monotonic()
        click.echo(f"\r\x1b[K{in_words(progress)}" if live else in_words(progress), err=True, nl=not live)

    yield tell
    if live and last:
        click.echo("\r\x1b[K", err=True, nl=False)


def _print(report: ImportReport, told: Path | None) -> None:
    from graphkit.sources import in_words, write_refused

    say(in_words(report))
    if report.dry_run:
        click.echo(report.first, nl=False)
    path = told
    if path is None and not report.dry_run and (report.refused.height or report.unmapped.height):
        path = Path(f"{report.source}-{report.snapshot}-refused.csv")
    if path is not None:
        write_refused(report, path)
        say(f"what was refused or has no counterpart is listed in {path}")


@click.command()
@format_option("words", "table", "csv", "json", default="words")
def sources(form: str) -> None:
    """List the sources that can be imported, with their licence and what they give.

    Example: graphkit sources
    """
    from graphkit.sources import sources as listed

    found = listed()
    if form != "words":
        print_frame(found, form)
        return
    for row in found.iter_rows(named=True):
        click.echo(f"{row['source']}: {row['title']}" + (f", {row['publisher']}" if row["publisher"] else ""))
        click.echo(click.wrap_text(row["gives"], 100, "    ", "    "))
        facts = ("licence", "homepage", "layouts", "download")
        click.echo("".join(f"    {name}: {row[name]}\n" for name in facts if row[name]))


VERBS = (import_, sources)
"""The verbs of this module."""
