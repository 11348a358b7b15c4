"""Verbs about documents that wait for a review, at a distance."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from provrepo.checks.report import Report
from provrepo.codecs.formats import by_name, check_base, content, detect
from provrepo.errors import Denied, NotFound, RemoteError
from provrepo.problems import HIDDEN
from provrepo.remote.connection import Connection
from provrepo.remote.decoding import decoded
from provrepo.remote.projects import projects
from provrepo.repository import access
from provrepo.repository.exchange.records import PendingInfo

if TYPE_CHECKING:
    from provrepo.codecs.formats import Source

__all__ = [
    "accept_pending",
    "ask_pending",
    "pending",
    "pending_document",
    "pending_original",
    "pending_report",
    "reject_pending",
    "replace_pending",
]


def pending(connection: Connection, project: str | None = None) -> list[PendingInfo]:
    """Return the documents that wait for a review, the oldest first."""
    if project is not None:
        return _waiting(connection, project)
    found: list[PendingInfo] = []
    for info in projects(connection):
        try:
            found += _waiting(connection, info.name)
        except (Denied, NotFound):
            continue  # the token does not review there
    return sorted(found, key=lambda each: each.received)


def pending_document(
    connection: Connection,
    id: str,  # noqa: A002
    *,
    project: str | None = None,
) -> PendingInfo:
    """Return a document that waits or waited."""
    for name in _places(connection, id, project):
        path = connection.project(name, "pending", id)
        try:
            return connection.record(PendingInfo, "GET", path, project=name)
        except NotFound as error:
            if str(error) == HIDDEN or project is not None:
                raise
    raise _none(id)


def pending_original(
    connection: Connection,
    id: str,  # noqa: A002
    *,
    project: str | None = None,
) -> tuple[bytes, PendingInfo]:
    """Return the bytes of a document that waits, and its record."""
    info = pending_document(connection, id, project=project)
    path = connection.project(info.project, "pending", id, "original")
    data = connection.send("GET", path, project=info.project).content
    if hashlib.sha256(data).hexdigest() != info.sha256:
        raise RemoteError(f"{connection.url} sent other bytes than those of {info.project}/{info.name}")
    return data, info


def pending_report(
    connection: Connection,
    id: str,  # noqa: A002
    *,
    project: str | None = None,
) -> Report:
    """Return the report of the checks on the arrival of a document."""
    info = pending_document(connection, id, project=project)
    path = connection.project(info.project, "pending", id, "report")
    return connection.record(Report, "GET", path, project=info.project)


def accept_pending(
    connection: Connection,
    id: str,  # noqa: A002
    *,
    project: str | None = None,
    reason: str = "",
    name: str | None = None,
    update: bool = False,
    again: bool = False,
    replaces: str | None = None,
    if_match: str | None = None,
) -> PendingInfo:
    """Accept a document that waits."""
    query = {"name": name, "update": update or None, "again": again or None, "replaces": replaces, "if_match": if_match}
    return _decided(connection, id, project, "accept", reason, query)


def reject_pending(
    connection: Connection,
    id: str,  # noqa: A002
    *,
    project: str | None = None,
    reason: str = "",
    if_match: str | None = None,
) -> PendingInfo:
    """Reject a document that waits, or give it up."""
    return _decided(connection, id, project, "reject", reason, {"if_match": if_match})


def ask_pending(
    connection: Connection,
    id: str,  # noqa: A002
    *,
    project: str | None = None,
    reason: str,
    if_match: str | None = None,
) -> PendingInfo:
    """Ask the submitter of a document that waits for changes."""
    return _decided(connection, id, project, "ask", reason, {"if_match": if_match})


def replace_pending(
    connection: Connection,
    id: str,  # noqa: A002
    source: Source,
    *,
    project: str | None = None,
    format: str | None = None,  # noqa: A002
    base: str | None = None,
    note: str | None = None,
    profiles: Sequence[str] | None = None,
) -> PendingInfo:
    """Replace the bytes of a submission that waits."""
    data, file = content(source)
    info = pending_document(connection, id, project=project)
    if format is not None:
        by_name(format)
    check_base(base)
    access.text("note", note or "")
    media_type = (by_name(format) if format is not None else detect(data, file)).media_type
    return connection.record(
        PendingInfo,
        "PUT",
        connection.project(info.project, "pending", id),
        project=info.project,
        query={"base": base, "note": note, "profile": list(profiles) if profiles else None},
        headers={"Content-Type": media_type},
        content=data,
    )


def _decided(
    connection: Connection,
    id: str,  # noqa: A002
    project: str | None,
    decision: str,
    reason: str,
    query: Mapping[str, object],
) -> PendingInfo:
    info = pending_document(connection, id, project=project)
    access.text("reason", reason)
    path = connection.project(info.project, "pending", id, decision)
    return connection.record(PendingInfo, "POST", path, project=info.project, query={**query, "reason": reason or None})


def _waiting(connection: Connection, project: str) -> list[PendingInfo]:
    path = connection.project(project, "pending")
    with connection.understanding():
        return [decoded(PendingInfo, item) for item in connection.parts(path, "pending", project=project)]


def _places(connection: Connection, id: str, project: str | None) -> Iterator[str]:  # noqa: A002
    """The projects in which a document may wait."""
    if not re.fullmatch(r"[\w-]{1,80}", id, re.ASCII):
        if project is not None:
            connection.require(project)
        raise _none(id)
    yield from (info.name for info in projects(connection)) if project is None else [project]


def _none(id: str) -> NotFound:  # noqa: A002
    return NotFound(f"nothing with the identifier {id[:80]!r} waits for a review")
