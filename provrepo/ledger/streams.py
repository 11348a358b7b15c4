"""Look-ups in one stream of entries on one connection, inside or outside of a transaction."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from provrepo.errors import Damaged, NotFound
from provrepo.ledger.entries import PROFILE, Entry, named, now, profile_blob, recent
from provrepo.ledger.exchange import mirrors
from provrepo.ledger.governance import embargoes, standing
from provrepo.ledger.governance.standing import Use

__all__ = ["ROW", "Stream", "columns", "readable"]

_log = logging.getLogger(__name__)

Row = tuple[Any, ...]

_DESCRIBING = frozenset({"public", "title", "profiles", "license"})
"""The settings of an origin that describe the project, so that they hold for a mirror too."""

ROW = "project, sequence, sha256, data, stream"
"""The columns that ``readable`` takes."""


class Stream:
    """The entries of one project, as one connection sees them.

    Attributes:
        project: the name of the stream; ``REPOSITORY`` for the repository's own.
    """

    def __init__(self, connection: sqlite3.Connection, project: str) -> None:
        self.project = project
        self._connection = connection

    def exists(self) -> bool:
        """Return whether the stream has entries."""
        return self.length() > 0

    def length(self) -> int:
        """Return the number of entries, which is the sequence number of the last one."""
        return self._end()[0]

    def entry(self, sequence: int) -> Entry:
        """Return one entry.

        Raises:
            NotFound: the stream is shorter.
            Damaged: the entry is unreadable, or of a kind that this version does not know.
        """
        rows = self._rows("sequence = ?", sequence)
        if not rows:
            raise NotFound(f"{named(self.project)} has no entry {sequence}")
        return _strictly(*rows[0])

    def position_of(self, sequence: int) -> int:
        """Return the position of one entry among those of all streams.

        Raises:
            NotFound: the stream is shorter.
        """
        row = self._connection.execute(
            "SELECT position FROM entries WHERE project = ? AND sequence = ?", (self.project, sequence)
        ).fetchone()
        if row is None:
            raise NotFound(f"{named(self.project)} has no entry {sequence}")
        return int(row[0])

    def page(self, after: int, limit: int, *, every: bool = False) -> tuple[list[Entry], int | None]:
        """Return some entries in order, without unreadable ones.

        Args:
            after: the sequence number of the entry before the first.
            limit: the most rows to read.
            every: return also entries that this version may not skip.

        Returns:
            The entries, and the sequence number of the last row that was read; None if there was none.

        Raises:
            Damaged: the first readable entry is of a kind that this version may not skip.
        """
        rows = self._rows("sequence > ? ORDER BY sequence LIMIT ?", after, limit)
        entries: list[Entry] = []
        for row in rows:
            entry = readable(*row)
            if entry is None:
                continue
            if not (every or entry.understood):
                if entries:
                    return entries, entries[-1].sequence
                _strictly(*row)
            entries.append(entry)
        return entries, rows[-1][1] if rows else None

    def current(self, document: str) -> Entry | None:
        """Return the newest submission of a document, withdrawn or not; None if there is none."""
        return self._newest(document, "submit")

    def last(self, document: str) -> Entry | None:
        """Return the newest submission or withdrawal of a document; None if there is none."""
        return self._newest(document, "submit", "withdraw")

    def newest(self, document: str) -> int:
        """Return the number of a document's newest version, readable or not; 0 before the first."""
        row = self._connection.execute(
            "SELECT version FROM documents WHERE project = ? AND document = ?", (self.project, document)
        ).fetchone()
        return int(row[0]) if row else 0

    def version(self, document: str, number: int) -> Entry | None:
        """Return the submission of one version; None if there is none."""
        rows = self._rows("document = ? AND version = ? AND kind = 'submit'", document, number)
        return readable(*rows[0]) if rows else None

    def versions(self, document: str) -> list[Entry]:
        """Return all submissions of a document, the oldest first."""
        return list(_only_readable(self._rows("document = ? AND kind = 'submit' ORDER BY sequence", document)))

    def submitter(self, document: str) -> str:
        """Return the actor of the first version of a document; empty if it never existed."""
        first = self.version(document, 1)
        return "" if first is None else first.actor

    def endings(self, document: str) -> dict[int, Entry]:
        """Return version number → withdrawal or erasure, for one document. An erasure replaces a withdrawal."""
        rows = self._rows("document = ? AND kind IN ('withdraw', 'erase') ORDER BY sequence", document)
        found: dict[int, Entry] = {}
        for entry in _only_readable(rows):
            former = found.get(entry.body["version"])
            if former is None or former.kind != "erase":
                found[entry.body["version"]] = entry
        return found

    def withdrawn_up_to(self, document: str) -> int:
        """Return the number of the newest version that a withdrawal covers; 0 if there is no withdrawal.

        A withdrawal covers every version that the document had then. It counts even if its entry cannot be read.
        """
        row = self._connection.execute(
            "SELECT coalesce(max(version), 0) FROM entries WHERE project = ? AND document = ? AND kind = 'withdraw'",
            (self.project, document),
        ).fetchone()
        return int(row[0])

    def withdrawal(self, document: str, version: int) -> Entry | None:
        """Return the first readable withdrawal that covers a version; None if there is none."""
        rows = self._rows("document = ? AND kind = 'withdraw' AND version >= ? ORDER BY sequence", document, version)
        return next(_only_readable(rows), None)

    def settings(self) -> dict[str, Any]:
        """Return the settings in force: of each key the value that was set last.

        A mirror is public only if its origin is public and it was made public here. Settings of its origin about what
        the origin does, such as peers to which it pushes, are not in force here.
        """
        merged: dict[str, Any] = {}
        for entry in self.changes():
            merged.update(entry.body)
        mirror = mirrors.find(self._connection, self.project) if merged else None
        if mirror is None:
            return merged
        described = {key: value for key, value in merged.items() if key in _DESCRIBING or key.startswith(PROFILE)}
        return {**described, "public": bool(merged.get("public")) and mirror.public}

    def changes(self) -> list[Entry]:
        """Return all entries of settings, the oldest first."""
        return list(_only_readable(self._rows("kind = 'settings' ORDER BY sequence")))

    def documents(self, after: str, limit: int | None) -> list[tuple[str, Entry, Entry | None]]:
        """Return documents by name: the name, the newest submission, and the withdrawal if that is later.

        Args:
            after: only names after this one (by code point).
            limit: the most documents; None for all.
        """
        rows = self._connection.execute(
            "SELECT d.document, s.project, s.sequence, s.sha256, s.data, s.stream, "
            "w.project, w.sequence, w.sha256, w.data, w.stream "
            "FROM documents AS d JOIN entries AS s ON s.project = d.project AND s.sequence = d.submitted "
            "LEFT JOIN entries AS w ON w.project = d.project AND w.sequence = d.withdrawn "
            "WHERE d.project = ? AND d.document > ? ORDER BY d.document LIMIT ?",
            (self.project, after, -1 if limit is None else limit),
        ).fetchall()
        found = []
        for name, *columns in rows:
            submitted = readable(*columns[:5]) or self.current(name)
            withdrawn = None if columns[6] is None else readable(*columns[5:])
            if submitted is not None:
                found.append((str(name), submitted, withdrawn))
        return found

    def page_ends(self, size: int) -> list[str]:
        """Return each ``size``-th name of the documents that are not withdrawn, by name."""
        rows = self._connection.execute(
            "SELECT document FROM (SELECT document, row_number() OVER (ORDER BY document) AS number "
            "FROM documents WHERE project = ? AND withdrawn IS NULL) WHERE number % ? = 0",
            (self.project, size),
        )
        return [str(name) for (name,) in rows.fetchall()]

    def of_kind(self, kind: str, after: int = 0) -> list[Entry]:
        """Return the readable entries of a kind after an entry, in order."""
        return list(_only_readable(self._rows("sequence > ? AND kind = ? ORDER BY sequence", after, kind)))

    def key_entries(self) -> list[Entry]:
        """Return the readable entries about keys, in order."""
        return list(_only_readable(self._rows("kind = 'key' ORDER BY sequence")))

    def newest_of(self, kinds: Sequence[str], before: int | None, limit: int) -> list[Entry]:
        """Return the readable entries of some kinds before an entry, or the last ones, the newest first."""
        marks = ", ".join("?" for _ in kinds)
        condition = f"(? IS NULL OR sequence < ?) AND kind IN ({marks}) ORDER BY sequence DESC LIMIT ?"
        return list(_only_readable(self._rows(condition, before, before, *kinds, limit)))

    def exchanges(self, document: str) -> list[Entry]:
        """Return the readable entries about exchanges of a document, in order."""
        return list(_only_readable(self._rows("document = ? AND kind = 'exchange' ORDER BY sequence", document)))

    def head(self) -> tuple[int, str]:
        """Return the sequence number and the digest of the last entry; 0 and empty without entries."""
        return self._end()

    def count(self, *, withdrawn: bool = False) -> int:
        """Return the number of documents that are not withdrawn, or of all."""
        if withdrawn:
            query = "SELECT count(*) FROM documents WHERE project = ?"
            return int(self._connection.execute(query, (self.project,)).fetchone()[0])
        row = self._connection.execute("SELECT documents FROM streams WHERE project = ?", (self.project,)).fetchone()
        return int(row[0]) if row else 0

    def has_document(self, document: str) -> bool:
        """Return whether there is a document of a name that is not withdrawn."""
        row = self._connection.execute(
            "SELECT 1 FROM documents WHERE project = ? AND document = ? AND withdrawn IS NULL",
            (self.project, document),
        ).fetchone()
        return row is not None

    def embargo(self) -> str:
        """Return the time at which the embargo of the project ends, xsd:dateTime in UTC; empty if it has none."""
        return embargoes.find(self._connection, self.project)

    def use(self) -> Use:
        """Return how much of its quota the project uses now."""
        return standing.use(self._connection, self.project, now()[:10])

    def require_room(
        self,
        document: str,
        size: int,
        *,
        time: str = "",
        settings: Mapping[str, Any] | None = None,
        waiting: tuple[int, int] = (0, 0),
    ) -> None:
        """Refuse a version that would exceed the quota of the project.

        Args:
            document: the name of its document.
            size: its size in bytes.
            time: xsd:dateTime in UTC of its entry; empty for now.
            settings: those in force; None to read them.
            waiting: number and bytes of the documents that wait for a review, where they count.

        Raises:
            ProjectFull, OverQuota: it would.
        """
        found = self.settings() if settings is None else settings
        if not any(found.get(name) for name in standing.QUOTAS):
            return
        used = standing.use(self._connection, self.project, (time or now())[:10])
        standing.require_room(
            used, self.project, found, size=size, new=not self.has_document(document), waiting=waiting
        )

    def erased(self) -> set[tuple[str, int]]:
        """Return the (document, version) pairs whose bytes were erased."""
        # SQLite would read all entries of the project instead, by another index.
        rows = self._connection.execute(
            "SELECT document, version FROM entries INDEXED BY entries_erased WHERE project = ? AND kind = 'erase'",
            (self.project,),
        )
        return {(str(document), int(version)) for document, version in rows.fetchall()}

    def taken_back(self, document: str, blob: str) -> Entry | None:
        """Return the withdrawal of a document after its last submission of some bytes, or the erasure of the bytes.

        An erasure from any document of the project counts: the digest of erased bytes stays for that purpose.

        Args:
            document: the document's name.
            blob: SHA-256 of the bytes.

        Returns:
            The entry; None if the bytes are new, or were accepted again later.
        """
        # The unary plus makes SQLite use the index of digests: it has few rows, a document may have many.
        newest, anywhere = self._connection.execute(
            "SELECT max(sequence) FILTER (WHERE document = ?3), max(sequence) FROM entries "
            "WHERE +project = ?1 AND blob = ?2 AND kind = 'submit'",
            (self.project, blob, document),
        ).fetchone()
        if anywhere is None:
            return None
        found = self._rows("+project <> '' AND blob = ? AND kind = 'erase' ORDER BY sequence DESC LIMIT 1", blob)
        if found and found[0][1] > anywhere:
            return readable(*found[0])
        if newest is None:
            return None
        rows = self._rows(
            "document = ? AND sequence > ? AND kind = 'withdraw' ORDER BY sequence LIMIT 1", document, newest
        )
        return readable(*rows[0]) if rows else None

    def has_notice(self, notice: str, direction: str, blob: str) -> bool:
        """Return whether there is an entry about a notice.

        Args:
            notice: the identifier of the notice.
            direction: ``sent`` or ``received``.
            blob: SHA-256 of its text.
        """
        found = _only_readable(self._rows("kind = 'notice' AND blob = ?", blob))
        return any((entry.body["notice"], entry.body["direction"]) == (notice, direction) for entry in found)

    def references(self, blob: str) -> int:
        """Return how many entries of all projects need a blob: see ``Ledger.references``."""
        return int(
            self._connection.execute(
                "SELECT count(*) FROM entries AS e WHERE (e.blob = ?1 OR e.report = ?1) AND e.kind <> 'erase' "
                "AND NOT EXISTS (SELECT 1 FROM entries AS x WHERE x.kind = 'erase' "
                "AND x.project = e.project AND x.document = e.document AND x.version = e.version)",
                (blob,),
            ).fetchone()[0]
        )

    def names(self, blob: str) -> bool:
        """Return whether an entry of the stream names a blob: as bytes, report or profile."""
        # The unary plus makes SQLite use the indexes of digests.
        return (
            self._connection.execute(
                "SELECT 1 FROM entries WHERE +project = ?1 AND blob = ?2 AND kind <> 'erase' "
                "UNION ALL SELECT 1 FROM entries WHERE +project = ?1 AND report = ?2 LIMIT 1",
                (self.project, blob),
            ).fetchone()
            is not None
        )

    def naming(self, blob: str) -> list[Entry]:
        """Return the readable entries that name a blob: as bytes, report or profile. Erasures are left out."""
        rows = self._connection.execute(
            f"SELECT {ROW} FROM entries WHERE +project = ?1 AND blob = ?2 AND kind <> 'erase' "  # noqa: S608
            f"UNION ALL SELECT {ROW} FROM entries WHERE +project = ?1 AND report = ?2",
            (self.project, blob),
        ).fetchall()
        return list(_only_readable(rows))

    def actors(self, after: int) -> list[str]:
        """Return the opaque identifiers of the actors of the entries after one, sorted."""
        rows = self._connection.execute(
            "SELECT DISTINCT json_extract(CAST(data AS TEXT), '$.actor') AS actor FROM entries "
            "WHERE project = ? AND sequence > ? AND json_valid(CAST(data AS TEXT)) ORDER BY actor",
            (self.project, after),
        ).fetchall()
        return [str(actor) for (actor,) in rows if actor]

    def digest(self, sequence: int) -> str:
        """Return the recorded SHA-256 of one entry; empty for none."""
        row = self._connection.execute(
            "SELECT sha256 FROM entries WHERE project = ? AND sequence = ?", (self.project, sequence)
        ).fetchone()
        return "" if row is None else str(row[0])

    def end(self) -> tuple[int, str]:
        """Return the sequence number and the digest of the last entry; 0 and empty without entries."""
        return self._end()

    def _end(self) -> tuple[int, str]:
        """Return the sequence number and the digest of the last entry."""
        row = self._connection.execute(
            "SELECT sequence, sha256 FROM entries WHERE project = ? ORDER BY sequence DESC LIMIT 1", (self.project,)
        ).fetchone()
        return (int(row[0]), str(row[1])) if row else (0, "")

    def _newest(self, document: str, *kinds: str) -> Entry | None:
        marks = ", ".join("?" for _ in kinds)
        condition = f"document = ? AND kind IN ({marks}) AND sequence < ? ORDER BY sequence DESC LIMIT 1"
        before = 2**62
        while rows := self._rows(condition, document, *kinds, before):
            entry = readable(*rows[0])
            if entry is not None:
                return entry
            before = rows[0][1]
        return None

    def _rows(self, condition: str, *values: object) -> list[Row]:
        return self._connection.execute(
            f"SELECT {ROW} FROM entries WHERE project = ? AND {condition}",  # noqa: S608
            (self.project, *values),
        ).fetchall()


def columns(entry: Entry) -> tuple[str, str | None, int | None, str | None, str | None]:
    """Return the values of the columns ``kind, document, version, blob, report``, which repeat fields of an entry."""
    if entry.kind == "settings":
        return (entry.kind, None, None, profile_blob(entry.body), None)
    if entry.kind == "events":
        return (entry.kind, None, None, None, None)  # its digest is not that of a blob
    body = entry.body
    # An exchange names bytes that another entry here needs, or that are with the peer.
    blob = None if entry.kind == "exchange" else body.get("blob")
    return (entry.kind, body.get("document"), body.get("version"), blob, body.get("report"))


def readable(project: str, sequence: int, digest: str, data: bytes, stream: str | None) -> Entry | None:
    """Return the entry of a row, of any kind; None and a logged warning if it is damaged."""
    try:
        return _intact(project, sequence, digest, data, stream)
    except Damaged as error:
        _log.warning("set aside: %s", error)
        return None


def _strictly(project: str, sequence: int, digest: str, data: bytes, stream: str | None) -> Entry:
    """Return the entry of a row.

    Raises:
        Damaged: it is damaged, or of an unknown kind that this version may not skip.
    """
    return _intact(project, sequence, digest, data, stream).known()


def _intact(project: str, sequence: int, digest: str, data: bytes, stream: str | None) -> Entry:
    place = f"entry {sequence} of {named(project)}"
    if not isinstance(data, bytes) or sha256(data).hexdigest() != digest:
        raise Damaged(f"{place}: its bytes are not those that were appended")
    try:
        entry = recent(data)
    except Damaged as error:
        raise Damaged(f"{place}: {error}") from error
    # The entries of a mirror contain the name that the project has at its origin.
    if (entry.project, entry.sequence) != (project if stream is None else stream, sequence):
        raise Damaged(f"{place}: it contains {entry.place}")
    return entry.here(project)


def _only_readable(rows: Iterable[Row]) -> Iterator[Entry]:
    for row in rows:
        entry = readable(*row)
        if entry is not None:
            yield entry
