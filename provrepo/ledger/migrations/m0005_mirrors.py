"""Schema 5: mirrors, whose entries are those of another repository.

From this schema on, ``mirror`` entries are written, which older software does not know.
"""

from __future__ import annotations

import sqlite3

__all__ = ["upgrade"]

_STATEMENTS = (
    # The columns are described in ``provrepo.ledger.exchange.mirrors``.
    """
    CREATE TABLE mirrors (
        project    TEXT PRIMARY KEY,
        stream     TEXT NOT NULL,
        origin     TEXT NOT NULL,
        identity   TEXT NOT NULL,
        setup      TEXT NOT NULL,
        base       TEXT NOT NULL,
        former     INTEGER NOT NULL,
        before     INTEGER NOT NULL,
        public     INTEGER NOT NULL,
        active     INTEGER NOT NULL,
        content    INTEGER NOT NULL,
        blobs      TEXT NOT NULL,
        most       INTEGER,
        state      TEXT NOT NULL,
        message    TEXT NOT NULL,
        tried      TEXT NOT NULL,
        contacted  TEXT NOT NULL,
        ahead      INTEGER NOT NULL,
        about      TEXT NOT NULL
    ) WITHOUT ROWID
    """,
    # The names of the actors of an origin, as it gives them. They can be changed and erased, unlike entries.
    """
    CREATE TABLE mirrored_actors (
        identity TEXT NOT NULL,
        actor    TEXT NOT NULL,
        name     TEXT NOT NULL,
        PRIMARY KEY (identity, actor)
    ) WITHOUT ROWID
    """,
    # The blobs that entries of a mirror name and that were not copied, each with the reason.
    """
    CREATE TABLE absent (
        project TEXT NOT NULL,
        blob    TEXT NOT NULL,
        reason  TEXT NOT NULL,
        PRIMARY KEY (project, blob)
    ) WITHOUT ROWID
    """,
    # The name of the project in the bytes of an entry that was copied; null for the entries of this repository.
    "ALTER TABLE entries ADD COLUMN stream TEXT",
    # The times of copied entries are those of another clock, so that searches by time leave them out.
    "CREATE INDEX entries_own ON entries (position) WHERE stream IS NULL",
    """
    CREATE TRIGGER entries_of_origin BEFORE INSERT ON entries
    WHEN NEW.stream IS NOT (SELECT stream FROM mirrors WHERE project = NEW.project)
    BEGIN SELECT raise(ABORT, 'the entries of a mirror are those of its origin'); END
    """,
)


def upgrade(connection: sqlite3.Connection) -> None:
    """Add the tables, and the column that tells copied entries from others."""
    for statement in _STATEMENTS:
        connection.execute(statement)
