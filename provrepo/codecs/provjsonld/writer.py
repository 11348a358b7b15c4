"""The writer of PROV-JSONLD: one line for each statement, so that versions of a document can be compared by line.

Names are always prefixed. A default namespace would need both ``@vocab`` and ``@base``, and JSON-LD resolves the latter
as a browser resolves links, while PROV joins namespace and local name. Where the schema of the submission allows
several forms, the one is written that other tools read: ``prov`` and ``xsd`` are declared, members of a collection are
in an array, a name as a value has the type ``prov:QUALIFIED_NAME``, and a bundle's context comes before its identifier.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from provrepo.codecs.names import RESERVED, NameShortener
from provrepo.codecs.provjsonld.terms import CONTEXT_URL, ID_TYPED, SPECIAL, TYPES, context
from provrepo.errors import WriteError
from provrepo.model.document import Bundle, Document, Loss
from provrepo.model.identifiers import Identifier, Value
from provrepo.model.statements import ENTITY, KINDS, MEMBERSHIP, Attribute, Kind, Statement
from provrepo.vocab import PROV, PROV_VALUE, XSD_STRING

__all__ = ["losses", "write"]

_TERMS = {name: term for term, name in SPECIAL.items()}
_TYPE_OF = {kind.name: type_ for type_, kind in TYPES.items()}
_ARGUMENT_NAMES = {name: frozenset(PROV + argument.name for argument in kind.arguments) for name, kind in KINDS.items()}
_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode


def write(document: Document, *, format: str = "provjsonld") -> bytes:  # noqa: A002, ARG001
    """The document as UTF-8.

    Raises:
        WriteError: text with a lone surrogate, or a bundle without identifier.
    """
    names = _names(document.prefixes)
    records = _records(document.statements, names)
    replaced: set[str] = set()
    records += [_bundle(bundle, names, replaced) for bundle in document.bundles]
    declared = {**names.prefixes, **RESERVED} if records or names.prefixes else {}
    contexts = [_encode(declared), _encode(CONTEXT_URL)] if declared else [_encode(CONTEXT_URL)]
    text = f'{{\n"@context": [{", ".join(contexts)}],\n"@graph": {_lines(records)}\n}}\n'
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise WriteError(f"{text[error.start]!r} is half of a character; UTF-8 cannot represent it") from None


def losses(document: Document, *, format: str = "provjsonld") -> list[Loss]:  # noqa: A002, ARG001
    """What PROV-JSONLD cannot represent of the document."""
    found: list[Loss] = []
    for statement in document:
        if statement.kind.name not in _TYPE_OF:
            found.append(Loss(f"PROV-JSONLD has no term for {statement.kind.name}", repr(statement)))
            continue
        found += [
            Loss(
                f"PROV-JSONLD cannot distinguish the attribute {name} from an argument",
                statement.id or statement.kind.name,
            )
            for name, _ in statement.attributes
            if _is_argument(statement.kind, name)
        ]
    return found


def _is_argument(kind: Kind, name: Identifier) -> bool:
    return name in _ARGUMENT_NAMES[kind.name]


def _names(prefixes: Mapping[str, str], outer: NameShortener | None = None) -> NameShortener:
    terms = context().terms
    usable = {p: n for p, n in prefixes.items() if p not in terms or context().prefixes.get(p) == n}
    usable = {p: n for p, n in usable.items() if n and ":" not in p and not p.startswith("@")}
    if outer is not None:
        return outer.within(usable)
    return NameShortener(
        usable,
        # "x://y" is an IRI to JSON-LD, whatever x is.
        acceptable=lambda local: not local.startswith("//"),
        default=False,
    )


def _lines(records: list[str]) -> str:
    return "[\n" + ",\n".join(records) + "\n]" if records else "[]"


def _bundle(bundle: Bundle, outer: NameShortener, replaced: set[str]) -> str:
    """A bundle as an object of ``@graph``.

    Args:
        bundle: the bundle.
        outer: the names of the document.
        replaced: prefixes of the document that earlier bundles redefined. ProvToolbox keeps those definitions, so the
            prefixes are declared again. It also requires that a bundle declares the prefix of its identifier.
    """
    if bundle.id is None:
        raise WriteError("a bundle without an identifier cannot be written")
    names = _names(bundle.prefixes, outer)
    name = names.short(bundle.id)
    records = _records(bundle.statements, names)
    own = names.beyond({*replaced, name.partition(":")[0]})
    replaced.clear()
    replaced.update(p for p, n in own.items() if outer.prefixes.get(p, n) != n)
    head = _encode({"@type": "Bundle", "@context": [own] if own else [], "@id": name})
    return f'{head[:-1]}, "@graph": {_lines(records)}}}'


def _records(statements: Iterable[Statement], names: NameShortener) -> list[str]:
    return [_encode(_record(statement, names)) for statement in statements if statement.kind.name in _TYPE_OF]


def _record(statement: Statement, names: NameShortener) -> dict[str, object]:
    kind = statement.kind
    record: dict[str, object] = {"@type": _TYPE_OF[kind.name]}
    if statement.id is not None:
        record["@id"] = names.short(statement.id)
    for argument, value in zip(kind.arguments, statement.args, strict=True):
        if value is not None:
            term = value if argument.time else names.short(value)
            record[argument.name] = [term] if kind is MEMBERSHIP and argument.name == "entity" else term
    values: dict[str, list[object]] = {}
    for attribute in statement.attributes:
        if not _is_argument(kind, attribute[0]):
            term, written = _attribute(kind, attribute, names)
            values.setdefault(term, []).append(written)
    record.update(values)
    return record


def _attribute(kind: Kind, attribute: Attribute, names: NameShortener) -> tuple[str, object]:
    name, value = attribute
    term = _TERMS.get(name)
    if term is None or (name == PROV_VALUE and kind is not ENTITY):  # the context defines "value" in entities only
        term = names.short(name)
    return term, _value(value, term, names)


def _value(value: Value, term: str, names: NameShortener) -> object:
    if isinstance(value, Identifier):
        short = names.short(value)
        return short if term in ID_TYPED else {"@value": short, "@type": "prov:QUALIFIED_NAME"}
    if value.language is not None:
        return {"@value": value.lexical, "@language": value.language}
    if value.datatype == XSD_STRING:
        return {"@value": value.lexical}
    return {"@value": value.lexical, "@type": names.short(value.datatype)}
