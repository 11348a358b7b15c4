"""RDF quads in terms of the model."""

from __future__ import annotations

from typing import NamedTuple

from provrepo.model.identifiers import Identifier, Value

__all__ = ["Quad"]


class Quad(NamedTuple):
    """An RDF triple or quad; ``graph`` is None for the default graph."""

    subject: Identifier
    predicate: Identifier
    object: Value
    graph: Identifier | None = None
