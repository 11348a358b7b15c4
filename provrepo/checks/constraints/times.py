"""Instants that contradict the order of events.

PROV-CONSTRAINTS leaves times and order unrelated (section 2.2: times may come from clocks that disagree). A reader
still wants to know, so this is a warning under a rule of our own. The latest instant known of anything earlier is
carried along the order, which takes time linear in the graph.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from provrepo.checks.constraints.instance import source
from provrepo.checks.constraints.ordering import END_OF, GENERATION_OF, INVALIDATION_OF, START_OF, Order
from provrepo.checks.constraints.terms import FRESH, moment
from provrepo.model.statements import ACTIVITY, END, GENERATION, INVALIDATION, START

__all__ = ["Contradiction", "contradictions"]


class Timed(NamedTuple):
    """When an event took place.

    Attributes:
        time: comparable with those of the same kind: all in UTC, or all without a zone.
        node: of the event.
        statement: the number of the statement that says so.
    """

    time: datetime
    node: int
    statement: int


class Contradiction(NamedTuple):
    """Two events whose times are in the opposite order.

    Attributes:
        earlier: what must have happened first, by the order.
        later: what must have happened then, and has the earlier instant.
    """

    earlier: Timed
    later: Timed


def contradictions(order: Order, nodes: list[int], components: list[list[int]]) -> Iterator[Contradiction]:
    """Each event that has an earlier time than something before it.

    Args:
        order: of an instance.
        nodes: its events in topological order, as far as there is one.
        components: the strongly connected components of the rest, likewise.
    """
    known = list(_known(order))
    for zoned in (True, False):
        times = [timed for timed in known if (timed.time.tzinfo is not None) is zoned]
        if times:
            yield from _against(order, times, [*([node] for node in nodes), *components] if components else nodes)


def _against(order: Order, times: list[Timed], steps: list[int] | list[list[int]]) -> Iterator[Contradiction]:
    first: dict[int, Timed] = {}
    last: dict[int, Timed] = {}
    for timed in times:
        if timed.node not in first or timed.time < first[timed.node].time:
            first[timed.node] = timed
        if timed.node not in last or timed.time > last[timed.node].time:
            last[timed.node] = timed
    before: dict[int, Timed] = {}
    graph = order.graph
    for step in steps:
        nodes = [step] if isinstance(step, int) else step
        reached = max((before[n] for n in nodes if n in before), default=None, key=_time)
        own = max((last[n] for n in nodes if n in last), default=None, key=_time)
        for node in nodes:
            if reached is not None and node in first and first[node].time < reached.time:
                yield Contradiction(reached, first[node])
                # Told once: what comes after this event is held against its own time.
                reached = own
        carried = own if reached is None else reached if own is None else max(own, reached, key=_time)
        if carried is None:
            continue
        for node in nodes:
            before.pop(node, None)
            for edge in graph.edges(node):
                target = graph.targets[edge]
                known = before.get(target)
                if known is None or known.time < carried.time:
                    before[target] = carried


def _time(timed: Timed) -> datetime:
    return timed.time


def _known(order: Order) -> Iterator[Timed]:
    """Every event with a time that can be compared."""
    instance = order.facts.instance
    for row in instance.alive(ACTIVITY):
        for place, event in ((1, START_OF), (2, END_OF)):
            yield from _timed(order, row[place], 4 * row[0] + event, source(row))
    for kind, place, event in (
        (GENERATION, 3, GENERATION_OF),
        (INVALIDATION, 3, INVALIDATION_OF),
        (START, 4, START_OF),
        (END, 4, END_OF),
    ):
        for row in instance.alive(kind):
            yield from _timed(order, row[place], 4 * row[1] + event, source(row))
    for node, row in order.uses():
        yield from _timed(order, row[3], node, source(row))


def _timed(order: Order, term: int, node: int, statement: int) -> Iterator[Timed]:
    terms = order.facts.instance.terms
    if term == FRESH or term in terms.variables:
        return
    time = moment(terms.names[term])
    if time is not None:
        yield Timed(time, node, statement)
