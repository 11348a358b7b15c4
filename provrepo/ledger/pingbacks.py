"""Pingbacks: links to further provenance of the things in a document, which clients send (PROV-AQ, section 5).

Any reader of a document may send them. Ledger entries are never deleted, so pingbacks are stored in a small database
beside the ledger, with a limit for each project. The first pingback creates it.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from provrepo.errors import Damaged
from provrepo.ledger.entries import now
from provrepo.ledger.migrations import statements
from provrepo.ledger.storage import write_ahead
from provrepo.ledger.storage.database import Database

__all__ = ["Pingback", "Pingbacks", "Pinged"]

_APPLICATION = 0x50565042
"""``PRAGMA application_id``: "PVPB" in ASCII."""

_SCHEMA = 2

_TABLE = """
    CREATE TABLE pingbacks (
        id       INTEGER PRIMARY KEY AUTOINCREMENT,
        project  TEXT NOT NULL,
        document TEXT NOT NULL,
        version  INTEGER NOT NULL,
        relation TEXT NOT NULL,
        uri      TEXT NOT NULL,
        anchor   TEXT NOT NULL,
        received TEXT NOT NULL,
        seen     INTEGER NOT NULL DEFAULT 0,
        digest   TEXT NOT NULL DEFAULT '',
        UNIQUE (project, document, version, relation, uri, anchor)
    )
"""
"""``digest`` is the SHA-256 of the row, since no entry of the ledger covers it.
Version 0 stands for the document as such: in SQLite two rows with NULL in a unique key are different."""


_ROWS = "SELECT id, project, document, version, relation, uri, anchor, received, seen FROM pingbacks"
_DIGESTED = _ROWS.replace("id,", "id, digest,", 1)
_INSERT = (
    "INSERT INTO pingbacks (id, project, document, version, relation, uri, anchor, received, seen, digest) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class Pinged(NamedTuple):
    """One link of a pingback.

    Attributes:
        relation: ``has_provenance`` or ``has_query_service``.
        uri: the URI of a provenance record or of a query service.
        anchor: the thing that it describes; empty for the subject of the document.
    """

    relation: str
    uri: str
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Pingback:
    """A stored link of a pingback.

    Attributes:
        id: its identifier, by which it is discarded.
        project: the project of the document.
        document: the document.
        version: the version; None for the document as such.
        relation: ``has_provenance`` or ``has_query_service``.
        uri: the URI of a provenance record or of a query service, which was never fetched.
        anchor: the thing that it describes; empty for the subject of the document.
        received: the time at which it was first received, xsd:dateTime in UTC.
        seen: whether it was shown before to an actor who may change the project.
    """

    id: int
    project: str
    document: str
    version: int | None
    relation: str
    uri: str
    anchor: str
    received: str
    seen: bool

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)


class Pingbacks:
    """The pingbacks of a data directory. Threads and processes may share them."""

    def __init__(self, file: Path, *, scratch: Path | None = None) -> None:
        """Take the file, which the first pingback creates.

        Args:
            file: the database.
            scratch: a folder of this process, if the database is read-only. See ``Database``.
        """
        self._file = file
        self._scratch = scratch
        self._lock = threading.Lock()
        self._opened: Database | None = None

    def store(self, project: str, document: str, version: int | None, links: Sequence[Pinged], *, most: int) -> int:
        """Store the links that are not stored yet.

        If the project has more than ``most`` afterwards, the oldest unseen links are deleted, and after them the oldest
        seen ones: links that curators have seen and not discarded must not be displaced by a flood of new ones.

        Args:
            project: the project of the document.
            document: the document.
            version: the version; None for the document as such.
            links: the links of a pingback.
            most: the limit of the project.

        Returns:
            The number of new links.
        """
        received = now()
        with self._database().writing() as connection:
            target = (project, document, version or 0)
            new = [link for link in dict.fromkeys(links) if not _known(connection, target, link)][:most]
            _make_room(connection, project, most - len(new))
            connection.executemany(
                "INSERT INTO pingbacks (project, document, version, relation, uri, anchor, received, digest) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(*target, *link, received, _digest((*target, *link, received, 0))) for link in new],
            )
        return len(new)

    def stored(self, project: str, document: str | None = None) -> list[Pingback]:
        """Return the links of a project or of one document, the oldest first."""
        if not self._file.exists():
            return []
        with self._database().reading() as connection:
            rows = connection.execute(
                "SELECT id, project, document, nullif(version, 0), relation, uri, anchor, received, seen "
                "FROM pingbacks WHERE project = ? AND coalesce(?, document) = document ORDER BY id",
                (project, document),
            ).fetchall()
        return [_pingback(row) for row in rows]

    def copy_to(self, target: Path) -> None:
        """Copy the database to a new file; do nothing where it does not exist."""
        if self._file.exists():
            self._database().copy_to(target)

    def mark_seen(self, found: Sequence[Pingback]) -> None:
        """Record that links were shown to an actor who may change the project."""
        unseen = [one.id for one in found if not one.seen]
        if unseen:
            with self._database().writing() as connection:
                for id_ in unseen:
                    row = connection.execute(f"{_ROWS} WHERE id = ?", (id_,)).fetchone()
                    if row is not None:
                        connection.execute(
                            "UPDATE pingbacks SET seen = 1, digest = ? WHERE id = ?", (_digest((*row[1:-1], 1)), id_)
                        )

    def discard(self, project: str, document: str, ids: Sequence[int] | None = None) -> int:
        """Delete links of one document.

        Args:
            project: the project of the document.
            document: the document.
            ids: the identifiers of links; None for all.

        Returns:
            The number of deleted links.
        """
        if not self._file.exists():
            return 0
        chosen = None if ids is None else set(ids)
        gone = [(one.id,) for one in self.stored(project, document) if chosen is None or one.id in chosen]
        with self._database().writing() as connection:
            return connection.executemany("DELETE FROM pingbacks WHERE id = ?", gone).rowcount if gone else 0

    def verify(self) -> list[str]:
        """Return one sentence for each problem of the file."""
        if not self._file.exists():
            return []
        try:
            with self._database().reading() as connection:
                lines = connection.execute("PRAGMA integrity_check(20)").fetchall()
                rows = connection.execute(_DIGESTED).fetchall()
                found = [f"{self._file}: {line}" for (line,) in lines if line != "ok"]
                if statements(connection) != _statements():
                    found.append(f"{self._file}: its tables and indexes are not those that provrepo creates")
            found += write_ahead.problems(self._database())
        except Damaged as error:
            return [str(error)]
        changed = [id_ for id_, digest, *row in rows if digest != _digest(row)]
        return found + [f"{self._file}: pingback {id_} in it has changed since it was received" for id_ in changed]

    def close(self) -> None:
        """Close the connections of all threads. Closing again does nothing."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()

    def _database(self) -> Database:
        with self._lock:
            if self._opened is None:
                self._opened = Database(self._file, prepare=_prepare, current=_is_current, scratch=self._scratch)
            return self._opened


def _prepare(connection: sqlite3.Connection) -> None:
    if _is_current(connection):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Checked again: another process may have done it meanwhile.
        version = _pragma(connection, "user_version")
        if version == 1 and _pragma(connection, "application_id") == _APPLICATION:
            _upgrade(connection)
        elif version != _SCHEMA:
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise Damaged(
                    "pingbacks.sqlite was written by a newer version of provrepo or by another program: upgrade "
                    "provrepo, or move the file away; it contains only pingbacks"
                )
            connection.execute(_TABLE)
            connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {_SCHEMA}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _is_current(connection: sqlite3.Connection) -> bool:
    return _pragma(connection, "application_id") == _APPLICATION and _pragma(connection, "user_version") == _SCHEMA


def _upgrade(connection: sqlite3.Connection) -> None:
    """Upgrade from schema 1, which had no digests: compute those of the rows as they are."""
    connection.execute("ALTER TABLE pingbacks RENAME TO former")
    connection.execute(_TABLE)
    rows = connection.execute(_ROWS.replace("FROM pingbacks", "FROM former")).fetchall()
    connection.executemany(
        _INSERT,
        [(id_, *row, _digest(row)) for id_, *row in rows],
    )
    connection.execute("DROP TABLE former")


def _statements() -> dict[tuple[str, str], str | None]:
    with sqlite3.connect(":memory:") as fresh:
        fresh.execute(_TABLE)
        found = statements(fresh)
    fresh.close()
    return found


def _digest(row: Sequence[Any]) -> str:
    """Return the SHA-256 of a row without its identifier."""
    # `default`: rows that were changed by other means may contain bytes.
    text = json.dumps(list(row), ensure_ascii=False, default=repr)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _pingback(row: Sequence[Any]) -> Pingback:
    id_, project, document, version, relation, uri, anchor, received, seen = row
    return Pingback(id_, project, document, version, relation, uri, anchor, received, bool(seen))


def _known(connection: sqlite3.Connection, target: tuple[str, str, int], link: Pinged) -> bool:
    found = connection.execute(
        "SELECT 1 FROM pingbacks "
        "WHERE project = ? AND document = ? AND version = ? AND relation = ? AND uri = ? AND anchor = ?",
        (*target, *link),
    )
    return found.fetchone() is not None


def _make_room(connection: sqlite3.Connection, project: str, left: int) -> None:
    """Delete links of a project until at most ``left`` remain, unseen and old ones first."""
    connection.execute(
        "DELETE FROM pingbacks WHERE id IN (SELECT id FROM pingbacks WHERE project = ?1 ORDER BY seen, id "
        "LIMIT max(0, (SELECT count(*) FROM pingbacks WHERE project = ?1) - ?2))",
        (project, left),
    )
