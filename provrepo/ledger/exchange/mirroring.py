"""Changes of the table of mirrors, each recorded in the repository's own stream in the same transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import astuple, fields, replace
from typing import Any

from provrepo.errors import Conflict, NotFound
from provrepo.ledger.appending import Appending
from provrepo.ledger.entries import REPOSITORY, check_name
from provrepo.ledger.exchange import mirrors
from provrepo.ledger.exchange.mirrors import RECORDED, Mirror
from provrepo.ledger.storage.database import Database

__all__ = ["Mirroring"]

_COLUMNS = tuple(field.name for field in fields(Mirror))
_SQL_COLUMNS = ", ".join(_COLUMNS)
_INSERT = f"INSERT INTO mirrors ({_SQL_COLUMNS}) VALUES ({', '.join('?' for _ in _COLUMNS)})"  # noqa: S608


class Mirroring:
    """The mirrors of a data directory, with the names of foreign actors and the blobs that are absent."""

    def __init__(self, database: Database, *, software: str) -> None:
        """Use the ledger's database.

        Args:
            database: the database.
            software: name and version of this program, which the entries record.
        """
        self._database = database
        self._software = software

    def begin(self, mirror: Mirror, *, actor: str) -> Mirror:
        """Add a mirror. If it exists already with the same origin, its row is returned unchanged.

        Args:
            mirror: the new row.
            actor: opaque identifier of the actor.

        Raises:
            Conflict: a project or another mirror has the name.
            InvalidName: the name is malformed.
        """
        check_name(mirror.project)
        check_name(mirror.stream)
        with self._database.writing() as connection:
            found = mirrors.find(connection, mirror.project)
            if found is not None:
                if (found.identity, found.stream) != (mirror.identity, mirror.stream):
                    raise Conflict(
                        f"{mirror.project} is a mirror of another project already ({_where(found)}): choose another "
                        "name"
                    )
                return found
            if connection.execute("SELECT 1 FROM entries WHERE project = ? LIMIT 1", (mirror.project,)).fetchone():
                raise Conflict(f"there is a project {mirror.project!r} already: choose another name for the mirror")
            connection.execute(_INSERT, astuple(mirror))
            self._record(connection, mirror, actor)
            return mirror

    def change(self, project: str, *, actor: str, **changes: Any) -> Mirror:
        """Change columns of a mirror, and record those that entries repeat.

        Args:
            project: the name of the mirror.
            actor: opaque identifier of the actor; empty for the software itself.
            changes: new values by column.

        Raises:
            NotFound: there is no such mirror.
        """
        with self._database.writing() as connection:
            return self.change_within(connection, project, actor=actor, **changes)

    def change_within(self, connection: sqlite3.Connection, project: str, *, actor: str, **changes: Any) -> Mirror:
        """Do as ``change`` inside of a transaction."""
        found = mirrors.find(connection, project)
        if found is None:
            raise NotFound(f"there is no mirror {project!r}")
        wanted = replace(found, **changes)
        if wanted == found:
            return found
        assignments = ", ".join(f"{name} = ?" for name in _COLUMNS)
        connection.execute(
            f"UPDATE mirrors SET {assignments} WHERE project = ?",  # noqa: S608
            (*astuple(wanted), project),
        )
        if any(getattr(wanted, name) != getattr(found, name) for name in RECORDED):
            self._record(connection, wanted, actor)
        return wanted

    def names(self, identity: str) -> dict[str, str]:
        """Return the names of the actors of an origin, by opaque identifier."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT actor, name FROM mirrored_actors WHERE identity = ? ORDER BY actor", (identity,)
            ).fetchall()
        return {str(actor): str(name) for actor, name in rows}

    def rename(self, identity: str, names: Mapping[str, str]) -> None:
        """Store the present names of actors of an origin, by opaque identifier."""
        with self._database.writing() as connection:
            connection.executemany(
                "INSERT INTO mirrored_actors (identity, actor, name) VALUES (?, ?, ?) "
                "ON CONFLICT (identity, actor) DO UPDATE SET name = excluded.name",
                [(identity, actor, name) for actor, name in names.items()],
            )

    def absent(self, project: str) -> dict[str, str]:
        """Return the blobs that a mirror lacks, each with the reason, by digest."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT blob, reason FROM absent WHERE project = ? ORDER BY blob", (project,)
            ).fetchall()
        return {str(blob): str(reason) for blob, reason in rows}

    def absence(self, project: str, blob: str) -> str | None:
        """Return why a mirror lacks a blob; None if it does not."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT reason FROM absent WHERE project = ? AND blob = ?", (project, blob)
            ).fetchone()
        return None if row is None else str(row[0])

    @staticmethod
    def set_absent(connection: sqlite3.Connection, project: str, missing: Mapping[str, str]) -> None:
        """Record blobs as absent inside of a transaction, each with its reason."""
        connection.executemany(
            "INSERT INTO absent (project, blob, reason) VALUES (?, ?, ?) "
            "ON CONFLICT (project, blob) DO UPDATE SET reason = excluded.reason",
            [(project, blob, reason) for blob, reason in missing.items()],
        )

    @staticmethod
    def set_present(connection: sqlite3.Connection, project: str, blobs: Iterable[str]) -> int:
        """Record inside of a transaction that blobs arrived; return how many of them were absent."""
        return connection.executemany(
            "DELETE FROM absent WHERE project = ? AND blob = ?", [(project, blob) for blob in blobs]
        ).rowcount

    def _record(self, connection: sqlite3.Connection, mirror: Mirror, actor: str) -> None:
        Appending(connection, REPOSITORY, self._software).append("mirror", mirrors.recorded(mirror), actor=actor)


def _where(mirror: Mirror) -> str:
    return mirror.origin or f"project {mirror.stream} of the repository {mirror.identity}"
