"""A lineage as JSON: labels, types and sources once; nodes and edges have the numbers of their sources.

``tell`` writes an answer of the index without a record for each thing and relation, which would take longer than to
find them. ``as_dict`` gives the same for records.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from json.encoder import encode_basestring as quoted
from typing import TYPE_CHECKING, Any

from provrepo.codecs.collector import collection_paused
from provrepo.model.statements import AGENT
from provrepo.repository.lineage.answers import MOST_SOURCES, Records, reason
from provrepo.repository.lineage.records import JSON_FORMAT, KINDS, LineageGraph, SourceReference
from provrepo.views.lineage.rules import EDGES

if TYPE_CHECKING:
    from provrepo.views.lineage.index import Answer, Source, Thing

__all__ = ["ToldLineage", "as_dict", "tell"]

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_BITS = 32
_PLACE = (1 << _BITS) - 1
_RANK = {number: rank for rank, number in enumerate(sorted(range(len(EDGES)), key=lambda each: EDGES[each].name))}
_KINDS = [
    _compact([kind.name for place, kind in enumerate(KINDS) if bits >> place & 1]) for bits in range(1 << len(KINDS))
]


@dataclass(frozen=True, slots=True)
class ToldLineage:
    """A lineage as JSON.

    Attributes:
        json: the JSON, in UTF-8, on one line.
        nodes: the number of things in it.
        edges: the number of relations.
        projects: the projects that mention one of them.
    """

    json: bytes
    nodes: int
    edges: int
    projects: frozenset[str]

    @property
    def size(self) -> int:
        """The number of its things and relations."""
        return self.nodes + self.edges


def tell(graph: LineageGraph, answer: Answer, records: Records) -> ToldLineage:
    """Write a lineage.

    Args:
        graph: the lineage without its nodes, edges and warnings.
        answer: the nodes and edges.
        records: makes the names of versions, and knows their warnings.
    """
    teller = _Teller(answer, records)
    with collection_paused():
        nodes, edges = ",".join(teller.nodes()), ",".join(teller.edges())
    head = _head(graph, len(answer.things), len(answer.walk.edges))
    head["warnings"] = [warning.to_dict() for warning in records.warnings()]
    relations = {
        name: EDGES[rule].basis for name, rule in sorted((EDGES[rule].name, rule) for rule in teller.relations)
    }
    rest = {"sources": [records.reference(source).to_dict() for source in teller.sources], "relations": relations}
    before = json.dumps({**head, **rest}, ensure_ascii=False)
    written = f'{before[:-1]}, "nodes": [{nodes}], "edges": [{edges}]}}\n'.encode()
    return ToldLineage(written, len(answer.things), len(answer.walk.edges), frozenset(teller.projects))


def as_dict(graph: LineageGraph) -> dict[str, Any]:
    """The same JSON, from records."""
    numbers: dict[SourceReference, int] = {}

    def numbered(sources: tuple[SourceReference, ...]) -> list[int]:
        return [numbers.setdefault(source, len(numbers)) for source in sources]

    nodes = [{**node.to_dict(), "sources": numbered(node.sources)} for node in graph.nodes]
    place = {node.iri: place for place, node in enumerate(graph.nodes)}
    edges = [
        {
            "subject": edge.subject,
            "relation": edge.relation,
            "object": edge.object,
            **({"reason": edge.reason} if edge.reason else {}),
            "sources": numbered(edge.sources),
        }
        for edge in sorted(graph.edges, key=lambda each: (place[each.subject], each.relation, place[each.object]))
    ]
    return {
        **_head(graph, len(nodes), len(edges)),
        "sources": [source.to_dict() for source in numbers],
        "relations": dict(sorted({edge.relation: edge.basis for edge in graph.edges}.items())),
        "nodes": nodes,
        "edges": edges,
    }


def _head(graph: LineageGraph, nodes: int, edges: int) -> dict[str, Any]:
    """The members before the sources, for some numbers of nodes and edges in the answer."""
    return {
        "format": JSON_FORMAT,
        "start": graph.start,
        "direction": graph.direction,
        "as_of": graph.as_of,
        "truncated": graph.truncated_to(nodes, edges),
        "total_nodes": graph.total_nodes,
        "total_edges": graph.total_edges,
        "total_roots": graph.total_roots,
        "total_declared": graph.total_declared,
        "beyond": graph.beyond,
        "roots": list(graph.roots),
        "declared": None if graph.declared is None else list(graph.declared),
        "undeclared": None if graph.undeclared is None else list(graph.undeclared),
        "coverage": graph.coverage,
        "warnings": [warning.to_dict() for warning in graph.warnings],
    }


class _Teller:
    """Writes the nodes and edges of one answer; sources are numbered in the order in which they are named."""

    def __init__(self, answer: Answer, records: Records) -> None:
        self._answer = answer
        self._records = records
        self.sources: dict[Source, int] = {}
        self.relations: set[int] = set()
        self.projects: set[str] = set()
        self._types: dict[tuple[str, ...], str] = {}
        self._of_sources: dict[tuple[Source, ...], str] = {}

    def nodes(self) -> list[str]:
        """The nodes, in their order."""
        distances, agent = self._answer.walk.nodes, 1 << KINDS.index(AGENT)
        found = []
        for number, thing in self._answer.things.items():
            types = self._types.get(thing.types)
            if types is None:
                types = self._types[thing.types] = _compact(thing.types)
            said = self._of_sources.get(thing.sources)
            if said is None:
                said = self._of_sources[thing.sources] = self._said(thing)
            if not thing.kinds & agent:
                self._records.note(thing.sources)
            found.append(
                f'{{"iri":{quoted(thing.iri)},"kinds":{_KINDS[thing.kinds]},"label":{quoted(thing.label)},'
                f'"types":{types},"distance":{distances[number]},{said}}}'
            )
        return found

    def edges(self) -> list[str]:
        """The edges, in the order of their nodes."""
        answer = self._answer
        place = {number: place for place, number in enumerate(answer.things)}
        ordered = {
            place[key[0]] << 2 * _BITS | _RANK[key[1]] << _BITS | place[key[2]]: key for key in answer.walk.edges
        }
        self.relations = {rule for _, rule, _ in answer.walk.edges}
        names = [quoted(rule.name) for rule in EDGES]
        iris = [quoted(thing.iri) for thing in answer.things.values()]
        known: dict[tuple[int, int], str] = {}
        found = []
        for order in sorted(ordered):
            key = ordered[order]
            asserting = answer.walk.edges[key]
            if len(asserting) == 1:
                (pair,) = asserting
                sources = known.get(pair) or known.setdefault(pair, self._numbers(asserting))
            else:
                sources = self._numbers(asserting)
            why = f',"reason":{quoted(reason(*answer.resolved[key]))}' if key in answer.resolved else ""
            subject, object_ = iris[order >> 2 * _BITS], iris[order & _PLACE]
            found.append(
                f'{{"subject":{subject},"relation":{names[key[1]]},"object":{object_}{why},"sources":[{sources}]}}'
            )
        return found

    def _said(self, thing: Thing) -> str:
        """The members of a node that follow from the versions that mention it."""
        projects = sorted({source.project for source in thing.sources})
        self.projects.update(projects)
        numbers = ",".join(str(self._number(source)) for source in islice(thing.sources, MOST_SOURCES))
        named = _compact(projects)
        return f'"projects":{named},"total_sources":{len(thing.sources)},"sources":[{numbers}]'

    def _numbers(self, asserting: set[tuple[int, int]]) -> str:
        """The numbers of the sources of an edge, from versions and graphs."""
        sources = [self._answer.sources[version]._replace(bundle=graph) for version, graph in asserting]
        self._records.note(sources)
        return ",".join(str(self._number(source)) for source in sorted(sources))

    def _number(self, source: Source) -> int:
        return self.sources.setdefault(source, len(self.sources))
