"""Schema 5: events of other tools, which a server received."""

from __future__ import annotations

import sqlite3

__all__ = ["upgrade"]

_STATEMENTS = (
    # `sequence` is the entry that covers the event, null until there is one. `data` is null once the event is erased.
    """
    CREATE TABLE events (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        project  TEXT NOT NULL,
        document TEXT NOT NULL,
        digest   TEXT NOT NULL,
        sequence INTEGER,
        actor    TEXT NOT NULL,
        token    TEXT NOT NULL,
        data     BLOB,
        UNIQUE (project, digest)
    )
    """,
    "CREATE INDEX events_document ON events (project, document, position)",
    "CREATE INDEX events_uncovered ON events (project, position) WHERE sequence IS NULL",
    "CREATE INDEX events_covered ON events (project, sequence) WHERE sequence IS NOT NULL",
    # The events of each document: the positions of the last one, and of the last one that the document has.
    # `changed` and `begun` are the times of the last event, and of the first one that the document does not have.
    """
    CREATE TABLE event_groups (
        project  TEXT NOT NULL,
        document TEXT NOT NULL,
        last     INTEGER NOT NULL,
        made     INTEGER NOT NULL,
        ends     INTEGER NOT NULL,
        changed  REAL NOT NULL,
        begun    REAL NOT NULL,
        problem  TEXT NOT NULL,
        PRIMARY KEY (project, document)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX event_groups_begun ON event_groups (begun) WHERE last > made",
)


def upgrade(connection: sqlite3.Connection) -> None:
    """Add the tables."""
    for statement in _STATEMENTS:
        connection.execute(statement)
