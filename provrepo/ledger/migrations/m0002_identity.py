"""Schema 2: the repository has an identity, and kinds of entries are reserved for planned features.

The migration creates only an index. The ledger appends the entries of the identity in the same transaction
(``provrepo.ledger.ledger``).
"""

from __future__ import annotations

import sqlite3

__all__ = ["upgrade"]


def upgrade(connection: sqlite3.Connection) -> None:
    """Index the entries of the identity: one in the repository's own stream and one in that of each older project."""
    connection.execute("CREATE INDEX entries_identity ON entries (project, sequence) WHERE kind = 'identity'")
