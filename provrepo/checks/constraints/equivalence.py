"""Equivalence of documents (section 7): both are valid and their normal forms are isomorphic, bundle by bundle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import TypeAlias

from provrepo.checks.constraints.canonical import NormalStatement, components
from provrepo.checks.constraints.findings import LAYER
from provrepo.checks.constraints.normal import NormalForm
from provrepo.checks.constraints.terms import NONE
from provrepo.checks.constraints.validity import check
from provrepo.checks.findings import Finding, Severity
from provrepo.checks.report import Report
from provrepo.errors import Refused, TooLarge
from provrepo.model.difference import Difference
from provrepo.model.document import Bundle, Document
from provrepo.model.identifiers import Identifier, Value, is_anonymous
from provrepo.model.statements import DictionaryEntry, Statement

__all__ = ["Equivalence", "equivalent", "normalized"]


@dataclass(frozen=True, slots=True)
class Equivalence:
    """The result of comparing two documents.

    Attributes:
        equivalent: None where it is undefined because a document is invalid, or too expensive to decide.
        reason: one sentence for users.
        difference: the statements of each normal form without a counterpart in the other.
    """

    equivalent: bool | None
    reason: str
    difference: Difference = field(default_factory=Difference)


def equivalent(left: Document, right: Document) -> Equivalence:
    """Whether two documents are equivalent by PROV-CONSTRAINTS."""
    for document, which in ((left, "the first"), (right, "the second")):
        wrong = _violations(check(document))
        if wrong:
            return Equivalence(None, f"{which} document is invalid ({', '.join(wrong)}), and only valid ones compare")
    try:
        ours, theirs = Counter(_components(left)), Counter(_components(right))
    except TooLarge as error:
        return Equivalence(None, f"it could not be decided: {error}")
    if ours == theirs:
        return Equivalence(True, "the normal forms are the same but for the names of existential variables")
    return Equivalence(
        False,
        "the normal forms differ",
        Difference(_lines(ours - theirs), _lines(theirs - ours)),
    )


def normalized(document: Document) -> Document:
    """The normal form of a valid document, with blank identifiers for existential variables.

    Unknown times stay absent: the constraints on them follow again from the statements.

    Raises:
        Refused: the document is invalid, so it has no normal form; the report lists the violations.
        TooLarge: the normal form, or the search for canonical names, exceeds its limit.
    """
    findings = check(document)
    wrong = _violations(findings)
    if wrong:
        report = Report.of(findings, layers=[LAYER], statements=len(document), format=document.format)
        raise Refused(f"an invalid document has no normal form; it breaks {', '.join(wrong)}", report)
    names = (Identifier(f"_:n{number}") for number in count(1))
    top, *bundles = (_normal_statements(bundle, names) for bundle in document.instances())
    return Document(
        top,
        [
            Bundle(bundle.id, statements, dict(bundle.prefixes))
            for bundle, statements in zip(document.bundles, bundles, strict=True)
        ],
        dict(document.prefixes),
        format=document.format,
    )


def _violations(findings: Iterable[Finding]) -> list[str]:
    return sorted({finding.rule for finding in findings if finding.severity is Severity.VIOLATION})


_BundleComponent: TypeAlias = tuple[str, tuple[str, ...]]
"""The identifier of a bundle, empty for the top level, and the lines of a component."""


def _components(document: Document) -> Iterator[_BundleComponent]:
    """The components of every instance, each with its bundle; and one without lines for each named bundle."""
    for bundle in document.instances():
        name = "" if bundle.id is None else "_:" if is_anonymous(bundle.id) else bundle.id
        found = [component.lines for component in components(NormalForm(bundle.statements))]
        if name == "_:":
            # A bundle without a name to match is compared as a whole.
            yield name, tuple(line for lines in found for line in (*lines, ""))
            continue
        if bundle.id is not None:
            yield name, ()
        for lines in found:
            yield name, lines


def _lines(found_components: Counter[_BundleComponent]) -> tuple[str, ...]:
    found = []
    for (bundle, lines), times in found_components.items():
        where = f" in bundle <{bundle}>" if bundle else ""
        for _ in range(times):
            found += [f"{line}{where}" for line in lines] or [f"bundle <{bundle}>"]
    return tuple(sorted(found))


def _normal_statements(bundle: Bundle, names: Iterator[Identifier]) -> list[Statement]:
    """The statements of a normal form, by kind and then in order of their canonical text."""
    form = NormalForm(bundle.statements)
    normal = [statement for component in components(form) for statement in component.statements]
    ranks = {kind: rank for rank, kind in enumerate(form.instance.rows)}
    normal.sort(key=lambda statement: ranks[statement.kind])
    builder = _StatementBuilder(form, names)
    return [builder.statement(each) for each in normal]


class _StatementBuilder:
    """Builds statements from rows; existential variables get their names in the order of first use."""

    def __init__(self, form: NormalForm, names: Iterator[Identifier]) -> None:
        self._form = form
        self._terms = form.instance.terms
        self._names = names
        self._named: dict[int, Identifier] = {}

    def statement(self, normal: NormalStatement) -> Statement:
        kind, row = normal.kind, normal.row
        times = (
            self._time(term) if argument.time else self._identifier(term)
            for argument, term in zip(kind.arguments, row[1:-1], strict=True)
        )
        attributes = tuple((name, self._value(value)) for name, value in sorted(self._form.attributes(row)))
        entries = tuple(
            DictionaryEntry(self._value(entry.key), None if entry.entity is None else self._renamed(entry.entity))
            for entry in self._form.entries(kind, row)
        )
        return Statement(kind, self._identifier(row[0]), tuple(times), attributes, entries=entries)

    def _identifier(self, term: int) -> Identifier | None:
        if term == NONE:
            return None
        if term not in self._terms.variables:
            return Identifier(self._terms.names[term])
        if term not in self._named:
            self._named[term] = next(self._names)
        return self._named[term]

    def _time(self, term: int) -> str | None:
        return None if term in self._terms.variables else self._terms.names[term]

    def _value(self, value: Value) -> Value:
        return self._renamed(value) if isinstance(value, Identifier) else value

    def _renamed(self, name: Identifier) -> Identifier:
        if not is_anonymous(name):
            return name
        return self._identifier(self._terms.value(name)) or name
