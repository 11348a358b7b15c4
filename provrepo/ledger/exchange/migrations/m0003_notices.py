"""Step 3: holders of documents, and the notices that were sent and received."""

from __future__ import annotations

import sqlite3

__all__ = ["upgrade"]

# `document` is empty and `version` is 0 for all of a project or document. Exactly one of `peer` and `url` is empty.
# `since` is the sequence number of the last entry of the project that the copy contains. A holder that the operator
# removed stays as a row, so that it does not come back by itself.
_STATEMENTS = (
    """
    CREATE TABLE holders (
        id       INTEGER PRIMARY KEY AUTOINCREMENT,
        project  TEXT NOT NULL,
        document TEXT NOT NULL,
        version  INTEGER NOT NULL CHECK (version >= 0),
        peer     TEXT NOT NULL,
        url      TEXT NOT NULL,
        protocol TEXT NOT NULL CHECK (protocol IN ('inbox', 'pingback')),
        how      TEXT NOT NULL CHECK (how IN ('push', 'mirror', 'derived', 'declared')),
        since    INTEGER NOT NULL CHECK (since >= 0),
        added    TEXT NOT NULL,
        removed  INTEGER NOT NULL DEFAULT 0,
        CHECK ((peer = '') <> (url = '')),
        UNIQUE (project, document, version, peer, url)
    ) STRICT
    """,
    # The entries of a project up to this one were turned into notices.
    """
    CREATE TABLE announced (
        project  TEXT PRIMARY KEY,
        sequence INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    # Versions here that came from peers, by their version there. An index over the entries of submissions up to a
    # position of the ledger, which is the only row of `copies_position`.
    """
    CREATE TABLE copies (
        peer            TEXT NOT NULL,
        origin_project  TEXT NOT NULL,
        origin_document TEXT NOT NULL,
        origin_version  INTEGER NOT NULL,
        project         TEXT NOT NULL,
        document        TEXT NOT NULL,
        version         INTEGER NOT NULL,
        PRIMARY KEY (peer, origin_project, origin_document, origin_version, project, document, version)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE copies_position (
        only     INTEGER PRIMARY KEY CHECK (only = 0),
        position INTEGER NOT NULL
    ) STRICT
    """,
    # `cause` is the SHA-256 of the entry of the event, or the identifier of the notice that is acknowledged: a holder
    # gets one notice of each. `due` is in seconds since the epoch. `recorded`: whether the ledger has its entry.
    """
    CREATE TABLE sent_notices (
        number       INTEGER PRIMARY KEY AUTOINCREMENT,
        id           TEXT NOT NULL UNIQUE,
        cause        TEXT NOT NULL,
        peer         TEXT NOT NULL,
        url          TEXT NOT NULL,
        protocol     TEXT NOT NULL CHECK (protocol IN ('inbox', 'pingback')),
        about        TEXT NOT NULL,
        project      TEXT NOT NULL,
        document     TEXT NOT NULL,
        version      INTEGER NOT NULL,
        answers      TEXT NOT NULL,
        body         BLOB NOT NULL,
        made         TEXT NOT NULL,
        state        TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'acknowledged', 'refused', 'given-up')),
        attempts     INTEGER NOT NULL DEFAULT 0,
        asked        INTEGER NOT NULL DEFAULT 0,
        due          REAL NOT NULL DEFAULT 0,
        delivered    TEXT NOT NULL DEFAULT '',
        acknowledged TEXT NOT NULL DEFAULT '',
        failure      TEXT NOT NULL DEFAULT '',
        recorded     INTEGER NOT NULL DEFAULT 0,
        UNIQUE (cause, peer, url)
    ) STRICT
    """,
    "CREATE INDEX sent_notices_due ON sent_notices (state, due)",
    "CREATE INDEX sent_notices_unrecorded ON sent_notices (number) WHERE recorded = 0",
    "CREATE INDEX sent_notices_of ON sent_notices (project, document)",
    # From peers. `project`, `document` and `version` are those of the object of the notice: here for a derivation and
    # an acknowledgment, at the peer for a version that it took back.
    """
    CREATE TABLE received_notices (
        key      TEXT PRIMARY KEY,
        number   INTEGER NOT NULL UNIQUE,
        peer     TEXT NOT NULL,
        id       TEXT NOT NULL,
        about    TEXT NOT NULL,
        answers  TEXT NOT NULL,
        project  TEXT NOT NULL,
        document TEXT NOT NULL,
        version  INTEGER NOT NULL,
        proof    TEXT NOT NULL CHECK (proof IN ('token', 'ledger')),
        subject  TEXT NOT NULL,
        object   TEXT NOT NULL,
        time     TEXT NOT NULL,
        by       TEXT NOT NULL,
        reason   TEXT NOT NULL,
        body     BLOB NOT NULL,
        received TEXT NOT NULL,
        recorded INTEGER NOT NULL DEFAULT 0,
        UNIQUE (peer, id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX received_notices_unrecorded ON received_notices (number) WHERE recorded = 0",
    "CREATE INDEX received_notices_of ON received_notices (peer, project, document)",
    # From anybody, limited in number. `peer` is the peer that it claims to be from, which is asked; otherwise empty.
    """
    CREATE TABLE unproven_notices (
        number   INTEGER PRIMARY KEY AUTOINCREMENT,
        key      TEXT NOT NULL UNIQUE,
        digest   TEXT NOT NULL UNIQUE,
        id       TEXT NOT NULL,
        peer     TEXT NOT NULL,
        about    TEXT NOT NULL,
        project  TEXT NOT NULL,
        document TEXT NOT NULL,
        version  INTEGER NOT NULL,
        body     BLOB NOT NULL,
        received TEXT NOT NULL,
        seen     INTEGER NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL DEFAULT 0,
        due      REAL
    ) STRICT
    """,
)


def upgrade(connection: sqlite3.Connection) -> None:
    """Create the tables."""
    for statement in _STATEMENTS:
        connection.execute(statement)
