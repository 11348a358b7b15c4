"""Pingbacks: where, as others say, more is known about what happened to a document's things (PROV-AQ, section 5).

They come from anybody. The ledger never forgets an entry, so they are kept beside it, in a small database of their own
that has a bound. It is made when the first one comes.
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
"""``digest`` is the SHA-256 of the row, since no entry of the ledger speaks of it.
Version 0 stands for the document as such: SQLite takes two rows with NULL in a unique key for different ones."""


_ROWS = "SELECT id, project, document, version, relation, uri, anchor, received, seen FROM pingbacks"
_DIGESTED = _ROWS.replace("id,", "id, digest,", 1)
_INSERT = (
    "INSERT INTO pingbacks (id, project, document, version, relation, uri, anchor, received, seen, digest) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class Pinged(NamedTuple):
    """One thing that a pingback says.

    Attributes:
        relation: ``has_provenance`` or ``has_query_service``.
        uri: of a provenance record, or of a query service.
        anchor: the thing that is spoken of; empty for what the document is about.
    """

    relation: str
    uri: str
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Pingback:
    """A pingback that was kept.

    Attributes:
        id: names it when it is discarded.
        project: whose document.
        document: which document.
        version: which version; None where the document was spoken of as such.
        relation: ``has_provenance`` or ``has_query_service``.
        uri: of a provenance record, or of a query service. Nobody here has fetched it.
        anchor: the thing that is spoken of; empty for what the document is about.
        received: when it came first, xsd:dateTime in UTC.
        seen: whether somebody who may change the project has been shown it before.
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
        """As JSON holds it."""
        return asdict(self)


class Pingbacks:
    """The pingbacks of a data directory. Threads and processes may share them."""

    def __init__(self, file: Path, *, scratch: Path | None = None) -> None:
        """Keep them in a file, which is made when the first one comes.

        Args:
            file: the database.
            scratch: a folder of this process; given, the database is only read. See ``Database``.
        """
        self._file = file
        self._scratch = scratch
        self._lock = threading.Lock()
        self._opened: Database | None = None

    def keep(self, project: str, document: str, version: int | None, said: Sequence[Pinged], *, most: int) -> int:
        """Keep what was said and is not kept yet.

        Where the project has more than ``most`` then, the oldest go that nobody has seen; where there are none, the
        oldest. What curators have seen and left is what they want to keep, and a flood shall not wash it away.

        Args:
            project: whose document.
            document: which document.
            version: which version; None for the document as such.
            said: what was said.
            most: how many the project may have.

        Returns:
            How many were new.
        """
        received = now()
        with self._database().writing() as connection:
            place = (project, document, version or 0)
            new = [one for one in dict.fromkeys(said) if not _known(connection, place, one)][:most]
            _make_room(connection, project, most - len(new))
            connection.executemany(
                "INSERT INTO pingbacks (project, document, version, relation, uri, anchor, received, digest) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(*place, *one, received, _digest((*place, *one, received, 0))) for one in new],
            )
        return len(new)

    def kept(self, project: str, document: str | None = None) -> list[Pingback]:
        """Those of a project or of one document, the oldest first."""
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
        """Copy all of them to a new file; nothing happens where there are none."""
        if self._file.exists():
            self._database().copy_to(target)

    def see(self, found: Sequence[Pingback]) -> None:
        """Somebody who may change the project has been shown these."""
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
        """Forget pingbacks of one document.

        Args:
            project: whose document.
            document: which document.
            ids: which ones; None for all.

        Returns:
            How many there were.
        """
        if not self._file.exists():
            return 0
        chosen = None if ids is None else set(ids)
        gone = [(one.id,) for one in self.kept(project, document) if chosen is None or one.id in chosen]
        with self._database().writing() as connection:
            return connection.executemany("DELETE FROM pingbacks WHERE id = ?", gone).rowcount if gone else 0

    def verify(self) -> list[str]:
        """What is wrong with the file, one sentence each."""
        if not self._file.exists():
            return []
        try:
            with self._database().reading() as connection:
                lines = connection.execute("PRAGMA integrity_check(20)").fetchall()
                rows = connection.execute(_DIGESTED).fetchall()
                found = [f"{self._file}: {line}" for (line,) in lines if line != "ok"]
                if statements(connection) != _statements():
                    found.append(f"{self._file}: its tables and indexes are not those that provrepo makes")
            found += write_ahead.problems(self._database())
        except Damaged as error:
            return [str(error)]
        changed = [id_ for id_, digest, *row in rows if digest != _digest(row)]
        return found + [f"{self._file}: pingback {id_} of it is not what came" for id_ in changed]

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
        # Looked at again: another process may have been quicker.
        version = _pragma(connection, "user_version")
        if version == 1 and _pragma(connection, "application_id") == _APPLICATION:
            _upgrade(connection)
        elif version != _SCHEMA:
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise Damaged(
                    "pingbacks.sqlite was written by a newer version of provrepo or by another program: upgrade "
                    "provrepo, or move the file away; nothing but pingbacks is in it"
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
    """From schema 1, which had no digests: take what is found."""
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
    """The SHA-256 of a row without its identifier."""
    # `default`: bytes, which others than provrepo have put there, have a digest as well.
    text = json.dumps(list(row), ensure_ascii=False, default=repr)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _pingback(row: Sequence[Any]) -> Pingback:
    id_, project, document, version, relation, uri, anchor, received, seen = row
    return Pingback(id_, project, document, version, relation, uri, anchor, received, bool(seen))


def _known(connection: sqlite3.Connection, place: tuple[str, str, int], one: Pinged) -> bool:
    found = connection.execute(
        "SELECT 1 FROM pingbacks "
        "WHERE project = ? AND document = ? AND version = ? AND relation = ? AND uri = ? AND anchor = ?",
        (*place, *one),
    )
    return found.fetchone() is not None


def _make_room(connection: sqlite3.Connection, project: str, left: int) -> None:
    """Forget so many that at most ``left`` remain."""
    connection.execute(
        "DELETE FROM pingbacks WHERE id IN (SELECT id FROM pingbacks WHERE project = ?1 ORDER BY seen, id "
        "LIMIT max(0, (SELECT count(*) FROM pingbacks WHERE project = ?1) - ?2))",
        (project, left),
    )
