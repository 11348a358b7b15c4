"""Pages of lineage, of one thing, and of a search: the answers of the JSON representations, for people.

Nothing is queried here: the handlers pass what the caller may read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

from flask import Response, request, url_for

from provrepo.codecs.formats import by_name
from provrepo.codecs.svg.graph import Naming
from provrepo.drawing.overview.svg import class_name, relation_words
from provrepo.model.identifiers import digest
from provrepo.repository.federation.records import FederatedLineage, FederatedSource
from provrepo.repository.lineage.query import LineageQuery, relations
from provrepo.repository.lineage.records import (
    BUNDLED,
    LineageCommon,
    LineageEdge,
    LineageGraph,
    LineageImpact,
    LineageNode,
    SourceReference,
)
from provrepo.repository.lineage.things import KnownThing, VersionAssertions
from provrepo.repository.lineage.walks import Walk
from provrepo.repository.records import VersionInfo
from provrepo.server.lineage.listing import listed
from provrepo.server.lineage.overview import COLLAPSES, ShownLineage, shown
from provrepo.server.lineage.page_query import PageQuery
from provrepo.server.pages import display, pages
from provrepo.server.pages.forms import controls
from provrepo.vocab import PREDECLARED
from provrepo.words import counted

__all__ = [
    "EXPLORER",
    "MOST_LISTED",
    "MOST_SAID",
    "common_page",
    "lineage_page",
    "name_of",
    "row",
    "thing_page",
]

MOST_LISTED = 500
"""Things in the list of a page about what several things have in common."""

EXPLORER = "explorer"
"""The part of the page of a lineage with its picture, for scripts that show another one in its place."""

HERE = "this repository"
"""The name of this repository among laboratories."""

MOST_SAID = 300
"""Statements that the page of a thing shows."""

_PLAIN = (
    "turtle",
    "rdfxml",
    "provjsonld",
    "rdfjsonld",
    "ntriples",
    "nquads",
    "svg",
    "dot",
    "mermaid",
    "graphml",
    "neo4j",
)

_GROUPED = {"kinds": "By kind", "types": "By type", "agents": "By agent", "projects": "By project"}
_MOST_GROUPS = 12
_MOST_SOURCES = 3

_naming = Naming({})


@dataclass(frozen=True, slots=True)
class Row:
    """A thing in a list.

    Attributes:
        node: the thing.
        name: its label, or the end of its IRI.
        documents: the first versions that mention it.
        more: the number of other versions.
        root: whether it has no asserted origin.
        here: whether a document of this repository mentions it, and not only one of a peer.
    """

    node: LineageNode
    name: str
    documents: tuple[SourceReference, ...]
    more: int
    root: bool = False
    here: bool = True


@dataclass(frozen=True, slots=True)
class Counted:
    """The number of occurrences of one value.

    Attributes:
        name: its label, or the end of its IRI.
        short: the end of its IRI where the name is a label; labels need not be unique.
        iri: its IRI.
        count: the number of occurrences.
    """

    name: str
    short: str
    iri: str
    count: int


@dataclass(frozen=True, slots=True)
class Group:
    """Counts of the affected things by kind, type, agent or project.

    Attributes:
        title: the heading.
        what: the name of the group.
        counts: the most frequent.
        more: the number of other values.
    """

    title: str
    what: str
    counts: tuple[Counted, ...]
    more: int


class Download(NamedTuple):
    """A file to download.

    Attributes:
        format: the value of ``?format=``.
        title: for people.
        file: the name of the file.
    """

    format: str
    title: str
    file: str


@dataclass(frozen=True, slots=True)
class VersionTable:
    """The assertions of one version about a thing, as a table.

    Attributes:
        version: the version.
        rows: the statements.
        caption: the number of statements.
        bundles: whether any statement is in a bundle.
        triples: predicates and values of triples that are not PROV statements.
    """

    version: VersionInfo
    rows: tuple[display.StatementRow, ...]
    caption: str
    bundles: bool
    triples: tuple[tuple[display.DisplayTerm, display.DisplayTerm], ...]


def lineage_page(
    graph: LineageGraph | None,
    impact: LineageImpact | None = None,
    *,
    whole: Walk | None = None,
    peers: Sequence[str] = (),
    moments: Sequence[tuple[str, str]] = (),
    part: str = "",
) -> Response:
    """A lineage: its picture, and the same as a list. Of a federated one, also which laboratory says what.

    Args:
        graph: the lineage; None for the form alone.
        impact: counts of the things that depend on it; None for a page without them.
        whole: the lineage for the picture, with what is beyond the depth.
        peers: the names of the peers that a federated lineage of the caller would ask; a page without them offers none.
        moments: states to choose from, values of ``as_of`` with words for each, the newest first.
        part: ``EXPLORER`` for the picture and its controls alone; empty for the page.
    """
    query = PageQuery.of(request.args)
    if graph is not None:
        # A client may have written the name of the thing in another way.
        query = query.but(iri=graph.start)
    form = controls(LineageQuery, query.all, {"relation": {name: name for name in relations()}})
    form = [control for control in form if peers or control.name != "federated"]
    if graph is None or whole is None:
        return pages.page("lineage.html", query=query, controls=form, graph=None)
    depth = int(query.get("depth")) if query.get("depth") else None
    picture = shown(whole, query, address=url_for("lineage.lineage"), depth=depth) if graph.total_nodes > 1 else None
    of_picture = {
        "query": query,
        "graph": graph,
        "name": name_of(graph.nodes[0]) if graph.nodes else _naming.short(graph.start),
        "picture": picture,
        "whole_things": graph.total_nodes if depth is None else graph.total_nodes + graph.beyond,
        "relation_names": _relation_names(picture),
    }
    if part:
        return pages.page("explorer.html", **of_picture)
    names = {node.iri: name_of(node) for node in graph.nodes}
    roots = set(graph.roots)
    return pages.page(
        "lineage.html",
        **of_picture,
        controls=form,
        collapses=COLLAPSES,
        moments=moments,
        listed=listed(graph, query, url_for("lineage.lineage")),
        row_of=lambda node: row(node, root=node.iri in roots),
        start=graph.nodes[0] if graph.nodes and graph.nodes[0].iri == graph.start else None,
        peers=peers,
        federation=graph if isinstance(graph, FederatedLineage) else None,
        said_by=said_by,
        names=names,
        impact=tuple(groups(impact)) if impact and impact.total else (),
        further=query.but(depth=str(int(query.get("depth")) + 1), page="")
        if graph.beyond and query.get("depth")
        else None,
        downloads=tuple(downloads("lineage", (*BUNDLED, *_PLAIN))),
        lineage_of=lineage_of,
    )


def _relation_names(picture: ShownLineage | None) -> list[tuple[str, str]]:
    """The relations of a picture, as parts of class names, with words for each."""
    found = dict.fromkeys(each.name for each in picture.overview.relations) if picture else {}
    return [(class_name(name), relation_words(name)) for name in found]


def said_by(edge: LineageEdge) -> list[str]:
    """The names of the laboratories that assert a relation of a federated lineage; this one first."""
    named = {source.laboratory or "" for source in edge.sources if isinstance(source, FederatedSource)}
    return [name or HERE for name in sorted(named)]


def common_page(common: LineageCommon) -> Response:
    """The common lineage of several things."""
    query = PageQuery.of(request.args)
    rows = [(row(each.node), each.distances, each.nearest) for each in common.nodes]
    return pages.page("common.html", query=query, common=common, rows=rows, lineage_of=lineage_of)


def thing_page(thing: KnownThing | None, labels: Mapping[str, str] | None = None) -> Response:
    """All assertions about one thing.

    Args:
        thing: the thing; None for the form alone.
        labels: the labels of other things.
    """
    if thing is None:
        return pages.page("thing.html", thing=None)
    name = name_of(thing.node)
    known = labels or {}
    called = {iri: label for iri in thing.others() if (label := display.brief(known.get(iri, "")) or digest(iri))}
    tables = [version_table(each, thing.node.iri, name, called) for each in thing.versions]
    return pages.page(
        "thing.html",
        thing=thing,
        name=name,
        tables=tables,
        shown=sum(len(table.rows) for table in tables),
        downloads=tuple(downloads("thing", BUNDLED)),
    )


def lineage_of(iri: str, query: PageQuery) -> str:
    """The address of the lineage of another thing, with the same options."""
    there = query.but(iri=iri, to="", limit="", source="", page="")
    return f"{url_for('lineage.lineage')}?{there.query()}"


def name_of(node: LineageNode) -> str:
    """The name of a thing for people: its label, or the end of its IRI."""
    return " ".join(node.label.split()) or _naming.short(node.iri)


def row(node: LineageNode, *, root: bool = False) -> Row:
    """The row of a thing in a list."""
    documents = _first_of_each(node.sources)[:_MOST_SOURCES]
    # The projects of a peer are named with the peer.
    here = not node.projects or any("/" not in project for project in node.projects)
    return Row(node, name_of(node), documents, node.total_sources - len(documents), root, here)


def _first_of_each(sources: Sequence[SourceReference]) -> tuple[SourceReference, ...]:
    """The sources in an order that begins with one of each laboratory."""
    numbers: Counter[str | None] = Counter()
    ranked = []
    for source in sources:
        laboratory = source.laboratory if isinstance(source, FederatedSource) else None
        ranked.append((numbers[laboratory], source))
        numbers[laboratory] += 1
    return tuple(source for _, source in sorted(ranked, key=itemgetter(0)))


def downloads(name: str, formats: Iterable[str]) -> Iterator[Download]:
    """The downloads of the answer of a page.

    Args:
        name: the name of the file without its suffix.
        formats: the formats besides JSON.
    """
    yield Download("json", "JSON", f"{name}.json")
    if name == "lineage":
        yield Download("csv", "CSV, a row for each thing", "lineage.csv")
    for known in map(by_name, formats):
        title = f"{known.title}, a bundle for each source" if known.name in BUNDLED else known.title
        # A file that is JSON of two kinds would otherwise have one name.
        ending = ".prov.json" if known.name == "provjson" else known.suffixes[0]
        yield Download(known.name, title, name + ending)


def groups(impact: LineageImpact) -> Iterator[Group]:
    """The counts of an impact in groups, with the most frequent values of each."""
    totals = {"types": impact.total_types, "agents": impact.total_agents, "projects": impact.total_projects}
    for what, counts in impact.groups().items():
        labels = impact.labels if what == "agents" else {}
        first = tuple(_counted(*each, labels) for each in islice(counts.items(), _MOST_GROUPS))
        if first:
            yield Group(_GROUPED[what], what, first, totals.get(what, len(counts)) - len(first))


def _counted(iri: str, count: int, labels: Mapping[str, str]) -> Counted:
    label, short = " ".join(labels.get(iri, "").split()), _naming.short(iri)
    return Counted(label or short, short if label else "", iri, count)


def version_table(found: VersionAssertions, iri: str, name: str, called: Mapping[str, str]) -> VersionTable:
    """The assertions of a version about a thing, as a table.

    Args:
        found: the assertions.
        iri: the IRI of the thing, which the table replaces by its name.
        name: the name of the thing.
        called: the names of other things.
    """
    shortener, itself = display.Shortener(PREDECLARED, called), display.DisplayTerm(name, iri, kind="self")

    def as_called(row: display.StatementRow) -> display.StatementRow:
        subject, object_ = (itself if term and term.iri == iri else term for term in (row.subject, row.object))
        details = tuple((what, itself if term.iri == iri else term) for what, term in row.details)
        return replace(row, subject=subject, object=object_, details=details)

    rows = [display.row(assertion.statement, shortener, bundle=assertion.bundle) for assertion in found.assertions]
    count = counted(found.total, "statement")
    if len(found.assertions) < found.total:
        count = f"The first {len(found.assertions):,} of {count}"
    return VersionTable(
        found.version,
        tuple(map(as_called, rows)),
        count,
        any(assertion.bundle for assertion in found.assertions),
        tuple((shortener.term(triple.predicate), shortener.named(triple.object)) for triple in found.triples),
    )
