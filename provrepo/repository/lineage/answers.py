"""What the index answers, numbers and names of versions, as records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from provrepo.model.minting import Minter
from provrepo.repository.lineage.records import KINDS, LineageEdge, LineageGraph, LineageNode, Said

if TYPE_CHECKING:
    from provrepo.views.lineage.index import Answer, Source, Thing

__all__ = ["MOST_SOURCES", "Records"]

MOST_SOURCES = 20
"""Versions that are named as sources of a node: an agent may have thousands."""


class Records:
    """Makes the records of one answer. The same version speaks of many things; its name is minted once."""

    def __init__(self, minter: Minter) -> None:
        """Make records.

        Args:
            minter: of the repository: versions and bundles have the names of their graphs.
        """
        self._minter = minter
        self._said: dict[Source, Said] = {}

    def graph(self, start: str, direction: str, answer: Answer) -> LineageGraph:
        """A lineage, without its roots."""
        from provrepo.views.lineage.rules import RULES

        walk, things = answer.walk, answer.things
        nodes = [self.node(thing, walk.nodes[number]) for number, thing in things.items()]
        edges = [
            LineageEdge(
                things[subject].iri,
                RULES[rule].name,
                things[upstream].iri,
                RULES[rule].basis,
                self._sources(answer.sources[version]._replace(bundle=graph) for version, graph in sources),
            )
            for (subject, rule, upstream), sources in walk.edges.items()
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
        )

    def node(self, thing: Thing, distance: int = 0, *, most: int = MOST_SOURCES) -> LineageNode:
        """A thing.

        Args:
            thing: what the index knows of it.
            distance: from the start.
            most: how many of the versions that speak of it are named.
        """
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

    def _sources(self, sources: Iterable[Source]) -> tuple[Said, ...]:
        known, found = self._said, []
        for source in sorted(sources):
            said = known.get(source)
            if said is None:
                said = known[source] = self._named(source)
            found.append(said)
        return tuple(found)

    def _named(self, source: Source) -> Said:
        graph = self._minter.version(source.project, source.document, source.version)
        if source.bundle:
            graph = Minter.bundle(graph, source.bundle)
        return Said(source.project, source.document, source.version, str(graph))
