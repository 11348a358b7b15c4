"""Texts for terms, statements and events in the findings of one instance, and the making of these findings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

from provrepo.checks.constraints.ordering import END_OF, GENERATION_OF, INVALIDATION_OF, START_OF, Order
from provrepo.checks.constraints.terms import NONE, Terms
from provrepo.checks.findings import Finding, Severity
from provrepo.model.statements import Statement

__all__ = ["LAYER", "Wording", "FindingContext"]

LAYER = "constraints"

_EVENTS = {
    GENERATION_OF: "the generation of {}",
    INVALIDATION_OF: "the invalidation of {}",
    START_OF: "the start of {}",
    END_OF: "the end of {}",
}


class Wording:
    """Texts for the terms, statements and events of one instance."""

    def __init__(self, terms: Terms, statements: list[Statement], prefixes: Mapping[str, str]) -> None:
        self._terms = terms
        self._statements = statements
        self._declared = prefixes

    @cached_property
    def _namespaces(self) -> list[tuple[str, str]]:
        """The prefixes, longest namespace first, so that names are shortest; sorted for the first finding."""
        return sorted(self._declared.items(), key=lambda item: (-len(item[1]), item[0]))

    def identifier(self, iri: str) -> str:
        """A prefixed name such as ``ex:e1`` where a prefix is declared for it, otherwise the IRI."""
        for prefix, namespace in self._namespaces:
            if namespace and iri.startswith(namespace) and len(iri) > len(namespace):
                return f"{prefix}:{iri[len(namespace) :]}" if prefix else iri[len(namespace) :]
        return iri

    def term(self, term: int) -> str:
        """The text of a term in a sentence."""
        if term == NONE:
            return "-"
        return self.identifier(self._terms.names[term]) or "something unknown"

    def statement(self, number: int) -> Statement:
        """The statement with a number."""
        return self._statements[number]

    def line(self, number: int) -> str:
        """The line of a statement, to be appended to a text: `` (line 5)``, or nothing."""
        span = self._statements[number].span
        return "" if span is None else f" (line {span[0]})"

    def short(self, number: int) -> str:
        """A statement in short form with its line: ``wasDerivedFrom(ex:e2, ex:e1) (line 5)``."""
        statement = self._statements[number]
        args = list(statement.args)
        while args and args[-1] is None:
            args.pop()
        shown = ["-" if arg is None else self.identifier(arg) for arg in args]
        if statement.id is None:
            return f"{statement.kind.name}({', '.join(shown)}){self.line(number)}"
        name = self.identifier(statement.id)
        head = name + (", " if statement.kind.element else "; ") if shown else name
        return f"{statement.kind.name}({head}{', '.join(shown)}){self.line(number)}"

    def event(self, order: Order, node: int) -> str:
        """The text of an event in a sentence."""
        if node >= order.base:
            row = order.usages[node - order.base]
            return f"the use of {self.term(row[2])} by {self.term(row[1])}"
        return _EVENTS[node % 4].format(self.term(node // 4))

    def subject(self, order: Order, node: int) -> str:
        """The identifier of the entity or activity of an event."""
        term = order.usages[node - order.base][2] if node >= order.base else node // 4
        return self._terms.names[term]


class FindingContext(NamedTuple):
    """The texts and the bundle of one instance, from which its findings are made."""

    names: Wording
    bundle: str | None

    def finding(
        self,
        rule: str,
        message: str,
        number: int,
        *,
        focus: str | None = None,
        severity: Severity = Severity.VIOLATION,
        repair: str | None = None,
        occurrences: int = 1,
    ) -> Finding:
        """A finding located at the statement with a number."""
        statement = self.names.statement(number)
        line, column = statement.span or (None, None)
        if focus is None:
            focus = statement.id if statement.id is not None else next(iter(statement.identifiers()), None)
        return Finding(
            LAYER,
            rule,
            severity,
            message,
            focus=focus,
            line=line,
            column=column,
            bundle=self.bundle,
            repair=repair,
            occurrences=occurrences,
        )
