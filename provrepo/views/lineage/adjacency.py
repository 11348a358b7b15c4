"""Adjacency of states: for each state its successors, read from the tables on first use and cached.

A row is the tuple of the successors of one state. It already reflects everything that a query depends on: readable
datasets, ``as_of``, followed relations, time bounds and stop types. A level of a traversal is then one union of rows,
without Python code for each edge: ten times as fast as a look-up for each level, and independent of how many versions
assert the same edge.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple

from provrepo.codecs.collector import collection_paused
from provrepo.errors import TimedOut
from provrepo.views.lineage import prefetch
from provrepo.views.lineage.prefetch import Prefetch
from provrepo.views.lineage.schema import CHUNK, names_content
from provrepo.views.lineage.snapshot import Key, Snapshot
from provrepo.views.lineage.states import (
    BOUNDED,
    GENERAL,
    LEAF,
    MAIN,
    NODE,
    REQUESTED,
    SHIFT,
    START,
    YES,
    Options,
    transitions_for,
)
from provrepo.workers.callers import client_gone

__all__ = ["MOST", "Move", "Adjacency", "RowCache", "timed_out"]

MOST = 2_400_000
"""The most states in all caches together, as keys and in rows: about 200 MB, at 80 bytes each."""

_SLICE = 50_000
"""States that are expanded between two checks of the deadline."""

_TIMES = 16
"""The most changed times of a dataset that are compared with each row; beyond, all rows of the dataset are dropped."""

_NEVER = -(1 << 63)
"""A time bound that excludes every time."""


_NUMBERING = threading.Lock()


def timed_out() -> TimedOut:
    """The error for a traversal that did not finish before its deadline."""
    return TimedOut("the walk took too long and was given up; ask for less, for instance with a depth")


class Move(NamedTuple):
    """One edge as a traversal follows it.

    Attributes:
        state: before it.
        subject: of the relation.
        rule: its number.
        object: of the relation.
        target: the state after it.
        own: whether the relation is followed in the direction of the traversal.
    """

    state: int
    subject: int
    rule: int
    object: int
    target: int
    own: bool


@dataclass(eq=False, slots=True)
class RowCache:
    """The rows for all traversals with the same datasets, ``as_of`` and options, at one generation of the index.

    Several threads may read and fill it at once: the data that belongs to a row is stored before the row, and all
    threads store the same.

    Attributes:
        generation: of the index.
        rows: for each state its successors, those along own relations first.
        backs: the successors that are reached against the direction, with their rules; only where there are any.
        ends: the states at which the causes of the node are looked for and none is asserted.
        others: for each node its states other than the main one and the leaf.
        special: those of ``others`` that have successors along own relations.
        bounds: the time bounds; the n-th has the mode ``BOUNDED + n``.
        numbers: the index of each bound in ``bounds``.
        same: interns states: rows and keys share one object for each state, so that look-ups compare by identity.
        prefetch: which versions were read as a whole.
        size: states that are kept, as keys and in rows.
        users: the number of traversals that use it.
        timed: whether a row may depend on the times of neighbors of its node.
        resolved: for each logical dataset the nodes whose rows depend on its moments, with the first and the last time.
    """

    generation: int
    rows: dict[int, tuple[int, ...]] = field(default_factory=dict)
    backs: dict[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    ends: set[int] = field(default_factory=set)
    others: dict[int, set[int]] = field(default_factory=dict)
    special: set[int] = field(default_factory=set)
    bounds: list[int] = field(default_factory=list)
    numbers: dict[int, int] = field(default_factory=dict)
    same: dict[int, int] = field(default_factory=dict)
    prefetch: Prefetch = field(default_factory=Prefetch)
    size: int = 0
    users: int = 0
    timed: bool = False
    resolved: dict[int, dict[int, tuple[int, int]]] = field(default_factory=dict)

    def renewed(self) -> RowCache:
        """An empty cache in which states have the same meaning."""
        return RowCache(self.generation, bounds=self.bounds, numbers=self.numbers)

    def number(self, bound: int) -> int:
        """The index of a time bound."""
        found = self.numbers.get(bound)
        if found is None:
            with _NUMBERING:
                found = self.numbers.setdefault(bound, len(self.bounds))
                if found == len(self.bounds):
                    self.bounds.append(bound)
        return found

    def note(self, node: int, dataset: int, first: int, last: int) -> None:
        """Note that the row of a node depends on the moments of a dataset within a span of time."""
        nodes = self.resolved.setdefault(dataset, {})
        former = nodes.get(node, (first, last))
        nodes[node] = min(first, former[0]), max(last, former[1])

    def drop(self, nodes: Iterable[int], moments: Mapping[int, Collection[int]] = MappingProxyType({})) -> None:
        """Drop the rows of nodes.

        Args:
            nodes: their numbers.
            moments: logical dataset → times at which something changed. The rows that depend on them are dropped, too.
        """
        changed = set(nodes)
        for dataset in self.resolved.keys() & moments.keys():
            noted, times = self.resolved[dataset], moments[dataset]
            if len(times) > _TIMES:
                affected = list(noted)
            else:
                affected = [
                    node for node, (first, last) in noted.items() if any(first <= time <= last for time in times)
                ]
            for node in affected:
                del noted[node]
            changed.update(affected)
        for node in changed:
            for state in (node, node | START << SHIFT, *self.others.pop(node, ())):
                row = self.rows.pop(state, None)
                if row is not None:
                    self.size -= 1 + len(row)
                    self.backs.pop(state, None)
                    self.ends.discard(state)
                    self.special.discard(state)


class Adjacency:
    """A row cache, as one traversal uses it."""

    def __init__(self, cache: RowCache, snapshot: Snapshot, options: Options, deadline: float | None) -> None:
        """Use a cache.

        Args:
            cache: of the same generation as ``snapshot``, and for the same options.
            snapshot: the source of rows.
            options: of the traversal.
            deadline: in seconds of ``time.monotonic``; None for none.
        """
        self.cache = cache
        self.transitions = transitions_for(replace(options, depth=None, to=None))
        self._snapshot = snapshot
        self._stop = options.stop
        self._prefetches = options.depth is None
        self._deadline = deadline

    def expand(self, frontier: set[int]) -> Iterator[tuple[set[int], list[tuple[int, ...]]]]:
        """The rows of a frontier, in slices."""
        if len(frontier) <= _SLICE:
            yield frontier, self._expanded(frontier)
            return
        states = iter(frontier)
        while part := set(islice(states, _SLICE)):
            yield part, self._expanded(part)

    def row(self, state: int) -> tuple[int, ...]:
        """The successors of a state."""
        if state not in self.cache.rows:
            self.fill({state})
        return self.cache.rows[state]

    def backs(self, state: int) -> tuple[tuple[int, int], ...]:
        """The successors of a state against the direction, with the rules."""
        if state not in self.cache.rows:
            self.fill({state})
        return self.cache.backs.get(state, ())

    def latest(self, move: Move) -> int | None:
        """The time bound that applied to a move; None for none."""
        return self._bound(move.state) if move.own and move.rule == self.transitions.checked else None

    def fill(self, states: Collection[int]) -> None:
        """Read the rows of states that are missing."""
        missing = set(states).difference(self.cache.rows)
        if not missing:
            return
        if self.cache.size > MOST:
            # Other traversals may use this cache: this one continues with a private cache.
            self.cache = self.cache.renewed()
            missing = set(states)
        if self._prefetches and len(missing) <= prefetch.NARROW and self.cache.size < MOST // 2:
            self._prefetch_versions(missing)
            missing = missing.difference(self.cache.rows)
        self._read_all(missing)

    def moves(self, states: Sequence[int]) -> Iterator[Move]:
        """Every move from states without a stop type; one for each edge, however many versions assert it."""
        for start in range(0, len(states), CHUNK):
            self.check()
            yield from map(Move._make, self._moves(states[start : start + CHUNK]))

    def follows(self, state: int, rule: int, at: int = 0) -> bool:
        """Whether a relation with a time is followed from a state, in the direction of the traversal."""
        if self.transitions.own(state, rule) is None:
            return False
        bound = self._bound(state)
        return bound is None or rule != self.transitions.checked or not at or self.transitions.sign * at <= bound

    def stopped(self, states: Collection[int]) -> set[int]:
        """The states whose nodes are of a stop type."""
        if not self._stop:
            return set()
        found = self._snapshot.of_type(sorted({state & NODE for state in states}), self._stop)
        return {state for state in states if state & NODE in found and state >> SHIFT != START}

    def check(self) -> None:
        """Check the deadline.

        Raises:
            TimedOut: it has passed, or the client is gone.
        """
        if client_gone() or (self._deadline is not None and time.monotonic() > self._deadline):
            raise timed_out()

    def _expanded(self, states: set[int]) -> list[tuple[int, ...]]:
        self.check()
        while True:
            try:
                return list(map(self.cache.rows.__getitem__, states))
            except KeyError:
                self.fill(states)

    def _prefetch_versions(self, states: Collection[int]) -> None:
        """Read whole versions that contain some states without rows."""
        cache = self.cache
        nodes = {state & NODE for state in states}
        upstream, room = self.transitions.upstream, MOST // 2 - cache.size
        terms = cache.prefetch.terms(self._snapshot, nodes, upstream=upstream, room=room)
        self._read_all(terms.difference(cache.rows))
        # Their successors are mostly among them, except the general entities of specializations.
        others = {target for term in terms for target in cache.rows[term] if target > NODE and target >> SHIFT != LEAF}
        self._read_all(others.difference(cache.rows))

    def _read_all(self, states: Collection[int]) -> None:
        ordered = sorted(states)
        with collection_paused():
            for start in range(0, len(ordered), CHUNK):
                self.check()
                self._read(ordered[start : start + CHUNK])

    def _bound(self, state: int) -> int | None:
        mode = state >> SHIFT
        return self.cache.bounds[mode - BOUNDED] if mode >= BOUNDED else None

    def _read(self, states: list[int]) -> None:
        """Read rows."""
        cache, stopped, explains = self.cache, self.stopped(states), self.transitions.explains
        own: dict[int, list[int]] = {state: [] for state in states}
        backs: dict[int, list[tuple[int, int]]] = {}
        explained, same = set(stopped), cache.same.setdefault
        for state, _, rule, _, target, is_own in self._moves([state for state in states if state not in stopped]):
            if is_own:
                own[state].append(same(target, target))
                if rule in YES:
                    explained.add(state)
            else:
                backs.setdefault(state, []).append((same(target, target), rule))
        for state, targets in own.items():
            row = tuple(targets)
            if state in backs:
                cache.backs[state] = back = tuple(backs[state])
                row += tuple(target for target, _ in back)
            if self.transitions.upstream and state not in explained and explains(state):
                cache.ends.add(state)
            if state > NODE and state >> SHIFT != LEAF:
                # Also without successors: a later entry may add one.
                cache.others.setdefault(state & NODE, set()).add(state)
                if targets:
                    cache.special.add(state)
            cache.size += 1 + len(row)
            cache.rows[same(state, state)] = row

    def _moves(self, states: Sequence[int]) -> Iterator[tuple[int, int, int, int, int, bool]]:
        """``moves`` for one chunk, as plain tuples."""
        upstream, transitions = self.transitions.upstream, self.transitions
        of: dict[int, list[int]] = {}
        for state in states:
            if state >> SHIFT != LEAF:
                of.setdefault(state & NODE, []).append(state)
        nodes = list(of)
        if self._snapshot.resolves:
            for span in self._snapshot.spans(nodes):
                self.cache.note(*span)
        edges = self._snapshot.edges(nodes, into=not upstream)
        keys = dict.fromkeys([edge[:3] for edge in edges])
        times: dict[Key, list[int]] = {edge[:3]: [] for edge in edges if edge[3]}
        if times:
            for edge in edges:
                if edge[:3] in times:
                    times[edge[:3]].append(edge[3])
        limits = self._limits(times) if times else {}
        main = transitions.modes(MAIN)
        for key in keys:
            subject, rule, upper = key
            near, far = (subject, upper) if upstream else (upper, subject)
            for state in of[near]:
                mode = main[rule] if state <= NODE else transitions.own(state, rule)
                if mode is None:
                    continue
                if key in times:
                    known = times[key]
                    if state >> SHIFT >= BOUNDED and not any(self.follows(state, rule, at) for at in known):
                        continue
                    if far in limits and rule == transitions.opening:
                        mode = self._bounded(limits[far], known)
                yield state, subject, rule, upper, far | mode << SHIFT, True
        for subject, rule, upper in self._back(nodes):
            near, far = (upper, subject) if upstream else (subject, upper)
            for state in of[near]:
                mode = transitions.back(state, rule)
                if mode is not None:
                    yield state, subject, rule, upper, far | mode << SHIFT, False

    def _back(self, nodes: list[int]) -> Iterator[Key]:
        """The relations that are followed against the direction."""
        upstream, found = self.transitions.upstream, dict[Key, None]()
        if self.transitions.backs(GENERAL):
            contents = [node for node in nodes if names_content(node)]
            rows = (
                self._snapshot.edges(contents, into=True, rules=GENERAL) if upstream else self._snapshot.contents(nodes)
            )
            found.update(((subject, rule, upper), None) for subject, rule, upper, _ in rows)
        if self.transitions.backs(REQUESTED):
            rows = self._snapshot.edges(nodes, into=upstream, rules=REQUESTED)
            found.update(((subject, rule, upper), None) for subject, rule, upper, _ in rows)
        return iter(found)

    def _limits(self, times: dict[Key, list[int]]) -> dict[int, list[int]]:
        """For activities that were reached at a known time: the times to compare with it, sorted."""
        transitions, found = self.transitions, dict[int, list[int]]()
        if not transitions.bounding:
            return found
        reached = {
            upper if transitions.upstream else subject
            for (subject, rule, upper), known in times.items()
            if rule == transitions.opening and all(known)
        }
        if reached:
            self.cache.timed = True
        rows = self._snapshot.edges(sorted(reached), into=not transitions.upstream, rules=[transitions.checked])
        for subject, _, upper, at in rows:
            if at:
                found.setdefault(subject if transitions.upstream else upper, []).append(transitions.sign * at)
        for limits in found.values():
            limits.sort()
        return found

    def _bounded(self, limits: list[int], times: list[int]) -> int:
        """The mode of an activity that was reached at one of some times: the one with the widest bound.

        A bound that excludes no edge is dropped, and bounds that exclude the same edges give the same state.
        """
        reached = max(self.transitions.sign * at for at in times)
        if not all(times) or limits[-1] <= reached:
            return MAIN
        index = bisect_right(limits, reached)
        return BOUNDED + self.cache.number(limits[index - 1] if index else _NEVER)
