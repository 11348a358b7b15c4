"""A graph as a flowchart of Mermaid (https://mermaid.js.org/syntax/flowchart.html).

A label is a quoted string, in which Mermaid knows Markdown, HTML and entity codes (``#35;``). Every character that
could begin one of these is written as its code, and so is the colon: Mermaid looks for ``style … :`` in labels too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from provrepo.drawing.colors import FILL, STROKE
from provrepo.drawing.graph import Edge, Graph, Node, NodeGroup, NodeKind
from provrepo.drawing.text import LABEL, clean, fit

__all__ = ["LONGEST", "MOST_EDGES", "lines"]

MOST_EDGES = 500
"""The most arrows that Mermaid draws unless it is configured otherwise (``maxEdges``)."""

LONGEST = 50_000
"""The most characters of a diagram that Mermaid reads unless it is configured otherwise (``maxTextSize``)."""

_SHAPE: dict[NodeKind, tuple[str, str]] = {"entity": ("([", "])"), "activity": ("[", "]"), "agent": ("{{", "}}")}
_CODED = re.compile(r"(?i)(?<![^\W_])[.-]|[.-](?![^\W_])|(?<=www)\.|[^\w ,./=\x80-\U0010ffff-]|_|[\ufb02\xb6]")
"""What is written as a code: ASCII other than letters, digits and a little punctuation. A dot or a hyphen at the edge
of a word may begin a list of Markdown, a dot after ``www`` a link. The last two characters are those with which Mermaid
marks codes that it has read."""


def lines(graph: Graph) -> Iterator[str]:
    """The lines of the flowchart, each with its end; the same graph has the same lines.

    Each group with a title is a subgraph. Badges of nodes, tooltips and links are not written.
    """
    if graph.heading:
        # The title is in YAML, of which JSON is a part.
        yield f"---\ntitle: {json.dumps(clean(graph.heading))}\n---\n"
    # Arrows lead from later to earlier things, and earlier things are at the top, as in the pictures in SVG.
    yield "flowchart BT\n"
    classes: dict[str, list[str]] = {}
    for number, group in enumerate(graph.groups):
        yield from _group(number, group, classes)
    for kind, fill in FILL.items():
        if kind in classes:
            yield f"  classDef {kind} fill:{fill},stroke:{STROKE[kind]},color:#1b1f24\n"
            yield f"  class {','.join(classes[kind])} {kind}\n"
    if "marked" in classes:
        yield "  classDef marked stroke-width:3px\n"
        yield f"  class {','.join(classes['marked'])} marked\n"


def _group(number: int, group: NodeGroup, classes: dict[str, list[str]]) -> Iterator[str]:
    if group.title:
        yield f'  subgraph g{number}["{_text(group.title)}"]\n'
    names: dict[str, str] = {}
    for place, node in enumerate(group.nodes):
        name = names[node.id] = f"n{number}_{place}"
        classes.setdefault(node.kind, []).append(name)
        if node.marked:
            classes.setdefault("marked", []).append(name)
        yield f"    {name}{_node(node)}\n"
    for edge in group.edges:
        yield f"    {names[edge.source]} {_arrow(edge)} {names[edge.target]}\n"
    if group.title:
        yield "  end\n"


def _node(node: Node) -> str:
    opening, closing = _SHAPE[node.kind]
    label = "<br/>".join(_text(part) for part in (node.label, node.sublabel) if part)
    return f'{opening}"{label}"{closing}'


def _arrow(edge: Edge) -> str:
    arrow = "-.->" if edge.implied else "-->"
    return f'{arrow}|"{_text(edge.label)}"|' if edge.label else arrow


def _text(text: str) -> str:
    """A text on one line, cut where it is long, with codes for what Mermaid would interpret."""
    return _CODED.sub(lambda found: f"#{ord(found[0])};", fit(clean(text), 1, LABEL)) or " "
