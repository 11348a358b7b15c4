"""Schema 3: what becomes of names and tokens is recorded in the ledger.

An entry holds a salted digest of a name, since names change and are erased while entries are not; the salt stands with
the name. The entries for the names and tokens that there are already are appended by ``provrepo.ledger.administration``
in the same transaction.
"""

from __future__ import annotations

import secrets
import sqlite3

__all__ = ["upgrade"]


def upgrade(connection: sqlite3.Connection) -> None:
    """Give each actor's name a salt; null once the name is erased."""
    connection.execute("ALTER TABLE actors ADD COLUMN salt TEXT")
    actors = connection.execute("SELECT id FROM actors ORDER BY id").fetchall()
    connection.executemany(
        "UPDATE actors SET salt = ? WHERE id = ?", [(secrets.token_hex(16), actor) for (actor,) in actors]
    )
