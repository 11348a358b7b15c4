"""Display forms of terms, statements and query results: shortened, in words, and limited in number.

Nothing here is markup. Templates escape all values, because they come from untrusted input.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from provrepo.model.identifiers import Identifier, Literal, Value
from provrepo.model.statements import KINDS, Statement
from provrepo.vocab import PROV, PROV_LABEL, XSD_STRING
from provrepo.words import spaced as words

__all__ = [
    "DisplayTerm",
    "Shortener",
    "StatementRow",
    "brief",
    "row",
    "words",
]

_MAX_LABEL = 80
"""The most characters of a label in a table."""


class DisplayTerm(NamedTuple):
    """A term for display.

    Attributes:
        text: the short form.
        full: the full IRI if ``text`` is shortened; otherwise empty.
        note: the language or datatype of a literal, or empty.
        language: the language of a literal, or empty.
        kind: ``iri``, ``blank`` or ``literal``, which selects its style; ``self`` for the thing that the page is about.
        label: the label of the thing, or empty.
    """

    text: str
    full: str = ""
    note: str = ""
    kind: str = "literal"
    label: str = ""
    language: str = ""

    @property
    def iri(self) -> str:
        """The full IRI; empty if it is not an IRI."""
        return (self.full or self.text) if self.kind == "iri" else ""


class Shortener:
    """Shortens IRIs with the prefixes of a document; an IRI without a matching prefix stays as it is."""

    def __init__(self, prefixes: Mapping[str, str], labels: Mapping[str, str] | None = None) -> None:
        self._labels = labels or {}
        known = {**prefixes, "prov": PROV}
        # Longest namespace first; those of equal length in the order of the document.
        self._namespaces = sorted(((n, p) for p, n in known.items() if n), key=lambda pair: -len(pair[0]))

    def term(self, value: Value) -> DisplayTerm:
        """The display form of an identifier or a literal, without a label."""
        if isinstance(value, Literal):
            return DisplayTerm(value.lexical, note=self._note(value), language=value.language or "")
        if value.startswith("_:"):
            return DisplayTerm(value, kind="blank")
        short = self.iri(value)
        return DisplayTerm(short, "" if short == value else value, kind="iri")

    def named(self, value: Value) -> DisplayTerm:
        """The display form of an identifier or a literal, with its label if it has one."""
        found = self.term(value)
        return found if isinstance(value, Literal) else found._replace(label=self._labels.get(value, ""))

    def iri(self, iri: str) -> str:
        """The IRI as ``prefix:local``, or unchanged."""
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
        kind: the kind of statement in words.
        style: ``entity``, ``activity``, ``agent`` or ``relation``.
        subject: the described thing, or the first argument of a relation; None if it is missing.
        object: the second argument of a relation, or None.
        details: names and values of further arguments and of attributes.
        bundle: the bundle that contains it, or None.
        line: the line in the submitted bytes, or None.
    """

    kind: str
    style: str
    subject: DisplayTerm | None
    object: DisplayTerm | None
    details: tuple[tuple[str, DisplayTerm], ...]
    bundle: DisplayTerm | None
    line: int | None


def _style(kind: str) -> str:
    return kind if KINDS[kind].element else "relation"


def brief(label: str) -> str:
    """Shorten a label for a table, on one line."""
    line = " ".join(label.split())
    return line if len(line) <= _MAX_LABEL else f"{line[: _MAX_LABEL - 1].rstrip()}…"


def row(statement: Statement, shortener: Shortener, *, bundle: str | None = None) -> StatementRow:
    """A statement as a row of a table.

    Args:
        statement: the statement.
        shortener: shortens its IRIs.
        bundle: the IRI of the bundle that contains it, or None.
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
    # The label is already shown with the identifier, unless it was shortened.
    displayed = (PROV_LABEL, heading.label) if heading and statement.kind.element else None
    for name, value in statement.attributes:
        if displayed != (name, value.lexical if isinstance(value, Literal) else None):
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
