"""Registers come in whole or not at all, each record leads to its row, and what is refused is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from graphkit.check import check
from graphkit.errors import DataError, UnknownNameError, UsageError
from graphkit.ontology import load_ontology
from graphkit.sources import Wishes, import_files, in_words, sources, write_refused
from graphkit.sources.folder import shipped
from graphkit.store import Store, open_store
from graphkit.terms import GRAPH, ID

_ADAPTERS = Path(__file__).parents[1] / "graphkit" / "sources" / "adapters"
_COOPS = _ADAPTERS / "coops-uk" / "sample.csv"
_WITH_SAMPLE = sorted(path for path in _ADAPTERS.glob("*/sample*") if path.is_file())
_UPTON = f"{ID}organisation/coops-uk.r900001"


def _with_ontology() -> Store:
    store = open_store()
    with store.change("the ontology") as change:
        load_ontology(change)
    return store


def _changed(tmp_path: Path, *pairs: tuple[str, str], name: str = "coops.csv") -> Path:
    """Write the sample of the co-operatives with some of its text exchanged."""
    text = _COOPS.read_text("utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


# ---- The shipped sources --------------------------------------------------------------------------------


def test_every_source_has_the_files_of_a_source() -> None:
    """Each folder has a description, a README and a sample, and names an open licence or says that there is none."""
    for name, source in shipped().items():
        folder = _ADAPTERS / name
        assert (folder / "README.md").read_text("utf-8").startswith(f"# {name}"), name
        assert list(folder.glob("sample*")) or name == "table", name
        assert source.licence.startswith("http") or name == "table", name


def test_sources_are_listed_with_licence_and_what_they_give() -> None:
    """The list has a row for each folder."""
    found = sources()
    assert found["source"].to_list() == sorted(path.parent.name for path in _ADAPTERS.glob("*/source.yaml"))
    assert found["gives"].str.len_chars().min() > 40
    assert found.filter(pl.col("source") != "table")["licence"].str.starts_with("http").all()


@pytest.mark.parametrize("sample", _WITH_SAMPLE, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_sample_of_each_source_passes_the_checks(sample: Path) -> None:
    """What a sample becomes breaks no shape and no stored check, and each record leads to a row of a known source."""
    store = _with_ontology()
    report = import_files(store, sample.parent.name, [sample], snapshot="2024-01")
    findings = check(store)
    assert findings.is_empty(), findings.to_dicts()[:5]
    assert report.rows_kept + report.rows_refused == report.rows_read > 0
    assert report.records["records"].sum() > 0
    assert report.unknown == ()


@pytest.mark.parametrize("sample", _WITH_SAMPLE, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_sample_brings_private_details(sample: Path) -> None:
    """Street addresses, telephone numbers and mail addresses of the samples are not in the graph."""
    store = open_store()
    import_files(store, sample.parent.name, [sample], snapshot="2024-01")
    content = store.dump("nq").decode()
    for private in ("1 Mill Lane", "2 Hill Road", "01234 567890", "hello@", "@example.org"):
        assert private not in content


# ---- Records and provenance -----------------------------------------------------------------------------


def test_record_has_the_names_codes_and_place_of_its_row() -> None:
    """The second co-operative of the sample is read as a person would read it."""
    store = open_store()
    import_files(store, "coops-uk", [_COOPS], snapshot="2024-q1")
    found = store.construct(
        f"CONSTRUCT {{ <{ID}organisation/coops-uk.r900002> ?p ?o }} WHERE {{ GRAPH ?g "
        f"{{ <{ID}organisation/coops-uk.r900002> ?p ?o }} }}"
    ).decode()
    for part in (
        '"Valley Housing Co-operative CIC"@en',
        '"VALLEY HOUSING CO-OPERATIVE CIC"@en',
        '"GB-COH-09999998"',
        "/vocabulary/kind/community-interest-company>",
        "/vocabulary/theme/housing>",
        "/place/gss-e07000026>",
        '"CA7 9ZZ"',
        f"{ID}source/coops-uk.2024-q1#row=2>",
    ):
        assert part in found, part


def test_source_is_described_with_file_hash_and_counts() -> None:
    """The graph of the snapshot says who published it under which licence, from which file and how many rows."""
    store = open_store()
    report = import_files(store, "coops-uk", [_COOPS], snapshot="2024-q1", wishes=Wishes(retrieved=date(2024, 4, 2)))
    assert report.graph == f"{GRAPH}coops-uk/2024-q1"
    found = store.dump("nt", report.graph).decode()
    said = [
        line.split("> ", 2)[1:] for line in found.splitlines() if line.startswith(f"<{ID}source/coops-uk.2024-q1> ")
    ]
    words = {predicate.rpartition("/")[2].rpartition("#")[2]: value for predicate, value in said}
    assert words["license"] == "<https://opendatacommons.org/licenses/by/1-0/> ."
    assert words["issued"].startswith('"2024-04-02"')
    assert words["rowsRead"].startswith('"3"')
    assert words["rowsRefused"].startswith('"0"')
    assert words["fileName"] == '"sample.csv" .'
    assert len(words["fileHash"]) == 68
    assert words["sourceGraph"].startswith(f'"{report.graph}"')


def test_scope_has_the_period_of_the_snapshot() -> None:
    """The claim of completeness of the register is for the quarter of the snapshot."""
    store = open_store()
    import_files(store, "coops-uk", [_COOPS], snapshot="2024-q1")
    found = store.select(
        "PREFIX schema: <https://schema.org/> PREFIX sol: <https://w3id.org/solidarity-graph/ns#>"
        " SELECT ?start ?end WHERE { ?s a sol:CompletenessScope ; schema:startDate ?start ; schema:endDate ?end }"
    )
    assert found.rows() == [(date(2024, 1, 1), date(2024, 3, 31))]


def test_names_of_essglobal_are_aliases_of_one(tmp_path: Path) -> None:
    """The three namespaces of ESSGLOBAL lead to the same kinds and themes."""
    answers = set()
    for space in (
        "https://dev.lod.coop/essglobal/2.1/",
        "http://purl.org/essglobal/",
        "https://w3id.solidarityeconomy.coop/essglobal/V2a/",
    ):
        path = _changed(tmp_path, ("https://w3id.solidarityeconomy.coop/essglobal/V2a/", space))
        with open_store() as store:
            import_files(store, "coops-uk", [path], snapshot="2024-q1")
            answers.add(
                store.ask(
                    f"ASK {{ <{ID}organisation/coops-uk.r900002> ?p "
                    "<https://w3id.org/solidarity-graph/vocabulary/theme/housing> }"
                )
            )
    assert answers == {True}


def test_values_without_a_counterpart_are_listed(tmp_path: Path) -> None:
    """A legal form that the crosswalk does not know is counted, and marked as not judged."""
    path = _changed(tmp_path, ("Workers,Society", "Workers,Guild"))
    with open_store() as store:
        report = import_files(store, "coops-uk", [path], snapshot="2024-q1")
    open_ = report.unmapped.filter(~pl.col("judged"))
    assert open_.select("column", "value", "rows").rows() == [("legal_form", "Guild", 1)]
    assert "legal_form: 1 values have no counterpart: Guild (1)" in in_words(report)


# ---- What is refused ------------------------------------------------------------------------------------


def test_row_with_a_bad_key_is_refused_and_the_others_stand(tmp_path: Path) -> None:
    """A row without a proper identifier is told with row, column, value and reason; the other rows come in."""
    path = _changed(tmp_path, ("R900002", "900002"))
    store = open_store()
    report = import_files(store, "coops-uk", [path], snapshot="2024-q1")
    assert (report.rows_read, report.rows_kept, report.rows_refused) == (3, 2, 1)
    row = report.refused.row(0, named=True)
    assert (row["row"], row["column"], row["value"], row["refused"]) == (2, "Identifier", "900002", "row")
    assert "has not the form" in row["reason"]
    told = tmp_path / "told.csv"
    write_refused(report, told)
    assert "row,coops.csv,2,Identifier,900002,has not the form" in told.read_text("utf-8")


def test_bad_value_that_is_not_needed_is_left_out_and_told(tmp_path: Path) -> None:
    """A website that is none is refused as a value, and its row stands."""
    path = _changed(tmp_path, ("https://bakers.example.org", "bakers dot example"))
    store = open_store()
    report = import_files(store, "coops-uk", [path], snapshot="2024-q1")
    assert report.rows_kept == 3
    assert report.refused.select("row", "column", "value", "refused").rows() == [
        (1, "Website", "bakers dot example", "value")
    ]


# ---- Snapshots ------------------------------------------------------------------------------------------


def test_newer_snapshot_tells_what_came_went_and_changed(tmp_path: Path) -> None:
    """The newer list replaces the older; what is gone stays as a minimal record, and each change is an event."""
    store = _with_ontology()
    import_files(store, "coops-uk", [_COOPS], snapshot="2024-q1")
    newer = _changed(tmp_path, ("R900003,Island", "R900004,Atoll"), ("Upton Bakers", "Upton and District Bakers"))
    report = import_files(store, "coops-uk", [newer], snapshot="2024-q2")
    changes = report.changes
    assert changes is not None
    ends = [
        [record.rpartition(".")[2] for record in frame["record"]]
        for frame in (changes.came, changes.gone, changes.changed)
    ]
    assert ends == [["r900004"], ["r900003"], ["r900001"]]
    graphs = store.graphs()["graph"].to_list()
    assert f"{GRAPH}coops-uk/2024-q1" not in graphs
    assert {f"{GRAPH}coops-uk/2024-q2", f"{GRAPH}coops-uk/history"} < set(graphs)
    history = store.dump("nt", f"{GRAPH}coops-uk/history").decode()
    gone = f"<{ID}organisation/coops-uk.r900003>"
    assert (
        f"{gone} <http://www.w3.org/ns/adms#status> <https://w3id.org/solidarity-graph/vocabulary/status/unknown>"
        in history
    )
    gone_event = "event/coops-uk.2024-q2.gone-organisation-coops-uk.r900003"
    assert f"{gone_event}> <http://www.w3.org/ns/org#originalOrganization> {gone}" in history
    assert '"label"@en' in history
    assert (
        f"source/coops-uk.2024-q2> <http://www.w3.org/ns/prov#wasRevisionOf> <{ID}source/coops-uk.2024-q1>"
        in store.dump("nq").decode()
    )
    assert check(store).is_empty()


def test_record_that_is_back_is_no_longer_a_minimal_one(tmp_path: Path) -> None:
    """A co-operative that is listed again has one label and one status, and its events stay."""
    store = _with_ontology()
    without = _changed(tmp_path, ("R900003,Island", "R900004,Atoll"))
    for snapshot, path in (("2024-q1", _COOPS), ("2024-q2", without), ("2024-q3", _COOPS)):
        import_files(store, "coops-uk", [path], snapshot=snapshot)
    assert check(store).is_empty()
    history = store.dump("nt", f"{GRAPH}coops-uk/history").decode()
    assert f"<{ID}organisation/coops-uk.r900003> <http://www.w3.org/2000/01/rdf-schema#label>" not in history
    assert "2024-q2.gone-organisation-coops-uk.r900003>" in history
    assert "2024-q3.listed-organisation-coops-uk.r900003>" in history


def test_importing_the_same_snapshot_again_changes_nothing() -> None:
    """The same file under the same name makes no new version."""
    store = open_store()
    first = import_files(store, "coops-uk", [_COOPS], snapshot="2024-q1")
    again = import_files(store, "coops-uk", [_COOPS], snapshot="2024-q1")
    assert first.version == again.version == 1
    assert again.changes is None


def test_older_snapshot_after_a_newer_is_refused() -> None:
    """History goes forward only."""
    store = open_store()
    import_files(store, "coops-uk", [_COOPS], snapshot="2024-q2")
    with pytest.raises(UsageError, match="newer snapshot 2024-q2"):
        import_files(store, "coops-uk", [_COOPS], snapshot="2024-q1")


def test_name_of_the_file_tells_the_snapshot(tmp_path: Path) -> None:
    """Year and quarter are read from the name; a name that tells nothing gives the day of the file."""
    named = tmp_path / "coops_2023Q2.csv"
    named.write_bytes(_COOPS.read_bytes())
    plain = tmp_path / "coops.csv"
    plain.write_bytes(_COOPS.read_bytes())
    os.utime(plain, (1_700_000_000, 1_700_000_000))
    with open_store() as store:
        assert import_files(store, "coops-uk", [named], dry_run=True).snapshot == "2023-q2"
        assert import_files(store, "coops-uk", [plain], dry_run=True).snapshot == "2023-11-14"


# ---- All or nothing -------------------------------------------------------------------------------------


def test_dry_run_stores_nothing_and_shows_the_first_triples() -> None:
    """The report of a dry run has counts and Turtle, and the store no version."""
    store = open_store()
    report = import_files(store, "coops-uk", [_COOPS], snapshot="2024-q1", dry_run=True)
    assert store.version is None
    assert report.dry_run
    assert report.version is None
    assert "Upton Bakers Co-operative Limited" in report.first


def test_error_in_the_last_file_leaves_the_version_before(tmp_path: Path) -> None:
    """Of two files of which the second is broken nothing comes in."""
    store = open_store()
    broken = tmp_path / "broken.csv"
    broken.write_text(_COOPS.read_text("utf-8") + '"never closed', "utf-8")
    with pytest.raises(DataError, match="never closed"):
        import_files(store, "coops-uk", [_COOPS, broken], snapshot="2024-q1")
    assert store.version is None


def test_unknown_source_is_refused_with_near_names() -> None:
    """A slip of the pen is answered by the right name."""
    with open_store() as store, pytest.raises(UnknownNameError, match="coops-uk"):
        import_files(store, "coop-uk", [_COOPS])


def test_rows_of_several_files_are_told_apart(tmp_path: Path) -> None:
    """A record of a second file leads to the row of that file."""
    second = _changed(tmp_path, ("R90000", "R80000"))
    with open_store() as store:
        report = import_files(store, "coops-uk", [_COOPS, second], snapshot="2024-q1")
        assert report.rows_read == 6
        assert "source/coops-uk.2024-q1#file=2;row=1>" in store.dump("nq").decode()


def test_batches_of_any_size_give_the_same_graph(tmp_path: Path) -> None:
    """Whether rows come at once or in many batches makes no difference to what is stored."""
    rows = _COOPS.read_text("utf-8").split("R900003")[1]
    many = tmp_path / "many.csv"
    many.write_text(
        _COOPS.read_text("utf-8") + "".join(f"R{number:06}{rows}" for number in range(100_000, 108_000)), "utf-8"
    )
    hashes = set()
    for budget in (16, 1024):
        with open_store() as store:
            report = import_files(store, "coops-uk", [many], snapshot="2024-q1", wishes=Wishes(budget=budget))
            assert report.rows_kept == 8003
            assert store.version is not None
            hashes.add(store.version.hash)
    assert len(hashes) == 1


_KILLED = """
import sys, time
from pathlib import Path
from graphkit.sources import import_files
from graphkit.store import open_store
store = open_store(sys.argv[1])
print("ready", flush=True)
import_files(store, "coops-uk", [Path(sys.argv[2])], snapshot="2024-q2")
print("done", flush=True)
"""


@pytest.mark.parametrize("share", [0.1, 0.2, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0])
def test_kill_at_any_moment_leaves_the_version_before_or_after(tmp_path: Path, share: float) -> None:
    """A store whose import was killed opens again with the old snapshot whole, or with the new one whole."""
    with open_store(tmp_path / "store") as store:
        import_files(store, "coops-uk", [_COOPS], snapshot="2024-q1")
        old = store.version
    newer = _changed(tmp_path, ("R900003,Island", "R900004,Atoll"))
    words = [sys.executable, "-c", _KILLED, str(tmp_path / "store"), str(newer)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(share * 0.6)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with open_store(tmp_path / "store") as store:
        assert old is not None
        assert store.version is not None
        names = {name.rpartition("/")[2] for name in store.graphs()["graph"] if "coops-uk" in name}
        if store.version.number == old.number:
            assert store.version.hash == old.hash
            assert names == {"2024-q1"}
        else:
            assert names == {"2024-q2", "history"}
