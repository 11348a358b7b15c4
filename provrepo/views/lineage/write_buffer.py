"""A write buffer for rows of the lineage index, so that each page of a table is written once for many rows.

Rows about things that older versions mention are scattered over the tables. Where many entries are applied together,
such rows are buffered and inserted in the order of the tables: a table larger than the page cache is then traversed
once for a million edges, instead of once for each version.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Sequence
from itertools import chain

__all__ = ["WriteBuffer", "insert"]

Row = tuple[int | str | None, ...]

_TABLES = ("edge", "edge_into", "about")

_ROWS = 100
"""Rows of one INSERT: with six columns of an edge this is below the limit of parameters of every SQLite version."""

_MANY = 400_000
"""The most rows in the buffer: about 60 MB."""


class WriteBuffer:
    """Rows of an open transaction that are not in their tables yet.

    The transaction is invisible to others until it ends. ``flush`` must be called before its end and before a deletion.
    """

    def __init__(self) -> None:
        """Create an empty buffer."""
        self._rows: dict[str, list[Row]] = {table: [] for table in _TABLES}
        self._written: dict[str, list[Row]] = {table: [] for table in _TABLES}

    def add(self, connection: sqlite3.Connection, table: str, rows: Sequence[Row], first: int) -> None:
        """Insert rows into a table, or buffer them.

        Args:
            connection: of the transaction.
            table: the name of the table.
            rows: in the order of the table.
            first: rows whose first column is this number or greater belong at the end of the table and are inserted at
                once.
        """
        end = bisect_left(rows, (first,))
        self._rows[table] += rows[:end]
        insert(connection, f"OR IGNORE INTO {table}", rows[end:])
        if sum(map(len, self._rows.values())) > _MANY:
            self.flush(connection)

    def flush(self, connection: sqlite3.Connection) -> None:
        """Insert the buffered rows. After a failure they stay buffered, and inserted rows are not inserted again."""
        for table, rows in self._rows.items():
            insert(connection, f"OR IGNORE INTO {table}", sorted(rows))
        for table, rows in self._rows.items():
            self._written[table] += rows
            rows.clear()

    def mark(self) -> list[int]:
        """The position before an entry, for ``undo``."""
        return [len(rows) for rows in self._rows.values()]

    def done(self) -> None:
        """Accept the rows of an entry as part of the transaction."""
        for rows in self._written.values():
            rows.clear()

    def undo(self, mark: Sequence[int]) -> None:
        """Restore the buffer after a rollback of an entry, which also removed older rows that the entry inserted."""
        for (table, rows), length in zip(self._rows.items(), mark, strict=True):
            rows[:0] = self._written[table]
            del rows[length:]
        self.done()

    def clear(self) -> None:
        """Empty the buffer; no transaction is open."""
        self.undo([0] * len(_TABLES))


def insert(connection: sqlite3.Connection, into: str, rows: Sequence[Row]) -> None:
    """Insert rows, which are in the order of the table.

    One statement inserts many rows, since most of the cost of a single row is the statement.
    """
    whole = len(rows) - len(rows) % _ROWS
    for size, some in ((_ROWS, rows[:whole]), (1, rows[whole:])):
        if some:
            row = f"({', '.join('?' * len(some[0]))})"
            connection.executemany(
                f"INSERT {into} VALUES {', '.join([row] * size)}",  # noqa: S608
                (tuple(chain.from_iterable(some[start : start + size])) for start in range(0, len(some), size)),
            )
