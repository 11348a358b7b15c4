"""The results of the verbs about lineage, as frozen records that the command line, the server and scripts render."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from provrepo.model.statements import ACTIVITY, AGENT, ENTITY, Kind
from provrepo.repository.exchange.notices.records import OriginWarning
from provrepo.words import counted

if TYPE_CHECKING:
    from provrepo.model.document import Document

__all__ = [
    "BUNDLED",
    "DIAGRAMS",
    "JSON_FORMAT",
    "FOR_DATABASES",
    "KINDS",
    "CommonNode",
    "LineageCommon",
    "LineageEdge",
    "LineageGraph",
    "LineageImpact",
    "LineageNode",
    "SourceReference",
    "SearchResult",
]

G = TypeVar("G", bound="LineageGraph")

BUNDLED = ("provn", "trig", "provjson")
"""Formats in which an answer has a bundle for each graph that asserts something, by name."""

DIAGRAMS = ("dot", "mermaid")
"""Formats in which an answer is a diagram that other programs draw, by name."""

JSON_FORMAT = 2
"""The version of the JSON of a lineage. Before 2, edges named their things and everything named its sources in full."""
FOR_DATABASES = ("graphml", "neo4j")
"""Formats in which an answer is a graph for databases: an edge for each version that asserts a relation, by name."""

KINDS: tuple[Kind, ...] = (ENTITY, ACTIVITY, AGENT)
"""The kinds of things, in the order in which they are listed."""


@dataclass(frozen=True, slots=True)
class SourceReference:
    """The version and graph that assert something.

    Attributes:
        project: the project.
        document: the document.
        version: the version's number.
        graph: the graph in the project's dataset: that of the version, or of one of its bundles.
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
        iri: its IRI.
        kinds: of ``entity``, ``activity`` and ``agent`` those that are asserted or follow.
        label: one of its labels; empty where it has none.
        types: its types beyond those kinds.
        distance: the number of relations from the start.
        sources: the first versions that mention it, by project and document; thousands may mention an agent.
        total_sources: the number of versions that mention it.
        projects: the projects of all of them, by name.
    """

    iri: str
    kinds: tuple[str, ...]
    label: str
    types: tuple[str, ...]
    distance: int
    sources: tuple[SourceReference, ...]
    total_sources: int = 0
    projects: tuple[str, ...] = ()

    def summary(self) -> dict[str, Any]:
        """Its IRI, kinds, label and types, as JSON."""
        return {"iri": self.iri, "kinds": list(self.kinds), "label": self.label, "types": list(self.types)}

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            **self.summary(),
            "distance": self.distance,
            "projects": list(self.projects),
            "total_sources": self.total_sources,
            "sources": [source.to_dict() for source in self.sources],
        }


@dataclass(frozen=True, slots=True)
class LineageEdge:
    """A relation from an effect to its cause.

    Attributes:
        subject: the effect.
        relation: its name in PROV, followed by that of the argument where it is not the second one.
        object: the cause, upstream.
        basis: ``asserted``, or ``via-activity`` where it is part of a path through an activity; ``resolved`` where no
            document asserts it: a run read a dataset, and times tell which version that was.
        sources: the graphs that assert it; of a resolved one those from which it follows.
        reason: why it is resolved so; empty for the others.
    """

    subject: str
    relation: str
    object: str
    basis: str
    sources: tuple[SourceReference, ...]
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON, by itself; ``reason`` is there for resolved edges only."""
        return {
            "subject": self.subject,
            "relation": self.relation,
            "object": self.object,
            "basis": self.basis,
            **({"reason": self.reason} if self.reason else {}),
            "sources": [source.to_dict() for source in self.sources],
        }


@dataclass(frozen=True, slots=True)
class LineageGraph:
    """What a thing came from, or what depends on it.

    Attributes:
        start: the thing.
        direction: ``upstream``, ``downstream`` or ``both``.
        nodes: the start first, then by distance and name.
        edges: by subject, relation and object; those between ``nodes``.
        roots: entities without an asserted origin, by IRI: the sources as far as they are known.
        total_nodes: the number of nodes found, returned or not.
        total_edges: the number of edges found.
        beyond: the number of nodes one relation beyond the depth.
        total_roots: the number of roots found.
        declared: the roots that are declared sources, by IRI; None for a query without declared sources.
        undeclared: the other roots; None for a query without declared sources.
        total_declared: the number of declared roots.
        as_of: the entry or time of the query; None for now.
        warnings: what the origins of copies that mention something in it have announced: withdrawals, erasures, later
            versions.
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
    warnings: tuple[OriginWarning, ...] = ()

    @property
    def truncated(self) -> bool:
        """Whether something was left out: nodes, edges or roots over the limit, or nodes beyond the depth."""
        return self.truncated_to(len(self.nodes), len(self.edges))

    def truncated_to(self, nodes: int, edges: int) -> bool:
        """Whether something is left out of an answer with some numbers of nodes and edges."""
        more = self.total_nodes > nodes or self.total_edges > edges or self.total_roots > len(self.roots)
        return more or self.beyond > 0

    @property
    def coverage(self) -> float | None:
        """The share of roots that were declared, in percent, rounded down to a tenth: 100.0 means all.

        None for a query without declared sources, and where there is no root, as in a cycle.
        """
        if self.declared is None or not self.total_roots:
            return None
        return self.total_declared * 1000 // self.total_roots / 10

    def nearest(self: G, limit: int) -> G:
        """The lineage with no more than some number of things, and as many roots; the numbers of all stay."""
        if len(self.nodes) <= limit:
            return self
        nodes = self.nodes[:limit]
        among = {node.iri for node in nodes}
        return replace(
            self,
            nodes=nodes,
            edges=tuple(edge for edge in self.edges if edge.subject in among and edge.object in among),
            roots=self.roots[:limit],
            declared=None if self.declared is None else self.declared[:limit],
            undeclared=None if self.undeclared is None else self.undeclared[:limit],
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON; ``docs/reference/lineage.md`` describes each field."""
        from provrepo.repository.lineage.telling import as_dict

        return as_dict(self)

    def reports(self) -> list[str]:
        """Lines about where the answer comes from, for people."""
        return []

    def bundle_names(self) -> Mapping[SourceReference, str]:
        """The names of bundles for sources whose graph is not the name."""
        return {}

    def attributed_bundles(self) -> Mapping[str, tuple[str, str]]:
        """The bundles that are attributed to a repository: its IRI and its label."""
        return {}

    def left_out(self) -> str:
        """A sentence that counts what was left out, for people; empty where nothing was."""
        if not self.truncated:
            return ""
        parts = [
            f"{len(self.nodes):,} of {counted(self.total_nodes, 'thing')}",
            f"{len(self.edges):,} of {counted(self.total_edges, 'relation')}",
        ]
        if self.total_roots > len(self.roots):
            parts.append(f"{len(self.roots):,} of {self.total_roots:,} roots")
        beyond = f"; {self.beyond:,} more things one relation beyond the depth" if self.beyond else ""
        return ", ".join(parts) + beyond

    def document(self, *, bundles: bool = False) -> Document:
        """The same as PROV, to be written in any format.

        Args:
            bundles: put each relation into bundles named after the graphs that assert it. Without bundles, relations of
                several documents are combined, and a union of valid documents need not be valid.
        """
        from provrepo.repository.lineage.prov import document

        return document(self, bundles=bundles)

    def write(self, format: str) -> bytes:  # noqa: A002 (the name that callers use)
        """The same in a format of PROV: with a bundle for each graph where the format has bundles, or as a picture.

        A picture (``svg``) or diagram (``dot``, ``mermaid``) states what was left out. In a graph for databases
        (``graphml``, ``neo4j``) there is an edge for each version that asserts a relation.

        Raises:
            UnknownFormat: no such format.
        """
        from provrepo.repository.lineage.prov import write

        return write(self, format)


@dataclass(frozen=True, slots=True)
class LineageImpact:
    """Counts of all things that depend on a thing.

    Attributes:
        start: the thing.
        direction: the direction of the query.
        total: the number of things without the start.
        kinds: the number of entities, activities and agents; the most frequent first, as below.
        types: the number of things of each type.
        agents: the number of things of each agent: activities associated with it, entities attributed to it, and
            entities without attribution that were generated by such an activity.
        projects: the number of things that each project mentions.
        total_types: the number of types, returned or not.
        total_agents: the number of agents.
        total_projects: the number of projects.
        as_of: the entry or time of the query; None for now.
        labels: one of the labels of each of ``agents`` that has any.
        warnings: about copies of versions that describe the start or what depends on it: those that were withdrawn,
            erased or replaced at their origin.
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
    warnings: tuple[OriginWarning, ...] = ()

    @property
    def truncated(self) -> bool:
        """Whether there are more types, agents or projects than are returned."""
        return (self.total_types, self.total_agents, self.total_projects) != (
            len(self.types),
            len(self.agents),
            len(self.projects),
        )

    def groups(self) -> dict[str, dict[str, int]]:
        """The counts by group: kinds, types, agents and projects."""
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
            "warnings": [warning.to_dict() for warning in self.warnings],
        }


@dataclass(frozen=True, slots=True)
class CommonNode:
    """A thing that several things came from.

    Attributes:
        node: the thing; its distance is the smallest.
        distances: from each start, in their order.
        nearest: whether it is not upstream of another common thing: where the paths first meet.
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
        nodes: the things that all of them came from: the nearest first, then by distance and name.
        total: the number of them, returned or not.
        as_of: the entry or time of the query; None for now.
        warnings: about copies of versions that describe what the things came from: those that were withdrawn, erased
            or replaced at their origin.
    """

    starts: tuple[str, ...]
    nodes: tuple[CommonNode, ...]
    total: int
    as_of: str | None = None
    warnings: tuple[OriginWarning, ...] = ()

    @property
    def truncated(self) -> bool:
        """Whether there are more than ``nodes`` has."""
        return self.total > len(self.nodes)

    def to_dict(self) -> dict[str, Any]:
        """As JSON; ``docs/reference/lineage.md`` describes each field."""
        return {
            "starts": list(self.starts),
            "as_of": self.as_of,
            "truncated": self.truncated,
            "total": self.total,
            "warnings": [warning.to_dict() for warning in self.warnings],
            "nodes": [node.to_dict() for node in self.nodes],
        }


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """A version of a document that a search found.

    Attributes:
        project: its project.
        name: the name of the document.
        title: its title; its name where it has none.
        version: the number of the version.
        state: ``current``; ``superseded`` or ``withdrawn`` for a version that was found by its digest.
        iri: its IRI.
        sha256: the digest of its bytes.
        note: the note of the submitter.
        submitter: the name of the submitter.
        time: when it was submitted.
        verdict: ``conforms`` or ``fails``.
        statements: the number of its statements.
    """

    project: str
    name: str
    title: str
    version: int
    state: str
    iri: str
    sha256: str
    note: str
    submitter: str
    time: str
    verdict: str
    statements: int


@dataclass(frozen=True, slots=True)
class FoundProject:
    """A project that a search found.

    Attributes:
        name: its name.
        title: its title; may be empty.
        documents: the number of its documents.
    """

    name: str
    title: str
    documents: int


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The result of a search.

    Attributes:
        things: those of the page, in the requested order.
        total: the number of things, returned or not.
        documents: the documents of the page, or the first few.
        total_documents: the number of documents, returned or not.
        projects: the projects.
        facets: by ``kind``, ``type``, ``project``, ``document`` and ``matched``: how many things each choice would
            leave, without a choice of that name; the most frequent choices.
        page: the number of the page.
    """

    things: tuple[LineageNode, ...]
    total: int
    documents: tuple[FoundDocument, ...] = ()
    total_documents: int = 0
    projects: tuple[FoundProject, ...] = ()
    facets: dict[str, dict[str, int]] = field(default_factory=dict)
    page: int = 1

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "total": self.total,
            "things": [thing.to_dict() for thing in self.things],
            "total_documents": self.total_documents,
            "documents": [asdict(document) for document in self.documents],
            "projects": [asdict(project) for project in self.projects],
            "facets": self.facets,
            "page": self.page,
        }
