"""Writing of a property graph as GraphML (http://graphml.graphdrawing.org/), one node and edge after the other.

The label of a node is ``labelV``, that of an edge ``labelE``: the conventions of Apache TinkerPop, whose reader is that
of JanusGraph. Types of properties are those that it knows; a property with several values is one text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import IO
from xml.sax.saxutils import escape

from provrepo.codecs.property_graph.graph import KINDS, PropertyEdge, PropertyNode

__all__ = ["write"]

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns '
    'http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">\n'
)
_NODE = ("labelV", "iri", "label", "kinds", "types", "startTime", "endTime", "value", "location", "attributes")
_EDGE = ("labelE", "id", "activity", "time", "role", "subtype", "bundle", "attributes")
_ORIGIN = {"project": "string", "document": "string", "version": "int", "sequence": "long"}
_LABELS = {**{kind: kind.capitalize() for kind in KINDS}, "thing": "Thing"}
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(
    file: IO[bytes],
    nodes: Iterable[tuple[int, PropertyNode]],
    edges: Iterable[tuple[int, int, PropertyEdge]],
) -> None:
    """Write a graph; the same nodes and edges give the same bytes.

    Args:
        file: gets the bytes.
        nodes: the nodes with their numbers.
        edges: the numbers of the two nodes of each edge, and the edge.
    """
    for piece in _pieces(nodes, edges):
        file.write(piece.encode("utf-8"))


def _pieces(nodes: Iterable[tuple[int, PropertyNode]], edges: Iterable[tuple[int, int, PropertyEdge]]) -> Iterator[str]:
    yield _HEAD
    for kind, names in (("node", _NODE), ("edge", (*_EDGE, *_ORIGIN))):
        for name in names:
            key = _key(kind, name)
            type_ = _ORIGIN.get(name, "string") if kind == "edge" else "string"
            yield f'  <key id="{key}" for="{kind}" attr.name="{name}" attr.type="{type_}"/>\n'
    yield '  <graph id="provenance" edgedefault="directed">\n'
    for number, node in nodes:
        values = (
            *(_LABELS[node.kind], node.iri, node.label, " ".join(k for k in KINDS if k in node.kinds)),
            *(" ".join(node.types), node.start, node.end, node.value, node.location, node.json()),
        )
        yield f'    <node id="n{number}">{_data("node", _NODE, values)}</node>\n'
    for count, (source, target, edge) in enumerate(edges):
        own = (edge.relation, edge.id, edge.activity, edge.time, edge.roles, edge.subtype, edge.bundle, edge.attributes)
        data = _data("edge", _EDGE, own)
        if edge.origin is not None:
            origin = edge.origin
            shown = (origin.project, origin.document, str(origin.version), str(origin.sequence or ""))
            data += _data("edge", tuple(_ORIGIN), shown)
        yield f'    <edge id="e{count}" source="n{source}" target="n{target}">{data}</edge>\n'
    yield "  </graph>\n</graphml>\n"


def _key(kind: str, name: str) -> str:
    # TinkerPop takes the id of a key for the name of the property; nodes and edges may not share an id.
    return name if kind == "node" or name not in _NODE else f"edge_{name}"


def _data(kind: str, names: tuple[str, ...], values: tuple[str, ...]) -> str:
    return "".join(
        f'<data key="{_key(kind, name)}">{_text(value)}</data>'
        for name, value in zip(names, values, strict=True)
        if value
    )


def _text(value: str) -> str:
    """A text for the content of an element: characters that XML forbids become marks such as ``<U+0001>``."""
    return escape(_FORBIDDEN.sub(lambda found: f"<U+{ord(found[0]):04X}>", value), {"\r": "&#13;"})
