"""Causes of clashes: the statements with the clashing values, and the rules by which their rows were merged.

Unification merges rows in some order, and the rule of the merge that found a clash depends on that order. The cause
does not: it is a shortest chain of statements from one value to the other, in which neighbors share an identifier (22,
23) or the arguments of a key (24–27).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple, TypeAlias

from provrepo.checks.constraints.instance import Row, source
from provrepo.checks.constraints.terms import FRESH, NONE
from provrepo.checks.constraints.unify import KEYS, Unifier
from provrepo.model.statements import ACTIVITY, DERIVATION, END, GENERATION, START, USAGE, Kind

__all__ = ["EVENT_TIME", "Chain", "Origins", "Times", "activity_index"]

EVENT_TIME = 4
"""The index of the time in the row of a start or an end."""


_NAMED_AT = {GENERATION: 3, USAGE: 4}
"""The arguments of a derivation that name a generation and a usage."""


class Chain(NamedTuple):
    """A chain of statements from one value to another.

    Attributes:
        rows: the rows of the statements before merging; each ends with the number of its statement.
        rules: the rule that connects each row to the next; 22–27.
    """

    rows: list[Row]
    rules: list[int]


class Times(NamedTuple):
    """The statements with the time of one start or end.

    Attributes:
        instants: each instant, with the number of the first statement that has it.
        statements: the numbers of all statements with a time, in source order.
    """

    instants: dict[int, int]
    statements: list[int]


SharedKey: TypeAlias = "tuple[int, int, int]"
"""A rule and the terms of its key; rows that share it are merged by the rule."""


class Origins:
    """The statements that rows were merged from, each as a row with resolved terms."""

    def __init__(self, unifier: Unifier) -> None:
        self._unifier = unifier
        instance = self._instance = unifier.instance
        self._merged: dict[int, list[Row]] = {}
        self._derivations: dict[int, Row] = {}
        self._events: dict[tuple[Kind, int], list[Row]] = {}
        self._times: dict[tuple[Kind, int], Times] = {}
        self._naming: dict[tuple[Kind, int], list[int]] | None = None
        for kind, rows in instance.rows.items():
            for row in rows:
                if id(row) in instance.merged:
                    self._merged.setdefault(id(instance.representative(row)), []).append(row)
                if kind is DERIVATION:
                    self._derivations[source(row)] = row
                elif kind in (START, END):
                    self._events.setdefault((kind, instance.terms.find(row[1])), []).append(row)

    def of(self, kind: Kind, row: Row) -> list[Row]:
        """The rows of all statements that were merged into one row, that of the row itself first."""
        row = self._instance.representative(row)
        return [
            origin for member in (row, *self._merged.get(id(row), ())) for origin in self._statement_rows(kind, member)
        ]

    def _statement_rows(self, kind: Kind, row: Row) -> Iterator[Row]:
        number = source(row)
        statement = self._instance.statements[number]
        if statement.kind is kind:
            yield self._resolved(self._instance.row(statement, number))
        elif statement.kind is DERIVATION and kind in (GENERATION, USAGE):
            # Inference 11: the generation and the usage that follow from a derivation with an activity.
            for _, generated, used, activity, generation, usage, origin in self.of(
                DERIVATION, self._derivations[number]
            ):
                if kind is GENERATION:
                    yield [generation, generated, activity, FRESH, origin]
                else:
                    yield [usage, activity, used, FRESH, origin]

    def _resolved(self, row: Row) -> Row:
        return [*map(self._instance.terms.find, row[:-1]), row[-1]]

    def statement_with(self, row: Row, term: int) -> int:
        """The number of a statement with a term, among those that a row was merged from."""
        instance = self._instance
        row = instance.representative(row)
        name = instance.terms.names[term]
        for member in (row, *self._merged.get(id(row), ())):
            statement = instance.statements[source(member)]
            if name == statement.id or name in statement.args:
                return source(member)
        return source(row)

    def naming(self, kind: Kind, identifiers: Collection[int]) -> list[int]:
        """The numbers of the derivations that name one of some generations or usages, in source order.

        Args:
            kind: generation or usage; no other is named by a derivation.
            identifiers: their terms.
        """
        if self._naming is None:
            self._naming = {}
            instance = self._instance
            for number in self._derivations:
                for named, index in _NAMED_AT.items():
                    name = instance.statements[number].args[index]
                    if name is not None:
                        term = instance.terms.find(instance.terms.number(name))
                        self._naming.setdefault((named, term), []).append(number)
        return sorted({n for term in identifiers for n in self._naming.get((kind, term), ())})

    def times(self, event: Kind, activity: int) -> Times:
        """The statements that give the time of an activity's start or end by rules 28 and 29.

        Args:
            event: start or end.
            activity: its term.

        Returns:
            No statements if no statement describes the activity: then its starts may have different times.
        """
        instance = self._instance
        activity = instance.terms.find(activity)
        known = self._times.get((event, activity))
        if known is None:
            rows: list[tuple[int, int]] = []
            described = self._unifier.by_id[ACTIVITY].get(activity)
            if described is not None:
                index = activity_index(event)
                rows = [(row[-1], row[index]) for row in self.of(ACTIVITY, described)]
                for event_row in self._events.get((event, activity), ()):
                    rows += [(row[-1], row[EVENT_TIME]) for row in self._statement_rows(event, event_row)]
            given = sorted({(n, t) for n, t in rows if t > NONE and t not in instance.terms.variables})
            first: dict[int, int] = {}
            for number, term in given:
                first.setdefault(term, number)
            known = self._times[event, activity] = Times(first, list(dict.fromkeys(number for number, _ in given)))
        return known

    def chain(self, kind: Kind, rows: list[Row], index: int, wanted: Iterable[int]) -> Chain | None:
        """A shortest chain from the first of some values to any other of them.

        Args:
            kind: of the rows.
            rows: of the statements, as returned by ``of``.
            index: of the values in the rows.
            wanted: the values.

        Returns:
            None where there is none: then the values clash through variables that were unified.
        """
        first, *others = wanted
        targets = set(others)
        shared: dict[SharedKey, list[int]] = {}
        keys = [list(_shared_keys(kind, row)) for row in rows]
        for number, mine in enumerate(keys):
            for key in mine:
                shared.setdefault(key, []).append(number)
        before: dict[int, tuple[int, int] | None] = {n: None for n, row in enumerate(rows) if row[index] == first}
        level = list(before)
        for number in level:  # grows during the iteration: breadth first
            if rows[number][index] in targets:
                return _chain(rows, before, number)
            for key in keys[number]:
                # Each key is followed once, to all rows that share it.
                for other in shared.pop(key, ()):
                    if other not in before:
                        before[other] = (number, key[0])
                        level.append(other)
        return None


def activity_index(event: Kind) -> int:
    """The index of the time of a start or an end in the row of an activity."""
    return 1 if event is START else 2


def _shared_keys(kind: Kind, row: Row) -> Iterator[SharedKey]:
    """The keys of a row, its identifier first, as the most obvious one."""
    if row[0] > NONE:
        yield 22 if kind.element else 23, row[0], 0
    if kind in KEYS:
        rule, first, second = KEYS[kind]
        if FRESH not in (row[first], row[second]):
            yield rule, row[first], row[second]


def _chain(rows: list[Row], before: dict[int, tuple[int, int] | None], last: int) -> Chain:
    chain = Chain([rows[last]], [])
    step = before[last]
    while step is not None:
        number, rule = step
        chain.rows.append(rows[number])
        chain.rules.append(rule)
        step = before[number]
    return Chain(chain.rows[::-1], chain.rules[::-1])
