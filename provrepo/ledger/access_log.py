"""The access log: one line for each answered request, in files beside the ledger.

The files are JSON Lines (https://jsonlines.org) below ``access`` in the data directory. Each covers one day (UTC) and
has a bounded size. ``tokens-2026-01-31-0001.jsonl`` contains the requests with a token, ``strangers-…`` those without.
Each series has half of the space, so that many anonymous requests do not displace the records of who read private data.
The log is not part of the ledger: lines are appended and never changed, but neither chained nor synced to disk.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from provrepo.ledger.entries import timestamp

__all__ = ["AccessLog", "Line"]

log = logging.getLogger("provrepo.access")

LONGEST = 16 << 10
"""The most bytes of a line; a longer line is treated as damaged."""

_PIECES = 16
"""The space of one series divided by the size of one file, which is the smallest part that can be removed."""

_QUIET = timedelta(minutes=1)
"""The least time between two warnings."""

_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
"""Symbolic links are not followed: lines would be appended to a file outside of the log."""

_SERIES = ("tokens", "strangers")

Line = tuple[str, dict[str, Any] | None]
"""``file:offset``, a permanent identifier of the line, and its JSON object; None where the line is damaged."""


class AccessLog:
    """The access log of a data directory. Writing never raises: lines that cannot be written are counted.

    Attributes:
        lost: the number of lines that could not be written since the last warning about it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        days: int,
        most: int,
        room: Callable[[], bool] = lambda: True,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take the folder, which is created by the first write.

        Args:
            folder: of the files.
            days: how many days files are kept; 0 turns the log off.
            most: the most bytes of all files together.
            room: returns whether the disk has space for more lines.
            clock: returns the current time, with a time zone.
        """
        self._folder = folder
        self._days = days
        self._room = room
        self._clock = clock
        self._writers = {name: _Series(folder, name, days, most // len(_SERIES)) for name in _SERIES}
        self._warned: datetime | None = None
        self.lost = 0

    def write(self, record: Mapping[str, Any], *, stranger: bool) -> bool:
        """Append a record as one line, preceded by its time.

        Args:
            record: the members of the JSON object.
            stranger: whether the request had no token.

        Returns:
            Whether the line was written.
        """
        if not self._days:
            return False
        try:
            if not self._room():
                raise OSError("the disk has too little space left")
            self._writers[_SERIES[stranger]].append(self._clock(), record)
        except OSError as error:
            self.lost += 1
            if self._may_warn():
                log.warning("the access log cannot be written, requests are answered without it: %s", error)
            return False
        if self.lost and self._may_warn():
            log.warning("the access log is written again; %d requests are not in it", self.lost)
            self.lost = 0
        return True

    def _may_warn(self) -> bool:
        """Return whether the last warning is long enough ago: a nearly full disk may fail at every other line."""
        at = self._clock()
        if self._warned is not None and abs(at - self._warned) < _QUIET:
            return False
        self._warned = at
        return True

    def lines(self, *, first: str = "", last: str = "9999", having: bytes = b"") -> Iterator[Line]:
        """Yield the lines of some days, file by file.

        Args:
            first: the first day, as ``2026-01-31``.
            last: the last day.
            having: only lines that contain these bytes, and damaged lines.
        """
        for path in _files(self._folder):
            if not first <= _day(path) <= last:
                continue
            try:
                with path.open("rb") as file:
                    yield from _read(path.name, file.readline, having)
            except FileNotFoundError:
                continue  # it was too old and has just been removed
            except OSError as error:
                log.warning("%s cannot be read: %s", path, error)
                yield path.name, None

    def close(self) -> None:
        """Close the files."""
        for writer in self._writers.values():
            writer.close()


class _Series:
    """The files of one series, of which the newest is written."""

    def __init__(self, folder: Path, name: str, days: int, most: int) -> None:
        self._folder = folder
        self._name = name
        self._days = days
        self._most = most
        self._lock = threading.Lock()
        self._file: int | None = None
        self._day = ""
        self._size = 0
        self._last = ""

    def append(self, at: datetime, record: Mapping[str, Any]) -> None:
        with self._lock:
            # A clock that is set back does not change the order of lines.
            time = self._last = max(self._last, timestamp(at))
            line = json.dumps({"time": time, **record}, separators=(",", ":")).encode() + b"\n"
            file = self._file
            if file is None or self._day != time[:10] or self._size + len(line) > self._most // _PIECES:
                file = self._open(time[:10], len(line))
            try:
                written = os.write(file, line)
            except OSError:
                self._close()
                raise
            self._size += written
            if written < len(line):
                # The partial line is terminated when the file is opened again.
                self._close()
                raise OSError("the disk is full")

    def close(self) -> None:
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self, day: str, needed: int) -> int:
        """Open the file of a day with space for so many bytes, and remove files that are too old."""
        self._close()
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._sweep(day)
        known = [path for path in _files(self._folder, self._name) if _day(path) == day]
        number = int(known[-1].stem[-4:]) if known else 1
        if known and known[-1].stat().st_size + needed > self._most // _PIECES and number < 9999:
            number += 1
        path = self._folder / f"{self._name}-{day}-{number:04}.jsonl"
        file = self._file = os.open(path, _FLAGS, 0o600)
        self._day, self._size = day, os.fstat(file).st_size
        if self._size and os.pread(file, 1, self._size - 1) != b"\n":
            self._size += os.write(file, b"\n")  # a truncated line stays a line of its own
        return file

    def _sweep(self, today: str) -> None:
        """Remove the files that are too old, and the oldest files beyond the space of the series."""
        first = (datetime.fromisoformat(today) - timedelta(days=self._days - 1)).date().isoformat()
        files = []
        for path in _files(self._folder, self._name):
            if _day(path) < first:
                path.unlink(missing_ok=True)
            else:
                files.append((path, path.stat().st_size))
        left = sum(size for _, size in files) + self._most // _PIECES
        for path, size in files:
            if left <= self._most:
                break
            path.unlink(missing_ok=True)
            left -= size


def _files(folder: Path, series: str = "*") -> list[Path]:
    """Return the files of the log by day and number. Other files in the folder are ignored."""
    pattern = f"{series}-[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]-[0-9][0-9][0-9][0-9].jsonl"
    return sorted(folder.glob(pattern), key=lambda path: path.name.partition("-")[2])


def _day(path: Path) -> str:
    return path.name.partition("-")[2][:10]


def _read(name: str, readline: Callable[[int], bytes], having: bytes) -> Iterator[Line]:
    offset = 0
    for line in iter(partial(readline, LONGEST), b""):
        whole = line.startswith(b"{") and line.endswith(b"}\n")
        if not whole:
            yield f"{name}:{offset}", None
        elif having in line:
            yield f"{name}:{offset}", _parsed(line)
        offset += len(line)


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
