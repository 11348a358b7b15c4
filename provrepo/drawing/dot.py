"""A graph in the DOT language of Graphviz (https://graphviz.org/doc/info/lang.html).

Labels are quoted strings. In these, a backslash begins an escape, such as one for the name of the node, and ``&``
begins an entity of HTML; both are written so that the label is shown as it is.
"""

from __future__ import annotations

from collections.abc import Iterator

from provrepo.drawing.colors import FILL, STROKE
from provrepo.drawing.graph import Edge, Graph, Node, NodeGroup, NodeKind
from provrepo.drawing.text import LABEL, clean, fit

__all__ = ["lines"]

_SHAPE: dict[NodeKind, str] = {"entity": "ellipse", "activity": "box", "agent": "house"}


def lines(graph: Graph) -> Iterator[str]:
    """The lines of the graph, each with its end; the same graph has the same lines.

    Each group with a title is a cluster. Badges of nodes are not written.
    """
    yield "digraph provenance {\n"
    # Arrows lead from later to earlier things, and earlier things are at the top, as in the pictures in SVG.
    yield '  graph [rankdir="BT", charset="UTF-8"];\n'
    yield '  node [style="filled", fontname="sans-serif"];\n'
    yield '  edge [fontname="sans-serif", fontsize="10"];\n'
    if graph.heading:
        yield f"  label={_quoted(graph.heading)};\n"
    for number, group in enumerate(graph.groups):
        yield from _group(number, group)
    yield "}\n"


def _group(number: int, group: NodeGroup) -> Iterator[str]:
    indent = "  "
    if group.title:
        yield f"  subgraph cluster_{number} {{\n    label={_quoted(group.title)};\n"
        indent = "    "
    names: dict[str, str] = {}
    for place, node in enumerate(group.nodes):
        names[node.id] = f"n{number}_{place}"
        yield f"{indent}{names[node.id]} [{_node(node)}];\n"
    for edge in group.edges:
        yield f"{indent}{names[edge.source]} -> {names[edge.target]} [{_edge(edge)}];\n"
    if group.title:
        yield "  }\n"


def _node(node: Node) -> str:
    label = "\\n".join(_escaped(fit(part, 1, LABEL)) for part in (node.label, node.sublabel) if part)
    values = {
        "label": f'"{label}"',
        "shape": f'"{_SHAPE[node.kind]}"',
        "fillcolor": f'"{FILL[node.kind]}"',
        "color": f'"{STROKE[node.kind]}"',
        "tooltip": _quoted(node.title),
    }
    if node.marked:
        values["penwidth"] = '"3"'
    return ", ".join(f"{name}={value}" for name, value in values.items())


def _edge(edge: Edge) -> str:
    values = {"label": _quoted(edge.label), "tooltip": _quoted(edge.title)}
    if edge.implied:
        values["style"] = '"dashed"'
    return ", ".join(f"{name}={value}" for name, value in values.items())


def _quoted(text: str) -> str:
    lines_ = "\\n".join(filter(None, map(_escaped, text.splitlines())))
    return f'"{lines_}"'


def _escaped(text: str) -> str:
    return clean(text).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
