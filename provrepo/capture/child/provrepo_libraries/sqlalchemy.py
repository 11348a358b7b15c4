"""SQLAlchemy, and pandas through it: statements, and the tables of a database server that they read and write."""

from __future__ import annotations

from typing import Any

from .observing import contained, query, table
from .sql import named

_CATALOGS = ("information_schema.", "pg_catalog.", "pg_", "sqlite_", "duckdb_")


def adapt(module: Any) -> None:
    """Adapt the package by an event of its own."""
    if not module.event.contains(module.engine.Engine, "before_cursor_execute", _execute):
        module.event.listen(module.engine.Engine, "before_cursor_execute", _execute)


def _execute(connection: Any, cursor: Any, statement: Any, *args: Any) -> None:
    contained("sqlalchemy", _statement, connection.engine.url, statement)


def _statement(url: Any, statement: str) -> None:
    backend = url.get_backend_name()
    found = named(statement)
    for names in (found.reads, found.writes):  # what describes tables is asked for by the library itself
        names.difference_update([name for name in names if name.lower().startswith(_CATALOGS)])
    if statement.lstrip()[:6].upper() == "PRAGMA" or not (found.reads or found.writes):
        return
    if backend in ("sqlite", "duckdb"):  # a file, which is observed as such
        query(url.database or "", statement)
        return
    port = f":{url.port}" if url.port else ""
    database = f"{backend}://{url.host or 'localhost'}{port}/{url.database or ''}"
    query(database, statement)
    for names, wrote in ((found.reads, False), (found.writes, True)):
        for name in sorted(names):
            table(database, name, wrote)
