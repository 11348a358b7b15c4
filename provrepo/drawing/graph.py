"""What is to be drawn, said without PROV documents, lineage or SVG: nodes, edges and titled groups of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Badge", "Edge", "Graph", "NodeGroup", "Node", "NodeKind"]

NodeKind: TypeAlias = Literal["entity", "activity", "agent"]


@dataclass(frozen=True, slots=True)
class Badge:
    """An agent shown on the node it answers for, which saves a node and a long edge for each.

    Attributes:
        label: short text, cut where there is no room for it.
        title: the whole text, shown when pointed at.
    """

    label: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """A thing to draw.

    Attributes:
        id: what edges refer to; distinct within a group.
        kind: decides shape and color.
        label: the text inside, cut where it is long.
        sublabel: a second, smaller line, or empty.
        title: everything worth knowing, shown when pointed at.
        href: where it leads; None for nowhere. Only ``http:``, ``https:`` and paths of the same site are followed.
        badges: the agents that answer for it.
        marked: whether it is what the drawing is about: drawn with a bold outline. At most one node is.
    """

    id: str
    kind: NodeKind
    label: str
    sublabel: str = ""
    title: str = ""
    href: str | None = None
    badges: tuple[Badge, ...] = ()
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow from something newer to something older.

    Attributes:
        source: id of the newer node.
        target: id of the older node.
        kind: PROV-N keyword, which becomes a class name.
        label: what it says, in a word or two.
        title: everything worth knowing, shown when pointed at.
        implied: whether a path of other edges says it already: drawn dashed, unlabelled, and without a say in where
            nodes stand.
    """

    source: str
    target: str
    kind: str
    label: str = ""
    title: str = ""
    implied: bool = False


@dataclass(frozen=True, slots=True)
class NodeGroup:
    """Nodes and edges that are drawn together, such as those of one bundle.

    Attributes:
        title: shown above a frame around the group; without one there is no frame.
        nodes: in the order in which equal choices are made.
        edges: between nodes of this group only.
    """

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """A whole drawing.

    Attributes:
        groups: drawn one below the other.
        heading: a line above everything, or empty.
    """

    groups: tuple[NodeGroup, ...]
    heading: str = ""

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return sum(len(group.nodes) for group in self.groups)
