"""The W3C's SPARQL 1.1 tests: what the engine passes by itself must pass through our HTTP service too.

Of the 503 cases 66 are about entailment regimes, of which the engine has the simple one only, and passes 28; of the
other 437 it passes 431.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest
from flask.testing import FlaskClient

from graphkit.store import open_store
from tests import w3c
from webui import create_app
from webui.settings import Settings

TOKEN = "w3c"  # noqa: S105
FEWEST = 459
_RESULTS = "application/sparql-results+json"
_LINES = ox.RdfFormat.N_TRIPLES
_HAS_BASE = re.compile(r"^\s*BASE\b", re.IGNORECASE | re.MULTILINE)

_CASES = w3c.cases()


def _text(case: w3c.Case) -> str:
    """Give the text of a case with the base that relative addresses in it mean."""
    text = case.text.read_text("utf-8")
    return text if _HAS_BASE.search(text) else f"BASE <{case.text.as_uri()}>\n{text}"


# ---- the engine by itself ------------------------------------------------------------------------------


def _engine_passes(case: w3c.Case) -> bool:
    """Tell whether the engine passes a case, asked directly."""
    try:
        right = _ENGINE[case.kind](case)
    except (SyntaxError, ValueError, OSError, RuntimeError):
        return case.kind.startswith("Negative")
    return right


def _filled(graphs: dict[str, Path]) -> ox.Store:
    store = ox.Store()
    for name, path in graphs.items():
        kind = ox.RdfFormat.from_extension(path.suffix[1:])
        graph = ox.NamedNode(name) if name else ox.DefaultGraph()
        store.load(path=str(path), format=kind, base_iri=path.as_uri(), to_graph=graph)
    return store


def _engine_query(case: w3c.Case) -> bool:
    answer = _filled(case.data).query(_text(case))
    assert case.result
    if isinstance(answer, ox.QueryTriples):
        return w3c.same_triples(answer.serialize(format=ox.RdfFormat.N_TRIPLES) or b"", case.result)
    form, media = (ox.QueryResultsFormat.CSV, "text/csv") if case.result.suffix == ".csv" else (None, _RESULTS)
    return w3c.same_solutions(answer.serialize(format=form or ox.QueryResultsFormat.JSON) or b"", media, case.result)


def _engine_update(case: w3c.Case) -> bool:
    store = _filled(case.data)
    store.update(_text(case))
    return w3c.same_dataset(store.dump(format=ox.RdfFormat.N_QUADS) or b"", case.after)


def _engine_reads(case: w3c.Case) -> bool:
    text = _text(case)
    try:
        if "Update" in case.kind:
            ox.Store().update(text)
        else:
            ox.Store().query(text)
    except (OSError, RuntimeError):
        pass  # it was read, and then could not fetch what it names
    return case.kind.startswith("Positive")


_ENGINE: dict[str, Callable[[w3c.Case], bool]] = {
    "QueryEvaluationTest": _engine_query,
    "CSVResultFormatTest": _engine_query,
    "UpdateEvaluationTest": _engine_update,
    "PositiveSyntaxTest11": _engine_reads,
    "NegativeSyntaxTest11": _engine_reads,
    "PositiveUpdateSyntaxTest11": _engine_reads,
    "NegativeUpdateSyntaxTest11": _engine_reads,
}


# ---- through the service ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def queries() -> Iterator[FlaskClient]:
    """Serve all files of the query tests, each as a graph of its own name."""
    store = open_store()
    files = sorted(
        {path for case in _CASES for path in case.data.values() if "Query" in case.kind or "CSV" in case.kind}
    )
    with store.change("the data of the W3C's tests") as change:
        for path in files:
            change.load(_triples(path), media_type="nt", graph=path.as_uri())
    yield create_app(store).test_client()
    store.close()


def _triples(path: Path) -> bytes:
    """Read a file, whose relative addresses mean its neighbours, as N-Triples."""
    kind = ox.RdfFormat.from_extension(path.suffix[1:])
    return ox.serialize(ox.parse(path=str(path), format=kind, base_iri=path.as_uri()), format=_LINES) or b""


def _dataset(case: w3c.Case) -> dict[str, list[str]]:
    named = [path.as_uri() for name, path in case.data.items() if name]
    default = [case.data[""].as_uri()] if "" in case.data else []
    return {"default-graph-uri": default, "named-graph-uri": named}


def _service_query(case: w3c.Case, client: FlaskClient) -> bool:
    assert case.result
    media = "text/csv" if case.result.suffix == ".csv" else f"{_RESULTS}, application/n-triples"
    answer = client.post("/sparql", data={"query": _text(case), **_dataset(case)}, headers={"Accept": media})
    if answer.status_code != 200:
        return False
    if answer.mimetype == "application/n-triples":
        return w3c.same_triples(answer.data, case.result)
    return w3c.same_solutions(answer.data, answer.mimetype, case.result)


def _service_update(case: w3c.Case) -> bool:
    with open_store() as store:
        with store.change("before") as change:
            for name, path in case.data.items():
                change.load(_triples(path), media_type="nt", graph=name or None)
        client = create_app(store, Settings(token=TOKEN)).test_client()
        answer = client.post("/sparql/update", data={"update": _text(case)}, headers=_BEARER)
        return answer.status_code < 300 and w3c.same_dataset(store.dump("nq"), case.after)


def _service_reads(case: w3c.Case, client: FlaskClient) -> bool:
    """Tell whether the service reads what can be read; LOAD and SERVICE it may read and then refuse."""
    if "Update" in case.kind:
        with open_store() as store:
            writer = create_app(store, Settings(token=TOKEN)).test_client()
            answer = writer.post("/sparql/update", data={"update": _text(case)}, headers=_BEARER)
    else:
        answer = client.post("/sparql", data={"query": _text(case)}, headers={"Accept": "*/*"})
    read = answer.status_code < 400 or "cannot be read" not in answer.get_json()["detail"]
    return read if case.kind.startswith("Positive") else answer.status_code == 400


_BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.mark.skipif(not _CASES, reason="the W3C's tests are not here; fetch them with: python -m tests.w3c")
def test_the_engine_passes_as_many_as_ever() -> None:
    """A new release of the engine must not fall behind."""
    passed = [case.name for case in _CASES if _engine_passes(case)]
    assert len(passed) >= FEWEST, f"{len(passed)} of {len(_CASES)}"


@pytest.mark.skipif(not _CASES, reason="the W3C's tests are not here; fetch them with: python -m tests.w3c")
@pytest.mark.parametrize("case", _CASES, ids=lambda case: case.name)
def test_nothing_is_lost_on_the_way(case: w3c.Case, queries: FlaskClient) -> None:
    """What the engine passes, the service passes."""
    if not _engine_passes(case):
        return
    if case.kind == "UpdateEvaluationTest":
        assert _service_update(case)
    elif case.kind.startswith(("Query", "CSV")):
        assert _service_query(case, queries)
    else:
        assert _service_reads(case, queries)
