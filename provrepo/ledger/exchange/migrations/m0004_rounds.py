"""Step 4: a document that waits for a review can wait for changes by its sender, in the state ``changes``."""

from __future__ import annotations

import sqlite3

__all__ = ["upgrade"]

# SQLite cannot change a condition of a table: the rows are copied into a new one.
_COLUMNS = (
    "id, key, project, why, peer, actor, token, private, salt, details, size, bytes, report, received, expires, after, "
    "entry, state, decided, by, review, reason, document, version, accepted"
)
_STATEMENTS = (
    """
    CREATE TABLE pending_of_rounds (
        id        TEXT PRIMARY KEY,
        key       TEXT NOT NULL UNIQUE,
        project   TEXT NOT NULL,
        why       TEXT NOT NULL CHECK (why IN ('review', 'push')),
        peer      TEXT NOT NULL,
        actor     TEXT NOT NULL,
        token     TEXT NOT NULL,
        private   TEXT NOT NULL,
        salt      BLOB NOT NULL,
        details   TEXT NOT NULL,
        size      INTEGER NOT NULL CHECK (size >= 0),
        bytes     BLOB,
        report    TEXT NOT NULL,
        received  TEXT NOT NULL,
        expires   TEXT,
        after     INTEGER NOT NULL,
        entry     TEXT NOT NULL DEFAULT '',
        state     TEXT NOT NULL CHECK (state IN
            ('arriving', 'waiting', 'changes', 'deciding', 'accepted', 'rejected', 'expired')),
        decided   TEXT NOT NULL DEFAULT '',
        by        TEXT NOT NULL DEFAULT '',
        review    TEXT NOT NULL DEFAULT '',
        reason    TEXT NOT NULL DEFAULT '',
        document  TEXT NOT NULL DEFAULT '',
        version   INTEGER,
        accepted  TEXT NOT NULL DEFAULT ''
    ) STRICT
    """,
    f"INSERT INTO pending_of_rounds ({_COLUMNS}) SELECT {_COLUMNS} FROM pending",  # noqa: S608 (a constant)
    "DROP TABLE pending",
    "ALTER TABLE pending_of_rounds RENAME TO pending",
    "CREATE INDEX pending_project ON pending (project, received)",
    "CREATE INDEX pending_open ON pending (state) WHERE state NOT IN ('accepted', 'rejected', 'expired')",
    "CREATE INDEX pending_actor ON pending (project, actor)",
)


def upgrade(connection: sqlite3.Connection) -> None:
    """Copy the table."""
    for statement in _STATEMENTS:
        connection.execute(statement)
