"""Appending to one stream of the ledger, inside a write transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from provrepo.errors import Damaged
from provrepo.ledger import clock, confidential
from provrepo.ledger.entries import Entry, compose, events_digest, now
from provrepo.ledger.exchange import mirrors
from provrepo.ledger.exchange.chain import check_next
from provrepo.ledger.governance import embargoes, standing
from provrepo.ledger.logs import trees
from provrepo.ledger.streams import Stream, columns

__all__ = ["Appending"]


class Appending(Stream):
    """The stream of one project inside a write transaction, so that no other writer changes what it reads.

    Use it through ``Ledger.appending``.
    """

    def __init__(self, connection: sqlite3.Connection, project: str, software: str) -> None:
        super().__init__(connection, project)
        self._software = software

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection with the transaction, for tables beside the entries."""
        return self._connection

    def append(
        self, kind: str, body: Mapping[str, Any], *, actor: str, token: str = "", time: str | None = None
    ) -> Entry:
        """Append an entry, which is stored when the transaction commits.

        Args:
            kind: one of ``entries.KINDS``.
            body: all fields of the kind.
            actor: opaque identifier of the actor; empty for the software itself.
            token: identifier of the token of the request; empty for the local owner.
            time: xsd:dateTime in UTC; None for now.

        Raises:
            Mirrored: the project is a mirror.
            Archived: it is archived.
            Conflict: it would become public during an embargo.
            ProjectFull, OverQuota: a submission would exceed its quota.
            InvalidName: the name of the project or document is malformed.
            ValueError: a field is missing, unknown or of the wrong type; the version of a submission is not the next
                one; the version of a withdrawal or erasure does not exist.
        """
        mirrors.require_own(self._connection, self.project)
        length, previous = self._end()
        time = time or now()
        if self.project:
            self._require_standing(kind, body, actor, time)
        clock.compare(self._connection, time)
        entry = compose(
            kind,
            {**body, "token": token} if token else body,
            project=self.project,
            sequence=length + 1,
            previous=previous,
            actor=actor,
            time=time,
            software=self._software,
        )
        self._insert(entry, None)
        return entry

    def copy(self, entry: Entry) -> Entry:
        """Append an entry of another repository to a mirror, byte for byte.

        Args:
            entry: the entry, of any kind, as its origin wrote it.

        Returns:
            The same entry under the name of the mirror.

        Raises:
            Damaged: the project is not a mirror.
            Diverged: it is not the next entry of the project that is mirrored.
            ValueError: it does not fit to the versions that the entries before it submitted.
        """
        mirror = mirrors.find(self._connection, self.project)
        if mirror is None:
            raise Damaged(f"project {self.project} is not a mirror")
        check_next(entry, mirror.stream, *self._end())
        own = entry.here(self.project)
        self._insert(own, mirror.stream)
        return own

    def _insert(self, entry: Entry, stream: str | None) -> None:
        self._check_version(entry)
        cursor = self._connection.execute(
            "INSERT INTO entries (project, sequence, sha256, kind, document, version, blob, report, data, stream) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (entry.project, entry.sequence, entry.sha256, *columns(entry), entry.data, stream),
        )
        trees.append(self._connection, entry.project, entry.sequence, entry.sha256)
        self._index(entry, cursor.lastrowid)

    def cover_events(self, source: str, most: int) -> int:
        """Append an entry that covers the events of the project that no entry covers; see ``ledger.events``.

        Args:
            source: the format of the events.
            most: the most events of one entry.

        Returns:
            1; 0 if there are no such events.
        """
        rows = self._connection.execute(
            "SELECT position, digest, length(data) FROM events WHERE project = ? AND sequence IS NULL "
            "ORDER BY position LIMIT ?",
            (self.project, most),
        ).fetchall()
        if not rows:
            return 0
        blob = events_digest(str(digest) for _, digest, _ in rows)
        size = sum(length or 0 for *_, length in rows)
        entry = self.append("events", {"source": source, "blob": blob, "size": size, "count": len(rows)}, actor="")
        self._connection.execute(
            "UPDATE events SET sequence = ? WHERE project = ? AND sequence IS NULL AND position <= ?",
            (entry.sequence, self.project, rows[-1][0]),
        )
        return 1

    def conceal(self, text: str) -> str:
        """Store a confidential text and return its digest, for a field of an entry: see ``ledger.confidential``."""
        return confidential.conceal(self._connection, text)

    def _require_standing(self, kind: str, body: Mapping[str, Any], actor: str, time: str) -> None:
        settings = self.settings()
        standing.require_open(self.project, settings, kind, body, actor)
        if kind == "settings" and body.get("public"):
            embargoes.require_none(self._connection, self.project)
        if kind == "submit":
            self.require_room(str(body["document"]), int(body["size"]), time=time, settings=settings)

    def _check_version(self, entry: Entry) -> None:
        if entry.kind not in ("submit", "withdraw", "erase", "atoms"):
            return
        document, version = entry.body["document"], entry.body["version"]
        newest = self.newest(document)
        if entry.kind == "submit" and version != newest + 1:
            raise ValueError(f"the next version of {document} is {newest + 1}, not {version}")
        if entry.kind != "submit" and version > newest:
            raise ValueError(f"{document} has no version {version} to {entry.kind}")

    def _index(self, entry: Entry, position: int | None) -> None:
        self._connection.execute(
            "INSERT INTO streams (project, length, sha256, position, documents) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (project) DO UPDATE SET length = excluded.length, sha256 = excluded.sha256, "
            "position = excluded.position, documents = documents + excluded.documents",
            (entry.project, entry.sequence, entry.sha256, position, self._difference(entry)),
        )
        if entry.kind == "submit":
            standing.used(self._connection, entry.project, entry.time, entry.body["size"])
            self._connection.execute(
                "INSERT INTO documents (project, document, version, submitted) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (project, document) "
                "DO UPDATE SET version = excluded.version, submitted = excluded.submitted, withdrawn = NULL",
                (entry.project, entry.body["document"], entry.body["version"], entry.sequence),
            )
        elif entry.kind == "withdraw":
            self._connection.execute(
                "UPDATE documents SET withdrawn = ? WHERE project = ? AND document = ?",
                (entry.sequence, entry.project, entry.body["document"]),
            )
        elif entry.kind == "erase":
            self._connection.execute(
                f"UPDATE streams SET bytes = ({standing.STORED_BYTES}) WHERE project = ?1",  # noqa: S608
                (entry.project,),
            )

    def _difference(self, entry: Entry) -> int:
        """Return by how much an entry changes the number of documents. Call it before the document is indexed."""
        if entry.kind not in ("submit", "withdraw"):
            return 0
        return (entry.kind == "submit") - self.has_document(entry.body["document"])
