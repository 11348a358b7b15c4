"""The reader of PROV-JSONLD (https://www.w3.org/submissions/2024/SUBM-prov-jsonld-20240825/).

A string in an array of values is a qualified name, as in the submission's schema; text is an object with ``@value``.
Also read: ``prov:Entity`` for ``Entity`` and ``prov:activity`` for ``activity`` (the draft of
2020), single values instead of arrays, ``{"@id": …}`` for an identifier, JSON numbers and booleans, and names that
are IRIs. A name whose prefix is not declared is an IRI too, as in all JSON-LD, with a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeAlias, TypeGuard
from urllib.parse import urljoin

from provrepo.codecs.anonymous import drop_unreferenced_identifiers
from provrepo.codecs.guards import MAX_PREFIXES
from provrepo.codecs.json_source import Integer, JsonSource, Real, pointer
from provrepo.codecs.jsonld.user_contexts import advice, user_context
from provrepo.codecs.names import PrefixScope, namespace
from provrepo.codecs.provjsonld.terms import ID_TYPED, KNOWN_CONTEXTS, SPECIAL, TYPES, context
from provrepo.errors import ReadError
from provrepo.limits import NESTED_CONTEXTS
from provrepo.model.document import Bundle, Document, ReaderWarning, UnreadPart
from provrepo.model.identifiers import Identifier, Literal, Value, text
from provrepo.model.statements import MEMBERSHIP, Attribute, Kind, Statement, Term
from provrepo.vocab import (
    PROV_INTERNATIONALIZED_STRING,
    PROV_LABEL,
    PROV_QUALIFIED_NAME,
    RDF_LANG_STRING,
    XSD,
    XSD_QNAME,
    XSD_STRING,
)

__all__ = ["read"]

_TYPES = {**TYPES, **{"prov:" + name: kind for name, kind in TYPES.items()}}
_TYPES |= {"provext:" + name: TYPES[name] for name in ("Specialization", "Alternate", "Membership")}
_BUNDLE = ("Bundle", "prov:Bundle")
_SPECIAL = {**SPECIAL, **{"prov:" + term: name for term, name in SPECIAL.items()}}
_ID_TYPED = ID_TYPED | {"prov:" + term for term in ID_TYPED}
_ARGUMENTS = {
    kind.name: {
        spelling + argument.name: (index, argument.time)
        for index, argument in enumerate(kind.arguments)
        for spelling in ("", "prov:")
    }
    for kind in TYPES.values()
}
_STRINGS = (None, XSD_STRING, PROV_INTERNATIONALIZED_STRING, RDF_LANG_STRING)
_NAMES = (XSD_QNAME, PROV_QUALIFIED_NAME)
_SCHEMES = frozenset({"ark", "arcp", "data", "did", "doi", "hdl", "info", "mailto", "ni", "nih", "tag", "urn"})
"""Schemes of IRIs without ``//`` that occur in provenance; they are not reported as undeclared prefixes."""

_Path: TypeAlias = tuple[str | int, ...]
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")


def read(data: bytes, *, format: str = "provjsonld", base: str | None = None) -> Document:  # noqa: A002
    """A PROV-JSONLD document.

    Args:
        data: UTF-8 JSON.
        format: the name for errors.
        base: the IRI against which relative IRIs are resolved.

    Raises:
        ReadError: not JSON, not in the shape of PROV-JSONLD, a repeated key, a remote context that is not
            PROV-JSONLD's, or a name that cannot be resolved.
    """
    return _ProvJsonldReader(JsonSource(data, format), format, base).read()


class _RawGraph:
    """A document or bundle as in the text, since ``@context`` may come after ``@graph``.

    Attributes:
        at: its offset.
        path: its path in the JSON text.
        members: its members; ``@graph`` has the value None.
        records: the records in ``@graph`` with their offsets.
    """

    def __init__(self, at: int, path: _Path) -> None:
        self.at = at
        self.path = path
        self.members: dict[str, Any] = {}
        self.records: list[tuple[int, Any]] = []


class _ProvJsonldReader:
    def __init__(self, source: JsonSource, format: str, base: str | None) -> None:  # noqa: A002
        self._source = source
        self._base = base
        self._document = Document(format=format)
        self._undeclared: set[str] = set()
        # The offset of the current record, for errors and warnings.
        self._at = source.start()
        self._path: _Path = ()

    def read(self) -> Document:
        document = self._document
        graph = self._graph(())
        self._source.finish()
        for key in ("@context", "@graph"):
            if key not in graph.members:
                raise self._error(f"a PROV-JSONLD document has {key!r}")
        outer = self._enter(graph, PrefixScope(context().prefixes, place=self._here), document.prefixes)
        own_name: list[str] = [key for key in ("@id", "@type") if key in graph.members]
        self._leave(own_name, "a document has no identifier and no type in PROV-JSONLD")
        for index, (at, record) in enumerate(graph.records):
            if isinstance(record, dict) and record.get("@type") in _BUNDLE:
                document.bundles.append(self._bundle(at, ("@graph", index), outer))
            else:
                document.statements += self._statements(at, ("@graph", index), record, outer)
        document.statements = drop_unreferenced_identifiers(document.statements)
        document.warnings += outer.remarks(None)
        return document

    def _error(self, message: str, key: str | None = None) -> ReadError:
        at = self._at if key is None else self._source.locate(self._at, (key,))
        return self._source.error(message, at)

    def _here(self) -> tuple[int, int]:
        return self._source.span(self._at)

    def _warn(self, message: str) -> None:
        self._document.warnings.append(ReaderWarning(message, self._source.span(self._at)[0]))

    def _leave(self, keys: list[str], reason: str) -> None:
        """List members of the current object that no statement stands for."""
        places = self._source.keys(self._at) if keys else {}
        for key in keys:
            span = self._source.span(places[key])
            self._document.unmapped.add_part(UnreadPart(pointer((*self._path, key)), reason, *span))

    # --- structure -----------------------------------------------------------------------------------------------

    def _graph(self, path: _Path) -> _RawGraph:
        """The current object, with its records and their offsets separate."""
        source = self._source
        graph = _RawGraph(self._at, path)
        for key, _, at in source.members(self._at):
            if key != "@graph":
                graph.members[key] = source.value(at)
                continue
            if not source.text.startswith("[", at):
                raise source.error("'@graph' is an array of statements", at)
            graph.records = [(start, source.value(start)) for _, start in source.elements(at)]
            graph.members[key] = None
        return graph

    def _bundle(self, at: int, path: _Path, outer: PrefixScope) -> Bundle:
        self._at = at
        graph = self._graph(path)
        prefixes: dict[str, str] = {}
        scope = self._enter(graph, outer, prefixes)
        prefixes = {prefix: iri for prefix, iri in prefixes.items() if outer.prefixes.get(prefix) != iri}
        name = graph.members.get("@id")
        if not _is_text(name):
            raise self._error("a bundle has an '@id'")
        bundle = Bundle(self._identifier(name, scope), prefixes=prefixes)
        for index, (start, record) in enumerate(graph.records):
            bundle.statements += self._statements(start, (*path, "@graph", index), record, scope)
        bundle.statements = drop_unreferenced_identifiers(bundle.statements)
        return bundle

    def _enter(self, graph: _RawGraph, outer: PrefixScope, prefixes: dict[str, str]) -> PrefixScope:
        """The scope within a document or bundle; the prefixes that its context declares are added to ``prefixes``."""
        self._at, self._path = graph.at, graph.path
        declared: dict[str, str] = {}
        self._context(graph.members.get("@context", []), declared)
        if len(declared) > MAX_PREFIXES:
            raise self._error(f"{len(declared)} prefixes are declared; at most {MAX_PREFIXES} are read")
        others = [key for key in graph.members if key not in ("@context", "@graph", "@type", "@id")]
        self._leave(others, "it has no meaning for a document or bundle in PROV-JSONLD")
        prefixes.update(declared)
        return PrefixScope(declared, outer)

    # --- contexts and names --------------------------------------------------------------------------------------

    def _context(self, value: Any, declared: dict[str, str], within: tuple[str, ...] = ()) -> None:
        """Add the declarations of a ``@context`` to ``declared``: prefix → namespace IRI.

        Args:
            value: the context.
            declared: the declarations before it.
            within: the URLs of the contexts around it.
        """
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                for term, meaning in item.items():
                    self._term(term, meaning, declared)
            elif not _is_text(item):
                raise self._error("a '@context' contains URLs of contexts and objects that declare prefixes")
            else:
                known = None if item in within or len(within) >= NESTED_CONTEXTS else user_context(item)
                if known is not None:
                    self._context(known, declared, (*within, item))
                elif not KNOWN_CONTEXTS.fullmatch(item):
                    raise self._error(
                        f"the context <{item}> is not PROV-JSONLD's; contexts are never fetched: write its prefixes "
                        f"here, or {advice(item)}"
                    )

    def _term(self, term: str, meaning: Any, declared: dict[str, str]) -> None:
        if term in ("@version", "@protected") or (term == "@base" and "" in declared):
            return
        if isinstance(meaning, dict) and term in context().terms and meaning.get("@prefix") is not True:
            return  # PROV-JSONLD's context, inlined
        if isinstance(meaning, dict) and meaning.keys() <= {"@id", "@prefix", "@type"}:
            # A term for one attribute. Its values are names or objects, as those of any attribute.
            meaning = meaning.get("@id") if meaning.get("@type", "@id") == "@id" else None
        if not _is_text(meaning) or (term.startswith("@") and term not in ("@vocab", "@base")):
            raise self._error(f"the context of PROV-JSONLD declares prefixes; {term!r} is not one")
        prefix = "" if term.startswith("@") else term
        start, colon, rest = meaning.partition(":")
        if colon and start in declared and not rest.startswith("//"):
            meaning = declared[start] + rest
        try:
            iri, warned = namespace(prefix, meaning, base=self._base, line=self._source.span(self._at)[0])
        except ValueError as error:
            raise self._error(str(error)) from None
        if warned is not None:
            self._document.warnings.append(warned)
        if iri is not None:
            declared[prefix] = iri

    def _resolve(self, name: str, scope: PrefixScope) -> Identifier | None:
        """The IRI of a name; None if it is relative and there is no base."""
        prefix, colon, local = name.partition(":")
        if not colon:
            found = scope.expand(name) if name else None
            if found is None and self._base is not None:
                found = scope.whole(urljoin(self._base, name))
            return found
        if prefix == "_" or (prefix in scope.prefixes and not local.startswith("//")):
            return scope.expand(name)
        if not _IRI.fullmatch(name):
            return None
        if not local.startswith("//") and prefix.lower() not in _SCHEMES and prefix not in self._undeclared:
            self._undeclared.add(prefix)
            self._warn(f"the prefix {prefix!r} of {name!r} is not declared: names with it are read as IRIs")
        return scope.whole(name)

    def _identifier(self, name: str, scope: PrefixScope) -> Identifier:
        found = self._resolve(name, scope)
        if found is None:
            raise self._error(f"{name!r} is neither an IRI nor a name with a declared prefix")
        return found

    # --- statements ----------------------------------------------------------------------------------------------

    def _statements(self, at: int, path: _Path, record: Any, scope: PrefixScope) -> Iterable[Statement]:
        self._at, self._path = at, path
        if not isinstance(record, dict):
            raise self._error("a statement is a JSON object")
        kind = self._kind(record.get("@type"))
        own_name = record.get("@id")
        if own_name is not None and not _is_text(own_name):
            raise self._error("an '@id' is a string", "@id")
        if own_name is None and kind.element:
            raise self._error(f"{record['@type']!r} needs an '@id'")
        identifier = None if own_name is None else self._identifier(own_name, scope)
        args: list[Term] = [None] * len(kind.arguments)
        members: list[Identifier] = []
        attributes: list[Attribute] = []
        undefined: list[str] = []
        positions = _ARGUMENTS[kind.name]
        for key, value in record.items():
            position = positions.get(key)
            if position is None:
                if key in ("@type", "@id"):
                    continue
                if key.startswith("@"):
                    raise self._error(f"{key!r} has no place in a statement", key)
                name = self._attribute_name(key, scope)
                if name is None:
                    undefined.append(key)
                else:
                    attributes += self._attributes(key, name, value, scope)
                continue
            index, time = position
            if args[index] is not None:
                raise self._error(f"{key!r} is given twice, with and without 'prov:'", key)
            if kind is MEMBERSHIP and index == 1 and isinstance(value, list):
                members = [self._reference(key, member, scope) for member in value if member is not None]
                args[index] = members[0] if members else None
            elif value is not None:
                args[index] = self._instant(key, value) if time else self._reference(key, value, scope)
        span = self._source.span(at)
        self._leave(undefined, f"no context defines it, and it is not an argument of {kind.name}")
        first = Statement(kind, identifier, tuple(args), tuple(attributes), span)
        others = (Statement(kind, identifier, (args[0], other), first.attributes, span) for other in members[1:])
        return [first, *others]

    def _kind(self, type_: Any) -> Kind:
        if isinstance(type_, list) and len(type_) == 1:
            type_ = type_[0]
        kind = _TYPES.get(type_) if isinstance(type_, str) else None
        if kind is not None:
            return kind
        if type_ in _BUNDLE:
            raise self._error("a bundle within a bundle: PROV-DM has none (section 5.4)")
        known = ", ".join(TYPES)
        raise self._error(f"a statement has as its '@type' one of {known}; here it is {type_!r}")

    def _reference(self, key: str, value: Any, scope: PrefixScope) -> Identifier:
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, dict) and list(value) == ["@id"]:
            value = value["@id"]
        if not _is_text(value):
            raise self._error(f"{key!r} takes one name", key)
        return self._identifier(str(value), scope)

    def _instant(self, key: str, value: Any) -> str | None:
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, dict) and "@value" in value:
            value = value["@value"]
        if not _is_text(value):
            raise self._error(f"{key!r} takes one instant, as a string", key)
        instant = str(value).strip()
        if not instant:
            self._warn(f"{key!r} is empty: read as absent")
        return instant or None

    # --- attributes ----------------------------------------------------------------------------------------------

    def _attribute_name(self, key: str, scope: PrefixScope) -> Identifier | None:
        """The attribute that a key stands for; None if no context defines it."""
        special = _SPECIAL.get(key)
        if special is not None or ":" in key:
            return special or self._identifier(key, scope)
        term = scope.prefixes.get(key)
        return scope.expand(key) if term is None else scope.whole(term)

    def _attributes(self, key: str, name: Identifier, value: Any, scope: PrefixScope) -> list[Attribute]:
        if isinstance(value, list):
            # In the schema's ArrayOfValues a string is a QualifiedName. Labels are text and never names.
            named = name != PROV_LABEL
            return [(name, self._value(key, item, scope, named=named)) for item in value if item is not None]
        return [] if value is None else [(name, self._value(key, value, scope, named=key in _ID_TYPED))]

    def _value(self, key: str, value: Any, scope: PrefixScope, *, named: bool) -> Value:
        """A value of an attribute; ``named``: whether a string is a name."""
        if isinstance(value, dict):
            if "@id" in value:
                return self._reference(key, value, scope)
            if "@value" in value:
                return self._typed(key, value, scope)
        elif _is_text(value):
            if not named:
                return Literal(value)
            return self._name_value(value, XSD_QNAME if key in _ID_TYPED else XSD_STRING, scope)
        elif isinstance(value, Integer | Real | bool):
            return Literal(*_number(value))
        raise self._error(
            f"the value of {key!r} is neither text, number, name nor an object with '@value' or '@id'", key
        )

    def _typed(self, key: str, value: dict[str, Any], scope: PrefixScope) -> Value:
        """An object with ``@value``."""
        if set(value) - {"@value", "@type", "@language"}:
            raise self._error(f"{key!r} has a value with more than '@value', '@type' and '@language'", key)
        lexical, type_, language = value["@value"], value.get("@type"), value.get("@language")
        if any(given is not None and not _is_text(given) for given in (type_, language)):
            raise self._error(f"'@type' and '@language' of {key!r} are strings", key)
        datatype = None if type_ is None else str(self._identifier(type_, scope))
        if isinstance(lexical, Integer | Real | bool):
            spelled, natural = _number(lexical)
            return Literal(spelled, datatype or natural)
        if not _is_text(lexical):
            raise self._error(f"the '@value' of {key!r} is neither text nor a number", key)
        if datatype in _NAMES:
            return self._name_value(lexical, datatype, scope)
        if language:
            if datatype in _STRINGS:
                return text(lexical, language)
            self._warn(f"the language {language!r} has no meaning for a value of type <{datatype}>")
        return Literal(lexical, datatype or XSD_STRING)

    def _name_value(self, name: str, datatype: str, scope: PrefixScope) -> Value:
        """The identifier of a name as a value; a literal if it is not a name, since tools write plain words there."""
        prefix, colon, local = name.partition(":")
        known = not colon or prefix == "_" or prefix in scope.prefixes or local.startswith("//")
        if not colon and datatype == XSD_STRING:
            # A word is not a relative IRI where text is possible.
            found = scope.expand(name) if name else None
        else:
            found = self._resolve(name, scope) if known or prefix.lower() in _SCHEMES else None
        if found is not None:
            return found
        what = "text" if datatype == XSD_STRING else "text of type xsd:QName"
        self._warn(f"{name!r} has no declared namespace: kept as {what}")
        return Literal(name, datatype)


def _is_text(value: Any) -> TypeGuard[str]:
    return type(value) is str


def _number(value: Integer | Real | bool) -> tuple[str, str]:
    """Spelling and datatype of a JSON number or boolean (JSON-LD 1.1 API, section 8.2)."""
    if isinstance(value, bool):
        return ("true" if value else "false"), XSD + "boolean"
    return str(value), XSD + ("integer" if isinstance(value, Integer) else "double")
