"""Schema 3: the texts of which entries contain only a salted digest."""

from __future__ import annotations

import sqlite3

__all__ = ["upgrade"]

_STATEMENTS = (
    # `digest` is SHA-256 of the salt, 32 bytes, and the text in UTF-8. Without its row a digest reveals nothing.
    """
    CREATE TABLE confidential (
        digest TEXT PRIMARY KEY,
        salt   BLOB NOT NULL,
        text   TEXT NOT NULL
    ) WITHOUT ROWID
    """,
)


def upgrade(connection: sqlite3.Connection) -> None:
    """Add the table."""
    for statement in _STATEMENTS:
        connection.execute(statement)
