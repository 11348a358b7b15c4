"""psycopg 3 and psycopg2: statements, and the tables of a PostgreSQL server that they read and write.

A connection of psycopg2 is compiled code, so that its cursors get a class of their own, unless the program chose one.
"""

from __future__ import annotations

import sys
from typing import Any

from ..observing import after, before, contained
from .sql import told

_EXECUTES = ("execute", "executemany", "copy", "stream")


def adapt(module: Any) -> None:
    """Adapt ``psycopg``, ``psycopg2`` or ``psycopg2.extras``."""
    if module.__name__ == "psycopg":
        for kind in ("Cursor", "AsyncCursor", "ServerCursor", "AsyncServerCursor"):
            for name in _EXECUTES:
                before(getattr(module, kind, None), name, _statement)
    elif module.__name__ == "psycopg2":
        after(module, "connect", _connected)
    else:
        for kind in ("DictCursor", "RealDictCursor", "NamedTupleCursor"):
            for name in _EXECUTES[:2]:
                before(getattr(module, kind, None), name, _statement)


def _connected(connection: Any, *args: Any, **kwargs: Any) -> None:
    if connection.cursor_factory is None:
        connection.cursor_factory = _observed()


_classes: dict[str, Any] = {}


def _observed() -> Any:
    """The class of cursors of psycopg2 whose statements are told."""
    if not _classes:
        cursor: Any = sys.modules["psycopg2.extensions"].cursor

        class Cursor(cursor):  # type: ignore[misc]
            __doc__ = cursor.__doc__

            def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
                contained("psycopg2.cursor.execute", _statement, self, query)
                return super().execute(query, *args, **kwargs)

            def executemany(self, query: Any, *args: Any, **kwargs: Any) -> Any:
                contained("psycopg2.cursor.executemany", _statement, self, query)
                return super().executemany(query, *args, **kwargs)

            def copy_expert(self, sql: Any, *args: Any, **kwargs: Any) -> Any:
                contained("psycopg2.cursor.copy_expert", _statement, self, sql)
                return super().copy_expert(sql, *args, **kwargs)

        Cursor.__name__, Cursor.__qualname__, Cursor.__module__ = "cursor", "cursor", cursor.__module__
        _classes["cursor"] = Cursor
    return _classes["cursor"]


def _statement(cursor: Any, query: Any = None, *args: Any, **kwargs: Any) -> None:
    if hasattr(query, "as_string"):  # one that was composed of parts
        query = query.as_string(cursor)
    text = query.decode(errors="replace") if isinstance(query, bytes) else str(query)
    about = cursor.connection.info
    told("postgresql", about.host, about.port, about.dbname, text)
