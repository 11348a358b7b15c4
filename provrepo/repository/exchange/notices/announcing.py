"""From entries of the ledger to notices: who holds what was withdrawn, corrected or erased.

The entries of each project are read in order, from the last one that was announced. The notices about them and the new
position are stored in one transaction, so that a process that is killed neither loses a notice nor writes it twice.
"""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from provrepo.ledger.exchange.holders import Holder
from provrepo.ledger.exchange.outgoing_notices import SentNotice
from provrepo.ledger.exchange.peers import same_repository
from provrepo.repository.exchange.notices import tables
from provrepo.repository.exchange.notices.payload import LONGEST_TEXT, RELATIONSHIPS, Notice, write

if TYPE_CHECKING:
    from provrepo.ledger.entries import Entry
    from provrepo.repository.store import Store

__all__ = ["announce_all", "find_holders", "note_mirror", "notice_id", "receiver", "services", "to_send"]

_EVENTS = {"withdraw": "withdrawn", "erase": "erased", "submit": "corrected"}
"""The relationship for each kind of entries that is announced."""

_AT_ONCE = 200
"""Entries that are turned into notices in one transaction."""

_SUMMARY = 300
"""The most characters of a summary."""


def announce_all(store: Store) -> int:
    """Write the notices about all entries that were appended since the last call; return how many there are."""
    if not store.exchange.exists:
        return 0
    find_holders(store)
    count = 0
    for project, position, holders in tables.outgoing(store).to_announce():
        before = position
        while before < (length := store.ledger.length(project)):
            entries = list(store.ledger.entries(project, after=before, limit=_AT_ONCE, every=True))
            # Damaged entries are not returned.
            after = entries[-1].sequence if entries else length
            notices = [(entry.sha256, notice) for entry in entries for notice in _about(store, entry, holders)]
            if not tables.outgoing(store).announce(project, before, after, notices):
                break
            count += len(notices)
            before = after
    return count


def _about(store: Store, entry: Entry, holders: Sequence[Holder]) -> Iterator[SentNotice]:
    """Yield the notices about one entry: one for each target that holds what it is about."""
    about = _EVENTS.get(entry.kind, "")
    if not about or (about == "corrected" and entry.body["version"] == 1):
        return
    names = same_repository(store.peers.list())
    told: set[tuple[str, str]] = set()
    for holder in holders:
        if holder.peer and holder.peer not in names:
            continue  # it was removed
        # A repository that has two names here is told once.
        target = replace(holder, peer=names.get(holder.peer, ""))
        if _holds(holder, entry) and target.target not in told:
            told.add(target.target)
            yield _of_event(store, entry, about, target)


def _holds(holder: Holder, entry: Entry) -> bool:
    """Return whether a holder has something that an entry withdraws, corrects or erases."""
    if holder.since >= entry.sequence or holder.document not in ("", entry.body["document"]):
        return False
    version = int(entry.body["version"])
    if entry.kind == "erase":
        return holder.version in (0, version)
    if entry.kind == "withdraw":
        return holder.version <= version
    # A mirror gets each version anyway. It is told of withdrawals, since it may not follow any more.
    return holder.version < version and holder.how != "mirror"


def _of_event(store: Store, entry: Entry, about: str, holder: Holder) -> SentNotice:
    document, number = entry.body["document"], entry.body["version"]
    minter, names = store.minter(), store.accounts.names()
    is_new = about == "corrected"
    taken = number - 1 if is_new else number
    subject = minter.version(entry.project, document, number) if is_new else minter.document(entry.project, document)
    reason = str(entry.body["note" if is_new else "reason"])
    version = store.ledger.version(entry.project, document, taken)
    verb = f"has a later version, {number}" if is_new else f"was {about}"
    sentence = f"Version {taken} of {document} in project {entry.project} {verb}" + (f": {reason}" if reason else ".")
    origin, target = services(store), receiver(store, holder.peer, holder.url)
    notice = Notice(
        id=notice_id(),
        about=about,
        subject=str(subject),
        relationship=RELATIONSHIPS[about],
        object=str(minter.version(entry.project, document, taken)),
        origin=origin[0],
        origin_inbox=origin[1],
        target=target[0],
        target_inbox=target[1],
        summary=_plain(sentence)[:_SUMMARY],
        project=entry.project,
        document=document,
        version=taken,
        sha256="" if version is None else version.body["blob"],
        sequence=entry.sequence,
        entry=entry.sha256,
        time=entry.time,
        by=_plain(names.get(entry.actor, entry.actor)),
        reason=_plain(reason),
    )
    return to_send(notice, holder.peer, holder.url, holder.protocol)


def to_send(
    notice: Notice, peer: str, url: str, protocol: str = "inbox", *, here: tuple[str, str, int] | None = None
) -> SentNotice:
    """Return a notice for the outbox. The body of a pingback is the address of the new state (PROV-AQ, section 5).

    Args:
        notice: the notice.
        peer: the peer that gets it; empty for an address.
        url: the address that gets it; empty for a peer.
        protocol: how.
        here: the version here that it is about, if that is not its object.
    """
    body = f"{notice.subject}\r\n".encode() if protocol == "pingback" else write(notice)
    place = here or (notice.project, notice.document, notice.version)
    return SentNotice(
        id=notice.id,
        about=notice.about,
        project=place[0],
        document=place[1],
        version=place[2],
        peer=peer,
        url=url,
        protocol=protocol,
        answers=notice.answers,
        body=body,
    )


def notice_id() -> str:
    """Return a new identifier of a notice: random, so that only its receivers know it."""
    return f"urn:uuid:{uuid.uuid4()}"


def services(store: Store) -> tuple[str, str]:
    """Return the IRI of this repository and the address of its inbox, which is empty without a base IRI."""
    base = store.base()
    return (base, f"{base}inbox") if base else (f"urn:uuid:{store.ledger.identity().id}", "")


def receiver(store: Store, peer: str, url: str) -> tuple[str, str]:
    """Return the IRI of a receiver and the address of its inbox."""
    if peer:
        found = store.peers.get(peer)
        return found.url, f"{found.url}inbox"
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/", url


def _plain(text: str) -> str:
    """Return a text without the control characters that a notice must not have."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(character) == "Cc" and character not in "\r\n\t"
        else character
        for character in text[:LONGEST_TEXT]
    )


def find_holders(store: Store) -> None:
    """Store as holders the peers to which versions were sent."""
    if not store.exchange.exists or store.read_only:
        return
    found = tables.holders(store)
    found.forget_rejected()
    for project, document, version, peer in found.pushed():
        submission = store.ledger.version(project, document, version)
        if submission is not None:
            found.add(Holder(0, project, document, version, peer, "", "inbox", "push", submission.sequence))


def note_mirror(store: Store, project: str, peer: str) -> None:
    """Store as a holder a peer that follows a project. What happened until now is in what it gets."""
    if store.read_only or tables.holders(store).known(project, "", 0, peer):
        return
    tables.holders(store).add(Holder(0, project, "", 0, peer, "", "inbox", "mirror", store.ledger.length(project)))
