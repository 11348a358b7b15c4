"""Verbs about projects at a distance."""

from __future__ import annotations

import json
from collections.abc import Sequence

from provrepo.remote.connection import Connection
from provrepo.remote.decoding import decoded
from provrepo.repository import access
from provrepo.repository.exposure import Exposure
from provrepo.repository.records import ProjectInfo

__all__ = ["create_project", "exposure", "project", "projects", "set_embargo", "set_project"]

_SENT = {"Content-Type": "application/json"}


def create_project(
    connection: Connection,
    name: str,
    *,
    public: bool = False,
    title: str = "",
    profiles: Sequence[str] = (),
    license: str = "",  # noqa: A002 (the name of the setting)
) -> ProjectInfo:
    """Create a project."""
    access.name("project", name)
    wanted = {"name": name, "public": public, "title": title, "profiles": list(profiles), "license": license}
    return connection.record(
        ProjectInfo, "POST", ("projects",), headers=_SENT, content=json.dumps(wanted).encode("ascii")
    )


def set_project(
    connection: Connection,
    name: str,
    *,
    public: bool | None = None,
    title: str | None = None,
    profiles: Sequence[str] | None = None,
    license: str | None = None,  # noqa: A002 (the name of the setting)
    push: Sequence[str] | None = None,
    pushes: str | None = None,
    reviewed: Sequence[str] | None = None,
    review: str | None = None,
    announce: bool | None = None,
    archived: bool | None = None,
    quota_documents: int | None = None,
    quota_bytes: int | None = None,
    quota_submissions: int | None = None,
) -> ProjectInfo:
    """Change the settings of a project."""
    lists = {"profiles": profiles, "push": push, "reviewed": reviewed}
    given = {
        **{"public": public, "title": title, "license": license, "pushes": pushes, "announce": announce},
        "review": review,
        **{"archived": archived, "quota_documents": quota_documents, "quota_bytes": quota_bytes},
        "quota_submissions": quota_submissions,
        **{setting: None if values is None else list(values) for setting, values in lists.items()},
    }
    wanted = {setting: value for setting, value in given.items() if value is not None}
    return connection.record(
        ProjectInfo,
        "PATCH",
        connection.project(name),
        project=name,
        headers=_SENT,
        content=json.dumps(wanted).encode("ascii"),
    )


def set_embargo(connection: Connection, project: str, until: str | None, *, reason: str = "") -> ProjectInfo:
    """Keep a project private until a time, or lift its embargo."""
    sent = {} if until is None else {"content": json.dumps({"until": until, "reason": reason}).encode("ascii")}
    return connection.record(
        ProjectInfo,
        "DELETE" if until is None else "PUT",
        connection.project(project, "embargo"),
        project=project,
        **({"headers": _SENT, **sent} if sent else {}),
    )


def project(connection: Connection, name: str) -> ProjectInfo:
    """Return one project."""
    return connection.record(ProjectInfo, "GET", connection.project(name), project=name)


def projects(connection: Connection) -> list[ProjectInfo]:
    """Return the projects that the token may read."""
    with connection.understanding():
        return [decoded(ProjectInfo, item) for item in connection.pages(("projects",), "projects")]


def exposure(connection: Connection, project: str) -> Exposure:
    """Return what everybody could read if the project were public."""
    return connection.record(Exposure, "GET", connection.project(project, "exposure"), project=project)
