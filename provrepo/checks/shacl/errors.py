"""What the evaluator of SHACL raises."""

from __future__ import annotations

__all__ = ["DeadlinePassed", "NotCovered", "TooManyResults"]


class NotCovered(Exception):
    """Shapes that this evaluator does not cover: SPARQL constraints, recursion, or shapes that are ill-formed."""


class DeadlinePassed(Exception):
    """The time that validation may take is over."""


class TooManyResults(Exception):
    """A graph has more results than are kept in memory."""
