"""What leaves the house can be read by others."""

from __future__ import annotations

import io
import json
from datetime import date
from decimal import Decimal

import networkx as nx
import polars as pl
import pytest

from graphkit.errors import UnknownNameError
from graphkit.export import NETWORK_FORMATS, frame_to_text, network_to_bytes
from graphkit.network import Network, load_network
from graphkit.store import Store

FRAME = pl.DataFrame(
    {
        "name": ["=1+2", 'Mill, "old"', None],
        "amount": [Decimal("5000.00"), Decimal("1200.50"), None],
        "day": [date(2021, 2, 15), None, None],
        "iri": ["http://www.w3.org/ns/org#Organization", "https://example.org/a", None],
    }
)


@pytest.fixture(scope="module")
def network(village: Store) -> Network:
    """Build the network of working together in the village."""
    return load_network(village)


def test_csv_reads_back_as_the_same_rows() -> None:
    """Commas, quotes and empty cells survive."""
    back = pl.read_csv(io.StringIO(frame_to_text(FRAME, "csv")), infer_schema=False)
    assert back["name"].to_list() == FRAME["name"].to_list()
    assert back["amount"].to_list() == ["5000.00", "1200.50", None]


def test_json_has_numbers_for_decimals_and_text_for_dates() -> None:
    """A missing value is null."""
    rows = json.loads(frame_to_text(FRAME, "json"))
    assert rows[0] == {
        "name": "=1+2",
        "amount": 5000,
        "day": "2021-02-15",
        "iri": "http://www.w3.org/ns/org#Organization",
    }
    assert rows[2]["name"] is None


def test_a_spreadsheet_sees_no_formula() -> None:
    """Text that begins like a formula gets an apostrophe; plain CSV is left as it is."""
    assert "'=1+2" in frame_to_text(FRAME, "spreadsheet")
    assert "'=1+2" not in frame_to_text(FRAME, "csv")


def test_a_table_shortens_known_iris_and_counts_its_rows() -> None:
    """What is read on a terminal is short."""
    words = frame_to_text(FRAME, "table")
    assert "org:Organization" in words
    assert "None" not in words
    assert words.endswith("3 rows\n")


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    """Both for frames and for networks."""
    with pytest.raises(UnknownNameError, match="csv"):
        frame_to_text(FRAME, "cvs")
    with pytest.raises(UnknownNameError, match="graphml"):
        network_to_bytes(Network.from_pairs([("a", "b")]), "grapml")


@pytest.mark.parametrize(("form", "read"), [("graphml", nx.read_graphml), ("gexf", nx.read_gexf)])
def test_files_for_other_programs_read_back_as_the_same_graph(network: Network, form: str, read: object) -> None:
    """Organisations, isolates, ties and labels survive GraphML and GEXF."""
    labels = {network.organisations[0]: "The first one"}
    back = read(io.BytesIO(network_to_bytes(network, form, labels)))  # type: ignore[operator]
    assert set(back.nodes) == set(network.organisations)
    assert back.number_of_edges() == network.to_networkx().number_of_edges()
    assert back.nodes[network.organisations[0]]["label"] == "The first one"


def test_json_of_a_network_is_node_link_data(network: Network) -> None:
    """Networkx reads it back with the activities of each tie."""
    data = json.loads(network_to_bytes(network, "json"))
    graph = nx.node_link_graph(data, edges="ties", nodes="organisations")
    assert graph.number_of_nodes() == len(network.organisations)
    assert all(tie["activities"] for _, _, tie in graph.edges(data=True))


def test_every_format_of_a_network_can_be_written_when_it_is_empty() -> None:
    """No organisation is no failure."""
    empty = Network.from_pairs([])
    for form in NETWORK_FORMATS:
        assert network_to_bytes(empty, form)
