"""The reader of PROV-JSON. Sections and records are read with their locations, the members of records without."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from provrepo.codecs.anonymous import drop_unreferenced_identifiers
from provrepo.codecs.json_source import Integer, JsonSource, Real, pointer
from provrepo.codecs.names import PrefixScope, namespace
from provrepo.codecs.provext import EXTENDED, QUALIFIED, remark
from provrepo.errors import ReadError
from provrepo.model.document import Bundle, Document, ReaderWarning, UnreadPart
from provrepo.model.identifiers import Identifier, Literal, Value, text
from provrepo.model.statements import (
    DICTIONARY_MEMBERSHIP,
    INSERTION,
    KINDS,
    MEMBERSHIP,
    REMOVAL,
    Attribute,
    DictionaryEntry,
    EntryForm,
    Kind,
    Span,
    Statement,
    Term,
)
from provrepo.vocab import PROV, PROV_INTERNATIONALIZED_STRING, PROV_QUALIFIED_NAME, RDF_LANG_STRING, XSD, XSD_QNAME

__all__ = ["SECTIONS", "read"]

_XSD_INT, _XSD_DOUBLE, _XSD_BOOLEAN = XSD + "int", XSD + "double", XSD + "boolean"
_POSITIONS = {
    kind: {PROV + argument.name: number for number, argument in enumerate(kind.arguments)} for kind in KINDS.values()
}
_EXTENSIONS = {**EXTENDED, **QUALIFIED}
_SECTIONS = {
    **KINDS,
    **_EXTENSIONS,
    **{f"prov:{kind.name}": kind for kind in (INSERTION, REMOVAL, DICTIONARY_MEMBERSHIP)},
}
SECTIONS = frozenset({"prefix", "bundle", *_SECTIONS})
"""The keys of a document or bundle that are read."""

_ENTRIES = {
    EntryForm.PAIRS: PROV + "key-entity-set",
    EntryForm.KEYS: PROV + "key-set",
    EntryForm.KEY: PROV + "key-entity-set",
}
"""The member of a record with its entries, as in ProvToolbox; the submission has no dictionaries."""
_KEY_DATATYPE = "$key-datatype"

_BUFFERED = 1_000
"""The most records that are buffered before their names are expanded, if the prefixes are known."""


_SUGGESTED = 20
"""The number of unknown sections for which a similar name is searched."""


def read(data: bytes, *, format: str, base: str | None) -> Document:  # noqa: A002
    """Read PROV-JSON.

    Args:
        data: UTF-8 text.
        format: the name for errors.
        base: the IRI against which relative namespace IRIs are resolved.

    Raises:
        ReadError: with line, column and, if a value has the wrong shape, its JSON pointer.
    """
    return _ProvJsonReader(JsonSource(data, format), base).document()


@dataclass(slots=True)
class _Record:
    """A record, or several under one identifier, as in the text."""

    kind: Kind
    section: str
    name: str
    offset: int
    start: int
    value: Any
    extension: bool


@dataclass(slots=True)
class _RawInstance:
    """A document or bundle that is being read; its prefixes may come after their use.

    Attributes:
        path: its path in the JSON text.
        prefixes: those that it declares.
        own_name: the name of a bundle under ``@id``, where ProvToolbox writes it, with its offset.
        entries: the records whose names are not expanded yet.
        records: expands them, once the prefixes are known.
        statements: those of earlier entries.
        bundles: name, offset and content of each bundle.
    """

    path: tuple[str | int, ...]
    prefixes: dict[str, str] = field(default_factory=dict)
    own_name: tuple[str, int] | None = None
    entries: list[_Record] = field(default_factory=list)
    records: _Records | None = None
    statements: list[Statement] = field(default_factory=list)
    bundles: list[tuple[str, int, _RawInstance]] = field(default_factory=list)


class _ShapeError(Exception):
    """A value of the wrong shape, at ``path`` within the record."""

    def __init__(self, message: str, *path: str | int) -> None:
        super().__init__(message)
        self.path = path


class _ProvJsonReader:
    def __init__(self, source: JsonSource, base: str | None) -> None:
        self._source = source
        self._base = base
        self._document = Document()
        # The location of the current record, for warnings about its names.
        self._at: Span | None = None

    def document(self) -> Document:
        source, document = self._source, self._document
        raw = self._instance(source.start(), ())
        source.finish()
        records = raw.records or _Records(PrefixScope(raw.prefixes, place=self._here))
        scope = records.scope
        document.prefixes = raw.prefixes
        document.statements = self._statements(raw, records)
        for name, offset, inner in raw.bundles:
            document.bundles.append(self._bundle(name, offset, inner, scope))
        document.warnings += scope.remarks(None)
        return document

    def _here(self) -> Span | None:
        return self._at

    def _bundle(self, name: str, offset: int, raw: _RawInstance, outer: PrefixScope) -> Bundle:
        # A bundle's name is read with its own declarations, as PROV-N has it (section 3.7.2, example 60).
        scope = PrefixScope(raw.prefixes, outer)
        identifier = scope.expand(name)
        if identifier is None:
            raise self._source.error(_undeclared(name), offset)
        if raw.own_name is not None:
            own, at = raw.own_name
            if scope.expand(own) != identifier:
                self._document.warnings.append(
                    ReaderWarning(
                        f"the '@id' of the bundle {name!r} is {own!r}, which is another identifier: read as {name!r}",
                        *self._source.span(at),
                        focus=identifier,
                    )
                )
        prefixes = {p: n for p, n in raw.prefixes.items() if outer.prefixes.get(p) != n}
        return Bundle(identifier, self._statements(raw, _Records(scope)), prefixes)

    # --- the text

    def _instance(self, position: int, path: tuple[str | int, ...]) -> _RawInstance:
        """Read one instance: the document at the empty path, otherwise a bundle."""
        source = self._source
        raw = _RawInstance(path)
        for key, offset, start in source.members(position):
            kind = _SECTIONS.get(key)
            if kind is not None:
                if key in _EXTENSIONS:
                    self._document.warnings.append(remark(key, source.span(offset)[0]))
                self._section(raw, kind, key, start)
            elif key == "prefix":
                self._prefixes(raw, start)
                if not path:
                    # Later records can be expanded at once. In a bundle its prefixes may also come later.
                    raw.records = _Records(PrefixScope(raw.prefixes, place=self._here))
            elif key == "bundle" and not path:
                self._bundles(raw, start)
            elif key == "bundle":
                raise source.error("a bundle cannot contain bundles", offset)
            elif key == "@id" and path and source.text.startswith('"', start):
                raw.own_name = source.value(start), offset
            else:
                source.value(start)
                near = len(self._document.unmapped) < _SUGGESTED
                self._leave((*path, key), _no_section(key, near=near), offset)
        return raw

    def _leave(self, path: tuple[str | int, ...], reason: str, offset: int) -> None:
        self._document.unmapped.add_part(UnreadPart(pointer(path), reason, *self._source.span(offset)))

    def _section(self, raw: _RawInstance, kind: Kind, key: str, position: int) -> None:
        source, entries, extension = self._source, raw.entries, key in _EXTENSIONS
        for name, offset, start in source.members(position):
            entries.append(_Record(kind, key, name, offset, start, source.value(start), extension))
            if len(entries) >= _BUFFERED and raw.records is not None:
                self._expand(raw, raw.records)

    def _prefixes(self, raw: _RawInstance, position: int) -> None:
        source = self._source
        for prefix, offset, start in source.members(position):
            iri = source.value(start)
            if type(iri) is not str:
                raise source.error(f"the namespace of prefix {prefix!r} must be a string", start)
            line, _ = source.span(offset)
            try:
                declared, remark = namespace("" if prefix == "default" else prefix, iri, base=self._base, line=line)
            except ValueError as error:
                raise source.error(str(error), offset) from None
            if remark:
                self._document.warnings.append(remark)
            if declared is not None:
                raw.prefixes["" if prefix == "default" else prefix] = declared

    def _bundles(self, raw: _RawInstance, position: int) -> None:
        source = self._source
        for name, offset, start in source.members(position):
            if source.text.startswith("[", start):
                for index, at in source.elements(start):
                    raw.bundles.append((name, offset, self._instance(at, ("bundle", name, index))))
            else:
                raw.bundles.append((name, offset, self._instance(start, ("bundle", name))))

    # --- statements

    def _statements(self, raw: _RawInstance, records: _Records) -> list[Statement]:
        self._expand(raw, records)
        return drop_unreferenced_identifiers(raw.statements)

    def _expand(self, raw: _RawInstance, records: _Records) -> None:
        """Make statements of the entries, and clear the entries."""
        for entry in raw.entries:
            span = self._at = self._source.span(entry.offset)
            several = isinstance(entry.value, list)
            unread: list[tuple[int, str | None, str]] = []
            for index, record in enumerate(entry.value if several else (entry.value,)):
                try:
                    raw.statements += records.read(entry.kind, entry.name, record, span, extension=entry.extension)
                except _ShapeError as error:
                    raise self._misshapen(raw, entry, (index, *error.path) if several else error.path, error) from None
                unread += [(index, key, reason) for key, reason in records.unread]
                records.unread.clear()
            if unread:
                self._unread((*raw.path, entry.section, entry.name), entry, unread)
        raw.entries.clear()

    def _unread(self, path: tuple[str | int, ...], entry: _Record, parts: list[tuple[int, str | None, str]]) -> None:
        """List parts of an entry that no statement stands for: index of the record, key, and reason."""
        several = isinstance(entry.value, list)
        starts = self._source.starts(entry.start) if several else [entry.start]
        keys: dict[int, dict[str, int]] = {}
        for index, key, reason in parts:
            if index not in keys:
                keys[index] = self._source.keys(starts[index])
            at = entry.offset if key is None else keys[index][key]
            self._leave((*path, *((index,) if several else ()), *(() if key is None else (key,))), reason, at)

    def _misshapen(
        self, raw: _RawInstance, entry: _Record, path: tuple[str | int, ...], error: _ShapeError
    ) -> ReadError:
        whole = pointer((*raw.path, entry.section, entry.name, *path))
        offset = self._source.locate(entry.start, path) if path else entry.offset
        return self._source.error(f"{error} (at {whole})", offset)


class _Records:
    """Makes statements of the records of one instance.

    Attributes:
        scope: the prefixes in effect.
        unread: the parts of records since it was last emptied that no statement stands for: the key, None for the
            name of the record, and the reason.
    """

    def __init__(self, scope: PrefixScope) -> None:
        self.scope = scope
        self.unread: list[tuple[str | None, str]] = []
        self._members: dict[Kind, dict[str, int | EntryForm | Identifier]] = {kind: {} for kind in KINDS.values()}

    def read(self, kind: Kind, name: str, record: Any, span: tuple[int, int], *, extension: bool) -> list[Statement]:
        """The statement of a record; more than one for a membership with several members.

        Args:
            kind: the kind of its section.
            name: its key.
            record: its value.
            span: its line and column.
            extension: whether it may have an identifier and attributes although its kind has none.
        """
        if type(record) is not dict:
            raise _ShapeError("a record must be an object")
        own: Identifier | None = None
        if kind.identified or (extension and not name.startswith("_:")):
            own = self._name(name)
        elif not name.startswith("_:"):
            # Git2PROV gives all relations names.
            self.unread.append((None, f"{kind.name} has no identifier in PROV-DM: the name is dropped"))
        args: list[Term] = [None] * len(kind.arguments)
        attributes: list[Attribute] = []
        members = self._members[kind]
        more: list[Term] = []
        entries: list[DictionaryEntry] = []
        for key, value in record.items():
            target = members.get(key)
            if target is None and extension:
                # ProvToolbox writes arguments of qualifiedHadMember without their prefix.
                target = _POSITIONS[kind].get(PROV + key)
            if target is None:
                if key.startswith(("@", "$")) or (":" not in key and "" not in self.scope.prefixes):
                    self.unread.append((key, "it has no prefix, and no default namespace is declared"))
                    continue
                target = members[key] = self._target(kind, key)
            if type(target) is int:
                if kind is MEMBERSHIP and target == 1 and type(value) is list and value:
                    # ProvToolbox writes one record for all members of a collection.
                    args[1], *more = [self._term(kind, 1, member, (key, i)) for i, member in enumerate(value)]
                else:
                    args[target] = self._term(kind, target, value, (key,))
            elif type(target) is EntryForm:
                entries = self._entries(target, value, key)
            elif type(value) is list:
                attributes += [(target, self._value(item, (key, i))) for i, item in enumerate(value)]  # type: ignore[misc]
            else:
                attributes.append((target, self._value(value, (key,))))  # type: ignore[arg-type]
        if attributes and not (kind.attributed or extension):
            raise _ShapeError(f"{kind.name} takes no attributes", self._first_attribute(kind, record))
        frozen = tuple(attributes)
        if kind is DICTIONARY_MEMBERSHIP and entries:
            return [
                Statement(kind, own, (args[0], entity), frozen, span, (DictionaryEntry(key),))
                for key, entity in entries
            ]
        result = [Statement(kind, own, tuple(args), frozen, span, tuple(dict.fromkeys(entries)))]
        return result + [Statement(kind, own, (args[0], member), frozen, span) for member in more] if more else result

    def _first_attribute(self, kind: Kind, record: dict[str, Any]) -> str:
        return next(key for key in record if isinstance(self._members[kind][key], Identifier))

    def _target(self, kind: Kind, key: str) -> int | EntryForm | Identifier:
        """The meaning of a member: an argument by its index, the entries, or an attribute by its name."""
        name = self._name(key, key)
        if kind.entries is not None and name == _ENTRIES[kind.entries]:
            return kind.entries
        return _POSITIONS[kind].get(name, name)

    def _entries(self, shape: EntryForm, value: Any, name: str) -> list[DictionaryEntry]:
        if shape is EntryForm.KEYS:
            keys = value if type(value) is list else [value]
            return [DictionaryEntry(self._value(key, (name, index))) for index, key in enumerate(keys)]
        if type(value) is list:
            return [self._pair(shape, pair, (name, index)) for index, pair in enumerate(value)]
        if type(value) is not dict:
            raise _ShapeError("a set of keys and entities must be an array or an object", name)
        # Keys of one datatype: {"$key-datatype": "xsd:int", "1": "ex:e1", "2": "ex:e2"}
        datatype, _ = self._string(value.get(_KEY_DATATYPE, "xsd:string"), _KEY_DATATYPE, (name, _KEY_DATATYPE))
        meant = self._name(datatype, name, _KEY_DATATYPE)
        return [
            DictionaryEntry(
                self._name(key, name, key) if meant in (PROV_QUALIFIED_NAME, XSD_QNAME) else Literal(key, meant),
                self._reference(entity, "an entity under a key", (name, key)),
            )
            for key, entity in value.items()
            if key != _KEY_DATATYPE
        ]

    def _pair(self, shape: EntryForm, pair: Any, path: tuple[str | int, ...]) -> DictionaryEntry:
        # The checks report a missing entity, as any missing argument.
        if type(pair) is not dict or (
            sorted(pair) != ["$", "key"] and not (shape is EntryForm.KEY and [*pair] == ["key"])
        ):
            raise _ShapeError('a key and its entity are written {"key": …, "$": …}', *path)
        key = self._value(pair["key"], (*path, "key"))
        return DictionaryEntry(
            key, self._reference(pair["$"], "an entity under a key", (*path, "$")) if "$" in pair else None
        )

    def _name(self, name: str, *path: str | int) -> Identifier:
        identifier = self.scope.expand(name)
        if identifier is None:
            raise _ShapeError(_undeclared(name), *path)
        return identifier

    def _term(self, kind: Kind, position: int, value: Any, path: tuple[str | int, ...]) -> Term:
        argument = kind.arguments[position]
        if type(value) is str:
            return value if argument.time else self._name(value, *path)
        what = f"{argument.name} of {kind.name}"
        return self._string(value, what, path)[0] if argument.time else self._reference(value, what, path)

    def _reference(self, value: Any, what: str, path: tuple[str | int, ...]) -> Identifier:
        name, path = self._string(value, what, path)
        return self._name(name, *path)

    @staticmethod
    def _string(value: Any, what: str, path: tuple[str | int, ...]) -> tuple[str, tuple[str | int, ...]]:
        """A string, which may be the only element of an array or a typed value; and its path."""
        if type(value) is list and len(value) == 1:
            value, path = value[0], (*path, 0)
        if type(value) is dict and type(value.get("$")) is str:
            value = value["$"]
        if type(value) is not str:
            raise _ShapeError(f"{what} must be a string", *path)
        return value, path

    def _value(self, value: Any, path: tuple[str | int, ...]) -> Value:
        shape = type(value)
        if shape is str:
            return Literal(value)
        if shape is dict:
            return self._typed(value, path)
        if shape is Integer:
            return Literal(str(value), _XSD_INT)
        if shape is Real:
            return Literal(str(value), _XSD_DOUBLE)
        if shape is bool:
            return Literal(_boolean(value), _XSD_BOOLEAN)
        what = "null" if value is None else "an array in an array"
        raise _ShapeError(f'a value must be a string, number, boolean or {{"$": …, "type": …}}, not {what}', *path)

    def _typed(self, value: dict[str, Any], path: tuple[str | int, ...]) -> Value:
        lexical, datatype, language = value.get("$"), value.get("type"), value.get("lang")
        if type(lexical) is bool:
            lexical = _boolean(lexical)
        if not isinstance(lexical, str):
            raise _ShapeError('a typed value needs its text under "$"', *path)
        if len(value) != 1 + ("type" in value) + ("lang" in value):
            extra = next(key for key in value if key not in ("$", "type", "lang"))
            raise _ShapeError(f'a typed value has "$", "type" and "lang", but not {extra!r}', *path, extra)
        for key, part in (("type", datatype), ("lang", language)):
            if part is not None and type(part) is not str:
                raise _ShapeError(f"{key!r} must be a string", *path, key)
        name = None if datatype is None else self._name(datatype, *path, "type")
        if name in (PROV_QUALIFIED_NAME, XSD_QNAME):
            return self._name(lexical, *path, "$")
        if language is not None:
            if name not in (None, PROV_INTERNATIONALIZED_STRING, RDF_LANG_STRING, XSD + "string"):
                raise _ShapeError("a string with a language cannot have another datatype", *path, "type")
            return text(str(lexical), language)
        return Literal(str(lexical)) if name is None else Literal(str(lexical), name)


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _undeclared(name: str) -> str:
    prefix, colon, _ = name.partition(":")
    if colon:
        return f"the prefix {prefix!r} of {name!r} is not declared"
    return f"{name!r} has no prefix, and no default namespace is declared"


def _no_section(key: str, *, near: bool) -> str:
    """Why a member of a document or bundle is not read; ``near``: whether to search for a section of similar name."""
    if key.startswith("@"):
        return "it is a keyword of JSON-LD, and this is read as PROV-JSON"
    if ":" in key:
        return "it is an extension of PROV-JSON that this version does not read"
    meant = get_close_matches(key[:100], SECTIONS, 1, 0.7) if near else []
    return "PROV-JSON has no section of this name" + (f"; {meant[0]!r} is meant, perhaps" if meant else "")
