"""Triples that state a statement in other terms of PROV-O than the writer uses.

``a prov:generated e`` is read as a generation and would be written as ``e prov:wasGeneratedBy a``; a time under
``prov:generatedAtTime`` becomes that of a qualified generation; a qualified node that adds nothing to its shortcut is
not written. Such triples stay with the document, so that each triple of an RDF source is written again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from provrepo.codecs.provo.terms import PREDICATE_OF, RELATIONS
from provrepo.codecs.provo.writer import crowded, is_bare, qualified_property
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import INFLUENCE, Kind, Statement

__all__ = ["Variants", "is_variant"]


class Variants:
    """Collects the triples of one graph that have to be kept."""

    def __init__(self) -> None:
        self._quads: dict[Quad, None] = {}
        self._nodes: list[tuple[int, list[Quad]]] = []

    def add(self, quad: Quad) -> None:
        """Keep a triple for which the writer uses other terms."""
        self._quads[quad] = None

    def node(self, index: int, quads: list[Quad]) -> None:
        """Note the triples of a blank qualified node, and the index of the statement that it makes."""
        self._nodes.append((index, quads))

    def links(self, statement: Statement, quads: Iterable[Quad]) -> bool:
        """Keep those triples leading to a qualified node for which the writer uses another property.

        Returns:
            Whether there are any.
        """
        usual = qualified_property(statement)
        other = [quad for quad in quads if quad.predicate != usual]
        self._quads.update(dict.fromkeys(other))
        return bool(other)

    def all(self, statements: Sequence[Statement]) -> Iterable[Quad]:
        """All triples to be kept, once the statements of the graph are complete."""
        bare = [(statements[index], quads) for index, quads in self._nodes]
        bare = [(statement, quads) for statement, quads in bare if is_bare(statement)]
        if bare:
            # If another statement relates the same things, the writer makes a node for each.
            several = crowded(statements)
            for statement, quads in bare:
                if (statement.kind, *statement.args[:2]) not in several:
                    self._quads.update(dict.fromkeys(quads))
        return self._quads


def is_variant(predicate: Identifier, kind: Kind | None = None, place: int | None = None) -> bool:
    """Whether the writer uses another property instead of this one.

    Args:
        predicate: the property of a triple.
        kind: the kind of the relation of which the subject is the qualified node.
        place: the index of the argument that the property states, from 1; None for an attribute.
    """
    if place is None or kind is None:
        return predicate in PREDICATE_OF
    return kind is not INFLUENCE and predicate != RELATIONS[kind].properties[place - 1]
