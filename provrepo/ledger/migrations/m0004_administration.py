"""Schema 4: changes of names and tokens are recorded in the ledger.

An entry contains a salted digest of a name, since names change and are erased while entries are not. The salt is stored
with the name. Names of projects are digests too, since a reader of the repository's own stream may not know them.
``provrepo.ledger.administration`` appends the entries of existing names and tokens in the same transaction.
"""

from __future__ import annotations

import secrets
import sqlite3

__all__ = ["upgrade"]


def upgrade(connection: sqlite3.Connection) -> None:
    """Add a salt to each actor, null once the name is erased, and to each token for the names of its projects."""
    for table in ("actors", "tokens"):
        connection.execute(f"ALTER TABLE {table} ADD COLUMN salt TEXT")
        rows = connection.execute(f"SELECT id FROM {table} ORDER BY id").fetchall()  # noqa: S608
        connection.executemany(
            f"UPDATE {table} SET salt = ? WHERE id = ?",  # noqa: S608
            [(secrets.token_hex(16), id_) for (id_,) in rows],
        )
