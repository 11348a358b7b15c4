"""The rows of a scope in chains, so that a walk takes many states in one step.

Lineage is mostly without a choice: a thing was made by one activity, which used one thing. A *chain* is states of which
each has the next one as the only one to go on to; a walk that comes to the first comes to all. The states of a history
are then a few thousand chains with *links* between them, and what lies upstream of a thing is found by unions of links.
That tells what is found and not how far it is away: distances are counted apart, for the nodes that are told (see
``lineage_walk``).

A state belongs to one chain at most. Chains are made when a walk first comes to them, and cut in two where a link leads
into their middle. Walks go along links without a lock: what was cut after they had passed belongs to what they passed.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from provrepo.views.lineage_steps import BOUNDED, LEAF, MAIN, NODE, OTHER, SHIFT

if TYPE_CHECKING:
    from provrepo.views.lineage_rows import Rows

__all__ = ["Chains", "Closure", "Outgrown", "undominated"]

_LONGEST = 4096
"""States of a chain: cutting one copies them."""

_AT_ONCE = 5_000
"""Chains that are made between two looks at the clock, while nobody else can make any."""


class Outgrown(Exception):
    """What a walk asks for is not to be had from chains: the walk goes level by level instead."""


@dataclass(frozen=True, slots=True)
class Closure:
    """All states that a walk without a depth comes to.

    Attributes:
        chains: those of the scope.
        seen: the numbers of the chains that it came to.
        first: the start, and what follows it where it leads into the middle of a chain.
        main: the nodes that were found in their main state, each once.
        others: the nodes that were found in other states alone.
        odd: the states that are no main ones, leaves aside, that are ends, or from which something is followed back.
        moves: how many relations lead on from all states, those that are followed back aside.
    """

    chains: Chains
    seen: set[int]
    first: frozenset[int]
    main: array[int]
    others: set[int]
    odd: list[int]
    moves: int

    def __len__(self) -> int:
        """How many nodes there are."""
        return len(self.main) + len(self.others)

    def nodes(self) -> set[int]:
        """The nodes."""
        return self.others.union(self.main)

    def visited(self, state: int) -> bool:
        """Whether the walk came to a state that is not a leaf."""
        return state in self.first or self.chains.holds(state, self.seen)


class Chains:
    """The chains of one scope."""

    def __init__(
        self,
        rows: Mapping[int, tuple[int, ...]],
        backs: Mapping[int, tuple[tuple[int, int], ...]],
        ends: Collection[int],
        bounds: Sequence[int],
        same: dict[int, int],
    ) -> None:
        """Start with none; the arguments are those of the scope, and fill while it is used."""
        self._rows, self._backs, self._ends, self._bounds, self._same = rows, backs, ends, bounds, same
        self._lock = threading.Lock()
        # A chain is a place in these lists; the links of one that is not made are None.
        self._heads: list[int] = []
        self._links: list[tuple[int, ...] | None] = []
        self._states: list[array[int]] = []
        self._main: list[bytes] = []
        self._leaves: list[tuple[int, ...]] = []
        self._moves: list[int] = []
        self._odd: dict[int, tuple[int, ...]] = {}
        self._numbers: dict[int, int] = {}
        self._inside: dict[int, int] = {}
        self._cut_from: dict[int, int] = {}
        self.size = 0
        """How many states are held."""

    def closure(self, start: int, rows: Rows) -> Closure:
        """Everything that a walk comes to.

        Args:
            start: its first state, to which nothing leads.
            rows: of the same scope; missing ones are taken from there.

        Raises:
            TimedOut: it took too long.
            Outgrown: the scope became too large, or the walk goes in a circle that leads into the chain in which it
                began.
        """
        rows.reach([start])
        with self._lock:
            first, links, entered = self._begin(start)
            known = len(self._heads)
        seen = self._reached(links, rows)
        with self._lock:
            # Some may have been cut meanwhile, after the walk had come to all of their states.
            seen.update(n for n in range(known, len(self._heads)) if self._cut_from.get(n) in seen)
            if entered is not None and any(self._holder(number, {entered}) is not None for number in seen):
                raise Outgrown
            return self._gathered(first, seen)

    def holds(self, state: int, seen: Collection[int]) -> bool:
        """Whether a state is in one of some chains that a walk came to."""
        # In this order, since a state that becomes the head of a chain is entered there before it leaves the other.
        number = self._inside.get(state)
        return self._holder(self._numbers.get(state) if number is None else number, seen) is not None

    def forget(self, states: Iterable[int]) -> None:
        """Forget the chains that some states are in, since their rows change; no walk may be under way."""
        with self._lock:
            self._cut_from.clear()
            for state in states:
                number = self._inside.get(state, self._numbers.get(state))
                if number is not None and self._links[number] is not None:
                    held = self._states[number]
                    for other in held[1:]:
                        del self._inside[other]
                    self.size -= len(held)
                    self._links[number] = None
                    self._put(number, array("q"))

    def _holder(self, number: int | None, seen: Collection[int]) -> int | None:
        """The chain among some of which another one is, or was before it was cut off."""
        while number is not None and number not in seen:
            number = self._cut_from.get(number)
        return number

    def _begin(self, start: int) -> tuple[Sequence[int], tuple[int, ...], int | None]:
        """The first states of a walk, where it goes on from there, and the chain into the middle of which it led.

        Each question has a start of its own: if every one of them cut a chain, few would be left.
        """
        targets = self._targets(start)
        if len(targets) == 1:
            number = self._inside.get(targets[0])
            links = None if number is None else self._links[number]
            if number is not None and links is not None:
                held = self._states[number]
                return [start, *held[held.index(targets[0]) :]], links, number
        return [start], tuple(map(self._number, targets)), None

    def _reached(self, links: Iterable[int], rows: Rows) -> set[int]:
        """The chains to which some links lead, directly or not."""
        seen, frontier, best = set[int](), set(links), dict[int, int]()
        while frontier:
            rows.check()
            if self._bounds:
                frontier = self._undominated(frontier, seen, best)
            seen |= frontier
            frontier = self._linked(frontier, rows).difference(seen)
        return seen

    def _linked(self, numbers: set[int], rows: Rows) -> set[int]:
        """The chains to which links lead from some chains."""
        while True:
            try:
                return set[int]().union(*map(self._links.__getitem__, numbers))  # type: ignore[arg-type]
            except TypeError:
                self._make([number for number in numbers if self._links[number] is None], rows)

    def _undominated(self, numbers: set[int], seen: set[int], best: dict[int, int]) -> set[int]:
        heads = {self._heads[number] for number in numbers}
        bounded = {head for head in heads if head >> SHIFT >= BOUNDED}
        left = undominated(
            bounded, self._bounds, best, lambda node: self.holds(node, seen) or self.holds(node, numbers)
        )
        return numbers.difference(self._numbers[head] for head in bounded - left)

    def _gathered(self, first: Sequence[int], seen: set[int]) -> Closure:
        beginning = frozenset(first)
        more, odd, leaves, moves = self._described(first)
        odd += [state for number in self._odd.keys() & seen for state in self._odd[number]]
        main = array("q", b"".join(map(self._main.__getitem__, seen))) + more
        others = {state & NODE for state in odd if state > NODE}.union(leaves, *map(self._leaves.__getitem__, seen))
        alone = {node for node in others if node not in beginning and not self.holds(node, seen)}
        return Closure(self, seen, beginning, main, alone, odd, sum(map(self._moves.__getitem__, seen), moves))

    def _make(self, numbers: Sequence[int], rows: Rows) -> None:
        """Make chains."""
        for place in range(0, len(numbers), _AT_ONCE):
            left = numbers[place : place + _AT_ONCE]
            missing = {self._heads[number] for number in left}
            while left:
                rows.check()
                rows.reach(missing)
                missing = set()
                with self._lock:
                    left = [number for number in left if not self._build(number, missing)]

    def _build(self, number: int, missing: set[int]) -> bool:
        """Make a chain, or say which row is missing."""
        if self._links[number] is not None:
            return True
        state = self._heads[number]
        states = {state: None}
        while len(states) < _LONGEST:
            following = self._following(state)
            if following is None or following in states:
                break
            if following not in self._rows:
                missing.add(following)
                return False
            state = self._same.setdefault(following, following)
            states[state] = None
        self._inside.update(dict.fromkeys(islice(states, 1, None), number))
        self._put(number, array("q", states))
        self.size += len(states)
        links = tuple(map(self._number, self._targets(state)))
        # The last state may lead into the middle of this very chain, which was cut by that.
        self._links[self._inside.get(state, self._numbers.get(state, number))] = links
        return True

    def _number(self, head: int) -> int:
        """The number of the chain that begins with a state: another one is cut where the state is in its middle."""
        found = self._numbers.get(head)
        if found is not None:
            return found
        former = self._inside.get(head)
        number = len(self._heads)
        self._heads.append(self._same.setdefault(head, head))
        self._links.append(None)
        self._states.append(array("q"))
        self._main.append(b"")
        self._leaves.append(())
        self._moves.append(0)
        if former is not None:
            self._cut(former, head, number)
        self._numbers[head] = number
        self._inside.pop(head, None)
        return number

    def _cut(self, former: int, head: int, number: int) -> None:
        self._cut_from[number] = former
        states, links = self._states[former], self._links[former]
        place = states.index(head)
        for state in states[place + 1 :]:
            self._inside[state] = number
        self._put(number, states[place:])
        self._links[number] = links
        self._put(former, states[:place])
        self._links[former] = (number,)

    def _put(self, number: int, states: array[int]) -> None:
        """Put down which states a chain has, and what is known of them."""
        self._states[number] = states
        main, odd, self._leaves[number], self._moves[number] = self._described(states)
        self._main[number] = main.tobytes()
        if odd:
            self._odd[number] = tuple(odd)
        else:
            self._odd.pop(number, None)

    def _described(self, states: Iterable[int]) -> tuple[array[int], list[int], tuple[int, ...], int]:
        """Of some states the main ones, the odd ones, the nodes of leaves that follow, and how many moves do.

        See ``Closure``.
        """
        main, odd, leaves, moves = array("q"), list[int](), dict[int, None](), 0
        rows, ends, backs, same = self._rows, self._ends, self._backs, self._same.setdefault
        for state in states:
            row = rows[state]
            moves += len(row)
            for target in row:
                if target >> SHIFT == LEAF:
                    leaves[same(target & NODE, target & NODE)] = None
            if state <= NODE:
                main.append(state)
            if state > NODE or state in ends or state in backs:
                odd.append(state)
                moves -= len(backs.get(state, ()))
        return main, odd, tuple(leaves), moves

    def _targets(self, state: int) -> list[int]:
        """What comes next, leaves aside."""
        return list(dict.fromkeys(target for target in self._rows[state] if target >> SHIFT != LEAF))

    def _following(self, state: int) -> int | None:
        """The only state that comes next, if it can be in the middle of a chain."""
        found = None
        for target in self._rows[state]:
            mode = target >> SHIFT
            if mode == LEAF or target == found:
                continue
            # What has a bound of time is looked at before it is gone beyond.
            if found is not None or mode not in (MAIN, OTHER):
                return None
            found = target
        return None if found in self._numbers or found in self._inside else found


def undominated(
    states: set[int], bounds: Sequence[int], best: dict[int, int], visited: Callable[[int], bool]
) -> set[int]:
    """Those of some states with bounds of time from which something may come that comes from no other.

    An activity that was reached at many times would else be expanded as many times.

    Args:
        states: what a walk comes to next.
        bounds: of the scope.
        best: for each node the bound of the least bounded state so far; is brought up to date.
        visited: whether the walk comes to a state of a node without bound.
    """
    left = set[int]()
    for state in sorted(states, key=lambda state: -bounds[(state >> SHIFT) - BOUNDED]):
        node, bound = state & NODE, bounds[(state >> SHIFT) - BOUNDED]
        if not visited(node) and best.get(node, bound - 1) < bound:
            best[node] = bound
            left.add(state)
    return left
