"""Tables of SPARQL results become typed frames, whatever stands in them."""

from __future__ import annotations

import math
import random
from datetime import date, datetime
from decimal import Decimal

import polars as pl
import pyoxigraph as ox
import pytest

from graphkit.store.frames import frame_from_tsv

LATE = datetime.fromisoformat("2015-12-07T01:02:03.250")
XSD = "http://www.w3.org/2001/XMLSchema#"
NASTY = [
    "", " ", "\t", "\n", "\r", "\r\n", '"', "'", "\\", "\\\\", "\\n", "\\\\n", '\\"', '"@en', '"^^<urn:x>', "<urn:a>",
    "<<( <urn:a> <urn:b> 1 )>>", "_:b", "1", "1.5", "-7", "1e5", "true", "false", "NaN", "?x", "#x", "null", "None",
    "https://example.org/a", "a\tb\nc\\d\"e", "\x00", "\x08\x0c", "\x85", "\u2028", "\ufeff", "\U0001d11e",
    "é", "e\u0301", "\\u0041", "\\U0001D11E", "\\t", "a,b", '""', "\\\\\\", "ends with \\",
]  # fmt: skip


def _tsv(*columns: list[ox.Literal | ox.NamedNode | None]) -> bytes:
    """Write columns of terms as the engine does."""
    names = [f"?c{i}" for i in range(len(columns))]
    rows = [
        "(" + " ".join("UNDEF" if term is None else str(term) for term in row) + ")"
        for row in zip(*columns, strict=True)
    ]
    query = f"SELECT {' '.join(names)} {{ VALUES ({' '.join(names)}) {{ {' '.join(rows)} }} }}"
    return ox.Store().query(query).serialize(format=ox.QueryResultsFormat.TSV) or b""


def _column(*cells: str) -> pl.Series:
    return frame_from_tsv(("?x\n" + "\n".join(cells) + "\n").encode())["x"]


def test_every_text_comes_back_as_it_was() -> None:
    """Plain, tagged and mixed texts survive the trip through TSV, with unbound cells beside them."""
    plain = [ox.Literal(text) for text in NASTY]
    tagged = [ox.Literal(text, language="en") for text in NASTY]
    gaps = [term if i % 2 else None for i, term in enumerate(plain)]
    frame = frame_from_tsv(_tsv(plain, tagged, gaps))
    assert frame["c0"].to_list() == NASTY
    assert frame["c1"].to_list() == NASTY
    assert frame["c2"].to_list() == [text if i % 2 else None for i, text in enumerate(NASTY)]


@pytest.mark.parametrize("seed", range(20))
def test_random_texts_come_back_as_they_were(seed: int) -> None:
    """Any sequence of the difficult characters is read back exactly."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    alphabet = "\\\\\\\"'\t\n\r ntu0041U<>_:@^{}aé\U0001d11e"
    texts = ["".join(dice.choices(alphabet, k=dice.randrange(12))) for _ in range(200)]
    assert frame_from_tsv(_tsv([ox.Literal(text) for text in texts]))["c0"].to_list() == texts


def test_escapes_by_code_point_are_read() -> None:
    r"""Other writers of TSV use \uXXXX; an escaped backslash before a u is none."""
    assert _column(r'"\u0041\U0001D11E"', r'"\\u0041"').to_list() == ["A\U0001d11e", r"\u0041"]


def test_unbound_and_empty_differ() -> None:
    """An unbound cell is null, an empty string is empty, also in a table of one column."""
    assert _column('""', "", '""@en').to_list() == ["", None, ""]
    assert _column("", "").to_list() == [None, None]
    assert _column("", "").dtype == pl.String


def test_tables_without_rows_or_columns_are_read() -> None:
    """A table may have no rows, or no columns at all."""
    assert frame_from_tsv(b"?a\t?b\n").schema == {"a": pl.String, "b": pl.String}
    assert frame_from_tsv(b"\n\n").shape == (0, 0)
    assert frame_from_tsv(b"\n").shape == (0, 0)


@pytest.mark.parametrize(
    ("cells", "dtype", "values"),
    [
        (["1", "-2", "", '"+3"^^<X#int>'], pl.Int64, [1, -2, None, 3]),
        (["9223372036854775807"], pl.Int64, [2**63 - 1]),
        (["1", "9223372036854775808"], pl.Decimal(38, 0), [Decimal(1), Decimal(2**63)]),
        (["1" * 39], pl.String, ["1" * 39]),
        (["1", "1.50"], pl.Decimal(38, 2), [Decimal("1.00"), Decimal("1.50")]),
        (['"100"^^<X#decimal>'], pl.Decimal(38, 0), [Decimal(100)]),
        (["1", "0.5", '"2"^^<X#double>', "1e3"], pl.Float64, [1.0, 0.5, 2.0, 1000.0]),
        (['"INF"^^<X#double>', '"-INF"^^<X#float>', '"+INF"^^<X#float>'], pl.Float64, [math.inf, -math.inf, math.inf]),
        (["true", "false", "", '"1"^^<X#boolean>'], pl.Boolean, [True, False, None, True]),
        (['"2015-12-07"^^<X#date>', ""], pl.Date, [date(2015, 12, 7), None]),
        (['"2015-12-07T01:02:03.25"^^<X#dateTime>'], pl.Datetime("us"), [LATE]),
        (["<urn:a>", "", "<urn:b>"], pl.String, ["urn:a", None, "urn:b"]),
        (["_:b0"], pl.String, ["_:b0"]),
        (['<<( <urn:a> <urn:b> "x" )>>'], pl.String, ['<<( <urn:a> <urn:b> "x" )>>']),
    ],
)  # fmt: skip
def test_a_column_of_one_kind_gets_its_type(cells: list[str], dtype: pl.DataType, values: list[object]) -> None:
    """Numbers, truth values, dates and names have the types of the contract."""
    column = _column(*(cell.replace("X#", XSD) for cell in cells))
    assert column.dtype == dtype
    assert column.to_list() == values


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1", '"one"'], ["1", "one"]),
        (["<urn:a>", '"urn:a"', "_:b"], ["urn:a", "urn:a", "_:b"]),
        (["true", "1"], ["true", "1"]),
        (['"2015-12-07"^^<X#date>', '"2015-12-07T00:00:00"^^<X#dateTime>'], ["2015-12-07", "2015-12-07T00:00:00"]),
        (['"2015-12-07T00:00:00"^^<X#dateTime>', '"2015-12-07T00:00:00Z"^^<X#dateTime>'],
         ["2015-12-07T00:00:00", "2015-12-07T00:00:00Z"]),
        (['"P1D"^^<X#duration>'], ["P1D"]),
        (['"3"^^<urn:own>'], ["3"]),
    ],
)  # fmt: skip
def test_a_column_that_mixes_kinds_is_text(cells: list[str], values: list[str]) -> None:
    """Where no one type fits, the lexical values stay."""
    assert _column(*(cell.replace("X#", XSD) for cell in cells)).to_list() == values


@pytest.mark.parametrize(
    ("text", "datatype"),
    [
        ("abc", "date"), ("2015-02-30", "date"), ("2015-12-07Z", "date"), ("-0044-03-15", "date"),
        ("12015-01-01", "date"),
        ("2015-12-07T25:00:00", "dateTime"), ("2015-12-07", "dateTime"), ("2015-12-07T01:02:03.1234567", "dateTime"),
        ("abc", "integer"), ("1.5", "integer"), ("", "integer"), ("1e5", "decimal"), (" 1", "decimal"),
        ("abc", "double"),
        ("inf", "double"), ("yes", "boolean"), ("TRUE", "boolean"), ("0." + "1" * 39, "decimal"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_its_datatype_makes_text(text: str, datatype: str) -> None:
    """An invalid lexical form is shown as it is, never an error and never lost."""
    column = _column(f'"{text}"^^<{XSD}{datatype}>', "")
    assert column.dtype == pl.String
    assert column.to_list() == [text, None]
