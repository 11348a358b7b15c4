"""Step 2: documents that wait for a review, documents on their way to peers, and how far projects were sent."""

from __future__ import annotations

import sqlite3

__all__ = ["upgrade"]

_STATEMENTS = (
    # `key` is the digest of what makes two pushes the same one. `private` is the canonical JSON text whose digest,
    # with `salt` before it, is in the ledger. `bytes` is null once a decision was made. `after` is the length of the
    # project's stream before anything was appended about the row.
    """
    CREATE TABLE pending (
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
        state     TEXT NOT NULL CHECK (state IN ('arriving', 'waiting', 'deciding', 'accepted', 'rejected', 'expired')),
        decided   TEXT NOT NULL DEFAULT '',
        by        TEXT NOT NULL DEFAULT '',
        review    TEXT NOT NULL DEFAULT '',
        reason    TEXT NOT NULL DEFAULT '',
        document  TEXT NOT NULL DEFAULT '',
        version   INTEGER,
        accepted  TEXT NOT NULL DEFAULT ''
    ) STRICT
    """,
    "CREATE INDEX pending_project ON pending (project, received)",
    "CREATE INDEX pending_open ON pending (state) WHERE state NOT IN ('accepted', 'rejected', 'expired')",
    # `entry` is the digest of the submission here. `there` is what the peer answered, as JSON.
    """
    CREATE TABLE pushes (
        id        INTEGER PRIMARY KEY AUTOINCREMENT,
        peer      TEXT NOT NULL,
        project   TEXT NOT NULL,
        document  TEXT NOT NULL,
        version   INTEGER NOT NULL,
        entry     TEXT NOT NULL,
        state     TEXT NOT NULL CHECK (state IN
            ('queued', 'pending', 'accepted', 'rejected', 'expired', 'refused', 'given-up', 'cancelled')),
        created   TEXT NOT NULL,
        attempts  INTEGER NOT NULL DEFAULT 0,
        due       TEXT NOT NULL,
        changed   TEXT NOT NULL,
        failure   TEXT NOT NULL DEFAULT '',
        target    TEXT NOT NULL,
        pending   TEXT NOT NULL DEFAULT '',
        there     TEXT NOT NULL DEFAULT '{}',
        UNIQUE (peer, project, entry)
    ) STRICT
    """,
    "CREATE INDEX pushes_due ON pushes (due) WHERE state IN ('queued', 'pending')",
    """
    CREATE TABLE push_positions (
        peer     TEXT NOT NULL,
        project  TEXT NOT NULL,
        sequence INTEGER NOT NULL CHECK (sequence >= 0),
        PRIMARY KEY (peer, project)
    ) STRICT, WITHOUT ROWID
    """,
)


def upgrade(connection: sqlite3.Connection) -> None:
    """Create the tables."""
    for statement in _STATEMENTS:
        connection.execute(statement)
