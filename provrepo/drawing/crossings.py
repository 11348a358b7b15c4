"""The order of nodes within their rows, so that few edges cross: barycenters, then exchanges of neighbors.

Every edge here joins two adjacent rows; longer edges are already divided into pieces.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence

__all__ = ["count", "reduce"]

_SWEEPS = 24
_MAX_IDLE = 4
"""Sweeps without improvement after which the search ends."""

_EXCHANGES = 400_000
"""Neighbor comparisons after which exchanging ends, so that large drawings take bounded time."""

Rows = list[list[int]]
Links = Sequence[Sequence[int]]


def reduce(rows: Rows, above: Links, below: Links) -> Rows:
    """Rows with the same nodes in a better order.

    Args:
        rows: the nodes of each row from the top.
        above: each node's neighbors in the row above it.
        below: each node's neighbors in the row below it.
    """
    position = [0] * len(above)
    current = _gathered(rows, above, below)
    _place(current, position)
    best, fewest = [list(row) for row in current], _total(current, below, position)
    budget = _EXCHANGES
    idle = 0
    for sweep in range(_SWEEPS):
        if fewest == 0 or idle == _MAX_IDLE:
            break
        _sweep(current, above, below, position, down=sweep % 2 == 0, mirrored=sweep % 4 >= 2)
        budget = _exchange(current, above, below, position, budget)
        crossings = _total(current, below, position)
        idle += 1
        if crossings < fewest:
            best, fewest, idle = [list(row) for row in current], crossings, 0
    return best


def count(rows: Rows, below: Links) -> int:
    """The number of pairs of edges that cross."""
    position = [0] * len(below)
    _place(rows, position)
    return _total(rows, below, position)


def _gathered(rows: Rows, above: Links, below: Links) -> Rows:
    """The first order: that of a depth-first traversal, which keeps connected nodes side by side."""
    row_of = [0] * len(above)
    for number, row in enumerate(rows):
        for node in row:
            row_of[node] = number
    seen = [False] * len(above)
    result: Rows = [[] for _ in rows]
    for start in (node for row in reversed(rows) for node in row):
        pending = [start]
        while pending:
            node = pending.pop()
            if not seen[node]:
                seen[node] = True
                result[row_of[node]].append(node)
                pending += [other for other in (*below[node], *above[node])[::-1] if not seen[other]]
    return result


def _place(rows: Rows, position: list[int]) -> None:
    for row in rows:
        for index, node in enumerate(row):
            position[node] = index


def _total(rows: Rows, below: Links, position: list[int]) -> int:
    return sum(_between(row, below, position) for row in rows[:-1])


def _between(row: Sequence[int], below: Links, position: list[int]) -> int:
    """Crossings of the edges from one row to the next: inversions among their lower ends."""
    passed: list[int] = []
    crossings = 0
    for node in row:
        ends = sorted([position[other] for other in below[node]])
        for end in ends:
            crossings += len(passed) - bisect_right(passed, end)
        for end in ends:
            insort(passed, end)
    return crossings


def _sweep(rows: Rows, above: Links, below: Links, position: list[int], *, down: bool, mirrored: bool) -> None:
    """Sort each row by the mean position of each node's neighbors in the previous row."""
    links = above if down else below
    for row in rows[1:] if down else rows[-2::-1]:
        key = {}
        for node in row:
            others = links[node]
            key[node] = sum([position[other] for other in others]) / len(others) if others else float(position[node])
        if mirrored:
            # Nodes with equal keys change sides, which may lead to a better order.
            row.reverse()
        row.sort(key=key.__getitem__)
        for index, node in enumerate(row):
            position[node] = index


def _exchange(rows: Rows, above: Links, below: Links, position: list[int], budget: int) -> int:
    """Exchange neighbors wherever that saves a crossing; returns the rest of the budget."""
    improved = True
    while improved and budget > 0:
        improved = False
        for row in rows:
            ends = [(sorted([position[o] for o in above[n]]), sorted([position[o] for o in below[n]])) for n in row]
            for index in range(len(row) - 1):
                (left_up, left_down), (right_up, right_down) = ends[index], ends[index + 1]
                budget -= 1
                gain = _gain(left_up, right_up) + _gain(left_down, right_down)
                if gain > 0:
                    row[index], row[index + 1] = row[index + 1], row[index]
                    ends[index], ends[index + 1] = ends[index + 1], ends[index]
                    improved = True
            for index, node in enumerate(row):
                position[node] = index
    return budget


def _gain(left: list[int], right: list[int]) -> int:
    """Crossings saved by exchanging two neighbors, from the sorted other ends of their edges."""
    return sum([len(left) - bisect_right(left, end) - bisect_left(left, end) for end in right])
