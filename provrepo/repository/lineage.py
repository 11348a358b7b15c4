"""The verbs about where things come from, what depends on them, and what is known of them.

They are part of ``Repository``, in a file of their own. They go through every project that the actor may read, and
through nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provrepo.codecs.rdf_terms import is_iri
from provrepo.errors import NotFound, UsageError
from provrepo.model.document import Bundle, Document
from provrepo.model.identifiers import Identifier, Literal
from provrepo.model.minting import Minter
from provrepo.model.statements import ACTIVITY, AGENT, ENTITY, Kind, Statement
from provrepo.repository import access, catalog
from provrepo.repository.quality import Quality
from provrepo.vocab import PROV_LABEL, PROV_TYPE, XSD_STRING

if TYPE_CHECKING:
    from provrepo.views.lineage import Answer, Source, Thing

__all__ = ["DIRECTIONS", "LIMIT", "LineageEdge", "LineageGraph", "LineageNode", "Provenance", "Said", "SearchResult"]

DIRECTIONS = ("upstream", "downstream", "both")
LIMIT = 10_000
"""The most nodes that an answer tells of where no other limit is given."""

_KINDS: tuple[Kind, ...] = (ENTITY, ACTIVITY, AGENT)


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
        sources: the versions that speak of it.
    """

    iri: str
    kinds: tuple[str, ...]
    label: str
    types: tuple[str, ...]
    distance: int
    sources: tuple[Said, ...]

    @property
    def projects(self) -> list[str]:
        """The projects that speak of it, by name."""
        return sorted({said.project for said in self.sources})

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "iri": self.iri,
            "kinds": list(self.kinds),
            "label": self.label,
            "types": list(self.types),
            "distance": self.distance,
            "projects": self.projects,
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
    """

    start: str
    direction: str
    nodes: tuple[LineageNode, ...]
    edges: tuple[LineageEdge, ...]
    roots: tuple[str, ...]
    total_nodes: int
    total_edges: int
    beyond: int

    @property
    def truncated(self) -> bool:
        """Whether there is more than ``nodes`` and ``edges`` tell: over the limit, or beyond the depth."""
        return self.total_nodes > len(self.nodes) or self.total_edges > len(self.edges) or self.beyond > 0

    def impact(self) -> dict[str, dict[str, int]]:
        """How many nodes there are of each kind, type and project, the start aside; the most frequent first."""
        others = self.nodes[1:]
        counted = {
            "kinds": Counter(kind for node in others for kind in node.kinds),
            "types": Counter(cls for node in others for cls in node.types),
            "projects": Counter(project for node in others for project in node.projects),
        }
        return {
            what: dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))) for what, counts in counted.items()
        }

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "start": self.start,
            "direction": self.direction,
            "truncated": self.truncated,
            "total_nodes": self.total_nodes,
            "total_edges": self.total_edges,
            "beyond": self.beyond,
            "roots": list(self.roots),
            "nodes": [node.to_dict() for node in self.nodes],
            "edges": [edge.to_dict() for edge in self.edges],
        }

    def document(self, *, bundles: bool = False) -> Document:
        """The same as PROV, to be written in any format.

        Args:
            bundles: put each relation into bundles named after the graphs that say it. Without, relations of several
                documents stand side by side, and a union of valid documents need not be valid.
        """
        document = Document()
        elements = [statement for node in self.nodes for statement in _elements(node)]
        document.statements.extend(elements)
        if not bundles:
            document.statements.extend(map(_relation, self.edges))
            return document
        graphs: dict[str, list[Statement]] = {}
        for edge in self.edges:
            for said in edge.sources:
                graphs.setdefault(said.graph, []).append(_relation(edge))
        document.bundles.extend(Bundle(Identifier(graph), graphs[graph]) for graph in sorted(graphs))
        return document


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


class Provenance(Quality):
    """What ``Repository`` inherits."""

    def lineage(
        self,
        iri: str,
        *,
        direction: str = "upstream",
        depth: int | None = None,
        to: str | None = None,
        strict: bool = False,
        alternates: bool = False,
        project: str | None = None,
        limit: int = LIMIT,
    ) -> LineageGraph:
        """What a thing came from, or what depends on it, through every project that the actor may read.

        Args:
            iri: the thing: an entity, an activity or an agent.
            direction: ``upstream``, ``downstream`` or ``both``.
            depth: the most relations to go; None for all.
            to: keep only what is on a path from the one thing to this one.
            strict: only along derivations, not through activities.
            alternates: also along ``prov:alternateOf``.
            project: only through this project.
            limit: the most nodes that are told; how many there are is counted in any case.

        Raises:
            NotFound: nothing that the actor may read speaks of it; or no such project.
            UsageError: not an IRI, no direction, or a number that is not positive.
            Busy: another process holds the views; the message names its URL.
        """
        from provrepo.views.lineage import Lineage
        from provrepo.views.lineage_walk import Options

        if direction not in DIRECTIONS:
            raise UsageError(f"{direction!r} is no direction; there are {', '.join(DIRECTIONS)}")
        if (depth is not None and depth < 1) or limit < 1:
            raise UsageError("depth and limit are positive numbers")
        for name in (iri, to):
            _named(name)
        ways = [way == "upstream" for way in DIRECTIONS[:2] if direction in (way, "both")]
        walks = [Options(upstream, depth, strict, alternates) for upstream in ways]
        answer = self._store.view(Lineage).ask(iri, self._within(project), walks, to=to, limit=limit)
        if answer is None:
            names = iri if to is None else f"both {iri} and {to}"
            raise NotFound(f"nothing that you may read speaks of {names}")
        return _graph(iri, direction, answer, self._store.minter())

    def thing(self, iri: str, *, project: str | None = None) -> LineageNode:
        """What one thing is, and which versions speak of it; raises what ``lineage`` does."""
        from provrepo.views.lineage import Lineage

        _named(iri)
        found = self._store.view(Lineage).thing(iri, self._within(project))
        if found is None:
            raise NotFound(f"nothing that you may read speaks of {iri}")
        return _node(found, 0, self._store.minter())

    def search(self, text: str, *, project: str | None = None, limit: int = 50) -> SearchResult:
        """Things of which all words of a text are said: in names, labels, types, identifiers and checksums.

        Args:
            text: words; the last may be the beginning of one. Case and accents make no difference.
            project: only in this project; otherwise in all that the actor may read.
            limit: the most things that are told; how many there are is counted in any case.

        Raises:
            NotFound: no such project.
            UsageError: the limit is not a positive number.
            Busy: another process holds the views; the message names its URL.
        """
        from provrepo.views.lineage import Lineage
        from provrepo.views.search import Search

        if limit < 1:
            raise UsageError("limit is a positive number")
        datasets = self._within(project)
        hits = self._store.view(Search).find(text, datasets, limit=limit)
        lineage, minter = self._store.view(Lineage), self._store.minter()
        # An entry may have reached only one of the two views yet.
        known = [thing for iri in hits.iris if (thing := lineage.thing(iri, datasets)) is not None]
        return SearchResult(tuple(_node(thing, 0, minter) for thing in known), hits.total)

    def _within(self, project: str | None) -> list[str]:
        """The datasets to go through: of one project, or of all that the actor may read."""
        if project is not None:
            self._readable(project)
            return [project]
        found = []
        for name in self._store.ledger.projects():
            settings, exists = catalog.project_settings(self._store, name)
            if exists and access.may_read(self.actor, name, bool(settings.get("public"))):
                found.append(name)
        return found


def _named(iri: str | None) -> None:
    if iri is not None and not is_iri(iri):
        raise UsageError(f"{iri[:200]!r} is not an absolute IRI")


def _graph(start: str, direction: str, answer: Answer, minter: Minter) -> LineageGraph:
    from provrepo.views.lineage_table import RULES

    walk, things = answer.walk, answer.things
    nodes = [_node(thing, walk.nodes[number], minter) for number, thing in things.items()]
    edges = [
        LineageEdge(
            things[subject].iri,
            RULES[rule].name,
            things[upstream].iri,
            RULES[rule].basis,
            _said([answer.sources[version]._replace(bundle=graph) for version, graph in sources], minter),
        )
        for (subject, rule, upstream), sources in walk.edges.items()
        if subject in things and upstream in things
    ]
    roots = [things[number] for number in walk.roots if number in things] if direction != "downstream" else []
    return LineageGraph(
        start,
        direction,
        tuple(sorted(nodes, key=lambda node: (node.distance, node.iri))),
        tuple(sorted(edges, key=lambda edge: (edge.subject, edge.relation, edge.object))),
        tuple(sorted(thing.iri for thing in roots if thing.kinds & 1)),
        len(walk.nodes),
        len(walk.edges),
        walk.beyond,
    )


def _node(thing: Thing, distance: int, minter: Minter) -> LineageNode:
    kinds = tuple(kind.name for place, kind in enumerate(_KINDS) if thing.kinds >> place & 1)
    return LineageNode(thing.iri, kinds, thing.label, thing.types, distance, _said(thing.sources, minter))


def _said(sources: Sequence[Source], minter: Minter) -> tuple[Said, ...]:
    return tuple(
        Said(
            source.project,
            source.document,
            source.version,
            str(_graph_of(minter.version(source.project, source.document, source.version), source.bundle)),
        )
        for source in sorted(sources)
    )


def _graph_of(version: Identifier, bundle: int) -> Identifier:
    return Minter.bundle(version, bundle) if bundle else version


def _elements(node: LineageNode) -> list[Statement]:
    attributes: list[tuple[Identifier, Identifier | Literal]] = []
    if node.label:
        attributes.append((Identifier(PROV_LABEL), Literal(node.label, XSD_STRING)))
    attributes += [(Identifier(PROV_TYPE), Identifier(cls)) for cls in node.types]
    kinds = [kind for kind in _KINDS if kind.name in node.kinds]
    iri = Identifier(node.iri)
    return [
        Statement(kind, iri, tuple(None for _ in kind.arguments), tuple(attributes) if place == 0 else ())
        for place, kind in enumerate(kinds)
    ]


def _relation(edge: LineageEdge) -> Statement:
    from provrepo.views.lineage_table import RULES

    rule = next(rule for rule in RULES if rule.name == edge.relation)
    arguments: list[Identifier | str | None] = [None] * len(rule.kind.arguments)
    arguments[0], arguments[rule.place] = Identifier(edge.subject), Identifier(edge.object)
    return Statement(rule.kind, None, tuple(arguments), ())
