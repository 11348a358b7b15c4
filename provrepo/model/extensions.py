"""Statements that extend PROV-N, which PROV-DM does not define.

PROV-N allows further statements (its production ``extensibilityExpression``): ``ex:performed(ex:id; ex:e1, "k1",
[ex:a=1])``. They are kept in the document and written again in PROV-N; no other format can represent them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeAlias

from provrepo.model.identifiers import Identifier, Literal, Value
from provrepo.model.statements import Attribute, Span
from provrepo.vocab import PROV_QUALIFIED_NAME

__all__ = ["Extension", "ExtensionArgument", "ArgumentGroup", "Spelling"]


class Spelling(Protocol):
    """Spells the parts of a statement."""

    def keyword(self, iri: str) -> str:
        """The keyword of a statement, which needs a prefix."""

    def name(self, iri: str) -> str:
        """An identifier."""

    def value(self, value: Value) -> str:
        """A literal, or an identifier in quotes."""


class ArgumentGroup(NamedTuple):
    """Arguments in brackets (PROV-N's production ``extensibilityTuple``).

    Attributes:
        brackets: ``()`` or ``{}``.
        items: the arguments between them.
    """

    brackets: str
    items: tuple[ExtensionArgument, ...]


ExtensionArgument: TypeAlias = "Identifier | Literal | str | Extension | ArgumentGroup | None"
"""An identifier; a literal, where a quoted name is the IRI with the datatype ``prov:QUALIFIED_NAME``; a time, which is
a plain string; another statement; a group; or None for the marker ``-``."""


@dataclass(frozen=True, slots=True)
class Extension:
    """One statement that extends PROV-N.

    Attributes:
        name: its keyword, an IRI.
        id: its identifier, or None.
        args: its arguments in order.
        attributes: attribute–value pairs in source order.
        span: where it began in the source, or None; equality ignores it.
    """

    name: Identifier
    id: Identifier | None = None
    args: tuple[ExtensionArgument, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    span: Span | None = field(default=None, compare=False)

    def text(self, spelling: Spelling) -> str:
        """The statement as PROV-N, on one line."""
        name, value = spelling.name, spelling.value
        parts = [_text(argument, spelling) for argument in self.args]
        if self.attributes:
            parts.append(f"[{', '.join(f'{name(key)}={value(item)}' for key, item in self.attributes)}]")
        own = "" if self.id is None else f"{name(self.id)}; "
        return f"{spelling.keyword(self.name)}({own}{', '.join(parts)})"

    def literals(self) -> Iterator[Literal]:
        """Every literal in it, those of nested statements included."""
        yield from (value for _, value in self.attributes if isinstance(value, Literal))
        yield from _literals(self.args)


def _text(argument: ExtensionArgument, spelling: Spelling) -> str:
    match argument:
        case None:
            return "-"
        case Identifier():
            return spelling.name(argument)
        case Literal(datatype=datatype):
            if datatype == PROV_QUALIFIED_NAME:
                return f"'{spelling.name(argument.lexical)}'"
            return spelling.value(argument)
        case Extension():
            return argument.text(spelling)
        case ArgumentGroup():
            items = ", ".join(_text(item, spelling) for item in argument.items)
            return f"{argument.brackets[0]}{items}{argument.brackets[1]}"
        case _:
            return argument


def _literals(arguments: tuple[ExtensionArgument, ...]) -> Iterator[Literal]:
    for argument in arguments:
        if isinstance(argument, Literal):
            yield argument
        elif isinstance(argument, Extension):
            yield from argument.literals()
        elif isinstance(argument, ArgumentGroup):
            yield from _literals(argument.items)
