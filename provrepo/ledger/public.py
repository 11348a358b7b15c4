"""The set of public projects, which is computed without a look-up of any single project.

Access of anonymous clients is decided by this set alone. So a private project and one that does not exist are refused
by the same steps, and the time of the answer does not reveal which of them it was.
"""

from __future__ import annotations

import threading

from provrepo.ledger.storage.database import Database
from provrepo.ledger.streams import ROW, readable

__all__ = ["PublicProjects"]

_FIRST = f"SELECT {ROW} FROM entries WHERE kind = 'settings' ORDER BY project, sequence"  # noqa: S608
# By position instead of by kind: there are few new entries, but perhaps many entries of settings.
_SINCE = (
    f"SELECT {ROW} FROM entries NOT INDEXED "  # noqa: S608
    "WHERE position > ? AND kind = 'settings' ORDER BY position"
)


class PublicProjects:
    """The set of public projects, updated from the ledger by each call of ``names``. Threads may share it."""

    def __init__(self, database: Database) -> None:
        """Take the database; nothing is read yet.

        Args:
            database: the database of the ledger.
        """
        self._database = database
        self._lock = threading.Lock()
        self._position = 0
        self._public: frozenset[str] = frozenset()  # the projects that are public by their own entries
        self._names: frozenset[str] = frozenset()

    def names(self) -> frozenset[str]:
        """Return the public projects after the last stored entry, including those of other processes."""
        with self._lock, self._database.reading() as connection:
            position = connection.execute("SELECT coalesce(max(position), 0) FROM entries").fetchone()[0]
            if position != self._position:
                grown = position > self._position > 0
                query, values = (_SINCE, (self._position,)) if grown else (_FIRST, ())
                names = set(self._public) if grown else set()
                for row in connection.execute(query, values).fetchall():
                    entry = readable(*row)
                    if entry is not None and "public" in entry.body and entry.project:
                        (names.add if entry.body["public"] else names.discard)(entry.project)
                # A mirror is public if it is so at its origin and was made public here. An entry records that.
                private = {name for (name,) in connection.execute("SELECT project FROM mirrors WHERE NOT public")}
                self._public, self._position = frozenset(names), position
                self._names = self._public - private
            return self._names
