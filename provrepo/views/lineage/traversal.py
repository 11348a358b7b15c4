"""Traversal of the index: breadth first, level by level; a level is a set of states (``states``).

Totals of nodes and edges, and the roots, are exact whatever the limit. Distances are computed only for the nodes that
are returned, and only the edges that are returned are read one by one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from provrepo.views.lineage.adjacency import Adjacency, Move
from provrepo.views.lineage.schema import names_content
from provrepo.views.lineage.snapshot import EdgeAssertion, Key, Snapshot
from provrepo.views.lineage.states import BOUNDED, GENERAL, MAIN, NODE, REQUESTED, SHIFT, START, YES, Options

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
    """One traversal from a node, level by level.

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
        first = start | START << SHIFT
        self._seen = {first}
        self._levels: list[set[int]] = []
        self._others: dict[int, set[int]] = {}
        self._back: set[int] = set()
        self._ends: set[int] = set()
        self._moves = 0
        self._kept: set[int] | None = None
        self._on_path: set[int] | None = None
        self._distances: dict[int, int] | None = None
        self._run()
        self._pending = self._levels[-1] if self._levels else set(self._seen)
        # Most states are the numbers of their nodes.
        self._odd = {state & NODE for state in self._seen if state > NODE} - self._seen
        self.beyond: set[int] = set()
        if self._pending:
            targets = set[int]().union(*(row for _, rows in rows.expand(self._pending) for row in rows))
            self.beyond = {state & NODE for state in targets} - self.found()
        if options.to is None:
            self.total = sum(state <= NODE for state in self._seen) + len(self._odd)
            self.total_edges = self._total()
        else:
            self._keep(options.to)

    def found(self) -> set[int]:
        """The nodes."""
        return {state & NODE for state in self._seen} if self._on_path is None else self._on_path

    def nearest(self, most: int | None = None) -> dict[int, int]:
        """The nearest nodes with their distance, in its order: at least ``most``, with ties; all for None."""
        nodes = {self._start: 0}
        for distance, states in enumerate(self._levels, 1):
            if most is not None and len(nodes) >= most:
                break
            if max(states, default=0) > NODE:
                states = {state & NODE for state in states}  # noqa: PLW2901 (most states are the numbers of their nodes)
            new = states.difference(nodes)
            nodes.update(dict.fromkeys(new if self._on_path is None else new & self._on_path, distance))
        return nodes

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

    def followed(self, assertions: Iterable[EdgeAssertion], among: set[int]) -> list[EdgeAssertion]:
        """The assertions of edges between some nodes that the traversal follows."""
        transitions, adjacency = self._adjacency.transitions, self._adjacency
        upstream, main = transitions.upstream, transitions.modes(MAIN)
        back = {rule for rule in (*GENERAL, *REQUESTED) if transitions.backs((rule,))}
        if self._kept is not None:
            bounds = self.edges(among)
            return [
                each
                for each in assertions
                if each[:3] in bounds and _within(bounds[each[:3]], transitions.sign * each[3] if each[3] else None)
            ]
        several = {node: self._states(node) for node in {self._start, *self._others.keys() & among}}
        plain = ((among & self._seen) - self._pending).difference(several)
        if self._options.stop:
            # What is not expanded has no row.
            plain = set(filter(adjacency.row, plain))
        found: list[EdgeAssertion] = []
        for each in assertions:
            subject, rule, upper, time = each[:4]
            if subject not in among or upper not in among:
                continue
            near, far = (subject, upper) if upstream else (upper, subject)
            if near in plain:
                follows = main[rule] is not None
            else:
                follows = any(adjacency.follows(state, rule, time) for state in several.get(near, ()))
            if not follows and rule in back and (rule in REQUESTED or names_content(upper)):
                states = several.get(far) or ([far] if far in plain else [])
                follows = any(transitions.back(state, rule) is not None for state in states)
            if follows:
                found.append(each)
        return found

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

    def _run(self) -> None:
        """Find the states."""
        adjacency, seen, best = self._adjacency, self._seen, dict[int, int]()
        frontier, depth = set(seen), self._options.depth
        while frontier and (depth is None or len(self._levels) < depth):
            new: set[int] = set()
            for part, rows in adjacency.expand(frontier):
                self._note(part, rows)
                new.update(*rows)
            frontier = new - seen
            # Paths to a target need every state.
            if adjacency.cache.bounds and self._options.to is None:
                frontier = self._undominated(frontier, seen, best)
            seen |= frontier
            self._levels.append(frontier)

    def _note(self, part: set[int], rows: list[tuple[int, ...]]) -> None:
        """Note what the numbers of edges and the roots follow from, for a part of an expanded level."""
        cache = self._adjacency.cache
        self._moves += sum(map(len, rows))
        self._ends |= part & cache.ends
        special = part & cache.special
        if back := part & cache.backs.keys():
            self._moves -= sum(len(cache.backs[state]) for state in back)
            self._back |= back
            special.update(state for state in back if state > NODE)
        for state in special:
            self._others.setdefault(state & NODE, set()).add(state)

    def _undominated(self, states: set[int], seen: set[int], best: dict[int, int]) -> set[int]:
        """The states without those with time bounds that lead to nothing to which no other state leads.

        Otherwise an activity that is reached at many times would be expanded as many times.

        Args:
            states: the next level.
            seen: the former levels.
            best: for each node the widest bound so far; updated.
        """
        bounded = {state for state in states if state >> SHIFT >= BOUNDED}
        if not bounded:
            return states
        bounds, left = self._adjacency.cache.bounds, states - bounded
        for state in sorted(bounded, key=lambda state: -bounds[(state >> SHIFT) - BOUNDED]):
            node, bound = state & NODE, bounds[(state >> SHIFT) - BOUNDED]
            if not (node in seen or node in states) and best.get(node, bound - 1) < bound:
                best[node] = bound
                left.add(state)
        return left

    def _visited(self, state: int) -> bool:
        """Whether the traversal expanded a state."""
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
        total = self._moves
        for node in self._others:
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
        if depth is not None and self._distances is None:
            self._distances = self.nearest()
        return not stopped and (self._distances is None or self._distances.get(content) != depth)

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
        self._on_path = {state & NODE for state in kept} or {self._start}
        self.total = len(self._on_path)
        self.total_edges = len({(move.subject, move.rule, move.object) for move in self._moves_from(self._on_path)})


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
    assertions = snapshot.assertions(nodes)
    for traversal in traversals:
        for subject, rule, upper, _, version, graph in traversal.followed(assertions, among):
            found.setdefault((subject, rule, upper), set()).add((version, graph))
    return found


def _within(bound: int | None, time: int | None) -> bool:
    """Whether a time is within the time bound of an edge."""
    return bound is None or time is None or time <= bound


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
