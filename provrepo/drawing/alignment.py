"""The x coordinates of nodes within their rows.

After Brandes and Köpf, "Fast and Simple Horizontal Coordinate Assignment" (Graph Drawing 2001).

Nodes are joined to blocks that share one x coordinate, in four ways (from above or below, from the left or right), and
the mean of the middle two is taken. An addition to the paper: edges have ranks. The pieces of a long edge have the
highest rank, so that it is straight; implied edges have the lowest, so that they give way to others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeAlias

__all__ = ["IMPLIED", "LONG", "USUAL", "coordinates"]

IMPLIED, USUAL, LONG = 0, 1, 2
"""Ranks of edges: where two cross, the higher one stays straight."""

Rows: TypeAlias = Sequence[Sequence[int]]
Rank: TypeAlias = Callable[[int, int], int]
Gap: TypeAlias = Callable[[int, int], float]

_FAR = 1 << 60


def coordinates(rows: Rows, above: Sequence[Sequence[int]], rank: Rank, gap: Gap) -> list[float]:
    """The x coordinate of each node's center.

    Args:
        rows: the nodes of each row, from left to right.
        above: each node's neighbors in the row above.
        rank: the rank of the edge between an upper and a lower node.
        gap: the least distance between the centers of two adjacent nodes, from left to right.
    """
    total = len(above)
    if not total:
        return []
    below: list[list[int]] = [[] for _ in range(total)]
    for node, others in enumerate(above):
        for other in others:
            below[other].append(node)
    blocked = _blocked(rows, below, rank)
    found = []
    for upside_down in (False, True):
        links = below if upside_down else above
        ordered = rows[::-1] if upside_down else rows
        for mirrored in (False, True):
            seen = [list(row)[::-1] if mirrored else list(row) for row in ordered]
            root = _blocks(seen, links, blocked, _preferred(rank, upside_down=upside_down))
            xs = _compacted(seen, root, (lambda a, b: gap(b, a)) if mirrored else gap)
            found.append([-x for x in xs] if mirrored else xs)
    return _balanced(found)


def _preferred(rank: Rank, *, upside_down: bool) -> Rank:
    """``rank`` with a node and one of its neighbors as arguments, in the order upper, lower."""
    return rank if upside_down else (lambda node, other: rank(other, node))


def _blocked(rows: Rows, below: Sequence[Sequence[int]], rank: Rank) -> set[tuple[int, int]]:
    """The edges that cross one of a higher rank, and therefore may not be straight."""
    position = {node: index for row in rows for index, node in enumerate(row)}
    blocked: set[tuple[int, int]] = set()
    for row in rows[:-1]:
        edges = [(rank(node, other), node, other) for node in row for other in below[node]]
        for level in sorted({edge[0] for edge in edges})[:-1]:
            # An edge of this level is crossed where a higher one starts left of it and ends right of it, or reversed.
            reach = [-1] * (len(row) + 1)  # by upper position: the rightmost end of higher edges before it
            for higher, node, other in edges:
                if higher > level:
                    reach[position[node] + 1] = max(reach[position[node] + 1], position[other])
            for index in range(len(row)):
                reach[index + 1] = max(reach[index + 1], reach[index])
            start = [_FAR] * (len(row) + 1)  # the leftmost end of higher edges after it
            for higher, node, other in edges:
                if higher > level:
                    start[position[node]] = min(start[position[node]], position[other])
            for index in reversed(range(len(row))):
                start[index] = min(start[index], start[index + 1])
            for own, node, other in edges:
                at = position[node]
                if own == level and (reach[at] > position[other] or start[at + 1] < position[other]):
                    blocked.add((node, other))
                    blocked.add((other, node))
    return blocked


def _blocks(rows: Rows, links: Sequence[Sequence[int]], blocked: set[tuple[int, int]], rank: Rank) -> list[int]:
    """The first node of the block that each node belongs to."""
    total = len(links)
    position = [0] * total
    for row in rows:
        for index, node in enumerate(row):
            position[node] = index
    root = list(range(total))
    taken = [False] * total
    for row in rows[1:]:
        last = -1
        for node in row:
            others = sorted(links[node], key=position.__getitem__)
            if not others:
                continue
            strongest = max([rank(node, other) for other in others])
            if strongest > IMPLIED:
                others = [other for other in others if rank(node, other) > IMPLIED]
            middle = len(others) // 2
            medians = [others[middle]] if len(others) % 2 else others[middle - 1 : middle + 1]
            for other in medians:
                if not taken[other] and (node, other) not in blocked and position[other] > last:
                    taken[other] = True
                    root[node] = root[other]
                    last = position[other]
                    break
    return root


def _compacted(rows: Rows, root: Sequence[int], gap: Gap) -> list[float]:
    """The blocks moved left as far as possible, and then right where that is closer to their neighbors."""
    after: dict[int, dict[int, float]] = {block: {} for block in sorted(set(root))}
    missing = dict.fromkeys(after, 0)
    for row in rows:
        for left, right in pairwise(row):
            a, b = root[left], root[right]
            if b not in after[a]:
                missing[b] += 1
            after[a][b] = max(after[a].get(b, 0.0), gap(left, right))
    x = dict.fromkeys(after, 0.0)
    waiting = deque(block for block, number in missing.items() if number == 0)
    order = []
    while waiting:
        block = waiting.popleft()
        order.append(block)
        for other, distance in after[block].items():
            x[other] = max(x[other], x[block] + distance)
            missing[other] -= 1
            if missing[other] == 0:
                waiting.append(other)
    for block in reversed(order):
        if after[block]:
            x[block] = max(x[block], min(x[other] - distance for other, distance in after[block].items()))
    return [x[block] for block in root]


def _balanced(found: Sequence[Sequence[float]]) -> list[float]:
    """The mean of the middle two of four assignments, each first shifted to one side of the narrowest."""
    narrowest = min(found, key=lambda xs: max(xs) - min(xs))
    left, right = min(narrowest), max(narrowest)
    shifted = []
    for index, xs in enumerate(found):
        shift = right - max(xs) if index % 2 else left - min(xs)
        shifted.append([x + shift for x in xs])
    result = []
    for values in zip(*shifted, strict=True):
        _, second, third, _ = sorted(values)
        result.append((second + third) / 2)
    return result
