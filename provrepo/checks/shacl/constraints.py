"""What constraint components have in common (SHACL, section 3.4).

Some components apply to each value node separately, whatever its focus node is: ``sh:class``, ``sh:datatype``,
``sh:not`` and others. They get all value nodes at once. The others apply to a focus node with all its value nodes:
counts, comparisons with other properties, ``sh:hasValue``. They first find the focus nodes that may violate them, by
operations on sets, and then evaluate those one by one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable
from typing import NamedTuple

from provrepo.checks.shacl.graph import Graph, Nodes
from provrepo.checks.shacl.paths import Path

__all__ = ["Constraint", "FocusConstraint", "ValueConstraint", "Violation"]


class Violation(NamedTuple):
    """What a validation result has beside its focus node.

    Attributes:
        value: ``sh:value``; None for none.
        path: ``sh:resultPath``, an IRI, where it is not the path of the shape.
    """

    value: int | None = None
    path: str | None = None


class Constraint(ABC):
    """A constraint of one shape.

    Attributes:
        component: local name of the IRI of the constraint component, such as ``MinCountConstraintComponent``.
        message: the message of results where the shape has none.
    """

    component: str
    message: str

    def __init__(self, component: str, message: str) -> None:
        self.component = f"{component}ConstraintComponent"
        self.message = message


class ValueConstraint(Constraint):
    """A constraint that each value node satisfies or violates by itself."""

    @abstractmethod
    def violating(self, graph: Graph, values: Nodes) -> Nodes:
        """Those of some value nodes that violate the constraint. The set may be shared: do not change it."""


class FocusConstraint(Constraint):
    """A constraint that a focus node satisfies or violates with all its value nodes."""

    def candidates(self, graph: Graph, path: Path | None, foci: Nodes) -> Nodes:  # noqa: ARG002 (for those below)
        """Those of some focus nodes that may violate the constraint, and perhaps others."""
        return foci

    @abstractmethod
    def violations(self, graph: Graph, focus: int, values: Collection[int]) -> Iterable[Violation]:
        """The violations of one focus node."""
