"""The codec of SVG, which only writes: a picture of a document. Documents cannot be read from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from provrepo.codecs.svg.graph import graph
from provrepo.codecs.svg.summary import summary
from provrepo.drawing.graph import Graph
from provrepo.drawing.svg import render
from provrepo.errors import UnknownFormat
from provrepo.model.document import Document, Loss
from provrepo.model.identifiers import is_blank

__all__ = ["MOST_EDGES", "MOST_NODES", "Picture", "file", "losses", "picture", "read", "write"]

MOST_NODES, MOST_EDGES = 400, 1_600
"""The most nodes and edges of a readable picture. Larger documents are drawn as a summary by type."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A document as a picture.

    Attributes:
        svg: one SVG element.
        graph: the graph that it shows.
        summarized: whether its nodes are types of things instead of things.
    """

    svg: str
    graph: Graph
    summarized: bool


def picture(
    document: Document, *, prefix: str = "prov", note: str = "", link: Callable[[str], str] | None = None
) -> Picture:
    """Draw a document.

    Args:
        document: what to draw, of any size.
        prefix: the prefix of the ids in the SVG, different for each picture on a page.
        note: a sentence above the picture.
        link: identifier → URL of the link of its node; None for no links. A summary has none.
    """
    drawn = graph(document, most_nodes=MOST_NODES, most_edges=MOST_EDGES)
    if drawn is None:
        shown = summary(document)
    else:
        shown = drawn if link is None else _linked(drawn, link)
    if note:
        shown = replace(shown, heading=f"{note} {shown.heading}".rstrip())
    return Picture(render(shown, prefix=prefix), shown, summarized=drawn is None)


def _linked(drawn: Graph, link: Callable[[str], str]) -> Graph:
    groups = [
        replace(
            group,
            nodes=tuple(node if is_blank(node.id) else replace(node, href=link(node.id)) for node in group.nodes),
        )
        for group in drawn.groups
    ]
    return replace(drawn, groups=tuple(groups))


def read(data: bytes, *, format: str, base: str | None) -> Document:  # noqa: A002, ARG001
    """Raise an error, since SVG cannot be read.

    Raises:
        UnknownFormat: always.
    """
    raise UnknownFormat(
        "SVG is a picture made from a document, and no document can be read from it; read the document that was drawn"
    )


def write(document: Document, *, format: str) -> bytes:  # noqa: A002, ARG001
    """The picture of a document as a file."""
    return file(document)


def file(document: Document, *, note: str = "") -> bytes:
    """The picture of a document as a file, with a sentence above it if there is one."""
    return ('<?xml version="1.0" encoding="UTF-8"?>\n' + picture(document, note=note).svg).encode("utf-8")


def losses(document: Document, *, format: str) -> list[Loss]:  # noqa: A002, ARG001
    """One loss: the format is a picture."""
    return [Loss("SVG is a picture: it shows things and their relations, and documents cannot be read from it")]
