"""SQLite as the ledger needs it: durable commits, a connection for each thread, and errors of our own."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from provrepo.errors import Busy, Damaged, Denied, Error, NoSpace, NotAvailable
from provrepo.ledger.migrations import is_current, migrate
from provrepo.ledger.storage import durable, reading

__all__ = ["Database", "translate"]

_PRAGMAS = (
    # Every commit waits for the medium. NORMAL would lose acknowledged commits in a power cut.
    "PRAGMA synchronous = FULL",
    # macOS: fsync alone stops at the drive's cache. No effect elsewhere.
    "PRAGMA fullfsync = ON",
    "PRAGMA checkpoint_fullfsync = ON",
    "PRAGMA foreign_keys = ON",
    # A schema that somebody tampered with cannot call functions with side effects.
    "PRAGMA trusted_schema = OFF",
)

_STEP = 1024
"""Pages of a database that are copied in one step: 4 MiB."""

_BUSY = "others kept writing to {} all the time; try again"


@dataclass(slots=True)
class _Link:
    """A thread's connection. The lock is held while it is in use, so that ``close`` never pulls it away."""

    connection: sqlite3.Connection
    lock: threading.RLock = field(default_factory=threading.RLock)


class Database:
    """One SQLite file, used by many threads and processes at once.

    Attributes:
        file: the database.
        timeout: how long a writer waits for the others, in seconds.
        read_only: whether nothing can be written to it.
    """

    def __init__(
        self,
        file: Path,
        *,
        timeout: float = 30.0,
        prepare: Callable[[sqlite3.Connection], None] = migrate,
        current: Callable[[sqlite3.Connection], bool] = is_current,
        scratch: Path | None = None,
        immutable: bool = False,
    ) -> None:
        """Open the database; make and migrate it where needed.

        Args:
            file: the database.
            timeout: how long a writer waits for the others, in seconds.
            prepare: brings the schema up to date, in one transaction; raises Damaged for what it does not know.
            current: whether the schema is up to date.
            scratch: a folder of this process; given, the database is only read, or a copy of it in this folder.
            immutable: only read, and without a log: it is known that no process writes it.

        Raises:
            Damaged: it cannot be opened, is no database of ours, or is one of a newer version.
            Busy: another process kept it locked for longer than ``timeout``.
        """
        self.file = file
        self.timeout = timeout
        self._closed = False
        self._guard = threading.Lock()
        self._links: dict[threading.Thread, _Link] = {}
        # Threads of this process queue here: SQLite's own waiting is a poll, and not fair.
        self._writer = threading.Lock()
        self._source: reading.Readable | None = None
        self._state: tuple[int, ...] | None = None
        if immutable:
            self._source = reading.Readable(file, immutable=True)
        elif scratch is not None:
            self._source = reading.find(file, scratch, current)
            self._state = self._found() if self._source.immutable else None
        if self._source is not None:
            if self._source.copy:
                with self.reading() as connection:
                    prepare(connection)
            return
        with durable.translated(f"make the data directory {file.parent}"):
            durable.make_directory(file.parent, mode=durable.PRIVATE)
        # Whoever only reads a repository needs to write there, too: SQLite has its log beside the database.
        with durable.translated(f"open {file} for reading and writing"):
            durable.make_file(file)
        try:
            with self.reading() as connection:
                prepare(connection)
                self._use_wal(connection)
            with durable.translated(f"make {file} durable"):
                durable.sync_directory(file.parent)
        except BaseException:
            self.close()
            raise

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written to it."""
        return self._source is not None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection, outside of a transaction.

        Every statement sees what is committed when it starts. Fetch all rows of one before leaving or yielding: an
        unfinished statement keeps the log from being reset.

        Raises:
            Busy: another process writes a database that was opened to be only read.
            Error: whatever SQLite reports, translated.
        """
        if self._state is not None and self._state != self._found():
            raise Busy(f"another process has begun to write {self.file}; open it again")
        link = self._link()
        with link.lock, self._translated():
            yield link.connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection inside a transaction, committed durably at the end, rolled back by any exception.

        Raises:
            Busy: others kept writing for longer than ``timeout``.
            NoSpace: the disk is full.
            Denied: it was opened to be only read.
            RuntimeError: the thread is inside a transaction already.
            Error: whatever else SQLite reports, translated.
        """
        if self.read_only:
            raise Denied(f"{self.file.parent} can only be read here: this user may not write it, or it is mounted so")
        link = self._link()
        with link.lock:
            if link.connection.in_transaction:
                raise RuntimeError("transactions do not nest")
            if not self._writer.acquire(timeout=self.timeout):
                raise Busy(_BUSY.format(self.file))
            try:
                with self._translated():
                    yield from _transaction(link.connection)
            finally:
                self._writer.release()

    def copy_to(self, target: Path, progress: Callable[[str, int], None] | None = None) -> None:
        """Copy what is committed now to a new file, durably; writers go on meanwhile.

        The copy has no write-ahead log, so that the one file is all of it.

        Args:
            target: does not exist.
            progress: called with what was done and the number of pages of the database that were copied.

        Raises:
            NoSpace: there is no room for it.
            Error: whatever SQLite reports, translated.
        """
        with durable.translated(f"write {target}"):
            durable.make_file(target)
        try:
            with self.reading() as connection, closing(sqlite3.connect(target, isolation_level=None)) as copy:
                # In a transaction, so that all steps copy one state.
                connection.execute("BEGIN")
                try:
                    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
                    connection.backup(copy, pages=_STEP, progress=_steps(progress))
                finally:
                    connection.execute("ROLLBACK")
                copy.execute("PRAGMA journal_mode = DELETE")
            with durable.translated(f"write {target}"), target.open("rb") as file:
                durable.sync(file.fileno())
        except BaseException:
            target.unlink(missing_ok=True)
            raise

    def close(self) -> None:
        """Close the connections of all threads, waiting for what they are doing. Closing again does nothing."""
        with self._guard:
            self._closed = True
            links, self._links = list(self._links.values()), {}
        for link in links:
            with link.lock:
                link.connection.close()

    def _link(self) -> _Link:
        thread = threading.current_thread()
        with self._guard:
            if self._closed:
                raise self._gone()
            link = self._links.get(thread)
            if link is None:
                for finished in [other for other in self._links if not other.is_alive()]:
                    self._links.pop(finished).connection.close()
                with self._translated():
                    link = self._links[thread] = _Link(self._connect())
            return link

    def _found(self) -> tuple[int, ...]:
        """What changes when another process writes the file, or makes a log beside it."""
        found = self.file.stat()
        log = self.file.with_name(f"{self.file.name}-wal")
        return found.st_ino, found.st_size, found.st_mtime_ns, log.stat().st_size if log.exists() else 0

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.file if self._source is None else reading.uri(self._source),
            uri=self._source is not None,
            timeout=self.timeout,
            isolation_level=None,
            check_same_thread=False,  # `close` may be called by any thread
        )
        try:
            for pragma in _PRAGMAS:
                connection.execute(pragma)
        except BaseException:
            connection.close()
            raise
        return connection

    def _use_wal(self, connection: sqlite3.Connection) -> None:
        # Changing the journal mode does not wait for others by itself.
        deadline = time.monotonic() + self.timeout
        while True:
            try:
                mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            except sqlite3.OperationalError as error:
                if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                break
        if mode != "wal":
            raise Damaged(f"{self.file} cannot have a write-ahead log here: the data directory must be on a local disk")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.ProgrammingError, sqlite3.InterfaceError) as error:
            if self._closed:
                raise self._gone() from error
            raise  # a mistake in our own code, which no user can mend
        except sqlite3.Error as error:
            raise translate(error, self.file) from error

    def _gone(self) -> NotAvailable:
        return NotAvailable(f"{self.file} has been closed")


def translate(error: sqlite3.Error, file: Path) -> Error:
    """What SQLite reports, as an error of provrepo."""
    code = _code(error)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Busy(_BUSY.format(file))
    if code == sqlite3.SQLITE_FULL:
        return NoSpace(f"cannot write {file}: the disk is full; nothing was stored")
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_AUTH):
        return Damaged(f"cannot open or write {file} ({error}): check that the directory exists and who may write it")
    if code == sqlite3.SQLITE_IOERR:
        return Damaged(f"the disk failed to read or write {file} ({error})")
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return Damaged(f"{file} is no SQLite database, or a broken one ({error}): restore it from a backup")
    return Damaged(f"{file}: {error}")


def _steps(progress: Callable[[str, int], None] | None) -> Callable[[int, int, int], None] | None:
    """What SQLite calls after each step of a copy."""
    if progress is None:
        return None
    return lambda _status, remaining, total: progress("pages of the ledger", total - remaining)


def _code(error: sqlite3.Error) -> int:
    """The primary result code; 0 for errors that Python found by itself."""
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
