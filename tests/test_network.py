"""A network reads the rows of a network query, whatever their order, and says what is odd about them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import networkx as nx
import numpy as np
import polars as pl
import pytest
from networkx.algorithms import bipartite

from graphkit import queries
from graphkit.errors import DataError, UnknownNameError, UsageError
from graphkit.network import COLUMNS, Network, load_network, recency_weights
from graphkit.store import Store, open_store
from graphkit.terms import PREFIXES
from tests.harbour_fixture import harbour_store
from tests.village_fixture import village_store as village_graph

VOC = PREFIXES["voc"]
TODAY = date(2026, 1, 1)


def ties(*rows: tuple[object, ...]) -> pl.DataFrame:
    """Build the answer of a network query; a row may leave out its last columns."""
    filled = [(*row, *[None] * (len(COLUMNS) - len(row))) for row in rows]
    return pl.DataFrame(filled, schema=list(COLUMNS), orient="row", infer_schema_length=None)


def village() -> pl.DataFrame:
    """Make a bakery, a bank, a farm and a school in three activities, and a mill that is alone."""
    return ties(
        ("bank", "bakery", "loan", date(2020, 5, 1), 2.0, "funding"),
        ("bakery", "farm", "market", date(2024, 1, 1), None, "participation"),
        ("school", "bakery", "market", date(2024, 1, 1), None, "participation"),
        ("farm", "school", "market", date(2023, 1, 1), None, "participation"),
        ("farm", "school", "orchard", date(2019, 1, 1), 0.5, "membership"),
        ("mill", None, None, None, None, None),
    )


@pytest.fixture(scope="module")
def village_store() -> Iterator[Store]:
    """Load the village of the tests into memory."""
    opened = open_store()
    with opened.change("the village") as change:
        change.load(Path(__file__).parent / "village.ttl")
    yield opened
    opened.close()


class TestReading:
    """What becomes of the rows."""

    def test_organisations_are_sorted_and_include_isolates(self) -> None:
        """A row without target puts its source into the network."""
        assert Network.from_ties(village()).organisations == ("bakery", "bank", "farm", "mill", "school")

    def test_undirected_ties_start_at_the_smaller_iri(self) -> None:
        """The pair is unordered, so it is written one way."""
        network = Network.from_ties(village())
        assert (network.ties["source"] < network.ties["target"]).all()
        assert network.ties.columns == list(COLUMNS)

    def test_directed_ties_keep_their_direction(self) -> None:
        """A grant goes from the funder to the funded."""
        network = Network.from_ties(ties(("z", "a")), directed=True)
        assert network.ties.select("source", "target").rows() == [("z", "a")]

    def test_types_are_clean_whatever_came_in(self) -> None:
        """Text dates, decimal weights and empty columns come out as Date and Float64."""
        frame = ties(("a", "b", None, "2015-12-07", Decimal("1.5"), None))
        network = Network.from_ties(frame)
        assert network.ties.schema == {
            "source": pl.String,
            "target": pl.String,
            "activity": pl.String,
            "date": pl.Date,
            "weight": pl.Float64,
            "kind": pl.String,
        }
        assert network.ties.rows() == [("a", "b", None, date(2015, 12, 7), 1.5, None)]

    def test_a_column_without_values_may_be_text(self) -> None:
        """A store answers an unbound column as text."""
        frame = ties(("a", "b")).with_columns(pl.col("date", "weight").cast(pl.String))
        assert Network.from_ties(frame).ties.row(0) == ("a", "b", None, None, 1.0, None)

    def test_weights_may_be_text(self) -> None:
        """A column that mixes integers and decimals comes from the store as text."""
        assert Network.from_ties(ties(("a", "b", None, None, "2.5"))).weights[0, 1] == 2.5

    def test_a_moment_becomes_its_day(self) -> None:
        """A date-time is cut to its date."""
        frame = ties(("a", "b", None, datetime(2020, 1, 2, 3, 4, tzinfo=UTC)))
        assert Network.from_ties(frame).ties["date"].to_list() == [date(2020, 1, 2)]

    def test_self_ties_go_and_their_organisation_stays(self) -> None:
        """Nobody collaborates with itself."""
        network = Network.from_ties(ties(("a", "a", "x"), ("a", "b", "x")))
        assert network.ties.height == 1
        assert Network.from_ties(ties(("a", "a", "x"))).organisations == ("a",)

    def test_duplicated_rows_count_once(self) -> None:
        """The same row twice, or turned round where there is no direction, is one tie."""
        row, turned = ("a", "b", "x", TODAY, 2, "event"), ("b", "a", "x", TODAY, 2, "event")
        assert Network.from_ties(ties(row, row, turned)).weights[0, 1] == 2
        assert Network.from_ties(ties(row, row, turned), directed=True).ties.height == 2

    def test_one_activity_at_two_dates_is_one_tie_with_the_later(self) -> None:
        """The date of a tie is the latest known."""
        frame = ties(("a", "b", "x", date(2020, 1, 1)), ("b", "a", "x", TODAY), ("a", "b", "x"))
        assert Network.from_ties(frame).ties.rows() == [("a", "b", "x", TODAY, 1.0, None)]

    def test_nameless_ties_at_two_dates_are_two(self) -> None:
        """Without an activity nothing says that they are the same."""
        frame = ties(("a", "b", None, date(2020, 1, 1)), ("a", "b", None, TODAY))
        assert Network.from_ties(frame).weights[0, 1] == 2

    def test_parallel_activities_add_up(self) -> None:
        """Two activities of one pair are two ties and one joined pair."""
        network = Network.from_ties(ties(("a", "b", "x", None, 2), ("b", "a", "y", None, 0.5)))
        assert network.ties.height == 2
        assert network.weights.toarray().tolist() == [[0, 2.5], [2.5, 0]]
        assert network.adjacency.toarray().tolist() == [[0, 1], [1, 0]]

    def test_the_order_of_the_rows_does_not_matter(self) -> None:
        """Any order of the same rows gives the same ties and the same bits in the matrices."""
        first = Network.from_ties(village())
        for seed in range(5):
            other = Network.from_ties(village().sample(fraction=1, shuffle=True, seed=seed))
            assert other.organisations == first.organisations
            assert other.ties.equals(first.ties)
            assert (other.weights.toarray() == first.weights.toarray()).all()
            assert (other.incidence.toarray() == first.incidence.toarray()).all()

    def test_iris_of_any_script_are_told_apart_by_their_characters(self) -> None:
        """Greek, emoji and two spellings of é are names like others, in the order of code points."""
        names = ["https://x/ώ", "https://x/🌾", "https://x/é", "https://x/e\u0301", "https://x/z"]
        network = Network.from_pairs([(names[0], names[1]), (names[2], names[3])], organisations=names)
        assert network.organisations == tuple(sorted(names))
        assert network.weights[network.rows[names[2]], network.rows[names[3]]] == 1

    def test_its_repr_is_one_line(self) -> None:
        """A network says its name, size and kind."""
        network = Network.from_ties(village(), name="networks/all")
        assert repr(network) == "Network networks/all: 5 organisations, 5 ties, undirected"


class TestRefusals:
    """What is not a network's answer is refused with the column's name."""

    @pytest.mark.parametrize("column", COLUMNS)
    def test_a_missing_column_is_named(self, column: str) -> None:
        """The message names the column and the query."""
        with pytest.raises(DataError, match=f"lack the column {column}") as caught:
            Network.from_ties(village().drop(column), name="networks/odd")
        assert caught.value.where == "query networks/odd"
        assert "source, target, activity" in caught.value.hint

    def test_a_column_that_no_network_knows_is_named(self) -> None:
        """A further column would be lost without a word, so it is refused."""
        with pytest.raises(DataError, match="label"):
            Network.from_ties(village().with_columns(label=pl.lit("x")))

    @pytest.mark.parametrize(
        ("column", "value", "fault"),
        [
            ("source", None, "is empty in 1 of 1 rows"),
            ("source", "", "empty text"),
            ("target", "", "empty text"),
            ("source", 7, "not text"),
            ("kind", True, "not text"),
            ("date", "7 December 2015", "holds '7 December 2015'"),
            ("date", 2015, "not dates"),
            ("weight", "much", "holds 'much'"),
            ("weight", 0, "holds 0.0"),
            ("weight", -1.5, "holds -1.5"),
            ("weight", float("nan"), "holds nan"),
            ("weight", float("inf"), "holds inf"),
            ("weight", True, "not numbers"),
        ],
    )
    def test_an_odd_value_is_named(self, column: str, value: object, fault: str) -> None:
        """The message names the column and what it holds."""
        row = {"source": "mill", "target": "farm"} | {column: value}
        with pytest.raises(DataError, match=f"'{column}'") as caught:
            Network.from_ties(ties(tuple(row.get(name) for name in COLUMNS)))
        assert fault in caught.value.what

    def test_an_unknown_organisation_lists_the_near_ones(self) -> None:
        """Subsets and departures speak of organisations that are there."""
        network = Network.from_ties(village())
        with pytest.raises(UnknownNameError, match="did you mean: bakery"):
            network.without("bakrey")
        with pytest.raises(UnknownNameError, match="farn"):
            network.subset(["farm", "farn"])


class TestLoading:
    """From a store through a network query."""

    @pytest.mark.parametrize("name", [name for name in queries.catalogue() if name.startswith("networks/")])
    def test_a_network_holds_what_its_query_answers(self, village_store: Store, name: str) -> None:
        """Each shipped network query keeps the contract, and none of its rows is lost."""
        rows = queries.run(village_store, name)
        network = load_network(village_store, name)
        assert network.name == name
        assert set(network.organisations) == {*rows["source"], *rows["target"].drop_nulls()}
        assert network.ties.height == rows["target"].drop_nulls().len()
        assert network.weights.sum() == pytest.approx(network.ties["weight"].sum() * (2 - network.directed))

    @pytest.mark.parametrize(
        "parameters",
        [
            {},
            {"status": f"{VOC}status/completed"},
            {"ignored_role": f"{VOC}role/host"},
            {"ignored_role": f"{VOC}role/member"},
        ],
    )
    @pytest.mark.parametrize("place", [village_graph, harbour_store])
    def test_joining_the_participations_gives_the_ties_of_the_query(
        self, place: Callable[[], Store], parameters: dict[str, str]
    ) -> None:
        """The network of working together is the same, whether the engine joins those of one activity or we do."""
        store = place()
        asked = Network.from_ties(queries.run(store, "networks/collaboration", **parameters))
        network = load_network(store, **parameters)
        assert network.organisations == asked.organisations
        assert network.ties.drop("weight").equals(asked.ties.drop("weight"))
        assert network.ties["weight"].to_list() == pytest.approx(asked.ties["weight"].to_list(), rel=1e-12)

    def test_the_tag_decides_about_direction(self, village_store: Store) -> None:
        """Funding is directed, collaboration, the usual network, is not."""
        assert load_network(village_store, "networks/funding").directed
        assert load_network(village_store).ties.height
        assert not load_network(village_store).directed
        assert load_network(village_store).name == "networks/collaboration"

    def test_parameters_reach_the_query(self, village_store: Store) -> None:
        """With no activity of the asked status there is no tie left; an unknown parameter is refused."""
        nobody = "https://w3id.org/solidarity-graph/vocabulary/status/nothing"
        assert load_network(village_store, status=nobody).ties.height < load_network(village_store).ties.height
        with pytest.raises(UnknownNameError, match="did you mean: status"):
            load_network(village_store, statuss=nobody)

    def test_another_query_is_refused(self, village_store: Store) -> None:
        """A name that is not known lists the near ones, a query that is no network its missing columns."""
        with pytest.raises(UnknownNameError, match="networks/collaboration"):
            load_network(village_store, "networks/colaboration")
        with pytest.raises(DataError, match="lack the column source") as caught:
            load_network(village_store, "gaps/organisations")
        assert caught.value.where == "query gaps/organisations"

    def test_loading_logs_one_line(self, village_store: Store, caplog: pytest.LogCaptureFixture) -> None:
        """At INFO stand the name, the counts and the time."""
        with caplog.at_level(logging.INFO, logger="graphkit.network"):
            network = load_network(village_store)
        (line,) = (record.getMessage() for record in caplog.records if record.name == "graphkit.network")
        assert line.startswith(repr(network))


class TestMatrices:
    """The matrices that every measure reads."""

    def test_an_empty_answer_is_an_empty_network(self) -> None:
        """No rows, no columns of data, no error."""
        for frame in (ties(), ties().cast(pl.String)):
            network = Network.from_ties(frame)
            assert network.weights.shape == network.adjacency.shape == network.incidence.shape == (0, 0)
            assert network.to_networkx().number_of_nodes() == 0
            assert recency_weights(network, TODAY).shape == (0, 0)

    def test_isolates_alone_have_rows_without_values(self) -> None:
        """Organisations without ties keep their place."""
        network = Network.from_pairs([], organisations=["b", "a"])
        assert network.weights.shape == (2, 2)
        assert network.weights.nnz == 0
        assert network.incidence.shape == (2, 0)
        assert recency_weights(network, TODAY).nnz == 0

    def test_weights_hold_the_sums(self) -> None:
        """The village counted by hand."""
        weights = Network.from_ties(village()).weights.toarray()
        assert weights.tolist() == [
            [0, 2, 1, 0, 1],
            [2, 0, 0, 0, 0],
            [1, 0, 0, 0, 1.5],
            [0, 0, 0, 0, 0],
            [1, 0, 1.5, 0, 0],
        ]

    def test_a_directed_network_has_one_sided_weights_and_symmetric_adjacency(self) -> None:
        """Direction is read by weights and steps, not by adjacency."""
        network = Network.from_ties(ties(("b", "a", "x", None, 3), ("a", "b", "y"), ("a", "c")), directed=True)
        assert network.weights.toarray().tolist() == [[0, 1, 1], [3, 0, 0], [0, 0, 0]]
        assert network.steps.toarray().tolist() == [[0, 1, 1], [1, 0, 0], [0, 0, 0]]
        assert network.adjacency.toarray().tolist() == [[0, 1, 1], [1, 0, 0], [1, 0, 0]]

    def test_incidence_tells_who_takes_part(self) -> None:
        """Each activity's column holds a 1 for each of its organisations."""
        network = Network.from_ties(village())
        assert network.activities == ("loan", "market", "orchard")
        assert network.incidence.toarray().tolist() == [[1, 1, 0], [1, 0, 0], [0, 1, 1], [0, 0, 0], [0, 1, 1]]

    def test_subset_is_the_network_of_the_rows_that_remain(self) -> None:
        """Taking a part gives what reading that part would give."""
        network = Network.from_ties(village(), name="v")
        part = network.subset(["mill", "farm", "school"])
        rows = village().filter(pl.col("source").is_in(["farm", "mill"]))
        assert part.ties.equals(Network.from_ties(rows).ties)
        assert (part.organisations, part.name) == (("farm", "mill", "school"), "v")
        assert network.without("bakery").organisations == ("bank", "farm", "mill", "school")
        assert network.without("bakery").ties["activity"].to_list() == ["market", "orchard"]

    def test_the_graph_of_networkx_holds_the_same(self) -> None:
        """Nodes with isolates; edges with weight, activities, kinds and the latest date."""
        network = Network.from_ties(village())
        graph = network.to_networkx()
        assert list(graph) == list(network.organisations)
        assert graph.edges["farm", "school"] == {
            "weight": 1.5,
            "activities": ("market", "orchard"),
            "kinds": ("membership", "participation"),
            "date": "2023-01-01",
        }
        assert graph.edges["bakery", "bank"]["kinds"] == ("funding",)
        assert (nx.to_numpy_array(graph) == network.weights.toarray()).all()

    def test_the_graph_of_a_directed_network_is_directed(self) -> None:
        """An undated tie has no date; both directions are edges of their own."""
        network = Network.from_ties(ties(("b", "a", "x", None, 3), ("a", "b")), directed=True)
        graph = network.to_networkx()
        assert graph.is_directed()
        assert graph.edges["b", "a"] == {"weight": 3.0, "activities": ("x",), "kinds": (), "date": None}
        assert (nx.to_numpy_array(graph) == network.weights.toarray()).all()

    def test_a_changed_graph_does_not_change_the_network(self) -> None:
        """Each call gives a new graph."""
        network = Network.from_ties(village())
        network.to_networkx().remove_node("farm")
        assert "farm" in network.to_networkx()


class TestRecency:
    """The weights of recent and small activities."""

    def test_equal_newmans_projection_where_all_is_of_today(self) -> None:
        """With age 0 the weights are networkx's collaboration weighted projection."""
        random = np.random.default_rng(1)
        sides = nx.Graph((f"o{random.integers(40):02}", f"a{activity}") for activity in range(25) for _ in range(6))
        members = sorted(node for node in sides if node.startswith("o"))
        cliques = [
            (left, right, activity, TODAY)
            for activity in sides
            if activity.startswith("a")
            for left in sides[activity]
            for right in sides[activity]
            if left < right
        ]
        network = Network.from_ties(ties(*cliques))
        expected = bipartite.collaboration_weighted_projected_graph(sides, members)
        found = recency_weights(network, TODAY).toarray()
        reference = nx.to_numpy_array(expected, nodelist=list(network.organisations))
        np.testing.assert_allclose(found, reference, atol=1e-14)

    def test_age_fades_and_size_divides(self) -> None:
        """Three in a market two years ago: near exp(-1) / 2 for each pair."""
        old = date(2024, 1, 1)
        frame = ties(("a", "b", "x", old), ("a", "c", "x", old), ("b", "c", "x", old))
        weights = recency_weights(Network.from_ties(frame), TODAY, tau=2).toarray()
        years = (TODAY - old).days / 365.25
        np.testing.assert_allclose(weights, (1 - np.eye(3)) * np.exp(-years / 2) / 2)

    def test_what_is_planned_counts_as_of_today(self) -> None:
        """A date ahead does not lift a pair above a fresh one."""
        network = Network.from_ties(ties(("a", "b", "x", date(2031, 1, 1))))
        assert recency_weights(network, TODAY)[0, 1] == 1

    def test_an_undated_activity_has_the_median_age(self) -> None:
        """Of ages 1, 3 and 8 years the undated one gets 3; each activity counts once, however large."""
        dated = [("a", "b", "x", date(2025, 1, 1)), ("c", "d", "y", date(2023, 1, 1))]
        crowd = [(left, right, "z", date(2018, 1, 1)) for left, right in ("ef", "eg", "fg")]
        network = Network.from_ties(ties(*dated, *crowd, ("h", "i", "w")))
        weights = recency_weights(network, TODAY)
        assert weights[network.rows["h"], network.rows["i"]] == weights[network.rows["c"], network.rows["d"]]

    def test_an_undated_pair_takes_the_date_of_its_activity(self) -> None:
        """What is known of others in the same activity comes before the median."""
        frame = ties(("a", "b", "x", TODAY), ("b", "c", "x"), ("d", "e", "y", date(2010, 1, 1)))
        weights = recency_weights(Network.from_ties(frame), TODAY).toarray()
        assert weights[0, 1] == weights[1, 2] == 0.5

    def test_without_any_date_size_alone_decides(self) -> None:
        """A tie without activity is an activity of two."""
        network = Network.from_ties(ties(("a", "b"), ("a", "b", "x"), ("b", "c", "x")))
        assert recency_weights(network, TODAY).toarray().tolist() == [[0, 1.5, 0], [1.5, 0, 0.5], [0, 0.5, 0]]

    def test_one_activity_in_two_kinds_counts_once(self) -> None:
        """Two kinds of tie in one activity do not double the pair."""
        frame = ties(("a", "b", "x", TODAY, 1, "event"), ("a", "b", "x", TODAY, 5, "membership"))
        assert recency_weights(Network.from_ties(frame), TODAY)[0, 1] == 1

    def test_a_directed_network_gets_symmetric_weights(self) -> None:
        """Recency and size know no direction; both ways in one activity count once."""
        frame = ties(("b", "a", "x", TODAY), ("a", "b", "x", TODAY))
        weights = recency_weights(Network.from_ties(frame, directed=True), TODAY).toarray()
        assert weights.tolist() == [[0, 1], [1, 0]]

    @pytest.mark.parametrize("tau", [0, -2, float("nan")])
    def test_tau_must_be_above_0(self, tau: float) -> None:
        """Ages cannot fade in no time."""
        with pytest.raises(UsageError, match="tau"):
            recency_weights(Network.from_ties(village()), TODAY, tau=tau)


def test_a_network_comes_back_from_networkx(village: Store) -> None:
    """Weights, activities, kinds, dates of the pairs and isolates survive the way to networkx and back."""
    there = load_network(village)
    back = Network.from_networkx(there.to_networkx())
    assert back.organisations == there.organisations
    assert abs(back.weights - there.weights).max() < 1e-12
    assert back.activities == there.activities
    assert abs(back.incidence - there.incidence).max() == 0
    assert not back.directed
    parallel = nx.MultiDiGraph([("a", "b", {"weight": 2}), ("a", "b", {"weight": 2})])
    assert Network.from_networkx(parallel).weights.sum() == 4
    assert Network.from_networkx(parallel).directed
    with pytest.raises(DataError, match="weight"):
        Network.from_networkx(nx.Graph([("a", "b", {"weight": -1})]))
