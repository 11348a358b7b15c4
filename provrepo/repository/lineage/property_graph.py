"""A lineage as a property graph: an edge for each version that asserts a relation."""

from __future__ import annotations

import json

from provrepo.codecs.property_graph import codec
from provrepo.codecs.property_graph.graph import GraphParts, Origin, PropertyEdge, PropertyNode
from provrepo.repository.lineage.records import LineageGraph

__all__ = ["write"]


def write(graph: LineageGraph, format: str) -> bytes:  # noqa: A002 (the name that callers use)
    """A lineage in a format of property graphs; the things have their distances as an attribute."""
    parts = GraphParts()
    for node in graph.nodes:
        parts.nodes[node.iri] = PropertyNode(
            node.iri,
            set(node.kinds),
            node.label,
            dict.fromkeys(node.types),
            attributes={"distance": [node.distance]},
        )
    for edge in graph.edges:
        why = {"basis": edge.basis, **({"reason": edge.reason} if edge.reason else {})}
        relation = PropertyEdge(edge.subject, edge.relation, edge.object, attributes=json.dumps(why))
        for source in edge.sources:
            origin = Origin(source.project, source.document, source.version)
            parts.edges.append(relation._replace(bundle=source.graph, origin=origin))
    return codec.file(parts, format=format)
