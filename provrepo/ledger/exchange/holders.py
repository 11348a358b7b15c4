"""Holders: who has a copy of which documents of this repository, as ``exchange.sqlite`` stores it."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass
from typing import Any

from provrepo.ledger.entries import now
from provrepo.ledger.exchange.database import ExchangeDatabase

__all__ = ["HOW", "PROTOCOLS", "Holder", "Holders"]

PROTOCOLS = ("inbox", "pingback")
"""How a holder is told: by a notice to its inbox, or by a pingback of PROV-AQ."""

HOW = ("push", "mirror", "derived", "declared")
"""How it is known that a holder has a copy."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A holder of copies.

    Attributes:
        id: its number, by which it is removed; 0 for a new one.
        project: the project.
        document: the document; empty for all.
        version: the version; 0 for all of the document.
        peer: the name of the peer; empty for an address that the operator named.
        url: the address of the inbox or for pingbacks; empty for a peer.
        protocol: one of ``PROTOCOLS``.
        how: one of ``HOW``.
        since: the sequence number of the last entry of the project that the copy contains.
        added: the time at which it was added, xsd:dateTime in UTC.
    """

    id: int
    project: str
    document: str
    version: int
    peer: str
    url: str
    protocol: str
    how: str
    since: int
    added: str = ""

    @property
    def target(self) -> tuple[str, str]:
        """The peer and the address, one of which is empty."""
        return self.peer, self.url

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)


_SELECT = "SELECT id, project, document, version, peer, url, protocol, how, since, added FROM holders"


class Holders:
    """The holders of copies of the documents of a data directory."""

    def __init__(self, database: ExchangeDatabase) -> None:
        """Use the database."""
        self._database = database

    def add(self, holder: Holder) -> Holder:
        """Store a holder. One that is stored already keeps its number; the copy is then the newer one.

        Events after ``since`` are announced to it, also those that were announced to other holders before.

        Args:
            holder: the holder; ``id`` and ``added`` are ignored.

        Returns:
            The holder as it is stored.
        """
        with self._database.writing() as connection:
            return add(connection, holder)

    def listed(self, project: str | None = None) -> list[Holder]:
        """Return the holders of a project, or of all, in the order in which they were added."""
        with self._database.reading() as connection:
            return of_project(connection, project)

    def known(self, project: str, document: str, version: int, peer: str) -> bool:
        """Return whether a peer is stored as a holder, or was removed."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT 1 FROM holders WHERE project = ? AND document = ? AND version = ? AND peer = ?",
                (project, document, version, peer),
            ).fetchone()
        return row is not None

    def pushed(self) -> list[tuple[str, str, int, str]]:
        """Return project, document, version and peer of each version that was sent and has no holder stored.

        A version of which an attempt to send it failed may have arrived as well.
        """
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT DISTINCT project, document, version, peer FROM pushes AS p WHERE (state IN ('pending', "
                "'accepted') OR (state = 'queued' AND attempts > 0)) AND NOT EXISTS (SELECT 1 FROM holders AS h "
                "WHERE h.project = p.project AND h.document = p.document AND h.version = p.version "
                "AND h.peer = p.peer) ORDER BY project, document, version, peer"
            ).fetchall()
        return [(str(project), str(document), int(version), str(peer)) for project, document, version, peer in rows]

    def forget_rejected(self) -> None:
        """Delete the holders that have rejected what was sent, or let it expire, and so do not have it."""
        rejected = (
            "how = 'push' AND EXISTS (SELECT 1 FROM pushes AS p WHERE p.project = holders.project "
            "AND p.document = holders.document AND p.version = holders.version AND p.peer = holders.peer "
            "AND p.state IN ('rejected', 'expired'))"
        )
        with self._database.reading() as connection:
            found = connection.execute(f"SELECT 1 FROM holders WHERE {rejected} LIMIT 1").fetchone()  # noqa: S608
        if found is not None:
            with self._database.writing() as connection:
                connection.execute(f"DELETE FROM holders WHERE {rejected}")  # noqa: S608

    def remove(self, id: int) -> Holder | None:  # noqa: A002
        """Remove a holder. Only the operator can bring it back.

        Returns:
            The removed holder; None if there is none with this number.
        """
        if not self._database.exists:
            return None
        with self._database.writing() as connection:
            row = connection.execute(f"{_SELECT} WHERE id = ? AND NOT removed", (id,)).fetchone()
            connection.execute("UPDATE holders SET removed = 1 WHERE id = ?", (id,))
        return None if row is None else Holder(*row)


def add(connection: sqlite3.Connection, holder: Holder) -> Holder:
    """Store a holder inside a transaction; see ``Holders.add``."""
    key = (holder.project, holder.document, holder.version, holder.peer, holder.url)
    connection.execute(
        "INSERT INTO holders (project, document, version, peer, url, protocol, how, since, added) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (project, document, version, peer, url) "
        "DO UPDATE SET since = max(since, excluded.since), protocol = excluded.protocol, "
        "removed = removed AND excluded.how <> 'declared'",
        (*key, holder.protocol, holder.how, holder.since, now()),
    )
    row = connection.execute(
        f"{_SELECT} WHERE project = ? AND document = ? AND version = ? AND peer = ? AND url = ?", key
    ).fetchone()
    connection.execute(
        "INSERT INTO announced (project, sequence) VALUES (?1, ?2) "
        "ON CONFLICT (project) DO UPDATE SET sequence = min(sequence, ?2)",
        (holder.project, holder.since),
    )
    return Holder(*row)


def of_project(connection: sqlite3.Connection, project: str | None) -> list[Holder]:
    """Return the holders of a project, or of all."""
    rows = connection.execute(
        f"{_SELECT} WHERE coalesce(?, project) = project AND NOT removed ORDER BY id", (project,)
    ).fetchall()
    return [Holder(*row) for row in rows]
