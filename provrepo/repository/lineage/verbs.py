"""The verbs about where things come from, what depends on them, and what is asserted about them.

They cover every project that the actor may read and nothing else. Their options are the fields of the query objects in
``query``; the labels of things and a single node, which only Python callers ask for, take plain arguments.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, TypeVar

from provrepo.errors import NotFound, TimedOut
from provrepo.repository.context import Context
from provrepo.repository.exchange.notices.warnings import of_projects as origin_warnings
from provrepo.repository.lineage import as_of as former_state
from provrepo.repository.lineage.answers import MOST_SOURCES, Records
from provrepo.repository.lineage.finding import find
from provrepo.repository.lineage.query import CommonQuery, ImpactQuery, LineageQuery, SearchQuery, ThingQuery
from provrepo.repository.lineage.records import (
    CommonNode,
    LineageCommon,
    LineageGraph,
    LineageImpact,
    LineageNode,
    SearchResult,
)
from provrepo.repository.lineage.walks import Walk
from provrepo.repository.options import required_iri, takes

if TYPE_CHECKING:
    from provrepo.checks.coverage import Sources
    from provrepo.repository.exchange.notices.records import OriginWarning
    from provrepo.repository.lineage.telling import ToldLineage
    from provrepo.repository.lineage.things import KnownThing
    from provrepo.views.lineage.index import Answer
    from provrepo.views.lineage.kept import Kept, State

__all__ = [
    "common",
    "declared_sources",
    "impact",
    "labels",
    "lineage",
    "node",
    "search",
    "thing",
    "told",
    "unknown",
    "walk",
    "with_roots",
]

G = TypeVar("G", bound=LineageGraph)

_DAY = 86_400.0
"""Seconds that stand for no limit in a worker process."""


@takes(LineageQuery)
def lineage(context: Context, query: LineageQuery) -> LineageGraph:
    """What a thing came from, or what depends on it, through every project that the actor may read.

    Raises:
        NotFound: nothing that the actor may read mentions it; or no such project or entry.
        Denied: the actor may not request a federated lineage.
        UsageError: not an IRI, not a direction, no relation of that name, not a time, a source that would be
            everything, a number that is not positive, an option that a federated lineage does not have, or no peer.
        TimedOut: it took too long.
        Busy: another process holds the views; the message names its URL.
    """
    if query.federated:
        from provrepo.repository.federation.lineage import federated_lineage

        return federated_lineage(context, query)
    answer, records, declared = _answered(context, query)
    graph = records.graph(query.iri, query.direction, answer)
    return with_roots(replace(graph, as_of=query.as_of), answer, declared, query.limit)


def told(context: Context, query: LineageQuery) -> ToldLineage:
    """The lineage of a query as JSON; raises as ``lineage``."""
    if query.federated:
        from provrepo.repository.federation.lineage import federated_lineage
        from provrepo.repository.lineage.telling import ToldLineage

        graph = federated_lineage(context, query)
        written = json.dumps(graph.to_dict(), ensure_ascii=False) + "\n"
        projects = frozenset(project for node in graph.nodes for project in node.projects)
        return ToldLineage(written.encode(), len(graph.nodes), len(graph.edges), projects)
    if query.sources is not None:
        return _tell(context, query)
    kept, state, asked = _kept_as(context, query)
    found: ToldLineage | None = kept.get(state, (asked, "told", query.depth))
    if found is None:
        found = _tell(context, query)
        kept.put(state, (asked, "told", query.depth), found, found.size)
    return found


def _tell(context: Context, query: LineageQuery) -> ToldLineage:
    from provrepo.repository.lineage.telling import tell

    answer, records, declared = _answered(context, query)
    walk = answer.walk
    head = LineageGraph(
        query.iri, query.direction, (), (), (), walk.total, walk.total_edges, walk.beyond, as_of=query.as_of
    )
    return tell(with_roots(head, answer, declared, query.limit), answer, records)


def _kept_as(context: Context, query: LineageQuery) -> tuple[Kept, State, str]:
    """Where results of a query are kept, for which state of the index, and what they depend on beside it and the depth.

    Raises:
        NotFound, Denied, UsageError, TimedOut, Busy: as ``lineage``.
    """
    from provrepo.views.lineage.adjacency import timed_out
    from provrepo.views.lineage.index import Lineage

    deadline = _deadline(context, query.timeout)
    datasets = _datasets(context, query.project)
    view = context.store.view(Lineage)
    state = view.state(datasets, **_entries(context, query.as_of))
    warned = tuple(sorted(origin_warnings(context.store, datasets).items()))
    asked = repr((replace(query, depth=None, timeout=None), context.store.minter(), warned))
    if deadline is not None and time.monotonic() > deadline:
        raise timed_out()
    return view.kept, state, asked


def _answered(context: Context, query: LineageQuery) -> tuple[Answer, Records, Sources | None]:
    """The answer of the index to a query, what makes its records, and the declared sources."""
    from provrepo.views.lineage.index import Lineage

    declared = declared_sources(query.sources)
    datasets = _datasets(context, query.project)
    answer = context.store.view(Lineage).traverse(
        query.iri,
        datasets,
        query.traversals(query.direction),
        to=query.to,
        limit=query.limit,
        **_entries(context, query.as_of),
        deadline=_deadline(context, query.timeout),
    )
    if answer is None:
        raise unknown(query.iri if query.to is None else f"both {query.iri} and {query.to}", query.as_of)
    return answer, Records(context.store.minter(), origin_warnings(context.store, datasets)), declared


_FURTHER = 6
"""How many relations further than asked for a kept lineage may go to be used in its place."""


def walk(context: Context, query: LineageQuery, *, exact: bool = False) -> Walk:
    """The lineage of a query, kept from one request to the next for all actors that may read the same.

    Args:
        query: of a lineage.
        exact: whether a lineage that goes further than the depth does not do.

    Raises:
        NotFound, Denied, UsageError, TimedOut, Busy: as ``lineage``.
    """

    def ask() -> Walk:
        # The names of parameters are those of the fields.
        return Walk(lineage(context, **{each.name: getattr(query, each.name) for each in fields(query)}), query.depth)

    if query.federated or query.sources is not None:
        return ask()
    results, state, asked = _kept_as(context, query)
    depths: list[int | None] = [query.depth]
    if query.depth is not None and query.to is None and not exact:
        depths = [None, *range(query.depth, query.depth + _FURTHER)]
    for depth in depths:
        kept: Walk | None = results.get(state, (asked, depth))
        if kept is not None and (depth == query.depth or kept.reaches(query.depth)):
            return kept
    found = ask()
    results.put(state, (asked, query.depth), found, found.size)
    return found


@takes(ImpactQuery)
def impact(context: Context, query: ImpactQuery) -> LineageImpact:
    """Count everything that depends on a thing, by kind, type, agent and project.

    Raises:
        NotFound, UsageError, TimedOut, Busy: as ``lineage``.
    """
    from provrepo.views.lineage.index import Lineage

    limit, datasets = query.limit, _datasets(context, query.project)
    warned = origin_warnings(context.store, datasets)
    found = context.store.view(Lineage).impact(
        query.iri,
        datasets,
        query.traversals(query.direction),
        **_entries(context, query.as_of),
        labeled=limit,
        among=warned.keys(),
        deadline=_deadline(context, query.timeout),
    )
    if found is None:
        raise unknown(query.iri, query.as_of)
    return LineageImpact(
        query.iri,
        query.direction,
        found.total,
        _frequent(found.kinds, limit),
        _frequent(found.types, limit),
        _frequent(found.agents, limit),
        _frequent(found.projects, limit),
        total_types=len(found.types),
        total_agents=len(found.agents),
        total_projects=len(found.projects),
        as_of=query.as_of,
        labels=found.labels,
        warnings=_warnings(warned, found.described_by),
    )


@takes(CommonQuery)
def common(context: Context, query: CommonQuery) -> LineageCommon:
    """What several things came from, all of them: what two bad models share.

    Raises:
        NotFound, UsageError, TimedOut, Busy: as ``lineage``.
    """
    from provrepo.views.lineage.index import Lineage

    starts = query.starts()
    (traversal,) = query.traversals()
    datasets = _datasets(context, query.project)
    warned = origin_warnings(context.store, datasets)
    found = context.store.view(Lineage).common(
        starts,
        datasets,
        traversal,
        **_entries(context, query.as_of),
        limit=query.limit,
        among=warned.keys(),
        deadline=_deadline(context, query.timeout),
    )
    if found is None:
        raise unknown(f"all of {', '.join(starts)}", query.as_of)
    records, nearest = Records(context.store.minter()), frozenset(found.nearest)
    nodes = [
        CommonNode(records.node(thing, min(found.distances[number])), tuple(found.distances[number]), number in nearest)
        for number, thing in found.things.items()
    ]
    nodes.sort(key=lambda each: (not each.nearest, max(each.distances), sum(each.distances), each.node.iri))
    warnings = _warnings(warned, found.described_by)
    return LineageCommon(starts, tuple(nodes), found.total, query.as_of, warnings)


@takes(ThingQuery)
def thing(context: Context, query: ThingQuery) -> KnownThing:
    """All assertions about one thing, as they were submitted, with document, version and submitter.

    Raises:
        AnswerTooLarge: the statements are larger than the settings allow an answer to be.
        WorkerFailed: reading the versions took too much memory.
        NotFound, UsageError, TimedOut, Busy: as ``lineage``.
    """
    from provrepo.repository.lineage.things import KnownThing, version_assertions

    deadline = _deadline(context, query.timeout)
    node = _node(context, query.iri, query.project, query.as_of, query.versions)
    left = _DAY if deadline is None else deadline - time.monotonic()
    if left <= 0:
        raise TimedOut("finding the versions that mention it took longer than there was time for")
    found = version_assertions(
        context.store,
        query.iri,
        node.sources,
        limit=query.limit,
        timeout=left,
        curates=context.curates,
        abandoned=query.abandoned,
    )
    return KnownThing(node, found, query.as_of)


@takes(SearchQuery)
def search(context: Context, query: SearchQuery) -> SearchResult:
    """The projects, documents and things that contain all words of a text, with counts to narrow it.

    Raises:
        NotFound: no such project.
        UsageError: a number is not positive, a word is not among the choices, or an order is not one of the part.
        TimedOut: it took too long.
        Busy: another process holds the views; the message names its URL.
    """
    return find(context, query, _datasets(context, query.project), _deadline(context, query.timeout))


def node(context: Context, iri: str, *, project: str | None = None, as_of: str | None = None) -> LineageNode:
    """The node of one thing, with the versions that mention it, without their statements; raises as ``lineage``."""
    required_iri(iri)
    return _node(context, iri, project, as_of, MOST_SOURCES)


def labels(
    context: Context,
    iris: Iterable[str],
    *,
    project: str | None = None,
    as_of: str | None = None,
    timeout: float | None = None,
) -> dict[str, str]:
    """One label of each thing that has any, by their IRIs.

    Args:
        iris: of the things. Those without a label that the actor may read are left out.
        project: only the labels that this project gives.
        as_of: as for ``lineage``.
        timeout: as for ``lineage``.

    Raises:
        NotFound: no such project or entry.
        UsageError, TimedOut, Busy: as ``lineage``.
    """
    from provrepo.views.lineage.index import Lineage

    return context.store.view(Lineage).labels(
        list(iris), _datasets(context, project), **_entries(context, as_of), deadline=_deadline(context, timeout)
    )


def _warnings(
    warned: Mapping[tuple[str, str, int], tuple[OriginWarning, ...]], versions: Iterable[tuple[str, str, int]]
) -> tuple[OriginWarning, ...]:
    return tuple(warning for version in versions for warning in warned[version])


def _node(context: Context, iri: str, project: str | None, as_of: str | None, sources: int) -> LineageNode:
    from provrepo.views.lineage.index import Lineage

    found = context.store.view(Lineage).thing(iri, _datasets(context, project), **_entries(context, as_of))
    if found is None:
        raise unknown(iri, as_of)
    return Records(context.store.minter()).node(found, most=sources)


def _deadline(context: Context, timeout: float | None) -> float | None:
    """The deadline by ``time.monotonic``; None for none, which only the owner may have."""
    if context.actor.owner and timeout is None:
        return None
    # The settings limit other actors only.
    seconds = timeout if context.actor.owner and timeout is not None and timeout > 0 else context.seconds(timeout)
    return time.monotonic() + seconds


def _entries(context: Context, as_of: str | None) -> former_state.FormerState:
    return former_state.former_state(context.store.ledger, as_of, context.require_read, context.curates)


def _datasets(context: Context, project: str | None) -> list[str]:
    """The dataset of one project, or those of all projects that the actor may read."""
    if project is not None:
        context.require_read(project)
        return [project]
    return context.readable_projects()


def declared_sources(patterns: Iterable[str] | None) -> Sources | None:
    """The declared sources of a query; None where it has none."""
    if patterns is None:
        return None
    from provrepo.checks.coverage import Sources

    return Sources.parse("\n".join(patterns))


def unknown(names: str, as_of: str | None) -> NotFound:
    """The error where nothing that the actor may read mentions some things."""
    return NotFound(f"nothing that you may read {'speaks' if as_of is None else 'spoke then'} of {names}")


def with_roots(graph: G, answer: Answer, sources: Sources | None, limit: int) -> G:
    """A lineage with its roots, and with those that are declared sources, or whose content is one."""
    roots = answer.roots
    graph = replace(graph, roots=tuple(roots[:limit]), total_roots=len(roots))
    if sources is None:
        return graph
    declared = [root for root in roots if any(name in sources for name in (root, *answer.contents.get(root, ())))]
    others = sorted(set(roots).difference(declared))
    return replace(
        graph, declared=tuple(declared[:limit]), undeclared=tuple(others[:limit]), total_declared=len(declared)
    )


def _frequent(counts: Mapping[str, int], limit: int) -> dict[str, int]:
    """The largest counts, the largest first."""
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:limit])
