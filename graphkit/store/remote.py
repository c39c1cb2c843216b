"""The store behind any SPARQL 1.1 endpoint, reached over HTTP through SPARQLWrapper."""

from __future__ import annotations

import ast
import http.client
import logging
import time
import urllib.error
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NoReturn
from urllib.parse import urlsplit

import polars as pl
import pyoxigraph as ox
import SPARQLWrapper as sw  # noqa: N813 - the library and its class share one name
from SPARQLWrapper.SPARQLExceptions import QueryBadFormed, SPARQLWrapperException

from graphkit.errors import GraphkitError, QueryError, StoreError, UsageError
from graphkit.store import engine
from graphkit.store.asking import Asking
from graphkit.store.base import Change, Diff, Store, Version
from graphkit.store.embedded import GRAPHS, graphs_frame, sorted_lines
from graphkit.store.formats import DEFAULT_GRAPH, convert, graph_name, rdf_format, write_quads
from graphkit.store.frames import frame_from_tsv
from graphkit.store.guard import check_query, names_dataset, query_form
from graphkit.store.remote_change import RemoteChange

__all__ = ["RemoteStore"]

_TABLE: Final = "application/sparql-results+json, application/sparql-results+xml;q=0.8"
_GRAPH: Final = "application/n-triples, text/turtle;q=0.9, application/rdf+xml;q=0.5"
_NOT_UNION: Final = "ASK { GRAPH ?g { ?s ?p ?o } FILTER NOT EXISTS { ?s ?p ?o } }"
_ANY_NAMED: Final = "ASK { GRAPH ?g { ?s ?p ?o } }"
_NAMES: Final = "SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } } ORDER BY ?g"
_NAMED_QUADS: Final = "SELECT ?s ?p ?o ?g { GRAPH ?g { ?s ?p ?o } }"
_OTHER_TRIPLES: Final = "SELECT ?s ?p ?o { ?s ?p ?o FILTER NOT EXISTS { GRAPH ?g { ?s ?p ?o } } }"
_NAMES_FRESH_SECONDS: Final = 10.0
_LONGEST_WORDS: Final = 300
_log = logging.getLogger(__name__)


class RemoteStore(Asking):
    """A store behind an endpoint, which keeps no versions.

    Queries are answered as on an embedded store: where the endpoint's default graph leaves out the named graphs,
    they are named with each query (their list is at most 10 seconds old). Triples in the default graph of such
    an endpoint are then seen only if it knows Oxigraph's parameter `union-default-graph`. A server that is set to
    make the union itself may not heed FROM, nor take an update with USING: an Oxigraph server with
    --union-default-graph does neither.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        update: str | None = None,
        timeout: float = 60.0,
        read_only: bool = False,
        token: str | None = None,
    ) -> None:
        for address in filter(None, (endpoint, update)):
            _check_address(address)
        self._endpoint, self._update = endpoint, update or _update_address(endpoint)
        self._timeout, self._read_only, self._token = timeout, read_only, token
        self._closed = self._changing = False
        self._union: dict[str, list[str]] | None = None
        self._names: tuple[float, list[str]] | None = None

    @property
    def location(self) -> str:
        """The endpoint's address."""
        return self._endpoint

    @property
    def version(self) -> Version | None:
        """None, because an endpoint keeps no versions for us."""
        return None

    def answer(self, sparql: str, media_type: str) -> bytes:
        """Answer any query form as the bytes of `media_type`."""
        return self.answer_in(sparql, media_type, self._timeout)

    def answer_in(
        self,
        sparql: str,
        media_type: str,
        seconds: float,
        *,
        default_graphs: Sequence[str] = (),
        named_graphs: Sequence[str] = (),
    ) -> bytes:
        """Answer any query form, waiting at most some seconds for each part of the answer.

        Graphs that are given are sent as the dataset of the SPARQL 1.1 Protocol, in place of any FROM.
        """
        check_query(sparql)
        graphs = query_form(sparql) in ("CONSTRUCT", "DESCRIBE")
        _ = engine.triples_format(media_type) if graphs else engine.results_format(media_type)
        dataset = {"default-graph-uri": [*default_graphs], "named-graph-uri": [*named_graphs]}
        if not default_graphs and not named_graphs:
            dataset = {} if names_dataset(sparql) else self._dataset()
        body, kind = self._ask(sparql, _GRAPH if graphs else _TABLE, dataset, seconds)
        return self._rewritten(body, kind, media_type, graphs=graphs)

    @property
    def read_only(self) -> bool:
        """Whether the store was opened for reading only."""
        return self._read_only

    def has_graph(self, graph: str | None) -> bool:
        """Tell whether a named graph, or the default graph, holds anything."""
        if graph is None:
            return bool(self.default_graph())
        return self._truth(f"ASK {{ GRAPH {graph_name(graph)} {{ ?s ?p ?o }} }}", {})

    def default_graph(self, suffix: str = "nt") -> bytes:
        """Write the triples that lie in no named graph, in the format of `suffix`."""
        rdf_format(suffix)
        copy = ox.Store()
        copy.load(_lines(self._table(_OTHER_TRIPLES), graphs=False), format=ox.RdfFormat.TURTLE)
        return sorted_lines(write_quads(copy, suffix, DEFAULT_GRAPH), suffix)

    def graphs(self) -> pl.DataFrame:
        """List the named graphs as `graph` and `quads`, ordered by name."""
        return graphs_frame(self._table(GRAPHS))

    def dump(self, suffix: str = "nq", graph: str | None = None) -> bytes:
        """Write all quads, or the triples of one `graph`, in the format of `suffix`."""
        rdf_format(suffix)
        copy = ox.Store()
        if graph is None:
            copy.load(_lines(self._table(_NAMED_QUADS), graphs=True), format=ox.RdfFormat.TRIG)
            copy.load(_lines(self._table(_OTHER_TRIPLES), graphs=False), format=ox.RdfFormat.TRIG)
        else:
            sparql = f"SELECT ?s ?p ?o {{ GRAPH {graph_name(graph)} {{ ?s ?p ?o }} }}"
            triples = _lines(self._table(sparql), graphs=False)
            copy.load(triples, format=ox.RdfFormat.TURTLE, to_graph=graph_name(graph))
        return sorted_lines(write_quads(copy, suffix, graph), suffix)

    @contextmanager
    def change(self, why: str, *, who: str = "") -> Iterator[Change]:
        """Gather a change and send it as one update request at the end of the block.

        An error inside the block sends nothing. Whether the request itself is all or nothing is the server's
        doing: most, Oxigraph among them, run a request in one transaction. A blank node's label may not stand
        in two updates of one change.
        """
        self._check_writable()
        change = RemoteChange()
        self._changing = True
        try:
            yield change
        finally:
            change.end()
            self._changing = False
        if request := change.request():
            self._send(request)
            self._names = None
            _log.info("sent a change by %s: %s", who or "this user", why)

    @contextmanager
    def trial(self) -> Iterator[Change]:
        """Open a change of a copy in memory, which is thrown away at the end of the block."""
        from graphkit.store.opening import open_store  # noqa: PLC0415 - that module imports this one

        with open_store() as copy:
            with copy.change("copy") as change:
                change.load(self.dump("nq"), media_type="nq")
            with copy.trial() as trial:
                yield trial

    def versions(self) -> list[Version]:
        """Raise `StoreError`: an endpoint keeps no versions."""
        self._refuse_versions()

    def at(self, number: int) -> Store:  # noqa: ARG002 - the contract's argument
        """Raise `StoreError`: an endpoint keeps no versions."""
        self._refuse_versions()

    def diff(self, old: int, new: int) -> Diff:  # noqa: ARG002 - the contract's arguments
        """Raise `StoreError`: an endpoint keeps no versions."""
        self._refuse_versions()

    def restore(self, number: int) -> Version:  # noqa: ARG002 - the contract's argument
        """Raise `StoreError`: an endpoint keeps no versions."""
        self._refuse_versions()

    def refresh(self) -> bool:
        """Return False: an endpoint is asked anew each time, so there is nothing to look for."""
        return False

    def close(self) -> None:
        """End the use of the endpoint; a closed store answers nothing."""
        self._closed = True

    def _refuse_versions(self) -> NoReturn:
        raise StoreError(
            "an endpoint keeps no versions",
            where=self._endpoint,
            hint="keep the graph in a folder (open_store with a path) to have versions, diff and restore",
        )

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("the store is closed", where=self._endpoint, hint="open it again with open_store")

    def _check_writable(self) -> None:
        self._check_open()
        if self._read_only:
            raise StoreError("the store was opened for reading only", where=self._endpoint)
        if self._changing:
            raise StoreError("a change is already open", where=self._endpoint, hint="do all of it in one block")

    def _dataset(self) -> dict[str, list[str]]:
        """Return the request parameters that make the default graph the union of all graphs."""
        if self._union is not None:
            return self._union
        if not self._truth(_NOT_UNION, {}):
            return self._settled({}) if self._truth(_ANY_NAMED, {}) else {}
        if not self._truth(_NOT_UNION, {"union-default-graph": [""]}):
            return self._settled({"union-default-graph": [""]})
        names = self._graph_names()
        return {"default-graph-uri": names, "named-graph-uri": names}

    def _settled(self, union: dict[str, list[str]]) -> dict[str, list[str]]:
        """Remember what holds for this endpoint as long as it runs as it does."""
        self._union = union
        return union

    def _graph_names(self) -> list[str]:
        now = time.monotonic()
        if self._names is None or now - self._names[0] > _NAMES_FRESH_SECONDS:
            self._names = now, frame_from_tsv(self._table(_NAMES))["g"].to_list()
        return self._names[1]

    def _truth(self, sparql: str, dataset: dict[str, list[str]]) -> bool:
        try:
            body, kind = self._ask(sparql, _TABLE, dataset, self._timeout)
        except QueryError:
            return True
        return self._rewritten(body, kind, "csv", graphs=False) == b"true"

    def _table(self, sparql: str) -> bytes:
        """Answer one of our own queries, which name their graphs, as TSV."""
        body, kind = self._ask(sparql, _TABLE, {}, self._timeout)
        return self._rewritten(body, kind, "tsv", graphs=False)

    def _rewritten(self, body: bytes, kind: str, media_type: str, *, graphs: bool) -> bytes:
        """Bring the endpoint's answer into the format that was asked for."""
        try:
            if graphs:
                return convert(body, kind, media_type)
            form = engine.results_format(kind)
            return engine.write_results(ox.parse_query_results(body, form), media_type)
        except (GraphkitError, SyntaxError, ValueError, OSError) as error:
            raise StoreError(
                f"the endpoint's answer cannot be read as {kind or 'any known type'}: {_trimmed(str(error))}",
                where=self._endpoint,
                hint="the answer may have been cut off by the endpoint's own limits; ask for less",
            ) from error

    def _ask(self, sparql: str, accept: str, dataset: dict[str, list[str]], seconds: float) -> tuple[bytes, str]:
        self._check_open()
        wrapper = self._wrapper(sparql, "SELECT", seconds)
        wrapper.addCustomHttpHeader("Accept", accept)
        for key, values in dataset.items():
            for value in values:
                wrapper.addParameter(key, value)
        return self._sent(wrapper)

    def _send(self, sparql: str) -> None:
        wrapper = self._wrapper(sparql, "INSERT", self._timeout)
        wrapper.setRequestMethod(sw.POSTDIRECTLY)
        if self._token:
            wrapper.addCustomHttpHeader("Authorization", f"Bearer {self._token}")
        self._sent(wrapper)

    def _wrapper(self, sparql: str, form: str, seconds: float) -> sw.SPARQLWrapper:
        """Prepare a request; the form is set by hand, because SPARQLWrapper's guess warns where it is unsure."""
        wrapper = sw.SPARQLWrapper(self._endpoint, self._update, agent="graphkit")
        wrapper.setMethod(sw.POST)
        wrapper.setOnlyConneg(True)
        wrapper.timeout = seconds  # type: ignore[assignment]  # seconds may be parts of one
        wrapper.queryString, wrapper.queryType = sparql, form
        return wrapper

    def _sent(self, wrapper: sw.SPARQLWrapper) -> tuple[bytes, str]:
        where = self._update if wrapper.isSparqlUpdateRequest() else self._endpoint
        with self._translated(where, wrapper.timeout or self._timeout), wrapper.query().response as response:
            return response.read(), str(response.headers.get_content_type())

    @contextmanager
    def _translated(self, where: str, seconds: float) -> Iterator[None]:
        """Turn what HTTP and SPARQLWrapper raise into our errors, with the server's own words."""
        late = StoreError(
            f"the endpoint did not answer within {seconds:g} seconds", where=where, hint="ask for less, or wait longer"
        )
        try:
            yield
        except QueryBadFormed as error:
            raise QueryError(f"the endpoint refuses the text: {_server_words(error)}", where=where) from error
        except SPARQLWrapperException as error:
            raise StoreError(f"{error.msg}: {_server_words(error)}", where=where) from error
        except urllib.error.HTTPError as error:
            with error:
                words = _trimmed(error.read().decode(errors="replace"))
            raise StoreError(f"the endpoint answers {error.code} {error.reason}: {words}", where=where) from error
        except TimeoutError as error:
            raise late from error
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise late from error
            raise _unreachable(error.reason, where) from error
        except (OSError, http.client.HTTPException) as error:
            raise _unreachable(error, where) from error


def _lines(tsv: bytes, *, graphs: bool) -> bytes:
    """Turn rows of terms into TriG: the terms of TSV are written as in Turtle."""
    rows = pl.read_csv(tsv, separator="\t", quote_char=None, infer_schema=False)
    triple = pl.concat_str(pl.col("?s", "?p", "?o"), separator=" ") + " ."
    line = pl.concat_str(pl.col("?g"), pl.lit(" { "), triple, pl.lit(" }")) if graphs else triple
    return "\n".join(rows.select(line).to_series()).encode()


def _check_address(address: str) -> None:
    parts = urlsplit(address)
    if "@" in parts.netloc or not parts.hostname:
        raise UsageError(
            "an endpoint's address is http(s)://host/path, without a password",
            where=parts.hostname or address,
            hint="let a proxy on this machine add the credentials",
        )


def _update_address(endpoint: str) -> str:
    """Guess the address for updates: …/query has its neighbour …/update, others take both at one address."""
    return endpoint.removesuffix("query") + "update" if endpoint.endswith("/query") else endpoint


def _unreachable(reason: object, where: str) -> StoreError:
    return StoreError(
        f"the endpoint cannot be reached: {reason}", where=where, hint="check the address, and that the server runs"
    )


def _server_words(error: SPARQLWrapperException) -> str:
    """Take the body of the answer out of SPARQLWrapper's message, where it stands as the literal of bytes."""
    quoted = str(error).partition("Response:\n")[2]
    try:
        words = ast.literal_eval(quoted)
    except (ValueError, SyntaxError):
        words = quoted
    return _trimmed(words.decode(errors="replace") if isinstance(words, bytes) else str(words))


def _trimmed(words: str) -> str:
    text = " ".join(words.split())
    return text if len(text) <= _LONGEST_WORDS else text[:_LONGEST_WORDS] + " …"
