"""A network: organisations joined by ties, read from the answer of a query and held as sparse matrices."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from functools import cached_property, wraps
from time import perf_counter
from typing import Any, Concatenate, Final, ParamSpec, TypeAlias, TypeVar

import networkx as nx
import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from graphkit import queries
from graphkit.errors import DataError, UsageError, unknown_name
from graphkit.store.base import Store

__all__ = ["COLUMNS", "Matrix", "Network", "load_network", "recency_weights", "takes_graph"]

_P = ParamSpec("_P")
_R = TypeVar("_R")

Matrix: TypeAlias = "sparse.csr_array[np.float64, tuple[int, int]]"
"""A sparse matrix of doubles in compressed rows, as every measure reads it."""

COLUMNS: Final = ("source", "target", "activity", "date", "weight", "kind")
"""What a network query answers, in this order."""

_DAYS_OF_A_YEAR: Final = 365.25
_PREFERRED: Final = "identity/preferred"
_PARTICIPATIONS: Final[Mapping[str, str]] = {"networks/collaboration": "explore/participations"}
"""Networks that join all who took part in one activity, each with the query that lists who did."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """Organisations and the ties between them; build it with `from_ties`, `from_pairs` or `load_network`.

    `organisations` are IRIs in order; the place of an IRI is its row and column in every matrix. `ties` has a
    row for each tie with the columns of `COLUMNS`, in order of its columns: an undirected tie is named from
    the smaller IRI to the larger, `weight` is above 0, `date`, `activity` and `kind` may be null. The same
    rows in any order give the same network.
    """

    name: str
    organisations: tuple[str, ...]
    ties: pl.DataFrame
    directed: bool = False

    @classmethod
    def from_ties(cls, frame: pl.DataFrame, *, name: str = "", directed: bool = False) -> Network:
        """Build a network from the rows of a network query.

        A row without target says that its source is in scope and may have no tie. A tie of an organisation to
        itself is dropped, the organisation stays. A missing weight is 1. Rows that agree in pair, activity,
        kind and weight are one tie with the latest date (without an activity also the date must agree); rows
        that differ are ties of their own, and their weights add up.

        Raises `DataError` that names the column which is missing, not known, or holds something else than it
        should.

        >>> rows = pl.DataFrame({
        ...     "source": ["b", "c"], "target": ["a", None], "activity": ["shop", None],
        ...     "date": ["2015-12-07", None], "weight": [2, None], "kind": ["participation", None],
        ... })
        >>> Network.from_ties(rows).ties.rows()
        [('a', 'b', 'shop', datetime.date(2015, 12, 7), 2.0, 'participation')]
        """
        where = f"query {name}" if name else ""
        rows = _checked(frame, where)
        known = pl.concat([rows["source"], rows["target"]]).drop_nulls().unique().sort()
        return cls(name, tuple(known.to_list()), _tidied(rows, directed=directed), directed)

    @classmethod
    def from_pairs(
        cls,
        pairs: Iterable[tuple[str, str]],
        *,
        organisations: Iterable[str] = (),
        name: str = "",
        directed: bool = False,
    ) -> Network:
        """Build a network of bare ties (weight 1, no activity or date) from pairs, and isolates by name.

        >>> Network.from_pairs([("a", "b"), ("c", "b")], organisations=["d"])
        Network: 4 organisations, 2 ties, undirected
        """
        rows = [*pairs, *((organisation, None) for organisation in organisations)]
        frame = pl.DataFrame(rows, schema={"source": pl.String, "target": pl.String}, orient="row")
        return cls.from_ties(
            frame.with_columns(pl.lit(None).alias(column) for column in COLUMNS[2:]),
            name=name,
            directed=directed,
        )

    @classmethod
    def from_networkx(cls, graph: nx.Graph[Any], *, name: str = "") -> Network:
        """Build a network from a networkx graph, directed where that is; the way back from `to_networkx`.

        The edge attribute `weight` is read (1 where it is absent), and `date` and `kind` where they are there. An edge
        with `activities` becomes one tie for each, among which its weight is shared evenly. Parallel edges add up.
        The things that are joined are named by their text. Raises `DataError` as `from_ties`.

        >>> Network.from_networkx(nx.path_graph(["a", "b", "c"]))
        Network: 3 organisations, 2 ties, undirected
        """
        rows: list[tuple[str, str | None, str | None, object, object, str | None]] = []
        for source, target, data in graph.edges(data=True):
            activities = data.get("activities") or (data.get("activity"),)
            weight = data.get("weight", 1) / len(activities)
            kind = data.get("kind") or next(iter(data.get("kinds", ())), None)
            rows += [(str(source), str(target), each, data.get("date"), weight, kind) for each in activities]
        if graph.is_multigraph():
            rows = [(*row[:2], row[2] or f"edge {number}", *row[3:]) for number, row in enumerate(rows)]
        rows += [(str(each), None, None, None, None, None) for each in graph]
        text = [pl.String, pl.String, pl.String, pl.String, pl.Float64, pl.String]
        frame = pl.DataFrame(
            [tuple(str(v) if n == 3 and v is not None else v for n, v in enumerate(row)) for row in rows],  # noqa: PLR2004
            schema=dict(zip(COLUMNS, text, strict=True)),
            orient="row",
        )
        return cls.from_ties(frame, name=name, directed=graph.is_directed())

    def __repr__(self) -> str:
        """Say name, size and kind in one line."""
        kind = "directed" if self.directed else "undirected"
        label = f"Network {self.name}".rstrip()
        return f"{label}: {len(self.organisations)} organisations, {self.ties.height} ties, {kind}"

    @cached_property
    def rows(self) -> Mapping[str, int]:
        """The row number of each organisation."""
        return {organisation: row for row, organisation in enumerate(self.organisations)}

    @cached_property
    def names(self) -> pl.Series:
        """The organisations in order, as every frame names them."""
        return pl.Series("organisation", self.organisations, dtype=pl.String)

    @cached_property
    def ends(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The row numbers of source and target of each tie, in the order of `ties`."""
        kind = pl.Enum(self.organisations)
        return _codes(self.ties["source"], kind), _codes(self.ties["target"], kind)

    @cached_property
    def weights(self) -> Matrix:
        """The sum of the weights of the ties from row to column, organisations x organisations.

        The diagonal is empty; the matrix of an undirected network is symmetric.
        """
        matrix = _matrix(self.ties["weight"].to_numpy(), self.ends, (len(self.organisations),) * 2)
        return matrix if self.directed else _mirrored(matrix)

    @cached_property
    def steps(self) -> Matrix:
        """1 where a tie leads from row to column, so both ways where the network is undirected."""
        return _ones(self.weights)

    @cached_property
    def adjacency(self) -> Matrix:
        """1 where two organisations are joined, whatever the direction: symmetric, the diagonal empty."""
        return _ones(_mirrored(self.weights)) if self.directed else self.steps

    @cached_property
    def activities(self) -> tuple[str, ...]:
        """The IRIs of the activities that join organisations, in order: the columns of `incidence`."""
        return tuple(self.ties["activity"].drop_nulls().unique().sort().to_list())

    @cached_property
    def incidence(self) -> Matrix:
        """1 where an organisation takes part in an activity, organisations x activities.

        Known from the ties alone: an activity with one organisation joins nobody and has no column.
        """
        named = self.ties["activity"].is_not_null().to_numpy()
        columns = _codes(self.ties["activity"].drop_nulls(), pl.Enum(self.activities))
        source, target = (end[named] for end in self.ends)
        place = (np.concatenate([source, target]), np.concatenate([columns, columns]))
        shape = (len(self.organisations), len(self.activities))
        return _ones(_matrix(np.ones(place[0].size), place, shape))

    @cached_property
    def structure(self) -> nx.Graph[int]:
        """The adjacency as a plain graph on row numbers, for algorithms of networkx: do not change it."""
        upper = sparse.triu(self.adjacency, 1).tocoo()
        graph: nx.Graph[int] = nx.Graph()
        graph.add_nodes_from(range(len(self.organisations)))
        graph.add_edges_from(zip(upper.row.tolist(), upper.col.tolist(), strict=True))
        return graph

    def to_networkx(self) -> nx.Graph[str]:
        """Return a new networkx graph with all organisations, a `DiGraph` where the network is directed.

        An edge has `weight` (the sum over its ties), `activities` and `kinds` (tuples in order), and `date`
        (the latest as ISO text, or None).
        """
        graph: nx.Graph[str] = nx.DiGraph() if self.directed else nx.Graph()
        graph.add_nodes_from(self.organisations)
        edges = self.ties.group_by("source", "target", maintain_order=True).agg(
            pl.col("weight").sum(),
            pl.col("activity").drop_nulls().unique().sort().alias("activities"),
            pl.col("kind").drop_nulls().unique().sort().alias("kinds"),
            pl.col("date").max().dt.to_string("iso"),
        )
        graph.add_edges_from(
            (source, target, {"weight": weight, "activities": tuple(a), "kinds": tuple(k), "date": day})
            for source, target, weight, a, k, day in edges.iter_rows()
        )
        return graph

    def table(self, **columns: pl.Series | NDArray[Any]) -> pl.DataFrame:
        """Return a frame with a row for each organisation and the given arrays or series beside it."""
        return pl.DataFrame({"organisation": self.names, **columns})

    def subset(self, organisations: Iterable[str]) -> Network:
        """Return the network of these organisations and the ties among them.

        Raises `UnknownNameError` for an organisation that the network has not.

        >>> Network.from_pairs([("a", "b"), ("b", "c")]).subset(["c", "b"])
        Network: 2 organisations, 1 ties, undirected
        """
        kept = set(organisations)
        self._check_known(kept)
        both = pl.all_horizontal(pl.col("source", "target").is_in(kept))
        return Network(self.name, tuple(sorted(kept)), self.ties.filter(both), self.directed)

    def without(self, organisation: str) -> Network:
        """Return the network as it were if `organisation` left, with all its ties."""
        self._check_known({organisation})
        return self.subset(self.rows.keys() - {organisation})

    def _check_known(self, organisations: AbstractSet[str]) -> None:
        strangers = sorted(organisations - self.rows.keys())
        if strangers:
            raise unknown_name("organisation", strangers[0], self.organisations, where=repr(self))


def takes_graph(
    measure: Callable[Concatenate[Network, _P], _R],
) -> Callable[Concatenate[Network | nx.Graph[Any], _P], _R]:
    """Let a measure take a networkx graph as well, which is read by `Network.from_networkx`.

    >>> takes_graph(lambda network: len(network.organisations))(nx.path_graph(3))
    3
    """

    @wraps(measure)
    def taking(network: Network | nx.Graph[Any], /, *others: _P.args, **named: _P.kwargs) -> _R:
        known = network if isinstance(network, Network) else Network.from_networkx(network)
        return measure(known, *others, **named)

    return taking


def load_network(store: Store, name: str = "networks/collaboration", **parameters: str | Sequence[str]) -> Network:
    """Run the network query `name` on `store` and build its network, directed where its tags say so.

    Records of one organisation are one: each is replaced by the record that stands for it (`sol:preferredRecord`).
    The network of working together is read from the list of who took part in what and joined here, which gives the
    same ties: a consortium of 186 is then 186 rows and not 17,000.

    Raises `UnknownNameError` for a query or parameter that is not known, `DataError` where the answer is not
    that of a network query.
    """
    start = perf_counter()
    directed = "directed" in queries.find(name).tags
    if name in _PARTICIPATIONS:
        rows = _joined(queries.run(store, _PARTICIPATIONS[name], **parameters), f"query {name}")
    else:
        rows = queries.run(store, name, **parameters)
    ties = _by_preferred_record(store, rows)
    network = Network.from_ties(ties, name=name, directed=directed)
    _log.info("%r in %.2f s", network, perf_counter() - start)
    return network


def _joined(rows: pl.DataFrame, where: str) -> pl.DataFrame:
    """Join all who took part in one activity, each pair with weight 1 / (size - 1), and name all that there are."""
    members = rows.with_columns(_date(rows["date"], where)).drop_nulls("activity")
    days = members.group_by("activity").agg(pl.col("date").max(), size=pl.col("organisation").n_unique())
    kinds = {name: pl.Enum(members[name].unique().sort()) for name in ("organisation", "activity")}
    codes = members.select(pl.col(name).cast(kind) for name, kind in kinds.items()).unique()
    pairs = codes.join(codes.rename({"organisation": "target"}), on="activity").filter(
        pl.col("organisation").to_physical() < pl.col("target").to_physical()
    )
    ties = pairs.join(days.with_columns(pl.col("activity").cast(kinds["activity"])), on="activity").select(
        pl.col("organisation").cast(pl.String).alias("source"),
        pl.col("target", "activity").cast(pl.String),
        "date",
        weight=1 / (pl.col("size") - 1),
        kind=pl.lit("participation"),
    )
    alone = rows.filter(pl.col("activity").is_null()).select(pl.col("organisation").alias("source"))
    return pl.concat([ties, alone], how="diagonal").select(COLUMNS)


def _by_preferred_record(store: Store, ties: pl.DataFrame) -> pl.DataFrame:
    """Put the record that stands for an organisation in the place of its other records."""
    preferred = queries.run(store, _PREFERRED)
    if preferred.is_empty() or not {"source", "target"} <= set(ties.columns):
        return ties
    return ties.with_columns(pl.col("source", "target").replace(preferred["record"], preferred["preferred"]))


def recency_weights(network: Network, today: date, *, tau: float = 2.0) -> Matrix:
    """Weigh each pair by how recent and how small its shared activities are.

    W_ij = sum over the activities a that join i and j of exp(-age_a / tau) / (size_a - 1): symmetric, the
    diagonal empty, organisations x organisations.

    Parameters
    ----------
    today : date
        The day from which ages are counted, in years of 365.25 days; what lies ahead has age 0.
    tau : float
        The years after which a tie counts 1/e of a fresh one. Above 0, else `UsageError`.

    Notes
    -----
    `size_a` counts the organisations that the network knows in the activity; a tie without activity is an
    activity of two. An activity counts once for a pair, at its latest date for that pair, else at its latest
    date for anyone. An undated activity has the median age of the dated ones, so that a date which is not
    known neither lifts nor lowers a pair; where nothing is dated all ages are 0 and size alone decides. The
    weights of the ties are not read.

    References
    ----------
    M. E. J. Newman, Scientific collaboration networks II, Physical Review E 64, 016132 (2001), for the size.

    >>> pair = Network.from_pairs([("a", "b")])
    >>> recency_weights(pair, date(2026, 1, 1)).toarray().tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    if not tau > 0:
        raise UsageError(f"tau is {tau}, but it counts years", hint="give a number above 0, such as 2")
    shared = _shared_activities(network)
    years = (pl.lit(today) - pl.col("date")).dt.total_days().clip(0) / _DAYS_OF_A_YEAR
    ages = shared.with_columns(age=years)
    typical = ages.group_by("activity").agg(pl.col("age").min())["age"].median()
    faded = ages.select((-pl.col("age").fill_null(typical or 0.0) / tau).exp() / (pl.col("size") - 1))
    place = (shared["source"].to_numpy(), shared["target"].to_numpy())
    half = _matrix(faded.to_series().to_numpy(), place, network.weights.shape)
    return _mirrored(half)


def _shared_activities(network: Network) -> pl.DataFrame:
    """List each unordered pair of rows once for each shared activity, with its latest date and size."""
    source, target = network.ends
    nameless = pl.int_range(pl.len()) + len(network.activities)
    ties = network.ties.select(
        pl.Series("source", np.minimum(source, target)),
        pl.Series("target", np.maximum(source, target)),
        pl.col("activity").cast(pl.Enum(network.activities)).to_physical().cast(pl.Int64).fill_null(nameless),
        "date",
    )
    sizes = pl.Series(network.incidence.sum(axis=0))
    return (
        ties.group_by("source", "target", "activity")
        .agg(pl.col("date").max())
        .sort("source", "target", "activity")
        .with_columns(
            pl.coalesce("date", pl.col("date").max().over("activity")),
            size=pl.col("activity").replace_strict(np.arange(len(sizes)), sizes, default=2.0),
        )
    )


def _checked(frame: pl.DataFrame, where: str) -> pl.DataFrame:
    """Return the columns of a network query in their types, or raise a `DataError` that tells what is odd."""
    _check_names(frame.columns, where)
    texts = {name: _text(frame[name], where) for name in ("source", "target", "activity", "kind")}
    rows = frame.select(COLUMNS).with_columns(
        date=_date(frame["date"], where), weight=_weight(frame["weight"], where), **texts
    )
    lost = rows["source"].null_count()
    if lost:
        raise _odd("source", f"is empty in {lost} of {rows.height} rows", where, "every row names a source")
    for name in ("source", "target"):
        if (rows[name] == "").any():
            raise _odd(name, "holds an empty text", where, "leave out the value (null) where there is none")
    return rows


def _check_names(names: Collection[str], where: str) -> None:
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise DataError(
            f"the rows of a network lack the column {', '.join(missing)}",
            where=where,
            hint=f"a network query answers {', '.join(COLUMNS)}",
        )
    extra = sorted(set(names) - set(COLUMNS))
    if extra:
        raise DataError(
            f"the rows of a network have a column that no network knows: {', '.join(extra)}",
            where=where,
            hint=f"a network query answers {', '.join(COLUMNS)} and no more",
        )


def _odd(column: str, fault: str, where: str, hint: str) -> DataError:
    return DataError(f"the column '{column}' of a network {fault}", where=where, hint=hint)


def _text(column: pl.Series, where: str) -> pl.Series:
    if column.dtype not in (pl.String, pl.Null, pl.Categorical, pl.Enum):
        raise _odd(column.name, f"holds {column.dtype} and not text", where, "IRIs and kinds are text")
    return column.cast(pl.String)


def _date(column: pl.Series, where: str) -> pl.Series:
    hint = "a date is an xsd:date such as 2015-12-07"
    if column.dtype == pl.String:
        dates = column.str.to_date("%Y-%m-%d", strict=False)
        _check_readable(column, dates, where, hint)
        return dates
    if column.dtype not in (pl.Date, pl.Datetime, pl.Null):
        raise _odd(column.name, f"holds {column.dtype} and not dates", where, hint)
    return column.cast(pl.Date)


def _weight(column: pl.Series, where: str) -> pl.Series:
    hint = "a weight is a number above 0, or null for 1"
    if not (column.dtype.is_numeric() or column.dtype in (pl.String, pl.Null)):
        raise _odd(column.name, f"holds {column.dtype} and not numbers", where, hint)
    numbers = column.cast(pl.Float64, strict=False)
    _check_readable(column, numbers, where, hint)
    refused = numbers.filter(~(numbers.is_finite() & (numbers > 0)))
    if refused.len():
        raise _odd(column.name, f"holds {refused[0]}", where, hint)
    return numbers.fill_null(1.0)


def _check_readable(before: pl.Series, after: pl.Series, where: str, hint: str) -> None:
    lost = before.filter(before.is_not_null() & after.is_null())
    if lost.len():
        raise _odd(before.name, f"holds '{lost[0]}'", where, hint)


def _tidied(rows: pl.DataFrame, *, directed: bool) -> pl.DataFrame:
    """Drop what is no tie, name undirected ties from the smaller IRI, join what is said twice, and sort."""
    ties = rows.filter(pl.col("source") != pl.col("target"))
    if not directed:
        ties = ties.with_columns(
            source=pl.min_horizontal("source", "target"), target=pl.max_horizontal("source", "target")
        )
    nameless_date = pl.when(pl.col("activity").is_null()).then("date").alias("nameless_date")
    return (
        ties.group_by("source", "target", "activity", "kind", "weight", nameless_date)
        .agg(pl.col("date").max())
        .select(COLUMNS)
        .sort("source", "target", "activity", "kind", "date", "weight")
    )


def _codes(column: pl.Series, kind: pl.Enum) -> NDArray[np.int64]:
    return column.cast(kind).to_physical().cast(pl.Int64).to_numpy()


def _matrix(
    values: NDArray[np.float64], place: tuple[NDArray[np.int64], NDArray[np.int64]], shape: tuple[int, int]
) -> Matrix:
    """Put values into a sparse matrix, adding those of one place."""
    matrix: Matrix = sparse.coo_array((values, place), shape=shape, dtype=np.float64).tocsr()
    return matrix


def _mirrored(matrix: Matrix) -> Matrix:
    """Return the sum of `matrix` and its transpose."""
    return sparse.csr_array(matrix + matrix.T)


def _ones(matrix: Matrix) -> Matrix:
    """Return 1 where `matrix` has a value."""
    result = matrix.copy()
    result.data = np.ones_like(result.data)
    return result
