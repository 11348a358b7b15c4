"""Regular rounds: a server works off what it has for peers, and deletes documents that have waited too long."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provrepo.errors import NotAvailable
from provrepo.repository.exchange import decisions, pushing, sending
from provrepo.repository.store import Store

__all__ = ["Rounds"]

log = logging.getLogger("provrepo.repository.exchange.rounds")

_ENDING = 5.0
"""The most seconds that ``close`` waits for a round."""


class Rounds:
    """A thread that runs a round after each pause, until it is closed or the store drains.

    Of several processes with the same data directory only one runs a round at a time.
    """

    def __init__(self, store: Store) -> None:
        """Take the store; nothing runs yet."""
        self._store = store
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="exchange", daemon=True)

    def start(self) -> None:
        """Start the rounds, unless the settings have none or the data directory is read-only."""
        if self._store.settings.exchange_seconds and not self._store.read_only:
            self._store.on_close(self.close)
            self._thread.start()

    def close(self) -> None:
        """Stop the rounds. What is under way is attempted again later."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(_ENDING)

    def _run(self) -> None:
        while not self._stopped.wait(self._store.settings.exchange_seconds):
            if self._store.draining:
                return
            try:
                with _locked(self._store.settings.data / "exchange.lock") as own:
                    if own:
                        self._round()
            except NotAvailable:
                return  # the store was closed meanwhile
            except Exception as error:  # noqa: BLE001 (whatever fails must not end the rounds)
                if not self._stopping():
                    log.warning("the exchange with peers failed, and is tried again: %s", error)

    def _round(self) -> None:
        decisions.expire(self._store)
        pushing.queue_new(self._store)
        sending.work_off(self._store, stop=self._stopping)

    def _stopping(self) -> bool:
        return self._stopped.is_set() or self._store.draining


@contextmanager
def _locked(file: Path) -> Iterator[bool]:
    """Yield whether this process got the lock of a file, which it holds until the block ends."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
