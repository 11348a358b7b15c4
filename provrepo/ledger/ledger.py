"""The ledger: streams of entries, one for each project, appended durably and never changed."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from provrepo.errors import Damaged
from provrepo.ledger import administration, clock, confidential, verification
from provrepo.ledger.clock import Clock, Setback
from provrepo.ledger.entries import REPOSITORY, Entry, check_name, compose, now
from provrepo.ledger.migrations import ADMINISTRATION, migrate
from provrepo.ledger.public import PublicProjects
from provrepo.ledger.storage.database import Database
from provrepo.ledger.streams import Stream, columns, readable

__all__ = ["Appending", "Identity", "Ledger"]

_PAGE = 256


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a repository is.

    Attributes:
        id: a UUID, drawn once and kept as an entry of the repository's own stream.
        before: for each stream that had entries when it was drawn, the number of the first entry after them. What they
            brought keeps the names that it had.
    """

    id: str
    before: Mapping[str, int]


class Appending(Stream):
    """One project's stream inside a write transaction: what it reads stays true until the commit."""

    def __init__(self, connection: sqlite3.Connection, project: str, software: str) -> None:
        super().__init__(connection, project)
        self._software = software

    def append(
        self, kind: str, body: Mapping[str, Any], *, actor: str, token: str = "", time: str | None = None
    ) -> Entry:
        """Append an entry; it is stored when the transaction commits.

        Args:
            kind: one of ``entries.KINDS``.
            body: the fields of the kind, all of them.
            actor: opaque identifier of who acts.
            token: identifier of the token with which it was asked for; empty for the local owner.
            time: xsd:dateTime in UTC; now when None.

        Raises:
            InvalidName: the name of the project or document is none.
            ValueError: a field is missing, unknown or of the wrong type; a submission's version is not the next
                one; a withdrawal or erasure of a version that there is not.
        """
        length, previous = self._end()
        time = time or now()
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
        self._check_version(entry)
        cursor = self._connection.execute(
            "INSERT INTO entries (project, sequence, sha256, kind, document, version, blob, report, data) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (entry.project, entry.sequence, entry.sha256, *columns(entry), entry.data),
        )
        self._index(entry, cursor.lastrowid)
        return entry

    def conceal(self, text: str) -> str:
        """Keep a text that only those may read who change the project; the digest of it that an entry may have."""
        return confidential.conceal(self._connection, text)

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

    def _difference(self, entry: Entry) -> int:
        """How many more documents there are after an entry; asked before the document is indexed."""
        if entry.kind not in ("submit", "withdraw"):
            return 0
        present = self._connection.execute(
            "SELECT 1 FROM documents WHERE project = ? AND document = ? AND withdrawn IS NULL",
            (entry.project, entry.body["document"]),
        ).fetchone()
        return (entry.kind == "submit") - (present is not None)


def _identify(connection: sqlite3.Connection, software: str) -> None:
    """Draw the identity of a repository that has none, inside the transaction that makes or upgrades its schema.

    Each project that has entries gets one too: it divides what was there, which keeps its names, from what comes.
    """
    if connection.execute("SELECT 1 FROM entries WHERE kind = 'identity' LIMIT 1").fetchone():
        return
    drawn = str(uuid.uuid4())
    streams = connection.execute("SELECT project FROM streams WHERE project <> '' ORDER BY project").fetchall()
    former = connection.execute("SELECT 1 FROM entries LIMIT 1").fetchone() is not None
    for project in [REPOSITORY, *(str(project) for (project,) in streams)]:
        setup = {} if project else {"setup": str(uuid.uuid4())}
        Appending(connection, project, software).append("identity", {"id": drawn, "former": former, **setup}, actor="")


def _upgraded(connection: sqlite3.Connection, before: int, software: str) -> None:
    """Append what a later schema wants to be recorded, inside the transaction that makes or upgrades the schema."""
    _identify(connection, software)
    if before < ADMINISTRATION:
        administration.record_found(connection, Appending(connection, REPOSITORY, software))


class Ledger:
    """The ledger of one data directory. Any number of threads and processes may have it open and append.

    An entry that cannot be read any more (a damaged disk) is set aside: everything that returns several entries
    leaves it out with a logged warning, and ``verify`` reports it.

    Attributes:
        database: the SQLite database, which accounts share.
    """

    def __init__(
        self,
        path: Path,
        *,
        software: str,
        timeout: float = 30.0,
        scratch: Path | None = None,
        immutable: bool = False,
    ) -> None:
        """Open the ledger of a data directory; both are made where they are missing.

        Args:
            path: the data directory.
            software: name and version of what appends, for the entries.
            timeout: how long to wait for other writers, in seconds.
            scratch: a folder of this process; given, the ledger is only read. See ``Database``.
            immutable: the ledger is only read, and no process writes it.

        Raises:
            Damaged: the directory cannot be used, or a newer version wrote it.
            Busy: others kept the ledger locked for longer than ``timeout``.
        """
        self._software = software
        prepare = partial(migrate, upgraded=partial(_upgraded, software=software))
        self.database = Database(
            path / "ledger.sqlite", timeout=timeout, prepare=prepare, scratch=scratch, immutable=immutable
        )
        self._identity: Identity | None = None
        self._public = PublicProjects(self.database)
        self._clock = Clock()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections of all threads. Closing again does nothing."""
        self.database.close()

    @contextmanager
    def appending(self, project: str) -> Iterator[Appending]:
        """Append to one stream: all of it durably stored when the block ends, nothing when an exception leaves it.

        Nobody else appends to any stream meanwhile, so keep the block short.

        Raises:
            InvalidName: not a name of a project.
            Busy: others kept writing for longer than the timeout.
            NoSpace: the disk is full.
            Damaged: the database failed.
        """
        check_name(project, stream=True)
        with self.database.writing() as connection:
            yield Appending(connection, project, self._software)

    def entries(
        self, project: str, after: int = 0, limit: int | None = None, *, every: bool = False
    ) -> Iterator[Entry]:
        """The entries of a stream in order, those appended meanwhile included.

        They are fetched in pages, so that a slow reader holds no transaction open.

        Args:
            project: whose stream.
            after: start behind the entry of this number.
            limit: return at most so many.
            every: go on behind entries that this version may not step over: for those who only look at bytes.

        Raises:
            Damaged: at an entry of a kind that this version may not step over, unless ``every`` is set.
        """
        left = limit
        while left is None or left > 0:
            with self._stream(project) as stream:
                page, last = stream.page(after, _PAGE if left is None else min(left, _PAGE), every=every)
            if last is None:
                return
            yield from page
            after = last
            left = None if left is None else left - len(page)

    def entry(self, project: str, sequence: int) -> Entry:
        """One entry.

        Raises:
            NotFound: the stream is shorter.
            Damaged: the entry is unreadable, or of a kind that this version does not know.
        """
        with self._stream(project) as stream:
            return stream.entry(sequence)

    def length(self, project: str) -> int:
        """How many entries a stream has; 0 for one that there is not."""
        with self._stream(project) as stream:
            return stream.length()

    def projects(self) -> list[str]:
        """The projects that have entries, sorted."""
        rows = self._all("SELECT project FROM streams WHERE project <> '' ORDER BY project")
        return [str(project) for (project,) in rows]

    def public(self) -> frozenset[str]:
        """The projects that everybody may read."""
        return self._public.names()

    def settings(self, project: str) -> dict[str, Any]:
        """The settings in force for a project, or with ``REPOSITORY`` for the whole repository."""
        with self._stream(project) as stream:
            return stream.settings()

    def changes(self, project: str) -> list[Entry]:
        """All entries of settings of a project, or with ``REPOSITORY`` of the whole repository, the oldest first."""
        with self._stream(project) as stream:
            return stream.changes()

    def identity(self) -> Identity:
        """Who the repository is, and what was in it before that was drawn; both never change."""
        if self._identity is None:
            self._identity = self._read_identity()
        return self._identity

    def setup(self) -> str:
        """The set-up identifier: a restore draws another one, so that followers notice. Empty where none was drawn."""
        rows = self._all(
            "SELECT project, sequence, sha256, data FROM entries "
            "WHERE project = ? AND kind IN ('identity', 'gap') ORDER BY sequence DESC",
            REPOSITORY,
        )
        found = (entry.body.get("setup") for row in rows if (entry := readable(*row)) is not None)
        return str(next((setup for setup in found if setup), ""))

    def needed(self) -> Iterator[str]:
        """The digests of the blobs that entries need, sorted, each once: bytes, reports and profiles.

        The bytes of versions that were erased are not needed, their reports are.
        """
        after = ""
        while True:
            rows = self._all(
                "SELECT digest FROM (SELECT * FROM (SELECT DISTINCT blob AS digest FROM entries AS e "
                "WHERE blob > ?1 AND kind <> 'erase' AND NOT (kind = 'submit' AND EXISTS (SELECT 1 FROM entries AS x "
                "WHERE x.kind = 'erase' AND x.project = e.project AND x.document = e.document "
                "AND x.version = e.version)) ORDER BY blob LIMIT ?2) "
                "UNION SELECT * FROM (SELECT DISTINCT report FROM entries "
                "WHERE report > ?1 AND kind <> 'erase' ORDER BY report LIMIT ?2)) ORDER BY digest LIMIT ?2",
                after,
                _PAGE,
            )
            if not rows:
                return
            for (digest,) in rows:
                yield str(digest)
            after = str(rows[-1][0])

    def _read_identity(self) -> Identity:
        rows = self._all(
            "SELECT project, sequence, sha256, data FROM entries WHERE kind = 'identity' ORDER BY position"
        )
        found = next((entry for row in rows if (entry := readable(*row)) is not None), None)
        if found is None:
            raise Damaged(f"{self.database.file} has no entry with the identity of the repository: restore it")
        # Their numbers count even where their bytes are damaged: names must not change by that.
        before = {str(project): int(sequence) for project, sequence, _, _ in rows if found.body["former"]}
        return Identity(str(found.body["id"]), before)

    def versions_before(self, project: str, document: str, sequence: int) -> int:
        """The number of the newest version of a document before an entry of its project; 0 for none."""
        (found,) = self._all(
            "SELECT coalesce(max(version), 0) FROM entries "
            "WHERE project = ? AND document = ? AND sequence < ? AND kind = 'submit'",
            *(project, document, sequence),
        )
        return int(found[0])

    def position(self) -> int:
        """A number that grows with every entry of any stream.

        It is of this copy of the data only, and may skip: for noticing that something was appended.
        """
        return int(self._all("SELECT coalesce(max(position), 0) FROM entries")[0][0])

    def projects_changed_since(self, position: int) -> list[tuple[str, int]]:
        """The streams with entries beyond a position, in the order of their last entries, and their lengths.

        ``REPOSITORY`` is among them when its stream has changed.
        """
        rows = self._all("SELECT project, length FROM streams WHERE position > ? ORDER BY position", position)
        return [(str(project), int(length)) for project, length in rows]

    def position_of(self, project: str, sequence: int) -> int:
        """The position of one entry among those of all streams, in this copy of the data.

        Raises:
            NotFound: the stream is shorter.
        """
        with self._stream(project) as stream:
            return stream.position_of(sequence)

    def position_at(self, moment: datetime) -> int:
        """The position of the last entry of a project that had been appended at a moment; 0 before the first.

        Where the clock was set back it is the last entry whose time is not later, and all entries before that count:
        see ``provrepo.ledger.clock``. Found by halving between such places.

        Args:
            moment: with a time zone.
        """
        starts = [1, *(setback.position for setback in self.setbacks())]
        ends = [*(start - 1 for start in starts[1:]), self.position()]
        for start, end in zip(reversed(starts), reversed(ends), strict=True):
            low, high = 0, end
            while max(low, start - 1) < high:
                middle = (max(low, start - 1) + high + 1) // 2
                entry = self._readable_between(middle, high)
                if entry is not None and datetime.fromisoformat(entry[1].time) <= moment:
                    low = entry[0]
                else:
                    high = middle - 1
            if low:
                return low
        return 0

    def setbacks(self) -> list[Setback]:
        """Where the clock had been set back between two entries of projects."""
        with self.database.reading() as connection:
            return self._clock.setbacks(connection)

    def lengths(self, position: int) -> dict[str, int]:
        """How long the streams were when an entry was the last: the number of each one's last entry then.

        Args:
            position: of the entry. Streams that began later are left out.
        """
        # A stream that has not grown since is told by its last position alone; in the others the search goes back
        # along the index of numbers, which holds positions as well.
        rows = self._all(
            "SELECT s.project, CASE WHEN s.position <= ?1 THEN s.length ELSE (SELECT e.sequence FROM entries AS e "
            "WHERE e.project = s.project AND e.position <= ?1 ORDER BY e.sequence DESC LIMIT 1) END AS then_last "
            "FROM streams AS s WHERE then_last IS NOT NULL ORDER BY s.project",
            position,
        )
        return {str(project): int(length) for project, length in rows if project != REPOSITORY}

    def current(self, project: str, document: str) -> Entry | None:
        """The newest submission of a document, withdrawn or not; None when there was none."""
        with self._stream(project) as stream:
            return stream.current(document)

    def last(self, project: str, document: str) -> Entry | None:
        """The newest submission or withdrawal of a document; None when there was none."""
        with self._stream(project) as stream:
            return stream.last(document)

    def version(self, project: str, document: str, number: int) -> Entry | None:
        """The submission of one version; None where there is none."""
        with self._stream(project) as stream:
            return stream.version(document, number)

    def versions(self, project: str, document: str) -> list[Entry]:
        """All submissions of a document, the oldest first."""
        with self._stream(project) as stream:
            return stream.versions(document)

    def endings(self, project: str, document: str) -> dict[int, Entry]:
        """By the numbers of a document's versions that were withdrawn or erased, the entry that did."""
        with self._stream(project) as stream:
            return stream.endings(document)

    def withdrawn_up_to(self, project: str, document: str) -> int:
        """The number of the newest version that a withdrawal covers, and with it all before; 0 for none."""
        with self._stream(project) as stream:
            return stream.withdrawn_up_to(document)

    def withdrawal(self, project: str, document: str, version: int) -> Entry | None:
        """The first withdrawal that covers a version; None where there is none that can be read."""
        with self._stream(project) as stream:
            return stream.withdrawal(document, version)

    def confidential(self, digest: str) -> str:
        """The text of which an entry has this digest; empty where it is not kept (any more)."""
        with self.database.reading() as connection:
            return confidential.reveal(connection, digest)

    def documents(
        self, project: str, after: str = "", limit: int | None = None
    ) -> list[tuple[str, Entry, Entry | None]]:
        """A project's documents by name: the name, the newest submission, and the withdrawal where that came later.

        Args:
            project: whose documents.
            after: only names that sort behind this one (by code point).
            limit: at most so many.
        """
        with self._stream(project) as stream:
            return stream.documents(after, limit)

    def count(self, project: str) -> int:
        """How many documents of a project are not withdrawn."""
        with self._stream(project) as stream:
            return stream.count()

    def erased(self, project: str) -> set[tuple[str, int]]:
        """The documents and versions of a project whose bytes are gone."""
        with self._stream(project) as stream:
            return stream.erased()

    def taken_back(self, project: str, document: str, blob: str) -> Entry | None:
        """The withdrawal or erasure that took bytes back, unless they were accepted again since; see ``Stream``."""
        with self._stream(project) as stream:
            return stream.taken_back(document, blob)

    def references(self, blob: str) -> int:
        """How many entries of any project need a blob: as the bytes or the report of a submission, or as a profile.

        Submissions whose version was erased need it no longer. To remove a blob that nobody needs, ask ``references``
        of an ``appending`` block and remove it inside that block: submitters look whether it is still there inside
        theirs.
        """
        with self._stream(REPOSITORY) as stream:
            return stream.references(blob)

    def verify(self, project: str | None = None) -> Iterator[str]:
        """What is wrong with the ledger, one sentence each; nothing for a sound one.

        Checks that each entry's bytes have the digest recorded with it and are a readable entry, that each stream is
        numbered without gaps and chained by digests, and that what indexes the entries agrees with them.

        Args:
            project: whose stream; None for all and for the database file itself.
        """
        return verification.problems(self.database, project)

    def _readable_between(self, first: int, last: int) -> tuple[int, Entry] | None:
        """The first readable entry of a project in a stretch of positions, with its position."""
        while first <= last:
            rows = self._all(
                "SELECT position, project, sequence, sha256, data FROM entries "
                "WHERE position BETWEEN ? AND ? AND project <> '' ORDER BY position LIMIT 1",
                *(first, last),
            )
            if not rows:
                return None
            entry = readable(*rows[0][1:])
            if entry is not None:
                return int(rows[0][0]), entry
            first = int(rows[0][0]) + 1
        return None

    @contextmanager
    def _stream(self, project: str) -> Iterator[Stream]:
        with self.database.reading() as connection:
            yield Stream(connection, project)

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self.database.reading() as connection:
            return connection.execute(query, values).fetchall()
