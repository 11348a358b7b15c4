"""Lineage of columns from the compiled SQL of models, by sqlglot, which is an extra."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["INSTALL", "Table", "available", "sources_of"]

INSTALL = "pip install 'provrepo[dbt]'"

Table = tuple[str, str, str]
"""Database, schema and name, in lower case."""

_LONGEST = 256 << 10
"""The most characters of a statement that are analyzed."""


def available() -> bool:
    """Whether sqlglot is installed."""
    try:
        import sqlglot  # noqa: F401
    except ImportError:
        return False
    return True


def sources_of(
    sql: str, dialect: str, schema: Mapping[Table, Mapping[str, str]]
) -> Iterator[tuple[str, set[tuple[Table, str]]]]:
    """The columns of tables of which each column of a result is made.

    Args:
        sql: one query.
        dialect: the name of its dialect; empty for SQL as most databases read it.
        schema: the types of the columns of tables that are known, by table and column.

    Yields:
        The name of a column of the result, and tables with their columns.

    Raises:
        ValueError: the statement cannot be analyzed.
    """
    from sqlglot import exp
    from sqlglot.errors import SqlglotError
    from sqlglot.lineage import lineage

    if len(sql) > _LONGEST:
        raise ValueError(f"it has more than {_LONGEST:,} characters")
    nested: dict[str, Any] = {}
    for (database, name, relation), columns in schema.items():
        nested.setdefault(database, {}).setdefault(name, {})[relation] = dict(columns)
    level = logging.getLogger("sqlglot").level
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    try:
        found = lineage(None, sql, nested, dialect=dialect or None)
    except (SqlglotError, ValueError, KeyError, AttributeError, TypeError, IndexError, RecursionError) as error:
        raise ValueError(str(error).partition("\n")[0][:200]) from error
    finally:
        logging.getLogger("sqlglot").setLevel(level)
    for column, node in found.items() if isinstance(found, dict) else ():
        made: set[tuple[Table, str]] = set()
        for leaf in node.walk():
            if not leaf.downstream and isinstance(leaf.source, exp.Table):
                name = leaf.name.rpartition(".")[2].strip('"`[]')
                table = leaf.source
                if name and name != "*":
                    made.add(((table.catalog.lower(), table.db.lower(), table.name.lower()), name))
        if column != "*":
            yield column, made
