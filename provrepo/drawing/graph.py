"""The graph to draw: nodes, edges and titled groups of them, independent of PROV documents, lineage and SVG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Badge", "Edge", "Graph", "NodeGroup", "Node", "NodeKind"]

NodeKind: TypeAlias = Literal["entity", "activity", "agent"]


@dataclass(frozen=True, slots=True)
class Badge:
    """An agent shown on the node for which it is responsible, instead of a node and a long edge.

    Attributes:
        label: short text, cut where there is no room for it.
        title: the whole text, shown as a tooltip.
        agent: identifier of the agent.
        count: the number of statements that it stands for.
        agents: the number of agents that it stands for.
    """

    label: str
    title: str = ""
    agent: str = ""
    count: int = 1
    agents: int = 1


@dataclass(frozen=True, slots=True)
class Node:
    """A thing to draw.

    Attributes:
        id: the identifier that edges refer to; unique within a group.
        kind: determines shape and color.
        label: the text inside, cut where it is long.
        sublabel: a second, smaller line, or empty.
        title: details, shown as a tooltip.
        href: the target of its link, or None. Only ``http:``, ``https:`` and paths of the same site become links.
        badges: the agents responsible for it.
        marked: whether it is the subject of the drawing, with a bold outline. At most one node is.
        count: the number of things that it stands for.
    """

    id: str
    kind: NodeKind
    label: str
    sublabel: str = ""
    title: str = ""
    href: str | None = None
    badges: tuple[Badge, ...] = ()
    marked: bool = False
    count: int = 1


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow from something newer to something older.

    Attributes:
        source: id of the newer node.
        target: id of the older node.
        kind: PROV-N keyword, which becomes a CSS class name.
        label: its text, a word or two.
        title: details, shown as a tooltip.
        implied: whether it follows from a path of other edges: drawn dashed, without a label, and ignored when nodes
            are placed.
        count: the number of statements that it stands for.
    """

    source: str
    target: str
    kind: str
    label: str = ""
    title: str = ""
    implied: bool = False
    count: int = 1


@dataclass(frozen=True, slots=True)
class NodeGroup:
    """Nodes and edges that are drawn together, such as those of one bundle.

    Attributes:
        title: shown above a frame around the group; without one there is no frame.
        nodes: their order decides between equally good places.
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
        summary: whether its nodes and edges stand for several things and statements, whose numbers it states.
    """

    groups: tuple[NodeGroup, ...]
    heading: str = ""
    summary: bool = False

    @property
    def nodes(self) -> int:
        """The number of nodes."""
        return sum(len(group.nodes) for group in self.groups)
