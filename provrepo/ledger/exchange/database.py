"""``exchange.sqlite``: what the exchange with other repositories needs beside the ledger.

Peers with their tokens, documents that wait to be sent or reviewed, and the positions of copies change or are deleted,
and are private. Entries of the ledger are neither. The database is created by the first write. Its file can be read by
its owner only, and deleted content is overwritten.

The tables are created by ``exchange.migrations``; each module of this folder contains the queries on its tables.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provrepo.errors import Busy, Damaged
from provrepo.ledger.exchange.migrations import expected, is_current, migrate
from provrepo.ledger.migrations import statements
from provrepo.ledger.storage import write_ahead
from provrepo.ledger.storage.database import Database

__all__ = ["ExchangeDatabase"]

log = logging.getLogger("provrepo.ledger.exchange.database")


class ExchangeDatabase:
    """The database of a data directory. Threads and processes may share it.

    Attributes:
        file: the database, which may not exist.
    """

    def __init__(self, file: Path, *, scratch: Path | None = None) -> None:
        """Take the file; it is neither opened nor created.

        Args:
            file: the database.
            scratch: a folder of this process, if the database is read-only. See ``Database``.
        """
        self.file = file
        self._scratch = scratch
        self._lock = threading.Lock()
        self._opened: Database | None = None
        self._local = threading.local()

    @property
    def exists(self) -> bool:
        """Whether anything was written."""
        return self.file.exists()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection of this thread, outside of a transaction. Fetch all rows before the block ends.

        If the database does not exist, the connection is to an empty one in memory, with all tables.

        Raises:
            Error: any error of SQLite, translated.
        """
        if self.exists:
            with self._database().reading() as connection:
                yield connection
            return
        empty = sqlite3.connect(":memory:", isolation_level=None)
        try:
            migrate(empty)
            empty.execute("PRAGMA query_only = ON")
            yield empty
        finally:
            empty.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection of this thread in a transaction, committed durably at the end or rolled back.

        The database is created if it does not exist. Transactions do not nest. Inside a transaction of the ledger this
        is allowed; the reverse is not, since two processes could then wait for each other.

        Raises:
            Denied: the data directory is read-only.
            Busy: others kept writing for longer than the timeout.
            NoSpace: the disk is full.
            Error: any other error of SQLite, translated.
        """
        with self._database().writing() as connection:
            yield connection

    def forget(self) -> None:
        """Remove deleted content from the file and its log: SQLite leaves copies of rows that it moved within pages.

        Call it after a transaction that deleted a secret or somebody's bytes. It takes as long as a copy of the
        database; for several deletions, use ``together``. While others keep using the database, copies may stay until
        the next call, which is logged.

        Raises:
            NoSpace: the disk is full.
        """
        if getattr(self._local, "together", False):
            self._local.forgotten = True
            return
        try:
            self.rewrite()
        except Busy as error:
            log.warning("copies of deleted content may stay in %s until the next deletion: %s", self.file, error)

    def rewrite(self) -> None:
        """Do as ``forget``, and at once.

        Raises:
            Busy: others kept using the database; call this again.
            NoSpace: the disk is full.
        """
        if self.exists:
            self._database().rewrite()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let ``forget`` of this thread wait for the end of the block, where it is done once, also after an error."""
        self._local.together, self._local.forgotten = True, False
        try:
            yield
        finally:
            self._local.together = False
            if self._local.forgotten:
                self.forget()

    def copy_to(self, target: Path) -> None:
        """Copy the database to a new file; do nothing where it does not exist."""
        if self.exists:
            self._database().copy_to(target)

    def verify(self) -> list[str]:
        """Return one sentence for each problem of the file and its tables."""
        if not self.exists:
            return []
        try:
            with self._database().reading() as connection:
                lines = connection.execute("PRAGMA integrity_check(20)").fetchall()
                found = [f"{self.file}: {line}" for (line,) in lines if line != "ok"]
                broken = connection.execute("PRAGMA foreign_key_check").fetchall()
                found += [f"{self.file}: a row of {table} refers to one of {other} that is missing"
                          for table, _, other, _ in broken]  # fmt: skip
                if statements(connection) != expected():
                    found.append(f"{self.file}: its tables and indexes are not those that provrepo creates")
            return found + list(write_ahead.problems(self._database()))
        except Damaged as error:
            return [str(error)]

    def close(self) -> None:
        """Close the connections of all threads. Closing again does nothing."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()

    def _database(self) -> Database:
        with self._lock:
            if self._opened is None:
                self._opened = Database(
                    self.file, prepare=migrate, current=is_current, scratch=self._scratch, secure_delete=True
                )
            return self._opened
