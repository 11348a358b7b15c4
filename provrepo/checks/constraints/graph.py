"""A directed graph on small integers: what lies on cycles, in time linear in its size, and the shortest way round.

Edges are kept as linked lists in flat arrays (16 bytes an edge and 4 a node), because an instance of a million
statements has several million of them.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Container, Iterator

__all__ = ["Graph"]


class Graph:
    """Nodes are numbers from 0; edges are numbered in the order in which they were added.

    Attributes:
        sources: by edge.
        targets: by edge.
    """

    def __init__(self, nodes: int) -> None:
        self.sources = array("i")
        self.targets = array("i")
        self._first = array("i", [-1]) * nodes
        self._next = array("i")

    def __len__(self) -> int:
        """How many nodes there are."""
        return len(self._first)

    def add(self, source: int, target: int) -> None:
        """Add an edge."""
        self._next.append(self._first[source])
        self._first[source] = len(self.sources)
        self.sources.append(source)
        self.targets.append(target)

    def edges(self, node: int) -> Iterator[int]:
        """The edges that leave a node, the newest first."""
        edge = self._first[node]
        while edge >= 0:
            yield edge
            edge = self._next[edge]

    def ordered(self) -> tuple[list[int], list[list[int]]]:
        """The nodes with edges, in topological order as far as there is one, and then the components of the rest.

        First nodes are taken away that nothing left points to (Kahn), which is all of them where there is no cycle.
        The rest is split into strongly connected components (Tarjan), in topological order too. An isolated node is
        in neither.
        """
        first, following, targets = self._first, self._next, self.targets
        waiting = array("i", bytes(4 * len(first)))
        for target in targets:
            waiting[target] += 1
        ready = [node for node, edge in enumerate(first) if edge >= 0 and not waiting[node]]
        for node in ready:  # grows while it is walked
            edge = first[node]
            while edge >= 0:
                target = targets[edge]
                waiting[target] -= 1
                if not waiting[target]:
                    ready.append(target)
                edge = following[edge]
        rest = [node for node in dict.fromkeys(targets) if waiting[node]]
        return ready, self._components(rest) if rest else []

    def _components(self, nodes: list[int]) -> list[list[int]]:
        """Tarjan's algorithm without recursion, on the nodes given and what they lead to among them."""
        first, following, targets = self._first, self._next, self.targets
        within = set(nodes)
        found: list[list[int]] = []
        index: dict[int, int] = {}
        low: dict[int, int] = {}
        stack: list[int] = []
        stacked: set[int] = set()
        for root in nodes:
            if root in index:
                continue
            index[root] = low[root] = len(index)
            stack.append(root)
            stacked.add(root)
            path = [(root, first[root])]
            while path:
                node, edge = path.pop()
                while edge >= 0:
                    target = targets[edge]
                    edge = following[edge]
                    if target not in index:
                        if target in within:
                            path.append((node, edge))
                            index[target] = low[target] = len(index)
                            stack.append(target)
                            stacked.add(target)
                            path.append((target, first[target]))
                            break
                    elif target in stacked:
                        low[node] = min(low[node], index[target])
                else:
                    if low[node] == index[node]:
                        cut = len(stack) - 1
                        while stack[cut] != node:
                            cut -= 1
                        component = stack[cut:]
                        del stack[cut:]
                        stacked.difference_update(component)
                        found.append(component)
                    if path:
                        parent = path[-1][0]
                        low[parent] = min(low[parent], low[node])
        found.reverse()
        return found

    def shortest(
        self, start: int, goal: int, within: Container[int], allowed: Callable[[int], bool] | None = None
    ) -> list[int] | None:
        """The edges of a shortest way from one node to another; empty where they are the same.

        Args:
            start: where the way begins.
            goal: where it ends.
            within: the nodes that it may pass.
            allowed: which edges it may take, all where it is None.
        """
        came: dict[int, int] = {}
        queue = deque([start])
        while queue:
            node = queue.popleft()
            if node == goal:
                way: list[int] = []
                while node != start:
                    way.append(came[node])
                    node = self.sources[came[node]]
                return way[::-1]
            for edge in self.edges(node):
                target = self.targets[edge]
                if target in came or target == start or target not in within:
                    continue
                if allowed is None or allowed(edge):
                    came[target] = edge
                    queue.append(target)
        return None
