"""RDF is read from every format, safely, and turned from one into another."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from graphkit.errors import DataError, UsageError
from graphkit.store import convert
from graphkit.store.formats import read_source

XML = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="https://example.org/">
<rdf:Description rdf:about="urn:a"><e:p>1</e:p></rdf:Description></rdf:RDF>"""
SAMPLES = {
    "ttl": b"<urn:a> <urn:p> 1 .",
    "nt": b'<urn:a> <urn:p> "1" .',
    "nq": b'<urn:a> <urn:p> "1" <urn:g> .',
    "trig": b"<urn:g> { <urn:a> <urn:p> 1 }",
    "rdf": XML,
    "xml": XML,
    "owl": XML,
    "jsonld": b'{"@id": "urn:a", "urn:p": 1}',
}
BOMB = b"""<!DOCTYPE rdf:RDF [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>"""


@pytest.mark.parametrize("suffix", SAMPLES)
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_of_each_format_is_read_by_its_ending(tmp_path: Path, suffix: str, *, packed: bool) -> None:
    """The ending names the format, in any case, and .gz is unpacked."""
    path = tmp_path / (f"x.{suffix}.GZ" if packed else f"x.{suffix.upper()}")
    path.write_bytes(gzip.compress(SAMPLES[suffix]) if packed else SAMPLES[suffix])
    assert len(read_source(path)) == 1


@pytest.mark.parametrize("name", ["x.csv", "x", "x.gz", "x.n3", "x.csv.gz"])
def test_an_unknown_ending_is_an_error_that_lists_the_known(tmp_path: Path, name: str) -> None:
    """Nothing is guessed from the content."""
    (tmp_path / name).write_bytes(SAMPLES["ttl"])
    with pytest.raises(UsageError, match="names no RDF format") as caught:
        read_source(tmp_path / name)
    assert ".ttl" in caught.value.hint
    assert caught.value.where == str(tmp_path / name)


def test_bytes_need_a_media_type() -> None:
    """A suffix or a media type with parameters will do; another is an error."""
    assert len(read_source(SAMPLES["ttl"], media_type="text/turtle; charset=utf-8")) == 1
    with pytest.raises(UsageError, match="nothing of their format"):
        read_source(SAMPLES["ttl"])
    for unknown in ("text/csv", "text/n3", "docx", ""):
        with pytest.raises(UsageError, match="no RDF format"):
            read_source(SAMPLES["ttl"], media_type=unknown)


@pytest.mark.parametrize(
    ("suffix", "data", "place"),
    [
        ("ttl", b"<urn:a> <urn:p> 1 .\n<urn:a> x:y 1 .", ", line 2, column 9"),
        ("nt", b'<urn:a> <urn:p> "1" .\n<urn:a> <urn:p> "1 .\n', ", line 2, column 17"),
        ("nq", b"<urn:a> <urn:p>", ", line 1, column"),
        ("trig", b"<urn:g> { <urn:a> ", ", line 1, column"),
        ("rdf", XML.replace(b"</e:p>", b""), ", line 2, column"),
        ("jsonld", b'{"@id":\n oops}', ", line 2, column"),
        ("ttl", b"\xff", ", line 1, column 1"),
    ],
)  # fmt: skip
def test_malformed_input_is_reported_with_file_line_and_column(
    tmp_path: Path, suffix: str, data: bytes, place: str
) -> None:
    """Each format says where it broke."""
    path = tmp_path / f"bad.{suffix}"
    path.write_bytes(data)
    with pytest.raises(DataError, match="cannot be read") as caught:
        read_source(path)
    assert caught.value.where.startswith(str(path) + place)


def test_rdf_xml_with_a_doctype_is_refused() -> None:
    """Its entities could fill the memory; the error names the line."""
    with pytest.raises(DataError, match="DOCTYPE") as caught:
        read_source(b"<?xml version='1.0'?>\n" + BOMB, media_type="rdf")
    assert caught.value.where.endswith("line 2")
    with pytest.raises(DataError, match="DOCTYPE"):
        convert(BOMB, "rdf", "ttl")
    for encoding in ("utf-16", "utf-32"):
        with pytest.raises(DataError):
            read_source(BOMB.decode().encode(encoding), media_type="rdf")


def test_a_remote_json_ld_context_is_not_fetched() -> None:
    """The error says that contexts stay out, and what to do."""
    with pytest.raises(DataError, match="remote context") as caught:
        read_source(b'{"@context": "http://127.0.0.1:9/c", "@id": "urn:a", "p": 1}', media_type="jsonld")
    assert "never fetched" in caught.value.hint


def test_relative_addresses_are_explained() -> None:
    """Without a base they mean nothing."""
    with pytest.raises(DataError) as caught:
        read_source(b"<a> <b> <c> .", media_type="ttl")
    assert "@base" in caught.value.hint


def test_a_gzip_bomb_is_stopped(tmp_path: Path) -> None:
    """A file is unpacked only up to the limit."""
    path = tmp_path / "bomb.nt.gz"
    path.write_bytes(gzip.compress(b"#" * 10_000_000))
    with pytest.raises(DataError, match="unpacks to more than 1,000,000 bytes"):
        read_source(path, most_bytes=1_000_000)


def test_files_that_cannot_be_read_are_data_errors(tmp_path: Path) -> None:
    """A missing file, a folder, a broken or cut archive."""
    (tmp_path / "folder.ttl").mkdir()
    (tmp_path / "bad.ttl.gz").write_bytes(b"not gzip")
    (tmp_path / "cut.ttl.gz").write_bytes(gzip.compress(SAMPLES["ttl"] * 99)[:-12])
    for name in ("none.ttl", "folder.ttl", "bad.ttl.gz", "cut.ttl.gz"):
        with pytest.raises(DataError, match="cannot be read") as caught:
            read_source(tmp_path / name)
        assert caught.value.where == str(tmp_path / name)


@pytest.mark.parametrize("suffix", ["nq", "trig"])
def test_a_source_of_quads_refuses_a_graph(suffix: str) -> None:
    """It names its own graphs."""
    with pytest.raises(UsageError, match="names its own graphs"):
        read_source(SAMPLES[suffix], media_type=suffix, graph="urn:h")


def test_json_ld_goes_into_a_graph_unless_it_names_its_own() -> None:
    """The format can hold quads, most files do not."""
    held = read_source(SAMPLES["jsonld"], media_type="jsonld", graph="urn:h")
    assert [graph.value for graph in held.named_graphs()] == ["urn:h"]
    named = b'{"@id": "urn:g", "@graph": [{"@id": "urn:a", "urn:p": 1}]}'
    assert len(read_source(named, media_type="jsonld")) == 1
    with pytest.raises(UsageError, match="names its own graphs"):
        read_source(named, media_type="jsonld", graph="urn:h")


@pytest.mark.parametrize("to", ["ttl", "nt", "nq", "trig", "rdf", "jsonld"])
def test_conversion_keeps_every_triple(to: str) -> None:
    """A graph goes to any format and back unchanged, spelling included."""
    graph = (
        b'<urn:a> <https://example.org/p> "1.50"^^<http://www.w3.org/2001/XMLSchema#decimal> .\n'
        b'<urn:a> <https://example.org/p> "x"@en .\n'
    )
    back = convert(convert(graph, "nt", to), to, "nt")
    assert sorted(back.splitlines()) == sorted(graph.splitlines())


def test_conversion_never_drops_graph_names() -> None:
    """Quads go to formats of quads only."""
    assert b"urn:g" in convert(SAMPLES["nq"], "nq", "application/trig")
    with pytest.raises(UsageError, match="no place"):
        convert(SAMPLES["nq"], "nq", "ttl")


def test_deep_nesting_in_data_harms_nobody() -> None:
    """A thousand levels are read, not a crash."""
    nested = b"<urn:a> <urn:p> " + b"[ <urn:p> " * 1000 + b"1" + b"]" * 1000 + b" ."
    assert len(read_source(nested, media_type="ttl")) == 1001
