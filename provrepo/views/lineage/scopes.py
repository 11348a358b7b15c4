"""The row caches that are kept from one query to the next, and their invalidation.

The index counts the changes to its content (its *generation*). A query reads that number in its transaction and uses
rows of that generation only, whichever thread or process has written meanwhile.
"""

from __future__ import annotations

import threading
from array import array
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager

from provrepo.model.statements import GENERATION, USAGE
from provrepo.views.lineage.adjacency import MOST, RowCache
from provrepo.views.lineage.rules import RULES
from provrepo.views.lineage.snapshot import Snapshot

__all__ = ["RowCaches"]

_SCOPES = 16
"""Caches that are kept: one for each combination of datasets, ``as_of`` and options."""

_CHANGES = 1000
"""Changes that are recorded; an older cache is discarded."""

_TOUCHED = 50_000
"""The most things that a change may touch; after a larger change caches are discarded."""

_REMEMBERED = 1_000_000
"""The most things in all recorded changes, 8 bytes each."""

_EVENTS = [number for number, rule in enumerate(RULES) if rule.kind in (GENERATION, USAGE)]


class RowCaches:
    """The most recently used row caches, within a limit of memory."""

    def __init__(self) -> None:
        """Create it empty."""
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, RowCache] = OrderedDict()
        self._changes: OrderedDict[int, array[int] | None] = OrderedDict()
        self._moments: dict[int, tuple[tuple[int, int], ...]] = {}
        self._remembered = 0

    @property
    def size(self) -> int:
        """The number of states in all caches."""
        return sum(cache.size for cache in self._kept.values())

    def changed(self, generation: int, terms: Sequence[int], moments: Sequence[tuple[int, int]] = ()) -> None:
        """Record a change.

        Args:
            generation: the generation after it.
            terms: the things that it touched.
            moments: logical datasets and the times at which something changed.
        """
        touched = array("q", terms) if len(terms) <= _TOUCHED else None
        with self._lock:
            self._remembered += len(touched or ()) - len(self._changes.get(generation) or ())
            self._changes[generation] = touched
            self._remembered -= 2 * len(self._moments.pop(generation, ()))
            if touched is not None and moments:
                self._moments[generation] = tuple(moments)
                self._remembered += 2 * len(moments)
            while len(self._changes) > _CHANGES or self._remembered > _REMEMBERED:
                number, oldest = self._changes.popitem(last=False)
                self._remembered -= len(oldest or ()) + 2 * len(self._moments.pop(number, ()))

    def clear(self) -> None:
        """Discard all caches and recorded changes."""
        with self._lock:
            self._kept.clear()
            self._changes.clear()
            self._moments.clear()
            self._remembered = 0

    @contextmanager
    def using(self, key: Hashable, generation: int, snapshot: Snapshot) -> Iterator[RowCache]:
        """The cache for a key at a generation, in use until the block ends."""
        with self._lock:
            cache = self._kept.get(key)
            if cache is None or not self._updated(cache, generation, snapshot):
                newer = cache is not None and cache.generation > generation
                cache = RowCache(generation)
                # A reader on an old snapshot uses a private cache.
                if not newer:
                    self._kept[key] = cache
            if self._kept.get(key) is cache:
                self._kept.move_to_end(key)
            cache.users += 1
        try:
            yield cache
        finally:
            with self._lock:
                cache.users -= 1
                while self._kept and (len(self._kept) > _SCOPES or self.size > MOST):
                    self._kept.popitem(last=False)

    def _updated(self, cache: RowCache, generation: int, snapshot: Snapshot) -> bool:
        """Invalidate the rows that changed up to a generation; returns whether that was possible."""
        if cache.generation == generation:
            return True
        between = range(cache.generation + 1, generation + 1)
        if cache.users or cache.generation > generation or len(between) > _CHANGES:
            return False
        touched: set[int] = set()
        moments: dict[int, set[int]] = {}
        for number in between:
            terms = self._changes.get(number)
            if terms is None:
                return False
            touched.update(terms)
            for dataset, time in self._moments.get(number, ()):
                moments.setdefault(dataset, set()).add(time)
        cache.drop(touched, moments)
        if cache.timed:
            # The time bound of an activity depends on its other usages and generations.
            ordered = sorted(touched)
            for into in (False, True):
                for subject, _, upper in snapshot.keys(ordered, _EVENTS, into=into):
                    cache.drop((subject, upper))
        cache.generation = generation
        return True
