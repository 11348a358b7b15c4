"""What the tests of the ledger have in common."""

from __future__ import annotations

import sqlite3
from typing import Any

from provrepo.ledger.entries import Entry
from provrepo.ledger.ledger import Ledger

SOFTWARE = "provrepo test"
SHA = "ab" * 32
REPORT = "cd" * 32


def submission(document: str, version: int, **changes: Any) -> dict[str, Any]:
    """A complete body of a submit entry."""
    return {
        "document": document,
        "version": version,
        "blob": SHA,
        "size": 10,
        "format": "turtle",
        "base": "",
        "title": "Été",
        "statements": 3,
        "layers": ["syntax", "shapes"],
        "profiles": ["core"],
        "mapping": "1",
        "verdict": "conforms",
        "report": REPORT,
        "note": "",
        "origin": None,
        **changes,
    }


def submit(ledger: Ledger, project: str, document: str, **changes: Any) -> Entry:
    with ledger.appending(project) as appending:
        body = submission(document, appending.newest(document) + 1, **changes)
        return appending.append("submit", body, actor="somebody")


def tamper(ledger: Ledger, statement: str, *values: Any) -> None:
    """Change the database as somebody with a SQLite shell could."""
    connection = sqlite3.connect(ledger.database.file)
    for trigger in ("entries_unchanged", "entries_kept", "entries_in_order"):
        connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
    connection.execute(statement, values)
    connection.commit()
    connection.close()
