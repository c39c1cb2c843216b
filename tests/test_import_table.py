"""Any CSV or JSON file comes in by a mapping file or a folder of one's own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from graphkit.check import check
from graphkit.errors import DataError, QueryError, UsageError
from graphkit.sources import Wishes, import_files
from graphkit.store import open_store
from graphkit.terms import GRAPH

_FOLDER = Path(__file__).parents[1] / "graphkit" / "sources" / "adapters" / "table"
_EXAMPLE, _MAPPING = _FOLDER / "example.csv", _FOLDER / "example.rq"


def _mapping(tmp_path: Path, old: str = "", new: str = "") -> Path:
    text = _MAPPING.read_text("utf-8")
    assert old in text
    path = tmp_path / "members.rq"
    path.write_text(text.replace(old, new) if old else text, "utf-8")
    return path


def test_csv_comes_in_by_a_mapping_file() -> None:
    """Columns are named after the header, and a row of which the mapping makes nothing is refused."""
    store = open_store()
    report = import_files(store, "table", [_EXAMPLE], snapshot="2024-01", wishes=Wishes(mapping=_MAPPING))
    assert (report.rows_read, report.rows_kept, report.rows_refused) == (3, 2, 1)
    assert report.refused.select("row", "reason").rows() == [(3, "the mapping makes no record of it")]
    assert report.graph == f"{GRAPH}table/example-2024-01"
    assert check(store).is_empty()


def test_json_comes_in_by_the_same_mapping(tmp_path: Path) -> None:
    """A list of objects gives the same records as the table."""
    mapping = _mapping(tmp_path, "#+ homepage:", "#+ format: json\n#+ homepage:")
    store = open_store()
    report = import_files(store, "table", [_FOLDER / "example.json"], snapshot="1", wishes=Wishes(mapping=mapping))
    assert report.rows_kept == 2
    assert "source/table.members-1#/0>" in store.dump("nq").decode()


def test_table_is_described_beside_the_mapping(tmp_path: Path) -> None:
    """A `members.csvw.json` beside `members.rq` says which columns there are."""
    mapping = _mapping(tmp_path)
    (tmp_path / "members.csvw.json").write_text(
        '{"dialect": {"delimiter": ";"}, "tableSchema": {"columns": ['
        '{"name": "number", "titles": "No", "datatype": "integer", "required": true},'
        ' {"name": "name", "titles": "Wer"},'
        ' {"name": "town", "titles": "Wo"}]}}'
    )
    table = tmp_path / "list.csv"
    table.write_text("No;Wer;Wo\n1;Die Mühle;Upton\nx;Niemand;\n", "utf-8")
    report = import_files(open_store(), "table", [table], wishes=Wishes(mapping=mapping))
    assert (report.rows_kept, report.refused["value"].to_list()) == (1, ["x"])


def test_folder_of_ones_own_is_a_source(tmp_path: Path) -> None:
    """A copy of a shipped folder under another name works as it is, and is called by that name."""
    folder = tmp_path / "our-coops"
    shutil.copytree(_FOLDER.parent / "coops-uk", folder)
    store = open_store()
    report = import_files(store, "table", [folder / "sample.csv"], snapshot="2024", wishes=Wishes(mapping=folder))
    assert report.graph == f"{GRAPH}table/our-coops-2024"
    assert report.rows_kept == 3


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("#+ licence:", "#+ license:", "does not say its licence"),
        ("#+ gives:", "#+ colour:", "'colour'"),
        ("?member a org", "?member a [] ; a org", "things without an address"),
        ("WHERE {", "WHERE { SERVICE <http://127.0.0.1/> { ?a ?b ?c }", "SERVICE"),
        ("CONSTRUCT {", "SELECT * {", "CONSTRUCT|cannot be read"),
    ],
)
def test_mapping_that_is_not_in_order_is_refused(tmp_path: Path, old: str, new: str, fault: str) -> None:
    """What is wrong with a mapping is said; it can call no other server, and make no thing without an address."""
    mapping = _mapping(tmp_path, old, new)
    with pytest.raises((DataError, QueryError), match=fault):
        import_files(open_store(), "table", [_EXAMPLE], wishes=Wishes(mapping=mapping))


def test_mapping_of_a_described_table_asks_for_its_columns_only(tmp_path: Path) -> None:
    """A slip in a column's name is an error, for it would silently answer nothing."""
    mapping = _mapping(tmp_path, "xyz:town", "xyz:twon")
    (tmp_path / "members.csvw.json").write_text(
        '{"tableSchema": {"columns": [{"name": "number", "titles": "Number"}, {"name": "name", "titles": "Name"},'
        ' {"name": "town", "titles": "Town"}]}}'
    )
    with pytest.raises(DataError, match="xyz:twon"):
        import_files(open_store(), "table", [_EXAMPLE], wishes=Wishes(mapping=mapping))


def test_mapping_belongs_to_the_source_table() -> None:
    """`table` needs one, other sources take none."""
    with pytest.raises(UsageError, match="needs a mapping"):
        import_files(open_store(), "table", [_EXAMPLE])
    with pytest.raises(UsageError, match="belongs to the source 'table'"):
        import_files(open_store(), "coops-uk", [_EXAMPLE], wishes=Wishes(mapping=_MAPPING))
