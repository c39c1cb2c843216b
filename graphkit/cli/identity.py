"""The verb that joins records of one organisation: resolve."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from graphkit.cli.common import format_option, opened, print_frame, say, store_option, who_option
from graphkit.errors import UsageError

if TYPE_CHECKING:
    from graphkit.store import Store

__all__ = ["VERBS"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@store_option
@who_option
@click.option("--dry-run", is_flag=True, help="Only tell what would be joined.")
@click.option("--threshold", type=float, help="The confidence from which a link joins records.  [default: 0.9]")
@click.option("--undo", is_flag=True, help="Remove the newest run: every record stands for itself again.")
@click.option("--evaluate", is_flag=True, help="Judge names and places by official numbers; nothing is written.")
@click.option("--labels", type=_FILE, help="With --evaluate: a CSV of judged pairs (left, right, same).")
@click.option("--export-review", type=_FILE, metavar="FILE", help="Write the links that are for review to a CSV file.")
@click.option("--import-review", type=_FILE, metavar="FILE", help="Read the verdicts of such a file, and obey them.")
@format_option("table", "csv", "json", default="table")
def resolve(
    location: str,
    who: str,
    dry_run: bool,
    threshold: float | None,
    undo: bool,
    evaluate: bool,
    labels: Path | None,
    export_review: Path | None,
    import_review: Path | None,
    form: str,
) -> None:
    """Find the records of different sources that are one organisation, and join those that surely are.

    Nothing is merged: a link with its confidence, method and reason says that two records are one organisation, and
    one record stands for the others. Doubtful links are for review: --export-review writes them to a file, a verdict
    is filled in there (accepted, rejected), --import-review reads it, and the next run obeys. Needs the extra
    'identity'.

    Example: graphkit resolve --export-review review.csv
    """
    _check_choices(undo=undo, evaluate=evaluate, labels=labels, import_review=import_review, dry_run=dry_run)
    if evaluate:
        with opened(location) as store:
            _evaluate(store, labels, form)
        return
    with opened(location, read_only=dry_run) as store:
        if undo:
            _undo(store, who)
        elif import_review:
            _import(store, import_review, who)
        if not undo:
            _resolve(store, threshold, who, dry_run=dry_run)
        if export_review:
            _export(store, export_review)


def _check_choices(
    *, undo: bool, evaluate: bool, labels: Path | None, import_review: Path | None, dry_run: bool
) -> None:
    if undo and (evaluate or import_review or dry_run):
        raise UsageError("--undo stands alone", hint="undo first, then call resolve once more")
    if labels and not evaluate:
        raise UsageError("--labels judges links", hint="add --evaluate")
    if import_review and (dry_run or evaluate):
        raise UsageError("--import-review writes decisions", hint="leave out --dry-run and --evaluate")


def _resolve(store: Store, threshold: float | None, who: str, *, dry_run: bool) -> None:
    from graphkit import identity

    found = (
        identity.resolve(store, tell=say)
        if threshold is None
        else identity.resolve(store, threshold=threshold, tell=say)
    )
    if not dry_run:
        identity.save(store, found, who=who)
    click.echo(identity.in_words(found))
    say(f"{found.seconds:.1f} s" + (", nothing was written" if dry_run else ""))


def _undo(store: Store, who: str) -> None:
    from graphkit import identity

    before = store.version
    if not identity.undo_run(store, who=who):
        raise UsageError("no records are joined here", hint="'graphkit resolve' joins them")
    back = f"; 'graphkit restore {before.number}' brings the run back" if before else ""
    say(f"Every record stands for itself again; decisions are kept{back}")


def _import(store: Store, path: Path, who: str) -> None:
    from graphkit import identity

    decisions = identity.import_review(path)
    new = identity.decide(store, decisions, who=who)
    say(f"{len(decisions)} verdicts read from {path}, {new} of them new")


def _export(store: Store, path: Path) -> None:
    from graphkit import identity

    rows = identity.export_review(identity.load_review(store), path)
    say(f"{rows} links for review written to {path}: fill in 'verdict' with accepted or rejected")


def _evaluate(store: Store, labels: Path | None, form: str) -> None:
    from graphkit import identity

    if labels:
        judged = identity.load_labels(labels)
        print_frame(identity.judged_by_labels(identity.resolve(store, tell=say).links, judged), form)
        return
    print_frame(identity.evaluate(store), form)
    say(identity.CAVEATS)


VERBS = (resolve,)
"""The verb of this module."""
