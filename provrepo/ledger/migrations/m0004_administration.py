"""Schema 4: what becomes of names and tokens is recorded in the ledger.

An entry holds a salted digest of a name, since names change and are erased while entries are not; the salt stands with
the name. Names of projects are digests too: those who read the repository's own stream may not know which there are.
The entries for what is there already are appended by ``provrepo.ledger.administration`` in the same transaction.
"""

from __future__ import annotations

import secrets
import sqlite3

__all__ = ["upgrade"]


def upgrade(connection: sqlite3.Connection) -> None:
    """Give each actor's name a salt, null once the name is erased, and each token one for the names of its projects."""
    for table in ("actors", "tokens"):
        connection.execute(f"ALTER TABLE {table} ADD COLUMN salt TEXT")
        rows = connection.execute(f"SELECT id FROM {table} ORDER BY id").fetchall()  # noqa: S608
        connection.executemany(
            f"UPDATE {table} SET salt = ? WHERE id = ?",  # noqa: S608
            [(secrets.token_hex(16), id_) for (id_,) in rows],
        )
