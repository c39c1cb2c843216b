"""What the verbs share: their options, the store that they open, and how they print."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from graphkit.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from graphkit.store import Store

__all__ = [
    "FOUND",
    "WRONG",
    "format_option",
    "is_there",
    "no_store",
    "opened",
    "print_frame",
    "say",
    "store_option",
    "values_of",
    "who_option",
]

FOUND, WRONG = 1, 2
"""The exit codes for findings or a failure, and for wrong use."""

store_option = click.option(
    "--store",
    "location",
    envvar="GRAPHKIT_STORE",
    default="graphkit-store",
    show_default=True,
    metavar="PLACE",
    help="A folder, 'memory', or the address of a SPARQL endpoint; also GRAPHKIT_STORE.",
)
who_option = click.option("--who", default="", help="Who makes this change; default: your user name.")


def format_option(*names: str, default: str) -> Callable[[Any], Any]:
    """Return the option -f with these formats."""
    return click.option(
        "-f", "--format", "form", type=click.Choice(names), default=default, show_default=True, help="How to print."
    )


def say(words: str) -> None:
    """Print words for the person, beside the data on stdout."""
    click.echo(words, err=True)


def is_there(location: str) -> bool:
    """Tell whether there is a store to read at `location`."""
    return _is_elsewhere(location) or Path(location).is_dir()


def _is_elsewhere(location: str) -> bool:
    return location == "memory" or location.startswith(("http://", "https://"))


def no_store(location: str) -> UsageError:
    """Build the error for a place without a store."""
    return UsageError(
        f"there is no store at '{location}'", hint="build one with 'graphkit up', or name another with --store"
    )


@contextmanager
def opened(location: str, *, read_only: bool = True) -> Iterator[Store]:
    """Open the store at `location`; a folder that is to be read must be there, an endpoint gets GRAPHKIT_TOKEN."""
    from graphkit.store import open_store

    if read_only and not is_there(location):
        raise no_store(location)
    token = os.environ.get("GRAPHKIT_TOKEN")
    with open_store(location, read_only=read_only and not _is_elsewhere(location), token=token) as store:
        yield store


def values_of(words: tuple[str, ...]) -> dict[str, str]:
    """Read `name=value` words."""
    pairs = [word.partition("=") for word in words]
    wrong = [word for word, (name, equals, _) in zip(words, pairs, strict=True) if not (name and equals)]
    if wrong:
        raise UsageError(f"'{wrong[0]}' is not name=value", hint="write for example region=id:place/wessex")
    return {name: value for name, _, value in pairs}


def print_frame(frame: pl.DataFrame, form: str) -> None:
    """Print a frame in one of the formats of a frame."""
    from graphkit.export import frame_to_text

    click.echo(frame_to_text(frame, form), nl=False)
