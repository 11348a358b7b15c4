"""The walk over an index: breadth first, level by level, a level being a set of states (see ``lineage_steps``).

What is found is exact whatever is told of it: how many nodes and edges there are, and the roots. Distances are counted
as far as nodes are told, and only the edges to be told are looked at one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter

from provrepo.views.lineage.adjacency import Move, Rows
from provrepo.views.lineage.path_compression import Closure, Outgrown, undominated
from provrepo.views.lineage.schema import names_content
from provrepo.views.lineage.snapshot import Held, Key
from provrepo.views.lineage.states import BOUNDED, GENERAL, NODE, SHIFT, START, YES, Options

__all__ = ["Options", "Trail", "Walk", "lowest", "merged", "told"]


@dataclass(slots=True)
class Walk:
    """What was found.

    Attributes:
        nodes: the nearest, at least as many as were asked for, with their distance from the start and in its order.
        total: how many nodes there are.
        edges: those between the nodes that are told, with the versions and graphs that say so.
        roots: entities that something came from, and of which it is not said what they came from.
        beyond: how many further nodes are one relation beyond the depth.
        total_edges: how many edges there are in all.
    """

    nodes: dict[int, int] = field(default_factory=dict)
    total: int = 0
    edges: dict[Key, set[tuple[int, int]]] = field(default_factory=dict)
    roots: list[int] = field(default_factory=list)
    beyond: int = 0
    total_edges: int = 0


class Trail:
    """One walk, and what it left behind.

    Where there is no depth and no end of paths, all that is found is found by chains (``lineage_chains``), and levels
    are only gone through as far as distances are asked for. Otherwise the walk goes level by level.

    Attributes:
        total: how many nodes there are.
        beyond: the further nodes that are one relation beyond the depth.
        total_edges: how many edges there are.
    """

    def __init__(self, start: int, rows: Rows, held: Held, options: Options) -> None:
        """Walk from a node."""
        self._rows = rows
        self._held = held
        self._options = options
        self._start = start
        self._first = start | START << SHIFT
        self._closure: Closure | None = None
        self._distances: dict[int, int] = {}
        self._seen: set[int] = set()
        self._pending: set[int] = set()
        self._others: Mapping[int, Collection[int]] = {}
        # Nodes of which there may be several states from which something comes next.
        self._several: set[int] = set()
        self._back: set[int] = set()
        self._ends: set[int] = set()
        self._moves = 0
        self._kept: set[int] | None = None
        self.beyond: set[int] = set()
        if options.depth is None and options.to is None:
            with suppress(Outgrown):
                self._close()
        if self._closure is None:
            self._run()
        if options.to is None:
            self.total_edges = self._total()
        else:
            self._keep(options.to)
        self.total = len(self._distances if self._closure is None else self._closure)

    def found(self) -> set[int]:
        """The nodes."""
        return set(self._distances) if self._closure is None else self._closure.nodes()

    def nearest(self, most: int | None = None) -> dict[int, int]:
        """Nodes with their distance, in its order: at least so many, and all that are as near; all without a number."""
        if self._closure is None:
            return self._distances
        levels = self._spread({self._first}, lambda _, __: None)
        return self._nodes(levels, self.total if most is None else most)

    def edges(self, told: Collection[int]) -> dict[Key, int | None]:
        """The edges between some nodes; each with the time after which nobody's word for it counts, if there is one."""
        found: dict[Key, int | None] = {}
        for move in self._walked(told):
            if move.subject in told and move.object in told:
                key, bound = (move.subject, move.rule, move.object), self._rows.latest(move)
                former = found.get(key, bound)
                found[key] = None if bound is None or former is None else max(bound, former)
        return found

    def steps_among(self, nodes: Collection[int]) -> Iterator[tuple[int, int]]:
        """The steps that lead from one of some nodes to another, as pairs."""
        for node in nodes:
            for state in self._states(node):
                for target in self._rows.row(state):
                    if target & NODE in nodes:
                        yield node, target & NODE

    def says(self, bound: int | None, moment: int) -> bool:
        """Whether what somebody says about an edge, with its time, is why it was walked."""
        return bound is None or not moment or self._rows.steps.sign * moment <= bound

    def roots(self) -> list[int]:
        """What something came from, and what came from nothing known; neither did other versions of its content.

        Nodes that the walk did not go on from are none, nor are those of whose content or its versions this is true: it
        was not asked.
        """
        if not self._options.upstream:
            return []
        nodes = sorted({state & NODE for state in self._ends})
        candidates = [node for node in nodes if not self._explained(node)]
        if self._back or self._options.alternates:
            # Elsewhere nothing but what something came from is ever asked for what it came from.
            candidates = self._causes(candidates)
        if not (self._back or self._pending or self._options.stop):
            return candidates
        siblings = {node: self._versions(node) if names_content(node) else set[int]() for node in candidates}
        contents: dict[int, set[int]] = {node: set() for node in candidates}
        for subject, rule, upper, _ in self._held.contents(candidates):
            if self._rows.steps.own(subject, rule) is not None:
                contents[subject].add(upper)
                siblings[subject] |= self._versions(upper)
        asked = self._asked({other for others in siblings.values() for other in others})
        return [
            node
            for node in candidates
            if siblings[node] <= asked
            and all(map(self._opened, contents[node]))
            and not any(map(self._explained, siblings[node]))
        ]

    def _close(self) -> None:
        scope = self._rows.scope
        self._closure = closure = scope.chains.closure(self._first, self._rows)
        self._moves, self._others = closure.moves, scope.others
        odd = closure.tips.union(closure.odd)
        self._ends = odd & scope.ends
        self._back = odd & scope.backs.keys()
        self._several = {state & NODE for state in scope.special.intersection(closure.odd)}

    def _run(self) -> None:
        """Go level by level."""
        others: dict[int, set[int]] = {}

        def note(part: set[int], rows: list[tuple[int, ...]]) -> None:
            scope = self._rows.scope
            back = scope.backs.keys() & part
            self._moves += sum(map(len, rows)) - sum(len(scope.backs[state]) for state in back)
            for state in (part & scope.special).union(state for state in back if state > NODE):
                others.setdefault(state & NODE, set()).add(state)
            self._ends |= part & scope.ends
            self._back |= back

        self._seen, self._others = {self._first}, others
        levels = list(islice(self._spread(self._seen, note), self._options.depth))
        self._several = set(others)
        self._pending = levels[-1] if levels else set(self._seen)
        self._distances = self._nodes(levels)
        targets = set[int]().union(*(row for _, rows in self._rows.expand(self._pending) for row in rows))
        self.beyond = {state & NODE for state in targets}.difference(self._distances)

    def _spread(self, seen: set[int], note: Callable[[set[int], list[tuple[int, ...]]], None]) -> Iterator[set[int]]:
        """Each level of the walk, as the states that it adds, the last one being empty.

        Args:
            seen: the first state; all that follow are put there.
            note: is told, for each part of a level that is gone beyond, the rows.
        """
        frontier, best = set(seen), dict[int, int]()
        while frontier:
            new: set[int] = set()
            for part, rows in self._rows.expand(frontier):
                note(part, rows)
                new.update(*rows)
            frontier = new.difference(seen)
            # Paths need every way, and so every state.
            if self._rows.scope.bounds and self._options.to is None:
                frontier = self._undominated(frontier, seen, best)
            seen |= frontier
            yield frontier

    def _undominated(self, states: set[int], seen: set[int], best: dict[int, int]) -> set[int]:
        bounded = {state for state in states if state >> SHIFT >= BOUNDED}
        left = undominated(bounded, self._rows.scope.bounds, best, lambda node: node in seen or node in states)
        return states - bounded | left

    def _nodes(self, levels: Iterable[set[int]], most: int | None = None) -> dict[int, int]:
        nodes = {self._start: 0}
        for distance, states in enumerate(levels, 1):
            if max(states, default=0) > NODE:
                states = {state & NODE for state in states}  # noqa: PLW2901 (most states are the numbers of their nodes)
            nodes.update(dict.fromkeys(states.difference(nodes), distance))
            if most is not None and len(nodes) >= most:
                break
        return nodes

    def _visited(self, state: int) -> bool:
        """Whether the walk went on from a state."""
        if self._closure is not None:
            return self._closure.visited(state)
        return state in self._seen and state not in self._pending

    def _states(self, node: int) -> list[int]:
        """The states of a node from which the walk went on."""
        states = {node, node | START << SHIFT, *self._others.get(node, ())}
        return [state for state in sorted(states) if self._visited(state) and self._rows.row(state)]

    def _walked(self, nodes: Iterable[int]) -> Iterable[Move]:
        """The steps from some nodes, as far as they are kept."""
        states = [state for node in nodes for state in self._states(node)]
        kept = self._kept
        moves = self._rows.moves(states)
        return moves if kept is None else (move for move in moves if move.target in kept)

    def _total(self) -> int:
        """How many edges were walked.

        The number of moves, but for edges that were walked from several states of one node, which count once, and those
        that were walked back, which count where they were not walked from their other end, too.
        """
        total, several = self._moves, self._several
        if self._closure is not None:
            # Nearly all have one other state beside the main one, if that was found at all.
            rows, backs, others = self._rows.scope.rows, self._rows.scope.backs, self._others
            single = {node for node in several if len(others[node]) == 1}
            several = several - single
            for node in self._closure.in_main(single):
                (other,) = others[node]
                total -= min(len(rows[node]) - len(backs.get(node, ())), len(rows[other]) - len(backs.get(other, ())))
        for node in several:
            sizes = [len(self._rows.row(state)) - len(self._rows.backs(state)) for state in self._states(node)]
            total -= sum(sizes) - max(sizes, default=0)
        if self._pending or self._options.stop:
            # Otherwise the walk went on from each of them, and there followed the edge by which it had come.
            total += len(self._one_way())
        return total

    def _one_way(self) -> set[Key]:
        """The edges that were walked back and not in their own direction."""
        rows, found = self._rows, set[Key]()
        for state in self._back:
            for target, rule in rows.backs(state):
                far = target & NODE
                if not any(rows.follows(other, rule) for other in self._states(far)):
                    found.add((state & NODE, rule, far))
        return found

    def _explained(self, node: int) -> bool:
        """Whether the walk found what a node came from."""
        return any(s not in self._ends and self._rows.steps.explains(s) for s in self._states(node))

    def _asked(self, nodes: set[int]) -> set[int]:
        """Those of some nodes of which the walk looked what they came from."""
        asked = set(filter(self._visited, nodes))
        return asked - self._rows.stopped(asked) | nodes.intersection({self._start})

    def _opened(self, content: int) -> bool:
        """Whether the walk looked which versions there are of content."""
        depth = self._options.depth
        stopped = self._rows.stopped({content}) - {self._start}
        return not stopped and (depth is None or self._distances.get(content) != depth)

    def _causes(self, nodes: list[int]) -> list[int]:
        """Those of some nodes that something came from, or where the walk started."""
        reached = {self._start}
        for subject, rule, upper, moment in self._held.edges(nodes, into=True, rules=sorted(YES)):
            if upper not in reached and any(self._rows.follows(s, rule, moment) for s in self._states(subject)):
                reached.add(upper)
        return [node for node in nodes if node in reached]

    def _versions(self, content: int) -> set[int]:
        """The versions of content that the walk went to from there."""
        rows = self._rows
        return {
            target & NODE for state in self._states(content) for target, rule in rows.backs(state) if rule in GENERAL
        }

    def _keep(self, to: int) -> None:
        """Keep what is on a way from the start to a node: the ways back from there."""
        before: dict[int, list[int]] = {}
        for state in self._seen - self._pending:
            for target in self._rows.row(state):
                before.setdefault(target, []).append(state)
        waiting = [state for state in self._seen if state & NODE == to]
        kept = set(waiting)
        while waiting:
            new = [state for state in before.get(waiting.pop(), ()) if state not in kept]
            kept.update(new)
            waiting += new
        self._kept = kept
        on_path = {state & NODE for state in kept} or {self._start}
        self._distances = {node: distance for node, distance in self._distances.items() if node in on_path}
        self.total_edges = len({(move.subject, move.rule, move.object) for move in self._walked(on_path)})


def merged(trails: Sequence[Trail], most: int) -> Walk:
    """Several walks from one start as one, without edges: at least so many nodes, by their smallest distance."""
    first, *others = trails
    if not others:
        return Walk(first.nearest(most), first.total, {}, first.roots(), len(first.beyond), first.total_edges)
    nodes, found, beyond, edges = dict[int, int](), set[int](), set[int](), 0
    for place, trail in enumerate(trails):
        for node, distance in trail.nearest(most).items():
            nodes[node] = min(distance, nodes.get(node, distance))
        found |= trail.found()
        beyond |= trail.beyond
        edges += trail.total_edges
        known = set[Key]().union(*(_shared(trail, former) for former in trails[:place]))
        edges -= len(known)
    nodes = dict(sorted(nodes.items(), key=itemgetter(1)))
    roots = dict.fromkeys(root for trail in trails for root in trail.roots())
    return Walk(nodes, len(found), {}, list(roots), len(beyond - found), edges)


def _shared(trail: Trail, other: Trail) -> set[Key]:
    """The edges of two walks: both ends of each were found by both."""
    nodes = trail.found() & other.found()
    return trail.edges(nodes).keys() & other.edges(nodes).keys()


def told(trails: Sequence[Trail], held: Held, nodes: Sequence[int]) -> dict[Key, set[tuple[int, int]]]:
    """The edges between nodes, with the versions and graphs that say so."""
    among, found = set(nodes), dict[Key, set[tuple[int, int]]]()
    edges = [(trail, trail.edges(among)) for trail in trails]
    for subject, rule, upper, moment, version, graph in held.saying(nodes):
        key = subject, rule, upper
        if any(key in walked and trail.says(walked[key], moment) for trail, walked in edges):
            found.setdefault(key, set()).add((version, graph))
    return found


def lowest(trails: Sequence[Trail], nodes: Collection[int]) -> list[int]:
    """Those of some nodes to which no edge leads from another one of them.

    Where they form circles, those of a circle to which none leads from outside of it.
    """
    above: dict[int, set[int]] = {node: set() for node in nodes}
    for trail in trails:
        for node, upper in trail.steps_among(above):
            above[node].add(upper)
    below: dict[int, set[int]] = {node: set() for node in nodes}
    for node, uppers in above.items():
        for upper in uppers - {node}:
            below[upper].add(node)
    found = [node for node in nodes if not below[node]]
    rest = set(nodes) - _reached(found, above)
    while rest:
        circle = _circle(min(rest), above, below)
        found += sorted(circle)
        rest -= _reached(circle, above)
    return found


def _circle(node: int, above: dict[int, set[int]], below: dict[int, set[int]]) -> set[int]:
    """A circle below a node, or with it, to which nothing leads."""
    while True:
        under = _reached([node], below)
        others = under - _reached([node], above)
        if not others:
            return under
        node = min(others)


def _reached(nodes: Iterable[int], steps: dict[int, set[int]]) -> set[int]:
    found, waiting = set(nodes), list(nodes)
    while waiting:
        new = steps[waiting.pop()] - found
        found |= new
        waiting += new
    return found
