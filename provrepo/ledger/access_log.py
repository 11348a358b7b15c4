"""The access log: one line for each request that was answered, beside the ledger.

Lines of JSON (https://jsonlines.org) in files of one day (UTC) and of a bounded size, below ``access`` in the data
directory: ``tokens-2026-01-31-0001.jsonl`` has the requests with a token, ``strangers-…`` those without. Each of the
two has half of the space, so that a flood of strangers does not push out who read what is private. The files are no
part of the ledger: lines are appended and never changed, but not chained and not synced to disk.
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
"""Bytes of a line; a longer one is damaged."""

_PIECES = 16
"""Files among which the space of one series is divided: the smallest part that can be removed."""

_QUIET = timedelta(minutes=1)
"""Between two warnings."""

_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
"""A symbolic link is not followed: lines would be appended to a file that is none of the log."""

_SERIES = ("tokens", "strangers")

Line = tuple[str, dict[str, Any] | None]
"""Where a line stands, which names it for good; and what it has, or None where it is damaged."""


class AccessLog:
    """The access log of a data directory. Writing never fails: what cannot be written is counted."""

    def __init__(
        self,
        folder: Path,
        *,
        days: int,
        most: int,
        room: Callable[[], bool] = lambda: True,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Name the folder; nothing is made before something is written.

        Args:
            folder: of the files.
            days: how many days files are kept; 0 writes none.
            most: bytes of all files together.
            room: whether there is space for more lines.
            clock: the time, with a time zone.
        """
        self._folder = folder
        self._days = days
        self._room = room
        self._clock = clock
        self._writers = {name: _Series(folder, name, days, most // len(_SERIES)) for name in _SERIES}
        self._warned: datetime | None = None
        self.lost = 0

    def write(self, record: Mapping[str, Any], *, stranger: bool) -> bool:
        """Append a line, with the time before the record's own members.

        Returns:
            Whether it was written.
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
        """Whether the last warning is long enough ago: a disk that is nearly full fails at every other line."""
        at = self._clock()
        if self._warned is not None and abs(at - self._warned) < _QUIET:
            return False
        self._warned = at
        return True

    def lines(self, *, first: str = "", last: str = "9999", having: bytes = b"") -> Iterator[Line]:
        """The lines of some days, those of a file in their order.

        Args:
            first: the first day, as ``2026-01-31``.
            last: the last day.
            having: only lines with these bytes, and damaged ones.
        """
        for path in _files(self._folder):
            if not first <= _day(path) <= last:
                continue
            try:
                with path.open("rb") as file:
                    yield from _read(path.name, file.readline, having)
            except FileNotFoundError:
                continue  # it has been removed meanwhile, since it was too old
            except OSError as error:
                log.warning("%s cannot be read: %s", path, error)
                yield path.name, None

    def close(self) -> None:
        """Let go of the files."""
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
                # What is left of the line is found when the file is opened again.
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
        """Open the file of a day that has room for so many bytes; what is too old is removed."""
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
            self._size += os.write(file, b"\n")  # a line that was cut short stays one by itself
        return file

    def _sweep(self, today: str) -> None:
        """Remove what is too old, and the oldest files beyond the space that there is."""
        first = (datetime.fromisoformat(today) - timedelta(days=self._days - 1)).date().isoformat()
        kept = []
        for path in _files(self._folder, self._name):
            if _day(path) < first:
                path.unlink(missing_ok=True)
            else:
                kept.append((path, path.stat().st_size))
        left = sum(size for _, size in kept) + self._most // _PIECES
        for path, size in kept:
            if left <= self._most:
                break
            path.unlink(missing_ok=True)
            left -= size


def _files(folder: Path, series: str = "*") -> list[Path]:
    """The files of the log by day and number; others in the folder are left alone."""
    pattern = f"{series}-[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]-[0-9][0-9][0-9][0-9].jsonl"
    return sorted(folder.glob(pattern), key=lambda path: path.name.partition("-")[2])


def _day(path: Path) -> str:
    return path.name.partition("-")[2][:10]


def _read(name: str, readline: Callable[[int], bytes], having: bytes) -> Iterator[Line]:
    place = 0
    for line in iter(partial(readline, LONGEST), b""):
        whole = line.startswith(b"{") and line.endswith(b"}\n")
        if not whole:
            yield f"{name}:{place}", None
        elif having in line:
            yield f"{name}:{place}", _parsed(line)
        place += len(line)


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
