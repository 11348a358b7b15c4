"""The figures of versions in a table of SQLite, from which metrics are summed without reading entries and reports.

The table is derived and may be deleted at any time. It is brought up to date by whoever reads it, and by a thread of a
server, so that a reader finds little to do. What it says follows from ledger entries and the reports that they name: it
is no view, since the content of documents does not matter.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, NamedTuple

from provrepo.errors import Damaged, NoSpace, NotFound
from provrepo.ledger.entries import REPOSITORY, Entry
from provrepo.repository.exchange.blobs import read_blob

if TYPE_CHECKING:
    from provrepo.repository.store import Store

__all__ = ["Figures", "Sum"]

_log = logging.getLogger(__name__)

_LAYOUT = 1
"""The number of the tables below. A file of another layout, or of another data directory, is made again."""

_TABLES = """
CREATE TABLE made (stamp TEXT NOT NULL, position INTEGER NOT NULL);
CREATE TABLE stream (project TEXT PRIMARY KEY, sequence INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE version (
    project TEXT NOT NULL, document TEXT NOT NULL, number INTEGER NOT NULL, sequence INTEGER NOT NULL,
    month TEXT NOT NULL, profiles TEXT NOT NULL, clean INTEGER NOT NULL, tenths INTEGER, fails INTEGER NOT NULL,
    current INTEGER NOT NULL, erased INTEGER NOT NULL, PRIMARY KEY (project, document, number)
) WITHOUT ROWID;
CREATE INDEX version_newest ON version (project, fails DESC, sequence DESC) WHERE current = 1;
CREATE TABLE total (
    project TEXT NOT NULL, current INTEGER NOT NULL, month TEXT NOT NULL, profiles TEXT NOT NULL,
    versions INTEGER NOT NULL, clean INTEGER NOT NULL, measured INTEGER NOT NULL, tenths INTEGER NOT NULL,
    PRIMARY KEY (project, current, month, profiles)
) WITHOUT ROWID;
"""

_STEP = 200
"""Entries of one transaction."""

_WAIT = 30.0
"""Seconds to wait for another process that brings the table up to date."""

_REPLACED = "SELECT number FROM version WHERE project = ? AND document = ? AND current = 1"


class Sum(NamedTuple):
    """The sum over versions of the same month with the same profiles.

    Attributes:
        month: of their submission, such as ``2026-03``.
        profiles: the profiles that they conform to, as ``name/version``.
        versions: their number.
        clean: the number of those without findings.
        measured: the number of those whose coverage was measured.
        tenths: the sum of their coverages in tenths of a percent: reports have no finer ones.
    """

    month: str
    profiles: tuple[str, ...]
    versions: int
    clean: int
    measured: int
    tenths: int


class Figures:
    """The table of one data directory, for any number of threads and processes."""

    def __init__(self, store: Store) -> None:
        """Take the data directory; nothing is opened yet."""
        self._store = store
        self._file = store.derived / "figures.sqlite"
        self._stamp = store.ledger.setup()  # a restore, which draws another one, needs the data directory for itself
        self._lock = threading.Lock()

    def behind(self) -> int:
        """The number of entries that the table does not have yet."""
        with self._open() as connection:
            known = dict(connection.execute("SELECT project, sequence FROM stream").fetchall())
            (position,) = connection.execute("SELECT position FROM made").fetchone()
        return sum(
            length - known.get(project, 0)
            for project, length in self._store.ledger.projects_changed_since(position)
            if project != REPOSITORY
        )

    def catch_up(self, project: str | None = None, stop: Callable[[], bool] = lambda: False) -> None:
        """Add what the entries say that came since the last time.

        Args:
            project: of this project only; None for all. Of all, the rest of a project is left out that has an entry
                which this version may not skip: as the views do, and ``/health`` says.
            stop: returns whether to end early; what was added stays.

        Raises:
            Damaged: ``project`` has such an entry, or the table cannot be written.
            NoSpace: the disk is full.
        """
        ledger = self._store.ledger
        position, whole = ledger.position(), project is None
        with self._lock, self._open() as connection:
            (known,) = connection.execute("SELECT position FROM made").fetchone()
            if known == position:
                return
            changed = (name for name, _ in ledger.projects_changed_since(known) if name != REPOSITORY)
            for name in changed if project is None else [project]:
                try:
                    while self._advance(connection, name):
                        if stop():
                            return
                except Damaged:
                    if project is not None:
                        raise
                    whole = False
            if whole:
                with _writing(connection):
                    # All were read to their ends of that position or later.
                    connection.execute("UPDATE made SET position = max(position, ?)", (position,))

    def sums(self, projects: Iterable[str], *, current: bool) -> list[Sum]:
        """The sums of some projects.

        Args:
            projects: their names; the caller has checked that their reader may read them.
            current: only versions that are neither replaced nor withdrawn; otherwise all whose bytes are not erased.
        """
        with self._open() as connection:
            rows = connection.execute(
                "SELECT month, profiles, sum(versions), sum(clean), sum(measured), sum(tenths) FROM total "
                "WHERE project IN (SELECT value FROM json_each(?)) AND current >= ? "
                "GROUP BY month, profiles ORDER BY month, profiles",
                (json.dumps(list(projects)), int(current)),
            ).fetchall()
        return [Sum(month, tuple(json.loads(profiles)), *numbers) for month, profiles, *numbers in rows]

    def newest(self, project: str, *, first: Collection[int], offset: int, limit: int) -> list[str]:
        """Names of the documents that are not withdrawn: those that fail first, then the newest.

        Args:
            project: the project.
            first: sequence numbers of submissions that come first for another reason, too.
            offset: how many are left out.
            limit: the most names; -1 for all.
        """
        # Without `first`, an index has this order.
        also = "(fails OR sequence IN (SELECT value FROM json_each(?)))" if first else "fails"
        with self._open() as connection:
            rows = connection.execute(
                "SELECT document FROM version WHERE project = ? AND current = 1 "  # noqa: S608 (no text of users)
                f"ORDER BY {also} DESC, sequence DESC LIMIT ? OFFSET ?",
                (project, *([json.dumps(list(first))] if first else []), limit, offset),
            ).fetchall()
        return [str(document) for (document,) in rows]

    def forget(self) -> None:
        """Delete the table; it is made again when it is needed."""
        with self._lock:
            self._delete()

    def _advance(self, connection: sqlite3.Connection, project: str) -> bool:
        """Add the next entries of a project; return whether there were any."""
        with _writing(connection):
            found = connection.execute("SELECT sequence FROM stream WHERE project = ?", (project,)).fetchone()
            after = found[0] if found else 0
            with self._store.ledger.stream(project) as stream:
                entries, last = stream.page(after, _STEP)
            for entry in entries:
                self._add(connection, entry)
            if last is not None:
                connection.execute("INSERT OR REPLACE INTO stream VALUES (?, ?)", (project, last))
        return last is not None

    def _add(self, connection: sqlite3.Connection, entry: Entry) -> None:
        if entry.kind not in ("submit", "withdraw", "erase"):
            return
        project, fields = entry.project, entry.fields
        place = project, fields["document"]
        if entry.kind == "erase":
            self._count(connection, (*place, fields["version"]), -1)
            connection.execute(
                "UPDATE version SET erased = 1, fails = 0 WHERE project = ? AND document = ? AND number = ?",
                (*place, fields["version"]),
            )
            return
        for (number,) in connection.execute(_REPLACED, place).fetchall():
            self._count(connection, (*place, number), -1)
            connection.execute(
                "UPDATE version SET current = 0 WHERE project = ? AND document = ? AND number = ?", (*place, number)
            )
            self._count(connection, (*place, number), 1)
        if entry.kind == "submit":
            clean, coverage = self._outcome(entry)
            tenths = None if coverage is None else round(coverage * 10)
            fails = fields["verdict"] != "conforms" or fields.get("possible") is False
            profiles = json.dumps(sorted(fields["profiles"]))
            connection.execute(
                "INSERT INTO version VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0)",
                (*place, fields["version"], entry.sequence, entry.time[:7], profiles, clean, tenths, fails),
            )
            self._count(connection, (*place, fields["version"]), 1)

    def _outcome(self, entry: Entry) -> tuple[bool, float | None]:
        """Whether the report of a version has no finding, and the coverage that it states in percent.

        A report that cannot be read, which ``fsck`` says, counts as one with findings, without coverage.
        """
        try:
            found = json.loads(read_blob(self._store, entry.project, entry.fields["report"]))
            coverage = found.get("coverage")  # absent in old reports
            return not found["findings"], None if coverage is None else float(coverage)
        except (NotFound, Damaged, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            _log.warning("the report of %s is not counted: %s", entry.place, error)
            return False, None

    def _count(self, connection: sqlite3.Connection, version: tuple[str, str, int], sign: int) -> None:
        """Add a version to the totals, or take it away; what was erased was taken away before."""
        connection.execute(
            "INSERT INTO total SELECT project, current, month, profiles, ?, ? * clean, ? * (tenths IS NOT NULL), "
            "? * coalesce(tenths, 0) FROM version WHERE project = ? AND document = ? AND number = ? AND erased = 0 "
            "ON CONFLICT DO UPDATE SET versions = versions + excluded.versions, clean = clean + excluded.clean, "
            "measured = measured + excluded.measured, tenths = tenths + excluded.tenths",
            (sign, sign, sign, sign, *version),
        )
        connection.execute("DELETE FROM total WHERE project = ? AND versions = 0", version[:1])

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection to the table, which is made where it does not exist or belongs to something else.

        Raises:
            Damaged: it cannot be read or written.
            NoSpace: the disk is full.
        """
        try:
            try:
                connection = self._connected()
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                self._delete()  # no database, or a damaged one
                connection = self._connected()
            with closing(connection):
                yield connection
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
                raise NoSpace(f"cannot write {self._file}: the disk is full") from error
            if not isinstance(error, sqlite3.OperationalError):
                self._delete()  # a power cut may damage it; the next call makes it again
            raise Damaged(f"the figures in {self._file} cannot be read or written ({error}); try again") from error

    def _connected(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, timeout=_WAIT, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = OFF")  # a copy of what the ledger has
            (layout,) = connection.execute("PRAGMA user_version").fetchone()
            if layout != _LAYOUT or connection.execute("SELECT stamp FROM made").fetchone() != (self._stamp,):
                self._make(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _make(self, connection: sqlite3.Connection) -> None:
        """Make the tables anew, unless another process has done it meanwhile."""
        connection.execute("PRAGMA journal_mode = WAL")
        with _writing(connection):
            (layout,) = connection.execute("PRAGMA user_version").fetchone()
            if layout == _LAYOUT and connection.execute("SELECT stamp FROM made").fetchone() == (self._stamp,):
                return
            for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                connection.execute(f'DROP TABLE "{table}"')
            for statement in _TABLES.split(";"):
                connection.execute(statement)
            connection.execute("INSERT INTO made VALUES (?, 0)", (self._stamp,))
            connection.execute(f"PRAGMA user_version = {_LAYOUT}")

    def _delete(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                self._file.with_name(f"{self._file.name}{suffix}").unlink()


@contextmanager
def _writing(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
