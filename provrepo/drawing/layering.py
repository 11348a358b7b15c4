"""The row of each node: cycles are broken, then rows are chosen so that edges are short.

Nodes are numbers from 0. An edge is ``(older, newer)``: the older one belongs in a row further up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TypeAlias

__all__ = ["Pair", "components", "layers", "opened"]

Pair: TypeAlias = tuple[int, int]

_SWEEPS = 12


def components(count: int, pairs: Sequence[Pair]) -> list[list[int]]:
    """The connected components, each in ascending order, ordered by their first nodes."""
    neighbors: list[list[int]] = [[] for _ in range(count)]
    for a, b in pairs:
        neighbors[a].append(b)
        neighbors[b].append(a)
    seen = [False] * count
    found = []
    for start in range(count):
        if seen[start]:
            continue
        seen[start] = True
        part = [start]
        for node in part:
            for other in neighbors[node]:
                if not seen[other]:
                    seen[other] = True
                    part.append(other)
        found.append(sorted(part))
    return found


def opened(count: int, pairs: Sequence[Pair]) -> list[bool]:
    """Which edges to reverse so that no cycle is left: the back edges of a depth-first traversal."""
    below: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    incoming = [0] * count
    for index, (older, newer) in enumerate(pairs):
        below[older].append((newer, index))
        incoming[newer] += 1
    turned = [False] * len(pairs)
    state = [0] * count  # 1 while on the current path of the traversal, 2 afterwards
    for start in sorted(range(count), key=lambda node: incoming[node] > 0):
        if state[start]:
            continue
        state[start] = 1
        path = [(start, 0)]
        while path:
            node, position = path.pop()
            if position == len(below[node]):
                state[node] = 2
                continue
            path.append((node, position + 1))
            child, index = below[node][position]
            if state[child] == 1:
                turned[index] = True
            elif state[child] == 0:
                state[child] = 1
                path.append((child, 0))
    return turned


def layers(count: int, pairs: Sequence[Pair], weights: Sequence[int]) -> list[int]:
    """A row for each node, the oldest at 0, such that every edge leads down and their total length is short.

    Args:
        count: the number of nodes.
        pairs: edges without a cycle.
        weights: the weight of each edge's length; 0 for an edge that only has to lead down.
    """
    above: list[list[int]] = [[] for _ in range(count)]
    below: list[list[int]] = [[] for _ in range(count)]
    pull = [0] * count  # positive: moving down shortens edges
    for (older, newer), weight in zip(pairs, weights, strict=True):
        below[older].append(newer)
        above[newer].append(older)
        pull[older] += weight
        pull[newer] -= weight
    order = _topological(above, below)
    row = [0] * count
    for node in order:
        row[node] = 1 + max((row[other] for other in above[node]), default=-1)
    # By longest paths every input is at the top, far from its usage. Nodes move to where their edges are shorter in
    # total. Nodes whose edges stay as long move down too, so that whole chains can follow.
    for _ in range(_SWEEPS):
        moved = False
        for node in reversed(order):
            if pull[node] >= 0 and below[node]:
                lowest = min(row[other] for other in below[node]) - 1
                moved |= lowest != row[node]
                row[node] = lowest
        for node in order:
            if pull[node] < 0:
                highest = 1 + max(row[other] for other in above[node])
                moved |= highest != row[node]
                row[node] = highest
        if not moved:
            break
    # A node that gained nothing by moving down moves back up: an output stays near the activity that generated it.
    for node in order:
        if pull[node] == 0 and above[node]:
            row[node] = 1 + max(row[other] for other in above[node])
    top = min(row, default=0)
    return [r - top for r in row]


def _topological(above: Sequence[Sequence[int]], below: Sequence[Sequence[int]]) -> list[int]:
    missing = [len(others) for others in above]
    waiting = deque(node for node, number in enumerate(missing) if number == 0)
    order = []
    while waiting:
        node = waiting.popleft()
        order.append(node)
        for other in below[node]:
            missing[other] -= 1
            if missing[other] == 0:
                waiting.append(other)
    return order
