"""Shapes that validate all their focus nodes at once (SHACL, sections 2 and 3.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from provrepo.checks.shacl.constraints import Constraint, FocusConstraint, ValueConstraint, Violation
from provrepo.checks.shacl.graph import Graph, Nodes
from provrepo.checks.shacl.paths import Path, within

__all__ = ["Result", "Shape", "Target"]

Target: TypeAlias = "Callable[[Graph], Nodes]"
"""The focus nodes that one target declaration selects (section 2.1.3). The set may be shared: do not change it."""


class Result(NamedTuple):
    """A validation result (SHACL, section 3.6.2) in numbers of the data graph.

    Attributes:
        shape: the source shape.
        constraint: which of its constraints.
        focus: the focus node.
        violation: the value, and the path where it is not that of the shape.
    """

    shape: Shape
    constraint: Constraint
    focus: int
    violation: Violation


@dataclass(eq=False, slots=True)
class Shape:
    """A node shape, or with a path a property shape.

    Attributes:
        node: IRI or blank node in the shapes graph.
        path: what leads from a focus node to its value nodes; None for a node shape: its value node is the focus node.
        path_text: the path as an IRI or in SPARQL syntax; None for a node shape.
        constraints: the shape's own, but for those of ``properties``.
        properties: the values of ``sh:property`` (section 4.7.2).
        targets: its target declarations.
        deactivated: whether all nodes conform to it (section 2.1.4).
    """

    node: str
    path: Path | None = None
    path_text: str | None = None
    constraints: list[Constraint] = field(default_factory=list)
    properties: list[Shape] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    deactivated: bool = False

    def focus_nodes(self, graph: Graph) -> Nodes:
        """The focus nodes that the target declarations select. The set may be shared: do not change it."""
        found = [target(graph) for target in self.targets]
        return found[0] if len(found) == 1 else set[int]().union(*found)

    # Conformance ------------------------------------------------------------------------------------------------

    def nonconforming(self, graph: Graph, nodes: Nodes) -> Nodes:
        """Those of some nodes that do not conform to the shape. The set may be shared: do not change it."""
        violating: Nodes = set()
        if self.deactivated or not nodes:
            return violating
        values = self._value_nodes(graph, nodes)
        for constraint in self.constraints:
            graph.check_deadline()
            left = nodes - violating
            if not left:
                return violating
            if isinstance(constraint, ValueConstraint):
                violating |= self._origin(graph, constraint.violating(graph, values()), left)
            elif isinstance(constraint, FocusConstraint):
                for focus in constraint.candidates(graph, self.path, left):
                    if any(True for _ in constraint.violations(graph, focus, self._values(graph, focus))):
                        violating.add(focus)
        for shape in self.properties:
            left = nodes - violating
            if not left:
                break
            violating |= self._origin(graph, shape.nonconforming(graph, values()), left)
        return violating

    def _value_nodes(self, graph: Graph, foci: Nodes) -> Callable[[], Nodes]:
        """A function that returns the value nodes of some focus nodes, and finds them once."""
        found: list[Nodes] = []

        def values() -> Nodes:
            if not found:
                found.append(foci if self.path is None else self.path.image(graph, foci))
            return found[0]

        return values

    def _origin(self, graph: Graph, values: Nodes, foci: Nodes) -> Nodes:
        """Those of some focus nodes that have one of some value nodes."""
        if self.path is None or not values:
            return foci & values
        return within(foci, self.path.origin(graph, values, foci))

    def _values(self, graph: Graph, focus: int) -> Sequence[int]:
        return (focus,) if self.path is None else self.path.values(graph, focus)  # type: ignore[return-value]

    # Results ----------------------------------------------------------------------------------------------------

    def results(self, graph: Graph, foci: Nodes) -> list[Result]:
        """The validation results of some focus nodes."""
        return [result for results in self._results(graph, foci).values() for result in results]

    def _results(self, graph: Graph, foci: Nodes) -> dict[int, list[Result]]:
        """By the focus node that was given; nested shapes have results about other nodes."""
        found: dict[int, list[Result]] = {}
        if self.deactivated or not foci:
            return found
        values = self._value_nodes(graph, foci)
        for constraint in self.constraints:
            graph.check_deadline()
            if isinstance(constraint, ValueConstraint):
                violating = constraint.violating(graph, values())
                for focus in self._origin(graph, violating, foci):
                    violations = map(Violation, self._among(graph, focus, violating))
                    self._add(graph, found, constraint, focus, violations)
            elif isinstance(constraint, FocusConstraint):
                for focus in constraint.candidates(graph, self.path, foci):
                    more = constraint.violations(graph, focus, self._values(graph, focus))
                    self._add(graph, found, constraint, focus, more)
        for shape in self.properties:
            inner = shape._results(graph, values())
            for focus in self._origin(graph, set(inner), foci):
                # SHACL, section 4.7.2: the results of each value node, for each focus node that it belongs to.
                for value in self._among(graph, focus, inner):
                    graph.count_results(len(inner[value]))
                    found.setdefault(focus, []).extend(inner[value])
        return found

    def _among(self, graph: Graph, focus: int, wanted: Nodes | dict[int, list[Result]]) -> list[int]:
        return [value for value in self._values(graph, focus) if value in wanted]

    def _add(
        self,
        graph: Graph,
        found: dict[int, list[Result]],
        constraint: Constraint,
        focus: int,
        violations: Iterable[Violation],
    ) -> None:
        for violation in violations:
            graph.count_results()
            found.setdefault(focus, []).append(Result(self, constraint, focus, violation))
