"""What people make of gaps: reviews are kept as Web Annotations, and the newest of a gap is respected."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from typing import Final

import polars as pl
from rdflib import RDF, RDFS, Graph, Literal, URIRef
from rdflib.namespace import DCTERMS

from graphkit import queries
from graphkit.errors import UnknownNameError, UsageError, unknown_name
from graphkit.gaps.base import KINDS, VERDICTS, Gap, Review
from graphkit.store import Store
from graphkit.terms import ID, PREFIXES, SOL, graph_iri

__all__ = [
    "REVIEWS_GRAPH",
    "STILL_MISSING_AFTER",
    "Respected",
    "gap_called",
    "lasting_gap",
    "load_reviews",
    "newest_reviews",
    "respected",
    "review_gap",
    "reviews_as_frame",
    "reviews_to_turtle",
]

REVIEWS_GRAPH: Final = graph_iri("reviews")
"""The named graph that holds all reviews."""

STILL_MISSING_AFTER: Final = timedelta(days=180)
"""How long a gap that was said to be done is left out, although the sources do not show that it is."""

_OA = PREFIXES["oa"]
_GAP = f"{ID}gap/"
_VERDICT = f"{PREFIXES['voc']}verdict/"
_NAME = re.compile(r"([A-Za-z][0-9]?)-([0-9A-Fa-f]{4,12})")
_NEAR = 5
_LONGEST = 2_000
_COLUMNS: Final = {
    "gap": pl.String,
    "members": pl.String,
    "verdict": pl.String,
    "reason": pl.String,
    "who": pl.String,
    "created": pl.Date,
    "version": pl.Int64,
    "counts": pl.Boolean,
    "found": pl.Boolean,
}
_Triple = tuple[URIRef, URIRef, URIRef | Literal]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Respected:
    """Gaps after their reviews: those to show, and those that were dismissed or done and are left out."""

    shown: tuple[Gap, ...]
    dismissed: tuple[Gap, ...]
    done: tuple[Gap, ...]


# ---- Reading -------------------------------------------------------------------------------------------


def load_reviews(store: Store) -> list[Review]:
    """Return all reviews that `store` holds, in any of its graphs, oldest first.

    Of two of one day that one is older which looked at an older version, or which the other replaces. What lacks a
    gap, a verdict or a day is no review; `graphkit check` tells of it.
    """
    frame = queries.run(store, "gaps/reviews")
    found = [_read(rows) for rows in frame.partition_by("review", maintain_order=True)] if frame.height else []
    found = [review for review in found if review.kind in KINDS]
    steps = {review.iri: review.replaces for review in found}
    return sorted(found, key=lambda each: (each.created, each.version or 0, _depth(each.iri, steps), each.iri))


def _read(rows: pl.DataFrame) -> Review:
    """Build one review from its rows, of which there is one for each member of the gap."""
    first = rows.row(0, named=True)
    named = rows.select("member", "member_label").drop_nulls("member").unique("member").sort("member").rows()
    return Review(
        iri=first["review"],
        key=first["gap"].removeprefix(_GAP),
        members=tuple(member for member, _ in named),
        labels=tuple(label or member for member, label in named),
        verdict=first["verdict"].removeprefix(_VERDICT),
        reason=first["reason"] or "",
        who=first["who"] or "",
        created=first["created"],
        version=first["version"],
        replaces=first["replaces"] or "",
    )


def _depth(iri: str, steps: Mapping[str, str]) -> int:
    """Count the reviews that came before one, following what it replaces; a circle ends where it closes."""
    seen = {iri}
    while (iri := steps.get(iri, "")) in steps and iri not in seen:
        seen.add(iri)
    return len(seen)


def newest_reviews(reviews: Iterable[Review]) -> dict[str, Review]:
    """Return the review that counts for each gap, by the gap's key: the last of those of `load_reviews`.

    One that another review of the same gap replaces counts only where all are replaced, which no honest history has.
    """
    by_gap: dict[str, list[Review]] = {}
    for review in reviews:
        by_gap.setdefault(review.key, []).append(review)
    return {key: _last(own) for key, own in by_gap.items()}


def _last(reviews: list[Review]) -> Review:
    replaced = {review.replaces for review in reviews}
    return ([review for review in reviews if review.iri not in replaced] or reviews)[-1]


def respected(gaps: Iterable[Gap], reviews: Mapping[str, Review], today: date) -> Respected:
    """Mark `gaps`, in order of rank, with their newest reviews, and leave out what was dismissed or done.

    Within a kind those come first that were accepted, then those that were said to be done more than
    `STILL_MISSING_AFTER` before `today` and are found nevertheless, then the others in their order.
    """
    marked = [replace(gap, review=reviews.get(gap.key)) for gap in gaps] if reviews else list(gaps)
    order = list(KINDS)
    shown = [gap for gap in marked if _is_shown(gap, today)]
    return Respected(
        shown=tuple(sorted(shown, key=lambda gap: (order.index(gap.kind), _turn(gap)))),
        dismissed=tuple(gap for gap in marked if gap.review and gap.review.verdict == "dismissed"),
        done=tuple(gap for gap in marked if gap.review and gap.review.verdict == "done" and not _is_shown(gap, today)),
    )


def _is_shown(gap: Gap, today: date) -> bool:
    if gap.review is None or gap.review.verdict == "accepted":
        return True
    return gap.review.verdict == "done" and today - gap.review.created > STILL_MISSING_AFTER


def _turn(gap: Gap) -> int:
    return ("accepted", "done").index(gap.review.verdict) if gap.review else 2


# ---- Naming --------------------------------------------------------------------------------------------


def gap_called(name: str, known: Iterable[Gap | Review]) -> Gap | Review:
    """Find the gap that `name` names among `known` gaps and reviewed gaps; of equal keys the first is taken.

    `name` is a key, its IRI, or a beginning of the key with four digits or more after the kind. Raises
    `UnknownNameError` that lists near keys for one that names none, `UsageError` for one that names several.
    """
    by_key: dict[str, Gap | Review] = {}
    for each in known:
        by_key.setdefault(each.key, each)
    written = _NAME.fullmatch(name.strip().removeprefix(_GAP))
    start = f"{written[1].upper()}-{written[2].lower()}" if written else ""
    fits = [key for key in by_key if start and key.startswith(start)]
    if len(fits) > 1:
        raise UsageError(f"'{name}' names {len(fits)} gaps", hint=f"write more digits: {', '.join(sorted(fits))}")
    if not fits:
        raise _no_gap(name, by_key)
    return by_key[fits[0]]


def _no_gap(name: str, known: Mapping[str, Gap | Review]) -> UnknownNameError:
    near = get_close_matches(name, known, n=_NEAR, cutoff=0.4) or sorted(known)[:_NEAR]
    listed = "; ".join(f"{key} ({' · '.join(known[key].labels[:2])})" for key in near)
    hint = f"near: {listed}" if near else "nothing was found to review"
    return UnknownNameError(f"no gap is called '{name}'", hint=f"{hint}. 'graphkit gaps' prints the name of each")


# ---- Writing -------------------------------------------------------------------------------------------


def review_gap(
    store: Store, gap: Gap | Review, verdict: str, *, reason: str = "", who: str = "", today: date | None = None
) -> Review:
    """Keep what somebody makes of a gap in the graph of reviews of `store`, as a version, and return the review.

    `gap` is one of a search, or an earlier review of one that is found no more. `verdict` is one of `VERDICTS`; a
    dismissal needs a `reason`. `who` is a role or a name, which the graph then tells everybody. `today` is the day
    of the review. The review replaces the newest one of the gap, which stays; where that says the same in the same
    words, nothing is changed and it is returned. Raises `UnknownNameError` for another verdict, `UsageError` for a
    dismissal without a reason or a reason of more than 2,000 characters.

    Source: Sanderson, Ciccarese and Young, Web Annotation Vocabulary, W3C Recommendation (2017).
    """
    reason, who = " ".join(reason.split()), " ".join(who.split())
    _check(verdict, reason)
    before = newest_reviews(load_reviews(store)).get(gap.key)
    if before and (before.verdict, before.reason, before.who) == (verdict, reason, who):
        return before
    made = _new(store, gap, verdict, reason, who, today or datetime.now(UTC).date(), before.iri if before else "")
    graph = Graph()
    for triple in _triples(made):
        graph.add(triple)
    with store.change(f"review of {made.key}: {verdict}", who=who) as change:
        change.load(graph.serialize(format="nt", encoding="utf-8"), media_type="nt", graph=REVIEWS_GRAPH)
    _log.info("%s %s", made.key, made.words)
    return made


def _check(verdict: str, reason: str) -> None:
    if verdict not in VERDICTS:
        raise unknown_name("verdict", verdict, VERDICTS)
    if verdict == "dismissed" and not reason:
        raise UsageError(
            "a gap is dismissed only with a reason", hint="say why, for those who find it again: --reason 'why'"
        )
    if len(reason) > _LONGEST:
        raise UsageError(f"the reason has {len(reason)} characters", hint=f"say it in {_LONGEST} or fewer")


def _new(store: Store, gap: Gap | Review, verdict: str, reason: str, who: str, today: date, replaces: str) -> Review:
    said = json.dumps([gap.key, verdict, reason, who, today.isoformat(), replaces])
    return Review(
        iri=f"{ID}review/{hashlib.sha256(said.encode()).hexdigest()[:12]}",
        key=gap.key,
        members=gap.members,
        labels=gap.labels,
        verdict=verdict,
        reason=reason,
        who=who,
        created=today,
        version=store.version.number if store.version else None,
        replaces=replaces,
    )


def _triples(made: Review) -> Iterator[_Triple]:
    """Say a review as RDF: the annotation, its reason as a textual body, and the lasting gap that it is about."""
    node, gap = URIRef(made.iri), URIRef(_GAP + made.key)
    about = f"{KINDS[made.kind].name}: {' · '.join(made.labels)}"
    yield node, RDF.type, URIRef(SOL + "Review")
    yield node, RDF.type, URIRef(_OA + "Annotation")
    yield node, RDFS.label, Literal(f"{made.verdict.capitalize()}: {about}", lang="en")
    yield node, URIRef(_OA + "motivatedBy"), URIRef(_OA + "assessing")
    yield node, URIRef(_OA + "hasTarget"), gap
    yield node, URIRef(_OA + "hasBody"), URIRef(_VERDICT + made.verdict)
    yield node, DCTERMS.created, Literal(made.created)
    if made.who:
        yield node, DCTERMS.creator, Literal(made.who)
    if made.version is not None:
        yield node, URIRef(SOL + "storeVersion"), Literal(made.version)
    if made.replaces:
        yield node, DCTERMS.replaces, URIRef(made.replaces)
    if made.reason:
        body = URIRef(made.iri + "-reason")
        yield node, URIRef(_OA + "hasBody"), body
        yield body, RDF.type, URIRef(_OA + "TextualBody")
        yield body, RDFS.label, Literal("Reason of a review", lang="en")
        yield body, RDF.value, Literal(made.reason)
    yield from lasting_gap(made.key)
    for member in made.members:
        yield gap, URIRef(SOL + "concerns"), URIRef(member)


def lasting_gap(key: str) -> Iterator[_Triple]:
    """Say what the IRI of a lasting gap stands for, in words that never change."""
    yield URIRef(_GAP + key), RDF.type, URIRef(SOL + "LastingGap")
    yield URIRef(_GAP + key), RDFS.label, Literal(f"{KINDS[key.partition('-')[0]].name} {key}", lang="en")


# ---- Telling -------------------------------------------------------------------------------------------


def reviews_as_frame(reviews: Collection[Review], found: Iterable[Gap] = ()) -> pl.DataFrame:
    """Return reviews as a frame with a row each, in their order.

    Columns: gap (its key), members (names joined by " · "), verdict, reason, who, created, version, counts (whether
    it is the newest of its gap), found (whether the gap is among those `found` by a search now).
    """
    counting = {review.iri for review in newest_reviews(reviews).values()}
    keys = {gap.key for gap in found}
    rows = [
        (
            review.key,
            " · ".join(review.labels),
            review.verdict,
            review.reason,
            review.who,
            review.created,
            review.version,
            review.iri in counting,
            review.key in keys,
        )
        for review in reviews
    ]
    return pl.DataFrame(rows, schema=_COLUMNS, orient="row")


def reviews_to_turtle(store: Store) -> bytes:
    """Write the graph of reviews as Turtle; where nothing was reviewed that has no statement."""
    graph = Graph()
    for prefix in ("sol", "oa", "dcterms", "xsd", "rdfs"):
        graph.bind(prefix, PREFIXES[prefix])
    if store.has_graph(REVIEWS_GRAPH):
        graph.parse(data=store.dump("nt", REVIEWS_GRAPH), format="nt")
    return graph.serialize(format="turtle").encode()
