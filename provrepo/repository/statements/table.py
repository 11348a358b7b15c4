"""The statements of one document in a table of SQLite, so that any part of a large one is read in milliseconds.

A row has the statement as JSON, and the text that words are looked up in. A table on disk is derived: it is named after
the digest of the bytes, is made at the first reading, and may be deleted at any time.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provrepo.errors import Damaged
from provrepo.model.document import Document
from provrepo.model.identifiers import Identifier, Literal
from provrepo.model.statements import KINDS, Statement
from provrepo.repository.lineage.assertions import statement_from_dict, statement_to_dict, value_to_dict
from provrepo.vocab import PROV_LABEL
from provrepo.words import spaced

__all__ = ["Found", "PlacedStatement", "StatementTable", "Summary", "write"]

LAYOUT = 1
"""The number of this layout. A table of another one is made again."""

_TABLES = """
CREATE TABLE statement (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, bundle TEXT NOT NULL, json TEXT NOT NULL, words TEXT NOT NULL
);
CREATE INDEX kind_of_statement ON statement (kind);
CREATE TABLE label (iri TEXT PRIMARY KEY, label TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE summary (json TEXT NOT NULL);
"""

_EXAMPLES = 3
"""The most examples of unmapped triples or parts for one reason."""


@dataclass(frozen=True, slots=True)
class PlacedStatement:
    """One statement of a document.

    Attributes:
        number: its place among all statements of the document, from 1.
        statement: as it was submitted; its span has the line alone.
        bundle: the IRI of its bundle; empty at the top level.
    """

    number: int
    statement: Statement
    bundle: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"number": self.number, **statement_to_dict(self.statement), "bundle": self.bundle or None}


@dataclass(frozen=True, slots=True)
class UnmappedGroup:
    """The unmapped triples and parts of a source with the same reason.

    Attributes:
        reason: why no statement stands for them.
        number: the number of triples and parts.
        triples: the first triples as JSON: subject, predicate and object.
        parts: the first other parts as text, with their lines.
    """

    reason: str
    number: int
    triples: tuple[dict[str, Any], ...] = ()
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """What a document consists of.

    Attributes:
        total: the number of statements.
        counts: the number of statements of each kind that occurs, by PROV-N keyword.
        bundles: the number of bundles.
        things: the number of different entities and activities that it describes or relates.
        agents: the number of different agents.
        start: a thing to begin with: the last entity that was generated or derived and that nothing uses; or empty.
        prefixes: pairs of prefix and namespace.
        unmapped: what no statement stands for, by reason, the most frequent first.
    """

    total: int
    counts: dict[str, int]
    bundles: int
    things: int
    agents: int
    start: str
    prefixes: tuple[tuple[str, str], ...]
    unmapped: tuple[UnmappedGroup, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A part of the statements that a filter finds.

    Attributes:
        summary: of the whole document.
        total: the number of statements that the filter finds.
        counts: the number of them of each kind, by keyword; the filter by kind is left out here.
        statements: the requested part, in the order of the source.
        labels: of the things in ``statements``.
    """

    summary: Summary
    total: int
    counts: dict[str, int]
    statements: tuple[PlacedStatement, ...]
    labels: dict[str, str]


def write(document: Document, file: Path) -> None:
    """Write the table of a document to a file that does not exist yet."""
    with closing(_written(document, str(file))):
        pass


class StatementTable:
    """An open table. Close it after use."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Take a connection to a table."""
        self._connection = connection

    @classmethod
    def of(cls, document: Document) -> StatementTable:
        """The table of a document, in memory."""
        return cls(_written(document, ":memory:"))

    @classmethod
    def open(cls, file: Path) -> StatementTable:
        """Open the table in a file.

        Raises:
            Damaged: it is not a table of this layout.
        """
        try:
            connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)
            (layout,) = connection.execute("PRAGMA user_version").fetchone()
        except sqlite3.Error as error:
            raise Damaged(f"{file} cannot be read: {error}") from error
        if layout != LAYOUT:
            connection.close()
            raise Damaged(f"{file} has another layout")
        return cls(connection)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def summary(self) -> Summary:
        """What the document consists of."""
        (text,) = self._connection.execute("SELECT json FROM summary").fetchone()
        found = json.loads(text)
        found["prefixes"] = tuple(map(tuple, found["prefixes"]))
        found["unmapped"] = tuple(
            UnmappedGroup(each["reason"], each["number"], tuple(each["triples"]), tuple(each["parts"]))
            for each in found["unmapped"]
        )
        return Summary(**found)

    def find(
        self, *, words: Sequence[str] = (), kind: str = "", thing: str = "", offset: int = 0, limit: int = 25
    ) -> Found:
        """The statements that contain all words, are of a kind, and mention a thing.

        Args:
            words: parts of words, in any case; each occurs in an identifier, a label, a value or the keyword.
            kind: a PROV-N keyword; empty for all.
            thing: the IRI of a thing that the statement describes or names; empty for all.
            offset: the number of found statements to leave out.
            limit: the most statements to return.
        """
        conditions: list[str] = ["1"]
        values: list[object] = []
        for word in words:
            conditions.append("instr(words, ?) > 0")
            values.append(word.casefold())
        if thing:
            conditions.append("(instr(json, ?) > 0 OR bundle = ?)")
            values += [json.dumps(thing), thing]
        where = " AND ".join(conditions)
        counts = dict(
            self._connection.execute(
                f"SELECT kind, count(*) FROM statement WHERE {where} GROUP BY kind",  # noqa: S608 (no values in it)
                values,
            )
        )
        counts = {name: counts[name] for name in KINDS if name in counts}
        if kind:
            where += " AND kind = ?"
            values.append(kind)
        total = counts.get(kind, 0) if kind else sum(counts.values())
        rows = self._rows(where, values, offset, limit, whole=not (words or thing or kind))
        found = tuple(PlacedStatement(row[0], statement_from_dict(json.loads(row[2])), row[1]) for row in rows)
        return Found(self.summary(), total, counts, found, self.labels(_mentioned(found)))

    def _rows(
        self, where: str, values: Sequence[object], offset: int, limit: int, *, whole: bool
    ) -> list[tuple[int, str, str]]:
        if whole:
            # Numbers have no gaps, so that the part is found without counting.
            where, values = "number > ? AND number <= ?", [offset, offset + limit]
            offset = 0
        return self._connection.execute(
            f"SELECT number, bundle, json FROM statement WHERE {where} ORDER BY number LIMIT ? OFFSET ?",  # noqa: S608
            [*values, limit, offset],
        ).fetchall()

    def labels(self, iris: Sequence[str]) -> dict[str, str]:
        """The labels of some things, of those that have one."""
        return dict(
            self._connection.execute(
                "SELECT iri, label FROM label WHERE iri IN (SELECT value FROM json_each(?))",
                (json.dumps(list(iris)),),
            )
        )


def _mentioned(statements: Sequence[PlacedStatement]) -> list[str]:
    found: dict[str, None] = {}
    for each in statements:
        names = [each.statement.id or "", each.bundle, *each.statement.identifiers()]
        names += [value for _, value in each.statement.attributes if isinstance(value, Identifier)]
        found.update(dict.fromkeys(names))
    return [name for name in found if name]


def _written(document: Document, file: str) -> sqlite3.Connection:
    labels = _labels(document)
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.executescript(_TABLES)
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO statement VALUES (?, ?, ?, ?, ?)", _statements(document, labels))
    connection.executemany("INSERT INTO label VALUES (?, ?)", labels.items())
    connection.execute("INSERT INTO summary VALUES (?)", (json.dumps(_summary(document)),))
    connection.execute("COMMIT")
    connection.execute(f"PRAGMA user_version = {LAYOUT}")
    return connection


def _statements(document: Document, labels: dict[str, str]) -> Iterator[tuple[int, str, str, str, str]]:
    number = 0
    keywords = {name: f"{name} {spaced(name)}" for name in KINDS}
    for instance in document.instances():
        bundle = instance.id or ""
        for statement in instance:
            number += 1
            # In ASCII, since half a surrogate, which a literal may have, is no text for SQLite.
            text = json.dumps(statement_to_dict(statement))
            names = [statement.id or "", *statement.identifiers()]
            words = [keywords[statement.kind.name], *names, *(labels.get(name, "") for name in names), bundle]
            words += [arg for arg in statement.args if arg is not None and not isinstance(arg, Identifier)]
            for name, value in statement.attributes:
                words += (name, value.lexical if isinstance(value, Literal) else value)
            for key, _ in statement.entries:
                words.append(key.lexical if isinstance(key, Literal) else key)
            yield number, statement.kind.name, bundle, text, _plain("\n".join(filter(None, words)).casefold())


def _plain(text: str) -> str:
    """The text without halves of surrogates, which are no characters."""
    return text.encode("utf-8", "replace").decode()


def _labels(document: Document) -> dict[str, str]:
    """The first label of each element, on one line."""
    found: dict[str, str] = {}
    for statement in document:
        if statement.kind.element and statement.id is not None:
            for name, value in statement.attributes:
                if name == PROV_LABEL and isinstance(value, Literal):
                    found.setdefault(statement.id, _plain(" ".join(value.lexical.split())))
    return found


_ENTITIES = frozenset(
    {"entity", "generatedEntity", "usedEntity", "specificEntity", "generalEntity", "collection", "trigger", "plan"}
)
_ACTIVITIES = frozenset({"activity", "informed", "informant", "starter", "ender"})
_AGENTS = frozenset({"agent", "delegate", "responsible"})


def _summary(document: Document) -> dict[str, Any]:
    counts = dict.fromkeys(KINDS, 0)
    things: set[str] = set()
    agents: set[str] = set()
    made: dict[str, None] = {}
    used: set[str] = set()
    for statement in document:
        kind = statement.kind
        counts[kind.name] += 1
        if kind.element and statement.id is not None:
            (agents if kind.name == "agent" else things).add(statement.id)
        for argument, value in zip(kind.arguments, statement.args, strict=False):
            if value is None or argument.time:
                continue
            if argument.name in _AGENTS:
                agents.add(value)
            elif argument.name in _ENTITIES or argument.name in _ACTIVITIES:
                things.add(value)
        if kind.name in ("wasGeneratedBy", "wasDerivedFrom") and statement.args[0] is not None:
            made[statement.args[0]] = None
        if kind.name in ("used", "wasDerivedFrom") and statement.args[1] is not None:
            used.add(statement.args[1])
    final = [iri for iri in made if iri not in used and not iri.startswith("_:")]
    described = [s.id for s in document if s.kind.element and s.id is not None and not s.id.startswith("_:")]
    return {
        "total": len(document),
        "counts": {name: number for name, number in counts.items() if number},
        "bundles": len(document.bundles),
        "things": len(things - agents),
        "agents": len(agents),
        "start": final[-1] if final else described[0] if described else "",
        "prefixes": list(document.prefixes.items()),
        "unmapped": _unmapped(document),
    }


def _unmapped(document: Document) -> list[dict[str, Any]]:
    triples: dict[str, list[dict[str, Any]]] = {}
    parts: dict[str, list[str]] = {}
    for quad, reason in document.unmapped.triples():
        examples = triples.setdefault(reason, [])
        if len(examples) < _EXAMPLES:
            examples.append(
                {"subject": quad.subject, "predicate": quad.predicate, "object": value_to_dict(quad.object)}
            )
    for part in document.unmapped.unread:
        texts = parts.setdefault(part.reason, [])
        if len(texts) < _EXAMPLES:
            texts.append(" ".join(part.part.split())[:200] + (f", line {part.line}" if part.line else ""))
    return [
        {
            "reason": reason,
            "number": number,
            "triples": triples.get(reason, []),
            "parts": parts.get(reason, []),
        }
        for reason, number in document.unmapped.reasons.most_common()
    ]
