"""The search view: a full-text index of things by IRI, label, types, identifiers and checksums (SQLite FTS5)."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from provrepo.views.extraction import Extraction
from provrepo.views.sqlite_view import SqliteView, until
from provrepo.views.view import Change

__all__ = ["Hits", "Search"]

MAPPING = "1"
"""The version of the mapping from documents to the tables."""

_MAX_WORDS = 16
"""Words of a search, and parts of a word such as ``sheet-3.pgm``; further ones are ignored."""

_MAX_WORD_LENGTH = 200
"""Characters of a word that are compared."""

_TOO_LONG = "the search took too long and was given up; use rarer words, or one project"


class Hits(NamedTuple):
    """The result of a search.

    Attributes:
        iris: the first things, ordered by the length of their labels.
        total: the number of all things that match.
    """

    iris: list[str]
    total: int


class Search(SqliteView):
    """The full-text index; see ``provrepo.views.view.View``."""

    MAPPING = MAPPING
    TABLES = """
    CREATE TABLE thing (id INTEGER PRIMARY KEY, version INTEGER NOT NULL);
    CREATE INDEX thing_version ON thing (version);
    CREATE VIRTUAL TABLE words USING fts5 (
        iri, label, types, identifiers, tokenize = 'unicode61 remove_diacritics 2', prefix = '3'
    );
    """

    def find(self, text: str, datasets: Sequence[str], *, limit: int, deadline: float | None = None) -> Hits:
        """The things of some datasets that match every word of ``text``, the last word as a prefix.

        A word such as ``sheet-3.pgm`` is a phrase: its parts must be adjacent.

        The order depends on the found things alone: a rank by the rarity of words would reveal something about
        datasets that the caller may not read.

        Args:
            text: words; there are no operators.
            datasets: the names of the datasets that the caller may read.
            limit: the most things to return.
            deadline: in seconds of ``time.monotonic``; None for none.

        Raises:
            TimedOut: the deadline has passed.
        """
        parts = [words for part in text.split() if (words := re.findall(r"\w+", part))][:_MAX_WORDS]
        if not parts:
            return Hits([], 0)
        phrases = [" ".join(word[:_MAX_WORD_LENGTH] for word in words[:_MAX_WORDS]) for words in parts]
        match = " ".join(f'"{phrase}"' for phrase in phrases) + "*"
        with self._reading() as connection, until(connection, deadline, _TOO_LONG):
            rows = connection.execute(
                "SELECT w.iri, min(length(coalesce(nullif(w.label, ''), w.iri))) AS size FROM words w "
                "JOIN thing t ON t.id = w.rowid JOIN version v ON v.id = t.version JOIN dataset d ON d.id = v.dataset "
                "WHERE words MATCH ? AND d.name IN (SELECT value FROM json_each(?)) "
                "GROUP BY w.iri ORDER BY size, w.iri",
                (match, json.dumps(list(datasets))),
            ).fetchall()
        return Hits([iri for iri, _ in rows[:limit]], len(rows))

    def dump(self, dataset: str) -> Iterator[str]:
        """The row of every thing of a dataset as a line, sorted."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT w.iri, w.label, w.types, w.identifiers, v.project, v.document, v.number FROM words w "
                "JOIN thing t ON t.id = w.rowid JOIN version v ON v.id = t.version "
                "JOIN dataset d ON d.id = v.dataset WHERE d.name = ?",
                (dataset,),
            ).fetchall()
        return iter(sorted(" ".join(map(str, row)) for row in rows))

    def verify_words(self) -> None:
        """Compare the full-text index with the rows from which it was made.

        Raises:
            Damaged: they differ, or cannot be read.
        """
        with self._writing() as connection:
            # A command to FTS5, which has the form of an insertion but changes nothing.
            connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")

    def content(self, connection: sqlite3.Connection, version: int) -> list[tuple[object, ...]]:
        """The row of every thing of a version."""
        return connection.execute(
            "SELECT w.iri, w.label, w.types, w.identifiers FROM thing t LEFT JOIN words w ON w.rowid = t.id "
            "WHERE t.version = ?",
            (version,),
        ).fetchall()

    def _put(self, connection: sqlite3.Connection, version: int, extraction: Extraction) -> None:
        labels, identifiers = extraction.labels, extraction.identifiers
        types: dict[str, list[str]] = {}
        for iri, cls in extraction.types:
            types.setdefault(iri, []).append(cls)
        (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM thing").fetchone()
        rows = [
            (row, iri, labels.get(iri, ""), " ".join(types.get(iri, ())), " ".join(identifiers.get(iri, ())))
            for row, iri in enumerate(sorted({*extraction.kinds, *identifiers}), last + 1)
        ]
        connection.executemany("INSERT INTO thing (id, version) VALUES (?, ?)", [(row[0], version) for row in rows])
        connection.executemany("INSERT INTO words (rowid, iri, label, types, identifiers) VALUES (?, ?, ?, ?, ?)", rows)

    def _take(self, connection: sqlite3.Connection, version: int) -> None:
        connection.execute("DELETE FROM words WHERE rowid IN (SELECT id FROM thing WHERE version = ?)", (version,))
        connection.execute("DELETE FROM thing WHERE version = ?", (version,))

    def _replace(self, connection: sqlite3.Connection, dataset: int, change: Change) -> None:
        super()._replace(connection, dataset, change)
        if change.kind == "erase":
            # FTS5 stores the words of deleted rows until it merges its segments.
            connection.execute("INSERT INTO words (words) VALUES ('optimize')")
