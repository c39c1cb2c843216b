"""The guard lets honest queries through and stops those that call out or crash."""

from __future__ import annotations

import pyoxigraph as ox
import pytest

from graphkit.errors import QueryError
from graphkit.store.guard import check_query, check_update, names_dataset, query_form

CALL = "SERVICE<http://127.0.0.1:9/>{?s ?p ?o}"


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT * {{ {CALL} }}",
        f"select * {{ {CALL.lower()} }}",
        f"SELECT * {{ BIND(1 AS ?x){CALL} }}",
        f"SELECT * {{ ?s ?p 1{CALL} }}",
        f"SELECT * {{ ?s ?p true{CALL} }}",
        f"PREFIX a: <urn:> SELECT * {{ ?s ?p a:b.c.{CALL} }}",
        "PREFIX : <urn:> SELECT * { SERVICE:x { ?s ?p ?o } }",
        "SELECT * { SERVICE SILENT ?x { ?s ?p ?o } }",
        f"PREFIX e: <urn:> SELECT * {{ ?s ?p e:a\\# {CALL} }}",
        f"PREFIX e: <urn:> SELECT * {{ ?s ?p e:a\\' . {CALL} #'\n}}",
        f"SELECT * {{ ?s ?p ?o # comment\r {CALL} }}",
        f'PREFIX ex: <urn:> SELECT * {{ ?s ?p ?o FILTER(?o<ex:foo#>"""\n) {CALL} #"""\n }}',
        f"PREFIX ex: <urn:> SELECT * {{ ?s ?p ?o FILTER(?o<ex:a'#>'\n) {CALL} #'\n }}",
        f'SELECT * {{ ?s <http://a/\\u0041#> "x" . {CALL} }}',
        f'SELECT * {{ ?s ?p "" . {CALL} ?s ?p "" }}',
        "SELECT * { \\u0053ERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }",
    ],
)
def test_a_call_to_another_server_is_found_however_it_is_hidden(query: str) -> None:
    """Spacing, case, comments, escapes and look-alike tokens do not hide the keyword."""
    with pytest.raises(QueryError, match="SERVICE is not allowed"):
        check_query(query)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT ?service { ?service a <https://example.org/Service#it> }",
        'SELECT * { ?s ?p "health SERVICE", \'service\', """a "SERVICE" b""" } # SERVICE',
        "PREFIX ex: <https://example.org/ns#> SELECT * { ?s ex:service ?o ; ex:load-service ?p }",
        "SELECT * { ?s ?p ?o FILTER(?o < 5 && ?o > 3) }",
        "SELECT * { VALUES ?x { " + "-1.5 " * 2000 + "} }",
        "SELECT * { VALUES ?x { " + "<https://example.org/x#y> " * 5000 + "} }",
        "SELECT ?x { ?s ?p ?x FILTER(?x IN (" + ", ".join(map(str, range(3000))) + ")) }",
        "SELECT * { " + " ".join(f"?s <urn:p{i}> ?o{i} ." for i in range(40)) + " }",
    ],
)
def test_honest_queries_pass(query: str) -> None:
    """The word in names, texts and comments is no call, and long lists of terms are no danger."""
    check_query(query)
    ox.Store().query(query)


@pytest.mark.parametrize(
    "query",
    [
        "ASK " + "{" * 3000 + "}" * 3000,
        "SELECT (" + "(" * 10000 + "1" + ")" * 10000 + " AS ?x) {}",
        "SELECT (1" + "+1" * 10000 + " AS ?x) {}",
        "SELECT (1" + "||1" * 10000 + " AS ?x) {}",
        "SELECT (" + "!" * 10000 + "1 AS ?x) {}",
        "SELECT (1" + " -1" * 10000 + " AS ?x) {}",
        "SELECT * { {}" + " UNION {}" * 10000 + " }",
        "SELECT * { " + "<urn:s> <urn:p> 1 . " * 3000 + " }",
        "SELECT * { <urn:s> <urn:p> 1 " + "; <urn:p> 1 " * 3000 + " }",
        "SELECT * { " + "FILTER(1) " * 10000 + " }",
        "SELECT * { " + " ".join(f"BIND({i} AS ?x{i})" for i in range(3000)) + " }",
        "SELECT * { ?s <urn:p>" + "/<urn:p>" * 255 + " ?o }",
        "SELECT * { ?s ?p " + "[ ?p " * 200 + "1" + "]" * 200 + " }",
        "SELECT * { ?s ?p '" + "x" * 200_000 + "' }",
    ],
)  # fmt: skip
def test_shapes_that_crash_the_engine_are_refused(query: str) -> None:
    """Each of these ends or hangs a process that runs it."""
    with pytest.raises(QueryError, match=r"more than|longer than"):
        check_query(query)


@pytest.mark.parametrize(
    "update",
    [
        "LOAD <urn:x>",
        "load<urn:x>",
        "CLEAR ALL;LOAD SILENT <urn:x>",
        "INSERT { ?s ?p ?o } WHERE { SERVICE ?x { ?s ?p ?o } }",
    ],
)
def test_updates_that_fetch_are_refused(update: str) -> None:
    """An update has two ways to call out; both are closed."""
    with pytest.raises(QueryError, match="not allowed"):
        check_update(update)


def test_an_update_may_hold_much_data() -> None:
    """The limit on statements is for queries."""
    check_update("INSERT DATA { " + '<urn:load> <urn:p> "LOAD" . ' * 20_000 + "}")


@pytest.mark.parametrize(
    ("query", "form"),
    [
        ("select * {}", "SELECT"),
        ("PREFIX ask: <urn:ask#> # ASK\nCONSTRUCT WHERE { ?ask ask:ask ?o }", "CONSTRUCT"),
        ("BASE <urn:select> DESCRIBE <SELECT>", "DESCRIBE"),
        ("CLEAR ALL", ""),
    ],
)  # fmt: skip
def test_the_form_of_a_query_is_told(query: str, form: str) -> None:
    """Names, comments and addresses do not mislead."""
    assert query_form(query) == form


def test_from_is_found_as_a_keyword_only() -> None:
    """A variable or a name called from is none."""
    assert names_dataset("SELECT * FROM<urn:g> {}")
    assert not names_dataset("PREFIX from: <urn:> SELECT ?from { ?from from:from 'FROM' } # FROM")


@pytest.mark.parametrize(
    "pattern",
    [
        "?a ?b " + ",".join(["1"] * 9000),
        "?a ?b (" + "<urn:x> " * 300 + ")",
        "?a ?b [] " + ", []" * 300,
        "?a ?b 'x' ; " * 300,
        " ".join(f"?a{i} ?b{i} ?c{i} ." for i in range(300)),
        "?a ?b 1,2e0,.5 . " * 80,
    ],
)
def test_an_update_with_patterns_that_the_engine_cannot_plan_is_refused(pattern: str) -> None:
    """Nothing can stop an update that runs, and some thousand patterns end the process."""
    for update in (f"INSERT {{ <urn:a> <urn:b> 1 }} WHERE {{ {pattern} }}", f"DELETE WHERE {{ {pattern} }}"):
        with pytest.raises(QueryError, match="more than 200 statements"):
            check_update(update)


@pytest.mark.parametrize(
    "update",
    [
        "INSERT DATA { <urn:a> <urn:b> " + ",".join(map(str, range(5000))) + " }",
        "INSERT { GRAPH <urn:g> { " + "<urn:a> <urn:b> ?o ; <urn:c> 1 . " * 300 + "} } WHERE { ?s ?p ?o }",
        "DELETE { ?s ?p ?x } WHERE { VALUES ?x { " + "<urn:x> " * 5000 + "} ?s ?p ?x }",
        "DELETE { ?x ?p ?y } WHERE { VALUES (?x ?y) { " + "(<urn:x> 1.5) " * 3000 + "} ?x ?p ?y }",
        "DELETE { ?s ?p ?x } WHERE { ?s ?p ?x FILTER(?x IN (" + ", ".join(map(str, range(3000))) + ")) }",
    ],
)
def test_honest_updates_pass(update: str) -> None:
    """Long data, templates and lists of terms are no danger."""
    check_update(update)
