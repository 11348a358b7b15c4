"""Lineage as a picture whose nodes are links: the nodes nearest to the start, as many as are readable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from provrepo.codecs.svg.graph import graph
from provrepo.drawing.graph import Graph, Node
from provrepo.drawing.layout import laid_out
from provrepo.drawing.outline import sentence
from provrepo.drawing.svg import render
from provrepo.limits import DRAWN_NODES
from provrepo.repository.lineage.records import LineageGraph

__all__ = ["MARKED", "LineagePicture", "draw"]

PREFIX = "picture"
"""The prefix of ids inside a picture, so that they differ from those of the page."""

MARKED = f"{PREFIX}-marked"
"""The id of the element of the start node."""

_MOST_EDGES = 800


@dataclass(frozen=True, slots=True)
class LineagePicture:
    """A drawn lineage.

    Attributes:
        svg: an SVG element.
        words: a description in a sentence.
        drawn: the number of nodes that it shows, including those drawn as badges.
        at: the center of the start node, in px from the left and from the top.
    """

    svg: str
    words: str
    drawn: int
    at: tuple[int, int]


def draw(lineage: LineageGraph, link: Callable[[str], str]) -> LineagePicture:
    """Draw a lineage of any size.

    Args:
        lineage: its nearest nodes are drawn, with the relations between them.
        link: returns the address for the node of an IRI.
    """
    most = DRAWN_NODES
    while (drawn := graph(_nearest(lineage, most).document(), most_nodes=DRAWN_NODES, most_edges=_MOST_EDGES)) is None:
        most //= 2
    groups = tuple(
        replace(group, nodes=tuple(_linked(node, lineage.start, link) for node in group.nodes))
        for group in drawn.groups
    )
    svg, at = _rendered(Graph(groups))
    return LineagePicture(svg, sentence(drawn), min(most, len(lineage.nodes)), at)


def _nearest(lineage: LineageGraph, most: int) -> LineageGraph:
    nodes = lineage.nodes[:most]
    known = {node.iri for node in nodes}
    edges = tuple(edge for edge in lineage.edges if edge.subject in known and edge.object in known)
    return replace(lineage, nodes=nodes, edges=edges)


def _linked(node: Node, start: str, link: Callable[[str], str]) -> Node:
    return replace(node, marked=True) if node.id == start else replace(node, href=link(node.id))


@lru_cache(64)
def _rendered(drawn: Graph) -> tuple[str, tuple[int, int]]:
    """Cached, since the layout takes most of the time of a page and the same pictures are requested repeatedly."""
    layout = laid_out(drawn)
    at = next(((round(node.x), round(node.y)) for node in layout.nodes if node.node.marked), (0, 0))
    return render(drawn, prefix=PREFIX, layout=layout), at
