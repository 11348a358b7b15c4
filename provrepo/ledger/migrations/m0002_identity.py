"""Schema 2: the repository has an identity, and kinds of entries are reserved for what is planned.

The step makes an index alone. The entries of the identity are appended by the ledger in the same transaction, since
appending is its business (``provrepo.ledger.ledger``).
"""

from __future__ import annotations

import sqlite3

__all__ = ["upgrade"]


def upgrade(connection: sqlite3.Connection) -> None:
    """Find the entries of the identity, one in the repository's own stream and one in each earlier project's."""
    connection.execute("CREATE INDEX entries_identity ON entries (project, sequence) WHERE kind = 'identity'")
