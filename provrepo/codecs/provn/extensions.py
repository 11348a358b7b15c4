"""Reading statements that extend PROV-N (production ``extensibilityExpression``), without recursion."""

from __future__ import annotations

import re
from typing import Protocol, cast

from provrepo.codecs.guards import MAX_DEPTH
from provrepo.codecs.provn.lexer import Lexer
from provrepo.model.document import UnreadPart
from provrepo.model.extensions import ArgumentGroup, Extension, ExtensionArgument
from provrepo.model.identifiers import Identifier, Literal, Value
from provrepo.model.statements import Attribute, Span
from provrepo.vocab import PROV, PROV_QUALIFIED_NAME

__all__ = ["read", "unread"]

_BRACKETS = {"(": "()", "{": "{}"}
_INTEGER = re.compile(r"[+-]?[0-9]+")
_INSTANT = re.compile(r"-?[0-9]{4,}-[0-9]{2}-[0-9]{2}T\S+")


class Parser(Protocol):
    """The methods of the PROV-N parser that this module uses."""

    @property
    def lexer(self) -> Lexer:
        """The lexer."""

    def identifier(self, word: str) -> Identifier:
        """The IRI of a name. Raises ReadError if its prefix is not declared."""

    def value(self) -> Value:
        """The value at the current token."""

    def attributes(self) -> tuple[Attribute, ...]:
        """The attributes in brackets at the current token."""


class _Frame:
    """A statement or group that is not closed yet."""

    __slots__ = ("attributes", "brackets", "head", "id", "items", "named", "span")

    def __init__(self, head: Identifier | None, brackets: str, span: Span) -> None:
        self.head = head
        self.brackets = brackets
        self.span = span
        self.id: Identifier | None = None
        self.named = False
        self.items: list[ExtensionArgument] = []
        self.attributes: tuple[Attribute, ...] | None = None

    def closed(self) -> Extension | ArgumentGroup:
        if self.head is None:
            return ArgumentGroup(self.brackets, tuple(self.items))
        return Extension(self.head, self.id, tuple(self.items), self.attributes or (), self.span)


def read(parser: Parser) -> Extension:
    """The statement that begins at the current token, a prefixed name before a parenthesis.

    Raises:
        ReadError: it is not well-formed, nested deeper than ``guards.MAX_DEPTH``, or has an undeclared prefix.
    """
    lexer = parser.lexer
    frames = [_statement(parser)]
    while True:
        frame = frames[-1]
        mark = lexer.value if lexer.kind == "punctuation" else ""
        if mark in _BRACKETS or (lexer.kind == "word" and lexer.ahead() == "("):
            if len(frames) >= MAX_DEPTH:
                raise lexer.error(f"nested more than {MAX_DEPTH} levels deep")
            frames.append(_group(lexer) if mark else _statement(parser))
            continue
        if mark == "[" and frame.head is not None:
            frame.attributes = parser.attributes()
        elif mark != frame.brackets[1] or frame.items or frame.named:
            frame.items.append(_argument(parser))
        while True:
            mark = lexer.value if lexer.kind == "punctuation" else ""
            if mark == frame.brackets[1]:
                lexer.advance()
                closed = frames.pop().closed()
                if not frames:
                    return cast("Extension", closed)
                frame = frames[-1]
                frame.items.append(closed)
                continue
            if mark == ";" and _may_be_identifier(frame):
                frame.named = True
                first = frame.items.pop()
                frame.id = first if isinstance(first, Identifier) else None
            elif mark != "," or frame.attributes is not None:
                raise lexer.error(f"expected ',' or {frame.brackets[1]!r}, but here is {lexer.shown()}")
            lexer.advance()
            break


def unread(extension: Extension, shown: str) -> UnreadPart:
    """The report about a statement that extends PROV-N.

    Args:
        extension: the statement.
        shown: its keyword as written.
    """
    if extension.name.startswith(PROV):
        reason = "no specification of PROV defines it; it is kept, and written again in PROV-N only"
    else:
        reason = "it extends PROV-N and is not a statement of PROV-DM; it is kept, and written again in PROV-N only"
    line, column = extension.span or (None, None)
    return UnreadPart(f"the statement {shown}", reason, line, column)


def _statement(parser: Parser) -> _Frame:
    lexer = parser.lexer
    frame = _Frame(parser.identifier(lexer.value), "()", lexer.span())
    lexer.advance()
    lexer.advance()
    return frame


def _group(lexer: Lexer) -> _Frame:
    frame = _Frame(None, _BRACKETS[lexer.value], lexer.span())
    lexer.advance()
    return frame


def _may_be_identifier(frame: _Frame) -> bool:
    if frame.head is None or frame.named or len(frame.items) != 1 or frame.attributes is not None:
        return False
    return frame.items[0] is None or isinstance(frame.items[0], Identifier)


def _argument(parser: Parser) -> ExtensionArgument:
    lexer = parser.lexer
    word = lexer.value
    if lexer.kind == "name":
        return Literal(str(parser.value()), PROV_QUALIFIED_NAME)
    if lexer.kind == "string" or (lexer.kind == "word" and _INTEGER.fullmatch(word)):
        value = parser.value()
        return Literal(str(value), PROV_QUALIFIED_NAME) if isinstance(value, Identifier) else value
    if lexer.kind != "word":
        raise lexer.error(f"expected an argument, but here is {lexer.shown()}")
    argument: ExtensionArgument = None
    if word != "-":
        argument = word if _INSTANT.fullmatch(word) else parser.identifier(word)
    lexer.advance()
    return argument
