"""Data graphs for SHACL: one for each instance of a document, completed, with PROV-O's class hierarchy.

The top level is one instance and each bundle another (PROV-CONSTRAINTS section 6.2). PROV-O's class hierarchy is part
of each graph, so that an engine that follows ``rdfs:subClassOf`` selects a ``prov:Plan`` for a shape about entities.

``SourceTriples`` has the same instances without completion: triples that completion adds may satisfy a shape, but never
break one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain, groupby
from typing import NamedTuple

from provrepo.checks.shacl.completion import complete
from provrepo.checks.shacl.graph import Graph
from provrepo.codecs.formats import by_name
from provrepo.codecs.provo.declared import DECLARATIONS, Declared
from provrepo.codecs.provo.terms import BASE_CLASS, PREDICATES, SUBCLASS_OF, SUBCLASSES, SUBTYPES, TYPE, VARIANTS, Role
from provrepo.codecs.provo.writer import Labels, instance_quads
from provrepo.model.document import Document, Quad
from provrepo.model.identifiers import Identifier, Rdf12Term
from provrepo.model.statements import DERIVATION, ELEMENTS
from provrepo.vocab import PROV

__all__ = ["HIERARCHY", "InstanceGraph", "SourceTriples", "instance_graphs"]


def _hierarchy() -> list[Quad]:
    above = {name: BASE_CLASS[kind] for name, kind in SUBCLASSES.items()}
    above[PROV + "EmptyCollection"] = Identifier(PROV + "Collection")
    for name, kind in SUBTYPES.items():
        derived = name in VARIANTS and kind is DERIVATION
        above[name] = Identifier(PROV + ("Derivation" if derived else "Influence"))
    return [Quad(Identifier(name), SUBCLASS_OF, cls) for name, cls in above.items()]


HIERARCHY: tuple[Quad, ...] = tuple(_hierarchy())
"""The ``rdfs:subClassOf`` triples of PROV-O that are part of each graph."""


class InstanceGraph(NamedTuple):
    """One instance of a document as a graph.

    Attributes:
        bundle: the bundle's identifier, None for the top level.
        graph: asserted triples, completion and class hierarchy.
    """

    bundle: Identifier | None
    graph: Graph


def instance_graphs(document: Document) -> Iterator[InstanceGraph]:
    """The graphs of the top level, of each bundle in source order, and of named graphs with only unmapped triples."""
    labels = Labels(document)
    kept: dict[Identifier | None, list[Quad]] = {}
    for quad in (*document.variants, *document.unmapped.quads):
        if not isinstance(quad.object, Rdf12Term):  # shapes are of RDF 1.1
            kept.setdefault(quad.graph, []).append(quad)
    declared = Declared([quad for quad in document.unmapped.quads if quad.predicate in DECLARATIONS])
    for bundle in document.instances():
        # A repeated bundle identifier names one graph; its unmapped triples go to the first bundle.
        graph = Graph(instance_quads(bundle.statements, labels, bundle.id))
        graph.add(kept.pop(bundle.id, ()))
        yield InstanceGraph(bundle.id, _completed(graph, declared))
    for name, quads in kept.items():
        yield InstanceGraph(name, _completed(Graph(quads), declared))


def _completed(graph: Graph, declared: Declared) -> Graph:
    complete(graph, declared)
    graph.add(HIERARCHY)
    return graph


_UNQUALIFIED = frozenset(
    name
    for name, meaning in PREDICATES.items()
    if meaning.role in (Role.SHORTCUT, Role.MENTION, Role.TIME, Role.ACTIVITY_TIME)
)
"""The properties of PROV-O that follow from a qualified form."""

_ELEMENTS = frozenset(BASE_CLASS[kind] for kind in ELEMENTS)


class SourceTriples:
    """The asserted triples of a document, by instance; computed on first use.

    For an RDF source they are parsed from its bytes. For another format, for a document made in memory, and for one
    that was changed since it was read, they are the PROV-O triples of its statements.
    """

    def __init__(self, document: Document) -> None:
        self._document = document

    @cached_property
    def asserted(self) -> list[Graph]:
        """The asserted triples and the class hierarchy, in the order of ``instance_graphs``."""
        source = self._document.source
        grouped = _Grouped()
        if source is not None and by_name(source.format).rdf and source.statements == len(self._document):
            from provrepo.codecs.rdf.codec import parse_into

            parse_into(source.data, source.format, source.base, grouped.add, grouped.clear)
        else:
            labels = Labels(self._document)
            for bundle in self._document.instances():
                grouped.add(instance_quads(bundle.statements, labels, bundle.id))
            grouped.add(self._document.variants)
            grouped.add(self._document.unmapped.quads)
        return grouped.graphs(_names(self._document))

    @cached_property
    def extended(self) -> list[Graph]:
        """``asserted``, with the completion that describes the same things in another form.

        That is the unqualified form of each relation, and the types entity, activity and agent where they follow from
        a subclass or from relations.
        """
        found = []
        for asserted, instance in zip(self.asserted, instance_graphs(self._document), strict=True):
            graph = asserted.copy()
            graph.add(quad for quad in instance.graph.quads(_UNQUALIFIED_AND_TYPE) if _is_other_form(quad))
            found.append(graph)
        return found

    def completed(self, wanted: Sequence[int]) -> list[Graph]:
        """The wanted of ``instance_graphs``, by index, with the triples and blank nodes of the source added."""
        found = []
        for number, instance in enumerate(instance_graphs(self._document)):
            if number in wanted:
                graph = instance.graph
                graph.add(self.asserted[number].quads())
                complete(graph, Declared(list(graph.quads(DECLARATIONS))))
                found.append(graph)
        return found


class _Grouped:
    """Triples by the named graph that they belong to."""

    def __init__(self) -> None:
        self._graphs: dict[Identifier | None, Graph] = {}

    def add(self, quads: Iterable[Quad]) -> None:
        for name, group in groupby(quads, key=lambda quad: quad.graph):
            self._graphs.setdefault(name, Graph()).add(group)

    def clear(self) -> None:
        self._graphs.clear()

    def graphs(self, names: Iterable[Identifier | None]) -> list[Graph]:
        """The graph of each name with the class hierarchy; a name that comes again has nothing else."""
        found = []
        for name in names:
            graph = self._graphs.pop(name, None) or Graph()
            graph.add(HIERARCHY)
            found.append(graph)
        return found


_UNQUALIFIED_AND_TYPE = (*sorted(_UNQUALIFIED), TYPE)


def _is_other_form(quad: Quad) -> bool:
    return quad.predicate in _UNQUALIFIED or (quad.predicate == TYPE and quad.object in _ELEMENTS)


def _names(document: Document) -> Iterator[Identifier | None]:
    """The graph names of ``instance_graphs``, in the same order; None for the top level."""
    bundles = [bundle.id for bundle in document.instances()]
    yield from bundles
    kept = chain(document.variants, document.unmapped.quads)
    yield from dict.fromkeys(quad.graph for quad in kept if quad.graph not in bundles)
