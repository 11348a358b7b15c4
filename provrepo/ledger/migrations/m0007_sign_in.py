"""Schema 7: identities at providers of sign-in, names and use of tokens, invitations and review links, and embargoes.

Tokens of before have no label and have never been used, as far as it is known.
"""

from __future__ import annotations

import sqlite3

__all__ = ["upgrade"]

_STATEMENTS = (
    # Under which identifier a provider of OpenID Connect, or a proxy, knows a person. No entry contains it.
    """
    CREATE TABLE identities (
        issuer  TEXT NOT NULL,
        subject TEXT NOT NULL,
        actor   TEXT NOT NULL REFERENCES actors (id),
        created TEXT NOT NULL,
        PRIMARY KEY (issuer, subject)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX identities_actor ON identities (actor)",
    # `label` distinguishes the tokens of an actor; `used` is the hour of the last request; `successor` the token that
    # replaces it after a rotation.
    "ALTER TABLE tokens ADD COLUMN label TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE tokens ADD COLUMN used TEXT",
    "ALTER TABLE tokens ADD COLUMN successor TEXT",
    "CREATE UNIQUE INDEX tokens_label ON tokens (actor, label) WHERE label <> '' AND revoked IS NULL",
    # Links with a secret: `purpose` is `member` for an invitation that gives a role, `review` for reading a project
    # without an account. `secret` is the SHA-256 of 256 random bits. `uses` counts how often it was followed,
    # and `most` is how often it may be; 0 for any number.
    """
    CREATE TABLE invitations (
        id       TEXT PRIMARY KEY,
        project  TEXT NOT NULL,
        purpose  TEXT NOT NULL,
        role     TEXT NOT NULL,
        secret   TEXT NOT NULL,
        label    TEXT NOT NULL,
        actor    TEXT NOT NULL REFERENCES actors (id),
        created  TEXT NOT NULL,
        expires  TEXT NOT NULL,
        ended    TEXT,
        most     INTEGER NOT NULL,
        uses     INTEGER NOT NULL,
        used     TEXT
    ) WITHOUT ROWID
    """,
    "CREATE INDEX invitations_project ON invitations (project)",
    # The embargoes that are in force; `sequence` is the entry of the project's stream.
    """
    CREATE TABLE embargoes (
        project  TEXT PRIMARY KEY,
        until    TEXT NOT NULL,
        sequence INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    # What a project uses of its quota: the bytes of its versions that were not erased, and the number of versions that
    # were accepted on the day of the last one.
    "ALTER TABLE streams ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE streams ADD COLUMN day TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE streams ADD COLUMN submissions INTEGER NOT NULL DEFAULT 0",
    """
    UPDATE streams SET bytes = (
        SELECT coalesce(sum(CASE WHEN json_valid(CAST(e.data AS TEXT))
            THEN json_extract(CAST(e.data AS TEXT), '$.size') ELSE 0 END), 0)
        FROM entries AS e WHERE e.project = streams.project AND e.kind = 'submit' AND NOT EXISTS (
            SELECT 1 FROM entries AS x WHERE x.kind = 'erase' AND x.project = e.project
            AND x.document = e.document AND x.version = e.version))
    """,
)


def upgrade(connection: sqlite3.Connection) -> None:
    """Add the tables, and the columns of tokens."""
    for statement in _STATEMENTS:
        connection.execute(statement)
