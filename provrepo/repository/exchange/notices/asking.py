"""Unproven notices that name a peer: its ledger is asked whether the event happened.

Only the URL of the configured peer is used. The names and the number in a notice select an entry of its ledger, and all
that is believed is what that entry contains.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from provrepo.errors import Conflict, Error, NotFound, RemoteError, Unreachable
from provrepo.ledger.kinds import TIME
from provrepo.repository.exchange.notices import tables
from provrepo.repository.exchange.notices.payload import LONGEST_TEXT, RELATIONSHIPS, Notice, read
from provrepo.repository.exchange.notices.receiving import accept

if TYPE_CHECKING:
    from provrepo.ledger.exchange.incoming_notices import ReceivedNotice
    from provrepo.ledger.exchange.peers import Peer
    from provrepo.repository.store import Store

__all__ = ["ask_peers"]

_AT_ONCE = 20
"""Notices of which the peer is asked in one pass, so that strangers cannot cause many requests to it."""

_MOST_ATTEMPTS = 10
_FIRST_PAUSE = 60.0
_SECONDS = 20.0
"""The deadline of a question in seconds."""

_LARGEST_ANSWER = 1 << 20
_KINDS = {"withdraw": "withdrawn", "erase": "erased", "submit": "corrected"}


def ask_peers(store: Store) -> None:
    """Ask the peers that unproven notices name. A notice that is confirmed has its effect; a wrong one is deleted."""
    if not store.exchange.exists:
        return
    for found in tables.incoming(store).to_ask(time.time(), _AT_ONCE):
        peer = store.peers.find(found.peer)
        if peer is None:
            tables.incoming(store).ask_later(found.key, None)
            continue
        try:
            proven = _confirmed(store, peer, read(found.body))
        except Error as error:
            _later(store, found, peer, error)
            continue
        if proven is None:
            tables.incoming(store).disproved(found.key)
            continue
        try:
            accept(store, peer, proven, found.body, proof="ledger")
        except Conflict:  # the peer itself has sent another notice with this identifier
            tables.incoming(store).disproved(found.key)


def _later(store: Store, found: ReceivedNotice, peer: Peer, error: Error) -> None:
    if isinstance(error, Unreachable):
        store.peers.failed(peer.name, str(error))
    final = found.attempts + 1 >= _MOST_ATTEMPTS
    tables.incoming(store).ask_later(found.key, None if final else time.time() + _FIRST_PAUSE * 2**found.attempts)


def _confirmed(store: Store, peer: Peer, notice: Notice) -> Notice | None:
    """Return a notice with the facts of the peer's ledger; None if the ledger has no such event.

    Raises:
        Error: the peer does not answer, or not as a repository does.
    """
    if not notice.project or not notice.sequence:
        return None
    from provrepo.http_client import HttpClient  # loads httpx

    with HttpClient(peer.url, token=store.peers.token(peer.name), deadline=_SECONDS, attempts=1) as client:
        try:
            answer = client.get(
                ("projects", notice.project, "ledger"),
                query={"after": notice.sequence - 1, "limit": 1},
                limit=_LARGEST_ANSWER,
            )
        except NotFound:
            return None
        found = answer.json()
    store.peers.contacted(peer.name)
    entries = found.get("entries") if isinstance(found, Mapping) else None
    if not isinstance(entries, list) or any(not isinstance(each, Mapping) for each in entries):
        raise RemoteError(f"{answer.where} sent an answer without entries")
    entry = entries[0].get("entry") if entries else None
    return _proven(notice, entry) if isinstance(entry, Mapping) else None


def _proven(notice: Notice, entry: Mapping[str, Any]) -> Notice | None:
    """Return a notice with the facts of an entry; None if the entry is that of another event."""
    about = _KINDS.get(str(entry.get("kind")))
    number = notice.version + 1 if about == "corrected" else notice.version
    same = (
        about == notice.about
        and entry.get("project") == notice.project
        and entry.get("sequence") == notice.sequence
        and entry.get("document") == notice.document
        and entry.get("version") == number
    )
    reason = entry.get("note" if about == "corrected" else "reason")
    if not same or not TIME.check(entry.get("time")) or not isinstance(reason, str):
        return None
    # The name of the actor is not in the entry.
    facts = replace(notice, time=entry["time"], by="", reason=reason[:LONGEST_TEXT])
    return replace(facts, relationship=RELATIONSHIPS[notice.about])
