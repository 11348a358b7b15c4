"""Records from the answers of the lineage index, which have numbers of nodes and names of versions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from provrepo.model.minting import Minter
from provrepo.model.statements import AGENT
from provrepo.repository.lineage.records import KINDS, LineageEdge, LineageGraph, LineageNode, SourceReference

if TYPE_CHECKING:
    from provrepo.repository.exchange.notices.records import OriginWarning
    from provrepo.views.lineage.index import Answer, Source, Thing

__all__ = ["MOST_SOURCES", "Records", "reason"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

MOST_SOURCES = 20
"""Versions that are named as sources of a node: an agent may have thousands."""


class Records:
    """Makes the records of one answer. A version is a source of many things; its name is minted once."""

    def __init__(
        self, minter: Minter, warned: Mapping[tuple[str, str, int], tuple[OriginWarning, ...]] | None = None
    ) -> None:
        """Make records.

        Args:
            minter: mints the IRIs of versions and bundles, which are the names of their graphs.
            warned: project, document and version → warnings about the version.
        """
        self._minter = minter
        self._warned = warned or {}
        self._used: set[tuple[str, str, int]] = set()
        self._references: dict[Source, SourceReference] = {}

    def graph(self, start: str, direction: str, answer: Answer) -> LineageGraph:
        """A lineage, without its roots."""
        from provrepo.views.lineage.rules import EDGES

        walk, things = answer.walk, answer.things
        nodes = [self.node(thing, walk.nodes[number]) for number, thing in things.items()]
        self.note(answer.sources[version] for sources in walk.edges.values() for version, _ in sources)
        edges = [
            LineageEdge(
                things[subject].iri,
                EDGES[rule].name,
                things[upstream].iri,
                EDGES[rule].basis,
                self._sources(answer.sources[version]._replace(bundle=graph) for version, graph in sources),
                reason(*answer.resolved[key]) if key in answer.resolved else "",
            )
            for key, sources in walk.edges.items()
            for subject, rule, upstream in (key,)
        ]
        return LineageGraph(
            start,
            direction,
            tuple(sorted(nodes, key=lambda node: (node.distance, node.iri))),
            tuple(sorted(edges, key=lambda edge: (edge.subject, edge.relation, edge.object))),
            (),
            walk.total,
            walk.total_edges,
            walk.beyond,
            warnings=self.warnings(),
        )

    def warnings(self) -> tuple[OriginWarning, ...]:
        """The warnings about the versions that were noted."""
        return tuple(warning for version in sorted(self._used) for warning in self._warned[version])

    def node(self, thing: Thing, distance: int = 0, *, most: int = MOST_SOURCES) -> LineageNode:
        """A thing.

        Args:
            thing: its record in the index.
            distance: from the start.
            most: the most versions to name as its sources.
        """
        if not thing.kinds >> KINDS.index(AGENT) & 1:
            # An agent is mentioned by versions that have nothing to do with this answer; its relations count.
            self.note(thing.sources)
        return LineageNode(
            thing.iri,
            tuple(kind.name for place, kind in enumerate(KINDS) if thing.kinds >> place & 1),
            thing.label,
            thing.types,
            distance,
            self._sources(thing.sources[:most]),
            len(thing.sources),
            tuple(sorted({source.project for source in thing.sources})),
        )

    def _sources(self, sources: Iterable[Source]) -> tuple[SourceReference, ...]:
        known, found = self._references, []
        for source in sorted(sources):
            reference = known.get(source)
            if reference is None:
                reference = known[source] = self.reference(source)
            found.append(reference)
        return tuple(found)

    def note(self, sources: Iterable[Source]) -> None:
        """Remember those of some versions that have warnings."""
        if self._warned:
            self._used |= self._warned.keys() & {(each.project, each.document, each.version) for each in sources}

    def reference(self, source: Source) -> SourceReference:
        """A version and its graph."""
        graph = self._minter.version(source.project, source.document, source.version)
        if source.bundle:
            graph = Minter.bundle(graph, source.bundle)
        return SourceReference(source.project, source.document, source.version, str(graph))


def reason(read_at: int, written_at: int) -> str:
    """Why a read is resolved to a version, from their times in the index."""
    return f"written at {_time(written_at)}, the last before the read at {_time(read_at)}"


def _time(at: int) -> str:
    """A time of the index (``provrepo.views.extraction``) as xsd:dateTime in UTC."""
    try:
        moment = _EPOCH + timedelta(microseconds=at - (at > 0))
    except OverflowError:
        return "an unknown time"
    return moment.isoformat().replace("+00:00", "Z")
