"""Verbs about logs, at a distance."""

from __future__ import annotations

from typing import Any

from provrepo.errors import UsageError
from provrepo.remote.connection import Connection
from provrepo.repository.logs.records import LogInfo

__all__ = ["log", "log_tile", "receipt"]


def log(connection: Connection, project: str | None = None) -> LogInfo:
    """Return the log of a project."""
    return connection.record(LogInfo, "GET", _path(connection, project), project=project)


def log_tile(connection: Connection, project: str | None, path: str) -> bytes:
    """Return a tile of the tree of a log."""
    steps = (*_path(connection, project), "tile", *path.split("/"))
    return connection.send("GET", steps, project=project).content


def receipt(connection: Connection, project: str, name: str, version: int | None = None) -> dict[str, Any]:
    """Return the receipt of a version."""
    if version is None:
        from provrepo.remote.documents import version as find_version

        version = find_version(connection, project, name).version
    return dict(connection.json("GET", connection.version(project, name, version, "receipt"), project=project))


def _path(connection: Connection, project: str | None) -> tuple[str, ...]:
    if project is None:
        raise UsageError("name a project: the log of the repository's own stream needs the data directory itself")
    return connection.project(project, "log")
