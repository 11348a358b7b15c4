"""A drawing in words, for screen readers and other text."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from provrepo.drawing.graph import Graph, NodeKind

__all__ = ["RelationText", "outline", "sentence"]

_NAMES: tuple[tuple[NodeKind, str], ...] = (("entity", "entities"), ("activity", "activities"), ("agent", "agents"))


class RelationText(NamedTuple):
    """One edge, or one badge, in words.

    Attributes:
        subject: label of the newer thing.
        verb: the text of the relation.
        object: label of the older thing.
        group: title of the group that both are in, or empty.
    """

    subject: str
    verb: str
    object: str
    group: str = ""


def outline(graph: Graph) -> list[RelationText]:
    """The relations of the drawing, edges and badges, in the graph's order."""
    found = []
    for group in graph.groups:
        labels = {node.id: node.label for node in group.nodes}
        for edge in group.edges:
            found.append(
                RelationText(
                    labels.get(edge.source, edge.source), edge.label, labels.get(edge.target, edge.target), group.title
                )
            )
        for node in group.nodes:
            found += [RelationText(node.label, "by", badge.label, group.title) for badge in node.badges]
    return found


def sentence(graph: Graph) -> str:
    """The drawing in one sentence; an agent counts once, however many nodes have its badge."""
    nodes = [node for group in graph.groups for node in group.nodes]
    kinds = Counter(node.kind for node in nodes)
    drawn = {node.label for node in nodes if node.kind == "agent"}
    kinds["agent"] += len({badge.label for node in nodes for badge in node.badges} - drawn)
    things = [_counted(kinds[one], one, many) for one, many in _NAMES if kinds[one]]
    listed = " and ".join([", ".join(things[:-1]), things[-1]] if len(things) > 1 else things) or "nothing"
    relations = _counted(len(outline(graph)), "relation", "relations")
    return f"A provenance graph of {listed}, with {relations}. Arrows point to the past."


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
