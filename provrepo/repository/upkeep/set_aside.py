"""Entries that a view could not take, and which failures are worth another try."""

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
"""What else than a view can fail for an entry: reading it, and making its content file."""

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
    # Whatever the reason, such as a Python that is being upgraded: it is not the document.
    "cannot start a worker process",
)
"""What RocksDB below Oxigraph and worker processes say, neither of which give error numbers."""


def is_transient(error: BaseException) -> bool:
    """Whether a failure may go away by itself: want of space, descriptors or memory, or a lock that is held.

    Causes are looked through too, since views name the view in an error of their own.
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
    """The entries that were set aside, in a JSON file beside the views: positions in the views have gone past them.

    Only the holder of ``views.lock`` writes it. Any process may read it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, dict[str, str]] | None = None
        self._seen: tuple[int, ...] | None = None

    def add(self, project: str, sequence: int | None, part: str, reason: str) -> None:
        """Write an entry down.

        Args:
            project: the project.
            sequence: the entry's number in it; None for the rest of the project.
            part: the view that could not take it, or what else failed.
            reason: why.
        """
        reasons = self._load().setdefault(_key(project, sequence), {})
        if reasons.get(part) != reason:
            reasons[part] = reason
            self._save()

    def discard(self, project: str, sequence: int | None, part: str) -> None:
        """Forget that an entry was set aside for one part, which has taken it now."""
        known = self._load()
        reasons = known.get(_key(project, sequence), {})
        if reasons.pop(part, None) is not None:
            if not reasons:
                del known[_key(project, sequence)]
            self._save()

    def forget(self, part: str) -> None:
        """Forget what was set aside for one part: the view is made anew."""
        known = self._load()
        if any(part in reasons for reasons in known.values()):
            kept = {key: {p: why for p, why in reasons.items() if p != part} for key, reasons in known.items()}
            self._known = {key: reasons for key, reasons in kept.items() if reasons}
            self._save()

    def clear(self) -> None:
        """Forget all: every view is made anew."""
        if self._load() or self.unreadable():
            self._known = {}
            self._save()

    def reason(self, project: str, sequence: int) -> str | None:
        """The reason why an entry was set aside, with the remedy; None where it was not."""
        reasons = self._load().get(_key(project, sequence))
        return None if reasons is None else _text(reasons)

    def views(self, project: str, sequence: int) -> tuple[str, ...]:
        """The views that an entry is missing from, sorted; empty where it was not set aside.

        Unlike the reasons, which may name files of this machine, these are for whoever may read the project.
        """
        parts = set(self._load().get(_key(project, sequence), ()))
        return ("every view",) if parts & {LEDGER, CONTENT} else tuple(sorted(parts))

    def items(self) -> Iterator[tuple[str, str]]:
        """``project/sequence`` or ``project``, and the reason with the remedy; sorted."""
        return ((key, _text(reasons)) for key, reasons in sorted(self._load().items()))

    def unreadable(self) -> str | None:
        """Why the file cannot be read, in words; None where it can, or where there is none."""
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
        return None if sound else f"{self._file} holds what was never written"

    def __len__(self) -> int:
        return len(self._load())

    def _load(self) -> dict[str, dict[str, str]]:
        # Another process may have written it since: each writing makes a new file.
        stamp = self._stamp()
        if self._known is None or stamp != self._seen:
            self._seen = stamp
            try:
                found = json.loads(self._file.read_text("utf-8"))
                self._known = {key: dict(reasons) for key, reasons in found.items()}
                for reasons in self._known.values():
                    _text(reasons)
            except (OSError, ValueError, AttributeError, TypeError):
                # Derived like the views: a file that cannot be read costs no more than what it listed.
                self._known = {}
        return self._known

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
                json.dump(self._known, file, ensure_ascii=False, sort_keys=True, indent=1)
                file.flush()
                sync(file.fileno())
            partial.replace(self._file)
            self._seen = self._stamp()
        except OSError as error:
            # This process still knows; the next entry that is set aside writes all of them.
            log.error("cannot write %s: %s", self._file, error)


def _key(project: str, sequence: int | None) -> str:
    return project if sequence is None else f"{project}/{sequence}"


def _text(reasons: dict[str, str]) -> str:
    causes = "; ".join(f"{part}: {reason}" for part, reason in sorted(reasons.items()))
    return f"{causes} ({REMEDY})"
