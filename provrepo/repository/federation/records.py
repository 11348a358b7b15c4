"""The records of a lineage across repositories: which of them says what, and what may be missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provrepo.repository.lineage.records import LineageGraph, LineageNode, SourceReference
from provrepo.words import counted

__all__ = [
    "FederatedLineage",
    "FederatedSource",
    "LaboratoryReport",
    "LineageSurroundings",
    "Missing",
    "StatedRelation",
    "SurroundingThing",
]


@dataclass(frozen=True, slots=True)
class FederatedSource(SourceReference):
    """The version and graph that assert something, in this repository or in that of a peer.

    Attributes:
        project: the project there.
        document: the document.
        version: the version's number.
        graph: its graph, as the repository names it.
        laboratory: the name of the peer; None for this repository.
    """

    laboratory: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"laboratory": self.laboratory, **super(FederatedSource, self).to_dict()}


@dataclass(frozen=True, slots=True)
class LaboratoryReport:
    """What one repository contributed to a lineage.

    Attributes:
        name: the name of the peer; None for this repository.
        url: the URL of the peer; for this repository its own IRI.
        state: ``answered``; ``unasked`` where there was no reason to ask; ``itself`` where it is this repository or a
            copy of it, whose answers do not count twice; ``same`` where it is the repository of a peer before it; or
            why it did not answer: ``refused``, ``unreachable``, ``late``, ``busy``, ``unsupported`` or ``malformed``.
        message: the reason, for people; empty where it answered.
        requests: the number of requests.
        things: the number of things in the answer that it describes.
        relations: the number of relations in the answer that it asserts.
    """

    name: str | None
    url: str
    state: str
    message: str
    requests: int
    things: int
    relations: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "name": self.name,
            "url": self.url,
            "state": self.state,
            "message": self.message,
            "requests": self.requests,
            "things": self.things,
            "relations": self.relations,
        }


@dataclass(frozen=True, slots=True)
class Missing:
    """Things about which a repository may know more than the answer has.

    Attributes:
        laboratory: the name of the peer; None for this repository.
        reason: why it was not asked, or did not answer.
        things: the first of these things, the nearest first.
        total: the number of them.
    """

    laboratory: str | None
    reason: str
    things: tuple[str, ...]
    total: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "laboratory": self.laboratory,
            "reason": self.reason,
            "total": self.total,
            "things": list(self.things),
        }


@dataclass(frozen=True, slots=True)
class FederatedLineage(LineageGraph):
    """What a thing came from, or what depends on it, in this repository and in those of its peers.

    The sources of nodes and edges name the laboratory. In ``projects`` of a node, those of a peer are ``PEER/PROJECT``.

    Attributes:
        laboratories: this repository, then the peers by name.
        missing: what may be missing.
    """

    laboratories: tuple[LaboratoryReport, ...] = ()
    missing: tuple[Missing, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every repository was asked about every thing, and answered."""
        return not self.missing

    def reports(self) -> list[str]:
        """Lines about what each repository contributed, and what may be missing, for people."""
        found = []
        for each in self.laboratories:
            says = {"itself": "this repository itself", "same": each.message}.get(each.state, each.state)
            if each.state == "answered":
                says = f"{counted(each.things, 'thing')}, {counted(each.relations, 'relation')}"
            found.append(f"{each.name or 'this repository'}: {says}")
        return found + [f"incomplete: {reason}" for reason in self.incompleteness()]

    def bundle_names(self) -> Mapping[SourceReference, str]:
        """The names of bundles for sources: a graph that several repositories name is one bundle for each of them."""
        graphs: dict[str, set[str]] = {}
        for source in self._edge_sources():
            graphs.setdefault(source.graph, set()).add(source.laboratory or "")
        return {
            source: f"{source.graph}{'-' if '#' in source.graph else '#'}laboratory-{source.laboratory or 'here'}"
            for source in self._edge_sources()
            if len(graphs[source.graph]) > 1
        }

    def attributed_bundles(self) -> Mapping[str, tuple[str, str]]:
        """The bundle of each graph, with the URL and the name of the repository that asserts it."""
        names, urls = self.bundle_names(), {each.name: each.url for each in self.laboratories}
        return {
            names.get(source, source.graph): (urls[source.laboratory], source.laboratory or "")
            for source in self._edge_sources()
            if urls.get(source.laboratory)
        }

    def _edge_sources(self) -> set[FederatedSource]:
        sources = (source for edge in self.edges for source in edge.sources)
        return {source for source in sources if isinstance(source, FederatedSource)}

    def incompleteness(self) -> list[str]:
        """A sentence for each reason why something may be missing, for people."""
        return [
            f"{each.laboratory or 'this repository'}: {each.reason}; it may know more about "
            f"{counted(each.total, 'thing')}, such as {each.things[0]}"
            for each in self.missing
        ]

    def to_dict(self) -> dict[str, Any]:
        """As JSON; ``docs/reference/lineage.md`` describes each field."""
        return {
            **super(FederatedLineage, self).to_dict(),
            "complete": self.complete,
            "missing": [each.to_dict() for each in self.missing],
            "laboratories": [each.to_dict() for each in self.laboratories],
        }

    def left_out(self) -> str:
        """What was left out, and what may be missing, for people; empty where nothing is."""
        found = super(FederatedLineage, self).left_out()
        if self.complete:
            return found
        names = sorted({each.laboratory or "this repository" for each in self.missing})
        return "; ".join(filter(None, [found, f"incomplete: there may be more at {', '.join(names)}"]))


@dataclass(frozen=True, slots=True)
class SurroundingThing:
    """A thing, with the extent to which its relations are in the answer.

    Attributes:
        node: the thing.
        followed: the level of permission at which all of its relations are in the answer, by name: ``none`` for a
            thing that is only described.
    """

    node: LineageNode
    followed: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        found = self.node.to_dict()
        del found["distance"]
        return {**found, "followed": self.followed}


@dataclass(frozen=True, slots=True)
class StatedRelation:
    """A relation, as one graph asserts it.

    Attributes:
        subject: the effect.
        relation: its name, as in ``LineageEdge``.
        object: the cause.
        time: of a usage or generation, in microseconds since 1970-01-01T00:00:00Z; None without one.
        source: the number of the graph in ``sources``.
    """

    subject: str
    relation: str
    object: str
    time: int | None
    source: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "subject": self.subject,
            "relation": self.relation,
            "object": self.object,
            "time": self.time,
            "source": self.source,
        }


@dataclass(frozen=True, slots=True)
class LineageSurroundings:
    """The relations around some things, for a lineage across repositories.

    Attributes:
        direction: ``upstream`` or ``downstream``.
        things: the things that were asked for and those that were reached from them, the nearest first. Those that no
            version mentions are left out.
        relations: the relations that may be followed from them.
        sources: the graphs that assert them.
        cut: the things of which some relations were left out, because there are too many.
        repository: the UUID of the repository, by which it recognizes itself among its peers.
    """

    direction: str
    things: tuple[SurroundingThing, ...]
    relations: tuple[StatedRelation, ...]
    sources: tuple[SourceReference, ...]
    cut: tuple[str, ...]
    repository: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON; ``docs/reference/lineage.md`` describes each field."""
        return {
            "direction": self.direction,
            "things": [thing.to_dict() for thing in self.things],
            "relations": [relation.to_dict() for relation in self.relations],
            "sources": [source.to_dict() for source in self.sources],
            "cut": list(self.cut),
            "repository": self.repository,
        }
