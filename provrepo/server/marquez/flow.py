"""Lineage by the names of OpenLineage in the form of Marquez: graphs of jobs and datasets, and of columns."""

from __future__ import annotations

from typing import Any

from provrepo.repository.events.walks import Column, ColumnNode, Lineage, column_lineage
from provrepo.server.marquez import shapes
from provrepo.views.openlineage.reading import JOB, Item, Name, Reading

__all__ = ["columns", "lineage"]


def lineage(reading: Reading, start: Item, graph: Lineage) -> dict[str, Any]:
    """The jobs and datasets that were found.

    Args:
        reading: what the caller may read.
        start: the one that was asked for.
        graph: what was found.
    """
    sources: dict[Name, list[Name]] = {}
    targets: dict[Name, list[Name]] = {}
    for origin, target in sorted(graph.edges):
        sources.setdefault(target, []).append(origin)
        targets.setdefault(origin, []).append(target)
    nodes = [
        {
            "id": shapes.node_id(name),
            "type": name.kind,
            "data": (shapes.job if name.kind == JOB else shapes.dataset)(reading, item),
            "inEdges": [_edge(shapes.node_id(other), shapes.node_id(name)) for other in sources.get(name, ())],
            "outEdges": [_edge(shapes.node_id(name), shapes.node_id(other)) for other in targets.get(name, ())],
        }
        for name, item in graph.items.items()
    ]
    return {
        "graph": sorted(nodes, key=lambda node: str(node["id"])),
        "provrepo": {
            "start": shapes.node_id(start.name),
            "truncated": graph.truncated,
            "total_nodes": len(nodes),
            "total_edges": len(graph.edges),
            "beyond": 0,
        },
    }


def columns(
    reading: Reading, start: tuple[Item, str] | None, *, depth: int, downstream: bool, limit: int
) -> dict[str, Any]:
    """The lineage of the columns of a dataset, or of one column; empty where nothing names it."""
    if start is None or start[0].name.kind == JOB:
        return {"graph": [], "provrepo": {"truncated": False}}
    item, field = start
    found = column_lineage(reading, item.name, field or None, depth=depth, downstream=downstream, limit=limit)
    nodes = [_column(column, node) for column, node in sorted(found.nodes.items())]
    return {"graph": nodes, "provrepo": {"truncated": found.truncated}}


def _column(column: Column, node: ColumnNode) -> dict[str, Any]:
    text, kind = (told or None for told in node.transformation)
    own = _column_id(column)
    return {
        "id": own,
        "type": "DATASET_FIELD",
        "data": {
            **_named(column),
            "fieldType": node.type or None,
            "transformationDescription": text,
            "transformationType": kind,
            "inputFields": [
                {**_named(source), "transformationDescription": text, "transformationType": kind}
                for source in sorted(node.sources)
            ],
        },
        # Marquez has these the wrong way round, and its web client follows the destination to what is upstream.
        "inEdges": [_edge(own, _column_id(source)) for source in sorted(node.sources)],
        "outEdges": [_edge(own, _column_id(target)) for target in sorted(node.targets)],
    }


def _named(column: Column) -> dict[str, Any]:
    name = column.dataset
    return {"namespace": name.namespace, "dataset": name.name, "datasetVersion": None, "field": column.field}


def _column_id(column: Column) -> str:
    return f"datasetField:{column.dataset.namespace}:{column.dataset.name}:{column.field}"


def _edge(origin: str, destination: str) -> dict[str, str]:
    return {"origin": origin, "destination": destination}
