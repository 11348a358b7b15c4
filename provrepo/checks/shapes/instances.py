"""How shapes see a document: each instance by itself, asserted and completed, with PROV-O's classes.

The top level is one instance and every bundle another. So that a shape about entities also finds a ``prov:Plan``
where an engine follows ``rdfs:subClassOf``, PROV-O's own class hierarchy is part of each graph.

``Sent`` has the same instances without what completion adds: what completion adds may satisfy a shape, and is never
held against the document.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from provrepo.codecs.provo.completion import complete
from provrepo.codecs.provo.declared import DECLARATIONS, Declared
from provrepo.codecs.provo.terms import BASE_CLASS, PREDICATES, SUBCLASS_OF, SUBCLASSES, SUBTYPES, TYPE, VARIANTS, Role
from provrepo.codecs.provo.writer import Labels, instance_quads
from provrepo.model.document import Document, Quad
from provrepo.model.identifiers import Identifier, Rdf12Term
from provrepo.model.statements import DERIVATION, ELEMENTS
from provrepo.vocab import PROV

__all__ = ["HIERARCHY", "Instance", "Sent", "instances"]


def _hierarchy() -> list[Quad]:
    above = {name: BASE_CLASS[kind] for name, kind in SUBCLASSES.items()}
    above[PROV + "EmptyCollection"] = Identifier(PROV + "Collection")
    for name, kind in SUBTYPES.items():
        derived = name in VARIANTS and kind is DERIVATION
        above[name] = Identifier(PROV + ("Derivation" if derived else "Influence"))
    return [Quad(Identifier(name), SUBCLASS_OF, cls) for name, cls in above.items()]


HIERARCHY: tuple[Quad, ...] = tuple(_hierarchy())
"""The ``rdfs:subClassOf`` triples of PROV-O that shapes may rely on."""


class Instance(NamedTuple):
    """One instance of a document as triples.

    Attributes:
        bundle: the bundle's identifier, None for the top level.
        triples: asserted, completed, and the class hierarchy; some may stand there twice.
    """

    bundle: Identifier | None
    triples: list[Quad]


def instances(document: Document) -> Iterator[Instance]:
    """The top level, then each bundle in source order, then graphs that hold nothing but unmapped triples."""
    labels = Labels(document)
    kept: dict[Identifier | None, list[Quad]] = {}
    for quad in (*document.variants, *document.unmapped.quads):
        if not isinstance(quad.object, Rdf12Term):  # shapes are of RDF 1.1
            kept.setdefault(quad.graph, []).append(quad)
    declared = Declared([quad for quad in document.unmapped.quads if quad.predicate in DECLARATIONS])
    for bundle in document.instances():
        # A repeated bundle identifier names one graph; what no statement stands for goes to its first bundle.
        asserted = instance_quads(bundle.statements, labels, bundle.id) + kept.pop(bundle.id, [])
        yield Instance(bundle.id, [*asserted, *complete(asserted, declared=declared), *HIERARCHY])
    for graph, quads in kept.items():
        yield Instance(graph, [*quads, *complete(quads, declared=declared), *HIERARCHY])


_RESTATING = frozenset(
    name
    for name, meaning in PREDICATES.items()
    if meaning.role in (Role.SHORTCUT, Role.MENTION, Role.TIME, Role.ACTIVITY_TIME)
)
"""The properties of PROV-O that say in short what a qualified form says in full."""

_ELEMENTS = frozenset(BASE_CLASS[kind] for kind in ELEMENTS)


class Sent:
    """The triples that the author of a document wrote, instance by instance; made when they are asked for.

    Of an RDF source they are those of its bytes. Of another format, of a document made in memory, and of one that has
    been changed since it was read, they are those of PROV-O for its statements.
    """

    def __init__(self, document: Document) -> None:
        self._document = document

    @cached_property
    def asserted(self) -> list[list[Quad]]:
        """For each of ``instances`` what was written; the class hierarchy included."""
        source = self._document.source
        if source is not None and source.statements == len(self._document):
            from provrepo.codecs.rdf.codec import parse

            return self._by_instance(parse(source.data, source.format, source.base).quads)
        labels = Labels(self._document)
        written = [
            quad
            for bundle in self._document.instances()
            for quad in instance_quads(bundle.statements, labels, bundle.id)
        ]
        return self._by_instance([*written, *self._document.variants, *self._document.unmapped.quads])

    @cached_property
    def restated(self) -> list[list[Quad]]:
        """``asserted``, and what the statements say of the same things in few words.

        That is the short form of each relation, beside its qualified form, and whether a thing is an entity, an
        activity or an agent, where that follows from a narrower class or from its relations.
        """
        return [
            [*sent, *(quad for quad in instance.triples if _restates(quad))]
            for sent, instance in zip(self.asserted, instances(self._document), strict=True)
        ]

    def completed(self, wanted: Sequence[int]) -> list[list[Quad]]:
        """Some of ``instances``, with the triples and blank nodes of the source beside those of PROV-O."""
        found = []
        for number, instance in enumerate(instances(self._document)):
            if number in wanted:
                both = [*instance.triples, *self.asserted[number]]
                found.append([*both, *complete(both)])
        return found

    def _by_instance(self, quads: Iterable[Quad]) -> list[list[Quad]]:
        graphs: dict[Identifier | None, list[Quad]] = {}
        for quad in quads:
            graphs.setdefault(quad.graph, []).append(quad)
        return [[*graphs.pop(name, ()), *HIERARCHY] for name in _names(self._document)]


def _restates(quad: Quad) -> bool:
    return quad.predicate in _RESTATING or (quad.predicate == TYPE and quad.object in _ELEMENTS)


def _names(document: Document) -> Iterator[Identifier | None]:
    """What the instances of a document are called, in the order of ``instances``."""
    bundles = [bundle.id for bundle in document.instances()]
    yield from bundles
    kept = chain(document.variants, document.unmapped.quads)
    yield from dict.fromkeys(quad.graph for quad in kept if quad.graph not in bundles)
