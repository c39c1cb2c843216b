"""What people make of gaps is kept, counts by its newest word, and is respected by every search after it."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from rdflib import RDF, Graph, URIRef
from rdflib.namespace import DCTERMS

from graphkit.check import check
from graphkit.errors import UnknownNameError, UsageError
from graphkit.export import gaps_to_json, gaps_to_words
from graphkit.gaps import (
    Gap,
    GapReport,
    Review,
    as_frame,
    find_gaps,
    gap_called,
    load_reviews,
    review_gap,
    reviews_as_frame,
    reviews_to_turtle,
    save_run,
    to_turtle,
)
from graphkit.gaps.judged import LEAST_JUDGED, Judgement, judged, wilson_interval
from graphkit.gaps.reviews import REVIEWS_GRAPH, STILL_MISSING_AFTER, newest_reviews
from graphkit.network import Network, load_network
from graphkit.store import Store, open_store
from graphkit.terms import ID, PREFIXES, SOL, graph_iri
from webui import create_app
from webui.settings import Settings

DAY = date(2024, 3, 1)
OA = PREFIXES["oa"]


@pytest.fixture(params=["memory", "folder"])
def store(request: pytest.FixtureRequest, village: Store, tmp_path: Path) -> Iterator[Store]:
    """Give the village in a store of its own, in memory and in a folder."""
    with _copied(village, "memory" if request.param == "memory" else tmp_path / "graph") as own:
        yield own


@pytest.fixture
def memory(village: Store) -> Iterator[Store]:
    """Give the village in a store in memory that a test may change."""
    with _copied(village, "memory") as own:
        yield own


def _copied(village: Store, location: str | Path) -> Store:
    own = open_store(location)
    with own.change("the village") as change:
        change.load(village.dump("nq"), media_type="nq")
    return own


def introductions(store: Store, today: date = DAY, most: int | None = None) -> GapReport:
    """Search for introductions."""
    return find_gaps(store, kinds=["P1"], today=today, per_organisation=most)


def keys(gaps: tuple[Gap, ...]) -> list[str]:
    """Return the keys of gaps in their order."""
    return [gap.key for gap in gaps]


# ---- Identity -------------------------------------------------------------------------------------------


def test_a_gap_keeps_its_name_whatever_its_score_rank_and_words() -> None:
    """Only kind, members and topic make the name, and the order of the members does not matter."""
    gap = Gap("P1", ("urn:a", "urn:b"), ("A", "B"), 0.5, "weak", "Why.", (), "What.")
    swapped = replace(gap, members=("urn:b", "urn:a"), labels=("B", "A"), score=0.9, tier="strong", explanation="Oh.")
    assert swapped.key == gap.key
    assert gap.iri == f"{ID}gap/{gap.key}"
    assert gap.key.startswith(gap.short_key)
    others = [replace(gap, kind="P2"), replace(gap, members=("urn:a", "urn:c")), replace(gap, topic="names")]
    assert len({gap.key, *(other.key for other in others)}) == 4


def test_names_stay_when_scores_change(memory: Store) -> None:
    """Another activity moves scores and ranks; the gaps that are still there have the names they had."""
    before = {gap.members: gap for gap in find_gaps(memory, today=DAY, per_organisation=99).of_kind("P1")}
    facts = f"""
    <{ID}activity/dance> a <{SOL}Activity> ; <{PREFIXES["schema"]}endDate> "2023-11-01"^^<{PREFIXES["xsd"]}date> .
    <{ID}participation/d1> <{SOL}participatesIn> <{ID}activity/dance> ; <{SOL}participant> <{ID}organisation/choir> .
    <{ID}participation/d2> <{SOL}participatesIn> <{ID}activity/dance> ; <{SOL}participant> <{ID}organisation/library> .
    """
    with memory.change("a dance") as change:
        change.load(facts.encode(), media_type="ttl", graph=graph_iri("more"))
    after = {gap.members: gap for gap in find_gaps(memory, today=DAY, per_organisation=99).of_kind("P1")}
    both = before.keys() & after.keys()
    assert len(both) > 5
    assert any(before[pair].score != after[pair].score for pair in both)
    assert all(before[pair].key == after[pair].key for pair in both)


def test_no_two_gaps_share_a_name(village: Store) -> None:
    """All gaps of the village, also those beyond the caps, have names of their own."""
    names = keys(find_gaps(village, today=DAY, per_organisation=99).gaps)
    assert len(set(names)) == len(names) > 30


def test_a_run_links_its_gaps_to_the_lasting_ones(memory: Store) -> None:
    """Two runs with other ranks have nodes of their own that are versions of the same lasting gap."""
    first = introductions(memory)
    one = save_run(memory, first)
    review_gap(memory, first.gaps[-1], "accepted", today=DAY)
    two = save_run(memory, introductions(memory))
    found = memory.select(
        f"SELECT ?lasting (COUNT(DISTINCT ?gap) AS ?gaps) WHERE {{ VALUES ?run {{ <{one}> <{two}> }}"
        f" GRAPH ?run {{ ?gap <{DCTERMS.isVersionOf}> ?lasting }} ?lasting a <{SOL}LastingGap> }} GROUP BY ?lasting"
    )
    assert set(found["lasting"]) == {gap.iri for gap in first.gaps}
    assert set(found["gaps"]) == {2}
    assert check(memory).to_dicts() == []


# ---- The life of a review -------------------------------------------------------------------------------


def test_a_dismissed_gap_is_left_out_counted_and_listed_on_demand(store: Store) -> None:
    """The next search does not rank it, says how many are left out, and has it with who, when and why."""
    before = introductions(store)
    gap = before.gaps[0]
    version = store.version
    made = review_gap(store, gap, "dismissed", reason=" No bus\n goes there ", who="The secretary", today=DAY)
    after = introductions(store)
    assert gap.key not in keys(after.gaps)
    assert keys(after.dismissed) == [gap.key]
    assert "Left out after review: 1 dismissed." in after.banner
    assert version is not None
    assert (made.version, made.reason) == (version.number, "No bus goes there")
    assert after.dismissed[0].review == made == load_reviews(store)[0]
    assert keys(after.left_out_after_review().gaps) == [gap.key]
    words = "dismissed on 2024-03-01 by The secretary: No bus goes there"
    assert as_frame(after.left_out_after_review())["review"].to_list() == [words]


def test_a_review_is_a_version_with_who_and_why(store: Store) -> None:
    """The store tells who reviewed which gap; saying the same again makes no version."""
    gap = introductions(store).gaps[0]
    made = review_gap(store, gap, "accepted", who="The chair", today=DAY)
    version = store.version
    assert version is not None
    assert (version.who, version.why) == ("The chair", f"review of {gap.key}: accepted")
    assert review_gap(store, gap, "accepted", who="The chair", today=DAY + timedelta(days=9)) == made
    assert store.version == version


def test_an_accepted_gap_stays_first_in_its_kind(store: Store) -> None:
    """The last of the list comes first once it is accepted, marked, and whatever the caps say."""
    last = introductions(store, most=99).gaps[-1]
    review_gap(store, last, "accepted", today=DAY)
    after = introductions(store, most=1)
    assert after.gaps[0].key == last.key
    assert after.gaps[0].review_words == "accepted on 2024-03-01"
    assert after.gaps[1].review is None
    assert "Left out after review" not in after.banner


def test_no_cap_leaves_out_what_was_accepted(memory: Store) -> None:
    """One organisation may stand in more accepted introductions than a search gives of others."""
    every = introductions(memory, most=99).gaps
    for gap in every:
        review_gap(memory, gap, "accepted", today=DAY)
    after = introductions(memory, most=1)
    assert set(keys(after.gaps)) == set(keys(every))
    assert after.left_out == {}


def test_the_newest_review_counts_and_the_others_stay(store: Store) -> None:
    """A gap that was dismissed and then accepted is shown; both reviews are kept, the later names the earlier."""
    gap = introductions(store).gaps[1]
    first = review_gap(store, gap, "dismissed", reason="Too far", today=DAY)
    second = review_gap(store, gap, "accepted", today=DAY)
    third = review_gap(store, gap, "dismissed", reason="Too far", today=DAY)
    assert [second.replaces, third.replaces] == [first.iri, second.iri]
    assert [review.iri for review in load_reviews(store)] == [first.iri, second.iri, third.iri]
    assert newest_reviews(load_reviews(store)) == {gap.key: third}
    assert keys(introductions(store).dismissed) == [gap.key]
    assert reviews_as_frame(load_reviews(store))["counts"].to_list() == [False, False, True]


def test_of_two_histories_the_later_word_counts(memory: Store) -> None:
    """Reviews of one gap that come from two copies of the graph and know nothing of each other go by their days."""
    gap = introductions(memory).gaps[0]
    written = []
    for verdict, day in (("accepted", DAY + timedelta(days=1)), ("dismissed", DAY)):
        version = memory.version
        review_gap(memory, gap, verdict, reason="In this copy", today=day)
        written.append(memory.dump("nt", REVIEWS_GRAPH))
        assert version is not None
        memory.restore(version.number)
    with memory.change("bring both together") as change:
        for triples in written:
            change.load(triples, media_type="nt", graph=REVIEWS_GRAPH)
    assert [review.verdict for review in load_reviews(memory)] == ["dismissed", "accepted"]
    assert newest_reviews(load_reviews(memory))[gap.key].verdict == "accepted"
    assert introductions(memory).dismissed == ()


def test_what_is_done_is_left_out_for_a_while_and_shown_again_while_it_is_missing(store: Store) -> None:
    """Half a year later the tie is still not in the sources, and the gap says so."""
    gap = introductions(store).gaps[2]
    review_gap(store, gap, "done", who="The chair", today=DAY)
    soon = introductions(store, today=DAY + STILL_MISSING_AFTER)
    assert gap.key not in keys(soon.gaps)
    assert keys(soon.done) == [gap.key]
    assert "Left out after review: 1 said to be done." in soon.banner
    later = introductions(store, today=DAY + STILL_MISSING_AFTER + timedelta(days=1))
    assert later.done == ()
    assert later.gaps[0].key == gap.key
    assert later.gaps[0].review_words == "said to be done on 2024-03-01 by The chair; still not in the sources"


def test_what_is_done_and_recorded_is_found_no_more_and_its_review_stays(memory: Store) -> None:
    """Once a source tells of the tie there is no gap; the review is listed, and can be replaced."""
    gap = introductions(memory).gaps[0]
    review_gap(memory, gap, "done", today=DAY)
    facts = f"""
    <{ID}activity/met> a <{SOL}Activity> ; <{PREFIXES["schema"]}endDate> "2023-12-01"^^<{PREFIXES["xsd"]}date> .
    <{ID}participation/m1> <{SOL}participatesIn> <{ID}activity/met> ; <{SOL}participant> <{gap.members[0]}> .
    <{ID}participation/m2> <{SOL}participatesIn> <{ID}activity/met> ; <{SOL}participant> <{gap.members[1]}> .
    """
    with memory.change("they met") as change:
        change.load(facts.encode(), media_type="ttl", graph=graph_iri("more"))
    report = introductions(memory, today=DAY + timedelta(days=999), most=99)
    assert gap.key not in keys(report.every)
    reviews = load_reviews(memory)
    assert reviews_as_frame(reviews, report.every).select("gap", "counts", "found").rows() == [(gap.key, True, False)]
    again = gap_called(gap.short_key, [*report.every, *reviews])
    assert isinstance(again, Review)
    assert review_gap(memory, again, "accepted", today=DAY).members == gap.members


def test_a_kind_without_members_in_pairs_is_reviewed_alike(memory: Store) -> None:
    """Data gaps and commitments are dismissed as introductions are; other kinds stay as they were."""
    before = find_gaps(memory, today=DAY)
    for kind in ("C1", "D"):
        review_gap(memory, before.of_kind(kind)[0], "dismissed", reason="Known elsewhere", today=DAY)
    after = find_gaps(memory, today=DAY)
    assert [gap.kind for gap in after.dismissed] == ["C1", "D"]
    assert after.counts() == {**before.counts(), "C1": before.counts()["C1"] - 1, "D": before.counts()["D"] - 1}


# ---- What is refused ------------------------------------------------------------------------------------


def test_a_dismissal_without_a_reason_is_refused(memory: Store) -> None:
    """Blanks are no reason; the store stays as it was."""
    version, gap = memory.version, introductions(memory).gaps[0]
    with pytest.raises(UsageError, match="only with a reason"):
        review_gap(memory, gap, "dismissed", reason="  ")
    with pytest.raises(UsageError, match="2001 characters"):
        review_gap(memory, gap, "accepted", reason="a" * 2001)
    with pytest.raises(UnknownNameError, match="no verdict is called 'accept'"):
        review_gap(memory, gap, "accept")
    assert memory.version == version


def test_an_unknown_gap_is_refused_with_near_ones(village: Store) -> None:
    """The names of near gaps are listed with their members; a beginning of several is not enough."""
    gaps = introductions(village).gaps
    key = gaps[0].key
    wrong = key[:-2] + ("00" if key[-2:] != "00" else "11")
    with pytest.raises(UnknownNameError, match=f"no gap is called '{wrong}'") as raised:
        gap_called(wrong, gaps)
    assert f"{key} ({' · '.join(gaps[0].labels)})" in raised.value.hint
    with pytest.raises(UnknownNameError, match="nothing was found"):
        gap_called("P1-0123", [])
    assert gap_called(key.lower(), gaps) is gap_called(gaps[0].iri, gaps) is gap_called(key[:9], gaps) is gaps[0]
    twin = Review(ID + "review/x", key[:-1] + ("0" if key[-1] != "0" else "1"), (), (), "done", "", "", DAY, None, "")
    with pytest.raises(UsageError, match="names 2 gaps"):
        gap_called(key[:9], [*gaps, twin])


def test_the_shapes_take_what_is_written_and_refuse_a_dismissal_without_reason(memory: Store) -> None:
    """Reviews of every verdict pass the check; one whose reason was taken away does not."""
    for gap, verdict in zip(introductions(memory).gaps, ("accepted", "dismissed", "done"), strict=False):
        review_gap(memory, gap, verdict, reason="Because", who="The chair", today=DAY)
    assert check(memory).to_dicts() == []
    with memory.change("take the reasons away") as change:
        change.update(f"DELETE WHERE {{ GRAPH <{REVIEWS_GRAPH}> {{ ?body <{RDF.value}> ?why }} }}")
    assert check(memory)["check"].to_list() == ["review-reason"]


def test_what_is_no_review_is_passed_over(memory: Store) -> None:
    """A review that others wrote without a verdict, with a wrong day or about nothing known hinders no search."""
    gap = introductions(memory).gaps[0]
    made = review_gap(memory, gap, "accepted", today=DAY)
    text = reviews_to_turtle(memory).decode()
    broken = [
        text.replace("verdict/accepted", "verdict/liked"),
        text.replace('"2024-03-01"', '"2024-13-41"'),
        text.replace('"2024-03-01"^^xsd:date', '"last week"'),
        text.replace(f"gap/{made.key}", "gap/Q7-0123456789ab"),
    ]
    with memory.change("only faulty ones") as change:
        change.clear(REVIEWS_GRAPH)
        for number, each in enumerate(broken):
            other = each.replace(made.iri, f"{ID}review/broken-{number}")
            assert other != text
            change.load(other.encode(), media_type="ttl", graph=REVIEWS_GRAPH)
    assert load_reviews(memory) == []
    assert introductions(memory).gaps[0].review is None


# ---- Exports --------------------------------------------------------------------------------------------


def test_reviews_are_web_annotations(memory: Store) -> None:
    """The Turtle parses again: target, verdict, reason, motive, who and when stand where the standard has them."""
    gap = introductions(memory).gaps[0]
    made = review_gap(memory, gap, "dismissed", reason='They "met"\\', who="Secretary", today=DAY)
    graph = Graph().parse(data=reviews_to_turtle(memory), format="turtle")
    node = URIRef(made.iri)
    assert {str(kind) for kind in graph.objects(node, RDF.type)} == {OA + "Annotation", SOL + "Review"}
    assert str(graph.value(node, URIRef(OA + "hasTarget"))) == gap.iri
    assert str(graph.value(node, URIRef(OA + "motivatedBy"))) == OA + "assessing"
    bodies = set(graph.objects(node, URIRef(OA + "hasBody")))
    assert URIRef(PREFIXES["voc"] + "verdict/dismissed") in bodies
    (body,) = set(graph.subjects(RDF.type, URIRef(OA + "TextualBody")))
    assert body in bodies
    assert str(graph.value(body, RDF.value)) == 'They "met"\\'
    assert str(graph.value(node, DCTERMS.creator)) == "Secretary"
    assert {str(member) for member in graph.objects(URIRef(gap.iri), URIRef(SOL + "concerns"))} == set(gap.members)
    assert len(graph) == memory.graphs().filter(pl.col("graph") == REVIEWS_GRAPH)["quads"].item()


def test_no_reviews_are_an_empty_list(village: Store) -> None:
    """Where nobody has reviewed anything yet there is nothing, and no failure."""
    assert load_reviews(village) == []
    assert len(Graph().parse(data=reviews_to_turtle(village), format="turtle")) == 0
    assert reviews_as_frame([]).height == 0


def test_every_export_of_gaps_has_the_review(memory: Store) -> None:
    """JSON and frame have gap and review, the words print the short name, the Turtle leads to the lasting gap."""
    gap = introductions(memory).gaps[0]
    review_gap(memory, gap, "accepted", reason="Let us try", who="The chair", today=DAY)
    report = introductions(memory)
    first, second = json.loads(gaps_to_json(report))[:2]
    says = "accepted on 2024-03-01 by The chair: Let us try"
    told = {"verdict": "accepted", "reason": "Let us try", "who": "The chair", "created": "2024-03-01", "says": says}
    assert (first["gap"], first["review"], second["review"]) == (gap.key, told, None)
    frame = as_frame(report)
    assert frame.select("gap", "review").row(0) == (gap.key, says)
    assert frame["review"][1] == ""
    assert f"{gap.short_key} {says}" in " ".join(gaps_to_words(report).split())
    graph = Graph().parse(data=to_turtle(report), format="turtle")
    assert URIRef(gap.iri) in set(graph.objects(None, DCTERMS.isVersionOf))


def test_the_pages_show_what_was_made_of_a_gap(memory: Store) -> None:
    """A review shows at once on /gaps and in its data, also with markup in the reason; dismissed gaps are gone."""
    with create_app(memory, Settings(today=DAY)).test_client() as client:
        first, second = (gap["gap"] for gap in client.get("/gaps.json").json[:2])
        gaps = {gap.key: gap for gap in find_gaps(memory, today=DAY).gaps}
        review_gap(memory, gaps[first], "accepted", reason="<b>Now</b>", today=DAY)
        review_gap(memory, gaps[second], "dismissed", reason="Not so", today=DAY)
        after = client.get("/gaps.json").json
        assert (after[0]["gap"], after[0]["review"]["verdict"]) == (first, "accepted")
        assert second not in {gap["gap"] for gap in after}
        page = client.get("/gaps").text
        assert "accepted on 2024-03-01: &lt;b&gt;Now&lt;/b&gt;." in page
        rows = list(csv.DictReader(io.StringIO(client.get("/gaps.csv").text)))
        assert rows[0]["review"] == "accepted on 2024-03-01: <b>Now</b>"
        assert client.get(f"/id/gap/{first}", headers={"Accept": "text/html"}, follow_redirects=True).status_code == 200


# ---- Labels for the backtest ----------------------------------------------------------------------------


def _circles(number: int) -> Network:
    """Build circles of four in each of which two pairs are apart: one shares two partners, one none."""
    pairs = []
    for circle in range(number):
        a, b, c, d, e = (f"{ID}organisation/o{circle:02d}{letter}" for letter in "abcde")
        pairs += [(a, b), (b, c), (a, d), (d, c), (c, e)]
    return Network.from_pairs(pairs)


def _review(pair: tuple[str, str], verdict: str, reason: str = "") -> Gap:
    return Gap("P1", tuple(sorted(pair)), pair, 0.5, "weak", f"{verdict} {reason}", (), "Meet.")


def _reviewed(number: int) -> Store:
    """Return a store in which of each circle the pair with two common partners is accepted, the other dismissed."""
    store = open_store()
    for circle in range(number):
        a, c, e = (f"{ID}organisation/o{circle:02d}{letter}" for letter in "ace")
        review_gap(store, _review((a, c), "accepted"), "accepted" if circle % 2 else "done", today=DAY)
        if circle % 3:
            review_gap(store, _review((a, e), "dismissed"), "dismissed", reason="Too far", today=DAY)
    return store


def test_reviews_judge_the_scorers_from_thirty_on() -> None:
    """A scorer that puts accepted pairs first has them all in its first bands; the counts and intervals are right."""
    with _reviewed(21) as store:
        found = judged(store, _circles(21), ["common_neighbours", "random"])
    assert (len(found.accepted), len(found.dismissed), found.reviewed) == (21, 14, 35)
    rows = found.bands.filter(scorer="common_neighbours").select("from_rank", "pairs", "accepted").rows()
    assert rows == [(1, 12, 12), (13, 12, 9), (25, 11, 0)]
    assert found.bands.filter(scorer="random")["accepted"].sum() == 21
    first = found.bands.row(0, named=True)
    assert (first["share"], first["low"], first["high"]) == pytest.approx((1.0, *wilson_interval(12, 12)))
    text = found.to_text()
    assert "Of 35 reviewed suggestions 21 were accepted (60%, interval 44% to 74%)" in text
    assert "12 of 12" in text


def test_ties_that_came_of_reviews_do_not_judge() -> None:
    """A pair that has worked together since is scored as if it had not: else every scorer would look wise."""
    with _reviewed(21) as store:
        before = judged(store, _circles(21), ["preferential_attachment"]).bands
        tied = [
            (f"{ID}organisation/o{circle:02d}a", f"{ID}organisation/o{circle:02d}e")
            for circle in range(21)
            if circle % 3
        ]
        grown = Network.from_pairs([*_circles(21).ties.select("source", "target").rows(), *tied])
        assert judged(store, grown, ["preferential_attachment"]).bands.equals(before)


def test_below_thirty_only_the_number_is_told() -> None:
    """29 reviews give no share, no band; none at all gives no words."""
    with _reviewed(17) as store:
        found = judged(store, _circles(17))
    assert found.reviewed < LEAST_JUDGED
    assert found.bands.height == 0
    assert found.to_text() == f"{found.reviewed} suggestions were reviewed; below 30 no share is given."
    assert Judgement((), (), (), found.bands).to_text() == ""


def test_those_who_already_work_together_are_a_gap_of_the_data(memory: Store) -> None:
    """Such a dismissal is not held against the suggestion; it asks to record the tie, until there is one."""
    gap = introductions(memory).gaps[0]
    review_gap(memory, gap, "dismissed", reason="They ALREADY work together, on the fair", today=DAY)
    network = load_network(memory)
    found = judged(memory, network)
    assert (found.reviewed, len(found.untold)) == (0, 1)
    assert f"with its source: {' and '.join(gap.labels)}." in found.to_text()
    tied = Network.from_pairs([*network.ties.select("source", "target").rows(), (gap.members[0], gap.members[1])])
    assert judged(memory, tied).to_text() == ""


@pytest.mark.parametrize(("good", "of"), [(0, 1), (1, 1), (0, 40), (15, 30), (30, 30)])
def test_the_interval_of_wilson_holds_the_share_and_stays_within_bounds(good: int, of: int) -> None:
    """Each end solves (p - share)^2 = z^2 p (1 - p) / n, which is how the interval is defined."""
    low, high = wilson_interval(good, of)
    assert 0 <= low <= good / of <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            assert (end - good / of) ** 2 == pytest.approx(1.959963984540054**2 * end * (1 - end) / of)


# ---- The command line -----------------------------------------------------------------------------------


def graphkit(*words: str, store: Path) -> subprocess.CompletedProcess[str]:
    """Run the command on a store and return what it printed."""
    environment = {**os.environ, "COLUMNS": "160", "PYTHONWARNINGS": "error", "GRAPHKIT_STORE": str(store)}
    return subprocess.run(
        [sys.executable, "-m", "graphkit", *words], capture_output=True, text=True, check=False, env=environment
    )


@pytest.fixture(scope="module")
def place(village: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the village."""
    folder = tmp_path_factory.mktemp("reviews") / "store"
    _copied(village, folder).close()
    return folder


def test_the_review_loop_from_the_command_line(place: Path) -> None:
    """Names that `gaps` prints are taken by `review`; `gaps` and `reviews` then tell what was made of them."""
    listed = json.loads(graphkit("gaps", "--kind", "P1", "-f", "json", store=place).stdout)
    first, second, third = (gap["gap"] for gap in listed[:3])
    words = graphkit("gaps", "--kind", "P1", store=place).stdout
    assert first[:11] in words
    refused = graphkit("review", first[:11], "dismiss", store=place)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--reason" in refused.stderr
    done = graphkit("review", first[:11], "dismiss", "--reason", "Too far", "--who", "The chair", store=place)
    assert (done.returncode, done.stdout) == (0, "")
    assert "dismissed" in done.stderr
    assert graphkit("review", third, "accept", store=place).returncode == 0
    assert graphkit("review", second, "done", store=place).returncode == 0
    after = json.loads(graphkit("gaps", "--kind", "P1", "-f", "json", store=place).stdout)
    assert after[0]["gap"] == third
    assert {first, second} & {gap["gap"] for gap in after} == set()
    aside = json.loads(graphkit("gaps", "--dismissed", "-f", "json", store=place).stdout)
    assert [gap["gap"] for gap in aside] == [first, second]
    rows = list(csv.DictReader(io.StringIO(graphkit("reviews", "-f", "csv", store=place).stdout)))
    told = [(row["gap"], row["verdict"], row["reason"], row["who"], row["found"]) for row in rows]
    assert told == [
        (first, "dismissed", "Too far", "The chair", "true"),
        (third, "accepted", "", "", "true"),
        (second, "done", "", "", "true"),
    ]
    turtle = graphkit("reviews", "-f", "ttl", store=place).stdout
    assert len(set(Graph().parse(data=turtle, format="turtle").subjects(RDF.type, URIRef(SOL + "Review")))) == 3
    versions = json.loads(graphkit("versions", "-f", "json", store=place).stdout)
    assert versions[1]["who"] == "The chair"
    assert graphkit("gaps", "--dismissed", "--save", store=place).returncode == 2


def test_an_unknown_name_ends_in_an_error_with_near_ones(place: Path) -> None:
    """Wrong use exits 2, says what is near, and writes nothing."""
    done = graphkit("review", "P1-0123456789ab", "accept", store=place)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no gap is called 'P1-0123456789ab'" in done.stderr
    assert "near: P1-" in done.stderr
    assert graphkit("review", "museum", "accept", store=place).returncode == 2
    assert graphkit("review", "P1-0123456789ab", "like", store=place).returncode == 2


def test_backtest_tells_of_reviews_first(place: Path) -> None:
    """The village is too small for a backtest; the number of reviews is told before that is said."""
    listed = json.loads(graphkit("gaps", "--kind", "P1", "-f", "json", store=place).stdout)
    graphkit("review", listed[-1]["gap"], "accept", store=place)
    done = graphkit("backtest", store=place)
    assert done.returncode == 1
    assert "reviewed; below 30 no share is given." in done.stdout
