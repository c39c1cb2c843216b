"""Every failure that a person can cause is told in our own words, with the place and what to do next."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from graphkit import errors, find_gaps, load_network, measure, open_store, queries, run
from graphkit.check import check_files
from graphkit.errors import GraphkitError, unknown_name
from graphkit.export import frame_to_text, network_to_bytes
from graphkit.network import Network
from graphkit.ontology import fold, load_mapping

NETWORK = Network.from_pairs([("a", "b")])


def test_a_message_has_what_where_and_next() -> None:
    """One line for each part that is known."""
    error = GraphkitError("no", where="here", hint="there")
    assert str(error).splitlines() == ["no", "  where: here", "  next:  there"]
    assert str(GraphkitError("no")) == "no"


def test_near_names_are_offered_and_all_where_none_is_near() -> None:
    """A slip of the finger is corrected; a wild guess gets the list."""
    assert "did you mean: degree?" in str(unknown_name("measure", "degre", ["degree", "strength"]))
    assert "known: degree, strength" in str(unknown_name("measure", "xyz", ["strength", "degree"]))


def test_all_errors_grow_on_one_tree() -> None:
    """Whoever catches GraphkitError catches them all."""
    kinds = [getattr(errors, name) for name in errors.__all__ if name.endswith("Error")]
    assert all(issubclass(kind, GraphkitError) for kind in kinds)


def broken(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


FAILURES: dict[str, Callable[[Path], object]] = {
    "query unknown": lambda _: run(open_store(), "no/such"),
    "query broken": lambda _: open_store().select("SELECT"),
    "query of another form": lambda _: open_store().select("ASK {}"),
    "query of the engine's unknown function": lambda _: open_store().select("SELECT (<urn:f>(1) AS ?x) {}"),
    "update in a query": lambda _: open_store().select("CLEAR ALL"),
    "query file missing": lambda folder: queries.load_query(folder / "no.rq"),
    "query file not text": lambda folder: queries.load_query(_bytes(folder / "x.rq", b"\xff\xfe")),
    "query header broken": lambda folder: queries.load_query(broken(folder, "x.rq", "#+ summary: [\nSELECT * {}")),
    "network unknown": lambda _: load_network(open_store(), "networks/none"),
    "network of wrong columns": lambda _: Network.from_ties(pl.DataFrame({"a": [1]})),
    "measure unknown": lambda _: measure("none", NETWORK),
    "gap unknown": lambda _: find_gaps(open_store(), kinds=["X"]),
    "format unknown": lambda _: frame_to_text(pl.DataFrame(), "docx"),
    "network format unknown": lambda _: network_to_bytes(NETWORK, "docx"),
    "file missing": lambda folder: check_files([folder / "no.ttl"]),
    "file broken": lambda folder: check_files([broken(folder, "x.ttl", "<a> <b>")]),
    "file of unknown kind": lambda folder: check_files([broken(folder, "x.docx", "")]),
    "source without passages": lambda folder: fold(broken(folder, "x.trig", "<urn:a> <urn:b> 1 .")),
    "mapping broken": lambda folder: load_mapping(broken(folder, "x.sssom.tsv", "subject_id\nx\n")),
    "store in a file": lambda folder: open_store(broken(folder, "x", "")),
    "endpoint away": lambda _: open_store("http://127.0.0.1:9/sparql", timeout=2).select("SELECT * {}"),
    "endpoint address odd": lambda _: open_store("http://").select("SELECT * {}"),
    "version unknown": lambda _: open_store().restore(9),
}


def _bytes(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
def test_no_foreign_error_leaks(failure: Callable[[Path], object], tmp_path: Path) -> None:
    """Whatever library fails below, what comes out is ours and not empty."""
    with pytest.raises(GraphkitError) as caught:
        failure(tmp_path)
    assert len(str(caught.value)) > 10
