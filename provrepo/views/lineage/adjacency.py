"""Rows of a walk: for each state the states that come next, taken from the tables when first asked for, and kept.

A row is a tuple of integers to which everything has been applied: who may read what, as of when, which relations are
followed, bounds of time, where the walk stops. A level of a walk is then one union of rows, which Python does without
running any code of ours for a relation; ten times as fast as a look-up for each level, and independent of how many
versions say the same.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import NamedTuple

from provrepo.codecs.collector import paused
from provrepo.errors import TimedOut
from provrepo.views.lineage.extraction import UNTIMED
from provrepo.views.lineage.path_compression import Chains, Outgrown
from provrepo.views.lineage.prefetch import Ahead
from provrepo.views.lineage.schema import CHUNK, names_content
from provrepo.views.lineage.snapshot import Held, Key
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
    steps_for,
)
from provrepo.workers.callers import gone

__all__ = ["MOST", "Move", "Rows", "Scope", "timed_out"]

MOST = 2_400_000
"""The most states that are kept, as keys, in rows and in chains, all scopes together: some 200 MB, at 80 bytes each."""

_SLICE = 50_000
"""States that are expanded between two looks at the clock."""

_NEVER = -(1 << 63)
"""A bound within which no time is."""


_NUMBERING = threading.Lock()


def timed_out() -> TimedOut:
    """What is raised when a question is given up at its deadline."""
    return TimedOut("the walk took too long and was given up; ask for less, for instance with a depth")


class Move(NamedTuple):
    """One step of a walk.

    Attributes:
        state: before it.
        subject: of the relation.
        rule: its number.
        object: of the relation.
        target: the state after it.
        own: whether the relation is read in the walk's direction.
    """

    state: int
    subject: int
    rule: int
    object: int
    target: int
    own: bool


@dataclass(eq=False, slots=True)
class Scope:
    """The rows of all walks that ask alike: of the same datasets and entries, in the same way, at one generation.

    Several threads may read and fill it at once: whoever finds a row finds what belongs to it, since that is put down
    first, and all write the same.

    Attributes:
        generation: of the index.
        rows: for each state those that come next, own ones first.
        backs: the part of a row that is followed back, with the rules; only of states that have any.
        ends: the states from which it is asked, and not said, what their node came from.
        others: for each node its states that are neither the main one nor a leaf.
        special: those of them from which something comes next in the walk's own direction.
        bounds: those of time; the n-th has the mode ``BOUNDED + n``.
        numbers: the places of ``bounds``.
        same: each state as the one object that stands for it, in rows and as their key: a look-up that finds the very
            object does not compare, and does not fetch another from memory.
        chains: the same states in chains.
        ahead: which versions were taken in as a whole.
        filled: states that are held, as keys and in rows.
        users: walks that are under way on it.
        timed: whether the row of a thing may depend on the times of its neighbors.
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
    chains: Chains = field(init=False)
    ahead: Ahead = field(default_factory=Ahead)
    filled: int = 0
    users: int = 0
    timed: bool = False

    def __post_init__(self) -> None:
        self.chains = Chains(self.rows, self.backs, self.ends, self.bounds, self.same)

    @property
    def size(self) -> int:
        """States that are held, as keys, in rows and in chains."""
        return self.filled + self.chains.size

    def renewed(self) -> Scope:
        """An empty one, whose states mean the same."""
        return Scope(self.generation, bounds=self.bounds, numbers=self.numbers)

    def number(self, bound: int) -> int:
        """The place of a bound."""
        found = self.numbers.get(bound)
        if found is None:
            with _NUMBERING:
                found = self.numbers.setdefault(bound, len(self.bounds))
                if found == len(self.bounds):
                    self.bounds.append(bound)
        return found

    def drop(self, nodes: Iterable[int]) -> None:
        """Forget the rows of nodes, and the chains in which they are."""
        gone = []
        for node in nodes:
            for state in (node, node | START << SHIFT, *self.others.pop(node, ())):
                row = self.rows.pop(state, None)
                if row is not None:
                    gone.append(state)
                    self.filled -= 1 + len(row)
                    self.backs.pop(state, None)
                    self.ends.discard(state)
                    self.special.discard(state)
        self.chains.forget(gone)


class Rows:
    """A scope in use by one walk."""

    def __init__(self, scope: Scope, held: Held, options: Options, deadline: float | None) -> None:
        """Walk on a scope.

        Args:
            scope: of the same generation as ``held``, and of the walk's options.
            held: where rows come from.
            options: what the walk does.
            deadline: when to give up, by ``time.monotonic``.
        """
        self.scope = scope
        self.steps = steps_for(replace(options, depth=None, to=None))
        self._held = held
        self._stop = options.stop
        self._ahead = options.upstream and options.depth is None
        self._taken = 0
        self._deadline = deadline

    def expand(self, frontier: set[int]) -> Iterator[tuple[set[int], list[tuple[int, ...]]]]:
        """For each part of a frontier its rows."""
        if len(frontier) <= _SLICE:
            yield frontier, self._expanded(frontier)
            return
        states = iter(frontier)
        while part := set(islice(states, _SLICE)):
            yield part, self._expanded(part)

    def row(self, state: int) -> tuple[int, ...]:
        """The states that come next."""
        if state not in self.scope.rows:
            self.fill({state})
        return self.scope.rows[state]

    def backs(self, state: int) -> tuple[tuple[int, int], ...]:
        """The part of its row that is followed back, with the rules."""
        if state not in self.scope.rows:
            self.fill({state})
        return self.scope.backs.get(state, ())

    def latest(self, move: Move) -> int | None:
        """The bound of time that a step had to keep to."""
        return self._bound(move.state) if move.own and move.rule == self.steps.checked else None

    def fill(self, states: Collection[int]) -> None:
        """Take in the rows of states, as far as they are not there yet."""
        missing = set(states).difference(self.scope.rows)
        if not missing:
            return
        if self.scope.size > MOST:
            # Others may be walking on it: this walk goes on with one of its own, which nobody keeps.
            self.scope = self.scope.renewed()
            missing = set(states)
        if self._ahead and self.scope.size < MOST // 2:
            self._read_ahead(missing)
            missing = missing.difference(self.scope.rows)
        self._take_all(missing)

    def reach(self, states: Collection[int]) -> None:
        """Take in the rows of states into the same scope.

        Raises:
            Outgrown: it is full, or this walk alone takes half of what there may be.
        """
        scope = self.scope
        self.fill(states)
        if self.scope is not scope or self._taken > MOST // 2:
            raise Outgrown

    def moves(self, states: Sequence[int]) -> Iterator[Move]:
        """Every step from states at which the walk does not stop; one for each relation, whoever says it."""
        for start in range(0, len(states), CHUNK):
            self.check()
            yield from map(Move._make, self._moves(states[start : start + CHUNK]))

    def follows(self, state: int, rule: int, moment: int = 0) -> bool:
        """Whether a relation in the walk's own direction is followed from a state, if it has that time."""
        if self.steps.own(state, rule) is None:
            return False
        bound = self._bound(state)
        return bound is None or rule != self.steps.checked or not moment or self.steps.sign * moment <= bound

    def stopped(self, states: Collection[int]) -> set[int]:
        """Those at whose nodes the walk does not go on."""
        if not self._stop:
            return set()
        found = self._held.of_type(sorted({state & NODE for state in states}), self._stop)
        return {state for state in states if state & NODE in found and state >> SHIFT != START}

    def check(self) -> None:
        """Give up when it is time.

        Raises:
            TimedOut: it is, or the client is gone.
        """
        if gone() or (self._deadline is not None and time.monotonic() > self._deadline):
            raise timed_out()

    def _expanded(self, states: set[int]) -> list[tuple[int, ...]]:
        self.check()
        while True:
            try:
                return list(map(self.scope.rows.__getitem__, states))
            except KeyError:
                self.fill(states)

    def _read_ahead(self, states: Collection[int]) -> None:
        """Take in whole versions, where the rows of some states are missing."""
        scope = self.scope
        nodes = {state & NODE for state in states}
        terms = scope.ahead.terms(self._held, nodes, filled=scope.size, most=MOST // 2)
        self._take_all(terms.difference(scope.rows))
        # What these lead to is mostly among them, but for what something is a version of.
        others = {target for term in terms for target in scope.rows[term] if target > NODE and target >> SHIFT != LEAF}
        self._take_all(others.difference(scope.rows))

    def _take_all(self, states: Collection[int]) -> None:
        ordered = sorted(states)
        with paused():
            for start in range(0, len(ordered), CHUNK):
                self.check()
                self._take(ordered[start : start + CHUNK])

    def _bound(self, state: int) -> int | None:
        mode = state >> SHIFT
        return self.scope.bounds[mode - BOUNDED] if mode >= BOUNDED else None

    def _take(self, states: list[int]) -> None:
        """Read rows."""
        scope, stopped, explains = self.scope, self.stopped(states), self.steps.explains
        own: dict[int, list[int]] = {state: [] for state in states}
        backs: dict[int, list[tuple[int, int]]] = {}
        explained, same = set(stopped), scope.same.setdefault
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
                scope.backs[state] = back = tuple(backs[state])
                row += tuple(target for target, _ in back)
            if self.steps.upstream and state not in explained and explains(state):
                scope.ends.add(state)
            if state > NODE and state >> SHIFT != LEAF:
                # Also where nothing comes next: a later entry may say that something does.
                scope.others.setdefault(state & NODE, set()).add(state)
                if targets:
                    scope.special.add(state)
            scope.filled += 1 + len(row)
            self._taken += 1 + len(row)
            scope.rows[same(state, state)] = row

    def _moves(self, states: Sequence[int]) -> Iterator[tuple[int, int, int, int, int, bool]]:
        """As ``moves``, for some states at a time, and without the names of the parts."""
        upstream, steps = self.steps.upstream, self.steps
        of: dict[int, list[int]] = {}
        for state in states:
            if state >> SHIFT != LEAF:
                of.setdefault(state & NODE, []).append(state)
        nodes, keys = list(of), dict[Key, None]()
        times: dict[Key, list[int]] = {}
        for subject, rule, upper, moment in self._held.edges(nodes, into=not upstream):
            key = subject, rule, upper
            if moment:
                times.setdefault(key, [UNTIMED] if key in keys else []).append(moment)
            elif key in times:
                times[key].append(UNTIMED)
            keys[key] = None
        limits = self._limits(times) if times else {}
        for key in keys:
            subject, rule, upper = key
            near, far = (subject, upper) if upstream else (upper, subject)
            for state in of[near]:
                mode = steps.own(state, rule)
                if mode is None:
                    continue
                if key in times:
                    moments = times[key]
                    if state >> SHIFT >= BOUNDED and not any(self.follows(state, rule, each) for each in moments):
                        continue
                    if far in limits and rule == steps.opening:
                        mode = self._bounded(limits[far], moments)
                yield state, subject, rule, upper, far | mode << SHIFT, True
        for subject, rule, upper in self._back(nodes):
            near, far = (upper, subject) if upstream else (subject, upper)
            for state in of[near]:
                mode = steps.back(state, rule)
                if mode is not None:
                    yield state, subject, rule, upper, far | mode << SHIFT, False

    def _back(self, nodes: list[int]) -> Iterator[Key]:
        """The relations that are followed back."""
        upstream, found = self.steps.upstream, dict[Key, None]()
        if self.steps.backs(GENERAL):
            contents = [node for node in nodes if names_content(node)]
            rows = self._held.edges(contents, into=True, rules=GENERAL) if upstream else self._held.contents(nodes)
            found.update(((subject, rule, upper), None) for subject, rule, upper, _ in rows)
        if self.steps.backs(REQUESTED):
            rows = self._held.edges(nodes, into=upstream, rules=REQUESTED)
            found.update(((subject, rule, upper), None) for subject, rule, upper, _ in rows)
        return iter(found)

    def _limits(self, times: dict[Key, list[int]]) -> dict[int, list[int]]:
        """For activities that were reached at a known time the times that are then checked, in order."""
        steps, found = self.steps, dict[int, list[int]]()
        if not steps.bounding:
            return found
        reached = {
            upper if steps.upstream else subject
            for (subject, rule, upper), moments in times.items()
            if rule == steps.opening and all(moments)
        }
        if reached:
            self.scope.timed = True
        rows = self._held.edges(sorted(reached), into=not steps.upstream, rules=[steps.checked])
        for subject, _, upper, moment in rows:
            if moment:
                found.setdefault(subject if steps.upstream else upper, []).append(steps.sign * moment)
        for moments in found.values():
            moments.sort()
        return found

    def _bounded(self, limits: list[int], moments: list[int]) -> int:
        """The mode of an activity that was reached at one of some times: the least bounded one.

        What is bounded without being kept from anything is not bounded; and where two bounds let the same pass, the
        state is the same.
        """
        reached = max(self.steps.sign * moment for moment in moments)
        if not all(moments) or limits[-1] <= reached:
            return MAIN
        place = bisect_right(limits, reached)
        return BOUNDED + self.scope.number(limits[place - 1] if place else _NEVER)
