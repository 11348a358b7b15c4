"""Pushes: versions on their way to peers, as ``exchange.sqlite`` stores them, and how far projects were sent."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from provrepo.errors import NotFound
from provrepo.ledger.entries import now
from provrepo.ledger.exchange.database import ExchangeDatabase

__all__ = ["ENDED", "UNDER_WAY", "Push", "Pushes"]

UNDER_WAY = ("queued", "pending")
"""The states in which the peer is asked again: not delivered yet, and waiting for a review there."""

ENDED = ("accepted", "rejected", "expired", "refused", "given-up", "cancelled")


@dataclass(frozen=True, slots=True)
class Push:
    """A version on its way to a peer.

    Attributes:
        id: its number here.
        peer: the name of the peer.
        project: the project here.
        document: the document.
        version: its version.
        entry: SHA-256 of the entry of that submission.
        state: ``queued`` (not delivered yet), ``pending`` (it waits for a review there), ``accepted``, ``rejected``,
            ``expired`` (there), ``refused`` (the peer did not take it), ``given-up`` (it could not be delivered for too
            long) or ``cancelled`` (here).
        created: the time at which it was queued, xsd:dateTime in UTC.
        attempts: the number of attempts since the last change of its state.
        due: the time of the next attempt.
        changed: the time of the last change of its state.
        failure: why the last attempt failed; empty if it did not.
        target: the project there.
        pending: its identifier there; empty while it is unknown.
        there: what the peer answered: ``name``, ``version``, ``iri``, ``entry``, ``reason``.
    """

    id: int
    peer: str
    project: str
    document: str
    version: int
    entry: str
    state: str
    created: str
    attempts: int
    due: str
    changed: str
    failure: str
    target: str
    pending: str
    there: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {field.name: getattr(self, field.name) for field in fields(self)} | {"there": dict(self.there)}


_NAMES = [field.name for field in fields(Push)]
_SELECT = f"SELECT {', '.join(_NAMES)} FROM pushes"  # noqa: S608


class Pushes:
    """The pushes of a data directory."""

    def __init__(self, database: ExchangeDatabase) -> None:
        """Use the database."""
        self._database = database

    def add(self, peer: str, project: str, version: tuple[str, int, str], target: str) -> Push:
        """Queue a version for a peer, unless it was queued before.

        Args:
            peer: the name of the peer.
            project: the project.
            version: document, version and digest of the entry.
            target: the project there.

        Returns:
            The push.
        """
        with self._database.writing() as connection:
            _insert(connection, peer, project, [version], target)
        return self.of_entry(peer, project, version[2])

    def advance(
        self, peer: str, project: str, sequence: int, versions: Sequence[tuple[str, int, str]], target: str
    ) -> None:
        """Queue the versions of a project up to an entry, and record that entry, in one transaction.

        Args:
            peer: the name of the peer.
            project: the project.
            sequence: the sequence number of the last entry that was considered.
            versions: document, version and digest of the entry, of those to send.
            target: the project there.
        """
        with self._database.writing() as connection:
            _insert(connection, peer, project, versions, target)
            connection.execute(
                "INSERT INTO push_positions (peer, project, sequence) VALUES (?, ?, ?) "
                "ON CONFLICT (peer, project) DO UPDATE SET sequence = max(sequence, excluded.sequence)",
                (peer, project, sequence),
            )

    def position(self, peer: str, project: str) -> int | None:
        """Return the sequence number that ``advance`` recorded last; None if there is none."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT sequence FROM push_positions WHERE peer = ? AND project = ?", (peer, project)
            ).fetchone()
        return None if row is None else int(row[0])

    def get(self, id: int) -> Push:  # noqa: A002
        """Return a push.

        Raises:
            NotFound: there is none of this number.
        """
        with self._database.reading() as connection:
            row = connection.execute(f"{_SELECT} WHERE id = ?", (id,)).fetchone()
        if row is None:
            raise NotFound(f"there is no push {id}")
        return _push(row)

    def of_entry(self, peer: str, project: str, entry: str) -> Push:
        """Return the push of a version to a peer.

        Raises:
            NotFound: it was not queued.
        """
        with self._database.reading() as connection:
            row = connection.execute(
                f"{_SELECT} WHERE peer = ? AND project = ? AND entry = ?", (peer, project, entry)
            ).fetchone()
        if row is None:
            raise NotFound(f"that version of {project} was not sent to {peer}")
        return _push(row)

    def listed(self, project: str | None = None, states: Iterable[str] = (*UNDER_WAY, *ENDED)) -> list[Push]:
        """Return pushes of a project, or of all, in these states, the oldest first."""
        chosen = tuple(states)
        marks = ", ".join("?" for _ in chosen)
        with self._database.reading() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE coalesce(?, project) = project AND state IN ({marks}) ORDER BY id", (project, *chosen)
            ).fetchall()
        return [_push(row) for row in rows]

    def count(self, project: str | None = None) -> int:
        """Return the number of pushes of a project, or of all."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT count(*) FROM pushes WHERE coalesce(?, project) = project", (project,))
            return int(row.fetchone()[0])

    def due(self, at: str, most: int) -> dict[str, list[Push]]:
        """Return peer → pushes whose next attempt is due, the longest due first, at most ``most`` for each peer."""
        with self._database.reading() as connection:
            peers = connection.execute(
                "SELECT DISTINCT peer FROM pushes WHERE state IN ('queued', 'pending') AND due <= ? ORDER BY peer",
                (at,),
            ).fetchall()
            return {
                str(peer): [
                    _push(row)
                    for row in connection.execute(
                        f"{_SELECT} WHERE peer = ? AND state IN ('queued', 'pending') AND due <= ? "
                        "ORDER BY due, id LIMIT ?",
                        (peer, at, most),
                    ).fetchall()
                ]
                for (peer,) in peers
            }

    def change(self, id: int, *, only: Sequence[str] = UNDER_WAY, **values: Any) -> bool:  # noqa: A002
        """Change fields of a push; a new state also sets the time of the change and the number of attempts.

        Args:
            id: its number.
            only: the states that it must have.
            values: new values of fields.

        Returns:
            Whether it exists in one of these states.
        """
        if "state" in values:
            values = {"changed": now(), "attempts": 0, **values}
        if "there" in values:
            values["there"] = json.dumps(values["there"], ensure_ascii=False)
        sets = ", ".join(f"{name} = :{name}" for name in values)
        states = ", ".join(f"'{state}'" for state in only)
        with self._database.writing() as connection:
            return bool(
                connection.execute(
                    f"UPDATE pushes SET {sets} WHERE id = :row_id AND state IN ({states})",  # noqa: S608
                    {**values, "row_id": id},
                ).rowcount
            )

    def postpone(self, peer: str, until: str) -> None:
        """Set the next attempt of all pushes under way to a peer to a time, unless it is later already."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE pushes SET due = max(due, ?) WHERE peer = ? AND state IN ('queued', 'pending')", (until, peer)
            )


def _insert(
    connection: sqlite3.Connection, peer: str, project: str, versions: Sequence[tuple[str, int, str]], target: str
) -> None:
    at = now()
    connection.executemany(
        "INSERT INTO pushes (peer, project, document, version, entry, state, created, due, changed, target) "
        "VALUES (?, ?, ?, ?, ?, 'queued', ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [(peer, project, *version, at, at, at, target) for version in versions],
    )


def _push(row: tuple[Any, ...]) -> Push:
    values = dict(zip(_NAMES, row, strict=True))
    try:
        there = json.loads(values["there"])
    except ValueError:
        there = {}
    return Push(**{**values, "there": there if isinstance(there, dict) else {}})
