"""A network as a file for other programs: GraphML, GEXF, node-link JSON, or a list of ties as CSV."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import networkx as nx

from graphkit.errors import unknown_name
from graphkit.network import Network

__all__ = ["NETWORK_FORMATS", "network_to_bytes"]


Known: TypeAlias = Mapping[str, Mapping[str, str | int | float]]


def network_to_bytes(
    network: Network, name: str, labels: Mapping[str, str] | None = None, known: Known | None = None
) -> bytes:
    """Write a network in one of `NETWORK_FORMATS`, with `labels` by IRI where they are known.

    `known` are further things to say of an organisation, by its IRI and their name, such as its kind; a list of ties
    has no room for them.

    Lists of activities and kinds become text joined by a blank in GraphML and GEXF, which have no lists. Raises
    `UnknownNameError` for a format that is not known.
    """
    if name not in NETWORK_FORMATS:
        raise unknown_name("format of a network", name, NETWORK_FORMATS)
    return NETWORK_FORMATS[name](network, labels or {}, known or {})


def _labelled(network: Network, labels: Mapping[str, str], known: Known) -> nx.Graph[str]:
    graph = network.to_networkx()
    nx.set_node_attributes(graph, {iri: labels.get(iri, iri) for iri in network.organisations}, "label")
    nx.set_node_attributes(graph, {iri: dict(said) for iri, said in known.items() if iri in graph})
    return graph


def _flat(network: Network, labels: Mapping[str, str], known: Known) -> nx.Graph[str]:
    graph = _labelled(network, labels, known)
    for _, _, tie in graph.edges(data=True):
        tie.update(activities=" ".join(tie["activities"]), kinds=" ".join(tie["kinds"]), date=tie["date"] or "")
    return graph


def _graphml(network: Network, labels: Mapping[str, str], known: Known) -> bytes:
    sink = io.BytesIO()
    nx.write_graphml_xml(_flat(network, labels, known), sink)
    return sink.getvalue()


def _gexf(network: Network, labels: Mapping[str, str], known: Known) -> bytes:
    sink = io.BytesIO()
    nx.write_gexf(_flat(network, labels, known), sink)
    return sink.getvalue()


def _json(network: Network, labels: Mapping[str, str], known: Known) -> bytes:
    data: dict[str, Any] = nx.node_link_data(_labelled(network, labels, known), edges="ties", nodes="organisations")
    return json.dumps(data, ensure_ascii=False, indent=1).encode()


def _csv(network: Network, labels: Mapping[str, str], known: Known) -> bytes:  # noqa: ARG001 - ties alone
    return network.ties.write_csv().encode()


NETWORK_FORMATS: Final[Mapping[str, Callable[[Network, Mapping[str, str], Known], bytes]]] = MappingProxyType(
    {"graphml": _graphml, "gexf": _gexf, "json": _json, "csv": _csv}
)
"""The formats of a network by name."""
