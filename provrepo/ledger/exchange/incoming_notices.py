"""Received notices, as ``exchange.sqlite`` stores them: those of peers, and apart from them those of anybody else.

A notice of a peer is kept. Notices whose sender is not proven are limited in number; they have no effect until the peer
that they name was asked.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from provrepo.ledger.entries import now
from provrepo.ledger.exchange.database import ExchangeDatabase

__all__ = ["IncomingNotices", "ReceivedNotice", "Subject", "keep", "of_peer"]


@dataclass(frozen=True, slots=True)
class ReceivedNotice:
    """A received notice.

    Attributes:
        key: the last step of its address.
        peer: the name of the peer that sent it; for an unproven one the peer that it names, which may be empty.
        id: its identifier.
        about: ``withdrawn``, ``corrected``, ``erased`` or ``derived``; empty for any other notice.
        answers: the identifier of the notice that it acknowledges; empty for none.
        project: the project of its object: here for a derivation and an acknowledgment, at the peer for a version that
            it took back. Empty if it is unknown.
        document: the document; may be empty.
        version: the version; 0 if it is unknown.
        proof: ``token`` or ``ledger``, by which the sender was proven; empty for an unproven notice.
        subject: the IRI of the subject; may be empty.
        object: the IRI of the object; may be empty.
        time: the time of the event at the peer; may be empty.
        by: the name of its actor; may be empty.
        reason: its published reason; may be empty.
        body: its text.
        received: the time at which it was received, xsd:dateTime in UTC.
        attempts: how often the named peer was asked in vain.
    """

    key: str
    peer: str
    id: str
    about: str
    answers: str
    project: str
    document: str
    version: int
    proof: str
    subject: str
    object: str
    time: str
    by: str
    reason: str
    body: bytes
    received: str
    attempts: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object, without its text."""
        names = (
            *("id", "about", "project", "document", "version", "peer", "proof", "subject", "object", "answers"),
            *("time", "by", "reason", "received"),
        )
        return {"direction": "received", **{name: getattr(self, name) for name in names}}


class Subject(NamedTuple):
    """What a received notice is about; the members are those of ``ReceivedNotice``."""

    peer: str
    about: str
    project: str
    document: str
    proof: str


_SELECT = (
    "SELECT key, peer, id, about, answers, project, document, version, proof, subject, object, time, by, reason, body, "
    "received FROM received_notices"
)
_UNPROVEN = (
    "SELECT key, peer, id, about, '', project, document, version, '', '', '', '', '', '', body, received, attempts "
    "FROM unproven_notices"
)


class IncomingNotices:
    """The received notices of a data directory. Threads and processes may share them."""

    def __init__(self, database: ExchangeDatabase) -> None:
        """Use the database."""
        self._database = database

    def keep_unproven(self, notice: ReceivedNotice, *, most: int, due: float | None) -> bool:
        """Store a notice whose sender is not proven, unless one with the same text is stored.

        If there are more than ``most`` afterwards, the oldest ones that nobody has seen are deleted, then the oldest.

        Args:
            notice: the notice; ``key`` and ``received`` are ignored.
            most: the limit.
            due: the time to ask the peer that it names, in seconds since the epoch; None if none is asked.

        Returns:
            Whether it is new.
        """
        digest = hashlib.sha256(notice.body).hexdigest()
        with self._database.writing() as connection:
            found = connection.execute(
                "INSERT INTO unproven_notices (key, digest, id, peer, about, project, document, version, body, "
                "received, due) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING",
                (
                    *(_key(), digest, notice.id, notice.peer, notice.about, notice.project, notice.document),
                    *(notice.version, notice.body, now(), due),
                ),
            )
            connection.execute(
                "DELETE FROM unproven_notices WHERE number IN (SELECT number FROM unproven_notices "
                "ORDER BY seen, number LIMIT max(0, (SELECT count(*) FROM unproven_notices) - ?))",
                (most,),
            )
        return found.rowcount == 1

    def to_ask(self, at: float, limit: int) -> list[ReceivedNotice]:
        """Return unproven notices whose peer is to be asked now, the oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(f"{_UNPROVEN} WHERE due <= ? ORDER BY number LIMIT ?", (at, limit)).fetchall()
        return [ReceivedNotice(*row) for row in rows]

    def ask_later(self, key: str, due: float | None) -> None:
        """Record that the peer did not answer; with None it is not asked again."""
        with self._database.writing() as connection:
            connection.execute("UPDATE unproven_notices SET attempts = attempts + 1, due = ? WHERE key = ?", (due, key))

    def disproved(self, key: str) -> None:
        """Delete an unproven notice that the named peer does not know."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM unproven_notices WHERE key = ?", (key,))

    def listed(self) -> list[ReceivedNotice]:
        """Return the notices in the order of their arrival, those of peers first, without acknowledgments."""
        with self._database.reading() as connection:
            rows = connection.execute(f"{_SELECT} WHERE answers = '' ORDER BY number").fetchall()
            rows += connection.execute(f"{_UNPROVEN} ORDER BY number").fetchall()
        return [ReceivedNotice(*row) for row in rows]

    def counted(self) -> list[tuple[Subject, int]]:
        """Return how many notices there are about each subject, without acknowledgments."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT peer, about, project, document, proof, count(*) FROM (SELECT peer, about, project, document, "
                "proof FROM received_notices WHERE answers = '' UNION ALL SELECT peer, about, project, document, '' "
                "FROM unproven_notices) GROUP BY 1, 2, 3, 4, 5"
            ).fetchall()
        return [(Subject(*row[:5]), int(row[5])) for row in rows]

    def mark_seen(self, found: Sequence[ReceivedNotice]) -> None:
        """Record that notices were shown to somebody who may see them: new ones displace unseen ones first."""
        unproven = [(one.key,) for one in found if not one.proof]
        if unproven:
            with self._database.writing() as connection:
                connection.executemany("UPDATE unproven_notices SET seen = 1 WHERE key = ? AND NOT seen", unproven)

    def find(self, key: str) -> ReceivedNotice | None:
        """Return the notice with this key, or with this identifier if a peer sent it; None if there is none."""
        with self._database.reading() as connection:
            row = connection.execute(f"{_SELECT} WHERE ? IN (key, id) ORDER BY number", (key,)).fetchone()
            row = row or connection.execute(f"{_UNPROVEN} WHERE ? IN (key, id) ORDER BY number", (key,)).fetchone()
        return None if row is None else ReceivedNotice(*row)

    def taken_back(self, peer: str, project: str, document: str) -> list[ReceivedNotice]:
        """Return the notices of a peer about one of its documents that say what happened to its versions."""
        if not self._database.exists:
            return []
        with self._database.reading() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE peer = ? AND project = ? AND document = ? AND answers = '' "
                "AND about IN ('withdrawn', 'corrected', 'erased') ORDER BY number",
                (peer, project, document),
            ).fetchall()
        return [ReceivedNotice(*row) for row in rows]

    def has_taken_back(self) -> bool:
        """Return whether any peer has said that it took back or corrected anything."""
        if not self._database.exists:
            return False
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT 1 FROM received_notices WHERE answers = '' AND about IN ('withdrawn', 'corrected', 'erased') "
                "LIMIT 1"
            ).fetchone()
        return row is not None

    def documents_taken_back(self) -> list[tuple[str, str, str]]:
        """Return peer, project and document there for each document of which a version was taken back."""
        if not self._database.exists:
            return []
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT DISTINCT peer, project, document FROM received_notices "
                "WHERE answers = '' AND about IN ('withdrawn', 'corrected', 'erased') ORDER BY peer, project, document"
            ).fetchall()
        return [(str(peer), str(project), str(document)) for peer, project, document in rows]

    def unrecorded(self) -> list[ReceivedNotice]:
        """Return the notices of peers that the ledger has no entry of yet."""
        if not self._database.exists:
            return []
        with self._database.reading() as connection:
            rows = connection.execute(f"{_SELECT} WHERE recorded = 0 ORDER BY number").fetchall()
        return [ReceivedNotice(*row) for row in rows]

    def recorded(self, key: str) -> None:
        """Record that the ledger has an entry of a notice."""
        with self._database.writing() as connection:
            connection.execute("UPDATE received_notices SET recorded = 1 WHERE key = ?", (key,))


def of_peer(connection: sqlite3.Connection, peer: str, id: str) -> ReceivedNotice | None:  # noqa: A002
    """Return the notice of a peer with this identifier, inside a transaction; None if there is none."""
    row = connection.execute(f"{_SELECT} WHERE peer = ? AND id = ?", (peer, id)).fetchone()
    return None if row is None else ReceivedNotice(*row)


def keep(connection: sqlite3.Connection, notice: ReceivedNotice) -> ReceivedNotice:
    """Store a notice of a peer inside a transaction; return it with its key. Unproven ones with its text are deleted.

    Args:
        connection: of a transaction in which ``of_peer`` did not find it.
        notice: the notice; ``key`` and ``received`` are ignored.
    """
    key = _key()
    connection.execute(
        "INSERT INTO received_notices (number, key, peer, id, about, answers, project, document, version, proof, "
        "subject, object, time, by, reason, body, received) VALUES "
        "((SELECT coalesce(max(number), 0) + 1 FROM received_notices), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(key, notice.peer, notice.id, notice.about, notice.answers, notice.project, notice.document),
            *(notice.version, notice.proof, notice.subject, notice.object, notice.time, notice.by, notice.reason),
            *(notice.body, now()),
        ),
    )
    connection.execute("DELETE FROM unproven_notices WHERE digest = ?", (hashlib.sha256(notice.body).hexdigest(),))
    row = connection.execute(f"{_SELECT} WHERE key = ?", (key,)).fetchone()
    return ReceivedNotice(*row)


def _key() -> str:
    return secrets.token_hex(16)
