"""The search view: full-text indexes (SQLite FTS5) of things and of documents.

Things are found by IRI, label, types, identifiers, checksums and values; the current version of a document by name,
title, note, IRI, digest, day and submitter. Names of submitters are not in the index, as they may change or be erased.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from provrepo.errors import TimedOut
from provrepo.model.statements import ELEMENTS
from provrepo.views.extraction import Extraction
from provrepo.views.sqlite_view import SqliteView, until
from provrepo.views.view import Change

__all__ = ["FACETS", "NO_FILTERS", "DocumentHit", "Filters", "Hits", "Search"]

MAPPING = "2"
"""The version of the mapping from documents to the tables."""

_MAX_WORDS = 16
"""Words of a search, and parts of a word such as ``sheet-3.pgm``; further ones are ignored."""

_MAX_WORD_LENGTH = 200
"""Characters of a word that are compared."""

_TOO_LONG = "the search took too long and was given up; use rarer words, or one project"


_FIELDS = "iri label types identifiers"
"""The columns of names; the last one, ``content``, has values."""

_MOST_ROWS = 200_000
"""Rows of one search. With more, the words are too common to count."""

_KIND_NAMES = tuple(kind.name for kind in ELEMENTS)
"""The kinds of elements by their bits."""

FACETS = ("kind", "type", "project", "document", "matched")


class Filters(NamedTuple):
    """What narrows a search; empty for all.

    Attributes:
        kind: ``entity``, ``activity`` or ``agent``.
        type: the IRI of a type.
        document: ``PROJECT/NAME``.
        matched: ``name`` for things whose names, types and identifiers contain the words, ``value`` for the others.
        project: the name of a project.
    """

    kind: str = ""
    type: str = ""
    document: str = ""
    matched: str = ""
    project: str = ""


NO_FILTERS = Filters()


class Hits(NamedTuple):
    """The result of a search.

    Attributes:
        iris: the requested things.
        total: the number of all things that match.
        facets: by the names of ``Filters``: how many things each choice would leave, without a filter of that name.
    """

    iris: list[str]
    total: int
    facets: dict[str, Counter[str]]


class DocumentHit(NamedTuple):
    """A version that a search found: project, document and number."""

    project: str
    document: str
    version: int


class _Match(NamedTuple):
    """A thing that matches: its name for the order, and its values of each facet."""

    order: tuple[bool, int, str]
    values: tuple[set[str], set[str], set[str], set[str], set[str]]


class Search(SqliteView):
    """The full-text index; see ``provrepo.views.view.View``."""

    MAPPING = MAPPING
    TABLES = """
    CREATE TABLE thing (id INTEGER PRIMARY KEY, version INTEGER NOT NULL, kinds INTEGER NOT NULL);
    CREATE INDEX thing_version ON thing (version);
    CREATE VIRTUAL TABLE words USING fts5 (
        iri, label, types, identifiers, content, tokenize = 'unicode61 remove_diacritics 2', prefix = '3'
    );
    CREATE TABLE document (version INTEGER PRIMARY KEY, actor TEXT NOT NULL, time TEXT NOT NULL);
    CREATE VIRTUAL TABLE document_words USING fts5 (
        name, title, note, iri, sha256, day, tokenize = 'unicode61 remove_diacritics 2', prefix = '3'
    );
    """

    def find(
        self,
        text: str,
        datasets: Sequence[str],
        *,
        limit: int,
        offset: int = 0,
        filters: Filters = NO_FILTERS,
        sort: str = "best",
        deadline: float | None = None,
    ) -> Hits:
        """The things of some datasets that match every word of ``text``, the last word as a prefix.

        A word such as ``sheet-3.pgm`` is a phrase: its parts must be adjacent.

        The order depends on the found things alone: a rank by the rarity of words would reveal something about
        datasets that the caller may not read.

        Args:
            text: words; there are no operators.
            datasets: the names of the datasets that the caller may read.
            limit: the most things to return.
            offset: the number of things to leave out.
            filters: what narrows the search.
            sort: ``best`` (names before values, then the shortest label), ``label`` or ``iri``.
            deadline: in seconds of ``time.monotonic``; None for none.

        Raises:
            TimedOut: the deadline has passed, or the words are too common.
        """
        match = _match(text)
        if not match:
            return Hits([], 0, {})
        with self._reading() as connection, until(connection, deadline, _TOO_LONG):
            named = {
                row
                for (row,) in connection.execute(
                    "SELECT rowid FROM words WHERE words MATCH ?", (f"{{{_FIELDS}}} : ({match})",)
                )
            }
            rows = connection.execute(
                "SELECT w.rowid, w.iri, w.label, w.types, t.kinds, v.project, v.document FROM words w "
                "JOIN thing t ON t.id = w.rowid JOIN version v ON v.id = t.version JOIN dataset d ON d.id = v.dataset "
                "WHERE words MATCH ? AND d.name IN (SELECT value FROM json_each(?)) LIMIT ?",
                (match, json.dumps(list(datasets)), _MOST_ROWS + 1),
            ).fetchall()
        if len(rows) > _MOST_ROWS:
            raise TimedOut(_TOO_LONG)
        return _hits(_things(rows, named), filters, sort, offset, limit)

    def find_documents(
        self,
        text: str,
        datasets: Sequence[str],
        *,
        actors: Callable[[str], Collection[str]],
        own: Sequence[str],
        limit: int,
        offset: int = 0,
        sort: str = "best",
        deadline: float | None = None,
    ) -> tuple[list[DocumentHit], int]:
        """The current versions whose name, title, note, IRI, digest, day or submitter match every word of ``text``.

        Args:
            text: as for ``find``.
            datasets: as for ``find``.
            actors: returns the identifiers of the submitters whose name contains a word.
            own: the projects whose submitters these are. A mirror may have any identifiers.
            limit: the most versions to return.
            offset: the number of versions to leave out.
            sort: ``newest``; otherwise by project and name.
            deadline: as for ``find``.

        Returns:
            The requested versions, and the number of all.

        Raises:
            TimedOut: the deadline has passed.
        """
        words = text.split()
        conditions, values = [], list[object]()
        for word in words[:_MAX_WORDS]:
            match = _match(word)
            known = list(actors(word))
            if not match and not known:
                continue
            conditions.append(
                "(v.id IN (SELECT rowid FROM document_words WHERE document_words MATCH ?) "
                "OR p.actor IN (SELECT value FROM json_each(?)) AND v.project IN (SELECT value FROM json_each(?)))"
            )
            values += [match or '""', json.dumps(known), json.dumps(list(own))]
        if not conditions:
            return [], 0
        order = "p.time DESC, v.project, v.document" if sort == "newest" else "v.project, v.document"
        with self._reading() as connection, until(connection, deadline, _TOO_LONG):
            rows = connection.execute(
                "SELECT v.project, v.document, v.number FROM document p JOIN version v ON v.id = p.version "  # noqa: S608
                "JOIN dataset d ON d.id = v.dataset WHERE d.name IN (SELECT value FROM json_each(?)) AND "
                f"{' AND '.join(conditions)} ORDER BY {order}",
                [json.dumps(list(datasets)), *values],
            ).fetchall()
        return [DocumentHit(*row) for row in rows[offset : offset + limit]], len(rows)

    def dump(self, dataset: str) -> Iterator[str]:
        """The row of every thing of a dataset as a line, sorted."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT w.iri, w.label, w.types, w.identifiers, w.content, v.project, v.document, v.number "
                "FROM words w JOIN thing t ON t.id = w.rowid JOIN version v ON v.id = t.version "
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
            for table in ("words", "document_words"):
                connection.execute(f"INSERT INTO {table} ({table}) VALUES ('integrity-check')")  # noqa: S608

    def content(self, connection: sqlite3.Connection, version: int) -> list[tuple[object, ...]]:
        """The row of every thing of a version, and that of its document."""
        things = connection.execute(
            "SELECT w.iri, w.label, w.types, w.identifiers, w.content, t.kinds FROM thing t "
            "LEFT JOIN words w ON w.rowid = t.id WHERE t.version = ?",
            (version,),
        ).fetchall()
        document = connection.execute(
            "SELECT p.actor, p.time, w.name, w.title, w.note, w.iri, w.sha256, w.day FROM document p "
            "LEFT JOIN document_words w ON w.rowid = p.version WHERE p.version = ?",
            (version,),
        ).fetchall()
        return [*things, *document]

    def _put(self, connection: sqlite3.Connection, version: int, extraction: Extraction) -> None:
        labels, identifiers = extraction.labels, extraction.identifiers
        types: dict[str, list[str]] = {}
        for iri, cls in extraction.types:
            types.setdefault(iri, []).append(cls)
        (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM thing").fetchone()
        rows = [
            (
                row,
                iri,
                labels.get(iri, ""),
                " ".join(types.get(iri, ())),
                " ".join(identifiers.get(iri, ())),
                "\n".join(extraction.values.get(iri, ())),
            )
            for row, iri in enumerate(sorted({*extraction.kinds, *identifiers}), last + 1)
        ]
        connection.executemany(
            "INSERT INTO thing (id, version, kinds) VALUES (?, ?, ?)",
            [(row[0], version, extraction.kinds.get(str(row[1]), 0)) for row in rows],
        )
        connection.executemany(
            "INSERT INTO words (rowid, iri, label, types, identifiers, content) VALUES (?, ?, ?, ?, ?, ?)", rows
        )

    def _take(self, connection: sqlite3.Connection, version: int) -> None:
        connection.execute("DELETE FROM words WHERE rowid IN (SELECT id FROM thing WHERE version = ?)", (version,))
        connection.execute("DELETE FROM thing WHERE version = ?", (version,))
        connection.execute("DELETE FROM document_words WHERE rowid = ?", (version,))
        connection.execute("DELETE FROM document WHERE version = ?", (version,))

    def _replace(self, connection: sqlite3.Connection, dataset: int, change: Change) -> None:
        super()._replace(connection, dataset, change)
        if change.kind == "erase":
            # FTS5 stores the words of deleted rows until it merges its segments.
            for table in ("words", "document_words"):
                connection.execute(f"INSERT INTO {table} ({table}) VALUES ('optimize')")  # noqa: S608
        if change.kind == "submit" and change.extraction is not None:
            self._put_document(connection, dataset, change)

    def _put_document(self, connection: sqlite3.Connection, dataset: int, change: Change) -> None:
        entry = change.entry
        document, number = entry["document"], entry["version"]
        (version,) = connection.execute(
            "SELECT id FROM version WHERE dataset = ? AND project = ? AND document = ? AND number = ?",
            (dataset, change.project, document, number),
        ).fetchone()
        iri, time = self.minter.version(change.project, document, number), str(entry.get("time", ""))
        connection.execute("INSERT INTO document VALUES (?, ?, ?)", (version, str(entry.get("actor", "")), time))
        connection.execute(
            "INSERT INTO document_words (rowid, name, title, note, iri, sha256, day) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                version,
                document,
                *(entry.get(name, "") for name in ("title", "note")),
                str(iri),
                entry.get("blob", ""),
                time[:10],
            ),
        )


def _things(rows: Iterable[tuple[Any, ...]], named: Collection[int]) -> dict[str, _Match]:
    """The things of the rows of a search, each with its values of every facet.

    Args:
        rows: number, IRI, label, types, kinds, project and document.
        named: the numbers of the rows whose names match.
    """
    things: dict[str, _Match] = {}
    for row, iri, label, types, kinds, project, document in rows:
        order = (row not in named, len(label or iri), label or iri)
        found = things.get(iri)
        if found is None:
            found = things[iri] = _Match(order, (set(), set(), set(), set(), set()))
        elif order < found.order:
            found = things[iri] = found._replace(order=order)
        of_kind, of_type, of_project, of_document, matched = found.values
        of_kind.update(name for bit, name in enumerate(_KIND_NAMES) if kinds >> bit & 1)
        of_type.update(types.split())
        of_project.add(project)
        of_document.add(f"{project}/{document}")
        matched.add("value" if row not in named else "name")
    for found in things.values():
        if "name" in found.values[-1]:
            found.values[-1].discard("value")
    return things


def _hits(things: Mapping[str, _Match], filters: Filters, sort: str, offset: int, limit: int) -> Hits:
    """The things that the filters leave, and how many each choice of a facet would leave."""
    wanted = [getattr(filters, name) for name in FACETS]
    facets: dict[str, Counter[str]] = {name: Counter() for name in FACETS}
    kept: list[str] = []
    for iri, found in things.items():
        failing = [place for place, value in enumerate(wanted) if value and value not in found.values[place]]
        for place, name in enumerate(FACETS):
            if failing in ([], [place]):
                facets[name].update(found.values[place])
        if not failing:
            kept.append(iri)
    if sort == "iri":
        kept.sort()
    else:
        start = 2 if sort == "label" else 0
        kept.sort(key=lambda iri: (things[iri].order[start:], iri))
    return Hits(kept[offset : offset + limit], len(kept), facets)


def _match(text: str) -> str:
    """The expression of FTS5 for all words of a text, the last one as a prefix; empty where there are no words."""
    parts = [words for part in text.split() if (words := re.findall(r"\w+", part))][:_MAX_WORDS]
    phrases = [" ".join(word[:_MAX_WORD_LENGTH] for word in words[:_MAX_WORDS]) for words in parts]
    return " ".join(f'"{phrase}"' for phrase in phrases) + "*" if phrases else ""
