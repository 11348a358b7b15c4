"""The walk over an index by the table of ``lineage_table``: integers in, integers out.

A path upstream goes along followed relations; a leaf ends it; after a specialization it only goes further up, or from
content to its versions; a use that is timed after the generation by which its activity was reached is no part of it.
What is downstream of a thing is everything that the thing is upstream of: the same paths, read from their end.

What may come next depends on what came before, so a walk visits *states*: a node with what is open from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple

from provrepo.model.statements import DERIVATION, GENERATION, USAGE
from provrepo.views.lineage_table import RULES, Follow

__all__ = ["GENERAL", "Options", "Row", "Steps", "Walk", "merged", "walk"]


class Row(NamedTuple):
    """An edge as the index holds it.

    Attributes:
        subject: the effect.
        rule: the number of its rule.
        object: what is upstream.
        time: of a generation or usage; 0 where none is known.
        version: the number of the version that says so.
        graph: of that version: 0 for the top level, n for the n-th bundle.
    """

    subject: int
    rule: int
    object: int
    time: int
    version: int
    graph: int


Key = tuple[int, int, int]
"""Subject, rule and object: one edge, whoever says it."""

Find = Callable[[Sequence[int]], Iterable[Row]]


class Steps(NamedTuple):
    """How a walk looks into an index, for many nodes at once. What names content is a number below zero.

    Attributes:
        out: the rows whose subject is one of them.
        into: the rows whose object is one of them.
        versions: the specializations whose object is one of them.
        contents: the specializations whose subject is one of them and whose object is content.
    """

    out: Find
    into: Find
    versions: Find
    contents: Find


@dataclass(frozen=True, slots=True)
class Options:
    """What a walk does.

    Attributes:
        upstream: or downstream.
        depth: the most relations between the start and a node; None for no limit.
        strict: only along derivations.
        alternates: also along alternates, both ways.
        to: keep only what is on a path to this node.
        relations: the names of the rules that may be followed; None for all.
        stop: types: a thing of one of them is found but not gone beyond; ``prov:Entity``, ``prov:Activity`` and
            ``prov:Agent`` count as types, too. The start is gone beyond in any case.
    """

    upstream: bool = True
    depth: int | None = None
    strict: bool = False
    alternates: bool = False
    to: int | None = None
    relations: frozenset[str] | None = None
    stop: frozenset[str] = frozenset()


@dataclass(slots=True)
class Walk:
    """What was found.

    Attributes:
        nodes: with their distance from the start, in the order in which they were found.
        edges: with the versions and graphs that say so.
        roots: nodes that something came from, and of which it is not said what they came from.
        beyond: how many further nodes are one relation beyond the depth.
        total_edges: how many edges there are in all.
    """

    nodes: dict[int, int] = field(default_factory=dict)
    edges: dict[Key, set[tuple[int, int]]] = field(default_factory=dict)
    roots: list[int] = field(default_factory=list)
    beyond: int = 0
    total_edges: int = 0


# What is open from a node: everything includes what a smaller number allows.
_LEAF, _HALF, _FULL, _START = range(4)

GENERAL = tuple(number for number, rule in enumerate(RULES) if rule.follow is Follow.GENERAL)
"""The rules that lead to something general."""

_FOLLOW = tuple(rule.follow for rule in RULES)
_DERIVATION = next(number for number, rule in enumerate(RULES) if rule.kind is DERIVATION)
_GENERATION = next(number for number, rule in enumerate(RULES) if rule.kind is GENERATION)
_USAGE = next(number for number, rule in enumerate(RULES) if rule.kind is USAGE)


class _State(NamedTuple):
    """Where a walk is.

    Attributes:
        node: the node.
        open: what is open from there.
        bound: of an activity: the time of the event by which it was reached, earlier ones being smaller upstream and
            greater downstream; None where any time will do.
    """

    node: int
    open: int
    bound: int | None = None


def walk(start: int, steps: Steps, options: Options) -> Walk:
    """Walk from a node, breadth first."""
    return _Walker(steps, options).run(start)


def merged(walks: Sequence[Walk]) -> Walk:
    """Several walks from one start as one: nodes by their smallest distance, roots of the first."""
    first, *others = walks
    for other in others:
        for node, distance in other.nodes.items():
            first.nodes[node] = min(distance, first.nodes.get(node, distance))
        for key, sources in other.edges.items():
            first.edges.setdefault(key, set()).update(sources)
        first.beyond += other.beyond
    first.nodes = dict(sorted(first.nodes.items(), key=itemgetter(1)))
    return first


class _Walker:
    """One walk."""

    def __init__(self, steps: Steps, options: Options) -> None:
        self._steps = steps
        self._options = options
        self._found = Walk()
        self._states: dict[int, list[_State]] = {}
        self._arrivals: dict[_State, list[tuple[_State, Key]]] = {}
        self._versions: dict[int, list[int]] = {}
        self._next = self._upstream if options.upstream else self._downstream

    def run(self, start: int) -> Walk:
        found, options = self._found, self._options
        first = _State(start, _START)
        found.nodes[start], self._states[start] = 0, [first]
        frontier, distance = [first], 0
        while frontier and (options.depth is None or distance < options.depth):
            distance += 1
            frontier = list(self._level(frontier, distance))
        if frontier:
            reached = {state.node for _, _, state in self._moves(frontier)}
            found.beyond = sum(node not in found.nodes for node in reached)
        if options.to is not None:
            return self._paths(first, options.to)
        found.roots = self._roots(start, {state.node for state in frontier})
        return found

    def _level(self, frontier: list[_State], distance: int) -> Iterator[_State]:
        """One relation further; the states that are new."""
        found = self._found
        for state, row, after in self._moves(frontier):
            key = (row.subject, row.rule, row.object)
            found.edges.setdefault(key, set()).add((row.version, row.graph))
            if self._options.to is not None:
                self._arrivals.setdefault(after, []).append((state, key))
            if self._enter(after):
                found.nodes.setdefault(after.node, distance)
                yield after

    def _enter(self, state: _State) -> bool:
        """Whether a state opens what no state of its node has opened yet. Paths need every way, and so every state."""
        known = self._states.setdefault(state.node, [])
        if self._options.to is not None:
            new = state not in known
        else:
            new = not any(_includes(other, state) for other in known)
        if new:
            known.append(state)
        return new

    def _moves(self, frontier: Iterable[_State]) -> Iterator[tuple[_State, Row, _State]]:
        states: dict[int, list[_State]] = {}
        for state in frontier:
            if state.open > _LEAF:
                states.setdefault(state.node, []).append(state)
        nodes = list(states)
        if self._options.strict:
            return self._strict(nodes, states)
        return self._next(nodes, states)

    def _strict(self, nodes: list[int], states: dict[int, list[_State]]) -> Iterator[tuple[_State, Row, _State]]:
        upstream = self._options.upstream
        for row in (self._steps.out if upstream else self._steps.into)(nodes):
            if row.rule == _DERIVATION:
                here, there = (row.subject, row.object) if upstream else (row.object, row.subject)
                for state in states[here]:
                    yield state, row, _State(there, _FULL)

    def _upstream(self, nodes: list[int], states: dict[int, list[_State]]) -> Iterator[tuple[_State, Row, _State]]:
        for row in self._steps.out(nodes):
            follow, timed = _FOLLOW[row.rule], row.time or None
            for state in states[row.subject]:
                if follow is Follow.GENERAL:
                    yield state, row, _State(row.object, _HALF)
                elif state.open == _HALF:
                    continue
                elif follow is Follow.LEAF:
                    yield state, row, _State(row.object, _LEAF)
                elif follow is Follow.YES:
                    if row.rule == _USAGE and _after(timed, state.bound):
                        continue
                    yield state, row, _State(row.object, _FULL, timed if row.rule == _GENERATION else None)
                elif follow is Follow.REQUEST and self._options.alternates:
                    yield state, row, _State(row.object, _FULL)
        for row in self._steps.versions([node for node in nodes if node < 0]):
            self._versions.setdefault(row.object, []).append(row.subject)
            for state in states[row.object]:
                yield state, row, _State(row.subject, _FULL)
        if self._options.alternates:
            yield from self._alternates(nodes, states, _FULL, _FULL)

    def _downstream(self, nodes: list[int], states: dict[int, list[_State]]) -> Iterator[tuple[_State, Row, _State]]:
        for row in self._steps.into(nodes):
            follow, timed = _FOLLOW[row.rule], -row.time or None
            for state in states[row.object]:
                if follow is Follow.YES:
                    if row.rule == _GENERATION and _after(timed, state.bound):
                        continue
                    yield state, row, _State(row.subject, _HALF, timed if row.rule == _USAGE else None)
                elif follow is Follow.GENERAL and state.open > _HALF:
                    yield state, row, _State(row.subject, _FULL)
                elif (follow is Follow.LEAF and state.open == _START) or (
                    follow is Follow.REQUEST and self._options.alternates
                ):
                    yield state, row, _State(row.subject, _HALF)
        for row in self._steps.contents(nodes):
            for state in states[row.subject]:
                yield state, row, _State(row.object, _FULL)
        if self._options.alternates:
            yield from self._alternates(nodes, states, _HALF, _HALF)

    def _alternates(
        self, nodes: list[int], states: dict[int, list[_State]], least: int, after: int
    ) -> Iterator[tuple[_State, Row, _State]]:
        """Alternates against the direction in which they were written: the relation has none."""
        upstream = self._options.upstream
        for row in (self._steps.into if upstream else self._steps.out)(nodes):
            here, there = (row.object, row.subject) if upstream else (row.subject, row.object)
            if _FOLLOW[row.rule] is Follow.REQUEST:
                for state in states[here]:
                    if state.open >= least:
                        yield state, row, _State(there, after)

    def _roots(self, start: int, pending: set[int]) -> list[int]:
        """What something came from, and what came from nothing known; neither did other versions of its content.

        Args:
            start: of the walk.
            pending: nodes from which the walk has not gone on.
        """
        followed = [(subject, upper) for subject, rule, upper in self._found.edges if _FOLLOW[rule] is Follow.YES]
        effects = {subject for subject, _ in followed}
        contents = {
            subject: upper for subject, rule, upper in self._found.edges if rule in GENERAL and upper in self._versions
        }
        causes = dict.fromkeys([start, *(upper for _, upper in followed)])
        return [
            node
            for node in causes
            if node not in pending
            and not effects.intersection([node, *self._versions.get(contents.get(node, node), ())])
        ]

    def _paths(self, first: _State, to: int) -> Walk:
        """What is on a way from the start to a node: the ways back from there."""
        waiting = list(self._states.get(to, ()))
        seen = dict.fromkeys(waiting)
        keys: dict[Key, None] = {}
        while waiting:
            for state, key in self._arrivals.get(waiting.pop(), ()):
                keys[key] = None
                if state not in seen:
                    seen[state] = None
                    waiting.append(state)
        nodes = {state.node for state in seen} if seen else {first.node}
        found = self._found
        return Walk(
            {node: distance for node, distance in found.nodes.items() if node in nodes},
            {key: sources for key, sources in found.edges.items() if key in keys},
            beyond=found.beyond,
        )


def _includes(state: _State, other: _State) -> bool:
    """Whether everything that is open from one state is open from the other."""
    if state.open < other.open:
        return False
    return state.bound is None or (other.bound is not None and state.bound >= other.bound)


def _after(time: int | None, bound: int | None) -> bool:
    return time is not None and bound is not None and time > bound
