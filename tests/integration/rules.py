"""Accepted differences in a document that another tool has read and written, each with its reason.

A rule changes both documents, or only the returned one, so that they are equal if there is no other difference. A rule
that no document needs has ``needed`` 0.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

import provrepo
from provrepo.codecs.provxml.names import toolbox_unescape
from provrepo.model.document import Bundle, Document
from provrepo.model.identifiers import Identifier, Literal, Value
from provrepo.model.statements import MEMBERSHIP, Statement, Term
from provrepo.vocab import XSD

__all__ = [
    "Rule",
    "differs",
    "instants",
    "no_blanks",
    "no_members",
    "once",
    "plain_attributes",
    "unescaped_strings",
    "values",
]

_TIME = re.compile(r"(.+T\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)?")
_PLAIN = re.compile(r"[/#=:][^\W\d_][\w.-]*$")
_ESCAPE = re.compile(r"\\(.)")
_NAMED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_WHOLE = ("integer", "int", "long", "short", "byte", "decimal", "nonNegativeInteger", "positiveInteger")


Change: TypeAlias = Callable[[list[Statement], list[Statement]], list[Statement]]
"""A function of the statements of a document or bundle, and of those of the original; returns those to compare."""


@dataclass(slots=True, eq=False)
class Rule:
    """One accepted difference.

    Attributes:
        reason: the reason, as a sentence.
        change: the change of the statements before the comparison.
        sources: the suffixes of the files that the tool read.
        targets: the suffixes of the files that it wrote.
        ours: whether the original is changed, too.
        needed: the number of documents that are equal only with this rule.
    """

    reason: str
    change: Change
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    ours: bool = True
    needed: int = field(default=0, init=False)

    def holds(self, source: str, target: str) -> bool:
        """Whether the rule applies to files with these suffixes."""
        return source in self.sources and target in self.targets


def differs(original: Document, again: Document, rules: Sequence[Rule]) -> str:
    """The difference of a returned document that no rule accepts; empty where there is none.

    Each rule counts whether the two documents are equal only with it.
    """
    plain = provrepo.compare(original, again).difference
    if not plain:
        return ""
    left = str(_compared(original, again, rules))
    if not left:
        for rule in rules:
            if _compared(original, again, [other for other in rules if other is not rule]):
                rule.needed += 1
    return left


def _compared(original: Document, again: Document, rules: Iterable[Rule]) -> object:
    before = original
    for rule in rules:
        before = _changed(before, rule, original) if rule.ours else before
        again = _changed(again, rule, original)
    return provrepo.compare(before, again).difference


def _changed(document: Document, rule: Rule, original: Document) -> Document:
    places = {instance.id: instance.statements for instance in original.instances()}
    changed = [
        Bundle(one.id, rule.change(one.statements, places.get(one.id, [])), one.prefixes)
        for one in document.instances()
    ]
    return Document(statements=changed[0].statements, bundles=changed[1:], prefixes=document.prefixes)


def _each(change: Callable[[Statement], Statement]) -> Change:
    return lambda statements, _: [*map(change, statements)]


def _mapped(
    statement: Statement, name: Callable[[Identifier], Identifier], literal: Callable[[Literal], Literal]
) -> Statement:
    def value(given: Value) -> Value:
        return name(given) if isinstance(given, Identifier) else literal(given)

    return Statement(
        statement.kind,
        name(statement.id) if statement.id is not None else None,
        tuple(name(term) if isinstance(term, Identifier) else term for term in statement.args),
        tuple((name(key), value(given)) for key, given in statement.attributes),
        entries=statement.entries,
    )


def _instant(lexical: str) -> str:
    found = _TIME.fullmatch(lexical)
    if found is None:
        return lexical
    moment, fraction, zone = found.groups()
    try:
        at = datetime.fromisoformat(f"{moment}{zone or 'Z'}").astimezone(UTC)
    except ValueError:
        return lexical
    return f"{at:%Y-%m-%dT%H:%M:%S}{Decimal(fraction or 0).normalize():f}"


@_each
def instants(statement: Statement) -> Statement:
    """Times become instants; a time without a zone is in UTC."""

    def term(given: Term, is_time: bool) -> Term:
        return _instant(given) if is_time and given is not None else given

    args = tuple(term(given, place.time) for given, place in zip(statement.args, statement.kind.arguments, strict=True))
    changed = Statement(statement.kind, statement.id, args, statement.attributes, entries=statement.entries)
    return _mapped(changed, lambda name: name, _moment)


def _moment(literal: Literal) -> Literal:
    return literal._replace(lexical=_instant(literal.lexical)) if literal.datatype == XSD + "dateTime" else literal


def _value(literal: Literal) -> Literal:
    local = literal.datatype.removeprefix(XSD)
    try:
        if local in _WHOLE:
            return literal._replace(lexical=f"{Decimal(literal.lexical).normalize():f}")
        if local in ("double", "float"):
            return literal._replace(lexical=repr(float(literal.lexical)))
    except (InvalidOperation, ValueError):
        return literal
    if local == "boolean":
        return literal._replace(lexical={"1": "true", "0": "false"}.get(literal.lexical, literal.lexical))
    return literal


@_each
def values(statement: Statement) -> Statement:
    """Numbers and booleans become values, whatever their lexical forms."""
    return _mapped(statement, lambda name: name, _value)


def _unescaped(lexical: str) -> str:
    return _ESCAPE.sub(lambda found: _NAMED.get(found[1], found[1]), lexical)


def plain_attributes(statements: list[Statement], original: list[Statement]) -> list[Statement]:
    """Attributes without ProvToolbox's escapes of XML names.

    Those whose names need an escape in XML, as ``ex:7`` does, are compared by their values alone.
    """
    plain = {name for one in original for name, _ in one.attributes if _PLAIN.search(name)}

    def name(given: Identifier) -> Identifier:
        local = max(given.rfind(mark) for mark in "/#=:") + 1
        found = given if given in plain else Identifier(given[:local] + toolbox_unescape(given[local:]))
        return found if found in plain else Identifier("escaped:name")

    changed = []
    for one in statements:
        pairs = tuple((name(key), value) for key, value in one.attributes)
        changed.append(Statement(one.kind, one.id, one.args, pairs, entries=one.entries))
    return changed


@_each
def unescaped_strings(statement: Statement) -> Statement:
    """Strings from which the escapes of PROV-N are removed a second time."""
    return _mapped(statement, lambda name: name, lambda one: one._replace(lexical=_unescaped(one.lexical)))


@_each
def no_blanks(statement: Statement) -> Statement:
    """Strings that consist of white space become empty."""
    return _mapped(
        statement, lambda name: name, lambda one: one._replace(lexical=one.lexical if one.lexical.strip() else "")
    )


@_each
def no_members(statement: Statement) -> Statement:
    """Collections without the types of their members."""
    if statement.kind is not MEMBERSHIP:
        return statement
    return Statement(statement.kind, statement.id, (statement.args[0], None), statement.attributes)


def once(statements: list[Statement], original: list[Statement]) -> list[Statement]:
    """The statements without the elements that the original describes more than once."""
    described = Counter((one.kind.name, one.id) for one in original if one.kind.element)
    return [one for one in statements if described[one.kind.name, one.id] < 2]
