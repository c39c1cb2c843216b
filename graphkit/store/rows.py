"""Ask one CONSTRUCT query of a handful of triples that lie in no store: the engine as a mapping machine."""

from __future__ import annotations

import pyoxigraph as ox

from graphkit.errors import DataError
from graphkit.store import engine
from graphkit.store.guard import check_query

__all__ = ["construct_from"]


def construct_from(data: bytes, sparql: str, *, quads: bool = False) -> bytes:
    r"""Load N-Triples (or N-Quads) into a scratch store in memory and answer a CONSTRUCT query on them as N-Triples.

    The query sees the union of all graphs as its default graph. Raises `DataError` where the data cannot be read and
    `QueryError` where the query is refused, cannot be read, fails, or is of another form.

    >>> construct_from(b'<urn:a> <urn:b> "c" .', "CONSTRUCT { ?s <urn:d> ?o } WHERE { ?s <urn:b> ?o }")
    b'<urn:a> <urn:d> "c" .\n'
    """
    check_query(sparql)
    scratch = ox.Store()
    try:
        scratch.bulk_load(data, format=ox.RdfFormat.N_QUADS if quads else ox.RdfFormat.N_TRIPLES)
    except (SyntaxError, ValueError, OSError) as error:
        raise DataError(f"the rows cannot be read as RDF: {error}") from error
    return engine.ask_checked(scratch, sparql, lambda results: engine.write_results(results, "nt"))
