"""Which projects everybody may read, known without looking for any of them.

Whether a stranger may read a project is judged by this set alone. So a private project and one that does not exist are
refused by the very same steps: no row of the private one is looked for, and nothing depends on there being one.
"""

from __future__ import annotations

import threading

from provrepo.ledger.storage.database import Database
from provrepo.ledger.streams import readable

__all__ = ["PublicProjects"]

_FIRST = "SELECT project, sequence, sha256, data FROM entries WHERE kind = 'settings' ORDER BY project, sequence"
# By position and not by kind: what has been added since is little, all settings ever made may be many.
_SINCE = (
    "SELECT project, sequence, sha256, data FROM entries NOT INDEXED "
    "WHERE position > ? AND kind = 'settings' ORDER BY position"
)


class PublicProjects:
    """The set, brought up to date with the ledger whenever it is asked for. Threads may share it."""

    def __init__(self, database: Database) -> None:
        """Start with none known.

        Args:
            database: the ledger's.
        """
        self._database = database
        self._lock = threading.Lock()
        self._position = 0
        self._names: frozenset[str] = frozenset()

    def names(self) -> frozenset[str]:
        """The public projects after the last entry that is stored, whichever process appended it."""
        with self._lock, self._database.reading() as connection:
            position = connection.execute("SELECT coalesce(max(position), 0) FROM entries").fetchone()[0]
            if position != self._position:
                grown = position > self._position > 0
                query, values = (_SINCE, (self._position,)) if grown else (_FIRST, ())
                names = set(self._names) if grown else set()
                for row in connection.execute(query, values).fetchall():
                    entry = readable(*row)
                    if entry is not None and "public" in entry.body and entry.project:
                        (names.add if entry.body["public"] else names.discard)(entry.project)
                self._names, self._position = frozenset(names), position
            return self._names
