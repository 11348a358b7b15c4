"""The codec of property graphs, which only writes: GraphML, and CSV for the importers of Neo4j."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from typing import IO, TypeAlias

from provrepo.codecs.property_graph import graphml, neo4j
from provrepo.codecs.property_graph.graph import GraphParts, PropertyEdge, PropertyNode, of_document
from provrepo.errors import UnknownFormat
from provrepo.model.document import Document, Loss

__all__ = ["WRITERS", "file", "losses", "read", "write"]

_Writer: TypeAlias = Callable[
    [IO[bytes], Iterable[tuple[int, PropertyNode]], Iterable[tuple[int, int, PropertyEdge]]], None
]

WRITERS: Mapping[str, _Writer] = {"graphml": graphml.write, "neo4j": neo4j.write}
"""Format → the function that writes a graph to a file."""

_TITLES = {"graphml": "GraphML", "neo4j": "CSV for Neo4j"}


def read(data: bytes, *, format: str, base: str | None) -> Document:  # noqa: A002, ARG001
    """Raise an error, since property graphs cannot be read.

    Raises:
        UnknownFormat: always.
    """
    raise UnknownFormat(
        f"{_TITLES[format]} is for graph databases, and no document can be read from it; read the document that it was "
        "made from"
    )


def write(document: Document, *, format: str) -> bytes:  # noqa: A002
    """The property graph of a document as a file."""
    return file(of_document(document), format=format)


def file(parts: GraphParts, *, format: str) -> bytes:  # noqa: A002
    """A property graph as a file. Relations without their second argument are no edges and are left out."""
    numbers = {iri: number for number, iri in enumerate(parts.nodes)}
    buffer = io.BytesIO()
    WRITERS[format](
        buffer,
        enumerate(parts.nodes.values()),
        ((numbers[edge.source], numbers[edge.target], edge) for edge in parts.edges if edge.target),
    )
    return buffer.getvalue()


def losses(document: Document, *, format: str) -> list[Loss]:  # noqa: A002
    """What a property graph does not have of a document."""
    title = _TITLES[format]
    found = [
        Loss(
            f"{title} is for graph databases: statements about one thing are one node, values with a datatype or a "
            "language are JSON in `attributes`, and documents cannot be read from it"
        )
    ]
    found += [
        Loss(f"{title} has no edge for a relation without its second argument", edge.source)
        for edge in of_document(document).edges
        if not edge.target
    ]
    return found
