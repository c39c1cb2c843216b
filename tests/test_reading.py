"""Files are read as they are described, in bounded memory, and a broken one says what is wrong and where."""

from __future__ import annotations

import gzip
import io
import json
import resource
import zipfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from graphkit.errors import DataError
from graphkit.sources.batches import Notes
from graphkit.sources.cells import judge
from graphkit.sources.csv_rows import MOST_RECORD, read_csv
from graphkit.sources.csvw import Table, table_from
from graphkit.sources.json_rows import read_json
from graphkit.sources.opening import bare_suffix, opened


def _table(*columns: dict[str, object], **dialect: object) -> Table:
    return table_from({"dialect": dialect, "tableSchema": {"columns": list(columns)}}, "table.csvw.json")


def _name(**more: object) -> dict[str, object]:
    return {"name": "name", "titles": "Name", **more}


def _amount(**more: object) -> dict[str, object]:
    return {"name": "amount", "titles": "Amount", "datatype": "decimal", **more}


def _csv(path: Path, table: Table, size: int = 1 << 20) -> pl.DataFrame:
    with opened(path) as pieces:
        return pl.concat([batch.frame for batch in read_csv(pieces, table, size, Notes())], how="diagonal")


def _refused(path: Path, table: Table) -> list[tuple[object, ...]]:
    with opened(path) as pieces:
        return [row for batch in read_csv(pieces, table, 1 << 20, Notes()) for row in batch.refused.iter_rows()]


def _written(tmp_path: Path, content: bytes | str, name: str = "list.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# ---- CSV ------------------------------------------------------------------------------------------------


def test_rows_are_numbered_from_the_first_below_the_header(tmp_path: Path) -> None:
    """Empty lines are no rows; line ends within quotes belong to the cell."""
    path = _written(tmp_path, 'Name,Amount\r\n"A ""b""\nc",1\r\n\r\nD,2\r\n')
    found = _csv(path, _table(_name(), _amount()))
    assert found.rows() == [(1, "row=1", 'A "b"\nc', "1"), (2, "row=2", "D", "2")]


@pytest.mark.parametrize("size", [1, 7, 40, 1 << 20])
def test_batches_are_cut_between_records_only(tmp_path: Path, size: int) -> None:
    """Whatever the size of a batch, each record is read whole, also where quotes hold line ends."""
    text = "Name,Amount\n" + "".join(f'"Row\n{number}, really",{number}\n' for number in range(500))
    found = _csv(_written(tmp_path, text), _table(_name(), _amount()), size)
    assert found["name"].to_list() == [f"Row\n{number}, really" for number in range(500)]
    assert found["_row"].to_list() == list(range(1, 501))


def test_row_with_too_few_or_too_many_cells_is_refused(tmp_path: Path) -> None:
    """Such rows are told with their number and the count, and the others stand."""
    path = _written(tmp_path, "Name,Amount\nA,1\nB\nC,3,4\nD,5\n")
    table = _table(_name(), _amount())
    assert _csv(path, table)["name"].to_list() == ["A", "D"]
    assert _refused(path, table) == [
        (2, "", "1", "has 1 cells, and the header 2", "row"),
        (3, "", "3", "has 3 cells, and the header 2", "row"),
    ]


def test_described_encoding_and_separator_are_used(tmp_path: Path) -> None:
    """A list in Windows' encoding for Central Europe with semicolons reads as it was written."""
    path = _written(tmp_path, "Name;Amount\nFundacja Łódź;1,50\n".encode("cp1250"))
    table = _table(
        _name(), _amount(datatype={"base": "decimal", "format": {"decimalChar": ","}}), encoding="cp1250", delimiter=";"
    )
    judged = judge(_csv(path, table), table)
    assert judged.frame.select("name", "amount").rows() == [("Fundacja Łódź", "1.50")]


def test_wrong_encoding_is_told_with_line_and_byte(tmp_path: Path) -> None:
    """A byte that is no UTF-8 is named, with what to do."""
    path = _written(tmp_path, "Name,Amount\nA,1\nCafé,2\n".encode("cp1252"))
    with pytest.raises(DataError, match="not written in utf-8: the byte 0xE9") as caught:
        _csv(path, _table(_name(), _amount()))
    assert caught.value.where.endswith("line 3")
    assert "--encoding" in caught.value.hint


def test_utf8_described_as_something_else_is_told(tmp_path: Path) -> None:
    """A file that is UTF-8 beyond doubt is not read as Windows' encoding, which would garble it silently."""
    path = _written(tmp_path, "Name,Amount\nCafé é ü ß,2\n")
    with pytest.raises(DataError, match="is written in UTF-8"):
        _csv(path, _table(_name(), _amount(), encoding="cp1252"))


@pytest.mark.parametrize(
    ("header", "fault"),
    [
        ("Name,Amount,Name", "'Name' stands there twice"),
        ("Name,Amount,NAME", "'Name' and 'NAME' differ only by case"),
        ("name,Amount", "'name' is written 'Name'"),
        ("Title,Amount", "no column 'Name'"),
        ("Name;Amount", "has one cell only"),
    ],
)
def test_header_that_is_not_as_described_is_refused(tmp_path: Path, header: str, fault: str) -> None:
    """Nothing is guessed from a header: what is wrong is said, and where."""
    with pytest.raises(DataError, match=fault) as caught:
        _csv(_written(tmp_path, f"{header}\nA,1\n"), _table(_name(required=True), _amount()))
    assert "header" in caught.value.where


def test_column_that_nobody_described_is_noted(tmp_path: Path) -> None:
    """A new column does not stop the import, and is told."""
    notes = Notes()
    with opened(_written(tmp_path, "Name,Shoe size\nA,43\n")) as pieces:
        frames = [batch.frame for batch in read_csv(pieces, _table(_name()), 1 << 20, notes)]
    assert list(notes.unknown) == ["Shoe size"]
    assert frames[0].columns == ["_row", "_at", "name"]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "the file is empty"),
        ('Name\n"A\nB\nC\n', "never closed"),
        ("Name\rA\rB\r", "end with CR alone"),
    ],
)
def test_broken_csv_is_told(tmp_path: Path, content: str, fault: str) -> None:
    """An open quote, no header and old line ends are errors."""
    with pytest.raises(DataError, match=fault):
        _csv(_written(tmp_path, content), _table(_name()))


def test_quote_inside_a_plain_cell_is_read_or_its_row_refused(tmp_path: Path) -> None:
    """Quotes in a cell without quotes are kept; where they make the cells doubtful, only that row is refused."""
    path = _written(tmp_path, 'Name,Amount\nA "x" b,1\nB "y, z" c,2\nC,3\n')
    table = _table(_name(), _amount())
    assert _csv(path, table)["name"].to_list() == ['A "x" b', "C"]
    assert _refused(path, table) == [(2, "", 'B "y, z" c,2', "has a quote inside a cell that is not quoted", "row")]


def test_record_without_an_end_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    """A line of a gigabyte ends the reading after 16 megabytes, and the memory hardly grows."""
    path = tmp_path / "line.csv"
    with path.open("wb") as file:
        file.write(b"Name,Amount\n")
        file.truncate(1 << 30)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DataError, match=f"longer than {MOST_RECORD:,} bytes"):
        _csv(path, _table(_name(), _amount()))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400 * 1024


# ---- Archives -------------------------------------------------------------------------------------------


def test_packed_files_read_like_plain_ones(tmp_path: Path) -> None:
    """A .gz and a .zip with one file in it give the rows of that file."""
    text = b"Name,Amount\nA,1\n"
    packed = _written(tmp_path, gzip.compress(text), "list.csv.gz")
    with zipfile.ZipFile(tmp_path / "list.csv.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("list.csv", text)
        archive.writestr("__MACOSX/list.csv", b"")
    table = _table(_name(), _amount())
    assert _csv(packed, table).rows() == _csv(tmp_path / "list.csv.zip", table).rows() == [(1, "row=1", "A", "1")]
    assert bare_suffix(packed) == bare_suffix(tmp_path / "list.csv.zip") == ".csv"


def _bomb() -> Iterator[bytes]:
    yield b"Name,Amount\n"
    for _ in range(200):
        yield b"A,1\n" * 250_000


@pytest.mark.parametrize("name", ["bomb.csv.gz", "bomb.csv.zip"])
def test_bomb_is_defused(tmp_path: Path, name: str) -> None:
    """An archive that grows beyond 250 times its size is not read on, whatever its directory says."""
    path = tmp_path / name
    if name.endswith(".gz"):
        with gzip.open(path, "wb") as file:
            for piece in _bomb():
                file.write(piece)
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.csv", "w") as file:
            for piece in _bomb():
                file.write(piece)
    with pytest.raises(DataError, match="250 times its size"):
        _csv(path, _table(_name(), _amount()))


def test_archive_of_several_files_or_a_damaged_one_is_refused(tmp_path: Path) -> None:
    """Which file is meant is not guessed, and a damaged archive is said to be one."""
    two = tmp_path / "two.zip"
    with zipfile.ZipFile(two, "w") as archive:
        archive.writestr("a.csv", b"Name\n")
        archive.writestr("b.csv", b"Name\n")
    with pytest.raises(DataError, match="holds 2 files"):
        _csv(two, _table(_name()))
    cut = _written(tmp_path, gzip.compress(b"Name\n" + b"A\n" * 5000)[:-20], "cut.csv.gz")
    with pytest.raises(DataError, match="cannot be read"):
        _csv(cut, _table(_name()))
    with pytest.raises(DataError, match="cannot be opened"):
        _csv(_written(tmp_path, b"no archive", "no.zip"), _table(_name()))
    with pytest.raises(DataError, match="cannot be opened"):
        _csv(tmp_path / "absent.csv", _table(_name()))


# ---- Cells ----------------------------------------------------------------------------------------------


def _cells(column: dict[str, object], *values: str | None) -> list[str | None]:
    table = _table(column)
    frame = pl.DataFrame(
        {"_row": range(1, len(values) + 1), column["name"]: values}, schema_overrides={str(column["name"]): pl.String()}
    )
    return judge(frame, table).frame[str(column["name"])].to_list()


def test_numbers_are_read_exactly_in_the_described_format() -> None:
    """Separators, signs and per cent are understood, and what is no number is refused."""
    continental = _amount(datatype={"base": "decimal", "format": {"decimalChar": ",", "groupChar": "."}})
    assert _cells(continental, "1.234.567,89", "5", "-0,5", "1.23,4", "12.34") == [
        "1234567.89",
        "5",
        "-0.5",
        None,
        None,
    ]
    assert _cells(_amount(), "0.1", "+3", "60%", "1e5", "£5", " 7 ", "") == ["0.1", "3", "0.6", None, None, "7", None]
    assert _cells(_amount(datatype={"base": "decimal", "minimum": 0}), "-1", "0", "1.5") == [None, "0", "1.5"]
    assert _cells(_amount(datatype="integer"), "12", "1.5", "1234567890123456789012") == [
        "12",
        None,
        "1234567890123456789012",
    ]


def test_date_keeps_how_exact_it_is() -> None:
    """A list that writes some dates as a day, a month or a year keeps the difference."""
    column = {
        "name": "start",
        "titles": "Start",
        "datatype": {"base": "date", "format": "dd/MM/yyyy"},
        "sol:formats": ["MM/yyyy", "yyyy", "dd. MMM yy"],
    }
    table = _table(column)
    values = ["31/12/2013", "04/2009", "2013", "01. Nov 15", "31/02/2013", "12/31/2013", "yesterday", None]
    frame = pl.DataFrame({"_row": range(8), "start": values})
    judged = judge(frame, table)
    assert judged.frame["start"].to_list() == [
        "2013-12-31",
        "2009-04-01",
        "2013-01-01",
        "2015-11-01",
        None,
        None,
        None,
        None,
    ]
    ends = [None if each is None else each.rpartition("/")[2] for each in judged.frame["start_precision"]]
    assert ends == ["day", "month", "year", "day", None, None, None, None]
    assert judged.refused["value"].to_list() == ["31/02/2013", "12/31/2013", "yesterday"]


def test_required_cell_that_is_empty_or_bad_refuses_its_row() -> None:
    """Both reasons are told apart."""
    table = _table(_amount(required=True), _name())
    frame = pl.DataFrame({"_row": [1, 2, 3], "amount": ["1", None, "much"], "name": ["A", "B", "C"]})
    judged = judge(frame, table)
    assert judged.frame["_row"].to_list() == [1]
    assert judged.refused.select("row", "value", "reason").rows() == [(2, "", "is empty"), (3, "much", "is no number")]


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "http://", "https://a b", 'http://a"b', "www.example.org", "http://a/<b>"]
)
def test_what_is_no_web_address_is_refused(address: str) -> None:
    """Only addresses that can be written as an IRI are kept."""
    column = {"name": "site", "titles": "Site", "datatype": "anyURI"}
    assert _cells(column, address, "https://example.org/a?b=c#d") == [None, "https://example.org/a?b=c#d"]


# ---- Descriptions ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"aboutUrl": "x"}, "'aboutUrl', which is not understood"),
        ({"datatype": "duration"}, "the datatype 'duration'"),
        ({"datatype": {"base": "decimal", "format": "#,##0"}}, "a decimal with the format"),
        ({"name": "Total"}, "'Total' cannot name a column"),
        ({"titles": None}, "has no titles"),
    ],
)
def test_description_that_is_not_understood_is_refused(change: dict[str, object], fault: str) -> None:
    """What the subset of CSVW does not cover is an error, and never ignored."""
    column = {key: value for key, value in (_amount() | change).items() if value is not None}
    with pytest.raises(DataError, match=fault):
        _table(column)


@pytest.mark.parametrize("pattern", ["dd/QQ/yyyy", "dd/MM", "HH:mm"])
def test_date_format_that_is_not_understood_is_refused(pattern: str) -> None:
    """A pattern with other letters, or without a year, is an error."""
    with pytest.raises(DataError, match="date format"):
        _cells({"name": "day", "titles": "Day", "datatype": {"base": "date", "format": pattern}}, "1")


# ---- JSON -----------------------------------------------------------------------------------------------


_GRANTS = _table(
    {"name": "id", "titles": "id"},
    {"name": "funder", "titles": "fundingOrganization/0/name"},
    {"name": "amount", "titles": "amount", "datatype": "decimal"},
    {"name": "place.code", "titles": "location/*/code"},
    {"name": "place.kind", "titles": "location/*/kind"},
)


def _json(
    path: Path, records: str = "/grants/*", size: int = 1 << 20, notes: Notes | None = None
) -> list[pl.DataFrame]:
    with opened(path) as pieces:
        batches = list(read_json(pieces, _GRANTS, records, size, notes or Notes()))
    return [pl.concat([b.frame for b in batches], how="diagonal"), *[g for b in batches for g in b.groups.values()]]


def _grants(count: int) -> dict[str, object]:
    return {
        "version": "1.1",
        "about": {"nested": [1, 2, {"deep": None}]},
        "grants": [
            {
                "id": f"g{number}",
                "amount": 3239.34,
                "fundingOrganization": [{"name": "F"}],
                "location": [{"code": "E1", "kind": "LSOA"}, {"code": "E2"}],
                "extra": True,
            }
            for number in range(count)
        ],
    }


@pytest.mark.parametrize("size", [1, 1 << 20])
def test_records_of_json_become_rows_with_their_pointer(tmp_path: Path, size: int) -> None:
    """Values keep their digits, lists become groups, and what nobody described is counted."""
    notes = Notes()
    plain, *groups = _json(_written(tmp_path, json.dumps(_grants(3)), "g.json"), size=size, notes=notes)
    assert plain.row(1, named=True) == {"_row": 2, "_at": "/grants/1", "id": "g1", "amount": "3239.34", "funder": "F"}
    whole = pl.concat(groups)
    assert whole.filter(pl.col("_row") == 2).select("_slot", "code", "kind").rows() == [
        (0, "E1", "LSOA"),
        (1, "E2", None),
    ]
    assert notes.unknown == {"extra": 3}


def test_list_of_records_may_be_the_whole_file(tmp_path: Path) -> None:
    """The pointer "/*" leads to the records of a list."""
    path = _written(tmp_path, json.dumps([{"id": "a"}, {"id": "b"}, 7]), "list.json")
    assert _json(path, "/*")[0]["_at"].to_list() == ["/0", "/1"]


def test_long_json_is_read_in_pieces(tmp_path: Path) -> None:
    """A file of several megabytes gives each record once."""
    path = _written(tmp_path, json.dumps(_grants(30_000), indent=1), "long.json")
    assert path.stat().st_size > 6 << 20
    assert _json(path, size=1 << 20)[0]["id"].n_unique() == 30_000


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ('{"grants": [{"id": "a"}, {"id": "b', "breaks off in the middle|cannot be read"),
        ('{"grants": [{"id": "a"}', "breaks off in the middle"),
        ('{"grants": [{"id": "a"} {"id": "b"}]}', "',' or ']' should stand here"),
        ('{"grants": [{"id": "a", "id": "b"}]}', "has the key 'id' twice"),
        ('{"grants": [{"id": NaN}]}', "NaN is no JSON number"),
        ('{"awards": []}', "there is no 'grants'"),
        ("[1]", "an object with 'grants' should stand here"),
        ('{"grants": [' + "[" * 100_000, "nested too deeply|breaks off|cannot be read"),
        ("", "should stand here|breaks off"),
    ],
)
def test_broken_json_is_told_with_line_and_column(tmp_path: Path, content: str, fault: str) -> None:
    """Truncated, malformed and doubtful JSON is an error that says where."""
    with pytest.raises(DataError, match=fault) as caught:
        _json(_written(tmp_path, content, "broken.json"))
    assert "line 1, column" in caught.value.where


def test_endless_json_record_is_refused(tmp_path: Path) -> None:
    """A text without an end is refused after 16 million characters."""
    path = _written(tmp_path, b'{"grants": [{"id": "' + b"a" * (20 << 20), "endless.json")
    with pytest.raises(DataError, match="longer than"):
        _json(path)


def test_json_in_another_encoding_is_told(tmp_path: Path) -> None:
    """JSON is UTF-8 unless somebody says otherwise."""
    path = _written(tmp_path, '{"grants": [{"id": "Café"}]}'.encode("cp1252"), "g.json")
    with pytest.raises(DataError, match="not written in utf-8"):
        _json(path)


def test_bytes_of_a_stream_are_counted(tmp_path: Path) -> None:
    """How far a file was read is told for the progress."""
    path = _written(tmp_path, io.BytesIO(b"Name\n" + b"A\n" * 2_000_000).getvalue())
    with opened(path) as pieces:
        first = next(iter(pieces))
        assert 0 < len(first) <= pieces.done < pieces.size
