"""The verbs about statements of a version: a part of them, and what changed from one version to another."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provrepo.errors import Damaged, UsageError
from provrepo.limits import WORKER_WAIT
from provrepo.model.statements import KINDS
from provrepo.repository import documents
from provrepo.repository.context import Context
from provrepo.repository.exchange.blobs import require_blob
from provrepo.repository.records import VersionInfo
from provrepo.repository.statements import files
from provrepo.repository.statements.changes import Changes, changes
from provrepo.repository.statements.table import Found, StatementTable, write
from provrepo.repository.store import Store
from provrepo.repository.submission.conversion import LARGE

__all__ = ["StatementPage", "diff", "run", "run_changes", "statements"]

MAX_WORDS = 16
"""Words of a filter."""

MAX_PART = 1000
"""Statements of one answer."""

_SECONDS = 60.0
"""The timeout for reading a large document, unless that of a check is less."""


@dataclass(frozen=True, slots=True)
class StatementPage:
    """A part of the statements of a version.

    Attributes:
        version: the version.
        found: the part, with the numbers of all.
        offset: the number of statements before it.
        limit: the most statements of the part.
    """

    version: VersionInfo
    found: Found
    offset: int
    limit: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "project": self.version.project,
            "name": self.version.name,
            "version": self.version.version,
            "statements_of_version": self.found.summary.total,
            "total": self.found.total,
            "counts": self.found.counts,
            "offset": self.offset,
            "labels": self.found.labels,
            "statements": [each.to_dict() for each in self.found.statements],
        }


def statements(
    context: Context,
    project: str,
    name: str,
    version: int | None = None,
    *,
    text: str = "",
    kind: str = "",
    thing: str = "",
    offset: int = 0,
    limit: int = 25,
) -> StatementPage:
    """Return a part of the statements of a version, in the order of the source.

    Args:
        project: the project.
        name: the document.
        version: the number of the version; None for the current one.
        text: only statements that contain all these words, or parts of words, in any case.
        kind: only statements of this kind, a PROV-N keyword.
        thing: only statements that mention this thing, an IRI.
        offset: the number of statements to leave out.
        limit: the most statements, at most 1,000.

    Raises:
        NotFound: no such document or version.
        Withdrawn: withdrawn or erased.
        UsageError: not a kind, a number out of range, or more than 16 words.
        TimedOut: the document is large, and reading it took too long.
        WorkerFailed: reading it needed too much memory.
        Busy: no worker became free.
    """
    words = text.split()
    if len(words) > MAX_WORDS:
        raise UsageError(f"statements are filtered by at most {MAX_WORDS} words, not {len(words)}")
    if kind and kind not in KINDS:
        raise UsageError(f"{kind[:60]!r} is not a kind of statement; there are: {', '.join(KINDS)}")
    if offset < 0 or not 1 <= limit <= MAX_PART:
        raise UsageError(f"a part has 1 to {MAX_PART:,} statements, and begins after 0 or more")
    info = documents.version(context, project, name, version)
    with _table(context, info) as table:
        found = table.find(words=words, kind=kind, thing=thing, offset=offset, limit=limit)
    return StatementPage(info, found, offset, limit)


def diff(context: Context, project: str, name: str, before: int | None = None, after: int | None = None) -> Changes:
    """Return what changed from one version of a document to another.

    Args:
        project: the project.
        name: the document.
        before: the number of the first version; None for the one before ``after``.
        after: the number of the second one; None for the current one.

    Raises:
        NotFound: no such document or version, or there is none before it.
        Withdrawn: one of them is withdrawn or erased.
        TooLarge: the documents have too many similar blank nodes.
        TimedOut, WorkerFailed, Busy: as for ``statements``.
    """
    second = documents.version(context, project, name, after)
    first = documents.version(context, project, name, second.version - 1 if before is None else before)
    store = context.store
    if first.sha256 == second.sha256:
        return Changes(first, second)
    if max(first.size, second.size) <= LARGE:
        left, right = (documents.read(context, project, name, each.version) for each in (first, second))
        return Changes.from_dict(first, second, changes(left, right))
    for each in (first, second):
        require_blob(store, project, each.sha256)
    found = store.pool.call(
        f"{__name__}:run_changes",
        {"left": _source(store, first), "right": _source(store, second)},
        timeout=store.pool.seconds(min(_SECONDS, store.settings.check_timeout)),
        queue_timeout=WORKER_WAIT,
    )
    return Changes.from_dict(first, second, found)


@contextmanager
def _table(context: Context, info: VersionInfo) -> Iterator[StatementTable]:
    """The table of a version: of a small one in memory, of a large one in a file, which is made at first use."""
    if info.size <= LARGE:
        table = StatementTable.of(documents.read(context, info.project, info.name, info.version))
    else:
        require_blob(context.store, info.project, info.sha256)
        table = _stored(context.store, info)
    try:
        yield table
    finally:
        table.close()


def _stored(store: Store, info: VersionInfo) -> StatementTable:
    file = files.table(store, info.sha256, info.format, info.base or "")
    try:
        table = StatementTable.open(file)
    except Damaged:
        file.unlink(missing_ok=True)
    else:
        with suppress(OSError):
            os.utime(file)  # for the order in which tables are deleted
        return table
    files.make_room(store)
    partial = file.with_name(f"{file.name}.{uuid.uuid4().hex}")
    try:
        store.pool.call(
            f"{__name__}:run",
            {**_source(store, info), "output": str(partial)},
            timeout=store.pool.seconds(min(_SECONDS, store.settings.check_timeout)),
            queue_timeout=WORKER_WAIT,
        )
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    return StatementTable.open(file)


def _source(store: Store, info: VersionInfo) -> dict[str, Any]:
    return {"source": str(store.blobs.path(info.sha256)), "format": info.format, "base": info.base or None}


# In a worker


def run(*, source: str, format: str, base: str | None, output: str) -> None:  # noqa: A002
    """Write the table of some bytes."""
    write(_read(source, format, base), Path(output))


def run_changes(*, left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    """What changed between two documents, as JSON."""
    return changes(_read(**left), _read(**right))


def _read(source: str, format: str, base: str | None) -> Any:  # noqa: A002
    from provrepo.codecs import formats
    from provrepo.workers.blob import read_blob

    return formats.read(read_blob(Path(source)), format=format, base=base)
