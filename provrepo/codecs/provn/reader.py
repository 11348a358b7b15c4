"""Reading PROV-N: a parser without recursion, so that no input can exhaust the stack."""

from __future__ import annotations

import re
from difflib import get_close_matches

from provrepo.codecs.anonymous import drop_unreferenced_identifiers
from provrepo.codecs.guards import decode
from provrepo.codecs.names import PrefixScope, namespace
from provrepo.codecs.provext import EXTENDED, remark
from provrepo.codecs.provn import extensions
from provrepo.codecs.provn.lexer import PREFIX, READ_LOCAL, TIME, Lexer, unescape_local, unescape_string
from provrepo.errors import ReadError
from provrepo.model.document import Bundle, Document, ReaderWarning
from provrepo.model.identifiers import Identifier, Literal, Value, text
from provrepo.model.statements import (
    DICTIONARY_MEMBERSHIP,
    INSERTION,
    KINDS,
    MENTION,
    REMOVAL,
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
    RDF_LANG_STRING,
    XSD,
    XSD_QNAME,
    XSD_STRING,
)

__all__ = ["read"]

_INTEGER = re.compile(r"[+-]?[0-9]+")
_STRINGS = (XSD_STRING, RDF_LANG_STRING, PROV_INTERNATIONALIZED_STRING)
"""Datatypes that may stand beside a language tag: ProvToolbox writes ``"a"@en %% xsd:string``."""
_NAME = re.compile(r"(?:([^:\\]*):)?(.*)", re.DOTALL)
_XSD_INT = XSD + "int"
_NOTES = {PROV + kind.name: kind for kind in (MENTION, INSERTION, REMOVAL, DICTIONARY_MEMBERSHIP)}
"""The statements that PROV-Links and PROV-Dictionary add to PROV-N; their keywords are prefixed names."""
_STATEMENTS = {**KINDS, **{f"prov:{kind.name}": kind for kind in _NOTES.values()}}

_ENTRIES = {EntryForm.PAIRS: "{(key, entity), …}", EntryForm.KEYS: "{key, …}", EntryForm.KEY: "key"}


def read(data: bytes, *, format: str, base: str | None) -> Document:  # noqa: A002
    """Read PROV-N.

    Also read, with a warning in ``Document.warnings``: a text without ``document … endDocument``, the
    draft's ``bundle … endBundle`` around a whole document, reserved prefixes declared as something else, and
    ProvToolbox's ``provext:`` statements.

    Args:
        data: UTF-8 text.
        format: the name for errors.
        base: the IRI against which relative namespace IRIs are resolved.

    Raises:
        ReadError: with line and column.
    """
    return _Parser(decode(data, format), base).document()


class _Parser:
    def __init__(self, source: str, base: str | None) -> None:
        self.lexer = Lexer(source)
        self._base = base
        self._document = Document()
        self._outer = self._scope = PrefixScope({}, place=self.lexer.span)
        self._names: dict[str, Identifier] = {}

    # --- documents and bundles

    def document(self) -> Document:
        lexer, document = self.lexer, self._document
        end = self._opening()
        while not self._is_word(end) and lexer.kind != "end":
            if self._is_word("bundle"):
                document.bundles.append(self._bundle())
            else:
                self._item(document)
        if end:
            if not self._is_word(end):
                raise lexer.error(f"the text ends without {end!r}: it may have been cut off")
            lexer.advance()
        if lexer.kind != "end":
            raise lexer.error(f"nothing may follow {end!r}, but here is {lexer.shown()}")
        document.statements = drop_unreferenced_identifiers(document.statements)
        if lexer.first_broken is not None:
            message = 'a string in one quotation mark has a line break (only """ strings may): read as it stands'
            document.warnings.append(ReaderWarning(message, *lexer.first_broken))
        document.warnings += self._outer.remarks(None)
        return document

    def _opening(self) -> str:
        """Skip the opening of the document; returns the keyword that must end it, or the empty string."""
        lexer = self.lexer
        if self._is_word("document"):
            lexer.advance()
            return "endDocument"
        if lexer.kind == "end":
            raise lexer.error("there is nothing in this text: PROV-N begins with 'document'")
        line, _ = lexer.span()
        if self._is_word("bundle"):
            ahead = lexer.ahead()
            if ahead in ("prefix", "default", "bundle"):
                lexer.advance()
                self._warn("'bundle' without an identifier, as drafts of PROV-N had it: read as 'document'", line)
                return "endBundle"
        self._warn("there is no 'document … endDocument' around the statements: read as a document", line)
        return ""

    def _bundle(self) -> Bundle:
        """A bundle; its own declarations override those of the document in its identifier (example 60)."""
        lexer = self.lexer
        line, _ = lexer.span()
        lexer.advance()
        if lexer.kind != "word":
            raise lexer.error(f"a bundle needs an identifier, but here is {lexer.shown()}")
        word, named = lexer.value, lexer.start
        lexer.advance()
        bundle = Bundle()
        self._enter(PrefixScope({}, self._outer))
        while self._declares():
            self._declaration(bundle.prefixes)
        bundle.id = self._resolve(word, named)
        while not self._is_word("endBundle"):
            if lexer.kind == "end" or self._is_word("bundle") or self._is_word("endDocument"):
                raise lexer.error(f"the bundle that begins on line {line} has no 'endBundle' before {lexer.shown()}")
            self._item(bundle)
        lexer.advance()
        if bundle.id is None:
            # In the grammar declarations precede statements. The identifier may need those that do not.
            bundle.id = self._resolve(word, named)
            if bundle.id is None:
                raise self._undeclared(word, named)
        self._enter(self._outer)
        bundle.statements = drop_unreferenced_identifiers(bundle.statements)
        return bundle

    def _declares(self) -> bool:
        """Whether a declaration begins here, and not a statement with that keyword."""
        lexer = self.lexer
        return lexer.kind == "word" and lexer.value in ("prefix", "default") and lexer.ahead() != "("

    def _item(self, instance: Bundle | Document) -> None:
        lexer = self.lexer
        if lexer.kind != "word":
            raise lexer.error(f"expected a statement, but here is {lexer.shown()}")
        kind = _STATEMENTS.get(lexer.value)
        if kind is not None:
            instance.statements.append(self._statement(kind))
        elif self._declares():
            self._declaration(instance.prefixes)
        elif lexer.value in EXTENDED:
            self._document.warnings.append(remark(lexer.value, lexer.span()[0]))
            instance.statements.append(self._statement(EXTENDED[lexer.value], extension=True))
        elif ":" in lexer.value and lexer.ahead() == "(":
            self._extension(instance)
        else:
            raise self._unsupported()

    def _extension(self, instance: Bundle | Document) -> None:
        """A statement that extends PROV-N, or one in ``_NOTES`` with another prefix than ``prov``."""
        keyword = self.lexer.value
        kind = _NOTES.get(self.identifier(keyword))
        if kind is not None:
            instance.statements.append(self._statement(kind))
            return
        extension = extensions.read(self)
        instance.extensions.append(extension)
        self._document.unmapped.add_part(extensions.unread(extension, keyword))

    def _declaration(self, prefixes: dict[str, str]) -> None:
        lexer = self.lexer
        line, _ = lexer.span()
        prefix = ""
        if lexer.value == "prefix":
            lexer.advance()
            prefix = lexer.value
            if lexer.kind != "word" or not PREFIX.fullmatch(prefix):
                raise lexer.error(f"expected a prefix, but here is {lexer.shown()}")
        lexer.advance()
        if lexer.kind != "iri":
            raise lexer.error(f"expected a namespace as <IRI>, but here is {lexer.shown()}")
        try:
            declared, remark = namespace(prefix, lexer.value, base=self._base, line=line)
        except ValueError as error:
            raise lexer.error(str(error)) from None
        lexer.advance()
        if remark:
            self._document.warnings.append(remark)
        if declared is not None and prefixes.get(prefix, declared) != declared:
            shown = f"the prefix {prefix!r}" if prefix else "the default namespace"
            self._warn(f"{shown} is declared again with another namespace, which names after it use", line)
        if declared is not None and self._scope.prefixes.get(prefix) != declared:
            prefixes[prefix] = self._scope.prefixes[prefix] = declared
            self._names.clear()

    # --- statements

    def _statement(self, kind: Kind, *, extension: bool = False) -> Statement:
        lexer = self.lexer
        span = lexer.span()
        lexer.advance()
        self._expect("(")
        arguments = kind.arguments
        own: Identifier | None = None
        named = kind.element
        args: list[Term] = []
        entries: tuple[DictionaryEntry, ...] | None = None
        if kind.element:
            own = self._own(kind)
        attributes: tuple[Attribute, ...] = ()
        separated = not kind.element
        while True:
            if separated:
                if lexer.kind == "punctuation" and lexer.value == "[":
                    if not (kind.attributed or extension):
                        raise lexer.error(f"{kind.name} takes no attributes")
                    attributes = self.attributes()
                    self._expect(")")
                    break
                if len(args) < len(arguments):
                    args.append(self._term(kind, len(args)))
                elif kind.entries is not None and entries is None:
                    entries = self._entries(kind.entries)
                else:
                    raise lexer.error(self._arity(kind))
            mark = lexer.value if lexer.kind == "punctuation" else ""
            if mark == ",":
                separated = True
            elif mark == ")":
                lexer.advance()
                break
            elif mark == ";" and len(args) == 1 and not named:
                if not (kind.identified or extension):
                    raise lexer.error(f"{kind.name} has no identifier of its own")
                named = True
                first = args.pop()
                own = first if isinstance(first, Identifier) else None
            else:
                raise lexer.error(f"expected ',' or ')', but here is {lexer.shown()}")
            lexer.advance()
        missing = len(arguments) - len(args)
        if missing or (entries is None and kind.entries is EntryForm.KEY):
            if not missing or arguments[len(args)].required:
                raise ReadError(self._arity(kind), line=span[0], column=span[1], format="provn")
            args += [None] * missing
        return Statement(kind, own, tuple(args), attributes, span, entries or ())

    def _own(self, kind: Kind) -> Identifier:
        lexer = self.lexer
        if lexer.kind != "word" or lexer.value == "-":
            raise lexer.error(f"expected the identifier of the {kind.name}, but here is {lexer.shown()}")
        own = self._names.get(lexer.value) or self.identifier(lexer.value)
        lexer.advance()
        return own

    def _term(self, kind: Kind, position: int) -> Term:
        lexer = self.lexer
        word = lexer.value
        if lexer.kind != "word":
            what = "a time" if kind.arguments[position].time else "an identifier"
            raise lexer.error(f"expected {what} or '-', but here is {lexer.shown()}")
        term: Term
        if word == "-":
            term = None
        elif not kind.arguments[position].time:
            term = self._names.get(word) or self.identifier(word)
        elif TIME.fullmatch(word):
            term = word
        else:
            raise lexer.error(f"expected a time (xsd:dateTime) or '-', but here is {lexer.shown()}")
        lexer.advance()
        return term

    @staticmethod
    def _arity(kind: Kind) -> str:
        names = [a.name if a.required else f"{a.name}?" for a in kind.arguments]
        if kind.entries is not None:
            names.append(_ENTRIES[kind.entries])
        if not names:
            return f"{kind.name} takes an identifier only"
        return f"{kind.name} takes these arguments: {', '.join(names)}"

    # --- keys of dictionaries (PROV-Dictionary, #expression-dictionary-insertion and its like)

    def _entries(self, entries: EntryForm) -> tuple[DictionaryEntry, ...]:
        """The entries of a statement about a dictionary, its last argument; ``-`` stands for none."""
        lexer = self.lexer
        if self._is_word("-"):
            lexer.advance()
            return ()
        if entries is EntryForm.KEY:
            return (DictionaryEntry(self.value()),)
        self._expect("{")
        found: dict[DictionaryEntry, None] = {}
        if lexer.kind == "punctuation" and lexer.value == "}":
            lexer.advance()
            return ()
        while True:
            found[self._pair() if entries is EntryForm.PAIRS else DictionaryEntry(self.value())] = None
            if lexer.kind != "punctuation" or lexer.value not in (",", "}"):
                raise lexer.error(f"expected ',' or '}}', but here is {lexer.shown()}")
            last = lexer.value == "}"
            lexer.advance()
            if last:
                return tuple(found)

    def _pair(self) -> DictionaryEntry:
        lexer = self.lexer
        self._expect("(")
        key = self.value()
        self._expect(",")
        if lexer.kind != "word" or lexer.value == "-":
            raise lexer.error(f"expected the entity under the key, but here is {lexer.shown()}")
        entity = self._names.get(lexer.value) or self.identifier(lexer.value)
        lexer.advance()
        self._expect(")")
        return DictionaryEntry(key, entity)

    # --- attributes

    def attributes(self) -> tuple[Attribute, ...]:
        lexer = self.lexer
        lexer.advance()
        pairs: list[Attribute] = []
        if lexer.kind == "punctuation" and lexer.value == "]":
            lexer.advance()
            return ()
        while True:
            if lexer.kind != "word":
                raise lexer.error(f"expected an attribute's name, but here is {lexer.shown()}")
            attribute = self._names.get(lexer.value) or self.identifier(lexer.value)
            lexer.advance()
            self._expect("=")
            pairs.append((attribute, self.value()))
            if lexer.kind != "punctuation" or lexer.value not in (",", "]"):
                raise lexer.error(f"expected ',' or ']', but here is {lexer.shown()}")
            last = lexer.value == "]"
            lexer.advance()
            if last:
                return tuple(pairs)

    def value(self) -> Value:
        lexer = self.lexer
        value: Value
        if lexer.kind == "string":
            return self._literal()
        if lexer.kind == "name":
            value = self._names.get(lexer.value) or self.identifier(lexer.value)
        elif lexer.kind == "word" and _INTEGER.fullmatch(lexer.value):
            value = Literal(lexer.value, _XSD_INT)
        else:
            hint = "; a qualified name as a value stands in single quotes" if lexer.kind == "word" else ""
            raise lexer.error(f"expected a value, but here is {lexer.shown()}{hint}")
        lexer.advance()
        return value

    def _literal(self) -> Value:
        lexer = self.lexer
        try:
            lexical = unescape_string(lexer.value)
        except KeyError as error:
            raise lexer.error(
                f"'\\{error.args[0]}' is not an escape of PROV-N; a backslash itself is written '\\\\'"
            ) from None
        language = lexer.language()
        lexer.advance()
        if lexer.kind != "punctuation" or lexer.value != "%%":
            return text(lexical, language)
        lexer.advance()
        if lexer.kind != "word":
            raise lexer.error(f"expected a datatype after '%%', but here is {lexer.shown()}")
        datatype = self._names.get(lexer.value) or self.identifier(lexer.value)
        value: Value
        if datatype in (PROV_QUALIFIED_NAME, XSD_QNAME):
            value = self.identifier(lexical)
        elif language is None:
            value = Literal(lexical, str(datatype))
        elif datatype in _STRINGS:
            value = text(lexical, language)
        else:
            raise lexer.error(f"a string with the language @{language} cannot have another datatype")
        lexer.advance()
        return value

    # --- names

    def identifier(self, word: str) -> Identifier:
        known = self._names.get(word)
        if known is None:
            known = self._resolve(word)
            if known is None:
                raise self._undeclared(word)
            self._names[word] = known
        return known

    def _resolve(self, word: str, at: int | None = None) -> Identifier | None:
        """The IRI of a name as written; None if its prefix is not declared.

        Args:
            word: the name.
            at: the offset of a name that is not the current token, for errors.
        """
        prefix, local = self._split(word)
        if not READ_LOCAL.fullmatch(local) or (prefix is None and not local):
            raise self.lexer.error(f"{word!r} is not a qualified name", at)
        return self._scope.join(prefix or "", unescape_local(local))

    @staticmethod
    def _split(word: str) -> tuple[str | None, str]:
        match = _NAME.fullmatch(word)
        return (match[1], match[2]) if match else (None, word)

    def _undeclared(self, word: str, at: int | None = None) -> ReadError:
        prefix, _ = self._split(word)
        if prefix:
            return self.lexer.error(
                f"the prefix {prefix!r} of {word!r} is not declared; declare it: prefix {prefix} <IRI>", at
            )
        return self.lexer.error(f"{word!r} has no prefix, and no default namespace is declared", at)

    # --- tokens

    def _enter(self, scope: PrefixScope) -> None:
        self._scope = scope
        self._names = {}

    def _is_word(self, word: str) -> bool:
        return self.lexer.kind == "word" and self.lexer.value == word

    def _expect(self, mark: str) -> None:
        lexer = self.lexer
        if lexer.kind != "punctuation" or lexer.value != mark:
            raise lexer.error(f"expected {mark!r}, but here is {lexer.shown()}")
        lexer.advance()

    def _warn(self, message: str, line: int) -> None:
        self._document.warnings.append(ReaderWarning(message, line))

    def _unsupported(self) -> ReadError:
        lexer = self.lexer
        name = lexer.value
        if lexer.ahead() != "(":
            return lexer.error(f"expected a statement, but here is {lexer.shown()}")
        similar = get_close_matches(name, KINDS, 1)
        hint = f"did you mean {similar[0]}?" if similar else f"there are: {', '.join(KINDS)}"
        return lexer.error(f"{name!r} is not a statement of PROV-N, and extensions have a prefix; {hint}")
