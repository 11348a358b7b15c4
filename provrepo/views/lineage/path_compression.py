"""The rows of a scope in chains, so that a walk takes many states in one step.

Lineage is mostly without a choice: a thing was made by one activity, which used one thing. A *chain* is states of which
each has the next one as the only one to go on to; a walk that comes to the first comes to all. Beside it there are
*tips*, from which nothing comes next but the very state that led there: agents and plans, what something is a version
of, its bytes where nobody else has them. The states of a history are then a few thousand chains with *links* between
them, and what lies upstream of a thing is found by unions of links. That tells what is found and not how far it is
away: distances are counted apart, for the nodes that are told (see ``lineage_walk``).

A state belongs to one chain at most. Chains are made when a walk first comes to them, and cut in two where a link leads
into their middle. Walks go along links without a lock: what was cut after they had passed belongs to what they passed.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from provrepo.views.lineage.states import BOUNDED, LEAF, MAIN, NODE, OTHER, SHIFT

if TYPE_CHECKING:
    from provrepo.views.lineage.adjacency import Rows

__all__ = ["Chains", "Closure", "Outgrown", "undominated"]

_LONGEST = 4096
"""States of a chain: cutting one copies them."""

_AT_ONCE = 1_000
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
        tips: beside the chains.
        main: the nodes that were found in their main state, each once.
        others: the nodes that were found in other states alone, or are tips.
        odd: the states of chains that are no main ones, that are ends, or from which something is followed back.
        moves: how many relations lead on from all states, those that are followed back aside.
    """

    chains: Chains
    seen: set[int]
    first: frozenset[int]
    tips: set[int]
    main: memoryview[int]
    others: set[int]
    odd: list[int]
    moves: int

    def __len__(self) -> int:
        """How many nodes there are."""
        return len(self.main) + len(self.others)

    def nodes(self) -> set[int]:
        """The nodes."""
        return self.others.union(self.main)

    def in_main(self, nodes: set[int]) -> Iterable[int]:
        """Those of some nodes that were found in their main state."""
        if len(nodes) << 3 > len(self.main):
            return nodes.intersection(self.main)
        return (node for node in nodes if self.visited(node))

    def visited(self, state: int) -> bool:
        """Whether the walk came to a state."""
        return state in self.first or state in self.tips or self.chains.holds(state, self.seen)


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
        self._tips: list[tuple[int, ...]] = []
        self._moves: list[int] = []
        self._odd: dict[int, tuple[int, ...]] = {}
        self._numbers: dict[int, int] = {}
        self._inside: dict[int, int] = {}
        self._cut_from: dict[int, int] = {}
        # What was known of tips that are no leaves when chains were made, and which of them may have changed.
        self._known: dict[int, tuple[int, ...]] = {}
        self._doubtful: set[int] = set()
        self._prepared = False
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
        self._settle(rows)
        if rows.scope.ahead.complete and not self._prepared:
            self._prepare(rows)
        missing = {start}
        while missing:
            rows.reach(missing)
            missing = set()
            with self._lock:
                first, links, entered = self._begin(start, missing)
                known = len(self._heads)
        seen = self._reached(links, rows)
        with self._lock:
            cut = [number for number in range(known, len(self._heads)) if number in self._cut_from]
            if entered is not None and not seen.isdisjoint({entered, *self._parts(entered, cut)}):
                raise Outgrown
            # What was cut off after the walk had come to all of it.
            for number in cut:
                if self._cut_from[number] in seen:
                    seen.add(number)
            return self._gathered(first, seen)

    def holds(self, state: int, seen: Collection[int]) -> bool:
        """Whether a state is in one of some chains that a walk came to."""
        # In this order, since a state that becomes the head of a chain is entered there before it leaves the other.
        number = self._inside.get(state)
        return self._holder(self._numbers.get(state) if number is None else number, seen) is not None

    def forget(self, states: Iterable[int]) -> None:
        """Forget what is known of some states, since their rows change; no walk may be under way."""
        with self._lock:
            self._cut_from.clear()
            for state in states:
                number = self._inside.get(state, self._numbers.get(state))
                if number is not None:
                    self._undo(number)
                if state in self._known:
                    self._doubtful.add(state)

    def _undo(self, number: int) -> None:
        """Take a chain apart."""
        if self._links[number] is None:
            return
        for state in self._states[number][1:]:
            del self._inside[state]
        self.size -= len(self._states[number])
        self._links[number] = None
        self._put(number, {})

    def _settle(self, rows: Rows) -> None:
        """Look at what was a tip and may be none any more."""
        while doubtful := set(self._doubtful):
            rows.reach(doubtful)
            with self._lock:
                changed = {state for state in doubtful & self._doubtful if not self._is_as_known(state)}
                for number, tips in enumerate(self._tips):
                    if changed and not changed.isdisjoint(tips):
                        self._undo(number)
                for state in changed:
                    del self._known[state]
                self._doubtful -= doubtful

    def _holder(self, number: int | None, seen: Collection[int]) -> int | None:
        """The chain among some of which another one is, or was before it was cut off."""
        while number is not None and number not in seen:
            number = self._cut_from.get(number)
        return number

    def _prepare(self, rows: Rows) -> None:
        """Make the chains of all rows, so that each later question finds them: from where nothing leads to."""
        led_to = set[int]().union(*self._rows.values())
        with self._lock:
            heads = [self._number(state) for state in list(self._rows) if state <= NODE and state not in led_to]
        self._reached(heads, rows)
        self._prepared = True

    def _is_as_known(self, tip: int) -> bool:
        row = self._rows[tip]
        return row == self._known[tip] and len(row) == len(self._backs.get(tip, ()))

    def _parts(self, number: int, cut: Iterable[int]) -> Iterator[int]:
        """Those of some chains that were cut off from another one, or from what was."""
        return (each for each in cut if self._holder(each, {number}) is not None)

    def _begin(self, start: int, missing: set[int]) -> tuple[Sequence[int], tuple[int, ...], int | None]:
        """The first states of a walk, where it goes on from there, and the chain into the middle of which it led.

        Each question has a start of its own: if every one of them cut a chain, few would be left.
        """
        onward, _ = self._parted(start, missing)
        if missing:
            return [start], (), None
        if len(onward) == 1:
            number = self._inside.get(onward[0])
            links = None if number is None else self._links[number]
            if number is not None and links is not None:
                held = self._states[number]
                return [start, *held[held.index(onward[0]) :]], links, number
        return [start], tuple(map(self._number, onward)), None

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
        more, odd, tips, moves = self._described(self._with_tips(first))
        odd += [state for number in self._odd.keys() & seen for state in self._odd[number]]
        main = memoryview(b"".join([more.tobytes(), *map(self._main.__getitem__, seen)])).cast("q")
        every = set(tips).union(*map(self._tips.__getitem__, seen))
        others = {state & NODE for state in odd if state > NODE} | {state & NODE for state in every}
        # Few nodes are known in their main state as well.
        twice = (others & self._numbers.keys()) | (others & self._inside.keys())
        others.difference_update(beginning, [node for node in twice if self.holds(node, seen)])
        moves += sum(map(self._moves.__getitem__, seen))
        return Closure(self, seen, beginning, every, main, others, odd, moves)

    def _make(self, numbers: Sequence[int], rows: Rows) -> None:
        """Make chains."""
        for place in range(0, len(numbers), _AT_ONCE):
            left = numbers[place : place + _AT_ONCE]
            missing, begun = {self._heads[number] for number in left}, dict[int, dict[int, Sequence[int]]]()
            while left:
                rows.check()
                rows.reach(missing)
                missing = set()
                with self._lock:
                    left = [number for number in left if not self._build(number, begun, missing)]

    def _build(self, number: int, begun: dict[int, dict[int, Sequence[int]]], missing: set[int]) -> bool:
        """Make a chain; or go on as far as rows are known, and say which are missing."""
        if self._links[number] is not None:
            return True
        state = self._heads[number]
        states = begun.setdefault(number, {})
        if states.keys() & self._inside.keys() or len(states.keys() & self._numbers.keys()) > 1:
            # Somebody else has put a part of it elsewhere.
            states.clear()
        if states:
            state, _ = states.popitem()
        lacking: set[int] = set()
        while True:
            onward, states[state] = self._parted(state, lacking)
            if lacking:
                missing |= lacking
                return False
            # What has a bound of time is looked at before it is gone beyond.
            if len(onward) != 1 or len(states) == _LONGEST or onward[0] >> SHIFT not in (MAIN, OTHER):
                break
            following = self._same.setdefault(onward[0], onward[0])
            if following in states or following in self._numbers or following in self._inside:
                break
            state = following
        self._inside.update(dict.fromkeys(islice(states, 1, None), number))
        self._put(number, states)
        self.size += len(states)
        links = tuple(map(self._number, onward))
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
        self._tips.append(())
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
        self._put(number, self._with_tips(states[place:]))
        self._links[number] = links
        self._put(former, self._with_tips(states[:place]))
        self._links[former] = (number,)

    def _put(self, number: int, states: Mapping[int, Sequence[int]]) -> None:
        """Put down which states a chain has, each with its tips, and what is known of them."""
        self._states[number] = array("q", states)
        main, odd, self._tips[number], self._moves[number] = self._described(states)
        self._main[number] = main.tobytes()
        if odd:
            self._odd[number] = tuple(odd)
        else:
            self._odd.pop(number, None)

    def _described(self, states: Mapping[int, Sequence[int]]) -> tuple[array[int], list[int], tuple[int, ...], int]:
        """Of states with their tips the main ones, the odd ones, the tips, and how many moves; see ``Closure``."""
        odd, tips, moves = list[int](), dict[int, None](), 0
        rows, ends, backs = self._rows, self._ends, self._backs
        for state, beside in states.items():
            moves += len(rows[state])
            for tip in beside:
                tips[tip] = None
            if state > NODE or state in ends or state in backs:
                odd.append(state)
                moves -= len(backs.get(state, ()))
        main = array("q", [state for state in states if state <= NODE] if odd else states)
        for tip in tips:
            if tip >> SHIFT != LEAF:
                self._known[tip] = self._rows[tip]
        return main, odd, tuple(tips), moves

    def _with_tips(self, states: Iterable[int]) -> dict[int, Sequence[int]]:
        """States of chains that are made, with their tips."""
        return {state: self._parted(state, set())[1] for state in states}

    def _parted(self, state: int, missing: set[int]) -> tuple[tuple[int, ...], Sequence[int]]:
        """What comes next from a state, and the tips; what has no row that would tell is put down as missing."""
        rows, backs, row = self._rows, self._backs, self._rows[state]
        if len(row) == 1 and row[0] not in backs and row[0] >> SHIFT != LEAF and rows.get(row[0]):
            # Nearly half of all are such.
            return row, ()
        onward, tips = dict[int, None](), list[int]()
        for target in row:
            if target >> SHIFT == LEAF:
                tips.append(target)
                continue
            after = rows.get(target)
            if after is None:
                missing.add(target)
            # Nothing comes next, or nothing but this very state, and that because it is followed back.
            elif not after or (target in backs and len(after) == len(backs[target]) == after.count(state)):
                tips.append(target)
            else:
                onward[target] = None
        return tuple(onward), tips


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
