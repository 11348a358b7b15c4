"""The migrations of ``ledger.sqlite``.

Each migration is a module with ``upgrade(connection)``. A released migration is never edited. A change is added as the
next one, together with a data directory of the old schema under ``tests/data``. A new kind of entry needs a migration
as well, even an empty one, so that older software refuses the directory instead of misreading it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from provrepo.errors import Damaged
from provrepo.ledger.migrations import (
    m0001_ledger,
    m0002_identity,
    m0003_confidential,
    m0004_administration,
    m0005_events,
    m0005_mirrors,
    m0006_members,
    m0007_sign_in,
    m0008_trees,
)

__all__ = ["ADMINISTRATION", "SCHEMA", "is_current", "migrate", "statements"]

_APPLICATION = 0x50565250
"""``PRAGMA application_id``: "PVRP" in ASCII, by which this package and ``file`` recognize the database."""


def _fifth(connection: sqlite3.Connection) -> None:
    m0005_mirrors.upgrade(connection)
    m0005_events.upgrade(connection)


_STEPS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    m0001_ledger.upgrade,
    m0002_identity.upgrade,
    m0003_confidential.upgrade,
    m0004_administration.upgrade,
    _fifth,
    m0006_members.upgrade,
    m0007_sign_in.upgrade,
    m0008_trees.upgrade,
)

ADMINISTRATION = 4
"""The first schema in which the ledger records names and tokens."""

SCHEMA = len(_STEPS)
"""The schema of this version, stored in ``PRAGMA user_version``."""


def migrate(
    connection: sqlite3.Connection,
    upgraded: Callable[[sqlite3.Connection, int], None] = lambda connection, before: None,  # noqa: ARG005
) -> None:
    """Migrate a database to the schema of this version, in one transaction.

    Args:
        connection: in autocommit mode, outside of any transaction.
        upgraded: called with the connection and the number of the former schema after a migration, inside the
            transaction.

    Raises:
        Damaged: the database belongs to another program, or a newer version wrote it.
    """
    # In a transaction, so that the creation by another process is seen whole or not at all.
    connection.execute("BEGIN")
    try:
        current = _version(connection) == SCHEMA
    finally:
        connection.execute("ROLLBACK")
    if current:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Checked again: another process may have done it meanwhile.
        version = _version(connection)
        for step in _STEPS[version:]:
            step(connection)
        if version < SCHEMA:
            upgraded(connection, version)
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {SCHEMA}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def is_current(connection: sqlite3.Connection) -> bool:
    """Return whether a database has the schema of this version.

    Raises:
        Damaged: the database belongs to another program, or a newer version wrote it.
    """
    return _version(connection) == SCHEMA


def statements(connection: sqlite3.Connection) -> dict[tuple[str, str], str | None]:
    """Return (type, name) → statement of the tables, indexes and triggers of a database; None for SQLite's own."""
    rows = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    return {(str(type_), str(name)): sql for type_, name, sql in rows}


def _version(connection: sqlite3.Connection) -> int:
    application = _pragma(connection, "application_id")
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application != _APPLICATION and (application or tables):
        raise Damaged("ledger.sqlite is the database of another program; choose another data directory")
    version = _pragma(connection, "user_version")
    if version > SCHEMA:
        raise Damaged(
            f"the data directory was written by a newer version of provrepo (schema {version}, this version knows "
            f"{SCHEMA}): upgrade provrepo to open it"
        )
    return version


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
