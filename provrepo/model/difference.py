"""The difference of two documents, as text and as statements; ``compare`` finds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from provrepo.model.identifiers import Identifier
from provrepo.model.statements import Statement

__all__ = ["ChangedPair", "ChangedStatement", "Difference", "PlacedStatement", "StatementDifference"]


class ChangedStatement(NamedTuple):
    """A statement that both documents make, with different parts.

    Attributes:
        kind: the statement's PROV-N keyword.
        subject: its identifier, or the things that it relates, as text.
        left: the arguments and attributes that only the left document has, as text.
        right: those that only the right one has.
    """

    kind: str
    subject: str
    left: tuple[str, ...]
    right: tuple[str, ...]

    def __str__(self) -> str:
        head = f"~ {self.kind}({self.subject})"
        return "\n".join([head, *(f"  - {part}" for part in self.left), *(f"  + {part}" for part in self.right)])


@dataclass(frozen=True, slots=True)
class Difference:
    """The difference of two documents.

    Attributes:
        left: statements of the left document alone, as text, sorted. Unmapped triples that use terms of PROV are
            included as ``triple(subject, property, object)``.
        right: those of the right document alone.
        changed: statements of one kind about the same thing, or relating the same things, with different parts.
    """

    left: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    changed: tuple[ChangedStatement, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.left or self.right or self.changed)

    def __str__(self) -> str:
        return "\n".join(
            [f"- {text}" for text in self.left] + [f"+ {text}" for text in self.right] + [str(c) for c in self.changed]
        )


class PlacedStatement(NamedTuple):
    """A statement and its bundle, None for the top level."""

    statement: Statement
    bundle: Identifier | None


class ChangedPair(NamedTuple):
    """A statement that both documents make, with different parts.

    Attributes:
        left: as the left document makes it.
        right: as the right one does.
        parts: the parts that differ, as text.
    """

    left: PlacedStatement
    right: PlacedStatement
    parts: ChangedStatement


class StatementDifference(NamedTuple):
    """The difference of two documents as statements; ``Difference`` is the same as text.

    Attributes:
        left: statements of the left document alone, in its order.
        right: those of the right document alone.
        changed: the pairs with different parts.
        extensions: the extension statements of each document alone, as text.
    """

    left: tuple[PlacedStatement, ...] = ()
    right: tuple[PlacedStatement, ...] = ()
    changed: tuple[ChangedPair, ...] = ()
    extensions: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
