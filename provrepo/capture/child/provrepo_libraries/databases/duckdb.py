"""DuckDB: the database, and the files and tables that statements name."""

from __future__ import annotations

import functools
import glob
import os
import sys
from typing import Any

from ..observing import (
    CHANGED,
    READ,
    REPLACED,
    after,
    argument,
    around,
    before,
    contained,
    local,
    opened,
    original_of,
    replace,
    table,
)
from ..observing import query as query_text
from .sql import named

_STATEMENTS = ("execute", "executemany", "query", "sql", "from_query")
_READERS = ("read_csv", "read_json", "read_parquet", "from_csv_auto", "from_parquet")
_WRITERS = ("to_csv", "to_parquet", "write_csv", "write_parquet")
_databases: dict[int, str] = {}
"""The files of connections by their addresses: they cannot be referred to weakly. A closed one is replaced."""


def adapt(module: Any) -> None:
    """Adapt the package."""
    kind, relation = module.DuckDBPyConnection, module.DuckDBPyRelation
    around(module, "connect", _connecting, _connected)
    for name in ("cursor", "duplicate"):
        after(kind, name, lambda cursor, connection, *args, **kwargs: _same(cursor, connection))
    for name in _STATEMENTS:
        _observe(kind, name, _statement)
        _observe(module, name, functools.partial(_statement, None))
    for name in _READERS:
        before(kind, name, lambda connection, source, *args, **kwargs: _sources([source]))
        before(module, name, lambda source, *args, **kwargs: _sources([source]))
    for name in _WRITERS:
        before(relation, name, argument(1, "file_name", REPLACED))


_CALL = compile("provrepo_call()", "<provrepo>", "eval")


def _observe(owner: Any, name: str, observe: Any) -> None:
    """Call a function before each call of another one, whose statements name variables of the frame that calls it."""
    original = original_of(owner, name)
    if original is None:
        return

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        contained(f"duckdb.{name}", observe, *args, **kwargs)
        caller = sys._getframe(1)
        if not isinstance(caller.f_locals, dict):  # the body of an unusual class
            return original(*args, **kwargs)
        here = {**caller.f_locals, "provrepo_call": functools.partial(original, *args, **kwargs)}
        return eval(_CALL, caller.f_globals, here)  # noqa: S307

    replace(owner, name, call, original)


def _connecting(database: Any = ":memory:", read_only: bool = False, *args: Any, **kwargs: Any) -> None:
    if _file(database):
        opened(database, READ if read_only else CHANGED)


def _connected(connection: Any, database: Any = ":memory:", *args: Any, **kwargs: Any) -> None:
    _databases[id(connection)] = os.path.abspath(local(database)) if _file(database) else ""


def _file(database: Any) -> bool:
    return bool(local(database)) and not os.fsdecode(database).startswith(":")


def _same(cursor: Any, connection: Any) -> None:
    _databases[id(cursor)] = _databases.get(id(connection), "")


def _statement(connection: Any, query: Any, *args: Any, **kwargs: Any) -> None:
    if not isinstance(query, str):  # one that was parsed before
        query = getattr(query, "query", "")
    found = named(query)
    _sources([*found.sources, *(name for name in found.reads if os.path.isfile(name))])
    opened(found.databases, CHANGED)
    opened(found.targets, REPLACED)
    database = _databases.get(id(connection), "")
    if database or found.sources or found.targets:
        query_text(database, query)
    if database:
        variables = _variables() if found.reads else set()
        for name in sorted(found.reads - variables):
            table(database, name, False)
        for name in sorted(found.writes):
            table(database, name, True)


def _sources(names: Any) -> None:
    """Tell files that are read; a name may be a pattern or a list."""
    for name in names:
        if isinstance(name, (list, tuple)):
            _sources(name)
            continue
        path = local(name)
        opened(sorted(glob.glob(path, recursive=True)) if glob.has_magic(path) else path, READ)


def _variables() -> set[str]:
    """The variables of the program here: a statement may name a table of Python instead of one of the database."""
    frame, found = sys._getframe(1), set()
    while frame.f_back is not None and frame.f_globals.get("__package__") == __package__:
        frame = frame.f_back
    for _ in range(3):
        found |= {*frame.f_locals, *frame.f_globals}
        if frame.f_back is None:
            break
        frame = frame.f_back
    return found
