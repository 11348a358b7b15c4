"""The migrations of ``exchange.sqlite``: one module for each step, which creates or changes tables.

A released step is never edited; a change is added as the next one. All tables are STRICT, so that a column contains
values of its type only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from provrepo.errors import Damaged
from provrepo.ledger.exchange.migrations import m0001_peers, m0002_pushes, m0003_notices, m0004_rounds, m0005_webhooks
from provrepo.ledger.migrations import statements

__all__ = ["SCHEMA", "expected", "is_current", "migrate"]

_APPLICATION = 0x50564558
"""``PRAGMA application_id``: "PVEX" in ASCII."""

_STEPS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    m0001_peers.upgrade,
    m0002_pushes.upgrade,
    m0003_notices.upgrade,
    m0004_rounds.upgrade,
    m0005_webhooks.upgrade,
)

SCHEMA = len(_STEPS)
"""The schema of this version, stored in ``PRAGMA user_version``."""


def migrate(connection: sqlite3.Connection) -> None:
    """Create the tables, or migrate them to the schema of this version, in one transaction.

    Args:
        connection: in autocommit mode, outside of any transaction.

    Raises:
        Damaged: the database belongs to another program, or a newer version wrote it.
    """
    if is_current(connection):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Read again: another process may have done it meanwhile.
        for step in _STEPS[_version(connection) :]:
            step(connection)
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


def expected() -> dict[tuple[str, str], str | None]:
    """Return (type, name) → statement of the tables and indexes of this version."""
    with sqlite3.connect(":memory:", isolation_level=None) as fresh:
        migrate(fresh)
        found = statements(fresh)
    fresh.close()
    return found


def _version(connection: sqlite3.Connection) -> int:
    # In one transaction, so that the creation by another process is seen whole or not at all.
    own = not connection.in_transaction
    if own:
        connection.execute("BEGIN")
    try:
        application, version = _pragma(connection, "application_id"), _pragma(connection, "user_version")
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    finally:
        if own:
            connection.execute("ROLLBACK")
    if application != _APPLICATION and (application or tables):
        raise Damaged("exchange.sqlite is the database of another program: move it away")
    if version > SCHEMA:
        raise Damaged(
            f"exchange.sqlite was written by a newer version of provrepo (schema {version}, this version knows "
            f"{SCHEMA}): upgrade provrepo to open it"
        )
    return version


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
