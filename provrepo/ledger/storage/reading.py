"""Opening a database where nothing can be written: a read-only mount, a copy without permissions, another user's.

SQLite reads a database with a write-ahead log only where it can write the log's index (``-shm``), or where that exists.
So there are three ways, and the first that serves is taken (https://www.sqlite.org/wal.html#readonly):

1. The log and its index are there: another process has the database open, or was killed. It is opened read-only, and
   locks keep both apart.
2. There is no log, or an empty one, and the schema is that of this version: the file alone is the whole database.
3. Otherwise both files are copied to a folder of this process, and the copy is opened, migrated where it is old.
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
    """How a database is read.

    Attributes:
        file: what is opened: the database, or a copy of it.
        immutable: whether the file alone is read, without a log and without locks.
        copy: whether it is a copy, which belongs to this process.
    """

    file: Path
    immutable: bool = False
    copy: bool = False


def is_writable(data: Path) -> bool:
    """Whether this process may write to an existing data directory and the ledger in it."""
    return os.access(data, os.W_OK | os.X_OK) and os.access(data / "ledger.sqlite", os.W_OK)


def uri(readable: Readable) -> str:
    """What SQLite is to open; see https://www.sqlite.org/uri.html."""
    mode = "rw" if readable.copy else "ro"
    return f"file:{quote(os.fspath(readable.file.absolute()))}?mode={mode}{'&immutable=1' * readable.immutable}"


def find(file: Path, scratch: Path, current: Callable[[sqlite3.Connection], bool]) -> Readable:
    """The way in which a database can be read.

    Args:
        file: the database.
        scratch: a folder of this process, for a copy.
        current: whether the schema is that of this version.

    Raises:
        Damaged: it cannot be read.
        Busy: another process writes it, and so it cannot be copied.
        NoSpace: a copy is needed, and there is no room for it.
    """
    if not os.access(file, os.R_OK):
        raise Damaged(f"cannot read {file}: check who may read the data directory")
    # The log is looked at last: a process that opens the database meanwhile would make one.
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
