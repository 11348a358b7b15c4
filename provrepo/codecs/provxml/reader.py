"""The reader of PROV-XML (https://www.w3.org/TR/prov-xml/).

Beyond the Recommendation's schema it reads what programs write:

* the element of a subtype (``prov:person``, ``prov:wasRevisionOf`` …) is the statement of its base kind with that
  ``prov:type``, as in PROV-N;
* a ``prov:bundle`` that contains statements is a bundle, and a ``prov:hadMember`` with several entities is several
  statements;
* ``xsd`` is the namespace of XML Schema with the ``#`` of PROV-N, PROV-JSON and RDF, or without it as in XML;
* names that are not NCNames may be escaped (see ``names``) or not;
* a QName value that cannot be resolved stays a literal.

Content that is not PROV-DM (``prov:other``, elements and XML attributes of other vocabularies, text between elements)
is listed in ``Document.unmapped``. Text is kept exactly, except around names and times, where XML Schema collapses
white space.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from lxml import etree

from provrepo.codecs.anonymous import drop_unreferenced_identifiers
from provrepo.codecs.guards import MAX_PREFIXES
from provrepo.codecs.names import RESERVED, PrefixScope, namespace, repair
from provrepo.codecs.provxml.elements import Element, Leftovers, markup, parts, shown
from provrepo.codecs.provxml.names import argument_names, toolbox_escaped, toolbox_unescape, unescape
from provrepo.errors import ReadError
from provrepo.model.document import Bundle, Document, ReaderWarning
from provrepo.model.identifiers import Identifier, Literal, Value, is_blank, text
from provrepo.model.statements import (
    AGENT,
    DERIVATION,
    DICTIONARY_MEMBERSHIP,
    ENTITY,
    KINDS,
    MEMBERSHIP,
    Attribute,
    DictionaryEntry,
    EntryForm,
    Kind,
    Statement,
    Term,
)
from provrepo.vocab import (
    PROV,
    PROV_INTERNATIONALIZED_STRING,
    PROV_QUALIFIED_NAME,
    PROV_TYPE,
    RDF,
    RDF_LANG_STRING,
    XSD,
    XSD_QNAME,
    XSD_STRING,
    XSI,
)

__all__ = ["read"]

_P = f"{{{PROV}}}"
_DOCUMENT = _P + "document"
_BUNDLE_CONTENT = _P + "bundleContent"
_BUNDLE = _P + "bundle"
_ID = _P + "id"
_REF = _P + "ref"
_XSI_TYPE = f"{{{XSI}}}type"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_XML_LITERAL = RDF + "XMLLiteral"
_TYPE_NAME = Identifier(PROV_TYPE)
_STRINGS = (None, XSD_STRING, PROV_INTERNATIONALIZED_STRING, RDF_LANG_STRING)
"""Datatypes beside which a language tag is part of the value."""
_NAMES = (XSD_QNAME, PROV_QUALIFIED_NAME)

_SUBTYPES: dict[str, tuple[Kind, str]] = {
    "person": (AGENT, "Person"),
    "organization": (AGENT, "Organization"),
    "softwareAgent": (AGENT, "SoftwareAgent"),
    "plan": (ENTITY, "Plan"),
    "collection": (ENTITY, "Collection"),
    "emptyCollection": (ENTITY, "EmptyCollection"),
    "dictionary": (ENTITY, "Dictionary"),
    "emptyDictionary": (ENTITY, "EmptyDictionary"),
    "bundle": (ENTITY, "Bundle"),
    "wasRevisionOf": (DERIVATION, "Revision"),
    "wasQuotedFrom": (DERIVATION, "Quotation"),
    "hadPrimarySource": (DERIVATION, "PrimarySource"),
}
_STATEMENTS: dict[str, tuple[Kind, Identifier | None]] = {
    **{_P + name: (kind, None) for name, kind in KINDS.items()},
    **{_P + name: (kind, Identifier(PROV + type_)) for name, (kind, type_) in _SUBTYPES.items()},
}
_ARGUMENTS: dict[str, dict[str, tuple[int, bool]]] = {
    name: {_P + spelled: (index, kind.arguments[index].time) for index, spelled in enumerate(argument_names(kind))}
    for name, kind in KINDS.items()
}
_KEY = _P + "key"
_ENTITY = _P + "entity"
_PAIR = _P + "keyEntityPair"
_ENTRIES = {None: None, EntryForm.PAIRS: _PAIR, EntryForm.KEYS: _KEY, EntryForm.KEY: _PAIR}
"""The element of an entry."""
_STANDALONE = re.compile(rb"<\?xml\b[^>]*\bstandalone\s*=\s*[\"']yes[\"']")


def read(data: bytes, *, format: str = "provxml", base: str | None = None) -> Document:  # noqa: A002
    """A PROV-XML document.

    Args:
        data: the XML as UTF-8.
        format: the name for errors.
        base: the IRI against which relative namespace names are resolved.

    Raises:
        ReadError: not well-formed, a DOCTYPE, not PROV-XML, or a name without a namespace.
    """
    return _ProvXmlReader(data, format, base).read()


class _ProvXmlReader:
    """Reads one document, a statement at a time: only that statement's elements are kept in memory."""

    def __init__(self, data: bytes, format: str, base: str | None) -> None:  # noqa: A002
        self._data = data
        self._format = format
        self._base = base
        self._document = Document(format=format)
        self._scope = PrefixScope({})
        self._leftovers = Leftovers(self._document.unmapped)
        # The current element, for warnings about its names.
        self._at: Element = None
        self._local_names: dict[str, Identifier] = {}
        # Element of the current member → the namespaces that it declares itself; lxml has only all that are in scope.
        self._declarations: dict[Element, list[tuple[str, str]]] = {}
        self._escaped = _STANDALONE.match(data, 0, 200) is not None and toolbox_escaped(self._every_local_name())

    def read(self) -> Document:
        document = self._document
        depth = 0
        declared: list[tuple[str, str]] = []
        for event, item in self._events(("start-ns", "start", "end")):
            if event == "start-ns":
                declared.append(item)
            elif event == "start":
                depth += 1
                if depth == 1:
                    self._root(item, declared)
                elif declared:
                    self._declarations[item] = declared
                if declared:
                    declared = []
            else:
                depth -= 1
                if depth == 1:
                    self._member(item)
                    self._declarations.clear()
                    item.clear(keep_tail=True)
                elif depth == 0:
                    self._leftovers.text(item)
        document.statements = drop_unreferenced_identifiers(document.statements)
        document.warnings += self._scope.remarks(None)
        return document

    def _events(self, events: tuple[str, ...]) -> Iterator[tuple[str, Element]]:
        parser = etree.iterparse(
            io.BytesIO(self._data),
            events=events,
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        try:
            yield from parser
        except etree.XMLSyntaxError:
            # For libxml2 a namespace name that is an IRI and not a URI is an error, raised at the end of the text.
            # The exception has the errors of the whole thread; the parser's log has only its own.
            logged = [entry for entry in parser.error_log if entry.level > etree.ErrorLevels.WARNING]
            errors = [entry for entry in logged if entry.type != etree.ErrorTypes.WAR_NS_URI]
            if errors:
                raise self._syntax_error(errors[0].message, errors[0].line, errors[0].column) from None
            if not logged:
                raise self._syntax_error("there is no element in it") from None
        except LookupError as error:
            raise self._syntax_error(f"unknown encoding: {error}") from None

    def _syntax_error(self, message: str, line: int | None = None, column: int | None = None) -> ReadError:
        return ReadError(f"not well-formed XML: {message.strip()}", line=line, column=column, format=self._format)

    def _error(self, element: Element, message: str) -> ReadError:
        return ReadError(message, line=element.sourceline, format=self._format)

    def _here(self) -> tuple[int, int | None] | None:
        return None if self._at is None else (self._at.sourceline, None)

    def _warn(self, element: Element, message: str) -> None:
        self._document.warnings.append(ReaderWarning(message, element.sourceline))

    # --- structure ---------------------------------------------------------------------------------------------

    def _root(self, root: Element, declared: list[tuple[str, str]]) -> None:
        if root.getroottree().docinfo.internalDTD is not None:
            raise ReadError(
                "a document type declaration (<!DOCTYPE …>) is not read: remove it", line=1, format=self._format
            )
        if root.tag != _DOCUMENT:
            raise self._error(root, f"the root element is {shown(root)} and not document of <{PROV}>")
        prefixes = self._declared(root, declared)
        self._limit(root, prefixes)
        self._scope = PrefixScope(prefixes, place=self._here)
        self._leftovers.attributes(root)
        self._document.prefixes = {p: n for p, n in prefixes.items() if RESERVED.get(p) != n}

    def _member(self, element: Element) -> None:
        """Read a child of the document: a bundle, or a child that a bundle may have too."""
        tag = element.tag
        if tag == _BUNDLE_CONTENT:
            self._bundle(element)
        elif tag == _BUNDLE and any(child.tag in _STATEMENTS for child in element):
            self._warn(element, "a prov:bundle that contains statements is read as prov:bundleContent")
            self._bundle(element)
        else:
            self._described(element, self._document.statements, self._scope, self._document.prefixes)

    def _bundle(self, element: Element) -> None:
        prefixes: dict[str, str] = {}
        scope = self._inner(element, self._scope, prefixes)
        name = element.get(_ID)
        if name is None:
            raise self._no_identifier(element)
        self._leftovers.attributes(element, (_ID,))
        bundle = Bundle(self._identifier(name, element, scope), prefixes=prefixes)
        self._document.bundles.append(bundle)
        self._leftovers.text(element)
        for child in element:
            if child.tag == _BUNDLE_CONTENT:
                raise self._error(child, "a bundle within a bundle: PROV-DM has none (section 5.4)")
            self._described(child, bundle.statements, scope, prefixes)
        bundle.statements = drop_unreferenced_identifiers(bundle.statements)

    def _described(
        self, element: Element, statements: list[Statement], scope: PrefixScope, prefixes: dict[str, str]
    ) -> None:
        """Read an element that may be a statement, into ``statements``."""
        known = _STATEMENTS.get(element.tag)
        if known is not None:
            scope = self._inner(element, scope, prefixes)
            statements += self._statement(element, *known, scope, prefixes)
        else:
            self._leftovers.element(element)

    # --- namespaces and names ------------------------------------------------------------------------------------

    def _declared(self, element: Element, declarations: list[tuple[str, str]]) -> dict[str, str]:
        """The namespaces that an element declares, without those of XML itself."""
        prefixes: dict[str, str] = {}
        for prefix, declared in declarations:
            if declared == XSI or not declared:
                continue
            iri = XSD if declared + "#" == XSD else declared
            if prefix in RESERVED:
                prefixes[prefix] = iri
                continue
            try:
                meant, warned = namespace(prefix, iri, base=self._base, line=element.sourceline)
            except ValueError as error:
                raise self._error(element, str(error)) from None
            if warned is not None:
                self._document.warnings.append(warned)
            if meant is not None:
                prefixes[prefix] = meant
        return prefixes

    def _inner(self, element: Element, outer: PrefixScope, prefixes: dict[str, str]) -> PrefixScope:
        """The scope at an element; its declarations beyond ``outer`` are added to ``prefixes``."""
        declarations = self._declarations.get(element)
        if declarations is None:
            return outer
        own = {p: n for p, n in self._declared(element, declarations).items() if outer.prefixes.get(p) != n}
        if not own:
            return outer
        for prefix, iri in own.items():
            prefixes.setdefault(prefix, iri)
        self._limit(element, prefixes)
        return PrefixScope(own, outer)

    def _limit(self, element: Element, prefixes: dict[str, str]) -> None:
        if len(prefixes) > MAX_PREFIXES:
            raise self._error(element, f"more than {MAX_PREFIXES} namespaces are declared")

    def _resolve(self, name: str, scope: PrefixScope) -> Identifier | None:
        """The IRI of a QName; None if its prefix, or a default namespace, is not declared."""
        if not self._escaped or is_blank(name):
            return scope.expand(name)
        prefix, colon, local = name.partition(":")
        return scope.join(prefix, toolbox_unescape(local)) if colon else scope.join("", toolbox_unescape(name))

    def _identifier(self, name: str, element: Element, scope: PrefixScope) -> Identifier:
        name = name.strip()
        self._at = element
        found = self._resolve(name, scope) if name else None
        if found is not None:
            return found
        prefix, colon, _ = name.partition(":")
        what = f"the prefix {prefix!r} of {name!r} is not declared" if colon else f"{name!r} has no prefix"
        raise self._error(element, f"{shown(element)}: {what}" + ("" if colon else " and no namespace is the default"))

    def _attribute_name(self, element: Element) -> Identifier:
        """The IRI that an element's name stands for."""
        tag = element.tag
        known = self._local_names.get(tag)
        if known is None:
            iri, spelled = parts(tag)
            local = toolbox_unescape(spelled) if self._escaped else unescape(spelled)
            joined = (XSD if iri + "#" == XSD else iri) + local
            known = self._local_names[tag] = Identifier(repair(joined))
            if known != joined:
                self._scope.repaired.append((joined, known, (element.sourceline, None)))
        return known

    def _every_local_name(self) -> Iterator[str]:
        """The local names of identifiers and attributes, as spelled."""
        for _, element in self._events(("end",)):
            if not element.tag.startswith(_P):
                yield parts(element.tag)[1]
            names = [element.get(_ID), element.get(_REF)]
            if element.get(_XSI_TYPE, "").endswith(":QName"):
                names.append(element.text)
            for name in names:
                if name is not None:
                    prefix, colon, local = name.strip().partition(":")
                    yield local if colon else prefix
            element.clear(keep_tail=True)

    # --- statements ----------------------------------------------------------------------------------------------

    def _statement(
        self, element: Element, kind: Kind, subtype: Identifier | None, scope: PrefixScope, prefixes: dict[str, str]
    ) -> list[Statement]:
        name, types = self._head(element, kind, scope)
        if subtype is not None:
            types.append(subtype)
        typed: list[Attribute] = [(_TYPE_NAME, type_) for type_ in types]
        attributes: dict[Attribute, None] = {}
        args: list[Term] = [None] * len(kind.arguments)
        members: list[Term] = []
        entries: list[tuple[Value | None, Identifier | None]] = []
        positions, entry = _ARGUMENTS[kind.name], _ENTRIES[kind.entries]
        self._leftovers.text(element)
        for child in element:
            inner = self._inner(child, scope, prefixes)
            position = positions.get(child.tag)
            if position is None:
                if child.tag == entry:
                    entries.append(self._entry(child, kind, inner, prefixes))
                    continue
                if not child.tag.startswith("{"):
                    self._leftovers.element(child)
                    continue
                attributes[self._attribute(child, inner)] = None
                continue
            index, time = position
            value = self._instant(child) if time else self._reference(child, inner)
            if args[index] is None:
                args[index] = value
            elif kind is MEMBERSHIP and index == 1:
                members.append(value)
            else:
                raise self._error(child, f"a second {shown(child)} in {shown(element)}")
        span = (element.sourceline, 1)
        known = set(typed)
        frozen = (*typed, *(attribute for attribute in attributes if attribute not in known))
        if kind is DICTIONARY_MEMBERSHIP and entries:
            return [
                Statement(kind, name, (args[0], entity), frozen, span, () if key is None else (DictionaryEntry(key),))
                for key, entity in entries
            ]
        keyed = dict.fromkeys(DictionaryEntry(key, entity) for key, entity in entries if key is not None)
        first = Statement(kind, name, tuple(args), frozen, span, tuple(keyed))
        return [first, *(Statement(kind, name, (args[0], member), frozen, span) for member in members)]

    def _entry(
        self, element: Element, kind: Kind, scope: PrefixScope, prefixes: dict[str, str]
    ) -> tuple[Value | None, Identifier | None]:
        """The key of a removal, or the key and entity of a ``prov:keyEntityPair``."""
        if element.tag == _KEY:
            return self._attribute(element, scope)[1], None
        key: Value | None = None
        entity: Identifier | None = None
        for child in element:
            inner = self._inner(child, scope, prefixes)
            if child.tag == _KEY and key is None:
                key = self._attribute(child, inner)[1]
            elif child.tag == _ENTITY and entity is None:
                entity = self._reference(child, inner)
            else:
                raise self._error(child, f"{shown(element)} takes one prov:key and one prov:entity")
        self._leftovers.text(element)
        self._leftovers.attributes(element)
        # The checks report a missing key or entity of a member, as any missing argument.
        if kind is not DICTIONARY_MEMBERSHIP and (key is None or entity is None):
            raise self._error(element, f"{shown(element)} takes one prov:key and one prov:entity")
        return key, entity

    def _head(self, element: Element, kind: Kind, scope: PrefixScope) -> tuple[Identifier | None, list[Identifier]]:
        """The identifier of a statement, and its types by ``xsi:type``."""
        name: Identifier | None = None
        types: list[Identifier] = []
        for key, value in element.items():
            if key == _ID:
                name = self._identifier(value, element, scope)
            elif key == _XSI_TYPE:
                types.append(self._identifier(value, element, scope))
        self._leftovers.attributes(element, (_ID, _XSI_TYPE))
        if name is None and kind.element:
            raise self._no_identifier(element)
        return name, types

    def _no_identifier(self, element: Element) -> ReadError:
        hint = "; its attribute id has no prefix and is in no namespace" if element.get("id") is not None else ""
        return self._error(element, f'{shown(element)} has no prov:id{hint}: write prov:id="prefix:name"')

    def _instant(self, element: Element) -> str | None:
        # An ``xsi:type`` adds nothing: every time is an xsd:dateTime.
        self._leftovers.attributes(element, (_XSI_TYPE,))
        for child in element:
            self._leftovers.element(child)
        instant = (element.text or "").strip()
        if not instant:
            self._warn(element, f"{shown(element)} is empty: read as absent")
        return instant or None

    def _reference(self, element: Element, scope: PrefixScope) -> Identifier | None:
        name = element.get(_REF)
        self._leftovers.attributes(element, (_REF,))
        if name is not None:
            self._leftovers.children(element)
            return self._identifier(name, element, scope)
        # Some versions of ProvToolbox wrap a member in an element of the same name.
        if len(element) == 1 and element[0].get(_REF) is not None:
            self._warn(element, f"{shown(element)} has its prov:ref on an element within it")
            return self._identifier(element[0].get(_REF), element, scope)
        name = (element.text or "").strip()
        if name:
            self._warn(element, f"{shown(element)} has a name as its text and not as prov:ref")
            return self._identifier(name, element, scope)
        self._warn(element, f"{shown(element)} has no prov:ref: read as absent")
        return None

    # --- attributes ----------------------------------------------------------------------------------------------

    def _attribute(self, element: Element, scope: PrefixScope) -> Attribute:
        name = self._attribute_name(element)
        datatype: str | None = None
        language: str | None = None
        reference: Identifier | None = None
        for key, value in element.items():
            if key == _XSI_TYPE:
                datatype = self._identifier(value, element, scope)
            elif key == _XML_LANG:
                language = value or None
            elif key == _REF:
                reference = self._identifier(value, element, scope)
        self._leftovers.attributes(element, (_XSI_TYPE, _XML_LANG, _REF))
        if reference is not None:
            self._leftovers.children(element)
            return name, reference
        return name, self._value(element, datatype, language, scope)

    def _value(self, element: Element, datatype: str | None, language: str | None, scope: PrefixScope) -> Value:
        if len(element):
            if datatype != _XML_LITERAL:
                self._warn(element, f"{shown(element)} contains elements: read as an XML literal")
            return Literal(markup(element), _XML_LITERAL)
        lexical = element.text or ""
        if datatype in _NAMES:
            found = self._resolve(lexical.strip(), scope) if lexical.strip() else None
            if found is not None:
                return found
            self._warn(element, f"{lexical!r} has no declared namespace: kept as text of type xsd:QName")
        if language is not None:
            if datatype in _STRINGS:
                return text(lexical, language)
            self._warn(element, f"the language {language!r} has no meaning for a value of type <{datatype}>")
        return Literal(lexical, datatype or XSD_STRING)
