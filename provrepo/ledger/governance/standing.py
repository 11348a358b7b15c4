"""What may be appended to a project: nothing while it is archived, and submissions within its quota.

Both are settings of the project, so that each change is an entry. They are tested in the transaction that appends.
Several writers can therefore not exceed a quota together.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from provrepo.errors import Archived, OverQuota, ProjectFull
from provrepo.words import counted

__all__ = ["QUOTAS", "STORED_BYTES", "Use", "require_active", "require_open", "require_room", "use", "used"]

QUOTAS = ("quota_documents", "quota_bytes", "quota_submissions")
"""The settings of a quota; 0 stands for no limit, as does a setting that was never made."""

STORED_BYTES = """
    SELECT coalesce(sum(CASE WHEN json_valid(CAST(e.data AS TEXT))
        THEN json_extract(CAST(e.data AS TEXT), '$.size') ELSE 0 END), 0)
    FROM entries AS e WHERE e.project = ?1 AND e.kind = 'submit' AND NOT EXISTS (
        SELECT 1 FROM entries AS x WHERE x.kind = 'erase' AND x.project = e.project
        AND x.document = e.document AND x.version = e.version)
"""
"""SQL: the bytes of the versions of a project that were not erased."""


@dataclass(frozen=True, slots=True)
class Use:
    """How much of its quota a project uses.

    Attributes:
        documents: the number of documents that are not withdrawn.
        bytes: the size of all versions that were not erased, in bytes.
        submissions: the number of versions that were accepted today, a day of UTC.
    """

    documents: int = 0
    bytes: int = 0
    submissions: int = 0


def use(connection: sqlite3.Connection, project: str, day: str) -> Use:
    """Return how much a project uses.

    Args:
        connection: of the ledger.
        project: the project.
        day: today as ``YYYY-MM-DD`` in UTC.
    """
    row = connection.execute(
        "SELECT documents, bytes, day, submissions FROM streams WHERE project = ?", (project,)
    ).fetchone()
    return Use() if row is None else Use(int(row[0]), int(row[1]), int(row[3]) if row[2] == day else 0)


def used(connection: sqlite3.Connection, project: str, time: str, size: int) -> None:
    """Count a version that is being appended, in the same transaction.

    Where the clock was set back to another day, the count of the day begins again.

    Args:
        connection: of the ledger.
        project: the project, whose row exists.
        time: the time of the entry.
        size: the size of the version in bytes.
    """
    connection.execute(
        "UPDATE streams SET bytes = bytes + ?1, submissions = CASE day WHEN ?2 THEN submissions + 1 ELSE 1 END, "
        "day = ?2 WHERE project = ?3",
        (size, time[:10], project),
    )


def require_active(project: str, settings: Mapping[str, Any]) -> None:
    """Refuse a change of an archived project.

    Args:
        project: the project.
        settings: those in force.

    Raises:
        Archived: the project is archived.
    """
    if settings.get("archived"):
        raise Archived(
            f"project {project} is archived, so nothing in it can be changed. An owner of the project or an "
            f"administrator can end that: `provrepo project set {project} --no-archived`"
        )


def require_open(project: str, settings: Mapping[str, Any], kind: str, body: Mapping[str, Any], actor: str) -> None:
    """Refuse an entry about an archived project.

    Entries of the software itself are appended: about a delivery or notice that was under way, a copy that was
    restored, the end of an embargo. So are the end of the archiving itself, and the end of a role of a person who is
    removed from the repository.

    Raises:
        Archived: the project is archived.
    """
    ends = kind == "settings" and body.get("archived") is False
    removed = kind == "member" and body.get("role") == "none"
    # Reviewers read archived projects, and the links of a person who is removed end.
    link = kind == "invitation" and (
        body.get("state") == "revoked" or (body.get("purpose") == "review" and body.get("state") == "used")
    )
    if actor and not (ends or removed or link):
        require_active(project, settings)


def require_room(
    use: Use, project: str, settings: Mapping[str, Any], *, size: int, new: bool, waiting: tuple[int, int] = (0, 0)
) -> None:
    """Refuse a version that would exceed the quota of its project.

    Args:
        use: what the project uses without it.
        project: the project.
        settings: those in force.
        size: the size of the version in bytes.
        new: whether it adds a document to the project.
        waiting: number and bytes of what waits for a review or comes from events, and is to be a version later.

    Raises:
        ProjectFull: there would be too many documents or bytes.
        OverQuota: there would be too many submissions today.
    """
    documents, total, daily = (int(settings.get(name) or 0) for name in QUOTAS)
    more = "an administrator can raise it"
    if documents and (new or waiting[0]) and use.documents + waiting[0] + new > documents:
        raise ProjectFull(
            f"the quota of project {project} is {counted(documents, 'document')}, and it has {use.documents:,}"
            f"{_waits(waiting[0])}; withdraw one, or ask: {more}"
        )
    if total and use.bytes + waiting[1] + size > total:
        raise ProjectFull(
            f"the quota of project {project} is {counted(total, 'byte')}, of which its versions use {use.bytes:,}"
            f"{_waits(waiting[1])}; this needs {size:,} more; {more}"
        )
    if daily and use.submissions + 1 > daily:
        raise OverQuota(
            f"the quota of project {project} is {counted(daily, 'submission')} a day, and {use.submissions:,} were "
            f"accepted today; the next day begins at 00:00 UTC, and {more}",
            retry_after=_until_tomorrow(),
        )


def _waits(number: int) -> str:
    return f", and {number:,} more are waiting to be accepted" if number else ""


def _until_tomorrow() -> float:
    """Return the seconds until the next day of UTC, at least one."""
    now = datetime.now(UTC)
    tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return max(1.0, (tomorrow - now).total_seconds())
