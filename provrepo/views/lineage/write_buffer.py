"""Rows of the lineage index that wait until there are many, so that each page of a table is looked for once for many.

Most of what a version says of things that were known before belongs all over the tables. Where many entries are applied
together such rows are kept back and put in in the order of the tables, instead of version by version: a table larger
than the cache is then gone through once for a million relations, and not fetched and written page by page for each.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Sequence
from itertools import chain

__all__ = ["Later", "insert"]

Row = tuple[int | str | None, ...]

_TABLES = ("edge", "edge_into", "about")

_ROWS = 100
"""Rows of one insert: with the six columns of an edge fewer values than SQLite takes in any of its versions."""

_MANY = 400_000
"""Rows that are kept back at most: some 60 MB."""


class Later:
    """Rows that belong to entries of a transaction and are not in their tables yet.

    Nobody else sees the transaction, so that they are missed by nobody until it ends or something is taken out of the
    tables: before that they are put in, by ``flush``.
    """

    def __init__(self) -> None:
        """Nothing is kept back."""
        self._rows: dict[str, list[Row]] = {table: [] for table in _TABLES}
        self._written: dict[str, list[Row]] = {table: [] for table in _TABLES}

    def add(self, connection: sqlite3.Connection, table: str, rows: Sequence[Row], first: int) -> None:
        """Put rows into a table, or keep them back.

        Args:
            connection: where they go.
            table: the name of the table.
            rows: in the order of the table.
            first: rows from this number on in the first column are new at the end of the table, where nothing is gained
                by waiting.
        """
        end = bisect_left(rows, (first,))
        self._rows[table] += rows[:end]
        insert(connection, f"OR IGNORE INTO {table}", rows[end:])
        if sum(map(len, self._rows.values())) > _MANY:
            self.flush(connection)

    def flush(self, connection: sqlite3.Connection) -> None:
        """Put in what was kept back. Where that fails it is kept, and what was put in of it is not put in again."""
        for table, rows in self._rows.items():
            insert(connection, f"OR IGNORE INTO {table}", sorted(rows))
        for table, rows in self._rows.items():
            self._written[table] += rows
            rows.clear()

    def mark(self) -> list[int]:
        """Where an entry begins, for ``undo``."""
        return [len(rows) for rows in self._rows.values()]

    def done(self) -> None:
        """The entry is part of the transaction, with all that it put in."""
        for rows in self._written.values():
            rows.clear()

    def undo(self, mark: Sequence[int]) -> None:
        """Forget the rows of an entry that was undone; what it put in of the entries before it has left with it."""
        for (table, rows), length in zip(self._rows.items(), mark, strict=True):
            rows[:0] = self._written[table]
            del rows[length:]
        self.done()

    def clear(self) -> None:
        """Forget everything: no transaction is open."""
        self.undo([0] * len(_TABLES))


def insert(connection: sqlite3.Connection, into: str, rows: Sequence[Row]) -> None:
    """Insert rows, which come in the order of the table, ``into`` it.

    Many to a statement: most of what a row costs otherwise is that a statement begins and ends for it.
    """
    whole = len(rows) - len(rows) % _ROWS
    for size, some in ((_ROWS, rows[:whole]), (1, rows[whole:])):
        if some:
            row = f"({', '.join('?' * len(some[0]))})"
            connection.executemany(
                f"INSERT {into} VALUES {', '.join([row] * size)}",  # noqa: S608
                (tuple(chain.from_iterable(some[start : start + size])) for start in range(0, len(some), size)),
            )
