"""Verbs that read and withdraw documents at a distance."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from provrepo.checks.report import Report
from provrepo.errors import NotFound, RemoteError, UsageError
from provrepo.limits import MAX_PAGE_SIZE
from provrepo.remote.connection import Connection
from provrepo.remote.decoding import decoded
from provrepo.repository.records import DocumentInfo, VersionInfo
from provrepo.repository.stream import EntryInfo
from provrepo.repository.withdrawals import check_reasons

if TYPE_CHECKING:
    from provrepo.model.document import Document
    from provrepo.repository.lineage.records import SourceReference

__all__ = [
    "arrivals",
    "document",
    "documents",
    "entries",
    "export",
    "history",
    "newest_documents",
    "original",
    "read",
    "report",
    "version",
    "withdraw",
]


def documents(
    connection: Connection, project: str, *, after: str = "", limit: int | None = None, withdrawn: bool = False
) -> list[DocumentInfo]:
    """Return the documents of a project by name."""
    found: list[DocumentInfo] = []
    path = connection.project(project, "documents")
    most = MAX_PAGE_SIZE if limit is None else max(1, min(limit, MAX_PAGE_SIZE))
    with connection.understanding():
        for item in connection.pages(
            path, "documents", project=project, after=after or None, withdrawn=withdrawn, limit=most
        ):
            if limit is not None and len(found) >= limit:
                break
            found.append(decoded(DocumentInfo, item))
    return found[:limit]


def newest_documents(
    connection: Connection, project: str, *, offset: int = 0, limit: int | None = None
) -> list[DocumentInfo]:
    """Return the documents of a project that are not withdrawn: those that need attention first, then the newest."""
    found: list[DocumentInfo] = []
    path = connection.project(project, "documents")
    with connection.understanding():
        while limit is None or len(found) < limit:
            most = MAX_PAGE_SIZE if limit is None else min(limit - len(found), MAX_PAGE_SIZE)
            asked = {"sort": "newest", "offset": offset + len(found), "limit": most}
            items = connection.json("GET", path, project=project, query=asked)["documents"]
            found += [decoded(DocumentInfo, item) for item in items]
            if len(items) < most:
                break
    return found


def document(connection: Connection, project: str, name: str) -> DocumentInfo:
    """Return one document, withdrawn or not."""
    connection.document(project, name)
    found = connection.json(
        "GET", connection.project(project, "documents"), project=project, query={"name": name, "withdrawn": True}
    )
    with connection.understanding():
        (only,) = found["documents"]
        return decoded(DocumentInfo, only)


def history(connection: Connection, project: str, name: str) -> list[VersionInfo]:
    """Return every version of a document."""
    path = connection.document(project, name, "versions")
    with connection.understanding():
        return [
            decoded(VersionInfo, item) for item in connection.parts(path, "versions", project=project, sort="oldest")
        ]


def version(connection: Connection, project: str, name: str, version: int | None = None) -> VersionInfo:
    """Return one version."""
    path = connection.version(project, name, version, "metadata")
    return connection.record(VersionInfo, "GET", path, project=project)


def original(connection: Connection, project: str, name: str, version: int | None = None) -> tuple[bytes, VersionInfo]:
    """Return the bytes as they were submitted, verified against their digest."""
    info = _version(connection, project, name, version)
    return _bytes(connection, info), info


def _bytes(connection: Connection, info: VersionInfo) -> bytes:
    path = connection.version(info.project, info.name, info.version, "original")
    data = connection.send("GET", path, project=info.project).content
    if hashlib.sha256(data).hexdigest() != info.sha256:
        raise RemoteError(f"{connection.url} sent other bytes than those of {info.project}/{info.name}@{info.version}")
    return data


_version = version


def read(connection: Connection, project: str, name: str, version: int | None = None) -> Document:
    """Return a stored version as a ``Document``."""
    from provrepo.codecs import formats
    from provrepo.codecs.jsonld.user_contexts import contexts_from

    data, info = original(connection, project, name, version)
    with contexts_from(connection.settings.contexts):
        return formats.read(data, format=info.format, base=info.base or None)


def export(
    connection: Connection,
    project: str,
    name: str,
    version: int | None = None,
    *,
    format: str | None = None,  # noqa: A002
) -> bytes:
    """Return a stored version in a format."""
    from provrepo.codecs import formats

    if format is not None:
        formats.by_name(format)
    info = _version(connection, project, name, version)
    if format is None or format == info.format:
        return _bytes(connection, info)
    path = connection.version(project, name, info.version)
    return connection.send("GET", path, project=project, query={"format": format}).content


def report(connection: Connection, project: str, name: str, version: int | None = None) -> Report:
    """Return the report of a version."""
    path = connection.version(project, name, version, "report")
    return connection.record(Report, "GET", path, project=project)


def withdraw(
    connection: Connection,
    project: str,
    name: str,
    *,
    reason: str,
    internal_reason: str = "",
    if_match: str | None = None,
) -> DocumentInfo:
    """Withdraw a document."""
    path = connection.document(project, name)
    with connection.checked(project):
        check_reasons("withdrawal", reason, internal_reason)
    headers = {} if if_match is None else {"If-Match": if_match if if_match == "*" else f'"{if_match}"'}
    return connection.record(
        DocumentInfo,
        "DELETE",
        path,
        project=project,
        query={"reason": reason, "internal_reason": internal_reason or None},
        headers=headers,
    )


def entries(connection: Connection, project: str, *, after: int = 0, limit: int = MAX_PAGE_SIZE) -> list[EntryInfo]:
    """Return ledger entries of a project."""
    if after < 0 or limit < 1:
        raise UsageError("after is a number from 0, limit one from 1")
    found: list[EntryInfo] = []
    path = connection.project(project, "ledger")
    with connection.understanding():
        for item in connection.pages(
            path, "entries", project=project, key="sequence", after=after, limit=min(limit, MAX_PAGE_SIZE)
        ):
            found.append(decoded(EntryInfo, item))
            if len(found) == limit:
                break
    return found


def arrivals(connection: Connection, sources: Iterable[SourceReference]) -> dict[tuple[str, str, int], str]:
    """The times at which versions were accepted, by project, document and number."""
    found: dict[tuple[str, str, int], str] = {}
    for project, name in dict.fromkeys((source.project, source.document) for source in sources):
        for info in histories(connection, [(project, name)]).values():
            found[project, name, info.version] = info.time
    return found


def histories(connection: Connection, documents: Iterable[tuple[str, str]]) -> dict[tuple[str, str, int], VersionInfo]:
    """Every version of some documents, by project, document and number; documents that do not exist are left out."""
    found: dict[tuple[str, str, int], VersionInfo] = {}
    for project, name in documents:
        try:
            versions = history(connection, project, name)
        except NotFound:
            connection.require(project)
            continue
        found |= {(project, name, info.version): info for info in versions}
    return found
