"""The verbs about lineage, things and words at a distance."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar, cast

from provrepo.errors import NotFound, UsageError
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, is_content
from provrepo.problems import HIDDEN
from provrepo.remote.connection import Connection
from provrepo.remote.decoding import decoded
from provrepo.remote.documents import histories
from provrepo.remote.queries import seconds
from provrepo.repository.federation.records import FederatedLineage
from provrepo.repository.lineage.assertions import Assertion, value_from_dict
from provrepo.repository.lineage.query import (
    CommonQuery,
    ImpactQuery,
    LineageQuery,
    ScopedQuery,
    SearchQuery,
    ThingQuery,
)
from provrepo.repository.lineage.records import (
    LineageCommon,
    LineageGraph,
    LineageImpact,
    LineageNode,
    SearchResult,
    SourceReference,
)
from provrepo.repository.lineage.things import KnownThing, VersionAssertions
from provrepo.repository.lineage.verbs import unknown
from provrepo.repository.options import Kind, options, required_iri, takes

__all__ = ["common", "impact", "labels", "lineage", "node", "search", "thing"]

T = TypeVar("T")

MOST_SOURCES = 100
"""Declared sources that a request names; the address of a request has no room for more."""

_ENTRY = re.compile(r"([^/]*)/([0-9]+)", re.ASCII)


@takes(LineageQuery)
def lineage(connection: Connection, query: LineageQuery) -> LineageGraph:
    """What a thing came from, or what depends on it."""
    sources = query.sources
    kind = FederatedLineage if query.federated else LineageGraph
    names = query.iri if query.to is None else f"both {query.iri} and {query.to}"
    if sources is None or len(list(sources)) <= MOST_SOURCES:
        _parsed(sources or ())
        return _asked(connection, kind, ("lineage",), query, names)
    graph = _asked(connection, kind, ("lineage",), replace(query, sources=None), names)
    if graph.total_roots > len(graph.roots):
        raise UsageError(
            f"a server compares roots with at most {MOST_SOURCES} declared sources, and this answer has more roots "
            "than the limit; raise the limit, or name fewer sources with * in them"
        )
    declared = _parsed(sources)
    same = {root: {root} for root in graph.roots}
    for edge in graph.edges:
        if edge.subject in same and edge.relation == "specializationOf" and is_content(edge.object):
            same[edge.subject].add(edge.object)
    found = tuple(root for root in graph.roots if any(name in declared for name in same[root]))
    others = tuple(root for root in graph.roots if root not in found)
    return replace(graph, declared=found, undeclared=others, total_declared=len(found))


@takes(ImpactQuery)
def impact(connection: Connection, query: ImpactQuery) -> LineageImpact:
    """Count everything that depends on a thing."""
    return _asked(connection, LineageImpact, ("lineage", "impact"), query, query.iri)


@takes(CommonQuery)
def common(connection: Connection, query: CommonQuery) -> LineageCommon:
    """What several things came from, all of them."""
    return _asked(connection, LineageCommon, ("lineage", "common"), query, f"all of {', '.join(query.starts())}")


@takes(SearchQuery)
def search(connection: Connection, query: SearchQuery) -> SearchResult:
    """Things that contain all words of a text."""
    if not query.text:
        # A parameter without a value counts as missing.
        query = replace(query, text=" ")
    return _asked(connection, SearchResult, ("search",), query, "")


@takes(ThingQuery)
def thing(connection: Connection, query: ThingQuery) -> KnownThing:
    """All assertions about one thing, as they were submitted."""
    found = _asked(connection, dict, ("thing",), query, query.iri)
    with connection.understanding():
        places = [decoded(SourceReference, each) for each in found["sources"]]
        known = histories(connection, dict.fromkeys((place.project, place.document) for place in places))
        versions = tuple(
            _account(each, known[place.project, place.document, place.version], query.iri)
            for each, place in zip(found["sources"], places, strict=True)
            if (place.project, place.document, place.version) in known
        )
        node = decoded(LineageNode, {**found, "distance": 0, "total_sources": found["total_versions"]})
    return KnownThing(node, versions, query.as_of)


def node(connection: Connection, iri: str, *, project: str | None = None, as_of: str | None = None) -> LineageNode:
    """The node of one thing."""
    required_iri(iri)
    return lineage(connection, iri, project=project, as_of=as_of, depth=1, limit=1).nodes[0]


def labels(
    connection: Connection,
    iris: Iterable[str],
    *,
    project: str | None = None,
    as_of: str | None = None,
    timeout: float | None = None,
) -> dict[str, str]:
    """One label of each thing that has any, with a request for each."""
    if project is not None:
        connection.project(project)
        connection.require(project)
    found = {}
    for iri in iris:
        try:
            only = lineage(connection, iri, project=project, as_of=as_of, timeout=timeout, depth=1, limit=1).nodes[0]
        except NotFound:
            continue
        if only.label:
            found[iri] = only.label
    return found


def _account(found: Mapping[str, Any], version: Any, iri: str) -> VersionAssertions:
    assertions = tuple(decoded(Assertion, each) for each in found["statements"])
    triples = tuple(
        Quad(Identifier(iri), Identifier(each["predicate"]), value_from_dict(each["object"]))
        for each in found["triples"]
    )
    total = decoded(int, found["total_statements"])
    return VersionAssertions(version, assertions, total, Identifier(decoded(str, found["agent"])), triples)


def _asked(connection: Connection, kind: type[T], path: tuple[str, ...], query: Any, names: str) -> T:
    """Send a query and return the record in the answer.

    Args:
        connection: the server.
        kind: the record.
        path: the address.
        query: a query object.
        names: the things that nothing may be known of.
    """
    project, as_of = query.project, getattr(query, "as_of", None)
    if project is not None:
        connection.project(project)
    entry = _ENTRY.fullmatch(as_of) if as_of is not None else None
    if entry is not None:
        connection.project(entry[1])
    parameters, lowered = _parameters(query)
    try:
        found = connection.record(kind, "GET", path, query=parameters)
    except NotFound as error:
        if str(error) != HIDDEN:
            raise
    else:
        if short := [name for name in lowered if _is_short(found, name)]:
            raise UsageError(
                f"the answer has more than a server gives: {short[0]} is at most {lowered[short[0]]:,} over HTTP; the "
                "owner of the data directory can ask for more there"
            )
        return found
    # The server does not say what it hides, and what there is not.
    if project is not None:
        connection.require(project)
    if entry is not None:
        connection.require(entry[1])
        number, length = int(entry[2]), connection.length(entry[1])
        if not 1 <= number <= length:
            raise NotFound(f"project {entry[1]} has no entry {number}")
    raise unknown(names, as_of)


def _parameters(query: ScopedQuery | SearchQuery) -> tuple[dict[str, object], dict[str, int]]:
    """The options of a query as parameters, without those that have no value.

    Returns:
        The parameters; and the names of numbers that are larger than a server takes, with the numbers that are sent.
    """
    found: dict[str, object] = {}
    lowered: dict[str, int] = {}
    for each in options(cast("type", type(query))):
        value, kind = getattr(query, each.name), each.option.kind
        if value is None or value is False or kind is Kind.PYTHON:
            continue
        if kind is Kind.NUMBER and value > each.option.most:
            value = lowered[each.name] = each.option.most
        if kind is Kind.SECONDS:
            found[each.parameter] = seconds(value)
        elif kind.several:
            # A parameter without values declares that there are none.
            found[each.parameter] = list(value) or ([""] if each.default is None else None)
        else:
            found[each.parameter] = value
    return {name: value for name, value in found.items() if value is not None}, lowered


def _is_short(found: Any, lowered: str) -> bool:
    """Whether an answer is incomplete because a number was lowered."""
    if isinstance(found, LineageGraph):
        pairs = (
            (found.total_nodes, found.nodes),
            (found.total_edges, found.edges),
            (found.total_roots, found.roots),
        )
        return found.beyond > 0 if lowered == "depth" else any(total > len(listed) for total, listed in pairs)
    if lowered == "depth":
        return True  # these answers do not say whether there is more beyond
    if isinstance(found, LineageImpact | LineageCommon):
        return found.truncated
    if isinstance(found, SearchResult):
        return found.total > len(found.things)
    return bool(found["truncated"])


def _parsed(sources: Iterable[str]) -> Any:
    from provrepo.checks.coverage import Sources

    return Sources.parse("\n".join(sources))
