"""Receiving notices: who sent them is proven by a token of a peer, or by the ledger of the peer that they name.

A notice of a peer is stored with its effects in one transaction, and answered by an acknowledgment. Any other notice
has no effect. If it names a peer, that peer is asked later whether its ledger has the event. No address in a notice is
used.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from provrepo.errors import Busy, Conflict, NoSpace, NotAvailable, UsageError
from provrepo.ledger.exchange import holders, incoming_notices, outgoing_notices
from provrepo.ledger.exchange.holders import Holder
from provrepo.ledger.exchange.incoming_notices import ReceivedNotice
from provrepo.ledger.exchange.peers import same_repository
from provrepo.repository.exchange.notices import announcing, recording, tables
from provrepo.repository.exchange.notices.announcing import notice_id, receiver, services, to_send
from provrepo.repository.exchange.notices.payload import DERIVED, TAKEN_BACK, Notice, read

if TYPE_CHECKING:
    from provrepo.ledger.exchange.peers import Peer
    from provrepo.repository.context import Context
    from provrepo.repository.records import Actor
    from provrepo.repository.store import Store

__all__ = ["Received", "accept", "note_mirror", "receive_notice"]


@dataclass(frozen=True, slots=True)
class Received:
    """The answer to a notice.

    Attributes:
        key: the last step of the address of the notice; empty for an unproven one.
        peer: the name of the peer that sent it; empty if that is not proven.
    """

    key: str
    peer: str


def receive_notice(context: Context, data: bytes) -> Received:
    """Receive a notice. Receiving it again changes nothing.

    Args:
        data: the notice in JSON-LD.

    Raises:
        ReadError: it is not a notice; with its place or the path of the member.
        TooLarge: it is too large.
        Conflict: the peer has sent another notice with this identifier.
        UsageError: it comes from this repository itself.
        NotAvailable: the settings disable the inbox.
    """
    store = context.store
    if not store.settings.inbox:
        raise NotAvailable("this repository receives no notices")
    notice = read(data)
    peer = _sender(store, context.actor)
    if peer is not None:
        if notice.origin.rstrip("/") == services(store)[0].rstrip("/"):
            raise UsageError("the notice comes from this repository itself, or from a copy of it")
        return Received(accept(store, peer, notice, data, proof="token"), peer.name)
    named = _named(store, notice)
    tables.incoming(store).keep_unproven(
        _record(notice, data, named.name if named else "", "", _here(store, notice)),
        most=store.settings.inbox,
        due=time.time() if named and notice.about in TAKEN_BACK and not notice.answers else None,
    )
    return Received("", "")


def note_mirror(context: Context, project: str) -> None:
    """Remember that the actor follows a project, if it is a peer by its token: it is told of withdrawals.

    Args:
        project: the project.

    Raises:
        NotFound: no such project.
    """
    context.require_read(project)
    peer = _sender(context.store, context.actor)
    if peer is not None:
        announcing.note_mirror(context.store, project, peer.name)


def accept(store: Store, peer: Peer, notice: Notice, data: bytes, *, proof: str) -> str:
    """Store a notice of a peer with its effects; return its key.

    Args:
        store: the data directory.
        peer: the sender.
        notice: the notice, with the facts that were proven.
        data: its text.
        proof: ``token`` or ``ledger``.

    Raises:
        Conflict: the peer has sent another notice with this identifier.
    """
    place = _here(store, notice)
    record = _record(notice, data, peer.name, proof, place)
    reply = to_send(_reply(store, peer, notice), peer.name, "")
    same = same_repository(store.peers.list())
    names = [name for name, first in same.items() if first == same.get(peer.name)]
    with store.exchange.writing() as connection:
        known = incoming_notices.of_peer(connection, peer.name, notice.id)
        if known is not None and known.body != data:
            raise Conflict(f"a notice {notice.id} with another content was received from {peer.name} before")
        kept = known or incoming_notices.keep(connection, record)
        if notice.answers:
            for name in names:
                outgoing_notices.acknowledge(connection, notice.answers, name)
        elif notice.about:
            if notice.about == DERIVED and place[0] and known is None:
                holders.add(connection, _deriver(store, peer, place))
            cause = f"notice {notice.id}"
            if not outgoing_notices.enqueue(connection, cause, reply):
                # The peer has sent the notice again, because it has not got the acknowledgment.
                outgoing_notices.repeat(connection, cause, peer.name, time.time())
    with suppress(Busy, NoSpace):  # it is stored; its entry is appended by the next pass of the background thread
        recording.record_received(store, kept)
    return kept.key


def _sender(store: Store, actor: Actor) -> Peer | None:
    """Return the peer to which the token of a request belongs: that with the name of its actor."""
    return store.peers.find(actor.name) if actor.token and store.exchange.exists else None


def _named(store: Store, notice: Notice) -> Peer | None:
    """Return the peer that a notice names as its sender, by its URL or its identity."""
    if not store.exchange.exists:
        return None
    origin = notice.origin.rstrip("/")
    return next(
        (peer for peer in store.peers.list() if origin in (peer.url.rstrip("/"), f"urn:uuid:{peer.identity}")), None
    )


def _here(store: Store, notice: Notice) -> tuple[str, str, int]:
    """Return the version here that the object of a notice is; empty names if it is none."""
    if not notice.project or not notice.document or not notice.version:
        return "", "", 0
    place = (notice.project, notice.document, notice.version)
    if str(store.minter().version(*place)) != notice.object or store.ledger.version(*place) is None:
        return "", "", 0
    return place


def _deriver(store: Store, peer: Peer, place: tuple[str, str, int]) -> Holder:
    """Return a peer as a holder of the version from which it has derived something."""
    submission = store.ledger.version(*place)
    since = submission.sequence if submission is not None else 0
    return Holder(0, *place, peer.name, "", "inbox", "derived", since)


def _record(notice: Notice, data: bytes, peer: str, proof: str, here: tuple[str, str, int]) -> ReceivedNotice:
    # The names in a notice about a version of the peer are names there.
    there = notice.about in TAKEN_BACK and not notice.answers
    project, document, version = (notice.project, notice.document, notice.version) if there else here
    return ReceivedNotice(
        *("", peer, notice.id, notice.about, notice.answers, project, document, version, proof),
        *(notice.subject, notice.object, notice.time, notice.by, notice.reason, data, ""),
    )


def _reply(store: Store, peer: Peer, notice: Notice) -> Notice:
    """Return the acknowledgment of a notice: the same statement sent back, as its answer."""
    origin, target = services(store), receiver(store, peer.name, "")
    return replace(
        notice,
        id=notice_id(),
        answers=notice.id,
        origin=origin[0],
        origin_inbox=origin[1],
        target=target[0],
        target_inbox=target[1],
        summary="Received.",
    )
