"""The command `graphkit`: each verb reads its words, calls one function and prints what it returns."""

from __future__ import annotations

import logging
import os
import sys
from typing import NoReturn

import click

import graphkit
from graphkit.cli import ask, build, identity, keep, plan, policy, reports, review, sources, ties
from graphkit.cli.common import FOUND, WRONG, say
from graphkit.errors import GraphkitError, UsageError

__all__ = ["cli", "main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(graphkit.__version__, prog_name="graphkit")
@click.option("-v", "--verbose", count=True, help="Say what is done (-v), and show the SPARQL (-vv).")
def cli(verbose: int) -> None:
    """Link organisations, policies and funding in a knowledge graph, and explain collaboration gaps.

    Start with: graphkit up
    """
    level = {0: logging.WARNING, 1: logging.INFO}.get(verbose, logging.DEBUG)
    logging.basicConfig(level=level, format="%(levelname).1s %(name)s: %(message)s", stream=sys.stderr)


for _verb in (
    *build.VERBS,
    *sources.VERBS,
    *identity.VERBS,
    *ask.VERBS,
    *policy.VERBS,
    *plan.VERBS,
    *reports.VERBS,
    *review.VERBS,
    *ties.VERBS,
    *keep.VERBS,
):
    cli.add_command(_verb)


def main() -> NoReturn:
    """Run the command; exit 0 when all is good, 1 for findings or a failure, 2 for wrong use."""
    try:
        code = cli.main(standalone_mode=False)
    except GraphkitError as error:
        say(f"graphkit: {error}")
        code = WRONG if isinstance(error, UsageError) else FOUND
    except click.ClickException as error:
        error.show()
        code = WRONG
    except (click.Abort, KeyboardInterrupt):
        say("graphkit: stopped")
        code = FOUND
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code or 0)
