"""The writer of PROV-JSON: sections in the order of their first statements, one record on each line.

Values are never written as JSON numbers or booleans, which would lose the spelling and the datatype. Where the schema
of the submission allows several forms, the one is written that other tools read: ``prov`` and ``xsd`` are declared, a
single value of an attribute and a single member of a collection are in an array, and a bundle declares the prefix of
its name, which is under ``@id`` too (ProvToolbox requires both).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from provrepo.codecs.names import RESERVED, NameShortener
from provrepo.model.document import Bundle, Document, Loss
from provrepo.model.identifiers import Identifier, Literal, Value
from provrepo.model.statements import KINDS, MEMBERSHIP, EntryForm, Kind, Statement
from provrepo.vocab import PROV, PROV_QUALIFIED_NAME, XSD_QNAME, XSD_STRING

__all__ = ["losses", "write"]

_quoted = json.JSONEncoder(ensure_ascii=False).encode
_NAMES_AS_LITERALS = (PROV_QUALIFIED_NAME, XSD_QNAME)
_ENTRIES = {EntryForm.PAIRS: "key-entity-set", EntryForm.KEYS: "key-set", EntryForm.KEY: "key-entity-set"}
_ARGUMENTS = {
    kind: frozenset(
        [PROV + argument.name for argument in kind.arguments]
        + ([] if kind.entries is None else [PROV + _ENTRIES[kind.entries]])
    )
    for kind in KINDS.values()
}
_KEYS = {kind: tuple(f'"prov:{argument.name}": ' for argument in kind.arguments) for kind in KINDS.values()}


def write(document: Document, *, format: str) -> bytes:  # noqa: A002, ARG001 (one format in this module)
    """Write PROV-JSON.

    The prefixes of the document and its bundles, ``prov`` and ``xsd`` are declared; ``ns1``, ``ns2`` … are added for
    other namespaces. Relations without an identifier get ``_:id1``, ``_:id2`` …
    """
    scope = _Spelling(document.prefixes)
    blank = _blank_names(document)
    sections = scope.sections(document.statements, blank, "  ")
    bundles: dict[str, list[str]] = {}
    for bundle in document.bundles:
        name, written = _bundle(bundle, scope, blank)
        bundles.setdefault(name, []).append(written)
    if bundles:
        sections.append(_section("bundle", bundles, "  "))
    declarations = scope.declarations("  ") if sections or document.prefixes else []
    return (_object([*declarations, *sections], "") + "\n").encode()


def losses(document: Document, *, format: str) -> list[Loss]:  # noqa: A002, ARG001
    """What PROV-JSON cannot represent of the document; the order of statements of different kinds is not listed."""
    found: list[Loss] = []
    for statement in document:
        kind = statement.kind
        subject = statement.id or repr(statement)
        if kind.element and statement.id is None:
            found.append(Loss("PROV-JSON cannot describe an element without an identifier", subject))
        if statement.id is not None and not kind.identified:
            found.append(Loss(f"PROV-JSON has no identifier for {kind.name}", subject))
        if statement.attributes and not kind.attributed:
            found.append(Loss(f"PROV-JSON has no attributes for {kind.name}", subject))
            continue
        found += [
            Loss(f"PROV-JSON reads {attribute} of {kind.name} as an argument", subject)
            for attribute, _ in statement.attributes
            if attribute in _ARGUMENTS[kind]
        ]
        values = [value for _, value in statement.attributes] + [entry.key for entry in statement.entries]
        found += [
            Loss(f"PROV-JSON reads a literal of datatype <{value.datatype}> as a name; written as a string", subject)
            for value in values
            if isinstance(value, Literal) and value.datatype in _NAMES_AS_LITERALS
        ]
    return found


def _bundle(bundle: Bundle, outer: _Spelling, blank: Iterator[str]) -> tuple[str, str]:
    """The name of a bundle, with its own prefixes, and its content."""
    # A bundle has its own scope, in which the prefixes that it mints are declared.
    scope = _Spelling(bundle.prefixes, outer)
    name = scope.prefixed(bundle.id or Identifier("_:bundle"))
    sections = scope.sections(bundle.statements, blank, "      ")
    declarations = scope.declarations("      ", also=name.partition(":")[0])
    return name, _object([*declarations, f'"@id": {_quoted(name)}', *sections], "    ")


def _blank_names(document: Document) -> Iterator[str]:
    """Blank identifiers for relations without one, which the document does not use."""
    taken: set[str] = set()
    for statement in document:
        names = (statement.id, *statement.identifiers(), *(value for _, value in statement.attributes))
        taken.update(n for n in names if isinstance(n, Identifier) and n.startswith("_:"))
    number = 0
    while True:
        number += 1
        if f"_:id{number}" not in taken:
            yield f"_:id{number}"


def _object(members: list[str], indent: str) -> str:
    if not members:
        return "{}"
    inner = f",\n{indent}  ".join(members)
    return f"{{\n{indent}  {inner}\n{indent}}}"


def _section(name: str, members: Mapping[str, list[str]], indent: str) -> str:
    records = [
        f"{_quoted(key)}: {values[0] if len(values) == 1 else '[' + ', '.join(values) + ']'}"
        for key, values in members.items()
    ]
    return f'"{name}": {_object(records, indent)}'


class _Spelling:
    """Writes names and sections with the prefixes of a document or bundle."""

    def __init__(self, prefixes: Mapping[str, str], outer: _Spelling | None = None) -> None:
        # The key "default" declares the default namespace, and "_" marks blank nodes.
        usable = {p: n for p, n in prefixes.items() if p not in ("default", "_") and ":" not in p}
        self._names: NameShortener = NameShortener(usable) if outer is None else outer._names.within(usable)
        self._strings: dict[str, str] = {}

    def declarations(self, indent: str, also: str = "") -> list[str]:
        """The section of prefixes that are not those of the document, and one more. Readers need it before its use."""
        own = {**self._names.beyond([also]), **RESERVED}
        return [_section("prefix", {p or "default": [_quoted(n)] for p, n in own.items()}, indent)]

    def prefixed(self, iri: Identifier) -> str:
        """A name that always has a prefix."""
        return self._names.prefixed(iri)

    def sections(self, statements: list[Statement], blank: Iterator[str], indent: str) -> list[str]:
        found: dict[Kind, dict[str, list[str]]] = {}
        for statement in statements:
            kind, own = statement.kind, statement.id
            if kind.element and own is None:
                continue
            key = next(blank) if own is None or not kind.identified else self._names.short(own)
            found.setdefault(kind, {}).setdefault(key, []).append(self._record(statement))
        return [_section(kind.name, records, indent) for kind, records in found.items()]

    def _record(self, statement: Statement) -> str:
        kind = statement.kind
        members = []
        for key, argument, term in zip(_KEYS[kind], kind.arguments, statement.args, strict=True):
            if term is not None:
                written = _quoted(term) if argument.time else self._string(term)
                members.append(key + (f"[{written}]" if kind is MEMBERSHIP and argument.name == "entity" else written))
        if statement.entries and kind.entries is not None:
            members = self._entries(members, statement, kind.entries)
        if statement.attributes and kind.attributed:
            values: dict[str, list[str]] = {}
            for attribute, value in statement.attributes:
                if attribute not in _ARGUMENTS[kind]:
                    values.setdefault(self._string(attribute), []).append(self._value(value))
            members += [f"{attribute}: [{', '.join(written)}]" for attribute, written in values.items()]
        return f"{{{', '.join(members)}}}"

    def _entries(self, members: list[str], statement: Statement, shape: EntryForm) -> list[str]:
        """The members of a record with its entries, as ProvToolbox writes keys of several datatypes."""
        beside: str | None = None
        if shape is EntryForm.KEY:
            # The entity is written with its key and not as an argument.
            beside = statement.args[1]
            members = members[:1] if statement.args[0] is not None else []
        written = []
        for key, entity in statement.entries:
            under = entity or beside
            reference = "" if under is None else f', "$": {self._string(under)}'
            written.append(self._value(key) if shape is EntryForm.KEYS else f'{{"key": {self._value(key)}{reference}}}')
        return [*members, f'"prov:{_ENTRIES[shape]}": [{", ".join(written)}]']

    def _string(self, iri: str) -> str:
        """A name as a JSON string."""
        known = self._strings.get(iri)
        if known is None:
            known = self._strings[iri] = _quoted(self._names.short(iri))
        return known

    def _value(self, value: Value) -> str:
        if not isinstance(value, Literal):
            return f'{{"$": {self._string(value)}, "type": "prov:QUALIFIED_NAME"}}'
        string = _quoted(value.lexical)
        if value.language is not None:
            return f'{{"$": {string}, "lang": {_quoted(value.language)}}}'
        if value.datatype == XSD_STRING or value.datatype in _NAMES_AS_LITERALS:
            return string
        return f'{{"$": {string}, "type": {self._string(value.datatype)}}}'
