"""Which versions a scope of rows takes in as a whole, before each relation of them is asked for by itself.

A walk without a depth will ask for most of what a small version says, one relation after the other, and each of these
would be a look-up. How many other versions are taken in beside it depends on the share of all that has been needed,
which is how likely it is that these will be.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from provrepo.views.lineage.snapshot import Held

__all__ = ["Ahead"]

_BESIDE = 16
"""Versions that are taken in beside one that is needed, times the share of all that has been needed so far."""

_MANY = 3
"""All versions are taken in where one in so many was needed; a large one where one in so many of its things was."""

_SMALL = 500
"""The most things of which a version may speak that is taken in at once."""


@dataclass(slots=True)
class Ahead:
    """What was taken in.

    Attributes:
        versions: the numbers of the versions of which everything was.
        asked: of how many of their things others were asked.
        complete: whether all versions were but for large ones.
        needed: how many said something that was asked for.
        total: how many versions there were when that was first asked; None before.
    """

    versions: set[int] = field(default_factory=set)
    asked: dict[int, int] = field(default_factory=dict)
    complete: bool = False
    needed: int = 0
    total: int | None = None

    def terms(self, held: Held, nodes: Collection[int], *, filled: int, most: int) -> set[int]:
        """What to take in where the rows of some nodes are missing: all of which some versions speak.

        Args:
            held: where versions are.
            nodes: their numbers.
            filled: how much was taken in so far, in the measure of ``Scope.size``.
            most: how much there may be.
        """
        wanted, room = set[int](), most - filled
        for version, (count, size) in held.versions(sorted(nodes)).items():
            if version in self.versions:
                continue
            asked = self.asked[version] = self.asked.get(version, 0) + count
            if size <= _SMALL or (asked * _MANY >= size and size < room):
                wanted.add(version)
                room -= size
        if not wanted:
            return set()
        beside = self._beside(held, wanted, filled, most) - self.versions - wanted
        said = held.terms(sorted(wanted)) | held.terms(sorted(beside), largest=_SMALL)
        self.versions.update(said)
        return set[int]().union(*said.values())

    def _beside(self, held: Held, wanted: set[int], filled: int, most: int) -> set[int]:
        if self.total is None:
            self.total = held.total()
        self.needed += len(wanted)
        # What was needed so far took up what there is: all of them have to fit.
        if _MANY * self.needed >= self.total and filled * self.total < self.needed * most:
            self.complete = True
            return held.all_versions()
        width = _BESIDE * self.needed // self.total
        return {version for last in wanted for version in range(last - width, last)}
