"""Compares a snapshot with the one before: what came, went and changed, kept as change events."""

from __future__ import annotations

from typing import Final

import polars as pl

from graphkit.sources.provenance import Naming
from graphkit.sources.report import Changes
from graphkit.sources.statements import DERIVED, LABEL, TYPE, as_frame, as_lines
from graphkit.store import Readable
from graphkit.terms import ID, PREFIXES

__all__ = ["compare", "earlier", "events"]

_ORGANISATION: Final = f"<{PREFIXES['org']}Organization>"
_CLASSIFICATION: Final = f"<{PREFIXES['org']}classification>"
_KIND: Final = f"<{PREFIXES['dcterms']}type>"
_STATUS: Final = f"<{PREFIXES['adms']}status>"
_COMMENT: Final = f"<{PREFIXES['rdfs']}comment>"
_UNKNOWN: Final = f"<{PREFIXES['voc']}status/unknown>"
_CLASSES: Final = tuple(
    f"<{each}>"
    for each in (
        f"{PREFIXES['org']}Organization",
        f"{PREFIXES['sol']}Activity",
        f"{PREFIXES['schema']}MonetaryGrant",
        f"{PREFIXES['sol']}Opportunity",
        f"{PREFIXES['sol']}Participation",
    )
)


def earlier(store: Readable, naming: Naming) -> list[str]:
    """Return the snapshots of the series that the store holds live, oldest first."""
    found = store.select(
        f"PREFIX dcat: <{PREFIXES['dcat']}> PREFIX sol: <{PREFIXES['sol']}>"
        f" SELECT DISTINCT ?graph WHERE {{ ?source dcat:inSeries <{naming.series_iri}> ; sol:sourceGraph ?name ."
        " BIND(STR(?name) AS ?graph) BIND(IRI(?graph) AS ?held) FILTER EXISTS { GRAPH ?held { ?s ?p ?o } } }"
        " ORDER BY ?graph"
    )
    start = naming.graph.removesuffix(naming.snapshot)
    return [str(graph).removeprefix(start) for graph in found["graph"]]


def compare(old: bytes, new: bytes, before: str) -> Changes:
    """Compare the N-Triples of two snapshots record by record; on which row a record stands makes no difference."""
    one, two = as_frame(old), as_frame(new)
    known, now = _digests(one), _digests(two)
    came = now.join(known, on="s", how="anti")
    gone = known.join(now, on="s", how="anti")
    both = now.join(known, on="s", suffix="_before")
    changed = both.filter(pl.col("digest") != pl.col("digest_before"))
    return Changes(before, _listed(came), _listed(gone), _listed(changed))


def _digests(statements: pl.DataFrame) -> pl.DataFrame:
    """Sum up each record in a number, with its first class of those that count."""
    records = statements.filter(pl.col("p") == DERIVED).select("s").unique()
    kinds = statements.filter((pl.col("p") == TYPE) & pl.col("o").is_in(_CLASSES)).group_by("s").agg(pl.col("o").min())
    told = statements.filter(pl.col("p") != DERIVED).join(records, on="s", how="semi")
    told = told.with_columns(pl.concat_str("p", "o", separator=" ").alias("said")).sort("s", "said")
    digests = told.group_by("s", maintain_order=True).agg(pl.col("said").str.join("\n").hash().alias("digest"))
    return digests.join(kinds, on="s", how="inner")


def _listed(records: pl.DataFrame) -> pl.DataFrame:
    return records.select(
        pl.col("s").str.strip_chars("<>").alias("record"), pl.col("o").str.strip_chars("<>").alias("class")
    ).sort("record")


def events(naming: Naming, changes: Changes, old: bytes, new: bytes, history: bytes) -> bytes:
    """Write the graph of the history anew, as N-Triples: what it held, and the events of this snapshot.

    A record that is gone stays there as a minimal one (class, label, kind, status unknown); one that is back leaves
    it. An event of an organisation is an org:ChangeEvent that says what came, went, or which properties changed.
    """
    one, two, kept = as_frame(old), as_frame(new), as_frame(history)
    live = two.filter(pl.col("p") == DERIVED).select("s").unique()
    kept = kept.join(live, on="s", how="anti")
    gone = changes.gone.select(pl.format("<{}>", "record").alias("s"))
    parts = [kept, _minimal(one.join(gone, on="s", how="semi"), changes.before)]
    parts += [_described(one, "/id/source/"), _described(one, "/id/series/")]
    for frame, word, statements in (
        (changes.came, "listed", two),
        (changes.gone, "gone", one),
        (changes.changed, "changed", two),
    ):
        parts.append(_events(naming, frame, word, statements, one))
    return as_lines(pl.concat(parts).unique())


def _described(statements: pl.DataFrame, part: str) -> pl.DataFrame:
    """Return what is said of the source, or the series, itself."""
    return statements.filter(pl.col("s").str.contains(part, literal=True) & ~pl.col("s").str.contains("#"))


def _minimal(statements: pl.DataFrame, before: str) -> pl.DataFrame:
    """Keep of records that are gone only what tells what they were; participations and the like just go."""
    named = statements.filter(pl.col("p") == LABEL).select("s").unique()
    stay = statements.join(named, on="s", how="semi").filter(
        pl.col("p").is_in([TYPE, LABEL, _CLASSIFICATION, _KIND, DERIVED])
    )
    classes = stay.filter((pl.col("p") == TYPE) & pl.col("o").is_in(_CLASSES[:2])).select("s").unique()
    stay = stay.join(classes, on="s", how="semi")
    status = classes.select("s", pl.lit(_STATUS).alias("p"), pl.lit(_UNKNOWN).alias("o"))
    words = pl.lit(f'"No longer listed since the snapshot after {before}."@en')
    return pl.concat([stay, status, classes.select("s", pl.lit(_COMMENT).alias("p"), words.alias("o"))])


def _events(
    naming: Naming, frame: pl.DataFrame, word: str, statements: pl.DataFrame, old: pl.DataFrame
) -> pl.DataFrame:
    """Write an event for each organisation of `frame`."""
    records = frame.filter(pl.col("class") == _ORGANISATION.strip("<>")).select(pl.format("<{}>", "record").alias("s"))
    names = statements.filter(pl.col("p") == LABEL).join(records, on="s", how="semi").unique("s").select("s", name="o")
    if names.is_empty():
        return names.select("s", pl.lit("").alias("p"), pl.lit("").alias("o"))
    what = _properties(records, statements, old) if word == "changed" else names.select("s", what=pl.lit(""))
    end = pl.col("s").str.strip_suffix(">").str.split("/id/").list.last().str.replace_all("/", "-")
    event = pl.format(f"<{ID}event/{naming.adapter}.{naming.snapshot}.{word}-{{}}>", end)
    told = names.join(what, on="s").with_columns(event.alias("event"))
    role = "resultingOrganization" if word == "listed" else "originalOrganization"
    label = pl.format(
        '"{} in the snapshot ' + naming.snapshot + ': {}"@en',
        pl.lit({"listed": "New", "gone": "No longer listed", "changed": "Changed"}[word]),
        pl.col("name").str.extract(r'^"(.*)"[^"]*$'),
    )
    rows = [
        (TYPE, pl.lit(f"<{PREFIXES['org']}ChangeEvent>")),
        (LABEL, label),
        (f"<{PREFIXES['org']}{role}>", pl.col("s")),
        (f"<{PREFIXES['prov']}wasDerivedFrom>", pl.lit(f"<{naming.source}>")),
    ]
    parts = [told.select(pl.col("event").alias("s"), pl.lit(p).alias("p"), o.alias("o")) for p, o in rows]
    said = told.filter(pl.col("what") != "").select(
        pl.col("event").alias("s"), pl.lit(_COMMENT).alias("p"), pl.format('"{}"@en', "what").alias("o")
    )
    return pl.concat([*parts, said])


def _properties(records: pl.DataFrame, new: pl.DataFrame, old: pl.DataFrame) -> pl.DataFrame:
    """Name the properties by which the two descriptions of each record differ."""
    one = old.join(records, on="s", how="semi").filter(pl.col("p") != DERIVED)
    two = new.join(records, on="s", how="semi").filter(pl.col("p") != DERIVED)
    differ = pl.concat([one.join(two, on=["s", "p", "o"], how="anti"), two.join(one, on=["s", "p", "o"], how="anti")])
    local = pl.col("p").str.strip_chars("<>").str.extract(r"([^/#]+)$")
    return (
        differ.select("s", local.alias("what")).unique().sort("what").group_by("s").agg(pl.col("what").str.join(", "))
    )
