"""A backtest as it leaves the house: a page, a table, observations in RDF, and the verb of the command line."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import rdflib

from graphkit import report as reports
from graphkit.gaps.backtest import BacktestReport, backtest
from graphkit.store import open_store
from tests.test_backtest import CUT, Rows, network_of, world

QB = rdflib.Namespace("http://purl.org/linked-data/cube#")


@pytest.fixture(scope="module")
def found() -> BacktestReport:
    """Backtest two scorers on a drawn world, with and without its largest activities."""
    return backtest(
        network_of(world(organisations=200, activities=600)), [CUT], scorers=["random", "fusion"], largest=3
    )


class _Page(html.parser.HTMLParser):
    """Gathers the tags of a page and checks that they are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag and what it refers to."""
        self.seen.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href"}]
        if tag not in {"meta", "line", "circle"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that what is closed was opened last."""
        if tag not in {"line", "circle"}:
            assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_nothing_else(found: BacktestReport) -> None:
    """A picture for each figure and case, the choice in words, no address to fetch."""
    text = reports.backtest_as(found, "html", "networks/<collaboration>")
    page = _Page()
    page.feed(text)
    assert page.open == []
    assert page.seen.count("svg") == 8 * 2
    assert page.addresses == []
    assert "networks/&lt;collaboration&gt;" in text
    assert f"Use {found.chosen}" in text


def test_the_table_has_every_figure(found: BacktestReport) -> None:
    """CSV and JSON say for each figure the cut and the consortia."""
    rows = list(csv.DictReader(io.StringIO(reports.backtest_as(found, "csv", "n"))))
    assert len(rows) == found.figures.height == 2 * 2 * 8
    assert {row["consortia"] for row in rows} == {"all", "up to 3 organisations"}
    assert len(json.loads(reports.backtest_as(found, "json", "n"))) == len(rows)


def test_the_observations_are_complete(found: BacktestReport) -> None:
    """Each has a value for every dimension that the structure names."""
    graph = rdflib.Graph().parse(data=reports.backtest_as(found, "ttl", "n"), format="turtle")
    observations = list(graph.subjects(rdflib.RDF.type, QB.Observation))
    assert len(observations) == found.figures.height
    dimensions = set(graph.objects(None, QB.dimension))
    assert len(dimensions) == 4
    for one in observations:
        assert all(graph.value(one, dimension) is not None for dimension in dimensions)
        assert graph.value(one, QB.dataSet) is not None
    named = next(graph.subjects(rdflib.RDFS.label, rdflib.Literal("cut", lang="en")))
    assert {cut.toPython() for cut in graph.objects(None, named)} == {CUT}


def _participations(rows: Rows) -> Iterator[str]:
    """Write ties back as who takes part in what."""
    yield "@prefix sol: <https://w3id.org/solidarity-graph/ns#> . @prefix org: <http://www.w3.org/ns/org#> ."
    yield "@prefix schema: <https://schema.org/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> ."
    for a, b, activity, day in rows:
        for end in (a, b):
            part = f"<urn:p:{activity}-{end}> sol:participant <urn:o:{end}> ; sol:participatesIn <urn:a:{activity}> ."
            yield f"<urn:o:{end}> a org:Organization . {part}"
        yield f'<urn:a:{activity}> a sol:Activity ; schema:startDate "{day}"^^xsd:date .'


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep the drawn world as a graph in a folder."""
    folder = tmp_path_factory.mktemp("backtest") / "graph"
    with open_store(folder) as opened, opened.change("drawn") as change:
        change.load("\n".join(_participations(world())).encode(), media_type="ttl")
    return folder


def _graphkit(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "graphkit", *words], capture_output=True, text=True, check=False)


def test_the_verb_stands_at_the_latest_days_by_itself(store: Path) -> None:
    """Without a cut it takes the ends of years that can be judged; the words name the scorer to use."""
    done = _graphkit("backtest", "--store", str(store), "--scorer", "random", "-k", "20")
    assert done.returncode == 0, done.stderr
    assert "new pairs among them" in done.stdout
    assert "Use fusion, the default" in done.stdout


def test_the_verb_takes_a_day_and_a_format(store: Path) -> None:
    """The same figures as from Python."""
    words = ["--cut", CUT.isoformat(), "--scorer", "common_neighbours", "-k", "20", "-f", "json"]
    done = _graphkit("backtest", "--store", str(store), *words)
    assert done.returncode == 0, done.stderr
    rows = {(row["scorer"], row["figure"]): row["value"] for row in json.loads(done.stdout)}
    same = backtest(network_of(world()), [CUT], scorers=["common_neighbours"], k=20, largest=50)
    assert rows["common_neighbours", "ap"] == pytest.approx(same.figure("common_neighbours", "ap")[0])


def test_the_verb_refuses_a_graph_that_is_too_small(store: Path, tmp_path: Path) -> None:
    """Below thirty new pairs there is a reason and no figure."""
    with open_store(tmp_path / "small") as opened, opened.change("drawn") as change:
        change.load("\n".join(_participations(world(activities=5))).encode(), media_type="ttl")
    done = _graphkit("backtest", "--store", str(tmp_path / "small"))
    assert done.returncode == 1
    assert "30 new pairs" in done.stderr
    assert done.stdout == ""
