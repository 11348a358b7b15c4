"""The verb ``pack`` at a distance: the server writes the package, and it is verified here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, TYPE_CHECKING

from provrepo.errors import UsageError
from provrepo.remote.connection import Connection
from provrepo.remote.decoding import decoded

if TYPE_CHECKING:
    from provrepo.repository.exchange.package.pack import Package, Progress

__all__ = ["pack"]


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
