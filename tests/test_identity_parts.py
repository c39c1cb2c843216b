"""The parts of the resolution: spellings, keys, numbers, clusters, and what is learnt from many records."""

from __future__ import annotations

from random import Random

import polars as pl
import pytest

from graphkit.identity import keys, spelling
from graphkit.identity.clusters import joined
from graphkit.identity.links import level, number_links, weighed
from graphkit.identity.records import source_of
from graphkit.identity.scoring import score_pairs

_LINKS = {"left": pl.String, "right": pl.String, "confidence": pl.Float64, "method": pl.String, "reason": pl.String,
          "conflict": pl.String, "verdict": pl.String}  # fmt: skip


# ---- Names ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("YORK COLLEGE 107575", "York College"),
        ("S&DA LTD 117412", "S & DA"),
        ("The Mill Co-operative Society Ltd.", "Mill Coop Limited"),
        ("Bread and Roses CIC", "BREAD & ROSES Community Interest Company"),
        ("Kawiarnia Żółw Sp. z o.o.", "kawiarnia zolw"),
        ("O'Brien's Farm, PLC", "OBriens Farm"),
        ("Saint Mary's Centre", "St. Marys Center"),
        ("Talent Recruitment Ltd (3.1)", "Talent Recruitment"),
        ("Association of Weavers", "Assoc. of Weavers"),
        ("Upton Energy IPS Limited", "Upton Energy"),
    ],
)  # fmt: skip
def test_spellings_of_one_name_are_comparable(one: str, other: str) -> None:
    """Legal forms, numbers of providers, "The", &, case, accents and punctuation make no difference."""
    cores = pl.select(spelling.comparable(pl.lit(pl.Series([one, other])))).to_series().to_list()
    assert spelling_key(cores[0]) == spelling_key(cores[1])


def spelling_key(core: str) -> str:
    """Return the words of a core in order, without the blanks between initials."""
    words = pl.select(spelling.sorted_words(pl.lit(core))).item()
    return "".join(words.split())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1st Upton Scout Group", "31st Upton Scout Group"),
        ("Order of Bees", "Order of Bees Lodge 12"),
        ("Weavers Union", "Weavers Union Northern Region"),
        ("Upton Housing Trust", "Upton Trust"),
    ],
)
def test_branches_bear_other_marks(one: str, other: str) -> None:
    """Numbers and words such as lodge, region, trust set names apart, however alike they are."""
    marks = pl.select(spelling.marks(spelling.comparable(pl.lit(pl.Series([one, other]))))).to_series().to_list()
    assert marks[0] != marks[1]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Sam & Lorna Ash T/A Hill Farm Foods", ["Sam & Lorna Ash", "Hill Farm Foods"]),
        ("BS Community (Old name: Southville Association)", ["BS Community", "Southville Association"]),
        ("Acme Ltd trading as The Shed", ["Acme Ltd", "The Shed"]),
        ("Meat Trading Association", ["Meat Trading Association"]),
        ("Previously Loved Furniture", ["Loved Furniture"]),
    ],
)
def test_trading_names_are_taken_apart(text: str, names: list[str]) -> None:
    """A name before and after "t/a", "trading as" or "old name" counts as a name of its own."""
    assert pl.select(spelling.trading_names(pl.lit(text))).item().to_list() == names


def test_legal_forms_are_told_apart() -> None:
    """Each form at the end of a name is recognised in its spellings, and no form in the middle of one."""
    names = ["mill ltd", "mill limited", "mill plc", "mill llp", "mill cic", "mill cio", "mill scio",
             "mill community benefit society", "society of mills"]  # fmt: skip
    forms = pl.select(spelling.legal_form(pl.lit(pl.Series(names)))).to_series().to_list()
    assert forms == ["limited", "limited", "plc", "llp", "cic", "cio", "scio", "society", None]


def test_postcodes_have_districts() -> None:
    """A full postcode and its district agree in the district; codes of other countries are their own."""
    codes = pl.Series(["YO23 3FR", "yo23", "M1 1AA", "28-004", ""])
    found = pl.select(spelling.district(spelling.postcode(pl.lit(codes)))).to_series().to_list()
    assert found == ["YO23", "YO23", "M1", "28004", None]


@pytest.mark.parametrize(
    ("graph", "source"),
    [("coops-uk/2023-q2", "coops-uk"), ("esif/uk-2007-2013", "esif/uk"), ("wessex-text", "wessex-text"),
     ("coops-uk/history", "coops-uk"), ("esif/poland-2014", "esif/poland"),
     ("threesixtygiving/power-to-change-2026-11-26", "threesixtygiving/power-to-change")],
)  # fmt: skip
def test_snapshots_are_one_source(graph: str, source: str) -> None:
    """The source of a graph is the adapter and its layout, without the snapshot."""
    name = pl.lit(f"https://w3id.org/solidarity-graph/graph/{graph}")
    assert pl.select(source_of(name)).item() == source


# ---- Keys ----------------------------------------------------------------------------------------------


def _records(rows: list[tuple[str, str, list[str], str | None]]) -> pl.DataFrame:
    columns = {"record": pl.String, "source": pl.String, "names": pl.List(pl.String), "postcode": pl.String}
    return pl.DataFrame(rows, schema=columns, orient="row").with_columns(
        place=pl.lit(None, dtype=pl.String), areas=pl.lit([], dtype=pl.List(pl.String))
    )


def test_crowded_keys_are_not_used_and_are_counted() -> None:
    """A name that more records share than a block may hold is no key, and the records are counted."""
    many = _records([(f"r{n}", "a", ["Village Hall"], None) for n in range(keys.MOST_IN_BLOCK + 1)])
    found = keys.spellings(many)
    assert found["key_name"].null_count() == many.height
    assert keys.crowded(many, found) == many.height
    assert keys.crowded(many.head(3), keys.spellings(many.head(3))) == 0


def test_each_different_name_of_a_record_is_a_spelling() -> None:
    """Names that differ only in legal form are one spelling; a trading name is another."""
    found = keys.spellings(_records([("r1", "a", ["Mill Ltd", "The Mill Limited", "Quern Ltd t/a Old Mill"], None)]))
    assert found["core"].to_list() == ["mill", "old mill", "quern"]


# ---- Links and clusters --------------------------------------------------------------------------------


def _ids(*rows: tuple[str, str]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema={"record": pl.String, "id": pl.String}, orient="row")
    return frame.select("record", "id", list=pl.col("id").str.extract("^([A-Z]+)-"))


def _links(*rows: tuple[str, str, float]) -> pl.DataFrame:
    full = [(left, right, confidence, "names and places", "alike", None, None) for left, right, confidence in rows]
    return pl.DataFrame(full, schema=_LINKS, orient="row")


def _joined(links: pl.DataFrame, ids: pl.DataFrame) -> set[str]:
    _, clusters = joined(links, ids)
    return {"".join(sorted(part)) for part in clusters.group_by("cluster").agg("record")["record"].to_list()}


def test_a_number_of_many_records_makes_a_star() -> None:
    """Fifty-one records with one number are linked to the first of them, not each to each."""
    found = number_links(_ids(*((f"r{n:02}", "A-1") for n in range(51))))
    assert found.height == 50
    assert found["left"].unique().to_list() == ["r00"]
    assert number_links(_ids(*((f"r{n:02}", "A-1") for n in range(5)))).height == 10


def test_names_that_are_only_alike_are_at_most_possible() -> None:
    """Unless they share a postcode, however sure the score is; names that differ are no link at all."""
    scores = pl.DataFrame({"left": ["a", "a", "a"], "right": ["b", "c", "d"], "score": [0.99, 0.99, 0.99],
                           "name": ["one within the other", "one within the other", "different"],
                           "where": ["same district or town", "same postcode", "same postcode"],
                           "left_name": ["x"] * 3, "right_name": ["x y"] * 3, "left_place": ["?"] * 3,
                           "right_place": ["?"] * 3})  # fmt: skip
    nothing = pl.DataFrame(schema={"part": pl.String, "whole": pl.String})
    found = weighed(scores, number_links(_ids()), _ids(), nothing)
    levels = dict(found.select("right", level(pl.col("confidence")).alias("level")).rows())
    assert levels == {"c": "strict", "b": "possible"}


def test_equal_names_are_at_least_possible() -> None:
    """However far apart two records of one name are, a person gets to see the link."""
    scores = pl.DataFrame({"left": ["a"], "right": ["b"], "score": [0.001], "name": ["same words, common"],
                           "where": ["elsewhere"], "left_name": ["x"], "right_name": ["x"], "left_place": ["?"],
                           "right_place": ["?"]})  # fmt: skip
    nothing = pl.DataFrame(schema={"part": pl.String, "whole": pl.String})
    assert weighed(scores, number_links(_ids()), _ids(), nothing)["confidence"].to_list() == [0.2]


def test_a_chain_does_not_bring_two_numbers_together() -> None:
    """The surer link joins; the one that would bring a second number of the list in is for review, with the reason."""
    links, ids = _links(("a", "b", 0.99), ("b", "c", 0.95)), _ids(("a", "L-1"), ("c", "L-2"))
    outcome, _ = joined(links, ids)
    assert _joined(links, ids) == {"ab"}
    assert outcome.filter(~pl.col("joins"))["conflict"].item() == (
        "joining them would bring together L-1 and L-2 of the list L"
    )


def test_equally_sure_links_to_two_numbers_join_neither() -> None:
    """Where a record fits two others as well and they cannot be one, it is left to a person, whatever the order."""
    links, ids = _links(("a", "b", 0.97), ("b", "c", 0.97), ("d", "e", 0.9)), _ids(("a", "L-1"), ("c", "L-2"))
    assert _joined(links, ids) == {"de"}


def test_a_rejected_pair_stays_apart_over_third_records() -> None:
    """A chain of sure links does not join two records that a person told apart."""
    links = pl.concat([_links(("a", "b", 0.99), ("b", "c", 0.95)),
                       _links(("a", "c", 0.5)).with_columns(verdict=pl.lit("rejected"))])  # fmt: skip
    assert _joined(links, _ids()) == {"ab"}


def test_clusters_do_not_depend_on_the_order_of_links() -> None:
    """The same links in any order give the same clusters."""
    draw = Random(7)  # noqa: S311
    rows = [(f"r{min(a, b)}", f"r{max(a, b)}", round(draw.uniform(0.8, 1), 3))
            for a, b in (draw.sample(range(40), 2) for _ in range(60))]  # fmt: skip
    ids = _ids(*((f"r{n}", f"L-{n}") for n in range(0, 40, 3)))
    first = _joined(_links(*dict.fromkeys(rows)), ids)
    draw.shuffle(rows)
    assert _joined(_links(*dict.fromkeys(rows)), ids) == first


# ---- Learning ------------------------------------------------------------------------------------------


def test_much_is_learnt_from_many_records() -> None:
    """On two sources of a thousand records with known pairs, the shares are learnt and the score finds the pairs."""
    draw = Random(11)  # noqa: S311
    syllables = ["mar", "tel", "quo", "lin", "bas", "dor", "ven", "sul", "pen", "gar", "tis", "wol"]
    rows = []
    for n in range(1000):
        name = " ".join("".join(draw.sample(syllables, 2)) for _ in range(3))
        code = f"Q{draw.choice('ABCD')}{n % 40} {n % 9}{draw.choice('XYZ')}{draw.choice('XYZ')}"
        rows.append((f"a{n:04}", "a", [f"{name} Limited"], code))
        if n % 2 == 0:
            rows.append((f"b{n:04}", "b", [f"The {name} Ltd"], code if draw.random() < 0.8 else f"QA{n % 40}"))
        else:
            rows.append((f"b{n:04}", "b", ["".join(draw.sample(syllables, 7))], f"QB{n % 40}"))
    found = keys.spellings(_records(rows))
    scores, model = score_pairs(found, pl.DataFrame(schema={"record": pl.String, "list": pl.String, "id": pl.String}))
    sure = scores.filter(pl.col("score") >= 0.9)
    hits = sure.filter(pl.col("left").str.slice(1) == pl.col("right").str.slice(1)).height
    assert hits >= 490
    assert sure.height - hits <= 10
    where = dict(model.levels.filter(pl.col("comparison") == "where").select("level", "m").rows())
    assert where["same postcode"] == pytest.approx(0.8, abs=0.1)
    prior = model.priors.filter(pl.col("one") == "a", pl.col("other") == "b")["prior"].item()
    assert prior * 1000 * 1000 == pytest.approx(500, abs=25)
