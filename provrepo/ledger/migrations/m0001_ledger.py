"""Schema 1: entries that cannot be changed, indexes over them, actors and tokens."""

from __future__ import annotations

import sqlite3

__all__ = ["upgrade"]

_STATEMENTS = (
    # The entries. `data` is authoritative; the other columns repeat it for look-ups, and `verify` compares them.
    # AUTOINCREMENT: a position is never reused, so that a follower cannot miss an entry.
    """
    CREATE TABLE entries (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        project  TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        sha256   TEXT NOT NULL,
        kind     TEXT NOT NULL,
        document TEXT,
        version  INTEGER,
        blob     TEXT,
        report   TEXT,
        data     BLOB NOT NULL,
        UNIQUE (project, sequence)
    )
    """,
    "CREATE INDEX entries_document ON entries (project, document, sequence) WHERE document IS NOT NULL",
    "CREATE INDEX entries_settings ON entries (project, sequence) WHERE kind = 'settings'",
    "CREATE INDEX entries_erased ON entries (project, document, version) WHERE kind = 'erase'",
    "CREATE INDEX entries_blob ON entries (blob) WHERE blob IS NOT NULL",
    "CREATE INDEX entries_report ON entries (report) WHERE report IS NOT NULL",
    """
    CREATE TRIGGER entries_unchanged BEFORE UPDATE ON entries
    BEGIN SELECT raise(ABORT, 'ledger entries are never changed'); END
    """,
    """
    CREATE TRIGGER entries_kept BEFORE DELETE ON entries
    BEGIN SELECT raise(ABORT, 'ledger entries are never deleted'); END
    """,
    # Also prevents INSERT OR REPLACE, which would delete a row without firing the trigger above.
    """
    CREATE TRIGGER entries_in_order BEFORE INSERT ON entries
    WHEN NEW.sequence <> 1 + (SELECT coalesce(max(sequence), 0) FROM entries WHERE project = NEW.project)
        OR EXISTS (SELECT 1 FROM entries WHERE position = NEW.position)
    BEGIN SELECT raise(ABORT, 'ledger entries are appended in order'); END
    """,
    # The end of each stream, and the number of its documents that are not withdrawn: counting takes milliseconds.
    """
    CREATE TABLE streams (
        project   TEXT PRIMARY KEY,
        length    INTEGER NOT NULL,
        sha256    TEXT NOT NULL,
        position  INTEGER NOT NULL,
        documents INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE INDEX streams_position ON streams (position)",
    # The state of each document: its newest version, the entry that submitted it, and a later withdrawal.
    """
    CREATE TABLE documents (
        project   TEXT NOT NULL,
        document  TEXT NOT NULL,
        version   INTEGER NOT NULL,
        submitted INTEGER NOT NULL,
        withdrawn INTEGER,
        PRIMARY KEY (project, document)
    ) WITHOUT ROWID
    """,
    # `owner` distinguishes the local owner of the data directory from actors with a token.
    """
    CREATE TABLE actors (
        id      TEXT PRIMARY KEY,
        name    TEXT NOT NULL,
        owner   INTEGER NOT NULL,
        created TEXT NOT NULL,
        UNIQUE (name, owner)
    ) WITHOUT ROWID
    """,
    # `secret` is the SHA-256 of 256 random bits; `projects` a JSON list, or null for all.
    """
    CREATE TABLE tokens (
        id       TEXT PRIMARY KEY,
        actor    TEXT NOT NULL REFERENCES actors (id),
        secret   TEXT NOT NULL,
        projects TEXT,
        write    INTEGER NOT NULL,
        created  TEXT NOT NULL,
        expires  TEXT,
        revoked  TEXT
    ) WITHOUT ROWID
    """,
)


def upgrade(connection: sqlite3.Connection) -> None:
    """Create the first schema in an empty database."""
    for statement in _STATEMENTS:
        connection.execute(statement)
