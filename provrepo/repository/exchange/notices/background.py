"""A server sends notices, and asks peers about unproven ones, every few seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provrepo.repository.exchange.notices.sending import send_due
from provrepo.repository.upkeep.periodic import Periodic

if TYPE_CHECKING:
    from provrepo.repository.store import Store

__all__ = ["start"]

SECONDS = 2.0
"""The longest pause between two passes over the outbox."""

_ENDING = 1.0
"""Seconds to wait for a pass at the end. What it sends then is sent again later, and the receiver knows it already."""


def start(store: Store) -> None:
    """Begin, until the store is closed, unless the settings have no rounds of exchange."""

    def work() -> None:
        if store.exchange.exists:
            send_due(store)

    seconds = min(SECONDS, store.settings.exchange_seconds)
    Periodic(store, "sending notices", work, seconds=seconds, ending=_ENDING).start()
