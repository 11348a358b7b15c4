"""The schema of ``ledger.sqlite``, step by step.

Each step is a module with ``upgrade(connection)``. A step that has been released is never edited: what changes is
added as the next one, together with a data directory of the old schema under ``tests/data``. A new kind of entry comes
with a step as well, even an empty one, so that older software refuses the directory instead of misreading it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from provrepo.errors import Damaged
from provrepo.ledger.migrations import m0001_ledger, m0002_identity, m0003_confidential, m0004_administration

__all__ = ["ADMINISTRATION", "SCHEMA", "is_current", "migrate", "statements"]

_APPLICATION = 0x50565250
"""``PRAGMA application_id``: "PVRP" in ASCII, which tells ``file`` and us whose database it is."""

_STEPS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    m0001_ledger.upgrade,
    m0002_identity.upgrade,
    m0003_confidential.upgrade,
    m0004_administration.upgrade,
)

ADMINISTRATION = 4
"""The first schema under which names and tokens are recorded."""

SCHEMA = len(_STEPS)
"""The schema of this version, kept in ``PRAGMA user_version``."""


def migrate(
    connection: sqlite3.Connection,
    upgraded: Callable[[sqlite3.Connection, int], None] = lambda connection, before: None,  # noqa: ARG005
) -> None:
    """Bring a database to this version's schema, in one transaction: wholly or not at all.

    Args:
        connection: in autocommit mode, outside of any transaction.
        upgraded: called once the schema is that of this version, with the number of the one before, inside the
            transaction; not where it was already.

    Raises:
        Damaged: another program's database, or one of a newer version.
    """
    # One transaction, so that it is not seen half made while another process makes it.
    connection.execute("BEGIN")
    try:
        current = _version(connection) == SCHEMA
    finally:
        connection.execute("ROLLBACK")
    if current:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Looked at again: another process may have been quicker.
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
    """Whether a database has the schema of this version.

    Raises:
        Damaged: another program's database, or one of a newer version.
    """
    return _version(connection) == SCHEMA


def statements(connection: sqlite3.Connection) -> dict[tuple[str, str], str | None]:
    """The statements that made a database's tables, indexes and triggers, by type and name; null for SQLite's own."""
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
