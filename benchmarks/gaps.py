"""Search for gaps in a graph as large as the registers of Europe: seconds and peak memory of each part.

Run `python benchmarks/gaps.py [--organisations 36000] [--seed 1] [--kind P1] [--drawn]`. The graph is the CORDIS list
of Horizon 2020 participations (36,000 organisations, 145,000 participations), where the folder named by
GRAPHKIT_REAL_DATA has it, else (or with `--drawn`) one of about the same shape from a seeded generator. The list names
no organisations, so all names are made up from the numbers; a scope over the whole says that joint activities,
organisations and money are all there is to say, so that every kind has as much to claim as can be. Every search must
end: exit 1 where the whole takes more than `--patience` minutes of the processor or more than `--memory` GiB.
"""

from __future__ import annotations

import argparse
import logging
import os
import resource
import sys
from datetime import date
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import polars as pl

from graphkit import queries
from graphkit.gaps import find_gaps
from graphkit.ontology import load_ontology
from graphkit.store import Store, open_store
from graphkit.terms import ID, PREFIXES, SOL, graph_iri

END = date(2022, 12, 31)
KINDS = ("research-institute", "private-company", "public-body", "social-enterprise", "non-governmental-organisation")
THEMES = ("health", "transport", "environment", "employment", "education", "finance", "housing", "arts", "procurement")
PARTICIPATIONS_EACH = 4.03
VOC = PREFIXES["voc"]


def folder() -> Path:
    """Name the folder of the real data."""
    beside = Path(__file__).resolve().parents[1].parent / "shared" / "data"
    return Path(os.environ.get("GRAPHKIT_REAL_DATA") or beside) / "networks"


def real() -> pl.DataFrame:
    """Read who took part in which project: columns organisation, activity, date, kind, region, theme (numbers)."""
    text = {"rcn": pl.String, "pic": pl.String, "start_date": pl.String, "type": pl.String, "country": pl.String}
    rows = pl.read_csv(
        folder() / "cordis_h2020_participations.csv.gz", columns=list(text), schema_overrides=text, null_values="NA"
    )
    parts = pl.read_csv(folder() / "cordis_h2020_programme_parts.csv.gz", schema_overrides={"rcn": pl.String})
    themes = parts.group_by("rcn").agg(pl.col("programme_part").min().alias("theme"))
    joined = rows.join(themes, on="rcn", how="left").with_columns(
        pl.col("start_date").str.to_date(strict=False), pl.col("type", "country", "theme").rank("dense") - 1
    )
    return joined.select(
        pl.col("pic").alias("organisation"),
        pl.col("rcn").alias("activity"),
        pl.col("start_date").alias("date"),
        pl.col("type").alias("kind"),
        pl.col("country").alias("region"),
        "theme",
    )


def drawn(organisations: int, seed: int) -> pl.DataFrame:
    """Draw a list of the same shape: many small projects, some of a hundred, a few organisations in very many."""
    random = np.random.default_rng(seed)
    wanted = round(organisations * PARTICIPATIONS_EACH)
    sizes = np.minimum(random.zipf(1.9, wanted), 180)
    sizes = sizes[: int(np.searchsorted(np.cumsum(sizes), wanted)) + 1]
    who = (organisations * random.power(0.45, int(sizes.sum()))).astype(np.int64)
    activity = np.repeat(np.arange(sizes.size), sizes)
    days = np.datetime64("2014-01-01") + random.integers(0, 3000, sizes.size).astype("timedelta64[D]")
    regions, kinds = random.zipf(1.6, organisations) % 150, random.integers(0, len(KINDS), organisations)
    themes = random.integers(0, len(THEMES), sizes.size)
    return pl.DataFrame(
        {
            "organisation": [f"o{each}" for each in who.tolist()],
            "activity": [f"a{each}" for each in activity.tolist()],
            "date": pl.Series(days[activity]).cast(pl.Date),
            "kind": kinds[who],
            "region": regions[who],
            "theme": themes[activity],
        }
    )


def statements(rows: pl.DataFrame) -> bytes:
    """Write the rows as N-Triples in the words of the ontology, with one scope over all."""
    known = PREFIXES

    def iri(*parts: pl.Expr | str) -> pl.Expr:
        return pl.concat_str(pl.lit("<"), *(pl.lit(p) if isinstance(p, str) else p for p in parts), pl.lit(">"))

    def lines(frame: pl.DataFrame, subject: pl.Expr, predicate: str, thing: pl.Expr) -> list[str]:
        cells = pl.concat_str(subject, pl.lit(f" <{predicate}> "), thing, pl.lit(" ."))
        return frame.select(cells.drop_nulls().unique()).to_series().to_list()

    def picked(column: str, scheme: str, words: tuple[str, ...]) -> pl.Expr:
        number = pl.col(column).cast(pl.Int64) % len(words)
        return iri(f"{VOC}{scheme}/", number.replace_strict(dict(enumerate(words)), return_dtype=pl.String))

    rdf, rdfs, org = known["rdf"], known["rdfs"], known["org"]
    who, what = iri(f"{ID}organisation/", pl.col("organisation")), iri(f"{ID}activity/", pl.col("activity"))
    part = iri(f"{ID}participation/", pl.col("activity"), "-", pl.col("organisation"))
    where = iri(f"{ID}place/r", pl.col("region").cast(pl.Int64).cast(pl.String))
    label = lambda word, column: pl.concat_str(pl.lit(f'"{word} '), pl.col(column).cast(pl.String), pl.lit('"@en'))  # noqa: E731
    one = rows.unique("organisation", keep="first", maintain_order=True)
    acts = rows.unique("activity", keep="first", maintain_order=True)
    seats = rows.unique(["organisation", "activity"], keep="first", maintain_order=True)
    day = pl.concat_str(pl.lit('"'), pl.col("date").cast(pl.String), pl.lit(f'"^^<{known["xsd"]}date>'))
    done = pl.lit(f"<{VOC}status/completed>")
    return "\n".join(
        [
            *lines(one, who, f"{rdf}type", pl.lit(f"<{org}Organization>")),
            *lines(one, who, f"{rdfs}label", label("Organisation", "organisation")),
            *lines(one, who, f"{org}classification", picked("kind", "kind", KINDS)),
            *lines(one, who, f"{known['prov']}atLocation", where),
            *lines(one, where, f"{rdf}type", pl.lit(f"<{SOL}Region>")),
            *lines(one, where, f"{rdfs}label", label("Region", "region")),
            *lines(one, where, f"{known['geo']}sfWithin", pl.lit(f"<{ID}place/whole>")),
            *lines(acts, what, f"{rdf}type", pl.lit(f"<{SOL}Activity>")),
            *lines(acts, what, f"{rdfs}label", label("Project", "activity")),
            *lines(acts, what, f"{known['adms']}status", done),
            *lines(acts, what, f"{known['schema']}startDate", day),
            *lines(acts, what, f"{known['dcterms']}subject", picked("theme", "theme", THEMES)),
            *lines(seats, part, f"{rdf}type", pl.lit(f"<{SOL}Participation>")),
            *lines(seats, part, f"{SOL}participant", who),
            *lines(seats, part, f"{SOL}participatesIn", what),
            *lines(seats, part, f"{known['m8g']}role", pl.lit(f"<{VOC}role/partner>")),
            scopes(),
        ]
    ).encode()


def scopes() -> str:
    """Declare that all is known: joint activities, organisations and money of the whole."""
    place = f"<{ID}place/whole>"
    said = [
        f"{place} <{PREFIXES['rdf']}type> <{SOL}Region> .",
        f'{place} <{PREFIXES["rdfs"]}label> "The whole"@en .',
    ]
    for about in (f"{SOL}participatesIn", f"{PREFIXES['prov']}atLocation", f"{SOL}recipient"):
        scope = f"<{ID}scope/{about.rpartition('#')[2].rpartition('/')[2]}>"
        said += [
            f"{scope} <{PREFIXES['rdf']}type> <{SOL}CompletenessScope> .",
            f'{scope} <{PREFIXES["rdfs"]}label> "Everything"@en .',
            f"{scope} <{SOL}scopePredicate> <{about}> .",
            f"{scope} <{PREFIXES['prov']}atLocation> {place} .",
            f'{scope} <{PREFIXES["schema"]}endDate> "{END}"^^<{PREFIXES["xsd"]}date> .',
        ]
    return "\n".join(said) + "\n"


def built(rows: pl.DataFrame) -> Store:
    """Load the statements and what follows from them into a store in memory."""
    start = perf_counter()
    store = open_store()
    with store.change("a large graph") as change:
        load_ontology(change)
        change.load(statements(rows), media_type="nt", graph=graph_iri("large"))
    queries.derive(store)
    taking = rows.select("organisation", "activity").unique().height
    print(
        f"{rows['organisation'].n_unique():,} organisations, {rows['activity'].n_unique():,} activities,"
        f" {taking:,} participations; loaded in {perf_counter() - start:.0f} s, {peak():.2f} GiB",
        flush=True,
    )
    return store


def peak() -> float:
    """Return the most memory that this process has held, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> int:
    """Search, and print the counts, the banner, minutes and peak memory."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--organisations", type=int, default=36_000, help="of the drawn graph (default 36000)")
    parser.add_argument("--drawn", action="store_true", help="draw the graph, also where the real list is there")
    parser.add_argument("--seed", type=int, default=1, help="of the generator (default 1)")
    parser.add_argument("--kind", action="append", default=[], help="only this kind; may be repeated")
    parser.add_argument(
        "--patience", type=float, default=15, help="minutes of the processor that it may take (default 15)"
    )
    parser.add_argument("--memory", type=float, default=12, help="GiB that all may take (default 12)")
    wishes = parser.parse_args()
    logging.basicConfig(format="%(message)s", stream=sys.stdout)
    logging.getLogger("graphkit.gaps").setLevel(logging.INFO)
    own = wishes.drawn or not folder().is_dir()
    store = built(drawn(wishes.organisations, wishes.seed) if own else real())
    start = process_time()
    report = find_gaps(store, kinds=wishes.kind, today=END)
    worked = (process_time() - start) / 60
    print(report.banner)
    print(", ".join(f"{code} {count:,}" for code, count in report.counts().items() if count))
    good = worked <= wishes.patience and peak() <= wishes.memory
    print(
        f"searched in {worked:.1f} minutes of the processor ({report.seconds / 60:.1f} on the clock),"
        f" {peak():.2f} GiB at most: {'in bounds' if good else 'OUT OF BOUNDS'}"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
