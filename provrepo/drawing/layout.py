"""The geometry of a drawing: groups and their connected components, each laid out alone and packed on one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from provrepo.drawing.arrangement import ArrangedPart, Point, arranged
from provrepo.drawing.boxes import Box, BoxLink, Joint, boxes, joined, links
from provrepo.drawing.graph import Graph, Node, NodeGroup
from provrepo.drawing.layering import components
from provrepo.drawing.shapes import Shape, measured
from provrepo.drawing.text import clean, fit, width

__all__ = ["HEADING", "TITLE", "Frame", "Layout", "PlacedEdge", "PlacedNode", "laid_out"]

TITLE, HEADING = 13.0, 15.0
"""Font sizes of the title of a group, and of the heading of the drawing."""

_MARGIN = 24.0
_INSET = 20.0
_BAND = 30.0
"""Height of a title."""

_NOTE_ROOM = 16.0
"""Height of the line below the drawing that explains dashed arrows."""

_SPACE = 36.0
_PAGE = 1100.0
"""The width up to which components stand side by side, or that of the widest component."""


@dataclass(frozen=True, slots=True)
class PlacedNode:
    """A node with its coordinates.

    Attributes:
        node: the node.
        shape: its size and text.
        x: of its center, in px from the left.
        y: of its center, in px from the top.
    """

    node: Node
    shape: Shape
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class PlacedEdge:
    """All edges between the same nodes or stacks, drawn as one arrow.

    Attributes:
        joint: the edges.
        curve: the arrow's path: a start and then cubic segments of three points each.
        label: the center of its text; None if it has none, or there is no room for it.
    """

    joint: Joint
    curve: tuple[Point, ...]
    label: Point | None


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle around a group, with a title, or around a stack of equal nodes, without one."""

    x: float
    y: float
    width: float
    height: float
    title: str = ""


@dataclass(slots=True)
class Layout:
    """The geometry of a drawing, or of a component of it, in px.

    Attributes:
        width: of everything.
        height: of everything.
        nodes: in the graph's order, group after group.
        edges: in the graph's order.
        frames: outer ones first.
    """

    width: float = 0.0
    height: float = 0.0
    nodes: list[PlacedNode] = field(default_factory=list)
    edges: list[PlacedEdge] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)

    def add(self, part: Layout, dx: float, dy: float) -> None:
        """Add the contents of another layout, moved by an offset."""
        self.nodes += [PlacedNode(n.node, n.shape, n.x + dx, n.y + dy) for n in part.nodes]
        self.frames += [Frame(f.x + dx, f.y + dy, f.width, f.height, f.title) for f in part.frames]
        for edge in part.edges:
            label = None if edge.label is None else (edge.label[0] + dx, edge.label[1] + dy)
            self.edges.append(PlacedEdge(edge.joint, tuple((x + dx, y + dy) for x, y in edge.curve), label))
        self.width = max(self.width, dx + part.width)
        self.height = max(self.height, dy + part.height)


def laid_out(graph: Graph) -> Layout:
    """The layout of a graph; the same graph has the same layout, independent of the hash seed.

    The time for edges that cross many rows is bounded: some thousand of their pieces are laid out, the remaining edges
    are drawn straight across.
    """
    result = Layout()
    y = _MARGIN
    if graph.heading:
        y += _BAND
        result.width = _MARGIN + width(clean(graph.heading), HEADING)
    for group in graph.groups:
        part = _group(group, counted=graph.summary)
        if group.title:
            part = _framed(part, group.title)
        result.add(part, _MARGIN, y)
        y += part.height + _SPACE
    result.width = max(result.width, 200.0) + _MARGIN
    result.height = max(result.height, y - _SPACE) + _MARGIN
    if any(edge.joint.implied for edge in result.edges):
        result.height += _NOTE_ROOM
    return result


def _framed(inner: Layout, title: str) -> Layout:
    shown = fit(clean(title), TITLE, max(inner.width, 400.0))
    result = Layout()
    result.frames.append(Frame(0.0, 0.0, 0.0, 0.0))
    result.add(inner, _INSET, _BAND + _INSET / 2)
    result.width = max(result.width, _INSET + width(shown, TITLE)) + _INSET
    result.height += _INSET
    result.frames[0] = Frame(0.0, 0.0, result.width, result.height, shown)
    return result


def _group(group: NodeGroup, *, counted: bool) -> Layout:
    shapes = [measured(node) for node in group.nodes]
    joints = joined(group, counted=counted)
    found = boxes(group.nodes, shapes, joints)
    arrows = links(found, joints)
    parts = components(len(found), [(link.source, link.target) for link in arrows])
    home = {box: number for number, part in enumerate(parts) for box in part}
    inside: list[list[BoxLink]] = [[] for _ in parts]
    for link in arrows:
        inside[home[link.source]].append(link)
    drawn = []
    for part, own in zip(parts, inside, strict=True):
        local = {box: number for number, box in enumerate(part)}
        moved = [BoxLink(local[link.source], local[link.target], link.joint) for link in own]
        members = [found[box] for box in part]
        drawn.append(_drawn(arranged(members, moved), members, group.nodes, shapes))
    return _packed(drawn)


def _drawn(part: ArrangedPart, members: Sequence[Box], nodes: Sequence[Node], shapes: Sequence[Shape]) -> Layout:
    """The nodes of the boxes of a component, and its arrows."""
    result = Layout(part.width, part.height)
    for box, (x, y) in zip(members, part.centers, strict=True):
        if box.stack:
            result.frames.append(Frame(x - box.width / 2, y - box.height / 2, box.width, box.height))
        for member, (dx, dy) in zip(box.members, box.offsets, strict=True):
            result.nodes.append(PlacedNode(nodes[member], shapes[member], x + dx, y + dy))
    result.edges = [PlacedEdge(arrow.link.joint, arrow.curve, arrow.label) for arrow in part.arrows]
    return result


def _packed(parts: Sequence[Layout]) -> Layout:
    """The components in rows, those with most nodes first."""
    result = Layout()
    page = max([_PAGE, *(part.width for part in parts)])
    x = y = shelf = 0.0
    for part in sorted(parts, key=lambda part: -len(part.nodes)):
        # A low component does not stand beside a high one: it is expected below.
        if x and (x + part.width > page or shelf > 3 * part.height):
            x, y, shelf = 0.0, y + shelf + _SPACE, 0.0
        result.add(part, x, y)
        x += part.width + _SPACE
        shelf = max(shelf, part.height)
    return result
