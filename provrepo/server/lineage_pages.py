"""Pages about lineage, about one thing, and of what a search found: the same answers as JSON has, to be looked at.

Nothing is asked here: whatever shows has been found for whoever sent the request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from flask import Response, request, url_for

from provrepo.codecs.svg_graph import Naming
from provrepo.repository.lineage import DIRECTIONS, LineageGraph, LineageNode, Said, SearchResult
from provrepo.server import pages
from provrepo.server.lineage_asked import Asked
from provrepo.server.lineage_pictures import MARKED, draw

__all__ = ["FORMATS", "MOST_LISTED", "lineage_page", "search_page", "thing_page"]

MOST_LISTED = 500
"""Nodes that a page lists."""

FORMATS = (
    ("json", "JSON"),
    ("trig", "TriG, a bundle for each source"),
    ("provjson", "PROV-JSON, a bundle for each source"),
    ("turtle", "Turtle"),
    ("provn", "PROV-N"),
    ("svg", "SVG"),
)
"""What the same lineage can be downloaded as."""

_GROUPED = (("kinds", "By kind"), ("types", "By type"), ("agents", "By agent"), ("projects", "By project"))
_MOST_GROUPS = 12
_MOST_SOURCES = 3

_naming = Naming({})


@dataclass(frozen=True, slots=True)
class Row:
    """A thing in a list.

    Attributes:
        node: the thing.
        name: what it is called: its label, or the end of its IRI.
        documents: the first versions that speak of it.
        more: how many others do.
        root: whether it is not said what it came from.
    """

    node: LineageNode
    name: str
    documents: tuple[Said, ...]
    more: int
    root: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """How often something occurs among what is affected.

    Attributes:
        title: what is counted.
        counts: the most frequent, each with how it is called, its whole name and its number.
        more: how many others there are.
    """

    title: str
    counts: tuple[tuple[str, str, int], ...]
    more: int


def lineage_page(graph: LineageGraph | None, impact: Mapping[str, Mapping[str, int]] | None = None) -> Response:
    """A lineage: its picture, and the same as a list.

    Args:
        graph: what was found; None for a page that asks what to look for.
        impact: how much is affected, by what it is grouped by; None where nobody asked for what depends on the thing.
    """
    asked = Asked.of(request.args)
    if graph is None:
        return pages.page("lineage.html", asked=asked, graph=None, directions=DIRECTIONS)
    names = {node.iri: name_of(node) for node in graph.nodes}
    roots = set(graph.roots)
    return pages.page(
        "lineage.html",
        asked=asked,
        directions=DIRECTIONS,
        graph=graph,
        name=names.get(graph.start) or _naming.short(graph.start),
        picture=draw(graph, lambda iri: lineage_of(iri, asked)) if len(graph.nodes) > 1 else None,
        marked=MARKED,
        rows=[row(node, root=node.iri in roots) for node in graph.nodes],
        names=names,
        impact=grouped(impact) if impact else (),
        further=asked.but(depth=str(int(asked.get("depth")) + 1)) if graph.beyond and asked.get("depth") else None,
        formats=FORMATS,
        lineage_of=lineage_of,
    )


def thing_page(thing: LineageNode | None) -> Response:
    """Everything that is said of one thing; None for a page that asks of which."""
    if thing is None:
        return pages.page("thing.html", thing=None, iri="")
    return pages.page("thing.html", thing=thing, iri=thing.iri, row=row(thing), name=name_of(thing))


def search_page(found: SearchResult | None, text: str) -> Response:
    """What was found by words.

    Args:
        found: things; None for a page that asks for words.
        text: the words.
    """
    rows = [row(thing) for thing in found.things] if found else []
    project = request.args.get("project", "")
    return pages.page("search.html", found=found, text=text, rows=rows, project=project)


def lineage_of(iri: str, asked: Asked) -> str:
    """The address of the lineage of another thing, asked in the same way."""
    there = asked.but(iri=iri, to="", limit="")
    return f"{url_for('lineage.lineage')}?{there.query()}"


def name_of(node: LineageNode) -> str:
    """What to call a thing: its label, or the end of its IRI."""
    return " ".join(node.label.split()) or _naming.short(node.iri)


def row(node: LineageNode, *, root: bool = False) -> Row:
    """A thing as a list shows it."""
    versions = list(dict.fromkeys((said.project, said.document, said.version) for said in node.sources))
    first = {(said.project, said.document, said.version): said for said in reversed(node.sources)}
    documents = tuple(first[version] for version in versions[:_MOST_SOURCES])
    return Row(node, name_of(node), documents, len(versions) - len(documents), root)


def grouped(impact: Mapping[str, Mapping[str, int]]) -> Sequence[Group]:
    """The groups that a page has room for."""
    found = []
    for what, title in _GROUPED:
        counts = impact.get(what, {})
        shown = tuple((_naming.short(name), name, count) for name, count in islice(counts.items(), _MOST_GROUPS))
        if shown:
            found.append(Group(title, shown, len(counts) - len(shown)))
    return found
