"""Prefetch: which versions a row cache reads as a whole, before a traversal needs each of their edges.

A traversal without a depth needs most edges of a small version, and each level would be a look-up of its own.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from provrepo.views.lineage.snapshot import Snapshot

__all__ = ["NARROW", "Prefetch"]

NARROW = 100
"""The most things in a look-up for which whole versions are read. A look-up of more is worth its time by itself."""

_SMALL = 500
"""The most things of a version that is read as a whole at once."""

_THINGS = 20
"""Things of a version whose rows are read together in the time of one look-up. So a large version is read as a whole
once as much time was spent on look-ups in it."""


@dataclass(slots=True)
class Prefetch:
    """The versions that were read.

    Attributes:
        versions: the versions that were read as a whole.
        looked_up: for other versions, how often some of their things were looked up.
    """

    versions: set[int] = field(default_factory=set)
    looked_up: dict[int, int] = field(default_factory=dict)

    def terms(self, snapshot: Snapshot, nodes: Collection[int], *, upstream: bool, room: int) -> set[int]:
        """The nodes to read, given nodes without rows: all nodes of the versions that contain these.

        Args:
            snapshot: the source of versions.
            nodes: their numbers.
            upstream: the direction of the traversal.
            room: the most nodes.
        """
        wanted, sizes = set[int](), snapshot.versions(sorted(nodes), into=not upstream)
        if len(sizes) > NARROW:
            # The next look-up will have as many things.
            return wanted
        for version, size in sizes.items():
            if version in self.versions:
                continue
            looked_up = self.looked_up[version] = self.looked_up.get(version, 0) + 1
            if (size <= _SMALL or looked_up * _THINGS >= size) and size <= room:
                wanted.add(version)
                room -= size
        self.versions |= wanted
        return set[int]().union(*snapshot.terms(sorted(wanted)).values())
