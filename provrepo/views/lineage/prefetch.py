"""Prefetch: which versions a row cache reads as a whole, before a traversal needs each of their edges.

A traversal without a depth needs most edges of a small version, and each would be a look-up of its own. The number of
neighboring versions that are read as well grows with the share of all versions that was needed so far.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from provrepo.views.lineage.snapshot import Snapshot

__all__ = ["Prefetch"]

_BESIDE = 16
"""Neighbors of a needed version that are read, times the share of versions that was needed so far."""

_MANY = 3
"""All versions are read once one in so many was needed; a large one, once one in so many of its things was."""

_SMALL = 500
"""The most things of a version that is read as a whole at once."""


@dataclass(slots=True)
class Prefetch:
    """The versions that were read.

    Attributes:
        versions: the versions that were read as a whole.
        needed_things: for other versions, how many of their things were needed.
        complete: whether all versions except large ones were read.
        needed: the number of versions that were needed.
        total: the number of all versions, at the first use; None before.
    """

    versions: set[int] = field(default_factory=set)
    needed_things: dict[int, int] = field(default_factory=dict)
    complete: bool = False
    needed: int = 0
    total: int | None = None

    def terms(self, snapshot: Snapshot, nodes: Collection[int], *, filled: int, most: int) -> set[int]:
        """The nodes to read, given nodes without rows: all nodes of the versions that contain these.

        Args:
            snapshot: the source of versions.
            nodes: their numbers.
            filled: the size of the cache (``RowCache.size``).
            most: the limit of its size.
        """
        wanted, room = set[int](), most - filled
        for version, (count, size) in snapshot.versions(sorted(nodes)).items():
            if version in self.versions:
                continue
            needed_things = self.needed_things[version] = self.needed_things.get(version, 0) + count
            if size <= _SMALL or (needed_things * _MANY >= size and size < room):
                wanted.add(version)
                room -= size
        if not wanted:
            return set()
        beside = self._beside(snapshot, wanted, filled, most) - self.versions - wanted
        found = snapshot.terms(sorted(wanted)) | snapshot.terms(sorted(beside), largest=_SMALL)
        self.versions.update(found)
        return set[int]().union(*found.values())

    def _beside(self, snapshot: Snapshot, wanted: set[int], filled: int, most: int) -> set[int]:
        if self.total is None:
            self.total = snapshot.total()
        self.needed += len(wanted)
        # Estimated from the size of the versions so far, all versions must fit.
        if _MANY * self.needed >= self.total and filled * self.total < self.needed * most:
            self.complete = True
            return snapshot.all_versions()
        width = _BESIDE * self.needed // self.total
        return {version for last in wanted for version in range(last - width, last)}
