"""A graph is put together whole, and data of partners comes in whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphkit import queries
from graphkit.assembly import QUERIES, assemble_shipped, commit_graphs, load_files, transfer
from graphkit.errors import DataError, UsageError
from graphkit.store import Store, open_store
from graphkit.terms import graph_iri

PARTNERS = """@prefix org: <http://www.w3.org/ns/org#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix id: <https://w3id.org/solidarity-graph/id/organisation/> .
id:new-network a org:OrganizationalCollaboration ; rdfs:label "New Network"@en ; org:hasMember id:new-bakery .
id:new-bakery a org:Organization ; rdfs:label "New Bakery"@en .
"""
_TAKES_PART = """ASK { <https://w3id.org/solidarity-graph/id/organisation/new-bakery>
<https://w3id.org/solidarity-graph/ns#takesPartIn> <https://w3id.org/solidarity-graph/id/organisation/new-network> }"""


@pytest.fixture(scope="module")
def shipped() -> Store:
    """Put the shipped graph together once."""
    return assemble_shipped()


def test_the_shipped_graph_has_a_graph_for_each_source_and_what_follows(shipped: Store) -> None:
    """Ontology, vocabularies, the text, the context, the queries, and what the rules derive."""
    names = set(shipped.graphs()["graph"])
    parts = ("ontology", "vocabularies", "mappings", "wessex-text", "wessex-text/passages", "context", "inferred")
    assert names >= {graph_iri(part) for part in parts} | {QUERIES}


def test_the_query_that_monitors_a_commitment_is_described_in_the_graph(shipped: Store) -> None:
    """sol:monitoredBy points to something with a name."""
    frame = shipped.select(
        "PREFIX sol: <https://w3id.org/solidarity-graph/ns#> SELECT ?label WHERE"
        " { ?c sol:monitoredBy ?q . ?q <http://www.w3.org/2000/01/rdf-schema#label> ?label }"
    )
    monitored = "SELECT ?c ?q { ?c <https://w3id.org/solidarity-graph/ns#monitoredBy> ?q }"
    assert frame.height == shipped.select(monitored).height >= 4


def test_transfer_of_the_same_content_makes_no_version(shipped: Store, tmp_path: Path) -> None:
    """What does not differ is not written."""
    with open_store(tmp_path / "store") as store:
        first = transfer(shipped, store, "the shipped graph")
        again = transfer(shipped, store, "the shipped graph")
        assert first is not None
        assert again == first
        assert store.diff(1, 1).added == b""


def test_loaded_files_bring_what_follows_from_them(shipped: Store, tmp_path: Path) -> None:
    """A membership becomes a participation at once, in one version, and graphs of others stay."""
    file = tmp_path / "partners.ttl"
    file.write_text(PARTNERS)
    store = open_store()
    transfer(shipped, store, "the shipped graph")
    before = store.version
    assert load_files(store, [file]) == 5
    assert before is not None
    assert store.version is not None
    assert store.version.number == before.number + 1
    assert graph_iri("partners") in set(store.graphs()["graph"])
    assert store.ask(_TAKES_PART)
    assert queries.run(store, "policy/commitments").equals(queries.run(shipped, "policy/commitments"))


def test_of_several_files_all_come_in_or_none(shipped: Store, tmp_path: Path) -> None:
    """The second file is broken: the error names its line, and the first has left no trace."""
    good, bad = tmp_path / "good.ttl", tmp_path / "bad.ttl"
    good.write_text(PARTNERS)
    bad.write_text("<urn:a> <urn:b> .\n")
    store = open_store()
    transfer(shipped, store, "the shipped graph")
    before = store.version
    with pytest.raises(DataError, match=r"bad\.ttl, line 1"):
        load_files(store, [good, bad])
    assert store.version == before
    assert not store.ask(_TAKES_PART)


_ORG = "<https://w3id.org/solidarity-graph/id/organisation/{}>"
_MEMBERS = (
    f"{_ORG.format('new-network')} <http://www.w3.org/ns/org#hasMember> {_ORG.format('new-bakery')} .\n"
    f"{_ORG.format('new-network')} <http://www.w3.org/ns/org#hasMember> {_ORG.format('new-mill')} .\n"
)


def _file(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text)
    return file


def test_an_import_replaces_its_graphs_and_nothing_else(shipped: Store, tmp_path: Path) -> None:
    """What a graph held before is gone with all that followed from it; other graphs stay; one version is made."""
    store = open_store()
    transfer(shipped, store, "the shipped graph")
    graphs = {"urn:g:one": [_file(tmp_path, "one.nt", _MEMBERS)], "urn:g:two": [_file(tmp_path, "two.nt", _MEMBERS)]}
    first = commit_graphs(store, graphs, "an import", who="ann")
    assert first is not None
    assert (first.number, first.who, first.why) == (2, "ann", "an import")
    assert store.ask(_TAKES_PART)
    assert commit_graphs(store, graphs, "the same again") == first
    fewer = _file(tmp_path, "fewer.nq", _MEMBERS.splitlines()[1].removesuffix(".") + "<urn:g:one> .\n")
    commit_graphs(store, {"urn:g:one": [fewer], "urn:g:two": []}, "a newer import")
    assert not store.ask(_TAKES_PART)
    assert "urn:g:two" not in set(store.graphs()["graph"])
    commit_graphs(store, {"urn:g:one": []}, "out with it")
    assert store.dump() == shipped.dump()


@pytest.mark.parametrize(
    ("name", "text", "error", "says"),
    [
        ("bad.nt", "<urn:a> <urn:b> .\n", DataError, r"bad\.nt, line 1"),
        ("bad.nq", "<urn:a> <urn:b> <urn:c> <urn:other> .\n", UsageError, "graph urn:other"),
        ("none.nq", "<urn:a> <urn:b> <urn:c> .\n", UsageError, "in no graph"),
        ("a.ttl", "<urn:a> <urn:b> <urn:c> .\n", UsageError, "files of lines"),
    ],
)
def test_an_import_that_cannot_be_read_changes_nothing(
    tmp_path: Path, name: str, text: str, error: type[Exception], says: str
) -> None:
    """The error tells what is wrong; what came before it is not kept."""
    store = open_store()
    good, bad = _file(tmp_path, "good.nt", _MEMBERS), _file(tmp_path, name, text)
    with pytest.raises(error, match=says):
        commit_graphs(store, {"urn:g": [good], "urn:h": [bad]}, "an import")
    assert store.version is None
