"""Entries of kind ``notice`` in the ledger: which notices were sent to peers and received from them.

A notice is stored in ``exchange.sqlite`` first. A process that is killed before its entry is appended leaves it marked
as not recorded, and the next pass appends the entry, if it is not there. Notices of strangers have no entries, since
entries are never deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provrepo.ledger.entries import REPOSITORY
from provrepo.repository.exchange.notices import held, tables

if TYPE_CHECKING:
    from provrepo.ledger.exchange.incoming_notices import ReceivedNotice
    from provrepo.ledger.exchange.outgoing_notices import SentNotice
    from provrepo.repository.store import Store

__all__ = ["record_all", "record_received", "record_sent"]


def record_all(store: Store) -> None:
    """Append the entries that are missing."""
    for received in tables.incoming(store).unrecorded():
        record_received(store, received)
    for sent in tables.outgoing(store).unrecorded():
        record_sent(store, sent)


def record_received(store: Store, notice: ReceivedNotice) -> None:
    """Append the entry of a notice of a peer, unless it is there."""
    project, document, version = _received_place(store, notice)
    _append(
        store,
        project,
        notice.body,
        {
            "notice": notice.id,
            "direction": "received",
            "about": notice.about or "other",
            "peer": notice.peer,
            "document": document or None,
            "version": version or None,
            "answers": notice.answers,
        },
    )
    tables.incoming(store).recorded(notice.key)


def record_sent(store: Store, notice: SentNotice) -> None:
    """Append the entry of a delivered notice, unless it is there."""
    here = not notice.answers
    _append(
        store,
        notice.project if here else REPOSITORY,
        notice.body,
        {
            "notice": notice.id,
            "direction": "sent",
            "about": notice.about,
            "peer": notice.peer,
            "document": (notice.document or None) if here else None,
            "version": (notice.version or None) if here else None,
            "answers": notice.answers,
        },
    )
    tables.outgoing(store).recorded(notice.id)


def _append(store: Store, project: str, body: bytes, fields: dict[str, object]) -> None:
    blob = store.blobs.put(body)
    if project and store.ledger.mirror(project) is not None:
        # Nothing can be added to a mirror, whose entries are those of its origin.
        project, fields = REPOSITORY, {**fields, "document": None, "version": None}
    with store.ledger.appending(project) as appending:
        if not appending.has_notice(str(fields["notice"]), str(fields["direction"]), blob):
            appending.append("notice", {**fields, "blob": blob}, actor="")


def _received_place(store: Store, notice: ReceivedNotice) -> tuple[str, str, int]:
    """Return the stream of the entry of a received notice, and the version here that it is about.

    A notice about several copies, or about none, belongs to the repository as a whole, as does one about a mirror, to
    which no entries can be added.
    """
    if notice.about == "derived" or notice.answers:
        return notice.project, notice.document, notice.version
    found = [
        copy
        for copy in held.copies(store, notice.peer, notice.project, notice.document)
        if copy.origin == notice.version
    ]
    if len(found) == 1:
        return found[0][:3]
    return REPOSITORY, "", 0
