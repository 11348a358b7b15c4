"""Drawing documents as SVG, without the limits above which a summary is drawn."""

from __future__ import annotations

from typing import Any

from benchmarks.generate import branching, pipeline
from benchmarks.measure import best, isolated
from provrepo.codecs.svg.graph import graph
from provrepo.drawing.svg import render

SIZES = (50, 300, 1_000)
_MANY = 1_000_000


def measure(shape: str, nodes: int) -> dict[str, Any]:
    """Draw one document, in a process of its own."""
    document = pipeline(nodes * 5 // 2) if shape == "pipeline" else branching(nodes)
    to_graph, drawn = best(3, lambda: graph(document, most_nodes=_MANY, most_edges=_MANY))
    assert drawn is not None
    to_svg, text = best(3, lambda: render(drawn))
    return {
        "nodes": drawn.nodes,
        "edges": sum(len(group.edges) for group in drawn.groups),
        "graph": to_graph,
        "render": to_svg,
        "bytes": len(text),
    }


def table() -> list[str]:
    """The rows of the Markdown table."""
    rows = ["| document | nodes | relations | to graph s | to SVG s | kB |", "|---|---:|---:|---:|---:|---:|"]
    for shape in ("pipeline", "branching"):
        for size in SIZES:
            found = isolated("drawing", shape=shape, nodes=size)
            rows.append(
                f"| {shape} | {found['nodes']:,} | {found['edges']:,} | {found['graph']:.3f} | {found['render']:.3f} | "
                f"{found['bytes'] / 1000:.0f} |"
            )
    return rows
