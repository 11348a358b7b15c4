"""How terms and statements are shown to people: shortened, in words, and never more than a page can hold.

Nothing here is markup. Templates escape whatever they are given, because all of it is somebody's input.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from provrepo.codecs.results import QueryResult
from provrepo.model.document import Document
from provrepo.model.identifiers import Identifier, Literal, Value
from provrepo.model.statements import KINDS, Statement
from provrepo.vocab import PREDECLARED, PROV, PROV_LABEL, XSD_STRING

__all__ = [
    "AnswerTable",
    "UnmappedGroup",
    "StatementRow",
    "DisplayTerm",
    "Shortener",
    "StatementTable",
    "answer",
    "brief",
    "row",
    "statements",
    "words",
]

_EXAMPLES = 3
"""Triples or parts that a page shows for one reason."""

_ROOM = 80
"""Characters of a label in a table."""


class DisplayTerm(NamedTuple):
    """A term as a page shows it.

    Attributes:
        text: short enough to read.
        full: the whole IRI where ``text`` is not it, or empty.
        note: language or datatype of a literal, or empty.
        kind: ``iri``, ``blank`` or ``literal``, which is its style; ``self`` for what the page is about.
        label: what the thing is called, or empty.
    """

    text: str
    full: str = ""
    note: str = ""
    kind: str = "literal"
    label: str = ""

    @property
    def iri(self) -> str:
        """The whole IRI, or empty."""
        return (self.full or self.text) if self.kind == "iri" else ""


class UnmappedGroup(NamedTuple):
    """What of a source makes no statement, for one reason.

    Attributes:
        reason: why.
        number: how many triples or other parts.
        examples: the first few as text, with the line where it is known.
    """

    reason: str
    number: int
    examples: tuple[str, ...]


class Shortener:
    """Shortens IRIs with the prefixes of a document; unlike a writer's it may leave one long."""

    def __init__(self, prefixes: Mapping[str, str], labels: Mapping[str, str] | None = None) -> None:
        self._labels = labels or {}
        known = {**prefixes, "prov": PROV}
        # Longest namespace first, and the document's own order among equals.
        self._namespaces = sorted(((n, p) for p, n in known.items() if n), key=lambda pair: -len(pair[0]))

    def term(self, value: Value) -> DisplayTerm:
        """An identifier or a literal."""
        if isinstance(value, Literal):
            return DisplayTerm(value.lexical, note=self._note(value))
        if value.startswith("_:"):
            return DisplayTerm(value, kind="blank")
        short = self.iri(value)
        return DisplayTerm(short, "" if short == value else value, kind="iri")

    def named(self, value: Value) -> DisplayTerm:
        """An identifier or a literal; what has a label, with it."""
        found = self.term(value)
        return found if isinstance(value, Literal) else found._replace(label=self._labels.get(value, ""))

    def iri(self, iri: str) -> str:
        """The IRI as ``prefix:local``, or as it is."""
        for namespace, prefix in self._namespaces:
            if iri.startswith(namespace) and len(iri) > len(namespace):
                return f"{prefix}:{iri[len(namespace) :]}"
        return iri

    def _note(self, literal: Literal) -> str:
        if literal.language is not None:
            return literal.language
        return "" if literal.datatype == XSD_STRING else self.iri(literal.datatype)


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One statement as a row of a table.

    Attributes:
        kind: the kind in words.
        style: ``entity``, ``activity``, ``agent`` or ``relation``.
        subject: what it describes or relates, or None.
        object: what it relates that to, or None.
        details: further arguments, then attributes: a name and a term each.
        bundle: the bundle it stands in, or None.
        line: in the submitted bytes, or None.
    """

    kind: str
    style: str
    subject: DisplayTerm | None
    object: DisplayTerm | None
    details: tuple[tuple[str, DisplayTerm], ...]
    bundle: DisplayTerm | None
    line: int | None


@dataclass(frozen=True, slots=True)
class StatementTable:
    """A document's statements, as far as a page shows them.

    Attributes:
        rows: the first ones.
        total: how many there are.
        counts: how many of each kind there are, in words.
        bundles: how many bundles there are.
        prefixes: prefix and namespace, for reading the short names.
        unmapped: what no statement stands for, by reason, the most frequent first.
    """

    rows: tuple[StatementRow, ...]
    total: int
    counts: tuple[tuple[str, str, int], ...]
    bundles: int
    prefixes: tuple[tuple[str, str], ...]
    unmapped: tuple[UnmappedGroup, ...]

    @property
    def located(self) -> bool:
        """Whether any statement knows its line."""
        return any(row.line for row in self.rows)


def statements(document: Document, *, limit: int) -> StatementTable:
    """The first ``limit`` statements, and how many of each kind there are."""
    numbers = dict.fromkeys(KINDS, 0)
    for statement in document:
        numbers[statement.kind.name] += 1
    counts = tuple((words(name), _style(name), number) for name, number in numbers.items() if number)
    return StatementTable(
        rows=tuple(islice(_rows(document), limit)),
        total=len(document),
        counts=counts,
        bundles=len(document.bundles),
        prefixes=tuple(document.prefixes.items()),
        unmapped=tuple(_unmapped(document)),
    )


def _unmapped(document: Document) -> Iterator[UnmappedGroup]:
    """What of the source makes no statement, with the first few examples for each reason."""
    shortener = Shortener(document.prefixes)
    examples: dict[str, list[str]] = {}
    for quad, reason in document.unmapped.triples():
        held = examples.setdefault(reason, [])
        if len(held) < _EXAMPLES:
            terms = (shortener.term(term) for term in quad[:3])
            held.append(" ".join(f"{brief(term.text)} {term.note}".rstrip() for term in terms))
    for part in document.unmapped.unread:
        held = examples.setdefault(part.reason, [])
        if len(held) < _EXAMPLES:
            held.append(brief(part.part) + (f", line {part.line}" if part.line else ""))
    for reason, number in document.unmapped.reasons.most_common():
        yield UnmappedGroup(reason, number, tuple(examples.get(reason, ())))


def words(name: str) -> str:
    """A PROV-N keyword in words: ``wasGeneratedBy`` is "was generated by"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def _style(kind: str) -> str:
    return kind if KINDS[kind].element else "relation"


def _rows(document: Document) -> Iterator[StatementRow]:
    labels = _labels(document)
    top = Shortener(document.prefixes, labels)
    for bundle in document.instances():
        inner = Shortener({**document.prefixes, **bundle.prefixes}, labels) if bundle.prefixes else top
        for statement in bundle:
            yield row(statement, inner, bundle=bundle.id)


def _labels(document: Document) -> dict[str, str]:
    """The first label of each element, as far as a table has room for it."""
    found: dict[str, str] = {}
    for statement in document:
        if statement.kind.element and statement.id is not None:
            for name, value in statement.attributes:
                if name == PROV_LABEL and isinstance(value, Literal):
                    found.setdefault(statement.id, brief(value.lexical))
    return found


def brief(label: str) -> str:
    """A label as far as a table has room for it, on one line."""
    line = " ".join(label.split())
    return line if len(line) <= _ROOM else f"{line[: _ROOM - 1].rstrip()}…"


def row(statement: Statement, shortener: Shortener, *, bundle: str | None = None) -> StatementRow:
    """A statement as a row of a table.

    Args:
        statement: what is said.
        shortener: for its names.
        bundle: the IRI of the bundle it stands in.
    """
    named = list(zip((a.name for a in statement.kind.arguments), statement.args, strict=False))
    subject: str | None = statement.id
    target: str | None = None
    details: list[tuple[str, DisplayTerm]] = []
    if not statement.kind.element:
        subject, target = (named[0][1], named[1][1]) if len(named) > 1 else (None, None)
        named = named[2:]
        if statement.id is not None:
            details.append(("identifier", shortener.term(statement.id)))
    for name, argument in named:
        if argument is not None:
            shown = shortener.named(argument) if isinstance(argument, Identifier) else DisplayTerm(argument)
            details.append((words(name), shown))
    for key, entity in statement.entries:
        shown = shortener.term(key)
        under = "" if entity is None else f": {shortener.iri(entity)}"
        details.append(("key", shown._replace(text=shown.text + under)))
    heading = None if subject is None else shortener.named(Identifier(subject))
    # The label stands above the identifier already, unless it had to be cut.
    said = (PROV_LABEL, heading.label) if heading and statement.kind.element else None
    for name, value in statement.attributes:
        if said != (name, value.lexical if isinstance(value, Literal) else None):
            details.append((shortener.iri(name), shortener.named(value)))
    return StatementRow(
        kind=words(statement.kind.name),
        style=_style(statement.kind.name),
        subject=heading,
        object=None if target is None else shortener.named(Identifier(target)),
        details=tuple(details),
        bundle=shortener.named(Identifier(bundle)) if bundle else None,
        line=statement.span[0] if statement.span else None,
    )


@dataclass(frozen=True, slots=True)
class AnswerTable:
    """The answer to a query as a table.

    Attributes:
        columns: their headings.
        rows: the first ones; None where a variable is unbound.
        total: how many rows there are.
        boolean: of an ASK; None for a table.
        formats: names of the formats it can be fetched in.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[DisplayTerm | None, ...], ...]
    total: int
    boolean: bool | None
    formats: tuple[str, ...]


def answer(result: QueryResult, *, limit: int) -> AnswerTable:
    """The first ``limit`` rows or triples of an answer."""
    shortener = Shortener(PREDECLARED)
    columns = ("subject", "predicate", "object") if result.kind == "graph" else result.variables
    if result.kind == "graph":
        found: list[Sequence[Value | None]] = [triple[:3] for triple in result.triples[:limit]]
    else:
        found = [[row.get(name) for name in columns] for row in result.rows[:limit]]
    rows = tuple(tuple(None if term is None else shortener.term(term) for term in row) for row in found)
    return AnswerTable(columns, rows, len(result), result.boolean, result.formats())
