"""The versions of the graph: a list, a page for each with what changed, and the whole content to take away."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import rdflib
from flask import Blueprint, Response, current_app, render_template, request
from rdflib.namespace import DCTERMS, PROV, RDF, RDFS, VOID, XSD
from werkzeug.http import http_date

from graphkit.store import Version, convert
from webui.i18n.choosing import language
from webui.linked.addresses import FORMS
from webui.linked.reading import version_numbered
from webui.protocol.access import open_to_all, own_address
from webui.protocol.formats import HTML, Format, negotiate
from webui.protocol.problems import Refusal
from webui.state import store

__all__ = ["register"]

_JSON: Final = Format("json", "application/json")
_LIST_FORMS: Final = (HTML, _JSON, *(form for form in FORMS if form.suffix in {"ttl", "nt", "rdf", "jsonld"}))
_DUMPS: Final = {"nq": "application/n-quads", "trig": "application/trig"}
_SHOWN_LINES: Final = 50
_KEPT_CHANGES: Final = 16
_EXTENSION: Final = "graphkit.changes"
_MOST_COMPARED: Final = 2_000_000
_DCAT: Final = rdflib.Namespace("http://www.w3.org/ns/dcat#")
_SPDX: Final = rdflib.Namespace("http://spdx.org/rdf/terms#")
_FOR_EVER: Final = "public, max-age=31536000, immutable"


def register(blueprint: Blueprint) -> None:
    """Add the addresses of versions to a blueprint."""
    blueprint.add_url_rule("/versions", "versions", _list)
    blueprint.add_url_rule("/versions.<suffix>", "versions_in", _list)
    blueprint.add_url_rule("/versions/<int:number>", "version", _one)
    blueprint.add_url_rule("/versions/<int:number>.<any(nq,trig):suffix>", "dump", _dump)
    blueprint.add_url_rule("/versions/<int:number>.<any(nq,trig):suffix>.gz", "packed", _packed)
    blueprint.add_url_rule("/data", "data", _list)
    blueprint.add_url_rule("/data.<any(nq,trig):suffix>", "newest", _newest)


def _list(suffix: str = "") -> Response:
    """List the versions that are kept: as a page, as JSON, or as RDF (PROV-O and DCAT)."""
    form = negotiate(request.headers.get("Accept", ""), _LIST_FORMS, asked=suffix or request.args.get("format", ""))
    kept = store().versions()
    if form.suffix == _JSON.suffix:
        body: str | bytes = _as_json(kept)
    elif form.suffix == HTML.suffix:
        body = render_template("versions.html", page="versions", versions=[*reversed(kept)])
    else:
        body = convert(_as_rdf(kept), "ttl", form.suffix)
    response = Response(body, content_type=form.content_type)
    response.vary.add("Accept")
    if kept:
        spoken = f"-{language()}" if form.suffix == HTML.suffix else ""
        response.set_etag(f"{kept[-1].hash[:24]}-{kept[0].number}-{kept[-1].number}-{form.suffix}{spoken}")
        response.last_modified = kept[-1].time
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return open_to_all(response)


def _as_json(kept: list[Version]) -> bytes:
    address = own_address()
    rows = [
        asdict(version) | {"time": version.time.isoformat(), "address": f"{address}/versions/{version.number}"}
        for version in kept
    ]
    return json.dumps(rows, ensure_ascii=False, indent=1).encode() + b"\n"


def _as_rdf(kept: list[Version]) -> bytes:
    """Describe each version as a dataset with its downloads, and the chain in which one follows from the other."""
    graph, address = rdflib.Graph(), own_address()
    whole = rdflib.URIRef(f"{address}/sparql#dataset")
    for prefix, namespace in {"dcat": _DCAT, "prov": PROV, "dcterms": DCTERMS, "void": VOID, "spdx": _SPDX}.items():
        graph.bind(prefix, namespace)
    graph.add((whole, RDF.type, _DCAT.Dataset))
    before: rdflib.URIRef | None = None
    for version in kept:
        node = rdflib.URIRef(f"{address}/versions/{version.number}")
        _describe(graph, node, whole, version)
        if before is not None:
            graph.add((node, PROV.wasRevisionOf, before))
            graph.add((node, _DCAT.previousVersion, before))
        before = node
    if before is not None:
        graph.add((whole, _DCAT.hasCurrentVersion, before))
    return graph.serialize(format="turtle", encoding="utf-8")


def _describe(graph: rdflib.Graph, node: rdflib.URIRef, whole: rdflib.URIRef, version: Version) -> None:
    """Say of one version what it is, when and why it was made, and where it can be had."""
    time = rdflib.Literal(version.time.isoformat(), datatype=XSD.dateTime)
    change, writer = rdflib.URIRef(f"{node}#change"), rdflib.URIRef(f"{node}#writer")
    checksum, dump = rdflib.URIRef(f"{node}#checksum"), rdflib.URIRef(f"{node}.nq")
    said: list[tuple[rdflib.URIRef, rdflib.URIRef, rdflib.term.Identifier]] = [
        (node, RDF.type, _DCAT.Dataset),
        (node, RDF.type, PROV.Entity),
        (node, _DCAT.isVersionOf, whole),
        (whole, _DCAT.hasVersion, node),
        (node, _DCAT.version, rdflib.Literal(str(version.number))),
        (node, DCTERMS.issued, time),
        (node, PROV.generatedAtTime, time),
        (node, VOID.triples, rdflib.Literal(version.quads)),
        (node, PROV.wasGeneratedBy, change),
        (change, RDF.type, PROV.Activity),
        (change, DCTERMS.description, rdflib.Literal(version.why)),
        (change, PROV.wasAssociatedWith, writer),
        (writer, RDF.type, PROV.Agent),
        (writer, RDFS.label, rdflib.Literal(version.who)),
        (node, _DCAT.distribution, dump),
        (dump, RDF.type, _DCAT.Distribution),
        (dump, _DCAT.downloadURL, dump),
        (dump, _DCAT.mediaType, rdflib.URIRef("https://www.iana.org/assignments/media-types/application/n-quads")),
        (dump, _SPDX.checksum, checksum),
        (checksum, _SPDX.algorithm, _SPDX.checksumAlgorithm_sha256),
        (checksum, _SPDX.checksumValue, rdflib.Literal(version.hash, datatype=XSD.hexBinary, normalize=False)),
    ]
    for statement in said:
        graph.add(statement)


# ---- One version ---------------------------------------------------------------------------------------


def _one(number: int) -> Response:
    """Show one version: when, who, why, what changed since the one before, how to get and cite it."""
    version = version_numbered(number)
    kept = [each.number for each in store().versions()]
    before = max((each for each in kept if each < number), default=None)
    change = None if before is None else _change(version_numbered(before), version)
    page = render_template(
        "version.html",
        page="versions",
        version=version,
        before=before,
        later=min((each for each in kept if each > number), default=None),
        change=change,
        address=f"{own_address()}/versions/{number}",
    )
    response = Response(page, content_type=HTML.content_type)
    response.headers["Memento-Datetime"] = http_date(version.time)
    response.headers.add(
        "Link", f'<{request.script_root}/versions/{number}.nq>; rel="alternate"; type="{_DUMPS["nq"]}"'
    )
    return open_to_all(response)


def _change(before: Version, version: Version) -> Mapping[str, Any] | None:
    """Count what was added and removed and give the first lines; None where the versions are too large for a page."""
    if version.quads + before.quads > _MOST_COMPARED:
        return None
    kept: dict[tuple[str, str], Mapping[str, Any]] = current_app.extensions.setdefault(_EXTENSION, {})
    key = (before.hash, version.hash)
    if key not in kept:
        if len(kept) >= _KEPT_CHANGES:
            kept.clear()
        diff = store().diff(before.number, version.number)
        kept[key] = {"added": _lines(diff.added), "removed": _lines(diff.removed)}
    return kept[key]


def _lines(quads: bytes) -> dict[str, Any]:
    first = quads.split(b"\n", _SHOWN_LINES)[:_SHOWN_LINES]
    return {"count": quads.count(b"\n"), "lines": [line.decode() for line in first if line]}


# ---- Content -------------------------------------------------------------------------------------------


def _newest(suffix: str) -> Response:
    """Give the whole content of the newest version."""
    version = store().version
    if version is None:
        raise Refusal(404, "nothing was committed yet, so there is nothing to download", hint="load data first")
    response = _dump(version.number, suffix)
    response.headers["Cache-Control"] = "no-cache"
    return response


def _dump(number: int, suffix: str) -> Response:
    """Give the whole content of a version as N-Quads or TriG."""
    return _file(number, suffix, packed=False)


def _packed(number: int, suffix: str) -> Response:
    """Give the whole content of a version, compressed with gzip."""
    return _file(number, suffix, packed=True)


def _file(number: int, suffix: str, *, packed: bool) -> Response:
    version = version_numbered(number)
    ending = f"{suffix}.gz" if packed else suffix
    response = Response(content_type="application/gzip" if packed else _DUMPS[suffix])
    response.set_etag(f"{version.hash[:32]}-{ending}")
    response.last_modified = version.time
    response.headers["Cache-Control"] = _FOR_EVER
    response.headers["Memento-Datetime"] = http_date(version.time)
    response.headers["Content-Disposition"] = f'attachment; filename="solidarity-graph-{number}.{ending}"'
    if request.method == "GET" and not request.if_none_match.contains_weak(response.get_etag()[0] or ""):
        data = _content(version, suffix)
        response.data = gzip.compress(data, compresslevel=1, mtime=0) if packed else data
    response.make_conditional(request)
    return open_to_all(response)


def _content(version: Version, suffix: str) -> bytes:
    """Return the quads of a version: those of the newest, put back by what has changed since."""
    lines, newest = store().dump("nq"), store().version
    if newest and newest.number != version.number:
        since = store().diff(version.number, newest.number)
        kept = set(lines.splitlines(keepends=True)) - set(since.added.splitlines(keepends=True))
        lines = b"".join(sorted(kept | set(since.removed.splitlines(keepends=True))))
    return lines if suffix == "nq" else convert(lines, "nq", suffix)
