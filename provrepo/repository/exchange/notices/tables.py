"""The tables of notices of a data directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provrepo.ledger.exchange.copies import Copies
from provrepo.ledger.exchange.holders import Holders
from provrepo.ledger.exchange.incoming_notices import IncomingNotices
from provrepo.ledger.exchange.outgoing_notices import OutgoingNotices

if TYPE_CHECKING:
    from provrepo.repository.store import Store

__all__ = ["copies", "holders", "incoming", "outgoing"]


def copies(store: Store) -> Copies:
    """Return the index of the versions here that came from peers."""
    return Copies(store.exchange, store.ledger.database)


def holders(store: Store) -> Holders:
    """Return the holders of copies."""
    return Holders(store.exchange)


def incoming(store: Store) -> IncomingNotices:
    """Return the received notices."""
    return IncomingNotices(store.exchange)


def outgoing(store: Store) -> OutgoingNotices:
    """Return the outbox of notices."""
    return OutgoingNotices(store.exchange)
