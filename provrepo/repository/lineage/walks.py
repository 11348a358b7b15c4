"""Lineages that are kept from one request to the next, with what was computed from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from provrepo.repository.lineage.records import LineageGraph

__all__ = ["Walk"]

T = TypeVar("T")


class Walk:
    """A lineage, and what was computed from it.

    Attributes:
        graph: the lineage.
        depth: the number of relations from the start up to which it goes; None for all.
    """

    def __init__(self, graph: LineageGraph, depth: int | None = None) -> None:
        """Take the lineage; nothing is computed from it yet."""
        self.graph = graph
        self.depth = depth
        self._made: dict[object, Any] = {}

    @property
    def size(self) -> int:
        """The number of its things and relations."""
        return len(self.graph.nodes) + len(self.graph.edges)

    def once(self, make: Callable[[Walk], T]) -> T:
        """The result of a function of this object, which is called at the first time only."""
        if make not in self._made:
            self._made[make] = make(self)
        found: T = self._made[make]
        return found

    def reaches(self, depth: int | None) -> bool:
        """Whether it has every thing up to a number of relations from the start; None for all things."""
        left_out = self.graph.total_nodes > len(self.graph.nodes)
        if depth is None:
            return self.depth is None and not left_out
        if self.depth is not None and self.depth < depth:
            return False
        # The nearest things are first: where some are left out, those of the last distance may be among them.
        return not left_out or self.graph.nodes[-1].distance > depth

    def within(self, depth: int) -> int:
        """The number of things up to a number of relations from the start."""
        return sum(node.distance <= depth for node in self.graph.nodes)
