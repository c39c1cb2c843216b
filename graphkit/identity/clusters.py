"""Clusters: records that links join to one organisation, unless that would bring two numbers of one list together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import polars as pl
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from graphkit.identity.links import STRICT

__all__ = ["joined", "preferred"]

_ACCEPTED: Final = "accepted"


def joined(links: pl.DataFrame, ids: pl.DataFrame, *, threshold: float = STRICT) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Join records along the links that are sure, and return the links with their outcome, and the clusters.

    `links` has the columns of `graphkit.identity.links.weighed` and `verdict` ("accepted", "rejected" or null: what a
    person decided). A link joins where a person accepted it, or where its confidence is at least `threshold`, it has
    no conflict, and no person rejected it. Joined records must not hold two numbers of one list, unless one of them
    holds both or a person accepted that very link, nor two records that a person told apart: of the links between
    such records the surer ones join first, and one that would bring them together is for review.

    The links come back with joins (whether they do) and conflict (also what joining others would bring about); the
    clusters as record and cluster (the first IRI), for clusters of two or more.
    """
    accepted = (pl.col("verdict") == _ACCEPTED).fill_null(value=False)
    rejected = (pl.col("verdict") == "rejected").fill_null(value=False)
    sure = accepted | ((pl.col("confidence") >= threshold) & pl.col("conflict").is_null() & ~rejected)
    ranked = links.with_columns(accepted=accepted, sure=sure, rejected=rejected)
    ranked = ranked.sort(~pl.col("accepted"), -pl.col("confidence"), "left", "right")
    groups = _components(ranked.filter("sure"))
    held = ids.join(groups, on="record").group_by("record", "list").agg(pl.col("id"))
    apart = ranked.filter("rejected").select("left", "right")
    contested = _contested(groups, held, apart)
    refused = _refused(ranked.filter("sure"), groups, contested, held, apart)
    outcome = ranked.join(refused, on=["left", "right"], how="left").with_columns(
        joins=pl.col("sure") & pl.col("refusal").is_null(),
        conflict=pl.concat_str("conflict", "refusal", separator="; ", ignore_nulls=True).replace("", None),
    )
    clusters = _components(outcome.filter("joins")).rename({"group": "cluster"}).sort("cluster", "record")
    return outcome.drop("accepted", "sure", "rejected", "refusal"), clusters


def _components(links: pl.DataFrame) -> pl.DataFrame:
    """Name the component of each linked record by its first record: record, group."""
    known = pl.concat([links["left"], links["right"].alias("left")]).unique().sort()
    if known.is_empty():
        return pl.DataFrame(schema={"record": pl.String, "group": pl.String})
    kind = pl.Enum(known)
    ends = [links[side].cast(kind).to_physical().to_numpy() for side in ("left", "right")]
    graph = sparse.coo_array((np.ones(links.height), (ends[0], ends[1])), shape=(len(known),) * 2)
    _, labels = connected_components(graph, directed=False)
    frame = pl.DataFrame({"record": known, "number": labels})
    return frame.select("record", group=pl.col("record").min().over("number"))


def _contested(groups: pl.DataFrame, held: pl.DataFrame, apart: pl.DataFrame) -> set[str]:
    """Return the components in which two records hold other numbers of one list, or were told apart."""
    numbered = held.join(groups, on="record")
    pairs = (
        numbered.join(numbered, on=["group", "list"], suffix="_right")
        .filter(pl.col("record") < pl.col("record_right"))
        .filter(pl.col("id").list.set_intersection("id_right").list.len() == 0)
    )
    split = (
        apart.join(groups, left_on="left", right_on="record")
        .join(groups, left_on="right", right_on="record", suffix="_right")
        .filter(pl.col("group") == pl.col("group_right"))
    )
    return {*pairs["group"], *split["group"]}


def _refused(
    links: pl.DataFrame, groups: pl.DataFrame, contested: set[str], held: pl.DataFrame, apart: pl.DataFrame
) -> pl.DataFrame:
    """Go through the links of the contested components, the surest first, and tell which are for review, and why."""
    schema = {"left": pl.String, "right": pl.String, "refusal": pl.String}
    if not contested:
        return pl.DataFrame(schema=schema)
    inside = groups.filter(pl.col("group").is_in(list(contested)))
    numbers: dict[str, dict[str, frozenset[str]]] = {record: {} for record in inside["record"]}
    for record, name, values in held.join(inside, on="record").select("record", "list", "id").iter_rows():
        numbers[record][name] = frozenset(values)
    told = {(left, right) for left, right in apart.iter_rows()}
    forest = _Forest(numbers, told)
    own = links.join(inside, left_on="left", right_on="record", how="semi")
    rows = [
        (left, right, why)
        for left, right, accepted in own.select("left", "right", "accepted").iter_rows()
        if (why := forest.join(left, right, by_hand=accepted))
    ]
    refused = pl.DataFrame(rows, schema=schema, orient="row")
    return pl.concat([refused, _rivals(own, refused)])


def _rivals(own: pl.DataFrame, refused: pl.DataFrame) -> pl.DataFrame:
    """Return the links that joined only because they came before an equally sure one that was refused.

    Where two records fit a third equally well and cannot both be it, neither is chosen.
    """
    mine = own.filter(~pl.col("accepted")).join(refused, on=["left", "right"], how="left")
    ends = pl.concat([mine.with_columns(end=pl.col(side)) for side in ("left", "right")])
    lost = ends.filter(pl.col("refusal").is_not_null()).select("end", "confidence").unique()
    rivals = ends.filter(pl.col("refusal").is_null()).join(lost, on=["end", "confidence"], how="semi")
    words = pl.lit("another record fits as well, and it cannot be both")
    return rivals.select("left", "right", refusal=words).unique(maintain_order=True)


class _Forest:
    """Records that are joined one link after the other, with the numbers that each cluster holds."""

    def __init__(self, numbers: Mapping[str, Mapping[str, frozenset[str]]], told: Iterable[tuple[str, str]]) -> None:
        self._numbers = numbers
        self._told = set(told)
        self._cluster = {record: record for record in numbers}
        self._members = {record: [record] for record in numbers}

    def join(self, left: str, right: str, *, by_hand: bool) -> str:
        """Join the clusters of two records, or return in words why that must not be."""
        one, other = self._cluster[left], self._cluster[right]
        if one == other:
            return ""
        if why := self._hindrance(one, other, by_hand=by_hand):
            return why
        for record in self._members[other]:
            self._cluster[record] = one
        self._members[one] += self._members.pop(other)
        return ""

    def _hindrance(self, one: str, other: str, *, by_hand: bool) -> str:
        for a in self._members[one]:
            for b in self._members[other]:
                if (min(a, b), max(a, b)) in self._told:
                    return "joining them would join two records that were told apart"
                for name, values in {} if by_hand else self._numbers[a].items():
                    others = self._numbers[b].get(name)
                    if others and not values & others:
                        return f"joining them would bring together {min(values)} and {min(others)} of the list {name}"
        return ""


def preferred(clusters: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    """Choose the record that stands for each cluster: record, preferred, a row for each other record.

    It is the one with an official number; of several, the one about which most is said; of equals, the first IRI.
    """
    described = clusters.join(records.select("record", "ids", "statements"), on="record", how="left")
    ranked = described.sort(
        "cluster", (pl.col("ids").list.len() == 0).fill_null(value=True), -pl.col("statements").fill_null(0), "record"
    )
    chosen = ranked.with_columns(preferred=pl.col("record").first().over("cluster"))
    return chosen.filter(pl.col("record") != pl.col("preferred")).select("record", "preferred").sort("record")
