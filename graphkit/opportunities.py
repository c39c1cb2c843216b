"""Calls and tenders with the organisations that fit them, consortia that could bid, and how earlier bids ended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import polars as pl

from graphkit import queries
from graphkit.errors import UsageError, unknown_name
from graphkit.gaps.calls import still_open
from graphkit.gaps.candidates import Candidates, load_candidates
from graphkit.gaps.means import wider
from graphkit.plans import Need, Proposals, propose
from graphkit.store import Store
from graphkit.terms import ID, PREFIXES

__all__ = [
    "METHOD",
    "Opportunities",
    "bid_record",
    "consortia_for",
    "load_opportunities",
    "matches",
    "needs_of",
    "still_open",
]

_CORE: Final = PREFIXES["voc"] + "kind/core-solidarity-organisation"
_NOT_RESERVED: Final = PREFIXES["voc"] + "reservation/none"
METHOD: Final = (
    "fit is the mean of the share of the asked capabilities and kinds that an organisation is known to have and,"
    " where a region is named, of working there (1 or 0); it ranks, and is no probability"
)
_WHERE: Final = "opportunities"


@dataclass(frozen=True, eq=False, repr=False)
class Opportunities:
    """Opportunities with what they ask for, and what organisations are known to offer.

    `needs` has the rows of the query `funding/opportunity-needs`; `offers` the columns `organisation, aspect, value`
    with wider themes, kinds and regions in rows of their own.
    """

    needs: pl.DataFrame
    offers: pl.DataFrame
    candidates: Candidates

    def open_on(self, day: date) -> pl.DataFrame:
        """Return the needs of opportunities that may be open on a day, as `still_open` tells."""
        return still_open(self.needs, day)


def load_opportunities(store: Store) -> Opportunities:
    """Read from `store` what is on offer, and what organisations can bring by activities, kind, place and theme."""
    candidates = load_candidates(store)
    own = queries.run(store, "gaps/themes").select(organisation="thing", theme="theme")
    own = own.filter(pl.col("organisation").is_in(list(candidates.organisations)))
    broader = pl.DataFrame(
        [(theme, value) for theme, values in wider("theme").items() for value in values],
        schema={"theme": pl.String, "value": pl.String},
        orient="row",
    )
    themes = own.join(broader, on="theme").select("organisation", pl.lit("capability").alias("aspect"), "value")
    offers = pl.concat([candidates.offers, themes]).unique().sort("organisation", "aspect", "value")
    return Opportunities(queries.run(store, "funding/opportunity-needs"), offers, candidates)


def matches(loaded: Opportunities, needs: pl.DataFrame, *, top: int = 10) -> pl.DataFrame:
    """Rank organisations for each opportunity in `needs`, at most `top` for each.

    Columns: opportunity, label, deadline, organisation, organisation_label, fit (0 to 1), meets, lacks, in_region
    (null where no region is named), note, method. Only who has one asked capability or kind is listed, and never who
    offers the opportunity itself. Of a reserved opportunity only core solidarity organisations are listed; whether they
    meet the ground of the reservation must be checked. An opportunity that asks for no capability or kind that is
    known has no row.
    """
    if top < 1:
        raise UsageError("one organisation or more can be listed", where=_WHERE, hint="give --top 1 or more")
    asked = needs.drop_nulls("value").select("opportunity", "aspect", "value", "value_label").unique()
    things, regions = (asked.filter((pl.col("aspect") == "region") == flag) for flag in (False, True))
    hits = _things_met(things, loaded.offers).join(
        _places_met(regions, loaded.offers), on=["opportunity", "organisation"], how="left"
    )
    named = hits.join(_asked(things, "things"), on="opportunity", how="left").join(
        _asked(regions, "places"), on="opportunity", how="left"
    )
    found = _scored(named).join(_words(needs), on="opportunity")
    offering = needs.select("opportunity", organisation="offered_by").drop_nulls().unique()
    found = found.join(offering, on=["opportunity", "organisation"], how="anti")
    found = _only_eligible(found, loaded.offers)
    ranked = found.sort("opportunity", "fit", "organisation", descending=[False, True, False])
    ranked = ranked.group_by("opportunity", maintain_order=True).head(top)
    labels = pl.col("organisation").replace_strict(loaded.candidates.labels, default=pl.col("organisation"))
    return ranked.select(
        "opportunity", "label", "deadline", "organisation", labels.alias("organisation_label"), "fit", "meets", "lacks",
        "in_region", "note", pl.lit(METHOD).alias("method"),
    ).sort("deadline", "label", "opportunity", "fit", "organisation", descending=[False, False, False, True, False],
           nulls_last=True)  # fmt: skip


def _things_met(things: pl.DataFrame, offers: pl.DataFrame) -> pl.DataFrame:
    """Tell which asked capabilities and kinds each organisation has; a kind can be asked for as a capability."""
    able = offers.filter(pl.col("aspect") != "region").select("organisation", "value").unique()
    met = things.select("opportunity", "value", "value_label").unique(["opportunity", "value"]).join(able, on="value")
    return met.group_by("opportunity", "organisation").agg(met=pl.len(), meets=pl.col("value_label").sort())


def _places_met(regions: pl.DataFrame, offers: pl.DataFrame) -> pl.DataFrame:
    there = offers.filter(pl.col("aspect") == "region").select("organisation", "value")
    met = regions.select("opportunity", "value").unique().join(there, on="value")
    return met.select("opportunity", "organisation", pl.lit(value=True).alias("there")).unique()


def _asked(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    each = rows.unique(["opportunity", "value"])
    return each.group_by("opportunity").agg(pl.len().alias(name), pl.col("value_label").sort().alias(f"{name}_labels"))


def _scored(named: pl.DataFrame) -> pl.DataFrame:
    inside = pl.when(pl.col("places") > 0).then(pl.col("there").fill_null(value=False))
    frame = named.with_columns(share=pl.col("met") / pl.col("things"), in_region=inside)
    return frame.with_columns(
        fit=pl.mean_horizontal("share", pl.col("in_region").cast(pl.Float64)).round(4),
        meets=pl.col("meets").list.join("; "),
        lacks=pl.col("things_labels").list.set_difference("meets").list.sort().list.join("; "),
    )


def _words(needs: pl.DataFrame) -> pl.DataFrame:
    """Return name, deadline and reservation of each opportunity, once."""
    return needs.select("opportunity", "label", "deadline", "reservation").unique(
        "opportunity", keep="first", maintain_order=True
    )


def _only_eligible(found: pl.DataFrame, offers: pl.DataFrame) -> pl.DataFrame:
    core = offers.filter((pl.col("aspect") == "kind") & (pl.col("value") == _CORE))["organisation"].implode()
    said = pl.col("reservation").cast(pl.String)
    reserved = said.is_not_null() & (said != _NOT_RESERVED)
    note = (
        pl.when(reserved)
        .then(pl.lit("reserved: check that it meets the ground"))
        .when(said.is_null())
        .then(pl.lit("whether it is reserved is not said"))
        .otherwise(pl.lit("not reserved"))
    )
    return found.filter(~reserved | pl.col("organisation").is_in(core)).with_columns(note=note)


def needs_of(loaded: Opportunities, opportunity: str) -> pl.DataFrame:
    """Return what one opportunity asks for; raises `UnknownNameError` with the near names for one that is not known."""
    iri = opportunity if "://" in opportunity else ID + opportunity
    rows = loaded.needs.filter(pl.col("opportunity") == iri)
    if not rows.height:
        raise unknown_name("opportunity", iri, loaded.needs["opportunity"].unique(), where=_WHERE)
    return rows


def consortia_for(loaded: Opportunities, opportunity: str, *, proposals: int = 3) -> Proposals:
    """Propose consortia that together have what one opportunity asks for (see `graphkit.plans.propose`).

    Members work in one of its regions where it names any; who offers it is left out. Raises `UnknownNameError` for
    an opportunity that is not known, `UsageError` for one that asks for no capability or kind.
    """
    rows = needs_of(loaded, opportunity)
    asked = {
        aspect: tuple(rows.filter(pl.col("aspect") == aspect)["value"].unique().sort())
        for aspect in ("capability", "kind", "region")
    }
    if not (asked["capability"] or asked["kind"]):
        raise UsageError(
            "nothing is known of what this opportunity asks for",
            where=rows["opportunity"][0],
            hint="give it sol:requiresCapability, dcterms:subject or a CPV code",
        )
    offering = set(rows["offered_by"].drop_nulls()) & set(loaded.candidates.organisations)
    need = Need(
        capabilities=asked["capability"],
        kinds=asked["kind"],
        within=asked["region"],
        excluded=tuple(sorted(offering)),
    )
    return propose(replace(loaded.candidates, offers=loaded.offers), need, proposals=proposals)


def bid_record(store: Store) -> pl.DataFrame:
    """Count for each participant its bids and how they ended; an outcome that nobody tells is not counted as a loss.

    Columns: participant, participant_label, bids, won, lost, other, not_known, rate (won among won and lost, null
    where neither is known).
    """
    rows = queries.run(store, "funding/bid-history").drop_nulls("participant")
    bids = rows.unique(["bid", "participant"]).with_columns(
        ended=pl.col("outcome").cast(pl.String).str.split("/").list.last()
    )
    known = pl.col("ended")
    frame = bids.group_by("participant", "participant_label").agg(
        bids=pl.len(),
        won=(known == "won").sum(),
        lost=(known == "lost").sum(),
        other=known.is_in(["withdrawn", "cancelled"]).sum(),
        not_known=known.is_null().sum(),
    )
    decided = pl.col("won") + pl.col("lost")
    rate = pl.when(decided > 0).then((pl.col("won") / decided).round(4))
    return frame.with_columns(rate=rate).sort("bids", "participant", descending=[True, False])
