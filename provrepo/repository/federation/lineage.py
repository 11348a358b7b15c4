"""Lineage across repositories: the rounds (``walk``), and the answer with the repository that says each part of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from provrepo.errors import Denied, Error, NotFound, UsageError
from provrepo.ledger.exchange.peers import Peers
from provrepo.limits import FEDERATED_SECONDS
from provrepo.repository import access
from provrepo.repository.context import Context
from provrepo.repository.exchange.notices.records import OriginWarning
from provrepo.repository.exchange.notices.warnings import of_projects as origin_warnings
from provrepo.repository.federation.known import Known
from provrepo.repository.federation.laboratories import Here, Laboratory, PeerLaboratory
from provrepo.repository.federation.reading import DescribedThing
from provrepo.repository.federation.records import (
    FederatedLineage,
    FederatedSource,
    LaboratoryReport,
    Missing,
)
from provrepo.repository.federation.walk import Budget, Gathering, MayAsk, Participant
from provrepo.repository.lineage.answers import MOST_SOURCES
from provrepo.repository.lineage.query import LineageQuery
from provrepo.repository.lineage.records import KINDS, LineageEdge, LineageNode
from provrepo.repository.lineage.verbs import declared_sources, with_roots
from provrepo.views.lineage.gathered import Gathered
from provrepo.views.lineage.rules import EDGES

if TYPE_CHECKING:
    from provrepo.repository.records import Actor
    from provrepo.views.lineage.answering import Answer

__all__ = ["askable_peers", "federated_lineage", "lineage_of"]

_GRACE = 30.0
"""Seconds after the deadline in which the answer is made from what was gathered."""


def federated_lineage(context: Context, query: LineageQuery) -> FederatedLineage:
    """What a thing came from, or what depends on it, in this repository and in those of its peers.

    Raises:
        Denied: the actor is neither the owner nor may write.
        UsageError: there is no peer, or an option is invalid.
        NotFound: no repository that answered mentions the thing.
        TimedOut, Busy: as ``lineage``.
    """
    actor = context.actor
    if not _may_ask_peers(actor):
        raise Denied(
            f"{actor.name} may not request a federated lineage, since it uses the operator's tokens for the peers; "
            "a token that may write is needed"
        )
    peers = context.store.parts.peers
    configured = peers.list()
    if not configured:
        raise UsageError("there is no peer: provrepo peers add NAME URL adds one")
    with ExitStack() as stack:
        laboratories: list[Laboratory] = [Here(context)]
        for peer in configured:
            laboratory = PeerLaboratory(peer.name, peer.url, peers.token(peer.name))
            stack.callback(laboratory.close)
            laboratories.append(laboratory)
        if not actor.owner:
            seconds = context.seconds(query.timeout)
        elif query.timeout is None:
            seconds = FEDERATED_SECONDS
        else:
            seconds = query.timeout
        may_ask = Known(context, configured).may_ask if query.ask == "known" else None
        graph = lineage_of(
            query, laboratories, Budget(time.monotonic() + seconds), may_ask, finished=partial(_record_contacts, peers)
        )
        return replace(graph, warnings=_warnings(context, graph))


def askable_peers(context: Context) -> list[str]:
    """The names of the peers that a federated lineage of the actor would ask; none where it may not request one."""
    return [peer.name for peer in context.store.parts.peers.list()] if _may_ask_peers(context.actor) else []


def _may_ask_peers(actor: Actor) -> bool:
    return actor.owner or (bool(actor.id) and access.may_submit_somewhere(actor))


def _warnings(context: Context, graph: FederatedLineage) -> tuple[OriginWarning, ...]:
    """The warnings about copies of this repository from which the answer comes."""
    warned = origin_warnings(context.store, context.readable_projects())
    agents = {node.iri for node in graph.nodes if "agent" in node.kinds}
    # An agent is mentioned by versions that have nothing to do with this answer; its relations count.
    said = [node.sources for node in graph.nodes if node.iri not in agents] + [edge.sources for edge in graph.edges]
    used = {
        (source.project, source.document, source.version)
        for sources in said
        for source in sources
        if isinstance(source, FederatedSource) and source.laboratory is None
    }
    return tuple(warning for version in sorted(used & warned.keys()) for warning in warned[version])


def _record_contacts(peers: Peers, participants: Iterable[Participant]) -> None:
    """Record when peers answered or did not; a failure to write does not matter for the answer."""
    with suppress(Error):
        for each in participants:
            name = each.laboratory.name
            if name is not None and each.state in ("answered", "itself"):
                peers.contacted(name)
            elif name is not None and each.state != "unasked":
                peers.failed(name, each.message)


def lineage_of(
    query: LineageQuery,
    laboratories: Iterable[Laboratory],
    budget: Budget,
    may_ask: MayAsk | None = None,
    *,
    finished: Callable[[Sequence[Participant]], None] | None = None,
) -> FederatedLineage:
    """The lineage across some repositories.

    Args:
        query: the query.
        laboratories: the repositories: this one first.
        budget: the limits.
        may_ask: whether a repository may be asked about a thing; None where each may be asked about everything.
        finished: called with the repositories once no more is asked.

    Raises:
        NotFound: no repository that answered mentions the thing, or the end of the paths.
        TimedOut: the answer could not be made in time.
    """
    declared = declared_sources(query.sources)
    walks = query.traversals(query.direction)
    with Gathered(budget.deadline + _GRACE) as index:
        gathering = Gathering(index, laboratories, query.iri, walks, budget, to=query.to, may_ask=may_ask)
        gathering.run()
        if finished is not None:
            finished(gathering.participants)
        missing = gathering.missing()
        answer = index.answer(query.iri, walks, query.to, query.limit)
    if answer is None:
        raise _unknown(query, gathering.participants)
    graph = _Answered(gathering).graph(query, answer)
    graph = with_roots(graph, answer, declared, query.limit)
    return _reported(graph, gathering.participants, missing)


class _Answered:
    """Makes the records of one answer."""

    def __init__(self, gathering: Gathering) -> None:
        self._participants = gathering.participants
        self._same = _same_repository(gathering.participants)
        self._sources = {number: self._named(source) for source, number in gathering.sources.items()}

    def _named(self, source: FederatedSource) -> FederatedSource:
        """A source under the one name of its repository."""
        return replace(source, laboratory=self._same[source.laboratory])

    def graph(self, query: LineageQuery, answer: Answer) -> FederatedLineage:
        """The lineage without its roots and reports."""
        walk, things = answer.walk, answer.things
        nodes = [self._node(thing.iri, walk.nodes[number]) for number, thing in things.items()]
        edges = [
            LineageEdge(
                things[subject].iri,
                EDGES[rule].name,
                things[upper].iri,
                EDGES[rule].basis,
                _ordered(self._sources[int(answer.sources[version].project)] for version, _ in sources),
            )
            for (subject, rule, upper), sources in walk.edges.items()
        ]
        return FederatedLineage(
            query.iri,
            query.direction,
            tuple(sorted(nodes, key=lambda node: (node.distance, node.iri))),
            tuple(sorted(edges, key=lambda edge: (edge.subject, edge.relation, edge.object))),
            (),
            walk.total,
            walk.total_edges,
            walk.beyond,
        )

    def _node(self, iri: str, distance: int) -> LineageNode:
        """A thing with what all repositories say about it."""
        said: list[tuple[str | None, DescribedThing]] = [
            (self._same[each.laboratory.name], each.described[iri])
            for each in self._participants
            if iri in each.described
        ]
        kinds, types = 0, set[str]()
        totals: dict[str | None, int] = {}
        for name, thing in said:
            kinds |= thing.kinds
            types.update(thing.types)
            totals[name] = max(totals.get(name, 0), thing.total_sources)
        labels = sorted(thing.label for _, thing in said if thing.label)
        projects = dict.fromkeys(
            project if name is None else f"{name}/{project}" for name, thing in said for project in thing.projects
        )
        return LineageNode(
            iri,
            tuple(kind.name for place, kind in enumerate(KINDS) if kinds >> place & 1),
            labels[0] if labels else "",
            tuple(sorted(types)),
            distance,
            _ordered(self._named(source) for _, thing in said for source in thing.sources)[:MOST_SOURCES],
            sum(totals.values()),
            tuple(projects),
        )


def _ordered(sources: Iterable[FederatedSource]) -> tuple[FederatedSource, ...]:
    """Sources in order: those of this repository first."""
    return tuple(
        sorted(
            set(sources),
            key=lambda each: (each.laboratory or "", each.project, each.document, each.version, each.graph),
        )
    )


def _reported(
    graph: FederatedLineage, participants: Sequence[Participant], missing: Sequence[Missing]
) -> FederatedLineage:
    """A lineage with the reports of the repositories."""
    relations: dict[str | None, int] = {}
    for edge in graph.edges:
        for name in {source.laboratory for source in edge.sources if isinstance(source, FederatedSource)}:
            relations[name] = relations.get(name, 0) + 1
    nodes = {node.iri for node in graph.nodes}
    same = _same_repository(participants)
    described: dict[str | None, set[str]] = {}
    for each in participants:
        described.setdefault(same[each.laboratory.name], set()).update(each.described)
    reports = tuple(
        LaboratoryReport(
            each.laboratory.name,
            each.laboratory.url,
            "same" if each.laboratory.name != same[each.laboratory.name] else each.state,
            f"it is the repository of {same[each.laboratory.name]}, and what it says counts once, under that name"
            if each.laboratory.name != same[each.laboratory.name]
            else each.message,
            each.requests,
            len(nodes.intersection(described.get(each.laboratory.name, ()))),
            relations.get(each.laboratory.name, 0),
        )
        for each in participants
    )
    return replace(graph, laboratories=reports, missing=tuple(missing))


def _same_repository(participants: Sequence[Participant]) -> dict[str | None, str | None]:
    """The name of each repository → the first name under which the same repository answered.

    Each is asked with its own token, since tokens may cover different projects.
    """
    first: dict[str, str | None] = {}
    return {
        each.laboratory.name: first.setdefault(each.repository, each.laboratory.name)
        if each.state == "answered" and each.repository
        else each.laboratory.name
        for each in participants
    }


def _unknown(query: LineageQuery, participants: Sequence[Participant]) -> NotFound:
    names = query.iri if query.to is None else f"both {query.iri} and {query.to}"
    failed = [
        f"{each.laboratory.name or 'this repository'} ({each.message})"
        for each in participants
        if each.message and each.state != "itself"
    ]
    left = f"; there was no answer from {', '.join(failed)}" if failed else ""
    return NotFound(f"nothing that you may read, here or at the peers, speaks of {names}{left}")
