"""The thread of a server that brings the mirrors up to date every few minutes."""

from __future__ import annotations

import logging
import threading

from provrepo.errors import Error
from provrepo.repository.context import Context
from provrepo.repository.exchange.mirroring.verbs import pull
from provrepo.repository.store import Store

__all__ = ["start"]

log = logging.getLogger("provrepo.repository.exchange.mirroring.background")

_STOPPED = frozenset({"reset", "shortened", "forked"})
"""The states in which the operator decides what happens: the origin is not asked again until then."""


def start(store: Store) -> None:
    """Pull all mirrors now and every ``settings.pull_every`` seconds, until the store is closed; never if that is 0.

    Only the addresses that the operator gave to ``provrepo mirror`` are contacted, with the tokens of peers.
    """
    seconds = store.settings.pull_every
    if not seconds:
        return
    ended = threading.Event()

    def run() -> None:
        while True:
            for name in _due(store):
                _pull(store, name, ended)
                if ended.is_set():
                    return
            if ended.wait(seconds):
                return

    thread = threading.Thread(target=run, name="mirrors", daemon=True)

    def close() -> None:
        ended.set()
        thread.join(timeout=10)

    store.on_close(close)
    thread.start()


def _due(store: Store) -> list[str]:
    try:
        return [
            mirror.project
            for mirror in store.ledger.mirrors()
            if mirror.active and mirror.origin and mirror.state not in _STOPPED
        ]
    except Error as error:
        log.warning("the mirrors cannot be listed: %s", error)
        return []


def _pull(store: Store, name: str, ended: threading.Event) -> None:
    before = store.ledger.length(name)
    try:
        found = pull(Context(store), name, abandoned=ended.is_set)
    except Error as error:
        if not ended.is_set():
            log.warning("%s was not pulled: %s", name, error)
    except Exception:  # the thread must survive any error
        log.exception("%s was not pulled", name)
    else:
        if found.sequence > before:
            log.info("%s: %d new entries from %s", name, found.sequence - before, found.origin)
