"""Times that contradict the order of events.

PROV-CONSTRAINTS does not relate times and order (section 2.2: times may come from different clocks), so these are
warnings under a rule of provrepo. The latest time of all preceding events is propagated along the order, in time linear
in the size of the graph.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from provrepo.checks.constraints.instance import source
from provrepo.checks.constraints.ordering import END_OF, GENERATION_OF, INVALIDATION_OF, START_OF, Order
from provrepo.checks.constraints.terms import FRESH, comparable_time
from provrepo.model.statements import ACTIVITY, END, GENERATION, INVALIDATION, START

__all__ = ["Contradiction", "contradictions"]


class TimedEvent(NamedTuple):
    """An event with a time.

    Attributes:
        time: in UTC, or without a time zone; only times of the same form are compared.
        node: of the event.
        statement: the number of the statement with the time.
    """

    time: datetime
    node: int
    statement: int


class Contradiction(NamedTuple):
    """Two events whose times contradict their order.

    Attributes:
        earlier: the event that comes first in the order.
        later: the event that comes after it, with an earlier time.
    """

    earlier: TimedEvent
    later: TimedEvent


def contradictions(order: Order, nodes: list[int], components: list[list[int]]) -> Iterator[Contradiction]:
    """Each event with an earlier time than an event before it.

    Args:
        order: of an instance.
        nodes: the events that have a topological order, in that order.
        components: the strongly connected components of the others, in topological order.
    """
    events = list(_events(order))
    for zoned in (True, False):
        times = [timed for timed in events if (timed.time.tzinfo is not None) is zoned]
        if times:
            steps = [*([node] for node in nodes), *components] if components else nodes
            yield from _contradictions(order, times, steps)


def _contradictions(
    order: Order, times: list[TimedEvent], steps: list[int] | list[list[int]]
) -> Iterator[Contradiction]:
    first: dict[int, TimedEvent] = {}
    last: dict[int, TimedEvent] = {}
    for timed in times:
        if timed.node not in first or timed.time < first[timed.node].time:
            first[timed.node] = timed
        if timed.node not in last or timed.time > last[timed.node].time:
            last[timed.node] = timed
    before: dict[int, TimedEvent] = {}
    graph = order.graph
    for step in steps:
        nodes = [step] if isinstance(step, int) else step
        reached = max((before[n] for n in nodes if n in before), default=None, key=_time)
        own = max((last[n] for n in nodes if n in last), default=None, key=_time)
        for node in nodes:
            if reached is not None and node in first and first[node].time < reached.time:
                yield Contradiction(reached, first[node])
                # Reported once: later events are compared with the time of this one.
                reached = own
        latest = own if reached is None else reached if own is None else max(own, reached, key=_time)
        if latest is None:
            continue
        for node in nodes:
            before.pop(node, None)
            for edge in graph.edges(node):
                target = graph.targets[edge]
                known = before.get(target)
                if known is None or known.time < latest.time:
                    before[target] = latest


def _time(timed: TimedEvent) -> datetime:
    return timed.time


def _events(order: Order) -> Iterator[TimedEvent]:
    """All events with a time that can be compared."""
    instance = order.facts.instance
    for row in instance.current(ACTIVITY):
        for index, event in ((1, START_OF), (2, END_OF)):
            yield from _timed_events(order, row[index], 4 * row[0] + event, source(row))
    for kind, index, event in (
        (GENERATION, 3, GENERATION_OF),
        (INVALIDATION, 3, INVALIDATION_OF),
        (START, 4, START_OF),
        (END, 4, END_OF),
    ):
        for row in instance.current(kind):
            yield from _timed_events(order, row[index], 4 * row[1] + event, source(row))
    for node, row in order.uses():
        yield from _timed_events(order, row[3], node, source(row))


def _timed_events(order: Order, term: int, node: int, statement: int) -> Iterator[TimedEvent]:
    terms = order.facts.instance.terms
    if term == FRESH or term in terms.variables:
        return
    time = comparable_time(terms.names[term])
    if time is not None:
        yield TimedEvent(time, node, statement)
