"""Schema 6: roles of members of projects, administrators, records of people, and tokens that are limited to scopes.

From this schema on, ``member`` and ``role`` entries have an effect. Tokens of before have no scopes: they give the same
access as before.
"""

from __future__ import annotations

import sqlite3

__all__ = ["upgrade"]

_STATEMENTS = (
    # The roles that are in force; `sequence` is the entry that gave the role, in the project's stream. The empty name
    # stands for the repository, whose members are its administrators.
    """
    CREATE TABLE members (
        project  TEXT NOT NULL,
        actor    TEXT NOT NULL REFERENCES actors (id),
        role     TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        PRIMARY KEY (project, actor)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX members_actor ON members (actor)",
    # What is known of actors that are people. It can be changed and erased, and no entry contains it.
    """
    CREATE TABLE people (
        actor       TEXT PRIMARY KEY REFERENCES actors (id),
        email       TEXT NOT NULL,
        orcid       TEXT NOT NULL,
        affiliation TEXT NOT NULL,
        ror         TEXT NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE UNIQUE INDEX people_orcid ON people (orcid) WHERE orcid <> ''",
    "CREATE UNIQUE INDEX people_email ON people (email) WHERE email <> ''",
    # A JSON list of scopes; null for a token that gives access by itself.
    "ALTER TABLE tokens ADD COLUMN scopes TEXT",
)


def upgrade(connection: sqlite3.Connection) -> None:
    """Add the tables, and the column of tokens."""
    for statement in _STATEMENTS:
        connection.execute(statement)
