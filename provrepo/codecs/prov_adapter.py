"""Conversion to and from the ``ProvDocument`` of the `prov` package.

`prov` stores values and not spellings: instants become ``datetime`` objects and many literals Python numbers, so that
``"007"^^xsd:int`` comes back as ``7`` and ``…00.10Z`` as ``…00.100000+00:00``. The conversion to `prov` loses
the spelling, and the conversion back cannot restore it.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from typing import Any, TypeAlias

from prov import Error as ProvError
from prov import constants, identifier, model

from provrepo.codecs.names import RESERVED, NameShortener
from provrepo.errors import UsageError, WriteError
from provrepo.model.document import Bundle, Document
from provrepo.model.identifiers import Identifier, Literal, Value, text
from provrepo.model.statements import KINDS, Kind, Statement, Term
from provrepo.vocab import PROV, XSD, XSD_ANY_URI, XSD_DATETIME, XSD_STRING

__all__ = ["from_prov", "to_prov"]

_ProvBundle: TypeAlias = Any
"""A ``prov.model.ProvBundle``, of which ``ProvDocument`` is one."""

_RECORD_TYPES = {name: type_ for type_, name in constants.PROV_N_MAP.items()}
_BOOLEAN, _DOUBLE, _INTEGER = XSD + "boolean", XSD + "double", XSD + "integer"


def to_prov(document: Document) -> model.ProvDocument:
    """The document as a ``ProvDocument``; `prov` may respell literals and times.

    ``Document.unmapped`` is omitted.

    Raises:
        WriteError: `prov` cannot represent it, such as a time that is not an ``xsd:dateTime``, or PROV-Dictionary.
    """
    result = model.ProvDocument()
    try:
        outer = _QualifiedNames(document.prefixes)
        targets = [result.bundle(outer.qualified(bundle.id or "")) for bundle in document.bundles]
        _fill(result, document.prefixes, document.statements, outer)
        for target, bundle in zip(targets, document.bundles, strict=True):
            # prov confuses a prefix that a bundle redefines, and a default namespace that only a bundle has: names
            # with those get another prefix.
            own = {p: n for p, n in bundle.prefixes.items() if p and outer.prefixes.get(p, n) == n}
            _fill(target, own, bundle.statements, _QualifiedNames({**outer.prefixes, **own}))
    except (ProvError, ValueError, OverflowError) as error:
        raise WriteError(f"the prov package cannot represent this document: {error}") from error
    return result


def from_prov(document: model.ProvDocument) -> Document:
    """The document of a ``ProvDocument``, with values spelled as `prov` spells them.

    Raises:
        UsageError: ``document`` is not a ``prov.model.ProvDocument``.
    """
    if not isinstance(document, model.ProvDocument):
        raise UsageError(f"a prov.model.ProvDocument is needed, not {type(document).__name__}")
    result = Document()
    result.statements, result.prefixes = _read(document)
    for bundle in document.bundles:
        statements, prefixes = _read(bundle)
        own = {prefix: iri for prefix, iri in prefixes.items() if result.prefixes.get(prefix) != iri}
        name = bundle.identifier
        result.bundles.append(Bundle(None if name is None else Identifier(name.uri), statements, own))
    return result


# --- to prov -----------------------------------------------------------------------------------------------------


class _QualifiedNames:
    """IRIs as qualified names of `prov`."""

    def __init__(self, prefixes: Mapping[str, str]) -> None:
        self._names = NameShortener(prefixes)
        self._known: dict[str, identifier.QualifiedName] = {}

    @property
    def prefixes(self) -> dict[str, str]:
        """The prefixes, declared and minted."""
        return self._names.prefixes

    def qualified(self, iri: str) -> identifier.QualifiedName:
        """The qualified name; that of a blank node has the namespace ``_:``."""
        known = self._known.get(iri)
        if known is None:
            prefix, local = self._names.split(iri)
            home = "_:" if prefix == "_" else {**RESERVED, **self.prefixes}[prefix]
            known = self._known[iri] = identifier.QualifiedName(identifier.Namespace(prefix, home), local)
        return known

    def value(self, value: Value) -> object:
        if isinstance(value, Identifier):
            return self.qualified(value)
        if value.language is not None:
            return model.Literal(value.lexical, langtag=value.language)
        if value.datatype == XSD_STRING:
            return value.lexical
        return model.Literal(value.lexical, self.qualified(value.datatype))


def _fill(
    target: _ProvBundle, prefixes: Mapping[str, str], statements: list[Statement], names: _QualifiedNames
) -> None:
    """Put the declarations and statements of one instance into `prov`'s."""
    for prefix, iri in prefixes.items():
        if prefix:
            target.add_namespace(prefix, iri)
        else:
            target.set_default_namespace(iri)
    known = set(names.prefixes)
    for statement in statements:
        kind = statement.kind
        if kind.name not in _RECORD_TYPES:
            raise WriteError(f"the prov package has no {kind.name}: it does not know PROV-Dictionary")
        formal = [
            (constants.PROV[argument.name], value if argument.time else names.qualified(value))
            for argument, value in zip(kind.arguments, statement.args, strict=True)
            if value is not None
        ]
        others = [(names.qualified(name), names.value(value)) for name, value in statement.attributes]
        own = None if statement.id is None else names.qualified(statement.id)
        target.new_record(_RECORD_TYPES[kind.name], own, formal, others)
    # prov declares the prefixes of names, but not those of datatypes.
    for prefix, iri in names.prefixes.items():
        if prefix not in known:
            target.add_namespace(prefix, iri)


# --- from prov ---------------------------------------------------------------------------------------------------


def _read(source: _ProvBundle) -> tuple[list[Statement], dict[str, str]]:
    prefixes = {namespace.prefix: namespace.uri for namespace in source.get_registered_namespaces()}
    default = source.get_default_namespace()
    if default is not None:
        prefixes[""] = default.uri
    prefixes = {prefix: iri for prefix, iri in prefixes.items() if prefix != "_" and RESERVED.get(prefix) != iri}
    return [_statement(record) for record in source.records], prefixes


def _statement(record: model.ProvRecord) -> Statement:
    kind = KINDS[constants.PROV_N_MAP[record.get_type()]]
    own = None if record.identifier is None else Identifier(record.identifier.uri)
    attributes = tuple((Identifier(name.uri), _value(value)) for name, value in record.extra_attributes)
    return Statement(kind, own, _arguments(kind, record), attributes)


def _arguments(kind: Kind, record: model.ProvRecord) -> tuple[Term, ...]:
    given = {name.uri: value for name, value in record.formal_attributes}
    return tuple(_term(given.get(PROV + argument.name)) for argument in kind.arguments)


def _term(value: object) -> Term:
    if value is None:
        return None
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    return Identifier(value.uri) if isinstance(value, identifier.Identifier) else str(value)


def _value(value: object) -> Value:
    """A value of `prov` as a value of the model: a name, a literal of `prov`, or a Python value."""
    match value:
        case identifier.QualifiedName():
            return Identifier(value.uri)
        case identifier.Identifier():
            return Literal(value.uri, XSD_ANY_URI)
        case model.Literal() if value.langtag:
            return text(value.value, value.langtag)
        case model.Literal():
            return Literal(value.value, XSD_STRING if value.datatype is None else value.datatype.uri)
        case bool():
            return Literal("true" if value else "false", _BOOLEAN)
        case int():
            datatype = model.canonical_xsd_datatype(value)
            return Literal(str(value), _INTEGER if datatype is None else datatype.uri)
        case float():
            return Literal(_double(value), _DOUBLE)
        case datetime.datetime():
            return Literal(value.isoformat(), XSD_DATETIME)
        case _:
            return Literal(str(value))


def _double(value: float) -> str:
    """The lexical form in XML Schema 1.1, part 2, section 3.3.5."""
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else "INF" if value > 0 else "-INF"
