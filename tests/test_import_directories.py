"""Directories come in: profiles of the Murmurations network, and points of a map."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from graphkit.errors import DataError
from graphkit.sources import import_files
from graphkit.sources.folder import find
from graphkit.store import Store, open_store
from graphkit.terms import GRAPH, ID, PREFIXES

_ADAPTERS = Path(__file__).parents[1] / "graphkit" / "sources" / "adapters"
_PROFILES = _ADAPTERS / "murmurations" / "sample.json"
_FEATURES = _ADAPTERS / "geojson" / "sample.geojson"


def _imported(adapter: str, path: Path) -> tuple[Store, str]:
    store = open_store()
    report = import_files(store, adapter, [path], snapshot="2026-01")
    assert report.rows_refused == 0
    (graph,) = [name for name in store.graphs()["graph"] if name.startswith(f"{GRAPH}{adapter}/")]
    return store, store.dump("nt", graph).decode()


def _feature(tmp_path: Path, **changes: object) -> Path:
    """Write a collection with one feature, some of its parts exchanged."""
    point = {"type": "Point", "coordinates": [-1.9, 50.7]}
    feature = {"type": "Feature", "geometry": point, "properties": {"name": "Harbour Choir"}} | changes
    path = tmp_path / "choirs-2026-01-31.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return path


def test_a_profile_tells_kind_by_its_tags_and_keeps_them():
    """A tag that names a kind is one, whatever its letters; a profile without such a tag is of an unspecified kind."""
    _, found = _imported("murmurations", _PROFILES)
    kinds = [line for line in found.splitlines() if f"<{PREFIXES['org']}classification>" in line]
    assert [line.rsplit("/", 1)[1] for line in kinds] == ["cooperative> .", "unspecified> .", "network> ."]
    assert '"repair"@en' in found


def test_relations_between_profiles_become_membership():
    """Who says that it is a member is found among the members of the other."""
    store, _ = _imported("murmurations", _PROFILES)
    asked = f"""ASK {{ ?one <{PREFIXES["org"]}memberOf> ?body . ?body a <{PREFIXES["org"]}OrganizationalCollaboration> ;
        <{PREFIXES["rdfs"]}label> "Valley Commons Network"@en }}"""
    assert store.ask(asked)


@pytest.mark.parametrize(("adapter", "path"), [("murmurations", _PROFILES), ("geojson", _FEATURES)])
def test_no_contact_details_are_kept(adapter, path):
    """Mail addresses, telephone numbers and streets stay outside."""
    _, found = _imported(adapter, path)
    assert "hello@" not in found
    assert "Quay Street" not in found
    assert "phone" not in found


def test_a_feature_has_its_point_its_place_and_the_kind_of_its_category():
    """Longitude comes first in GeoJSON; the postcode names the authority."""
    _, found = _imported("geojson", _FEATURES)
    bakers = "".join(line for line in found.splitlines() if line.startswith(f"<{ID}organisation/geojson.d1>"))
    assert '<https://schema.org/latitude> "50.72"' in bakers
    assert f"<{ID}place/gss-e06000058>" in bakers
    assert "kind/cooperative>" in bakers


def test_the_name_of_the_file_tells_series_and_snapshot(tmp_path):
    """Two directories stand beside each other, each with its days."""
    store = open_store()
    import_files(store, "geojson", [_feature(tmp_path)])
    assert f"{GRAPH}geojson/choirs-2026-01-31" in store.graphs()["graph"].to_list()


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [1, 1], [0, 0]]]}}, "geometry"),
        ({"geometry": {"type": "Point", "coordinates": [190, 50]}}, "geometry/coordinates/0"),
        ({"properties": {"city": "Harbourtown"}}, "name"),
    ],
)
def test_a_feature_that_is_no_point_with_a_name_is_refused_with_its_column(tmp_path, changes, column):
    """What cannot be on the map, or has no name, is told and not dropped."""
    report = import_files(open_store(), "geojson", [_feature(tmp_path, **changes)], dry_run=True)
    assert (report.rows_read, report.rows_refused) == (1, 1)
    assert any(column in value for value in report.refused["column"])


def test_a_file_that_is_no_collection_is_refused_with_its_place(tmp_path):
    """A single feature is no directory."""
    path = tmp_path / "one-2026-01-31.geojson"
    path.write_text('{"type": "Feature"}')
    with pytest.raises(DataError, match="features"):
        import_files(open_store(), "geojson", [path])


def test_both_sources_say_what_they_give():
    """The licence of profiles is open; that of a directory must be asked for."""
    assert find("murmurations").licence.endswith("zero/1.0/")
    assert "position" in find("geojson").gives
