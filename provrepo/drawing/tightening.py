"""Shorter edges without new bends: after the alignment, vertically joined nodes move sideways as one unit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from provrepo.drawing.alignment import IMPLIED, Gap, Rank, Rows

__all__ = ["tightened"]

_ROUNDS = 8
_STRAIGHT = 0.5
"""The most px by which the ends of a vertical edge differ."""

_LIGHT, _USUAL = 1, 8
"""The weights of implied edges and of other edges."""


def tightened(rows: Rows, above: Sequence[Sequence[int]], x: Sequence[float], rank: Rank, gap: Gap) -> list[float]:
    """Coordinates with the same order in each row and shorter edges.

    Each unit of vertically joined nodes moves to where its edges to other units are shortest in total (the weighted
    median), as far as its neighbors leave room.

    Args:
        rows: the nodes of each row, from left to right.
        above: each node's neighbors in the row above.
        x: the coordinates after the alignment.
        rank: the rank of the edge between an upper and a lower node.
        gap: the least distance between the centers of two adjacent nodes, from left to right.
    """
    return _Tightening(rows, above, x, rank, gap).run()


class _Tightening:
    def __init__(self, rows: Rows, above: Sequence[Sequence[int]], x: Sequence[float], rank: Rank, gap: Gap) -> None:
        self.x = list(x)
        self.left: list[tuple[int, float] | None] = [None] * len(x)
        self.right: list[tuple[int, float] | None] = [None] * len(x)
        for row in rows:
            for one, other in pairwise(row):
                distance = gap(one, other)
                self.right[one], self.left[other] = (other, distance), (one, distance)
        self.edges: list[list[tuple[int, int]]] = [[] for _ in x]
        for node, others in enumerate(above):
            for other in others:
                weight = _LIGHT if rank(other, node) == IMPLIED else _USUAL
                self.edges[node].append((other, weight))
                self.edges[other].append((node, weight))

    def run(self) -> list[float]:
        for number in range(_ROUNDS):
            units = self._units()
            units.sort(key=lambda unit: self.x[unit[0]], reverse=number % 2 == 1)
            moved = sum([self._move(unit) for unit in units])
            if moved < _STRAIGHT:
                break
        return self.x

    def _units(self) -> list[list[int]]:
        """Nodes joined by vertical edges."""
        home = [-1] * len(self.x)
        units: list[list[int]] = []
        for start in range(len(self.x)):
            if home[start] >= 0:
                continue
            unit = [start]
            home[start] = len(units)
            for node in unit:
                for other, weight in self.edges[node]:
                    if home[other] < 0 and weight == _USUAL and abs(self.x[other] - self.x[node]) < _STRAIGHT:
                        home[other] = len(units)
                        unit.append(other)
            units.append(unit)
        return units

    def _move(self, unit: Sequence[int]) -> float:
        """Move a unit toward the median of its edges, as far as there is room; returns the distance."""
        members = set(unit)
        pulls: list[tuple[float, int]] = []
        low, high = float("-inf"), float("inf")
        for node in unit:
            at = self.x[node]
            pulls += [(self.x[other] - at, weight) for other, weight in self.edges[node] if other not in members]
            beside = self.left[node]
            if beside is not None and beside[0] not in members:
                low = max(low, self.x[beside[0]] + beside[1] - at)
            beside = self.right[node]
            if beside is not None and beside[0] not in members:
                high = min(high, self.x[beside[0]] - beside[1] - at)
        if not pulls:
            return 0.0
        shift = min(max(_median(pulls), min(low, 0.0)), max(high, 0.0))
        if abs(shift) < _STRAIGHT:
            return 0.0
        for node in unit:
            self.x[node] += shift
        return abs(shift)


def _median(pulls: list[tuple[float, int]]) -> float:
    """The weighted median that is nearest to 0."""
    pulls.sort()
    half = sum([weight for _, weight in pulls]) / 2
    passed = 0
    for index, (value, weight) in enumerate(pulls):
        passed += weight
        if passed > half:
            return value
        if passed == half:
            return min(max(0.0, value), pulls[index + 1][0])
    return 0.0
