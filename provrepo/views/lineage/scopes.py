"""Which rows are kept from one question to the next, and when they are forgotten.

The index counts the changes to its content. A walk reads that number in the transaction in which it reads everything
else, and goes on rows of that very number only: whatever wrote in between, another thread or another process.
"""

from __future__ import annotations

import threading
from array import array
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager

from provrepo.model.statements import GENERATION, USAGE
from provrepo.views.lineage.adjacency import MOST, Scope
from provrepo.views.lineage.rules import RULES
from provrepo.views.lineage.snapshot import Held

__all__ = ["Scopes"]

_SCOPES = 16
"""How many are kept: questions are asked alike, and with every reader's own datasets."""

_CHANGES = 1000
"""The changes that are remembered; who has not asked for longer starts anew."""

_TOUCHED = 50_000
"""The things that a change may touch before whoever has rows starts anew."""

_REMEMBERED = 1_000_000
"""The things of all changes that are remembered, 8 bytes each."""

_EVENTS = [number for number, rule in enumerate(RULES) if rule.kind in (GENERATION, USAGE)]


class Scopes:
    """The rows of the most recent ways of asking, within a bound of memory."""

    def __init__(self) -> None:
        """Start with none."""
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, Scope] = OrderedDict()
        self._changes: OrderedDict[int, array[int] | None] = OrderedDict()
        self._remembered = 0

    @property
    def size(self) -> int:
        """The states that are kept, as keys and in rows."""
        return sum(scope.size for scope in self._kept.values())

    def changed(self, generation: int, terms: Sequence[int]) -> None:
        """Remember what a change touched, which led to that generation."""
        touched = array("q", terms) if len(terms) <= _TOUCHED else None
        with self._lock:
            self._remembered += len(touched or ()) - len(self._changes.get(generation) or ())
            self._changes[generation] = touched
            while len(self._changes) > _CHANGES or self._remembered > _REMEMBERED:
                _, oldest = self._changes.popitem(last=False)
                self._remembered -= len(oldest or ())

    def clear(self) -> None:
        """Forget all rows, and which changes there were."""
        with self._lock:
            self._kept.clear()
            self._changes.clear()
            self._remembered = 0

    @contextmanager
    def using(self, key: Hashable, generation: int, held: Held) -> Iterator[Scope]:
        """The rows for one way of asking at one generation, while a walk is under way on them."""
        with self._lock:
            scope = self._kept.get(key)
            if scope is None or not self._brought(scope, generation, held):
                newer = scope is not None and scope.generation > generation
                scope = Scope(generation)
                # Who began to read before a change keeps what was found to himself.
                if not newer:
                    self._kept[key] = scope
            if self._kept.get(key) is scope:
                self._kept.move_to_end(key)
            scope.users += 1
        try:
            yield scope
        finally:
            with self._lock:
                scope.users -= 1
                while self._kept and (len(self._kept) > _SCOPES or self.size > MOST):
                    self._kept.popitem(last=False)

    def _brought(self, scope: Scope, generation: int, held: Held) -> bool:
        """Bring rows up to a generation; whether that could be done."""
        if scope.generation == generation:
            return True
        between = range(scope.generation + 1, generation + 1)
        if scope.users or scope.generation > generation or len(between) > _CHANGES:
            return False
        touched: set[int] = set()
        for number in between:
            terms = self._changes.get(number)
            if terms is None:
                return False
            touched.update(terms)
        scope.drop(touched)
        if scope.timed:
            # Whether a thing's activity has a bound of time depends on what else the activity did, and when.
            ordered = sorted(touched)
            for into in (False, True):
                for subject, _, upper in held.keys(ordered, _EVENTS, into=into):
                    scope.drop((subject, upper))
        scope.generation = generation
        return True
