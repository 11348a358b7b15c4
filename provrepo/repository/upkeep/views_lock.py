"""The lock of the views: a file that one process has locked, with the addresses at which it answers others."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import IO, Any

__all__ = ["ViewsLock"]


class ViewsLock:
    """An advisory lock on a file. The system releases it when the process ends.

    The file contains the process identifier of the holder and, where the holder is a server, its URL and socket.
    """

    def __init__(self, path: Path) -> None:
        """Take the path of the file, which is created when the lock is acquired."""
        self._path = path
        self._file: IO[str] | None = None

    @property
    def acquired(self) -> bool:
        """Whether this process holds the lock."""
        return self._file is not None

    def acquire(self, url: str = "") -> bool:
        """Acquire the lock without waiting; return whether this process holds it now."""
        if self._file is None:
            file = self._path.open("a+", encoding="utf-8")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.close()
                return False
            self._file = file
        self.announce(url)
        return True

    def announce(self, url: str, socket: str = "") -> None:
        """Write this process and its addresses into the file, if it holds the lock.

        Args:
            url: of the server; empty where this process is none.
            socket: the path of the socket for other processes of the same user; empty where there is none.
        """
        if self._file is not None:
            self._file.seek(0)
            self._file.truncate()
            json.dump({"pid": os.getpid(), "url": url, "socket": socket}, self._file)
            self._file.flush()

    def holder(self) -> dict[str, Any]:
        """Return what the last holder wrote: ``pid``, ``url`` and ``socket``; empty where the file is unreadable."""
        try:
            found = json.loads(self._path.read_text("utf-8") or "{}")
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def release(self) -> None:
        """Release the lock. Releasing it again does nothing."""
        if self._file is not None:
            self._file.close()
            self._file = None
