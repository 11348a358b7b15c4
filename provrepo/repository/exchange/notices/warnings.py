"""Warnings about copies: what happened to a version at its origin, as the peer that it came from has announced it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from provrepo.repository.exchange.notices import held, tables
from provrepo.repository.exchange.notices.records import OriginWarning

if TYPE_CHECKING:
    from provrepo.ledger.entries import Entry
    from provrepo.ledger.exchange.incoming_notices import ReceivedNotice
    from provrepo.repository.store import Store

__all__ = ["OriginWarning", "of_projects", "of_version"]


def of_version(store: Store, submission: Entry) -> tuple[OriginWarning, ...]:
    """Return the warnings about one version, the oldest first."""
    # Most repositories have got no such notice, and need no look-up for each version of a list.
    found = held.origin(store, submission) if tables.incoming(store).has_taken_back() else None
    if found is None:
        return ()
    notices = tables.incoming(store).taken_back(found.peer, found.project, found.document)
    fields = submission.fields
    copy = held.Copy(submission.project, fields["document"], fields["version"], found.version)
    return tuple(_warnings(copy, notices))


def of_projects(store: Store, projects: Sequence[str]) -> dict[tuple[str, str, int], tuple[OriginWarning, ...]]:
    """Return project, document and version → warnings, for all versions of some projects that have any."""
    found: dict[tuple[str, str, int], tuple[OriginWarning, ...]] = {}
    if not store.exchange.exists:
        return found
    readable = set(projects)
    for peer, project, document in tables.incoming(store).documents_taken_back():
        notices = tables.incoming(store).taken_back(peer, project, document)
        for copy in held.copies(store, peer, project, document):
            if copy.project in readable and (warnings := tuple(_warnings(copy, notices))):
                found[copy.project, copy.document, copy.version] = warnings
    return found


def _warnings(copy: held.Copy, notices: Iterable[ReceivedNotice]) -> list[OriginWarning]:
    """Return the warnings for a copy; of several corrections only the last one."""
    about = [notice for notice in notices if _concerns(notice, copy.origin)]
    corrections = [notice for notice in about if notice.about == "corrected"]
    last = max(corrections, key=lambda notice: notice.version, default=None)
    return [
        OriginWarning(
            *copy[:3], notice.about, notice.peer, notice.by, notice.time, notice.reason, notice.subject, notice.id
        )
        for notice in about
        if notice.about != "corrected" or notice is last
    ]


def _concerns(notice: ReceivedNotice, version: int) -> bool:
    """Return whether a notice is about a version: a withdrawal covers all versions up to the one that it names."""
    return notice.version == version if notice.about == "erased" else notice.version >= version
