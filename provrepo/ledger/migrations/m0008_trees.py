"""Schema 8: a Merkle tree over the entries of each stream."""

from __future__ import annotations

import sqlite3

from provrepo.ledger.logs import trees

__all__ = ["upgrade"]

_STATEMENTS = (
    # The tiles of the trees: of a level 0 tile the hashes of 256 leaves, of the levels above those of complete tiles.
    # The last tile of a level has fewer.
    """
    CREATE TABLE tiles (
        project TEXT NOT NULL,
        level   INTEGER NOT NULL,
        number  INTEGER NOT NULL,
        hashes  BLOB NOT NULL,
        UNIQUE (project, level, number)
    )
    """,
    # The last signed checkpoint of each origin of a mirror, which was found to be consistent with the copied entries.
    # `keys` are the keys that signed it, one a line.
    """
    CREATE TABLE checkpoints (
        project TEXT PRIMARY KEY,
        note    TEXT NOT NULL,
        keys    TEXT NOT NULL,
        taken   TEXT NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE INDEX entries_key ON entries (project, sequence) WHERE kind = 'key'",
)


def upgrade(connection: sqlite3.Connection) -> None:
    """Add the tables, and the trees of all streams that have entries."""
    for statement in _STATEMENTS:
        connection.execute(statement)
    for (project,) in connection.execute("SELECT project FROM streams ORDER BY project").fetchall():
        trees.rebuild(connection, str(project))
