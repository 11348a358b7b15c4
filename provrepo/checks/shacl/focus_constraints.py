"""Constraints on a focus node and all its value nodes (SHACL, sections 4.2, 4.4.5, 4.5, 4.8.1 and 4.8.2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from provrepo.checks.shacl.constraints import FocusConstraint, Violation
from provrepo.checks.shacl.graph import Graph, Nodes
from provrepo.checks.shacl.literals import UNDECIDED, Comparable, comparable, compare, in_plain_order
from provrepo.checks.shacl.paths import Path, Predicate, within
from provrepo.model.identifiers import Literal, Value

__all__ = ["Closed", "Disjoint", "Equals", "HasValue", "LessThan", "MaxCount", "MinCount", "UniqueLang"]


class MinCount(FocusConstraint):
    """``sh:minCount`` (section 4.2.1)."""

    def __init__(self, message: str, least: int) -> None:
        super().__init__("MinCount", message)
        self._least = least

    def candidates(self, graph: Graph, path: Path | None, foci: Nodes) -> Nodes:
        """See ``FocusConstraint.candidates``."""
        if path is None or self._least == 0:
            return set()
        return foci - within(foci, path.origin(graph, None, foci)) if self._least == 1 else foci

    def violations(self, graph: Graph, focus: int, values: Collection[int]) -> Iterable[Violation]:  # noqa: ARG002
        """See ``FocusConstraint.violations``."""
        return (Violation(),) if len(values) < self._least else ()


class MaxCount(FocusConstraint):
    """``sh:maxCount`` (section 4.2.2)."""

    def __init__(self, message: str, most: int) -> None:
        super().__init__("MaxCount", message)
        self._most = most

    def candidates(self, graph: Graph, path: Path | None, foci: Nodes) -> Nodes:
        """See ``FocusConstraint.candidates``."""
        if path is None or (self._most and isinstance(path, Predicate) and path.has_one_value_each(graph)):
            return set()
        return within(foci, path.origin(graph, None, foci))

    def violations(self, graph: Graph, focus: int, values: Collection[int]) -> Iterable[Violation]:  # noqa: ARG002
        """See ``FocusConstraint.violations``."""
        return (Violation(),) if len(values) > self._most else ()


class UniqueLang(FocusConstraint):
    """``sh:uniqueLang`` (section 4.4.5). There is one result for each language tag that occurs more than once."""

    def __init__(self, message: str) -> None:
        super().__init__("UniqueLang", message)

    def violations(self, graph: Graph, focus: int, values: Collection[int]) -> Iterable[Violation]:  # noqa: ARG002
        """See ``FocusConstraint.violations``."""
        terms = [graph.term(value) for value in values] if len(values) > 1 else []
        tags = Counter(term.language.lower() for term in terms if isinstance(term, Literal) and term.language)
        return [Violation() for count in tags.values() if count > 1]


class Equals(FocusConstraint):
    """``sh:equals`` (section 4.5.1): the value nodes are those of a property."""

    def __init__(self, message: str, predicate: str) -> None:
        super().__init__("Equals", message)
        self._predicate = predicate

    def violations(self, graph: Graph, focus: int, values: Collection[int]) -> Iterable[Violation]:
        """See ``FocusConstraint.violations``."""
        others = graph.pairs(self._predicate).by_subject().get(focus, ())
        return [Violation(value) for value in set(values) ^ set(others)]


class Disjoint(FocusConstraint):
    """``sh:disjoint`` (section 4.5.2): no value node is one of a property."""

    def __init__(self, message: str, predicate: str) -> None:
        super().__init__("Disjoint", message)
        self._predicate = predicate

    def candidates(self, graph: Graph, path: Path | None, foci: Nodes) -> Nodes:  # noqa: ARG002
        """See ``FocusConstraint.candidates``."""
        return foci & graph.pairs(self._predicate).domain()

    def violations(self, graph: Graph, focus: int, values: Collection[int]) -> Iterable[Violation]:
        """See ``FocusConstraint.violations``."""
        others = graph.pairs(self._predicate).by_subject().get(focus, ())
        return [Violation(value) for value in values if value in others]


class LessThan(FocusConstraint):
    """``sh:lessThan`` and ``sh:lessThanOrEquals`` (sections 4.5.3 and 4.5.4).

    There is a result for each pair of a value node and a value of the property that violates the constraint or cannot
    be compared. Of two times of which only one has a zone, SHACL has a result too; there is none here unless one of
    them is later in any zone.
    """

    def __init__(self, message: str, predicate: str, *, equal: bool) -> None:
        super().__init__("LessThanOrEquals" if equal else "LessThan", message)
        self._predicate = predicate
        self._allowed = (-1, 0, UNDECIDED) if equal else (-1, UNDECIDED)

    def candidates(self, graph: Graph, path: Path | None, foci: Nodes) -> Nodes:
        """See ``FocusConstraint.candidates``."""
        pairs = graph.pairs(self._predicate)
        foci = foci & pairs.domain()
        if not isinstance(path, Predicate):
            return foci
        values, others = path.index(graph), pairs.by_subject()
        return {focus for focus in foci if not _in_order(graph, values.get(focus, ()), others[focus])}

    def violations(self, graph: Graph, focus: int, values: Collection[int]) -> Iterator[Violation]:
        """See ``FocusConstraint.violations``."""
        others = graph.pairs(self._predicate).by_subject().get(focus, ())
        found = [_value(graph, other) for other in others] if values else []
        for value in values:
            graph.check_deadline()
            for other in found:
                if compare(_value(graph, value), other) not in self._allowed:
                    yield Violation(value)


def _in_order(graph: Graph, values: Collection[int], others: Collection[int]) -> bool:
    if not values:
        return True
    if len(values) > 1 or len(others) > 1:
        return False
    (value,), (other,) = values, others
    return in_plain_order(graph.term(value), graph.term(other))


def _value(graph: Graph, number: int) -> Comparable | None:
    known: dict[int, Comparable | None] = graph.memo("comparable", dict)
    if number not in known:
        known[number] = comparable(graph.term(number))
    return known[number]


class HasValue(FocusConstraint):
    """``sh:hasValue`` (section 4.8.2): one of the value nodes is a term."""

    def __init__(self, message: str, term: Value) -> None:
        super().__init__("HasValue", message)
        self._term = term

    def candidates(self, graph: Graph, path: Path | None, foci: Nodes) -> Nodes:
        """See ``FocusConstraint.candidates``."""
        number = graph.find(self._term)
        if number is None:
            return foci
        return foci - ({number} if path is None else within(foci, path.origin(graph, {number}, foci)))

    def violations(self, graph: Graph, focus: int, values: Collection[int]) -> Iterable[Violation]:  # noqa: ARG002
        """See ``FocusConstraint.violations``."""
        return () if graph.find(self._term) in values else (Violation(),)


class Closed(FocusConstraint):
    """``sh:closed`` (section 4.8.1): value nodes have no properties but some."""

    def __init__(self, message: str, allowed: Collection[str]) -> None:
        super().__init__("Closed", message)
        self._allowed = frozenset(allowed)

    def candidates(self, graph: Graph, path: Path | None, foci: Nodes) -> Nodes:
        """See ``FocusConstraint.candidates``."""
        others: Nodes = set()
        for predicate, pairs in graph.predicates.items():
            if predicate not in self._allowed:
                others |= pairs.domain()
        return foci & others if path is None else within(foci, path.origin(graph, others, foci))

    def violations(self, graph: Graph, focus: int, values: Collection[int]) -> Iterator[Violation]:  # noqa: ARG002
        """See ``FocusConstraint.violations``."""
        others = graph.memo(self, lambda: self._others(graph))
        for value in values:
            yield from others.get(value, ())

    def _others(self, graph: Graph) -> dict[int, dict[Violation, None]]:
        """By subject, the triples with predicates that are not allowed. There may be many predicates."""
        others: dict[int, dict[Violation, None]] = {}
        for predicate, pairs in graph.predicates.items():
            if predicate not in self._allowed:
                for subject, value in zip(pairs.subjects, pairs.objects, strict=True):
                    others.setdefault(subject, {})[Violation(value, predicate)] = None
        return others
