"""SQLite with durable commits, one connection for each thread, and translated errors."""

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
from provrepo.limits import LOCK_WAIT

__all__ = ["Database", "translate"]

_PRAGMAS = (
    # Every commit waits for the disk. NORMAL would lose acknowledged commits in a power cut.
    "PRAGMA synchronous = FULL",
    # macOS: fsync alone does not flush the cache of the drive. No effect elsewhere.
    "PRAGMA fullfsync = ON",
    "PRAGMA checkpoint_fullfsync = ON",
    "PRAGMA foreign_keys = ON",
    # A schema that was tampered with cannot call functions with side effects.
    "PRAGMA trusted_schema = OFF",
)

_STEP = 1024
"""The pages of a database that are copied in one step: 4 MiB."""

_BUSY = "other processes kept writing to {}; try again"


@dataclass(slots=True)
class _ThreadConnection:
    """The connection of one thread. The lock is held while it is in use, so that ``close`` waits for it."""

    connection: sqlite3.Connection
    lock: threading.RLock = field(default_factory=threading.RLock)


class Database:
    """One SQLite file, used by many threads and processes at once.

    Attributes:
        file: the database.
        timeout: seconds that a writer waits for other writers.
        read_only: whether it was opened for reading only.
    """

    def __init__(
        self,
        file: Path,
        *,
        timeout: float = LOCK_WAIT,
        prepare: Callable[[sqlite3.Connection], None] = migrate,
        current: Callable[[sqlite3.Connection], bool] = is_current,
        scratch: Path | None = None,
        immutable: bool = False,
        secure_delete: bool = False,
    ) -> None:
        """Open the database, and create or migrate it if needed.

        Args:
            file: the database.
            timeout: seconds that a writer waits for other writers.
            prepare: brings the schema up to date, in one transaction; raises Damaged for an unknown schema.
            current: returns whether the schema is up to date.
            scratch: a folder of this process. If it is given, the database, or a copy of it in this folder, is opened
                for reading only.
            immutable: open for reading only and without a log, since no process writes the database.
            secure_delete: overwrite deleted content with zeros.

        Raises:
            Damaged: the database cannot be opened, belongs to another program, or is of a newer version.
            Busy: another process kept it locked for longer than ``timeout``.
        """
        self.file = file
        self.timeout = timeout
        self._pragmas = (*_PRAGMAS, "PRAGMA secure_delete = ON") if secure_delete else _PRAGMAS
        self._closed = False
        self._guard = threading.Lock()
        self._connections: dict[threading.Thread, _ThreadConnection] = {}
        # The writing threads of this process queue here, since SQLite polls and is not fair.
        self._writer = threading.Lock()
        self._source: reading.Readable | None = None
        self._state: tuple[int, ...] | None = None
        if immutable:
            self._source = reading.Readable(file, immutable=True)
        elif scratch is not None:
            self._source = reading.find(file, scratch, current)
            self._state = self._stamp() if self._source.immutable else None
        if self._source is not None:
            if self._source.copy:
                with self.reading() as connection:
                    prepare(connection)
            return
        with durable.translated(f"make the data directory {file.parent}"):
            durable.make_directory(file.parent, mode=durable.PRIVATE)
        # Even readers need write access: SQLite writes its log beside the database.
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
        """Whether it was opened for reading only."""
        return self._source is not None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection of this thread, outside of a transaction.

        Every statement sees the state that is committed when it starts. Fetch all its rows before the block ends or
        yields: an unfinished statement prevents a reset of the log.

        Raises:
            Busy: the database was opened as immutable, and another process writes it.
            Error: any error of SQLite, translated.
        """
        if self._state is not None and self._state != self._stamp():
            raise Busy(f"another process has begun to write {self.file}; open it again")
        own = self._own()
        with own.lock, self._translated():
            yield own.connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection of this thread in a transaction, committed durably at the end or rolled back.

        Raises:
            Busy: others kept writing for longer than ``timeout``.
            NoSpace: the disk is full.
            Denied: the database was opened for reading only.
            RuntimeError: the thread is inside a transaction already.
            Error: any other error of SQLite, translated.
        """
        if self.read_only:
            raise Denied(f"{self.file.parent} is read-only here: this user may not write it, or the mount is read-only")
        own = self._own()
        with own.lock:
            if own.connection.in_transaction:
                raise RuntimeError("transactions do not nest")
            if not self._writer.acquire(timeout=self.timeout):
                raise Busy(_BUSY.format(self.file))
            try:
                with self._translated():
                    yield from _transaction(own.connection)
            finally:
                self._writer.release()

    def copy_to(self, target: Path, progress: Callable[[str, int], None] | None = None) -> None:
        """Copy the committed state to a new file, durably. Writers are not blocked.

        The copy has no write-ahead log: the file is the whole database.

        Args:
            target: the new file.
            progress: called with a text and the number of pages that were copied.

        Raises:
            NoSpace: the disk is full.
            Error: any error of SQLite, translated.
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

    def rewrite(self) -> None:
        """Write the file anew and empty its log, so that neither contains what was deleted or replaced.

        SQLite leaves such content in free pages and in the log, and copies of rows that it moved within a page. Others
        wait meanwhile; it takes as long, and needs as much space, as a copy of the database.

        Raises:
            Busy: others kept using the database for longer than ``timeout``; call this again.
            NoSpace: the disk is full.
            Denied: the database was opened for reading only.
            Error: any other error of SQLite, translated.
        """
        with self.writing():
            pass  # raises what a writer would get, before anything is done
        own = self._own()
        with own.lock, self._writer, self._translated():
            own.connection.execute("VACUUM")
            # It waits for readers as long as a writer waits, since the timeout of the connection applies.
            (busy, *_) = own.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise Busy(_BUSY.format(self.file))

    def close(self) -> None:
        """Close the connections of all threads, after their current statements. Closing again does nothing."""
        with self._guard:
            self._closed = True
            connections, self._connections = list(self._connections.values()), {}
        for own in connections:
            with own.lock:
                own.connection.close()

    def _own(self) -> _ThreadConnection:
        thread = threading.current_thread()
        with self._guard:
            if self._closed:
                raise self._closed_error()
            own = self._connections.get(thread)
            if own is None:
                for finished in [other for other in self._connections if not other.is_alive()]:
                    self._connections.pop(finished).connection.close()
                with self._translated():
                    own = self._connections[thread] = _ThreadConnection(self._connect())
            return own

    def _stamp(self) -> tuple[int, ...]:
        """Return values that change when another process writes the file, or creates a log beside it."""
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
            for pragma in self._pragmas:
                connection.execute(pragma)
        except BaseException:
            connection.close()
            raise
        return connection

    def _use_wal(self, connection: sqlite3.Connection) -> None:
        # SQLite does not wait for other processes when it changes the journal mode.
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
                raise self._closed_error() from error
            raise  # a bug in this package
        except sqlite3.Error as error:
            raise translate(error, self.file) from error

    def _closed_error(self) -> NotAvailable:
        return NotAvailable(f"{self.file} has been closed")


def translate(error: sqlite3.Error, file: Path) -> Error:
    """Return the error of provrepo for an error of SQLite."""
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
        return Damaged(f"{file} is not an SQLite database, or is damaged ({error}): restore it from a backup")
    return Damaged(f"{file}: {error}")


def _steps(progress: Callable[[str, int], None] | None) -> Callable[[int, int, int], None] | None:
    """Return the function that SQLite calls after each step of a copy."""
    if progress is None:
        return None
    return lambda _status, remaining, total: progress("pages of the ledger", total - remaining)


def _code(error: sqlite3.Error) -> int:
    """Return the primary result code; 0 for errors that Python raised itself."""
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
