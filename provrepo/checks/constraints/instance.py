"""An instance in expanded form, by definitions 1–4 of PROV-CONSTRAINTS, as rows of integers.

Each statement becomes a row: a list of its identifier, its arguments in the order of PROV-N, and the number of its
statement (the complement of the number for a row inferred from the statement). An absent argument becomes an
existential variable where it is expandable, otherwise the placeholder (section 5.1, table 3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from provrepo.checks.constraints.terms import FRESH, NONE, Terms
from provrepo.model.statements import (
    ASSOCIATION,
    ATTRIBUTION,
    COMMUNICATION,
    DELEGATION,
    DERIVATION,
    DICTIONARY_MEMBERSHIP,
    END,
    ENTITY,
    GENERATION,
    INFLUENCE,
    INSERTION,
    INVALIDATION,
    KINDS,
    START,
    USAGE,
    Kind,
    Statement,
)
from provrepo.vocab import PROV, PROV_TYPE

__all__ = [
    "DERIVED",
    "IDENTIFIED",
    "PAIRS",
    "Instance",
    "Row",
    "is_empty_collection",
    "source",
]

Row: TypeAlias = list[int]

PAIRS: dict[Kind, tuple[int, int]] = {
    GENERATION: (1, 2),
    USAGE: (1, 2),
    COMMUNICATION: (1, 2),
    START: (1, 2),
    END: (1, 2),
    INVALIDATION: (1, 2),
    DERIVATION: (1, 2),
    ATTRIBUTION: (1, 2),
    ASSOCIATION: (1, 2),
    DELEGATION: (1, 2),
}
"""The relations that are influences (inference 15), with the indexes of influencee and influencer in their rows."""

IDENTIFIED = (*PAIRS, INFLUENCE)
"""The eleven relations that may have an identifier (definition 1, constraint 23)."""

DERIVED = slice(3, 6)
"""The indexes of activity, generation and usage in the row of a derivation."""

_TIMES = {kind: frozenset(n for n, a in enumerate(kind.arguments) if a.time) for kind in KINDS.values()}

_EMPTY = frozenset({PROV + "EmptyCollection", PROV + "EmptyDictionary"})
"""Types of empty collections; an empty dictionary is one (PROV-Dictionary, section 2)."""


def source(row: Row) -> int:
    """The number of the statement that a row comes from or was inferred from."""
    return row[-1] if row[-1] >= 0 else ~row[-1]


def is_empty_collection(statement: Statement) -> bool:
    """Whether the statement types its entity as an empty collection."""
    return any(name == PROV_TYPE and value in _EMPTY for name, value in statement.attributes)


class Instance:
    """The rows of one instance, by kind.

    Attributes:
        statements: of the instance; rows refer to them by number.
        terms: the terms of the rows.
        rows: by kind, in source order, then inferred ones.
        empty: the numbers of the statements that describe an empty collection.
        merged: by the ``id`` of a row that was merged, the row that it was merged into.
        fresh: returns a term for an absent argument that is expandable.
    """

    def __init__(self, statements: Iterable[Statement], *, named: bool = False) -> None:
        """Expand statements.

        Args:
            statements: of one instance.
            named: whether each existential variable has its own number, as the normal form needs it; otherwise those
                that occur once are all ``FRESH``.
        """
        self.statements = list(statements)
        self.terms = Terms()
        self.rows: dict[Kind, list[Row]] = {kind: [] for kind in KINDS.values()}
        self.empty: list[int] = []
        self.merged: dict[int, Row] = {}
        self.fresh: Callable[[], int] = self.terms.variable if named else _fresh
        for number, statement in enumerate(self.statements):
            self.rows[statement.kind].append(self.row(statement, number))
            if statement.kind is ENTITY and statement.attributes and is_empty_collection(statement):
                self.empty.append(number)
            elif statement.kind is INSERTION and not named:
                self.rows[DICTIONARY_MEMBERSHIP] += self._inserted(statement, number)

    def row(self, statement: Statement, number: int) -> Row:
        """The row of a statement, before unification."""
        kind, terms, fresh = statement.kind, self.terms, self.fresh
        times = _TIMES[kind]
        if statement.id is not None:
            row = [terms.number(statement.id)]
        else:
            row = [fresh() if kind in _NAMED else NONE]
        for index, term in enumerate(statement.args):
            if term is not None:
                row.append(terms.time(term) if index in times else terms.number(term))
            elif kind is ASSOCIATION and index == _PLAN:
                row.append(NONE)
            elif kind is DERIVATION and index >= _ACTIVITY:
                # Generation and usage are expandable where there is an activity (definition 4, points 4 and 5).
                row.append(NONE if index == _ACTIVITY or statement.args[_ACTIVITY] is None else fresh())
            else:
                row.append(fresh())
        row.append(number)
        return row

    def _inserted(self, statement: Statement, number: int) -> Iterator[Row]:
        """PROV-Dictionary: inserted entities are members of the dictionary."""
        after = statement.args[0]
        for entry in statement.entries:
            if entry.entity is not None and after is not None:
                yield [NONE, self.terms.number(after), self.terms.number(entry.entity), ~number]

    def current(self, kind: Kind) -> Iterator[Row]:
        """The rows of a kind that were not merged into another."""
        merged = self.merged
        if not merged:
            return iter(self.rows[kind])
        return (row for row in self.rows[kind] if id(row) not in merged)

    def representative(self, row: Row) -> Row:
        """The row that a row was merged into, transitively; itself where it was not merged."""
        while id(row) in self.merged:
            row = self.merged[id(row)]
        return row

    def resolve(self) -> None:
        """Replace every bound variable by the term that it is bound to."""
        if not self.terms.bound:
            return
        find = self.terms.find
        for kind in self.rows:
            for row in self.current(kind):
                row[:-1] = map(find, row[:-1])


_NAMED = frozenset(IDENTIFIED)
_PLAN = 2
_ACTIVITY = 2


def _fresh() -> int:
    return FRESH
