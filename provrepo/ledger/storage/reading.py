"""Opening a read-only database: on a read-only mount, without permissions, or of another user.

SQLite reads a database with a write-ahead log only if it can write the log's index (``-shm``), or if that exists. So
there are three ways, and the first possible one is used (https://www.sqlite.org/wal.html#readonly):

1. The log and its index exist: another process has the database open, or was killed. The database is opened read-only,
   with locks.
2. There is no log, or an empty one, and the schema is that of this version: the file alone is the whole database.
3. Otherwise both files are copied to a folder of this process. The copy is opened, and migrated if its schema is old.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from provrepo.errors import Busy, Damaged
from provrepo.ledger.storage import durable

__all__ = ["Readable", "find", "is_writable", "uri"]

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Readable:
    """A file that can be opened for reading, and how.

    Attributes:
        file: the database, or a copy of it.
        immutable: whether the file alone is read, without a log and without locks.
        copy: whether the file is a copy, which belongs to this process.
    """

    file: Path
    immutable: bool = False
    copy: bool = False


def is_writable(data: Path) -> bool:
    """Return whether this process may write to an existing data directory and its ledger."""
    return os.access(data, os.W_OK | os.X_OK) and os.access(data / "ledger.sqlite", os.W_OK)


def uri(readable: Readable) -> str:
    """Return the URI that SQLite opens; see https://www.sqlite.org/uri.html."""
    mode = "rw" if readable.copy else "ro"
    return f"file:{quote(os.fspath(readable.file.absolute()))}?mode={mode}{'&immutable=1' * readable.immutable}"


def find(file: Path, scratch: Path, current: Callable[[sqlite3.Connection], bool]) -> Readable:
    """Return the first way in which a database can be read.

    Args:
        file: the database.
        scratch: a folder of this process, for a copy.
        current: returns whether the schema is that of this version.

    Raises:
        Damaged: the database cannot be read.
        Busy: it has to be copied, and another process kept writing it.
        NoSpace: it has to be copied, and the disk is full.
    """
    if not os.access(file, os.R_OK):
        raise Damaged(f"cannot read {file}: check who may read the data directory")
    # The log is checked last: a process that opens the database meanwhile would create one.
    for readable in (Readable(file), Readable(file, immutable=True)):
        if readable.immutable and _size(_log(file)):
            break
        if _readable(readable, current):
            return readable
    return _copied(file, scratch)


def _readable(readable: Readable, current: Callable[[sqlite3.Connection], bool]) -> bool:
    connection = sqlite3.connect(uri(readable), uri=True, isolation_level=None)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return current(connection)
    except sqlite3.OperationalError:
        return False
    finally:
        connection.close()


def _copied(file: Path, scratch: Path) -> Readable:
    copy = scratch / file.name
    for _ in range(_TRIES):
        before = _state(file), _state(_log(file))
        with durable.translated(f"copy {file} to read it"):
            shutil.copyfile(file, copy)
            _log(copy).unlink(missing_ok=True)
            if _size(_log(file)):
                shutil.copyfile(_log(file), _log(copy))
        if before == (_state(file), _state(_log(file))):
            return Readable(copy, copy=True)
    raise Busy(f"another process kept writing {file} while it was copied; try again")


def _log(file: Path) -> Path:
    return file.with_name(f"{file.name}-wal")


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
