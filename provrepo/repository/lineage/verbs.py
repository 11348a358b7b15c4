"""The verbs about where things come from, what depends on them, and what is known of them.

They are part of ``Repository``, in a file of their own. They go through every project that the actor may read, and
through nothing else: whatever they count has been found there.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from provrepo.codecs.rdf.terms import is_iri
from provrepo.errors import NotFound, TimedOut, UsageError
from provrepo.limits import IMPACT_GROUPS, LINEAGE_NODES, SEARCH_HITS, THING_STATEMENTS, THING_VERSIONS
from provrepo.repository.context import Context
from provrepo.repository.lineage import as_of as moments
from provrepo.repository.lineage.answers import MOST_SOURCES, Records
from provrepo.repository.lineage.records import (
    DIRECTIONS,
    CommonNode,
    LineageCommon,
    LineageEdge,
    LineageGraph,
    LineageImpact,
    LineageNode,
    Said,
    SearchResult,
)
from provrepo.vocab import PREDECLARED

if TYPE_CHECKING:
    from provrepo.checks.coverage import Sources
    from provrepo.repository.lineage.things import KnownThing
    from provrepo.views.lineage.traversal import Options

__all__ = [
    "DIRECTIONS",
    "LineageEdge",
    "LineageGraph",
    "LineageNode",
    "MOST_COMMON",
    "MOST_SOURCES",
    "Said",
    "SearchResult",
    "common",
    "impact",
    "labels",
    "lineage",
    "node",
    "relations",
    "search",
    "thing",
]

MOST_COMMON = 20
"""The most things of which can be asked what they have in common."""

_DAY = 86_400.0
"""Seconds: what a worker process takes as no limit."""


def relations() -> tuple[str, ...]:
    """The relations that lineage follows, by the names that edges have."""
    from provrepo.views.lineage.rules import RULES, Follow

    return tuple(rule.name for rule in RULES if rule.follow not in (Follow.NO, Follow.IMPLIED))


def lineage(
    context: Context,
    iri: str,
    *,
    direction: str = "upstream",
    depth: int | None = None,
    to: str | None = None,
    relations: Sequence[str] = (),
    stop: Sequence[str] = (),
    strict: bool = False,
    alternates: bool = False,
    project: str | None = None,
    as_of: str | None = None,
    sources: Sequence[str] | None = None,
    limit: int = LINEAGE_NODES,
    timeout: float | None = None,
) -> LineageGraph:
    """What a thing came from, or what depends on it, through every project that the actor may read.

    Args:
        iri: the thing: an entity, an activity or an agent.
        direction: ``upstream``, ``downstream`` or ``both``.
        depth: the most relations to go; None for all.
        to: keep only what is on a path from the one thing to this one.
        relations: go along these only, by the names that edges have; all where there are none.
        stop: types, as IRIs or with a prefix that SPARQL need not declare. What is of one of them is told and not
            gone beyond; ``prov:Entity``, ``prov:Activity`` and ``prov:Agent`` count as types.
        strict: only along derivations, not through activities.
        alternates: also along ``prov:alternateOf``.
        project: only through this project.
        as_of: what was current once an entry had been appended (``PROJECT/SEQUENCE``) or at a time with a zone, of
            what the actor may read today: what was withdrawn since is left out, except where the actor may write.
        sources: the entities that may be sources, as IRIs in which ``*`` stands for any characters: the answer then
            says which roots are among them.
        limit: the most nodes, and roots, that are told; how many there are is counted in any case.
        timeout: seconds after which it is given up; without one the settings say how many there are, and the owner
            of the data directory waits as long as it takes.

    Raises:
        NotFound: nothing that the actor may read speaks of it; or no such project or entry.
        UsageError: not an IRI, no direction, no relation of that name, no time, a source that would be everything,
            or a number that is not positive.
        TimedOut: it took too long.
        Busy: another process holds the views; the message names its URL.
    """
    from provrepo.views.lineage.index import Lineage

    walks = _walks(direction, depth, strict, alternates, relations, stop)
    _positive("limit", limit)
    declared = None if sources is None else _sources(sources)
    for name in (iri, to):
        _named(name)
    answer = context.store.view(Lineage).traverse(
        iri,
        _within(context, project),
        walks,
        to=to,
        limit=limit,
        **_then(context, as_of),
        deadline=_deadline(context, timeout),
    )
    if answer is None:
        raise _unknown(iri if to is None else f"both {iri} and {to}", as_of)
    graph = replace(Records(context.store.minter()).graph(iri, direction, answer), as_of=as_of)
    return _with_roots(graph, answer.roots, declared, limit)


def impact(
    context: Context,
    iri: str,
    *,
    direction: str = "downstream",
    depth: int | None = None,
    relations: Sequence[str] = (),
    stop: Sequence[str] = (),
    strict: bool = False,
    alternates: bool = False,
    project: str | None = None,
    as_of: str | None = None,
    limit: int = IMPACT_GROUPS,
    timeout: float | None = None,
) -> LineageImpact:
    """Count everything that depends on a thing, by kind, type, agent and project.

    Args:
        iri: the thing.
        direction: ``upstream`` counts what it came from instead, ``both`` the two together.
        depth: the most relations to go; None for all.
        relations: go along these only; this and the following are as for ``lineage``.
        stop: types beyond which not to go.
        strict: only along derivations.
        alternates: also along ``prov:alternateOf``.
        project: only through this project.
        as_of: an entry or a time.
        limit: the most types, agents and projects that are told; how many there are is counted in any case.
        timeout: seconds after which it is given up.

    Raises:
        NotFound, UsageError, TimedOut, Busy: as ``lineage``.
    """
    from provrepo.views.lineage.index import Lineage

    walks = _walks(direction, depth, strict, alternates, relations, stop)
    _positive("limit", limit)
    _named(iri)
    found = context.store.view(Lineage).impact(
        iri,
        _within(context, project),
        walks,
        **_then(context, as_of),
        labeled=limit,
        deadline=_deadline(context, timeout),
    )
    if found is None:
        raise _unknown(iri, as_of)
    return LineageImpact(
        iri,
        direction,
        found.total,
        _frequent(found.kinds, limit),
        _frequent(found.types, limit),
        _frequent(found.agents, limit),
        _frequent(found.projects, limit),
        total_types=len(found.types),
        total_agents=len(found.agents),
        total_projects=len(found.projects),
        as_of=as_of,
        labels=found.labels,
    )


def common(
    context: Context,
    iris: Sequence[str],
    *,
    depth: int | None = None,
    relations: Sequence[str] = (),
    stop: Sequence[str] = (),
    strict: bool = False,
    alternates: bool = False,
    project: str | None = None,
    as_of: str | None = None,
    limit: int = LINEAGE_NODES,
    timeout: float | None = None,
) -> LineageCommon:
    """What several things came from, all of them: what two bad models share.

    Args:
        iris: the things, two to ``MOST_COMMON``. One that another came from is common to both.
        depth: the most relations to go; None for all.
        relations: go along these only; this and the following are as for ``lineage``.
        stop: types beyond which not to go.
        strict: only along derivations.
        alternates: also along ``prov:alternateOf``.
        project: only through this project.
        as_of: an entry or a time.
        limit: the most common things that are told; how many there are is counted in any case.
        timeout: seconds after which it is given up.

    Raises:
        NotFound, UsageError, TimedOut, Busy: as ``lineage``.
    """
    from provrepo.views.lineage.index import Lineage

    starts = tuple(dict.fromkeys(iris))
    if not 2 <= len(starts) <= MOST_COMMON:
        raise UsageError(f"name 2 to {MOST_COMMON} different things to ask what they have in common")
    (walk,) = _walks("upstream", depth, strict, alternates, relations, stop)
    _positive("limit", limit)
    for name in starts:
        _named(name)
    found = context.store.view(Lineage).common(
        starts,
        _within(context, project),
        walk,
        **_then(context, as_of),
        limit=limit,
        deadline=_deadline(context, timeout),
    )
    if found is None:
        raise _unknown(f"all of {', '.join(starts)}", as_of)
    records, nearest = Records(context.store.minter()), frozenset(found.nearest)
    nodes = [
        CommonNode(records.node(thing, min(found.distances[number])), tuple(found.distances[number]), number in nearest)
        for number, thing in found.things.items()
    ]
    nodes.sort(key=lambda each: (not each.nearest, max(each.distances), sum(each.distances), each.node.iri))
    return LineageCommon(starts, tuple(nodes), found.total, as_of)


def thing(
    context: Context,
    iri: str,
    *,
    project: str | None = None,
    as_of: str | None = None,
    versions: int = THING_VERSIONS,
    limit: int = THING_STATEMENTS,
    timeout: float | None = None,
    abandoned: Callable[[], bool] | None = None,
) -> KnownThing:
    """All that is said about one thing, as it was asserted, by which document, version and submitter.

    Args:
        iri: the thing.
        project: only what this project says.
        as_of: as for ``lineage``.
        versions: the most versions that are read, by project and document; how many there are is counted.
        limit: the most statements that are told; each version tells something before one tells much.
        timeout: as for ``lineage``.
        abandoned: says that nobody waits for the answer any more; asked several times a second.

    Raises:
        AnswerTooLarge: the statements are larger than the settings allow an answer to be.
        WorkerFailed: reading the versions took too much memory.
        NotFound, UsageError, TimedOut, Busy: as ``lineage``.
    """
    from provrepo.repository.lineage.things import KnownThing, accounts

    _positive("versions", versions)
    _positive("limit", limit)
    deadline = _deadline(context, timeout)
    node = _known(context, iri, project, as_of, versions)
    left = _DAY if deadline is None else deadline - time.monotonic()
    if left <= 0:
        raise TimedOut("finding what speaks of it took longer than there was time for")
    told = accounts(
        context.store, iri, node.sources, limit=limit, timeout=left, curates=context.curates, abandoned=abandoned
    )
    return KnownThing(node, told, as_of)


def node(context: Context, iri: str, *, project: str | None = None, as_of: str | None = None) -> LineageNode:
    """What one thing is, and which versions speak of it, without what they say; raises what ``lineage`` does."""
    return _known(context, iri, project, as_of, MOST_SOURCES)


def labels(
    context: Context,
    iris: Iterable[str],
    *,
    project: str | None = None,
    as_of: str | None = None,
    timeout: float | None = None,
) -> dict[str, str]:
    """What things are called: one of the labels of each that has any, by their IRIs.

    Args:
        iris: of the things. What nothing that the actor may read gives a label is left out.
        project: only what this project calls them.
        as_of: as for ``lineage``.
        timeout: as for ``lineage``.

    Raises:
        NotFound: no such project or entry.
        UsageError, TimedOut, Busy: as ``lineage``.
    """
    from provrepo.views.lineage.index import Lineage

    return context.store.view(Lineage).labels(
        list(iris), _within(context, project), **_then(context, as_of), deadline=_deadline(context, timeout)
    )


def search(
    context: Context, text: str, *, project: str | None = None, limit: int = SEARCH_HITS, timeout: float | None = None
) -> SearchResult:
    """Things of which all words of a text are said: in names, labels, types, identifiers and checksums.

    Args:
        text: words; the last may be the beginning of one. Case and accents make no difference.
        project: only in this project; otherwise in all that the actor may read.
        limit: the most things that are told; how many there are is counted in any case.
        timeout: as for ``lineage``.

    Raises:
        NotFound: no such project.
        UsageError: the limit is not a positive number.
        TimedOut: it took too long.
        Busy: another process holds the views; the message names its URL.
    """
    from provrepo.views.lineage.index import Lineage
    from provrepo.views.search import Search

    _positive("limit", limit)
    datasets = _within(context, project)
    hits = context.store.view(Search).find(text, datasets, limit=limit, deadline=_deadline(context, timeout))
    lineage, records = context.store.view(Lineage), Records(context.store.minter())
    # An entry may have reached only one of the two views yet.
    known = [thing for iri in hits.iris if (thing := lineage.thing(iri, datasets)) is not None]
    return SearchResult(tuple(records.node(thing) for thing in known), hits.total)


def _known(context: Context, iri: str, project: str | None, as_of: str | None, most: int) -> LineageNode:
    from provrepo.views.lineage.index import Lineage

    _named(iri)
    found = context.store.view(Lineage).thing(iri, _within(context, project), **_then(context, as_of))
    if found is None:
        raise _unknown(iri, as_of)
    return Records(context.store.minter()).node(found, most=most)


def _deadline(context: Context, timeout: float | None) -> float | None:
    """When to give up, by ``time.monotonic``; None for never, which only the owner may ask for."""
    if context.actor.owner and timeout is None:
        return None
    # The settings say how long others may take; on the owner's machine the owner says.
    seconds = timeout if context.actor.owner and timeout is not None and timeout > 0 else context.seconds(timeout)
    return time.monotonic() + seconds


def _then(context: Context, as_of: str | None) -> moments.Then:
    return moments.then(context.store.ledger, as_of, context.require_read, context.curates)


def _within(context: Context, project: str | None) -> list[str]:
    """The datasets to go through: of one project, or of all that the actor may read."""
    if project is not None:
        context.require_read(project)
        return [project]
    return context.readable_projects()


# What is asked


def _walks(
    direction: str,
    depth: int | None,
    strict: bool,
    alternates: bool,
    relations: Sequence[str],
    stop: Sequence[str],
) -> list[Options]:
    from provrepo.views.lineage.traversal import Options

    if direction not in DIRECTIONS:
        raise UsageError(f"{direction[:100]!r} is no direction; there are {', '.join(DIRECTIONS)}")
    if depth is not None:
        _positive("depth", depth)
        depth = min(depth, sys.maxsize)
    along = _along(relations, strict)
    return [
        Options(
            way == "upstream",
            depth,
            strict,
            # Who names the relation asks for it.
            alternates or (along is not None and "alternateOf" in along),
            relations=along,
            stop=frozenset(map(_type, stop)),
        )
        for way in DIRECTIONS[:2]
        if direction in (way, "both")
    ]


def _along(names: Sequence[str], strict: bool) -> frozenset[str] | None:
    if not names:
        return None
    known = relations()
    for name in names:
        if name not in known:
            raise UsageError(f"lineage follows no relation {name[:100]!r}; it follows: {', '.join(known)}")
    if strict and "wasDerivedFrom" not in names:
        raise UsageError("strict lineage follows wasDerivedFrom alone, which is not among the relations")
    return frozenset(names)


def _type(name: str) -> str:
    """The IRI of a type, in full or with a prefix."""
    prefix, colon, local = name.partition(":")
    iri = PREDECLARED[prefix] + local if colon and prefix in PREDECLARED else name
    if not is_iri(iri):
        raise UsageError(
            f"stop at {name[:200]!r}: a type is an absolute IRI, or has one of the prefixes {', '.join(PREDECLARED)}"
        )
    return iri


def _sources(patterns: Iterable[str]) -> Sources:
    from provrepo.checks.coverage import Sources

    return Sources.parse("\n".join(patterns))


def _named(iri: str | None) -> None:
    if iri is not None and not is_iri(iri):
        raise UsageError(f"{iri[:200]!r} is not an absolute IRI")


def _positive(what: str, number: int) -> None:
    if number < 1:
        raise UsageError(f"{what} is a positive number, not {number}")


def _unknown(names: str, as_of: str | None) -> NotFound:
    return NotFound(f"nothing that you may read {'speaks' if as_of is None else 'spoke then'} of {names}")


# What is answered


def _with_roots(graph: LineageGraph, roots: Sequence[str], sources: Sources | None, limit: int) -> LineageGraph:
    known = replace(graph, roots=tuple(roots[:limit]), total_roots=len(roots))
    if sources is None:
        return known
    declared = [root for root in roots if root in sources]
    others = [root for root in roots if root not in sources]
    return replace(
        known, declared=tuple(declared[:limit]), undeclared=tuple(others[:limit]), total_declared=len(declared)
    )


def _frequent(counts: Mapping[str, int], limit: int) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:limit])
