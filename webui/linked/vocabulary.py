"""The ontology at /ns and the vocabularies at /vocabulary: pages for people, and RDF."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import polars as pl
from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from graphkit import ontology, queries
from graphkit.errors import unknown_name
from graphkit.store import Store, convert, open_store
from graphkit.store.base import Readable
from graphkit.terms import SOL, compact, graph_iri
from webui.catalogue.tables import behind
from webui.i18n.marking import N_
from webui.linked.addresses import FORMS, ONTOLOGY, VOCABULARY, address_of, document_address, split_suffix
from webui.linked.describing import about_document, describe
from webui.linked.page import thing_page
from webui.linked.reading import gone_or_unknown, is_known, pick, reader
from webui.linked.replying import choose, is_held, reply, see_other, tag_of
from webui.linked.things import document
from webui.linked.writing import write
from webui.links import link, names_of, query_href
from webui.protocol.access import own_address
from webui.protocol.formats import HTML, Format
from webui.protocol.query import Pick

__all__ = ["register"]

_KEPT_LABELS: Final = ("class", "object property", "datatype property")
_PLURALS: Final = {"class": N_("Classes"), "object property": N_("Relations"), "datatype property": N_("Values")}
_UNVERSIONED: Final = Pick(None)


def register(blueprint: Blueprint) -> None:
    """Add the addresses of the ontology and the vocabularies to a blueprint."""
    blueprint.add_url_rule("/ns", "ontology", _ontology)
    blueprint.add_url_rule("/ns.<suffix>", "ontology_in", _ontology)
    blueprint.add_url_rule("/ns/<path:path>", "term", _term)
    blueprint.add_url_rule("/vocabulary", "vocabularies", _vocabularies)
    blueprint.add_url_rule("/vocabulary/<path:path>", "vocabulary", _vocabulary)


# ---- The ontology --------------------------------------------------------------------------------------


def _ontology(suffix: str = "") -> Response:
    """Give the ontology: a page with an anchor for each term, or the whole of it as RDF."""
    form = choose(_form_of(suffix))
    stem = document_address("ns", "")
    tag = _tag(form)
    if is_held(tag):
        body: str | bytes = b""
    else:
        body = _list_of_terms() if form.suffix == HTML.suffix else convert(_triples(), "nt", form.suffix)
    return reply(body, form, _UNVERSIONED, tag, stem=stem, about=ONTOLOGY, negotiated=not suffix)


def _form_of(suffix: str) -> Format | None:
    if not suffix:
        return None
    found = next((form for form in FORMS if form.suffix == suffix), None)
    if found is None:
        raise unknown_name("format of the ontology", suffix, [form.suffix for form in FORMS])
    return found


def _list_of_terms() -> str:
    """Write the page of all terms; the anchor of a term is its name, as its IRI has it."""
    frame = ontology.terms().with_columns(name=pl.col("term").str.strip_prefix(SOL))
    groups = [
        {"title": _PLURALS[kind], "terms": list(rows.iter_rows(named=True))}
        for kind in _KEPT_LABELS
        if not (rows := frame.filter(pl.col("kind") == kind)).is_empty()
    ]
    about = _shipped().select(
        f"SELECT ?text ?release WHERE {{ <{ONTOLOGY}> <http://purl.org/dc/terms/description> ?text ; "
        "<http://www.w3.org/2002/07/owl#versionInfo> ?release }"
    )
    modules = [{"name": name, "label": name} for name in sorted(_modules())]
    schemes = [link(iri, _names()) for iri in _schemes()]
    return render_template(
        "terms.html",
        iri=ONTOLOGY,
        groups=groups,
        modules=modules,
        schemes=schemes,
        text=about["text"][0],
        edition=about["release"][0],
        total=frame.height,
        forms=_forms(document_address("ns", "")),
        address_of=address_of,
    )


def _term(path: str) -> BaseResponse:
    """Give the document about one term; a module or an imported part is given as RDF, and is a place on the page."""
    stem, form = split_suffix(path)
    if stem in _modules() or stem.startswith("imports/"):
        return _module(stem, form)
    if f"{ONTOLOGY}/{stem}" in _releases():
        return redirect(document_address("ns", "", form.suffix if form else ""), 303)
    iri = SOL + stem
    if iri not in set(ontology.terms()["term"]):
        raise unknown_name("term of the ontology", stem, [each.removeprefix(SOL) for each in ontology.terms()["term"]])
    chosen, address = choose(form), document_address("ns", stem)
    picked = pick()
    tag = tag_of(picked, chosen)
    if is_held(tag):
        body: str | bytes = b""
    else:
        body = _term_page(iri, address, picked) if chosen.suffix == HTML.suffix else _described(iri, address, chosen)
    return reply(body, chosen, picked, tag, stem=address, about=iri, negotiated=form is None)


def _term_page(iri: str, address: str, picked: Pick) -> str:
    shown = thing_page(_shipped(), iri)
    row = ontology.terms().row(by_predicate=pl.col("term") == iri, named=True)
    usage = queries.run(reader(picked.number), "explore/usage", term=iri).row(0, named=True)
    counted = usage["things"] if row["kind"] == "class" else usage["statements"]
    return render_template(
        "term.html",
        **shown,
        term=row,
        name=compact(iri),
        counted=counted,
        usage_href=query_href("explore/usage", {"term": iri}),
        forms=_forms(address),
        version=picked.version,
        address=own_address() + address.removeprefix(request.script_root),
    )


def _described(iri: str, address: str, form: Format) -> bytes:
    """Write what the ontology says of one term as RDF."""
    found = describe(_shipped(), iri, inverse=False)
    said = about_document(own_address() + address, found, None, ONTOLOGY)
    return write((*found.statements, *said), form.suffix)


def _module(name: str, form: Format | None) -> BaseResponse:
    """Give a module or an imported part as RDF; people are led to the page of all terms."""
    path = _modules().get(name) or _imports().get(name)
    if path is None:
        raise unknown_name("part of the ontology", name, [*_modules(), *_imports()])
    chosen, stem = choose(form), document_address("ns", name)
    if chosen.suffix == HTML.suffix:
        return see_other(document_address("ns", "") + f"#module-{name}")
    body = convert(path.read_bytes(), "ttl", chosen.suffix)
    return reply(
        body, chosen, _UNVERSIONED, _tag(chosen, name), stem=stem, about=f"{ONTOLOGY}/{name}", negotiated=form is None
    )


def _tag(form: Format, *parts: str) -> str:
    said = (sha256(_triples()).hexdigest(), form.media_type, request.full_path, own_address(), *parts)
    return sha256("\0".join(said).encode()).hexdigest()[:32]


def _forms(stem: str) -> list[dict[str, str]]:
    labels = {"ttl": "Turtle", "jsonld": "JSON-LD", "rdf": "RDF/XML", "nt": "N-Triples"}
    return [{"label": label, "href": f"{stem}.{suffix}"} for suffix, label in labels.items()]


# ---- The vocabularies ----------------------------------------------------------------------------------


def _vocabularies() -> str:
    """List the vocabularies of the newest version, with the number of their concepts."""
    frame = queries.run(reader(), "explore/concepts")
    rows = frame.group_by("scheme", "scheme_label", maintain_order=True).agg(pl.col("concept").n_unique().alias("size"))
    schemes = [
        {"label": row["scheme_label"] or compact(row["scheme"]), "href": address_of(row["scheme"]), "size": row["size"]}
        for row in rows.iter_rows(named=True)
    ]
    return render_template("vocabularies.html", schemes=schemes)


def _vocabulary(path: str) -> BaseResponse:
    """Give a vocabulary; a concept is a thing, so its IRI leads to the document about it (303)."""
    stem, form = split_suffix(path)
    iri, address = VOCABULARY + stem, document_address("vocabulary", stem)
    if "/" not in stem:
        return _scheme(iri, address, form)
    if form:
        return document(iri, address, form)
    chosen = choose(None)
    if not is_known(iri, reader(pick().number)):
        raise gone_or_unknown(iri, address)
    search = request.query_string.decode("latin-1")
    return see_other(document_address("vocabulary", stem, chosen.suffix, search))


def _scheme(iri: str, address: str, form: Format | None) -> Response:
    chosen, picked = choose(form), pick()
    tag = tag_of(picked, chosen)
    graph = reader(picked.number)
    body: str | bytes = b""
    if not is_held(tag):
        if not is_known(iri, graph):
            raise gone_or_unknown(iri, address)
        body = _scheme_body(graph, iri, address, chosen, picked)
    return reply(body, chosen, picked, tag, stem=address, about=iri, negotiated=form is None)


def _scheme_body(graph: Readable, iri: str, address: str, form: Format, picked: Pick) -> str | bytes:
    frame = queries.run(graph, "explore/concepts", scheme=iri)
    if form.suffix != HTML.suffix:
        found = describe(graph, iri, inverse=False, also=frame["concept"].unique().sort().to_list())
        said = about_document(own_address() + address, found, picked.version, f"{own_address()}/sparql#dataset")
        return write((*found.statements, *said), form.suffix)
    page = thing_page(graph, iri)
    return render_template(
        "vocabulary.html",
        iri=iri,
        label=page["label"],
        about=next(
            (
                text
                for text in (
                    each["links"][0]["label"] for each in page["groups"]["out"] if each["name"] == "Description"
                )
            ),
            "",
        ),
        concepts=_tree(frame),
        total=frame["concept"].n_unique(),
        forms=_forms(address),
        version=picked.version,
        behind=behind(queries.find("explore/concepts"), {"scheme": iri}),
    )


def _tree(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Order concepts as a tree: each below the wider one, with its depth; a circle is cut where it closes."""
    rows = list(frame.unique("concept", keep="first", maintain_order=True).iter_rows(named=True))
    below: dict[str | None, list[dict[str, Any]]] = {}
    known = {row["concept"] for row in rows}
    for row in rows:
        below.setdefault(row["broader"] if row["broader"] in known else None, []).append(row)
    found = list(_branch(below, None, 0, set()))
    reached = {row["iri"] for row in found}
    return found + [_leaf(row, 0) for row in rows if row["concept"] not in reached]


def _branch(
    below: dict[str | None, list[dict[str, Any]]], top: str | None, depth: int, seen: set[str]
) -> Iterator[dict[str, Any]]:
    for row in below.get(top, []):
        if row["concept"] not in seen:
            seen.add(row["concept"])
            yield _leaf(row, depth)
            yield from _branch(below, row["concept"], depth + 1, seen)


def _leaf(row: dict[str, Any], depth: int) -> dict[str, Any]:
    return {
        "iri": row["concept"],
        "name": row["concept"].rpartition("/")[2],
        "label": row["concept_label"],
        "href": address_of(row["concept"]),
        "definition": row["definition"] or "",
        "depth": min(depth, 4),
    }


# ---- What is shipped -----------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _shipped() -> Store:
    """Load the shipped ontology once; it is only read."""
    store = open_store()
    with store.change("the ontology for its pages") as change:
        ontology.load_ontology(change)
    return store


@lru_cache(maxsize=1)
def _triples() -> bytes:
    return _shipped().dump("nt", graph_iri("ontology"))


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    return names_of(_shipped(), _schemes()) | {
        row["scheme"]: row["scheme_label"]
        for row in queries.run(_shipped(), "explore/concepts").iter_rows(named=True)
        if row["scheme_label"]
    }


@lru_cache(maxsize=1)
def _schemes() -> tuple[str, ...]:
    return tuple(queries.run(_shipped(), "explore/concepts")["scheme"].unique().sort())


@lru_cache(maxsize=1)
def _modules() -> dict[str, Path]:
    return {part.path.stem: part.path for part in ontology.parts() if part.path.parent.name == "modules"}


@lru_cache(maxsize=1)
def _imports() -> dict[str, Path]:
    return {f"imports/{part.path.stem}": part.path for part in ontology.parts() if part.path.parent.name == "imports"}


@lru_cache(maxsize=1)
def _releases() -> frozenset[str]:
    """Return the IRIs of the release of the ontology and its parts."""
    frame = _shipped().select("SELECT ?release WHERE { ?o <http://www.w3.org/2002/07/owl#versionIRI> ?release }")
    return frozenset(frame["release"])
