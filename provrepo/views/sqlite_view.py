"""Views in SQLite: datasets, positions and versions as tables, in one file with what a view adds to them.

A subclass says its own tables, how the content of a version comes in and how it leaves; everything of one entry is one
transaction, and so may be everything of many.
"""

from __future__ import annotations

import re
import sqlite3
import threading
import time
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from provrepo.codecs.rdf.escapes import unescape
from provrepo.errors import Damaged, NoSpace
from provrepo.model.minting import Minter
from provrepo.views.sparql.content import check_graph
from provrepo.views.view import Change

__all__ = ["SqliteView", "Triple", "literal", "triples"]

_COMMON = """
CREATE TABLE dataset (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, stamp TEXT NOT NULL);
CREATE TABLE position (
    dataset INTEGER NOT NULL, project TEXT NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (dataset, project)
) WITHOUT ROWID;
CREATE TABLE version (
    id INTEGER PRIMARY KEY, dataset INTEGER NOT NULL, project TEXT NOT NULL, document TEXT NOT NULL,
    number INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER, withdrawn INTEGER NOT NULL DEFAULT 0,
    UNIQUE (dataset, project, document, number)
);
"""
"""A version holds from the entry ``since`` of its project up to, and without, the entry ``until``. ``withdrawn`` is 1
where a withdrawal of the document covers it."""

_PATIENCE = 2.0
"""Seconds of many entries that become durable together, at the least."""

_SHARE = 0.05
"""Of the time at most so much goes into making entries durable, unless it then takes more than ``_LONGEST`` seconds.
What comes in belongs to pages all over a large view, and each of these is written every time."""

_LONGEST = 15.0
"""Seconds of many entries that become durable together, at the most."""

_READERS = 2
"""Connections that are kept for those who read next."""

_LOG = 32 << 20
"""Bytes that the log keeps of the disk once what it held is in the file."""

_CACHE = 192
"""MiB of pages held while many entries are applied."""

_KINDS = ("submit", "withdraw", "erase", "settings", "skipped")
_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"(?:@([A-Za-z0-9-]+)|\^\^<([^>]*)>)?', re.DOTALL)


Triple = tuple[int, str, str, str]
"""A line of a content file: graph, subject, predicate and object.

The graph is 0 for the top level of the version, n for its n-th bundle; what completes a graph counts as it. Subject and
predicate are IRIs, the object is in N-Quads syntax.
"""


def triples(file: Path, version: str) -> Iterator[Triple]:
    """The lines of a content file, which is deleted at the end in any case.

    Every submission pays for this once in each view, so it does the least for a line that can be done.

    Raises:
        Damaged: it names a graph that is not the version's own, or is not N-Quads.
    """
    numbers: dict[str, int] = {}
    try:
        with file.open(encoding="utf-8", newline="\n") as lines:
            for line in lines:
                # An IRI holds no space, so the last " <" starts the graph's name, whatever a literal may hold.
                triple, _, name = line.rpartition(" <")
                graph = numbers.get(name)
                if graph is None:
                    if line.isspace():
                        continue
                    graph = numbers[name] = _number(name[: name.rfind(">")], version)
                subject, predicate, value = triple.split(" ", 2)
                if "\\" in triple:
                    subject, value = unescape(subject), unescape(value) if value.startswith("<") else value
                yield graph, subject[1:-1], predicate[1:-1], value
    except ValueError as error:
        raise Damaged(f"the content of {version} is not N-Quads") from error
    finally:
        file.unlink(missing_ok=True)


def literal(value: str) -> str | None:
    """The lexical form of a literal in N-Quads syntax; None for an IRI."""
    found = _LITERAL.fullmatch(value)
    return None if found is None else unescape(found[1])


def _number(graph: str, version: str) -> int:
    check_graph(graph, version)
    found = re.fullmatch(r"#bundle-(\d+)(?:-completed)?", graph[len(version) :])
    return int(found[1]) if found else 0


class SqliteView(ABC):
    """What views in SQLite share; see ``provrepo.views.view.View``.

    Attributes:
        STAMP: the mapping, with the base IRI, on which names depend.
        TABLES: the subclass's own tables and indexes.
        MAPPING: the version of what the subclass writes to them.
        HISTORY: whether versions stay when they are replaced or withdrawn, as what held until then.
    """

    MERGES = False
    HISTORY = False
    TABLES: str
    MAPPING: str

    def __init__(self, path: Path, *, base: str, minter: Minter | None = None) -> None:
        """Open the view in a folder, or make it; a file of other tables or a broken one is made anew.

        Args:
            path: the folder.
            base: the repository's base IRI, under which versions are named.
            minter: names them; None for one that knows the base IRI alone.
        """
        self.STAMP = f"{self.MAPPING} {base}".rstrip()
        self.minter = minter or Minter(base)
        self._file = path / "view.sqlite"
        self._lock = threading.RLock()
        self._idle: list[sqlite3.Connection] = []
        self._most_idle = _READERS
        self._together = False
        self._erased = False
        self._files = 0
        self._began = 0.0
        self._wait = 0.0
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._connection = self._opened()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise self._broken(error) from error
            self._connection = self._made_anew()

    def datasets(self) -> list[str]:
        """The datasets that exist, sorted."""
        with self._reading() as connection:
            return sorted(name for (name,) in connection.execute("SELECT name FROM dataset"))

    def stamp(self, dataset: str) -> str | None:
        """The stamp under which the dataset was built; None for an empty one."""
        with self._reading() as connection:
            found = connection.execute("SELECT stamp FROM dataset WHERE name = ?", (dataset,)).fetchone()
            return None if found is None else str(found[0])

    def position(self, dataset: str, project: str) -> int:
        """The sequence number of the last entry of ``project`` applied to ``dataset``; 0 before the first."""
        with self._reading() as connection:
            return _position(connection, _dataset(connection, dataset), project)

    def apply(self, dataset: str, change: Change) -> None:
        """Apply one entry.

        Raises:
            ValueError: not the entry after the last one applied, or of an unknown kind.
            Damaged: the content or the file cannot be read.
            NoSpace: the disk is full.
        """
        if change.kind not in _KINDS:
            raise ValueError(f"no view knows entries of the kind {change.kind!r}")
        with self._writing() as connection:
            known = _dataset(connection, dataset)
            position = _position(connection, known, change.project)
            if change.sequence <= position:
                return
            if change.sequence != position + 1:
                raise ValueError(f"entry {change.sequence} of {change.project} cannot follow entry {position}")
            if known is None:
                connection.execute("INSERT INTO dataset (name, stamp) VALUES (?, ?)", (dataset, self.STAMP))
                known = _dataset(connection, dataset) or 0
            self._replace(connection, known, change)
            connection.execute(
                "INSERT OR REPLACE INTO position VALUES (?, ?, ?)", (known, change.project, change.sequence)
            )
            self._erased = self._erased or change.kind == "erase"
        if not self._together:
            self._truncate()
        elif time.monotonic() - self._began > max(_PATIENCE, self._wait):
            try:
                self._settle()
            except sqlite3.Error as error:
                raise self._broken(error) from error

    @contextmanager
    def together(self) -> Iterator[None]:
        """Apply what is applied meanwhile in few transactions instead of one for each entry.

        What of it is durable is a beginning of it, with the position that belongs to it. Until then readers see the
        state before.
        """
        with self._lock:
            self._connection.execute(f"PRAGMA cache_size = -{_CACHE << 10}")
            try:
                with self._writing():
                    self._together, self._began, self._wait = True, time.monotonic(), 0.0
                    try:
                        yield
                    finally:
                        self._together = False
            finally:
                self._connection.execute("PRAGMA cache_size = -2000")
            self._truncate()

    def forget(self, dataset: str, project: str) -> None:
        """Remove everything of one project from a dataset, its position included."""
        with self._writing() as connection:
            known = _dataset(connection, dataset)
            if known is None:
                return
            held = connection.execute("SELECT id FROM version WHERE dataset = ? AND project = ?", (known, project))
            for (version,) in held.fetchall():
                self._remove(connection, version)
            connection.execute("DELETE FROM position WHERE dataset = ? AND project = ?", (known, project))
            if not connection.execute("SELECT 1 FROM position WHERE dataset = ? LIMIT 1", (known,)).fetchone():
                connection.execute("DELETE FROM dataset WHERE id = ?", (known,))

    def clear(self, dataset: str) -> None:
        """Remove the dataset."""
        with self._reading() as connection:
            projects = connection.execute(
                "SELECT project FROM position WHERE dataset = ?", (_dataset(connection, dataset),)
            ).fetchall()
        for (project,) in projects:
            self.forget(dataset, project)

    def reset(self) -> None:
        """Throw the whole file away, whatever is in it."""
        with self._lock:
            self._connection.close()
            # What reads now has the former file open, and is not kept for others afterwards.
            self._files += 1
            while self._idle:
                self._idle.pop().close()
            self._connection = self._made_anew()

    def close(self) -> None:
        """Close the file."""
        self._most_idle = 0
        while self._idle:
            self._idle.pop().close()
        with self._lock:
            self._connection.close()

    def layout(self) -> str:
        """The statements that make the tables and indexes."""
        return f"{_COMMON}{self.TABLES}"

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one state of the file, for ``provrepo.views.sqlite_check``.

        Raises:
            Damaged: what is read is not what was ever written.
        """
        with self._reading() as connection:
            yield connection

    @abstractmethod
    def content(self, connection: sqlite3.Connection, version: int) -> list[tuple[object, ...]]:
        """What is kept of a version, by names and not by numbers of this file, in an order of its own."""

    @abstractmethod
    def _put(self, connection: sqlite3.Connection, version: int, lines: Iterator[Triple]) -> None:
        """Put the content of a version in."""

    @abstractmethod
    def _take(self, connection: sqlite3.Connection, version: int) -> None:
        """Take the content of a version out."""

    def _replace(self, connection: sqlite3.Connection, dataset: int, change: Change) -> None:
        if change.kind not in ("submit", "withdraw", "erase"):
            return
        document, number = change.entry["document"], change.entry["version"]
        wanted, what = ("until IS NULL", None) if change.kind != "erase" else ("number = ?", number)
        held = connection.execute(
            f"SELECT id FROM version WHERE dataset = ? AND project = ? AND document = ? AND {wanted}",  # noqa: S608
            (dataset, change.project, document, *([] if what is None else [what])),
        ).fetchall()
        for (version,) in held:
            if self.HISTORY and change.kind != "erase":
                self._end(connection, version, change.sequence)
            else:
                self._remove(connection, version)
        if self.HISTORY and change.kind == "withdraw":
            for (version,) in connection.execute(
                "SELECT id FROM version WHERE dataset = ? AND project = ? AND document = ? AND withdrawn = 0",
                (dataset, change.project, document),
            ).fetchall():
                self._withdraw(connection, version)
        if change.kind == "submit" and change.content is not None:
            found = connection.execute(
                "INSERT INTO version (dataset, project, document, number, since) VALUES (?, ?, ?, ?, ?)",
                (dataset, change.project, document, number, change.sequence),
            )
            iri = self.minter.version(change.project, document, number)
            self._put(connection, found.lastrowid or 0, triples(change.content(), iri))

    def _end(self, connection: sqlite3.Connection, version: int, sequence: int) -> None:
        """From an entry on a version no longer holds."""
        connection.execute("UPDATE version SET until = ? WHERE id = ?", (sequence, version))

    def _withdraw(self, connection: sqlite3.Connection, version: int) -> None:
        """From now on a version is left out of answers as of former entries, except for curators."""
        connection.execute("UPDATE version SET withdrawn = 1 WHERE id = ?", (version,))

    def _remove(self, connection: sqlite3.Connection, version: int) -> None:
        self._take(connection, version)
        connection.execute("DELETE FROM version WHERE id = ?", (version,))

    def _made_anew(self) -> sqlite3.Connection:
        for file in self._file.parent.glob(f"{self._file.name}*"):
            file.unlink()
        return self._opened()

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            # What was erased is not to be found in the file either. A commit that a power cut loses is applied again.
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA journal_size_limit = {_LOG}")
            layout = zlib.crc32(self.layout().encode()) >> 1
            (held,) = connection.execute("PRAGMA user_version").fetchone()
            if not held:
                connection.executescript(f"BEGIN; {self.layout()} PRAGMA user_version = {layout}; COMMIT;")
            elif held != layout:
                raise sqlite3.DatabaseError("the tables are those of another version")
        except BaseException:
            connection.close()
            raise
        return connection

    def _truncate(self) -> None:
        """Fold the log into the file where something was erased, so that it is not left in it."""
        with self._lock:
            if not self._erased:
                return
            try:
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            except sqlite3.Error as error:
                raise self._broken(error) from error
            self._erased = False

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection of one's own, which sees one state of the view from beginning to end.

        A few are kept from one reader to the next, with the statements that they have prepared.
        """
        file = self._files
        try:
            own = self._reader()
            try:
                own.execute("BEGIN")
                yield own
                own.execute("COMMIT")
                own.set_progress_handler(None, 0)
            except BaseException:
                # In what state it is left is not known.
                own.close()
                raise
        except sqlite3.Error as error:
            raise self._broken(error) from error
        except (LookupError, TypeError, ValueError, zlib.error) as error:
            # A number, a text in JSON or a compressed list that this software has not written.
            raise self._broken(error) from error
        if len(self._idle) < self._most_idle and file == self._files:
            self._idle.append(own)
        else:
            own.close()

    def _reader(self) -> sqlite3.Connection:
        with suppress(IndexError):
            return self._idle.pop()
        address = f"{self._file.absolute().as_uri()}?mode=ro"
        return sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction; within one that is open already, a part of it that can fail by itself."""
        begin, end, undo = "BEGIN IMMEDIATE", "COMMIT", ["ROLLBACK"]
        with self._lock:
            if self._together:
                begin, end, undo = "SAVEPOINT entry", "RELEASE entry", ["ROLLBACK TO entry", "RELEASE entry"]
            try:
                if self._together and not self._connection.in_transaction:
                    # SQLite itself ends a transaction after some errors, such as a full disk.
                    self._connection.execute("BEGIN IMMEDIATE")
                self._connection.execute(begin)
                try:
                    yield self._connection
                    self._connection.execute(end)
                except BaseException:
                    for step in undo if self._connection.in_transaction else []:
                        self._connection.execute(step)
                    raise
            except sqlite3.Error as error:
                raise self._broken(error) from error

    def _settle(self) -> None:
        """Make durable what was applied together so far."""
        start = time.monotonic()
        self._connection.execute("COMMIT")
        self._connection.execute("BEGIN IMMEDIATE")
        self._began = time.monotonic()
        self._wait = min((self._began - start) / _SHARE, _LONGEST)

    def _broken(self, error: Exception) -> Damaged | NoSpace:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            return NoSpace(f"cannot write {self._file.parent.name}: the disk is full")
        return Damaged(
            f"the view in {self._file.parent} cannot be read or written ({error}); provrepo rebuild makes it anew"
        )


def _dataset(connection: sqlite3.Connection, name: str) -> int | None:
    found = connection.execute("SELECT id FROM dataset WHERE name = ?", (name,)).fetchone()
    return None if found is None else int(found[0])


def _position(connection: sqlite3.Connection, dataset: int | None, project: str) -> int:
    found = connection.execute(
        "SELECT sequence FROM position WHERE dataset = ? AND project = ?", (dataset, project)
    ).fetchone()
    return 0 if found is None else int(found[0])
