"""Places by their codes: regions of Europe, authorities and postcodes of Great Britain, and countries."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final

import polars as pl

from graphkit.errors import unknown_name
from graphkit.files import ontology_folder
from graphkit.terms import ID, PREFIXES

__all__ = ["CODE_LISTS", "around", "code_list", "describe", "locate_codes", "locate_postcodes"]

CODE_LISTS: Final = {
    "gss-2022": "gss-2022",
    "iso-3166-1": "iso-3166-1",
    "nuts-2016-uk": "nuts-2016",
    "nuts-2024": "nuts-2024",
}
"""The shipped lists, by the concept of the scheme 'code-list' that says which list, of which year, a code is from."""

_FOLDER: Final = "code-lists"
_PLACE: Final = f"{ID}place/"
_KIND: Final = {"gss-2022": "gss", "iso-3166-1": "country", "nuts-2016-uk": "nuts", "nuts-2024": "nuts"}
_NORTHERN_IRELAND: Final = "nuts-ukn"
_EUROSTAT: Final = {"EL": "GR", "UK": "GB"}
"""Where the European institutions write a country in another way than ISO 3166-1."""
_SECTOR: Final = r"^([A-Z]{1,2}[0-9][0-9A-Z]?)([0-9])[A-Z]{2}$"
_SCHEMA: Final = pl.Schema(dict.fromkeys(("place", "code", "label", "list", "within"), pl.String()))


def code_list(name: str) -> pl.DataFrame:
    """Return a shipped list as a frame: place (its IRI), code, label, list and within (the IRI of the place around).

    A place whose code a place of the seed graph has too lies within that one, so that what is said of either is found
    from both. Raises `UnknownNameError` for a list that is not shipped.

    >>> code_list("nuts-2016-uk").filter(pl.col("code") == "UKK2")["within"].str.strip_prefix(ID).to_list()
    ['place/dorset-and-somerset', 'place/nuts-ukk']
    """
    if name not in CODE_LISTS:
        raise unknown_name("code list", name, CODE_LISTS)
    return _all().filter(pl.col("list") == name)


def locate_codes(codes: pl.Series) -> pl.Series:
    """Return the place of each code of a region, an authority or a country, or null where there is none.

    A code of an older NUTS that is not listed any more falls back on the longest part of it that is: "UKJ33" on
    "UKJ3", and "FR6" on France. "EL" and "UK" are taken for Greece and the United Kingdom.

    >>> locate_codes(pl.Series(["E06000058", "UKJ33", "EL", "??"])).str.strip_prefix(ID).to_list()
    ['place/gss-e06000058', 'place/nuts-ukj3', 'place/country-gr', None]
    """
    known = dict(_all().filter(pl.col("code") != "").select("code", "place").rows())
    return pl.Series(codes.name, [_nearest(code, known) for code in codes.cast(pl.String)], dtype=pl.String)


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
    Of Northern Ireland only the region is known. A postcode that cannot be read, or lies elsewhere, has nulls.

    >>> locate_postcodes(pl.Series(["bh11 9tt", "BT1 1AA", "12345"]))["place"].str.strip_prefix(ID).to_list()
    ['place/gss-e06000058', 'place/nuts-ukn', None]
    """
    written = pl.col("postcode").str.to_uppercase().str.replace_all(r"[^0-9A-Z]", "")
    asked = pl.DataFrame({"postcode": postcodes.cast(pl.String)}).select(sector=written.str.replace(_SECTOR, "$1 $2"))
    found = asked.join(_sectors(), on="sector", how="left", maintain_order="left")
    northern = pl.col("sector").str.contains(r"^BT[0-9]{1,2} [0-9]$")
    return found.select(
        place=pl.when(northern).then(pl.lit(_PLACE + _NORTHERN_IRELAND)).otherwise("place"),
        share=pl.when(northern).then(1.0).otherwise("share"),
        latitude="latitude",
        longitude="longitude",
    )


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

    Each is a region with a label that holds its code, the code, its list and what it lies within.

    >>> b"Dorset and Somerset (UKK2)" in describe([ID + "place/gss-e06000059"])
    True
    """
    wanted = _all().filter(pl.col("place").is_in(list(around(places))))
    sol, rdf, rdfs, geo = (PREFIXES[prefix] for prefix in ("sol", "rdf", "rdfs", "geo"))
    label = pl.format("{} ({})", pl.col("label").str.replace_all(r"\\", r"\\").str.replace_all('"', r"\""), "code")
    lines = [
        pl.format(f"<{{}}> <{rdf}type> <{sol}Region> .", "place"),
        pl.format(f'<{{}}> <{rdfs}label> "{{}}"@en .', "place", label),
        pl.format(f'<{{}}> <{sol}placeCode> "{{}}" .', "place", "code"),
        pl.format(
            f"<{{}}> <{sol}codeList> <{PREFIXES['voc']}code-list/{{}}> .",
            "place",
            pl.col("list").replace_strict(CODE_LISTS),
        ),
        pl.format(f"<{{}}> <{geo}sfWithin> <{{}}> .", "place", "within"),
    ]
    written = pl.concat([wanted.select(line=line) for line in lines])["line"].drop_nulls().unique().sort()
    return "".join(f"{line}\n" for line in written).encode()


@cache
def _all() -> pl.DataFrame:
    """Return the places of all lists, one row for each place around each."""
    return pl.concat([_SCHEMA.to_frame(), *(_listed(name) for name in CODE_LISTS)])


def _listed(name: str) -> pl.DataFrame:
    listed = pl.read_csv(ontology_folder() / _FOLDER / f"{name}.csv", infer_schema=False)
    seed = pl.read_csv(ontology_folder() / _FOLDER / "seed-places.csv", infer_schema=False).filter(list=name)
    outer = pl.col("within") if "within" in listed.columns else pl.lit(None, pl.String)
    kind = pl.when(pl.col("outer").str.len_chars() == 2).then(pl.lit("country")).otherwise(pl.lit("nuts"))  # noqa: PLR2004
    within = pl.concat(
        [
            listed.select("code", outer=outer).select("code", within=_iri(kind, "outer")),
            seed.select("code", within=pl.format(f"{_PLACE}{{}}", "place")),
        ]
    )
    places = listed.select(_iri(pl.lit(_KIND[name]), "code").alias("place"), "code", "label", list=pl.lit(name))
    return places.join(within.drop_nulls().unique(), on="code", how="left").select(*_SCHEMA).sort("code", "within")


def _iri(kind: pl.Expr, code: str) -> pl.Expr:
    return pl.format(f"{_PLACE}{{}}-{{}}", kind, pl.col(code).str.to_lowercase())


@cache
def _within() -> dict[str, list[str]]:
    known = _all().drop_nulls("within").group_by("place", maintain_order=True).agg("within")
    return dict(known.rows())


@cache
def _sectors() -> pl.DataFrame:
    listed = pl.read_csv(
        ontology_folder() / _FOLDER / "postcode-sectors-gb.csv", schema_overrides={"authority": pl.String}
    )
    return listed.with_columns(place=_iri(pl.lit("gss"), "authority"))
