"""Results that were derived from the index, kept for the callers that may see the same of it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, NamedTuple

__all__ = ["Kept", "State"]

_MOST = 120_000
"""The things and relations in all results that are kept: three or four lineages of 10,000 things, some 100 MB."""


class State(NamedTuple):
    """What determines the answers of the index to a caller.

    Attributes:
        epoch: how often the numbers of generations may have begun anew.
        generation: the number of changes to the content.
        datasets: the names of the datasets that the caller may read, sorted.
        entries: the last entries of each project that count, for a former state; None for now.
        curated: the projects whose withdrawn versions count in a former state; None for all.
    """

    epoch: int
    generation: int
    datasets: tuple[str, ...]
    entries: tuple[tuple[str, int], ...] | None
    curated: tuple[str, ...] | None


class Kept:
    """The results that were used last, all of the newest generation.

    Attributes:
        epoch: counts ``clear``.
    """

    def __init__(self, most: int = _MOST) -> None:
        """Create it empty.

        Args:
            most: the size of all results together.
        """
        self._most = most
        self._lock = threading.Lock()
        self._found: OrderedDict[tuple[State, Hashable], tuple[Any, int]] = OrderedDict()
        self._newest = 0
        self.epoch = 0

    def get(self, state: State, key: Hashable) -> Any:
        """The result for a key in a state; None where it is not kept."""
        with self._lock:
            self._renew(state)
            found = self._found.get((state, key))
            if found is None:
                return None
            self._found.move_to_end((state, key))
            return found[0]

    def put(self, state: State, key: Hashable, result: object, size: int) -> None:
        """Keep a result, unless it is larger than all may be, or of a former generation."""
        with self._lock:
            self._renew(state)
            if size > self._most or (state.epoch, state.generation) != (self.epoch, self._newest):
                return
            self._found[state, key] = result, size
            while sum(each for _, each in self._found.values()) > self._most:
                self._found.popitem(last=False)

    def clear(self) -> None:
        """Discard everything, since numbers of generations may be used again."""
        with self._lock:
            self._found.clear()
            self._newest = 0
            self.epoch += 1

    def _renew(self, state: State) -> None:
        """Discard the results of former generations, which nobody will ask for; erased content is in them too."""
        if state.epoch == self.epoch and state.generation > self._newest:
            self._newest = state.generation
            self._found.clear()
