"""Constraints that value nodes conform to other shapes (SHACL, sections 4.6, 4.7.1 and 4.7.3)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from provrepo.checks.shacl.constraints import FocusConstraint, ValueConstraint, Violation
from provrepo.checks.shacl.graph import Graph, Nodes
from provrepo.checks.shacl.paths import Path, within

__all__ = ["And", "Conforming", "Node", "Not", "Or", "QualifiedCount", "QualifiedValues", "Xone"]


class Conforming(Protocol):
    """A shape, as far as others refer to it."""

    def nonconforming(self, graph: Graph, nodes: Nodes) -> Nodes:
        """Those of some nodes that do not conform to the shape. The set may be shared: do not change it."""


class Not(ValueConstraint):
    """``sh:not`` (section 4.6.1)."""

    def __init__(self, message: str, shape: Conforming) -> None:
        super().__init__("Not", message)
        self._shape = shape

    def violating(self, graph: Graph, values: Nodes) -> Nodes:
        """See ``ValueConstraint.violating``."""
        return values - self._shape.nonconforming(graph, values)


class And(ValueConstraint):
    """``sh:and`` (section 4.6.2)."""

    def __init__(self, message: str, shapes: Sequence[Conforming]) -> None:
        super().__init__("And", message)
        self._shapes = shapes

    def violating(self, graph: Graph, values: Nodes) -> Nodes:
        """See ``ValueConstraint.violating``."""
        return set[int]().union(*(shape.nonconforming(graph, values) for shape in self._shapes))


class Or(ValueConstraint):
    """``sh:or`` (section 4.6.3)."""

    def __init__(self, message: str, shapes: Sequence[Conforming]) -> None:
        super().__init__("Or", message)
        self._shapes = shapes

    def violating(self, graph: Graph, values: Nodes) -> Nodes:
        """See ``ValueConstraint.violating``."""
        for shape in self._shapes:
            if not values:
                break
            values = shape.nonconforming(graph, values)
        return values


class Xone(ValueConstraint):
    """``sh:xone`` (section 4.6.4)."""

    def __init__(self, message: str, shapes: Sequence[Conforming]) -> None:
        super().__init__("Xone", message)
        self._shapes = shapes

    def violating(self, graph: Graph, values: Nodes) -> Nodes:
        """See ``ValueConstraint.violating``."""
        once: Nodes = set()
        again: Nodes = set()
        for shape in self._shapes:
            conforming = values - shape.nonconforming(graph, values)
            again |= once & conforming
            once |= conforming
        return values - (once - again)


class Node(ValueConstraint):
    """``sh:node`` (section 4.7.1)."""

    def __init__(self, message: str, shape: Conforming) -> None:
        super().__init__("Node", message)
        self._shape = shape

    def violating(self, graph: Graph, values: Nodes) -> Nodes:
        """See ``ValueConstraint.violating``."""
        return self._shape.nonconforming(graph, values)


class QualifiedValues:
    """The value nodes that ``sh:qualifiedMinCount`` and ``sh:qualifiedMaxCount`` count (section 4.7.3)."""

    def __init__(self, shape: Conforming, siblings: Sequence[Conforming]) -> None:
        """Compile what both counts have in common.

        Args:
            shape: the ``sh:qualifiedValueShape``, to which a value node that counts conforms.
            siblings: the sibling shapes, to none of which it conforms.
        """
        self._shape = shape
        self._siblings = siblings

    def among(self, graph: Graph, values: Nodes) -> Nodes:
        """Those of some value nodes that count."""
        counted = values - self._shape.nonconforming(graph, values)
        for sibling in self._siblings:
            counted = counted & sibling.nonconforming(graph, counted)
        return counted


class QualifiedCount(FocusConstraint):
    """``sh:qualifiedMinCount`` or ``sh:qualifiedMaxCount`` (section 4.7.3)."""

    def __init__(
        self, message: str, values: QualifiedValues, *, least: int | None = None, most: int | None = None
    ) -> None:
        super().__init__("QualifiedMaxCount" if least is None else "QualifiedMinCount", message)
        self._values = values
        self._least = least
        self._most = most

    def candidates(self, graph: Graph, path: Path | None, foci: Nodes) -> Nodes:
        """See ``FocusConstraint.candidates``."""
        if path is None or self._least == 0:
            return set()
        counted = self._values.among(graph, path.image(graph, foci))
        known: Nodes = graph.memo(self, set)
        known |= counted
        if self._least == 1:
            return foci - within(foci, path.origin(graph, counted, foci))
        return foci if self._least is not None else within(foci, path.origin(graph, counted, foci))

    def violations(self, graph: Graph, focus: int, values: Collection[int]) -> Iterable[Violation]:  # noqa: ARG002
        """See ``FocusConstraint.violations``."""
        known: Nodes = graph.memo(self, set)
        count = sum(value in known for value in values)
        if (self._least is not None and count < self._least) or (self._most is not None and count > self._most):
            return (Violation(),)
        return ()
