"""The verbs ``pack`` and ``export_project`` at a distance: the server writes the file, and it is verified here."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from typing import IO, TYPE_CHECKING

from provrepo.errors import RemoteError, UsageError
from provrepo.remote.connection import Connection
from provrepo.remote.decoding import decoded

if TYPE_CHECKING:
    from provrepo.repository.exchange.package.pack import Package, Progress
    from provrepo.repository.exports.verbs import ProjectExport

__all__ = ["export_project", "pack"]


def pack(
    connection: Connection,
    project: str,
    target: str | Path | IO[bytes],
    *,
    since: int = 0,
    for_readers: bool = False,
    progress: Progress | None = None,
) -> Package:
    """Write a project to a zip archive."""
    from provrepo.repository.exchange.package.pack import Package
    from provrepo.repository.exchange.package.reading import PackageReader
    from provrepo.repository.exchange.package.target import replacing

    report = progress or (lambda _what, _count: None)
    if not isinstance(target, str | Path):
        raise UsageError(f"a package of the server {connection.url} is written to a named file")
    connection.require(project)
    with replacing(Path(target)) as file:
        query = {"since": since, "for_readers": for_readers}
        received = 0
        with connection.http.stream("GET", connection.project(project, "package"), query=query) as answer:
            for chunk in answer:
                file.write(chunk)
                received += len(chunk)
                report("bytes received", received)
        file.flush()
        with os.fdopen(os.dup(file.fileno()), "rb") as written:
            written.seek(0)
            reader = PackageReader(written, answer.where)
            reader.verify(report)
        with connection.understanding():
            numbers = {
                name: decoded(int, int(answer.headers[f"Provrepo-{name}"]))
                for name in ("originals", "withdrawn", "omitted", "files")
            }
    return Package(reader.contents, **numbers, size=received)


def export_project(
    connection: Connection,
    project: str,
    target: str | Path | IO[bytes],
    *,
    format: str,  # noqa: A002 (the public name)
    after: int = 0,
    progress: Progress | None = None,
) -> ProjectExport:
    """Write the relations of all documents of a project, as a graph or as a table."""
    from provrepo.repository.exchange.package.target import replacing
    from provrepo.repository.exports.rows import project_format

    chosen = project_format(format)
    if after < 0:
        raise UsageError("after is the sequence number of an entry, or 0 for all entries")
    connection.require(project)
    report = progress or (lambda _what, _count: None)
    if not isinstance(target, str | Path):
        return _received(connection, project, target, chosen.name, after, report)
    with replacing(Path(target)) as file:
        return _received(connection, project, file, chosen.name, after, report)


def _received(
    connection: Connection, project: str, file: IO[bytes], name: str, after: int, report: Progress
) -> ProjectExport:
    from provrepo.repository.exports.verbs import ProjectExport

    path, query = connection.project(project, "relations"), {"format": name, "after": after}
    digest, received = hashlib.sha256(), 0
    with connection.http.stream("GET", path, query=query) as answer:
        for chunk in answer:
            file.write(chunk)
            digest.update(chunk)
            received += len(chunk)
            report("bytes received", received)
        encoded = base64.b64encode(digest.digest()).decode("ascii")
        if answer.headers.get("Repr-Digest") != f"sha-256=:{encoded}:":
            raise RemoteError(f"{answer.where} sent other bytes than its digest says")
        with connection.understanding():
            counts = {
                field: decoded(int, int(answer.headers[f"Provrepo-{header}"]))
                for field, header in (
                    ("sequence", "Sequence"),
                    ("documents", "Documents"),
                    ("relations", "Relations"),
                    ("things", "Things"),
                    ("left_out", "Left-Out"),
                )
            }
        omitted = tuple(filter(None, answer.headers.get("Provrepo-Unread", "").split(", ")))
    return ProjectExport(project, name, after, **counts, omitted=omitted)
