"""Places by their codes: regions of Europe, authorities and postcodes of Great Britain, and countries."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final

import polars as pl

from graphkit.errors import unknown_name
from graphkit.files import ontology_folder
from graphkit.terms import ID, PREFIXES

__all__ = ["CODE_LISTS", "LOOKUPS", "around", "code_list", "describe", "locate_codes", "locate_postcodes", "lookup"]

CODE_LISTS: Final = {
    "gss-2022": "gss-2022",
    "iso-3166-1": "iso-3166-1",
    "nuts-2016-uk": "nuts-2016",
    "nuts-2024": "nuts-2024",
}
"""The shipped lists, by the concept of the scheme 'code-list' that says which list, of which year, a code is from."""

LOOKUPS: Final = ("code", "country", "postcode", "uk-region")
"""What a source can name places by: see `lookup`."""

_FOLDER: Final = "code-lists"
_PLACE: Final = f"{ID}place/"
_KIND: Final = {"gss-2022": "gss", "iso-3166-1": "country", "nuts-2016-uk": "nuts", "nuts-2024": "nuts"}
_NORTHERN_IRELAND: Final = "UKN"
_EUROSTAT: Final = {"EL": "GR", "UK": "GB"}
"""Where the European institutions write a country in another way than ISO 3166-1."""
_SECTOR: Final = r"^([A-Z]{1,2}[0-9][0-9A-Z]?)([0-9])[A-Z]{2}$"
_DISTRICT: Final = r"^([A-Z]{1,2}[0-9][0-9A-Z]?)(?: [0-9])?$"
_SCHEMA: Final = pl.Schema(dict.fromkeys(("place", "code", "label", "list", "within"), pl.String()))


def code_list(name: str) -> pl.DataFrame:
    """Return a shipped list as a frame: place (its IRI), code, label, list and within (the IRI of the place around).

    A place that the seed graph knows by its code has the IRI and the label of that graph, so that what is said of it
    anywhere is said of one place. Raises `UnknownNameError` for a list that is not shipped.

    >>> code_list("nuts-2016-uk").filter(pl.col("code") == "UKK2").select("place", "within").row(0)
    ('https://w3id.org/solidarity-graph/id/place/dorset-and-somerset', 'https://w3id.org/solidarity-graph/id/place/south-west-england')
    """
    if name not in CODE_LISTS:
        raise unknown_name("code list", name, CODE_LISTS)
    return _all().filter(list=name).drop("seed")


def locate_codes(codes: pl.Series) -> pl.Series:
    """Return the place of each code of a region, an authority or a country, or null where there is none.

    A code of an older NUTS that is not listed any more falls back on the longest part of it that is: "UKJ33" on
    "UKJ3", and "FR6" on France. "EL" and "UK" are taken for Greece and the United Kingdom.

    >>> locate_codes(pl.Series(["E06000058", "UKJ33", "EL", "??"])).str.strip_prefix(ID).to_list()
    ['place/gss-e06000058', 'place/hampshire-and-isle-of-wight', 'place/country-gr', None]
    """
    known, distinct = _by_code(), codes.cast(pl.String).unique()
    found = pl.Series([_nearest(code, known) for code in distinct], dtype=pl.String)
    return codes.cast(pl.String).replace_strict(distinct, found, return_dtype=pl.String)


def _nearest(code: str | None, known: dict[str, str]) -> str | None:
    code = (code or "").strip().upper()
    if code in known and code not in _EUROSTAT:
        return known[code]
    shorter = [code[:length] for length in range(len(code) - 1, 2, -1)] if code[:2].isalpha() else []
    country = _EUROSTAT.get(code[:2], code[:2])
    return next((known[part] for part in (*shorter, country) if part in known), None)


def locate_postcodes(postcodes: pl.Series) -> pl.DataFrame:
    """Return a row for each postcode of the United Kingdom: place, share, latitude, longitude, or nulls.

    The place is the local authority in which most postcodes of its sector ("BH11 9") lie; `share` says how many of
    them do: 1.0 for seven sectors in ten, 0.97 on average. The point is the middle of the sector (WGS 84, degrees).
    The first half of a postcode ("BH11") is enough, with a smaller share. Of Northern Ireland only the region is known.
    A postcode that cannot be read, or lies elsewhere, has nulls.

    >>> locate_postcodes(pl.Series(["bh11 9tt", "BT1 1AA", "12345"]))["place"].str.strip_prefix(ID).to_list()
    ['place/gss-e06000058', 'place/northern-ireland', None]
    """
    written = pl.col("postcode").str.to_uppercase().str.replace_all(r"[^0-9A-Z]", "")
    asked = pl.DataFrame({"postcode": postcodes.cast(pl.String)}).select(sector=written.str.replace(_SECTOR, "$1 $2"))
    whole, part = asked, asked.select(pl.col("sector").str.extract(_DISTRICT))
    found, near = (each.join(_sectors(), on="sector", how="left", maintain_order="left") for each in (whole, part))
    found = found.select(pl.coalesce(pl.col(name), near[name]).alias(name) for name in found.columns)
    northern = pl.col("sector").str.contains(r"^BT[0-9]{1,2}(?: [0-9])?$")
    return found.select(
        place=pl.when(northern).then(pl.lit(_by_code()[_NORTHERN_IRELAND])).otherwise("place"),
        share=pl.when(northern).then(1.0).otherwise("share"),
        latitude="latitude",
        longitude="longitude",
    )


def lookup(values: pl.Series, name: str) -> pl.Series:
    """Return the place that each value names in one of `LOOKUPS`, or null.

    `postcode` takes postcodes of the United Kingdom; `code` the codes of NUTS, of British authorities and of countries;
    `country` countries by their two or three letters or their English name; `uk-region` the names that British sources
    give to regions and authorities. Raises `UnknownNameError` for another name.

    >>> lookup(pl.Series(["FRA", "Italy", "UK", "?"]), "country").str.strip_prefix(ID).to_list()
    ['place/country-fr', 'place/italy', 'place/united-kingdom', None]
    """
    if name not in LOOKUPS:
        raise unknown_name("list of places", name, LOOKUPS)
    if name == "postcode":
        return locate_postcodes(values)["place"].alias(values.name)
    if name == "code":
        return locate_codes(values)
    known = _countries() if name == "country" else _regions()
    asked = pl.DataFrame({"name": values.cast(pl.String).str.strip_chars().str.to_lowercase()})
    found = asked.join(known, on="name", how="left", maintain_order="left")["code"]
    return locate_codes(found).alias(values.name)


def around(places: Iterable[str]) -> frozenset[str]:
    """Return the IRIs of `places` with those of all places around them, as far as the lists know them."""
    within = _within()
    found: set[str] = set()
    waiting = list(places)
    while waiting:
        place = waiting.pop()
        if place not in found:
            found.add(place)
            waiting.extend(within.get(place, ()))
    return frozenset(found)


def describe(places: Iterable[str]) -> bytes:
    """Write `places`, and all places around them that the lists know, as sorted N-Triples.

    Each is a region with a label that holds its code, the code, its list and what it lies within. Of a place of the
    seed graph class, label and what it lies within are said again, so that the statements stand without that graph.

    >>> b"Dorset (E06000059)" in describe([ID + "place/gss-e06000059"])
    True
    """
    wanted = _all().filter(pl.col("place").is_in(list(around(places))))
    official = wanted.filter(~pl.col("seed"))
    sol, rdf, rdfs, geo = (PREFIXES[prefix] for prefix in ("sol", "rdf", "rdfs", "geo"))
    name = pl.col("label").str.replace_all(r"\\", r"\\").str.replace_all('"', r"\"")
    written = [
        wanted.select(pl.format(f"<{{}}> <{rdf}type> <{sol}Region> .", "place")),
        wanted.filter("seed").select(pl.format(f'<{{}}> <{rdfs}label> "{{}}"@en .', "place", name)),
        official.select(pl.format(f'<{{}}> <{rdfs}label> "{{}} ({{}})"@en .', "place", name, "code")),
        official.select(pl.format(f'<{{}}> <{sol}placeCode> "{{}}" .', "place", "code")),
        official.select(
            pl.format(
                f"<{{}}> <{sol}codeList> <{PREFIXES['voc']}code-list/{{}}> .",
                "place",
                pl.col("list").replace_strict(CODE_LISTS),
            )
        ),
        wanted.select(pl.format(f"<{{}}> <{geo}sfWithin> <{{}}> .", "place", "within")),
    ]
    lines = pl.concat([frame.to_series().alias("line") for frame in written])
    return "".join(f"{line}\n" for line in lines.drop_nulls().unique().sort()).encode()


@cache
def _all() -> pl.DataFrame:
    """Return the places of all lists, and those of the seed graph around them, one row for each place around each.

    What a list and the seed graph both know has the IRI and the label of the seed graph, and `seed` is true.
    """
    listed, seed = pl.concat([_SCHEMA.to_frame(), *(_listed(name) for name in CODE_LISTS)]), _seed()
    same = dict(seed.filter(relation="is").select("listed", "place").rows())
    labels = seed.select("place", seed_label="label").unique()
    outer = seed.filter(relation="within").select("place").unique()
    return (
        pl.concat([listed.with_columns(pl.col("place", "within").replace(same)), outer], how="diagonal")
        .join(labels, on="place", how="left", maintain_order="left")
        .select(
            "place", "code", pl.coalesce("seed_label", "label").alias("label"), "list", "within",
            seed=pl.col("seed_label").is_not_null(),
        )
    )  # fmt: skip


def _listed(name: str) -> pl.DataFrame:
    listed, seed = _read(name), _seed().filter(list=name, relation="within")
    outer = pl.col("within") if "within" in listed.columns else pl.lit(None, pl.String)
    kind = pl.when(pl.col("outer").str.len_chars() == 2).then(pl.lit("country")).otherwise(pl.lit("nuts"))  # noqa: PLR2004
    within = pl.concat(
        [
            listed.select("code", outer=outer).select("code", within=_iri(kind, "outer")),
            seed.select("code", within="place"),
        ]
    )
    places = listed.select(_iri(pl.lit(_KIND[name]), "code").alias("place"), "code", "label", list=pl.lit(name))
    return places.join(within.drop_nulls().unique(), on="code", how="left").select(*_SCHEMA).sort("code", "within")


def _iri(kind: pl.Expr, code: str) -> pl.Expr:
    return pl.format(f"{_PLACE}{{}}-{{}}", kind, pl.col(code).str.to_lowercase())


@cache
def _seed() -> pl.DataFrame:
    """Return the places of the seed graph that a code stands for or lies within, and how a list would name them."""
    return _read("seed-places").with_columns(
        place=pl.format(f"{_PLACE}{{}}", "place"), listed=_iri(pl.col("list").replace_strict(_KIND), "code")
    )


@cache
def _by_code() -> dict[str, str]:
    return dict(_all().drop_nulls("code").select("code", "place").rows())


@cache
def _within() -> dict[str, list[str]]:
    known = _all().drop_nulls("within").group_by("place", maintain_order=True).agg("within")
    return dict(known.rows())


@cache
def _sectors() -> pl.DataFrame:
    """Return the sectors, and under the first half of their postcodes what most sectors of a district say."""
    listed = _read("postcode-sectors-gb").with_columns(
        pl.col("share", "latitude", "longitude").cast(pl.Float64), district=pl.col("sector").str.extract(_DISTRICT)
    )
    shares = listed.group_by("district", "authority").agg(pl.col("share").sum())
    points = listed.group_by("district").agg(pl.col("latitude", "longitude").median().round(3), sectors=pl.len())
    districts = (
        shares.sort("share", "authority", descending=[True, False])
        .unique("district", keep="first", maintain_order=True)
        .join(points, on="district")
        .select(
            sector="district",
            authority="authority",
            share=pl.col("share") / pl.col("sectors"),
            latitude="latitude",
            longitude="longitude",
        )
    )
    whole = pl.concat([listed.select(districts.columns), districts])
    return whole.with_columns(place=_iri(pl.lit("gss"), "authority"))


@cache
def _countries() -> pl.DataFrame:
    listed = _read("iso-3166-1")
    written = [listed.select(name=column, code="code") for column in ("code", "alpha_3", "label")]
    own = pl.DataFrame(list(_EUROSTAT.items()), schema=["name", "code"], orient="row")
    return pl.concat([*written, own]).select(pl.col("name").str.to_lowercase(), "code").drop_nulls().unique("name")


@cache
def _regions() -> pl.DataFrame:
    """Return names in small letters with codes; where a region and an authority share one, the region is meant."""
    authorities = _read("gss-2022").select(name="label", code="code")
    whole = pl.concat([_read("region-names-uk"), authorities]).with_columns(pl.col("name").str.to_lowercase())
    return whole.unique("name", keep="first", maintain_order=True)


def _read(name: str) -> pl.DataFrame:
    return pl.read_csv(ontology_folder() / _FOLDER / f"{name}.csv", infer_schema=False)
