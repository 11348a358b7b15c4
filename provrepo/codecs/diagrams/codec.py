"""The codec of diagrams as text, DOT and Mermaid, which only writes: documents for other programs to draw."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

from provrepo.codecs.svg.graph import graph
from provrepo.codecs.svg.summary import summary
from provrepo.drawing import dot, mermaid
from provrepo.drawing.graph import Graph
from provrepo.errors import UnknownFormat
from provrepo.model.document import Document, Loss

__all__ = ["file", "losses", "read", "write"]

_TITLES = {"dot": "DOT", "mermaid": "Mermaid"}


def read(data: bytes, *, format: str, base: str | None) -> Document:  # noqa: A002, ARG001
    """Raise an error, since diagrams cannot be read.

    Raises:
        UnknownFormat: always.
    """
    raise UnknownFormat(
        f"{_TITLES[format]} is a diagram made from a document, and no document can be read from it; read the document "
        "that was drawn"
    )


def write(document: Document, *, format: str) -> bytes:  # noqa: A002
    """The diagram of a document as a file."""
    return file(document, format=format)


def file(document: Document, *, format: str, note: str = "", marked: str = "") -> bytes:  # noqa: A002
    """The diagram of a document as a file.

    Args:
        document: what to draw, of any size. In Mermaid, one that it would not draw is a summary by type.
        format: ``dot`` or ``mermaid``.
        note: a sentence above the diagram.
        marked: the identifier of the thing that it is about.
    """
    text = "".join(_lines(document, format, note, marked))
    return text.encode("utf-8")


def _lines(document: Document, format: str, note: str, marked: str) -> Iterator[str]:  # noqa: A002
    if format == "dot":
        whole = graph(document, most_nodes=sys.maxsize, most_edges=sys.maxsize, badges=False)
        return dot.lines(_headed(whole or Graph(()), note, marked))
    return mermaid.lines(_headed(_drawable(document) or summary(document, badges=False), note, marked))


def _drawable(document: Document) -> Graph | None:
    """The graph of a document; None if Mermaid would not draw it."""
    found = graph(document, most_nodes=sys.maxsize, most_edges=mermaid.MOST_EDGES, badges=False)
    if found is None or sum(map(len, mermaid.lines(found))) > mermaid.LONGEST:
        return None
    return found


def _headed(shown: Graph, note: str, marked: str) -> Graph:
    if marked:
        groups = tuple(
            replace(group, nodes=tuple(replace(node, marked=node.id == marked) for node in group.nodes))
            for group in shown.groups
        )
        shown = replace(shown, groups=groups)
    return replace(shown, heading=f"{note} {shown.heading}".strip()) if note else shown


def losses(document: Document, *, format: str) -> list[Loss]:  # noqa: A002
    """The format is a diagram; and what Mermaid would not draw is summarized."""
    title = _TITLES[format]
    found = [Loss(f"{title} is a diagram: it shows things and their relations, and documents cannot be read from it")]
    if format == "mermaid" and _drawable(document) is None:
        found.append(
            Loss(
                f"Mermaid draws at most {mermaid.MOST_EDGES} relations and {mermaid.LONGEST:,} characters: the diagram "
                "is a summary, in which a node stands for all things of a type"
            )
        )
    return found
