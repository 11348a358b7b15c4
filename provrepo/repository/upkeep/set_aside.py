"""The record of set-aside entries, and the test for transient failures."""

from __future__ import annotations

import errno
import json
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from provrepo.errors import Busy, NoSpace, WorkerFailed
from provrepo.ledger.storage.durable import PRIVATE, make_directory, sync

__all__ = ["CONTENT", "LEDGER", "REMEDY", "SetAside", "is_transient"]

log = logging.getLogger("provrepo.repository.upkeep.set_aside")

REMEDY = "`provrepo rebuild` tries it again; `provrepo export --original` gives the bytes that were submitted"

LEDGER, CONTENT = "ledger", "content"
"""The parts besides views that can fail for an entry: reading it, and deriving its content file."""

_ERRNO = frozenset(
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EMFILE", "ENFILE", "ENOMEM", "EAGAIN", "EBUSY", "EINTR", "EDEADLK")
)
_SQLITE = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_CANTOPEN,  # no descriptor is left; a missing file would have been made
        sqlite3.SQLITE_IOERR_SHMSIZE,  # the file system is full
    }
)
_TEXTS = (
    *("No space left", "Too many open files", "Cannot allocate memory", "lock hold by", "Disk quota exceeded"),
    # For any reason, such as a Python that is being upgraded: the document is not the cause.
    "cannot start a worker process",
)
"""Messages of RocksDB (in Oxigraph) and of worker processes, which have no error numbers."""


def is_transient(error: BaseException) -> bool:
    """Return whether a failure is transient: lack of disk space, descriptors or memory, or a lock of another process.

    Causes (``__cause__``) count as well, since views wrap errors.
    """
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if isinstance(current, NoSpace | Busy | MemoryError):
            return True
        if isinstance(current, OSError) and current.errno in _ERRNO:
            return True
        if isinstance(current, sqlite3.Error) and _sqlite(current):
            return True
        if isinstance(current, OSError | RuntimeError | WorkerFailed) and any(text in str(current) for text in _TEXTS):
            return True
        current = current.__cause__
    return False


def _sqlite(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and (code in _SQLITE or code & 0xFF in _SQLITE)


class SetAside:
    """The set-aside entries, in a JSON file beside the views, whose positions are after these entries.

    Only the holder of ``views.lock`` writes the file. Any process may read it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._records: dict[str, dict[str, str]] | None = None
        self._loaded: tuple[int, ...] | None = None

    def add(self, project: str, sequence: int | None, part: str, reason: str) -> None:
        """Record an entry as set aside.

        Args:
            project: the project.
            sequence: the sequence number of the entry; None for the rest of the project.
            part: the name of the view that failed, ``LEDGER`` or ``CONTENT``.
            reason: the message of the failure.
        """
        reasons = self._load().setdefault(_key(project, sequence), {})
        if reasons.get(part) != reason:
            reasons[part] = reason
            self._save()

    def discard(self, project: str, sequence: int | None, part: str) -> None:
        """Remove the record of an entry for one part, which succeeded now."""
        records = self._load()
        reasons = records.get(_key(project, sequence), {})
        if reasons.pop(part, None) is not None:
            if not reasons:
                del records[_key(project, sequence)]
            self._save()

    def forget(self, part: str) -> None:
        """Remove all records for one part, whose view is rebuilt."""
        records = self._load()
        if any(part in reasons for reasons in records.values()):
            left = {key: {p: why for p, why in reasons.items() if p != part} for key, reasons in records.items()}
            self._records = {key: reasons for key, reasons in left.items() if reasons}
            self._save()

    def clear(self) -> None:
        """Remove all records, since every view is rebuilt."""
        if self._load() or self.unreadable():
            self._records = {}
            self._save()

    def reason(self, project: str, sequence: int) -> str | None:
        """Return why an entry was set aside, with the remedy; None if it was not."""
        reasons = self._load().get(_key(project, sequence))
        return None if reasons is None else _text(reasons)

    def views(self, project: str, sequence: int) -> tuple[str, ...]:
        """Return the names of the views that lack an entry, sorted; empty if it was not set aside.

        Every reader of the project may see these, unlike the reasons, which may contain paths of this machine.
        """
        parts = set(self._load().get(_key(project, sequence), ()))
        return ("every view",) if parts & {LEDGER, CONTENT} else tuple(sorted(parts))

    def of_project(self, project: str) -> list[int]:
        """Return the sequence numbers of the entries of a project that are set aside."""
        parts = (key.rpartition("/") for key in self._load())
        return [int(sequence) for name, _, sequence in parts if name == project and sequence.isdecimal()]

    def items(self) -> Iterator[tuple[str, str]]:
        """Return pairs of ``project/sequence`` or ``project``, and the reason with the remedy; sorted."""
        return ((key, _text(reasons)) for key, reasons in sorted(self._load().items()))

    def unreadable(self) -> str | None:
        """Return why the file cannot be read, as text; None if it can, or does not exist."""
        try:
            found = json.loads(self._file.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            return f"{self._file} cannot be read ({error})"
        sound = isinstance(found, dict) and all(
            isinstance(reasons, dict) and all(isinstance(why, str) for why in reasons.values())
            for reasons in found.values()
        )
        return None if sound else f"{self._file} contains what was never written"

    def __len__(self) -> int:
        return len(self._load())

    def _load(self) -> dict[str, dict[str, str]]:
        # Another process may have written it since: each write creates a new file.
        stamp = self._stamp()
        if self._records is None or stamp != self._loaded:
            self._loaded = stamp
            try:
                found = json.loads(self._file.read_text("utf-8"))
                self._records = {key: dict(reasons) for key, reasons in found.items()}
                for reasons in self._records.values():
                    _text(reasons)
            except (OSError, ValueError, AttributeError, TypeError):
                # The file is derived, like the views: if it cannot be read, only its records are lost.
                self._records = {}
        return self._records

    def _stamp(self) -> tuple[int, ...] | None:
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _save(self) -> None:
        partial = self._file.with_suffix(".part")
        try:
            make_directory(self._file.parent, mode=PRIVATE)
            with partial.open("w", encoding="utf-8") as file:
                json.dump(self._records, file, ensure_ascii=False, sort_keys=True, indent=1)
                file.flush()
                sync(file.fileno())
            partial.replace(self._file)
            self._loaded = self._stamp()
        except OSError as error:
            # The records stay in memory; the next one writes all of them.
            log.error("cannot write %s: %s", self._file, error)


def _key(project: str, sequence: int | None) -> str:
    return project if sequence is None else f"{project}/{sequence}"


def _text(reasons: dict[str, str]) -> str:
    causes = "; ".join(f"{part}: {reason}" for part, reason in sorted(reasons.items()))
    return f"{causes} ({REMEDY})"
