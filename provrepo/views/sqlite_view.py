"""The base class of views in SQLite: one file with tables of datasets, positions and versions, and those of the view.

A subclass defines its own tables, and the insertion and deletion of the content of a version. One entry is applied in
one transaction; many entries may share one.
"""

from __future__ import annotations

import sqlite3
import threading
import time
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from provrepo.errors import Damaged, NoSpace, TimedOut
from provrepo.model.minting import Minter
from provrepo.views.extraction import Extraction
from provrepo.views.view import Change
from provrepo.workers.callers import client_gone

__all__ = ["COMMON", "SqliteView", "until"]

COMMON = """
CREATE TABLE dataset (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, stamp TEXT NOT NULL);
CREATE TABLE position (
    dataset INTEGER NOT NULL, project TEXT NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (dataset, project)
) WITHOUT ROWID;
CREATE TABLE version (
    id INTEGER PRIMARY KEY, dataset INTEGER NOT NULL, project TEXT NOT NULL, document TEXT NOT NULL,
    number INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER, withdrawn INTEGER NOT NULL DEFAULT 0,
    UNIQUE (dataset, project, document, number)
);
"""
"""A version is current from entry ``since`` of its project to the entry before ``until``. ``withdrawn`` is 1 for a
version that was withdrawn, or was replaced before its document was withdrawn."""

_MIN_COMMIT_INTERVAL = 2.0
"""The least seconds between two commits while many entries are applied."""

_COMMIT_SHARE = 0.05
"""The share of the time that commits may take. Where they take more, the interval between them grows, up to
``_MAX_COMMIT_INTERVAL``. New rows belong to pages all over a large file, and each commit writes every changed page."""

_MAX_COMMIT_INTERVAL = 15.0
"""The most seconds between two commits while many entries are applied."""

_IDLE_READERS = 2
"""Connections for reading that stay open when they are not in use."""

_LOG_BYTES = 32 << 20
"""Bytes to which the write-ahead log is truncated once its content is in the file."""

_CACHE_MIB = 192
"""MiB of the page cache while many entries are applied."""

_STEPS = 10_000
"""Instructions of SQLite's virtual machine between two checks of a deadline: a fraction of a millisecond."""

_ERASED = 1
"""The ``application_id`` of a file from which something was erased, until it is written anew."""

_KINDS = ("submit", "withdraw", "erase", "settings", "skipped")


class SqliteView(ABC):
    """The common part of views in SQLite; see ``provrepo.views.view.View``.

    Attributes:
        STAMP: the version of the mapping, and the base IRI, on which names depend.
        TABLES: the statements that create the subclass's own tables and indexes.
        MAPPING: the version of the subclass's mapping from documents to its tables.
        HISTORY: whether versions stay when they are replaced or withdrawn, for queries as of former entries.
    """

    MERGES = False
    HISTORY = False
    TABLES: str
    MAPPING: str

    def __init__(self, path: Path, *, base: str, minter: Minter | None = None) -> None:
        """Open or create the view in a folder. A damaged file, or one with other tables, is recreated.

        Args:
            path: the folder.
            base: the repository's base IRI, below which versions are named.
            minter: mints their IRIs; None for one that knows the base IRI alone.

        Raises:
            Damaged: the file cannot be opened.
            NoSpace: the disk is full.
        """
        self.STAMP = f"{self.MAPPING} {base}".rstrip()
        self.minter = minter or Minter(base)
        self._file = path / "view.sqlite"
        self._lock = threading.RLock()
        self._idle: list[sqlite3.Connection] = []
        self._most_idle = _IDLE_READERS
        self._together = False
        self._erased = False
        self._files = 0
        self._began = 0.0
        self._wait = 0.0
        self._positions: dict[tuple[str, str], int] = {}  # by dataset and project: those that this object has committed
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._connection = self._opened()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise self._broken(error) from error
            self._connection = self._recreated()

    def datasets(self) -> list[str]:
        """The datasets that exist, sorted."""
        with self._reading() as connection:
            return sorted(name for (name,) in connection.execute("SELECT name FROM dataset"))

    def stamp(self, dataset: str) -> str | None:
        """The stamp under which the dataset was built; None for an empty one."""
        with self._reading() as connection:
            found = connection.execute("SELECT stamp FROM dataset WHERE name = ?", (dataset,)).fetchone()
            return None if found is None else str(found[0])

    def position(self, dataset: str, project: str) -> int:
        """The sequence number of the last entry of ``project`` applied to ``dataset``; 0 before the first."""
        known = self._positions.get((dataset, project))
        if known is not None:
            return known
        with self._reading() as connection:
            return _position(connection, _dataset(connection, dataset), project)

    def apply(self, dataset: str, change: Change) -> None:
        """Apply one entry.

        Raises:
            ValueError: not the entry after the last one applied, or of an unknown kind.
            Damaged: the content or the file cannot be read.
            NoSpace: the disk is full.
        """
        if change.kind not in _KINDS:
            raise ValueError(f"no view knows entries of the kind {change.kind!r}")
        with self._writing() as connection:
            known = _dataset(connection, dataset)
            position = _position(connection, known, change.project)
            if change.sequence <= position:
                return
            if change.sequence != position + 1:
                raise ValueError(f"entry {change.sequence} of {change.project} cannot follow entry {position}")
            if known is None:
                connection.execute("INSERT INTO dataset (name, stamp) VALUES (?, ?)", (dataset, self.STAMP))
                known = _dataset(connection, dataset) or 0
            self._replace(connection, known, change)
            connection.execute(
                "INSERT OR REPLACE INTO position VALUES (?, ?, ?)", (known, change.project, change.sequence)
            )
            if change.kind == "erase":
                connection.execute(f"PRAGMA application_id = {_ERASED}")
                self._erased = True
        if not self._together:
            self._positions[dataset, change.project] = change.sequence
            self._truncate()
        elif time.monotonic() - self._began > max(_MIN_COMMIT_INTERVAL, self._wait):
            try:
                self._settle()
            except sqlite3.Error as error:
                raise self._broken(error) from error

    @contextmanager
    def together(self) -> Iterator[None]:
        """A block in which many entries share a transaction.

        A crash loses the entries since the last commit; content and position still agree. Readers see the state at the
        last commit.
        """
        with self._lock:
            self._positions.clear()
            self._connection.execute(f"PRAGMA cache_size = -{_CACHE_MIB << 10}")
            try:
                with self._writing():
                    self._together, self._began, self._wait = True, time.monotonic(), 0.0
                    try:
                        yield
                    finally:
                        self._together = False
            finally:
                self._connection.execute("PRAGMA cache_size = -2000")
            self._truncate()

    def remove_project(self, dataset: str, project: str) -> None:
        """Remove everything of one project from a dataset, its position included."""
        with self._writing() as connection:
            known = _dataset(connection, dataset)
            if known is None:
                return
            versions = connection.execute("SELECT id FROM version WHERE dataset = ? AND project = ?", (known, project))
            for (version,) in versions.fetchall():
                self._remove(connection, version)
            self._positions.pop((dataset, project), None)
            connection.execute("DELETE FROM position WHERE dataset = ? AND project = ?", (known, project))
            if not connection.execute("SELECT 1 FROM position WHERE dataset = ? LIMIT 1", (known,)).fetchone():
                connection.execute("DELETE FROM dataset WHERE id = ?", (known,))

    def rewrite(self) -> None:
        """Do what follows an erasure, where that has failed or the process was killed before it.

        Raises:
            Damaged: the file cannot be read or written.
            NoSpace: the disk is full; the next call tries again.
        """
        self._truncate()

    def clear(self, dataset: str) -> None:
        """Remove the dataset."""
        with self._reading() as connection:
            projects = connection.execute(
                "SELECT project FROM position WHERE dataset = ?", (_dataset(connection, dataset),)
            ).fetchall()
        for (project,) in projects:
            self.remove_project(dataset, project)

    def reset(self) -> None:
        """Discard the whole file and create an empty one."""
        with self._lock:
            self._connection.close()
            self._positions.clear()
            # Connections in use read the former file. They are closed afterwards, since the number has changed.
            self._files += 1
            while self._idle:
                self._idle.pop().close()
            self._connection = self._recreated()

    def close(self) -> None:
        """Close the file."""
        self._most_idle = 0
        while self._idle:
            self._idle.pop().close()
        with self._lock:
            self._connection.close()

    def layout(self) -> str:
        """The statements that create the tables and indexes."""
        return f"{COMMON}{self.TABLES}"

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one state of the file, for ``provrepo.views.sqlite_check``.

        Raises:
            Damaged: the file cannot be read, or has values that this software does not write.
        """
        with self._reading() as connection:
            yield connection

    @abstractmethod
    def content(self, connection: sqlite3.Connection, version: int) -> list[tuple[object, ...]]:
        """The content of a version, with names instead of the numbers of this file, in any order."""

    @abstractmethod
    def _put(self, connection: sqlite3.Connection, version: int, extraction: Extraction) -> None:
        """Insert the content of a version."""

    @abstractmethod
    def _take(self, connection: sqlite3.Connection, version: int) -> None:
        """Delete the content of a version."""

    def _replace(self, connection: sqlite3.Connection, dataset: int, change: Change) -> None:
        if change.kind not in ("submit", "withdraw", "erase"):
            return
        document, number = change.entry["document"], change.entry["version"]
        condition, values = ("until IS NULL", []) if change.kind != "erase" else ("number = ?", [number])
        versions = connection.execute(
            f"SELECT id FROM version WHERE dataset = ? AND project = ? AND document = ? AND {condition}",  # noqa: S608
            (dataset, change.project, document, *values),
        ).fetchall()
        for (version,) in versions:
            if self.HISTORY and change.kind != "erase":
                self._end(connection, version, change.sequence)
            else:
                self._remove(connection, version)
        if self.HISTORY and change.kind == "withdraw":
            for (version,) in connection.execute(
                "SELECT id FROM version WHERE dataset = ? AND project = ? AND document = ? AND withdrawn = 0",
                (dataset, change.project, document),
            ).fetchall():
                self._withdraw(connection, version)
        if change.kind == "submit" and change.extraction is not None:
            found = connection.execute(
                "INSERT INTO version (dataset, project, document, number, since) VALUES (?, ?, ?, ?, ?)",
                (dataset, change.project, document, number, change.sequence),
            )
            self._put(connection, found.lastrowid or 0, change.extraction())

    def _end(self, connection: sqlite3.Connection, version: int, sequence: int) -> None:
        """Record that a version is not current from an entry on."""
        connection.execute("UPDATE version SET until = ? WHERE id = ?", (sequence, version))

    def _withdraw(self, connection: sqlite3.Connection, version: int) -> None:
        """Mark a version as withdrawn: answers as of former entries omit it, except for curators."""
        connection.execute("UPDATE version SET withdrawn = 1 WHERE id = ?", (version,))

    def _remove(self, connection: sqlite3.Connection, version: int) -> None:
        self._take(connection, version)
        connection.execute("DELETE FROM version WHERE id = ?", (version,))

    def _recreated(self) -> sqlite3.Connection:
        for file in self._file.parent.glob(f"{self._file.name}*"):
            file.unlink()
        return self._opened()

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            # Deleted content is overwritten, since erased bytes must leave the file. The entries of a commit that a
            # power cut loses are applied again.
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
            layout = zlib.crc32(self.layout().encode()) >> 1
            (stored,) = connection.execute("PRAGMA user_version").fetchone()
            (mark,) = connection.execute("PRAGMA application_id").fetchone()
            self._erased = mark == _ERASED
            if not stored:
                connection.executescript(f"BEGIN; {self.layout()} PRAGMA user_version = {layout}; COMMIT;")
            elif stored != layout:
                raise sqlite3.DatabaseError("the tables are those of another version")
        except BaseException:
            connection.close()
            raise
        return connection

    def _truncate(self) -> None:
        """Write the file anew after an erasure, and empty the write-ahead log: both may still have what was erased.

        SQLite overwrites deleted rows (``secure_delete``), and not the copies that it leaves where it moves rows within
        a page: of a thousand deleted names about seven stay in the file.
        """
        with self._lock:
            if not self._erased:
                return
            try:
                self._connection.execute("VACUUM")
                (busy, *_) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                if not busy:
                    self._connection.execute("PRAGMA application_id = 0")
            except sqlite3.Error as error:
                raise self._broken(error) from error
            self._erased = bool(busy)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for one reader, with a read transaction: it sees one state of the view.

        A few connections are reused, since they keep their prepared statements.
        """
        file = self._files
        try:
            connection = self._reader()
            try:
                connection.execute("BEGIN")
                yield connection
                connection.execute("COMMIT")
                connection.set_progress_handler(None, 0)
            except BaseException:
                # Its state is unknown.
                connection.close()
                raise
        except sqlite3.Error as error:
            raise self._broken(error) from error
        except (LookupError, TypeError, ValueError, zlib.error) as error:
            # A number, a JSON text or a compressed list that this software did not write.
            raise self._broken(error) from error
        if len(self._idle) < self._most_idle and file == self._files:
            self._idle.append(connection)
        else:
            connection.close()

    def _reader(self) -> sqlite3.Connection:
        with suppress(IndexError):
            return self._idle.pop()
        address = f"{self._file.absolute().as_uri()}?mode=ro"
        return sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction; in ``together``, a savepoint, which can be rolled back without the entries before it."""
        begin, end, undo = "BEGIN IMMEDIATE", "COMMIT", ["ROLLBACK"]
        with self._lock:
            if self._together:
                begin, end, undo = "SAVEPOINT entry", "RELEASE entry", ["ROLLBACK TO entry", "RELEASE entry"]
            try:
                if self._together and not self._connection.in_transaction:
                    # SQLite itself ends a transaction after some errors, such as a full disk.
                    self._connection.execute("BEGIN IMMEDIATE")
                self._connection.execute(begin)
                try:
                    yield self._connection
                    self._connection.execute(end)
                except BaseException:
                    self._positions.clear()
                    for step in undo if self._connection.in_transaction else []:
                        self._connection.execute(step)
                    raise
            except sqlite3.Error as error:
                raise self._broken(error) from error

    def _settle(self) -> None:
        """Commit the entries that were applied together so far, and begin the next transaction."""
        start = time.monotonic()
        self._connection.execute("COMMIT")
        self._connection.execute("BEGIN IMMEDIATE")
        self._began = time.monotonic()
        self._wait = min((self._began - start) / _COMMIT_SHARE, _MAX_COMMIT_INTERVAL)

    def _broken(self, error: Exception) -> Damaged | NoSpace:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            return NoSpace(f"cannot write {self._file.parent.name}: the disk is full")
        return Damaged(
            f"the view in {self._file.parent} cannot be read or written ({error}); provrepo rebuild recreates it"
        )


@contextmanager
def until(connection: sqlite3.Connection, deadline: float | None, message: str) -> Iterator[None]:
    """A block whose statements are interrupted at the deadline, or when the client has gone.

    Args:
        connection: that of the statements.
        deadline: in seconds of ``time.monotonic``; None for none.
        message: of the error.

    Raises:
        TimedOut: the deadline has passed.
    """
    if deadline is not None:
        connection.set_progress_handler(lambda: client_gone() or time.monotonic() > deadline, _STEPS)
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            raise TimedOut(message) from error
        raise


def _dataset(connection: sqlite3.Connection, name: str) -> int | None:
    found = connection.execute("SELECT id FROM dataset WHERE name = ?", (name,)).fetchone()
    return None if found is None else int(found[0])


def _position(connection: sqlite3.Connection, dataset: int | None, project: str) -> int:
    found = connection.execute(
        "SELECT sequence FROM position WHERE dataset = ? AND project = ?", (dataset, project)
    ).fetchone()
    return 0 if found is None else int(found[0])
