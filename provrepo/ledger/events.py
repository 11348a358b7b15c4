"""Events of other tools that a server received: rows beside the entries, durable before they are acknowledged.

Events arrive one by one, in any order, and more than once. Documents are made of them later (``repository.events``).
An entry of the kind ``events`` covers many events: its ``blob`` is the SHA-256 of the list of their digests, one a
line, so that the chain proves each of them even after the bytes of some were erased.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple

from provrepo.ledger.entries import events_digest
from provrepo.ledger.governance import standing
from provrepo.ledger.ledger import Ledger
from provrepo.ledger.streams import Stream

__all__ = ["Events", "Group", "NewEvent"]

_SEALED_AT_ONCE = 10_000


class NewEvent(NamedTuple):
    """An event that was received.

    Attributes:
        document: the name of the document that it belongs to: of its run, or of all events without a run.
        digest: SHA-256 of its canonical JSON.
        data: its canonical JSON.
        ends: whether the document can be made now, since the run has ended.
    """

    document: str
    digest: str
    data: bytes
    ends: bool


@dataclass(frozen=True, slots=True)
class Group:
    """The events of one document.

    Attributes:
        project: the project.
        document: the name of the document.
        last: the position of the last event.
        actor: identifier of the actor who sent it.
        token: identifier of the token with which it was sent; may be empty.
        problem: why the document could not be stored at the last attempt; empty if it could.
    """

    project: str
    document: str
    last: int
    actor: str
    token: str
    problem: str


class Events:
    """The events of one data directory."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._database = ledger.database

    def add(self, project: str, events: Sequence[NewEvent], *, actor: str, token: str) -> int:
        """Store the events that are not stored yet, durably and in one transaction.

        Args:
            project: the project.
            events: the events.
            actor: identifier of the actor who sent them.
            token: identifier of the token; may be empty.

        Returns:
            How many are new.

        Raises:
            Archived: the project is archived.
            ProjectFull, OverQuota: the documents of these events would exceed the quota of the project.
            Busy: others kept writing for too long.
            NoSpace: the disk is full; nothing was stored.
        """
        new = 0
        now = time.time()
        with self._database.writing() as connection:
            for event in events:
                cursor = connection.execute(
                    "INSERT OR IGNORE INTO events (project, document, digest, actor, token, data) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    (project, event.document, event.digest, actor, token, event.data),
                )
                if not cursor.rowcount:
                    continue
                new += 1
                connection.execute(
                    "INSERT INTO event_groups (project, document, last, made, ends, changed, begun, problem) "
                    "VALUES (?1, ?2, ?3, 0, ?4, ?5, ?5, '') ON CONFLICT (project, document) DO UPDATE SET "
                    "last = excluded.last, ends = max(ends, excluded.ends), changed = excluded.changed, "
                    "begun = CASE WHEN made = last THEN excluded.begun ELSE begun END",
                    (project, event.document, cursor.lastrowid, event.ends, now),
                )
            if new:
                self._require_room(connection, project)
        return new

    @staticmethod
    def _require_room(connection: sqlite3.Connection, project: str) -> None:
        """Refuse events in the transaction that stores them: all that wait for their documents count."""
        stream = Stream(connection, project)
        settings = stream.settings()
        standing.require_active(project, settings)
        if not any(settings.get(name) for name in standing.QUOTAS):
            return
        waiting = connection.execute(
            "SELECT count(*), (SELECT coalesce(sum(length(e.data)), 0) FROM events AS e JOIN event_groups AS h "
            "ON h.project = e.project AND h.document = e.document WHERE e.project = ?1 AND e.position > h.made) "
            "FROM event_groups AS g WHERE g.project = ?1 AND g.last > g.made AND NOT EXISTS (SELECT 1 FROM documents "
            "AS d WHERE d.project = g.project AND d.document = g.document AND d.withdrawn IS NULL)",
            (project,),
        ).fetchone()
        standing.require_room(stream.use(), project, settings, size=0, new=False, waiting=waiting)

    def due(self, *, quiet: float, interval: float, limit: int = 100) -> list[Group]:
        """Return groups with events that their document does not have yet, the longest waiting ones first.

        Args:
            quiet: seconds without a new event after which the document of a run that has ended is made.
            interval: seconds after which the document of a run that goes on is made.
            limit: the most groups.
        """
        now = time.time()
        rows = self._rows(
            "SELECT g.project, g.document, g.last, e.actor, e.token, g.problem FROM event_groups AS g "
            "JOIN events AS e ON e.position = g.last WHERE g.last > g.made "
            "AND ((g.ends AND g.changed <= ?1) OR g.begun <= ?2) ORDER BY g.begun LIMIT ?3",
            *(now - quiet, now - interval, limit),
        )
        return [Group(str(p), str(d), int(last), str(a), str(t), str(why)) for p, d, last, a, t, why in rows]

    def data(self, project: str, document: str) -> Iterator[bytes]:
        """Yield the events of a document in canonical JSON, without erased ones."""
        rows = self._rows(
            "SELECT data FROM events WHERE project = ? AND document = ? AND data IS NOT NULL ORDER BY position",
            *(project, document),
        )
        for (data,) in rows:
            yield bytes(data)

    def made(self, group: Group, problem: str = "") -> None:
        """Note that the document of a group has its events, or why it could not be stored."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE event_groups SET made = ?, problem = ? WHERE project = ? AND document = ?",
                (group.last, problem, group.project, group.document),
            )

    def postpone(self, group: Group, problem: str, *, seconds: float) -> None:
        """Note why the document of a group cannot be stored at present; it is due again after some seconds."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE event_groups SET changed = ?1, begun = ?1, problem = ?2 WHERE project = ?3 AND document = ?4",
                (time.time() + seconds, problem, group.project, group.document),
            )

    def problems(self) -> list[tuple[str, str, str]]:
        """Return project, document and reason of each document that could not be stored."""
        rows = self._rows(
            "SELECT project, document, problem FROM event_groups WHERE problem <> '' ORDER BY project, document"
        )
        return [(str(project), str(document), str(problem)) for project, document, problem in rows]

    def waiting(self) -> int:
        """Return the number of documents whose events are not all in them yet."""
        return int(self._rows("SELECT count(*) FROM event_groups WHERE last > made")[0][0])

    def seal(self) -> int:
        """Cover the events that no entry covers yet by entries; return the number of entries.

        Raises:
            Busy: others kept writing for too long.
            NoSpace: the disk is full.
        """
        count = 0
        while True:
            rows = self._rows("SELECT DISTINCT project FROM events WHERE sequence IS NULL ORDER BY project")
            if not rows:
                return count
            for (project,) in rows:
                count += self._seal(str(project))

    def _seal(self, project: str) -> int:
        with self._ledger.appending(project) as appending:
            return appending.cover_events("openlineage", _SEALED_AT_ONCE)

    def erase(self, project: str, document: str) -> None:
        """Delete the bytes of the events of a document. Their digests stay, so that they are not accepted again.

        Raises:
            Busy: others kept using the database for too long; call this again.
            NoSpace: the disk is full: the bytes may still be in the file; call this again.
        """
        with self._database.writing() as connection:
            erased = connection.execute(
                "UPDATE events SET data = NULL WHERE project = ? AND document = ?", (project, document)
            )
            connection.execute(
                "UPDATE event_groups SET made = last, problem = '' WHERE project = ? AND document = ?",
                (project, document),
            )
        if erased.rowcount:
            self._database.rewrite()

    def verify(self) -> Iterator[str]:
        """Yield a sentence for each event and each entry that does not agree with the others."""
        for project, sequence, blob, count in self._rows(
            "SELECT e.project, e.sequence, json_extract(e.data, '$.blob'), json_extract(e.data, '$.count') "
            "FROM entries AS e WHERE e.kind = 'events' ORDER BY e.position"
        ):
            rows = self._rows(
                "SELECT position, digest, data FROM events WHERE project = ? AND sequence = ? ORDER BY position",
                *(project, sequence),
            )
            if len(rows) != count or events_digest(str(digest) for _, digest, _ in rows) != blob:
                yield f"the events of entry {sequence} of project {project} are not those that were received"
            for position, digest, data in rows:
                if data is not None and sha256(bytes(data)).hexdigest() != digest:
                    yield f"event {position} of project {project}: its bytes are not those that were received"

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._database.reading() as connection:
            return connection.execute(query, values).fetchall()
