"""Traversal of the index: breadth first, level by level; a level is a set of states (``states``).

Totals of nodes and edges, and the roots, are exact whatever the limit. Distances are computed only for the nodes that
are returned, and only the edges that are returned are read one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter

from provrepo.views.lineage.adjacency import Adjacency, Move
from provrepo.views.lineage.path_compression import CacheFull, Closure, undominated
from provrepo.views.lineage.schema import names_content
from provrepo.views.lineage.snapshot import Key, Snapshot
from provrepo.views.lineage.states import BOUNDED, GENERAL, NODE, SHIFT, START, YES, Options

__all__ = ["Options", "Traversal", "Found", "nearest_common", "merged", "reported_edges"]


@dataclass(slots=True)
class Found:
    """The result of one or more traversals.

    Attributes:
        nodes: the nearest nodes with their distance, in its order; at least as many as requested.
        total: the number of all nodes.
        edges: the edges between the returned nodes, with the versions and graphs that assert them.
        roots: entities that something came from and that have no asserted cause.
        beyond: the number of nodes one relation beyond the depth.
        total_edges: the number of all edges.
    """

    nodes: dict[int, int] = field(default_factory=dict)
    total: int = 0
    edges: dict[Key, set[tuple[int, int]]] = field(default_factory=dict)
    roots: list[int] = field(default_factory=list)
    beyond: int = 0
    total_edges: int = 0


class Traversal:
    """One traversal from a node.

    Without a depth and a target the nodes are found through compressed paths (``path_compression``), and levels are
    computed only as far as distances are needed. Otherwise the traversal goes level by level.

    Attributes:
        total: the number of nodes.
        beyond: the nodes one relation beyond the depth.
        total_edges: the number of edges.
    """

    def __init__(self, start: int, rows: Adjacency, snapshot: Snapshot, options: Options) -> None:
        """Traverse from a node."""
        self._adjacency = rows
        self._snapshot = snapshot
        self._options = options
        self._start = start
        self._first = start | START << SHIFT
        self._closure: Closure | None = None
        self._distances: dict[int, int] = {}
        self._seen: set[int] = set()
        self._pending: set[int] = set()
        self._others: Mapping[int, Collection[int]] = {}
        # Nodes that may have several states with successors.
        self._several: set[int] = set()
        self._back: set[int] = set()
        self._ends: set[int] = set()
        self._moves = 0
        self._kept: set[int] | None = None
        self.beyond: set[int] = set()
        if options.depth is None and options.to is None:
            with suppress(CacheFull):
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
        """The nearest nodes with their distance, in its order: at least ``most``, with ties; all for None."""
        if self._closure is None:
            return self._distances
        levels = self._spread({self._first}, lambda _, __: None)
        return self._nodes(levels, self.total if most is None else most)

    def edges(self, among: Collection[int]) -> dict[Key, int | None]:
        """The edges between some nodes, each with its time bound: an assertion with a later time does not count."""
        found: dict[Key, int | None] = {}
        for move in self._moves_from(among):
            if move.subject in among and move.object in among:
                key, bound = (move.subject, move.rule, move.object), self._adjacency.latest(move)
                former = found.get(key, bound)
                found[key] = None if bound is None or former is None else max(bound, former)
        return found

    def moves_among(self, nodes: Collection[int]) -> Iterator[tuple[int, int]]:
        """The moves between some nodes, as pairs of nodes."""
        for node in nodes:
            for state in self._states(node):
                for target in self._adjacency.row(state):
                    if target & NODE in nodes:
                        yield node, target & NODE

    def supports(self, bound: int | None, time: int) -> bool:
        """Whether an assertion with a time is within the time bound of an edge."""
        return bound is None or not time or self._adjacency.transitions.sign * time <= bound

    def roots(self) -> list[int]:
        """The roots: causes of something that have no asserted cause; nor have other versions of their content.

        A node that was not expanded is not a root, nor is one whose content, or other versions of it, was not expanded.
        """
        if not self._options.upstream:
            return []
        nodes = sorted({state & NODE for state in self._ends})
        candidates = [node for node in nodes if not self._explained(node)]
        if self._back or self._options.alternates:
            # Otherwise only causes are ever checked for causes of their own.
            candidates = self._causes(candidates)
        if not (self._back or self._pending or self._options.stop):
            return candidates
        siblings = {node: self._versions(node) if names_content(node) else set[int]() for node in candidates}
        contents: dict[int, set[int]] = {node: set() for node in candidates}
        for subject, rule, upper, _ in self._snapshot.contents(candidates):
            if self._adjacency.transitions.own(subject, rule) is not None:
                contents[subject].add(upper)
                siblings[subject] |= self._versions(upper)
        expanded = self._expanded({other for others in siblings.values() for other in others})
        return [
            node
            for node in candidates
            if siblings[node] <= expanded
            and all(map(self._opened, contents[node]))
            and not any(map(self._explained, siblings[node]))
        ]

    def _close(self) -> None:
        cache = self._adjacency.cache
        self._closure = closure = cache.chains.closure(self._first, self._adjacency)
        self._moves, self._others = closure.moves, cache.others
        odd = closure.dead_ends.union(closure.odd)
        self._ends = odd & cache.ends
        self._back = odd & cache.backs.keys()
        self._several = {state & NODE for state in cache.special.intersection(closure.odd)}

    def _run(self) -> None:
        """Traverse level by level."""
        others: dict[int, set[int]] = {}

        def note(part: set[int], rows: list[tuple[int, ...]]) -> None:
            cache = self._adjacency.cache
            back = cache.backs.keys() & part
            self._moves += sum(map(len, rows)) - sum(len(cache.backs[state]) for state in back)
            for state in (part & cache.special).union(state for state in back if state > NODE):
                others.setdefault(state & NODE, set()).add(state)
            self._ends |= part & cache.ends
            self._back |= back

        self._seen, self._others = {self._first}, others
        levels = list(islice(self._spread(self._seen, note), self._options.depth))
        self._several = set(others)
        self._pending = levels[-1] if levels else set(self._seen)
        self._distances = self._nodes(levels)
        targets = set[int]().union(*(row for _, rows in self._adjacency.expand(self._pending) for row in rows))
        self.beyond = {state & NODE for state in targets}.difference(self._distances)

    def _spread(self, seen: set[int], note: Callable[[set[int], list[tuple[int, ...]]], None]) -> Iterator[set[int]]:
        """The levels, as the states that each adds; the last one is empty.

        Args:
            seen: contains the first state; all further states are added.
            note: called with each part of an expanded level and its rows.
        """
        frontier, best = set(seen), dict[int, int]()
        while frontier:
            new: set[int] = set()
            for part, rows in self._adjacency.expand(frontier):
                note(part, rows)
                new.update(*rows)
            frontier = new.difference(seen)
            # Paths to a target need every state.
            if self._adjacency.cache.bounds and self._options.to is None:
                frontier = self._undominated(frontier, seen, best)
            seen |= frontier
            yield frontier

    def _undominated(self, states: set[int], seen: set[int], best: dict[int, int]) -> set[int]:
        bounded = {state for state in states if state >> SHIFT >= BOUNDED}
        left = undominated(bounded, self._adjacency.cache.bounds, best, lambda node: node in seen or node in states)
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
        """Whether the traversal expanded a state."""
        if self._closure is not None:
            return self._closure.visited(state)
        return state in self._seen and state not in self._pending

    def _states(self, node: int) -> list[int]:
        """The expanded states of a node."""
        states = {node, node | START << SHIFT, *self._others.get(node, ())}
        return [state for state in sorted(states) if self._visited(state) and self._adjacency.row(state)]

    def _moves_from(self, nodes: Iterable[int]) -> Iterable[Move]:
        """The moves from some nodes; with a target, those on a path to it."""
        states = [state for node in nodes for state in self._states(node)]
        kept = self._kept
        moves = self._adjacency.moves(states)
        return moves if kept is None else (move for move in moves if move.target in kept)

    def _total(self) -> int:
        """The number of edges.

        This is the number of moves, except that an edge that is followed from several states of one node counts once,
        and one that is followed back counts only where it is not followed from its other end.
        """
        total, several = self._moves, self._several
        if self._closure is not None:
            # Nearly all have one state beside the main one, if that was found.
            rows, backs, others = self._adjacency.cache.rows, self._adjacency.cache.backs, self._others
            single = {node for node in several if len(others[node]) == 1}
            several = several - single
            for node in self._closure.in_main(single):
                (other,) = others[node]
                total -= min(len(rows[node]) - len(backs.get(node, ())), len(rows[other]) - len(backs.get(other, ())))
        for node in several:
            sizes = [
                len(self._adjacency.row(state)) - len(self._adjacency.backs(state)) for state in self._states(node)
            ]
            total -= sum(sizes) - max(sizes, default=0)
        if self._pending or self._options.stop:
            # Otherwise each node was expanded, and the edge that led to it was followed from there.
            total += len(self._one_way())
        return total

    def _one_way(self) -> set[Key]:
        """The edges that were followed back and not in their own direction."""
        rows, found = self._adjacency, set[Key]()
        for state in self._back:
            for target, rule in rows.backs(state):
                far = target & NODE
                if not any(rows.follows(other, rule) for other in self._states(far)):
                    found.add((state & NODE, rule, far))
        return found

    def _explained(self, node: int) -> bool:
        """Whether a cause of a node was found."""
        return any(s not in self._ends and self._adjacency.transitions.explains(s) for s in self._states(node))

    def _expanded(self, nodes: set[int]) -> set[int]:
        """The nodes whose causes were looked for."""
        expanded = set(filter(self._visited, nodes))
        return expanded - self._adjacency.stopped(expanded) | nodes.intersection({self._start})

    def _opened(self, content: int) -> bool:
        """Whether the versions of content were looked for."""
        depth = self._options.depth
        stopped = self._adjacency.stopped({content}) - {self._start}
        return not stopped and (depth is None or self._distances.get(content) != depth)

    def _causes(self, nodes: list[int]) -> list[int]:
        """The nodes that something came from, and the start."""
        reached = {self._start}
        for subject, rule, upper, time in self._snapshot.edges(nodes, into=True, rules=sorted(YES)):
            if upper not in reached and any(self._adjacency.follows(s, rule, time) for s in self._states(subject)):
                reached.add(upper)
        return [node for node in nodes if node in reached]

    def _versions(self, content: int) -> set[int]:
        """The versions of content that were reached from it."""
        rows = self._adjacency
        return {
            target & NODE for state in self._states(content) for target, rule in rows.backs(state) if rule in GENERAL
        }

    def _keep(self, to: int) -> None:
        """Keep only what is on a path from the start to a node, by a traversal back from there."""
        before: dict[int, list[int]] = {}
        for state in self._seen - self._pending:
            for target in self._adjacency.row(state):
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
        self.total_edges = len({(move.subject, move.rule, move.object) for move in self._moves_from(on_path)})


def merged(traversals: Sequence[Traversal], most: int) -> Found:
    """Merge traversals from one start, without edges: at least ``most`` nodes, with their smallest distance."""
    first, *others = traversals
    if not others:
        return Found(first.nearest(most), first.total, {}, first.roots(), len(first.beyond), first.total_edges)
    nodes, found, beyond, edges = dict[int, int](), set[int](), set[int](), 0
    for place, traversal in enumerate(traversals):
        for node, distance in traversal.nearest(most).items():
            nodes[node] = min(distance, nodes.get(node, distance))
        found |= traversal.found()
        beyond |= traversal.beyond
        edges += traversal.total_edges
        known = set[Key]().union(*(_shared(traversal, former) for former in traversals[:place]))
        edges -= len(known)
    nodes = dict(sorted(nodes.items(), key=itemgetter(1)))
    roots = dict.fromkeys(root for traversal in traversals for root in traversal.roots())
    return Found(nodes, len(found), {}, list(roots), len(beyond - found), edges)


def _shared(traversal: Traversal, other: Traversal) -> set[Key]:
    """The edges that two traversals have in common."""
    nodes = traversal.found() & other.found()
    return traversal.edges(nodes).keys() & other.edges(nodes).keys()


def reported_edges(
    traversals: Sequence[Traversal], snapshot: Snapshot, nodes: Sequence[int]
) -> dict[Key, set[tuple[int, int]]]:
    """The edges between nodes, with the versions and graphs that assert them."""
    among, found = set(nodes), dict[Key, set[tuple[int, int]]]()
    edges = [(traversal, traversal.edges(among)) for traversal in traversals]
    for subject, rule, upper, time, version, graph in snapshot.assertions(nodes):
        key = subject, rule, upper
        if any(key in walked and traversal.supports(walked[key], time) for traversal, walked in edges):
            found.setdefault(key, set()).add((version, graph))
    return found


def nearest_common(traversals: Sequence[Traversal], nodes: Collection[int]) -> list[int]:
    """The nodes to which no edge leads from another of them.

    Of a cycle, all nodes, if no edge leads to it from outside.
    """
    above: dict[int, set[int]] = {node: set() for node in nodes}
    for traversal in traversals:
        for node, upper in traversal.moves_among(above):
            above[node].add(upper)
    below: dict[int, set[int]] = {node: set() for node in nodes}
    for node, uppers in above.items():
        for upper in uppers - {node}:
            below[upper].add(node)
    found = [node for node in nodes if not below[node]]
    rest = set(nodes) - _reached(found, above)
    while rest:
        cycle = _cycle(min(rest), above, below)
        found += sorted(cycle)
        rest -= _reached(cycle, above)
    return found


def _cycle(node: int, above: dict[int, set[int]], below: dict[int, set[int]]) -> set[int]:
    """A cycle below a node, or through it, to which no edge leads."""
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
