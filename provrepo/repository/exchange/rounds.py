"""Regular rounds: a server works off what it has for peers, and deletes documents that have waited too long."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provrepo.repository.exchange import decisions, pushing, sending
from provrepo.repository.store import Store
from provrepo.repository.upkeep.periodic import Periodic

__all__ = ["start"]


def start(store: Store) -> Periodic:
    """Begin the rounds, until the store is closed, unless the settings have none.

    Of several processes with the same data directory only one runs a round at a time.
    """

    def work() -> None:
        with _locked(store.settings.data / "exchange.lock") as own:
            if own:
                decisions.expire(store)
                pushing.queue_new(store)
                sending.work_off(store, stop=periodic.stopping)

    periodic = Periodic(store, "the exchange with peers", work, seconds=store.settings.exchange_seconds)
    periodic.start()
    return periodic


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
