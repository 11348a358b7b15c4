"""The search view: things by the words of their names, labels, types, identifiers and checksums (SQLite FTS5)."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from provrepo.errors import TimedOut
from provrepo.views.lineage.extraction import read
from provrepo.views.sqlite_view import SqliteView, Triple, literal
from provrepo.views.view import Change
from provrepo.workers.callers import gone

__all__ = ["Hits", "Search"]

MAPPING = "1"
"""The version of what is written to the tables."""

_IDENTIFYING = re.compile(r"(?i)[/#:](?:identifier|checksum|checksumValue|sha1|sha256|sha512|md5|doi|serialNumber)$")
_WORDS = 16
_STEPS = 10_000
"""Steps of SQLite between two looks at the clock: a fraction of a millisecond."""
_WORD_LENGTH = 200


class Hits(NamedTuple):
    """What was found.

    Attributes:
        iris: the first things, those with the shortest labels first.
        total: how many there are.
    """

    iris: list[str]
    total: int


class Search(SqliteView):
    """The index of words; see ``provrepo.views.view.View``."""

    MAPPING = MAPPING
    TABLES = """
    CREATE TABLE thing (id INTEGER PRIMARY KEY, version INTEGER NOT NULL);
    CREATE INDEX thing_version ON thing (version);
    CREATE VIRTUAL TABLE words USING fts5 (
        iri, label, types, identifiers, tokenize = 'unicode61 remove_diacritics 2', prefix = '3'
    );
    """

    def find(self, text: str, datasets: Sequence[str], *, limit: int, deadline: float | None = None) -> Hits:
        """Things of some datasets of which every word of ``text`` is said; the last may be the beginning of one.

        What a name such as ``sheet-3.pgm`` consists of has to stand side by side.

        The order depends on what is found alone: a rank by rarity would tell of what may not be read.

        Args:
            text: words, without operators.
            datasets: the names of those that may be read.
            limit: the most things to name.
            deadline: when to give up, by ``time.monotonic``; None for never.

        Raises:
            TimedOut: the deadline has passed.
        """
        parts = [words for part in text.split() if (words := re.findall(r"\w+", part))][:_WORDS]
        if not parts:
            return Hits([], 0)
        phrases = [" ".join(word[:_WORD_LENGTH] for word in words[:_WORDS]) for words in parts]
        match = " ".join(f'"{phrase}"' for phrase in phrases) + "*"
        with self._reading() as connection, _until(connection, deadline):
            rows = connection.execute(
                "SELECT w.iri, min(length(coalesce(nullif(w.label, ''), w.iri))) AS size FROM words w "
                "JOIN thing t ON t.id = w.rowid JOIN version v ON v.id = t.version JOIN dataset d ON d.id = v.dataset "
                "WHERE words MATCH ? AND d.name IN (SELECT value FROM json_each(?)) "
                "GROUP BY w.iri ORDER BY size, w.iri",
                (match, json.dumps(list(datasets))),
            ).fetchall()
        return Hits([iri for iri, _ in rows[:limit]], len(rows))

    def dump(self, dataset: str) -> Iterator[str]:
        """What is held of every thing of a dataset as a line, sorted."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT w.iri, w.label, w.types, w.identifiers, v.project, v.document, v.number FROM words w "
                "JOIN thing t ON t.id = w.rowid JOIN version v ON v.id = t.version "
                "JOIN dataset d ON d.id = v.dataset WHERE d.name = ?",
                (dataset,),
            ).fetchall()
        return iter(sorted(" ".join(map(str, row)) for row in rows))

    def verify_words(self) -> None:
        """Compare the index of words with the words themselves.

        Raises:
            Damaged: they differ, or cannot be read.
        """
        with self._writing() as connection:
            # A command to FTS5 that has the form of an insert and changes nothing.
            connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")

    def content(self, connection: sqlite3.Connection, version: int) -> list[tuple[object, ...]]:
        """The words of every thing of a version."""
        return connection.execute(
            "SELECT w.iri, w.label, w.types, w.identifiers FROM thing t LEFT JOIN words w ON w.rowid = t.id "
            "WHERE t.version = ?",
            (version,),
        ).fetchall()

    def _put(self, connection: sqlite3.Connection, version: int, lines: Iterator[Triple]) -> None:
        identifiers: dict[str, list[str]] = {}
        content = read(_noted(lines, identifiers))
        types: dict[str, list[str]] = {}
        for iri, cls in content.types:
            types.setdefault(iri, []).append(cls)
        for iri in sorted({*content.kinds, *identifiers}):
            row = connection.execute("INSERT INTO thing (version) VALUES (?)", (version,)).lastrowid
            words = content.labels.get(iri, ""), " ".join(types.get(iri, ())), " ".join(identifiers.get(iri, ()))
            connection.execute(
                "INSERT INTO words (rowid, iri, label, types, identifiers) VALUES (?, ?, ?, ?, ?)", (row, iri, *words)
            )

    def _take(self, connection: sqlite3.Connection, version: int) -> None:
        connection.execute("DELETE FROM words WHERE rowid IN (SELECT id FROM thing WHERE version = ?)", (version,))
        connection.execute("DELETE FROM thing WHERE version = ?", (version,))

    def _replace(self, connection: sqlite3.Connection, dataset: int, change: Change) -> None:
        super()._replace(connection, dataset, change)
        if change.kind == "erase":
            # FTS5 keeps the words of what was deleted until it merges its parts.
            connection.execute("INSERT INTO words (words) VALUES ('optimize')")


@contextmanager
def _until(connection: sqlite3.Connection, deadline: float | None) -> Iterator[None]:
    """What runs on a connection is stopped at a deadline, and where the client is gone."""
    if deadline is not None:
        connection.set_progress_handler(lambda: gone() or time.monotonic() > deadline, _STEPS)
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            raise TimedOut("the search took too long and was given up; use rarer words, or one project") from error
        raise


def _noted(lines: Iterable[Triple], identifiers: dict[str, list[str]]) -> Iterator[Triple]:
    """The lines as they are, while identifiers and checksums are written down."""
    for line in lines:
        _, subject, predicate, value = line
        if _IDENTIFYING.search(predicate) and (lexical := literal(value)):
            identifiers.setdefault(subject, []).append(lexical)
        yield line
