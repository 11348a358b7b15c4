"""Step 1: the peers."""

from __future__ import annotations

import sqlite3

__all__ = ["upgrade"]

# `token` is the only secret. `projects` and `profiles` are JSON lists of names.
_STATEMENTS = (
    """
    CREATE TABLE peers (
        name      TEXT PRIMARY KEY,
        url       TEXT NOT NULL,
        project   TEXT NOT NULL,
        accepts   TEXT NOT NULL CHECK (accepts IN ('nothing', 'pending', 'at-once')),
        projects  TEXT NOT NULL,
        profiles  TEXT NOT NULL,
        bytes     INTEGER NOT NULL CHECK (bytes >= 0),
        documents INTEGER NOT NULL CHECK (documents >= 0),
        token     TEXT,
        identity  TEXT NOT NULL DEFAULT '',
        setup     TEXT NOT NULL DEFAULT '',
        added     TEXT NOT NULL,
        contacted TEXT NOT NULL DEFAULT '',
        failed    TEXT NOT NULL DEFAULT '',
        failure   TEXT NOT NULL DEFAULT ''
    ) STRICT, WITHOUT ROWID
    """,
)


def upgrade(connection: sqlite3.Connection) -> None:
    """Create the table."""
    for statement in _STATEMENTS:
        connection.execute(statement)
