"""Verbs about what happened in a project: audit, pingbacks; and whether entries are indexed."""

from __future__ import annotations

from collections.abc import Sequence

from provrepo.errors import NotFound, UsageError
from provrepo.ledger.pingbacks import Pingback
from provrepo.limits import MAX_PAGE_SIZE, PAGE_SIZE
from provrepo.remote.connection import Connection
from provrepo.remote.decoding import decoded
from provrepo.repository.audit import Audit

__all__ = ["audit", "discard_pingbacks", "indexing_server", "pingbacks", "waiting"]


def audit(
    connection: Connection,
    project: str | None = None,
    name: str | None = None,
    *,
    since: str | None = None,
    until: str | None = None,
    by: str | None = None,
    action: str | None = None,
    refused: bool = False,
    after: str | None = None,
    limit: int = PAGE_SIZE,
    newest: bool = False,
) -> Audit:
    """List changes and accesses of a document or a project."""
    if project is None:
        raise UsageError(
            f"name a project: {connection.url} is a server, and the events of the whole repository are listed on the "
            "machine that has the directory"
        )
    path = connection.project(project, "audit")
    if not 1 <= limit <= MAX_PAGE_SIZE:
        connection.require(project)
        raise UsageError(f"an audit lists from 1 to {MAX_PAGE_SIZE:,} events, not {limit}")
    query = {
        "document": name,
        "since": since,
        "until": until,
        "by": by,
        "action": action,
        "refused": refused or None,
        "after": after,
        "limit": limit,
        "sort": "newest" if newest else None,
    }
    return connection.record(Audit, "GET", path, project=project, query=query)


def pingbacks(connection: Connection, project: str, name: str | None = None) -> list[Pingback]:
    """Return the stored links of a document, or of all documents of a project."""
    path = connection.project(project, "pingbacks") if name is None else connection.document(project, name, "pingbacks")
    found = connection.json("GET", path, project=project)
    with connection.understanding():
        return [decoded(Pingback, item) for item in found["pingbacks"]]


def discard_pingbacks(connection: Connection, project: str, name: str, ids: Sequence[int] | None = None) -> int:
    """Delete links of a document: those with some identifiers, or all of them."""
    stored = {found.id for found in pingbacks(connection, project, name)}
    wanted = stored if ids is None else stored & set(ids)
    if ids and not wanted:
        raise NotFound(f"{project}/{name} has no pingback {', '.join(map(str, ids))}")
    deleted = 0
    for number in sorted(wanted):
        try:
            connection.send("DELETE", connection.document(project, name, "pingbacks", str(number)), project=project)
        except NotFound:
            continue  # another client has deleted it
        deleted += 1
    return deleted


def waiting(connection: Connection) -> str:  # noqa: ARG001 (a verb)
    """Return an empty text: receipts of a server say whether it has indexed what they are for."""
    return ""


def indexing_server(connection: Connection) -> str:
    """Return the URL of the server, which indexes what it stores."""
    return connection.url.rstrip("/")
