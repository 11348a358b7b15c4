"""A drawing in words, for screen readers and other text."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from provrepo.drawing.graph import Graph, NodeKind
from provrepo.words import counted

__all__ = ["RelationText", "outline", "sentence"]

_NAMES: tuple[tuple[NodeKind, str], ...] = (("entity", "entities"), ("activity", "activities"), ("agent", "agents"))


class RelationText(NamedTuple):
    """One edge, or one badge, in words.

    Attributes:
        subject: label of the newer thing.
        verb: the text of the relation, with the number of statements if there are several.
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
            ends = labels.get(edge.source, edge.source), labels.get(edge.target, edge.target)
            found.append(RelationText(ends[0], _times(edge.label, edge.count), ends[1], group.title))
        for node in group.nodes:
            found += [
                RelationText(node.label, _times("by", badge.count), badge.label, group.title) for badge in node.badges
            ]
    return found


def _times(text: str, count: int) -> str:
    return f"{text} ({count:,})" if count > 1 else text


def sentence(graph: Graph) -> str:
    """The drawing in one sentence; an agent counts once, however many nodes have its badge."""
    nodes = [node for group in graph.groups for node in group.nodes]
    badges = [badge for node in nodes for badge in node.badges]
    kinds: Counter[NodeKind] = Counter()
    for node in nodes:
        kinds[node.kind] += node.count
    drawn = {node.id for node in nodes}
    kinds["agent"] += sum({badge.agent: badge.agents for badge in badges if badge.agent not in drawn}.values())
    things = [counted(kinds[one], one, many) for one, many in _NAMES if kinds[one]]
    listed = " and ".join([", ".join(things[:-1]), things[-1]] if len(things) > 1 else things) or "nothing"
    edges = [edge for group in graph.groups for edge in group.edges]
    relations = counted(
        sum(edge.count for edge in edges) + sum(badge.count for badge in badges), "relation", "relations"
    )
    grouped = ", grouped by type" if graph.summary else ""
    return f"A provenance graph of {listed}, with {relations}{grouped}. Arrows point to the past."
