"""What the verbs about lineage return: plain frozen records that the command line, the server and scripts render."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provrepo.model.statements import ACTIVITY, AGENT, ENTITY, Kind

if TYPE_CHECKING:
    from provrepo.model.document import Document

__all__ = [
    "BUNDLED",
    "KINDS",
    "CommonNode",
    "LineageCommon",
    "LineageEdge",
    "LineageGraph",
    "LineageImpact",
    "LineageNode",
    "Said",
    "SearchResult",
]

BUNDLED = ("provn", "trig", "provjson")
"""Formats in which an answer has a bundle for each graph that asserts something, by name."""

KINDS: tuple[Kind, ...] = (ENTITY, ACTIVITY, AGENT)
"""What a thing can be, in the order in which it is told."""


@dataclass(frozen=True, slots=True)
class Said:
    """Which version of which document says something.

    Attributes:
        project: the project.
        document: the document.
        version: the version's number.
        graph: the graph in the project's dataset: the version's own, or that of one of its bundles.
    """

    project: str
    document: str
    version: int
    graph: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"project": self.project, "document": self.document, "version": self.version, "graph": self.graph}


@dataclass(frozen=True, slots=True)
class LineageNode:
    """A thing.

    Attributes:
        iri: its name.
        kinds: of ``entity``, ``activity`` and ``agent`` those that it is said or implied to be.
        label: one of its labels; empty where it has none.
        types: its types beyond those kinds.
        distance: how many relations it is away from the start.
        sources: the first versions that speak of it, by project and document; an agent may be spoken of in thousands.
        total_sources: how many versions speak of it.
        projects: the projects of all of them, by name.
    """

    iri: str
    kinds: tuple[str, ...]
    label: str
    types: tuple[str, ...]
    distance: int
    sources: tuple[Said, ...]
    total_sources: int = 0
    projects: tuple[str, ...] = ()

    def summary(self) -> dict[str, Any]:
        """What it is, as JSON."""
        return {"iri": self.iri, "kinds": list(self.kinds), "label": self.label, "types": list(self.types)}

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            **self.summary(),
            "distance": self.distance,
            "projects": list(self.projects),
            "total_sources": self.total_sources,
            "sources": [said.to_dict() for said in self.sources],
        }


@dataclass(frozen=True, slots=True)
class LineageEdge:
    """A relation from an effect to what is upstream of it.

    Attributes:
        subject: the effect.
        relation: its name in PROV, followed by that of the argument where it is not the second one.
        object: what is upstream.
        basis: ``asserted``, or ``via-activity`` where it is part of a way through an activity.
        sources: the graphs that say so.
    """

    subject: str
    relation: str
    object: str
    basis: str
    sources: tuple[Said, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "subject": self.subject,
            "relation": self.relation,
            "object": self.object,
            "basis": self.basis,
            "sources": [said.to_dict() for said in self.sources],
        }


@dataclass(frozen=True, slots=True)
class LineageGraph:
    """What a thing came from, or what depends on it.

    Attributes:
        start: the thing.
        direction: ``upstream``, ``downstream`` or ``both``.
        nodes: the start first, then by distance and name.
        edges: by subject, relation and object; those between ``nodes``.
        roots: entities of which it is not said what they came from, by name: the sources as far as they are known.
        total_nodes: how many nodes were found, told or not.
        total_edges: how many edges were found.
        beyond: how many nodes are known to lie one relation beyond the depth.
        total_roots: how many roots were found.
        declared: the roots that were declared to be sources, by name; None where nobody declared any.
        undeclared: the other roots; None where nobody declared any.
        total_declared: how many roots were declared.
        as_of: the entry or time that was asked for; None for now.
    """

    start: str
    direction: str
    nodes: tuple[LineageNode, ...]
    edges: tuple[LineageEdge, ...]
    roots: tuple[str, ...]
    total_nodes: int
    total_edges: int
    beyond: int
    total_roots: int = 0
    declared: tuple[str, ...] | None = None
    undeclared: tuple[str, ...] | None = None
    total_declared: int = 0
    as_of: str | None = None

    @property
    def truncated(self) -> bool:
        """Whether something was left out: nodes, edges or roots over the limit, or nodes beyond the depth."""
        return (
            self.total_nodes > len(self.nodes)
            or self.total_edges > len(self.edges)
            or self.total_roots > len(self.roots)
            or self.beyond > 0
        )

    @property
    def coverage(self) -> float | None:
        """The share of roots that were declared, in percent, rounded down to a tenth: 100.0 means all.

        None where nobody declared any, or where there is no root: lineage that goes round in a circle.
        """
        if self.declared is None or not self.total_roots:
            return None
        return self.total_declared * 1000 // self.total_roots / 10

    def to_dict(self) -> dict[str, Any]:
        """As JSON; ``docs/reference/lineage.md`` describes each field."""
        return {
            "start": self.start,
            "direction": self.direction,
            "as_of": self.as_of,
            "truncated": self.truncated,
            "total_nodes": self.total_nodes,
            "total_edges": self.total_edges,
            "total_roots": self.total_roots,
            "beyond": self.beyond,
            "roots": list(self.roots),
            "declared": None if self.declared is None else list(self.declared),
            "undeclared": None if self.undeclared is None else list(self.undeclared),
            "coverage": self.coverage,
            "nodes": [node.to_dict() for node in self.nodes],
            "edges": [edge.to_dict() for edge in self.edges],
        }

    def left_out(self) -> str:
        """A sentence about what is not told, for people; empty where everything is."""
        if not self.truncated:
            return ""
        told = [
            f"{len(self.nodes):,} of {self.total_nodes:,} things",
            f"{len(self.edges):,} of {self.total_edges:,} relations",
        ]
        if self.total_roots > len(self.roots):
            told.append(f"{len(self.roots):,} of {self.total_roots:,} roots")
        beyond = f"; {self.beyond:,} more things one relation beyond the depth" if self.beyond else ""
        return ", ".join(told) + beyond

    def document(self, *, bundles: bool = False) -> Document:
        """The same as PROV, to be written in any format.

        Args:
            bundles: put each relation into bundles named after the graphs that say it. Without, relations of several
                documents stand side by side, and a union of valid documents need not be valid.
        """
        from provrepo.repository.lineage.prov import document

        return document(self, bundles=bundles)

    def write(self, format: str) -> bytes:  # noqa: A002 (the name that callers use)
        """The same in a format of PROV: with a bundle for each graph where the format has bundles, or as a picture.

        A picture says itself what was left out.

        Raises:
            UnknownFormat: no such format.
        """
        from provrepo.repository.lineage.prov import write

        return write(self, format)


@dataclass(frozen=True, slots=True)
class LineageImpact:
    """What depends on a thing, counted: all of it, whatever is told elsewhere.

    Attributes:
        start: the thing.
        direction: ``downstream``, or what else was asked for.
        total: how many things there are, the start aside.
        kinds: how many of them are entities, activities, agents; the most frequent first, as below.
        types: how many have each type.
        agents: how many each agent stands for: activities it was associated with, entities attributed to it, or, where
            that is not said of one, generated by such an activity.
        projects: of how many each project speaks.
        total_types: how many types there are, told or not.
        total_agents: how many agents there are.
        total_projects: how many projects there are.
        as_of: the entry or time that was asked for; None for now.
        labels: one of the labels of each of ``agents`` that has any.
    """

    start: str
    direction: str
    total: int
    kinds: Mapping[str, int]
    types: Mapping[str, int]
    agents: Mapping[str, int]
    projects: Mapping[str, int]
    total_types: int
    total_agents: int
    total_projects: int
    as_of: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def truncated(self) -> bool:
        """Whether there are more types, agents or projects than are told."""
        return (self.total_types, self.total_agents, self.total_projects) != (
            len(self.types),
            len(self.agents),
            len(self.projects),
        )

    def groups(self) -> dict[str, dict[str, int]]:
        """The counts by what they are grouped by."""
        return {
            "kinds": dict(self.kinds),
            "types": dict(self.types),
            "agents": dict(self.agents),
            "projects": dict(self.projects),
        }

    def to_dict(self) -> dict[str, Any]:
        """As JSON; ``docs/reference/lineage.md`` describes each field."""
        return {
            "start": self.start,
            "direction": self.direction,
            "as_of": self.as_of,
            "truncated": self.truncated,
            "total": self.total,
            "total_types": self.total_types,
            "total_agents": self.total_agents,
            "total_projects": self.total_projects,
            **self.groups(),
            "labels": dict(self.labels),
        }


@dataclass(frozen=True, slots=True)
class CommonNode:
    """A thing that several things came from.

    Attributes:
        node: the thing; its distance is the smallest.
        distances: from each start, in their order.
        nearest: whether it is not upstream of another common one: where the ways first meet.
    """

    node: LineageNode
    distances: tuple[int, ...]
    nearest: bool

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {**self.node.to_dict(), "distances": list(self.distances), "nearest": self.nearest}


@dataclass(frozen=True, slots=True)
class LineageCommon:
    """What several things have in common upstream.

    Attributes:
        starts: the things.
        nodes: what all of them came from: the nearest first, then by distance and name.
        total: how many there are, told or not.
        as_of: the entry or time that was asked for; None for now.
    """

    starts: tuple[str, ...]
    nodes: tuple[CommonNode, ...]
    total: int
    as_of: str | None = None

    @property
    def truncated(self) -> bool:
        """Whether there are more than ``nodes`` tells."""
        return self.total > len(self.nodes)

    def to_dict(self) -> dict[str, Any]:
        """As JSON; ``docs/reference/lineage.md`` describes each field."""
        return {
            "starts": list(self.starts),
            "as_of": self.as_of,
            "truncated": self.truncated,
            "total": self.total,
            "nodes": [node.to_dict() for node in self.nodes],
        }


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What was found by words.

    Attributes:
        things: those with the shortest labels first.
        total: how many were found, told or not.
    """

    things: tuple[LineageNode, ...]
    total: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"total": self.total, "things": [thing.to_dict() for thing in self.things]}
