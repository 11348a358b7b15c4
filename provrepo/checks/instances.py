"""How shapes see a document: each instance by itself, asserted and completed, with PROV-O's classes.

The top level is one instance and every bundle another. So that a shape about entities also finds a ``prov:Plan``
where an engine follows ``rdfs:subClassOf``, PROV-O's own class hierarchy is part of each graph.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from provrepo.codecs.completion import complete
from provrepo.codecs.provo_declared import DECLARATIONS, Declared
from provrepo.codecs.provo_terms import BASE_CLASS, SUBCLASS_OF, SUBCLASSES, SUBTYPES, VARIANTS
from provrepo.codecs.provo_write import Labels, instance_quads
from provrepo.model.document import Document, Quad
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import DERIVATION
from provrepo.vocab import PROV

__all__ = ["HIERARCHY", "Instance", "instances"]


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
    unmapped: dict[Identifier | None, list[Quad]] = {}
    for quad in document.unmapped.quads:
        unmapped.setdefault(quad.graph, []).append(quad)
    declared = Declared([quad for quad in document.unmapped.quads if quad.predicate in DECLARATIONS])
    for bundle in document.instances():
        # A repeated bundle identifier names one graph; what no statement stands for goes to its first bundle.
        asserted = instance_quads(bundle.statements, labels, bundle.id) + unmapped.pop(bundle.id, [])
        yield Instance(bundle.id, [*asserted, *complete(asserted, declared=declared), *HIERARCHY])
    for graph, quads in unmapped.items():
        yield Instance(graph, [*quads, *complete(quads, declared=declared), *HIERARCHY])
