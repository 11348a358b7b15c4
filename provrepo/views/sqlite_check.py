"""Comparison of a view in SQLite with another one that was built from the same ledger entries.

The numbers of terms and versions differ from file to file, so names are compared, version by version. Only the content
of one version is in memory at a time.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice

from provrepo.errors import Damaged
from provrepo.model.identifiers import is_content
from provrepo.views.lineage.index import Lineage
from provrepo.views.openlineage.index import OpenLineage
from provrepo.views.search import Search
from provrepo.views.sqlite_view import SqliteView
from provrepo.words import counted

__all__ = ["differing", "malformed", "version_differs"]

_SHOWN = 3
"""Missing rows, and superfluous rows, of one version that a message shows."""

_LINEAGE = {
    "relations of no version": "SELECT count(*) FROM edge WHERE version NOT IN (SELECT id FROM version)",
    "descriptions of no version": "SELECT count(*) FROM about WHERE version NOT IN (SELECT id FROM version)",
    "contents of no version": "SELECT count(*) FROM content WHERE version NOT IN (SELECT id FROM version)",
    "moments of no version": "SELECT count(*) FROM moment WHERE version NOT IN (SELECT id FROM version)",
    "moments of things that their version does not have": (
        "SELECT count(*) FROM moment m WHERE NOT EXISTS "
        "(SELECT 1 FROM about a WHERE a.term = m.entity AND a.version = m.version) OR NOT EXISTS "
        "(SELECT 1 FROM about a WHERE a.term = m.dataset AND a.version = m.version)"
    ),
    "relations that cannot be found by their object": (
        "SELECT count(*) FROM edge e WHERE NOT EXISTS (SELECT 1 FROM edge_into i "
        "WHERE i.object = e.object AND i.rule = e.rule AND i.subject = e.subject)"
    ),
    "keys by object without a relation": (
        "SELECT count(*) FROM edge_into i WHERE NOT EXISTS (SELECT 1 FROM edge e "
        "WHERE e.subject = i.subject AND e.rule = i.rule AND e.object = i.object)"
    ),
    "names that no version has": (
        "SELECT count(*) FROM term t WHERE NOT EXISTS (SELECT 1 FROM about a WHERE a.term = t.id)"
    ),
    "combinations of types with a wrong number of uses": (
        "SELECT count(*) FROM sort s LEFT JOIN (SELECT sort, count(*) AS n FROM about GROUP BY sort) a "
        "ON a.sort = s.id WHERE s.uses IS NOT a.n"
    ),
    "numbers of names that were not given yet": (
        "SELECT count(*) FROM term t JOIN counter c ON c.name = iif(t.id & 1, 'content', 'thing') WHERE t.id >= c.value"
    ),
    "counters that are not there": (
        "SELECT 3 - count(*) FROM counter WHERE name IN ('generation', 'thing', 'content') "
        "AND typeof(value) = 'integer'"
    ),
}

_SEARCH = {
    "things of no version": "SELECT count(*) FROM thing WHERE version NOT IN (SELECT id FROM version)",
    "words of no thing": "SELECT count(*) FROM words WHERE rowid NOT IN (SELECT id FROM thing)",
    "documents of no version": "SELECT count(*) FROM document WHERE version NOT IN (SELECT id FROM version)",
    "words of no document": "SELECT count(*) FROM document_words WHERE rowid NOT IN (SELECT version FROM document)",
}

_OPENLINEAGE = {
    **{
        f"rows of no version in {table}": (
            f"SELECT count(*) FROM {table} WHERE version NOT IN (SELECT id FROM version)"  # noqa: S608
        )
        for table in ("run", "part", "link", "tag", "event")
    },
    "facets of no part": "SELECT count(*) FROM facet WHERE part NOT IN (SELECT id FROM part)",
    "facets of another item than their part": (
        "SELECT count(*) FROM facet f JOIN part p ON p.id = f.part WHERE f.item <> p.item OR f.last <> p.last"
    ),
    "texts of no facet": (
        "SELECT count(*) FROM text WHERE id NOT IN (SELECT text FROM facet) AND id NOT IN (SELECT facets FROM run)"
    ),
    "jobs and datasets that no version names, or with wrong times": (
        "SELECT count(*) FROM item i WHERE created IS NOT (SELECT min(first) FROM part p WHERE p.item = i.id) "
        "OR updated IS NOT (SELECT max(last) FROM part p WHERE p.item = i.id)"
    ),
    "jobs with a wrong last run": (
        "SELECT count(*) FROM item i WHERE run IS NOT "
        "(SELECT id FROM run r WHERE r.item = i.id ORDER BY time DESC, uuid DESC LIMIT 1)"
    ),
}


def malformed(view: SqliteView, *, whole: bool) -> Iterator[str]:
    """The errors that the file of a view alone shows, one sentence each.

    Args:
        view: the view.
        whole: also compare the indexes with the tables, and the tables with each other.
    """
    try:
        with view.reading() as connection:
            check = "integrity_check" if whole else "quick_check"
            lines = connection.execute(f"PRAGMA {check}(20)").fetchall()
            found = [str(line) for (line,) in lines if line != "ok"]
            found += _wrong_schema(connection, view)
            if whole and not found:
                found += list(_broken_rules(connection, view))
    except Damaged as error:
        found = [str(error)]
    yield from found


def differing(view: SqliteView, wanted: SqliteView) -> Iterator[str]:
    """The differences between two views of the same entries, one sentence each.

    Args:
        view: the view to check.
        wanted: the view that was just built.

    Raises:
        Damaged: one of them cannot be read.
    """
    with view.reading() as connection, wanted.reading() as other:
        for what, query in (
            ("datasets", "SELECT name, stamp FROM dataset"),
            (
                "positions",
                "SELECT d.name, p.project, p.sequence FROM position p LEFT JOIN dataset d ON d.id = p.dataset",
            ),
        ):
            if _rows(connection, query) != _rows(other, query):
                yield f"its {what} are not those of the ledger"
        kept, expected = _versions(connection), _versions(other)
        for key in sorted(kept.keys() | expected.keys(), key=repr):
            if key not in kept:
                yield f"{_named(key)} is missing"
            elif key not in expected:
                yield f"{_named(key)} does not belong there"
            else:
                (number, *entries), (other_number, *other_entries) = kept[key], expected[key]
                if entries != other_entries:
                    yield f"{_named(key)} is valid for other entries than in the ledger"
                problem = _unequal(view.content(connection, number), wanted.content(other, other_number))
                if problem:
                    yield f"{_named(key)}: {problem}"


def version_differs(
    view: SqliteView, dataset: str, wanted: SqliteView, there: str, version: tuple[str, str, int]
) -> str | None:
    """The difference between the content of one version in two views, as part of a sentence; None where it is equal.

    Args:
        view: the view to check.
        dataset: the dataset of the version in it.
        wanted: the view that was just built.
        there: the dataset of the version in that view.
        version: project, document and number.

    Raises:
        Damaged: one of them cannot be read.
    """
    with view.reading() as connection, wanted.reading() as other:
        kept, expected = _version(connection, dataset, version), _version(other, there, version)
        if kept is None or expected is None:
            return None if kept is expected else "is missing" if kept is None else "does not belong there"
        return _unequal(view.content(connection, kept), wanted.content(other, expected))


def _unequal(found: list[tuple[object, ...]], wanted: list[tuple[object, ...]]) -> str | None:
    extra, missing = Counter(found) - Counter(wanted), Counter(wanted) - Counter(found)
    if not extra and not missing:
        return None
    shown = [f"it has {_shown(row)}" for row in islice(extra, _SHOWN)]
    shown += [f"it lacks {_shown(row)}" for row in islice(missing, _SHOWN)]
    rows = counted(extra.total() + missing.total(), "row is", "rows are")
    return f"{rows} not what the ledger yields: {'; '.join(shown)}"


def _shown(row: tuple[object, ...]) -> str:
    return " ".join("-" if value is None else str(value) for value in row)[:200]


def _versions(connection: sqlite3.Connection) -> dict[tuple[object, ...], tuple[int, ...]]:
    rows = connection.execute(
        "SELECT d.name, v.project, v.document, v.number, v.id, v.since, v.until, v.withdrawn FROM version v "
        "LEFT JOIN dataset d ON d.id = v.dataset"
    ).fetchall()
    return {tuple(row[:4]): tuple(row[4:]) for row in rows}


def _version(connection: sqlite3.Connection, dataset: str, version: tuple[str, str, int]) -> int | None:
    row = connection.execute(
        "SELECT v.id FROM version v JOIN dataset d ON d.id = v.dataset "
        "WHERE d.name = ? AND v.project = ? AND v.document = ? AND v.number = ?",
        (dataset, *version),
    ).fetchone()
    return None if row is None else int(row[0])


def _named(key: tuple[object, ...]) -> str:
    dataset, project, document, number = key
    return f"version {number} of {project}/{document} in dataset {dataset}"


def _rows(connection: sqlite3.Connection, query: str) -> Counter[tuple[object, ...]]:
    return Counter(connection.execute(query).fetchall())


def _wrong_schema(connection: sqlite3.Connection, view: SqliteView) -> Iterator[str]:
    """A sentence where tables and indexes are not those that this software creates."""
    with sqlite3.connect(":memory:", isolation_level=None) as fresh:
        fresh.executescript(view.layout())
        wanted = _statements(fresh)
    fresh.close()
    if _statements(connection) != wanted:
        yield "its tables and indexes are not those of this version of provrepo"


def _statements(connection: sqlite3.Connection) -> set[tuple[object, ...]]:
    return set(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall())


def _broken_rules(connection: sqlite3.Connection, view: SqliteView) -> Iterator[str]:
    """The errors in the tables that no ledger can explain, one sentence each."""
    for what, query in _RULES.get(type(view), {}).items():
        ((count,),) = connection.execute(query).fetchall()
        if count:
            yield f"it has {count:,} {what}"
    more = _MORE_RULES.get(type(view))
    if more is not None:
        yield from more(connection)


def _misnumbered(connection: sqlite3.Connection) -> Iterator[str]:
    """A sentence where numbers of terms do not state correctly whether the terms name content."""
    wrong = sum(bool(id_ & 1) != is_content(iri) for id_, iri in connection.execute("SELECT id, iri FROM term"))
    if wrong:
        yield f"it has {wrong:,} names whose numbers do not show whether they name content"


_RULES: dict[type, dict[str, str]] = {Lineage: _LINEAGE, Search: _SEARCH, OpenLineage: _OPENLINEAGE}
_MORE_RULES: dict[type, Callable[[sqlite3.Connection], Iterator[str]]] = {Lineage: _misnumbered}
