"""Places by their codes: what lies where, and how the shipped lists hang together."""

from __future__ import annotations

import polars as pl
import pytest

from graphkit import check, places, queries
from graphkit.assembly import assemble_shipped
from graphkit.errors import UnknownNameError
from graphkit.files import ontology_folder
from graphkit.store import open_store
from graphkit.terms import ID, graph_iri


def _slugs(found) -> list[str | None]:
    return [iri and iri.removeprefix(f"{ID}place/") for iri in found]


@pytest.mark.parametrize("name", places.CODE_LISTS)
def test_every_place_of_a_list_has_a_name_and_lies_within_a_place_that_is_known(name):
    """Each code stands once, with a label, and what is around it is in a list or in the seed graph."""
    listed = places.code_list(name)
    known = set(pl.concat([places.code_list(each) for each in places.CODE_LISTS])["place"])
    seed = {ID + "place/" + place for place in _seed_places()["place"]}
    assert listed["label"].null_count() == 0
    assert listed.select("place", "within").is_duplicated().sum() == 0
    assert set(listed["within"].drop_nulls()) <= known | seed


def _seed_places() -> pl.DataFrame:
    return pl.read_csv(ontology_folder() / "code-lists" / "seed-places.csv", infer_schema=False)


def test_a_place_of_the_seed_is_not_in_the_lists_a_second_time():
    """Whoever asks by a code gets the place of the seed graph, and what lies in it lies in that one."""
    same = _seed_places().filter(relation="is")
    assert _slugs(places.locate_codes(same["code"])) == same["place"].to_list()
    listed = pl.concat([places.code_list(name) for name in places.CODE_LISTS])
    assert listed.drop_nulls("code").group_by("code").agg(pl.col("place").n_unique())["place"].max() == 1
    assert "place/spain" in {iri.removeprefix(ID) for iri in listed.filter(code="ES2")["within"]}


def test_places_of_the_seed_are_found_by_their_code():
    """The table of seed places has exactly the codes that the seed graph gives them."""
    store = assemble_shipped()
    coded = queries.run(store, queries.parse_query(_CODED, "coded"))
    said = {(row["code"], row["place"]) for row in coded.rows(named=True)}
    same = _seed_places().filter(relation="is")
    table = {(code, f"{ID}place/{place}") for code, place in same.select("code", "place").rows()}
    assert table == said
    labels = dict(queries.run(store, "explore/places").select("place", "label").rows())
    assert {
        f"{ID}place/{row['place']}": row["label"] for row in _seed_places().rows(named=True)
    }.items() <= labels.items()


_CODED = """
PREFIX sol: <https://w3id.org/solidarity-graph/ns#>
SELECT ?code ?place WHERE { ?place sol:placeCode ?code } ORDER BY ?code
"""


def test_all_374_authorities_of_2022_have_postcodes_or_lie_in_northern_ireland():
    """No authority of Great Britain is without a postcode sector."""
    sectors = places.locate_postcodes(pl.Series(["BH1 1AA"]))
    assert sectors.columns == ["place", "share", "latitude", "longitude"]
    authorities = places.code_list("gss-2022").filter(pl.col("label") != "England")
    assert authorities["code"].n_unique() == 374
    inside = set(places._sectors()["authority"])
    assert set(authorities.filter(~pl.col("code").str.starts_with("N"))["code"]) == inside


@pytest.mark.parametrize(
    ("written", "authority"),
    [
        ("BH11 9TT", "gss-e06000058"),
        ("bh119tt", "gss-e06000058"),
        ("SO14 7DW", "gss-e06000045"),
        ("EC2V 7HH", "gss-e09000001"),
        ("BT1 5GS", "northern-ireland"),
        ("ZE1 0AA", "gss-s12000027"),
        ("YO23", "gss-e06000014"),
        ("BT23", "northern-ireland"),
    ],
)
def test_a_postcode_is_found_in_its_authority(written, authority):
    """Small letters and missing blanks make no difference; Northern Ireland is known as a whole only."""
    found = places.locate_postcodes(pl.Series([written])).row(0, named=True)
    assert _slugs([found["place"]]) == [authority]
    assert 0 < found["share"] <= 1


@pytest.mark.parametrize("written", ["", "BH", "75001", "ZZ99 9ZZ", "BH11 9T", None])
def test_what_is_no_british_postcode_has_no_place(written):
    """Nothing is guessed from the letters alone or from a code of another country."""
    assert places.locate_postcodes(pl.Series([written], dtype=pl.String)).row(0) == (None, None, None, None)


def test_the_middle_of_a_sector_lies_near_the_place():
    """Bournemouth's centre is at 50.72 north, 1.88 west."""
    found = places.locate_postcodes(pl.Series(["BH1 1AA"])).row(0, named=True)
    assert (found["latitude"], found["longitude"]) == pytest.approx((50.72, -1.88), abs=0.03)


@pytest.mark.parametrize(
    ("name", "written", "place"),
    [
        ("country", " el ", "country-gr"),
        ("country", "DEU", "germany"),
        ("country", "united kingdom", "united-kingdom"),
        ("country", "Ruritania", None),
        ("uk-region", "Yorkshire and The Humber", "nuts-uke"),
        ("uk-region", "Highland", "gss-s12000017"),
        ("uk-region", "England", "gss-e92000001"),
        ("code", "ITI43", "rome-province"),
        ("postcode", "SO14 7DW", "gss-e06000045"),
    ],
)
def test_places_are_found_by_what_a_source_calls_them(name, written, place):
    """Countries by letters or name, British regions and authorities by name, all lists by code."""
    assert _slugs(places.lookup(pl.Series([written]), name)) == [place]


@pytest.mark.parametrize(("code", "lies"), [("FR", True), ("PL", True), ("CY", True), ("UKM2", True), ("TN", False)])
def test_what_is_in_europe_is_found_in_europe(code, lies):
    """Also where only the country is known."""
    found = places.around(places.locate_codes(pl.Series([code])))
    assert (f"{ID}place/europe" in found) is lies


def test_a_lookup_that_is_not_there_is_refused():
    """The names of the lookups are told."""
    with pytest.raises(UnknownNameError, match="postcode"):
        places.lookup(pl.Series(["BH"]), "postcode-area")


def test_codes_fall_back_on_the_longest_part_that_is_listed():
    """Codes of an older NUTS, and the Union's own letters for Greece and the United Kingdom, find their place."""
    codes = pl.Series(["UKK22", "UKJ33", "FR6", "EL30", "UK", "GB", "nl36", "S12000036", "E", "", None, "99"])
    kingdom, hampshire = "united-kingdom", "hampshire-and-isle-of-wight"
    expected = ["dorset-county", hampshire, "country-fr", "nuts-el30", kingdom, kingdom, "nuts-nl36"]
    assert _slugs(places.locate_codes(codes)) == [*expected, "gss-s12000036", None, None, None, None]


def test_a_described_place_hangs_together_up_to_its_country_and_the_seed():
    """An authority of Dorset lies in Wessex, since its county does; all that is said passes the check."""
    with open_store() as store:
        shipped = assemble_shipped()
        with store.change("places") as change:
            change.load(shipped.dump("nq"), media_type="nq")
            authority = f"{ID}place/gss-e06000059"
            change.load(places.describe([authority]), media_type="nt", graph=graph_iri("places"))
        queries.derive(store)
        asked = f"ASK {{ <{authority}> <http://www.opengis.net/ont/geosparql#sfWithin> <{ID}place/wessex> }}"
        assert store.ask(asked)
        found = check.check(store).filter(pl.col("source") == "places")
        assert found.rows() == []


def test_an_unknown_list_is_refused_with_the_names_that_there_are():
    """A slip of the pen is answered with the nearest list."""
    with pytest.raises(UnknownNameError, match="nuts-2024"):
        places.code_list("nuts-2023")
