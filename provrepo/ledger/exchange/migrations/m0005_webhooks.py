"""Step 5: webhooks, whose messages are in the outbox of notices."""

from __future__ import annotations

import sqlite3

__all__ = ["upgrade"]

# SQLite cannot change a condition of a table: the rows are copied into a new one.
_COLUMNS = (
    "number, id, cause, peer, url, protocol, about, project, document, version, answers, body, made, state, attempts, "
    "asked, due, delivered, acknowledged, failure, recorded"
)
_STATEMENTS = (
    # `secret` and `former` are secrets. `events` is a JSON list, `memory` a JSON object: what was announced last of
    # what is no entry of the ledger. `position` is the last entry of the project that was announced.
    """
    CREATE TABLE webhooks (
        id            TEXT PRIMARY KEY,
        project       TEXT NOT NULL,
        url           TEXT NOT NULL,
        events        TEXT NOT NULL,
        coverage      REAL,
        hours         INTEGER,
        secret        TEXT NOT NULL,
        former        TEXT NOT NULL DEFAULT '',
        former_until  REAL NOT NULL DEFAULT 0,
        added         TEXT NOT NULL,
        by            TEXT NOT NULL,
        state         TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'disabled')),
        position      INTEGER NOT NULL CHECK (position >= 0),
        memory        TEXT NOT NULL DEFAULT '{}',
        delivered     TEXT NOT NULL DEFAULT '',
        failing_since TEXT NOT NULL DEFAULT '',
        failure       TEXT NOT NULL DEFAULT '',
        UNIQUE (project, url)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE sent_messages (
        number       INTEGER PRIMARY KEY AUTOINCREMENT,
        id           TEXT NOT NULL UNIQUE,
        cause        TEXT NOT NULL,
        peer         TEXT NOT NULL,
        url          TEXT NOT NULL,
        protocol     TEXT NOT NULL CHECK (protocol IN ('inbox', 'pingback', 'webhook')),
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
        webhook      TEXT NOT NULL DEFAULT '',
        UNIQUE (cause, peer, url)
    ) STRICT
    """,
    f"INSERT INTO sent_messages ({_COLUMNS}) SELECT {_COLUMNS} FROM sent_notices",  # noqa: S608 (a constant)
    "DROP TABLE sent_notices",
    "ALTER TABLE sent_messages RENAME TO sent_notices",
    "CREATE INDEX sent_notices_due ON sent_notices (state, due)",
    "CREATE INDEX sent_notices_unrecorded ON sent_notices (number) WHERE recorded = 0",
    "CREATE INDEX sent_notices_of ON sent_notices (project, document)",
    "CREATE INDEX sent_notices_webhook ON sent_notices (webhook, state) WHERE webhook <> ''",
)


def upgrade(connection: sqlite3.Connection) -> None:
    """Create the table of webhooks, and copy the outbox."""
    for statement in _STATEMENTS:
        connection.execute(statement)
