"""The thread of a server that sends notices and asks peers about unproven ones."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from provrepo.errors import NotAvailable
from provrepo.repository.exchange.notices.sending import send_due

if TYPE_CHECKING:
    from provrepo.repository.store import Store

__all__ = ["start"]

_log = logging.getLogger(__name__)

SECONDS = 2.0
"""The longest pause between two passes over the outbox."""

_ENDING = 1.0
"""Seconds to wait for a pass at the end. What it sends then is sent again later, and the receiver knows it already."""


def start(store: Store) -> None:
    """Start the thread, which ends when the store is closed, unless the settings have no rounds of exchange."""
    seconds = min(SECONDS, store.settings.exchange_seconds)
    if not seconds or store.read_only:
        return
    ended = threading.Event()

    def run() -> None:
        failure = ""
        while not (ended.wait(seconds) or store.draining):
            try:
                if store.exchange.exists:
                    send_due(store)
                failure = ""
            except Exception as error:  # noqa: BLE001 (anything must not end the thread)
                if ended.is_set() or isinstance(error, NotAvailable):
                    return
                if str(error) != failure:  # a full disk fails each pass, and is logged once
                    failure = str(error)
                    _log.exception("the outbox of notices cannot be worked off; it is tried again")

    thread = threading.Thread(target=run, name="notices-outbox", daemon=True)

    def end() -> None:
        ended.set()
        thread.join(_ENDING)

    store.on_close(end)
    thread.start()
