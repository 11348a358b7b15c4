"""Event ordering, rules 30–49: a graph of events with edges for ≼, and for ≺ by rule 42.

An instance is invalid if a cycle has a strict edge (section 6.2), that is, if a strict edge lies within a strongly
connected component.

All generations of an entity are simultaneous (39), as are all its invalidations (40), and all starts (31) and all ends
(32) of an activity. So each term has one node for each of these four events, and each usage has one. This keeps the
graph linear in the size of the instance: ten thousand generations of one entity are one node. Specialization is
transitive (19), as is reachability. The node of an entity without a generation only connects the edges of rules 45 and
46, because no other rule adds an edge to an event that does not take place.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from typing import NamedTuple

from provrepo.checks.constraints.graph import DirectedGraph
from provrepo.checks.constraints.inferences import Facts, associated, triggered
from provrepo.checks.constraints.instance import Row, source
from provrepo.checks.constraints.terms import FRESH
from provrepo.checks.constraints.unify import Unifier
from provrepo.model.statements import (
    ACTIVITY,
    ATTRIBUTION,
    COMMUNICATION,
    DELEGATION,
    DERIVATION,
    END,
    GENERATION,
    INVALIDATION,
    START,
    USAGE,
)

__all__ = [
    "END_OF",
    "GENERATION_OF",
    "INVALIDATION_OF",
    "START_OF",
    "STRICT",
    "Order",
    "OrderStep",
    "Unlisted",
    "conflicts",
]

GENERATION_OF, INVALIDATION_OF, START_OF, END_OF = range(4)
"""The event of a node: its number modulo 4. The nodes of usages follow all of these."""

STRICT = 42
"""The only rule with a strict order."""

_NO_STATEMENT = -1
_CYCLES = 20
"""The most cycles that are listed of one component."""

_SHORTEST = 2
"""The number of edges of a cycle from which no shorter one is searched for."""

_STEPS = 500_000
"""Edges after which the search for a shorter cycle ends."""


class OrderStep(NamedTuple):
    """One edge of a cycle: an event comes before, or not after, another.

    Attributes:
        before: the node of the first event.
        after: the node of the second event.
        rule: the number of the rule that orders them.
        statement: the number of the statement that the rule was applied to, or None.
    """

    before: int
    after: int
    rule: int
    statement: int | None


class Order:
    """The events of an instance and their order.

    Attributes:
        facts: the events that take place.
        graph: of the events.
        usages: the rows of the usages, in the order of their nodes, which follow those of the terms.
        rules: the rule of each edge.
        statements: the number of the statement of each edge, -1 where there is none.
    """

    def __init__(self, facts: Facts, unifier: Unifier) -> None:
        self.facts = facts
        self.unifier = unifier
        self.usages = list(facts.instance.current(USAGE))
        self.base = 4 * len(facts.instance.terms)
        self.graph = DirectedGraph(self.base + len(self.usages))
        self.rules = array("b")
        self.statements = array("i")
        for rule in ORDERING:
            rule(self)

    def add(self, before: int, after: int, rule: int, statement: int = _NO_STATEMENT) -> None:
        """Add an edge: one event comes before, or not after, another."""
        self.graph.add(before, after)
        self.rules.append(rule)
        self.statements.append(statement)

    def uses(self) -> Iterator[tuple[int, Row]]:
        """The node and row of each usage."""
        return enumerate(self.usages, self.base)

    def step(self, edge: int) -> OrderStep:
        """An edge with its rule and statement."""
        number = self.statements[edge]
        statement = None if number == _NO_STATEMENT else number
        return OrderStep(self.graph.sources[edge], self.graph.targets[edge], self.rules[edge], statement)


def rule_30(order: Order) -> None:
    """30 start-precedes-end: an activity starts before it ends; with 31 and 32, each start before each end."""
    facts = order.facts
    statements: dict[int, int] = {}
    for kind in (ACTIVITY, START, END):
        for row in facts.instance.current(kind):
            activity = row[0] if kind is ACTIVITY else row[1]
            if facts.started[activity] and facts.ended[activity] and activity not in statements:
                statements[activity] = source(row)
    for activity, statement in statements.items():
        order.add(4 * activity + START_OF, 4 * activity + END_OF, 30, statement)


def rule_33(order: Order) -> None:
    """33 usage-within-activity: an activity uses entities between its start and its end."""
    started, ended = order.facts.started, order.facts.ended
    for node, row in order.uses():
        activity = row[1]
        if started[activity]:
            order.add(4 * activity + START_OF, node, 33, source(row))
        if ended[activity]:
            order.add(node, 4 * activity + END_OF, 33, source(row))


def rule_34(order: Order) -> None:
    """34 generation-within-activity: an activity generates entities between its start and its end."""
    facts = order.facts
    rows = facts.instance.current(GENERATION)
    generations = [(row[1], row[2], source(row)) for row in rows if row[2] != FRESH]
    for entity, activity, statement in (*generations, *triggered(facts)):
        if facts.generated[entity]:
            if facts.started[activity]:
                order.add(4 * activity + START_OF, 4 * entity + GENERATION_OF, 34, statement)
            if facts.ended[activity]:
                order.add(4 * entity + GENERATION_OF, 4 * activity + END_OF, 34, statement)


def rule_35(order: Order) -> None:
    """35 wasInformedBy-ordering: the informant starts before the informed activity ends."""
    facts = order.facts
    for row in facts.instance.current(COMMUNICATION):
        if facts.started[row[2]] and facts.ended[row[1]]:
            order.add(4 * row[2] + START_OF, 4 * row[1] + END_OF, 35, row[-1])


def rule_36(order: Order) -> None:
    """36 generation-precedes-invalidation: an entity is generated before it is invalidated."""
    facts = order.facts
    statements = dict(facts.entities)
    for row in facts.instance.current(INVALIDATION):
        statements.setdefault(row[1], row[-1])
    for entity, statement in statements.items():
        if facts.generated[entity] and facts.invalidated[entity]:
            order.add(4 * entity + GENERATION_OF, 4 * entity + INVALIDATION_OF, 36, statement)


def rule_37(order: Order) -> None:
    """37 generation-precedes-usage: an entity is generated before it is used."""
    generated = order.facts.generated
    for node, row in order.uses():
        if generated[row[2]]:
            order.add(4 * row[2] + GENERATION_OF, node, 37, source(row))


def rule_38(order: Order) -> None:
    """38 usage-precedes-invalidation: an entity is used before it is invalidated."""
    invalidated = order.facts.invalidated
    for node, row in order.uses():
        if invalidated[row[2]]:
            order.add(node, 4 * row[2] + INVALIDATION_OF, 38, source(row))


def rule_41(order: Order) -> None:
    """41 derivation-usage-generation-ordering: the usage of a derivation comes before its generation."""
    instance = order.facts.instance
    nodes = {id(row): node for node, row in order.uses()} if order.unifier.used else {}
    for derivation, use in order.unifier.used:
        node = nodes.get(id(instance.representative(use)))
        if node is not None and id(derivation) not in instance.merged and derivation[1] != FRESH:
            order.add(node, 4 * derivation[1] + GENERATION_OF, 41, source(derivation))


def rule_42(order: Order) -> None:
    """42 derivation-generation-generation-ordering: the derived entity is generated strictly after its source."""
    generated = order.facts.generated
    for row in order.facts.instance.current(DERIVATION):
        if generated[row[1]] and generated[row[2]]:
            order.add(4 * row[2] + GENERATION_OF, 4 * row[1] + GENERATION_OF, 42, row[-1])


def rules_43_44(order: Order) -> None:
    """43 wasStartedBy-ordering, 44 wasEndedBy-ordering: the trigger exists at the start or end that it triggers."""
    facts = order.facts
    for rule, kind, event in ((43, START, START_OF), (44, END, END_OF)):
        for row in facts.instance.current(kind):
            node = 4 * row[1] + event
            if facts.generated[row[2]]:
                order.add(4 * row[2] + GENERATION_OF, node, rule, row[-1])
            if facts.invalidated[row[2]]:
                order.add(node, 4 * row[2] + INVALIDATION_OF, rule, row[-1])


def rules_45_46(order: Order) -> None:
    """45, 46 specialization-…-ordering: a specialization exists while the general entity exists."""
    for general, specific, statement in order.facts.specializations:
        order.add(4 * general + GENERATION_OF, 4 * specific + GENERATION_OF, 45, statement)
        order.add(4 * specific + INVALIDATION_OF, 4 * general + INVALIDATION_OF, 46, statement)


def rule_47(order: Order) -> None:
    """47 wasAssociatedWith-ordering: an agent, as entity or activity, exists at some time during the activity."""
    facts = order.facts
    for activity, agent, row in associated(facts):
        if facts.started[activity]:
            if facts.invalidated[agent]:
                order.add(4 * activity + START_OF, 4 * agent + INVALIDATION_OF, 47, row[-1])
            if facts.ended[agent]:
                order.add(4 * activity + START_OF, 4 * agent + END_OF, 47, row[-1])
        if facts.ended[activity]:
            if facts.generated[agent]:
                order.add(4 * agent + GENERATION_OF, 4 * activity + END_OF, 47, row[-1])
            if facts.started[agent]:
                order.add(4 * agent + START_OF, 4 * activity + END_OF, 47, row[-1])


def rule_48(order: Order) -> None:
    """48 wasAttributedTo-ordering: an agent exists before the entity attributed to it is generated."""
    facts = order.facts
    for row in facts.instance.current(ATTRIBUTION):
        entity, agent = row[1], row[2]
        if facts.generated[entity]:
            if facts.generated[agent]:
                order.add(4 * agent + GENERATION_OF, 4 * entity + GENERATION_OF, 48, row[-1])
            if facts.started[agent]:
                order.add(4 * agent + START_OF, 4 * entity + GENERATION_OF, 48, row[-1])


def rule_49(order: Order) -> None:
    """49 actedOnBehalfOf-ordering: the responsible agent exists before the delegate ceases to exist."""
    facts = order.facts
    for row in facts.instance.current(DELEGATION):
        delegate, responsible = row[1], row[2]
        if facts.generated[responsible] and facts.invalidated[delegate]:
            order.add(4 * responsible + GENERATION_OF, 4 * delegate + INVALIDATION_OF, 49, row[-1])
        if facts.started[responsible] and facts.ended[delegate]:
            order.add(4 * responsible + START_OF, 4 * delegate + END_OF, 49, row[-1])


ORDERING: tuple[Callable[[Order], None], ...] = (
    rule_30,
    rule_33,
    rule_34,
    rule_35,
    rule_36,
    rule_37,
    rule_38,
    rule_41,
    rule_42,
    rules_43_44,
    rules_45_46,
    rule_47,
    rule_48,
    rule_49,
)
"""Functions that add the edges of the rules; the numbering of nodes implements rules 31, 32, 39 and 40."""


class Unlisted(NamedTuple):
    """The cycles of one component beyond the listed ones.

    Attributes:
        listed: the number of listed cycles.
        strict: the number of strict edges on cycles of the component.
        statement: the number of the statement of a strict edge.
    """

    listed: int
    strict: int
    statement: int


def conflicts(order: Order, components: list[list[int]]) -> Iterator[list[OrderStep] | Unlisted]:
    """Shortest cycles with a strict edge, which comes first in each.

    Cycles that share a statement usually have one cause, so only one of them is listed; if it is repaired and another
    remains, the next check lists that. At most 20 cycles are listed of each component; where there are more, an
    ``Unlisted`` follows.

    Args:
        order: of an instance.
        components: its strongly connected components.
    """
    if not components:
        return
    graph, rules = order.graph, order.rules
    component_of = {node: number for number, component in enumerate(components) for node in component}
    strict: dict[int, list[int]] = {}
    for edge, rule in enumerate(rules):
        if rule == STRICT:
            number = component_of.get(graph.sources[edge])
            if number is not None and number == component_of.get(graph.targets[edge]):
                strict.setdefault(number, []).append(edge)
    for number, edges in sorted(strict.items()):
        search = _CycleSearch(order, frozenset(components[number]), edges)
        for _ in range(_CYCLES):
            cycle = search.shortest()
            if cycle is None:
                break
            yield [order.step(edge) for edge in cycle]
        else:
            if search.shortest() is not None:
                yield Unlisted(_CYCLES, len(edges), order.statements[edges[0]])


class _CycleSearch:
    """Search for cycles in one component, each without the statements of those found before."""

    def __init__(self, order: Order, component: frozenset[int], strict: list[int]) -> None:
        self._order = order
        self._component = component
        self._strict = strict
        self._listed: set[int] = set()
        self._steps = 0

    def shortest(self) -> list[int] | None:
        """The edges of a shortest cycle with a strict edge; None where there is none.

        The budget of steps limits only the search for shorter cycles: until one is found, the search continues.
        """
        graph, statements = self._order.graph, self._order.statements
        best: list[int] | None = None
        for edge in self._strict:
            if statements[edge] in self._listed:
                continue
            path = graph.shortest(graph.targets[edge], graph.sources[edge], self._component, self._allowed)
            if path is not None and (best is None or len(path) + 1 < len(best)):
                best = [edge, *path]
            if self._steps > _STEPS or (best is not None and len(best) <= _SHORTEST):
                break
        self._listed.update(statements[edge] for edge in best or ())
        self._listed.discard(_NO_STATEMENT)
        return best

    def _allowed(self, edge: int) -> bool:
        self._steps += 1
        return self._order.statements[edge] not in self._listed
