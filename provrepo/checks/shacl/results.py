"""Validation results as plain JSON."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TypeAlias, TypedDict

from provrepo.checks.shacl.graph import Graph
from provrepo.checks.shacl.shape import Result, Shape
from provrepo.checks.shacl.shapes_graph import ShapesGraph, sh
from provrepo.model.identifiers import Identifier, Literal, Value
from provrepo.vocab import PROVREPO, RDF, SH, XSD_STRING

__all__ = ["RawResult", "Reporter", "Results", "SourceShape", "ntriples", "preferred_message"]

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})

_MONOTONE = frozenset(("MinCount", "HasValue", "Class", "Datatype"))
_NESTING = {"Or": "or", "And": "and", "Node": "node", "QualifiedMinCount": "qualifiedValueShape"}
"""Constraint components that are monotone if the shapes are to which these parameters refer."""
_LISTS = (RDF + "first", RDF + "rest")
_DEEPER = frozenset(SH + name for name in ("property", "node", "or", "and"))
_HARMLESS = frozenset(
    SH + name
    for name in (
        *("minCount", "hasValue", "class", "datatype", "severity", "message", "name", "description", "order", "group"),
        *("path", "inversePath", "alternativePath", "zeroOrMorePath", "oneOrMorePath", "zeroOrOnePath", "defaultValue"),
    )
)


class RawResult(TypedDict):
    """One SHACL validation result (SHACL section 3.6.2), as JSON.

    Attributes:
        root: IRI of the shape with the target.
        monotone: whether further triples can satisfy the constraint but never break it, nested shapes included.
        shape: IRI of the shape, or of the nearest named shape around an anonymous one.
        component: IRI of the constraint component; None where the engine could not evaluate the shape.
        severity: ``violation``, ``warning``, ``info``, or the IRI of a severity that SHACL does not define.
        focus: IRI or ``_:`` label of the focus node; None where the engine could not evaluate the shape.
        path: property path as an IRI or in SPARQL syntax, or None.
        value: in N-Triples syntax, or None.
        message: one sentence.
        expected: IRI of the class or datatype that the shape requires, or None.
        repair: the shape's ``provrepo:repair``: advice for the author, or None.
        patch: the shape's ``provrepo:patch``: missing triples, with ``$this`` for the focus, or None.
    """

    root: str
    monotone: bool
    shape: str
    component: str | None
    severity: str
    focus: str | None
    path: str | None
    value: str | None
    message: str
    expected: str | None
    repair: str | None
    patch: str | None


Results: TypeAlias = "list[list[list[RawResult]]]"
"""For each profile, for each graph, its results."""


def ntriples(term: Value) -> str:
    """A term in N-Triples syntax, with the characters of IRIs as they are."""
    if isinstance(term, Identifier):
        return term if term.startswith("_:") else f"<{term}>"
    text = term.lexical.translate(_ESCAPES)
    if term.language:
        return f'"{text}"@{term.language}'
    return f'"{text}"' if term.datatype == XSD_STRING else f'"{text}"^^<{term.datatype}>'


class SourceShape:
    """What results have from their source shape."""

    __slots__ = ("expected", "message", "name", "patch", "repair", "severity")

    def __init__(self, graph: ShapesGraph, node: Value) -> None:
        self.name = graph.named_around(node)
        severity = graph.first(node, sh("severity"))
        name = str(severity or sh("Violation"))
        self.severity = name.removeprefix(SH).lower() if name.startswith(SH) else name
        self.message = preferred_message(graph.objects(node, sh("message")))
        owner = Identifier(self.name)
        self.expected = _optional(graph.first(node, sh("class")) or graph.first(node, sh("datatype")))
        self.repair = _optional(graph.first(owner, PROVREPO + "repair"))
        self.patch = _optional(graph.first(owner, PROVREPO + "patch"))


def _optional(term: Value | None) -> str | None:
    return None if term is None else str(term)


def preferred_message(messages: Iterable[Value]) -> str:
    """The message in English or without a language, before those in other languages."""
    texts = [message for message in messages if isinstance(message, Literal)]
    texts.sort(key=lambda m: ((m.language or "en").lower()[:2] != "en", m.language or "", m.lexical))
    return texts[0].lexical if texts else ""


class Reporter:
    """Writes the results of the shapes of one file."""

    def __init__(self, graph: ShapesGraph) -> None:
        self._graph = graph
        self.source = cache(lambda node: SourceShape(graph, node))
        self.is_monotone = cache(self._find_monotone)

    def raw(self, data: Graph, root: Shape, result: Result) -> RawResult:
        """A result.

        Args:
            data: the graph that was validated.
            root: the shape with the target.
            result: in numbers of the data.
        """
        shape, constraint, focus, violation = result
        source = self.source(shape.node)
        value = violation.value
        term = data.term(focus)
        return {
            "root": root.node,
            "monotone": self.is_monotone(shape.node, constraint.component),
            "shape": source.name,
            "component": SH + constraint.component,
            "severity": source.severity,
            "focus": ntriples(term) if isinstance(term, Literal) else str(term),
            "path": violation.path or shape.path_text,
            "value": None if value is None else ntriples(data.term(value)),
            "message": source.message or constraint.message,
            "expected": source.expected,
            "repair": source.repair,
            "patch": source.patch,
        }

    def _find_monotone(self, node: Value, component: str) -> bool:
        """See ``RawResult.monotone``."""
        name = component.removesuffix("ConstraintComponent")
        if name in _MONOTONE:
            return True
        if name not in _NESTING:
            return False
        pending = list(self._graph.objects(node, sh(_NESTING[name])))
        seen: set[Value] = set()
        while pending:
            inner = pending.pop()
            if inner in seen:
                continue
            seen.add(inner)
            for predicate, value in self._graph.triples_of(inner):
                if predicate in _LISTS or predicate in _DEEPER:
                    pending.append(value)
                elif predicate.startswith(SH) and predicate not in _HARMLESS:
                    return False
        return True
