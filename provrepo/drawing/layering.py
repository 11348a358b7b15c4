"""Which row each node stands in: cycles are opened, then rows are chosen so that edges are short.

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
    """The connected parts, each in ascending order, by their first node."""
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
    """Which edges to turn around so that no cycle is left: those that lead back on a depth-first walk."""
    below: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    incoming = [0] * count
    for index, (older, newer) in enumerate(pairs):
        below[older].append((newer, index))
        incoming[newer] += 1
    turned = [False] * len(pairs)
    state = [0] * count  # 1 while on the walk's current path, 2 afterwards
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
    """A row for each node, the oldest at 0, so that every edge leads down and all together are short.

    Args:
        count: how many nodes there are.
        pairs: edges without a cycle.
        weights: how much each edge's length matters; 0 for one that only must lead down.
    """
    above: list[list[int]] = [[] for _ in range(count)]
    below: list[list[int]] = [[] for _ in range(count)]
    pull = [0] * count  # positive: more is gained by moving down
    for (older, newer), weight in zip(pairs, weights, strict=True):
        below[older].append(newer)
        above[newer].append(older)
        pull[older] += weight
        pull[newer] -= weight
    order = _topological(above, below)
    row = [0] * count
    for node in order:
        row[node] = 1 + max((row[other] for other in above[node]), default=-1)
    # The longest path leaves every input at the top, far from its use. Nodes move to where their edges are shorter in
    # total; those that lose nothing by it move down, which lets whole chains follow.
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
    # What gained nothing by moving down goes back to the older side: an output stays with what made it.
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
