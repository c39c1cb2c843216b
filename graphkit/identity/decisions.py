"""What people decide about links: kept as statements that every later run obeys, and exchanged as a CSV file."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import polars as pl

from graphkit import queries
from graphkit.errors import DataError, UnknownNameError, UsageError, unknown_name
from graphkit.identity.statements import Statements
from graphkit.store.base import Readable, Store
from graphkit.terms import ID, PREFIXES, graph_iri

__all__ = [
    "DECISIONS_GRAPH",
    "REVIEW_COLUMNS",
    "VERDICTS",
    "Decision",
    "decide",
    "export_review",
    "import_review",
    "load_decisions",
]

DECISIONS_GRAPH: Final = graph_iri("identity-decisions")
"""The graph of decisions; a run never changes it."""

VERDICTS: Final = {"accepted": "one organisation", "rejected": "two organisations"}
"""What can be decided about two records."""

REVIEW_COLUMNS: Final = (
    "left", "left_label", "left_source", "right", "right_label", "right_source",
    "confidence", "level", "reason", "conflict", "verdict", "who", "note",
)  # fmt: skip
"""The columns of a review file; a person fills in the last three."""

_NEEDED: Final = ("left", "right", "verdict")
_SHORT: Final = {"accept": "accepted", "reject": "rejected", "yes": "accepted", "no": "rejected"}
_LONGEST = 2_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Decision:
    """That two records are one organisation ("accepted") or two ("rejected"), by whom (a role or a name) and why."""

    left: str
    right: str
    verdict: str
    who: str = ""
    note: str = ""


def load_decisions(store: Readable) -> pl.DataFrame:
    """Return the decision that counts for each two records, in order of records.

    The columns are left, right (the smaller IRI first), verdict, who, note, date, decision (its IRI). The newest
    counts: the last by day that no other one of the same two records replaces.
    """
    found = queries.run(store, "identity/decisions")
    replaced = found["replaces"].drop_nulls()
    return (
        found.filter(~pl.col("decision").is_in(replaced.implode()))
        .sort("date", "decision")
        .unique(["left", "right"], keep="last")
        .select(
            "left",
            "right",
            verdict=pl.when(pl.col("same").cast(pl.Boolean)).then(pl.lit("accepted")).otherwise(pl.lit("rejected")),
            who=pl.col("who").fill_null(""),
            note=pl.col("note").fill_null(""),
            date=pl.col("date"),
            decision=pl.col("decision"),
        )
        .sort("left", "right")
    )


def decide(store: Store, decisions: Iterable[Decision], *, today: date | None = None, who: str = "") -> int:
    """Keep decisions in the graph, as one version, and return how many are new.

    One that says what already counts is not repeated; another one replaces it, and the earlier stays to be read.
    `who` made the change, for the version. Raises `UnknownNameError` for another verdict or a record that the store
    does not have, `UsageError` for a decision about one record or a note of more than 2,000 characters.
    """
    before = {(row[0], row[1]): row for row in load_decisions(store).iter_rows()}
    known = set(queries.run(store, "identity/statement-counts")["record"])
    day = today or datetime.now(UTC).date()
    said, new = Statements(), 0
    for each in decisions:
        made = _tidy(each, known)
        old = before.get((made.left, made.right))
        if old and (old[2], old[3], old[4]) == (made.verdict, made.who, made.note):
            continue
        iri = _say(said, made, day, str(old[6]) if old else "")
        before[made.left, made.right] = (made.left, made.right, made.verdict, made.who, made.note, day, iri)
        new += 1
    if new:
        with store.change(f"{new} decisions about records of one organisation", who=who) as change:
            change.load(said.to_ntriples(), media_type="nt", graph=DECISIONS_GRAPH)
    _log.info("%d new decisions", new)
    return new


def _tidy(each: Decision, known: set[str]) -> Decision:
    verdict = _SHORT.get(each.verdict, each.verdict)
    if verdict not in VERDICTS:
        raise unknown_name("verdict", each.verdict, [*VERDICTS, *_SHORT])
    for record in (each.left, each.right):
        if record not in known:
            raise UnknownNameError(
                f"no record is called '{record}'",
                hint="it may be gone from its source; 'graphkit query identity/records' lists all records",
            )
    if each.left == each.right:
        raise UsageError(f"the decision is about one record only: {each.left}", hint="name two different records")
    note, who = (" ".join(text.split()) for text in (each.note, each.who))
    if len(note) > _LONGEST:
        raise UsageError(f"the note has {len(note)} characters", hint=f"say it in {_LONGEST} or fewer")
    return Decision(min(each.left, each.right), max(each.left, each.right), verdict, who, note)


def _say(said: Statements, made: Decision, day: date, replaces: str) -> str:
    key = json.dumps([made.left, made.right, made.verdict, made.who, made.note, day.isoformat(), replaces])
    node = f"{ID}mapping/decision-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    same = made.verdict == "accepted"
    relation = PREFIXES["skos"] + "exactMatch" if same else PREFIXES["owl"] + "differentFrom"
    said.link(node, "rdf:type", PREFIXES["sssom"] + "Mapping")
    said.link(node, "owl:annotatedSource", made.left)
    said.link(node, "owl:annotatedProperty", relation)
    said.link(node, "owl:annotatedTarget", made.right)
    said.link(node, "sssom:mapping_justification", "https://w3id.org/semapv/vocab/ManualMappingCuration")
    said.value(node, "sssom:confidence", "1", "xsd:decimal")
    said.value(node, "sssom:mapping_date", day.isoformat(), "xsd:date")
    if made.who:
        said.text(node, "sssom:reviewer_label", made.who)
    if made.note:
        said.text(node, "rdfs:comment", made.note, language="en")
    if replaces:
        said.link(node, "dcterms:replaces", replaces)
    return node


# ---- The file ------------------------------------------------------------------------------------------


def export_review(links: pl.DataFrame, path: Path) -> int:
    """Write what is for review to a CSV file with the `REVIEW_COLUMNS`, the surest first, and return how many rows.

    `links` has these columns, without the last three or with them.
    """
    blank = [pl.lit("").alias(name) for name in REVIEW_COLUMNS if name not in links.columns]
    frame = links.with_columns(blank).select(REVIEW_COLUMNS)
    try:
        frame.write_csv(path)
    except OSError as error:
        raise DataError("the review file cannot be written", where=str(path), hint=str(error)) from error
    return frame.height


def import_review(path: Path) -> list[Decision]:
    """Read the decisions of a review file: the rows whose verdict is filled in.

    A verdict is accepted or rejected; accept, reject, yes and no mean the same. Raises `DataError` that names the
    file and the line for a column that is missing or a verdict that is none of these.
    """
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        hint = "it must be a CSV file in UTF-8, as --export-review writes it"
        raise DataError("the review file cannot be read", where=str(path), hint=hint) from error
    missing = [name for name in _NEEDED if name not in frame.columns]
    if missing:
        hint = f"it needs {', '.join(_NEEDED)}; take the file that --export-review writes"
        raise DataError(f"the review file lacks the column {', '.join(missing)}", where=str(path), hint=hint)
    optional = [pl.lit("").alias(name) for name in ("who", "note") if name not in frame.columns]
    rows = frame.with_columns(optional).with_row_index("line", offset=2).fill_null("")
    chosen = rows.with_columns(verdict=pl.col("verdict").str.strip_chars().str.to_lowercase())
    chosen = chosen.filter(pl.col("verdict") != "").with_columns(pl.col("verdict").replace(_SHORT))
    wrong = chosen.filter(~pl.col("verdict").is_in(list(VERDICTS)))
    if wrong.height:
        line, verdict = wrong.select("line", "verdict").row(0)
        hint = f"write {' or '.join(VERDICTS)}, or leave it empty; {wrong.height} rows are like this"
        raise DataError(f"'{verdict}' is no verdict", where=f"{path}, row {line}", hint=hint)
    columns = ("left", "right", "verdict", "who", "note")
    return [Decision(*values) for values in chosen.select(columns).iter_rows()]
