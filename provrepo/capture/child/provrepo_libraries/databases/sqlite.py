"""sqlite3 of Python: files by ``file:`` URI and ATTACH, and tables that are read and written.

A statement that a connection keeps prepared is not told again: its tables are those of the step that ran it first.
"""

from __future__ import annotations

import functools
import os
from typing import Any

from ..observing import CHANGED, after, local, opened, table

_READ, _ATTACH, _ALTER = 20, 24, 26
_WRITES = (2, 9, 11, 18, 23, _ALTER)  # CREATE TABLE, DELETE, DROP TABLE, INSERT, UPDATE, ALTER TABLE
"""Action codes of ``sqlite3_set_authorizer``."""


def adapt(module: Any) -> None:
    """Adapt ``sqlite3`` or ``sqlite3.dbapi2``."""
    after(module, "connect", functools.partial(_connected, module.Connection))


def _connected(kind: Any, connection: Any, *args: Any, **kwargs: Any) -> None:
    # The methods of the class, since a subclass of the program may do anything. A row factory is not set yet.
    databases = {name: file for _, name, file in kind.execute(connection, "PRAGMA database_list")}
    opened([file for file in databases.values() if file], CHANGED)
    kind.set_authorizer(connection, _Observed(databases))


class _Observed:
    """The authorizer of a connection, which allows everything.

    Args:
        databases: the files by the names that statements have for them; that of a database in memory is empty.
    """

    def __init__(self, databases: dict[str, str]) -> None:
        self._databases = databases
        self._attached: list[str] = []

    def __call__(self, action: int, first: Any, second: Any, inside: Any, _: Any) -> int:
        try:
            if action == _ATTACH:
                path = "" if not first or first == ":memory:" else os.path.abspath(local(first))
                self._attached.append(path)
                if path:
                    opened(path, CHANGED)
            elif action == _READ or action in _WRITES:
                name, inside = (second, first) if action == _ALTER else (first, inside)
                if name and not name.startswith("sqlite_"):
                    self._table(inside or "main", name, action != _READ)
        except Exception:  # noqa: S110, BLE001 (an error would forbid the statement)
            pass
        return 0  # SQLITE_OK

    def _table(self, inside: str, name: str, wrote: bool) -> None:
        if inside not in self._databases and len(self._attached) == 1:  # its name is not told when it is attached
            self._databases[inside] = self._attached.pop()
        file = self._databases.get(inside, "")
        if file:
            table(file, name, wrote)
