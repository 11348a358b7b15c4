"""Common functions of the tests of the ledger.

``python -m tests.support.ledgers tests/data/ledger-vN`` creates the data directory that represents schema N in tests.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path
from typing import Any

from provrepo.ledger.accounts import Accounts
from provrepo.ledger.entries import REPOSITORY, Entry
from provrepo.ledger.ledger import Ledger
from provrepo.ledger.storage.blobs import Blobs

SOFTWARE = "provrepo test"
SHA = "ab" * 32
REPORT = "cd" * 32


def leftovers(data: Path) -> list[Path]:
    """The files in the spool of a data directory, without the empty folder of this process."""
    own = f"{os.getpid()}-"
    return [path for path in (data / "spool").rglob("*") if not path.name.startswith(own)]


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
    """Change the database as a SQLite shell can: the triggers are dropped and created again."""
    connection = sqlite3.connect(ledger.database.file)
    triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute(statement, values)
    for _, trigger in triggers:
        connection.execute(trigger)
    connection.commit()
    connection.close()


def make_example(data: Path) -> None:
    """Create a data directory with at least one entry of each kind; only the identifiers of actors vary."""
    blobs = Blobs(data / "blobs")
    report = blobs.put(b'{"verdict":"conforms"}')

    def body(document: str, version: int, number: int) -> dict[str, Any]:
        turtle = f"<http://example.org/run{number}> a <http://www.w3.org/ns/prov#Activity> .\n".encode()
        changes = {"blob": blobs.put(turtle), "size": len(turtle), "report": report, "layers": ["syntax"]}
        return submission(document, version, title="", statements=1, **changes)

    with Ledger(data, software="provrepo/0.1.0") as ledger:
        owner = Accounts(ledger.database).owner("owner")
        settings = {"public": True, "title": "Crops", "profiles": ["core"]}
        first = body("run", 1, 1)
        erased = {"document": "run", "version": 1, "blob": first["blob"], "reason": "court order"}
        for number, (project, kind, fields) in enumerate(
            [
                (REPOSITORY, "settings", {"base": "https://prov.example/"}),
                ("crops", "settings", settings),
                ("crops", "submit", first),
                ("crops", "submit", body("run", 2, 2)),
                ("crops", "submit", body("trial", 1, 3)),
                ("crops", "withdraw", {"document": "trial", "version": 1, "reason": "wrong file"}),
                ("crops", "erase", erased),
                ("soil", "submit", body("run", 1, 4)),
            ]
        ):
            with ledger.appending(project) as appending:
                appending.append(kind, fields, actor=owner, time=f"2026-01-01T00:00:{number:02}.000Z")
        blobs.erase(first["blob"])


if __name__ == "__main__":
    make_example(Path(sys.argv[1]))
