"""Directed graph on small integers, with strongly connected components and shortest paths in linear time.

Edges are stored as linked lists in flat arrays (16 bytes for an edge and 4 for a node), because an instance with a
million statements has several million of them.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Container, Iterator

__all__ = ["DirectedGraph"]


class DirectedGraph:
    """A directed graph. Nodes are numbers from 0; edges are numbered in the order in which they are added.

    Attributes:
        sources: the source of each edge.
        targets: the target of each edge.
    """

    def __init__(self, nodes: int) -> None:
        self.sources = array("i")
        self.targets = array("i")
        self._first = array("i", [-1]) * nodes
        self._next = array("i")

    def __len__(self) -> int:
        """The number of nodes."""
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
        """The nodes that have a topological order, in that order, and the components of the others.

        First nodes without remaining predecessors are removed (Kahn's algorithm): all nodes if there is no cycle. The
        others are split into strongly connected components (Tarjan's algorithm), in topological order too. Isolated
        nodes are in neither list.
        """
        first, following, targets = self._first, self._next, self.targets
        predecessors = array("i", bytes(4 * len(first)))
        for target in targets:
            predecessors[target] += 1
        ready = [node for node, edge in enumerate(first) if edge >= 0 and not predecessors[node]]
        for node in ready:  # grows during the iteration
            edge = first[node]
            while edge >= 0:
                target = targets[edge]
                predecessors[target] -= 1
                if not predecessors[target]:
                    ready.append(target)
                edge = following[edge]
        rest = [node for node in dict.fromkeys(targets) if predecessors[node]]
        return ready, self._components(rest) if rest else []

    def _components(self, nodes: list[int]) -> list[list[int]]:
        """The strongly connected components of a subgraph, by Tarjan's algorithm without recursion."""
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
        """The edges of a shortest path from one node to another; empty where they are the same.

        Args:
            start: the first node.
            goal: the last node.
            within: the nodes that the path may visit.
            allowed: whether it may use an edge; None allows all.

        Returns:
            None where there is no path.
        """
        incoming: dict[int, int] = {}
        queue = deque([start])
        while queue:
            node = queue.popleft()
            if node == goal:
                path: list[int] = []
                while node != start:
                    path.append(incoming[node])
                    node = self.sources[incoming[node]]
                return path[::-1]
            for edge in self.edges(node):
                target = self.targets[edge]
                if target in incoming or target == start or target not in within:
                    continue
                if allowed is None or allowed(edge):
                    incoming[target] = edge
                    queue.append(target)
        return None
