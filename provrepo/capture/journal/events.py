"""The journal of a session, from which a killed session is recovered: JSON arrays of events, one array a line.

Every process of a session appends to the same file. A line is one write into the page cache, which outlives the
process; nothing waits for the disk. A line begins with its line feed, so one that a kill cuts off damages no other.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from provrepo.capture.failures import quietly, warn_once
from provrepo.model.secrets import text

__all__ = [
    "COMPLETED", "FAILED", "OWN", "SUFFIX", "UNFINISHED", "Event", "Journal", "load", "masked", "paths",
    "reports_folder", "running",
]  # fmt: skip

SUFFIX = ".journal"

OWN = (SUFFIX, ".sent", ".unsent")
"""How the names of files end that capture keeps beside documents."""

COMPLETED, FAILED, UNFINISHED = "completed", "failed", "unfinished"
"""How an activity ends: the ``status`` of its ``end`` event."""

Event = dict[str, Any]

LONGEST = 2000
"""Characters of a URL, and of a statement of SQL, that are recorded."""


def masked(about: Event) -> Event:
    """Texts about a database or an answer of a server, without secrets."""
    return {key: text(value, LONGEST) for key, value in about.items()}


_encode = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode


class Journal:
    """The events of a session: in a file while the disk allows it and, where the session began here, in memory.

    Args:
        path: the file, absolute; it must not exist, unless ``joins``.
        joins: whether the file is that of a session that another process began.
    """

    def __init__(self, path: Path, *, joins: bool = False) -> None:
        self.path = path
        self._joins = joins
        self._lines: list[bytes] = []  # bytes: the garbage collector does not traverse them
        self._written = 0
        self._made_folder = False
        self._file: int | None = None
        self._identity: tuple[int, int] | None = None
        with quietly():
            try:
                self._open()
            except OSError as error:
                warn_once("no journal at %s (%s): a killed session will be lost", path, error.strerror)

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        if self._joins:
            self._file = os.open(self.path, flags)
        else:
            self._made_folder = not self.path.parent.exists()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, flags | os.O_CREAT | os.O_EXCL, 0o666)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._identity = _identity(self._file)

    def write(self, *events: Event) -> None:
        """Append events, in one write."""
        line = f"\n{_encode(events)}".encode()
        if not self._joins:
            self._lines.append(line)
        file = self._file
        if file is None:
            return
        try:
            # A program that closes all descriptors may have given this number to a file of its own.
            if _identity(file) != self._identity:
                self._file = None
                raise OSError(0, "it was closed")
            written = os.write(file, line)
            self._written += written
            if written < len(line):
                raise OSError(0, "the disk is full")
        except OSError as error:
            warn_once("the journal %s ends early: %s", self.path, error.strerror)
            self._close()

    def forked(self) -> None:
        """Reopen the file in a forked child, so that the lock ends with the process that holds it."""
        self._close()
        self._joins, self._lines = True, []
        with quietly(), contextlib.suppress(OSError):  # the session may have ended
            self._open()

    def whole(self) -> list[Event]:
        """All events: from memory or, where other processes appended to the file, from the file."""
        try:
            if self._file is None or os.fstat(self._file).st_size == self._written:
                return _parsed(self._lines)
            return load(self.path)
        except OSError:
            return _parsed(self._lines)

    def done(self, *, idle: bool = False) -> None:
        """Delete the file; the document contains its content.

        Args:
            idle: whether there is no document; a folder that was made for it is then deleted too.
        """
        self._close()
        self.path.unlink(missing_ok=True)
        if idle and self._made_folder:
            with contextlib.suppress(OSError):  # the folder is not empty
                self.path.parent.rmdir()

    def leave(self) -> None:
        """Close the file and keep it for recovery."""
        self._close()

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):  # a full disk, which was reported when it occurred
                os.close(file)


def _identity(file: int) -> tuple[int, int]:
    found = os.fstat(file)
    return found.st_dev, found.st_ino


def paths(event: Event) -> list[str]:
    """The paths of files that an event names."""
    return [event[key] for key in ("path", "database", "source", "target") if key in event]


def running(path: Path) -> bool:
    """Whether the session that writes a journal is running: it holds a lock until it ends."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def reports_folder(journal: Path) -> Path:
    """The folder of the reports to a session, beside its journal."""
    return journal.with_name(journal.name.removesuffix(SUFFIX) + ".reports")


def load(path: Path) -> list[Event]:
    """Read the events of a journal, without lines cut off by a kill."""
    with quietly():
        return _parsed(path.read_bytes().split(b"\n"))


def _parsed(lines: Iterable[bytes]) -> list[Event]:
    events: list[Event] = []
    for line in lines:
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, list):
            events += [event for event in found if isinstance(event, dict) and "event" in event]
    return events
