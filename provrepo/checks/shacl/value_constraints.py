"""Constraints on one value node: its type, range and text (SHACL, sections 4.1, 4.3, 4.4 and 4.8.3)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection

from provrepo.checks.shacl.constraints import ValueConstraint
from provrepo.checks.shacl.graph import Graph, Nodes
from provrepo.checks.shacl.literals import Comparable, comparable, compare, is_well_formed
from provrepo.model.identifiers import Identifier, Literal, Value

__all__ = ["NODE_KINDS", "Class", "Datatype", "In", "LanguageIn", "Length", "NodeKind", "Pattern", "Range"]


class Class(ValueConstraint):
    """``sh:class`` (section 4.1.1): each value node is a SHACL instance of a class."""

    def __init__(self, message: str, cls: Identifier) -> None:
        super().__init__("Class", message)
        self._class = cls

    def violating(self, graph: Graph, values: Nodes) -> Nodes:
        """See ``ValueConstraint.violating``."""
        return values - graph.instances(self._class)


class _Tested(ValueConstraint):
    """A constraint that is a test of a term. Each term of a graph is tested once."""

    def violating(self, graph: Graph, values: Nodes) -> Nodes:
        """See ``ValueConstraint.violating``."""
        known: dict[int, bool] = graph.memo(self, dict)
        violating: Nodes = set()
        for value in values:
            satisfied = known.get(value)
            if satisfied is None:
                graph.check_deadline()
                satisfied = known[value] = self.is_satisfied(graph.term(value))
            if not satisfied:
                violating.add(value)
        return violating

    @abstractmethod
    def is_satisfied(self, term: Value) -> bool:
        """Whether a value node satisfies the constraint."""


class Datatype(_Tested):
    """``sh:datatype`` (section 4.1.2): each value node is a literal of a datatype, and well-formed by it."""

    def __init__(self, message: str, datatype: str) -> None:
        super().__init__("Datatype", message)
        self._datatype = datatype

    def is_satisfied(self, term: Value) -> bool:
        """See the base class."""
        return isinstance(term, Literal) and term.datatype == self._datatype and is_well_formed(term)


NODE_KINDS: dict[str, Callable[[Graph, Nodes], Nodes]] = {
    "IRI": lambda graph, values: values & (graph.literals() | graph.blanks()),
    "BlankNode": lambda graph, values: values - graph.blanks(),
    "Literal": lambda graph, values: values - graph.literals(),
    "BlankNodeOrIRI": lambda graph, values: values & graph.literals(),
    "BlankNodeOrLiteral": lambda graph, values: values - graph.literals() - graph.blanks(),
    "IRIOrLiteral": lambda graph, values: values & graph.blanks(),
}
"""By the local name of a node kind: those of some nodes that are not of the kind."""


class NodeKind(ValueConstraint):
    """``sh:nodeKind`` (section 4.1.3): each value node is an IRI, a blank node or a literal."""

    def __init__(self, message: str, kind: str) -> None:
        super().__init__("NodeKind", message)
        self._others = NODE_KINDS[kind]

    def violating(self, graph: Graph, values: Nodes) -> Nodes:
        """See ``ValueConstraint.violating``."""
        return self._others(graph, values)


class Range(_Tested):
    """``sh:minExclusive``, ``sh:minInclusive``, ``sh:maxExclusive`` and ``sh:maxInclusive`` (section 4.3).

    A value node that cannot be compared with the limit violates the constraint.
    """

    def __init__(self, component: str, message: str, limit: Comparable | None, allowed: Collection[int]) -> None:
        """Compile a constraint.

        Args:
            component: such as ``MinExclusive``.
            message: as ``Constraint``.
            limit: the value of the parameter.
            allowed: what ``compare`` returns for a value node that satisfies the constraint, and the limit.
        """
        super().__init__(component, message)
        self._limit = limit
        self._allowed = allowed

    def is_satisfied(self, term: Value) -> bool:
        """See the base class."""
        return compare(comparable(term), self._limit) in self._allowed


class _OfText(_Tested):
    """A constraint on the text of a node: an IRI, or the lexical form of a literal. Blank nodes violate it."""

    def violating(self, graph: Graph, values: Nodes) -> Nodes:
        """See ``ValueConstraint.violating``."""
        blanks = values & graph.blanks()
        return super().violating(graph, values - blanks) | blanks

    def is_satisfied(self, term: Value) -> bool:
        """See the base class."""
        return self.is_satisfied_by(term.lexical if isinstance(term, Literal) else term)

    @abstractmethod
    def is_satisfied_by(self, text: str) -> bool:
        """Whether a text satisfies the constraint."""


class Length(_OfText):
    """``sh:minLength`` and ``sh:maxLength`` (sections 4.4.1 and 4.4.2), in characters."""

    def __init__(self, message: str, *, least: int | None = None, most: int | None = None) -> None:
        super().__init__("MaxLength" if least is None else "MinLength", message)
        self._least = least or 0
        self._most = most

    def is_satisfied_by(self, text: str) -> bool:
        """See the base class."""
        return self._least <= len(text) and (self._most is None or len(text) <= self._most)


class Pattern(_OfText):
    """``sh:pattern`` (section 4.4.3): the text of each value node matches a regular expression."""

    def __init__(self, message: str, search: Callable[[str], bool]) -> None:
        super().__init__("Pattern", message)
        self._search = search

    def is_satisfied_by(self, text: str) -> bool:
        """See the base class."""
        return self._search(text)


class LanguageIn(_Tested):
    """``sh:languageIn`` (section 4.4.4): each value node is a text in one of some languages.

    Language ranges are those of SPARQL's ``langMatches``: ``en`` matches ``en`` and ``en-GB``, ``*`` any tag.
    """

    def __init__(self, message: str, ranges: Collection[str]) -> None:
        super().__init__("LanguageIn", message)
        self._ranges = [each.lower() for each in ranges]

    def is_satisfied(self, term: Value) -> bool:
        """See the base class."""
        if not isinstance(term, Literal) or not term.language:
            return False
        tag = term.language.lower()
        return any(each in ("*", tag) or tag.startswith(f"{each}-") for each in self._ranges)


class In(ValueConstraint):
    """``sh:in`` (section 4.8.3): each value node is a member of a list."""

    def __init__(self, message: str, members: Collection[Value]) -> None:
        super().__init__("In", message)
        self._members = members

    def violating(self, graph: Graph, values: Nodes) -> Nodes:
        """See ``ValueConstraint.violating``."""
        return values - {graph.find(member) for member in self._members}
