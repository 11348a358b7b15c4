"""SQLAlchemy, and pandas through it: statements, and the tables of a database server that they read and write."""

from __future__ import annotations

from typing import Any

from ..observing import contained, query
from .sql import asks, told


def adapt(module: Any) -> None:
    """Adapt the package by an event of its own."""
    if not module.event.contains(module.engine.Engine, "before_cursor_execute", _execute):
        module.event.listen(module.engine.Engine, "before_cursor_execute", _execute)


def _execute(connection: Any, cursor: Any, statement: Any, *args: Any) -> None:
    contained("sqlalchemy", _statement, connection.engine.url, statement)


def _statement(url: Any, statement: str) -> None:
    backend = url.get_backend_name()
    if backend not in ("sqlite", "duckdb"):
        told(backend, url.host, url.port, url.database, statement)
    elif asks(statement):  # of a file, which is observed as such
        query(url.database or "", statement)
