"""The units of the layout: boxes of one node, or of a stack of nodes with the same relations to the same other nodes.

Sixty files that one step wrote are drawn as one arrow and a stack of sixty, not as a very wide row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, sqrt

from provrepo.drawing.graph import Edge, Node, NodeGroup
from provrepo.drawing.shapes import Shape, boundary

__all__ = ["Box", "Joint", "BoxLink", "boxes", "joined", "links"]

STACKED = 5
"""The least number of equal nodes that are stacked."""

_SPACE = 10.0
_PADDING = 10.0


@dataclass(frozen=True, slots=True)
class Joint:
    """All edges from one node to another, drawn as one arrow.

    Attributes:
        source: number of the newer node.
        target: number of the older one.
        edges: at least one.
        counted: whether the label states the number of statements.
    """

    source: int
    target: int
    edges: tuple[Edge, ...]
    counted: bool = False

    @property
    def implied(self) -> bool:
        """Whether all of its edges are implied by others."""
        return all(edge.implied for edge in self.edges)

    @property
    def label(self) -> str:
        """The labels of its edges that are not implied, each once."""
        found: Counter[str] = Counter()
        for edge in self.edges:
            if edge.label and not edge.implied:
                found[edge.label] += edge.count
        return ", ".join(
            f"{label} ({count:,})" if self.counted and count > 1 else label for label, count in found.items()
        )


def joined(group: NodeGroup, *, counted: bool = False) -> list[Joint]:
    """The edges of a group by their two ends, in the order in which each pair first occurs.

    Edges to nodes outside the group are left out.
    """
    number = {node.id: index for index, node in enumerate(group.nodes)}
    found: dict[tuple[int, int], list[Edge]] = {}
    for edge in group.edges:
        if edge.source in number and edge.target in number:
            found.setdefault((number[edge.source], number[edge.target]), []).append(edge)
    return [Joint(source, target, tuple(edges), counted) for (source, target), edges in found.items()]


class Box:
    """One node, or several in a grid.

    Attributes:
        members: the numbers of its nodes.
        width: in px.
        height: in px.
        offsets: the offset of each member's center from the center of the box.
    """

    __slots__ = ("_only", "height", "members", "offsets", "width")

    def __init__(self, members: Sequence[int], nodes: Sequence[Node], shapes: Sequence[Shape]) -> None:
        self.members = tuple(members)
        first = self.members[0]
        self._only = (nodes[first], shapes[first]) if len(members) == 1 else None
        if self._only:
            self.width, self.height = shapes[first].width, shapes[first].height
            self.offsets = [(0.0, 0.0)]
            return
        columns = max(2, round(sqrt(len(members) / 1.6)))
        rows = ceil(len(members) / columns)
        cell = max(shapes[m].width for m in members) + _SPACE
        line = max(shapes[m].height for m in members) + _SPACE
        self.width = columns * cell - _SPACE + 2 * _PADDING
        self.height = rows * line - _SPACE + 2 * _PADDING
        self.offsets = [
            ((i % columns - (columns - 1) / 2) * cell, (i // columns - (rows - 1) / 2) * line)
            for i in range(len(members))
        ]

    @property
    def stack(self) -> bool:
        """Whether there is more than one node in it."""
        return self._only is None

    def boundary(self, dx: float, *, upper: bool) -> float:
        """The vertical distance from its center at which an edge meets it, at a horizontal distance."""
        if self._only is None:
            return -self.height / 2 if upper else self.height / 2
        return boundary(*self._only, dx, upper=upper)


def boxes(nodes: Sequence[Node], shapes: Sequence[Shape], joints: Sequence[Joint]) -> list[Box]:
    """The nodes as boxes, equal nodes stacked, in the order of their first members."""
    relations: list[list[tuple[int, bool, str]]] = [[] for _ in nodes]
    for joint in joints:
        kinds = " ".join(f"{edge.kind} {edge.label}" for edge in joint.edges) + (" implied" if joint.implied else "")
        relations[joint.source].append((joint.target, True, kinds))
        relations[joint.target].append((joint.source, False, kinds))
    equals: dict[object, list[int]] = {}
    for number, node in enumerate(nodes):
        known = tuple(sorted(relations[number]))
        looped = any(other == number for other, _, _ in known)
        key = (node.kind, len(shapes[number].badges), known) if known and not looped else number
        equals.setdefault(key, []).append(number)
    found = []
    for members in equals.values():
        parts = [members] if len(members) >= STACKED else [[member] for member in members]
        found += [Box(part, nodes, shapes) for part in parts]
    return sorted(found, key=lambda box: box.members[0])


@dataclass(frozen=True, slots=True)
class BoxLink:
    """An arrow between two boxes.

    Attributes:
        source: number of the newer box.
        target: number of the older box; the same for a node that is related to itself.
        joint: the edges that it stands for, of all members.
    """

    source: int
    target: int
    joint: Joint


def links(found: Sequence[Box], joints: Sequence[Joint]) -> list[BoxLink]:
    """The arrows between boxes, each once."""
    home = {member: number for number, box in enumerate(found) for member in box.members}
    between: dict[tuple[int, int], list[Joint]] = {}
    for joint in joints:
        between.setdefault((home[joint.source], home[joint.target]), []).append(joint)
    return [
        BoxLink(source, target, replace(own[0], edges=tuple(edge for joint in own for edge in joint.edges)))
        for (source, target), own in between.items()
    ]
