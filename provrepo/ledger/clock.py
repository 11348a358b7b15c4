"""Times of entries beside their order: a clock that was set back does not change what came first.

Entries are ordered by their positions, whatever their times say. What the ledger held at a time is a beginning of that
order: all entries up to the last one whose time is not later. So a later time never gives less; entries with a time in
the future, from a clock that was wrong, belong to the entries that followed them once it was right.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from typing import NamedTuple

from provrepo.errors import Damaged
from provrepo.ledger.entries import Entry

__all__ = ["Clock", "Setback", "compare"]

_log = logging.getLogger(__name__)

# The text of an entry is JSON; SQLite would take a BLOB for JSON in its own binary form.
_TIMES = (
    "SELECT position, json_extract(CAST(data AS TEXT), '$.time') AS time FROM entries "
    "WHERE position > ?1 AND position <= ?2 AND project <> '' AND json_valid(CAST(data AS TEXT)) ORDER BY position"
)


class Setback(NamedTuple):
    """A place where the clock had been set back.

    Attributes:
        position: of the first entry with an earlier time than the one before it.
        before: the time of the entry before it, xsd:dateTime in UTC.
        after: its time.
    """

    position: int
    before: str
    after: str


class Clock:
    """The places in one ledger where times do not grow; what was appended meanwhile is looked at when it is asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read = 0
        self._last = ""
        self._setbacks: list[Setback] = []

    def setbacks(self, connection: sqlite3.Connection) -> list[Setback]:
        """All places so far, the first first; entries that cannot be read are left out."""
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
    """Log that the clock was set back: once, since the next entry is compared with the one that is appended now.

    Args:
        connection: of the ledger, inside the transaction that appends.
        time: of the entry that is appended.
    """
    last = connection.execute("SELECT data FROM entries ORDER BY position DESC LIMIT 1").fetchone()
    try:
        before = "" if last is None else Entry.from_bytes(last[0], strict=False).time
    except (Damaged, AttributeError, TypeError):
        return  # fsck reports it
    if time < before:
        _log.warning(
            "the clock of this machine was set back: the last entry is of %s, and it is %s now. Entries stay in the "
            "order in which they were appended",
            before,
            time,
        )
