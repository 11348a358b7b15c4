"""Warnings about copies: what happened to a version at its origin, as the peer that it came from has announced it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from provrepo.errors import Error
from provrepo.repository.exchange.notices import held, tables
from provrepo.repository.exchange.notices.payload import read
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
    """Return the warnings for a copy in the order of the events; of several corrections only the last one."""
    about = in_order(notice for notice in notices if _concerns(notice, copy.origin))
    corrections = [notice for notice in about if notice.about == "corrected"]
    last = max(corrections, key=lambda notice: notice.version, default=None)
    return [
        OriginWarning(
            *copy[:3], notice.about, notice.peer, notice.by, notice.time, notice.reason, notice.subject, notice.id
        )
        for notice in about
        if notice.about != "corrected" or notice is last
    ]


def in_order(notices: Iterable[ReceivedNotice]) -> list[ReceivedNotice]:
    """Return notices about one document in the order of their events at the origin.

    They may arrive in another one: a notice that could not be delivered is sent again after newer ones. The order is
    that of the ledger entries there; notices of other software, which name none, come by their times.
    """
    found = [(_entry(notice), notice) for notice in notices]
    if all(number for number, _ in found):
        return [notice for _, notice in sorted(found, key=lambda pair: pair[0])]
    return [notice for _, notice in sorted(found, key=lambda pair: pair[1].time)]


def _entry(notice: ReceivedNotice) -> int:
    """Return the sequence number of the entry of the event; 0 if it is unknown."""
    with suppress(Error):
        return read(notice.body).sequence
    return 0


def _concerns(notice: ReceivedNotice, version: int) -> bool:
    """Return whether a notice is about a version: a withdrawal covers all versions up to the one that it names."""
    return notice.version == version if notice.about == "erased" else notice.version >= version
