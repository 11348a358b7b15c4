"""The ledger: one stream of entries for each project, appended durably and never changed."""

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
from provrepo.ledger import administration, confidential, verification
from provrepo.ledger.appending import Appending
from provrepo.ledger.batches import Batches
from provrepo.ledger.clock import Clock, Setback
from provrepo.ledger.entries import REPOSITORY, Entry, check_name, timestamp
from provrepo.ledger.exchange import mirrors
from provrepo.ledger.exchange.mirrors import Mirror
from provrepo.ledger.migrations import ADMINISTRATION, migrate
from provrepo.ledger.public import PublicProjects
from provrepo.ledger.storage.database import Database
from provrepo.ledger.streams import ROW, Stream, readable
from provrepo.limits import LOCK_WAIT

__all__ = ["Identity", "Ledger"]

_PAGE = 256
"""The most rows of one SELECT of a listing."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity of a repository.

    Attributes:
        id: a UUID, drawn once and stored as an entry of the repository's own stream.
        before: for each stream that had entries when it was drawn, the sequence number of its ``identity`` entry. The
            IRIs of versions before that entry do not depend on the identity.
    """

    id: str
    before: Mapping[str, int]


def _identify(connection: sqlite3.Connection, software: str) -> None:
    """Draw the identity of a repository that has none, inside the transaction that creates or upgrades its schema.

    Each project with entries gets an ``identity`` entry, too: the versions before it keep their IRIs.
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
    """Append the entries that a new schema requires, inside the transaction that creates or upgrades the schema."""
    _identify(connection, software)
    if before < ADMINISTRATION:
        administration.record_found(connection, Appending(connection, REPOSITORY, software))


class Ledger:
    """The ledger of one data directory. Any number of threads and processes may have it open and append.

    Methods that return several entries skip a damaged entry with a logged warning; ``verify`` reports it.

    Attributes:
        database: the SQLite database, which also contains the accounts.
        batches: transactions that several threads share.
    """

    def __init__(
        self,
        path: Path,
        *,
        software: str,
        timeout: float = LOCK_WAIT,
        scratch: Path | None = None,
        immutable: bool = False,
    ) -> None:
        """Open the ledger of a data directory. Both are created if they do not exist.

        Args:
            path: the data directory.
            software: name and version of this program, which new entries record.
            timeout: seconds to wait for other writers.
            scratch: a folder of this process, to open the ledger for reading only. See ``Database``.
            immutable: open the ledger for reading only, since no process writes it.

        Raises:
            Damaged: the directory cannot be used, or a newer version wrote it.
            Busy: others kept the ledger locked for longer than ``timeout``.
        """
        self._software = software
        prepare = partial(migrate, upgraded=partial(_upgraded, software=software))
        self.database = Database(
            path / "ledger.sqlite", timeout=timeout, prepare=prepare, scratch=scratch, immutable=immutable
        )
        self.batches = Batches(self.database, software)
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
        """Yield a stream to append to. All entries are stored durably when the block ends, or none after an exception.

        Other writers wait until the block ends, so keep it short.

        Raises:
            InvalidName: ``project`` is not a name of a project.
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
        """Yield the entries of a stream in order, including those that are appended during the iteration.

        They are fetched in pages, so that a slow reader keeps no transaction open.

        Args:
            project: the stream.
            after: the sequence number of the entry before the first.
            limit: the most entries; None for all.
            every: yield also entries that this version may not skip, for callers that do not interpret entries.

        Raises:
            Damaged: at an entry that this version may not skip, unless ``every`` is set.
        """
        left = limit
        while left is None or left > 0:
            with self.stream(project) as stream:
                page, last = stream.page(after, _PAGE if left is None else min(left, _PAGE), every=every)
            if last is None:
                return
            yield from page
            after = last
            left = None if left is None else left - len(page)

    def entry(self, project: str, sequence: int) -> Entry:
        """Return one entry.

        Raises:
            NotFound: the stream is shorter.
            Damaged: the entry is unreadable, or of a kind that this version does not know.
        """
        with self.stream(project) as stream:
            return stream.entry(sequence)

    def length(self, project: str) -> int:
        """Return the number of entries of a stream; 0 if it does not exist."""
        with self.stream(project) as stream:
            return stream.length()

    def projects(self) -> list[str]:
        """Return the projects that have entries, sorted."""
        rows = self._all("SELECT project FROM streams WHERE project <> '' ORDER BY project")
        return [str(project) for (project,) in rows]

    def public(self) -> frozenset[str]:
        """Return the public projects."""
        return self._public.names()

    def settings(self, project: str) -> dict[str, Any]:
        """Return the settings in force for a project, or with ``REPOSITORY`` for the whole repository."""
        with self.stream(project) as stream:
            return stream.settings()

    def changes(self, project: str) -> list[Entry]:
        """Return the entries of settings of a project, or with ``REPOSITORY`` of the repository, the oldest first."""
        with self.stream(project) as stream:
            return stream.changes()

    def identity(self) -> Identity:
        """Return the identity of the repository, which never changes."""
        if self._identity is None:
            self._identity = self._read_identity()
        return self._identity

    def setup(self) -> str:
        """Return the set-up identifier, by which followers detect a restore, which draws a new one. Empty for none."""
        rows = self._all(
            f"SELECT {ROW} FROM entries "  # noqa: S608
            "WHERE project = ? AND kind IN ('identity', 'gap') ORDER BY sequence DESC",
            REPOSITORY,
        )
        found = (entry.body.get("setup") for row in rows if (entry := readable(*row)) is not None)
        return str(next((setup for setup in found if setup), ""))

    def needed(self) -> Iterator[str]:
        """Yield the digests of the blobs that entries need, sorted: bytes of versions, reports and profiles.

        The bytes of erased versions are not needed; their reports are. Blobs that a mirror lacks are not needed for it.
        """
        after = ""
        # The snapshots of a backup may have an earlier schema, without mirrors.
        known = self._all("SELECT 1 FROM sqlite_master WHERE name = 'absent'")
        without = "" if known else "WITH absent (project, blob) AS (SELECT '', '' WHERE 0) "
        while True:
            rows = self._all(
                f"{without}SELECT digest FROM (SELECT * FROM (SELECT DISTINCT blob AS digest FROM entries AS e "  # noqa: S608
                "WHERE blob > ?1 AND kind <> 'erase' AND NOT (kind = 'submit' AND EXISTS (SELECT 1 FROM entries AS x "
                "WHERE x.kind = 'erase' AND x.project = e.project AND x.document = e.document "
                "AND x.version = e.version)) "
                "AND NOT EXISTS (SELECT 1 FROM absent AS a WHERE a.project = e.project AND a.blob = e.blob) "
                "ORDER BY blob LIMIT ?2) "
                "UNION SELECT * FROM (SELECT DISTINCT report FROM entries AS e "
                "WHERE report > ?1 AND kind <> 'erase' "
                "AND NOT EXISTS (SELECT 1 FROM absent AS a WHERE a.project = e.project AND a.blob = e.report) "
                "ORDER BY report LIMIT ?2)) ORDER BY digest LIMIT ?2",
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
            f"SELECT {ROW} FROM entries WHERE kind = 'identity' AND stream IS NULL ORDER BY position"  # noqa: S608
        )
        found = next((entry for row in rows if (entry := readable(*row)) is not None), None)
        if found is None:
            raise Damaged(f"{self.database.file} has no entry with the identity of the repository: restore it")
        # Damaged entries count as well, since IRIs must not change by a damage.
        before = {str(project): int(sequence) for project, sequence, *_ in rows if found.body["former"]}
        return Identity(str(found.body["id"]), before)

    def versions_before(self, project: str, document: str, sequence: int) -> int:
        """Return the number of the newest version of a document before an entry of its project; 0 for none."""
        (found,) = self._all(
            "SELECT coalesce(max(version), 0) FROM entries "
            "WHERE project = ? AND document = ? AND sequence < ? AND kind = 'submit'",
            *(project, document, sequence),
        )
        return int(found[0])

    def position(self) -> int:
        """Return the position of the last entry of all streams, which grows with every entry; 0 without entries.

        Positions differ between copies of the data. Use them only to detect new entries.
        """
        return int(self._all("SELECT coalesce(max(position), 0) FROM entries")[0][0])

    def projects_changed_since(self, position: int) -> list[tuple[str, int]]:
        """Return the streams with entries after a position, in the order of their last entries, and their lengths.

        ``REPOSITORY`` is among them if its stream has changed.
        """
        rows = self._all("SELECT project, length FROM streams WHERE position > ? ORDER BY position", position)
        return [(str(project), int(length)) for project, length in rows]

    def position_of(self, project: str, sequence: int) -> int:
        """Return the position of one entry among those of all streams, in this copy of the data.

        Raises:
            NotFound: the stream is shorter.
        """
        with self.stream(project) as stream:
            return stream.position_of(sequence)

    def position_at(self, time: datetime) -> int:
        """Return the position of the last entry of a project that was appended until a time; 0 before the first.

        If the clock was set back, it is the last entry whose time is not later: see ``provrepo.ledger.clock``. The
        search is a binary search between two setbacks.

        Args:
            time: with a time zone.
        """
        starts = [1, *(setback.position for setback in self.setbacks())]
        ends = [*(start - 1 for start in starts[1:]), self.position()]
        for start, end in zip(reversed(starts), reversed(ends), strict=True):
            low, high = 0, end
            while max(low, start - 1) < high:
                middle = (max(low, start - 1) + high + 1) // 2
                entry = self._readable_between(middle, high)
                if entry is not None and datetime.fromisoformat(entry[1].time) <= time:
                    low = entry[0]
                else:
                    high = middle - 1
            if low:
                return low
        return 0

    def setbacks(self) -> list[Setback]:
        """Return the setbacks of the clock between entries of projects."""
        with self.database.reading() as connection:
            return self._clock.setbacks(connection)

    def lengths(self, position: int) -> dict[str, int]:
        """Return project → number of its entries as of an entry. Projects that began later are left out.

        Args:
            position: the position of the entry.
        """
        # For a stream that has not grown since, its last position is enough. For the others the search goes backward
        # in the index on (project, sequence), which contains positions as row identifiers.
        rows = self._all(
            "SELECT s.project, CASE WHEN s.position <= ?1 THEN s.length ELSE (SELECT e.sequence FROM entries AS e "
            "WHERE e.project = s.project AND e.position <= ?1 ORDER BY e.sequence DESC LIMIT 1) END AS then_last "
            "FROM streams AS s WHERE then_last IS NOT NULL ORDER BY s.project",
            position,
        )
        return {str(project): int(length) for project, length in rows if project != REPOSITORY}

    def end(self, project: str) -> tuple[int, str]:
        """Return the sequence number and the digest of the last entry of a stream; 0 and empty without entries."""
        with self.stream(project) as stream:
            return stream.end()

    def lengths_at(self, time: datetime) -> dict[str, int]:
        """Return project → number of its entries as of a time. Projects that began later are left out.

        For a mirror it is the number of entries that its origin had then, by the times in these entries.

        Args:
            time: with a time zone.
        """
        found = self.lengths(self.position_at(time))
        for mirror in self.mirrors():
            found.pop(mirror.project, None)
            rows = self._all(
                "SELECT sequence FROM entries WHERE project = ? AND json_valid(CAST(data AS TEXT)) "
                "AND json_extract(CAST(data AS TEXT), '$.time') <= ? ORDER BY sequence DESC LIMIT 1",
                *(mirror.project, timestamp(time)),
            )
            if rows:
                found[mirror.project] = int(rows[0][0])
        return dict(sorted(found.items()))

    def mirrors(self) -> list[Mirror]:
        """Return the mirrors by name."""
        with self.database.reading() as connection:
            return mirrors.every(connection)

    def mirror(self, project: str) -> Mirror | None:
        """Return the mirror with a name; None if there is none."""
        with self.database.reading() as connection:
            return mirrors.find(connection, project)

    def require_own(self, project: str) -> None:
        """Raise Mirrored if a project is a mirror, to which nothing can be appended here."""
        with self.database.reading() as connection:
            mirrors.require_own(connection, project)

    def current(self, project: str, document: str) -> Entry | None:
        """Return the newest submission of a document, withdrawn or not; None if there is none."""
        with self.stream(project) as stream:
            return stream.current(document)

    def last(self, project: str, document: str) -> Entry | None:
        """Return the newest submission or withdrawal of a document; None if there is none."""
        with self.stream(project) as stream:
            return stream.last(document)

    def version(self, project: str, document: str, number: int) -> Entry | None:
        """Return the submission of one version; None if there is none."""
        with self.stream(project) as stream:
            return stream.version(document, number)

    def versions(self, project: str, document: str) -> list[Entry]:
        """Return all submissions of a document, the oldest first."""
        with self.stream(project) as stream:
            return stream.versions(document)

    def endings(self, project: str, document: str) -> dict[int, Entry]:
        """Return version number → withdrawal or erasure, for one document. An erasure replaces a withdrawal."""
        with self.stream(project) as stream:
            return stream.endings(document)

    def withdrawn_up_to(self, project: str, document: str) -> int:
        """Return the number of the newest version that a withdrawal covers; 0 if there is no withdrawal."""
        with self.stream(project) as stream:
            return stream.withdrawn_up_to(document)

    def withdrawal(self, project: str, document: str, version: int) -> Entry | None:
        """Return the first readable withdrawal that covers a version; None if there is none."""
        with self.stream(project) as stream:
            return stream.withdrawal(document, version)

    def confidential(self, digest: str) -> str:
        """Return the confidential text of a digest in an entry; empty if it was deleted or has changed."""
        with self.database.reading() as connection:
            return confidential.reveal(connection, digest)

    def documents(
        self, project: str, after: str = "", limit: int | None = None
    ) -> list[tuple[str, Entry, Entry | None]]:
        """Return documents by name: the name, the newest submission, and the withdrawal if that is later.

        Args:
            project: the project.
            after: only names after this one (by code point).
            limit: the most documents; None for all.
        """
        with self.stream(project) as stream:
            return stream.documents(after, limit)

    def page_ends(self, project: str, size: int) -> list[str]:
        """Return each ``size``-th name of the documents that are not withdrawn, by name."""
        with self.stream(project) as stream:
            return stream.page_ends(size)

    def count(self, project: str, *, withdrawn: bool = False) -> int:
        """Return the number of documents of a project that are not withdrawn, or of all."""
        with self.stream(project) as stream:
            return stream.count(withdrawn=withdrawn)

    def erased(self, project: str) -> set[tuple[str, int]]:
        """Return the (document, version) pairs of a project whose bytes were erased."""
        with self.stream(project) as stream:
            return stream.erased()

    def taken_back(self, project: str, document: str, blob: str) -> Entry | None:
        """Return the withdrawal or erasure of some bytes, unless they were accepted again later; see ``Stream``."""
        with self.stream(project) as stream:
            return stream.taken_back(document, blob)

    def references(self, blob: str) -> int:
        """Return how many entries of all projects need a blob: as bytes or report of a submission, or as a profile.

        Submissions of erased versions do not need it. To delete an unneeded blob, call ``references`` and delete it
        inside one ``appending`` block: submitters store the blob again inside theirs.
        """
        with self.stream(REPOSITORY) as stream:
            return stream.references(blob)

    def verify(self, project: str | None = None) -> Iterator[str]:
        """Yield one sentence for each problem of the ledger.

        Checks that each entry has its digest and can be read, that the sequence numbers of each stream have no gaps and
        its digests form a chain, and that the indexes agree with the entries.

        Args:
            project: the stream to verify; None for all streams and the database file.
        """
        return verification.problems(self.database, project)

    def _readable_between(self, first: int, last: int) -> tuple[int, Entry] | None:
        """Return the first readable entry of a project between two positions, with its position."""
        while first <= last:
            rows = self._all(
                f"SELECT position, {ROW} FROM entries INDEXED BY entries_own "  # noqa: S608
                "WHERE position BETWEEN ? AND ? AND project <> '' AND stream IS NULL ORDER BY position LIMIT 1",
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
    def stream(self, project: str) -> Iterator[Stream]:
        """Yield the stream of a project for look-ups, which may see different states: there is no transaction."""
        with self.database.reading() as connection:
            yield Stream(connection, project)

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self.database.reading() as connection:
            return connection.execute(query, values).fetchall()
