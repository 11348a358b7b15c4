"""The times of entries, where the clock of the machine was set back.

Entries are ordered by position, whatever their times are. The state of the ledger as of a time is a prefix of that
order: all entries up to the last one whose time is not later. So a later time never gives a shorter prefix. An entry
with a time in the future, from a wrong clock, counts from the time of the entries that followed it.

The entries of mirrors have times of other clocks and are left out. Their state as of a time is the prefix that their
origin had then.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from typing import NamedTuple

from provrepo.errors import Damaged
from provrepo.ledger.entries import recent

__all__ = ["Clock", "Setback", "compare"]

_log = logging.getLogger(__name__)

# CAST: SQLite would interpret a BLOB as JSONB, its own binary form.
_TIMES = (
    "SELECT position, json_extract(CAST(data AS TEXT), '$.time') AS time FROM entries "
    "WHERE position > ?1 AND position <= ?2 AND project <> '' AND stream IS NULL AND json_valid(CAST(data AS TEXT)) "
    "ORDER BY position"
)


class Setback(NamedTuple):
    """Two consecutive entries between which the clock was set back.

    Attributes:
        position: the position of the second entry, whose time is earlier than that of the first.
        before: the time of the first, xsd:dateTime in UTC.
        after: the time of the second.
    """

    position: int
    before: str
    after: str


class Clock:
    """The setbacks in one ledger. Each call reads only the entries that were appended since the last one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read = 0
        self._last = ""
        self._setbacks: list[Setback] = []

    def setbacks(self, connection: sqlite3.Connection) -> list[Setback]:
        """Return all setbacks, by position. Entries that cannot be read are skipped."""
        with self._lock:
            end = int(connection.execute("SELECT coalesce(max(position), 0) FROM entries").fetchone()[0])
            if end > self._read:
                new = (self._read, end)
                rows = connection.execute(
                    f"SELECT position, former, time FROM (SELECT position, time, lag(time, 1, ?3) OVER () AS former "  # noqa: S608
                    f"FROM ({_TIMES})) WHERE time < former",
                    (*new, self._last),
                ).fetchall()
                self._setbacks += [Setback(int(position), str(before), str(after)) for position, before, after in rows]
                last = connection.execute(f"{_TIMES} DESC LIMIT 1", new).fetchone()
                self._read, self._last = end, self._last if last is None else str(last[1])
            return list(self._setbacks)


def compare(connection: sqlite3.Connection, time: str) -> None:
    """Log a warning if an entry has an earlier time than the last one.

    Each setback is logged once, since the next entry is compared with this one.

    Args:
        connection: of the ledger, inside the transaction that appends.
        time: the time of the new entry.
    """
    last = connection.execute(
        "SELECT data FROM entries INDEXED BY entries_own WHERE stream IS NULL ORDER BY position DESC LIMIT 1"
    ).fetchone()
    try:
        before = "" if last is None else recent(last[0]).time
    except (Damaged, AttributeError, TypeError):
        return  # fsck reports it
    if time < before:
        _log.warning(
            "the clock of this machine was set back: the last entry is of %s, and it is %s now. Entries stay in the "
            "order in which they were appended",
            before,
            time,
        )
