"""What a session notes while it runs: one JSON object a line, flushed, so that a killed session can be recovered."""

from __future__ import annotations

import contextlib
import fcntl
import json
import threading
from pathlib import Path
from typing import IO, Any

from provrepo.capture.edge import LOG, quietly

__all__ = ["SUFFIX", "Event", "Journal", "load", "running"]

SUFFIX = ".journal"

Event = dict[str, Any]


class Journal:
    """The events of a session, in memory and, while the disk allows it, in a file.

    Args:
        path: the file, which must not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events: list[Event] = []
        self._lock = threading.Lock()
        self._file: IO[str] | None = None
        with quietly():
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = path.open("x", encoding="utf-8")
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                LOG.warning("no journal at %s (%s): a killed session will be lost", path, error.strerror)

    def write(self, event: Event) -> None:
        """Add one event."""
        line = json.dumps(event) + "\n"
        with self._lock, quietly():
            self.events.append(event)
            if self._file is not None:
                try:
                    self._file.write(line)
                    self._file.flush()
                except OSError as error:
                    LOG.warning("the journal %s ends early: %s", self.path, error.strerror)
                    self._close()

    def done(self) -> None:
        """Remove the file: the document holds what it held."""
        self._close()
        self.path.unlink(missing_ok=True)

    def leave(self) -> None:
        """Close the file and let it stay, for recovery."""
        self._close()

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):  # of a full disk, which was told when it was met
                file.close()


def running(path: Path) -> bool:
    """Whether the session that writes a journal is still alive: it holds a lock, which dies with it."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def load(path: Path) -> list[Event]:
    """The events of a journal, without a last line that a kill cut off."""
    events = []
    for line in path.read_bytes().split(b"\n"):
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and "event" in event:
            events.append(event)
    return events
